/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sock.h - the sockets of Chalk, and who may touch them when
 *
 * Kinds
 * -----
 * Four structures stand for an endpoint. All begin with a struct sock_common,
 * so that the kernel's hash tables hold them side by side:
 *
 *   struct chalk_sock in LISTEN	a listener; its struct conn has options only
 *   struct chalk_sock, else		a connection: a struct conn and payload
 *   struct chalk_req			SYN_RCVD of a passive open: a struct req
 *   struct chalk_timewait		TIME_WAIT, and FIN_WAIT_2 of an orphan: a
 *					struct timewait
 *
 * sk_state tells them apart: TCP_LISTEN, TCP_NEW_SYN_RECV for a record,
 * TCP_TIME_WAIT for a record, anything else for a connection. A connection's
 * sk_state follows conn.state, in chalk_sync_state(); once it is TCP_CLOSE the
 * socket has left the tables, its timer is off, and only its receive queue is
 * of use. TCP_SYN_RECV on a full socket means a simultaneous open, or a child
 * that was just made.
 *
 * Tables
 * ------
 * chalk_hashinfo (ip/demux.c) has the tables of the kernel's inet protocols:
 * ehash for connections and both records, lhash2 for listeners, bhash and
 * bhash2 for bound ports. Namespaces share them; the namespace is part of
 * every comparison.
 *
 * References
 * ----------
 * sk_refcnt counts the life of the socket, which inet_csk_destroy_sock() ends, a
 * pending sk_timer, a deferred tick (CHALK_DEFER_*) and every lookup in ehash, not
 * ehash itself. Listeners are found under RCU without a reference and freed after
 * a grace period (SOCK_RCU_FREE). The slab is SLAB_TYPESAFE_BY_RCU: a lookup takes
 * its reference only if the count was not zero, then compares again. A packet in
 * flight holds sk_wmem_alloc, which keeps the memory.
 * A record of SYN_RCVD has one reference each for ehash, the kernel's request
 * timer (armed for ever, see listen.c), our timer, and holds one on its
 * listener. When the child is made the reference of the lookup goes on to the
 * accept queue.
 * A TIME_WAIT record has one each for ehash, bhash and its timer. It does not
 * hold the module (timewait.c says how), so rmmod succeeds with TIME_WAIT
 * around; every other kind does.
 * A socket of a user holds its namespace, even when it is an orphan, so a
 * namespace goes only when nothing but such records is left in it.
 *
 * Locks, in the order they nest
 * -----------------------------
 *   the socket lock (lock_sock(), or bh_lock_sock() while nobody owns it)
 *     a child's socket lock (bh_lock_sock_nested())
 *       bhash[].lock, then bhash2[].lock, then ehash's locks; lhash2[].lock
 *       the accept queue's rskq_lock; below it the child's output (RST)
 *       req->lock and timewait->lock: leaves
 *
 * The socket lock guards all of struct chalk_sock. A struct req or struct
 * timewait is guarded by the spinlock beside it. Listeners take segments
 * without any lock; what they read of the socket they read once.
 *
 * Tracing happens under any of them and takes none (watch/trace.h).
 *
 * Contexts
 * --------
 * Process: system calls, under lock_sock(); segments that arrive meanwhile wait
 * in sk_backlog and are taken by release_sock(). Softirq: segments (input.c),
 * ICMP (icmp.c), timers. If a process owns the socket, a segment goes to the
 * backlog; a timer, a change of MTU or an ICMP error is noted in @deferred and
 * done by chalk_release_cb().
 * After any event the owner of the lock calls chalk_push(): it sends what
 * conn_poll() gives, frees what was acknowledged, moves sk_state, wakes, and
 * sets the timer. It may end the connection, and free an orphan: whoever calls
 * it holds a reference.
 */
#ifndef CHALK_SOCK_H
#define CHALK_SOCK_H

#include <linux/rbtree.h>
#include <linux/tcp.h>
#include <uapi/linux/inet_diag.h>
#include <net/inet_connection_sock.h>
#include <net/inet_hashtables.h>
#include <net/inet_timewait_sock.h>
#include <net/request_sock.h>

#include "chalk.h"
#include "compat.h"
#include "core/conn.h"
#include "core/req.h"
#include "core/timewait.h"
#include "ip/ip.h"
#include "ip/ops.h"
#include "net/net.h"

