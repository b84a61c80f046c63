// SPDX-License-Identifier: GPL-2.0
/*
 * poll_test.c - what may be sent now
 */
#include <kunit/test.h>

#include "../core/window.h"
#include "helper.h"

static void expect_text(struct kunit *test, const struct seg *s, u32 seq,
			u32 len, u8 flags)
{
	KUNIT_EXPECT_EQ(test, s->seq, seq);
	KUNIT_EXPECT_EQ(test, s->len, len);
	KUNIT_EXPECT_EQ(test, s->flags, flags);
}

/* --- RST (RFC 9293 section 3.10.5) --- */

static void poll_rst__last_segment(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	conn_write(&w->a, 5000, false);
	conn_abort(&w->a, w->now);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, 0, FLAG_RST | FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.ack, B0);
	KUNIT_EXPECT_EQ(test, s.sport, A_PORT);
	KUNIT_EXPECT_EQ(test, s.dport, B_PORT);
	expect_silence(test, w, &w->a);
	deliver(w, &w->b, &s);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_CLOSED);
}

/* A probe went beyond the window: the RST stands where the peer takes it. */
static void poll_rst__after_a_probe(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	w->a.cc.cwnd = 2 * RCV_BUF;
	conn_write(&w->a, RCV_BUF + 5000, false);
	carry(w);
	elapse(w, w->env.tun.delack);
	carry(w);
	KUNIT_ASSERT_EQ(test, w->a.snd_wnd, 0);
	KUNIT_ASSERT_EQ(test, window_left(&w->b), 0);
	elapse(w, rtt_rto(&w->a.rtt));
	carry(w);
	KUNIT_ASSERT_EQ(test, w->a.snd_nxt, w->a.snd_una + 1);
	conn_abort(&w->a, w->now);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, w->b.rcv_nxt, 0, FLAG_RST | FLAG_ACK);
	deliver(w, &w->b, &s);
	KUNIT_EXPECT_EQ(test, w->b.state, ST_CLOSED);
}

/* A window of 0 in the SYN: our SYN+ACK took a number all the same. */
static void poll_rst__behind_syn_without_window(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s = synack_of_b();

	open_a(w);
	lose_all(w, &w->a);
	s.flags = FLAG_SYN;
	s.wnd = 0;
	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	KUNIT_ASSERT_EQ(test, w->a.state, ST_SYN_RCVD);
	conn_abort(&w->a, w->now);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, 0, FLAG_RST | FLAG_ACK);
}

/* --- SYN (RFC 9293 section 3.5) --- */

static void poll_syn__fields(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s;

	open_a(w);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A_ISS, 0, FLAG_SYN);
	KUNIT_EXPECT_EQ(test, s.ack, 0);
	KUNIT_EXPECT_EQ(test, s.wnd, RCV_BUF);
	KUNIT_EXPECT_EQ(test, s.mss, MSS);
	KUNIT_EXPECT_EQ(test, s.sport, A_PORT);
	KUNIT_EXPECT_EQ(test, s.dport, B_PORT);
	KUNIT_EXPECT_FALSE(test, s.has_ts || s.has_wscale);
	KUNIT_EXPECT_EQ(test, s.cause, BY_HANDSHAKE);
	KUNIT_EXPECT_EQ(test, w->a.snd_nxt, A0);
	KUNIT_EXPECT_EQ(test, w->a.snd_una, A_ISS);
	expect_silence(test, w, &w->a);
}

/* RFC 7323 sections 2.2 and 3.2: what a SYN offers */
static void poll_syn__options(struct kunit *test)
{
	struct world *w = world_new(test);
	struct conn_config cfg = config_a();
	struct seg s;

	w->env.tun.timestamps = true;
	w->env.tun.window_scaling = true;
	cfg.user_mss = 700;
	cfg.rcv_buf = 100000;
	conn_open(&w->a, &w->env, &cfg, w->now);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.mss, 700);
	KUNIT_EXPECT_TRUE(test, s.has_wscale);
	KUNIT_EXPECT_EQ(test, s.wscale, 3);
	KUNIT_EXPECT_TRUE(test, s.has_ts);
	KUNIT_EXPECT_EQ(test, s.tsval, 70000 + w->now / MS);
	KUNIT_EXPECT_EQ(test, s.tsecr, 0);
	/* section 2.2: never scaled */
	KUNIT_EXPECT_EQ(test, s.wnd, U16_MAX);
}

/* A tunable that changes meanwhile is for the connections to come. */
static void poll_syn__offers_the_same_again(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s;

	w->env.tun.timestamps = true;
	w->env.tun.window_scaling = true;
	open_a(w);
	lose_all(w, &w->a);
	w->env.tun.timestamps = false;
	w->env.tun.window_scaling = false;
	elapse(w, SECOND);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_TRUE(test, s.has_ts);
	KUNIT_EXPECT_TRUE(test, s.has_wscale);
	s = synack_of_b();
	s.has_ts = true;
	s.has_wscale = true;
	s.tsval = 777;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_TRUE(test, w->a.ts_ok);
	KUNIT_EXPECT_TRUE(test, w->a.wscale_ok);
}

