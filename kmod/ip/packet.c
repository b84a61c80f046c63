// SPDX-License-Identifier: GPL-2.0
/*
 * packet.c - a segment becomes a packet, up to where IP takes over
 *
 * Owns how a packet is laid out, and who sums it. stream/output.c makes packets
 * with payload, ipv4.c and ipv6.c bare ones.
 */
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/dst.h>

#include "ip.h"

/* --- checksum --- */

static bool device_sums(const struct dst_entry *dst)
{
	return dst && dst->dev->features & NETIF_F_HW_CSUM;
}

/**
 * chalk_start_sum() - leave the checksum of a packet to others
 * @skb:    the packet, transport header at its data
 * @pseudo: sum of its pseudo-header
 */
void chalk_start_sum(struct sk_buff *skb, __sum16 pseudo)
{
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = WIRE_CHECKSUM_OFFSET;
	*(__sum16 *)(skb->data + WIRE_CHECKSUM_OFFSET) = pseudo;
}

/**
 * chalk_finish_sum() - do it ourselves if nobody else will
 * @skb: the packet; chalk_start_sum() was called
 * @dst: its route, or NULL
 *
 * A device that can sum any protocol does it; loopback and veth say that they
 * can, do not, and the receiver knows. A device that only knows TCP and UDP can't
 * do ours, though the stack would take it for TCP by the place of the checksum:
 * then it is done here.
 */
bool chalk_finish_sum(struct sk_buff *skb, const struct dst_entry *dst)
{
	return device_sums(dst) || !skb_checksum_help(skb);
}

/* --- packets --- */

/**
 * chalk_alloc_packet() - an empty packet with room for all headers
 * @len: bytes of room for payload behind them
 *
 * Return: the packet, or NULL
 */
struct sk_buff *chalk_alloc_packet(u32 len)
{
	struct sk_buff *skb;

	skb = alloc_skb(CHALK_MAX_HEADER + len, GFP_ATOMIC | __GFP_NOWARN);
	if (skb)
		skb_reserve(skb, CHALK_MAX_HEADER);
	return skb;
}

/**
 * chalk_put_header() - write the transport header in front of a packet
 * @skb: the packet, with room for it
 * @seg: what it says
 */
void chalk_put_header(struct sk_buff *skb, const struct seg *seg)
{
	wire_build(seg, skb_push(skb, HDR_MIN + wire_option_len(seg)));
	skb_reset_transport_header(skb);
}

/**
 * chalk_bare_packet() - a packet without payload, up to its transport header
 * @seg: what it says
 *
 * Return: the packet, without a checksum, or NULL
 */
struct sk_buff *chalk_bare_packet(const struct seg *seg)
{
	struct sk_buff *skb = chalk_alloc_packet(0);

	if (skb)
		chalk_put_header(skb, seg);
	return skb;
}
