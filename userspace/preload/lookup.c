// SPDX-License-Identifier: GPL-2.0
/*
 * lookup.c - the calls of this library for those who look them up by name
 *
 * A program may not call socket() but ask dlsym() for it: in the C library, as
 * ctypes of Python and other foreign function interfaces do. It gets ours in
 * the place of the C library's. What dlmopen() loads lives in a world with a C
 * library of its own, which nobody overrides; that is said.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>

#include "preload.h"

/* Also where all else is built without optimisation. */
#ifdef __clang__
#define JUMPS
#else
#define JUMPS __attribute__((optimize("O2")))
#endif

static void *(*next_dlsym)(void *handle, const char *name);
static void *(*next_dlmopen)(Lmid_t ns, const char *file, int mode);
static void *libc;

/* Since glibc 2.34 it is in the C library itself, before that in libdl. */
static void *find(const char *name)
{
	static const char *const versions[] = { "GLIBC_2.34", "GLIBC_2.2.5",
						"GLIBC_2.17", "GLIBC_2.3.4" };
	unsigned int i;
	void *found = NULL;

	for (i = 0; !found && i < sizeof(versions) / sizeof(versions[0]); i++)
		found = dlvsym(RTLD_NEXT, name, versions[i]);
	return found;
}

__attribute__((constructor(101))) static void start(void)
{
	if (!next_dlsym)
		next_dlsym = find("dlsym");
	if (!next_dlmopen)
		next_dlmopen = find("dlmopen");
	if (!libc)
		libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
}

/* Ours, if what somebody has found is the C library's. */
static void *ours_for(const char *name, void *found)
{
	void *ours = our_call(name);

	if (!ours || !found)
		return found;
	if (found == next_dlsym(RTLD_NEXT, name) ||
	    (libc && found == next_dlsym(libc, name)))
		return ours;
	return found;
}

/**
 * next_symbol() - the function that a call would have reached without us
 * @name: of the call
 */
void *next_symbol(const char *name)
{
	start();
	return next_dlsym(RTLD_NEXT, name);
}

/*
 * The two pseudo handles ask who calls, by the return address. The compiler
 * makes a jump of such a call, which keeps it.
 */
EXPORT JUMPS void *dlsym(void *handle, const char *name)
{
	start();
	if (handle == RTLD_NEXT || handle == RTLD_DEFAULT)
		return next_dlsym(handle, name);
	return ours_for(name, next_dlsym(handle, name));
}

EXPORT JUMPS void *dlmopen(Lmid_t ns, const char *file, int mode)
{
	static bool said;

	start();
	if (ns != LM_ID_BASE &&
	    !__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
		say("%s is loaded by dlmopen(): its sockets are TCP and UDP",
		    file ? file : "the program");
	return next_dlmopen(ns, file, mode);
}
