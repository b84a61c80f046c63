// SPDX-License-Identifier: GPL-2.0
/*
 * conn.c - a connection begins, its user speaks, it ends
 */
#include "conn.h"
#include "emit.h"
#include "params.h"
#include "recover.h"
#include "req.h"
#include "timer.h"
#include "urgent.h"
#include "window.h"

/* --- small questions --- */

u32 conn_unacked(const struct conn *c)
{
	u32 first = c->snd_una + !c->syn_acked;

	return seq_lt(first, c->write_seq) ? c->write_seq - first : 0;
}

u32 conn_readable(const struct conn *c)
{
	if (!state_in(c->state, STATES_SYNCHRONIZED | STF(CLOSED)))
		return 0;
	return c->rcv_nxt - c->fin_rcvd - c->rcv_read;
}

u32 conn_outq(const struct conn *c)
{
	if (state_in(c->state, STF(SYN_SENT) | STF(SYN_RCVD)))
		return 0;
	return c->write_seq + c->fin_queued - c->snd_una;
}

u32 conn_outq_unsent(const struct conn *c)
{
	if (state_in(c->state, STF(SYN_SENT) | STF(SYN_RCVD)))
		return 0;
	return c->write_seq + c->fin_queued - c->snd_nxt;
}

bool conn_at_eof(const struct conn *c)
{
	return !conn_readable(c) && (c->fin_rcvd || c->state == ST_CLOSED);
}

bool conn_can_write(const struct conn *c)
{
	return !c->fin_queued &&
	       state_in(c->state, STF(ESTABLISHED) | STF(CLOSE_WAIT));
}

/* --- beginning --- */

/*
 * RFC 6691: the MSS options speak of segments without options; what every
 * segment carries comes off.
 */
static void set_smss(struct conn *c, enum cause cause, u64 now)
{
	u16 mss = min_t(u16, c->mtu_mss, c->peer_mss);
	u16 old = c->smss;

	if (c->user_mss)
		mss = min_t(u16, mss, c->user_mss);
	mss = max_t(u16, mss, MSS_FLOOR);
	c->smss = mss - (c->ts_ok ? TS_OPTION_LEN : 0);
	if (old && c->smss != old)
		trace_change(c, EV_MSS, cause, old, c->smss, now);
}

static void init(struct conn *c, struct env *env, u32 iss, u64 now)
{
	c->env = env;
	c->iss = iss;
	c->snd_una = iss;
	c->snd_nxt = iss;
	c->write_seq = iss + 1;
	c->snd_sml = iss + 1;
	c->snd_up = iss;
	c->recover = iss;
	c->cc.round = iss;
	c->rmss = MSS_DEFAULT;
	c->quickacks = QUICKACKS;
	c->last_rcvd = now;
	c->cc.ops = conn_cc(c, &env->tun);
	stats_init(c, now);
	rtt_init(&c->rtt, env->tun.rto_init, env->tun.rto_min,
		 env->tun.rto_max);
	timer_stop_all(c);
}

void conn_open(struct conn *c, struct env *env, const struct conn_config *cfg,
	       u64 now)
{
	u32 most;

	init(c, env, cfg->iss, now);
	c->id = cfg->id;
	c->sport = cfg->sport;
	c->dport = cfg->dport;
	c->ts_off = cfg->ts_off;
	c->mtu_mss = cfg->mtu_mss;
	c->peer_mss = cfg->default_mss ?: MSS_DEFAULT;
	c->user_mss = cfg->user_mss;
	conn_set_route(c, &cfg->route);
	c->rcv_buf = cfg->rcv_buf;
	most = window_clamp(cfg->rcv_buf_max, c->opt.window_clamp);
	c->wscale_offered = env->tun.window_scaling;
	c->ts_offered = env->tun.timestamps;
	c->rcv_wscale = c->wscale_offered ? window_shift(most) : 0;
	/* RFC 7323 section 2.2: the window of a SYN is not scaled */
	most = window_clamp(cfg->rcv_buf, c->opt.window_clamp);
	c->rcv_wnd = min_t(u32, most, U16_MAX);
	set_smss(c, BY_USER_OPEN, now);
	c->syn_pending = true;
	c->state = ST_CLOSED;
	state_set(c, ST_SYN_SENT, BY_USER_OPEN, now);
}

void conn_set_route(struct conn *c, const struct conn_route *route)
{
	c->adv_mss = route->adv_mss;
	c->init_cwnd = route->init_cwnd;
	c->route_quickack = route->quickack;
	if (route->rto_min)
		c->rtt.floor = route->rto_min;
	if (!c->opt.window_clamp)
		c->opt.window_clamp = route->window;
}

