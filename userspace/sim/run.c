// SPDX-License-Identifier: GPL-2.0
/*
 * run.c - the world begins, goes on, is judged and ends
 */
#include "attack.h"
#include "check_stats.h"
#include "host.h"
#include "packet.h"
#include "run.h"
#include "session.h"
#include "sock.h"

/* The server listens no more: RFC 9293 section 3.10.5 for what it had begun. */
static void go_deaf(struct world *w, struct sim_timer *t)
{
	struct host *h = &w->hosts[SERVER];
	struct sock *sk;

	h->listens = 0;
	for (sk = h->all; sk; sk = sk->all)
		if (sk->kind == SOCK_REQ)
			sock_refuse(sk);
}

void run_init(struct run *r, const struct sim_config *cfg, struct trace *trace)
{
	struct world *w = &r->w;
	u32 i;

	memset(r, 0, sizeof(*r));
	r->cfg = *cfg;
	w->cfg = &r->cfg;
	w->trace = trace;
	w->now = w->progress = cfg->start;
	w->net_rng = rng_fork(cfg->seed, 1);
	w->app_rng = rng_fork(cfg->seed, 2);
	for (i = 0; i < NR_SIDES; i++)
		link_init(&r->link[i], &r->cfg.link[i],
			  rng_fork(cfg->seed, 5 + i).state);
	w->nr_hosts = cfg->clients + 1;
	w->hosts = sim_alloc(w->nr_hosts * sizeof(*w->hosts));
	for (i = 0; i < w->nr_hosts; i++)
		host_init(&w->hosts[i], w, i,
			  &r->link[i == SERVER ? SERVER : CLIENT]);
	if (!cfg->simultaneous)
		w->hosts[SERVER].listens = SERVER_PORT;
	sim_timer_init(&w->deaf, go_deaf);
	if (cfg->deaf_after)
		sim_timer_set(w, &w->deaf, w->now + cfg->deaf_after);
	sessions_init(w);
	attack_init(w);
}

static void free_packets(struct world *w)
{
	while (w->pool) {
		struct packet *p = w->pool;

		w->pool = p->next;
		free(p);
	}
}

/* A run that failed may have left packets in the heap. */
static void free_heap(struct world *w)
{
	u32 i;

	for (i = 0; i < w->nr_due; i++)
		if (packet_is_due(w->heap[i].timer))
			free(container_of(w->heap[i].timer, struct packet,
					  arrival));
	free(w->heap);
}

void run_destroy(struct run *r)
{
	struct world *w = &r->w;
	u32 i;

	free_heap(w);
	free(w->sessions);
	for (i = 0; i < w->nr_hosts; i++)
		host_destroy(&w->hosts[i]);
	free(w->hosts);
	for (i = 0; i < NR_SIDES; i++)
		link_destroy(&r->link[i]);
	free_packets(w);
}

/* Longer than this nothing may stand still. */
static u64 patience(const struct sim_config *cfg)
{
	u64 longest = 0;
	u32 i;

	for (i = 0; i < NR_SIDES; i++) {
		const struct side_config *s = &cfg->side[i];

		longest = max_t(u64, longest,
				60 * s->rto_max + 4 * s->msl + s->keep_idle +
					100 * s->keep_interval + s->read_delay +
					s->pause_for + s->write_gap +
					s->close_grid + s->abort_after);
	}
	return longest + 300 * USEC_PER_S;
}

/* --- the verdict --- */

/*
 * Behind the peer's FIN and our own a reset loses nothing: the peer's TIME_WAIT
 * may be over before the last ACK gets through.
 */
static bool error_matters(const struct sock *sk)
{
	bool leaving = sk->final == ST_LAST_ACK || sk->final == ST_CLOSING;

	return (sk->c.err || sk->app.err) &&
	       !(leaving && sk->c.err == ECONNRESET);
}

static void judge_stream(struct sock *sk)
{
	const struct app *a = &sk->app;

	if (a->written != a->cfg->bytes)
		sock_fail(sk, "%llu of %llu bytes were written",
			  (unsigned long long)a->written,
			  (unsigned long long)a->cfg->bytes);
	if (a->read != a->expect)
		sock_fail(sk, "%llu of %llu bytes were read",
			  (unsigned long long)a->read,
			  (unsigned long long)a->expect);
	if (!a->eof && !a->cfg->release)
		sock_fail(sk, "the reader saw no end of the stream");
	if (error_matters(sk))
		sock_fail(sk, "the connection ended with errno %d",
			  sk->c.err ?: a->err);
}

static void judge_sock(struct world *w, struct sock *sk)
{
	if (sk->kind != SOCK_DEAD)
		sock_fail(sk, "still there at the end of time");
	if (!sk->session)
		return;
	if (!sk->app.done)
		sock_fail(sk, "its user still waits at the end of time");
	if (!config_aborts(w->cfg))
		judge_stream(sk);
}

static void judge(struct world *w)
{
	struct sock *sk;
	u32 i, side;

	for (i = 0; i < w->nr_hosts; i++)
		for (sk = w->hosts[i].all; sk; sk = sk->all)
			judge_sock(w, sk);
	for (i = 0; i < w->nr_sessions; i++)
		for (side = 0; side < NR_SIDES; side++)
			if (!w->sessions[i].sk[side] && !config_aborts(w->cfg))
				world_fail(w, "a connection was never made");
	if (!w->cfg->no_rules)
		count_judge(w);
	if (w->packets)
		world_fail(w, "%u packets leaked", w->packets);
}

bool run_go(struct run *r)
{
	struct world *w = &r->w;
	u64 longest = patience(w->cfg);

	while (!world_failed(w) && world_step(w))
		if (w->now - w->progress > longest)
			world_fail(w, "nothing has gone forward since %llu s",
				   (unsigned long long)(w->progress /
							USEC_PER_S));
	if (!world_failed(w))
		judge(w);
	return !world_failed(w);
}
