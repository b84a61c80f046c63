/* SPDX-License-Identifier: GPL-2.0 */
/*
 * urgent.h - urgent data (RFC 9293 section 3.8.5, RFC 6093)
 *
 * Owns SND.UP and RCV.UP. The urgent pointer names the byte after the urgent
 * data (RFC 6093 section 2.2), on the wire as here. Sockets know one urgent byte,
 * the last before it: the mark. A reader stops there; unless it asked for urgent
 * data inline the byte is not in the stream, but read by itself (MSG_OOB).
 *
 * The byte is kept by the habitat: struct verdict says where it is.
 */
#ifndef CHALK_CORE_URGENT_H
#define CHALK_CORE_URGENT_H

#include "conn.h"

/* What is known of the byte at the mark; URG_NONE: there is no mark. */
enum urgent_state {
	URG_NONE,
	URG_AWAITED, /* announced */
	URG_HERE, /* arrived, maybe early, not read by itself */
	URG_TAKEN, /* read by itself; the mark is still ahead of the reader */
};

/* --- receiving --- */

/**
 * urgent_rx() - sixth step of section 3.10.7.4
 * @c: the connection
 * @s: an acceptable segment
 * @v: wakes, and says where the byte is
 */
void urgent_rx(struct conn *c, const struct seg *s, struct verdict *v);

/**
 * urgent_passed() - the reader has gone on: forget a mark behind it
 * @c: the connection; rcv_read is up to date
 */
void urgent_passed(struct conn *c);

/* --- sending --- */

/* What the user wrote with MSG_OOB is not acknowledged (RFC 9293 3.8.5). */
static inline bool urgent_sending(const struct conn *c)
{
	return seq_gt(c->snd_up, c->snd_una);
}

/**
 * urgent_point() - the urgent pointer of a segment that goes out, if it has one
 * @c: the connection
 * @s: the segment
 */
void urgent_point(const struct conn *c, struct seg *s);

#endif /* CHALK_CORE_URGENT_H */
