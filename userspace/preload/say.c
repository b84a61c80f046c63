// SPDX-License-Identifier: GPL-2.0
/*
 * say.c - lines for the user, on the standard error of whatever program this is
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "preload.h"

/* Descriptor 2 of a daemon may be anything, a connection for example. */
static bool stderr_is_network(void)
{
	int domain = 0;
	socklen_t len = sizeof(domain);

	return !getsockopt(STDERR_FILENO, SOL_SOCKET, SO_DOMAIN, &domain,
			   &len) &&
	       (domain == AF_INET || domain == AF_INET6);
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
	if (stderr_is_network() || write(STDERR_FILENO, line, strlen(line)) < 0)
		line[0] = 0; /* nobody can be told */
	errno = saved;
}
