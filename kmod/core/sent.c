// SPDX-License-Identifier: GPL-2.0
/*
 * sent.c - a ring of runs, sorted by sequence number
 *
 * Positions are found by halving. A run that comes or goes moves the shorter
 * side of the ring.
 */
#include "sent.h"
#include "seq.h"

/* --- the ring --- */

static u16 sent_cap(const struct sent *t)
{
	return t->r ? t->cap : SENT_FEW;
}

static u16 sent_place(const struct sent *t, u16 i)
{
	return (t->head + i) & (sent_cap(t) - 1);
}

const struct sent_run *sent_nth(const struct sent *t, u16 i)
{
	return (t->r ? t->r : t->few) + sent_place(t, i);
}

static struct sent_run *sent_at(struct sent *t, u16 i)
{
	return (t->r ? t->r : t->few) + sent_place(t, i);
}

static u32 sent_una(const struct sent *t)
{
	return sent_nth(t, 0)->start;
}

static u32 sent_nxt(const struct sent *t)
{
	return sent_nth(t, t->n - 1)->end;
}

/* The first run that ends behind @seq; n where there is none. */
static u16 sent_find(const struct sent *t, u32 seq)
{
	u16 lo = 0, hi = t->n;

	while (lo < hi) {
		u16 mid = (lo + hi) / 2;

		if (seq_le(sent_nth(t, mid)->end, seq))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Room for one more at place @i. */
static void sent_open_gap(struct sent *t, u16 i)
{
	t->n++;
	if (i < t->n / 2) {
		t->head = sent_place(t, -1);
		for (u16 j = 0; j < i; j++)
			*sent_at(t, j) = *sent_at(t, j + 1);
	} else {
		for (u16 j = t->n - 1; j > i; j--)
			*sent_at(t, j) = *sent_at(t, j - 1);
	}
}

/* @k runs at place @i go. */
static void sent_close_gap(struct sent *t, u16 i, u16 k)
{
	if (i < (t->n - k) / 2) {
		for (u16 j = i; j-- > 0;)
			*sent_at(t, j + k) = *sent_at(t, j);
		t->head = sent_place(t, k);
	} else {
		for (u16 j = i; j + k < t->n; j++)
			*sent_at(t, j) = *sent_at(t, j + k);
	}
	t->n -= k;
}

/* --- what is counted --- */

static u32 sent_len(const struct sent_run *r)
{
	return r->end - r->start;
}

/* @len more bytes are so; what is taken away wraps. */
static void sent_count(struct sent *t, u8 flags, u32 len)
{
	if (flags & SENT_SACKED)
		t->sacked += len;
	if (flags & SENT_LOST)
		t->lost += len;
	if (flags & SENT_OUT)
		t->out += len;
	if ((flags & (SENT_LOST | SENT_OUT)) == SENT_LOST)
		t->waiting += len;
}

static void sent_set(struct sent *t, struct sent_run *r, u8 flags)
{
	sent_count(t, r->flags, -sent_len(r));
	r->flags = flags;
	sent_count(t, r->flags, sent_len(r));
}

static bool sent_waits(const struct sent_run *r)
{
	return (r->flags & (SENT_LOST | SENT_OUT)) == SENT_LOST;
}

/* --- runs that are alike --- */

/* Of what has arrived nobody asks when it was sent. */
static bool sent_alike(const struct sent_run *a, const struct sent_run *b)
{
	if (a->flags != b->flags)
		return false;
	return (a->flags & SENT_SACKED) ||
	       (a->at == b->at && a->sends == b->sends);
}

static void sent_join(struct sent_run *a, const struct sent_run *b)
{
	a->end = b->end;
	a->at = max_t(u64, a->at, b->at);
	a->sends = max_t(u8, a->sends, b->sends);
}

/* They count for the same: only when they went out, or how often, may differ. */
static bool sent_same_fate(const struct sent_run *a, const struct sent_run *b)
{
	return !((a->flags ^ b->flags) & (SENT_SACKED | SENT_LOST | SENT_OUT));
}

/*
 * Room for one run more, at the cost of a border between two of one fate. The last
 * one is forgotten that does not lie at @keep: early times tell more of loss.
 */
static bool sent_make_room(struct sent *t, u32 keep)
{
	if (t->n < sent_cap(t))
		return true;
	for (u16 i = t->n - 1; i > 0; i--) {
		struct sent_run *a = sent_at(t, i - 1), *b = sent_at(t, i);

		if (b->start == keep || !sent_same_fate(a, b))
			continue;
		sent_join(a, b);
		a->flags |= b->flags | SENT_VAGUE;
		sent_close_gap(t, i, 1);
		return true;
	}
	return false;
}

/* Runs [from, to) have changed: join what is now alike, also at their ends. */
static void sent_merge(struct sent *t, u16 from, u16 to)
{
	u16 last = min_t(u16, to, t->n - 1);
	u16 kept = from ? from - 1 : 0;

	for (u16 i = kept + 1; i <= last; i++) {
		if (sent_alike(sent_at(t, kept), sent_at(t, i)))
			sent_join(sent_at(t, kept), sent_at(t, i));
		else if (++kept != i)
			*sent_at(t, kept) = *sent_at(t, i);
	}
	if (kept < last)
		sent_close_gap(t, kept + 1, last - kept);
}

/* --- runs of a range --- */

static bool sent_lies_inside(const struct sent *t, u32 seq)
{
	u16 i = sent_find(t, seq);

	return i < t->n && seq_lt(sent_nth(t, i)->start, seq) &&
	       !(sent_nth(t, i)->flags & SENT_SACKED);
}

/*
 * Make a border at @seq, if there is room for another run, and leave that at @keep.
 * What is sacked is left whole, as no range ever changes it.
 */
static void sent_cut(struct sent *t, u32 seq, u32 keep)
{
	u16 i;

	if (!sent_lies_inside(t, seq) || !sent_make_room(t, keep))
		return;
	i = sent_find(t, seq);
	sent_open_gap(t, i);
	*sent_at(t, i) = *sent_at(t, i + 1);
	sent_at(t, i)->end = seq;
	sent_at(t, i + 1)->start = seq;
}

static void sent_cut_out(struct sent *t, const struct seq_range *s)
{
	sent_cut(t, s->start, s->start);
	sent_cut(t, s->end, s->start);
}

static bool sent_covers(const struct seq_range *s, const struct sent_run *r)
{
	return seq_le(s->start, r->start) && seq_le(r->end, s->end);
}

/* The first run that lies behind @seq or begins there. */
static u16 sent_first_from(const struct sent *t, u32 seq)
{
	u16 i = sent_find(t, seq);

	return i + (i < t->n && seq_lt(sent_nth(t, i)->start, seq));
}

/* What waited at t->lost_from may not do so any more. */
static void sent_seek_waiting(struct sent *t)
{
	u16 i;

	if (!t->waiting)
		return;
	i = sent_find(t, t->lost_from);
	while (!sent_waits(sent_at(t, i)))
		i++;
	t->lost_from = seq_max(t->lost_from, sent_at(t, i)->start);
}

/* --- going out --- */

/*
 * No room, and no two runs of one fate: the last one takes the new data in. What was
 * known of it would not be true of them.
 *
 *	last:   [== sacked ==)
 *	new:                  [------)
 *	after:  [  vague, in flight  )
 */
static void sent_widen(struct sent *t, u32 end, u64 now)
{
	struct sent_run *last = sent_at(t, t->n - 1);
	u8 flags = last->flags & (SENT_OUT | SENT_COUNTED);
	u16 i = t->n;

	if (last->flags & SENT_SACKED)
		flags = SENT_COUNTED;
	sent_set(t, last, SENT_VAGUE);
	last->end = end;
	last->at = now;
	sent_set(t, last, flags | SENT_VAGUE);
	while (i > 0 && !(sent_nth(t, i - 1)->flags & SENT_SACKED))
		i--;
	t->high_sacked = i ? sent_nth(t, i - 1)->end : sent_una(t);
	sent_seek_waiting(t);
}

void sent_push(struct sent *t, u32 start, u32 end, u64 now)
{
	struct sent_run new = {
		.start = start, .end = end, .at = now, .sends = 1
	};

	if (CORE_WARN_ON(t->n && start != sent_nxt(t)))
		return;
	t->bytes += end - start;
	if (!t->n) {
		t->high_sacked = start;
		t->resent = start;
	} else if (sent_alike(sent_at(t, t->n - 1), &new)) {
		sent_at(t, t->n - 1)->end = end;
		return;
	} else if (!sent_make_room(t, start)) {
		sent_widen(t, end, now);
		return;
	}
	t->n++;
	*sent_at(t, t->n - 1) = new;
}

/* A run of which [@s) goes out again. */
static void sent_again(struct sent *t, struct sent_run *r,
		       const struct seq_range *s, u64 now)
{
	u8 vague = sent_covers(s, r) ? 0 : SENT_VAGUE;

	sent_set(t, r, (r->flags & ~SENT_VAGUE) | SENT_OUT | vague);
	r->at = now;
	r->sends += r->sends < 255;
	t->resent = seq_max(t->resent, r->end);
}

void sent_resend(struct sent *t, const struct seq_range *s, u64 now)
{
	u16 from, i;

	sent_cut_out(t, s);
	from = sent_find(t, s->start);
	for (i = from; i < t->n; i++) {
		struct sent_run *r = sent_at(t, i);

		if (seq_ge(r->start, s->end))
			break;
		if (!(r->flags & SENT_SACKED))
			sent_again(t, r, s, now);
	}
	if (i > from)
		sent_merge(t, from, i);
	sent_seek_waiting(t);
}

/* --- arriving --- */

/* RFC 8985 section 6.2, RACK_sent_after(): is @m the later of the two? */
static bool sent_after(const struct sent_mark *m, const struct sent_run *r)
{
	return m->at > r->at || (m->at == r->at && seq_gt(m->end, r->end));
}

static void sent_note(struct sent_mark *m, const struct sent_run *r)
{
	if (m->sends && sent_after(m, r))
		return;
	m->at = r->at;
	m->end = r->end;
	m->sends = r->sends;
}

/* The bytes of @r have arrived. */
static void sent_deliver(const struct sent_run *r, struct sent_news *news)
{
	if (!(r->flags & SENT_COUNTED))
		news->delivered += sent_len(r);
	if (r->flags & SENT_VAGUE) {
		news->vague = true;
		return;
	}
	if (r->sends > 1) {
		sent_note(&news->again, r);
		return;
	}
	if (!news->once.sends || seq_lt(r->start, news->low))
		news->low = r->start;
	sent_note(&news->once, r);
}

void sent_ack(struct sent *t, u32 una, struct sent_news *news)
{
	while (t->n && seq_lt(sent_una(t), una)) {
		struct sent_run *first = sent_at(t, 0);
		struct sent_run part = *first;

		part.end = seq_min(first->end, una);
		sent_count(t, part.flags, -sent_len(&part));
		t->bytes -= sent_len(&part);
		news->acked += sent_len(&part);
		if (!(part.flags & SENT_SACKED))
			sent_deliver(&part, news);
		first->start = part.end;
		if (first->start == first->end)
			sent_close_gap(t, 0, 1);
	}
	/* keep them near */
	t->high_sacked = seq_max(t->high_sacked, una);
	t->resent = seq_max(t->resent, una);
	sent_seek_waiting(t);
}

/*
 * RFC 2018 section 3: the byte just below a block has not arrived, so a block
 * begins behind SND.UNA. No block covers what was not sent.
 */
static bool sent_believes(const struct sent *t, const struct seq_range *b)
{
	return t->n && seq_lt(sent_una(t), b->start) &&
	       seq_lt(b->start, b->end) && seq_le(b->end, sent_nxt(t));
}

bool sent_sack(struct sent *t, const struct seq_range *b,
	       struct sent_news *news)
{
	u16 from, i;

	if (!sent_believes(t, b))
		return false;
	sent_cut_out(t, b);
	from = sent_first_from(t, b->start);
	for (i = from; i < t->n; i++) {
		struct sent_run *r = sent_at(t, i);

		if (!sent_covers(b, r))
			break;
		if (r->flags & SENT_SACKED)
			continue;
		news->sacked += sent_len(r);
		sent_deliver(r, news);
		sent_set(t, r, SENT_SACKED);
		t->high_sacked = seq_max(t->high_sacked, r->end);
	}
	if (i > from)
		sent_merge(t, from, i);
	sent_seek_waiting(t);
	return true;
}

bool sent_reneged(const struct sent *t)
{
	return t->n && (sent_nth(t, 0)->flags & SENT_SACKED);
}

void sent_forget_sacked(struct sent *t)
{
	if (!t->sacked)
		return;
	for (u16 i = 0; i < t->n; i++) {
		struct sent_run *r = sent_at(t, i);

		if (r->flags & SENT_SACKED)
			sent_set(t, r, SENT_VAGUE | SENT_COUNTED);
	}
	t->high_sacked = sent_una(t);
	sent_merge(t, 0, t->n);
}

/* --- loss --- */

/* The newest transmission of @r is lost. Return: bytes that takes out. */
static u32 sent_lose_run(struct sent *t, struct sent_run *r)
{
	if ((r->flags & SENT_SACKED) || sent_waits(r))
		return 0;
	if (!t->waiting || seq_lt(r->start, t->lost_from))
		t->lost_from = r->start;
	sent_set(t, r, (r->flags | SENT_LOST) & ~SENT_OUT);
	return sent_len(r);
}

/* The first transmission of @r is lost. */
static u32 sent_lose_first(struct sent *t, struct sent_run *r)
{
	if (!(r->flags & SENT_OUT))
		return sent_lose_run(t, r);
	if (r->flags & SENT_LOST)
		return 0;
	sent_set(t, r, r->flags | SENT_LOST);
	return sent_len(r);
}

u32 sent_lose(struct sent *t, const struct seq_range *s)
{
	struct seq_range in = *s;
	u32 bytes = 0;
	u16 from, i;

	if (!t->n)
		return 0;
	in.start = seq_max(in.start, sent_una(t));
	in.end = seq_min(in.end, sent_nxt(t));
	if (seq_ge(in.start, in.end))
		return 0;
	sent_cut_out(t, &in);
	from = sent_first_from(t, in.start);
	for (i = from; i < t->n && sent_covers(&in, sent_at(t, i)); i++)
		bytes += sent_lose_first(t, sent_at(t, i));
	/* also where it is only cut */
	sent_merge(t, from, i);
	return bytes;
}

u32 sent_lose_all(struct sent *t)
{
	u32 bytes = 0;

	for (u16 i = 0; i < t->n; i++)
		bytes += sent_lose_run(t, sent_at(t, i));
	if (bytes)
		sent_merge(t, 0, t->n);
	return bytes;
}

u32 sent_lose_older(struct sent *t, const struct sent_mark *newest, u64 before,
		    u64 *next)
{
	u32 bytes = 0;
	u16 i;

	*next = NEVER;
	for (i = 0; i < t->n; i++) {
		struct sent_run *r = sent_at(t, i);

		if (!sent_after(newest, r)) {
			if (seq_ge(r->start, t->resent))
				break;
			continue;
		}
		if (r->at <= before)
			bytes += sent_lose_run(t, r);
		else if (!(r->flags & SENT_SACKED) && !sent_waits(r))
			*next = *next == NEVER ? r->at :
						 max_t(u64, *next, r->at);
	}
	if (bytes)
		sent_merge(t, 0, i);
	return bytes;
}

void sent_unlose_all(struct sent *t)
{
	if (!t->lost)
		return;
	for (u16 i = 0; i < t->n; i++)
		sent_set(t, sent_at(t, i), sent_at(t, i)->flags & ~SENT_LOST);
	sent_merge(t, 0, t->n);
}

bool sent_next_lost(const struct sent *t, u32 max, struct seq_range *s)
{
	u16 i;

	if (!t->waiting)
		return false;
	s->start = t->lost_from;
	s->end = s->start;
	for (i = sent_find(t, s->start); i < t->n; i++) {
		if (!sent_waits(sent_nth(t, i)) || s->end - s->start >= max)
			break;
		s->end = sent_nth(t, i)->end;
	}
	if (s->end - s->start > max)
		s->end = s->start + max;
	return true;
}

/* --- questions --- */

/* Sequences that touch are one run, so each run that is sacked counts. */
u32 sent_sacked_above(const struct sent *t, u32 seq, u32 *runs)
{
	u32 bytes = 0;

	*runs = 0;
	for (u16 i = sent_find(t, seq); i < t->n; i++) {
		const struct sent_run *r = sent_nth(t, i);

		if (!(r->flags & SENT_SACKED))
			continue;
		bytes += r->end - seq_max(r->start, seq);
		(*runs)++;
	}
	return bytes;
}

bool sent_loss_edge(const struct sent *t, u32 runs, u32 bytes, u32 *edge)
{
	u32 seen = 0, sum = 0;

	if (!t->sacked)
		return false;
	for (u16 i = sent_find(t, t->high_sacked - 1) + 1; i-- > 0;) {
		const struct sent_run *r = sent_nth(t, i);

		if (!(r->flags & SENT_SACKED))
			continue;
		sum += sent_len(r);
		if (++seen >= runs || sum > bytes) {
			*edge = r->start;
			return true;
		}
	}
	return false;
}

/* --- room --- */

u16 sent_room_wanted(const struct sent *t, u16 need)
{
	u32 cap = sent_cap(t);

	while (cap < (u32)t->n + need && cap < SENT_MAX)
		cap *= 2;
	return cap > sent_cap(t) ? cap : 0;
}

struct sent_run *sent_give_room(struct sent *t, struct sent_run *mem, u16 cap)
{
	struct sent_run *old = t->r;

	for (u16 i = 0; i < t->n; i++)
		mem[i] = *sent_at(t, i);
	t->r = mem;
	t->head = 0;
	t->cap = cap;
	return old;
}
