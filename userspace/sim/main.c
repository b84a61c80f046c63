// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - chalk sim: a discrete-event simulator around Chalk's protocol core
 *
 * Reading order: world.h (clock), packet.h, link.h, host.h, sock.h (the glue
 * around the core), store.h, app.h and change.h (the user), check.h (the
 * rules), attack.h, session.h, run.h, scenario.h (random runs), options.h.
 */
#include <time.h>

#include "host.h"
#include "options.h"
#include "pcap.h"
#include "run.h"
#include "scenario.h"
#include "trace.h"

enum {
	EXIT_FINE = 0,
	EXIT_BROKEN = 1,
	EXIT_USAGE = 2
};

static double real_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void report_speed(const struct run *r, double took)
{
	printf("%llu segments in %.3f s: %.0f segments a second\n",
	       (unsigned long long)r->w.segments, took, r->w.segments / took);
}

/* A trace on standard output has it for itself. */
static FILE *report_file(const struct options *o)
{
	return o->trace && !strcmp(o->trace, "-") ? stderr : stdout;
}

static bool open_captures(struct world *w, const struct options *o)
{
	for (int i = 0; i < NR_SIDES; i++) {
		if (!o->pcap[i])
			continue;
		w->pcap[i] = pcap_open(o->pcap[i]);
		if (!w->pcap[i]) {
			perror(o->pcap[i]);
			return false;
		}
	}
	return true;
}

static bool close_captures(struct world *w, const struct options *o)
{
	bool ok = true;

	for (int i = 0; i < NR_SIDES; i++) {
		if (pcap_close(w->pcap[i]))
			continue;
		perror(o->pcap[i]);
		ok = false;
	}
	return ok;
}

static int run_one(const struct options *o, const struct sim_config *cfg)
{
	static struct run r;
	struct trace *trace = NULL;
	FILE *f = report_file(o);
	double began;
	bool ok;

	if (o->trace) {
		trace = trace_open(o->trace);
		if (!trace) {
			perror(o->trace);
			return EXIT_USAGE;
		}
	}
	run_init(&r, cfg, trace);
	if (!open_captures(&r.w, o))
		return EXIT_USAGE;
	began = real_time();
	ok = run_go(&r);
	if (o->bench)
		report_speed(&r, real_time() - began);
	run_report(&r, f);
	if (!ok)
		fprintf(f, "FAILED: %s\n", r.w.failure);
	ok &= close_captures(&r.w, o);
	run_destroy(&r);
	if (!trace_close(trace)) {
		perror(o->trace);
		return EXIT_BROKEN;
	}
	return ok ? EXIT_FINE : EXIT_BROKEN;
}

static int replay(const struct options *o)
{
	struct sim_config cfg;

	scenario_derive(&cfg, o->replay_seed);
	config_describe(&cfg, report_file(o));
	return run_one(o, &cfg);
}

int main(int argc, char **argv)
{
	struct options o;

	if (!options_parse(&o, argc, argv))
		return EXIT_USAGE;
	if (o.help) {
		options_help(stdout);
		return EXIT_FINE;
	}
	if (o.replay)
		return replay(&o);
	if (o.scenarios)
		return scenario_batch(o.cfg.seed, o.scenarios, o.jobs) ?
			       EXIT_FINE :
			       EXIT_BROKEN;
	return run_one(&o, &o.cfg);
}
