// SPDX-License-Identifier: GPL-2.0
/*
 * autotune_test.c - buffers grow with the rate of their connection
 */
#include "helper.h"

/* A connection with a round trip of 10 ms, as its timestamps tell. */
static struct world *with_timestamps(struct kunit *test)
{
	struct world *w = world_new(test);

	w->env.tun.timestamps = true;
	establish(test, w);
	return w;
}

/* A segment whose sender heard from us @ago. */
static void rx_echo(struct world *w, u32 len, u64 ago)
{
	struct seg s = text_from_peer(&w->a, len);

	s.has_ts = true;
	s.tsval = w->a.ts_recent;
	s.tsecr = timestamp(w->a.ts_off, w->now - ago);
	deliver(w, &w->a, &s);
}

/* The peer sends, and the reader takes, so many segments in a round trip. */
static void round_trip(struct world *w, unsigned int segments, u64 rtt)
{
	for (unsigned int i = 0; i < segments; i++) {
		rx_echo(w, MSS, rtt);
		lose_all(w, &w->a);
	}
	w->now += rtt;
	conn_read(&w->a, conn_readable(&w->a), w->now);
	lose_all(w, &w->a);
}

static void autotune_rx__echo(struct kunit *test)
{
	struct world *w = with_timestamps(test);

	w->now += SECOND;
	KUNIT_EXPECT_EQ(test, w->a.tune.rtt, 0);
	rx_echo(w, MSS, 10 * MS);
	KUNIT_EXPECT_EQ(test, w->a.tune.rtt, 10 * MS);
	/* the same echo again says nothing: the peer has sent for a while */
	w->now += 100 * MS;
	rx_echo(w, MSS, 110 * MS);
	KUNIT_EXPECT_EQ(test, w->a.tune.rtt, 10 * MS);
	rx_echo(w, MSS, 18 * MS);
	KUNIT_EXPECT_EQ(test, w->a.tune.rtt, 11 * MS);
	/* less than the clock can tell */
	w = with_timestamps(test);
	w->now += SECOND;
	rx_echo(w, MSS, 0);
	KUNIT_EXPECT_EQ(test, w->a.tune.rtt, 1 * MS);
}

/* The echo of a small segment is older: the peer waited for an ACK with it. */
static void sample_echo__small_segment(struct kunit *test)
{
	struct world *w = with_timestamps(test);

	w->now += SECOND;
	rx_echo(w, MSS, 10 * MS);
	rx_echo(w, MSS - 1, 90 * MS);
	KUNIT_EXPECT_EQ(test, w->a.tune.rtt, 10 * MS);
}

static void autotune_rx__window(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;
	u32 got;

	for (int i = 0; i < 2; i++) {
		for (got = 0; got < RCV_BUF; got += MSS) {
			s = text_from_peer(&w->a, MSS);
			deliver(w, &w->a, &s);
			conn_read(&w->a, MSS, w->now);
			lose_all(w, &w->a);
			w->now += 1 * MS;
		}
	}
	KUNIT_EXPECT_EQ(test, w->a.tune.rtt, RCV_BUF / MSS * MS);
}

/* A window is filled in a round trip, or in more where the peer pauses. */
static void sample_window__takes_the_least(struct kunit *test)
{
	static const u64 gaps[] = { 3 * MS, 1 * MS, 5 * MS, 1 * MS };
	struct world *w = connected(test);
	struct seg s;

	for (size_t i = 0; i < ARRAY_SIZE(gaps); i++) {
		for (u32 got = 0; got < RCV_BUF; got += MSS) {
			s = text_from_peer(&w->a, MSS);
			deliver(w, &w->a, &s);
			conn_read(&w->a, MSS, w->now);
			lose_all(w, &w->a);
			w->now += gaps[i];
		}
	}
	KUNIT_EXPECT_LE(test, RCV_BUF / MSS * MS, w->a.tune.rtt);
	KUNIT_EXPECT_LE(test, w->a.tune.rtt, RCV_BUF / MSS * MS + 2 * MS);
}

