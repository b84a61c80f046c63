// SPDX-License-Identifier: GPL-2.0
/*
 * stats_test.c - the figures of TCP_INFO
 */
#include <kunit/test.h>

#include "../core/stats.h"
#include "helper.h"

/* --- counts --- */

static void stats__handshake(struct kunit *test)
{
	struct world *w = connected(test);
	const struct stats *a = &w->a.stats, *b = &w->b.stats;

	/* SYN, ACK; SYN+ACK */
	KUNIT_EXPECT_EQ(test, a->segs_out, 2);
	KUNIT_EXPECT_EQ(test, a->segs_in, 1);
	KUNIT_EXPECT_EQ(test, b->segs_in, 2);
	KUNIT_EXPECT_EQ(test, b->segs_out, 1);
	/* neither SYN is a byte, both were delivered */
	KUNIT_EXPECT_EQ(test, a->bytes_acked, 0);
	KUNIT_EXPECT_EQ(test, b->bytes_received, 0);
	KUNIT_EXPECT_EQ(test, a->delivered_segs, 1);
	KUNIT_EXPECT_EQ(test, b->delivered_segs, 1);
}

/* 2.5 segments in one go are three packets. */
static void stats__transfer(struct kunit *test)
{
	struct world *w = connected(test);

	conn_write(&w->a, 2 * MSS + MSS / 2, false);
	carry(w);
	KUNIT_EXPECT_EQ(test, w->a.stats.data_segs_out, 3);
	KUNIT_EXPECT_EQ(test, w->a.stats.segs_out, 2 + 3);
	KUNIT_EXPECT_EQ(test, w->a.stats.bytes_sent, 2500);
	KUNIT_EXPECT_EQ(test, w->a.stats.bytes_acked, 2500);
	KUNIT_EXPECT_EQ(test, w->a.stats.bytes_retrans, 0);
	KUNIT_EXPECT_EQ(test, w->b.stats.bytes_received, 2500);
	KUNIT_EXPECT_EQ(test, w->b.stats.early_segs, 0);
	KUNIT_EXPECT_EQ(test, w->b.stats.last_data_in, w->now);
}

/* The FIN is a segment, not a byte. */
static void stats__fin(struct kunit *test)
{
	struct world *w = connected(test);

	conn_write(&w->a, 10, false);
	conn_close(&w->a, w->now);
	carry(w);
	KUNIT_EXPECT_EQ(test, w->a.stats.bytes_sent, 10);
	KUNIT_EXPECT_EQ(test, w->a.stats.bytes_acked, 10);
	KUNIT_EXPECT_EQ(test, w->b.stats.bytes_received, 10);
}

static void stats__syn_again(struct kunit *test)
{
	struct world *w = world_new(test);

	open_a(w);
	lose_all(w, &w->a);
	elapse(w, RTO_INITIAL);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, w->a.stats.segs_out, 2);
	KUNIT_EXPECT_EQ(test, w->a.stats.retrans_segs, 1);
	KUNIT_EXPECT_EQ(test, w->a.stats.bytes_retrans, 0);
}

/* The SYN+ACKs of a record count for the connection that comes out of it. */
static void stats_passive__synack_again(struct kunit *test)
{
	struct world *w = world_new(test);
	struct conn_config cfg = config_b();
	struct seg s;

	open_a(w);
	s = next_seg(test, w, &w->a);
	req_init(&w->req, &w->env, &cfg, &s, w->now);
	req_poll(&w->req, &w->env, w->now, &s);
	req_tick(&w->req, &w->env, w->req.deadline);
	req_poll(&w->req, &w->env, w->req.deadline, &s);
	conn_accept(&w->b, &w->env, &w->req, w->req.deadline);
	KUNIT_EXPECT_EQ(test, w->b.stats.segs_in, 1);
	KUNIT_EXPECT_EQ(test, w->b.stats.segs_out, 2);
	KUNIT_EXPECT_EQ(test, w->b.stats.retrans_segs, 1);
}

