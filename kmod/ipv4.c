// SPDX-License-Identifier: GPL-2.0
/*
 * ipv4.c - what is particular to IPv4
 *
 * Fills the table of ip.h, and the kernel's table for connections.
 */
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/l3mdev.h>
#include <net/route.h>

#include "core/params.h"
#include "sock.h"

/* The IPv4 address in one that is mapped. */
static __be32 unmap(const struct in6_addr *addr)
{
	return addr->s6_addr32[3];
}

/* --- packets that arrive --- */

/* RFC 9293 section 3.9.2.3, MUST-57: to and from one host only. */
static bool is_unicast(const struct sk_buff *skb)
{
	return skb->pkt_type == PACKET_HOST &&
	       skb_rtable(skb)->rt_type == RTN_LOCAL &&
	       !ipv4_is_multicast(ip_hdr(skb)->saddr) &&
	       !ipv4_is_lbcast(ip_hdr(skb)->saddr);
}

static bool is_damaged(struct sk_buff *skb)
{
	return skb_checksum_validate(skb, IPPROTO_CHALK, inet_compute_pseudo);
}

static void get_addresses(const struct sk_buff *skb, struct chalk_ends *ends)
{
	ipv6_addr_set_v4mapped(ip_hdr(skb)->daddr, &ends->laddr);
	ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &ends->raddr);
}

static struct sock *lookup(struct sk_buff *skb, const struct seg *seg,
			   bool *refcounted)
{
	return __inet_lookup_skb(&chalk_hashinfo, skb, seg->hdr_len,
				 htons(seg->sport), htons(seg->dport),
				 inet_sdif(skb), refcounted);
}

static struct sock *lookup_listener(struct net *net, struct sk_buff *skb,
				    const struct seg *seg)
{
	const struct iphdr *iph = ip_hdr(skb);

	return __inet_lookup_listener(net, &chalk_hashinfo, skb, seg->hdr_len,
				      iph->saddr, htons(seg->sport), iph->daddr,
				      seg->dport, inet_iif(skb),
				      inet_sdif(skb));
}

static bool is_too_far(const struct sock *sk, const struct sk_buff *skb)
{
	return ip_hdr(skb)->ttl < READ_ONCE(inet_sk(sk)->min_ttl);
}

/* --- without a connection --- */

static __sum16 pseudo(__be32 saddr, __be32 daddr, unsigned int len)
{
	return ~csum_tcpudp_magic(saddr, daddr, len, IPPROTO_CHALK, 0);
}

/* @sk gives the IP protocol, TTL and the like; need not be locked. */
static void send_bare(const struct sock *sk, struct dst_entry *dst,
		      __be32 saddr, __be32 daddr, u8 tos, u32 mark,
		      const struct seg *seg)
{
	struct sk_buff *skb = chalk_bare_packet(seg);

	if (!skb)
		return;
	skb->mark = mark;
	skb_dst_set(skb, dst_clone(dst));
	chalk_start_sum(skb, pseudo(saddr, daddr, skb->len));
	if (chalk_finish_sum(skb, dst))
		ip_build_and_send_pkt(skb, sk, saddr, daddr, NULL, tos);
	else
		kfree_skb(skb);
}

/* Through the same VRF the packet came by. */
static void fill_reset(struct net *net, const struct sk_buff *skb,
		       struct chalk_control *ctl)
{
	if (netif_index_is_l3_master(net, skb->skb_iif))
		ctl->oif = skb->skb_iif;
	ctl->tos = ip_hdr(skb)->tos & ~INET_ECN_MASK;
	ctl->mark = IP4_REPLY_MARK(net, skb->mark);
}

static void send_control(struct net *net, const struct chalk_control *ctl,
			 const struct seg *seg)
{
	__be32 saddr = unmap(&ctl->ends.laddr), daddr = unmap(&ctl->ends.raddr);
	struct sock *sk = chalk_net(net)->ctl;
	struct rtable *rt;
	struct flowi4 fl4;

	flowi4_init_output(&fl4, ctl->oif, ctl->mark, 0, RT_SCOPE_UNIVERSE,
			   IPPROTO_CHALK, 0, daddr, saddr, htons(seg->dport),
			   htons(seg->sport), sock_net_uid(net, NULL));
	rt = ip_route_output_flow(net, &fl4, sk);
	if (IS_ERR(rt))
		return;
	send_bare(sk, &rt->dst, saddr, daddr, ctl->tos, ctl->mark, seg);
	ip_rt_put(rt);
}

/* --- records of SYN_RCVD --- */

