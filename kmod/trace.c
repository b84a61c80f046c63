// SPDX-License-Identifier: GPL-2.0
/*
 * trace.c - the events of the core as lines of a file
 *
 * Owns /sys/kernel/debug/chalk/trace: a header, then a tab-separated line for
 * each event since the file was opened, in every namespace. Events go into a
 * ring that exists only while somebody has the file open; otherwise
 * env->tracing is false and the core emits nothing. The protocol never waits
 * for a reader: one that is too slow loses events, and finds a line
 * "# lost N" in their place.
 *
 * The ring's lock is the innermost of all; readers copy records under it and
 * format them outside.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>

#include "sock.h"

/* Records in the ring; a power of two. */
#define RING_SIZE 16384

/* Records that a reader takes at once, and room for their text. */
#define BATCH 32
#define TEXT_SIZE ((BATCH + 1) * EVENT_LINE_MAX)

/**
 * struct record - an event and whose it is
 * @ev:   the event
 * @ends: between whom
 */
struct record {
	struct event ev;
	struct chalk_ends ends;
};

/**
 * struct ring - the latest events
 * @lock: guards @rec and @head
 * @rec:  the records, NULL while there is no reader
 * @head: how many there ever were; the next goes to @head % RING_SIZE
 * @wait: readers that wait for more
 */
static struct ring {
	spinlock_t lock; /* see above */
	struct record *rec;
	u64 head;
	wait_queue_head_t wait;
} ring = {
	.lock = __SPIN_LOCK_UNLOCKED(ring.lock),
	.wait = __WAIT_QUEUE_HEAD_INITIALIZER(ring.wait),
};

/* Guards the number of readers, and with it whether there is a ring. */
static DEFINE_MUTEX(readers_lock);
static unsigned int readers;

/**
 * struct reader - an open file
 * @lock:  a process at a time
 * @pos:   records before it are read
 * @batch: records on their way to be text
 * @text:  text on its way to the program
 * @len:   bytes of it
 * @off:   of those given
 */
struct reader {
	struct mutex lock; /* see above */
	u64 pos;
	struct record batch[BATCH];
	char text[TEXT_SIZE];
	size_t len;
	size_t off;
};

/* --- writing --- */

static void put_record(const struct record *r)
{
	spin_lock_bh(&ring.lock);
	if (ring.rec)
		ring.rec[ring.head++ % RING_SIZE] = *r;
	spin_unlock_bh(&ring.lock);
	if (wq_has_sleeper(&ring.wait))
		wake_up_interruptible(&ring.wait);
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

/**
 * chalk_trace_emit() - env->emit: the core has an event
 * @env:   the world
 * @what:  what @owner is
 * @owner: a struct conn, req or timewait
 * @ev:    the event
 */
void chalk_trace_emit(struct env *env, enum event_owner what, const void *owner,
		      const struct event *ev)
{
	struct record r = {
		.ev = *ev,
		.ends = chalk_ends_of(socket_of(what, owner)),
	};

	put_record(&r);
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
	struct record r = {
		.ev = {
			.time = chalk_now(),
			.kind = kind,
			.cause = why,
			.state = ST_CLOSED,
			.flags = seg->flags,
			.seq = seg->seq,
			.ack = seg->ack,
			.len = seg->len,
			.wnd = seg->wnd,
		},
		.ends = *ends,
	};

	if (chalk_net(net)->env.tracing)
		put_record(&r);
}

/* --- with and without readers --- */

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
	cn->env.emit = chalk_trace_emit;
	WRITE_ONCE(cn->env.tracing, !!READ_ONCE(ring.rec));
}

static void set_ring(struct record *rec)
{
	struct record *old;

	spin_lock_bh(&ring.lock);
	old = ring.rec;
	WRITE_ONCE(ring.rec, rec);
	spin_unlock_bh(&ring.lock);
	vfree(old);
}

static int add_reader(void)
{
	struct record *rec;
	int err = 0;

	mutex_lock(&readers_lock);
	if (!readers) {
		rec = vmalloc(array_size(RING_SIZE, sizeof(*rec)));
		if (rec) {
			set_ring(rec);
			all_tracing(true);
		} else {
			err = -ENOMEM;
		}
	}
	if (!err)
		readers++;
	mutex_unlock(&readers_lock);
	return err;
}

static void remove_reader(void)
{
	mutex_lock(&readers_lock);
	if (!--readers) {
		all_tracing(false);
		set_ring(NULL);
	}
	mutex_unlock(&readers_lock);
}

