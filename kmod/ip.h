/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ip.h - the two versions of IP, as the rest of Chalk sees them
 *
 * struct chalk_ip is a table of what differs between them where packets arrive
 * and where no connection is; ipv4.c and ipv6.c fill one each. The packet
 * decides which of them counts, not the socket: a socket of AF_INET6 speaks IPv4
 * with addresses that are v4-mapped, and so do its records and its children.
 * For a connection the kernel has such a table of its own, icsk_af_ops.
 *
 * Everywhere else an address is a struct in6_addr; one of IPv4 is mapped to
 * ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2).
 */
#ifndef CHALK_IP_H
#define CHALK_IP_H

#include <net/inet_connection_sock.h>
#include <net/ipv6.h>

#include "core/wire.h"

/**
 * struct chalk_ends - the two ends of a connection
 * @laddr: our address
 * @raddr: the peer's
 * @lport: our port
 * @rport: the peer's
 */
struct chalk_ends {
	struct in6_addr laddr, raddr;
	u16 lport, rport;
};

/**
 * struct chalk_control - how a segment goes out that has no socket
 * @ends:   from where to where
 * @oif:    interface to leave by, 0: any
 * @mark:   of the packet
 * @txhash: the flow it belongs to, 0: none
 * @label:  flow label, IPv6 only
 * @tos:    type of service, or traffic class
 */
struct chalk_control {
	struct chalk_ends ends;
	int oif;
	u32 mark;
	u32 txhash;
	__be32 label;
	u8 tos;
};

/**
 * struct chalk_ip - a version of IP
 * @header_len:    bytes of its header, without options
 * @default_mss:   of a peer that names none
 * @req_ops:       of records of SYN_RCVD
 * @is_unicast:    a packet goes from one host to this one
 * @is_damaged:    its checksum is wrong
 * @get_addresses: ours and the peer's, of a packet that arrived
 * @lookup:        find its socket, as __inet_lookup_skb() does
 * @lookup_listener: find a listener for it
 * @is_too_far:    more hops than the socket allows (RFC 5082)
 * @fill_reset:    all of a struct chalk_control but @ends, to answer a packet
 * @send_control:  send a segment without payload
 * @init_req:      fill in what a record has of its SYN's IP header
 * @req_mtu:       MTU of the way back to a record's peer, 0: there is none
 * @send_synack:   send a segment of a record
 * @init_child:    give a new child the addresses and options of its record
 * @route_child:   find its route and store it; false: there is none
 */
struct chalk_ip {
	u16 header_len;
	u16 default_mss;
	struct request_sock_ops *req_ops;

	bool (*is_unicast)(const struct sk_buff *skb);
	bool (*is_damaged)(struct sk_buff *skb);
	void (*get_addresses)(const struct sk_buff *skb,
			      struct chalk_ends *ends);
	struct sock *(*lookup)(struct sk_buff *skb, const struct seg *seg,
			       bool *refcounted);
	struct sock *(*lookup_listener)(struct net *net, struct sk_buff *skb,
					const struct seg *seg);

	bool (*is_too_far)(const struct sock *sk, const struct sk_buff *skb);

	void (*fill_reset)(struct net *net, const struct sk_buff *skb,
			   struct chalk_control *ctl);
	void (*send_control)(struct net *net, const struct chalk_control *ctl,
			     const struct seg *seg);

	void (*init_req)(struct request_sock *req, const struct sock *listener,
			 struct sk_buff *skb);
	u32 (*req_mtu)(const struct sock *listener,
		       const struct request_sock *req);
	void (*send_synack)(const struct sock *listener,
			    struct request_sock *req, const struct seg *seg);
	void (*init_child)(struct sock *child, struct request_sock *req,
			   struct sk_buff *skb);
	bool (*route_child)(const struct sock *listener, struct sock *child,
			    struct request_sock *req);
};

