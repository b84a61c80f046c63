// SPDX-License-Identifier: GPL-2.0
/*
 * cc_tahoe.c - Tahoe: slow start, congestion avoidance and fast retransmit
 * (RFC 2001, sections 1 to 3), but no fast recovery
 *
 * What Reno is compared with, and of the time before HyStart++: its slow start ends
 * where something is lost. The third duplicate ACK saves the wait for the
 * timeout and nothing else: cwnd goes to one segment, and slow start sends again
 * from the lost one on, as far as no ACK tells that more has arrived.
 */
#include "cc_reno.h"
#include "conn.h"

static void tahoe_loss(struct conn *c, u64 now)
{
	cc_set_ssthresh(c, cc_reno_half_flight(c), BY_THIRD_DUPACK, now);
	cc_set(c, c->smss, BY_THIRD_DUPACK, now);
	c->cc.acked = 0;
}

const struct cc_ops cc_tahoe = {
	.name = "tahoe",
	.goes_back = true,
	.on_init = cc_reno_init,
	.on_ack = cc_reno_ack,
	.on_loss = tahoe_loss,
	.on_rto = cc_reno_rto,
	.on_idle = cc_reno_idle,
};
