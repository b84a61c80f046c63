// SPDX-License-Identifier: GPL-2.0
/*
 * sendmsg.c - send() and its kin
 *
 * Copies the program's bytes into the send buffer (txstore.c) and tells the core.
 * Waits where the program lets it.
 */
#include <net/sock.h>
#include <net/tcp_states.h>

#include "sock.h"

/*
 * Ways to append some bytes to the store. Return: how many, -ENOBUFS: wait for
 * memory, or another error.
 */

static int append_copy(struct sock *sk, struct msghdr *msg)
{
	struct page_frag *pf = sk_page_frag(sk);
	struct sk_buff *skb;
	int n, err;

	if (!sk_page_frag_refill(sk, pf))
		return -ENOBUFS;
	skb = chalk_tx_writable(sk, pf->page, pf->offset);
	if (!skb)
		return -ENOBUFS;
	n = min_t(size_t, msg_data_left(msg), chalk_tx_size(sk) - skb->len);
	n = min_t(int, n, pf->size - pf->offset);
	n = chalk_tx_schedule(sk, n);
	err = -ENOBUFS;
	if (n)
		err = skb_copy_to_page_nocache(sk, &msg->msg_iter, skb,
					       pf->page, pf->offset, n);
	if (err) {
		chalk_tx_drop_empty(sk);
		return err;
	}
	chalk_tx_add(skb, pf->page, pf->offset, n);
	pf->offset += n;
	return n;
}

/* Share the pages of a file or a pipe; the program may change them later. */
static int append_pages(struct sock *sk, struct msghdr *msg)
{
	struct sk_buff *skb = chalk_tx_last(sk) ?: chalk_tx_new(sk);
	ssize_t n = -EMSGSIZE;
	size_t most;

	if (!skb)
		return -ENOBUFS;
	most = min_t(size_t, msg_data_left(msg), chalk_tx_size(sk) - skb->len);
	most = chalk_tx_schedule(sk, most);
	if (!most)
		n = -ENOBUFS;
	else
		n = skb_splice_from_iter(skb, &msg->msg_iter, most,
					 sk->sk_allocation);
	if (n == -EMSGSIZE) /* it has no place for another page */
		return chalk_tx_new(sk) ? 0 : -ENOBUFS;
	if (n <= 0) {
		chalk_tx_drop_empty(sk);
		return n ?: -EIO;
	}
	skb_shinfo(skb)->flags |= SKBFL_SHARED_FRAG;
	sk_wmem_queued_add(sk, n);
	sk_mem_charge(sk, n);
	chalk_cb(skb)->end += n;
	return n;
}

static int append(struct sock *sk, struct msghdr *msg)
{
	if (msg->msg_flags & MSG_SPLICE_PAGES)
		return append_pages(sk, msg);
	return append_copy(sk, msg);
}

/* --- sendmsg() --- */

/**
 * struct sending - a call of sendmsg() on its way
 * @flags:  MSG_*
 * @tsflags: SOF_TIMESTAMPING_*
 * @timeo:  jiffies it may wait
 * @copied: bytes in the store
 * @told:   of those the core knows about
 * @held:   the core holds a partial segment back for what follows
 */
struct sending {
	int flags;
	u32 tsflags;
	long timeo;
	size_t copied;
	size_t told;
	bool held;
};

/* Tell the core what is new in the store, and send. */
static void commit(struct sock *sk, struct sending *s, bool more)
{
	struct conn *c = &chalk_sk(sk)->conn;
	bool released = s->held && !more;

	if ((s->copied == s->told && !released) || !conn_can_write(c))
		return;
	conn_write(c, s->copied - s->told, more);
	s->told = s->copied;
	s->held = more;
	if (s->flags & MSG_OOB && !more)
		conn_urge(c);
	chalk_push(sk, 0);
}

static int may_send(struct sock *sk)
{
	if (sk->sk_err || sk->sk_shutdown & SEND_SHUTDOWN)
		return -EPIPE;
	return conn_can_write(&chalk_sk(sk)->conn) ? 0 : -EPIPE;
}

static int wait_for_memory(struct sock *sk, struct sending *s)
{
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	commit(sk, s, false);
	return sk_stream_wait_memory(sk, &s->timeo);
}

/* What waits in the backlog are mostly ACKs: they make room and open cwnd. */
static void after_buffer(struct sock *sk, struct msghdr *msg, struct sending *s)
{
	const struct sk_buff *tail = skb_peek_tail(&sk->sk_write_queue);

	if (!tail || tail->len < chalk_tx_size(sk))
		return;
	commit(sk, s, msg_data_left(msg) || s->flags & MSG_MORE);
	sk_flush_backlog(sk);
}

static int send_all(struct sock *sk, struct msghdr *msg, struct sending *s)
{
	int n, err;

	while (msg_data_left(msg)) {
		err = may_send(sk);
		if (err)
			return err;
		n = append(sk, msg);
		if (n == -ENOBUFS) {
			err = wait_for_memory(sk, s);
			if (err)
				return err;
			continue;
		}
		if (n < 0)
			return n;
		s->copied += n;
		after_buffer(sk, msg, s);
	}
	return 0;
}

/* The program says that it will write more at once. */
static bool more_follows(const struct sending *s)
{
	return s->flags & (MSG_MORE | MSG_SENDPAGE_NOTLAST) &&
	       !(s->flags & MSG_OOB);
}

static int read_control(struct sock *sk, struct msghdr *msg, struct sending *s)
{
	struct sockcm_cookie control;

	sockcm_init(&control, sk);
	if (msg->msg_controllen && sock_cmsg_send(sk, msg, &control))
		return -EINVAL;
	s->tsflags = control.tsflags;
	chalk_stamp_begin(sk, s->tsflags);
	return 0;
}

static int send_locked(struct sock *sk, struct msghdr *msg)
{
	struct sending s = {
		.flags = msg->msg_flags,
		.timeo = sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT),
	};
	int err = 0;

	if ((1 << sk->sk_state) & ~(TCPF_ESTABLISHED | TCPF_CLOSE_WAIT))
		err = sk_stream_wait_connect(sk, &s.timeo);
	if (!err)
		err = read_control(sk, msg, &s);
	sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	if (!err)
		err = msg_data_left(msg) ? send_all(sk, msg, &s) : may_send(sk);
	if (s.copied)
		chalk_stamp_written(sk, s.tsflags);
	commit(sk, &s, more_follows(&s));
	if (s.copied)
		return s.copied;
	return err ? sk_stream_error(sk, s.flags, err) : 0;
}

/**
 * chalk_sendmsg() - send() and its kin
 * @sk:  the socket
 * @msg: the bytes
 * @len: how many
 *
 * Return: how many are in the send buffer, or a negative errno.
 */
int chalk_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	int ret;

	lock_sock(sk);
	ret = send_locked(sk, msg);
	release_sock(sk);
	return ret;
}

/**
 * chalk_sendpage() - sendfile() and splice() where they come page by page
 * @sk:    the socket
 * @page:  the page
 * @off:   of the first byte in it
 * @len:   how many bytes
 * @flags: MSG_*
 */
int chalk_sendpage(struct sock *sk, struct page *page, int off, size_t len,
		   int flags)
{
	struct bio_vec bv = {
		.bv_page = page,
		.bv_offset = off,
		.bv_len = len,
	};
	struct msghdr msg = { .msg_flags = flags | MSG_SPLICE_PAGES };

	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, &bv, 1, len);
	return chalk_sendmsg(sk, &msg, len);
}
