// SPDX-License-Identifier: GPL-2.0
/*
 * window.c - the two windows, and silly windows
 */
#include "emit.h"
#include "params.h"
#include "window.h"

u8 window_shift(u32 rcv_buf_max)
{
	u8 shift = 0;

	while (shift < WSCALE_MAX && rcv_buf_max >> shift > U16_MAX)
		shift++;
	return shift;
}

u32 conn_rcv_sure(const struct conn *c)
{
	return OUT_OF_MEMORY_SEGMENTS * c->mtu_mss;
}

/*
 * What memory is there for. While it is short, who reads fast enough keeps the
 * window. RFC 9293 section 3.8.6 leaves its size to the receiver.
 */
static u32 memory_room(const struct conn *c, u32 unread)
{
	u32 sure = conn_rcv_sure(c);

	if (c->memory == MEMORY_OUT)
		return sure > unread ? sure - unread : 0;
	if (c->memory == MEMORY_SHORT && unread > c->rcv_buf / 2)
		return SHORT_MEMORY_SEGMENTS * c->mtu_mss;
	return U32_MAX;
}

/* What the buffer has room for, as far as a window can say it. */
static u32 room(const struct conn *c)
{
	u32 unread = conn_readable(c);
	u32 most = (u32)U16_MAX << c->rcv_wscale;

	most = window_clamp(most, c->opt.window_clamp);
	most = min_t(u32, most, memory_room(c, unread));
	return c->rcv_buf > unread ? min_t(u32, c->rcv_buf - unread, most) : 0;
}

u32 conn_rcv_promised(const struct conn *c)
{
	return window_left(c) + conn_readable(c);
}

/*
 * Section 3.8.6.2.2: the edge moves by at least a segment or half the buffer,
 * or not at all. The buffer is as large as the largest window: where no window
 * may be as large as a segment none would ever open else.
 */
static bool worth_offering(const struct conn *c, u32 gain)
{
	u32 most = min_t(u32, conn_window_clamp(c), memory_room(c, 0));

	return gain >= min_t(u32, most / 2, c->rmss);
}

/* The field counts in these: RFC 7323 section 2.3. */
static u32 unit_of(const struct conn *c)
{
	return 1U << c->rcv_wscale;
}

/*
 * A part of a unit would be lost to the peer, who takes a window for shut that
 * has nothing else, though a probe would find room in it. It becomes a whole
 * one, as in the kernel's TCP. The buffer bears that twice: once for the edge of
 * what it has room for, once for what is left in front of that edge.
 */
static u32 whole_units(const struct conn *c, u32 wnd)
{
	u32 unit = unit_of(c);
	u32 up = (wnd + unit - 1) & ~(unit - 1);

	return (u64)up + conn_readable(c) < c->rcv_buf + 2ULL * unit ? up : wnd;
}

/*
 * The right edge does not move back, so a full buffer need not shut the window;
 * what it rounds down to (RFC 7323 section 2.4) is what the peer sees.
 */
static void count_zero_windows(const struct conn *c, u32 old, u32 offer,
			       bool full)
{
	bool was_open = old >> c->rcv_wscale;
	bool is_open = offer >> c->rcv_wscale;

	if (offer && full)
		mib_count(c->env, MIB_WANT_ZERO_WINDOW);
	if (was_open && !is_open)
		mib_count(c->env, MIB_TO_ZERO_WINDOW);
	if (!was_open && is_open)
		mib_count(c->env, MIB_FROM_ZERO_WINDOW);
}

u16 window_advertise(struct conn *c, u64 now)
{
	u32 left = window_left(c);
	u32 offer = room(c);
	u32 old = c->rcv_wnd;
	bool full = !offer;

	if (offer <= left || !worth_offering(c, offer - left))
		offer = left;
	if (offer > left || left < unit_of(c))
		offer = whole_units(c, offer);
	c->last_ack_sent = c->rcv_nxt;
	c->rcv_wnd = offer;
	count_zero_windows(c, old, offer, full);
	if (offer != old)
		trace_change(c, EV_RCV_WND,
			     offer > old ? BY_USER_READ : BY_ARRIVAL, old,
			     offer, now);
	/*
	 * RFC 7323 section 2.4: where the edge stands the peer sees the rest
	 * rounded down, and we go on accepting up to the true edge.
	 */
	return min_t(u32, offer >> c->rcv_wscale, U16_MAX);
}

/* Every other ACK tells of the window too: one of its own is for a big step. */
bool window_update_due(const struct conn *c)
{
	u32 left = window_left(c);
	u32 offer = room(c);

	return offer >= 2 * left && offer > left &&
	       worth_offering(c, offer - left);
}

/*
 * DEVIATES: section 3.10.7.4 looks only at SND.WL1 and SND.WL2, "to prevent using
 * old segments". A retransmission has an old sequence number but may bring a
 * new ACK; were its window not taken, SND.UNA would drag the old window beyond
 * the edge that the peer offers.
 */
static bool is_newer(const struct conn *c, const struct seg *s)
{
	return seq_gt(s->ack, c->snd_una) || seq_lt(c->snd_wl1, s->seq) ||
	       (c->snd_wl1 == s->seq && seq_le(c->snd_wl2, s->ack));
}

bool window_take(struct conn *c, const struct seg *s, u64 now)
{
	u32 una = s->flags & FLAG_ACK ? s->ack : c->snd_una;
	u32 old = c->snd_wnd;

	c->snd_wnd = window_of(c, s);
	c->snd_wl1 = s->seq;
	c->snd_wl2 = s->ack;
	c->max_wnd = max_t(u32, c->max_wnd, c->snd_wnd);
	c->snd_edge = seq_max(c->snd_edge, una + c->snd_wnd);
	if (c->snd_wnd == old)
		return false;
	trace_change(c, EV_SND_WND, BY_ARRIVAL, old, c->snd_wnd, now);
	return true;
}

bool window_update(struct conn *c, const struct seg *s, u64 now)
{
	return is_newer(c, s) && window_take(c, s, now);
}
