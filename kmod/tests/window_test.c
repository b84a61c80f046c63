// SPDX-License-Identifier: GPL-2.0
/*
 * window_test.c - the two windows, and silly windows (RFC 9293 section 3.8.6)
 */
#include <kunit/test.h>

#include "../core/window.h"
#include "helper.h"

/* --- the scale to offer: RFC 7323 section 2.3 --- */

static const struct shift_param {
	const char *name;
	u32 buf;
	u8 shift;
} shifts[] = {
	{ "nothing", 0, 0 },
	{ "largest unscaled", 65535, 0 },
	{ "one more", 65536, 1 },
	{ "largest of 1", 131071, 1 },
	{ "smallest of 2", 131072, 2 },
	{ "6 MiB", 6 << 20, 7 },
	{ "1 GiB - 1", (1 << 30) - 1, 14 },
	{ "more than can be said", U32_MAX, 14 },
};

NAMED_PARAMS(shift_param, shifts);

static void window_shift__table(struct kunit *test)
{
	const struct shift_param *p = test->param_value;

	KUNIT_EXPECT_EQ(test, window_shift(p->buf), p->shift);
}

/* --- the receive window --- */

/* As if @len bytes had arrived in order. */
static void arrived(struct conn *c, u32 len)
{
	c->rcv_nxt += len;
}

/*
 * before:	rcv_nxt			edge
 *		|-----------------------|
 * after:		rcv_nxt		edge
 *			|---------------|
 */
static void window_advertise__edge_stands(struct kunit *test)
{
	struct world *w = connected(test);
	struct conn *c = &w->a;
	u32 edge = window_edge(c);

	KUNIT_EXPECT_EQ(test, edge, B0 + RCV_BUF);
	arrived(c, 3000);
	KUNIT_EXPECT_EQ(test, window_left(c), RCV_BUF - 3000);
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), RCV_BUF - 3000);
	KUNIT_EXPECT_EQ(test, window_edge(c), edge);
	KUNIT_EXPECT_EQ(test, c->last_ack_sent, c->rcv_nxt);
}

/* Section 3.8.6.2.2: the edge moves by min(buffer / 2, segment), or not. */
static void window_advertise__sws(struct kunit *test)
{
	struct world *w = connected(test);
	struct conn *c = &w->a;

	c->rmss = MSS;
	arrived(c, RCV_BUF);
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), 0);
	c->rcv_read += MSS - 1;
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), 0);
	c->rcv_read += 1;
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), MSS);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_RCV_WND)->new, MSS);
}

static void window_advertise__sws_small_buffer(struct kunit *test)
{
	struct world *w = connected(test);
	struct conn *c = &w->a;

	c->rmss = MSS;
	arrived(c, RCV_BUF);
	window_advertise(c, w->now);
	c->rcv_buf = 800;
	c->rcv_read = c->rcv_nxt - 401;
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), 0);
	c->rcv_read++;
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), 400);
}

/* Section 3.8.6: "the receiver SHOULD NOT shrink the window" (SHLD-14) */
static void window_advertise__never_shrinks(struct kunit *test)
{
	struct world *w = connected(test);
	struct conn *c = &w->a;
	u32 edge = window_edge(c);

	conn_set_rcv_buf(c, 1000, w->now);
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), RCV_BUF);
	arrived(c, 5000);
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), RCV_BUF - 5000);
	KUNIT_EXPECT_EQ(test, window_edge(c), edge);
}

/* RFC 7323 section 2.3: the field is shifted */
static void window_advertise__scaled(struct kunit *test)
{
	struct world *w = connected(test);
	struct conn *c = &w->a;

	c->rcv_wscale = 7;
	conn_set_rcv_buf(c, 1000000, w->now);
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), 1000000 / 128 + 1);
	KUNIT_EXPECT_EQ(test, c->rcv_wnd, 1000064);
	/* no more than the field can say */
	conn_set_rcv_buf(c, 100000000, w->now);
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), U16_MAX);
	KUNIT_EXPECT_EQ(test, c->rcv_wnd, U16_MAX << 7);
}

/* What the buffer has room for is not scaled away, however little it is. */
static void window_advertise__less_than_a_unit(struct kunit *test)
{
	struct world *w = connected(test);
	struct conn *c = &w->a;

	c->rcv_wscale = 14;
	conn_set_rcv_buf(c, 4096, w->now);
	arrived(c, RCV_BUF);
	c->rcv_read = c->rcv_nxt;
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), 1);
	KUNIT_EXPECT_EQ(test, window_left(c), 1 << 14);
	arrived(c, 1 << 14);
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), 0);
	KUNIT_EXPECT_EQ(test, window_left(c), 0);
}