/* ipv4.c */
extern const struct chalk_ip chalk_ipv4;
extern struct request_sock_ops chalk_req_ops;
extern const struct inet_connection_sock_af_ops chalk_ipv4_af_ops;

void chalk_ipv4_send_check(struct sock *sk, struct sk_buff *skb);
void chalk_ipv4_mtu_reduced(struct sock *sk);

/* ipv6.c */
extern const struct chalk_ip chalk_ipv6;
extern struct request_sock_ops chalk6_req_ops;
extern const struct inet_connection_sock_af_ops chalk_ipv6_af_ops;
extern const struct inet_connection_sock_af_ops chalk_mapped_af_ops;

void chalk_ipv6_init_mapped(struct sock *child);
void chalk_ipv6_inherit_packet(struct sock *child, struct request_sock *req);
void chalk_ipv6_note_packet(struct sock *sk, struct sk_buff *skb);
void chalk_ipv6_init_timewait(struct inet_timewait_sock *tw,
			      const struct sock *sk);

/* inet6.c */
int chalk_inet6_proto_register(void);
void chalk_inet6_proto_unregister(void);
int chalk_inet6_input_register(void);
void chalk_inet6_input_unregister(void);
int chalk_inet6_family_register(void);
void chalk_inet6_family_unregister(void);

/* connect6.c */
int chalk_connect6(struct sock *sk, struct sockaddr *addr, int len);

/* icmp6.c */
int chalk_icmp6_error(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type,
		      u8 code, int offset, __be32 info);

/* Everything of IPv6 hides behind this; without it nothing of it is linked. */
static inline bool chalk_has_ipv6(void)
{
	return IS_ENABLED(CONFIG_IPV6) && ipv6_mod_enabled();
}

static inline const struct chalk_ip *
chalk_ip_of_packet(const struct sk_buff *skb)
{
	if (IS_ENABLED(CONFIG_IPV6) && skb->protocol == htons(ETH_P_IPV6))
		return &chalk_ipv6;
	return &chalk_ipv4;
}

static inline const struct chalk_ip *
chalk_ip_of_req(const struct request_sock *req)
{
	if (IS_ENABLED(CONFIG_IPV6) && req->rsk_ops->family == PF_INET6)
		return &chalk_ipv6;
	return &chalk_ipv4;
}

static inline const struct chalk_ip *
chalk_ip_of_ends(const struct chalk_ends *ends)
{
	if (IS_ENABLED(CONFIG_IPV6) && !ipv6_addr_v4mapped(&ends->raddr))
		return &chalk_ipv6;
	return &chalk_ipv4;
}

static inline struct chalk_ends chalk_ends_of_ipv4(__be32 laddr, u16 lport,
						   __be32 raddr, u16 rport)
{
	struct chalk_ends e = { .lport = lport, .rport = rport };

	ipv6_addr_set_v4mapped(laddr, &e.laddr);
	ipv6_addr_set_v4mapped(raddr, &e.raddr);
	return e;
}

/**
 * chalk_ends_of() - between whom a connection is
 * @sk: a socket or a record; of a listener our end alone means something
 */
static inline struct chalk_ends chalk_ends_of(const struct sock *sk)
{
	struct chalk_ends e = chalk_ends_of_ipv4(sk->sk_rcv_saddr, sk->sk_num,
						 sk->sk_daddr,
						 ntohs(sk->sk_dport));

#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == PF_INET6) {
		e.laddr = sk->sk_v6_rcv_saddr;
		e.raddr = sk->sk_v6_daddr;
	}
#endif
	return e;
}

/**
 * chalk_ends_of_packet() - between whom a packet went that arrived
 * @skb: the packet
 * @seg: the same, parsed
 */
static inline struct chalk_ends chalk_ends_of_packet(const struct sk_buff *skb,
						     const struct seg *seg)
{
	struct chalk_ends e = { .lport = seg->dport, .rport = seg->sport };

	chalk_ip_of_packet(skb)->get_addresses(skb, &e);
	return e;
}

#endif /* CHALK_IP_H */
