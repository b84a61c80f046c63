// SPDX-License-Identifier: GPL-2.0
/*
 * output.c - segments become packets and go to IP
 *
 * For a connection: chalk_transmit() asks conn_poll() until it has nothing more
 * and cuts what it gives into packets of a full segment, as the trace tells. They
 * point at the pages of the send buffer (txstore.c): payload is not copied, unless
 * it lies in more pieces than a packet can point at. Here a large segment could
 * go down whole, for the device to cut (segmentation offload).
 * For records and for nobody, ip/ipv4.c and ip/ipv6.c dress bare packets.
 *
 * A packet that cannot be built or sent is to the protocol a lost one.
 */
#include <linux/netdevice.h>
#include <linux/security.h>
#include <net/dst.h>

#include "compat.h"
#include "core/reply.h"
#include "sock.h"
#include "watch/trace.h"

/* Most payload to take from conn_poll() at once. */
#define MAX_BATCH SZ_64K

/* --- a connection --- */

/* Point at [@off, @off + @len) of the store's @from. Return: bytes done. */
static u32 tx_share_frags(struct sk_buff *skb, const struct sk_buff *from,
			  u32 off, u32 len)
{
	const struct skb_shared_info *si = skb_shinfo(from);
	u32 done = 0;
	int i;

	for (i = 0; i < si->nr_frags && done < len; i++) {
		const skb_frag_t *frag = &si->frags[i];
		u32 size = skb_frag_size(frag), n;
		int nr = skb_shinfo(skb)->nr_frags;

		if (off >= size) {
			off -= size;
			continue;
		}
		if (nr == MAX_SKB_FRAGS)
			break;
		/* who sums or keeps the packet must know */
		skb_shinfo(skb)->flags |= si->flags & SKBFL_SHARED_FRAG;
		n = min(size - off, len - done);
		skb_fill_page_desc(skb, nr, skb_frag_page(frag),
				   skb_frag_off(frag) + off, n);
		get_page(skb_frag_page(frag));
		skb_len_add(skb, n);
		done += n;
		off = 0;
	}
	return done;
}

/* Up to @len bytes of the store from @seq on. Return: bytes done. */
static u32 tx_share_payload(struct sock *sk, struct sk_buff *skb, u32 seq,
			    u32 len)
{
	struct sk_buff *from = chalk_tx_find(sk, seq);
	u32 done = 0, n;

	while (from && done < len) {
		n = tx_share_frags(skb, from, seq + done - chalk_cb(from)->seq,
				   len - done);
		if (!n)
			break;
		done += n;
		if (seq_lt(seq + done, chalk_cb(from)->end))
			continue;
		chalk_stamp_packet(skb, from);
		from = chalk_tx_next(sk, from);
	}
	return done;
}

/* Copy the same bytes. Return: false if the store does not have them. */
static bool tx_copy_payload(struct sock *sk, struct sk_buff *skb, u32 seq,
			    u32 len)
{
	struct sk_buff *from = chalk_tx_find(sk, seq);
	u32 n, off;

	while (from && len) {
		off = seq - chalk_cb(from)->seq;
		n = min(len, from->len - off);
		if (skb_copy_bits(from, off, skb_put(skb, n), n))
			return false;
		if (off + n == from->len)
			chalk_stamp_packet(skb, from);
		seq += n;
		len -= n;
		from = chalk_tx_next(sk, from);
	}
	return !WARN_ON_ONCE(len);
}

/* A packet points at its payload, or has a copy if that lies in many pieces. */
static struct sk_buff *tx_payload_packet(struct sock *sk, u32 seq, u32 len)
{
	struct sk_buff *skb = chalk_alloc_packet(0);

	if (!skb || tx_share_payload(sk, skb, seq, len) == len)
		return skb;
	consume_skb(skb);
	skb = chalk_alloc_packet(len);
	if (skb && !tx_copy_payload(sk, skb, seq, len)) {
		kfree_skb(skb);
		return NULL;
	}
	return skb;
}

static void tx_send_packet(struct sock *sk, struct sk_buff *skb)
{
	const struct inet_connection_sock_af_ops *af =
		inet_csk(sk)->icsk_af_ops;

	skb_set_owner_w(skb, sk);
	skb_set_dst_pending_confirm(skb, READ_ONCE(sk->sk_dst_pending_confirm));
	af->send_check(sk, skb);
	if (chalk_finish_sum(skb, __sk_dst_get(sk)))
		af->queue_xmit(sk, skb, &inet_sk(sk)->cork.fl);
	else
		kfree_skb(skb);
}

/* At most smss bytes from @off of the segment on. Return: how many. */
static u32 tx_send_slice(struct sock *sk, const struct seg *whole, u32 off)
{
	struct seg seg = *whole;
	struct sk_buff *skb;

	seg.seq += off;
	seg.len = min_t(u32, whole->len - off, whole->smss);
	skb = tx_payload_packet(sk, seg.seq, seg.len);
	if (!skb)
		return seg.len;
	/* FIN and PSH belong to the last */
	if (off + seg.len < whole->len)
		seg.flags &= ~(FLAG_FIN | FLAG_PSH);
	chalk_put_header(skb, &seg);
	tx_send_packet(sk, skb);
	return seg.len;
}

