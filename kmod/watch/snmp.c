// SPDX-License-Identifier: GPL-2.0
/*
 * snmp.c - /proc/net/chalk/snmp: the counters of a network namespace
 *
 * Owns their names. Those of TCP and UDP (RFC 4022, RFC 4113, and what the kernel
 * adds) stand for the same thing here; docs/counters.md explains each. The text
 * has the form of /proc/net/snmp and /proc/net/netstat, for those who read
 * these: a line of names, a line of values, each behind the name of its group.
 */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include "net/net.h"
#include "trace.h"

#define MOST_ITEMS 8

/**
 * struct row - a counter as it is shown
 * @name:  its name
 * @items: what it is the sum of, up to the first that is MIB_NONE
 */
struct row {
	const char *name;
	u8 items[MOST_ITEMS];
};

static const struct row stream[] = {
	{ "ActiveOpens", { MIB_ACTIVE_OPENS } },
	{ "PassiveOpens", { MIB_PASSIVE_OPENS } },
	{ "AttemptFails", { MIB_ATTEMPT_FAILS } },
	{ "EstabResets", { MIB_ESTAB_RESETS } },
	{ "CurrEstab", { MIB_CURR_ESTAB } },
	{ "InSegs", { MIB_IN_SEGS } },
	{ "OutSegs", { MIB_OUT_SEGS } },
	{ "RetransSegs", { MIB_RETRANS_SEGS } },
	{ "InErrs",
	  { MIB_DROP(DROP_TOO_SHORT), MIB_DROP(DROP_BAD_HDR_LEN),
	    MIB_DROP(DROP_BAD_CHECKSUM), MIB_DROP(DROP_BAD_OPTION) } },
	{ "OutRsts", { MIB_OUT_RSTS } },
	{ "InCsumErrors", { MIB_DROP(DROP_BAD_CHECKSUM) } },
};

static const struct row ext[] = {
	{ "PruneCalled", { MIB_PRUNE_CALLED } },
	{ "RcvPruned", { MIB_RCV_PRUNED } },
	{ "OfoPruned", { MIB_OFO_PRUNED } },
	{ "EmbryonicRsts", { MIB_EMBRYONIC_RSTS } },
	{ "OutOfWindowIcmps", { MIB_ICMP_OUT_OF_WINDOW } },
	{ "LockDroppedIcmps", { MIB_ICMP_LOCKED } },
	{ "TW", { MIB_TIME_WAIT } },
	{ "TWReopened", { MIB_TIME_WAIT_REOPENED } },
	{ "TWRecycled", { MIB_TIME_WAIT_RECYCLED } },
	{ "TCPTimeWaitOverflow", { MIB_TIME_WAIT_OVERFLOW } },
	{ "PAWSEstab", { MIB_DROP(DROP_PAWS) } },
	{ "DelayedACKs", { MIB_DELAYED_ACKS } },
	{ "DelayedACKLost", { MIB_DELAYED_ACK_LOST } },
	{ "ListenOverflows", { MIB_DROP(DROP_BACKLOG_FULL) } },
	{ "ListenDrops",
	  { MIB_DROP(DROP_BACKLOG_FULL), MIB_DROP(DROP_SYN_QUEUE_FULL) } },
	{ "TCPReqQFullDrop", { MIB_DROP(DROP_SYN_QUEUE_FULL) } },
	{ "TCPDeferAcceptDrop", { MIB_DROP(DROP_DEFERRED) } },
	{ "TCPOrigDataSent", { MIB_DATA_SENT } },
	{ "TCPTimeouts", { MIB_TIMEOUTS } },
	{ "TCPSynRetrans", { MIB_SYN_RETRANS } },
	{ "TCPFastRetrans", { MIB_FAST_RETRANS } },
	{ "TCPSlowStartRetrans", { MIB_SLOW_START_RETRANS } },
	{ "TCPRenoRecovery", { MIB_RECOVERY } },
	{ "TCPRenoRecoveryFail", { MIB_RECOVERY_FAIL } },
	{ "TCPWinProbe", { MIB_WIN_PROBE } },
	{ "TCPKeepAlive", { MIB_KEEPALIVE } },
	{ "TCPOFOQueue", { MIB_EARLY } },
	{ "TCPOFODrop",
	  { MIB_DROP(DROP_OOO_FULL), MIB_DROP(DROP_OOO_RCVBUF) } },
	{ "TCPRcvQDrop", { MIB_DROP(DROP_RCVBUF) } },
	{ "TCPBacklogDrop", { MIB_DROP(DROP_BACKLOG) } },
	{ "TCPZeroWindowDrop", { MIB_DROP(DROP_ZERO_WINDOW) } },
	{ "TCPMinTTLDrop", { MIB_DROP(DROP_LOW_TTL) } },
	{ "TCPFromZeroWindowAdv", { MIB_FROM_ZERO_WINDOW } },
	{ "TCPToZeroWindowAdv", { MIB_TO_ZERO_WINDOW } },
	{ "TCPWantZeroWindowAdv", { MIB_WANT_ZERO_WINDOW } },
	{ "TCPChallengeACK", { MIB_CHALLENGE_ACK } },
	{ "TCPSYNChallenge", { MIB_DROP(DROP_SYN_CHALLENGED) } },
	{ "TCPACKSkippedChallenge", { MIB_CHALLENGE_SKIPPED } },
	{ "TCPAbortOnData", { MIB_ABORT_ON_DATA } },
	{ "TCPAbortOnClose", { MIB_ABORT_ON_CLOSE } },
	{ "TCPAbortOnTimeout", { MIB_ABORT_ON_TIMEOUT } },
	{ "TCPAbortOnMemory", { MIB_ABORT_ON_MEMORY } },
	{ "TCPAbortOnLinger", { MIB_ABORT_ON_LINGER } },
	{ "TCPMemoryPressures", { MIB_MEMORY_PRESSURES } },
};

