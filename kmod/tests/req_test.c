// SPDX-License-Identifier: GPL-2.0
/*
 * req_test.c - LISTEN, and the record of a SYN_RCVD
 */
#include <kunit/test.h>

#include "../core/req.h"
#include "helper.h"

/* The first segment of the handshake. */
#define SYN                        \
	((const struct seg){       \
		.sport = A_PORT,   \
		.dport = B_PORT,   \
		.seq = A_ISS,      \
		.flags = FLAG_SYN, \
		.wnd = 12345,      \
		.mss = 900,        \
	})

/* A record that @first made; its SYN+ACK has gone out. */
static struct world *answered(struct kunit *test, const struct seg *first,
			      struct seg *synack)
{
	struct world *w = world_new(test);
	struct conn_config cfg = config_b();

	w->env.tun.timestamps = true;
	w->env.tun.window_scaling = true;
	req_init(&w->req, &w->env, &cfg, first, w->now);
	KUNIT_ASSERT_TRUE(test, req_poll(&w->req, &w->env, w->now, synack));
	KUNIT_ASSERT_TRUE(test,
			  !req_poll(&w->req, &w->env, w->now, &(struct seg){}));
	return w;
}

/* The third segment of the handshake. */
static struct seg third(const struct seg *synack)
{
	return (struct seg){
		.sport = A_PORT,
		.dport = B_PORT,
		.seq = A0,
		.ack = B0,
		.flags = FLAG_ACK,
		.wnd = 100,
		.has_ts = synack->has_ts,
		.tsval = 500,
		.tsecr = synack->tsval,
	};
}

/* --- LISTEN: RFC 9293 section 3.10.7.2 --- */

static const struct listen_param {
	const char *name;
	u8 flags;
	enum listen_result result;
	enum cause drop;
} listens[] = {
	{ "SYN", FLAG_SYN, LISTEN_SYN, DROP_NONE },
	{ "SYN with text's PSH", FLAG_SYN | FLAG_PSH, LISTEN_SYN, DROP_NONE },
	{ "RST", FLAG_RST, LISTEN_DROP, DROP_LISTEN_RST },
	{ "RST first: RST+ACK", FLAG_RST | FLAG_ACK, LISTEN_DROP,
	  DROP_LISTEN_RST },
	{ "RST first: RST+SYN", FLAG_RST | FLAG_SYN, LISTEN_DROP,
	  DROP_LISTEN_RST },
	{ "ACK", FLAG_ACK, LISTEN_RESET, DROP_LISTEN_ACK },
	{ "ACK before SYN: SYN+ACK", FLAG_SYN | FLAG_ACK, LISTEN_RESET,
	  DROP_LISTEN_ACK },
	{ "nothing", 0, LISTEN_DROP, DROP_LISTEN_NO_SYN },
	{ "FIN", FLAG_FIN, LISTEN_DROP, DROP_LISTEN_NO_SYN },
};

NAMED_PARAMS(listen_param, listens);

static void listen_rx__table(struct kunit *test)
{
	const struct listen_param *p = test->param_value;
	const struct seg s = { .flags = p->flags };
	enum cause drop = DROP_CLOSED;

	KUNIT_EXPECT_EQ(test, listen_rx(&s, &drop), p->result);
	KUNIT_EXPECT_EQ(test, drop, p->drop);
}

/* --- the SYN+ACK --- */

static void req_init__synack(struct kunit *test)
{
	struct seg s;
	struct world *w = answered(test, &SYN, &s);

	KUNIT_EXPECT_EQ(test, s.flags, FLAG_SYN | FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.seq, B_ISS);
	KUNIT_EXPECT_EQ(test, s.ack, A0);
	KUNIT_EXPECT_EQ(test, s.sport, B_PORT);
	KUNIT_EXPECT_EQ(test, s.dport, A_PORT);
	KUNIT_EXPECT_EQ(test, s.wnd, RCV_BUF);
	KUNIT_EXPECT_EQ(test, s.mss, MSS);
	KUNIT_EXPECT_EQ(test, s.len, 0);
	/* no option that the SYN did not have */
	KUNIT_EXPECT_FALSE(test, s.has_ts || s.has_wscale);
	KUNIT_EXPECT_EQ(test, s.cause, BY_HANDSHAKE);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_STATE, BY_RCVD_SYN), 1);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->old, ST_LISTEN);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->new, ST_SYN_RCVD);
}

/* RFC 7323 sections 2.2 and 3.2 */
static void req_init__options(struct kunit *test)
{
	struct seg first = SYN, s;
	struct world *w;

	first.has_ts = true;
	first.tsval = 444;
	first.has_wscale = true;
	first.wscale = 9;
	w = answered(test, &first, &s);
	KUNIT_EXPECT_TRUE(test, s.has_ts && s.has_wscale);
	KUNIT_EXPECT_EQ(test, s.wscale, 3);
	KUNIT_EXPECT_EQ(test, s.tsecr, 444);
	KUNIT_EXPECT_EQ(test, s.tsval, 90000 + w->now / MS);
	KUNIT_EXPECT_EQ(test, s.wnd, RCV_BUF);
}

