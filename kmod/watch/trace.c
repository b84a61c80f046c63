// SPDX-License-Identifier: GPL-2.0
/*
 * trace.c - events go to those who watch
 *
 * Owns the list of readers, the stamps that put all events in one order, and when
 * env->tracing is set: while anybody reads or a tracepoint is on; otherwise the
 * core emits nothing. Events of all namespaces go the same way; a filter tells
 * them apart. The path as a whole stands in trace.h.
 */
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rculist.h>

#include "core/state.h"
#include "net/net.h"
#include "trace.h"

/* Guards what follows, and which filter a reader has. */
static DEFINE_MUTEX(watchers_lock);

static LIST_HEAD(readers);

/* How many tracepoints are on. */
static unsigned int points;

/* How many watch: readers and tracepoints. */
static unsigned int watchers;

/* --- one order for all who watch --- */

/* The stamp of the last event. */
static atomic64_t last_stamp;

/* Of each CPU: odd while it hands an event over. */
static DEFINE_PER_CPU(u32, turns);

/*
 * A stamp is the time of the event, or the next after the last stamp where that
 * is later: of events of one microsecond, and of an event that took longer to
 * get here than one of another CPU.
 */
static u64 draw_stamp(u64 time)
{
	s64 last = atomic64_read(&last_stamp);
	s64 stamp;

	do {
		stamp = max_t(s64, time << CHALK_STAMP_SHIFT, last + 1);
	} while (!atomic64_try_cmpxchg(&last_stamp, &last, stamp));
	return stamp;
}

/* This CPU has an event; softirqs are off until it has handed it over. */
static u32 *begin_turn(struct chalk_item *it)
{
	u32 *turn = this_cpu_ptr(&turns);

	/* before the stamp is drawn; pairs with the barrier of the reader */
	smp_store_release(turn, *turn + 1);
	it->stamp = draw_stamp(it->ev->time);
	return turn;
}

static void end_turn(u32 *turn)
{
	/* pairs with the acquire in await_turn() */
	smp_store_release(turn, *turn + 1);
}

/* What this CPU is handing over now is in the rings afterwards. */
static void await_turn(u32 *turn)
{
	/* pairs with the release in end_turn() */
	u32 now = smp_load_acquire(turn);

	if (now & 1)
		smp_cond_load_acquire(turn, VAL != now);
}

/**
 * chalk_trace_settle() - until when all events are in the rings
 *
 * An event that has a stamp may still be on its way into the rings. Its CPU has
 * softirqs off and waits for nothing, so this takes no longer than a lock.
 *
 * Return: the last stamp of those that no event can come before any more.
 */
u64 chalk_trace_settle(void)
{
	u64 last = atomic64_read(&last_stamp);
	int cpu;

	/* whose stamp this is, or an earlier one, is seen to have begun */
	smp_mb();
	for_each_possible_cpu(cpu)
		await_turn(per_cpu_ptr(&turns, cpu));
	return last;
}

/* --- emission --- */

/*
 * A reader who sleeps is woken when much has gathered or there was no room, else
 * by its timer: one wake-up for each record would cost more than the records.
 */
static void call_reader(struct chalk_reader *rd, u32 n)
{
	if (!wq_has_sleeper(&rd->wait))
		return;
	if (!(n & (rd->rings.size / 4 - 1)))
		wake_up_interruptible(&rd->wait);
	else if (!timer_pending(&rd->timer))
		mod_timer(&rd->timer, jiffies + 1);
}

static void offer(struct chalk_reader *rd, const struct chalk_item *it)
{
	const struct chalk_filter *f = rcu_dereference_bh(rd->filter);

	if (!f || chalk_filter_passes(f, it))
		call_reader(rd, chalk_rings_put(&rd->rings, it));
}

/**
 * chalk_trace_event() - an event goes to all who watch
 * @it: the event, without its stamp
 *
 * A ring has one producer: this CPU, and no softirq comes between.
 */
