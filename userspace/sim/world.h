/* SPDX-License-Identifier: GPL-2.0 */
/*
 * world.h - the virtual clock, what is due on it, and the verdict of a run
 *
 * A world is one run: hosts, links, packets on their way. Its clock jumps from
 * one due timer to the next; timers due at the same time fire in the order in
 * which they were set. The first broken rule is kept and ends the run.
 */
#ifndef CHALK_SIM_WORLD_H
#define CHALK_SIM_WORLD_H

#include "config.h"
#include "rng.h"

struct host;
struct packet;
struct session;
struct trace;
struct world;

/* Not in the heap. */
#define TIMER_IDLE U32_MAX

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr)-offsetof(type, member)))

/**
 * struct sim_timer - something that is due; embedded in what it belongs to
 * @fire: called at the time, no longer in the heap
 * @slot: place in the heap, or TIMER_IDLE
 */
struct sim_timer {
	void (*fire)(struct world *w, struct sim_timer *t);
	u32 slot;
};

struct due {
	u64 at;
	u64 order;
	struct sim_timer *timer;
};

/**
 * struct world - a run
 * @cfg:      what decides it
 * @now:      microseconds
 * @heap:     due timers, the first at the root
 * @nr_due:   how many
 * @cap:      room in @heap
 * @order:    number of the next timer set
 * @net_rng:  for the attacker and for how headers are written
 * @app_rng:  for the users and the memory of the hosts
 * @hosts:    [0] the first client, [1] the server, then further clients
 * @nr_hosts: how many
 * @attacker: when the attacker strikes next
 * @deaf:     when the server stops to listen
 * @strikes: how often he did
 * @forged:  the packet that is being received is his
 * @sessions: pairs of users and what they exchange
 * @nr_sessions: how many
 * @next_id:  number of the next connection
 * @pool:     free packets
 * @packets:  packets that exist
 * @trace:    where events go, or NULL
 * @pcap:     [side]: where its packets go, or NULL
 * @progress: when something last went forward
 * @segments: packets sent by all hosts
 * @failure:  the first broken rule, empty: none
 */
struct world {
	const struct sim_config *cfg;
	u64 now;
	struct due *heap;
	u32 nr_due, cap;
	u64 order;
	struct rng net_rng, app_rng;
	struct host *hosts;
	u32 nr_hosts;
	struct sim_timer attacker, deaf;
	u32 strikes;
	bool forged;
	struct session *sessions;
	u32 nr_sessions;
	u32 next_id;
	struct packet *pool;
	u32 packets;
	struct trace *trace;
	struct pcap *pcap[NR_SIDES];
	u64 progress;
	u64 segments;
	char failure[400];
};

/**
 * sim_timer_init() - before the first use
 * @t:    the timer
 * @fire: what to do when it is due
 */
void sim_timer_init(struct sim_timer *t,
		    void (*fire)(struct world *, struct sim_timer *));

/**
 * sim_timer_set() - make a timer due, or due at another time
 * @w:  the world
 * @t:  the timer
 * @at: when; NEVER takes it out
 */
void sim_timer_set(struct world *w, struct sim_timer *t, u64 at);

/**
 * world_step() - go to the next due timer and fire it
 * @w: the world
 *
 * Return: false if none is due any more.
 */
bool world_step(struct world *w);

/**
 * world_fail() - a rule is broken
 * @w:   the world
 * @fmt: which and how
 */
__attribute__((__format__(__printf__, 2, 3))) void
world_fail(struct world *w, const char *fmt, ...);

static inline bool world_failed(const struct world *w)
{
	return w->failure[0];
}

/* malloc() that cleans and never fails. */
void *sim_alloc(size_t size);

#endif /* CHALK_SIM_WORLD_H */
