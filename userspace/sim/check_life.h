/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check_life.h - how a connection begins, is kept and ends
 *
 *	RFC 9293 3.8.3, 3.8.4	giving up; keep-alives
 *	RFC 9293 3.6.1		TIME_WAIT; FIN_WAIT_2 that nobody holds
 *	RFC 6298 5.5		a SYN+ACK again
 *	RFC 9293 3.10.4, 3.10.5	closing, aborting
 */
#ifndef CHALK_SIM_CHECK_LIFE_H
#define CHALK_SIM_CHECK_LIFE_H

#include "check_challenge.h"
#include "types.h"
#include "wire.h"

struct sock;
struct verdict;

/**
 * struct life - what it knows
 * @syns:      SYN+ACKs of the record, or SYNs, that left
 * @heard_at:  when the peer last said something acceptable
 * @keepalive, @keep_idle: the user's options
 * @keep_on:   the connection is established
 * @keep_due:  when the next is to be sent, NEVER: they are off
 * @keep_sent: without an answer
 * @keep_owed: one is to leave now
 * @keep_over: enum cause: a RST is to leave for this; BY_NONE: none is
 * @fin_due:   when FIN_WAIT_2 without a user ends, NEVER: it does not
 * @due:       when a record falls due
 * @timeouts:  of a record
 * @reset:     a RST left
 * @owes_reset: a record got text, for which a RST is to leave
 * @challenges: RFC 5961 section 7, in TIME_WAIT
 * @unsent:    the user aborted while he had bytes, or a FIN, that never left
 * @aborts:    state in which the user aborted; 0: he did not
 * @over:      it had ended before he closed it
 */
struct life {
	u32 syns;
	u64 heard_at;
	bool keepalive;
	u64 keep_idle;
	bool keep_on;
	u64 keep_due;
	u32 keep_sent;
	bool keep_owed;
	u8 keep_over;
	u64 fin_due;
	u64 due;
	u32 timeouts;
	struct challenges challenges;
	bool reset, owes_reset, unsent;
	u8 aborts;
	bool over;
};

/* Before anything has happened. */
void life_init(struct sock *sk);

/* A SYN or SYN+ACK leaves. */
void life_syn(struct sock *sk);

/* The connection has said what to do with a segment: with a RST of its peer? */
void life_hears_reset(struct sock *sk, const struct seg *s,
		      const struct verdict *v);

/* The timer of a record of SYN_RCVD begins anew. */
void life_request_wait(struct sock *sk);

/* The connection has dealt with a segment. */
void life_heard(struct sock *sk);

/* Return: whether a segment that leaves is a keep-alive. */
bool life_keepalive(struct sock *sk, const struct seg *s);

/* The user is about to abort. */
void life_abort(struct sock *sk);

/* The user closes what has ended already. */
void life_is_over(struct sock *sk);

/* A RST leaves. */
void life_reset(struct sock *sk, const struct seg *s);

/* The time of a timer has come; and what came of it. */
void life_tick(struct sock *sk);
void life_ticked(struct sock *sk);

/* The connection has nothing more to send. */
void life_rest(struct sock *sk);

/* A record of SYN_RCVD falls due; @kept: it goes on. */
void life_request_tick(struct sock *sk, bool kept);

/* The connection has become a record, of TIME_WAIT or FIN_WAIT_2. */
void life_record(struct sock *sk);

/* A record of FIN_WAIT_2 has got a segment: is it to go on, or why is it not? */
void life_fin_wait_rx(struct sock *sk, const struct seg *s, bool kept,
		      enum cause drop);

/* Such a record has got a segment: is it to go on? */
void life_timewait_rx(struct sock *sk, const struct seg *s, bool kept);

/* Such a record has nothing more to send. */
void life_timewait_rest(struct sock *sk);

/* Such a record falls due. */
void life_timewait_tick(struct sock *sk);

#endif /* CHALK_SIM_CHECK_LIFE_H */
