// SPDX-License-Identifier: GPL-2.0
/*
 * arrive.c - a segment arrives (RFC 9293 sections 3.10.7.3 and 3.10.7.4)
 *
 * The steps of the RFC in its order, a function a step. A step answers whether
 * the next is to be taken. The third step of section 3.10.7.4 (security) is
 * empty: nobody sets a compartment.
 */
#include "emit.h"
#include "params.h"
#include "recover.h"
#include "timer.h"
#include "urgent.h"
#include "window.h"

static bool drop(struct verdict *v, enum cause why)
{
	v->drop = why;
	return false;
}

/* Drop it, and tell the peer where we stand. */
static bool drop_and_ack(struct conn *c, struct verdict *v, enum cause why,
			 enum cause ack)
{
	if (why == DROP_OLD_DUPLICATE)
		mib_count(c->env, MIB_DELAYED_ACK_LOST);
	c->ack_now = ack;
	return drop(v, why);
}

/* Answer as often as RFC 5961 section 7 allows. */
static void ack_some(struct conn *c, enum cause ack, u64 now)
{
	if (challenge_allowed(&c->challenge, c->env, now))
		c->ack_now = ack;
}

static bool drop_and_ack_some(struct conn *c, struct verdict *v, enum cause why,
			      enum cause ack, u64 now)
{
	ack_some(c, ack, now);
	return drop(v, why);
}

static bool drop_and_challenge(struct conn *c, struct verdict *v,
			       enum cause why, u64 now)
{
	return drop_and_ack_some(c, v, why, BY_ACK_CHALLENGE, now);
}

/* --- RFC 7323: before all steps --- */

static bool is_paws_old(const struct conn *c, const struct seg *s, u64 now)
{
	return c->ts_recent_ok && seq_lt(s->tsval, c->ts_recent) &&
	       now - c->ts_recent_at < PAWS_IDLE;
}

/* RFC 7323 section 5.3, R1; a RST is not tested (section 5.2) */
static bool check_timestamp(struct conn *c, const struct seg *s, u64 now,
			    struct verdict *v)
{
	if (!c->ts_ok || s->flags & FLAG_RST)
		return true;
	if (!s->has_ts)
		return drop(v, DROP_NO_TIMESTAMP);
	if (!is_paws_old(c, s, now))
		return true;
	if (!seg_space(s))
		return drop_and_ack_some(c, v, DROP_PAWS, BY_ACK_UNACCEPTABLE,
					 now);
	return drop_and_ack(c, v, DROP_PAWS, BY_ACK_UNACCEPTABLE);
}

/* RFC 7323 section 4.3, (2): an acceptable segment at the left edge */
static void keep_timestamp(struct conn *c, const struct seg *s, u64 now)
{
	if (!c->ts_ok || !s->has_ts || seq_gt(s->seq, c->last_ack_sent))
		return;
	if (c->ts_recent_ok && seq_lt(s->tsval, c->ts_recent) &&
	    now - c->ts_recent_at < PAWS_IDLE)
		return;
	c->ts_recent = s->tsval;
	c->ts_recent_ok = true;
	c->ts_recent_at = now;
}

/* --- first: the sequence number --- */

/*
 * The table of section 3.10.7.4. What begins exactly at RCV.NXT is acceptable
 * for its ACK and RST even where the window is shut; the seventh step cuts the
 * text off.
 * DEVIATES: what takes no number may stand right at the edge too, as in the
 * kernel's TCP. That is where a sender's ACKs are, and its RST, while all it was
 * allowed to send is in flight; if some of that is lost, the table refuses them.
 */
static bool is_acceptable(const struct conn *c, const struct seg *s)
{
	u32 wnd = window_left(c);
	u32 space = seg_space(s);

	if (s->seq == c->rcv_nxt)
		return true;
	if (!wnd)
		return false;
	if (!space)
		return s->seq - c->rcv_nxt <= wnd;
	return s->seq - c->rcv_nxt < wnd ||
	       s->seq + space - 1 - c->rcv_nxt < wnd;
}

/*
 * A new ACK without text one number before RCV.NXT, of a peer that has not heard
 * that we took the octet of its zero-window probe. "Special allowance should be
 * made to accept valid ACKs": where both ends probed, neither would else ever hear
 * of the other's window.
 */
