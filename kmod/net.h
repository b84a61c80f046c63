/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net.h - what Chalk keeps for each network namespace
 *
 * One struct chalk_net a namespace: the core's env with its tunables, the
 * counters of dropped segments, the socket that answers for nobody.
 */
#ifndef CHALK_NET_H
#define CHALK_NET_H

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/skbuff.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <net/sock.h>

#include "core/env.h"
#include "core/wire.h"
#include "ip.h"

struct ctl_table_header;

/* Datagrams that sockets took, and that they sent. */
enum chalk_dgrams {
	CHALK_DGRAMS_IN,
	CHALK_DGRAMS_OUT,
	NR_CHALK_DGRAMS,
};

/**
 * struct chalk_counts - what a CPU has counted
 * @drops:  packets not used, for each reason: enum cause less DROP_FIRST
 * @dgrams: enum chalk_dgrams
 */
struct chalk_counts {
	u64 drops[NR_DROPS];
	u64 dgrams[NR_CHALK_DGRAMS];
};

/**
 * struct chalk_net - Chalk in one network namespace
 * @env:         the world of the core in it
 * @net:         the namespace
 * @list:        in the list of all, for chalk_visit_nets()
 * @ctl:         sends segments that belong to no socket; never receives
 * @ctl6:        the same over IPv6, NULL without it
 * @counts:      counters, for each CPU
 * @nr_timewait: TIME_WAIT records alive
 * @closing:     the namespace goes: purge its TIME_WAIT records
 * @rmem:        bytes of a receive buffer: least, default, most
 * @wmem:        the same of a send buffer
 * @sysctl:      net.chalk.*
 */
struct chalk_net {
	struct env env;
	struct net *net;
	struct list_head list;
	struct sock *ctl;
	struct sock *ctl6;
	struct chalk_counts __percpu *counts;
	atomic_t nr_timewait;
	bool closing;
	int rmem[3];
	int wmem[3];
	struct ctl_table_header *sysctl;
};

/* net.c */
extern unsigned int chalk_net_id;

static inline struct chalk_net *chalk_net(const struct net *net)
{
	return net_generic(net, chalk_net_id);
}

/* The clock of the core: microseconds since boot, it never goes back. */
static inline u64 chalk_now(void)
{
	return ktime_to_us(ktime_get());
}

int chalk_net_init(void);
void chalk_net_exit(void);
u32 chalk_next_conn_id(void);
void chalk_visit_nets(void (*fn)(struct chalk_net *cn, void *arg), void *arg);
void chalk_count_drop(struct net *net, enum cause why);
u64 chalk_drops_of(const struct chalk_net *cn, enum cause why);
void chalk_count_datagram(struct net *net, enum chalk_dgrams way);
u64 chalk_datagrams_of(const struct chalk_net *cn, enum chalk_dgrams way);

/* sysctl.c */
int chalk_sysctl_register(struct chalk_net *cn);
void chalk_sysctl_unregister(struct chalk_net *cn);

/* trace.c */
void chalk_trace_init(struct chalk_net *cn);
void chalk_trace_stray(struct net *net, enum event_kind kind, enum cause why,
		       const struct chalk_ends *ends, const struct seg *seg);

/* debugfs.c */
void chalk_debugfs_init(void);
void chalk_debugfs_exit(void);

#endif /* CHALK_NET_H */