static void stats__early(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, MSS);

	s.seq += MSS;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.stats.early_segs, 1);
	KUNIT_EXPECT_EQ(test, w->a.stats.bytes_received, 0);
	s = text_from_peer(&w->a, MSS);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.stats.bytes_received, 2 * MSS);
}

/* --- loss: what is in flight a second time --- */

static void stats__fast_retransmit(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 5 * MSS);
	KUNIT_EXPECT_EQ(test, stats_lost(&w->a), 0);
	dup_acks(w, &w->a, 3);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, stats_lost(&w->a), MSS);
	KUNIT_EXPECT_EQ(test, stats_resent(&w->a), MSS);
	KUNIT_EXPECT_EQ(test, w->a.stats.retrans_segs, 1);
	KUNIT_EXPECT_EQ(test, w->a.stats.bytes_retrans, MSS);
	/* partial: the next one is taken to be lost */
	ack_upto(w, &w->a, A0 + 2 * MSS);
	KUNIT_EXPECT_EQ(test, stats_resent(&w->a), 0);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, stats_resent(&w->a), MSS);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, stats_lost(&w->a), 0);
	KUNIT_EXPECT_EQ(test, stats_resent(&w->a), 0);
	KUNIT_EXPECT_EQ(test, w->a.stats.retrans_segs, 2);
}

static void stats__timeout(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 5 * MSS);
	elapse(w, rtt_rto(&w->a.rtt));
	KUNIT_EXPECT_EQ(test, stats_lost(&w->a), 5 * MSS);
	KUNIT_EXPECT_EQ(test, stats_resent(&w->a), 0);
	/* cwnd is one segment */
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, stats_resent(&w->a), MSS);
	ack_upto(w, &w->a, A0 + MSS);
	KUNIT_EXPECT_EQ(test, stats_lost(&w->a), 4 * MSS);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, stats_resent(&w->a), 2 * MSS);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, stats_lost(&w->a), 0);
	KUNIT_EXPECT_EQ(test, w->a.stats.bytes_sent, 8 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.stats.bytes_retrans, 3 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.stats.bytes_acked, 5 * MSS);
}

/* Of a segment that goes out again in part only that part counts so. */
static void stats__partly_again(struct kunit *test)
{
	struct world *w = connected(test);
	long out, again;

	write_and_send(w, &w->a, 4 * MSS);
	conn_write(&w->a, 4 * MSS, false);
	elapse(w, SECOND);
	ack_upto(w, &w->a, A0 + 2 * MSS);
	w->a.cc.cwnd = 3 * MSS;
	out = counted(w, MIB_OUT_SEGS);
	again = counted(w, MIB_RETRANS_SEGS);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).len, 3 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.stats.bytes_retrans, 2 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.stats.retrans_segs, 2);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_RETRANS_SEGS), again + 2);
	KUNIT_EXPECT_EQ(test, counted(w, MIB_OUT_SEGS), out + 1);
	KUNIT_EXPECT_EQ(test, stats_resent(&w->a), 2 * MSS);
}

/* --- the least round trip --- */

static void stats_min_rtt__slides(struct kunit *test)
{
	static const struct {
		u32 after, sample, least;
	} steps[] = {
		{ 0, 50, 50 },	    { 1, 80, 50 },  { 1, 40, 40 },
		{ 147, 90, 40 },    { 1, 95, 40 }, /* a new period: 40 is old */
		{ 149, 100, 40 },   { 1, 110, 95 }, /* another: 40 is too old */
		{ 1000, 200, 200 }, /* nothing for long */
	};
	struct world *w = world_new(test);

	w->a.stats.rtt = (struct min_rtt){ U32_MAX, U32_MAX, w->now };
	KUNIT_EXPECT_EQ(test, stats_min_rtt(&w->a.stats), U32_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		w->now += steps[i].after * SECOND;
		stats_rtt(&w->a, steps[i].sample, w->now);
		KUNIT_EXPECT_EQ(test, stats_min_rtt(&w->a.stats),
				steps[i].least);
	}
}

