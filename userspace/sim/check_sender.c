// SPDX-License-Identifier: GPL-2.0
/*
 * check_sender.c - a second sender: what may go out now, and what ACKs say
 *
 * Its timer and its round trips are in check_timer.c, its cwnd and ssthresh in
 * check_cwnd.c, HyStart++ in check_hystart.c.
 */
#include "check_model.h"

void sender_init(struct sock *sk)
{
	struct sender *m = &sk->check.snd;
	const struct tunables *tun = &sk->host->env.tun;

	m->mtu_mss = sk->host->cfg->mtu - IP_HEADER - HDR_MIN;
	m->rto = tun->rto_init;
	m->due = NEVER;
	cwnd_choose(m, sk->host->cfg->cc);
	m->nodelay = sk->host->cfg->nodelay;
	sk->check.rcv.clamp = sk->host->cfg->clamp;
	sk->check.rcv.clamp = sk->host->cfg->clamp;
}

/* Behind the last byte that the user has written. */
static u32 written(const struct sock *sk)
{
	return sk->check.out.seq + 1 + (u32)sk->app.written;
}

bool sender_has_text(const struct sock *sk)
{
	return seq_lt(sk->check.snd.una, written(sk));
}

static bool fin_waits(const struct sock *sk)
{
	return sk->app.closed;
}

static bool is_waiting(const struct sock *sk)
{
	return seq_lt(sk->check.snd.next, written(sk) + fin_waits(sk));
}

/* --- the handshake --- */

/* RFC 9293 section 3.7.1: what all segments carry comes off (RFC 6691). */
static u32 segment_size(const struct sock *sk)
{
	const struct check *k = &sk->check;
	u32 user = sk->host->cfg->user_mss ?: U16_MAX;
	u32 peer = check_peer_mss(sk);
	u32 mss = min_t(u32, min_t(u32, k->snd.mtu_mss, peer), user);

	mss = max_t(u32, mss, MSS_FLOOR);
	return mss - (check_has_timestamps(k) ? TS_OPTION_LEN : 0);
}

static void take_window(struct sock *sk, const struct seg *s)
{
	struct sender *m = &sk->check.snd;
	u32 una = s->flags & FLAG_ACK ? s->ack : m->una;

	m->wnd = (u32)s->wnd
		 << (s->flags & FLAG_SYN ? 0 : check_peer_shift(&sk->check));
	m->wl1 = s->seq;
	m->wl2 = s->flags & FLAG_ACK ? s->ack : 0;
	m->max_wnd = max_t(u32, m->max_wnd, m->wnd);
	m->edge = seq_max(m->edge, una + m->wnd);
}

void sender_syn(struct sock *sk, const struct seg *s)
{
	struct sender *m = &sk->check.snd;

	if (!m->nxt && !m->timing) {
		m->timing = m->refusable = true;
		m->timed_end = s->seq + 1;
		m->timed_at = sk->host->w->now;
	}
	if (s->has_ts)
		m->ts_off = s->tsval - (u32)(sk->host->w->now / USEC_PER_MS);
	m->una = m->recover = m->edge = m->round_end = s->seq;
	/* the SYN that this one answers had a window, too */
	if (s->flags & FLAG_ACK)
		m->edge += sk->check.in.wnd;
	m->nxt = m->next = m->small_end = s->seq + 1;
	if (sk->kind == SOCK_CONN)
		timer_start(sk);
}

static void establish(struct sock *sk)
{
	struct sender *m = &sk->check.snd;

	m->on = true;
	m->smss = segment_size(sk);
	sk->check.rcv.full = min_t(u32, MSS_DEFAULT, m->smss);
	m->retries = 0;
	m->due = NEVER;
	timer_after_handshake(sk);
	cwnd_begin(sk, m->lost_syn);
	count_established(sk);
	tune_begin(sk);
}

void sender_took_syn(struct sock *sk, const struct seg *s)
{
	struct sender *m = &sk->check.snd;

	take_window(sk, s);
	m->retries = 0;
	if (!(s->flags & FLAG_ACK)) {
		/* our SYN goes again: Karn, as above */
		m->timing = false;
		return;
	}
	m->una = s->ack;
	count_acked(sk, 0);
	rtt_measure(sk, s);
	establish(sk);
}

