/* SPDX-License-Identifier: GPL-2.0 */
/*
 * isn.h - initial sequence numbers (RFC 6528, RFC 9293 section 3.4.1)
 */
#ifndef CHALK_CORE_ISN_H
#define CHALK_CORE_ISN_H

#include "types.h"

/**
 * isn() - ISN = M + F(localip, localport, remoteip, remoteport, secretkey)
 * @hash: F, from a keyed hash function of the habitat (siphash in the kernel)
 * @now:  microseconds; M ticks every 4 of them
 */
static inline u32 isn(u32 hash, u64 now)
{
	return hash + (u32)(now / 4);
}

#endif /* CHALK_CORE_ISN_H */
