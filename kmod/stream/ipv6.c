// SPDX-License-Identifier: GPL-2.0
/*
 * ipv6.c - records and connections over IPv6
 *
 * Fills chalk_stream_ipv6 (sock.h), and the kernel's tables for connections: one
 * for those over IPv6, one for sockets of AF_INET6 that speak IPv4. The sockets
 * themselves are made in sock6.c.
 */
#include <net/inet6_connection_sock.h>
#include <net/inet6_hashtables.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/l3mdev.h>
#include <net/transp_v6.h>

#include "compat.h"
#include "core/params.h"
#include "sock.h"

/* --- records of SYN_RCVD --- */

static void stream6_req_destructor(struct request_sock *req)
{
	kfree(inet_rsk(req)->ipv6_opt);
	consume_skb(inet_rsk(req)->pktopts);
}

struct request_sock_ops chalk6_req_ops = {
	.family = PF_INET6,
	.obj_size = sizeof(struct chalk_req),
	.destructor = stream6_req_destructor,
};

/* The program will ask for something of the SYN's IP header. */
static bool wants_packet(const struct sock *sk, const struct sk_buff *skb)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);

	return ipv6_opt_accepted(sk, skb, IP6CB(skb)) ||
	       np->rxopt.bits.rxinfo || np->rxopt.bits.rxoinfo ||
	       np->rxopt.bits.rxhlim || np->rxopt.bits.rxohlim ||
	       chalk_reflects_label(sk);
}

static void stream6_init_req(struct request_sock *req,
			     const struct sock *listener, struct sk_buff *skb)
{
	struct inet_request_sock *ireq = inet_rsk(req);
	const struct ipv6hdr *iph = ipv6_hdr(skb);

	ireq->ir_v6_loc_addr = iph->daddr;
	ireq->ir_v6_rmt_addr = iph->saddr;
	ireq->ir_loc_addr = LOOPBACK4_IPV6;
	ireq->ir_rmt_addr = LOOPBACK4_IPV6;
	/* so that a link-local address means something */
	if ((!listener->sk_bound_dev_if ||
	     ipv6_l3mdev_skb(IP6CB(skb)->flags)) &&
	    ipv6_addr_type(&iph->saddr) & IPV6_ADDR_LINKLOCAL)
		ireq->ir_iif = inet6_iif(skb);
	if (wants_packet(listener, skb))
		ireq->pktopts = skb_get(skb);
}

static u32 stream6_req_route(const struct sock *listener,
			     const struct request_sock *req,
			     struct conn_route *route)
{
	struct dst_entry *dst;
	struct flowi6 fl6;
	u32 mtu;

	dst = inet6_csk_route_req(listener, &fl6, req, IPPROTO_CHALK);
	if (!dst)
		return 0;
	mtu = dst_mtu(dst);
	*route = chalk_route_of(dst);
	dst_release(dst);
	return mtu;
}

static struct ipv6_txoptions *options_of(const struct sock *listener,
					 const struct request_sock *req)
{
	return inet_rsk(req)->ipv6_opt ?:
					 rcu_dereference(inet6_sk(listener)->opt);
}

static void xmit_synack(const struct sock *listener, struct request_sock *req,
			struct flowi6 *fl6, struct sk_buff *skb)
{
	const struct inet_request_sock *ireq = inet_rsk(req);

	/* the route may have led to the first stop of a routing header */
	fl6->daddr = ireq->ir_v6_rmt_addr;
	if (chalk_reflects_label(listener) && ireq->pktopts)
		fl6->flowlabel = ip6_flowlabel(ipv6_hdr(ireq->pktopts));
	rcu_read_lock();
	ip6_xmit(listener, skb, fl6, ireq->ir_mark, options_of(listener, req),
		 inet6_sk(listener)->tclass, READ_ONCE(listener->sk_priority));
	rcu_read_unlock();
}

static void stream6_send_synack(const struct sock *listener,
				struct request_sock *req, const struct seg *seg)
{
	const struct inet_request_sock *ireq = inet_rsk(req);
	struct dst_entry *dst;
	struct sk_buff *skb;
	struct flowi6 fl6;

