// SPDX-License-Identifier: GPL-2.0
/*
 * poll.c - what may be sent now: the only place that decides to send
 *
 * In this order: RST, SYN, the segment a loss calls for, a probe of a shut
 * window, data and FIN, a keep-alive, a bare ACK.
 */
#include "emit.h"
#include "params.h"
#include "recover.h"
#include "timer.h"
#include "urgent.h"
#include "window.h"

/* --- what all segments share --- */

static void add_timestamp(const struct conn *c, u64 now, struct seg *s)
{
	if (!c->ts_ok)
		return;
	s->has_ts = true;
	s->tsval = timestamp(c->ts_off, now);
	s->tsecr = c->ts_recent;
}

/* Every segment with an ACK says all we know: nothing more is owed then. */
static void add_ack(struct conn *c, u64 now, struct seg *s)
{
	s->flags |= FLAG_ACK;
	s->ack = c->rcv_nxt;
	s->wnd = window_advertise(c, now);
	c->ack_now = 0;
	timer_stop(c, TIMER_DELACK);
}

static void fill(struct conn *c, u32 seq, enum cause cause, u64 now,
		 struct seg *s)
{
	s->sport = c->sport;
	s->dport = c->dport;
	s->seq = seq;
	s->smss = c->smss;
	s->cause = cause;
	add_ack(c, now, s);
	add_timestamp(c, now, s);
}

/* What goes out again is held for lost, if it was not before. */
static void keep_score(struct conn *c, u32 seq, u32 end, u64 now)
{
	const struct seq_range again = { seq, seq_min(end, c->snd_nxt) };

	if (seq_lt(seq, c->snd_nxt)) {
		sent_lose(&c->sent, &again);
		sent_resend(&c->sent, &again, now);
	}
	if (seq_gt(end, c->snd_nxt)) {
		sent_push(&c->sent, c->snd_nxt, end, now);
		c->snd_nxt = end;
	}
}

/* --- RST and SYN --- */

/*
 * The sequence number of a segment without data. Where a probe went beyond all
 * windows SND.NXT would be unacceptable to the peer; their furthest edge is not,
 * though the last window may end before it, as it is rounded down: the peer must
 * honour each window that it has offered (RFC 7323 section 2.4).
 */
static u32 bare_seq(const struct conn *c)
{
	/* our SYN was no part of any window */
	u32 first = c->snd_una + !c->syn_acked;

	return seq_max(first, seq_min(c->snd_nxt, c->snd_edge));
}

static bool poll_rst(struct conn *c, u64 now, struct seg *s)
{
	if (!c->rst_pending)
		return false;
	c->rst_pending = false;
	fill(c, bare_seq(c), BY_RESET, now, s);
	s->flags |= FLAG_RST;
	trace_segment(c, EV_SEND, BY_RESET, s, now);
	return true;
}

/*
 * RFC 9293 section 3.7.1 and RFC 7323: what a SYN offers, the same each time it goes
 * out.
 */
static void add_syn_options(const struct conn *c, u64 now, struct seg *s)
{
	bool answer = s->flags & FLAG_ACK;

	s->mss = syn_mss(c->mtu_mss, c->user_mss, c->adv_mss);
	s->has_wscale = answer ? c->wscale_ok : c->wscale_offered;
	s->wscale = c->rcv_wscale;
	s->has_ts = answer ? c->ts_ok : c->ts_offered;
	s->tsval = timestamp(c->ts_off, now);
	s->tsecr = answer ? c->ts_recent : 0;
}

static void after_syn(struct conn *c, u64 now)
{
	if (c->snd_nxt == c->iss) {
		c->rtt_timing = true;
		c->rtt_seq = c->iss + 1;
		c->rtt_from = now;
	}
	keep_score(c, c->iss, c->iss + 1, now);
	timer_set_rtx(c, now);
}

static bool poll_syn(struct conn *c, u64 now, struct seg *s)
{
	bool again = c->snd_nxt != c->iss;

	if (!c->syn_pending)
		return false;
	c->syn_pending = false;
	s->sport = c->sport;
	s->dport = c->dport;
	s->seq = c->iss;
	s->flags = FLAG_SYN;
	s->cause = c->syn_lost ? BY_SYN_LOST : BY_HANDSHAKE;
	/* not scaled, so not by window_advertise() */
	s->wnd = min_t(u32, c->rcv_wnd, U16_MAX);
	if (c->state == ST_SYN_RCVD) {
		s->flags |= FLAG_ACK;
		s->ack = c->rcv_nxt;
	}
	add_syn_options(c, now, s);
	after_syn(c, now);
	trace_segment(c, again ? EV_RTX : EV_SEND, s->cause, s, now);
	return true;
}

