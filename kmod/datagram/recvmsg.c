// SPDX-License-Identifier: GPL-2.0
/*
 * recvmsg.c - from the receive queue to the program
 *
 * A datagram is read whole, by one call: what does not fit is lost, and
 * MSG_TRUNC says so. In the queue its payload stands alone; both headers are
 * still there in front of it, for the sender's address and control messages.
 */
#include <linux/udp.h>
#include <net/inet_common.h>
#include <net/ipv6.h>
#include <net/ping.h>

#include "compat.h"
#include "dgram.h"

/* --- what comes with it --- */

static void put_sender(struct sock *sk, struct msghdr *msg,
		       const struct sk_buff *skb, int *len)
{
	struct sockaddr_in *sin = msg->msg_name;

	*sin = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = udp_hdr(skb)->source,
		.sin_addr.s_addr = ip_hdr(skb)->saddr,
	};
	*len = sizeof(*sin);
	chalk_cgroup_run(UDP4_RECVMSG_LOCK, sk, (struct sockaddr *)sin, len);
}

static void put_sender6(struct sock *sk, struct msghdr *msg,
			const struct sk_buff *skb, int *len)
{
	struct sockaddr_in6 *sin6 = msg->msg_name;
	struct seg s = {};
	struct chalk_ends ends = chalk_ends_of_packet(skb, &s);

	*sin6 = (struct sockaddr_in6){
		.sin6_family = AF_INET6,
		.sin6_port = udp_hdr(skb)->source,
		.sin6_addr = ends.raddr,
	};
	if (skb->protocol == htons(ETH_P_IPV6))
		sin6->sin6_scope_id = ipv6_iface_scope_id(&sin6->sin6_addr,
							  inet6_iif(skb));
	*len = sizeof(*sin6);
	chalk_cgroup_run(UDP6_RECVMSG_LOCK, sk, (struct sockaddr *)sin6, len);
}

/* What AF_INET6 tells of a packet; the functions that ping borrows, too. */
static void put_control6(struct sock *sk, struct msghdr *msg,
			 struct sk_buff *skb)
{
	if (!inet6_sk(sk)->rxopt.all)
		return;
	pingv6_ops.ip6_datagram_recv_common_ctl(sk, msg, skb);
	if (skb->protocol == htons(ETH_P_IPV6))
		pingv6_ops.ip6_datagram_recv_specific_ctl(sk, msg, skb);
}

static void put_control(struct sock *sk, struct msghdr *msg,
			struct sk_buff *skb, int off)
{
	if (sk->sk_family == PF_INET6)
		put_control6(sk, msg, skb);
	if (skb->protocol == htons(ETH_P_IP) && chalk_cmsg_flags(sk))
		ip_cmsg_recv_offset(msg, sk, skb, DGRAM_HDR, off);
}

/* --- the call --- */

/* Return: payload bytes from @off on that were copied, or negative errno. */
static int dgram_copy_payload(struct sock *sk, struct msghdr *msg, size_t len,
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
	skb = __skb_recv_udp(sk, flags, &off, &ret);
	if (!skb)
		return ret;
	ret = dgram_copy_payload(sk, msg, len, flags, skb, off);
	if (ret < 0) {
		kfree_skb(skb);
		return ret;
	}
	sock_recv_cmsgs(msg, sk, skb);
	if (msg->msg_name && sk->sk_family == PF_INET6)
		put_sender6(sk, msg, skb, addr_len);
	else if (msg->msg_name)
		put_sender(sk, msg, skb, addr_len);
	put_control(sk, msg, skb, off);
	if (flags & MSG_TRUNC)
		ret = skb->len;
	if (!(flags & MSG_PEEK))
		chalk_count(sock_net(sk), MIB_DGRAM_IN);
	/* SO_PEEK_OFF goes on behind what was peeked; reading moves it back */
	skb_consume_udp(sk, skb, flags & MSG_PEEK ? -ret : ret);
	return ret;
}