static const struct row dgram[] = {
	{ "InDatagrams", { MIB_DGRAM_IN } },
	{ "NoPorts", { MIB_DROP(DROP_DGRAM_NO_SOCKET) } },
	{ "InErrors",
	  { MIB_DROP(DROP_DGRAM_TOO_SHORT), MIB_DROP(DROP_DGRAM_BAD_LENGTH),
	    MIB_DROP(DROP_DGRAM_NO_CHECKSUM), MIB_DROP(DROP_DGRAM_BAD_CHECKSUM),
	    MIB_DROP(DROP_DGRAM_POLICY), MIB_DROP(DROP_DGRAM_FILTER),
	    MIB_DROP(DROP_DGRAM_RCVBUF), MIB_DROP(DROP_DGRAM_MEMORY) } },
	{ "OutDatagrams", { MIB_DGRAM_OUT } },
	{ "RcvbufErrors", { MIB_DROP(DROP_DGRAM_RCVBUF) } },
	{ "SndbufErrors", { MIB_DGRAM_SNDBUF } },
	{ "InCsumErrors", { MIB_DROP(DROP_DGRAM_BAD_CHECKSUM) } },
	{ "IgnoredMulti", { MIB_DROP(DROP_DGRAM_NO_MEMBER) } },
	{ "MemErrors", { MIB_DROP(DROP_DGRAM_MEMORY) } },
};

static unsigned long value_of(const struct chalk_net *cn, const struct row *row)
{
	unsigned long sum = 0;
	int i;

	for (i = 0; i < MOST_ITEMS && row->items[i]; i++)
		sum += chalk_counted(cn, row->items[i]);
	return sum;
}

static void put_group(struct seq_file *m, const struct chalk_net *cn,
		      const char *name, const struct row *rows, size_t n)
{
	size_t i;

	seq_printf(m, "%s:", name);
	for (i = 0; i < n; i++)
		seq_printf(m, " %s", rows[i].name);
	seq_printf(m, "\n%s:", name);
	for (i = 0; i < n; i++)
		seq_printf(m, " %lu", value_of(cn, &rows[i]));
	seq_putc(m, '\n');
}

/* By the names they have in the trace. */
static void put_drops(struct seq_file *m, const struct chalk_net *cn)
{
	enum cause why;

	seq_puts(m, "ChalkDrop:");
	for (why = DROP_FIRST; why < NR_CAUSES; why++)
		seq_printf(m, " %s", cause_name(why));
	seq_puts(m, "\nChalkDrop:");
	for (why = DROP_FIRST; why < NR_CAUSES; why++)
		seq_printf(m, " %lu", chalk_counted(cn, MIB_DROP(why)));
	seq_putc(m, '\n');
}

static int snmp_show(struct seq_file *m, void *v)
{
	const struct chalk_net *cn = chalk_net(m->private);

	put_group(m, cn, "Chalk", stream, ARRAY_SIZE(stream));
	put_group(m, cn, "ChalkExt", ext, ARRAY_SIZE(ext));
	put_group(m, cn, "ChalkDgram", dgram, ARRAY_SIZE(dgram));
	put_drops(m, cn);
	return 0;
}

static int __net_init snmp_net_init(struct net *net)
{
	struct proc_dir_entry *dir = proc_net_mkdir(net, "chalk",
						    net->proc_net);

	if (!dir)
		return -ENOMEM;
	if (proc_create_net_single("snmp", 0444, dir, snmp_show, NULL))
		return 0;
	remove_proc_entry("chalk", net->proc_net);
	return -ENOMEM;
}

static void __net_exit snmp_net_exit(struct net *net)
{
	remove_proc_subtree("chalk", net->proc_net);
}

static struct pernet_operations snmp_net_ops = {
	.init = snmp_net_init,
	.exit = snmp_net_exit,
};

/**
 * chalk_snmp_register() - show the counters of every namespace
 */
int chalk_snmp_register(void)
{
	BUILD_BUG_ON(NR_MIB_ITEMS > U8_MAX);
	return register_pernet_subsys(&snmp_net_ops);
}

/**
 * chalk_snmp_unregister() - the reverse
 */
void chalk_snmp_unregister(void)
{
	unregister_pernet_subsys(&snmp_net_ops);
}
