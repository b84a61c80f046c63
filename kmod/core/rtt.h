/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rtt.h - round-trip time and retransmission timeout (RFC 6298)
 *
 * Owns srtt, rttvar and rto. All times in microseconds.
 */
#ifndef CHALK_CORE_RTT_H
#define CHALK_CORE_RTT_H

#include "types.h"

/**
 * struct rtt - the estimator
 * @srtt:     smoothed round-trip time, 0: no sample yet
 * @rttvar:   its variation
 * @rto:      the timeout without backoff
 * @backoffs: how often it has been doubled since the last sample
 * @floor:    least distance of @rto from @srtt (params.h, RTO_FLOOR)
 * @ceiling:  upper bound of the backed-off timeout (2.5)
 */
struct rtt {
	u32 srtt;
	u32 rttvar;
	u32 rto;
	u8 backoffs;
	u32 floor;
	u32 ceiling;
};

/**
 * rtt_init() - before the first sample, RFC 6298 (2.1)
 * @r:       the estimator
 * @initial: first timeout
 * @floor:   lower bound
 * @ceiling: upper bound
 */
void rtt_init(struct rtt *r, u32 initial, u32 floor, u32 ceiling);

/**
 * rtt_sample() - take a measurement, RFC 6298 (2.2) and (2.3)
 * @r:      the estimator
 * @sample: measured round trip; 0 counts as 1
 *
 * Ends a backoff (section 5, last paragraph).
 */
void rtt_sample(struct rtt *r, u32 sample);

/**
 * rtt_backoff() - the timer expired: double the timeout, RFC 6298 (5.5)
 * @r: the estimator
 */
void rtt_backoff(struct rtt *r);

/**
 * rtt_rto() - the timeout to set the timer to, with backoff and bounds
 * @r: the estimator
 */
u32 rtt_rto(const struct rtt *r);

#endif /* CHALK_CORE_RTT_H */
