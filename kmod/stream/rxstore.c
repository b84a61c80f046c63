// SPDX-License-Identifier: GPL-2.0
/*
 * rxstore.c - the receive buffer: where payload waits for its reader
 *
 * Owns sk_receive_queue (payload in order, up to conn.rcv_nxt) and the tree of
 * early payload beyond it. input.c stores what the core wants kept; recvmsg.c
 * takes from the front.
 *
 * SO_RCVBUF bounds the memory, not the payload. Each socket is sure of a little
 * whatever all of them hold (memory.c), and early payload gives way to what is in
 * order. So that small segments can't
 * fill it with packaging, a segment is merged with the one before it, or copied
 * into a buffer of better size, wherever its buffer is mostly empty.
 */
#include <linux/rbtree.h>
#include <net/sock.h>

#include "sock.h"

/* A linear buffer that fills a page, for small segments. */
#define COMPACT_ROOM SKB_MAX_ORDER(0, 0)

/* --- room --- */

/* SO_RCVBUF, or more where a larger one was promised to the peer before. */
static int rx_memory(const struct sock *sk)
{
	u64 promised = 2ULL * conn_rcv_promised(&chalk_sk(sk)->conn);

	return max_t(u64, READ_ONCE(sk->sk_rcvbuf),
		     min_t(u64, promised, INT_MAX));
}

static bool rx_fits(struct sock *sk, struct sk_buff *skb)
{
	return atomic_read(&sk->sk_rmem_alloc) <= rx_memory(sk) &&
	       sk_rmem_schedule(sk, skb, skb->truesize);
}

/*
 * What each socket is sure to have: what it offers where there is no memory, and the
 * least of net.chalk.rmem. No limit stops a reader who takes what there is.
 */
static bool rx_is_guaranteed(const struct sock *sk)
{
	const struct conn *c = &chalk_sk(sk)->conn;

	return conn_readable(c) < conn_rcv_sure(c) ||
	       atomic_read(&sk->sk_rmem_alloc) <
		       READ_ONCE(chalk_net(sock_net(sk))->rmem[0]);
}

/* No buffer reaches behind what the core has forgotten. */
static void clip_early(struct sock *sk, u32 end)
{
	struct rb_node *node;

	for (node = rb_first(&chalk_sk(sk)->early); node;
	     node = rb_next(node)) {
		struct chalk_cb *cb = chalk_cb(rb_to_skb(node));

		cb->end = seq_min(cb->end, end);
	}
}

/* rbnode shares its place with the links of a list. */
static void unlink_early(struct sock *sk, struct sk_buff *skb)
{
	rb_erase(&skb->rbnode, &chalk_sk(sk)->early);
	skb->next = NULL;
	skb->prev = NULL;
	skb->dev = NULL;
}

/*
 * Free an eighth of the buffer, the furthest first, as tcp_prune_ofo_queue(): what
 * is nearest is wanted soonest. Return: false if nothing was there.
 */
static bool prune_early(struct sock *sk)
{
	int wanted = READ_ONCE(sk->sk_rcvbuf) / 8;
	struct sk_buff *skb = skb_rb_last(&chalk_sk(sk)->early);
	u32 from;

	if (!skb)
		return false;
	do {
		from = chalk_cb(skb)->seq;
		wanted -= skb->truesize;
		unlink_early(sk, skb);
		kfree_skb_reason(skb, SKB_DROP_REASON_TCP_OFO_QUEUE_PRUNE);
		skb = skb_rb_last(&chalk_sk(sk)->early);
	} while (skb && wanted > 0);
	clip_early(sk, from);
	conn_drop_early(&chalk_sk(sk)->conn, from);
	chalk_count(sock_net(sk), MIB_OFO_PRUNED);
	return true;
}

/*
 * For the next segment in order early payload goes, as in tcp_prune_queue(). There is
 * nothing to collapse: compact() has done that when it came.
 */
static bool rx_make_room(struct sock *sk, struct sk_buff *skb)
{
	chalk_count(sock_net(sk), MIB_PRUNE_CALLED);
	while (prune_early(sk)) {
		if (rx_fits(sk, skb))
			return true;
	}
	chalk_count(sock_net(sk), MIB_RCV_PRUNED);
	/* a reader who waits for more than there is must not wait on */
	conn_set_memory(&chalk_sk(sk)->conn, chalk_memory(sk));
	sk->sk_data_ready(sk);
	return false;
}

