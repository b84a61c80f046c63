// SPDX-License-Identifier: GPL-2.0
/*
 * event_test.c - the names, and a record as a line of text
 */
#include <kunit/test.h>

#include "../core/event.h"
#include "../core/state.h"
#include "../core/wire.h"
#include "helper.h"

/* A record of the largest values there are. */
static struct event largest(void)
{
	struct event ev;

	memset(&ev, 0xff, sizeof(ev));
	ev.kind = EV_RTT_REFUSED;
	ev.state = ST_ESTABLISHED;
	ev.cause = BY_NONE;
	return ev;
}

/* The address of most characters that text can give an endpoint. */
static const char longest_endpoint[] =
	"[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535";

static unsigned int count(const char *s, char wanted)
{
	unsigned int n = 0;

	for (; *s; s++)
		n += *s == wanted;
	return n;
}

static void event_kind_name__complete(struct kunit *test)
{
	for (unsigned int k = 0; k < NR_EVENT_KINDS; k++) {
		KUNIT_ASSERT_NOT_NULL(test, event_kind_name(k));
		KUNIT_EXPECT_STRNEQ(test, event_kind_name(k), "?");
		for (unsigned int l = 0; l < k; l++)
			KUNIT_EXPECT_STRNEQ(test, event_kind_name(k),
					    event_kind_name(l));
	}
	KUNIT_EXPECT_STREQ(test, event_kind_name(NR_EVENT_KINDS), "?");
}

/* DROP_FIRST follows the causes without a hole. */
static void cause_name__complete(struct kunit *test)
{
	for (unsigned int c = 0; c < NR_CAUSES; c++) {
		KUNIT_ASSERT_NOT_NULL(test, cause_name(c));
		KUNIT_EXPECT_TRUE(test, *cause_name(c));
		for (unsigned int d = 0; d < c; d++)
			KUNIT_EXPECT_STRNEQ(test, cause_name(c), cause_name(d));
	}
	KUNIT_EXPECT_STREQ(test, cause_name(DROP_FIRST), "too_short");
	KUNIT_EXPECT_STREQ(test, cause_name(NR_CAUSES), "?");
	KUNIT_EXPECT_LT(test, NR_CAUSES, 256);
}

static void cause_clause__names_an_rfc(struct kunit *test)
{
	for (unsigned int c = 1; c < NR_CAUSES; c++) {
		KUNIT_ASSERT_NOT_NULL(test, cause_clause(c));
		KUNIT_EXPECT_EQ(test, strncmp(cause_clause(c), "RFC ", 4), 0);
	}
	KUNIT_EXPECT_STREQ(test, cause_clause(NR_CAUSES), "?");
}

static void event_format__columns_of_header(struct kunit *test)
{
	char header[EVENT_LINE_MAX], line[EVENT_LINE_MAX];
	struct event ev = largest();

	for (unsigned int k = 0; k < NR_EVENT_KINDS; k++) {
		ev.kind = k;
		ev.old = ST_CLOSED;
		ev.new = ST_LISTEN;
		event_header(header, sizeof(header));
		event_format(line, sizeof(line), &ev, "l", "r", 1);
		KUNIT_EXPECT_EQ(test, count(line, '\t'), count(header, '\t'));
		KUNIT_EXPECT_EQ(test, count(line, '\n'), 1);
		KUNIT_EXPECT_EQ(test, count(header, '\n'), 1);
	}
}

/* EVENT_LINE_MAX is enough for all kinds, causes and values. */
static void event_format__largest_fits(struct kunit *test)
{
	char line[EVENT_LINE_MAX];
	struct event ev = largest();

	for (unsigned int c = 0; c < NR_CAUSES; c++) {
		int n;

		ev.cause = c;
		n = event_format(line, sizeof(line), &ev, longest_endpoint,
				 longest_endpoint, U32_MAX);
		KUNIT_EXPECT_LT(test, n, EVENT_LINE_MAX - 1);
		KUNIT_EXPECT_EQ(test, n, strlen(line));
		KUNIT_EXPECT_EQ(test, line[n - 1], '\n');
	}
	KUNIT_EXPECT_LT(test, event_header(line, sizeof(line)),
			EVENT_LINE_MAX - 1);
}

