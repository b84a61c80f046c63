// SPDX-License-Identifier: GPL-2.0
/*
 * timewait.c - the small records that connections leave behind
 *
 * Of TIME_WAIT, and of FIN_WAIT_2 where no process holds the connection. Called
 * by chalk_sync_state() when a connection gets there, by input.c for
 * segments to a record, and when a namespace goes. The kernel's
 * inet_timewait_sock keeps the place in the tables and the timer; the core
 * decides about segments.
 *
 * A record does not hold the module, so that TIME_WAIT does not hold up rmmod.
 * The records of a namespace are counted instead: it goes only when they are gone,
 * and the module only when it has left all namespaces.
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
}

struct timewait_sock_ops chalk_timewait_ops = {
	.twsk_obj_size = sizeof(struct chalk_timewait),
	.twsk_destructor = tw_destructor,
};

struct timewait_sock_ops chalk6_timewait_ops = {
	.twsk_obj_size = sizeof(struct chalk_timewait),
	.twsk_destructor = tw_destructor,
};

/*
 * What the kernel asks of a record's protocol. There is no owner here: the kernel
 * would drop a reference to it with each record.
 */
static struct proto record_prot = {
	.twsk_prot = &chalk_timewait_ops,
	.diag_destroy = chalk_abort,
};

static struct proto record6_prot = {
	.twsk_prot = &chalk6_timewait_ops,
	.diag_destroy = chalk_abort,
};

/* The kernel has taken a reference for the record; the socket still has its own. */
static void tw_disown(struct inet_timewait_sock *tw)
{
	tw->tw_prot = tw->tw_family == PF_INET6 ? &record6_prot : &record_prot;
	module_put(THIS_MODULE);
}

static int tw_timeout(const struct timewait *rec, u64 now)
{
	return chalk_jiffies_until(rec->deadline, now);
}

/**
 * chalk_enter_timewait() - leave a record in the place of a connection
 * @sk:  the socket, locked; for its connection timewait_suffices()
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

	tw = inet_twsk_alloc(sk, &cn->death_row, chalk_sk(sk)->conn.state);
	if (!tw) {
		chalk_count(sock_net(sk), MIB_TIME_WAIT_OVERFLOW);
		return;
	}
	tw_disown(tw);
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

/**
 * chalk_timewait_give_way() - a SYN is taken: the record leaves the tables
 * @tw: the record; the caller keeps its reference
 */
void chalk_timewait_give_way(struct inet_timewait_sock *tw)
{
	struct chalk_timewait *ct = chalk_timewait(tw);

	spin_lock(&ct->lock);
	timewait_stop(&ct->rec, BY_RCVD_SYN);
	spin_unlock(&ct->lock);
	chalk_count(twsk_net(tw), MIB_TIME_WAIT_REOPENED);
	refcount_inc(&tw->tw_refcnt);
	inet_twsk_deschedule_put(tw);
}

static enum cause tw_stay(struct chalk_timewait *ct, const struct seg *seg)
{
	struct env *env = &chalk_net(twsk_net(&ct->tw))->env;
	enum cause why;

	spin_lock(&ct->lock);
	why = timewait_stay(&ct->rec, env, seg, chalk_now());
	spin_unlock(&ct->lock);
	tw_answer(ct, env);
	return why;
}

/*
 * A new SYN: offer it to a listener, by whose rules it has to pass. The record
 * goes only when the SYN is taken. Consumes the packet.
 */
