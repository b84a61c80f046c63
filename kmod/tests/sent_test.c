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
	{ "lose of nothing",	"",	  LOSE,   0, 9, "",	    0, 0 },
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

/* --- what an ACK tells --- */

static void expect_mark(struct kunit *test, const struct sent_mark *m, u64 at,
			u32 end, u8 sends)
{
	KUNIT_EXPECT_EQ(test, m->at, at);
	KUNIT_EXPECT_EQ(test, m->end, end);
	KUNIT_EXPECT_EQ(test, m->sends, sends);
}

/* RFC 8985 section 6.2, step 2: the newest by time, then by sequence */
static void sent_news__newest(struct kunit *test)
{
	struct board *b = new_board(test);
	struct sent_news news = {};

	draw(b, "ol.o....", 1000);
	sent_push(&b->t, 1080, 1100, LATER);
	sent_ack(&b->t, 1055, &news);
	KUNIT_EXPECT_EQ(test, news.low, 1010);
	expect_mark(test, &news.once, FIRST, 1055, 1);
	expect_mark(test, &news.again, AGAIN, 1040, 2);
	/* sacked in the same segment, and sent after all of that */
	sent_sack(&b->t, &(struct seq_range){ 1070, 1090 }, &news);
	expect_mark(test, &news.once, LATER, 1090, 1);
	expect_mark(test, &news.again, AGAIN, 1040, 2);
	KUNIT_EXPECT_EQ(test, news.acked, 55);
	KUNIT_EXPECT_EQ(test, news.sacked, 20);
	KUNIT_EXPECT_EQ(test, news.delivered, 75);
	KUNIT_EXPECT_EQ(test, news.low, 1010);
}

/* What is below tells where one overtook the other (step 3). */
static void sent_news__lowest(struct kunit *test)
{
	struct board *b = new_board(test);
	struct sent_news news = {};

	draw(b, ".....", 1000);
	sent_sack(&b->t, &(struct seq_range){ 1040, 1050 }, &news);
	sent_sack(&b->t, &(struct seq_range){ 1020, 1030 }, &news);
	KUNIT_EXPECT_EQ(test, news.low, 1020);
	expect_mark(test, &news.once, FIRST, 1050, 1);
	KUNIT_EXPECT_EQ(test, b->t.high_sacked, 1050);
}

/* Delivered is delivered: what was sacked and forgotten does not count twice. */
static void sent_news__forgotten(struct kunit *test)
{
	struct board *b = new_board(test);
	struct sent_news news = {};

	draw(b, ".ss.", 1000);
	sent_forget_sacked(&b->t);
	KUNIT_EXPECT_EQ(test, sent_pipe(&b->t), 40);
	sent_ack(&b->t, 1040, &news);
	KUNIT_EXPECT_EQ(test, news.acked, 40);
	KUNIT_EXPECT_EQ(test, news.delivered, 20);
	expect_mark(test, &news.once, FIRST, 1040, 1);
	/* and when it arrived is not known */
	memset(&news, 0, sizeof(news));
	draw(b, "ss", 1000);
	sent_forget_sacked(&b->t);
	sent_ack(&b->t, 1020, &news);
	expect_mark(test, &news.once, 0, 0, 0);
}

/* Of two times that are forgotten the later stays: RACK errs late. */
static void sent_forget_sacked__later(struct kunit *test)
{
	struct board *b = new_board(test);
	struct sent_news news = {};

	draw(b, "..", 1000);
	sent_push(&b->t, 1020, 1040, LATER);
	sent_sack(&b->t, &(struct seq_range){ 1010, 1040 }, &news);
	KUNIT_ASSERT_EQ(test, b->t.n, 2);
	sent_forget_sacked(&b->t);
	KUNIT_EXPECT_EQ(test, sent_nth(&b->t, 1)->at, LATER);
	KUNIT_EXPECT_EQ(test, sent_nth(&b->t, 0)->at, FIRST);
}

/* What was the highest long ago does not seem to lie ahead. */
static void sent_sack__round_the_circle(struct kunit *test)
{
	struct sent_news news = {};
	const u32 far = 1u << 29;
	struct sent t = {};

	for (u32 i = 0, at = 1000; i < 24; i++, at += far) {
		struct seq_range s = { at + far - 10, at + far - 5 };

		sent_push(&t, at, at + far, i);
		if (i % 6 == 0) {
			KUNIT_EXPECT_TRUE(test, sent_sack(&t, &s, &news));
			KUNIT_EXPECT_EQ(test, t.high_sacked, s.end);
		}
		sent_ack(&t, at + far - 1, &news);
		KUNIT_EXPECT_EQ(test, t.sacked, 0);
	}
}

/* RFC 2018 section 8 */
static void sent_reneged__table(struct kunit *test)
{
	struct board *b = new_board(test);

	draw(b, ".s", 1000);
	KUNIT_EXPECT_FALSE(test, sent_reneged(&b->t));
	draw(b, "s.", 1000);
	KUNIT_EXPECT_TRUE(test, sent_reneged(&b->t));
	draw(b, "", 1000);
	KUNIT_EXPECT_FALSE(test, sent_reneged(&b->t));
}

