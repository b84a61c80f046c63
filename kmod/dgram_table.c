// SPDX-License-Identifier: GPL-2.0
/*
 * dgram_table.c - which socket has a port
 *
 * Owns chalk_dgram_table, a table as the kernel keeps for UDP, shared by all
 * namespaces. The kernel's own functions work on it; here is what they leave
 * to the protocol: hashing an address, and who gets a copy of a packet to a
 * group.
 */
#include <linux/igmp.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <net/tcp_states.h>

#include "compat.h"
#include "dgram.h"

/* Slots by port, and again by port and address; the kernel wants 256 or more. */
#define SLOTS 1024

struct udp_table chalk_dgram_table __read_mostly;

/* --- ports --- */

static u32 address_hash(const struct sock *sk, __be32 addr, u16 port)
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
	udp_sk(sk)->udp_portaddr_hash = address_hash(sk, sk->sk_rcv_saddr, 0);
	return udp_lib_get_port(sk, port,
				address_hash(sk, htonl(INADDR_ANY), port));
}

/**
 * chalk_dgram_rehash() - proto.rehash: the address of a bound socket changed
 * @sk: the socket
 */
void chalk_dgram_rehash(struct sock *sk)
{
	udp_lib_rehash(sk, address_hash(sk, sk->sk_rcv_saddr, sk->sk_num));
}

/* --- one receiver --- */

/**
 * chalk_dgram_find() - who takes a packet to a host
 * @skb: the packet
 * @d:   the same, parsed
 *
 * Return: the socket, for the rest of the RCU section, or NULL.
 */
struct sock *chalk_dgram_find(struct sk_buff *skb, const struct dgram *d)
{
	const struct iphdr *iph = ip_hdr(skb);

	return __udp4_lib_lookup(dev_net(skb->dev), iph->saddr, htons(d->sport),
				 iph->daddr, htons(d->dport), inet_iif(skb),
				 inet_sdif(skb), &chalk_dgram_table, skb);
}

/* --- a group of receivers --- */

static bool lists_source(const struct ip_sf_socklist *list, __be32 addr)
{
	unsigned int i;

	for (i = 0; list && i < list->sl_count; i++)
		if (list->sl_addr[i] == addr)
			return true;
	return false;
}

static const struct ip_mc_socklist *membership(const struct sock *sk,
					       __be32 group, int dif, int sdif)
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
static bool wants_source(const struct sock *sk, const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);
	const struct ip_mc_socklist *m;

	if (!ipv4_is_multicast(iph->daddr))
		return true;
	m = membership(sk, iph->daddr, inet_iif(skb), inet_sdif(skb));
	if (!m)
		return chalk_takes_all_groups(sk);
	return lists_source(rcu_dereference(m->sflist), iph->saddr) ==
	       (m->sfmode == MCAST_INCLUDE);
}

static bool has_addresses(const struct sock *sk, const struct sk_buff *skb)
{
	const struct inet_sock *inet = inet_sk(sk);
	const struct iphdr *iph = ip_hdr(skb);

	return (!inet->inet_daddr || inet->inet_daddr == iph->saddr) &&
	       (!inet->inet_rcv_saddr || inet->inet_rcv_saddr == iph->daddr) &&
	       !ipv6_only_sock(sk);
}

/**
 * chalk_dgram_is_member() - does a socket get a copy of a packet to many
 * @sk:  the socket
 * @skb: the packet, multicast or broadcast; RCU is held
 * @d:   the same, parsed
 */
bool chalk_dgram_is_member(const struct sock *sk, const struct sk_buff *skb,
			   const struct dgram *d)
{
	const struct net *net = dev_net(skb->dev);
	__be16 peer = inet_sk(sk)->inet_dport;

	return net_eq(sock_net(sk), net) &&
	       udp_sk(sk)->udp_port_hash == d->dport &&
	       (!peer || peer == htons(d->sport)) &&
	       udp_sk_bound_dev_eq((struct net *)net,
				   READ_ONCE(sk->sk_bound_dev_if),
				   inet_iif(skb), inet_sdif(skb)) &&
	       has_addresses(sk, skb) && wants_source(sk, skb);
}

/* --- the table --- */

/**
 * chalk_dgram_table_init() - make the table
 */
int chalk_dgram_table_init(void)
{
	struct udp_table *t = &chalk_dgram_table;
	unsigned int i;

	t->hash = kvcalloc(2 * SLOTS, sizeof(*t->hash), GFP_KERNEL);
	if (!t->hash)
		return -ENOMEM;
	for (i = 0; i < 2 * SLOTS; i++)
		spin_lock_init(&t->hash[i].lock);
	t->hash2 = t->hash + SLOTS;
	t->mask = SLOTS - 1;
	t->log = ilog2(SLOTS);
	return 0;
}

/**
 * chalk_dgram_table_exit() - the reverse; it is empty
 */
void chalk_dgram_table_exit(void)
{
	kvfree(chalk_dgram_table.hash);
}
