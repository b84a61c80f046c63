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

/* chalk_ends_of() in place: this is done for each event. */
static void fill_ends(struct chalk_ends *ends, const struct sock *sk)
{
	ends->lport = sk->sk_num;
	ends->rport = ntohs(sk->sk_dport);
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == PF_INET6) {
		ends->laddr = sk->sk_v6_rcv_saddr;
		ends->raddr = sk->sk_v6_daddr;
		return;
	}
#endif
	ipv6_addr_set_v4mapped(sk->sk_rcv_saddr, &ends->laddr);
	ipv6_addr_set_v4mapped(sk->sk_daddr, &ends->raddr);
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
	struct chalk_ends ends;
	struct chalk_item it;

	fill_ends(&ends, sk);
	it.ev = ev;
	it.ends = &ends;
	it.netns = sock_net(sk)->ns.inum;
	chalk_trace_event(&it);
}
