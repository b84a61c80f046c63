// SPDX-License-Identifier: GPL-2.0
/*
 * state_test.c - figure 5 of RFC 9293, written a second time
 */
#include <kunit/test.h>

#include "../core/state.h"
#include "helper.h"

/* The arrows of the figure that do not lead to CLOSED. */
static const struct arrow {
	enum conn_state from, to;
} figure_5[] = {
	{ ST_CLOSED, ST_LISTEN },
	{ ST_CLOSED, ST_SYN_SENT },
	{ ST_LISTEN, ST_SYN_RCVD },
	{ ST_LISTEN, ST_SYN_SENT },
	{ ST_SYN_SENT, ST_SYN_RCVD },
	{ ST_SYN_SENT, ST_ESTABLISHED },
	{ ST_SYN_RCVD, ST_ESTABLISHED },
	{ ST_SYN_RCVD, ST_FIN_WAIT_1 },
	{ ST_ESTABLISHED, ST_FIN_WAIT_1 },
	{ ST_ESTABLISHED, ST_CLOSE_WAIT },
	{ ST_FIN_WAIT_1, ST_FIN_WAIT_2 },
	{ ST_FIN_WAIT_1, ST_CLOSING },
	/* note 2 below the figure: FIN and the ACK of ours at once */
	{ ST_FIN_WAIT_1, ST_TIME_WAIT },
	{ ST_FIN_WAIT_2, ST_TIME_WAIT },
	{ ST_CLOSING, ST_TIME_WAIT },
	{ ST_CLOSE_WAIT, ST_LAST_ACK },
};

static bool in_figure(enum conn_state from, enum conn_state to)
{
	/* LAST_ACK, TIME_WAIT by the figure, all by a reset or a timeout */
	if (to == ST_CLOSED)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(figure_5); i++)
		if (figure_5[i].from == from && figure_5[i].to == to)
			return true;
	return false;
}

static void state_name__complete(struct kunit *test)
{
	for (unsigned int s = 1; s < NR_STATES; s++) {
		KUNIT_ASSERT_NOT_NULL(test, state_name(s));
		KUNIT_EXPECT_STRNEQ(test, state_name(s), "?");
		for (unsigned int t = 0; t < s; t++)
			KUNIT_EXPECT_STRNEQ(test, state_name(s), state_name(t));
	}
	KUNIT_EXPECT_STREQ(test, state_name(ST_SYN_RCVD), "SYN_RCVD");
	KUNIT_EXPECT_STREQ(test, state_name(NR_STATES), "?");
}

/* The numbers of <net/tcp_states.h>, which every tool shows by name. */
static void state_numbers__those_of_the_kernel(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, ST_ESTABLISHED, 1);
	KUNIT_EXPECT_EQ(test, ST_SYN_SENT, 2);
	KUNIT_EXPECT_EQ(test, ST_SYN_RCVD, 3);
	KUNIT_EXPECT_EQ(test, ST_FIN_WAIT_1, 4);
	KUNIT_EXPECT_EQ(test, ST_FIN_WAIT_2, 5);
	KUNIT_EXPECT_EQ(test, ST_TIME_WAIT, 6);
	KUNIT_EXPECT_EQ(test, ST_CLOSED, 7);
	KUNIT_EXPECT_EQ(test, ST_CLOSE_WAIT, 8);
	KUNIT_EXPECT_EQ(test, ST_LAST_ACK, 9);
	KUNIT_EXPECT_EQ(test, ST_LISTEN, 10);
	KUNIT_EXPECT_EQ(test, ST_CLOSING, 11);
}

static void state_may_follow__figure_5(struct kunit *test)
{
	for (unsigned int from = 1; from < NR_STATES; from++)
		for (unsigned int to = 1; to < NR_STATES; to++)
			KUNIT_EXPECT_EQ(test, state_may_follow(from, to),
					in_figure(from, to));
}

