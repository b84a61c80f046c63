// SPDX-License-Identifier: GPL-2.0
/*
 * scenario.c - a seed becomes a path with its troubles, two stacks, two users
 *
 * Each trouble is there in a part of the scenarios, so that some meet alone and
 * some together. Amounts are spread over their orders of magnitude. What a run
 * takes is bounded by its number of segments, not by its virtual time.
 */
#include "change.h"
#include "params.h"
#include "rng.h"
#include "scenario.h"

/* Bytes of all connections together, and segments of one stream. */
#define MOST_BYTES (16 * 1024 * 1024)
#define MOST_SEGMENTS 10000

/* Seconds that a full queue of full packets may take to run dry. */
#define LONGEST_QUEUE 15

static bool percent(struct rng *r, u32 p)
{
	return rng_below(r, 100) < p;
}

/* lo <= result <= hi, each power of two between them as likely as any other. */
static u64 spread(struct rng *r, u64 lo, u64 hi)
{
	u32 doublings = 0;
	u64 from;

	while ((hi + 1) >> (doublings + 1) > lo)
		doublings++;
	from = (lo + 1) << rng_below(r, doublings + 1);
	return rng_range(r, min_t(u64, from - 1, hi), min_t(u64, 2 * from, hi));
}

static u64 pick(struct rng *r, const u64 *values, u32 n)
{
	return values[rng_below(r, n)];
}

#define PICK(r, ...)                          \
	pick(r, (const u64[]){ __VA_ARGS__ }, \
	     sizeof((const u64[]){ __VA_ARGS__ }) / sizeof(u64))

/* --- the path --- */

static void derive_loss(struct link_config *l, struct rng *r)
{
	if (percent(r, 35))
		l->loss = rng_range(r, 500, 30000);
	else if (percent(r, 20))
		l->loss = rng_range(r, 100000, 200000);
	if (percent(r, 15)) {
		l->burst_enter = rng_range(r, 1000, 20000);
		l->burst_leave = rng_range(r, 200000, 600000);
		l->burst_loss = rng_range(r, 300000, 800000);
	}
}

static void derive_list(struct link_config *l, struct rng *r)
{
	u32 class = rng_below(r, NR_CLASSES);
	struct drop_list *list = &l->drop[class];
	u32 most = class == CLASS_DATA || class == CLASS_ACK ? 40 : 3;

	while (list->n < 4) {
		list->nth[list->n++] = rng_range(r, 1, most);
		if (percent(r, 40))
			break;
	}
}

static void derive_troubles(struct link_config *l, struct rng *r)
{
	derive_loss(l, r);
	if (percent(r, 25)) {
		l->reorder = rng_range(r, 5000, 300000);
		l->reorder_delay = spread(r, 100, 4 * l->delay + 1000);
	}
	if (percent(r, 20))
		l->dup = rng_range(r, 1000, 100000);
	if (percent(r, 20))
		l->corrupt = rng_range(r, 500, 30000);
	if (percent(r, 25))
		derive_list(l, r);
}

static void derive_path(struct sim_config *cfg, struct rng *r)
{
	struct link_config *there = &cfg->link[CLIENT];
	struct link_config *back = &cfg->link[SERVER];

	there->rate = PICK(r, 0, 56000, 512000, 2000000, 10000000, 100000000,
			   1000000000);
	there->delay = spread(r, 10, 300 * USEC_PER_MS);
	there->queue = spread(r, 2, 300);
	if (there->rate)
		there->queue = min_t(u64, there->queue,
				     LONGEST_QUEUE * there->rate / 12000 + 2);
	there->reorder_delay = 1000;
	*back = *there;
	if (percent(r, 15))
		back->rate = there->rate / 10;
	if (percent(r, 15))
		back->delay = spread(r, 10, 300 * USEC_PER_MS);
	if (percent(r, 15)) {
		there->mtu = rng_range(r, 128, 1500);
		there->mtu_after = spread(r, 1, 5 * USEC_PER_S);
	}
	if (percent(r, 15)) {
		back->mtu = rng_range(r, 128, 1500);
		back->mtu_after = spread(r, 1, 5 * USEC_PER_S);
	}
	if (percent(r, 80)) {
		derive_troubles(there, r);
		derive_troubles(back, r);
	}
}

