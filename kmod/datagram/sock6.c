// SPDX-License-Identifier: GPL-2.0
/*
 * sock6.c - the datagram sockets of AF_INET6
 *
 * Owns their struct proto and struct proto_ops, and ICMPv6 errors; sock.c
 * and icmp.c are the counterparts for AF_INET. What reads them is one
 * function for both, recvmsg.c.
 */
#include <linux/icmpv6.h>
#include <linux/module.h>
#include <net/inet_common.h>
#include <net/ip6_route.h>
#include <net/ping.h>
#include <net/protocol.h>
#include <net/seg6.h>
#include <net/tcp_states.h>
#include <net/transp_v6.h>

#include "compat.h"
#include "dgram.h"

/* --- options --- */

static int dgram6_setsockopt(struct sock *sk, int level, int name,
			     sockptr_t val, unsigned int len)
{
	if (level == SOL_SOCKET || chalk_dgram_is_transport(level))
		return chalk_dgram_setsockopt(sk, level, name, val, len);
	return ipv6_setsockopt(sk, level, name, val, len);
}

static int dgram6_getsockopt(struct sock *sk, int level, int name,
			     char __user *val, int __user *len)
{
	if (chalk_dgram_is_transport(level))
		return chalk_dgram_getsockopt(sk, level, name, val, len);
	return ipv6_getsockopt(sk, level, name, val, len);
}

/* --- connect --- */

/* A program of the cgroup is not shown more than there is of an address. */
static int dgram6_pre_connect(struct sock *sk, struct sockaddr *addr, int len)
{
	if (len < offsetofend(struct sockaddr, sa_family))
		return -EINVAL;
	if (addr->sa_family == AF_INET) {
		if (ipv6_only_sock(sk))
			return -EAFNOSUPPORT;
		return udp_pre_connect(sk, addr, len);
	}
	if (len < SIN6_LEN_RFC2133)
		return -EINVAL;
	return chalk_cgroup_run(INET6_CONNECT_LOCK, sk, addr, &len);
}

/* --- the tables --- */

static void dgram6_destruct(struct sock *sk)
{
	udp_destruct_common(sk);
	inet6_sock_destruct(sk);
}

static int dgram6_init(struct sock *sk)
{
	udp_lib_init_sock(sk);
	sk->sk_destruct = dgram6_destruct;
	return 0;
}

static struct proto dgram6_prot;

static void dgram6_derive_proto(void)
{
	dgram6_prot = chalk_dgram_prot;
	strscpy(dgram6_prot.name, "CHALK-DGRAMv6", sizeof(dgram6_prot.name));
	dgram6_prot.init = dgram6_init;
	dgram6_prot.pre_connect = dgram6_pre_connect;
	dgram6_prot.connect = ip6_datagram_connect;
	dgram6_prot.setsockopt = dgram6_setsockopt;
	dgram6_prot.getsockopt = dgram6_getsockopt;
	dgram6_prot.sendmsg = chalk_dgram6_sendmsg;
	dgram6_prot.release_cb = ip6_datagram_release_cb;
	dgram6_prot.rehash = chalk_dgram6_rehash;
	dgram6_prot.get_port = chalk_dgram6_get_port;
	dgram6_prot.obj_size = sizeof(struct udp6_sock);
	chalk_set_pinfo_offset(&dgram6_prot, offsetof(struct udp6_sock, inet6));
}

static const struct proto_ops dgram6_ops = { CHALK_INET6_OPS, CHALK_DGRAM_OPS };

/* socket(AF_INET6, SOCK_DGRAM, IPPROTO_CHALK_DGRAM) */
static struct inet_protosw dgram6_protosw = {
	.type = SOCK_DGRAM,
	.protocol = IPPROTO_CHALK_DGRAM,
	.prot = &dgram6_prot,
	.ops = &dgram6_ops,
};

/* --- ICMPv6 --- */

