// SPDX-License-Identifier: GPL-2.0
/*
 * check_urgent.c - urgent data, at both ends
 */
#include "check_model.h"

static bool in_line(const struct sock *sk)
{
	return sk->host->cfg->urgent_inline;
}

/* Sequence number of the next byte to read. */
static u32 read_seq(const struct sock *sk)
{
	return sk->check.in.seq + 1 + (u32)sk->in.read;
}

static u32 unread(const struct sock *sk)
{
	return sk->in.front - sk->in.read;
}

static bool at_mark(const struct sock *sk)
{
	const struct urgent *u = &sk->check.urg;

	return u->mark && u->in_up - 1 == read_seq(sk);
}

/* --- sending --- */

void urgent_write(struct sock *sk)
{
	struct check *k = &sk->check;

	k->urg.urges = true;
	k->urg.out_up = k->out.seq + 1 + (u32)sk->app.written;
}

bool urgent_waits(const struct sock *sk)
{
	const struct check *k = &sk->check;

	return k->snd.on && k->urg.urges && seq_gt(k->urg.out_up, k->snd.una);
}

/* A bare ACK may tell of urgent data, too, before the window lets it go. */
void urgent_out(struct sock *sk, const struct seg *s)
{
	const struct check *k = &sk->check;
	u32 ahead = k->urg.out_up - s->seq;
	bool told = s->flags & FLAG_URG;
	bool due = urgent_waits(sk) && seq_lt(s->seq, k->urg.out_up);

	if (told != due && (told || seg_space(s)))
		rule_fail(sk, "%u bytes from %u, urgent up to %u, %s URG",
			  s->len, s->seq, k->urg.out_up,
			  told ? "with" : "without");
	if (told && s->up != min_t(u32, ahead, U16_MAX))
		rule_fail(sk, "urgent pointer %u, not %u", s->up, ahead);
	if (told && s->len > s->smss)
		rule_fail(sk, "several packets with one urgent pointer");
}

/* --- receiving --- */

/*
 * DEVIATES: section 3.10.7.4 takes any pointer beyond what is read; here, as in
 * the kernel's TCP, one into what has arrived is no news.
 */
static bool is_news(const struct sock *sk, u32 up)
{
	const struct urgent *u = &sk->check.urg;

	return seq_gt(up, check_expected(sk)) &&
	       (!u->mark || seq_gt(up, u->in_up));
}

static bool looks_at(const struct sock *sk, const struct seg *s)
{
	u8 before = sk->check.rcv.before;

	if (before == ST_SYN_SENT)
		return s->flags & FLAG_ACK;
	return state_in(before, STATES_CAN_RECEIVE | STF(SYN_RCVD));
}

/* RFC 9293 section 3.1: the pointer counts from the sequence number, the SYN's too. */
static u32 up_of(const struct seg *s)
{
	/* 0 is taken for 1, as in the kernel's TCP */
	return s->seq + (s->flags & FLAG_SYN ? s->up : max_t(u32, s->up, 1));
}

static bool is_urgent(const struct seg *s)
{
	return s->flags & FLAG_URG && (!(s->flags & FLAG_SYN) || s->up > 1);
}

static void take_mark(struct sock *sk, const struct seg *s)
{
	struct urgent *u = &sk->check.urg;

	u->skip = at_mark(sk) && !in_line(sk) && unread(sk);
	u->in_up = up_of(s);
	u->mark = MARK_ANNOUNCED;
}

