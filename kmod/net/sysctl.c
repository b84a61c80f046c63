// SPDX-License-Identifier: GPL-2.0
/*
 * sysctl.c - net.chalk.*: the tunables of a namespace
 *
 * The numbers themselves are in struct chalk_net; the core reads them at every
 * use. Times stand in microseconds there, and in the unit that the name tells
 * here.
 */
#include <linux/slab.h>
#include <linux/sysctl.h>

#include "compat.h"
#include "net.h"

#include "core/cc.h"

/* Longest name of an algorithm, and of all of them in a line. */
#define CC_NAME_MAX 16
#define CC_LIST_MAX 128

/* --- handlers --- */

/* A u64 of microseconds as an int of @unit microseconds. */
static int show_time(CHALK_CTL_TABLE *table, int write, void *buf, size_t *len,
		     loff_t *pos, u64 unit)
{
	u64 *time = table->data;
	int val = div64_u64(READ_ONCE(*time), unit);
	struct ctl_table t = *table;
	int err;

	t.data = &val;
	t.maxlen = sizeof(val);
	err = proc_dointvec_minmax(&t, write, buf, len, pos);
	if (!err && write)
		WRITE_ONCE(*time, val * unit);
	return err;
}

static int proc_ms(CHALK_CTL_TABLE *table, int write, void *buf, size_t *len,
		   loff_t *pos)
{
	return show_time(table, write, buf, len, pos, USEC_PER_MS);
}

static int proc_seconds(CHALK_CTL_TABLE *table, int write, void *buf,
			size_t *len, loff_t *pos)
{
	return show_time(table, write, buf, len, pos, USEC_PER_S);
}

static int proc_cc(CHALK_CTL_TABLE *table, int write, void *buf, size_t *len,
		   loff_t *pos)
{
	const struct cc_ops **cc = table->data;
	char name[CC_NAME_MAX];
	struct ctl_table t = { .data = name, .maxlen = sizeof(name) };
	const struct cc_ops *chosen;
	int err;

	strscpy(name, READ_ONCE(*cc)->name, sizeof(name));
	err = proc_dostring(&t, write, buf, len, pos);
	if (err || !write)
		return err;
	chosen = cc_find(strim(name));
	if (!chosen)
		return -ENOENT;
	WRITE_ONCE(*cc, chosen);
	return 0;
}

static int proc_available_cc(CHALK_CTL_TABLE *table, int write, void *buf,
			     size_t *len, loff_t *pos)
{
	char names[CC_LIST_MAX];
	struct ctl_table t = { .data = names, .maxlen = sizeof(names) };
	const struct cc_ops *cc;
	int i, used = 0;

	for (i = 0; (cc = cc_at(i)); i++)
		used += scnprintf(names + used, sizeof(names) - used, "%s%s",
				  i ? " " : "", cc->name);
	return proc_dostring(&t, write, buf, len, pos);
}

/* Least, default, most: in this order. */
static int proc_sizes(CHALK_CTL_TABLE *table, int write, void *buf, size_t *len,
		      loff_t *pos)
{
	int *sizes = table->data;
	int val[3] = { sizes[0], sizes[1], sizes[2] };
	struct ctl_table t = *table;
	int err, i;

	t.data = val;
	t.maxlen = sizeof(val);
	err = proc_dointvec_minmax(&t, write, buf, len, pos);
	if (err || !write)
		return err;
	if (val[0] > val[1] || val[1] > val[2])
		return -EINVAL;
	for (i = 0; i < 3; i++)
		WRITE_ONCE(sizes[i], val[i]);
	return 0;
}

/* --- what all namespaces share: written in the first one, absent elsewhere --- */

/* Pages that all streams may hold: least, pressure, most; as net.ipv4.tcp_mem. */
long chalk_mem[3] __read_mostly;

/* Connections that no process holds; as net.ipv4.tcp_max_orphans. */
int chalk_max_orphans __read_mostly;

static struct ctl_table shared[] = {
	{
		.procname = "mem",
		.data = chalk_mem,
		.maxlen = sizeof(chalk_mem),
		.mode = 0644,
		.proc_handler = proc_doulongvec_minmax,
	},
	{
		.procname = "max_orphans",
		.data = &chalk_max_orphans,
		.maxlen = sizeof(chalk_max_orphans),
		.mode = 0644,
		.proc_handler = proc_dointvec_minmax,
		.extra1 = SYSCTL_ZERO,
	},
	{}
};

#define NR_SHARED (ARRAY_SIZE(shared) - 1)

static struct ctl_table_header *shared_header;

static int register_shared(const struct net *net)
{
	if (!net_eq(net, &init_net))
		return 0;
	shared_header = register_net_sysctl_sz(&init_net, "net/chalk", shared,
					       NR_SHARED);
	return shared_header ? 0 : -ENOMEM;
}

static void unregister_shared(const struct net *net)
{
	if (net_eq(net, &init_net))
		unregister_net_sysctl_table(shared_header);
}

/* --- the table of each namespace --- */

static int most_retries = 127;
static int most_segments = 1000;
static int least_ms = 1;
static int most_rto_ms = 600 * 1000;
static int most_delack_ms = 499; /* RFC 9293 section 3.8.6.3 */
static int most_msl_ms = 600 * 1000;
static int most_seconds = 32767;
static int least_buffer = 4096;
static int most_buffer = 1 << 30;

