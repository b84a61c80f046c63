// SPDX-License-Identifier: GPL-2.0
/*
 * check_wire.c - header bytes as RFC 9293 section 3.1 draws them
 *
 * A second writer and a second reader, which share nothing with the core's.
 */
#include "check_wire.h"
#include "event.h"
#include "params.h"

static u32 number(const u8 *p, u32 bytes)
{
	u32 n = 0;

	while (bytes--)
		n = n << 8 | *p++;
	return n;
}

static u8 *put(u8 *p, u32 n, u32 bytes)
{
	while (bytes--)
		*p++ = n >> (8 * bytes);
	return p;
}

static bool fields_match(const struct seg *s, const u8 *p, u32 len)
{
	return number(p, 2) == s->sport && number(p + 2, 2) == s->dport &&
	       number(p + 4, 4) == s->seq && number(p + 8, 4) == s->ack &&
	       p[12] == len / 4 << 4 && p[13] == s->flags &&
	       number(p + 14, 2) == s->wnd && !number(p + 16, 2) &&
	       (!(s->flags & FLAG_URG) || number(p + 18, 2) == s->up);
}

/* RFC 9293 section 3.2, RFC 7323 sections 2.2 and 3.2 */
static bool option_matches(const struct seg *s, const u8 *p)
{
	switch (p[0]) {
	case 2:
		return s->mss && p[1] == 4 && number(p + 2, 2) == s->mss;
	case 3:
		return s->has_wscale && p[1] == 3 && p[2] == s->wscale;
	case 8:
		return s->has_ts && p[1] == 10 &&
		       number(p + 2, 4) == s->tsval &&
		       number(p + 6, 4) == s->tsecr;
	}
	return false;
}

void check_wire(struct world *w, const struct seg *s, const u8 *p, u32 len)
{
	u32 options = !!s->mss + s->has_wscale + s->has_ts;
	u32 at = HDR_MIN;

	if (wire_option_len(s) != len - HDR_MIN || len % 4)
		world_fail(w, "a header of %u bytes, %u are options", len,
			   wire_option_len(s));
	if (!fields_match(s, p, len))
		world_fail(w, "a header is not that of its segment");
	while (at < len) {
		if (p[at] == 1) {
			at++;
			continue;
		}
		if (!option_matches(s, p + at) || !options--) {
			world_fail(w, "option %u is not of the segment", p[at]);
			return;
		}
		at += p[at + 1];
	}
	if (options)
		world_fail(w, "%u options are missing", options);
}

/* --- reading --- */

/* RFC 9293 section 3.7.1, RFC 7323 section 2.2: two of them only in a SYN. */
static void read_option(struct seg *s, const u8 *p)
{
	bool syn = s->flags & FLAG_SYN;

	if (p[0] == 2 && syn)
		s->mss = number(p + 2, 2);
	if (p[0] == 3 && syn) {
		s->has_wscale = true;
		/* RFC 7323 section 2.3 */
		s->wscale = p[2] > 14 ? 14 : p[2];
	}
	if (p[0] == 8) {
		s->has_ts = true;
		s->tsval = number(p + 2, 4);
		s->tsecr = number(p + 6, 4);
	}
}

/* RFC 9293 section 3.1, MUST-7: what no option can be. */
static bool is_malformed(const u8 *p, u32 left)
{
	static const u8 lengths[] = { [2] = 4, [3] = 3, [8] = 10 };

	if (left < 2 || p[1] < 2 || p[1] > left)
		return true;
	return p[0] <= 8 && lengths[p[0]] && lengths[p[0]] != p[1];
}

static enum cause read_options(struct seg *s, const u8 *p, u32 left)
{
	while (left && *p) {
		u32 step = 1;

		if (*p != 1) {
			if (is_malformed(p, left))
				return DROP_BAD_OPTION;
			read_option(s, p);
			step = p[1];
		}
		p += step;
		left -= step;
	}
	return DROP_NONE;
}

void check_parsed(struct world *w, const struct seg *s, enum cause drop,
		  const u8 *p, u32 len)
{
	u32 header = 4 * (p[12] >> 4);
	struct seg own = { .flags = p[13] };
	enum cause should = DROP_BAD_HDR_LEN;

	if (header >= HDR_MIN && header <= len)
		should = read_options(&own, p + HDR_MIN, header - HDR_MIN);
	if (drop != should)
		world_fail(w, "a header is read: %s, not %s", cause_name(drop),
			   cause_name(should));
	if (should)
		return;
	if (s->len != len - header || s->mss != own.mss ||
	    s->has_wscale != own.has_wscale || s->wscale != own.wscale ||
	    s->has_ts != own.has_ts || s->tsval != own.tsval ||
	    s->tsecr != own.tsecr)
		world_fail(w, "the options of a header are read wrong");
	if (number(p, 2) != s->sport || number(p + 2, 2) != s->dport ||
	    number(p + 4, 4) != s->seq || number(p + 8, 4) != s->ack ||
	    p[13] != s->flags || number(p + 14, 2) != s->wnd ||
	    number(p + 18, 2) != s->up)
		world_fail(w, "the fields of a header are read wrong");
}

/* --- another stack --- */

static u8 *put_option(const struct seg *s, u8 *p, u32 which)
{
	switch (which) {
	case 0:
		return s->has_ts ? put(put(put(p, 0x080a, 2), s->tsval, 4),
				       s->tsecr, 4) :
				   p;
	case 1:
		return s->has_wscale ? put(put(p, 0x0303, 2), s->wscale, 1) : p;
	default:
		return s->mss ? put(put(p, 0x0204, 2), s->mss, 2) : p;
	}
}

/* Of no meaning here: unknown, or of a SYN and the segment is none. */
static u8 *put_noise(struct rng *r, const struct seg *s, u8 *p)
{
	switch (rng_below(r, s->flags & FLAG_SYN ? 3 : 5)) {
	case 0:
		return put(p, 1, 1);
	case 1:
		return put(put(p, 0xfe04, 2), rng_next(r), 2);
	case 2:
		return p;
	case 3:
		return put(put(p, 0x0204, 2), rng_range(r, 1, 100), 2);
	default:
		return put(put(p, 0x0303, 2), rng_below(r, 256), 1);
	}
}

u32 wire_disguise(struct rng *r, const struct seg *s, u8 *p)
{
	u8 *end = p + HDR_MIN;
	u32 first = rng_below(r, 3);
	bool no_mss = !rng_below(r, 4);
	u32 len;

	for (u32 i = 0; i < 3; i++) {
		end = put_noise(r, s, end);
		if ((first + i) % 3 != 2 || !no_mss)
			end = put_option(s, end, (first + i) % 3);
	}
	len = end - p;
	if (len % 4) {
		end = put(end, 0, 1);
		while ((end - p) % 4)
			end = put(end, rng_range(r, 2, 8), 1);
		len = end - p;
	}
	p[12] = len / 4 << 4;
	return len;
}
