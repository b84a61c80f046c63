// SPDX-License-Identifier: GPL-2.0
/*
 * chalk_preload.c - let a program's TCP sockets be Chalk's
 *
 * Loaded into programs by "chalk run", by way of LD_PRELOAD. Owns the socket()
 * that they then call: where they ask for TCP over IPv4 or IPv6 they get a
 * Chalk stream, with CHALK_RUN_DGRAM=1 Chalk datagrams in place of UDP as well.
 * Any other socket is what it was. Addresses, options and errors of Chalk are
 * those of TCP, so no other call needs to change.
 *
 * There is no way back to TCP in silence: where Chalk is not to be had, socket()
 * fails, and the first time the reason is said.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chalk.h"

#define EXPORT __attribute__((visibility("default")))

/* IP protocol number of datagrams. */
#ifndef IPPROTO_CHALK_DGRAM
#define IPPROTO_CHALK_DGRAM 254
#endif

/* What chalk run was told, and the calls that are overridden. */
static struct {
	bool dgram;
	bool verbose;
	int (*socket)(int domain, int type, int protocol);
} run;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && !strcmp(value, "1");
}

static void configure(void)
{
	run.dgram = is_set("CHALK_RUN_DGRAM");
	run.verbose = is_set("CHALK_RUN_VERBOSE");
	run.socket = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
}

/* Early, as long as the environment is the one chalk run has made. */
__attribute__((constructor)) static void start(void)
{
	pthread_once(&once, configure);
}

/* Descriptor 2 of a daemon may be anything, a connection for example. */
static bool stderr_is_network(void)
{
	int domain = 0;
	socklen_t len = sizeof(domain);

	return !getsockopt(STDERR_FILENO, SOL_SOCKET, SO_DOMAIN, &domain,
			   &len) &&
	       (domain == AF_INET || domain == AF_INET6);
}

/* say() - a line on standard error; errno stays */
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	int saved = errno;
	char line[256];
	size_t n;
	va_list args;

	snprintf(line, sizeof(line) - 1,
		 "chalk run: %s[%d]: ", program_invocation_short_name,
		 getpid());
	n = strlen(line);
	va_start(args, format);
	vsnprintf(line + n, sizeof(line) - 1 - n, format, args);
	va_end(args);
	strcat(line, "\n");
	if (!stderr_is_network() &&
	    write(STDERR_FILENO, line, strlen(line)) < 0)
		errno = 0; /* nobody listens; it was only words */
	errno = saved;
}

/* chalk_protocol() - what stands for this kind of socket, or 0: not our matter */
static int chalk_protocol(int domain, int type, int protocol)
{
	type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (domain != AF_INET && domain != AF_INET6)
		return 0;
	if (type == SOCK_STREAM && (!protocol || protocol == IPPROTO_TCP))
		return IPPROTO_CHALK;
	if (type == SOCK_DGRAM && (!protocol || protocol == IPPROTO_UDP))
		return run.dgram ? IPPROTO_CHALK_DGRAM : 0;
	return 0;
}

static const char *kind_of(int protocol)
{
	return protocol == IPPROTO_CHALK ? "stream" : "datagram";
}

static const char *ip_of(int domain)
{
	return domain == AF_INET ? "IPv4" : "IPv6";
}

/*
 * explain() - socket() has failed; say why
 *
 * Return: the errno for the program. A Chalk that has no IPv6 looks like a
 * kernel that has none: programs know how to go on with IPv4.
 */
static int explain(int domain, int protocol, int err)
{
	static bool said;

	if (err != EPROTONOSUPPORT && err != ESOCKTNOSUPPORT)
		return err;
	if (domain == AF_INET6) {
		if (run.verbose)
			say("this chalk.ko has no %s over IPv6",
			    kind_of(protocol));
		return EAFNOSUPPORT;
	}
	if (!__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
		say("chalk.ko is not loaded, or has no %ss; run: insmod chalk.ko",
		    kind_of(protocol));
	return err;
}

EXPORT int socket(int domain, int type, int protocol)
{
	int chalk, fd;

	pthread_once(&once, configure);
	chalk = chalk_protocol(domain, type, protocol);
	fd = run.socket(domain, type, chalk ? chalk : protocol);
	if (!chalk)
		return fd;
	if (fd < 0)
		errno = explain(domain, chalk, errno);
	else if (run.verbose)
		say("socket %d is a Chalk %s over %s", fd, kind_of(chalk),
		    ip_of(domain));
	return fd;
}
