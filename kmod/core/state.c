// SPDX-License-Identifier: GPL-2.0
/*
 * state.c - figure 5 of RFC 9293 as tables
 */
#include "emit.h"
#include "state.h"

static const char *const names[NR_STATES] = {
	[0] = "-",
	[ST_ESTABLISHED] = "ESTABLISHED",
	[ST_SYN_SENT] = "SYN_SENT",
	[ST_SYN_RCVD] = "SYN_RCVD",
	[ST_FIN_WAIT_1] = "FIN_WAIT_1",
	[ST_FIN_WAIT_2] = "FIN_WAIT_2",
	[ST_TIME_WAIT] = "TIME_WAIT",
	[ST_CLOSED] = "CLOSED",
	[ST_CLOSE_WAIT] = "CLOSE_WAIT",
	[ST_LAST_ACK] = "LAST_ACK",
	[ST_LISTEN] = "LISTEN",
	[ST_CLOSING] = "CLOSING",
};

/*
 * The arrows of figure 5. Every state has one to CLOSED besides: a reset, an
 * abort or a timeout (section 3.3.2, note on the figure).
 */
static const unsigned long next[NR_STATES] = {
	[ST_CLOSED] = STF(SYN_SENT) | STF(LISTEN),
	/* a struct conn that leaves a listener's record begins in SYN_RCVD */
	[ST_LISTEN] = STF(SYN_RCVD) | STF(SYN_SENT),
	[ST_SYN_SENT] = STF(ESTABLISHED) | STF(SYN_RCVD),
	[ST_SYN_RCVD] = STF(ESTABLISHED) | STF(FIN_WAIT_1),
	[ST_ESTABLISHED] = STF(FIN_WAIT_1) | STF(CLOSE_WAIT),
	[ST_FIN_WAIT_1] = STF(FIN_WAIT_2) | STF(CLOSING) | STF(TIME_WAIT),
	[ST_FIN_WAIT_2] = STF(TIME_WAIT),
	[ST_CLOSE_WAIT] = STF(LAST_ACK),
	[ST_CLOSING] = STF(TIME_WAIT),
};

static const u8 after_close[NR_STATES] = {
	[ST_ESTABLISHED] = ST_FIN_WAIT_1,
	[ST_CLOSE_WAIT] = ST_LAST_ACK,
};

static const u8 after_fin_acked[NR_STATES] = {
	[ST_FIN_WAIT_1] = ST_FIN_WAIT_2,
	[ST_CLOSING] = ST_TIME_WAIT,
	[ST_LAST_ACK] = ST_CLOSED,
};

const char *state_name(unsigned int state)
{
	return state < NR_STATES ? names[state] : "?";
}

bool state_may_follow(enum conn_state from, enum conn_state to)
{
	return to == ST_CLOSED || state_in(to, next[from]);
}

/* RFC 4022, tcpCurrEstab: in these a user sees a connection. */
static bool is_established(enum conn_state state)
{
	return state_in(state, STF(ESTABLISHED) | STF(CLOSE_WAIT));
}

/* The transitions that RFC 4022 counts; records of SYN_RCVD are counted apart. */
static void count_transition(const struct env *env, enum conn_state from,
			     enum conn_state to)
{
	if (to == ST_SYN_SENT)
		mib_count(env, MIB_ACTIVE_OPENS);
	if (to == ST_CLOSED && state_in(from, STF(SYN_SENT) | STF(SYN_RCVD)))
		mib_count(env, MIB_ATTEMPT_FAILS);
	if (to == ST_CLOSED && is_established(from))
		mib_count(env, MIB_ESTAB_RESETS);
	if (is_established(to) != is_established(from))
		mib_add(env, MIB_CURR_ESTAB, is_established(to) ? 1 : -1);
}

void state_set(struct conn *c, enum conn_state to, enum cause cause, u64 now)
{
	enum conn_state from = c->state;

	if (from == to || CORE_WARN_ON(!state_may_follow(from, to)))
		return;
	c->state = to;
	count_transition(c->env, from, to);
	trace_change(c, EV_STATE, cause, from, to, now);
}

enum conn_state state_after_close(enum conn_state from)
{
	return after_close[from] ?: from;
}

enum conn_state state_after_fin(enum conn_state from, bool fin_acked)
{
	switch (from) {
	case ST_ESTABLISHED:
		return ST_CLOSE_WAIT;
	case ST_FIN_WAIT_1:
		return fin_acked ? ST_TIME_WAIT : ST_CLOSING;
	case ST_FIN_WAIT_2:
		return ST_TIME_WAIT;
	default:
		return from;
	}
}

enum conn_state state_after_fin_acked(enum conn_state from)
{
	return after_fin_acked[from] ?: from;
}
