/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mib.h - what is counted for all connections together
 *
 * Owns the numbers behind /proc/net/chalk/snmp (docs/counters.md): an array for
 * each env, of which the kernel has a copy for each CPU. Whoever decides
 * something counts it: the core here, the habitat where it alone knows. Drop
 * reasons count in the same array, so that what is shown may be a sum of both.
 * Per connection: stats.h.
 */
#ifndef CHALK_CORE_MIB_H
#define CHALK_CORE_MIB_H

#include "event.h"
#include "types.h"

enum mib_item {
	MIB_NONE,
	/* RFC 4022 */
	MIB_ACTIVE_OPENS,
	MIB_PASSIVE_OPENS,
	MIB_ATTEMPT_FAILS,
	MIB_ESTAB_RESETS,
	MIB_CURR_ESTAB, /* goes down, too */
	MIB_IN_SEGS, /* of the habitat: also what no core ever sees */
	MIB_OUT_SEGS, /* without retransmissions */
	MIB_RETRANS_SEGS,
	MIB_OUT_RSTS,
	/* sending */
	MIB_DATA_SENT, /* segments with new payload, or a FIN */
	MIB_TIMEOUTS,
	MIB_SYN_RETRANS,
	MIB_FAST_RETRANS,
	MIB_SLOW_START_RETRANS, /* after a timeout; not the first segment */
	MIB_RECOVERY,
	MIB_RECOVERY_FAIL, /* a timeout ended it */
	MIB_WIN_PROBE,
	MIB_KEEPALIVE,
	/* receiving */
	MIB_DELAYED_ACKS,
	MIB_DELAYED_ACK_LOST,
	MIB_CHALLENGE_ACK,
	MIB_CHALLENGE_SKIPPED,
	MIB_EARLY,
	MIB_TO_ZERO_WINDOW,
	MIB_FROM_ZERO_WINDOW,
	MIB_WANT_ZERO_WINDOW,
	/* ends */
	MIB_ABORT_ON_DATA,
	MIB_ABORT_ON_CLOSE,
	MIB_ABORT_ON_TIMEOUT,
	MIB_ABORT_ON_LINGER,
	MIB_ABORT_ON_MEMORY,
	MIB_EMBRYONIC_RSTS,
	MIB_TIME_WAIT, /* lasted its time */
	MIB_TIME_WAIT_REOPENED,
	MIB_TIME_WAIT_RECYCLED, /* of the habitat: made way for ours */
	MIB_TIME_WAIT_OVERFLOW, /* of the habitat: no place for another */
	/* of the habitat: memory that is short */
	MIB_PRUNE_CALLED,
	MIB_RCV_PRUNED,
	MIB_OFO_PRUNED,
	MIB_MEMORY_PRESSURES,
	/* of the habitat: ICMP and datagrams */
	MIB_ICMP_OUT_OF_WINDOW,
	MIB_ICMP_LOCKED,
	MIB_DGRAM_IN,
	MIB_DGRAM_OUT,
	MIB_DGRAM_SNDBUF,
	/* for each drop reason, MIB_DROP() */
	MIB_DROPS,
	NR_MIB_ITEMS = MIB_DROPS + NR_DROPS,
};

/* Where a drop reason, DROP_FIRST or above, is counted. */
#define MIB_DROP(why) (MIB_DROPS - DROP_FIRST + (why))

/**
 * struct mib - the counts, as snmp_fold_field() wants them
 * @mibs: by enum mib_item
 */
struct mib {
	unsigned long mibs[NR_MIB_ITEMS];
};

#endif /* CHALK_CORE_MIB_H */
