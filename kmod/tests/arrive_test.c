// SPDX-License-Identifier: GPL-2.0
/*
 * arrive_test.c - a segment arrives (RFC 9293 sections 3.10.7.3 and 3.10.7.4)
 */
#include <kunit/test.h>

#include "../core/window.h"
#include "helper.h"

/* The segment that goes out next is <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>. */
static void expect_ack(struct kunit *test, struct world *w, struct conn *c,
		       enum cause cause)
{
	struct seg s = next_seg(test, w, c);

	KUNIT_EXPECT_EQ(test, s.flags, FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.seq, c->snd_nxt);
	KUNIT_EXPECT_EQ(test, s.ack, c->rcv_nxt);
	KUNIT_EXPECT_EQ(test, s.len, 0);
	KUNIT_EXPECT_EQ(test, s.cause, cause);
	expect_silence(test, w, c);
}

static void expect_drop(struct kunit *test, const struct world *w,
			enum cause why)
{
	KUNIT_EXPECT_EQ(test, w->v.drop, why);
	KUNIT_EXPECT_EQ(test, w->v.keep, 0);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_DROP, why), 1);
}

/* A connection whose next ACK may wait: it has answered with data. */
static struct world *delaying(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 1);
	ack_all(w, &w->a);
	w->a.rmss = MSS;
	w->a.quickacks = 0;
	expect_silence(test, w, &w->a);
	forget_events(w);
	return w;
}

static struct world *with_timestamps(struct kunit *test)
{
	struct world *w = world_new(test);

	w->env.tun.timestamps = true;
	establish(test, w);
	return w;
}

/* Into a state by the shortest way. */
static struct world *in_state(struct kunit *test, enum conn_state state)
{
	struct world *w = connected(test);
	struct seg fin = from_peer(&w->a);

	fin.flags |= FLAG_FIN;
	if (state_in(state, STF(CLOSE_WAIT) | STF(LAST_ACK)))
		deliver(w, &w->a, &fin);
	if (state_in(state, STF(FIN_WAIT_1) | STF(FIN_WAIT_2) | STF(CLOSING) |
				    STF(TIME_WAIT) | STF(LAST_ACK)))
		conn_close(&w->a, w->now);
	lose_all(w, &w->a);
	if (state_in(state, STF(FIN_WAIT_2) | STF(TIME_WAIT)))
		ack_all(w, &w->a);
	if (state_in(state, STF(CLOSING) | STF(TIME_WAIT))) {
		fin.ack = w->a.snd_una;
		deliver(w, &w->a, &fin);
	}
	lose_all(w, &w->a);
	KUNIT_ASSERT_EQ(test, w->a.state, state);
	forget_events(w);
	return w;
}

static const struct state_param {
	const char *name;
	enum conn_state state;
	/* errno of a reset */
	int reset;
	/* where a FIN leads, our own not acknowledged */
	enum conn_state fin;
	bool receives;
} states[] = {
	{ "ESTABLISHED", ST_ESTABLISHED, ECONNRESET, ST_CLOSE_WAIT, true },
	{ "FIN_WAIT_1", ST_FIN_WAIT_1, ECONNRESET, ST_CLOSING, true },
	{ "FIN_WAIT_2", ST_FIN_WAIT_2, ECONNRESET, ST_TIME_WAIT, true },
	{ "CLOSE_WAIT", ST_CLOSE_WAIT, EPIPE, ST_CLOSE_WAIT, false },
	{ "CLOSING", ST_CLOSING, ECONNRESET, ST_CLOSING, false },
	{ "LAST_ACK", ST_LAST_ACK, ECONNRESET, ST_LAST_ACK, false },
	{ "TIME_WAIT", ST_TIME_WAIT, ECONNRESET, ST_TIME_WAIT, false },
};

NAMED_PARAMS(state_param, states);

/* --- RFC 7323: timestamps --- */

static void check_timestamp__paws(struct kunit *test)
{
	struct world *w = with_timestamps(test);
	struct seg s = text_from_peer(&w->a, 10);

	s.tsval--;
	deliver(w, &w->a, &s);
	expect_drop(test, w, DROP_PAWS);
	expect_ack(test, w, &w->a, BY_ACK_UNACCEPTABLE);
	s.tsval++;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.keep, 10);
}

/* RFC 5961 section 7: bare ACKs that are old are answered a few times only */
static void check_timestamp__paws_limited(struct kunit *test)
{
	struct world *w = with_timestamps(test);
	struct seg s = from_peer(&w->a);
	unsigned int n = 0;

	s.tsval--;
	for (int i = 0; i < 100; i++) {
		deliver(w, &w->a, &s);
		n += lose_all(w, &w->a);
	}
	KUNIT_EXPECT_EQ(test, n, CHALLENGE_ACKS);
	/* text that is old each time: it was sent again */
	s.len = 10;
	for (int i = 0; i < 100; i++) {
		deliver(w, &w->a, &s);
		KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
	}
}

/* The clock of the peer wraps every 49 days. */
static void check_timestamp__wraps(struct kunit *test)
{
	struct world *w = with_timestamps(test);
	struct seg s = from_peer(&w->a);

	w->a.ts_recent = 0xfffffff0;
	s.tsval = 5;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_NONE);
	KUNIT_EXPECT_EQ(test, w->a.ts_recent, 5);
	s.tsval = 0xfffffff0;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_PAWS);
}

/* A SYN+ACK with TSval 0 tells no time; a later 0, where the clock wraps, does. */
static void check_timestamp__after_0(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s = synack_of_b();

	w->env.tun.timestamps = true;
	open_a(w);
	lose_all(w, &w->a);
	s.has_ts = true;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).tsecr, 0);
	s = text_from_peer(&w->a, 10);
	s.tsval = 0xa0000000;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.keep, 10);
	KUNIT_EXPECT_EQ(test, w->a.ts_recent, s.tsval);
	s = text_from_peer(&w->a, 10);
	s.tsval = 0x9fffffff;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_PAWS);
	w->a.ts_recent = 0;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_PAWS);
}