/*
 * An edge that stands moves where a part of a unit is all that is left:
 *
 *	rcv_nxt		edge
 *	|---------------|-------|	a unit
 */
static void window_advertise__last_unit(struct kunit *test)
{
	struct world *w = connected(test);
	struct conn *c = &w->a;

	c->rcv_wscale = 7;
	arrived(c, RCV_BUF - 200);
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), 1);
	KUNIT_EXPECT_EQ(test, window_left(c), 200);
	arrived(c, 128);
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), 1);
	KUNIT_EXPECT_EQ(test, window_left(c), 128);
	/* by less than two units beyond the buffer, however the peer cuts */
	arrived(c, 100);
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), 1);
	KUNIT_EXPECT_EQ(test, window_edge(c), B0 + RCV_BUF + 156);
	arrived(c, 100);
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), 0);
	KUNIT_EXPECT_EQ(test, window_edge(c), B0 + RCV_BUF + 156);
}

/* Nor does what another size of the buffer leaves behind. */
static void window_advertise__unit_of_smaller_buffer(struct kunit *test)
{
	struct world *w = connected(test);
	struct conn *c = &w->a;

	c->rcv_wscale = 7;
	arrived(c, RCV_BUF - 100);
	conn_set_rcv_buf(c, RCV_BUF / 2, w->now);
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), 0);
	KUNIT_EXPECT_EQ(test, window_left(c), 100);
}

/* A window that looks shut is: no probe finds room in what the scale hides. */
static void window_advertise__probe_finds_no_room(struct kunit *test)
{
	struct world *w = connected(test);
	struct conn *c = &w->a;
	struct seg s;

	c->rcv_wscale = 7;
	arrived(c, RCV_BUF - 1);
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), 1);
	s = text_from_peer(c, 128);
	deliver(w, c, &s);
	KUNIT_EXPECT_EQ(test, w->v.keep, 128);
	s = next_seg(test, w, c);
	KUNIT_EXPECT_EQ(test, s.wnd, 0);
	s = text_from_peer(c, 1);
	deliver(w, c, &s);
	KUNIT_EXPECT_EQ(test, w->v.keep, 0);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_ZERO_WINDOW);
}

/*
 * RFC 9293 section 3.8.6.1, SHLD-30: the interval of the probes doubles, since none
 * is taken; whatever the sender's segments leave in front of the edge.
 */
static void window_advertise__probe_intervals_double(struct kunit *test)
{
	struct world *w = world_new(test);
	u64 before, wait = 0;
	u32 full;

	w->env.tun.window_scaling = true;
	establish(test, w);
	KUNIT_ASSERT_EQ(test, w->b.rcv_wscale, 3);
	conn_write(&w->a, 13, false);
	carry(w);
	conn_write(&w->a, 2 * RCV_BUF, false);
	carry(w);
	while (!w->a.persisting || w->a.snd_wnd) {
		elapse(w, conn_deadline(&w->a) - w->now);
		carry(w);
	}
	full = w->b.rcv_nxt;
	KUNIT_EXPECT_GE(test, full, A0 + RCV_BUF);
	KUNIT_EXPECT_LT(test, full, A0 + RCV_BUF + 16);
	for (int i = 0; i < 8; i++) {
		before = w->now;
		elapse(w, conn_deadline(&w->a) - w->now);
		if (i > 1)
			KUNIT_EXPECT_EQ(test, w->now - before, 2 * wait);
		wait = w->now - before;
		carry(w);
	}
	KUNIT_EXPECT_EQ(test, w->b.rcv_nxt, full);
}

/*
 * Memory is short: how much is offered of a buffer with so much unread, to a peer
 * that was offered nothing so far.
 */
