// SPDX-License-Identifier: GPL-2.0
/*
 * link.c - what happens to a packet between two hosts
 */
#include "link.h"
#include "packet.h"

void link_init(struct link *l, const struct link_config *cfg, u64 key)
{
	*l = (struct link){ .cfg = cfg, .key = key };
	if (cfg->rate && cfg->queue)
		l->leaving = sim_alloc((cfg->queue + 1) * sizeof(*l->leaving));
}

void link_destroy(struct link *l)
{
	free(l->leaving);
}

/* What may befall a packet, or the copy of one. */
enum trouble {
	TROUBLE_LOSS,
	TROUBLE_BURST,
	TROUBLE_ICMP_LOSS,
	TROUBLE_DUP,
	TROUBLE_ORIGINAL,
	TROUBLE_COPY,
	NR_TROUBLES
};

/* The random numbers of the packet that was sent last, for one trouble alone. */
static struct rng fate(const struct link *l, enum trouble t)
{
	return (struct rng){ mix64(l->key ^ mix64(l->sent * NR_TROUBLES + t)) };
}

static bool befalls(const struct link *l, enum trouble t, u32 ppm)
{
	struct rng rng;

	if (!ppm)
		return false;
	rng = fate(l, t);
	return rng_chance(&rng, ppm);
}

/* The wire's own clock is in nanoseconds: a fast one takes less than 1 us. */
#define NSEC_PER_USEC 1000
#define NSEC_PER_S 1000000000ULL

static u64 wire_time(const struct link *l, u32 bytes)
{
	return bytes * 8ULL * NSEC_PER_S / l->cfg->rate;
}

/* The queue holds what has not begun to leave; the wire holds one more. */
static bool queue_full(struct link *l, u32 bytes, u64 now)
{
	const struct link_config *cfg = l->cfg;
	u64 backlog = l->busy > now ? l->busy - now : 0;

	if (cfg->queue_bytes &&
	    backlog + wire_time(l, bytes) > wire_time(l, cfg->queue_bytes))
		return true;
	if (!l->leaving)
		return false;
	while (l->waiting && l->leaving[l->head] <= now) {
		l->head = (l->head + 1) % (cfg->queue + 1);
		l->waiting--;
	}
	return l->waiting > cfg->queue;
}

/* Return: when the packet's last bit is on the wire, or NEVER: no room. */
static u64 queue_add(struct link *l, u32 bytes, u64 usec)
{
	const struct link_config *cfg = l->cfg;
	u64 now = usec * NSEC_PER_USEC;

	if (!cfg->rate)
		return usec;
	if (queue_full(l, bytes, now))
		return NEVER;
	l->busy = max_t(u64, l->busy, now) + wire_time(l, bytes);
	if (l->leaving) {
		u32 tail = (l->head + l->waiting) % (cfg->queue + 1);

		l->leaving[tail] = l->busy;
		l->waiting++;
	}
	return l->busy / NSEC_PER_USEC;
}

static unsigned int packet_classes(const struct packet *p)
{
	u8 flags = p->data[13];

	if (flags & FLAG_RST)
		return 0;
	if (flags & FLAG_SYN)
		return BIT(flags & FLAG_ACK ? CLASS_SYNACK : CLASS_SYN);
	return (flags & FLAG_FIN ? BIT(CLASS_FIN) : 0) |
	       (p->len > wire_header_len(p->data) ? BIT(CLASS_DATA) : 0) |
	       (p->len == wire_header_len(p->data) && !(flags & FLAG_FIN) ?
			BIT(CLASS_ACK) :
			0);
}

/* Count it; does it stand on a list of packets to lose? */
static bool listed(struct link *l, const struct packet *p)
{
	unsigned int classes = packet_classes(p);
	bool hit = false;
	u32 class, i;

	for (class = 0; class < NR_CLASSES; class ++) {
		const struct drop_list *list = &l->cfg->drop[class];

		if (!(classes & BIT(class)))
			continue;
		l->seen[class]++;
		for (i = 0; i < list->n; i++)
			hit |= list->nth[i] == l->seen[class];
	}
	return hit;
}

