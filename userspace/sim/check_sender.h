/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check_sender.h - a second sender, which does what the RFCs say
 *
 * It lives beside each connection and sees what that one sees: the segments that
 * arrive, those that leave, the user's calls and the time. It shares no line and
 * no variable with the core. Whatever the core sends must be what this one would
 * send, neither more nor less; its windows, its RTO and its timer are the same.
 *
 *	RFC 5681, 6582	cwnd, ssthresh, fast retransmit and recovery
 *	RFC 2001	Tahoe
 *	RFC 3042, 3465	limited transmit, counting of bytes
 *	RFC 6298, 7323	the round trip, the RTO, backing off
 *	RFC 9293 3.8.6	the peer's window, probes, Nagle, silly windows
 */
#ifndef CHALK_SIM_CHECK_SENDER_H
#define CHALK_SIM_CHECK_SENDER_H

#include "types.h"
#include "wire.h"

struct sock;

/* Why the sender has gone back to what is not acknowledged. */
enum back {
	BACK_OTHER, /* a probe of a shut window, another MSS */
	BACK_TIMEOUT,
	BACK_DUPACKS,
	BACK_AFTER_DUPACKS, /* an ACK of something new has come since */
};

/**
 * struct hystart_model - HyStart++ (RFC 9406 section 4.2)
 * @on:       the connection has it
 * @kept:     what left at which moment, as far as it is not acknowledged; @n of them.
 *            0: it went out twice, or there are too many moments
 * @curr:     currRTT, microseconds, as all times
 * @round_min, @last_min, @baseline: currentRoundMinRTT, lastRoundMinRTT,
 *            cssBaselineMinRtt
 * @samples:  rttSampleCount
 * @open:     a round has begun, it ends at @window_end
 * @css:      Conservative Slow Start, of which @rounds are over
 * @turns:    how often that began or was given up; the last time the round trip went
 *            @turn_from, @turn_to
 */
#define HYSTART_MOMENTS 1024

struct hystart_model {
	bool on, open, css;
	struct {
		u32 start, end;
		u64 at;
	} kept[HYSTART_MOMENTS];
	u32 n;
	u64 curr, round_min, last_min, baseline;
	u32 samples, window_end, rounds;
	u32 turns;
	u64 turn_from, turn_to;
};

/* The turns that events tell of: how many, and the round trips of the last. */
struct hystart_told {
	u32 turns, from, to;
};

