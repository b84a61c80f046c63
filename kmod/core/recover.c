// SPDX-License-Identifier: GPL-2.0
/*
 * recover.c - measuring, detecting loss, and what is sent again
 */
#include "emit.h"
#include "params.h"
#include "recover.h"
#include "timer.h"

static void take_sample(struct conn *c, u32 sample, enum cause cause, u64 now)
{
	u32 old = rtt_rto(&c->rtt);

	rtt_sample(&c->rtt, sample);
	stats_rtt(c, sample, now);
	trace_change(c, EV_RTT, cause, 0, sample, now);
	trace_rto(c, cause, old, now);
}

/*
 * RFC 7323 section 4.1: the echo tells which transmission was acknowledged. Only
 * that of what was sent since the timeout is taken. Where it was the ACK that got
 * lost, the answer to the retransmission still echoes the original (section 5.3,
 * R2 comes before R3), and the sample would have the whole timeout in it.
 */
static bool sample_from_echo(struct conn *c, const struct seg *s, u64 now)
{
	u32 ticks = timestamp(c->ts_off, now) - s->tsecr;
	u32 since = timestamp(c->ts_off, now) -
		    timestamp(c->ts_off, c->back_at);

	if (!c->ts_ok || !s->has_ts || !s->tsecr || ticks > since)
		return false;
	take_sample(c, ticks * USEC_PER_MS, BY_RTT_TSECR, now);
	return true;
}

/*
 * RFC 6298 section 3: one segment is timed at a time. Where it had to be sent
 * again its ACK says nothing (Karn), but the timestamp's echo does.
 */
static void measure(struct conn *c, const struct seg *s, u64 now)
{
	if (c->rtt_timing && seq_ge(c->snd_una, c->rtt_seq)) {
		c->rtt_timing = false;
		take_sample(c, now - c->rtt_from, BY_RTT_TIMED, now);
		stats_timing_ends(c, now);
	} else if (c->rtt.backoffs) {
		sample_from_echo(c, s, now);
	}
}

/* RFC 6298 (5.2) and (5.3) */
static void restart_timer(struct conn *c, u64 now)
{
	if (conn_flight(c))
		timer_set_rtx(c, now);
	else
		timer_stop(c, TIMER_RTX);
}

void recover_end(struct conn *c, u64 now)
{
	if (!c->recovering)
		return;
	c->recovering = false;
	c->dupacks = 0;
	c->cc.ops->on_recovered(c, now);
}

/* RFC 5681 section 3.2, step 6, and RFC 6582 section 3.2, step 3 */
static void on_ack_in_recovery(struct conn *c, u32 acked, u64 now)
{
	if (!c->cc.ops->on_partial || seq_ge(c->snd_una, c->recover)) {
		recover_end(c, now);
		restart_timer(c, now);
		return;
	}
	c->cc.ops->on_partial(c, acked, now);
	c->rtx_one = true;
	c->rtx_cause = BY_PARTIAL_ACK;
	/* the Impatient variant: only the first partial ACK restarts the timer */
	if (!c->partial_seen)
		restart_timer(c, now);
	c->partial_seen = true;
}

void recover_on_ack(struct conn *c, u32 acked, const struct seg *s, u64 now)
{
	measure(c, s, now);
	c->retries = 0;
	c->limited = 0;
	c->rtx_one = false;
	if (c->recovering) {
		on_ack_in_recovery(c, acked, now);
		return;
	}
	c->dupacks = 0;
	if (c->rtx_cause == BY_THIRD_DUPACK)
		c->rtx_cause = BY_LOSS_GO_BACK;
	if (acked)
		c->cc.ops->on_ack(c, acked, now);
	/* keep it near, so that it never seems to lie ahead */
	c->recover = seq_max(c->recover, c->snd_una - 1);
	restart_timer(c, now);
}

/*
 * RFC 6582 section 3.2, step 2: only if more than the previous recovery is
 * acknowledged; else these are echoes of what that one sent twice. One that ends with
 * the first ACK has not seen the other losses: they may begin another. What a timeout
 * sent twice echoes all the same.
 */
static void enter_recovery(struct conn *c, u64 now)
{
	if (!seq_gt(c->snd_una, c->recover))
		return;
	c->cc.ops->on_loss(c, now);
	if (c->cc.ops->goes_back) {
		recover_go_back(c, BY_THIRD_DUPACK, now);
		return;
	}
	if (c->cc.ops->on_partial)
		c->recover = c->snd_nxt;
	mib_count(c->env, MIB_RECOVERY);
	c->recovering = true;
	c->partial_seen = false;
	c->rtx_one = true;
	c->rtx_cause = BY_THIRD_DUPACK;
}

void recover_on_dupack(struct conn *c, u64 now)
{
	c->dupacks++;
	if (c->recovering)
		c->cc.ops->on_dupack(c, now);
	else if (c->dupacks == DUPACK_THRESHOLD)
		enter_recovery(c, now);
}

void recover_forget_timing(struct conn *c, u64 now)
{
	if (!c->rtt_timing)
		return;
	c->rtt_timing = false;
	trace_change(c, EV_RTT_REFUSED, BY_KARN, 0, 0, now);
}

/*
 * What had arrived is answered with duplicate ACKs when it comes again: they tell of
 * no loss (RFC 6582 section 4.1).
 */
void recover_go_back(struct conn *c, enum cause cause, u64 now)
{
	recover_forget_timing(c, now);
	recover_end(c, now);
	if (conn_flight(c))
		c->recover = c->snd_nxt;
	c->rtx_one = false;
	c->dupacks = 0;
	c->limited = 0;
	sent_lose_all(&c->sent);
	c->rtx_cause = cause;
	c->back_at = now;
}

void recover_on_rto(struct conn *c, u64 now)
{
	u32 old = rtt_rto(&c->rtt);

	if (c->recovering)
		mib_count(c->env, MIB_RECOVERY_FAIL);
	c->cc.ops->on_rto(c, c->retries > 1, now);
	/* one segment is what a recovery has left of cwnd, too */
	c->recovering = false;
	recover_go_back(c, BY_GO_BACK, now);
	rtt_backoff(&c->rtt);
	trace_rto(c, BY_BACKOFF, old, now);
}
