// SPDX-License-Identifier: GPL-2.0
/*
 * hystart_test.c - where the first slow start ends (RFC 9406)
 *
 * A round is a flight that left at one moment: its ACKs come together, one a segment.
 */
#include <kunit/test.h>

#include "../core/cc.h"
#include "helper.h"

#define FLIGHT 16
#define ROOM 64

/* Room for the moments at which segments go out. */
static void give_room(struct kunit *test, struct conn *c)
{
	struct sent_run *room = kunit_kzalloc(test, ROOM * sizeof(*room),
					      GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, room);
	sent_give_room(&c->sent, room, ROOM);
}

/* Nothing of the flight has come back yet, and there is always more to send. */
static struct world *beginning(struct kunit *test)
{
	struct world *w = sending(test, FLIGHT * MSS);

	give_room(test, &w->a);
	conn_write(&w->a, 1000 * MSS, false);
	return w;
}

static void acks(struct world *w, u32 n)
{
	while (n--) {
		ack_upto(w, &w->a, w->a.snd_una + MSS);
		lose_all(w, &w->a);
	}
}

/* All that is in flight comes back after so many microseconds. */
static void round_of(struct world *w, u32 rtt)
{
	elapse(w, rtt);
	acks(w, conn_flight(&w->a) / MSS);
}

/* One round of @before, and the first @n ACKs of one of @after. */
static struct world *risen(struct kunit *test, u32 before, u32 after, u32 n)
{
	struct world *w = beginning(test);

	round_of(w, before);
	elapse(w, after);
	acks(w, n);
	return w;
}

/* 40 ms, and then 60: with the eighth ACK of its second round it is in CSS. */
static struct world *careful(struct kunit *test)
{
	struct world *w = risen(test, 40 * MS, 60 * MS, N_RTT_SAMPLE);

	KUNIT_ASSERT_TRUE(test, hystart_is_careful(&w->a));
	return w;
}

/* Section 4.2, RttThresh: an eighth of the round trip, but 4 to 16 ms */
static const struct threshold_param {
	const char *name;
	u32 rtt, threshold;
} thresholds[] = {
	{ "a fast path", MS, 4 * MS },
	{ "an eighth is 4 ms", 32 * MS, 4 * MS },
	{ "an eighth is more", 40 * MS, 5 * MS },
	{ "an eighth is 16 ms", 128 * MS, 16 * MS },
	{ "a slow path", 160 * MS, 16 * MS },
};

NAMED_PARAMS(threshold_param, thresholds);

static void rtt_rises__threshold(struct kunit *test)
{
	const struct threshold_param *p = test->param_value;
	u32 enough = p->rtt + p->threshold;
	struct world *w = risen(test, p->rtt, enough - 1, 2 * FLIGHT);

	KUNIT_EXPECT_FALSE(test, hystart_is_careful(&w->a));
	KUNIT_EXPECT_EQ(test, count_events(w, EV_HYSTART, BY_NONE), 0);
	w = risen(test, p->rtt, enough, 2 * FLIGHT);
	KUNIT_EXPECT_TRUE(test, hystart_is_careful(&w->a));
	KUNIT_ASSERT_EQ(test, count_events(w, EV_HYSTART, BY_RTT_RISES), 1);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_HYSTART)->old, p->rtt);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_HYSTART)->new, enough);
}

/* Section 4.2: rttSampleCount >= N_RTT_SAMPLE */
static void rtt_rises__eight_samples(struct kunit *test)
{
	struct world *w = risen(test, 40 * MS, 60 * MS, N_RTT_SAMPLE - 1);

	KUNIT_EXPECT_FALSE(test, hystart_is_careful(&w->a));
	acks(w, 1);
	KUNIT_EXPECT_TRUE(test, hystart_is_careful(&w->a));
}