/* Section 5.5: after 24 days TS.Recent says nothing */
static void check_timestamp__old_clock(struct kunit *test)
{
	struct world *w = with_timestamps(test);
	struct seg s = from_peer(&w->a);

	s.tsval--;
	w->now += PAWS_IDLE - 1;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_PAWS);
	w->now += 1;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_NONE);
	KUNIT_EXPECT_EQ(test, w->a.ts_recent, s.tsval);
}

/* and the 24 days begin with the last timestamp that was kept */
static void keep_timestamp__renews_the_clock(struct kunit *test)
{
	struct world *w = with_timestamps(test);
	struct seg s = from_peer(&w->a);

	w->now += 10 * SECOND;
	s.tsval++;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.ts_recent, s.tsval);
	w->now += PAWS_IDLE - 1;
	s.tsval--;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_PAWS);
}

/* Section 3.2: a segment without the option is dropped, silently */
static void check_timestamp__missing(struct kunit *test)
{
	struct world *w = with_timestamps(test);
	struct seg s = text_from_peer(&w->a, 10);

	s.has_ts = false;
	deliver(w, &w->a, &s);
	expect_drop(test, w, DROP_NO_TIMESTAMP);
	expect_silence(test, w, &w->a);
}

/* Section 5.2: but a RST needs none, and none that is new */
static void check_timestamp__rst(struct kunit *test)
{
	struct world *w = with_timestamps(test);
	struct seg s = from_peer(&w->a);

	s.flags = FLAG_RST;
	s.tsval -= 1000;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
}

/* Section 3.2: who never agreed to timestamps ignores them */
static void check_timestamp__not_agreed(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 10);

	s.has_ts = true;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.keep, 10);
	KUNIT_EXPECT_FALSE(test, next_seg(test, w, &w->a).has_ts);
}

/* Section 4.3, (2): only what covers Last.ACK.sent moves TS.Recent */
static void keep_timestamp__left_edge(struct kunit *test)
{
	struct world *w = with_timestamps(test);
	struct seg s = text_from_peer(&w->a, 10);
	u32 before = w->a.ts_recent;

	s.tsval = before + 7;
	s.seq += 10;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.ts_recent, before);
	s.seq -= 10;
	s.tsval = before + 3;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.ts_recent, before + 3);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).tsecr, before + 3);
}

/* A delayed ACK echoes the first of the segments it covers (section 4.3). */
static void keep_timestamp__delayed_ack(struct kunit *test)
{
	struct world *w = with_timestamps(test);
	struct seg s = text_from_peer(&w->a, 10);
	u32 before = w->a.ts_recent;

	w->a.quickacks = 0;
	s.tsval = before + 1;
	deliver(w, &w->a, &s);
	s.seq += 10;
	s.tsval = before + 9;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.ts_recent, before + 1);
}

/* --- first: the sequence number --- */

/*
 * The table of section 3.10.7.4: @at is from RCV.NXT, @wnd is RCV.WND.
 *
 *	     RCV.NXT      RCV.NXT + RCV.WND
 *	        |-------------------|
 *	   [old)[new      )
 *	                       [new |beyond)
 */
static const struct sequence_param {
	const char *name;
	u32 wnd;
	s32 at;
	u32 len;
	enum cause drop;
	u32 skip, keep;
} sequences[] = {
	{ "in order", 5000, 0, 100, DROP_NONE, 0, 100 },
	{ "nothing, in order", 5000, 0, 0, DROP_NONE, 0, 0 },
	{ "nothing, in the window", 5000, 4999, 0, DROP_NONE, 0, 0 },
	{ "nothing, at the edge", 5000, 5000, 0, DROP_NONE, 0, 0 },
	{ "nothing, beyond the edge", 5000, 5001, 0, DROP_OUT_OF_WINDOW, 0, 0 },
	{ "nothing, old", 5000, -1, 0, DROP_OLD_DUPLICATE, 0, 0 },
	{ "last byte of the window", 5000, 4999, 1, DROP_NONE, 0, 1 },
	{ "first byte beyond", 5000, 5000, 1, DROP_OUT_OF_WINDOW, 0, 0 },
	{ "far beyond", 5000, 1000000, 1, DROP_OUT_OF_WINDOW, 0, 0 },
	{ "over the edge", 5000, 4900, 200, DROP_NONE, 0, 100 },
	{ "all of the window", 5000, 0, 5000, DROP_NONE, 0, 5000 },
	{ "more than the window", 5000, 0, 5001, DROP_NONE, 0, 5000 },
	{ "old, to RCV.NXT", 5000, -100, 100, DROP_OLD_DUPLICATE, 0, 0 },
	{ "old, far", 5000, -1000000, 100, DROP_OLD_DUPLICATE, 0, 0 },
	{ "old and one new byte", 5000, -100, 101, DROP_NONE, 100, 1 },
	{ "old and new", 5000, -50, 100, DROP_NONE, 50, 50 },
	{ "old and all of the window", 5000, -1, 5001, DROP_NONE, 1, 5000 },
	{ "old and one beyond", 5000, -1, 5002, DROP_OLD_DUPLICATE, 0, 0 },
	{ "early", 5000, 1000, 100, DROP_NONE, 0, 100 },
	{ "shut, nothing", 0, 0, 0, DROP_NONE, 0, 0 },
	{ "shut, a probe", 0, 0, 1, DROP_ZERO_WINDOW, 0, 0 },
	{ "shut, one ahead", 0, 1, 0, DROP_OUT_OF_WINDOW, 0, 0 },
	{ "shut, one behind", 0, -1, 0, DROP_OLD_DUPLICATE, 0, 0 },
};

NAMED_PARAMS(sequence_param, sequences);

static void check_sequence__table(struct kunit *test)
{
	const struct sequence_param *p = test->param_value;
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, p->len);

	w->a.rcv_wnd = p->wnd;
	s.seq += p->at;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.drop, p->drop);
	KUNIT_EXPECT_EQ(test, w->v.skip, p->skip);
	KUNIT_EXPECT_EQ(test, w->v.keep, p->keep);
	if (p->keep)
		KUNIT_EXPECT_EQ(test, w->v.seq, s.seq + p->skip);
	KUNIT_EXPECT_EQ(test, w->a.rcv_nxt, B0 + (p->at <= 0 ? p->keep : 0));
	/* "send an acknowledgment in reply" */
	if (p->drop)
		KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).ack, B0);
}

