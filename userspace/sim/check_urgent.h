/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check_urgent.h - urgent data: RFC 9293 section 3.8.5, RFC 6093
 *
 * The pointer names the byte behind the urgent data, of which sockets know the
 * last byte alone: the mark. A reader stops there; where urgent data is not in
 * line the byte at the mark is not part of the stream.
 */
#ifndef CHALK_SIM_CHECK_URGENT_H
#define CHALK_SIM_CHECK_URGENT_H

#include "types.h"
#include "wire.h"

struct sock;
struct verdict;

/* What is known of the byte at the mark. */
enum mark {
	MARK_NONE, /* there is no mark */
	MARK_ANNOUNCED,
	MARK_HERE,
	MARK_TAKEN, /* read by itself */
};

/**
 * struct urgent - what it knows
 * @out_up: behind what our user wrote last as urgent; not ahead: nothing is
 * @urges:  it is known
 * @mark:   of the peer's urgent data
 * @in_up:  behind the byte at the mark
 * @skip:   a newer mark has come while the reader stood at the old one
 */
struct urgent {
	u32 out_up;
	bool urges;
	u8 mark;
	u32 in_up;
	bool skip;
};

/* The user says that what he has written is urgent. */
void urgent_write(struct sock *sk);

/* Is anything urgent that is not acknowledged? */
bool urgent_waits(const struct sock *sk);

/* A segment with an ACK leaves. */
void urgent_out(struct sock *sk, const struct seg *s);

/* The connection has dealt with an acceptable segment. */
void urgent_in(struct sock *sk, const struct seg *s, const struct verdict *v);

/*
 * The reader wants @n bytes, and gets @got of them, after a byte that is left
 * out where @hole.
 */
void urgent_read(struct sock *sk, u32 n, u32 got, bool hole);

/* He has read. */
void urgent_has_read(struct sock *sk);

/* He asks for the byte at the mark, twice: the first time he only looks. */
void urgent_ask(struct sock *sk);

/* The connection has nothing more to send. */
void urgent_rest(struct sock *sk);

#endif /* CHALK_SIM_CHECK_URGENT_H */