static void event_format__short_buffer(struct kunit *test)
{
	struct event ev = largest();
	char line[40];

	for (unsigned int size = 1; size <= sizeof(line); size++) {
		int n = event_format(line, size, &ev, "l", "r", 1);

		KUNIT_EXPECT_EQ(test, n, size - 1);
		KUNIT_EXPECT_EQ(test, line[n], '\0');
	}
}

static void event_format__line(struct kunit *test)
{
	const struct event ev = {
		.time = 12 * SECOND + 34,
		.conn = 5,
		.kind = EV_SEND,
		.cause = BY_DATA,
		.state = ST_ESTABLISHED,
		.flags = FLAG_ACK | FLAG_PSH,
		.seq = 1,
		.ack = 2,
		.len = 3,
		.wnd = 4,
		.old = 6,
		.new = 7,
		.snd_una = 8,
		.snd_nxt = 9,
		.rcv_nxt = 10,
		.cwnd = 11,
		.ssthresh = 12,
		.flight = 13,
		.snd_wnd = 14,
		.rcv_wnd = 15,
		.srtt = 16,
		.rttvar = 17,
		.rto = 18,
		.unsent = 19,
		.unread = 20,
		.ooo = 22,
		.mss = 23,
	};
	static const char wanted[] =
		"12.000034\t5\t10.0.0.1:80\t10.0.0.2:99\tsend\tdata\t"
		"RFC 9293 3.10.2\tESTABLISHED\tPA\t1\t2\t3\t4\t6\t7\t"
		"8\t9\t10\t11\t12\t13\t14\t15\t16\t17\t18\t19\t20\t21\t22\t23\n";
	char line[EVENT_LINE_MAX];

	event_format(line, sizeof(line), &ev, "10.0.0.1:80", "10.0.0.2:99", 21);
	KUNIT_EXPECT_STREQ(test, line, wanted);
}

/* A change of state shows names where others show numbers. */
static void event_format__state(struct kunit *test)
{
	const struct event ev = {
		.kind = EV_STATE,
		.cause = BY_RCVD_FIN,
		.old = ST_ESTABLISHED,
		.new = ST_CLOSE_WAIT,
		.state = ST_CLOSE_WAIT,
	};
	char line[EVENT_LINE_MAX];

	event_format(line, sizeof(line), &ev, "l", "r", 1);
	KUNIT_EXPECT_NOT_NULL(test,
			      strstr(line, "\tESTABLISHED\tCLOSE_WAIT\t0\t"));
}

static const struct flags_param {
	const char *name;
	u8 flags;
} flag_sets[] = {
	{ ".", 0 },
	{ "F", FLAG_FIN },
	{ "SA", FLAG_SYN | FLAG_ACK },
	{ "RA", FLAG_RST | FLAG_ACK },
	{ "FPA", FLAG_FIN | FLAG_PSH | FLAG_ACK },
	{ "AU", FLAG_URG | FLAG_ACK },
	{ "FSRPAUEC", 0xff },
};

NAMED_PARAMS(flags_param, flag_sets);

static void event_format__flags(struct kunit *test)
{
	const struct flags_param *p = test->param_value;
	const struct event ev = { .kind = EV_RECV, .flags = p->flags };
	char line[EVENT_LINE_MAX], wanted[16];

	event_format(line, sizeof(line), &ev, "l", "r", 1);
	scnprintf(wanted, sizeof(wanted), "\t%s\t0\t", p->name);
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, wanted));
}

/* --- the record of what happened, emit.c: every field --- */

static void expect_segment(struct kunit *test, const struct event *ev,
			   const struct event *wanted)
{
	KUNIT_EXPECT_EQ(test, ev->time, wanted->time);
	KUNIT_EXPECT_EQ(test, ev->conn, wanted->conn);
	KUNIT_EXPECT_EQ(test, ev->kind, wanted->kind);
	KUNIT_EXPECT_EQ(test, ev->cause, wanted->cause);
	KUNIT_EXPECT_EQ(test, ev->state, wanted->state);
	KUNIT_EXPECT_EQ(test, ev->flags, wanted->flags);
	KUNIT_EXPECT_EQ(test, ev->seq, wanted->seq);
	KUNIT_EXPECT_EQ(test, ev->ack, wanted->ack);
	KUNIT_EXPECT_EQ(test, ev->len, wanted->len);
	KUNIT_EXPECT_EQ(test, ev->wnd, wanted->wnd);
	KUNIT_EXPECT_EQ(test, ev->old, wanted->old);
	KUNIT_EXPECT_EQ(test, ev->new, wanted->new);
}