void sender_established(struct sock *sk, const struct seg *s)
{
	struct check *k = &sk->check;

	/* the first ACK may have come long before the data that was waited for */
	if (k->req.acked)
		k->snd.timed_at += sk->host->w->now - k->req.acked_at;
	establish(sk);
	/* RFC 9293 section 3.8.6.2.1: the largest so far, the SYN's too */
	k->snd.max_wnd = k->in.wnd;
	take_window(sk, s);
	sender_ack(sk, s);
}

/* --- an ACK --- */

/* RFC 9293 section 3.10.7.4: not the window of an old segment. */
static bool update_window(struct sock *sk, const struct seg *s)
{
	struct sender *m = &sk->check.snd;
	u32 old = m->wnd;

	if (seq_le(s->ack, m->una) &&
	    (seq_lt(s->seq, m->wl1) ||
	     (s->seq == m->wl1 && seq_lt(s->ack, m->wl2))))
		return false;
	take_window(sk, s);
	return m->wnd != old;
}

/* Bytes of data that an ACK covers anew: SYN and FIN are none. */
static u32 data_covered(const struct sock *sk, u32 ack)
{
	const struct sender *m = &sk->check.snd;
	u32 from = seq_max(m->una, sk->check.out.seq + 1);
	u32 to = seq_min(ack, written(sk));

	return seq_lt(from, to) ? to - from : 0;
}

static void new_ack(struct sock *sk, const struct seg *s)
{
	struct sender *m = &sk->check.snd;
	u32 bytes = data_covered(sk, s->ack);

	cwnd_measure(sk);
	cwnd_owe(sk, bytes);
	m->una = s->ack;
	m->head_at = m->burst_at = 0;
	m->next = seq_max(m->next, m->una);
	m->small_end = seq_max(m->small_end, m->una);
	count_acked(sk, bytes);
	rtt_measure(sk, s);
	hystart_model_acked(sk);
	m->retries = 0;
	m->limited = 0;
	m->owed = false;
	if (m->recovering) {
		cwnd_ack_in_recovery(sk, bytes);
		return;
	}
	m->dupacks = 0;
	if (m->back == BACK_DUPACKS)
		m->back = BACK_AFTER_DUPACKS;
	if (bytes)
		cwnd_grow(sk, bytes);
	m->recover = seq_max(m->recover, m->una - 1);
	timer_acked(sk);
}

/* RFC 5681 section 2, definition of a duplicate ACK */
static bool is_duplicate(const struct sender *m, const struct seg *s,
			 bool window_changed)
{
	return m->next != m->una && !s->len && !(s->flags & FLAG_FIN) &&
	       s->ack == m->una && !window_changed;
}

/* A peer that answers is alive; one that opens its window ends the probing. */
static void answered(struct sock *sk, bool was_shut)
{
	struct sender *m = &sk->check.snd;

	if (!m->persisting)
		return;
	m->retries = 0;
	if (!was_shut || !m->wnd)
		return;
	m->persisting = m->probe_due = false;
	m->probe_backoffs = 0;
	m->due = NEVER;
}

void sender_ack(struct sock *sk, const struct seg *s)
{
	struct sender *m = &sk->check.snd;
	bool was_shut = !m->wnd;
	bool window_changed;

	if (seq_lt(s->ack, m->una))
		return;
	window_changed = update_window(sk, s);
	if (seq_gt(s->ack, m->una))
		new_ack(sk, s);
	else if (is_duplicate(m, s, window_changed))
		cwnd_duplicate(sk);
	answered(sk, was_shut);
}

/* --- what leaves --- */

static u32 window_room(const struct sender *m)
{
	u32 edge = m->una + m->wnd;

	return seq_gt(edge, m->next) ? edge - m->next : 0;
}

