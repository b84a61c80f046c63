// SPDX-License-Identifier: GPL-2.0
/*
 * family.c - where programs get their sockets
 *
 * Owns the family AF_CHALK and the entry in the table of AF_INET; stream/sock6.c
 * has that of AF_INET6. A socket of AF_CHALK is one that AF_INET or AF_INET6 makes:
 * its addresses, its names and SO_DOMAIN are theirs.
 */
#include <linux/module.h>
#include <linux/net.h>
#include <net/protocol.h>
#include <net/sock.h>

#include "family.h"
#include "stream/sock.h"

/* --- socket(AF_INET, ...) --- */

static struct inet_protosw chalk_protosw = {
	.type = SOCK_STREAM,
	.protocol = IPPROTO_CHALK,
	.prot = &chalk_prot,
	.ops = &chalk_stream_ops,
	.flags = INET_PROTOSW_ICSK,
};

/* --- socket(AF_CHALK, ...) --- */

/* Third argument of socket(AF_CHALK, ...): the family behind it. */
static const int families[] = {
	[CHALKPROTO_INET] = PF_INET,
	[CHALKPROTO_INET6] = PF_INET6,
};

/* The protocol that carries a type of socket, 0: none. */
static int carrier(int type)
{
	switch (type) {
	case SOCK_STREAM:
		return IPPROTO_CHALK;
	case SOCK_DGRAM:
		return IPPROTO_CHALK_DGRAM;
	default:
		return 0;
	}
}

/* The other family's socket changes hands; what is left of @from is empty. */
static void take_over(struct socket *sock, struct socket *from)
{
	struct sock *sk = from->sk;

	sock->ops = from->ops;
	sock->flags |= from->flags;
	from->sk = NULL;
	sock_graft(sk, sock);
	sock_release(from);
}

static int chalk_create(struct net *net, struct socket *sock, int protocol,
			int kern)
{
	struct socket *made;
	int err;

	if (!carrier(sock->type))
		return -ESOCKTNOSUPPORT;
	if (protocol < 0 || protocol >= ARRAY_SIZE(families))
		return -EPROTONOSUPPORT;
	err = __sock_create(net, families[protocol], sock->type,
			    carrier(sock->type), &made, kern);
	if (!err)
		take_over(sock, made);
	return err;
}

static int family = AF_CHALK;
module_param(family, int, 0444);
MODULE_PARM_DESC(family, "number of the socket family (default 19)");

static struct net_proto_family chalk_family = {
	.create = chalk_create,
	.owner = THIS_MODULE,
};

/**
 * chalk_family_register() - let programs make sockets
 */
int chalk_family_register(void)
{
	int err;

	chalk_family.family = family;
	err = sock_register(&chalk_family);
	if (err)
		return err;
	inet_register_protosw(&chalk_protosw);
	err = chalk_has_ipv6() ? chalk_inet6_family_register() : 0;
	if (err) {
		inet_unregister_protosw(&chalk_protosw);
		sock_unregister(family);
	}
	return err;
}

/**
 * chalk_family_unregister() - the reverse
 */
void chalk_family_unregister(void)
{
	if (chalk_has_ipv6())
		chalk_inet6_family_unregister();
	inet_unregister_protosw(&chalk_protosw);
	sock_unregister(family);
}
