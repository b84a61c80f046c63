// SPDX-License-Identifier: GPL-2.0
/*
 * sendmsg.c - the send buffer: from the program's bytes to pages
 *
 * Owns sk_write_queue: buffers of up to 64 KiB in pages, end to end, from
 * snd_una to write_seq. sendmsg() fills them and tells the core; output.c makes
 * packets that point into them; what is acknowledged goes from the front.
 * A byte is in the store before the core hears of it.
 */
#include <net/sock.h>
#include <net/tcp_states.h>

#include "sock.h"

/* Payload in one buffer of the store. */
#define STORE_SIZE SZ_64K

/* --- the store --- */

static u32 store_end(const struct sock *sk)
{
	const struct sk_buff *tail = skb_peek_tail(&sk->sk_write_queue);

	return tail ? chalk_cb(tail)->end : chalk_sk(sk)->conn.write_seq;
}

/* The buffer to start looking for @seq in: the hint, if it is not behind. */
static struct sk_buff *find_start(struct sock *sk, u32 seq)
{
	struct sk_buff *hint = chalk_sk(sk)->tx_hint;

	if (hint && seq_ge(seq, chalk_cb(hint)->seq))
		return hint;
	return skb_peek(&sk->sk_write_queue);
}

/**
 * chalk_tx_next() - the buffer behind one
 * @sk:  the socket, locked
 * @skb: a buffer of the store
 */
struct sk_buff *chalk_tx_next(struct sock *sk, const struct sk_buff *skb)
{
	if (skb_queue_is_last(&sk->sk_write_queue, skb))
		return NULL;
	return skb_queue_next(&sk->sk_write_queue, skb);
}

/**
 * chalk_tx_find() - the buffer that holds a byte
 * @sk:  the socket, locked
 * @seq: its sequence number
 *
 * Quick for the first byte (a retransmission) and for the one after the last
 * that was found (all else): resending the first leaves the hint alone.
 *
 * Return: the buffer, or NULL: there is no such byte.
 */
struct sk_buff *chalk_tx_find(struct sock *sk, u32 seq)
{
	struct sk_buff *skb = find_start(sk, seq);

	while (skb && seq_ge(seq, chalk_cb(skb)->end))
		skb = chalk_tx_next(sk, skb);
	if (skb && seq_lt(seq, chalk_cb(skb)->seq))
		return NULL;
	if (skb && skb != skb_peek(&sk->sk_write_queue))
		chalk_sk(sk)->tx_hint = skb;
	return skb;
}

static void free_buffer(struct sock *sk, struct sk_buff *skb)
{
	if (chalk_sk(sk)->tx_hint == skb)
		chalk_sk(sk)->tx_hint = NULL;
	__skb_unlink(skb, &sk->sk_write_queue);
	sk_wmem_queued_add(sk, -skb->truesize);
	sk_mem_uncharge(sk, skb->truesize);
	__kfree_skb(skb);
}

/**
 * chalk_tx_free_acked() - free what the peer has acknowledged
 * @sk: the socket, locked
 */
void chalk_tx_free_acked(struct sock *sk)
{
	u32 snd_una = chalk_sk(sk)->conn.snd_una;
	struct sk_buff *skb;

	while ((skb = skb_peek(&sk->sk_write_queue))) {
		if (seq_gt(chalk_cb(skb)->end, snd_una))
			break;
		free_buffer(sk, skb);
	}
}

/**
 * chalk_tx_purge() - free all
 * @sk: the socket, locked
 */
void chalk_tx_purge(struct sock *sk)
{
	struct sk_buff *skb;

	while ((skb = skb_peek(&sk->sk_write_queue)))
		free_buffer(sk, skb);
	sk_mem_reclaim(sk);
}

/* --- filling it --- */

/* Return: a new buffer at the end of the store, or NULL: no memory now. */
static struct sk_buff *add_buffer(struct sock *sk)
{
	struct sk_buff *skb;