void urgent_in(struct sock *sk, const struct seg *s, const struct verdict *v)
{
	struct urgent *u = &sk->check.urg;
	u32 first = s->seq + !!(s->flags & FLAG_SYN);
	bool told = v->wake & WAKE_URGENT;
	bool news, here;

	news = looks_at(sk, s) && is_urgent(s) && is_news(sk, up_of(s));
	if (news)
		take_mark(sk, s);
	/* the sixth step comes before the text, which may be refused */
	if (sk->c.state == ST_CLOSED)
		return;
	if (told != news)
		rule_fail(sk, "urgent data is%s announced, and the user is%s",
			  news ? "" : " not", told ? "" : " not");
	here = looks_at(sk, s) && u->mark == MARK_ANNOUNCED &&
	       u->in_up - 1 - first < s->len;
	if (v->urgent != here)
		rule_fail(sk, "the urgent byte is %s", here ? "here" : "not");
	if (!here)
		return;
	u->mark = MARK_HERE;
	if (v->urgent_at != u->in_up - 1 - first)
		rule_fail(sk, "the urgent byte is at %u, not at %u",
			  v->urgent_at, u->in_up - 1 - first);
	if (!(v->wake & WAKE_READ))
		rule_fail(sk, "the urgent byte is here, and nobody hears");
}

/* --- the reader --- */

void urgent_read(struct sock *sk, u32 n, u32 got, bool hole)
{
	const struct urgent *u = &sk->check.urg;
	u32 before = u->in_up - 1 - read_seq(sk);
	bool leave = u->mark && !before && !in_line(sk);

	if (u->mark && before && before < n)
		n = before;
	if (hole != leave || got != n - leave)
		rule_fail(sk, "%u bytes to read, %s a hole; it should be %u",
			  got, hole ? "after" : "without", n - leave);
}

void urgent_has_read(struct sock *sk)
{
	struct urgent *u = &sk->check.urg;

	if (u->mark && seq_ge(read_seq(sk), u->in_up))
		u->mark = MARK_NONE;
}

static enum urgent_answer answer(const struct sock *sk)
{
	const struct urgent *u = &sk->check.urg;
	const struct check *k = &sk->check;
	bool ended = k->fin_in && k->fin_off == sk->in.front;

	if (in_line(sk) || u->mark == MARK_NONE || u->mark == MARK_TAKEN)
		return URGENT_NONE;
	if (sk->c.state == ST_CLOSED && !ended)
		return URGENT_GONE;
	return u->mark == MARK_ANNOUNCED ? URGENT_LATER : URGENT_BYTE;
}

void urgent_ask(struct sock *sk)
{
	struct urgent *u = &sk->check.urg;
	enum urgent_answer should = answer(sk);
	enum urgent_answer look = conn_urgent(&sk->c, in_line(sk), true);
	enum urgent_answer take = conn_urgent(&sk->c, in_line(sk), false);

	if (look != should || take != should)
		rule_fail(sk, "asked for the urgent byte: %d and %d, not %d",
			  look, take, should);
	if (should == URGENT_BYTE)
		u->mark = MARK_TAKEN;
}

void urgent_rest(struct sock *sk)
{
	const struct urgent *u = &sk->check.urg;
	const struct conn *c = &sk->c;
	u32 to_mark = u->in_up - 1 - read_seq(sk);
	u32 have = unread(sk);
	u32 want = 1 + (at_mark(sk) && !in_line(sk));
	bool readable = conn_is_readable(c, 1, in_line(sk));

	if (!state_in(c->state, STATES_SYNCHRONIZED))
		return;
	if (conn_at_mark(c) != at_mark(sk))
		rule_fail(sk, "the reader is%s at the mark",
			  at_mark(sk) ? "" : " not");
	if (conn_has_urgent(c) != (u->mark == MARK_HERE))
		rule_fail(sk, "an urgent byte is%s there",
			  u->mark == MARK_HERE ? "" : " not");
	if (have >= want && !readable)
		rule_fail(sk, "%u bytes, and nothing to read", have);
	if (have < want && readable &&
	    (!have || receiver_window_left(sk, false) >= sk->check.rcv.full))
		rule_fail(sk, "%u bytes, one of them urgent, to read", have);
	if (u->mark && !in_line(sk))
		have = min_t(u32, have, to_mark);
	if (conn_inq(c, in_line(sk)) != have)
		rule_fail(sk, "%u bytes to the mark, not %u",
			  conn_inq(c, in_line(sk)), have);
}
