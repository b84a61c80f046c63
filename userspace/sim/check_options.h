/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check_options.h - what a user's change of an option changes in the rules
 *
 *	RFC 9293 3.7.4	TCP_NODELAY, TCP_CORK: when a small segment goes
 *	RFC 9293 3.8.4	SO_KEEPALIVE, TCP_KEEPIDLE
 *	RFC 9293 3.8.6	TCP_WINDOW_CLAMP, TCP_QUICKACK
 *	RFC 5681	TCP_CONGESTION
 *
 * Each is called before the core hears of the change.
 */
#ifndef CHALK_SIM_CHECK_OPTIONS_H
#define CHALK_SIM_CHECK_OPTIONS_H

#include "cc.h"
#include "types.h"

struct sock;

void check_nodelay(struct sock *sk, bool on);
void check_cork(struct sock *sk, bool on);
void check_keepalive(struct sock *sk, bool on);
void check_keep_idle(struct sock *sk, u64 idle);
void check_quickack(struct sock *sk, bool on);
void check_clamp(struct sock *sk, u32 clamp);
void check_cc(struct sock *sk, const struct cc_ops *cc);

#endif /* CHALK_SIM_CHECK_OPTIONS_H */