/* --- a range of the stream --- */

/*
 * RFC 9293 section 3.4: a FIN takes a number, which must lie in the window. One that
 * has gone out goes again as it was.
 */
static bool fin_fits(const struct conn *c, u32 fin)
{
	return seq_lt(fin, c->snd_nxt) || seq_lt(fin, c->snd_una + c->snd_wnd);
}

/*
 * Does a segment that ends here bear the FIN? Alone it does wherever it may go at all;
 * text that fills the window goes without, for a peer who cuts the FIN off would wait
 * for our timer.
 */
static bool bears_fin(const struct conn *c, u32 end, u32 len)
{
	return c->fin_queued && end == c->write_seq &&
	       (!len || fin_fits(c, end));
}

/*
 * RFC 6298 section 3: time a segment of new data, if none is being timed. It is one
 * packet, whose ACK counts although the next packet of the range is lost.
 */
static void time_segment(struct conn *c, u32 seq, u32 end, u64 now)
{
	u32 old;

	if (c->rtt_timing)
		return;
	old = (c->snd_nxt - seq) / c->smss;
	c->rtt_timing = true;
	c->rtt_seq = seq_min(end, seq + (old + 1) * c->smss);
	c->rtt_from = now;
	stats_timing_begins(c, now);
}

/* Sequence numbers [seq, end) go out: is any of them new? */
static void note_sent(struct conn *c, u32 seq, u32 end, u64 now)
{
	if (seq_lt(seq, c->snd_nxt))
		recover_forget_timing(c, now);
	if (seq_gt(end, c->snd_nxt))
		time_segment(c, seq, end, now);
	keep_score(c, seq, end, now);
	/* an answer within its time: from now on ACKs ride on data */
	if (c->stats.bytes_received &&
	    now - c->stats.last_data_in < c->env->tun.delack)
		c->opt.pingpong = true;
}

/*
 * Make a segment of @len bytes at @seq, with the FIN if it reaches it.
 * Return: what the trace calls it.
 */
static enum event_kind make_range(struct conn *c, u32 seq, u32 len,
				  enum cause cause, u64 now, struct seg *s)
{
	bool again = seq_lt(seq, c->snd_nxt);
	u32 end = seq + len;

	fill(c, seq, cause, now, s);
	s->len = len;
	urgent_point(c, s);
	if (len && end == c->write_seq)
		s->flags |= FLAG_PSH;
	if (len % c->smss)
		c->snd_sml = seq_max(c->snd_sml, end);
	if (bears_fin(c, end, len)) {
		s->flags |= FLAG_FIN;
		end++;
	}
	s->new_from = c->snd_nxt;
	note_sent(c, seq, end, now);
	return again ? EV_RTX : EV_SEND;
}

/* --- the segment that duplicate or partial ACKs call for --- */

/*
 * A fast retransmission begins the timer anew, as RFC 6675 section 6 allows: its ACK
 * takes a round trip from here, and where that is longer than the least RTO the
 * timer of the first transmission would end the recovery before it can come. Those
 * that partial ACKs call for do not: RFC 6582 section 4, Impatient.
 */
static bool begins_timer(const struct conn *c)
{
	return !timer_is_set(c, TIMER_RTX) || c->rtx_cause == BY_THIRD_DUPACK;
}

static bool poll_lost(struct conn *c, u64 now, struct seg *s)
{
	u32 data_end = seq_min(c->snd_nxt, c->write_seq);
	enum event_kind kind;
	u32 len;

	if (!c->rtx_one)
		return false;
	c->rtx_one = false;
	if (c->snd_una == c->snd_nxt)
		return false;
	len = min_t(u32, data_end - c->snd_una, c->smss);
	kind = make_range(c, c->snd_una, len, c->rtx_cause, now, s);
	c->last_sent = now;
	trace_segment(c, kind, c->rtx_cause, s, now);
	if (begins_timer(c))
		timer_set_rtx(c, now);
	return true;
}

/* --- after a silence --- */

static bool has_been_idle(const struct conn *c, u64 now)
{
	return !conn_flight(c) && c->last_sent &&
	       now - c->last_sent > rtt_rto(&c->rtt);
}

/*
 * RFC 5681 section 4.1, "before beginning transmission": cwnd says nothing after a
 * silence, whatever it was that held the data back, the user or the peer's window.
 * Probes do not break it: they carry no more than one octet.
 */
