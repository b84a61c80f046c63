/* SPDX-License-Identifier: GPL-2.0 */
/*
 * change.h - options that a user changes on a living connection
 */
#ifndef CHALK_SIM_CHANGE_H
#define CHALK_SIM_CHANGE_H

#include "types.h"

struct sock;

/* What may be changed: bits of struct side_config's @changes. */
enum change {
	CHANGE_NODELAY,
	CHANGE_CORK,
	CHANGE_KEEPALIVE,
	CHANGE_KEEP_IDLE,
	CHANGE_QUICKACK,
	CHANGE_CLAMP,
	CHANGE_CC,
	NR_CHANGES
};

/* A connection is changed so often, and no more. */
#define MOST_CHANGES 30

/**
 * change_option() - change one of the options that may be changed
 * @sk:  the connection, open
 * @now: microseconds
 */
void change_option(struct sock *sk, u64 now);

#endif /* CHALK_SIM_CHANGE_H */