static void sent_resend__counts_to_255(struct kunit *test)
{
	struct board *b = new_board(test);

	draw(b, "l", 1000);
	for (u32 i = 0; i < 300; i++)
		sent_resend(&b->t, &(struct seq_range){ 1000, 1010 }, AGAIN);
	KUNIT_EXPECT_EQ(test, sent_nth(&b->t, 0)->sends, 255);
}

/* --- what goes again --- */

static const struct next_param {
	const char *name;
	const char *drawing;
	u32 max;
	bool any;
	u32 start, end;
} nexts[] = {
	{ "nothing lost", ".s.", 100, false, 0, 0 },
	{ "all out again", "os.", 100, false, 0, 0 },
	{ "empty", "", 100, false, 0, 0 },
	{ "the first", "lllll", 10, true, 0, 10 },
	{ "as many as there are", "ll.", 100, true, 0, 20 },
	{ "not a whole run", "ll.", 15, true, 0, 15 },
	{ "behind what is out", "ool", 100, true, 20, 30 },
	{ "behind sacked", "osl.l", 100, true, 20, 30 },
	{ "not over sacked", ".lsl", 100, true, 10, 20 },
};

NAMED_PARAMS(next_param, nexts);

static void sent_next_lost__table(struct kunit *test)
{
	const struct next_param *p = test->param_value;
	struct board *b = new_board(test);
	struct seq_range s;

	for (u32 base = -100; base != 10; base += 5) {
		draw(b, p->drawing, base);
		KUNIT_ASSERT_EQ(test, sent_next_lost(&b->t, p->max, &s),
				p->any);
		if (!p->any)
			continue;
		KUNIT_EXPECT_EQ(test, s.start - base, p->start);
		KUNIT_EXPECT_EQ(test, s.end - base, p->end);
	}
}

/* Runs of different times make one segment. */
static void sent_next_lost__over_a_border(struct kunit *test)
{
	struct board *b = new_board(test);
	struct seq_range s;

	draw(b, "ll", 1000);
	sent_push(&b->t, 1020, 1040, LATER);
	sent_lose_all(&b->t);
	KUNIT_EXPECT_EQ(test, b->t.n, 2);
	KUNIT_ASSERT_TRUE(test, sent_next_lost(&b->t, 35, &s));
	KUNIT_EXPECT_EQ(test, s.start, 1000);
	KUNIT_EXPECT_EQ(test, s.end, 1035);
}

/* --- RFC 6675 section 4, IsLost() with DupThresh 3 and SMSS of two letters --- */

static const struct edge_param {
	const char *name;
	const char *drawing;
	bool any;
	u32 edge;
} edges[] = {
	{ "nothing sacked", "......", false, 0 },
	{ "two sequences", ".s.s..", false, 0 },
	{ "three", ".s.s.s", true, 10 },
	{ "four: the third from above", ".s.s.s.s", true, 30 },
	{ "as many bytes", "..ssss", false, 0 },
	{ "more bytes", ".sssss", true, 10 },
	{ "more bytes in two", ".sss.ss..", true, 10 },
	{ "in the upper of two", ".s.sssss", true, 30 },
};

NAMED_PARAMS(edge_param, edges);

static void sent_loss_edge__table(struct kunit *test)
{
	const struct edge_param *p = test->param_value;
	struct board *b = new_board(test);
	u32 edge;

	for (u32 base = -100; base != 10; base += 5) {
		draw(b, p->drawing, base);
		KUNIT_ASSERT_EQ(test,
				sent_loss_edge(&b->t, 3, 2 * 2 * UNIT, &edge),
				p->any);
		if (p->any)
			KUNIT_EXPECT_EQ(test, edge - base, p->edge);
	}
}

/* --- RFC 8985 section 6.2, step 5 --- */

/* All of a poll went out at one time: what is behind the newest is not older. */
static void sent_lose_older__by_sequence(struct kunit *test)
{
	struct sent_mark newest = { .at = FIRST, .end = 1030, .sends = 1 };
	struct board *b = new_board(test);
	u64 next;

	draw(b, "..s..", 1000);
	KUNIT_EXPECT_EQ(test, sent_lose_older(&b->t, &newest, FIRST, &next),
			20);
	KUNIT_EXPECT_EQ(test, next, NEVER);
	expect_drawing(test, b, "lls..");
	/* and not a second time */
	KUNIT_EXPECT_EQ(test, sent_lose_older(&b->t, &newest, FIRST, &next), 0);
}

/* Within the reordering window it only waits. */
static void sent_lose_older__waits(struct kunit *test)
{
	struct sent_mark newest = { .at = FIRST, .end = 1030, .sends = 1 };
	struct board *b = new_board(test);
	u64 next;

	draw(b, ".ls..", 1000);
	KUNIT_EXPECT_EQ(test, sent_lose_older(&b->t, &newest, FIRST - 1, &next),
			0);
	KUNIT_EXPECT_EQ(test, next, FIRST);
	expect_drawing(test, b, ".ls..");
}

