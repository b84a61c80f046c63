// SPDX-License-Identifier: GPL-2.0
/*
 * input.c - a packet from IP: check, find the endpoint, hand it over
 *
 *	chalk_rcv()	from IP, in softirq
 *	  rx_check()	address, length, checksum, header: core/wire.c
 *	  rx_dispatch()	the tables, then
 *	    chalk_listen_rx()  chalk_req_rx()	listen.c
 *	    chalk_timewait_rx()			timewait.c
 *	    chalk_rx()				a connection, below
 *
 * Every packet that is not used ends in chalk_drop() or has been counted by
 * whoever took it.
 */
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/security.h>
#include <net/busy_poll.h>
#include <net/protocol.h>
#include <net/tcp_states.h>

#include "core/emit.h"
#include "sock.h"
#include "watch/trace.h"

/**
 * chalk_drop() - a packet that belongs to no connection is not used
 * @net: the namespace
 * @skb: the packet, consumed; transport header at its data
 * @seg: the same parsed, or what there is of it
 * @why: the reason
 */
void chalk_drop(struct net *net, struct sk_buff *skb, const struct seg *seg,
		enum cause why)
{
	struct chalk_ends ends = chalk_ends_of_packet(skb, seg);

	chalk_trace_stray(net, EV_DROP, why, &ends, seg);
	chalk_free(net, skb, why);
}

/* --- a connection --- */

/*
 * The core never allocates: give it room for one more range. If there is no
 * memory it refuses the segment, and the peer sends it again.
 */
static void make_reasm_room(struct reasm *m)
{
	u16 cap = reasm_room_wanted(m);
	struct seq_range *room;

	if (!cap)
		return;
	room = kmalloc_array(cap, sizeof(*room), GFP_ATOMIC | __GFP_NOWARN);
	if (room)
		kfree(reasm_give_room(m, room, cap));
}

static void rx_prepare(struct sock *sk, struct sk_buff *skb, struct seg *seg)
{
	struct conn *c = &chalk_sk(sk)->conn;

	if (conn_is_early(c, seg))
		make_reasm_room(&c->reasm);
	seg->urg_inline = sock_flag(sk, SOCK_URGINLINE);
	seg->no_room = seg->len && !chalk_rx_has_room(sk, skb, seg);
}

/* Its mark may have moved the reader. */
static void rx_take_urgent(struct sock *sk, const struct sk_buff *skb,
			   const struct seg *seg, const struct verdict *v)
{
	if (v->urgent)
		skb_copy_bits(skb, seg->hdr_len + v->urgent_at,
			      &chalk_sk(sk)->urgent_byte, 1);
	chalk_rx_free_read(sk);
}

/* A child keeps what its SYN had until the first segment after the handshake. */
static void rx_note_packet(struct sock *sk, struct sk_buff *skb,
			   const struct seg *seg)
{
	if (!IS_ENABLED(CONFIG_IPV6) || sk->sk_family != PF_INET6)
		return;
	if (likely(!inet6_sk(sk)->rxopt.all) || sk->sk_state == TCP_SYN_RECV)
		return;
	if (chalk_ip_of_packet(skb) == &chalk_ipv6 &&
	    seg_end(seg) == chalk_sk(sk)->conn.rcv_nxt)
		chalk_ipv6_note_packet(sk, skb);
}

static void rx_deliver(struct sock *sk, struct sk_buff *skb, struct seg *seg)
{
	struct conn *c = &chalk_sk(sk)->conn;
	bool opening = sk->sk_state == TCP_SYN_SENT;
	struct verdict v;

	rx_prepare(sk, skb, seg);
	conn_rx(c, seg, chalk_now(), &v);
	if (unlikely(opening && c->state == ST_ESTABLISHED))
		security_inet_conn_established(sk, skb);
	if (likely(v.progress))
		sk_dst_confirm(sk);
	if (v.reset)
		chalk_send_reset(sock_net(sk), sk, skb, seg);
	if (unlikely(v.urgent || v.wake & WAKE_URGENT))
		rx_take_urgent(sk, skb, seg, &v);
	rx_note_packet(sk, skb, seg);
	if (v.drop)
		sk_drops_add(sk, skb);
	if (v.keep)
		chalk_rx_store(sk, skb, seg, &v);
	else
		chalk_free(sock_net(sk), skb, v.drop);
	chalk_push(sk, v.wake);
}

