// SPDX-License-Identifier: GPL-2.0
/*
 * check_hystart.c - HyStart++ of the second sender
 *
 * RFC 9406 section 4.2, line by line as its pseudo-code has it. Where that leaves a
 * choice: a round begins with its first ACK, windowEnd is SND.NXT then; an ACK's round
 * trip is that of the newest byte it covers, unless it covers one that went out twice
 * (Karn). No more moments are known at once than HYSTART_MOMENTS: the two that are the
 * last become one then, which gives no round trip.
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

/* When what is in flight went out is known all the same. */
void hystart_model_new(struct sender *m, bool on)
{
	struct hystart_model *h = &m->hystart;

	h->on = on;
	h->open = false;
	h->css = false;
	h->samples = 0;
	h->curr = INFINITY_RTT;
	h->round_min = INFINITY_RTT;
	h->last_min = INFINITY_RTT;
}

/* Sequence numbers [seq, end) went out before: they have no moment any more. */
static void forget_moments(struct hystart_model *h, u32 seq, u32 end)
{
	for (u32 i = 0; i < h->n; i++)
		if (seq_lt(h->kept[i].start, end) &&
		    seq_lt(seq, h->kept[i].end))
			h->kept[i].at = 0;
}

static void keep_moment(struct hystart_model *h, u32 seq, u32 end, u64 now)
{
	if (h->n && h->kept[h->n - 1].at == now) {
		h->kept[h->n - 1].end = end;
		return;
	}
	if (h->n == HYSTART_MOMENTS) {
		h->n--;
		h->kept[h->n - 1].end = h->kept[h->n].end;
		h->kept[h->n - 1].at = 0;
	}
	h->kept[h->n].start = seq;
	h->kept[h->n].end = end;
	h->kept[h->n++].at = now;
}

void hystart_model_sent(struct sock *sk, u32 seq, u32 end)
{
	struct sender *m = &sk->check.snd;
	struct hystart_model *h = &m->hystart;

	if (!is_on(m))
		return;
	if (seq_lt(seq, m->nxt))
		forget_moments(h, seq, end);
	if (seq_gt(end, m->nxt))
		keep_moment(h, seq_max(seq, m->nxt), end, sk->host->w->now);
}

void hystart_model_acked(struct sock *sk)
{
	struct sender *m = &sk->check.snd;
	struct hystart_model *h = &m->hystart;
	u32 gone = 0;

	h->curr = INFINITY_RTT;
	for (u32 i = 0; i < h->n && seq_lt(h->kept[i].start, m->una); i++) {
		if (!h->kept[i].at) {
			h->curr = INFINITY_RTT;
			break;
		}
		h->curr = sk->host->w->now - h->kept[i].at;
	}
	while (gone < h->n && seq_le(h->kept[gone].end, m->una))
		gone++;
	memmove(h->kept, h->kept + gone, (h->n - gone) * sizeof(h->kept[0]));
	h->n -= gone;
	if (h->n)
		h->kept[0].start = seq_max(h->kept[0].start, m->una);
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
