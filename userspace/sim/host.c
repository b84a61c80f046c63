// SPDX-License-Identifier: GPL-2.0
/*
 * host.c - from a packet to the sock it is for
 */
#include "cc.h"
#include "check_wire.h"
#include "host.h"
#include "packet.h"
#include "params.h"
#include "pcap.h"
#include "reply.h"
#include "sock.h"
#include "trace.h"

/* The first address is 10.0.0.1. */
#define FIRST_ADDRESS 0x0a000001U

/* A host changes its tunables so often, and no more. */
#define MOST_FLIPS 100

static struct sock *owner_sock(enum event_owner what, const void *owner)
{
	switch (what) {
	case OWNER_CONN:
		return container_of(owner, struct sock, c);
	case OWNER_REQ:
		return container_of(owner, struct sock, req);
	case OWNER_TIMEWAIT:
		return container_of(owner, struct sock, tw);
	}
	return NULL;
}

static void host_emit(struct env *env, enum event_owner what, const void *owner,
		      const struct event *ev)
{
	struct host *h = container_of(env, struct host, env);
	struct sock *sk = owner_sock(what, owner);

	check_event(sk, what, ev);
	if (h->w->trace)
		trace_event(h->w->trace, h->number, ev, h->addr, sk->lport,
			    sk->raddr, sk->rport);
}

static void tunables_set(struct tunables *t, const struct side_config *cfg)
{
	tunables_init(t);
	t->cc = cfg->cc;
	t->init_cwnd = cfg->iw;
	t->timestamps = cfg->timestamps;
	t->window_scaling = cfg->window_scaling;
	t->hystart = cfg->hystart;
	t->rto_min = cfg->rto_min;
	t->rto_max = cfg->rto_max;
	t->rto_init = clamp_t(u64, t->rto_init, t->rto_min, t->rto_max);
	t->delack = cfg->delack;
	t->msl = cfg->msl;
	t->fin_timeout = cfg->fin_timeout;
	t->keep_idle = cfg->keep_idle;
	t->keep_interval = cfg->keep_interval;
	if (cfg->retries) {
		t->retries = cfg->retries;
		t->syn_retries = cfg->retries + 1;
		t->synack_retries = cfg->retries + 2;
		t->orphan_retries = cfg->retries / 2 + 1;
		t->keep_probes = cfg->retries + 3;
	}
}

static void set_flip(struct host *h)
{
	u64 every = h->cfg->flip_every;
	u64 wait;

	if (!every || h->flips == MOST_FLIPS)
		return;
	wait = rng_range(&h->w->app_rng, 1, 2 * every);
	sim_timer_set(h->w, &h->flip, h->w->now + wait);
}

/* Who administers it changes his mind: connections must not. */
static void flip(struct world *w, struct sim_timer *t)
{
	struct host *h = container_of(t, struct host, flip);
	struct tunables *tun = &h->env.tun;
	bool *const all[] = {
		&tun->timestamps,
		&tun->window_scaling,
		&tun->hystart,
	};
	bool *one = all[rng_below(&w->app_rng, ARRAY_SIZE(all))];

	*one = !*one;
	h->flips++;
	set_flip(h);
}

void host_init(struct host *h, struct world *w, u32 index, struct link *out)
{
	h->w = w;
	h->side = index == SERVER ? SERVER : CLIENT;
	h->cfg = &w->cfg->side[h->side];
	h->number = index + 1;
	h->addr = FIRST_ADDRESS + index;
	h->out = out;
	h->secret = mix64(w->cfg->seed ^ h->addr);
	h->env.emit = host_emit;
	h->env.mib = &h->mib;
	h->env.tracing = w->trace || w->cfg->watch;
	tunables_set(&h->env.tun, h->cfg);
	sim_timer_init(&h->flip, flip);
	set_flip(h);
}

void host_destroy(struct host *h)
{
	while (h->all) {
		struct sock *sk = h->all;

		h->all = sk->all;
		sock_destroy(sk);
	}
}

static struct sock **bucket(struct host *h, u32 raddr, u16 lport, u16 rport)
{
	u32 hash = raddr * 31 + lport * 7 + rport;

	return &h->table[hash % HOST_BUCKETS];
}

static struct sock *lookup(struct host *h, u32 raddr, u16 lport, u16 rport)
{
	struct sock *sk = *bucket(h, raddr, lport, rport);

