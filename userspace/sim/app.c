// SPDX-License-Identifier: GPL-2.0
/*
 * app.c - the user of a connection
 */
#include "change.h"
#include "host.h"
#include "session.h"
#include "sock.h"

static void app_fire(struct world *w, struct sim_timer *t)
{
	struct sock *sk = container_of(t, struct sock, app.timer);

	w->progress = w->now;
	sock_run(sk, 0);
}

void app_init(struct sock *sk)
{
	struct world *w = sk->host->w;
	enum side side = sk->host->side;
	const struct side_config *cfg = sk->host->cfg;
	struct app *a = &sk->app;

	*a = (struct app){
		.cfg = cfg,
		.out_key = sk->session->key[side],
		.in_key = sk->session->key[!side],
		.expect = w->cfg->side[!side].bytes,
		.read_at = w->now + cfg->read_delay,
		.close_at = NEVER,
		.abort_at = cfg->abort_after ? w->now + cfg->abort_after :
					       NEVER,
		.resize_at = cfg->resize_after ? w->now + cfg->resize_after :
						 NEVER,
		.leave_at = NEVER,
		.change_at = cfg->change_every ? w->now + cfg->change_every :
						 NEVER,
	};
	sim_timer_init(&a->timer, app_fire);
}

static bool user_resize(struct sock *sk, u64 now)
{
	struct app *a = &sk->app;

	if (now < a->resize_at)
		return false;
	a->resize_at = NEVER;
	check_resize(sk);
	conn_set_rcv_buf(&sk->c, a->cfg->resize_to, now);
	return true;
}

static bool user_change(struct sock *sk, u64 now)
{
	struct app *a = &sk->app;

	if (now < a->change_at || sk->kind != SOCK_CONN)
		return false;
	a->change_at = ++a->changes < MOST_CHANGES ?
			       now + a->cfg->change_every :
			       NEVER;
	if (state_in(sk->c.state, STATES_SYNCHRONIZED))
		change_option(sk, now);
	return true;
}

static u32 chunk(struct sock *sk)
{
	const struct side_config *cfg = sk->app.cfg;
	u64 n = rng_range(&sk->host->w->app_rng, cfg->chunk_min,
			  cfg->chunk_max);

	return min_t(u64, n, cfg->bytes - sk->app.written);
}

/* One write(); says that more follows only where it does, at once. */
static bool user_write(struct sock *sk, u64 now)
{
	struct world *w = sk->host->w;
	struct app *a = &sk->app;
	u32 unacked = conn_unacked(&sk->c);
	u32 room = unacked < a->cfg->sndbuf ? a->cfg->sndbuf - unacked : 0;
	bool more;
	u32 n;

	if (!a->writable || a->closed || a->written == a->cfg->bytes ||
	    now < a->write_at || !conn_can_write(&sk->c))
		return false;
	sk->check.counts.user_waits = !room;
	stats_user_waits(&sk->c.stats, !room);
	if (!room) {
		a->writable = false;
		return false;
	}
	n = min_t(u32, chunk(sk), room);
	more = n < room && n < a->cfg->bytes - a->written &&
	       !a->cfg->write_gap && rng_chance(&w->app_rng, a->cfg->more);
	a->written += n;
	a->write_at = now + a->cfg->write_gap;
	w->progress = now;
	check_write(sk, more);
	conn_write(&sk->c, n, more);
	if (rng_chance(&w->app_rng, a->cfg->urgent)) {
		urgent_write(sk);
		conn_urge(&sk->c);
	}
	return true;
}

static void pace_reader(struct app *a, u32 n, u64 now)
{
	const struct side_config *cfg = a->cfg;

	if (cfg->read_rate)
		a->read_at = now + n * USEC_PER_S / cfg->read_rate;
	if (cfg->pause_for && !a->paused && a->read >= cfg->pause_at) {
		a->paused = true;
		a->read_at = now + cfg->pause_for;
	}
}

static u32 read_size(const struct sock *sk)
{
	const struct side_config *cfg = sk->app.cfg;
	u32 n = conn_readable(&sk->c);

	if (cfg->read_chunk)
		n = min_t(u32, n, cfg->read_chunk);
	if (cfg->read_rate)
		n = min_t(u64, n, cfg->read_rate / 20 + 1);
	return n;
}

void app_skip(struct sock *sk)
{
	if (!store_take(&sk->in, sk->app.in_key, 1))
		sock_fail(sk, "no urgent byte to leave out");
	sk->app.read++;
}

