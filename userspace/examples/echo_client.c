// SPDX-License-Identifier: GPL-2.0
/*
 * echo_client.c - a client of Chalk: it sends a text and shows the answer
 *
 * Usage: echo_client ADDRESS PORT TEXT
 *
 * socket, connect, send; shutdown says that no more will come (our FIN), and
 * recv returns 0 once the server has said the same.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chalk.h"

int main(int argc, char **argv)
{
	struct sockaddr_in server = { .sin_family = AF_INET };
	int fd = socket(AF_CHALK, SOCK_STREAM, CHALKPROTO_INET);
	char buf[4096];
	ssize_t got;

	if (argc != 4 || inet_pton(AF_INET, argv[1], &server.sin_addr) != 1)
		errx(2, "usage: echo_client ADDRESS PORT TEXT");
	if (fd < 0)
		err(1, "socket (is chalk.ko loaded?)");
	server.sin_port = htons(atoi(argv[2]));
	if (connect(fd, (struct sockaddr *)&server, sizeof(server)))
		err(1, "connect to %s, port %s", argv[1], argv[2]);
	if (send(fd, argv[3], strlen(argv[3]), 0) < 0)
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
