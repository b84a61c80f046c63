// SPDX-License-Identifier: GPL-2.0
/*
 * req.c - LISTEN and SYN_RCVD
 */
#include "emit.h"
#include "params.h"
#include "window.h"

enum listen_result listen_rx(const struct seg *s, enum cause *drop)
{
	*drop = DROP_NONE;
	/* first: RST */
	if (s->flags & FLAG_RST) {
		*drop = DROP_LISTEN_RST;
		return LISTEN_DROP;
	}
	/* second: ACK */
	if (s->flags & FLAG_ACK) {
		*drop = DROP_LISTEN_ACK;
		return LISTEN_RESET;
	}
	/* third: SYN */
	if (s->flags & FLAG_SYN)
		return LISTEN_SYN;
	/* fourth: anything else */
	*drop = DROP_LISTEN_NO_SYN;
	return LISTEN_DROP;
}

/*
 * The n-th wait, from 0: SYN+ACKs back off like everything else, RFC 6298 (5.5).
 * So many doublings of anything are beyond its ceiling.
 */
static u64 wait_of(const struct tunables *tun, u32 n)
{
	return min_t(u64, tun->rto_init << min_t(u32, n, 31), tun->rto_max);
}

static void set_deadline(struct req *r, const struct env *env, u64 now)
{
	r->deadline = now + wait_of(&env->tun, r->retries);
}

u64 req_time_of(const struct tunables *tun, u8 n)
{
	u64 time = 0;

	while (n--)
		time += wait_of(tun, n);
	return time;
}

u8 req_timeouts_in(const struct tunables *tun, u64 time)
{
	u64 passed = 0;
	u32 n = 0;

	while (passed < time && n < 255)
		passed += wait_of(tun, n++);
	return n;
}

static void take_options(struct req *r, const struct env *env,
			 const struct conn_config *cfg, const struct seg *syn)
{
	u32 most;

	r->peer_mss = syn->mss ?: cfg->default_mss ?: MSS_DEFAULT;
	r->wscale_ok = env->tun.window_scaling && syn->has_wscale;
	r->snd_wscale = r->wscale_ok ? syn->wscale : 0;
	most = window_clamp(cfg->rcv_buf_max,
			    cfg->window_clamp ?: cfg->route.window);
	r->rcv_wscale = r->wscale_ok ? window_shift(most) : 0;
	r->ts_ok = env->tun.timestamps && syn->has_ts;
	r->ts_recent = syn->tsval;
}

void req_init(struct req *r, struct env *env, const struct conn_config *cfg,
	      const struct seg *syn, u64 now)
{
	r->id = cfg->id;
	r->iss = cfg->iss;
	r->irs = syn->seq;
	r->snd_wnd = syn->wnd;
	r->rcv_buf = cfg->rcv_buf;
	r->rcv_wnd = min_t(u32, U16_MAX,
			   window_clamp(cfg->rcv_buf,
					cfg->window_clamp ?:
							    cfg->route.window));
	r->mtu_mss = cfg->mtu_mss;
	r->user_mss = cfg->user_mss;
	r->adv_mss = cfg->route.adv_mss;
	r->most_retries = cfg->synack_retries;
	r->defer = cfg->defer_accept;
	r->sport = cfg->sport;
	r->dport = cfg->dport;
	r->ts_off = cfg->ts_off;
	take_options(r, env, cfg, syn);
	r->sent_at = now;
	r->pending = true;
	set_deadline(r, env, now);
	mib_count(env, MIB_PASSIVE_OPENS);
	trace_req_syn(env, r, syn, now);
	trace_req_state(env, r, ST_LISTEN, ST_SYN_RCVD, BY_RCVD_SYN, now);
}

static enum req_result req_refuse(struct req *r, struct env *env,
				  const struct seg *s, enum cause why,
				  enum cause *drop, u64 now)
{
	*drop = why;
	trace_req(env, r, EV_DROP, why, s, now);
	return REQ_DROP;
}

