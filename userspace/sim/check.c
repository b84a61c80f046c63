// SPDX-License-Identifier: GPL-2.0
/*
 * check.c - the rules
 *
 * First those about what arrives, then about what leaves, then about a
 * connection at rest. Those about its events are in check_event.c.
 */
#include <stdarg.h>

#include "check_model.h"

void rule_fail(struct sock *sk, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	if (sk->host->w->cfg->no_rules)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	sock_fail(sk, "%s", what);
}

void check_init(struct sock *sk, enum conn_state state)
{
	memset(&sk->check, 0, sizeof(sk->check));
	sk->check.state = state;
	sk->check.told.kind = NR_EVENT_KINDS;
	sender_init(sk);
	life_init(sk);
}

void check_begin(struct sock *sk, bool passive)
{
	count_begin(sk, passive);
}

void check_poll(struct sock *sk)
{
	count_poll(sk);
}

u64 check_rx_offset(const struct sock *sk, u32 seq)
{
	u32 front = sk->check.in.seq + 1 + (u32)sk->in.front;

	return sk->in.front + (s32)(seq - front);
}

/* The next sequence number that packets alone make us expect. */
u32 check_expected(const struct sock *sk)
{
	const struct check *k = &sk->check;
	bool fin = k->fin_in && k->fin_off == sk->in.front;

	return k->in.seq + 1 + (u32)sk->in.front + fin;
}

/* --- what arrives --- */

static void note_syn(struct check_syn *syn, const struct seg *s)
{
	*syn = (struct check_syn){
		.seen = true,
		.seq = s->seq,
		.wnd = s->wnd,
		.mss = s->mss,
		.ts = s->has_ts,
		.wscale = s->has_wscale,
		.shift = s->wscale,
	};
}

static bool takes_syn(const struct sock *sk)
{
	if (sk->kind != SOCK_CONN)
		return !sk->check.in.seen;
	return sk->c.state == ST_SYN_SENT && sk->check.rcv.fate == FATE_TAKE;
}

static void note_ack(struct check *k, const struct seg *s)
{
	u8 shift = s->flags & FLAG_SYN ? 0 : check_peer_shift(k);
	u32 edge = s->ack + ((u32)s->wnd << shift);

	if (!k->out.seen || seq_lt(s->ack, k->acked) ||
	    seq_gt(s->ack, k->sent_max))
		return;
	k->acked = s->ack;
	k->edge_in = seq_max(k->edge_in, edge);
}

void check_in(struct sock *sk, const struct seg *s)
{
	struct check *k = &sk->check;

	k->urg.skip = false;
	if (sk->kind == SOCK_CONN) {
		receiver_judge(sk, s);
		count_in(sk, s);
	} else if (sk->kind == SOCK_TIMEWAIT) {
		receiver_judge(sk, s);
	} else {
		k->rcv.may_ack = true;
		if (k->in.seen)
			request_judge(sk, s);
	}
	if (s->flags & FLAG_RST || (sk->host->w->forged && k->in.seen))
		return;
	if (s->flags & FLAG_SYN && takes_syn(sk)) {
		note_syn(&k->in, s);
		receiver_syn(sk, s);
	}
	if (s->flags & FLAG_ACK)
		note_ack(k, s);
	if (s->has_ts) {
		k->ts_in = k->ts_seen ? seq_max(k->ts_in, s->tsval) : s->tsval;
		k->ts_seen = true;
	}
}

static void verdict_payload(struct sock *sk, const struct seg *s,
			    const struct verdict *v)
{
	const struct check *k = &sk->check;
	u32 first = s->seq + !!(s->flags & FLAG_SYN);
	u32 unit = 1U << check_own_shift(k);

	if (v->skip > s->len || v->keep > s->len - v->skip ||
	    v->seq != first + v->skip)
		rule_fail(sk, "verdict keeps bytes that the segment lacks");
	if (s->no_room)
		rule_fail(sk, "verdict keeps bytes there is no memory for");
	if (k->promised && seq_gt(v->seq + v->keep, k->edge_out + unit - 1))
		rule_fail(sk, "bytes up to %u kept, the window ends at %u",
			  v->seq + v->keep, k->edge_out);
}

