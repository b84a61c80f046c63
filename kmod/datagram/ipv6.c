// SPDX-License-Identifier: GPL-2.0
/*
 * ipv6.c - what is particular to datagrams over IPv6
 *
 * The counterpart of ipv4.c.
 */
#include <net/addrconf.h>
#include <net/if_inet6.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/xfrm.h>

#include "compat.h"
#include "dgram.h"

/* --- ports --- */

static u32 dgram6_address_hash(const struct sock *sk,
			       const struct in6_addr *addr, u16 port)
{
	return ipv6_portaddr_hash(sock_net(sk), addr, port);
}

/**
 * chalk_dgram6_get_port() - proto.get_port: bind to a port
 * @sk:   the socket
 * @port: the port, 0: any free one
 */
int chalk_dgram6_get_port(struct sock *sk, unsigned short port)
{
	udp_sk(sk)->udp_portaddr_hash =
		dgram6_address_hash(sk, &sk->sk_v6_rcv_saddr, 0);
	return udp_lib_get_port(sk, port,
				dgram6_address_hash(sk, &in6addr_any, port));
}

/**
 * chalk_dgram6_rehash() - proto.rehash: the address of a bound socket changed
 * @sk: the socket
 */
void chalk_dgram6_rehash(struct sock *sk)
{
	udp_lib_rehash(sk, dgram6_address_hash(sk, &sk->sk_v6_rcv_saddr,
					       sk->sk_num));
}

/* --- one receiver --- */

static bool dgram6_is_damaged(struct sk_buff *skb)
{
	return skb_checksum_validate(skb, IPPROTO_CHALK_DGRAM,
				     ip6_compute_pseudo);
}

static struct sock *dgram6_find(struct sk_buff *skb, const struct dgram *d)
{
	const struct ipv6hdr *iph = ipv6_hdr(skb);

	return __udp6_lib_lookup(dev_net(skb->dev), &iph->saddr,
				 htons(d->sport), &iph->daddr, htons(d->dport),
				 inet6_iif(skb), inet6_sdif(skb),
				 &chalk_dgram_table, skb);
}

static bool dgram6_is_allowed(struct sock *sk, struct sk_buff *skb)
{
	return xfrm6_policy_check(sk, XFRM_POLICY_IN, skb);
}

static void dgram6_send_unreachable(struct sk_buff *skb)
{
	icmpv6_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_PORT_UNREACH, 0);
}

/* --- a group of receivers --- */

static bool dgram6_is_for_many(const struct sk_buff *skb)
{
	return ipv6_addr_is_multicast(&ipv6_hdr(skb)->daddr);
}

static bool dgram6_lists_source(const struct ip6_sf_socklist *list,
				const struct in6_addr *addr)
{
	unsigned int i;

	for (i = 0; list && i < list->sl_count; i++)
		if (ipv6_addr_equal(&list->sl_addr[i], addr))
			return true;
	return false;
}

static const struct ipv6_mc_socklist *
dgram6_membership(const struct sock *sk, const struct in6_addr *group)
{
	const struct ipv6_mc_socklist *m;

	for (m = rcu_dereference(inet6_sk(sk)->ipv6_mc_list); m;
	     m = rcu_dereference(m->next))
		if (ipv6_addr_equal(&m->addr, group))
			return m;
	return NULL;
}

/* What the socket asked of IPV6_ADD_MEMBERSHIP and its kin (RFC 3810 3). */
static bool dgram6_wants_source(const struct sock *sk,
				const struct sk_buff *skb)
{
	const struct ipv6hdr *iph = ipv6_hdr(skb);
	const struct ipv6_mc_socklist *m = dgram6_membership(sk, &iph->daddr);

	if (!m)
		return chalk_takes_all_groups6(sk);
	return dgram6_lists_source(rcu_dereference(m->sflist), &iph->saddr) ==
	       (m->sfmode == MCAST_INCLUDE);
}

/* Is an address of a socket not fixed, or this one? */
static bool dgram6_fits(const struct in6_addr *ours,
			const struct in6_addr *addr)
{
	return ipv6_addr_any(ours) || ipv6_addr_equal(ours, addr);
}

static bool dgram6_is_member(const struct sock *sk, const struct sk_buff *skb,
			     const struct dgram *d)
{
	const struct ipv6hdr *iph = ipv6_hdr(skb);

	return sk->sk_family == PF_INET6 && chalk_dgram_has_port(sk, skb, d) &&
	       dgram6_fits(&sk->sk_v6_daddr, &iph->saddr) &&
	       dgram6_fits(&sk->sk_v6_rcv_saddr, &iph->daddr) &&
	       dgram6_wants_source(sk, skb);
}

/* --- control messages --- */

/* IP6CB() has all that ip6_datagram_recv_ctl() needs. */
static void dgram6_prepare(const struct sock *sk, struct sk_buff *skb)
{
}

const struct chalk_dgram_ip chalk_dgram_ipv6 = {
	.iif = inet6_iif,
	.sdif = inet6_sdif,
	.is_damaged = dgram6_is_damaged,
	.is_for_many = dgram6_is_for_many,
	.is_member = dgram6_is_member,
	.find = dgram6_find,
	.is_allowed = dgram6_is_allowed,
	.send_unreachable = dgram6_send_unreachable,
	.prepare = dgram6_prepare,
};