/* RFC 3042: each of the first two duplicate ACKs lets a new segment out. */
static u32 cwnd_room(const struct sender *m)
{
	u32 flight = m->next - m->una;
	u32 most = m->cwnd;

	if (flight + m->smss > most && !m->recovering && m->next == m->nxt)
		most += min_t(u32, m->dupacks, LIMITED_TRANSMIT_SEGMENTS) *
			m->smss;
	return most > flight ? most - flight : 0;
}

/*
 * RFC 9293 section 3.7.4, as poll.c chooses: one small segment in flight at a
 * time; none where the user says that more follows, or holds it back.
 */
static bool end_may_go(const struct sock *sk)
{
	const struct sender *m = &sk->check.snd;

	if (fin_waits(sk) || m->push || urgent_waits(sk) ||
	    seq_lt(m->next, m->nxt))
		return true;
	return !m->more && !m->cork &&
	       (m->nodelay || seq_le(m->small_end, m->una));
}

/* RFC 9293 section 3.8.6.2.1: bytes of data that go out now. */
static u32 sendable(const struct sock *sk)
{
	const struct sender *m = &sk->check.snd;
	u32 end = written(sk);
	u32 waits = seq_lt(m->next, end) ? end - m->next : 0;
	u32 wnd = window_room(m);
	u32 most = min_t(u32, wnd, cwnd_room(m));
	u32 len = min_t(u32, waits, most);
	u32 part;

	/* each packet has an urgent pointer of its own */
	if (urgent_waits(sk))
		len = min_t(u32, len, m->smss);
	len = min_t(u32, len, max_t(u32, sk->host->cfg->offload, m->smss));
	part = len % m->smss;
	if (!part || (len == waits && end_may_go(sk)))
		return len;
	if (len == part && len == wnd &&
	    (len >= m->max_wnd / 2 || seq_lt(m->next, m->nxt)))
		return len;
	return len - part;
}

/* RFC 9293 section 3.4: its number lies in the window, or did when it went first. */
static bool fin_fits(const struct sock *sk)
{
	const struct sender *m = &sk->check.snd;
	u32 fin = written(sk);

	return seq_lt(fin, m->nxt) || seq_lt(fin, m->una + m->wnd);
}

/* The FIN alone, whatever cwnd is; into a shut window if nothing is in flight. */
static bool fin_may_go(const struct sock *sk)
{
	const struct sender *m = &sk->check.snd;

	return fin_waits(sk) && m->next == written(sk) &&
	       (fin_fits(sk) || m->next == m->una);
}

static void expect(struct sock *sk, const struct seg *s, u32 seq, u32 len,
		   const char *what)
{
	if (s->seq != seq || s->len != len)
		rule_fail(sk, "%s: %u bytes from %u sent, not %u from %u", what,
			  s->len, s->seq, len, seq);
}

/* RFC 5681 section 4.1: before data goes out, and be it the first after long. */
static void after_silence(struct sock *sk)
{
	const struct sender *m = &sk->check.snd;

	if (m->next == m->una && m->sent_any &&
	    sk->host->w->now - m->last_sent > sender_rto(sk))
		cwnd_idle(sk);
}

static void lost_segment(struct sock *sk, const struct seg *s)
{
	struct sender *m = &sk->check.snd;
	u32 end = seq_min(m->nxt, written(sk));

	expect(sk, s, m->una, min_t(u32, end - m->una, m->smss),
	       "what was lost");
	if (s->cause != (m->partial_seen ? BY_PARTIAL_ACK : BY_THIRD_DUPACK))
		rule_fail(sk, "what was lost goes for: %s",
			  cause_name(s->cause));
	m->owed = false;
	/* a FIN that has had no room joins it, and is in flight like all else */
	if (m->next == m->nxt)
		m->next = seq_max(m->next, seg_end(s));
	m->resent += s->len;
	/* RFC 6675 section 6, but for what partial ACKs call for */
	if (m->due == NEVER || !m->partial_seen)
		timer_start(sk);
}

