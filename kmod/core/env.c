// SPDX-License-Identifier: GPL-2.0
/*
 * env.c - the tunables as params.h gives them
 */
#include "cc.h"
#include "env.h"
#include "params.h"

void tunables_init(struct tunables *t)
{
	*t = (struct tunables){
		.init_cwnd = INIT_CWND,
		.syn_retries = SYN_RETRIES,
		.synack_retries = SYNACK_RETRIES,
		.retries = DATA_RETRIES,
		.orphan_retries = ORPHAN_RETRIES,
		.keep_probes = KEEP_PROBES,
		.timewait_reuse = TW_REUSE_LOOPBACK,
		.timestamps = true,
		.window_scaling = true,
		.hystart = true,
		.rto_init = RTO_INITIAL,
		.rto_min = RTO_FLOOR,
		.rto_max = RTO_CEILING,
		.delack = DELACK_TIME,
		.msl = MSL,
		.fin_timeout = FIN_TIMEOUT,
		.keep_idle = KEEP_IDLE,
		.keep_interval = KEEP_INTERVAL,
		.cc = &cc_newreno,
	};
}
