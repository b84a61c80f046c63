// SPDX-License-Identifier: GPL-2.0
/*
 * conn_test.c - a connection from SYN to CLOSED: begin, user calls, end
 */
#include <kunit/test.h>

#include "../core/timewait.h"
#include "helper.h"

/* --- SYN_SENT: RFC 9293 section 3.10.7.3 --- */

/* @ack is from SND.NXT = ISS + 1. */
static const struct syn_sent_param {
	const char *name;
	u8 flags;
	s32 ack;
	enum conn_state state;
	enum cause drop;
	bool reset;
	int err;
} answers[] = {
	{ "SYN+ACK", FLAG_SYN | FLAG_ACK, 0, ST_ESTABLISHED, DROP_NONE, false,
	  0 },
	{ "SYN", FLAG_SYN, 0, ST_SYN_RCVD, DROP_NONE, false, 0 },
	/* first: "If SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a reset" */
	{ "ACK of less", FLAG_SYN | FLAG_ACK, -1, ST_SYN_SENT,
	  DROP_SYN_SENT_ACK, true, 0 },
	{ "ACK of more", FLAG_SYN | FLAG_ACK, 1, ST_SYN_SENT, DROP_SYN_SENT_ACK,
	  true, 0 },
	{ "bare ACK of less", FLAG_ACK, -1, ST_SYN_SENT, DROP_SYN_SENT_ACK,
	  true, 0 },
	/* "unless the RST bit is set" */
	{ "RST+ACK of less", FLAG_RST | FLAG_ACK, -1, ST_SYN_SENT,
	  DROP_SYN_SENT_ACK, false, 0 },
	/* second */
	{ "RST+ACK", FLAG_RST | FLAG_ACK, 0, ST_CLOSED, DROP_NONE, false,
	  ECONNREFUSED },
	{ "RST", FLAG_RST, 0, ST_SYN_SENT, DROP_SYN_SENT_RST, false, 0 },
	/* fifth: "if neither of the SYN or RST bits is set" */
	{ "ACK", FLAG_ACK, 0, ST_SYN_SENT, DROP_SYN_SENT_NO_SYN, false, 0 },
	{ "FIN", FLAG_FIN, 0, ST_SYN_SENT, DROP_SYN_SENT_NO_SYN, false, 0 },
};

NAMED_PARAMS(syn_sent_param, answers);

static void rx_syn_sent__table(struct kunit *test)
{
	const struct syn_sent_param *p = test->param_value;
	struct world *w = world_new(test);
	struct seg s = {
		.sport = B_PORT,
		.dport = A_PORT,
		.seq = B_ISS,
		.ack = A0 + p->ack,
		.flags = p->flags,
		.wnd = RCV_BUF,
		.mss = MSS,
	};

	open_a(w);
	lose_all(w, &w->a);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, p->state);
	KUNIT_EXPECT_EQ(test, w->v.drop, p->drop);
	KUNIT_EXPECT_EQ(test, w->v.reset, p->reset);
	KUNIT_EXPECT_EQ(test, w->a.err, p->err);
	KUNIT_EXPECT_EQ(test, !!(w->v.wake & WAKE_STATE),
			state_in(p->state, STF(ESTABLISHED) | STF(CLOSED)));
	if (p->state == ST_SYN_SENT)
		expect_silence(test, w, &w->a);
}

/* The third segment of the handshake. */
static void rx_syn_sent__acknowledges(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s = synack_of_b();

	open_a(w);
	lose_all(w, &w->a);
	deliver(w, &w->a, &s);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.flags, FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.seq, A0);
	KUNIT_EXPECT_EQ(test, s.ack, B0);
	KUNIT_EXPECT_EQ(test, s.cause, BY_HANDSHAKE);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), NEVER);
}

/* and may carry text: a request rides on it */
static void rx_syn_sent__third_segment_with_text(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s = synack_of_b();

	open_a(w);
	lose_all(w, &w->a);
	deliver(w, &w->a, &s);
	conn_write(&w->a, 50, false);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.len, 50);
	KUNIT_EXPECT_EQ(test, s.ack, B0);
	expect_silence(test, w, &w->a);
}

/* "there may be other controls or text in the segment" */
static void rx_syn_sent__text_and_fin(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s = { .seq = B_ISS,
			 .ack = A0,
			 .wnd = RCV_BUF,
			 .mss = MSS,
			 .flags = FLAG_SYN | FLAG_ACK | FLAG_FIN,
			 .len = 30 };

	open_a(w);
	lose_all(w, &w->a);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSE_WAIT);
	KUNIT_EXPECT_EQ(test, w->v.keep, 30);
	KUNIT_EXPECT_EQ(test, w->v.seq, B0);
	KUNIT_EXPECT_EQ(test, w->v.skip, 0);
	KUNIT_EXPECT_EQ(test, w->a.rcv_nxt, B0 + 31);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.ack, B0 + 31);
}

/* RFC 9293 section 3.7.1, MUST-15: 536, of IPv6 1220, where the peer names none */
static void conn_open__default_mss(struct kunit *test)
{
	struct world *w = world_new(test);
	struct conn_config cfg = config_a();
	struct seg s = synack_of_b();

	cfg.mtu_mss = 1440;
	cfg.default_mss = MSS_DEFAULT_IPV6;
	conn_open(&w->a, &w->env, &cfg, w->now);
	lose_all(w, &w->a);
	s.mss = 0;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.smss, MSS_DEFAULT_IPV6);
}

/* A SYN cannot promise more than its field can say (RFC 7323 section 2.2). */
static void conn_open__large_buffer(struct kunit *test)
{
	struct world *w = world_new(test);
	struct conn_config cfg = config_a();

	w->env.tun.window_scaling = true;
	cfg.rcv_buf = 200000;
	conn_open(&w->a, &w->env, &cfg, w->now);
	KUNIT_EXPECT_EQ(test, w->a.rcv_wnd, U16_MAX);
	/* nothing was heard before, nothing is urgent */
	KUNIT_EXPECT_EQ(test, w->a.last_rcvd, w->now);
	KUNIT_EXPECT_FALSE(test, seq_gt(w->a.snd_up, w->a.snd_una));
}

