// SPDX-License-Identifier: GPL-2.0
/*
 * reasm_test.c - ranges beyond rcv_nxt, drawn and against a bitmap
 */
#include <kunit/test.h>

#include "../core/params.h"
#include "../core/reasm.h"
#include "../core/seq.h"
#include "helper.h"

#define CAP 8

/*
 * One addition. Ranges are pairs of numbers below 100; @in becomes @trimmed.
 * The drawings stand for the first pair of each list.
 */
static const struct add_param {
	const char *name;
	struct seq_range before[3];
	struct seq_range in;
	enum reasm_result result;
	struct seq_range trimmed;
	struct seq_range after[4];
} adds[] = {
	/* clang-format off */
	/* in: [----) */
	{ "into nothing", {}, { 10, 20 }, REASM_NEW, { 10, 20 },
	  { { 10, 20 } } },
	/* [====)  [----) */
	{ "above, apart", { { 10, 20 } }, { 30, 40 }, REASM_NEW, { 30, 40 },
	  { { 10, 20 }, { 30, 40 } } },
	/* [----)  [====) */
	{ "below, apart", { { 30, 40 } }, { 10, 20 }, REASM_NEW, { 10, 20 },
	  { { 10, 20 }, { 30, 40 } } },
	/* [====)  [----)  [====) */
	{ "between, apart", { { 10, 20 }, { 50, 60 } }, { 30, 40 }, REASM_NEW,
	  { 30, 40 }, { { 10, 20 }, { 30, 40 }, { 50, 60 } } },
	/* [====)[----) */
	{ "touches the end", { { 10, 20 } }, { 20, 30 }, REASM_NEW, { 20, 30 },
	  { { 10, 30 } } },
	/* [----)[====) */
	{ "touches the start", { { 20, 30 } }, { 10, 20 }, REASM_NEW,
	  { 10, 20 }, { { 10, 30 } } },
	/* [====)[----)[====) */
	{ "fills a hole", { { 10, 20 }, { 30, 40 } }, { 20, 30 }, REASM_NEW,
	  { 20, 30 }, { { 10, 40 } } },
	/*
	 * [=======)
	 *     [-------)
	 */
	{ "over the end", { { 10, 20 } }, { 15, 30 }, REASM_NEW, { 20, 30 },
	  { { 10, 30 } } },
	/*
	 *     [=======)
	 * [-------)
	 */
	{ "over the start", { { 20, 30 } }, { 10, 25 }, REASM_NEW, { 10, 20 },
	  { { 10, 30 } } },
	/*
	 * [=======)   [=======)
	 *      [-----------)
	 */
	{ "over end and start", { { 10, 20 }, { 30, 40 } }, { 15, 35 },
	  REASM_NEW, { 20, 30 }, { { 10, 40 } } },
	/*
	 *     [====)
	 * [-----------)
	 */
	{ "around one", { { 20, 30 } }, { 10, 40 }, REASM_NEW, { 10, 40 },
	  { { 10, 40 } } },
	/*
	 *     [==)  [==)
	 * [---------------)
	 */
	{ "around two", { { 20, 30 }, { 40, 50 }, { 70, 80 } }, { 10, 60 },
	  REASM_NEW, { 10, 60 }, { { 10, 60 }, { 70, 80 } } },
	/*
	 * [====)  [==)  [====)
	 *    [-------------)
	 */
	{ "around one, over two", { { 10, 20 }, { 30, 40 }, { 50, 60 } },
	  { 15, 55 }, REASM_NEW, { 20, 50 }, { { 10, 60 } } },
	/*
	 *     [====)
	 *     [-------)
	 */
	{ "same start, longer", { { 10, 20 } }, { 10, 30 }, REASM_NEW,
	  { 20, 30 }, { { 10, 30 } } },
	/*
	 *     [====)
	 * [--------)
	 */
	{ "same end, longer", { { 20, 30 } }, { 10, 30 }, REASM_NEW,
	  { 10, 20 }, { { 10, 30 } } },
	/*
	 *     [====)  [====)
	 * [----------------)
	 */
	{ "to the end of the second", { { 20, 30 }, { 40, 50 } }, { 10, 50 },
	  REASM_NEW, { 10, 40 }, { { 10, 50 } } },
	/*
	 * [====)  [====)
	 *      [--)
	 */
	{ "one byte of room at each side", { { 10, 20 }, { 40, 50 } },
	  { 21, 39 }, REASM_NEW, { 21, 39 },
	  { { 10, 20 }, { 21, 39 }, { 40, 50 } } },
	/* the same bytes */
	{ "again", { { 10, 20 } }, { 10, 20 }, REASM_DUPLICATE, {},
	  { { 10, 20 } } },
	/*
	 * [=========)
	 *    [---)
	 */
	{ "inside", { { 10, 20 }, { 30, 40 } }, { 32, 38 }, REASM_DUPLICATE, {},
	  { { 10, 20 }, { 30, 40 } } },
	{ "inside, same start", { { 10, 20 } }, { 10, 15 }, REASM_DUPLICATE, {},
	  { { 10, 20 } } },
	{ "inside, same end", { { 10, 20 } }, { 15, 20 }, REASM_DUPLICATE, {},
	  { { 10, 20 } } },
	/* clang-format on */
};

