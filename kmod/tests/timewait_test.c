// SPDX-License-Identifier: GPL-2.0
/*
 * timewait_test.c - the last two MSL (RFC 9293 section 3.6.1, RFC 6191)
 */
#include <kunit/test.h>

#include "../core/timewait.h"
#include "helper.h"

/* What @a leaves behind: FINs went both ways, @b's came last. */
static struct world *left_behind(struct kunit *test, struct timewait *t,
				 bool timestamps)
{
	struct world *w = world_new(test);

	w->env.tun.timestamps = timestamps;
	establish(test, w);
	conn_close(&w->a, w->now);
	carry(w);
	conn_close(&w->b, w->now);
	carry(w);
	KUNIT_ASSERT_EQ(test, w->a.state, ST_TIME_WAIT);
	KUNIT_ASSERT_EQ(test, w->b.state, ST_CLOSED);
	timewait_init(t, &w->a, w->now);
	w->now += SECOND;
	return w;
}

/* A segment of the peer at RCV.NXT, and what becomes of it. */
static struct seg at_rcv_nxt(const struct timewait *t, u8 flags)
{
	return (struct seg){
		.sport = t->dport,
		.dport = t->sport,
		.seq = t->rcv_nxt,
		.ack = t->snd_nxt,
		.flags = flags,
		.has_ts = t->ts_ok,
		.tsval = t->ts_recent,
	};
}

static enum timewait_result arrives(struct world *w, struct timewait *t,
				    const struct seg *s)
{
	enum cause drop;

	return timewait_rx(t, &w->env, s, w->now, &drop);
}

static void expect_ack(struct kunit *test, struct world *w, struct timewait *t)
{
	struct seg s;

	KUNIT_ASSERT_TRUE(test, timewait_poll(t, &w->env, w->now, &s));
	KUNIT_EXPECT_EQ(test, s.flags, FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.seq, A0 + 1);
	KUNIT_EXPECT_EQ(test, s.ack, B0 + 1);
	KUNIT_EXPECT_EQ(test, s.sport, A_PORT);
	KUNIT_EXPECT_EQ(test, s.dport, B_PORT);
	KUNIT_EXPECT_EQ(test, s.has_ts, (bool)w->a.ts_ok);
	KUNIT_EXPECT_FALSE(test, timewait_poll(t, &w->env, w->now, &s));
}

static void expect_silent(struct kunit *test, struct world *w,
			  struct timewait *t)
{
	struct seg s;

	KUNIT_EXPECT_FALSE(test, timewait_poll(t, &w->env, w->now, &s));
}

static void timewait_init__two_msl(struct kunit *test)
{
	struct timewait t;
	struct world *w = left_behind(test, &t, false);

	KUNIT_EXPECT_EQ(test, t.deadline, w->now - SECOND + 60 * SECOND);
	KUNIT_EXPECT_EQ(test, t.id, 1);
	expect_silent(test, w, &t);
}

/* "Acknowledge it, and restart the 2 MSL timeout." */
static void timewait_rx__fin_again(struct kunit *test)
{
	struct timewait t;
	struct world *w = left_behind(test, &t, true);
	struct seg s = at_rcv_nxt(&t, FLAG_FIN | FLAG_ACK);

	s.seq--;
	KUNIT_EXPECT_EQ(test, arrives(w, &t, &s), TIMEWAIT_DROP);
	KUNIT_EXPECT_EQ(test, t.deadline, w->now + 60 * SECOND);
	expect_ack(test, w, &t);
}

