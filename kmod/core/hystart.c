// SPDX-License-Identifier: GPL-2.0
/*
 * hystart.c - RFC 9406, section 4.2
 */
#include "conn.h"
#include "emit.h"
#include "hystart.h"
#include "params.h"

/* Section 4.3: only while ssthresh is "arbitrarily high" (RFC 5681). */
static bool hystart_is_on(const struct conn *c)
{
	return c->cc.hystart.on && c->cc.ssthresh == SSTHRESH_INITIAL;
}

void hystart_begin(struct conn *c, bool on)
{
	c->cc.hystart = (struct hystart){
		.on = on,
		.rtt = HYSTART_NO_RTT,
		.min = HYSTART_NO_RTT,
		.last_min = HYSTART_NO_RTT,
	};
}

/* --- round trips --- */

static struct hystart_mark *mark_at(struct hystart *h, u32 i)
{
	return &h->mark[(h->first + i) % HYSTART_MARKS];
}

void hystart_sent(struct conn *c, u32 seq, u32 end, u64 now)
{
	struct hystart *h = &c->cc.hystart;
	struct hystart_mark *last = mark_at(h, h->marks - 1);

	if (!hystart_is_on(c))
		return;
	/* Karn: an ACK may be for either of the two (RFC 6298 section 3) */
	if (seq_lt(seq, c->snd_nxt)) {
		h->marks = 0;
		return;
	}
	if (h->marks && last->end == seq && last->at == (u32)now) {
		last->end = end;
		return;
	}
	if (h->marks == HYSTART_MARKS)
		return;
	*mark_at(h, h->marks++) = (struct hystart_mark){
		.start = seq,
		.end = end,
		.at = now,
	};
}

u32 hystart_timed(struct conn *c, u64 now)
{
	struct hystart *h = &c->cc.hystart;
	u32 rtt = HYSTART_NO_RTT;

	while (h->marks) {
		struct hystart_mark *m = mark_at(h, 0);

		if (seq_le(c->snd_una, m->start))
			break;
		rtt = seq_le(c->snd_una, m->end) ? (u32)now - m->at :
						   HYSTART_NO_RTT;
		if (seq_lt(c->snd_una, m->end))
			break;
		h->first = (h->first + 1) % HYSTART_MARKS;
		h->marks--;
	}
	return rtt;
}

void hystart_sample(struct conn *c, u32 rtt)
{
	c->cc.hystart.rtt = rtt;
}

/* --- rounds --- */

/*
 * It begins with its first ACK: then all has gone out that the last ACK of the round
 * before let go, or that the user has written since.
 */
static void begin_round(struct conn *c)
{
	struct hystart *h = &c->cc.hystart;

	h->in_round = true;
	h->window_end = c->snd_nxt;
	h->last_min = h->min;
	h->min = HYSTART_NO_RTT;
	h->samples = 0;
}

static void note_rtt(struct hystart *h)
{
	if (h->rtt == HYSTART_NO_RTT)
		return;
	h->min = min_t(u32, h->min, h->rtt);
	h->samples++;
}

/* A round without a sample has a minimum that none is above. */
static bool rtt_rises(const struct hystart *h)
{
	u32 threshold = clamp_t(u32, h->last_min / MIN_RTT_DIVISOR,
				MIN_RTT_THRESH, MAX_RTT_THRESH);

	return h->samples >= N_RTT_SAMPLE && h->min > h->last_min &&
	       h->min - h->last_min >= threshold;
}

static void enter_css(struct conn *c, u64 now)
{
	struct hystart *h = &c->cc.hystart;

	h->baseline = h->min;
	h->css_left = CSS_ROUNDS;
	trace_change(c, EV_HYSTART, BY_RTT_RISES, h->last_min, h->min, now);
}

static void leave_css(struct conn *c, u64 now)
{
	struct hystart *h = &c->cc.hystart;

	h->css_left = 0;
	trace_change(c, EV_HYSTART, BY_RTT_FALLS, h->baseline, h->min, now);
}

static void end_round(struct conn *c, u64 now)
{
	struct hystart *h = &c->cc.hystart;

	h->in_round = false;
	if (h->css_left && !--h->css_left)
		cc_set_ssthresh(c, c->cc.cwnd, BY_CSS_DONE, now);
}

bool hystart_is_careful(const struct conn *c)
{
	return hystart_is_on(c) && c->cc.hystart.css_left;
}

void hystart_ack(struct conn *c, u64 now)
{
	struct hystart *h = &c->cc.hystart;

	if (!hystart_is_on(c))
		return;
	if (!h->in_round)
		begin_round(c);
	note_rtt(h);
	if (!h->css_left) {
		if (rtt_rises(h))
			enter_css(c, now);
	} else if (h->samples >= N_RTT_SAMPLE && h->min < h->baseline) {
		leave_css(c, now);
	}
	if (seq_ge(c->snd_una, h->window_end))
		end_round(c, now);
}