static bool is_ack_of_prober(const struct conn *c, const struct seg *s)
{
	return s->seq == c->rcv_nxt - 1 && !seg_space(s) &&
	       (s->flags & (FLAG_RST | FLAG_ACK)) == FLAG_ACK &&
	       seq_gt(s->ack, c->snd_una) && seq_le(s->ack, c->snd_nxt);
}

static bool check_sequence(struct conn *c, const struct seg *s, u64 now,
			   struct verdict *v)
{
	enum cause why;

	if (is_acceptable(c, s))
		return true;
	if (is_ack_of_prober(c, s)) {
		ack_some(c, BY_ACK_UNACCEPTABLE, now);
		return true;
	}
	why = seq_lt(s->seq, c->rcv_nxt) ? DROP_OLD_DUPLICATE :
					   DROP_OUT_OF_WINDOW;
	if (s->flags & FLAG_RST)
		return drop(v, why);
	/* no two ends that disagree may talk about it for ever */
	if (!seg_space(s))
		return drop_and_ack_some(c, v, why, BY_ACK_UNACCEPTABLE, now);
	return drop_and_ack(c, v, why, BY_ACK_UNACCEPTABLE);
}

/* --- second: RST --- */

/* What the user is told of a reset depends on the state it strikes. */
static void set_reset_error(struct conn *c)
{
	switch (c->state) {
	case ST_SYN_SENT:
	case ST_SYN_RCVD:
		c->err = ECONNREFUSED;
		break;
	case ST_CLOSE_WAIT:
		c->err = EPIPE;
		break;
	default:
		c->err = ECONNRESET;
	}
}

/* RFC 5961 section 3.2: only the exact sequence number resets. */
static bool check_rst(struct conn *c, const struct seg *s, u64 now,
		      struct verdict *v)
{
	if (!(s->flags & FLAG_RST))
		return true;
	if (s->seq != c->rcv_nxt)
		return drop_and_challenge(c, v, DROP_RST_CHALLENGED, now);
	set_reset_error(c);
	conn_end(c, BY_RCVD_RST, now);
	v->wake |= WAKE_STATE | WAKE_READ | WAKE_WRITE;
	return false;
}

/* --- fourth: SYN --- */

/* RFC 5961 section 4.2 */
static bool check_syn(struct conn *c, const struct seg *s, u64 now,
		      struct verdict *v)
{
	if (!(s->flags & FLAG_SYN))
		return true;
	return drop_and_challenge(c, v, DROP_SYN_CHALLENGED, now);
}

/* --- fifth: ACK --- */

static bool is_ack_of_syn(const struct conn *c, const struct seg *s)
{
	return seq_gt(s->ack, c->snd_una) && seq_le(s->ack, c->snd_nxt);
}

static bool ack_in_syn_rcvd(struct conn *c, const struct seg *s, u64 now,
			    struct verdict *v)
{
	if (!is_ack_of_syn(c, s)) {
		v->reset = true;
		return drop(v, DROP_HANDSHAKE_ACK);
	}
	conn_establish(c, BY_RCVD_ACK_OF_SYN, now);
	window_take(c, s, now);
	v->wake |= WAKE_STATE | WAKE_WRITE;
	return true;
}

/* RFC 5961 section 5.2: SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT */
static bool is_ack_believable(struct conn *c, const struct seg *s, u64 now,
			      struct verdict *v)
{
	if (seq_gt(s->ack, c->snd_nxt))
		return drop_and_challenge(c, v, DROP_ACK_UNSENT, now);
	if (seq_lt(s->ack, c->snd_una - c->max_wnd))
		return drop_and_challenge(c, v, DROP_ACK_TOO_OLD, now);
	return true;
}

/* Bytes of data between SND.UNA and an acknowledgment: SYN and FIN are none. */
static u32 data_acked(const struct conn *c, u32 to)
{
	u32 first = c->snd_una + !c->syn_acked;
	u32 last = seq_min(to, c->write_seq);

	return seq_lt(first, last) ? last - first : 0;
}

