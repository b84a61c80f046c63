// SPDX-License-Identifier: GPL-2.0
/*
 * store.c - a ring of bytes and a ring of bits
 */
#include "packet.h"
#include "store.h"

void store_init(struct store *st, u32 size, bool carry)
{
	*st = (struct store){ .size = 4096 };
	while (st->size < size)
		st->size *= 2;
	st->here = sim_alloc(st->size / 8);
	if (carry)
		st->ring = sim_alloc(st->size);
}

void store_destroy(struct store *st)
{
	free(st->ring);
	free(st->here);
	st->ring = NULL;
	st->here = NULL;
}

/* Bits lo to hi - 1 of a word. */
static u64 bits(u32 lo, u32 hi)
{
	u64 below_hi = hi == 64 ? U64_MAX : (1ULL << hi) - 1;

	return below_hi & ~((1ULL << lo) - 1);
}

static void mark(struct store *st, u64 off, u64 end)
{
	while (off < end) {
		u32 lo = off % 64;
		u32 hi = min_t(u64, 64, lo + (end - off));

		u64 *word = &st->here[off % st->size / 64];

		st->early += __builtin_popcountll(bits(lo, hi) & ~*word);
		*word |= bits(lo, hi);
		off += hi - lo;
	}
}

/* Bytes at the front leave the ring of bits as @front passes them. */
static void advance(struct store *st)
{
	for (;;) {
		u64 *word = &st->here[st->front % st->size / 64];
		u32 lo = st->front % 64;
		u64 gaps = ~*word & bits(lo, 64);
		u32 hi = gaps ? __builtin_ctzll(gaps) : 64;

		*word &= ~bits(lo, hi);
		st->front += hi - lo;
		st->early -= hi - lo;
		if (hi < 64)
			return;
	}
}

static void ring_write(struct store *st, u64 off, const u8 *data, u32 n)
{
	u32 at = off % st->size;
	u32 first = min_t(u32, n, st->size - at);

	memcpy(st->ring + at, data, first);
	memcpy(st->ring, data + first, n - first);
}

bool store_put(struct store *st, u64 off, const u8 *data, u32 n)
{
	if (off < st->read || off + n > st->read + st->size)
		return false;
	if (st->ring)
		ring_write(st, off, data, n);
	if (off + n > st->front)
		mark(st, off > st->front ? off : st->front, off + n);
	advance(st);
	return true;
}

bool store_has(const struct store *st, u64 off)
{
	return st->here[off % st->size / 64] >> off % 64 & 1;
}

bool store_take(struct store *st, u64 key, u32 n)
{
	if (st->read + n > st->front)
		return false;
	while (n) {
		u32 at = st->read % st->size;
		u32 part = min_t(u32, n, st->size - at);

		if (st->ring &&
		    !stream_matches(key, st->read, st->ring + at, part))
			return false;
		st->read += part;
		n -= part;
	}
	return true;
}