/* One read(); the bytes must be the peer's, in order, each once. */
static bool user_read(struct sock *sk, u64 now)
{
	struct app *a = &sk->app;
	bool hole;
	u32 n, got;

	if (!a->readable || now < a->read_at)
		return false;
	n = read_size(sk);
	if (sk->session && sk->check.urg.mark)
		urgent_ask(sk);
	if (!n) {
		a->readable = false;
		return false;
	}
	got = conn_read_run(&sk->c, sk->c.rcv_read, n, a->cfg->urgent_inline,
			    &hole);
	urgent_read(sk, n, got, hole);
	n = got + hole;
	if (!store_take(&sk->in, a->in_key, n)) {
		sock_fail(sk, "the reader got wrong bytes after byte %llu",
			  (unsigned long long)a->read);
		return false;
	}
	a->read += n;
	sk->host->w->progress = now;
	check_read(sk);
	conn_read(&sk->c, n, now);
	pace_reader(a, n, now);
	return true;
}

static bool wants_close(const struct sock *sk)
{
	const struct app *a = &sk->app;

	if (a->written < a->cfg->bytes || sk->c.state == ST_SYN_SENT)
		return false;
	if (a->cfg->close_acked && sk->kind == SOCK_CONN &&
	    conn_unacked(&sk->c))
		return false;
	switch (a->cfg->close) {
	case CLOSE_WRITTEN:
		return true;
	case CLOSE_EXCHANGED:
		return a->eof || a->read >= a->expect;
	case CLOSE_EOF:
		return a->eof;
	}
	return false;
}

/*
 * He has shut down, and does not wait for the peer to do so; nor does he read what has
 * come when the connection has ended.
 */
static bool user_leave(struct sock *sk, u64 now)
{
	struct app *a = &sk->app;
	bool gone = a->leave_at != NEVER && sk->c.state == ST_CLOSED;

	if (now < a->leave_at && !gone)
		return false;
	if (gone)
		life_is_over(sk);
	a->done = true;
	a->err = sk->c.err;
	if (sk->kind == SOCK_CONN)
		conn_release(&sk->c, now);
	return true;
}

static u64 close_time(const struct app *a, u64 now)
{
	u64 grid = a->cfg->close_grid;

	return grid ? (now / grid + 1) * grid : now;
}

static bool user_close(struct sock *sk, u64 now)
{
	struct app *a = &sk->app;

	if (a->closed)
		return false;
	if (a->close_at == NEVER && wants_close(sk))
		a->close_at = close_time(a, now);
	if (now < a->close_at)
		return false;
	a->closed = true;
	if (a->cfg->leave_after)
		a->leave_at = now + a->cfg->leave_after;
	a->done = a->cfg->release;
	if (sk->kind != SOCK_CONN)
		return true;
	if (a->cfg->close_read)
		conn_close_read(&sk->c);
	if (a->cfg->release)
		conn_release(&sk->c, now);
	else
		conn_close(&sk->c, now);
	return true;
}

/* The end: both directions are closed, or the connection is no more. */
static bool user_finish(struct sock *sk, u64 now)
{
	struct app *a = &sk->app;
	bool gone = sk->c.state == ST_CLOSED;

	if (a->done || conn_readable(&sk->c))
		return false;
	if (!a->eof && conn_at_eof(&sk->c)) {
		a->eof = true;
		return true;
	}
	if (!gone && !(a->closed && a->eof))
		return false;
	a->done = true;
	a->err = sk->c.err;
	sk->host->w->progress = now;
	if (sk->kind == SOCK_CONN)
		conn_release(&sk->c, now);
	return true;
}

static bool user_abort(struct sock *sk, u64 now)
{
	struct app *a = &sk->app;

	if (now < a->abort_at)
		return false;
	a->aborted = true;
	a->done = true;
	if (sk->kind == SOCK_CONN) {
		life_abort(sk);
		conn_abort(&sk->c, now);
	}
	return true;
}

static void app_arm(struct sock *sk, u64 now)
{
	struct app *a = &sk->app;
	u64 at = NEVER;

	if (!a->done) {
		at = min_t(u64, a->abort_at, a->resize_at);
		at = min_t(u64, at, a->leave_at);
		if (sk->kind == SOCK_CONN)
			at = min_t(u64, at, a->change_at);
		if (a->readable && a->read_at > now)
			at = min_t(u64, at, a->read_at);
		if (a->writable && a->written < a->cfg->bytes &&
		    a->write_at > now)
			at = min_t(u64, at, a->write_at);
		if (!a->closed)
			at = min_t(u64, at, a->close_at);
	}
	sim_timer_set(sk->host->w, &a->timer, at);
}

bool app_run(struct sock *sk, unsigned int wake)
{
	struct app *a = &sk->app;
	u64 now = sk->host->w->now;
	bool acted = false;

	if (wake & (WAKE_READ | WAKE_STATE))
		a->readable = true;
	if (wake & (WAKE_WRITE | WAKE_STATE))
		a->writable = true;
	if (a->done)
		return false;
	if (user_abort(sk, now)) {
		acted = true;
	} else {
		acted |= user_resize(sk, now);
		acted |= user_change(sk, now);
		acted |= user_write(sk, now);
		acted |= user_read(sk, now);
		acted |= user_close(sk, now);
		acted |= user_finish(sk, now);
		acted |= !a->done && user_leave(sk, now);
	}
	app_arm(sk, now);
	return acted;
}
