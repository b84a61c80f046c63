/* SPDX-License-Identifier: GPL-2.0 */
/*
 * emit.h - from a structure of the core to an event of its habitat
 *
 * Called at every decision. While nobody reads, each costs one test.
 */
#ifndef CHALK_CORE_EMIT_H
#define CHALK_CORE_EMIT_H

#include "conn.h"
#include "req.h"
#include "timewait.h"

void emit_conn(const struct conn *c, enum event_kind kind, enum cause cause,
	       u32 old, u32 new, u64 now);
void emit_conn_segment(const struct conn *c, enum event_kind kind,
		       enum cause cause, const struct seg *s, u64 now);
void emit_req_state(struct env *env, const struct req *r, enum conn_state from,
		    enum conn_state to, enum cause cause, u64 now);
void emit_req_segment(struct env *env, const struct req *r,
		      enum event_kind kind, enum cause cause,
		      enum conn_state state, const struct seg *s, u64 now);
void emit_timewait_state(struct env *env, const struct timewait *t,
			 enum conn_state from, enum conn_state to,
			 enum cause cause, u64 now);
void emit_timewait_segment(struct env *env, const struct timewait *t,
			   enum event_kind kind, enum cause cause,
			   const struct seg *s, u64 now);

/* A variable of the connection went from @old to @new. */
static inline void trace_change(const struct conn *c, enum event_kind kind,
				enum cause cause, u32 old, u32 new, u64 now)
{
	if (unlikely(c->env->tracing))
		emit_conn(c, kind, cause, old, new, now);
}

/* The RTO was @old: tell what it has become, if anything else. */
static inline void trace_rto(const struct conn *c, enum cause cause, u32 old,
			     u64 now)
{
	u32 new = rtt_rto(&c->rtt);

	if (new != old)
		trace_change(c, EV_RTO, cause, old, new, now);
}

/* A segment of the connection came or went; a long one gives a record a packet. */
static inline void trace_segment(const struct conn *c, enum event_kind kind,
				 enum cause cause, const struct seg *s, u64 now)
{
	if (unlikely(c->env->tracing))
		emit_conn_segment(c, kind, cause, s, now);
}

/* A record of SYN_RCVD begins or ends. */
static inline void trace_req_state(struct env *env, const struct req *r,
				   enum conn_state from, enum conn_state to,
				   enum cause cause, u64 now)
{
	if (unlikely(env->tracing))
		emit_req_state(env, r, from, to, cause, now);
}

static inline void trace_req(struct env *env, const struct req *r,
			     enum event_kind kind, enum cause cause,
			     const struct seg *s, u64 now)
{
	if (unlikely(env->tracing))
		emit_req_segment(env, r, kind, cause, ST_SYN_RCVD, s, now);
}

/* The SYN that made the record came to a listener. */
static inline void trace_req_syn(struct env *env, const struct req *r,
				 const struct seg *s, u64 now)
{
	if (unlikely(env->tracing))
		emit_req_segment(env, r, EV_RECV, BY_ARRIVAL, ST_LISTEN, s,
				 now);
}

static inline void trace_timewait(struct env *env, const struct timewait *t,
				  enum event_kind kind, enum cause cause,
				  const struct seg *s, u64 now)
{
	if (unlikely(env->tracing))
		emit_timewait_segment(env, t, kind, cause, s, now);
}

#endif /* CHALK_CORE_EMIT_H */
