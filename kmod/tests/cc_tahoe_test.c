// SPDX-License-Identifier: GPL-2.0
/*
 * cc_tahoe_test.c - fast retransmit without fast recovery (RFC 2001)
 */
#include <kunit/test.h>

#include "../core/cc.h"
#include "helper.h"

/* A connection of Tahoe with ten segments out, whose first one is lost. */
static struct world *losing(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	conn_set_cc(&w->a, &cc_tahoe, w->now);
	dup_acks(w, &w->a, 3);
	return w;
}

static void tahoe_loss__one_segment(struct kunit *test)
{
	struct world *w = losing(test);

	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 5 * MSS);
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_CWND, BY_THIRD_DUPACK), 1);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_SSTHRESH, BY_THIRD_DUPACK), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_RECOVERY), 0);
}

/* The lost segment goes out at once; what follows it, as slow start lets it. */
static void tahoe_loss__sends_all_again(struct kunit *test)
{
	struct world *w = losing(test);
	struct seg s = next_seg(test, w, &w->a);

	KUNIT_EXPECT_EQ(test, s.seq, A0);
	KUNIT_EXPECT_EQ(test, s.cause, BY_THIRD_DUPACK);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 0);
	ack_upto(w, &w->a, A0 + MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 2 * MSS);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.seq, A0 + MSS);
	KUNIT_EXPECT_EQ(test, s.cause, BY_LOSS_GO_BACK);
	KUNIT_EXPECT_EQ(test, s.len, 2 * MSS);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_FAST_RETRANS), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_SLOW_START_RETRANS), 2);
}

/* What had arrived is acknowledged with the hole, and not sent again. */
static void tahoe_loss__ack_over_the_hole(struct kunit *test)
{
	struct world *w = losing(test);

	lose_all(w, &w->a);
	ack_upto(w, &w->a, A0 + 10 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 2 * MSS);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).seq, A0 + 10 * MSS);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_CWND)->cause, BY_SLOW_START);
}

/* RFC 5681 section 3.1: slow start up to half of what was in flight */
static void tahoe_loss__slow_start_to_ssthresh(struct kunit *test)
{
	struct world *w = losing(test);

	for (u32 end = 1; end <= 4; end++) {
		lose_all(w, &w->a);
		ack_upto(w, &w->a, A0 + end * MSS);
	}
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 5 * MSS);
	lose_all(w, &w->a);
	ack_upto(w, &w->a, A0 + 5 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 5 * MSS);
}

/* A loss begins congestion avoidance's count anew. */
static void tahoe_loss__forgets_what_was_acked(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	conn_set_cc(&w->a, &cc_tahoe, w->now);
	w->a.cc.ssthresh = 10 * MSS;
	ack_upto(w, &w->a, A0 + 9 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.acked, 9 * MSS);
	lose_all(w, &w->a);
	dup_acks(w, &w->a, 3);
	KUNIT_EXPECT_EQ(test, w->a.cc.acked, 0);
}

/* RFC 6582 section 3.2, step 2: duplicates of what went twice tell nothing. */
static void tahoe_loss__not_twice(struct kunit *test)
{
	struct world *w = losing(test);

	lose_all(w, &w->a);
	ack_upto(w, &w->a, A0 + MSS);
	lose_all(w, &w->a);
	dup_acks(w, &w->a, 5);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 2 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 5 * MSS);
}

/* Another algorithm in the middle of Reno's recovery, which then is over. */
static void conn_set_cc__while_recovering(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	dup_acks(w, &w->a, 8);
	KUNIT_ASSERT_TRUE(test, w->a.recovering);
	conn_set_cc(&w->a, &cc_tahoe, w->now);
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	KUNIT_EXPECT_LE(test, w->a.cc.cwnd, 5 * MSS);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_CWND)->cause, BY_RECOVERY_DONE);
	dup_acks(w, &w->a, 5);
	ack_upto(w, &w->a, A0 + 2 * MSS);
	ack_upto(w, &w->a, A0 + 10 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.snd_una, A0 + 10 * MSS);
}

static struct kunit_case tahoe_cases[] = {
	KUNIT_CASE(tahoe_loss__one_segment),
	KUNIT_CASE(tahoe_loss__sends_all_again),
	KUNIT_CASE(tahoe_loss__ack_over_the_hole),
	KUNIT_CASE(tahoe_loss__slow_start_to_ssthresh),
	KUNIT_CASE(tahoe_loss__forgets_what_was_acked),
	KUNIT_CASE(tahoe_loss__not_twice),
	KUNIT_CASE(conn_set_cc__while_recovering),
	{}
};

static struct kunit_suite chalk_cc_tahoe = {
	.name = "chalk_cc_tahoe",
	.test_cases = tahoe_cases,
};

kunit_test_suite(chalk_cc_tahoe);