/* --- both at once: figure 7 of RFC 9293 --- */

static void open_b(struct world *w)
{
	struct conn_config cfg = config_b();

	conn_open(&w->b, &w->env, &cfg, w->now);
}

static void conn_open__simultaneous(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg syn_a, syn_b, s;

	open_a(w);
	open_b(w);
	syn_a = next_seg(test, w, &w->a);
	syn_b = next_seg(test, w, &w->b);
	deliver(w, &w->a, &syn_b);
	deliver(w, &w->b, &syn_a);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_SYN_RCVD);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_SYN_RCVD);
	/* <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> */
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.flags, FLAG_SYN | FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.seq, A_ISS);
	KUNIT_EXPECT_EQ(test, s.ack, B0);
	deliver(w, &w->b, &s);
	carry(w);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_ESTABLISHED);
	/* and they can talk */
	conn_write(&w->a, 5000, false);
	carry(w);
	KUNIT_EXPECT_EQ(test, conn_readable(&w->b), 5000);
}

/* ip-route(8): what the route asks for goes before what the namespace says. */
static const struct conn_route asked = {
	.rto_min = 500 * MS,
	.window = 3000,
	.init_cwnd = 3,
	.adv_mss = 600,
	.quickack = true,
};

static void expect_route(struct kunit *test, struct world *w, struct conn *c)
{
	struct seg s;

	KUNIT_EXPECT_EQ(test, c->cc.cwnd, 3 * MSS);
	/* it bounds what the peer sends, not what we send */
	KUNIT_EXPECT_EQ(test, c->smss, MSS);
	KUNIT_EXPECT_EQ(test, rtt_rto(&c->rtt), 10 * MS + 500 * MS);
	c->quickacks = 0;
	s = text_from_peer(c, 10);
	deliver(w, c, &s);
	s = next_seg(test, w, c);
	KUNIT_EXPECT_EQ(test, s.ack, c->rcv_nxt);
	KUNIT_EXPECT_LE(test, s.wnd, 3000);
}

static void conn_set_route__open(struct kunit *test)
{
	struct world *w = world_new(test);
	struct conn_config cfg = config_a();
	struct seg s;

	cfg.route = asked;
	conn_open(&w->a, &w->env, &cfg, w->now);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.mss, 600);
	KUNIT_EXPECT_EQ(test, s.wnd, 3000);
	elapse(w, 10 * MS);
	s = synack_of_b();
	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	expect_route(test, w, &w->a);
}

static void conn_set_route__accept(struct kunit *test)
{
	struct world *w = world_new(test);
	struct conn_config cfg = config_b();
	enum cause drop;
	struct seg s;

	open_a(w);
	s = next_seg(test, w, &w->a);
	cfg.route = asked;
	req_init(&w->req, &w->env, &cfg, &s, w->now);
	KUNIT_ASSERT_TRUE(test, req_poll(&w->req, &w->env, w->now, &s));
	KUNIT_EXPECT_EQ(test, s.mss, 600);
	KUNIT_EXPECT_EQ(test, s.wnd, 3000);
	deliver(w, &w->a, &s);
	elapse(w, 10 * MS);
	s = next_seg(test, w, &w->a);
	KUNIT_ASSERT_EQ(test, req_rx(&w->req, &w->env, &s, w->now, &drop),
			REQ_ESTABLISH);
	conn_accept(&w->b, &w->env, &w->req, w->now);
	conn_set_route(&w->b, &asked);
	deliver(w, &w->b, &s);
	expect_route(test, w, &w->b);
}

/* What the user says goes before both. */
static void conn_set_route__user_first(struct kunit *test)
{
	struct world *w = world_new(test);
	struct conn_config cfg = config_a();
	struct seg s;

	cfg.route = asked;
	cfg.user_mss = 550;
	w->a.opt.window_clamp = 2000;
	conn_open(&w->a, &w->env, &cfg, w->now);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.mss, 550);
	KUNIT_EXPECT_EQ(test, s.wnd, 2000);
}

/* Both in SYN_RCVD; the SYN+ACKs that they send. */
static struct world *crossing(struct kunit *test, struct seg *of_a,
			      struct seg *of_b)
{
	struct world *w = world_new(test);

	w->env.tun.window_scaling = true;
	open_a(w);
	open_b(w);
	*of_a = next_seg(test, w, &w->a);
	*of_b = next_seg(test, w, &w->b);
	deliver(w, &w->a, of_b);
	deliver(w, &w->b, of_a);
	*of_a = next_seg(test, w, &w->a);
	*of_b = next_seg(test, w, &w->b);
	return w;
}

/* Figure 7, lines 5 to 7: nothing but the two SYN+ACKs makes it. */
static void is_crossing_synack__figure_7(struct kunit *test)
{
	struct seg of_a, of_b, s;
	struct world *w = crossing(test, &of_a, &of_b);

	deliver(w, &w->a, &of_b);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_NONE);
	KUNIT_EXPECT_EQ(test, w->v.wake, WAKE_STATE | WAKE_WRITE);
	deliver(w, &w->b, &of_a);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_ESTABLISHED);
	/* RFC 7323 section 2.2: the window of a SYN is not scaled */
	KUNIT_EXPECT_EQ(test, w->a.snd_wnd, RCV_BUF);
	KUNIT_EXPECT_EQ(test, w->b.snd_wnd, RCV_BUF);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.flags, FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.cause, BY_HANDSHAKE);
	deliver(w, &w->b, &s);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->b), 1);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), NEVER);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->b), NEVER);
	conn_write(&w->a, 5000, false);
	carry(w);
	KUNIT_EXPECT_EQ(test, conn_readable(&w->b), 5000);
}

