// SPDX-License-Identifier: GPL-2.0
/*
 * sockets.c - the calls that a program over Chalk makes
 *
 * Without a choice to be made, socket() is all: where a program asks for TCP
 * over IPv4 or IPv6 it gets a Chalk stream, and if datagrams are wanted too,
 * Chalk's in the place of UDP. Any other socket is what it was. Addresses,
 * options and errors are those of TCP, so no other call needs to change.
 *
 * With --only or --ports a socket begins as TCP or UDP, and is exchanged, in
 * either direction, by the call that tells what it is for: bind, listen,
 * connect, or a send to an address.
 *
 * There is no way back to TCP in silence: where Chalk is not to be had, the
 * call fails, and the first time the reason is said.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "preload.h"

/*
 * OURS - the calls that are overridden; what each would have reached without us
 * is found before the program begins: to look for it takes locks, and a program
 * may connect in a signal handler.
 */
#define OURS(X)     \
	X(socket)   \
	X(bind)     \
	X(listen)   \
	X(connect)  \
	X(sendto)   \
	X(sendmsg)  \
	X(sendmmsg) \
	X(epoll_ctl)

static struct {
#define X(name) __typeof__(&name) name;
	OURS(X)
#undef X
} real;

/* Also for a library that makes sockets before our constructor has its turn. */
#define REAL(name)                                                         \
	({                                                                 \
		if (!real.name)                                            \
			real.name = (__typeof__(&name))next_symbol(#name); \
		real.name;                                                 \
	})

__attribute__((constructor)) static void start(void)
{
#define X(name) REAL(name);
	OURS(X)
#undef X
}

/**
 * our_call() - the function of this name that overrides the C library's
 * @name: of any function
 *
 * Return: NULL for a call that is not overridden.
 */
void *our_call(const char *name)
{
#define X(call)                   \
	if (!strcmp(name, #call)) \
		return (void *)call;
	OURS(X)
#undef X
	return NULL;
}

int real_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	return REAL(bind)(fd, addr, len);
}

int real_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
	return REAL(epoll_ctl)(epoll, op, fd, event);
}

EXPORT int epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
	descriptors_watched();
	return REAL(epoll_ctl)(epoll, op, fd, event);
}

/* --- what there is, and what stands for it --- */

static bool is_internet(int domain)
{
	return domain == AF_INET || domain == AF_INET6;
}

/* plain_protocol() - TCP or UDP if it is that, or stands for that, else 0 */
static int plain_protocol(int domain, int type, int protocol)
{
	if (!is_internet(domain))
		return 0;
	if (type == SOCK_STREAM &&
	    (!protocol || protocol == IPPROTO_TCP || protocol == IPPROTO_CHALK))
		return IPPROTO_TCP;
	if (type == SOCK_DGRAM && config()->dgram &&
	    (!protocol || protocol == IPPROTO_UDP ||
	     protocol == IPPROTO_CHALK_DGRAM))
		return IPPROTO_UDP;
	return 0;
}

static int chalk_protocol(int plain)
{
	return plain == IPPROTO_TCP ? IPPROTO_CHALK : IPPROTO_CHALK_DGRAM;
}

static bool is_chalk(int protocol)
{
	return protocol == IPPROTO_CHALK || protocol == IPPROTO_CHALK_DGRAM;
}

static const char *name_of(int protocol)
{
	switch (protocol) {
	case IPPROTO_CHALK:
		return "Chalk stream";
	case IPPROTO_CHALK_DGRAM:
		return "Chalk datagrams";
	default:
		return protocol == IPPROTO_UDP ? "UDP" : "TCP";
	}
}

static const char *ip_of(int domain)
{
	return domain == AF_INET ? "IPv4" : "IPv6";
}

/* --- making one --- */

static bool has_ipv4(int type, int protocol)
{
	int fd = REAL(socket)(AF_INET, type | SOCK_CLOEXEC, protocol);

	return fd >= 0 && !close(fd);
}

/*
 * explain() - there is no such socket; say why
 *
 * Return: the errno for the program. A Chalk that has no IPv6 looks like a
 * kernel that has none: programs know how to go on with IPv4.
 */
