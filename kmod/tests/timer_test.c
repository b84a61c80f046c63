// SPDX-License-Identifier: GPL-2.0
/*
 * timer_test.c - what falls due, and what then happens
 */
#include <kunit/test.h>

#include "../core/timer.h"
#include "helper.h"

static void timer_set__traces(struct kunit *test)
{
	struct world *w = connected(test);

	timer_set(&w->a, TIMER_KEEP, 5 * SECOND, w->now);
	KUNIT_EXPECT_TRUE(test, timer_is_set(&w->a, TIMER_KEEP));
	KUNIT_EXPECT_EQ(test, last_event(w, EV_TIMER_SET)->cause, BY_T_KEEP);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_TIMER_SET)->new, 5 * SECOND);
	timer_stop(&w->a, TIMER_KEEP);
	KUNIT_EXPECT_FALSE(test, timer_is_set(&w->a, TIMER_KEEP));
}

/* A shut window changes the name of one timer only. */
static void timer_cause__while_persisting(struct kunit *test)
{
	struct world *w = connected(test);

	offer_window(w, &w->a, 0);
	write_and_send(w, &w->a, MSS);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_TIMER_SET)->cause, BY_T_PERSIST);
	timer_set(&w->a, TIMER_KEEP, SECOND, w->now);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_TIMER_SET)->cause, BY_T_KEEP);
}

/* Two hours are more microseconds than 32 bits can tell. */
static void timer_set__beyond_the_field(struct kunit *test)
{
	struct world *w = connected(test);

	conn_set_keepalive(&w->a, true, w->now);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_TIMER_SET)->new, U32_MAX);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + KEEP_IDLE);
}

static void conn_deadline__least(struct kunit *test)
{
	struct world *w = connected(test);

	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), NEVER);
	timer_set(&w->a, TIMER_FIN, 30, w->now);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + 30);
	timer_set(&w->a, TIMER_RTX, 10, w->now);
	timer_set(&w->a, TIMER_DELACK, 20, w->now);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + 10);
	timer_stop_all(&w->a);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), NEVER);
}

static void conn_tick__not_before_deadline(struct kunit *test)
{
	struct world *w = connected(test);
	u64 rto = rtt_rto(&w->a.rtt);

	write_and_send(w, &w->a, MSS);
	elapse(w, rto - 1);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_TIMER_FIRED, 0), 0);
	expect_silence(test, w, &w->a);
	elapse(w, 1);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_TIMER_FIRED, BY_T_RTX), 1);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
}

/* RFC 6298 (5.5): a SYN goes out again after 1, 2, 4, ... 32 seconds. */
static void rtx_fired__syn(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s;

	open_a(w);
	s = next_seg(test, w, &w->a);
	for (u32 i = 0; i < SYN_RETRIES; i++) {
		elapse(w, (SECOND << i) - 1);
		expect_silence(test, w, &w->a);
		elapse(w, 1);
		s = next_seg(test, w, &w->a);
		KUNIT_EXPECT_EQ(test, s.flags, FLAG_SYN);
		KUNIT_EXPECT_EQ(test, s.seq, A_ISS);
		KUNIT_EXPECT_EQ(test, s.cause, BY_SYN_LOST);
	}
	KUNIT_EXPECT_EQ(test, w->now, 10 * SECOND + 63 * SECOND);
	elapse(w, 64 * SECOND);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
	KUNIT_EXPECT_EQ(test, w->a.err, ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, w->wake & WAKE_STATE, WAKE_STATE);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), NEVER);
	expect_silence(test, w, &w->a);
}

/* RFC 6298 (5.7): an RTO of 3 s after a SYN that was lost and gave no sample */
static void rtx_fired__rto_after_lost_syn(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s;

	open_a(w);
	lose_all(w, &w->a);
	elapse(w, SECOND);
	lose_all(w, &w->a);
	s = synack_of_b();
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, rtt_rto(&w->a.rtt), 3 * SECOND);
	KUNIT_EXPECT_EQ(test, w->a.retries, 0);
}

