// SPDX-License-Identifier: GPL-2.0
/*
 * check_timer.c - round trips, the RTO and the timer of the second sender
 */
#include "check_model.h"

static const struct tunables *tunables(const struct sock *sk)
{
	return &sk->host->env.tun;
}

u64 sender_rto(const struct sock *sk)
{
	const struct sender *m = &sk->check.snd;
	const struct tunables *tun = tunables(sk);
	u64 rto = (u64)m->rto << m->backoffs;

	return clamp_t(u64, rto, tun->rto_min, tun->rto_max);
}

/* RFC 6298 (5.5) and (2.5) */
static void back_off(struct sock *sk)
{
	if (sender_rto(sk) < tunables(sk)->rto_max)
		sk->check.snd.backoffs++;
}

/* --- measuring --- */

/*
 * RFC 6298 section 3: one segment at a time, the first packet of a range; none that
 * is sent again (Karn).
 */
void rtt_sent(struct sock *sk, u32 seq, u32 end)
{
	struct sender *m = &sk->check.snd;

	if (seq_lt(seq, m->nxt))
		m->timing = false;
	if (m->timing || seq_le(end, m->nxt))
		return;
	count_timing(sk, seq);
	m->timing = m->refusable = true;
	m->timed_end = seq_min(end,
			       seq + ((m->nxt - seq) / m->smss + 1) * m->smss);
	m->timed_at = sk->host->w->now;
}

/* RFC 6298 (2.2) to (2.5), with integers; the least variance as in Linux */
static void sample(struct sock *sk, u64 rtt)
{
	const struct tunables *tun = tunables(sk);
	struct sender *m = &sk->check.snd;
	u32 r = clamp_t(u64, rtt, 1, tun->rto_max);
	u32 away = r > m->srtt ? r - m->srtt : m->srtt - r;

	if (m->srtt) {
		m->rttvar = m->rttvar - m->rttvar / 4 + away / 4;
		m->srtt = max_t(u32, m->srtt - m->srtt / 8 + r / 8, 1);
	} else {
		m->srtt = r;
		m->rttvar = r / 2;
	}
	m->rto = min_t(u64, tun->rto_max,
		       m->srtt + max_t(u64, tun->rto_min, 4ULL * m->rttvar));
	m->backoffs = 0;
	count_rtt(sk, rtt);
}

/* RFC 7323 section 4.1: an echo of what was sent since the timeout. */
static void sample_echo(struct sock *sk, const struct seg *s)
{
	struct sender *m = &sk->check.snd;
	u32 now = sk->host->w->now / USEC_PER_MS;
	u32 age = now + m->ts_off - s->tsecr;

	if (check_has_timestamps(&sk->check) && s->has_ts && s->tsecr &&
	    age <= now - (u32)(m->back_at / USEC_PER_MS))
		sample(sk, age * USEC_PER_MS);
}

void rtt_measure(struct sock *sk, const struct seg *s)
{
	struct sender *m = &sk->check.snd;

	if (m->timing && seq_ge(m->una, m->timed_end)) {
		m->timing = m->refusable = false;
		sample(sk, sk->host->w->now - m->timed_at);
		count_timed(sk);
	} else if (m->backoffs) {
		sample_echo(sk, s);
	}
}

/* --- the timer --- */

/* RFC 9293 section 3.8.3: the user's time for what makes no progress */
static bool user_timed_out(const struct sock *sk)
{
	u64 most = sk->host->cfg->user_timeout;

	return most && sk->host->w->now - sk->check.snd.stuck_at >= most;
}

/* RFC 9293 section 3.8.6.1: doubled for each probe, whatever the path does. */
static u64 persist_wait(const struct sock *sk)
{
	return min_t(u64, sender_rto(sk) << sk->check.snd.probe_backoffs,
		     tunables(sk)->rto_max);
}

/* So long, but not beyond the time that the user gives. */
static u64 next_timeout(const struct sock *sk, u64 wait)
{
	u64 most = sk->host->cfg->user_timeout;

	if (user_timed_out(sk))
		return 1;
	return most ? min_t(u64, wait,
			    sk->check.snd.stuck_at + most - sk->host->w->now) :
		      wait;
}

void timer_start(struct sock *sk)
{
	struct sender *m = &sk->check.snd;
	u64 rto = sender_rto(sk);
	u64 wait = m->retries ? next_timeout(sk, rto) : rto;

	if (!m->retries)
		m->stuck_at = sk->host->w->now;
	m->persisting = false;
	m->probes = m->probe_backoffs = 0;
	m->due = sk->host->w->now + wait;
}

