/* SPDX-License-Identifier: GPL-2.0 */
/*
 * link.h - one direction of the path: rate, delay, queue, and what goes wrong
 *
 *	host -> queue (tail drop) -> wire at @rate -> loss, damage, copies,
 *	holding up -> delay -> host with the packet's address
 *
 * All clients share one link to the server and one back, as in the picture of
 * the dumbbell. What befalls a packet follows from its place in the order of
 * sending: nothing that befalls another, nor the other direction, moves it.
 */
#ifndef CHALK_SIM_LINK_H
#define CHALK_SIM_LINK_H

#include "world.h"

/**
 * struct link - one direction
 * @cfg:       how it is
 * @key:       from which the fates of packets come
 * @busy:      when the wire is free again, nanoseconds
 * @leaving:   ring of the times, as @busy, at which the packets of the queue leave it
 * @head:      the oldest
 * @waiting:   how many
 * @bad:       the burst model is in its bad state
 * @seen:      packets of each class that came to the link
 * @sent:      packets that came to the link
 * @bytes:     their bytes with IP header
 * @full:      lost because the queue was full
 * @lost:      lost on the wire
 * @too_large: lost because of the path MTU
 * @damaged:   arrived with flipped bits
 * @copied:    arrived twice
 * @held_up:   arrived late
 */
struct link {
	const struct link_config *cfg;
	u64 key;
	u64 busy;
	u64 *leaving;
	u32 head, waiting;
	bool bad;
	u64 seen[NR_CLASSES];
	u64 sent, bytes, full, lost, too_large, damaged, copied, held_up;
};

/**
 * link_init() - an empty link
 * @l:   filled in
 * @cfg: how it is
 * @key: of all that is random in it
 */
void link_init(struct link *l, const struct link_config *cfg, u64 key);

/**
 * link_destroy() - the counterpart of link_init()
 * @l: the link
 */
void link_destroy(struct link *l);

/**
 * link_send() - a host sends a packet
 * @w: the world
 * @l: the link
 * @p: the packet, handed over
 */
void link_send(struct world *w, struct link *l, struct packet *p);

/**
 * link_not_reached() - was a packet to be lost that never came?
 * @l:     the link, at the end of a run
 * @class: of packets
 *
 * Return: its number, or 0.
 */
u32 link_not_reached(const struct link *l, enum seg_class class);

#endif /* CHALK_SIM_LINK_H */