/* The same everywhere on the circle of sequence numbers. */
static void check_sequence__wraps(struct kunit *test)
{
	const struct sequence_param *p = test->param_value;

	for (u32 base = -5005; base != 5; base += 5) {
		struct world *w = connected(test);
		struct seg s;

		w->a.rcv_nxt = base;
		w->a.rcv_read = base;
		w->a.last_ack_sent = base;
		w->a.rcv_wnd = p->wnd;
		s = text_from_peer(&w->a, p->len);
		s.seq += p->at;
		deliver(w, &w->a, &s);
		KUNIT_ASSERT_EQ(test, w->v.drop, p->drop);
		KUNIT_ASSERT_EQ(test, w->v.keep, p->keep);
	}
}

/* "unless the RST bit is set, if so drop the segment and return" */
static void check_sequence__rst_not_answered(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = from_peer(&w->a);

	s.flags = FLAG_RST;
	s.seq += RCV_BUF + 1;
	deliver(w, &w->a, &s);
	expect_drop(test, w, DROP_OUT_OF_WINDOW);
	s.seq = B0 - 1;
	deliver(w, &w->a, &s);
	expect_drop(test, w, DROP_OLD_DUPLICATE);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
}

/* What filled the window got lost on its way: an ACK behind it still counts. */
static void check_sequence__ack_behind_full_flight(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	write_and_send(w, &w->a, 500);
	s = from_peer(&w->a);
	s.seq += RCV_BUF;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.snd_una, A0 + 500);
}

/* A shut window does not keep an ACK out (MUST-66). */
static void check_sequence__ack_through_shut_window(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	write_and_send(w, &w->a, 500);
	w->a.rcv_wnd = 0;
	s = text_from_peer(&w->a, 1);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.snd_una, A0 + 500);
	KUNIT_EXPECT_TRUE(test, w->v.wake & WAKE_WRITE);
	KUNIT_EXPECT_EQ(test, w->a.rcv_nxt, B0);
}

/* Both probed a shut window, both took the octet: each hears of the other. */
static void check_sequence__both_probed(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg from_a, from_b;

	offer_window(w, &w->a, 0);
	offer_window(w, &w->b, 0);
	write_and_send(w, &w->a, 2);
	write_and_send(w, &w->b, 2);
	elapse(w, SECOND);
	from_a = next_seg(test, w, &w->a);
	from_b = next_seg(test, w, &w->b);
	/* a window of less than the scale's unit is offered as none */
	from_a.wnd = 0;
	from_b.wnd = 0;
	deliver(w, &w->b, &from_a);
	deliver(w, &w->a, &from_b);
	from_a = next_seg(test, w, &w->a);
	from_b = next_seg(test, w, &w->b);
	KUNIT_EXPECT_EQ(test, from_b.seq, B0);
	KUNIT_EXPECT_EQ(test, from_b.ack, A0 + 1);
	deliver(w, &w->b, &from_a);
	deliver(w, &w->a, &from_b);
	KUNIT_EXPECT_EQ(test, w->a.snd_una, A0 + 1);
	KUNIT_EXPECT_EQ(test, w->b.snd_una, B0 + 1);
	KUNIT_EXPECT_NE(test, w->a.snd_wnd, 0);
	KUNIT_EXPECT_NE(test, w->b.snd_wnd, 0);
}

/* RFC 5961 section 7: two ends that disagree do not talk for ever. */
static void check_sequence__limited(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = from_peer(&w->a);
	unsigned int n = 0;

	s.seq--;
	for (int i = 0; i < 100; i++) {
		deliver(w, &w->a, &s);
		n += lose_all(w, &w->a);
	}
	KUNIT_EXPECT_EQ(test, n, CHALLENGE_ACKS);
}

/* --- second: RST (RFC 5961 section 3.2) --- */

static void check_rst__exact(struct kunit *test)
{
	const struct state_param *p = test->param_value;
	struct world *w = in_state(test, p->state);
	struct seg s = from_peer(&w->a);

	s.flags = FLAG_RST;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
	KUNIT_EXPECT_EQ(test, w->a.err, p->reset);
	KUNIT_EXPECT_EQ(test, w->v.wake, WAKE_STATE | WAKE_READ | WAKE_WRITE);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_NONE);
	KUNIT_EXPECT_FALSE(test, w->v.reset);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->cause, BY_RCVD_RST);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), NEVER);
	expect_silence(test, w, &w->a);
}

/* "in the window but not exact": a challenge, and nothing else */
static void check_rst__in_window(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = from_peer(&w->a);

	s.flags = FLAG_RST;
	s.seq++;
	deliver(w, &w->a, &s);
	expect_drop(test, w, DROP_RST_CHALLENGED);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
	expect_ack(test, w, &w->a, BY_ACK_CHALLENGE);
}

/* A FIN takes a number, and may not stand there: the table refuses it. */
static void is_acceptable__fin_at_the_edge(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = from_peer(&w->a);

	s.seq = window_edge(&w->a);
	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	expect_drop(test, w, DROP_OUT_OF_WINDOW);
	KUNIT_EXPECT_FALSE(test, w->a.fin_seen);
	expect_ack(test, w, &w->a, BY_ACK_UNACCEPTABLE);
}

/*
 * A whole window is in flight and its first segment lost: the RST stands right at
 * the edge. It is asked for again, with the exact number.
 */
static void check_rst__behind_full_flight(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	w->a.cc.cwnd = 2 * RCV_BUF;
	write_and_send(w, &w->a, RCV_BUF);
	KUNIT_ASSERT_EQ(test, w->a.snd_nxt, window_edge(&w->b));
	conn_abort(&w->a, w->now);
	s = next_seg(test, w, &w->a);
	deliver(w, &w->b, &s);
	expect_drop(test, w, DROP_RST_CHALLENGED);
	expect_ack(test, w, &w->b, BY_ACK_CHALLENGE);
	s.seq++;
	deliver(w, &w->b, &s);
	expect_drop(test, w, DROP_OUT_OF_WINDOW);
	expect_silence(test, w, &w->b);
}

/*
 * RFC 9293 section 3.8.6.3, SHLD-19: every second full-sized segment, also when the
 * peer's path takes smaller ones than before.
 */