void check_verdict(struct sock *sk, const struct seg *s,
		   const struct verdict *v)
{
	struct check *k = &sk->check;
	const struct conn *c = &sk->c;

	if (v->keep)
		verdict_payload(sk, s, v);
	if (v->keep && v->drop)
		rule_fail(sk, "verdict keeps and drops");
	count_verdict(sk, s, v);
	life_hears_reset(sk, s, v);
	receiver_verdict(sk, s, v);
	if (k->rcv.fate == FATE_TAKE)
		urgent_in(sk, s, v);
	else if (v->urgent || v->wake & WAKE_URGENT)
		rule_fail(sk, "urgent data of a segment that is not taken");
	life_heard(sk);
	if (c->fin_seen && !k->fin_in) {
		if (!(s->flags & FLAG_FIN))
			rule_fail(sk,
				  "the connection saw a FIN that is not there");
		k->fin_in = true;
		k->fin_off = check_rx_offset(sk, s->seq + s->len);
	}
}

/* --- what leaves --- */

/* RFC 9293 section 3.7.1: what we can take, or less where the user wants it. */
static u32 mss_to_offer(const struct sock *sk)
{
	const struct side_config *cfg = sk->host->cfg;
	u32 mss = cfg->mtu - IP_HEADER - HDR_MIN;

	return cfg->user_mss ? min_t(u32, mss, cfg->user_mss) : mss;
}

/* RFC 7323 section 2.3: the least that tells of the buffer, rounded, or 14. */
static u32 shift_to_offer(const struct sock *sk)
{
	const struct side_config *cfg = sk->host->cfg;
	u32 most = max_t(u32, cfg->rcvbuf, cfg->rcvbuf_max);
	u32 shift = 0;

	if (cfg->clamp)
		most = min_t(u32, most, cfg->clamp);
	while (shift < 14 && most >> shift > U16_MAX)
		shift++;
	return shift;
}

/* RFC 9293 section 3.8.6, RFC 7323 section 2.2: not scaled. */
static u32 most_to_offer(const struct sock *sk)
{
	const struct side_config *cfg = sk->host->cfg;
	u32 buffer = max_t(u32, cfg->rcvbuf, cfg->resize_to);
	u32 most = min_t(u32, buffer, U16_MAX);

	return cfg->clamp ? min_t(u32, most, cfg->clamp) : most;
}

/* RFC 9293 section 3.4.1: above all that a connection of this name has sent. */
static void out_first_syn(struct sock *sk, const struct seg *s)
{
	const struct sock *old = sock_predecessor(sk);

	if (old && old->check.out.seen &&
	    seq_le(s->seq, seq_max(old->check.sent_max, old->check.out.seq)))
		rule_fail(sk, "begins at %u, one before sent up to %u", s->seq,
			  old->check.sent_max);
}

/*
 * RFC 7323 sections 2.2 and 3.2: the first SYN offers what the host uses at that
 * moment, and whatever it uses later, the next ones offer the same: the peer may
 * have answered any of them. A SYN+ACK offers no more than the SYN.
 */
static void out_offer(struct sock *sk, const struct seg *s)
{
	const struct tunables *tun = &sk->host->env.tun;
	const struct check *k = &sk->check;
	bool answer = s->flags & FLAG_ACK;
	bool ts = k->out.seen ? k->out.ts : tun->timestamps;
	bool wscale = k->out.seen ? k->out.wscale : tun->window_scaling;

	if (answer) {
		ts &= k->in.ts;
		wscale &= k->in.wscale;
	}
	/* section 3.2 */
	if (s->has_ts && s->tsecr != (answer ? k->rcv.ts_recent : 0))
		rule_fail(sk, "a SYN with an echo of %u, not of %u", s->tsecr,
			  k->rcv.ts_recent);
	if (s->has_ts != ts || s->has_wscale != wscale)
		rule_fail(sk, "a SYN with%s timestamps and with%s window scale",
			  s->has_ts ? "" : "out", s->has_wscale ? "" : "out");
}

static void out_syn(struct sock *sk, const struct seg *s)
{
	struct check *k = &sk->check;
	bool answer = s->flags & FLAG_ACK;

	if (k->out.seen && k->out.seq != s->seq)
		rule_fail(sk, "the SYN changed its number");
	out_offer(sk, s);
	if (s->mss != mss_to_offer(sk))
		rule_fail(sk, "a SYN with an MSS of %u, not %u", s->mss,
			  mss_to_offer(sk));
	if (s->wnd > most_to_offer(sk))
		rule_fail(sk, "a SYN offers %u bytes, there is room for %u",
			  s->wnd, most_to_offer(sk));
	if (s->has_wscale && s->wscale != shift_to_offer(sk))
		rule_fail(sk, "a SYN with a window scale of %u, not %u",
			  s->wscale, shift_to_offer(sk));
	if (answer && s->ack != k->in.seq + 1)
		rule_fail(sk, "a SYN+ACK of %u, the SYN was %u", s->ack,
			  k->in.seq);
	if (!k->out.seen) {
		out_first_syn(sk, s);
		k->sent_max = k->acked = s->seq;
		k->edge_in = s->seq + 1 + k->in.wnd;
	}
	note_syn(&k->out, s);
	sender_syn(sk, s);
	life_syn(sk);
	k->sent_max = seq_max(k->sent_max, s->seq + 1);
	if (!answer)
		return;
	k->ack_out = s->ack;
	k->edge_out = k->promised ? seq_max(k->edge_out, s->ack + s->wnd) :
				    s->ack + s->wnd;
	k->promised = true;
}