	if (!sk_stream_memory_free(sk))
		return NULL;
	skb = alloc_skb(0, sk->sk_allocation);
	if (!skb)
		return NULL;
	if (!sk_wmem_schedule(sk, skb->truesize)) {
		__kfree_skb(skb);
		return NULL;
	}
	/* no checksum while copying: the packet gets one when it is made */
	skb->ip_summed = CHECKSUM_PARTIAL;
	chalk_cb(skb)->seq = store_end(sk);
	chalk_cb(skb)->end = chalk_cb(skb)->seq;
	__skb_queue_tail(&sk->sk_write_queue, skb);
	sk_wmem_queued_add(sk, skb->truesize);
	sk_mem_charge(sk, skb->truesize);
	return skb;
}

static bool takes_more(struct sk_buff *skb, const struct page_frag *pf)
{
	int nr = skb_shinfo(skb)->nr_frags;

	if (skb->len >= STORE_SIZE)
		return false;
	return nr < MAX_SKB_FRAGS ||
	       skb_can_coalesce(skb, nr, pf->page, pf->offset);
}

static struct sk_buff *writable_buffer(struct sock *sk,
				       const struct page_frag *pf)
{
	struct sk_buff *skb = skb_peek_tail(&sk->sk_write_queue);

	return skb && takes_more(skb, pf) ? skb : add_buffer(sk);
}

static void add_frag(struct sk_buff *skb, struct page_frag *pf, int n)
{
	int nr = skb_shinfo(skb)->nr_frags;

	if (skb_can_coalesce(skb, nr, pf->page, pf->offset)) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[nr - 1], n);
	} else {
		skb_fill_page_desc(skb, nr, pf->page, pf->offset, n);
		page_ref_inc(pf->page);
	}
	pf->offset += n;
	chalk_cb(skb)->end += n;
}

/*
 * Copy some bytes into the store.
 * Return: how many, -ENOBUFS: wait for memory, or another error.
 */
static int append(struct sock *sk, struct msghdr *msg)
{
	struct page_frag *pf = sk_page_frag(sk);
	struct sk_buff *skb;
	int n, err;

	if (!sk_page_frag_refill(sk, pf))
		return -ENOBUFS;
	skb = writable_buffer(sk, pf);
	if (!skb)
		return -ENOBUFS;
	n = min_t(size_t, msg_data_left(msg), STORE_SIZE - skb->len);
	n = min_t(int, n, pf->size - pf->offset);
	err = -ENOBUFS;
	if (sk_wmem_schedule(sk, n))
		err = skb_copy_to_page_nocache(sk, &msg->msg_iter, skb,
					       pf->page, pf->offset, n);
	if (!err)
		add_frag(skb, pf, n);
	else if (!skb->len)
		free_buffer(sk, skb);
	return err ?: n;
}

/* --- sendmsg() --- */

/**
 * struct sending - a call of sendmsg() on its way
 * @flags:  MSG_*
 * @timeo:  jiffies it may wait
 * @copied: bytes in the store
 * @told:   of those the core knows about
 */
struct sending {
	int flags;
	long timeo;
	size_t copied;
	size_t told;
};

/* Tell the core what is new in the store, and send. */
static void commit(struct sock *sk, struct sending *s, bool more)
{
	struct conn *c = &chalk_sk(sk)->conn;

	if (s->copied == s->told || !conn_can_write(c))
		return;
	conn_write(c, s->copied - s->told, more, chalk_now());
	s->told = s->copied;
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

	if (!tail || tail->len < STORE_SIZE)
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

static int send_locked(struct sock *sk, struct msghdr *msg)
{
	struct sending s = {
		.flags = msg->msg_flags,
		.timeo = sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT),
	};
	int err = 0;

	if (s.flags & MSG_OOB)
		return -EOPNOTSUPP;
	if ((1 << sk->sk_state) & ~(TCPF_ESTABLISHED | TCPF_CLOSE_WAIT))
		err = sk_stream_wait_connect(sk, &s.timeo);
	sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	if (!err)
		err = msg_data_left(msg) ? send_all(sk, msg, &s) : may_send(sk);
	commit(sk, &s, s.flags & MSG_MORE);
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