static void expect_variables(struct kunit *test, const struct event *ev,
			     const struct event *wanted)
{
	KUNIT_EXPECT_EQ(test, ev->snd_una, wanted->snd_una);
	KUNIT_EXPECT_EQ(test, ev->snd_nxt, wanted->snd_nxt);
	KUNIT_EXPECT_EQ(test, ev->rcv_nxt, wanted->rcv_nxt);
	KUNIT_EXPECT_EQ(test, ev->cwnd, wanted->cwnd);
	KUNIT_EXPECT_EQ(test, ev->ssthresh, wanted->ssthresh);
	KUNIT_EXPECT_EQ(test, ev->flight, wanted->flight);
	KUNIT_EXPECT_EQ(test, ev->snd_wnd, wanted->snd_wnd);
	KUNIT_EXPECT_EQ(test, ev->rcv_wnd, wanted->rcv_wnd);
	KUNIT_EXPECT_EQ(test, ev->srtt, wanted->srtt);
	KUNIT_EXPECT_EQ(test, ev->rttvar, wanted->rttvar);
	KUNIT_EXPECT_EQ(test, ev->rto, wanted->rto);
	KUNIT_EXPECT_EQ(test, ev->unsent, wanted->unsent);
	KUNIT_EXPECT_EQ(test, ev->unread, wanted->unread);
	KUNIT_EXPECT_EQ(test, ev->ooo, wanted->ooo);
	KUNIT_EXPECT_EQ(test, ev->mss, wanted->mss);
}

static void expect_record(struct kunit *test, const struct event *ev,
			  const struct event *wanted)
{
	expect_segment(test, ev, wanted);
	expect_variables(test, ev, wanted);
}

/*
 * A round trip of 100 ms is known; 2000 bytes of 4000 are acknowledged after a
 * timeout, 4000 more are written; 10 bytes are unread and 150 early, in two ranges.
 */
static struct world *with_all_variables(struct kunit *test)
{
	static const s32 early[][2] = { { 90, 100 }, { 290, 50 }, { -10, 10 } };
	struct world *w = world_new(test);
	struct seg s;

	w->env.tun.window_scaling = true;
	establish(test, w);
	write_and_send(w, &w->a, MSS);
	elapse(w, 100 * MS);
	ack_all(w, &w->a);
	for (size_t i = 0; i < ARRAY_SIZE(early); i++) {
		s = text_from_peer(&w->a, early[i][1]);
		s.seq += 10 + early[i][0];
		deliver(w, &w->a, &s);
	}
	lose_all(w, &w->a);
	write_and_send(w, &w->a, 4 * MSS);
	conn_write(&w->a, 4 * MSS, false);
	elapse(w, SECOND);
	ack_upto(w, &w->a, A0 + 3 * MSS);
	w->a.cc.cwnd = 3 * MSS;
	forget_events(w);
	return w;
}

/* Its next packet's record. A scale of 3 rounds the window down. */
static struct event packet_to_come(const struct world *w)
{
	return (struct event){
		.time = w->now,
		.conn = 1,
		.kind = EV_RTX,
		.cause = BY_GO_BACK,
		.state = ST_ESTABLISHED,
		.flags = FLAG_ACK,
		.seq = A0 + 3 * MSS,
		.ack = B0 + 10,
		.len = MSS,
		.wnd = (RCV_BUF - 10) & ~7,
		.snd_una = A0 + 3 * MSS,
		.snd_nxt = A0 + 5 * MSS,
		.rcv_nxt = B0 + 10,
		.cwnd = 3 * MSS,
		.ssthresh = 2 * MSS,
		.flight = MSS,
		.snd_wnd = RCV_BUF,
		.rcv_wnd = RCV_BUF - 10,
		/* samples of 1 us in the handshake and of 100 ms */
		.srtt = 12501,
		.rttvar = 24999,
		.rto = 2 * (12501 + 200000),
		.unsent = 4 * MSS,
		.unread = 10,
		.ooo = 150,
		.mss = MSS,
	};
}

