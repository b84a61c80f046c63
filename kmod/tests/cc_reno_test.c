// SPDX-License-Identifier: GPL-2.0
/*
 * cc_reno_test.c - slow start, congestion avoidance, fast recovery, timeout
 *
 * RFC 5681 (Reno), RFC 6582 (NewReno), RFC 3465 (byte counting), RFC 7661. What is not
 * said to be Reno's is NewReno's, or of both.
 */
#include <kunit/test.h>

#include "../core/cc.h"
#include "helper.h"

/* One round trip: an ACK for each segment in flight. */
static void round_trip(struct world *w)
{
	u32 end = w->a.snd_nxt;

	while (seq_lt(w->a.snd_una, end))
		ack_upto(w, &w->a, w->a.snd_una + MSS);
	lose_all(w, &w->a);
}

/* RFC 5681 section 3.1, RFC 6928 section 2 */
static void reno_init__initial_window(struct kunit *test)
{
	struct world *w = connected(test);

	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 10 * MSS);
	KUNIT_EXPECT_EQ(test, w->b.cc.cwnd, 10 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, SSTHRESH_INITIAL);
}

/* RFC 5681 section 3.1: "must set the initial window to one segment" */
static void reno_init__after_lost_syn(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s;

	open_a(w);
	lose_all(w, &w->a);
	elapse(w, SECOND);
	lose_all(w, &w->a);
	s = synack_of_b();
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, MSS);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_CWND, BY_SYN_LOST), 1);
}

/* RFC 5681 section 3.1: doubles every round trip */
static void slow_start__doubles(struct kunit *test)
{
	struct world *w = sending(test, MSS);

	for (u32 cwnd = 1; cwnd <= 32; cwnd *= 2) {
		KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, cwnd * MSS);
		KUNIT_EXPECT_EQ(test, conn_flight(&w->a), cwnd * MSS);
		round_trip(w);
	}
	KUNIT_EXPECT_EQ(test, last_event(w, EV_CWND)->cause, BY_SLOW_START);
}

/* RFC 3465 section 2.2: an ACK of many segments counts as L = 2 */
static void slow_start__stretch_ack(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	ack_upto(w, &w->a, A0 + 8 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 12 * MSS);
	ack_upto(w, &w->a, A0 + 9 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 13 * MSS);
	/* and bytes are what counts: dividing an ACK gains nothing */
	ack_upto(w, &w->a, A0 + 9 * MSS + 1);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 13 * MSS + 1);
}

static void slow_start__stops_at_ssthresh(struct kunit *test)
{
	struct world *w = sending(test, 4 * MSS);

	w->a.cc.ssthresh = 5 * MSS + 300;
	ack_upto(w, &w->a, A0 + 2 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 5 * MSS + 300);
}

/* RFC 3465 section 2.3: L = 1 until what was out at the timeout is covered */
static void slow_start__after_timeout(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	elapse(w, 10 * SECOND);
	KUNIT_ASSERT_EQ(test, w->a.cc.cwnd, MSS);
	lose_all(w, &w->a);
	ack_upto(w, &w->a, A0 + 3 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 2 * MSS);
	lose_all(w, &w->a);
	ack_upto(w, &w->a, A0 + 10 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 3 * MSS);
}

/* RFC 5681 section 3.1: one segment a round trip, no more and no less */
static void congestion_avoidance__one_mss_a_round(struct kunit *test)
{
	struct world *w = sending(test, 4 * MSS);

	w->a.cc.ssthresh = 4 * MSS;
	for (u32 cwnd = 4; cwnd < 12; cwnd++) {
		KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, cwnd * MSS);
		round_trip(w);
	}
	KUNIT_EXPECT_EQ(test, last_event(w, EV_CWND)->cause, BY_CONG_AVOID);
}

static void congestion_avoidance__not_before_all_is_acked(struct kunit *test)
{
	struct world *w = sending(test, 4 * MSS);

	w->a.cc.ssthresh = 4 * MSS;
	ack_upto(w, &w->a, A0 + 4 * MSS - 1);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 4 * MSS);
	ack_upto(w, &w->a, A0 + 4 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 5 * MSS);
}

