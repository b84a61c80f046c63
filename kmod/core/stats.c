// SPDX-License-Identifier: GPL-2.0
/*
 * stats.c - counting
 */
#include "conn.h"
#include "params.h"

/* --- small questions --- */

/* How many packets a segment of conn_poll() makes. */
static u32 packets(u32 len, u32 smss)
{
	return len > smss && smss ? (len + smss - 1) / smss : 1;
}

/* A round trip of no sample is longer than any. */
#define NO_RTT U32_MAX

/* --- what happens --- */

void stats_init(struct conn *c, u64 now)
{
	c->stats = (struct stats){
		.since = now,
		.last_data_in = now,
		.last_delivery = now,
		.rtx_end = c->iss,
		.rtt = { .now = NO_RTT, .before = NO_RTT, .since = now },
		.limit_since = now,
	};
}

void stats_established(struct conn *c, u64 now)
{
	c->stats.since = now;
	c->stats.last_data_in = now;
}

void stats_passive(struct conn *c, u32 resent)
{
	c->stats.segs_in = 1;
	c->stats.segs_out = 1 + resent;
	c->stats.retrans_segs = resent;
}

void stats_received(struct conn *c, const struct seg *s)
{
	struct stats *st = &c->stats;

	st->segs_in++;
	if (s->len)
		st->data_segs_in++;
}

void stats_kept(struct conn *c, u64 now)
{
	c->stats.last_data_in = now;
}

/* Payload of a segment that had been sent before. */
static u32 resent_bytes(const struct seg *s)
{
	u32 end = s->seq + s->len;

	if (!s->len || seq_ge(s->seq, s->new_from))
		return 0;
	return seq_min(end, s->new_from) - s->seq;
}

/* Packets of a segment that are retransmissions: its first ones, if any. */
static u32 resent_packets(const struct seg *s, u32 bytes)
{
	if (s->len)
		return bytes ? packets(bytes, s->smss) : 0;
	if (s->flags & FLAG_FIN)
		return seq_lt(s->seq, s->new_from);
	return s->cause == BY_SYN_LOST;
}

/*
 * Why segments went out again. After a timeout the first goes out while it is
 * not answered yet; all others are slow start's.
 */
static enum mib_item resent_item(const struct conn *c, const struct seg *s)
{
	switch (s->cause) {
	case BY_SYN_LOST:
		return MIB_SYN_RETRANS;
	case BY_THIRD_DUPACK:
	case BY_PARTIAL_ACK:
		return MIB_FAST_RETRANS;
	case BY_LOSS_GO_BACK:
	case BY_GO_BACK:
		return c->retries ? MIB_NONE : MIB_SLOW_START_RETRANS;
	default:
		return MIB_NONE;
	}
}

static void count_resent(struct conn *c, const struct seg *s, u32 n)
{
	struct stats *st = &c->stats;
	u32 bytes = resent_bytes(s);

	st->retrans_segs += n;
	st->bytes_retrans += bytes;
	if (bytes)
		st->rtx_end = seq_max(st->rtx_end, s->seq + bytes);
	mib_add(c->env, MIB_RETRANS_SEGS, n);
	mib_add(c->env, resent_item(c, s), n);
}

static void count_new(const struct conn *c, const struct seg *s, u32 n)
{
	mib_add(c->env, MIB_OUT_SEGS, n);
	if (seg_space(s) && !(s->flags & FLAG_SYN))
		mib_add(c->env, MIB_DATA_SENT, n);
	if (s->flags & FLAG_RST)
		mib_count(c->env, MIB_OUT_RSTS);
	if (s->cause == BY_ACK_CHALLENGE)
		mib_count(c->env, MIB_CHALLENGE_ACK);
}

void stats_sent(struct conn *c, const struct seg *s)
{
	struct stats *st = &c->stats;
	u32 n = packets(s->len, s->smss);
	u32 again = resent_packets(s, resent_bytes(s));

	st->segs_out += n;
	if (s->len)
		st->data_segs_out += n;
	st->bytes_sent += s->len;
	if (again)
		count_resent(c, s, again);
	if (n > again)
		count_new(c, s, n - again);
}

void stats_synack_sent(const struct env *env, bool again)
{
	mib_count(env, again ? MIB_RETRANS_SEGS : MIB_OUT_SEGS);
	if (again)
		mib_count(env, MIB_SYN_RETRANS);
}

