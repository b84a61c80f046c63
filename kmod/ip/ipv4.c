// SPDX-License-Identifier: GPL-2.0
/*
 * ipv4.c - packets of IPv4
 *
 * Fills the table of ip.h.
 */
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/l3mdev.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "net/net.h"
#include "ip.h"

/* The IPv4 address in one that is mapped. */
static __be32 unmap(const struct in6_addr *addr)
{
	return addr->s6_addr32[3];
}

/* --- packets that arrive --- */

/* RFC 9293 section 3.9.2.3, MUST-57: to and from one host only. */
static bool pkt4_is_unicast(const struct sk_buff *skb)
{
	return skb->pkt_type == PACKET_HOST &&
	       skb_rtable(skb)->rt_type == RTN_LOCAL &&
	       !ipv4_is_multicast(ip_hdr(skb)->saddr) &&
	       !ipv4_is_lbcast(ip_hdr(skb)->saddr);
}

static bool pkt4_is_damaged(struct sk_buff *skb)
{
	return skb_checksum_validate(skb, IPPROTO_CHALK, inet_compute_pseudo);
}

static void pkt4_get_addresses(const struct sk_buff *skb,
			       struct chalk_ends *ends)
{
	ipv6_addr_set_v4mapped(ip_hdr(skb)->daddr, &ends->laddr);
	ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &ends->raddr);
}

static struct sock *pkt4_lookup(struct sk_buff *skb, const struct seg *seg,
				bool *refcounted)
{
	return __inet_lookup_skb(&chalk_hashinfo, skb, seg->hdr_len,
				 htons(seg->sport), htons(seg->dport),
				 inet_sdif(skb), refcounted);
}

static struct sock *pkt4_lookup_listener(struct net *net, struct sk_buff *skb,
					 const struct seg *seg)
{
	const struct iphdr *iph = ip_hdr(skb);

	return __inet_lookup_listener(net, &chalk_hashinfo, skb, seg->hdr_len,
				      iph->saddr, htons(seg->sport), iph->daddr,
				      seg->dport, inet_iif(skb),
				      inet_sdif(skb));
}

static bool pkt4_is_too_far(const struct sock *sk, const struct sk_buff *skb)
{
	return ip_hdr(skb)->ttl < READ_ONCE(inet_sk(sk)->min_ttl);
}

static bool pkt4_is_allowed(struct sock *sk, struct sk_buff *skb)
{
	return xfrm4_policy_check(sk, XFRM_POLICY_IN, skb);
}

/* --- without a connection --- */

/**
 * chalk_ipv4_send_bare() - send a segment without payload
 * @sk:    gives the IP protocol, TTL and the like; need not be locked
 * @owner: is charged for the packet, and asked by filters, or NULL; the caller
 *         holds a reference
 * @dst:   the route, not consumed
 * @saddr: from where
 * @daddr: to where
 * @tos:   type of service
 * @mark:  of the packet
 * @seg:   what it says
 */
void chalk_ipv4_send_bare(const struct sock *sk, struct sock *owner,
			  struct dst_entry *dst, __be32 saddr, __be32 daddr,
			  u8 tos, u32 mark, const struct seg *seg)
{
	struct sk_buff *skb = chalk_bare_packet(seg);

	if (!skb)
		return;
	if (owner)
		skb_set_owner_w(skb, owner);
	skb->mark = mark;
	skb_dst_set(skb, dst_clone(dst));
	chalk_start_sum(skb, chalk_ipv4_pseudo(saddr, daddr, skb->len));
	if (chalk_finish_sum(skb, dst))
		ip_build_and_send_pkt(skb, sk, saddr, daddr, NULL, tos);
	else
		kfree_skb(skb);
}

/* Through the same VRF the packet came by. */
static void pkt4_fill_reset(struct net *net, const struct sk_buff *skb,
			    struct chalk_control *ctl)
{
	if (!ctl->oif && netif_index_is_l3_master(net, skb->skb_iif))
		ctl->oif = skb->skb_iif;
	ctl->tos = ip_hdr(skb)->tos & ~INET_ECN_MASK;
	ctl->mark = IP4_REPLY_MARK(net, skb->mark) ?: ctl->mark;
}

static void pkt4_send_control(struct net *net, const struct chalk_control *ctl,
			      const struct seg *seg)
{
	__be32 saddr = unmap(&ctl->ends.laddr), daddr = unmap(&ctl->ends.raddr);
	struct sock *sk = chalk_net(net)->ctl;
	struct rtable *rt;
	struct flowi4 fl4;

	flowi4_init_output(&fl4, ctl->oif, ctl->mark, 0, RT_SCOPE_UNIVERSE,
			   IPPROTO_CHALK,
			   ctl->any_source ? FLOWI_FLAG_ANYSRC : 0, daddr,
			   saddr, htons(seg->dport), htons(seg->sport),
			   sock_net_uid(net, ctl->sk));
	fl4.flowi4_secid = ctl->secid;
	rt = ip_route_output_flow(net, &fl4, sk);
	if (IS_ERR(rt))
		return;
	chalk_ipv4_send_bare(sk, NULL, &rt->dst, saddr, daddr, ctl->tos,
			     ctl->mark, seg);
	ip_rt_put(rt);
}

const struct chalk_ip chalk_ipv4 = {
	.is_unicast = pkt4_is_unicast,
	.is_damaged = pkt4_is_damaged,
	.get_addresses = pkt4_get_addresses,
	.lookup = pkt4_lookup,
	.lookup_listener = pkt4_lookup_listener,
	.is_too_far = pkt4_is_too_far,
	.is_allowed = pkt4_is_allowed,
	.fill_reset = pkt4_fill_reset,
	.send_control = pkt4_send_control,
};
