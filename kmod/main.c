// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - loading and unloading the module
 *
 * Chalk is TCP as RFC 9293 draws it, on IP protocol 253. Read on in stream/sock.h.
 *
 * Each step of the way in has its counterpart on the way out, in reverse. The
 * last step lets programs make sockets. On the way out there are none, and once
 * no packet comes in either nothing but TIME_WAIT is left, which goes with the
 * namespaces.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <net/net_namespace.h>

#include "datagram/dgram.h"
#include "family.h"
#include "stream/sock.h"
#include "watch/trace.h"

static void __init make_files(void)
{
	struct dentry *dir = chalk_debugfs_init();

	chalk_conns_init(dir);
	chalk_dgram_debugfs_init(dir);
}

/* Rather no module than one that calls what is not there. */
static int __init check_algorithms(void)
{
	const struct cc_ops *ops;

	for (size_t i = 0; (ops = cc_at(i)); i++) {
		if (!cc_lacks(ops))
			continue;
		pr_err("chalk: congestion control %s lacks %s\n",
		       ops->name ?: "without a name", cc_lacks(ops));
		return -EINVAL;
	}
	return 0;
}

/* What each namespace has: settings, records, counters. */
static int __init join_namespaces(void)
{
	int err;

	err = chalk_net_init();
	if (err)
		return err;
	err = chalk_stream_net_init();
	if (err)
		goto out_net;
	err = chalk_snmp_register();
	if (err)
		goto out_stream;
	return 0;

out_stream:
	chalk_stream_net_exit();
out_net:
	chalk_net_exit();
	return err;
}

static void leave_namespaces(void)
{
	chalk_snmp_unregister();
	chalk_stream_net_exit();
	chalk_net_exit();
}

static int __init chalk_init(void)
{
	int err;

	err = check_algorithms();
	if (err)
		return err;
	err = chalk_demux_init();
	if (err)
		return err;
	err = chalk_proto_register();
	if (err)
		goto out_demux;
	err = join_namespaces();
	if (err)
		goto out_proto;
	err = chalk_input_register();
	if (err)
		goto out_namespaces;
	err = chalk_datagram_register();
	if (err)
		goto out_input;
	make_files();
	err = chalk_family_register();
	if (err)
		goto out_debugfs;
	pr_info("Chalk %s: streams on IP protocol %d, datagrams on %d\n",
		THIS_MODULE->version, IPPROTO_CHALK, IPPROTO_CHALK_DGRAM);
	return 0;

out_debugfs:
	chalk_debugfs_exit();
	chalk_datagram_unregister();
out_input:
	chalk_input_unregister();
out_namespaces:
	leave_namespaces();
out_proto:
	chalk_proto_unregister();
out_demux:
	chalk_demux_exit();
	return err;
}

static void __exit chalk_exit(void)
{
	chalk_family_unregister();
	chalk_debugfs_exit();
	chalk_datagram_unregister();
	chalk_input_unregister();
	leave_namespaces();
	chalk_proto_unregister();
	chalk_demux_exit();
}

module_init(chalk_init);
module_exit(chalk_exit);

/*
 * There is no MODULE_ALIAS_NET_PF_PROTO_TYPE(), on purpose: with it, socket() of
 * any user would load an experimental protocol into the kernel. Root loads it.
 */
MODULE_DESCRIPTION("Chalk, a TCP to learn from");
MODULE_VERSION("0.9.0"); /* of all of Chalk: the Makefile reads it here */
MODULE_LICENSE("GPL");
