// SPDX-License-Identifier: GPL-2.0
/*
 * timewait.c - the small records that connections in TIME_WAIT leave behind
 *
 * Called by chalk_sync_state() when a connection gets there, by input.c for
 * segments to a record, and when a namespace goes. The kernel's
 * inet_timewait_sock keeps the place in the tables and the timer; the core
 * decides about segments.
 *
 * The kernel takes a reference to the module for each record. We give it back
 * at once, so that TIME_WAIT does not hold up rmmod, and take it again in the
 * destructor, just before the kernel drops it. The records of a namespace are
 * counted instead: it goes only when they are gone.
 *
 * A reference to a record is held with softirqs off, never over a sleep or the
 * lock of a socket. So a namespace that goes waits no longer than for a softirq.
 */
#include <linux/module.h>
#include <net/tcp_states.h>

#include "compat.h"
#include "sock.h"

/* Of a namespace. More would be an attack, or a benchmark. */
#define MAX_TW_BUCKETS 65536

/* The last to leave lets the namespace go; all it has counted comes before. */
static void tw_leave(struct chalk_net *cn)
{
	if (refcount_dec_and_test(&cn->timewaits))
		complete(&cn->timewaits_gone);
}

static void tw_destructor(struct sock *sk)
{
	struct chalk_timewait *ct = chalk_timewait(inet_twsk(sk));
	struct chalk_net *cn = chalk_net(twsk_net(&ct->tw));

	timewait_end(&ct->rec, &cn->env, chalk_now());
	tw_leave(cn);
	__module_get(THIS_MODULE);
}

struct timewait_sock_ops chalk_timewait_ops = {
	.twsk_obj_size = sizeof(struct chalk_timewait),
	.twsk_destructor = tw_destructor,
};

struct timewait_sock_ops chalk6_timewait_ops = {
	.twsk_obj_size = sizeof(struct chalk_timewait),
	.twsk_destructor = tw_destructor,
};

static int tw_timeout(const struct timewait *rec, u64 now)
{
	return chalk_jiffies_until(rec->deadline, now);
}

/**
 * chalk_enter_timewait() - leave a record in the place of a connection
 * @sk:  the socket, locked, the connection in TIME_WAIT
 * @now: microseconds
 *
 * Where memory is short, or the namespace has its fill of them, there is none, and
 * the connection just closes.
 */
void chalk_enter_timewait(struct sock *sk, u64 now)
{
	struct chalk_net *cn = chalk_net(sock_net(sk));
	struct inet_timewait_sock *tw;
	struct chalk_timewait *ct;

	tw = inet_twsk_alloc(sk, &cn->death_row, TCP_TIME_WAIT);
	if (!tw) {
		chalk_count(sock_net(sk), MIB_TIME_WAIT_OVERFLOW);
		return;
	}
	module_put(THIS_MODULE);
	refcount_inc(&cn->timewaits);
	tw->tw_mark = sk->sk_mark;
	tw->tw_transparent = chalk_is_transparent(sk);
	tw->tw_txhash = sk->sk_txhash;
	if (IS_ENABLED(CONFIG_IPV6) && sk->sk_family == PF_INET6)
		chalk_ipv6_init_timewait(tw, sk);
	ct = chalk_timewait(tw);
	spin_lock_init(&ct->lock);
	timewait_init(&ct->rec, &chalk_sk(sk)->conn, now);
	inet_twsk_hashdance_schedule(tw, sk, &chalk_hashinfo,
				     tw_timeout(&ct->rec, now));
}

static void tw_send(const struct inet_timewait_sock *tw, const struct seg *seg)
{
	struct chalk_control ctl = {
		.ends = chalk_ends_of((const struct sock *)tw),
		.oif = tw->tw_bound_dev_if,
		.mark = tw->tw_mark,
		.txhash = tw->tw_txhash,
		.tos = tw->tw_tos,
	};
	const struct chalk_ip *ip = chalk_ip_of_ends(&ctl.ends);

	if (ip != &chalk_ipv4) {
		ctl.tos = tw->tw_tclass;
		ctl.label = cpu_to_be32(tw->tw_flowlabel);
	}
	ip->send_control(twsk_net(tw), &ctl, seg);
}

static void tw_answer(struct chalk_timewait *ct, struct env *env)
{
	struct seg seg;
	bool more;

	for (;;) {
		spin_lock(&ct->lock);
		more = timewait_poll(&ct->rec, env, chalk_now(), &seg);
		spin_unlock(&ct->lock);
		if (!more)
			return;
		tw_send(&ct->tw, &seg);
	}
}

/*
 * A new SYN: offer it to a listener. The record goes only if there is one.
 * Return: true if the packet is consumed, and with it the reference.
 */
