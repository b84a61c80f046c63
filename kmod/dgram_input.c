// SPDX-License-Identifier: GPL-2.0
/*
 * dgram_input.c - a packet from IP into receive queues
 *
 *	input()		from IP, in softirq
 *	  check()	length, checksum, header: core/dgram.c
 *	  to_one()	the socket that has the port, or ICMP to the sender
 *	  to_many()	multicast and broadcast: a copy for each
 *	    deliver()	filter, queue, wake
 *
 * Every datagram that is not used is counted, once for each socket that does
 * not take it.
 */
#include <linux/filter.h>
#include <net/busy_poll.h>
#include <net/icmp.h>
#include <net/protocol.h>
#include <net/route.h>

#include "dgram.h"
#include "sock.h"

/* Who sent a packet to whom: the buffer is the reader's once it is queued. */
struct ends {
	struct net *net;
	__be32 local, remote;
};

static struct ends ends_of(const struct sk_buff *skb)
{
	return (struct ends){ dev_net(skb->dev), ip_hdr(skb)->daddr,
			      ip_hdr(skb)->saddr };
}

static void trace(const struct ends *e, enum event_kind kind, enum cause why,
		  const struct dgram *d)
{
	struct seg s = { .len = d->len };
	struct chalk_ends ends = chalk_ends_of_ipv4(e->local, d->dport,
						    e->remote, d->sport);

	chalk_trace_stray(e->net, kind, why, &ends, &s);
}

static void drop(struct sk_buff *skb, const struct dgram *d, enum cause why)
{
	struct ends e = ends_of(skb);

	chalk_count_drop(e.net, why);
	trace(&e, EV_DROP, why, d);
	kfree_skb(skb);
}

/* --- a socket --- */

static void note_flow(struct sock *sk, const struct sk_buff *skb)
{
	if (sk->sk_state == TCP_ESTABLISHED)
		sock_rps_save_rxhash(sk, skb);
	sk_mark_napi_id(sk, skb);
	sk_incoming_cpu_update(sk);
}

static void refuse(struct sock *sk, struct sk_buff *skb, const struct dgram *d,
		   enum cause why)
{
	atomic_inc(&sk->sk_drops);
	drop(skb, d, why);
}

/* Transport header at the data of @skb, which is consumed. */
static void deliver(struct sock *sk, struct sk_buff *skb, const struct dgram *d)
{
	struct ends e = ends_of(skb);

	if (sk_filter_trim_cap(sk, skb, DGRAM_HDR)) {
		refuse(sk, skb, d, DROP_DGRAM_FILTER);
		return;
	}
	skb_pull_rcsum(skb, DGRAM_HDR);
	note_flow(sk, skb);
	chalk_dgram_prepare_pktinfo(sk, skb);
	skb_dst_drop(skb);
	/* counts in sk_drops itself, and leaves the buffer with us */
	if (__sock_queue_rcv_skb(sk, skb)) {
		drop(skb, d, DROP_DGRAM_RCVBUF);
		return;
	}
	chalk_count_datagram(e.net, CHALK_DGRAMS_IN);
	trace(&e, EV_RECV, BY_DATAGRAM, d);
}

/* --- the tables --- */

/* RFC 1122 section 4.1.3.1: the sender is told, unless it asked many. */
static void to_one(struct sk_buff *skb, const struct dgram *d)
{
	struct sock *sk = chalk_dgram_find(skb, d);

	if (sk) {
		deliver(sk, skb, d);
		return;
	}
	icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
	drop(skb, d, DROP_DGRAM_NO_SOCKET);
}

static void deliver_copy(struct sock *sk, const struct sk_buff *skb,
			 const struct dgram *d)
{
	struct sk_buff *copy = skb_clone((struct sk_buff *)skb, GFP_ATOMIC);

	if (copy) {
		deliver(sk, copy, d);
		return;
	}
	atomic_inc(&sk->sk_drops);
	chalk_count_drop(sock_net(sk), DROP_DGRAM_RCVBUF);
}

static void to_many(struct sk_buff *skb, const struct dgram *d)
{
	struct udp_hslot *slot = udp_hashslot(&chalk_dgram_table,
					      dev_net(skb->dev), d->dport);
	struct sock *sk, *last = NULL;

	sk_for_each_rcu(sk, &slot->head) {
		if (!chalk_dgram_is_member(sk, skb, d))
			continue;
		if (last)
			deliver_copy(last, skb, d);
		last = sk;
	}
	if (last)
		deliver(last, skb, d);
	else
		drop(skb, d, DROP_DGRAM_NO_MEMBER);
}

/* --- from IP --- */

static bool is_for_many(const struct sk_buff *skb)
{
	return skb_rtable(skb)->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST);
}

static bool is_sum_bad(struct sk_buff *skb)
{
	return skb_checksum_validate(skb, IPPROTO_CHALK_DGRAM,
				     inet_compute_pseudo);
}

static enum cause check(struct sk_buff *skb, struct dgram *d)
{
	enum cause why;

	memset(d, 0, sizeof(*d));
	if (!pskb_may_pull(skb, DGRAM_HDR))
		return DROP_DGRAM_TOO_SHORT;
	why = dgram_parse(d, skb->data, skb_headlen(skb), skb->len);
	if (why)
		return why;
	if (pskb_trim_rcsum(skb, DGRAM_HDR + d->len))
		return DROP_DGRAM_RCVBUF;
	return is_sum_bad(skb) ? DROP_DGRAM_BAD_CHECKSUM : DROP_NONE;
}

static int input(struct sk_buff *skb)
{
	struct dgram d;
	enum cause why;

	why = check(skb, &d);
	if (why)
		drop(skb, &d, why);
	else if (is_for_many(skb))
		to_many(skb, &d);
	else
		to_one(skb, &d);
	return 0;
}

static const struct net_protocol dgram_protocol = {
	.handler = input,
	.err_handler = chalk_dgram_icmp_error,
};

/**
 * chalk_dgram_input_register() - take packets from IP
 */
int chalk_dgram_input_register(void)
{
	return inet_add_protocol(&dgram_protocol, IPPROTO_CHALK_DGRAM);
}

/**
 * chalk_dgram_input_unregister() - take no more; waits for those on the way
 */
void chalk_dgram_input_unregister(void)
{
	inet_del_protocol(&dgram_protocol, IPPROTO_CHALK_DGRAM);
}