static enum req_result refuse_and_ack(struct req *r, struct env *env,
				      const struct seg *s, enum cause why,
				      enum cause *drop, u64 now)
{
	r->ack_pending = challenge_allowed(&r->challenge, env, now);
	return req_refuse(r, env, s, why, drop, now);
}

/*
 * The first step of section 3.10.7.4, with RCV.NXT = IRS + 1 and what
 * is_acceptable() in arrive.c adds.
 */
static bool req_is_acceptable(const struct req *r, const struct seg *s)
{
	u32 into = s->seq - (r->irs + 1);

	if (!into)
		return true;
	return into < r->rcv_wnd || (!seg_space(s) && into == r->rcv_wnd);
}

/*
 * The SYN again: our SYN+ACK was lost, or is late.
 * DEVIATES: RFC 9293 section 3.10.7.4 (fourth) goes back to LISTEN where another
 * SYN arrives; here it is challenged (RFC 5961 section 4.2), so that a forged
 * one ends no handshake.
 */
static bool is_same_syn(const struct req *r, const struct seg *s)
{
	return s->seq == r->irs &&
	       (s->flags & (FLAG_SYN | FLAG_ACK | FLAG_RST)) == FLAG_SYN;
}

/* RFC 7323 section 4.3, (2): the newest is echoed. */
static void req_keep_timestamp(struct req *r, const struct seg *s)
{
	if (r->ts_ok && s->has_ts && seq_gt(s->tsval, r->ts_recent))
		r->ts_recent = s->tsval;
}

static enum req_result req_rx_rst(struct req *r, struct env *env,
				  const struct seg *s, u64 now,
				  enum cause *drop)
{
	/* RFC 5961 section 3.2 */
	if (s->seq != r->irs + 1)
		return refuse_and_ack(r, env, s, DROP_RST_CHALLENGED, drop,
				      now);
	mib_count(env, MIB_EMBRYONIC_RSTS);
	trace_req_state(env, r, ST_SYN_RCVD, ST_CLOSED, BY_RCVD_RST, now);
	return REQ_GONE;
}

/* The handshake ends here, though the user may want to wait for data. */
static void note_first_ack(struct req *r, u64 now)
{
	if (r->acked)
		return;
	r->acked = true;
	r->rtt = min_t(u64, now - r->sent_at, U32_MAX);
}

static enum req_result rx_ack(struct req *r, struct env *env,
			      const struct seg *s, u64 now, enum cause *drop)
{
	if (!(s->flags & FLAG_ACK))
		return req_refuse(r, env, s, DROP_NO_ACK, drop, now);
	if (s->ack != r->iss + 1) {
		req_refuse(r, env, s, DROP_HANDSHAKE_ACK, drop, now);
		return REQ_RESET;
	}
	note_first_ack(r, now);
	if (r->retries < r->defer && !seg_space(s))
		return req_refuse(r, env, s, DROP_DEFERRED, drop, now);
	return REQ_ESTABLISH;
}

enum req_result req_rx(struct req *r, struct env *env, const struct seg *s,
		       u64 now, enum cause *drop)
{
	*drop = DROP_NONE;
	if (is_same_syn(r, s)) {
		trace_req(env, r, EV_RECV, BY_ARRIVAL, s, now);
		r->pending = true;
		req_keep_timestamp(r, s);
		/* or the timer would send another right behind it */
		if (!r->acked)
			set_deadline(r, env, now);
		return req_refuse(r, env, s, DROP_DUP_SYN, drop, now);
	}
	/* RFC 7323 section 3.2, and section 5.3, R1 */
	if (r->ts_ok && !(s->flags & FLAG_RST)) {
		if (!s->has_ts)
			return req_refuse(r, env, s, DROP_NO_TIMESTAMP, drop,
					  now);
		if (is_time(r->ts_recent) && seq_lt(s->tsval, r->ts_recent))
			return refuse_and_ack(r, env, s, DROP_PAWS, drop, now);
	}
	if (!req_is_acceptable(r, s)) {
		if (s->flags & FLAG_RST)
			return req_refuse(r, env, s, DROP_OUT_OF_WINDOW, drop,
					  now);
		return refuse_and_ack(r, env, s, DROP_OUT_OF_WINDOW, drop, now);
	}
	if (s->flags & FLAG_RST)
		return req_rx_rst(r, env, s, now, drop);
	/* RFC 5961 section 4.2 */
	if (s->flags & FLAG_SYN)
		return refuse_and_ack(r, env, s, DROP_SYN_CHALLENGED, drop,
				      now);
	return rx_ack(r, env, s, now, drop);
}