/* One of them is lost: what answers the other takes its place. */
static void is_crossing_synack__one_lost(struct kunit *test)
{
	struct seg of_a, of_b;
	struct world *w = crossing(test, &of_a, &of_b);

	deliver(w, &w->a, &of_b);
	carry(w);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_ESTABLISHED);
	/* the second, late, is an old duplicate */
	deliver(w, &w->b, &of_a);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_OLD_DUPLICATE);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_ESTABLISHED);
}

/* "there may be other controls or text in the segment" */
static void is_crossing_synack__text_and_fin(struct kunit *test)
{
	struct seg of_a, of_b, s;
	struct world *w = crossing(test, &of_a, &of_b);

	of_b.len = 30;
	deliver(w, &w->a, &of_b);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, w->v.keep, 30);
	KUNIT_EXPECT_EQ(test, w->v.skip, 0);
	KUNIT_EXPECT_EQ(test, w->v.seq, B0);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.ack, B0 + 30);
	w = crossing(test, &of_a, &of_b);
	of_b.len = 30;
	of_b.flags |= FLAG_FIN;
	deliver(w, &w->a, &of_b);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSE_WAIT);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.ack, B0 + 31);
}

/* @ack from ISS + 1, @seq from IRS; each leaves SYN_RCVD as it is */
static const struct crossing_param {
	const char *name;
	s32 seq, ack;
	u8 flags;
	bool answered;
} crossings[] = {
	{ "ACK of less", 0, -1, FLAG_SYN | FLAG_ACK, true },
	{ "ACK of more", 0, 1, FLAG_SYN | FLAG_ACK, true },
	{ "another SYN before it", -1, 0, FLAG_SYN | FLAG_ACK, true },
	{ "another SYN behind it", 1, 0, FLAG_SYN | FLAG_ACK, true },
	{ "without ACK", 0, 0, FLAG_SYN, true },
	{ "with RST", 0, 0, FLAG_SYN | FLAG_ACK | FLAG_RST, false },
};

NAMED_PARAMS(crossing_param, crossings);

static void is_crossing_synack__table(struct kunit *test)
{
	const struct crossing_param *p = test->param_value;
	struct seg of_a, of_b, s;
	struct world *w = crossing(test, &of_a, &of_b);

	s = of_b;
	s.seq += p->seq;
	s.ack += p->ack;
	s.flags = p->flags;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_SYN_RCVD);
	KUNIT_EXPECT_NE(test, w->v.drop, DROP_NONE);
	KUNIT_EXPECT_FALSE(test, w->v.reset);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), p->answered);
	/* the right one still makes it */
	deliver(w, &w->a, &of_b);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
}

/* RFC 7323 section 4.3: its timestamp is younger than that of the SYN. */
static void is_crossing_synack__timestamp(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s = synack_of_b();

	w->env.tun.timestamps = true;
	open_a(w);
	lose_all(w, &w->a);
	s.flags = FLAG_SYN;
	s.has_ts = true;
	s.tsval = 500;
	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	s = synack_of_b();
	s.has_ts = true;
	s.tsval = 499;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_PAWS);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_SYN_RCVD);
	lose_all(w, &w->a);
	s.tsval = 510;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).tsecr, 510);
}

/* Later it is none: RFC 5961 section 4.2 has the word on every SYN. */
static void is_crossing_synack__established(struct kunit *test)
{
	struct seg of_a, of_b, s;
	struct world *w = crossing(test, &of_a, &of_b);

	deliver(w, &w->a, &of_b);
	lose_all(w, &w->a);
	write_and_send(w, &w->a, 100);
	s = of_b;
	s.ack = w->a.snd_nxt;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_OLD_DUPLICATE);
	KUNIT_EXPECT_EQ(test, w->a.snd_una, A0);
}

/* The user has closed meanwhile: the FIN goes; text is for nobody. */
static void is_crossing_synack__closed(struct kunit *test)
{
	struct seg of_a, of_b, s;
	struct world *w = crossing(test, &of_a, &of_b);

	conn_release(&w->a, w->now);
	deliver(w, &w->a, &of_b);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_FIN_WAIT_1);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.flags, FLAG_FIN | FLAG_ACK);
	w = crossing(test, &of_a, &of_b);
	/* ACKs may wait: no timer of a connection that has ended */
	w->a.opt.pingpong = true;
	conn_release(&w->a, w->now);
	of_b.len = 30;
	deliver(w, &w->a, &of_b);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_AFTER_CLOSE);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), NEVER);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_TRUE(test, s.flags & FLAG_RST);
	expect_silence(test, w, &w->a);
}

/* The SYN+ACK of one got lost: it is sent again. */
static void conn_open__simultaneous_with_loss(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg syn_a, syn_b;

	open_a(w);
	open_b(w);
	syn_a = next_seg(test, w, &w->a);
	syn_b = next_seg(test, w, &w->b);
	deliver(w, &w->a, &syn_b);
	deliver(w, &w->b, &syn_a);
	lose_all(w, &w->a);
	lose_all(w, &w->b);
	elapse(w, SECOND);
	carry(w);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_ESTABLISHED);
}

/* RFC 7323 sections 2.2 and 3.2: a SYN+ACK has no option that the SYN had not */
static void conn_open__simultaneous_without_options(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s = synack_of_b();

	w->env.tun.timestamps = true;
	w->env.tun.window_scaling = true;
	open_a(w);
	KUNIT_EXPECT_TRUE(test, next_seg(test, w, &w->a).has_wscale);
	s.flags = FLAG_SYN;
	deliver(w, &w->a, &s);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.flags, FLAG_SYN | FLAG_ACK);
	KUNIT_EXPECT_FALSE(test, s.has_wscale || s.has_ts);
}

/* SYN_RCVD has tries of its own, however often the SYN was sent before. */
static void conn_open__simultaneous_after_retries(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s = synack_of_b();
	u32 n = 0;

	w->env.tun.syn_retries = 6;
	w->env.tun.synack_retries = 2;
	open_a(w);
	for (int i = 0; i < 6; i++) {
		lose_all(w, &w->a);
		elapse(w, conn_deadline(&w->a) - w->now);
	}
	s.flags = FLAG_SYN;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_SYN_RCVD);
	lose_all(w, &w->a);
	while (w->a.state != ST_CLOSED && n < 100) {
		elapse(w, conn_deadline(&w->a) - w->now);
		n += lose_all(w, &w->a);
	}
	KUNIT_EXPECT_EQ(test, n, 2);
	KUNIT_EXPECT_EQ(test, w->a.err, ETIMEDOUT);
}