static void out_ack(struct sock *sk, const struct seg *s)
{
	struct check *k = &sk->check;

	if (!(s->flags & FLAG_ACK))
		rule_fail(sk, "a segment without ACK");
	if (s->ack != check_expected(sk))
		rule_fail(sk, "ACK %u, the packets gave %u", s->ack,
			  check_expected(sk));
	if (k->promised && seq_lt(s->ack, k->ack_out))
		rule_fail(sk, "ACK %u after %u", s->ack, k->ack_out);
	k->ack_out = s->ack;
	k->acked_any = true;
}

/*
 * RFC 9293 section 3.8.6: the edge does not go back, but for what rounding to
 * the unit of the scale takes (RFC 7323 section 2.4); nor is more offered than
 * the buffer has room for, but for what rounding adds.
 */
static void out_window(struct sock *sk, const struct seg *s)
{
	struct check *k = &sk->check;
	u8 shift = check_own_shift(k);
	u32 rounding = (1U << shift) - 1;
	u32 edge = s->ack + ((u32)s->wnd << shift);
	u32 unread = s->ack - (k->in.seq + 1 + (u32)sk->in.read);

	if (!k->promised) {
		/* what our SYN, which knew no place for it, offered */
		k->edge_out = k->in.seq + 1 + k->out.wnd;
		k->promised = true;
	}
	if (sk->kind != SOCK_CONN && seq_gt(edge, k->edge_out + rounding))
		rule_fail(sk, "a record opens the window from %u to %u",
			  k->edge_out, edge);
	if (seq_lt(edge + rounding, k->edge_out))
		rule_fail(sk, "the window's right edge went back from %u to %u",
			  k->edge_out, edge);
	/* a FIN may stand behind the edge of a window that is full */
	if (sk->kind == SOCK_CONN && s->wnd && seq_gt(edge, k->edge_out))
		receiver_window(sk, edge - k->edge_out);
	if (sk->kind == SOCK_CONN && k->rcv.clamp &&
	    seq_gt(edge, k->edge_out + rounding) &&
	    edge - s->ack > k->rcv.clamp + rounding)
		rule_fail(sk, "window %u offered, the user's bound is %u",
			  edge - s->ack, k->rcv.clamp);
	if (sk->kind == SOCK_CONN && s->wnd &&
	    seq_gt(edge, k->edge_out + rounding) &&
	    edge - s->ack + unread > sk->c.rcv_buf + 1 + rounding)
		rule_fail(sk, "window %u offered with %u of %u bytes unread",
			  edge - s->ack, unread, sk->c.rcv_buf);
	k->edge_out = seq_max(k->edge_out, edge);
}

/* RFC 7323 sections 3.2 and 4.3 */
static void out_timestamp(struct sock *sk, const struct seg *s)
{
	struct check *k = &sk->check;

	if (s->has_ts != check_has_timestamps(k))
		rule_fail(sk, "timestamps %s, though%s negotiated",
			  s->has_ts ? "sent" : "missing",
			  s->has_ts ? " not" : "");
	if (!s->has_ts)
		return;
	if (k->ts_out && seq_lt(s->tsval, k->ts_out))
		rule_fail(sk, "timestamp %u after %u", s->tsval, k->ts_out);
	if (seq_gt(s->tsecr, k->ts_in))
		rule_fail(sk, "echo of timestamp %u, which never came",
			  s->tsecr);
	if (s->tsecr != k->rcv.ts_recent)
		rule_fail(sk, "echo of timestamp %u, not of %u", s->tsecr,
			  k->rcv.ts_recent);
	k->ts_out = s->tsval;
}

