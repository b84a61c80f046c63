// SPDX-License-Identifier: GPL-2.0
/*
 * trace_file.c - /sys/kernel/debug/chalk/trace and trace_raw
 *
 * Owns the open file: a reader of its own, with a filter that write() sets. A
 * read() gives what is there, or waits. Both files show the same records:
 * "trace" a header and then tab-separated lines, "trace_raw" as they are, which
 * uapi/chalk_trace.h describes.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "trace.h"

/* Records that are taken from the rings at once, and room for their text. */
#define MOST_RECORDS 256
#define TEXT_SIZE (MOST_RECORDS * EVENT_LINE_MAX)

/**
 * struct trace_file - an open file
 * @reader: its share of the events
 * @lock:   a process at a time
 * @render: makes of records what the program gets
 * @out:    what it gets next
 * @left:   bytes of that
 * @taken:  records that these are made of
 * @text:   the same as text
 */
struct trace_file {
	struct chalk_reader reader;
	struct mutex lock; /* see above */
	void (*render)(struct trace_file *tf,
		       const struct chalk_trace_record *first, unsigned int n);
	const char *out;
	size_t left;
	unsigned int taken;
	char text[TEXT_SIZE];
};

/* --- the two forms --- */

static void begin_text(struct trace_file *tf)
{
	tf->out = tf->text;
	tf->left = event_header(tf->text, sizeof(tf->text));
}

static void render_text(struct trace_file *tf,
			const struct chalk_trace_record *first, unsigned int n)
{
	unsigned int i;

	tf->out = tf->text;
	tf->left = 0;
	for (i = 0; i < n; i++)
		tf->left += chalk_record_text(tf->text + tf->left,
					      TEXT_SIZE - tf->left, &first[i]);
}

static void begin_raw(struct trace_file *tf)
{
	static const struct chalk_trace_header header = {
		.magic = CHALK_TRACE_MAGIC,
		.version = CHALK_TRACE_VERSION,
		.record_size = sizeof(struct chalk_trace_record),
	};

	tf->out = (const char *)&header;
	tf->left = sizeof(header);
}

/* Straight from the ring. */
static void render_raw(struct trace_file *tf,
		       const struct chalk_trace_record *first, unsigned int n)
{
	tf->out = (const char *)first;
	tf->left = n * sizeof(*first);
}

/* --- reading --- */

static bool refill(struct trace_file *tf)
{
	const struct chalk_trace_record *first;

	tf->taken = chalk_rings_take(&tf->reader.rings, chalk_trace_settle(),
				     &first, MOST_RECORDS);
	if (tf->taken)
		tf->render(tf, first, tf->taken);
	return tf->taken;
}

static ssize_t give(struct trace_file *tf, char __user *buf, size_t size)
{
	size_t n = min(size, tf->left);

	if (copy_to_user(buf, tf->out, n))
		return -EFAULT;
	tf->out += n;
	tf->left -= n;
	if (!tf->left)
		chalk_rings_free(&tf->reader.rings, tf->taken);
	return n;
}

/* Return: -EAGAIN if nothing is there. */
static ssize_t give_some(struct trace_file *tf, char __user *buf, size_t size)
{
	ssize_t ret = -EAGAIN;

	if (mutex_lock_interruptible(&tf->lock))
		return -ERESTARTSYS;
	if (tf->left || refill(tf))
		ret = give(tf, buf, size);
	mutex_unlock(&tf->lock);
	return ret;
}

/* Who waits does so without the lock: another process may not want to. */
static ssize_t trace_read(struct file *file, char __user *buf, size_t size,
			  loff_t *pos)
{
	struct trace_file *tf = file->private_data;
	struct chalk_reader *rd = &tf->reader;
	ssize_t ret;

	for (;;) {
		ret = give_some(tf, buf, size);
		if (ret != -EAGAIN || file->f_flags & O_NONBLOCK)
			return ret;
		ret = wait_event_interruptible(rd->wait,
					       chalk_rings_more(&rd->rings));
		if (ret)
			return ret;
	}
}

/* What another process reads meanwhile may make this answer too hopeful. */
static __poll_t trace_poll(struct file *file, poll_table *wait)
{
	struct trace_file *tf = file->private_data;
	struct chalk_reader *rd = &tf->reader;

	poll_wait(file, &rd->wait, wait);
	if (READ_ONCE(tf->left) || chalk_rings_more(&rd->rings))
		return EPOLLIN | EPOLLRDNORM;
	return 0;
}

/* A write() is a whole filter. */
static ssize_t trace_write(struct file *file, const char __user *buf,
			   size_t size, loff_t *pos)
{
	struct trace_file *tf = file->private_data;
	struct chalk_filter *f = chalk_filter_from_user(buf, size);

	if (IS_ERR(f))
		return PTR_ERR(f);
	chalk_reader_set_filter(&tf->reader, f);
	return size;
}

/* --- opening --- */

static int open_reader(struct trace_file *tf)
{
	struct chalk_filter *f = chalk_filter_default();
	int err;

	if (IS_ERR(f))
		return PTR_ERR(f);
	RCU_INIT_POINTER(tf->reader.filter, f);
	err = chalk_reader_add(&tf->reader);
	if (err)
		kfree(f);
	return err;
}

static int open_file(struct file *file, void (*begin)(struct trace_file *tf),
		     void (*render)(struct trace_file *tf,
				    const struct chalk_trace_record *first,
				    unsigned int n))
{
	struct trace_file *tf = kvzalloc(sizeof(*tf), GFP_KERNEL);
	int err;

	if (!tf)
		return -ENOMEM;
	mutex_init(&tf->lock);
	begin(tf);
	tf->render = render;
	err = open_reader(tf);
	if (err) {
		kvfree(tf);
		return err;
	}
	file->private_data = tf;
	return 0;
}

static int text_open(struct inode *inode, struct file *file)
{
	return open_file(file, begin_text, render_text) ?:
		       stream_open(inode, file);
}

static int raw_open(struct inode *inode, struct file *file)
{
	return open_file(file, begin_raw, render_raw) ?:
							stream_open(inode, file);
}

static int trace_release(struct inode *inode, struct file *file)
{
	struct trace_file *tf = file->private_data;

	chalk_reader_remove(&tf->reader);
	kvfree(tf);
	return 0;
}

const struct file_operations chalk_trace_fops = {
	.owner = THIS_MODULE,
	.open = text_open,
	.read = trace_read,
	.write = trace_write,
	.poll = trace_poll,
	.release = trace_release,
};

const struct file_operations chalk_trace_raw_fops = {
	.owner = THIS_MODULE,
	.open = raw_open,
	.read = trace_read,
	.write = trace_write,
	.poll = trace_poll,
	.release = trace_release,
};