/* In SYN_RCVD a wrong ACK is answered with a reset (3.10.7.4, fifth). */
static void ack_in_syn_rcvd__wrong(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s;

	open_a(w);
	open_b(w);
	lose_all(w, &w->a);
	s = next_seg(test, w, &w->b);
	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	s.seq++;
	s.flags = FLAG_ACK;
	s.ack = A0 + 1;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->v.drop, DROP_HANDSHAKE_ACK);
	KUNIT_EXPECT_TRUE(test, w->v.reset);
	s.ack = A_ISS;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_TRUE(test, w->v.reset);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_SYN_RCVD);
	s.ack = A0;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, w->v.wake, WAKE_STATE | WAKE_WRITE);
}

static void check_rst__syn_rcvd(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s;

	open_a(w);
	open_b(w);
	lose_all(w, &w->a);
	s = next_seg(test, w, &w->b);
	deliver(w, &w->a, &s);
	s.seq++;
	s.flags = FLAG_RST;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
	KUNIT_EXPECT_EQ(test, w->a.err, ECONNREFUSED);
}

/* RFC 4022: tcpAttemptFails counts what comes to CLOSED from SYN_RCVD, too. */
static void count_transition__syn_rcvd(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s = synack_of_b();

	open_a(w);
	lose_all(w, &w->a);
	s.flags = FLAG_SYN;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_SYN_RCVD);
	conn_abort(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_ATTEMPT_FAILS), 1);
	/* RFC 9293 section 3.10.5: SYN-RECEIVED owes the peer a reset */
	KUNIT_EXPECT_TRUE(test, next_seg(test, w, &w->a).flags & FLAG_RST);
}

/* --- questions --- */

static void conn_unacked__without_syn_and_fin(struct kunit *test)
{
	struct world *w = world_new(test);

	open_a(w);
	KUNIT_EXPECT_EQ(test, conn_unacked(&w->a), 0);
	KUNIT_EXPECT_EQ(test, conn_unsent(&w->a), 0);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_unacked(&w->a), 0);
	w = connected(test);
	write_and_send(w, &w->a, 100);
	conn_close(&w->a, w->now);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_unacked(&w->a), 100);
	ack_upto(w, &w->a, A0 + 60);
	KUNIT_EXPECT_EQ(test, conn_unacked(&w->a), 40);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_unacked(&w->a), 0);
}

static void conn_can_write__by_state(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg fin;

	open_a(w);
	KUNIT_EXPECT_FALSE(test, conn_can_write(&w->a));
	w = connected(test);
	KUNIT_EXPECT_TRUE(test, conn_can_write(&w->a));
	fin = from_peer(&w->a);
	fin.flags |= FLAG_FIN;
	deliver(w, &w->a, &fin);
	/* half closed: this direction goes on */
	KUNIT_EXPECT_TRUE(test, conn_can_write(&w->a));
	conn_close(&w->a, w->now);
	KUNIT_EXPECT_FALSE(test, conn_can_write(&w->a));
}

static void conn_at_eof__after_reset(struct kunit *test)
{
	struct world *w = connected(test);

	KUNIT_EXPECT_FALSE(test, conn_at_eof(&w->a));
	conn_abort(&w->a, w->now);
	KUNIT_EXPECT_TRUE(test, conn_at_eof(&w->a));
}

static void conn_outq_unsent__after_timeout(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 15 * MSS);
	KUNIT_EXPECT_EQ(test, conn_outq_unsent(&w->a), 5 * MSS);
	/* what goes out again was sent */
	elapse(w, rtt_rto(&w->a.rtt));
	KUNIT_EXPECT_EQ(test, conn_next(&w->a), A0);
	KUNIT_EXPECT_EQ(test, conn_outq_unsent(&w->a), 5 * MSS);
}

/* --- the user reads --- */

static void conn_set_rcv_buf__larger(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, RCV_BUF);

	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	conn_set_rcv_buf(&w->a, 2 * RCV_BUF, w->now);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.wnd, RCV_BUF);
	KUNIT_EXPECT_EQ(test, s.cause, BY_WINDOW_UPDATE);
}

/* An open window needs no segment of its own to grow. */
static void conn_set_rcv_buf__open_window(struct kunit *test)
{
	struct world *w = connected(test);

	conn_set_rcv_buf(&w->a, 2 * RCV_BUF, w->now);
	expect_silence(test, w, &w->a);
}

/* An ACK that is due already tells of the window: it goes by its own cause. */
static void conn_read__ack_is_due(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, RCV_BUF);

	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	s.len = 1;
	deliver(w, &w->a, &s);
	conn_read(&w->a, RCV_BUF, w->now);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.cause, BY_ACK_UNACCEPTABLE);
	KUNIT_EXPECT_EQ(test, s.wnd, RCV_BUF);
}

/* RFC 5681: cwnd is never less than a segment, also where those have grown. */
static void conn_set_mss__larger_than_cwnd(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s = synack_of_b();
	struct conn_config cfg = config_a();

	cfg.mtu_mss = 500;
	conn_open(&w->a, &w->env, &cfg, w->now);
	lose_all(w, &w->a);
	deliver(w, &w->a, &s);
	w->a.cc.cwnd = 500;
	conn_set_mss(&w->a, MSS, w->now);
	KUNIT_EXPECT_EQ(test, w->a.smss, MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, MSS);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_CWND)->cause, BY_MSS_CHANGE);
}

/* No update where the peer will send no more. */
static void conn_read__after_fin(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, RCV_BUF);

	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	conn_read(&w->a, RCV_BUF, w->now);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_TRUE(test, conn_at_eof(&w->a));
}

/* --- the four-way teardown: RFC 9293 section 3.6, figure 12 --- */

