// SPDX-License-Identifier: GPL-2.0
/*
 * connect6.c - the active open of a socket of AF_INET6
 *
 * As connect.c, and in IPv6's own words: flow labels, scopes, routing headers.
 * An address of IPv4 in IPv6's clothes (v4-mapped) goes to connect.c.
 */
#include <net/inet6_hashtables.h>
#include <net/inet_ecn.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/tcp_states.h>
#include <net/transp_v6.h>

#include "compat.h"
#include "sock.h"

/* --- what the program asks for --- */

/* The flow label, where the program said that it would give one. */
static int connect6_take_label(struct sock *sk, const struct sockaddr_in6 *to)
{
	struct ip6_flowlabel *known;
	__be32 label = 0;

	if (chalk_sends_label(sk))
		label = to->sin6_flowinfo & IPV6_FLOWINFO_MASK;
	IP6_ECN_flow_init(label);
	if (label & IPV6_FLOWLABEL_MASK) {
		known = fl6_sock_lookup(sk, label);
		if (IS_ERR(known))
			return -EINVAL;
		fl6_sock_release(known);
	}
	inet6_sk(sk)->flow_label = label;
	return 0;
}

/* A link-local address means something on a link only: that of its scope. */
static int take_scope(struct sock *sk, const struct sockaddr_in6 *to, int len)
{
	if (!(ipv6_addr_type(&to->sin6_addr) & IPV6_ADDR_LINKLOCAL))
		return 0;
	if (len >= sizeof(*to) && to->sin6_scope_id) {
		if (!sk_dev_equal_l3scope(sk, to->sin6_scope_id))
			return -EINVAL;
		sk->sk_bound_dev_if = to->sin6_scope_id;
	}
	return sk->sk_bound_dev_if ? 0 : -EINVAL;
}

/* To no address in particular means to this host. */
static void connect6_take_address(struct sock *sk,
				  const struct sockaddr_in6 *to)
{
	sk->sk_v6_daddr = to->sin6_addr;
	if (!ipv6_addr_any(&to->sin6_addr))
		return;
	if (ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr))
		ipv6_addr_set_v4mapped(htonl(INADDR_LOOPBACK),
				       &sk->sk_v6_daddr);
	else
		sk->sk_v6_daddr = in6addr_loopback;
}

static int take_destination(struct sock *sk, const struct sockaddr_in6 *to,
			    int len)
{
	int err = connect6_take_label(sk, to);

	if (err)
		return err;
	if (ipv6_addr_is_multicast(&to->sin6_addr))
		return -ENETUNREACH;
	err = take_scope(sk, to, len);
	if (err)
		return err;
	connect6_take_address(sk, to);
	return 0;
}

/* --- over IPv4 --- */

static int connect_mapped(struct sock *sk, __be16 port)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	u16 ext_hdr_len = icsk->icsk_ext_hdr_len;
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = port,
		.sin_addr.s_addr = sk->sk_v6_daddr.s6_addr32[3],
	};
	int err;

	if (ipv6_only_sock(sk))
		return -ENETUNREACH;
	WRITE_ONCE(icsk->icsk_af_ops, &chalk_mapped_af_ops);
	err = chalk_connect(sk, (struct sockaddr *)&to, sizeof(to));
	if (err) {
		icsk->icsk_ext_hdr_len = ext_hdr_len;
		WRITE_ONCE(icsk->icsk_af_ops, &chalk_ipv6_af_ops);
		return err;
	}
	inet6_sk(sk)->saddr = sk->sk_v6_rcv_saddr;
	return 0;
}

/* --- over IPv6 --- */

static struct ipv6_txoptions *connect6_options(const struct sock *sk)
{
	return rcu_dereference_protected(inet6_sk(sk)->opt,
					 lockdep_sock_is_held(sk));
}

