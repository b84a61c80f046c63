// SPDX-License-Identifier: GPL-2.0
/*
 * cc_test.c - the table of algorithms, and the writers of cwnd and ssthresh
 */
#include <kunit/test.h>

#include "../core/cc.h"
#include "helper.h"

static void cc_find__by_name(struct kunit *test)
{
	KUNIT_EXPECT_PTR_EQ(test, cc_find("newreno"), &cc_newreno);
	KUNIT_EXPECT_PTR_EQ(test, cc_find("reno"), &cc_reno);
	KUNIT_EXPECT_PTR_EQ(test, cc_find("tahoe"), &cc_tahoe);
	KUNIT_EXPECT_NULL(test, cc_find("renoo"));
	KUNIT_EXPECT_NULL(test, cc_find(""));
}

/* All that there are, each once, and each whole. */
static void cc_at__all_whole(struct kunit *test)
{
	size_t n = 0;

	for (; cc_at(n); n++) {
		KUNIT_EXPECT_PTR_EQ(test, cc_find(cc_at(n)->name), cc_at(n));
		KUNIT_EXPECT_NULL(test, cc_lacks(cc_at(n)));
	}
	KUNIT_EXPECT_EQ(test, n, 3);
}

static void expect_lack(struct kunit *test, const struct cc_ops *ops,
			const char *what)
{
	const char *lacks = cc_lacks(ops);

	KUNIT_ASSERT_NOT_NULL(test, lacks);
	KUNIT_EXPECT_EQ(test, strcmp(lacks, what), 0);
}

/* One function after the other is taken away; the first in order is named. */
static void cc_lacks__names_it(struct kunit *test)
{
	struct cc_ops ops = cc_newreno;

	/* Reno has none */
	ops.on_partial = NULL;
	KUNIT_EXPECT_NULL(test, cc_lacks(&ops));
	ops.on_recovered = NULL;
	expect_lack(test, &ops, "on_recovered");
	ops.on_dupack = NULL;
	expect_lack(test, &ops, "on_dupack");
	/* one that goes back has no recovery to tell of */
	ops.goes_back = true;
	KUNIT_EXPECT_NULL(test, cc_lacks(&ops));
	ops.on_idle = NULL;
	expect_lack(test, &ops, "on_idle");
	ops.on_rto = NULL;
	expect_lack(test, &ops, "on_rto");
	ops.on_loss = NULL;
	expect_lack(test, &ops, "on_loss");
	ops.on_ack = NULL;
	expect_lack(test, &ops, "on_ack");
	ops.on_init = NULL;
	expect_lack(test, &ops, "on_init");
	ops.name = NULL;
	expect_lack(test, &ops, "name");
}

static void cc_set__traces_with_cause(struct kunit *test)
{
	struct world *w = connected(test);

	cc_set(&w->a, 5 * MSS, BY_PARTIAL_ACK, w->now);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 5 * MSS);
	KUNIT_ASSERT_EQ(test, w->n_ev, 1);
	KUNIT_EXPECT_EQ(test, w->ev[0].kind, EV_CWND);
	KUNIT_EXPECT_EQ(test, w->ev[0].cause, BY_PARTIAL_ACK);
	KUNIT_EXPECT_EQ(test, w->ev[0].old, 10 * MSS);
	KUNIT_EXPECT_EQ(test, w->ev[0].new, 5 * MSS);
	cc_set(&w->a, 5 * MSS, BY_PARTIAL_ACK, w->now);
	KUNIT_EXPECT_EQ(test, w->n_ev, 1);
}

static void cc_set__floor(struct kunit *test)
{
	struct world *w = connected(test);

	cc_set(&w->a, 0, BY_RTO_EXPIRED, w->now);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, MSS);
}

/* RFC 5681, equation 4: max(FlightSize / 2, 2 * SMSS) */
static void cc_set_ssthresh__floor(struct kunit *test)
{
	struct world *w = connected(test);

	cc_set_ssthresh(&w->a, 2 * MSS - 1, BY_RTO_EXPIRED, w->now);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 2 * MSS);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_SSTHRESH, BY_RTO_EXPIRED), 1);
	cc_set_ssthresh(&w->a, 0, BY_RTO_EXPIRED, w->now);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_SSTHRESH, BY_RTO_EXPIRED), 1);
}

static void cc_in_slow_start__below_ssthresh(struct kunit *test)
{
	struct cc cc = { .cwnd = 999, .ssthresh = 1000 };

	KUNIT_EXPECT_TRUE(test, cc_in_slow_start(&cc));
	cc.cwnd = 1000;
	KUNIT_EXPECT_FALSE(test, cc_in_slow_start(&cc));
}

/* RFC 6928 section 2: min(10 * MSS, max(2 * MSS, 14600)) */
static const struct iw_param {
	const char *name;
	u32 segments, mss, iw;
} windows[] = {
	{ "Ethernet", 10, 1460, 14600 },
	{ "smallest MTU", 10, 536, 5360 },
	{ "larger MSS, same bytes", 10, 2000, 14600 },
	{ "jumbo, two segments", 10, 8960, 17920 },
	{ "textbook", 1, 1460, 1460 },
	{ "textbook, jumbo", 1, 8960, 8960 },
	{ "RFC 3390", 3, 1460, 4380 },
};