/* RFC 7323 section 2.3: the window of its ACK is scaled like all others */
static void timewait_poll__scaled(struct kunit *test)
{
	struct world *w = world_new(test);
	struct timewait t;
	struct seg s;

	w->env.tun.window_scaling = true;
	establish(test, w);
	conn_close(&w->a, w->now);
	carry(w);
	conn_close(&w->b, w->now);
	carry(w);
	timewait_init(&t, &w->a, w->now);
	/* the FIN took one of it */
	KUNIT_EXPECT_EQ(test, t.rcv_wnd, RCV_BUF - 1);
	s = at_rcv_nxt(&t, FLAG_FIN | FLAG_ACK);
	s.seq--;
	KUNIT_EXPECT_EQ(test, arrives(w, &t, &s), TIMEWAIT_DROP);
	KUNIT_ASSERT_TRUE(test, timewait_poll(&t, &w->env, w->now, &s));
	KUNIT_EXPECT_EQ(test, s.wnd, (RCV_BUF - 1) >> 3);
}

/* Any other segment does not restart it. */
static const struct old_param {
	const char *name;
	u8 flags;
	s32 seq;
	u32 len;
	bool answer;
} olds[] = {
	{ "old text", FLAG_ACK, -11, 10, true },
	{ "new text", FLAG_ACK, 0, 10, true },
	{ "an ACK that agrees", FLAG_ACK, 0, 0, false },
	{ "an ACK that does not", FLAG_ACK, -1, 0, true },
	{ "a FIN at another place", FLAG_ACK | FLAG_FIN, 5, 0, true },
	{ "SYN+ACK", FLAG_SYN | FLAG_ACK, 1000, 0, true },
};

NAMED_PARAMS(old_param, olds);

static void timewait_rx__old_segments(struct kunit *test)
{
	const struct old_param *p = test->param_value;
	struct timewait t;
	struct world *w = left_behind(test, &t, false);
	struct seg s = at_rcv_nxt(&t, p->flags);
	u64 deadline = t.deadline;

	s.seq += p->seq;
	s.len = p->len;
	KUNIT_EXPECT_EQ(test, arrives(w, &t, &s), TIMEWAIT_DROP);
	KUNIT_EXPECT_EQ(test, t.deadline, deadline);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_DROP, DROP_TIME_WAIT), 1);
	if (p->answer)
		expect_ack(test, w, &t);
	else
		expect_silent(test, w, &t);
}

static void timewait_rx__answers_limited(struct kunit *test)
{
	struct timewait t;
	struct world *w = left_behind(test, &t, false);
	struct seg s = at_rcv_nxt(&t, FLAG_ACK), out;
	unsigned int n = 0;

	s.len = 1;
	for (int i = 0; i < 50; i++) {
		arrives(w, &t, &s);
		n += timewait_poll(&t, &w->env, w->now, &out);
	}
	KUNIT_EXPECT_EQ(test, n, CHALLENGE_ACKS);
}

/*
 * RFC 6191 section 2: which SYN may open a new connection of the same name.
 * @seq is from RCV.NXT, @ts from the last timestamp seen; @off: they are off here.
 */
static const struct reopen_param {
	const char *name;
	bool ts_before, ts_now;
	s32 seq, ts;
	enum timewait_result result;
	bool off;
} reopens[] = {
	{ "no timestamps, larger", false, false, 1, 0, TIMEWAIT_OPEN, false },
	{ "no timestamps, far larger", false, false, 1000000, 0, TIMEWAIT_OPEN,
	  false },
	/* "larger than the last sequence number used" */
	{ "no timestamps, RCV.NXT itself", false, false, 0, 0, TIMEWAIT_DROP,
	  false },
	{ "no timestamps, smaller", false, false, -1, 0, TIMEWAIT_DROP, false },
	{ "newer timestamp, smaller number", true, true, -1000, 1,
	  TIMEWAIT_OPEN, false },
	{ "same timestamp, larger number", true, true, 1, 0, TIMEWAIT_OPEN,
	  false },
	{ "same timestamp, smaller number", true, true, -1, 0, TIMEWAIT_DROP,
	  false },
	{ "older timestamp, larger number", true, true, 1000, -1, TIMEWAIT_DROP,
	  false },
	{ "timestamps given up, larger", true, false, 1, 0, TIMEWAIT_OPEN,
	  false },
	{ "timestamps given up, smaller", true, false, -1, 0, TIMEWAIT_DROP,
	  false },
	/* the new one would have none: its numbers decide */
	{ "timestamps off, newer, smaller number", true, true, -1000, 10,
	  TIMEWAIT_DROP, true },
	{ "timestamps off, older, larger number", true, true, 1, -10,
	  TIMEWAIT_OPEN, true },
	{ "timestamps off before and now", false, true, -1, 0, TIMEWAIT_DROP,
	  true },
	{ "timestamps are new, smaller", false, true, -1, 0, TIMEWAIT_OPEN,
	  false },
};