/* RFC 3465 section 2.1: what is over counts for the next round. */
static void congestion_avoidance__keeps_the_rest(struct kunit *test)
{
	struct world *w = sending(test, 4 * MSS);

	w->a.cc.ssthresh = 4 * MSS;
	ack_upto(w, &w->a, A0 + 3 * MSS);
	lose_all(w, &w->a);
	ack_upto(w, &w->a, A0 + 6 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 5 * MSS);
	lose_all(w, &w->a);
	ack_upto(w, &w->a, A0 + 9 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 6 * MSS);
}

/* A loss begins the count anew: what was acknowledged before it is forgotten. */
static void congestion_avoidance__after_loss(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	w->a.cc.ssthresh = 10 * MSS;
	ack_upto(w, &w->a, A0 + 9 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.acked, 9 * MSS);
	lose_all(w, &w->a);
	dup_acks(w, &w->a, 3);
	lose_all(w, &w->a);
	KUNIT_EXPECT_TRUE(test, w->a.recovering);
	ack_all(w, &w->a);
	w->a.cc.cwnd = 5 * MSS;
	w->a.cc.ssthresh = 5 * MSS;
	lose_all(w, &w->a);
	ack_upto(w, &w->a, w->a.snd_una + MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 5 * MSS);
}

static void congestion_avoidance__after_timeout(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	w->a.cc.ssthresh = 10 * MSS;
	ack_upto(w, &w->a, A0 + 9 * MSS);
	lose_all(w, &w->a);
	elapse(w, 10 * SECOND);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, MSS);
	w->a.cc.cwnd = 5 * MSS;
	w->a.cc.ssthresh = 5 * MSS;
	lose_all(w, &w->a);
	ack_upto(w, &w->a, w->a.snd_una + MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 5 * MSS);
}

/* The user writes @n bytes, no more; an ACK comes for each two segments. */
static void write_once(struct world *w, u32 n)
{
	u32 end;

	write_and_send(w, &w->a, n);
	end = w->a.snd_nxt;
	while (seq_lt(w->a.snd_una, end)) {
		ack_upto(w, &w->a, seq_min(end, w->a.snd_una + 2 * w->a.smss));
		lose_all(w, &w->a);
	}
}

/* A silence shorter than the RTO changes nothing; what was used is what counts. */
static void slow_start__window_filled_once(struct kunit *test)
{
	struct world *w = connected(test);

	write_once(w, 10 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 20 * MSS);
}

/* Nor does it matter how often the habitat asks for segments. */
static void slow_start__habitat_asks_once(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	conn_write(&w->a, 10 * MSS, false);
	KUNIT_ASSERT_TRUE(test, conn_poll(&w->a, PLENTY, w->now, &s));
	KUNIT_ASSERT_EQ(test, s.len, 10 * MSS);
	for (u32 end = 2; end <= 10; end += 2)
		ack_upto(w, &w->a, A0 + end * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 20 * MSS);
}

static void congestion_avoidance__window_filled_once(struct kunit *test)
{
	struct world *w = connected(test);

	w->a.cc.ssthresh = 10 * MSS;
	write_and_send(w, &w->a, 10 * MSS);
	for (u32 end = 2; end <= 8; end += 2) {
		ack_upto(w, &w->a, A0 + end * MSS);
		KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 10 * MSS);
	}
	ack_upto(w, &w->a, A0 + 10 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 11 * MSS);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_CWND, BY_CONG_AVOID), 1);
}

/*
 * RFC 7661 sections 4.3 and 4.4: what the user does not fill does not grow, slow start
 * beyond twice what he uses, congestion avoidance at all. Flights are in bytes, cwnd
 * is 10000 at first.
 */
static const struct used_param {
	const char *name;
	u32 flight, slow_start, avoidance;
} usage[] = {
	{ "a byte", 1, 10 * MSS, 10 * MSS },
	{ "a tenth", MSS, 10 * MSS, 10 * MSS },
	{ "a half", 5 * MSS, 10 * MSS, 10 * MSS },
	{ "more than half", 5 * MSS + 1, 10 * MSS + 2, 10 * MSS },
	{ "all but a segment", 9 * MSS, 18 * MSS, 10 * MSS },
	{ "all but less", 9 * MSS + 1, 18 * MSS + 2, 11 * MSS },
};

NAMED_PARAMS(used_param, usage);

