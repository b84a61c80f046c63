/* SPDX-License-Identifier: GPL-2.0 */
/*
 * conn.h - one connection, from SYN to CLOSED
 *
 * Pull model: the habitat tells the core what happened (a segment, a time, a
 * call of the user), then asks conn_poll() for segments until there are none.
 * conn_poll() is the only place that decides to send.
 *
 *	conn_open()  conn_accept()		begin
 *	conn_rx()				a segment arrived
 *	conn_write() conn_read() conn_close() conn_abort()	the user
 *	conn_tick()  conn_deadline()		time
 *	conn_poll()				what to send now
 *
 * Payload stays with the habitat, which keeps two stores in step:
 * - sent or unsent bytes [snd_una, write_seq): append at conn_write(), free
 *   below snd_una after conn_rx(), copy out what conn_poll() names;
 * - received bytes: keep what conn_rx()'s verdict says; those below rcv_nxt are
 *   the reader's.
 *
 * Nothing here locks, allocates or sleeps: the caller serializes all calls on
 * one connection. @now is in microseconds and never goes back.
 *
 * The functions are in: conn.c (begin, end, the user's calls), arrive.c
 * (segments), poll.c (sending), timer.c (time), window.c (both windows),
 * recover.c (loss), urgent.c (urgent data), autotune.c (buffers),
 * options.c (what the user may choose).
 */
#ifndef CHALK_CORE_CONN_H
#define CHALK_CORE_CONN_H

#include "autotune.h"
#include "cc.h"
#include "challenge.h"
#include "env.h"
#include "reasm.h"
#include "rtt.h"
#include "sent.h"
#include "seq.h"
#include "state.h"
#include "stats.h"
#include "types.h"
#include "wire.h"

struct req;

/* What may come due, each with its own deadline; conn_deadline() is the least. */
enum conn_timer {
	TIMER_RTX, /* retransmission, or persist where the window is shut */
	TIMER_DELACK,
	TIMER_KEEP,
	TIMER_FIN, /* an orphan in FIN_WAIT_2 */
	NR_TIMERS
};

/**
 * struct conn_route - what the route to the peer asks for, ip-route(8)
 * @rto_min:   lower bound of the RTO, microseconds; 0: the namespace's
 * @window:    the largest window to offer where the user names none; 0: no bound
 * @init_cwnd: initial congestion window, segments; 0: the namespace's
 * @adv_mss:   the largest MSS to name to the peer; 0: what fits the path
 * @quickack:  no ACK is delayed
 */
struct conn_route {
	u32 rto_min;
	u32 window;
	u16 init_cwnd;
	u16 adv_mss;
	bool quickack;
};

/**
 * struct conn_config - what the habitat decides for a new connection
 * @id:      number of the connection in the trace, not 0
 * @iss:     initial sequence number (isn.h)
 * @ts_off:  added to the clock for the timestamps option
 * @rcv_buf: payload bytes the receive buffer may hold
 * @rcv_buf_max: the largest @rcv_buf may ever become; sets the window scale
 * @sport:   our port
 * @dport:   the peer's
 * @mtu_mss: payload that fits the path: MTU less IP header and HDR_MIN
 * @default_mss: the peer's MSS if it names none, 0: that of IPv4
 * @user_mss: upper bound to the MSS in both directions (TCP_MAXSEG), 0: none
 * @route:   what the route asks for
 *
 * A record of SYN_RCVD also takes these from its listener's struct conn_options:
 * @window_clamp:   largest window to offer
 * @synack_retries: how often the SYN+ACK goes out again
 * @defer_accept:   timeouts to wait for data
 */
struct conn_config {
	u32 id;
	u32 iss;
	u32 ts_off;
	u32 rcv_buf;
	u32 rcv_buf_max;
	u16 sport, dport;
	u16 mtu_mss;
	u16 default_mss;
	u16 user_mss;
	struct conn_route route;
	u32 window_clamp;
	u8 synack_retries;
	u8 defer_accept;
};

