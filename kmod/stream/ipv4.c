// SPDX-License-Identifier: GPL-2.0
/*
 * ipv4.c - records and connections over IPv4
 *
 * Fills chalk_stream_ipv4 (sock.h), and the kernel's table for connections.
 */
#include <net/ip.h>
#include <net/route.h>

#include "core/params.h"
#include "sock.h"

/* --- records of SYN_RCVD --- */

static void stream4_req_destructor(struct request_sock *req)
{
	kfree(rcu_dereference_protected(inet_rsk(req)->ireq_opt, 1));
}

struct request_sock_ops chalk_req_ops = {
	.family = PF_INET,
	.obj_size = sizeof(struct chalk_req),
	.destructor = stream4_req_destructor,
};

static void stream4_init_req(struct request_sock *req,
			     const struct sock *listener, struct sk_buff *skb)
{
	sk_rcv_saddr_set(req_to_sk(req), ip_hdr(skb)->daddr);
	sk_daddr_set(req_to_sk(req), ip_hdr(skb)->saddr);
}

static u32 stream4_req_route(const struct sock *listener,
			     const struct request_sock *req,
			     struct conn_route *route)
{
	struct dst_entry *dst;
	struct flowi4 fl4;
	u32 mtu;

	dst = inet_csk_route_req(listener, &fl4, req);
	if (!dst)
		return 0;
	mtu = dst_mtu(dst);
	*route = chalk_route_of(dst);
	dst_release(dst);
	return mtu;
}

static void stream4_send_synack(const struct sock *listener,
				struct request_sock *req, const struct seg *seg)
{
	const struct inet_request_sock *ireq = inet_rsk(req);
	struct dst_entry *dst;
	struct flowi4 fl4;

	dst = inet_csk_route_req(listener, &fl4, req);
	if (!dst)
		return;
	chalk_ipv4_send_bare(listener, req->rsk_listener, dst,
			     ireq->ir_loc_addr, ireq->ir_rmt_addr,
			     inet_sk(listener)->tos, ireq->ir_mark, seg);
	dst_release(dst);
}

/* --- a child --- */

static void stream4_init_child(struct sock *child, struct request_sock *req,
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

static bool stream4_route_child(const struct sock *listener, struct sock *child,
				struct request_sock *req)
{
	struct dst_entry *dst;

	dst = inet_csk_route_child_sock(listener, child, req);
	if (dst)
		sk_setup_caps(child, dst);
	return dst;
}

const struct chalk_stream_ip chalk_stream_ipv4 = {
	.header_len = sizeof(struct iphdr),
	.default_mss = MSS_DEFAULT,
	.req_ops = &chalk_req_ops,
	.init_req = stream4_init_req,
	.req_route = stream4_req_route,
	.send_synack = stream4_send_synack,
	.init_child = stream4_init_child,
	.route_child = stream4_route_child,
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

	chalk_start_sum(skb, chalk_ipv4_pseudo(inet->inet_saddr,
					       inet->inet_daddr, skb->len));
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