static void tw_reopen(struct chalk_timewait *ct, struct sk_buff *skb,
		      const struct seg *seg)
{
	struct chalk_ends ends = chalk_ends_of_packet(skb, seg);
	struct net *net = twsk_net(&ct->tw);
	struct sock *listener;
	enum cause why;
	u32 iss;

	listener = chalk_ip_of_packet(skb)->lookup_listener(net, skb, seg);
	if (!listener) {
		chalk_free(net, skb, tw_stay(ct, seg));
		return;
	}
	why = chalk_refused_by(listener, skb);
	if (why) {
		chalk_drop(net, skb, seg, why);
		return;
	}
	iss = timewait_next_iss(&ct->rec, chalk_isn(net, &ends, chalk_now()));
	chalk_listen_rx(listener, skb, seg, iss ?: 1, &ct->tw);
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
	/* what inet_diag shows */
	WRITE_ONCE(ct->tw.tw_substate, ct->rec.state);
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
		tw_reopen(ct, skb, seg);
		inet_twsk_put(tw);
		return;
	case TIMEWAIT_GONE:
		tw_answer(ct, env);
		inet_twsk_deschedule_put(tw);
		break;
	case TIMEWAIT_DROP:
		tw_answer(ct, env);
		inet_twsk_put(tw);
		break;
	}
	chalk_free(net, skb, why);
}

/**
 * chalk_timewait_abort() - an administrator ends a record
 * @tw: the record; the caller keeps its reference
 */
void chalk_timewait_abort(struct inet_timewait_sock *tw)
{
	struct chalk_timewait *ct = chalk_timewait(tw);

	local_bh_disable();
	spin_lock(&ct->lock);
	timewait_abort(&ct->rec);
	spin_unlock(&ct->lock);
	tw_answer(ct, &chalk_net(twsk_net(tw))->env);
	refcount_inc(&tw->tw_refcnt);
	inet_twsk_deschedule_put(tw);
	local_bh_enable();
}

/* --- records that go before their time --- */

/* Which records are to go: asked under the lock of their bucket. */
typedef bool (*tw_choice)(struct inet_timewait_sock *tw, void *arg);

/* Return: a record that has to go, with a reference, or NULL. */
static struct inet_timewait_sock *tw_find_in_bucket(unsigned int slot,
						    tw_choice goes, void *arg)
{
	struct inet_ehash_bucket *head = &chalk_hashinfo.ehash[slot];
	spinlock_t *lock = inet_ehash_lockp(&chalk_hashinfo, slot);
	struct inet_timewait_sock *found = NULL;
	struct hlist_nulls_node *node;
	struct sock *sk;

	if (hlist_nulls_empty(&head->chain))
		return NULL;
	spin_lock(lock);
	sk_nulls_for_each(sk, node, &head->chain) {
		if (inet_sk_state_load(sk) != TCP_TIME_WAIT ||
		    !goes(inet_twsk(sk), arg) ||
		    !refcount_inc_not_zero(&sk->sk_refcnt))
			continue;
		found = inet_twsk(sk);
		break;
	}
	spin_unlock(lock);
	return found;
}

/* Return: how many went. */
static unsigned int tw_end_chosen(tw_choice goes, void *arg)
{
	struct inet_timewait_sock *tw;
	unsigned int slot, n = 0;

	for (slot = 0; slot <= chalk_hashinfo.ehash_mask; slot++) {
		local_bh_disable();
		while ((tw = tw_find_in_bucket(slot, goes, arg))) {
			inet_twsk_deschedule_put(tw);
			n++;
		}
		local_bh_enable();
		cond_resched();
	}
	return n;
}

/* --- a connection wants a port that TIME_WAIT keeps --- */

/**
 * struct tw_wish - what it wants
 * @sk:    its socket
 * @ends:  between whom; the local port is 0 where any will do
 * @claim: the same for the core
 * @now:   microseconds
 */
struct tw_wish {
	struct sock *sk;
	struct chalk_ends ends;
	struct timewait_claim claim;
	u64 now;
};

static bool is_loopback(const struct in6_addr *addr)
{
	return ipv6_addr_loopback(addr) || ipv6_addr_v4mapped_loopback(addr);
}

/* As the kernel's TCP: not all that goes over lo can be told. */
static bool tw_is_on_loopback(const struct inet_timewait_sock *tw,
			      const struct chalk_ends *ends)
{
	return tw->tw_bound_dev_if == LOOPBACK_IFINDEX ||
	       is_loopback(&ends->laddr) || is_loopback(&ends->raddr);
}

