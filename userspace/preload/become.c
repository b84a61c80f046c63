// SPDX-License-Identifier: GPL-2.0
/*
 * become.c - exchange a descriptor's socket for one of the other transport
 *
 * The program has made a socket, perhaps set options, bound it, had epoll watch
 * it, and holds its number. A new socket gets all of that and then takes the
 * place of the old one, in every descriptor of this process that means it.
 *
 * Only what differs from a newly made socket is copied; an option that the new
 * one does not take is said, once. What cannot be read back stays behind:
 * packet filters, memberships in groups, keys, and copies of the descriptor in
 * other processes.
 *
 * A program may call connect() in a signal handler, or behind a filter of
 * system calls (seccomp). So nothing here allocates from the heap or uses
 * stdio, and descriptors.c opens no file where a filter might kill for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#include "preload.h"

/* --- options --- */

/* Numbers that the headers of a C library may lack; include/uapi/linux. */
#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#endif
#ifndef SO_BUSY_POLL_BUDGET
#define SO_BUSY_POLL_BUDGET 70
#endif
#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif
#ifndef SO_RESERVE_MEM
#define SO_RESERVE_MEM 73
#endif
#ifndef SO_TXREHASH
#define SO_TXREHASH 74
#endif
#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif
#ifndef IP_RECVERR_RFC4884
#define IP_RECVERR_RFC4884 26
#endif
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif
#ifndef IPV6_RECVERR_RFC4884
#define IPV6_RECVERR_RFC4884 31
#endif
#ifndef TCP_TX_DELAY
#define TCP_TX_DELAY 37
#endif

