// SPDX-License-Identifier: GPL-2.0
/*
 * send.c - a message becomes a datagram
 *
 *	dgram_make_plan()	to whom, with which IP header, by which route
 *	collect()	the payload, into a buffer that SO_SNDBUF pays for
 *	chalk_dgram_emit()	packet.c
 *
 * Without MSG_MORE and UDP_CORK the socket is not locked: many threads may send
 * at a time. With them the plan is kept in inet_sock.cork and the payload waits
 * in sk_write_queue for a call without.
 */
#include <net/ip.h>
#include <net/route.h>
#include <net/tcp_states.h>

#include "compat.h"
#include "dgram.h"

/**
 * struct plan - where a datagram goes
 * @ipc:       what the socket and the control messages ask for
 * @opt:       memory for IP options
 * @daddr:     the receiver; behind a source route
 * @dport:     its port
 * @connected: the socket's own route will do
 * @out:       what comes of it: the flow, the route, the rest of the IP header
 */
struct plan {
	struct ipcm_cookie ipc;
	struct ip_options_data opt;
	__be32 daddr;
	__be16 dport;
	bool connected;
	struct inet_cork_full out;
};

/* --- to whom --- */

static int dgram_take_address(struct plan *p, const struct sockaddr_in *sin,
			      int len)
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

static int dgram_take_peer(struct plan *p, const struct sock *sk)
{
	if (sk->sk_state != TCP_ESTABLISHED)
		return -EDESTADDRREQ;
	p->daddr = inet_sk(sk)->inet_daddr;
	p->dport = inet_sk(sk)->inet_dport;
	p->connected = true;
	return 0;
}

/* --- with which IP header --- */

static void take_socket_options(struct plan *p, const struct sock *sk)
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

static int dgram_take_options(struct plan *p, struct sock *sk,
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
	if (p->ipc.opt && p->ipc.opt->opt.srr) {
		if (!p->daddr)
			return -EINVAL;
		p->connected = false;
	}
	return 0;
}

/* --- by which route --- */

/* The interface, and for a group the source address, that options name. */
static void dgram_choose_interface(struct plan *p, const struct sock *sk)
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

static void dgram_fill_flow(struct plan *p, struct sock *sk, u8 scope)
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

static struct dst_entry *look_up_route(struct plan *p, struct sock *sk)
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