static void tx_send_segment(struct sock *sk, const struct seg *seg)
{
	struct sk_buff *skb;
	u32 off = 0;

	if (seg->len) {
		while (off < seg->len)
			off += tx_send_slice(sk, seg, off);
		return;
	}
	skb = chalk_bare_packet(seg);
	if (skb)
		tx_send_packet(sk, skb);
}

/* Without memory HyStart++ knows fewer round trips. */
static void make_score_room(struct conn *c)
{
	u16 cap = conn_score_room_wanted(c);
	struct sent_run *room;

	if (likely(!cap))
		return;
	room = kmalloc_array(cap, sizeof(*room), GFP_ATOMIC | __GFP_NOWARN);
	if (room)
		kfree(sent_give_room(&c->sent, room, cap));
}

/**
 * chalk_transmit() - send all that may go now
 * @sk:  the socket, locked, the connection open
 * @now: microseconds
 */
void chalk_transmit(struct sock *sk, u64 now)
{
	struct conn *c = &chalk_sk(sk)->conn;
	struct seg seg;

	for (;;) {
		make_score_room(c);
		if (!conn_poll(c, MAX_BATCH, now, &seg))
			break;
		tx_send_segment(sk, &seg);
	}
}

/* --- segment size --- */

/**
 * chalk_mtu_mss() - payload in a packet, without options of ours
 * @mtu:       of the path
 * @ip_header: bytes of IP header and its options
 */
u16 chalk_mtu_mss(u32 mtu, unsigned int ip_header)
{
	u32 overhead = ip_header + HDR_MIN;

	return clamp_t(u32, mtu > overhead ? mtu - overhead : 0, MSS_FLOOR,
		       U16_MAX - overhead);
}

/**
 * chalk_route_of() - what ip-route(8) says of a route, for the core
 * @dst: the route
 *
 * TCP's own names of congestion controls (congctl) and features (ECN) are left out.
 */
struct conn_route chalk_route_of(const struct dst_entry *dst)
{
	struct conn_route route = {
		.window = dst_metric(dst, RTAX_WINDOW),
		.init_cwnd = min_t(u32, dst_metric(dst, RTAX_INITCWND),
				   U16_MAX),
		.adv_mss = min_t(u32, dst_metric_raw(dst, RTAX_ADVMSS),
				 U16_MAX),
		.quickack = dst_metric(dst, RTAX_QUICKACK),
	};

	/* only where it is locked, as for TCP; ip-route(8) locks it */
	if (dst_metric_locked(dst, RTAX_RTO_MIN))
		route.rto_min = dst_metric(dst, RTAX_RTO_MIN) * USEC_PER_MSEC;
	return route;
}

/**
 * chalk_sync_mss() - tell the core the MTU of the path
 * @sk:   the socket, locked, the connection open
 * @pmtu: bytes
 * @now:  microseconds
 */
void chalk_sync_mss(struct sock *sk, u32 pmtu, u64 now)
{
	inet_csk(sk)->icsk_pmtu_cookie = pmtu;
	conn_set_mss(&chalk_sk(sk)->conn,
		     chalk_mtu_mss(pmtu, chalk_ip_header_len(sk)), now);
}

/**
 * chalk_check_mtu() - look whether packets take another payload by now
 * @sk:  the socket, locked, the connection open
 * @now: microseconds
 *
 * The route has learnt another MTU, or the program changed IP options.
 */
void chalk_check_mtu(struct sock *sk, u64 now)
{
	const struct dst_entry *dst = __sk_dst_get(sk);
	u32 mtu;

	if (!dst)
		return;
	mtu = dst_mtu(dst);
	if (unlikely(chalk_mtu_mss(mtu, chalk_ip_header_len(sk)) !=
		     chalk_sk(sk)->conn.mtu_mss))
		chalk_sync_mss(sk, mtu, now);
}

/* --- without a connection --- */

/* A RST goes as the socket's own packets go. */
static void tx_control_of(struct chalk_control *ctl, const struct sock *sk)
{
	ctl->sk = sk;
	ctl->oif = READ_ONCE(sk->sk_bound_dev_if);
	ctl->mark = READ_ONCE(sk->sk_mark);
	ctl->priority = READ_ONCE(sk->sk_priority);
	ctl->txhash = READ_ONCE(sk->sk_txhash);
	ctl->any_source = chalk_is_transparent(sk);
}

/**
 * chalk_send_reset() - answer a packet with a RST, where one is due
 * @net: the namespace
 * @sk:  whose segment it is, a full socket, or NULL: nobody's
 * @skb: the packet
 * @seg: the same, parsed
 */
void chalk_send_reset(struct net *net, const struct sock *sk,
		      struct sk_buff *skb, const struct seg *seg)
{
	const struct chalk_ip *ip = chalk_ip_of_packet(skb);
	struct flowi_common label = {};
	struct chalk_control ctl = {};
	struct seg rst;

	if (!reply_reset(seg, &rst))
		return;
	ctl.ends = chalk_ends_of_packet(skb, seg);
	if (sk)
		tx_control_of(&ctl, sk);
	security_skb_classify_flow(skb, &label);
	ctl.secid = label.flowic_secid;
	ip->fill_reset(net, skb, &ctl);
	chalk_count(net, MIB_OUT_SEGS);
	chalk_count(net, MIB_OUT_RSTS);
	chalk_trace_stray(net, EV_SEND, BY_RESET, &ctl.ends, &rst);
	ip->send_control(net, &ctl, &rst);
}
