// SPDX-License-Identifier: GPL-2.0
/*
 * cmsg.c - control messages that come with sendmsg(), for IPv4
 *
 * Owns what ip(7) says of IP_PKTINFO, IP_TTL, IP_TOS and IP_RETOPTS; an AF_INET6
 * socket that sends to a mapped address may use IPV6_PKTINFO. For IPv6 itself
 * the kernel lends ip6_datagram_send_ctl().
 */
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/route.h>

#include "compat.h"
#include "dgram.h"

static int set_pktinfo(struct ipcm_cookie *ipc, const struct cmsghdr *c)
{
	const struct in_pktinfo *info = CMSG_DATA(c);

	if (c->cmsg_len != CMSG_LEN(sizeof(*info)))
		return -EINVAL;
	if (info->ipi_ifindex)
		ipc->oif = info->ipi_ifindex;
	ipc->addr = info->ipi_spec_dst.s_addr;
	return 0;
}

static int set_pktinfo6(struct ipcm_cookie *ipc, const struct cmsghdr *c)
{
	const struct in6_pktinfo *info = CMSG_DATA(c);

	if (c->cmsg_len < CMSG_LEN(sizeof(*info)) ||
	    !ipv6_addr_v4mapped(&info->ipi6_addr))
		return -EINVAL;
	if (info->ipi6_ifindex)
		ipc->oif = info->ipi6_ifindex;
	ipc->addr = info->ipi6_addr.s6_addr32[3];
	return 0;
}

static int set_ttl(struct ipcm_cookie *ipc, const struct cmsghdr *c)
{
	int ttl;

	if (c->cmsg_len != CMSG_LEN(sizeof(ttl)))
		return -EINVAL;
	ttl = *(const int *)CMSG_DATA(c);
	if (ttl < 1 || ttl > 255)
		return -EINVAL;
	ipc->ttl = ttl;
	return 0;
}

static int set_tos(struct ipcm_cookie *ipc, const struct cmsghdr *c)
{
	int tos;

	if (c->cmsg_len == CMSG_LEN(sizeof(int)))
		tos = *(const int *)CMSG_DATA(c);
	else if (c->cmsg_len == CMSG_LEN(sizeof(u8)))
		tos = *(const u8 *)CMSG_DATA(c);
	else
		return -EINVAL;
	if (tos < 0 || tos > 255)
		return -EINVAL;
	ipc->tos = tos;
	ipc->priority = rt_tos2priority(tos);
	return 0;
}

/* RFC 791 section 3.1: the options' end pads them to a multiple of four. */
static int set_options(struct net *net, struct ipcm_cookie *ipc,
		       struct ip_options_data *opt, const struct cmsghdr *c)
{
	unsigned int len = min_t(size_t, c->cmsg_len - sizeof(*c), 40);
	struct ip_options *o = &opt->opt.opt;

	memset(opt, 0, sizeof(*opt));
	memcpy(o->__data, CMSG_DATA(c), len);
	o->optlen = ALIGN(len, 4);
	if (len && ip_options_compile(net, o, NULL))
		return -EINVAL;
	ipc->opt = &opt->opt;
	return 0;
}

static int set_ip(struct net *net, struct ipcm_cookie *ipc,
		  struct ip_options_data *opt, const struct cmsghdr *c)
{
	switch (c->cmsg_type) {
	case IP_RETOPTS:
		return set_options(net, ipc, opt, c);
	case IP_PKTINFO:
		return set_pktinfo(ipc, c);
	case IP_TTL:
		return set_ttl(ipc, c);
	case IP_TOS:
		return set_tos(ipc, c);
	default:
		return -EINVAL;
	}
}

/* Levels that are not IP's or the socket's are others' affair. */
static int set_one(struct sock *sk, struct msghdr *msg, struct cmsghdr *c,
		   struct ipcm_cookie *ipc, struct ip_options_data *opt)
{
	switch (c->cmsg_level) {
	case SOL_SOCKET:
		return chalk_sock_cmsg(sk, msg, c, &ipc->sockc);
	case SOL_IP:
		return set_ip(sock_net(sk), ipc, opt, c);
	case SOL_IPV6:
		if (sk->sk_family == AF_INET6 && c->cmsg_type == IPV6_PKTINFO)
			return set_pktinfo6(ipc, c);
		return 0;
	case SOL_UDP: /* UDP_SEGMENT */
		return -EINVAL;
	default:
		return 0;
	}
}

/**
 * chalk_dgram_cmsg() - take the control messages
 * @sk:  the socket
 * @msg: has them
 * @ipc: what they ask for
 * @opt: memory for IP options, where @ipc will point if there are any
 */
int chalk_dgram_cmsg(struct sock *sk, struct msghdr *msg,
		     struct ipcm_cookie *ipc, struct ip_options_data *opt)
{
	struct cmsghdr *c;
	int err;

	for_each_cmsghdr(c, msg) {
		if (!CMSG_OK(msg, c))
			return -EINVAL;
		err = set_one(sk, msg, c, ipc, opt);
		if (err)
			return err;
	}
	return 0;
}
