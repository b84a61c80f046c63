/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bytes.h - numbers in network byte order, at any address
 *
 * For the code that reads and writes headers: wire.c, dgram.c.
 */
#ifndef CHALK_CORE_BYTES_H
#define CHALK_CORE_BYTES_H

#include "types.h"

static inline u16 get16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

static inline u32 get32(const u8 *p)
{
	return (u32)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

/* Return: the place behind what was written; put32() likewise. */
static inline u8 *put16(u8 *p, u16 v)
{
	p[0] = v >> 8;
	p[1] = (u8)v;
	return p + 2;
}

static inline u8 *put32(u8 *p, u32 v)
{
	return put16(put16(p, v >> 16), (u16)v);
}

#endif /* CHALK_CORE_BYTES_H */