NAMED_PARAMS(reopen_param, reopens);

/* RFC 9293 section 3.10.7.4: "larger than the largest sequence number it used" */
static void timewait_next_iss__beyond_the_old(struct kunit *test)
{
	struct timewait t;

	left_behind(test, &t, false);
	KUNIT_EXPECT_TRUE(test, seq_gt(timewait_next_iss(&t, t.snd_nxt - 5),
				       t.snd_nxt));
	KUNIT_EXPECT_EQ(test, timewait_next_iss(&t, t.snd_nxt + 1000000),
			t.snd_nxt + 1000000);
}

static void may_reopen__table(struct kunit *test)
{
	const struct reopen_param *p = test->param_value;
	struct timewait t;
	struct world *w = left_behind(test, &t, p->ts_before);
	struct seg s = at_rcv_nxt(&t, FLAG_SYN);

	w->env.tun.timestamps = !p->off;
	s.seq += p->seq;
	s.has_ts = p->ts_now;
	s.tsval += p->ts;
	KUNIT_EXPECT_EQ(test, arrives(w, &t, &s), p->result);
	if (p->result == TIMEWAIT_DROP)
		expect_ack(test, w, &t);
	else
		expect_silent(test, w, &t);
}

/* Nobody listens: the peer is told, but not for ever (RFC 5961 section 7). */
static void timewait_stay__answers(struct kunit *test)
{
	struct timewait t;
	struct world *w = left_behind(test, &t, true);
	struct seg s = at_rcv_nxt(&t, FLAG_SYN);
	u64 deadline = t.deadline;

	s.tsval++;
	for (int i = 0; i < CHALLENGE_ACKS; i++) {
		KUNIT_EXPECT_EQ(test, arrives(w, &t, &s), TIMEWAIT_OPEN);
		KUNIT_EXPECT_EQ(test, timewait_stay(&t, &w->env, &s, w->now),
				DROP_TIME_WAIT);
		expect_ack(test, w, &t);
	}
	timewait_stay(&t, &w->env, &s, w->now);
	expect_silent(test, w, &t);
	KUNIT_EXPECT_EQ(test, t.deadline, deadline);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_DROP, DROP_TIME_WAIT),
			CHALLENGE_ACKS + 1);
}

/* Only the exact number ends it (RFC 5961 section 3.2). */
static void rx_rst__exact(struct kunit *test)
{
	struct timewait t;
	struct world *w = left_behind(test, &t, true);
	struct seg s = at_rcv_nxt(&t, FLAG_RST);

	KUNIT_EXPECT_EQ(test, arrives(w, &t, &s), TIMEWAIT_GONE);
	timewait_end(&t, &w->env, w->now);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->cause, BY_RCVD_RST);
}

static void rx_rst__in_window(struct kunit *test)
{
	struct timewait t;
	struct world *w = left_behind(test, &t, false);
	struct seg s = at_rcv_nxt(&t, FLAG_RST);

	s.seq++;
	KUNIT_EXPECT_EQ(test, arrives(w, &t, &s), TIMEWAIT_DROP);
	expect_ack(test, w, &t);
}

static void rx_rst__outside(struct kunit *test)
{
	struct timewait t;
	struct world *w = left_behind(test, &t, false);
	struct seg s = at_rcv_nxt(&t, FLAG_RST);

	s.seq--;
	KUNIT_EXPECT_EQ(test, arrives(w, &t, &s), TIMEWAIT_DROP);
	expect_silent(test, w, &t);
	s.seq = t.rcv_nxt + t.rcv_wnd + 1;
	KUNIT_EXPECT_EQ(test, arrives(w, &t, &s), TIMEWAIT_DROP);
	expect_silent(test, w, &t);
	/* where that of a peer stands whose window is full */
	s.seq--;
	KUNIT_EXPECT_EQ(test, arrives(w, &t, &s), TIMEWAIT_DROP);
	expect_ack(test, w, &t);
}

