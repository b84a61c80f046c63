// SPDX-License-Identifier: GPL-2.0
/*
 * recover_test.c - measuring, detecting loss, and what is sent again
 */
#include <kunit/test.h>

#include "../core/recover.h"
#include "helper.h"

/* --- measuring: RFC 6298 section 3, RFC 7323 section 4 --- */

static void measure__handshake(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s;

	open_a(w);
	lose_all(w, &w->a);
	elapse(w, 300 * MS);
	s = synack_of_b();
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, w->a.rtt.srtt, 300 * MS);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_RTT)->cause, BY_RTT_TIMED);
	/* 300 + 4 * 150 */
	KUNIT_EXPECT_EQ(test, rtt_rto(&w->a.rtt), 900 * MS);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_RTO)->new, 900 * MS);
}

/* Karn: the SYN+ACK after a SYN that was sent twice says nothing. */
static void measure__lost_syn(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s = synack_of_b();

	open_a(w);
	lose_all(w, &w->a);
	elapse(w, SECOND);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTT_REFUSED, BY_KARN), 1);
	elapse(w, 20 * MS);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTT, 0), 0);
	KUNIT_EXPECT_EQ(test, rtt_rto(&w->a.rtt), 3 * SECOND);
}

/*
 * Simultaneous open: our SYN went out twice, without an ACK and with one. It was
 * not lost for that.
 */
static void measure__simultaneous_open(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s = synack_of_b();

	open_a(w);
	lose_all(w, &w->a);
	elapse(w, 900 * MS);
	s.flags = FLAG_SYN;
	s.ack = 0;
	deliver(w, &w->a, &s);
	KUNIT_ASSERT_EQ(test, w->a.state, ST_SYN_RCVD);
	lose_all(w, &w->a);
	elapse(w, 50 * MS);
	ack_all(w, &w->a);
	KUNIT_ASSERT_EQ(test, w->a.state, ST_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTT, BY_NONE), 0);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTT_REFUSED, BY_KARN), 1);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 10 * MSS);
}

/* but an echo of the second SYN does, and then RFC 6298 (5.7) has no say */
static void measure__echo_of_second_syn(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s = synack_of_b();

	w->env.tun.timestamps = true;
	open_a(w);
	lose_all(w, &w->a);
	elapse(w, SECOND);
	s.has_ts = true;
	s.tsval = 5;
	s.tsecr = next_seg(test, w, &w->a).tsval;
	elapse(w, 300 * MS);
	deliver(w, &w->a, &s);
	KUNIT_ASSERT_EQ(test, count_events(w, EV_RTT, BY_RTT_TSECR), 1);
	KUNIT_EXPECT_EQ(test, w->a.rtt.srtt, 300 * MS);
	KUNIT_EXPECT_EQ(test, rtt_rto(&w->a.rtt), 900 * MS);
}

/* of the first it would have the whole timeout in it */
static void measure__echo_of_first_syn(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s = synack_of_b();

	w->env.tun.timestamps = true;
	open_a(w);
	s.has_ts = true;
	s.tsval = 5;
	s.tsecr = next_seg(test, w, &w->a).tsval;
	elapse(w, SECOND);
	lose_all(w, &w->a);
	elapse(w, 300 * MS);
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTT, 0), 0);
}

/* One segment is timed at a time. */
static void measure__timed_segment(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, MSS);
	elapse(w, 100 * MS);
	write_and_send(w, &w->a, MSS);
	elapse(w, 50 * MS);
	ack_upto(w, &w->a, A0 + MSS - 1);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTT, 0), 0);
	ack_upto(w, &w->a, A0 + 2 * MSS);
	KUNIT_ASSERT_EQ(test, count_events(w, EV_RTT, 0), 1);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_RTT)->new, 150 * MS);
}

/* Karn: the ACK of what was sent twice says nothing, and RTO stays doubled. */
static void measure__karn(struct kunit *test)
{
	struct world *w = connected(test);
	u32 rto = rtt_rto(&w->a.rtt);

	write_and_send(w, &w->a, MSS);
	elapse(w, rto);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTT_REFUSED, BY_KARN), 1);
	elapse(w, 10 * MS);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTT, 0), 0);
	KUNIT_EXPECT_EQ(test, rtt_rto(&w->a.rtt), 2 * rto);
	/* the next segment, sent once, gives a sample and ends the backoff */
	write_and_send(w, &w->a, MSS);
	elapse(w, 10 * MS);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTT, BY_RTT_TIMED), 1);
	KUNIT_EXPECT_EQ(test, w->a.rtt.backoffs, 0);
}

