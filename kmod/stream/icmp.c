// SPDX-License-Identifier: GPL-2.0
/*
 * icmp.c - error messages about packets of ours
 *
 * Called by the kernel's ICMP, in softirq, with the quoted packet. Finds its
 * connection; the core says whether the message is to be believed (RFC 5927).
 * ICMPv6 comes by icmp6.c.
 */
#include <linux/icmp.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/tcp_states.h>

#include "compat.h"
#include "sock.h"

/**
 * chalk_mtu_reduced() - the path has a smaller MTU: mtu_info
 * @sk: the socket, locked
 *
 * The route remembers it; chalk_push() takes it from there.
 */
void chalk_mtu_reduced(struct sock *sk)
{
	if (!chalk_is_open(sk))
		return;
	inet_csk(sk)->icsk_af_ops->mtu_reduced(sk);
	chalk_push(sk, 0);
}

static void icmp_too_big(struct sock *sk, u32 mtu)
{
	WRITE_ONCE(chalk_sk(sk)->mtu_info, mtu);
	if (sock_owned_by_user(sk))
		chalk_defer(sk, CHALK_DEFER_MTU);
	else
		chalk_mtu_reduced(sk);
}

static void icmp_redirect(struct sock *sk, struct sk_buff *skb)
{
	struct dst_entry *dst = __sk_dst_get(sk);

	if (dst && !sock_owned_by_user(sk))
		dst->ops->redirect(dst, sk, skb);
}

/**
 * chalk_icmp_told() - an error message that is believed: icmp_seq, icmp_err
 * @sk: the socket, locked
 *
 * It ends the connection, or it is told at once, or it explains a timeout.
 */
void chalk_icmp_told(struct sock *sk)
{
	struct chalk_sock *cs = chalk_sk(sk);

	if (!chalk_is_open(sk))
		return;
	if (conn_error(&cs->conn, cs->icmp_seq, cs->icmp_err, chalk_now())) {
		chalk_push(sk, 0);
	} else if (cs->icmp_wanted) {
		WRITE_ONCE(sk->sk_err, cs->icmp_err);
		sk_error_report(sk);
	} else {
		WRITE_ONCE(sk->sk_err_soft, cs->icmp_err);
	}
}

/*
 * Where router and peer are on this host, the answer to a SYN comes while
 * connect() still has the socket. Of several messages the first counts.
 */
static void icmp_report(struct sock *sk, const struct chalk_icmp *msg)
{
	struct chalk_sock *cs = chalk_sk(sk);

	if (sock_owned_by_user(sk))
		chalk_count(sock_net(sk), MIB_ICMP_LOCKED);
	if (test_bit(CHALK_DEFER_ICMP, &cs->deferred))
		return;
	cs->icmp_seq = msg->seq;
	cs->icmp_err = msg->err;
	cs->icmp_wanted = msg->wanted(sk);
	if (sock_owned_by_user(sk))
		chalk_defer(sk, CHALK_DEFER_ICMP);
	else
		chalk_icmp_told(sk);
}

static void icmp_to_connection(struct sock *sk, struct sk_buff *skb,
			       const struct chalk_icmp *msg)
{
	switch (msg->kind) {
	case CHALK_ICMP_REDIRECT:
		icmp_redirect(sk, skb);
		break;
	case CHALK_ICMP_TOO_BIG:
		icmp_too_big(sk, msg->mtu);
		break;
	case CHALK_ICMP_ERROR:
		icmp_report(sk, msg);
		break;
	default:
		break;
	}
}

static void believe_or_not(struct sock *sk, struct sk_buff *skb,
			   const struct chalk_icmp *msg)
{
	if (conn_believes_icmp(&chalk_sk(sk)->conn, msg->seq))
		icmp_to_connection(sk, skb, msg);
	else
		chalk_count(sock_net(sk), MIB_ICMP_OUT_OF_WINDOW);
}

/**
 * chalk_icmp_rx() - an error message about a packet of a socket
 * @sk:  what a lookup found; its reference is consumed
 * @skb: the message
 * @msg: what it says
 */
void chalk_icmp_rx(struct sock *sk, struct sk_buff *skb,
		   const struct chalk_icmp *msg)
{
	/* records have timers of their own, and nobody to tell */
	if (sk_fullsock(sk)) {
		bh_lock_sock(sk);
		if (chalk_is_open(sk))
			believe_or_not(sk, skb, msg);
		bh_unlock_sock(sk);
	}
	sock_gen_put(sk);
}

/* --- of IPv4 --- */

static void classify_unreachable(unsigned int code, u32 info,
				 struct chalk_icmp *msg)
{
	if (code == ICMP_FRAG_NEEDED) {
		msg->kind = CHALK_ICMP_TOO_BIG;
		msg->mtu = info;
	} else if (code <= NR_ICMP_UNREACH) {
		msg->err = icmp_err_convert[code].errno;
	} else {
		msg->kind = CHALK_ICMP_OTHER;
	}
}

static void icmp_classify(const struct icmphdr *icmph, u32 info,
			  struct chalk_icmp *msg)
{
	msg->kind = CHALK_ICMP_ERROR;
	switch (icmph->type) {
	case ICMP_REDIRECT:
		msg->kind = CHALK_ICMP_REDIRECT;
		break;
	case ICMP_PARAMETERPROB:
		msg->err = EPROTO;
		break;
	case ICMP_TIME_EXCEEDED:
		msg->err = EHOSTUNREACH;
		break;
	case ICMP_DEST_UNREACH:
		classify_unreachable(icmph->code, info, msg);
		break;
	default:
		msg->kind = CHALK_ICMP_OTHER;
	}
}

/**
 * chalk_icmp_error() - an error message of ICMP
 * @skb:  the quoted packet: IP header at its data, at least 8 bytes behind it
 * @info: the MTU, if that is what it is about
 */
int chalk_icmp_error(struct sk_buff *skb, u32 info)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	const struct chalk_quote *q =
		(const struct chalk_quote *)(skb->data + iph->ihl * 4);
	struct net *net = dev_net(skb->dev);
	struct chalk_icmp msg = {
		.seq = ntohl(q->seq),
		.wanted = chalk_wants_icmp_errors,
	};
	struct sock *sk;

	sk = __inet_lookup_established(net, &chalk_hashinfo, iph->daddr,
				       q->dport, iph->saddr, ntohs(q->sport),
				       inet_iif(skb), inet_sdif(skb));
	if (!sk) {
		__ICMP_INC_STATS(net, ICMP_MIB_INERRORS);
		return -ENOENT;
	}
	icmp_classify(icmp_hdr(skb), info, &msg);
	chalk_icmp_rx(sk, skb, &msg);
	return 0;
}