static void req_init__options_refused(struct kunit *test)
{
	struct world *w = world_new(test);
	struct conn_config cfg = config_b();
	struct seg first = SYN, s;

	cfg.user_mss = 600;
	first.has_ts = true;
	first.has_wscale = true;
	first.mss = 0;
	req_init(&w->req, &w->env, &cfg, &first, w->now);
	KUNIT_ASSERT_TRUE(test, req_poll(&w->req, &w->env, w->now, &s));
	KUNIT_EXPECT_FALSE(test, s.has_ts || s.has_wscale);
	KUNIT_EXPECT_EQ(test, s.mss, 600);
	KUNIT_EXPECT_EQ(test, w->req.peer_mss, MSS_DEFAULT);
}

/* RFC 9293 section 3.7.1, MUST-15 */
static void req_init__default_mss(struct kunit *test)
{
	struct world *w = world_new(test);
	struct conn_config cfg = config_b();
	struct seg first = SYN;

	first.mss = 0;
	cfg.default_mss = MSS_DEFAULT_IPV6;
	req_init(&w->req, &w->env, &cfg, &first, w->now);
	KUNIT_EXPECT_EQ(test, w->req.peer_mss, MSS_DEFAULT_IPV6);
	first.mss = 100;
	req_init(&w->req, &w->env, &cfg, &first, w->now);
	KUNIT_EXPECT_EQ(test, w->req.peer_mss, 100);
}

/* RFC 6298 (5.5): again after 1, 2, 4, 8, 16 s; then the record goes */
static void req_tick__schedule(struct kunit *test)
{
	struct seg s;
	struct world *w = answered(test, &SYN, &s);

	for (u32 i = 0; i < SYNACK_RETRIES; i++) {
		KUNIT_EXPECT_EQ(test, w->req.deadline, w->now + (SECOND << i));
		w->now = w->req.deadline - 1;
		KUNIT_EXPECT_TRUE(test, req_tick(&w->req, &w->env, w->now));
		KUNIT_EXPECT_FALSE(test,
				   req_poll(&w->req, &w->env, w->now, &s));
		w->now++;
		KUNIT_EXPECT_TRUE(test, req_tick(&w->req, &w->env, w->now));
		KUNIT_ASSERT_TRUE(test, req_poll(&w->req, &w->env, w->now, &s));
		KUNIT_EXPECT_EQ(test, s.flags, FLAG_SYN | FLAG_ACK);
		KUNIT_EXPECT_EQ(test, s.seq, B_ISS);
		KUNIT_EXPECT_EQ(test, s.cause, BY_SYN_LOST);
		KUNIT_EXPECT_EQ(test, last_event(w, EV_RTX)->seq, B_ISS);
	}
	KUNIT_EXPECT_FALSE(test, req_tick(&w->req, &w->env, w->req.deadline));
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->cause, BY_GIVE_UP);
}

/* However many retries a namespace asks for: never beyond the ceiling. */
static void req_tick__ceiling(struct kunit *test)
{
	struct seg s;
	struct world *w = answered(test, &SYN, &s);

	w->env.tun.synack_retries = 200;
	for (int i = 0; i < 200; i++) {
		w->now = w->req.deadline;
		KUNIT_ASSERT_TRUE(test, req_tick(&w->req, &w->env, w->now));
		KUNIT_EXPECT_GT(test, w->req.deadline, w->now);
		KUNIT_EXPECT_LE(test, w->req.deadline, w->now + RTO_CEILING);
	}
	KUNIT_EXPECT_EQ(test, w->req.deadline, w->now + RTO_CEILING);
}

/* --- SYN_RCVD: RFC 9293 section 3.10.7.4 --- */

