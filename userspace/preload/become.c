// SPDX-License-Identifier: GPL-2.0
/*
 * become.c - exchange a descriptor's socket for one of the other transport
 *
 * The program has made a socket, perhaps set options, bound it, had epoll watch
 * it, and holds its number. A new socket gets all of that and then takes the
 * place of the old one, in every descriptor of this process that means it.
 *
 * Only what differs from a newly made socket is copied. What cannot be read
 * back stays behind: packet filters, memberships in groups, keys, and copies of
 * the descriptor in other processes.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "preload.h"

/* --- options --- */

static const struct {
	int level, name;
} options[] = {
	{ SOL_SOCKET, SO_BINDTODEVICE },
	{ SOL_SOCKET, SO_BROADCAST },
	{ SOL_SOCKET, SO_BUSY_POLL },
	{ SOL_SOCKET, SO_DONTROUTE },
	{ SOL_SOCKET, SO_INCOMING_CPU },
	{ SOL_SOCKET, SO_KEEPALIVE },
	{ SOL_SOCKET, SO_LINGER },
	{ SOL_SOCKET, SO_MARK },
	{ SOL_SOCKET, SO_MAX_PACING_RATE },
	{ SOL_SOCKET, SO_OOBINLINE },
	{ SOL_SOCKET, SO_PRIORITY },
	{ SOL_SOCKET, SO_RCVBUF },
	{ SOL_SOCKET, SO_RCVLOWAT },
	{ SOL_SOCKET, SO_RCVTIMEO },
	{ SOL_SOCKET, SO_REUSEADDR },
	{ SOL_SOCKET, SO_REUSEPORT },
	{ SOL_SOCKET, SO_SNDBUF },
	{ SOL_SOCKET, SO_SNDTIMEO },
	{ SOL_SOCKET, SO_TIMESTAMP },
	{ SOL_SOCKET, SO_TIMESTAMPNS },
	{ SOL_IP, IP_BIND_ADDRESS_NO_PORT },
	{ SOL_IP, IP_FREEBIND },
	{ SOL_IP, IP_MINTTL },
	{ SOL_IP, IP_MTU_DISCOVER },
	{ SOL_IP, IP_MULTICAST_LOOP },
	{ SOL_IP, IP_MULTICAST_TTL },
	{ SOL_IP, IP_OPTIONS },
	{ SOL_IP, IP_PKTINFO },
	{ SOL_IP, IP_RECVERR },
	{ SOL_IP, IP_RECVTOS },
	{ SOL_IP, IP_RECVTTL },
	{ SOL_IP, IP_TOS },
	{ SOL_IP, IP_TRANSPARENT },
	{ SOL_IP, IP_TTL },
	{ SOL_IPV6, IPV6_FREEBIND },
	{ SOL_IPV6, IPV6_MTU_DISCOVER },
	{ SOL_IPV6, IPV6_MULTICAST_HOPS },
	{ SOL_IPV6, IPV6_MULTICAST_LOOP },
	{ SOL_IPV6, IPV6_RECVERR },
	{ SOL_IPV6, IPV6_RECVPKTINFO },
	{ SOL_IPV6, IPV6_TCLASS },
	{ SOL_IPV6, IPV6_TRANSPARENT },
	{ SOL_IPV6, IPV6_UNICAST_HOPS },
	{ SOL_IPV6, IPV6_V6ONLY },
	{ SOL_TCP, TCP_CONGESTION },
	{ SOL_TCP, TCP_CORK },
	{ SOL_TCP, TCP_DEFER_ACCEPT },
	{ SOL_TCP, TCP_FASTOPEN },
	{ SOL_TCP, TCP_FASTOPEN_CONNECT },
	{ SOL_TCP, TCP_KEEPCNT },
	{ SOL_TCP, TCP_KEEPIDLE },
	{ SOL_TCP, TCP_KEEPINTVL },
	{ SOL_TCP, TCP_LINGER2 },
	{ SOL_TCP, TCP_MAXSEG },
	{ SOL_TCP, TCP_NODELAY },
	{ SOL_TCP, TCP_NOTSENT_LOWAT },
	{ SOL_TCP, TCP_QUICKACK },
	{ SOL_TCP, TCP_SYNCNT },
	{ SOL_TCP, TCP_USER_TIMEOUT },
	{ SOL_TCP, TCP_WINDOW_CLAMP },
};

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

