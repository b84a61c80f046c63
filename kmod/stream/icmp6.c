// SPDX-License-Identifier: GPL-2.0
/*
 * icmp6.c - error messages of ICMPv6 (RFC 4443) about packets of ours
 *
 * Called by the kernel's ICMPv6, in softirq, with the quoted packet. Finds its
 * connection, which icmp.c tells.
 */
#include <linux/icmpv6.h>
#include <net/addrconf.h>
#include <net/inet6_hashtables.h>
#include <net/ipv6.h>
#include <net/ndisc.h>

#include "compat.h"
#include "sock.h"

/* RFC 8201 section 4: nothing below IPV6_MIN_MTU is believed. */
static void icmp6_classify(u8 type, u8 code, u32 info, struct chalk_icmp *msg)
{
	if (type == NDISC_REDIRECT) {
		msg->kind = CHALK_ICMP_REDIRECT;
	} else if (type == ICMPV6_PKT_TOOBIG) {
		msg->mtu = info;
		if (info >= IPV6_MIN_MTU)
			msg->kind = CHALK_ICMP_TOO_BIG;
	} else {
		msg->kind = CHALK_ICMP_ERROR;
		icmpv6_err_convert(type, code, &msg->err);
	}
}

/**
 * chalk_icmp6_error() - an error message of ICMPv6
 * @skb:    the quoted packet: IPv6 header at its data
 * @opt:    not used
 * @type:   of the message
 * @code:   of the message
 * @offset: where in the packet the segment begins; 8 bytes of it are there
 * @info:   the MTU, if that is what it is about
 */
int chalk_icmp6_error(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type,
		      u8 code, int offset, __be32 info)
{
	const struct ipv6hdr *iph = (const struct ipv6hdr *)skb->data;
	const struct chalk_quote *q = (const struct chalk_quote *)(skb->data +
								   offset);
	struct net *net = dev_net(skb->dev);
	struct chalk_icmp msg = {
		.kind = CHALK_ICMP_OTHER,
		.seq = ntohl(q->seq),
		.wanted = chalk_wants_icmp6_errors,
	};
	struct sock *sk;

	sk = __inet6_lookup_established(net, &chalk_hashinfo, &iph->daddr,
					q->dport, &iph->saddr, ntohs(q->sport),
					inet6_iif(skb), inet6_sdif(skb));
	if (!sk) {
		__ICMP6_INC_STATS(net, __in6_dev_get(skb->dev),
				  ICMP6_MIB_INERRORS);
		return -ENOENT;
	}
	icmp6_classify(type, code, ntohl(info), &msg);
	chalk_icmp_rx(sk, skb, &msg);
	return 0;
}