/* The SYN again: so is the answer, and the timer begins anew with it. */
static void req_rx__same_syn(struct kunit *test)
{
	struct seg s;
	struct world *w = answered(test, &SYN, &s);
	enum cause drop;

	w->now += 500 * MS;
	KUNIT_EXPECT_EQ(test, req_rx(&w->req, &w->env, &SYN, w->now, &drop),
			REQ_DROP);
	KUNIT_EXPECT_EQ(test, drop, DROP_DUP_SYN);
	KUNIT_ASSERT_TRUE(test, req_poll(&w->req, &w->env, w->now, &s));
	KUNIT_EXPECT_EQ(test, s.flags, FLAG_SYN | FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.seq, B_ISS);
	KUNIT_EXPECT_EQ(test, s.cause, BY_SYN_LOST);
	KUNIT_EXPECT_EQ(test, w->req.deadline, w->now + SECOND);
	KUNIT_EXPECT_FALSE(test, req_poll(&w->req, &w->env, w->now, &s));
	/* a retransmission, of which the ACK measures nothing (RFC 6298, 3) */
	KUNIT_EXPECT_EQ(test, count_events(w, EV_SEND, BY_NONE), 1);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTX, BY_SYN_LOST), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_OUT_SEGS), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_RETRANS_SEGS), 1);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_SYN_RETRANS), 1);
	conn_accept(&w->b, &w->env, &w->req, w->now);
	KUNIT_EXPECT_EQ(test, w->b.stats.retrans_segs, 1);
	KUNIT_EXPECT_EQ(test, w->b.stats.segs_out, 2);
	KUNIT_EXPECT_FALSE(test, w->b.rtt_timing);
	/* RFC 5681 section 3.1 */
	w->now += 50 * MS;
	s = third(&s);
	deliver(w, &w->b, &s);
	KUNIT_EXPECT_EQ(test, w->b.cc.cwnd, w->b.smss);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTT, BY_NONE), 0);
}

/*
 * The wait for data is silent: nothing is lost meanwhile, and the round trip was that
 * of the bare ACK.
 */
static void conn_accept__deferred(struct kunit *test)
{
	struct seg s, in;
	struct world *w = answered(test, &SYN, &s);
	enum cause drop;

	w->req.defer = 3;
	in = third(&s);
	w->now += 10 * MS;
	req_rx(&w->req, &w->env, &in, w->now, &drop);
	KUNIT_EXPECT_EQ(test, drop, DROP_DEFERRED);
	w->now = w->req.deadline;
	req_tick(&w->req, &w->env, w->now);
	KUNIT_EXPECT_FALSE(test, req_poll(&w->req, &w->env, w->now, &s));
	KUNIT_EXPECT_EQ(test, counted(w, MIB_TIMEOUTS), 0);
	w->now += 500 * MS;
	in.len = 100;
	KUNIT_ASSERT_EQ(test, req_rx(&w->req, &w->env, &in, w->now, &drop),
			REQ_ESTABLISH);
	conn_accept(&w->b, &w->env, &w->req, w->now);
	KUNIT_EXPECT_EQ(test, w->b.stats.retrans_segs, 0);
	KUNIT_EXPECT_EQ(test, w->b.stats.segs_out, 1);
	deliver(w, &w->b, &in);
	KUNIT_EXPECT_EQ(test, w->b.rtt.srtt, 10 * MS);
	KUNIT_EXPECT_EQ(test, w->b.cc.cwnd, 10 * w->b.smss);
}

/* The last SYN+ACK of the wait goes out again, but it was not lost. */
static void conn_accept__deferred_to_the_end(struct kunit *test)
{
	struct seg s, in;
	struct world *w = answered(test, &SYN, &s);
	enum cause drop;

	w->req.defer = 1;
	in = third(&s);
	w->now += 10 * MS;
	req_rx(&w->req, &w->env, &in, w->now, &drop);
	w->now = w->req.deadline;
	req_tick(&w->req, &w->env, w->now);
	KUNIT_ASSERT_TRUE(test, req_poll(&w->req, &w->env, w->now, &s));
	KUNIT_ASSERT_EQ(test, req_rx(&w->req, &w->env, &in, w->now, &drop),
			REQ_ESTABLISH);
	conn_accept(&w->b, &w->env, &w->req, w->now);
	deliver(w, &w->b, &in);
	KUNIT_EXPECT_EQ(test, w->b.stats.retrans_segs, 1);
	KUNIT_EXPECT_EQ(test, w->b.rtt.srtt, 10 * MS);
	KUNIT_EXPECT_EQ(test, w->b.cc.cwnd, 10 * w->b.smss);
}

/*
 * A record may wait for a place in the queue of accept(), too: RFC 6298 section 2 measures
 * up to the first ACK.
 */
static void conn_accept__after_full_queue(struct kunit *test)
{
	struct seg s, in;
	struct world *w = answered(test, &SYN, &s);
	enum cause drop;

	in = third(&s);
	w->now += 10 * MS;
	KUNIT_ASSERT_EQ(test, req_rx(&w->req, &w->env, &in, w->now, &drop),
			REQ_ESTABLISH);
	w->now += 500 * MS;
	in.len = 100;
	KUNIT_ASSERT_EQ(test, req_rx(&w->req, &w->env, &in, w->now, &drop),
			REQ_ESTABLISH);
	conn_accept(&w->b, &w->env, &w->req, w->now);
	deliver(w, &w->b, &in);
	KUNIT_EXPECT_EQ(test, w->b.rtt.srtt, 10 * MS);
}

