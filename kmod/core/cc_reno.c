// SPDX-License-Identifier: GPL-2.0
/*
 * cc_reno.c - Reno (RFC 5681) and NewReno (RFC 6582), growing by the bytes that are
 * acknowledged (RFC 3465)
 *
 * Slow start doubles cwnd every round trip, congestion avoidance adds one
 * segment to it; a loss that duplicate ACKs tell of halves it, a timeout takes
 * it back to one segment.
 *
 * The two differ in how a recovery ends: Reno's with the first ACK of something new,
 * so that each further loss in the window costs another recovery, or a timeout where
 * too little is in flight for three duplicate ACKs. NewReno's lasts until all is
 * acknowledged that was in flight at its beginning.
 */
#include "cc_reno.h"
#include "conn.h"
#include "hystart.h"
#include "params.h"

/* RFC 5681, equation 4; cc_set_ssthresh() sees to the floor of two segments. */
u32 cc_reno_half_flight(const struct conn *c)
{
	return (conn_flight(c) - c->limited) / 2;
}

/* RFC 5681 section 3.1: one segment where a SYN or SYN+ACK was lost. */
void cc_reno_init(struct conn *c, bool lost, u64 now)
{
	c->cc.valid_at = now;
	cc_set_ssthresh(c, SSTHRESH_INITIAL, BY_INIT_SSTHRESH, now);
	if (lost)
		cc_set(c, c->smss, BY_SYN_LOST, now);
	else
		cc_set(c, conn_initial_window(c), BY_INIT_WINDOW, now);
}

/*
 * Who does more than Tahoe minds the round trip, too, where the namespace wants it
 * (RFC 9406).
 */
static void reno_init(struct conn *c, bool lost, u64 now)
{
	cc_reno_init(c, lost, now);
	hystart_begin(c, c->env->tun.hystart);
}

/*
 * RFC 3465 section 2.3: L is 1 while the data of before a timeout is being sent
 * again, since one ACK may then cover much that had arrived long ago. RFC 7661
 * section 4.4: of what grows at least half is used. RFC 9406 section 4.2: a quarter
 * of it where a queue seems to fill.
 */
static void slow_start(struct conn *c, u32 bytes, u64 now)
{
	bool careful = hystart_is_careful(c);
	u32 limit = seq_le(c->snd_una, c->recover) ? 1 : ABC_LIMIT;
	u32 step = min_t(u32, bytes, limit * c->smss);
	u32 grown = c->cc.cwnd + (careful ? step / CSS_GROWTH_DIVISOR : step);
	u32 most = max_t(u32, cc_validated(&c->cc), c->cc.cwnd);

	most = min_t(u32, most, c->cc.ssthresh);
	cc_set(c, min_t(u32, grown, most), careful ? BY_CSS : BY_SLOW_START,
	       now);
	hystart_ack(c, now);
}

/*
 * RFC 3465 section 2.1: one segment more for each cwnd of acknowledged bytes. That is
 * for a window that was full: RFC 7661 section 4.4 would let one grow of which half
 * was used, as slow start does.
 */
static void congestion_avoidance(struct conn *c, u32 bytes, u64 now)
{
	if (!cc_was_limited(&c->cc, c->smss))
		return;
	c->cc.acked += bytes;
	if (c->cc.acked < c->cc.cwnd)
		return;
	c->cc.acked -= c->cc.cwnd;
	cc_set(c, c->cc.cwnd + c->smss, BY_CONG_AVOID, now);
}

void cc_reno_ack(struct conn *c, u32 bytes, u64 now)
{
	if (cc_in_slow_start(&c->cc))
		slow_start(c, bytes, now);
	else
		congestion_avoidance(c, bytes, now);
	cc_validate(c, now);
}

/*
 * RFC 5681, equation 4. RFC 7661 section 4.4.1: where cwnd is not validated the flight
 * of this moment may be small by chance: what has lately been acknowledged counts, too.
 */
static u32 after_loss(struct conn *c)
{
	u32 flight = conn_flight(c) - c->limited;

	c->cc.loss_used = 0;
	if (!cc_is_validated(&c->cc))
		c->cc.loss_used = max_t(u32, c->cc.pipe_ack, flight);
	return (c->cc.loss_used ?: flight) / 2;
}

/* The data that a recovery sends again now. */
static u32 lost_data(const struct conn *c)
{
	u32 end = seq_min(c->snd_nxt, c->write_seq);

	return seq_lt(c->snd_una, end) ? min_t(u32, end - c->snd_una, c->smss) :
					 0;
}