static void measure__karn_in_fast_retransmit(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 5 * MSS);
	elapse(w, 10 * MS);
	dup_acks(w, &w->a, 3);
	lose_all(w, &w->a);
	elapse(w, 10 * MS);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTT, 0), 0);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTT_REFUSED, BY_KARN), 1);
}

/* With timestamps the echo tells which of the two arrived (RFC 7323 4.1). */
static void measure__timestamp_echo(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s, ack;

	w->env.tun.timestamps = true;
	establish(test, w);
	write_and_send(w, &w->a, 100);
	elapse(w, SECOND);
	s = next_seg(test, w, &w->a);
	elapse(w, 30 * MS);
	forget_events(w);
	ack = from_peer(&w->a);
	ack.tsecr = s.tsval;
	deliver(w, &w->a, &ack);
	KUNIT_ASSERT_EQ(test, count_events(w, EV_RTT, BY_RTT_TSECR), 1);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_RTT)->new, 30 * MS);
	KUNIT_EXPECT_EQ(test, w->a.rtt.backoffs, 0);
}

/* The same after a timeout: the answer to the original tells of no round trip. */
static void measure__echo_of_before_timeout(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg ack;
	u32 tsval;

	w->env.tun.timestamps = true;
	establish(test, w);
	conn_write(&w->a, 100, false);
	tsval = next_seg(test, w, &w->a).tsval;
	elapse(w, SECOND);
	lose_all(w, &w->a);
	elapse(w, 30 * MS);
	forget_events(w);
	ack = from_peer(&w->a);
	ack.tsecr = tsval;
	deliver(w, &w->a, &ack);
	KUNIT_EXPECT_EQ(test, w->a.snd_una, w->a.snd_nxt);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTT, 0), 0);
}

/* One sample a round trip, also where each ACK has an echo. */
static void measure__one_echo_a_round_trip(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg ack;
	u32 tsval;

	w->env.tun.timestamps = true;
	establish(test, w);
	conn_write(&w->a, 10 * w->a.smss, false);
	tsval = next_seg(test, w, &w->a).tsval;
	elapse(w, 30 * MS);
	forget_events(w);
	for (int i = 1; i <= 10; i++) {
		ack = from_peer(&w->a);
		ack.ack = A0 + i * w->a.smss;
		ack.tsecr = tsval;
		deliver(w, &w->a, &ack);
	}
	KUNIT_EXPECT_EQ(test, w->a.snd_una, w->a.snd_nxt);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTT, 0), 1);
}

/* An echo of nothing that we sent. */
static void measure__timestamp_nonsense(struct kunit *test)
{
	static const u32 echoes[] = { 0, 1, 0x80000000, 0xffffffff };

	for (size_t i = 0; i < ARRAY_SIZE(echoes); i++) {
		struct world *w = world_new(test);
		struct seg s;

		w->env.tun.timestamps = true;
		establish(test, w);
		write_and_send(w, &w->a, 100);
		elapse(w, SECOND);
		lose_all(w, &w->a);
		s = from_peer(&w->a);
		s.tsecr = echoes[i];
		forget_events(w);
		deliver(w, &w->a, &s);
		KUNIT_EXPECT_EQ(test, count_events(w, EV_RTT, 0), 0);
		KUNIT_EXPECT_EQ(test, w->a.snd_una, w->a.snd_nxt);
	}
}

/* RFC 7323 section 3.2: an echo of 0 is none, though our clock may show it. */
static void measure__timestamp_of_zero(struct kunit *test)
{
	struct world *w = world_new(test);
	struct seg s;

	w->env.tun.timestamps = true;
	establish(test, w);
	write_and_send(w, &w->a, 100);
	elapse(w, SECOND);
	w->a.ts_off -= timestamp(w->a.ts_off, w->now);
	lose_all(w, &w->a);
	elapse(w, 30 * MS);
	KUNIT_EXPECT_EQ(test, timestamp(w->a.ts_off, w->now), 30);
	forget_events(w);
	s = from_peer(&w->a);
	s.tsecr = 0;
	deliver(w, &w->a, &s);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTT, 0), 0);
}

/* --- acknowledgments: RFC 6298 (5.2), (5.3) --- */

