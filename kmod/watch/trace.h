/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trace.h - how an event of the core reaches those who watch
 *
 * The path of an event: the core calls env->emit while env->tracing is set;
 * stream/event.c says whose it is; trace.c gives it a stamp, which is its time
 * and its place in the one order that all who watch see, offers it to each
 * reader and fires its tracepoint. The reader's filter (trace_filter.c) looks at
 * it, and it becomes a record in the ring of this CPU (trace_ring.c). The file
 * (trace_file.c) gives the records of all CPUs in the order of their stamps, as
 * they are or as text.
 *
 * Nothing on this path waits or allocates. Readers are found under RCU; a ring
 * has one producer, which is its CPU with softirqs off, and one consumer, who
 * holds the reader's lock. A reader waits for the CPUs that are on this path
 * when it looks: what they add may come before what is there.
 */
#ifndef CHALK_KMOD_TRACE_H
#define CHALK_KMOD_TRACE_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/timer.h>
#include <linux/wait.h>

#include "chalk_trace.h"
#include "core/event.h"
#include "ip/ip.h"

struct dentry;

/* Bits of a stamp below its microseconds: events may share one of these. */
#define CHALK_STAMP_SHIFT 10

/* The time of a record, in nanoseconds. */
static inline u64 chalk_stamp_time(u64 stamp)
{
	return (stamp >> CHALK_STAMP_SHIFT) * NSEC_PER_USEC;
}

/**
 * struct chalk_item - an event, and whose it is
 * @ev:    the event
 * @ends:  between whom
 * @stamp: its place in the order of all events, and with it its time
 * @netns: where
 */
struct chalk_item {
	const struct event *ev;
	const struct chalk_ends *ends;
	u64 stamp;
	u32 netns;
};

/* --- filters: trace_filter.c --- */

/* Values that a filter may name of one key. */
#define CHALK_FILTER_VALUES 16

/* Bytes that a filter may have as text. */
#define CHALK_FILTER_MAX 512

/**
 * struct chalk_filter - which events a reader wants
 * @kinds: a bit for each kind of event, 0: all
 * @nr_ports: how many of @ports count, 0: all ports; the others alike
 * @nr_addrs: of @addrs
 * @nr_conns: of @conns
 * @nr_netns: of @netns
 * @ports: either end's
 * @addrs: either end's
 * @conns: numbers of connections
 * @netns: inode numbers of network namespaces
 * @text:  as it was written
 * @rcu:   frees it
 */
struct chalk_filter {
	u64 kinds;
	u8 nr_ports, nr_addrs, nr_conns, nr_netns;
	u32 ports[CHALK_FILTER_VALUES];
	struct in6_addr addrs[CHALK_FILTER_VALUES];
	u32 conns[CHALK_FILTER_VALUES];
	u32 netns[CHALK_FILTER_VALUES];
	char text[CHALK_FILTER_MAX];
	struct rcu_head rcu;
};

extern const struct file_operations chalk_trace_filter_fops;

struct chalk_filter *chalk_filter_from_user(const char __user *buf,
					    size_t size);
struct chalk_filter *chalk_filter_default(void);
bool chalk_filter_passes(const struct chalk_filter *f,
			 const struct chalk_item *it);

/* --- records: trace_record.c --- */

void chalk_record_fill(struct chalk_trace_record *r,
		       const struct chalk_item *it);
void chalk_record_event(struct event *ev, const struct chalk_trace_record *r);

/* --- rings: trace_ring.c --- */

/**
 * struct chalk_mark - what is not in a record, but belongs to it
 * @stamp: the event's
 * @lost:  how many the ring had had no room for
 */
struct chalk_mark {
	u64 stamp;
	u32 lost;
};

/**
 * struct chalk_ring - records of one CPU for one reader
 * @rec:  the records
 * @mark: their marks
 * @head: how many were put in
 * @seen: @tail when the producer last looked
 * @lost: how many found no room
 * @tail: how many were taken out
 * @told: how much of @lost the reader knows
 */
struct chalk_ring {
	struct chalk_trace_record *rec;
	struct chalk_mark *mark;

	/* the producer's */
	u32 head;
	u32 seen;
	u32 lost;

	/* the consumer's */
	u32 tail ____cacheline_aligned_in_smp;
	u32 told;
};

/**
 * struct chalk_rings - the rings of a reader
 * @forgotten: records up to this stamp are not wanted any more
 * @taken:  the ring that records are being taken out of
 * @gap:    a record that tells of lost ones
 * @size:   places in each, a power of two
 * @ring:   one for each CPU
 */
struct chalk_rings {
	atomic64_t forgotten;
	struct chalk_ring *taken;
	struct chalk_trace_record gap;
	u32 size;
	struct chalk_ring __percpu *ring;
};

int chalk_rings_init(struct chalk_rings *rs);
void chalk_rings_destroy(struct chalk_rings *rs);
u32 chalk_rings_put(struct chalk_rings *rs, const struct chalk_item *it);
unsigned int chalk_rings_take(struct chalk_rings *rs, u64 until,
			      const struct chalk_trace_record **first,
			      unsigned int max);
void chalk_rings_free(struct chalk_rings *rs, unsigned int n);
void chalk_rings_forget(struct chalk_rings *rs, u64 until);
bool chalk_rings_more(const struct chalk_rings *rs);

/* --- emission: trace.c --- */

void chalk_trace_event(struct chalk_item *it);
void chalk_trace_stray(struct net *net, enum event_kind kind, enum cause why,
		       const struct chalk_ends *ends, const struct seg *seg);

/* --- readers: trace.c --- */

/**
 * struct chalk_reader - what an open file has of the stream
 * @list:   in the list of all
 * @filter: which events; NULL: all
 * @rings:  the events
 * @wait:   who waits for more
 * @timer:  wakes them
 */
struct chalk_reader {
	struct list_head list;
	struct chalk_filter __rcu *filter;
	struct chalk_rings rings;
	wait_queue_head_t wait;
	struct timer_list timer;
};

int chalk_reader_add(struct chalk_reader *rd);
void chalk_reader_remove(struct chalk_reader *rd);
void chalk_reader_set_filter(struct chalk_reader *rd, struct chalk_filter *f);
u64 chalk_trace_settle(void);

/* --- tracepoints: trace_points.c --- */

int chalk_points_on(void);
void chalk_points_off(void);
void chalk_point(const struct chalk_item *it);

/* --- text: trace_text.c --- */

/* Room for an address in brackets, a port and a NUL. */
#define CHALK_END_MAX 56

extern const struct file_operations chalk_trace_names_fops;

void chalk_format_end(char *buf, const struct in6_addr *addr, u16 port);
size_t chalk_record_text(char *buf, size_t size,
			 const struct chalk_trace_record *r);

/* --- files: trace_file.c --- */

extern const struct file_operations chalk_trace_fops;
extern const struct file_operations chalk_trace_raw_fops;

/* --- besides the trace --- */

struct dentry *chalk_debugfs_init(void); /* debugfs.c */
void chalk_debugfs_exit(void);
int chalk_snmp_register(void); /* snmp.c */
void chalk_snmp_unregister(void);

#endif /* CHALK_KMOD_TRACE_H */
