/* SPDX-License-Identifier: GPL-2.0 */
/*
 * example.h - what the examples have in common: addresses, and whole messages
 *
 * The calls of the socket interface themselves stand in each of them.
 */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <arpa/inet.h>
#include <err.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chalk.h"

/**
 * host_address() - what a name stands for
 * @name: "10.0.2.1", "localhost"
 */
static inline struct in_addr host_address(const char *name)
{
	const struct addrinfo hints = { .ai_family = AF_INET };
	struct addrinfo *found;
	struct in_addr ip;
	int error = getaddrinfo(name, NULL, &hints, &found);

	if (error)
		errx(1, "%s: %s", name, gai_strerror(error));
	ip = ((struct sockaddr_in *)found->ai_addr)->sin_addr;
	freeaddrinfo(found);
	return ip;
}

/**
 * address() - of an application: its host and its port
 * @host: "10.0.2.1", or NULL: all addresses of this host
 * @port: "7000"
 */
static inline struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	char *end;
	unsigned long number = strtoul(port, &end, 10);

	if (*end || !number || number > 65535)
		errx(2, "%s: not a port", port);
	a.sin_port = htons(number);
	if (host)
		a.sin_addr = host_address(host);
	return a;
}

/**
 * send_all() - send() may take less than it is given
 * @fd:   a connected socket
 * @data: what to send
 * @n:    how many bytes
 *
 * Return: 0, or -1 and errno.
 */
static inline int send_all(int fd, const char *data, size_t n)
{
	while (n > 0) {
		ssize_t took = send(fd, data, n, MSG_NOSIGNAL);

		if (took < 0)
			return -1;
		data += took;
		n -= took;
	}
	return 0;
}

/**
 * recv_until() - receive until a text has come; a stream keeps no boundaries
 * @fd:   a connected socket
 * @buf:  takes all that has come, and a 0 behind it
 * @size: of @buf
 * @end:  the text
 * @got:  set to how many bytes came, @end and more included
 *
 * Return: where @end begins, or NULL: the stream ended before, or did not fit.
 */
static inline char *recv_until(int fd, char *buf, size_t size, const char *end,
			       size_t *got)
{
	char *found = NULL;

	*got = 0;
	while (!found && *got < size - 1) {
		ssize_t n = recv(fd, buf + *got, size - 1 - *got, 0);

		if (n <= 0)
			return NULL;
		*got += n;
		buf[*got] = 0;
		found = strstr(buf, end);
	}
	return found;
}

#endif /* EXAMPLE_H */
