// SPDX-License-Identifier: GPL-2.0
/*
 * mib_test.c - what is counted for all connections together
 */
#include <kunit/test.h>

#include "../core/mib.h"
#include "../core/window.h"
#include "helper.h"

/* --- RFC 4022: transitions --- */

static void mib__both_opens(struct kunit *test)
{
	struct world *w = connected(test);

	KUNIT_EXPECT_EQ(test, counted(w, MIB_ACTIVE_OPENS), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_PASSIVE_OPENS), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_CURR_ESTAB), 2);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_OUT_SEGS), 3);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_RETRANS_SEGS), 0);
}

/* CLOSE_WAIT still counts, FIN_WAIT does not. */
static void mib__half_closed(struct kunit *test)
{
	struct world *w = connected(test);

	conn_close(&w->a, w->now);
	carry(w);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_CLOSE_WAIT);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_CURR_ESTAB), 1);
	conn_close(&w->b, w->now);
	carry(w);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_CURR_ESTAB), 0);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_ESTAB_RESETS), 0);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_ATTEMPT_FAILS), 0);
}

static void mib__attempt_fails(struct kunit *test)
{
	struct world *w = world_new(test);

	open_a(w);
	conn_close(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_ATTEMPT_FAILS), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_ESTAB_RESETS), 0);
}

static void mib__reset_by_either(struct kunit *test)
{
	struct world *w = connected(test);

	conn_abort(&w->a, w->now);
	carry(w);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_CLOSED);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_ESTAB_RESETS), 2);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_OUT_RSTS), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_CURR_ESTAB), 0);
}

/* --- what is sent --- */

static void mib__packets_of_a_segment(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 2 * MSS + 10);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_OUT_SEGS), 3 + 3);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_DATA_SENT), 3);
}

static void mib__fast_retransmit(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 5 * MSS);
	dup_acks(w, &w->a, 3);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_RECOVERY), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_FAST_RETRANS), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_RETRANS_SEGS), 1);
	/* a partial ACK calls for the next */
	ack_upto(w, &w->a, A0 + MSS);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_FAST_RETRANS), 2);
	elapse(w, 10 * SECOND);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_RECOVERY_FAIL), 1);
}

/* The first segment after a timeout is the timer's, the others slow start's. */
static void mib__slow_start_after_timeout(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 5 * MSS);
	elapse(w, 3 * SECOND);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_TIMEOUTS), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_RETRANS_SEGS), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_SLOW_START_RETRANS), 0);
	ack_upto(w, &w->a, A0 + MSS);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_SLOW_START_RETRANS), 2);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_RETRANS_SEGS), 3);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_DATA_SENT), 5);
}

static void mib__fin_again(struct kunit *test)
{
	struct world *w = connected(test);

	conn_close(&w->a, w->now);
	lose_all(w, &w->a);
	elapse(w, 3 * SECOND);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_RETRANS_SEGS), 1);
	KUNIT_EXPECT_EQ(test, w->a.stats.retrans_segs, 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_OUT_SEGS), 3 + 1);
}

static void mib__syn_again(struct kunit *test)
{
	struct world *w = world_new(test);

	open_a(w);
	lose_all(w, &w->a);
	elapse(w, SECOND);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_TIMEOUTS), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_SYN_RETRANS), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_RETRANS_SEGS), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_OUT_SEGS), 1);
}

static void mib__synack_again(struct kunit *test)
{
	struct conn_config cfg = config_b();
	struct world *w = world_new(test);
	struct seg s = { .flags = FLAG_SYN, .mss = MSS, .wnd = 1000 };

	req_init(&w->req, &w->env, &cfg, &s, w->now);
	KUNIT_EXPECT_TRUE(test, req_poll(&w->req, &w->env, w->now, &s));
	w->now += SECOND;
	KUNIT_EXPECT_TRUE(test, req_tick(&w->req, &w->env, w->now));
	KUNIT_EXPECT_TRUE(test, req_poll(&w->req, &w->env, w->now, &s));
	KUNIT_EXPECT_EQ(test, counted(w, MIB_TIMEOUTS), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_SYN_RETRANS), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_RETRANS_SEGS), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_OUT_SEGS), 1);
}

/* --- windows --- */

static void mib__zero_window(struct kunit *test)
{
	struct world *w = connected(test);

	conn_write(&w->a, 2 * RCV_BUF, false);
	carry(w);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_TO_ZERO_WINDOW), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_FROM_ZERO_WINDOW), 0);
	elapse(w, 3 * SECOND);
	carry(w);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_WIN_PROBE), 1);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_NONE);
	conn_read(&w->b, RCV_BUF, w->now);
	carry(w);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_FROM_ZERO_WINDOW), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_TO_ZERO_WINDOW), 2);
}

