// SPDX-License-Identifier: GPL-2.0
/*
 * recvmsg.c - recv() and its kin
 *
 * Copies from the receive buffer (rxstore.c) to the program, and tells the core
 * how much. Waits where the program lets it.
 */
#include <linux/tcp.h>
#include <net/busy_poll.h>
#include <net/inet_common.h>
#include <net/ip.h>
#include <net/tcp_states.h>

#include "sock.h"

/**
 * struct receiving - a call of recvmsg() on its way
 * @msg:    where to copy; NULL: throw away (MSG_TRUNC)
 * @left:   bytes still wanted
 * @copied: bytes given
 * @target: bytes to wait for
 * @timeo:  jiffies it may wait
 * @seq:    sequence number of the next byte
 * @stamp:  when the last of them came, where that is known
 * @peek:   leave the bytes there (MSG_PEEK)
 */
struct receiving {
	struct msghdr *msg;
	size_t left;
	size_t copied;
	size_t target;
	long timeo;
	u32 seq;
	ktime_t stamp;
	bool peek;
};

/**
 * chalk_rx_consume() - the reader has taken bytes
 * @sk: the socket, locked
 * @n:  how many, or 1 for an urgent byte that was left out
 */
void chalk_rx_consume(struct sock *sk, u32 n)
{
	conn_read(&chalk_sk(sk)->conn, n, chalk_now());
	chalk_rx_free_read(sk);
}

/* Up to the end of the buffer, or to the urgent byte, which may be left out. */
static int take(struct sock *sk, struct sk_buff *skb, struct receiving *r)
{
	const struct chalk_cb *cb = chalk_cb(skb);
	u32 n = min_t(size_t, cb->end - r->seq, r->left);
	bool hole;

	n = conn_read_run(&chalk_sk(sk)->conn, r->seq, n,
			  sock_flag(sk, SOCK_URGINLINE), &hole);
	if (r->msg && n &&
	    skb_copy_datagram_msg(skb, cb->skip + r->seq + hole - cb->seq,
				  r->msg, n))
		return -EFAULT;
	r->seq += n + hole;
	r->copied += n;
	r->left -= n;
	if (skb->tstamp)
		r->stamp = skb->tstamp;
	if (r->peek) {
		sk_peek_offset_fwd(sk, n);
	} else {
		sk_peek_offset_bwd(sk, n);
		chalk_rx_consume(sk, n + hole);
	}
	return 0;
}

/* The next byte is the urgent one: what was read before it is given first. */
static bool at_mark(const struct sock *sk, const struct receiving *r)
{
	return conn_stops_at(&chalk_sk(sk)->conn, r->seq) &&
	       (r->copied || signal_pending(current));
}

static int take_all(struct sock *sk, struct receiving *r)
{
	struct sk_buff *skb;
	int err = 0;

	while (!err && r->left && !at_mark(sk, r) &&
	       (skb = chalk_rx_find(sk, r->seq)))
		err = take(sk, skb, r);
	return err;
}

/**
 * chalk_rx_at_end() - all is read: will anything more come?
 * @sk:  the socket, locked
 * @err: 0: the end of the stream; or a negative errno, which is told once
 *
 * Return: true if not; then @err is set.
 */
bool chalk_rx_at_end(struct sock *sk, int *err)
{
	*err = 0;
	if (sock_flag(sk, SOCK_DONE))
		return true;
	*err = sock_error(sk);
	if (*err || sk->sk_shutdown & RCV_SHUTDOWN)
		return true;
	*err = -ENOTCONN; /* never was connected */
	return sk->sk_state == TCP_CLOSE;
}

/* Return: true if there is no waiting; then @err is what to say. */
static bool must_return(struct sock *sk, const struct receiving *r, int *err)
{
	if (r->copied) {
		*err = 0;
		return !r->timeo || sk->sk_err || sk->sk_state == TCP_CLOSE ||
		       sk->sk_shutdown & RCV_SHUTDOWN ||
		       signal_pending(current);
	}
	if (chalk_rx_at_end(sk, err))
		return true;
	*err = -EAGAIN;
	if (!r->timeo)
		return true;
	*err = sock_intr_errno(r->timeo);
	return signal_pending(current);
}

static int wait_for_data(struct sock *sk, struct receiving *r)
{
	int err;

	chalk_push(sk, 0);
	err = sk_wait_data(sk, &r->timeo, skb_peek_tail(&sk->sk_receive_queue));
	/* another thread may have read what this one peeked at */
	if (seq_lt(r->seq, chalk_sk(sk)->conn.rcv_read))
		r->seq = chalk_sk(sk)->conn.rcv_read;
	return min(err, 0);
}