/**
 * struct conn_options - what the user may choose, before or after connecting
 * @cc:            TCP_CONGESTION; NULL: the namespace's
 * @keep_idle:     silence before the first keep-alive, microseconds
 * @keep_interval: time between keep-alives, microseconds
 * @user_timeout:  TCP_USER_TIMEOUT: how long the peer may leave us without
 *                 progress, microseconds; 0: R2 decides (RFC 9293 section 3.8.3)
 * @fin_timeout:   TCP_LINGER2: how long an orphan stays in FIN_WAIT_2,
 *                 microseconds; 0: as the namespace says; negative: it does not
 * @window_clamp:  TCP_WINDOW_CLAMP: the largest window to offer; 0: no bound
 * @keep_probes:   unanswered keep-alives before giving up
 * @syn_retries:   TCP_SYNCNT: retransmissions of a SYN, of a listener those of
 *                 its SYN+ACKs; 0: as the namespace says
 * @defer_accept:  TCP_DEFER_ACCEPT: so many timeouts a record waits for data
 *                 before a bare ACK makes it a connection
 * @keepalive:     SO_KEEPALIVE; change it with conn_set_keepalive()
 * @nodelay:       TCP_NODELAY: no Nagle; change it with conn_set_nodelay()
 * @cork:          TCP_CORK: hold back a partial segment
 * @pingpong:      TCP_QUICKACK is off: ACKs wait for data to ride on. The
 *                 connection switches it too, as data goes out and comes in
 */
struct conn_options {
	const struct cc_ops *cc;
	u64 keep_idle;
	u64 keep_interval;
	u64 user_timeout;
	s64 fin_timeout;
	u32 window_clamp;
	u8 keep_probes;
	u8 syn_retries;
	u8 defer_accept;
	bool keepalive : 1;
	bool nodelay : 1;
	bool cork : 1;
	bool pingpong : 1;
};

/**
 * struct conn - a connection
 *
 * @opt: filled in by conn_options_init(), or copied from the listener
 *
 * Send side, RFC 9293 section 3.3.1:
 * @iss, @snd_una, @snd_nxt, @snd_wnd, @snd_wl1, @snd_wl2: as there
 * @write_seq: behind the last byte the user has written
 * @snd_sml:   behind the last small segment sent, for Nagle
 * @snd_up:    as there; not ahead of @snd_una: nothing is urgent
 * @max_wnd:   largest window the peer ever offered (3.8.6.2.1)
 * @snd_edge:  furthest right edge of a window that the peer ever offered
 * @smss:      payload bytes in a full segment
 * @mtu_mss:   what the path allows, without options
 * @peer_mss:  what the peer asked for
 * @adv_mss, @init_cwnd: of struct conn_route
 *
 * Receive side:
 * @irs, @rcv_nxt, @rcv_wnd: as there
 * @rcv_up:    as there, where @urgent; behind the urgent byte
 * @urgent:    enum urgent_state
 * @last_ack_sent: rcv_nxt when @rcv_wnd was last sent (RFC 7323 section 4.3);
 *             their sum is the right edge of the window
 * @rcv_read:  behind the last byte the user has read
 * @rcv_buf:   payload bytes the buffer may hold
 * @rcv_fin:   sequence number of the peer's FIN where @fin_seen
 * @rmss:      largest segment of late, what "full-sized" means for ACKs
 * @last_len:  the last one that seemed to be whole
 * @memory:    enum memory
 *
 * Loss recovery:
 * @recover:   RFC 6582 section 3.2; @recovering: fast recovery is on
 * @dupacks:   duplicate ACKs in a row
 * @limited:   bytes sent by limited transmit (RFC 3042), not part of the flight
 *             that a loss halves
 * @sent:      what of [@snd_una, @snd_nxt) is in the network
 * @rtx_one:   resend the first segment now; @rtx_cause: why, and why all that was
 *             in flight is
 * @partial_seen: this recovery has had a partial ACK
 * @retries:   timeouts in a row
 * @probes:    probes of a shut window in a row, answered or not
 * @probe_backoffs: how often the persist timer has been doubled; the path's own
 *             backing off is in @rtt
 *
 * @err: positive errno the user is to see, 0: none
 */
