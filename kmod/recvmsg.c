// SPDX-License-Identifier: GPL-2.0
/*
 * recvmsg.c - the receive buffer: from packets to the program's bytes
 *
 * Owns sk_receive_queue (payload in order, up to conn.rcv_nxt) and the tree of
 * early payload beyond it. input.c stores what the core wants kept; recvmsg()
 * copies from the front and tells the core how much.
 *
 * SO_RCVBUF bounds the memory, not the payload. So that small segments can't
 * fill it with packaging, a segment is merged with the one before it, or copied
 * into a buffer of better size, wherever its buffer is mostly empty.
 */
#include <linux/rbtree.h>
#include <linux/tcp.h>
#include <net/busy_poll.h>
#include <net/inet_common.h>
#include <net/ip.h>
#include <net/tcp_states.h>

#include "sock.h"

/* A linear buffer that fills a page, for small segments. */
#define COMPACT_ROOM SKB_MAX_ORDER(0, 0)

/* --- room --- */

/* SO_RCVBUF, or more where a larger one was promised to the peer before. */
static int rx_memory(const struct sock *sk)
{
	const struct conn *c = &chalk_sk(sk)->conn;
	u64 promised = 2ULL * (c->rcv_wnd + conn_readable(c));

	return max_t(u64, READ_ONCE(sk->sk_rcvbuf),
		     min_t(u64, promised, INT_MAX));
}

/*
 * Early payload may take three quarters of the buffer; the rest is for what
 * fills the hole before it. And one segment in order is always taken, so that
 * the hole does get filled.
 */
static int rx_limit(const struct sock *sk, bool early)
{
	int limit = rx_memory(sk);

	if (early)
		return limit - limit / 4;
	return skb_queue_empty(&sk->sk_receive_queue) ? INT_MAX : limit;
}

/**
 * chalk_rx_has_room() - whether payload could be stored
 * @sk:    the socket, locked
 * @skb:   the packet
 * @early: it would be beyond rcv_nxt
 */
bool chalk_rx_has_room(struct sock *sk, struct sk_buff *skb, bool early)
{
	return atomic_read(&sk->sk_rmem_alloc) <= rx_limit(sk, early) &&
	       sk_rmem_schedule(sk, skb, skb->truesize);
}

/* --- storing --- */

static u32 queue_end(const struct sock *sk)
{
	const struct sk_buff *tail = skb_peek_tail(&sk->sk_receive_queue);

	return tail ? chalk_cb(tail)->end : chalk_sk(sk)->conn.rcv_read;
}

/* Bytes that count; a buffer may hold others before and after them. */
static u32 payload(const struct sk_buff *skb)
{
	return chalk_cb(skb)->end - chalk_cb(skb)->seq;
}

static bool is_exact(const struct sk_buff *skb)
{
	return skb->len == chalk_cb(skb)->skip + payload(skb);
}

/* Append @skb to @to, if it follows. Return: true, and @skb is gone. */
static bool merge(struct sock *sk, struct sk_buff *to, struct sk_buff *skb)
{
	bool stolen;
	int delta;

	if (chalk_cb(to)->end != chalk_cb(skb)->seq || chalk_cb(skb)->skip ||
	    !is_exact(to) || !is_exact(skb))
		return false;
	if (!skb_try_coalesce(to, skb, &stolen, &delta))
		return false;
	chalk_cb(to)->end = chalk_cb(skb)->end;
	atomic_add(delta, &sk->sk_rmem_alloc);
	sk_mem_charge(sk, delta);
	kfree_skb_partial(skb, stolen);
	return true;
}

/* More packaging than payload. */
static bool is_wasteful(const struct sk_buff *skb)
{
	return skb->truesize > 2 * payload(skb);
}

/*
 * A copy of @skb in a linear buffer with @room bytes, or @skb itself if there is
 * no memory or nothing to gain. @skb is not charged to the socket.
 */
static struct sk_buff *compact(struct sock *sk, struct sk_buff *skb, u32 room)
{
	u32 len = payload(skb);
	struct sk_buff *copy;

