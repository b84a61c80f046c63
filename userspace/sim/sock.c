// SPDX-License-Identifier: GPL-2.0
/*
 * sock.c - feed the core, do what it says
 */
#include <stdarg.h>

#include "host.h"
#include "isn.h"
#include "packet.h"
#include "params.h"
#include "session.h"
#include "sock.h"
#include "window.h"

/* More than any user and any window can give rise to at one instant. */
#define MOST_SEGMENTS_AT_ONCE 1000000
#define MOST_STEPS_AT_ONCE 4000000

void sock_fail(struct sock *sk, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	world_fail(sk->host->w, "%s, connection %u in %s: %s",
		   sk->host->side == CLIENT ? "client" : "server", sk->id,
		   state_name(sk->kind == SOCK_TIMEWAIT ? sk->tw.state :
			      sk->kind == SOCK_REQ	? ST_SYN_RCVD :
							  sk->c.state),
		   what);
}

const struct sock *sock_predecessor(const struct sock *sk)
{
	const struct sock *old = sk->all;

	while (old && (old->raddr != sk->raddr || old->lport != sk->lport ||
		       old->rport != sk->rport))
		old = old->all;
	return old;
}

/*
 * RFC 6528, with an unkeyed mix for the keyed hash: nobody here attacks it. A
 * connection sends faster than that clock runs; the next of its name begins
 * above all it has sent (RFC 9293 section 3.6.1), whether TIME_WAIT is still
 * there or a reset has ended it (RFC 1337).
 */
static u32 initial_seq(const struct sock *sk)
{
	const struct host *h = sk->host;
	const struct sock *old = sock_predecessor(sk);
	u64 name = (u64)sk->raddr << 32 | (u32)sk->lport << 16 | sk->rport;
	u32 hash = mix64(h->secret ^ mix64(name));
	u32 iss, least;

	if (h->cfg->isn_wrap)
		hash = -(u32)(h->w->cfg->start / 4) - hash % 200000;
	iss = isn(hash, h->w->now);
	if (!old)
		return iss;
	if (old->tw.id)
		return timewait_next_iss(&old->tw, iss);
	least = (old->session ? old->c.snd_nxt : old->req.iss + 1) + 1;
	return seq_max(iss, least);
}

static void configure(const struct sock *sk, struct conn_config *cfg)
{
	const struct side_config *side = sk->host->cfg;

	*cfg = (struct conn_config){
		.id = sk->id,
		.iss = initial_seq(sk),
		.ts_off = mix64(sk->host->secret + sk->rport),
		.rcv_buf = side->rcvbuf,
		.rcv_buf_max = max_t(u32, side->rcvbuf, side->rcvbuf_max),
		.sport = sk->lport,
		.dport = sk->rport,
		.mtu_mss = side->mtu - IP_HEADER - HDR_MIN,
		.default_mss = side->default_mss,
		.user_mss = side->user_mss,
		.window_clamp = side->clamp,
		.defer_accept = req_timeouts_in(&sk->host->env.tun,
						side->defer),
	};
}

static void sock_fire(struct world *w, struct sim_timer *t);

static struct sock *sock_new(struct host *h, u32 raddr, u16 lport, u16 rport)
{
	struct sock *sk = sim_alloc(sizeof(*sk));

	sk->host = h;
	sk->raddr = raddr;
	sk->lport = lport;
	sk->rport = rport;
	sk->id = ++h->w->next_id;
	sk->first_sent = NEVER;
	sim_timer_init(&sk->timer, sock_fire);
	sk->all = h->all;
	h->all = sk;
	host_add(h, sk);
	return sk;
}

/* The user's options: set before it connects, or those of the listener. */
static void set_options(struct sock *sk)
{
	const struct side_config *cfg = sk->host->cfg;

	conn_options_init(&sk->c.opt, &sk->host->env.tun);
	sk->c.opt.nodelay = cfg->nodelay;
	sk->c.opt.keepalive = cfg->keepalive;
	sk->c.opt.user_timeout = cfg->user_timeout;
	sk->c.opt.window_clamp = cfg->clamp;
}

static void user_takes(struct sock *sk)
{
	const struct side_config *cfg = sk->host->cfg;
	u32 most = max_t(u32, cfg->rcvbuf, cfg->rcvbuf_max);

	most = max_t(u32, most, cfg->resize_to);
	sk->kind = SOCK_CONN;
	/* a window is rounded up to a whole unit, twice at most (window.c) */
	store_init(&sk->in, most + (2U << window_shift(most)),
		   sk->host->w->cfg->carry);
	sk->tx_seq = sk->c.iss + 1;
	app_init(sk);
}

