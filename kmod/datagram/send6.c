// SPDX-License-Identifier: GPL-2.0
/*
 * send6.c - where a datagram goes over IPv6
 *
 * The counterpart of send4.c. Here the kernel lends ip6_append_data(), which
 * knows extension headers and cuts fragments, but works on the one queue of the
 * socket: every send takes the socket lock. A message to a v4-mapped address
 * goes by send4.c.
 */
#include <linux/ipv6.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/tcp_states.h>
#include <net/transp_v6.h>

#include "compat.h"
#include "dgram.h"
#include "watch/trace.h"

/* --- to whom --- */

/* An address without a length that fits is no address. */
static int check_name(const struct msghdr *msg)
{
	const struct sockaddr *name = msg->msg_name;

	if (!name)
		return 0;
	if (msg->msg_namelen < offsetof(struct sockaddr, sa_data))
		return -EINVAL;
	switch (name->sa_family) {
	case AF_INET6:
		return msg->msg_namelen < SIN6_LEN_RFC2133 ? -EINVAL : 0;
	case AF_INET:
	case AF_UNSPEC:
		return 0;
	default:
		return -EINVAL;
	}
}

static bool has_name6(const struct msghdr *msg)
{
	const struct sockaddr *name = msg->msg_name;

	return name && name->sa_family == AF_INET6;
}

/* "::" from a socket bound to a mapped address means the mapped loopback. */
static void resolve_any(const struct sock *sk, struct msghdr *msg)
{
	struct sockaddr_in6 *sin6 = msg->msg_name;

	if (has_name6(msg) && ipv6_addr_any(&sin6->sin6_addr) &&
	    ipv6_addr_v4mapped(&inet6_sk(sk)->saddr))
		ipv6_addr_set_v4mapped(htonl(INADDR_LOOPBACK),
				       &sin6->sin6_addr);
}

/* --- over IPv4 --- */

static bool goes_by_ipv4(const struct sock *sk, const struct msghdr *msg)
{
	const struct sockaddr_in6 *sin6 = msg->msg_name;

	if (has_name6(msg))
		return ipv6_addr_v4mapped(&sin6->sin6_addr);
	if (sin6 && sin6->sin6_family == AF_INET)
		return true;
	if (READ_ONCE(udp_sk(sk)->pending))
		return READ_ONCE(udp_sk(sk)->pending) == AF_INET;
	return sk->sk_state == TCP_ESTABLISHED &&
	       ipv6_addr_v4mapped(&sk->sk_v6_daddr);
}

static int send_by_ipv4(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct sockaddr_in6 *sin6 = msg->msg_name;
	int namelen = msg->msg_namelen;
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int ret;

	if (ipv6_only_sock(sk))
		return -ENETUNREACH;
	if (has_name6(msg)) {
		sin.sin_port = sin6->sin6_port;
		sin.sin_addr.s_addr = sin6->sin6_addr.s6_addr32[3];
		msg->msg_name = &sin;
		msg->msg_namelen = sizeof(sin);
	} else if (sin6 && sin6->sin6_family == AF_UNSPEC) {
		msg->msg_name = NULL;
	}
	ret = chalk_dgram_sendmsg(sk, msg, len);
	msg->msg_name = sin6;
	msg->msg_namelen = namelen;
	return ret;
}

/* --- the flow --- */

static int dgram6_take_label(struct chalk_dgram_plan *p, struct sock *sk)
{
	if (p->label || !(p->out.fl.u.ip6.flowlabel & IPV6_FLOWLABEL_MASK))
		return 0;
	p->label = fl6_sock_lookup(sk, p->out.fl.u.ip6.flowlabel);
	if (!IS_ERR(p->label))
		return 0;
	p->label = NULL;
	return -EINVAL;
}

static int dgram6_take_address(struct chalk_dgram_plan *p, struct sock *sk,
			       const struct msghdr *msg)
{
	const struct sockaddr_in6 *sin6 = msg->msg_name;
	struct flowi6 *fl6 = &p->out.fl.u.ip6;

	if (!sin6->sin6_port)
		return -EINVAL;
	fl6->daddr = sin6->sin6_addr;
	fl6->fl6_dport = sin6->sin6_port;
	if (chalk_sends_label(sk))
		fl6->flowlabel = sin6->sin6_flowinfo & IPV6_FLOWINFO_MASK;
	if (msg->msg_namelen >= sizeof(*sin6) && sin6->sin6_scope_id &&
	    __ipv6_addr_needs_scope_id(__ipv6_addr_type(&fl6->daddr)))
		fl6->flowi6_oif = sin6->sin6_scope_id;
	return dgram6_take_label(p, sk);
}

static int dgram6_take_peer(struct chalk_dgram_plan *p, const struct sock *sk)
{
	struct flowi6 *fl6 = &p->out.fl.u.ip6;

	if (sk->sk_state != TCP_ESTABLISHED)
		return -EDESTADDRREQ;
	fl6->daddr = sk->sk_v6_daddr;
	fl6->fl6_dport = inet_sk(sk)->inet_dport;
	fl6->flowlabel = inet6_sk(sk)->flow_label;
	p->connected = true;
	return 0;
}

