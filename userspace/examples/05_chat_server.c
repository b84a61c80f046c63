// SPDX-License-Identifier: GPL-2.0
/*
 * 05_chat_server.c - a server of many clients at once: what one says, all hear
 *
 * Usage: 05_chat_server PORT
 *
 * One thread and epoll: the kernel says which sockets have something to read,
 * so that no client waits for another. A client that does not read is dropped
 * when the buffer of its socket is full.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "example.h"

#define CLIENTS 256

static int clients[CLIENTS], count;

static void drop(int i)
{
	close(clients[i]); /* epoll forgets it by itself */
	clients[i] = clients[--count];
}

/* To all but the speaker. None may hold up the others. */
static void tell(int speaker, const char *text, size_t n)
{
	int i;

	for (i = count - 1; i >= 0; i--)
		if (clients[i] != speaker &&
		    send(clients[i], text, n, MSG_DONTWAIT | MSG_NOSIGNAL) !=
			    (ssize_t)n)
			drop(i);
}

static void hear(int fd)
{
	char text[4096];
	ssize_t n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
	int i;

	if (n > 0) {
		tell(fd, text, n);
		return;
	}
	if (n < 0 && errno == EAGAIN)
		return;
	for (i = 0; i < count; i++)
		if (clients[i] == fd)
			drop(i);
}

static void welcome(int epoll, int listener)
{
	int fd = accept(listener, NULL, NULL);
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (fd < 0) {
		if (errno != EAGAIN) /* else it has gone again */
			warn("accept");
		return;
	}
	if (count == CLIENTS || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) {
		warnx("no room for one more");
		close(fd);
		return;
	}
	clients[count++] = fd;
}

static void serve(int listener)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = listener };
	int epoll = epoll_create1(0);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event))
		err(1, "epoll");
	for (;;) {
		if (epoll_wait(epoll, &event, 1, -1) < 1)
			err(1, "epoll_wait");
		if (event.data.fd == listener)
			welcome(epoll, listener);
		else
			hear(event.data.fd);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in here;
	int fd, on = 1;

	if (argc != 2)
		errx(2, "usage: 05_chat_server PORT");
	here = address(NULL, argv[1]);
	fd = socket(AF_CHALK, SOCK_STREAM | SOCK_NONBLOCK, CHALKPROTO_INET);
	if (fd < 0)
		err(1, "socket (is chalk.ko loaded?)");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		err(1, "SO_REUSEADDR");
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)))
		err(1, "bind to port %s", argv[1]);
	if (listen(fd, 16))
		err(1, "listen");
	serve(fd);
}
