// SPDX-License-Identifier: GPL-2.0
/*
 * 02_datagram_server.c - a datagram server: it sends back what it receives
 *
 * Usage: 02_datagram_server PORT
 *
 * socket, bind; then recvfrom and sendto in an endless loop. There are no
 * connections: each datagram says whom it is from, and one socket serves all.
 */
#include "example.h"

int main(int argc, char **argv)
{
	struct sockaddr_in here;
	int fd;

	if (argc != 2)
		errx(2, "usage: 02_datagram_server PORT");
	here = address(NULL, argv[1]);
	fd = socket(AF_CHALK, SOCK_DGRAM, CHALKPROTO_INET);
	if (fd < 0)
		err(1, "socket (is chalk.ko loaded?)");
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)))
		err(1, "bind to port %s", argv[1]);
	for (;;) {
		char buf[65536];
		struct sockaddr_in client;
		socklen_t len = sizeof(client);
		ssize_t got = recvfrom(fd, buf, sizeof(buf), 0,
				       (struct sockaddr *)&client, &len);

		/* an error that ICMP brought is about one client only */
		if (got < 0)
			warn("recvfrom");
		else if (sendto(fd, buf, got, 0, (struct sockaddr *)&client,
				len) < 0)
			warn("sendto");
	}
}
