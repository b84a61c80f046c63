/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dgram.h - the header of a datagram (RFC 768)
 *
 * Owns the only code that reads or writes its eight bytes. As with segments
 * (wire.h), the sum over header and payload is the habitat's affair.
 *
 *	 0              15 16             31
 *	+-----------------+-----------------+
 *	|   source port   | destination port|
 *	+-----------------+-----------------+
 *	|     length      |    checksum     |
 *	+-----------------+-----------------+
 */
#ifndef CHALK_CORE_DGRAM_H
#define CHALK_CORE_DGRAM_H

#include "event.h"
#include "types.h"

/* Where the checksum stands, for offloads. */
#define DGRAM_CHECKSUM_OFFSET 6

/**
 * struct dgram - a datagram, in host order
 * @sport: source port, 0: no answer is wanted
 * @dport: destination port
 * @len:   payload bytes
 */
struct dgram {
	u16 sport, dport;
	u16 len;
};

/**
 * dgram_parse() - read a header
 * @d:     filled in as far as it could be read
 * @p:     start of the packet
 * @avail: bytes that may be read at @p, at least the smaller of DGRAM_HDR and
 *         @total
 * @total: bytes of the whole packet; those beyond header and @d->len are padding
 *
 * DEVIATES: RFC 768 lets a sender leave out the checksum, as 0. Here it is
 * always present, as RFC 8200 section 8.1 has it over IPv6.
 *
 * Return: DROP_NONE, or why the datagram is to be dropped.
 */
enum cause dgram_parse(struct dgram *d, const u8 *p, u32 avail, u32 total);

/**
 * dgram_build() - write a header
 * @d: the datagram
 * @p: room for DGRAM_HDR bytes; the checksum field is written as 0
 */
void dgram_build(const struct dgram *d, u8 *p);

#endif /* CHALK_CORE_DGRAM_H */
