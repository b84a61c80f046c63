// SPDX-License-Identifier: GPL-2.0
/*
 * check_receiver.c - what becomes of a segment, and which ACKs are owed
 */
#include "check_model.h"

/* RFC 7323 section 2.4: what the window field rounds off. */
static u32 rounding(const struct check *k)
{
	return (1U << check_own_shift(k)) - 1;
}

u32 receiver_window_left(const struct sock *sk, bool most)
{
	const struct check *k = &sk->check;
	u32 edge = k->promised ? k->edge_out : k->in.seq + 1 + k->out.wnd;
	u32 nxt = check_expected(sk);

	edge += most ? rounding(k) : 0;
	return seq_gt(edge, nxt) ? edge - nxt : 0;
}

/* --- the fate of a segment --- */

static bool is_old_timestamp(const struct sock *sk, const struct seg *s)
{
	const struct receiver *r = &sk->check.rcv;

	return r->ts_known && seq_lt(s->tsval, r->ts_recent) &&
	       sk->host->w->now - r->ts_at < PAWS_IDLE;
}

/*
 * The table of RFC 9293 section 3.10.7.4; a bare ACK or a RST may also stand right
 * at the edge, where those of a sender are that has filled the window.
 */
static bool is_acceptable(const struct seg *s, u32 nxt, u32 wnd)
{
	u32 space = seg_space(s);
	u32 first = s->seq - nxt, last = first + space - 1;

	if (!first)
		return true;
	if (!space)
		return wnd && first <= wnd;
	return first < wnd || last < wnd;
}

/* The peer has not heard that the octet of its probe was taken. */
static bool is_of_prober(const struct sock *sk, const struct seg *s)
{
	const struct sender *m = &sk->check.snd;

	return s->seq == check_expected(sk) - 1 && !seg_space(s) &&
	       (s->flags & (FLAG_ACK | FLAG_RST)) == FLAG_ACK &&
	       seq_gt(s->ack, m->una) && seq_le(s->ack, m->nxt);
}

static enum fate dropped(struct sock *sk, enum fate fate, enum cause why)
{
	sk->check.rcv.why = why;
	return fate;
}

/* From the second step on */
static enum fate later_steps(struct sock *sk, const struct seg *s)
{
	const struct sender *m = &sk->check.snd;
	struct receiver *r = &sk->check.rcv;

	if (s->flags & FLAG_RST)
		return s->seq == check_expected(sk) ?
			       FATE_END :
			       dropped(sk, FATE_CHALLENGE, DROP_RST_CHALLENGED);
	if (s->flags & FLAG_SYN)
		return dropped(sk, FATE_CHALLENGE, DROP_SYN_CHALLENGED);
	r->speaks = true;
	if (!(s->flags & FLAG_ACK))
		return dropped(sk, FATE_QUIET, DROP_NO_ACK);
	if (!m->on && (s->ack != m->nxt))
		return dropped(sk, FATE_REFUSE, DROP_HANDSHAKE_ACK);
	if (seq_gt(s->ack, m->nxt))
		return dropped(sk, FATE_CHALLENGE, DROP_ACK_UNSENT);
	if (seq_lt(s->ack, m->una - m->max_wnd))
		return dropped(sk, FATE_CHALLENGE, DROP_ACK_TOO_OLD);
	return FATE_TAKE;
}

/* RFC 9293 figure 7: in SYN_RCVD a SYN+ACK, too, acknowledges our SYN. */
static bool is_crossing(const struct sock *sk, const struct seg *s)
{
	const struct check *k = &sk->check;

	return !k->snd.on && s->seq == k->in.seq && s->ack == k->snd.nxt &&
	       (s->flags & (FLAG_SYN | FLAG_ACK | FLAG_RST)) ==
		       (FLAG_SYN | FLAG_ACK);
}

static enum fate fate_of(struct sock *sk, const struct seg *s)
{
	const struct check *k = &sk->check;
	u32 nxt = check_expected(sk);
	enum fate answer = seg_space(s) ? FATE_ANSWER : FATE_CHALLENGE;
	bool surely, maybe;

