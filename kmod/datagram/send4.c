// SPDX-License-Identifier: GPL-2.0
/*
 * send4.c - where a datagram goes over IPv4
 *
 *	dgram_make_plan()	to whom, with which IP header, by which route
 *	dgram_append()		the payload, kept until it is whole
 *
 * The route and the header of a datagram that grows are kept in inet_sock.cork,
 * its packet is the only one in sk_write_queue.
 */
#include <net/ip.h>
#include <net/route.h>
#include <net/tcp_states.h>

#include "compat.h"
#include "dgram.h"

/* --- to whom --- */

static int dgram_take_address(struct chalk_dgram_plan *p,
			      const struct sockaddr_in *sin, int len)
{
	if (len < sizeof(*sin))
		return -EINVAL;
	if (sin->sin_family != AF_INET && sin->sin_family != AF_UNSPEC)
		return -EAFNOSUPPORT;
	if (!sin->sin_port)
		return -EINVAL;
	p->daddr = sin->sin_addr.s_addr;
	p->dport = sin->sin_port;
	return 0;
}

static int dgram_take_peer(struct chalk_dgram_plan *p, const struct sock *sk)
{
	if (sk->sk_state != TCP_ESTABLISHED)
		return -EDESTADDRREQ;
	p->daddr = inet_sk(sk)->inet_daddr;
	p->dport = inet_sk(sk)->inet_dport;
	p->connected = true;
	return 0;
}

/* --- with which IP header --- */

static void take_socket_options(struct chalk_dgram_plan *p,
				const struct sock *sk)
{
	const struct ip_options_rcu *opt;

	rcu_read_lock();
	opt = rcu_dereference(inet_sk(sk)->inet_opt);
	if (opt) {
		memcpy(&p->opt, opt, sizeof(*opt) + opt->opt.optlen);
		p->ipc.opt = &p->opt.opt;
	}
	rcu_read_unlock();
}

static int dgram_take_options(struct chalk_dgram_plan *p, struct sock *sk,
			      struct msghdr *msg)
{
	int err;

	ipcm_init_sk(&p->ipc, inet_sk(sk));
	if (msg->msg_controllen) {
		err = chalk_dgram_cmsg(sk, msg, &p->ipc, &p->opt);
		if (err)
			return err;
		p->connected = false;
	}
	if (!p->ipc.opt)
		take_socket_options(p, sk);
	return 0;
}

/* --- what a program of the cgroup says --- */

/* It may refuse; or choose the receiver, and the address to send from. */
static int dgram_ask_cgroup(struct chalk_dgram_plan *p, struct sock *sk,
			    struct msghdr *msg)
{
	struct sockaddr_in *sin = msg->msg_name;
	int err;

	if (!cgroup_bpf_enabled(CGROUP_UDP4_SENDMSG) || p->connected)
		return 0;
	err = chalk_cgroup_run(UDP4_SENDMSG_LOCK, sk, (struct sockaddr *)sin,
			       &msg->msg_namelen, &p->ipc.addr);
	if (err || !sin)
		return err;
	if (!sin->sin_port)
		return -EINVAL;
	p->daddr = sin->sin_addr.s_addr;
	p->dport = sin->sin_port;
	return 0;
}

/* --- by which route --- */

/* The interface, and for a group the source address, that options name. */
static void dgram_choose_interface(struct chalk_dgram_plan *p,
				   const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);
	struct ipcm_cookie *ipc = &p->ipc;
	struct net *net = sock_net(sk);

	if (ipv4_is_multicast(p->daddr)) {
		if (!ipc->oif || netif_index_is_l3_master(net, ipc->oif))
			ipc->oif = inet->mc_index;
		if (!ipc->addr)
			ipc->addr = inet->mc_addr;
		p->connected = false;
	} else if (!ipc->oif) {
		ipc->oif = inet->uc_index;
	} else if (ipv4_is_lbcast(p->daddr) && inet->uc_index &&
		   ipc->oif == l3mdev_master_ifindex_by_index(net,
							      inet->uc_index)) {
		ipc->oif = inet->uc_index;
	}
}

static void dgram_fill_flow(struct chalk_dgram_plan *p, struct sock *sk,
			    u8 scope)
{
	const struct ip_options_rcu *opt = p->ipc.opt;
	struct flowi4 *fl4 = &p->out.fl.u.ip4;

	flowi4_init_output(fl4, p->ipc.oif, p->ipc.sockc.mark,
			   get_rttos(&p->ipc, inet_sk(sk)) |
				   chalk_scope_tos(scope),
			   scope, IPPROTO_CHALK_DGRAM, inet_sk_flowi_flags(sk),
			   opt && opt->opt.srr ? opt->opt.faddr : p->daddr,
			   p->ipc.addr, p->dport, inet_sk(sk)->inet_sport,
			   sk->sk_uid);
	security_sk_classify_flow(sk, flowi4_to_flowi_common(fl4));
}

static struct dst_entry *look_up_route(struct chalk_dgram_plan *p,
				       struct sock *sk)
{
	struct rtable *rt;

	rt = ip_route_output_flow(sock_net(sk), &p->out.fl.u.ip4, sk);
	if (IS_ERR(rt)) {
		if (PTR_ERR(rt) == -ENETUNREACH)
			IP_INC_STATS(sock_net(sk), IPSTATS_MIB_OUTNOROUTES);
		return ERR_CAST(rt);
	}
	if (rt->rt_flags & RTCF_BROADCAST && !sock_flag(sk, SOCK_BROADCAST)) {
		ip_rt_put(rt);
		return ERR_PTR(-EACCES);
	}
	if (p->connected)
		sk_dst_set(sk, dst_clone(&rt->dst));
	return &rt->dst;
}

