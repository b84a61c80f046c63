// SPDX-License-Identifier: GPL-2.0
/*
 * timewait.c - an orphan's wait for the FIN, and the last two MSL
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
		.state = c->state,
		.id = c->id,
		.sport = c->sport,
		.dport = c->dport,
		.snd_nxt = c->snd_nxt,
		.rcv_nxt = c->rcv_nxt,
		.rcv_wnd = window_left(c),
		.max_wnd = c->max_wnd,
		.rcv_wscale = c->rcv_wscale,
		.ts_ok = c->ts_ok,
		.ts_off = c->ts_off,
		.ts_recent = c->ts_recent,
		.ts_recent_at = c->ts_recent_at,
	};
	if (c->state == ST_FIN_WAIT_2)
		t->deadline = c->timer[TIMER_FIN];
	else
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

static enum timewait_result timewait_gone(struct timewait *t, enum cause cause)
{
	timewait_stop(t, cause);
	return TIMEWAIT_GONE;
}

/* Answer as often as RFC 5961 section 7 allows. */
static void timewait_ack_some(struct timewait *t, struct env *env,
			      enum cause cause, u64 now)
{
	if (challenge_allowed(&t->challenge, env, now))
		t->ack_cause = cause;
}

/* The first step of section 3.10.7.4, with what is_acceptable() in arrive.c adds. */
static bool timewait_is_acceptable(const struct timewait *t,
				   const struct seg *s)
{
	u32 space = seg_space(s);
	u32 first = s->seq - t->rcv_nxt;

	if (!first)
		return true;
	if (!space)
		return t->rcv_wnd && first <= t->rcv_wnd;
	return first < t->rcv_wnd || first + space - 1 < t->rcv_wnd;
}

/* --- FIN_WAIT_2 --- */

/* RFC 7323 section 5.3, R1 */
static bool fin_wait_is_paws_old(const struct timewait *t, const struct seg *s,
				 u64 now)
{
	return seq_lt(s->tsval, t->ts_recent) &&
	       now - t->ts_recent_at < PAWS_IDLE;
}

/* The steps up to the fifth, as arrive.c takes them: why it is not used. */
static enum cause fin_wait_fault(const struct timewait *t, const struct seg *s,
				 u64 now)
{
	bool is_rst = s->flags & FLAG_RST;

	if (t->ts_ok && !is_rst && !s->has_ts)
		return DROP_NO_TIMESTAMP;
	if (t->ts_ok && !is_rst && fin_wait_is_paws_old(t, s, now))
		return DROP_PAWS;
	if (!timewait_is_acceptable(t, s))
		return seq_lt(s->seq, t->rcv_nxt) ? DROP_OLD_DUPLICATE :
						    DROP_OUT_OF_WINDOW;
	if (is_rst)
		return s->seq == t->rcv_nxt ? DROP_NONE : DROP_RST_CHALLENGED;
	if (s->flags & FLAG_SYN)
		return DROP_SYN_CHALLENGED;
	if (!(s->flags & FLAG_ACK))
		return DROP_NO_ACK;
	if (seq_gt(s->ack, t->snd_nxt))
		return DROP_ACK_UNSENT;
	if (seq_lt(s->ack, t->snd_nxt - t->max_wnd))
		return DROP_ACK_TOO_OLD;
	return DROP_NONE;
}

/* The peer is told where we stand; no two ends talk about it for ever. */
static void fin_wait_tell(struct timewait *t, struct env *env,
			  const struct seg *s, u64 now, enum cause why)
{
	switch (why) {
	case DROP_NO_TIMESTAMP:
	case DROP_NO_ACK:
		break;
	case DROP_PAWS:
	case DROP_OLD_DUPLICATE:
	case DROP_OUT_OF_WINDOW:
		if (s->flags & FLAG_RST)
			break;
		if (why == DROP_OLD_DUPLICATE && seg_space(s))
			mib_count(env, MIB_DELAYED_ACK_LOST);
		if (seg_space(s))
			t->ack_cause = BY_ACK_UNACCEPTABLE;
		else
			timewait_ack_some(t, env, BY_ACK_UNACCEPTABLE, now);
		break;
	default:
		timewait_ack_some(t, env, BY_ACK_CHALLENGE, now);
	}
}

/* Eighth: the FIN in its place begins TIME_WAIT. */
static enum timewait_result fin_wait_end(struct timewait *t, struct env *env,
					 u64 now)
{
	t->rcv_nxt++;
	t->rcv_wnd -= !!t->rcv_wnd;
	t->state = ST_TIME_WAIT;
	t->ack_cause = BY_ACK_FIN;
	restart(t, env, now);
	if (unlikely(env->tracing))
		emit_timewait_state(env, t, ST_FIN_WAIT_2, t->state,
				    BY_RCVD_FIN, now);
	return TIMEWAIT_DROP;
}

/*
 * Text is for nobody: reset (RFC 9293 section 3.6.1). Where it is missing in front
 * of a FIN it will come, and then meet the same.
 */
static enum timewait_result fin_wait_rx_text(struct timewait *t,
					     struct env *env,
					     const struct seg *s, u64 now,
					     enum cause *drop)
{
	u32 end = s->seq + s->len;

	if (s->len && seq_gt(end, t->rcv_nxt)) {
		mib_count(env, MIB_ABORT_ON_DATA);
		timewait_refuse(t, env, s, now, DROP_AFTER_CLOSE, drop);
		t->rst_pending = true;
		return timewait_gone(t, BY_CLOSED_UNREAD);
	}
	if (!(s->flags & FLAG_FIN))
		return TIMEWAIT_DROP;
	if (end == t->rcv_nxt)
		return fin_wait_end(t, env, now);
	t->ack_cause = BY_ACK_DUP;
	return TIMEWAIT_DROP;
}