static void restart_timer__by_new_ack(struct kunit *test)
{
	struct world *w = connected(test);
	u32 rto;

	write_and_send(w, &w->a, 3 * MSS);
	elapse(w, 50 * MS);
	ack_upto(w, &w->a, A0 + MSS);
	rto = rtt_rto(&w->a.rtt);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + rto);
	elapse(w, 50 * MS);
	/* a duplicate does not restart it */
	dup_acks(w, &w->a, 1);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now - 50 * MS + rto);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), NEVER);
}

/*
 * RFC 6675 section 6: the ACK of a fast retransmission comes a round trip after it,
 * two after the first transmission. With SRTT above RTO_FLOOR that is beyond RTO.
 */
static void begins_timer__by_fast_retransmit(struct kunit *test)
{
	struct world *w = connected(test);

	for (int i = 0; i < 60; i++) {
		write_and_send(w, &w->a, MSS);
		elapse(w, 300 * MS);
		ack_all(w, &w->a);
		lose_all(w, &w->a);
	}
	KUNIT_ASSERT_LE(test, rtt_rto(&w->a.rtt), 510 * MS);
	write_and_send(w, &w->a, 10 * MSS);
	elapse(w, 300 * MS);
	dup_acks(w, &w->a, 9);
	lose_all(w, &w->a);
	KUNIT_ASSERT_TRUE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a),
			w->now + rtt_rto(&w->a.rtt));
	forget_events(w);
	elapse(w, 299 * MS);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_TIMER_FIRED, BY_T_RTX), 0);
	KUNIT_EXPECT_TRUE(test, w->a.recovering);
}

/* The same where all that was in flight goes again: Tahoe, and a smaller MSS. */
static void begins_timer__by_going_back(struct kunit *test)
{
	struct world *w = connected(test);
	u32 rto = rtt_rto(&w->a.rtt);

	conn_set_cc(&w->a, &cc_tahoe, w->now);
	write_and_send(w, &w->a, 10 * MSS);
	elapse(w, 50 * MS);
	dup_acks(w, &w->a, 3);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + rto);
	elapse(w, 50 * MS);
	conn_set_mss(&w->a, 500, w->now);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + rto);
}

/* --- loss: RFC 5681 section 3.2, RFC 6582 section 3.2 --- */

/* An ACK of something new begins the count anew. */
static void recover_on_dupack__counts_in_a_row(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 10 * MSS);
	dup_acks(w, &w->a, 2);
	ack_upto(w, &w->a, A0 + MSS);
	dup_acks(w, &w->a, 2);
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	dup_acks(w, &w->a, 1);
	KUNIT_EXPECT_TRUE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, w->a.recover, w->a.snd_nxt);
}

static void on_ack_in_recovery__partial_and_full(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 10 * MSS);
	dup_acks(w, &w->a, 3);
	lose_all(w, &w->a);
	ack_upto(w, &w->a, A0 + 10 * MSS - 1);
	KUNIT_EXPECT_TRUE(test, w->a.recovering);
	lose_all(w, &w->a);
	ack_upto(w, &w->a, A0 + 10 * MSS);
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, w->a.dupacks, 0);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), NEVER);
}

/* The Impatient variant: only the first partial ACK restarts the timer. */
static void on_ack_in_recovery__impatient(struct kunit *test)
{
	struct world *w = connected(test);
	u64 deadline;

	write_and_send(w, &w->a, 10 * MSS);
	dup_acks(w, &w->a, 3);
	lose_all(w, &w->a);
	elapse(w, 20 * MS);
	ack_upto(w, &w->a, A0 + MSS);
	lose_all(w, &w->a);
	deadline = conn_deadline(&w->a);
	KUNIT_EXPECT_EQ(test, deadline, w->now + rtt_rto(&w->a.rtt));
	elapse(w, 20 * MS);
	ack_upto(w, &w->a, A0 + 2 * MSS);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), deadline);
}

/* the first one of each recovery, RFC 6582 section 3.2, step 3 */
static void on_ack_in_recovery__impatient_again(struct kunit *test)
{
	struct world *w = connected(test);

	for (int i = 0; i < 2; i++) {
		write_and_send(w, &w->a, 10 * MSS);
		w->a.cc.cwnd = 10 * MSS;
		lose_all(w, &w->a);
		ack_upto(w, &w->a, w->a.snd_una + MSS);
		dup_acks(w, &w->a, 3);
		KUNIT_ASSERT_TRUE(test, w->a.recovering);
		lose_all(w, &w->a);
		elapse(w, 20 * MS);
		ack_upto(w, &w->a, w->a.snd_una + MSS);
		lose_all(w, &w->a);
		KUNIT_EXPECT_EQ(test, w->a.timer[TIMER_RTX],
				w->now + rtt_rto(&w->a.rtt));
		ack_all(w, &w->a);
		lose_all(w, &w->a);
		ack_all(w, &w->a);
		KUNIT_ASSERT_EQ(test, conn_unacked(&w->a), 0);
	}
}

