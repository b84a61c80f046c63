// SPDX-License-Identifier: GPL-2.0
/*
 * icmp.c - error messages about packets of ours
 *
 * Called by the kernel's ICMP, in softirq, with the quoted packet. Finds its
 * connection; the core says whether the message is to be believed (RFC 5927).
 */
#include <linux/icmp.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/tcp_states.h>

#include "compat.h"
#include "sock.h"

/* All that RFC 792 promises of a quoted segment: its first 8 bytes. */
struct quote {
	__be16 sport;
	__be16 dport;
	__be32 seq;
};

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
	inet_csk_update_pmtu(sk, chalk_sk(sk)->mtu_info);
	chalk_push(sk, 0);
}

static void frag_needed(struct sock *sk, u32 seq, u32 mtu)
{
	struct chalk_sock *cs = chalk_sk(sk);

	if (!conn_believes_icmp(&cs->conn, seq) || !ip_sk_accept_pmtu(sk))
		return;
	WRITE_ONCE(cs->mtu_info, mtu);
	if (sock_owned_by_user(sk))
		chalk_defer(sk, CHALK_DEFER_MTU);
	else
		chalk_mtu_reduced(sk);
}

static void redirect(struct sock *sk, struct sk_buff *skb)
{
	struct dst_entry *dst = __sk_dst_check(sk, 0);

	if (dst && !sock_owned_by_user(sk))
		dst->ops->redirect(dst, sk, skb);
}

/* It ended the connection, or it is told at once, or it explains a timeout. */
static void report(struct sock *sk, u32 seq, int err)
{
	struct conn *c = &chalk_sk(sk)->conn;

	if (sock_owned_by_user(sk)) {
		WRITE_ONCE(sk->sk_err_soft, err);
	} else if (conn_error(c, seq, err, chalk_now())) {
		chalk_push(sk, 0);
	} else if (chalk_wants_icmp_errors(sk)) {
		WRITE_ONCE(sk->sk_err, err);
		sk_error_report(sk);
	} else {
		WRITE_ONCE(sk->sk_err_soft, err);
	}
}

/* Return: negative errno for a message that is an error, else 0. */
static int message_error(int type, int code)
{
	switch (type) {
	case ICMP_PARAMETERPROB:
		return -EPROTO;
	case ICMP_TIME_EXCEEDED:
		return -EHOSTUNREACH;
	case ICMP_DEST_UNREACH:
		return code <= NR_ICMP_UNREACH ? -icmp_err_convert[code].errno :
						 0;
	default:
		return 0;
	}
}

static void to_connection(struct sock *sk, struct sk_buff *skb, u32 seq,
			  u32 info)
{
	int type = icmp_hdr(skb)->type;
	int code = icmp_hdr(skb)->code;
	int err = -message_error(type, code);

	if (type == ICMP_REDIRECT)
		redirect(sk, skb);
	else if (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED)
		frag_needed(sk, seq, info);
	else if (err && conn_believes_icmp(&chalk_sk(sk)->conn, seq))
		report(sk, seq, err);
}

/**
 * chalk_icmp_error() - an error message
 * @skb:  the quoted packet: IP header at its data, at least 8 bytes behind it
 * @info: the MTU, if that is what it is about
 */
int chalk_icmp_error(struct sk_buff *skb, u32 info)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	const struct quote *q = (const struct quote *)(skb->data +
						       iph->ihl * 4);
	struct net *net = dev_net(skb->dev);
	struct sock *sk;

	sk = __inet_lookup_established(net, &chalk_hashinfo, iph->daddr,
				       q->dport, iph->saddr, ntohs(q->sport),
				       inet_iif(skb), 0);
	if (!sk) {
		__ICMP_INC_STATS(net, ICMP_MIB_INERRORS);
		return -ENOENT;
	}
	/* records have timers of their own, and nobody to tell */
	if (sk_fullsock(sk)) {
		bh_lock_sock(sk);
		if (chalk_is_open(sk))
			to_connection(sk, skb, ntohl(q->seq), info);
		bh_unlock_sock(sk);
	}
	sock_gen_put(sk);
	return 0;
}