/*
 * RFC 7323 appendix B.2: when a connection of ours may take the name. @after is
 * from the peer's last timestamp, @iss from SND.NXT.
 */
static const struct yield_param {
	const char *name;
	bool ts_before, ts_now, named, loopback;
	u32 reuse;
	s64 after;
	s32 iss;
	bool yields;
} yield_rows[] = {
	{ "on loopback, after a tick", true, true, false, true,
	  TW_REUSE_LOOPBACK, SECOND, 0, true },
	{ "before a tick", true, true, false, true, TW_REUSE_LOOPBACK,
	  SECOND - 1, 0, false },
	{ "begins among the old numbers", true, true, false, true,
	  TW_REUSE_LOOPBACK, SECOND, -1, false },
	{ "not on loopback", true, true, false, false, TW_REUSE_LOOPBACK,
	  SECOND, 0, false },
	{ "not on loopback, anywhere", true, true, false, false, 1, SECOND, 0,
	  true },
	{ "on loopback, nowhere", true, true, false, true, 0, SECOND, 0,
	  false },
	{ "no timestamps before", false, true, false, true, TW_REUSE_LOOPBACK,
	  SECOND, 0, false },
	{ "no timestamps now", true, false, false, true, TW_REUSE_LOOPBACK,
	  SECOND, 0, false },
	{ "a port by its name", true, true, true, false, 0, 0, -1, true },
	{ "a port by its name, no timestamps before", false, true, true, true,
	  1, SECOND, 0, false },
};

NAMED_PARAMS(yield_param, yield_rows);

static void timewait_yields__table(struct kunit *test)
{
	const struct yield_param *p = test->param_value;
	struct timewait t;
	struct world *w = left_behind(test, &t, p->ts_before);
	struct timewait_claim cl = {
		.iss = t.snd_nxt + p->iss,
		.named = p->named,
		.loopback = p->loopback,
	};

	w->env.tun.timestamps = p->ts_now;
	w->env.tun.timewait_reuse = p->reuse;
	KUNIT_EXPECT_EQ(test,
			timewait_yields(&t, &w->env, &cl,
					t.ts_recent_at + p->after),
			p->yields);
}

/* What went before its time says why, and is none that lasted. */
static void timewait_stop__traces(struct kunit *test)
{
	struct timewait t;
	struct world *w = left_behind(test, &t, false);

	timewait_stop(&t, BY_USER_OPEN);
	timewait_end(&t, &w->env, t.deadline + 1);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->cause, BY_USER_OPEN);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_TIME_WAIT), 0);
}

static void timewait_end__traces(struct kunit *test)
{
	struct timewait t;
	struct world *w = left_behind(test, &t, false);

	timewait_end(&t, &w->env, t.deadline);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_TIME_WAIT), 1);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->cause, BY_T_TIME_WAIT);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->old, ST_TIME_WAIT);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->new, ST_CLOSED);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->conn, 1);
}

/* --- FIN_WAIT_2 without a user --- */

/* What @a leaves behind: its FIN is acknowledged, @b has not closed. */
static struct world *waiting(struct kunit *test, struct timewait *t,
			     bool timestamps)
{
	struct world *w = world_new(test);

	w->env.tun.timestamps = timestamps;
	establish(test, w);
	conn_close(&w->a, w->now);
	carry(w);
	KUNIT_ASSERT_EQ(test, w->a.state, ST_FIN_WAIT_2);
	KUNIT_EXPECT_FALSE(test, timewait_suffices(&w->a));
	conn_release(&w->a, w->now);
	KUNIT_EXPECT_TRUE(test, timewait_suffices(&w->a));
	timewait_init(t, &w->a, w->now);
	KUNIT_ASSERT_EQ(test, t->state, ST_FIN_WAIT_2);
	KUNIT_EXPECT_EQ(test, t->deadline, w->now + FIN_TIMEOUT);
	w->now += SECOND;
	forget_events(w);
	return w;
}