void conn_take_syn(struct conn *c, const struct seg *s, u64 now)
{
	c->irs = s->seq;
	c->rcv_nxt = s->seq + 1;
	c->rcv_read = s->seq + 1;
	c->last_ack_sent = s->seq + 1;
	c->wscale_ok = c->wscale_offered && s->has_wscale;
	c->snd_wscale = c->wscale_ok ? s->wscale : 0;
	if (!c->wscale_ok)
		c->rcv_wscale = 0;
	c->ts_ok = c->ts_offered && s->has_ts;
	c->ts_recent = s->tsval;
	c->ts_recent_ok = c->ts_ok && is_time(s->tsval);
	c->ts_recent_at = now;
	if (s->mss)
		c->peer_mss = s->mss;
	set_smss(c, BY_SYN_OPTIONS, now);
	/* nothing larger is to be expected before it is seen */
	c->rmss = min_t(u16, MSS_DEFAULT, c->smss);
	c->snd_edge = c->snd_una;
	window_take(c, s, now);
}

void conn_establish(struct conn *c, enum cause cause, u64 now)
{
	u32 old = rtt_rto(&c->rtt);

	state_set(c, ST_ESTABLISHED, cause, now);
	timer_stop(c, TIMER_RTX);
	c->retries = 0;
	/*
	 * RFC 6298 (5.7). DEVIATES: only where the handshake gave no sample; an
	 * echoed timestamp knows better than a constant.
	 */
	if (c->syn_lost && !c->rtt.srtt)
		rtt_init(&c->rtt, RTO_AFTER_SYN_LOSS, c->rtt.floor,
			 c->rtt.ceiling);
	trace_rto(c, BY_SYN_LOST, old, now);
	c->cc.ops->on_init(c, c->syn_lost, now);
	autotune_begin(c, now);
	stats_established(c, now);
	if (c->opt.keepalive && !c->orphan)
		conn_set_keepalive(c, true, now);
	/* a close that had to wait for the handshake */
	if (c->fin_queued)
		state_set(c, state_after_close(c->state), BY_USER_CLOSE, now);
}

void conn_accept(struct conn *c, struct env *env, const struct req *req,
		 u64 now)
{
	const struct seg syn = {
		.seq = req->irs,
		.ack = 0,
		.wnd = req->snd_wnd,
		.flags = FLAG_SYN,
		.mss = req->peer_mss,
		.has_wscale = req->wscale_ok,
		.wscale = req->snd_wscale,
		.has_ts = req->ts_ok,
		.tsval = req->ts_recent,
	};

	init(c, env, req->iss, now);
	c->id = req->id;
	c->sport = req->sport;
	c->dport = req->dport;
	c->ts_off = req->ts_off;
	c->mtu_mss = req->mtu_mss;
	c->user_mss = req->user_mss;
	c->rcv_buf = req->rcv_buf;
	c->rcv_wnd = req->rcv_wnd;
	c->rcv_wscale = req->rcv_wscale;
	c->wscale_offered = req->wscale_ok;
	c->ts_offered = req->ts_ok;
	c->state = ST_SYN_RCVD;
	/* the record's events told of it */
	c->snd_wnd = req->snd_wnd;
	conn_take_syn(c, &syn, now);
	c->snd_nxt = req->iss + 1;
	sent_push(&c->sent, req->iss, req->iss + 1, req->sent_at);
	c->syn_lost = req->lost;
	/* RFC 6298 section 3: not of a SYN+ACK that was sent twice */
	c->rtt_timing = !req->lost;
	c->rtt_seq = req->iss + 1;
	/* its round trip ended with the first ACK, which may be long ago */
	c->rtt_from = req->acked ? now - req->rtt : req->sent_at;
	stats_passive(c, req->resent);
}

/* --- the user --- */

void conn_write(struct conn *c, u32 n, bool more)
{
	c->write_seq += n;
	c->more = more;
	c->push = false;
}

/*
 * Where memory is short a sender keeps little in store: one on this machine, too. It
 * goes on when an ACK comes, which does not wait for a second segment then.
 */
static bool is_ack_awaited(const struct conn *c)
{
	return c->memory && !c->opt.pingpong && timer_is_set(c, TIMER_DELACK);
}

void conn_read(struct conn *c, u32 n, u64 now)
{
	if (CORE_WARN_ON(n > conn_readable(c)))
		return;
	c->rcv_read += n;
	urgent_passed(c);
	autotune_read(c, now);
	if (!state_in(c->state, STATES_CAN_RECEIVE) || c->ack_now)
		return;
	if (window_update_due(c))
		c->ack_now = BY_WINDOW_UPDATE;
	else if (is_ack_awaited(c))
		c->ack_now = BY_ACK_QUICK;
}

void conn_set_rcv_buf(struct conn *c, u32 len, u64 now)
{
	c->rcv_buf = len;
	/* an open window grows with the next ACK */
	if (window_left(c) < c->rmss)
		conn_read(c, 0, now);
}

bool conn_is_due(const struct conn *c, const struct seg *s)
{
	return seq_le(s->seq, c->rcv_nxt) &&
	       seq_gt(s->seq + s->len, c->rcv_nxt) && window_left(c);
}

