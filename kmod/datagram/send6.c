// SPDX-License-Identifier: GPL-2.0
/*
 * send6.c - a message becomes a datagram over IPv6
 *
 * The counterpart of send.c. Here the kernel lends ip6_append_data(),
 * which knows extension headers and cuts fragments, but works on the one queue
 * of the socket: every send takes the socket lock. A message to a v4-mapped
 * address goes by send.c.
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

/**
 * struct plan6 - where a datagram goes
 * @ipc:       what the socket and the control messages ask for
 * @space:     memory for extension headers of this message
 * @held:      those of the socket, with a reference, or NULL
 * @label:     the flow label, if it is one that somebody owns, or NULL
 * @fl6:       the flow
 * @dst:       the route, with a reference
 * @connected: the socket's own route will do
 */
struct plan6 {
	struct ipcm6_cookie ipc;
	struct ipv6_txoptions space;
	struct ipv6_txoptions *held;
	struct ip6_flowlabel *label;
	struct flowi6 fl6;
	struct dst_entry *dst;
	bool connected;
};

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

static int dgram6_take_label(struct plan6 *p, struct sock *sk)
{
	if (p->label || !(p->fl6.flowlabel & IPV6_FLOWLABEL_MASK))
		return 0;
	p->label = fl6_sock_lookup(sk, p->fl6.flowlabel);
	if (!IS_ERR(p->label))
		return 0;
	p->label = NULL;
	return -EINVAL;
}

static int dgram6_take_address(struct plan6 *p, struct sock *sk,
			       const struct msghdr *msg)
{
	const struct sockaddr_in6 *sin6 = msg->msg_name;
	struct flowi6 *fl6 = &p->fl6;

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

static int dgram6_take_peer(struct plan6 *p, const struct sock *sk)
{
	struct flowi6 *fl6 = &p->fl6;

	if (sk->sk_state != TCP_ESTABLISHED)
		return -EDESTADDRREQ;
	fl6->daddr = sk->sk_v6_daddr;
	fl6->fl6_dport = inet_sk(sk)->inet_dport;
	fl6->flowlabel = inet6_sk(sk)->flow_label;
	p->connected = true;
	return 0;
}

static void dgram6_fill_flow(struct plan6 *p, const struct sock *sk)
{
	struct flowi6 *fl6 = &p->fl6;

	if (!fl6->flowi6_oif)
		fl6->flowi6_oif = READ_ONCE(sk->sk_bound_dev_if);
	if (!fl6->flowi6_oif)
		fl6->flowi6_oif = inet6_sk(sk)->sticky_pktinfo.ipi6_ifindex;
	fl6->flowi6_uid = sk->sk_uid;
	fl6->flowi6_proto = IPPROTO_CHALK_DGRAM;
	fl6->fl6_sport = inet_sk(sk)->inet_sport;
}

/* --- extension headers --- */

static int take_control(struct plan6 *p, struct sock *sk, struct msghdr *msg)
{
	int err;

	p->space.tot_len = sizeof(p->space);
	p->ipc.opt = &p->space;
	err = ip6_datagram_send_ctl(sock_net(sk), sk, msg, &p->fl6, &p->ipc);
	if (err)
		return err;
	if (!(p->space.opt_nflen | p->space.opt_flen))
		p->ipc.opt = NULL;
	p->connected = false;
	return dgram6_take_label(p, sk);
}

static int dgram6_take_options(struct plan6 *p, struct sock *sk,
			       struct msghdr *msg)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	int err;

	chalk_ipcm6_init(&p->ipc, sk);
	if (msg->msg_controllen) {
		err = take_control(p, sk, msg);
		if (err)
			return err;
	}
	if (!p->ipc.opt) {
		p->held = txopt_get(np);
		p->ipc.opt = p->held;
	}
	if (p->label)
		p->ipc.opt = fl6_merge_options(&p->space, p->label, p->ipc.opt);
	p->ipc.opt = ipv6_fixup_options(&p->space, p->ipc.opt);
	if (p->ipc.tclass < 0)
		p->ipc.tclass = np->tclass;
	return 0;
}

/* --- the route --- */

static void dgram6_choose_interface(struct plan6 *p, const struct sock *sk)
{
	struct flowi6 *fl6 = &p->fl6;

	if (fl6->flowi6_oif)
		return;
	if (ipv6_addr_is_multicast(&fl6->daddr)) {
		fl6->flowi6_oif = inet6_sk(sk)->mcast_oif;
		p->connected = false;
	} else {
		fl6->flowi6_oif = inet6_sk(sk)->ucast_oif;
	}
}