static void dgram6_fill_flow(struct chalk_dgram_plan *p, const struct sock *sk)
{
	struct flowi6 *fl6 = &p->out.fl.u.ip6;

	if (!fl6->flowi6_oif)
		fl6->flowi6_oif = READ_ONCE(sk->sk_bound_dev_if);
	if (!fl6->flowi6_oif)
		fl6->flowi6_oif = inet6_sk(sk)->sticky_pktinfo.ipi6_ifindex;
	fl6->flowi6_uid = sk->sk_uid;
	fl6->flowi6_proto = IPPROTO_CHALK_DGRAM;
	fl6->fl6_sport = inet_sk(sk)->inet_sport;
}

/* --- extension headers --- */

static int take_control(struct chalk_dgram_plan *p, struct sock *sk,
			struct msghdr *msg)
{
	int err;

	p->space.tot_len = sizeof(p->space);
	p->ipc6.opt = &p->space;
	err = ip6_datagram_send_ctl(sock_net(sk), sk, msg, &p->out.fl.u.ip6,
				    &p->ipc6);
	if (err)
		return err;
	if (!(p->space.opt_nflen | p->space.opt_flen))
		p->ipc6.opt = NULL;
	p->connected = false;
	return dgram6_take_label(p, sk);
}

static int dgram6_take_options(struct chalk_dgram_plan *p, struct sock *sk,
			       struct msghdr *msg)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	int err;

	chalk_ipcm6_init(&p->ipc6, sk);
	if (msg->msg_controllen) {
		err = take_control(p, sk, msg);
		if (err)
			return err;
	}
	if (!p->ipc6.opt) {
		p->held = txopt_get(np);
		p->ipc6.opt = p->held;
	}
	if (p->label)
		p->ipc6.opt = fl6_merge_options(&p->space, p->label,
						p->ipc6.opt);
	p->ipc6.opt = ipv6_fixup_options(&p->space, p->ipc6.opt);
	if (p->ipc6.tclass < 0)
		p->ipc6.tclass = np->tclass;
	return 0;
}

/* --- what a program of the cgroup says --- */

/* It may refuse; or choose the receiver, and the address to send from. */
static int dgram6_ask_cgroup(struct chalk_dgram_plan *p, struct sock *sk,
			     struct msghdr *msg)
{
	struct sockaddr_in6 *sin6 = has_name6(msg) ? msg->msg_name : NULL;
	struct flowi6 *fl6 = &p->out.fl.u.ip6;
	int err;

	if (ipv6_addr_any(&fl6->saddr))
		fl6->saddr = inet6_sk(sk)->saddr;
	if (!cgroup_bpf_enabled(CGROUP_UDP6_SENDMSG) || p->connected)
		return 0;
	err = chalk_cgroup_run(UDP6_SENDMSG_LOCK, sk, (struct sockaddr *)sin6,
			       &msg->msg_namelen, &fl6->saddr);
	if (err || !sin6)
		return err;
	if (ipv6_addr_v4mapped(&sin6->sin6_addr)) /* what is planned is IPv6 */
		return -EOPNOTSUPP;
	if (!sin6->sin6_port)
		return -EINVAL;
	fl6->daddr = sin6->sin6_addr;
	fl6->fl6_dport = sin6->sin6_port;
	return 0;
}

/* --- the route --- */

static void dgram6_choose_interface(struct chalk_dgram_plan *p,
				    const struct sock *sk)
{
	struct flowi6 *fl6 = &p->out.fl.u.ip6;

	if (fl6->flowi6_oif)
		return;
	if (ipv6_addr_is_multicast(&fl6->daddr)) {
		fl6->flowi6_oif = inet6_sk(sk)->mcast_oif;
		p->connected = false;
	} else {
		fl6->flowi6_oif = inet6_sk(sk)->ucast_oif;
	}
}

static int dgram6_find_route(struct chalk_dgram_plan *p, struct sock *sk)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct flowi6 *fl6 = &p->out.fl.u.ip6;
	struct in6_addr *final_p, final;
	struct dst_entry *dst;

	fl6->flowi6_mark = p->ipc6.sockc.mark;
	if (ipv6_addr_any(&fl6->daddr))
		fl6->daddr = in6addr_loopback; /* as BSD has it */
	final_p = fl6_update_dst(fl6, p->ipc6.opt, &final);
	if (final_p)
		p->connected = false;
	dgram6_choose_interface(p, sk);
	security_sk_classify_flow(sk, flowi6_to_flowi_common(fl6));
	fl6->flowlabel = ip6_make_flowinfo(p->ipc6.tclass, fl6->flowlabel);
	dst = ip6_sk_dst_lookup_flow(sk, fl6, final_p, p->connected);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	p->out.base.dst = dst;
	if (p->ipc6.hlimit < 0)
		p->ipc6.hlimit = ip6_sk_dst_hoplimit(np, fl6, dst);
	return 0;
}

/* --- the plan --- */

