// SPDX-License-Identifier: GPL-2.0
/*
 * timer.c - what falls due, and what then happens
 */
#include "emit.h"
#include "params.h"
#include "recover.h"
#include "timer.h"

static enum cause timer_cause(const struct conn *c, enum conn_timer t)
{
	static const u8 causes[NR_TIMERS] = {
		[TIMER_RTX] = BY_T_RTX,
		[TIMER_DELACK] = BY_T_DELACK,
		[TIMER_KEEP] = BY_T_KEEP,
		[TIMER_FIN] = BY_T_FIN,
	};

	if (t == TIMER_RTX && c->persisting)
		return c->snd_wnd ? BY_T_OVERRIDE : BY_T_PERSIST;
	return causes[t];
}

void timer_set(struct conn *c, enum conn_timer t, u64 after, u64 now)
{
	c->timer[t] = now + after;
	trace_change(c, EV_TIMER_SET, timer_cause(c, t), 0,
		     min_t(u64, after, U32_MAX), now);
}

void timer_stop(struct conn *c, enum conn_timer t)
{
	c->timer[t] = NEVER;
}

void timer_stop_all(struct conn *c)
{
	for (int t = 0; t < NR_TIMERS; t++)
		timer_stop(c, t);
}

/* The user timeout has passed (RFC 9293 section 3.9.1). */
static bool user_timed_out(const struct conn *c, u64 now)
{
	return c->opt.user_timeout &&
	       now - c->stuck_since >= c->opt.user_timeout;
}

/* So long, or less where the user timeout ends before (RFC 5482 section 3). */
static u64 until_timeout(const struct conn *c, u64 wait, u64 now)
{
	if (!c->opt.user_timeout)
		return wait;
	if (user_timed_out(c, now))
		return 1;
	return min_t(u64, wait, c->stuck_since + c->opt.user_timeout - now);
}

/*
 * RFC 9293 section 3.8.6.1: the first probe after an RTO, the next ones in intervals
 * that double. These doublings say nothing of the path: they end with the window that
 * shut, those of the path with a sample (Karn).
 */
static u64 persist_interval(const struct conn *c)
{
	u64 rto = rtt_rto(&c->rtt);

	return min_t(u64, rto << c->probe_backoffs, c->rtt.ceiling);
}

/* The first transmission always gets its whole RTO, as in the kernel's TCP. */
void timer_set_rtx(struct conn *c, u64 now)
{
	u64 after = rtt_rto(&c->rtt);

	c->persisting = false;
	c->probes = 0;
	c->probe_backoffs = 0;
	if (c->retries)
		after = until_timeout(c, after, now);
	else
		c->stuck_since = now;
	timer_set(c, TIMER_RTX, after, now);
}

void timer_set_persist(struct conn *c, u64 now)
{
	u64 wait = persist_interval(c);

	c->persisting = true;
	timer_set(c, TIMER_RTX, until_timeout(c, wait, now), now);
}

u64 conn_deadline(const struct conn *c)
{
	u64 least = NEVER;

	for (int t = 0; t < NR_TIMERS; t++)
		least = min_t(u64, least, c->timer[t]);
	return least;
}

/* The connection ends because the peer does not answer, or not as it should. */
static unsigned int give_up(struct conn *c, enum cause cause, u64 now)
{
	c->err = ETIMEDOUT;
	mib_count(c->env, MIB_ABORT_ON_TIMEOUT);
	conn_end(c, cause, now);
	return WAKE_STATE;
}

/* Which of the two bounds was reached. */
static enum cause why_hopeless(const struct conn *c, u64 now)
{
	return user_timed_out(c, now) ? BY_USER_TIMEOUT : BY_GIVE_UP;
}

/* RFC 9293 section 3.8.3: R2 */
static u32 most_retries(const struct conn *c)
{
	const struct tunables *tun = &c->env->tun;

	if (c->state == ST_SYN_SENT)
		return c->opt.syn_retries ?: tun->syn_retries;
	if (c->state == ST_SYN_RCVD)
		return c->opt.syn_retries ?: tun->synack_retries;
	return c->orphan ? tun->orphan_retries : tun->retries;
}

/*
 * Another timeout: was it the last? The user timeout ends a connection before
 * R2, or long after; a handshake only before (RFC 9293 section 3.9.1).
 */
static bool is_hopeless(struct conn *c, u64 now)
{
	bool again = c->retries;

	if (again && user_timed_out(c, now))
		return true;
	if (c->retries < MOST_RETRIES)
		c->retries++;
	if (c->opt.user_timeout && state_in(c->state, STATES_SYNCHRONIZED))
		return false;
	return c->retries > most_retries(c);
}

/* RFC 6298 (5.4) to (5.6), for the SYN */
static void resend_syn(struct conn *c, u64 now)
{
	u32 old = rtt_rto(&c->rtt);

	c->syn_pending = true;
	c->syn_lost = true;
	c->back_at = now;
	recover_forget_timing(c, now);
	rtt_backoff(&c->rtt);
	trace_rto(c, BY_BACKOFF, old, now);
}

