/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check_request.h - what becomes of a segment for a record of SYN_RCVD
 *
 *	RFC 9293 3.10.7.4	the order of the steps, in SYN-RECEIVED
 *	RFC 7323 3.2, 5.3	timestamps
 *	RFC 5961 3.2, 4.2, 7	RST and SYN of an attacker; how many answers
 *	RFC 9293 3.9.1		TCP_DEFER_ACCEPT, an option of the user
 */
#ifndef CHALK_SIM_CHECK_REQUEST_H
#define CHALK_SIM_CHECK_REQUEST_H

#include "check_challenge.h"
#include "req.h"
#include "types.h"

struct sock;

/**
 * struct request - what it knows
 * @result:   of the segment that is being received
 * @unsure:   the RFCs would take a part of it that the record does not look at
 * @synack, @challenge: one is to leave now
 * @again:    SYN+ACKs that repeated one
 * @acked, @acked_at: its SYN+ACK is acknowledged, since then
 * @challenges: RFC 5961 section 7
 */
struct request {
	enum req_result result;
	bool unsure;
	bool synack, challenge;
	u32 again;
	bool acked;
	u64 acked_at;
	struct challenges challenges;
};

/* So many timeouts it waits for data. */
u32 request_defers(const struct sock *sk);

/* A segment arrives for the record; what the record has made of it. */
void request_judge(struct sock *sk, const struct seg *s);
void request_verdict(struct sock *sk, enum req_result result);

/* A SYN+ACK or an ACK of the record leaves. */
void request_out(struct sock *sk, const struct seg *s);

/* The record has nothing more to send. */
void request_rest(struct sock *sk);

#endif /* CHALK_SIM_CHECK_REQUEST_H */
