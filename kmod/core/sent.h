/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sent.h - the scoreboard: what is in the network, and what became of it
 *
 * A sorted ring of runs that cover [SND.UNA, SND.NXT) without a hole. A run is
 * what went out at one time and has had one fate: all that one conn_poll()
 * gives is one run, however many packets that makes. A run is cut only where an
 * ACK, a SACK block or a resend ends inside it; neighbours that are alike
 * become one again.
 *
 *	SND.UNA                                              SND.NXT
 *	[ lost, out ) [   sacked   ) [ lost ) [ sacked ) [ in flight )
 *
 * What each byte counts for in pipe (RFC 6675 section 4, SetPipe):
 *
 *	in flight		1
 *	sacked			0
 *	lost			0, it waits to go out again
 *	lost, out		1, the resend
 *	out			2, what a probe sent again though it is not lost
 *
 * The core never allocates: a few runs are kept here, an array for more is lent
 * by the habitat. Where there is no room for another run two neighbours of one
 * fate become one. Where there are no such two the scoreboard knows less, and
 * errs late. Pipe is then too large, never too small:
 * - a SACK block or a loss that covers part of a run leaves that part alone;
 * - a resend of a part takes the run as sent again whole;
 * - new data widen the last run, which is then neither sacked nor lost.
 * Without SACK there always are: what is lost is either the first of all or all
 * that follows. Then all counts are exact, even without an array.
 *
 * A run that stands for two or was not sent whole is SENT_VAGUE. It has the
 * later of its times, so that RACK (RFC 8985) takes it for lost later than it
 * could. Its delivery tells no time: with the later one RACK would take too much
 * for older than it, and the round trip would seem too short.
 *
 * Sequence numbers lie less than 2^31 apart (RFC 9293 section 3.4), as windows
 * do.
 */
#ifndef CHALK_CORE_SENT_H
#define CHALK_CORE_SENT_H

#include "reasm.h"
#include "types.h"

/* Runs that need no array. This and all sizes of it are powers of two. */
#define SENT_FEW 4

/* Most runs of one connection. */
#define SENT_MAX 1024

/* What is known of a run. */
enum sent_flag {
	SENT_SACKED = 0x01, /* the peer has it; no other flag stands beside */
	SENT_LOST = 0x02, /* held for lost */
	SENT_OUT = 0x04, /* sent again, and that is in the network */
	SENT_VAGUE = 0x08, /* @at and @sends are bounds, not facts */
	SENT_COUNTED = 0x10, /* was sacked once: delivered already */
};

/**
 * struct sent_run - bytes sent together
 * @start: the first
 * @end:   behind the last
 * @at:    when they last went out, microseconds
 * @sends: how often they have; 255 is that or more. More than once may be too
 *         many where room was short
 * @flags: enum sent_flag
 */
struct sent_run {
	u32 start;
	u32 end;
	u64 at;
	u8 sends;
	u8 flags;
};

/**
 * struct sent - the scoreboard; zeroed memory is an empty one
 * @r:      the array, or NULL: @few is used
 * @head:   place of the first run in it
 * @n:      runs in use
 * @cap:    how many @r has room for
 * @bytes: in all runs
 * @sacked: bytes that are
 * @lost:   bytes that are, sent again or not
 * @out:    bytes whose resend is in the network
 * @high_sacked: behind the highest byte that is sacked, where one is
 * @waiting: bytes that are lost and wait to go out again
 * @lost_from: the first of them, where there are any
 * @resent: from here on nothing has been sent twice: runs are in order of time
 * @few:    the first runs
 */
struct sent {
	struct sent_run *r;
	u16 head;
	u16 n;
	u16 cap;
	u32 bytes;
	u32 sacked;
	u32 lost;
	u32 out;
	u32 waiting;
	u32 high_sacked;
	u32 lost_from;
	u32 resent;
	struct sent_run few[SENT_FEW];
};

/**
 * struct sent_mark - one transmission
 * @at:    when
 * @end:   behind its last byte
 * @sends: the how manieth it was of these bytes; 0: there is none
 */
struct sent_mark {
	u64 at;
	u32 end;
	u8 sends;
};

/**
 * struct sent_news - what an ACK says; zeroed before the first call
 * @acked:     bytes below the new SND.UNA
 * @sacked:    bytes newly sacked
 * @delivered: bytes that nothing had said before that the peer has them
 * @once:      the newest transmission among those delivered that went out once.
 *             It may be timed (Karn, RFC 6298 section 3)
 * @again:     the newest among those sent again: the ACK may be for another of
 *             its transmissions (RFC 8985 section 6.2, step 2)
 * @vague:     there are some among those delivered of which it is not known when
 *             they went out
 * @low:       the lowest byte delivered that went out once, where @once is one:
 *             below an earlier RACK.fack it has been overtaken (RFC 8985
 *             section 6.2, step 3)
 */
struct sent_news {
	u32 acked;
	u32 sacked;
	u32 delivered;
	u32 low;
	struct sent_mark once;
	struct sent_mark again;
	bool vague;
};

/**
 * sent_push() - new data go out
 * @t:     the scoreboard
 * @start: SND.NXT
 * @end:   the new one
 * @now:   microseconds
 */
void sent_push(struct sent *t, u32 start, u32 end, u64 now);

/**
 * sent_resend() - a range goes out again
 * @t:   the scoreboard
 * @s:   the range, in [SND.UNA, SND.NXT)
 * @now: microseconds
 *
 * Bytes in it that are sacked stay so. What is not lost may go, too: a tail
 * loss probe (RFC 8985 section 7.3) or a rescue (RFC 6675 section 4, NextSeg
 * (4)).
 */
void sent_resend(struct sent *t, const struct seq_range *s, u64 now);

