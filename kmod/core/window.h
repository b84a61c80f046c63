/* SPDX-License-Identifier: GPL-2.0 */
/*
 * window.h - the two windows, and silly windows (RFC 9293 sections 3.8.6)
 */
#ifndef CHALK_CORE_WINDOW_H
#define CHALK_CORE_WINDOW_H

#include "conn.h"

/* --- the receive window --- */

/* Right edge of what we ever offered: no byte at or after it is acceptable. */
static inline u32 window_edge(const struct conn *c)
{
	return c->last_ack_sent + c->rcv_wnd;
}

/* What is left of the window at rcv_nxt, which a FIN may take beyond the edge. */
static inline u32 window_left(const struct conn *c)
{
	u32 edge = window_edge(c);

	return seq_gt(edge, c->rcv_nxt) ? edge - c->rcv_nxt : 0;
}

/* So much window, or what TCP_WINDOW_CLAMP leaves of it; 0: no clamp. */
static inline u32 window_clamp(u32 wnd, u32 clamp)
{
	return clamp ? min_t(u32, wnd, clamp) : wnd;
}

/**
 * window_shift() - the scale to offer (RFC 7323 section 2.3)
 * @rcv_buf_max: the largest the buffer may become, bytes
 */
u8 window_shift(u32 rcv_buf_max);

/**
 * window_advertise() - the window field of a segment that goes out now
 * @c:   the connection
 * @now: microseconds
 *
 * Moves the edge by what SWS avoidance allows (section 3.8.6.2.2), never back.
 */
u16 window_advertise(struct conn *c, u64 now);

/**
 * window_update_due() - the reader has made room worth a segment of its own
 * @c: the connection
 */
bool window_update_due(const struct conn *c);

/* --- the send window --- */

/**
 * window_take() - the peer's window is what a segment says
 * @c:   the connection
 * @s:   the segment
 * @now: microseconds
 *
 * Return: whether the window changed.
 */
bool window_take(struct conn *c, const struct seg *s, u64 now);

/**
 * window_update() - take the peer's window (section 3.10.7.4, fifth step)
 * @c:   the connection
 * @s:   an acceptable segment
 * @now: microseconds
 *
 * Return: whether the window changed.
 */
bool window_update(struct conn *c, const struct seg *s, u64 now);

/* The window that a segment offers, in bytes (RFC 7323 section 2.3). */
static inline u32 window_of(const struct conn *c, const struct seg *s)
{
	return s->flags & FLAG_SYN ? s->wnd : (u32)s->wnd << c->snd_wscale;
}

/* Bytes the peer's window still has room for. */
static inline u32 window_room(const struct conn *c)
{
	u32 edge = c->snd_una + c->snd_wnd;
	u32 next = conn_next(c);

	return seq_gt(edge, next) ? edge - next : 0;
}

#endif /* CHALK_CORE_WINDOW_H */
