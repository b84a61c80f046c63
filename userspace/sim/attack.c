// SPDX-License-Identifier: GPL-2.0
/*
 * attack.c - segments from nowhere
 */
#include "attack.h"
#include "host.h"
#include "packet.h"
#include "session.h"
#include "sock.h"

/* More, and a guess may well be right: 300 hit a window of 1 MB once in 14. */
#define MOST_STRIKES 300

static bool is_worth_it(const struct sock *sk)
{
	if (sk->kind == SOCK_CONN)
		return state_in(sk->c.state,
				STATES_SYNCHRONIZED | STF(SYN_SENT));
	return sk->kind == SOCK_REQ || sk->kind == SOCK_TIMEWAIT;
}

/* A connection that is made, or a record; NULL if there is none at all. */
static struct sock *victim(struct world *w)
{
	struct host *h = &w->hosts[rng_below(&w->net_rng, w->nr_hosts)];
	struct sock *sk, *chosen = NULL;
	u32 seen = 0;

	for (sk = h->all; sk; sk = sk->all)
		if (is_worth_it(sk) && !rng_below(&w->net_rng, ++seen))
			chosen = sk;
	return chosen;
}

/* He guesses all numbers. */
static struct seg guessed(struct world *w)
{
	static const u8 kinds[] = {
		FLAG_RST,
		FLAG_RST | FLAG_ACK,
		FLAG_ACK,
		FLAG_PSH | FLAG_ACK,
		FLAG_SYN,
		FLAG_SYN | FLAG_ACK,
		FLAG_FIN | FLAG_ACK,
		FLAG_PSH,
	};
	struct rng *r = &w->net_rng;
	struct seg s = {
		.flags = kinds[rng_below(r, ARRAY_SIZE(kinds))],
		.seq = rng_next(r),
		.ack = rng_next(r),
		.wnd = rng_next(r),
		.has_ts = rng_chance(r, PPM / 2),
		.tsval = rng_next(r),
		.tsecr = rng_next(r),
	};

	if (s.flags & FLAG_PSH)
		s.len = rng_range(r, 1, 64);
	return s;
}

/*
 * He has found the window, and the timestamp; but not RCV.NXT, nor what has been
 * sent to him whose name he uses (RFC 5961 sections 3 to 5).
 */
static void aim(struct world *w, const struct conn *c, struct seg *s)
{
	struct rng *r = &w->net_rng;

	if (c->rcv_wnd < 2)
		return;
	s->seq = c->rcv_nxt + rng_range(r, 1, c->rcv_wnd - 1);
	/* or right behind it */
	if (rng_chance(r, PPM / 4))
		s->seq = c->last_ack_sent + c->rcv_wnd;
	if (s->seq == c->rcv_nxt)
		s->seq++;
	s->ack = c->snd_nxt + rng_range(r, 1, 1 << 30);
	s->has_ts = c->ts_ok;
	s->tsval = c->ts_recent;
}

/* Right behind a window, or in it, but not at its beginning. */
static u32 into_window(struct rng *g, u32 wnd)
{
	u32 into = rng_below(g, 2) ? wnd : rng_below(g, (u64)wnd + 1);

	return max_t(u32, into, 1);
}

/* The same of a handshake. */
static void aim_at_request(struct world *w, const struct req *r, struct seg *s)
{
	struct rng *g = &w->net_rng;

	s->seq = r->irs + 1 + into_window(g, r->rcv_wnd);
	/* or he has heard the SYN, and sends it again, or one that is older */
	if (rng_chance(g, PPM / 4)) {
		s->flags = FLAG_SYN;
		s->seq = r->irs;
	}
	s->ack = rng_below(g, 2) ? r->iss : r->iss + rng_range(g, 2, 1 << 30);
	s->has_ts = r->ts_ok;
	s->tsval = r->ts_recent - rng_below(g, 2);
}

/*
 * Of TIME_WAIT he has an old SYN, and old segments (RFC 1337). A newer timestamp
 * helps him only where the host uses timestamps (RFC 6191 section 2).
 */
static void aim_at_timewait(struct world *w, const struct sock *sk,
			    struct seg *s)
{
	const struct timewait *t = &sk->tw;
	struct rng *g = &w->net_rng;

