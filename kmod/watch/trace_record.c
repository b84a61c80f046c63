// SPDX-License-Identifier: GPL-2.0
/*
 * trace_record.c - from an event to the record of uapi/chalk_trace.h and back
 */
#include "trace.h"

/* From their kind to their MSS both have the same fields in the same order. */
#define EVENT_FIRST offsetof(struct event, kind)
#define EVENT_SAME (offsetofend(struct event, mss) - EVENT_FIRST)
#define RECORD_FIRST offsetof(struct chalk_trace_record, kind)
#define RECORD_SAME (offsetofend(struct chalk_trace_record, mss) - RECORD_FIRST)

/**
 * chalk_record_fill() - write a record
 * @r:  all of it is written
 * @it: the event
 */
void chalk_record_fill(struct chalk_trace_record *r,
		       const struct chalk_item *it)
{
	const struct chalk_ends *ends = it->ends;
	const struct event *ev = it->ev;

	BUILD_BUG_ON(EVENT_SAME != RECORD_SAME);
	r->time = chalk_stamp_time(it->stamp);
	r->netns = it->netns;
	r->conn = ev->conn;
	memcpy(r->laddr, &ends->laddr, sizeof(r->laddr));
	memcpy(r->raddr, &ends->raddr, sizeof(r->raddr));
	r->lport = ends->lport;
	r->rport = ends->rport;
	memcpy((void *)r + RECORD_FIRST, (const void *)ev + EVENT_FIRST,
	       RECORD_SAME);
	r->reserved = 0;
}

/**
 * chalk_record_event() - the event that a record was made of
 * @ev: all of it is written
 * @r:  the record
 */
void chalk_record_event(struct event *ev, const struct chalk_trace_record *r)
{
	ev->time = div_u64(r->time, NSEC_PER_USEC);
	ev->conn = r->conn;
	memcpy((void *)ev + EVENT_FIRST, (const void *)r + RECORD_FIRST,
	       RECORD_SAME);
}
