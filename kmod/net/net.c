// SPDX-License-Identifier: GPL-2.0
/*
 * net.c - Chalk in each network namespace
 *
 * Owns struct chalk_net: made when the module is loaded or a namespace is born,
 * gone when either goes. By then nothing of Chalk is left in it: the rooms above
 * clear theirs first.
 */
#include <linux/mutex.h>
#include <linux/swap.h>
#include <net/inet_common.h>

#include "chalk.h"
#include "net.h"

unsigned int chalk_net_id __read_mostly;

/*
 * A burst of clients fits, whatever backlog the program names: that is for
 * connections which wait for accept(). A record takes less than 1 KiB.
 */
#define MAX_SYN_BACKLOG 1024

static LIST_HEAD(all_nets);
static DEFINE_MUTEX(all_nets_lock);

/* What env.tracing is everywhere; under all_nets_lock. */
static bool tracing;

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

/**
 * chalk_set_tracing() - let the core emit events, or not; may sleep
 * @on: in every namespace there is and will be
 */
void chalk_set_tracing(bool on)
{
	struct chalk_net *cn;

	mutex_lock(&all_nets_lock);
	tracing = on;
	list_for_each_entry(cn, &all_nets, list)
		WRITE_ONCE(cn->env.tracing, on);
	mutex_unlock(&all_nets_lock);
}

/* --- a namespace comes --- */

/*
 * As tcp_init(): autotuning begins at the default, and no buffer grows beyond
 * 1/128 of the memory.
 */
static void net_set_buffers(struct chalk_net *cn)
{
	unsigned long share = nr_free_buffer_pages() << (PAGE_SHIFT - 7);

	cn->rmem[0] = SZ_4K;
	cn->rmem[1] = SZ_128K;
	cn->rmem[2] = clamp_t(unsigned long, share, SZ_128K, 6 * SZ_1M);
	cn->wmem[0] = SZ_4K;
	cn->wmem[1] = SZ_16K;
	cn->wmem[2] = clamp_t(unsigned long, share, SZ_64K, SZ_4M);
}

static void net_set_defaults(struct chalk_net *cn, struct net *net)
{
	cn->net = net;
	tunables_init(&cn->env.tun);
	net_set_buffers(cn);
	cn->max_syn_backlog = MAX_SYN_BACKLOG;
}

/*
 * The list takes a namespace last, when it is complete, and the trace is
 * switched under the same lock: nobody misses it.
 */
static void net_enlist(struct chalk_net *cn)
{
	mutex_lock(&all_nets_lock);
	WRITE_ONCE(cn->env.tracing, tracing);
	list_add_tail(&cn->list, &all_nets);
	mutex_unlock(&all_nets_lock);
}

static void net_delist(struct chalk_net *cn)
{
	mutex_lock(&all_nets_lock);
	list_del(&cn->list);
	mutex_unlock(&all_nets_lock);
}

static void net_destroy_ctl(struct chalk_net *cn)
{
	if (cn->ctl6)
		inet_ctl_sock_destroy(cn->ctl6);
	inet_ctl_sock_destroy(cn->ctl);
}

/* Raw sockets: those of ours would hold the module for ever. */
static int __net_init net_make_ctl(struct chalk_net *cn, struct net *net)
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

	net_set_defaults(cn, net);
	cn->env.mib = alloc_percpu(struct mib);
	if (!cn->env.mib)
		return -ENOMEM;
	err = net_make_ctl(cn, net);
	if (err)
		goto out_mib;
	err = chalk_sysctl_register(cn);
	if (err)
		goto out_ctl;
	net_enlist(cn);
	return 0;

out_ctl:
	net_destroy_ctl(cn);
out_mib:
	free_percpu(cn->env.mib);
	return err;
}

/* --- a namespace goes --- */

static void __net_exit net_exit(struct net *net)
{
	struct chalk_net *cn = chalk_net(net);

	net_delist(cn);
	chalk_sysctl_unregister(cn);
	net_destroy_ctl(cn);
	free_percpu(cn->env.mib);
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.exit = net_exit,
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
}