static void advance_una(struct conn *c, const struct seg *s, u64 now,
			struct verdict *v)
{
	u32 acked = data_acked(c, s->ack);
	struct sent_news news = {};

	cc_measure_pipe(c);
	c->syn_acked = true;
	c->snd_una = s->ack;
	sent_ack(&c->sent, s->ack, &news);
	hystart_sample(c, &news, now);
	c->snd_sml = seq_max(c->snd_sml, s->ack);
	stats_acked(c, acked, now);
	c->snd_up = seq_max(c->snd_up, s->ack);
	recover_on_ack(c, acked, s, now);
	v->progress = true;
	if (acked)
		v->wake |= WAKE_WRITE;
}

/* RFC 5681 section 2, definition of a duplicate acknowledgment, (a) to (e) */
static bool is_duplicate_ack(const struct conn *c, const struct seg *s,
			     bool window_changed)
{
	return conn_flight(c) && !s->len &&
	       !(s->flags & (FLAG_SYN | FLAG_FIN)) && s->ack == c->snd_una &&
	       !window_changed;
}

/* The peer answers: its shut window is no silence, and it may have opened. */
static void end_persisting(struct conn *c, bool was_shut)
{
	if (!c->persisting)
		return;
	c->retries = 0;
	if (!was_shut || !c->snd_wnd)
		return;
	c->persisting = false;
	c->probe_due = false;
	c->probe_backoffs = 0;
	timer_stop(c, TIMER_RTX);
}

static void take_ack(struct conn *c, const struct seg *s, u64 now,
		     struct verdict *v)
{
	bool was_shut = !c->snd_wnd;
	bool window_changed;

	if (seq_lt(s->ack, c->snd_una))
		return;
	window_changed = window_update(c, s, now);
	if (seq_gt(s->ack, c->snd_una))
		advance_una(c, s, now, v);
	else if (is_duplicate_ack(c, s, window_changed))
		recover_on_dupack(c, now);
	end_persisting(c, was_shut);
}

static void fin_acked(struct conn *c, u64 now, struct verdict *v)
{
	enum conn_state to = state_after_fin_acked(c->state);

	if (!conn_fin_acked(c) || to == c->state)
		return;
	v->wake |= WAKE_STATE;
	if (to == ST_CLOSED) {
		conn_end(c, BY_RCVD_ACK_OF_FIN, now);
		return;
	}
	state_set(c, to, BY_RCVD_ACK_OF_FIN, now);
	if (to == ST_TIME_WAIT)
		timer_stop_all(c);
	else if (c->orphan)
		conn_await_fin(c, now);
}

static bool check_ack(struct conn *c, const struct seg *s, u64 now,
		      struct verdict *v)
{
	if (!(s->flags & FLAG_ACK))
		return drop(v, DROP_NO_ACK);
	if (c->state == ST_SYN_RCVD && !ack_in_syn_rcvd(c, s, now, v))
		return false;
	if (!is_ack_believable(c, s, now, v))
		return false;
	take_ack(c, s, now, v);
	fin_acked(c, now, v);
	return c->state != ST_CLOSED;
}

/* --- sixth: URG is urgent_rx() --- */

/* --- seventh: the text --- */

/* Cut off what lies outside the window or after the FIN; is anything left? */
static bool trim(const struct conn *c, const struct seg *s,
		 struct seq_range *text)
{
	text->start = seq_max(s->seq, c->rcv_nxt);
	text->end = seq_min(s->seq + s->len, window_edge(c));
	if (c->fin_seen)
		text->end = seq_min(text->end, c->rcv_fin);
	return seq_lt(text->start, text->end);
}

static enum cause why_all_trimmed(const struct conn *c)
{
	return window_left(c) ? DROP_OUT_OF_WINDOW : DROP_ZERO_WINDOW;
}

static void keep(struct verdict *v, const struct seg *s,
		 const struct seq_range *r)
{
	v->seq = r->start;
	v->skip = r->start - s->seq;
	v->keep = r->end - r->start;
}

/*
 * RFC 9293 section 3.8.6.3 and RFC 5681 section 4.2: at least every second full
 * segment at once, the others within DELACK_TIME.
 */
