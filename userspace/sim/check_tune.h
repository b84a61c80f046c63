/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check_tune.h - how large the buffers should be
 *
 * Dynamic right-sizing (Fisk and Feng 2001), as kmod/core/autotune.h tells of it:
 * a receive buffer holds twice what the reader takes in a round trip, a send
 * buffer three times cwnd.
 */
#ifndef CHALK_SIM_CHECK_TUNE_H
#define CHALK_SIM_CHECK_TUNE_H

#include "types.h"
#include "wire.h"

struct sock;

/**
 * struct tune - what it has measured
 * @on:     the connection is established
 * @unsure: the rounding of a window hides what the core has done
 * @rtt:    round trip, microseconds, 0: not known
 * @echo:   the last echo that was used
 * @timing: a window of text is timed, up to @edge, since @timed
 * @seq, @since: where and when the round trip of the reader began
 * @most:   the most he has taken in one
 * @wanted: bytes
 */
struct tune {
	bool on, unsure;
	u32 rtt;
	u32 echo;
	bool timing;
	u32 edge;
	u64 timed;
	u32 seq;
	u64 since;
	u32 most;
	u32 wanted;
};

/* The connection is established. */
void tune_begin(struct sock *sk);

/* Text in order has arrived, and is kept. */
void tune_kept(struct sock *sk, const struct seg *s);

/* The reader has taken bytes, or has been counted as if. */
void tune_read(struct sock *sk);

/* The connection has nothing more to send. */
void tune_rest(struct sock *sk);

#endif /* CHALK_SIM_CHECK_TUNE_H */
