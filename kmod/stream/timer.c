// SPDX-License-Identifier: GPL-2.0
/*
 * timer.c - the one timer of a connection, and work put off
 *
 * conn_deadline() moves with nearly every segment. sk_timer is only moved when
 * the deadline came nearer; when it fires too early it is set anew. If a
 * process owns the socket when it fires, the tick waits in @deferred for
 * chalk_release_cb().
 */
#include "sock.h"

/* usecs_to_jiffies() takes 32 bits; a longer wait goes in steps. */
#define LONGEST_WAIT (3600 * USEC_PER_S)

/**
 * chalk_jiffies_until() - how long to set a timer for
 * @deadline: microseconds
 * @now:      microseconds
 *
 * Return: jiffies, at least 1 and never too few, but for waits that go in steps.
 */
unsigned long chalk_jiffies_until(u64 deadline, u64 now)
{
	u64 wait = deadline > now ? deadline - now : 0;

	return usecs_to_jiffies(min(wait, LONGEST_WAIT)) + 1;
}

/**
 * chalk_arm_timer() - make sure that the timer fires at the deadline
 * @sk:  the socket, locked
 * @now: microseconds
 */
void chalk_arm_timer(struct sock *sk, u64 now)
{
	u64 deadline = conn_deadline(&chalk_sk(sk)->conn);
	unsigned long when;

	if (deadline == NEVER)
		return;
	when = jiffies + chalk_jiffies_until(deadline, now);
	if (!timer_pending(&sk->sk_timer) ||
	    time_before(when, sk->sk_timer.expires))
		sk_reset_timer(sk, &sk->sk_timer, when);
}

/* Of two orphans goes first that moves least, or whose way has an error. */
static u32 orphan_weight(const struct sock *sk, u64 now)
{
	return conn_orphan_weight(&chalk_sk(sk)->conn, now) +
	       !!READ_ONCE(sk->sk_err_soft);
}

/* Nothing has come back in time. Return: false if it ends the connection. */
static bool timed_out(struct sock *sk, u64 now)
{
	/* SO_TXREHASH: another way may be better */
	sk_rethink_txhash(sk);
	return !chalk_check_orphan(sk, orphan_weight(sk, now));
}

static void tick(struct sock *sk)
{
	struct conn *c = &chalk_sk(sk)->conn;
	u64 now = chalk_now();
	unsigned int wake;
	u8 retries = c->retries;

	if (!chalk_is_open(sk))
		return;
	wake = conn_tick(c, now);
	if (c->retries > retries && c->state != ST_CLOSED &&
	    !timed_out(sk, now))
		return;
	chalk_push(sk, wake);
}

/**
 * chalk_defer() - leave something to the owner of the socket
 * @sk:   the socket, owned by a process; or it is the owner who calls
 * @what: CHALK_DEFER_*
 */
void chalk_defer(struct sock *sk, int what)
{
	if (!test_and_set_bit(what, &chalk_sk(sk)->deferred))
		sock_hold(sk);
}

/**
 * chalk_timer() - sk_timer fired
 * @t: it; owns a reference to the socket
 */
void chalk_timer(struct timer_list *t)
{
	struct sock *sk = from_timer(sk, t, sk_timer);

	bh_lock_sock(sk);
	if (sock_owned_by_user(sk))
		chalk_defer(sk, CHALK_DEFER_TICK);
	else
		tick(sk);
	bh_unlock_sock(sk);
	sock_put(sk);
}

/**
 * chalk_release_cb() - the owner lets go: do what was left to it
 * @sk: the socket; its spinlock is held, softirqs are off
 */
void chalk_release_cb(struct sock *sk)
{
	struct chalk_sock *cs = chalk_sk(sk);

	if (test_and_clear_bit(CHALK_DEFER_TICK, &cs->deferred)) {
		tick(sk);
		__sock_put(sk);
	}
	if (test_and_clear_bit(CHALK_DEFER_MTU, &cs->deferred)) {
		chalk_mtu_reduced(sk);
		__sock_put(sk);
	}
	if (test_and_clear_bit(CHALK_DEFER_ICMP, &cs->deferred)) {
		chalk_icmp_told(sk);
		__sock_put(sk);
	}
	if (test_and_clear_bit(CHALK_DEFER_RECORD, &cs->deferred)) {
		chalk_leave_record(sk);
		__sock_put(sk);
	}
}
