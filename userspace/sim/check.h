/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check.h - the rules that must hold at every moment
 *
 * Each file of rules has a header: check_sender.h (with check_cwnd.c and
 * check_timer.c), check_receiver.h, check_request.h, check_life.h,
 * check_urgent.h, check_options.h, check_stats.h, check_tune.h, check_wire.h.
 *
 * What one end may do is derived from the segments that left it and reached it,
 * not from the connection's own view of itself, so that a wrong belief of the
 * core shows as a broken rule.
 */
#ifndef CHALK_SIM_CHECK_H
#define CHALK_SIM_CHECK_H

#include "check_life.h"
#include "check_receiver.h"
#include "check_request.h"
#include "check_sender.h"
#include "check_stats.h"
#include "check_tune.h"
#include "check_urgent.h"
#include "env.h"
#include "state.h"
#include "types.h"
#include "wire.h"

struct host;
struct sock;
struct verdict;

/**
 * struct check_syn - what a SYN or SYN+ACK said
 * @seen:   there was one
 * @seq:    its sequence number
 * @mss:    MSS option, 0: none
 * @wnd:    its window
 * @ts:     it had timestamps
 * @wscale: it had window scale
 * @shift:  which
 */
struct check_syn {
	bool seen;
	u32 seq;
	u32 wnd;
	u16 mss;
	bool ts, wscale;
	u8 shift;
};

/**
 * struct check - what the wire has shown of one end
 * @out:      the SYN that left
 * @in:       the SYN that arrived
 * @sent_max: behind the highest sequence number that left
 * @fin_out:  a FIN left; @fin_seq: its sequence number
 * @acked:    highest acknowledgement that arrived
 * @edge_in:  right edge of the peer's window, the furthest that arrived
 * @ack_out:  highest acknowledgement that left
 * @edge_out: right edge of our window, the furthest that left
 * @promised: @ack_out and @edge_out are known
 * @acked_any: an ACK left that was no SYN+ACK
 * @fin_in:   the peer's FIN arrived; @fin_off: offset behind its stream
 * @ts_out:   last timestamp that left
 * @ts_in:    newest timestamp that arrived
 * @ts_seen:  one did
 * @owed:     when the oldest byte arrived that is not acknowledged, 0: none
 * @snd:      a second sender; @rcv: a second receiver; @life: their life
 * @counts:   a second count; @req: a second record of SYN_RCVD
 * @urg:      urgent data; @tune: sizes of buffers
 * @state:    as the events tell it
 * @told:     the last event of the connection; of kind NR_EVENT_KINDS: none yet
 * @arriving: the segment that is being received, NULL: none
 * @parts:    records of the segment that is leaving; @part_seq: where they begin
 * @part:     the last of them
 */
struct check {
	struct check_syn out, in;
	u32 sent_max;
	bool fin_out;
	u32 fin_seq;
	u32 acked;
	u32 edge_in;
	bool promised, acked_any;
	u32 ack_out, edge_out;
	bool fin_in;
	u64 fin_off;
	u32 ts_out, ts_in;
	bool ts_seen;
	u64 owed;
	struct sender snd;
	struct receiver rcv;
	struct life life;
	struct counts counts;
	struct request req;
	struct urgent urg;
	struct tune tune;
	u8 state;
	struct event told;
	const struct seg *arriving;
	u32 parts, part_seq;
	struct event part;
};

/**
 * check_init() - before anything has happened
 * @sk:    the end
 * @state: state it begins in
 */
void check_init(struct sock *sk, enum conn_state state);

/**
 * check_begin() - the connection begins
 * @sk:      the end
 * @passive: out of a record of SYN_RCVD
 */
void check_begin(struct sock *sk, bool passive);

/**
 * check_poll() - conn_poll() had nothing to send
 * @sk: the end
 */
void check_poll(struct sock *sk);

/**
 * check_in() - a segment with a good checksum arrives
 * @sk: the end
 * @s:  the segment; the core has not seen it yet
 */
void check_in(struct sock *sk, const struct seg *s);

/**
 * check_verdict() - the connection has said what to do with it
 * @sk: the end
 * @s:  the segment
 * @v:  the verdict
 */
void check_verdict(struct sock *sk, const struct seg *s,
		   const struct verdict *v);

/**
 * check_out() - a segment is about to leave
 * @sk: the end
 * @s:  the segment
 */
void check_out(struct sock *sk, const struct seg *s);

/**
 * check_rest() - the connection has nothing more to send at this moment
 * @sk: the end
 */
void check_rest(struct sock *sk);

/**
 * check_write() - the user is about to write
 * @sk:   the end
 * @more: and says that more follows
 */
void check_write(struct sock *sk, bool more);

/**
 * check_read() - the user has read
 * @sk: the end
 */
void check_read(struct sock *sk);

/**
 * check_resize() - the user gives the receive buffer another size
 * @sk: the end
 */
void check_resize(struct sock *sk);

/**
 * check_mss() - the path takes another size
 * @sk:      the end
 * @mtu_mss: payload, without options
 */
void check_mss(struct sock *sk, u32 mtu_mss);

/**
 * check_icmp() - an ICMP error is about to be believed, or not
 * @sk:  the end
 * @seq: sequence number that it quotes
 */
void check_icmp(struct sock *sk, u32 seq);

/**
 * check_tick() - the time of one of its timers has come
 * @sk: the end, before conn_tick()
 */
void check_tick(struct sock *sk);

/**
 * check_ticked() - conn_tick() was called and all was sent
 * @sk: the end
 */
void check_ticked(struct sock *sk);

/**
 * check_event() - an event of the end: do they tell the whole story?
 * @sk:   the end
 * @what: what it belongs to
 * @ev:   the event
 */
void check_event(struct sock *sk, enum event_owner what,
		 const struct event *ev);

/**
 * check_rx_offset() - offset in the peer's stream of a sequence number
 * @sk:  the end
 * @seq: the sequence number
 */
u64 check_rx_offset(const struct sock *sk, u32 seq);

/**
 * check_stray() - a segment that is for no connection was dealt with
 * @h:     the host
 * @s:     the segment
 * @reset: the RST that answers it, NULL: none does
 * @made:  a record of SYN_RCVD was made for it
 * @drop:  why it is dropped
 */
void check_stray(struct host *h, const struct seg *s, const struct seg *reset,
		 bool made, enum cause drop);

/* The next sequence number that packets alone make us expect. */
u32 check_expected(const struct sock *sk);

#endif /* CHALK_SIM_CHECK_H */
