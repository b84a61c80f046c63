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
 * The round trip is that of the newest data that an ACK covers: the scoreboard (sent.h)
 * knows when it went out. A round trip of RFC 6298 would not do: one segment is timed
 * at a time there, and here eight are wanted in a round.
 */
#ifndef CHALK_CORE_HYSTART_H
#define CHALK_CORE_HYSTART_H

#include "types.h"

struct conn;
struct sent_news;

/* No round trip is known: "infinity" in RFC 9406. */
#define HYSTART_NO_RTT U32_MAX

/**
 * struct hystart - what is known of the rounds, RFC 9406 section 4.2
 * @on:         the connection has HyStart++
 * @in_round:   a round has begun
 * @css_left:   rounds that CSS will last, this one included; 0: slow start
 * @samples:    rttSampleCount
 * @window_end: windowEnd, where @in_round
 * @rtt:        currRTT
 * @min:        currentRoundMinRTT
 * @last_min:   lastRoundMinRTT
 * @baseline:   cssBaselineMinRtt, in CSS
 */
struct hystart {
	bool on;
	bool in_round;
	u8 css_left;
	u32 samples;
	u32 window_end;
	u32 rtt;
	u32 min;
	u32 last_min;
	u32 baseline;
};

/**
 * hystart_begin() - a slow start begins that knows nothing of the path
 * @c:  the connection
 * @on: it has HyStart++
 */
void hystart_begin(struct conn *c, bool on);

/* Whether it watches, and wants to know when each segment went out. */
bool hystart_is_on(const struct conn *c);

/**
 * hystart_sample() - an ACK has come
 * @c:    the connection
 * @news: what it says: its round trip is that of the newest data it covers, unless
 *        some of it was sent twice (Karn, RFC 6298 section 3)
 * @now:  microseconds
 *
 * hystart_ack() uses it.
 */
void hystart_sample(struct conn *c, const struct sent_news *news, u64 now);

/* Whether cwnd grows slower since a queue seems to fill. */
bool hystart_is_careful(const struct conn *c);

/**
 * hystart_ack() - slow start has taken an ACK
 * @c:   the connection; cwnd has grown, snd_una is the new one
 * @now: microseconds
 */
void hystart_ack(struct conn *c, u64 now);

#endif /* CHALK_CORE_HYSTART_H */
