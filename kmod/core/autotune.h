/* SPDX-License-Identifier: GPL-2.0 */
/*
 * autotune.h - how large the buffers of a connection should be
 *
 * A receive buffer has to hold what arrives in a round trip, twice over while the
 * sender still speeds up: the receiver counts what its reader takes in a round
 * trip (dynamic right-sizing, Fisk and Feng 2001, as in the kernel's TCP). A send
 * buffer has to hold a congestion window in flight and another to follow.
 *
 * The habitat asks with conn_rcv_buf_wanted() and conn_snd_buf_wanted(), and
 * grows its buffers as far as its user and its memory allow.
 */
#ifndef CHALK_CORE_AUTOTUNE_H
#define CHALK_CORE_AUTOTUNE_H

#include "types.h"

struct conn;
struct seg;

/**
 * struct autotune - what a receiver measures
 * @rtt:      round trip as seen from here, microseconds; 0: not known
 * @tsecr:    echo of the last sample
 * @edge:     end of the window that is being timed, where @timing
 * @timed:    since when
 * @seq:      rcv_read when the present round trip began
 * @since:    when that was
 * @space:    most bytes the reader has taken in one
 * @wanted:   payload bytes the buffer should hold
 * @timing:   a window is being timed
 */
struct autotune {
	u32 rtt;
	u32 tsecr;
	u32 edge;
	u64 timed;
	u32 seq;
	u64 since;
	u32 space;
	u32 wanted;
	bool timing;
};

/**
 * autotune_begin() - the connection is established
 * @c:   the connection
 * @now: microseconds
 */
void autotune_begin(struct conn *c, u64 now);

/**
 * autotune_rx() - text has arrived in order: measure the round trip
 * @c:   the connection; rcv_nxt is behind the text
 * @s:   the segment
 * @now: microseconds
 *
 * RFC 7323 timestamps tell; else the time that a window of text takes, which is
 * never too short.
 */
void autotune_rx(struct conn *c, const struct seg *s, u64 now);

/**
 * autotune_read() - the reader has taken bytes
 * @c:   the connection; rcv_read is behind them
 * @now: microseconds
 */
void autotune_read(struct conn *c, u64 now);

#endif /* CHALK_CORE_AUTOTUNE_H */
