// SPDX-License-Identifier: GPL-2.0
/*
 * options_test.c - what the user may choose
 */
#include <kunit/test.h>

#include "../core/timer.h"
#include "../core/window.h"
#include "helper.h"

/* Let the connection come to its next deadline; whatever it then sends is lost. */
static unsigned int next_deadline(struct kunit *test, struct world *w)
{
	KUNIT_ASSERT_TRUE(test, conn_deadline(&w->a) != NEVER);
	elapse(w, conn_deadline(&w->a) - w->now);
	return lose_all(w, &w->a);
}

/* How long until it gives up, and why. */
static u64 life_left(struct kunit *test, struct world *w, enum cause why)
{
	u64 from = w->now;

	while (w->a.state != ST_CLOSED) {
		forget_events(w);
		next_deadline(test, w);
	}
	KUNIT_EXPECT_EQ(test, w->a.err, ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->cause, why);
	return w->now - from;
}

/* --- what a disconnected socket keeps --- */

static void conn_options_disconnect__forgets_the_peer(struct kunit *test)
{
	struct world *w = world_new(test);
	struct conn_options *opt = &w->a.opt;

	opt->window_clamp = 5000;
	opt->pingpong = true;
	opt->cork = true;
	opt->nodelay = true;
	opt->user_timeout = SECOND;
	conn_options_disconnect(opt);
	KUNIT_EXPECT_EQ(test, opt->window_clamp, 0);
	KUNIT_EXPECT_FALSE(test, opt->pingpong);
	KUNIT_EXPECT_TRUE(test, opt->cork && opt->nodelay);
	KUNIT_EXPECT_EQ(test, opt->user_timeout, SECOND);
}

/* --- keep-alive --- */

/* The silence that was counts. */
static void conn_set_keep_idle__counts_silence(struct kunit *test)
{
	struct world *w = connected(test);

	conn_set_keepalive(&w->a, true, w->now);
	elapse(w, 10 * SECOND);
	conn_set_keep_idle(&w->a, 30 * SECOND, w->now);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + 20 * SECOND);
	conn_set_keep_idle(&w->a, 5 * SECOND, w->now);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now);
	elapse(w, 0);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).cause, BY_KEEPALIVE);
}

static void conn_set_keep_idle__off(struct kunit *test)
{
	struct world *w = connected(test);

	conn_set_keep_idle(&w->a, 30 * SECOND, w->now);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), NEVER);
	KUNIT_EXPECT_EQ(test, w->a.opt.keep_idle, 30 * SECOND);
}

/* Section 3.8.4: in CLOSE_WAIT this end still waits for the peer's ACKs. */
static void conn_set_keepalive__close_wait(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = from_peer(&w->a);

	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	conn_set_keepalive(&w->a, true, w->now);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + KEEP_IDLE);
}

/* The user has shut down his side and waits for an answer: the peer may have died. */
static void conn_set_keepalive__half_closed(struct kunit *test)
{
	struct world *w = connected(test);

	conn_close(&w->a, w->now);
	lose_all(w, &w->a);
	ack_all(w, &w->a);
	KUNIT_ASSERT_EQ(test, w->a.state, ST_FIN_WAIT_2);
	conn_set_keepalive(&w->a, true, w->now);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + KEEP_IDLE);
	/* said once more it goes on, and so it does with another time */
	conn_set_keepalive(&w->a, true, w->now);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + KEEP_IDLE);
	conn_set_keep_idle(&w->a, 10 * SECOND, w->now);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + 10 * SECOND);
	/* nobody waits any more */
	conn_release(&w->a, w->now);
	conn_set_keepalive(&w->a, true, w->now);
	KUNIT_EXPECT_FALSE(test, timer_is_set(&w->a, TIMER_KEEP));
}

/* Switched on again, it has all its probes before it. */
static void conn_set_keepalive__again(struct kunit *test)
{
	struct world *w = connected(test);

	w->a.opt.keep_idle = 10 * SECOND;
	w->a.opt.keep_interval = SECOND;
	w->a.opt.keep_probes = 3;
	conn_set_keepalive(&w->a, true, w->now);
	for (int i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, next_deadline(test, w), 1);
	conn_set_keepalive(&w->a, true, w->now);
	KUNIT_EXPECT_EQ(test, life_left(test, w, BY_KEEP_FAILED), 13 * SECOND);
}

/* --- TCP_CORK and TCP_NODELAY --- */