/**
 * chalk_rx_has_room() - whether payload can be stored
 * @sk:  the socket, locked
 * @skb: the packet
 * @seg: the same, parsed
 *
 * For the next segment in order room is made, by force if need be.
 */
bool chalk_rx_has_room(struct sock *sk, struct sk_buff *skb,
		       const struct seg *seg)
{
	if (rx_fits(sk, skb))
		return true;
	if (!conn_is_due(&chalk_sk(sk)->conn, seg))
		return false;
	if (!rx_is_guaranteed(sk))
		return rx_make_room(sk, skb);
	chalk_force_memory(sk, skb->truesize);
	return true;
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
	to->tstamp = skb->tstamp;
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
		consume_skb(copy);
		return skb;
	}
	skb_copy_bits(skb, chalk_cb(skb)->skip, skb_put(copy, len), len);
	*chalk_cb(copy) = (struct chalk_cb){
		.seq = chalk_cb(skb)->seq,
		.end = chalk_cb(skb)->end,
	};
	copy->tstamp = skb->tstamp;
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

static bool is_followed_by(const struct sk_buff *skb,
			   const struct sk_buff *next)
{
	return next && chalk_cb(skb)->end == chalk_cb(next)->seq;
}

/*
 * A segment that stands alone gets a buffer of its size. Behind another it is one of
 * a run: the room grows with it, so that what follows is merged. In front of another
 * it takes that in.
 */
static u32 early_room(const struct sk_buff *before, const struct sk_buff *skb,
		      const struct sk_buff *next)
{
	u32 least = payload(skb), most = max_t(u32, least, COMPACT_ROOM);

	if (before && is_followed_by(before, skb))
		return clamp_t(u32, 4 * payload(before), least, most);
	if (is_followed_by(skb, next) && least + payload(next) <= most)
		return least + payload(next);
	return least;
}

/* Segments may come in reverse, too. */
static void take_in_next(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff *next = skb_rb_next(skb);
	u32 n;

	if (!is_followed_by(skb, next) || !is_exact(skb) || skb_cloned(skb))
		return;
	n = payload(next);
	if (n > skb_tailroom(skb))
		return;
	skb_copy_bits(next, chalk_cb(next)->skip, skb_put(skb, n), n);
	chalk_cb(skb)->end = chalk_cb(next)->end;
	unlink_early(sk, next);
	consume_skb(next);
}

/* Early: between its neighbours. */
static void queue_early(struct sock *sk, struct sk_buff *skb)
{
	struct rb_root *root = &chalk_sk(sk)->early;
	struct rb_node *parent, **link;
	struct sk_buff *before, *next;

	before = find_place(root, chalk_cb(skb)->seq, &parent, &link);
	if (before && merge(sk, before, skb))
		return;
	next = before ? skb_rb_next(before) : skb_rb_first(root);
	skb = compact(sk, skb, early_room(before, skb, next));
	skb_set_owner_r(skb, sk);
	rb_link_node(&skb->rbnode, parent, link);
	rb_insert_color(&skb->rbnode, root);
	take_in_next(sk, skb);
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
			consume_skb(skb);
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
 * chalk_rx_find() - the buffer that has a byte
 * @sk:  the socket, locked
 * @seq: its sequence number, not before the reader's
 *
 * Return: the buffer, or NULL: it has not come.
 */
struct sk_buff *chalk_rx_find(struct sock *sk, u32 seq)
{
	struct sk_buff *skb;

	skb_queue_walk(&sk->sk_receive_queue, skb) {
		if (seq_lt(seq, chalk_cb(skb)->end))
			return skb;
	}
	return NULL;
}

/**
 * chalk_rx_free_read() - free what the reader has passed
 * @sk: the socket, locked
 */
void chalk_rx_free_read(struct sock *sk)
{
	u32 read = chalk_sk(sk)->conn.rcv_read;
	struct sk_buff *skb;

	while ((skb = skb_peek(&sk->sk_receive_queue)) &&
	       seq_le(chalk_cb(skb)->end, read)) {
		__skb_unlink(skb, &sk->sk_receive_queue);
		__kfree_skb(skb);
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
