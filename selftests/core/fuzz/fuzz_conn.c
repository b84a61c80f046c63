// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_conn.c - a peer that says anything, a user that calls anything
 *
 * The input is a program: each step is a byte that names an action and a few
 * bytes of arguments. Segments are made around the numbers that the connection
 * expects, so that many pass its checks. After every step the invariants of
 * the connection are checked, and every segment that it sends.
 *
 * One end plays all roles in turn: it opens, or listens and accepts; when it
 * has come to TIME_WAIT, or left FIN_WAIT_2 behind, the record takes over, which
 * a SYN may end.
 */
#include "../../../kmod/core/params.h"
#include "../../../kmod/core/reply.h"
#include "../../../kmod/core/req.h"
#include "../../../kmod/core/timewait.h"
#include "../../../kmod/core/window.h"
#include "fuzz.h"

#define HOLES 8
#define ENOUGH 2000

enum role {
	CLOSED,
	LISTENING,
	REQUEST,
	CONNECTION,
	TIMEWAIT,
};

/**
 * struct fuzz - the end that is fuzzed
 * @data:  what is left of the input
 * @left:  its bytes
 * @role:  which of the structures below is in use
 */
struct fuzz {
	const u8 *data;
	size_t left;
	u64 now;
	struct env env;
	struct mib mib;
	enum role role;
	struct conn c;
	struct req req;
	struct timewait tw;
	struct seq_range holes[HOLES];
};

/* --- input --- */

static u8 take8(struct fuzz *f)
{
	if (!f->left)
		return 0;
	f->left--;
	return *f->data++;
}

static u16 take16(struct fuzz *f)
{
	u16 high = take8(f);

	return high << 8 | take8(f);
}

static u32 take32(struct fuzz *f)
{
	u32 high = take16(f);

	return high << 16 | take16(f);
}

/* A number near @base, most of the time; few bits of input for small steps. */
static u32 near(struct fuzz *f, u32 base)
{
	u8 how = take8(f);

	switch (how & 7) {
	case 0:
	case 1:
	case 2:
		return base;
	case 3:
		return base + (how >> 3);
	case 4:
		return base - (how >> 3);
	case 5:
		return base + take16(f);
	case 6:
		return base - take16(f);
	default:
		return take32(f);
	}
}

/* --- what must hold --- */

static void check_reasm(const struct conn *c)
{
	const struct reasm *m = &c->reasm;

	CHECK(m->n <= m->cap);
	for (u16 i = 0; i < m->n; i++) {
		CHECK(seq_lt(m->r[i].start, m->r[i].end));
		CHECK(seq_gt(m->r[i].start,
			     i ? m->r[i - 1].end : c->rcv_nxt - c->fin_rcvd));
	}
}

/* Runs without a hole; without SACK all waits that follows what waits. */
static void check_scoreboard(const struct conn *c)
{
	struct seq_range lost;
	u32 at = c->snd_una;

	for (u16 i = 0; i < c->sent.n; i++) {
		CHECK(sent_nth(&c->sent, i)->start == at);
		at = sent_nth(&c->sent, i)->end;
		CHECK(seq_lt(sent_nth(&c->sent, i)->start, at));
	}
	CHECK(at == c->snd_nxt);
	CHECK(c->sent.bytes == c->snd_nxt - c->snd_una);
	if (sent_next_lost(&c->sent, U32_MAX, &lost))
		CHECK(lost.end == c->snd_nxt);
}

static void check_send_side(const struct conn *c)
{
	check_scoreboard(c);
	CHECK(seq_le(c->snd_nxt, c->write_seq + c->fin_queued));
	CHECK(c->smss >= MSS_FLOOR - TS_OPTION_LEN);
	CHECK(!state_in(c->state, STATES_SYNCHRONIZED) ||
	      c->cc.cwnd >= c->smss);
	CHECK(conn_unacked(c) <= c->write_seq - c->snd_una);
	CHECK(conn_unsent(c) <= conn_unacked(c));
}

static void check_receive_side(const struct conn *c)
{
	u32 readable = conn_readable(c);

	CHECK(readable < 1U << 31);
	CHECK(!c->fin_rcvd || c->fin_seen);
	CHECK(!c->fin_seen || seq_le(c->rcv_nxt - c->fin_rcvd, c->rcv_fin));
	if (state_in(c->state, STATES_CAN_RECEIVE))
		CHECK(window_left(c) <= 1U << 30);
	check_reasm(c);
}

