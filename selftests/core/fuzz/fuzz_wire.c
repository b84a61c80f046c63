// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_wire.c - the parser takes any bytes
 *
 * What it drops it drops with a reason of its own; what it takes is consistent,
 * and stays the same when it is written and read again.
 */
#include "../../../kmod/core/params.h"
#include "../../../kmod/core/wire.h"
#include "fuzz.h"

static void check_taken(const struct seg *s, u32 total)
{
	u8 again[HDR_MAX];
	struct seg t;
	u32 len;

	CHECK(s->hdr_len >= HDR_MIN && s->hdr_len <= HDR_MAX);
	CHECK(s->hdr_len + s->len == total);
	CHECK(s->wscale <= WSCALE_MAX);
	CHECK(s->flags & FLAG_SYN || !(s->mss || s->has_wscale));
	CHECK(s->has_ts || !(s->tsval | s->tsecr));
	len = wire_build(s, again);
	CHECK(len == HDR_MIN + wire_option_len(s) && len <= HDR_MAX);
	CHECK(wire_header_len(again) == len);
	CHECK(wire_parse(&t, again, len, len + s->len) == DROP_NONE);
	t.hdr_len = s->hdr_len;
	CHECK(!memcmp(s, &t, sizeof(t)));
}

/* The sanitizer guards the end of the copy, as the kernel would its skb. */
static void parse(const u8 *data, u32 avail, u32 total)
{
	u8 *copy = malloc(avail + !avail);
	enum cause drop;
	struct seg s;

	CHECK(copy);
	memcpy(copy, data, avail);
	drop = wire_parse(&s, copy, avail, total);
	CHECK(drop == DROP_NONE || drop == DROP_TOO_SHORT ||
	      drop == DROP_BAD_HDR_LEN || drop == DROP_BAD_OPTION);
	if (drop == DROP_NONE)
		check_taken(&s, total);
	free(copy);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const u8 none[1];

	if (size > 65535)
		return 0;
	if (!data)
		data = none;
	parse(data, size, size);
	/* only the header is at hand, the payload is elsewhere */
	if (size >= HDR_MAX)
		parse(data, HDR_MAX, size);
	return 0;
}
