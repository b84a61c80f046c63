/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check_wire.h - header bytes as RFC 9293 section 3.1 draws them
 */
#ifndef CHALK_SIM_CHECK_WIRE_H
#define CHALK_SIM_CHECK_WIRE_H

#include "rng.h"
#include "wire.h"
#include "world.h"

/**
 * check_wire() - does a header say what its segment does?
 * @w:   the world
 * @s:   the segment
 * @p:   the header
 * @len: its bytes
 */
void check_wire(struct world *w, const struct seg *s, const u8 *p, u32 len);

/**
 * check_parsed() - has a header been read right?
 * @w:    the world
 * @s:    the segment that came of it
 * @drop: why it is dropped, where it is
 * @p:    the header
 * @len:  bytes of the packet
 */
void check_parsed(struct world *w, const struct seg *s, enum cause drop,
		  const u8 *p, u32 len);

/**
 * wire_disguise() - the same header as another stack might write it
 * @r:   decides how
 * @s:   the segment
 * @p:   the header, room for HDR_MAX; the checksum field is 0
 *
 * Options in another order, unknown ones between them, and behind their end what
 * nobody may read; a SYN may lack its MSS. Options of a SYN in a segment that is none, which are to be
 * ignored.
 *
 * Return: its bytes.
 */
u32 wire_disguise(struct rng *r, const struct seg *s, u8 *p);

#endif /* CHALK_SIM_CHECK_WIRE_H */