/**
 * sent_ack() - all below a sequence number has arrived
 * @t:    the scoreboard
 * @una:  the new SND.UNA, at most SND.NXT
 * @news: added to
 */
void sent_ack(struct sent *t, u32 una, struct sent_news *news);

/**
 * sent_sack() - a block of a SACK option
 * @t:    the scoreboard, after sent_ack() for the same segment
 * @b:    the block; the caller has told that it is no D-SACK (RFC 2883)
 * @news: added to
 *
 * Return: false, and nothing has changed, if no peer can mean it.
 */
bool sent_sack(struct sent *t, const struct seq_range *b,
	       struct sent_news *news);

/**
 * sent_lose() - a range is lost, unless it was already
 * @t: the scoreboard
 * @s: the range; what of it is not outstanding is left out
 *
 * What has gone out again since it was lost stays out.
 *
 * Return: bytes newly lost.
 */
u32 sent_lose(struct sent *t, const struct seq_range *s);

/**
 * sent_lose_all() - nothing that is not sacked will arrive any more
 * @t: the scoreboard
 *
 * After a timeout (RFC 5681 section 3.1, RFC 6675 section 5.1), or where the
 * packets were too large for the path (RFC 1191 section 6.5). Resends are lost
 * like all others.
 *
 * Return: bytes newly lost.
 */
u32 sent_lose_all(struct sent *t);

/**
 * sent_lose_older() - lose what was sent before something that has arrived
 * @t:      the scoreboard
 * @newest: what has arrived, RACK.xmit_ts and RACK.end_seq
 * @before: only what was sent then or earlier is lost: now - RACK.rtt - reo_wnd
 * @next:   set to when the newest was sent that is older than @newest and not
 *          yet lost; NEVER if there is none
 *
 * RFC 8985 section 6.2, step 5; resends are lost like all others. One walk in
 * order of sequence is enough: only what was sent again is out of the order of
 * time, so the walk ends at the first run behind all of it that is not older
 * than @newest. Without losses that is the first run there is. With losses it
 * looks at each run at most once, of which there are SENT_MAX.
 *
 * Return: bytes newly lost.
 */
u32 sent_lose_older(struct sent *t, const struct sent_mark *newest, u64 before,
		    u64 *next);

/**
 * sent_unlose_all() - nothing is lost: it was a mistake
 * @t: the scoreboard
 *
 * What was sent again meanwhile is in the network twice (RFC 5682, RFC 3708).
 */
void sent_unlose_all(struct sent *t);

/**
 * sent_forget_sacked() - take no SACK for granted
 * @t: the scoreboard
 *
 * The peer may have dropped what it had sacked (RFC 2018 section 8), which a
 * timeout may be a sign of (section 5; RFC 6675 section 5.1 keeps it even
 * then). It is in flight, as if it had never been sacked; sent_lose_all() makes
 * it go again.
 */
void sent_forget_sacked(struct sent *t);

/**
 * sent_reneged() - whether the peer wants what it has sacked
 * @t: the scoreboard, after sent_ack()
 *
 * RFC 2018 section 8: it acknowledges up to a byte that it is to have. The
 * segment that says so may have been overtaken.
 */
bool sent_reneged(const struct sent *t);

/**
 * sent_next_lost() - what is to go out again first
 * @t:   the scoreboard
 * @max: most bytes
 * @s:   filled in; sent_resend() it
 *
 * RFC 6675 section 4, NextSeg (1).
 *
 * Return: false if nothing is.
 */
bool sent_next_lost(const struct sent *t, u32 max, struct seq_range *s);

/* Bytes in the network: RFC 6675 section 4, SetPipe. */
static inline u32 sent_pipe(const struct sent *t)
{
	return t->bytes - t->sacked - t->lost + t->out;
}

/**
 * sent_sacked_above() - how much is sacked at and above a sequence number
 * @t:    the scoreboard
 * @seq:  it
 * @runs: set to the number of sequences that do not touch
 *
 * Return: bytes.
 */
u32 sent_sacked_above(const struct sent *t, u32 seq, u32 *runs);

/**
 * sent_loss_edge() - up to where what is not sacked is lost
 * @t:     the scoreboard
 * @runs:  DupThresh
 * @bytes: (DupThresh - 1) * SMSS
 * @edge:  filled in
 *
 * RFC 6675 section 4, IsLost(): @runs sequences that do not touch are sacked
 * above it, or more than @bytes bytes. What holds for one byte holds for all
 * below, so the answer is a border; sent_lose() takes it.
 *
 * Return: false if it holds for none.
 */
bool sent_loss_edge(const struct sent *t, u32 runs, u32 bytes, u32 *edge);

/**
 * sent_nth() - a run, to read
 * @t: the scoreboard
 * @i: which in order of sequence, below @t->n
 *
 * The first tells when the byte at SND.UNA last went out.
 */
const struct sent_run *sent_nth(const struct sent *t, u16 i);

/**
 * sent_room_wanted() - how many runs the array should have room for
 * @t:    the scoreboard
 * @need: runs that what comes next may add: 1 for sent_push(), 2 for each block
 *        of sent_sack() and for sent_resend() and sent_lose()
 *
 * Return: a new capacity to give with sent_give_room(), or 0: it has room, or
 * has the most it may have.
 */
u16 sent_room_wanted(const struct sent *t, u16 need);

/**
 * sent_give_room() - hand over a larger array
 * @t:   the scoreboard
 * @mem: room for @cap runs, owned by the caller
 * @cap: as asked for
 *
 * Return: the array used before (the caller frees it), or NULL.
 */
struct sent_run *sent_give_room(struct sent *t, struct sent_run *mem, u16 cap);

#endif /* CHALK_CORE_SENT_H */