	dst = inet6_csk_route_req(listener, &fl6, req, IPPROTO_CHALK);
	if (!dst)
		return;
	skb = chalk_ipv6_bare_packet(req->rsk_listener, dst,
				     &ireq->ir_v6_loc_addr,
				     &ireq->ir_v6_rmt_addr,
				     chalk_req(req)->txhash, seg);
	if (skb)
		xmit_synack(listener, req, &fl6, skb);
}

/* --- a child --- */

/* What it must not share with the listener it was copied from. */
static struct ipv6_pinfo *own_pinfo(struct sock *child)
{
	struct ipv6_pinfo *np = &((struct chalk6_sock *)child)->inet6;

	inet_sk(child)->pinet6 = np;
	np->ipv6_mc_list = NULL;
	np->ipv6_ac_list = NULL;
	chalk_forget_labels(child);
	np->pktoptions = NULL;
	RCU_INIT_POINTER(np->opt, NULL);
	return np;
}

static void copy_options(struct sock *child, struct request_sock *req)
{
	struct ipv6_txoptions *opt;

	rcu_read_lock();
	opt = options_of(req->rsk_listener, req);
	if (opt)
		opt = ipv6_dup_options(child, opt);
	rcu_read_unlock();
	if (!opt)
		return;
	RCU_INIT_POINTER(inet6_sk(child)->opt, opt);
	inet_csk(child)->icsk_ext_hdr_len = opt->opt_nflen + opt->opt_flen;
}

static void stream6_init_child(struct sock *child, struct request_sock *req,
			       struct sk_buff *skb)
{
	const struct inet_request_sock *ireq = inet_rsk(req);
	const struct ipv6hdr *iph = ipv6_hdr(skb);
	struct ipv6_pinfo *np = own_pinfo(child);

	child->sk_v6_daddr = ireq->ir_v6_rmt_addr;
	child->sk_v6_rcv_saddr = ireq->ir_v6_loc_addr;
	np->saddr = ireq->ir_v6_loc_addr;
	/* matches no packet of IPv4 */
	inet_sk(child)->inet_rcv_saddr = LOOPBACK4_IPV6;
	np->mcast_oif = inet6_iif(skb);
	np->mcast_hops = iph->hop_limit;
	np->rcv_flowinfo = ip6_flowinfo(iph);
	if (chalk_reflects_label(child))
		np->flow_label = ip6_flowlabel(iph);
	copy_options(child, req);
}

/**
 * chalk_ipv6_init_mapped() - the same of a child that speaks IPv4
 * @child: it; the IPv4 part is done
 */
void chalk_ipv6_init_mapped(struct sock *child)
{
	struct ipv6_pinfo *np = own_pinfo(child);

	inet_csk(child)->icsk_af_ops = &chalk_mapped_af_ops;
	np->saddr = child->sk_v6_rcv_saddr;
	np->mcast_oif = inet_sk(child)->mc_index;
	np->mcast_hops = inet_sk(child)->mc_ttl;
	np->rcv_flowinfo = 0;
	if (chalk_reflects_label(child))
		np->flow_label = 0;
}

static bool stream6_route_child(const struct sock *listener, struct sock *child,
				struct request_sock *req)
{
	struct dst_entry *dst;
	struct flowi6 fl6;

	dst = inet6_csk_route_req(listener, &fl6, req, IPPROTO_CHALK);
	if (dst)
		ip6_dst_store(child, dst, NULL, NULL);
	return dst;
}

/**
 * chalk_ipv6_inherit_packet() - hand the SYN to the child that may be asked
 * @child: the child
 * @req:   its record, of IPv6; nobody else uses it any more
 */
void chalk_ipv6_inherit_packet(struct sock *child, struct request_sock *req)
{
	struct inet_request_sock *ireq = inet_rsk(req);

	if (!ireq->pktopts)
		return;
	inet6_sk(child)->pktoptions = skb_clone_and_charge_r(ireq->pktopts,
							     child);
	consume_skb(ireq->pktopts);
	ireq->pktopts = NULL;
}