/*
 * RFC 6582 section 3.2, step 2: duplicate ACKs below @recover are echoes of
 * what the timeout sent twice.
 */
static void enter_recovery__not_after_timeout(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 10 * MSS);
	elapse(w, SECOND);
	lose_all(w, &w->a);
	ack_upto(w, &w->a, A0 + 5 * MSS);
	lose_all(w, &w->a);
	dup_acks(w, &w->a, 5);
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_CWND, BY_THIRD_DUPACK), 0);
}

/*
 * The third duplicate ACK was refused: "do not enter fast retransmit"; a fourth is
 * not another third.
 */
static void enter_recovery__not_by_the_fourth(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 10 * MSS);
	elapse(w, SECOND);
	lose_all(w, &w->a);
	ack_all(w, &w->a);
	w->a.cc.cwnd = 10 * MSS;
	write_and_send(w, &w->a, 10 * MSS);
	KUNIT_EXPECT_EQ(test, w->a.snd_una, w->a.recover);
	dup_acks(w, &w->a, 3);
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	dup_acks(w, &w->a, 1);
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
}

/* "recover" is the highest number transmitted, not where sending has gone back to. */
static void enter_recovery__while_gone_back(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	write_and_send(w, &w->a, 10 * MSS);
	conn_set_mss(&w->a, 500, w->now);
	KUNIT_ASSERT_TRUE(test, conn_poll(&w->a, 1, w->now, &s));
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), 500);
	dup_acks(w, &w->a, 3);
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, w->a.recover, A0 + 10 * MSS);
}

/* but as soon as more than that is acknowledged */
static void enter_recovery__after_recover(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 10 * MSS);
	elapse(w, SECOND);
	lose_all(w, &w->a);
	ack_all(w, &w->a);
	w->a.cc.cwnd = 10 * MSS;
	write_and_send(w, &w->a, 10 * MSS);
	dup_acks(w, &w->a, 3);
	/* exactly at @recover: not yet "more than" */
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	ack_upto(w, &w->a, w->a.snd_una + MSS);
	dup_acks(w, &w->a, 3);
	KUNIT_EXPECT_TRUE(test, w->a.recovering);
}

/* The first loss of a connection is one, whatever the numbers. */
static void enter_recovery__first_segment(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 4 * MSS);
	dup_acks(w, &w->a, 3);
	KUNIT_EXPECT_TRUE(test, w->a.recovering);
}

/*
 * RFC 6582 section 3.2, step 1: "recover" marks what was in flight. Where nothing was
 * when the override timer fired, the first loss afterwards is one.
 */
static void enter_recovery__after_override(struct kunit *test)
{
	struct world *w = connected(test);

	conn_write(&w->a, 100, true);
	expect_silence(test, w, &w->a);
	elapse(w, SWS_OVERRIDE);
	KUNIT_EXPECT_EQ(test, next_seg(test, w, &w->a).cause, BY_OVERRIDE);
	write_and_send(w, &w->a, 4 * MSS);
	dup_acks(w, &w->a, 3);
	KUNIT_EXPECT_TRUE(test, w->a.recovering);
}

/* @recover follows, so that 2 GB later it does not seem to lie ahead. */
static void recover_on_ack__keeps_recover_near(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 10 * MSS);
	ack_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, w->a.recover, w->a.snd_una - 1);
}

/* The segment is not sent again where its ACK came before it could be. */
static void recover_on_ack__before_the_retransmission(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	write_and_send(w, &w->a, 10 * MSS);
	dup_acks(w, &w->a, 3);
	ack_all(w, &w->a);
	conn_write(&w->a, MSS, false);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.seq, A0 + 10 * MSS);
	KUNIT_EXPECT_EQ(test, s.cause, BY_DATA);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTX, 0), 0);
	/* nor where it came with new data already in flight */
	w = sending(test, 10 * MSS);
	dup_acks(w, &w->a, 3);
	ack_all(w, &w->a);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.seq, A0 + 10 * MSS);
	KUNIT_EXPECT_EQ(test, s.cause, BY_DATA);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_RTX, 0), 0);
}

/* --- timeout: RFC 6298 (5.4) to (5.6) --- */