static void conn_close__four_way(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	conn_close(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_FIN_WAIT_1);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.flags, FLAG_FIN | FLAG_ACK);
	deliver(w, &w->b, &s);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_CLOSE_WAIT);
	s = next_seg(test, w, &w->b);
	KUNIT_EXPECT_EQ(test, s.flags, FLAG_ACK);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_FIN_WAIT_2);
	conn_close(&w->b, w->now);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_LAST_ACK);
	s = next_seg(test, w, &w->b);
	KUNIT_EXPECT_EQ(test, s.flags, FLAG_FIN | FLAG_ACK);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_TIME_WAIT);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.flags, FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.seq, A0 + 1);
	KUNIT_EXPECT_EQ(test, s.ack, B0 + 1);
	deliver(w, &w->b, &s);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_CLOSED);
	expect_silence(test, w, &w->a);
	expect_silence(test, w, &w->b);
}

/* Half closed, the other direction still carries text. */
static void conn_close__half(struct kunit *test)
{
	struct world *w = connected(test);

	conn_close(&w->a, w->now);
	carry(w);
	conn_write(&w->b, 12345, false);
	carry(w);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_FIN_WAIT_2);
	KUNIT_EXPECT_EQ(test, conn_readable(&w->a), 12345);
	conn_close(&w->b, w->now);
	carry(w);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_TIME_WAIT);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_CLOSED);
}

/* Figure 13: FINs cross. */
static void conn_close__simultaneous(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg fin_a, fin_b;

	conn_close(&w->a, w->now);
	conn_close(&w->b, w->now);
	fin_a = next_seg(test, w, &w->a);
	fin_b = next_seg(test, w, &w->b);
	deliver(w, &w->a, &fin_b);
	deliver(w, &w->b, &fin_a);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSING);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_CLOSING);
	carry(w);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_TIME_WAIT);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_TIME_WAIT);
}

static void conn_close__in_syn_sent(struct kunit *test)
{
	struct world *w = world_new(test);

	open_a(w);
	lose_all(w, &w->a);
	conn_close(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
	KUNIT_EXPECT_EQ(test, w->a.err, 0);
	expect_silence(test, w, &w->a);
}

/* "queue for processing after entering ESTABLISHED state" */
static void conn_close__in_syn_rcvd(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s;

	open_a(w);
	open_b(w);
	lose_all(w, &w->a);
	s = next_seg(test, w, &w->b);
	deliver(w, &w->a, &s);
	conn_close(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_SYN_RCVD);
	s.flags = FLAG_ACK;
	s.seq++;
	s.ack = A0;
	lose_all(w, &w->a);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_FIN_WAIT_1);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_TRUE(test, s.flags & FLAG_FIN);
	KUNIT_EXPECT_EQ(test, s.seq, A0);
}

/* An orphan is not kept alive, whenever its user left. */
static void conn_release__in_syn_rcvd(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s;

	open_a(w);
	open_b(w);
	lose_all(w, &w->a);
	s = next_seg(test, w, &w->b);
	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	conn_set_keepalive(&w->a, true, w->now);
	conn_release(&w->a, w->now);
	s.flags = FLAG_ACK;
	s.seq++;
	s.ack = A0;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_FIN_WAIT_1);
	KUNIT_EXPECT_EQ(test, w->a.timer[TIMER_KEEP], NEVER);
}

static void conn_close__twice(struct kunit *test)
{
	struct world *w = connected(test);

	conn_close(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
	conn_close(&w->a, w->now);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_STATE, 0), 1);
}

/* --- the process is gone --- */

/* Section 3.6.1: unread text is lost, and the peer is told so. */
static void conn_release__with_unread(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 10);

	deliver(w, &w->a, &s);
	conn_release(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->cause, BY_CLOSED_UNREAD);
	KUNIT_EXPECT_TRUE(test, next_seg(test, w, &w->a).flags & FLAG_RST);
}

static void conn_release__all_read(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 10);

	deliver(w, &w->a, &s);
	conn_read(&w->a, 10, w->now);
	conn_write(&w->a, 10, false);
	conn_release(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_FIN_WAIT_1);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.flags, FLAG_FIN | FLAG_ACK | FLAG_PSH);
	KUNIT_EXPECT_EQ(test, s.len, 10);
}

static void conn_release__ends_keepalive(struct kunit *test)
{
	struct world *w = connected(test);

	conn_set_keepalive(&w->a, true, w->now);
	conn_close(&w->a, w->now);
	lose_all(w, &w->a);
	ack_all(w, &w->a);
	conn_release(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, w->a.timer[TIMER_KEEP], NEVER);
}

/* --- ABORT: RFC 9293 section 3.10.5 --- */

static void conn_abort__syn_sent(struct kunit *test)
{
	struct world *w = world_new(test);

	open_a(w);
	lose_all(w, &w->a);
	conn_abort(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
	expect_silence(test, w, &w->a);
}

/* The SYN that was not sent yet never is. */
static void conn_abort__syn_not_sent(struct kunit *test)
{
	struct world *w = world_new(test);

	open_a(w);
	conn_abort(&w->a, w->now);
	expect_silence(test, w, &w->a);
}

static void conn_abort__data_is_dropped(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	write_and_send(w, &w->a, 15 * MSS);
	conn_abort(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), NEVER);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.flags, FLAG_RST | FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.len, 0);
	expect_silence(test, w, &w->a);
}