/* Full segments only; the rest after 200 ms. */
static void conn_set_cork__holds_back(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	conn_set_cork(&w->a, true);
	conn_write(&w->a, 300, false);
	expect_silence(test, w, &w->a);
	conn_write(&w->a, MSS, false);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.len, MSS);
	expect_silence(test, w, &w->a);
	ack_all(w, &w->a);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + 200 * MS);
	elapse(w, 200 * MS - 1);
	expect_silence(test, w, &w->a);
	elapse(w, 1);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.len, 300);
	KUNIT_EXPECT_EQ(test, s.seq, A0 + MSS);
}

static void conn_set_cork__off_releases(struct kunit *test)
{
	struct world *w = connected(test);

	conn_set_cork(&w->a, true);
	conn_write(&w->a, 300, false);
	expect_silence(test, w, &w->a);
	conn_set_cork(&w->a, false);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).len, 300);
}

static void conn_set_cork__fin_releases(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	conn_set_cork(&w->a, true);
	conn_write(&w->a, 300, false);
	conn_close(&w->a, w->now);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.len, 300);
	KUNIT_EXPECT_TRUE(test, s.flags & FLAG_FIN);
}

/* It is weaker than the cork, but pushes once what is there. */
static void conn_set_nodelay__pushes_once(struct kunit *test)
{
	struct world *w = connected(test);

	conn_set_cork(&w->a, true);
	conn_write(&w->a, 300, false);
	expect_silence(test, w, &w->a);
	conn_set_nodelay(&w->a, true);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).len, 300);
	conn_write(&w->a, 200, false);
	expect_silence(test, w, &w->a);
	conn_set_cork(&w->a, false);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).len, 200);
}

/* Switched off at once, it has pushed all the same. */
static void conn_set_nodelay__off_keeps_the_push(struct kunit *test)
{
	struct world *w = connected(test);

	conn_set_cork(&w->a, true);
	conn_write(&w->a, 300, false);
	conn_set_nodelay(&w->a, true);
	conn_set_nodelay(&w->a, false);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).len, 300);
}

/* --- TCP_QUICKACK --- */

static void expect_delayed(struct kunit *test, struct world *w)
{
	struct seg s = text_from_peer(&w->a, 10);

	deliver(w, &w->a, &s);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_TRUE(test, timer_is_set(&w->a, TIMER_DELACK));
}

static void expect_quick(struct kunit *test, struct world *w)
{
	struct seg s = text_from_peer(&w->a, 10);

	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).cause, BY_ACK_QUICK);
}

static void conn_set_quickack__off_and_on(struct kunit *test)
{
	struct world *w = connected(test);

	expect_quick(test, w);
	conn_set_quickack(&w->a, false, true);
	expect_delayed(test, w);
	conn_set_quickack(&w->a, true, true);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).cause, BY_ACK_QUICK);
	expect_quick(test, w);
}

/* Only what waits goes. */
static void conn_set_quickack__once(struct kunit *test)
{
	struct world *w = connected(test);

	conn_set_quickack(&w->a, false, true);
	expect_delayed(test, w);
	conn_set_quickack(&w->a, true, false);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).cause, BY_ACK_QUICK);
	expect_delayed(test, w);
}

/* No ACK waits, none goes. */
static void conn_set_quickack__nothing_waits(struct kunit *test)
{
	struct world *w = connected(test);

	conn_set_quickack(&w->a, true, true);
	expect_silence(test, w, &w->a);
}

/* Who answers within the time of a delayed ACK saves it. */
static void pingpong__by_an_answer(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 10);
	ack_all(w, &w->a);
	expect_quick(test, w);
	elapse(w, DELACK_TIME - 1);
	write_and_send(w, &w->a, 10);
	ack_all(w, &w->a);
	KUNIT_EXPECT_TRUE(test, w->a.opt.pingpong);
	expect_delayed(test, w);
	/* no answer this time */
	elapse(w, DELACK_TIME);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).cause, BY_ACK_DELAYED);
	expect_quick(test, w);
}

static void pingpong__not_by_a_late_answer(struct kunit *test)
{
	struct world *w = connected(test);

	expect_quick(test, w);
	elapse(w, DELACK_TIME);
	write_and_send(w, &w->a, 10);
	KUNIT_EXPECT_FALSE(test, w->a.opt.pingpong);
}