/* Both sides must have offered an option for it to count. */
static const struct option_param {
	const char *name;
	bool ours, theirs;
} option_pairs[] = {
	{ "both", true, true },
	{ "only ours", true, false },
	{ "only theirs", false, true },
	{ "none", false, false },
};

NAMED_PARAMS(option_param, option_pairs);

static void poll_syn__agreement(struct kunit *test)
{
	const struct option_param *p = test->param_value;
	bool both = p->ours && p->theirs;
	struct world *w = world_new(test);
	struct seg s = synack_of_b();

	w->env.tun.timestamps = p->ours;
	w->env.tun.window_scaling = p->ours;
	open_a(w);
	lose_all(w, &w->a);
	s.has_ts = p->theirs;
	s.has_wscale = p->theirs;
	s.tsval = 777;
	s.wscale = 5;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_ESTABLISHED);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, 0, FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.has_ts, both);
	KUNIT_EXPECT_EQ(test, s.tsecr, both ? 777 : 0);
	KUNIT_EXPECT_EQ(test, s.wnd, RCV_BUF >> (both ? 3 : 0));
	KUNIT_EXPECT_EQ(test, w->a.snd_wscale, both ? 5 : 0);
	/* RFC 6691: each segment carries the option, so there is less text */
	KUNIT_EXPECT_EQ(test, w->a.smss, both ? MSS - 12 : MSS);
	/* RFC 7323 section 2.2: the window of the SYN+ACK is not scaled */
	KUNIT_EXPECT_EQ(test, w->a.snd_wnd, RCV_BUF);
}

/* RFC 9293 section 3.7.1: the effective send MSS */
static const struct mss_param {
	const char *name;
	u16 path, peer, user, smss;
} mss_pairs[] = {
	{ "the path's", 1000, 1460, 0, 1000 },
	{ "the peer's", 1460, 1000, 0, 1000 },
	{ "the user's", 1460, 1460, 700, 700 },
	{ "none given: 536", 1460, 0, 0, 536 },
	{ "absurdly small", 1460, 1, 0, MSS_FLOOR },
};

NAMED_PARAMS(mss_param, mss_pairs);

static void poll_data__mss(struct kunit *test)
{
	const struct mss_param *p = test->param_value;
	struct world *w = world_new(test);
	struct conn_config cfg = config_a();
	struct seg s = synack_of_b();

	cfg.mtu_mss = p->path;
	cfg.user_mss = p->user;
	conn_open(&w->a, &w->env, &cfg, w->now);
	lose_all(w, &w->a);
	s.mss = p->peer;
	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	conn_write(&w->a, 3000, false);
	KUNIT_ASSERT_TRUE(test, conn_poll(&w->a, 1, w->now, &s));
	KUNIT_EXPECT_EQ(test, s.smss, p->smss);
	KUNIT_EXPECT_EQ(test, s.len, p->smss);
}

/* --- data --- */

/* One segment of whole MSS, as long as the caller can take. */
static void poll_data__super_segment(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	conn_write(&w->a, 8 * MSS, false);
	KUNIT_ASSERT_TRUE(test, conn_poll(&w->a, 3 * MSS + 999, w->now, &s));
	expect_text(test, &s, A0, 3 * MSS, FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.smss, MSS);
	KUNIT_EXPECT_EQ(test, s.cause, BY_DATA);
	/* never less than one MSS */
	KUNIT_ASSERT_TRUE(test, conn_poll(&w->a, 1, w->now, &s));
	expect_text(test, &s, A0 + 3 * MSS, MSS, FLAG_ACK);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0 + 4 * MSS, 4 * MSS, FLAG_ACK | FLAG_PSH);
	expect_silence(test, w, &w->a);
}

/* A caller that can take little still gets no more than there is. */
static void poll_data__small_caller(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	conn_write(&w->a, 200, false);
	KUNIT_ASSERT_TRUE(test, conn_poll(&w->a, 1, w->now, &s));
	expect_text(test, &s, A0, 200, FLAG_ACK | FLAG_PSH);
	KUNIT_EXPECT_EQ(test, w->a.snd_nxt, w->a.write_seq);
}

/* RFC 9293 section 3.9.1.2: PSH where the buffer ends, and nowhere else */
static void poll_data__push(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	w->a.cc.cwnd = 2 * MSS;
	conn_write(&w->a, 3 * MSS, false);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, 2 * MSS, FLAG_ACK);
	ack_all(w, &w->a);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0 + 2 * MSS, MSS, FLAG_ACK | FLAG_PSH);
}

/* The lesser of cwnd and window (RFC 5681 section 3.1) */
static void poll_data__cwnd_limits(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 15 * MSS);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), 10 * MSS);
	KUNIT_EXPECT_EQ(test, conn_unsent(&w->a), 5 * MSS);
}

