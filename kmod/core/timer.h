/* SPDX-License-Identifier: GPL-2.0 */
/*
 * timer.h - the deadlines of a connection
 *
 * Each timer is a number; the habitat has one real timer a connection and sets
 * it to the least of them.
 */
#ifndef CHALK_CORE_TIMER_H
#define CHALK_CORE_TIMER_H

#include "conn.h"

/* Set, or set anew; @after in microseconds. */
void timer_set(struct conn *c, enum conn_timer t, u64 after, u64 now);
void timer_stop(struct conn *c, enum conn_timer t);
void timer_stop_all(struct conn *c);

static inline bool timer_is_set(const struct conn *c, enum conn_timer t)
{
	return c->timer[t] != NEVER;
}

/* Set the retransmission timer to the RTO of now (RFC 6298 (5.1), (5.3)). */
void timer_set_rtx(struct conn *c, u64 now);

/* Set it to the time of the next probe of a shut window (RFC 9293 3.8.6.1). */
void timer_set_persist(struct conn *c, u64 now);

#endif /* CHALK_CORE_TIMER_H */