static const struct memory_param {
	const char *name;
	u8 memory;
	u32 unread, offered;
} memories[] = {
	{ "plenty", MEMORY_PLENTY, RCV_BUF - MSS * 9, MSS * 9 },
	{ "short, half is read", MEMORY_SHORT, RCV_BUF / 2, RCV_BUF / 2 },
	{ "short, less is", MEMORY_SHORT, RCV_BUF / 2 + 1, 4 * MSS },
	{ "short, full but for a segment", MEMORY_SHORT, RCV_BUF - MSS, MSS },
	{ "none, all is read", MEMORY_OUT, 0, 2 * MSS },
	{ "none, a segment is unread", MEMORY_OUT, MSS, MSS },
	{ "none, two are", MEMORY_OUT, 2 * MSS, 0 },
	{ "none, full", MEMORY_OUT, RCV_BUF, 0 },
};

NAMED_PARAMS(memory_param, memories);

static void conn_set_memory__table(struct kunit *test)
{
	const struct memory_param *p = test->param_value;
	struct world *w = connected(test);
	struct conn *c = &w->a;

	c->rmss = MSS;
	c->rcv_nxt += 100000;
	c->rcv_read = c->rcv_nxt - p->unread;
	c->last_ack_sent = c->rcv_nxt;
	c->rcv_wnd = 0;
	conn_set_memory(c, p->memory);
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), p->offered);
}

/* RFC 9293 section 3.8.6, SHLD-14: what was offered before stays. */
static void conn_set_memory__takes_nothing_back(struct kunit *test)
{
	struct world *w = connected(test);
	struct conn *c = &w->a;
	u32 edge = window_edge(c);

	c->rmss = MSS;
	conn_set_memory(c, MEMORY_OUT);
	arrived(c, MSS);
	c->rcv_read += MSS;
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), RCV_BUF - MSS);
	KUNIT_EXPECT_EQ(test, window_edge(c), edge);
	/* from then on it is two segments in front of the reader */
	arrived(c, RCV_BUF - MSS);
	c->rcv_read = c->rcv_nxt;
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), 2 * MSS);
	conn_set_memory(c, MEMORY_PLENTY);
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now), RCV_BUF);
}

/*
 * RFC 9293 section 3.8.6.2.2: half of what there is memory for is worth offering, where
 * the peer's segments are larger: nothing else would ever open.
 */
static void worth_offering__out_of_memory(struct kunit *test)
{
	struct world *w = connected(test);
	struct conn *c = &w->a;

	c->rmss = MSS;
	conn_set_mss(c, 300, w->now);
	conn_set_memory(c, MEMORY_OUT);
	arrived(c, RCV_BUF);
	c->rcv_read = c->rcv_nxt;
	KUNIT_EXPECT_EQ(test, window_advertise(c, w->now),
			OUT_OF_MEMORY_SEGMENTS * 300);
}

/* What is @left of the window, what @unread: does a reader's step count? */
static const struct due_param {
	const char *name;
	u32 left, unread;
	bool due;
} dues[] = {
	{ "nothing to tell", RCV_BUF, 0, false },
	{ "all read, half was open", RCV_BUF / 2, 0, true },
	{ "all read, more than half was open", RCV_BUF / 2 + 1, 0, false },
	{ "shut, a byte less than a segment", 0, RCV_BUF - MSS + 1, false },
	{ "shut, a segment", 0, RCV_BUF - MSS, true },
	{ "shut, full", 0, RCV_BUF, false },
	{ "doubles, but by less than a segment", 900, RCV_BUF - 1800, false },
	{ "doubles by a segment", MSS, RCV_BUF - 2 * MSS, true },
};

NAMED_PARAMS(due_param, dues);

static void window_update_due__table(struct kunit *test)
{
	const struct due_param *p = test->param_value;
	struct world *w = connected(test);
	struct conn *c = &w->a;

	c->rmss = MSS;
	c->rcv_nxt += 100000;
	c->rcv_read = c->rcv_nxt - p->unread;
	c->last_ack_sent = c->rcv_nxt;
	c->rcv_wnd = p->left;
	KUNIT_EXPECT_EQ(test, window_update_due(c), p->due);
}

/* --- the send window: section 3.10.7.4, fifth step --- */

/*
 * SND.UNA = 300, SND.WL1 = 100, SND.WL2 = 200: "if SND.WL1 < SEG.SEQ or (SND.WL1 =
 * SEG.SEQ and SND.WL2 =< SEG.ACK)"
 */
static const struct update_param {
	const char *name;
	u32 seq, ack;
	bool taken;
} updates[] = {
	{ "newer", 101, 201, true },
	{ "newer text, older ACK", 101, 199, true },
	{ "same text, newer ACK", 100, 201, true },
	{ "same text, same ACK", 100, 200, true },
	{ "same text, older ACK", 100, 199, false },
	{ "older text", 99, 300, false },
	{ "older text, but an ACK of something new", 99, 301, true },
};