/* Three packets at once, of which the first two go out again */
static void emit_packets__every_field(struct kunit *test)
{
	struct world *w = with_all_variables(test);
	struct event wanted = packet_to_come(w);

	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).len, 3 * MSS);
	expect_record(test, &w->ev[0], &wanted);
	wanted.seq += MSS;
	wanted.flight += MSS;
	expect_record(test, &w->ev[1], &wanted);
	wanted.kind = EV_SEND;
	wanted.cause = BY_DATA;
	wanted.seq += MSS;
	wanted.snd_nxt += MSS;
	wanted.flight += MSS;
	wanted.unsent -= MSS;
	expect_record(test, &w->ev[2], &wanted);
}

/* What changed, beside the same variables */
static void emit_conn__old_and_new(struct kunit *test)
{
	struct world *w = with_all_variables(test);

	offer_window(w, &w->a, 1000);
	KUNIT_ASSERT_EQ(test, count_events(w, EV_SND_WND, BY_ARRIVAL), 1);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_SND_WND)->old, RCV_BUF);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_SND_WND)->new, 8000);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_SND_WND)->snd_wnd, 8000);
	/* and what arrived, whose window the peer has scaled */
	KUNIT_EXPECT_EQ(test, last_event(w, EV_RECV)->wnd, 8000);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_RECV)->seq, B0 + 10);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_RECV)->ack, A0 + 5 * MSS);
}

/* RFC 7323 section 2.2: the window of a SYN is not scaled, whichever way it goes */
static void scaled_window__syn(struct kunit *test)
{
	struct world *w = world_new(test);
	struct conn_config cfg = config_a();
	struct seg s = synack_of_b();

	w->env.tun.window_scaling = true;
	cfg.rcv_buf_max = 6 << 20;
	conn_open(&w->a, &w->env, &cfg, w->now);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).wscale, 7);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_SEND)->wnd, RCV_BUF);
	s.has_wscale = true;
	s.wscale = 5;
	for (int i = 0; i < 2; i++) {
		deliver(w, &w->a, &s);
		KUNIT_EXPECT_EQ(test, last_event(w, EV_RECV)->wnd, RCV_BUF);
	}
}

/* A record of SYN_RCVD that the SYN of @a made; what is traced of that SYN. */
static struct world *syn_rcvd(struct kunit *test, struct event *wanted)
{
	struct world *w = world_new(test);
	struct conn_config cfg = config_b();
	struct seg s;

	w->env.tun.window_scaling = true;
	open_a(w);
	s = next_seg(test, w, &w->a);
	forget_events(w);
	cfg.rcv_buf_max = 6 << 20;
	req_init(&w->req, &w->env, &cfg, &s, w->now);
	*wanted = (struct event){
		.time = w->now,
		.conn = 2,
		.kind = EV_RECV,
		.cause = BY_ARRIVAL,
		.state = ST_LISTEN,
		.flags = FLAG_SYN,
		.seq = A_ISS,
		.wnd = RCV_BUF,
		.snd_una = B_ISS,
		.snd_nxt = B0,
		.rcv_nxt = A0,
		.snd_wnd = RCV_BUF,
		.rcv_wnd = RCV_BUF,
	};
	return w;
}

/* The SYN, a segment that is refused, and the challenge that answers it */
static void emit_req__every_field(struct kunit *test)
{
	struct event wanted;
	struct world *w = syn_rcvd(test, &wanted);
	struct seg s = { .seq = A_ISS - 1, .flags = FLAG_ACK, .wnd = 100 };
	enum cause drop;

	expect_record(test, &w->ev[0], &wanted);
	req_rx(&w->req, &w->env, &s, w->now, &drop);
	wanted.kind = EV_DROP;
	wanted.cause = DROP_OUT_OF_WINDOW;
	wanted.state = ST_SYN_RCVD;
	wanted.flags = FLAG_ACK;
	wanted.seq = A_ISS - 1;
	wanted.wnd = 100 << 3;
	expect_record(test, last_event(w, EV_DROP), &wanted);
	w->req.pending = false;
	KUNIT_ASSERT_TRUE(test, req_poll(&w->req, &w->env, w->now, &s));
	wanted.kind = EV_SEND;
	wanted.cause = BY_ACK_CHALLENGE;
	wanted.seq = B0;
	wanted.ack = A0;
	wanted.wnd = RCV_BUF & ~127;
	expect_record(test, last_event(w, EV_SEND), &wanted);
}

