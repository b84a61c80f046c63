/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rng.h - seeded random numbers (splitmix64)
 *
 * Every draw of a run comes from generators seeded by the run's seed, so that
 * a seed names a run completely.
 */
#ifndef CHALK_SIM_RNG_H
#define CHALK_SIM_RNG_H

#include "types.h"

/* Probabilities are parts per million. */
#define PPM 1000000U

struct rng {
	u64 state;
};

static inline u64 mix64(u64 x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static inline u64 rng_next(struct rng *r)
{
	r->state += 0x9e3779b97f4a7c15ULL;
	return mix64(r->state);
}

/* 0 <= result < n; n is not 0. */
static inline u64 rng_below(struct rng *r, u64 n)
{
	return rng_next(r) % n;
}

/* lo <= result <= hi */
static inline u64 rng_range(struct rng *r, u64 lo, u64 hi)
{
	return lo + rng_below(r, hi - lo + 1);
}

static inline bool rng_chance(struct rng *r, u32 ppm)
{
	return ppm && rng_below(r, PPM) < ppm;
}

/* A generator of its own for each purpose: what one draws moves no other. */
static inline struct rng rng_fork(u64 seed, u64 purpose)
{
	return (struct rng){ mix64(seed ^ mix64(purpose)) };
}

#endif /* CHALK_SIM_RNG_H */
