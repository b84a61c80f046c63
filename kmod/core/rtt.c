// SPDX-License-Identifier: GPL-2.0
/*
 * rtt.c - RFC 6298, section 2, in its own words
 */
#include "params.h"
#include "rtt.h"

void rtt_init(struct rtt *r, u32 initial, u32 floor, u32 ceiling)
{
	*r = (struct rtt){
		.rto = initial,
		.floor = floor,
		.ceiling = ceiling,
	};
}

/* RTTVAR <- (1 - beta) * RTTVAR + beta * |SRTT - R'|, beta = 1/4 (2.3) */
static u32 smooth_variation(u32 rttvar, u32 srtt, u32 sample)
{
	u32 deviation = sample > srtt ? sample - srtt : srtt - sample;

	return rttvar - rttvar / 4 + deviation / 4;
}

/* SRTT <- (1 - alpha) * SRTT + alpha * R', alpha = 1/8 (2.3) */
static u32 smooth_rtt(u32 srtt, u32 sample)
{
	return srtt - srtt / 8 + sample / 8;
}

void rtt_sample(struct rtt *r, u32 sample)
{
	u32 variance;

	sample = clamp_t(u32, sample, 1, r->ceiling);
	if (!r->srtt) {
		/* (2.2) the first measurement */
		r->srtt = sample;
		r->rttvar = sample / 2;
	} else {
		/* (2.3) RTTVAR first: it needs the old SRTT */
		r->rttvar = smooth_variation(r->rttvar, r->srtt, sample);
		r->srtt = max_t(u32, smooth_rtt(r->srtt, sample), 1);
	}
	/* RTO <- SRTT + max(G, K * RTTVAR), K = 4; RTO_FLOOR says why not G */
	variance = max_t(u32, r->floor, 4 * r->rttvar);
	/* (2.5) */
	r->rto = min_t(u32, r->srtt + variance, r->ceiling);
	r->backoffs = 0;
}

void rtt_backoff(struct rtt *r)
{
	if (rtt_rto(r) < r->ceiling)
		r->backoffs++;
}

u32 rtt_rto(const struct rtt *r)
{
	u64 rto = (u64)r->rto << r->backoffs;

	return clamp_t(u64, rto, r->floor, r->ceiling);
}
