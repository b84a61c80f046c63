/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dgram.h - the sockets of datagrams
 *
 * A datagram socket is a struct udp_sock, or udp6_sock: the kernel's tables of
 * UDP ports are made of these, and Chalk has a table of that kind to itself
 * (table.c). So a port, SO_REUSEADDR, SO_REUSEPORT, wildcards and
 * SO_BINDTODEVICE mean what they mean to UDP. What sends and receives is
 * Chalk's own: UDP's is bound to its number and its counters.
 *
 *	send.c	a message becomes a packet (packet.c)
 *	send6.c	the same over IPv6
 *	input.c	a packet from IP to a receive queue
 *	recvmsg.c	and from there to the program
 *
 * As elsewhere (ip/ip.h) the packet decides which version of IP counts: a socket
 * of AF_INET6 may speak IPv4 with v4-mapped addresses.
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
#include "compat.h"
#include "core/dgram.h"
#include "core/params.h"
#include "ip/ip.h"
#include "ip/ops.h"
#include "net/net.h"

struct dentry;

/**
 * struct chalk_dgram_ip - a version of IP, where datagrams arrive
 * @iif:              interface a packet came by
 * @sdif:             and the one below it, of a VRF
 * @is_damaged:       its checksum is wrong
 * @is_for_many:      it goes to all members of a group, or to all
 * @is_member:        then: does a socket get a copy; RCU is held
 * @find:             else: the socket, for the rest of the RCU section, or NULL
 * @send_unreachable: tell the sender that nobody has the port
 * @prepare:          note in a packet what control messages will tell of it
 */
struct chalk_dgram_ip {
	int (*iif)(const struct sk_buff *skb);
	int (*sdif)(const struct sk_buff *skb);
	bool (*is_damaged)(struct sk_buff *skb);
	bool (*is_for_many)(const struct sk_buff *skb);
	bool (*is_member)(const struct sock *sk, const struct sk_buff *skb,
			  const struct dgram *d);
	struct sock *(*find)(struct sk_buff *skb, const struct dgram *d);
	void (*send_unreachable)(struct sk_buff *skb);
	void (*prepare)(const struct sock *sk, struct sk_buff *skb);
};

/* What the struct proto_ops of a datagram socket has, whatever its addresses. */
/* clang-format off */
#define CHALK_DGRAM_OPS \
	.connect = inet_dgram_connect, \
	.accept = sock_no_accept, \
	.poll = datagram_poll, \
	.listen = sock_no_listen, \
	CHALK_SENDPAGE_OPS
/* clang-format on */

/* sock.c */
extern struct proto chalk_dgram_prot;

static inline bool chalk_dgram_is_transport(int level)
{
	return level == SOL_UDP || level == SOL_CHALK;
}

int chalk_dgram_setsockopt(struct sock *sk, int level, int name, sockptr_t val,
			   unsigned int len);
int chalk_dgram_getsockopt(struct sock *sk, int level, int name,
			   char __user *val, int __user *len);
int chalk_datagram_register(void);
void chalk_datagram_unregister(void);

/* table.c */
extern struct udp_table chalk_dgram_table;

int chalk_dgram_table_init(void);
void chalk_dgram_table_exit(void);
bool chalk_dgram_has_port(const struct sock *sk, const struct sk_buff *skb,
			  const struct dgram *d);

/* ipv4.c, ipv6.c */
extern const struct chalk_dgram_ip chalk_dgram_ipv4;
extern const struct chalk_dgram_ip chalk_dgram_ipv6;

int chalk_dgram_get_port(struct sock *sk, unsigned short port);
void chalk_dgram_rehash(struct sock *sk);
static inline const struct chalk_dgram_ip *
chalk_dgram_ip_of(const struct sk_buff *skb)
{
	if (IS_ENABLED(CONFIG_IPV6) && skb->protocol == htons(ETH_P_IPV6))
		return &chalk_dgram_ipv6;
	return &chalk_dgram_ipv4;
}

int chalk_dgram6_get_port(struct sock *sk, unsigned short port);
void chalk_dgram6_rehash(struct sock *sk);

/* input.c */
int chalk_dgram_rcv(struct sk_buff *skb);
int chalk_dgram_input_register(void);
void chalk_dgram_input_unregister(void);

/* icmp.c */
int chalk_dgram_icmp_error(struct sk_buff *skb, u32 info);
void chalk_dgram_too_long(struct sock *sk, const struct flowi4 *fl4, u32 mtu);

/* recvmsg.c */
int chalk_dgram_recvmsg(struct sock *sk, struct msghdr *msg, size_t len,
			int flags, int *addr_len);

/* cmsg.c */
int chalk_dgram_cmsg(struct sock *sk, struct msghdr *msg,
		     struct ipcm_cookie *ipc, struct ip_options_data *opt);

/* packet.c */
unsigned int chalk_dgram_headroom(const struct inet_cork_full *out);
int chalk_dgram_emit(struct sock *sk, struct sk_buff *skb,
		     struct inet_cork_full *out);

/* send.c */
int chalk_dgram_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);
bool chalk_dgram_lock_if_pending(struct sock *sk);
void chalk_dgram_note_error(const struct sock *sk, int err);
int chalk_dgram_push(struct sock *sk);
void chalk_dgram_flush(struct sock *sk);

/* sock6.c */
int chalk_dgram_inet6_register(void);
void chalk_dgram_inet6_unregister(void);

/* send6.c */
int chalk_dgram6_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);
int chalk_dgram6_push(struct sock *sk);
void chalk_dgram6_flush(struct sock *sk);

/* dgrams.c */
void chalk_dgram_debugfs_init(struct dentry *dir);

#endif /* CHALK_DGRAM_H */