static bool req_is_hopeless(const struct req *r, const struct env *env)
{
	u32 most = r->most_retries ?: env->tun.synack_retries;

	return r->retries >= most && (!r->acked || r->retries >= r->defer);
}

/*
 * The wait for data is silent: nothing was lost. With its last SYN+ACK it gives the
 * peer another chance: what answers that makes a connection, with data or without.
 */
static bool is_silent(const struct req *r)
{
	return r->acked && r->retries + 1 < r->defer;
}

bool req_tick(struct req *r, struct env *env, u64 now)
{
	bool silent = is_silent(r);

	if (now < r->deadline)
		return true;
	if (!silent)
		mib_count(env, MIB_TIMEOUTS);
	if (req_is_hopeless(r, env)) {
		trace_req_state(env, r, ST_SYN_RCVD, ST_CLOSED, BY_GIVE_UP,
				now);
		return false;
	}
	r->pending = !silent;
	r->retries++;
	set_deadline(r, env, now);
	return true;
}

static void req_fill(const struct req *r, u64 now, struct seg *s)
{
	s->sport = r->sport;
	s->dport = r->dport;
	s->flags = FLAG_ACK;
	s->ack = r->irs + 1;
	s->has_ts = r->ts_ok;
	s->tsval = timestamp(r->ts_off, now);
	s->tsecr = r->ts_recent;
}

/* It goes again where a timeout or the SYN, which came again, asks for it. */
static enum event_kind make_synack(struct req *r, const struct env *env,
				   u64 now, struct seg *s)
{
	bool again = r->answered;

	r->pending = false;
	r->answered = true;
	r->lost |= again && !r->acked;
	if (again && r->resent < U16_MAX)
		r->resent++;
	req_fill(r, now, s);
	s->seq = r->iss;
	s->flags |= FLAG_SYN;
	s->wnd = r->rcv_wnd;
	s->mss = syn_mss(r->mtu_mss, r->user_mss, r->adv_mss);
	s->has_wscale = r->wscale_ok;
	s->wscale = r->rcv_wscale;
	s->cause = again ? BY_SYN_LOST : BY_HANDSHAKE;
	stats_synack_sent(env, again);
	return again ? EV_RTX : EV_SEND;
}

static enum event_kind make_challenge(struct req *r, const struct env *env,
				      u64 now, struct seg *s)
{
	r->ack_pending = false;
	req_fill(r, now, s);
	s->seq = r->iss + 1;
	s->wnd = r->rcv_wnd >> r->rcv_wscale;
	s->cause = BY_ACK_CHALLENGE;
	mib_count(env, MIB_OUT_SEGS);
	mib_count(env, MIB_CHALLENGE_ACK);
	return EV_SEND;
}

void req_abort(struct req *r, struct env *env, u64 now, struct seg *rst)
{
	memset(rst, 0, sizeof(*rst));
	req_fill(r, now, rst);
	rst->seq = r->iss + 1;
	rst->flags |= FLAG_RST;
	rst->cause = BY_RESET;
	mib_count(env, MIB_OUT_SEGS);
	mib_count(env, MIB_OUT_RSTS);
	trace_req(env, r, EV_SEND, BY_RESET, rst, now);
	trace_req_state(env, r, ST_SYN_RCVD, ST_CLOSED, BY_USER_ABORT, now);
}

bool req_poll(struct req *r, struct env *env, u64 now, struct seg *s)
{
	enum event_kind kind;

	memset(s, 0, sizeof(*s));
	if (r->pending)
		kind = make_synack(r, env, now, s);
	else if (r->ack_pending)
		kind = make_challenge(r, env, now, s);
	else
		return false;
	trace_req(env, r, kind, s->cause, s, now);
	return true;
}
