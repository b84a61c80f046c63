/* SPDX-License-Identifier: GPL-2.0 */
/*
 * app.h - the user of a connection: writes, reads, closes as configured
 *
 * It acts only when woken by the core's WAKE_* bits or when one of its own
 * times has come, so that a wake-up that is missing shows as a stall.
 */
#ifndef CHALK_SIM_APP_H
#define CHALK_SIM_APP_H

#include "config.h"
#include "world.h"

struct sock;

/**
 * struct app - the user
 * @cfg:      what it does
 * @timer:    the earliest of its times
 * @out_key:  stream it writes
 * @in_key:   stream it must read
 * @expect:   bytes the peer will write
 * @written:  bytes written
 * @read:     bytes read and verified
 * @write_at: next write not before
 * @read_at:  next read not before
 * @close_at: when to close, NEVER: not decided yet
 * @abort_at: when to abort
 * @resize_at: when to resize the receive buffer
 * @change_at: when to change an option
 * @leave_at:  when to close for good
 * @changes:  how many there were
 * @readable: woken for reading, and not yet out of bytes
 * @writable: woken for writing, and not yet out of room
 * @paused:   the one pause of the reader is behind it
 * @closed:   has closed
 * @eof:      has read the end of the stream
 * @aborted:  has aborted
 * @done:     does nothing any more
 * @err:      error the connection ended with
 */
struct app {
	const struct side_config *cfg;
	struct sim_timer timer;
	u64 out_key, in_key;
	u64 expect;
	u64 written, read;
	u64 write_at, read_at, close_at, abort_at, resize_at, change_at,
		leave_at;
	u32 changes;
	bool readable, writable, paused, closed, eof, aborted, done;
	u8 err;
};

/**
 * app_init() - a user takes a connection
 * @sk: the connection, whose session is known
 */
void app_init(struct sock *sk);

/**
 * app_skip() - the core leaves out the urgent byte that the reader stands at
 * @sk: the connection
 */
void app_skip(struct sock *sk);

/**
 * app_run() - one step of each thing the user can do now
 * @sk:   the connection
 * @wake: WAKE_* bits
 *
 * Return: it has done something: poll, and run it again.
 */
bool app_run(struct sock *sk, unsigned int wake);

#endif /* CHALK_SIM_APP_H */