/* An ACK of what went out nobody knows when is no sample. */
static void rtt_rises__samples_alone_count(struct kunit *test)
{
	struct world *w = risen(test, 40 * MS, 60 * MS, 1);

	for (u16 i = 0; i < w->a.sent.n; i++)
		((struct sent_run *)sent_nth(&w->a.sent, i))->flags |=
			SENT_VAGUE;
	acks(w, 2 * FLIGHT - 1);
	KUNIT_EXPECT_EQ(test, w->a.cc.hystart.samples, 1);
	KUNIT_EXPECT_FALSE(test, hystart_is_careful(&w->a));
}

/* The least of the round is what counts, whenever it comes. */
static void rtt_rises__least_of_the_round(struct kunit *test)
{
	struct world *w = beginning(test);

	/* a second half of the flight is late */
	elapse(w, 40 * MS);
	acks(w, FLIGHT / 2);
	elapse(w, 20 * MS);
	acks(w, FLIGHT / 2);
	KUNIT_EXPECT_EQ(test, w->a.cc.hystart.min, 40 * MS);
	/* what left in its two halves comes together: 40 ms, then 20 */
	elapse(w, 20 * MS);
	acks(w, FLIGHT);
	KUNIT_EXPECT_EQ(test, w->a.cc.hystart.last_min, 40 * MS);
	KUNIT_EXPECT_EQ(test, w->a.cc.hystart.min, 40 * MS);
	acks(w, FLIGHT);
	KUNIT_EXPECT_EQ(test, w->a.cc.hystart.min, 20 * MS);
	acks(w, 1);
	KUNIT_EXPECT_EQ(test, w->a.cc.hystart.last_min, 20 * MS);
	KUNIT_EXPECT_EQ(test, w->a.cc.hystart.min, 0);
}

/* The first round has none before it to compare with. */
static void rtt_rises__not_in_the_first_round(struct kunit *test)
{
	struct world *w = beginning(test);

	round_of(w, 190 * MS);
	KUNIT_EXPECT_FALSE(test, hystart_is_careful(&w->a));
}

/* A round trip from round to round: slow steps are not seen, as in the RFC. */
static void begin_round__compares_neighbours(struct kunit *test)
{
	struct world *w = beginning(test);

	for (u32 i = 0; i < 6; i++)
		round_of(w, (40 + 3 * i) * MS);
	KUNIT_EXPECT_FALSE(test, hystart_is_careful(&w->a));
	KUNIT_EXPECT_EQ(test, w->a.cc.hystart.min, 55 * MS);
	KUNIT_EXPECT_EQ(test, w->a.cc.hystart.last_min, 52 * MS);
}

/* Where all is acknowledged what the user writes next is one round, not an ACK of it. */
static void begin_round__with_all_that_was_written(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 10 * MSS);
	round_of(w, 40 * MS);
	KUNIT_EXPECT_FALSE(test, w->a.cc.hystart.in_round);
	elapse(w, 50 * MS);
	write_and_send(w, &w->a, 10 * MSS);
	elapse(w, 40 * MS);
	acks(w, 9);
	KUNIT_EXPECT_TRUE(test, w->a.cc.hystart.in_round);
	KUNIT_EXPECT_EQ(test, w->a.cc.hystart.samples, 9);
	acks(w, 1);
	KUNIT_EXPECT_FALSE(test, w->a.cc.hystart.in_round);
}

/* Section 4.2: min(N, L * SMSS) / CSS_GROWTH_DIVISOR */
static void slow_start__in_css(struct kunit *test)
{
	struct world *w = careful(test);
	u32 cwnd = w->a.cc.cwnd;

	KUNIT_EXPECT_EQ(test, cwnd, (2 * FLIGHT + N_RTT_SAMPLE) * MSS);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_CWND)->cause, BY_SLOW_START);
	acks(w, 1);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, cwnd + MSS / 4);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_CWND)->cause, BY_CSS);
	ack_upto(w, &w->a, w->a.snd_una + 5 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, cwnd + 3 * MSS / 4);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, SSTHRESH_INITIAL);
}

