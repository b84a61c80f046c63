// SPDX-License-Identifier: GPL-2.0
/*
 * wire_test.c - header bytes to struct seg and back (RFC 9293 section 3.1)
 */
#include <kunit/test.h>

#include "../core/params.h"
#include "../core/wire.h"
#include "helper.h"

static const u8 no_options[1];

/*
 * One header with options at hand; the first 20 bytes are always the same.
 *
 *	port 0x1234 -> 0x5678, seq 0x01020304, ack 0x05060708, window 0x090a,
 *	urgent pointer 0x0b0c
 */
static void put_header(u8 *p, u8 flags, const u8 *options, u8 len)
{
	static const u8 fixed[HDR_MIN] = {
		0x12, 0x34, 0x56, 0x78, 1, 2,  3,    4,	   5,  6,
		7,    8,    0,	  0,	9, 10, 0xff, 0xff, 11, 12,
	};

	memcpy(p, fixed, HDR_MIN);
	p[12] = (HDR_MIN + len) / 4 << 4;
	p[13] = flags;
	memcpy(p + HDR_MIN, options, len);
}

static void wire_parse__fixed_fields(struct kunit *test)
{
	u8 p[HDR_MIN + 5];
	struct seg s;

	put_header(p, 0xff, no_options, 0);
	KUNIT_EXPECT_EQ(test, wire_parse(&s, p, sizeof(p), sizeof(p)),
			DROP_NONE);
	KUNIT_EXPECT_EQ(test, s.sport, 0x1234);
	KUNIT_EXPECT_EQ(test, s.dport, 0x5678);
	KUNIT_EXPECT_EQ(test, s.seq, 0x01020304);
	KUNIT_EXPECT_EQ(test, s.ack, 0x05060708);
	KUNIT_EXPECT_EQ(test, s.wnd, 0x090a);
	KUNIT_EXPECT_EQ(test, s.up, 0x0b0c);
	KUNIT_EXPECT_EQ(test, s.flags, 0xff);
	KUNIT_EXPECT_EQ(test, s.hdr_len, HDR_MIN);
	KUNIT_EXPECT_EQ(test, s.len, 5);
	KUNIT_EXPECT_EQ(test, s.mss, 0);
	KUNIT_EXPECT_FALSE(test, s.has_wscale || s.has_ts || s.no_room);
}

/* Every bit of the numbers counts: the sign bit, too. */
static void wire_parse__high_bits(struct kunit *test)
{
	u8 p[HDR_MIN];
	struct seg s;

	put_header(p, FLAG_ACK, no_options, 0);
	memset(p, 0xff, 12);
	wire_parse(&s, p, sizeof(p), sizeof(p));
	KUNIT_EXPECT_EQ(test, s.seq, 0xffffffff);
	KUNIT_EXPECT_EQ(test, s.ack, 0xffffffff);
	KUNIT_EXPECT_EQ(test, s.sport, 0xffff);
}

/* Lengths that do not fit together; @words is the data offset field. */
static const struct length_param {
	const char *name;
	u8 words;
	u32 avail, total;
	enum cause drop;
} lengths[] = {
	{ "nothing", 5, 0, 0, DROP_TOO_SHORT },
	{ "one byte short", 5, 19, 19, DROP_TOO_SHORT },
	{ "not all at hand", 5, 19, 100, DROP_TOO_SHORT },
	{ "just a header", 5, 20, 20, DROP_NONE },
	{ "offset 0", 0, 60, 60, DROP_BAD_HDR_LEN },
	{ "offset 4", 4, 60, 60, DROP_BAD_HDR_LEN },
	{ "offset past the end", 6, 20, 20, DROP_BAD_HDR_LEN },
	{ "offset 3 bytes past the end", 6, 21, 21, DROP_BAD_HDR_LEN },
	{ "offset past what is at hand", 15, 59, 100, DROP_BAD_HDR_LEN },
	{ "longest", 15, 60, 60, DROP_NONE },
	{ "longest, with text", 15, 60, 65535, DROP_NONE },
};

NAMED_PARAMS(length_param, lengths);

static void wire_parse__lengths(struct kunit *test)
{
	const struct length_param *p = test->param_value;
	u8 nops[HDR_MAX - HDR_MIN];
	u8 bytes[HDR_MAX];
	struct seg s;

	memset(nops, 1, sizeof(nops));
	put_header(bytes, FLAG_ACK, nops, sizeof(nops));
	bytes[12] = p->words << 4;
	KUNIT_EXPECT_EQ(test, wire_parse(&s, bytes, p->avail, p->total),
			p->drop);
	if (p->drop == DROP_NONE)
		KUNIT_EXPECT_EQ(test, s.len, p->total - p->words * 4);
}

