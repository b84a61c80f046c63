// SPDX-License-Identifier: GPL-2.0
/*
 * small_test.c - the small files: env, emit, isn, challenge, reply
 */
#include <kunit/test.h>

#include "../core/challenge.h"
#include "../core/isn.h"
#include "../core/reply.h"
#include "helper.h"

/* --- env --- */

static void tunables_init__defaults(struct kunit *test)
{
	struct tunables t;

	memset(&t, 0xff, sizeof(t));
	tunables_init(&t);
	KUNIT_EXPECT_EQ(test, t.init_cwnd, 10);
	KUNIT_EXPECT_EQ(test, t.rto_init, SECOND);
	KUNIT_EXPECT_EQ(test, t.rto_min, 200 * MS);
	/* RFC 6298 (2.5): "at least 60 seconds" */
	KUNIT_EXPECT_GE(test, t.rto_max, 60 * SECOND);
	/* RFC 9293 section 3.8.6.3: "less than 0.5 seconds" */
	KUNIT_EXPECT_LT(test, t.delack, 500 * MS);
	/* section 3.8.4: "no less than two hours" */
	KUNIT_EXPECT_GE(test, t.keep_idle, 7200 * SECOND);
	KUNIT_EXPECT_TRUE(test, t.timestamps && t.window_scaling);
	KUNIT_EXPECT_PTR_EQ(test, t.cc, &cc_newreno);
}

/* --- emit --- */

static void emit__not_while_nobody_reads(struct kunit *test)
{
	struct world *w = world_new(test);

	w->env.tracing = false;
	establish(test, w);
	write_and_send(w, &w->a, 5000);
	elapse(w, SECOND);
	conn_abort(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, w->n_ev, 0);
}

/* A record shows the connection as it is, and the window of the header. */
static void emit_conn_segment__fields(struct kunit *test)
{
	struct world *w = connected(test);
	const struct event *ev;
	struct seg s;

	write_and_send(w, &w->a, 1500);
	w->a.snd_wscale = 3;
	s = text_from_peer(&w->a, 10);
	s.ack = A0 + 1000;
	s.wnd = 2000;
	s.flags |= FLAG_PSH;
	forget_events(w);
	deliver(w, &w->a, &s);
	ev = &w->ev[0];
	KUNIT_EXPECT_EQ(test, ev->kind, EV_RECV);
	KUNIT_EXPECT_EQ(test, ev->conn, 1);
	KUNIT_EXPECT_EQ(test, ev->state, ST_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, ev->flags, FLAG_ACK | FLAG_PSH);
	KUNIT_EXPECT_EQ(test, ev->seq, B0);
	KUNIT_EXPECT_EQ(test, ev->ack, A0 + 1000);
	KUNIT_EXPECT_EQ(test, ev->len, 10);
	KUNIT_EXPECT_EQ(test, ev->wnd, 2000 << 3);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_SND_WND)->new, 2000 << 3);
	elapse(w, SECOND);
	ev = last_event(w, EV_CWND);
	KUNIT_EXPECT_EQ(test, ev->snd_una, A0 + 1000);
	KUNIT_EXPECT_EQ(test, ev->snd_nxt, A0 + 1500);
	KUNIT_EXPECT_EQ(test, ev->rcv_nxt, B0 + 10);
	KUNIT_EXPECT_EQ(test, ev->unread, 10);
	KUNIT_EXPECT_EQ(test, ev->cwnd, w->a.cc.cwnd);
	KUNIT_EXPECT_EQ(test, ev->snd_wnd, 2000 << 3);
}

/* Every change of state, cwnd and ssthresh says why. */
static void emit__never_without_cause(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 20000);
	dup_acks(w, &w->a, 4);
	lose_all(w, &w->a);
	ack_all(w, &w->a);
	conn_close(&w->a, w->now);
	carry(w);
	conn_close(&w->b, w->now);
	carry(w);
	KUNIT_ASSERT_LT(test, w->n_ev, WORLD_EVENTS);
	KUNIT_EXPECT_GT(test, w->n_ev, 30);
	for (unsigned int i = 0; i < w->n_ev; i++) {
		KUNIT_EXPECT_NE(test, w->ev[i].cause, BY_NONE);
		KUNIT_EXPECT_EQ(test, w->ev[i].cause >= DROP_FIRST,
				w->ev[i].kind == EV_DROP);
	}
}

/* --- isn: RFC 6528, RFC 9293 section 3.4.1 --- */