static void learn_rmss__smaller_segments(struct kunit *test)
{
	struct world *w = delaying(test);
	struct seg s;

	for (int i = 0; i < 4; i++) {
		s = text_from_peer(&w->a, MSS / 2);
		deliver(w, &w->a, &s);
		lose_all(w, &w->a);
	}
	KUNIT_EXPECT_EQ(test, w->a.rmss, MSS / 2);
	s = text_from_peer(&w->a, MSS / 2);
	deliver(w, &w->a, &s);
	expect_silence(test, w, &w->a);
	s = text_from_peer(&w->a, MSS / 2);
	deliver(w, &w->a, &s);
	expect_ack(test, w, &w->a, BY_ACK_SECOND);
	/* and up again at once */
	s = text_from_peer(&w->a, MSS);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.rmss, MSS);
}

/* The ends of writes say nothing, nor does what is tiny. */
static void learn_rmss__ends_of_writes(struct kunit *test)
{
	struct world *w = delaying(test);
	struct seg s;

	for (int i = 0; i < 4; i++) {
		s = text_from_peer(&w->a, MSS / 2);
		s.flags |= FLAG_PSH;
		deliver(w, &w->a, &s);
		lose_all(w, &w->a);
		s = text_from_peer(&w->a, MSS_FLOOR - 1);
		deliver(w, &w->a, &s);
		lose_all(w, &w->a);
	}
	KUNIT_EXPECT_EQ(test, w->a.rmss, MSS);
}

/* The real peer answers the challenge with the exact number. */
static void check_rst__challenge_answered(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	write_and_send(w, &w->b, 100);
	conn_abort(&w->b, w->now);
	s = next_seg(test, w, &w->b);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_RST_CHALLENGED);
	s = next_seg(test, w, &w->a);
	deliver(w, &w->b, &s);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_CLOSED);
	s.flags = FLAG_RST;
	s.seq = s.ack;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
}

/* --- fourth: SYN (RFC 5961 section 4.2) --- */

static void check_syn__challenged(struct kunit *test)
{
	const struct state_param *p = test->param_value;
	struct world *w = in_state(test, p->state);
	struct seg s = from_peer(&w->a);

	s.flags = FLAG_SYN;
	s.seq += 5;
	deliver(w, &w->a, &s);
	expect_drop(test, w, DROP_SYN_CHALLENGED);
	KUNIT_EXPECT_EQ(test, w->a.state, p->state);
	expect_ack(test, w, &w->a, BY_ACK_CHALLENGE);
}

/* The SYN+ACK again, since our ACK was lost: it is old, and answered. */
static void check_syn__synack_again(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = from_peer(&w->a);

	s.flags |= FLAG_SYN;
	s.seq = B_ISS;
	s.ack = A0;
	deliver(w, &w->a, &s);
	expect_drop(test, w, DROP_OLD_DUPLICATE);
	expect_ack(test, w, &w->a, BY_ACK_UNACCEPTABLE);
}

/* --- fifth: ACK --- */

static void check_ack__no_ack_bit(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 10);

	s.flags = 0;
	deliver(w, &w->a, &s);
	expect_drop(test, w, DROP_NO_ACK);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, w->a.rcv_nxt, B0);
}

/*
 * RFC 5961 section 5.2: SND.UNA - MAX.SND.WND =< SEG.ACK =< SND.NXT. Here 3000
 * bytes are acknowledged and 2000 are in flight; @ack is from SND.UNA.
 */
static const struct ack_param {
	const char *name;
	s32 ack;
	enum cause drop;
	u32 una;
} acks[] = {
	{ "of all", 2000, DROP_NONE, 2000 },
	{ "of a part", 1, DROP_NONE, 1 },
	{ "again", 0, DROP_NONE, 0 },
	{ "old", -1, DROP_NONE, 0 },
	{ "oldest that is believed", -RCV_BUF, DROP_NONE, 0 },
	{ "too old", -RCV_BUF - 1, DROP_ACK_TOO_OLD, 0 },
	{ "of what was not sent", 2001, DROP_ACK_UNSENT, 0 },
	{ "from far away", 0x40000000, DROP_ACK_UNSENT, 0 },
};

NAMED_PARAMS(ack_param, acks);

static void check_ack__table(struct kunit *test)
{
	const struct ack_param *p = test->param_value;
	struct world *w = connected(test);
	struct seg s;

	write_and_send(w, &w->a, 3000);
	ack_all(w, &w->a);
	write_and_send(w, &w->a, 2000);
	s = text_from_peer(&w->a, 10);
	s.ack = A0 + 3000 + p->ack;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.drop, p->drop);
	KUNIT_EXPECT_EQ(test, w->a.snd_una, A0 + 3000 + p->una);
	KUNIT_EXPECT_EQ(test, !!(w->v.wake & WAKE_WRITE), p->una > 0);
	/* RFC 4861 section 7.3.1: what was sent has arrived only then */
	KUNIT_EXPECT_EQ(test, w->v.progress, p->una > 0);
	/* an old ACK can be ignored, its text not */
	KUNIT_EXPECT_EQ(test, w->v.keep, p->drop ? 0 : 10);
	if (p->drop)
		expect_ack(test, w, &w->a, BY_ACK_CHALLENGE);
}

/*
 * "SND.UNA =< SEG.ACK =< SND.NXT": the window of an older ACK is not taken, however
 * new the text is that comes with it.
 */
static void take_ack__old_ack_with_new_text(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	write_and_send(w, &w->a, 3000);
	ack_all(w, &w->a);
	s = text_from_peer(&w->a, 10);
	s.seq += 10;
	s.ack = w->a.snd_una - 1;
	s.wnd = 77;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.keep, 10);
	KUNIT_EXPECT_EQ(test, w->a.snd_wnd, RCV_BUF);
}

/* RFC 5681 section 2: what is a duplicate ACK, and what is not */
static const struct dupack_param {
	const char *name;
	bool flight;
	u32 len;
	u8 flags;
	u16 wnd;
	unsigned int counted;
} dupacks[] = {
	{ "all five hold", true, 0, 0, RCV_BUF, 1 },
	{ "(a) nothing is outstanding", false, 0, 0, RCV_BUF, 0 },
	{ "(b) it carries data", true, 1, 0, RCV_BUF, 0 },
	{ "(c) it carries a FIN", true, 0, FLAG_FIN, RCV_BUF, 0 },
	{ "(e) it moves the window", true, 0, 0, RCV_BUF - 1, 0 },
};

