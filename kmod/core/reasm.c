// SPDX-License-Identifier: GPL-2.0
/*
 * reasm.c - a sorted array of ranges
 *
 * Positions are found by halving, so that a peer who makes many holes pays for
 * them in packets, not we in time.
 */
#include "params.h"
#include "reasm.h"
#include "seq.h"

/* The first range that ends at or after @seq; n where there is none. */
static u16 find(const struct reasm *m, u32 seq)
{
	u16 lo = 0, hi = m->n;

	while (lo < hi) {
		u16 mid = (lo + hi) / 2;

		if (seq_lt(m->r[mid].end, seq))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Put a range that touches none at place @i. */
static enum reasm_result insert(struct reasm *m, u16 i,
				const struct seq_range *in)
{
	if (m->n == m->cap)
		return REASM_FULL;
	memmove(&m->r[i + 1], &m->r[i], (m->n - i) * sizeof(*m->r));
	m->r[i] = *in;
	m->n++;
	m->bytes += in->end - in->start;
	return REASM_NEW;
}

/* Range @i has grown at its end: swallow those that it now reaches. */
static void merge_following(struct reasm *m, u16 i)
{
	u16 j = i + 1;

	while (j < m->n && seq_le(m->r[j].start, m->r[i].end)) {
		m->bytes -= m->r[j].end - m->r[j].start;
		m->r[i].end = seq_max(m->r[i].end, m->r[j].end);
		j++;
	}
	memmove(&m->r[i + 1], &m->r[j], (m->n - j) * sizeof(*m->r));
	m->n -= j - (i + 1);
}

/*
 * Cut from @in what range @r already has at either end:
 *
 *	r:      [=======)		r:           [======)
 *	in:         [--------)		in:     [--------)
 *	after:          [----)		after:  [----)
 */
static void reasm_trim(struct seq_range *in, const struct seq_range *r)
{
	if (seq_le(r->start, in->start) && seq_lt(in->start, r->end))
		in->start = r->end;
	if (seq_lt(r->start, in->end) && seq_ge(r->end, in->end))
		in->end = r->start;
}

/* The range that holds the byte before @end, if one does. */
static const struct seq_range *holder_of_last(const struct reasm *m, u32 end)
{
	u16 i = find(m, end);

	if (i < m->n && seq_lt(m->r[i].start, end))
		return &m->r[i];
	return NULL;
}

enum reasm_result reasm_add(struct reasm *m, struct seq_range *in)
{
	const struct seq_range *last = holder_of_last(m, in->end);
	u16 i = find(m, in->start);
	struct seq_range whole = *in;
	struct seq_range *r;

	if (i == m->n || seq_lt(in->end, m->r[i].start))
		return insert(m, i, in);
	r = &m->r[i];
	if (seq_le(r->start, in->start) && seq_le(in->end, r->end))
		return REASM_DUPLICATE;
	if (last && last != r)
		reasm_trim(in, last);
	reasm_trim(in, r);
	m->bytes -= r->end - r->start;
	r->start = seq_min(r->start, whole.start);
	r->end = seq_max(r->end, whole.end);
	merge_following(m, i);
	m->bytes += r->end - r->start;
	return REASM_NEW;
}

u32 reasm_advance(struct reasm *m, u32 rcv_nxt)
{
	u16 i = 0;

	while (i < m->n && seq_le(m->r[i].start, rcv_nxt)) {
		rcv_nxt = seq_max(rcv_nxt, m->r[i].end);
		m->bytes -= m->r[i].end - m->r[i].start;
		i++;
	}
	if (i) {
		memmove(m->r, m->r + i, (m->n - i) * sizeof(*m->r));
		m->n -= i;
	}
	return rcv_nxt;
}

void reasm_cut(struct reasm *m, u32 seq)
{
	struct seq_range *last;

	while (m->n && seq_lt(seq, m->r[m->n - 1].end)) {
		last = &m->r[m->n - 1];
		if (seq_lt(last->start, seq)) {
			m->bytes -= last->end - seq;
			last->end = seq;
			return;
		}
		m->bytes -= last->end - last->start;
		m->n--;
	}
}

u16 reasm_room_wanted(const struct reasm *m)
{
	if (m->n < m->cap || m->cap >= REASM_MAX)
		return 0;
	return m->cap ? m->cap * 2 : 8;
}

struct seq_range *reasm_give_room(struct reasm *m, struct seq_range *mem,
				  u16 cap)
{
	struct seq_range *old = m->r;

	if (m->n)
		memcpy(mem, m->r, m->n * sizeof(*mem));
	m->r = mem;
	m->cap = cap;
	return old;
}