static void reno_ack__user_limited(struct kunit *test)
{
	const struct used_param *p = test->param_value;
	struct world *w = connected(test);

	for (int i = 0; i < 30; i++)
		write_once(w, p->flight);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, p->slow_start);
	w = connected(test);
	w->a.cc.ssthresh = 10 * MSS;
	for (int i = 0; i < 30; i++)
		write_once(w, p->flight);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, p->avoidance);
}

/* The peer's window keeps cwnd unused no less than the user. */
static void reno_ack__window_limited(struct kunit *test)
{
	struct world *w = connected(test);

	offer_window(w, &w->a, 7 * MSS);
	write_and_send(w, &w->a, 60 * MSS);
	for (int i = 0; i < 40; i++) {
		ack_upto(w, &w->a, w->a.snd_una + MSS);
		lose_all(w, &w->a);
	}
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 14 * MSS);
}

/* Limited transmit's segments, too, come out of a window that is full. */
static void reno_ack__limited_transmit(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	dup_acks(w, &w->a, 1);
	KUNIT_ASSERT_EQ(test, lose_all(w, &w->a), 1);
	ack_upto(w, &w->a, A0 + MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 11 * MSS);
}

/* What filled the window counts in the next round trip, and then no more. */
static void cc_measure_pipe__two_round_trips(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 10 * MSS);
	ack_upto(w, &w->a, A0 + 2 * MSS);
	write_and_send(w, &w->a, MSS);
	ack_upto(w, &w->a, A0 + 9 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 14 * MSS);
	/* the last of that flight */
	ack_upto(w, &w->a, A0 + 10 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 15 * MSS);
	/* the next round trip is a flight of one, and so is the third */
	ack_upto(w, &w->a, A0 + 11 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 16 * MSS);
	write_once(w, MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 16 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.pipe_ack, MSS);
}

/* A round trip whose first ACK finds little in flight is what it becomes. */
static void cc_measure_pipe__largest_of_a_round_trip(struct kunit *test)
{
	struct world *w = connected(test);

	write_once(w, MSS);
	write_and_send(w, &w->a, 3 * MSS);
	ack_upto(w, &w->a, A0 + 2 * MSS);
	write_and_send(w, &w->a, 5 * MSS);
	ack_upto(w, &w->a, A0 + 3 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.pipe_ack, 7 * MSS);
	ack_upto(w, &w->a, A0 + 9 * MSS);
	write_once(w, MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.pipe_ack, 7 * MSS);
}

/* After a loss the window is another one, which only its own flight fills. */
static void cc_measure_pipe__forgotten_with_cwnd(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 10 * MSS);
	ack_upto(w, &w->a, A0 + MSS);
	elapse(w, 10 * SECOND);
	KUNIT_ASSERT_EQ(test, w->a.cc.cwnd, MSS);
	lose_all(w, &w->a);
	ack_upto(w, &w->a, A0 + 9 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 2 * MSS);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
	ack_upto(w, &w->a, A0 + 10 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 2 * MSS);
	/* nor is it what the next round trip begins with */
	write_once(w, MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 2 * MSS);
}

/* RFC 5681 section 3.2, steps 2 and 3: not before the third */
static void reno_loss__third_dupack(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	dup_acks(w, &w->a, 2);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 10 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, SSTHRESH_INITIAL);
	dup_acks(w, &w->a, 1);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 5 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 8 * MSS);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_CWND, BY_THIRD_DUPACK), 1);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_SSTHRESH, BY_THIRD_DUPACK), 1);
}

static void reno_loss__floor(struct kunit *test)
{
	struct world *w = sending(test, 3 * MSS);

	dup_acks(w, &w->a, 3);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 2 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 5 * MSS);
}

/* RFC 5681 section 3.2, step 2: limited transmit's segments do not count */
static void reno_loss__limited_transmit_not_counted(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	dup_acks(w, &w->a, 1);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
	dup_acks(w, &w->a, 1);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), 12 * MSS);
	dup_acks(w, &w->a, 1);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 5 * MSS);
}

/* Once they are acknowledged, the flight is what it is. */
static void reno_loss__limited_transmit_forgotten(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	dup_acks(w, &w->a, 2);
	lose_all(w, &w->a);
	ack_upto(w, &w->a, A0 + 2 * MSS);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), 12 * MSS);
	dup_acks(w, &w->a, 3);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 6 * MSS);
}