/* How many timeouts until the connection is given up. */
static u32 timeouts(struct kunit *test, struct world *w)
{
	u32 n = 0;

	while (w->a.state != ST_CLOSED && n < 100) {
		KUNIT_ASSERT_TRUE(test, conn_deadline(&w->a) != NEVER);
		elapse(w, conn_deadline(&w->a) - w->now);
		lose_all(w, &w->a);
		n++;
	}
	KUNIT_EXPECT_EQ(test, w->a.err, ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->cause, BY_GIVE_UP);
	return n;
}

/* RFC 9293 section 3.8.3: R2 */
static void rtx_fired__gives_up(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, MSS);
	KUNIT_EXPECT_EQ(test, timeouts(test, w), DATA_RETRIES + 1);
	/* at least 100 s (SHLD-11) */
	KUNIT_EXPECT_GT(test, w->now, 110 * SECOND);
}

static void rtx_fired__orphan_gives_up_sooner(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, MSS);
	conn_release(&w->a, w->now);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, timeouts(test, w), ORPHAN_RETRIES + 1);
}

/* Any new ACK begins the count anew. */
static void rtx_fired__ack_resets_count(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 3 * MSS);
	for (int i = 0; i < 10; i++) {
		elapse(w, conn_deadline(&w->a) - w->now);
		lose_all(w, &w->a);
	}
	KUNIT_EXPECT_EQ(test, w->a.retries, 10);
	ack_upto(w, &w->a, A0 + 1);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, w->a.retries, 0);
}

/*
 * RFC 9293 section 3.8.6.1: open "as long as the receiving TCP peer continues
 * to send acknowledgments in response" (MUST-37)
 */
static void probe__answered_for_ever(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	offer_window(w, &w->a, 0);
	write_and_send(w, &w->a, MSS);
	for (int i = 0; i < 100; i++) {
		elapse(w, conn_deadline(&w->a) - w->now);
		KUNIT_ASSERT_EQ(test, lose_all(w, &w->a), 1);
		s = from_peer(&w->a);
		s.ack = A0;
		deliver(w, &w->a, &s);
	}
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
	/* the interval has a ceiling */
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + RTO_CEILING);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_TIMER_FIRED)->cause,
			BY_T_PERSIST);
}

/* The peer tells of its window, and has taken nothing of what goes beyond it. */
static void window_is(struct world *w, u16 wnd)
{
	struct seg s = from_peer(&w->a);

	s.ack = w->a.snd_una;
	s.wnd = wnd;
	deliver(w, &w->a, &s);
}

/* The peer acknowledges what it has, its window stays shut: @n probes. */
static void answer_probes(struct kunit *test, struct world *w, u32 n)
{
	while (n--) {
		elapse(w, conn_deadline(&w->a) - w->now);
		KUNIT_ASSERT_TRUE(test, lose_all(w, &w->a));
		window_is(w, 0);
		lose_all(w, &w->a);
	}
}

static void expect_given_up(struct kunit *test, struct world *w, enum cause why)
{
	KUNIT_EXPECT_EQ(test, w->a.state, ST_FIN_WAIT_1);
	elapse(w, conn_deadline(&w->a) - w->now);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->cause, why);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_ABORT_ON_TIMEOUT), 1);
	/* an end that answers hears of it where it next speaks */
	expect_silence(test, w, &w->a);
}

/* RFC 6429 section 4: no user waits for an orphan. */
static void probe__orphan_answered_gives_up(struct kunit *test)
{
	struct world *w = connected(test);
	u64 begin = w->now;

	offer_window(w, &w->a, 0);
	write_and_send(w, &w->a, MSS);
	conn_release(&w->a, w->now);
	lose_all(w, &w->a);
	answer_probes(test, w, ORPHAN_RETRIES);
	expect_given_up(test, w, BY_ORPHAN_PROBED);
	/* at least 100 s, as for one whose peer is silent (SHLD-11) */
	KUNIT_EXPECT_GE(test, w->now - begin, 100 * SECOND);
}

