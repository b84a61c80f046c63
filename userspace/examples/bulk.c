// SPDX-License-Identifier: GPL-2.0
/*
 * bulk.c - send a file and receive one, both ways at once
 *
 * Usage: bulk [OPTIONS] listen PORT OUT [IN]
 *        bulk [OPTIONS] connect ADDRESS PORT OUT [IN]
 *
 * Sends IN, then its FIN; writes what arrives to OUT until the peer's FIN. A
 * server that has nothing to send closes after the client. One loop around
 * poll() with a non-blocking socket serves both directions, so that neither
 * waits for the other. The exit status is 0 only if all of IN was taken and the
 * peer's FIN has come.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "chalk.h"

#define BUFFER 65536

/**
 * struct transfer - a connection and the two files on its sides
 * @fd:       the socket
 * @in:       file to send, -1: zero bytes
 * @zeros:    how many of those are left
 * @pending:  bytes in @buf that wait to be sent, from @start on
 * @out:      file to write
 * @sent:     bytes the socket has taken
 * @received: bytes it has given
 * @silent:   nothing to send; our FIN follows the peer's
 * @finished: our FIN is queued
 * @eof:      the peer's FIN has come
 * @step:     report the progress each so many bytes received, 0: never
 * @begin:    when the connection was there, in seconds
 */
struct transfer {
	int fd;
	int in;
	unsigned long long zeros;
	char buf[BUFFER];
	size_t start, pending;
	int out;
	unsigned long long sent, received;
	bool silent, finished, eof;
	unsigned long long step;
	double begin;
};

/* What the command line asks for. */
struct options {
	int family;
	unsigned long long zeros;
	unsigned long long step;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void report(const struct transfer *t, const char *what,
		   unsigned long long bytes)
{
	double seconds = now() - t->begin;

	fprintf(stderr, "%s %llu bytes in %.3f s, %.3f Mbit/s\n", what, bytes,
		seconds, seconds > 0 ? bytes * 8 / seconds / 1e6 : 0);
}

static void progress(const struct transfer *t)
{
	double seconds = now() - t->begin;

	fprintf(stderr, "%7.1f MiB after %5.1f s, %.2f Mbit/s\n",
		t->received / 1048576.0, seconds,
		seconds > 0 ? t->received * 8 / seconds / 1e6 : 0);
}

/* fill() - put the next bytes to send into the buffer */
static void fill(struct transfer *t)
{
	ssize_t got;

	if (t->in < 0) {
		got = t->zeros < BUFFER ? t->zeros : BUFFER;
		t->zeros -= got;
	} else {
		got = read(t->in, t->buf, BUFFER);
		if (got < 0)
			err(1, "read");
	}
	t->start = 0;
	t->pending = got;
}

/* push() - send what the socket takes; at the end of the file, our FIN */
static void push(struct transfer *t)
{
	ssize_t n;

	if (!t->pending)
		fill(t);
	if (!t->pending) {
		if (shutdown(t->fd, SHUT_WR))
			err(1, "shutdown");
		t->finished = true;
		return;
	}
	n = send(t->fd, t->buf + t->start, t->pending, MSG_NOSIGNAL);
	if (n < 0) {
		if (errno == EAGAIN)
			return;
		err(1, "send");
	}
	t->start += n;
	t->pending -= n;
	t->sent += n;
}

static void write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0)
			err(1, "write");
		p += done;
		n -= done;
	}
}

/* pull() - take what has arrived */
static void pull(struct transfer *t)
{
	char buf[BUFFER];
	ssize_t n = recv(t->fd, buf, sizeof(buf), 0);

	if (n < 0) {
		if (errno == EAGAIN)
			return;
		err(1, "recv");
	}
	if (!n) {
		t->eof = true;
		return;
	}
	write_all(t->out, buf, n);
	t->received += n;
	if (t->step && t->received / t->step > (t->received - n) / t->step)
		progress(t);
}

static bool may_send(const struct transfer *t)
{
	return !t->finished && (!t->silent || t->eof);
}

static void run(struct transfer *t)
{
	if (fcntl(t->fd, F_SETFL, fcntl(t->fd, F_GETFL) | O_NONBLOCK))
		err(1, "fcntl");
	t->begin = now();
	while (!t->finished || !t->eof) {
		struct pollfd p = { .fd = t->fd };

		p.events = (t->eof ? 0 : POLLIN) | (may_send(t) ? POLLOUT : 0);
		if (poll(&p, 1, -1) < 0)
			err(1, "poll");
		if (!t->eof && p.revents & (POLLIN | POLLERR | POLLHUP))
			pull(t);
		if (may_send(t) && p.revents & (POLLOUT | POLLERR))
			push(t);
	}
	if (t->sent)
		report(t, "sent", t->sent);
	if (t->received)
		report(t, "received", t->received);
}

static struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	char *end;
	unsigned long n = strtoul(port, &end, 10);

	if (*end || !n || n > 65535)
		errx(2, "%s: not a port", port);
	a.sin_port = htons(n);
	if (host && inet_pton(AF_INET, host, &a.sin_addr) != 1)
		errx(2, "%s: not an IPv4 address", host);
	return a;
}

static int new_socket(int family)
{
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd < 0)
		err(1, "socket%s",
		    family == AF_CHALK ? " (is chalk.ko loaded?)" : "");
	return fd;
}

static int accept_one(int family, const char *port)
{
	struct sockaddr_in a = address(NULL, port);
	int fd = new_socket(family), on = 1, peer;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		err(1, "SO_REUSEADDR");
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)))
		err(1, "bind to port %s", port);
	if (listen(fd, 1))
		err(1, "listen");
	peer = accept(fd, NULL, NULL);
	if (peer < 0)
		err(1, "accept");
	close(fd);
	return peer;
}

static int connect_to(int family, const char *host, const char *port)
{
	struct sockaddr_in a = address(host, port);
	int fd = new_socket(family);

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)))
		err(1, "connect to %s, port %s", host, port);
	return fd;
}

static int open_file(const char *name, int flags)
{
	int fd = open(name, flags, 0644);

	if (fd < 0)
		err(1, "%s", name);
	return fd;
}

static void usage(FILE *to)
{
	fputs("usage: bulk [OPTIONS] listen PORT OUT [IN]\n"
	      "       bulk [OPTIONS] connect ADDRESS PORT OUT [IN]\n"
	      "Send the file IN, receive into the file OUT, at the same time.\n"
	      "  -f, --family chalk|tcp  the transport (chalk)\n"
	      "  -s, --size N            send N zero bytes in place of a file;\n"
	      "                          K, M, G: times 1024, 1024^2, 1024^3\n"
	      "  -p, --progress N        a line for each N bytes received\n"
	      "example: bulk listen 7000 copy & bulk connect 127.0.0.1 7000 /dev/null file\n",
	      to);
	exit(to == stdout ? 0 : 2);
}

static unsigned long long parse_size(const char *text)
{
	static const char units[] = "KMG";
	char *end;
	unsigned long long n = strtoull(text, &end, 10);
	const char *unit = *end ? strchr(units, *end) : NULL;

	if (end == text || (*end && (!unit || end[1])))
		errx(2, "%s: not a size", text);
	return unit ? n << (10 * (unit - units + 1)) : n;
}

static int parse_family(const char *name)
{
	if (!strcmp(name, "tcp"))
		return AF_INET;
	if (strcmp(name, "chalk"))
		errx(2, "%s: the family is chalk or tcp", name);
	return AF_CHALK;
}

static struct options parse_options(int argc, char **argv)
{
	static const struct option names[] = {
		{ "family", required_argument, NULL, 'f' },
		{ "size", required_argument, NULL, 's' },
		{ "progress", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	struct options o = { .family = AF_CHALK };
	int c;

	while ((c = getopt_long(argc, argv, "f:s:p:h", names, NULL)) != -1) {
		if (c == 'f')
			o.family = parse_family(optarg);
		else if (c == 's')
			o.zeros = parse_size(optarg);
		else if (c == 'p')
			o.step = parse_size(optarg);
		else
			usage(c == 'h' ? stdout : stderr);
	}
	return o;
}

int main(int argc, char **argv)
{
	static struct transfer t;
	struct options o = parse_options(argc, argv);
	bool client;
	int files;

	argv += optind;
	argc -= optind;
	client = argc && !strcmp(argv[0], "connect");
	if (!client && (!argc || strcmp(argv[0], "listen")))
		usage(stderr);
	files = client ? 3 : 2;
	if (argc <= files || argc > files + 2)
		usage(stderr);

	t.out = open_file(argv[files], O_WRONLY | O_CREAT | O_TRUNC);
	t.in = argc > files + 1 ? open_file(argv[files + 1], O_RDONLY) : -1;
	t.zeros = o.zeros;
	t.step = o.step;
	t.silent = !client && t.in < 0 && !t.zeros;
	t.fd = client ? connect_to(o.family, argv[1], argv[2]) :
			accept_one(o.family, argv[1]);
	run(&t);
	if (close(t.fd))
		err(1, "close");
	return 0;
}
