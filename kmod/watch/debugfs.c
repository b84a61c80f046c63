// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs.c - /sys/kernel/debug/chalk: what a student looks at
 *
 *	conns	a line for each listener, connection and record (stream/conns.c)
 *	dgrams	the sockets of datagrams (datagram/dgrams.c)
 *	drops	how many segments were not used, for each reason
 *	filter	which events those who open a trace get, unless they say (trace_filter.c)
 *	names	what the numbers in trace_raw mean (trace_text.c)
 *	trace	events as they happen (trace.h)
 *	trace_raw	the same, in binary
 *
 * Owns the directory. For root. Lines are tab-separated, the first names the
 * columns.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "net/net.h"
#include "trace.h"

static struct dentry *chalk_debugfs_dir;

/* --- drops --- */

struct drop_sum {
	enum cause why;
	u64 n;
};

static void add_drops(struct chalk_net *cn, void *arg)
{
	struct drop_sum *sum = arg;

	sum->n += chalk_counted(cn, MIB_DROP(sum->why));
}

static int drops_show(struct seq_file *m, void *v)
{
	struct drop_sum sum = { .why = DROP_FIRST };

	seq_puts(m, "reason\tclause\tcount\n");
	for (; sum.why < NR_CAUSES; sum.why++) {
		sum.n = 0;
		chalk_visit_nets(add_drops, &sum);
		seq_printf(m, "%s\t%s\t%llu\n", cause_name(sum.why),
			   cause_clause(sum.why), sum.n);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(drops);

/* --- the directory --- */

/**
 * chalk_debugfs_init() - make the directory; nothing depends on it
 *
 * Return: it, for the files that others own; they go with it.
 */
struct dentry *chalk_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("chalk", NULL);

	chalk_debugfs_dir = dir;
	debugfs_create_file("drops", 0400, dir, NULL, &drops_fops);
	debugfs_create_file("filter", 0600, dir, NULL,
			    &chalk_trace_filter_fops);
	debugfs_create_file("names", 0400, dir, NULL, &chalk_trace_names_fops);
	debugfs_create_file("trace", 0600, dir, NULL, &chalk_trace_fops);
	debugfs_create_file("trace_raw", 0600, dir, NULL,
			    &chalk_trace_raw_fops);
	return dir;
}

/**
 * chalk_debugfs_exit() - the reverse, with the files of others
 */
void chalk_debugfs_exit(void)
{
	debugfs_remove_recursive(chalk_debugfs_dir);
}
