// SPDX-License-Identifier: GPL-2.0
/*
 * send.c - a message becomes a datagram, or a part of one
 *
 *	way->plan()	to whom, with which IP header, by which route
 *	way->whole()	without MSG_MORE and UDP_CORK: it goes, no lock is taken
 *	way->append()	with them it grows; so it does where IP has no whole()
 *	way->push()	until a call without them
 *
 * Owns when a datagram begins, grows, goes or is lost, over both versions of IP;
 * send4.c and send6.c say how. All of it is as UDP does: who holds the lock
 * never waits for room that only sending this datagram would give.
 */
#include "compat.h"
#include "dgram.h"

static const struct chalk_dgram_way *way_of(int family)
{
	if (IS_ENABLED(CONFIG_IPV6) && family == AF_INET6)
		return &chalk_dgram_by_ipv6;
	return &chalk_dgram_by_ipv4;
}

/* --- a datagram that grows --- */

/**
 * chalk_dgram_flush() - forget a datagram that grows, if there is one
 * @sk: the socket, locked
 */
void chalk_dgram_flush(struct sock *sk)
{
	int pending = udp_sk(sk)->pending;

	if (!pending)
		return;
	WRITE_ONCE(udp_sk(sk)->pending, 0);
	way_of(pending)->flush(sk);
}

/**
 * chalk_dgram_push() - send a datagram that grew, if there is one
 * @sk: the socket, locked
 */
int chalk_dgram_push(struct sock *sk)
{
	int pending = udp_sk(sk)->pending;
	int err = 0;

	if (pending && !skb_queue_empty(&sk->sk_write_queue))
		err = way_of(pending)->push(sk);
	WRITE_ONCE(udp_sk(sk)->pending, 0);
	return err;
}

/*
 * An error loses all of it: nobody could tell which part went. MSG_PROBE adds
 * nothing, and what grew may go.
 */
static int dgram_grow(struct sock *sk, struct msghdr *msg, size_t len,
		      struct chalk_dgram_plan *p, bool more)
{
	const struct chalk_dgram_way *way = way_of(udp_sk(sk)->pending);
	int err = 0;

	if (!(msg->msg_flags & MSG_PROBE))
		err = way->append(sk, msg, len, p, more);
	if (err)
		chalk_dgram_flush(sk);
	else if (!more)
		err = chalk_dgram_push(sk);
	else if (skb_queue_empty(&sk->sk_write_queue))
		WRITE_ONCE(udp_sk(sk)->pending, 0);
	return err;
}

/* Planned without the lock: another thread may have been faster. */
static int dgram_begin(struct sock *sk, struct msghdr *msg, size_t len,
		       struct chalk_dgram_plan *p, bool more, int family)
{
	int err = -EINVAL;

	lock_sock(sk);
	if (!udp_sk(sk)->pending) {
		WRITE_ONCE(udp_sk(sk)->pending, family);
		err = dgram_grow(sk, msg, len, p, more);
	}
	release_sock(sk);
	return err;
}

/* Return: whether the socket is locked now, and a datagram grows. */
static bool dgram_lock_if_pending(struct sock *sk)
{
	if (!READ_ONCE(udp_sk(sk)->pending))
		return false;
	lock_sock(sk);
	if (udp_sk(sk)->pending)
		return true;
	release_sock(sk);
	return false;
}

/* --- the call --- */

/* MSG_PROBE with MSG_CONFIRM: nothing goes, but the path works. */
static void dgram_confirm(const struct chalk_dgram_plan *p, int family)
{
	const struct flowi *fl = &p->out.fl;

	if (family == AF_INET6)
		dst_confirm_neigh(p->out.base.dst, &fl->u.ip6.daddr);
	else
		dst_confirm_neigh(p->out.base.dst, &fl->u.ip4.daddr);
}

static int dgram_send_planned(struct sock *sk, struct msghdr *msg, size_t len,
			      struct chalk_dgram_plan *p, bool more,
			      const struct chalk_dgram_way *way)
{
	bool probe = msg->msg_flags & MSG_PROBE;

	if (probe && msg->msg_flags & MSG_CONFIRM)
		dgram_confirm(p, way->family);
	if (more || !way->whole)
		return dgram_begin(sk, msg, len, p, more, way->family);
	return probe ? 0 : way->whole(sk, msg, len, p);
}

static void dgram_drop_plan(struct chalk_dgram_plan *p)
{
	dst_release(p->out.base.dst);
	fl6_sock_release(p->label);
	txopt_put(p->held);
}

/* As UDP: count what was not sent since memory was short, or SO_SNDBUF full. */
static void dgram_note_error(const struct sock *sk, int err)
{
	if (err == -ENOBUFS ||
	    (err && test_bit(SOCK_NOSPACE, &sk->sk_socket->flags)))
		chalk_count(sock_net(sk), MIB_DGRAM_SNDBUF);
}

/**
 * chalk_dgram_send() - send a message
 * @sk:  the socket, not locked
 * @msg: the message
 * @len: its bytes
 * @way: the version of IP that its destination asks for
 *
 * Return: @len, or negative errno: a datagram goes whole or not at all.
 */
int chalk_dgram_send(struct sock *sk, struct msghdr *msg, size_t len,
		     const struct chalk_dgram_way *way)
{
	bool more = udp_test_bit(CORK, sk) || msg->msg_flags & MSG_MORE;
	struct chalk_dgram_plan p;
	int err;

	/* a destination is asked for once, before the first part */
	if (dgram_lock_if_pending(sk)) {
		err = way->mixed;
		if (udp_sk(sk)->pending == way->family)
			err = dgram_grow(sk, msg, len, NULL, more);
		release_sock(sk);
	} else {
		memset(&p, 0, sizeof(p));
		err = way->plan(&p, sk, msg);
		if (!err)
			err = dgram_send_planned(sk, msg, len, &p, more, way);
		dgram_drop_plan(&p);
	}
	dgram_note_error(sk, err);
	return err ?: len;
}

/**
 * chalk_dgram_splice_eof() - proto_ops.splice_eof: sendfile() has come to an end
 * @sock: the socket, not locked
 *
 * The file was shorter than the call said; what there was of it is the datagram.
 */
void chalk_dgram_splice_eof(struct socket *sock)
{
	struct sock *sk = sock->sk;

	if (udp_test_bit(CORK, sk) || !dgram_lock_if_pending(sk))
		return;
	if (!udp_test_bit(CORK, sk))
		chalk_dgram_push(sk);
	release_sock(sk);
}