/* How long a packet may live: what the MSL must not be below. */
static u64 lifetime(const struct sim_config *cfg)
{
	u64 longest = 0;
	u32 i;

	for (i = 0; i < NR_SIDES; i++) {
		const struct link_config *l = &cfg->link[i];
		u64 wait = l->rate ? (l->queue + 2) * 1500 * 8 * USEC_PER_S /
					     l->rate :
				     0;

		longest = max_t(u64, longest,
				wait + l->delay + l->reorder_delay);
	}
	return longest;
}

/* --- the stacks --- */

static void derive_buffers(struct side_config *s, struct rng *r)
{
	s->rcvbuf = percent(r, 20) ? rng_range(r, 64, 3000) :
				     spread(r, 2000, 4 << 20);
	s->rcvbuf_max = percent(r, 30) ? s->rcvbuf * rng_range(r, 1, 64) :
					 s->rcvbuf;
	s->sndbuf = percent(r, 20) ? rng_range(r, 64, 3000) :
				     spread(r, 2000, 1 << 20);
	if (percent(r, 15)) {
		s->resize_after = spread(r, 1, 5 * USEC_PER_S);
		s->resize_to = percent(r, 60) ?
				       s->rcvbuf / rng_range(r, 1, 10) + 1 :
				       s->rcvbuf_max;
	}
	/* as much as one window tells of, with this scale or that */
	if (percent(r, 5))
		s->rcvbuf = s->rcvbuf_max = U16_MAX << rng_below(r, 4);
	if (percent(r, 10))
		s->nomem = rng_range(r, 1000, 20000);
}

static void derive_times(struct side_config *s, struct rng *r, u64 life)
{
	s->rto_min = PICK(r, RTO_FLOOR, RTO_FLOOR, 20000, 1000000);
	s->rto_max = 3 * life +
		     PICK(r, 2000000, 10000000, 60000000, RTO_CEILING);
	s->delack = PICK(r, DELACK_TIME, DELACK_TIME, 0, 200000, 450000);
	s->msl = life + spread(r, 10000, MSL);
	s->retries = 100;
	s->keepalive = percent(r, 15);
	s->keep_idle = spread(r, 500000, 20 * USEC_PER_S);
	s->keep_interval = 2 * life + spread(r, 500000, 5 * USEC_PER_S);
	s->fin_timeout = 7200 * USEC_PER_S;
}

static void derive_stack(struct side_config *s, struct rng *r, u64 life)
{
	static const struct cc_ops *const likely[] = {
		&cc_newreno,
		&cc_newreno,
		&cc_reno,
		&cc_tahoe,
	};

	s->cc = likely[rng_below(r, ARRAY_SIZE(likely))];
	s->timestamps = percent(r, 65);
	s->window_scaling = percent(r, 65);
	s->hystart = percent(r, 75);
	s->nodelay = percent(r, 40);
	s->isn_wrap = percent(r, 30);
	s->iw = percent(r, 50) ? INIT_CWND : rng_range(r, 1, 10);
	s->mtu = percent(r, 50) ?
			 1500 :
			 PICK(r, 88, 128, 296, 576, 1006, 1280, 4000, 9000);
	s->user_mss = percent(r, 15) ? spread(r, 1, 2000) : 0;
	s->offload = PICK(r, 0, 0, 5000, 65535);
	derive_buffers(s, r);
	derive_times(s, r, life);
}

/* --- the users --- */

/* The smallest step that leaves a stream a bounded number of steps. */
static u64 least_step(u64 bytes)
{
	return bytes / MOST_SEGMENTS + 1;
}

