/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ip.h - the two versions of IP, as the rest of Chalk sees them
 *
 * struct chalk_ip is a table of what differs between them where packets arrive
 * and where no connection is; ipv4.c and ipv6.c fill one each. The packet
 * decides which of them counts, not the socket: a socket of AF_INET6 speaks IPv4
 * with addresses that are v4-mapped, and so do its records and its children.
 * What differs for records and connections is in the room of streams.
 *
 * Everywhere else an address is a struct in6_addr; one of IPv4 is mapped to
 * ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2).
 */
#ifndef CHALK_IP_H
#define CHALK_IP_H

#include <linux/skbuff.h>
#include <net/inet_hashtables.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>

#include "chalk.h"
#include "core/params.h"
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
 * struct chalk_control - how a segment goes out that no socket keeps
 * @ends:   from where to where
 * @sk:     on whose behalf, a full socket, or NULL
 * @oif:    interface to leave by, 0: any
 * @mark:   of the packet
 * @txhash: the flow it belongs to, 0: none
 * @priority: of the packet, IPv6 only
 * @secid:  label of the packet it answers (security_skb_classify_flow())
 * @label:  flow label, IPv6 only
 * @tos:    type of service, or traffic class
 * @any_source: its source need not be an address of this host
 */
struct chalk_control {
	struct chalk_ends ends;
	const struct sock *sk;
	int oif;
	u32 mark;
	u32 txhash;
	u32 priority;
	u32 secid;
	__be32 label;
	u8 tos;
	bool any_source;
};

/**
 * struct chalk_ip - a version of IP
 * @is_unicast:    a packet goes from one host to this one
 * @is_damaged:    its checksum is wrong
 * @get_addresses: ours and the peer's, of a packet that arrived
 * @lookup:        find its socket, as __inet_lookup_skb() does
 * @lookup_listener: find a listener for it
 * @is_too_far:    more hops than the socket allows (RFC 5082)
 * @is_allowed:    the IPsec policies let it in (RFC 4301 section 5.2): those of
 *                 the socket, then those of the namespace; sk may be NULL
 * @fill_reset:    what a struct chalk_control has of the packet it answers; what
 *                 the socket says stands there already
 * @send_control:  send a segment without payload
 */
struct chalk_ip {
	bool (*is_unicast)(const struct sk_buff *skb);
	bool (*is_damaged)(struct sk_buff *skb);
	void (*get_addresses)(const struct sk_buff *skb,
			      struct chalk_ends *ends);
	struct sock *(*lookup)(struct sk_buff *skb, const struct seg *seg,
			       bool *refcounted);
	struct sock *(*lookup_listener)(struct net *net, struct sk_buff *skb,
					const struct seg *seg);

	bool (*is_too_far)(const struct sock *sk, const struct sk_buff *skb);
	bool (*is_allowed)(struct sock *sk, struct sk_buff *skb);

	void (*fill_reset)(struct net *net, const struct sk_buff *skb,
			   struct chalk_control *ctl);
	void (*send_control)(struct net *net, const struct chalk_control *ctl,
			     const struct seg *seg);
};

/* The most that all headers of a packet take. */
#define CHALK_MAX_HEADER (MAX_HEADER + sizeof(struct ipv6hdr) + HDR_MAX)

/* demux.c */
extern struct inet_hashinfo chalk_hashinfo;

int chalk_demux_init(void);
void chalk_demux_exit(void);
u32 chalk_isn(struct net *net, const struct chalk_ends *ends, u64 now);
u32 chalk_ts_off(struct net *net, const struct chalk_ends *ends);

/* packet.c */
void chalk_start_sum(struct sk_buff *skb, __sum16 pseudo);
bool chalk_finish_sum(struct sk_buff *skb, const struct dst_entry *dst);
struct sk_buff *chalk_alloc_packet(u32 len);
void chalk_put_header(struct sk_buff *skb, const struct seg *seg);
struct sk_buff *chalk_bare_packet(const struct seg *seg);

/* ipv4.c */
extern const struct chalk_ip chalk_ipv4;

void chalk_ipv4_send_bare(const struct sock *sk, struct sock *owner,
			  struct dst_entry *dst, __be32 saddr, __be32 daddr,
			  u8 tos, u32 mark, const struct seg *seg);

/* ipv6.c */
extern const struct chalk_ip chalk_ipv6;

struct sk_buff *chalk_ipv6_bare_packet(struct sock *owner,
				       struct dst_entry *dst,
				       const struct in6_addr *saddr,
				       const struct in6_addr *daddr, u32 txhash,
				       const struct seg *seg);

/* The sum of a pseudo-header (RFC 9293 section 3.1), as a device goes on. */
static inline __sum16 chalk_ipv4_pseudo(__be32 saddr, __be32 daddr,
					unsigned int len)
{
	return ~csum_tcpudp_magic(saddr, daddr, len, IPPROTO_CHALK, 0);
}

#if IS_ENABLED(CONFIG_IPV6)
static inline __sum16 chalk_ipv6_pseudo(const struct in6_addr *saddr,
					const struct in6_addr *daddr,
					unsigned int len)
{
	return ~csum_ipv6_magic(saddr, daddr, len, IPPROTO_CHALK, 0);
}
#endif

static inline const struct chalk_ip *
chalk_ip_of_packet(const struct sk_buff *skb)
{
	if (IS_ENABLED(CONFIG_IPV6) && skb->protocol == htons(ETH_P_IPV6))
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
