// SPDX-License-Identifier: GPL-2.0
/*
 * urgent_test.c - urgent data: the mark in front of the reader, and the pointer
 * that goes out
 */
#include "../core/urgent.h"
#include "helper.h"

/* Text of @len bytes whose urgent byte is its @n-th. */
static void rx_urgent(struct world *w, u32 len, u16 n)
{
	struct seg s = text_from_peer(&w->a, len);

	s.flags |= FLAG_URG;
	s.up = n;
	deliver(w, &w->a, &s);
}

/* --- receiving --- */

static void urgent_rx__wakes_once(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = from_peer(&w->a);

	/* announced, and no byte of it is here */
	s.flags |= FLAG_URG;
	s.up = 150;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.wake, WAKE_URGENT);
	KUNIT_EXPECT_EQ(test, w->a.urgent, URG_AWAITED);
	KUNIT_EXPECT_FALSE(test, w->v.urgent);
	/* the same pointer in other words is no news */
	rx_urgent(w, 100, 150);
	KUNIT_EXPECT_EQ(test, w->v.wake, WAKE_READ);
	KUNIT_EXPECT_FALSE(test, conn_has_urgent(&w->a));
	/* the byte comes, in a segment that does not speak of it */
	s = text_from_peer(&w->a, 100);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_TRUE(test, w->v.urgent);
	KUNIT_EXPECT_EQ(test, w->v.urgent_at, 49);
	KUNIT_EXPECT_TRUE(test, conn_has_urgent(&w->a));
	/* it is in the stream like any other */
	KUNIT_EXPECT_EQ(test, w->v.keep, 100);
	/* a pointer further on is news */
	rx_urgent(w, 10, 10);
	KUNIT_EXPECT_TRUE(test, w->v.wake & WAKE_URGENT);
	KUNIT_EXPECT_EQ(test, w->v.urgent_at, 9);
}

static void urgent_rx__without_bit(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 100);

	s.up = 50;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_FALSE(test, w->v.wake & WAKE_URGENT);
	KUNIT_EXPECT_EQ(test, w->a.urgent, URG_NONE);
}

static void urgent_rx__pointer_of_zero(struct kunit *test)
{
	struct world *w = connected(test);

	rx_urgent(w, 10, 0);
	KUNIT_EXPECT_TRUE(test, w->v.urgent);
	KUNIT_EXPECT_EQ(test, w->v.urgent_at, 0);
}

/* What has arrived before was ordinary. */
static void urgent_rx__too_late(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 100);

	deliver(w, &w->a, &s);
	s.flags |= FLAG_URG;
	s.up = 100;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_FALSE(test, w->v.wake & WAKE_URGENT);
	KUNIT_EXPECT_EQ(test, w->a.urgent, URG_NONE);
}

/* The same where new text comes along, right behind the mark. */
static void urgent_rx__mark_before_rcv_nxt(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 100);

	deliver(w, &w->a, &s);
	s.seq += 50;
	s.flags |= FLAG_URG;
	s.up = 50;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.keep, 50);
	KUNIT_EXPECT_FALSE(test, w->v.wake & WAKE_URGENT);
	KUNIT_EXPECT_EQ(test, w->a.urgent, URG_NONE);
}

/* RFC 9293 section 3.1: the pointer counts from the segment's number, the SYN's. */
static void urgent_rx__with_the_synack(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s = synack_of_b();

	open_a(w);
	lose_all(w, &w->a);
	s.flags |= FLAG_URG;
	s.len = 5;
	s.up = 6; /* behind the SYN and five bytes */
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.rcv_up, B0 + 5);
	KUNIT_EXPECT_TRUE(test, w->v.urgent);
	KUNIT_EXPECT_EQ(test, w->v.urgent_at, 4);
}