static enum timewait_result fin_wait_rx(struct timewait *t, struct env *env,
					const struct seg *s, u64 now,
					enum cause *drop)
{
	enum cause why = fin_wait_fault(t, s, now);

	if (why) {
		fin_wait_tell(t, env, s, now, why);
		return timewait_refuse(t, env, s, now, why, drop);
	}
	if (s->flags & FLAG_RST)
		return timewait_gone(t, BY_RCVD_RST);
	/* RFC 7323 section 4.3, (2) */
	if (s->has_ts && seq_le(s->seq, t->rcv_nxt)) {
		t->ts_recent = s->tsval;
		t->ts_recent_at = now;
	}
	return fin_wait_rx_text(t, env, s, now, drop);
}

/* --- TIME_WAIT --- */

/*
 * RFC 9293 section 3.10.7.4 and RFC 6191 section 2: a SYN that cannot be an old
 * one may open a new connection of the same name.
 */
static bool may_reopen(const struct timewait *t, const struct env *env,
		       const struct seg *s)
{
	bool would_have_ts = s->has_ts && env->tun.timestamps;

	if ((s->flags & (FLAG_SYN | FLAG_RST | FLAG_ACK)) != FLAG_SYN)
		return false;
	if (!t->ts_ok && would_have_ts)
		return true;
	if (t->ts_ok && would_have_ts && s->tsval != t->ts_recent)
		return seq_gt(s->tsval, t->ts_recent);
	return seq_gt(s->seq, t->rcv_nxt);
}

/* A RST at the exact place ends it early (section 3.10.7.4, RFC 5961 3.2). */
static enum timewait_result timewait_rx_rst(struct timewait *t, struct env *env,
					    const struct seg *s, u64 now,
					    enum cause *drop)
{
	if (s->seq == t->rcv_nxt)
		return timewait_gone(t, BY_RCVD_RST);
	if (timewait_is_acceptable(t, s))
		timewait_ack_some(t, env, BY_ACK_CHALLENGE, now);
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
	if (t->state == ST_FIN_WAIT_2)
		return fin_wait_rx(t, env, s, now, drop);
	if (s->flags & FLAG_RST)
		return timewait_rx_rst(t, env, s, now, drop);
	if (may_reopen(t, env, s))
		return TIMEWAIT_OPEN;
	if (is_fin_again(t, s)) {
		restart(t, env, now);
		t->ack_cause = BY_ACK_FIN;
		return TIMEWAIT_DROP;
	}
	/* all else is old: say so, but never to a bare ACK that agrees */
	if (seg_space(s) || s->seq != t->rcv_nxt)
		timewait_ack_some(t, env, BY_ACK_UNACCEPTABLE, now);
	return timewait_refuse(t, env, s, now, DROP_TIME_WAIT, drop);
}

/* The peer learns that the old connection is still here (RFC 5961 section 4.2). */
enum cause timewait_stay(struct timewait *t, struct env *env,
			 const struct seg *s, u64 now)
{
	enum cause why;

	timewait_ack_some(t, env, BY_ACK_CHALLENGE, now);
	timewait_refuse(t, env, s, now, DROP_TIME_WAIT, &why);
	return why;
}

/* What the peer is to be told; CLOSED after a RST. */
static enum cause timewait_next_cause(struct timewait *t)
{
	enum cause cause = t->rst_pending ? BY_RESET : t->ack_cause;

	t->rst_pending = false;
	t->ack_cause = 0;
	return cause;
}

bool timewait_poll(struct timewait *t, struct env *env, u64 now, struct seg *s)
{
	enum cause cause = timewait_next_cause(t);

	if (!cause)
		return false;
	*s = (struct seg){
		.sport = t->sport,
		.dport = t->dport,
		.seq = t->snd_nxt,
		.ack = t->rcv_nxt,
		.flags = FLAG_ACK | (cause == BY_RESET ? FLAG_RST : 0),
		.wnd = min_t(u32, t->rcv_wnd >> t->rcv_wscale, U16_MAX),
		.has_ts = t->ts_ok,
		.tsval = timestamp(t->ts_off, now),
		.tsecr = t->ts_recent,
		.cause = cause,
	};
	mib_count(env, MIB_OUT_SEGS);
	if (cause == BY_RESET)
		mib_count(env, MIB_OUT_RSTS);
	if (cause == BY_ACK_CHALLENGE)
		mib_count(env, MIB_CHALLENGE_ACK);
	trace_timewait(env, t, EV_SEND, cause, s, now);
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

	/* in FIN_WAIT_2 the peer may still speak */
	if (t->state != ST_TIME_WAIT || !t->ts_ok || !env->tun.timestamps)
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

void timewait_abort(struct timewait *t)
{
	t->rst_pending = t->state == ST_FIN_WAIT_2;
	timewait_stop(t, BY_USER_ABORT);
}

void timewait_end(const struct timewait *t, struct env *env, u64 now)
{
	enum cause cause = t->state == ST_TIME_WAIT ? BY_T_TIME_WAIT : BY_T_FIN;

	if (!t->gone_by && cause == BY_T_TIME_WAIT && now >= t->deadline)
		mib_count(env, MIB_TIME_WAIT);
	if (unlikely(env->tracing))
		emit_timewait_state(env, t, t->state, ST_CLOSED,
				    t->gone_by ?: cause, now);
}