/* What waits for the owner of the socket to let go: bits of @deferred. */
enum {
	CHALK_DEFER_TICK, /* the timer fired; holds a reference */
	CHALK_DEFER_MTU, /* the path's MTU shrank; holds a reference */
	CHALK_DEFER_ICMP, /* an ICMP error came; holds a reference */
	CHALK_DEFER_RECORD, /* a record is to take over; holds a reference */
};

/**
 * struct chalk_sock - a listener or a connection
 * @icsk:     must be first
 * @conn:     the protocol; of a listener the options only
 * @user_mss: TCP_MAXSEG, 0: none
 * @notsent_lowat: TCP_NOTSENT_LOWAT: unsent bytes from which on there is no room
 *            for more, 0: no bound
 * @save_syn: TCP_SAVE_SYN
 * @recvmsg_inq: TCP_INQ: recvmsg() tells what is left to read
 * @saved_syn: for TCP_SAVED_SYN, or NULL
 * @tx_hint:  buffer of sk_write_queue that was sent from last, or NULL
 * @early:    payload beyond rcv_nxt, by sequence number
 * @rcvbuf:   sk_rcvbuf as the core was told last
 * @urgent_byte: the byte at the mark, where conn_urgent() says so
 * @stamp_base: where the keys of timestamps begin (timestamp.c)
 * @mtu_info: MTU that an ICMP message named, for CHALK_DEFER_MTU
 * @icmp_seq: sequence number that an ICMP message quotes, for CHALK_DEFER_ICMP
 * @icmp_err: its errno, positive
 * @icmp_wanted: the program wants to be told at once
 * @iss:      initial sequence number to connect with, 0: choose
 * @deferred: CHALK_DEFER_* bits; atomic
 */
struct chalk_sock {
	struct inet_connection_sock icsk;
	struct conn conn;
	u16 user_mss;
	u32 notsent_lowat;
	u8 save_syn;
	bool recvmsg_inq;
	struct saved_syn *saved_syn;
	struct sk_buff *tx_hint;
	struct rb_root early;
	int rcvbuf;
	u8 urgent_byte;
	u32 stamp_base;
	u32 mtu_info;
	u32 icmp_seq;
	int icmp_err;
	bool icmp_wanted;
	u32 iss;
	unsigned long deferred;
};

#if IS_ENABLED(CONFIG_IPV6)
/**
 * struct chalk6_sock - the same of AF_INET6
 * @chalk: must be first
 * @inet6: must be last, some kernels expect it there
 */
struct chalk6_sock {
	struct chalk_sock chalk;
	struct ipv6_pinfo inet6;
};
#endif

/**
 * struct chalk_req - a connection in SYN_RCVD
 * @ireq:  must be first
 * @lock:  guards what follows
 * @timer: resends the SYN+ACK; holds a reference while pending
 * @req:   the protocol
 * @txhash: hash of the flow, for flow labels and the like
 * @done:  it has become a connection, or was dropped
 */
struct chalk_req {
	struct inet_request_sock ireq;
	spinlock_t lock; /* see above */
	struct timer_list timer;
	struct req req;
	u32 txhash;
	bool done;
};

/**
 * struct chalk_timewait - a connection in TIME_WAIT, or before it an orphan's
 * @tw:   must be first
 * @lock: guards @rec
 * @rec:  the protocol
 */
struct chalk_timewait {
	struct inet_timewait_sock tw;
	spinlock_t lock; /* see above */
	struct timewait rec;
};

/**
 * struct chalk_cb - what Chalk notes in a buffer that holds payload
 * @seq:  sequence number of its first byte
 * @end:  behind its last
 * @skip: bytes in the buffer before the first; there may be more after the last
 * @stamp_ack: sent: a timestamp is due when all is acknowledged
 */
struct chalk_cb {
	u32 seq;
	u32 end;
	u32 skip;
	bool stamp_ack;
};

/* Payload in one buffer of the send store. */
#define CHALK_STORE_SIZE SZ_64K

/**
 * struct chalk_icmp - an error message, whichever IP brought it
 * @kind:   what it is about
 * @seq:    sequence number that it quotes
 * @mtu:    of the path, for CHALK_ICMP_TOO_BIG
 * @err:    positive errno, for CHALK_ICMP_ERROR
 * @wanted: does the program want to be told at once?
 */
struct chalk_icmp {
	enum {
		CHALK_ICMP_OTHER,
		CHALK_ICMP_REDIRECT,
		CHALK_ICMP_TOO_BIG,
		CHALK_ICMP_ERROR,
	} kind;
	u32 seq;
	u32 mtu;
	int err;
	bool (*wanted)(const struct sock *sk);
};