NAMED_PARAMS(iw_param, windows);

static void cc_initial_window__table(struct kunit *test)
{
	const struct iw_param *p = test->param_value;

	KUNIT_EXPECT_EQ(test, cc_initial_window(p->segments, p->mss), p->iw);
}

/* A segment each 100 ms: more often than an RTO, and each is acknowledged at once. */
static void trickle(struct world *w, u64 usec)
{
	for (u64 end = w->now + usec; w->now < end;) {
		elapse(w, 100 * MS);
		write_and_send(w, &w->a, MSS);
		ack_all(w, &w->a);
	}
	forget_events(w);
}

/* Congestion avoidance, with a window that was larger once. */
static struct world *trickling(struct kunit *test)
{
	struct world *w = connected(test);

	w->a.cc.cwnd = 50 * MSS;
	w->a.cc.ssthresh = 20 * MSS;
	trickle(w, NONVALIDATED_PERIOD);
	KUNIT_ASSERT_EQ(test, w->a.cc.cwnd, 50 * MSS);
	return w;
}

/* RFC 7661 section 4.4.3: cwnd = max(cwnd / 2, IW), ssthresh = max(it, 3/4 cwnd) */
static void cc_validate__five_minutes(struct kunit *test)
{
	struct world *w = trickling(test);

	elapse(w, 100 * MS);
	write_and_send(w, &w->a, MSS);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 25 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 37 * MSS + MSS / 2);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_CWND, BY_NOT_USED), 1);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_SSTHRESH, BY_NOT_USED), 1);
	/* the next five: ssthresh is more than 3/4 of it */
	trickle(w, NONVALIDATED_PERIOD);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 25 * MSS);
	trickle(w, 100 * MS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 12 * MSS + MSS / 2);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 37 * MSS + MSS / 2);
	/* and never less than IW */
	trickle(w, NONVALIDATED_PERIOD + 100 * MS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 10 * MSS);
	trickle(w, NONVALIDATED_PERIOD + 100 * MS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 10 * MSS);
}

/* It is no reason to grow: a window below IW stays. */
static void cc_validate__small_window(struct kunit *test)
{
	struct world *w = connected(test);

	w->a.cc.cwnd = 6 * MSS;
	w->a.cc.ssthresh = 2 * MSS;
	trickle(w, NONVALIDATED_PERIOD + 100 * MS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 6 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 4 * MSS + MSS / 2);
}

/* Half of cwnd, once, and five minutes begin anew. */
static void cc_validate__used_again(struct kunit *test)
{
	struct world *w = trickling(test);

	write_and_send(w, &w->a, 25 * MSS);
	KUNIT_ASSERT_EQ(test, conn_flight(&w->a), 20 * MSS);
	ack_upto(w, &w->a, w->a.snd_una + MSS);
	lose_all(w, &w->a);
	w->a.cc.cwnd = 40 * MSS;
	ack_all(w, &w->a);
	ack_all(w, &w->a);
	trickle(w, NONVALIDATED_PERIOD);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 40 * MSS);
	trickle(w, SECOND);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 20 * MSS);
}

/* A silence has its own rule, and is no safe use of anything. */
static void cc_validate__not_by_silence(struct kunit *test)
{
	struct world *w = connected(test);

	w->a.cc.cwnd = 8 * MSS;
	w->a.cc.ssthresh = 2 * MSS;
	trickle(w, SECOND);
	elapse(w, 2 * NONVALIDATED_PERIOD);
	trickle(w, SECOND);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 8 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 2 * MSS);
}

/* Nor does it count what was before cwnd fell, or before there was one. */
static void cc_validate__another_window(struct kunit *test)
{
	struct world *w = trickling(test);

	cc_set(&w->a, 30 * MSS, BY_PARTIAL_ACK, w->now);
	trickle(w, NONVALIDATED_PERIOD);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 30 * MSS);
	w = world_new(test);
	w->now = 2 * NONVALIDATED_PERIOD;
	establish(test, w);
	w->a.cc.ssthresh = 2 * MSS;
	trickle(w, SECOND);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 2 * MSS);
}

static struct kunit_case cc_cases[] = {
	KUNIT_CASE(cc_find__by_name),
	KUNIT_CASE(cc_at__all_whole),
	KUNIT_CASE(cc_lacks__names_it),
	KUNIT_CASE(cc_set__traces_with_cause),
	KUNIT_CASE(cc_set__floor),
	KUNIT_CASE(cc_set_ssthresh__floor),
	KUNIT_CASE(cc_in_slow_start__below_ssthresh),
	KUNIT_CASE_PARAM(cc_initial_window__table, windows_row_gen_params),
	KUNIT_CASE(cc_validate__five_minutes),
	KUNIT_CASE(cc_validate__small_window),
	KUNIT_CASE(cc_validate__used_again),
	KUNIT_CASE(cc_validate__not_by_silence),
	KUNIT_CASE(cc_validate__another_window),
	{}
};

static struct kunit_suite chalk_cc = {
	.name = "chalk_cc",
	.test_cases = cc_cases,
};

kunit_test_suite(chalk_cc);
