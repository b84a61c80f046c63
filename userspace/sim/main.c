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

/* Who asks for the loss of a packet that there never was has miscounted. */
static bool all_dropped(const struct run *r)
{
	static const char *const names[NR_CLASSES] = {
		[CLASS_SYN] = "syn",   [CLASS_SYNACK] = "synack",
		[CLASS_DATA] = "data", [CLASS_ACK] = "ack",
		[CLASS_FIN] = "fin",
	};
	bool all = true;

	for (u32 i = 0; i < NR_SIDES * NR_CLASSES; i++) {
		u32 side = i / NR_CLASSES, class = i % NR_CLASSES;
		u32 n = link_not_reached(&r->link[side], class);

		if (!n)
			continue;
		all = false;
		fprintf(stderr,
			"chalk-sim: --drop-%s: the %s sent %llu such packets, there is no number %u\n",
			names[class], side == CLIENT ? "client" : "server",
			(unsigned long long)r->link[side].seen[class], n);
	}
	return all;
}

static int run_one(const struct options *o, const struct sim_config *cfg)
{
	static struct run r;
	struct trace *trace = NULL;
	FILE *f = report_file(o);
	int status = EXIT_FINE;
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
	else if (!o->replay && !all_dropped(&r))
		status = EXIT_USAGE;
	ok &= close_captures(&r.w, o);
	run_destroy(&r);
	if (!trace_close(trace)) {
		perror(o->trace);
		return EXIT_BROKEN;
	}
	return ok ? status : EXIT_BROKEN;
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