/* Whoever waits for something has a timer, or has nothing to wait for. */
static void check_liveness(const struct conn *c)
{
	bool waiting = seq_lt(c->snd_una, c->write_seq + c->fin_queued);

	if (c->state == ST_CLOSED)
		CHECK(conn_deadline(c) == NEVER);
	if (state_in(c->state, STATES_CAN_SEND | STF(SYN_SENT)) && waiting)
		CHECK(c->timer[TIMER_RTX] != NEVER);
}

static void check_conn(const struct conn *c)
{
	CHECK(c->state > 0 && c->state < NR_STATES && c->state != ST_LISTEN);
	check_send_side(c);
	check_receive_side(c);
}

static void check_sent(const struct conn *c, const struct seg *s)
{
	CHECK(s->sport && s->dport);
	CHECK(!(s->flags & FLAG_SYN) || !(s->flags & (FLAG_FIN | FLAG_RST)));
	CHECK(!s->len || s->smss);
	CHECK(!s->len || seq_le(s->seq + s->len, c->write_seq));
	CHECK(s->flags & FLAG_ACK || s->flags & FLAG_SYN);
	CHECK(s->cause && s->cause < DROP_FIRST);
	CHECK(wire_option_len(s) <= HDR_MAX - HDR_MIN);
	CHECK(!s->smss || s->smss + wire_option_len(s) <=
				  max_t(u32, c->mtu_mss, MSS_FLOOR));
}

/* --- the end's own structures --- */

static void emit(struct env *env, enum event_owner what, const void *owner,
		 const struct event *ev)
{
	char line[EVENT_LINE_MAX];

	CHECK(ev->cause < NR_CAUSES && ev->kind < NR_EVENT_KINDS);
	CHECK(event_format(line, sizeof(line), ev, "l", "r", 1) > 0);
}

static struct conn_config config(struct fuzz *f)
{
	u8 sizes = take8(f);
	struct conn_config cfg = {
		.id = 1,
		.rcv_buf = 1 << (sizes % 8 + 8),
		.rcv_buf_max = 1 << 20,
		.sport = 1,
		.dport = 2,
		.mtu_mss = sizes & 8 ? 1460 : MSS_FLOOR + sizes,
		.user_mss = sizes & 16 ? 100 : 0,
	};

	cfg.iss = near(f, 0);
	cfg.ts_off = (u32)take8(f) << 24;
	return cfg;
}

static void fresh_conn(struct fuzz *f)
{
	memset(&f->c, 0, sizeof(f->c));
	conn_options_init(&f->c.opt, &f->env.tun);
	f->c.opt.keepalive = f->now & 1;
	reasm_give_room(&f->c.reasm, f->holes, HOLES);
	f->role = CONNECTION;
}

static void after_conn(struct fuzz *f)
{
	if (f->c.state == ST_CLOSED) {
		f->role = CLOSED;
	} else if (timewait_suffices(&f->c)) {
		timewait_init(&f->tw, &f->c, f->now);
		f->role = TIMEWAIT;
	}
}

/* All that the connection wants to send; it must come to an end. */
static void poll_conn(struct fuzz *f, u32 max_len)
{
	struct seg s;
	int n = 0;

	while (conn_poll(&f->c, max_len, f->now, &s)) {
		check_sent(&f->c, &s);
		check_conn(&f->c);
		CHECK(++n < ENOUGH);
	}
	check_conn(&f->c);
	check_liveness(&f->c);
	after_conn(f);
}

/* --- segments --- */

static u32 expected_seq(const struct fuzz *f)
{
	switch (f->role) {
	case CONNECTION:
		return f->c.rcv_nxt;
	case REQUEST:
		return f->req.irs + 1;
	case TIMEWAIT:
		return f->tw.rcv_nxt;
	default:
		return 0;
	}
}

static u32 expected_ack(const struct fuzz *f, bool newest)
{
	switch (f->role) {
	case CONNECTION:
		return newest ? f->c.snd_nxt : f->c.snd_una;
	case REQUEST:
		return f->req.iss + 1;
	case TIMEWAIT:
		return f->tw.snd_nxt;
	default:
		return 0;
	}
}

static u32 last_timestamp(const struct fuzz *f)
{
	switch (f->role) {
	case CONNECTION:
		return f->c.ts_recent;
	case REQUEST:
		return f->req.ts_recent;
	case TIMEWAIT:
		return f->tw.ts_recent;
	default:
		return 0;
	}
}

/* Each statement takes its bytes in turn: the seeds count on the order. */
static struct seg make_segment(struct fuzz *f)
{
	u8 shape = take8(f);
	struct seg s = { .sport = 2, .dport = 1, .hdr_len = HDR_MIN };

