// SPDX-License-Identifier: GPL-2.0
/*
 * trace.c - events go to those who watch
 *
 * Owns the list of readers, and env->tracing of every namespace: it is set
 * while anybody watches; otherwise the core emits nothing. Events of all
 * namespaces go the same way; a filter tells them apart. The path as a whole
 * stands in trace.h.
 */
#include <linux/mutex.h>
#include <linux/rculist.h>

#include "sock.h"
#include "trace.h"

/* Under the lock the list changes, and the readers' filters do. */
static LIST_HEAD(readers);
static DEFINE_MUTEX(readers_lock);

/* How many watch: readers, and tracepoints that are on. */
static DEFINE_MUTEX(watchers_lock);
static unsigned int watchers;

/* --- emission --- */

/*
 * A reader who sleeps is woken when much has gathered or there was no room, else
 * by its timer: one wake-up for each record would cost more than the records.
 */
static void call_reader(struct chalk_reader *rd, u32 n)
{
	if (!wq_has_sleeper(&rd->wait))
		return;
	if (n % (rd->rings.size / 4) == 0)
		wake_up_interruptible(&rd->wait);
	else if (!timer_pending(&rd->timer))
		mod_timer(&rd->timer, jiffies + 1);
}

static void offer(struct chalk_reader *rd, const struct chalk_item *it)
{
	const struct chalk_filter *f = rcu_dereference(rd->filter);

	if (!f || chalk_filter_passes(f, it))
		call_reader(rd, chalk_rings_put(&rd->rings, it));
}

/* A ring has one producer: this CPU, and no softirq comes between. */
static void emit(const struct chalk_item *it)
{
	struct chalk_reader *rd;

	local_bh_disable();
	rcu_read_lock();
	list_for_each_entry_rcu(rd, &readers, list) offer(rd, it);
	rcu_read_unlock();
	local_bh_enable();
}

/* All three kinds of socket begin with the same struct sock_common. */
static const struct sock *socket_of(enum event_owner what, const void *owner)
{
	switch (what) {
	case OWNER_CONN:
		return (const struct sock *)container_of(owner,
							 struct chalk_sock,
							 conn);
	case OWNER_REQ:
		return (const struct sock *)container_of(owner,
							 struct chalk_req, req);
	case OWNER_TIMEWAIT:
		return (const struct sock *)container_of(owner,
							 struct chalk_timewait,
							 rec);
	}
	return NULL;
}

/* env->emit: the core has an event. */
static void emit_event(struct env *env, enum event_owner what,
		       const void *owner, const struct event *ev)
{
	const struct sock *sk = socket_of(what, owner);
	const struct chalk_item it = {
		.ev = ev,
		.ends = chalk_ends_of(sk),
		.netns = sock_net(sk)->ns.inum,
	};

	emit(&it);
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
	const struct chalk_item it = {
		.ev = &ev,
		.ends = *ends,
		.netns = net->ns.inum,
	};

	if (chalk_net(net)->env.tracing)
		emit(&it);
}

/* --- with and without those who watch --- */

static void set_tracing(struct chalk_net *cn, void *on)
{
	WRITE_ONCE(cn->env.tracing, *(bool *)on);
}

static void all_tracing(bool on)
{
	chalk_visit_nets(set_tracing, &on);
}

/**
 * chalk_trace_init() - a new namespace joins
 * @cn: it; not in the list of all yet
 */
void chalk_trace_init(struct chalk_net *cn)
{
	cn->env.emit = emit_event;
	WRITE_ONCE(cn->env.tracing, READ_ONCE(watchers));
}

/**
 * chalk_trace_hold() - somebody begins to watch
 */
void chalk_trace_hold(void)
{
	mutex_lock(&watchers_lock);
	WRITE_ONCE(watchers, watchers + 1);
	if (watchers == 1)
		all_tracing(true);
	mutex_unlock(&watchers_lock);
}

/**
 * chalk_trace_release() - the reverse
 */
void chalk_trace_release(void)
{
	mutex_lock(&watchers_lock);
	WRITE_ONCE(watchers, watchers - 1);
	if (!watchers)
		all_tracing(false);
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
	mutex_lock(&readers_lock);
	list_add_tail_rcu(&rd->list, &readers);
	mutex_unlock(&readers_lock);
	chalk_trace_hold();
	return 0;
}

/**
 * chalk_reader_remove() - the reverse; its memory may go afterwards
 * @rd: the reader
 */
void chalk_reader_remove(struct chalk_reader *rd)
{
	chalk_trace_release();
	mutex_lock(&readers_lock);
	list_del_rcu(&rd->list);
	mutex_unlock(&readers_lock);
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

	mutex_lock(&readers_lock);
	old = rcu_replace_pointer(rd->filter, f,
				  lockdep_is_held(&readers_lock));
	synchronize_rcu();
	chalk_rings_forget(&rd->rings);
	mutex_unlock(&readers_lock);
	kfree(old);
}