/* A SYN+ACK that was lost before the wait began is one all the same. */
static void conn_accept__lost_and_deferred(struct kunit *test)
{
	struct seg s, in;
	struct world *w = answered(test, &SYN, &s);
	enum cause drop;

	w->req.defer = 3;
	w->now = w->req.deadline;
	req_tick(&w->req, &w->env, w->now);
	KUNIT_ASSERT_TRUE(test, req_poll(&w->req, &w->env, w->now, &s));
	in = third(&s);
	req_rx(&w->req, &w->env, &in, w->now, &drop);
	in.len = 100;
	req_rx(&w->req, &w->env, &in, w->now, &drop);
	conn_accept(&w->b, &w->env, &w->req, w->now);
	deliver(w, &w->b, &in);
	KUNIT_EXPECT_EQ(test, w->b.cc.cwnd, w->b.smss);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTT, BY_NONE), 0);
}

/* RFC 7323 section 4.3, (2): the newest timestamp is echoed. */
static void req_rx__same_syn_with_newer_timestamp(struct kunit *test)
{
	struct seg first = SYN, s;
	struct world *w;
	enum cause drop;

	first.has_ts = true;
	first.tsval = 500;
	w = answered(test, &first, &s);
	first.tsval = 1500;
	req_rx(&w->req, &w->env, &first, w->now, &drop);
	KUNIT_ASSERT_TRUE(test, req_poll(&w->req, &w->env, w->now, &s));
	KUNIT_EXPECT_EQ(test, s.tsecr, 1500);
	/* one that was overtaken is not */
	first.tsval = 1000;
	req_rx(&w->req, &w->env, &first, w->now, &drop);
	KUNIT_ASSERT_TRUE(test, req_poll(&w->req, &w->env, w->now, &s));
	KUNIT_EXPECT_EQ(test, s.tsecr, 1500);
}

/* A flood of the same SYN: the count goes no further than it can. */
static void req_rx__same_syn_for_ever(struct kunit *test)
{
	struct seg s;
	struct world *w = answered(test, &SYN, &s);
	enum cause drop;

	for (u32 i = 0; i < U16_MAX + 2; i++) {
		req_rx(&w->req, &w->env, &SYN, w->now, &drop);
		KUNIT_ASSERT_TRUE(test, req_poll(&w->req, &w->env, w->now, &s));
	}
	KUNIT_EXPECT_EQ(test, w->req.resent, U16_MAX);
}

/* A challenge ACK is no retransmission, though SYN+ACKs were. */
static void make_challenge__after_timeout(struct kunit *test)
{
	struct seg s, in;
	struct world *w = answered(test, &SYN, &s);
	enum cause drop;

	w->now = w->req.deadline;
	req_tick(&w->req, &w->env, w->now);
	KUNIT_ASSERT_TRUE(test, req_poll(&w->req, &w->env, w->now, &s));
	in = third(&s);
	in.seq += RCV_BUF + 1;
	req_rx(&w->req, &w->env, &in, w->now, &drop);
	forget_events(w);
	KUNIT_ASSERT_TRUE(test, req_poll(&w->req, &w->env, w->now, &s));
	KUNIT_EXPECT_EQ(test, s.cause, BY_ACK_CHALLENGE);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_SEND, BY_ACK_CHALLENGE), 1);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTX, BY_NONE), 0);
}

/* @seq is from RCV.NXT = IRS + 1, @ack from SND.NXT = ISS + 1. */
static const struct rx_param {
	const char *name;
	u8 flags;
	s32 seq, ack;
	enum req_result result;
	enum cause drop;
	bool answer;
} arrivals[] = {
	{ "the ACK", FLAG_ACK, 0, 0, REQ_ESTABLISH, DROP_NONE, false },
	{ "the ACK, with text's PSH", FLAG_ACK | FLAG_PSH, 0, 0, REQ_ESTABLISH,
	  DROP_NONE, false },
	{ "later text overtook the ACK", FLAG_ACK, 700, 0, REQ_ESTABLISH,
	  DROP_NONE, false },
	{ "ACK of less", FLAG_ACK, 0, -1, REQ_RESET, DROP_HANDSHAKE_ACK,
	  false },
	{ "ACK of more", FLAG_ACK, 0, 1, REQ_RESET, DROP_HANDSHAKE_ACK, false },
	{ "no ACK bit", 0, 0, 0, REQ_DROP, DROP_NO_ACK, false },
	{ "below the window", FLAG_ACK, -1, 0, REQ_DROP, DROP_OUT_OF_WINDOW,
	  true },
	{ "behind a full flight that was lost", FLAG_ACK, RCV_BUF, 0,
	  REQ_ESTABLISH, DROP_NONE, false },
	{ "a FIN there, which takes a number", FLAG_ACK | FLAG_FIN, RCV_BUF, 0,
	  REQ_DROP, DROP_OUT_OF_WINDOW, true },
	{ "beyond the window", FLAG_ACK, RCV_BUF + 1, 0, REQ_DROP,
	  DROP_OUT_OF_WINDOW, true },
	/* RFC 5961 section 3.2 */
	{ "RST, exact", FLAG_RST, 0, 0, REQ_GONE, DROP_NONE, false },
	{ "RST, in the window", FLAG_RST, 1, 0, REQ_DROP, DROP_RST_CHALLENGED,
	  true },
	{ "RST, behind a full flight that was lost", FLAG_RST, RCV_BUF, 0,
	  REQ_DROP, DROP_RST_CHALLENGED, true },
	{ "RST, outside", FLAG_RST, RCV_BUF + 1, 0, REQ_DROP,
	  DROP_OUT_OF_WINDOW, false },
	{ "RST, below", FLAG_RST, -1, 0, REQ_DROP, DROP_OUT_OF_WINDOW, false },
	/* RFC 5961 section 4.2 */
	{ "another SYN, in the window", FLAG_SYN, 1, 0, REQ_DROP,
	  DROP_SYN_CHALLENGED, true },
	{ "another SYN, outside", FLAG_SYN, -2, 0, REQ_DROP, DROP_OUT_OF_WINDOW,
	  true },
};