/**
 * chalk_rx() - a segment for a connection
 * @sk:  the socket, locked; the caller holds a reference
 * @skb: the packet, consumed
 * @seg: the same, parsed
 */
void chalk_rx(struct sock *sk, struct sk_buff *skb, struct seg *seg)
{
	if (likely(chalk_is_open(sk)))
		rx_deliver(sk, skb, seg);
	else /* it ended while the packet waited for the lock */
		chalk_drop(sock_net(sk), skb, seg, DROP_CLOSED);
}

/**
 * chalk_backlog_rcv() - a segment that waited for the owner of the socket
 * @sk:  the socket, locked
 * @skb: the packet, consumed; chalk_rcv() has checked it
 */
int chalk_backlog_rcv(struct sock *sk, struct sk_buff *skb)
{
	struct seg seg;

	wire_parse(&seg, skb->data, skb_headlen(skb), skb->len);
	chalk_rx(sk, skb, &seg);
	return 0;
}

/*
 * Both buffers, and some headroom for who is slow to take it. The receive buffer
 * twice: while release_sock() takes the backlog, what it has taken counts in the
 * receive queue already, and in the backlog's length to the end.
 */
static int backlog_limit(const struct sock *sk)
{
	return min_t(u64, INT_MAX,
		     2 * (u64)READ_ONCE(sk->sk_rcvbuf) +
			     READ_ONCE(sk->sk_sndbuf) + SZ_64K);
}

/* Where it waits, neither its device nor its route does: both may go. */
static bool rx_to_backlog(struct sock *sk, struct sk_buff *skb)
{
	skb_dst_drop(skb);
	skb->dev = NULL;
	return !sk_add_backlog(sk, skb, backlog_limit(sk));
}

/* Return: false if it ended meanwhile, and a record may stand in its place. */
static bool rx_to_connection(struct sock *sk, struct sk_buff *skb,
			     struct seg *seg)
{
	bool done = true;

	sk_incoming_cpu_update(sk);
	bh_lock_sock_nested(sk);
	sock_rps_save_rxhash(sk, skb);
	sk_mark_napi_id(sk, skb);
	if (!sock_owned_by_user(sk)) {
		done = chalk_is_open(sk);
		if (likely(done))
			rx_deliver(sk, skb, seg);
	} else if (!rx_to_backlog(sk, skb)) {
		sk_drops_add(sk, skb);
		trace_segment(&chalk_sk(sk)->conn, EV_DROP, DROP_BACKLOG, seg,
			      chalk_now());
		chalk_free(sock_net(sk), skb, DROP_BACKLOG);
	}
	bh_unlock_sock(sk);
	return done;
}

/* --- nobody --- */

static void rx_to_nobody(struct net *net, struct sk_buff *skb,
			 const struct seg *seg)
{
	enum cause why = DROP_CLOSED;

	if (chalk_ip_of_packet(skb)->is_allowed(NULL, skb))
		chalk_send_reset(net, NULL, skb, seg);
	else
		why = DROP_POLICY;
	chalk_drop(net, skb, seg, why);
}

/* --- the tables --- */

/* Return: false if the packet is to be looked up again. */
static bool rx_to_endpoint(struct sock *sk, bool refcounted,
			   struct sk_buff *skb, struct seg *seg)
{
	bool done = true;

	switch (inet_sk_state_load(sk)) {
	case TCP_NEW_SYN_RECV:
		return chalk_req_rx(inet_reqsk(sk), skb, seg);
	case TCP_TIME_WAIT:
		chalk_timewait_rx(inet_twsk(sk), skb, seg);
		return true;
	case TCP_LISTEN:
		chalk_listen_rx(sk, skb, seg, 0, NULL);
		break;
	default:
		done = rx_to_connection(sk, skb, seg);
		break;
	}
	if (refcounted)
		sock_put(sk);
	return done;
}

/**
 * chalk_refused_by() - what the owner of a socket refuses
 * @sk:  a listener or a connection
 * @skb: the packet
 *
 * IP_MINTTL, IPV6_MINHOPCOUNT (RFC 5082), IPsec policies of the socket or of all,
 * SO_ATTACH_FILTER. A filter takes a segment or drops it: half of one would be
 * acknowledged whole.
 *
 * Return: a drop reason, which counts as a drop of the socket, or DROP_NONE: the
 * packet is let in, and connection tracking has done with it.
 */
enum cause chalk_refused_by(struct sock *sk, struct sk_buff *skb)
{
	const struct chalk_ip *ip = chalk_ip_of_packet(skb);
	enum cause why = DROP_NONE;