static void poll_data__window_limits(struct kunit *test)
{
	struct world *w = connected(test);

	offer_window(w, &w->a, 4 * MSS);
	write_and_send(w, &w->a, 15 * MSS);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), 4 * MSS);
}

/* Not a byte beyond the window, also where it is no multiple of the MSS. */
static void poll_data__window_of_parts(struct kunit *test)
{
	struct world *w = connected(test);

	offer_window(w, &w->a, 3500);
	write_and_send(w, &w->a, 15 * MSS);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), 3 * MSS);
}

/* RFC 9293 section 3.7.4 (Nagle), as Minshall has it */
static void tail_may_go__nagle(struct kunit *test)
{
	struct world *w = connected(test);

	/* nothing small is out */
	KUNIT_EXPECT_EQ(test, write_and_send(w, &w->a, MSS + 300), 1);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), MSS + 300);
	/* now something is */
	KUNIT_EXPECT_EQ(test, write_and_send(w, &w->a, 100), 0);
	/* what makes up a whole segment goes, the rest waits on */
	KUNIT_EXPECT_EQ(test, write_and_send(w, &w->a, MSS), 1);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), 2 * MSS + 300);
	ack_upto(w, &w->a, A0 + MSS);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 0);
	ack_upto(w, &w->a, A0 + MSS + 300);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
	KUNIT_EXPECT_EQ(test, conn_unsent(&w->a), 0);
}

/* Nothing will join the last part of a stream that is closed. */
static void tail_may_go__closed(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	write_and_send(w, &w->a, 10);
	KUNIT_EXPECT_EQ(test, write_and_send(w, &w->a, 20), 0);
	conn_close(&w->a, w->now);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0 + 10, 20, FLAG_ACK | FLAG_PSH | FLAG_FIN);
}

static void tail_may_go__nodelay(struct kunit *test)
{
	struct world *w = connected(test);

	w->a.opt.nodelay = true;
	for (int i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, write_and_send(w, &w->a, 10), 1);
}

/* More follows: the part waits, but not for ever (section 3.8.6.2.1). */
static void tail_may_go__more(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	w->a.opt.nodelay = true;
	conn_write(&w->a, MSS + 1, true);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.len, MSS);
	expect_silence(test, w, &w->a);
	ack_all(w, &w->a);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + SWS_OVERRIDE);
	elapse(w, SWS_OVERRIDE);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0 + MSS, 1, FLAG_ACK | FLAG_PSH);
}

static void tail_may_go__end_of_more(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	conn_write(&w->a, 10, true);
	expect_silence(test, w, &w->a);
	conn_write(&w->a, 10, false);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, 20, FLAG_ACK | FLAG_PSH);
}

/* A write that ends early says so with nothing: what it left is all there is. */
static void conn_write__no_more_to_follow(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	conn_write(&w->a, 10, true);
	expect_silence(test, w, &w->a);
	conn_write(&w->a, 0, false);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, 10, FLAG_ACK | FLAG_PSH);
}

/* Section 3.8.6.2.1, (3): half of the largest window is worth a segment */
static void part_may_go__half_of_largest_window(struct kunit *test)
{
	struct world *w = connected(test);

	/* nothing but small windows was ever offered */
	w->a.max_wnd = 0;
	offer_window(w, &w->a, 600);
	KUNIT_EXPECT_EQ(test, write_and_send(w, &w->a, 3 * MSS), 1);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), 600);
	ack_all(w, &w->a);
	offer_window(w, &w->a, 299);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 0);
	offer_window(w, &w->a, 300);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
}

/* --- after a silence: RFC 5681 section 4.1 --- */

/* A connection with a cwnd far above IW, and nothing in flight. */
static struct world *with_large_cwnd(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, MSS);
	ack_all(w, &w->a);
	offer_window(w, &w->a, U16_MAX);
	w->a.cc.cwnd = 60 * MSS;
	forget_events(w);
	return w;
}

/* Minutes of probes and answers, then the window opens. */
static void restart_after_idle__window_shut_for_long(struct kunit *test)
{
	struct world *w = with_large_cwnd(test);

	offer_window(w, &w->a, 0);
	conn_write(&w->a, 100 * MSS, false);
	expect_silence(test, w, &w->a);
	for (int i = 0; i < 10; i++) {
		elapse(w, conn_deadline(&w->a) - w->now);
		KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
		ack_upto(w, &w->a, w->a.snd_una);
	}
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 60 * MSS);
	offer_window(w, &w->a, U16_MAX);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), 10 * MSS);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_CWND, BY_IDLE_RESTART), 1);
}

/* Written at once, sent long after. */
static void restart_after_idle__not_when_written(struct kunit *test)
{
	struct world *w = with_large_cwnd(test);

	offer_window(w, &w->a, 0);
	conn_write(&w->a, 50 * MSS, false);
	expect_silence(test, w, &w->a);
	w->now += 60 * SECOND;
	offer_window(w, &w->a, U16_MAX);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), 10 * MSS);
}