NAMED_PARAMS(rx_param, arrivals);

static void req_rx__table(struct kunit *test)
{
	const struct rx_param *p = test->param_value;
	enum cause drop;
	struct seg s;
	struct world *w = answered(test, &SYN, &s);
	struct seg in = third(&s);

	in.flags = p->flags;
	in.seq += p->seq;
	in.ack += p->ack;
	KUNIT_EXPECT_EQ(test, req_rx(&w->req, &w->env, &in, w->now, &drop),
			p->result);
	KUNIT_EXPECT_EQ(test, drop, p->drop);
	KUNIT_EXPECT_EQ(test, req_poll(&w->req, &w->env, w->now, &s),
			p->answer);
	if (!p->answer)
		return;
	KUNIT_EXPECT_EQ(test, s.flags, FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.seq, B0);
	KUNIT_EXPECT_EQ(test, s.ack, A0);
	KUNIT_EXPECT_EQ(test, s.wnd, RCV_BUF);
	KUNIT_EXPECT_EQ(test, s.cause, BY_ACK_CHALLENGE);
	/* once */
	KUNIT_EXPECT_FALSE(test, req_poll(&w->req, &w->env, w->now, &s));
}

/* RFC 7323 section 5.3, R1 */
static void req_rx__paws(struct kunit *test)
{
	struct seg first = SYN, s, in;
	struct world *w;
	enum cause drop;

	first.has_ts = true;
	first.tsval = 500;
	w = answered(test, &first, &s);
	in = third(&s);
	in.tsval = 499;
	KUNIT_EXPECT_EQ(test, req_rx(&w->req, &w->env, &in, w->now, &drop),
			REQ_DROP);
	KUNIT_EXPECT_EQ(test, drop, DROP_PAWS);
	in.tsval = 500;
	KUNIT_EXPECT_EQ(test, req_rx(&w->req, &w->env, &in, w->now, &drop),
			REQ_ESTABLISH);
}

/* A SYN with TSval 0 tells no time: what follows may be anywhere. */
static void req_rx__paws_after_0(struct kunit *test)
{
	struct seg first = SYN, s, in;
	struct world *w;
	enum cause drop;

	first.has_ts = true;
	first.tsval = 0;
	w = answered(test, &first, &s);
	KUNIT_EXPECT_EQ(test, s.tsecr, 0);
	in = third(&s);
	in.tsval = 0x90000000;
	KUNIT_EXPECT_EQ(test, req_rx(&w->req, &w->env, &in, w->now, &drop),
			REQ_ESTABLISH);
	conn_accept(&w->b, &w->env, &w->req, w->now);
	deliver(w, &w->b, &in);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, w->b.ts_recent, in.tsval);
	/* from then on it does */
	in.tsval--;
	deliver(w, &w->b, &in);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_PAWS);
}

/* RFC 7323 section 3.2: what agreed to the option has it, or is dropped. */
static void req_rx__no_timestamp(struct kunit *test)
{
	struct seg first = SYN, s, in;
	struct world *w;
	enum cause drop;

	first.has_ts = true;
	w = answered(test, &first, &s);
	in = third(&s);
	in.has_ts = false;
	KUNIT_EXPECT_EQ(test, req_rx(&w->req, &w->env, &in, w->now, &drop),
			REQ_DROP);
	KUNIT_EXPECT_EQ(test, drop, DROP_NO_TIMESTAMP);
	in.flags = FLAG_RST;
	KUNIT_EXPECT_EQ(test, req_rx(&w->req, &w->env, &in, w->now, &drop),
			REQ_GONE);
}

