// SPDX-License-Identifier: GPL-2.0
/*
 * poll.c - what a program may ask about a socket without moving data
 *
 * The events of poll() and its kin, and the ioctls. Called by the socket layer;
 * poll() runs without the socket lock: whatever changes what it looks at wakes
 * the poller afterwards.
 */
#include <linux/poll.h>
#include <net/inet_common.h>
#include <net/tcp_states.h>

#include "compat.h"
#include "sock.h"

#include <asm/ioctls.h>

/* --- events --- */

static __poll_t poll_readable(const struct sock *sk)
{
	const struct conn *c = &chalk_sk(sk)->conn;

	/* not locked */
	if (data_race(conn_is_readable(c, sock_rcvlowat(sk, 0, INT_MAX),
				       sock_flag(sk, SOCK_URGINLINE))))
		return EPOLLIN | EPOLLRDNORM;
	return 0;
}

static __poll_t poll_urgent(const struct sock *sk)
{
	/* not locked */
	return data_race(conn_has_urgent(&chalk_sk(sk)->conn)) ? EPOLLPRI : 0;
}

static __poll_t poll_writeable(struct sock *sk)
{
	if (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN)
		return EPOLLOUT | EPOLLWRNORM;
	if (__sk_stream_is_writeable(sk, 1))
		return EPOLLOUT | EPOLLWRNORM;
	sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	/* Space that came since the test: pairs with wake_writers(). */
	smp_mb__after_atomic();
	return __sk_stream_is_writeable(sk, 1) ? EPOLLOUT | EPOLLWRNORM : 0;
}

static __poll_t poll_shutdown(const struct sock *sk, int state)
{
	u8 shutdown = READ_ONCE(sk->sk_shutdown);
	__poll_t mask = 0;

	if (shutdown == SHUTDOWN_MASK || state == TCP_CLOSE)
		mask |= EPOLLHUP;
	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	return mask;
}

/**
 * chalk_poll() - poll() and its kin
 * @file: of the socket
 * @sock: the socket
 * @wait: where to sleep
 *
 * Return: EPOLL* bits, the same as for TCP in every state.
 */
__poll_t chalk_poll(struct file *file, struct socket *sock, poll_table *wait)
{
	struct sock *sk = sock->sk;
	__poll_t mask;
	int state;

	sock_poll_wait(file, sock, wait);
	state = inet_sk_state_load(sk);
	if (state == TCP_LISTEN)
		return inet_csk_listen_poll(sk);
	mask = poll_shutdown(sk, state);
	if (state != TCP_SYN_SENT && state != TCP_SYN_RECV)
		mask |= poll_readable(sk) | poll_writeable(sk) |
			poll_urgent(sk);
	/* sk_err is written before sk_shutdown and sk_state */
	smp_rmb();
	if (READ_ONCE(sk->sk_err) ||
	    !skb_queue_empty_lockless(&sk->sk_error_queue))
		mask |= EPOLLERR;
	return mask;
}

/* --- ioctls --- */

static int ioctl_answer(struct sock *sk, int cmd, int *answer)
{
	const struct conn *c = &chalk_sk(sk)->conn;

	if (cmd == SIOCATMARK) {
		*answer = conn_at_mark(c);
		return 0;
	}
	if (cmd != SIOCINQ && cmd != SIOCOUTQ && cmd != SIOCOUTQNSD)
		return -ENOIOCTLCMD;
	if (sk->sk_state == TCP_LISTEN)
		return -EINVAL;
	if (cmd == SIOCINQ)
		*answer = conn_inq(c, sock_flag(sk, SOCK_URGINLINE));
	else if (cmd == SIOCOUTQ)
		*answer = conn_outq(c);
	else
		*answer = conn_outq_unsent(c);
	return 0;
}

/**
 * chalk_ioctl() - ioctls that the socket layer does not know
 * @sk:  the socket
 * @cmd: SIOC*
 * @arg: where the answer goes
 */
int chalk_ioctl(struct sock *sk, int cmd, CHALK_IOCTL_ARG arg)
{
	int n = 0;
	int err;

	lock_sock(sk);
	err = ioctl_answer(sk, cmd, &n);
	release_sock(sk);
	return err ?: chalk_ioctl_put(arg, n);
}