/* A part that the override timer lets out is data, and ends the silence. */
static void restart_after_idle__by_override(struct kunit *test)
{
	struct world *w = with_large_cwnd(test);

	w->now += 60 * SECOND;
	conn_write(&w->a, 100, true);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 60 * MSS);
	elapse(w, SWS_OVERRIDE);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).len, 100);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 10 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.last_sent, w->now);
}

/* So does a retransmission. */
static void restart_after_idle__not_after_retransmission(struct kunit *test)
{
	struct world *w = sending(test, 60 * MSS);
	u64 most = rtt_rto(&w->a.rtt) * 2 / 3;

	elapse(w, most);
	dup_acks(w, &w->a, 3);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).cause, BY_THIRD_DUPACK);
	elapse(w, most);
	/* all that is in flight goes again, which leaves nothing in flight */
	conn_set_mss(&w->a, 500, w->now);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 30 * MSS);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_CWND, BY_IDLE_RESTART), 0);
}

/* (4): what is scorned goes out when the override timer fires */
static void poll_probe__override(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	offer_window(w, &w->a, 300);
	KUNIT_EXPECT_EQ(test, write_and_send(w, &w->a, 3 * MSS), 0);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + SWS_OVERRIDE);
	elapse(w, SWS_OVERRIDE - 1);
	expect_silence(test, w, &w->a);
	elapse(w, 1);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, 300, FLAG_ACK);
	/* the window is open: nothing is probed */
	KUNIT_EXPECT_EQ(test, s.cause, BY_OVERRIDE);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_TIMER_SET, BY_T_PERSIST), 0);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_TIMER_FIRED, BY_T_OVERRIDE),
			1);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), 300);
	KUNIT_EXPECT_EQ(test, w->a.retries, 0);
}

/* A window that opens too little for a segment ends the probes: it has this timer. */
static void end_persisting__scorned_window(struct kunit *test)
{
	struct world *w = connected(test);

	offer_window(w, &w->a, 0);
	write_and_send(w, &w->a, 3 * MSS);
	elapse(w, rtt_rto(&w->a.rtt) / 2);
	offer_window(w, &w->a, 300);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + SWS_OVERRIDE);
	elapse(w, SWS_OVERRIDE);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).cause, BY_OVERRIDE);
}

/* An ACK that leaves the window as it is does not put that off. */
static void poll_probe__override_is_not_put_off(struct kunit *test)
{
	struct world *w = connected(test);
	u64 deadline;

	offer_window(w, &w->a, 300);
	write_and_send(w, &w->a, 3 * MSS);
	deadline = conn_deadline(&w->a);
	elapse(w, SWS_OVERRIDE / 2);
	offer_window(w, &w->a, 300);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), deadline);
	/* what then goes by itself has an RTO of its own */
	offer_window(w, &w->a, RCV_BUF);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a),
			w->now + rtt_rto(&w->a.rtt));
	KUNIT_EXPECT_FALSE(test, w->a.persisting);
}

/* --- FIN (RFC 9293 section 3.10.4) --- */

static void poll_data__fin_on_last_text(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	conn_write(&w->a, 2 * MSS + 1, false);
	conn_close(&w->a, w->now);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, 2 * MSS + 1, FLAG_ACK | FLAG_PSH | FLAG_FIN);
	KUNIT_EXPECT_EQ(test, w->a.snd_nxt, A0 + 2 * MSS + 2);
	expect_silence(test, w, &w->a);
}

static void poll_data__fin_alone(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	write_and_send(w, &w->a, 10);
	conn_close(&w->a, w->now);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0 + 10, 0, FLAG_ACK | FLAG_FIN);
	KUNIT_EXPECT_EQ(test, s.cause, BY_FIN);
	expect_silence(test, w, &w->a);
}

/* It waits for the text before it. */
static void poll_data__fin_behind_window(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	offer_window(w, &w->a, MSS);
	conn_write(&w->a, 2 * MSS, false);
	conn_close(&w->a, w->now);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, MSS, FLAG_ACK);
	expect_silence(test, w, &w->a);
	offer_window(w, &w->a, MSS + 1);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0 + MSS, MSS, FLAG_ACK | FLAG_PSH | FLAG_FIN);
}

/* The FIN would be one beyond the window: it goes when that moves on, not before. */
static void poll_data__fin_beyond_full_window(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	offer_window(w, &w->a, MSS);
	conn_write(&w->a, MSS, false);
	conn_close(&w->a, w->now);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, MSS, FLAG_ACK | FLAG_PSH);
	expect_silence(test, w, &w->a);
	ack_all(w, &w->a);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0 + MSS, 0, FLAG_ACK | FLAG_FIN);
}

/* Nor with the octet of a probe, which is beyond it already. */
static void poll_probe__without_fin(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	offer_window(w, &w->a, 0);
	conn_write(&w->a, 1, false);
	conn_close(&w->a, w->now);
	expect_silence(test, w, &w->a);
	elapse(w, rtt_rto(&w->a.rtt));
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, 1, FLAG_ACK | FLAG_PSH);
	/* it is taken, and now the FIN waits alone */
	ack_all(w, &w->a);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0 + 1, 0, FLAG_ACK | FLAG_FIN);
}

