// SPDX-License-Identifier: GPL-2.0
/*
 * 01_echo_client.c - a stream client: it sends a text and shows the answer
 *
 * Usage: 01_echo_client ADDRESS PORT TEXT
 *
 * socket, connect, send; shutdown says that no more will come (our FIN), and
 * recv returns 0 once the server has said the same.
 */
#include <stdio.h>

#include "example.h"

int main(int argc, char **argv)
{
	struct sockaddr_in server;
	char buf[4096];
	ssize_t got;
	int fd;

	if (argc != 4)
		errx(2, "usage: 01_echo_client ADDRESS PORT TEXT");
	server = address(argv[1], argv[2]);
	fd = socket(AF_CHALK, SOCK_STREAM, CHALKPROTO_INET);
	if (fd < 0)
		err(1, "socket (is chalk.ko loaded?)");
	if (connect(fd, (struct sockaddr *)&server, sizeof(server)))
		err(1, "connect to %s, port %s", argv[1], argv[2]);
	if (send_all(fd, argv[3], strlen(argv[3])))
		err(1, "send");
	if (shutdown(fd, SHUT_WR))
		err(1, "shutdown");
	while ((got = recv(fd, buf, sizeof(buf), 0)) > 0)
		fwrite(buf, 1, got, stdout);
	if (got < 0)
		err(1, "recv");
	putchar('\n');
	close(fd);
	return 0;
}