/* Behind the SYN there is nothing urgent. */
static void urgent_rx__pointer_at_the_syn(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s = synack_of_b();

	open_a(w);
	lose_all(w, &w->a);
	s.flags |= FLAG_URG;
	s.len = 5;
	s.up = 1;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_FALSE(test, w->v.wake & WAKE_URGENT);
	KUNIT_EXPECT_EQ(test, w->a.urgent, URG_NONE);
}

/* The byte is read before the hole in front of it is filled. */
static void urgent_rx__early(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 100);

	s.seq += 500;
	s.flags |= FLAG_URG;
	s.up = 100;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_TRUE(test, w->v.urgent);
	KUNIT_EXPECT_EQ(test, w->v.urgent_at, 99);
	/* a reader who waits for it need not wait for the hole */
	KUNIT_EXPECT_EQ(test, w->v.wake, WAKE_URGENT | WAKE_READ);
	KUNIT_EXPECT_EQ(test, conn_urgent(&w->a, false, false), URGENT_BYTE);
}

/* "This should not occur since a FIN has been received": ignored */
static void urgent_rx__after_fin(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = from_peer(&w->a);

	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	s = from_peer(&w->a);
	s.flags |= FLAG_URG;
	s.up = 9;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_FALSE(test, w->v.wake & WAKE_URGENT);
}

/*
 *	read so far  v
 *	[ 0 ... 48   49   50 ... 99 ]  urgent: 49
 *	             new mark: 149
 *
 * The reader will not see 49 as text, unless it takes urgent data inline.
 */
static void urgent_rx__new_mark_before_old_is_passed(struct kunit *test)
{
	for (int is_inline = 0; is_inline < 2; is_inline++) {
		struct world *w = connected(test);
		struct seg s;

		rx_urgent(w, 100, 50);
		conn_read(&w->a, 49, w->now);
		s = text_from_peer(&w->a, 50);
		s.flags |= FLAG_URG;
		s.up = 50;
		s.urg_inline = is_inline;
		deliver(w, &w->a, &s);
		KUNIT_EXPECT_EQ(test, w->a.rcv_read,
				B0 + (is_inline ? 49 : 50));
		KUNIT_EXPECT_EQ(test, w->a.rcv_up, B0 + 150);
	}
}

/* An announced byte that is not here is not stepped over. */
static void leave_old_mark__nothing_to_read(struct kunit *test)
{
	struct world *w = connected(test);

	rx_urgent(w, 0, 1);
	KUNIT_EXPECT_TRUE(test, conn_at_mark(&w->a));
	rx_urgent(w, 0, 5);
	KUNIT_EXPECT_EQ(test, w->a.rcv_up, B0 + 5);
	KUNIT_EXPECT_EQ(test, w->a.rcv_read, B0);
	KUNIT_EXPECT_EQ(test, conn_readable(&w->a), 0);
}

/* --- the reader --- */

static void conn_read__passes_the_mark(struct kunit *test)
{
	struct world *w = connected(test);

	rx_urgent(w, 100, 50);
	KUNIT_EXPECT_FALSE(test, conn_at_mark(&w->a));
	conn_read(&w->a, 49, w->now);
	KUNIT_EXPECT_TRUE(test, conn_at_mark(&w->a));
	KUNIT_EXPECT_TRUE(test, conn_has_urgent(&w->a));
	conn_read(&w->a, 1, w->now);
	KUNIT_EXPECT_FALSE(test, conn_at_mark(&w->a));
	KUNIT_EXPECT_FALSE(test, conn_has_urgent(&w->a));
	KUNIT_EXPECT_EQ(test, conn_urgent(&w->a, false, false), URGENT_NONE);
}

/* 100 bytes, the urgent one is the 50th */
static const struct run_param {
	const char *name;
	u32 from;
	u32 n;
	bool is_inline;
	u32 run;
	bool hole;
} runs[] = {
	{ "all before it", 0, 49, false, 49, false },
	{ "stops at it", 0, 100, false, 49, false },
	{ "stops at it, inline", 0, 100, true, 49, false },
	{ "without it", 49, 51, false, 50, true },
	{ "nothing but it", 49, 1, false, 0, true },
	{ "with it, inline", 49, 51, true, 51, false },
	{ "behind it", 50, 50, false, 50, false },
};

