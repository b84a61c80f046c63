/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check_challenge.h - how many challenge ACKs may leave: RFC 5961 section 7
 */
#ifndef CHALK_SIM_CHECK_CHALLENGE_H
#define CHALK_SIM_CHECK_CHALLENGE_H

#include "challenge.h"
#include "params.h"
#include "types.h"

/**
 * struct challenges - those of the period that goes on
 * @from: when it began
 * @n:    how many it has seen
 */
struct challenges {
	u64 from;
	u32 n;
};

/* One more at @now; false: there were enough. */
static inline bool challenges_allow(struct challenges *ch, u64 now)
{
	if (now - ch->from >= CHALLENGE_PERIOD)
		*ch = (struct challenges){ .from = now };
	if (ch->n == CHALLENGE_ACKS)
		return false;
	ch->n++;
	return true;
}

/* What the core did is not for us to judge here: go on from its count. */
static inline void challenges_follow(struct challenges *ch,
				     const struct challenge *core)
{
	ch->from = core->from;
	ch->n = core->sent;
}

#endif /* CHALK_SIM_CHECK_CHALLENGE_H */
