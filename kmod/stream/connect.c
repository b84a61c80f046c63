// SPDX-License-Identifier: GPL-2.0
/*
 * connect.c - the active open, and that of IPv4
 *
 * Called by inet_stream_connect(), which also does the waiting. Finds a route,
 * a port and a place in the tables, then lets the core send its SYN.
 */
#include <net/ip.h>
#include <net/route.h>
#include <net/tcp_states.h>

#include "compat.h"
#include "sock.h"

static struct ip_options_rcu *ip_options(struct sock *sk)
{
	return rcu_dereference_protected(inet_sk(sk)->inet_opt,
					 lockdep_sock_is_held(sk));
}

static struct rtable *connect_find_route(struct sock *sk,
					 const struct sockaddr_in *to)
{
	struct inet_sock *inet = inet_sk(sk);
	struct ip_options_rcu *opt = ip_options(sk);
	__be32 nexthop = to->sin_addr.s_addr;
	struct rtable *rt;

	if (opt && opt->opt.srr) {
		if (!nexthop)
			return ERR_PTR(-EINVAL);
		nexthop = opt->opt.faddr;
	}
	rt = ip_route_connect(&inet->cork.fl.u.ip4, nexthop, inet->inet_saddr,
			      sk->sk_bound_dev_if, IPPROTO_CHALK,
			      inet->inet_sport, to->sin_port, sk);
	if (rt == ERR_PTR(-ENETUNREACH))
		IP_INC_STATS(sock_net(sk), IPSTATS_MIB_OUTNOROUTES);
	if (!IS_ERR(rt) && rt->rt_flags & (RTCF_MULTICAST | RTCF_BROADCAST)) {
		ip_rt_put(rt);
		return ERR_PTR(-ENETUNREACH);
	}
	return rt;
}

static int connect_set_addresses(struct sock *sk, const struct sockaddr_in *to)
{
	struct inet_sock *inet = inet_sk(sk);
	struct flowi4 *fl4 = &inet->cork.fl.u.ip4;
	struct ip_options_rcu *opt = ip_options(sk);
	int err;

	if (inet->inet_saddr) {
		sk_rcv_saddr_set(sk, inet->inet_saddr);
	} else {
		err = inet_bhash2_update_saddr(sk, &fl4->saddr, AF_INET);
		if (err)
			return err;
	}
	inet->inet_dport = to->sin_port;
	sk_daddr_set(sk,
		     opt && opt->opt.srr ? to->sin_addr.s_addr : fl4->daddr);
	inet_csk(sk)->icsk_ext_hdr_len = opt ? opt->opt.optlen : 0;
	return 0;
}

/* Take a port and enter the tables. Consumes @rt, gives one for that port. */
static struct rtable *take_port(struct sock *sk, struct rtable *rt,
				__be16 orig_sport)
{
	struct inet_sock *inet = inet_sk(sk);
	int err;

	chalk_set_state(sk, TCP_SYN_SENT);
	err = chalk_hash_connect(sk, inet_hash_connect);
	if (err) {
		ip_rt_put(rt);
		return ERR_PTR(err);
	}
	return ip_route_newports(&inet->cork.fl.u.ip4, rt, orig_sport,
				 inet->inet_dport, inet->inet_sport,
				 inet->inet_dport, sk);
}

/**
 * chalk_undo_connect() - the tables have no place for a connection
 * @sk: the socket, locked; its addresses are set
 */
void chalk_undo_connect(struct sock *sk)
{
	chalk_set_state(sk, TCP_CLOSE);
	inet_bhash2_reset_saddr(sk);
	sk->sk_route_caps = 0;
	inet_sk(sk)->inet_dport = 0;
}

static void init_conn(struct sock *sk, u32 mtu, u64 now)
{
	struct chalk_ends ends = chalk_ends_of(sk);
	struct net *net = sock_net(sk);
	struct conn_config cfg = {
		.id = chalk_next_conn_id(),
		.iss = chalk_sk(sk)->iss ?: chalk_isn(net, &ends, now),
		.ts_off = chalk_ts_off(net, &ends),
		.rcv_buf = chalk_rcv_buf(sk),
		.rcv_buf_max = chalk_rcv_buf_max(sk),
		.sport = ends.lport,
		.dport = ends.rport,
		.mtu_mss = chalk_mtu_mss(mtu, chalk_ip_header_len(sk)),
		.default_mss = chalk_stream_ip_of(chalk_ip_of_ends(&ends))
				       ->default_mss,
		.user_mss = chalk_sk(sk)->user_mss,
		.route = chalk_route_of(__sk_dst_get(sk)),
	};

	conn_open(&chalk_sk(sk)->conn, chalk_env(sk), &cfg, now);
}

/**
 * chalk_open() - send the SYN
 * @sk: the socket, locked, in the tables; addresses and route are set
 */
void chalk_open(struct sock *sk)
{
	u32 mtu = dst_mtu(__sk_dst_get(sk));

	/* what an earlier connection left behind */
	chalk_clear_conn(sk);
	WRITE_ONCE(sk->sk_err, 0);
	WRITE_ONCE(sk->sk_err_soft, 0);
	sock_reset_flag(sk, SOCK_DONE);
	inet_csk(sk)->icsk_pmtu_cookie = mtu;
	init_conn(sk, mtu, chalk_now());
	chalk_push(sk, 0);
}

/**
 * chalk_pre_connect() - ask the control group, which may change the address
 * @sk:   the socket, locked
 * @addr: a struct sockaddr_in
 * @len:  bytes of it
 */
int chalk_pre_connect(struct sock *sk, struct sockaddr *addr, int len)
{
	/* its programs read all of a struct sockaddr_in */
	if (len < sizeof(struct sockaddr_in))
		return -EINVAL;
	return chalk_cgroup_run(INET4_CONNECT, sk, addr, &len);
}

/**
 * chalk_connect() - begin a connection; does not wait
 * @sk:   the socket, locked, in TCP_CLOSE
 * @addr: a struct sockaddr_in
 * @len:  bytes of it
 */
int chalk_connect(struct sock *sk, struct sockaddr *addr, int len)
{
	const struct sockaddr_in *to = (const struct sockaddr_in *)addr;
	struct inet_sock *inet = inet_sk(sk);
	__be16 orig_sport = inet->inet_sport;
	struct rtable *rt;
	int err;

	if (len < sizeof(*to))
		return -EINVAL;
	if (to->sin_family != AF_INET)
		return -EAFNOSUPPORT;
	rt = connect_find_route(sk, to);
	if (IS_ERR(rt))
		return PTR_ERR(rt);
	err = connect_set_addresses(sk, to);
	if (err) {
		ip_rt_put(rt);
		return err;
	}
	rt = take_port(sk, rt, orig_sport);
	if (IS_ERR(rt)) {
		chalk_undo_connect(sk);
		return PTR_ERR(rt);
	}
	sk_set_txhash(sk);
	sk_setup_caps(sk, &rt->dst);
	atomic_set(&inet->inet_id, get_random_u16());
	chalk_open(sk);
	return 0;
}
