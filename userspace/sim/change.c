// SPDX-License-Identifier: GPL-2.0
/*
 * change.c - options that a user changes on a living connection
 *
 * RFC 9293 section 3.9.1. The rules are told before the core is.
 */
#include "change.h"
#include "check_options.h"
#include "host.h"
#include "sock.h"

static struct rng *dice(const struct sock *sk)
{
	return &sk->host->w->app_rng;
}

static bool toss(const struct sock *sk)
{
	return rng_below(dice(sk), 2);
}

static void change_nodelay(struct sock *sk, u64 now)
{
	bool on = toss(sk);

	check_nodelay(sk, on);
	conn_set_nodelay(&sk->c, on);
}

static void change_cork(struct sock *sk, u64 now)
{
	bool on = toss(sk);

	check_cork(sk, on);
	conn_set_cork(&sk->c, on);
}

static void change_keepalive(struct sock *sk, u64 now)
{
	bool on = toss(sk);

	check_keepalive(sk, on);
	conn_set_keepalive(&sk->c, on, now);
}

static void change_keep_idle(struct sock *sk, u64 now)
{
	u64 idle = rng_range(dice(sk), 1, 2 * sk->host->cfg->keep_idle);

	check_keep_idle(sk, idle);
	conn_set_keep_idle(&sk->c, idle, now);
}

static void change_quickack(struct sock *sk, u64 now)
{
	bool on = toss(sk);

	check_quickack(sk, on);
	conn_set_quickack(&sk->c, on, toss(sk));
}

/* None, some segments, or a part of one. */
static u32 draw_clamp(struct sock *sk)
{
	u32 mtu = sk->host->cfg->mtu;

	if (toss(sk))
		return 0;
	return rng_below(dice(sk), 4) ? rng_range(dice(sk), 2 * mtu, 40 * mtu) :
					rng_range(dice(sk), mtu / 8, mtu);
}

static void change_clamp(struct sock *sk, u64 now)
{
	u32 clamp = draw_clamp(sk);

	check_clamp(sk, clamp);
	conn_set_window_clamp(&sk->c, clamp, now);
}

static void change_cc(struct sock *sk, u64 now)
{
	static const struct cc_ops *const all[] = {
		&cc_newreno,
		&cc_reno,
		&cc_tahoe,
	};
	const struct cc_ops *cc = all[rng_below(dice(sk), ARRAY_SIZE(all))];

	check_cc(sk, cc);
	conn_set_cc(&sk->c, cc, now);
}

void change_option(struct sock *sk, u64 now)
{
	static void (*const changes[NR_CHANGES])(struct sock *, u64) = {
		[CHANGE_NODELAY] = change_nodelay,
		[CHANGE_CORK] = change_cork,
		[CHANGE_KEEPALIVE] = change_keepalive,
		[CHANGE_KEEP_IDLE] = change_keep_idle,
		[CHANGE_QUICKACK] = change_quickack,
		[CHANGE_CLAMP] = change_clamp,
		[CHANGE_CC] = change_cc,
	};
	u32 may = sk->host->cfg->changes;
	u32 which;

	do {
		which = rng_below(dice(sk), NR_CHANGES);
	} while (!(may & BIT(which)));
	changes[which](sk, now);
}
