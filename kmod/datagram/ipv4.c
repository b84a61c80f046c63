// SPDX-License-Identifier: GPL-2.0
/*
 * ipv4.c - what is particular to datagrams over IPv4
 *
 * Owns the hash of an address for the table of ports, and chalk_dgram_ipv4:
 * whose a packet is that arrives, and what it tells its reader.
 */
#include <linux/igmp.h>
#include <linux/inetdevice.h>
#include <net/icmp.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "compat.h"
#include "dgram.h"

/* --- ports --- */

static u32 dgram4_address_hash(const struct sock *sk, __be32 addr, u16 port)
{
	return ipv4_portaddr_hash(sock_net(sk), addr, port);
}

/**
 * chalk_dgram_get_port() - proto.get_port: bind to a port
 * @sk:   the socket
 * @port: the port, 0: any free one
 */
int chalk_dgram_get_port(struct sock *sk, unsigned short port)
{
	udp_sk(sk)->udp_portaddr_hash = dgram4_address_hash(sk,
							    sk->sk_rcv_saddr,
							    0);
	return udp_lib_get_port(sk, port,
				dgram4_address_hash(sk, htonl(INADDR_ANY),
						    port));
}

/**
 * chalk_dgram_rehash() - proto.rehash: the address of a bound socket changed
 * @sk: the socket
 */
void chalk_dgram_rehash(struct sock *sk)
{
	udp_lib_rehash(sk,
		       dgram4_address_hash(sk, sk->sk_rcv_saddr, sk->sk_num));
}

/* --- one receiver --- */

static bool dgram4_is_damaged(struct sk_buff *skb)
{
	return skb_checksum_validate(skb, IPPROTO_CHALK_DGRAM,
				     inet_compute_pseudo);
}

static struct sock *dgram4_find(struct sk_buff *skb, const struct dgram *d)
{
	const struct iphdr *iph = ip_hdr(skb);

	return __udp4_lib_lookup(dev_net(skb->dev), iph->saddr, htons(d->sport),
				 iph->daddr, htons(d->dport), inet_iif(skb),
				 inet_sdif(skb), &chalk_dgram_table, skb);
}

static bool dgram4_is_allowed(struct sock *sk, struct sk_buff *skb)
{
	return xfrm4_policy_check(sk, XFRM_POLICY_IN, skb);
}

static void dgram4_send_unreachable(struct sk_buff *skb)
{
	icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
}

/* --- a group of receivers --- */

static bool dgram4_is_for_many(const struct sk_buff *skb)
{
	return skb_rtable(skb)->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST);
}

static bool dgram4_lists_source(const struct ip_sf_socklist *list, __be32 addr)
{
	unsigned int i;

	for (i = 0; list && i < list->sl_count; i++)
		if (list->sl_addr[i] == addr)
			return true;
	return false;
}

static const struct ip_mc_socklist *
dgram4_membership(const struct sock *sk, __be32 group, int dif, int sdif)
{
	const struct ip_mc_socklist *m;

	for (m = rcu_dereference(inet_sk(sk)->mc_list); m;
	     m = rcu_dereference(m->next_rcu))
		if (m->multi.imr_multiaddr.s_addr == group &&
		    (m->multi.imr_ifindex == dif ||
		     (sdif && m->multi.imr_ifindex == sdif)))
			return m;
	return NULL;
}

/* What the socket asked of IP_ADD_MEMBERSHIP and its kin (RFC 3376 3.1). */
static bool dgram4_wants_source(const struct sock *sk,
				const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);
	const struct ip_mc_socklist *m;

	if (!ipv4_is_multicast(iph->daddr))
		return true;
	m = dgram4_membership(sk, iph->daddr, inet_iif(skb), inet_sdif(skb));
	if (!m)
		return chalk_takes_all_groups(sk);
	return dgram4_lists_source(rcu_dereference(m->sflist), iph->saddr) ==
	       (m->sfmode == MCAST_INCLUDE);
}

static bool dgram4_has_addresses(const struct sock *sk,
				 const struct sk_buff *skb)
{
	const struct inet_sock *inet = inet_sk(sk);
	const struct iphdr *iph = ip_hdr(skb);

	return (!inet->inet_daddr || inet->inet_daddr == iph->saddr) &&
	       (!inet->inet_rcv_saddr || inet->inet_rcv_saddr == iph->daddr) &&
	       !ipv6_only_sock(sk);
}

static bool dgram4_is_member(const struct sock *sk, const struct sk_buff *skb,
			     const struct dgram *d)
{
	return chalk_dgram_has_port(sk, skb, d) &&
	       dgram4_has_addresses(sk, skb) && dgram4_wants_source(sk, skb);
}

/* --- IP_PKTINFO, while the packet still knows its route --- */

static bool wants_pktinfo(const struct sock *sk)
{
	return chalk_cmsg_flags(sk) & IP_CMSG_PKTINFO || ipv6_sk_rxinfo(sk);
}

/*
 * RFC 1122 section 4.1.3.5: the address an answer should come from. That of the
 * packet, if it is ours alone; else the one we would write to the sender from.
 */
static __be32 dgram4_answer_from(const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct flowi4 fl4 = { .daddr = iph->saddr };
	struct rtable *rt;

	if (skb_rtable(skb)->rt_type == RTN_LOCAL)
		return iph->daddr;
	if (ipv4_is_zeronet(iph->saddr))
		return inet_select_addr(skb->dev, iph->saddr, RT_SCOPE_LINK);
	rt = ip_route_output_key(dev_net(skb->dev), &fl4);
	if (IS_ERR(rt))
		return inet_select_addr(skb->dev, iph->saddr,
					RT_SCOPE_UNIVERSE);
	ip_rt_put(rt);
	return fl4.saddr;
}

/* The two overlay IPCB(): its interface comes first, its options last. */
static void dgram4_prepare(const struct sock *sk, struct sk_buff *skb)
{
	struct in_pktinfo *info = PKTINFO_SKB_CB(skb);
	int iif = inet_iif(skb);

	if (wants_pktinfo(sk)) {
		info->ipi_spec_dst.s_addr = dgram4_answer_from(skb);
		info->ipi_ifindex = iif;
	} else {
		info->ipi_spec_dst.s_addr = 0;
		info->ipi_ifindex = 0;
	}
}

static int dgram4_iif(const struct sk_buff *skb)
{
	return inet_iif(skb);
}

const struct chalk_dgram_ip chalk_dgram_ipv4 = {
	.iif = dgram4_iif,
	.sdif = inet_sdif,
	.is_damaged = dgram4_is_damaged,
	.is_for_many = dgram4_is_for_many,
	.is_member = dgram4_is_member,
	.find = dgram4_find,
	.is_allowed = dgram4_is_allowed,
	.send_unreachable = dgram4_send_unreachable,
	.prepare = dgram4_prepare,
};