	if (!is_wasteful(skb) || len > room)
		return skb;
	copy = alloc_skb(room, GFP_ATOMIC | __GFP_NOWARN);
	if (!copy)
		return skb;
	if (!sk_rmem_schedule(sk, copy, copy->truesize)) {
		kfree_skb(copy);
		return skb;
	}
	skb_copy_bits(skb, chalk_cb(skb)->skip, skb_put(copy, len), len);
	*chalk_cb(copy) = (struct chalk_cb){
		.seq = chalk_cb(skb)->seq,
		.end = chalk_cb(skb)->end,
	};
	consume_skb(skb);
	return copy;
}

/* In order. A first segment stays as it is; small ones after it are gathered. */
static void queue_in_order(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff *tail = skb_peek_tail(&sk->sk_receive_queue);

	if (tail && merge(sk, tail, skb))
		return;
	if (!skb->sk) {
		if (tail)
			skb = compact(sk, skb, COMPACT_ROOM);
		skb_set_owner_r(skb, sk);
	}
	__skb_queue_tail(&sk->sk_receive_queue, skb);
}

/* Where @skb belongs in the tree, and the buffer before it. */
static struct sk_buff *find_place(struct rb_root *root, u32 seq,
				  struct rb_node **parent,
				  struct rb_node ***link)
{
	struct sk_buff *before = NULL;

	*parent = NULL;
	*link = &root->rb_node;
	while (**link) {
		struct sk_buff *at = rb_to_skb(**link);

		*parent = **link;
		if (seq_lt(seq, chalk_cb(at)->seq)) {
			*link = &(*parent)->rb_left;
		} else {
			before = at;
			*link = &(*parent)->rb_right;
		}
	}
	return before;
}

/* Early: between its neighbours. */
static void queue_early(struct sock *sk, struct sk_buff *skb)
{
	struct rb_root *root = &chalk_sk(sk)->early;
	struct rb_node *parent, **link;
	struct sk_buff *before;

	before = find_place(root, chalk_cb(skb)->seq, &parent, &link);
	if (before && merge(sk, before, skb))
		return;
	skb = compact(sk, skb, payload(skb));
	skb_set_owner_r(skb, sk);
	rb_link_node(&skb->rbnode, parent, link);
	rb_insert_color(&skb->rbnode, root);
}

/* rbnode shares its place with the links of a list. */
static void unlink_early(struct sock *sk, struct sk_buff *skb)
{
	rb_erase(&skb->rbnode, &chalk_sk(sk)->early);
	skb->next = NULL;
	skb->prev = NULL;
	skb->dev = NULL;
}

static void leave_out(struct sk_buff *skb, u32 n)
{
	chalk_cb(skb)->seq += n;
	chalk_cb(skb)->skip += n;
}

/* Early payload that is in order by now moves over. */
static void advance(struct sock *sk)
{
	struct sk_buff *skb;
	u32 end;

	while ((skb = skb_rb_first(&chalk_sk(sk)->early))) {
		end = queue_end(sk);
		if (seq_gt(chalk_cb(skb)->seq, end))
			return;
		unlink_early(sk, skb);
		if (seq_le(chalk_cb(skb)->end, end)) {
			kfree_skb(skb);
			continue;
		}
		leave_out(skb, end - chalk_cb(skb)->seq);
		queue_in_order(sk, skb);
	}
}

/* The packet becomes a buffer: nothing of the way it came is left. */
static void strip(struct sk_buff *skb, const struct seg *seg,
		  const struct verdict *v)
{
	__skb_pull(skb, seg->hdr_len);
	skb_dst_drop(skb);
	skb_orphan(skb);
	skb->dev = NULL;
	*chalk_cb(skb) = (struct chalk_cb){
		.seq = v->seq,
		.end = v->seq + v->keep,
		.skip = v->skip,
	};
}

/**
 * chalk_rx_store() - keep the payload of a segment
 * @sk:  the socket, locked
 * @skb: the packet, consumed
 * @seg: the same, parsed
 * @v:   what the core said to keep
 */
