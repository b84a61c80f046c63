/* SPDX-License-Identifier: GPL-2.0 */
/*
 * attack.h - a blind attacker: knows all names, sees no segment (RFC 5961)
 *
 * He sends segments of all kinds in the name of one end to the other, with
 * numbers that he has to guess. He must not harm any connection.
 */
#ifndef CHALK_SIM_ATTACK_H
#define CHALK_SIM_ATTACK_H

#include "world.h"

/**
 * attack_init() - set his first time, if the configuration has him
 * @w: the world
 */
void attack_init(struct world *w);

#endif /* CHALK_SIM_ATTACK_H */