/* "LAST-ACK: respond with ok, delete the TCB": no RST */
static void conn_abort__last_ack(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg fin = from_peer(&w->a);

	fin.flags |= FLAG_FIN;
	deliver(w, &w->a, &fin);
	conn_close(&w->a, w->now);
	lose_all(w, &w->a);
	conn_abort(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
	expect_silence(test, w, &w->a);
}

/* Its state says that all is sent, but the peer's window let nothing out. */
static void conn_abort__last_ack_with_unsent(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg fin = from_peer(&w->a);

	fin.flags |= FLAG_FIN;
	fin.wnd = 0;
	deliver(w, &w->a, &fin);
	conn_write(&w->a, 100, false);
	conn_close(&w->a, w->now);
	lose_all(w, &w->a);
	conn_abort(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
	KUNIT_EXPECT_TRUE(test, next_seg(test, w, &w->a).flags & FLAG_RST);
}

static void conn_release__unread_in_last_ack(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 10);

	s.flags |= FLAG_FIN;
	deliver(w, &w->a, &s);
	conn_close(&w->a, w->now);
	lose_all(w, &w->a);
	conn_release(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
	KUNIT_EXPECT_TRUE(test, next_seg(test, w, &w->a).flags & FLAG_RST);
}

/* What is over already has nothing to say. */
static void conn_release__of_what_is_closed(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 100);

	deliver(w, &w->a, &s);
	s = from_peer(&w->a);
	s.flags = FLAG_RST;
	deliver(w, &w->a, &s);
	KUNIT_ASSERT_EQ(test, w->a.state, ST_CLOSED);
	conn_release(&w->a, w->now);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_ABORT_ON_CLOSE), 0);
}

/* SYN and FIN are counted as what they take: a number each. */
static void conn_outq__syn_data_fin(struct kunit *test)
{
	struct world *w = world_new(test);

	open_a(w);
	KUNIT_EXPECT_EQ(test, conn_outq(&w->a), 0);
	w = connected(test);
	KUNIT_EXPECT_EQ(test, conn_outq(&w->a), 0);
	conn_write(&w->a, 100, false);
	conn_close(&w->a, w->now);
	KUNIT_EXPECT_EQ(test, conn_outq(&w->a), 101);
	KUNIT_EXPECT_EQ(test, conn_outq_unsent(&w->a), 101);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_outq(&w->a), 101);
	KUNIT_EXPECT_EQ(test, conn_outq_unsent(&w->a), 0);
	ack_upto(w, &w->a, w->a.snd_una + 40);
	KUNIT_EXPECT_EQ(test, conn_outq(&w->a), 61);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_outq(&w->a), 0);
}

/* --- ICMP: RFC 5927 --- */

static void conn_error__only_in_flight(struct kunit *test)
{
	struct world *w = world_new(test);

	open_a(w);
	KUNIT_EXPECT_FALSE(test,
			   conn_error(&w->a, A_ISS, EHOSTUNREACH, w->now));
	lose_all(w, &w->a);
	KUNIT_EXPECT_FALSE(test, conn_error(&w->a, A0, EHOSTUNREACH, w->now));
	KUNIT_EXPECT_FALSE(test,
			   conn_error(&w->a, A_ISS - 1, EHOSTUNREACH, w->now));
	KUNIT_EXPECT_EQ(test, w->a.state, ST_SYN_SENT);
	KUNIT_EXPECT_TRUE(test, conn_error(&w->a, A_ISS, EHOSTUNREACH, w->now));
	KUNIT_EXPECT_EQ(test, w->a.state, ST_CLOSED);
	KUNIT_EXPECT_EQ(test, w->a.err, EHOSTUNREACH);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_STATE)->cause, BY_RCVD_ICMP);
}

/* Section 4: a connection that is made takes all as soft errors. */
static void conn_error__soft_when_established(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 100);
	KUNIT_EXPECT_FALSE(test, conn_error(&w->a, A0, ECONNREFUSED, w->now));
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, w->a.err, 0);
	KUNIT_EXPECT_TRUE(test, conn_believes_icmp(&w->a, A0));
	KUNIT_EXPECT_TRUE(test, conn_believes_icmp(&w->a, A0 + 99));
	KUNIT_EXPECT_FALSE(test, conn_believes_icmp(&w->a, A0 + 100));
	KUNIT_EXPECT_FALSE(test, conn_believes_icmp(&w->a, A0 - 1));
}

/* --- all together --- */

/* A million bytes each way between readers that keep up. */
static void conn__bulk_both_ways(struct kunit *test)
{
	struct world *w = world_new(test);
	u32 got_a = 0, got_b = 0;

	w->env.tun.timestamps = true;
	w->env.tun.window_scaling = true;
	establish(test, w);
	conn_write(&w->a, 1000000, false);
	conn_write(&w->b, 1000000, false);
	for (int i = 0; i < 1000 && got_a + got_b < 2000000; i++) {
		carry(w);
		got_a += conn_readable(&w->a);
		conn_read(&w->a, conn_readable(&w->a), w->now);
		got_b += conn_readable(&w->b);
		conn_read(&w->b, conn_readable(&w->b), w->now);
		elapse(w, 50 * MS);
	}
	KUNIT_EXPECT_EQ(test, got_a, 1000000);
	KUNIT_EXPECT_EQ(test, got_b, 1000000);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTX, 0), 0);
}

/* Sequence numbers come round, and ISS falls behind by more than 2^31. */
static void conn__sends_beyond_4_gib(struct kunit *test)
{
	const u32 block = 500000 * MSS;
	struct world *w = connected(test);

	w->a.snd_wscale = 14;
	offer_window(w, &w->a, U16_MAX);
	w->a.cc.ssthresh = 1 << 30;
	for (int i = 0; i < 10; i++) {
		w->a.cc.cwnd = block;
		conn_write(&w->a, block, false);
		KUNIT_EXPECT_EQ(test, conn_unsent(&w->a), block);
		/* nothing is urgent, however old the last urgent byte is */
		KUNIT_EXPECT_FALSE(test,
				   next_seg(test, w, &w->a).flags & FLAG_URG);
		lose_all(w, &w->a);
		KUNIT_ASSERT_EQ(test, conn_unacked(&w->a),
				w->a.write_seq - w->a.snd_una);
		KUNIT_ASSERT_LE(test, block, conn_unacked(&w->a));
		KUNIT_EXPECT_EQ(test, stats_resent(&w->a), 0);
		ack_all(w, &w->a);
		KUNIT_EXPECT_TRUE(test, w->v.wake & WAKE_WRITE);
		KUNIT_EXPECT_GT(test, w->a.cc.cwnd, block);
		KUNIT_ASSERT_EQ(test, conn_unacked(&w->a), 0);
		/* no small segment is out, however old the last one is */
		if (i == 6)
			KUNIT_EXPECT_EQ(test, write_and_send(w, &w->a, 1), 1);
		ack_all(w, &w->a);
	}
	/* and a loss is still seen as one */
	w->a.cc.cwnd = 10 * MSS;
	write_and_send(w, &w->a, 10 * MSS);
	ack_upto(w, &w->a, w->a.snd_una + MSS);
	dup_acks(w, &w->a, 3);
	KUNIT_EXPECT_TRUE(test, w->a.recovering);
}