	s.flags = shape & 1 ? take8(f) : FLAG_ACK;
	s.seq = near(f, expected_seq(f));
	s.ack = near(f, expected_ack(f, shape & 2));
	s.wnd = shape & 4 ? take16(f) : 8192;
	s.len = shape & 8 ? take16(f) : 0;
	s.has_ts = !(shape & 16);
	s.tsval = near(f, last_timestamp(f));
	s.tsecr = timestamp(f->c.ts_off, f->now) - (shape >> 5);
	s.no_room = (shape & 0xe0) == 0xe0;
	if (s.flags & FLAG_URG)
		s.up = take16(f);
	if (s.flags & FLAG_SYN) {
		s.mss = take16(f);
		s.has_wscale = shape & 32;
		s.wscale = shape >> 6;
	}
	return s;
}

static void check_verdict(const struct fuzz *f, const struct seg *s,
			  const struct verdict *v, u32 before)
{
	CHECK(v->drop == DROP_NONE ||
	      (v->drop >= DROP_FIRST && v->drop < NR_CAUSES));
	if (!v->keep)
		return;
	CHECK(!s->no_room);
	CHECK((u64)v->skip + v->keep <= s->len);
	CHECK(v->seq == s->seq + !!(s->flags & FLAG_SYN) + v->skip);
	CHECK(seq_ge(v->seq, before));
	CHECK(seq_le(v->seq, f->c.rcv_nxt) || f->c.reasm.n);
}

static void conn_segment(struct fuzz *f, const struct seg *s)
{
	u32 una = f->c.snd_una, nxt = f->c.rcv_nxt, edge = window_edge(&f->c);
	bool made = state_in(f->c.state, STATES_SYNCHRONIZED);
	struct verdict v;
	struct seg out;

	conn_rx(&f->c, s, f->now, &v);
	check_conn(&f->c);
	CHECK(seq_ge(f->c.snd_una, una));
	if (made) {
		check_verdict(f, s, &v, nxt);
		CHECK(seq_ge(f->c.rcv_nxt, nxt));
		CHECK(seq_le(f->c.rcv_nxt - f->c.fin_rcvd, seq_max(edge, nxt)));
	}
	if (v.reset)
		reply_reset(s, &out);
}

static void request_segment(struct fuzz *f, const struct seg *s)
{
	enum cause drop;
	struct seg out;

	switch (req_rx(&f->req, &f->env, s, f->now, &drop)) {
	case REQ_ESTABLISH:
		fresh_conn(f);
		conn_accept(&f->c, &f->env, &f->req, f->now);
		check_conn(&f->c);
		conn_segment(f, s);
		CHECK(f->c.state != ST_SYN_RCVD);
		poll_conn(f, 1 << 16);
		return;
	case REQ_GONE:
		f->role = LISTENING;
		return;
	case REQ_RESET:
		reply_reset(s, &out);
		break;
	case REQ_DROP:
		CHECK(drop >= DROP_FIRST);
		break;
	}
	req_poll(&f->req, &f->env, f->now, &out);
	CHECK(!req_poll(&f->req, &f->env, f->now, &out) ||
	      !req_poll(&f->req, &f->env, f->now, &out));
}

static void listener_segment(struct fuzz *f, const struct seg *s)
{
	struct conn_config cfg;
	enum cause drop;
	struct seg out;

	if (listen_rx(s, &drop) != LISTEN_SYN)
		return;
	cfg = config(f);
	memset(&f->req, 0, sizeof(f->req));
	req_init(&f->req, &f->env, &cfg, s, f->now);
	CHECK(req_poll(&f->req, &f->env, f->now, &out));
	CHECK(out.flags == (FLAG_SYN | FLAG_ACK));
	f->role = REQUEST;
}

static void timewait_segment(struct fuzz *f, const struct seg *s)
{
	u64 before = f->tw.deadline;
	u8 state = f->tw.state;
	enum cause drop;
	struct seg out;

	switch (timewait_rx(&f->tw, &f->env, s, f->now, &drop)) {
	case TIMEWAIT_GONE:
		timewait_poll(&f->tw, &f->env, f->now, &out);
		CHECK(!timewait_poll(&f->tw, &f->env, f->now, &out));
		timewait_end(&f->tw, &f->env, f->now);
		f->role = CLOSED;
		break;
	case TIMEWAIT_OPEN:
		timewait_end(&f->tw, &f->env, f->now);
		f->role = LISTENING;
		listener_segment(f, s);
		CHECK(f->role == REQUEST);
		break;
	case TIMEWAIT_DROP:
		CHECK(f->tw.deadline >= before || f->tw.state != state);
		timewait_poll(&f->tw, &f->env, f->now, &out);
		CHECK(!timewait_poll(&f->tw, &f->env, f->now, &out));
		break;
	}
}

