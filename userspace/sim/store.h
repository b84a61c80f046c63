/* SPDX-License-Identifier: GPL-2.0 */
/*
 * store.h - received payload until the user reads it
 *
 * A ring as large as the largest window, and a bit for each of its bytes: has
 * it arrived? @front is what has arrived without a gap, known from the packets
 * alone, which is what the connection's rcv_nxt is held against.
 */
#ifndef CHALK_SIM_STORE_H
#define CHALK_SIM_STORE_H

#include "types.h"

/**
 * struct store - the ring; offsets count the bytes of the stream
 * @ring:  payload, NULL where it is not carried
 * @here:  a bit for each byte between @front and what the ring can hold
 * @size:  bytes, a power of two
 * @read:  behind the last byte read
 * @front: behind the last byte that has all before it
 * @early: bytes beyond @front
 */
struct store {
	u8 *ring;
	u64 *here;
	u32 size;
	u64 read;
	u64 front;
	u32 early;
};

/**
 * store_init() - an empty store
 * @st:    filled in
 * @size:  bytes it must hold
 * @carry: packets carry payload
 */
void store_init(struct store *st, u32 size, bool carry);

/**
 * store_destroy() - the counterpart of store_init()
 * @st: the store
 */
void store_destroy(struct store *st);

/**
 * store_put() - keep payload
 * @st:   the store
 * @off:  offset of its first byte
 * @data: the bytes
 * @n:    how many
 *
 * Return: false if they do not fit between @read and the end of the ring.
 */
bool store_put(struct store *st, u64 off, const u8 *data, u32 n);

/* Whether the byte at an offset beyond @front has arrived. */
bool store_has(const struct store *st, u64 off);

/**
 * store_take() - the user reads
 * @st:  the store
 * @key: the stream that the bytes must be from
 * @n:   how many
 *
 * Return: false if they are not all there, or are not those of the stream.
 */
bool store_take(struct store *st, u64 key, u32 n);

#endif /* CHALK_SIM_STORE_H */