struct sock *sock_open(struct host *h, struct session *s, u32 raddr, u16 lport,
		       u16 rport)
{
	struct sock *sk = sock_new(h, raddr, lport, rport);
	struct conn_config cfg;

	sk->session = s;
	check_init(sk, ST_CLOSED);
	configure(sk, &cfg);
	set_options(sk);
	conn_open(&sk->c, &h->env, &cfg, h->w->now);
	check_begin(sk, false);
	user_takes(sk);
	return sk;
}

static void release_arrays(struct sock *sk)
{
	free(sk->c.reasm.r);
	memset(&sk->c.reasm, 0, sizeof(sk->c.reasm));
	free(sk->c.sent.r);
	memset(&sk->c.sent, 0, sizeof(sk->c.sent));
}

/* The name is free; what the user has not read stays readable. */
static void sock_dead(struct sock *sk)
{
	struct world *w = sk->host->w;

	host_remove(sk->host, sk);
	sim_timer_set(w, &sk->timer, NEVER);
	release_arrays(sk);
	sk->kind = SOCK_DEAD;
	if (sk->app.done)
		store_destroy(&sk->in);
	w->progress = w->now;
	if (sk->session && sk == sk->session->sk[CLIENT])
		session_client_gone(w, sk->session);
}

void sock_destroy(struct sock *sk)
{
	release_arrays(sk);
	store_destroy(&sk->in);
	free(sk);
}

/* --- sending --- */

static u64 tx_offset(const struct sock *sk, u32 seq)
{
	return sk->tx_off + (u32)(seq - sk->tx_seq);
}

static void sock_send(struct sock *sk, const struct seg *s)
{
	u32 first = s->seq + !!(s->flags & FLAG_SYN);

	check_out(sk, s);
	if (s->len)
		sk->first_sent = min_t(u64, sk->first_sent, sk->host->w->now);
	sk->sent += host_send(sk->host, sk->raddr, s, sk->app.out_key,
			      s->len ? tx_offset(sk, first) : 0);
}

/* There is always memory for the scoreboard: its rules are those of exact times. */
static bool poll_conn(struct sock *sk, struct seg *s)
{
	u16 cap = conn_score_room_wanted(&sk->c);

	if (cap)
		free(sent_give_room(&sk->c.sent,
				    sim_alloc(cap * sizeof(struct sent_run)),
				    cap));
	return conn_poll(&sk->c, sk->host->cfg->offload, sk->host->w->now, s);
}

static void transmit(struct sock *sk)
{
	struct world *w = sk->host->w;
	u32 count = 0;
	struct seg s;

	while (!world_failed(w) && poll_conn(sk, &s)) {
		sock_send(sk, &s);
		if (++count > MOST_SEGMENTS_AT_ONCE)
			sock_fail(sk, "conn_poll() never ends");
	}
	check_poll(sk);
}

/* Bytes below snd_una can be forgotten: here, only their count is kept. */
static void forget_acked(struct sock *sk)
{
	u32 una = sk->c.snd_una;
	u32 data_end = sk->tx_seq + (u32)(sk->app.written - sk->tx_off);

	if (seq_gt(una, data_end))
		una = data_end;
	if (seq_le(una, sk->tx_seq))
		return;
	sk->tx_off += una - sk->tx_seq;
	sk->tx_seq = una;
	sk->last_acked = sk->host->w->now;
	sk->host->w->progress = sk->host->w->now;
}

static void settle(struct sock *sk)
{
	struct world *w = sk->host->w;

	if (sk->c.state != ST_CLOSED)
		sk->final = sk->c.state;
	if (timewait_suffices(&sk->c)) {
		timewait_init(&sk->tw, &sk->c, w->now);
		life_record(sk);
		sk->kind = SOCK_TIMEWAIT;
		w->progress = w->now;
		sim_timer_set(w, &sk->timer, sk->tw.deadline);
	} else if (sk->c.state == ST_CLOSED) {
		sock_dead(sk);
	} else {
		sim_timer_set(w, &sk->timer, conn_deadline(&sk->c));
	}
}