/* A window of nothing has room for a FIN, and cwnd does not hold it. */
static void fin_may_go__shut_window(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	offer_window(w, &w->a, 0);
	conn_close(&w->a, w->now);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, 0, FLAG_ACK | FLAG_FIN);
}

static void fin_may_go__full_cwnd(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	w->a.cc.cwnd = MSS;
	write_and_send(w, &w->a, MSS);
	conn_close(&w->a, w->now);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0 + MSS, 0, FLAG_ACK | FLAG_FIN);
}

/* A FIN that got lost is sent again like text. */
static void poll_data__fin_again(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	conn_close(&w->a, w->now);
	lose_all(w, &w->a);
	elapse(w, SECOND);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, 0, FLAG_ACK | FLAG_FIN);
	KUNIT_EXPECT_EQ(test, s.cause, BY_GO_BACK);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_RTX)->cause, BY_GO_BACK);
	expect_silence(test, w, &w->a);
}

/* Also where the window has shrunk over it since (RFC 9293 section 3.8.6, MUST-34). */
static void fin_fits__gone_out_before(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	conn_write(&w->a, MSS, false);
	conn_close(&w->a, w->now);
	lose_all(w, &w->a);
	s = from_peer(&w->a);
	s.ack = A0;
	s.wnd = MSS;
	deliver(w, &w->a, &s);
	elapse(w, SECOND);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, MSS, FLAG_ACK | FLAG_PSH | FLAG_FIN);
}

/* --- the shut window (RFC 9293 section 3.8.6.1) --- */

/*
 * A probe is one octet beyond the window, at the RTO; it is no part of the
 * flight, and goes out again with the rest when the window opens.
 */
static void poll_probe__one_octet(struct kunit *test)
{
	struct world *w = connected(test);
	u64 rto = rtt_rto(&w->a.rtt);
	struct seg s;

	offer_window(w, &w->a, 0);
	KUNIT_EXPECT_EQ(test, write_and_send(w, &w->a, 3 * MSS), 0);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + rto);
	elapse(w, rto);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, 1, FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.cause, BY_ZERO_WINDOW);
	/* never timed, so Karn refuses nothing */
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTT_REFUSED, BY_NONE), 0);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), 0);
	expect_silence(test, w, &w->a);
	/* "exponentially increasing" (SHLD-30) */
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + 2 * rto);
}

static void poll_probe__window_opens(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	offer_window(w, &w->a, 0);
	write_and_send(w, &w->a, 3 * MSS);
	elapse(w, SECOND);
	lose_all(w, &w->a);
	s = from_peer(&w->a);
	s.ack = A0;
	s.wnd = RCV_BUF;
	deliver(w, &w->a, &s);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, 3 * MSS, FLAG_ACK | FLAG_PSH);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_FALSE(test, w->a.persisting);
}

/* The octet fitted after all: it counts as sent. */
static void poll_probe__octet_taken(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	offer_window(w, &w->a, 0);
	write_and_send(w, &w->a, 3 * MSS);
	elapse(w, SECOND);
	lose_all(w, &w->a);
	s = from_peer(&w->a);
	s.wnd = RCV_BUF;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.snd_una, A0 + 1);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0 + 1, 3 * MSS - 1, FLAG_ACK | FLAG_PSH);
}

/* It is not timed: its answer waits for the window, not for the path. */
static void poll_probe__not_timed(struct kunit *test)
{
	struct world *w = connected(test);

	offer_window(w, &w->a, 0);
	write_and_send(w, &w->a, 3 * MSS);
	elapse(w, SECOND);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
	elapse(w, 100 * MS);
	forget_events(w);
	ack_upto(w, &w->a, A0 + 1);
	KUNIT_EXPECT_EQ(test, w->a.snd_una, A0 + 1);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTT, 0), 0);
}

/* A window that was open when it was sent into, and shut since. */
static void poll_probe__shrunk_window(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	write_and_send(w, &w->a, 3 * MSS);
	s = from_peer(&w->a);
	s.ack = A0;
	s.wnd = 0;
	deliver(w, &w->a, &s);
	elapse(w, SECOND);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, 1, FLAG_ACK);
	expect_silence(test, w, &w->a);
}

/* RFC 6298 section 3: of packets that go at once the first one is timed. */
static void time_segment__one_packet(struct kunit *test)
{
	struct world *w = connected(test);
	u32 before = w->a.rtt.srtt;

	write_and_send(w, &w->a, 2 * MSS);
	elapse(w, 10 * MS);
	ack_upto(w, &w->a, A0 + MSS);
	KUNIT_EXPECT_FALSE(test, w->a.rtt_timing);
	KUNIT_EXPECT_GT(test, w->a.rtt.srtt, before);
}