/* RFC 9293 section 3.7.1, RFC 6691 section 3 */
static void out_size(struct sock *sk, const struct seg *s)
{
	const struct check *k = &sk->check;
	const struct side_config *cfg = sk->host->cfg;
	u32 options = check_has_timestamps(k) ? TS_OPTION_LEN : 0;
	u32 peer = max_t(u32, check_peer_mss(sk), MSS_FLOOR);
	u32 most = min_t(u32, peer, cfg->mtu - 40) - options;

	if (s->smss > most)
		rule_fail(sk, "packets of %u bytes, at most %u are allowed",
			  s->smss, most);
	if (s->len > max_t(u32, s->smss, cfg->offload))
		rule_fail(sk, "%u bytes at once", s->len);
}

/* Only the user's bytes, without a gap, and none behind the FIN. */
static void out_range(struct sock *sk, const struct seg *s)
{
	const struct check *k = &sk->check;
	u32 written = k->out.seq + 1 + (u32)sk->app.written;
	u32 end = s->seq + s->len;

	if (seq_lt(s->seq, k->snd.una))
		rule_fail(sk, "bytes from %u sent, acknowledged up to %u",
			  s->seq, k->snd.una);
	if (seq_gt(s->seq, k->sent_max))
		rule_fail(sk, "bytes %u to %u left out", k->sent_max, s->seq);
	if (seq_gt(end, written))
		rule_fail(sk, "bytes up to %u sent, written up to %u", end,
			  written);
	if (s->flags & FLAG_FIN && (!sk->app.closed || end != written))
		rule_fail(sk, "FIN at %u, the user has not closed there", end);
	if (k->fin_out && seq_gt(end, k->fin_seq))
		rule_fail(sk, "bytes sent behind the FIN");
}

/*
 * The peer's window may be passed by the one byte of a probe, and by a FIN that goes
 * alone.
 */
static void out_peer_window(struct sock *sk, const struct seg *s)
{
	const struct check *k = &sk->check;
	u32 end = s->seq + s->len;
	u32 probe = s->len == 1;

	if (s->len && seq_gt(end, k->edge_in + probe))
		rule_fail(sk,
			  "bytes up to %u sent, the peer's window ends at %u",
			  end, k->edge_in);
	if (s->flags & FLAG_FIN && s->len &&
	    seq_gt(seg_end(s), seq_max(k->edge_in, k->sent_max)))
		rule_fail(sk, "text with a FIN at %u, the window ends at %u",
			  end, k->edge_in);
	if (s->flags & FLAG_FIN && seq_gt(end, k->edge_in + 1))
		rule_fail(sk, "FIN at %u, the peer's window ends at %u", end,
			  k->edge_in);
}

static void out_data(struct sock *sk, const struct seg *s)
{
	struct check *k = &sk->check;
	u32 end = seg_end(s);

	out_size(sk, s);
	out_range(sk, s);
	out_peer_window(sk, s);
	sender_data(sk, s);
	if (s->flags & FLAG_FIN) {
		k->fin_out = true;
		k->fin_seq = end - 1;
	}
	if (seq_lt(s->seq, k->sent_max))
		sk->resent += s->smss ? (s->len + s->smss - 1) / s->smss : 1;
	k->sent_max = seq_max(k->sent_max, end);
}

/* As of any segment without data; a keep-alive stands one before (3.8.4). */
static void out_bare(struct sock *sk, const struct seg *s)
{
	const struct check *k = &sk->check;
	u32 seq = sender_bare_seq(sk);

	if (s->seq == k->snd.nxt - 1 && k->life.keep_owed)
		return;
	if (k->snd.on && s->seq != seq)
		rule_fail(sk,
			  "an ACK at %u, SND.NXT is %u, the window ends at %u",
			  s->seq, k->snd.nxt, k->snd.edge);
}

static void out_any(struct sock *sk, const struct seg *s)
{
	if (s->flags & FLAG_RST) {
		life_reset(sk, s);
		return;
	}
	if (s->flags & FLAG_SYN) {
		out_syn(sk, s);
		return;
	}
	if (!seg_space(s) && sk->kind == SOCK_CONN)
		out_bare(sk, s);
	out_ack(sk, s);
	out_window(sk, s);
	out_timestamp(sk, s);
	urgent_out(sk, s);
	if (!life_keepalive(sk, s))
		receiver_out(sk, s);
	if (s->len || s->flags & FLAG_FIN)
		out_data(sk, s);
}

void check_out(struct sock *sk, const struct seg *s)
{
	if (sk->kind == SOCK_REQ)
		request_out(sk, s);
	count_out(sk, s);
	out_any(sk, s);
	event_out(sk, s);
}

