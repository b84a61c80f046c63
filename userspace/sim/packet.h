/* SPDX-License-Identifier: GPL-2.0 */
/*
 * packet.h - packets: real header bytes, real payload, a real checksum
 *
 * The payload of a stream is a function of its key and of the offset, so that
 * the receiver can verify each byte without the sender keeping any.
 */
#ifndef CHALK_SIM_PACKET_H
#define CHALK_SIM_PACKET_H

#include "wire.h"
#include "world.h"

struct link;

/* IPv4 header, which the simulator only counts. */
#define IP_HEADER 20
#define IPPROTO_CHALK 253

/**
 * struct packet - one on its way
 * @arrival: due at the other end
 * @next:    in the pool of free ones
 * @src:     address of the sender
 * @dst:     address of the receiver
 * @len:     bytes of header and payload
 * @icmp_mtu: ICMP "fragmentation needed" with this MTU; @data begins with the
 *           header of the packet that was too large. 0: a packet of the stream
 * @forged:  not from the sender it names
 * @damaged: bits were flipped that are not in @data (payload is not carried)
 * @data:    header, and payload where it is carried
 */
struct packet {
	struct sim_timer arrival;
	struct packet *next;
	u32 src, dst;
	u32 len;
	u32 icmp_mtu;
	bool forged;
	bool damaged;
	u8 data[];
};

/**
 * packet_new() - a packet from the pool
 * @w: the world
 */
struct packet *packet_new(struct world *w);

/**
 * packet_free() - back into the pool
 * @w: the world
 * @p: the packet
 */
void packet_free(struct world *w, struct packet *p);

/**
 * packet_copy() - a second one like it
 * @w: the world
 * @p: the packet
 */
struct packet *packet_copy(struct world *w, const struct packet *p);

/* Bytes of @data: all of the packet, or its header. */
u32 packet_stored(const struct world *w, const struct packet *p);

/**
 * packet_build() - make a packet of a segment
 * @w:   the world
 * @s:   the segment, of one packet
 * @src: address of the sender
 * @dst: address of the receiver
 * @key: stream the payload is from
 * @off: offset in it of the first byte
 */
struct packet *packet_build(struct world *w, const struct seg *s, u32 src,
			    u32 dst, u64 key, u64 off);

/**
 * packet_garble() - random bytes in the place of options; the checksum is right
 * @w: the world
 * @p: a packet without payload
 */
void packet_garble(struct world *w, struct packet *p);

/**
 * packet_travel() - let it arrive
 * @w:  the world
 * @p:  the packet
 * @at: when
 */
void packet_travel(struct world *w, struct packet *p, u64 at);

/* Whether a timer is the arrival of a packet. */
bool packet_is_due(const struct sim_timer *t);

/**
 * packet_intact() - whether the checksum is right
 * @w: the world
 * @p: the packet
 */
bool packet_intact(const struct world *w, const struct packet *p);

/**
 * packet_damage() - flip a few bits, so that the checksum must notice
 * @w:   the world
 * @p:   the packet
 * @rng: says which
 */
void packet_damage(const struct world *w, struct packet *p, struct rng *rng);

/**
 * stream_fill() - the bytes of a stream
 * @key: which
 * @off: offset of the first
 * @buf: where to
 * @n:   how many
 */
void stream_fill(u64 key, u64 off, u8 *buf, u32 n);

/**
 * stream_matches() - whether bytes are those of a stream
 * @key: which
 * @off: offset of the first
 * @buf: the bytes
 * @n:   how many
 */
bool stream_matches(u64 key, u64 off, const u8 *buf, u32 n);

#endif /* CHALK_SIM_PACKET_H */