static void recover_on_rto__goes_back(struct kunit *test)
{
	struct world *w = connected(test);
	u32 rto = rtt_rto(&w->a.rtt);

	write_and_send(w, &w->a, 10 * MSS);
	dup_acks(w, &w->a, 3);
	lose_all(w, &w->a);
	elapse(w, rto);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), 0);
	KUNIT_EXPECT_EQ(test, w->a.snd_nxt, A0 + 10 * MSS);
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, w->a.recover, w->a.snd_nxt);
	KUNIT_EXPECT_EQ(test, w->a.dupacks, 0);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_RTO)->new, 2 * rto);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), MSS);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), w->now + 2 * rto);
}

/* A timeout takes the place of a fast retransmit that has not gone out. */
static void recover_on_rto__before_the_retransmission(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 10 * MSS);
	dup_acks(w, &w->a, 3);
	elapse(w, SECOND);
	KUNIT_EXPECT_EQ(test, lose_all(w, &w->a), 1);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_RTX)->cause, BY_GO_BACK);
}

/* What limited transmit had sent is no part of the flight after it. */
static void recover_on_rto__after_limited_transmit(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	dup_acks(w, &w->a, 2);
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, w->a.limited, 2 * MSS);
	elapse(w, SECOND);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 5 * MSS);
	w->a.cc.cwnd = 10 * MSS;
	lose_all(w, &w->a);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), 10 * MSS);
	w->a.retries = 0;
	elapse(w, 10 * SECOND);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, 5 * MSS);
}

/* An ACK of the original comes after all, beyond what was sent again. */
static void recover_on_ack__past_what_was_resent(struct kunit *test)
{
	struct world *w = connected(test);

	write_and_send(w, &w->a, 10 * MSS);
	elapse(w, SECOND);
	lose_all(w, &w->a);
	ack_upto(w, &w->a, A0 + 7 * MSS);
	KUNIT_EXPECT_EQ(test, conn_next(&w->a), A0 + 7 * MSS);
	KUNIT_EXPECT_EQ(test, conn_flight(&w->a), 0);
	KUNIT_EXPECT_EQ(test, conn_deadline(&w->a), NEVER);
	KUNIT_EXPECT_EQ(test, w->a.retries, 0);
}

/* RFC 1191 section 6.5: the path shrank; smaller segments, same cwnd. */
static void recover_go_back__smaller_mss(struct kunit *test)
{
	struct world *w = connected(test);
	struct seg s;

	write_and_send(w, &w->a, 4 * MSS);
	conn_set_mss(&w->a, 500, w->now);
	s = next_seg(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, s.seq, A0);
	KUNIT_EXPECT_EQ(test, s.smss, 500);
	KUNIT_EXPECT_EQ(test, s.cause, BY_MSS_CHANGE);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 10 * MSS);
	/* a larger one resends nothing */
	ack_all(w, &w->a);
	write_and_send(w, &w->a, MSS);
	conn_set_mss(&w->a, MSS, w->now);
	expect_silence(test, w, &w->a);
	KUNIT_EXPECT_EQ(test, w->a.smss, MSS);
}

/* In a recovery whose cwnd is inflated: ssthresh, 3 and 5 segments. */
static struct world *inflated(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	dup_acks(w, &w->a, 8);
	lose_all(w, &w->a);
	KUNIT_ASSERT_TRUE(test, w->a.recovering);
	KUNIT_ASSERT_EQ(test, w->a.cc.cwnd, 13 * MSS);
	return w;
}

/* Another window, and nothing else is new. */
static void offer_only(struct world *w, struct conn *c, u16 wnd)
{
	struct seg s = from_peer(c);

	s.ack = c->snd_una;
	s.wnd = wnd;
	deliver(w, c, &s);
}

/* RFC 6582 section 3.2, step 3: cwnd is deflated, whatever ends the recovery. */
static void recover_end__by_smaller_mss(struct kunit *test)
{
	struct world *w = inflated(test);

	conn_set_mss(&w->a, 500, w->now);
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 5 * MSS);
	KUNIT_EXPECT_EQ(test, last_event(w, EV_CWND)->cause, BY_RECOVERY_DONE);
}

static void recover_end__by_shut_window(struct kunit *test)
{
	struct world *w = inflated(test);

	offer_only(w, &w->a, 0);
	KUNIT_ASSERT_TRUE(test, w->a.recovering);
	elapse(w, rtt_rto(&w->a.rtt));
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, 5 * MSS);
}

