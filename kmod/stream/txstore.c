// SPDX-License-Identifier: GPL-2.0
/*
 * txstore.c - the send buffer: payload in pages, until it is acknowledged
 *
 * Owns sk_write_queue: buffers of up to 64 KiB in pages, end to end, from
 * snd_una to write_seq. sendmsg.c fills them and tells the core; output.c makes
 * packets that point into them; what is acknowledged goes from the front.
 * A byte is in the store before the core hears of it.
 */
#include <net/sock.h>

#include "sock.h"

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
		chalk_stamp_acked(sk, skb);
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

/**
 * chalk_tx_size() - the most bytes that a buffer of the store takes
 * @sk: the socket, locked; its connection may write
 *
 * send() asks whether there is room for a buffer, then fills it. So where the
 * program wants little in the store (SO_SNDBUF, TCP_NOTSENT_LOWAT) a buffer is
 * small: of what goes without a wait, as the rest would leave as a small segment.
 * A sk_sndbuf that the kernel keeps small while memory is short is no wish of the
 * program.
 */
u32 chalk_tx_size(const struct sock *sk)
{
	u32 most = READ_ONCE(chalk_sk(sk)->notsent_lowat) ?: U32_MAX;
	u32 whole = conn_worth_sending(&chalk_sk(sk)->conn);

	if (sk->sk_userlocks & SOCK_SNDBUF_LOCK)
		most = min_t(u32, most, READ_ONCE(sk->sk_sndbuf) / 2);
	if (likely(most >= CHALK_STORE_SIZE))
		return CHALK_STORE_SIZE;
	return max(rounddown(most, whole), whole);
}

/**
 * chalk_tx_last() - the buffer at the end of the store, if it may grow
 * @sk: the socket, locked
 *
 * Its pages may be used up all the same.
 */
struct sk_buff *chalk_tx_last(struct sock *sk)
{
	struct sk_buff *skb = skb_peek_tail(&sk->sk_write_queue);

	if (!skb || skb->len >= chalk_tx_size(sk) || chalk_is_stamped(skb))
		return NULL;
	return skb;
}

/* Memory for a buffer without payload: an empty store gets it by force. */
static bool tx_schedule_buffer(struct sock *sk, int size)
{
	if (sk_wmem_schedule(sk, size))
		return true;
	if (!skb_queue_empty(&sk->sk_write_queue))
		return false;
	chalk_force_memory(sk, size);
	return true;
}

/**
 * chalk_tx_schedule() - memory for payload
 * @sk: the socket, locked
 * @n:  bytes wanted
 *
 * Each socket is sure of the least of net.chalk.wmem, as in tcp_wmem_schedule().
 *
 * Return: how many bytes there is memory for.
 */
int chalk_tx_schedule(struct sock *sk, int n)
{
	int sure;

	if (likely(sk_wmem_schedule(sk, n)))
		return n;
	sure = READ_ONCE(chalk_net(sock_net(sk))->wmem[0]) - sk->sk_wmem_queued;
	if (sure <= 0)
		return 0;
	n = min(n, sure);
	chalk_force_memory(sk, n);
	return n;
}

/**
 * chalk_tx_new() - a new buffer at the end of the store
 * @sk: the socket, locked
 *
 * Return: the buffer, or NULL: no memory now.
 */
struct sk_buff *chalk_tx_new(struct sock *sk)
{
	struct sk_buff *skb;

	if (!sk_stream_memory_free(sk))
		return NULL;
	skb = alloc_skb(0, sk->sk_allocation);
	if (!skb) {
		sk->sk_prot->enter_memory_pressure(sk);
		sk_stream_moderate_sndbuf(sk);
		return NULL;
	}
	if (!tx_schedule_buffer(sk, skb->truesize)) {
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

/**
 * chalk_tx_writable() - the buffer at the end of the store, with room
 * @sk:   the socket, locked
 * @page: of the bytes to be added
 * @off:  of the first of them in it
 *
 * Return: the buffer, or NULL: no memory now.
 */
struct sk_buff *chalk_tx_writable(struct sock *sk, const struct page *page,
				  unsigned int off)
{
	struct sk_buff *skb = chalk_tx_last(sk);
	int nr = skb ? skb_shinfo(skb)->nr_frags : 0;

	if (skb && (nr < MAX_SKB_FRAGS || skb_can_coalesce(skb, nr, page, off)))
		return skb;
	return chalk_tx_new(sk);
}

/**
 * chalk_tx_add() - the buffer has grown by bytes of a page
 * @skb:  from chalk_tx_writable(); its length has been counted already
 * @page: the page; the buffer takes a reference of its own if it needs one
 * @off:  of the first byte in it
 * @len:  how many
 */
void chalk_tx_add(struct sk_buff *skb, struct page *page, unsigned int off,
		  unsigned int len)
{
	int nr = skb_shinfo(skb)->nr_frags;

	if (skb_can_coalesce(skb, nr, page, off)) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[nr - 1], len);
	} else {
		skb_fill_page_desc(skb, nr, page, off, len);
		get_page(page);
	}
	chalk_cb(skb)->end += len;
}

/**
 * chalk_tx_drop_empty() - filling the last buffer has failed
 * @sk: the socket, locked
 */
void chalk_tx_drop_empty(struct sock *sk)
{
	struct sk_buff *tail = skb_peek_tail(&sk->sk_write_queue);

	if (tail && !tail->len)
		free_buffer(sk, tail);
}