/* Nor by data where nothing was asked: text that is refused is no question. */
static void pingpong__not_by_refused_text(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 100);

	s.no_room = true;
	deliver(w, &w->a, &s);
	KUNIT_ASSERT_EQ(test, w->v.drop, DROP_RCVBUF);
	lose_all(w, &w->a);
	write_and_send(w, &w->a, 10);
	KUNIT_EXPECT_FALSE(test, w->a.opt.pingpong);
}

/* The third segment of the handshake waits for data, where it is to. */
static const struct third_param {
	const char *name;
	u8 defer_accept;
	bool pingpong;
	bool waits;
} thirds[] = {
	{ "at once", 0, false, false },
	{ "TCP_DEFER_ACCEPT", 1, false, true },
	{ "TCP_QUICKACK 0", 0, true, true },
};

NAMED_PARAMS(third_param, thirds);

static void finish_handshake__third_segment(struct kunit *test)
{
	const struct third_param *p = test->param_value;
	struct world *w = world_new(test);
	struct seg s = synack_of_b();

	w->a.opt.defer_accept = p->defer_accept;
	w->a.opt.pingpong = p->pingpong;
	open_a(w);
	lose_all(w, &w->a);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), !p->waits);
	if (!p->waits)
		return;
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + HANDSHAKE_DELAY);
	elapse(w, HANDSHAKE_DELAY);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
}

/* --- TCP_USER_TIMEOUT: RFC 9293 section 3.9.1, RFC 5482 section 3 --- */

/* Before R2, after it, and shorter than the first RTO. */
static const struct timeout_param {
	const char *name;
	u64 timeout, life;
} timeouts[] = {
	{ "a second", SECOND, SECOND },
	{ "ten minutes", 600 * SECOND, 600 * SECOND },
	{ "two hours", 7200 * SECOND, 7200 * SECOND },
	/* the first transmission gets its RTO, then there is no more waiting */
	{ "a millisecond", MS, 0 },
};

NAMED_PARAMS(timeout_param, timeouts);

static void user_timeout__data(struct kunit *test)
{
	const struct timeout_param *p = test->param_value;
	struct world *w = connected(test);

	u64 rto = rtt_rto(&w->a.rtt);

	w->a.opt.user_timeout = p->timeout;
	write_and_send(w, &w->a, MSS);
	KUNIT_EXPECT_EQ(test, life_left(test, w, BY_USER_TIMEOUT),
			p->life ?: rto + 1);
}

/* Every ACK of something new begins the time anew. */
static void user_timeout__progress(struct kunit *test)
{
	struct world *w = connected(test);

	w->a.opt.user_timeout = 10 * SECOND;
	write_and_send(w, &w->a, 3 * MSS);
	while (w->now < 16 * SECOND)
		next_deadline(test, w);
	ack_upto(w, &w->a, A0 + MSS);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, life_left(test, w, BY_USER_TIMEOUT), 10 * SECOND);
}

/* A handshake ends with it, or with its retransmissions. */
static const struct timeout_param syn_timeouts[] = {
	{ "before them", 5 * SECOND, 5 * SECOND },
	{ "after them", 1000 * SECOND, 127 * SECOND },
};

NAMED_PARAMS(timeout_param, syn_timeouts);

static void user_timeout__syn(struct kunit *test)
{
	const struct timeout_param *p = test->param_value;
	struct world *w = world_new(test);

	w->a.opt.user_timeout = p->timeout;
	open_a(w);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test,
			life_left(test, w,
				  p->life == p->timeout ? BY_USER_TIMEOUT :
							  BY_GIVE_UP),
			p->life);
}

/* A shut window: the time passes though the peer answers. */
static void user_timeout__shut_window(struct kunit *test)
{
	struct world *w = connected(test);
	u64 from = w->now;

	w->a.opt.user_timeout = 30 * SECOND;
	offer_window(w, &w->a, 0);
	write_and_send(w, &w->a, MSS);
	while (w->a.state != ST_CLOSED) {
		next_deadline(test, w);
		ack_upto(w, &w->a, A0);
	}
	KUNIT_EXPECT_EQ(test, w->a.err, ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, w->now - from, 30 * SECOND);
}

/* A shut window's time begins with it, not with what was sent long ago. */
static void user_timeout__shut_after_long_idle(struct kunit *test)
{
	struct world *w = connected(test);

	w->a.opt.user_timeout = 3 * SECOND;
	write_and_send(w, &w->a, MSS);
	ack_all(w, &w->a);
	elapse(w, 10 * SECOND);
	offer_window(w, &w->a, 0);
	write_and_send(w, &w->a, MSS);
	while (conn_deadline(&w->a) <= 22 * SECOND) {
		next_deadline(test, w);
		ack_upto(w, &w->a, A0 + MSS);
	}
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
}

