// SPDX-License-Identifier: GPL-2.0
/*
 * sent_test.c - the scoreboard, drawn and against a model
 */
#include <kunit/test.h>

#include "../core/params.h"
#include "../core/sent.h"
#include "../core/seq.h"
#include "helper.h"

/* One letter of a drawing stands for so many bytes. */
#define UNIT 10
#define LONGEST 16
#define ROOM 16

/* When the letters of a drawing went out, and again those that did */
#define FIRST (1 * SECOND)
#define AGAIN (2 * SECOND)
#define LATER (3 * SECOND)

struct board {
	struct sent t;
	struct sent_run room[ROOM];
	u32 base;
};

/* --- drawings --- */

/*
 * Letters: '.' in flight, 's' sacked, 'l' lost, 'o' lost and out again,
 * 'p' out again though not lost.
 */
static char letter_of(u8 flags)
{
	switch (flags & ~(SENT_VAGUE | SENT_COUNTED)) {
	case 0:
		return '.';
	case SENT_SACKED:
		return 's';
	case SENT_LOST:
		return 'l';
	case SENT_LOST | SENT_OUT:
		return 'o';
	case SENT_OUT:
		return 'p';
	}
	return '?';
}

static struct seq_range units(const struct board *b, u32 from, u32 to)
{
	return (struct seq_range){ b->base + from * UNIT, b->base + to * UNIT };
}

/* Make one letter so. */
static void draw_letter(struct board *b, u32 at, char letter)
{
	struct seq_range s = units(b, at, at + 1);
	struct sent_news news = {};

	if (letter == 's')
		sent_sack(&b->t, &s, &news);
	if (letter == 'l' || letter == 'o')
		sent_lose(&b->t, &s);
	if (letter == 'o' || letter == 'p')
		sent_resend(&b->t, &s, AGAIN);
}

/* A letter in front, soon acknowledged, lets the first of a drawing be sacked. */
static void draw(struct board *b, const char *drawing, u32 base)
{
	u32 len = strlen(drawing);
	struct sent_news news = {};

	memset(b, 0, sizeof(*b));
	b->base = base;
	sent_give_room(&b->t, b->room, ROOM);
	sent_push(&b->t, base - UNIT, base + len * UNIT, FIRST);
	for (u32 i = 0; i < len; i++)
		draw_letter(b, i, drawing[i]);
	sent_ack(&b->t, base, &news);
}

static void expect_drawing(struct kunit *test, const struct board *b,
			   const char *drawing)
{
	char seen[LONGEST + 1] = "";
	u32 len = 0;

	for (u16 i = 0; i < b->t.n; i++) {
		const struct sent_run *r = sent_nth(&b->t, i);
		u32 n = (r->end - r->start) / UNIT;

		KUNIT_ASSERT_LE(test, len + n, (u32)LONGEST);
		memset(seen + len, letter_of(r->flags), n);
		len += n;
	}
	KUNIT_EXPECT_STREQ(test, seen, drawing);
}

/* What each letter counts for (RFC 6675 section 4, SetPipe). */
static u32 pipe_of(const char *drawing)
{
	u32 pipe = 0;

	for (; *drawing; drawing++) {
		if (*drawing == '.' || *drawing == 'o')
			pipe += UNIT;
		if (*drawing == 'p')
			pipe += 2 * UNIT;
	}
	return pipe;
}

enum op {
	PUSH,
	RESEND,
	ACK,
	SACK,
	REFUSED_SACK,
	LOSE,
	LOSE_ALL,
	UNLOSE,
	FORGET,
};

/*
 * One call. @from and @to are places in the drawing, of an ACK @to alone. @said is
 * what it returns or tells: bytes newly lost or newly sacked, in letters; of an
 * ACK those delivered that had not been sacked.
 */