static const struct option {
	int level, name;
} options[] = {
	{ SOL_SOCKET, SO_BINDTODEVICE },
	{ SOL_SOCKET, SO_BROADCAST },
	{ SOL_SOCKET, SO_BUSY_POLL },
	{ SOL_SOCKET, SO_BUSY_POLL_BUDGET },
	{ SOL_SOCKET, SO_DONTROUTE },
	{ SOL_SOCKET, SO_INCOMING_CPU },
	{ SOL_SOCKET, SO_KEEPALIVE },
	{ SOL_SOCKET, SO_LINGER },
	{ SOL_SOCKET, SO_MARK },
	{ SOL_SOCKET, SO_MAX_PACING_RATE },
	{ SOL_SOCKET, SO_NO_CHECK },
	{ SOL_SOCKET, SO_OOBINLINE },
	{ SOL_SOCKET, SO_PREFER_BUSY_POLL },
	{ SOL_SOCKET, SO_PRIORITY },
	{ SOL_SOCKET, SO_RCVBUF },
	{ SOL_SOCKET, SO_RCVLOWAT },
	{ SOL_SOCKET, SO_RCVMARK },
	{ SOL_SOCKET, SO_RCVTIMEO },
	{ SOL_SOCKET, SO_RESERVE_MEM },
	{ SOL_SOCKET, SO_REUSEADDR },
	{ SOL_SOCKET, SO_REUSEPORT },
	{ SOL_SOCKET, SO_RXQ_OVFL },
	{ SOL_SOCKET, SO_SELECT_ERR_QUEUE },
	{ SOL_SOCKET, SO_SNDBUF },
	{ SOL_SOCKET, SO_SNDTIMEO },
	{ SOL_SOCKET, SO_TIMESTAMP },
	{ SOL_SOCKET, SO_TIMESTAMPING },
	{ SOL_SOCKET, SO_TIMESTAMPNS },
	{ SOL_SOCKET, SO_TXREHASH },
	{ SOL_SOCKET, SO_TXTIME },
	{ SOL_SOCKET, SO_ZEROCOPY },
	{ SOL_SOCKET, SO_BUF_LOCK },
	{ SOL_IP, IP_BIND_ADDRESS_NO_PORT },
	{ SOL_IP, IP_CHECKSUM },
	{ SOL_IP, IP_FREEBIND },
	{ SOL_IP, IP_LOCAL_PORT_RANGE },
	{ SOL_IP, IP_MINTTL },
	{ SOL_IP, IP_MTU_DISCOVER },
	{ SOL_IP, IP_MULTICAST_ALL },
	{ SOL_IP, IP_MULTICAST_LOOP },
	{ SOL_IP, IP_MULTICAST_TTL },
	{ SOL_IP, IP_OPTIONS },
	{ SOL_IP, IP_PASSSEC },
	{ SOL_IP, IP_PKTINFO },
	{ SOL_IP, IP_RECVERR },
	{ SOL_IP, IP_RECVERR_RFC4884 },
	{ SOL_IP, IP_RECVFRAGSIZE },
	{ SOL_IP, IP_RECVOPTS },
	{ SOL_IP, IP_RECVORIGDSTADDR },
	{ SOL_IP, IP_RECVTOS },
	{ SOL_IP, IP_RECVTTL },
	{ SOL_IP, IP_RETOPTS },
	{ SOL_IP, IP_TOS },
	{ SOL_IP, IP_TRANSPARENT },
	{ SOL_IP, IP_TTL },
	{ SOL_IP, IP_UNICAST_IF },
	{ SOL_IPV6, IPV6_AUTOFLOWLABEL },
	{ SOL_IPV6, IPV6_DONTFRAG },
	{ SOL_IPV6, IPV6_FREEBIND },
	{ SOL_IPV6, IPV6_MINHOPCOUNT },
	{ SOL_IPV6, IPV6_MTU_DISCOVER },
	{ SOL_IPV6, IPV6_MULTICAST_ALL },
	{ SOL_IPV6, IPV6_MULTICAST_HOPS },
	{ SOL_IPV6, IPV6_MULTICAST_LOOP },
	{ SOL_IPV6, IPV6_RECVDSTOPTS },
	{ SOL_IPV6, IPV6_RECVERR },
	{ SOL_IPV6, IPV6_RECVERR_RFC4884 },
	{ SOL_IPV6, IPV6_RECVFRAGSIZE },
	{ SOL_IPV6, IPV6_RECVHOPLIMIT },
	{ SOL_IPV6, IPV6_RECVHOPOPTS },
	{ SOL_IPV6, IPV6_RECVORIGDSTADDR },
	{ SOL_IPV6, IPV6_RECVPATHMTU },
	{ SOL_IPV6, IPV6_RECVPKTINFO },
	{ SOL_IPV6, IPV6_RECVRTHDR },
	{ SOL_IPV6, IPV6_RECVTCLASS },
	{ SOL_IPV6, IPV6_TCLASS },
	{ SOL_IPV6, IPV6_TRANSPARENT },
	{ SOL_IPV6, IPV6_UNICAST_HOPS },
	{ SOL_IPV6, IPV6_UNICAST_IF },
	{ SOL_IPV6, IPV6_V6ONLY },
	{ SOL_TCP, TCP_CONGESTION },
	{ SOL_TCP, TCP_CORK },
	{ SOL_TCP, TCP_DEFER_ACCEPT },
	{ SOL_TCP, TCP_FASTOPEN },
	{ SOL_TCP, TCP_FASTOPEN_CONNECT },
	{ SOL_TCP, TCP_FASTOPEN_NO_COOKIE },
	{ SOL_TCP, TCP_INQ },
	{ SOL_TCP, TCP_KEEPCNT },
	{ SOL_TCP, TCP_KEEPIDLE },
	{ SOL_TCP, TCP_KEEPINTVL },
	{ SOL_TCP, TCP_LINGER2 },
	{ SOL_TCP, TCP_MAXSEG },
	{ SOL_TCP, TCP_NODELAY },
	{ SOL_TCP, TCP_NOTSENT_LOWAT },
	{ SOL_TCP, TCP_QUICKACK },
	{ SOL_TCP, TCP_SAVE_SYN },
	{ SOL_TCP, TCP_SYNCNT },
	{ SOL_TCP, TCP_THIN_DUPACK },
	{ SOL_TCP, TCP_THIN_LINEAR_TIMEOUTS },
	{ SOL_TCP, TCP_TX_DELAY },
	{ SOL_TCP, TCP_USER_TIMEOUT },
	{ SOL_TCP, TCP_WINDOW_CLAMP },
	{ SOL_UDP, UDP_CORK },
	{ SOL_UDP, UDP_GRO },
	{ SOL_UDP, UDP_NO_CHECK6_RX },
	{ SOL_UDP, UDP_NO_CHECK6_TX },
	{ SOL_UDP, UDP_SEGMENT },
};