static void conn__receives_beyond_4_gib(struct kunit *test)
{
	const u32 block = 1 << 29;
	struct world *w = connected(test);
	struct seg s;

	w->a.rcv_wscale = 14;
	conn_set_rcv_buf(&w->a, block, w->now);
	w->a.ack_now = BY_WINDOW_UPDATE;
	lose_all(w, &w->a);
	for (int i = 0; i < 10; i++) {
		s = text_from_peer(&w->a, block);
		deliver(w, &w->a, &s);
		KUNIT_ASSERT_EQ(test, w->v.keep, block);
		KUNIT_EXPECT_EQ(test, conn_readable(&w->a), block);
		conn_read(&w->a, block, w->now);
		lose_all(w, &w->a);
		/* urgent data is still noticed */
		s = from_peer(&w->a);
		s.flags |= FLAG_URG;
		s.up = 1;
		deliver(w, &w->a, &s);
		KUNIT_EXPECT_TRUE(test, w->v.wake & WAKE_URGENT);
		/* and a window taken */
		offer_window(w, &w->a, 5000 + i);
		KUNIT_EXPECT_EQ(test, w->a.snd_wnd, 5000 + i);
	}
}

/* Where the network loses one segment in eight, the stream loses nothing. */
static void conn__bulk_over_loss(struct kunit *test)
{
	struct world *w = connected(test);
	u32 got = 0, state = 77;

	conn_write(&w->a, 200000, false);
	conn_close(&w->a, w->now);
	for (int i = 0; i < 20000 && !conn_at_eof(&w->b); i++) {
		struct seg s;

		while (conn_poll(&w->a, 1, w->now, &s))
			if (prng(&state) % 8)
				deliver(w, &w->b, &s);
		while (conn_poll(&w->b, 1, w->now, &s))
			if (prng(&state) % 8)
				deliver(w, &w->a, &s);
		got += conn_readable(&w->b);
		conn_read(&w->b, conn_readable(&w->b), w->now);
		elapse(w, 20 * MS);
	}
	KUNIT_EXPECT_EQ(test, got, 200000);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_CLOSE_WAIT);
}

/* --- memory that is short --- */

/* Where it begins, and its text; the next byte is B0 + 100, the window 1000. */
static const struct is_due_param {
	const char *name;
	s32 from;
	u32 len;
	bool shut, due;
} dues[] = {
	{ "next", 0, 10, false, true },
	{ "old and new", -10, 11, false, true },
	{ "all old", -10, 10, false, false },
	{ "bare", 0, 0, false, false },
	{ "early", 1, 10, false, false },
	{ "a probe of a shut window", 0, 1, true, false },
};

NAMED_PARAMS(is_due_param, dues);

static void conn_is_due__table(struct kunit *test)
{
	const struct is_due_param *p = test->param_value;
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 100);

	deliver(w, &w->a, &s);
	s = text_from_peer(&w->a, p->len);
	s.seq += p->from;
	if (p->shut) {
		w->a.last_ack_sent = w->a.rcv_nxt;
		w->a.rcv_wnd = 0;
	}
	KUNIT_EXPECT_EQ(test, conn_is_due(&w->a, &s), p->due);
}

/* Early text that is thrown away comes again, also that in front of a FIN. */
static void conn_drop_early__before_fin(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg first, rest;

	conn_write(&w->a, 2 * MSS, false);
	conn_close(&w->a, w->now);
	first = next_seg(test, w, &w->a);
	rest = first;
	rest.seq += MSS;
	rest.len -= MSS;
	first.len = MSS;
	first.flags &= ~(FLAG_FIN | FLAG_PSH);
	deliver(w, &w->b, &rest);
	KUNIT_EXPECT_EQ(test, w->b.reasm.bytes, MSS);
	conn_drop_early(&w->b, rest.seq + MSS / 2);
	KUNIT_EXPECT_EQ(test, w->b.reasm.bytes, MSS / 2);
	conn_drop_early(&w->b, rest.seq);
	deliver(w, &w->b, &first);
	KUNIT_EXPECT_EQ(test, conn_readable(&w->b), MSS);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_ESTABLISHED);
	deliver(w, &w->b, &rest);
	KUNIT_EXPECT_EQ(test, w->v.keep, MSS);
	KUNIT_EXPECT_EQ(test, conn_readable(&w->b), 2 * MSS);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_CLOSE_WAIT);
}

/* However much, and however often: the stream comes to its end. */
static void conn_drop_early__random(struct kunit *test)
{
	struct world *w = connected(test);
	u32 got = 0, dropped = 0, state = 41;
	struct seg s;

	conn_write(&w->a, 100000, false);
	conn_close(&w->a, w->now);
	for (int i = 0; i < 20000 && !conn_at_eof(&w->b); i++) {
		while (conn_poll(&w->a, 1, w->now, &s)) {
			if (prng(&state) % 4)
				deliver(w, &w->b, &s);
			if (prng(&state) % 2 || !w->b.reasm.n)
				continue;
			conn_drop_early(&w->b, w->b.rcv_nxt + 1 +
						       prng(&state) % RCV_BUF);
			dropped++;
		}
		while (conn_poll(&w->b, 1, w->now, &s))
			deliver(w, &w->a, &s);
		got += conn_readable(&w->b);
		conn_read(&w->b, conn_readable(&w->b), w->now);
		elapse(w, 20 * MS);
	}
	KUNIT_EXPECT_GT(test, dropped, 10);
	KUNIT_EXPECT_EQ(test, got, 100000);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_CLOSE_WAIT);
}