static void derive_writer(struct side_config *s, struct rng *r, u64 most)
{
	u64 chunk;

	s->bytes = percent(r, 10) ? 0 : spread(r, 1, most);
	s->chunk_min = least_step(s->bytes);
	if (percent(r, 50)) {
		/* drawn once: max_t() looks at its arguments twice */
		chunk = spread(r, 1, 65536);
		s->chunk_min = max_t(u64, s->chunk_min, chunk);
	}
	s->chunk_max = s->chunk_min +
		       (percent(r, 50) ? spread(r, 1, 20000) : 0);
	if (percent(r, 15))
		s->write_gap = spread(r, 10, 400 * USEC_PER_MS);
	if (percent(r, 20))
		s->more = rng_range(r, 100000, 900000);
}

static void derive_reader(struct side_config *s, struct rng *r, u64 expect)
{
	if (percent(r, 15))
		s->read_rate = expect / rng_range(r, 1, 40) + 10;
	if (percent(r, 25))
		s->read_chunk = least_step(expect) + spread(r, 0, 20000);
	if (percent(r, 12))
		s->read_delay = spread(r, 1000, 60 * USEC_PER_S);
	if (percent(r, 12)) {
		s->pause_at = expect ? rng_below(r, expect) : 0;
		s->pause_for = spread(r, 1000, 100 * USEC_PER_S);
	}
}

static void derive_closing(struct sim_config *cfg, struct rng *r)
{
	static const u8 ways[][NR_SIDES] = {
		{ CLOSE_EXCHANGED, CLOSE_EOF },
		{ CLOSE_EOF, CLOSE_EXCHANGED },
		{ CLOSE_WRITTEN, CLOSE_EOF },
		{ CLOSE_EOF, CLOSE_WRITTEN },
		{ CLOSE_WRITTEN, CLOSE_WRITTEN },
		{ CLOSE_EXCHANGED, CLOSE_EXCHANGED },
	};
	u32 way = rng_below(r, ARRAY_SIZE(ways));
	u32 i;

	for (i = 0; i < NR_SIDES; i++) {
		struct side_config *s = &cfg->side[i];

		s->close = ways[way][i];
		s->release = s->close == CLOSE_EXCHANGED && percent(r, 25);
		if (way >= 4 && cfg->seed % 2)
			s->close_grid = USEC_PER_S;
	}
}

static void derive_abort(struct sim_config *cfg, struct rng *r)
{
	u32 who = rng_below(r, 3);
	u32 i;

	for (i = 0; i < NR_SIDES; i++) {
		struct side_config *s = &cfg->side[i];

		if (who != i)
			s->abort_after = spread(r, 1, 10 * USEC_PER_S);
		/* he who will not hear the peer out resets what still comes */
		s->release |= percent(r, 30);
		s->keepalive = true;
		s->retries = 20;
	}
}

/* The path dies, and all must notice: R2, keep-alives, the orphan's FIN_WAIT_2. */
static void derive_death(struct sim_config *cfg, struct rng *r)
{
	u64 after = spread(r, 1000, 20 * USEC_PER_S);
	u32 i;

	for (i = 0; i < NR_SIDES; i++) {
		struct side_config *s = &cfg->side[i];

		cfg->link[i].dead_after = after;
		s->retries = rng_range(r, 1, 8);
		s->keepalive = true;
		s->fin_timeout = spread(r, USEC_PER_S, 100 * USEC_PER_S);
		s->release |= percent(r, 30);
	}
}

/*
 * He who closes leaves before the peer does, so that FIN_WAIT_2 has nobody; the
 * peer takes its time, and may find that nobody is there any more.
 */