/* RFC 793: the low four bits of byte 12 are reserved and ignored. */
static void wire_header_len__ignores_reserved(struct kunit *test)
{
	u8 p[HDR_MIN] = { [12] = 0x5f };

	KUNIT_EXPECT_EQ(test, wire_header_len(p), 20);
	p[12] = 0xff;
	KUNIT_EXPECT_EQ(test, wire_header_len(p), 60);
}

static const struct option_param {
	const char *name;
	u8 flags;
	u8 len;
	u8 bytes[16];
	enum cause drop;
	/* what is to be read from it */
	u16 mss;
	bool has_wscale;
	u8 wscale;
	bool has_ts;
} options[] = {
	/* clang-format off */
	/* RFC 9293 section 3.2, kind 2 */
	{ .name = "MSS", FLAG_SYN, 4, { 2, 4, 5, 0xb4 }, .mss = 1460 },
	{ .name = "MSS without SYN is ignored", FLAG_ACK, 4, { 2, 4, 5, 0xb4 } },
	{ .name = "MSS too short", FLAG_SYN, 4, { 2, 3, 5, 0 },
	  DROP_BAD_OPTION },
	{ .name = "MSS too long", FLAG_SYN, 8, { 2, 6, 5, 0xb4, 0, 0, 0, 0 },
	  DROP_BAD_OPTION },
	{ .name = "bad MSS without SYN", FLAG_ACK, 4, { 2, 3, 5, 0 },
	  DROP_BAD_OPTION },
	{ .name = "MSS 0", FLAG_SYN, 4, { 2, 4, 0, 0 } },
	{ .name = "MSS twice, the last counts", FLAG_SYN, 8,
	  { 2, 4, 1, 0, 2, 4, 2, 0 }, .mss = 512 },
	/* RFC 7323 section 2.2 */
	{ .name = "window scale", FLAG_SYN, 4, { 1, 3, 3, 7 },
	  .has_wscale = true, .wscale = 7 },
	{ .name = "window scale 0", FLAG_SYN, 4, { 1, 3, 3, 0 },
	  .has_wscale = true },
	/* RFC 7323 section 2.3: more than 14 is taken as 14 */
	{ .name = "window scale 15", FLAG_SYN, 4, { 1, 3, 3, 15 },
	  .has_wscale = true, .wscale = 14 },
	{ .name = "window scale 255", FLAG_SYN, 4, { 1, 3, 3, 255 },
	  .has_wscale = true, .wscale = 14 },
	{ .name = "window scale without SYN", FLAG_ACK, 4, { 1, 3, 3, 7 } },
	{ .name = "window scale too short", FLAG_SYN, 4, { 1, 1, 3, 2 },
	  DROP_BAD_OPTION },
	{ .name = "window scale too long", FLAG_SYN, 4, { 3, 4, 7, 0 },
	  DROP_BAD_OPTION },
	/* RFC 7323 section 3.2 */
	{ .name = "timestamps", FLAG_ACK, 12,
	  { 1, 1, 8, 10, 0xf1, 2, 3, 4, 0xf5, 6, 7, 8 }, .has_ts = true },
	{ .name = "timestamps in front", FLAG_SYN, 12,
	  { 8, 10, 0xf1, 2, 3, 4, 0xf5, 6, 7, 8, 0, 0 }, .has_ts = true },
	{ .name = "timestamps too short", FLAG_ACK, 12,
	  { 1, 1, 8, 9, 1, 2, 3, 4, 5, 6, 7, 1 }, DROP_BAD_OPTION },
	{ .name = "timestamps too long", FLAG_ACK, 12,
	  { 1, 8, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9 }, DROP_BAD_OPTION },
	/* RFC 9293 section 3.1, MUST-7: lengths that cannot be */
	{ .name = "length 0", FLAG_SYN, 4, { 2, 0, 0, 0 }, DROP_BAD_OPTION },
	{ .name = "length 1", FLAG_SYN, 4, { 2, 1, 0, 0 }, DROP_BAD_OPTION },
	{ .name = "unknown, length 0", FLAG_SYN, 4, { 77, 0, 0, 0 },
	  DROP_BAD_OPTION },
	{ .name = "unknown, length 1", FLAG_SYN, 4, { 77, 1, 0, 0 },
	  DROP_BAD_OPTION },
	{ .name = "past the header", FLAG_SYN, 4, { 77, 5, 0, 0 },
	  DROP_BAD_OPTION },
	{ .name = "kind, and no length", FLAG_SYN, 4, { 1, 1, 1, 2 },
	  DROP_BAD_OPTION },
	/* MUST-6: unknown ones are skipped */
	{ .name = "unknown, then MSS", FLAG_SYN, 8,
	  { 77, 4, 2, 4, 2, 4, 3, 0 }, .mss = 768 },
	{ .name = "unknown of two bytes", FLAG_SYN, 8,
	  { 4, 2, 1, 1, 2, 4, 3, 0 }, .mss = 768 },
	{ .name = "to the last byte", FLAG_SYN, 4, { 77, 4, 0, 0 } },
	/* kinds 0 and 1 */
	{ .name = "NOPs", FLAG_SYN, 4, { 1, 1, 1, 1 } },
	{ .name = "end", FLAG_SYN, 4, { 0, 2, 0, 0 } },
	{ .name = "nothing counts after the end", FLAG_SYN, 8,
	  { 0, 0, 0, 0, 2, 4, 3, 0 } },
	{ .name = "all, as Linux orders them", FLAG_SYN, 16,
	  { 2, 4, 5, 0xb4, 8, 10, 0xf1, 2, 3, 4, 0xf5, 6, 7, 8, 1, 1 },
	  .mss = 1460, .has_ts = true },
	/* clang-format on */
};

