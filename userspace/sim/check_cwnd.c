// SPDX-License-Identifier: GPL-2.0
/*
 * check_cwnd.c - cwnd and ssthresh of the second sender
 *
 * Where the RFCs leave a choice, the one that docs/rfc9293.md and the core's
 * comments name is the one here.
 */
#include "check_model.h"

u32 cwnd_initial(const struct sock *sk)
{
	u32 smss = sk->check.snd.smss;
	u32 iw = sk->host->cfg->iw;

	return min_t(u32, iw * smss, max_t(u32, 2 * smss, iw * 1460));
}

void cwnd_choose(struct sender *m, const struct cc_ops *cc)
{
	m->tahoe = cc == &cc_tahoe;
	m->newreno = cc == &cc_newreno;
}

/* What had filled a larger window says nothing of this one. */
static void set_cwnd(struct sock *sk, u32 cwnd)
{
	struct sender *m = &sk->check.snd;

	if (cwnd < m->cwnd) {
		m->used = m->used_before = 0;
		m->valid_at = sk->host->w->now;
	}
	m->cwnd = cwnd;
}

/* RFC 6928 section 2; RFC 5681 section 3.1: one segment after a lost SYN. */
void cwnd_begin(struct sock *sk, bool lost_syn)
{
	struct sender *m = &sk->check.snd;

	m->ssthresh = 0x7fffffff;
	m->valid_at = sk->host->w->now;
	m->cwnd = lost_syn ? m->smss : cwnd_initial(sk);
	hystart_model_new(m, sk->host->env.tun.hystart && !m->tahoe);
}

/*
 * RFC 7661 section 4.2: how much the path holds, by the flights that ACKs meet. What
 * one round trip has shown counts in the next, too: that is not yet acknowledged.
 */
void cwnd_measure(struct sock *sk)
{
	struct sender *m = &sk->check.snd;
	u32 flight = m->next - m->una;

	/* no data: that is our SYN */
	if (m->una == sk->check.out.seq)
		return;
	if (seq_ge(m->una, m->round_end)) {
		m->used_before = m->used;
		m->used = 0;
		m->round_end = m->next;
	}
	if (flight > m->used)
		m->used = flight;
}

static u32 pipe_ack(const struct sender *m)
{
	return m->used > m->used_before ? m->used : m->used_before;
}

/*
 * RFC 5681 section 3.1, RFC 3465 sections 2.1 to 2.3: L is 2, and 1 while what
 * was sent before a loss is acknowledged. RFC 7661 section 4.3: not beyond twice
 * what was used; one that is so already stays. RFC 9406 section 4.2: a quarter of it in
 * CSS.
 */
static void grow_fast(struct sock *sk, u32 bytes)
{
	struct sender *m = &sk->check.snd;
	u32 limit = m->smss * (seq_le(m->una, m->recover) ? 1 : 2);
	u32 most = min_t(u32, m->ssthresh, 2 * pipe_ack(m));
	u32 more = min_t(u32, bytes, limit);

	if (hystart_model_css(m))
		more /= 4;
	if (m->cwnd < most)
		set_cwnd(sk, min_t(u32, most, m->cwnd + more));
	hystart_model_round(m);
}

/* RFC 7661 section 4.3: less than half of cwnd has been in use of late. */
static bool is_nonvalidated(const struct sender *m)
{
	return pipe_ack(m) && pipe_ack(m) < m->cwnd - m->cwnd / 2;
}

/* RFC 3465 section 2.1 */
static void grow_slowly(struct sender *m, u32 bytes)
{
	/* RFC 7661 section 4.5.3: a segment more would have had room */
	if (m->cwnd - min_t(u32, m->cwnd, pipe_ack(m)) >= m->smss)
		return;
	m->counted += bytes;
	if (m->counted < m->cwnd)
		return;
	m->counted -= m->cwnd;
	m->cwnd += m->smss;
}

