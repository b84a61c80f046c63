// SPDX-License-Identifier: GPL-2.0
/*
 * timestamp.c - when bytes came and went, for programs that ask
 *
 * SO_TIMESTAMP and its kin in recvmsg(); SO_TIMESTAMPING of what is sent, on the
 * error queue. A stream has no packets to stamp: what counts is the last byte of a
 * call, so that each stamped call ends a buffer of the send store, whose last
 * byte goes by a key.
 */
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <net/sock.h>

#include "sock.h"

/* --- received --- */

static void put_ns(struct msghdr *msg, const struct sock *sk,
		   const struct timespec64 *t)
{
	struct __kernel_old_timespec old = {
		.tv_sec = t->tv_sec,
		.tv_nsec = t->tv_nsec,
	};
	struct __kernel_timespec new = {
		.tv_sec = t->tv_sec,
		.tv_nsec = t->tv_nsec,
	};

	if (sock_flag(sk, SOCK_TSTAMP_NEW))
		put_cmsg(msg, SOL_SOCKET, SO_TIMESTAMPNS_NEW, sizeof(new),
			 &new);
	else
		put_cmsg(msg, SOL_SOCKET, SO_TIMESTAMPNS_OLD, sizeof(old),
			 &old);
}

static void put_us(struct msghdr *msg, const struct sock *sk,
		   const struct timespec64 *t)
{
	struct __kernel_old_timeval old = {
		.tv_sec = t->tv_sec,
		.tv_usec = t->tv_nsec / NSEC_PER_USEC,
	};
	struct __kernel_sock_timeval new = {
		.tv_sec = t->tv_sec,
		.tv_usec = t->tv_nsec / NSEC_PER_USEC,
	};

	if (sock_flag(sk, SOCK_TSTAMP_NEW))
		put_cmsg(msg, SOL_SOCKET, SO_TIMESTAMP_NEW, sizeof(new), &new);
	else
		put_cmsg(msg, SOL_SOCKET, SO_TIMESTAMP_OLD, sizeof(old), &old);
}

/**
 * chalk_put_timestamp() - tell when the last byte of a recvmsg() came
 * @msg:  where to
 * @sk:   the socket
 * @when: by the clock of packets
 */
void chalk_put_timestamp(struct msghdr *msg, const struct sock *sk,
			 ktime_t when)
{
	struct scm_timestamping_internal all = {
		.ts = { ktime_to_timespec64(when) },
	};

	if (sock_flag(sk, SOCK_RCVTSTAMPNS))
		put_ns(msg, sk, &all.ts[0]);
	else if (sock_flag(sk, SOCK_RCVTSTAMP))
		put_us(msg, sk, &all.ts[0]);
	if (!(READ_ONCE(sk->sk_tsflags) & SOF_TIMESTAMPING_SOFTWARE))
		return;
	if (sock_flag(sk, SOCK_TSTAMP_NEW))
		put_cmsg_scm_timestamping64(msg, &all);
	else
		put_cmsg_scm_timestamping(msg, &all);
}

/* --- sent --- */

/**
 * chalk_stamp_begin() - a call of sendmsg() begins
 * @sk:      the socket, locked
 * @tsflags: SOF_TIMESTAMPING_* of the call
 *
 * Keys count bytes from where the first call after SOF_TIMESTAMPING_OPT_ID found
 * the connection; setsockopt() has cleared sk_tskey.
 */
void chalk_stamp_begin(struct sock *sk, u32 tsflags)
{
	struct chalk_sock *cs = chalk_sk(sk);

	if (!(tsflags & SOF_TIMESTAMPING_OPT_ID) || atomic_read(&sk->sk_tskey))
		return;
	atomic_set(&sk->sk_tskey, 1);
	cs->stamp_base = cs->conn.snd_una;
}

/**
 * chalk_stamp_written() - the call has put its last byte into the store
 * @sk:      the socket, locked
 * @tsflags: SOF_TIMESTAMPING_* of the call
 */
void chalk_stamp_written(struct sock *sk, u32 tsflags)
{
	struct sk_buff *skb = skb_peek_tail(&sk->sk_write_queue);
	struct skb_shared_info *si;

	if (!(tsflags & SOF_TIMESTAMPING_TX_RECORD_MASK) || !skb)
		return;
	si = skb_shinfo(skb);
	sock_tx_timestamp(sk, tsflags, &si->tx_flags);
	si->tskey = chalk_cb(skb)->end - 1 - chalk_sk(sk)->stamp_base;
	chalk_cb(skb)->stamp_ack = tsflags & SOF_TIMESTAMPING_TX_ACK;
}

/* The buffer ends with a stamped byte: it must not grow. */
bool chalk_is_stamped(const struct sk_buff *skb)
{
	return skb_shinfo(skb)->tx_flags & SKBTX_ANY_TSTAMP ||
	       chalk_cb(skb)->stamp_ack;
}

/**
 * chalk_stamp_packet() - a packet shares the last byte of a buffer
 * @skb:  the packet
 * @from: the buffer
 */
void chalk_stamp_packet(struct sk_buff *skb, const struct sk_buff *from)
{
	const struct skb_shared_info *si = skb_shinfo(from);

	if (likely(!si->tx_flags))
		return;
	skb_shinfo(skb)->tx_flags |= si->tx_flags & SKBTX_ANY_TSTAMP;
	skb_shinfo(skb)->tskey = si->tskey;
}

/**
 * chalk_stamp_acked() - all of a buffer is acknowledged
 * @sk:  the socket, locked
 * @skb: the buffer
 */
void chalk_stamp_acked(struct sock *sk, struct sk_buff *skb)
{
	if (unlikely(chalk_cb(skb)->stamp_ack))
		__skb_tstamp_tx(skb, NULL, NULL, sk, SCM_TSTAMP_ACK);
}