NAMED_PARAMS(add_param, adds);

/* How many of a list are in use: an empty range ends it. */
static u16 length(const struct seq_range *list, u16 most)
{
	u16 n = 0;

	while (n < most && list[n].end)
		n++;
	return n;
}

static void add_at(struct kunit *test, const struct add_param *p, u32 base)
{
	struct seq_range in = { base + p->in.start, base + p->in.end };
	struct seq_range room[CAP];
	struct reasm m = { .r = room, .cap = CAP };
	u16 n = length(p->after, 4);

	m.n = length(p->before, 3);
	for (u16 i = 0; i < m.n; i++)
		room[i] = (struct seq_range){ base + p->before[i].start,
					      base + p->before[i].end };
	KUNIT_EXPECT_EQ(test, reasm_add(&m, &in), p->result);
	if (p->result == REASM_NEW) {
		KUNIT_EXPECT_EQ(test, in.start - base, p->trimmed.start);
		KUNIT_EXPECT_EQ(test, in.end - base, p->trimmed.end);
	}
	KUNIT_ASSERT_EQ(test, m.n, n);
	for (u16 i = 0; i < n; i++) {
		KUNIT_EXPECT_EQ(test, room[i].start - base, p->after[i].start);
		KUNIT_EXPECT_EQ(test, room[i].end - base, p->after[i].end);
	}
}

static void reasm_add__drawings(struct kunit *test)
{
	add_at(test, test->param_value, 1000);
}

/* The same with the wrap of the sequence numbers at each place of the drawing */
static void reasm_add__drawings_wrapped(struct kunit *test)
{
	for (u32 at = 0; at < 90; at++)
		add_at(test, test->param_value, 0 - at);
}

static void reasm_add__full(struct kunit *test)
{
	struct seq_range room[2];
	struct reasm m = { .r = room, .cap = 2 };
	struct seq_range in = { 10, 20 };

	KUNIT_EXPECT_EQ(test, reasm_add(&m, &in), REASM_NEW);
	in = (struct seq_range){ 30, 40 };
	KUNIT_EXPECT_EQ(test, reasm_add(&m, &in), REASM_NEW);
	in = (struct seq_range){ 50, 60 };
	KUNIT_EXPECT_EQ(test, reasm_add(&m, &in), REASM_FULL);
	/* what touches needs no room */
	in = (struct seq_range){ 40, 50 };
	KUNIT_EXPECT_EQ(test, reasm_add(&m, &in), REASM_NEW);
	KUNIT_EXPECT_EQ(test, m.n, 2);
	KUNIT_EXPECT_EQ(test, m.bytes, 30);
}

static void reasm_add__no_array(struct kunit *test)
{
	struct seq_range in = { 10, 20 };
	struct reasm m = {};

	KUNIT_EXPECT_EQ(test, reasm_add(&m, &in), REASM_FULL);
}

/* rcv_nxt moves up into, onto or between ranges [10,20) [30,40). */
static const struct advance_param {
	const char *name;
	u32 to, next, left;
} advances[] = {
	{ "below all", 5, 5, 2 },	  { "one below", 9, 9, 2 },
	{ "onto the first", 10, 20, 1 },  { "into the first", 15, 20, 1 },
	{ "to its end", 20, 20, 1 },	  { "between", 25, 25, 1 },
	{ "onto the second", 30, 40, 0 }, { "into the second", 39, 40, 0 },
	{ "past all", 50, 50, 0 },
};

