/* SPDX-License-Identifier: GPL-2.0 */
/*
 * env.h - what a habitat gives to the cores in it
 *
 * One struct env a network namespace (or a simulated host): the tunables, where
 * events go, and what is counted.
 */
#ifndef CHALK_CORE_ENV_H
#define CHALK_CORE_ENV_H

#include "event.h"
#include "mib.h"
#include "types.h"

struct cc_ops;

/**
 * struct tunables - numbers that a namespace may change (sysctl net.chalk.*)
 * @init_cwnd:      initial window, segments
 * @syn_retries:    retransmissions of a SYN before giving up
 * @synack_retries: the same for a SYN+ACK
 * @retries:        the same for data
 * @orphan_retries: the same where no process holds the connection; also the
 *                  probes of a shut window that it may send
 * @keep_probes:    unanswered keep-alives before giving up
 * @timewait_reuse: a new connection may replace a TIME_WAIT: 0: none; 1: any;
 *                  TW_REUSE_LOOPBACK: of this host with itself
 * @timestamps:     offer and accept RFC 7323 timestamps
 * @window_scaling: offer and accept RFC 7323 window scaling
 * @hystart:        the first slow start minds the round trip (RFC 9406)
 * @rto_init:       first RTO, microseconds, as all below
 * @rto_min:        lower bound of the RTO
 * @rto_max:        upper bound of the RTO
 * @delack:         longest delay of an ACK; 0: every segment at once
 * @msl:            maximum segment lifetime; TIME_WAIT lasts two of them
 * @fin_timeout:    how long an orphan stays in FIN_WAIT_2
 * @keep_idle:      silence before the first keep-alive
 * @keep_interval:  time between keep-alives
 * @cc:             congestion control of new connections
 */
struct tunables {
	u32 init_cwnd;
	u32 syn_retries;
	u32 synack_retries;
	u32 retries;
	u32 orphan_retries;
	u32 keep_probes;
	u32 timewait_reuse;
	bool timestamps;
	bool window_scaling;
	bool hystart;
	u64 rto_init;
	u64 rto_min;
	u64 rto_max;
	u64 delack;
	u64 msl;
	u64 fin_timeout;
	u64 keep_idle;
	u64 keep_interval;
	const struct cc_ops *cc;
};

/* Which structure of the core an event belongs to. */
enum event_owner {
	OWNER_CONN, /* struct conn */
	OWNER_REQ, /* struct req */
	OWNER_TIMEWAIT, /* struct timewait */
};

/**
 * struct env - the world around a connection
 * @tun:     tunables; read at every use, so that a change acts at once, but for what
 *           a SYN has offered
 * @tracing: somebody reads events; nothing is emitted while false
 * @emit:    takes a record; @owner is the structure that @what names, by which
 *           the habitat finds the addresses. Called under the owner's lock,
 *           must not sleep.
 * @mib:     the counters
 */
struct env {
	struct tunables tun;
	bool tracing;
	void (*emit)(struct env *env, enum event_owner what, const void *owner,
		     const struct event *ev);
	struct mib __percpu *mib;
};

/* Something happened that is counted, @n times. */
static inline void mib_add(const struct env *env, enum mib_item item, s32 n)
{
	CORE_COUNT(env->mib->mibs[item], n);
}

static inline void mib_count(const struct env *env, enum mib_item item)
{
	mib_add(env, item, 1);
}

/**
 * tunables_init() - the defaults of params.h
 * @t: filled in
 */
void tunables_init(struct tunables *t);

#endif /* CHALK_CORE_ENV_H */