/* RFC 9293 section 3.8.6.1; the octet stays out of the flight. */
static void probe(struct sock *sk, const struct seg *s)
{
	struct sender *m = &sk->check.snd;
	u32 room = window_room(m);
	u32 end = written(sk);
	u32 waits = seq_lt(m->next, end) ? end - m->next : 0;

	expect(sk, s, m->next,
	       min_t(u32, waits, clamp_t(u32, room, 1, m->smss)), "probe");
	m->probe_due = false;
	if (room) {
		after_silence(sk);
		m->next = seg_end(s);
		timer_start(sk);
		return;
	}
	count_host(sk->host, MIB_WIN_PROBE, 1);
	timer_probe(sk);
}

/* RFC 9293 sections 3.10.2 and 3.10.4, RFC 3042 section 2 */
static enum cause cause_of_new(const struct sender *m, u32 len)
{
	if (!len)
		return BY_FIN;
	return m->next - m->una + len > m->cwnd ? BY_LIMITED_TRANSMIT : BY_DATA;
}

static void stream(struct sock *sk, const struct seg *s)
{
	struct sender *m = &sk->check.snd;
	bool first = m->next == m->una;
	u32 len;

	if (sendable(sk))
		after_silence(sk);
	len = sendable(sk);
	expect(sk, s, m->next, len, "data");
	if (!len && !fin_may_go(sk))
		rule_fail(sk, "a FIN that may not go");
	if (m->next == m->nxt && s->cause != cause_of_new(m, len))
		rule_fail(sk, "%u new bytes go for: %s", len,
			  cause_name(s->cause));
	if (m->next == m->nxt && m->next - m->una + len > m->cwnd && len)
		m->limited += len;
	m->next = seg_end(s);
	if (first || m->due == NEVER || m->persisting)
		timer_start(sk);
}

/*
 * RFC 5681 section 4.1: after a silence of more than an RTO no more than IW leaves at
 * once, whatever had held it back, until an ACK tells of the path again.
 */
static void after_rest(struct sock *sk, const struct seg *s)
{
	struct sender *m = &sk->check.snd;
	u64 now = sk->host->w->now;

	/* a probe of a shut window ends no silence */
	if (!window_room(m))
		return;
	if (m->sent_any && m->next == m->una &&
	    now - m->last_sent > sender_rto(sk)) {
		m->burst_at = now;
		m->burst = 0;
	}
	/* RFC 3042 goes beyond cwnd */
	if (m->burst_at != now || !now || s->cause == BY_LIMITED_TRANSMIT)
		return;
	m->burst += s->len;
	if (m->burst > max_t(u32, cwnd_initial(sk), m->smss))
		rule_fail(sk, "%u bytes at once after a silence", m->burst);
}

/* The oldest bytes go out again. */
static void note_head(struct sock *sk, const struct seg *s)
{
	struct sender *m = &sk->check.snd;

	/* RFC 6582 section 4, Impatient: not for what a partial ACK calls for */
	if (s->seq != m->una || !seq_lt(m->una, m->nxt) ||
	    (m->owed && m->partial_seen))
		return;
	m->head_at = sk->host->w->now;
	m->head_rto = sender_rto(sk);
}

void sender_data(struct sock *sk, const struct seg *s)
{
	struct sender *m = &sk->check.snd;
	u32 end = s->seq + s->len;
	bool probes = m->probe_due && !m->owed && m->next == m->una;

	after_rest(sk, s);
	note_head(sk, s);
	if (!m->on)
		rule_fail(sk, "data before the handshake is done");
	if ((s->flags & FLAG_PSH) !=
	    (s->len && end == written(sk) ? FLAG_PSH : 0))
		rule_fail(sk, "bytes up to %u of %u, %s PSH", end, written(sk),
			  s->flags & FLAG_PSH ? "with" : "without");
	if (fin_waits(sk) && end == written(sk) &&
	    !(s->flags & FLAG_FIN) != !(fin_fits(sk) || !s->len))
		rule_fail(sk, "all is sent and the user has closed, %s FIN",
			  s->flags & FLAG_FIN ? "a" : "no");
	if (m->owed)
		lost_segment(sk, s);
	else if (probes)
		probe(sk, s);
	else
		stream(sk, s);
	if (s->len % m->smss)
		m->small_end = seq_max(m->small_end, end);
	rtt_sent(sk, s->seq, seg_end(s));
	hystart_model_sent(sk, s->seq, seg_end(s));
	m->nxt = seq_max(m->nxt, seg_end(s));
	if (probes && m->persisting) {
		m->timing = m->refusable = false;
		return;
	}
	m->sent_any = true;
	m->last_sent = sk->host->w->now;
}

