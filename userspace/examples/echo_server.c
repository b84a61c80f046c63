// SPDX-License-Identifier: GPL-2.0
/*
 * echo_server.c - a server of Chalk: it sends back what it receives
 *
 * Usage: echo_server PORT
 *
 * socket, bind, listen, accept; then recv and send on the socket that accept
 * gave, until the client closes. One client at a time, for ever.
 */
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chalk.h"

/* send_all() - send() may take less than it is given */
static int send_all(int fd, const char *p, ssize_t left)
{
	while (left > 0) {
		ssize_t n = send(fd, p, left, MSG_NOSIGNAL);

		if (n < 0)
			return -1;
		p += n;
		left -= n;
	}
	return 0;
}

static void serve(int client)
{
	char buf[4096];
	ssize_t got;

	while ((got = recv(client, buf, sizeof(buf), 0)) > 0)
		if (send_all(client, buf, got))
			break;
	if (got)
		warn("connection");
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int fd = socket(AF_CHALK, SOCK_STREAM, CHALKPROTO_INET);

	if (argc != 2)
		errx(2, "usage: echo_server PORT");
	if (fd < 0)
		err(1, "socket (is chalk.ko loaded?)");
	addr.sin_port = htons(atoi(argv[1]));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "bind to port %s", argv[1]);
	if (listen(fd, 16))
		err(1, "listen");
	for (;;) {
		int client = accept(fd, NULL, NULL);

		if (client < 0)
			err(1, "accept");
		serve(client);
		close(client);
	}
}
