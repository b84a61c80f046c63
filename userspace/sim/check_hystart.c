// SPDX-License-Identifier: GPL-2.0
/*
 * check_hystart.c - HyStart++ of the second sender
 *
 * RFC 9406 section 4.2, line by line as its pseudo-code has it. Where that leaves a
 * choice: a round begins with its first ACK, windowEnd is SND.NXT then; an ACK's round
 * trip is that of the newest byte it covers; so many moments of sending are known at
 * once as the core keeps, later ones give no round trip.
 */
#include "check_model.h"

#define INFINITY_RTT U64_MAX

static bool is_on(const struct sender *m)
{
	return m->hystart.on && m->ssthresh == 0x7fffffff;
}

bool hystart_model_css(const struct sender *m)
{
	return is_on(m) && m->hystart.css;
}

void hystart_model_new(struct sender *m, bool on)
{
	u32 turns = m->hystart.turns;

	memset(&m->hystart, 0, sizeof(m->hystart));
	m->hystart.on = on;
	m->hystart.curr = INFINITY_RTT;
	m->hystart.round_min = INFINITY_RTT;
	m->hystart.last_min = INFINITY_RTT;
	m->hystart.turns = turns;
}

void hystart_model_sent(struct sock *sk, u32 seq, u32 end)
{
	struct sender *m = &sk->check.snd;
	struct hystart_model *h = &m->hystart;
	u64 now = sk->host->w->now;

	if (!is_on(m))
		return;
	if (seq_lt(seq, m->nxt)) {
		/* RFC 6298 section 3 */
		h->n = 0;
	} else if (h->n && h->kept[h->n - 1].end == seq &&
		   h->kept[h->n - 1].at == now) {
		h->kept[h->n - 1].end = end;
	} else if (h->n < ARRAY_SIZE(h->kept)) {
		h->kept[h->n].start = seq;
		h->kept[h->n].end = end;
		h->kept[h->n++].at = now;
	}
}

void hystart_model_acked(struct sock *sk)
{
	struct sender *m = &sk->check.snd;
	struct hystart_model *h = &m->hystart;
	u32 newest = m->una - 1, gone = 0;

	h->curr = INFINITY_RTT;
	for (u32 i = 0; i < h->n; i++) {
		if (seq_le(h->kept[i].start, newest) &&
		    seq_lt(newest, h->kept[i].end))
			h->curr = sk->host->w->now - h->kept[i].at;
		gone += seq_le(h->kept[i].end, m->una);
	}
	memmove(h->kept, h->kept + gone, (h->n - gone) * sizeof(h->kept[0]));
	h->n -= gone;
}

static void turn(struct hystart_model *h, bool css, u64 from)
{
	h->css = css;
	h->rounds = 0;
	h->turns++;
	h->turn_from = from;
	h->turn_to = h->round_min;
}

static void decide(struct hystart_model *h)
{
	u64 threshold = h->last_min / 8;

	if (threshold > 16000)
		threshold = 16000;
	if (threshold < 4000)
		threshold = 4000;
	if (h->samples < 8)
		return;
	if (h->css && h->round_min < h->baseline)
		turn(h, false, h->baseline);
	else if (!h->css && h->round_min != INFINITY_RTT &&
		 h->last_min != INFINITY_RTT &&
		 h->round_min >= h->last_min + threshold) {
		h->baseline = h->round_min;
		turn(h, true, h->last_min);
	}
}

void hystart_model_round(struct sender *m)
{
	struct hystart_model *h = &m->hystart;

	if (!is_on(m))
		return;
	if (!h->open) {
		h->last_min = h->round_min;
		h->round_min = INFINITY_RTT;
		h->samples = 0;
		h->window_end = m->nxt;
		h->open = true;
	}
	if (h->curr != INFINITY_RTT) {
		if (h->curr < h->round_min)
			h->round_min = h->curr;
		h->samples++;
	}
	decide(h);
	if (seq_lt(m->una, h->window_end))
		return;
	h->open = false;
	if (h->css && ++h->rounds == 5)
		m->ssthresh = max_t(u32, m->cwnd, 2 * m->smss);
}

/* --- what the core tells --- */

void hystart_model_told(struct sock *sk, const struct event *ev)
{
	struct hystart_told *t = &sk->check.snd.hystart_told;

	t->turns++;
	t->from = ev->old;
	t->to = ev->new;
	if (ev->cause != BY_RTT_RISES && ev->cause != BY_RTT_FALLS)
		rule_fail(sk, "a turn of slow start for: %s",
			  cause_name(ev->cause));
	if ((ev->cause == BY_RTT_RISES) != (ev->new > ev->old))
		rule_fail(sk, "%s from %u to %u us", cause_name(ev->cause),
			  ev->old, ev->new);
}

void hystart_model_rest(struct sock *sk)
{
	const struct sender *m = &sk->check.snd;
	const struct hystart_model *h = &m->hystart;
	const struct hystart_told *t = &m->hystart_told;

	if (hystart_is_careful(&sk->c) != hystart_model_css(m))
		rule_fail(sk, "slow start is %s, by RFC 9406 it is not",
			  hystart_model_css(m) ? "bold" : "careful");
	if (!sk->host->env.tracing)
		return;
	if (t->turns != h->turns)
		rule_fail(sk, "%u turns of slow start are told of, not %u",
			  t->turns, h->turns);
	if (h->turns && h->turn_to &&
	    (t->from != (u32)h->turn_from || t->to != (u32)h->turn_to))
		rule_fail(sk, "a turn from %u to %u us, not %llu to %llu",
			  t->from, t->to, (unsigned long long)h->turn_from,
			  (unsigned long long)h->turn_to);
}