/* RFC 7661 section 4.4.3: five minutes of that, and no silence, which ends sooner */
static void end_nonvalidated(struct sock *sk)
{
	struct sender *m = &sk->check.snd;
	u64 now = sk->host->w->now;

	if (!is_nonvalidated(m)) {
		m->valid_at = now;
	} else if (now > m->valid_at + 300000000) {
		m->valid_at = now;
		m->ssthresh = max_t(u32, m->ssthresh, m->cwnd - m->cwnd / 4);
		if (m->cwnd > cwnd_initial(sk))
			set_cwnd(sk, max_t(u32, m->cwnd / 2, cwnd_initial(sk)));
	}
}

void cwnd_grow(struct sock *sk, u32 bytes)
{
	struct sender *m = &sk->check.snd;

	if (m->cwnd < m->ssthresh)
		grow_fast(sk, bytes);
	else
		grow_slowly(m, bytes);
	end_nonvalidated(sk);
}

/* RFC 5681, equation 4; what limited transmit sent is not of the flight. */
static void halve(struct sender *m)
{
	u32 flight = m->next - m->una - m->limited;

	m->ssthresh = max_t(u32, flight / 2, 2 * m->smss);
	m->counted = 0;
}

static void third(struct sock *sk)
{
	struct sender *m = &sk->check.snd;

	/* RFC 6582 section 3.2, step 2 */
	if (!seq_gt(m->una, m->recover))
		return;
	m->loss_used = is_nonvalidated(m) ? pipe_ack(m) : 0;
	if (m->loss_used)
		m->loss_used = max_t(u32, m->loss_used,
				     m->next - m->una - m->limited);
	m->resent = 0;
	halve(m);
	if (m->loss_used && !m->tahoe)
		m->ssthresh = max_t(u32, m->loss_used / 2, 2 * m->smss);
	if (m->tahoe) {
		set_cwnd(sk, m->smss);
		sender_go_back(sk, BACK_DUPACKS);
		return;
	}
	if (m->newreno)
		m->recover = m->nxt;
	set_cwnd(sk, m->ssthresh + 3 * m->smss);
	m->recovering = m->owed = true;
	m->partial_seen = false;
	m->back = BACK_DUPACKS;
	count_host(sk->host, MIB_RECOVERY, 1);
}

/* RFC 5681 section 3.2 */
void cwnd_duplicate(struct sock *sk)
{
	struct sender *m = &sk->check.snd;

	m->dupacks++;
	if (m->recovering)
		m->cwnd += m->smss;
	else if (m->dupacks == 3)
		third(sk);
}

/*
 * RFC 6582 section 3.2, step 3: full acknowledgments, option 1; RFC 5681 section 3.2,
 * step 6, for Reno
 */
void cwnd_recovered(struct sock *sk)
{
	struct sender *m = &sk->check.snd;
	u32 flight = m->next - m->una;
	u32 used = m->loss_used;

	/* RFC 7661 section 4.4.1: (max(pipeACK, LossFlightSize) - R) / 2 */
	used -= min_t(u32, used, m->resent);
	if (m->loss_used)
		m->ssthresh = max_t(u32, min_t(u32, m->ssthresh, used / 2),
				    2 * m->smss);
	if (!m->newreno)
		set_cwnd(sk, min_t(u32, m->cwnd, m->ssthresh));
	else
		set_cwnd(sk, min_t(u32, m->ssthresh,
				   max_t(u32, flight, m->smss) + m->smss));
	m->recovering = false;
	m->dupacks = 0;
}

/* RFC 6582 section 3.2, step 3; section 4: the Impatient variant; Reno's end */
void cwnd_ack_in_recovery(struct sock *sk, u32 bytes)
{
	struct sender *m = &sk->check.snd;
	u32 cwnd = m->cwnd > bytes ? m->cwnd - bytes : 0;

	/* RFC 5681 section 3.2, step 6: "the next ACK" of something new */
	if (!m->newreno || seq_ge(m->una, m->recover)) {
		cwnd_recovered(sk);
		timer_acked(sk);
		return;
	}
	if (bytes >= m->smss)
		cwnd += m->smss;
	set_cwnd(sk, max_t(u32, cwnd, m->smss));
	m->owed = true;
	if (!m->partial_seen)
		timer_acked(sk);
	m->partial_seen = true;
}

