// SPDX-License-Identifier: GPL-2.0
/*
 * check_life.c - how a connection begins, is kept and ends
 */
#include "check_model.h"
#include "session.h"

static const struct tunables *tunables(const struct sock *sk)
{
	return &sk->host->env.tun;
}

void life_init(struct sock *sk)
{
	struct life *l = &sk->check.life;

	l->heard_at = sk->host->w->now;
	l->keep_due = l->fin_due = l->due = NEVER;
	l->keepalive = sk->host->cfg->keepalive;
	l->keep_idle = tunables(sk)->keep_idle;
}

/* --- a record of SYN_RCVD: its SYN+ACK goes out again, RFC 6298 (5.5) --- */

void life_request_wait(struct sock *sk)
{
	const struct tunables *tun = tunables(sk);
	struct life *l = &sk->check.life;
	u64 wait = tun->rto_init << min_t(u32, l->timeouts, 31);

	l->due = sk->host->w->now + min_t(u64, wait, tun->rto_max);
}

void life_syn(struct sock *sk)
{
	struct life *l = &sk->check.life;

	if (!l->syns++ && sk->kind == SOCK_REQ)
		life_request_wait(sk);
}

void life_request_tick(struct sock *sk, bool kept)
{
	struct life *l = &sk->check.life;
	u32 defer = request_defers(sk);
	bool waits = sk->check.req.acked;
	bool hopeless = l->timeouts >= tunables(sk)->synack_retries &&
			(!waits || l->timeouts >= defer);

	if (sk->host->w->now != l->due)
		rule_fail(sk, "the record falls due, but not now");
	if (kept == hopeless)
		rule_fail(sk, "%u timeouts, and the record is %s", l->timeouts,
			  kept ? "kept" : "given up");
	/* the wait for data is silent; its last SYN+ACK gives another chance */
	sk->check.req.synack = !waits || l->timeouts + 1 >= defer;
	count_host(sk->host, MIB_TIMEOUTS, sk->check.req.synack);
	l->timeouts++;
	life_request_wait(sk);
}

/* --- keep-alives: RFC 9293 section 3.8.4 --- */

void life_heard(struct sock *sk)
{
	struct check *k = &sk->check;

	if (k->rcv.speaks) {
		k->life.heard_at = sk->host->w->now;
		k->life.keep_sent = 0;
	}
	if (!k->snd.on || k->life.keep_on)
		return;
	k->life.keep_on = true;
	if (k->life.keepalive && !sk->app.done)
		k->life.keep_due = sk->host->w->now + k->life.keep_idle;
}

static void keep_tick(struct sock *sk)
{
	const struct tunables *tun = tunables(sk);
	struct life *l = &sk->check.life;
	u64 now = sk->host->w->now;
	u64 idle = now - l->heard_at;
	u64 user_timeout = sk->host->cfg->user_timeout;

	if (now < l->keep_due)
		return;
	l->keep_due = now + tun->keep_interval;
	if (idle < l->keep_idle) {
		l->keep_due = l->heard_at + l->keep_idle;
	} else if (sk->check.snd.due != NEVER) {
		return;
	} else if (user_timeout ? l->keep_sent && idle >= user_timeout :
				  l->keep_sent == tun->keep_probes) {
		l->keep_over = user_timeout ? BY_USER_TIMEOUT : BY_KEEP_FAILED;
	} else {
		l->keep_sent++;
		l->keep_owed = true;
	}
}

bool life_keepalive(struct sock *sk, const struct seg *s)
{
	struct life *l = &sk->check.life;
	const struct sender *m = &sk->check.snd;

	if (!l->keep_owed || s->len || s->flags & FLAG_FIN)
		return false;
	l->keep_owed = false;
	count_host(sk->host, MIB_KEEPALIVE, 1);
	if (s->seq != m->nxt - 1)
		rule_fail(sk, "a keep-alive at %u, not before %u", s->seq,
			  m->nxt);
	return true;
}

/* --- the end --- */

void life_abort(struct sock *sk)
{
	struct life *l = &sk->check.life;

	l->aborts = sk->c.state;
	l->unsent = state_in(l->aborts, STF(CLOSING) | STF(LAST_ACK)) &&
		    sender_has_unsent(sk);
}

void life_is_over(struct sock *sk)
{
	sk->check.life.over = true;
}

