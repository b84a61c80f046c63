/* SPDX-License-Identifier: GPL-2.0 */
/*
 * test.h - as much of the kernel's <kunit/test.h> as the tests of the core use
 *
 * The same test sources then run in userspace, in milliseconds and under the
 * compiler's sanitizers. EXPECT notes a failure and goes on; ASSERT leaves the
 * case. Values are compared and shown as long long: what the core counts with
 * fits, and NEVER stays unequal to every deadline.
 *
 * main.c runs what kunit_test_suite() has registered.
 */
#ifndef CHALK_SELFTESTS_KUNIT_TEST_H
#define CHALK_SELFTESTS_KUNIT_TEST_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KUNIT_PARAM_DESC_SIZE 128

enum kunit_status {
	KUNIT_SUCCESS,
	KUNIT_FAILURE,
};

/**
 * struct kunit - a case that runs
 * @priv:        the suite's own
 * @param_value: the parameter, in a parameterised case
 * @status:      whether all expectations held so far
 * @out:         where a failed assertion goes
 * @memory:      what kunit_kzalloc() gave, freed after the case
 */
struct kunit {
	void *priv;
	const void *param_value;
	enum kunit_status status;
	jmp_buf out;
	struct kunit_memory *memory;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
	const void *(*generate_params)(const void *prev, char *desc);
};

struct kunit_suite {
	const char *name;
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(test_name)                             \
	{                                                 \
		.run_case = test_name, .name = #test_name \
	}
#define KUNIT_CASE_PARAM(test_name, gen_params)            \
	{                                                  \
		.run_case = test_name, .name = #test_name, \
		.generate_params = gen_params,             \
	}

#define KUNIT_ARRAY_PARAM(name, array, get_desc)                           \
	static const void *name##_gen_params(const void *prev, char *desc) \
	{                                                                  \
		typeof(&(array)[0]) next_ = prev ? prev : (array);         \
                                                                           \
		if (prev)                                                  \
			next_++;                                           \
		if (next_ >= (array) + sizeof(array) / sizeof((array)[0])) \
			return NULL;                                       \
		get_desc(next_, desc);                                     \
		return next_;                                              \
	}

void shim_register(struct kunit_suite *suite);
void *shim_zalloc(struct kunit *test, size_t size);
void shim_fail(struct kunit *test, const char *file, int line,
	       const char *format, ...)
	__attribute__((__format__(__printf__, 4, 5)));

#define kunit_test_suite(suite)                                         \
	static void __attribute__((__constructor__)) suite##_init(void) \
	{                                                               \
		shim_register(&(suite));                                \
	}                                                               \
	_Static_assert(1, "takes the semicolon")

#define GFP_KERNEL 0
/* One CPU. */
#define DEFINE_PER_CPU(type, name) type name
#define for_each_possible_cpu(cpu) for ((cpu) = 0; (cpu) < 1; (cpu)++)
#define per_cpu_ptr(pointer, cpu) ((void)(cpu), (pointer))
#define kunit_kzalloc(test, size, gfp) shim_zalloc(test, size)
#define MODULE_LICENSE(text) _Static_assert(1, text)
#define MODULE_DESCRIPTION(text) _Static_assert(1, text)
#define MODULE_PARM_DESC(name, text) _Static_assert(1, text)
/* main.c sets it. */
#define module_param(name, type, perm) _Static_assert(1, #name)

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr)-offsetof(type, member)))

/* Copies at most @size - 1 characters; the kernel's also says how many. */
#define strscpy(dst, src, size) ((void)snprintf(dst, size, "%s", src))

#define shim_compare(test, left, op, right, leave)                            \
	do {                                                                  \
		long long left_ = (long long)(left);                          \
		long long right_ = (long long)(right);                        \
                                                                              \
		if (left_ op right_)                                          \
			break;                                                \
		shim_fail(test, __FILE__, __LINE__,                           \
			  "%s " #op " %s, but they are %lld and %lld", #left, \
			  #right, left_, right_);                             \
		leave;                                                        \
	} while (0)

#define shim_holds(test, condition, text, leave)                 \
	do {                                                     \
		if (condition)                                   \
			break;                                   \
		shim_fail(test, __FILE__, __LINE__, "%s", text); \
		leave;                                           \
	} while (0)

/* What follows a failure: EXPECT goes on, ASSERT leaves the case. */
#define shim_go_on() ((void)0)
#define shim_leave(test) longjmp((test)->out, 1)

#define KUNIT_EXPECT_EQ(test, l, r) shim_compare(test, l, ==, r, shim_go_on())
#define KUNIT_EXPECT_NE(test, l, r) shim_compare(test, l, !=, r, shim_go_on())
#define KUNIT_EXPECT_LT(test, l, r) shim_compare(test, l, <, r, shim_go_on())
#define KUNIT_EXPECT_LE(test, l, r) shim_compare(test, l, <=, r, shim_go_on())
#define KUNIT_EXPECT_GT(test, l, r) shim_compare(test, l, >, r, shim_go_on())
#define KUNIT_EXPECT_GE(test, l, r) shim_compare(test, l, >=, r, shim_go_on())
#define KUNIT_EXPECT_TRUE(test, c) shim_holds(test, c, #c, shim_go_on())
#define KUNIT_EXPECT_FALSE(test, c) \
	shim_holds(test, !(c), "not " #c, shim_go_on())
#define KUNIT_EXPECT_STREQ(test, l, r) \
	shim_holds(test, !strcmp(l, r), #l " is " #r, shim_go_on())
#define KUNIT_EXPECT_STRNEQ(test, l, r) \
	shim_holds(test, strcmp(l, r), #l " is not " #r, shim_go_on())
#define KUNIT_EXPECT_PTR_EQ(test, l, r) \
	shim_holds(test, (l) == (r), #l " == " #r, shim_go_on())
#define KUNIT_EXPECT_NULL(test, p) \
	shim_holds(test, !(p), #p " is NULL", shim_go_on())
#define KUNIT_EXPECT_NOT_NULL(test, p) \
	shim_holds(test, p, #p " is set", shim_go_on())

#define KUNIT_ASSERT_EQ(test, l, r) \
	shim_compare(test, l, ==, r, shim_leave(test))
#define KUNIT_ASSERT_LE(test, l, r) \
	shim_compare(test, l, <=, r, shim_leave(test))
#define KUNIT_ASSERT_LT(test, l, r) \
	shim_compare(test, l, <, r, shim_leave(test))
#define KUNIT_ASSERT_TRUE(test, c) shim_holds(test, c, #c, shim_leave(test))
#define KUNIT_ASSERT_NOT_NULL(test, p) \
	shim_holds(test, p, #p " is set", shim_leave(test))

#endif /* CHALK_SELFTESTS_KUNIT_TEST_H */
