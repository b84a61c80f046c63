// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - run the suites of kmod/tests in userspace
 *
 *	core-tests [PART-OF-A-NAME]
 *
 * All cases run once for each of the initial sequence numbers below. One line
 * "ok" or "not ok" for each ("suite.case", the parameter, and the number where it
 * is not the first), then "N passed, N failed". Exit status 1 if one failed or
 * none ran.
 */
#include <stdarg.h>

#include <kunit/test.h>

struct kunit_memory {
	struct kunit_memory *next;
	_Alignas(max_align_t) char bytes[];
};

#define MOST_SUITES 64

/* The parameter of the tests' module, and what the module is loaded with. */
extern unsigned int iss;
static const unsigned int isses[] = { 1000, 0x7ffffff0, 0xfffffff0 };

static struct kunit_suite *suites[MOST_SUITES];
static int nr_suites;
static int passed, failed;

void shim_register(struct kunit_suite *suite)
{
	if (nr_suites == MOST_SUITES)
		abort();
	suites[nr_suites++] = suite;
}

void *shim_zalloc(struct kunit *test, size_t size)
{
	struct kunit_memory *m = calloc(1, sizeof(*m) + size);

	if (!m)
		return NULL;
	m->next = test->memory;
	test->memory = m;
	return m->bytes;
}

static void free_memory(struct kunit *test)
{
	while (test->memory) {
		struct kunit_memory *m = test->memory;

		test->memory = m->next;
		free(m);
	}
}

void shim_fail(struct kunit *test, const char *file, int line,
	       const char *format, ...)
{
	va_list ap;

	test->status = KUNIT_FAILURE;
	printf("# %s:%d: expected ", file, line);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
}

/* One case with one parameter, or with none. */
static void run(const struct kunit_suite *suite, const struct kunit_case *c,
		const void *param, const char *desc)
{
	struct kunit test = { .param_value = param };

	if (!setjmp(test.out))
		c->run_case(&test);
	free_memory(&test);
	printf("%sok - %s.%s%s%s", test.status ? "not " : "", suite->name,
	       c->name, *desc ? ": " : "", desc);
	if (iss != isses[0])
		printf(" (ISS %#x)", iss);
	putchar('\n');
	if (test.status)
		failed++;
	else
		passed++;
}

static void run_params(const struct kunit_suite *suite,
		       const struct kunit_case *c)
{
	char desc[KUNIT_PARAM_DESC_SIZE] = "";
	const void *param = NULL;

	while ((param = c->generate_params(param, desc)))
		run(suite, c, param, desc);
}

static void run_suite(const struct kunit_suite *suite, const char *wanted)
{
	char name[256];

	for (const struct kunit_case *c = suite->test_cases; c->name; c++) {
		snprintf(name, sizeof(name), "%s.%s", suite->name, c->name);
		if (!strstr(name, wanted))
			continue;
		if (c->generate_params)
			run_params(suite, c);
		else
			run(suite, c, NULL, "");
	}
}

int main(int argc, char **argv)
{
	for (size_t k = 0; k < sizeof(isses) / sizeof(isses[0]); k++) {
		iss = isses[k];
		for (int i = 0; i < nr_suites; i++)
			run_suite(suites[i], argc > 1 ? argv[1] : "");
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed || !passed;
}
