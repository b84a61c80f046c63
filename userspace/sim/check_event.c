// SPDX-License-Identifier: GPL-2.0
/*
 * check_event.c - the events tell the whole story, and tell it right
 *
 * Each change of a variable has one, and each segment that comes or goes has a
 * record of each of its packets (event.h); what a record says of the segment and
 * of the connection is held against the packets and against the second sender.
 */
#include "check_model.h"

/* --- what changes --- */

/* A variable of the record, and the kind of event that tells of its changes. */
struct variable {
	enum event_kind kind;
	size_t offset;
};

static u32 value(const struct event *ev, const struct variable *var)
{
	u32 v;

	memcpy(&v, (const char *)ev + var->offset, sizeof(v));
	return v;
}

/* It went from what the event before said to what this one says, at once. */
static void check_change(struct sock *sk, const struct event *ev, u32 before,
			 u32 after)
{
	if (ev->old != before || ev->new != after)
		rule_fail(sk, "event %s goes from %u to %u, it went %u to %u",
			  event_kind_name(ev->kind), ev->old, ev->new, before,
			  after);
	if (ev->old == ev->new)
		rule_fail(sk, "event %s without a change",
			  event_kind_name(ev->kind));
}

static void check_variable(struct sock *sk, const struct event *ev,
			   const struct variable *var)
{
	const struct event *told = &sk->check.told;
	u32 before = value(told, var), after = value(ev, var);

	if (ev->kind == var->kind)
		check_change(sk, ev, before, after);
	else if (before != after)
		rule_fail(sk, "event %s changes what %s should",
			  event_kind_name(ev->kind),
			  event_kind_name(var->kind));
}

static void check_variables(struct sock *sk, const struct event *ev)
{
#define VARIABLE(kind, name)                            \
	{                                               \
		EV_##kind, offsetof(struct event, name) \
	}
	static const struct variable variables[] = {
		VARIABLE(CWND, cwnd),	    VARIABLE(SSTHRESH, ssthresh),
		VARIABLE(SND_WND, snd_wnd), VARIABLE(RCV_WND, rcv_wnd),
		VARIABLE(RTO, rto),	    VARIABLE(MSS, mss),
	};
#undef VARIABLE
	struct event *told = &sk->check.told;
	struct event now = *ev;

	/* a sample moves the RTO with it: its own event comes next */
	if (ev->kind == EV_RTT)
		now.rto = told->rto;
	else if (ev->srtt != told->srtt || ev->rttvar != told->rttvar)
		rule_fail(sk, "event %s changes the round-trip time",
			  event_kind_name(ev->kind));
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		check_variable(sk, &now, &variables[i]);
	*told = now;
}

static void check_state(struct sock *sk, const struct event *ev)
{
	struct check *k = &sk->check;

	if (ev->kind == EV_STATE)
		check_change(sk, ev, k->state, ev->state);
	else if (ev->state != k->state)
		rule_fail(sk, "event %s changes the state",
			  event_kind_name(ev->kind));
	k->state = ev->state;
}

void event_rest(struct sock *sk)
{
	const struct check *k = &sk->check;
	const struct conn *c = &sk->c;

	if (!sk->host->env.tracing || k->told.kind == NR_EVENT_KINDS)
		return;
	if (k->told.state != c->state || k->told.cwnd != c->cc.cwnd ||
	    k->told.ssthresh != c->cc.ssthresh ||
	    k->told.snd_wnd != c->snd_wnd || k->told.rcv_wnd != c->rcv_wnd ||
	    k->told.rto != rtt_rto(&c->rtt) || k->told.srtt != c->rtt.srtt ||
	    k->told.rttvar != c->rtt.rttvar || k->told.mss != c->smss)
		rule_fail(sk, "a change had no event");
}

/* --- the record of a segment --- */

static void fail_record(struct sock *sk, const struct event *ev,
			const char *what)
{
	rule_fail(sk, "event %s, %u bytes from %u: %s",
		  event_kind_name(ev->kind), ev->len, ev->seq, what);
}

/* The window in bytes; that of a SYN is not scaled (RFC 7323 section 2.2). */
static u32 window_in_bytes(const struct seg *s, u8 shift)
{
	return s->flags & FLAG_SYN ? s->wnd : (u32)s->wnd << shift;
}

static bool is_of_segment(const struct event *ev, const struct seg *s)
{
	return ev->ack == s->ack &&
	       seg_end(s) == ev->seq + ev->len + !!(ev->flags & FLAG_SYN) +
				     !!(ev->flags & FLAG_FIN);
}