/* What the message says about the path. Return: false if that was all of it. */
static bool dgram6_learn(struct sock *sk, struct sk_buff *skb, u8 type,
			 __be32 info)
{
	switch (type) {
	case ICMPV6_PKT_TOOBIG:
		if (!ip6_sk_accept_pmtu(sk))
			return false;
		ip6_sk_update_pmtu(skb, sk, info);
		return true;
	case NDISC_REDIRECT:
		ip6_sk_redirect(skb, sk);
		return false;
	default:
		return true;
	}
}

static bool dgram6_is_fatal(const struct sock *sk, u8 type, u8 code, int *err)
{
	bool fatal = icmpv6_err_convert(type, code, err);

	if (type == ICMPV6_PKT_TOOBIG)
		return inet6_sk(sk)->pmtudisc != IPV6_PMTUDISC_DONT;
	return fatal;
}

static void dgram6_report(struct sock *sk, struct sk_buff *skb, u8 type,
			  u8 code, const struct udphdr *uh, __be32 info)
{
	int err;
	bool fatal = dgram6_is_fatal(sk, type, code, &err);

	if (chalk_wants_icmp6_errors(sk))
		/* as ping borrows it from IPv6 */
		pingv6_ops.ipv6_icmp_error(sk, skb, err, uh->dest, ntohl(info),
					   (u8 *)(uh + 1));
	else if (!fatal || sk->sk_state != TCP_ESTABLISHED)
		return;
	WRITE_ONCE(sk->sk_err, err);
	sk_error_report(sk);
}

static int dgram6_icmp6_error(struct sk_buff *skb, struct inet6_skb_parm *opt,
			      u8 type, u8 code, int offset, __be32 info)
{
	const struct ipv6hdr *iph = (const struct ipv6hdr *)skb->data;
	const struct udphdr *uh = (const void *)skb->data + offset;
	const struct in6_addr *daddr = seg6_get_daddr(skb, opt) ?: &iph->daddr;
	struct net *net = dev_net(skb->dev);
	struct sock *sk;

	sk = __udp6_lib_lookup(net, daddr, uh->dest, &iph->saddr, uh->source,
			       inet6_iif(skb), inet6_sdif(skb),
			       &chalk_dgram_table, NULL);
	if (!sk) {
		__ICMP6_INC_STATS(net, __in6_dev_get(skb->dev),
				  ICMP6_MIB_INERRORS);
		return -ENOENT;
	}
	if (dgram6_learn(sk, skb, type, info))
		dgram6_report(sk, skb, type, code, uh, info);
	return 0;
}

/* --- registration --- */

static const struct inet6_protocol dgram6_protocol = {
	.handler = chalk_dgram_rcv,
	.err_handler = dgram6_icmp6_error,
	.flags = INET6_PROTO_NOPOLICY | INET6_PROTO_FINAL,
};

/**
 * chalk_dgram_inet6_register() - take datagrams from IPv6, let programs send
 */
int chalk_dgram_inet6_register(void)
{
	int err;

	dgram6_derive_proto();
	err = proto_register(&dgram6_prot, 1);
	if (err)
		return err;
	err = inet6_add_protocol(&dgram6_protocol, IPPROTO_CHALK_DGRAM);
	if (err)
		goto out_proto;
	err = inet6_register_protosw(&dgram6_protosw);
	if (err)
		goto out_input;
	return 0;

out_input:
	inet6_del_protocol(&dgram6_protocol, IPPROTO_CHALK_DGRAM);
out_proto:
	proto_unregister(&dgram6_prot);
	return err;
}

/**
 * chalk_dgram_inet6_unregister() - the reverse; there is no socket left
 */
void chalk_dgram_inet6_unregister(void)
{
	inet6_unregister_protosw(&dgram6_protosw);
	inet6_del_protocol(&dgram6_protocol, IPPROTO_CHALK_DGRAM);
	proto_unregister(&dgram6_prot);
}
