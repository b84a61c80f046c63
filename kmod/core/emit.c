// SPDX-License-Identifier: GPL-2.0
/*
 * emit.c - fill the record and hand it over
 */
#include "emit.h"

static void fill_conn(struct event *ev, const struct conn *c)
{
	ev->conn = c->id;
	ev->state = c->state;
	ev->snd_una = c->snd_una;
	ev->snd_nxt = c->snd_nxt;
	ev->rcv_nxt = c->rcv_nxt;
	ev->cwnd = c->cc.cwnd;
	ev->ssthresh = c->cc.ssthresh;
	ev->flight = conn_flight(c);
	ev->snd_wnd = c->snd_wnd;
	ev->rcv_wnd = c->rcv_wnd;
	ev->srtt = c->rtt.srtt;
	ev->rttvar = c->rtt.rttvar;
	ev->rto = rtt_rto(&c->rtt);
	ev->unsent = conn_unsent(c);
	ev->unread = conn_readable(c);
	ev->ooo = c->reasm.bytes;
	ev->mss = c->smss;
}

/* The window in bytes: that of a SYN is never scaled (RFC 7323 section 2.2). */
static u32 scaled_window(const struct seg *s, u8 shift)
{
	return s->flags & FLAG_SYN ? s->wnd : (u32)s->wnd << shift;
}

static void fill_segment(struct event *ev, const struct seg *s, u8 shift)
{
	ev->flags = s->flags;
	ev->seq = s->seq;
	ev->ack = s->ack;
	ev->len = s->len;
	ev->wnd = scaled_window(s, shift);
}

static bool is_outgoing(enum event_kind kind)
{
	return kind == EV_SEND || kind == EV_RTX;
}

void emit_conn(const struct conn *c, enum event_kind kind, enum cause cause,
	       u32 old, u32 new, u64 now)
{
	struct event ev = {
		.time = now,
		.kind = kind,
		.cause = cause,
		.old = old,
		.new = new,
	};

	fill_conn(&ev, c);
	c->env->emit(c->env, OWNER_CONN, c, &ev);
}

/* A packet of a segment that began as a retransmission may be all new. */
static void emit_packet(const struct conn *c, struct event *ev,
			const struct seg *s)
{
	if (ev->kind == EV_RTX && ev->len && seq_ge(ev->seq, s->new_from)) {
		ev->kind = EV_SEND;
		ev->cause = BY_DATA;
	}
	c->env->emit(c->env, OWNER_CONN, c, ev);
}

/* What had gone out when the packet did that ends before @end. */
static void as_of_packet(const struct conn *c, struct event *ev,
			 const struct seg *s, u32 end)
{
	ev->snd_nxt = seq_max(s->new_from, end);
	ev->unsent = c->write_seq - seq_min(ev->snd_nxt, c->write_seq);
	ev->flight = conn_flight(c) - (seg_end(s) - end);
}

/*
 * A packet after the other, as if each had been decided by itself. The last
 * bears FIN and PSH, and what is so after the whole segment.
 */
static void emit_packets(const struct conn *c, struct event *ev,
			 const struct seg *s)
{
	struct event part = *ev;
	u32 left = s->len;

	part.len = s->smss;
	part.flags &= ~(FLAG_FIN | FLAG_PSH);
	for (; left > s->smss; left -= s->smss) {
		as_of_packet(c, &part, s, part.seq + part.len);
		emit_packet(c, &part, s);
		part.seq += part.len;
	}
	ev->seq = part.seq;
	ev->len = left;
	emit_packet(c, ev, s);
}

void emit_conn_segment(const struct conn *c, enum event_kind kind,
		       enum cause cause, const struct seg *s, u64 now)
{
	struct event ev = { .time = now, .kind = kind, .cause = cause };

	fill_conn(&ev, c);
	fill_segment(&ev, s, is_outgoing(kind) ? c->rcv_wscale : c->snd_wscale);
	if (is_outgoing(kind) && s->smss)
		emit_packets(c, &ev, s);
	else
		c->env->emit(c->env, OWNER_CONN, c, &ev);
}

static void fill_req(struct event *ev, const struct req *r)
{
	ev->conn = r->id;
	ev->snd_una = r->iss;
	ev->snd_nxt = r->iss + 1;
	ev->rcv_nxt = r->irs + 1;
	ev->rcv_wnd = r->rcv_wnd;
	ev->snd_wnd = r->snd_wnd;
}

static void fill_timewait(struct event *ev, const struct timewait *t)
{
	ev->conn = t->id;
	ev->snd_una = t->snd_nxt;
	ev->snd_nxt = t->snd_nxt;
	ev->rcv_nxt = t->rcv_nxt;
	ev->rcv_wnd = t->rcv_wnd;
}

/* What a record's change of state says besides the record. */
static struct event state_event(enum conn_state from, enum conn_state to,
				enum cause cause, u64 now)
{
	return (struct event){
		.time = now,
		.kind = EV_STATE,
		.cause = cause,
		.state = to,
		.old = from,
		.new = to,
	};
}

void emit_req_state(struct env *env, const struct req *r, enum conn_state from,
		    enum conn_state to, enum cause cause, u64 now)
{
	struct event ev = state_event(from, to, cause, now);

	fill_req(&ev, r);
	env->emit(env, OWNER_REQ, r, &ev);
}

void emit_req_segment(struct env *env, const struct req *r,
		      enum event_kind kind, enum cause cause,
		      enum conn_state state, const struct seg *s, u64 now)
{
	struct event ev = { .time = now, .kind = kind, .cause = cause };

	ev.state = state;
	fill_req(&ev, r);
	fill_segment(&ev, s, is_outgoing(kind) ? r->rcv_wscale : r->snd_wscale);
	env->emit(env, OWNER_REQ, r, &ev);
}

void emit_timewait_state(struct env *env, const struct timewait *t,
			 enum conn_state from, enum conn_state to,
			 enum cause cause, u64 now)
{
	struct event ev = state_event(from, to, cause, now);

	fill_timewait(&ev, t);
	env->emit(env, OWNER_TIMEWAIT, t, &ev);
}

void emit_timewait_segment(struct env *env, const struct timewait *t,
			   enum event_kind kind, enum cause cause,
			   const struct seg *s, u64 now)
{
	struct event ev = { .time = now, .kind = kind, .cause = cause };

	ev.state = t->state;
	fill_timewait(&ev, t);
	fill_segment(&ev, s, is_outgoing(kind) ? t->rcv_wscale : 0);
	env->emit(env, OWNER_TIMEWAIT, t, &ev);
}
