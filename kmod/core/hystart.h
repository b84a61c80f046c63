/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hystart.h - where the first slow start ends: HyStart++ (RFC 9406)
 *
 * Nobody knows yet what the path holds, so slow start doubles cwnd until a queue
 * overflows, and loses up to half of a window at once. HyStart++ watches the round
 * trip instead. When it rises a queue is filling: from then on cwnd grows a quarter
 * as fast (Conservative Slow Start, CSS). If the round trip falls again that was a
 * mistake, and slow start goes on. If it does not for five rounds slow start is over:
 * ssthresh is cwnd.
 *
 * Only the first slow start is watched, while ssthresh has its initial value (section
 * 4.3): a later one knows from ssthresh where to end.
 *
 * The round trip is that of the newest data that an ACK covers, in microseconds. A
 * round trip of RFC 6298 would not do: one segment is timed at a time there, and here
 * eight are wanted in a round.
 */
#ifndef CHALK_CORE_HYSTART_H
#define CHALK_CORE_HYSTART_H

#include "types.h"

struct conn;

/* No round trip is known: "infinity" in RFC 9406. */
#define HYSTART_NO_RTT U32_MAX

/*
 * Moments of sending that are kept. Where more are in flight those that find no room
 * are not timed; twice what a round needs is always there.
 */
#define HYSTART_MARKS 16

/**
 * struct hystart_mark - data that went out at one moment
 * @start: the first byte
 * @end:   behind the last
 * @at:    the moment, the lower 32 bits of microseconds
 */
struct hystart_mark {
	u32 start;
	u32 end;
	u32 at;
};

/**
 * struct hystart - what is known of the rounds, RFC 9406 section 4.2
 * @on:         the connection has HyStart++
 * @in_round:   a round has begun
 * @css_left:   rounds that CSS will last, this one included; 0: slow start
 * @first:      place of the oldest mark
 * @marks:      how many there are
 * @samples:    rttSampleCount
 * @window_end: windowEnd, where @in_round
 * @rtt:        currRTT
 * @min:        currentRoundMinRTT
 * @last_min:   lastRoundMinRTT
 * @baseline:   cssBaselineMinRtt, in CSS
 * @mark:       a ring, in order of sequence
 */
struct hystart {
	bool on;
	bool in_round;
	u8 css_left;
	u8 first;
	u8 marks;
	u32 samples;
	u32 window_end;
	u32 rtt;
	u32 min;
	u32 last_min;
	u32 baseline;
	struct hystart_mark mark[HYSTART_MARKS];
};

/**
 * hystart_begin() - a slow start begins that knows nothing of the path
 * @c:  the connection
 * @on: it has HyStart++
 */
void hystart_begin(struct conn *c, bool on);

/**
 * hystart_sent() - sequence numbers [@seq, @end) go out
 * @c:   the connection; its snd_nxt is still what it was
 * @seq: the first
 * @end: behind the last
 * @now: microseconds
 */
void hystart_sent(struct conn *c, u32 seq, u32 end, u64 now);

/**
 * hystart_timed() - the round trip of the newest data that an ACK covers
 * @c:   the connection; its snd_una is the new one
 * @now: microseconds
 *
 * Return: microseconds, or HYSTART_NO_RTT: it was not timed, or sent twice.
 */
u32 hystart_timed(struct conn *c, u64 now);

/**
 * hystart_sample() - an ACK has come
 * @c:   the connection
 * @rtt: the round trip that it tells, microseconds, or HYSTART_NO_RTT
 *
 * hystart_ack() uses it.
 */
void hystart_sample(struct conn *c, u32 rtt);

/* Whether cwnd grows slower since a queue seems to fill. */
bool hystart_is_careful(const struct conn *c);

/**
 * hystart_ack() - slow start has taken an ACK
 * @c:   the connection; cwnd has grown, snd_una is the new one
 * @now: microseconds
 */
void hystart_ack(struct conn *c, u64 now);

#endif /* CHALK_CORE_HYSTART_H */
