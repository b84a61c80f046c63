// SPDX-License-Identifier: GPL-2.0
/*
 * check_request.c - what becomes of a segment for a record of SYN_RCVD
 */
#include "check_model.h"

static enum req_result challenged(struct sock *sk)
{
	struct request *r = &sk->check.req;

	if (challenges_allow(&r->challenges, sk->host->w->now))
		r->challenge = true;
	return REQ_DROP;
}

/*
 * The user gives a time; it is kept by counting the timeouts that back off until
 * then, RFC 6298 (5.5).
 */
u32 request_defers(const struct sock *sk)
{
	const struct tunables *tun = &sk->host->env.tun;
	u64 time = 0, wait = tun->rto_init;
	u32 n = 0;

	for (; time < sk->host->cfg->defer; n++) {
		time += wait;
		wait = min_t(u64, 2 * wait, tun->rto_max);
	}
	if (req_time_of(tun, n) != time)
		world_fail(sk->host->w, "%u timeouts take %llu us, not %llu", n,
			   (unsigned long long)req_time_of(tun, n),
			   (unsigned long long)time);
	return n;
}

/* The window of a SYN+ACK is not scaled (RFC 7323 section 2.2). */
static bool is_acceptable(const struct sock *sk, const struct seg *s)
{
	const struct check *k = &sk->check;
	u32 into = s->seq - (k->in.seq + 1);

	/* at the edge, where a sender stands that has filled the window */
	return !into || into < k->out.wnd ||
	       (!seg_space(s) && into == k->out.wnd);
}

/* From the second step on */
static enum req_result later_steps(struct sock *sk, const struct seg *s)
{
	struct check *k = &sk->check;

	if (s->flags & FLAG_RST && s->seq == k->in.seq + 1)
		return REQ_GONE;
	if (s->flags & (FLAG_RST | FLAG_SYN))
		return challenged(sk);
	if (!(s->flags & FLAG_ACK))
		return REQ_DROP;
	if (s->ack != k->out.seq + 1)
		return REQ_RESET;
	if (!k->req.acked)
		k->req.acked_at = sk->host->w->now;
	k->req.acked = true;
	return k->life.timeouts < request_defers(sk) && !seg_space(s) ?
		       REQ_DROP :
		       REQ_ESTABLISH;
}

static enum req_result result_of(struct sock *sk, const struct seg *s)
{
	struct check *k = &sk->check;
	bool rst = s->flags & FLAG_RST;

	/* our SYN+ACK was lost, or is late */
	if ((s->flags & (FLAG_SYN | FLAG_ACK | FLAG_RST)) == FLAG_SYN &&
	    s->seq == k->in.seq) {
		k->req.synack = true;
		/* RFC 7323 section 4.3 (2) */
		if (check_has_timestamps(k) &&
		    seq_gt(s->tsval, k->rcv.ts_recent))
			k->rcv.ts_recent = s->tsval;
		if (!k->req.acked)
			life_request_wait(sk);
		return REQ_DROP;
	}
	if (check_has_timestamps(k) && !rst) {
		if (!s->has_ts)
			return REQ_DROP;
		if (k->rcv.ts_known && seq_lt(s->tsval, k->rcv.ts_recent))
			return challenged(sk);
	}
	if (!is_acceptable(sk, s))
		return rst ? REQ_DROP : challenged(sk);
	return later_steps(sk, s);
}

void request_judge(struct sock *sk, const struct seg *s)
{
	struct check *k = &sk->check;
	struct request *r = &k->req;
	u32 nxt = k->in.seq + 1;

	r->unsure = seq_lt(s->seq, nxt) && seq_gt(seg_end(s), nxt) &&
		    !(s->flags & FLAG_SYN);
	r->result = result_of(sk, s);
}

void request_verdict(struct sock *sk, enum req_result result)
{
	struct request *r = &sk->check.req;

	if (result != r->result && !r->unsure)
		rule_fail(sk, "the record makes %d of a segment, not %d",
			  result, r->result);
}

void request_out(struct sock *sk, const struct seg *s)
{
	struct check *k = &sk->check;
	struct request *r = &sk->check.req;
	bool *asked = s->flags & FLAG_SYN ? &r->synack : &r->challenge;

	if (s->flags & FLAG_RST)
		return;
	if (!*asked && !r->unsure)
		rule_fail(sk, "an answer that nothing asks for");
	*asked = false;
	if (s->flags & FLAG_SYN && k->out.seen) {
		r->again++;
		/* Karn: which of the two will its ACK mean? */
		k->snd.timing &= r->acked;
		k->snd.lost_syn |= !r->acked;
	}
	if (!(s->flags & FLAG_SYN) && s->seq != k->out.seq + 1)
		rule_fail(sk, "an ACK at %u, not at %u", s->seq,
			  k->out.seq + 1);
}

void request_rest(struct sock *sk)
{
	struct request *r = &sk->check.req;

	if ((r->synack || r->challenge) && !r->unsure)
		rule_fail(sk, "the record owes %s",
			  r->synack ? "a SYN+ACK" : "a challenge ACK");
	r->synack = r->challenge = r->unsure = false;
}