struct conn {
	struct env *env;
	struct conn_options opt;
	u32 id;
	u8 state;
	u8 err;
	u16 sport, dport;

	/* send */
	u32 iss;
	u32 snd_una;
	u32 snd_nxt;
	u32 write_seq;
	u32 snd_sml;
	u32 snd_up;
	u32 snd_wnd;
	u32 max_wnd;
	u32 snd_edge;
	u32 snd_wl1;
	u32 snd_wl2;
	u16 smss;
	u16 mtu_mss;
	u16 peer_mss;
	u16 user_mss;
	u16 adv_mss;
	u16 init_cwnd;

	/* receive */
	u32 irs;
	u32 rcv_nxt;
	u32 rcv_wnd;
	u32 last_ack_sent;
	u32 rcv_read;
	u32 rcv_buf;
	u32 rcv_up;
	u32 rcv_fin;
	u16 rmss;
	u16 last_len;
	u8 urgent;
	u8 memory;
	struct reasm reasm;
	struct autotune tune;

	/* options */
	u8 snd_wscale;
	u8 rcv_wscale;
	u32 ts_off;
	u32 ts_recent;
	u64 ts_recent_at;

	/* acknowledging */
	u8 ack_now; /* enum cause of an ACK that is due, or 0 */
	u8 quickacks;
	struct challenge challenge;

	/* loss recovery */
	struct sent sent;
	struct cc cc;
	struct rtt rtt;
	u32 recover;
	u32 dupacks;
	u32 limited;
	u32 rtt_seq; /* the timed segment ends here */
	u64 rtt_from; /* when it went out */
	u64 back_at; /* last timeout: the SYN again, or all that was in flight */
	u64 last_sent; /* last data, but for probes of a shut window */
	u64 last_rcvd; /* last segment that was acceptable */
	u64 stuck_since; /* no progress since, while TIMER_RTX runs */
	u8 rtx_cause;
	u8 retries;
	u8 probes;
	u8 probe_backoffs;
	u8 keep_sent; /* keep-alives without an answer */

	u64 timer[NR_TIMERS]; /* deadlines, or NEVER */

	struct stats stats;

	/* flags */
	bool wscale_offered : 1; /* our SYN offers window scaling */
	bool ts_offered : 1; /* and timestamps, whatever the tunables now say */
	bool wscale_ok : 1; /* both sides offered window scaling */
	bool ts_ok : 1; /* both sides offered timestamps */
	bool ts_recent_ok : 1; /* ts_recent holds a value */
	bool syn_pending : 1; /* a SYN or SYN+ACK is to go out */
	bool syn_lost : 1; /* it had to go out again */
	bool syn_acked : 1; /* it is acknowledged: snd_una is a byte of data */
	bool rst_pending : 1; /* a RST is to go out, the last segment */
	bool fin_queued : 1; /* the user closed: FIN stands at write_seq */
	bool fin_seen : 1; /* the peer's FIN arrived, maybe early */
	bool fin_rcvd : 1; /* and all before it */
	bool rtt_timing : 1; /* rtt_seq, rtt_from hold a measurement */
	bool recovering : 1;
	bool rtx_one : 1;
	bool partial_seen : 1;
	bool probe_due : 1; /* the persist timer fired */
	bool persisting : 1; /* TIMER_RTX is the persist timer */
	bool keep_due : 1; /* a keep-alive is to go out */
	bool more : 1; /* the last write said that more follows */
	bool push : 1; /* what is written so far goes, whatever holds it back */
	bool orphan : 1; /* no process holds the connection */
	bool no_reader : 1; /* the user will not read any more */
	bool route_quickack : 1; /* the route lets no ACK be delayed */
};