static void derive_forsaken(struct sim_config *cfg, struct rng *r)
{
	struct side_config *s = &cfg->side[rng_below(r, NR_SIDES)];

	cfg->forsaken = true;
	s->close = CLOSE_WRITTEN;
	s->leave_after = spread(r, 1, 3 * USEC_PER_S);
	s->release = percent(r, 30);
	s->fin_timeout = spread(r, 1000, 5 * USEC_PER_S);
	for (u32 i = 0; i < NR_SIDES; i++) {
		cfg->side[i].keepalive = true;
		cfg->side[i].retries = 20;
		cfg->side[i].close_grid = spread(r, 1000, 5 * USEC_PER_S);
	}
}

/* The listener goes, and with it what it had begun. */
static void derive_deaf(struct sim_config *cfg, struct rng *r)
{
	u64 trip = cfg->link[CLIENT].delay + cfg->link[SERVER].delay;

	cfg->deaf_after = spread(r, 1, 3 * trip + 1000);
	for (u32 i = 0; i < NR_SIDES; i++) {
		cfg->side[i].keepalive = true;
		cfg->side[i].retries = 20;
	}
}

/*
 * A queue of fewer packets than there are connections may be full whenever the
 * same one's turn comes, for ever, where nothing else is random.
 */
static void give_turns(struct sim_config *cfg)
{
	u32 least = min_t(u32, 2 * cfg->clients * cfg->connections, 40);

	for (u32 i = 0; i < NR_SIDES; i++)
		cfg->link[i].queue = max_t(u32, cfg->link[i].queue, least);
}

static void derive_many(struct sim_config *cfg, struct rng *r)
{
	if (percent(r, 15))
		cfg->connections = rng_range(r, 2, 20);
	if (percent(r, 10))
		cfg->clients = rng_range(r, 2, 5);
	if (percent(r, 10))
		cfg->simultaneous = true;
	else if (percent(r, 15))
		cfg->rounds = rng_range(r, 2, 4);
	give_turns(cfg);
	cfg->open_gap = percent(r, 50) ? 0 : spread(r, 1, USEC_PER_S);
}

/* So many bytes that small segments or windows do not take for ever. */
static u64 most_bytes(const struct sim_config *cfg, enum side side)
{
	const struct side_config *s = &cfg->side[side];
	const struct side_config *peer = &cfg->side[!side];
	u64 segment = min_t(u32, s->mtu, peer->mtu) - 40;
	u64 most = MOST_BYTES / cfg->connections / cfg->clients / cfg->rounds;

	if (s->user_mss)
		segment = min_t(u64, segment,
				max_t(u32, s->user_mss, MSS_FLOOR));
	if (peer->user_mss)
		segment = min_t(u64, segment,
				max_t(u32, peer->user_mss, MSS_FLOOR));
	segment = min_t(u64, segment, min_t(u32, s->sndbuf, peer->rcvbuf));
	if (peer->resize_after)
		segment = min_t(u64, segment, peer->resize_to);
	return min_t(u64, most,
		     segment * MOST_SEGMENTS / cfg->connections / cfg->clients +
			     1);
}

/* He guesses; windows of many megabytes would let him guess right. */
static void derive_attack(struct sim_config *cfg, struct rng *r)
{
	u32 i;

	cfg->attack = spread(r, 100, USEC_PER_S);
	for (i = 0; i < NR_SIDES; i++) {
		struct side_config *s = &cfg->side[i];

		s->rcvbuf = min_t(u32, s->rcvbuf, 1 << 20);
		s->rcvbuf_max = min_t(u32, s->rcvbuf_max, 1 << 20);
		s->resize_to = min_t(u32, s->resize_to, 1 << 20);
	}
}

static void derive_changes(struct side_config *s, struct rng *r)
{
	if (!percent(r, 30))
		return;
	s->change_every = spread(r, 1000, 3 * USEC_PER_S);
	s->changes = percent(r, 50) ? BIT(NR_CHANGES) - 1 :
				      BIT(rng_below(r, NR_CHANGES));
}

static void derive_options(struct sim_config *cfg, enum side side,
			   struct rng *r)
{
	struct side_config *s = &cfg->side[side];