	if (check_has_timestamps(k) && !(s->flags & FLAG_RST)) {
		if (!s->has_ts)
			return dropped(sk, FATE_QUIET, DROP_NO_TIMESTAMP);
		if (is_old_timestamp(sk, s))
			return dropped(sk, answer, DROP_PAWS);
	}
	if (is_crossing(sk, s)) {
		sk->check.rcv.speaks = true;
		return FATE_TAKE;
	}
	surely = is_acceptable(s, nxt, receiver_window_left(sk, false));
	maybe = is_acceptable(s, nxt, receiver_window_left(sk, true));
	if (surely != maybe)
		return FATE_UNSURE;
	if (!surely) {
		if (!is_of_prober(sk, s))
			return dropped(sk,
				       s->flags & FLAG_RST ? FATE_QUIET :
							     answer,
				       seq_lt(s->seq, nxt) ?
					       DROP_OLD_DUPLICATE :
					       DROP_OUT_OF_WINDOW);
		sk->check.rcv.of_prober = true;
	}
	return later_steps(sk, s);
}

/* RFC 9293 section 3.10.7.3 */
static enum fate fate_in_syn_sent(struct sock *sk, const struct seg *s)
{
	const struct sender *m = &sk->check.snd;

	if (s->flags & FLAG_ACK && s->ack != m->nxt)
		return dropped(sk,
			       s->flags & FLAG_RST ? FATE_QUIET : FATE_REFUSE,
			       DROP_SYN_SENT_ACK);
	if (s->flags & FLAG_RST)
		return s->flags & FLAG_ACK ?
			       FATE_END :
			       dropped(sk, FATE_QUIET, DROP_SYN_SENT_RST);
	return s->flags & FLAG_SYN ?
		       FATE_TAKE :
		       dropped(sk, FATE_QUIET, DROP_SYN_SENT_NO_SYN);
}

void receiver_judge(struct sock *sk, const struct seg *s)
{
	struct receiver *r = &sk->check.rcv;

	r->before = sk->c.state;
	r->speaks = r->of_prober = false;
	r->fate = r->before == ST_SYN_SENT ? fate_in_syn_sent(sk, s) :
					     fate_of(sk, s);
}

/* --- what the core has made of it --- */

static void owe(struct receiver *r)
{
	r->must_ack = r->may_ack = true;
}

static void owe_challenge(struct sock *sk)
{
	struct receiver *r = &sk->check.rcv;

	if (challenges_allow(&r->challenges, sk->host->w->now))
		owe(r);
}

/* RFC 7323 section 4.3 (2) */
void receiver_keep_timestamp(struct sock *sk, const struct seg *s)
{
	struct check *k = &sk->check;
	u32 last = k->acked_any ? k->ack_out : k->in.seq + 1;

	if (!check_has_timestamps(k) || seq_gt(s->seq, last) ||
	    is_old_timestamp(sk, s))
		return;
	k->rcv.ts_recent = s->tsval;
	k->rcv.ts_at = sk->host->w->now;
	k->rcv.ts_known = true;
}

/*
 * RFC 9293 section 3.8.6.3, "full-sized": the largest, until two alike come that no
 * end of a write explains.
 */
static void learn_full(struct sock *sk, const struct seg *s)
{
	const struct check *k = &sk->check;
	struct receiver *r = &sk->check.rcv;
	bool whole = s->len >= 536 ||
		     (s->len >= 48 && !(s->flags & (FLAG_PSH | FLAG_FIN)));
	bool alike = whole && s->len == r->last_len;

	if (whole || s->len >= r->full)
		r->last_len = s->len;
	if (alike || s->len > r->full)
		r->full = min_t(u32, s->len,
				max_t(u32, k->snd.mtu_mss, r->full));
}