static void fin_wait_end__time_wait(struct kunit *test)
{
	struct timewait t;
	struct world *w = waiting(test, &t, true);
	struct seg s = at_rcv_nxt(&t, FLAG_FIN | FLAG_ACK), ack;

	s.tsval += 5;
	KUNIT_EXPECT_EQ(test, arrives(w, &t, &s), TIMEWAIT_DROP);
	KUNIT_EXPECT_EQ(test, t.state, ST_TIME_WAIT);
	KUNIT_EXPECT_EQ(test, t.deadline, w->now + 60 * SECOND);
	KUNIT_EXPECT_EQ(test, t.rcv_nxt, B0 + 1);
	KUNIT_EXPECT_EQ(test, t.rcv_wnd, RCV_BUF - 1);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->old, ST_FIN_WAIT_2);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->new, ST_TIME_WAIT);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->cause, BY_RCVD_FIN);
	KUNIT_ASSERT_TRUE(test, timewait_poll(&t, &w->env, w->now, &ack));
	KUNIT_EXPECT_EQ(test, ack.cause, BY_ACK_FIN);
	KUNIT_EXPECT_EQ(test, ack.ack, B0 + 1);
	KUNIT_EXPECT_EQ(test, ack.tsecr, s.tsval);
	/* and from now on the rules of TIME_WAIT */
	KUNIT_EXPECT_EQ(test, arrives(w, &t, &s), TIMEWAIT_DROP);
	expect_ack(test, w, &t);
	timewait_end(&t, &w->env, t.deadline);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_TIME_WAIT), 1);
}

/* It goes without a FIN: no TIME_WAIT that has lasted. */
static void fin_wait_end__never(struct kunit *test)
{
	struct timewait t;
	struct world *w = waiting(test, &t, false);

	timewait_end(&t, &w->env, t.deadline);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_TIME_WAIT), 0);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->cause, BY_T_FIN);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->old, ST_FIN_WAIT_2);
}

/* RFC 9293 section 3.6.1: nobody is left to read it */
static void fin_wait_rx_text__resets(struct kunit *test)
{
	struct timewait t;
	struct world *w = waiting(test, &t, false);
	struct seg s = at_rcv_nxt(&t, FLAG_ACK | FLAG_FIN), rst;
	enum cause drop;

	s.len = 1;
	KUNIT_EXPECT_EQ(test, timewait_rx(&t, &w->env, &s, w->now, &drop),
			TIMEWAIT_GONE);
	KUNIT_EXPECT_EQ(test, drop, DROP_AFTER_CLOSE);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_ABORT_ON_DATA), 1);
	KUNIT_ASSERT_TRUE(test, timewait_poll(&t, &w->env, w->now, &rst));
	KUNIT_EXPECT_EQ(test, rst.flags, FLAG_RST | FLAG_ACK);
	KUNIT_EXPECT_EQ(test, rst.seq, A0 + 1);
	KUNIT_EXPECT_EQ(test, rst.cause, BY_RESET);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_OUT_RSTS), 1);
	expect_silent(test, w, &t);
	timewait_end(&t, &w->env, w->now);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->cause, BY_CLOSED_UNREAD);
}

/*
 * Each step of section 3.10.7.4; @seq is from RCV.NXT, @ack from SND.NXT, @ts
 * from the last timestamp. @answer: the cause of an ACK.
 */