void chalk_trace_event(struct chalk_item *it)
{
	struct chalk_reader *rd;
	u32 *turn;

	rcu_read_lock_bh();
	turn = begin_turn(it);
	list_for_each_entry_rcu(rd, &readers, list, rcu_read_lock_bh_held())
		offer(rd, it);
	end_turn(turn);
	if (READ_ONCE(points))
		chalk_point(it);
	rcu_read_unlock_bh();
}

/**
 * chalk_trace_stray() - a segment that belongs to no connection came or went
 * @net:   the namespace
 * @kind:  EV_DROP or EV_SEND
 * @why:   the reason
 * @ends:  between whom
 * @seg:   the segment, or what there is of it
 */
void chalk_trace_stray(struct net *net, enum event_kind kind, enum cause why,
		       const struct chalk_ends *ends, const struct seg *seg)
{
	const struct event ev = {
		.time = chalk_now(),
		.kind = kind,
		.cause = why,
		.state = ST_CLOSED,
		.flags = seg->flags,
		.seq = seg->seq,
		.ack = seg->ack,
		.len = seg->len,
		.wnd = seg->wnd,
	};
	struct chalk_item it = {
		.ev = &ev,
		.ends = ends,
		.netns = net->ns.inum,
	};

	if (chalk_net(net)->env.tracing)
		chalk_trace_event(&it);
}

/* --- with and without those who watch --- */

/* Somebody begins to watch, or ends; under the lock. */
static void watch(int change)
{
	unsigned int before = watchers;

	lockdep_assert_held(&watchers_lock);
	watchers += change;
	if (!before != !watchers)
		chalk_set_tracing(watchers);
}

/**
 * chalk_points_on() - a tracepoint is switched on
 *
 * Return: 0
 */
int chalk_points_on(void)
{
	mutex_lock(&watchers_lock);
	WRITE_ONCE(points, points + 1);
	watch(1);
	mutex_unlock(&watchers_lock);
	return 0;
}

/**
 * chalk_points_off() - a tracepoint is switched off
 */
void chalk_points_off(void)
{
	mutex_lock(&watchers_lock);
	WRITE_ONCE(points, points - 1);
	watch(-1);
	mutex_unlock(&watchers_lock);
}

/* --- readers --- */

static void wake_reader(struct timer_list *t)
{
	struct chalk_reader *rd = container_of(t, struct chalk_reader, timer);

	wake_up_interruptible(&rd->wait);
}

/**
 * chalk_reader_add() - a reader gets the events from now on
 * @rd: zeroed memory, but for its filter
 *
 * Return: 0 or -ENOMEM.
 */
int chalk_reader_add(struct chalk_reader *rd)
{
	int err = chalk_rings_init(&rd->rings);

	if (err)
		return err;
	init_waitqueue_head(&rd->wait);
	timer_setup(&rd->timer, wake_reader, 0);
	mutex_lock(&watchers_lock);
	list_add_tail_rcu(&rd->list, &readers);
	watch(1);
	mutex_unlock(&watchers_lock);
	return 0;
}

/**
 * chalk_reader_remove() - the reverse; its memory may go afterwards
 * @rd: the reader
 */
void chalk_reader_remove(struct chalk_reader *rd)
{
	mutex_lock(&watchers_lock);
	watch(-1);
	list_del_rcu(&rd->list);
	mutex_unlock(&watchers_lock);
	synchronize_rcu();
	timer_shutdown_sync(&rd->timer);
	kfree(rcu_dereference_protected(rd->filter, true));
	chalk_rings_destroy(&rd->rings);
}

/**
 * chalk_reader_set_filter() - from now on only these events
 * @rd: the reader
 * @f:  the filter, now the reader's, or NULL
 *
 * Those that were waiting are forgotten: the old filter chose them.
 */
void chalk_reader_set_filter(struct chalk_reader *rd, struct chalk_filter *f)
{
	struct chalk_filter *old;

	mutex_lock(&watchers_lock);
	old = rcu_replace_pointer(rd->filter, f,
				  lockdep_is_held(&watchers_lock));
	/* a CPU on its turn may use the old one; who begins now sees the new */
	chalk_trace_settle();
	chalk_rings_forget(&rd->rings, atomic64_read(&last_stamp));
	mutex_unlock(&watchers_lock);
	kfree_rcu(old, rcu);
}