static void schedule_ack(struct conn *c, u64 now)
{
	if (c->rcv_nxt - c->last_ack_sent >= DELACK_SEGMENTS * c->rmss)
		c->ack_now = BY_ACK_SECOND;
	else if ((c->quickacks && !c->opt.pingpong) || c->route_quickack ||
		 !c->env->tun.delack)
		c->ack_now = BY_ACK_QUICK;
	else if (!timer_is_set(c, TIMER_DELACK))
		timer_set(c, TIMER_DELACK, c->env->tun.delack, now);
}

static void take_in_order(struct conn *c, const struct seq_range *text, u64 now)
{
	bool had_holes = c->reasm.n;
	u32 end = reasm_advance(&c->reasm, text->end);

	c->stats.bytes_received += end - c->rcv_nxt;
	c->rcv_nxt = end;
	if (had_holes)
		c->ack_now = BY_ACK_FILL;
	else
		schedule_ack(c, now);
}

static bool take_early(struct conn *c, struct seq_range *text,
		       struct verdict *v)
{
	c->stats.early_segs++;
	mib_count(c->env, MIB_EARLY);
	switch (reasm_add(&c->reasm, text)) {
	case REASM_DUPLICATE:
		return drop_and_ack(c, v, DROP_OOO_DUPLICATE, BY_ACK_DUP);
	case REASM_FULL:
		return drop_and_ack(c, v, DROP_OOO_FULL, BY_ACK_DUP);
	case REASM_NEW:
		break;
	}
	c->ack_now = BY_ACK_DUP;
	return true;
}

/*
 * RFC 9293 section 3.6.1: text that nobody will read is answered with a RST, so
 * that the peer does not take it for delivered (RFC 1122 section 4.2.2.13,
 * RFC 2525 section 2.17).
 */
static bool refuse_after_close(struct conn *c, const struct seg *s, u64 now,
			       struct verdict *v)
{
	if (!c->no_reader ||
	    !state_in(c->state, STF(FIN_WAIT_1) | STF(FIN_WAIT_2)) ||
	    !seq_gt(s->seq + s->len, c->rcv_nxt))
		return false;
	mib_count(c->env, MIB_ABORT_ON_DATA);
	c->err = ECONNRESET;
	conn_reset(c, BY_CLOSED_UNREAD, now);
	v->wake |= WAKE_STATE;
	drop(v, DROP_AFTER_CLOSE);
	return true;
}

/* All of the text is old, but not the FIN that has joined it since. */
static bool is_fin_behind_old_text(const struct conn *c, const struct seg *s)
{
	return s->flags & FLAG_FIN && s->seq + s->len == c->rcv_nxt;
}

/* All but the last segment of what the peer's user has written is full-sized. */
static bool is_whole(const struct seg *s)
{
	return s->len >= MSS_DEFAULT ||
	       (s->len >= MSS_FLOOR && !(s->flags & (FLAG_PSH | FLAG_FIN)));
}

/*
 * What the peer takes for a full-sized segment. Two alike that seem to be whole tell
 * that it sends smaller ones now, as after its path's MTU has shrunk.
 */
static void learn_rmss(struct conn *c, const struct seg *s)
{
	u32 last = c->last_len;

	if (s->len >= c->rmss || is_whole(s))
		c->last_len = min_t(u32, s->len, U16_MAX);
	if (s->len >= c->rmss)
		c->rmss = min_t(u32, s->len, max_t(u16, c->mtu_mss, c->rmss));
	else if (is_whole(s) && s->len == last)
		c->rmss = s->len;
}

static bool take_text(struct conn *c, const struct seg *s, u64 now,
		      struct verdict *v)
{
	struct seq_range text;

	if (!s->len)
		return true;
	if (!state_in(c->state, STATES_CAN_RECEIVE))
		return drop(v, DROP_AFTER_FIN);
	if (is_fin_behind_old_text(c, s))
		return true;
	if (refuse_after_close(c, s, now, v))
		return false;
	learn_rmss(c, s);
	if (!trim(c, s, &text))
		return drop_and_ack(c, v, why_all_trimmed(c),
				    BY_ACK_UNACCEPTABLE);
	if (s->no_room)
		return drop_and_ack(c, v,
				    text.start == c->rcv_nxt ? DROP_RCVBUF :
							       DROP_OOO_RCVBUF,
				    BY_ACK_UNACCEPTABLE);
	if (text.start != c->rcv_nxt) {
		if (take_early(c, &text, v)) {
			stats_kept(c, now);
			keep(v, s, &text);
		}
		/* a FIN may be new where the text before it is not */
		return true;
	}
	take_in_order(c, &text, now);
	stats_kept(c, now);
	autotune_rx(c, s, now);
	keep(v, s, &text);
	v->wake |= WAKE_READ;
	return true;
}