static const struct fin_wait_param {
	const char *name;
	u8 flags;
	s32 seq, ack, ts;
	u32 len;
	enum timewait_result result;
	enum cause drop, answer;
} fin_waits[] = {
	{ "an ACK that agrees", FLAG_ACK, 0, 0, 0, 0, TIMEWAIT_DROP, 0, 0 },
	{ "a keep-alive", FLAG_ACK, -1, 0, 0, 0, TIMEWAIT_DROP,
	  DROP_OLD_DUPLICATE, BY_ACK_UNACCEPTABLE },
	{ "old text", FLAG_ACK, -10, 0, 0, 10, TIMEWAIT_DROP,
	  DROP_OLD_DUPLICATE, BY_ACK_UNACCEPTABLE },
	{ "old text, and the FIN", FLAG_ACK | FLAG_FIN, -10, 0, 0, 10,
	  TIMEWAIT_DROP, 0, BY_ACK_FIN },
	{ "text beyond the window", FLAG_ACK, RCV_BUF, 0, 0, 1, TIMEWAIT_DROP,
	  DROP_OUT_OF_WINDOW, BY_ACK_UNACCEPTABLE },
	{ "text behind a hole", FLAG_ACK, 10, 0, 0, 1, TIMEWAIT_GONE,
	  DROP_AFTER_CLOSE, BY_RESET },
	{ "a FIN behind a hole", FLAG_ACK | FLAG_FIN, 10, 0, 0, 0,
	  TIMEWAIT_DROP, 0, BY_ACK_DUP },
	{ "an old timestamp", FLAG_ACK, 0, 0, -1, 10, TIMEWAIT_DROP, DROP_PAWS,
	  BY_ACK_UNACCEPTABLE },
	{ "RST in its place", FLAG_RST, 0, 0, 0, 0, TIMEWAIT_GONE, 0, 0 },
	{ "RST with an old timestamp", FLAG_RST, 0, 0, -1, 0, TIMEWAIT_GONE, 0,
	  0 },
	{ "RST in the window", FLAG_RST, 1, 0, 0, 0, TIMEWAIT_DROP,
	  DROP_RST_CHALLENGED, BY_ACK_CHALLENGE },
	{ "RST right behind it", FLAG_RST, RCV_BUF, 0, 0, 0, TIMEWAIT_DROP,
	  DROP_RST_CHALLENGED, BY_ACK_CHALLENGE },
	{ "RST beyond it", FLAG_RST, RCV_BUF + 1, 0, 0, 0, TIMEWAIT_DROP,
	  DROP_OUT_OF_WINDOW, 0 },
	{ "SYN", FLAG_SYN, 10, 0, 5, 0, TIMEWAIT_DROP, DROP_SYN_CHALLENGED,
	  BY_ACK_CHALLENGE },
	{ "no ACK bit", FLAG_FIN, 0, 0, 0, 0, TIMEWAIT_DROP, DROP_NO_ACK, 0 },
	{ "an ACK of what was not sent", FLAG_ACK | FLAG_FIN, 0, 1, 0, 0,
	  TIMEWAIT_DROP, DROP_ACK_UNSENT, BY_ACK_CHALLENGE },
	{ "an ACK of long ago", FLAG_ACK | FLAG_FIN, 0, -RCV_BUF - 1, 0, 0,
	  TIMEWAIT_DROP, DROP_ACK_TOO_OLD, BY_ACK_CHALLENGE },
};

NAMED_PARAMS(fin_wait_param, fin_waits);

static void fin_wait_rx__table(struct kunit *test)
{
	const struct fin_wait_param *p = test->param_value;
	struct timewait t;
	struct world *w = waiting(test, &t, true);
	struct seg s = at_rcv_nxt(&t, p->flags), out = {};
	enum cause drop;

	s.seq += p->seq;
	s.ack += p->ack;
	s.tsval += p->ts;
	s.len = p->len;
	KUNIT_EXPECT_EQ(test, timewait_rx(&t, &w->env, &s, w->now, &drop),
			p->result);
	KUNIT_EXPECT_EQ(test, drop, p->drop);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_DROP, p->drop), !!p->drop);
	KUNIT_EXPECT_EQ(test, timewait_poll(&t, &w->env, w->now, &out),
			!!p->answer);
	KUNIT_EXPECT_EQ(test, out.cause, p->answer);
	if (p->answer != BY_ACK_FIN)
		KUNIT_EXPECT_EQ(test, t.state, ST_FIN_WAIT_2);
}

