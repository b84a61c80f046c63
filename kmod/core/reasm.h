/* SPDX-License-Identifier: GPL-2.0 */
/*
 * reasm.h - which bytes have arrived beyond rcv_nxt
 *
 * A sorted array of ranges that neither touch nor overlap. The payload itself
 * stays with the habitat, and so does the array's memory: the core never
 * allocates. A range more than the array holds is refused (the peer sends it
 * again), which bounds both memory and time.
 *
 * Sequence numbers are compared within a window of less than 2^31 bytes above
 * rcv_nxt; the caller has checked that.
 */
#ifndef CHALK_CORE_REASM_H
#define CHALK_CORE_REASM_H

#include "types.h"

/* Bytes [start, end) */
struct seq_range {
	u32 start;
	u32 end;
};

/**
 * struct reasm - the ranges
 * @r:   the array, in order
 * @n:   how many of it are in use
 * @cap: how many it has room for
 * @bytes: in all of them
 */
struct reasm {
	struct seq_range *r;
	u16 n;
	u16 cap;
	u32 bytes;
};

/* What became of a range that was offered. */
enum reasm_result {
	REASM_NEW, /* taken, maybe trimmed */
	REASM_DUPLICATE, /* nothing in it is new */
	REASM_FULL, /* a range of its own, and no room for one */
};

/**
 * reasm_add() - note that a range arrived
 * @m:  the ranges
 * @in: the range, not empty; on REASM_NEW it is trimmed at both ends by what
 *      was there before, so that its ends are new bytes
 */
enum reasm_result reasm_add(struct reasm *m, struct seq_range *in);

/**
 * reasm_advance() - the stream has grown to @rcv_nxt
 * @m:       the ranges
 * @rcv_nxt: next byte expected
 *
 * Ranges that start at or below @rcv_nxt leave the array.
 *
 * Return: the next byte expected after those ranges, at least @rcv_nxt.
 */
u32 reasm_advance(struct reasm *m, u32 rcv_nxt);

/**
 * reasm_cut() - forget what lies at and behind a sequence number
 * @m:   the ranges
 * @seq: the first that is to be forgotten
 */
void reasm_cut(struct reasm *m, u32 seq);

/**
 * reasm_room_wanted() - how many ranges the array should have room for
 * @m: the ranges
 *
 * Return: a new capacity to give with reasm_give_room(), or 0: it has room, or
 * has the most it may have.
 */
u16 reasm_room_wanted(const struct reasm *m);

/**
 * reasm_give_room() - hand over a larger array
 * @m:   the ranges
 * @mem: room for @cap ranges, owned by the caller
 * @cap: as asked for
 *
 * Return: the array used before (the caller frees it), or NULL.
 */
struct seq_range *reasm_give_room(struct reasm *m, struct seq_range *mem,
				  u16 cap);

#endif /* CHALK_CORE_REASM_H */