static bool tw_is_in_the_way(const struct inet_timewait_sock *tw,
			     const struct chalk_ends *ends,
			     const struct tw_wish *wish)
{
	const struct chalk_ends *wanted = &wish->ends;

	return net_eq(twsk_net(tw), sock_net(wish->sk)) &&
	       ends->rport == wanted->rport &&
	       (!wanted->lport || ends->lport == wanted->lport) &&
	       ipv6_addr_equal(&ends->raddr, &wanted->raddr) &&
	       ipv6_addr_equal(&ends->laddr, &wanted->laddr) &&
	       (!tw->tw_bound_dev_if ||
		tw->tw_bound_dev_if == wish->sk->sk_bound_dev_if);
}

/* A tw_choice. The name that goes last says where the connection begins. */
static bool tw_yields(struct inet_timewait_sock *tw, void *arg)
{
	struct chalk_ends ends = chalk_ends_of((const struct sock *)tw);
	struct chalk_timewait *ct = chalk_timewait(tw);
	struct net *net = twsk_net(tw);
	struct tw_wish *wish = arg;
	bool yields;

	if (!tw_is_in_the_way(tw, &ends, wish))
		return false;
	wish->claim.iss = chalk_isn(net, &ends, wish->now);
	wish->claim.loopback = tw_is_on_loopback(tw, &ends);
	spin_lock(&ct->lock);
	yields = timewait_yields(&ct->rec, &chalk_net(net)->env, &wish->claim,
				 wish->now);
	if (yields) {
		timewait_stop(&ct->rec, BY_USER_OPEN);
		if (wish->claim.named)
			chalk_sk(wish->sk)->iss =
				timewait_next_iss(&ct->rec, wish->claim.iss) ?:
									       1;
	}
	spin_unlock(&ct->lock);
	return yields;
}

/* Return: false if there is nothing that yields. */
static bool tw_make_way(struct sock *sk)
{
	struct tw_wish wish = {
		.sk = sk,
		.ends = chalk_ends_of(sk),
		.claim.named = sk->sk_num,
		.now = chalk_now(),
	};
	unsigned int n = tw_end_chosen(tw_yields, &wish);

	mib_add(chalk_env(sk), MIB_TIME_WAIT_RECYCLED, n);
	return n;
}

/**
 * chalk_hash_connect() - give a connection a port and its place in the tables
 * @sk:   the socket, locked; its addresses are set
 * @hash: inet_hash_connect() or inet6_hash_connect()
 *
 * Where no port is left, TIME_WAIT makes way as far as timewait_yields() lets it.
 * The kernel asks its TCP about each record that it meets, but no other protocol
 * since 6.10. So all records of the peer go at once, and the search for a port,
 * which then has to be repeated, does not become the rule.
 *
 * Return: 0 or a negative errno.
 */
int chalk_hash_connect(struct sock *sk,
		       int (*hash)(struct inet_timewait_death_row *row,
				   struct sock *sk))
{
	struct inet_timewait_death_row *row =
		&chalk_net(sock_net(sk))->death_row;
	int err;

	chalk_sk(sk)->iss = 0;
	err = hash(row, sk);
	if (err == -EADDRNOTAVAIL && tw_make_way(sk))
		err = hash(row, sk);
	return err;
}

/* --- when a namespace, or the module, goes --- */

/* A tw_choice */
static bool tw_closes(struct inet_timewait_sock *tw, void *arg)
{
	struct chalk_timewait *ct = chalk_timewait(tw);

	if (!READ_ONCE(chalk_net(twsk_net(tw))->closing))
		return false;
	spin_lock(&ct->lock);
	timewait_stop(&ct->rec, BY_USER_ABORT);
	spin_unlock(&ct->lock);
	return true;
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
	tw_end_chosen(tw_closes, NULL);
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
