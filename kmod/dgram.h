/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dgram.h - the sockets of datagrams
 *
 * A datagram socket is a struct udp_sock, or udp6_sock: the kernel's tables of
 * UDP ports are made of these, and Chalk has a table of that kind to itself
 * (dgram_table.c). So a port, SO_REUSEADDR, SO_REUSEPORT, wildcards and
 * SO_BINDTODEVICE mean what they mean to UDP. What sends and receives is
 * Chalk's own: UDP's is bound to its number and its counters.
 *
 *	dgram_send.c	a message becomes a packet (dgram_packet.c)
 *	dgram_input.c	a packet from IP to a receive queue
 *	dgram_recvmsg.c	and from there to the program
 *
 * Locks
 * -----
 * A socket is found under RCU without a reference and freed after a grace
 * period (SOCK_RCU_FREE). Its receive queue has a lock of its own, so nothing
 * that arrives waits for the socket lock. That guards the addresses, the cached
 * route, and a datagram that grows under MSG_MORE or UDP_CORK: its payload
 * stands in sk_write_queue, its destination in inet_sock.cork, and
 * udp_sock.pending is not 0; that alone is also read without the lock.
 */
#ifndef CHALK_DGRAM_H
#define CHALK_DGRAM_H

#include <linux/udp.h>
#include <net/ip.h>
#include <net/udp.h>

#include "chalk.h"
#include "core/dgram.h"
#include "core/params.h"
#include "net.h"

struct dentry;

/* datagram.c */
int chalk_datagram_register(void);
void chalk_datagram_unregister(void);

/* dgram_table.c */
extern struct udp_table chalk_dgram_table;

int chalk_dgram_table_init(void);
void chalk_dgram_table_exit(void);
int chalk_dgram_get_port(struct sock *sk, unsigned short port);
void chalk_dgram_rehash(struct sock *sk);
struct sock *chalk_dgram_find(struct sk_buff *skb, const struct dgram *d);
bool chalk_dgram_is_member(const struct sock *sk, const struct sk_buff *skb,
			   const struct dgram *d);

/* dgram_input.c */
int chalk_dgram_input_register(void);
void chalk_dgram_input_unregister(void);

/* dgram_icmp.c */
int chalk_dgram_icmp_error(struct sk_buff *skb, u32 info);
void chalk_dgram_too_long(struct sock *sk, const struct flowi4 *fl4, u32 mtu);

/* dgram_recvmsg.c */
int chalk_dgram_recvmsg(struct sock *sk, struct msghdr *msg, size_t len,
			int flags, int *addr_len);
void chalk_dgram_prepare_pktinfo(const struct sock *sk, struct sk_buff *skb);

/* dgram_cmsg.c */
int chalk_dgram_cmsg(struct sock *sk, struct msghdr *msg,
		     struct ipcm_cookie *ipc, struct ip_options_data *opt);

/* dgram_packet.c */
unsigned int chalk_dgram_headroom(const struct inet_cork_full *out);
int chalk_dgram_emit(struct sock *sk, struct sk_buff *skb,
		     struct inet_cork_full *out);

/* dgram_send.c */
int chalk_dgram_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);
int chalk_dgram_push(struct sock *sk);
void chalk_dgram_flush(struct sock *sk);

/* dgram_debugfs.c */
void chalk_dgram_debugfs_init(struct dentry *dir);

#endif /* CHALK_DGRAM_H */
