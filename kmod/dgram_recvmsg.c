// SPDX-License-Identifier: GPL-2.0
/*
 * dgram_recvmsg.c - from the receive queue to the program
 *
 * A datagram is read whole, by one call: what does not fit is lost, and
 * MSG_TRUNC says so. In the queue its payload stands alone; both headers are
 * still there in front of it, for the sender's address and control messages.
 */
#include <linux/inetdevice.h>
#include <linux/udp.h>
#include <net/inet_common.h>
#include <net/route.h>

#include "compat.h"
#include "dgram.h"

/* --- IP_PKTINFO, while the packet still knows its route --- */

static bool wants_pktinfo(const struct sock *sk)
{
	return chalk_cmsg_flags(sk) & IP_CMSG_PKTINFO || ipv6_sk_rxinfo(sk);
}

/*
 * RFC 1122 section 4.1.3.5: the address an answer should come from. That of the
 * packet, if it is ours alone; else the one we would write to the sender from.
 */
static __be32 answer_from(const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct flowi4 fl4 = { .daddr = iph->saddr };
	struct rtable *rt;

	if (skb_rtable(skb)->rt_type == RTN_LOCAL)
		return iph->daddr;
	if (ipv4_is_zeronet(iph->saddr))
		return inet_select_addr(skb->dev, iph->saddr, RT_SCOPE_LINK);
	rt = ip_route_output_key(dev_net(skb->dev), &fl4);
	if (IS_ERR(rt))
		return inet_select_addr(skb->dev, iph->saddr,
					RT_SCOPE_UNIVERSE);
	ip_rt_put(rt);
	return fl4.saddr;
}

/**
 * chalk_dgram_prepare_pktinfo() - note what IP_PKTINFO will tell
 * @sk:  the socket
 * @skb: a packet on its way into the queue
 */
void chalk_dgram_prepare_pktinfo(const struct sock *sk, struct sk_buff *skb)
{
	struct in_pktinfo *info = PKTINFO_SKB_CB(skb);
	int iif = inet_iif(skb);

	/* the two overlay IPCB(): its interface comes first, its options last */
	if (wants_pktinfo(sk)) {
		info->ipi_spec_dst.s_addr = answer_from(skb);
		info->ipi_ifindex = iif;
	} else {
		info->ipi_spec_dst.s_addr = 0;
		info->ipi_ifindex = 0;
	}
}

/* --- the call --- */

static void put_sender(struct msghdr *msg, const struct sk_buff *skb,
		       int *addr_len)
{
	DECLARE_SOCKADDR(struct sockaddr_in *, sin, msg->msg_name);

	if (!sin)
		return;
	*sin = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = udp_hdr(skb)->source,
		.sin_addr.s_addr = ip_hdr(skb)->saddr,
	};
	*addr_len = sizeof(*sin);
}

static void put_control(struct sock *sk, struct msghdr *msg,
			struct sk_buff *skb, int off)
{
	sock_recv_cmsgs(msg, sk, skb);
	if (chalk_cmsg_flags(sk))
		ip_cmsg_recv_offset(msg, sk, skb, DGRAM_HDR, off);
}

/* SO_PEEK_OFF: peeking goes on behind what was peeked, reading goes back. */
static void move_peek_offset(struct sock *sk, int flags, int n)
{
	if (flags & MSG_PEEK)
		sk_peek_offset_fwd(sk, n);
	else
		sk_peek_offset_bwd(sk, n);
}

/* Return: payload bytes from @off on that were copied, or negative errno. */
static int copy_payload(struct sock *sk, struct msghdr *msg, size_t len,
			int flags, const struct sk_buff *skb, int off)
{
	size_t n = min_t(size_t, len, skb->len - off);
	int err;

	if (n < skb->len - off)
		msg->msg_flags |= MSG_TRUNC;
	err = skb_copy_datagram_msg(skb, off, msg, n);
	if (!err)
		return n;
	if (!(flags & MSG_PEEK))
		atomic_inc(&sk->sk_drops);
	return err;
}

/**
 * chalk_dgram_recvmsg() - proto.recvmsg
 * @sk:       the socket, not locked
 * @msg:      where to put it
 * @len:      bytes of room
 * @flags:    MSG_*
 * @addr_len: set to the length of the sender's address
 *
 * Return: bytes copied, or with MSG_TRUNC the length of the datagram; 0 after
 * shutdown(), negative errno.
 */
int chalk_dgram_recvmsg(struct sock *sk, struct msghdr *msg, size_t len,
			int flags, int *addr_len)
{
	int off = sk_peek_offset(sk, flags); /* -1: not set; then it gets 0 */
	struct sk_buff *skb;
	int ret;

	if (flags & MSG_ERRQUEUE)
		return inet_recv_error(sk, msg, len, addr_len);
	skb = __skb_recv_datagram(sk, &sk->sk_receive_queue, flags, &off, &ret);
	if (!skb)
		return ret;
	ret = copy_payload(sk, msg, len, flags, skb, off);
	if (ret >= 0) {
		put_control(sk, msg, skb, off);
		put_sender(msg, skb, addr_len);
		if (flags & MSG_TRUNC)
			ret = skb->len;
		move_peek_offset(sk, flags, ret);
	}
	skb_free_datagram(sk, skb);
	return ret;
}
