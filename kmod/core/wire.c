// SPDX-License-Identifier: GPL-2.0
/*
 * wire.c - header bytes to struct seg and back
 */
#include "bytes.h"
#include "params.h"
#include "wire.h"

/* Option kinds (RFC 9293 section 3.2, RFC 7323 appendix). */
enum {
	OPT_END = 0,
	OPT_NOP = 1,
	OPT_MSS = 2,
	OPT_WSCALE = 3,
	OPT_TIMESTAMPS = 8,
};

/* Lengths of those options, kind and length byte included. */
enum {
	OPT_MSS_LEN = 4,
	OPT_WSCALE_LEN = 3,
	OPT_TIMESTAMPS_LEN = 10,
};

unsigned int wire_header_len(const u8 *p)
{
	return (p[12] >> 4) * 4;
}

/* RFC 9293 section 3.7.1: the MSS option counts in a segment with SYN only. */
static bool parse_mss(struct seg *s, const u8 *value, u8 len)
{
	if (len != OPT_MSS_LEN)
		return false;
	if (s->flags & FLAG_SYN)
		s->mss = get16(value);
	return true;
}

/* RFC 7323 section 2.2: the same for window scale. */
static bool parse_wscale(struct seg *s, const u8 *value, u8 len)
{
	if (len != OPT_WSCALE_LEN)
		return false;
	if (s->flags & FLAG_SYN) {
		s->has_wscale = true;
		s->wscale = min_t(u8, value[0], WSCALE_MAX);
	}
	return true;
}

static bool parse_timestamps(struct seg *s, const u8 *value, u8 len)
{
	if (len != OPT_TIMESTAMPS_LEN)
		return false;
	s->has_ts = true;
	s->tsval = get32(value);
	s->tsecr = get32(value + 4);
	return true;
}

/* One option of known extent; unknown kinds are skipped. */
static bool parse_option(struct seg *s, u8 kind, const u8 *value, u8 len)
{
	switch (kind) {
	case OPT_MSS:
		return parse_mss(s, value, len);
	case OPT_WSCALE:
		return parse_wscale(s, value, len);
	case OPT_TIMESTAMPS:
		return parse_timestamps(s, value, len);
	default:
		return true;
	}
}

static bool parse_options(struct seg *s, const u8 *p, const u8 *end)
{
	while (p < end && *p != OPT_END) {
		u8 len;

		if (*p == OPT_NOP) {
			p++;
			continue;
		}
		if (end - p < 2)
			return false;
		len = p[1];
		if (len < 2 || len > end - p)
			return false;
		if (!parse_option(s, p[0], p + 2, len))
			return false;
		p += len;
	}
	return true;
}

static void parse_fixed(struct seg *s, const u8 *p)
{
	s->sport = get16(p);
	s->dport = get16(p + 2);
	s->seq = get32(p + 4);
	s->ack = get32(p + 8);
	s->hdr_len = wire_header_len(p);
	s->flags = p[13];
	s->wnd = get16(p + 14);
	s->up = get16(p + 18);
}

enum cause wire_parse(struct seg *s, const u8 *p, u32 avail, u32 total)
{
	memset(s, 0, sizeof(*s));
	if (total < HDR_MIN || avail < HDR_MIN)
		return DROP_TOO_SHORT;
	parse_fixed(s, p);
	if (s->hdr_len < HDR_MIN || s->hdr_len > total || s->hdr_len > avail)
		return DROP_BAD_HDR_LEN;
	s->len = total - s->hdr_len;
	if (!parse_options(s, p + HDR_MIN, p + s->hdr_len))
		return DROP_BAD_OPTION;
	return DROP_NONE;
}

unsigned int wire_option_len(const struct seg *s)
{
	unsigned int len = 0;

	if (s->mss)
		len += OPT_MSS_LEN;
	if (s->has_ts)
		len += TS_OPTION_LEN;
	if (s->has_wscale)
		len += OPT_WSCALE_LEN + 1;
	return len;
}

/* Two NOPs in front bring the two numbers to a multiple of four. */
static u8 *build_timestamps(const struct seg *s, u8 *p)
{
	*p++ = OPT_NOP;
	*p++ = OPT_NOP;
	*p++ = OPT_TIMESTAMPS;
	*p++ = OPT_TIMESTAMPS_LEN;
	return put32(put32(p, s->tsval), s->tsecr);
}

static u8 *build_options(const struct seg *s, u8 *p)
{
	if (s->mss) {
		*p++ = OPT_MSS;
		*p++ = OPT_MSS_LEN;
		p = put16(p, s->mss);
	}
	if (s->has_ts)
		p = build_timestamps(s, p);
	if (s->has_wscale) {
		*p++ = OPT_NOP;
		*p++ = OPT_WSCALE;
		*p++ = OPT_WSCALE_LEN;
		*p++ = s->wscale;
	}
	return p;
}

unsigned int wire_build(const struct seg *s, u8 *p)
{
	u8 *end = build_options(s, p + HDR_MIN);
	unsigned int len = end - p;

	put16(p, s->sport);
	put16(p + 2, s->dport);
	put32(p + 4, s->seq);
	put32(p + 8, s->ack);
	p[12] = len / 4 << 4;
	p[13] = s->flags;
	put16(p + 14, s->wnd);
	put16(p + 16, 0);
	put16(p + 18, s->up);
	return len;
}
