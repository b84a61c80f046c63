// SPDX-License-Identifier: GPL-2.0
/*
 * descriptors.c - the descriptors of this process that mean a socket
 *
 * A socket may have several descriptors, and epolls may watch each of them.
 * Which ones there are, and what an epoll was told, is read from /proc. Where
 * there is no /proc, as in a chroot, the descriptors are tried one by one; what
 * an epoll was told cannot be found then, so a socket that one watches stays
 * what it is, and the call that would have changed it fails. The same goes for
 * a program that has put itself behind a filter of system calls since it
 * began: to open a file may be its death.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload.h"

#define FEWEST 1024
#define MOST (1 << 20)

static bool filtered_at_start;
static int limit = FEWEST;
static bool epoll_used;

/*
 * Whether a filter is there already. It lets files be opened, or the linker
 * could not have loaded this; whether it lets one ask prctl(), nobody knows.
 */
static bool has_filter_now(void)
{
	char text[4096];
	const char *at;
	ssize_t n = 0;
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = 0;
	at = strstr(text, "\nSeccomp:\t");
	return at && at[strlen("\nSeccomp:\t")] != '0';
}

/* Before the program can have shut itself in. */
__attribute__((constructor)) static void start(void)
{
	struct rlimit r;

	filtered_at_start = has_filter_now();
	if (!getrlimit(RLIMIT_NOFILE, &r))
		limit = r.rlim_cur > MOST ? MOST : (int)r.rlim_cur;
}

/**
 * descriptors_watched() - the program uses epoll
 */
void descriptors_watched(void)
{
	epoll_used = true;
}

static bool proc_may_be_opened(void)
{
	return filtered_at_start || prctl(PR_GET_SECCOMP) <= 0;
}

/* --- one after the other --- */

struct dirent64 {
	uint64_t ino;
	int64_t off;
	unsigned short len;
	unsigned char type;
	char name[];
};

/*
 * struct walk - all descriptors; by /proc, or by counting
 * @dir: /proc/self/fd, or -1
 * @at:  where in @buf; counting: the next descriptor
 */
struct walk {
	int dir;
	long at, filled;
	char buf[1024] __attribute__((aligned(8)));
};