/* Section 4.2: five rounds, of which the one that CSS begins in is the first */
static void end_round__fifth_of_css(struct kunit *test)
{
	struct world *w = careful(test);
	u32 cwnd;

	acks(w, 2 * FLIGHT - N_RTT_SAMPLE);
	for (u32 i = 0; i < CSS_ROUNDS - 2; i++)
		round_of(w, 60 * MS);
	elapse(w, 60 * MS);
	acks(w, conn_flight(&w->a) / MSS - 1);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, SSTHRESH_INITIAL);
	KUNIT_EXPECT_TRUE(test, hystart_is_careful(&w->a));
	forget_events(w);
	acks(w, 1);
	cwnd = w->a.cc.cwnd;
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, cwnd);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_SSTHRESH, BY_CSS_DONE), 1);
	/* congestion avoidance: what was to be a segment in four is none */
	acks(w, 8);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, cwnd);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_HYSTART, BY_NONE), 0);
}

/* Section 4.2: below cssBaselineMinRtt, with eight samples: it was a mistake */
static void leave_css__rtt_falls(struct kunit *test)
{
	struct world *w = careful(test);
	u32 cwnd;

	acks(w, 2 * FLIGHT - N_RTT_SAMPLE);
	/* as high as at its beginning: the queue is still there */
	round_of(w, 60 * MS);
	KUNIT_EXPECT_TRUE(test, hystart_is_careful(&w->a));
	elapse(w, 60 * MS - 1);
	acks(w, N_RTT_SAMPLE - 1);
	KUNIT_EXPECT_TRUE(test, hystart_is_careful(&w->a));
	cwnd = w->a.cc.cwnd;
	acks(w, 1);
	KUNIT_EXPECT_FALSE(test, hystart_is_careful(&w->a));
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, cwnd + MSS / 4);
	KUNIT_ASSERT_EQ(test, count_events(w, EV_HYSTART, BY_RTT_FALLS), 1);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_HYSTART)->old, 60 * MS);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_HYSTART)->new, 60 * MS - 1);
	acks(w, 1);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, cwnd + MSS / 4 + MSS);
}

/* The rounds of an earlier mistake do not count. */
static void enter_css__again(struct kunit *test)
{
	struct world *w = careful(test);

	acks(w, 2 * FLIGHT - N_RTT_SAMPLE);
	round_of(w, 60 * MS);
	round_of(w, 40 * MS);
	KUNIT_ASSERT_TRUE(test, !hystart_is_careful(&w->a));
	forget_events(w);
	for (u32 i = 0; i < CSS_ROUNDS - 1; i++)
		round_of(w, 60 * MS);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_HYSTART, BY_RTT_RISES), 1);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, SSTHRESH_INITIAL);
	round_of(w, 60 * MS);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, w->a.cc.cwnd);
}

/* Section 4.2: a loss ends it; how far cwnd falls is the algorithm's (RFC 5681). */
static void hystart_ack__loss_in_css(struct kunit *test)
{
	struct world *w = careful(test);
	u32 flight = conn_flight(&w->a);

	dup_acks(w, &w->a, 3);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, flight / 2);
	KUNIT_EXPECT_FALSE(test, hystart_is_careful(&w->a));
	/* nor is the slow start after a timeout a careful one */
	elapse(w, 10 * SECOND);
	lose_all(w, &w->a);
	KUNIT_ASSERT_EQ(test, w->a.cc.cwnd, MSS);
	acks(w, 1);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 2 * MSS);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_CWND)->cause, BY_SLOW_START);
}

/* Section 4.3: only where ssthresh has its first value */
static void hystart_ack__first_slow_start_alone(struct kunit *test)
{
	struct world *w = beginning(test);

	w->a.cc.ssthresh = SSTHRESH_INITIAL - 1;
	round_of(w, 40 * MS);
	round_of(w, 90 * MS);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_CWND)->cause, BY_SLOW_START);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_HYSTART, BY_NONE), 0);
}