#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

struct value {
	char bytes[64];
	socklen_t len;
};

static bool get_option(int fd, unsigned int i, struct value *v)
{
	v->len = sizeof(v->bytes);
	return !getsockopt(fd, options[i].level, options[i].name, v->bytes,
			   &v->len);
}

/* The kernel doubles the sizes of buffers it is given. */
static void undo_doubling(unsigned int i, struct value *v)
{
	int name = options[i].name, size;

	if (options[i].level != SOL_SOCKET ||
	    (name != SO_RCVBUF && name != SO_SNDBUF))
		return;
	memcpy(&size, v->bytes, sizeof(size));
	size /= 2;
	memcpy(v->bytes, &size, sizeof(size));
}

/* Each option once in a process: a program has many sockets. */
static void say_lost(int fd, unsigned int i, const char *why)
{
	static bool said[N_OPTIONS];

	if (!__atomic_exchange_n(&said[i], true, __ATOMIC_RELAXED))
		say("socket %d: option %d of level %d is lost: %s", fd,
		    options[i].name, options[i].level, why);
}

static bool is_same(const struct value *a, const struct value *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

/* Those that are not as on @fresh, which is like @old but newly made. */
static void copy_options(int old, int fresh, int new)
{
	unsigned int i;

	for (i = 0; i < N_OPTIONS; i++) {
		struct value is, was, made, set;

		if (!get_option(old, i, &is) || !get_option(fresh, i, &was) ||
		    is_same(&is, &was))
			continue;
		set = is;
		undo_doubling(i, &set);
		if (setsockopt(new, options[i].level, options[i].name,
			       set.bytes, set.len))
			say_lost(old, i, strerrordesc_np(errno));
		else if (get_option(new, i, &made) && !is_same(&made, &is))
			say_lost(old, i, "it has another value now");
	}
}

/* A filter can be counted, but not moved. */
static void say_filter(int old)
{
	static bool said;
	socklen_t len = 0;

	if (!getsockopt(old, SOL_SOCKET, SO_GET_FILTER, NULL, &len) && len &&
	    !__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
		say("socket %d: its packet filter is lost", old);
}

static int copy_name(int old, int new)
{
	struct sockaddr_storage name = {};
	static const struct sockaddr_storage none;
	socklen_t len = sizeof(name);
	sa_family_t family;

	if (getsockname(old, (struct sockaddr *)&name, &len))
		return -1;
	family = name.ss_family;
	name.ss_family = 0;
	if (!memcmp(&name, &none, sizeof(name)))
		return 0;
	name.ss_family = family;
	return real_bind(new, (struct sockaddr *)&name, len);
}

static void copy_flags(int old, int new)
{
	struct f_owner_ex owner;

	if (!fcntl(old, F_GETOWN_EX, &owner) && owner.pid) {
		fcntl(new, F_SETOWN_EX, &owner);
		fcntl(new, F_SETSIG, fcntl(old, F_GETSIG));
	}
	fcntl(new, F_SETFL, fcntl(old, F_GETFL));
}

/* --- */

static int prepare(int old, int fresh, int new)
{
	copy_options(old, fresh, new);
	say_filter(old);
	if (copy_name(old, new))
		return -1;
	copy_flags(old, new);
	return descriptors_move(old, new);
}

/**
 * become() - exchange the socket of a descriptor
 * @fd:     the descriptor; its socket is neither connected nor listening
 * @domain: its SO_DOMAIN
 * @type:   its SO_TYPE
 * @from:   its SO_PROTOCOL
 * @to:     what that is to be
 *
 * Return: 0, or -1 and errno, and nothing has changed.
 */
int become(int fd, int domain, int type, int from, int to)
{
	int fresh = make_socket(domain, type | SOCK_CLOEXEC, from);
	int new = make_socket(domain, type | SOCK_CLOEXEC, to);
	int err = -1, saved;

	if (fresh >= 0 && new >= 0)
		err = prepare(fd, fresh, new);
	saved = errno;
	if (fresh >= 0)
		close(fresh);
	if (new >= 0)
		close(new);
	errno = saved;
	return err;
}