static void restart_after_idle(struct conn *c, u64 now)
{
	if (has_been_idle(c, now))
		c->cc.ops->on_idle(c, now);
}

/* --- the shut window --- */

/* Is anything waiting to go out? */
static bool is_waiting(const struct conn *c)
{
	return seq_lt(conn_next(c), c->write_seq + c->fin_queued);
}

/*
 * With nothing in flight no ACK will come to move things on: a timer must. It
 * probes a shut window, and overrides what holds back a small segment.
 */
static void start_persisting(struct conn *c, u64 now)
{
	if (conn_flight(c) || !is_waiting(c) || timer_is_set(c, TIMER_RTX))
		return;
	c->stuck_since = now;
	if (!c->snd_wnd) {
		timer_set_persist(c, now);
		return;
	}
	c->persisting = true;
	timer_set(c, TIMER_RTX, SWS_OVERRIDE, now);
}

/*
 * RFC 9293 section 3.8.6.1: one octet beyond the window, or what a window that
 * SWS avoidance scorned has room for. The octet stays out of the flight, so
 * that it goes out with the rest when the window opens.
 */
static bool poll_probe(struct conn *c, u64 now, struct seg *s)
{
	u32 room = window_room(c);
	enum cause cause = room ? BY_OVERRIDE : BY_ZERO_WINDOW;
	u32 next = conn_next(c);
	enum event_kind kind;
	u32 avail, len;

	if (!c->probe_due)
		return false;
	c->probe_due = false;
	if (conn_flight(c) || !is_waiting(c))
		return false;
	avail = seq_lt(next, c->write_seq) ? c->write_seq - next : 0;
	len = min_t(u32, avail, clamp_t(u32, room, 1, c->smss));
	if (room)
		restart_after_idle(c, now);
	kind = make_range(c, next, len, cause, now, s);
	if (room)
		c->last_sent = now;
	else
		sent_lose_all(&c->sent);
	trace_segment(c, kind, cause, s, now);
	if (room) {
		timer_set_rtx(c, now);
	} else {
		mib_count(c->env, MIB_WIN_PROBE);
		/* no sample is refused: a probe is never timed */
		c->rtt_timing = false;
		timer_set_persist(c, now);
	}
	return true;
}

/* --- data --- */

/* RFC 3042: each of the first two duplicate ACKs lets a new segment out. */
static u32 cwnd_allowance(const struct conn *c)
{
	u32 extra = 0;

	if (!c->recovering && !c->sent.waiting)
		extra = min_t(u32, c->dupacks, LIMITED_TRANSMIT_SEGMENTS);
	return c->cc.cwnd + extra * c->smss;
}

static u32 cwnd_room(const struct conn *c)
{
	u32 flight = conn_flight(c);
	u32 allowed = c->cc.cwnd;

	/* limited transmit's segments go out by themselves, to be counted */
	if (flight + c->smss > allowed)
		allowed = cwnd_allowance(c);
	return allowed > flight ? allowed - flight : 0;
}

/*
 * May the last, partial segment of what is written go? RFC 9293 section 3.7.4.
 * DEVIATES: it waits only while another partial segment is unacknowledged, not
 * while anything is; that is what the kernel's TCP does (Minshall), and a long
 * write then does not wait for an ACK with its last bytes.
 */
static bool tail_may_go(const struct conn *c)
{
	if (c->fin_queued || c->push || urgent_sending(c) || c->sent.waiting)
		return true;
	if (c->more || c->opt.cork)
		return false;
	return c->opt.nodelay || seq_le(c->snd_sml, c->snd_una);
}

/*
 * RFC 9293 section 3.8.6.2.1, (3): half of the largest window is worth it. What
 * is sent again is not held back: its timeout has waited long enough.
 */
static bool part_may_go(const struct conn *c, u32 len, u32 room)
{
	return len == room && (len >= conn_worth_sending(c) || c->sent.waiting);
}

/*
 * How much of @avail bytes, given room in both windows. Whole segments but for
 * the end of the data, or where SWS avoidance allows a part.
 */
static u32 data_len(const struct conn *c, u32 avail, u32 max_len)
{
	u32 room = window_room(c);
	u32 len = min_t(u32, avail, min_t(u32, room, cwnd_room(c)));
	u32 whole;

	len = min_t(u32, len, max_t(u32, max_len, c->smss));
	whole = len - len % c->smss;
	if (whole == len || (len == avail && tail_may_go(c)))
		return len;
	if (!whole && part_may_go(c, len, room))
		return len;
	return whole;
}

