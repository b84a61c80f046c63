/* SPDX-License-Identifier: GPL-2.0 */
/*
 * options.h - the command line
 */
#ifndef CHALK_SIM_OPTIONS_H
#define CHALK_SIM_OPTIONS_H

#include "config.h"

/**
 * struct options - what the command line asks for
 * @cfg:       the run
 * @trace:     file for the events, NULL: none
 * @pcap:      [side]: file for its packets, NULL: none
 * @bench:     measure the simulator
 * @help:      explain and leave
 * @scenarios: how many random ones, 0: one run as configured
 * @jobs:      processes for them
 * @replay:    one of them, @replay_seed
 * @half_close: the closers do not wait for the peer's bytes
 * @close_early: nor for the ACKs of their own
 * @closer:    who closes: "client", "server", "both"
 */
struct options {
	struct sim_config cfg;
	const char *trace;
	const char *pcap[NR_SIDES];
	bool bench, help, replay, half_close, close_early;
	u32 scenarios, jobs;
	u64 replay_seed;
	const char *closer;
};

/**
 * options_parse() - read the command line
 * @o:    filled in
 * @argc: as main() has it
 * @argv: the same
 *
 * Return: false if it is wrong; it has been said on standard error.
 */
bool options_parse(struct options *o, int argc, char **argv);

/**
 * options_help() - explain all options
 * @f: where to
 */
void options_help(FILE *f);

#endif /* CHALK_SIM_OPTIONS_H */