/* --- eighth: FIN --- */

/* Behind the last byte that has arrived, in order or early. */
static u32 text_end(const struct conn *c)
{
	const struct reasm *m = &c->reasm;

	return m->n ? m->r[m->n - 1].end : c->rcv_nxt;
}

/*
 * A FIN may stand right at the edge of the window: it needs no room. One in front
 * of text that has arrived does not end the stream; such a peer is confused.
 */
static void note_fin(struct conn *c, const struct seg *s)
{
	u32 fin = s->seq + s->len;

	if (!(s->flags & FLAG_FIN) || c->fin_seen ||
	    !state_in(c->state, STATES_CAN_RECEIVE) ||
	    seq_lt(fin, text_end(c)) || seq_gt(fin, window_edge(c)))
		return;
	c->fin_seen = true;
	c->rcv_fin = fin;
}

static void take_fin(struct conn *c, const struct seg *s, u64 now,
		     struct verdict *v)
{
	enum conn_state to;

	note_fin(c, s);
	if (!c->fin_seen || c->fin_rcvd)
		return;
	if (c->rcv_nxt != c->rcv_fin) {
		if (s->flags & FLAG_FIN)
			c->ack_now = BY_ACK_DUP;
		return;
	}
	c->rcv_nxt++;
	c->fin_rcvd = true;
	c->ack_now = BY_ACK_FIN;
	/* no text will come: ACKs are for what the user still says */
	c->opt.pingpong = true;
	v->wake |= WAKE_READ | WAKE_STATE;
	to = state_after_fin(c->state, conn_fin_acked(c));
	state_set(c, to, BY_RCVD_FIN, now);
	if (to == ST_TIME_WAIT)
		timer_stop_all(c);
}

/* --- SYN_SENT: section 3.10.7.3 --- */

static bool syn_sent_ack(struct conn *c, const struct seg *s, struct verdict *v)
{
	if (!(s->flags & FLAG_ACK))
		return true;
	if (seq_gt(s->ack, c->iss) && seq_le(s->ack, c->snd_nxt))
		return true;
	v->reset = !(s->flags & FLAG_RST);
	return drop(v, DROP_SYN_SENT_ACK);
}

static bool syn_sent_rst(struct conn *c, const struct seg *s, u64 now,
			 struct verdict *v)
{
	if (!(s->flags & FLAG_RST))
		return true;
	if (!(s->flags & FLAG_ACK))
		return drop(v, DROP_SYN_SENT_RST);
	c->err = ECONNREFUSED;
	conn_end(c, BY_RCVD_RST, now);
	v->wake |= WAKE_STATE | WAKE_READ | WAKE_WRITE;
	return false;
}

static bool syn_sent_syn(struct conn *c, const struct seg *s, u64 now,
			 struct verdict *v)
{
	if (!(s->flags & FLAG_SYN))
		return drop(v, DROP_SYN_SENT_NO_SYN);
	conn_take_syn(c, s, now);
	c->syn_pending = false;
	c->last_rcvd = now;
	if (!(s->flags & FLAG_ACK)) {
		/* simultaneous open: our SYN goes out again, with an ACK */
		state_set(c, ST_SYN_RCVD, BY_RCVD_SYN, now);
		c->syn_pending = true;
		c->retries = 0;
		/* which of the two will be acknowledged? (RFC 6298 section 3) */
		recover_forget_timing(c, now);
		return false;
	}
	advance_una(c, s, now, v);
	conn_establish(c, BY_RCVD_SYNACK, now);
	v->wake |= WAKE_STATE | WAKE_WRITE;
	return true;
}

