/* SPDX-License-Identifier: GPL-2.0 */
/*
 * helper.h - two connections on a table, a clock turned by hand
 *
 * A test takes a world, connects its two ends with establish(), and then plays
 * habitat, network and time itself: next_seg() takes a segment off an end,
 * deliver() puts one to it, elapse() lets time pass. Where only one end
 * matters, from_peer() makes the segment that its peer would send now, for the
 * test to alter.
 *
 * Numbers are kept plain: an MSS of 1000, no timestamps and no window scaling
 * unless a test switches them on in env.tun before it connects; data of @a
 * begins at A0, data of @b at B0. All cases run several times, with sequence
 * numbers that begin elsewhere on their circle.
 */
#ifndef CHALK_TESTS_HELPER_H
#define CHALK_TESTS_HELPER_H

#include <kunit/test.h>

#include "../core/conn.h"
#include "../core/params.h"
#include "../core/req.h"
#include "../core/timewait.h"

/* Where the numbers of @a begin; those of @b do half a circle away. */
extern unsigned int iss;

#define A_ISS ((u32)iss)
#define B_ISS (A_ISS + 0x80000000)
#define A0 (A_ISS + 1)
#define B0 (B_ISS + 1)
#define A_PORT 40000
#define B_PORT 80
#define MSS 1000
#define RCV_BUF 20000

/* As much as a caller may take at once. */
#define PLENTY 1000000

#define MS USEC_PER_MS
#define SECOND USEC_PER_S

#define WORLD_EVENTS 512
#define WORLD_HOLES 16

/**
 * struct world - two ends and what lies between
 * @env:   of both ends; tracing is on
 * @now:   microseconds
 * @a:     opens actively
 * @b:     comes out of @req
 * @req:   the listener's record
 * @v:     verdict on the last segment delivered
 * @wake:  what the last elapse() woke
 * @holes: memory of the two reassembly arrays
 * @ev:    the first events
 * @n_ev:  how many there were, also those without room
 *
 * Its counters are in @env; counted() reads them.
 */
struct world {
	struct env env;
	u64 now;
	struct conn a, b;
	struct req req;
	struct verdict v;
	unsigned int wake;
	struct seq_range holes[2][WORLD_HOLES];
	struct event ev[WORLD_EVENTS];
	unsigned int n_ev;
};

struct world *world_new(struct kunit *test);

/* What the habitat decides for @a and for @b. */
struct conn_config config_a(void);
struct conn_config config_b(void);

/* @a in SYN_SENT; its SYN is still to be polled. */
void open_a(struct world *w);

/* What @b answers it, as far as @a can see: no listener is involved. */
struct seg synack_of_b(void);

/* Both ESTABLISHED by the three-way handshake, nothing left to send. */
void establish(struct kunit *test, struct world *w);

/* A world, and establish() */
struct world *connected(struct kunit *test);

/* The next segment, which there must be. */
struct seg next_seg(struct kunit *test, struct world *w, struct conn *c);

/* Nothing is to be sent. */
void expect_silence(struct kunit *test, struct world *w, struct conn *c);

/* Take all there is to send and lose it; how many segments that were. */
unsigned int lose_all(struct world *w, struct conn *c);

/* A segment reaches @c; the verdict is in @w->v. */
void deliver(struct world *w, struct conn *c, const struct seg *s);

/* All that either end wants to send reaches the other at once. */
void carry(struct world *w);

/* Time passes, deadlines fall due; what is then to be sent waits. */
void elapse(struct world *w, u64 usec);

/* The ACK that the peer of @c would send if all had reached it; same window. */
struct seg from_peer(const struct conn *c);

/* The same with text at the place that @c expects it. */
struct seg text_from_peer(const struct conn *c, u32 len);

/* ACKs arrive at @c: up to a number, of all that is sent, of nothing new. */
void ack_upto(struct world *w, struct conn *c, u32 ack);
void ack_all(struct world *w, struct conn *c);
void dup_acks(struct world *w, struct conn *c, unsigned int n);

/* The peer of @c offers another window; this field stands in its header. */
void offer_window(struct world *w, struct conn *c, u16 wnd);

/* A connection whose end a has @flight bytes out and more to send. */
struct world *sending(struct kunit *test, u32 flight);

/* The user writes @n bytes; what may go out goes. How many segments did? */
unsigned int write_and_send(struct world *w, struct conn *c, u32 n);

/* How often something happened, and the last time; a cause of 0 is any. */
unsigned int count_events(const struct world *w, enum event_kind kind,
			  enum cause cause);
const struct event *last_event(const struct world *w, enum event_kind kind);
void forget_events(struct world *w);

/* What env.mib has counted. */
long counted(const struct world *w, enum mib_item item);

/* Numbers that look random, the same in each run. */
u32 prng(u32 *state);

/* TABLE_row_gen_params for KUNIT_CASE_PARAM; a struct TYPE begins with a @name */
#define NAMED_PARAMS(type, table)                                    \
	static void table##_desc(const struct type *row, char *desc) \
	{                                                            \
		strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);     \
	}                                                            \
	KUNIT_ARRAY_PARAM(table##_row, table, table##_desc)

#endif /* CHALK_TESTS_HELPER_H */