/* Those that are not as on @fresh, which is like @old but newly made. */
static void copy_options(int old, int fresh, int new)
{
	unsigned int i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct value is, was;

		if (!get_option(old, i, &is) || !get_option(fresh, i, &was) ||
		    (is.len == was.len && !memcmp(is.bytes, was.bytes, is.len)))
			continue;
		undo_doubling(i, &is);
		if (setsockopt(new, options[i].level, options[i].name, is.bytes,
			       is.len) &&
		    config()->verbose)
			say("socket %d: option %d of level %d is lost: %s", old,
			    options[i].name, options[i].level, strerror(errno));
	}
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

/* --- descriptors --- */

/* What epolls have been told about a descriptor. */
struct watch {
	int epoll;
	struct epoll_event event;
};

/* Of one descriptor; epolls beyond these forget it. */
struct watches {
	struct watch w[16];
	unsigned int n;
};

static bool link_of(int fd, char *buf, size_t size)
{
	char path[32];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, buf, size - 1);
	buf[n > 0 ? n : 0] = 0;
	return n > 0;
}

/* Find @fd among what @epoll watches, and take it out. */
static void unwatch(int epoll, int fd, struct watches *list)
{
	char path[40], line[256];
	FILE *info;
	int watched;
	unsigned int events;
	unsigned long long data;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epoll);
	info = fopen(path, "re");
	if (!info)
		return;
	while (list->n < 16 && fgets(line, sizeof(line), info)) {
		struct watch *w = &list->w[list->n];

		if (sscanf(line, "tfd: %d events: %x data: %llx", &watched,
			   &events, &data) != 3 ||
		    watched != fd || epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL))
			continue;
		w->epoll = epoll;
		w->event.events = events;
		w->event.data.u64 = data;
		list->n++;
	}
	fclose(info);
}

static int next_fd(DIR *dir)
{
	struct dirent *entry;

	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			return atoi(entry->d_name);
	return -1;
}

static void unwatch_everywhere(DIR *dir, int fd, struct watches *list)
{
	char link[64];
	int other;

	rewinddir(dir);
	while ((other = next_fd(dir)) >= 0)
		if (link_of(other, link, sizeof(link)) &&
		    !strcmp(link, "anon_inode:[eventpoll]"))
			unwatch(other, fd, list);
}

/* Let @fd mean @new from now on, for epoll too. */
static int replace(DIR *dir, int fd, int new)
{
	int cloexec = fcntl(fd, F_GETFD) & FD_CLOEXEC ? O_CLOEXEC : 0;
	struct watches list = { .n = 0 };
	unsigned int i;

	if (dir)
		unwatch_everywhere(dir, fd, &list);
	if (dup3(new, fd, cloexec) < 0)
		return -1;
	for (i = 0; i < list.n; i++)
		epoll_ctl(list.w[i].epoll, EPOLL_CTL_ADD, fd, &list.w[i].event);
	return 0;
}

/* The next descriptor that means the socket called @name, or -1. */
static int next_of(DIR *dir, const char *name)
{
	char link[64];
	int fd;

	rewinddir(dir);
	while ((fd = next_fd(dir)) >= 0)
		if (link_of(fd, link, sizeof(link)) && !strcmp(link, name))
			return fd;
	return -1;
}

static int replace_all(int old, int new)
{
	DIR *dir = opendir("/proc/self/fd");
	char name[64];
	int other, err;

	if (!dir || !link_of(old, name, sizeof(name)))
		name[0] = 0;
	err = replace(dir, old, new);
	while (!err && name[0] && (other = next_of(dir, name)) >= 0)
		err = replace(dir, other, new);
	if (dir)
		closedir(dir);
	return err;
}

/* --- */

static int prepare(int old, int fresh, int new)
{
	copy_options(old, fresh, new);
	if (copy_name(old, new))
		return -1;
	copy_flags(old, new);
	return replace_all(old, new);
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