static void req_destructor(struct request_sock *req)
{
	kfree(rcu_dereference_protected(inet_rsk(req)->ireq_opt, 1));
}

struct request_sock_ops chalk_req_ops = {
	.family = PF_INET,
	.obj_size = sizeof(struct chalk_req),
	.destructor = req_destructor,
};

static void init_req(struct request_sock *req, const struct sock *listener,
		     struct sk_buff *skb)
{
	sk_rcv_saddr_set(req_to_sk(req), ip_hdr(skb)->daddr);
	sk_daddr_set(req_to_sk(req), ip_hdr(skb)->saddr);
}

static u32 req_mtu(const struct sock *listener, const struct request_sock *req)
{
	struct dst_entry *dst;
	struct flowi4 fl4;
	u32 mtu;

	dst = inet_csk_route_req(listener, &fl4, req);
	if (!dst)
		return 0;
	mtu = dst_mtu(dst);
	dst_release(dst);
	return mtu;
}

static void send_synack(const struct sock *listener, struct request_sock *req,
			const struct seg *seg)
{
	const struct inet_request_sock *ireq = inet_rsk(req);
	struct dst_entry *dst;
	struct flowi4 fl4;

	dst = inet_csk_route_req(listener, &fl4, req);
	if (!dst)
		return;
	send_bare(listener, dst, ireq->ir_loc_addr, ireq->ir_rmt_addr,
		  inet_sk(listener)->tos, ireq->ir_mark, seg);
	dst_release(dst);
}

/* --- a child --- */

static void init_child(struct sock *child, struct request_sock *req,
		       struct sk_buff *skb)
{
	const struct inet_request_sock *ireq = inet_rsk(req);
	struct inet_sock *inet = inet_sk(child);

	sk_daddr_set(child, ireq->ir_rmt_addr);
	sk_rcv_saddr_set(child, ireq->ir_loc_addr);
	inet->inet_saddr = ireq->ir_loc_addr;
	inet->mc_index = inet_iif(skb);
	inet->mc_ttl = ip_hdr(skb)->ttl;
	inet->rcv_tos = ip_hdr(skb)->tos;
	atomic_set(&inet->inet_id, get_random_u16());
	if (IS_ENABLED(CONFIG_IPV6) && child->sk_family == PF_INET6)
		chalk_ipv6_init_mapped(child);
}

static bool route_child(const struct sock *listener, struct sock *child,
			struct request_sock *req)
{
	struct dst_entry *dst;

	dst = inet_csk_route_child_sock(listener, child, req);
	if (dst)
		sk_setup_caps(child, dst);
	return dst;
}

const struct chalk_ip chalk_ipv4 = {
	.header_len = sizeof(struct iphdr),
	.default_mss = MSS_DEFAULT,
	.req_ops = &chalk_req_ops,
	.is_unicast = is_unicast,
	.is_damaged = is_damaged,
	.get_addresses = get_addresses,
	.lookup = lookup,
	.lookup_listener = lookup_listener,
	.is_too_far = is_too_far,
	.fill_reset = fill_reset,
	.send_control = send_control,
	.init_req = init_req,
	.req_mtu = req_mtu,
	.send_synack = send_synack,
	.init_child = init_child,
	.route_child = route_child,
};

/* --- a connection --- */

/**
 * chalk_ipv4_send_check() - begin the checksum of a packet of a connection
 * @sk:  the socket
 * @skb: the packet, from its transport header on
 */
void chalk_ipv4_send_check(struct sock *sk, struct sk_buff *skb)
{
	const struct inet_sock *inet = inet_sk(sk);

	chalk_start_sum(skb,
			pseudo(inet->inet_saddr, inet->inet_daddr, skb->len));
}

/**
 * chalk_ipv4_mtu_reduced() - tell the route of the MTU in mtu_info
 * @sk: the socket, locked
 */
void chalk_ipv4_mtu_reduced(struct sock *sk)
{
	if (ip_sk_accept_pmtu(sk))
		inet_csk_update_pmtu(sk, chalk_sk(sk)->mtu_info);
}

const struct inet_connection_sock_af_ops chalk_ipv4_af_ops = {
	.queue_xmit = ip_queue_xmit,
	.send_check = chalk_ipv4_send_check,
	.net_header_len = sizeof(struct iphdr),
	.setsockopt = ip_setsockopt,
	.getsockopt = ip_getsockopt,
	.addr2sockaddr = inet_csk_addr2sockaddr,
	.sockaddr_len = sizeof(struct sockaddr_in),
	.mtu_reduced = chalk_ipv4_mtu_reduced,
};