/* A resend counts by its own time, and is lost again by that. */
static void sent_lose_older__resend(struct kunit *test)
{
	struct sent_mark first = { .at = FIRST, .end = 1040, .sends = 1 };
	struct sent_mark later = { .at = LATER, .end = 1060, .sends = 1 };
	struct board *b = new_board(test);
	u64 next;

	draw(b, "o.l.", 1000);
	sent_push(&b->t, 1040, 1060, LATER);
	KUNIT_EXPECT_EQ(test, sent_lose_older(&b->t, &first, FIRST, &next), 10);
	expect_drawing(test, b, "oll...");
	KUNIT_EXPECT_EQ(test, next, NEVER);
	KUNIT_EXPECT_EQ(test, sent_lose_older(&b->t, &later, FIRST, &next), 10);
	expect_drawing(test, b, "olll..");
	KUNIT_EXPECT_EQ(test, next, AGAIN);
	KUNIT_EXPECT_EQ(test, sent_lose_older(&b->t, &later, AGAIN, &next), 10);
	expect_drawing(test, b, "llll..");
}

/* --- room --- */

static void sent_room_wanted__doubles(struct kunit *test)
{
	struct sent t = {};

	KUNIT_EXPECT_EQ(test, sent_room_wanted(&t, SENT_FEW), 0);
	KUNIT_EXPECT_EQ(test, sent_room_wanted(&t, SENT_FEW + 1), 8);
	KUNIT_EXPECT_EQ(test, sent_room_wanted(&t, 33), 64);
	KUNIT_EXPECT_EQ(test, sent_room_wanted(&t, 2000), SENT_MAX);
	t.r = t.few;
	t.cap = SENT_MAX;
	t.n = SENT_MAX;
	KUNIT_EXPECT_EQ(test, sent_room_wanted(&t, 1), 0);
}

/* A ring that does not begin at the array's start keeps its order. */
static void sent_give_room__keeps_runs(struct kunit *test)
{
	struct sent_news news = {};
	struct sent_run eight[8], sixteen[16];
	struct sent t = {};

	for (u32 i = 0; i < 6; i++) {
		sent_push(&t, i * 10, i * 10 + 10, i);
		if (i < 2)
			sent_ack(&t, i * 10 + 10, &news);
	}
	KUNIT_EXPECT_EQ(test, t.n, 4);
	KUNIT_EXPECT_NULL(test, sent_give_room(&t, eight, 8));
	for (u32 i = 6; i < 8; i++)
		sent_push(&t, i * 10, i * 10 + 10, i);
	KUNIT_EXPECT_PTR_EQ(test, sent_give_room(&t, sixteen, 16), &eight[0]);
	KUNIT_ASSERT_EQ(test, t.n, 6);
	for (u32 i = 0; i < 6; i++) {
		KUNIT_EXPECT_EQ(test, sent_nth(&t, i)->start, i * 10 + 20);
		KUNIT_EXPECT_EQ(test, sent_nth(&t, i)->at, i + 2);
	}
}

/* Four runs without an array, [0,10) to [30,40), sent at 1 to 4. */
static void fill(struct sent *t)
{
	memset(t, 0, sizeof(*t));
	for (u32 i = 0; i < SENT_FEW; i++)
		sent_push(t, i * 10, i * 10 + 10, i + 1);
}

/* The two before the new one become one, which tells no time any more. */
static void sent_push__full(struct kunit *test)
{
	struct sent_news news = {};
	struct sent t;

	fill(&t);
	sent_push(&t, 40, 60, 9);
	KUNIT_EXPECT_EQ(test, t.n, SENT_FEW);
	KUNIT_EXPECT_EQ(test, sent_nth(&t, 2)->end, 40);
	KUNIT_EXPECT_EQ(test, sent_nth(&t, 2)->at, 4);
	KUNIT_EXPECT_EQ(test, sent_nth(&t, 3)->at, 9);
	KUNIT_EXPECT_EQ(test, sent_pipe(&t), 60);
	sent_ack(&t, 40, &news);
	KUNIT_EXPECT_EQ(test, news.delivered, 40);
	expect_mark(test, &news.once, 2, 20, 1);
}

/* Those whose fate differs stay two. */
static void sent_push__full_of_fates(struct kunit *test)
{
	struct sent t;

	fill(&t);
	sent_lose(&t, &(struct seq_range){ 0, 20 });
	sent_resend(&t, &(struct seq_range){ 0, 10 }, 5);
	sent_push(&t, 40, 50, 9);
	KUNIT_EXPECT_EQ(test, t.n, SENT_FEW);
	KUNIT_EXPECT_EQ(test, sent_nth(&t, 2)->end, 40);
	KUNIT_EXPECT_EQ(test, t.waiting, 10);
	sent_push(&t, 50, 60, 10);
	KUNIT_EXPECT_EQ(test, sent_nth(&t, 2)->end, 50);
	KUNIT_EXPECT_EQ(test, sent_nth(&t, 1)->end, 20);
	KUNIT_EXPECT_EQ(test, sent_pipe(&t), 50);
}