/* An ACK after a probe stands where the peer will take it. */
static void bare_seq__inside_the_window(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	w->env.tun.delack = 0;
	offer_window(w, &w->a, 0);
	write_and_send(w, &w->a, MSS);
	elapse(w, SECOND);
	lose_all(w, &w->a);
	s = text_from_peer(&w->a, 10);
	s.ack = A0;
	s.wnd = 0;
	deliver(w, &w->a, &s);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, 0, FLAG_ACK);
}

/*
 * RFC 7323 section 2.4: a window that is rounded down ends a little before the
 * one that let the text go; what the peer has already is not where an ACK stands.
 */
static void bare_seq__rounded_window(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	w->env.tun.delack = 0;
	offer_window(w, &w->a, 2 * MSS);
	write_and_send(w, &w->a, 3 * MSS);
	s = from_peer(&w->a);
	s.ack = A0 + MSS;
	s.wnd = 2 * MSS;
	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, w->a.snd_nxt, A0 + 3 * MSS);
	s = text_from_peer(&w->a, 10);
	s.ack = A0 + MSS;
	s.wnd = 2 * MSS - 40;
	deliver(w, &w->a, &s);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0 + 3 * MSS, 0, FLAG_ACK);
}

/* RFC 6298 (5.4): into a window of less than a segment too, and at once */
static void part_may_go__timeout(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	offer_window(w, &w->a, MSS / 2);
	KUNIT_EXPECT_EQ(test, write_and_send(w, &w->a, 3 * MSS), 0);
	elapse(w, SWS_OVERRIDE);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
	elapse(w, rtt_rto(&w->a.rtt));
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, MSS / 2, FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.cause, BY_GO_BACK);
	expect_silence(test, w, &w->a);
}

/* --- loss --- */

/* RFC 3042: a new segment for each of the first two duplicate ACKs */
static void cwnd_allowance__limited_transmit(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	write_and_send(w, &w->a, 15 * MSS);
	for (u32 i = 0; i < 2; i++) {
		dup_acks(w, &w->a, 1);
		s = next_seg(test, w, &w->a);
		expect_text(test, &s, A0 + (10 + i) * MSS, MSS, FLAG_ACK);
		KUNIT_EXPECT_EQ(test, s.cause, BY_LIMITED_TRANSMIT);
		expect_silence(test, w, &w->a);
	}
}

/* Whole segments, where cwnd is none of them */
static void cwnd_allowance__odd_cwnd(struct kunit *test)
{
	struct world *w = connected(test);

	w->a.cc.cwnd = 4 * MSS + MSS / 2;
	write_and_send(w, &w->a, 15 * MSS);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), 4 * MSS);
	dup_acks(w, &w->a, 1);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), 5 * MSS);
}

/* "the first two": where the third begins no recovery it lets out no third. */
static void cwnd_allowance__refused_recovery(struct kunit *test)
{
	struct world *w = connected(test);
	unsigned int n = 0;

	write_and_send(w, &w->a, 10 * MSS);
	elapse(w, SECOND);
	lose_all(w, &w->a);
	ack_all(w, &w->a);
	w->a.cc.cwnd = 10 * MSS;
	write_and_send(w, &w->a, 30 * MSS);
	for (int i = 0; i < 5; i++) {
		dup_acks(w, &w->a, 1);
		n += lose_all(w, &w->a);
	}
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, n, LIMITED_TRANSMIT_SEGMENTS);
}

/* What cwnd has room for is no part of it, though all goes out at once. */
static void cwnd_allowance__counts_only_what_is_beyond(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 5 * MSS);
	dup_acks(w, &w->a, 1);
	write_and_send(w, &w->a, 10 * MSS);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), 11 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.limited, MSS);
}

/* It is for new segments, not for those that a timeout sends again. */
static void cwnd_allowance__not_after_timeout(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 10 * MSS);
	elapse(w, SECOND);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
	dup_acks(w, &w->a, 2);
	expect_silence(test, w, &w->a);
}

/* RFC 5681 section 3.2: the first unacknowledged segment, and only it */
static void poll_lost__fast_retransmit(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	write_and_send(w, &w->a, 10 * MSS);
	dup_acks(w, &w->a, 3);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, MSS, FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.cause, BY_THIRD_DUPACK);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_RTX)->seq, A0);
	expect_silence(test, w, &w->a);
	dup_acks(w, &w->a, 1);
	expect_silence(test, w, &w->a);
}

/* RFC 6582 section 3.2: each partial ACK sends the next hole */
static void poll_lost__partial_ack(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	write_and_send(w, &w->a, 10 * MSS);
	dup_acks(w, &w->a, 3);
	lose_all(w, &w->a);
	ack_upto(w, &w->a, A0 + 4 * MSS);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0 + 4 * MSS, MSS, FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.cause, BY_PARTIAL_ACK);
	expect_silence(test, w, &w->a);
}

/* The last segment, with the FIN that it had. */
static void poll_lost__with_fin(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	conn_write(&w->a, 4 * MSS + 10, false);
	conn_close(&w->a, w->now);
	lose_all(w, &w->a);
	ack_upto(w, &w->a, A0 + 4 * MSS);
	dup_acks(w, &w->a, 3);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0 + 4 * MSS, 10, FLAG_ACK | FLAG_PSH | FLAG_FIN);
	expect_silence(test, w, &w->a);
}