/* Nothing was wanted, and there is something: recv() of no bytes is over. */
static bool is_satisfied(struct sock *sk, const struct receiving *r)
{
	return !r->left && (r->copied || chalk_rx_find(sk, r->seq));
}

static int receive(struct sock *sk, struct receiving *r)
{
	int err;

	for (;;) {
		err = take_all(sk, r);
		if (err || is_satisfied(sk, r) || (r->copied && at_mark(sk, r)))
			return err;
		if (r->copied >= r->target) {
			if (!READ_ONCE(sk->sk_backlog.tail))
				return 0;
			sk_flush_backlog(sk);
			continue;
		}
		if (must_return(sk, r, &err))
			return err;
		err = wait_for_data(sk, r);
		if (err)
			return err;
	}
}

/* TCP_INQ: what is left to read, and 1 for the end of the stream. */
static void put_inq(struct sock *sk, struct msghdr *msg)
{
	int inq = conn_inq(&chalk_sk(sk)->conn, sock_flag(sk, SOCK_URGINLINE));

	if (!inq && sock_flag(sk, SOCK_DONE))
		inq = 1;
	put_cmsg(msg, SOL_TCP, TCP_CM_INQ, sizeof(inq), &inq);
}

/* SO_BUSY_POLL: look for packets in the device before sleeping. */
static void busy_loop(struct sock *sk, int flags)
{
	if (sk_can_busy_loop(sk) && sk->sk_state == TCP_ESTABLISHED &&
	    skb_queue_empty_lockless(&sk->sk_receive_queue))
		sk_busy_loop(sk, flags & MSG_DONTWAIT);
}

static int recv_locked(struct sock *sk, struct msghdr *msg, size_t len,
		       int flags)
{
	struct receiving r = {
		.msg = flags & MSG_TRUNC ? NULL : msg,
		.left = len,
		.target = sock_rcvlowat(sk, flags & MSG_WAITALL, len),
		.timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT),
		.seq = chalk_sk(sk)->conn.rcv_read +
		       max(sk_peek_offset(sk, flags), 0),
		.peek = flags & MSG_PEEK,
	};
	int err;

	err = receive(sk, &r);
	chalk_push(sk, 0);
	if (r.stamp)
		chalk_put_timestamp(msg, sk, r.stamp);
	if (chalk_sk(sk)->recvmsg_inq && (r.copied || !err))
		put_inq(sk, msg);
	return r.copied ?: err;
}

/* --- the urgent byte --- */

static int give_urgent(const struct sock *sk, struct msghdr *msg, size_t len,
		       int flags)
{
	u8 byte = chalk_sk(sk)->urgent_byte;

	msg->msg_flags |= MSG_OOB;
	if (!len) {
		msg->msg_flags |= MSG_TRUNC;
		return 0;
	}
	if (!(flags & MSG_TRUNC) && memcpy_to_msg(msg, &byte, 1))
		return -EFAULT;
	return 1;
}

/* Never waits, as everywhere. */
static int recv_urgent(struct sock *sk, struct msghdr *msg, size_t len,
		       int flags)
{
	switch (conn_urgent(&chalk_sk(sk)->conn, sock_flag(sk, SOCK_URGINLINE),
			    flags & MSG_PEEK)) {
	case URGENT_BYTE:
		return give_urgent(sk, msg, len, flags);
	case URGENT_LATER:
		return sk->sk_state == TCP_CLOSE ||
				       sk->sk_shutdown & RCV_SHUTDOWN ?
			       0 :
			       -EAGAIN;
	case URGENT_GONE:
		return -ENOTCONN;
	default:
		return -EINVAL;
	}
}

/**
 * chalk_recvmsg() - recv() and its kin
 * @sk:       the socket
 * @msg:      where to copy
 * @len:      bytes wanted
 * @flags:    MSG_*
 * @addr_len: not used: a stream does not say from whom
 *
 * Return: bytes given, 0 at the end of the stream, or a negative errno.
 */
int chalk_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags,
		  int *addr_len)
{
	int ret;

	if (flags & MSG_ERRQUEUE)
		return inet_recv_error(sk, msg, len, addr_len);
	busy_loop(sk, flags);
	lock_sock(sk);
	if (sk->sk_state == TCP_LISTEN)
		ret = -ENOTCONN;
	else if (flags & MSG_OOB)
		ret = recv_urgent(sk, msg, len, flags);
	else
		ret = recv_locked(sk, msg, len, flags);
	release_sock(sk);
	return ret;
}
