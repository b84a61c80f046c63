/* SPDX-License-Identifier: GPL-2.0 */
/*
 * seq.h - arithmetic on sequence numbers, modulo 2^32 (RFC 9293 section 3.4)
 *
 * "a comes before b" holds when b is less than 2^31 ahead of a. Two numbers
 * exactly 2^31 apart are not ordered: seq_lt() is true both ways round.
 */
#ifndef CHALK_CORE_SEQ_H
#define CHALK_CORE_SEQ_H

#include "types.h"

/* a < b */
static inline bool seq_lt(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

/* a <= b */
static inline bool seq_le(u32 a, u32 b)
{
	return (s32)(b - a) >= 0;
}

/* a > b */
static inline bool seq_gt(u32 a, u32 b)
{
	return seq_lt(b, a);
}

/* a >= b */
static inline bool seq_ge(u32 a, u32 b)
{
	return seq_le(b, a);
}

/* lo <= x < hi; the arguments stand in the order of the number line. */
static inline bool seq_in(u32 lo, u32 x, u32 hi)
{
	return x - lo < hi - lo;
}

static inline u32 seq_max(u32 a, u32 b)
{
	return seq_gt(a, b) ? a : b;
}

static inline u32 seq_min(u32 a, u32 b)
{
	return seq_lt(a, b) ? a : b;
}

#endif /* CHALK_CORE_SEQ_H */
