/* SPDX-License-Identifier: GPL-2.0 */
/*
 * timewait.h - the small record that a connection leaves behind
 *
 * RFC 9293 section 3.6.1: in TIME_WAIT, for two MSL, it answers a retransmitted
 * FIN, and keeps old segments away from a new connection of the same name.
 *
 * A record may begin before that, in FIN_WAIT_2: where no process holds the
 * connection nothing is left to send, and nobody reads. It waits for the peer's
 * FIN as long as an orphan may (FIN_TIMEOUT), and is TIME_WAIT then.
 */
#ifndef CHALK_CORE_TIMEWAIT_H
#define CHALK_CORE_TIMEWAIT_H

#include "conn.h"

/**
 * struct timewait - what is left
 * @state:     ST_FIN_WAIT_2 or ST_TIME_WAIT
 * @id:        number of the connection in the trace
 * @snd_nxt:   as in struct conn
 * @rcv_nxt:   the same
 * @rcv_wnd:   window last offered
 * @max_wnd:   largest window the peer has offered
 * @ts_recent: the peer's last timestamp
 * @ts_off:    offset of our timestamp clock
 * @deadline:  when the record goes
 * @sport:     our port
 * @dport:     the peer's
 * @gone_by:  enum cause: what ended it before its time, 0: nothing did
 * @ack_cause: enum cause of an ACK that is to go out, 0: none is
 * @rst_pending: a RST is to go out, the last segment
 */
struct timewait {
	u32 id;
	u32 snd_nxt, rcv_nxt, rcv_wnd, max_wnd;
	u32 ts_recent, ts_off;
	u64 ts_recent_at;
	u64 deadline;
	struct challenge challenge;
	u16 sport, dport;
	u8 state;
	u8 rcv_wscale;
	u8 gone_by;
	u8 ack_cause;
	bool ts_ok : 1;
	bool rst_pending : 1;
};

/* What becomes of a segment for a record. */
enum timewait_result {
	TIMEWAIT_DROP, /* nothing, or poll for an ACK; the deadline may move */
	TIMEWAIT_GONE, /* poll for a RST, free the record */
	TIMEWAIT_OPEN, /* a new SYN: the record goes if a listener takes it */
};

/* A record is enough for the connection, once conn_poll() has nothing left. */
static inline bool timewait_suffices(const struct conn *c)
{
	return c->state == ST_TIME_WAIT ||
	       (c->state == ST_FIN_WAIT_2 && c->orphan);
}

/**
 * timewait_init() - take over a connection
 * @t:   filled in
 * @c:   the connection, for which timewait_suffices()
 * @now: microseconds
 */
void timewait_init(struct timewait *t, const struct conn *c, u64 now);

/**
 * timewait_rx() - a segment arrives (RFC 9293 section 3.10.7.4, RFC 6191)
 * @t:    the record
 * @env:  the world
 * @s:    the segment
 * @now:  microseconds
 * @drop: why it is dropped, where it is
 */
enum timewait_result timewait_rx(struct timewait *t, struct env *env,
				 const struct seg *s, u64 now,
				 enum cause *drop);

/**
 * timewait_stay() - no listener is there for a SYN of TIMEWAIT_OPEN
 * @t:   the record
 * @env: the world
 * @s:   the SYN
 * @now: microseconds
 *
 * Return: why it is dropped; poll for an ACK.
 */
enum cause timewait_stay(struct timewait *t, struct env *env,
			 const struct seg *s, u64 now);

/**
 * timewait_poll() - the ACK or RST that is to go out, if any
 * @t:   the record
 * @env: the world
 * @now: microseconds
 * @s:   filled in
 */
bool timewait_poll(struct timewait *t, struct env *env, u64 now, struct seg *s);

/**
 * timewait_next_iss() - our initial sequence number where a SYN opens anew
 * @t:   the record, of which timewait_rx() said TIMEWAIT_OPEN
 * @iss: what isn() gives
 *
 * Return: that number, or a larger one beyond all that the old connection sent
 * (RFC 9293 section 3.10.7.4, TIME-WAIT).
 */
u32 timewait_next_iss(const struct timewait *t, u32 iss);

/**
 * struct timewait_claim - a connection of our own wants the name of a record
 * @iss:      what isn() gives it
 * @named:    the user chose the port; else any port will do
 * @loopback: both ends are on this host
 */
struct timewait_claim {
	u32 iss;
	bool named;
	bool loopback;
};

/**
 * timewait_yields() - whether the record may make way for such a connection
 * @t:   the record
 * @env: the world
 * @cl:  the connection
 * @now: microseconds
 *
 * RFC 7323 appendix B.2, (b). Where the port is @named the connection begins with
 * timewait_next_iss(); else the record is forgotten.
 */
bool timewait_yields(const struct timewait *t, const struct env *env,
		     const struct timewait_claim *cl, u64 now);

/**
 * timewait_stop() - the record is about to go before its time
 * @t:     the record
 * @cause: what ends it
 */
void timewait_stop(struct timewait *t, enum cause cause);

/**
 * timewait_abort() - ABORT (RFC 9293 section 3.10.5)
 * @t: the record; poll for a RST, then it goes
 */
void timewait_abort(struct timewait *t);

/**
 * timewait_end() - the record goes, for whatever reason: trace the last state
 * @t:   the record
 * @env: the world
 * @now: microseconds
 */
void timewait_end(const struct timewait *t, struct env *env, u64 now);

#endif /* CHALK_CORE_TIMEWAIT_H */
