// SPDX-License-Identifier: GPL-2.0
/*
 * world.c - the heap of due timers
 */
#include <stdarg.h>

#include "world.h"

void *sim_alloc(size_t size)
{
	void *p = calloc(1, size);

	if (!p) {
		fputs("chalk-sim: out of memory\n", stderr);
		exit(1);
	}
	return p;
}

static bool due_before(const struct due *a, const struct due *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void heap_put(struct world *w, u32 slot, struct due d)
{
	w->heap[slot] = d;
	d.timer->slot = slot;
}

static void heap_up(struct world *w, u32 slot, struct due d)
{
	while (slot) {
		u32 parent = (slot - 1) / 2;

		if (!due_before(&d, &w->heap[parent]))
			break;
		heap_put(w, slot, w->heap[parent]);
		slot = parent;
	}
	heap_put(w, slot, d);
}

static void heap_down(struct world *w, u32 slot, struct due d)
{
	for (;;) {
		u32 child = 2 * slot + 1;

		if (child >= w->nr_due)
			break;
		if (child + 1 < w->nr_due &&
		    due_before(&w->heap[child + 1], &w->heap[child]))
			child++;
		if (!due_before(&w->heap[child], &d))
			break;
		heap_put(w, slot, w->heap[child]);
		slot = child;
	}
	heap_put(w, slot, d);
}

/* Put @d where @slot is free, whichever way it has to go. */
static void heap_settle(struct world *w, u32 slot, struct due d)
{
	if (slot && due_before(&d, &w->heap[(slot - 1) / 2]))
		heap_up(w, slot, d);
	else
		heap_down(w, slot, d);
}

static void heap_remove(struct world *w, u32 slot)
{
	struct due last = w->heap[--w->nr_due];

	w->heap[slot].timer->slot = TIMER_IDLE;
	if (slot < w->nr_due)
		heap_settle(w, slot, last);
}

static void heap_grow(struct world *w)
{
	w->cap = w->cap ? 2 * w->cap : 256;
	w->heap = realloc(w->heap, w->cap * sizeof(*w->heap));
	if (!w->heap) {
		fputs("chalk-sim: out of memory\n", stderr);
		exit(1);
	}
}

void sim_timer_init(struct sim_timer *t,
		    void (*fire)(struct world *, struct sim_timer *))
{
	t->fire = fire;
	t->slot = TIMER_IDLE;
}

void sim_timer_set(struct world *w, struct sim_timer *t, u64 at)
{
	struct due d = { .at = at, .timer = t };

	if (at == NEVER) {
		if (t->slot != TIMER_IDLE)
			heap_remove(w, t->slot);
		return;
	}
	if (t->slot != TIMER_IDLE && w->heap[t->slot].at == at)
		return;
	d.order = w->order++;
	if (t->slot != TIMER_IDLE) {
		heap_settle(w, t->slot, d);
		return;
	}
	if (w->nr_due == w->cap)
		heap_grow(w);
	heap_up(w, w->nr_due++, d);
}

bool world_step(struct world *w)
{
	struct due first;

	if (!w->nr_due)
		return false;
	first = w->heap[0];
	heap_remove(w, 0);
	if (first.at > w->now)
		w->now = first.at;
	first.timer->fire(w, first.timer);
	return true;
}

void world_fail(struct world *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (world_failed(w))
		return;
	n = snprintf(w->failure, sizeof(w->failure), "at %llu.%06llu s: ",
		     (unsigned long long)(w->now / USEC_PER_S),
		     (unsigned long long)(w->now % USEC_PER_S));
	va_start(ap, fmt);
	vsnprintf(w->failure + n, sizeof(w->failure) - n, fmt, ap);
	va_end(ap);
}