/* If it was sacked or lost it is in flight again: pipe is too large, if anything. */
static void sent_push__full_behind_sacked(struct kunit *test)
{
	struct sent_news news = {};
	struct sent t;

	fill(&t);
	sent_sack(&t, &(struct seq_range){ 10, 20 }, &news);
	sent_sack(&t, &(struct seq_range){ 30, 40 }, &news);
	KUNIT_EXPECT_EQ(test, t.high_sacked, 40);
	sent_push(&t, 40, 50, 9);
	KUNIT_EXPECT_EQ(test, t.sacked, 10);
	KUNIT_EXPECT_EQ(test, t.high_sacked, 20);
	KUNIT_EXPECT_EQ(test, sent_pipe(&t), 40);
	/* what was delivered once is not so twice */
	sent_ack(&t, 50, &news);
	KUNIT_EXPECT_EQ(test, news.delivered, 40);
}

/* Four runs, the second and the last of them sacked: no two have one fate. */
static void fill_alternating(struct sent *t)
{
	struct sent_news news = {};

	fill(t);
	sent_sack(t, &(struct seq_range){ 10, 20 }, &news);
	sent_sack(t, &(struct seq_range){ 30, 40 }, &news);
}

static void sent_push__full_behind_lost(struct kunit *test)
{
	struct sent_news news = {};
	struct sent t;

	fill(&t);
	sent_sack(&t, &(struct seq_range){ 10, 20 }, &news);
	sent_lose(&t, &(struct seq_range){ 30, 40 });
	sent_push(&t, 40, 50, 9);
	KUNIT_EXPECT_EQ(test, t.lost, 0);
	KUNIT_EXPECT_EQ(test, t.waiting, 0);
	KUNIT_EXPECT_EQ(test, sent_pipe(&t), 40);
}

/* A block that ends inside a run is believed for the whole runs in it. */
static void sent_sack__full(struct kunit *test)
{
	struct seq_range block = { 5, 30 };
	struct sent_news news = {};
	struct sent t;

	fill_alternating(&t);
	KUNIT_EXPECT_TRUE(test, sent_sack(&t, &block, &news));
	KUNIT_EXPECT_EQ(test, news.sacked, 10);
	KUNIT_EXPECT_EQ(test, t.sacked, 30);
	/* which has made room for the rest of it */
	KUNIT_EXPECT_TRUE(test, sent_sack(&t, &block, &news));
	KUNIT_EXPECT_EQ(test, t.sacked, 35);
	KUNIT_EXPECT_EQ(test, news.sacked, 15);
}

/* Room for the end of a block does not cost the border at its start. */
static void sent_sack__makes_room(struct kunit *test)
{
	struct sent_news news = {};
	struct sent t;

	fill(&t);
	KUNIT_EXPECT_TRUE(test,
			  sent_sack(&t, &(struct seq_range){ 35, 38 }, &news));
	KUNIT_EXPECT_EQ(test, t.sacked, 3);
	KUNIT_EXPECT_EQ(test, t.n, SENT_FEW);
	KUNIT_EXPECT_EQ(test, sent_nth(&t, 1)->start, 10);
	KUNIT_EXPECT_EQ(test, sent_nth(&t, 2)->start, 35);
}

/* What is sacked is not cut: the one run there is room for is for the rest. */
static void sent_sack__one_left(struct kunit *test)
{
	struct sent_news news = {};
	struct sent t = {};

	for (u32 i = 0; i < 3; i++)
		sent_push(&t, i * 10, i * 10 + 10, i);
	sent_sack(&t, &(struct seq_range){ 10, 20 }, &news);
	sent_sack(&t, &(struct seq_range){ 15, 25 }, &news);
	KUNIT_EXPECT_EQ(test, t.sacked, 15);
}

static void sent_lose__full(struct kunit *test)
{
	struct sent t;

	fill_alternating(&t);
	KUNIT_EXPECT_EQ(test, sent_lose(&t, &(struct seq_range){ 5, 30 }), 10);
	KUNIT_EXPECT_EQ(test, sent_pipe(&t), 10);
}

/* The rest of a run waits as if it were out, else it went again at once. */
static void sent_resend__full(struct kunit *test)
{
	struct sent_news news = {};
	struct seq_range s;
	struct sent t;

	fill_alternating(&t);
	sent_lose(&t, &(struct seq_range){ 0, 10 });
	sent_resend(&t, &(struct seq_range){ 0, 5 }, 9);
	KUNIT_EXPECT_FALSE(test, sent_next_lost(&t, 100, &s));
	KUNIT_EXPECT_EQ(test, sent_pipe(&t), 20);
	sent_ack(&t, 5, &news);
	expect_mark(test, &news.again, 0, 0, 0);
	/* sent again whole it is known again */
	sent_lose_all(&t);
	sent_resend(&t, &(struct seq_range){ 5, 10 }, 10);
	sent_ack(&t, 10, &news);
	expect_mark(test, &news.again, 10, 10, 3);
}