/* RFC 5681 section 4.2: what is early, or fills a hole, is acknowledged at once. */
static void take_text(struct sock *sk, const struct seg *s)
{
	struct check *k = &sk->check;
	u32 nxt = check_expected(sk);
	u32 first = s->seq + !!(s->flags & FLAG_SYN);
	bool old = s->flags & FLAG_FIN && first + s->len == nxt;

	if (!s->len ||
	    !state_in(k->rcv.before,
		      STATES_CAN_RECEIVE | STF(SYN_RCVD) | STF(SYN_SENT)) ||
	    old || sk->c.state == ST_CLOSED)
		return;
	learn_full(sk, s);
	k->rcv.may_ack = true;
	/* sooner or later: what fills a hole, or a part of one */
	if (seq_gt(first, nxt) || s->no_room || sk->in.early)
		owe(&k->rcv);
}

/*
 * RFC 9293 section 3.10.7.4, eighth step: one that stands in the window, or at its
 * edge, with nothing missing before it is taken. An early one is answered at once.
 */
static void take_fin(struct sock *sk, const struct seg *s)
{
	struct check *k = &sk->check;
	u32 nxt = check_expected(sk);
	u32 first = s->seq + !!(s->flags & FLAG_SYN);
	u32 edge = nxt + receiver_window_left(sk, false);

	k->rcv.may_ack = true;
	if (!state_in(k->rcv.before, STATES_CAN_RECEIVE) || k->fin_in)
		return;
	if (seq_gt(first, nxt))
		owe(&k->rcv);
	else if (!s->no_room && !sk->in.early && seq_ge(first + s->len, nxt) &&
		 seq_le(first + s->len, edge) && !sk->c.fin_seen)
		rule_fail(sk, "a FIN in its place is not taken");
}

static void taken(struct sock *sk, const struct seg *s)
{
	struct receiver *r = &sk->check.rcv;

	/* the last segment of a handshake */
	if (s->flags & FLAG_SYN && s->flags & FLAG_ACK)
		owe(r);
	if (r->before == ST_SYN_SENT) {
		r->speaks = true;
		sender_took_syn(sk, s);
	} else {
		if (sk->check.snd.on)
			sender_ack(sk, s);
		else
			sender_established(sk, s);
		if (sk->c.state != ST_CLOSED)
			receiver_keep_timestamp(sk, s);
	}
	take_text(sk, s);
	if (s->flags & FLAG_FIN && sk->c.state != ST_CLOSED)
		take_fin(sk, s);
}

static void unsure(struct sock *sk, const struct seg *s,
		   const struct verdict *v)
{
	struct check *k = &sk->check;

	k->tune.unsure = true;
	k->rcv.may_ack = true;
	challenges_follow(&k->rcv.challenges, &sk->c.challenge);
	if (s->flags & FLAG_RST) {
		k->rcv.fate = FATE_QUIET;
		return;
	}
	if (v->drop != DROP_OUT_OF_WINDOW)
		k->rcv.fate = later_steps(sk, s);
	/* its challenge is among the core's, which are taken over above */
	if (k->rcv.fate == FATE_CHALLENGE)
		k->rcv.fate = FATE_QUIET;
}

/* RFC 9293 section 3.6.1: new text where only the peer speaks, and none listens. */
static bool is_for_nobody(const struct sock *sk, const struct seg *s)
{
	const struct receiver *r = &sk->check.rcv;
	u32 first = s->seq + !!(s->flags & FLAG_SYN);
	bool deaf = sk->app.done ||
		    (sk->app.closed && sk->host->cfg->close_read);

	return r->fate == FATE_TAKE && deaf && s->len &&
	       state_in(r->before,
			STF(FIN_WAIT_1) | STF(FIN_WAIT_2) | STF(SYN_RCVD)) &&
	       seq_gt(first + s->len, check_expected(sk));
}

/* What may end a connection besides a RST: our FIN's ACK, text for nobody. */
static bool may_end(const struct sock *sk, const struct seg *s)
{
	const struct receiver *r = &sk->check.rcv;

	return is_for_nobody(sk, s) ||
	       (r->fate == FATE_TAKE && r->before == ST_LAST_ACK &&
		s->ack == sk->check.snd.nxt);
}

