// SPDX-License-Identifier: GPL-2.0
/*
 * input.c - a packet from IP into receive queues
 *
 *	chalk_dgram_rcv()	from IP, in softirq
 *	  dgram_check()	length, checksum, header: core/dgram.c
 *	  to_one()	the socket that has the port, or ICMP to the sender
 *	  to_many()	multicast and broadcast: a copy for each
 *	    dgram_deliver()	policy, filter, queue, wake
 *
 * Every datagram that is not used is counted, once for each socket that does
 * not take it.
 */
#include <linux/filter.h>
#include <net/busy_poll.h>
#include <net/protocol.h>

#include "dgram.h"
#include "watch/trace.h"

/* For a packet that may be its reader's by now: @ends were taken before. */
static void dgram_trace_in(struct net *net, enum event_kind kind,
			   enum cause why, const struct chalk_ends *ends,
			   const struct dgram *d)
{
	struct seg s = { .len = d->len };

	chalk_trace_stray(net, kind, why, ends, &s);
}

static struct chalk_ends ends_of(const struct sk_buff *skb,
				 const struct dgram *d)
{
	struct seg s = { .sport = d->sport, .dport = d->dport };

	return chalk_ends_of_packet(skb, &s);
}

static void dgram_drop(struct sk_buff *skb, const struct dgram *d,
		       enum cause why)
{
	struct chalk_ends ends = ends_of(skb, d);
	struct net *net = dev_net(skb->dev);

	dgram_trace_in(net, EV_DROP, why, &ends, d);
	chalk_free(net, skb, why);
}

/* --- a socket --- */

static void note_flow(struct sock *sk, const struct sk_buff *skb)
{
	if (sk->sk_state != TCP_ESTABLISHED) {
		sk_mark_napi_id_once(sk, skb);
		return;
	}
	sock_rps_save_rxhash(sk, skb);
	sk_mark_napi_id(sk, skb);
	sk_incoming_cpu_update(sk);
}

static void dgram_refuse(struct sock *sk, struct sk_buff *skb,
			 const struct dgram *d, enum cause why)
{
	atomic_inc(&sk->sk_drops);
	dgram_drop(skb, d, why);
}

/*
 * It does not fit, which sk_drops has counted already. UDP's queue has written
 * over skb->dev.
 */
static void dgram_drop_queued(const struct sock *sk, struct sk_buff *skb,
			      const struct chalk_ends *ends,
			      const struct dgram *d, enum cause why)
{
	dgram_trace_in(sock_net(sk), EV_DROP, why, ends, d);
	chalk_free(sock_net(sk), skb, why);
}

/* Transport header at the data of @skb, which is consumed. */
static void dgram_deliver(struct sock *sk, struct sk_buff *skb,
			  const struct dgram *d)
{
	struct chalk_ends ends = ends_of(skb, d);
	int err;

	/* BPF may have chosen a socket; it is none of ours */
	skb_orphan(skb);
	if (!chalk_dgram_ip_of(skb)->is_allowed(sk, skb)) {
		dgram_refuse(sk, skb, d, DROP_DGRAM_POLICY);
		return;
	}
	nf_reset_ct(skb);
	if (sk_filter_trim_cap(sk, skb, DGRAM_HDR)) {
		dgram_refuse(sk, skb, d, DROP_DGRAM_FILTER);
		return;
	}
	skb_pull_rcsum(skb, DGRAM_HDR);
	note_flow(sk, skb);
	chalk_dgram_ip_of(skb)->prepare(sk, skb);
	skb_dst_drop(skb);
	err = __udp_enqueue_schedule_skb(sk, skb);
	if (err) {
		dgram_drop_queued(sk, skb, &ends, d,
				  err == -ENOMEM ? DROP_DGRAM_RCVBUF :
						   DROP_DGRAM_MEMORY);
		return;
	}
	dgram_trace_in(sock_net(sk), EV_RECV, BY_DATAGRAM, &ends, d);
}

/* --- the tables --- */

/* RFC 1122 section 4.1.3.1: the sender is told, unless it asked many. */
static void to_one(struct sk_buff *skb, const struct dgram *d)
{
	const struct chalk_dgram_ip *ip = chalk_dgram_ip_of(skb);
	struct sock *sk = ip->find(skb, d);

	if (sk) {
		dgram_deliver(sk, skb, d);
		return;
	}
	if (!ip->is_allowed(NULL, skb)) {
		dgram_drop(skb, d, DROP_DGRAM_POLICY);
		return;
	}
	nf_reset_ct(skb);
	ip->send_unreachable(skb);
	dgram_drop(skb, d, DROP_DGRAM_NO_SOCKET);
}

static void deliver_copy(struct sock *sk, const struct sk_buff *skb,
			 const struct dgram *d)
{
	struct sk_buff *copy = skb_clone((struct sk_buff *)skb, GFP_ATOMIC);

	if (copy) {
		dgram_deliver(sk, copy, d);
		return;
	}
	atomic_inc(&sk->sk_drops);
	chalk_count(sock_net(sk), MIB_DROP(DROP_DGRAM_RCVBUF));
}

static void to_many(struct sk_buff *skb, const struct dgram *d)
{
	struct udp_hslot *slot = udp_hashslot(&chalk_dgram_table,
					      dev_net(skb->dev), d->dport);
	const struct chalk_dgram_ip *ip = chalk_dgram_ip_of(skb);
	struct sock *sk, *last = NULL;

	sk_for_each_rcu(sk, &slot->head) {
		if (!ip->is_member(sk, skb, d))
			continue;
		if (last)
			deliver_copy(last, skb, d);
		last = sk;
	}
	if (last)
		dgram_deliver(last, skb, d);
	else
		dgram_drop(skb, d, DROP_DGRAM_NO_MEMBER);
}

/* --- from IP --- */

static enum cause dgram_check(struct sk_buff *skb, struct dgram *d)
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
	return chalk_dgram_ip_of(skb)->is_damaged(skb) ?
		       DROP_DGRAM_BAD_CHECKSUM :
		       DROP_NONE;
}

/**
 * chalk_dgram_rcv() - a packet arrives, from IP of either version
 * @skb: the packet, consumed; transport header at its data
 */
int chalk_dgram_rcv(struct sk_buff *skb)
{
	struct dgram d;
	enum cause why;

	why = dgram_check(skb, &d);
	if (why)
		dgram_drop(skb, &d, why);
	else if (chalk_dgram_ip_of(skb)->is_for_many(skb))
		to_many(skb, &d);
	else
		to_one(skb, &d);
	return 0;
}

/* The policy is asked when the socket is known, which may have its own. */
static const struct net_protocol dgram_protocol = {
	.handler = chalk_dgram_rcv,
	.err_handler = chalk_dgram_icmp_error,
	.no_policy = 1,
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
