// SPDX-License-Identifier: GPL-2.0
/*
 * sock.c - the life of a datagram socket
 *
 * Owns its struct proto and struct proto_ops, and the small calls. Datagrams
 * are what RFC 768 draws, on IP protocol 254: messages that arrive whole or not
 * at all, in any order. Read on in dgram.h.
 */
#include <linux/module.h>
#include <linux/swap.h>
#include <net/inet_common.h>
#include <net/protocol.h>
#include <net/tcp_states.h>

#include "compat.h"
#include "dgram.h"

/*
 * Pages of all receive queues, of all namespaces, as UDP counts its own; and how
 * many there may be. The kernel keeps the account: UDP's functions for queues
 * work on any struct udp_sock (dgram.h).
 */
static atomic_long_t dgram_memory ____cacheline_aligned_in_smp;
static DEFINE_PER_CPU(int, dgram_memory_reserve);
static long dgram_most_memory[3] __read_mostly;
static int dgram_least_buffer = PAGE_SIZE;

static void dgram_limit_memory(void)
{
	unsigned long pages = max(nr_free_buffer_pages() / 8, 128UL);

	dgram_most_memory[0] = pages / 4 * 3;
	dgram_most_memory[1] = pages;
	dgram_most_memory[2] = dgram_most_memory[0] * 2;
}

/* --- small calls --- */

static void dgram_destruct(struct sock *sk)
{
	udp_destruct_common(sk);
	inet_sock_destruct(sk);
}

static int dgram_init(struct sock *sk)
{
	udp_lib_init_sock(sk);
	sk->sk_destruct = dgram_destruct;
	return 0;
}

static void dgram_close(struct sock *sk, long timeout)
{
	sk_common_release(sk);
}

static void dgram_destroy(struct sock *sk)
{
	lock_sock(sk);
	sock_set_flag(sk, SOCK_DEAD); /* for udp_abort() */
	chalk_dgram_flush(sk);
	release_sock(sk);
}

/* --- options --- */

/**
 * chalk_dgram_setsockopt() - proto.setsockopt
 * @sk:    the socket, not locked
 * @level: of UDP's own options there is one that any datagram can do with
 * @name:  the option
 * @val:   its value
 * @len:   bytes of it
 */
int chalk_dgram_setsockopt(struct sock *sk, int level, int name, sockptr_t val,
			   unsigned int len)
{
	/* asked from 6.2 on: the queue takes note of SO_RCVBUF */
	if (level == SOL_SOCKET)
		return udp_lib_setsockopt(sk, level, name, val, len, NULL);
	if (!chalk_dgram_is_transport(level))
		return ip_setsockopt(sk, level, name, val, len);
	if (name != UDP_CORK)
		return -ENOPROTOOPT;
	return udp_lib_setsockopt(sk, SOL_UDP, name, val, len,
				  chalk_dgram_push);
}

/**
 * chalk_dgram_getsockopt() - proto.getsockopt
 * @sk:    the socket, not locked
 * @level: the same
 * @name:  the option
 * @val:   where to put its value
 * @len:   bytes of room, and of the value
 */
int chalk_dgram_getsockopt(struct sock *sk, int level, int name,
			   char __user *val, int __user *len)
{
	if (!chalk_dgram_is_transport(level))
		return ip_getsockopt(sk, level, name, val, len);
	if (name != UDP_CORK)
		return -ENOPROTOOPT;
	return udp_lib_getsockopt(sk, SOL_UDP, name, val, len);
}

/* --- the tables --- */

struct proto chalk_dgram_prot = {
	.name = "CHALK-DGRAM",
	.owner = THIS_MODULE,
	.close = dgram_close,
	.pre_connect = udp_pre_connect,
	.connect = ip4_datagram_connect,
	.disconnect = udp_disconnect,
	.ioctl = udp_ioctl,
	.init = dgram_init,
	.destroy = dgram_destroy,
	.setsockopt = chalk_dgram_setsockopt,
	.getsockopt = chalk_dgram_getsockopt,
	.sendmsg = chalk_dgram_sendmsg,
	.recvmsg = chalk_dgram_recvmsg,
	.release_cb = ip4_datagram_release_cb,
	.unhash = udp_lib_unhash,
	.rehash = chalk_dgram_rehash,
	.get_port = chalk_dgram_get_port,
	.put_port = udp_lib_unhash,
	.diag_destroy = udp_abort,
	.memory_allocated = &dgram_memory,
	.per_cpu_fw_alloc = &dgram_memory_reserve,
	.sysctl_mem = dgram_most_memory,
	.sysctl_wmem = &dgram_least_buffer,
	.sysctl_rmem = &dgram_least_buffer,
	.obj_size = sizeof(struct udp_sock),
	.h.udp_table = &chalk_dgram_table,
};

static const struct proto_ops dgram_ops = { CHALK_INET_OPS, CHALK_DGRAM_OPS };

/* socket(AF_INET, SOCK_DGRAM, IPPROTO_CHALK_DGRAM) */
static struct inet_protosw dgram_protosw = {
	.type = SOCK_DGRAM,
	.protocol = IPPROTO_CHALK_DGRAM,
	.prot = &chalk_dgram_prot,
	.ops = &dgram_ops,
};

/* --- registration --- */

static int register_ipv6(void)
{
	return chalk_has_ipv6() ? chalk_dgram_inet6_register() : 0;
}

/**
 * chalk_datagram_register() - take datagrams from IP, let programs make sockets
 */
int chalk_datagram_register(void)
{
	int err;

	dgram_limit_memory();
	err = chalk_dgram_table_init();
	if (err)
		return err;
	err = proto_register(&chalk_dgram_prot, 1);
	if (err)
		goto out_table;
	err = chalk_dgram_input_register();
	if (err)
		goto out_proto;
	err = register_ipv6();
	if (err)
		goto out_input;
	inet_register_protosw(&dgram_protosw);
	return 0;

out_input:
	chalk_dgram_input_unregister();
out_proto:
	proto_unregister(&chalk_dgram_prot);
out_table:
	chalk_dgram_table_exit();
	return err;
}

/**
 * chalk_datagram_unregister() - the reverse; there is no socket left
 */
void chalk_datagram_unregister(void)
{
	inet_unregister_protosw(&dgram_protosw);
	if (chalk_has_ipv6())
		chalk_dgram_inet6_unregister();
	chalk_dgram_input_unregister();
	proto_unregister(&chalk_dgram_prot);
	chalk_dgram_table_exit();
}
