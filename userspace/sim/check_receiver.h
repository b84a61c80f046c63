/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check_receiver.h - what becomes of a segment, and which ACKs are owed
 *
 *	RFC 9293 3.10.7	the order of the steps, what is acceptable
 *	RFC 7323	PAWS, and which timestamp is echoed
 *	RFC 5961	RST, SYN and ACK of an attacker; how many answers
 *	RFC 9293 3.8.6	delayed ACKs, the window's steps
 */
#ifndef CHALK_SIM_CHECK_RECEIVER_H
#define CHALK_SIM_CHECK_RECEIVER_H

#include "check_challenge.h"
#include "types.h"
#include "wire.h"

struct sock;
struct verdict;

/* What the RFCs do with a segment. */
enum fate {
	FATE_UNSURE, /* it stands where the rounding of our window hides the edge */
	FATE_QUIET, /* dropped, without a word */
	FATE_ANSWER, /* dropped, and an ACK says where we stand */
	FATE_CHALLENGE, /* the same, as often as RFC 5961 section 7 allows */
	FATE_REFUSE, /* a RST goes back */
	FATE_END, /* it is a RST, and believed */
	FATE_TAKE, /* its ACK, its text and its FIN count */
};

/**
 * struct receiver - what it knows
 * @fate:       of the segment that is being received
 * @why:        it is dropped, where it is; with clauses in event.h
 * @before:     state it came in
 * @of_prober:  it stands one before RCV.NXT, of a peer that probed
 * @speaks:     it shows that the peer is alive
 * @ts_recent:  the timestamp to echo, from @ts_at, where @ts_known
 * @full:       largest segment of late
 * @last_len:   length of the last that seemed to be whole
 * @clamp:      the user's bound to the window, 0: none
 * @must_ack:   an ACK has to leave now
 * @may_ack:    one that carries nothing may leave now
 * @has_read:   the user has read at this moment
 * @challenges: RFC 5961 section 7
 */
struct receiver {
	u8 fate, why;
	u8 before;
	bool speaks, of_prober;
	bool ts_known;
	u32 ts_recent;
	u64 ts_at;
	u32 full;
	u32 last_len;
	u32 clamp;
	bool must_ack, may_ack, has_read;
	struct challenges challenges;
};

/* A segment arrives at a connection that knows its peer's SYN, or waits for it. */
void receiver_judge(struct sock *sk, const struct seg *s);

/* Such a segment's timestamp is the peer's last. */
void receiver_keep_timestamp(struct sock *sk, const struct seg *s);

/* The core has dealt with it: as the RFCs do? */
void receiver_verdict(struct sock *sk, const struct seg *s,
		      const struct verdict *v);

/* The peer's SYN is taken. */
void receiver_syn(struct sock *sk, const struct seg *s);

/* A segment with an ACK leaves. */
void receiver_out(struct sock *sk, const struct seg *s);

/* The user changes the buffer, or the bound to the window. */
void receiver_resize(struct sock *sk);

/* The window moves so far. */
void receiver_window(struct sock *sk, u32 gain);

/* The connection has nothing more to send. */
void receiver_rest(struct sock *sk);

/* The time of the delayed ACK may have come. */
void receiver_tick(struct sock *sk);

#endif /* CHALK_SIM_CHECK_RECEIVER_H */