/* Bytes that the user has written beyond @nxt. */
static u32 unsent_after(const struct sock *sk, u32 nxt)
{
	u32 written = sk->check.out.seq + 1 + (u32)sk->app.written;

	return seq_lt(nxt, written) ? written - nxt : 0;
}

/* Where the connection stands, as the packets and the second sender have it. */
static void check_numbers(struct sock *sk, const struct event *ev)
{
	const struct sender *m = &sk->check.snd;

	if (ev->snd_una != m->una || ev->snd_nxt != m->nxt ||
	    ev->flight != m->next - m->una)
		fail_record(sk, ev, "SND.UNA, SND.NXT, flight");
	if (ev->rcv_nxt != check_expected(sk))
		fail_record(sk, ev, "RCV.NXT");
	if (ev->unsent != unsent_after(sk, m->nxt))
		fail_record(sk, ev, "bytes not sent");
	if (ev->unread != (u32)(sk->in.front - sk->in.read))
		fail_record(sk, ev, "bytes not read");
	if (ev->ooo != sk->in.early)
		fail_record(sk, ev, "bytes out of order");
	if (ev->srtt != m->srtt || ev->rttvar != m->rttvar)
		fail_record(sk, ev, "the round trip");
}

/* RECV and DROP; a record of TIME_WAIT does not know the peer's scale. */
static void check_arrival(struct sock *sk, enum event_owner what,
			  const struct event *ev)
{
	const struct check *k = &sk->check;
	const struct seg *s = k->arriving;

	if (!s) {
		fail_record(sk, ev, "nothing arrives");
		return;
	}
	if (ev->seq != s->seq || ev->flags != s->flags || !is_of_segment(ev, s))
		fail_record(sk, ev, "that is not what arrives");
	if (ev->wnd != window_in_bytes(s, check_peer_shift(k)) &&
	    (what != OWNER_TIMEWAIT || ev->wnd != s->wnd))
		fail_record(sk, ev, "its window");
	if (what == OWNER_CONN && ev->kind == EV_RECV && k->snd.on)
		check_numbers(sk, ev);
}

/* A packet that is new has the cause of data, one that is not has another. */
static void check_packet(struct sock *sk, const struct event *ev)
{
	const struct check *k = &sk->check;
	bool range = ev->len || ev->flags & FLAG_FIN;
	bool again = range && seq_lt(ev->seq, k->snd.nxt);
	bool fresh = ev->cause == BY_DATA || ev->cause == BY_FIN ||
		     ev->cause == BY_LIMITED_TRANSMIT;

	if (ev->flags & FLAG_SYN)
		again = k->out.seen;
	/* RFC 9293 section 3.8.6.1: an open window is not probed */
	if (ev->cause == BY_ZERO_WINDOW && !again &&
	    seq_gt(k->snd.una + k->snd.wnd, ev->seq))
		fail_record(sk, ev, "a probe of an open window");
	if (ev->kind != (again ? EV_RTX : EV_SEND))
		fail_record(sk, ev, again ? "it goes out again" : "it is new");
	if (range && ev->cause != BY_ZERO_WINDOW && ev->cause != BY_OVERRIDE &&
	    fresh == again)
		fail_record(sk, ev, cause_name(ev->cause));
}

/* One packet of several, but the last: what had gone out when it did. */
static void check_part(struct sock *sk, const struct event *ev)
{
	const struct sender *m = &sk->check.snd;
	u32 end = ev->seq + ev->len;
	u32 nxt = seq_max(m->nxt, end);

	if (ev->len != m->smss || ev->flags & (FLAG_FIN | FLAG_PSH))
		fail_record(sk, ev, "that is the last of several packets");
	if (ev->snd_nxt != nxt || ev->unsent != unsent_after(sk, nxt))
		fail_record(sk, ev, "SND.NXT or bytes not sent");
	if (ev->flight != end - m->una)
		fail_record(sk, ev, "bytes in flight");
}

/* SEND and RTX: the core tells of them before it gives the segment away. */
static void check_departure(struct sock *sk, const struct event *ev)
{
	struct check *k = &sk->check;

	if (k->parts && ev->seq != k->part.seq + k->part.len)
		fail_record(sk, ev, "no packet after the one before");
	check_packet(sk, ev);
	if (sk->kind == SOCK_CONN && k->parts)
		check_part(sk, &k->part);
	if (!k->parts++)
		k->part_seq = ev->seq;
	k->part = *ev;
}