void sock_run(struct sock *sk, unsigned int wake)
{
	struct world *w = sk->host->w;
	u32 steps = 0;

	do {
		if (sk->kind == SOCK_CONN)
			transmit(sk);
		if (++steps > MOST_STEPS_AT_ONCE)
			sock_fail(sk, "user and connection never rest");
		if (world_failed(w) || !app_run(sk, wake))
			break;
		wake = 0;
	} while (!world_failed(w));
	if (sk->kind == SOCK_CONN && !world_failed(w)) {
		check_rest(sk);
		settle(sk);
	}
	if (sk->kind == SOCK_DEAD && sk->app.done)
		store_destroy(&sk->in);
}

/* --- receiving --- */

/* Room for another hole, unless there is no memory today. */
static void give_room(struct sock *sk)
{
	u16 cap = reasm_room_wanted(&sk->c.reasm);

	if (cap && !rng_chance(&sk->host->w->app_rng, sk->host->cfg->nomem))
		free(reasm_give_room(&sk->c.reasm,
				     sim_alloc(cap * sizeof(struct seq_range)),
				     cap));
}

/* Early text is trimmed of what is there already at either end. */
static bool is_kept_twice(const struct sock *sk, const struct verdict *v)
{
	u64 off = check_rx_offset(sk, v->seq);

	return off > sk->in.front && (store_has(&sk->in, off) ||
				      store_has(&sk->in, off + v->keep - 1));
}

static void keep_payload(struct sock *sk, const struct seg *s,
			 const struct verdict *v, const u8 *data)
{
	u64 front = sk->in.front;

	if (is_kept_twice(sk, v))
		sock_fail(sk, "bytes %u to %u are kept a second time", v->seq,
			  v->seq + v->keep);
	if (data)
		data += v->skip;
	if (!store_put(&sk->in, check_rx_offset(sk, v->seq), data, v->keep))
		sock_fail(sk, "bytes %u to %u kept beyond the receive buffer",
			  v->seq, v->seq + v->keep);
	if (sk->in.front != front)
		tune_kept(sk, s);
}

static void conn_segment(struct sock *sk, struct seg *s, const u8 *data)
{
	struct host *h = sk->host;
	struct verdict v;
	struct seg rst;

	if (conn_is_early(&sk->c, s))
		give_room(sk);
	s->urg_inline = h->cfg->urgent_inline;
	s->no_room = s->len && rng_chance(&h->w->app_rng, h->cfg->nomem);
	check_in(sk, s);
	conn_rx(&sk->c, s, h->w->now, &v);
	check_verdict(sk, s, &v);
	if (v.keep)
		keep_payload(sk, s, &v, data);
	if (v.urgent && data && sk->c.state != ST_CLOSED &&
	    !stream_matches(sk->app.in_key,
			    check_rx_offset(sk, sk->check.urg.in_up - 1),
			    data + v.urgent_at, 1))
		sock_fail(sk, "the urgent byte is a wrong one");
	if (sk->check.urg.skip)
		app_skip(sk);
	if (v.drop)
		host_count_drop(h, v.drop);
	if (v.reset)
		host_reset(h, sk->raddr, s, &rst);
	forget_acked(sk);
	sock_run(sk, v.wake);
}

/* --- requests --- */

static void request_run(struct sock *sk)
{
	struct world *w = sk->host->w;
	struct seg s;

	while (req_poll(&sk->req, &sk->host->env, w->now, &s))
		sock_send(sk, &s);
	request_rest(sk);
	sim_timer_set(w, &sk->timer, sk->req.deadline);
}

struct sock *sock_request(struct host *h, const struct seg *syn, u32 raddr)
{
	struct sock *sk = sock_new(h, raddr, syn->dport, syn->sport);
	struct conn_config cfg;

	sk->kind = SOCK_REQ;
	check_init(sk, ST_LISTEN);
	configure(sk, &cfg);
	sk->check.arriving = syn;
	check_in(sk, syn);
	sk->check.req.synack = true;
	req_init(&sk->req, &h->env, &cfg, syn, h->w->now);
	count_host(h, MIB_PASSIVE_OPENS, 1);
	sk->check.arriving = NULL;
	request_run(sk);
	return sk;
}

void sock_refuse(struct sock *sk)
{
	struct host *h = sk->host;
	struct seg rst;

	req_abort(&sk->req, &h->env, h->w->now, &rst);
	sock_send(sk, &rst);
	sock_dead(sk);
}

