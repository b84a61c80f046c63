// SPDX-License-Identifier: GPL-2.0
/*
 * event_test.c - the names, and a record as a line of text
 */
#include <kunit/test.h>

#include "../core/event.h"
#include "../core/state.h"
#include "../core/wire.h"
#include "helper.h"

/* A record of the largest values there are. */
static struct event largest(void)
{
	struct event ev;

	memset(&ev, 0xff, sizeof(ev));
	ev.kind = EV_RTT_REFUSED;
	ev.state = ST_ESTABLISHED;
	ev.cause = BY_NONE;
	return ev;
}

/* The address of most characters that text can give an endpoint. */
static const char longest_endpoint[] =
	"[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535";

static unsigned int count(const char *s, char wanted)
{
	unsigned int n = 0;

	for (; *s; s++)
		n += *s == wanted;
	return n;
}

static void event_kind_name__complete(struct kunit *test)
{
	for (unsigned int k = 0; k < NR_EVENT_KINDS; k++) {
		KUNIT_ASSERT_NOT_NULL(test, event_kind_name(k));
		KUNIT_EXPECT_STRNEQ(test, event_kind_name(k), "?");
		for (unsigned int l = 0; l < k; l++)
			KUNIT_EXPECT_STRNEQ(test, event_kind_name(k),
					    event_kind_name(l));
	}
	KUNIT_EXPECT_STREQ(test, event_kind_name(NR_EVENT_KINDS), "?");
}

/* DROP_FIRST follows the causes without a hole. */
static void cause_name__complete(struct kunit *test)
{
	for (unsigned int c = 0; c < NR_CAUSES; c++) {
		KUNIT_ASSERT_NOT_NULL(test, cause_name(c));
		KUNIT_EXPECT_TRUE(test, *cause_name(c));
		for (unsigned int d = 0; d < c; d++)
			KUNIT_EXPECT_STRNEQ(test, cause_name(c), cause_name(d));
	}
	KUNIT_EXPECT_STREQ(test, cause_name(DROP_FIRST), "too_short");
	KUNIT_EXPECT_STREQ(test, cause_name(NR_CAUSES), "?");
	KUNIT_EXPECT_LT(test, NR_CAUSES, 256);
}

static void cause_clause__names_an_rfc(struct kunit *test)
{
	for (unsigned int c = 1; c < NR_CAUSES; c++) {
		KUNIT_ASSERT_NOT_NULL(test, cause_clause(c));
		KUNIT_EXPECT_EQ(test, strncmp(cause_clause(c), "RFC ", 4), 0);
	}
	KUNIT_EXPECT_STREQ(test, cause_clause(NR_CAUSES), "?");
}

static void event_format__columns_of_header(struct kunit *test)
{
	char header[EVENT_LINE_MAX], line[EVENT_LINE_MAX];
	struct event ev = largest();

	for (unsigned int k = 0; k < NR_EVENT_KINDS; k++) {
		ev.kind = k;
		ev.old = ST_CLOSED;
		ev.new = ST_LISTEN;
		event_header(header, sizeof(header));
		event_format(line, sizeof(line), &ev, "l", "r", 1);
		KUNIT_EXPECT_EQ(test, count(line, '\t'), count(header, '\t'));
		KUNIT_EXPECT_EQ(test, count(line, '\n'), 1);
		KUNIT_EXPECT_EQ(test, count(header, '\n'), 1);
	}
}

/* EVENT_LINE_MAX is enough for all kinds, causes and values. */
static void event_format__largest_fits(struct kunit *test)
{
	char line[EVENT_LINE_MAX];
	struct event ev = largest();

	for (unsigned int c = 0; c < NR_CAUSES; c++) {
		int n;

		ev.cause = c;
		n = event_format(line, sizeof(line), &ev, longest_endpoint,
				 longest_endpoint, U32_MAX);
		KUNIT_EXPECT_LT(test, n, EVENT_LINE_MAX - 1);
		KUNIT_EXPECT_EQ(test, n, strlen(line));
		KUNIT_EXPECT_EQ(test, line[n - 1], '\n');
	}
	KUNIT_EXPECT_LT(test, event_header(line, sizeof(line)),
			EVENT_LINE_MAX - 1);
}

