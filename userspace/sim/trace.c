// SPDX-License-Identifier: GPL-2.0
/*
 * trace.c - events to a file
 */
#include "host.h"
#include "state.h"
#include "trace.h"

struct trace {
	FILE *file;
};

struct trace *trace_open(const char *path)
{
	char line[EVENT_LINE_MAX];
	struct trace *t;
	FILE *f = strcmp(path, "-") ? fopen(path, "w") : stdout;

	if (!f)
		return NULL;
	t = sim_alloc(sizeof(*t));
	t->file = f;
	event_header(line, sizeof(line));
	fputs(line, f);
	return t;
}

bool trace_close(struct trace *t)
{
	bool ok;

	if (!t)
		return true;
	ok = !fflush(t->file) && !ferror(t->file);
	if (t->file != stdout)
		ok &= !fclose(t->file);
	free(t);
	return ok;
}

static void endpoint(char *buf, size_t size, u32 addr, u16 port)
{
	snprintf(buf, size, "%u.%u.%u.%u:%u", addr >> 24, addr >> 16 & 0xff,
		 addr >> 8 & 0xff, addr & 0xff, port);
}

void trace_event(struct trace *t, u32 host, const struct event *ev, u32 laddr,
		 u16 lport, u32 raddr, u16 rport)
{
	char local[24], remote[24], line[EVENT_LINE_MAX];

	endpoint(local, sizeof(local), laddr, lport);
	endpoint(remote, sizeof(remote), raddr, rport);
	event_format(line, sizeof(line), ev, local, remote, host);
	fputs(line, t->file);
}

void trace_stray(struct world *w, struct host *h, enum event_kind kind,
		 enum cause cause, u32 peer, const struct seg *s)
{
	bool out = kind == EV_SEND;
	struct event ev = {
		.time = w->now,
		.kind = kind,
		.cause = cause,
		.state = ST_CLOSED,
		.flags = s->flags,
		.seq = s->seq,
		.ack = s->ack,
		.len = s->len,
		.wnd = s->wnd,
	};

	if (w->trace)
		trace_event(w->trace, h->number, &ev, h->addr,
			    out ? s->sport : s->dport, peer,
			    out ? s->dport : s->sport);
}
