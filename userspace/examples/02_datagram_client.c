// SPDX-License-Identifier: GPL-2.0
/*
 * 02_datagram_client.c - a datagram client: it sends a text and shows the answer
 *
 * Usage: 02_datagram_client ADDRESS PORT TEXT
 *
 * socket, sendto, recvfrom. A datagram may get lost, on the way there or back,
 * and nobody but the application repeats it: after a second without an answer
 * it asks again, three times in all.
 */
#include <errno.h>
#include <stdio.h>

#include "example.h"

#define TRIES 3

int main(int argc, char **argv)
{
	struct timeval patience = { .tv_sec = 1 };
	struct sockaddr_in server;
	char buf[65536];
	int fd, i;

	if (argc != 4)
		errx(2, "usage: 02_datagram_client ADDRESS PORT TEXT");
	server = address(argv[1], argv[2]);
	fd = socket(AF_CHALK, SOCK_DGRAM, CHALKPROTO_INET);
	if (fd < 0)
		err(1, "socket (is chalk.ko loaded?)");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)))
		err(1, "SO_RCVTIMEO");
	for (i = 0; i < TRIES; i++) {
		ssize_t got;

		if (sendto(fd, argv[3], strlen(argv[3]), 0,
			   (struct sockaddr *)&server, sizeof(server)) < 0)
			err(1, "sendto %s, port %s", argv[1], argv[2]);
		got = recvfrom(fd, buf, sizeof(buf), 0, NULL, NULL);
		if (got >= 0) {
			printf("%.*s\n", (int)got, buf);
			return 0;
		}
		if (errno != EAGAIN)
			err(1, "recvfrom");
	}
	errx(1, "no answer from %s, port %s", argv[1], argv[2]);
}
