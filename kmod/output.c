// SPDX-License-Identifier: GPL-2.0
/*
 * output.c - segments become packets and go to IP
 *
 * For a connection: chalk_transmit() asks conn_poll() until it has nothing more,
 * cuts what it gives into packets, and lets each point at the pages of the send
 * buffer (sendmsg.c): payload is not copied. Here a large segment could go down
 * whole, for the device to cut (segmentation offload).
 * For records and for nobody: chalk_send_bare() and its callers.
 *
 * A packet that cannot be built or sent is to the protocol a lost one.
 */
#include <linux/netdevice.h>
#include <net/flow.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/l3mdev.h>
#include <net/route.h>

#include "core/reply.h"
#include "sock.h"

/* Most payload to take from conn_poll() at once. */
#define MAX_BATCH SZ_64K

/* --- checksum --- */

static bool device_sums(const struct dst_entry *dst)
{
	return dst && dst->dev->features & NETIF_F_HW_CSUM;
}

/*
 * Leave the checksum to the device, or to the receiver if the packet never
 * leaves the host. A device that only knows TCP and UDP can't do ours, though
 * the stack would take it for TCP by the place of the checksum.
 */
static bool sum(struct sk_buff *skb, __be32 saddr, __be32 daddr,
		const struct dst_entry *dst)
{
	__sum16 *check = (__sum16 *)(skb->data + WIRE_CHECKSUM_OFFSET);

	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = WIRE_CHECKSUM_OFFSET;
	*check = ~csum_tcpudp_magic(saddr, daddr, skb->len, IPPROTO_CHALK, 0);
	return device_sums(dst) || !skb_checksum_help(skb);
}

static struct sk_buff *alloc_packet(void)
{
	struct sk_buff *skb;

	skb = alloc_skb(chalk_prot.max_header, GFP_ATOMIC | __GFP_NOWARN);
	if (skb)
		skb_reserve(skb, chalk_prot.max_header);
	return skb;
}

static void put_header(struct sk_buff *skb, const struct seg *seg)
{
	wire_build(seg, skb_push(skb, HDR_MIN + wire_option_len(seg)));
	skb_reset_transport_header(skb);
}

/* --- a connection --- */

/* Point at [@off, @off + @len) of the store's @from. Return: bytes done. */
static u32 share_frags(struct sk_buff *skb, const struct sk_buff *from, u32 off,
		       u32 len)
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
static u32 share_payload(struct sock *sk, struct sk_buff *skb, u32 seq, u32 len)
{
	struct sk_buff *from = chalk_tx_find(sk, seq);
	u32 done = 0, n;

	while (from && done < len) {
		n = share_frags(skb, from, seq + done - chalk_cb(from)->seq,
				len - done);
		if (!n)
			break;
		done += n;
		if (seq_ge(seq + done, chalk_cb(from)->end))
			from = chalk_tx_next(sk, from);
	}
	return done;
}

static void send_packet(struct sock *sk, struct sk_buff *skb,
			const struct seg *seg)
{
	const struct inet_sock *inet = inet_sk(sk);

	put_header(skb, seg);
	skb_set_owner_w(skb, sk);
	if (sum(skb, inet->inet_saddr, inet->inet_daddr, __sk_dst_get(sk)))
		ip_queue_xmit(sk, skb, &inet_sk(sk)->cork.fl);
	else
		kfree_skb(skb);
}

/*
 * One packet from @off of the segment on: at most smss bytes, fewer if their
 * pages are many. FIN and PSH belong to the last. Return: bytes sent.
 */
static u32 send_slice(struct sock *sk, const struct seg *whole, u32 off)
{
	struct seg seg = *whole;
	struct sk_buff *skb = alloc_packet();
	u32 want = min_t(u32, whole->len - off, whole->smss);

	if (!skb)
		return want;
	seg.seq += off;
	seg.len = share_payload(sk, skb, seg.seq, want);
	if (WARN_ON_ONCE(!seg.len)) {
		kfree_skb(skb);
		return want;
	}
	if (off + seg.len < whole->len)
		seg.flags &= ~(FLAG_FIN | FLAG_PSH);
	send_packet(sk, skb, &seg);
	return seg.len;
}

static void send_segment(struct sock *sk, const struct seg *seg)
{
	struct sk_buff *skb;
	u32 off = 0;

	if (seg->len) {
		while (off < seg->len)
			off += send_slice(sk, seg, off);
		return;
	}
	skb = alloc_packet();
	if (skb)
		send_packet(sk, skb, seg);
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

	while (conn_poll(c, MAX_BATCH, now, &seg))
		send_segment(sk, &seg);
}