/* What is left rounds up to a unit: it is shut when that is full. */
static void mib__zero_window_scaled(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	w->a.rcv_wscale = 7;
	while (window_left(&w->a)) {
		KUNIT_EXPECT_EQ(test, counted(w, MIB_TO_ZERO_WINDOW), 0);
		s = text_from_peer(&w->a, min_t(u32, MSS, window_left(&w->a)));
		deliver(w, &w->a, &s);
		elapse(w, SECOND);
		lose_all(w, &w->a);
	}
	KUNIT_EXPECT_EQ(test, counted(w, MIB_TO_ZERO_WINDOW), 1);
	conn_read(&w->a, RCV_BUF / 2, w->now);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_FROM_ZERO_WINDOW), 1);
}

/* The buffer shrinks while a window is open: it can't be taken back. */
static void mib__want_zero_window(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, MSS);

	conn_set_rcv_buf(&w->a, MSS, w->now);
	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_WANT_ZERO_WINDOW), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_TO_ZERO_WINDOW), 0);
}

/* A window that is shut is what was wanted. */
static void mib__zero_window_is_no_wish(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, RCV_BUF);

	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_TO_ZERO_WINDOW), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_WANT_ZERO_WINDOW), 0);
}

/* --- segments that are refused --- */

static void mib__challenge(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = from_peer(&w->a);

	s.flags |= FLAG_SYN;
	for (int i = 0; i < CHALLENGE_ACKS + 2; i++) {
		deliver(w, &w->a, &s);
		lose_all(w, &w->a);
	}
	KUNIT_EXPECT_EQ(test, counted(w, MIB_CHALLENGE_ACK), CHALLENGE_ACKS);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_CHALLENGE_SKIPPED), 2);
}

static void mib__old_duplicate(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 10);

	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_DELAYED_ACK_LOST), 0);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_DELAYED_ACK_LOST), 1);
}

static void mib__no_room_for_early(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 10);

	s.seq += 100;
	s.no_room = true;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_OOO_RCVBUF);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_EARLY), 0);
	s.no_room = false;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_EARLY), 1);
}

/* --- ends --- */

static void mib__abort_on_close(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 10);

	deliver(w, &w->a, &s);
	conn_release(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_ABORT_ON_CLOSE), 1);
}

static void mib__abort_on_data(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 10);

	conn_release(&w->a, w->now);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_ABORT_ON_DATA), 1);
}

static void mib__abort_on_linger(struct kunit *test)
{
	struct world *w = connected(test);

	w->a.opt.fin_timeout = -1;
	conn_release(&w->a, w->now);
	carry(w);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_ABORT_ON_LINGER), 1);
}

static void mib__abort_on_timeout(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 10);
	w->a.opt.user_timeout = SECOND;
	elapse(w, 3 * SECOND);
	lose_all(w, &w->a);
	elapse(w, 10 * SECOND);
	KUNIT_EXPECT_EQ(test, w->a.err, ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_ABORT_ON_TIMEOUT), 1);
}

static void mib__time_wait(struct kunit *test)
{
	struct world *w = connected(test);
	struct timewait t;

	w->a.state = ST_TIME_WAIT;
	timewait_init(&t, &w->a, w->now);
	timewait_end(&t, &w->env, w->now + SECOND);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_TIME_WAIT), 0);
	timewait_end(&t, &w->env, t.deadline);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_TIME_WAIT), 1);
}

static struct kunit_case mib_cases[] = {
	KUNIT_CASE(mib__both_opens),
	KUNIT_CASE(mib__half_closed),
	KUNIT_CASE(mib__attempt_fails),
	KUNIT_CASE(mib__reset_by_either),
	KUNIT_CASE(mib__packets_of_a_segment),
	KUNIT_CASE(mib__fast_retransmit),
	KUNIT_CASE(mib__slow_start_after_timeout),
	KUNIT_CASE(mib__fin_again),
	KUNIT_CASE(mib__syn_again),
	KUNIT_CASE(mib__synack_again),
	KUNIT_CASE(mib__zero_window),
	KUNIT_CASE(mib__zero_window_scaled),
	KUNIT_CASE(mib__want_zero_window),
	KUNIT_CASE(mib__zero_window_is_no_wish),
	KUNIT_CASE(mib__challenge),
	KUNIT_CASE(mib__old_duplicate),
	KUNIT_CASE(mib__no_room_for_early),
	KUNIT_CASE(mib__abort_on_close),
	KUNIT_CASE(mib__abort_on_data),
	KUNIT_CASE(mib__abort_on_linger),
	KUNIT_CASE(mib__abort_on_timeout),
	KUNIT_CASE(mib__time_wait),
	{},
};

static struct kunit_suite mib_suite = {
	.name = "chalk_mib",
	.test_cases = mib_cases,
};

kunit_test_suite(mib_suite);