/* --- without SACK, and without an array: @next is SND.NXT of RFC 9293 --- */

struct classic {
	struct sent t;
	u32 una, next, nxt;
	u32 state;
	u64 now;
};

static void classic_send(struct classic *o)
{
	u32 end = o->next + 1 + prng(&o->state) % 30;
	struct seq_range again = { o->next, seq_min(end, o->nxt) };

	if (o->next != o->nxt)
		sent_resend(&o->t, &again, o->now);
	if (seq_gt(end, o->nxt)) {
		sent_push(&o->t, o->nxt, end, o->now);
		o->nxt = end;
	}
	o->next = end;
}

/* What three duplicate ACKs or a partial one call for */
static void classic_resend_first(struct classic *o)
{
	u32 len = 1 + prng(&o->state) % (o->next - o->una);
	struct seq_range first = { o->una, o->una + len };

	sent_lose(&o->t, &first);
	sent_resend(&o->t, &first, o->now);
}

static void classic_step(struct classic *o)
{
	u32 which = prng(&o->state) % 16;
	struct sent_news news = {};

	o->now += prng(&o->state) % 3;
	if (o->una == o->next || which < 7) {
		classic_send(o);
	} else if (which < 11) {
		o->una += 1 + prng(&o->state) % (o->nxt - o->una);
		o->next = seq_max(o->next, o->una);
		sent_ack(&o->t, o->una, &news);
	} else if (which < 15) {
		classic_resend_first(o);
	} else {
		sent_lose_all(&o->t);
		o->next = o->una;
	}
}

/* What is in flight and what goes next are exact. */
static void sent__classic_without_room(struct kunit *test)
{
	struct classic o = { .state = 2607, .una = -5000 };
	struct seq_range lost;

	o.next = o.una;
	o.nxt = o.una;
	for (u32 i = 0; i < 20000 && !test->status; i++) {
		classic_step(&o);
		KUNIT_EXPECT_EQ(test, sent_pipe(&o.t), o.next - o.una);
		KUNIT_EXPECT_EQ(test, o.t.waiting, o.nxt - o.next);
		if (!sent_next_lost(&o.t, U32_MAX, &lost))
			continue;
		KUNIT_EXPECT_EQ(test, lost.start, o.next);
		KUNIT_EXPECT_EQ(test, lost.end, o.nxt);
	}
}

/* --- against a model: what became of each byte --- */

#define SPAN 300

struct byte {
	u64 at;
	u8 sends;
	bool sacked, lost, out, counted, vague;
};

/*
 * A scoreboard, and what it should say of @b from @una to @nxt. @exact: there is
 * room for all, else it may err late. @told: bytes delivered, as it counts them;
 * @true_told: as they are.
 */
struct model {
	struct sent t;
	struct sent_run room[512];
	struct byte b[SPAN];
	bool exact;
	u32 base;
	u32 una, nxt;
	u64 now;
	u32 state;
	u32 told, true_told;
};

static u32 model_pipe(const struct byte *b)
{
	return b->sacked ? 0 : !b->lost + b->out;
}

static u32 run_pipe(const struct sent_run *r)
{
	return r->flags & SENT_SACKED ?
		       0 :
		       !(r->flags & SENT_LOST) + !!(r->flags & SENT_OUT);
}

/* With room all is as it is; without the scoreboard errs late. */
static void check_byte(struct kunit *test, const struct model *o,
		       const struct sent_run *r, const struct byte *b)
{
	if (!o->exact) {
		KUNIT_EXPECT_GE(test, run_pipe(r), model_pipe(b));
		if (!b->sacked)
			KUNIT_EXPECT_FALSE(test, r->flags & SENT_SACKED);
		if (!b->sacked)
			KUNIT_EXPECT_GE(test, r->at, b->at);
		return;
	}
	KUNIT_EXPECT_EQ(test, !!(r->flags & SENT_SACKED), b->sacked);
	KUNIT_EXPECT_EQ(test, !!(r->flags & SENT_LOST), b->lost);
	KUNIT_EXPECT_EQ(test, !!(r->flags & SENT_OUT), b->out);
	if (b->sacked)
		return;
	KUNIT_EXPECT_EQ(test, !!(r->flags & SENT_VAGUE), b->vague);
	KUNIT_EXPECT_EQ(test, r->at, b->at);
	KUNIT_EXPECT_EQ(test, r->sends, b->sends);
}

static bool alike(const struct sent_run *a, const struct sent_run *b)
{
	return a->flags == b->flags &&
	       (a->flags & SENT_SACKED ||
		(a->at == b->at && a->sends == b->sends));
}