NAMED_PARAMS(update_param, updates);

static void window_update__newest_counts(struct kunit *test)
{
	const struct update_param *p = test->param_value;
	struct seg s = { .seq = p->seq, .ack = p->ack, .wnd = 7777 };
	struct world *w = connected(test);
	struct conn *c = &w->a;

	c->snd_una = 300;
	c->snd_wl1 = 100;
	c->snd_wl2 = 200;
	KUNIT_EXPECT_EQ(test, window_update(c, &s, w->now), p->taken);
	KUNIT_EXPECT_EQ(test, c->snd_wnd, p->taken ? 7777 : RCV_BUF);
	KUNIT_EXPECT_EQ(test, c->snd_wl1, p->taken ? p->seq : 100);
	KUNIT_EXPECT_EQ(test, c->snd_wl2, p->taken ? p->ack : 200);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_SND_WND, 0), p->taken);
}

static void window_update__same_size(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = from_peer(&w->a);

	s.ack++;
	KUNIT_EXPECT_FALSE(test, window_update(&w->a, &s, w->now));
	KUNIT_EXPECT_EQ(test, w->a.snd_wl2, s.ack);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_SND_WND, 0), 0);
}

static void window_update__scaled(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = from_peer(&w->a);

	w->a.snd_wscale = 14;
	s.wnd = U16_MAX;
	KUNIT_EXPECT_TRUE(test, window_update(&w->a, &s, w->now));
	KUNIT_EXPECT_EQ(test, w->a.snd_wnd, 65535 * 16384);
	/* RFC 7323 section 2.2: that of a SYN is not */
	s.flags |= FLAG_SYN;
	KUNIT_EXPECT_EQ(test, window_of(&w->a, &s), 65535);
}

static void window_update__remembers_largest(struct kunit *test)
{
	struct world *w = connected(test);

	offer_window(w, &w->a, 30000);
	offer_window(w, &w->a, 100);
	KUNIT_EXPECT_EQ(test, w->a.snd_wnd, 100);
	KUNIT_EXPECT_EQ(test, w->a.max_wnd, 30000);
}

static void window_room__table(struct kunit *test)
{
	struct world *w = connected(test);
	struct conn *c = &w->a;

	KUNIT_EXPECT_EQ(test, window_room(c), RCV_BUF);
	c->snd_nxt += RCV_BUF - 1;
	KUNIT_EXPECT_EQ(test, window_room(c), 1);
	c->snd_nxt += 1;
	KUNIT_EXPECT_EQ(test, window_room(c), 0);
	/* the peer took back what it had offered */
	c->snd_nxt += 1;
	KUNIT_EXPECT_EQ(test, window_room(c), 0);
}

static struct kunit_case window_cases[] = {
	KUNIT_CASE_PARAM(window_shift__table, shifts_row_gen_params),
	KUNIT_CASE(window_advertise__edge_stands),
	KUNIT_CASE(window_advertise__sws),
	KUNIT_CASE(window_advertise__sws_small_buffer),
	KUNIT_CASE(window_advertise__never_shrinks),
	KUNIT_CASE(window_advertise__scaled),
	KUNIT_CASE(window_advertise__less_than_a_unit),
	KUNIT_CASE(window_advertise__last_unit),
	KUNIT_CASE(window_advertise__unit_of_smaller_buffer),
	KUNIT_CASE(window_advertise__probe_finds_no_room),
	KUNIT_CASE(window_advertise__probe_intervals_double),
	KUNIT_CASE_PARAM(conn_set_memory__table, memories_row_gen_params),
	KUNIT_CASE(conn_set_memory__takes_nothing_back),
	KUNIT_CASE(worth_offering__out_of_memory),
	KUNIT_CASE_PARAM(window_update_due__table, dues_row_gen_params),
	KUNIT_CASE_PARAM(window_update__newest_counts, updates_row_gen_params),
	KUNIT_CASE(window_update__same_size),
	KUNIT_CASE(window_update__scaled),
	KUNIT_CASE(window_update__remembers_largest),
	KUNIT_CASE(window_room__table),
	{}
};

static struct kunit_suite chalk_window = {
	.name = "chalk_window",
	.test_cases = window_cases,
};

kunit_test_suite(chalk_window);
