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
 *	send.c	a message becomes a datagram, or a part of one
 *	send4.c	over IPv4: to whom, by which route; its packet is made in packet.c
 *	send6.c	over IPv6
 *	input.c	a packet from IP to a receive queue
 *	recvmsg.c	and from there to the program
 *
 * As elsewhere (ip/ip.h) the packet decides which version of IP counts: a socket
 * of AF_INET6 may speak IPv4 with v4-mapped addresses.
 *
 * Locks
 * -----
 * A socket is found under RCU without a reference and freed after a grace
 * period (SOCK_RCU_FREE). Its receive queue is UDP's, with locks of its own:
 * readers share udp_sock.reader_queue and take what has arrived over from
 * sk_receive_queue, whose lock also guards sk_forward_alloc, the memory that is
 * charged in advance. So nothing that arrives waits for the socket lock. That
 * guards the addresses, the cached route, and a datagram that grows under
 * MSG_MORE or UDP_CORK: its payload stands in sk_write_queue, its destination in
 * inet_sock.cork, and udp_sock.pending is AF_INET or AF_INET6, else 0; that
 * alone is also read without the lock.
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
 * @is_allowed:       IPsec policies, the socket's own first, let it in; @sk may
 *                    be NULL
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
	bool (*is_allowed)(struct sock *sk, struct sk_buff *skb);
	void (*send_unreachable)(struct sk_buff *skb);
	void (*prepare)(const struct sock *sk, struct sk_buff *skb);
};

/**
 * struct chalk_dgram_plan - where a datagram goes
 * @out:       the flow; the route, with a reference; the rest of IP's header
 * @connected: the socket's own route will do
 * @ipc:       IPv4: what the socket and the control messages ask for
 * @opt:       and memory for IP options
 * @daddr:     and the receiver; behind a source route
 * @dport:     and its port
 * @ipc6:      IPv6: the same as @ipc
 * @space:     and memory for extension headers of this message
 * @held:      and those of the socket, with a reference, or NULL
 * @label:     and the flow label, if it is one that somebody owns, or NULL
 */
struct chalk_dgram_plan {
	struct inet_cork_full out;
	bool connected;
	union {
		struct {
			struct ipcm_cookie ipc;
			struct ip_options_data opt;
			__be32 daddr;
			__be16 dport;
		};
		struct {
			struct ipcm6_cookie ipc6;
			struct ipv6_txoptions space;
		};
	};
	struct ipv6_txoptions *held;
	struct ip6_flowlabel *label;
};

/**
 * struct chalk_dgram_way - a version of IP, where datagrams leave
 * @family: AF_INET or AF_INET6
 * @mixed:  errno when one grows already, over the other version
 * @plan:   fill in a plan that is all 0; dgram_drop_plan() is due in any case
 * @whole:  send a datagram at once, without the lock; NULL: there is no such way
 * @append: let it grow, the socket is locked; @p is NULL but for the first part
 * @push:   send what grew, the socket is locked
 * @flush:  or forget it
 */
struct chalk_dgram_way {
	int family;
	int mixed;
	int (*plan)(struct chalk_dgram_plan *p, struct sock *sk,
		    struct msghdr *msg);
	int (*whole)(struct sock *sk, struct msghdr *msg, size_t len,
		     struct chalk_dgram_plan *p);
	int (*append)(struct sock *sk, struct msghdr *msg, size_t len,
		      struct chalk_dgram_plan *p, bool more);
	int (*push)(struct sock *sk);
	void (*flush)(struct sock *sk);
};

/* What the struct proto_ops of a datagram socket has, whatever its addresses. */
/* clang-format off */
#define CHALK_DGRAM_OPS \
	.connect = inet_dgram_connect, \
	.accept = sock_no_accept, \
	.poll = udp_poll, \
	.set_peek_off = udp_set_peek_off, \
	.listen = sock_no_listen, \
	CHALK_DGRAM_SPLICE_OPS
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
struct sk_buff *chalk_dgram_collect(struct sock *sk, struct msghdr *msg,
				    size_t len, struct inet_cork_full *out);
int chalk_dgram_extend(struct sock *sk, struct sk_buff *skb, struct msghdr *msg,
		       size_t len, struct inet_cork_full *out);
int chalk_dgram_emit(struct sock *sk, struct sk_buff *skb,
		     struct inet_cork_full *out);

/* send.c */
int chalk_dgram_send(struct sock *sk, struct msghdr *msg, size_t len,
		     const struct chalk_dgram_way *way);
int chalk_dgram_push(struct sock *sk);
void chalk_dgram_flush(struct sock *sk);
void chalk_dgram_splice_eof(struct socket *sock);

/* send4.c */
extern const struct chalk_dgram_way chalk_dgram_by_ipv4;

int chalk_dgram_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);

/* sock6.c */
int chalk_dgram_inet6_register(void);
void chalk_dgram_inet6_unregister(void);

/* send6.c */
extern const struct chalk_dgram_way chalk_dgram_by_ipv6;

int chalk_dgram6_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);

/* dgrams.c */
void chalk_dgram_debugfs_init(struct dentry *dir);

#endif /* CHALK_DGRAM_H */
