// SPDX-License-Identifier: GPL-2.0
/*
 * autotune.c - how large the buffers of a connection should be
 */
#include "conn.h"
#include "params.h"

/* --- the round trip --- */

static void take_average(struct autotune *t, u32 sample)
{
	t->rtt = t->rtt ? t->rtt - t->rtt / 8 + sample / 8 : sample;
}

static void take_least(struct autotune *t, u32 sample)
{
	t->rtt = t->rtt ? min_t(u32, t->rtt, sample) : sample;
}

/* An echo is as old as the round trip, and more where the peer paused. */
static void sample_echo(struct conn *c, const struct seg *s, u64 now)
{
	struct autotune *t = &c->tune;
	u32 ticks = timestamp(c->ts_off, now) - s->tsecr;

	if (!s->tsecr || s->tsecr == t->tsecr || s->len < c->rmss)
		return;
	t->tsecr = s->tsecr;
	if (ticks > OLDEST_ECHO)
		return;
	take_average(t, max_t(u32, ticks, 1) * USEC_PER_MS);
}

static void sample_window(struct conn *c, u64 now)
{
	struct autotune *t = &c->tune;

	if (t->timing && seq_lt(c->rcv_nxt, t->edge))
		return;
	if (t->timing)
		take_least(t, max_t(u64, now - t->timed, 1));
	t->timing = true;
	t->timed = now;
	t->edge = c->rcv_nxt + c->rcv_wnd;
}

void autotune_rx(struct conn *c, const struct seg *s, u64 now)
{
	if (c->ts_ok && s->has_ts)
		sample_echo(c, s, now);
	else
		sample_window(c, now);
}

/* --- the buffers --- */

void autotune_begin(struct conn *c, u64 now)
{
	struct autotune *t = &c->tune;

	t->seq = c->rcv_read;
	t->since = now;
	t->space = min_t(u32, c->rcv_wnd, INIT_CWND * c->smss);
	t->wanted = c->rcv_buf;
}

/*
 * Room for what will come in the next round trip, twice: the sender may double its
 * rate, and what is lost waits for its retransmission. If the reader's rate has
 * grown it is taken to grow by as much again.
 */
static u32 room_for(const struct conn *c, u32 taken, u32 before)
{
	u64 room = 2ULL * taken + AUTOTUNE_SLACK * c->rmss;
	u32 rest;

	room += div_u64_rem(2 * room * (taken - before), max_t(u32, before, 1),
			    &rest);
	return min_t(u64, room, U32_MAX);
}

void autotune_read(struct conn *c, u64 now)
{
	struct autotune *t = &c->tune;
	u32 taken = c->rcv_read - t->seq;

	if (!t->rtt || now - t->since < t->rtt)
		return;
	if (taken > t->space) {
		t->wanted = max_t(u32, t->wanted, room_for(c, taken, t->space));
		t->space = taken;
	}
	t->seq = c->rcv_read;
	t->since = now;
}
