/* SPDX-License-Identifier: GPL-2.0 */
/*
 * reply.h - the answer to a segment that belongs to no connection
 */
#ifndef CHALK_CORE_REPLY_H
#define CHALK_CORE_REPLY_H

#include "wire.h"

/**
 * reply_reset() - the RST that answers a segment (RFC 9293 section 3.5.2, group 1)
 * @in:  the segment
 * @out: the RST
 *
 * Return: false where none may be sent: a RST is never answered.
 */
bool reply_reset(const struct seg *in, struct seg *out);

#endif /* CHALK_CORE_REPLY_H */