	if (rng_chance(g, PPM / 3))
		s->flags = FLAG_SYN;
	if (s->flags & FLAG_RST)
		s->seq = t->rcv_nxt + into_window(g, t->rcv_wnd);
	else if (rng_below(g, 2))
		s->seq = t->rcv_nxt;
	else
		s->seq = t->rcv_nxt - rng_below(g, 1000);
	s->ack = t->snd_nxt;
	s->has_ts = t->ts_ok;
	s->tsval = t->ts_recent;
	if (rng_below(g, 2))
		s->tsval -= rng_below(g, 1000);
	else if (!sk->host->env.tun.timestamps)
		s->tsval += rng_below(g, 1000);
}

/* He knows the SYN, but may not acknowledge it: that would be an answer. */
static void aim_at_syn(struct world *w, const struct conn *c, struct seg *s)
{
	struct rng *g = &w->net_rng;

	s->flags |= FLAG_ACK;
	s->ack = rng_below(g, 2) ? c->iss : c->iss + rng_range(g, 2, 1 << 30);
}

static void aim_at(struct world *w, const struct sock *sk, struct seg *s)
{
	if (sk->kind == SOCK_REQ)
		aim_at_request(w, &sk->req, s);
	else if (sk->kind == SOCK_TIMEWAIT && sk->tw.state == ST_TIME_WAIT)
		aim_at_timewait(w, sk, s);
	else if (sk->c.state == ST_SYN_SENT)
		aim_at_syn(w, &sk->c, s);
	else
		aim(w, &sk->c, s);
}

static struct seg forged(struct world *w, const struct sock *sk)
{
	struct seg s = guessed(w);

	/* a guess at a record of TIME_WAIT might reopen it, and rightly */
	if (sk->kind != SOCK_CONN || sk->c.state == ST_SYN_SENT ||
	    rng_chance(&w->net_rng, PPM / 2))
		aim_at(w, sk, &s);
	s.sport = sk->rport;
	s.dport = sk->lport;
	/* one for the listener, or for a port where nobody is */
	if (rng_chance(&w->net_rng, PPM / 8)) {
		s.sport = rng_range(&w->net_rng, 1, CLIENT_PORT - 1);
		if (rng_chance(&w->net_rng, PPM / 2))
			s.dport = rng_range(&w->net_rng, 1, SERVER_PORT - 1);
	}
	return s;
}

/*
 * An ICMP error about a packet that is not in flight: acknowledged long ago, or
 * never sent (RFC 5927 section 4.1).
 */
static void forge_icmp(struct world *w, const struct sock *sk)
{
	struct rng *g = &w->net_rng;
	const struct conn *c = &sk->c;
	struct seg s = {
		.sport = sk->lport,
		.dport = sk->rport,
		.seq = rng_below(g, 2) ? c->snd_nxt + rng_below(g, 1 << 20) :
					 c->snd_una - rng_range(g, 1, 1 << 20),
	};
	struct packet *p = packet_build(w, &s, sk->raddr, sk->host->addr, 0, 0);

	p->icmp_mtu = rng_range(g, 128, 1500);
	p->forged = true;
	packet_travel(w, p, w->now);
}

static bool is_over(const struct world *w)
{
	u32 i;

	for (i = 0; i < w->nr_sessions; i++)
		if (!w->sessions[i].sk[CLIENT] ||
		    w->sessions[i].sk[CLIENT]->kind != SOCK_DEAD)
			return false;
	return true;
}

static void strike(struct world *w, struct sim_timer *t)
{
	struct sock *sk = victim(w);

	if (sk && sk->kind == SOCK_CONN && rng_chance(&w->net_rng, PPM / 16)) {
		forge_icmp(w, sk);
	} else if (sk) {
		struct seg s = forged(w, sk);
		struct packet *p = packet_build(w, &s, sk->raddr,
						sk->host->addr, 0, 0);

		p->forged = true;
		if (!s.len && w->cfg->carry && sk->kind == SOCK_CONN &&
		    rng_chance(&w->net_rng, PPM / 8))
			packet_garble(w, p);
		packet_travel(w, p, w->now);
	}
	if (++w->strikes < MOST_STRIKES && !is_over(w))
		sim_timer_set(w, t, w->now + w->cfg->attack);
}

void attack_init(struct world *w)
{
	sim_timer_init(&w->attacker, strike);
	if (w->cfg->attack)
		sim_timer_set(w, &w->attacker, w->now + w->cfg->attack);
}