static enum cause data_cause(const struct conn *c, u32 len)
{
	if (c->sent.waiting)
		return c->rtx_cause;
	if (!len)
		return BY_FIN;
	return conn_flight(c) + len > c->cc.cwnd ? BY_LIMITED_TRANSMIT :
						   BY_DATA;
}

/*
 * The FIN alone, where all data is sent: cwnd does not hold it back. Nor does a window
 * that is shut, if nothing else waits: no ACK would come to open it.
 */
static bool fin_may_go(const struct conn *c)
{
	return c->fin_queued && conn_next(c) == c->write_seq &&
	       (fin_fits(c, c->write_seq) || !conn_flight(c));
}

/* What is written and may go now. */
static u32 next_len(struct conn *c, u32 max_len, u64 now)
{
	u32 next = conn_next(c);
	u32 avail = c->write_seq - next;

	if (!seq_lt(next, c->write_seq))
		return 0;
	/* each packet has a pointer of its own */
	if (urgent_sending(c))
		max_len = c->smss;
	if (has_been_idle(c, now) && data_len(c, avail, max_len))
		restart_after_idle(c, now);
	return data_len(c, avail, max_len);
}

static bool poll_data(struct conn *c, u32 max_len, u64 now, struct seg *s)
{
	u32 len = next_len(c, max_len, now);
	bool first = !conn_flight(c);
	enum event_kind kind;
	enum cause cause;

	if (!len && !fin_may_go(c)) {
		start_persisting(c, now);
		return false;
	}
	cause = data_cause(c, len);
	kind = make_range(c, conn_next(c), len, cause, now, s);
	if (cause == BY_LIMITED_TRANSMIT)
		c->limited += len;
	c->last_sent = now;
	trace_segment(c, kind, cause, s, now);
	/* the first of all that goes again, too */
	if (first || !timer_is_set(c, TIMER_RTX) || c->persisting)
		timer_set_rtx(c, now);
	return true;
}

/* --- nothing but an ACK --- */

/* RFC 9293 section 3.8.4: SEG.SEQ = SND.NXT - 1, which the peer must answer */
static bool poll_keepalive(struct conn *c, u64 now, struct seg *s)
{
	if (!c->keep_due)
		return false;
	c->keep_due = false;
	fill(c, c->snd_nxt - 1, BY_KEEPALIVE, now, s);
	mib_count(c->env, MIB_KEEPALIVE);
	trace_segment(c, EV_SEND, BY_KEEPALIVE, s, now);
	return true;
}

static bool poll_ack(struct conn *c, u64 now, struct seg *s)
{
	enum cause cause = c->ack_now;

	if (!cause)
		return false;
	if (cause == BY_ACK_QUICK && c->quickacks)
		c->quickacks--;
	fill(c, bare_seq(c), cause, now, s);
	urgent_point(c, s);
	trace_segment(c, EV_SEND, cause, s, now);
	return true;
}

static bool poll_any(struct conn *c, u32 max_len, u64 now, struct seg *s)
{
	if (poll_rst(c, now, s) || poll_syn(c, now, s))
		return true;
	if (!state_in(c->state, STATES_SYNCHRONIZED | STF(SYN_RCVD)))
		return false;
	if (state_in(c->state, STATES_CAN_SEND) &&
	    (poll_lost(c, now, s) || poll_probe(c, now, s) ||
	     poll_data(c, max_len, now, s)))
		return true;
	return poll_keepalive(c, now, s) || poll_ack(c, now, s);
}

/* Data waits, cwnd would let it go, the peer's window does not. */
static bool is_rwnd_limited(const struct conn *c)
{
	u32 next = min_t(u32, conn_unsent(c), c->smss);

	return next && cwnd_room(c) >= next && window_room(c) < next;
}

static enum limit what_limits(const struct conn *c)
{
	if (!state_in(c->state, STATES_CAN_SEND) || !conn_unacked(c))
		return LIMIT_IDLE;
	if (is_rwnd_limited(c))
		return LIMIT_RWND;
	if (c->stats.user_waits && !conn_unsent(c))
		return LIMIT_SNDBUF;
	return LIMIT_PATH;
}

bool conn_poll(struct conn *c, u32 max_len, u64 now, struct seg *s)
{
	memset(s, 0, sizeof(*s));
	if (poll_any(c, max_len, now, s)) {
		stats_sent(c, s);
		return true;
	}
	stats_set_limit(c, what_limits(c), now);
	return false;
}
