/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trace.h - the events of all hosts as lines of text, in the order of time
 */
#ifndef CHALK_SIM_TRACE_H
#define CHALK_SIM_TRACE_H

#include "event.h"
#include "wire.h"

struct host;
struct trace;
struct world;

/**
 * trace_open() - begin a trace
 * @path: file, "-": standard output
 *
 * Return: the trace, or NULL with errno set.
 */
struct trace *trace_open(const char *path);

/**
 * trace_close() - the counterpart of trace_open()
 * @t: the trace, or NULL
 *
 * Return: false if not all could be written; errno is set.
 */
bool trace_close(struct trace *t);

/**
 * trace_event() - write one line
 * @t:     the trace
 * @host:  number of our host, from 1
 * @ev:    the event
 * @laddr: our address
 * @lport: our port
 * @raddr: the peer's address
 * @rport: the peer's port
 */
void trace_event(struct trace *t, u32 host, const struct event *ev, u32 laddr,
		 u16 lport, u32 raddr, u16 rport);

/**
 * trace_stray() - a segment that belongs to no connection came or went
 * @w:     the world, traced or not
 * @h:     the host
 * @kind:  EV_DROP or EV_SEND
 * @cause: why
 * @peer:  address of the other end
 * @s:     the segment
 */
void trace_stray(struct world *w, struct host *h, enum event_kind kind,
		 enum cause cause, u32 peer, const struct seg *s);

#endif /* CHALK_SIM_TRACE_H */