/*
 * The third segment of the handshake. Where the user has said that data follows
 * at once (TCP_DEFER_ACCEPT) or that ACKs may wait (TCP_QUICKACK 0), it waits.
 */
static void finish_handshake(struct conn *c, u64 now)
{
	if ((c->opt.defer_accept || c->opt.pingpong) && !c->ack_now)
		timer_set(c, TIMER_DELACK, HANDSHAKE_DELAY, now);
	else
		c->ack_now = BY_HANDSHAKE;
}

/* What stands behind the SYN begins one after it, and so its urgent pointer counts. */
static void cut_off_syn(struct seg *s)
{
	s->flags &= ~FLAG_SYN;
	s->seq++;
	if (s->up > 1)
		s->up--;
	else
		s->flags &= ~FLAG_URG;
}

/* Text and FIN may come with the SYN. */
static void take_behind_syn(struct conn *c, const struct seg *s, u64 now,
			    struct verdict *v)
{
	struct seg rest = *s;

	cut_off_syn(&rest);
	urgent_rx(c, &rest, v);
	if (take_text(c, &rest, now, v))
		take_fin(c, &rest, now, v);
	/* unless the text was for a user who has gone */
	if (c->state != ST_CLOSED)
		finish_handshake(c, now);
}

static void rx_syn_sent(struct conn *c, const struct seg *s, u64 now,
			struct verdict *v)
{
	if (syn_sent_ack(c, s, v) && syn_sent_rst(c, s, now, v) &&
	    syn_sent_syn(c, s, now, v))
		take_behind_syn(c, s, now, v);
}

/* --- SYN_RCVD of a simultaneous open: figure 7 --- */

/*
 * The two SYN+ACKs cross: each acknowledges a SYN and repeats another. The steps
 * of section 3.10.7.4 take it for an old duplicate; by line 6 of the figure it
 * makes ESTABLISHED, for else a peer who waits for us to speak waits a timeout.
 */
static bool is_crossing_synack(const struct conn *c, const struct seg *s)
{
	return c->state == ST_SYN_RCVD && s->seq == c->irs &&
	       (s->flags & (FLAG_SYN | FLAG_ACK | FLAG_RST)) ==
		       (FLAG_SYN | FLAG_ACK) &&
	       is_ack_of_syn(c, s);
}

/* It is answered, in case that our own SYN+ACK was lost. */
static void rx_crossing_synack(struct conn *c, const struct seg *s, u64 now,
			       struct verdict *v)
{
	c->last_rcvd = now;
	if (!check_ack(c, s, now, v))
		return;
	keep_timestamp(c, s, now);
	take_behind_syn(c, s, now, v);
}

/* --- all other states: section 3.10.7.4 --- */

static void rx_other(struct conn *c, const struct seg *s, u64 now,
		     struct verdict *v)
{
	if (!check_timestamp(c, s, now, v))
		return;
	if (unlikely(is_crossing_synack(c, s))) {
		rx_crossing_synack(c, s, now, v);
		return;
	}
	if (!check_sequence(c, s, now, v) || !check_rst(c, s, now, v) ||
	    !check_syn(c, s, now, v))
		return;
	c->last_rcvd = now;
	c->keep_sent = 0;
	if (!check_ack(c, s, now, v))
		return;
	keep_timestamp(c, s, now);
	urgent_rx(c, s, v);
	if (take_text(c, s, now, v))
		take_fin(c, s, now, v);
}

void conn_rx(struct conn *c, const struct seg *s, u64 now, struct verdict *v)
{
	memset(v, 0, sizeof(*v));
	stats_received(c, s);
	trace_segment(c, EV_RECV, BY_ARRIVAL, s, now);
	if (c->state == ST_SYN_SENT)
		rx_syn_sent(c, s, now, v);
	else if (c->state == ST_CLOSED)
		drop(v, DROP_CLOSED);
	else
		rx_other(c, s, now, v);
	if (v->drop)
		trace_segment(c, EV_DROP, v->drop, s, now);
}

bool conn_is_early(const struct conn *c, const struct seg *s)
{
	return s->len && state_in(c->state, STATES_CAN_RECEIVE) &&
	       seq_gt(s->seq, c->rcv_nxt);
}