static void establish(struct sock *sk, struct seg *s, const u8 *data)
{
	struct world *w = sk->host->w;
	struct session *session = session_find(w, sk->raddr, sk->rport,
					       sk->req.irs);

	if (!session || session->sk[SERVER]) {
		sock_fail(sk, "a connection that no client has opened");
		return;
	}
	sk->session = session;
	session->sk[SERVER] = sk;
	set_options(sk);
	conn_accept(&sk->c, &sk->host->env, &sk->req, w->now);
	check_begin(sk, true);
	user_takes(sk);
	sk->app.readable = true;
	sk->app.writable = true;
	conn_segment(sk, s, data);
}

static void request_segment(struct sock *sk, struct seg *s, const u8 *data)
{
	struct host *h = sk->host;
	enum req_result result;
	enum cause drop;
	struct seg rst;

	check_in(sk, s);
	result = req_rx(&sk->req, &h->env, s, h->w->now, &drop);
	request_verdict(sk, result);
	switch (result) {
	case REQ_ESTABLISH:
		establish(sk, s, data);
		return;
	case REQ_GONE:
		count_host(h, MIB_EMBRYONIC_RSTS, 1);
		sock_dead(sk);
		return;
	case REQ_RESET:
		host_reset(h, sk->raddr, s, &rst);
		break;
	case REQ_DROP:
		break;
	}
	if (drop)
		host_count_drop(h, drop);
	request_run(sk);
}

/* --- TIME_WAIT, and FIN_WAIT_2 without a user --- */

static void timewait_run(struct sock *sk)
{
	struct world *w = sk->host->w;
	struct seg s;

	while (timewait_poll(&sk->tw, &sk->host->env, w->now, &s))
		sock_send(sk, &s);
	life_timewait_rest(sk);
	sim_timer_set(w, &sk->timer, sk->tw.deadline);
}

static bool timewait_segment(struct sock *sk, const struct seg *s)
{
	struct host *h = sk->host;
	bool waits = sk->tw.state == ST_FIN_WAIT_2;
	enum timewait_result result;
	enum cause drop;

	if (waits)
		check_in(sk, s);
	result = timewait_rx(&sk->tw, &h->env, s, h->w->now, &drop);
	if (drop)
		host_count_drop(h, drop);
	if (waits)
		life_fin_wait_rx(sk, s, result == TIMEWAIT_DROP, drop);
	else
		life_timewait_rx(sk, s, result == TIMEWAIT_DROP);
	sk->final = sk->tw.state;
	timewait_run(sk);
	if (result == TIMEWAIT_DROP)
		return true;
	timewait_end(&sk->tw, &h->env, h->w->now);
	sock_dead(sk);
	return result != TIMEWAIT_OPEN;
}

/* --- all kinds --- */

static bool rx_any(struct sock *sk, struct seg *s, const u8 *data)
{
	switch (sk->kind) {
	case SOCK_CONN:
		conn_segment(sk, s, data);
		return true;
	case SOCK_REQ:
		request_segment(sk, s, data);
		return true;
	case SOCK_TIMEWAIT:
		return timewait_segment(sk, s);
	default:
		return false;
	}
}

bool sock_rx(struct sock *sk, struct seg *s, const u8 *data)
{
	bool mine;

	sk->check.arriving = s;
	mine = rx_any(sk, s, data);
	sk->check.arriving = NULL;
	return mine;
}

static void request_fire(struct sock *sk)
{
	bool kept = req_tick(&sk->req, &sk->host->env, sk->host->w->now);

	life_request_tick(sk, kept);
	if (kept)
		request_run(sk);
	else
		sock_dead(sk);
}

static void sock_fire(struct world *w, struct sim_timer *t)
{
	struct sock *sk = container_of(t, struct sock, timer);
	unsigned int wake;

	switch (sk->kind) {
	case SOCK_REQ:
		request_fire(sk);
		break;
	case SOCK_CONN:
		check_tick(sk);
		wake = conn_tick(&sk->c, w->now);
		life_ticked(sk);
		sock_run(sk, wake);
		check_ticked(sk);
		break;
	case SOCK_TIMEWAIT:
		life_timewait_tick(sk);
		timewait_end(&sk->tw, &sk->host->env, w->now);
		sock_dead(sk);
		break;
	default:
		break;
	}
}