/*
 * RFC 9293 sections 3.10.7.3 and 3.10.7.4: "connection refused" while it is being
 * made, then "connection reset"; sockets have another word where all is read.
 */
static void tells_reset(struct sock *sk)
{
	u8 before = sk->check.rcv.before;
	int wanted = before == ST_SYN_SENT || before == ST_SYN_RCVD ?
			     ECONNREFUSED :
			     ECONNRESET;

	if (sk->c.err != wanted &&
	    !(before == ST_CLOSE_WAIT && sk->c.err == EPIPE))
		rule_fail(sk, "a RST, and the user is told %d", sk->c.err);
}

void receiver_verdict(struct sock *sk, const struct seg *s,
		      const struct verdict *v)
{
	struct receiver *r = &sk->check.rcv;
	bool over = sk->c.state == ST_CLOSED;

	if (r->fate == FATE_UNSURE)
		unsure(sk, s, v);
	else if (r->fate < FATE_TAKE && r->fate != FATE_END &&
		 v->drop != r->why)
		rule_fail(sk, "dropped for %s, not %s", cause_name(v->drop),
			  cause_name(r->why));
	if (r->fate == FATE_TAKE)
		taken(sk, s);
	else if (r->fate == FATE_ANSWER)
		owe(r);
	else if (r->fate == FATE_CHALLENGE)
		owe_challenge(sk);
	if (r->fate == FATE_TAKE && r->of_prober)
		owe_challenge(sk);
	if (r->fate == FATE_END)
		tells_reset(sk);
	if (r->fate == FATE_END && !over)
		rule_fail(sk, "a RST at its place does not end it");
	if (is_for_nobody(sk, s) && !over)
		rule_fail(sk, "text that nobody will read is taken");
	if (r->fate != FATE_END && over && !may_end(sk, s))
		rule_fail(sk, "a segment ends it that must not");
	if (v->reset != (r->fate == FATE_REFUSE))
		rule_fail(sk, "a segment is %sanswered with RST",
			  v->reset ? "" : "not ");
	if (r->fate < FATE_TAKE && !v->drop && !over)
		rule_fail(sk, "a segment is taken that is not acceptable");
}

void receiver_syn(struct sock *sk, const struct seg *s)
{
	struct receiver *r = &sk->check.rcv;

	r->ts_recent = s->tsval;
	/* 0 is no time, as in the kernel's TCP */
	r->ts_known = s->has_ts && s->tsval;
	r->ts_at = sk->host->w->now;
}

/* --- ACKs --- */

/* The user leaves a FIN_WAIT_2 to a record, which delays no ACK. */
static bool is_not_delayed(const struct sock *sk)
{
	return sk->app.done && sk->c.state == ST_FIN_WAIT_2 && sk->check.owed;
}

void receiver_out(struct sock *sk, const struct seg *s)
{
	struct receiver *r = &sk->check.rcv;

	if (!s->len && !(s->flags & (FLAG_SYN | FLAG_FIN | FLAG_RST)) &&
	    !r->may_ack && !is_not_delayed(sk))
		rule_fail(sk, "an ACK that nothing asks for");
	r->must_ack = r->may_ack = false;
}

/* The buffer, as the user has made it. */
static u32 buffer(const struct sock *sk)
{
	const struct side_config *cfg = sk->host->cfg;
	bool resized = cfg->resize_after && sk->app.resize_at == NEVER;

	return resized ? cfg->resize_to : cfg->rcvbuf;
}

/* RFC 7323 section 2.3, and the user's bound */
static u32 most_window(const struct sock *sk)
{
	u32 most = (u32)U16_MAX << check_own_shift(&sk->check);
	u32 clamp = sk->check.rcv.clamp;

	return clamp ? min_t(u32, clamp, most) : most;
}