/*
 * A FIN for which the window has had no room joins the segment that a partial ACK
 * calls for, and does not go out a second time alone.
 */
static void poll_lost__new_fin(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	offer_window(w, &w->a, 5 * MSS);
	conn_write(&w->a, 5 * MSS, false);
	conn_close(&w->a, w->now);
	lose_all(w, &w->a);
	KUNIT_ASSERT_EQ(test, conn_flight(&w->a), 5 * MSS);
	dup_acks(w, &w->a, 3);
	lose_all(w, &w->a);
	s = from_peer(&w->a);
	s.ack = A0 + 4 * MSS;
	s.wnd = 5 * MSS;
	deliver(w, &w->a, &s);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0 + 4 * MSS, MSS,
		    FLAG_ACK | FLAG_PSH | FLAG_FIN);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), MSS + 1);
	expect_silence(test, w, &w->a);
}

/*
 * After a timeout all is sent again in order, as slow start lets it (RFC 5681
 * section 3.1), then what is new.
 */
static void poll_data__go_back_n(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	write_and_send(w, &w->a, 4 * MSS);
	conn_write(&w->a, 4 * MSS, false);
	w->a.cc.cwnd = 4 * MSS;
	elapse(w, SECOND);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0, MSS, FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.cause, BY_GO_BACK);
	expect_silence(test, w, &w->a);
	ack_upto(w, &w->a, A0 + MSS);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0 + MSS, 2 * MSS, FLAG_ACK);
	expect_silence(test, w, &w->a);
	/* the receiver had the rest */
	ack_upto(w, &w->a, A0 + 4 * MSS);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0 + 4 * MSS, 3 * MSS, FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.cause, BY_DATA);
}

/* --- nothing but an ACK --- */

/* RFC 9293 section 3.8.4: SEG.SEQ = SND.NXT - 1, and no text */
static void poll_keepalive__fields(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	conn_set_keepalive(&w->a, true, w->now);
	elapse(w, KEEP_IDLE);
	s = next_seg(test, w, &w->a);
	expect_text(test, &s, A0 - 1, 0, FLAG_ACK);
	KUNIT_EXPECT_EQ(test, s.cause, BY_KEEPALIVE);
	/* and the peer answers it */
	deliver(w, &w->b, &s);
	s = next_seg(test, w, &w->b);
	expect_text(test, &s, B0, 0, FLAG_ACK);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.keep_sent, 0);
}

/* A window update of its own when the reader has made room. */
static void poll_ack__window_update(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	for (int i = 0; i < RCV_BUF / MSS; i++) {
		s = text_from_peer(&w->a, MSS);
		deliver(w, &w->a, &s);
	}
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.wnd, 0);
	conn_read(&w->a, MSS - 1, w->now);
	expect_silence(test, w, &w->a);
	conn_read(&w->a, 1, w->now);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.wnd, MSS);
	KUNIT_EXPECT_EQ(test, s.cause, BY_WINDOW_UPDATE);
	expect_silence(test, w, &w->a);
}

/* The trace shows a long segment as the packets it becomes. */
static void emit__packets_of_a_long_segment(struct kunit *test)
{
	struct world *w = connected(test);

	conn_write(&w->a, 2 * MSS + 5, false);
	conn_close(&w->a, w->now);
	forget_events(w);
	next_seg(test, w, &w->a);
	KUNIT_ASSERT_EQ(test, count_events(w, EV_SEND, BY_DATA), 3);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_SEND)->seq, A0 + 2 * MSS);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_SEND)->len, 5);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_SEND)->flags,
			FLAG_ACK | FLAG_PSH | FLAG_FIN);
	KUNIT_EXPECT_EQ(test, w->ev[0].len, MSS);
	KUNIT_EXPECT_EQ(test, w->ev[0].flags, FLAG_ACK);
}

/* Each packet's record tells what had gone out by then, not what will. */
static void emit__variables_of_each_packet(struct kunit *test)
{
	struct world *w = connected(test);
	int i;

	conn_write(&w->a, 2 * MSS + 5, false);
	conn_close(&w->a, w->now);
	forget_events(w);
	next_seg(test, w, &w->a);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, w->ev[i].snd_nxt, A0 + (i + 1) * MSS);
		KUNIT_EXPECT_EQ(test, w->ev[i].flight, (i + 1) * MSS);
		KUNIT_EXPECT_EQ(test, w->ev[i].unsent, (1 - i) * MSS + 5);
	}
	KUNIT_EXPECT_EQ(test, w->ev[2].snd_nxt, A0 + 2 * MSS + 5 + 1);
	KUNIT_EXPECT_EQ(test, w->ev[2].flight, 2 * MSS + 5 + 1);
	KUNIT_EXPECT_EQ(test, w->ev[2].unsent, 0);
}