void event_out(struct sock *sk, const struct seg *s)
{
	struct check *k = &sk->check;
	const struct event *ev = &k->part;
	u32 parts = k->parts;

	k->parts = 0;
	if (!sk->host->env.tracing)
		return;
	if (!parts) {
		rule_fail(sk, "a segment without an event");
		return;
	}
	if (k->part_seq != s->seq || !is_of_segment(ev, s) ||
	    ev->flags != s->flags)
		fail_record(sk, ev, "that is not what leaves");
	if (ev->wnd != window_in_bytes(s, check_own_shift(k)))
		fail_record(sk, ev, "its window");
	if (sk->kind == SOCK_CONN && k->snd.on && !(s->flags & FLAG_RST))
		check_numbers(sk, ev);
}

/* --- records of SYN_RCVD and TIME_WAIT --- */

static void check_request(struct sock *sk, const struct event *ev)
{
	const struct check *k = &sk->check;

	if (ev->rcv_nxt != k->in.seq + 1 || ev->snd_wnd != k->in.wnd)
		fail_record(sk, ev, "RCV.NXT or SND.WND");
	if (!k->out.seen)
		return;
	if (ev->snd_una != k->out.seq || ev->snd_nxt != k->out.seq + 1)
		fail_record(sk, ev, "SND.UNA or SND.NXT");
	if (ev->rcv_wnd != k->out.wnd)
		fail_record(sk, ev, "RCV.WND");
}

static void check_timewait(struct sock *sk, const struct event *ev)
{
	const struct sender *m = &sk->check.snd;

	if (ev->snd_una != m->nxt || ev->snd_nxt != m->nxt)
		fail_record(sk, ev, "SND.UNA or SND.NXT");
	/* the rules hear of a FIN when the record is done with it */
	if (ev->kind == EV_STATE && ev->new == ST_TIME_WAIT)
		return;
	if (ev->rcv_nxt != check_expected(sk))
		fail_record(sk, ev, "RCV.NXT");
	if (ev->rcv_wnd < receiver_window_left(sk, false) ||
	    ev->rcv_wnd > receiver_window_left(sk, true))
		fail_record(sk, ev, "RCV.WND");
}

/* --- all --- */

/* A timer is set: the one that the cause names, and for that time. */
static void check_timer(struct sock *sk, const struct event *ev)
{
	static const u8 timers[NR_CAUSES] = {
		[BY_T_RTX] = TIMER_RTX,	     [BY_T_PERSIST] = TIMER_RTX,
		[BY_T_OVERRIDE] = TIMER_RTX, [BY_T_DELACK] = TIMER_DELACK,
		[BY_T_KEEP] = TIMER_KEEP,    [BY_T_FIN] = TIMER_FIN,
	};

	u64 after = sk->c.timer[timers[ev->cause]] - ev->time;

	/* two hours are more than the field can tell */
	if (min_t(u64, after, U32_MAX) != ev->new)
		rule_fail(sk, "%s is told of, and not set",
			  cause_name(ev->cause));
}

static void check_segment(struct sock *sk, enum event_owner what,
			  const struct event *ev)
{
	switch (ev->kind) {
	case EV_RECV:
	case EV_DROP:
		check_arrival(sk, what, ev);
		break;
	case EV_SEND:
	case EV_RTX:
		check_departure(sk, ev);
		break;
	case EV_TIMER_SET:
		check_timer(sk, ev);
		break;
	default:
		break;
	}
}

void check_event(struct sock *sk, enum event_owner what, const struct event *ev)
{
	struct check *k = &sk->check;

	if (ev->time != sk->host->w->now || ev->conn != sk->id)
		rule_fail(sk, "event %s of another time or connection",
			  event_kind_name(ev->kind));
	if (ev->cause == BY_NONE)
		rule_fail(sk, "event %s without a cause",
			  event_kind_name(ev->kind));
	cause_check(sk, what, ev);
	check_state(sk, ev);
	check_segment(sk, what, ev);
	if (what == OWNER_REQ)
		check_request(sk, ev);
	if (what == OWNER_TIMEWAIT)
		check_timewait(sk, ev);
	if (what != OWNER_CONN)
		return;
	if (ev->kind == EV_STATE)
		count_state(sk, ev);
	if (k->told.kind == NR_EVENT_KINDS)
		k->told = *ev;
	else
		check_variables(sk, ev);
}
