// SPDX-License-Identifier: GPL-2.0
/*
 * batch.c - many scenarios, in several processes
 *
 * A broken invariant inside the core aborts, and a loop without end never
 * returns: both end the scenario, not the batch.
 */
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"
#include "scenario.h"

/* Seconds of CPU that no scenario should take. */
#define LONGEST_SCENARIO 30

struct tally {
	u32 passed, failed;
};

static sigjmp_buf escape;

static void on_signal(int sig)
{
	siglongjmp(escape, sig);
}

static void catch_signals(void)
{
	static const int signals[] = { SIGABRT, SIGSEGV, SIGFPE, SIGVTALRM };
	struct sigaction sa = { .sa_handler = on_signal };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &sa, NULL);
}

/* A clock that a busy machine does not move. */
static void set_alarm(u32 seconds)
{
	struct itimerval it = { .it_value.tv_sec = seconds };

	setitimer(ITIMER_VIRTUAL, &it, NULL);
}

static void report_failure(u64 seed, const char *reason)
{
	printf("FAIL seed %llu: %s\n     chalk sim --replay %llu --trace -\n",
	       (unsigned long long)seed, reason, (unsigned long long)seed);
	fflush(stdout);
}

static bool run_seed(u64 seed)
{
	static struct run r;
	struct sim_config cfg;
	bool ok;
	int sig;

	scenario_derive(&cfg, seed);
	sig = sigsetjmp(escape, 1);
	if (sig) {
		report_failure(seed, sig == SIGVTALRM ? "it never ends" :
							strsignal(sig));
		return false;
	}
	set_alarm(LONGEST_SCENARIO);
	run_init(&r, &cfg, NULL);
	ok = run_go(&r);
	set_alarm(0);
	if (!ok)
		report_failure(seed, r.w.failure);
	run_destroy(&r);
	return ok;
}

static struct tally run_share(u64 first, u32 n, u32 jobs, u32 job)
{
	struct tally t = { 0, 0 };
	u32 i;

	catch_signals();
	for (i = job; i < n; i += jobs) {
		if (run_seed(first + i))
			t.passed++;
		else
			t.failed++;
	}
	return t;
}

static void work(int fd, u64 first, u32 n, u32 jobs, u32 job)
{
	struct tally t = run_share(first, n, jobs, job);

	if (write(fd, &t, sizeof(t)) != sizeof(t))
		_exit(1);
	_exit(0);
}

/* Return: false if the workers could not be started. */
static bool run_jobs(u64 first, u32 n, u32 jobs, struct tally *sum)
{
	struct tally t;
	int fds[2];
	u32 job;

	if (pipe(fds))
		return false;
	for (job = 0; job < jobs; job++) {
		pid_t pid = fork();

		if (pid < 0)
			return false;
		if (!pid)
			work(fds[1], first, n, jobs, job);
	}
	close(fds[1]);
	while (read(fds[0], &t, sizeof(t)) == sizeof(t)) {
		sum->passed += t.passed;
		sum->failed += t.failed;
	}
	close(fds[0]);
	while (wait(NULL) > 0)
		;
	return true;
}

bool scenario_batch(u64 first, u32 n, u32 jobs)
{
	struct tally sum = { 0, 0 };

	fflush(stdout);
	if (jobs == 1) {
		sum = run_share(first, n, 1, 0);
	} else if (!run_jobs(first, n, jobs, &sum)) {
		perror("chalk-sim: fork");
		return false;
	}
	/* a worker that died takes its share with it */
	sum.failed = n - sum.passed;
	printf("%u passed, %u failed\n", sum.passed, sum.failed);
	return !sum.failed;
}