/*
 * A window of 40 segments of which @used were in use in the last round trip, and
 * @flight are now.
 */
static struct world *half_used(struct kunit *test, u32 used, u32 flight)
{
	struct world *w = connected(test);

	offer_window(w, &w->a, U16_MAX);
	w->a.cc.cwnd = 40 * MSS;
	w->a.cc.ssthresh = 20 * MSS;
	write_once(w, used);
	write_and_send(w, &w->a, flight);
	KUNIT_ASSERT_EQ(test, w->a.cc.cwnd, 40 * MSS);
	KUNIT_ASSERT_EQ(test, w->a.cc.pipe_ack, used);
	dup_acks(w, &w->a, 3);
	lose_all(w, &w->a);
	KUNIT_ASSERT_TRUE(test, w->a.recovering);
	return w;
}

/* RFC 7661 section 4.4.1: half of max(pipeACK, LossFlightSize) */
static void reno_loss__not_validated(struct kunit *test)
{
	struct world *w = half_used(test, 12 * MSS, 6 * MSS);

	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 6 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 9 * MSS);
	w = half_used(test, 6 * MSS, 16 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 8 * MSS);
	/* half of cwnd: that is the flight's alone */
	w = half_used(test, 20 * MSS - 1, 8 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 10 * MSS - 1);
	w = half_used(test, 20 * MSS, 8 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 4 * MSS);
}

/* The same, (max(pipeACK, LossFlightSize) - R) / 2 in the end */
static void newreno_recovered__less_what_was_lost(struct kunit *test)
{
	struct world *w = half_used(test, 12 * MSS, 6 * MSS);

	ack_upto(w, &w->a, w->a.snd_una + 2 * MSS);
	lose_all(w, &w->a);
	KUNIT_ASSERT_TRUE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 6 * MSS);
	write_and_send(w, &w->a, 4 * MSS);
	ack_upto(w, &w->a, w->a.recover);
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 5 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 5 * MSS);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_SSTHRESH, BY_NOT_VALIDATED),
			1);
}

/* One that was validated keeps what the loss has made of it. */
static void newreno_recovered__validated(struct kunit *test)
{
	struct world *w = half_used(test, 20 * MSS, 8 * MSS);

	ack_upto(w, &w->a, w->a.recover);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 4 * MSS);
	/* nor is what an earlier recovery has seen remembered */
	w = half_used(test, 12 * MSS, 6 * MSS);
	ack_upto(w, &w->a, w->a.recover);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 5 * MSS + MSS / 2);
	w->a.cc.cwnd = 10 * MSS;
	write_and_send(w, &w->a, 9 * MSS);
	ack_upto(w, &w->a, w->a.snd_una + MSS);
	dup_acks(w, &w->a, 3);
	lose_all(w, &w->a);
	KUNIT_ASSERT_TRUE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 4 * MSS);
	ack_upto(w, &w->a, w->a.recover);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 4 * MSS);
}

/* More lost than was in use, as it seems: two segments are the least. */
static void newreno_recovered__all_was_lost(struct kunit *test)
{
	struct world *w = half_used(test, 6 * MSS, 6 * MSS);

	KUNIT_ASSERT_EQ(test, w->a.cc.ssthresh, 3 * MSS);
	for (int i = 0; i < 6; i++) {
		ack_upto(w, &w->a, w->a.snd_una + MSS);
		lose_all(w, &w->a);
	}
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 2 * MSS);
}

/* What goes again may be less than a segment; and each recovery counts for itself. */
static void newreno_recovered__less_than_a_segment(struct kunit *test)
{
	struct world *w = half_used(test, 12 * MSS, 6 * MSS);

	ack_upto(w, &w->a, w->a.recover);
	KUNIT_ASSERT_TRUE(test, !w->a.recovering);
	w->a.cc.cwnd = 40 * MSS;
	conn_set_nodelay(&w->a, true);
	write_once(w, 12 * MSS);
	for (int i = 0; i < 4; i++)
		write_and_send(w, &w->a, 100);
	dup_acks(w, &w->a, 3);
	lose_all(w, &w->a);
	KUNIT_ASSERT_TRUE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 6 * MSS);
	ack_upto(w, &w->a, w->a.recover);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 6 * MSS - 200);
}