static int explain(int domain, int type, int protocol, int err)
{
	static bool said;

	if (err != EPROTONOSUPPORT && err != ESOCKTNOSUPPORT)
		return err;
	if (domain == AF_INET6 && has_ipv4(type, protocol)) {
		if (config()->verbose)
			say("no %s over IPv6", name_of(protocol));
		return EAFNOSUPPORT;
	}
	if (!__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
		say("no %s: chalk.ko is not loaded; run: modprobe chalk",
		    name_of(protocol));
	return err;
}

/**
 * make_socket() - socket(), with words where Chalk is not to be had
 * @domain:   as for socket()
 * @type:
 * @protocol:
 */
int make_socket(int domain, int type, int protocol)
{
	int fd = REAL(socket)(domain, type, protocol);

	if (fd < 0 && is_chalk(protocol))
		errno = explain(domain, type, protocol, errno);
	return fd;
}

EXPORT int socket(int domain, int type, int protocol)
{
	int bare = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	int plain = 0, fd;

	if (!is_chalk(protocol))
		plain = plain_protocol(domain, bare, protocol);
	if (plain && !config_is_selective())
		protocol = chalk_protocol(plain);
	fd = make_socket(domain, type, protocol);
	if (plain && fd >= 0 && config()->verbose)
		say("socket %d: %s over %s%s", fd, name_of(protocol ?: plain),
		    ip_of(domain),
		    config_is_selective() ? " until its use is known" : "");
	return fd;
}

/* --- changing one, as its use becomes known --- */

static int get_int(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) ? -1 : value;
}

static uint16_t port_in(const struct sockaddr *addr, socklen_t len)
{
	if (!addr || len < sizeof(struct sockaddr_in) ||
	    !is_internet(addr->sa_family))
		return 0;
	/* it is at the same place in both */
	return ntohs(((const struct sockaddr_in *)addr)->sin_port);
}

static uint16_t local_port(int fd)
{
	struct sockaddr_storage a = {};
	socklen_t len = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &len))
		return 0;
	return port_in((struct sockaddr *)&a, len);
}

/* A stream that is neither connected, nor on its way, nor listening. */
static bool is_closed(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) == 1 && p.revents & POLLHUP;
}

static const char *const use_names[] = {
	[USE_BIND] = "bound to",
	[USE_CONNECT] = "connects to",
	[USE_LISTEN] = "listens on",
};

/*
 * settle() - see to it that a descriptor has the transport its use asks for
 *
 * Return: 0, or -1 and errno.
 */
static int settle(int fd, enum use use, uint16_t local, uint16_t remote)
{
	int domain = get_int(fd, SO_DOMAIN), type = get_int(fd, SO_TYPE);
	int is = get_int(fd, SO_PROTOCOL), want;
	int plain = plain_protocol(domain, type, is);

	if (!plain || (type == SOCK_STREAM && !is_closed(fd)))
		return 0;
	want = plain;
	if (config_wants(type, use, local, remote))
		want = chalk_protocol(plain);
	if (config()->verbose && (want != is || use != USE_BIND))
		say("socket %d: %s over %s, %s port %d", fd, name_of(want),
		    ip_of(domain), use_names[use], remote ?: local);
	return want == is ? 0 : become(fd, domain, type, is, want);
}

EXPORT int bind(int fd, __CONST_SOCKADDR_ARG addr, socklen_t len)
{
	uint16_t port = port_in(addr.__sockaddr__, len);

	/* any port, and the ports matter: it will be seen later */
	if (config_is_selective() && (port || !config()->n_ports) &&
	    settle(fd, USE_BIND, port, 0))
		return -1;
	return REAL(bind)(fd, addr, len);
}

EXPORT int listen(int fd, int backlog)
{
	if (config_is_selective() && settle(fd, USE_LISTEN, local_port(fd), 0))
		return -1;
	return REAL(listen)(fd, backlog);
}

/* A call names the other end. */
static int settle_to(int fd, const struct sockaddr *addr, socklen_t len)
{
	uint16_t port = port_in(addr, len);

	if (!port)
		return 0;
	return settle(fd, USE_CONNECT, local_port(fd), port);
}

EXPORT int connect(int fd, __CONST_SOCKADDR_ARG addr, socklen_t len)
{
	if (config_is_selective() && settle_to(fd, addr.__sockaddr__, len))
		return -1;
	return REAL(connect)(fd, addr, len);
}

EXPORT ssize_t sendto(int fd, const void *buf, size_t n, int flags,
		      __CONST_SOCKADDR_ARG addr, socklen_t len)
{
	if (config_is_selective() && settle_to(fd, addr.__sockaddr__, len))
		return -1;
	return REAL(sendto)(fd, buf, n, flags, addr, len);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	if (config_is_selective() && msg &&
	    settle_to(fd, msg->msg_name, msg->msg_namelen))
		return -1;
	return REAL(sendmsg)(fd, msg, flags);
}

EXPORT int sendmmsg(int fd, struct mmsghdr *vec, unsigned int n, int flags)
{
	if (config_is_selective() && vec && n &&
	    settle_to(fd, vec->msg_hdr.msg_name, vec->msg_hdr.msg_namelen))
		return -1;
	return REAL(sendmmsg)(fd, vec, n, flags);
}