static int dgram_find_route(struct chalk_dgram_plan *p, struct sock *sk,
			    const struct msghdr *msg)
{
	u8 scope = ip_sendmsg_scope(inet_sk(sk), &p->ipc, msg);
	bool source_route = p->ipc.opt && p->ipc.opt->opt.srr;
	struct dst_entry *dst = NULL;

	if (source_route && !p->daddr)
		return -EINVAL;
	if (source_route || scope == RT_SCOPE_LINK)
		p->connected = false;
	dgram_choose_interface(p, sk);
	dgram_fill_flow(p, sk, scope);
	if (p->connected)
		dst = sk_dst_check(sk, 0);
	if (!dst)
		dst = look_up_route(p, sk);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	p->out.base.dst = dst;
	return 0;
}

/* --- the plan --- */

static void note_timestamp(struct chalk_dgram_plan *p, struct sock *sk)
{
	sock_tx_timestamp(sk, p->ipc.sockc.tsflags, &p->out.base.tx_flags);
}

static int fill_cork(struct chalk_dgram_plan *p, struct sock *sk)
{
	struct inet_cork *cork = &p->out.base;

	cork->fragsize = ip_sk_use_pmtu(sk) ? dst_mtu(cork->dst) :
					      READ_ONCE(cork->dst->dev->mtu);
	if (!inetdev_valid_mtu(cork->fragsize))
		return -ENETUNREACH;
	if (p->ipc.opt)
		cork->opt = &p->ipc.opt->opt;
	cork->addr = p->daddr;
	cork->ttl = p->ipc.ttl;
	cork->tos = p->ipc.tos;
	cork->priority = p->ipc.priority;
	cork->mark = p->ipc.sockc.mark;
	cork->transmit_time = p->ipc.sockc.transmit_time;
	note_timestamp(p, sk);
	return 0;
}

static int dgram_make_plan(struct chalk_dgram_plan *p, struct sock *sk,
			   struct msghdr *msg)
{
	int err;

	if (msg->msg_name)
		err = dgram_take_address(p, msg->msg_name, msg->msg_namelen);
	else
		err = dgram_take_peer(p, sk);
	if (!err)
		err = dgram_take_options(p, sk, msg);
	if (!err)
		err = dgram_ask_cgroup(p, sk, msg);
	if (!err)
		err = dgram_find_route(p, sk, msg);
	return err ?: fill_cork(p, sk);
}

/* --- a datagram that is whole --- */

static int dgram_send_whole(struct sock *sk, struct msghdr *msg, size_t len,
			    struct chalk_dgram_plan *p)
{
	struct sk_buff *skb = chalk_dgram_collect(sk, msg, len, &p->out);

	if (IS_ERR(skb))
		return PTR_ERR(skb);
	return chalk_dgram_emit(sk, skb, &p->out);
}

/* --- and one that grows --- */

/* The route becomes the socket's, options are copied. */
static int dgram_keep_plan(struct sock *sk, struct chalk_dgram_plan *p)
{
	struct inet_cork_full *kept = &inet_sk(sk)->cork;

	*kept = p->out;
	p->out.base.dst = NULL;
	if (!kept->base.opt)
		return 0;
	kept->base.opt = kmemdup(p->out.base.opt,
				 sizeof(struct ip_options) +
					 p->out.base.opt->optlen,
				 sk->sk_allocation);
	return kept->base.opt ? 0 : -ENOBUFS;
}

static int dgram_append(struct sock *sk, struct msghdr *msg, size_t len,
			struct chalk_dgram_plan *p, bool more)
{
	struct inet_cork_full *kept = &inet_sk(sk)->cork;
	struct sk_buff *skb = skb_peek(&sk->sk_write_queue);
	int err;

	if (skb)
		return chalk_dgram_extend(sk, skb, msg, len, kept);
	err = dgram_keep_plan(sk, p);
	if (err)
		return err;
	skb = chalk_dgram_collect(sk, msg, len, kept);
	if (IS_ERR(skb))
		return PTR_ERR(skb);
	__skb_queue_tail(&sk->sk_write_queue, skb);
	return 0;
}

static void dgram_forget_plan(struct sock *sk)
{
	struct inet_cork *kept = &inet_sk(sk)->cork.base;

	kfree(kept->opt);
	kept->opt = NULL;
	dst_release(kept->dst);
	kept->dst = NULL;
}

static void dgram_flush(struct sock *sk)
{
	__skb_queue_purge(&sk->sk_write_queue);
	dgram_forget_plan(sk);
}

static int dgram_push(struct sock *sk)
{
	struct sk_buff *skb = __skb_dequeue(&sk->sk_write_queue);
	int err = chalk_dgram_emit(sk, skb, &inet_sk(sk)->cork);

	dgram_forget_plan(sk);
	return err;
}

const struct chalk_dgram_way chalk_dgram_by_ipv4 = {
	.family = AF_INET,
	.mixed = -EINVAL,
	.plan = dgram_make_plan,
	.whole = dgram_send_whole,
	.append = dgram_append,
	.push = dgram_push,
	.flush = dgram_flush,
};

/**
 * chalk_dgram_sendmsg() - proto.sendmsg
 * @sk:  the socket, not locked
 * @msg: the message
 * @len: its bytes
 *
 * Return: @len, or negative errno: a datagram goes whole or not at all.
 */
int chalk_dgram_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	if (len > U16_MAX)
		return -EMSGSIZE;
	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	return chalk_dgram_send(sk, msg, len, &chalk_dgram_by_ipv4);
}