NAMED_PARAMS(run_param, runs);

static void conn_read_run__table(struct kunit *test)
{
	const struct run_param *p = test->param_value;
	struct world *w = connected(test);
	bool hole;

	rx_urgent(w, 100, 50);
	KUNIT_EXPECT_EQ(test,
			conn_read_run(&w->a, B0 + p->from, p->n, p->is_inline,
				      &hole),
			p->run);
	KUNIT_EXPECT_EQ(test, hole, p->hole);
	KUNIT_EXPECT_EQ(test, conn_stops_at(&w->a, B0 + p->from),
			p->from == 49);
}

static void conn_read_run__no_mark(struct kunit *test)
{
	struct world *w = connected(test);
	bool hole;

	KUNIT_EXPECT_EQ(test, conn_read_run(&w->a, B0, 70, false, &hole), 70);
	KUNIT_EXPECT_FALSE(test, hole);
	KUNIT_EXPECT_FALSE(test, conn_stops_at(&w->a, B0));
}

static void conn_inq__up_to_the_mark(struct kunit *test)
{
	struct world *w = connected(test);

	rx_urgent(w, 100, 50);
	KUNIT_EXPECT_EQ(test, conn_inq(&w->a, false), 49);
	KUNIT_EXPECT_EQ(test, conn_inq(&w->a, true), 100);
	conn_read(&w->a, 49, w->now);
	KUNIT_EXPECT_EQ(test, conn_inq(&w->a, false), 0);
	conn_read(&w->a, 1, w->now);
	KUNIT_EXPECT_EQ(test, conn_inq(&w->a, false), 50);
}

static void conn_is_readable__the_mark_does_not_count(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	rx_urgent(w, 1, 1);
	KUNIT_EXPECT_FALSE(test, conn_is_readable(&w->a, 1, false));
	KUNIT_EXPECT_TRUE(test, conn_is_readable(&w->a, 1, true));
	s = text_from_peer(&w->a, 1);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_TRUE(test, conn_is_readable(&w->a, 1, false));
}

static void conn_urgent__once(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = from_peer(&w->a);

	KUNIT_EXPECT_EQ(test, conn_urgent(&w->a, false, false), URGENT_NONE);
	s.flags |= FLAG_URG;
	s.up = 5;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, conn_urgent(&w->a, false, false), URGENT_LATER);
	rx_urgent(w, 10, 5);
	KUNIT_EXPECT_EQ(test, conn_urgent(&w->a, true, false), URGENT_NONE);
	KUNIT_EXPECT_EQ(test, conn_urgent(&w->a, false, true), URGENT_BYTE);
	KUNIT_EXPECT_EQ(test, conn_urgent(&w->a, false, false), URGENT_BYTE);
	KUNIT_EXPECT_EQ(test, conn_urgent(&w->a, false, false), URGENT_NONE);
}

static void conn_urgent__after_the_end(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	rx_urgent(w, 10, 5);
	s = from_peer(&w->a);
	s.flags = FLAG_RST;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, conn_urgent(&w->a, false, false), URGENT_GONE);
}

