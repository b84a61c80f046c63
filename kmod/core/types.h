/* SPDX-License-Identifier: GPL-2.0 */
/*
 * types.h - the few words the core borrows from the place it is compiled in
 *
 * The core is built into the kernel module, into the unit tests and into the
 * simulator. This header is the only one that knows which of them it is; every
 * other file of core/ includes nothing but core/.
 */
#ifndef CHALK_CORE_TYPES_H
#define CHALK_CORE_TYPES_H

#ifdef __KERNEL__

#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/string.h>
#include <linux/types.h>

/* A broken invariant of the core itself, never something a peer can cause. */
#define CORE_WARN_ON(cond) WARN_ON_ONCE(cond)

/* Add to a counter of which each CPU has a copy. */
#define CORE_COUNT(counter, n) this_cpu_add(counter, n)

#else

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (1UL << (n))
#define U32_MAX UINT32_MAX
#define U64_MAX UINT64_MAX
#define U16_MAX UINT16_MAX
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define __percpu
#define fallthrough __attribute__((__fallthrough__))
#define scnprintf chalk_scnprintf

#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define max_t(type, a, b) ((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#define clamp_t(type, v, lo, hi) min_t(type, max_t(type, v, lo), hi)

static inline u64 div_u64_rem(u64 dividend, u32 divisor, u32 *rem)
{
	*rem = dividend % divisor;
	return dividend / divisor;
}

/* snprintf() that answers the number of characters it really wrote. */
__attribute__((__format__(__printf__, 3, 4))) int
chalk_scnprintf(char *buf, size_t size, const char *fmt, ...);

#define CORE_WARN_ON(cond)                                               \
	({                                                               \
		bool broken_ = (cond);                                   \
		if (unlikely(broken_)) {                                 \
			fprintf(stderr, "%s:%d: broken invariant: %s\n", \
				__FILE__, __LINE__, #cond);              \
			abort();                                         \
		}                                                        \
		broken_;                                                 \
	})

#define CORE_COUNT(counter, n) ((counter) += (n))

#endif /* __KERNEL__ */

/* Microseconds, on a clock that never goes back. */
#define USEC_PER_MS 1000ULL
#define USEC_PER_S 1000000ULL

/* A deadline that never comes. */
#define NEVER U64_MAX

#endif /* CHALK_CORE_TYPES_H */