/* RFC 5681 section 3.1 */
void cwnd_timeout(struct sock *sk, bool again)
{
	struct sender *m = &sk->check.snd;
	/* section 4.3: what was sent again is lost, too */
	u32 most = m->partial_seen ? m->ssthresh : m->ssthresh / 2;

	if (!again)
		halve(m);
	if (!again && m->recovering)
		m->ssthresh = max_t(u32, min_t(u32, m->ssthresh, most),
				    2 * m->smss);
	set_cwnd(sk, m->smss);
	m->counted = 0;
}

/* RFC 5681 section 4.1: RW = min (IW, cwnd) */
void cwnd_idle(struct sock *sk)
{
	struct sender *m = &sk->check.snd;

	set_cwnd(sk, min_t(u32, m->cwnd, cwnd_initial(sk)));
	/* RFC 9406 section 4.3: it may be used after a long idle period */
	hystart_model_new(m, m->hystart.on);
	m->valid_at = sk->host->w->now;
	m->full.owed = 0;
}

void cwnd_new_smss(struct sock *sk)
{
	struct sender *m = &sk->check.snd;

	m->cwnd = max_t(u32, m->cwnd, m->smss);
}

/* --- the same as it is seen from outside --- */

/*
 * RFC 5681 section 3.1, equation 2: so much at least each ACK adds in slow start; in
 * CSS a quarter of it.
 */
void cwnd_owe(struct sock *sk, u32 bytes)
{
	struct sender *m = &sk->check.snd;
	u32 due = min_t(u32, bytes, m->smss);

	if (!m->recovering && seq_lt(m->una, m->full.end))
		m->full.owed += hystart_model_css(m) ? due / 4 : due;
}

/* The window is full, or it is another one. */
static void note_full(struct sender *m, const struct conn *c)
{
	u32 flight = m->next - m->una;

	if (c->recovering || c->cc.cwnd < m->seen.cwnd)
		m->full.end = m->una;
	else if (flight + c->smss <= c->cc.cwnd)
		return;
	m->full.cwnd = c->cc.cwnd;
	m->full.flight = flight;
	m->full.owed = 0;
	if (!c->recovering && flight + c->smss > c->cc.cwnd)
		m->full.end = m->next;
}

/*
 * RFC 7661 sections 4.3 and 4.4, without a round trip: in slow start what filled cwnd
 * makes it grow when it is acknowledged, though no more is written; and no ACK makes
 * it grow beyond twice what was ever in flight of it, or a segment beyond what was.
 */
void cwnd_rest(struct sock *sk)
{
	struct sender *m = &sk->check.snd;
	const struct conn *c = &sk->c;
	u32 old = m->seen.cwnd, cwnd = c->cc.cwnd;
	u32 due = min_t(u32, m->full.cwnd + m->full.owed, 2 * m->full.flight);
	u32 most = max_t(u32, 2 * m->seen.flight, m->seen.flight + 2 * c->smss);

	if (m->full.owed && !c->recovering && cwnd >= old &&
	    cwnd < min_t(u32, due, c->cc.ssthresh))
		rule_fail(sk, "a window that was full stays at %u, not %u",
			  cwnd, due);
	if (old && cwnd > max_t(u32, old, c->smss) && !c->recovering &&
	    cwnd > most)
		rule_fail(sk, "cwnd grows to %u, no more than %u was in flight",
			  cwnd, m->seen.flight);
	note_full(m, c);
	if (cwnd < old)
		m->seen.flight = 0;
	m->seen.flight = max_t(u32, m->seen.flight, m->next - m->una);
	m->seen.cwnd = cwnd;
}
