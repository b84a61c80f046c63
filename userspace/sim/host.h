/* SPDX-License-Identifier: GPL-2.0 */
/*
 * host.h - a host: its stack's tunables, its table of names, its listener
 *
 * The path of a packet that arrives: checksum, parser, table, then the sock;
 * without a sock the listener; without a listener the reset.
 */
#ifndef CHALK_SIM_HOST_H
#define CHALK_SIM_HOST_H

#include "config.h"
#include "env.h"
#include "link.h"
#include "wire.h"

struct packet;
struct sock;

#define HOST_BUCKETS 256

/**
 * struct host - a host
 * @w:       the world
 * @mib:     its counters; @counted: what they should be
 * @env:     what the core sees of it
 * @cfg:     the stack and the users
 * @side:    which of the two sides it is on
 * @number:  in the trace, from 1
 * @addr:    IPv4 address
 * @out:     what it sends through
 * @listens: port of the listener, 0: none
 * @secret:  for initial sequence numbers (RFC 6528)
 * @table:   socks with a name
 * @all:     all socks that ever were
 * @dropped: segments dropped, by reason
 * @flip:    when a tunable changes next, @flips: how often one did
 */
struct host {
	struct world *w;
	struct env env;
	struct mib mib, counted;
	const struct side_config *cfg;
	enum side side;
	u32 number;
	u32 addr;
	struct link *out;
	u16 listens;
	u64 secret;
	struct sock *table[HOST_BUCKETS];
	struct sock *all;
	u64 dropped[NR_CAUSES];
	struct sim_timer flip;
	u32 flips;
};

/**
 * host_init() - a host with no connections
 * @h:     zeroed memory
 * @w:     the world
 * @index: its place among the hosts
 * @out:   what it sends through
 */
void host_init(struct host *h, struct world *w, u32 index, struct link *out);

/**
 * host_destroy() - the counterpart of host_init()
 * @h: the host
 */
void host_destroy(struct host *h);

/**
 * host_add() - a sock gets its name
 * @h:  the host
 * @sk: the sock
 */
void host_add(struct host *h, struct sock *sk);

/**
 * host_remove() - a sock loses its name
 * @h:  the host
 * @sk: the sock
 */
void host_remove(struct host *h, struct sock *sk);

/**
 * host_rx() - a packet arrives
 * @w: the world
 * @p: the packet; stays the caller's
 */
void host_rx(struct world *w, struct packet *p);

/**
 * host_icmp() - an ICMP "fragmentation needed" arrives
 * @w: the world
 * @p: the message; stays the caller's
 */
void host_icmp(struct world *w, struct packet *p);

/**
 * host_send() - send a segment, as several packets where it is long
 * @h:   the host
 * @dst: address
 * @s:   the segment
 * @key: stream its payload is from
 * @off: offset in it
 *
 * Return: how many packets.
 */
u32 host_send(struct host *h, u32 dst, const struct seg *s, u64 key, u64 off);

/**
 * host_reset() - answer a segment with a RST, if it is no RST itself
 * @h:   the host
 * @dst: address it came from
 * @s:   the segment
 * @rst: the RST
 *
 * Return: whether there is one.
 */
bool host_reset(struct host *h, u32 dst, const struct seg *s, struct seg *rst);

/* A segment is dropped; the core has traced it where it knows the owner. */
static inline void host_count_drop(struct host *h, enum cause cause)
{
	h->dropped[cause]++;
}

#endif /* CHALK_SIM_HOST_H */
