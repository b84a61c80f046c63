// SPDX-License-Identifier: GPL-2.0
/*
 * trace_points.c - an event passes the tracepoint of its kind
 */
#include "trace.h"

#define CREATE_TRACE_POINTS
#include "trace_points.h"

/**
 * chalk_point() - an event passes its tracepoint
 * @it: the event
 */
void chalk_point(const struct chalk_item *it)
{
	static void (*const points[])(const struct chalk_item *it) = {
#define X(id, name) [EV_##id] = trace_chalk_##name,
		EVENT_KINDS(X)
#undef X
	};

	points[it->ev->kind](it);
}
