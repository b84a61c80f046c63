// SPDX-License-Identifier: GPL-2.0
/*
 * 04_file_server.c - take files and keep them in a directory
 *
 * Usage: 04_file_server PORT DIRECTORY
 *
 * A client sends a line "NAME SIZE", then SIZE bytes; the answer is a line, "OK"
 * or what went wrong. A file appears under its name when all of it is there.
 */
#include <fcntl.h>
#include <stdio.h>

#include "example.h"

#define PART ".part"

static int keep(const char *data, size_t n, int file)
{
	while (n > 0) {
		ssize_t took = write(file, data, n);

		if (took < 0)
			return -1;
		data += took;
		n -= took;
	}
	return 0;
}

/* @buf holds @have bytes already. Return: what to answer. */
static const char *store(int client, char *buf, size_t size, size_t have,
			 unsigned long long left, int file)
{
	while (left > 0) {
		ssize_t got;

		if (have > left)
			return "more than SIZE bytes";
		if (keep(buf, have, file))
			return "the disk takes no more";
		left -= have;
		if (!left)
			break;
		got = recv(client, buf, size, 0);
		if (got <= 0)
			return "less than SIZE bytes";
		have = got;
	}
	return "OK";
}

static const char *take(int client)
{
	char buf[65536], name[201], *end;
	unsigned long long size;
	const char *result;
	size_t have;
	int file;

	end = recv_until(client, buf, sizeof(buf), "\n", &have);
	if (!end || sscanf(buf, "%200s %llu\n", name, &size) != 2 ||
	    *name == '.' || strchr(name, '/'))
		return "the first line must be: NAME SIZE";
	have -= ++end - buf;
	memmove(buf, end, have);
	file = open(PART, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (file < 0)
		return "cannot write here";
	result = store(client, buf, sizeof(buf), have, size, file);
	if (close(file))
		result = "the disk takes no more";
	if (!strcmp(result, "OK") && rename(PART, name))
		result = "cannot take this name";
	printf("%s: %s\n", name, result);
	fflush(stdout);
	return result;
}

static void serve(int client)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "%s\n", take(client));

	if (send_all(client, line, n))
		warn("send");
}

int main(int argc, char **argv)
{
	struct sockaddr_in here;
	int fd, on = 1;

	if (argc != 3)
		errx(2, "usage: 04_file_server PORT DIRECTORY");
	here = address(NULL, argv[1]);
	if (chdir(argv[2]))
		err(1, "%s", argv[2]);
	fd = socket(AF_CHALK, SOCK_STREAM, CHALKPROTO_INET);
	if (fd < 0)
		err(1, "socket (is chalk.ko loaded?)");
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
