// SPDX-License-Identifier: GPL-2.0
/*
 * packet.c - payload becomes an IPv4 packet and goes
 *
 * The kernel's own ip_append_data() is not to be had by a module, so the IP
 * header is written here. Fragmentation is left to IP's output.
 */
#include <linux/netdevice.h>
#include <net/ip.h>
#include <net/route.h>

#include "compat.h"
#include "dgram.h"
#include "watch/trace.h"

/* --- the datagram --- */

static void dgram_put_header(struct sk_buff *skb, const struct flowi4 *fl4)
{
	struct dgram d = {
		.sport = ntohs(fl4->fl4_sport),
		.dport = ntohs(fl4->fl4_dport),
		.len = skb->len,
	};

	dgram_build(&d, skb_push(skb, DGRAM_HDR));
	skb_reset_transport_header(skb);
}

/*
 * As for segments (output.c): only a device that sums anything can do ours.
 * skb_checksum_help() writes 0 as all ones, as RFC 768 wants.
 */
static int sum(struct sk_buff *skb, const struct flowi4 *fl4,
	       const struct dst_entry *dst)
{
	__sum16 *check = (__sum16 *)(skb->data + DGRAM_CHECKSUM_OFFSET);

	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = DGRAM_CHECKSUM_OFFSET;
	*check = ~csum_tcpudp_magic(fl4->saddr, fl4->daddr, skb->len,
				    IPPROTO_CHALK_DGRAM, 0);
	if (dst->dev->features & NETIF_F_HW_CSUM)
		return 0;
	return skb_checksum_help(skb);
}

/* --- the IP header --- */

/* IP options that are filled in on the way begin with us (RFC 791 3.1). */
static void put_options(struct sk_buff *skb, const struct ip_options *opt,
			__be32 daddr)
{
	u8 *iph = skb_network_header(skb);
	__be32 *saddr = &ip_hdr(skb)->saddr;

	IPCB(skb)->opt = *opt;
	memcpy(iph + sizeof(struct iphdr), opt->__data, opt->optlen);
	if (opt->srr)
		memcpy(iph + opt->srr + iph[opt->srr + 1] - 4, &daddr, 4);
	if (opt->rr_needaddr)
		memcpy(iph + opt->rr + iph[opt->rr + 2] - 5, saddr, 4);
	if (opt->ts_needaddr)
		memcpy(iph + opt->ts + iph[opt->ts + 2] - 9, saddr, 4);
	if (opt->ts_needtime) {
		__be32 now = inet_current_timestamp();

		memcpy(iph + opt->ts + iph[opt->ts + 2] - 5, &now, 4);
	}
}

/* DF asks routers, ignore_df says that we ourselves may fragment still. */
static __be16 dont_fragment(const struct sock *sk, const struct sk_buff *skb,
			    const struct dst_entry *dst)
{
	u8 pmtudisc = inet_sk(sk)->pmtudisc;

	if (pmtudisc == IP_PMTUDISC_DO || pmtudisc == IP_PMTUDISC_PROBE ||
	    (skb->len <= dst_mtu(dst) && ip_dont_fragment(sk, dst)))
		return htons(IP_DF);
	return 0;
}

static int time_to_live(const struct sock *sk, const struct inet_cork *cork)
{
	const struct rtable *rt = (const struct rtable *)cork->dst;

	if (cork->ttl)
		return cork->ttl;
	if (rt->rt_type == RTN_MULTICAST)
		return inet_sk(sk)->mc_ttl;
	if (inet_sk(sk)->uc_ttl >= 0)
		return inet_sk(sk)->uc_ttl;
	return ip4_dst_hoplimit(cork->dst);
}

static unsigned int options_len(const struct inet_cork *cork)
{
	return cork->opt ? cork->opt->optlen : 0;
}

static void put_ip_header(struct sock *sk, struct sk_buff *skb,
			  const struct flowi4 *fl4,
			  const struct inet_cork *cork)
{
	unsigned int len = sizeof(struct iphdr) + options_len(cork);
	struct iphdr *iph = skb_push(skb, len);

	skb_reset_network_header(skb);
	skb->ignore_df = ip_sk_ignore_df(sk);
	iph->version = 4;
	iph->ihl = len / 4;
	iph->tos = cork->tos != -1 ? cork->tos : inet_sk(sk)->tos;
	iph->frag_off = dont_fragment(sk, skb, cork->dst);
	iph->ttl = time_to_live(sk, cork);
	iph->protocol = IPPROTO_CHALK_DGRAM;
	iph->saddr = fl4->saddr;
	iph->daddr = fl4->daddr;
	ip_select_ident(sock_net(sk), skb, sk);
	if (cork->opt)
		put_options(skb, cork->opt, cork->addr);
}

/* --- the way out --- */

static void dgram_trace_out(const struct sock *sk, const struct flowi4 *fl4,
			    u32 len)
{
	struct seg s = { .len = len };
	struct chalk_ends ends = chalk_ends_of_ipv4(fl4->saddr,
						    ntohs(fl4->fl4_sport),
						    fl4->daddr,
						    ntohs(fl4->fl4_dport));

	chalk_trace_stray(sock_net(sk), EV_SEND, BY_DATAGRAM, &ends, &s);
}

/* As UDP: a full queue of a device is for those to know who asked. */
static int transmit(struct sock *sk, struct sk_buff *skb)
{
	int err = ip_local_out(sock_net(sk), sk, skb);

	if (err > 0)
		err = net_xmit_errno(err);
	if (!err)
		chalk_count(sock_net(sk), MIB_DGRAM_OUT);
	if (err != -ENOBUFS || chalk_wants_icmp_errors(sk))
		return err;
	chalk_count(sock_net(sk), MIB_DGRAM_SNDBUF);
	return 0;
}

/**
 * chalk_dgram_headroom() - bytes that headers will need in front of payload
 * @out: where the datagram goes
 */
unsigned int chalk_dgram_headroom(const struct inet_cork_full *out)
{
	return LL_RESERVED_SPACE(out->base.dst->dev) +
	       out->base.dst->header_len + sizeof(struct iphdr) +
	       options_len(&out->base) + DGRAM_HDR;
}

/**
 * chalk_dgram_emit() - send a datagram
 * @sk:  the socket
 * @skb: its payload, consumed
 * @out: where it goes; the route is taken out
 */
int chalk_dgram_emit(struct sock *sk, struct sk_buff *skb,
		     struct inet_cork_full *out)
{
	const struct flowi4 *fl4 = &out->fl.u.ip4;
	struct inet_cork *cork = &out->base;
	int err;

	dgram_trace_out(sk, fl4, skb->len);
	dgram_put_header(skb, fl4);
	err = sum(skb, fl4, cork->dst);
	if (err) {
		kfree_skb(skb);
		return err;
	}
	put_ip_header(sk, skb, fl4, cork);
	skb->priority = cork->tos != -1 ? cork->priority : sk->sk_priority;
	skb->mark = cork->mark;
	skb->tstamp = cork->transmit_time;
	skb_dst_set(skb, cork->dst);
	cork->dst = NULL;
	return transmit(sk, skb);
}
