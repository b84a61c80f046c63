// SPDX-License-Identifier: GPL-2.0
/*
 * 05_chat_client.c - what is typed goes to the server, what comes is shown
 *
 * Usage: 05_chat_client ADDRESS PORT
 *
 * poll waits for both, the keyboard and the socket. At the end of its input the
 * client leaves.
 */
#include <poll.h>
#include <stdio.h>

#include "example.h"

static void chat(int fd)
{
	struct pollfd both[] = { { .fd = STDIN_FILENO, .events = POLLIN },
				 { .fd = fd, .events = POLLIN } };
	char text[4096];
	ssize_t n;

	for (;;) {
		if (poll(both, 2, -1) < 0)
			err(1, "poll");
		if (both[1].revents) {
			n = recv(fd, text, sizeof(text), 0);
			if (n < 0)
				err(1, "recv");
			if (!n)
				errx(1, "the server has gone");
			fwrite(text, 1, n, stdout);
			fflush(stdout);
		}
		if (both[0].revents) {
			n = read(STDIN_FILENO, text, sizeof(text));
			if (n < 0)
				err(1, "read");
			if (!n)
				return;
			if (send_all(fd, text, n))
				err(1, "send");
		}
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in server;
	int fd;

	if (argc != 3)
		errx(2, "usage: 05_chat_client ADDRESS PORT");
	server = address(argv[1], argv[2]);
	fd = socket(AF_CHALK, SOCK_STREAM, CHALKPROTO_INET);
	if (fd < 0)
		err(1, "socket (is chalk.ko loaded?)");
	if (connect(fd, (struct sockaddr *)&server, sizeof(server)))
		err(1, "connect to %s, port %s", argv[1], argv[2]);
	chat(fd);
	close(fd);
	return 0;
}