/*
 * RFC 9293 section 3.10.7.4: at SND.NXT, or where a probe has gone beyond all
 * windows at the furthest edge, which the peer must honour (RFC 7323 section 2.4).
 */
u32 sender_bare_seq(const struct sock *sk)
{
	const struct sender *m = &sk->check.snd;
	u32 first = m->on ? m->una : m->nxt;

	return seq_max(first, seq_min(m->nxt, m->edge));
}

/* --- what the counters ask --- */

bool sender_is_fast(const struct sock *sk)
{
	const struct sender *m = &sk->check.snd;

	return m->owed || (m->back == BACK_DUPACKS && m->next != m->nxt);
}

bool sender_is_slow(const struct sock *sk)
{
	const struct sender *m = &sk->check.snd;

	return m->back == BACK_TIMEOUT || m->back == BACK_AFTER_DUPACKS;
}

bool sender_is_idle(const struct sock *sk)
{
	const struct sender *m = &sk->check.snd;
	u32 end = written(sk);
	u32 unsent = seq_lt(m->nxt, end) ? end - m->nxt : 0;

	return unsent < m->smss && m->next - m->una + m->smss <= m->cwnd;
}

bool sender_has_unsent(const struct sock *sk)
{
	return seq_lt(sk->check.snd.nxt, written(sk) + fin_waits(sk));
}

enum limit sender_waits_for(const struct sock *sk)
{
	const struct sender *m = &sk->check.snd;
	u32 end = written(sk);
	u32 unsent = seq_lt(m->nxt, end) ? end - m->nxt : 0;
	u32 wanted = min_t(u32, unsent, m->smss);

	if (!state_in(sk->c.state, STATES_CAN_SEND) || seq_ge(m->una, end))
		return LIMIT_IDLE;
	if (wanted && cwnd_room(m) >= wanted && window_room(m) < wanted)
		return LIMIT_RWND;
	return sk->check.counts.user_waits && !unsent ? LIMIT_SNDBUF :
							LIMIT_PATH;
}

/* --- the user, the path --- */

void sender_write(struct sock *sk, bool more)
{
	struct sender *m = &sk->check.snd;

	m->more = more;
	m->push = false;
}

/* RFC 1191 section 6.5: what is in flight goes again, in smaller segments. */
void sender_mss(struct sock *sk, u32 mtu_mss)
{
	struct sender *m = &sk->check.snd;
	u32 old = m->smss;

	m->mtu_mss = mtu_mss;
	if (!m->on)
		return;
	m->smss = segment_size(sk);
	if (m->smss < old && m->next != m->una &&
	    state_in(sk->c.state, STATES_CAN_SEND))
		sender_go_back(sk, BACK_OTHER);
	cwnd_new_smss(sk);
}

void sender_go_back(struct sock *sk, enum back why)
{
	struct sender *m = &sk->check.snd;

	/* a timeout has set cwnd already */
	if (m->recovering && why != BACK_TIMEOUT)
		cwnd_recovered(sk);
	/* RFC 6582 section 4.1: what had arrived is answered twice */
	if (m->next != m->una)
		m->recover = m->nxt;
	m->back = why;
	m->recovering = m->owed = false;
	m->dupacks = m->limited = 0;
	m->next = m->full.end = m->una;
	m->timing = false;
	m->back_at = sk->host->w->now;
}

/* --- at rest --- */

static void rest_nothing_left(struct sock *sk)
{
	struct sender *m = &sk->check.snd;

	if (m->owed && m->una != m->nxt)
		rule_fail(sk, "a lost segment is not sent again");
	if (m->probe_due && m->next == m->una && is_waiting(sk))
		rule_fail(sk, "a shut window is not probed");
	m->owed = m->probe_due = false;
	if (sendable(sk) || (fin_may_go(sk)))
		rule_fail(sk, "%u bytes%s may go out, and do not", sendable(sk),
			  fin_may_go(sk) ? " and the FIN" : "");
}