NAMED_PARAMS(advance_param, advances);

static void reasm_advance__table(struct kunit *test)
{
	const struct advance_param *p = test->param_value;

	for (u32 base = -45; base != 1; base++) {
		struct seq_range room[CAP] = { { base + 10, base + 20 },
					       { base + 30, base + 40 } };
		struct reasm m = { .r = room, .n = 2, .cap = CAP };

		KUNIT_EXPECT_EQ(test, reasm_advance(&m, base + p->to) - base,
				p->next);
		KUNIT_EXPECT_EQ(test, m.n, p->left);
		if (m.n)
			KUNIT_EXPECT_EQ(test, room[m.n - 1].end - base, 40);
	}
}

/* What is left of ranges [10,20) [30,40) in front of a place. */
static const struct cut_param {
	const char *name;
	u32 at, n, bytes, end;
} cuts[] = {
	{ "all", 5, 0, 0, 0 },
	{ "at the first", 10, 0, 0, 0 },
	{ "in the first", 11, 1, 1, 11 },
	{ "at its end", 20, 1, 10, 20 },
	{ "between", 25, 1, 10, 20 },
	{ "at the second", 30, 1, 10, 20 },
	{ "in the second", 39, 2, 19, 39 },
	{ "at its end", 40, 2, 20, 40 },
	{ "nothing", 50, 2, 20, 40 },
};

NAMED_PARAMS(cut_param, cuts);

static void reasm_cut__table(struct kunit *test)
{
	const struct cut_param *p = test->param_value;

	for (u32 base = -45; base != 1; base++) {
		struct seq_range room[CAP] = { { base + 10, base + 20 },
					       { base + 30, base + 40 } };
		struct reasm m = { .r = room, .n = 2, .cap = CAP, .bytes = 20 };

		reasm_cut(&m, base + p->at);
		KUNIT_EXPECT_EQ(test, m.n, p->n);
		KUNIT_EXPECT_EQ(test, m.bytes, p->bytes);
		if (m.n)
			KUNIT_EXPECT_EQ(test, room[m.n - 1].end - base, p->end);
	}
}

/* --- against a model: one flag a byte --- */

#define SPAN 200

struct model {
	struct reasm m;
	struct seq_range room[CAP];
	bool have[SPAN];
	u32 base;
	u32 next;
};

/* The array says what the flags say, in the only sorted way there is. */
static void check_same(struct kunit *test, const struct model *o)
{
	u32 bytes = 0;
	u16 i = 0;

	for (u32 at = o->next; at < SPAN; at++) {
		if (!o->have[at])
			continue;
		KUNIT_ASSERT_LT(test, i, o->m.n);
		KUNIT_EXPECT_EQ(test, o->m.r[i].start - o->base, at);
		while (at < SPAN && o->have[at]) {
			at++;
			bytes++;
		}
		KUNIT_EXPECT_EQ(test, o->m.r[i].end - o->base, at);
		i++;
	}
	KUNIT_EXPECT_EQ(test, i, o->m.n);
	KUNIT_EXPECT_EQ(test, o->m.bytes, bytes);
}

static void check_trimmed(struct kunit *test, const struct model *o, u32 from,
			  u32 to, const struct seq_range *in)
{
	u32 start = in->start - o->base, end = in->end - o->base;

	KUNIT_ASSERT_TRUE(test, from <= start && start < end && end <= to);
	/* both ends are new, and all that was cut off is not */
	KUNIT_EXPECT_FALSE(test, o->have[start]);
	KUNIT_EXPECT_FALSE(test, o->have[end - 1]);
	for (u32 at = from; at < start; at++)
		KUNIT_EXPECT_TRUE(test, o->have[at]);
	for (u32 at = end; at < to; at++)
		KUNIT_EXPECT_TRUE(test, o->have[at]);
}