/* Runs without a hole, no two alike side by side, all counters as counted anew. */
static void check_runs(struct kunit *test, const struct model *o)
{
	u32 sacked = 0, lost = 0, out = 0, waiting = 0, pipe = 0;
	u32 high = 0, at = o->una;

	for (u16 i = 0; i < o->t.n && !test->status; i++) {
		const struct sent_run *r = sent_nth(&o->t, i);
		u32 len = r->end - r->start;

		KUNIT_EXPECT_EQ(test, r->start - o->base, at);
		KUNIT_ASSERT_TRUE(test, len && at + len <= o->nxt);
		if (i && o->exact)
			KUNIT_EXPECT_FALSE(test,
					   alike(sent_nth(&o->t, i - 1), r));
		for (; at < r->end - o->base; at++)
			check_byte(test, o, r, &o->b[at]);
		sacked += r->flags & SENT_SACKED ? len : 0;
		lost += r->flags & SENT_LOST ? len : 0;
		out += r->flags & SENT_OUT ? len : 0;
		waiting += letter_of(r->flags) == 'l' ? len : 0;
		pipe += len * run_pipe(r);
		high = r->flags & SENT_SACKED ? at : high;
	}
	KUNIT_EXPECT_EQ(test, at, o->nxt);
	KUNIT_EXPECT_EQ(test, o->t.bytes, o->nxt - o->una);
	KUNIT_EXPECT_EQ(test, o->t.sacked, sacked);
	KUNIT_EXPECT_EQ(test, o->t.lost, lost);
	KUNIT_EXPECT_EQ(test, o->t.out, out);
	KUNIT_EXPECT_EQ(test, o->t.waiting, waiting);
	KUNIT_EXPECT_EQ(test, sent_pipe(&o->t), pipe);
	if (sacked)
		KUNIT_EXPECT_EQ(test, o->t.high_sacked - o->base, high);
}

static void check_next(struct kunit *test, struct model *o, u32 max)
{
	struct seq_range s;
	u32 at = o->una, end;

	while (at < o->nxt && (!o->b[at].lost || o->b[at].out))
		at++;
	if (!sent_next_lost(&o->t, max, &s)) {
		KUNIT_EXPECT_EQ(test, at, o->nxt);
		return;
	}
	for (end = at; end < o->nxt && end - at < max; end++)
		if (!o->b[end].lost || o->b[end].out)
			break;
	KUNIT_EXPECT_EQ(test, s.start - o->base, at);
	KUNIT_EXPECT_EQ(test, s.end - o->base, end);
}

/* IsLost() as RFC 6675 words it, byte by byte, with DupThresh 3 */
static bool model_is_lost(struct kunit *test, const struct model *o, u32 seq,
			  u32 bytes)
{
	u32 sum = 0, runs = 0, said;

	for (u32 at = seq; at < o->nxt; at++) {
		sum += o->b[at].sacked;
		runs += o->b[at].sacked && (at == seq || !o->b[at - 1].sacked);
	}
	KUNIT_EXPECT_EQ(test, sent_sacked_above(&o->t, o->base + seq, &said),
			sum);
	KUNIT_EXPECT_EQ(test, said, runs);
	return runs >= 3 || sum > bytes;
}

static void check_edge(struct kunit *test, const struct model *o, u32 bytes)
{
	u32 edge;

	if (!sent_loss_edge(&o->t, 3, bytes, &edge))
		edge = o->base + o->una;
	for (u32 at = o->una; at < o->nxt; at++)
		if (!o->b[at].sacked)
			KUNIT_EXPECT_EQ(test, model_is_lost(test, o, at, bytes),
					at < edge - o->base);
}

static void check(struct kunit *test, struct model *o)
{
	check_runs(test, o);
	KUNIT_EXPECT_LE(test, o->told, o->true_told);
	if (!o->exact)
		return;
	KUNIT_EXPECT_EQ(test, o->told, o->true_told);
	check_next(test, o, 1 + prng(&o->state) % 30);
	if (prng(&o->state) % 8 == 0)
		check_edge(test, o, prng(&o->state) % 40);
}

/* A transmission named is one there was. */
static void check_mark(struct kunit *test, const struct model *o,
		       const struct sent_mark *m)
{
	const struct byte *b;

	if (!m->sends)
		return;
	b = &o->b[m->end - 1 - o->base];
	KUNIT_EXPECT_EQ(test, m->at, b->at);
	KUNIT_EXPECT_EQ(test, m->sends > 1, b->sends > 1);
	if (o->exact)
		KUNIT_EXPECT_EQ(test, m->sends, b->sends);
}

/* Byte @at has arrived; @news of the model grows. */
static void model_deliver(struct model *o, u32 at, struct sent_news *news)
{
	struct byte *b = &o->b[at];
	struct sent_mark *m = b->sends > 1 ? &news->again : &news->once;

	if (b->sacked)
		return;
	news->delivered += !b->counted;
	if (b->vague)
		return;
	if (b->sends == 1 && !news->once.sends)
		news->low = o->base + at;
	if (b->at >= m->at)
		*m = (struct sent_mark){ b->at, o->base + at + 1, b->sends };
}