/* It also decides about a peer that is silent, whatever TCP_KEEPCNT says. */
static void user_timeout__keepalive(struct kunit *test)
{
	struct world *w = connected(test);

	w->a.opt.keep_idle = 10 * SECOND;
	w->a.opt.keep_interval = SECOND;
	w->a.opt.keep_probes = 2;
	w->a.opt.user_timeout = 15 * SECOND;
	conn_set_keepalive(&w->a, true, w->now);
	KUNIT_EXPECT_EQ(test, life_left(test, w, BY_USER_TIMEOUT), 15 * SECOND);
}

/* shorter than the silence before it: still one probe is sent first */
static void user_timeout__shorter_than_keep_idle(struct kunit *test)
{
	struct world *w = connected(test);

	w->a.opt.keep_idle = 10 * SECOND;
	w->a.opt.keep_interval = SECOND;
	w->a.opt.user_timeout = 5 * SECOND;
	conn_set_keepalive(&w->a, true, w->now);
	KUNIT_EXPECT_EQ(test, next_deadline(test, w), 1);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, life_left(test, w, BY_USER_TIMEOUT), SECOND);
}

/* A long one outlasts every count of retransmissions. */
static void user_timeout__count_ends(struct kunit *test)
{
	struct world *w = connected(test);

	w->env.tun.rto_max = SECOND;
	rtt_init(&w->a.rtt, 200 * MS, 200 * MS, SECOND);
	w->a.opt.user_timeout = 1000 * SECOND;
	write_and_send(w, &w->a, MSS);
	KUNIT_EXPECT_EQ(test, life_left(test, w, BY_USER_TIMEOUT),
			1000 * SECOND);
	KUNIT_EXPECT_EQ(test, w->a.retries, MOST_RETRIES);
}

/* --- TCP_SYNCNT --- */

static void syn_retries__option(struct kunit *test)
{
	struct world *w = world_new(test);
	int n = 0;

	w->a.opt.syn_retries = 2;
	open_a(w);
	lose_all(w, &w->a);
	while (w->a.state != ST_CLOSED)
		n += next_deadline(test, w);
	KUNIT_EXPECT_EQ(test, n, 2);
	KUNIT_EXPECT_EQ(test, w->a.err, ETIMEDOUT);
}

/* --- TCP_LINGER2 --- */

static void conn_await_fin__option(struct kunit *test)
{
	struct world *w = connected(test);

	w->a.opt.fin_timeout = 5 * SECOND;
	conn_release(&w->a, w->now);
	lose_all(w, &w->a);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + 5 * SECOND);
}

/* Negative: it does not wait. */
static void conn_await_fin__none(struct kunit *test)
{
	struct world *w = connected(test);

	w->a.opt.fin_timeout = -1;
	conn_release(&w->a, w->now);
	lose_all(w, &w->a);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).flags,
			FLAG_RST | FLAG_ACK);
}

static void conn_await_fin__none_late(struct kunit *test)
{
	struct world *w = connected(test);

	w->a.opt.fin_timeout = -1;
	conn_close(&w->a, w->now);
	lose_all(w, &w->a);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_FIN_WAIT_2);
	conn_release(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
}

/* --- TCP_WINDOW_CLAMP --- */

static void window_clamp__bounds(struct kunit *test)
{
	struct world *w = connected(test);
	u32 edge = window_edge(&w->a);
	struct seg s;

	w->a.opt.window_clamp = 5000;
	/* what was promised stays, and then there is no more than that */
	s = text_from_peer(&w->a, MSS);
	deliver(w, &w->a, &s);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.ack + s.wnd, edge);
	while (window_left(&w->a) > 5000) {
		s = text_from_peer(&w->a, MSS);
		deliver(w, &w->a, &s);
		conn_read(&w->a, MSS, w->now);
		lose_all(w, &w->a);
	}
	s = text_from_peer(&w->a, MSS);
	deliver(w, &w->a, &s);
	conn_read(&w->a, 2 * MSS, w->now);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.wnd, 5000);
}

static void window_clamp__syn(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s;

	w->env.tun.window_scaling = true;
	w->a.opt.window_clamp = 5000;
	open_a(w);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.wnd, 5000);
	KUNIT_EXPECT_EQ(test, s.wscale, 0);
}