static int dgram6_make_plan(struct chalk_dgram_plan *p, struct sock *sk,
			    struct msghdr *msg)
{
	int err;

	err = has_name6(msg) ? dgram6_take_address(p, sk, msg) :
			       dgram6_take_peer(p, sk);
	if (err)
		return err;
	dgram6_fill_flow(p, sk);
	err = dgram6_take_options(p, sk, msg);
	if (!err)
		err = dgram6_ask_cgroup(p, sk, msg);
	return err ?: dgram6_find_route(p, sk);
}

/* --- the datagram --- */

static void dgram6_trace_out(const struct sock *sk, const struct flowi6 *fl6,
			     const struct dgram *d)
{
	struct seg s = { .len = d->len };
	struct chalk_ends ends = {
		.laddr = fl6->saddr,
		.raddr = fl6->daddr,
		.lport = d->sport,
		.rport = d->dport,
	};

	chalk_trace_stray(sock_net(sk), EV_SEND, BY_DATAGRAM, &ends, &s);
}

/* The header stands in the first buffer of the queue, with room made for it. */
static void dgram6_put_header(struct sock *sk, struct sk_buff *skb)
{
	const struct ipv6_txoptions *opt = inet6_sk(sk)->cork.opt;
	const struct inet_cork_full *kept = &inet_sk(sk)->cork;
	u16 len = kept->base.length - (opt ? opt->opt_flen : 0);
	const struct flowi6 *fl6 = &kept->fl.u.ip6;
	struct dgram d = {
		.sport = ntohs(fl6->fl6_sport),
		.dport = ntohs(fl6->fl6_dport),
		.len = len - DGRAM_HDR,
	};
	__sum16 check;

	dgram6_trace_out(sk, fl6, &d);
	dgram_build(&d, skb_transport_header(skb));
	check = csum_ipv6_magic(&fl6->saddr, &fl6->daddr, len,
				IPPROTO_CHALK_DGRAM,
				udp_csum_outgoing(sk, skb));
	udp_hdr(skb)->check = check ?: CSUM_MANGLED_0;
}

static int dgram6_push(struct sock *sk)
{
	int err;

	dgram6_put_header(sk, skb_peek(&sk->sk_write_queue));
	err = ip6_push_pending_frames(sk);
	if (!err)
		chalk_count(sock_net(sk), MIB_DGRAM_OUT);
	if (err != -ENOBUFS || chalk_wants_icmp6_errors(sk))
		return err;
	chalk_count(sock_net(sk), MIB_DGRAM_SNDBUF);
	return 0;
}

/* IPV6_DONTFRAG (RFC 3542 11.2), which ip6_append_data() grants UDP alone. */
static int dgram6_check_length(const struct sock *sk,
			       const struct ipcm6_cookie *ipc)
{
	const struct inet_cork *kept = &inet_sk(sk)->cork.base;
	const struct ipv6_txoptions *opt = inet6_sk(sk)->cork.opt;
	const struct rt6_info *rt = (const struct rt6_info *)kept->dst;
	u32 header = sizeof(struct ipv6hdr) + rt->rt6i_nfheader_len +
		     (opt ? opt->opt_nflen : 0);

	if (ipc->dontfrag && kept->length > kept->fragsize - header)
		return -EMSGSIZE;
	return 0;
}

static int dgram6_append(struct sock *sk, struct msghdr *msg, size_t len,
			 struct chalk_dgram_plan *p, bool more)
{
	int flags = msg->msg_flags | (more ? MSG_MORE : 0);
	struct ipcm6_cookie later;
	int err;

	if (p) {
		err = ip6_append_data(sk, ip_generic_getfrag, msg,
				      DGRAM_HDR + len, DGRAM_HDR, &p->ipc6,
				      &p->out.fl.u.ip6,
				      (struct rt6_info *)p->out.base.dst,
				      flags);
		return err ?: dgram6_check_length(sk, &p->ipc6);
	}
	chalk_ipcm6_init(&later, sk);
	err = ip6_append_data(sk, ip_generic_getfrag, msg, len, 0, &later, NULL,
			      NULL, flags);
	return err ?: dgram6_check_length(sk, &later);
}

const struct chalk_dgram_way chalk_dgram_by_ipv6 = {
	.family = AF_INET6,
	.mixed = -EAFNOSUPPORT,
	.plan = dgram6_make_plan,
	.append = dgram6_append,
	.push = dgram6_push,
	.flush = ip6_flush_pending_frames,
};

/* --- the call --- */

/**
 * chalk_dgram6_sendmsg() - proto.sendmsg of AF_INET6
 * @sk:  the socket, not locked
 * @msg: the message
 * @len: its bytes
 *
 * Return: @len, or negative errno.
 */
int chalk_dgram6_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	int err = check_name(msg);

	if (err)
		return err;
	resolve_any(sk, msg);
	if (goes_by_ipv4(sk, msg))
		return send_by_ipv4(sk, msg, len);
	if (len > INT_MAX - DGRAM_HDR)
		return -EMSGSIZE;
	return chalk_dgram_send(sk, msg, len, &chalk_dgram_by_ipv6);
}