void stats_acked(struct conn *c, u32 bytes, u64 now)
{
	struct stats *st = &c->stats;

	st->delivered_segs += packets(bytes, c->smss);
	st->bytes_acked += bytes;
	/* keep it near, so that it never seems to lie ahead */
	st->rtx_end = seq_max(st->rtx_end, c->snd_una);
	st->last_delivery = now;
}

/* --- the least round trip --- */

/*
 * A minimum over a window that slides by half its length: RFC 8985 section 6.2,
 * step 1 asks for such a filter and leaves its form open.
 */
void stats_rtt(struct conn *c, u32 sample, u64 now)
{
	struct min_rtt *m = &c->stats.rtt;

	if (now - m->since >= MIN_RTT_PERIOD) {
		m->before = now - m->since < 2 * MIN_RTT_PERIOD ? m->now :
								  NO_RTT;
		m->now = NO_RTT;
		m->since = now;
	}
	m->now = min_t(u32, m->now, sample);
}

u32 stats_min_rtt(const struct stats *st)
{
	return min_t(u32, st->rtt.now, st->rtt.before);
}

/* --- the rate of delivery --- */

/*
 * The ACK rate of draft-cheng-iccrg-delivery-rate-estimation-02, with one packet
 * a round trip, the timed one, in the place of every packet: what was
 * acknowledged between the last delivery before that packet left and its own
 * acknowledgment, over the time between. Where nothing was in flight the time
 * begins with the packet.
 */
void stats_timing_begins(struct conn *c, u64 now)
{
	struct delivery *d = &c->stats.delivery;

	d->timing = true;
	d->idle = false;
	d->from_bytes = c->stats.bytes_acked;
	d->from = conn_flight(c) ? c->stats.last_delivery : now;
}

/*
 * A path that the user left unfilled may be faster than was measured: that only
 * counts if it is the faster one.
 */
static bool is_to_count(const struct delivery *d, u64 bytes, u32 interval)
{
	if (!bytes)
		return false;
	return !d->idle || bytes * d->interval >= d->bytes * interval;
}

void stats_timing_ends(struct conn *c, u64 now)
{
	struct delivery *d = &c->stats.delivery;
	u64 bytes = c->stats.bytes_acked - d->from_bytes;
	u32 interval = clamp_t(u64, now - d->from, 1, U32_MAX);

	if (!d->timing)
		return;
	d->timing = false;
	if (!is_to_count(d, bytes, interval))
		return;
	d->bytes = bytes;
	d->interval = interval;
	d->app_limited = d->idle;
}

u64 stats_delivery_rate(const struct stats *st)
{
	u32 rest;

	if (!st->delivery.interval)
		return 0;
	return div_u64_rem(st->delivery.bytes * USEC_PER_S,
			   st->delivery.interval, &rest);
}

/* --- what the sender waits for --- */

void stats_set_limit(struct conn *c, enum limit limit, u64 now)
{
	struct stats *st = &c->stats;

	if (conn_unsent(c) < c->smss && conn_flight(c) + c->smss <= c->cc.cwnd)
		st->delivery.idle = true;
	if (limit == st->limit)
		return;
	st->limited[st->limit] += now - st->limit_since;
	st->limit = limit;
	st->limit_since = now;
}

u64 stats_limited(const struct stats *st, enum limit limit, u64 now)
{
	u64 so_far = limit == st->limit ? now - st->limit_since : 0;

	return st->limited[limit] + so_far;
}

/* --- what is in flight --- */

u32 stats_resent(const struct conn *c)
{
	u32 end = seq_min(c->stats.rtx_end, c->snd_nxt);

	return seq_gt(end, c->snd_una) ? end - c->snd_una : 0;
}

/* Nothing that was sent before the last timeout is acknowledged beyond SND.UNA. */
static bool is_after_timeout(const struct conn *c)
{
	return !c->recovering && seq_gt(c->recover, c->snd_una);
}

u32 stats_lost(const struct conn *c)
{
	u32 flight = c->snd_nxt - c->snd_una;

	if (c->recovering)
		return min_t(u32, flight, c->smss);
	if (is_after_timeout(c))
		return min_t(u32, flight, c->recover - c->snd_una);
	return 0;
}
