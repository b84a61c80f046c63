// SPDX-License-Identifier: GPL-2.0
/*
 * table.c - which sockets have which ports
 *
 * Owns chalk_dgram_table, a table as the kernel keeps for UDP, shared by all
 * namespaces and both versions of IP. The kernel's own functions work on it.
 */
#include <linux/log2.h>
#include <linux/slab.h>

#include "dgram.h"

/* Slots by port, and again by port and address; the kernel wants 256 or more. */
#define SLOTS 1024

struct udp_table chalk_dgram_table __read_mostly;

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
	t->hash2 = t->hash + SLOTS;
	/* they nest: each of the two gets a lock class of its own */
	for (i = 0; i < SLOTS; i++)
		spin_lock_init(&t->hash[i].lock);
	for (i = 0; i < SLOTS; i++)
		spin_lock_init(&t->hash2[i].lock);
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

/**
 * chalk_dgram_has_port() - could a packet be for a socket, but for addresses
 * @sk:  the socket
 * @skb: the packet
 * @d:   the same, parsed
 */
bool chalk_dgram_has_port(const struct sock *sk, const struct sk_buff *skb,
			  const struct dgram *d)
{
	struct net *net = dev_net(skb->dev);
	__be16 peer = inet_sk(sk)->inet_dport;

	return net_eq(sock_net(sk), net) &&
	       udp_sk(sk)->udp_port_hash == d->dport &&
	       (!peer || peer == htons(d->sport)) &&
	       udp_sk_bound_dev_eq(net, READ_ONCE(sk->sk_bound_dev_if),
				   chalk_dgram_ip_of(skb)->iif(skb),
				   chalk_dgram_ip_of(skb)->sdif(skb));
}