static int side_of(const struct sock *sk)
{
	return sk->session->sk[CLIENT] == sk ? CLIENT : SERVER;
}

void life_reset(struct sock *sk, const struct seg *s)
{
	struct life *l = &sk->check.life;

	if (sk->kind != SOCK_TIMEWAIT && s->seq != sender_bare_seq(sk))
		rule_fail(sk, "a RST at %u, not at %u", s->seq,
			  sender_bare_seq(sk));
	/* section 3.10.4, CLOSED: an error, and no more */
	if (l->over)
		rule_fail(sk, "a RST of a connection that has ended");
	l->reset = true;
	if (!sk->session)
		return;
	sk->session->reset[side_of(sk)] = true;
	sk->session->reset_seq[side_of(sk)] = s->seq;
}

/*
 * RFC 9293 section 3.10.5: the peer must hear of an abort. Its RST is believed or, where
 * something is missing before it, challenged (RFC 5961 section 3.2); it never stands
 * beyond a window that this end has offered.
 */
void life_hears_reset(struct sock *sk, const struct seg *s,
		      const struct verdict *v)
{
	const struct session *session = sk->session;
	int peer;

	if (!(s->flags & FLAG_RST) || sk->host->w->forged || !session)
		return;
	peer = side_of(sk) == CLIENT ? SERVER : CLIENT;
	if (session->reset[peer] && session->reset_seq[peer] == s->seq &&
	    v->drop == DROP_OUT_OF_WINDOW)
		rule_fail(sk, "the peer's RST at %u is not heard", s->seq);
}

/*
 * RFC 9293 section 3.10.5. There, CLOSING and LAST-ACK begin when all is sent
 * (section 3.10.4); where something is left, the peer has to be told.
 */
static void rest_aborted(struct sock *sk)
{
	struct life *l = &sk->check.life;

	if (l->aborts && l->unsent && !l->reset)
		rule_fail(sk, "aborted with data unsent, and no RST");

	if (state_in(l->aborts, STF(SYN_RCVD) | STF(ESTABLISHED) |
					STF(FIN_WAIT_1) | STF(FIN_WAIT_2) |
					STF(CLOSE_WAIT)) &&
	    !l->reset)
		rule_fail(sk, "aborted, and the peer hears nothing");
}

void life_tick(struct sock *sk)
{
	keep_tick(sk);
}

/* What ended it, if something did, at a time of its timers. */
void life_ticked(struct sock *sk)
{
	const struct check *k = &sk->check;
	bool over = k->snd.given_up || k->life.keep_over ||
		    k->life.fin_due <= sk->host->w->now;

	if (k->snd.given_up || k->life.keep_over)
		count_host(sk->host, MIB_ABORT_ON_TIMEOUT, 1);
	if ((k->snd.given_up || k->life.keep_over) && sk->c.err != ETIMEDOUT)
		rule_fail(sk, "given up, and the user is told %d", sk->c.err);
	if (over != (sk->c.state == ST_CLOSED))
		rule_fail(sk, "%u timeouts, %u keep-alives: %s", k->snd.retries,
			  k->life.keep_sent,
			  over ? "not given up" : "given up");
}

/* DEVIATES: FIN_WAIT_2 without a user ends, as FIN_TIMEOUT says. */
static void rest_fin_wait(struct sock *sk)
{
	struct life *l = &sk->check.life;

	if (sk->c.state == ST_FIN_WAIT_2 && sk->app.done && l->fin_due == NEVER)
		l->fin_due = sk->host->w->now + tunables(sk)->fin_timeout;
	if (sk->c.timer[TIMER_FIN] != l->fin_due)
		rule_fail(sk, "FIN_WAIT_2 ends at %llu us, it should at %llu",
			  (unsigned long long)sk->c.timer[TIMER_FIN],
			  (unsigned long long)l->fin_due);
}

void life_rest(struct sock *sk)
{
	struct life *l = &sk->check.life;

	rest_aborted(sk);
	if (sk->c.state == ST_CLOSED)
		return;
	if (sk->app.done || sk->c.state == ST_TIME_WAIT)
		l->keep_due = NEVER;
	if (l->keep_owed)
		rule_fail(sk, "a keep-alive is not sent");
	if (sk->c.timer[TIMER_KEEP] != l->keep_due)
		rule_fail(sk, "the keep-alive is due at %llu us, not at %llu",
			  (unsigned long long)sk->c.timer[TIMER_KEEP],
			  (unsigned long long)l->keep_due);
	if (sk->c.state != ST_TIME_WAIT)
		rest_fin_wait(sk);
}

