// SPDX-License-Identifier: GPL-2.0
/*
 * net.c - Chalk in each network namespace
 *
 * Owns struct chalk_net: made when the module is loaded or a namespace is born,
 * gone when either goes. By then only TIME_WAIT is left in it (sock.h).
 */
#include <linux/mutex.h>
#include <linux/sched.h>
#include <net/inet_common.h>

#include "sock.h"

unsigned int chalk_net_id __read_mostly;

static LIST_HEAD(all_nets);
static DEFINE_MUTEX(all_nets_lock);

static atomic_t last_conn_id = ATOMIC_INIT(0);

/**
 * chalk_next_conn_id() - a number for the trace, unique over all namespaces
 */
u32 chalk_next_conn_id(void)
{
	return atomic_inc_return(&last_conn_id);
}

/**
 * chalk_visit_nets() - call a function for every namespace; may sleep
 * @fn:  the function
 * @arg: its second argument
 */
void chalk_visit_nets(void (*fn)(struct chalk_net *cn, void *arg), void *arg)
{
	struct chalk_net *cn;

	mutex_lock(&all_nets_lock);
	list_for_each_entry(cn, &all_nets, list)
		fn(cn, arg);
	mutex_unlock(&all_nets_lock);
}

/* --- a namespace comes --- */

static void set_defaults(struct chalk_net *cn, struct net *net)
{
	/* as TCP: the default is where autotuning begins */
	static const int rmem[3] = { SZ_4K, SZ_128K, 6 * SZ_1M };
	static const int wmem[3] = { SZ_4K, SZ_16K, SZ_4M };

	cn->net = net;
	tunables_init(&cn->env.tun);
	memcpy(cn->rmem, rmem, sizeof(rmem));
	memcpy(cn->wmem, wmem, sizeof(wmem));
	atomic_set(&cn->nr_timewait, 0);
}

/*
 * As the sysctl table and the trace see a namespace only when it is complete,
 * so the list takes it last and with the trace switched under the same lock.
 */
static void enlist(struct chalk_net *cn)
{
	mutex_lock(&all_nets_lock);
	chalk_trace_init(cn);
	list_add_tail(&cn->list, &all_nets);
	mutex_unlock(&all_nets_lock);
}

static void delist(struct chalk_net *cn)
{
	mutex_lock(&all_nets_lock);
	list_del(&cn->list);
	mutex_unlock(&all_nets_lock);
}

static void destroy_ctl(struct chalk_net *cn)
{
	if (cn->ctl6)
		inet_ctl_sock_destroy(cn->ctl6);
	inet_ctl_sock_destroy(cn->ctl);
}

/* Raw sockets: those of ours would hold the module for ever. */
static int __net_init make_ctl(struct chalk_net *cn, struct net *net)
{
	int err;

	err = inet_ctl_sock_create(&cn->ctl, PF_INET, SOCK_RAW, IPPROTO_CHALK,
				   net);
	if (err || !chalk_has_ipv6())
		return err;
	err = inet_ctl_sock_create(&cn->ctl6, PF_INET6, SOCK_RAW, IPPROTO_CHALK,
				   net);
	if (err)
		inet_ctl_sock_destroy(cn->ctl);
	return err;
}

static int __net_init net_init(struct net *net)
{
	struct chalk_net *cn = chalk_net(net);
	int err;

	set_defaults(cn, net);
	cn->env.mib = alloc_percpu(struct mib);
	if (!cn->env.mib)
		return -ENOMEM;
	err = make_ctl(cn, net);
	if (err)
		goto out_mib;
	err = chalk_snmp_register(net);
	if (err)
		goto out_ctl;
	err = chalk_sysctl_register(cn);
	if (err)
		goto out_snmp;
	enlist(cn);
	return 0;

out_snmp:
	chalk_snmp_unregister(net);
out_ctl:
	destroy_ctl(cn);
out_mib:
	free_percpu(cn->env.mib);
	return err;
}

/* --- a namespace goes --- */

/* A CPU may still look at a record, for the length of a softirq. */
static void wait_for_timewait(struct chalk_net *cn)
{
	while (atomic_read(&cn->nr_timewait))
		schedule_timeout_uninterruptible(1);
}

static void net_exit(struct chalk_net *cn)
{
	wait_for_timewait(cn);
	delist(cn);
	chalk_sysctl_unregister(cn);
	chalk_snmp_unregister(cn->net);
	destroy_ctl(cn);
	free_percpu(cn->env.mib);
}

static void __net_exit net_exit_batch(struct list_head *nets)
{
	struct net *net;

	list_for_each_entry(net, nets, exit_list)
		WRITE_ONCE(chalk_net(net)->closing, true);
	chalk_timewait_purge();
	list_for_each_entry(net, nets, exit_list)
		net_exit(chalk_net(net));
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.exit_batch = net_exit_batch,
	.id = &chalk_net_id,
	.size = sizeof(struct chalk_net),
};

/**
 * chalk_net_init() - join every namespace there is and will be
 */
int chalk_net_init(void)
{
	return register_pernet_subsys(&net_ops);
}

/**
 * chalk_net_exit() - the reverse; no socket is left, and no packet comes in
 */
void chalk_net_exit(void)
{
	unregister_pernet_subsys(&net_ops);
	/* the last record counts as gone a moment before it is freed */
	synchronize_rcu();
}