NAMED_PARAMS(option_param, options);

static void wire_parse__options(struct kunit *test)
{
	const struct option_param *p = test->param_value;
	u8 bytes[HDR_MAX];
	struct seg s;

	put_header(bytes, p->flags, p->bytes, p->len);
	/* what follows the header is no option */
	memset(bytes + HDR_MIN + p->len, 3, sizeof(bytes) - HDR_MIN - p->len);
	KUNIT_EXPECT_EQ(test,
			wire_parse(&s, bytes, sizeof(bytes), sizeof(bytes)),
			p->drop);
	if (p->drop)
		return;
	KUNIT_EXPECT_EQ(test, s.mss, p->mss);
	KUNIT_EXPECT_EQ(test, s.has_wscale, p->has_wscale);
	KUNIT_EXPECT_EQ(test, s.wscale, p->wscale);
	KUNIT_EXPECT_EQ(test, s.has_ts, p->has_ts);
	KUNIT_EXPECT_EQ(test, s.tsval, p->has_ts ? 0xf1020304 : 0);
	KUNIT_EXPECT_EQ(test, s.tsecr, p->has_ts ? 0xf5060708 : 0);
}

/* Not a byte beyond the packet is read; the sanitizers watch its end. */
static void wire_parse__reads_no_further(struct kunit *test)
{
	const struct option_param *p = test->param_value;
	u32 len = HDR_MIN + p->len;
	u8 *bytes = kunit_kzalloc(test, len, GFP_KERNEL);
	struct seg s;

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	put_header(bytes, p->flags, p->bytes, p->len);
	KUNIT_EXPECT_EQ(test, wire_parse(&s, bytes, len, len), p->drop);
}

/* Nobody listens there, but what comes is a segment, and gets its answer. */
static void wire_parse__port_zero(struct kunit *test)
{
	u8 p[HDR_MIN];
	struct seg s;

	put_header(p, FLAG_SYN, no_options, 0);
	memset(p, 0, 4);
	KUNIT_EXPECT_EQ(test, wire_parse(&s, p, sizeof(p), sizeof(p)),
			DROP_NONE);
	KUNIT_EXPECT_EQ(test, s.sport, 0);
	KUNIT_EXPECT_EQ(test, s.dport, 0);
}

/*
 * Random headers, half of them with a likely data offset. Whatever is taken is
 * consistent, and writing it and reading it again changes nothing.
 */
static void check_taken(struct kunit *test, const struct seg *s, u32 total)
{
	u8 again[HDR_MAX];
	struct seg t;
	u32 len;

	KUNIT_EXPECT_EQ(test, s->hdr_len + s->len, total);
	KUNIT_EXPECT_GE(test, s->hdr_len, HDR_MIN);
	KUNIT_EXPECT_LE(test, s->wscale, WSCALE_MAX);
	if (!(s->flags & FLAG_SYN))
		KUNIT_EXPECT_FALSE(test, s->mss || s->has_wscale);
	len = wire_build(s, again);
	KUNIT_EXPECT_EQ(test, len, HDR_MIN + wire_option_len(s));
	KUNIT_EXPECT_EQ(test, wire_parse(&t, again, len, len + s->len),
			DROP_NONE);
	t.hdr_len = s->hdr_len;
	KUNIT_EXPECT_EQ(test, memcmp(s, &t, sizeof(t)), 0);
}