/* What the habitat should wake after an event. */
enum {
	WAKE_READ = 0x01, /* bytes, or end of stream, to read */
	WAKE_WRITE = 0x02, /* bytes were acknowledged */
	WAKE_STATE = 0x04, /* connected, closed or reset: everybody */
	WAKE_URGENT = 0x08, /* urgent data announced: SIGURG */
};

/**
 * struct verdict - what the habitat has to do about a segment
 * @drop: DROP_NONE, or why the segment (or its payload) was not used; count it
 * @wake: WAKE_* bits
 * @reset: answer the segment with reply_reset()
 * @progress: it acknowledges what nothing did before: what we send arrives, so
 *        the way to the next hop is good (RFC 4861 section 7.3.1)
 * @keep: payload bytes to store; 0: free the packet
 * @skip: payload bytes to leave out before them
 * @seq:  sequence number of the first byte kept
 * @urgent: the urgent byte has come: keep a copy of it
 * @urgent_at: its place in the segment's payload
 *
 * After storing, all stored bytes below conn's rcv_nxt are in order; all
 * written bytes below snd_una can be freed.
 */
struct verdict {
	enum cause drop;
	u8 wake;
	bool reset;
	bool progress;
	bool urgent;
	u32 urgent_at;
	u32 keep;
	u32 skip;
	u32 seq;
};

/**
 * conn_options_init() - the options of a new socket
 * @opt: filled in
 * @tun: the tunables of its namespace
 */
void conn_options_init(struct conn_options *opt, const struct tunables *tun);

/**
 * conn_options_disconnect() - what an aborted connection leaves of its options
 * @opt: changed; as in the kernel's TCP those that are of one peer are lost
 */
void conn_options_disconnect(struct conn_options *opt);

/**
 * conn_open() - active open (RFC 9293 section 3.10.1)
 * @c:   zeroed memory, but for @c->opt
 * @env: the world; must outlive the connection
 * @cfg: what the habitat decides
 * @now: microseconds
 */
void conn_open(struct conn *c, struct env *env, const struct conn_config *cfg,
	       u64 now);

/**
 * conn_set_route() - what the route of a connection asks for
 * @c:     the connection; conn_open() does it, behind conn_accept() the habitat
 * @route: it
 */
void conn_set_route(struct conn *c, const struct conn_route *route);

/**
 * conn_accept() - a connection out of a SYN_RCVD record
 * @c:   zeroed memory, but for @c->opt
 * @env: the world
 * @req: the record; req_rx() has said REQ_ESTABLISH to a segment
 * @now: microseconds
 *
 * The connection is in SYN_RCVD; hand it the same segment with conn_rx().
 */
void conn_accept(struct conn *c, struct env *env, const struct req *req,
		 u64 now);

/**
 * conn_rx() - a segment arrives (RFC 9293 section 3.10.7.3 and .4)
 * @c:   the connection, in any state but LISTEN and CLOSED
 * @s:   the segment, checksum verified
 * @now: microseconds
 * @v:   filled in
 */
void conn_rx(struct conn *c, const struct seg *s, u64 now, struct verdict *v);

/**
 * conn_is_early() - whether a segment will need room in the reassembly array
 * @c: the connection
 * @s: the segment
 *
 * The habitat then looks at reasm_room_wanted() before conn_rx().
 */
bool conn_is_early(const struct conn *c, const struct seg *s);

/**
 * conn_score_room_wanted() - how many runs the scoreboard should have room for
 * @c: the connection; conn_poll() comes next
 *
 * Without it the scoreboard forgets when something went out, not what became of it.
 * Only HyStart++ asks for times.
 *
 * Return: a new capacity to give with sent_give_room(), or 0.
 */