/* Against a model that keeps all samples: of 150 s at least, 300 s at most. */
static void stats_min_rtt__random(struct kunit *test)
{
	enum {
		N = 500
	};
	static struct {
		u64 at;
		u32 sample;
	} all[N];
	struct world *w = world_new(test);
	u32 state = 8985;

	w->a.stats.rtt = (struct min_rtt){ U32_MAX, U32_MAX, w->now };
	for (int i = 0; i < N && !test->status; i++) {
		u32 least, late = U32_MAX, later = U32_MAX;

		w->now += prng(&state) % (20 * SECOND);
		all[i].at = w->now;
		all[i].sample = prng(&state) % 1000;
		stats_rtt(&w->a, all[i].sample, w->now);
		for (int k = 0; k <= i; k++) {
			u64 age = w->now - all[k].at;

			if (age < MIN_RTT_PERIOD)
				later = min_t(u32, later, all[k].sample);
			/* a period ends with the first sample after it */
			if (age < 2 * MIN_RTT_PERIOD + 40 * SECOND)
				late = min_t(u32, late, all[k].sample);
		}
		least = stats_min_rtt(&w->a.stats);
		KUNIT_EXPECT_LE(test, least, later);
		KUNIT_EXPECT_GE(test, least, late);
	}
}

/* --- the rate of delivery --- */

/* A flight of ten segments, acknowledged after 100 ms: 100 segments a second. */
static void stats_delivery_rate__flight(struct kunit *test)
{
	struct world *w = connected(test);

	KUNIT_EXPECT_EQ(test, stats_delivery_rate(&w->a.stats), 0);
	conn_write(&w->a, 40 * MSS, false);
	lose_all(w, &w->a);
	elapse(w, 100 * MS);
	ack_upto(w, &w->a, A0 + 10 * MSS);
	KUNIT_EXPECT_EQ(test, stats_delivery_rate(&w->a.stats), 100 * MSS);
	KUNIT_EXPECT_FALSE(test, w->a.stats.delivery.app_limited);
}

/* A silence before it is no part of the time. */
static void stats_delivery_rate__after_silence(struct kunit *test)
{
	struct world *w = connected(test);

	elapse(w, 10 * SECOND);
	conn_write(&w->a, 10 * MSS, false);
	lose_all(w, &w->a);
	elapse(w, 100 * MS);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, stats_delivery_rate(&w->a.stats), 100 * MSS);
}

/*
 * With data in flight it is from the last delivery on, and what came since: here
 * while the first packet of the second round was timed, 200 ms.
 */
static void stats_delivery_rate__second_round(struct kunit *test)
{
	struct world *w = connected(test);
	u32 end;

	conn_write(&w->a, 100 * MSS, false);
	lose_all(w, &w->a);
	elapse(w, 100 * MS);
	ack_upto(w, &w->a, A0 + 5 * MSS);
	lose_all(w, &w->a);
	elapse(w, 100 * MS);
	ack_upto(w, &w->a, A0 + 10 * MSS);
	KUNIT_EXPECT_EQ(test, stats_delivery_rate(&w->a.stats), 50 * MSS);
	lose_all(w, &w->a);
	end = w->a.snd_nxt;
	elapse(w, 100 * MS);
	ack_upto(w, &w->a, end);
	KUNIT_EXPECT_EQ(test, stats_delivery_rate(&w->a.stats),
			5 * (end - A0 - 5 * MSS));
}

/* A path that the user fills may become slower, too. */
static void stats_delivery_rate__slower(struct kunit *test)
{
	struct world *w = connected(test);

	conn_write(&w->a, 100 * MSS, false);
	lose_all(w, &w->a);
	elapse(w, 100 * MS);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, stats_delivery_rate(&w->a.stats), 100 * MSS);
	w->a.cc.cwnd = 10 * MSS;
	lose_all(w, &w->a);
	elapse(w, 200 * MS);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, stats_delivery_rate(&w->a.stats), 50 * MSS);
}