static void state_set__traces(struct kunit *test)
{
	struct world *w = world_new(test);

	w->a.env = &w->env;
	w->a.state = ST_CLOSED;
	state_set(&w->a, ST_SYN_SENT, BY_USER_OPEN, w->now);
	KUNIT_EXPECT_EQ(test, w->a.state, ST_SYN_SENT);
	KUNIT_ASSERT_EQ(test, w->n_ev, 1);
	KUNIT_EXPECT_EQ(test, w->ev[0].kind, EV_STATE);
	KUNIT_EXPECT_EQ(test, w->ev[0].cause, BY_USER_OPEN);
	KUNIT_EXPECT_EQ(test, w->ev[0].old, ST_CLOSED);
	KUNIT_EXPECT_EQ(test, w->ev[0].new, ST_SYN_SENT);
	KUNIT_EXPECT_EQ(test, w->ev[0].time, w->now);
}

/* No change, no event. */
static void state_set__same(struct kunit *test)
{
	struct world *w = connected(test);

	state_set(&w->a, ST_ESTABLISHED, BY_USER_OPEN, w->now);
	KUNIT_EXPECT_EQ(test, w->n_ev, 0);
}

/* Where user calls, FINs and ACKs of FINs lead; 0: nowhere. */
static const struct ways_param {
	const char *name;
	enum conn_state from, close, fin, fin_and_ack, fin_acked;
} ways[] = {
	{ "SYN_SENT", ST_SYN_SENT, 0, 0, 0, 0 },
	{ "SYN_RCVD", ST_SYN_RCVD, 0, 0, 0, 0 },
	{ "ESTABLISHED", ST_ESTABLISHED, ST_FIN_WAIT_1, ST_CLOSE_WAIT,
	  ST_CLOSE_WAIT, 0 },
	{ "FIN_WAIT_1", ST_FIN_WAIT_1, 0, ST_CLOSING, ST_TIME_WAIT,
	  ST_FIN_WAIT_2 },
	{ "FIN_WAIT_2", ST_FIN_WAIT_2, 0, ST_TIME_WAIT, ST_TIME_WAIT, 0 },
	{ "CLOSE_WAIT", ST_CLOSE_WAIT, ST_LAST_ACK, 0, 0, 0 },
	{ "CLOSING", ST_CLOSING, 0, 0, 0, ST_TIME_WAIT },
	{ "LAST_ACK", ST_LAST_ACK, 0, 0, 0, ST_CLOSED },
	{ "TIME_WAIT", ST_TIME_WAIT, 0, 0, 0, 0 },
	{ "CLOSED", ST_CLOSED, 0, 0, 0, 0 },
};

NAMED_PARAMS(ways_param, ways);

static void expect_way(struct kunit *test, enum conn_state from,
		       enum conn_state got, enum conn_state wanted)
{
	KUNIT_EXPECT_EQ(test, got, wanted ? wanted : from);
	if (wanted)
		KUNIT_EXPECT_TRUE(test, in_figure(from, got));
}

static void state_after__table(struct kunit *test)
{
	const struct ways_param *p = test->param_value;

	expect_way(test, p->from, state_after_close(p->from), p->close);
	expect_way(test, p->from, state_after_fin(p->from, false), p->fin);
	expect_way(test, p->from, state_after_fin(p->from, true),
		   p->fin_and_ack);
	expect_way(test, p->from, state_after_fin_acked(p->from), p->fin_acked);
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE(state_numbers__those_of_the_kernel),
	KUNIT_CASE(state_name__complete),
	KUNIT_CASE(state_may_follow__figure_5),
	KUNIT_CASE(state_set__traces),
	KUNIT_CASE(state_set__same),
	KUNIT_CASE_PARAM(state_after__table, ways_row_gen_params),
	{}
};

static struct kunit_suite chalk_state = {
	.name = "chalk_state",
	.test_cases = state_cases,
};

kunit_test_suite(chalk_state);