/* All that RFC 792 promises of a quoted segment: its first 8 bytes. */
struct chalk_quote {
	__be16 sport;
	__be16 dport;
	__be32 seq;
};

/**
 * struct chalk_stream_ip - a version of IP, for records and their children
 * @header_len:  bytes of its header, without options
 * @default_mss: of a peer that names none
 * @req_ops:     of records of SYN_RCVD
 * @init_req:    fill in what a record has of its SYN's IP header
 * @req_route:   what the way back to a record's peer asks for, and its MTU, 0:
 *               there is none
 * @send_synack: send a segment of a record; its listener owns the packet, so that
 *               the filters of a control group see it, over both versions
 * @init_child:  give a new child the addresses and options of its record
 * @route_child: find its route and store it; false: there is none
 *
 * For a connection the kernel has such a table of its own, icsk_af_ops.
 */
struct chalk_stream_ip {
	u16 header_len;
	u16 default_mss;
	struct request_sock_ops *req_ops;

	void (*init_req)(struct request_sock *req, const struct sock *listener,
			 struct sk_buff *skb);
	u32 (*req_route)(const struct sock *listener,
			 const struct request_sock *req,
			 struct conn_route *route);
	void (*send_synack)(const struct sock *listener,
			    struct request_sock *req, const struct seg *seg);
	void (*init_child)(struct sock *child, struct request_sock *req,
			   struct sk_buff *skb);
	bool (*route_child)(const struct sock *listener, struct sock *child,
			    struct request_sock *req);
};

extern const struct chalk_stream_ip chalk_stream_ipv4;
extern const struct chalk_stream_ip chalk_stream_ipv6;

static inline const struct chalk_stream_ip *
chalk_stream_ip_of(const struct chalk_ip *ip)
{
	if (IS_ENABLED(CONFIG_IPV6) && ip == &chalk_ipv6)
		return &chalk_stream_ipv6;
	return &chalk_stream_ipv4;
}

static inline const struct chalk_stream_ip *
chalk_ip_of_req(const struct request_sock *req)
{
	if (IS_ENABLED(CONFIG_IPV6) && req->rsk_ops->family == PF_INET6)
		return &chalk_stream_ipv6;
	return &chalk_stream_ipv4;
}

static inline struct chalk_cb *chalk_cb(const struct sk_buff *skb)
{
	return (struct chalk_cb *)skb->cb;
}

static inline struct chalk_sock *chalk_sk(const struct sock *sk)
{
	return (struct chalk_sock *)sk;
}

static inline struct chalk_req *chalk_req(const struct request_sock *req)
{
	return (struct chalk_req *)req;
}

static inline struct chalk_timewait *
chalk_timewait(const struct inet_timewait_sock *tw)
{
	return (struct chalk_timewait *)tw;
}

/* A connection that still takes part in the protocol. */
static inline bool chalk_is_open(const struct sock *sk)
{
	return sk->sk_state != TCP_CLOSE && sk->sk_state != TCP_LISTEN;
}

/* Bytes of IP header in front of a segment of a connection. */
static inline unsigned int chalk_ip_header_len(const struct sock *sk)
{
	return inet_csk(sk)->icsk_af_ops->net_header_len +
	       inet_csk(sk)->icsk_ext_hdr_len;
}

static inline struct env *chalk_env(const struct sock *sk)
{
	return &chalk_net(sock_net(sk))->env;
}

/* What the struct proto_ops of a stream has, whatever its addresses. */
/* clang-format off */
#define CHALK_STREAM_OPS \
	.connect = inet_stream_connect, \
	.accept = inet_accept, \
	.poll = chalk_poll, \
	.listen = chalk_listen, \
	.set_rcvlowat = chalk_set_rcvlowat, \
	.set_peek_off = sk_set_peek_off, \
	.splice_read = chalk_splice_read, \
	CHALK_SPLICE_IN_OPS
/* clang-format on */

/* sock.c */
extern struct proto chalk_prot;
extern const struct proto_ops chalk_stream_ops;

int chalk_proto_register(void);
void chalk_proto_unregister(void);
void chalk_set_state(struct sock *sk, int state);
void chalk_push(struct sock *sk, unsigned int wake);
void chalk_finish(struct sock *sk);
void chalk_destroy(struct sock *sk);
void chalk_clear_conn(struct sock *sk);
void chalk_leave_record(struct sock *sk);
u32 chalk_rcv_buf(const struct sock *sk);
u32 chalk_rcv_buf_max(const struct sock *sk);

