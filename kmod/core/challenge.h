/* SPDX-License-Identifier: GPL-2.0 */
/*
 * challenge.h - how many challenge ACKs may go out (RFC 5961 section 7)
 *
 * Counted for each connection by itself, so that nobody can measure one
 * connection's challenges through another's.
 */
#ifndef CHALK_CORE_CHALLENGE_H
#define CHALK_CORE_CHALLENGE_H

#include "env.h"
#include "params.h"
#include "types.h"

/**
 * struct challenge - the challenge ACKs of one period
 * @from: when the period began, microseconds
 * @sent: how many it has seen
 */
struct challenge {
	u64 from;
	u8 sent;
};

/**
 * challenge_allowed() - take one from the allowance
 * @ch:  the allowance
 * @env: where a refusal is counted
 * @now: microseconds
 *
 * Return: false if the period has used it up.
 */
static inline bool challenge_allowed(struct challenge *ch,
				     const struct env *env, u64 now)
{
	if (now - ch->from >= CHALLENGE_PERIOD) {
		ch->from = now;
		ch->sent = 0;
	}
	if (ch->sent >= CHALLENGE_ACKS) {
		mib_count(env, MIB_CHALLENGE_SKIPPED);
		return false;
	}
	ch->sent++;
	return true;
}

#endif /* CHALK_CORE_CHALLENGE_H */
