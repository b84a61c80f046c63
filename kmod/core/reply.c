// SPDX-License-Identifier: GPL-2.0
/*
 * reply.c - the RST for a segment that belongs nowhere
 */
#include "reply.h"

bool reply_reset(const struct seg *in, struct seg *out)
{
	if (in->flags & FLAG_RST)
		return false;
	memset(out, 0, sizeof(*out));
	out->sport = in->dport;
	out->dport = in->sport;
	out->flags = FLAG_RST;
	out->cause = BY_RESET;
	if (in->flags & FLAG_ACK) {
		out->seq = in->ack;
	} else {
		out->flags |= FLAG_ACK;
		out->ack = seg_end(in);
	}
	return true;
}