static void check_news(struct kunit *test, struct model *o,
		       const struct sent_news *told,
		       const struct sent_news *want)
{
	o->told += told->delivered;
	o->true_told += want->delivered;
	check_mark(test, o, &told->once);
	check_mark(test, o, &told->again);
	if (!o->exact)
		return;
	KUNIT_EXPECT_EQ(test, told->sacked, want->sacked);
	expect_mark(test, &told->once, want->once.at, want->once.end,
		    want->once.sends);
	if (want->once.sends)
		KUNIT_EXPECT_EQ(test, told->low, want->low);
}

static struct seq_range some(struct model *o)
{
	u32 from = o->una + prng(&o->state) % (o->nxt - o->una);
	u32 most = min_t(u32, o->nxt - from, 40);

	return (struct seq_range){ from, from + 1 + prng(&o->state) % most };
}

static struct seq_range on_circle(const struct model *o, struct seq_range s)
{
	return (struct seq_range){ o->base + s.start, o->base + s.end };
}

static void step_push(struct kunit *test, struct model *o)
{
	u32 end = o->nxt + 1 + prng(&o->state) % 30;

	end = min_t(u32, end, SPAN);

	if (end == o->nxt)
		return;
	sent_push(&o->t, o->base + o->nxt, o->base + end, o->now);
	for (; o->nxt < end; o->nxt++)
		o->b[o->nxt] = (struct byte){ .at = o->now, .sends = 1 };
}

static void step_resend(struct kunit *test, struct model *o)
{
	struct seq_range in = some(o), s = on_circle(o, in);

	if (prng(&o->state) % 2 && sent_next_lost(&o->t, 20, &s))
		in = (struct seq_range){ s.start - o->base, s.end - o->base };
	sent_resend(&o->t, &s, o->now);
	for (u32 at = in.start; at < in.end; at++) {
		struct byte *b = &o->b[at];

		/* a scoreboard without room may not know what is sacked */
		b->at = o->now;
		b->sends += b->sends < 255;
		b->out = !b->sacked;
		b->vague = false;
	}
}

static void step_ack(struct kunit *test, struct model *o)
{
	struct sent_news told = {}, want = {};
	u32 una = some(o).end;

	sent_ack(&o->t, o->base + una, &told);
	KUNIT_EXPECT_EQ(test, told.acked, una - o->una);
	for (; o->una < una; o->una++)
		model_deliver(o, o->una, &want);
	check_news(test, o, &told, &want);
}

static void step_sack(struct kunit *test, struct model *o)
{
	struct sent_news told = {}, want = {};
	struct seq_range in = some(o), s = on_circle(o, in);

	KUNIT_EXPECT_EQ(test, sent_sack(&o->t, &s, &told), in.start > o->una);
	if (in.start == o->una)
		return;
	for (u32 at = in.start; at < in.end; at++) {
		want.sacked += !o->b[at].sacked;
		model_deliver(o, at, &want);
		o->b[at].sacked = true;
		o->b[at].counted = true;
		o->b[at].lost = false;
		o->b[at].out = false;
	}
	check_news(test, o, &told, &want);
}

/* @again: a resend, too. Return: is it newly lost? */
static bool model_lose(struct byte *b, bool again)
{
	bool news = !b->sacked && (!b->lost || (again && b->out));

	if (b->sacked)
		return false;
	b->lost = true;
	if (again)
		b->out = false;
	return news;
}

static void step_lose(struct kunit *test, struct model *o)
{
	struct seq_range in = some(o), s = on_circle(o, in);
	u32 told = sent_lose(&o->t, &s), bytes = 0;

	for (u32 at = in.start; at < in.end; at++)
		bytes += model_lose(&o->b[at], false);
	if (o->exact)
		KUNIT_EXPECT_EQ(test, told, bytes);
}

static void step_lose_all(struct kunit *test, struct model *o)
{
	u32 told = sent_lose_all(&o->t), bytes = 0;

	for (u32 at = o->una; at < o->nxt; at++)
		bytes += model_lose(&o->b[at], true);
	if (o->exact)
		KUNIT_EXPECT_EQ(test, told, bytes);
}

/* Of a run its end decides, which is that of its last byte. */
static u32 model_end(const struct model *o, u32 at)
{
	u16 i = 0;

	while (seq_le(sent_nth(&o->t, i)->end, o->base + at))
		i++;
	return sent_nth(&o->t, i)->end - o->base;
}

/* What RACK would lose, before the scoreboard has. */
static u32 model_lose_older(struct model *o, u64 at, u32 end, u64 before,
			    u64 *next)
{
	u32 bytes = 0;

	*next = NEVER;
	for (u32 i = o->una; i < o->nxt; i++) {
		struct byte *b = &o->b[i];

		if (b->at > at || (b->at == at && model_end(o, i) >= end))
			continue;
		if (b->at <= before)
			bytes += model_lose(b, true);
		else if (!b->sacked && (!b->lost || b->out))
			*next = *next == NEVER ? b->at :
						 max_t(u64, *next, b->at);
	}
	return bytes;
}

