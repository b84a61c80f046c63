// SPDX-License-Identifier: GPL-2.0
/*
 * hystart.c - RFC 9406, section 4.2
 */
#include "conn.h"
#include "emit.h"
#include "hystart.h"
#include "params.h"

/* Section 4.3: only while ssthresh is "arbitrarily high" (RFC 5681). */
bool hystart_is_on(const struct conn *c)
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

void hystart_sample(struct conn *c, const struct sent_news *news, u64 now)
{
	bool timed = news->once.sends && !news->again.sends && !news->vague;

	c->cc.hystart.rtt = timed ? min_t(u64, now - news->once.at,
					  HYSTART_NO_RTT) :
				    HYSTART_NO_RTT;
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