static void isn__ticks_every_4_us(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, isn(0, 0), 0);
	KUNIT_EXPECT_EQ(test, isn(100, 3), 100);
	KUNIT_EXPECT_EQ(test, isn(100, 4), 101);
	KUNIT_EXPECT_EQ(test, isn(0xffffffff, 8), 1);
	/* the clock comes round after 4.77 hours */
	KUNIT_EXPECT_EQ(test, isn(7, 4ULL << 32), 7);
}

/* --- challenge: RFC 5961 section 7 --- */

static void challenge_allowed__ten_in_five_seconds(struct kunit *test)
{
	struct world *w = world_new(test);
	struct challenge ch = {};
	u64 now = 100 * SECOND;

	for (int period = 0; period < 3; period++) {
		for (int i = 0; i < CHALLENGE_ACKS; i++)
			KUNIT_EXPECT_TRUE(test,
					  challenge_allowed(&ch, &w->env, now));
		KUNIT_EXPECT_FALSE(test, challenge_allowed(&ch, &w->env, now));
		now += CHALLENGE_PERIOD - 1;
		KUNIT_EXPECT_FALSE(test, challenge_allowed(&ch, &w->env, now));
		now += 1;
	}
	KUNIT_EXPECT_EQ(test, counted(w, MIB_CHALLENGE_SKIPPED), 2 * 3);
}

static void challenge_allowed__at_the_beginning_of_time(struct kunit *test)
{
	struct world *w = world_new(test);
	struct challenge ch = {};

	KUNIT_EXPECT_TRUE(test, challenge_allowed(&ch, &w->env, 0));
	KUNIT_EXPECT_EQ(test, counted(w, MIB_CHALLENGE_SKIPPED), 0);
}

/* --- reply: RFC 9293 section 3.5.2, group 1 --- */

/* "takes its sequence number from the ACK field" */
static void reply_reset__to_ack(struct kunit *test)
{
	const struct seg in = { .sport = 1,
				.dport = 2,
				.seq = 100,
				.ack = 200,
				.len = 10,
				.flags = FLAG_ACK };
	struct seg out;

	KUNIT_ASSERT_TRUE(test, reply_reset(&in, &out));
	KUNIT_EXPECT_EQ(test, out.flags, FLAG_RST);
	KUNIT_EXPECT_EQ(test, out.seq, 200);
	KUNIT_EXPECT_EQ(test, out.sport, 2);
	KUNIT_EXPECT_EQ(test, out.dport, 1);
	KUNIT_EXPECT_EQ(test, out.cause, BY_RESET);
}

/* "otherwise ... sequence number zero and the ACK field is set to the sum" */
static void reply_reset__to_syn(struct kunit *test)
{
	const struct seg in = { .sport = 1,
				.dport = 2,
				.seq = 0xffffffff,
				.len = 10,
				.flags = FLAG_SYN | FLAG_FIN };
	struct seg out;

	KUNIT_ASSERT_TRUE(test, reply_reset(&in, &out));
	KUNIT_EXPECT_EQ(test, out.flags, FLAG_RST | FLAG_ACK);
	KUNIT_EXPECT_EQ(test, out.seq, 0);
	KUNIT_EXPECT_EQ(test, out.ack, 11);
}

static void reply_reset__never_to_rst(struct kunit *test)
{
	struct seg in = { .flags = FLAG_RST }, out;

	KUNIT_EXPECT_FALSE(test, reply_reset(&in, &out));
	in.flags |= FLAG_ACK;
	KUNIT_EXPECT_FALSE(test, reply_reset(&in, &out));
}

static struct kunit_case small_cases[] = {
	KUNIT_CASE(tunables_init__defaults),
	KUNIT_CASE(emit__not_while_nobody_reads),
	KUNIT_CASE(emit_conn_segment__fields),
	KUNIT_CASE(emit__never_without_cause),
	KUNIT_CASE(isn__ticks_every_4_us),
	KUNIT_CASE(challenge_allowed__ten_in_five_seconds),
	KUNIT_CASE(challenge_allowed__at_the_beginning_of_time),
	KUNIT_CASE(reply_reset__to_ack),
	KUNIT_CASE(reply_reset__to_syn),
	KUNIT_CASE(reply_reset__never_to_rst),
	{}
};

static struct kunit_suite chalk_small = {
	.name = "chalk_small",
	.test_cases = small_cases,
};

kunit_test_suite(chalk_small);