/* A timeout does not: it leaves one segment. */
static void recover_end__by_timeout(struct kunit *test)
{
	struct world *w = inflated(test);

	elapse(w, rtt_rto(&w->a.rtt));
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, w->a.cc.cwnd, MSS);
	KUNIT_EXPECT_EQ(test, count_events(w, EV_CWND, BY_RECOVERY_DONE), 0);
}

/*
 * RFC 1191 section 6.5: what goes again in smaller segments was too large, not too
 * much. What had arrived of it is answered with duplicates: no loss.
 */
static void recover_go_back__echoes_are_no_loss(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);
	u32 cwnd = w->a.cc.cwnd;

	conn_set_mss(&w->a, 500, w->now);
	lose_all(w, &w->a);
	/* the ACK of the first four was on its way */
	ack_upto(w, &w->a, A0 + 4 * MSS);
	lose_all(w, &w->a);
	dup_acks(w, &w->a, 3);
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	KUNIT_EXPECT_GE(test, w->a.cc.cwnd, cwnd);
}

/* The same where the window shut over what was in flight, and opens again. */
static void recover_go_back__echoes_after_shut_window(struct kunit *test)
{
	struct world *w = sending(test, 10 * MSS);

	offer_only(w, &w->a, 0);
	elapse(w, rtt_rto(&w->a.rtt));
	lose_all(w, &w->a);
	offer_only(w, &w->a, U16_MAX);
	lose_all(w, &w->a);
	ack_upto(w, &w->a, A0 + 4 * MSS);
	lose_all(w, &w->a);
	dup_acks(w, &w->a, 3);
	KUNIT_EXPECT_FALSE(test, w->a.recovering);
	KUNIT_EXPECT_EQ(test, w->a.cc.ssthresh, SSTHRESH_INITIAL);
}

static struct kunit_case recover_cases[] = {
	KUNIT_CASE(recover_go_back__echoes_are_no_loss),
	KUNIT_CASE(recover_go_back__echoes_after_shut_window),
	KUNIT_CASE(recover_end__by_smaller_mss),
	KUNIT_CASE(recover_end__by_shut_window),
	KUNIT_CASE(recover_end__by_timeout),
	KUNIT_CASE(measure__handshake),
	KUNIT_CASE(measure__lost_syn),
	KUNIT_CASE(measure__simultaneous_open),
	KUNIT_CASE(measure__echo_of_second_syn),
	KUNIT_CASE(measure__echo_of_first_syn),
	KUNIT_CASE(measure__timed_segment),
	KUNIT_CASE(measure__karn),
	KUNIT_CASE(measure__karn_in_fast_retransmit),
	KUNIT_CASE(measure__timestamp_echo),
	KUNIT_CASE(measure__echo_of_before_timeout),
	KUNIT_CASE(measure__one_echo_a_round_trip),
	KUNIT_CASE(measure__timestamp_nonsense),
	KUNIT_CASE(measure__timestamp_of_zero),
	KUNIT_CASE(restart_timer__by_new_ack),
	KUNIT_CASE(begins_timer__by_fast_retransmit),
	KUNIT_CASE(begins_timer__by_going_back),
	KUNIT_CASE(on_ack_in_recovery__partial_and_full),
	KUNIT_CASE(on_ack_in_recovery__impatient),
	KUNIT_CASE(on_ack_in_recovery__impatient_again),
	KUNIT_CASE(recover_on_ack__keeps_recover_near),
	KUNIT_CASE(recover_on_ack__before_the_retransmission),
	KUNIT_CASE(recover_on_ack__past_what_was_resent),
	KUNIT_CASE(enter_recovery__first_segment),
	KUNIT_CASE(enter_recovery__not_after_timeout),
	KUNIT_CASE(enter_recovery__not_by_the_fourth),
	KUNIT_CASE(enter_recovery__while_gone_back),
	KUNIT_CASE(enter_recovery__after_recover),
	KUNIT_CASE(enter_recovery__after_override),
	KUNIT_CASE(recover_on_dupack__counts_in_a_row),
	KUNIT_CASE(recover_go_back__smaller_mss),
	KUNIT_CASE(recover_on_rto__goes_back),
	KUNIT_CASE(recover_on_rto__before_the_retransmission),
	KUNIT_CASE(recover_on_rto__after_limited_transmit),
	{}
};

static struct kunit_suite chalk_recover = {
	.name = "chalk_recover",
	.test_cases = recover_cases,
};

kunit_test_suite(chalk_recover);
