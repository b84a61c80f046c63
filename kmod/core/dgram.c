// SPDX-License-Identifier: GPL-2.0
/*
 * dgram.c - header bytes to struct dgram and back
 */
#include "bytes.h"
#include "dgram.h"
#include "params.h"

enum cause dgram_parse(struct dgram *d, const u8 *p, u32 avail, u32 total)
{
	u16 len;

	memset(d, 0, sizeof(*d));
	if (total < DGRAM_HDR || avail < DGRAM_HDR)
		return DROP_DGRAM_TOO_SHORT;
	d->sport = get16(p);
	d->dport = get16(p + 2);
	len = get16(p + 4);
	if (len < DGRAM_HDR || len > total)
		return DROP_DGRAM_BAD_LENGTH;
	d->len = len - DGRAM_HDR;
	if (!get16(p + DGRAM_CHECKSUM_OFFSET))
		return DROP_DGRAM_NO_CHECKSUM;
	return DROP_NONE;
}

void dgram_build(const struct dgram *d, u8 *p)
{
	put16(p, d->sport);
	put16(p + 2, d->dport);
	put16(p + 4, DGRAM_HDR + d->len);
	put16(p + DGRAM_CHECKSUM_OFFSET, 0);
}
