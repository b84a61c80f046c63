// SPDX-License-Identifier: GPL-2.0
/*
 * config.c - what chalk run was told: which sockets are to be Chalk's
 *
 * It comes by the environment, so that it reaches the programs that a program
 * starts. chalk run has checked what the user wrote.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "preload.h"

static struct config settings;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static const char *get(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

/* "80,8000-8100" */
static void read_ports(const char *text)
{
	while (*text && settings.n_ports < 64) {
		struct ports *p = &settings.ports[settings.n_ports++];
		char *end;

		p->first = strtoul(text, &end, 10);
		p->last = *end == '-' ? strtoul(end + 1, &end, 10) : p->first;
		if (*end != ',')
			return;
		text = end + 1;
	}
}

static void read_environment(void)
{
	const char *only = get("CHALK_RUN_ONLY");

	settings.verbose = !strcmp(get("CHALK_RUN_VERBOSE"), "1");
	settings.dgram = !strcmp(get("CHALK_RUN_DGRAM"), "1");
	if (!strcmp(only, "connect"))
		settings.only = USE_CONNECT;
	if (!strcmp(only, "listen"))
		settings.only = USE_LISTEN;
	read_ports(get("CHALK_RUN_PORTS"));
}

/**
 * config() - what chalk run was told
 */
const struct config *config(void)
{
	pthread_once(&once, read_environment);
	return &settings;
}

/* Early: a program may clear its environment. */
__attribute__((constructor)) static void start(void)
{
	config();
}

/**
 * config_is_selective() - does it depend on more than the call of socket()?
 */
bool config_is_selective(void)
{
	return config()->only || config()->n_ports;
}

static bool listed(uint16_t port)
{
	unsigned int i;

	for (i = 0; i < settings.n_ports; i++)
		if (port >= settings.ports[i].first &&
		    port <= settings.ports[i].last)
			return true;
	return false;
}

/**
 * config_wants() - is such a socket to be Chalk's?
 * @type:   SOCK_STREAM or SOCK_DGRAM
 * @use:    what it is used for; who binds is taken to listen until it connects
 * @local:  the port it has, 0: none
 * @remote: the port it turns to, 0: none
 */
bool config_wants(int type, enum use use, uint16_t local, uint16_t remote)
{
	const struct config *c = config();

	if (use == USE_BIND)
		use = USE_LISTEN;
	if (type == SOCK_STREAM && c->only && c->only != use)
		return false;
	return !c->n_ports || listed(local) || listed(remote);
}