u32 link_not_reached(const struct link *l, enum seg_class class)
{
	const struct drop_list *list = &l->cfg->drop[class];
	u32 i;

	for (i = 0; i < list->n; i++)
		if (list->nth[i] > l->seen[class])
			return list->nth[i];
	return 0;
}

/* Gilbert-Elliott: a good and a bad state, stepped once a packet. */
static bool burst_loses(struct link *l)
{
	const struct link_config *cfg = l->cfg;
	struct rng rng;

	if (!cfg->burst_enter)
		return false;
	rng = fate(l, TROUBLE_BURST);
	if (rng_chance(&rng, l->bad ? cfg->burst_leave : cfg->burst_enter))
		l->bad = !l->bad;
	return l->bad && rng_chance(&rng, cfg->burst_loss);
}

static bool is_dead(const struct world *w, const struct link *l)
{
	return l->cfg->dead_after &&
	       w->now >= w->cfg->start + l->cfg->dead_after;
}

static bool loses(const struct world *w, struct link *l)
{
	bool hit = burst_loses(l);

	return hit || is_dead(w, l) || befalls(l, TROUBLE_LOSS, l->cfg->loss);
}

/* Return: how long the packet is held up. */
static u64 trouble_on_way(const struct world *w, struct link *l,
			  struct packet *p, enum trouble which)
{
	const struct link_config *cfg = l->cfg;
	struct rng rng = fate(l, which);
	bool late = rng_below(&rng, PPM) < cfg->reorder;
	u64 by = rng_range(&rng, 1, max_t(u64, cfg->reorder_delay, 1));

	if (rng_chance(&rng, cfg->corrupt)) {
		packet_damage(w, p, &rng);
		l->damaged++;
	}
	l->held_up += late;
	return late ? by : 0;
}

static void travel(struct world *w, struct link *l, struct packet *p, u64 from,
		   enum trouble which)
{
	const struct link_config *cfg = l->cfg;

	if (cfg->reorder || cfg->corrupt)
		from += trouble_on_way(w, l, p, which);
	packet_travel(w, p, from + cfg->delay);
}

static bool is_too_large(const struct world *w, const struct link *l, u32 bytes)
{
	return l->cfg->mtu && bytes > l->cfg->mtu &&
	       w->now >= w->cfg->start + l->cfg->mtu_after;
}

/* The packet goes back as the message about itself, unless that is lost. */
static void complain(struct world *w, struct link *l, struct packet *p)
{
	u32 src = p->src;

	l->too_large++;
	if (befalls(l, TROUBLE_ICMP_LOSS, l->cfg->loss)) {
		packet_free(w, p);
		return;
	}
	p->src = p->dst;
	p->dst = src;
	p->icmp_mtu = l->cfg->mtu;
	packet_travel(w, p, w->now + l->cfg->delay);
}

void link_send(struct world *w, struct link *l, struct packet *p)
{
	u32 bytes = p->len + IP_HEADER;
	bool hit = listed(l, p);
	u64 gone;

	l->sent++;
	l->bytes += bytes;
	if (is_too_large(w, l, bytes)) {
		complain(w, l, p);
		return;
	}
	gone = queue_add(l, bytes, w->now);
	if (gone == NEVER) {
		l->full++;
		packet_free(w, p);
		return;
	}
	if (loses(w, l) || hit) {
		l->lost++;
		packet_free(w, p);
		return;
	}
	if (befalls(l, TROUBLE_DUP, l->cfg->dup)) {
		travel(w, l, packet_copy(w, p), gone, TROUBLE_COPY);
		l->copied++;
	}
	travel(w, l, p, gone, TROUBLE_ORIGINAL);
}