/* memory.c */
void chalk_memory_init(void);
enum memory chalk_memory(const struct sock *sk);
void chalk_force_memory(struct sock *sk, int size);
bool chalk_spares_orphan(const struct sock *sk, u32 weight);

/* sock6.c */
int chalk_inet6_proto_register(void);
void chalk_inet6_proto_unregister(void);
int chalk_inet6_input_register(void);
void chalk_inet6_input_unregister(void);
int chalk_inet6_family_register(void);
void chalk_inet6_family_unregister(void);

/* ipv4.c */
extern struct request_sock_ops chalk_req_ops;
extern const struct inet_connection_sock_af_ops chalk_ipv4_af_ops;

void chalk_ipv4_send_check(struct sock *sk, struct sk_buff *skb);
void chalk_ipv4_mtu_reduced(struct sock *sk);

/* ipv6.c */
extern struct request_sock_ops chalk6_req_ops;
extern const struct inet_connection_sock_af_ops chalk_ipv6_af_ops;
extern const struct inet_connection_sock_af_ops chalk_mapped_af_ops;

void chalk_ipv6_init_mapped(struct sock *child);
void chalk_ipv6_inherit_packet(struct sock *child, struct request_sock *req);
void chalk_ipv6_note_packet(struct sock *sk, struct sk_buff *skb);
void chalk_ipv6_init_timewait(struct inet_timewait_sock *tw,
			      const struct sock *sk);

/* event.c */
void chalk_emit(struct env *env, enum event_owner what, const void *owner,
		const struct event *ev);

/* conns.c */
struct dentry;

void chalk_conns_init(struct dentry *dir);

/* sockopt.c */
int chalk_setsockopt(struct sock *sk, int level, int name, sockptr_t val,
		     unsigned int len);
bool chalk_is_our_level(int level);
void chalk_keepalive(struct sock *sk, int on);
int chalk_set_rcvlowat(struct sock *sk, int val);

/* sockopt_get.c */
int chalk_getsockopt(struct sock *sk, int level, int name, char __user *val,
		     int __user *len);
void chalk_save_syn(const struct sock *sk, struct request_sock *req,
		    const struct sk_buff *skb);
void chalk_forget_syn(struct chalk_sock *cs);

/* info.c */
void chalk_get_info(struct sock *sk, struct tcp_info *info);
void chalk_get_diag(struct sock *sk, struct inet_diag_msg *msg,
		    struct tcp_info *info);
void chalk_get_diag_req(struct request_sock *req, struct inet_diag_msg *msg);
const char *chalk_get_cc_name(const struct sock *sk);
int chalk_getsockopt_info(struct sock *sk, char __user *val, int __user *len);

/* connect.c */
int chalk_pre_connect(struct sock *sk, struct sockaddr *addr, int len);
int chalk_connect(struct sock *sk, struct sockaddr *addr, int len);
void chalk_open(struct sock *sk);
void chalk_undo_connect(struct sock *sk);

/* connect6.c */
int chalk_pre_connect6(struct sock *sk, struct sockaddr *addr, int len);
int chalk_connect6(struct sock *sk, struct sockaddr *addr, int len);

/* listen.c */
int chalk_listen(struct socket *sock, int backlog);
void chalk_listen_rx(struct sock *sk, struct sk_buff *skb,
		     const struct seg *seg, u32 iss,
		     struct inet_timewait_sock *old);
bool chalk_req_rx(struct request_sock *req, struct sk_buff *skb,
		  struct seg *seg);
void chalk_req_abort(struct request_sock *req);

/* input.c */
int chalk_input_register(void);
void chalk_input_unregister(void);
int chalk_rcv(struct sk_buff *skb);
enum cause chalk_refused_by(struct sock *sk, struct sk_buff *skb);
void chalk_rx(struct sock *sk, struct sk_buff *skb, struct seg *seg);
int chalk_backlog_rcv(struct sock *sk, struct sk_buff *skb);
void chalk_drop(struct net *net, struct sk_buff *skb, const struct seg *seg,
		enum cause why);

/* poll.c */
__poll_t chalk_poll(struct file *file, struct socket *sock, poll_table *wait);
int chalk_ioctl(struct sock *sk, int cmd, CHALK_IOCTL_ARG arg);

/* rxstore.c */
bool chalk_rx_has_room(struct sock *sk, struct sk_buff *skb,
		       const struct seg *seg);