static void step_lose_older(struct kunit *test, struct model *o)
{
	u32 end = some(o).end;
	u64 at = o->now - prng(&o->state) % 20;
	u64 before = at - prng(&o->state) % 10;
	struct sent_mark newest = { at, o->base + end, 1 };
	u64 next, want_next;
	u32 want = model_lose_older(o, at, end, before, &want_next);
	u32 told = sent_lose_older(&o->t, &newest, before, &next);

	if (!o->exact)
		return;
	KUNIT_EXPECT_EQ(test, told, want);
	KUNIT_EXPECT_EQ(test, next, want_next);
}

static void step_unlose(struct kunit *test, struct model *o)
{
	sent_unlose_all(&o->t);
	for (u32 at = o->una; at < o->nxt; at++)
		o->b[at].lost = false;
}

/* When what is forgotten had gone out only its run still says. */
static void step_forget(struct kunit *test, struct model *o)
{
	u16 i = 0;

	sent_forget_sacked(&o->t);
	for (u32 at = o->una; at < o->nxt; at++) {
		struct byte *b = &o->b[at];

		while (seq_le(sent_nth(&o->t, i)->end, o->base + at))
			i++;
		if (!b->sacked)
			continue;
		b->sacked = false;
		b->vague = true;
		b->at = sent_nth(&o->t, i)->at;
		b->sends = sent_nth(&o->t, i)->sends;
	}
}

static void step(struct kunit *test, struct model *o)
{
	u32 which = prng(&o->state) % 64;

	o->now += prng(&o->state) % 3;
	if (o->una == o->nxt || which < 16)
		step_push(test, o);
	else if (which < 28)
		step_resend(test, o);
	else if (which < 34)
		step_ack(test, o);
	else if (which < 48)
		step_sack(test, o);
	else if (which < 56)
		step_lose(test, o);
	else if (which < 61)
		step_lose_older(test, o);
	else if (which < 62)
		step_lose_all(test, o);
	else if (which < 63)
		step_unlose(test, o);
	else
		step_forget(test, o);
}

/* @cap: runs there is room for; 0: those without an array */
static void play(struct kunit *test, u16 cap, u32 rounds, u32 seed)
{
	struct model *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);
	u32 state = seed;

	KUNIT_ASSERT_NOT_NULL(test, o);
	for (u32 round = 0; round < rounds && !test->status; round++) {
		memset(o, 0, sizeof(*o));
		o->state = prng(&state);
		o->now = SECOND;
		/* every other time the numbers wrap in the middle */
		o->base = prng(&state);
		if (round % 2)
			o->base = -(prng(&state) % SPAN);
		if (cap)
			sent_give_room(&o->t, o->room, cap);
		o->exact = cap > SPAN;
		for (u32 i = 0; i < 200 && o->una < SPAN && !test->status;
		     i++) {
			step(test, o);
			check(test, o);
		}
	}
}

static void sent__random(struct kunit *test)
{
	play(test, 512, 400, 815);
}

static void sent__random_without_room(struct kunit *test)
{
	play(test, 0, 100, 4711);
	play(test, 8, 100, 4712);
	play(test, 32, 100, 4713);
}

static struct kunit_case sent_cases[] = {
	KUNIT_CASE_PARAM(sent__drawings, changes_row_gen_params),
	KUNIT_CASE_PARAM(sent__drawings_wrapped, changes_row_gen_params),
	KUNIT_CASE(sent_news__newest),
	KUNIT_CASE(sent_news__lowest),
	KUNIT_CASE(sent_news__forgotten),
	KUNIT_CASE(sent_forget_sacked__later),
	KUNIT_CASE(sent_sack__round_the_circle),
	KUNIT_CASE(sent_reneged__table),
	KUNIT_CASE(sent_resend__counts_to_255),
	KUNIT_CASE_PARAM(sent_next_lost__table, nexts_row_gen_params),
	KUNIT_CASE(sent_next_lost__over_a_border),
	KUNIT_CASE_PARAM(sent_loss_edge__table, edges_row_gen_params),
	KUNIT_CASE(sent_lose_older__by_sequence),
	KUNIT_CASE(sent_lose_older__waits),
	KUNIT_CASE(sent_lose_older__resend),
	KUNIT_CASE(sent_room_wanted__doubles),
	KUNIT_CASE(sent_give_room__keeps_runs),
	KUNIT_CASE(sent_push__full),
	KUNIT_CASE(sent_push__full_of_fates),
	KUNIT_CASE(sent_push__full_behind_sacked),
	KUNIT_CASE(sent_push__full_behind_lost),
	KUNIT_CASE(sent_sack__full),
	KUNIT_CASE(sent_sack__makes_room),
	KUNIT_CASE(sent_sack__one_left),
	KUNIT_CASE(sent_lose__full),
	KUNIT_CASE(sent_resend__full),
	KUNIT_CASE(sent__classic_without_room),
	KUNIT_CASE(sent__random),
	KUNIT_CASE(sent__random_without_room),
	{}
};

static struct kunit_suite chalk_sent = {
	.name = "chalk_sent",
	.test_cases = sent_cases,
};

kunit_test_suite(chalk_sent);