/* A namespace may do without; a connection keeps what it began with. */
static void hystart_begin__tunable(struct kunit *test)
{
	struct world *w = world_new(test);

	w->env.tun.hystart = false;
	establish(test, w);
	w->env.tun.hystart = true;
	offer_window(w, &w->a, U16_MAX);
	write_and_send(w, &w->a, 1000 * MSS);
	round_of(w, 40 * MS);
	round_of(w, 90 * MS);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_HYSTART, BY_NONE), 0);
	w = beginning(test);
	w->env.tun.hystart = false;
	round_of(w, 40 * MS);
	round_of(w, 90 * MS);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_HYSTART, BY_RTT_RISES), 1);
}

/* Reno has it, Tahoe has not; and who changes from one to the other leaves it. */
static void hystart_begin__algorithms(struct kunit *test)
{
	struct world *w = world_new(test);

	w->env.tun.cc = &cc_tahoe;
	establish(test, w);
	KUNIT_EXPECT_FALSE(test, w->a.cc.hystart.on);
	w = world_new(test);
	w->env.tun.cc = &cc_reno;
	establish(test, w);
	KUNIT_EXPECT_TRUE(test, w->a.cc.hystart.on);
	conn_set_cc(&w->a, &cc_reno, w->now);
	KUNIT_EXPECT_TRUE(test, w->a.cc.hystart.on);
	w = careful(test);
	conn_set_cc(&w->a, &cc_reno, w->now);
	KUNIT_EXPECT_FALSE(test, hystart_is_careful(&w->a));
	conn_set_cc(&w->a, &cc_newreno, w->now);
	KUNIT_EXPECT_FALSE(test, hystart_is_careful(&w->a));
}

/* The slow start after a silence begins with no round behind it, and not in CSS. */
static void hystart_begin__after_idle(struct kunit *test)
{
	struct world *w = connected(test);

	offer_window(w, &w->a, U16_MAX);
	write_and_send(w, &w->a, 10 * MSS);
	round_of(w, 40 * MS);
	write_and_send(w, &w->a, 20 * MSS);
	round_of(w, 60 * MS);
	KUNIT_ASSERT_TRUE(test, hystart_is_careful(&w->a));
	elapse(w, 10 * SECOND);
	write_and_send(w, &w->a, 30 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 10 * MSS);
	KUNIT_EXPECT_FALSE(test, hystart_is_careful(&w->a));
	KUNIT_EXPECT_TRUE(test, w->a.cc.hystart.on);
	round_of(w, 90 * MS);
	KUNIT_EXPECT_FALSE(test, hystart_is_careful(&w->a));
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 20 * MSS);
}

/* --- how long the newest data was under way --- */

/* Ten segments, one each millisecond, in flight. */
static struct world *spaced(struct kunit *test)
{
	struct world *w = connected(test);

	give_room(test, &w->a);
	for (u32 i = 0; i < 10; i++) {
		write_and_send(w, &w->a, MSS);
		w->now += MS;
	}
	w->now += 30 * MS;
	return w;
}

/* The sample of the next ACK. */
static u32 sample_at(struct world *w, u32 ack)
{
	ack_upto(w, &w->a, ack);
	return w->a.cc.hystart.rtt;
}

/* Of a stretch ACK the last segment counts; of a part of one it itself. */
static void hystart_sample__newest(struct kunit *test)
{
	struct world *w = spaced(test);

	KUNIT_EXPECT_EQ(test, sample_at(w, A0 + MSS), 40 * MS);
	KUNIT_EXPECT_EQ(test, sample_at(w, A0 + MSS + 1), 39 * MS);
	KUNIT_EXPECT_EQ(test, sample_at(w, A0 + 2 * MSS), 39 * MS);
	KUNIT_EXPECT_EQ(test, sample_at(w, A0 + 5 * MSS), 36 * MS);
	KUNIT_EXPECT_EQ(test, sample_at(w, A0 + 10 * MSS), 31 * MS);
}