/* A lone segment does not fill the path: it says nothing against 100 a second. */
static void stats_delivery_rate__app_limited(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, MSS);
	elapse(w, 100 * MS);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, stats_delivery_rate(&w->a.stats), 10 * MSS);
	KUNIT_EXPECT_TRUE(test, w->a.stats.delivery.app_limited);
	conn_write(&w->a, 40 * MSS, false);
	lose_all(w, &w->a);
	elapse(w, 100 * MS);
	ack_upto(w, &w->a, w->a.snd_nxt);
	KUNIT_EXPECT_FALSE(test, w->a.stats.delivery.app_limited);
	KUNIT_EXPECT_GE(test, stats_delivery_rate(&w->a.stats), 100 * MSS);
	while (conn_unacked(&w->a)) {
		lose_all(w, &w->a);
		elapse(w, 10 * MS);
		ack_all(w, &w->a);
	}
	elapse(w, SECOND);
	write_and_send(w, &w->a, MSS);
	elapse(w, 100 * MS);
	ack_all(w, &w->a);
	KUNIT_EXPECT_GE(test, stats_delivery_rate(&w->a.stats), 100 * MSS);
}

/* --- what the sender waits for --- */

static u64 waited(const struct world *w, enum limit limit)
{
	return stats_limited(&w->a.stats, limit, w->now);
}

static void stats_limited__path_then_window(struct kunit *test)
{
	struct world *w = connected(test);

	elapse(w, SECOND);
	conn_write(&w->a, 40 * MSS, false);
	lose_all(w, &w->a);
	elapse(w, 30 * MS);
	KUNIT_EXPECT_EQ(test, waited(w, LIMIT_PATH), 30 * MS);
	/* all is acknowledged, and the window is smaller than cwnd */
	offer_window(w, &w->a, 10 * MSS);
	w->a.cc.cwnd = 100 * MSS;
	lose_all(w, &w->a);
	elapse(w, 50 * MS);
	KUNIT_EXPECT_EQ(test, waited(w, LIMIT_RWND), 50 * MS);
	KUNIT_EXPECT_EQ(test, waited(w, LIMIT_PATH), 30 * MS);
	KUNIT_EXPECT_EQ(test, waited(w, LIMIT_IDLE), SECOND);
}

/* Where cwnd has no room either, it is not the window that holds things up. */
static void stats_limited__both_full(struct kunit *test)
{
	struct world *w = connected(test);

	offer_window(w, &w->a, 10 * MSS);
	write_and_send(w, &w->a, 15 * MSS);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), 10 * MSS);
	elapse(w, 30 * MS);
	KUNIT_EXPECT_EQ(test, waited(w, LIMIT_RWND), 0);
	KUNIT_EXPECT_EQ(test, waited(w, LIMIT_PATH), 30 * MS);
}

static void stats_limited__send_buffer(struct kunit *test)
{
	struct world *w = connected(test);

	stats_user_waits(&w->a.stats, true);
	write_and_send(w, &w->a, 2 * MSS);
	elapse(w, 20 * MS);
	KUNIT_EXPECT_EQ(test, waited(w, LIMIT_SNDBUF), 20 * MS);
	stats_user_waits(&w->a.stats, false);
	ack_all(w, &w->a);
	lose_all(w, &w->a);
	elapse(w, 20 * MS);
	KUNIT_EXPECT_EQ(test, waited(w, LIMIT_SNDBUF), 20 * MS);
	KUNIT_EXPECT_EQ(test, waited(w, LIMIT_IDLE), 20 * MS);
}

/* While something is left to send, more room would not help. */
static void stats_limited__send_buffer_not_sent(struct kunit *test)
{
	struct world *w = connected(test);

	stats_user_waits(&w->a.stats, true);
	write_and_send(w, &w->a, 15 * MSS);
	elapse(w, 20 * MS);
	KUNIT_EXPECT_EQ(test, waited(w, LIMIT_SNDBUF), 0);
	KUNIT_EXPECT_EQ(test, waited(w, LIMIT_PATH), 20 * MS);
}