/* Nothing but the FIN is left, which needs no window but an ACK. */
static void probe__orphan_fin_gives_up(struct kunit *test)
{
	struct world *w = connected(test);

	offer_window(w, &w->a, 0);
	conn_release(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
	answer_probes(test, w, ORPHAN_RETRIES);
	/* it is no probe that goes out, but the FIN, and nobody takes it */
	expect_given_up(test, w, BY_GIVE_UP);
}

/* Those that went out before close() count. */
static void probe__orphaned_later(struct kunit *test)
{
	struct world *w = connected(test);

	offer_window(w, &w->a, 0);
	write_and_send(w, &w->a, MSS);
	answer_probes(test, w, 3 * ORPHAN_RETRIES);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
	conn_release(&w->a, w->now);
	lose_all(w, &w->a);
	expect_given_up(test, w, BY_ORPHAN_PROBED);
}

/* A window that opens, if only for a byte, begins the count anew. */
static void probe__orphan_that_gets_on(struct kunit *test)
{
	struct world *w = connected(test);

	offer_window(w, &w->a, 0);
	write_and_send(w, &w->a, 2 * MSS);
	conn_release(&w->a, w->now);
	answer_probes(test, w, ORPHAN_RETRIES);
	offer_window(w, &w->a, MSS);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
	ack_upto(w, &w->a, A0 + MSS);
	offer_window(w, &w->a, 0);
	lose_all(w, &w->a);
	answer_probes(test, w, ORPHAN_RETRIES);
	expect_given_up(test, w, BY_ORPHAN_PROBED);
}

/*
 * RFC 6298 (5.5) and RFC 9293 section 3.8.3, SHLD-11: a FIN into a shut window goes again
 * once each timeout, backs off, and is not given up before 100 s.
 */
static void rtx_fired__fin_into_shut_window(struct kunit *test)
{
	struct world *w = connected(test);
	u64 rto = rtt_rto(&w->a.rtt), begin = w->now;

	offer_window(w, &w->a, 0);
	conn_close(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
	for (int i = 1; i < 4; i++) {
		elapse(w, conn_deadline(&w->a) - w->now);
		KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
		KUNIT_EXPECT_EQ(test, conn_deadline(&w->a),
				w->now + (rto << i));
	}
	timeouts(test, w);
	KUNIT_EXPECT_GE(test, w->now - begin, 100 * SECOND);
}

static void probe__silence_gives_up(struct kunit *test)
{
	struct world *w = connected(test);

	offer_window(w, &w->a, 0);
	write_and_send(w, &w->a, MSS);
	KUNIT_EXPECT_EQ(test, timeouts(test, w), DATA_RETRIES + 1);
}

/* A segment that is acknowledged only after three timeouts: no sample (Karn). */
static u32 back_off_path(struct kunit *test, struct world *w, u16 wnd)
{
	u32 rto;

	write_and_send(w, &w->a, MSS);
	for (int i = 0; i < 3; i++) {
		elapse(w, conn_deadline(&w->a) - w->now);
		lose_all(w, &w->a);
	}
	rto = rtt_rto(&w->a.rtt);
	KUNIT_ASSERT_EQ(test, w->a.rtt.backoffs, 3);
	offer_window(w, &w->a, wnd);
	KUNIT_ASSERT_EQ(test, rtt_rto(&w->a.rtt), rto);
	return rto;
}

/*
 * RFC 6298 section 5 keeps what the path has backed off until there is a sample: a
 * window that was shut and opens is none. SHLD-29 counts from it, too.
 */
static void persist_interval__leaves_the_path(struct kunit *test)
{
	struct world *w = connected(test);
	u32 rto = back_off_path(test, w, 0);
	struct seg s;

	conn_write(&w->a, MSS, false);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + rto);
	for (int i = 1; i < 4; i++) {
		elapse(w, conn_deadline(&w->a) - w->now);
		lose_all(w, &w->a);
		KUNIT_EXPECT_EQ(test, conn_deadline(&w->a),
				w->now + ((u64)rto << i));
	}
	KUNIT_EXPECT_EQ(test, rtt_rto(&w->a.rtt), rto);
	s = from_peer(&w->a);
	s.ack = w->a.snd_una;
	s.wnd = U16_MAX;
	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, rtt_rto(&w->a.rtt), rto);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + rto);
}