/* RFC 5961 section 7 */
static void req_rx__challenges_limited(struct kunit *test)
{
	struct seg s, in;
	struct world *w = answered(test, &SYN, &s);
	unsigned int n = 0;
	enum cause drop;

	in = third(&s);
	in.seq--;
	for (int i = 0; i < 50; i++) {
		req_rx(&w->req, &w->env, &in, w->now, &drop);
		n += req_poll(&w->req, &w->env, w->now, &s);
	}
	KUNIT_EXPECT_EQ(test, n, CHALLENGE_ACKS);
}

/* RFC 7323 section 2.3: only the window of a SYN is not scaled */
static void make_challenge__scaled(struct kunit *test)
{
	struct seg first = SYN, s, in;
	struct world *w;
	enum cause drop;

	first.has_wscale = true;
	w = answered(test, &first, &s);
	KUNIT_EXPECT_EQ(test, s.wnd, RCV_BUF);
	in = third(&s);
	in.seq--;
	req_rx(&w->req, &w->env, &in, w->now, &drop);
	KUNIT_ASSERT_TRUE(test, req_poll(&w->req, &w->env, w->now, &s));
	KUNIT_EXPECT_EQ(test, s.flags, FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.wnd, RCV_BUF >> 3);
}

/* --- what the listener's options mean for a record --- */

/* TCP_SYNCNT of a listener */
static void req_tick__most_retries(struct kunit *test)
{
	struct world *w = world_new(test);
	struct conn_config cfg = config_b();
	struct seg s;
	int n = 0;

	cfg.synack_retries = 2;
	req_init(&w->req, &w->env, &cfg, &SYN, w->now);
	while (req_tick(&w->req, &w->env, w->req.deadline))
		n += req_poll(&w->req, &w->env, w->req.deadline, &s);
	KUNIT_EXPECT_EQ(test, n, 2);
}

/* TCP_WINDOW_CLAMP: also the scale has no more to say */
static void req_init__window_clamp(struct kunit *test)
{
	struct world *w = world_new(test);
	struct conn_config cfg = config_b();
	struct seg first = SYN, s;

	w->env.tun.window_scaling = true;
	first.has_wscale = true;
	cfg.window_clamp = 3000;
	req_init(&w->req, &w->env, &cfg, &first, w->now);
	KUNIT_ASSERT_TRUE(test, req_poll(&w->req, &w->env, w->now, &s));
	KUNIT_EXPECT_EQ(test, s.wnd, 3000);
	KUNIT_EXPECT_EQ(test, s.wscale, 0);
}

/* A record that waits for data; its SYN+ACK has gone out. */
static struct world *deferring(struct kunit *test, u8 timeouts,
			       struct seg *synack)
{
	struct world *w = world_new(test);
	struct conn_config cfg = config_b();

	cfg.defer_accept = timeouts;
	req_init(&w->req, &w->env, &cfg, &SYN, w->now);
	KUNIT_ASSERT_TRUE(test, req_poll(&w->req, &w->env, w->now, synack));
	return w;
}

/* TCP_DEFER_ACCEPT: a bare ACK makes no connection, data and FIN do. */
static const struct defer_param {
	const char *name;
	u8 flags;
	u32 len;
	enum req_result result;
	enum cause drop;
} deferred[] = {
	{ "bare ACK", FLAG_ACK, 0, REQ_DROP, DROP_DEFERRED },
	{ "data", FLAG_ACK, 1, REQ_ESTABLISH, DROP_NONE },
	{ "FIN", FLAG_ACK | FLAG_FIN, 0, REQ_ESTABLISH, DROP_NONE },
};

NAMED_PARAMS(defer_param, deferred);

static void req_rx__deferred(struct kunit *test)
{
	const struct defer_param *p = test->param_value;
	struct seg s, in;
	struct world *w = deferring(test, 1, &s);
	enum cause drop;

	in = third(&s);
	in.flags = p->flags;
	in.len = p->len;
	KUNIT_EXPECT_EQ(test, req_rx(&w->req, &w->env, &in, w->now, &drop),
			p->result);
	KUNIT_EXPECT_EQ(test, drop, p->drop);
	KUNIT_EXPECT_FALSE(test, req_poll(&w->req, &w->env, w->now, &s));
}

/*
 * Once the SYN+ACK is acknowledged it is silent, but for the last timeout: what
 * answers that makes a connection without data too.
 */
