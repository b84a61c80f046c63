// SPDX-License-Identifier: GPL-2.0
/*
 * check_options.c - what a user's change of an option changes in the rules
 */
#include "check_model.h"
#include "check_options.h"

static bool is_open(const struct sock *sk)
{
	return state_in(sk->c.state, STF(ESTABLISHED) | STF(CLOSE_WAIT));
}

/* RFC 9293 section 3.8.4: someone waits for the peer, in its ACKs or its text. */
static bool waits_for_peer(const struct sock *sk)
{
	return !sk->app.done &&
	       state_in(sk->c.state, STF(ESTABLISHED) | STF(CLOSE_WAIT) |
					     STF(FIN_WAIT_1) | STF(FIN_WAIT_2));
}

/* What is written by now goes, whatever holds it back. */
void check_nodelay(struct sock *sk, bool on)
{
	struct sender *m = &sk->check.snd;

	m->nodelay = on;
	m->push |= on;
}

void check_cork(struct sock *sk, bool on)
{
	sk->check.snd.cork = on;
}

void check_keepalive(struct sock *sk, bool on)
{
	struct life *l = &sk->check.life;

	l->keepalive = on;
	l->keep_sent = 0;
	l->keep_due = on && waits_for_peer(sk) ?
			      sk->host->w->now + l->keep_idle :
			      NEVER;
}

/* Silence that was counts. */
void check_keep_idle(struct sock *sk, u64 idle)
{
	struct life *l = &sk->check.life;

	l->keep_idle = idle;
	if (l->keepalive && waits_for_peer(sk))
		l->keep_due = max_t(u64, l->heard_at + idle, sk->host->w->now);
}

/* An ACK that waits goes now. */
void check_quickack(struct sock *sk, bool on)
{
	struct receiver *r = &sk->check.rcv;

	if (on && is_open(sk) && check_expected(sk) != sk->check.ack_out)
		r->must_ack = r->may_ack = true;
}

void check_clamp(struct sock *sk, u32 clamp)
{
	sk->check.rcv.clamp = clamp;
	check_resize(sk);
}

/* RFC 5681 section 3.2: an algorithm without recovery cannot end one. */
void check_cc(struct sock *sk, const struct cc_ops *cc)
{
	struct sender *m = &sk->check.snd;

	if (m->recovering && cc == &cc_tahoe)
		cwnd_recovered(sk);
	/* what one has seen of round trips another does not go on with */
	if (m->tahoe != (cc == &cc_tahoe) || m->newreno != (cc == &cc_newreno))
		hystart_model_new(m, false);
	cwnd_choose(m, cc);
	m->counted = 0;
}
