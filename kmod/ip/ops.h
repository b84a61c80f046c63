/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ops.h - what tables of struct proto_ops have in common
 *
 * Four kinds of socket have one each: streams and datagrams of AF_INET and
 * AF_INET6. A table is made of a part for its kind (stream/sock.h,
 * datagram/dgram.h) and one for its addresses, here.
 */
#ifndef CHALK_IP_OPS_H
#define CHALK_IP_OPS_H

#include <linux/net.h>
#include <net/inet_common.h>
#include <net/ipv6.h>

/* clang-format off */

#define CHALK_COMMON_OPS \
	.owner = THIS_MODULE, \
	.socketpair = sock_no_socketpair, \
	.gettstamp = sock_gettstamp, \
	.shutdown = inet_shutdown, \
	.setsockopt = sock_common_setsockopt, \
	.getsockopt = sock_common_getsockopt, \
	.sendmsg = inet_sendmsg, \
	.recvmsg = inet_recvmsg, \
	.mmap = sock_no_mmap

#define CHALK_INET_OPS \
	.family = PF_INET, \
	.release = inet_release, \
	.bind = inet_bind, \
	.getname = inet_getname, \
	.ioctl = inet_ioctl, \
	CHALK_COMMON_OPS

#ifdef CONFIG_COMPAT
#define CHALK_INET6_COMPAT .compat_ioctl = inet6_compat_ioctl,
#else
#define CHALK_INET6_COMPAT
#endif

#define CHALK_INET6_OPS \
	.family = PF_INET6, \
	.release = inet6_release, \
	.bind = inet6_bind, \
	.getname = inet6_getname, \
	.ioctl = inet6_ioctl, \
	CHALK_INET6_COMPAT \
	CHALK_COMMON_OPS

/* clang-format on */

#endif /* CHALK_IP_OPS_H */