/* What autotune.c says: twice the round trip's bytes, more as they grow. */
static u32 formula(u32 taken, u32 before)
{
	u32 rest, room = 2 * taken + AUTOTUNE_SLACK * MSS;

	return room +
	       div_u64_rem(2ULL * room * (taken - before), before, &rest);
}

static void autotune_read__grows_with_the_rate(struct kunit *test)
{
	struct world *w = with_timestamps(test);
	u32 before;

	KUNIT_EXPECT_EQ(test, conn_rcv_buf_wanted(&w->a), RCV_BUF);
	w->now += SECOND;
	/* an initial window in a round trip is what every sender begins with */
	for (int i = 0; i < 5; i++)
		round_trip(w, INIT_CWND - 1, 10 * MS);
	KUNIT_EXPECT_EQ(test, conn_rcv_buf_wanted(&w->a), RCV_BUF);
	round_trip(w, 15, 10 * MS);
	before = conn_rcv_buf_wanted(&w->a);
	KUNIT_EXPECT_GE(test, before, 2 * 15 * MSS);
	/* a slower one takes nothing back */
	for (int i = 0; i < 5; i++)
		round_trip(w, 3, 10 * MS);
	KUNIT_EXPECT_EQ(test, conn_rcv_buf_wanted(&w->a), before);
}

/* A reader at a known rate, round trip by round trip */
static void autotune_read__formula(struct kunit *test)
{
	static const u32 segments[] = { 12, 13, 20, 19, 30, 31 };
	struct world *w = with_timestamps(test);
	u32 before = INIT_CWND * w->a.smss;
	u32 wanted = RCV_BUF;

	conn_set_rcv_buf(&w->a, 50 * MSS, w->now);
	w->now += SECOND;
	rx_echo(w, MSS, 10 * MS);
	conn_read(&w->a, MSS, w->now);
	lose_all(w, &w->a);
	for (size_t i = 0; i < ARRAY_SIZE(segments); i++) {
		u32 taken = segments[i] * MSS;

		round_trip(w, segments[i], 10 * MS);
		if (taken > before) {
			wanted = max_t(u32, wanted, formula(taken, before));
			before = taken;
		}
		KUNIT_EXPECT_EQ(test, conn_rcv_buf_wanted(&w->a), wanted);
	}
}

/* A round trip is not over when half of it is, however often one reads. */
static void autotune_read__within_a_round_trip(struct kunit *test)
{
	struct world *w = with_timestamps(test);
	u32 before = INIT_CWND * w->a.smss;

	w->now += SECOND;
	round_trip(w, 1, 10 * MS);
	for (int i = 0; i < 2; i++) {
		for (int k = 0; k < 8; k++) {
			rx_echo(w, MSS, 10 * MS);
			lose_all(w, &w->a);
		}
		KUNIT_EXPECT_EQ(test, conn_rcv_buf_wanted(&w->a), RCV_BUF);
		w->now += 5 * MS;
		conn_read(&w->a, 8 * MSS, w->now);
	}
	KUNIT_EXPECT_EQ(test, conn_rcv_buf_wanted(&w->a),
			formula(16 * MSS, before));
}

/* The buffer keeps ahead of a sender that doubles its rate each round trip. */
static void autotune_read__ahead_of_slow_start(struct kunit *test)
{
	struct world *w = with_timestamps(test);

	w->now += SECOND;
	round_trip(w, 10, 10 * MS);
	for (unsigned int n = 14; n < 1000; n *= 2) {
		conn_set_rcv_buf(&w->a, conn_rcv_buf_wanted(&w->a), w->now);
		round_trip(w, min_t(u32, n, w->a.rcv_buf / MSS), 10 * MS);
		KUNIT_EXPECT_GE(test, conn_rcv_buf_wanted(&w->a), 2 * n * MSS);
	}
}

