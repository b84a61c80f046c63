// SPDX-License-Identifier: GPL-2.0
/*
 * core_shim.c - what the core takes from the kernel and the C library lacks
 */
#include <stdarg.h>

#include "types.h"

int chalk_scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!size)
		return 0;
	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n < (int)size ? n : (int)size - 1;
}