static void event_format__short_buffer(struct kunit *test)
{
	struct event ev = largest();
	char line[40];

	for (unsigned int size = 1; size <= sizeof(line); size++) {
		int n = event_format(line, size, &ev, "l", "r", 1);

		KUNIT_EXPECT_EQ(test, n, size - 1);
		KUNIT_EXPECT_EQ(test, line[n], '\0');
	}
}

static void event_format__line(struct kunit *test)
{
	const struct event ev = {
		.time = 12 * SECOND + 34,
		.conn = 5,
		.kind = EV_SEND,
		.cause = BY_DATA,
		.state = ST_ESTABLISHED,
		.flags = FLAG_ACK | FLAG_PSH,
		.seq = 1,
		.ack = 2,
		.len = 3,
		.wnd = 4,
		.old = 6,
		.new = 7,
		.snd_una = 8,
		.snd_nxt = 9,
		.rcv_nxt = 10,
		.cwnd = 11,
		.ssthresh = 12,
		.flight = 13,
		.snd_wnd = 14,
		.rcv_wnd = 15,
		.srtt = 16,
		.rttvar = 17,
		.rto = 18,
		.unsent = 19,
		.unread = 20,
		.ooo = 22,
		.mss = 23,
	};
	static const char wanted[] =
		"12.000034\t5\t10.0.0.1:80\t10.0.0.2:99\tsend\tdata\t"
		"RFC 9293 3.10.2\tESTABLISHED\tPA\t1\t2\t3\t4\t6\t7\t"
		"8\t9\t10\t11\t12\t13\t14\t15\t16\t17\t18\t19\t20\t21\t22\t23\n";
	char line[EVENT_LINE_MAX];

	event_format(line, sizeof(line), &ev, "10.0.0.1:80", "10.0.0.2:99", 21);
	KUNIT_EXPECT_STREQ(test, line, wanted);
}

/* A change of state shows names where others show numbers. */
static void event_format__state(struct kunit *test)
{
	const struct event ev = {
		.kind = EV_STATE,
		.cause = BY_RCVD_FIN,
		.old = ST_ESTABLISHED,
		.new = ST_CLOSE_WAIT,
		.state = ST_CLOSE_WAIT,
	};
	char line[EVENT_LINE_MAX];

	event_format(line, sizeof(line), &ev, "l", "r", 1);
	KUNIT_EXPECT_NOT_NULL(test,
			      strstr(line, "\tESTABLISHED\tCLOSE_WAIT\t0\t"));
}

static const struct flags_param {
	const char *name;
	u8 flags;
} flag_sets[] = {
	{ ".", 0 },
	{ "F", FLAG_FIN },
	{ "SA", FLAG_SYN | FLAG_ACK },
	{ "RA", FLAG_RST | FLAG_ACK },
	{ "FPA", FLAG_FIN | FLAG_PSH | FLAG_ACK },
	{ "AU", FLAG_URG | FLAG_ACK },
	{ "FSRPAUEC", 0xff },
};

NAMED_PARAMS(flags_param, flag_sets);

static void event_format__flags(struct kunit *test)
{
	const struct flags_param *p = test->param_value;
	const struct event ev = { .kind = EV_RECV, .flags = p->flags };
	char line[EVENT_LINE_MAX], wanted[16];

	event_format(line, sizeof(line), &ev, "l", "r", 1);
	scnprintf(wanted, sizeof(wanted), "\t%s\t0\t", p->name);
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, wanted));
}

static struct kunit_case event_cases[] = {
	KUNIT_CASE(event_kind_name__complete),
	KUNIT_CASE(cause_name__complete),
	KUNIT_CASE(cause_clause__names_an_rfc),
	KUNIT_CASE(event_format__columns_of_header),
	KUNIT_CASE(event_format__largest_fits),
	KUNIT_CASE(event_format__short_buffer),
	KUNIT_CASE(event_format__line),
	KUNIT_CASE(event_format__state),
	KUNIT_CASE_PARAM(event_format__flags, flag_sets_row_gen_params),
	{}
};

static struct kunit_suite chalk_event = {
	.name = "chalk_event",
	.test_cases = event_cases,
};

kunit_test_suite(chalk_event);
