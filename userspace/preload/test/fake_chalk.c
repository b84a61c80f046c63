// SPDX-License-Identifier: GPL-2.0
/*
 * fake_chalk.c - a kernel that has Chalk, as far as socket() can tell
 *
 * For tests on a host that cannot load chalk.ko; comes behind
 * libchalk-preload.so in LD_PRELOAD. A socket of protocol 253 or 254 is really
 * one of TCP or UDP, but SO_PROTOCOL gives the number that was asked for.
 * FAKE_CHALK says what the module has: "full", "v4", or else nothing. FAKE_LACKS
 * is the number of an option that it does not have.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

static struct {
	ino_t socket;
	int protocol;
} chalks[256];
static unsigned int count;

static ino_t inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

static bool has(int domain)
{
	const char *mode = getenv("FAKE_CHALK");

	return mode && (!strcmp(mode, "full") ||
			(!strcmp(mode, "v4") && domain == AF_INET));
}

int socket(int domain, int type, int protocol)
{
	int (*next)(int, int, int) = dlsym(RTLD_NEXT, "socket");
	bool chalk = protocol == 253 || protocol == 254;
	int fd;

	if (chalk && !has(domain)) {
		errno = EPROTONOSUPPORT;
		return -1;
	}
	fd = next(domain, type, chalk ? 0 : protocol);
	if (chalk && fd >= 0 && count < sizeof(chalks) / sizeof(chalks[0])) {
		chalks[count].socket = inode(fd);
		chalks[count++].protocol = protocol;
	}
	return fd;
}

/* Each transport has ports of its own: let two sockets share one here. */
int bind(int fd, __CONST_SOCKADDR_ARG addr, socklen_t len)
{
	int (*next)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT,
								     "bind");
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	return next(fd, addr.__sockaddr__, len);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	int (*next)(int, int, int, const void *,
		    socklen_t) = dlsym(RTLD_NEXT, "setsockopt");
	const char *lacks = getenv("FAKE_LACKS");
	unsigned int i;

	for (i = 0; lacks && atoi(lacks) == name && i < count; i++)
		if (chalks[i].socket == inode(fd)) {
			errno = EOPNOTSUPP;
			return -1;
		}
	return next(fd, level, name, value, len);
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	int (*next)(int, int, int, void *, socklen_t *) = dlsym(RTLD_NEXT,
								"getsockopt");
	int err = next(fd, level, name, value, len);
	unsigned int i;

	if (err || level != SOL_SOCKET || name != SO_PROTOCOL)
		return err;
	for (i = 0; i < count; i++)
		if (chalks[i].socket == inode(fd))
			memcpy(value, &chalks[i].protocol, *len);
	return 0;
}