/* A reset with data in flight does not leave the sender busy for ever. */
static void stats_limited__after_the_end(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, MSS);
	elapse(w, 10 * MS);
	conn_abort(&w->a, w->now);
	lose_all(w, &w->a);
	elapse(w, SECOND);
	KUNIT_EXPECT_EQ(test, waited(w, LIMIT_PATH), 10 * MS);
}

/* A handshake that takes long is no silence: no data can come in it. */
static void stats_established__silence_begins(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s = synack_of_b();

	open_a(w);
	lose_all(w, &w->a);
	elapse(w, SECOND);
	lose_all(w, &w->a);
	deliver(w, &w->a, &s);
	KUNIT_ASSERT_EQ(test, w->a.state, ST_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, w->a.stats.since, w->now);
	KUNIT_EXPECT_EQ(test, w->a.stats.last_data_in, w->now);
}

/* What is refused, and may be forged, is no data: no ACK waits to ride on an answer. */
static void stats_kept__not_what_is_refused(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 100);
	u64 then = w->a.stats.last_data_in;

	w->now += SECOND;
	s.seq -= 100000;
	deliver(w, &w->a, &s);
	KUNIT_ASSERT_EQ(test, w->v.drop, DROP_OLD_DUPLICATE);
	KUNIT_EXPECT_EQ(test, w->a.stats.data_segs_in, 1);
	KUNIT_EXPECT_EQ(test, w->a.stats.last_data_in, then);
	lose_all(w, &w->a);
	write_and_send(w, &w->a, 10);
	KUNIT_EXPECT_FALSE(test, w->a.opt.pingpong);
}

/* Nor is text that a full buffer refuses, though its place is right. */
static void stats_kept__not_without_room(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 100);
	u64 then = w->a.stats.last_data_in;

	w->now += SECOND;
	s.no_room = true;
	deliver(w, &w->a, &s);
	KUNIT_ASSERT_EQ(test, w->v.drop, DROP_RCVBUF);
	KUNIT_EXPECT_EQ(test, w->a.stats.last_data_in, then);
}

/* Text in order is, and early text. */
static void stats_kept__in_order_and_early(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s = text_from_peer(&w->a, 100);

	w->now += SECOND;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.stats.last_data_in, w->now);
	w->now += SECOND;
	s.seq += 200;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.stats.last_data_in, w->now);
}

static struct kunit_case stats_cases[] = {
	KUNIT_CASE(stats_established__silence_begins),
	KUNIT_CASE(stats_kept__not_what_is_refused),
	KUNIT_CASE(stats_kept__not_without_room),
	KUNIT_CASE(stats_kept__in_order_and_early),
	KUNIT_CASE(stats__handshake),
	KUNIT_CASE(stats__transfer),
	KUNIT_CASE(stats__fin),
	KUNIT_CASE(stats__syn_again),
	KUNIT_CASE(stats_passive__synack_again),
	KUNIT_CASE(stats__early),
	KUNIT_CASE(stats__fast_retransmit),
	KUNIT_CASE(stats__timeout),
	KUNIT_CASE(stats__partly_again),
	KUNIT_CASE(stats_min_rtt__slides),
	KUNIT_CASE(stats_min_rtt__random),
	KUNIT_CASE(stats_delivery_rate__flight),
	KUNIT_CASE(stats_delivery_rate__after_silence),
	KUNIT_CASE(stats_delivery_rate__second_round),
	KUNIT_CASE(stats_delivery_rate__slower),
	KUNIT_CASE(stats_delivery_rate__app_limited),
	KUNIT_CASE(stats_limited__path_then_window),
	KUNIT_CASE(stats_limited__both_full),
	KUNIT_CASE(stats_limited__send_buffer),
	KUNIT_CASE(stats_limited__send_buffer_not_sent),
	KUNIT_CASE(stats_limited__after_the_end),
	{}
};

static struct kunit_suite chalk_stats = {
	.name = "chalk_stats",
	.test_cases = stats_cases,
};

kunit_test_suite(chalk_stats);
