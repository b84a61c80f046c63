// SPDX-License-Identifier: GPL-2.0
/*
 * ipv6.c - packets of IPv6 (RFC 8200)
 *
 * Fills the table of ip.h.
 */
#include <net/inet6_connection_sock.h>
#include <net/inet6_hashtables.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/l3mdev.h>
#include <net/transp_v6.h>
#include <net/xfrm.h>

#include "compat.h"
#include "net/net.h"
#include "ip.h"

/* --- packets that arrive --- */

/* RFC 9293 section 3.9.2.3, MUST-57: to and from one host only. */
static bool pkt6_is_unicast(const struct sk_buff *skb)
{
	return skb->pkt_type == PACKET_HOST && ipv6_unicast_destination(skb) &&
	       ipv6_addr_type(&ipv6_hdr(skb)->saddr) & IPV6_ADDR_UNICAST;
}

static bool pkt6_is_damaged(struct sk_buff *skb)
{
	return skb_checksum_validate(skb, IPPROTO_CHALK, ip6_compute_pseudo);
}

static void pkt6_get_addresses(const struct sk_buff *skb,
			       struct chalk_ends *ends)
{
	ends->laddr = ipv6_hdr(skb)->daddr;
	ends->raddr = ipv6_hdr(skb)->saddr;
}

static struct sock *pkt6_lookup(struct sk_buff *skb, const struct seg *seg,
				bool *refcounted)
{
	return __inet6_lookup_skb(&chalk_hashinfo, skb, seg->hdr_len,
				  htons(seg->sport), htons(seg->dport),
				  inet6_iif(skb), inet6_sdif(skb), refcounted);
}

static struct sock *pkt6_lookup_listener(struct net *net, struct sk_buff *skb,
					 const struct seg *seg)
{
	const struct ipv6hdr *iph = ipv6_hdr(skb);

	return inet6_lookup_listener(net, &chalk_hashinfo, skb, seg->hdr_len,
				     &iph->saddr, htons(seg->sport),
				     &iph->daddr, seg->dport, inet6_iif(skb),
				     inet6_sdif(skb));
}

static bool pkt6_is_too_far(const struct sock *sk, const struct sk_buff *skb)
{
	return ipv6_hdr(skb)->hop_limit < READ_ONCE(inet6_sk(sk)->min_hopcount);
}

static bool pkt6_is_allowed(struct sock *sk, struct sk_buff *skb)
{
	return xfrm6_policy_check(sk, XFRM_POLICY_IN, skb);
}

/* --- without a connection --- */

/**
 * chalk_ipv6_bare_packet() - a segment without payload, for ip6_xmit()
 * @owner:  is charged for the packet, and asked by filters, or NULL; the caller
 *          holds a reference
 * @dst:    the route, consumed
 * @saddr:  from where
 * @daddr:  to where
 * @txhash: the flow it belongs to, 0: none
 * @seg:    what it says
 *
 * Return: the packet, or NULL
 */
struct sk_buff *chalk_ipv6_bare_packet(struct sock *owner,
				       struct dst_entry *dst,
				       const struct in6_addr *saddr,
				       const struct in6_addr *daddr, u32 txhash,
				       const struct seg *seg)
{
	struct sk_buff *skb = chalk_bare_packet(seg);

	if (!skb) {
		dst_release(dst);
		return NULL;
	}
	if (owner)
		skb_set_owner_w(skb, owner);
	skb_dst_set(skb, dst);
	if (txhash) /* flow labels are made of it */
		skb_set_hash(skb, txhash, PKT_HASH_TYPE_L4);
	chalk_start_sum(skb, chalk_ipv6_pseudo(saddr, daddr, skb->len));
	if (chalk_finish_sum(skb, dst))
		return skb;
	kfree_skb(skb);
	return NULL;
}

/*
 * Through the same VRF the packet came by; a link-local address means something
 * on its own link only.
 */
static void pkt6_fill_reset(struct net *net, const struct sk_buff *skb,
			    struct chalk_control *ctl)
{
	if (!ctl->oif && rt6_need_strict(&ipv6_hdr(skb)->saddr))
		ctl->oif = inet6_iif(skb);
	else if (!ctl->oif && netif_index_is_l3_master(net, skb->skb_iif))
		ctl->oif = skb->skb_iif;
	ctl->mark = IP6_REPLY_MARK(net, skb->mark) ?: ctl->mark;
	ctl->tos = ipv6_get_dsfield(ipv6_hdr(skb)) & ~INET_ECN_MASK;
	if (ctl->sk ? chalk_reflects_label(ctl->sk) :
		      net->ipv6.sysctl.flowlabel_reflect &
			      FLOWLABEL_REFLECT_TCP_RESET)
		ctl->label = ip6_flowlabel(ipv6_hdr(skb));
}

static void pkt6_send_control(struct net *net, const struct chalk_control *ctl,
			      const struct seg *seg)
{
	struct sock *sk = chalk_net(net)->ctl6;
	struct flowi6 fl6 = {
		.daddr = ctl->ends.raddr,
		.saddr = ctl->ends.laddr,
		.flowlabel = ctl->label,
		.flowi6_proto = IPPROTO_CHALK,
		.flowi6_oif = ctl->oif,
		.flowi6_mark = ctl->mark,
		.flowi6_secid = ctl->secid,
		.flowi6_uid = sock_net_uid(net, ctl->sk),
		.fl6_dport = htons(seg->dport),
		.fl6_sport = htons(seg->sport),
	};
	struct dst_entry *dst;
	struct sk_buff *skb;

	dst = ip6_dst_lookup_flow(net, sk, &fl6, NULL);
	if (IS_ERR(dst))
		return;
	skb = chalk_ipv6_bare_packet(NULL, dst, &fl6.saddr, &fl6.daddr,
				     ctl->txhash, seg);
	if (skb)
		ip6_xmit(sk, skb, &fl6, ctl->mark, NULL, ctl->tos,
			 ctl->priority);
}

const struct chalk_ip chalk_ipv6 = {
	.is_unicast = pkt6_is_unicast,
	.is_damaged = pkt6_is_damaged,
	.get_addresses = pkt6_get_addresses,
	.lookup = pkt6_lookup,
	.lookup_listener = pkt6_lookup_listener,
	.is_too_far = pkt6_is_too_far,
	.is_allowed = pkt6_is_allowed,
	.fill_reset = pkt6_fill_reset,
	.send_control = pkt6_send_control,
};