static inline u16 conn_score_room_wanted(const struct conn *c)
{
	/* a segment may be of what is lost and of what is new */
	return hystart_is_on(c) ? sent_room_wanted(&c->sent, 3) : 0;
}

/**
 * conn_is_due() - whether a segment brings the byte that the reader waits for
 * @c: the connection
 * @s: the segment
 *
 * The habitat keeps it if it can at all, for what has come early.
 */
bool conn_is_due(const struct conn *c, const struct seg *s);

/**
 * conn_poll() - the next segment that may go out now
 * @c:       the connection
 * @max_len: most payload bytes the caller can take in one go; at least one
 *           MSS is given, and always whole MSS but at the end of the data
 * @now:     microseconds
 * @s:       filled in; split it at @s->smss
 *
 * The core takes the segment as sent. A habitat that fails to send it does
 * nothing: to the protocol it is a lost packet.
 *
 * Return: false if nothing may be sent; @s is undefined then.
 */
bool conn_poll(struct conn *c, u32 max_len, u64 now, struct seg *s);

/**
 * conn_write() - the user has appended bytes
 * @c:    the connection, conn_can_write()
 * @n:    how many; 0: only @more is news
 * @more: more will follow at once (MSG_MORE): hold back a partial segment
 */
void conn_write(struct conn *c, u32 n, bool more);

/**
 * conn_read() - the user has taken bytes
 * @c:   the connection
 * @n:   how many, at most rcv_nxt - rcv_read
 * @now: microseconds
 *
 * May make a window update due: poll afterwards.
 */
void conn_read(struct conn *c, u32 n, u64 now);

/**
 * conn_urge() - what the user has written is urgent (MSG_OOB)
 * @c: the connection
 *
 * Poll afterwards; no Nagle holds it back.
 */
void conn_urge(struct conn *c);

/**
 * conn_set_rcv_buf() - the receive buffer has another size
 * @c:   the connection
 * @len: payload bytes it may hold; a promised window is never taken back
 * @now: microseconds
 */
void conn_set_rcv_buf(struct conn *c, u32 len, u64 now);

/* How short the memory is that all connections share. */
enum memory {
	MEMORY_PLENTY,
	MEMORY_SHORT, /* no buffer should grow */
	MEMORY_OUT, /* a connection gets no more than it needs to go on */
};

/**
 * conn_set_memory() - say how short memory is
 * @c:      the connection
 * @memory: from now on
 *
 * Where it is short smaller windows are offered; none is taken back. A reader
 * gets what there is (conn_can_read()): no more may come before that is read.
 */
static inline void conn_set_memory(struct conn *c, enum memory memory)
{
	c->memory = memory;
}

/* Payload bytes in order that a connection has memory for where there is none. */
u32 conn_rcv_sure(const struct conn *c);

/**
 * conn_drop_early() - early payload could not be kept
 * @c:   the connection
 * @seq: where what is lost begins; it reaches to the end
 *
 * It was never acknowledged: the peer sends it again (RFC 9293 section 3.4).
 */
void conn_drop_early(struct conn *c, u32 seq);

/**
 * conn_orphan_weight() - how much sooner than others an orphan is to go
 * @c:   the connection; a timeout has passed
 * @now: microseconds
 *
 * Return: 1 where nothing has moved for two of the longest timeouts, else 0.
 */
u32 conn_orphan_weight(const struct conn *c, u64 now);

/* Payload bytes that must find room: unread, or in a window that was offered. */
u32 conn_rcv_promised(const struct conn *c);

/* Payload bytes that a receive buffer should hold, of a connection so fast. */
static inline u32 conn_rcv_buf_wanted(const struct conn *c)
{
	return c->tune.wanted;
}