static int dgram_find_route(struct plan *p, struct sock *sk,
			    const struct msghdr *msg)
{
	u8 scope = ip_sendmsg_scope(inet_sk(sk), &p->ipc, msg);
	struct dst_entry *dst = NULL;

	if (scope == RT_SCOPE_LINK)
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

static void note_timestamp(struct plan *p, struct sock *sk)
{
	sock_tx_timestamp(sk, p->ipc.sockc.tsflags, &p->out.base.tx_flags);
}

static int fill_cork(struct plan *p, struct sock *sk)
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

/* Return: 0, and a route is held, or negative errno. */
static int dgram_make_plan(struct plan *p, struct sock *sk, struct msghdr *msg)
{
	int err;

	memset(p, 0, sizeof(*p));
	if (msg->msg_name)
		err = dgram_take_address(p, msg->msg_name, msg->msg_namelen);
	else
		err = dgram_take_peer(p, sk);
	if (!err)
		err = dgram_take_options(p, sk, msg);
	if (!err)
		err = dgram_find_route(p, sk, msg);
	if (err)
		return err;
	err = fill_cork(p, sk);
	if (err)
		dst_release(p->out.base.dst);
	return err;
}

/* --- the payload --- */

/* What IP can carry; or, where it must not be fragmented, the path. */
static int check_length(struct sock *sk, const struct inet_cork_full *out,
			size_t len)
{
	const struct inet_cork *cork = &out->base;
	u32 header = sizeof(struct iphdr) + (cork->opt ? cork->opt->optlen : 0);
	u32 most = ip_sk_ignore_df(sk) ? IP_MAX_MTU : cork->fragsize;

	if (cork->length + len + DGRAM_HDR <= most - header)
		return 0;
	chalk_dgram_too_long(sk, &out->fl.u.ip4,
			     cork->fragsize + sizeof(struct iphdr) - header);
	return -EMSGSIZE;
}

static void dgram_set_timestamp(struct sock *sk, struct sk_buff *skb,
				u8 tx_flags)
{
	skb_shinfo(skb)->tx_flags = tx_flags;
	if (tx_flags & SKBTX_ANY_TSTAMP &&
	    READ_ONCE(sk->sk_tsflags) & SOF_TIMESTAMPING_OPT_ID)
		skb_shinfo(skb)->tskey = atomic_inc_return(&sk->sk_tskey) - 1;
}

/* Much payload goes to pages: nobody has 64 KB in a row. */
static struct sk_buff *alloc_room(struct sock *sk, unsigned int headroom,
				  size_t len, int flags, int *err)
{
	size_t head = min_t(size_t, len, SKB_MAX_HEAD(headroom));
	struct sk_buff *skb;

	skb = sock_alloc_send_pskb(sk, headroom + head, len - head,
				   flags & MSG_DONTWAIT, err,
				   PAGE_ALLOC_COSTLY_ORDER);
	if (!skb)
		return NULL;
	skb_reserve(skb, headroom);
	skb_put(skb, head);
	skb->data_len = len - head;
	skb->len = len;
	return skb;
}

static struct sk_buff *collect(struct sock *sk, struct msghdr *msg, size_t len,
			       struct inet_cork_full *out)
{
	struct sk_buff *skb;
	int err;

	err = check_length(sk, out, len);
	if (err)
		return ERR_PTR(err);
	skb = alloc_room(sk, chalk_dgram_headroom(out), len, msg->msg_flags,
			 &err);
	if (!skb)
		return ERR_PTR(err);
	err = skb_copy_datagram_from_iter(skb, 0, &msg->msg_iter, len);
	if (err) {
		kfree_skb(skb);
		return ERR_PTR(err);
	}
	if (msg->msg_flags & MSG_CONFIRM)
		skb_set_dst_pending_confirm(skb, 1);
	if (!out->base.length)
		dgram_set_timestamp(sk, skb, out->base.tx_flags);
	out->base.length += len;
	return skb;
}

/* --- a datagram that grows --- */

static int cork(struct sock *sk, const struct plan *p)
{
	struct inet_cork_full *kept = &inet_sk(sk)->cork;
	struct ip_options *opt = NULL;

	if (p->out.base.opt) {
		opt = kmemdup(p->out.base.opt,
			      sizeof(*opt) + p->out.base.opt->optlen,
			      sk->sk_allocation);
		if (!opt)
			return -ENOBUFS;
	}
	*kept = p->out;
	kept->base.opt = opt;
	dst_hold(kept->base.dst);
	WRITE_ONCE(udp_sk(sk)->pending, AF_INET);
	return 0;
}

static void uncork(struct sock *sk)
{
	struct inet_cork *cork = &inet_sk(sk)->cork.base;

	WRITE_ONCE(udp_sk(sk)->pending, 0);
	kfree(cork->opt);
	cork->opt = NULL;
	dst_release(cork->dst);
	cork->dst = NULL;
}

/**
 * chalk_dgram_flush() - forget a datagram that grows, if there is one
 * @sk: the socket, locked
 */
void chalk_dgram_flush(struct sock *sk)
{
	int pending = udp_sk(sk)->pending;

	if (IS_ENABLED(CONFIG_IPV6) && pending == AF_INET6)
		chalk_dgram6_flush(sk);
	if (pending != AF_INET)
		return;
	__skb_queue_purge(&sk->sk_write_queue);
	uncork(sk);
}

/* All of the queue as one buffer. */
static struct sk_buff *join(struct sk_buff_head *queue)
{
	struct sk_buff *skb = __skb_dequeue(queue), *next;
	struct sk_buff **tail = &skb_shinfo(skb)->frag_list;

	while ((next = __skb_dequeue(queue))) {
		skb->len += next->len;
		skb->data_len += next->len;
		skb->truesize += next->truesize;
		/* whose memory it is, @skb answers for all */
		next->destructor = NULL;
		next->sk = NULL;
		*tail = next;
		tail = &next->next;
	}
	return skb;
}

/**
 * chalk_dgram_push() - send a datagram that grew, if there is one
 * @sk: the socket, locked
 */
int chalk_dgram_push(struct sock *sk)
{
	int pending = udp_sk(sk)->pending;
	int err;

	if (IS_ENABLED(CONFIG_IPV6) && pending == AF_INET6)
		return chalk_dgram6_push(sk);
	if (pending != AF_INET)
		return 0;
	err = chalk_dgram_emit(sk, join(&sk->sk_write_queue),
			       &inet_sk(sk)->cork);
	uncork(sk);
	return err;
}

/* An error loses all of it: nobody could tell which part went. */
static int dgram_grow(struct sock *sk, struct msghdr *msg, size_t len,
		      bool more)
{
	struct sk_buff *skb;

	if (udp_sk(sk)->pending != AF_INET)
		return -EINVAL;
	skb = collect(sk, msg, len, &inet_sk(sk)->cork);
	if (IS_ERR(skb)) {
		chalk_dgram_flush(sk);
		return PTR_ERR(skb);
	}
	__skb_queue_tail(&sk->sk_write_queue, skb);
	return more ? 0 : chalk_dgram_push(sk);
}

/* --- the call --- */

static int send_first(struct sock *sk, struct msghdr *msg, size_t len,
		      const struct plan *p)
{
	int err = -EINVAL; /* another thread was faster */

	lock_sock(sk);
	if (!udp_sk(sk)->pending)
		err = cork(sk, p) ?: dgram_grow(sk, msg, len, true);
	release_sock(sk);
	return err;
}

static int send_whole(struct sock *sk, struct msghdr *msg, size_t len,
		      struct plan *p)
{
	struct sk_buff *skb = collect(sk, msg, len, &p->out);

	if (IS_ERR(skb))
		return PTR_ERR(skb);
	return chalk_dgram_emit(sk, skb, &p->out);
}

/* MSG_PROBE: find the route, and send nothing; MSG_CONFIRM: it works. */
static void dgram_probe(const struct msghdr *msg, const struct plan *p)
{
	if (msg->msg_flags & MSG_CONFIRM)
		dst_confirm_neigh(p->out.base.dst, &p->out.fl.u.ip4.daddr);
}

static int dgram_send_planned(struct sock *sk, struct msghdr *msg, size_t len,
			      bool more)
{
	struct plan p;
	int err;

	err = dgram_make_plan(&p, sk, msg);
	if (err)
		return err;
	if (msg->msg_flags & MSG_PROBE)
		dgram_probe(msg, &p);
	else if (more)
		err = send_first(sk, msg, len, &p);
	else
		err = send_whole(sk, msg, len, &p);
	dst_release(p.out.base.dst);
	return err;
}

/**
 * chalk_dgram_lock_if_pending() - lock the socket if a datagram grows
 * @sk: the socket, not locked
 *
 * Return: whether it is locked now.
 */
bool chalk_dgram_lock_if_pending(struct sock *sk)
{
	if (!READ_ONCE(udp_sk(sk)->pending))
		return false;
	lock_sock(sk);
	if (udp_sk(sk)->pending)
		return true;
	release_sock(sk);
	return false;
}

/**
 * chalk_dgram_note_error() - count what was not sent for want of room
 * @sk:  the socket
 * @err: what sending it came to
 *
 * As UDP: memory was short, or SO_SNDBUF full.
 */
void chalk_dgram_note_error(const struct sock *sk, int err)
{
	if (err == -ENOBUFS ||
	    (err && test_bit(SOCK_NOSPACE, &sk->sk_socket->flags)))
		chalk_count(sock_net(sk), MIB_DGRAM_SNDBUF);
}

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
	bool more = udp_test_bit(CORK, sk) || msg->msg_flags & MSG_MORE;
	int err;

	if (len > U16_MAX)
		return -EMSGSIZE;
	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (chalk_dgram_lock_if_pending(sk)) {
		err = dgram_grow(sk, msg, len, more);
		release_sock(sk);
	} else {
		err = dgram_send_planned(sk, msg, len, more);
	}
	chalk_dgram_note_error(sk, err);
	return err ?: len;
}
