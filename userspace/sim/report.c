// SPDX-License-Identifier: GPL-2.0
/*
 * report.c - what a reader wants to know after a run
 */
#include "host.h"
#include "run.h"
#include "session.h"
#include "sock.h"

/* Of many connections only the first are shown one by one. */
#define MOST_SHOWN 10

static double seconds(u64 us)
{
	return (double)us / USEC_PER_S;
}

static void row(FILE *f, const char *what, u64 client, u64 server)
{
	fprintf(f, "  %-28s %14llu %14llu\n", what, (unsigned long long)client,
		(unsigned long long)server);
}

/* A row that is left out where it has nothing to tell. */
static void rare_row(FILE *f, const char *what, u64 client, u64 server)
{
	if (client || server)
		row(f, what, client, server);
}

struct totals {
	u64 resent, delivered, acked;
	u64 first, last;
};

/* What the ends of one side did, all connections together. */
static struct totals totals_of(const struct world *w, enum side side)
{
	struct totals t = { .first = NEVER };
	u32 i;

	for (i = 0; i < w->nr_sessions; i++) {
		const struct sock *sk = w->sessions[i].sk[side];
		const struct sock *peer = w->sessions[i].sk[!side];

		if (!sk)
			continue;
		t.resent += sk->resent;
		t.acked += sk->tx_off;
		t.first = min_t(u64, t.first, sk->first_sent);
		t.last = max_t(u64, t.last, sk->last_acked);
		if (peer)
			t.delivered += peer->app.read;
	}
	return t;
}

static void report_rows(const struct run *r, const struct totals *t, FILE *f)
{
	const struct link *c = &r->link[CLIENT];
	const struct link *s = &r->link[SERVER];

	fprintf(f, "  %-28s %14s %14s\n", "", "from client", "from server");
	row(f, "packets sent", c->sent, s->sent);
	row(f, "  sent again", t[CLIENT].resent, t[SERVER].resent);
	rare_row(f, "  dropped: queue full", c->full, s->full);
	rare_row(f, "  dropped: lost", c->lost, s->lost);
	rare_row(f, "  dropped: above path MTU", c->too_large, s->too_large);
	rare_row(f, "  bits flipped", c->damaged, s->damaged);
	rare_row(f, "  arrived twice", c->copied, s->copied);
	rare_row(f, "  held up", c->held_up, s->held_up);
	row(f, "bytes on the wire", c->bytes, s->bytes);
	row(f, "bytes delivered", t[CLIENT].delivered, t[SERVER].delivered);
}

/* Acknowledged payload, from the first byte sent to the last ACK: as chalk summary. */
static void report_goodput(const struct totals *t, const char *from, FILE *f)
{
	u64 time = t->last > t->first ? t->last - t->first : 0;

	if (time)
		fprintf(f, "goodput from %s: %.3f Mbit/s (%.3f s)\n", from,
			t->acked * 8 / seconds(time) / 1e6, seconds(time));
}

static void report_end(const struct sock *sk, const char *name, FILE *f)
{
	if (!sk)
		return;
	fprintf(f,
		"  %s: %s after %s, read %llu, srtt %.1f ms, RTO %.1f ms, "
		"cwnd %u",
		name, sk->kind == SOCK_DEAD ? "CLOSED" : "open",
		state_name(sk->final), (unsigned long long)sk->app.read,
		sk->c.rtt.srtt / 1e3, rtt_rto(&sk->c.rtt) / 1e3, sk->c.cc.cwnd);
	if (sk->c.err)
		fprintf(f, ", error: %s", strerror(sk->c.err));
	fputc('\n', f);
}

static void report_drops(const struct world *w, FILE *f)
{
	u32 cause, i;

	for (cause = DROP_FIRST; cause < NR_CAUSES; cause++) {
		u64 sum = 0;

		for (i = 0; i < w->nr_hosts; i++)
			sum += w->hosts[i].dropped[cause];
		if (sum)
			fprintf(f, "segments refused, %s: %llu (%s)\n",
				cause_name(cause), (unsigned long long)sum,
				cause_clause(cause));
	}
}

void run_report(const struct run *r, FILE *f)
{
	const struct world *w = &r->w;
	struct totals t[NR_SIDES] = {
		totals_of(w, CLIENT),
		totals_of(w, SERVER),
	};
	u32 i;

	report_rows(r, t, f);
	report_goodput(&t[CLIENT], "client", f);
	report_goodput(&t[SERVER], "server", f);
	report_drops(w, f);
	for (i = 0; i < w->nr_sessions && i < MOST_SHOWN; i++) {
		fprintf(f, "connection %u, port %u\n", i + 1,
			w->sessions[i].port);
		report_end(w->sessions[i].sk[CLIENT], "client", f);
		report_end(w->sessions[i].sk[SERVER], "server", f);
	}
	if (i < w->nr_sessions)
		fprintf(f, "and %u connections more\n", w->nr_sessions - i);
	fprintf(f, "all over after %.3f s\n", seconds(w->now - w->cfg->start));
}
