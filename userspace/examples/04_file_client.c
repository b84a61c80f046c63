// SPDX-License-Identifier: GPL-2.0
/*
 * 04_file_client.c - send a file
 *
 * Usage: 04_file_client ADDRESS PORT FILE
 *
 * Sends a line "NAME SIZE", then the bytes; done when the server says "OK".
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "example.h"

static int send_file(int fd, const char *path, int file)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	char buf[65536];
	struct stat st;
	ssize_t got;
	int n;

	if (fstat(file, &st))
		err(1, "%s", path);
	n = snprintf(buf, sizeof(buf), "%s %lld\n", name,
		     (long long)st.st_size);
	if (send_all(fd, buf, n))
		return -1;
	while ((got = read(file, buf, sizeof(buf))) > 0)
		if (send_all(fd, buf, got))
			return -1;
	if (got < 0)
		err(1, "%s", path);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in server;
	char line[128];
	size_t got;
	int fd, file;

	if (argc != 4)
		errx(2, "usage: 04_file_client ADDRESS PORT FILE");
	server = address(argv[1], argv[2]);
	file = open(argv[3], O_RDONLY);
	if (file < 0)
		err(1, "%s", argv[3]);
	fd = socket(AF_CHALK, SOCK_STREAM, CHALKPROTO_INET);
	if (fd < 0)
		err(1, "socket (is chalk.ko loaded?)");
	if (connect(fd, (struct sockaddr *)&server, sizeof(server)))
		err(1, "connect to %s, port %s", argv[1], argv[2]);
	if (send_file(fd, argv[3], file))
		err(1, "send");
	if (!recv_until(fd, line, sizeof(line), "\n", &got))
		errx(1, "the server says nothing");
	if (strcmp(line, "OK\n"))
		errx(1, "the server says: %s", line);
	return 0;
}