NAMED_PARAMS(dupack_param, dupacks);

static void is_duplicate_ack__table(struct kunit *test)
{
	const struct dupack_param *p = test->param_value;
	struct world *w = connected(test);
	struct seg s;

	if (p->flight)
		write_and_send(w, &w->a, 2000);
	s = text_from_peer(&w->a, p->len);
	s.ack = A0;
	s.flags |= p->flags;
	s.wnd = p->wnd;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.dupacks, p->counted);
}

/* --- seventh: the text --- */

static void take_text__in_order(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 700);

	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.keep, 700);
	KUNIT_EXPECT_EQ(test, w->v.seq, B0);
	KUNIT_EXPECT_EQ(test, w->v.wake, WAKE_READ);
	KUNIT_EXPECT_EQ(test, conn_readable(&w->a), 700);
	expect_ack(test, w, &w->a, BY_ACK_QUICK);
}

/*
 * RFC 5681 section 4.2: an early segment is answered at once with a duplicate
 * ACK, and so is one that fills a hole.
 *
 *	rcv_nxt      [1000==2000)
 *	[0===========1000)         and all of it is there
 */
static void take_text__out_of_order(struct kunit *test)
{
	struct world *w = delaying(test);
	struct seg s = text_from_peer(&w->a, 1000);

	s.seq += 1000;
	KUNIT_EXPECT_TRUE(test, conn_is_early(&w->a, &s));
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.keep, 1000);
	KUNIT_EXPECT_EQ(test, w->v.wake, 0);
	KUNIT_EXPECT_EQ(test, conn_readable(&w->a), 0);
	expect_ack(test, w, &w->a, BY_ACK_DUP);
	s.seq -= 1000;
	KUNIT_EXPECT_FALSE(test, conn_is_early(&w->a, &s));
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, conn_readable(&w->a), 2000);
	KUNIT_EXPECT_EQ(test, w->v.wake, WAKE_READ);
	expect_ack(test, w, &w->a, BY_ACK_FILL);
	KUNIT_EXPECT_EQ(test, w->a.reasm.n, 0);
}

/* One of two holes is filled: still at once. */
static void take_text__partly_filled(struct kunit *test)
{
	struct world *w = delaying(test);
	struct seg s = text_from_peer(&w->a, 100);

	s.seq = B0 + 100;
	deliver(w, &w->a, &s);
	s.seq = B0 + 300;
	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	s.seq = B0;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.rcv_nxt, B0 + 200);
	expect_ack(test, w, &w->a, BY_ACK_FILL);
}

static void take_text__early_again(struct kunit *test)
{
	struct world *w = delaying(test);
	struct seg s = text_from_peer(&w->a, 1000);

	s.seq += 1000;
	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	deliver(w, &w->a, &s);
	expect_drop(test, w, DROP_OOO_DUPLICATE);
	expect_ack(test, w, &w->a, BY_ACK_DUP);
	/* only what is new is kept */
	s.seq -= 500;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.keep, 500);
	KUNIT_EXPECT_EQ(test, w->v.skip, 0);
	s.seq += 1000;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.keep, 500);
	KUNIT_EXPECT_EQ(test, w->v.skip, 500);
}

static void take_text__too_many_holes(struct kunit *test)
{
	struct world *w = delaying(test);
	struct seg s = text_from_peer(&w->a, 1);

	for (int i = 0; i < WORLD_HOLES; i++) {
		s.seq += 2;
		deliver(w, &w->a, &s);
		KUNIT_EXPECT_EQ(test, w->v.keep, 1);
		lose_all(w, &w->a);
	}
	s.seq += 2;
	deliver(w, &w->a, &s);
	expect_drop(test, w, DROP_OOO_FULL);
	expect_ack(test, w, &w->a, BY_ACK_DUP);
}

/* In order over what was early: the habitat may get bytes twice, never a gap. */
static void take_text__in_order_over_early(struct kunit *test)
{
	struct world *w = delaying(test);
	struct seg s = text_from_peer(&w->a, 100);

	s.seq += 100;
	deliver(w, &w->a, &s);
	s.seq -= 100;
	s.len = 150;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.rcv_nxt, B0 + 200);
	KUNIT_EXPECT_EQ(test, w->v.seq, B0);
	KUNIT_EXPECT_GE(test, w->v.keep, 100);
}

/* The habitat has no memory: as if the text had been lost. */
static void take_text__no_room(struct kunit *test)
{
	struct world *w = delaying(test);
	struct seg s = text_from_peer(&w->a, 1000);

	s.no_room = true;
	deliver(w, &w->a, &s);
	expect_drop(test, w, DROP_RCVBUF);
	KUNIT_EXPECT_EQ(test, w->a.rcv_nxt, B0);
	expect_ack(test, w, &w->a, BY_ACK_UNACCEPTABLE);
}

static void take_text__by_state(struct kunit *test)
{
	const struct state_param *p = test->param_value;
	struct world *w = in_state(test, p->state);
	struct seg s = text_from_peer(&w->a, 10);

	s.ack = w->a.snd_una;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.drop,
			p->receives ? DROP_NONE : DROP_AFTER_FIN);
	KUNIT_EXPECT_EQ(test, w->v.keep, p->receives ? 10 : 0);
}

/* Section 3.6.1: text for a process that is gone is answered with a reset. */
static void take_text__after_close(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	conn_release(&w->a, w->now);
	lose_all(w, &w->a);
	s = text_from_peer(&w->a, 10);
	deliver(w, &w->a, &s);
	expect_drop(test, w, DROP_AFTER_CLOSE);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->cause, BY_CLOSED_UNREAD);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_TRUE(test, s.flags & FLAG_RST);
	KUNIT_EXPECT_EQ(test, s.seq, w->a.snd_nxt);
	expect_silence(test, w, &w->a);
}

/* Old text again is no text for it: our ACK of it was lost. */
static void take_text__old_after_close(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 10);

	deliver(w, &w->a, &s);
	conn_read(&w->a, 10, w->now);
	conn_release(&w->a, w->now);
	lose_all(w, &w->a);
	forget_events(w);
	deliver(w, &w->a, &s);
	expect_drop(test, w, DROP_OLD_DUPLICATE);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_FIN_WAIT_1);
	expect_ack(test, w, &w->a, BY_ACK_UNACCEPTABLE);
}

