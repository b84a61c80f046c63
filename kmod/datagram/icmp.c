// SPDX-License-Identifier: GPL-2.0
/*
 * icmp.c - errors that come later than the call of send()
 *
 * Called by the kernel's ICMP, in softirq, with the quoted packet. As a sender
 * has no connection, an error is reported only to a socket whose peer is fixed,
 * or to one that asked for its error queue by IP_RECVERR (RFC 1122 section
 * 4.1.3.3).
 */
#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <net/icmp.h>
#include <net/route.h>
#include <net/tcp_states.h>

#include "compat.h"
#include "dgram.h"

/* --- the error queue --- */

/* What recvmsg(MSG_ERRQUEUE) will tell; @dest: where in @skb the peer stands. */
static void describe(struct sk_buff *skb, u8 origin, int err, u32 info,
		     const __be32 *dest, __be16 port)
{
	struct sock_exterr_skb *serr = SKB_EXT_ERR(skb);

	serr->ee = (struct sock_extended_err){
		.ee_errno = err,
		.ee_origin = origin,
		.ee_info = info,
	};
	serr->addr_offset = (const u8 *)dest - skb_network_header(skb);
	serr->port = port;
}

static void queue_error(struct sock *sk, struct sk_buff *skb)
{
	skb_reset_transport_header(skb);
	if (sock_queue_err_skb(sk, skb))
		kfree_skb(skb);
}

static void queue_message(struct sock *sk, struct sk_buff *skb, int err,
			  u32 info)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	unsigned int quoted = iph->ihl * 4 + DGRAM_HDR;
	const struct udphdr *uh = (const void *)skb->data + iph->ihl * 4;
	struct sk_buff *copy = skb_clone(skb, GFP_ATOMIC);

	if (!copy)
		return;
	describe(copy, SO_EE_ORIGIN_ICMP, err, info, &iph->daddr, uh->dest);
	SKB_EXT_ERR(copy)->ee.ee_type = icmp_hdr(skb)->type;
	SKB_EXT_ERR(copy)->ee.ee_code = icmp_hdr(skb)->code;
	if (pskb_pull(copy, quoted))
		queue_error(sk, copy);
	else
		kfree_skb(copy);
}

/**
 * chalk_dgram_too_long() - a datagram may not be fragmented and does not fit
 * @sk:  the socket
 * @fl4: its destination
 * @mtu: of the path
 */
void chalk_dgram_too_long(struct sock *sk, const struct flowi4 *fl4, u32 mtu)
{
	struct sk_buff *skb;
	struct iphdr *iph;

	if (!chalk_wants_icmp_errors(sk))
		return;
	skb = alloc_skb(sizeof(*iph), GFP_KERNEL);
	if (!skb)
		return;
	skb_reset_network_header(skb);
	iph = skb_put_zero(skb, sizeof(*iph));
	iph->daddr = fl4->daddr;
	describe(skb, SO_EE_ORIGIN_LOCAL, EMSGSIZE, mtu, &iph->daddr,
		 inet_sk(sk)->inet_dport);
	__skb_pull(skb, sizeof(*iph));
	queue_error(sk, skb);
}

/* --- messages --- */

/**
 * struct meaning - of an ICMP message
 * @err:   errno, 0: nothing to report
 * @fatal: a connected socket is told without having asked
 */
struct meaning {
	int err;
	bool fatal;
};

static struct meaning unreachable_meaning(const struct sock *sk, int code)
{
	if (code == ICMP_FRAG_NEEDED) {
		bool told = inet_sk(sk)->pmtudisc != IP_PMTUDISC_DONT;

		return (struct meaning){ told ? EMSGSIZE : 0, told };
	}
	if (code > NR_ICMP_UNREACH)
		return (struct meaning){ EHOSTUNREACH, false };
	return (struct meaning){ icmp_err_convert[code].errno,
				 icmp_err_convert[code].fatal };
}

static struct meaning meaning_of(const struct sock *sk, int type, int code)
{
	switch (type) {
	case ICMP_DEST_UNREACH:
		return unreachable_meaning(sk, code);
	case ICMP_PARAMETERPROB:
		return (struct meaning){ EPROTO, true };
	case ICMP_TIME_EXCEEDED:
		return (struct meaning){ EHOSTUNREACH, false };
	default:
		return (struct meaning){ 0, false };
	}
}

/* What the message says about the path, for routing to remember. */
static void dgram_learn(struct sock *sk, struct sk_buff *skb, u32 info)
{
	const struct icmphdr *icmp = icmp_hdr(skb);

	if (icmp->type == ICMP_REDIRECT)
		ipv4_sk_redirect(skb, sk);
	else if (icmp->type == ICMP_DEST_UNREACH &&
		 icmp->code == ICMP_FRAG_NEEDED)
		ipv4_sk_update_pmtu(skb, sk, info);
}

static void dgram_report(struct sock *sk, struct sk_buff *skb, u32 info)
{
	struct meaning m = meaning_of(sk, icmp_hdr(skb)->type,
				      icmp_hdr(skb)->code);

	if (!m.err)
		return;
	if (chalk_wants_icmp_errors(sk))
		queue_message(sk, skb, m.err, info);
	else if (!m.fatal || sk->sk_state != TCP_ESTABLISHED)
		return;
	WRITE_ONCE(sk->sk_err, m.err);
	sk_error_report(sk);
}

/**
 * chalk_dgram_icmp_error() - an error message
 * @skb:  the quoted packet: IP header at its data, at least 8 bytes behind it
 * @info: the MTU, if that is what it is about
 */
int chalk_dgram_icmp_error(struct sk_buff *skb, u32 info)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	const struct udphdr *uh = (const void *)skb->data + iph->ihl * 4;
	struct net *net = dev_net(skb->dev);
	struct sock *sk;

	sk = __udp4_lib_lookup(net, iph->daddr, uh->dest, iph->saddr,
			       uh->source, skb->dev->ifindex, inet_sdif(skb),
			       &chalk_dgram_table, NULL);
	if (!sk) {
		__ICMP_INC_STATS(net, ICMP_MIB_INERRORS);
		return -ENOENT;
	}
	dgram_learn(sk, skb, info);
	dgram_report(sk, skb, info);
	return 0;
}
