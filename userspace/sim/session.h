/* SPDX-License-Identifier: GPL-2.0 */
/*
 * session.h - a client's connection to the server and what both ends exchange
 *
 * Sessions with the same client port follow each other in rounds: the next
 * opens when the client's end of the one before is gone.
 */
#ifndef CHALK_SIM_SESSION_H
#define CHALK_SIM_SESSION_H

#include "world.h"

struct sock;

#define SERVER_PORT 7000
#define CLIENT_PORT 40000

/**
 * struct session - one connection that is to be made
 * @client: host that opens it
 * @port:   port of the client
 * @key:    [side]: the stream that side writes
 * @sk:     [side]: that side's end, NULL: not there yet
 * @reset, @reset_seq: [side]: a RST of it left, and where that stood
 * @next:   the next round, NULL: this is the last
 * @open:   when it opens
 */
struct session {
	struct host *client;
	u16 port;
	u64 key[NR_SIDES];
	struct sock *sk[NR_SIDES];
	bool reset[NR_SIDES];
	u32 reset_seq[NR_SIDES];
	struct session *next;
	struct sim_timer open;
};

/**
 * sessions_init() - make all sessions and set the times of the first round
 * @w: the world, with its hosts
 */
void sessions_init(struct world *w);

/**
 * session_find() - the session that a connection at the server belongs to
 * @w:    the world
 * @addr: address of the client
 * @port: its port
 * @iss:  the client's initial sequence number
 */
struct session *session_find(struct world *w, u32 addr, u16 port, u32 iss);

/**
 * session_client_gone() - the client's end has no name any more
 * @w: the world
 * @s: the session
 */
void session_client_gone(struct world *w, struct session *s);

#endif /* CHALK_SIM_SESSION_H */