static void req_tick__deferred(struct kunit *test)
{
	struct seg s, in;
	struct world *w = deferring(test, 3, &s);
	enum cause drop;

	in = third(&s);
	req_rx(&w->req, &w->env, &in, w->now, &drop);
	for (int i = 0; i < 3; i++) {
		w->now = w->req.deadline;
		KUNIT_EXPECT_EQ(test,
				req_rx(&w->req, &w->env, &in, w->now, &drop),
				REQ_DROP);
		KUNIT_EXPECT_TRUE(test, req_tick(&w->req, &w->env, w->now));
		KUNIT_EXPECT_EQ(test, req_poll(&w->req, &w->env, w->now, &s),
				i == 2);
	}
	KUNIT_EXPECT_EQ(test, w->now, 10 * SECOND + 7 * SECOND);
	KUNIT_EXPECT_EQ(test, req_rx(&w->req, &w->env, &in, w->now, &drop),
			REQ_ESTABLISH);
}

/* A SYN that was on its way when the wait began does not prolong it. */
static void req_rx__same_syn_while_deferred(struct kunit *test)
{
	struct seg s, in;
	struct world *w = deferring(test, 3, &s);
	u64 deadline = w->req.deadline;
	enum cause drop;

	in = third(&s);
	req_rx(&w->req, &w->env, &in, w->now, &drop);
	w->now += 500 * MS;
	req_rx(&w->req, &w->env, &SYN, w->now, &drop);
	KUNIT_EXPECT_EQ(test, drop, DROP_DUP_SYN);
	KUNIT_EXPECT_EQ(test, w->req.deadline, deadline);
}

/* Seconds of TCP_DEFER_ACCEPT, and what is left of them */
static const struct defer_time_param {
	const char *name;
	u64 asked;
	u8 timeouts;
	u64 given;
} defer_times[] = {
	{ "none", 0, 0, 0 },
	{ "first", 1, 1, 1 },
	{ "rounded up", 2, 2, 3 },
	{ "exact", 7, 3, 7 },
	{ "beyond the ceiling of the RTO", 128, 8, 247 },
	{ "too long", 1000000, 255, 127 + 248 * 120 },
};

NAMED_PARAMS(defer_time_param, defer_times);

static void req_timeouts_in__table(struct kunit *test)
{
	const struct defer_time_param *p = test->param_value;
	const struct tunables *tun = &world_new(test)->env.tun;

	KUNIT_EXPECT_EQ(test, req_timeouts_in(tun, p->asked * SECOND),
			p->timeouts);
	KUNIT_EXPECT_EQ(test, req_time_of(tun, p->timeouts), p->given * SECOND);
}

/* Who never acknowledged is given up as ever; who did, after the wait. */
static void req_tick__deferred_ends(struct kunit *test)
{
	struct seg s, in;
	struct world *w = deferring(test, SYNACK_RETRIES + 2, &s);
	enum cause drop;
	int n = 0;

	while (req_tick(&w->req, &w->env, w->req.deadline))
		n += req_poll(&w->req, &w->env, w->req.deadline, &s);
	KUNIT_EXPECT_EQ(test, n, SYNACK_RETRIES);
	w = deferring(test, SYNACK_RETRIES + 2, &s);
	in = third(&s);
	req_rx(&w->req, &w->env, &in, w->now, &drop);
	n = 0;
	while (req_tick(&w->req, &w->env, w->req.deadline))
		n += req_poll(&w->req, &w->env, w->req.deadline, &s);
	KUNIT_EXPECT_EQ(test, n, 1);
	KUNIT_EXPECT_EQ(test, w->req.retries, SYNACK_RETRIES + 2);
}

/* --- the record becomes a connection --- */

static void conn_accept__takes_over(struct kunit *test)
{
	struct seg first = SYN, s, in;
	struct world *w;

	first.has_ts = true;
	first.has_wscale = true;
	first.tsval = 444;
	first.wscale = 2;
	w = answered(test, &first, &s);
	w->now += 80 * MS;
	in = third(&s);
	in.len = 10;
	conn_accept(&w->b, &w->env, &w->req, w->now);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_SYN_RCVD);
	KUNIT_EXPECT_EQ(test, w->b.snd_wnd, 12345);
	deliver(w, &w->b, &in);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, w->v.wake, WAKE_STATE | WAKE_WRITE | WAKE_READ);
	/* the text that came along is taken */
	KUNIT_EXPECT_EQ(test, w->v.keep, 10);
	KUNIT_EXPECT_EQ(test, w->b.rcv_nxt, A0 + 10);
	KUNIT_EXPECT_EQ(test, w->b.snd_una, B0);
	KUNIT_EXPECT_EQ(test, w->b.snd_nxt, B0);
	/* this window is scaled, that of the SYN was not */
	KUNIT_EXPECT_EQ(test, w->b.snd_wnd, 400);
	KUNIT_EXPECT_EQ(test, w->b.smss, 900 - 12);
	KUNIT_EXPECT_EQ(test, w->b.ts_recent, 500);
	KUNIT_EXPECT_EQ(test, w->b.rtt.srtt, 80 * MS);
	KUNIT_EXPECT_EQ(test, w->b.cc.cwnd, 10 * 888);
	KUNIT_EXPECT_EQ(test, w->b.id, 2);
}