static bool tw_reopen(struct chalk_timewait *ct, struct sk_buff *skb,
		      const struct seg *seg)
{
	struct chalk_ends ends = chalk_ends_of_packet(skb, seg);
	struct inet_timewait_sock *tw = &ct->tw;
	struct net *net = twsk_net(tw);
	struct sock *listener;
	u32 iss;

	listener = chalk_ip_of_packet(skb)->lookup_listener(net, skb, seg);
	if (!listener)
		return false;
	iss = timewait_next_iss(&ct->rec, chalk_isn(net, &ends, chalk_now()));
	inet_twsk_deschedule_put(tw);
	chalk_count(net, MIB_TIME_WAIT_REOPENED);
	chalk_listen_rx(listener, skb, seg, iss ?: 1);
	return true;
}

static enum timewait_result tw_ask_core(struct chalk_timewait *ct,
					struct env *env, const struct seg *seg,
					enum cause *why)
{
	u64 now = chalk_now();
	u64 deadline;
	enum timewait_result result;

	spin_lock(&ct->lock);
	deadline = ct->rec.deadline;
	result = timewait_rx(&ct->rec, env, seg, now, why);
	if (ct->rec.deadline != deadline)
		inet_twsk_reschedule(&ct->tw, tw_timeout(&ct->rec, now));
	spin_unlock(&ct->lock);
	return result;
}

/**
 * chalk_timewait_rx() - a segment for a record
 * @tw:  the record; its reference is consumed
 * @skb: the packet, consumed
 * @seg: the same, parsed
 */
void chalk_timewait_rx(struct inet_timewait_sock *tw, struct sk_buff *skb,
		       const struct seg *seg)
{
	struct chalk_timewait *ct = chalk_timewait(tw);
	struct net *net = twsk_net(tw);
	struct env *env = &chalk_net(net)->env;
	enum cause why = DROP_NONE;

	switch (tw_ask_core(ct, env, seg, &why)) {
	case TIMEWAIT_OPEN:
		if (tw_reopen(ct, skb, seg))
			return;
		inet_twsk_put(tw);
		break;
	case TIMEWAIT_GONE:
		inet_twsk_deschedule_put(tw);
		break;
	case TIMEWAIT_DROP:
		tw_answer(ct, env);
		inet_twsk_put(tw);
		break;
	}
	chalk_free(net, skb, why);
}

/* --- when a namespace, or the module, goes --- */

static bool tw_is_to_go(const struct sock *sk)
{
	return inet_sk_state_load(sk) == TCP_TIME_WAIT &&
	       READ_ONCE(chalk_net(sock_net(sk))->closing);
}

/* Return: a record that has to go, with a reference, or NULL. */
static struct inet_timewait_sock *tw_find_in_bucket(unsigned int slot)
{
	struct inet_ehash_bucket *head = &chalk_hashinfo.ehash[slot];
	spinlock_t *lock = inet_ehash_lockp(&chalk_hashinfo, slot);
	struct hlist_nulls_node *node;
	struct sock *sk, *found = NULL;

	if (hlist_nulls_empty(&head->chain))
		return NULL;
	spin_lock_bh(lock);
	sk_nulls_for_each(sk, node, &head->chain) {
		if (!tw_is_to_go(sk) || !refcount_inc_not_zero(&sk->sk_refcnt))
			continue;
		found = sk;
		break;
	}
	spin_unlock_bh(lock);
	return found ? inet_twsk(found) : NULL;
}

/* End TIME_WAIT in every namespace that closes. */
static void tw_purge(void)
{
	struct inet_timewait_sock *tw;
	unsigned int slot;

	for (slot = 0; slot <= chalk_hashinfo.ehash_mask; slot++) {
		while ((tw = tw_find_in_bucket(slot))) {
			local_bh_disable();
			inet_twsk_deschedule_put(tw);
			local_bh_enable();
		}
		cond_resched();
	}
}

static int __net_init stream_net_init(struct net *net)
{
	struct chalk_net *cn = chalk_net(net);

	cn->env.emit = chalk_emit;
	cn->death_row.hashinfo = &chalk_hashinfo;
	cn->death_row.sysctl_max_tw_buckets = MAX_TW_BUCKETS;
	refcount_set(&cn->death_row.tw_refcount, 1);
	refcount_set(&cn->timewaits, 1);
	init_completion(&cn->timewaits_gone);
	return 0;
}

/* A softirq on another CPU may still have a record that the purge ended. */
static void __net_exit stream_net_exit(struct list_head *nets)
{
	struct chalk_net *cn;
	struct net *net;

	list_for_each_entry(net, nets, exit_list)
		WRITE_ONCE(chalk_net(net)->closing, true);
	tw_purge();
	list_for_each_entry(net, nets, exit_list) {
		cn = chalk_net(net);
		tw_leave(cn);
		wait_for_completion(&cn->timewaits_gone);
	}
}

static struct pernet_operations stream_net_ops = {
	.init = stream_net_init,
	.exit_batch = stream_net_exit,
};

/**
 * chalk_stream_net_init() - join every namespace; struct chalk_net is there
 */
int chalk_stream_net_init(void)
{
	return register_pernet_subsys(&stream_net_ops);
}

/**
 * chalk_stream_net_exit() - the reverse; no socket is left, no packet comes in
 */
void chalk_stream_net_exit(void)
{
	unregister_pernet_subsys(&stream_net_ops);
	/* the last record counts as gone a moment before it is freed */
	synchronize_rcu();
}