#define FIELD(field) ((void *)offsetof(struct chalk_net, field))

#define NUMBER(name, field, least, most)                               \
	{                                                              \
		.procname = name, .data = FIELD(env.tun.field),        \
		.maxlen = sizeof(u32), .mode = 0644,                   \
		.proc_handler = proc_dointvec_minmax, .extra1 = least, \
		.extra2 = most,                                        \
	}

#define SWITCH(name, field)                                                 \
	{                                                                   \
		.procname = name, .data = FIELD(env.tun.field),             \
		.maxlen = sizeof(u8), .mode = 0644,                         \
		.proc_handler = proc_dou8vec_minmax, .extra1 = SYSCTL_ZERO, \
		.extra2 = SYSCTL_ONE,                                       \
	}

#define TIME(name, field, handler, least, most)                               \
	{                                                                     \
		.procname = name, .data = FIELD(env.tun.field),               \
		.maxlen = sizeof(u64), .mode = 0644, .proc_handler = handler, \
		.extra1 = least, .extra2 = most,                              \
	}

#define LIMIT(name, field, least)                                              \
	{                                                                      \
		.procname = name, .data = FIELD(field), .maxlen = sizeof(int), \
		.mode = 0644, .proc_handler = proc_dointvec_minmax,            \
		.extra1 = least, .extra2 = SYSCTL_INT_MAX,                     \
	}

#define SIZES(name, field)                                           \
	{                                                            \
		.procname = name, .data = FIELD(field),              \
		.maxlen = 3 * sizeof(int), .mode = 0644,             \
		.proc_handler = proc_sizes, .extra1 = &least_buffer, \
		.extra2 = &most_buffer,                              \
	}

/* .data is an offset here; chalk_sysctl_register() makes it a pointer. */
static const struct ctl_table template[] = {
	NUMBER("initial_window", init_cwnd, SYSCTL_ONE, &most_segments),
	NUMBER("syn_retries", syn_retries, SYSCTL_ZERO, &most_retries),
	NUMBER("synack_retries", synack_retries, SYSCTL_ZERO, &most_retries),
	NUMBER("retries", retries, SYSCTL_ZERO, &most_retries),
	NUMBER("orphan_retries", orphan_retries, SYSCTL_ZERO, &most_retries),
	NUMBER("keepalive_probes", keep_probes, SYSCTL_ONE, &most_retries),
	NUMBER("tw_reuse", timewait_reuse, SYSCTL_ZERO, SYSCTL_TWO),
	SWITCH("timestamps", timestamps),
	SWITCH("window_scaling", window_scaling),
	SWITCH("hystart", hystart),
	TIME("rto_initial_ms", rto_init, proc_ms, &least_ms, &most_rto_ms),
	TIME("rto_min_ms", rto_min, proc_ms, &least_ms, &most_rto_ms),
	TIME("rto_max_ms", rto_max, proc_ms, &least_ms, &most_rto_ms),
	TIME("delack_ms", delack, proc_ms, SYSCTL_ZERO, &most_delack_ms),
	TIME("msl_ms", msl, proc_ms, &least_ms, &most_msl_ms),
	TIME("fin_timeout_ms", fin_timeout, proc_ms, &least_ms, &most_rto_ms),
	TIME("keepalive_time", keep_idle, proc_seconds, SYSCTL_ONE,
	     &most_seconds),
	TIME("keepalive_intvl", keep_interval, proc_seconds, SYSCTL_ONE,
	     &most_seconds),
	{
		.procname = "congestion_control",
		.data = FIELD(env.tun.cc),
		.maxlen = CC_NAME_MAX,
		.mode = 0644,
		.proc_handler = proc_cc,
	},
	LIMIT("max_syn_backlog", max_syn_backlog, SYSCTL_ONE),
	LIMIT("max_tw_buckets", death_row.sysctl_max_tw_buckets, SYSCTL_ZERO),
	{
		.procname = "available_congestion_control",
		.maxlen = CC_LIST_MAX,
		.mode = 0444,
		.proc_handler = proc_available_cc,
	},
	SIZES("rmem", rmem),
	SIZES("wmem", wmem),
	{}
};

#define NR_ENTRIES (ARRAY_SIZE(template) - 1)

/**
 * chalk_sysctl_register() - give a namespace its net.chalk
 * @cn: the namespace
 */
int chalk_sysctl_register(struct chalk_net *cn)
{
	struct ctl_table *table;
	int i, err = -ENOMEM;

	table = kmemdup(template, sizeof(template), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	for (i = 0; i < NR_ENTRIES; i++)
		table[i].data = (void *)cn + (unsigned long)table[i].data;
	cn->sysctl = register_net_sysctl_sz(cn->net, "net/chalk", table,
					    NR_ENTRIES);
	if (!cn->sysctl)
		goto out_table;
	err = register_shared(cn->net);
	if (err)
		goto out_sysctl;
	return 0;

out_sysctl:
	unregister_net_sysctl_table(cn->sysctl);
out_table:
	kfree(table);
	return err;
}

/**
 * chalk_sysctl_unregister() - the reverse
 * @cn: the namespace
 */
void chalk_sysctl_unregister(struct chalk_net *cn)
{
	const struct ctl_table *table = cn->sysctl->ctl_table_arg;

	unregister_shared(cn->net);
	unregister_net_sysctl_table(cn->sysctl);
	kfree(table);
}