/* Reno's recovery sends one segment again. */
static void reno_recovered__not_validated(struct kunit *test)
{
	struct world *w = connected(test);

	conn_set_cc(&w->a, &cc_reno, w->now);
	offer_window(w, &w->a, U16_MAX);
	w->a.cc.cwnd = 40 * MSS;
	w->a.cc.ssthresh = 20 * MSS;
	write_once(w, 12 * MSS);
	write_and_send(w, &w->a, 6 * MSS);
	dup_acks(w, &w->a, 3);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 6 * MSS);
	ack_upto(w, &w->a, w->a.snd_una + MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 5 * MSS + MSS / 2);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 5 * MSS + MSS / 2);
}

/* Of a SYN there is nothing to measure: pipeACK is undefined until there are data. */
static void cc_measure_pipe__undefined_at_first(struct kunit *test)
{
	struct world *w = connected(test);

	KUNIT_EXPECT_EQ(test, w->a.cc.pipe_ack, 0);
	KUNIT_EXPECT_EQ(test, w->b.cc.pipe_ack, 0);
	KUNIT_EXPECT_TRUE(test, cc_is_validated(&w->a.cc));
}

/* step 4 */
static void reno_dupack__inflates(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	dup_acks(w, &w->a, 5);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 10 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 5 * MSS);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_CWND, BY_DUPACK_INFLATE), 2);
}

/* RFC 6582 section 3.2, step 3: less what is acknowledged, plus a segment */
static void newreno_partial__deflates(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	dup_acks(w, &w->a, 5);
	ack_upto(w, &w->a, A0 + 4 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 7 * MSS);
	/* less than a segment: nothing is added back */
	ack_upto(w, &w->a, A0 + 4 * MSS + 400);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 7 * MSS - 400);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_CWND)->cause, BY_PARTIAL_ACK);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 5 * MSS);
}

/* "If the partial ACK acknowledges at least one SMSS": also just one */
static void newreno_partial__exactly_a_segment(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	dup_acks(w, &w->a, 5);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 10 * MSS);
	ack_upto(w, &w->a, A0 + MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 10 * MSS);
}

static void newreno_partial__never_below_a_segment(struct kunit *test)
{
	struct world *w = sending(test, 20 * MSS);

	dup_acks(w, &w->a, 3);
	ack_upto(w, &w->a, A0 + 19 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, MSS);
}

/* RFC 6582 section 3.2, step 3: min(ssthresh, max(FlightSize, SMSS) + SMSS) */
static void newreno_recovered__no_burst(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	dup_acks(w, &w->a, 3);
	ack_upto(w, &w->a, A0 + 10 * MSS);
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 2 * MSS);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_CWND)->cause, BY_RECOVERY_DONE);
}

static void newreno_recovered__to_ssthresh(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	dup_acks(w, &w->a, 10);
	/* inflated to 15: five new ones are out when the ACK comes */
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), 15 * MSS);
	ack_upto(w, &w->a, A0 + 10 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 5 * MSS);
}

/* Reno, in a recovery of ten segments: five duplicate ACKs have come. */
static struct world *losing_reno(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	conn_set_cc(&w->a, &cc_reno, w->now);
	dup_acks(w, &w->a, 5);
	KUNIT_ASSERT_EQ(test, w->a.cc.cwnd, 10 * MSS);
	lose_all(w, &w->a);
	return w;
}

/* RFC 5681 section 3.2, step 6: "set cwnd to ssthresh", whatever else is lost */
static void reno_recovered__first_new_ack(struct kunit *test)
{
	struct world *w = losing_reno(test);

	ack_upto(w, &w->a, A0 + MSS);
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 5 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 5 * MSS);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_CWND, BY_DEFLATION), 1);
	expect_silence(test, w, &w->a);
}

/* The next loss of the same window halves it again. */
static void reno_loss__once_more(struct kunit *test)
{
	struct world *w = losing_reno(test);
	struct seg s;

	ack_upto(w, &w->a, A0 + 2 * MSS);
	dup_acks(w, &w->a, 2);
	expect_silence(test, w, &w->a);
	dup_acks(w, &w->a, 1);
	KUNIT_EXPECT_TRUE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 4 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 7 * MSS);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.seq, A0 + 2 * MSS);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_RECOVERY), 2);
}

