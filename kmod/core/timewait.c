// SPDX-License-Identifier: GPL-2.0
/*
 * timewait.c - the last two MSL
 */
#include "emit.h"
#include "params.h"
#include "timewait.h"
#include "window.h"

static void restart(struct timewait *t, const struct env *env, u64 now)
{
	t->deadline = now + 2 * env->tun.msl;
}

void timewait_init(struct timewait *t, const struct conn *c, u64 now)
{
	*t = (struct timewait){
		.id = c->id,
		.sport = c->sport,
		.dport = c->dport,
		.snd_nxt = c->snd_nxt,
		.rcv_nxt = c->rcv_nxt,
		.rcv_wnd = window_left(c),
		.rcv_wscale = c->rcv_wscale,
		.ts_ok = c->ts_ok,
		.ts_off = c->ts_off,
		.ts_recent = c->ts_recent,
		.ts_recent_at = c->ts_recent_at,
	};
	restart(t, c->env, now);
}

static enum timewait_result timewait_refuse(struct timewait *t, struct env *env,
					    const struct seg *s, u64 now,
					    enum cause why, enum cause *drop)
{
	*drop = why;
	trace_timewait(env, t, EV_DROP, why, s, now);
	return TIMEWAIT_DROP;
}

/*
 * RFC 9293 section 3.10.7.4 and RFC 6191 section 2: a SYN that cannot be an old
 * one may open a new connection of the same name.
 */
static bool may_reopen(const struct timewait *t, const struct env *env,
		       const struct seg *s)
{
	if ((s->flags & (FLAG_SYN | FLAG_RST | FLAG_ACK)) != FLAG_SYN)
		return false;
	if (!t->ts_ok && s->has_ts && env->tun.timestamps)
		return true;
	if (t->ts_ok && s->has_ts && s->tsval != t->ts_recent)
		return seq_gt(s->tsval, t->ts_recent);
	return seq_gt(s->seq, t->rcv_nxt);
}

static bool timewait_is_acceptable(const struct timewait *t,
				   const struct seg *s)
{
	return s->seq == t->rcv_nxt || s->seq - t->rcv_nxt < t->rcv_wnd;
}

/* A RST at the exact place ends it early (section 3.10.7.4, RFC 5961 3.2). */
static enum timewait_result timewait_rx_rst(struct timewait *t, struct env *env,
					    const struct seg *s, u64 now,
					    enum cause *drop)
{
	if (s->seq == t->rcv_nxt) {
		timewait_stop(t, BY_RCVD_RST);
		return TIMEWAIT_GONE;
	}
	t->ack_pending = timewait_is_acceptable(t, s) &&
			 challenge_allowed(&t->challenge, env, now);
	return timewait_refuse(t, env, s, now, DROP_RST_CHALLENGED, drop);
}

/* The peer's FIN again: our last ACK was lost. 2 MSL begin anew. */
static bool is_fin_again(const struct timewait *t, const struct seg *s)
{
	return s->flags & FLAG_FIN && seg_end(s) == t->rcv_nxt;
}

enum timewait_result timewait_rx(struct timewait *t, struct env *env,
				 const struct seg *s, u64 now, enum cause *drop)
{
	*drop = DROP_NONE;
	trace_timewait(env, t, EV_RECV, BY_ARRIVAL, s, now);
	if (s->flags & FLAG_RST)
		return timewait_rx_rst(t, env, s, now, drop);
	if (may_reopen(t, env, s))
		return TIMEWAIT_OPEN;
	if (is_fin_again(t, s)) {
		restart(t, env, now);
		t->ack_pending = true;
		return TIMEWAIT_DROP;
	}
	/* all else is old: say so, but never to a bare ACK that agrees */
	if (seg_space(s) || s->seq != t->rcv_nxt)
		t->ack_pending = challenge_allowed(&t->challenge, env, now);
	return timewait_refuse(t, env, s, now, DROP_TIME_WAIT, drop);
}

/* The peer learns that the old connection is still here (RFC 5961 section 4.2). */
enum cause timewait_stay(struct timewait *t, struct env *env,
			 const struct seg *s, u64 now)
{
	enum cause why;

	t->ack_pending = challenge_allowed(&t->challenge, env, now);
	timewait_refuse(t, env, s, now, DROP_TIME_WAIT, &why);
	return why;
}

bool timewait_poll(struct timewait *t, struct env *env, u64 now, struct seg *s)
{
	if (!t->ack_pending)
		return false;
	t->ack_pending = false;
	*s = (struct seg){
		.sport = t->sport,
		.dport = t->dport,
		.seq = t->snd_nxt,
		.ack = t->rcv_nxt,
		.flags = FLAG_ACK,
		.wnd = min_t(u32, t->rcv_wnd >> t->rcv_wscale, U16_MAX),
		.has_ts = t->ts_ok,
		.tsval = timestamp(t->ts_off, now),
		.tsecr = t->ts_recent,
		.cause = BY_ACK_FIN,
	};
	mib_count(env, MIB_OUT_SEGS);
	trace_timewait(env, t, EV_SEND, BY_ACK_FIN, s, now);
	return true;
}

u32 timewait_next_iss(const struct timewait *t, u32 iss)
{
	return seq_max(iss, t->snd_nxt + REOPEN_DISTANCE);
}

/*
 * DEVIATES: RFC 9293 section 3.10.1 refuses an active open while TIME_WAIT lasts.
 * With timestamps it may begin: old segments have older ones, and PAWS drops them
 * (RFC 7323 appendix B.2, (b)), if the peer's clock has ticked since its last
 * segment. It also has to begin beyond all old sequence numbers, as an open from
 * the other side does (RFC 9293 section 3.6.1).
 */
bool timewait_yields(const struct timewait *t, const struct env *env,
		     const struct timewait_claim *cl, u64 now)
{
	u32 reuse = env->tun.timewait_reuse;

	if (!t->ts_ok || !env->tun.timestamps)
		return false;
	/* who names a port wants this one; as for the kernel's TCP */
	if (cl->named)
		return true;
	if (!reuse || (reuse == TW_REUSE_LOOPBACK && !cl->loopback))
		return false;
	return now - t->ts_recent_at >= TW_REUSE_AFTER &&
	       seq_ge(cl->iss, t->snd_nxt);
}

void timewait_stop(struct timewait *t, enum cause cause)
{
	t->gone_by = cause;
}

void timewait_end(const struct timewait *t, struct env *env, u64 now)
{
	if (!t->gone_by && now >= t->deadline)
		mib_count(env, MIB_TIME_WAIT);
	if (unlikely(env->tracing))
		emit_timewait_state(env, t, ST_CLOSED,
				    t->gone_by ?: BY_T_TIME_WAIT, now);
}