/*
 * The same of a send buffer: what is in flight, and as much to follow it when a
 * writer is woken, which is when a third of the buffer is free. A recovery inflates
 * cwnd for what has left the network (RFC 5681 section 3.2): that is no need.
 */
static inline u64 conn_snd_buf_wanted(const struct conn *c)
{
	return 3ULL * (c->recovering ? min_t(u32, c->cc.cwnd, c->cc.ssthresh) :
				       c->cc.cwnd);
}

/* RFC 9293 section 3.8.6.2.1: with so many bytes a segment goes without a wait. */
static inline u32 conn_worth_sending(const struct conn *c)
{
	return clamp_t(u32, c->max_wnd / 2, 1, c->smss);
}

/**
 * conn_set_mss() - the path allows another segment size (RFC 1191 section 6)
 * @c:       the connection
 * @mtu_mss: MTU less IP header and HDR_MIN
 * @now:     microseconds
 *
 * Where it shrinks, what is in flight is sent again in smaller segments.
 */
void conn_set_mss(struct conn *c, u16 mtu_mss, u64 now);

/*
 * Options that act on a connection which may be open; in all other states they
 * are only noted in @c->opt. Poll afterwards.
 */

/**
 * conn_set_keepalive() - SO_KEEPALIVE
 * @c:   the connection
 * @on:  switch it on or off
 * @now: microseconds
 */
void conn_set_keepalive(struct conn *c, bool on, u64 now);

/**
 * conn_set_keep_idle() - TCP_KEEPIDLE; silence that was counts
 * @c:    the connection
 * @idle: microseconds
 * @now:  microseconds
 */
void conn_set_keep_idle(struct conn *c, u64 idle, u64 now);

/**
 * conn_set_nodelay() - TCP_NODELAY
 * @c:  the connection
 * @on: what is written by now goes, even where TCP_CORK holds it back
 */
void conn_set_nodelay(struct conn *c, bool on);

/**
 * conn_set_cork() - TCP_CORK
 * @c:  the connection
 * @on: hold back partial segments, for SWS_OVERRIDE at most
 */
void conn_set_cork(struct conn *c, bool on);

/**
 * conn_set_quickack() - TCP_QUICKACK
 * @c:     the connection
 * @on:    acknowledge at once what QUICKACKS allows; an ACK that waits goes now
 * @stay:  true: until the traffic says otherwise; false: only what waits
 */
void conn_set_quickack(struct conn *c, bool on, bool stay);

/**
 * conn_set_window_clamp() - TCP_WINDOW_CLAMP
 * @c:     the connection; a promised window is never taken back
 * @bytes: largest window to offer, 0: no bound
 * @now:   microseconds
 */
void conn_set_window_clamp(struct conn *c, u32 bytes, u64 now);

/* The largest window that may be offered; 0: there is no connection to tell. */
u32 conn_window_clamp(const struct conn *c);

/**
 * conn_set_cc() - TCP_CONGESTION
 * @c:   the connection; cwnd and ssthresh stay as they are, unless a recovery
 *       ends since @ops has none
 * @ops: the algorithm
 * @now: microseconds
 */
void conn_set_cc(struct conn *c, const struct cc_ops *ops, u64 now);

/**
 * conn_close() - the user will not write any more (RFC 9293 section 3.10.4)
 * @c:   the connection
 * @now: microseconds
 *
 * shutdown(SHUT_WR). Data already written still goes out, then the FIN.
 * In SYN_SENT the connection is gone at once.
 */
void conn_close(struct conn *c, u64 now);

/**
 * conn_close_read() - the user will not read any more
 * @c: the connection
 *
 * shutdown(SHUT_RD). TCP has no message for it: while the user may still write,
 * text is taken and acknowledged as before. After conn_close() too, new text is
 * answered with a reset (RFC 9293 section 3.6.1).
 */
void conn_close_read(struct conn *c);

