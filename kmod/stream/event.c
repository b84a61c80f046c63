// SPDX-License-Identifier: GPL-2.0
/*
 * event.c - whose an event of the core is
 *
 * env->emit of every namespace (timewait.c sets it where the room of streams
 * joins one). The core knows only its own struct; the socket around it knows the
 * two ends.
 */
#include "sock.h"
#include "watch/trace.h"

/* All three kinds of socket begin with the same struct sock_common. */
static const struct sock *socket_of(enum event_owner what, const void *owner)
{
	switch (what) {
	case OWNER_CONN:
		return (const struct sock *)container_of(owner,
							 struct chalk_sock,
							 conn);
	case OWNER_REQ:
		return (const struct sock *)container_of(owner,
							 struct chalk_req, req);
	case OWNER_TIMEWAIT:
		return (const struct sock *)container_of(owner,
							 struct chalk_timewait,
							 rec);
	}
	return NULL;
}

/**
 * chalk_emit() - env->emit: the core has an event
 * @env:   the core's world
 * @what:  what @owner is
 * @owner: whose event it is, locked
 * @ev:    the event
 */
void chalk_emit(struct env *env, enum event_owner what, const void *owner,
		const struct event *ev)
{
	const struct sock *sk = socket_of(what, owner);
	const struct chalk_ends ends = chalk_ends_of(sk);
	const struct chalk_item it = {
		.ev = ev,
		.ends = &ends,
		.netns = sock_net(sk)->ns.inum,
	};

	chalk_trace_event(&it);
}
