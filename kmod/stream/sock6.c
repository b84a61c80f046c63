// SPDX-License-Identifier: GPL-2.0
/*
 * inet6.c - the sockets of AF_INET6
 *
 * Owns their struct proto and struct proto_ops, which are those of AF_INET but
 * for what has to do with addresses, and what IPv6 needs besides to hand us
 * packets and programs. Without IPv6 in the kernel nothing here does anything.
 */
#include <linux/module.h>
#include <net/inet6_hashtables.h>
#include <net/inet_common.h>
#include <net/ipv6.h>
#include <net/protocol.h>
#include <net/transp_v6.h>

#include "compat.h"
#include "sock.h"

static struct proto chalk6_prot;

static int sock6_init_sock(struct sock *sk)
{
	int err = chalk_prot.init(sk);

	inet_csk(sk)->icsk_af_ops = &chalk_ipv6_af_ops;
	return err;
}

static void sock6_derive_proto(void)
{
	chalk6_prot = chalk_prot;
	strscpy(chalk6_prot.name, "CHALKv6", sizeof(chalk6_prot.name));
	chalk6_prot.pre_connect = chalk_pre_connect6;
	chalk6_prot.connect = chalk_connect6;
	chalk6_prot.init = sock6_init_sock;
	chalk6_prot.hash = inet6_hash;
	chalk6_prot.obj_size = sizeof(struct chalk6_sock);
	chalk_set_pinfo_offset(&chalk6_prot,
			       offsetof(struct chalk6_sock, inet6));
	chalk6_prot.rsk_prot = &chalk6_req_ops;
	chalk6_prot.twsk_prot = &chalk6_timewait_ops;
}

static const struct proto_ops chalk6_stream_ops = { CHALK_INET6_OPS,
						    CHALK_STREAM_OPS };

/* socket(AF_INET6, SOCK_STREAM, IPPROTO_CHALK) */
static struct inet_protosw chalk6_protosw = {
	.type = SOCK_STREAM,
	.protocol = IPPROTO_CHALK,
	.prot = &chalk6_prot,
	.ops = &chalk6_stream_ops,
	.flags = INET_PROTOSW_ICSK,
};

static const struct inet6_protocol chalk6_protocol = {
	.handler = chalk_rcv,
	.err_handler = chalk_icmp6_error,
	.flags = INET6_PROTO_NOPOLICY | INET6_PROTO_FINAL,
};

/**
 * chalk_inet6_proto_register() - make the slabs of sockets and records
 */
int chalk_inet6_proto_register(void)
{
	sock6_derive_proto();
	return proto_register(&chalk6_prot, 1);
}

/**
 * chalk_inet6_proto_unregister() - the reverse; nothing is left in them
 */
void chalk_inet6_proto_unregister(void)
{
	proto_unregister(&chalk6_prot);
}

/**
 * chalk_inet6_input_register() - take packets from IPv6
 */
int chalk_inet6_input_register(void)
{
	return inet6_add_protocol(&chalk6_protocol, IPPROTO_CHALK);
}

/**
 * chalk_inet6_input_unregister() - take no more; waits for those on the way
 */
void chalk_inet6_input_unregister(void)
{
	inet6_del_protocol(&chalk6_protocol, IPPROTO_CHALK);
}

/**
 * chalk_inet6_family_register() - let programs make sockets
 */
int chalk_inet6_family_register(void)
{
	return inet6_register_protosw(&chalk6_protosw);
}

/**
 * chalk_inet6_family_unregister() - the reverse
 */
void chalk_inet6_family_unregister(void)
{
	inet6_unregister_protosw(&chalk6_protosw);
}
