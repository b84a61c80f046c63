// SPDX-License-Identifier: GPL-2.0
/*
 * say.c - lines for the user, on the standard error of whatever program this is
 *
 * A program may close descriptor 2 and open something else, which gets the
 * number: its data base, a connection. So only what was descriptor 2 when the
 * program began is written to, and no signal comes of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "preload.h"

static struct stat known;
static bool is_known;

__attribute__((constructor)) static void start(void)
{
	is_known = !fstat(STDERR_FILENO, &known);
}

/* The standard error of a daemon may be a connection from the beginning. */
static bool is_network(void)
{
	int domain = 0;
	socklen_t len = sizeof(domain);

	return !getsockopt(STDERR_FILENO, SOL_SOCKET, SO_DOMAIN, &domain,
			   &len) &&
	       (domain == AF_INET || domain == AF_INET6);
}

static bool is_ours(void)
{
	struct stat now;

	return is_known && !fstat(STDERR_FILENO, &now) &&
	       now.st_dev == known.st_dev && now.st_ino == known.st_ino &&
	       now.st_rdev == known.st_rdev && !is_network();
}

/* A pipe that nobody reads any more would end the program. */
static void write_quietly(const char *line)
{
	static const struct timespec at_once;
	sigset_t pipe, before, pending;
	bool waits;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigpending(&pending);
	waits = sigismember(&pending, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, &before);
	if (write(STDERR_FILENO, line, strlen(line)) < 0 && errno == EPIPE &&
	    !waits)
		sigtimedwait(&pipe, NULL, &at_once);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/**
 * say() - a line with the program's name in front, in one piece
 * @format: as for printf(), without newline
 *
 * errno stays what it was.
 */
void say(const char *format, ...)
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
	if (is_ours())
		write_quietly(line);
	errno = saved;
}