	if (ip->is_too_far(sk, skb))
		why = DROP_LOW_TTL;
	else if (!ip->is_allowed(sk, skb))
		why = DROP_POLICY;
	else if (sk_filter_trim_cap(sk, skb, skb->len))
		why = DROP_FILTERED;
	if (why)
		sk_drops_add(sk, skb);
	else
		nf_reset_ct(skb);
	return why;
}

/* A record has no options: it takes what its listener takes, or what all take. */
static enum cause rx_refused_by(struct sock *sk, struct sk_buff *skb)
{
	switch (inet_sk_state_load(sk)) {
	case TCP_NEW_SYN_RECV:
		return chalk_refused_by(inet_reqsk(sk)->rsk_listener, skb);
	case TCP_TIME_WAIT:
		return chalk_ip_of_packet(skb)->is_allowed(NULL, skb) ?
			       DROP_NONE :
			       DROP_POLICY;
	default:
		return chalk_refused_by(sk, skb);
	}
}

/* Return: true if the owner refuses it, and it is consumed. */
static bool rx_refuse(struct net *net, struct sock *sk, bool refcounted,
		      struct sk_buff *skb, const struct seg *seg)
{
	enum cause why = rx_refused_by(sk, skb);

	if (!why)
		return false;
	if (refcounted)
		sock_gen_put(sk);
	chalk_drop(net, skb, seg, why);
	return true;
}

static void rx_dispatch(struct net *net, struct sk_buff *skb, struct seg *seg)
{
	const struct chalk_ip *ip = chalk_ip_of_packet(skb);
	bool refcounted, done;
	struct sock *sk;

	do {
		sk = ip->lookup(skb, seg, &refcounted);
		if (!sk) {
			rx_to_nobody(net, skb, seg);
			return;
		}
		if (rx_refuse(net, sk, refcounted, skb, seg))
			return;
		done = rx_to_endpoint(sk, refcounted, skb, seg);
	} while (!done);
}

/* --- from IP --- */

/* Bring the header, no more, into the linear part: payload stays in pages. */
static bool rx_pull_header(struct sk_buff *skb)
{
	unsigned int len;

	if (!pskb_may_pull(skb, HDR_MIN))
		return false;
	len = wire_header_len(skb->data);
	return pskb_may_pull(skb, min(len, skb->len));
}

static enum cause rx_check(struct sk_buff *skb, struct seg *seg)
{
	const struct chalk_ip *ip = chalk_ip_of_packet(skb);
	enum cause why;

	memset(seg, 0, sizeof(*seg));
	if (!ip->is_unicast(skb))
		return DROP_BAD_ADDRESS;
	if (!rx_pull_header(skb))
		return DROP_TOO_SHORT;
	/* what is damaged is parsed too, so that its record can tell of it */
	why = wire_parse(seg, skb->data, skb_headlen(skb), skb->len);
	return ip->is_damaged(skb) ? DROP_BAD_CHECKSUM : why;
}

/**
 * chalk_rcv() - a packet arrives, from IP of either version
 * @skb: the packet, consumed; transport header at its data
 */
int chalk_rcv(struct sk_buff *skb)
{
	struct net *net = dev_net(skb->dev);
	struct seg seg;
	enum cause why;

	chalk_count(net, MIB_IN_SEGS);
	why = rx_check(skb, &seg);
	if (why)
		chalk_drop(net, skb, &seg, why);
	else
		rx_dispatch(net, skb, &seg);
	return 0;
}

static const struct net_protocol chalk_protocol = {
	.handler = chalk_rcv,
	.err_handler = chalk_icmp_error,
	.no_policy = 1, /* the socket's come first: chalk_refused_by() */
	.icmp_strict_tag_validation = 1,
};

/**
 * chalk_input_register() - take packets from IP
 */
int chalk_input_register(void)
{
	int err;

	err = inet_add_protocol(&chalk_protocol, IPPROTO_CHALK);
	if (err || !chalk_has_ipv6())
		return err;
	err = chalk_inet6_input_register();
	if (err)
		inet_del_protocol(&chalk_protocol, IPPROTO_CHALK);
	return err;
}

/**
 * chalk_input_unregister() - take no more; waits for those on the way
 */
void chalk_input_unregister(void)
{
	if (chalk_has_ipv6())
		chalk_inet6_input_unregister();
	inet_del_protocol(&chalk_protocol, IPPROTO_CHALK);
}