	if (percent(r, 10))
		s->clamp = 2 * s->mtu + spread(r, 1, 1 << 20);
	if (percent(r, 10))
		s->default_mss = rng_range(r, 100, 1400);
	if (percent(r, 15))
		s->defer = spread(r, 1, 20 * USEC_PER_S);
	if (percent(r, 25)) {
		s->urgent = rng_range(r, 5000, 500000);
		cfg->side[!side].urgent_inline = percent(r, 40);
	}
	if (cfg->link[CLIENT].dead_after && percent(r, 40))
		s->user_timeout = spread(r, USEC_PER_MS, 100 * USEC_PER_S);
	if (!config_aborts(cfg))
		derive_changes(s, r);
}

/* Who has not heard all, and will hear no more, resets what still comes. */
static void derive_shutdown(const struct sim_config *cfg, struct side_config *s,
			    struct rng *r)
{
	s->close_acked = percent(r, 30);
	if (s->close == CLOSE_EXCHANGED || config_aborts(cfg))
		s->close_read = percent(r, 30);
}

/*
 * How a host uses RFC 7323 changes while handshakes are on their way. An attacker has
 * strikes left for TIME_WAIT.
 */
static void derive_flips(struct sim_config *cfg, struct rng *r)
{
	u64 trip = cfg->link[CLIENT].delay + cfg->link[SERVER].delay;

	for (u32 i = 0; i < NR_SIDES; i++) {
		struct side_config *s = &cfg->side[i];

		if (percent(r, cfg->attack ? 50 : 10))
			s->flip_every = rng_range(r, trip / 2 + 1,
						  2 * trip + 1000);
		if (!s->flip_every || !cfg->attack)
			continue;
		cfg->attack = max_t(u64, cfg->attack,
				    spread(r, 10000, USEC_PER_S));
		cfg->side[CLIENT].timestamps = true;
		cfg->side[SERVER].timestamps = true;
	}
}

/*
 * He who leaves has not read what has come, or all that he has written waits for a
 * peer that does not read.
 */
static void derive_neglect(struct sim_config *cfg, struct rng *r)
{
	u32 leaver = cfg->side[SERVER].leave_after ? SERVER : CLIENT;
	struct side_config *s = &cfg->side[leaver];
	struct side_config *peer = &cfg->side[!leaver];

	if (percent(r, 50)) {
		s->read_delay = spread(r, USEC_PER_S, 60 * USEC_PER_S);
	} else {
		peer->read_delay = spread(r, 20 * USEC_PER_S, 200 * USEC_PER_S);
		peer->rcvbuf = peer->rcvbuf_max = min_t(u32, peer->rcvbuf,
							8000);
		peer->bytes = 0;
		s->bytes = max_t(u64, s->bytes, 3 * peer->rcvbuf);
		s->sndbuf = max_t(u64, s->sndbuf, s->bytes);
		s->retries = rng_range(r, 1, 8);
	}
}

/* He aborts while the other one's window is shut, and probed. */
static void derive_shut_abort(struct sim_config *cfg, struct rng *r)
{
	u32 who = cfg->side[CLIENT].abort_after ? CLIENT : SERVER;
	struct side_config *s = &cfg->side[who];
	struct side_config *peer = &cfg->side[!who];

	if (!s->abort_after)
		return;
	s->abort_after = max_t(u64, s->abort_after,
			       spread(r, 2 * USEC_PER_S, 10 * USEC_PER_S));
	peer->abort_after = 0;
	peer->rcvbuf = peer->rcvbuf_max = min_t(u32, peer->rcvbuf, 8000);
	peer->read_delay = s->abort_after + USEC_PER_S;
	s->bytes = max_t(u64, s->bytes, 3 * peer->rcvbuf);
}

/* The server waits for data, which does not come. */
static void derive_waiting(struct sim_config *cfg, struct rng *r)
{
	struct side_config *client = &cfg->side[CLIENT];
	struct side_config *server = &cfg->side[SERVER];

	server->defer = spread(r, 2 * USEC_PER_S, 20 * USEC_PER_S);
	server->close = CLOSE_WRITTEN;
	client->bytes = 0;
	client->close = CLOSE_EOF;
	client->release = client->close_read = false;
	server->release = server->close_read = false;
}