/* --- TIME_WAIT --- */

static void life_timewait(struct sock *sk)
{
	sk->check.life.due = sk->host->w->now + 2 * tunables(sk)->msl;
}

void life_record(struct sock *sk)
{
	if (sk->c.state == ST_FIN_WAIT_2)
		sk->check.life.due = sk->check.life.fin_due;
	else
		life_timewait(sk);
}

/* RFC 9293 section 3.10.7.4, RFC 6191, RFC 5961 section 3.2 */
static bool timewait_ends(const struct sock *sk, const struct seg *s)
{
	const struct receiver *r = &sk->check.rcv;
	bool has_ts = check_has_timestamps(&sk->check);
	u32 nxt = check_expected(sk);

	if (s->flags & FLAG_RST)
		return s->seq == nxt;
	if ((s->flags & (FLAG_SYN | FLAG_ACK)) != FLAG_SYN)
		return false;
	if (!has_ts && s->has_ts && tunables(sk)->timestamps)
		return true;
	if (has_ts && s->has_ts && tunables(sk)->timestamps &&
	    s->tsval != r->ts_recent)
		return seq_gt(s->tsval, r->ts_recent);
	return seq_gt(s->seq, nxt);
}

/* So far into a window, or right at its edge, but not at its place. */
static bool is_rst_in(u32 into, u32 wnd)
{
	return into && into <= wnd;
}

/* A RST where the rounding of our window hides the edge. */
static bool timewait_is_unsure(const struct sock *sk, const struct seg *s)
{
	u32 into = s->seq - check_expected(sk);

	return s->flags & FLAG_RST &&
	       is_rst_in(into, receiver_window_left(sk, true)) &&
	       !is_rst_in(into, receiver_window_left(sk, false));
}

/* What is not acceptable, or takes sequence numbers, wants an answer. */
static bool timewait_asks(const struct sock *sk, const struct seg *s)
{
	u32 into = s->seq - check_expected(sk);

	if (s->flags & FLAG_RST)
		return is_rst_in(into, receiver_window_left(sk, true));
	if (s->flags & FLAG_FIN && !(into + seg_space(s)))
		return false;
	return seg_space(s) || into;
}

void life_timewait_rx(struct sock *sk, const struct seg *s, bool kept)
{
	struct check *k = &sk->check;
	u32 nxt = check_expected(sk);

	if (kept == timewait_ends(sk, s))
		rule_fail(sk, "TIME_WAIT %s for a segment",
			  kept ? "goes on" : "ends");
	k->rcv.must_ack = k->rcv.may_ack = false;
	if (timewait_is_unsure(sk, s)) {
		k->rcv.may_ack = true;
		challenges_follow(&k->life.challenges, &sk->tw.challenge);
	} else if (kept && timewait_asks(sk, s) &&
		   challenges_allow(&k->life.challenges, sk->host->w->now)) {
		k->rcv.may_ack = true;
	}
	if (!(s->flags & FLAG_RST) && s->flags & FLAG_FIN &&
	    seg_end(s) == nxt) {
		life_timewait(sk);
		k->rcv.must_ack = k->rcv.may_ack = true;
	}
}

/* --- FIN_WAIT_2 without a user: a connection whose text nobody reads --- */

static bool is_taken(const struct sock *sk)
{
	return sk->check.rcv.fate == FATE_TAKE;
}

/* Text that is new: the peer is told that it is lost. */
static bool fin_wait_resets(const struct sock *sk, const struct seg *s)
{
	return is_taken(sk) && s->len &&
	       seq_gt(s->seq + s->len, check_expected(sk));
}

/* What rounding hides: the core is believed. */
static void fin_wait_unsure(struct sock *sk)
{
	struct check *k = &sk->check;

	k->rcv.may_ack = true;
	challenges_follow(&k->life.challenges, &sk->tw.challenge);
}