/* Raised over a window that is smaller it opens it, and the peer hears of it. */
static void conn_set_window_clamp__raised(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, RCV_BUF);

	conn_set_window_clamp(&w->a, 300, w->now);
	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	conn_read(&w->a, RCV_BUF, w->now);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).wnd, 300);
	conn_set_window_clamp(&w->a, 5000, w->now);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.wnd, 5000);
	KUNIT_EXPECT_EQ(test, s.cause, BY_WINDOW_UPDATE);
}

/*
 * A bound below a segment: the largest window is smaller than what section
 * 3.8.6.2.2 else wants the edge to move by. It opens again when it is used up.
 */
static void window_clamp__below_a_segment(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, MSS);

	deliver(w, &w->a, &s);
	conn_read(&w->a, MSS, w->now);
	lose_all(w, &w->a);
	KUNIT_ASSERT_EQ(test, w->a.rmss, MSS);
	conn_set_window_clamp(&w->a, 800, w->now);
	while (window_left(&w->a) > 800) {
		s = text_from_peer(&w->a, min_t(u32, MSS, window_left(&w->a)));
		deliver(w, &w->a, &s);
		conn_read(&w->a, conn_readable(&w->a), w->now);
		lose_all(w, &w->a);
	}
	/* from here on the peer may say what the bound leaves it */
	for (int i = 0; i < 5; i++) {
		KUNIT_ASSERT_TRUE(test, window_left(&w->a));
		s = text_from_peer(&w->a, window_left(&w->a));
		deliver(w, &w->a, &s);
		conn_read(&w->a, conn_readable(&w->a), w->now);
		lose_all(w, &w->a);
		KUNIT_EXPECT_GE(test, window_left(&w->a), 400);
		KUNIT_EXPECT_LE(test, window_left(&w->a), 800);
	}
}

/* A window that is not scaled says no more than its field can. */
static void conn_window_clamp__not_scaled(struct kunit *test)
{
	struct world *w = connected(test);

	KUNIT_EXPECT_EQ(test, conn_window_clamp(&w->a), RCV_BUF);
	conn_set_rcv_buf(&w->a, 200000, w->now);
	KUNIT_EXPECT_EQ(test, conn_window_clamp(&w->a), U16_MAX);
	conn_set_window_clamp(&w->a, 7000, w->now);
	KUNIT_EXPECT_EQ(test, conn_window_clamp(&w->a), 7000);
}

/* --- TCP_CONGESTION --- */

static void do_nothing(struct conn *c, bool lost, u64 now)
{
	c->cc.cwnd = 7777;
}

static const struct cc_ops other = { .name = "other", .on_init = do_nothing };

static void conn_cc__chosen_first(struct kunit *test)
{
	struct world *w = world_new(test);

	KUNIT_EXPECT_PTR_EQ(test, conn_cc(&w->a, &w->env.tun), &cc_newreno);
	conn_set_cc(&w->a, &other, w->now);
	KUNIT_EXPECT_PTR_EQ(test, conn_cc(&w->a, &w->env.tun), &other);
	establish(test, w);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 7777);
	KUNIT_EXPECT_PTR_EQ(test, w->b.cc.ops, &cc_newreno);
}

static void conn_set_cc__keeps_cwnd(struct kunit *test)
{
	struct world *w = connected(test);
	u32 cwnd = w->a.cc.cwnd;

	conn_set_cc(&w->a, &other, w->now);
	KUNIT_EXPECT_PTR_EQ(test, w->a.cc.ops, &other);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, cwnd);
}

/* An algorithm with a recovery of its own goes on with the one that is on. */
static void conn_set_cc__goes_on_recovering(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	dup_acks(w, &w->a, 3);
	conn_set_cc(&w->a, &cc_reno, w->now);
	KUNIT_EXPECT_TRUE(test, w->a.recovering);
	/* without one, it ends, and so does the count of what began it */
	conn_set_cc(&w->a, &cc_tahoe, w->now);
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, w->a.dupacks, 0);
}

/* Another algorithm counts what is acknowledged from its own beginning on. */
static void conn_set_cc__counts_anew(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	w->a.cc.ssthresh = 10 * MSS;
	ack_upto(w, &w->a, A0 + 9 * MSS);
	lose_all(w, &w->a);
	conn_set_cc(&w->a, &cc_tahoe, w->now);
	ack_upto(w, &w->a, A0 + 10 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 10 * MSS);
}