void timer_probe(struct sock *sk)
{
	struct sender *m = &sk->check.snd;

	m->persisting = true;
	m->due = sk->host->w->now + next_timeout(sk, persist_wait(sk));
}

void timer_acked(struct sock *sk)
{
	struct sender *m = &sk->check.snd;

	if (m->next != m->una)
		timer_start(sk);
	else
		m->due = NEVER;
}

void timer_after_handshake(struct sock *sk)
{
	struct sender *m = &sk->check.snd;

	if (!m->lost_syn || m->srtt)
		return;
	m->rto = RTO_AFTER_SYN_LOSS;
	m->backoffs = 0;
}

void timer_persist(struct sock *sk, bool waiting)
{
	struct sender *m = &sk->check.snd;

	if (m->next != m->una || !waiting || m->due != NEVER)
		return;
	m->persisting = true;
	m->stuck_at = sk->host->w->now;
	m->due = sk->host->w->now +
		 (m->wnd ? SWS_OVERRIDE : next_timeout(sk, persist_wait(sk)));
}

/*
 * RFC 9293 section 3.8.3: R2. The user's time, where he gives one, ends a
 * connection before R2, or long after; a handshake only before.
 *
 * Return: which of the two it is, BY_NONE: the connection goes on.
 */
static enum cause why_hopeless(struct sock *sk)
{
	const struct tunables *tun = tunables(sk);
	const struct sender *m = &sk->check.snd;
	u32 most = sk->app.done ? tun->orphan_retries : tun->retries;

	if (!m->on)
		most = sk->check.in.seen ? tun->synack_retries :
					   tun->syn_retries;
	if (m->retries && user_timed_out(sk))
		return BY_USER_TIMEOUT;
	sk->check.snd.retries++;
	if (m->retries <= most || (sk->host->cfg->user_timeout &&
				   state_in(sk->c.state, STATES_SYNCHRONIZED)))
		return BY_NONE;
	return BY_GIVE_UP;
}

static void syn_timeout(struct sock *sk)
{
	struct sender *m = &sk->check.snd;

	m->lost_syn = true;
	m->timing = false;
	m->back_at = sk->host->w->now;
	back_off(sk);
}

static void persist_timeout(struct sock *sk)
{
	struct sender *m = &sk->check.snd;

	sender_go_back(sk, BACK_OTHER);
	m->probe_due = true;
	if (m->wnd)
		return;
	m->probes++;
	m->given_up = user_timed_out(sk) ? BY_USER_TIMEOUT : why_hopeless(sk);
	/* RFC 6429 section 4: no user waits, so no answer keeps it for ever */
	if (!m->given_up && sk->app.done &&
	    m->probes > tunables(sk)->orphan_retries)
		m->given_up = BY_ORPHAN_PROBED;
	if (persist_wait(sk) < tunables(sk)->rto_max)
		m->probe_backoffs++;
}

/* RFC 9293 section 3.8.6.1: text is held up by a shut window, a FIN alone is not. */
static bool waits_for_window(const struct sock *sk)
{
	const struct sender *m = &sk->check.snd;

	return m->persisting || (!m->wnd && sender_has_text(sk));
}

void sender_tick(struct sock *sk)
{
	struct sender *m = &sk->check.snd;

	if (sk->host->w->now < m->due)
		return;
	m->due = NEVER;
	if (m->on && waits_for_window(sk)) {
		persist_timeout(sk);
		return;
	}
	count_host(sk->host, MIB_TIMEOUTS, 1);
	m->given_up = why_hopeless(sk);
	if (!m->on) {
		syn_timeout(sk);
		return;
	}
	if (m->recovering && !m->given_up)
		count_host(sk->host, MIB_RECOVERY_FAIL, 1);
	cwnd_timeout(sk, m->retries > 1);
	sender_go_back(sk, BACK_TIMEOUT);
	back_off(sk);
}

void timer_rest(struct sock *sk)
{
	const struct sender *m = &sk->check.snd;
	const struct conn *c = &sk->c;

	if (rtt_rto(&c->rtt) != sender_rto(sk))
		rule_fail(sk, "RTO %u us, by RFC 6298 it is %llu",
			  rtt_rto(&c->rtt), (unsigned long long)sender_rto(sk));
	if (c->timer[TIMER_RTX] != m->due)
		rule_fail(sk,
			  "the timer is due at %llu us, by RFC 6298 at %llu",
			  (unsigned long long)c->timer[TIMER_RTX],
			  (unsigned long long)m->due);
}
