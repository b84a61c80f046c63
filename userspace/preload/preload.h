/* SPDX-License-Identifier: GPL-2.0 */
/*
 * preload.h - the parts of libchalk-preload.so
 *
 *   sockets.c	the calls that are overridden: what a program sees
 *   config.c	what chalk run was told: which sockets are to be Chalk's
 *   lookup.c	the same for who looks them up by name
 *   become.c	a descriptor's socket is exchanged for one of the other transport
 *   descriptors.c	all descriptors and epolls follow
 *   say.c	lines for the user
 *
 * chalk run has the dynamic linker load the library into a program and all that
 * it starts. It keeps no list of sockets: what a descriptor is, is asked from
 * the kernel (SO_PROTOCOL), so that fork, exec, dup and the passing of
 * descriptors need no care.
 */
#ifndef CHALK_PRELOAD_H
#define CHALK_PRELOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "chalk.h"

#define EXPORT __attribute__((visibility("default")))

struct epoll_event;

/* What a socket is used for, as the calls tell it. */
enum use {
	USE_BIND = 1,
	USE_CONNECT,
	USE_LISTEN
};

struct ports {
	uint16_t first, last;
};

/**
 * struct config - what chalk run was told
 * @verbose: say what becomes of each socket
 * @dgram:   datagrams, too
 * @only:    streams of this use only, 0: of any
 * @ports:   sockets with one of these ports only; none: all
 * @n_ports: how many of those
 */
struct config {
	bool verbose;
	bool dgram;
	enum use only;
	struct ports ports[64];
	unsigned int n_ports;
};

/* config.c */
const struct config *config(void);
bool config_is_selective(void);
bool config_wants(int type, enum use use, uint16_t local, uint16_t remote);

/* say.c */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* sockets.c */
int real_bind(int fd, const struct sockaddr *addr, socklen_t len);
int real_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event);
int make_socket(int domain, int type, int protocol);
void *our_call(const char *name);

/* lookup.c */
void *next_symbol(const char *name);

/* become.c */
int become(int fd, int domain, int type, int from, int to);

/* descriptors.c */
void descriptors_watched(void);
int descriptors_move(int old, int new);

#endif /* CHALK_PRELOAD_H */