static void segment(struct fuzz *f)
{
	struct seg s = make_segment(f);
	struct seg out;

	switch (f->role) {
	case CLOSED:
		CHECK(reply_reset(&s, &out) == !(s.flags & FLAG_RST));
		break;
	case LISTENING:
		listener_segment(f, &s);
		break;
	case REQUEST:
		request_segment(f, &s);
		break;
	case CONNECTION:
		conn_segment(f, &s);
		poll_conn(f, 1 << 16);
		break;
	case TIMEWAIT:
		timewait_segment(f, &s);
		break;
	}
}

/* --- time and the user --- */

static void tick(struct fuzz *f)
{
	switch (f->role) {
	case REQUEST:
		if (!req_tick(&f->req, &f->env, f->now))
			f->role = LISTENING;
		break;
	case CONNECTION:
		conn_tick(&f->c, f->now);
		check_conn(&f->c);
		poll_conn(f, 1 << 16);
		break;
	case TIMEWAIT:
		if (f->tw.deadline <= f->now)
			f->role = CLOSED;
		break;
	default:
		break;
	}
}

static void elapse(struct fuzz *f)
{
	u8 how = take8(f);

	if (how & 1 && f->role == CONNECTION && conn_deadline(&f->c) != NEVER)
		f->now = max_t(u64, f->now, conn_deadline(&f->c));
	else
		f->now += (u64)how << (how % 20);
	tick(f);
}

static void begin(struct fuzz *f)
{
	struct conn_config cfg;

	if (f->role != CLOSED && f->role != LISTENING)
		return;
	if (take8(f) & 1) {
		f->role = LISTENING;
		return;
	}
	cfg = config(f);
	fresh_conn(f);
	conn_open(&f->c, &f->env, &cfg, f->now);
	poll_conn(f, 1 << 16);
}

static void write(struct fuzz *f)
{
	u16 n = take16(f);

	if (conn_can_write(&f->c) && conn_unacked(&f->c) < 1 << 20)
		conn_write(&f->c, n, n & 1);
	poll_conn(f, n & 2 ? 1 : 1 << 16);
}

static void read(struct fuzz *f)
{
	u16 n = take16(f);

	conn_read(&f->c, min_t(u32, n, conn_readable(&f->c)), f->now);
	poll_conn(f, 1 << 16);
}

static void end(struct fuzz *f)
{
	switch (take8(f) % 8) {
	case 0:
		conn_abort(&f->c, f->now);
		break;
	case 1:
		conn_release(&f->c, f->now);
		break;
	case 2:
		conn_error(&f->c, near(f, f->c.snd_una), 113, f->now);
		break;
	default:
		conn_close(&f->c, f->now);
		break;
	}
	poll_conn(f, 1 << 16);
}

static void set_option(struct fuzz *f)
{
	u8 how = take8(f);

	switch (how % 5) {
	case 0:
		conn_set_rcv_buf(&f->c, take16(f), f->now);
		break;
	case 1:
		conn_set_mss(&f->c, MSS_FLOOR + take16(f) % 9000, f->now);
		break;
	case 2:
		conn_set_keepalive(&f->c, how & 4, f->now);
		break;
	case 3:
		f->c.opt.nodelay = how & 4;
		break;
	case 4:
		conn_set_cc(&f->c,
			    how & 8 ? &cc_tahoe :
			    how & 4 ? &cc_reno :
				      &cc_newreno,
			    f->now);
		break;
	}
	poll_conn(f, 1 << 16);
}

static void step(struct fuzz *f)
{
	static void (*const on_conn[])(struct fuzz * f) = {
		segment, segment, segment,    segment, segment, segment,
		elapse,	 elapse,  write,      write,   write,	read,
		read,	 end,	  set_option, segment,
	};
	u8 action = take8(f);

	if (f->role == CONNECTION)
		on_conn[action % ARRAY_SIZE(on_conn)](f);
	else if (action % 4 == 0)
		begin(f);
	else if (action % 4 == 1)
		elapse(f);
	else
		segment(f);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz f = { .data = data, .left = size };
	u8 tunables = take8(&f);

	tunables_init(&f.env.tun);
	f.env.emit = emit;
	f.env.mib = &f.mib;
	f.env.tracing = tunables & 1;
	f.env.tun.timestamps = tunables & 2;
	f.env.tun.window_scaling = tunables & 4;
	f.env.tun.init_cwnd = tunables & 8 ? 1 : 10;
	f.env.tun.delack = tunables & 16 ? 0 : DELACK_TIME;
	f.env.tun.hystart = !(tunables & 64);
	f.now = tunables & 32 ? 0 : 1ULL << 40;
	while (f.left)
		step(&f);
	return 0;
}