/* Where no more than two duplicates can come, the timer has to find it. */
static void reno_loss__left_to_the_timer(struct kunit *test)
{
	struct world *w = losing_reno(test);

	ack_upto(w, &w->a, A0 + 7 * MSS);
	dup_acks(w, &w->a, 2);
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	elapse(w, rtt_rto(&w->a.rtt));
	KUNIT_EXPECT_EQ(test, count_events(w, EV_TIMER_FIRED, BY_T_RTX), 1);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, MSS);
}

/* RFC 6582 section 4.1: nor is it Reno's loss if what went twice is answered. */
static void reno_loss__not_after_timeout(struct kunit *test)
{
	struct world *w = losing_reno(test);

	elapse(w, rtt_rto(&w->a.rtt));
	lose_all(w, &w->a);
	ack_upto(w, &w->a, A0 + MSS);
	lose_all(w, &w->a);
	dup_acks(w, &w->a, 5);
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 2 * MSS);
	/* that is over with what was sent before it */
	ack_all(w, &w->a);
	lose_all(w, &w->a);
	ack_upto(w, &w->a, w->a.snd_una + MSS);
	lose_all(w, &w->a);
	dup_acks(w, &w->a, 3);
	KUNIT_EXPECT_TRUE(test, w->a.recovering);
}

/* NewReno's recovery becomes Reno's, and ends as that does. */
static void reno_recovered__of_newreno(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	dup_acks(w, &w->a, 5);
	conn_set_cc(&w->a, &cc_reno, w->now);
	KUNIT_ASSERT_TRUE(test, w->a.recovering);
	ack_upto(w, &w->a, A0 + MSS);
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 5 * MSS);
	/* what partial ACKs have deflated stays below ssthresh */
	w = sending(test, 10 * MSS);
	dup_acks(w, &w->a, 5);
	ack_upto(w, &w->a, A0 + 9 * MSS);
	KUNIT_ASSERT_EQ(test, w->a.cc.cwnd, 2 * MSS);
	conn_set_cc(&w->a, &cc_reno, w->now);
	ack_upto(w, &w->a, A0 + 10 * MSS);
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 2 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 5 * MSS);
}

/* RFC 5681 section 3.1: the loss window is one segment */
static void reno_rto__one_segment(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	elapse(w, 10 * SECOND);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 5 * MSS);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_CWND)->cause, BY_RTO_EXPIRED);
}

/* the same: ssthresh is held when a retransmission times out again */
static void reno_rto__again(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	for (int i = 0; i < 4; i++) {
		elapse(w, 30 * SECOND);
		lose_all(w, &w->a);
		KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 5 * MSS);
		KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, MSS);
	}
	KUNIT_EXPECT_EQ(test, w->a.retries, 4);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_SSTHRESH, 0), 1);
}

/* and halved again when another segment does */
static void reno_rto__next_loss(struct kunit *test)
{
	struct world *w = sending(test, 20 * MSS);

	elapse(w, 10 * SECOND);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 10 * MSS);
	ack_upto(w, &w->a, A0 + 20 * MSS);
	w->a.cc.cwnd = 6 * MSS;
	lose_all(w, &w->a);
	elapse(w, 10 * SECOND);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 3 * MSS);
}

/* Section 4.3: the loss of a retransmission is a second sign of congestion. */
static void reno_rto__in_recovery(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	dup_acks(w, &w->a, 9);
	lose_all(w, &w->a);
	KUNIT_ASSERT_EQ(test, w->a.cc.ssthresh, 5 * MSS);
	KUNIT_ASSERT_TRUE(test, conn_flight(&w->a) > 10 * MSS);
	elapse(w, rtt_rto(&w->a.rtt));
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 5 * MSS / 2);
}

/* After a partial ACK the timer may just not have waited: no second sign. */
static void reno_rto__after_partial_ack(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	dup_acks(w, &w->a, 9);
	lose_all(w, &w->a);
	ack_upto(w, &w->a, A0 + MSS);
	lose_all(w, &w->a);
	KUNIT_ASSERT_TRUE(test, w->a.recovering);
	elapse(w, rtt_rto(&w->a.rtt));
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 5 * MSS);
}