static void fin_wait_rx__no_timestamp(struct kunit *test)
{
	struct timewait t;
	struct world *w = waiting(test, &t, true);
	struct seg s = at_rcv_nxt(&t, FLAG_ACK | FLAG_FIN);
	enum cause drop;

	s.has_ts = false;
	timewait_rx(&t, &w->env, &s, w->now, &drop);
	KUNIT_EXPECT_EQ(test, drop, DROP_NO_TIMESTAMP);
	expect_silent(test, w, &t);
}

/* The peer may still speak: neither a SYN nor an open of ours takes the name. */
static void fin_wait__keeps_its_name(struct kunit *test)
{
	struct timewait t;
	struct world *w = waiting(test, &t, true);
	const struct timewait_claim cl = {
		.iss = t.snd_nxt + 1000,
		.named = true,
		.loopback = true,
	};

	KUNIT_EXPECT_FALSE(test, timewait_yields(&t, &w->env, &cl,
						 w->now + 10 * SECOND));
}

/* Section 3.10.5: FIN_WAIT_2 owes the peer a RST, TIME_WAIT does not. */
static void timewait_abort__resets(struct kunit *test)
{
	struct timewait t;
	struct world *w = waiting(test, &t, false);
	struct seg s;

	timewait_abort(&t);
	KUNIT_ASSERT_TRUE(test, timewait_poll(&t, &w->env, w->now, &s));
	KUNIT_EXPECT_EQ(test, s.flags, FLAG_RST | FLAG_ACK);
	t.state = ST_TIME_WAIT;
	timewait_abort(&t);
	expect_silent(test, w, &t);
	timewait_end(&t, &w->env, t.deadline);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->cause, BY_USER_ABORT);
}

/* No ACK is left to be delayed when the record takes over. */
static void conn_await_fin__acks(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	w->a.quickacks = 0;
	conn_close(&w->a, w->now);
	carry(w);
	s = text_from_peer(&w->a, 10);
	deliver(w, &w->a, &s);
	conn_read(&w->a, 10, w->now);
	expect_silence(test, w, &w->a);
	conn_release(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).ack, B0 + 10);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_TRUE(test, timewait_suffices(&w->a));
}

static struct kunit_case timewait_cases[] = {
	KUNIT_CASE(timewait_init__two_msl),
	KUNIT_CASE_PARAM(may_reopen__table, reopens_row_gen_params),
	KUNIT_CASE(timewait_next_iss__beyond_the_old),
	KUNIT_CASE(timewait_stay__answers),
	KUNIT_CASE(rx_rst__exact),
	KUNIT_CASE(rx_rst__in_window),
	KUNIT_CASE(rx_rst__outside),
	KUNIT_CASE(timewait_rx__fin_again),
	KUNIT_CASE(timewait_poll__scaled),
	KUNIT_CASE_PARAM(timewait_rx__old_segments, olds_row_gen_params),
	KUNIT_CASE(timewait_rx__answers_limited),
	KUNIT_CASE_PARAM(timewait_yields__table, yield_rows_row_gen_params),
	KUNIT_CASE(fin_wait_end__time_wait),
	KUNIT_CASE(fin_wait_end__never),
	KUNIT_CASE(fin_wait_rx_text__resets),
	KUNIT_CASE_PARAM(fin_wait_rx__table, fin_waits_row_gen_params),
	KUNIT_CASE(fin_wait_rx__no_timestamp),
	KUNIT_CASE(fin_wait__keeps_its_name),
	KUNIT_CASE(timewait_abort__resets),
	KUNIT_CASE(conn_await_fin__acks),
	KUNIT_CASE(timewait_stop__traces),
	KUNIT_CASE(timewait_end__traces),
	{}
};

static struct kunit_suite chalk_timewait = {
	.name = "chalk_timewait",
	.test_cases = timewait_cases,
};

kunit_test_suite(chalk_timewait);
