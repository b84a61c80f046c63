// SPDX-License-Identifier: GPL-2.0
/*
 * packet.c - the pool of packets, the checksum, the payload
 */
#include "check_wire.h"
#include "host.h"
#include "packet.h"
#include "params.h"

/* The attacker minds no MTU. */
#define LEAST_ROOM 128

static size_t packet_room(const struct world *w)
{
	const struct sim_config *cfg = w->cfg;
	u32 mtu = max_t(u32, cfg->side[CLIENT].mtu, cfg->side[SERVER].mtu);

	return cfg->carry ? max_t(u32, mtu, LEAST_ROOM) : HDR_MAX;
}

struct packet *packet_new(struct world *w)
{
	struct packet *p = w->pool;

	if (p)
		w->pool = p->next;
	else
		p = sim_alloc(sizeof(*p) + packet_room(w));
	p->icmp_mtu = 0;
	p->forged = false;
	p->damaged = false;
	w->packets++;
	return p;
}

void packet_free(struct world *w, struct packet *p)
{
	p->next = w->pool;
	w->pool = p;
	w->packets--;
}

u32 packet_stored(const struct world *w, const struct packet *p)
{
	return w->cfg->carry ? p->len : wire_header_len(p->data);
}

struct packet *packet_copy(struct world *w, const struct packet *p)
{
	struct packet *q = packet_new(w);

	q->src = p->src;
	q->dst = p->dst;
	q->len = p->len;
	q->damaged = p->damaged;
	memcpy(q->data, p->data, packet_stored(w, p));
	return q;
}

/* Word @i of the stream @key: eight of its bytes. */
static inline u64 stream_word(u64 key, u64 i)
{
	u64 x = (key ^ i) * 0x9e3779b97f4a7c15ULL;

	return (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9ULL;
}

void stream_fill(u64 key, u64 off, u8 *buf, u32 n)
{
	while (n) {
		u64 word = stream_word(key, off / 8);
		u32 skip = off % 8;
		u32 take = min_t(u32, 8 - skip, n);

		if (take == 8)
			memcpy(buf, &word, 8);
		else
			memcpy(buf, (u8 *)&word + skip, take);
		off += take;
		buf += take;
		n -= take;
	}
}

bool stream_matches(u64 key, u64 off, const u8 *buf, u32 n)
{
	u8 want[512];

	while (n) {
		u32 take = min_t(u32, n, sizeof(want));

		stream_fill(key, off, want, take);
		if (memcmp(buf, want, take))
			return false;
		off += take;
		buf += take;
		n -= take;
	}
	return true;
}

/* One's complement sum in the byte order of the machine (RFC 1071, 2 (B)). */
static u64 sum_bytes(const u8 *p, u32 n)
{
	u64 sum = 0;
	u16 tail = 0;

	for (; n >= 4; p += 4, n -= 4) {
		u32 word;

		memcpy(&word, p, 4);
		sum += word;
	}
	if (n >= 2) {
		u16 half;

		memcpy(&half, p, 2);
		sum += half;
		p += 2;
		n -= 2;
	}
	if (n)
		memcpy(&tail, p, 1);
	return sum + tail;
}

/* RFC 9293 section 3.1: the pseudo-header, the header, the payload. */
static u16 packet_checksum(const struct packet *p)
{
	u8 pseudo[12] = {
		p->src >> 24, p->src >> 16, p->src >> 8, p->src, p->dst >> 24,
		p->dst >> 16, p->dst >> 8,  p->dst,	 0,	 IPPROTO_CHALK,
		p->len >> 8,  p->len,
	};
	u64 sum = sum_bytes(pseudo, sizeof(pseudo)) +
		  sum_bytes(p->data, p->len);

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/*
 * RFC 9293 section 3.8.5: a stack may announce urgent data before it sends any, and
 * with its SYN, too.
 */
static struct seg with_urgent_syn(struct rng *r, const struct seg *s)
{
	struct seg out = *s;

	if (s->flags & FLAG_SYN && !rng_below(r, 3)) {
		out.flags |= FLAG_URG;
		out.up = rng_below(r, 4) ? rng_below(r, 4) : rng_next(r);
	}
	return out;
}

static u32 write_as_foreigner(struct world *w, const struct seg *s, u8 *data)
{
	struct seg out = with_urgent_syn(&w->net_rng, s);

	wire_build(&out, data);
	return wire_disguise(&w->net_rng, &out, data);
}

struct packet *packet_build(struct world *w, const struct seg *s, u32 src,
			    u32 dst, u64 key, u64 off)
{
	struct packet *p = packet_new(w);
	u32 hdr = wire_build(s, p->data);
	u16 sum;

	check_wire(w, s, p->data, hdr);
	/* only where it can have no room for payload to lose */
	if (w->cfg->foreign && !s->len && w->cfg->carry)
		hdr = write_as_foreigner(w, s, p->data);

	p->src = src;
	p->dst = dst;
	p->len = hdr + s->len;
	if (!w->cfg->carry)
		return p;
	if (s->len)
		stream_fill(key, off, p->data + hdr, s->len);
	sum = packet_checksum(p);
	memcpy(p->data + WIRE_CHECKSUM_OFFSET, &sum, sizeof(sum));
	return p;
}

void packet_garble(struct world *w, struct packet *p)
{
	struct rng *r = &w->net_rng;
	u32 words = rng_below(r, 11);
	u16 sum = 0;

	p->len = HDR_MIN + 4 * words;
	p->data[12] = rng_below(r, 8) ? (5 + words) << 4 : rng_next(r) << 4;
	/* mostly small numbers: kinds that are known, lengths that fit */
	for (u32 i = HDR_MIN; i < p->len; i++)
		p->data[i] = rng_below(r, 4) ? rng_below(r, 11) : rng_next(r);
	/* and one that goes only so far */
	if (words && rng_below(r, 2)) {
		p->data[HDR_MIN] = p->data[HDR_MIN + 1] = 3;
		p->data[HDR_MIN + 2] = rng_next(r);
	}
	memcpy(p->data + WIRE_CHECKSUM_OFFSET, &sum, sizeof(sum));
	sum = packet_checksum(p);
	memcpy(p->data + WIRE_CHECKSUM_OFFSET, &sum, sizeof(sum));
}

static void arrive(struct world *w, struct sim_timer *t)
{
	struct packet *p = container_of(t, struct packet, arrival);

	w->forged = p->forged;
	if (p->icmp_mtu)
		host_icmp(w, p);
	else
		host_rx(w, p);
	packet_free(w, p);
}

void packet_travel(struct world *w, struct packet *p, u64 at)
{
	sim_timer_init(&p->arrival, arrive);
	sim_timer_set(w, &p->arrival, at);
}

bool packet_is_due(const struct sim_timer *t)
{
	return t->fire == arrive;
}

bool packet_intact(const struct world *w, const struct packet *p)
{
	return w->cfg->carry ? !packet_checksum(p) : !p->damaged;
}

/*
 * A burst of at most 15 bits: the sum cannot miss it (two flips far apart can
 * cancel each other out).
 */
void packet_damage(const struct world *w, struct packet *p, struct rng *rng)
{
	u32 bits = rng_range(rng, 1, 15);
	u32 burst = 1 | rng_below(rng, 1U << bits);
	u32 at = rng_below(rng, 8 * p->len);

	if (!w->cfg->carry) {
		p->damaged = true;
		return;
	}
	for (; burst && at < 8 * p->len; burst >>= 1, at++)
		p->data[at / 8] ^= (burst & 1) << (7 - at % 8);
}