static void wire_parse__random(struct kunit *test)
{
	u32 state = 20240601, taken = 0;
	u8 bytes[HDR_MAX];
	struct seg s;

	for (int round = 0; round < 20000 && !test->status; round++) {
		u32 total = prng(&state) % (HDR_MAX + 1);

		/* small numbers make options likely */
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = prng(&state) >> 8 & (i < 20 ? 255 : 11);
		bytes[12] = (5 + prng(&state) % 4) << 4;
		if (wire_parse(&s, bytes, total, total))
			continue;
		taken++;
		check_taken(test, &s, total);
	}
	KUNIT_EXPECT_GT(test, taken, 1000);
}

static const struct build_param {
	const char *name;
	struct seg seg;
	u8 len;
	u8 options[20];
} builds[] = {
	{ "no options", { .flags = FLAG_ACK }, 0, {} },
	{ "MSS",
	  { .flags = FLAG_SYN, .mss = 0x1234 },
	  4,
	  { 2, 4, 0x12, 0x34 } },
	{ "timestamps",
	  { .flags = FLAG_ACK,
	    .has_ts = true,
	    .tsval = 0xf1020304,
	    .tsecr = 0xf5060708 },
	  12,
	  { 1, 1, 8, 10, 0xf1, 2, 3, 4, 0xf5, 6, 7, 8 } },
	{ "window scale",
	  { .flags = FLAG_SYN, .has_wscale = true, .wscale = 9 },
	  4,
	  { 1, 3, 3, 9 } },
	{ "a whole SYN",
	  { .flags = FLAG_SYN,
	    .mss = 1460,
	    .has_ts = true,
	    .tsval = 1,
	    .tsecr = 2,
	    .has_wscale = true,
	    .wscale = 7 },
	  20,
	  { 2, 4, 5, 0xb4, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7 } },
};

NAMED_PARAMS(build_param, builds);

static void wire_build__options(struct kunit *test)
{
	const struct build_param *p = test->param_value;
	u8 bytes[HDR_MAX];

	memset(bytes, 0xee, sizeof(bytes));
	KUNIT_EXPECT_EQ(test, wire_option_len(&p->seg), p->len);
	KUNIT_EXPECT_EQ(test, wire_build(&p->seg, bytes), HDR_MIN + p->len);
	KUNIT_EXPECT_EQ(test, wire_header_len(bytes), HDR_MIN + p->len);
	KUNIT_EXPECT_EQ(test, memcmp(bytes + HDR_MIN, p->options, p->len), 0);
	KUNIT_EXPECT_EQ(test, bytes[HDR_MIN + p->len], 0xee);
}

static void wire_build__fixed_fields(struct kunit *test)
{
	u8 wanted[HDR_MIN], p[HDR_MIN];
	struct seg s;

	put_header(wanted, FLAG_ACK | FLAG_URG, no_options, 0);
	wire_parse(&s, wanted, HDR_MIN, HDR_MIN);
	memset(p, 0xee, sizeof(p));
	wire_build(&s, p);
	/* the checksum is left 0 for the habitat */
	memset(wanted + WIRE_CHECKSUM_OFFSET, 0, 2);
	KUNIT_EXPECT_EQ(test, memcmp(p, wanted, HDR_MIN), 0);
}

/* RFC 9293 section 3.4: SYN and FIN take a sequence number each. */
static void seg_space__syn_and_fin(struct kunit *test)
{
	struct seg s = { .seq = 0xfffffffe, .len = 10 };

	KUNIT_EXPECT_EQ(test, seg_space(&s), 10);
	s.flags = FLAG_SYN | FLAG_FIN | FLAG_RST | FLAG_PSH | FLAG_URG;
	KUNIT_EXPECT_EQ(test, seg_space(&s), 12);
	KUNIT_EXPECT_EQ(test, seg_end(&s), 10);
}

static struct kunit_case wire_cases[] = {
	KUNIT_CASE(seg_space__syn_and_fin),
	KUNIT_CASE(wire_header_len__ignores_reserved),
	KUNIT_CASE(wire_parse__fixed_fields),
	KUNIT_CASE(wire_parse__high_bits),
	KUNIT_CASE_PARAM(wire_parse__lengths, lengths_row_gen_params),
	KUNIT_CASE_PARAM(wire_parse__options, options_row_gen_params),
	KUNIT_CASE_PARAM(wire_parse__reads_no_further, options_row_gen_params),
	KUNIT_CASE(wire_parse__port_zero),
	KUNIT_CASE(wire_parse__random),
	KUNIT_CASE_PARAM(wire_build__options, builds_row_gen_params),
	KUNIT_CASE(wire_build__fixed_fields),
	{}
};

static struct kunit_suite chalk_wire = {
	.name = "chalk_wire",
	.test_cases = wire_cases,
};

kunit_test_suite(chalk_wire);