/**
 * struct sender - what it knows
 * @on:       the handshake is done
 * @mtu_mss:  what the path allows, without options
 * @smss:     payload of a full segment
 * @una:      first byte not acknowledged
 * @nxt:      behind the highest that was sent
 * @next:     the next to go out: below @nxt while what was lost is sent again
 * @wnd:      the peer's window, taken from a segment with @wl1 and @wl2
 * @max_wnd:  the largest ever
 * @edge:     where the one that ended furthest ends
 * @small_end: behind the last small segment
 * @cwnd, @ssthresh: in bytes
 * @counted:  bytes acknowledged since congestion avoidance made cwnd grow
 * @used:     the largest flight of this round trip, which ends at @round_end
 * @used_before: that of the one before
 * @valid_at: when at least half of @cwnd was last in use
 * @loss_used: RFC 7661 section 4.4.1: max(pipeACK, LossFlightSize) of a recovery; 0: cwnd
 *            was validated
 * @resent:   R, the bytes that this recovery has sent again
 * @hystart:  of the first slow start; @hystart_told: what the core says of it
 * @dupacks:  in a row
 * @limited:  bytes that limited transmit sent
 * @recover:  behind what was sent when the last loss was seen
 * @recovering, @partial_seen: RFC 6582
 * @owed:     the segment at @una is to be sent again at once
 * @probe_due: the shut window is to be probed at once
 * @persisting: nothing is in flight, and the timer runs for what waits
 * @tahoe:    no fast recovery
 * @newreno:  one that lasts until all is acknowledged that was in flight; without it,
 *            and without @tahoe, Reno's
 * @nodelay, @cork: the user's options
 * @push:     what is written goes, whatever holds it back
 * @back:     why @next went back, or what was lost goes again
 * @more:     the user said that more follows
 * @sent_any, @last_sent: when data left last, but for probes of a shut window
 * @srtt, @rttvar, @rto, @backoffs: RFC 6298
 * @timing, @timed_end, @timed_at: the one segment that is timed
 * @refusable: it has given no sample, nor been refused to
 * @back_at:  the last timeout
 * @ts_off:   our timestamp clock at time 0
 * @due:      when the timer fires, NEVER: it does not run
 * @stuck_at: when the timer began to run without progress
 * @retries:  timeouts in a row
 * @probes:   probes of a shut window in a row, answered or not
 * @probe_backoffs: how often the time between them was doubled
 * @lost_syn: a SYN or SYN+ACK went out again after a timeout
 * @given_up: enum cause: it is to end for this; BY_NONE: it goes on
 * @burst_at, @burst: bytes that left at this moment, the first after a silence
 * @head_at, @head_rto: when the segment at @una went out again, and the RTO then; 0: it
 *            has not
 * @full:     where the flight ended that filled cwnd last, its bytes, cwnd then, and
 *            by how much it is to have grown since
 * @seen:     what the connection told at its last rest: @recovering, ssthresh, cwnd,
 *            and the largest flight at a rest since cwnd fell
 */
struct sender {
	bool on;
	u32 mtu_mss, smss;
	u32 una, nxt, next;
	u32 wnd, wl1, wl2, max_wnd, edge;
	u32 small_end;
	u32 cwnd, ssthresh, counted;
	u32 used, used_before, round_end;
	u64 valid_at;
	u32 loss_used, resent;
	struct hystart_model hystart;
	struct hystart_told hystart_told;
	u32 dupacks, limited, recover;
	bool recovering, partial_seen, owed, probe_due, persisting, more;
	bool tahoe, newreno, nodelay, cork, push;
	u8 back;
	bool sent_any;
	u64 last_sent;
	u32 srtt, rttvar, rto, backoffs;
	bool timing, refusable;
	u32 timed_end;
	u64 timed_at, back_at;
	u32 ts_off;
	u64 due, stuck_at;
	u32 retries, probes, probe_backoffs;
	bool lost_syn;
	u8 given_up;
	u64 burst_at;
	u32 burst;
	u64 head_at, head_rto;
	struct {
		u32 end, flight, cwnd, owed;
	} full;
	struct {
		bool recovering;
		u32 ssthresh, cwnd, flight;
	} seen;
};

/* Before anything has happened. */
void sender_init(struct sock *sk);

/* A SYN or SYN+ACK leaves. */
void sender_syn(struct sock *sk, const struct seg *s);

/* The peer's SYN, or SYN+ACK, is taken. */
void sender_took_syn(struct sock *sk, const struct seg *s);

/* The segment that ends the handshake of the passive side is taken. */
void sender_established(struct sock *sk, const struct seg *s);

/* An acceptable segment with an ACK. */
void sender_ack(struct sock *sk, const struct seg *s);

/* Data, or a FIN, leaves. */
void sender_data(struct sock *sk, const struct seg *s);

/* The user is about to write. */
void sender_write(struct sock *sk, bool more);

/* The path takes smaller, or larger, segments. */
void sender_mss(struct sock *sk, u32 mtu_mss);

/* The clock stands at what may be the timer's time. */
void sender_tick(struct sock *sk);

/* The connection has nothing more to send: is it the same with us? */
void sender_rest(struct sock *sk);

/* The RTO, with backing off. */
u64 sender_rto(const struct sock *sk);

#endif /* CHALK_SIM_CHECK_SENDER_H */