static const struct change_param {
	const char *name;
	const char *before;
	enum op op;
	u32 from, to;
	const char *after;
	u32 runs, said;
} changes[] = {
	/* clang-format off */
	{ "first push",		"",	  PUSH,   0, 4, "....",	    1, 0 },
	{ "push later",		"....",	  PUSH,   4, 6, "......",   2, 0 },
	{ "push behind sacked",	"...s",	  PUSH,   4, 6, "...s..",   3, 0 },
	{ "push behind lost",	"...l",	  PUSH,   4, 6, "...l..",   3, 0 },

	{ "resend lost",	"ll..",	  RESEND, 0, 1, "ol..",	    3, 0 },
	{ "resend in the middle", "llll", RESEND, 1, 2, "loll",	    3, 0 },
	{ "resend the last",	"....",	  RESEND, 3, 4, "...p",	    2, 0 },
	{ "resend over sacked",	"lsl.",	  RESEND, 0, 3, "oso.",	    4, 0 },
	{ "resend once more",	"oo..",	  RESEND, 0, 2, "oo..",	    2, 0 },
	{ "resend joins",	"ol..",	  RESEND, 0, 2, "oo..",	    3, 0 },

	{ "ack nothing",	"....",	  ACK,    0, 0, "....",	    1, 0 },
	{ "ack in a run",	"....",	  ACK,    0, 1, "...",	    1, 1 },
	{ "ack all",		"....",	  ACK,    0, 4, "",	    0, 4 },
	{ "ack to a border",	"..ss..", ACK,    0, 4, "..",	    1, 2 },
	{ "ack into sacked",	"..ss..", ACK,    0, 3, "s..",	    2, 2 },
	{ "ack over many",	"lo.sp.", ACK,    0, 5, ".",	    1, 4 },

	{ "sack the end",	"....",	  SACK,   2, 4, "..ss",	    2, 2 },
	{ "sack the middle",	"....",	  SACK,   1, 2, ".s..",	    3, 1 },
	{ "sack again",		".s..",	  SACK,   1, 2, ".s..",	    3, 0 },
	{ "sack inside sacked",	".sss",	  SACK,   2, 3, ".sss",	    2, 0 },
	{ "sack more",		".s..",	  SACK,   1, 3, ".ss.",	    3, 1 },
	{ "sack less and more",	".ss.",	  SACK,   2, 4, ".sss",	    2, 1 },
	{ "sack closes a gap",	".s.s",	  SACK,   2, 3, ".sss",	    2, 1 },
	{ "sack around",	"..s.s.", SACK,   1, 6, ".sssss",   2, 3 },
	{ "sack lost",		"ll.",	  SACK,   1, 2, "ls.",	    3, 1 },
	{ "sack out",		"ooo",	  SACK,   1, 2, "oso",	    3, 1 },
	{ "sack a probe",	"..p",	  SACK,   2, 3, "..s",	    2, 1 },
	{ "sack at SND.UNA",	"....",	  REFUSED_SACK, 0, 2, "....", 1, 0 },
	{ "sack the unsent",	"....",	  REFUSED_SACK, 2, 5, "....", 1, 0 },
	{ "sack nothing",	"....",	  REFUSED_SACK, 2, 2, "....", 1, 0 },
	{ "sack backwards",	"....",	  REFUSED_SACK, 3, 2, "....", 1, 0 },
	{ "sack the acked",	"....",	  REFUSED_SACK, -1, 2, "....", 1, 0 },
	{ "sack far away",	"....",	  REFUSED_SACK, 500, 501, "....", 1, 0 },
	{ "sack of nothing",	"",	  REFUSED_SACK, 1, 2, "",   0, 0 },

	{ "lose the first",	"..s.",	  LOSE,   0, 1, "l.s.",	    4, 1 },
	{ "lose over sacked",	"..s.",	  LOSE,   0, 4, "llsl",	    3, 3 },
	{ "lose twice",		"ll..",	  LOSE,   0, 1, "ll..",	    2, 0 },
	{ "lose what is out",	"oo..",	  LOSE,   0, 3, "ool.",	    3, 1 },
	{ "lose a probe's first", "..p.", LOSE,   2, 3, "..o.",	    3, 1 },
	{ "lose the acked",	"....",	  LOSE,   -3, 1, "l...",    2, 1 },
	{ "lose the unsent",	"....",	  LOSE,   3, 9, "...l",	    2, 1 },
	{ "lose nothing",	"....",	  LOSE,   5, 9, "....",	    1, 0 },

	{ "lose all",		"..s.ol.p", LOSE_ALL, 0, 0, "llslllll", 6, 6 },
	{ "lose all again",	"lls.",	  LOSE_ALL, 0, 0, "llsl",   3, 1 },
	{ "lose all sacked",	"sss",	  LOSE_ALL, 0, 0, "sss",    1, 0 },
	{ "unlose",		"lso.p",  UNLOSE, 0, 0, ".sp.p",    5, 0 },
	{ "unlose joins",	".l.l",	  UNLOSE, 0, 0, "....",	    1, 0 },
	{ "forget",		".sls",	  FORGET, 0, 0, "..l.",	    4, 0 },
	{ "forget nothing",	".l.",	  FORGET, 0, 0, ".l.",	    3, 0 },
	/* clang-format on */
};