void chalk_rx_store(struct sock *sk, struct sk_buff *skb, const struct seg *seg,
		    const struct verdict *v);
struct sk_buff *chalk_rx_find(struct sock *sk, u32 seq);
void chalk_rx_free_read(struct sock *sk);
void chalk_rx_purge(struct sock *sk);

/* recvmsg.c */
void chalk_rx_consume(struct sock *sk, u32 n);
bool chalk_rx_at_end(struct sock *sk, int *err);
int chalk_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags,
		  int *addr_len);

/* sendmsg.c */
int chalk_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);

int chalk_sendpage(struct sock *sk, struct page *page, int off, size_t len,
		   int flags);

/* splice.c */
ssize_t chalk_splice_read(struct socket *sock, loff_t *pos,
			  struct pipe_inode_info *pipe, size_t len,
			  unsigned int flags);
void chalk_splice_eof(struct socket *sock);

/* timestamp.c */
void chalk_put_timestamp(struct msghdr *msg, const struct sock *sk,
			 ktime_t when);
void chalk_stamp_begin(struct sock *sk, u32 tsflags);
void chalk_stamp_written(struct sock *sk, u32 tsflags);
bool chalk_is_stamped(const struct sk_buff *skb);
void chalk_stamp_packet(struct sk_buff *skb, const struct sk_buff *from);
void chalk_stamp_acked(struct sock *sk, struct sk_buff *skb);

/* txstore.c */
u32 chalk_tx_size(const struct sock *sk);
struct sk_buff *chalk_tx_last(struct sock *sk);
int chalk_tx_schedule(struct sock *sk, int n);
struct sk_buff *chalk_tx_new(struct sock *sk);
struct sk_buff *chalk_tx_writable(struct sock *sk, const struct page *page,
				  unsigned int off);
void chalk_tx_add(struct sk_buff *skb, struct page *page, unsigned int off,
		  unsigned int len);
void chalk_tx_drop_empty(struct sock *sk);
struct sk_buff *chalk_tx_find(struct sock *sk, u32 seq);
struct sk_buff *chalk_tx_next(struct sock *sk, const struct sk_buff *skb);
void chalk_tx_free_acked(struct sock *sk);
void chalk_tx_purge(struct sock *sk);

/* output.c */
void chalk_transmit(struct sock *sk, u64 now);
void chalk_check_mtu(struct sock *sk, u64 now);
void chalk_sync_mss(struct sock *sk, u32 pmtu, u64 now);
u16 chalk_mtu_mss(u32 mtu, unsigned int ip_header);
struct conn_route chalk_route_of(const struct dst_entry *dst);
void chalk_send_reset(struct net *net, const struct sock *sk,
		      struct sk_buff *skb, const struct seg *seg);

/* close.c */
void chalk_close(struct sock *sk, long timeout);
void chalk_shutdown(struct sock *sk, int how);
int chalk_disconnect(struct sock *sk, int flags);
int chalk_abort(struct sock *sk, int err);
bool chalk_check_orphan(struct sock *sk, u32 weight);

/* timewait.c */
extern struct timewait_sock_ops chalk_timewait_ops;
extern struct timewait_sock_ops chalk6_timewait_ops;

void chalk_enter_timewait(struct sock *sk, u64 now);
void chalk_timewait_abort(struct inet_timewait_sock *tw);
void chalk_timewait_give_way(struct inet_timewait_sock *tw);
int chalk_hash_connect(struct sock *sk,
		       int (*hash)(struct inet_timewait_death_row *row,
				   struct sock *sk));
void chalk_timewait_rx(struct inet_timewait_sock *tw, struct sk_buff *skb,
		       const struct seg *seg);
int chalk_stream_net_init(void);
void chalk_stream_net_exit(void);

/* timer.c */
unsigned long chalk_jiffies_until(u64 deadline, u64 now);
void chalk_timer(struct timer_list *t);
void chalk_arm_timer(struct sock *sk, u64 now);
void chalk_defer(struct sock *sk, int what);
void chalk_release_cb(struct sock *sk);

/* icmp.c */
int chalk_icmp_error(struct sk_buff *skb, u32 info);
void chalk_icmp_rx(struct sock *sk, struct sk_buff *skb,
		   const struct chalk_icmp *msg);
void chalk_mtu_reduced(struct sock *sk);
void chalk_icmp_told(struct sock *sk);

/* icmp6.c */
int chalk_icmp6_error(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type,
		      u8 code, int offset, __be32 info);

#endif /* CHALK_SOCK_H */
