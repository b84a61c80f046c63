// SPDX-License-Identifier: GPL-2.0
/*
 * 03_web_client.c - a small web client: it shows one page
 *
 * Usage: 03_web_client ADDRESS PORT NAME
 *
 * The page goes to standard output, the status line to standard error. The exit
 * status is 0 only if the server said 200.
 */
#include <stdio.h>

#include "example.h"

static int ask(int fd, const char *host, const char *name)
{
	char request[1024];
	int n = snprintf(request, sizeof(request),
			 "GET /%s HTTP/1.0\r\nHost: %s\r\n\r\n", name, host);

	if (n >= (int)sizeof(request))
		errx(2, "the name is too long");
	return send_all(fd, request, n);
}

/* The page ends with the connection. Return: the status. */
static int show(int fd)
{
	char buf[8192], *end;
	int status = 0;
	size_t have;
	ssize_t got;

	end = recv_until(fd, buf, sizeof(buf), "\r\n\r\n", &have);
	if (!end || sscanf(buf, "HTTP/%*s %d", &status) != 1)
		errx(1, "this is no answer of HTTP");
	fprintf(stderr, "%.*s\n", (int)strcspn(buf, "\r"), buf);
	end += strlen("\r\n\r\n");
	fwrite(end, 1, buf + have - end, stdout);
	while ((got = recv(fd, buf, sizeof(buf), 0)) > 0)
		fwrite(buf, 1, got, stdout);
	if (got < 0)
		err(1, "recv");
	return status;
}

int main(int argc, char **argv)
{
	struct sockaddr_in server;
	int fd;

	if (argc != 4)
		errx(2, "usage: 03_web_client ADDRESS PORT NAME");
	server = address(argv[1], argv[2]);
	fd = socket(AF_CHALK, SOCK_STREAM, CHALKPROTO_INET);
	if (fd < 0)
		err(1, "socket (is chalk.ko loaded?)");
	if (connect(fd, (struct sockaddr *)&server, sizeof(server)))
		err(1, "connect to %s, port %s", argv[1], argv[2]);
	if (ask(fd, argv[1], argv[3]))
		err(1, "send");
	return show(fd) != 200;
}
