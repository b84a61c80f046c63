// SPDX-License-Identifier: GPL-2.0
/*
 * event.c - names of events, and a record as a line of text
 */
#include "event.h"
#include "state.h"
#include "wire.h"

/* clang-format off */

static const char *const kind_names[] = {
#define X(id, name) [EV_##id] = #name,
	EVENT_KINDS(X)
#undef X
};

static const char *const cause_names[] = {
#define X(id, name, clause) [BY_##id] = name,
	EVENT_CAUSES(X)
#undef X
#define X(id, name, clause) [DROP_##id] = name,
	DROP_REASONS(X)
#undef X
};

static const char *const cause_clauses[] = {
#define X(id, name, clause) [BY_##id] = clause,
	EVENT_CAUSES(X)
#undef X
#define X(id, name, clause) [DROP_##id] = clause,
	DROP_REASONS(X)
#undef X
};

/* clang-format on */

const char *event_kind_name(unsigned int kind)
{
	return kind < ARRAY_SIZE(kind_names) ? kind_names[kind] : "?";
}

const char *cause_name(unsigned int cause)
{
	return cause < ARRAY_SIZE(cause_names) ? cause_names[cause] : "?";
}

const char *cause_clause(unsigned int cause)
{
	return cause < ARRAY_SIZE(cause_clauses) ? cause_clauses[cause] : "?";
}

/* Flags as letters, in the order a dump of a packet shows them. */
static void format_flags(char out[9], u8 flags)
{
	static const char letters[] = "FSRPAUEC";
	int n = 0;

	for (int bit = 0; bit < 8; bit++)
		if (flags & BIT(bit))
			out[n++] = letters[bit];
	if (!n)
		out[n++] = '.';
	out[n] = '\0';
}

static const char columns[] =
	"time\tconn\tlocal\tremote\tevent\tcause\tclause\tstate\t"
	"flags\tseq\tack\tlen\twnd\told\tnew\t"
	"snd_una\tsnd_nxt\trcv_nxt\tcwnd\tssthresh\tflight\t"
	"snd_wnd\trcv_wnd\tsrtt\trttvar\trto\tunsent\tunread\t"
	"netns\tooo\tmss";

int event_header(char *buf, size_t size)
{
	return scnprintf(buf, size, "%s\n", columns);
}

/* What changed: states go by their names, all else by numbers. */
static int format_change(char *buf, size_t size, const struct event *ev)
{
	if (ev->kind == EV_STATE)
		return scnprintf(buf, size, "%s\t%s\t", state_name(ev->old),
				 state_name(ev->new));
	return scnprintf(buf, size, "%u\t%u\t", ev->old, ev->new);
}

int event_format(char *buf, size_t size, const struct event *ev,
		 const char *local, const char *remote, u32 netns)
{
	char flags[9];
	u64 seconds;
	u32 micros;
	int n;

	format_flags(flags, ev->flags);
	seconds = div_u64_rem(ev->time, USEC_PER_S, &micros);
	n = scnprintf(buf, size, "%llu.%06u\t%u\t%s\t%s\t%s\t%s\t%s\t%s\t",
		      (unsigned long long)seconds, micros, ev->conn, local,
		      remote, event_kind_name(ev->kind), cause_name(ev->cause),
		      cause_clause(ev->cause), state_name(ev->state));
	n += scnprintf(buf + n, size - n, "%s\t%u\t%u\t%u\t%u\t", flags,
		       ev->seq, ev->ack, ev->len, ev->wnd);
	n += format_change(buf + n, size - n, ev);
	n += scnprintf(buf + n, size - n, "%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t",
		       ev->snd_una, ev->snd_nxt, ev->rcv_nxt, ev->cwnd,
		       ev->ssthresh, ev->flight, ev->snd_wnd, ev->rcv_wnd);
	n += scnprintf(buf + n, size - n, "%u\t%u\t%u\t%u\t%u\t", ev->srtt,
		       ev->rttvar, ev->rto, ev->unsent, ev->unread);
	n += scnprintf(buf + n, size - n, "%u\t%u\t%u\n", netns, ev->ooo,
		       ev->mss);
	return n;
}