NAMED_PARAMS(change_param, changes);

static u32 sack_units(struct kunit *test, struct board *b, u32 from, u32 to,
		      bool believed)
{
	struct seq_range s = units(b, from, to);
	struct sent_news news = {};

	KUNIT_EXPECT_EQ(test, sent_sack(&b->t, &s, &news), believed);
	return news.sacked;
}

static u32 ack_units(struct kunit *test, struct board *b, u32 to)
{
	struct sent_news news = {};

	sent_ack(&b->t, b->base + to * UNIT, &news);
	KUNIT_EXPECT_EQ(test, news.acked, to * UNIT);
	return news.delivered;
}

static u32 change(struct kunit *test, struct board *b,
		  const struct change_param *p)
{
	struct seq_range s = units(b, p->from, p->to);

	switch (p->op) {
	case PUSH:
		sent_push(&b->t, s.start, s.end, LATER);
		break;
	case RESEND:
		sent_resend(&b->t, &s, p->from ? LATER : AGAIN);
		break;
	case ACK:
		return ack_units(test, b, p->to);
	case SACK:
	case REFUSED_SACK:
		return sack_units(test, b, p->from, p->to, p->op == SACK);
	case LOSE:
		return sent_lose(&b->t, &s);
	case LOSE_ALL:
		return sent_lose_all(&b->t);
	case UNLOSE:
		sent_unlose_all(&b->t);
		break;
	case FORGET:
		sent_forget_sacked(&b->t);
		break;
	}
	return 0;
}

static void change_at(struct kunit *test, struct board *b,
		      const struct change_param *p, u32 base)
{
	draw(b, p->before, base);
	expect_drawing(test, b, p->before);
	KUNIT_EXPECT_EQ(test, change(test, b, p), p->said * UNIT);
	expect_drawing(test, b, p->after);
	KUNIT_EXPECT_EQ(test, b->t.n, p->runs);
	KUNIT_EXPECT_EQ(test, sent_pipe(&b->t), pipe_of(p->after));
}

static struct board *new_board(struct kunit *test)
{
	struct board *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	return b;
}

static void sent__drawings(struct kunit *test)
{
	change_at(test, new_board(test), test->param_value, 1000);
}

/* The same with the wrap of the sequence numbers at each place of the drawing */
static void sent__drawings_wrapped(struct kunit *test)
{
	struct board *b = new_board(test);

	for (u32 at = 0; at < LONGEST * UNIT; at += UNIT / 2)
		change_at(test, b, test->param_value, 0 - at);
}

static struct kunit_case sent_cases[] = {
	KUNIT_CASE_PARAM(sent__drawings, changes_row_gen_params),
	KUNIT_CASE_PARAM(sent__drawings_wrapped, changes_row_gen_params),
	{}
};

static struct kunit_suite chalk_sent = {
	.name = "chalk_sent",
	.test_cases = sent_cases,
};

kunit_test_suite(chalk_sent);
