/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * chalk.h - the programming interface of Chalk
 *
 * Chalk is TCP as RFC 9293 draws it, on an IP protocol number of its own.
 * A program uses it like TCP; only the call of socket() differs:
 *
 *	int fd = socket(AF_CHALK, SOCK_STREAM, CHALKPROTO_INET);
 *
 * Addresses are struct sockaddr_in, in and out, or struct sockaddr_in6 if the
 * last argument is CHALKPROTO_INET6. bind, connect, listen, accept,
 * send, recv, shutdown, poll and close behave as on a TCP socket, and set the
 * same errno.
 */
#ifndef _UAPI_CHALK_H
#define _UAPI_CHALK_H

/*
 * The socket family. The kernel's table of families cannot grow from a module,
 * so Chalk takes the number of one that left the kernel long ago (Econet). The
 * module parameter family= chooses another.
 */
#ifndef AF_CHALK
#define AF_CHALK 19
#endif
#ifndef PF_CHALK
#define PF_CHALK AF_CHALK
#endif

/*
 * Third argument of socket(AF_CHALK, ...): which IP carries it. A socket of
 * CHALKPROTO_INET6 also speaks IPv4, with v4-mapped addresses, unless
 * IPV6_V6ONLY is set. The kernel's own families make the same sockets:
 *
 *	socket(AF_INET, SOCK_STREAM, IPPROTO_CHALK)
 *	socket(AF_INET6, SOCK_STREAM, IPPROTO_CHALK)
 *
 * and that is what SO_DOMAIN, getsockname() and the like answer.
 */
#define CHALKPROTO_INET 0
#define CHALKPROTO_INET6 1

/* IP protocol, and IPv6 next header, of segments (RFC 3692: for experiments). */
#ifndef IPPROTO_CHALK
#define IPPROTO_CHALK 253
#endif

/* The same of datagrams. */
#ifndef IPPROTO_CHALK_DGRAM
#define IPPROTO_CHALK_DGRAM 254
#endif

/*
 * Level of get/setsockopt(). Takes the TCP_* option numbers of
 * <netinet/tcp.h>, with what TCP means by them; SOL_TCP is taken as the same
 * level. An option that Chalk does not have fails with ENOPROTOOPT.
 */
#ifndef SOL_CHALK
#define SOL_CHALK 253
#endif

#endif /* _UAPI_CHALK_H */