void chalk_rx_store(struct sock *sk, struct sk_buff *skb, const struct seg *seg,
		    const struct verdict *v)
{
	strip(skb, seg, v);
	if (chalk_cb(skb)->seq == queue_end(sk)) {
		queue_in_order(sk, skb);
		advance(sk);
	} else {
		queue_early(sk, skb);
	}
}

/**
 * chalk_rx_purge() - free all payload
 * @sk: the socket, locked
 */
void chalk_rx_purge(struct sock *sk)
{
	struct sk_buff *skb;

	__skb_queue_purge(&sk->sk_receive_queue);
	while ((skb = skb_rb_first(&chalk_sk(sk)->early))) {
		unlink_early(sk, skb);
		kfree_skb(skb);
	}
}

/* --- recvmsg() --- */

/**
 * struct receiving - a call of recvmsg() on its way
 * @msg:    where to copy; NULL: throw away (MSG_TRUNC)
 * @left:   bytes still wanted
 * @copied: bytes given
 * @target: bytes to wait for
 * @timeo:  jiffies it may wait
 * @seq:    sequence number of the next byte
 * @peek:   leave the bytes there (MSG_PEEK)
 */
struct receiving {
	struct msghdr *msg;
	size_t left;
	size_t copied;
	size_t target;
	long timeo;
	u32 seq;
	bool peek;
};

/* The buffer that has the next byte, or NULL. */
static struct sk_buff *next_buffer(struct sock *sk, u32 seq)
{
	struct sk_buff *skb;

	skb_queue_walk(&sk->sk_receive_queue, skb) {
		if (seq_lt(seq, chalk_cb(skb)->end))
			return skb;
	}
	return NULL;
}

/* Tell the core, and free the buffer if that was its last byte. */
static void consume(struct sock *sk, struct sk_buff *skb, u32 n)
{
	struct conn *c = &chalk_sk(sk)->conn;

	conn_read(c, n, chalk_now());
	if (c->rcv_read != chalk_cb(skb)->end)
		return;
	__skb_unlink(skb, &sk->sk_receive_queue);
	__kfree_skb(skb);
}

static int take(struct sock *sk, struct sk_buff *skb, struct receiving *r)
{
	const struct chalk_cb *cb = chalk_cb(skb);
	u32 n = min_t(size_t, cb->end - r->seq, r->left);

	if (r->msg &&
	    skb_copy_datagram_msg(skb, cb->skip + r->seq - cb->seq, r->msg, n))
		return -EFAULT;
	r->seq += n;
	r->copied += n;
	r->left -= n;
	if (r->peek) {
		sk_peek_offset_fwd(sk, n);
	} else {
		sk_peek_offset_bwd(sk, n);
		consume(sk, skb, n);
	}
	return 0;
}

static int take_all(struct sock *sk, struct receiving *r)
{
	struct sk_buff *skb;
	int err = 0;

	while (!err && r->left && (skb = next_buffer(sk, r->seq)))
		err = take(sk, skb, r);
	return err;
}

/* Nothing more will come. Return: 0 for the end of the stream, or an error. */
static bool at_end(struct sock *sk, int *err)
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
	if (at_end(sk, err))
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

static int receive(struct sock *sk, struct receiving *r)
{
	int err;

	for (;;) {
		err = take_all(sk, r);
		if (err || !r->left)
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
	int inq = conn_readable(&chalk_sk(sk)->conn);

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

	if (sk->sk_state == TCP_LISTEN)
		return -ENOTCONN;
	err = receive(sk, &r);
	chalk_push(sk, 0);
	if (chalk_sk(sk)->recvmsg_inq && (r.copied || !err))
		put_inq(sk, msg);
	return r.copied ?: err;
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
	if (flags & MSG_OOB)
		return -EINVAL;
	busy_loop(sk, flags);
	lock_sock(sk);
	ret = recv_locked(sk, msg, len, flags);
	release_sock(sk);
	return ret;
}
