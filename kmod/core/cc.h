/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cc.h - congestion control: a table of events, one short file an algorithm
 *
 * An algorithm owns cwnd and ssthresh; it changes them only through cc_set()
 * and cc_set_ssthresh(), which trace the change with its cause. The connection
 * says what happened; it never writes the two itself.
 *
 * To write an algorithm: fill a struct cc_ops, add it to the table in cc.c. The
 * same file then runs in the simulator, in the unit tests and in the kernel.
 */
#ifndef CHALK_CORE_CC_H
#define CHALK_CORE_CC_H

#include "event.h"
#include "hystart.h"
#include "types.h"

struct conn;

/**
 * struct cc - congestion state of a connection
 * @ops:      the algorithm
 * @cwnd:     congestion window, bytes
 * @ssthresh: slow start threshold, bytes
 * @acked:    bytes acknowledged since cwnd last grew (RFC 3465 section 2.1)
 * @pipe_ack: the largest FlightSize of this round trip and the one before, bytes:
 *            what RFC 7661 section 4.2 calls pipeACK, as far as nothing is lost
 * @flight:   that of this round trip alone
 * @round:    it ends when all below is acknowledged
 * @valid_at: when at least half of cwnd was last in use, microseconds
 * @loss_used: of a recovery that began when less was: the larger of pipeACK and
 *            LossFlightSize, bytes; 0: cwnd was validated
 * @resent:   bytes that this recovery has sent again
 * @hystart:  whether the first slow start fills a queue
 */
struct cc {
	const struct cc_ops *ops;
	u32 cwnd;
	u32 ssthresh;
	u32 acked;
	u32 pipe_ack;
	u32 flight;
	u32 round;
	u64 valid_at;
	u32 loss_used;
	u32 resent;
	struct hystart hystart;
};

/**
 * struct cc_ops - an algorithm
 * @name:        as TCP_CONGESTION and the sysctl name it
 * @goes_back:   the third duplicate ACK has all that is in flight sent again;
 *               without it, recovery sends what is missing, and the functions
 *               below that say so are called
 * @on_init:     the handshake is done; @lost: a SYN or SYN+ACK was resent
 * @on_ack:      @bytes newly acknowledged, outside recovery
 * @on_loss:     the third duplicate ACK
 * @on_dupack:   a further duplicate ACK in recovery
 * @on_partial:  a partial ACK of @bytes in recovery; without this function the
 *               first ACK of new data ends a recovery (RFC 5681 section 3.2, step 6)
 * @on_recovered: recovery ends, but for a timeout: by an ACK, a smaller MSS or a
 *               shut window
 * @on_rto:      the retransmission timer expired; @again: for the same data
 * @on_idle:     data is about to be sent, the first for longer than the RTO
 *
 * All run under the lock of the connection, in time that does not depend on
 * the size of the window. @now is in microseconds.
 */
struct cc_ops {
	const char *name;
	bool goes_back;
	void (*on_init)(struct conn *c, bool lost, u64 now);
	void (*on_ack)(struct conn *c, u32 bytes, u64 now);
	void (*on_loss)(struct conn *c, u64 now);
	void (*on_dupack)(struct conn *c, u64 now);
	void (*on_partial)(struct conn *c, u32 bytes, u64 now);
	void (*on_recovered)(struct conn *c, u64 now);
	void (*on_rto)(struct conn *c, bool again, u64 now);
	void (*on_idle)(struct conn *c, u64 now);
};

extern const struct cc_ops cc_newreno;
extern const struct cc_ops cc_reno;
extern const struct cc_ops cc_tahoe;

/**
 * cc_find() - look an algorithm up
 * @name: its name
 *
 * Return: the algorithm, or NULL.
 */
const struct cc_ops *cc_find(const char *name);

/**
 * cc_at() - the algorithms one by one
 * @i: from 0 on
 *
 * Return: the algorithm, or NULL: there are no more.
 */
const struct cc_ops *cc_at(size_t i);

/**
 * cc_lacks() - whether an algorithm is whole
 * @ops: its table
 *
 * What it lacks would be called. Who takes an algorithm into use asks before.
 *
 * Return: what is missing, by its name in struct cc_ops, or NULL.
 */
const char *cc_lacks(const struct cc_ops *ops);

/**
 * cc_set() - change cwnd
 * @c:     the connection
 * @cwnd:  bytes; never set below one MSS
 * @cause: why
 * @now:   microseconds
 */
void cc_set(struct conn *c, u32 cwnd, enum cause cause, u64 now);

/**
 * cc_set_ssthresh() - change ssthresh
 * @c:        the connection
 * @ssthresh: bytes; never set below two MSS (RFC 5681, equation 4)
 * @cause:    why
 * @now:      microseconds
 */
void cc_set_ssthresh(struct conn *c, u32 ssthresh, enum cause cause, u64 now);

/**
 * cc_measure_pipe() - how much of cwnd is used
 * @c: the connection; an ACK of something new is here, snd_una is still old
 *
 * FlightSize rises when something is sent and falls with an ACK, so that its peaks
 * are seen here. One counts at least until all that was in flight is acknowledged,
 * whatever the user does meanwhile. What ends a round trip is an ACK, not time: a
 * silence has its own rule (RFC 5681 section 4.1).
 */
void cc_measure_pipe(struct conn *c);

/* RFC 7661 section 4.5.3: of late there was no room in cwnd for another segment. */
static inline bool cc_was_limited(const struct cc *cc, u32 smss)
{
	return cc->pipe_ack + smss > cc->cwnd;
}

/* RFC 7661 section 4.3: a larger cwnd is not validated, pipeACK is less than half. */
static inline u32 cc_validated(const struct cc *cc)
{
	return 2 * cc->pipe_ack;
}

/* The same; a pipeACK of nothing is "undefined", which leaves cwnd valid. */
static inline bool cc_is_validated(const struct cc *cc)
{
	return !cc->pipe_ack || cc_validated(cc) >= cc->cwnd;
}

/**
 * cc_validate() - lower a cwnd of which little has been used for long
 * @c:   the connection; cc_measure_pipe() has seen the ACK, cwnd has grown for it
 * @now: microseconds
 *
 * RFC 7661 section 4.4.3. A silence is no such use: it has its own rule (RFC 5681
 * section 4.1), which leaves less.
 */
void cc_validate(struct conn *c, u64 now);

/* RFC 5681 section 3.1: slow start below ssthresh; equal may be either. */
static inline bool cc_in_slow_start(const struct cc *cc)
{
	return cc->cwnd < cc->ssthresh;
}

/**
 * cc_initial_window() - IW in bytes (RFC 6928 section 2)
 * @segments: how many segments the namespace allows
 * @mss:      bytes
 */
u32 cc_initial_window(u32 segments, u32 mss);

#endif /* CHALK_CORE_CC_H */
