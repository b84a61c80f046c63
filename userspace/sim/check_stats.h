/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check_stats.h - a second count of what a connection and a host count
 *
 *	RFC 4898	segments and bytes of a connection, what it waits for
 *	RFC 4022	segments and transitions of a host
 *	RFC 8985 6.2	the least round trip
 *	draft-cheng-iccrg-delivery-rate-estimation-02	how fast data arrives
 *
 * Counted are the packets that come and go, and what the second sender does.
 */
#ifndef CHALK_SIM_CHECK_STATS_H
#define CHALK_SIM_CHECK_STATS_H

#include "mib.h"
#include "stats.h"
#include "types.h"
#include "wire.h"

struct event;
struct host;
struct sock;
struct verdict;
struct world;

/* Least round trips are kept for each so long, and so many of them. */
#define LEAST_PERIOD (10 * USEC_PER_S)
#define LEAST_PERIODS 64

/**
 * struct counts - what it has counted
 * @in, @data_in, @out, @data_out, @again, @early, @delivered: segments
 * @bytes_out, @bytes_again, @acked: payload
 * @last_in, @last_acked: when
 * @again_end:  behind the last byte that went out again
 * @least:      least round trips, [period % LEAST_PERIODS]
 * @period:     of the last of them
 * @timing, @idle, @from_acked, @from: the measurement that is on
 * @rate_bytes, @rate_time, @rate_idle: the last that counts
 * @limit, @since, @waited: what it waits for
 * @was_open:   the last window that left was not 0
 * @user_waits: the user waits for room in the send buffer
 */
struct counts {
	u32 in, data_in, out, data_out, again, early, delivered;
	u64 bytes_out, bytes_again, acked;
	u64 last_in, last_acked;
	u32 again_end;
	u32 least[LEAST_PERIODS];
	u64 period;
	bool timing, idle;
	u64 from_acked, from;
	u64 rate_bytes, rate_time;
	bool rate_idle;
	u8 limit;
	u64 since, waited[NR_LIMITS];
	bool was_open;
	bool user_waits;
};

/* The connection begins: @passive, out of a record. */
void count_begin(struct sock *sk, bool passive);

/* A segment arrives at a connection; what has become of it. */
void count_in(struct sock *sk, const struct seg *s);
void count_verdict(struct sock *sk, const struct seg *s,
		   const struct verdict *v);

/* A segment leaves; the second sender does not know of it yet. */
void count_out(struct sock *sk, const struct seg *s);

/* The handshake is over: silence begins. */
void count_established(struct sock *sk);

/* So many bytes are acknowledged, or the SYN, or the FIN. */
void count_acked(struct sock *sk, u32 bytes);

/* A segment at @seq begins to be timed; its round trip is known. */
void count_timing(struct sock *sk, u32 seq);
void count_timed(struct sock *sk);
void count_rtt(struct sock *sk, u32 rtt);

/* conn_poll() had nothing. */
void count_poll(struct sock *sk);

/* The connection has nothing more to send. */
void count_rest(struct sock *sk);

/* A change of state. */
void count_state(struct sock *sk, const struct event *ev);

/* One more, or @n, of something that a host counts. */
void count_host(struct host *h, enum mib_item item, long n);

/* The end of a run. */
void count_judge(struct world *w);

#endif /* CHALK_SIM_CHECK_STATS_H */
