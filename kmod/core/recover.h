/* SPDX-License-Identifier: GPL-2.0 */
/*
 * recover.h - what acknowledgments, and their absence, say about loss
 */
#ifndef CHALK_CORE_RECOVER_H
#define CHALK_CORE_RECOVER_H

#include "conn.h"

/**
 * recover_on_ack() - snd_una has advanced
 * @c:     the connection; snd_una is new
 * @acked: bytes of data it advanced by
 * @s:     the segment
 * @now:   microseconds
 */
void recover_on_ack(struct conn *c, u32 acked, const struct seg *s, u64 now);

/**
 * recover_on_dupack() - a duplicate ACK (RFC 5681 section 2) arrived
 * @c:   the connection
 * @now: microseconds
 */
void recover_on_dupack(struct conn *c, u64 now);

/**
 * recover_on_rto() - the retransmission timer expired with data in flight
 * @c:   the connection
 * @now: microseconds
 */
void recover_on_rto(struct conn *c, u64 now);

/**
 * recover_end() - fast recovery, if it is on, ends: cwnd is deflated
 * @c:   the connection; what is in flight is still so
 * @now: microseconds
 */
void recover_end(struct conn *c, u64 now);

/**
 * recover_forget_timing() - the timed segment is sent again (Karn)
 * @c:   the connection
 * @now: microseconds
 */
void recover_forget_timing(struct conn *c, u64 now);

/**
 * recover_go_back() - all that is in flight is to be sent again
 * @c:     the connection
 * @cause: why
 * @now:   microseconds
 */
void recover_go_back(struct conn *c, enum cause cause, u64 now);

#endif /* CHALK_CORE_RECOVER_H */
