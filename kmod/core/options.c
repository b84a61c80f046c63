// SPDX-License-Identifier: GPL-2.0
/*
 * options.c - what the user may choose (RFC 9293 section 3.9.1)
 *
 * Owns the defaults of struct conn_options, and those options whose change does
 * something at once. Most are just read where they matter.
 */
#include "conn.h"
#include "params.h"
#include "recover.h"
#include "timer.h"
#include "window.h"

void conn_options_init(struct conn_options *opt, const struct tunables *tun)
{
	*opt = (struct conn_options){
		.keep_idle = tun->keep_idle,
		.keep_interval = tun->keep_interval,
		.keep_probes = tun->keep_probes,
	};
}

void conn_options_disconnect(struct conn_options *opt)
{
	opt->window_clamp = 0;
	opt->pingpong = false;
}

/* --- keep-alive: section 3.8.4 --- */

/*
 * Where the user may still speak, or the peer. Elsewhere our FIN is in flight, and the
 * retransmission timer watches the peer; an orphan has a timer of its own.
 */
static bool is_kept_alive(const struct conn *c)
{
	return c->opt.keepalive && !c->orphan &&
	       state_in(c->state, STATES_CAN_RECEIVE | STF(CLOSE_WAIT));
}

void conn_set_keepalive(struct conn *c, bool on, u64 now)
{
	c->opt.keepalive = on;
	c->keep_sent = 0;
	if (is_kept_alive(c))
		timer_set(c, TIMER_KEEP, c->opt.keep_idle, now);
	else
		timer_stop(c, TIMER_KEEP);
}

void conn_set_keep_idle(struct conn *c, u64 idle, u64 now)
{
	u64 silent = now - c->last_rcvd;

	c->opt.keep_idle = idle;
	if (is_kept_alive(c))
		timer_set(c, TIMER_KEEP, idle > silent ? idle - silent : 0,
			  now);
}

/* --- when to send --- */

void conn_set_nodelay(struct conn *c, bool on)
{
	c->opt.nodelay = on;
	c->push |= on;
}

void conn_set_cork(struct conn *c, bool on)
{
	c->opt.cork = on;
}

void conn_set_quickack(struct conn *c, bool on, bool stay)
{
	c->opt.pingpong = !on;
	if (!on || !timer_is_set(c, TIMER_DELACK) ||
	    !state_in(c->state, STF(ESTABLISHED) | STF(CLOSE_WAIT)))
		return;
	c->ack_now = BY_ACK_QUICK;
	c->opt.pingpong = !stay;
}

/* --- the receive window --- */

void conn_set_window_clamp(struct conn *c, u32 bytes, u64 now)
{
	c->opt.window_clamp = bytes;
	conn_set_rcv_buf(c, c->rcv_buf, now);
}

u32 conn_window_clamp(const struct conn *c)
{
	u32 most = min_t(u32, c->rcv_buf, (u32)U16_MAX << c->rcv_wscale);

	return most ? window_clamp(most, c->opt.window_clamp) :
		      c->opt.window_clamp;
}

bool conn_can_read(const struct conn *c, u32 want)
{
	u32 have = conn_readable(c);

	return have >= want ||
	       (have && (c->memory || window_left(c) < c->rmss));
}

/* --- congestion control --- */

const struct cc_ops *conn_cc(const struct conn *c, const struct tunables *tun)
{
	return c->opt.cc ?: tun->cc;
}

void conn_set_cc(struct conn *c, const struct cc_ops *ops, u64 now)
{
	/* an algorithm without recovery could not end this one */
	if (ops->goes_back)
		recover_end(c, now);
	/* nor does another one go on with what this has seen of round trips */
	if (ops != c->cc.ops)
		hystart_begin(c, false);
	c->opt.cc = ops;
	c->cc.ops = ops;
	c->cc.acked = 0;
}