/* What came before the peer's FIN is there, also when the connection is not. */
static void conn_urgent__after_fin_and_reset(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	rx_urgent(w, 10, 10);
	s = from_peer(&w->a);
	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	conn_abort(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
	KUNIT_EXPECT_EQ(test, conn_urgent(&w->a, false, false), URGENT_BYTE);
}

/* --- sending --- */

static void conn_urge__points_behind_the_last(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	conn_write(&w->a, 2 * MSS + 3, false);
	conn_urge(&w->a);
	for (u32 left = 2 * MSS + 3; left; left -= s.len) {
		/* never more than a packet: each has its own pointer */
		KUNIT_ASSERT_TRUE(test, conn_poll(&w->a, PLENTY, w->now, &s));
		KUNIT_EXPECT_LE(test, s.len, MSS);
		KUNIT_EXPECT_TRUE(test, s.flags & FLAG_URG);
		KUNIT_EXPECT_EQ(test, s.up, left);
		deliver(w, &w->b, &s);
	}
	KUNIT_EXPECT_EQ(test, conn_inq(&w->b, false), 2 * MSS + 2);
	/* what follows is not urgent, nor is anything once it is acknowledged */
	conn_write(&w->a, 10, false);
	w->a.opt.nodelay = true;
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_FALSE(test, s.flags & FLAG_URG);
	ack_all(w, &w->a);
	KUNIT_EXPECT_FALSE(test, urgent_sending(&w->a));
}

static void urgent_point__far_away(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	conn_write(&w->a, 100000, false);
	conn_urge(&w->a);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.up, U16_MAX);
}

static void urgent_point__sent_again(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	conn_write(&w->a, 10, false);
	conn_urge(&w->a);
	lose_all(w, &w->a);
	elapse(w, 2 * SECOND);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_TRUE(test, s.flags & FLAG_URG);
	KUNIT_EXPECT_EQ(test, s.up, 10);
}

/* Section 3.8.5: the peer learns of it though its window is shut. */
static void urgent_point__shut_window(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	offer_window(w, &w->a, 0);
	conn_write(&w->a, 10, false);
	conn_urge(&w->a);
	s = text_from_peer(&w->a, 5);
	deliver(w, &w->a, &s);
	offer_window(w, &w->a, 0);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.len, 0);
	KUNIT_EXPECT_TRUE(test, s.flags & FLAG_URG);
	KUNIT_EXPECT_EQ(test, s.up, 10);
}

static void urgent__no_nagle(struct kunit *test)
{
	struct world *w = connected(test);

	KUNIT_EXPECT_EQ(test, write_and_send(w, &w->a, 10), 1);
	KUNIT_EXPECT_EQ(test, write_and_send(w, &w->a, 10), 0);
	conn_urge(&w->a);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
}

static struct kunit_case urgent_cases[] = {
	KUNIT_CASE(urgent_rx__wakes_once),
	KUNIT_CASE(urgent_rx__without_bit),
	KUNIT_CASE(urgent_rx__pointer_of_zero),
	KUNIT_CASE(urgent_rx__too_late),
	KUNIT_CASE(urgent_rx__mark_before_rcv_nxt),
	KUNIT_CASE(urgent_rx__with_the_synack),
	KUNIT_CASE(urgent_rx__pointer_at_the_syn),
	KUNIT_CASE(urgent_rx__early),
	KUNIT_CASE(urgent_rx__after_fin),
	KUNIT_CASE(urgent_rx__new_mark_before_old_is_passed),
	KUNIT_CASE(leave_old_mark__nothing_to_read),
	KUNIT_CASE(conn_read__passes_the_mark),
	KUNIT_CASE_PARAM(conn_read_run__table, runs_row_gen_params),
	KUNIT_CASE(conn_read_run__no_mark),
	KUNIT_CASE(conn_inq__up_to_the_mark),
	KUNIT_CASE(conn_is_readable__the_mark_does_not_count),
	KUNIT_CASE(conn_urgent__once),
	KUNIT_CASE(conn_urgent__after_the_end),
	KUNIT_CASE(conn_urgent__after_fin_and_reset),
	KUNIT_CASE(conn_urge__points_behind_the_last),
	KUNIT_CASE(urgent_point__far_away),
	KUNIT_CASE(urgent_point__sent_again),
	KUNIT_CASE(urgent_point__shut_window),
	KUNIT_CASE(urgent__no_nagle),
	{}
};

static struct kunit_suite chalk_urgent = {
	.name = "chalk_urgent",
	.test_cases = urgent_cases,
};

kunit_test_suite(chalk_urgent);
