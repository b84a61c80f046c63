/* SPDX-License-Identifier: GPL-2.0 */
/*
 * run.h - one run from its configuration to the verdict
 */
#ifndef CHALK_SIM_RUN_H
#define CHALK_SIM_RUN_H

#include "link.h"
#include "world.h"

/**
 * struct run - a run, and all there is in it
 * @cfg:  its own copy of the configuration
 * @w:    the world
 * @link: [side]: what that side sends through
 */
struct run {
	struct sim_config cfg;
	struct world w;
	struct link link[NR_SIDES];
};

/**
 * run_init() - make the world
 * @r:     filled in
 * @cfg:   what decides the run
 * @trace: where events go, or NULL
 */
void run_init(struct run *r, const struct sim_config *cfg, struct trace *trace);

/**
 * run_destroy() - the counterpart of run_init()
 * @r: the run
 */
void run_destroy(struct run *r);

/**
 * run_go() - let the time pass until nothing is due, then judge
 * @r: the run
 *
 * Return: true if all rules held; otherwise r->w.failure says what happened.
 */
bool run_go(struct run *r);

/**
 * run_report() - the summary for a reader
 * @r: the run, after run_go()
 * @f: where to
 */
void run_report(const struct run *r, FILE *f);

#endif /* CHALK_SIM_RUN_H */