/* A record of TIME_WAIT, and what is the same in all that is traced of it. */
static struct world *time_wait(struct kunit *test, struct timewait *t,
			       struct event *wanted)
{
	struct world *w = world_new(test);

	w->env.tun.window_scaling = true;
	establish(test, w);
	conn_close(&w->a, w->now);
	carry(w);
	conn_close(&w->b, w->now);
	carry(w);
	timewait_init(t, &w->a, w->now);
	t->rcv_wnd = RCV_BUF - 7;
	*wanted = (struct event){
		.time = w->now,
		.conn = 1,
		.state = ST_TIME_WAIT,
		.snd_una = A0 + 1,
		.snd_nxt = A0 + 1,
		.rcv_nxt = B0 + 1,
		.rcv_wnd = RCV_BUF - 7,
	};
	return w;
}

/* The FIN again, and its ACK; the scale of the peer is not known any more. */
static void emit_timewait__every_field(struct kunit *test)
{
	struct event wanted;
	struct timewait t;
	struct world *w = time_wait(test, &t, &wanted);
	struct seg s = { .seq = B0,
			 .ack = A0 + 1,
			 .flags = FLAG_FIN | FLAG_ACK,
			 .wnd = 100 };
	enum cause drop;

	timewait_rx(&t, &w->env, &s, w->now, &drop);
	wanted.kind = EV_RECV;
	wanted.cause = BY_ARRIVAL;
	wanted.flags = s.flags;
	wanted.seq = B0;
	wanted.ack = A0 + 1;
	wanted.wnd = 100;
	expect_record(test, last_event(w, EV_RECV), &wanted);
	KUNIT_ASSERT_TRUE(test, timewait_poll(&t, &w->env, w->now, &s));
	wanted.kind = EV_SEND;
	wanted.cause = BY_ACK_FIN;
	wanted.flags = FLAG_ACK;
	wanted.seq = A0 + 1;
	wanted.ack = B0 + 1;
	wanted.wnd = (RCV_BUF - 7) & ~7;
	expect_record(test, last_event(w, EV_SEND), &wanted);
}

/* and its end */
static void emit_timewait_state__every_field(struct kunit *test)
{
	struct event wanted;
	struct timewait t;
	struct world *w = time_wait(test, &t, &wanted);

	timewait_end(&t, &w->env, w->now);
	wanted.kind = EV_STATE;
	wanted.cause = BY_T_TIME_WAIT;
	wanted.state = ST_CLOSED;
	wanted.old = ST_TIME_WAIT;
	wanted.new = ST_CLOSED;
	expect_record(test, last_event(w, EV_STATE), &wanted);
}

static struct kunit_case event_cases[] = {
	KUNIT_CASE(event_kind_name__complete),
	KUNIT_CASE(cause_name__complete),
	KUNIT_CASE(cause_clause__names_an_rfc),
	KUNIT_CASE(event_format__columns_of_header),
	KUNIT_CASE(event_format__largest_fits),
	KUNIT_CASE(event_format__short_buffer),
	KUNIT_CASE(event_format__line),
	KUNIT_CASE(event_format__state),
	KUNIT_CASE_PARAM(event_format__flags, flag_sets_row_gen_params),
	KUNIT_CASE(emit_packets__every_field),
	KUNIT_CASE(emit_conn__old_and_new),
	KUNIT_CASE(scaled_window__syn),
	KUNIT_CASE(emit_req__every_field),
	KUNIT_CASE(emit_timewait__every_field),
	KUNIT_CASE(emit_timewait_state__every_field),
	{}
};

static struct kunit_suite chalk_event = {
	.name = "chalk_event",
	.test_cases = event_cases,
};

kunit_test_suite(chalk_event);