/* but not after a shutdown: the process still reads */
static void take_text__after_half_close(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	conn_close(&w->a, w->now);
	lose_all(w, &w->a);
	s = text_from_peer(&w->a, 10);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.keep, 10);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_FIN_WAIT_2);
}

/*
 * shutdown(SHUT_RDWR): where only the peer still speaks, nobody listens. In
 * ESTABLISHED it is SHUT_RD, of which the peer does not hear.
 */
static void take_text__no_reader(struct kunit *test)
{
	const struct state_param *p = test->param_value;
	struct world *w = in_state(test, p->state);
	bool closed = state_in(p->state, STF(FIN_WAIT_1) | STF(FIN_WAIT_2));
	struct seg s = text_from_peer(&w->a, 10);

	s.ack = w->a.snd_una;
	conn_close_read(&w->a);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, closed ? ST_CLOSED : p->state);
	KUNIT_EXPECT_EQ(test, w->v.drop,
			closed	    ? DROP_AFTER_CLOSE :
			p->receives ? DROP_NONE :
				      DROP_AFTER_FIN);
	KUNIT_EXPECT_EQ(test, w->a.err, closed ? ECONNRESET : 0);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_ABORT_ON_DATA), closed);
	if (!closed)
		return;
	KUNIT_EXPECT_TRUE(test, w->v.wake & WAKE_STATE);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_TRUE(test, s.flags & FLAG_RST);
	expect_silence(test, w, &w->a);
}

/* In either order: what counts is that both directions are shut. */
static void take_text__no_reader_then_close(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 10);

	conn_close_read(&w->a);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.keep, 10);
	conn_close(&w->a, w->now);
	lose_all(w, &w->a);
	/* the same text again is not news */
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_FIN_WAIT_1);
	s = text_from_peer(&w->a, 10);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_AFTER_CLOSE);
	/* what came before can still be read */
	KUNIT_EXPECT_EQ(test, conn_readable(&w->a), 10);
}

/* The peer's FIN is none: the connection ends as ever. */
static void take_fin__no_reader(struct kunit *test)
{
	struct world *w = in_state(test, ST_FIN_WAIT_2);
	struct seg s = from_peer(&w->a);

	conn_close_read(&w->a);
	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_TIME_WAIT);
	KUNIT_EXPECT_EQ(test, w->a.err, 0);
}

/* Section 3.8.6.3: an ACK waits 40 ms at most */
static void schedule_ack__delayed(struct kunit *test)
{
	struct world *w = delaying(test);
	struct seg s = text_from_peer(&w->a, MSS);

	deliver(w, &w->a, &s);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + 40 * MS);
	elapse(w, 40 * MS - 1);
	expect_silence(test, w, &w->a);
	elapse(w, 1);
	expect_ack(test, w, &w->a, BY_ACK_DELAYED);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), NEVER);
}

/* Later segments do not put the ACK off: it is 40 ms from the first. */
static void schedule_ack__not_put_off(struct kunit *test)
{
	struct world *w = delaying(test);
	struct seg s = text_from_peer(&w->a, 10);
	u64 from = w->now;

	deliver(w, &w->a, &s);
	elapse(w, 30 * MS);
	s = text_from_peer(&w->a, 10);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), from + 40 * MS);
}

/* and never for a second full segment (SHLD-19) */
static void schedule_ack__second_full_segment(struct kunit *test)
{
	struct world *w = delaying(test);

	for (int i = 0; i < 3; i++) {
		struct seg s = text_from_peer(&w->a, MSS);

		deliver(w, &w->a, &s);
		expect_silence(test, w, &w->a);
		s = text_from_peer(&w->a, MSS);
		deliver(w, &w->a, &s);
		expect_ack(test, w, &w->a, BY_ACK_SECOND);
		KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), NEVER);
		conn_read(&w->a, 2 * MSS, w->now);
	}
}

/*
 * Before any text has come a segment of 536 bytes counts as full (RFC 5681 section
 * 4.2: "if the receiver cannot determine" the size, it may take the default MSS).
 */
static void schedule_ack__size_not_known(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	w->a.quickacks = 0;
	s = text_from_peer(&w->a, MSS_DEFAULT);
	deliver(w, &w->a, &s);
	expect_silence(test, w, &w->a);
	s = text_from_peer(&w->a, MSS_DEFAULT);
	deliver(w, &w->a, &s);
	expect_ack(test, w, &w->a, BY_ACK_SECOND);
}

/* Nor is the size known by the ends of short writes: two times 536 bytes count. */
static void schedule_ack__size_not_known_by_short_writes(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	w->a.quickacks = 0;
	for (int i = 0; i < 3; i++) {
		expect_silence(test, w, &w->a);
		s = text_from_peer(&w->a, 2 * MSS_DEFAULT / 3 + 1);
		s.flags |= FLAG_PSH;
		deliver(w, &w->a, &s);
	}
	expect_ack(test, w, &w->a, BY_ACK_SECOND);
}

/* Segments that arrive merged make none of them larger. */
static void take_text__merged_segments(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 3 * MSS);

	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.rmss, MSS);
}

/* "Full" is what the peer sends, on a path of small packets too. */
static void schedule_ack__small_mss(struct kunit *test)
{
	struct world *w = world_new(test);
	struct conn_config cfg = config_a();
	struct seg s;

	cfg.mtu_mss = 200;
	conn_open(&w->a, &w->env, &cfg, w->now);
	lose_all(w, &w->a);
	s = (struct seg){ .seq = B_ISS,
			  .ack = A0,
			  .wnd = RCV_BUF,
			  .flags = FLAG_SYN | FLAG_ACK,
			  .mss = 200 };
	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	w->a.quickacks = 0;
	s = text_from_peer(&w->a, 200);
	deliver(w, &w->a, &s);
	expect_silence(test, w, &w->a);
	s = text_from_peer(&w->a, 200);
	deliver(w, &w->a, &s);
	expect_ack(test, w, &w->a, BY_ACK_SECOND);
}

