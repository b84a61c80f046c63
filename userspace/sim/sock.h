/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sock.h - one end of a connection: what the kernel's glue is to the core
 *
 * A sock is known to its host by its name (ports and the peer's address) while
 * it is a request, a connection, a TIME_WAIT record. The user's part may go on
 * longer: bytes that arrived can still be read after the connection has ended.
 *
 *	SOCK_NEW --open--> SOCK_CONN --> SOCK_TIMEWAIT --> SOCK_DEAD
 *	    \--SYN--> SOCK_REQ --/ \-----------------------/
 */
#ifndef CHALK_SIM_SOCK_H
#define CHALK_SIM_SOCK_H

#include "app.h"
#include "check.h"
#include "conn.h"
#include "req.h"
#include "store.h"
#include "timewait.h"
#include "world.h"

enum sock_kind {
	SOCK_NEW,
	SOCK_REQ,
	SOCK_CONN,
	SOCK_TIMEWAIT,
	SOCK_DEAD
};

/**
 * struct sock - one end
 * @next:    in the host's table
 * @all:     in the host's list of all that ever were
 * @host:    where it lives
 * @session: what it belongs to, NULL while it is a request
 * @kind:    which of the three below a segment goes to
 * @raddr:   address of the peer
 * @lport:   our port
 * @rport:   the peer's
 * @id:      number in the trace
 * @timer:   of @kind
 * @c:       the connection
 * @req:     the request
 * @tw:      the TIME_WAIT record
 * @in:      received payload
 * @tx_seq:  a sequence number of the send side
 * @tx_off:  offset in our stream of the byte it numbers: so many are acknowledged
 * @first_sent: when the first payload left, or NEVER
 * @last_acked: when the last was acknowledged
 * @app:     the user
 * @check:   what the wire has shown
 * @final:   state before the last
 * @sent:    packets sent
 * @resent:  of them, packets with bytes that had been sent before
 */
struct sock {
	struct sock *next, *all;
	struct host *host;
	struct session *session;
	enum sock_kind kind;
	u32 raddr;
	u16 lport, rport;
	u32 id;
	struct sim_timer timer;
	struct conn c;
	struct req req;
	struct timewait tw;
	struct store in;
	u32 tx_seq;
	u64 tx_off;
	u64 first_sent, last_acked;
	struct app app;
	struct check check;
	enum conn_state final;
	u64 sent, resent;
};

/**
 * sock_open() - the user connects
 * @h:     the host
 * @s:     what it belongs to
 * @raddr: address of the peer
 * @lport: our port
 * @rport: the peer's
 */
struct sock *sock_open(struct host *h, struct session *s, u32 raddr, u16 lport,
		       u16 rport);

/**
 * sock_request() - a SYN came to a listener
 * @h:   the host
 * @syn: the SYN
 * @raddr: address of the peer
 */
struct sock *sock_request(struct host *h, const struct seg *syn, u32 raddr);

/**
 * sock_refuse() - the listener of a record is no more: reset what it began
 * @sk: the record
 */
void sock_refuse(struct sock *sk);

/**
 * sock_rx() - a segment arrives for a sock
 * @sk:   the sock
 * @s:    the segment
 * @data: its payload, NULL where it is not carried
 *
 * Return: false if the sock made way for a new SYN: look again.
 */
bool sock_rx(struct sock *sk, struct seg *s, const u8 *data);

/* The last end that had this name, or NULL. */
const struct sock *sock_predecessor(const struct sock *sk);

/**
 * sock_run() - after an event: let the user act and send all that may be sent
 * @sk:   the sock
 * @wake: WAKE_* bits of the event
 */
void sock_run(struct sock *sk, unsigned int wake);

/**
 * sock_fail() - a rule is broken at this end
 * @sk:  the sock
 * @fmt: which and how
 */
__attribute__((__format__(__printf__, 2, 3))) void
sock_fail(struct sock *sk, const char *fmt, ...);

/**
 * sock_destroy() - free all of it
 * @sk: the sock; its world is not run any more
 */
void sock_destroy(struct sock *sk);

#endif /* CHALK_SIM_SOCK_H */