/* --- reading --- */

/* Return: records taken; those that were overwritten are added to @lost. */
static unsigned int take_records(struct reader *rd, u64 *lost)
{
	unsigned int n = 0;
	u64 oldest;

	spin_lock_bh(&ring.lock);
	oldest = ring.head > RING_SIZE ? ring.head - RING_SIZE : 0;
	if (rd->pos < oldest) {
		*lost = oldest - rd->pos;
		rd->pos = oldest;
	}
	while (n < BATCH && rd->pos < ring.head)
		rd->batch[n++] = ring.rec[rd->pos++ % RING_SIZE];
	spin_unlock_bh(&ring.lock);
	return n;
}

/**
 * chalk_format_end() - an address and a port as text
 * @buf:  CHALK_END_MAX bytes
 * @addr: the address; a mapped one is shown as the IPv4 address it is
 * @port: the port
 */
void chalk_format_end(char *buf, const struct in6_addr *addr, u16 port)
{
	if (ipv6_addr_v4mapped(addr))
		snprintf(buf, CHALK_END_MAX, "%pI4:%u", &addr->s6_addr32[3],
			 port);
	else
		snprintf(buf, CHALK_END_MAX, "[%pI6c]:%u", addr, port);
}

static void add_line(struct reader *rd, const struct record *r)
{
	char local[CHALK_END_MAX], remote[CHALK_END_MAX];

	chalk_format_end(local, &r->ends.laddr, r->ends.lport);
	chalk_format_end(remote, &r->ends.raddr, r->ends.rport);
	rd->len += event_format(rd->text + rd->len, TEXT_SIZE - rd->len, &r->ev,
				local, remote);
}

/* Return: false if there is nothing new. */
static bool refill(struct reader *rd)
{
	unsigned int i, n;
	u64 lost = 0;

	n = take_records(rd, &lost);
	rd->off = 0;
	rd->len = 0;
	if (lost)
		rd->len = scnprintf(rd->text, TEXT_SIZE, "# lost %llu\n", lost);
	for (i = 0; i < n; i++)
		add_line(rd, &rd->batch[i]);
	return rd->len;
}

static bool has_more(const struct reader *rd)
{
	bool more;

	if (rd->off < rd->len)
		return true;
	spin_lock_bh(&ring.lock);
	more = rd->pos < ring.head;
	spin_unlock_bh(&ring.lock);
	return more;
}

static ssize_t give(struct reader *rd, char __user *buf, size_t size)
{
	size_t n = min(size, rd->len - rd->off);

	if (copy_to_user(buf, rd->text + rd->off, n))
		return -EFAULT;
	rd->off += n;
	return n;
}

static ssize_t trace_read(struct file *file, char __user *buf, size_t size,
			  loff_t *pos)
{
	struct reader *rd = file->private_data;
	ssize_t ret;

	if (mutex_lock_interruptible(&rd->lock))
		return -ERESTARTSYS;
	while (rd->off == rd->len && !refill(rd)) {
		ret = -EAGAIN;
		if (file->f_flags & O_NONBLOCK)
			goto out;
		ret = wait_event_interruptible(ring.wait, has_more(rd));
		if (ret)
			goto out;
	}
	ret = give(rd, buf, size);
out:
	mutex_unlock(&rd->lock);
	return ret;
}

static __poll_t trace_poll(struct file *file, poll_table *wait)
{
	poll_wait(file, &ring.wait, wait);
	return has_more(file->private_data) ? EPOLLIN | EPOLLRDNORM : 0;
}

static int trace_open(struct inode *inode, struct file *file)
{
	struct reader *rd = kvzalloc(sizeof(*rd), GFP_KERNEL);
	int err;

	if (!rd)
		return -ENOMEM;
	err = add_reader();
	if (err) {
		kvfree(rd);
		return err;
	}
	mutex_init(&rd->lock);
	rd->len = event_header(rd->text, TEXT_SIZE);
	spin_lock_bh(&ring.lock);
	rd->pos = ring.head;
	spin_unlock_bh(&ring.lock);
	file->private_data = rd;
	return nonseekable_open(inode, file);
}

static int trace_release(struct inode *inode, struct file *file)
{
	remove_reader();
	kvfree(file->private_data);
	return 0;
}

const struct file_operations chalk_trace_fops = {
	.owner = THIS_MODULE,
	.open = trace_open,
	.read = trace_read,
	.poll = trace_poll,
	.release = trace_release,
};