/* Karn, RFC 6298 section 3: not of what was sent twice, nor of what is below it */
static void hystart_sample__karn(struct kunit *test)
{
	struct world *w = spaced(test);

	conn_set_mss(&w->a, MSS / 2, w->now);
	lose_all(w, &w->a);
	w->now += 10 * MS;
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, SSTHRESH_INITIAL);
	KUNIT_EXPECT_EQ(test, sample_at(w, A0 + 10 * MSS), HYSTART_NO_RTT);
	write_and_send(w, &w->a, MSS);
	w->now += 10 * MS;
	KUNIT_EXPECT_EQ(test, sample_at(w, A0 + 11 * MSS), 10 * MS);
}

/*
 * Where there is no room two moments become one, and that is no sample; nor is an
 * older one in its place.
 */
static void hystart_sample__without_room(struct kunit *test)
{
	struct world *w = connected(test);

	for (u32 i = 0; i < 6; i++) {
		write_and_send(w, &w->a, MSS);
		w->now += MS;
	}
	w->now += 10 * MS;
	KUNIT_EXPECT_EQ(test, sample_at(w, A0 + MSS), 16 * MS);
	KUNIT_EXPECT_EQ(test, sample_at(w, A0 + 3 * MSS), HYSTART_NO_RTT);
	KUNIT_EXPECT_EQ(test, sample_at(w, A0 + 5 * MSS), HYSTART_NO_RTT);
	KUNIT_EXPECT_EQ(test, sample_at(w, A0 + 6 * MSS), 11 * MS);
}

/* An array is wanted while times are, and there are more than a few. */
static void conn_score_room_wanted__by_hystart(struct kunit *test)
{
	struct world *w = connected(test);

	for (u32 i = 0; i < SENT_FEW - 2; i++) {
		KUNIT_EXPECT_EQ(test, conn_score_room_wanted(&w->a), 0);
		write_and_send(w, &w->a, MSS);
		w->now += MS;
	}
	KUNIT_EXPECT_EQ(test, conn_score_room_wanted(&w->a), 2 * SENT_FEW);
	cc_set_ssthresh(&w->a, 20 * MSS, BY_CSS_DONE, w->now);
	KUNIT_EXPECT_EQ(test, conn_score_room_wanted(&w->a), 0);
}

static struct kunit_case hystart_cases[] = {
	KUNIT_CASE_PARAM(rtt_rises__threshold, thresholds_row_gen_params),
	KUNIT_CASE(rtt_rises__eight_samples),
	KUNIT_CASE(rtt_rises__samples_alone_count),
	KUNIT_CASE(rtt_rises__least_of_the_round),
	KUNIT_CASE(rtt_rises__not_in_the_first_round),
	KUNIT_CASE(begin_round__compares_neighbours),
	KUNIT_CASE(begin_round__with_all_that_was_written),
	KUNIT_CASE(slow_start__in_css),
	KUNIT_CASE(end_round__fifth_of_css),
	KUNIT_CASE(leave_css__rtt_falls),
	KUNIT_CASE(enter_css__again),
	KUNIT_CASE(hystart_ack__loss_in_css),
	KUNIT_CASE(hystart_ack__first_slow_start_alone),
	KUNIT_CASE(hystart_begin__tunable),
	KUNIT_CASE(hystart_begin__algorithms),
	KUNIT_CASE(hystart_begin__after_idle),
	KUNIT_CASE(hystart_sample__newest),
	KUNIT_CASE(hystart_sample__karn),
	KUNIT_CASE(hystart_sample__without_room),
	KUNIT_CASE(conn_score_room_wanted__by_hystart),
	{}
};

static struct kunit_suite chalk_hystart = {
	.name = "chalk_hystart",
	.test_cases = hystart_cases,
};

kunit_test_suite(chalk_hystart);
