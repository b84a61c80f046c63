// SPDX-License-Identifier: GPL-2.0
/*
 * dgrams.c - what a student looks at, of datagrams
 *
 *	dgrams		a line for each socket that has a port
 *	dgram_totals	datagrams in and out, for each namespace
 *
 * Both in the directory that watch/debugfs.c makes.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "dgram.h"
#include "watch/trace.h"

/* --- dgrams --- */

static void dgrams_put_socket(struct seq_file *m, struct sock *sk)
{
	struct chalk_ends ends = chalk_ends_of(sk);
	char local[CHALK_END_MAX], remote[CHALK_END_MAX];

	chalk_format_end(local, &ends.laddr, ends.lport);
	chalk_format_end(remote, &ends.raddr, ends.rport);
	seq_printf(m, "%u\t%s\t%s\t%d\t%d\t%d\n", sock_net(sk)->ns.inum, local,
		   remote, udp_rqueue_get(sk), sk_wmem_alloc_get(sk),
		   atomic_read(&sk->sk_drops));
}

static void dgrams_put_slot(struct seq_file *m, struct udp_hslot *slot)
{
	struct sock *sk;

	spin_lock_bh(&slot->lock);
	sk_for_each(sk, &slot->head)
		dgrams_put_socket(m, sk);
	spin_unlock_bh(&slot->lock);
}

static int dgrams_show(struct seq_file *m, void *v)
{
	struct udp_table *t = &chalk_dgram_table;
	unsigned int i;

	seq_puts(m, "netns\tlocal\tremote\trx_queue\ttx_queue\tdrops\n");
	for (i = 0; i <= t->mask; i++)
		dgrams_put_slot(m, &t->hash[i]);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(dgrams);

/* --- dgram_totals --- */

static void dgrams_put_totals(struct chalk_net *cn, void *arg)
{
	seq_printf(arg, "%u\t%lu\t%lu\n", cn->net->ns.inum,
		   chalk_counted(cn, MIB_DGRAM_IN),
		   chalk_counted(cn, MIB_DGRAM_OUT));
}

static int dgram_totals_show(struct seq_file *m, void *v)
{
	seq_puts(m, "netns\tin\tout\n");
	chalk_visit_nets(dgrams_put_totals, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(dgram_totals);

/**
 * chalk_dgram_debugfs_init() - make the files
 * @dir: where; goes with them
 */
void chalk_dgram_debugfs_init(struct dentry *dir)
{
	debugfs_create_file("dgrams", 0400, dir, NULL, &dgrams_fops);
	debugfs_create_file("dgram_totals", 0400, dir, NULL,
			    &dgram_totals_fops);
}