/* A sample ends the path's backing off, not that of the probes. */
static void persist_interval__outlives_a_sample(struct kunit *test)
{
	struct world *w = connected(test);
	u64 wait;

	offer_window(w, &w->a, 0);
	conn_write(&w->a, MSS, false);
	expect_silence(test, w, &w->a);
	for (int i = 0; i < 3; i++) {
		elapse(w, conn_deadline(&w->a) - w->now);
		lose_all(w, &w->a);
	}
	wait = conn_deadline(&w->a) - w->now;
	rtt_sample(&w->a.rtt, 1);
	elapse(w, wait);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a),
			w->now + ((u64)rtt_rto(&w->a.rtt) << 4));
}

/*
 * RFC 9293 section 3.8.6.1, SHLD-30: the intervals double while the window is shut. It
 * was open in between, if too little for a segment: the next ones begin anew.
 */
static void persist_interval__begins_anew(struct kunit *test)
{
	struct world *w = connected(test);
	u64 rto = rtt_rto(&w->a.rtt);

	offer_window(w, &w->a, 0);
	write_and_send(w, &w->a, 3 * MSS);
	answer_probes(test, w, 5);
	/* the last octet is taken */
	offer_window(w, &w->a, 300);
	expect_silence(test, w, &w->a);
	offer_window(w, &w->a, 0);
	elapse(w, conn_deadline(&w->a) - w->now);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).cause, BY_ZERO_WINDOW);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + 2 * rto);
}

/* Once the text is taken the FIN goes, which needs no window: its timer is the RTO. */
static void persist_interval__not_of_a_fin(struct kunit *test)
{
	struct world *w = connected(test);
	u64 rto = rtt_rto(&w->a.rtt);

	offer_window(w, &w->a, 0);
	write_and_send(w, &w->a, 1);
	conn_close(&w->a, w->now);
	expect_silence(test, w, &w->a);
	answer_probes(test, w, 5);
	ack_upto(w, &w->a, A0 + 1);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).cause, BY_FIN);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + rto);
	KUNIT_EXPECT_EQ(test, w->a.probe_backoffs, 0);
}

/* An opened window ends the backoff of the probes. */
static void probe__backoff_ends(struct kunit *test)
{
	struct world *w = connected(test);
	u32 rto = rtt_rto(&w->a.rtt);
	struct seg s;

	offer_window(w, &w->a, 0);
	write_and_send(w, &w->a, MSS);
	for (int i = 0; i < 5; i++) {
		elapse(w, conn_deadline(&w->a) - w->now);
		lose_all(w, &w->a);
	}
	s = from_peer(&w->a);
	s.ack = A0;
	s.wnd = RCV_BUF;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + rto);
	KUNIT_EXPECT_EQ(test, w->a.retries, 0);
}

/* RFC 9293 section 3.8.4: two hours, then probes, then the end */
static void keep_fired__silent_peer(struct kunit *test)
{
	struct world *w = connected(test);

	conn_set_keepalive(&w->a, true, w->now);
	elapse(w, KEEP_IDLE - 1);
	expect_silence(test, w, &w->a);
	elapse(w, 1);
	for (int i = 0; i < KEEP_PROBES; i++) {
		KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
		KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
		elapse(w, KEEP_INTERVAL);
	}
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
	KUNIT_EXPECT_EQ(test, w->a.err, ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, w->wake, WAKE_STATE);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).flags,
			FLAG_RST | FLAG_ACK);
}

static void keep_fired__peer_speaks(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	conn_set_keepalive(&w->a, true, w->now);
	elapse(w, KEEP_IDLE - SECOND);
	s = text_from_peer(&w->a, 10);
	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	elapse(w, SECOND);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a),
			w->now + KEEP_IDLE - SECOND);
}