const struct chalk_stream_ip chalk_stream_ipv6 = {
	.header_len = sizeof(struct ipv6hdr),
	.default_mss = MSS_DEFAULT_IPV6,
	.req_ops = &chalk6_req_ops,
	.init_req = stream6_init_req,
	.req_route = stream6_req_route,
	.send_synack = stream6_send_synack,
	.init_child = stream6_init_child,
	.route_child = stream6_route_child,
};

/**
 * chalk_ipv6_init_timewait() - what a TIME_WAIT record needs of its socket
 * @tw: the record; the kernel knows of the IPv4 part only
 * @sk: the socket, of AF_INET6
 */
void chalk_ipv6_init_timewait(struct inet_timewait_sock *tw,
			      const struct sock *sk)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);

	tw->tw_v6_daddr = sk->sk_v6_daddr;
	tw->tw_v6_rcv_saddr = sk->sk_v6_rcv_saddr;
	tw->tw_tclass = np->tclass;
	tw->tw_flowlabel = be32_to_cpu(np->flow_label & IPV6_FLOWLABEL_MASK);
	tw->tw_ipv6only = sk->sk_ipv6only;
}

/* --- a connection --- */

/**
 * chalk_ipv6_note_packet() - IPV6_2292PKTOPTIONS tells of the latest packet
 * @sk:  the socket, locked
 * @skb: the packet, in order; not consumed
 */
void chalk_ipv6_note_packet(struct sock *sk, struct sk_buff *skb)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct sk_buff *copy = NULL;

	if (np->rxopt.bits.rxinfo || np->rxopt.bits.rxoinfo)
		np->mcast_oif = inet6_iif(skb);
	if (np->rxopt.bits.rxhlim || np->rxopt.bits.rxohlim)
		np->mcast_hops = ipv6_hdr(skb)->hop_limit;
	if (np->rxopt.bits.rxflow || np->rxopt.bits.rxtclass)
		np->rcv_flowinfo = ip6_flowinfo(ipv6_hdr(skb));
	if (chalk_reflects_label(sk))
		np->flow_label = ip6_flowlabel(ipv6_hdr(skb));
	if (ipv6_opt_accepted(sk, skb, IP6CB(skb)))
		copy = skb_clone_and_charge_r(skb, sk);
	consume_skb(xchg(&np->pktoptions, copy));
}

static void stream6_send_check(struct sock *sk, struct sk_buff *skb)
{
	chalk_start_sum(skb, chalk_ipv6_pseudo(&inet6_sk(sk)->saddr,
					       &sk->sk_v6_daddr, skb->len));
}

static void stream6_mtu_reduced(struct sock *sk)
{
	if (ip6_sk_accept_pmtu(sk))
		inet6_csk_update_pmtu(sk, chalk_sk(sk)->mtu_info);
}

const struct inet_connection_sock_af_ops chalk_ipv6_af_ops = {
	.queue_xmit = inet6_csk_xmit,
	.send_check = stream6_send_check,
	.net_header_len = sizeof(struct ipv6hdr),
	.setsockopt = ipv6_setsockopt,
	.getsockopt = ipv6_getsockopt,
	.addr2sockaddr = inet6_csk_addr2sockaddr,
	.sockaddr_len = sizeof(struct sockaddr_in6),
	.mtu_reduced = stream6_mtu_reduced,
};

const struct inet_connection_sock_af_ops chalk_mapped_af_ops = {
	.queue_xmit = ip_queue_xmit,
	.send_check = chalk_ipv4_send_check,
	.net_header_len = sizeof(struct iphdr),
	.setsockopt = ipv6_setsockopt,
	.getsockopt = ipv6_getsockopt,
	.addr2sockaddr = inet6_csk_addr2sockaddr,
	.sockaddr_len = sizeof(struct sockaddr_in6),
	.mtu_reduced = chalk_ipv4_mtu_reduced,
};