/**
 * conn_release() - no process holds the connection any more
 * @c:   the connection
 * @now: microseconds
 *
 * The full close(). Where bytes are left unread the peer is told with a reset
 * that they are lost (RFC 9293 section 3.6.1); the connection is closed
 * afterwards. Otherwise like conn_close(), with the time limits of orphans.
 */
void conn_release(struct conn *c, u64 now);

/**
 * conn_abort() - ABORT (RFC 9293 section 3.10.5)
 * @c:   the connection
 * @now: microseconds
 *
 * CLOSED at once; conn_poll() gives a RST where the state demands one.
 */
void conn_abort(struct conn *c, u64 now);

/**
 * conn_error() - a hard error from below, such as an ICMP message
 * @c:   the connection
 * @seq: sequence number that the message quotes
 * @err: positive errno
 * @now: microseconds
 *
 * RFC 5927: believed only for data in flight, and fatal only while the
 * connection is being made (section 4).
 *
 * Return: true if the connection is closed by it; false: at most a soft error.
 */
bool conn_error(struct conn *c, u32 seq, int err, u64 now);

/**
 * conn_believes_icmp() - whether an ICMP error, of whatever kind, is believed
 * @c:   the connection
 * @seq: sequence number that the message quotes (RFC 5927 section 4.1)
 */
bool conn_believes_icmp(const struct conn *c, u32 seq);

/**
 * conn_deadline() - when conn_tick() is next needed
 * @c: the connection
 *
 * Return: microseconds, or NEVER. It may have moved after any call.
 */
u64 conn_deadline(const struct conn *c);

/**
 * conn_tick() - time has passed
 * @c:   the connection
 * @now: microseconds; nothing happens before the deadline
 *
 * Poll afterwards. The connection may be CLOSED, with @err set.
 *
 * Return: WAKE_* bits.
 */
unsigned int conn_tick(struct conn *c, u64 now);

/* Bytes sent and taken to be in the network (RFC 5681 section 2). */
static inline u32 conn_flight(const struct conn *c)
{
	return sent_pipe(&c->sent);
}

/* The next byte to go out: of what is lost the first, else of what is new. */
static inline u32 conn_next(const struct conn *c)
{
	return c->sent.waiting ? c->sent.lost_from : c->snd_nxt;
}

/* Bytes written and never sent. */
static inline u32 conn_unsent(const struct conn *c)
{
	u32 next = c->snd_nxt + (!c->syn_acked && c->snd_nxt == c->iss);

	return seq_lt(next, c->write_seq) ? c->write_seq - next : 0;
}

/* Bytes written and not acknowledged, sent or not; without SYN and FIN. */
u32 conn_unacked(const struct conn *c);

/* Bytes in order that the user can read now; without the FIN. */
u32 conn_readable(const struct conn *c);

/**
 * conn_can_read() - whether a reader who wants so many bytes need not wait
 * @c:    the connection
 * @want: SO_RCVLOWAT
 *
 * Also true where a window too small for another segment keeps the rest away, or
 * memory is short.
 */
bool conn_can_read(const struct conn *c, u32 want);

/* The congestion control that is, or would be, in use. */
const struct cc_ops *conn_cc(const struct conn *c, const struct tunables *tun);
/* --- the reader and urgent data (urgent.c); SO_OOBINLINE: @is_inline --- */

/* The next byte to read is the urgent one (SIOCATMARK). */
bool conn_at_mark(const struct conn *c);

/* The urgent byte is at @seq: a recv() that has something ends here. */
bool conn_stops_at(const struct conn *c, u32 seq);

/**
 * conn_read_run() - how many bytes recv() may take in one go
 * @c:         the connection
 * @seq:       of the first
 * @n:         bytes that are there and wanted
 * @is_inline: SO_OOBINLINE
 * @hole:      set where the byte at @seq is to be left out: it is urgent
 *
 * Return: how many, without the one left out.
 */
u32 conn_read_run(const struct conn *c, u32 seq, u32 n, bool is_inline,
		  bool *hole);