/* Who does not read needs no larger buffer, however much could come. */
static void autotune_read__slow_reader(struct kunit *test)
{
	struct world *w = with_timestamps(test);

	w->now += SECOND;
	for (int i = 0; i < RCV_BUF / MSS; i++)
		rx_echo(w, MSS, 10 * MS);
	w->now += SECOND;
	conn_read(&w->a, 1000, w->now);
	KUNIT_EXPECT_EQ(test, conn_rcv_buf_wanted(&w->a), RCV_BUF);
}

static void conn_snd_buf_wanted__follows_cwnd(struct kunit *test)
{
	struct world *w = connected(test);

	KUNIT_EXPECT_EQ(test, conn_snd_buf_wanted(&w->a), 3 * w->a.cc.cwnd);
	w->a.cc.cwnd = 300 * MSS;
	KUNIT_EXPECT_EQ(test, conn_snd_buf_wanted(&w->a), 900 * MSS);
	w->a.cc.cwnd = U32_MAX;
	KUNIT_EXPECT_EQ(test, conn_snd_buf_wanted(&w->a), 3ULL * U32_MAX);
}

static void conn_rcv_promised__unread_and_offered(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 700);

	KUNIT_EXPECT_EQ(test, conn_rcv_promised(&w->a), RCV_BUF);
	deliver(w, &w->a, &s);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_rcv_promised(&w->a), RCV_BUF);
	/* a smaller buffer takes no promise back */
	conn_set_rcv_buf(&w->a, 1000, w->now);
	KUNIT_EXPECT_EQ(test, conn_rcv_promised(&w->a), RCV_BUF);
}

/* RFC 5681 section 3.2: what duplicate ACKs inflate needs no larger buffer. */
static void conn_snd_buf_wanted__in_recovery(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);
	u64 before = conn_snd_buf_wanted(&w->a);

	KUNIT_EXPECT_EQ(test, before, 30 * MSS);
	dup_acks(w, &w->a, 60);
	KUNIT_EXPECT_EQ(test, conn_snd_buf_wanted(&w->a), 15 * MSS);
}

/* Bytes that came since the last ACK have taken their part of the window. */
static void conn_rcv_promised__counts_once(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	w->a.quickacks = 0;
	s = text_from_peer(&w->a, MSS / 4);
	deliver(w, &w->a, &s);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_rcv_promised(&w->a), RCV_BUF);
}

/* An echo of before a pause of 80 minutes, which is no round trip. */
static void sample_echo__after_a_pause(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s;

	w->env.tun.timestamps = true;
	establish(test, w);
	w->a.rmss = 500;
	s = text_from_peer(&w->a, MSS);
	s.tsecr = timestamp(w->a.ts_off, w->now) - 10;
	deliver(w, &w->a, &s);
	KUNIT_ASSERT_EQ(test, w->a.tune.rtt, 10 * MS);
	w->now += 4800 * SECOND;
	s = text_from_peer(&w->a, MSS);
	s.tsecr = timestamp(w->a.ts_off, w->now - 4800 * SECOND);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.tune.rtt, 10 * MS);
}

static struct kunit_case autotune_cases[] = {
	KUNIT_CASE(conn_rcv_promised__counts_once),
	KUNIT_CASE(sample_echo__after_a_pause),
	KUNIT_CASE(conn_snd_buf_wanted__in_recovery),
	KUNIT_CASE(autotune_rx__echo),
	KUNIT_CASE(sample_echo__small_segment),
	KUNIT_CASE(autotune_rx__window),
	KUNIT_CASE(sample_window__takes_the_least),
	KUNIT_CASE(autotune_read__grows_with_the_rate),
	KUNIT_CASE(autotune_read__formula),
	KUNIT_CASE(autotune_read__within_a_round_trip),
	KUNIT_CASE(autotune_read__ahead_of_slow_start),
	KUNIT_CASE(autotune_read__slow_reader),
	KUNIT_CASE(conn_snd_buf_wanted__follows_cwnd),
	KUNIT_CASE(conn_rcv_promised__unread_and_offered),
	{}
};

static struct kunit_suite chalk_autotune = {
	.name = "chalk_autotune",
	.test_cases = autotune_cases,
};

kunit_test_suite(chalk_autotune);
