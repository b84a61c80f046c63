// SPDX-License-Identifier: GPL-2.0
/*
 * seq_test.c - sequence arithmetic (RFC 9293 section 3.4)
 */
#include <kunit/test.h>

#include "../core/seq.h"
#include "helper.h"

/* Two numbers, @a before @b. */
static const struct pair_param {
	const char *name;
	u32 a, b;
} pairs[] = {
	{ "next", 7, 8 },
	{ "far", 0, 0x7fffffff },
	{ "across the wrap", 0xffffffff, 0 },
	{ "far across the wrap", 0xc0000000, 0x3fffffff },
	{ "across the sign", 0x7fffffff, 0x80000000 },
};

NAMED_PARAMS(pair_param, pairs);

static void seq_lt__orders(struct kunit *test)
{
	const struct pair_param *p = test->param_value;

	KUNIT_EXPECT_TRUE(test, seq_lt(p->a, p->b));
	KUNIT_EXPECT_FALSE(test, seq_lt(p->b, p->a));
	KUNIT_EXPECT_FALSE(test, seq_lt(p->a, p->a));
	KUNIT_EXPECT_TRUE(test, seq_gt(p->b, p->a));
	KUNIT_EXPECT_FALSE(test, seq_gt(p->a, p->b));
	KUNIT_EXPECT_FALSE(test, seq_gt(p->b, p->b));
}

static void seq_le__orders(struct kunit *test)
{
	const struct pair_param *p = test->param_value;

	KUNIT_EXPECT_TRUE(test, seq_le(p->a, p->b));
	KUNIT_EXPECT_FALSE(test, seq_le(p->b, p->a));
	KUNIT_EXPECT_TRUE(test, seq_le(p->a, p->a));
	KUNIT_EXPECT_TRUE(test, seq_ge(p->b, p->a));
	KUNIT_EXPECT_FALSE(test, seq_ge(p->a, p->b));
	KUNIT_EXPECT_TRUE(test, seq_ge(p->b, p->b));
}

/* Half the circle apart there is no order; the header promises "both". */
static void seq_lt__half_circle(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, seq_lt(5, 0x80000005));
	KUNIT_EXPECT_TRUE(test, seq_lt(0x80000005, 5));
}

static void seq_in__half_open(struct kunit *test)
{
	const struct pair_param *p = test->param_value;

	KUNIT_EXPECT_TRUE(test, seq_in(p->a, p->a, p->b));
	KUNIT_EXPECT_TRUE(test, seq_in(p->a, p->b - 1, p->b));
	KUNIT_EXPECT_FALSE(test, seq_in(p->a, p->b, p->b));
	KUNIT_EXPECT_FALSE(test, seq_in(p->a, p->a - 1, p->b));
	KUNIT_EXPECT_FALSE(test, seq_in(p->a, p->a, p->a));
}

static void seq_max__and_min(struct kunit *test)
{
	const struct pair_param *p = test->param_value;

	KUNIT_EXPECT_EQ(test, seq_max(p->a, p->b), p->b);
	KUNIT_EXPECT_EQ(test, seq_max(p->b, p->a), p->b);
	KUNIT_EXPECT_EQ(test, seq_min(p->a, p->b), p->a);
	KUNIT_EXPECT_EQ(test, seq_min(p->b, p->a), p->a);
}

static struct kunit_case seq_cases[] = {
	KUNIT_CASE_PARAM(seq_lt__orders, pairs_row_gen_params),
	KUNIT_CASE_PARAM(seq_le__orders, pairs_row_gen_params),
	KUNIT_CASE(seq_lt__half_circle),
	KUNIT_CASE_PARAM(seq_in__half_open, pairs_row_gen_params),
	KUNIT_CASE_PARAM(seq_max__and_min, pairs_row_gen_params),
	{}
};

static struct kunit_suite chalk_seq = {
	.name = "chalk_seq",
	.test_cases = seq_cases,
};

kunit_test_suite(chalk_seq);