	while (sk &&
	       (sk->raddr != raddr || sk->lport != lport || sk->rport != rport))
		sk = sk->next;
	return sk;
}

void host_add(struct host *h, struct sock *sk)
{
	struct sock **head = bucket(h, sk->raddr, sk->lport, sk->rport);

	sk->next = *head;
	*head = sk;
}

void host_remove(struct host *h, struct sock *sk)
{
	struct sock **at = bucket(h, sk->raddr, sk->lport, sk->rport);

	while (*at != sk)
		at = &(*at)->next;
	*at = sk->next;
}

u32 host_send(struct host *h, u32 dst, const struct seg *s, u64 key, u64 off)
{
	struct seg part = *s;
	u32 left = s->len;
	u32 packets = 0;

	do {
		bool last = left <= s->smss || !s->smss;
		struct packet *p;

		part.len = last ? left : s->smss;
		part.flags = last ? s->flags :
				    s->flags & ~(FLAG_FIN | FLAG_PSH);
		p = packet_build(h->w, &part, h->addr, dst, key, off);
		pcap_packet(h->w->pcap[h->side], h->w, p);
		link_send(h->w, h->out, p);
		part.seq += part.len;
		off += part.len;
		left -= part.len;
		packets++;
	} while (left);
	h->w->segments += packets;
	return packets;
}

bool host_reset(struct host *h, u32 dst, const struct seg *s, struct seg *rst)
{
	if (!reply_reset(s, rst))
		return false;
	trace_stray(h->w, h, EV_SEND, BY_RESET, dst, rst);
	host_send(h, dst, rst, 0, 0);
	return true;
}

/* RFC 9293 sections 3.10.7.1 and 3.10.7.2 */
static void host_rx_nobody(struct host *h, const struct packet *p,
			   const struct seg *s)
{
	enum listen_result result = LISTEN_RESET;
	enum cause drop = DROP_CLOSED;
	bool reset = false;
	struct seg rst;

	if (s->dport == h->listens)
		result = listen_rx(s, &drop);
	if (result == LISTEN_RESET)
		reset = host_reset(h, p->src, s, &rst);
	check_stray(h, s, reset ? &rst : NULL, result == LISTEN_SYN, drop);
	if (result == LISTEN_SYN) {
		sock_request(h, s, p->src);
		return;
	}
	host_count_drop(h, drop);
	trace_stray(h->w, h, EV_DROP, drop, p->src, s);
}

static const u8 *payload(const struct world *w, const struct packet *p,
			 const struct seg *s)
{
	return w->cfg->carry ? p->data + s->hdr_len : NULL;
}

/* RFC 1191 section 3: believed where it quotes what is in flight. */
void host_icmp(struct world *w, struct packet *p)
{
	struct host *h = &w->hosts[p->dst - FIRST_ADDRESS];
	struct sock *sk;
	struct seg s;

	wire_parse(&s, p->data, HDR_MIN, HDR_MIN);
	sk = lookup(h, p->src, s.sport, s.dport);
	if (!sk || sk->kind != SOCK_CONN)
		return;
	check_icmp(sk, s.seq);
	if (conn_believes_icmp(&sk->c, s.seq)) {
		check_mss(sk, p->icmp_mtu - IP_HEADER - HDR_MIN);
		conn_set_mss(&sk->c, p->icmp_mtu - IP_HEADER - HDR_MIN, w->now);
		sock_run(sk, 0);
	}
}

void host_rx(struct world *w, struct packet *p)
{
	struct host *h = &w->hosts[p->dst - FIRST_ADDRESS];
	enum cause drop = DROP_BAD_CHECKSUM;
	struct sock *sk;
	struct seg s;

	pcap_packet(w->pcap[h->side], w, p);
	if (packet_intact(w, p))
		drop = wire_parse(&s, p->data, min_t(u32, p->len, HDR_MAX),
				  p->len);
	else
		wire_parse(&s, p->data, min_t(u32, p->len, HDR_MAX), p->len);
	if (drop != DROP_BAD_CHECKSUM)
		check_parsed(w, &s, drop, p->data, p->len);
	if (drop) {
		host_count_drop(h, drop);
		trace_stray(w, h, EV_DROP, drop, p->src, &s);
		return;
	}
	sk = lookup(h, p->src, s.dport, s.sport);
	if (sk && sock_rx(sk, &s, payload(w, p, &s)))
		return;
	host_rx_nobody(h, p, &s);
}
