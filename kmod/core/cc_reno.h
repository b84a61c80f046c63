/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cc_reno.h - what Reno has in common with the algorithms around it
 */
#ifndef CHALK_CORE_CC_RENO_H
#define CHALK_CORE_CC_RENO_H

#include "cc.h"

/* RFC 5681, equation 4, without its floor. Return: bytes. */
u32 cc_reno_half_flight(const struct conn *c);

/* As struct cc_ops has them. */
void cc_reno_init(struct conn *c, bool lost, u64 now);
void cc_reno_ack(struct conn *c, u32 bytes, u64 now);
void cc_reno_rto(struct conn *c, bool again, u64 now);
void cc_reno_idle(struct conn *c, u64 now);

#endif /* CHALK_CORE_CC_RENO_H */