/* The first segments are answered at once, for the peer's slow start. */
static void schedule_ack__quick(struct kunit *test)
{
	struct world *w = connected(test);
	int n = 0;

	for (int i = 0; i < 40; i++) {
		struct seg s = text_from_peer(&w->a, 100);

		deliver(w, &w->a, &s);
		conn_read(&w->a, 100, w->now);
		n += lose_all(w, &w->a);
		w->a.last_ack_sent = w->a.rcv_nxt;
	}
	KUNIT_EXPECT_EQ(test, n, QUICKACKS);
}

static void schedule_ack__delay_off(struct kunit *test)
{
	struct world *w = delaying(test);
	struct seg s = text_from_peer(&w->a, 1);

	w->env.tun.delack = 0;
	deliver(w, &w->a, &s);
	expect_ack(test, w, &w->a, BY_ACK_QUICK);
}

/* Data takes the ACK along. */
static void schedule_ack__rides_on_data(struct kunit *test)
{
	struct world *w = delaying(test);
	struct seg s = text_from_peer(&w->a, 10);

	deliver(w, &w->a, &s);
	conn_write(&w->a, 5, false);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.len, 5);
	KUNIT_EXPECT_EQ(test, s.ack, B0 + 10);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, w->a.timer[TIMER_DELACK], NEVER);
}

/* --- eighth: FIN --- */

static void take_fin__by_state(struct kunit *test)
{
	const struct state_param *p = test->param_value;
	struct world *w = in_state(test, p->state);
	struct seg s = from_peer(&w->a);
	u32 next = w->a.rcv_nxt;

	s.flags |= FLAG_FIN;
	s.ack = w->a.snd_una;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, p->fin);
	KUNIT_EXPECT_EQ(test, w->a.rcv_nxt, next + p->receives);
	if (!p->receives)
		return;
	KUNIT_EXPECT_EQ(test, w->v.wake & (WAKE_READ | WAKE_STATE),
			WAKE_READ | WAKE_STATE);
	KUNIT_EXPECT_TRUE(test, conn_at_eof(&w->a));
	KUNIT_EXPECT_EQ(test, conn_readable(&w->a), 0);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).cause, BY_ACK_FIN);
}

/* "If our FIN has been ACKed (perhaps in this segment), then enter TIME-WAIT" */
static void take_fin__with_ack_of_ours(struct kunit *test)
{
	struct world *w = in_state(test, ST_FIN_WAIT_1);
	struct seg s = from_peer(&w->a);

	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_TIME_WAIT);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), NEVER);
	expect_ack(test, w, &w->a, BY_ACK_FIN);
}

static void take_fin__with_text(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 10);

	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.keep, 10);
	KUNIT_EXPECT_EQ(test, conn_readable(&w->a), 10);
	KUNIT_EXPECT_FALSE(test, conn_at_eof(&w->a));
	expect_ack(test, w, &w->a, BY_ACK_FIN);
	conn_read(&w->a, 10, w->now);
	KUNIT_EXPECT_TRUE(test, conn_at_eof(&w->a));
}

/*
 *	rcv_nxt        [100===200)FIN
 *	[0=====100)                    now the FIN counts
 */
static void take_fin__early(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 100);

	s.seq += 100;
	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
	expect_ack(test, w, &w->a, BY_ACK_DUP);
	s.seq -= 100;
	s.flags = FLAG_ACK;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSE_WAIT);
	KUNIT_EXPECT_EQ(test, w->a.rcv_nxt, B0 + 201);
	KUNIT_EXPECT_EQ(test, conn_readable(&w->a), 200);
}

/* A bare FIN that is early: its place is remembered, too. */
static void take_fin__early_and_bare(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = from_peer(&w->a);

	s.seq += 100;
	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
	expect_ack(test, w, &w->a, BY_ACK_DUP);
	s = text_from_peer(&w->a, 100);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSE_WAIT);
}

/* Nothing counts behind a FIN. */
static void take_fin__text_behind(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = from_peer(&w->a);

	s.seq += 100;
	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	s = text_from_peer(&w->a, 150);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.keep, 100);
	KUNIT_EXPECT_EQ(test, w->a.rcv_nxt, B0 + 101);
}

/* Nor is there a FIN in front of text that has arrived. */
static void take_fin__in_front_of_text(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 100);

	s.seq += 100;
	deliver(w, &w->a, &s);
	s = from_peer(&w->a);
	s.seq += 100;
	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	s = text_from_peer(&w->a, 100);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.rcv_nxt, B0 + 200);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
	/* the true one is still taken */
	s = from_peer(&w->a);
	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSE_WAIT);
}

/* between two pieces of it, either */
static void take_fin__between_text(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 100);

	s.seq += 100;
	deliver(w, &w->a, &s);
	s.seq += 200;
	deliver(w, &w->a, &s);
	s = from_peer(&w->a);
	s.seq += 200;
	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_FALSE(test, w->a.fin_seen);
}

/* No text will come: ACKs wait for what the user says to the end. */
static void take_fin__acks_wait(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = from_peer(&w->a);

	KUNIT_EXPECT_FALSE(test, w->a.opt.pingpong);
	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_TRUE(test, w->a.opt.pingpong);
}

/* It needs no room in the window (the last octet before it may fill it). */
static void take_fin__window_shut(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = from_peer(&w->a);

	w->a.rcv_wnd = 0;
	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSE_WAIT);
}

static void take_fin__beyond_window(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, RCV_BUF + 1);

	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.keep, RCV_BUF);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
	KUNIT_EXPECT_FALSE(test, w->a.fin_seen);
}

/*
 * Our ACK was lost and the peer sends again, now in one segment with the FIN
 * that it queued since: all of the text is old, the FIN is not.
 */
static void take_fin__behind_old_text(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 100);

	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_NONE);
	KUNIT_EXPECT_EQ(test, w->v.keep, 0);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSE_WAIT);
	expect_ack(test, w, &w->a, BY_ACK_FIN);
}

/* The same with text that is early, and queued already. */
static void take_fin__behind_queued_text(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 100);

	s.seq += 100;
	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	s = text_from_peer(&w->a, 100);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSE_WAIT);
}