void conn_drop_early(struct conn *c, u32 seq)
{
	reasm_cut(&c->reasm, seq);
}

u32 conn_orphan_weight(const struct conn *c, u64 now)
{
	return c->retries && now - c->stuck_since > 2 * c->env->tun.rto_max;
}

void conn_set_mss(struct conn *c, u16 mtu_mss, u64 now)
{
	u16 old = c->smss;

	c->mtu_mss = mtu_mss;
	set_smss(c, BY_MSS_CHANGE, now);
	/* RFC 1191 section 6.5: the lost packets were too large, not too many */
	if (c->smss < old && state_in(c->state, STATES_CAN_SEND) &&
	    conn_flight(c))
		recover_go_back(c, BY_MSS_CHANGE, now);
	if (c->cc.cwnd)
		cc_set(c, c->cc.cwnd, BY_MSS_CHANGE, now);
}

void conn_close(struct conn *c, u64 now)
{
	if (c->state == ST_SYN_SENT) {
		conn_end(c, BY_USER_CLOSE, now);
		return;
	}
	if (!state_in(c->state,
		      STF(SYN_RCVD) | STF(ESTABLISHED) | STF(CLOSE_WAIT)))
		return;
	c->fin_queued = true;
	c->more = false;
	state_set(c, state_after_close(c->state), BY_USER_CLOSE, now);
}

void conn_close_read(struct conn *c)
{
	c->no_reader = true;
}

void conn_release(struct conn *c, u64 now)
{
	c->orphan = true;
	c->no_reader = true;
	if (c->state != ST_CLOSED && conn_readable(c)) {
		mib_count(c->env, MIB_ABORT_ON_CLOSE);
		conn_reset(c, BY_CLOSED_UNREAD, now);
		return;
	}
	conn_close(c, now);
	timer_stop(c, TIMER_KEEP);
	if (c->state == ST_FIN_WAIT_2)
		conn_await_fin(c, now);
}

/*
 * DEVIATES: RFC 9293 section 3.6 lets FIN_WAIT_2 wait for ever; see FIN_TIMEOUT.
 * As in the kernel's TCP the user may choose not to wait at all (TCP_LINGER2).
 */
void conn_await_fin(struct conn *c, u64 now)
{
	s64 wait = c->opt.fin_timeout;

	if (wait < 0) {
		mib_count(c->env, MIB_ABORT_ON_LINGER);
		conn_reset(c, BY_T_FIN, now);
	} else {
		timer_set(c, TIMER_FIN,
			  wait ? (u64)wait : c->env->tun.fin_timeout, now);
		/* a record takes over, which delays no ACK */
		if (c->rcv_nxt != c->last_ack_sent && !c->ack_now)
			c->ack_now = BY_ACK_DELAYED;
	}
}

/* --- ending --- */

void conn_end(struct conn *c, enum cause cause, u64 now)
{
	state_set(c, ST_CLOSED, cause, now);
	timer_stop_all(c);
	c->syn_pending = false;
	c->rtx_one = false;
	c->ack_now = 0;
}

void conn_reset(struct conn *c, enum cause cause, u64 now)
{
	c->rst_pending = true;
	conn_end(c, cause, now);
}

/*
 * RFC 9293 section 3.10.5: which states owe the peer a RST. The RFC enters CLOSING
 * and LAST_ACK once all is sent; here something may be left that now never will.
 */
static bool owes_reset(const struct conn *c)
{
	if (state_in(c->state, STF(CLOSING) | STF(LAST_ACK)))
		return conn_outq_unsent(c);
	return state_in(c->state, STF(SYN_RCVD) | STF(ESTABLISHED) |
					  STF(FIN_WAIT_1) | STF(FIN_WAIT_2) |
					  STF(CLOSE_WAIT));
}

void conn_abort(struct conn *c, u64 now)
{
	if (owes_reset(c))
		conn_reset(c, BY_USER_ABORT, now);
	else
		conn_end(c, BY_USER_ABORT, now);
}

static bool is_in_flight(const struct conn *c, u32 seq)
{
	return seq_in(c->snd_una, seq, c->snd_nxt);
}

/*
 * DEVIATES: RFC 9293 section 3.9.2.2 forbids to abort for a soft error (MUST-56)
 * and wants it for a hard one (SHLD-26). While connecting, any error ends the
 * attempt, so that the user hears at once (RFC 5461 section 4); afterwards none
 * does, since a forged message would suffice (RFC 5927 section 4).
 */
bool conn_error(struct conn *c, u32 seq, int err, u64 now)
{
	if (!is_in_flight(c, seq) ||
	    !state_in(c->state, STF(SYN_SENT) | STF(SYN_RCVD)))
		return false;
	c->err = err;
	conn_end(c, BY_RCVD_ICMP, now);
	return true;
}

bool conn_believes_icmp(const struct conn *c, u32 seq)
{
	return is_in_flight(c, seq);
}