/*
 * All that is written fills the peer's buffer, to the byte or nearly, and nobody
 * reads: the FIN finds the window shut, or its edge in the way.
 */
static void derive_brim(struct sim_config *cfg, struct rng *r)
{
	u32 writer = rng_below(r, NR_SIDES);
	struct side_config *s = &cfg->side[writer];
	struct side_config *peer = &cfg->side[!writer];
	struct drop_list *fins = &cfg->link[writer].drop[CLASS_FIN];

	s->bytes = clamp_t(u64, s->bytes, 200, percent(r, 50) ? 10000 : 200000);
	s->chunk_max = max_t(u32, s->chunk_max, 2 * least_step(s->bytes));
	s->close = CLOSE_WRITTEN;
	peer->close = CLOSE_EOF;
	/* both hear the other out */
	s->release = s->close_read = peer->release = peer->close_read = false;
	peer->rcvbuf = s->bytes + rng_below(r, 3) * rng_below(r, 20);
	/* rounded to units of a scale, or not */
	peer->rcvbuf_max = percent(r, 60) ? peer->rcvbuf + (4 << 20) :
					    peer->rcvbuf;
	peer->resize_after = peer->clamp = 0;
	peer->read_delay = spread(r, USEC_PER_S, 60 * USEC_PER_S);
	fins->n = rng_below(r, 4);
	for (u32 i = 0; i < fins->n; i++)
		fins->nth[i] = i + 1;
}

/* What few scenarios have, and for one thing each. */
static void derive_rest(struct sim_config *cfg, u64 seed)
{
	struct rng r = rng_fork(seed, 7);

	derive_flips(cfg, &r);
	cfg->watch |= cfg->forsaken;
	if (cfg->forsaken && percent(&r, 60))
		derive_neglect(cfg, &r);
	if (percent(&r, 50))
		derive_shut_abort(cfg, &r);
	if (!config_aborts(cfg) && percent(&r, 10))
		derive_brim(cfg, &r);
	else if (!config_aborts(cfg) && percent(&r, cfg->attack ? 40 : 3))
		derive_waiting(cfg, &r);
}

void scenario_derive(struct sim_config *cfg, u64 seed)
{
	struct rng r = rng_fork(seed, 3);
	u32 i;

	config_init(cfg);
	cfg->seed = seed;
	cfg->start = percent(&r, 50) ? 0 : rng_below(&r, 1ULL << 45);
	cfg->watch = percent(&r, 30);
	derive_path(cfg, &r);
	derive_many(cfg, &r);
	for (i = 0; i < NR_SIDES; i++)
		derive_stack(&cfg->side[i], &r, lifetime(cfg));
	for (i = 0; i < NR_SIDES; i++)
		derive_writer(&cfg->side[i], &r, most_bytes(cfg, i));
	for (i = 0; i < NR_SIDES; i++)
		derive_reader(&cfg->side[i], &r, cfg->side[!i].bytes);
	derive_closing(cfg, &r);
	if (percent(&r, 10))
		derive_abort(cfg, &r);
	else if (percent(&r, 8))
		derive_death(cfg, &r);
	if (percent(&r, 10))
		derive_attack(cfg, &r);
	r = rng_fork(seed, 4);
	cfg->foreign = percent(&r, 20);
	if (!config_aborts(cfg) && percent(&r, 8))
		derive_forsaken(cfg, &r);
	else if (!config_aborts(cfg) && percent(&r, 6))
		derive_deaf(cfg, &r);
	for (i = 0; i < NR_SIDES; i++)
		derive_options(cfg, i, &r);
	for (i = 0; i < NR_SIDES; i++)
		derive_shutdown(cfg, &cfg->side[i], &r);
	derive_rest(cfg, seed);
}