static void walk_begin(struct walk *w)
{
	w->dir = -1;
	w->at = 0;
	w->filled = 0;
	if (proc_may_be_opened())
		w->dir = open("/proc/self/fd",
			      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void walk_end(struct walk *w)
{
	if (w->dir >= 0)
		close(w->dir);
}

/* The number that a name is, or -1. */
static int number(const char *name)
{
	int n = 0;

	if (!*name)
		return -1;
	for (; *name; name++) {
		if (*name < '0' || *name > '9' || n > MOST * 100)
			return -1;
		n = 10 * n + (*name - '0');
	}
	return n;
}

static int walk_next(struct walk *w)
{
	while (w->dir >= 0) {
		struct dirent64 *entry = (void *)(w->buf + w->at);

		if (w->at >= w->filled) {
			w->filled = syscall(SYS_getdents64, w->dir, w->buf,
					    sizeof(w->buf));
			w->at = 0;
			if (w->filled <= 0)
				return -1;
			continue;
		}
		w->at += entry->len;
		if (number(entry->name) >= 0)
			return number(entry->name);
	}
	return w->at < limit ? (int)w->at++ : -1;
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) ? 0 :
								      cookie;
}

/* --- what epolls were told --- */

struct watch {
	int epoll, fd;
	struct epoll_event event;
};

/* A list that grows, not on the heap: this may be a signal handler. */
struct watches {
	struct watch *list;
	size_t n, room;
};

static bool watches_add(struct watches *w, const struct watch *one)
{
	const size_t page = 4096;
	size_t size = w->room * sizeof(*one);
	void *grown;

	if (w->n == w->room) {
		grown = size ? mremap(w->list, size, size + page,
				      MREMAP_MAYMOVE) :
			       mmap(NULL, page, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (grown == MAP_FAILED)
			return false;
		w->list = grown;
		w->room = (size + page) / sizeof(*one);
	}
	w->list[w->n++] = *one;
	return true;
}

static void watches_free(struct watches *w)
{
	if (w->room)
		munmap(w->list, w->room * sizeof(*w->list));
}

static void path_of(char *buf, const char *directory, int fd)
{
	char digits[12];
	int n = 0;

	do
		digits[n++] = '0' + fd % 10;
	while (fd /= 10);
	strcpy(buf, directory);
	buf += strlen(buf);
	while (n)
		*buf++ = digits[--n];
	*buf = 0;
}

static bool is_epoll(int fd)
{
	static const char name[] = "anon_inode:[eventpoll]";
	char path[40], link[sizeof(name)];

	path_of(path, "/proc/self/fd/", fd);
	return readlink(path, link, sizeof(link)) == sizeof(name) - 1 &&
	       !memcmp(link, name, sizeof(name) - 1);
}

/* The number behind a word of a line; 0 if there is no such word. */
static uint64_t field(const char *line, const char *word, int base)
{
	const char *at = strstr(line, word);

	return at ? strtoull(at + strlen(word), NULL, base) : 0;
}

/* "tfd:        5 events:        1 data:                5  pos:0 ..." */
static bool take_line(struct watches *w, int epoll, uint64_t cookie,
		      const char *line)
{
	struct watch one = { .epoll = epoll };

	if (strncmp(line, "tfd:", 4))
		return true;
	one.fd = field(line, "tfd:", 10);
	one.event.events = field(line, " events:", 16);
	one.event.data.u64 = field(line, " data:", 16);
	return cookie_of(one.fd) != cookie || watches_add(w, &one);
}

/* Of an epoll all that it was told about a socket. */
static bool take_epoll(struct watches *w, int epoll, uint64_t cookie)
{
	char path[48], buf[512];
	size_t held = 0;
	bool ok = true;
	ssize_t n;
	int info;

	path_of(path, "/proc/self/fdinfo/", epoll);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return false;
	while (ok && (n = read(info, buf + held, sizeof(buf) - 1 - held)) > 0) {
		char *line = buf, *end;

		held += n;
		buf[held] = 0;
		for (; ok && (end = strchr(line, '\n')); line = end + 1) {
			*end = 0;
			ok = take_line(w, epoll, cookie, line);
		}
		held -= line - buf;
		memmove(buf, line, held);
	}
	close(info);
	return ok;
}

static bool find_watches(struct watches *w, uint64_t cookie)
{
	struct walk walk;
	bool ok = true;
	int fd;

	walk_begin(&walk);
	while (ok && walk.dir >= 0 && (fd = walk_next(&walk)) >= 0)
		if (is_epoll(fd))
			ok = take_epoll(w, fd, cookie);
	walk_end(&walk);
	return ok;
}

/* Without /proc: is any of its descriptors watched by any epoll? */
static bool is_watched(uint64_t cookie)
{
	struct epoll_event none = { .events = EPOLLONESHOT };
	int epoll, fd;

	for (fd = 0; fd < limit; fd++) {
		if (cookie_of(fd) != cookie)
			continue;
		for (epoll = 0; epoll < limit; epoll++) {
			if (!real_epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &none))
				real_epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
			else if (errno == EEXIST)
				return true;
		}
	}
	return false;
}

/* --- */

/* Let each descriptor of the socket with this cookie mean @new. */
static int move(uint64_t cookie, int new)
{
	struct walk walk;
	int fd, err = 0;

	walk_begin(&walk);
	while (!err && (fd = walk_next(&walk)) >= 0)
		if (cookie_of(fd) == cookie) {
			int flags = fcntl(fd, F_GETFD);

			err = dup3(new, fd,
				   flags & FD_CLOEXEC ? O_CLOEXEC : 0) < 0;
		}
	walk_end(&walk);
	return err ? -1 : 0;
}

static int move_watched(struct watches *w, uint64_t cookie, int new)
{
	size_t i;
	int err;

	for (i = 0; i < w->n; i++)
		real_epoll_ctl(w->list[i].epoll, EPOLL_CTL_DEL, w->list[i].fd,
			       NULL);
	err = move(cookie, new);
	for (i = 0; i < w->n; i++)
		if (real_epoll_ctl(w->list[i].epoll, EPOLL_CTL_ADD,
				   w->list[i].fd, &w->list[i].event))
			say("socket %d: epoll %d forgets it: %s", w->list[i].fd,
			    w->list[i].epoll, strerrordesc_np(errno));
	return err;
}

/**
 * descriptors_move() - let every descriptor of a socket mean another one
 * @old: one of them
 * @new: of the socket that they are to mean; epolls watch that then
 *
 * Return: 0, or -1 and errno, and nothing has changed.
 */
int descriptors_move(int old, int new)
{
	uint64_t cookie = cookie_of(old);
	struct watches w = {};
	struct walk walk;
	bool has_proc;
	int err = -1;

	walk_begin(&walk);
	has_proc = walk.dir >= 0;
	walk_end(&walk);
	if (!cookie) {
		errno = ENOTSUP;
	} else if (!has_proc && epoll_used && is_watched(cookie)) {
		say("socket %d stays what it is: epoll watches it, and without /proc nobody knows for what",
		    old);
		errno = ENOTSUP;
	} else if (!find_watches(&w, cookie)) {
		say("socket %d stays what it is: what epoll was told cannot be read",
		    old);
		errno = ENOTSUP;
	} else {
		err = move_watched(&w, cookie, new);
	}
	watches_free(&w);
	return err;
}
