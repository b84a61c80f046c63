// SPDX-License-Identifier: GPL-2.0
/*
 * splice.c - splice() from a stream, and its end in the other direction
 *
 * The pages of received packets go into a pipe as they are. What comes from a pipe
 * or a file (splice(), sendfile()) arrives in sendmsg.c as pages to be shared.
 */
#include <net/inet_common.h>
#include <net/tcp_states.h>

#include "sock.h"

/**
 * struct splicing - a call of splice() on its way
 * @pipe:   where to
 * @left:   bytes still wanted
 * @flags:  SPLICE_F_*
 * @timeo:  jiffies it may wait
 * @done:   bytes in the pipe
 */
struct splicing {
	struct pipe_inode_info *pipe;
	size_t left;
	unsigned int flags;
	long timeo;
	size_t done;
};

/*
 * From one buffer, up to the urgent byte: a pipe has no place for it. Return: bytes,
 * 0: there are none, or a negative errno.
 */
static int splice_some(struct sock *sk, const struct splicing *s)
{
	const struct conn *c = &chalk_sk(sk)->conn;
	u32 seq = c->rcv_read;
	struct sk_buff *skb = chalk_rx_find(sk, seq);
	const struct chalk_cb *cb = skb ? chalk_cb(skb) : NULL;
	bool hole;
	u32 n;

	if (!skb || conn_stops_at(c, seq))
		return 0;
	n = min_t(size_t, cb->end - seq, s->left);
	n = conn_read_run(c, seq, n, false, &hole);
	return skb_splice_bits(skb, sk, cb->skip + seq - cb->seq, s->pipe, n,
			       s->flags);
}

/* All that is there and goes into the pipe. Return: 0 or what stopped it. */
static int splice_all(struct sock *sk, struct splicing *s)
{
	int n = 0;

	while (s->left) {
		n = splice_some(sk, s);
		if (n <= 0)
			break;
		chalk_rx_consume(sk, n);
		s->done += n;
		s->left -= n;
	}
	return min(n, 0);
}

/* Return: true if that is all; then @err is what to say if nothing was done. */
static bool is_over(struct sock *sk, const struct splicing *s, int *err)
{
	if (s->done || chalk_rx_at_end(sk, err))
		return true;
	*err = -EAGAIN;
	/* what is there begins with the urgent byte */
	if (!s->timeo)
		return true;
	*err = 0;
	return !skb_queue_empty(&sk->sk_receive_queue);
}

static int wait_for_more(struct sock *sk, struct splicing *s)
{
	int err = sk_wait_data(sk, &s->timeo, NULL);

	if (err < 0)
		return err;
	return signal_pending(current) ? sock_intr_errno(s->timeo) : 0;
}

static int splice_locked(struct sock *sk, struct splicing *s)
{
	int err, why;

	if (sk->sk_state == TCP_LISTEN)
		return -ENOTCONN;
	do {
		err = splice_all(sk, s);
		if (err || is_over(sk, s, &why))
			break;
		err = wait_for_more(sk, s);
		if (err)
			return err;
	} while (s->left);
	return err ?: why;
}

/**
 * chalk_splice_read() - splice() from a stream into a pipe
 * @sock:  the socket
 * @pos:   a stream has none: must be 0
 * @pipe:  where to
 * @len:   bytes wanted
 * @flags: SPLICE_F_*
 *
 * Return: bytes, 0 at the end of the stream, or a negative errno.
 */
ssize_t chalk_splice_read(struct socket *sock, loff_t *pos,
			  struct pipe_inode_info *pipe, size_t len,
			  unsigned int flags)
{
	struct sock *sk = sock->sk;
	struct splicing s = {
		.pipe = pipe,
		.left = len,
		.flags = flags,
	};
	int err = 0;

	if (*pos)
		return -ESPIPE;
	lock_sock(sk);
	s.timeo = sock_rcvtimeo(sk, sock->file->f_flags & O_NONBLOCK);
	if (len)
		err = splice_locked(sk, &s);
	chalk_push(sk, 0);
	release_sock(sk);
	return s.done ?: err;
}

/**
 * chalk_splice_eof() - a splice() that promised more has no more
 * @sock: the socket
 */
void chalk_splice_eof(struct socket *sock)
{
	struct sock *sk = sock->sk;

	lock_sock(sk);
	if (chalk_is_open(sk)) {
		conn_write(&chalk_sk(sk)->conn, 0, false);
		chalk_push(sk, 0);
	}
	release_sock(sk);
}
