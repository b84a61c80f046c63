/* SPDX-License-Identifier: GPL-2.0 */
/*
 * state.h - the states of a connection and the ways between them
 *
 * RFC 9293 section 3.3.2, figure 5. The numbers are those of the kernel's
 * enum in <net/tcp_states.h>, so that a socket's sk_state, inet_diag and every
 * tool that reads them show the right name.
 *
 * One function writes the state, and it traces the change.
 */
#ifndef CHALK_CORE_STATE_H
#define CHALK_CORE_STATE_H

#include "event.h"
#include "types.h"

struct conn;

enum conn_state {
	ST_ESTABLISHED = 1,
	ST_SYN_SENT,
	ST_SYN_RCVD,
	ST_FIN_WAIT_1,
	ST_FIN_WAIT_2,
	ST_TIME_WAIT,
	ST_CLOSED,
	ST_CLOSE_WAIT,
	ST_LAST_ACK,
	ST_LISTEN,
	ST_CLOSING,
	NR_STATES
};

/* Sets of states, as bits. */
#define STF(state) BIT(ST_##state)

static inline bool state_in(enum conn_state s, unsigned long set)
{
	return BIT(s) & set;
}

/* The handshake is done and the peer's sequence numbers are known. */
#define STATES_SYNCHRONIZED                                     \
	(STF(ESTABLISHED) | STF(FIN_WAIT_1) | STF(FIN_WAIT_2) | \
	 STF(CLOSE_WAIT) | STF(CLOSING) | STF(LAST_ACK) | STF(TIME_WAIT))

/* Data may go out: the user has data queued, or a FIN behind it. */
#define STATES_CAN_SEND                                                        \
	(STF(ESTABLISHED) | STF(CLOSE_WAIT) | STF(FIN_WAIT_1) | STF(CLOSING) | \
	 STF(LAST_ACK))

/* Data may come in: the peer has not sent its FIN. */
#define STATES_CAN_RECEIVE \
	(STF(ESTABLISHED) | STF(FIN_WAIT_1) | STF(FIN_WAIT_2))

const char *state_name(unsigned int state);

/**
 * state_may_follow() - whether figure 5 of RFC 9293 has an arrow
 * @from: a state
 * @to:   another
 */
bool state_may_follow(enum conn_state from, enum conn_state to);

/**
 * state_set() - move a connection to another state, and trace it
 * @c:     the connection
 * @to:    the new state; a way that is not in the figure is a bug of ours
 * @cause: what moved it
 * @now:   microseconds
 */
void state_set(struct conn *c, enum conn_state to, enum cause cause, u64 now);

/**
 * state_after_close() - where a user's close leads (RFC 9293 section 3.10.4)
 * @from: the state it is called in
 *
 * Return: the state to be in once the FIN is sent, or @from where a close
 * changes nothing.
 */
enum conn_state state_after_close(enum conn_state from);

/**
 * state_after_fin() - where the peer's FIN leads (RFC 9293 section 3.10.7.4)
 * @from:      the state it arrives in
 * @fin_acked: our own FIN is acknowledged
 */
enum conn_state state_after_fin(enum conn_state from, bool fin_acked);

/**
 * state_after_fin_acked() - where the ACK of our FIN leads
 * @from: the state it arrives in
 */
enum conn_state state_after_fin_acked(enum conn_state from);

#endif /* CHALK_CORE_STATE_H */