/* RFC 5681 section 4.1: RW = min(IW, cwnd), after more than an RTO */
static void reno_idle__restart_window(struct kunit *test)
{
	struct world *w = sending(test, 30 * MSS);

	w->a.write_seq = w->a.snd_nxt;
	ack_all(w, &w->a);
	w->a.cc.cwnd = 30 * MSS;
	elapse(w, rtt_rto(&w->a.rtt));
	write_and_send(w, &w->a, 1);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 30 * MSS);
	ack_all(w, &w->a);
	elapse(w, rtt_rto(&w->a.rtt) + 1);
	write_and_send(w, &w->a, 1);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 10 * MSS);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_CWND)->cause, BY_IDLE_RESTART);
}

static void reno_idle__smaller_stays(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, MSS);
	ack_all(w, &w->a);
	w->a.cc.cwnd = 4 * MSS;
	elapse(w, 60 * SECOND);
	write_and_send(w, &w->a, 1);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 4 * MSS);
}

static struct kunit_case reno_cases[] = {
	KUNIT_CASE(reno_init__initial_window),
	KUNIT_CASE(reno_init__after_lost_syn),
	KUNIT_CASE(slow_start__doubles),
	KUNIT_CASE(slow_start__stretch_ack),
	KUNIT_CASE(slow_start__stops_at_ssthresh),
	KUNIT_CASE(slow_start__after_timeout),
	KUNIT_CASE(congestion_avoidance__one_mss_a_round),
	KUNIT_CASE(congestion_avoidance__not_before_all_is_acked),
	KUNIT_CASE(congestion_avoidance__keeps_the_rest),
	KUNIT_CASE(congestion_avoidance__after_loss),
	KUNIT_CASE(congestion_avoidance__after_timeout),
	KUNIT_CASE(slow_start__window_filled_once),
	KUNIT_CASE(slow_start__habitat_asks_once),
	KUNIT_CASE(congestion_avoidance__window_filled_once),
	KUNIT_CASE_PARAM(reno_ack__user_limited, usage_row_gen_params),
	KUNIT_CASE(reno_ack__window_limited),
	KUNIT_CASE(reno_ack__limited_transmit),
	KUNIT_CASE(cc_measure_pipe__two_round_trips),
	KUNIT_CASE(cc_measure_pipe__largest_of_a_round_trip),
	KUNIT_CASE(cc_measure_pipe__forgotten_with_cwnd),
	KUNIT_CASE(reno_loss__third_dupack),
	KUNIT_CASE(reno_loss__floor),
	KUNIT_CASE(reno_loss__limited_transmit_not_counted),
	KUNIT_CASE(reno_loss__limited_transmit_forgotten),
	KUNIT_CASE(reno_loss__not_validated),
	KUNIT_CASE(newreno_recovered__less_what_was_lost),
	KUNIT_CASE(newreno_recovered__validated),
	KUNIT_CASE(newreno_recovered__all_was_lost),
	KUNIT_CASE(newreno_recovered__less_than_a_segment),
	KUNIT_CASE(reno_recovered__not_validated),
	KUNIT_CASE(cc_measure_pipe__undefined_at_first),
	KUNIT_CASE(reno_dupack__inflates),
	KUNIT_CASE(newreno_partial__deflates),
	KUNIT_CASE(newreno_partial__exactly_a_segment),
	KUNIT_CASE(newreno_partial__never_below_a_segment),
	KUNIT_CASE(newreno_recovered__no_burst),
	KUNIT_CASE(newreno_recovered__to_ssthresh),
	KUNIT_CASE(reno_recovered__first_new_ack),
	KUNIT_CASE(reno_loss__once_more),
	KUNIT_CASE(reno_loss__left_to_the_timer),
	KUNIT_CASE(reno_loss__not_after_timeout),
	KUNIT_CASE(reno_recovered__of_newreno),
	KUNIT_CASE(reno_rto__one_segment),
	KUNIT_CASE(reno_rto__again),
	KUNIT_CASE(reno_rto__in_recovery),
	KUNIT_CASE(reno_rto__after_partial_ack),
	KUNIT_CASE(reno_rto__next_loss),
	KUNIT_CASE(reno_idle__restart_window),
	KUNIT_CASE(reno_idle__smaller_stays),
	{}
};

static struct kunit_suite chalk_cc_reno = {
	.name = "chalk_cc_reno",
	.test_cases = reno_cases,
};

kunit_test_suite(chalk_cc_reno);
