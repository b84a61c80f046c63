/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fuzz.h - what the fuzzers share
 */
#ifndef CHALK_SELFTESTS_FUZZ_H
#define CHALK_SELFTESTS_FUZZ_H

#include "../../../kmod/core/types.h"

/* What must hold; the fuzzer keeps the input that breaks it. */
#define CHECK(cond)                                                     \
	do {                                                            \
		if (cond)                                               \
			break;                                          \
		fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, \
			__LINE__, #cond);                               \
		abort();                                                \
	} while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#endif /* CHALK_SELFTESTS_FUZZ_H */
