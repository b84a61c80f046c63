// SPDX-License-Identifier: GPL-2.0
/*
 * urgent.c - urgent data, at both ends
 */
#include "urgent.h"

/* --- receiving --- */

/* Sequence number of the urgent byte. */
static u32 mark(const struct conn *c)
{
	return c->rcv_up - 1;
}

/*
 * DEVIATES: section 3.10.7.4 signals whatever is in advance of the data consumed.
 * A pointer into what has arrived before is not news here, as in the kernel's TCP:
 * that data was taken for ordinary, and its byte is not at hand any more.
 */
static bool is_news(const struct conn *c, u32 up)
{
	return seq_gt(up, c->rcv_nxt) && (!c->urgent || seq_gt(up, c->rcv_up));
}

/*
 * The reader stands before a byte that it was to read by itself, and there is
 * text behind it: with the new mark it would become text again.
 */
static void leave_old_mark(struct conn *c, bool is_inline)
{
	if (conn_at_mark(c) && !is_inline && conn_readable(c))
		c->rcv_read++;
}

void urgent_rx(struct conn *c, const struct seg *s, struct verdict *v)
{
	/* a pointer of 0 is taken for 1, as in the kernel's TCP */
	u32 up = s->seq + max_t(u16, s->up, 1);

	if (!state_in(c->state, STATES_CAN_RECEIVE))
		return;
	if (s->flags & FLAG_URG && is_news(c, up)) {
		leave_old_mark(c, s->urg_inline);
		c->rcv_up = up;
		c->urgent = URG_AWAITED;
		v->wake |= WAKE_URGENT;
	}
	if (c->urgent == URG_AWAITED && mark(c) - s->seq < s->len) {
		c->urgent = URG_HERE;
		v->urgent = true;
		v->urgent_at = mark(c) - s->seq;
		v->wake |= WAKE_READ;
	}
}

void urgent_passed(struct conn *c)
{
	if (c->urgent && seq_ge(c->rcv_read, c->rcv_up))
		c->urgent = URG_NONE;
}

bool conn_at_mark(const struct conn *c)
{
	return c->urgent && mark(c) == c->rcv_read;
}

u32 conn_read_run(const struct conn *c, u32 seq, u32 n, bool is_inline,
		  bool *hole)
{
	u32 before = mark(c) - seq;

	*hole = false;
	if (!c->urgent || before >= n)
		return n;
	if (before)
		return before;
	*hole = !is_inline;
	return n - *hole;
}

bool conn_stops_at(const struct conn *c, u32 seq)
{
	return c->urgent && mark(c) == seq;
}

bool conn_has_urgent(const struct conn *c)
{
	return c->urgent == URG_HERE;
}

bool conn_is_readable(const struct conn *c, u32 lowat, bool is_inline)
{
	return conn_can_read(c, lowat + (conn_at_mark(c) && !is_inline));
}

u32 conn_inq(const struct conn *c, bool is_inline)
{
	u32 n = conn_readable(c);

	if (c->urgent && !is_inline && mark(c) - c->rcv_read < n)
		return mark(c) - c->rcv_read;
	return n;
}

enum urgent_answer conn_urgent(struct conn *c, bool is_inline, bool peek)
{
	if (is_inline || c->urgent == URG_NONE || c->urgent == URG_TAKEN)
		return URGENT_NONE;
	if (c->state == ST_CLOSED && !c->fin_rcvd)
		return URGENT_GONE;
	if (c->urgent == URG_AWAITED)
		return URGENT_LATER;
	if (!peek)
		c->urgent = URG_TAKEN;
	return URGENT_BYTE;
}

/* --- sending --- */

void conn_urge(struct conn *c)
{
	c->snd_up = c->write_seq;
}

void urgent_point(const struct conn *c, struct seg *s)
{
	if (!urgent_sending(c) || !seq_lt(s->seq, c->snd_up))
		return;
	s->flags |= FLAG_URG;
	/* as far as the field can tell, section 3.8.5; the rest will follow */
	s->up = min_t(u32, c->snd_up - s->seq, U16_MAX);
}
