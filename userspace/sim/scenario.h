/* SPDX-License-Identifier: GPL-2.0 */
/*
 * scenario.h - random configurations, and many runs of them
 */
#ifndef CHALK_SIM_SCENARIO_H
#define CHALK_SIM_SCENARIO_H

#include "config.h"

/**
 * scenario_derive() - what a seed stands for
 * @cfg:  filled in
 * @seed: the seed
 */
void scenario_derive(struct sim_config *cfg, u64 seed);

/**
 * scenario_batch() - run many, each from a seed of its own
 * @first: the first seed
 * @n:     how many
 * @jobs:  processes
 *
 * Failures go to standard output with the command that replays them, and at
 * the end "N passed, N failed".
 *
 * Return: true if none failed.
 */
bool scenario_batch(u64 first, u32 n, u32 jobs);

#endif /* CHALK_SIM_SCENARIO_H */
