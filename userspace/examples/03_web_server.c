// SPDX-License-Identifier: GPL-2.0
/*
 * 03_web_server.c - a small web server: the files of one directory
 *
 * Usage: 03_web_server PORT DIRECTORY
 *
 * A request is a line "GET /NAME HTTP/1.0", more lines, and an empty one. The
 * answer is a status line, lines about the page, an empty one, and the page;
 * then the connection is closed (non-persistent HTTP).
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "example.h"

static int answer(int client, const char *status, size_t length)
{
	char head[256];
	int n = snprintf(head, sizeof(head),
			 "HTTP/1.0 %s\r\nContent-Length: %zu\r\n\r\n", status,
			 length);

	return send_all(client, head, n);
}

static void refuse(int client, const char *status)
{
	char page[128];
	int n = snprintf(page, sizeof(page), "<h1>%s</h1>\n", status);

	if (answer(client, status, n) || send_all(client, page, n))
		warn("send");
}

static void send_page(int client, int file, size_t length)
{
	char buf[65536];
	ssize_t n = 0;

	if (answer(client, "200 OK", length)) {
		warn("send");
		return;
	}
	while (length > 0 && (n = read(file, buf, sizeof(buf))) > 0) {
		if (send_all(client, buf, n)) {
			warn("send");
			return;
		}
		length -= n;
	}
	if (n < 0)
		warn("read");
}

/* Only files that lie in the directory itself, which is the current one. */
static int open_page(const char *name)
{
	if (!*name)
		name = "index.html";
	if (*name == '.' || strchr(name, '/'))
		return -1;
	return open(name, O_RDONLY | O_NONBLOCK);
}

static void serve(int client)
{
	char request[8192], name[256] = "";
	struct stat st;
	size_t got;
	int file;

	if (!recv_until(client, request, sizeof(request), "\r\n\r\n", &got)) {
		refuse(client, "400 Bad Request");
		return;
	}
	if (strncmp(request, "GET /", 5)) {
		refuse(client, "501 Not Implemented");
		return;
	}
	sscanf(request + 5, "%255[^ \r\n]", name);
	file = open_page(name);
	if (file >= 0 && !fstat(file, &st) && S_ISREG(st.st_mode))
		send_page(client, file, st.st_size);
	else
		refuse(client, "404 Not Found");
	if (file >= 0)
		close(file);
}

int main(int argc, char **argv)
{
	struct sockaddr_in here;
	int fd, on = 1;

	if (argc != 3)
		errx(2, "usage: 03_web_server PORT DIRECTORY");
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