/* An ACK that waits goes with the reader's call, unless data is to carry it. */
static void conn_read__acks_where_memory_is_short(struct kunit *test)
{
	struct world *w = connected(test);
	struct conn *c = &w->a;
	struct seg s;

	c->quickacks = 0;
	for (int memory = MEMORY_PLENTY; memory <= MEMORY_OUT; memory++) {
		for (int pingpong = 0; pingpong < 2; pingpong++) {
			conn_set_memory(c, memory);
			c->opt.pingpong = pingpong;
			s = text_from_peer(c, 10);
			deliver(w, c, &s);
			expect_silence(test, w, c);
			conn_read(c, 10, w->now);
			KUNIT_EXPECT_EQ(test, lose_all(w, c),
					memory && !pingpong);
			/* what has not gone goes when it is due */
			elapse(w, SECOND);
			lose_all(w, c);
		}
	}
}

static void conn_orphan_weight__by_progress(struct kunit *test)
{
	struct world *w = connected(test);
	u64 begin;

	offer_window(w, &w->a, 0);
	begin = w->now;
	write_and_send(w, &w->a, MSS);
	KUNIT_EXPECT_EQ(test, conn_orphan_weight(&w->a, w->now), 0);
	while (w->now - begin <= 2 * RTO_CEILING) {
		KUNIT_EXPECT_EQ(test, conn_orphan_weight(&w->a, w->now), 0);
		elapse(w, conn_deadline(&w->a) - w->now);
		lose_all(w, &w->a);
	}
	KUNIT_EXPECT_EQ(test, conn_orphan_weight(&w->a, w->now), 1);
	/* it gets on */
	offer_window(w, &w->a, MSS);
	lose_all(w, &w->a);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_orphan_weight(&w->a, w->now), 0);
}

static struct kunit_case conn_cases[] = {
	KUNIT_CASE_PARAM(conn_is_due__table, dues_row_gen_params),
	KUNIT_CASE(conn_drop_early__before_fin),
	KUNIT_CASE(conn_drop_early__random),
	KUNIT_CASE(conn_read__acks_where_memory_is_short),
	KUNIT_CASE(conn_orphan_weight__by_progress),
	KUNIT_CASE(conn_unacked__without_syn_and_fin),
	KUNIT_CASE(conn_at_eof__after_reset),
	KUNIT_CASE(conn_outq_unsent__after_timeout),
	KUNIT_CASE(conn_can_write__by_state),
	KUNIT_CASE_PARAM(rx_syn_sent__table, answers_row_gen_params),
	KUNIT_CASE(rx_syn_sent__acknowledges),
	KUNIT_CASE(rx_syn_sent__third_segment_with_text),
	KUNIT_CASE(rx_syn_sent__text_and_fin),
	KUNIT_CASE(conn_open__default_mss),
	KUNIT_CASE(conn_open__large_buffer),
	KUNIT_CASE(conn_open__simultaneous),
	KUNIT_CASE(conn_set_route__open),
	KUNIT_CASE(conn_set_route__accept),
	KUNIT_CASE(conn_set_route__user_first),
	KUNIT_CASE(is_crossing_synack__figure_7),
	KUNIT_CASE(is_crossing_synack__one_lost),
	KUNIT_CASE(is_crossing_synack__text_and_fin),
	KUNIT_CASE_PARAM(is_crossing_synack__table, crossings_row_gen_params),
	KUNIT_CASE(is_crossing_synack__timestamp),
	KUNIT_CASE(is_crossing_synack__established),
	KUNIT_CASE(is_crossing_synack__closed),
	KUNIT_CASE(conn_open__simultaneous_with_loss),
	KUNIT_CASE(conn_open__simultaneous_without_options),
	KUNIT_CASE(conn_open__simultaneous_after_retries),
	KUNIT_CASE(ack_in_syn_rcvd__wrong),
	KUNIT_CASE(check_rst__syn_rcvd),
	KUNIT_CASE(count_transition__syn_rcvd),
	KUNIT_CASE(conn_read__after_fin),
	KUNIT_CASE(conn_set_rcv_buf__larger),
	KUNIT_CASE(conn_set_rcv_buf__open_window),
	KUNIT_CASE(conn_read__ack_is_due),
	KUNIT_CASE(conn_set_mss__larger_than_cwnd),
	KUNIT_CASE(conn_close__four_way),
	KUNIT_CASE(conn_close__half),
	KUNIT_CASE(conn_close__simultaneous),
	KUNIT_CASE(conn_close__in_syn_sent),
	KUNIT_CASE(conn_close__in_syn_rcvd),
	KUNIT_CASE(conn_close__twice),
	KUNIT_CASE(conn_release__in_syn_rcvd),
	KUNIT_CASE(conn_release__with_unread),
	KUNIT_CASE(conn_release__all_read),
	KUNIT_CASE(conn_release__ends_keepalive),
	KUNIT_CASE(conn_abort__syn_sent),
	KUNIT_CASE(conn_abort__syn_not_sent),
	KUNIT_CASE(conn_abort__data_is_dropped),
	KUNIT_CASE(conn_abort__last_ack),
	KUNIT_CASE(conn_abort__last_ack_with_unsent),
	KUNIT_CASE(conn_release__unread_in_last_ack),
	KUNIT_CASE(conn_release__of_what_is_closed),
	KUNIT_CASE(conn_outq__syn_data_fin),
	KUNIT_CASE(conn_error__only_in_flight),
	KUNIT_CASE(conn_error__soft_when_established),
	KUNIT_CASE(conn__bulk_both_ways),
	KUNIT_CASE(conn__bulk_over_loss),
	KUNIT_CASE(conn__sends_beyond_4_gib),
	KUNIT_CASE(conn__receives_beyond_4_gib),
	{}
};

static struct kunit_suite chalk_conn = {
	.name = "chalk_conn",
	.test_cases = conn_cases,
};

kunit_test_suite(chalk_conn);