/* A segment, or half of the largest window that there can be. */
static u32 least_step(const struct sock *sk)
{
	u32 most = min_t(u32, buffer(sk), most_window(sk));

	return min_t(u32, most / 2, sk->check.rcv.full);
}

/* RFC 9293 section 3.8.6.2.2: by a segment, or half the buffer, or not at all. */
void receiver_window(struct sock *sk, u32 gain)
{
	u32 loss = 2 * rounding(&sk->check);

	if (gain > loss && gain + loss < least_step(sk))
		rule_fail(sk, "the window grows by %u bytes, %u are a step",
			  gain, least_step(sk));
}

/* A user who changes the buffer, or the bound, opens a window that is shut. */
void receiver_resize(struct sock *sk)
{
	struct receiver *r = &sk->check.rcv;

	r->may_ack = true;
	if (receiver_window_left(sk, true) < r->full) {
		r->has_read = true;
		tune_read(sk);
	} else if (receiver_window_left(sk, false) < r->full) {
		sk->check.tune.unsure = true;
	}
}

/* The reader has made room: one who waits must hear of it. */
static void rest_window(struct sock *sk)
{
	u32 unread = sk->in.front - sk->app.read;
	u32 most = most_window(sk);
	u32 left = receiver_window_left(sk, true);
	u32 room = buffer(sk) > unread ? buffer(sk) - unread : 0;

	room = min_t(u32, room, most);
	if (room > left && room >= 2 * left && room - left >= least_step(sk))
		rule_fail(sk, "room for %u bytes, a window of %u, and no ACK",
			  room, left);
}

/* What a reader is told: bytes, the end, and whether to wait for more. */
static void rest_reader(struct sock *sk)
{
	const struct check *k = &sk->check;
	u32 unread = sk->in.front - sk->in.read;
	bool ended = k->fin_in && k->fin_off == sk->in.front;
	bool surely = receiver_window_left(sk, true) < k->rcv.full;
	bool maybe = receiver_window_left(sk, false) < k->rcv.full;

	if (conn_readable(&sk->c) != unread)
		rule_fail(sk, "%u bytes to read, not %u", conn_readable(&sk->c),
			  unread);
	if (conn_at_eof(&sk->c) != (ended && !unread))
		rule_fail(sk, "the stream has%s ended", ended ? "" : " not");
	/* a window too small for a segment keeps the rest away */
	if (surely == maybe &&
	    conn_can_read(&sk->c, unread + 1) != (unread && surely))
		rule_fail(sk, "a reader of %u bytes %s", unread + 1,
			  surely ? "waits" : "does not wait");
}

/* Section 3.8.6: what may come, and what has: the habitat keeps memory for both. */
static void rest_promised(struct sock *sk)
{
	u32 unread = sk->in.front - sk->in.read;
	u32 least = unread + receiver_window_left(sk, false);
	u32 most = unread + receiver_window_left(sk, true);
	u32 told = conn_rcv_promised(&sk->c);

	if (told < least || told > most)
		rule_fail(sk, "%u bytes promised to the peer, not %u", told,
			  least);
}

void receiver_rest(struct sock *sk)
{
	struct receiver *r = &sk->check.rcv;

	if (r->must_ack)
		rule_fail(sk, "an ACK is owed at once");
	if (r->has_read && state_in(sk->c.state, STATES_CAN_RECEIVE))
		rest_window(sk);
	r->has_read = r->may_ack = false;
	if (state_in(sk->c.state, STATES_SYNCHRONIZED))
		rest_reader(sk);
	if (sk->check.snd.on)
		rest_promised(sk);
	if (sk->check.snd.on && sk->check.in.seen &&
	    conn_window_clamp(&sk->c) !=
		    min_t(u32, buffer(sk), most_window(sk)))
		rule_fail(sk, "the largest window is told as %u",
			  conn_window_clamp(&sk->c));
}

void receiver_tick(struct sock *sk)
{
	struct check *k = &sk->check;

	if (k->owed && sk->host->w->now - k->owed >= sk->host->cfg->delack)
		owe(&k->rcv);
}
