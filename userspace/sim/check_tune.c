// SPDX-License-Identifier: GPL-2.0
/*
 * check_tune.c - how large the buffers should be
 */
#include "check_model.h"

static u32 read_seq(const struct sock *sk)
{
	return sk->check.in.seq + 1 + (u32)sk->in.read;
}

void tune_begin(struct sock *sk)
{
	struct tune *t = &sk->check.tune;

	*t = (struct tune){
		.on = true,
		.seq = read_seq(sk),
		.since = sk->host->w->now,
		.most = min_t(u32, sk->c.rcv_wnd,
			      INIT_CWND * sk->check.snd.smss),
		.wanted = sk->c.rcv_buf,
	};
}

/* RFC 7323 section 4.1: the age of an echo, of full segments alone. */
static void sample_echo(struct sock *sk, const struct seg *s)
{
	struct tune *t = &sk->check.tune;
	u32 clock = sk->check.snd.ts_off +
		    (u32)(sk->host->w->now / USEC_PER_MS);
	u32 age = max_t(u32, clock - s->tsecr, 1) * USEC_PER_MS;

	if (!s->tsecr || s->tsecr == t->echo || s->len < sk->check.rcv.full)
		return;
	t->echo = s->tsecr;
	/* the peer has paused, and be it for days */
	if (clock - s->tsecr > 2147483)
		return;
	t->rtt = t->rtt ? t->rtt - t->rtt / 8 + age / 8 : age;
}

/* Without timestamps: the least time that a window of text has taken. */
static void sample_window(struct sock *sk)
{
	struct tune *t = &sk->check.tune;
	u32 nxt = sk->check.in.seq + 1 + (u32)sk->in.front;
	u64 now = sk->host->w->now;
	u32 took = max_t(u64, now - t->timed, 1);

	if (t->timing && seq_lt(nxt, t->edge))
		return;
	if (t->timing)
		t->rtt = t->rtt ? min_t(u32, t->rtt, took) : took;
	t->timing = true;
	t->timed = now;
	t->edge = nxt + sk->c.rcv_wnd;
}

void tune_kept(struct sock *sk, const struct seg *s)
{
	if (check_has_timestamps(&sk->check) && s->has_ts)
		sample_echo(sk, s);
	else
		sample_window(sk);
}

/* Twice what came, and more by as much as it has grown. */
static u64 room_for(const struct sock *sk, u64 taken)
{
	u64 before = sk->check.tune.most;
	u64 room = 2 * taken + AUTOTUNE_SLACK * sk->check.rcv.full;

	room += 2 * room * (taken - before) / max_t(u64, before, 1);
	return min_t(u64, room, U32_MAX);
}

void tune_read(struct sock *sk)
{
	struct tune *t = &sk->check.tune;
	u64 now = sk->host->w->now;
	u32 taken = read_seq(sk) - t->seq;

	if (!t->on || !t->rtt || now - t->since < t->rtt)
		return;
	if (taken > t->most) {
		t->wanted = max_t(u64, t->wanted, room_for(sk, taken));
		t->most = taken;
	}
	t->seq = read_seq(sk);
	t->since = now;
}

void tune_rest(struct sock *sk)
{
	const struct sender *m = &sk->check.snd;
	u32 cwnd = m->cwnd;
	const struct tune *t = &sk->check.tune;

	if (!t->on)
		return;
	if (!t->unsure && conn_rcv_buf_wanted(&sk->c) != t->wanted)
		rule_fail(sk, "a receive buffer of %u wanted, not of %u",
			  conn_rcv_buf_wanted(&sk->c), t->wanted);
	/* what duplicate ACKs have inflated is no need */
	if (m->recovering)
		cwnd = min_t(u32, cwnd, m->ssthresh);
	if (conn_snd_buf_wanted(&sk->c) != 3ULL * cwnd)
		rule_fail(sk, "a send buffer of %llu wanted",
			  (unsigned long long)conn_snd_buf_wanted(&sk->c));
}
