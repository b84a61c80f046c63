/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check_model.h - what the files of the rules have in common
 */
#ifndef CHALK_SIM_CHECK_MODEL_H
#define CHALK_SIM_CHECK_MODEL_H

#include "check.h"
#include "host.h"
#include "packet.h"
#include "params.h"
#include "seq.h"
#include "sock.h"

/* A rule is broken: that ends the run, unless it is one without rules. */
__attribute__((__format__(__printf__, 2, 3))) void
rule_fail(struct sock *sk, const char *fmt, ...);

/* Both SYNs offered them. */
static inline bool check_has_timestamps(const struct check *k)
{
	return k->out.ts && k->in.ts;
}

/* RFC 9293 section 3.7.1, MUST-15: where the peer names none. */
static inline u32 check_peer_mss(const struct sock *sk)
{
	return sk->check.in.mss ?: sk->host->cfg->default_mss ?: MSS_DEFAULT;
}

/* The scale of the peer's windows, and of our own. */
static inline u8 check_peer_shift(const struct check *k)
{
	return k->out.wscale && k->in.wscale ? k->in.shift : 0;
}

static inline u8 check_own_shift(const struct check *k)
{
	return k->out.wscale && k->in.wscale ? k->out.shift : 0;
}

/* --- check_cause.c --- */

/* An event: can what it names be its cause, where the connection stands? */
void cause_check(struct sock *sk, enum event_owner what,
		 const struct event *ev);

/* --- check_event.c --- */

/* A segment has left: are its records of it? */
void event_out(struct sock *sk, const struct seg *s);

/* The connection has nothing more to send: have all changes been told? */
void event_rest(struct sock *sk);

/* --- check_receiver.c --- */

/* What is left of the window that the wire has shown, at least or at @most. */
u32 receiver_window_left(const struct sock *sk, bool most);

/* --- check_sender.c --- */

/* All that is in flight is to be sent again. */
void sender_go_back(struct sock *sk, enum back why);

/* What is about to go out again is what duplicate or partial ACKs call for. */
bool sender_is_fast(const struct sock *sk);

/* ...or what slow start sends after a loss. */
bool sender_is_slow(const struct sock *sk);

/* The user has left cwnd unused. */
bool sender_is_idle(const struct sock *sk);

/* Bytes that are not acknowledged, whether they have left or not. */
bool sender_has_text(const struct sock *sk);

/* Bytes, or a FIN, that have never left. */
bool sender_has_unsent(const struct sock *sk);

/* Where a segment without data stands. */
u32 sender_bare_seq(const struct sock *sk);

/* What the sender waits for. */
enum limit sender_waits_for(const struct sock *sk);

/* --- check_cwnd.c --- */

/* RFC 6928 section 2 */
u32 cwnd_initial(const struct sock *sk);

/* From now on the user wants this one. */
void cwnd_choose(struct sender *m, const struct cc_ops *cc);

void cwnd_begin(struct sock *sk, bool lost_syn);

/* An ACK of something new is here, and not yet taken. */
void cwnd_measure(struct sock *sk);

/* It covers so many bytes of data; nothing is lost. */
void cwnd_grow(struct sock *sk, u32 bytes);

void cwnd_duplicate(struct sock *sk);
void cwnd_ack_in_recovery(struct sock *sk, u32 bytes);
void cwnd_recovered(struct sock *sk);
void cwnd_timeout(struct sock *sk, bool again);
void cwnd_idle(struct sock *sk);
void cwnd_new_smss(struct sock *sk);

/* The ACK that cwnd_measure() spoke of covers so many bytes of data. */
void cwnd_owe(struct sock *sk, u32 bytes);

/* The connection has nothing more to send: has cwnd grown as it should? */
void cwnd_rest(struct sock *sk);

/* --- check_hystart.c --- */

/* A slow start begins that knows nothing of the path. */
void hystart_model_new(struct sender *m, bool on);

/* Sequence numbers [seq, end) leave. */
void hystart_model_sent(struct sock *sk, u32 seq, u32 end);

/* An ACK of something new: which round trip does it tell? */
void hystart_model_acked(struct sock *sk);

/* cwnd has grown for it in slow start. */
void hystart_model_round(struct sender *m);

/* cwnd grows a quarter as fast. */
bool hystart_model_css(const struct sender *m);

/* An event tells of a turn. */
void hystart_model_told(struct sock *sk, const struct event *ev);

void hystart_model_rest(struct sock *sk);

/* --- check_timer.c --- */

/* RFC 6298 (5.1): it runs from now on. */
void timer_start(struct sock *sk);

/* A shut window was probed: when to do it again. */
void timer_probe(struct sock *sk);

/* RFC 6298 (5.2) and (5.3): from now on where something is in flight. */
void timer_acked(struct sock *sk);

/* RFC 6298 (5.7) */
void timer_after_handshake(struct sock *sk);

/* Nothing is in flight, and no ACK will come: time must move things on. */
void timer_persist(struct sock *sk, bool waiting);

void timer_rest(struct sock *sk);

/* Sequence numbers [seq, end) leave. */
void rtt_sent(struct sock *sk, u32 seq, u32 end);

/* An ACK of something new. */
void rtt_measure(struct sock *sk, const struct seg *s);

#endif /* CHALK_SIM_CHECK_MODEL_H */