/* RFC 5681 section 3.2, steps 2 and 3 */
static void reno_loss(struct conn *c, u64 now)
{
	cc_set_ssthresh(c, after_loss(c), BY_THIRD_DUPACK, now);
	c->cc.resent = lost_data(c);
	cc_set(c, c->cc.ssthresh + DUPACK_THRESHOLD * c->smss, BY_THIRD_DUPACK,
	       now);
	c->cc.acked = 0;
}

/* RFC 5681 section 3.2, step 4: a segment has left the network. */
static void reno_dupack(struct conn *c, u64 now)
{
	cc_set(c, c->cc.cwnd + c->smss, BY_DUPACK_INFLATE, now);
}

/*
 * RFC 7661 section 4.4.1: what was lost is what the path could not hold, and cwnd had
 * not been shown to fit: half of what is left.
 */
static void take_off_losses(struct conn *c, u64 now)
{
	u32 used = c->cc.loss_used;
	u32 left = used > c->cc.resent ? used - c->cc.resent : 0;

	if (used)
		cc_set_ssthresh(c, min_t(u32, c->cc.ssthresh, left / 2),
				BY_NOT_VALIDATED, now);
}

/*
 * RFC 5681 section 3.2, step 6: the window is deflated. It may be less than ssthresh
 * where the recovery was NewReno's until a moment ago.
 */
static void reno_recovered(struct conn *c, u64 now)
{
	take_off_losses(c, now);
	cc_set(c, min_t(u32, c->cc.cwnd, c->cc.ssthresh), BY_DEFLATION, now);
}

/* RFC 6582 section 3.2, step 3, partial acknowledgments: deflate */
static void newreno_partial(struct conn *c, u32 bytes, u64 now)
{
	u32 cwnd = c->cc.cwnd > bytes ? c->cc.cwnd - bytes : 0;

	if (bytes >= c->smss)
		cwnd += c->smss;
	cc_set(c, cwnd, BY_PARTIAL_ACK, now);
	c->cc.resent += lost_data(c);
}

/* RFC 6582 section 3.2, step 3, full acknowledgments, option 1: no burst */
static void newreno_recovered(struct conn *c, u64 now)
{
	u32 cwnd = max_t(u32, conn_flight(c), c->smss) + c->smss;

	take_off_losses(c, now);
	cc_set(c, min_t(u32, c->cc.ssthresh, cwnd), BY_RECOVERY_DONE, now);
}

/*
 * RFC 5681, equation 4 is an upper bound. A recovery has let new data into the flight
 * for what has left the network: half of that may be more than ssthresh. The loss of
 * what was sent again is another sign of congestion, and ssthresh is to be lowered
 * twice (section 4.3). After a partial ACK it may be one of many that were lost at
 * once, which the timer did not wait for.
 */
static u32 after_timeout(const struct conn *c)
{
	u32 half = cc_reno_half_flight(c);

	if (!c->recovering)
		return half;
	return min_t(u32, half,
		     c->partial_seen ? c->cc.ssthresh : c->cc.ssthresh / 2);
}

/*
 * RFC 5681 section 3.1: ssthresh stays where it is when the same data times out
 * again.
 */
void cc_reno_rto(struct conn *c, bool again, u64 now)
{
	if (!again)
		cc_set_ssthresh(c, after_timeout(c), BY_RTO_EXPIRED, now);
	cc_set(c, c->smss, BY_RTO_EXPIRED, now);
	c->cc.acked = 0;
}

/*
 * RFC 5681 section 4.1: RW = min(IW, cwnd). Rounds of before say nothing of the slow
 * start that follows, which may have HyStart++ again (RFC 9406 section 4.3).
 */
void cc_reno_idle(struct conn *c, u64 now)
{
	hystart_begin(c, c->cc.hystart.on);
	c->cc.valid_at = now;
	cc_set(c, min_t(u32, conn_initial_window(c), c->cc.cwnd),
	       BY_IDLE_RESTART, now);
}

const struct cc_ops cc_reno = {
	.name = "reno",
	.on_init = reno_init,
	.on_ack = cc_reno_ack,
	.on_loss = reno_loss,
	.on_dupack = reno_dupack,
	.on_recovered = reno_recovered,
	.on_rto = cc_reno_rto,
	.on_idle = cc_reno_idle,
};

const struct cc_ops cc_newreno = {
	.name = "newreno",
	.on_init = reno_init,
	.on_ack = cc_reno_ack,
	.on_loss = reno_loss,
	.on_dupack = reno_dupack,
	.on_partial = newreno_partial,
	.on_recovered = newreno_recovered,
	.on_rto = cc_reno_rto,
	.on_idle = cc_reno_idle,
};