/* --- SO_RCVLOWAT --- */

static void conn_can_read__low_water(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	KUNIT_EXPECT_FALSE(test, conn_can_read(&w->a, 1));
	s = text_from_peer(&w->a, 10);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_TRUE(test, conn_can_read(&w->a, 10));
	KUNIT_EXPECT_FALSE(test, conn_can_read(&w->a, 11));
}

/* The window is shut before the mark is reached: nothing more will come. */
/* What SO_RCVLOWAT waits for may not come before this is read. */
static void conn_can_read__short_memory(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 10);

	conn_set_memory(&w->a, MEMORY_SHORT);
	KUNIT_EXPECT_FALSE(test, conn_can_read(&w->a, 11));
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_TRUE(test, conn_can_read(&w->a, 11));
	conn_set_memory(&w->a, MEMORY_PLENTY);
	KUNIT_EXPECT_FALSE(test, conn_can_read(&w->a, 11));
}

static void conn_can_read__shut_window(struct kunit *test)
{
	struct world *w = connected(test);

	while (window_left(&w->a) >= MSS) {
		struct seg s = text_from_peer(&w->a, MSS);

		KUNIT_EXPECT_FALSE(test, conn_can_read(&w->a, RCV_BUF + 1));
		deliver(w, &w->a, &s);
		lose_all(w, &w->a);
	}
	KUNIT_EXPECT_TRUE(test, conn_can_read(&w->a, RCV_BUF + 1));
}

static struct kunit_case options_cases[] = {
	KUNIT_CASE(conn_options_disconnect__forgets_the_peer),
	KUNIT_CASE(conn_set_keep_idle__counts_silence),
	KUNIT_CASE(conn_set_keep_idle__off),
	KUNIT_CASE(conn_set_keepalive__close_wait),
	KUNIT_CASE(conn_set_keepalive__half_closed),
	KUNIT_CASE(conn_set_keepalive__again),
	KUNIT_CASE(conn_set_cork__holds_back),
	KUNIT_CASE(conn_set_cork__off_releases),
	KUNIT_CASE(conn_set_cork__fin_releases),
	KUNIT_CASE(conn_set_nodelay__pushes_once),
	KUNIT_CASE(conn_set_nodelay__off_keeps_the_push),
	KUNIT_CASE(conn_set_quickack__off_and_on),
	KUNIT_CASE(conn_set_quickack__once),
	KUNIT_CASE(conn_set_quickack__nothing_waits),
	KUNIT_CASE(pingpong__by_an_answer),
	KUNIT_CASE(pingpong__not_by_a_late_answer),
	KUNIT_CASE(pingpong__not_by_refused_text),
	KUNIT_CASE_PARAM(finish_handshake__third_segment,
			 thirds_row_gen_params),
	KUNIT_CASE_PARAM(user_timeout__data, timeouts_row_gen_params),
	KUNIT_CASE(user_timeout__progress),
	KUNIT_CASE_PARAM(user_timeout__syn, syn_timeouts_row_gen_params),
	KUNIT_CASE(user_timeout__shut_window),
	KUNIT_CASE(user_timeout__shut_after_long_idle),
	KUNIT_CASE(user_timeout__keepalive),
	KUNIT_CASE(user_timeout__shorter_than_keep_idle),
	KUNIT_CASE(user_timeout__count_ends),
	KUNIT_CASE(syn_retries__option),
	KUNIT_CASE(conn_await_fin__option),
	KUNIT_CASE(conn_await_fin__none),
	KUNIT_CASE(conn_await_fin__none_late),
	KUNIT_CASE(window_clamp__bounds),
	KUNIT_CASE(window_clamp__syn),
	KUNIT_CASE(window_clamp__below_a_segment),
	KUNIT_CASE(conn_set_window_clamp__raised),
	KUNIT_CASE(conn_window_clamp__not_scaled),
	KUNIT_CASE(conn_cc__chosen_first),
	KUNIT_CASE(conn_set_cc__keeps_cwnd),
	KUNIT_CASE(conn_set_cc__goes_on_recovering),
	KUNIT_CASE(conn_set_cc__counts_anew),
	KUNIT_CASE(conn_can_read__low_water),
	KUNIT_CASE(conn_can_read__short_memory),
	KUNIT_CASE(conn_can_read__shut_window),
	{}
};

static struct kunit_suite chalk_options = {
	.name = "chalk_options",
	.test_cases = options_cases,
};

kunit_test_suite(chalk_options);