static int dgram6_find_route(struct plan6 *p, struct sock *sk)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct flowi6 *fl6 = &p->fl6;
	struct in6_addr *final_p, final;

	fl6->flowi6_mark = p->ipc.sockc.mark;
	if (ipv6_addr_any(&fl6->saddr))
		fl6->saddr = np->saddr;
	if (ipv6_addr_any(&fl6->daddr))
		fl6->daddr = in6addr_loopback; /* as BSD has it */
	final_p = fl6_update_dst(fl6, p->ipc.opt, &final);
	if (final_p)
		p->connected = false;
	dgram6_choose_interface(p, sk);
	security_sk_classify_flow(sk, flowi6_to_flowi_common(fl6));
	fl6->flowlabel = ip6_make_flowinfo(p->ipc.tclass, fl6->flowlabel);
	p->dst = ip6_sk_dst_lookup_flow(sk, fl6, final_p, p->connected);
	if (IS_ERR(p->dst))
		return PTR_ERR(p->dst);
	if (p->ipc.hlimit < 0)
		p->ipc.hlimit = ip6_sk_dst_hoplimit(np, fl6, p->dst);
	return 0;
}

/* --- the plan --- */

static void drop_plan(struct plan6 *p)
{
	if (!IS_ERR(p->dst))
		dst_release(p->dst);
	fl6_sock_release(p->label);
	txopt_put(p->held);
}

/* Return: 0, or negative errno; drop_plan() is due in any case. */
static int dgram6_make_plan(struct plan6 *p, struct sock *sk,
			    struct msghdr *msg)
{
	int err;

	memset(p, 0, sizeof(*p));
	err = has_name6(msg) ? dgram6_take_address(p, sk, msg) :
			       dgram6_take_peer(p, sk);
	if (err)
		return err;
	dgram6_fill_flow(p, sk);
	err = dgram6_take_options(p, sk, msg);
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
	const struct flowi6 *fl6 = &inet_sk(sk)->cork.fl.u.ip6;
	u16 len = udp_sk(sk)->len;
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

static void forget(struct sock *sk)
{
	udp_sk(sk)->len = 0;
	WRITE_ONCE(udp_sk(sk)->pending, 0);
}

/**
 * chalk_dgram6_flush() - forget a datagram that grows over IPv6
 * @sk: the socket, locked
 */
void chalk_dgram6_flush(struct sock *sk)
{
	forget(sk);
	ip6_flush_pending_frames(sk);
}

/**
 * chalk_dgram6_push() - send a datagram that grew over IPv6
 * @sk: the socket, locked
 */
int chalk_dgram6_push(struct sock *sk)
{
	struct sk_buff *skb = skb_peek(&sk->sk_write_queue);
	int err;

	if (skb)
		dgram6_put_header(sk, skb);
	err = skb ? ip6_push_pending_frames(sk) : 0;
	forget(sk);
	if (skb && !err)
		chalk_count(sock_net(sk), MIB_DGRAM_OUT);
	if (err != -ENOBUFS || chalk_wants_icmp6_errors(sk))
		return err;
	chalk_count(sock_net(sk), MIB_DGRAM_SNDBUF);
	return 0;
}

/* An error loses all of it: nobody could tell which part went. */
static int dgram6_grow(struct sock *sk, struct msghdr *msg, size_t len,
		       struct plan6 *p, bool more)
{
	bool first = !udp_sk(sk)->pending;
	size_t ulen = len + (first ? DGRAM_HDR : 0);
	int err;

	if (!first && udp_sk(sk)->pending != AF_INET6)
		return -EAFNOSUPPORT;
	WRITE_ONCE(udp_sk(sk)->pending, AF_INET6);
	udp_sk(sk)->len += ulen;
	err = ip6_append_data(sk, ip_generic_getfrag, msg, ulen, DGRAM_HDR,
			      &p->ipc, &p->fl6, (struct rt6_info *)p->dst,
			      msg->msg_flags | (more ? MSG_MORE : 0));
	if (err)
		chalk_dgram6_flush(sk);
	else if (!more)
		err = chalk_dgram6_push(sk);
	return err;
}

/* --- the call --- */

static int dgram6_send_planned(struct sock *sk, struct msghdr *msg, size_t len,
			       struct plan6 *p, bool more)
{
	int err;

	if (msg->msg_flags & MSG_PROBE) {
		if (msg->msg_flags & MSG_CONFIRM)
			dst_confirm_neigh(p->dst, &p->fl6.daddr);
		return 0;
	}
	lock_sock(sk);
	err = dgram6_grow(sk, msg, len, p, more);
	release_sock(sk);
	return err;
}

static int send_by_ipv6(struct sock *sk, struct msghdr *msg, size_t len)
{
	bool more = udp_test_bit(CORK, sk) || msg->msg_flags & MSG_MORE;
	struct plan6 p;
	int err;

	/* a destination is asked for once, before the first part */
	if (chalk_dgram_lock_if_pending(sk)) {
		chalk_ipcm6_init(&p.ipc, sk);
		p.dst = NULL;
		err = dgram6_grow(sk, msg, len, &p, more);
		release_sock(sk);
		return err;
	}
	err = dgram6_make_plan(&p, sk, msg);
	if (!err)
		err = dgram6_send_planned(sk, msg, len, &p, more);
	drop_plan(&p);
	return err;
}

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
	err = send_by_ipv6(sk, msg, len);
	chalk_dgram_note_error(sk, err);
	return err ?: len;
}