/* The urgent byte is there, to be read by itself (EPOLLPRI). */
bool conn_has_urgent(const struct conn *c);

/* Bytes that recv() can give up to the mark (FIONREAD). */
u32 conn_inq(const struct conn *c, bool is_inline);

/* What recv(MSG_OOB) is to answer. */
enum urgent_answer {
	URGENT_NONE, /* there is none, or it was read */
	URGENT_GONE, /* nor will there be any */
	URGENT_LATER, /* it is announced */
	URGENT_BYTE, /* here it is */
};

/**
 * conn_urgent() - take the urgent byte
 * @c:         the connection
 * @is_inline: SO_OOBINLINE
 * @peek:      leave it there
 */
enum urgent_answer conn_urgent(struct conn *c, bool is_inline, bool peek);

/* Sequence numbers not acknowledged, SYN and FIN included (SIOCOUTQ). */
u32 conn_outq(const struct conn *c);

/* The same, not sent (SIOCOUTQNSD). */
u32 conn_outq_unsent(const struct conn *c);

/* conn_can_read(), where an urgent byte in front does not count (EPOLLIN). */
bool conn_is_readable(const struct conn *c, u32 lowat, bool is_inline);

/* Everything the peer sent is read, and its FIN came (or the end is an error). */
bool conn_at_eof(const struct conn *c);

/* The user may write: the state allows it and conn_close() was not called. */
bool conn_can_write(const struct conn *c);

/* --- for the other files of the core --- */

/* CLOSED, and nothing more goes out. */
void conn_end(struct conn *c, enum cause cause, u64 now);

/* CLOSED, and a RST tells the peer. */
void conn_reset(struct conn *c, enum cause cause, u64 now);

/* An orphan has come to FIN_WAIT_2. */
void conn_await_fin(struct conn *c, u64 now);

/* Our timestamp clock: one tick a millisecond (RFC 7323 section 5.4). */
static inline u32 timestamp(u32 offset, u64 now)
{
	u32 micros;

	return offset + (u32)div_u64_rem(now, USEC_PER_MS, &micros);
}

/*
 * Does the timestamp of a SYN tell a time that later ones can be compared with?
 * DEVIATES: RFC 7323 section 4.3 takes any. Some systems send 0 and set their
 * clock afterwards, to anywhere on its circle: from half of it the next segment
 * would look old (section 5.3, R1). As in the kernel's TCP 0 is no time.
 */
static inline bool is_time(u32 tsval)
{
	return tsval;
}

/* The MSS that our SYN names: what fits, or what user or route bound it to. */
static inline u16 syn_mss(u16 mtu_mss, u16 user_mss, u16 adv_mss)
{
	u16 mss = mtu_mss;

	if (user_mss)
		mss = min_t(u16, mss, user_mss);
	if (adv_mss)
		mss = min_t(u16, mss, adv_mss);
	return mss;
}

/* IW, and what cwnd falls back to after a silence (RFC 5681 section 4.1). */
static inline u32 conn_initial_window(const struct conn *c)
{
	return cc_initial_window(c->init_cwnd ?: c->env->tun.init_cwnd,
				 c->smss);
}

/* Note what the peer's SYN (or SYN+ACK) says: irs, options, MSS. */
void conn_take_syn(struct conn *c, const struct seg *s, u64 now);

/* The handshake is done. */
void conn_establish(struct conn *c, enum cause cause, u64 now);

/* Our FIN has gone out at least once. */
static inline bool conn_fin_sent(const struct conn *c)
{
	return c->fin_queued && seq_gt(c->snd_nxt, c->write_seq);
}

/* Our FIN is acknowledged. */
static inline bool conn_fin_acked(const struct conn *c)
{
	return c->fin_queued && seq_gt(c->snd_una, c->write_seq);
}

#endif /* CHALK_CORE_CONN_H */