/*
 * No user waits for an orphan: a peer that keeps its window shut may not hold it
 * for ever, though it answers each probe. RFC 9293 section 3.8.6.1 keeps a
 * connection open for its user; an operating system may end it for want of
 * resources (RFC 6429 section 4).
 */
static bool has_probed_enough(const struct conn *c)
{
	return c->orphan && c->probes > c->env->tun.orphan_retries;
}

/*
 * RFC 9293 section 3.8.6.1: a shut window is probed for as long as the peer
 * answers; only silence counts as a retry.
 * DEVIATES: not where the user has set a timeout: it ends the wait even if the
 * peer answers (MUST-37), as in the kernel's TCP; who sets one asks for that.
 */
static unsigned int probe(struct conn *c, u64 now)
{
	recover_go_back(c, BY_ZERO_WINDOW, now);
	c->probe_due = true;
	if (c->snd_wnd)
		return 0;
	if (c->probes < MOST_RETRIES)
		c->probes++;
	if (user_timed_out(c, now) || is_hopeless(c, now))
		return give_up(c, why_hopeless(c, now), now);
	if (has_probed_enough(c))
		return give_up(c, BY_ORPHAN_PROBED, now);
	if (persist_interval(c) < c->rtt.ceiling)
		c->probe_backoffs++;
	return 0;
}

/*
 * Is it the window that holds things up? A FIN alone needs none (fin_may_go() in poll.c):
 * what is sent again then is the FIN, as RFC 6298 (5.4) to (5.6) has it.
 */
static bool is_to_probe(const struct conn *c)
{
	return c->persisting || (!c->snd_wnd && conn_unacked(c));
}

static unsigned int rtx_fired(struct conn *c, u64 now)
{
	bool made = state_in(c->state, STATES_SYNCHRONIZED);

	if (made && is_to_probe(c))
		return probe(c, now);
	mib_count(c->env, MIB_TIMEOUTS);
	if (is_hopeless(c, now))
		return give_up(c, why_hopeless(c, now), now);
	if (made)
		recover_on_rto(c, now);
	else
		resend_syn(c, now);
	return 0;
}

/* No data came to ride on: the next ACKs need not wait for any. */
static unsigned int delack_fired(struct conn *c, u64 now)
{
	mib_count(c->env, MIB_DELAYED_ACKS);
	c->ack_now = BY_ACK_DELAYED;
	c->opt.pingpong = false;
	return 0;
}

/* The user timeout, where there is one, takes the place of the number. */
static bool keepalive_failed(const struct conn *c, u64 idle)
{
	if (c->opt.user_timeout)
		return c->keep_sent && idle >= c->opt.user_timeout;
	return c->keep_sent >= c->opt.keep_probes;
}

/* RFC 9293 section 3.8.4 */
static unsigned int keep_fired(struct conn *c, u64 now)
{
	u64 idle = now - c->last_rcvd;

	if (idle < c->opt.keep_idle) {
		timer_set(c, TIMER_KEEP, c->opt.keep_idle - idle, now);
		return 0;
	}
	/* the retransmission timer watches the peer */
	if (timer_is_set(c, TIMER_RTX)) {
		timer_set(c, TIMER_KEEP, c->opt.keep_interval, now);
		return 0;
	}
	if (keepalive_failed(c, idle)) {
		c->err = ETIMEDOUT;
		mib_count(c->env, MIB_ABORT_ON_TIMEOUT);
		conn_reset(c,
			   c->opt.user_timeout ? BY_USER_TIMEOUT :
						 BY_KEEP_FAILED,
			   now);
		return WAKE_STATE;
	}
	c->keep_sent++;
	c->keep_due = true;
	timer_set(c, TIMER_KEEP, c->opt.keep_interval, now);
	return 0;
}

/* An orphan has waited for the peer's FIN long enough. */
static unsigned int fin_fired(struct conn *c, u64 now)
{
	conn_end(c, BY_T_FIN, now);
	return WAKE_STATE;
}

unsigned int conn_tick(struct conn *c, u64 now)
{
	static unsigned int (*const fired[NR_TIMERS])(struct conn *, u64) = {
		[TIMER_RTX] = rtx_fired,
		[TIMER_DELACK] = delack_fired,
		[TIMER_KEEP] = keep_fired,
		[TIMER_FIN] = fin_fired,
	};
	unsigned int wake = 0;

	for (int t = 0; t < NR_TIMERS; t++) {
		if (c->timer[t] > now)
			continue;
		timer_stop(c, t);
		trace_change(c, EV_TIMER_FIRED, timer_cause(c, t), 0, 0, now);
		wake |= fired[t](c, now);
	}
	return wake;
}