/* After a timeout SND.NXT stays until what is sent again has come so far. */
static void emit__variables_of_packets_sent_again(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 4 * MSS);
	conn_write(&w->a, 4 * MSS, false);
	w->a.cc.cwnd = 4 * MSS;
	elapse(w, SECOND);
	next_seg(test, w, &w->a);
	ack_upto(w, &w->a, A0 + 3 * MSS);
	w->a.cc.cwnd = 2 * MSS;
	forget_events(w);
	next_seg(test, w, &w->a);
	KUNIT_ASSERT_EQ(test, count_events(w, EV_RTX, BY_GO_BACK), 1);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_RTX)->snd_nxt, A0 + 4 * MSS);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_RTX)->flight, MSS);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_RTX)->unsent, 4 * MSS);
	KUNIT_ASSERT_EQ(test, count_events(w, EV_SEND, BY_DATA), 1);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_SEND)->snd_nxt, A0 + 5 * MSS);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_SEND)->flight, 2 * MSS);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_SEND)->unsent, 3 * MSS);
}

static struct kunit_case poll_cases[] = {
	KUNIT_CASE(poll_rst__last_segment),
	KUNIT_CASE(poll_rst__after_a_probe),
	KUNIT_CASE(poll_rst__behind_syn_without_window),
	KUNIT_CASE(poll_syn__fields),
	KUNIT_CASE(poll_syn__options),
	KUNIT_CASE(poll_syn__offers_the_same_again),
	KUNIT_CASE_PARAM(poll_syn__agreement, option_pairs_row_gen_params),
	KUNIT_CASE(emit__packets_of_a_long_segment),
	KUNIT_CASE(emit__variables_of_each_packet),
	KUNIT_CASE(emit__variables_of_packets_sent_again),
	KUNIT_CASE(poll_lost__fast_retransmit),
	KUNIT_CASE(poll_lost__partial_ack),
	KUNIT_CASE(poll_lost__with_fin),
	KUNIT_CASE(poll_lost__new_fin),
	KUNIT_CASE(poll_probe__one_octet),
	KUNIT_CASE(poll_probe__window_opens),
	KUNIT_CASE(poll_probe__octet_taken),
	KUNIT_CASE(poll_probe__not_timed),
	KUNIT_CASE(poll_probe__shrunk_window),
	KUNIT_CASE(restart_after_idle__window_shut_for_long),
	KUNIT_CASE(restart_after_idle__not_when_written),
	KUNIT_CASE(restart_after_idle__by_override),
	KUNIT_CASE(restart_after_idle__not_after_retransmission),
	KUNIT_CASE(poll_probe__override),
	KUNIT_CASE(poll_probe__override_is_not_put_off),
	KUNIT_CASE(end_persisting__scorned_window),
	KUNIT_CASE(part_may_go__timeout),
	KUNIT_CASE(cwnd_allowance__limited_transmit),
	KUNIT_CASE(cwnd_allowance__odd_cwnd),
	KUNIT_CASE(cwnd_allowance__refused_recovery),
	KUNIT_CASE(cwnd_allowance__counts_only_what_is_beyond),
	KUNIT_CASE(cwnd_allowance__not_after_timeout),
	KUNIT_CASE(tail_may_go__nagle),
	KUNIT_CASE(tail_may_go__closed),
	KUNIT_CASE(tail_may_go__nodelay),
	KUNIT_CASE(tail_may_go__more),
	KUNIT_CASE(tail_may_go__end_of_more),
	KUNIT_CASE(conn_write__no_more_to_follow),
	KUNIT_CASE(part_may_go__half_of_largest_window),
	KUNIT_CASE_PARAM(poll_data__mss, mss_pairs_row_gen_params),
	KUNIT_CASE(poll_data__super_segment),
	KUNIT_CASE(poll_data__small_caller),
	KUNIT_CASE(poll_data__push),
	KUNIT_CASE(poll_data__cwnd_limits),
	KUNIT_CASE(poll_data__window_limits),
	KUNIT_CASE(poll_data__window_of_parts),
	KUNIT_CASE(fin_may_go__shut_window),
	KUNIT_CASE(fin_may_go__full_cwnd),
	KUNIT_CASE(poll_data__fin_on_last_text),
	KUNIT_CASE(poll_data__fin_alone),
	KUNIT_CASE(poll_data__fin_behind_window),
	KUNIT_CASE(poll_data__fin_beyond_full_window),
	KUNIT_CASE(poll_probe__without_fin),
	KUNIT_CASE(poll_data__fin_again),
	KUNIT_CASE(fin_fits__gone_out_before),
	KUNIT_CASE(poll_data__go_back_n),
	KUNIT_CASE(time_segment__one_packet),
	KUNIT_CASE(bare_seq__inside_the_window),
	KUNIT_CASE(bare_seq__rounded_window),
	KUNIT_CASE(poll_keepalive__fields),
	KUNIT_CASE(poll_ack__window_update),
	{}
};

static struct kunit_suite chalk_poll = {
	.name = "chalk_poll",
	.test_cases = poll_cases,
};

kunit_test_suite(chalk_poll);
