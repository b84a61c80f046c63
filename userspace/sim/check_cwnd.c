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

/* RFC 6928 section 2; RFC 5681 section 3.1: one segment after a lost SYN. */
void cwnd_begin(struct sock *sk, bool lost_syn)
{
	struct sender *m = &sk->check.snd;

	m->ssthresh = 0x7fffffff;
	m->cwnd = lost_syn ? m->smss : cwnd_initial(sk);
}

/*
 * RFC 5681 section 3.1, RFC 3465 sections 2.1 to 2.3: L is 2, and 1 while what
 * was sent before a loss is acknowledged.
 */
void cwnd_grow(struct sock *sk, u32 bytes)
{
	struct sender *m = &sk->check.snd;
	u32 limit = m->smss * (seq_le(m->una, m->recover) ? 1 : 2);

	if (m->cwnd < m->ssthresh) {
		m->cwnd = min_t(u32, m->cwnd + min_t(u32, bytes, limit),
				m->ssthresh);
		return;
	}
	m->counted += bytes;
	if (m->counted < m->cwnd)
		return;
	m->counted -= m->cwnd;
	m->cwnd += m->smss;
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
	halve(m);
	if (m->tahoe) {
		m->cwnd = m->smss;
		sender_go_back(sk, BACK_DUPACKS);
		return;
	}
	m->recover = m->nxt;
	m->cwnd = m->ssthresh + 3 * m->smss;
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

/* RFC 6582 section 3.2, step 3: full acknowledgments, option 1 */
void cwnd_recovered(struct sock *sk)
{
	struct sender *m = &sk->check.snd;
	u32 flight = m->next - m->una;

	m->cwnd = min_t(u32, m->ssthresh,
			max_t(u32, flight, m->smss) + m->smss);
	m->recovering = false;
	m->dupacks = 0;
}

/* RFC 6582 section 3.2, step 3; section 4: the Impatient variant */
void cwnd_ack_in_recovery(struct sock *sk, u32 bytes)
{
	struct sender *m = &sk->check.snd;

	if (seq_ge(m->una, m->recover)) {
		cwnd_recovered(sk);
		timer_acked(sk);
		return;
	}
	m->cwnd = m->cwnd > bytes ? m->cwnd - bytes : 0;
	if (bytes >= m->smss)
		m->cwnd += m->smss;
	m->cwnd = max_t(u32, m->cwnd, m->smss);
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
	m->cwnd = m->smss;
	m->counted = 0;
}

/* RFC 5681 section 4.1: RW = min (IW, cwnd) */
void cwnd_idle(struct sock *sk)
{
	struct sender *m = &sk->check.snd;

	m->cwnd = min_t(u32, m->cwnd, cwnd_initial(sk));
}

void cwnd_new_smss(struct sock *sk)
{
	struct sender *m = &sk->check.snd;

	m->cwnd = max_t(u32, m->cwnd, m->smss);
}
