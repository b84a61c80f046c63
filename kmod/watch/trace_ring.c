// SPDX-License-Identifier: GPL-2.0
/*
 * trace_ring.c - the rings that events wait in for a reader
 *
 * Owns struct chalk_rings: for each CPU a ring that only this CPU puts records
 * into, with softirqs off, and that only the holder of the reader's lock takes
 * them out of. In each ring the stamps of the records ascend, so those of all
 * CPUs are merged by the least. The caller says up to which stamp no CPU can add
 * a record any more; later ones stay. What has no room is counted, and told
 * where it is missing.
 */
#include <linux/module.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/percpu.h>

#include "trace.h"

static unsigned int trace_records = 8192;
module_param(trace_records, uint, 0644);
MODULE_PARM_DESC(trace_records,
		 "records that wait for a reader of the trace, for each CPU");

/* --- making them --- */

static void free_places(struct chalk_rings *rs)
{
	struct chalk_ring *r;
	int cpu;

	for_each_possible_cpu(cpu) {
		r = per_cpu_ptr(rs->ring, cpu);
		kvfree(r->mark);
		kvfree(r->rec);
	}
}

static int alloc_places(struct chalk_rings *rs)
{
	size_t records = array_size(rs->size,
				    sizeof(struct chalk_trace_record));
	size_t marks = array_size(rs->size, sizeof(struct chalk_mark));
	struct chalk_ring *r;
	int cpu, node;

	for_each_possible_cpu(cpu) {
		r = per_cpu_ptr(rs->ring, cpu);
		node = cpu_to_node(cpu);
		r->rec = kvmalloc_node(records, GFP_KERNEL, node);
		r->mark = kvmalloc_node(marks, GFP_KERNEL, node);
		if (!r->rec || !r->mark)
			return -ENOMEM;
	}
	return 0;
}

/**
 * chalk_rings_init() - empty rings
 * @rs: zeroed memory
 *
 * Return: 0 or -ENOMEM.
 */
int chalk_rings_init(struct chalk_rings *rs)
{
	u32 wanted = clamp(READ_ONCE(trace_records), 16U, 1U << 20);

	rs->size = roundup_pow_of_two(wanted);
	rs->ring = alloc_percpu(struct chalk_ring);
	if (!rs->ring)
		return -ENOMEM;
	if (!alloc_places(rs))
		return 0;
	chalk_rings_destroy(rs);
	return -ENOMEM;
}

/**
 * chalk_rings_destroy() - the reverse; nobody uses them any more
 * @rs: the rings
 */
void chalk_rings_destroy(struct chalk_rings *rs)
{
	free_places(rs);
	free_percpu(rs->ring);
}

/* --- putting in --- */

/* The consumer takes nothing out while the producer looks no further. */
static bool has_room(struct chalk_ring *r, u32 size)
{
	if (r->head - r->seen < size)
		return true;
	/* pairs with the release in chalk_rings_free() */
	r->seen = smp_load_acquire(&r->tail);
	return r->head - r->seen < size;
}

/**
 * chalk_rings_put() - an event becomes a record; softirqs are off
 * @rs: the rings
 * @it: the event
 *
 * Return: how many records this CPU has put in, 0: there was no room.
 */
u32 chalk_rings_put(struct chalk_rings *rs, const struct chalk_item *it)
{
	struct chalk_ring *r = this_cpu_ptr(rs->ring);
	u32 at = r->head & (rs->size - 1);

	if (!has_room(r, rs->size)) {
		WRITE_ONCE(r->lost, r->lost + 1);
		return 0;
	}
	chalk_record_fill(&r->rec[at], it);
	r->mark[at].lost = r->lost;
	r->mark[at].stamp = it->stamp;
	/* pairs with the acquire in ready() */
	smp_store_release(&r->head, r->head + 1);
	return r->head;
}

/* --- taking out --- */

/* How many records wait in a ring. */
static u32 ready(const struct chalk_ring *r)
{
	/* pairs with the release in chalk_rings_put() */
	return smp_load_acquire(&r->head) - r->tail;
}

/* The mark of the record that a ring would give next, if it has any. */
static const struct chalk_mark *mark_of(const struct chalk_rings *rs,
					const struct chalk_ring *r)
{
	return &r->mark[r->tail & (rs->size - 1)];
}

static u64 stamp_of(const struct chalk_rings *rs, const struct chalk_ring *r)
{
	return ready(r) ? mark_of(rs, r)->stamp : U64_MAX;
}

/*
 * The ring that has the record which is next in the order of all, if that is
 * before @end. No other ring has one before the @end that is left.
 */
