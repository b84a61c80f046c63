// SPDX-License-Identifier: GPL-2.0
/*
 * rtt_test.c - RFC 6298 with numbers
 */
#include <kunit/test.h>

#include "../core/params.h"
#include "../core/rtt.h"
#include "helper.h"

static struct rtt fresh(void)
{
	struct rtt r;

	rtt_init(&r, RTO_INITIAL, RTO_FLOOR, RTO_CEILING);
	return r;
}

/* (2.1) */
static void rtt_init__one_second(struct kunit *test)
{
	struct rtt r = fresh();

	KUNIT_EXPECT_EQ(test, r.srtt, 0);
	KUNIT_EXPECT_EQ(test, rtt_rto(&r), SECOND);
}

/*
 * (2.2) and (2.3), worked by hand: a sample and what it makes of
 * SRTT, RTTVAR and RTO = SRTT + max(floor, 4 * RTTVAR), milliseconds.
 */
static void rtt_sample__worked_example(struct kunit *test)
{
	static const struct {
		u32 sample, srtt, rttvar, rto;
	} steps[] = {
		/* RTTVAR = R/2 */
		{ 400000, 400000, 200000, 1200000 },
		/* |400-480| = 80: 150 + 20; 350 + 60 */
		{ 480000, 410000, 170000, 1090000 },
		/* |410-250| = 160: 127.5 + 40; 358.75 + 31.25 */
		{ 250000, 390000, 167500, 1060000 },
		/* no deviation: 125.625; SRTT stays */
		{ 390000, 390000, 125625, 892500 },
	};
	struct rtt r = fresh();

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		rtt_sample(&r, steps[i].sample);
		KUNIT_EXPECT_EQ(test, r.srtt, steps[i].srtt);
		KUNIT_EXPECT_EQ(test, r.rttvar, steps[i].rttvar);
		KUNIT_EXPECT_EQ(test, rtt_rto(&r), steps[i].rto);
	}
}

/* RTO keeps its distance from SRTT on a path that never varies. */
static void rtt_sample__floor(struct kunit *test)
{
	struct rtt r = fresh();

	for (int i = 0; i < 100; i++)
		rtt_sample(&r, 80 * MS);
	KUNIT_EXPECT_EQ(test, r.srtt, 80 * MS);
	KUNIT_EXPECT_LT(test, r.rttvar, 100);
	KUNIT_EXPECT_EQ(test, rtt_rto(&r), 80 * MS + RTO_FLOOR);
}

/* A measurement of nothing is still one: (2.2) needs SRTT to be set. */
static void rtt_sample__zero(struct kunit *test)
{
	struct rtt r = fresh();

	rtt_sample(&r, 0);
	KUNIT_EXPECT_EQ(test, r.srtt, 1);
	for (int i = 0; i < 20; i++)
		rtt_sample(&r, 0);
	KUNIT_EXPECT_EQ(test, r.srtt, 1);
}

static void rtt_sample__above_ceiling(struct kunit *test)
{
	struct rtt r = fresh();

	rtt_sample(&r, U32_MAX);
	KUNIT_EXPECT_EQ(test, r.srtt, RTO_CEILING);
	KUNIT_EXPECT_EQ(test, rtt_rto(&r), RTO_CEILING);
}

/* (5.5): doubled; (2.5): up to the ceiling */
static void rtt_backoff__doubles(struct kunit *test)
{
	static const u32 seconds[] = { 1, 2, 4, 8, 16, 32, 64, 120, 120, 120 };
	struct rtt r = fresh();

	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
		KUNIT_EXPECT_EQ(test, rtt_rto(&r), seconds[i] * SECOND);
		rtt_backoff(&r);
	}
}

/* No shift is too far, however long the silence. */
static void rtt_backoff__for_ever(struct kunit *test)
{
	struct rtt r;

	rtt_init(&r, 1, 1, RTO_CEILING);
	for (int i = 0; i < 1000; i++)
		rtt_backoff(&r);
	KUNIT_EXPECT_EQ(test, rtt_rto(&r), RTO_CEILING);
	KUNIT_EXPECT_LT(test, r.backoffs, 32);
}

/* Section 5, last paragraph, and section 3: a valid sample ends it. */
static void rtt_sample__ends_backoff(struct kunit *test)
{
	struct rtt r = fresh();

	rtt_backoff(&r);
	rtt_backoff(&r);
	rtt_sample(&r, 100 * MS);
	KUNIT_EXPECT_EQ(test, r.backoffs, 0);
	KUNIT_EXPECT_EQ(test, rtt_rto(&r), 300 * MS);
}

static void rtt_rto__bounds_of_first(struct kunit *test)
{
	struct rtt r;

	rtt_init(&r, 10 * MS, RTO_FLOOR, RTO_CEILING);
	KUNIT_EXPECT_EQ(test, rtt_rto(&r), RTO_FLOOR);
	rtt_init(&r, 200 * SECOND, RTO_FLOOR, RTO_CEILING);
	KUNIT_EXPECT_EQ(test, rtt_rto(&r), RTO_CEILING);
}

/* Whatever the samples: SRTT within them, RTO within its bounds. */
static void rtt_sample__random(struct kunit *test)
{
	u32 state = 6298;

	for (int round = 0; round < 200 && !test->status; round++) {
		u32 lo = prng(&state) % SECOND + 1;
		u32 spread = prng(&state) % (60 * SECOND);
		struct rtt r = fresh();

		for (int i = 0; i < 100; i++) {
			rtt_sample(&r, lo + prng(&state) % (spread + 1));
			/* each step of whole microseconds may lose two */
			KUNIT_EXPECT_GE(test, r.srtt + 16, lo);
			KUNIT_EXPECT_LE(test, r.srtt, lo + spread);
			KUNIT_EXPECT_GE(test, rtt_rto(&r), RTO_FLOOR);
			KUNIT_EXPECT_LE(test, rtt_rto(&r), RTO_CEILING);
			KUNIT_EXPECT_GT(test, rtt_rto(&r), r.srtt);
		}
	}
}

static struct kunit_case rtt_cases[] = { KUNIT_CASE(rtt_init__one_second),
					 KUNIT_CASE(rtt_sample__worked_example),
					 KUNIT_CASE(rtt_sample__floor),
					 KUNIT_CASE(rtt_sample__zero),
					 KUNIT_CASE(rtt_sample__above_ceiling),
					 KUNIT_CASE(rtt_sample__ends_backoff),
					 KUNIT_CASE(rtt_sample__random),
					 KUNIT_CASE(rtt_backoff__doubles),
					 KUNIT_CASE(rtt_backoff__for_ever),
					 KUNIT_CASE(rtt_rto__bounds_of_first),
					 {} };

static struct kunit_suite chalk_rtt = {
	.name = "chalk_rtt",
	.test_cases = rtt_cases,
};

kunit_test_suite(chalk_rtt);