/* --- segment size --- */

/**
 * chalk_mtu_mss() - payload in a packet, without options of ours
 * @mtu:        of the path
 * @ip_options: bytes of IP options
 */
u16 chalk_mtu_mss(u32 mtu, unsigned int ip_options)
{
	u32 overhead = sizeof(struct iphdr) + ip_options + HDR_MIN;

	return clamp_t(u32, mtu > overhead ? mtu - overhead : 0, MSS_FLOOR,
		       U16_MAX - overhead);
}

/**
 * chalk_sync_mss() - tell the core the MTU of the path
 * @sk:   the socket, locked, the connection open
 * @pmtu: bytes
 * @now:  microseconds
 */
void chalk_sync_mss(struct sock *sk, u32 pmtu, u64 now)
{
	struct chalk_sock *cs = chalk_sk(sk);

	cs->pmtu = pmtu;
	conn_set_mss(&cs->conn, chalk_mtu_mss(pmtu, cs->icsk.icsk_ext_hdr_len),
		     now);
}

/**
 * chalk_check_mtu() - look whether the route knows another MTU by now
 * @sk:  the socket, locked, the connection open
 * @now: microseconds
 */
void chalk_check_mtu(struct sock *sk, u64 now)
{
	const struct dst_entry *dst = __sk_dst_get(sk);

	if (dst && unlikely(dst_mtu(dst) != chalk_sk(sk)->pmtu))
		chalk_sync_mss(sk, dst_mtu(dst), now);
}

/* --- without a connection --- */

/**
 * chalk_send_bare() - send a segment without payload
 * @sk:    gives the IP protocol, TTL and the like; need not be locked
 * @dst:   route; the caller keeps its reference
 * @saddr: our address
 * @daddr: the peer's
 * @tos:   type of service
 * @mark:  of the packet
 * @seg:   the segment
 */
void chalk_send_bare(const struct sock *sk, struct dst_entry *dst, __be32 saddr,
		     __be32 daddr, u8 tos, u32 mark, const struct seg *seg)
{
	struct sk_buff *skb = alloc_packet();

	if (!skb)
		return;
	put_header(skb, seg);
	skb->mark = mark;
	skb_dst_set(skb, dst_clone(dst));
	if (sum(skb, saddr, daddr, dst))
		ip_build_and_send_pkt(skb, sk, saddr, daddr, NULL, tos);
	else
		kfree_skb(skb);
}

/**
 * chalk_send_control() - the same, from the namespace's control socket
 * @net:   the namespace
 * @saddr: our address
 * @daddr: the peer's
 * @oif:   interface to leave by, 0: any
 * @tos:   type of service
 * @mark:  of the packet
 * @seg:   the segment
 */
void chalk_send_control(struct net *net, __be32 saddr, __be32 daddr, int oif,
			u8 tos, u32 mark, const struct seg *seg)
{
	struct sock *ctl = chalk_net(net)->ctl;
	struct rtable *rt;
	struct flowi4 fl4;

	flowi4_init_output(&fl4, oif, mark, 0, RT_SCOPE_UNIVERSE, IPPROTO_CHALK,
			   0, daddr, saddr, htons(seg->dport),
			   htons(seg->sport), sock_net_uid(net, NULL));
	rt = ip_route_output_flow(net, &fl4, ctl);
	if (IS_ERR(rt))
		return;
	chalk_send_bare(ctl, &rt->dst, saddr, daddr, tos, mark, seg);
	ip_rt_put(rt);
}

/* Through the same VRF the packet came by. */
static int reply_oif(struct net *net, const struct sk_buff *skb)
{
	return netif_index_is_l3_master(net, skb->skb_iif) ? skb->skb_iif : 0;
}

/**
 * chalk_send_reset() - answer a packet with a RST, where one is due
 * @skb: the packet
 * @seg: the same, parsed
 */
void chalk_send_reset(struct sk_buff *skb, const struct seg *seg)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct net *net;
	struct seg rst;

	if (!skb_rtable(skb) || skb_rtable(skb)->rt_type != RTN_LOCAL)
		return;
	if (!reply_reset(seg, &rst))
		return;
	net = dev_net(skb_dst(skb)->dev);
	chalk_trace_stray(net, EV_SEND, BY_RESET, iph->daddr, iph->saddr, &rst);
	chalk_send_control(net, iph->daddr, iph->saddr, reply_oif(net, skb),
			   iph->tos & ~INET_ECN_MASK,
			   IP4_REPLY_MARK(net, skb->mark), &rst);
}
