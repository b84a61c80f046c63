// SPDX-License-Identifier: GPL-2.0
/*
 * 01_echo_server.c - a stream server: it sends back what it receives
 *
 * Usage: 01_echo_server PORT
 *
 * socket, bind, listen, accept; then recv and send on the socket that accept
 * gave, until the client closes. One client at a time, for ever.
 */
#include "example.h"

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
	struct sockaddr_in here;
	int fd, on = 1;

	if (argc != 2)
		errx(2, "usage: 01_echo_server PORT");
	here = address(NULL, argv[1]);
	fd = socket(AF_CHALK, SOCK_STREAM, CHALKPROTO_INET);
	if (fd < 0)
		err(1, "socket (is chalk.ko loaded?)");
	/* a server that is started again need not wait for TIME_WAIT to end */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		err(1, "SO_REUSEADDR");
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)))
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
