// SPDX-License-Identifier: GPL-2.0
/*
 * dgram_test.c - the header of a datagram (RFC 768)
 */
#include <kunit/test.h>

#include "../core/dgram.h"
#include "../core/params.h"
#include "helper.h"

static void dgram_parse__fields(struct kunit *test)
{
	static const u8 p[DGRAM_HDR] = { 0x92, 0x34, 0xf6, 0x78,
					 0x81, 0x02, 0,	   1 };
	struct dgram d;

	KUNIT_EXPECT_EQ(test, dgram_parse(&d, p, sizeof(p), 0xffff), DROP_NONE);
	KUNIT_EXPECT_EQ(test, d.sport, 0x9234);
	KUNIT_EXPECT_EQ(test, d.dport, 0xf678);
	KUNIT_EXPECT_EQ(test, d.len, 0x8102 - DGRAM_HDR);
}

/* Lengths that do not fit together; @field is the length in the header. */
static const struct dgram_length_param {
	const char *name;
	u16 field;
	u32 avail, total;
	enum cause drop;
} lengths[] = {
	{ "nothing", 8, 0, 0, DROP_DGRAM_TOO_SHORT },
	{ "one byte short", 8, 7, 7, DROP_DGRAM_TOO_SHORT },
	{ "not all at hand", 8, 7, 100, DROP_DGRAM_TOO_SHORT },
	{ "just a header", 8, 8, 8, DROP_NONE },
	{ "payload", 9, 8, 9, DROP_NONE },
	{ "padding", 9, 8, 60, DROP_NONE },
	{ "longest", 65535, 8, 65535, DROP_NONE },
	{ "more than a length can say", 65535, 8, 70000, DROP_NONE },
	{ "length 0, a jumbogram", 0, 8, 70000, DROP_DGRAM_BAD_LENGTH },
	{ "length below the header", 7, 8, 8, DROP_DGRAM_BAD_LENGTH },
	{ "length past the end", 9, 8, 8, DROP_DGRAM_BAD_LENGTH },
	{ "length far past the end", 65535, 8, 65534, DROP_DGRAM_BAD_LENGTH },
};

NAMED_PARAMS(dgram_length_param, lengths);

static void dgram_parse__lengths(struct kunit *test)
{
	const struct dgram_length_param *p = test->param_value;
	u8 bytes[DGRAM_HDR] = { 1, 2, 3, 4, p->field >> 8, (u8)p->field, 5, 6 };
	struct dgram d;

	KUNIT_EXPECT_EQ(test, dgram_parse(&d, bytes, p->avail, p->total),
			p->drop);
	KUNIT_EXPECT_EQ(test, d.len,
			p->drop == DROP_NONE ? p->field - DGRAM_HDR : 0);
}

/* RFC 8200 section 8.1: 0 means that there is none; either byte will do. */
static void dgram_parse__no_checksum(struct kunit *test)
{
	u8 p[DGRAM_HDR] = { 0, 1, 0, 2, 0, 8, 0, 0 };
	struct dgram d;

	KUNIT_EXPECT_EQ(test, dgram_parse(&d, p, sizeof(p), sizeof(p)),
			DROP_DGRAM_NO_CHECKSUM);
	/* whoever counts the drop wants to know whose it was */
	KUNIT_EXPECT_EQ(test, d.dport, 2);
	p[DGRAM_CHECKSUM_OFFSET] = 1;
	KUNIT_EXPECT_EQ(test, dgram_parse(&d, p, sizeof(p), sizeof(p)),
			DROP_NONE);
	p[DGRAM_CHECKSUM_OFFSET] = 0;
	p[DGRAM_CHECKSUM_OFFSET + 1] = 1;
	KUNIT_EXPECT_EQ(test, dgram_parse(&d, p, sizeof(p), sizeof(p)),
			DROP_NONE);
}

/* RFC 768: a source port of 0 stands for none. */
static void dgram_parse__no_source_port(struct kunit *test)
{
	static const u8 p[DGRAM_HDR] = { 0, 0, 0, 7, 0, 8, 1, 1 };
	struct dgram d;

	KUNIT_EXPECT_EQ(test, dgram_parse(&d, p, sizeof(p), sizeof(p)),
			DROP_NONE);
	KUNIT_EXPECT_EQ(test, d.sport, 0);
}

static void dgram_build__fields(struct kunit *test)
{
	static const u8 wanted[DGRAM_HDR] = { 0xfe, 0xdc, 0xba, 0x98,
					      0xff, 0xff, 0,	0 };
	struct dgram d = { .sport = 0xfedc, .dport = 0xba98, .len = 65527 };
	u8 p[DGRAM_HDR + 1];

	memset(p, 0xee, sizeof(p));
	dgram_build(&d, p);
	KUNIT_EXPECT_EQ(test, memcmp(p, wanted, DGRAM_HDR), 0);
	KUNIT_EXPECT_EQ(test, p[DGRAM_HDR], 0xee);
}

static struct kunit_case dgram_cases[] = {
	KUNIT_CASE(dgram_parse__fields),
	KUNIT_CASE_PARAM(dgram_parse__lengths, lengths_row_gen_params),
	KUNIT_CASE(dgram_parse__no_checksum),
	KUNIT_CASE(dgram_parse__no_source_port),
	KUNIT_CASE(dgram_build__fields),
	{}
};

static struct kunit_suite chalk_dgram = {
	.name = "chalk_dgram",
	.test_cases = dgram_cases,
};

kunit_test_suite(chalk_dgram);
