/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stats.h - what a connection has counted: the figures of TCP_INFO
 *
 * Nothing here decides anything. The other files of the core report what
 * happens, a few additions each; the habitat reads.
 *
 * Bytes are payload: SYN and FIN count as segments, not as bytes. The names
 * are those of RFC 4898 where it has one.
 */
#ifndef CHALK_CORE_STATS_H
#define CHALK_CORE_STATS_H

#include "types.h"

struct conn;
struct env;
struct seg;

/* What a sender waits for, while it has data that is not acknowledged. */
enum limit {
	LIMIT_IDLE, /* nothing: there is no such data */
	LIMIT_PATH, /* the network, or congestion control */
	LIMIT_RWND, /* room in the peer's window */
	LIMIT_SNDBUF, /* the user, who waits for room in the send buffer */
	NR_LIMITS
};

/**
 * struct min_rtt - the least round trip of late
 * @now:    of this period (MIN_RTT_PERIOD)
 * @before: of the one before
 * @since:  when this period began
 */
struct min_rtt {
	u32 now;
	u32 before;
	u64 since;
};

/**
 * struct delivery - how fast data arrives at the peer
 * @bytes:       acknowledged in the last measurement that counts
 * @interval:    in these microseconds
 * @app_limited: the user did not fill the path meanwhile
 * @timing:      a measurement is on: what follows is of it
 * @idle:        the user has left cwnd unused since it began
 * @from_bytes:  stats.bytes_acked when it began
 * @from:        time of the last delivery before it
 */
struct delivery {
	u64 bytes;
	u32 interval;
	bool app_limited : 1;
	bool timing : 1;
	bool idle : 1;
	u64 from_bytes;
	u64 from;
};

/**
 * struct stats - the counts of a connection
 * @since:          when it was established, until then: when it began
 * @segs_in:        segments that arrived, used or not (PerfSegsIn)
 * @data_segs_in:   those with payload
 * @segs_out:       segments sent (PerfSegsOut)
 * @data_segs_out:  those with payload
 * @retrans_segs:   those sent again, SYN included (PerfSegsRetrans)
 * @early_segs:     segments with payload that arrived before their turn
 * @delivered_segs: segments acknowledged, the SYN included; full-sized ones,
 *                  since the core keeps bytes
 * @bytes_sent:     payload sent, each time it was (PerfHCDataOctetsOut)
 * @bytes_retrans:  payload sent again (PerfOctetsRetrans)
 * @bytes_acked:    payload acknowledged (AppHCThruOctetsAcked)
 * @bytes_received: payload in order (AppHCThruOctetsReceived)
 * @last_data_in:   when a segment with new payload arrived last; none: @since
 * @last_delivery:  when payload was acknowledged last
 * @rtx_end:        behind the last byte that was sent again
 * @rtt:            least round trip
 * @delivery:       rate of delivery
 * @limit:          what the sender waits for
 * @limit_since:    since then
 * @limited:        microseconds spent so, without the current wait
 * @user_waits:     the user waits for room; see stats_user_waits()
 */
struct stats {
	u64 since;
	u32 segs_in, data_segs_in;
	u32 segs_out, data_segs_out;
	u32 retrans_segs;
	u32 early_segs;
	u32 delivered_segs;
	u64 bytes_sent;
	u64 bytes_retrans;
	u64 bytes_acked;
	u64 bytes_received;
	u64 last_data_in;
	u64 last_delivery;
	u32 rtx_end;
	struct min_rtt rtt;
	struct delivery delivery;
	u8 limit;
	bool user_waits;
	u64 limit_since;
	u64 limited[NR_LIMITS];
};

/* --- what happens --- */

/* The connection begins. */
void stats_init(struct conn *c, u64 now);

/* The handshake is over: silence counts from here, as in the kernel's TCP. */
void stats_established(struct conn *c, u64 now);

/* The handshake was done by a record: a SYN came, the SYN+ACK went out. */
void stats_passive(struct conn *c, u32 resent);

/* A segment arrived. */
void stats_received(struct conn *c, const struct seg *s);

/* It brought payload that is new. */
void stats_kept(struct conn *c, u64 now);

/* conn_poll() gave a segment. */
void stats_sent(struct conn *c, const struct seg *s);

/* A record of SYN_RCVD sends its SYN+ACK. */
void stats_synack_sent(const struct env *env, bool again);

/* SND.UNA has advanced over @bytes of data (none: the SYN, or the FIN). */
void stats_acked(struct conn *c, u32 bytes, u64 now);

/* A round trip was measured. */
void stats_rtt(struct conn *c, u32 sample, u64 now);

/* A segment of new data is about to be timed, and has been. */
void stats_timing_begins(struct conn *c, u64 now);
void stats_timing_ends(struct conn *c, u64 now);

/* The sender now waits for this. */
void stats_set_limit(struct conn *c, enum limit limit, u64 now);

/* The user waits for room in the send buffer, as only the habitat knows. */
static inline void stats_user_waits(struct stats *st, bool waits)
{
	st->user_waits = waits;
}

/* --- what there is to read --- */

/**
 * stats_min_rtt() - least round trip of the last minutes
 * @st: the counts
 *
 * Return: microseconds, or U32_MAX: none was measured yet.
 */
u32 stats_min_rtt(const struct stats *st);

/**
 * stats_delivery_rate() - bytes a second that arrived at the peer
 * @st: the counts
 *
 * Return: 0 where it was not measured yet.
 */
u64 stats_delivery_rate(const struct stats *st);

/**
 * stats_limited() - how long the sender has waited for something
 * @st:    the counts
 * @limit: for what
 * @now:   microseconds
 */
u64 stats_limited(const struct stats *st, enum limit limit, u64 now);

/**
 * stats_resent() - bytes in flight that were sent again
 * @c: the connection
 */
u32 stats_resent(const struct conn *c);

/**
 * stats_lost() - bytes in flight that are taken to be lost
 * @c: the connection
 *
 * After a timeout all that was in flight; in fast recovery the first segment.
 * What was sent again counts until it is acknowledged.
 */
u32 stats_lost(const struct conn *c);

#endif /* CHALK_CORE_STATS_H */
