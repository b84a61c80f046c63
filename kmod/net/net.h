/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net.h - what Chalk keeps for each network namespace
 *
 * One struct chalk_net a namespace: the core's env with its tunables, the
 * counters of dropped segments, the socket that answers for nobody.
 */
#ifndef CHALK_NET_H
#define CHALK_NET_H

#include <linux/completion.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/skbuff.h>
#include <net/inet_timewait_sock.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <net/sock.h>

#include "core/env.h"

struct ctl_table_header;

/**
 * struct chalk_net - Chalk in one network namespace
 * @env:         the world of the core in it, with the counters
 * @net:         the namespace
 * @list:        in the list of all, for chalk_visit_nets()
 * @ctl:         sends segments that belong to no socket; never receives
 * @ctl6:        the same over IPv6, NULL without it
 * @death_row:   what the kernel knows of TIME_WAIT here: how many, at most
 * @timewaits:   TIME_WAIT records alive, and one until the namespace goes
 * @timewaits_gone: there is none any more
 * @closing:     the namespace goes: purge its TIME_WAIT records
 * @rmem:        bytes of a receive buffer: least, default, most
 * @wmem:        the same of a send buffer
 * @max_syn_backlog: connections in SYN_RCVD that a listener may have
 * @sysctl:      net.chalk.*
 */
struct chalk_net {
	struct env env;
	struct net *net;
	struct list_head list;
	struct sock *ctl;
	struct sock *ctl6;
	struct inet_timewait_death_row death_row;
	refcount_t timewaits;
	struct completion timewaits_gone;
	bool closing;
	int rmem[3];
	int wmem[3];
	int max_syn_backlog;
	struct ctl_table_header *sysctl;
};

/* net.c */
extern unsigned int chalk_net_id;

static inline struct chalk_net *chalk_net(const struct net *net)
{
	return net_generic(net, chalk_net_id);
}

/* Everything of IPv6 hides behind this; without it nothing of it is linked. */
static inline bool chalk_has_ipv6(void)
{
	return IS_ENABLED(CONFIG_IPV6) && ipv6_mod_enabled();
}

/* The clock of the core: microseconds since boot, it never goes back. */
static inline u64 chalk_now(void)
{
	return ktime_to_us(ktime_get());
}

int chalk_net_init(void);
void chalk_net_exit(void);
u32 chalk_next_conn_id(void);
void chalk_set_tracing(bool on);
void chalk_visit_nets(void (*fn)(struct chalk_net *cn, void *arg), void *arg);

static inline void chalk_count(const struct net *net, enum mib_item item)
{
	mib_count(&chalk_net(net)->env, item);
}

/* How often, so far. */
static inline unsigned long chalk_counted(const struct chalk_net *cn,
					  enum mib_item item)
{
	return snmp_fold_field(cn->env.mib, item);
}

/* drop.c */
void chalk_free(struct net *net, struct sk_buff *skb, enum cause why);

/* sysctl.c */
extern long chalk_mem[3];
extern int chalk_max_orphans;

int chalk_sysctl_register(struct chalk_net *cn);
void chalk_sysctl_unregister(struct chalk_net *cn);

#endif /* CHALK_NET_H */