static void step_add(struct kunit *test, struct model *o, u32 from, u32 to)
{
	struct seq_range in = { o->base + from, o->base + to };
	u32 new = 0;

	for (u32 at = from; at < to; at++)
		new += !o->have[at];
	switch (reasm_add(&o->m, &in)) {
	case REASM_DUPLICATE:
		KUNIT_EXPECT_EQ(test, new, 0);
		break;
	case REASM_FULL:
		KUNIT_EXPECT_EQ(test, new, to - from);
		KUNIT_EXPECT_EQ(test, o->m.n, CAP);
		break;
	case REASM_NEW:
		KUNIT_EXPECT_GT(test, new, 0);
		check_trimmed(test, o, from, to, &in);
		memset(o->have + from, true, to - from);
		break;
	}
}

static void step_advance(struct kunit *test, struct model *o, u32 to)
{
	while (to < SPAN && o->have[to])
		to++;
	KUNIT_EXPECT_EQ(test, reasm_advance(&o->m, o->base + to) - o->base, to);
	memset(o->have, false, to);
	o->next = to;
}

static void reasm__random(struct kunit *test)
{
	struct model *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);
	u32 state = 815;

	KUNIT_ASSERT_NOT_NULL(test, o);
	for (int round = 0; round < 1000 && !test->status; round++) {
		*o = (struct model){ .base = prng(&state) };
		/* every other time the numbers wrap in the middle */
		if (round % 2)
			o->base = -(prng(&state) % SPAN);
		reasm_give_room(&o->m, o->room, CAP);
		for (int i = 0; i < 40 && o->next + 2 < SPAN; i++) {
			u32 left = SPAN - o->next - 1;
			u32 from = o->next + 1 + prng(&state) % left;
			u32 most = min_t(u32, SPAN - from, 40);

			if (prng(&state) % 8)
				step_add(test, o, from,
					 from + 1 + prng(&state) % most);
			else
				step_advance(test, o,
					     o->next + prng(&state) % 12);
			check_same(test, o);
		}
	}
}

/* --- the array's size --- */

static void reasm_room_wanted__doubles(struct kunit *test)
{
	struct reasm m = {};

	KUNIT_EXPECT_EQ(test, reasm_room_wanted(&m), 8);
	m.cap = 8;
	m.n = 7;
	KUNIT_EXPECT_EQ(test, reasm_room_wanted(&m), 0);
	m.n = 8;
	KUNIT_EXPECT_EQ(test, reasm_room_wanted(&m), 16);
	m.n = REASM_MAX / 2;
	m.cap = REASM_MAX / 2;
	KUNIT_EXPECT_EQ(test, reasm_room_wanted(&m), REASM_MAX);
	m.n = REASM_MAX;
	m.cap = REASM_MAX;
	KUNIT_EXPECT_EQ(test, reasm_room_wanted(&m), 0);
}

static void reasm_give_room__keeps_ranges(struct kunit *test)
{
	struct seq_range small[1], large[4] = {};
	struct reasm m = {};
	struct seq_range in = { 10, 20 };

	KUNIT_EXPECT_NULL(test, reasm_give_room(&m, small, 1));
	reasm_add(&m, &in);
	KUNIT_EXPECT_PTR_EQ(test, reasm_give_room(&m, large, 4), &small[0]);
	KUNIT_EXPECT_EQ(test, m.cap, 4);
	KUNIT_EXPECT_EQ(test, large[0].start, 10);
	KUNIT_EXPECT_EQ(test, large[0].end, 20);
}

static struct kunit_case reasm_cases[] = {
	KUNIT_CASE_PARAM(reasm_add__drawings, adds_row_gen_params),
	KUNIT_CASE_PARAM(reasm_add__drawings_wrapped, adds_row_gen_params),
	KUNIT_CASE(reasm_add__full),
	KUNIT_CASE(reasm_add__no_array),
	KUNIT_CASE_PARAM(reasm_advance__table, advances_row_gen_params),
	KUNIT_CASE_PARAM(reasm_cut__table, cuts_row_gen_params),
	KUNIT_CASE(reasm__random),
	KUNIT_CASE(reasm_room_wanted__doubles),
	KUNIT_CASE(reasm_give_room__keeps_ranges),
	{}
};

static struct kunit_suite chalk_reasm = {
	.name = "chalk_reasm",
	.test_cases = reasm_cases,
};

kunit_test_suite(chalk_reasm);