static struct chalk_ring *find_next(const struct chalk_rings *rs, u64 *end)
{
	struct chalk_ring *next = NULL;
	u64 stamp, least = *end;
	struct chalk_ring *r;
	int cpu;

	for_each_possible_cpu(cpu) {
		r = per_cpu_ptr(rs->ring, cpu);
		stamp = stamp_of(rs, r);
		if (stamp < least) {
			next = r;
			*end = least;
			least = stamp;
		} else if (stamp < *end) {
			*end = stamp;
		}
	}
	return next;
}

/* An empty ring that has had no room since its last record. */
static struct chalk_ring *find_lost(const struct chalk_rings *rs, u32 *lost)
{
	struct chalk_ring *r;
	int cpu;

	for_each_possible_cpu(cpu) {
		r = per_cpu_ptr(rs->ring, cpu);
		/* what is put in later has a mark that is no less */
		*lost = smp_load_acquire(&r->lost);
		if (*lost != r->told && !ready(r))
			return r;
	}
	return NULL;
}

/* The record that says how many the ring had lost by then. */
static unsigned int tell_lost(struct chalk_rings *rs, struct chalk_ring *r,
			      u32 lost, u64 time)
{
	rs->gap = (struct chalk_trace_record){
		.time = time,
		.kind = CHALK_TRACE_LOST,
		.new = lost - r->told,
	};
	r->told = lost;
	rs->taken = NULL;
	return 1;
}

static void free_records(struct chalk_ring *r, u32 n)
{
	/* pairs with the acquire in has_room() */
	smp_store_release(&r->tail, r->tail + n);
}

/* Take out what is not wanted any more. */
static void skip_forgotten(struct chalk_rings *rs)
{
	u64 last = atomic64_read(&rs->forgotten);
	struct chalk_ring *r;
	int cpu;

	for_each_possible_cpu(cpu) {
		r = per_cpu_ptr(rs->ring, cpu);
		while (stamp_of(rs, r) <= last) {
			r->told = mark_of(rs, r)->lost;
			free_records(r, 1);
		}
	}
}

/* How many records of a ring follow each other, before @end and in memory. */
static unsigned int length_of_run(const struct chalk_rings *rs,
				  const struct chalk_ring *r, u64 end,
				  unsigned int max)
{
	const struct chalk_mark *mark = mark_of(rs, r);
	u32 most = min_t(u32, max, ready(r));
	u32 n;

	most = min(most, rs->size - (r->tail & (rs->size - 1)));
	for (n = 0; n < most; n++)
		if (mark[n].stamp >= end || mark[n].lost != r->told)
			break;
	return n;
}

/**
 * chalk_rings_take() - records in the order of their stamps
 * @rs:    the rings; the caller is the only one who takes
 * @until: no CPU can add a record with this stamp or an earlier one
 * @first: the first of them; they stay until chalk_rings_free()
 * @max:   how many at most
 *
 * Return: how many.
 */
unsigned int chalk_rings_take(struct chalk_rings *rs, u64 until,
			      const struct chalk_trace_record **first,
			      unsigned int max)
{
	u64 end = until + 1;
	struct chalk_ring *r;
	u32 at, lost;

	skip_forgotten(rs);
	*first = &rs->gap;
	r = find_next(rs, &end);
	if (!r) {
		r = find_lost(rs, &lost);
		return r ? tell_lost(rs, r, lost, chalk_stamp_time(until)) : 0;
	}
	at = r->tail & (rs->size - 1);
	if (unlikely(r->mark[at].lost != r->told))
		return tell_lost(rs, r, r->mark[at].lost, r->rec[at].time);
	*first = &r->rec[at];
	rs->taken = r;
	return length_of_run(rs, r, end, max);
}

/**
 * chalk_rings_free() - the records that were taken may be overwritten
 * @rs: the rings
 * @n:  how many they were
 */
void chalk_rings_free(struct chalk_rings *rs, unsigned int n)
{
	if (rs->taken)
		free_records(rs->taken, n);
	rs->taken = NULL;
}

/**
 * chalk_rings_forget() - what is in the rings now is not wanted any more
 * @rs:    the rings
 * @until: the stamp of the last such record
 *
 * Some of it may be on its way in, so the one who takes out leaves it out.
 */
void chalk_rings_forget(struct chalk_rings *rs, u64 until)
{
	atomic64_set(&rs->forgotten, until);
}

/**
 * chalk_rings_more() - whether chalk_rings_take() would give any
 * @rs: the rings
 */
bool chalk_rings_more(const struct chalk_rings *rs)
{
	u64 end = U64_MAX;
	u32 lost;

	return find_next(rs, &end) || find_lost(rs, &lost);
}
