// SPDX-License-Identifier: GPL-2.0
/*
 * trace_ring.c - the rings that events wait in for a reader
 *
 * Owns struct chalk_rings: for each CPU a ring that only this CPU puts records
 * into, with softirqs off, and that only the holder of the reader's lock takes
 * them out of. Neither waits for the other. A number tells the order over all
 * CPUs; it is given only to a record that has room, so that the reader finds
 * every number. What has no room is counted, and told where it is missing.
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

static void free_slots(struct chalk_rings *rs)
{
	int cpu;

	for_each_possible_cpu(cpu)
		kvfree(per_cpu_ptr(rs->ring, cpu)->slot);
}

static int alloc_slots(struct chalk_rings *rs)
{
	size_t bytes = array_size(rs->size, sizeof(struct chalk_slot));
	struct chalk_ring *r;
	int cpu;

	for_each_possible_cpu(cpu) {
		r = per_cpu_ptr(rs->ring, cpu);
		r->slot = kvmalloc_node(bytes, GFP_KERNEL, cpu_to_node(cpu));
		if (!r->slot)
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
	rs->next = 1;
	rs->ring = alloc_percpu(struct chalk_ring);
	if (!rs->ring)
		return -ENOMEM;
	if (!alloc_slots(rs))
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
	free_slots(rs);
	free_percpu(rs->ring);
}

/* --- putting in --- */

/* The consumer takes nothing out while the producer looks no further. */
static bool has_room(struct chalk_ring *r, u32 size)
{
	if (r->head - r->seen < size)
		return true;
	/* pairs with the release in step() */
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
	struct chalk_slot *slot;

	if (!has_room(r, rs->size)) {
		WRITE_ONCE(r->lost, r->lost + 1);
		return 0;
	}
	slot = &r->slot[r->head & (rs->size - 1)];
	chalk_record_fill(&slot->rec, it);
	slot->lost = r->lost;
	slot->serial = atomic64_inc_return(&rs->serial);
	/* pairs with the acquire in peek() */
	smp_store_release(&r->head, r->head + 1);
	return r->head;
}

/* --- taking out --- */

/* The record that this ring would give next, or NULL. */
static const struct chalk_slot *peek(const struct chalk_rings *rs,
				     const struct chalk_ring *r)
{
	/* pairs with the release in chalk_rings_put() */
	if (smp_load_acquire(&r->head) == r->tail)
		return NULL;
	return &r->slot[r->tail & (rs->size - 1)];
}

/* The ring that has the record which is next in the order of all. */
static struct chalk_ring *find_next(const struct chalk_rings *rs)
{
	const struct chalk_slot *slot;
	struct chalk_ring *r;
	int cpu;

	for_each_possible_cpu(cpu) {
		r = per_cpu_ptr(rs->ring, cpu);
		slot = peek(rs, r);
		if (slot && slot->serial == rs->next)
			return r;
	}
	return NULL;
}

/* An empty ring that has had no room since its last record. */
static struct chalk_ring *find_lost(const struct chalk_rings *rs)
{
	struct chalk_ring *r;
	int cpu;

	for_each_possible_cpu(cpu) {
		r = per_cpu_ptr(rs->ring, cpu);
		if (READ_ONCE(r->lost) != r->told && !peek(rs, r))
			return r;
	}
	return NULL;
}

/* The record that says how many the ring had lost by then. */
static void tell_lost(struct chalk_ring *r, u32 lost, u64 time,
		      struct chalk_trace_record *out)
{
	*out = (struct chalk_trace_record){
		.time = time,
		.kind = CHALK_TRACE_LOST,
		.new = lost - r->told,
	};
	r->told = lost;
}

static void step(struct chalk_rings *rs, struct chalk_ring *r)
{
	rs->next++;
	/* pairs with the acquire in has_room() */
	smp_store_release(&r->tail, r->tail + 1);
}

/* Return: how many records that gave: 1, or 0 where it was forgotten. */
static unsigned int take(struct chalk_rings *rs, struct chalk_ring *r,
			 const struct chalk_slot *slot,
			 struct chalk_trace_record *out)
{
	if (unlikely(slot->serial <= atomic64_read(&rs->forgotten))) {
		r->told = slot->lost;
		step(rs, r);
		return 0;
	}
	if (unlikely(slot->lost != r->told)) {
		tell_lost(r, slot->lost, slot->rec.time, out);
		return 1;
	}
	*out = slot->rec;
	step(rs, r);
	return 1;
}

/**
 * chalk_rings_take() - records in the order in which they were put in
 * @rs:  the rings; the caller is the only one who takes
 * @out: where to
 * @max: how many at most
 *
 * Return: how many.
 */
unsigned int chalk_rings_take(struct chalk_rings *rs,
			      struct chalk_trace_record *out, unsigned int max)
{
	const struct chalk_slot *slot;
	struct chalk_ring *r = NULL;
	unsigned int n = 0;

	while (n < max) {
		/* mostly one CPU makes many in a row */
		slot = r ? peek(rs, r) : NULL;
		if (slot && slot->serial == rs->next) {
			n += take(rs, r, slot, &out[n]);
			continue;
		}
		r = find_next(rs);
		if (!r)
			break;
	}
	if (n)
		return n;
	r = find_lost(rs);
	if (r)
		tell_lost(r, READ_ONCE(r->lost), ktime_get_ns(), &out[n++]);
	return n;
}

/**
 * chalk_rings_forget() - what is in the rings now is not wanted any more
 * @rs: the rings
 *
 * Some of it may be on its way in, so the one who takes out leaves it out.
 */
void chalk_rings_forget(struct chalk_rings *rs)
{
	atomic64_set(&rs->forgotten, atomic64_read(&rs->serial));
}

/**
 * chalk_rings_more() - whether chalk_rings_take() would give any
 * @rs: the rings
 */
bool chalk_rings_more(const struct chalk_rings *rs)
{
	return find_next(rs) || find_lost(rs);
}