static struct dst_entry *connect6_find_route(struct sock *sk,
					     struct flowi6 *fl6, __be16 port)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);
	struct in6_addr *final_p, final;

	memset(fl6, 0, sizeof(*fl6));
	fl6->flowi6_proto = IPPROTO_CHALK;
	fl6->daddr = sk->sk_v6_daddr;
	fl6->saddr = ipv6_addr_any(&sk->sk_v6_rcv_saddr) ? np->saddr :
							   sk->sk_v6_rcv_saddr;
	fl6->flowlabel = ip6_make_flowinfo(np->tclass, np->flow_label);
	fl6->flowi6_oif = sk->sk_bound_dev_if;
	fl6->flowi6_mark = sk->sk_mark;
	fl6->fl6_dport = port;
	fl6->fl6_sport = inet_sk(sk)->inet_sport;
	fl6->flowi6_uid = sk->sk_uid;
	final_p = fl6_update_dst(fl6, connect6_options(sk), &final);
	security_sk_classify_flow(sk, flowi6_to_flowi_common(fl6));
	return ip6_dst_lookup_flow(sock_net(sk), sk, fl6, final_p);
}

static int connect6_set_addresses(struct sock *sk, struct in6_addr *saddr,
				  __be16 port)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct inet_sock *inet = inet_sk(sk);
	struct ipv6_txoptions *opt = connect6_options(sk);
	int err;

	if (ipv6_addr_any(&sk->sk_v6_rcv_saddr)) {
		err = inet_bhash2_update_saddr(sk, saddr, AF_INET6);
		if (err)
			return err;
	}
	np->saddr = *saddr;
	/* matches no packet of IPv4 */
	inet->inet_rcv_saddr = LOOPBACK4_IPV6;
	inet->inet_dport = port;
	inet_csk(sk)->icsk_ext_hdr_len = opt ? opt->opt_flen + opt->opt_nflen :
					       0;
	return 0;
}

static int connect_native(struct sock *sk, __be16 port)
{
	struct dst_entry *dst;
	struct flowi6 fl6;
	int err;

	dst = connect6_find_route(sk, &fl6, port);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	err = connect6_set_addresses(sk, &fl6.saddr, port);
	if (err) {
		dst_release(dst);
		return err;
	}
	ip6_dst_store(sk, dst, NULL, NULL);
	chalk_set_state(sk, TCP_SYN_SENT);
	err = chalk_hash_connect(sk, inet6_hash_connect);
	if (err) {
		chalk_undo_connect(sk);
		return err;
	}
	sk_set_txhash(sk);
	chalk_open(sk);
	return 0;
}

/**
 * chalk_pre_connect6() - ask the control group, which may change the address
 * @sk:   the socket, locked
 * @addr: a struct sockaddr_in6
 * @len:  bytes of it
 */
int chalk_pre_connect6(struct sock *sk, struct sockaddr *addr, int len)
{
	/* its programs read as much */
	if (len < SIN6_LEN_RFC2133)
		return -EINVAL;
	return chalk_cgroup_run(INET6_CONNECT, sk, addr, &len);
}

/**
 * chalk_connect6() - begin a connection; does not wait
 * @sk:   the socket, locked, in TCP_CLOSE
 * @addr: a struct sockaddr_in6
 * @len:  bytes of it
 */
int chalk_connect6(struct sock *sk, struct sockaddr *addr, int len)
{
	const struct sockaddr_in6 *to = (const struct sockaddr_in6 *)addr;
	int err;

	if (len < SIN6_LEN_RFC2133)
		return -EINVAL;
	if (to->sin6_family != AF_INET6)
		return -EAFNOSUPPORT;
	err = take_destination(sk, to, len);
	if (err)
		return err;
	if (ipv6_addr_v4mapped(&sk->sk_v6_daddr))
		err = connect_mapped(sk, to->sin6_port);
	else
		err = connect_native(sk, to->sin6_port);
	if (err) {
		inet_sk(sk)->inet_dport = 0;
		sk->sk_route_caps = 0;
	}
	return err;
}
