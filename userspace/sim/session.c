// SPDX-License-Identifier: GPL-2.0
/*
 * session.c - who connects when
 */
#include "host.h"
#include "session.h"
#include "sock.h"

static void session_open(struct world *w, struct sim_timer *t)
{
	struct session *s = container_of(t, struct session, open);
	struct host *server = &w->hosts[SERVER];

	s->sk[CLIENT] = sock_open(s->client, s, server->addr, s->port,
				  SERVER_PORT);
	if (w->cfg->simultaneous)
		s->sk[SERVER] = sock_open(server, s, s->client->addr,
					  SERVER_PORT, s->port);
	sock_run(s->sk[CLIENT], 0);
	if (w->cfg->simultaneous)
		sock_run(s->sk[SERVER], 0);
}

static struct host *client_host(struct world *w, u32 i)
{
	return &w->hosts[i ? i + 1 : CLIENT];
}

static void session_init(struct world *w, u32 index)
{
	const struct sim_config *cfg = w->cfg;
	struct session *s = &w->sessions[index];
	u32 slot = index / cfg->rounds;

	s->client = client_host(w, slot / cfg->connections);
	s->port = CLIENT_PORT + slot % cfg->connections;
	s->key[CLIENT] = mix64(cfg->seed + 2 * index + 1);
	s->key[SERVER] = mix64(cfg->seed + 2 * index + 2);
	sim_timer_init(&s->open, session_open);
	if (index % cfg->rounds)
		w->sessions[index - 1].next = s;
	else
		sim_timer_set(w, &s->open, w->now + slot * cfg->open_gap);
}

void sessions_init(struct world *w)
{
	const struct sim_config *cfg = w->cfg;
	u32 i;

	w->nr_sessions = cfg->clients * cfg->connections * cfg->rounds;
	w->sessions = sim_alloc(w->nr_sessions * sizeof(*w->sessions));
	for (i = 0; i < w->nr_sessions; i++)
		session_init(w, i);
}

struct session *session_find(struct world *w, u32 addr, u16 port, u32 iss)
{
	u32 i;

	for (i = 0; i < w->nr_sessions; i++) {
		struct session *s = &w->sessions[i];

		if (s->client->addr == addr && s->port == port &&
		    s->sk[CLIENT] && s->sk[CLIENT]->c.iss == iss)
			return s;
	}
	return NULL;
}

void session_client_gone(struct world *w, struct session *s)
{
	if (s->next)
		sim_timer_set(w, &s->next->open, w->now + w->cfg->open_gap);
}
