// SPDX-License-Identifier: GPL-2.0
/*
 * cc.c - the table of algorithms, and the only writer of cwnd and ssthresh
 */
#include "cc.h"
#include "conn.h"
#include "emit.h"
#include "params.h"

static const struct cc_ops *const algorithms[] = {
	&cc_newreno,
	&cc_reno,
	&cc_tahoe,
};

const struct cc_ops *cc_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (!strcmp(algorithms[i]->name, name))
			return algorithms[i];
	return NULL;
}

const struct cc_ops *cc_at(size_t i)
{
	return i < ARRAY_SIZE(algorithms) ? algorithms[i] : NULL;
}

const char *cc_lacks(const struct cc_ops *ops)
{
	if (!ops->name)
		return "name";
	if (!ops->on_init)
		return "on_init";
	if (!ops->on_ack)
		return "on_ack";
	if (!ops->on_loss)
		return "on_loss";
	if (!ops->on_rto)
		return "on_rto";
	if (!ops->on_idle)
		return "on_idle";
	if (ops->goes_back)
		return NULL;
	if (!ops->on_dupack)
		return "on_dupack";
	return ops->on_recovered ? NULL : "on_recovered";
}

void cc_set(struct conn *c, u32 cwnd, enum cause cause, u64 now)
{
	u32 old = c->cc.cwnd;

	c->cc.cwnd = max_t(u32, cwnd, c->smss);
	/* what filled a larger one says nothing of this one */
	if (c->cc.cwnd < old) {
		c->cc.pipe_ack = 0;
		c->cc.flight = 0;
		c->cc.valid_at = now;
	}
	if (c->cc.cwnd != old)
		trace_change(c, EV_CWND, cause, old, c->cc.cwnd, now);
}

void cc_set_ssthresh(struct conn *c, u32 ssthresh, enum cause cause, u64 now)
{
	u32 old = c->cc.ssthresh;

	c->cc.ssthresh = max_t(u32, ssthresh, 2 * c->smss);
	if (c->cc.ssthresh != old)
		trace_change(c, EV_SSTHRESH, cause, old, c->cc.ssthresh, now);
}

void cc_measure_pipe(struct conn *c)
{
	u32 flight = conn_flight(c);

	/* a SYN fills nothing */
	if (!c->syn_acked)
		return;
	if (seq_ge(c->snd_una, c->cc.round)) {
		c->cc.pipe_ack = c->cc.flight;
		c->cc.flight = 0;
		c->cc.round = c->snd_una + flight;
	}
	c->cc.flight = max_t(u32, c->cc.flight, flight);
	c->cc.pipe_ack = max_t(u32, c->cc.pipe_ack, flight);
}

void cc_validate(struct conn *c, u64 now)
{
	u32 cwnd = c->cc.cwnd;

	if (cc_is_validated(&c->cc)) {
		c->cc.valid_at = now;
		return;
	}
	if (now - c->cc.valid_at <= NONVALIDATED_PERIOD)
		return;
	c->cc.valid_at = now;
	cc_set_ssthresh(c, max_t(u32, c->cc.ssthresh, cwnd - cwnd / 4),
			BY_NOT_USED, now);
	cwnd = min_t(u32, cwnd, max_t(u32, cwnd / 2, conn_initial_window(c)));
	cc_set(c, cwnd, BY_NOT_USED, now);
}

u32 cc_initial_window(u32 segments, u32 mss)
{
	/* min (10 * MSS, max (2 * MSS, 14600)), with @segments for the 10 */
	return min_t(u32, segments * mss,
		     max_t(u32, 2 * mss, segments * INIT_CWND_MSS));
}
