// SPDX-License-Identifier: GPL-2.0
/*
 * check_cause.c - can an event have the cause that it names?
 *
 * Most rules look at what is sent and when; these look at why. A cause has to fit
 * the state diagram, and what the user and the peer have done.
 */
#include "check_model.h"

/* --- the state diagram: RFC 9293 sections 3.3.2 and 3.10 --- */

struct edge {
	u8 cause;
	u8 to;
	u16 from;
};

#define ANY_STATE ((u16) ~(STF(CLOSED) | STF(LISTEN)))

static const struct edge edges[] = {
	{ BY_USER_OPEN, ST_SYN_SENT, STF(CLOSED) },
	/* section 3.10.4 */
	{ BY_USER_CLOSE, ST_CLOSED, STF(SYN_SENT) },
	{ BY_USER_CLOSE, ST_FIN_WAIT_1, STF(SYN_RCVD) | STF(ESTABLISHED) },
	{ BY_USER_CLOSE, ST_LAST_ACK, STF(CLOSE_WAIT) },
	{ BY_USER_ABORT, ST_CLOSED, ANY_STATE },
	{ BY_CLOSED_UNREAD, ST_CLOSED, STATES_SYNCHRONIZED },
	{ BY_RCVD_SYN, ST_SYN_RCVD, STF(LISTEN) | STF(SYN_SENT) },
	{ BY_RCVD_SYNACK, ST_ESTABLISHED, STF(SYN_SENT) },
	{ BY_RCVD_ACK_OF_SYN, ST_ESTABLISHED, STF(SYN_RCVD) },
	/* section 3.10.7.4, eighth */
	{ BY_RCVD_FIN, ST_CLOSE_WAIT, STF(SYN_RCVD) | STF(ESTABLISHED) },
	{ BY_RCVD_FIN, ST_CLOSING, STF(FIN_WAIT_1) },
	{ BY_RCVD_FIN, ST_TIME_WAIT, STF(FIN_WAIT_2) },
	/* the same, fifth */
	{ BY_RCVD_ACK_OF_FIN, ST_FIN_WAIT_2, STF(FIN_WAIT_1) },
	{ BY_RCVD_ACK_OF_FIN, ST_TIME_WAIT, STF(CLOSING) },
	{ BY_RCVD_ACK_OF_FIN, ST_CLOSED, STF(LAST_ACK) },
	{ BY_RCVD_RST, ST_CLOSED, ANY_STATE },
	{ BY_RCVD_ICMP, ST_CLOSED, STF(SYN_SENT) | STF(SYN_RCVD) },
	{ BY_T_FIN, ST_CLOSED, STF(FIN_WAIT_2) },
	{ BY_T_TIME_WAIT, ST_CLOSED, STF(TIME_WAIT) },
	{ BY_GIVE_UP, ST_CLOSED, ANY_STATE },
	{ BY_USER_TIMEOUT, ST_CLOSED, ANY_STATE },
	{ BY_KEEP_FAILED, ST_CLOSED, STATES_SYNCHRONIZED },
	{ BY_ORPHAN_PROBED, ST_CLOSED, STATES_SYNCHRONIZED },
};

static bool is_edge(const struct event *ev)
{
	for (size_t i = 0; i < ARRAY_SIZE(edges); i++)
		if (edges[i].cause == ev->cause && edges[i].to == ev->new)
			if (BIT(ev->old) & edges[i].from)
				return true;
	return false;
}

/* --- why a connection ends --- */

/* RFC 9293 section 3.6.1: text is lost, which the user has not read or never will. */
static bool loses_text(const struct sock *sk)
{
	const struct seg *s = sk->check.arriving;
	bool reads = !sk->app.done &&
		     !(sk->app.closed && sk->host->cfg->close_read);

	if (reads)
		return false;
	return sk->in.front != sk->in.read ||
	       (s && seq_gt(s->seq + s->len, check_expected(sk)));
}

/* One of these ends what the user has not ended, nor the peer. */
static bool is_giving_up(u8 cause)
{
	return cause == BY_GIVE_UP || cause == BY_USER_TIMEOUT ||
	       cause == BY_KEEP_FAILED || cause == BY_ORPHAN_PROBED;
}

static bool may_end(const struct sock *sk, u8 cause)
{
	const struct check *k = &sk->check;
	u8 due = k->snd.given_up ?: k->life.keep_over;

	if (due || is_giving_up(cause))
		return cause == due;
	if (cause == BY_USER_ABORT)
		return sk->app.aborted;
	if (cause == BY_CLOSED_UNREAD)
		return loses_text(sk);
	return true;
}

static void check_state_cause(struct sock *sk, enum event_owner what,
			      const struct event *ev)
{
	if (!is_edge(ev))
		rule_fail(sk, "from %s to %s: %s", state_name(ev->old),
			  state_name(ev->new), cause_name(ev->cause));
	if (ev->cause == BY_USER_CLOSE && !sk->app.closed && !sk->app.done)
		rule_fail(sk, "a close that the user has not asked for");
	if (ev->new == ST_CLOSED && what != OWNER_REQ &&
	    !may_end(sk, ev->cause))
		rule_fail(sk, "it cannot end for: %s", cause_name(ev->cause));
}

/* --- timers and samples --- */

/* RFC 9293 section 3.8.6: one is of a shut window, the other of an open one. */
static void check_timer_cause(struct sock *sk, const struct event *ev)
{
	if (ev->cause == (ev->snd_wnd ? BY_T_PERSIST : BY_T_OVERRIDE))
		rule_fail(sk, "the %s, with a window of %u",
			  cause_name(ev->cause), ev->snd_wnd);
}

/* RFC 6298 section 3: no sample is refused where nothing is timed. */
static void check_refusal(struct sock *sk)
{
	if (!sk->check.snd.refusable)
		rule_fail(sk, "a sample is refused, and nothing is timed");
	sk->check.snd.refusable = false;
}

void cause_check(struct sock *sk, enum event_owner what, const struct event *ev)
{
	switch (ev->kind) {
	case EV_STATE:
		check_state_cause(sk, what, ev);
		break;
	case EV_TIMER_SET:
	case EV_TIMER_FIRED:
		check_timer_cause(sk, ev);
		break;
	case EV_HYSTART:
		hystart_model_told(sk, ev);
		break;
	case EV_RTT_REFUSED:
		check_refusal(sk);
		break;
	default:
		break;
	}
}