/* "Keep-alive packets MUST only be sent when no sent data is outstanding" */
static void keep_fired__data_in_flight(struct kunit *test)
{
	struct world *w = connected(test);

	w->a.opt.keep_idle = 100 * MS;
	conn_set_keepalive(&w->a, true, w->now);
	write_and_send(w, &w->a, MSS);
	elapse(w, 100 * MS);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, w->a.keep_sent, 0);
}

static void conn_set_keepalive__off(struct kunit *test)
{
	struct world *w = connected(test);

	conn_set_keepalive(&w->a, true, w->now);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + KEEP_IDLE);
	conn_set_keepalive(&w->a, false, w->now);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), NEVER);
}

/* Asked for before there is a connection. */
static void conn_set_keepalive__before_connect(struct kunit *test)
{
	struct world *w = world_new(test);

	w->a.opt.keepalive = true;
	establish(test, w);
	KUNIT_EXPECT_EQ(test, w->a.timer[TIMER_KEEP], w->now + KEEP_IDLE);
	KUNIT_EXPECT_EQ(test, w->b.timer[TIMER_KEEP], NEVER);
}

/* An orphan does not wait for the peer's FIN for ever. */
static void fin_fired__orphan(struct kunit *test)
{
	struct world *w = connected(test);

	conn_release(&w->a, w->now);
	lose_all(w, &w->a);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_FIN_WAIT_2);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + FIN_TIMEOUT);
	elapse(w, FIN_TIMEOUT);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
	KUNIT_EXPECT_EQ(test, w->a.err, 0);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->cause, BY_T_FIN);
}

/* A process that reads on may wait as long as it likes. */
static void fin_fired__not_while_held(struct kunit *test)
{
	struct world *w = connected(test);

	conn_close(&w->a, w->now);
	lose_all(w, &w->a);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_FIN_WAIT_2);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), NEVER);
	/* and leaves it later */
	conn_release(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + FIN_TIMEOUT);
}

static struct kunit_case timer_cases[] = {
	KUNIT_CASE(timer_set__traces),
	KUNIT_CASE(timer_cause__while_persisting),
	KUNIT_CASE(timer_set__beyond_the_field),
	KUNIT_CASE(conn_deadline__least),
	KUNIT_CASE(rtx_fired__syn),
	KUNIT_CASE(rtx_fired__rto_after_lost_syn),
	KUNIT_CASE(rtx_fired__gives_up),
	KUNIT_CASE(rtx_fired__orphan_gives_up_sooner),
	KUNIT_CASE(rtx_fired__ack_resets_count),
	KUNIT_CASE(probe__answered_for_ever),
	KUNIT_CASE(probe__orphan_answered_gives_up),
	KUNIT_CASE(probe__orphan_fin_gives_up),
	KUNIT_CASE(probe__orphaned_later),
	KUNIT_CASE(probe__orphan_that_gets_on),
	KUNIT_CASE(probe__silence_gives_up),
	KUNIT_CASE(rtx_fired__fin_into_shut_window),
	KUNIT_CASE(persist_interval__leaves_the_path),
	KUNIT_CASE(persist_interval__outlives_a_sample),
	KUNIT_CASE(persist_interval__begins_anew),
	KUNIT_CASE(persist_interval__not_of_a_fin),
	KUNIT_CASE(probe__backoff_ends),
	KUNIT_CASE(keep_fired__silent_peer),
	KUNIT_CASE(keep_fired__peer_speaks),
	KUNIT_CASE(keep_fired__data_in_flight),
	KUNIT_CASE(conn_set_keepalive__off),
	KUNIT_CASE(conn_set_keepalive__before_connect),
	KUNIT_CASE(fin_fired__orphan),
	KUNIT_CASE(fin_fired__not_while_held),
	KUNIT_CASE(conn_tick__not_before_deadline),
	{}
};

static struct kunit_suite chalk_timer = {
	.name = "chalk_timer",
	.test_cases = timer_cases,
};

kunit_test_suite(chalk_timer);