/* --- a connection at rest --- */

static void rest_sender(struct sock *sk)
{
	const struct check *k = &sk->check;
	const struct conn *c = &sk->c;
	if (seq_gt(c->snd_una, conn_next(c)) ||
	    seq_gt(conn_next(c), c->snd_nxt))
		rule_fail(sk,
			  "snd_una %u, next %u, snd_nxt %u are not in order",
			  c->snd_una, conn_next(c), c->snd_nxt);
	if (c->snd_nxt != k->sent_max)
		rule_fail(sk, "snd_nxt is %u, %u was sent", c->snd_nxt,
			  k->sent_max);
	if (seq_gt(c->snd_una, k->acked))
		rule_fail(sk, "snd_una is %u, %u was acknowledged", c->snd_una,
			  k->acked);
}

/* Whatever waits for the peer must also wait for a timer. */
static void rest_timers(struct sock *sk)
{
	const struct conn *c = &sk->c;
	bool waiting = seq_lt(conn_next(c), c->write_seq + c->fin_queued) &&
		       state_in(c->state, STATES_CAN_SEND);

	if (c->snd_una != c->snd_nxt && c->timer[TIMER_RTX] == NEVER)
		rule_fail(sk, "sent but no retransmission timer");
	if (waiting && c->timer[TIMER_RTX] == NEVER)
		rule_fail(sk, "data waits, and no timer with it");
}

static void rest_receiver(struct sock *sk)
{
	struct check *k = &sk->check;
	const struct conn *c = &sk->c;
	u64 now = sk->host->w->now;
	u32 owed;

	if (!state_in(c->state, STATES_SYNCHRONIZED))
		return;
	if (c->rcv_nxt != check_expected(sk))
		rule_fail(sk, "rcv_nxt is %u, the packets gave %u", c->rcv_nxt,
			  check_expected(sk));
	owed = c->rcv_nxt - k->ack_out;
	if (!owed)
		k->owed = 0;
	else if (!k->owed)
		k->owed = now;
	if (owed >= DELACK_SEGMENTS * k->rcv.full)
		rule_fail(sk, "%u bytes not acknowledged", owed);
	if (owed && now - k->owed > sk->host->cfg->delack)
		rule_fail(sk, "ACK owed since %llu us",
			  (unsigned long long)(now - k->owed));
	if (owed && conn_deadline(c) == NEVER)
		rule_fail(sk, "ACK owed, and no timer");
	if (owed && c->state == ST_FIN_WAIT_2 && sk->app.done)
		rule_fail(sk, "ACK owed, and a record takes over");
}

void check_rest(struct sock *sk)
{
	event_rest(sk);
	count_rest(sk);
	life_rest(sk);
	if (sk->c.state == ST_CLOSED)
		return;
	rest_sender(sk);
	rest_timers(sk);
	rest_receiver(sk);
	receiver_rest(sk);
	sender_rest(sk);
	urgent_rest(sk);
	tune_rest(sk);
}

void check_write(struct sock *sk, bool more)
{
	sender_write(sk, more);
}

void check_read(struct sock *sk)
{
	sk->check.rcv.has_read = sk->check.rcv.may_ack = true;
	urgent_has_read(sk);
	tune_read(sk);
}

void check_resize(struct sock *sk)
{
	receiver_resize(sk);
}

void check_mss(struct sock *sk, u32 mtu_mss)
{
	sender_mss(sk, mtu_mss);
}

/* RFC 5927 section 4.1: only what is about data in flight; nor does it reset. */
void check_icmp(struct sock *sk, u32 seq)
{
	const struct sender *m = &sk->check.snd;
	bool wanted = seq - m->una < m->nxt - m->una;

	if (conn_believes_icmp(&sk->c, seq) != wanted)
		rule_fail(sk, "an ICMP error about %u is%s believed", seq,
			  wanted ? " not" : "");
	if (state_in(sk->c.state, STATES_SYNCHRONIZED) &&
	    conn_error(&sk->c, seq, EHOSTUNREACH, sk->host->w->now))
		rule_fail(sk, "an ICMP error ends it");
}

void check_tick(struct sock *sk)
{
	sender_tick(sk);
	receiver_tick(sk);
	life_tick(sk);
}

void check_ticked(struct sock *sk)
{
	u64 deadline = conn_deadline(&sk->c);

	if (sk->kind == SOCK_CONN && deadline <= sk->host->w->now)
		rule_fail(sk,
			  "conn_deadline() is in the past after conn_tick()");
}
