/* SPDX-License-Identifier: GPL-2.0 */
/*
 * req.h - passive open: LISTEN, and the small record of a SYN_RCVD
 *
 * A listener keeps no connections, only a record for each SYN it has answered.
 * The record becomes a struct conn when the third segment of the handshake
 * arrives. RFC 9293 sections 3.10.7.2 and 3.10.7.4.
 */
#ifndef CHALK_CORE_REQ_H
#define CHALK_CORE_REQ_H

#include "conn.h"

/**
 * struct req - a connection in SYN_RCVD
 * @id:        number of the connection in the trace
 * @iss:       our initial sequence number
 * @irs:       the peer's
 * @snd_wnd:   window of the peer's SYN (never scaled)
 * @rcv_wnd:   window we offer
 * @rcv_buf:   payload bytes the receive buffer will hold
 * @mtu_mss:   what our side of the path allows
 * @peer_mss:  what the peer asked for
 * @user_mss:  upper bound for both, 0: none
 * @adv_mss:   upper bound to ours, 0: none (struct conn_route)
 * @sport:     our port
 * @dport:     the peer's
 * @ts_off:    offset of our timestamp clock
 * @ts_recent: the peer's last timestamp
 * @sent_at:   when the SYN+ACK first went out
 * @deadline:  the next timeout
 * @resent:    how often the SYN+ACK went out again
 * @retries:   how many timeouts there were
 * @most_retries: how many there may be, 0: as the namespace says
 * @defer:     so many timeouts it waits for data (TCP_DEFER_ACCEPT)
 * @rtt:       from the SYN+ACK to its first ACK, microseconds, where @acked
 * @acked:     the SYN+ACK is acknowledged, with data or without
 * @lost:      it went out again before that
 * @pending:   it is to go out now
 * @answered:  it has gone out
 */
struct req {
	u32 id;
	u32 iss, irs;
	u32 snd_wnd;
	u32 rcv_wnd, rcv_buf;
	u16 mtu_mss, peer_mss, user_mss, adv_mss;
	u16 sport, dport;
	u16 resent;
	u32 ts_off, ts_recent;
	u64 sent_at;
	u32 rtt;
	u64 deadline;
	struct challenge challenge;
	u8 retries, most_retries;
	u8 defer;
	u8 snd_wscale, rcv_wscale;
	bool wscale_ok : 1;
	bool ts_ok : 1;
	bool acked : 1;
	bool lost : 1;
	bool pending : 1;
	bool answered : 1;
	bool ack_pending : 1;
};

/* What a listener does about a segment. */
enum listen_result {
	LISTEN_DROP, /* nothing */
	LISTEN_RESET, /* answer with reply_reset() */
	LISTEN_SYN, /* make a record: req_init() */
};

/**
 * listen_rx() - a segment arrives for a listener (RFC 9293 section 3.10.7.2)
 * @s:    the segment
 * @drop: why it is dropped, where it is
 */
enum listen_result listen_rx(const struct seg *s, enum cause *drop);

/**
 * req_init() - a SYN makes a record
 * @r:   zeroed memory
 * @env: the world
 * @cfg: what the habitat decides
 * @syn: the SYN
 * @now: microseconds
 *
 * req_poll() gives the SYN+ACK.
 */
void req_init(struct req *r, struct env *env, const struct conn_config *cfg,
	      const struct seg *syn, u64 now);

/* What becomes of a segment for a record. */
enum req_result {
	REQ_DROP, /* nothing, or poll for the answer */
	REQ_ESTABLISH, /* conn_accept(), then conn_rx() with the same segment */
	REQ_RESET, /* answer with reply_reset(); the record stays */
	REQ_GONE, /* free the record */
};

/**
 * req_rx() - a segment arrives for a SYN_RCVD (RFC 9293 section 3.10.7.4)
 * @r:    the record
 * @env:  the world
 * @s:    the segment
 * @now:  microseconds
 * @drop: why it is dropped, where it is
 *
 * Poll afterwards.
 */
enum req_result req_rx(struct req *r, struct env *env, const struct seg *s,
		       u64 now, enum cause *drop);

/**
 * req_tick() - time has passed
 * @r:   the record
 * @env: the world
 * @now: microseconds
 *
 * Poll afterwards; the deadline is in @r.
 *
 * Return: false if the record has waited long enough: free it.
 */
bool req_tick(struct req *r, struct env *env, u64 now);

/**
 * req_timeouts_in() - how many timeouts a record has in some time
 * @tun:  the tunables
 * @time: microseconds; 0: none
 *
 * Return: a number, at most 255, with which req_time_of() is not below @time.
 */
u8 req_timeouts_in(const struct tunables *tun, u64 time);

/**
 * req_time_of() - when the last of some timeouts is
 * @tun: the tunables
 * @n:   how many
 *
 * Return: microseconds after the first SYN+ACK.
 */
u64 req_time_of(const struct tunables *tun, u8 n);

/**
 * req_abort() - ABORT (RFC 9293 section 3.10.5)
 * @r:   the record; free it
 * @env: the world
 * @now: microseconds
 * @rst: filled in: the RST that tells the peer
 */
void req_abort(struct req *r, struct env *env, u64 now, struct seg *rst);

/**
 * req_poll() - the SYN+ACK (or a challenge ACK) that is to go out now, if any
 * @r:   the record
 * @env: the world
 * @now: microseconds
 * @s:   filled in
 */
bool req_poll(struct req *r, struct env *env, u64 now, struct seg *s);

#endif /* CHALK_CORE_REQ_H */