static void fin_wait_answers(struct sock *sk, enum cause drop)
{
	struct receiver *r = &sk->check.rcv;

	if (r->fate == FATE_ANSWER && drop == DROP_OLD_DUPLICATE)
		count_host(sk->host, MIB_DELAYED_ACK_LOST, 1);
	r->must_ack = r->fate == FATE_ANSWER ||
		      (r->fate == FATE_CHALLENGE &&
		       challenges_allow(&sk->check.life.challenges,
					sk->host->w->now));
	r->may_ack = r->must_ack;
}

/* A FIN in its place begins TIME_WAIT, one before its turn is answered. */
static void fin_wait_fin(struct sock *sk, const struct seg *s)
{
	struct check *k = &sk->check;

	k->rcv.must_ack = k->rcv.may_ack = true;
	if (s->seq + s->len != check_expected(sk))
		return;
	k->fin_in = true;
	k->fin_off = sk->in.front;
	life_timewait(sk);
}

void life_fin_wait_rx(struct sock *sk, const struct seg *s, bool kept,
		      enum cause drop)
{
	struct receiver *r = &sk->check.rcv;
	bool resets = fin_wait_resets(sk, s);
	bool ends = r->fate == FATE_END || resets;

	r->must_ack = r->may_ack = false;
	if (r->fate == FATE_UNSURE) {
		fin_wait_unsure(sk);
		return;
	}
	sk->check.life.owes_reset = resets;
	if (kept == ends)
		rule_fail(sk, "FIN_WAIT_2 %s for a segment",
			  kept ? "goes on" : "ends");
	if (drop != (resets	  ? DROP_AFTER_CLOSE :
		     is_taken(sk) ? DROP_NONE :
		     ends	  ? DROP_NONE :
				    r->why))
		rule_fail(sk, "dropped for %s, not %s", cause_name(drop),
			  cause_name(r->why));
	fin_wait_answers(sk, drop);
	if (!is_taken(sk) || ends)
		return;
	receiver_keep_timestamp(sk, s);
	if (s->flags & FLAG_FIN)
		fin_wait_fin(sk, s);
}

/* --- both --- */

void life_timewait_rest(struct sock *sk)
{
	if (sk->check.rcv.must_ack)
		rule_fail(sk, "a segment for a record, and no ACK");
	if (sk->check.life.owes_reset && !sk->check.life.reset)
		rule_fail(sk, "text for nobody, and no RST");
}

void life_timewait_tick(struct sock *sk)
{
	if (sk->host->w->now != sk->check.life.due)
		rule_fail(sk, "the record goes, and its time is not over");
	if (sk->tw.state == ST_TIME_WAIT)
		count_host(sk->host, MIB_TIME_WAIT, 1);
}

/* --- nobody's: RFC 9293 sections 3.10.7.1 and 3.10.7.2 --- */

static bool answers(const struct seg *s, const struct seg *rst)
{
	if (!(rst->flags & FLAG_RST) || rst->sport != s->dport ||
	    rst->dport != s->sport)
		return false;
	if (s->flags & FLAG_ACK)
		return rst->seq == s->ack && !(rst->flags & FLAG_ACK);
	return !rst->seq && rst->flags & FLAG_ACK && rst->ack == seg_end(s);
}

static enum cause why_nobody(const struct seg *s, bool heard)
{
	if (!heard)
		return DROP_CLOSED;
	if (s->flags & FLAG_RST)
		return DROP_LISTEN_RST;
	if (s->flags & FLAG_ACK)
		return DROP_LISTEN_ACK;
	return s->flags & FLAG_SYN ? DROP_NONE : DROP_LISTEN_NO_SYN;
}

void check_stray(struct host *h, const struct seg *s, const struct seg *reset,
		 bool made, enum cause drop)
{
	bool heard = s->dport == h->listens;
	bool wanted = !(s->flags & FLAG_RST) && (!heard || s->flags & FLAG_ACK);
	bool opens = heard &&
		     (s->flags & (FLAG_SYN | FLAG_ACK | FLAG_RST)) == FLAG_SYN;

	if (drop != why_nobody(s, heard))
		world_fail(h->w, "a stray with flags %x is dropped for %s",
			   s->flags, cause_name(drop));
	if (wanted != !!reset || made != opens)
		world_fail(h->w, "a stray with flags %x for port %u: %s, %s",
			   s->flags, s->dport, reset ? "RST" : "no RST",
			   made ? "opens" : "does not open");
	else if (reset && !answers(s, reset))
		world_fail(h->w, "the RST does not answer the segment");
}