/* Section 3.10.7.4, LAST-ACK: "If our FIN is now acknowledged, delete the TCB" */
static void fin_acked__last_ack(struct kunit *test)
{
	struct world *w = in_state(test, ST_LAST_ACK);

	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
	KUNIT_EXPECT_EQ(test, w->a.err, 0);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), NEVER);
	expect_silence(test, w, &w->a);
}

static void fin_acked__closing(struct kunit *test)
{
	struct world *w = in_state(test, ST_CLOSING);

	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_TIME_WAIT);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->cause,
			BY_RCVD_ACK_OF_FIN);
}

/* Section 3.10.7.4, CLOSING: TIME_WAIT turns off all other timers */
static void fin_acked__time_wait_has_no_timer(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = from_peer(&w->a);

	conn_set_keepalive(&w->a, true, w->now);
	conn_close(&w->a, w->now);
	lose_all(w, &w->a);
	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSING);
	KUNIT_EXPECT_NE(test, w->a.timer[TIMER_KEEP], NEVER);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_TIME_WAIT);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), NEVER);
}

/* The ACK of the data before it is not one of the FIN. */
static void fin_acked__only_data(struct kunit *test)
{
	struct world *w = connected(test);

	conn_write(&w->a, 100, false);
	conn_close(&w->a, w->now);
	lose_all(w, &w->a);
	ack_upto(w, &w->a, A0 + 100);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_FIN_WAIT_1);
	ack_upto(w, &w->a, A0 + 101);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_FIN_WAIT_2);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), NEVER);
}

static struct kunit_case arrive_cases[] = {
	KUNIT_CASE(check_timestamp__paws),
	KUNIT_CASE(check_timestamp__paws_limited),
	KUNIT_CASE(check_timestamp__wraps),
	KUNIT_CASE(check_timestamp__after_0),
	KUNIT_CASE(check_timestamp__old_clock),
	KUNIT_CASE(keep_timestamp__renews_the_clock),
	KUNIT_CASE(check_timestamp__missing),
	KUNIT_CASE(check_timestamp__rst),
	KUNIT_CASE(check_timestamp__not_agreed),
	KUNIT_CASE(keep_timestamp__left_edge),
	KUNIT_CASE(keep_timestamp__delayed_ack),
	KUNIT_CASE_PARAM(check_sequence__table, sequences_row_gen_params),
	KUNIT_CASE_PARAM(check_sequence__wraps, sequences_row_gen_params),
	KUNIT_CASE(check_sequence__rst_not_answered),
	KUNIT_CASE(check_sequence__ack_behind_full_flight),
	KUNIT_CASE(check_sequence__ack_through_shut_window),
	KUNIT_CASE(check_sequence__both_probed),
	KUNIT_CASE(check_sequence__limited),
	KUNIT_CASE_PARAM(check_rst__exact, states_row_gen_params),
	KUNIT_CASE(check_rst__in_window),
	KUNIT_CASE(is_acceptable__fin_at_the_edge),
	KUNIT_CASE(check_rst__behind_full_flight),
	KUNIT_CASE(check_rst__challenge_answered),
	KUNIT_CASE(learn_rmss__smaller_segments),
	KUNIT_CASE(learn_rmss__ends_of_writes),
	KUNIT_CASE_PARAM(check_syn__challenged, states_row_gen_params),
	KUNIT_CASE(check_syn__synack_again),
	KUNIT_CASE(check_ack__no_ack_bit),
	KUNIT_CASE_PARAM(check_ack__table, acks_row_gen_params),
	KUNIT_CASE(take_ack__old_ack_with_new_text),
	KUNIT_CASE_PARAM(is_duplicate_ack__table, dupacks_row_gen_params),
	KUNIT_CASE(fin_acked__last_ack),
	KUNIT_CASE(fin_acked__closing),
	KUNIT_CASE(fin_acked__time_wait_has_no_timer),
	KUNIT_CASE(fin_acked__only_data),
	KUNIT_CASE(schedule_ack__delayed),
	KUNIT_CASE(schedule_ack__not_put_off),
	KUNIT_CASE(schedule_ack__second_full_segment),
	KUNIT_CASE(schedule_ack__size_not_known),
	KUNIT_CASE(schedule_ack__size_not_known_by_short_writes),
	KUNIT_CASE(take_text__merged_segments),
	KUNIT_CASE(schedule_ack__small_mss),
	KUNIT_CASE(schedule_ack__quick),
	KUNIT_CASE(schedule_ack__delay_off),
	KUNIT_CASE(schedule_ack__rides_on_data),
	KUNIT_CASE(take_text__in_order),
	KUNIT_CASE(take_text__out_of_order),
	KUNIT_CASE(take_text__partly_filled),
	KUNIT_CASE(take_text__early_again),
	KUNIT_CASE(take_text__too_many_holes),
	KUNIT_CASE(take_text__in_order_over_early),
	KUNIT_CASE(take_text__no_room),
	KUNIT_CASE_PARAM(take_text__by_state, states_row_gen_params),
	KUNIT_CASE(take_text__after_close),
	KUNIT_CASE(take_text__old_after_close),
	KUNIT_CASE(take_text__after_half_close),
	KUNIT_CASE_PARAM(take_text__no_reader, states_row_gen_params),
	KUNIT_CASE(take_text__no_reader_then_close),
	KUNIT_CASE(take_fin__no_reader),
	KUNIT_CASE_PARAM(take_fin__by_state, states_row_gen_params),
	KUNIT_CASE(take_fin__with_ack_of_ours),
	KUNIT_CASE(take_fin__with_text),
	KUNIT_CASE(take_fin__early),
	KUNIT_CASE(take_fin__early_and_bare),
	KUNIT_CASE(take_fin__text_behind),
	KUNIT_CASE(take_fin__in_front_of_text),
	KUNIT_CASE(take_fin__between_text),
	KUNIT_CASE(take_fin__acks_wait),
	KUNIT_CASE(take_fin__window_shut),
	KUNIT_CASE(take_fin__beyond_window),
	KUNIT_CASE(take_fin__behind_old_text),
	KUNIT_CASE(take_fin__behind_queued_text),
	{}
};

static struct kunit_suite chalk_arrive = {
	.name = "chalk_arrive",
	.test_cases = arrive_cases,
};

kunit_test_suite(chalk_arrive);