/* What the user is told of his bytes. */
static void rest_told(struct sock *sk)
{
	const struct sender *m = &sk->check.snd;
	const struct conn *c = &sk->c;
	u32 end = written(sk), fin = end + fin_waits(sk);

	if (conn_unacked(c) != (seq_lt(m->una, end) ? end - m->una : 0))
		rule_fail(sk, "%u bytes not acknowledged are told of",
			  conn_unacked(c));
	if (conn_outq(c) != fin - m->una || conn_outq_unsent(c) != fin - m->nxt)
		rule_fail(sk, "%u in the queue, %u not sent; it is %u and %u",
			  conn_outq(c), conn_outq_unsent(c), fin - m->una,
			  fin - m->nxt);
}

static void rest_compare(struct sock *sk)
{
	const struct sender *m = &sk->check.snd;
	const struct conn *c = &sk->c;

	if (c->snd_una != m->una || c->snd_nxt != m->nxt ||
	    conn_next(c) != m->next || c->snd_wnd != m->wnd ||
	    c->smss != m->smss)
		rule_fail(sk,
			  "una %u nxt %u next %u wnd %u smss %u, not "
			  "%u %u %u %u %u",
			  c->snd_una, c->snd_nxt, conn_next(c), c->snd_wnd,
			  c->smss, m->una, m->nxt, m->next, m->wnd, m->smss);
	if (c->cc.cwnd != m->cwnd || c->cc.ssthresh != m->ssthresh)
		rule_fail(sk, "cwnd %u, ssthresh %u, by the RFCs %u, %u",
			  c->cc.cwnd, c->cc.ssthresh, m->cwnd, m->ssthresh);
}

/*
 * RFC 5681 section 3.2 and RFC 6582 section 3.2: while a recovery lasts ssthresh does
 * not rise, a timeout in it included, and whatever ends it leaves no inflated cwnd.
 */
static void rest_recovery(struct sock *sk)
{
	struct sender *m = &sk->check.snd;
	const struct conn *c = &sk->c;
	u32 most = max_t(u32, m->seen.ssthresh, 2 * c->smss);

	if (m->seen.recovering && c->cc.ssthresh > most)
		rule_fail(sk, "ssthresh rises from %u to %u in a recovery",
			  m->seen.ssthresh, c->cc.ssthresh);
	if (m->seen.recovering && !c->recovering &&
	    c->cc.cwnd > max_t(u32, c->cc.ssthresh, c->smss))
		rule_fail(sk, "a recovery leaves cwnd at %u, ssthresh is %u",
			  c->cc.cwnd, c->cc.ssthresh);
	m->seen.recovering = c->recovering;
	m->seen.ssthresh = c->cc.ssthresh;
}

/*
 * RFC 6298 (5.1), RFC 6675 section 6: what goes out again has an RTO for its ACK, but
 * where the window is shut, or the user gives less time.
 */
static void rest_patience(struct sock *sk)
{
	const struct sender *m = &sk->check.snd;
	u64 due = sk->c.timer[TIMER_RTX];

	if (!m->head_at || sk->c.persisting || !m->wnd ||
	    sk->host->cfg->user_timeout)
		return;
	if (due < m->head_at + m->head_rto)
		rule_fail(sk, "the timer fires %llu us after a retransmission",
			  (unsigned long long)(due - m->head_at));
}

void sender_rest(struct sock *sk)
{
	struct sender *m = &sk->check.snd;

	rest_patience(sk);
	rest_recovery(sk);
	if (m->on && state_in(sk->c.state, STATES_CAN_SEND)) {
		rest_nothing_left(sk);
		cwnd_rest(sk);
		timer_persist(sk, is_waiting(sk));
	}
	if (m->on && state_in(sk->c.state, STATES_SYNCHRONIZED)) {
		rest_compare(sk);
		hystart_model_rest(sk);
		rest_told(sk);
	}
	timer_rest(sk);
}