/* RFC 7323 sections 2.2 and 3.2: what both SYNs had stays on. */
static void conn_accept__keeps_what_was_agreed(struct kunit *test)
{
	struct seg first = SYN, s, in;
	struct world *w;

	first.has_ts = true;
	first.has_wscale = true;
	first.tsval = 444;
	first.wscale = 2;
	w = answered(test, &first, &s);
	in = third(&s);
	w->env.tun.timestamps = false;
	w->env.tun.window_scaling = false;
	conn_accept(&w->b, &w->env, &w->req, w->now);
	deliver(w, &w->b, &in);
	KUNIT_EXPECT_TRUE(test, w->b.ts_ok);
	KUNIT_EXPECT_TRUE(test, w->b.wscale_ok);
	KUNIT_EXPECT_EQ(test, w->b.snd_wscale, 2);
	KUNIT_EXPECT_EQ(test, w->b.rcv_wscale, w->req.rcv_wscale);
}

/* RFC 5681 section 3.1 and RFC 6298 (5.7), after a SYN+ACK that got lost */
static void conn_accept__after_lost_synack(struct kunit *test)
{
	struct seg s, in;
	struct world *w = answered(test, &SYN, &s);

	w->now = w->req.deadline;
	req_tick(&w->req, &w->env, w->now);
	req_poll(&w->req, &w->env, w->now, &s);
	w->now += 80 * MS;
	in = third(&s);
	conn_accept(&w->b, &w->env, &w->req, w->now);
	deliver(w, &w->b, &in);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, w->b.cc.cwnd, w->b.smss);
	KUNIT_EXPECT_EQ(test, w->b.rtt.srtt, 0);
	KUNIT_EXPECT_EQ(test, rtt_rto(&w->b.rtt), 3 * SECOND);
}

/* RFC 9293 section 3.10.5: <SEQ=SND.NXT><CTL=RST>, which the peer believes */
static void req_abort__tells_the_peer(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	forget_events(w);
	req_abort(&w->req, &w->env, w->now, &s);
	KUNIT_EXPECT_EQ(test, s.flags, FLAG_RST | FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.seq, B0);
	KUNIT_EXPECT_EQ(test, s.ack, A0);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_SEND, BY_RESET), 1);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->new, ST_CLOSED);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->cause, BY_USER_ABORT);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
	KUNIT_EXPECT_EQ(test, w->a.err, ECONNRESET);
}

static struct kunit_case req_cases[] = {
	KUNIT_CASE_PARAM(listen_rx__table, listens_row_gen_params),
	KUNIT_CASE(req_init__synack),
	KUNIT_CASE(req_init__options),
	KUNIT_CASE(req_init__options_refused),
	KUNIT_CASE(req_init__default_mss),
	KUNIT_CASE(req_rx__same_syn),
	KUNIT_CASE(req_rx__same_syn_with_newer_timestamp),
	KUNIT_CASE(req_rx__same_syn_for_ever),
	KUNIT_CASE(conn_accept__deferred),
	KUNIT_CASE(conn_accept__after_full_queue),
	KUNIT_CASE(conn_accept__deferred_to_the_end),
	KUNIT_CASE(conn_accept__lost_and_deferred),
	KUNIT_CASE(make_challenge__after_timeout),
	KUNIT_CASE_PARAM(req_rx__table, arrivals_row_gen_params),
	KUNIT_CASE(req_rx__paws),
	KUNIT_CASE(req_rx__paws_after_0),
	KUNIT_CASE(req_rx__no_timestamp),
	KUNIT_CASE(req_rx__challenges_limited),
	KUNIT_CASE(make_challenge__scaled),
	KUNIT_CASE(req_tick__schedule),
	KUNIT_CASE(req_tick__ceiling),
	KUNIT_CASE(req_tick__most_retries),
	KUNIT_CASE(req_init__window_clamp),
	KUNIT_CASE_PARAM(req_rx__deferred, deferred_row_gen_params),
	KUNIT_CASE(req_tick__deferred),
	KUNIT_CASE(req_rx__same_syn_while_deferred),
	KUNIT_CASE(req_tick__deferred_ends),
	KUNIT_CASE_PARAM(req_timeouts_in__table, defer_times_row_gen_params),
	KUNIT_CASE(req_abort__tells_the_peer),
	KUNIT_CASE(conn_accept__takes_over),
	KUNIT_CASE(conn_accept__keeps_what_was_agreed),
	KUNIT_CASE(conn_accept__after_lost_synack),
	{}
};

static struct kunit_suite chalk_req = {
	.name = "chalk_req",
	.test_cases = req_cases,
};

kunit_test_suite(chalk_req);
