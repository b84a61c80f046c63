// SPDX-License-Identifier: GPL-2.0
/*
 * sock.c - the life of a socket, and the tables that make it one
 *
 * Owns struct proto and struct proto_ops, the birth and death of a socket, its
 * sk_state, and chalk_push(), through which every event of a connection ends.
 * The kernel's socket layer calls in here; the calls that move data or open
 * and close a connection have files of their own.
 */
#include <linux/module.h>
#include <net/inet_common.h>
#include <net/tcp_states.h>

#include "compat.h"
#include "sock.h"

/* Socket memory of all namespaces, in pages; as for TCP. */
static atomic_long_t memory_allocated ____cacheline_aligned_in_smp;
static DEFINE_PER_CPU(int, memory_reserve);
static DEFINE_PER_CPU(unsigned int, orphan_count);
static struct percpu_counter sockets_allocated;
static unsigned long memory_pressure __read_mostly;

/*
 * Least, default and most bytes of a buffer. Only the least is read from here;
 * struct chalk_net has what a namespace set.
 */
static int least_rmem[3] = { SZ_4K };
static int least_wmem[3] = { SZ_4K };

/* --- state --- */

static void leave_tables(struct sock *sk)
{
	sk->sk_prot->unhash(sk);
	if (inet_csk(sk)->icsk_bind_hash &&
	    !(sk->sk_userlocks & SOCK_BINDPORT_LOCK))
		inet_put_port(sk);
}

/**
 * chalk_set_state() - write sk_state; nothing else does
 * @sk:    the socket, locked
 * @state: TCP_CLOSE, and it leaves the hash tables and its automatic port
 */
void chalk_set_state(struct sock *sk, int state)
{
	if (state == TCP_CLOSE)
		leave_tables(sk);
	inet_sk_set_state(sk, state);
}

/* A timeout reports what made it likely, where ICMP told (RFC 1122 4.2.3.9). */
static int error_to_report(const struct sock *sk)
{
	int err = chalk_sk(sk)->conn.err;

	return err == ETIMEDOUT && sk->sk_err_soft ? sk->sk_err_soft : err;
}

static void report_error(struct sock *sk)
{
	int err = error_to_report(sk);

	if (!err)
		return;
	WRITE_ONCE(sk->sk_err, err);
	if (!sock_flag(sk, SOCK_DEAD))
		sk_error_report(sk);
}

/**
 * chalk_finish() - the connection is over
 * @sk: the socket, locked; an orphan loses the reference of its life
 *
 * The receive queue stays, for the reader.
 */
void chalk_finish(struct sock *sk)
{
	chalk_set_state(sk, TCP_CLOSE);
	sk_stop_timer(sk, &sk->sk_timer);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	chalk_tx_purge(sk);
	if (sock_flag(sk, SOCK_DEAD))
		inet_csk_destroy_sock(sk);
	else
		sk->sk_state_change(sk);
}

static void note_end_of_stream(struct sock *sk)
{
	if (!chalk_sk(sk)->conn.fin_rcvd || sk->sk_shutdown & RCV_SHUTDOWN)
		return;
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | RCV_SHUTDOWN);
	sock_set_flag(sk, SOCK_DONE);
}

/**
 * chalk_leave_record() - a record takes over where it suffices
 * @sk: the socket, locked
 */
void chalk_leave_record(struct sock *sk)
{
	if (!chalk_is_open(sk) || !timewait_suffices(&chalk_sk(sk)->conn))
		return;
	chalk_enter_timewait(sk, chalk_now());
	chalk_finish(sk);
}

/*
 * An orphan in FIN_WAIT_2 makes way for a record. What waits in the backlog may be
 * the FIN, so that comes first.
 */
static bool chalk_shrink(struct sock *sk)
{
	if (!timewait_suffices(&chalk_sk(sk)->conn))
		return false;
	if (sock_owned_by_user(sk)) {
		chalk_defer(sk, CHALK_DEFER_RECORD);
		return false;
	}
	chalk_leave_record(sk);
	return true;
}

/* Let sk_state follow. Return: false if that was the end of the connection. */
static bool chalk_sync_state(struct sock *sk, u64 now)
{
	const struct conn *c = &chalk_sk(sk)->conn;

	note_end_of_stream(sk);
	switch (c->state) {
	case ST_TIME_WAIT:
		chalk_enter_timewait(sk, now);
		chalk_finish(sk);
		return false;
	case ST_CLOSED:
		report_error(sk);
		chalk_finish(sk);
		return false;
	default:
		if (c->state != sk->sk_state)
			chalk_set_state(sk, c->state);
		return !chalk_shrink(sk);
	}
}

/* --- after an event --- */

/* sk->sk_write_space: there is room again; sk_stream_write_space() in short */
static void write_space(struct sock *sk)
{
	struct socket_wq *wq;

	if (!__sk_stream_is_writeable(sk, 1) || !sk->sk_socket)
		return;
	clear_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_poll(&wq->wait, EPOLLOUT | EPOLLWRNORM |
							      EPOLLWRBAND);
	if (!(sk->sk_shutdown & SEND_SHUTDOWN))
		sk_wake_async(sk, SOCK_WAKE_SPACE, POLL_OUT);
	rcu_read_unlock();
}

/* Only those who found no room asked to be told. */
static void wake_writers(struct sock *sk)
{
	/* pairs with the barrier in poll_writeable() */
	smp_mb();
	if (sk->sk_socket && test_bit(SOCK_NOSPACE, &sk->sk_socket->flags))
		sk->sk_write_space(sk);
}

static void wake_everybody(struct sock *sk)
{
	sk->sk_state_change(sk);
	if (sk->sk_shutdown == SHUTDOWN_MASK)
		sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_HUP);
	else if (sk->sk_shutdown & RCV_SHUTDOWN)
		sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_IN);
	else
		sk_wake_async(sk, SOCK_WAKE_IO, POLL_OUT);
}

static void wake_up_users(struct sock *sk, unsigned int wake)
{
	if (sock_flag(sk, SOCK_DEAD))
		return;
	if (wake & WAKE_STATE)
		wake_everybody(sk);
	if (wake & WAKE_READ)
		sk->sk_data_ready(sk);
	if (wake & WAKE_WRITE)
		wake_writers(sk);
	if (wake & WAKE_URGENT)
		sk_send_sigurg(sk);
}

/**
 * chalk_rcv_buf() - payload bytes to promise for a receive buffer
 * @sk: the socket
 *
 * Half of SO_RCVBUF: buffers take about as much again for their own needs.
 */
u32 chalk_rcv_buf(const struct sock *sk)
{
	return READ_ONCE(sk->sk_rcvbuf) / 2;
}

/**
 * chalk_rcv_buf_max() - the largest that chalk_rcv_buf() may become
 * @sk: the socket, maybe a listener that is not locked
 *
 * A size that the program has fixed does not grow.
 */
u32 chalk_rcv_buf_max(const struct sock *sk)
{
	u32 most = READ_ONCE(chalk_net(sock_net(sk))->rmem[2]) / 2;

	/* a listener's is not locked */
	if (data_race(sk->sk_userlocks & SOCK_RCVBUF_LOCK))
		return chalk_rcv_buf(sk);
	return max(most, chalk_rcv_buf(sk));
}

/* No buffer grows while memory is short. */
static bool may_grow(const struct sock *sk)
{
	return !sk_under_memory_pressure(sk) &&
	       sk_memory_allocated(sk) < sk_prot_mem_limits(sk, 0);
}

static void sock_grow(const struct sock *sk, int *size, u64 wanted,
		      const int *limits)
{
	wanted = min_t(u64, wanted, READ_ONCE(limits[2]));
	if (wanted > *size && may_grow(sk))
		WRITE_ONCE(*size, wanted);
}

/*
 * As large as the connection is fast, unless the program fixed their size. The
 * first buffer of the store may be all but acknowledged, the last all but empty.
 */
static void tune_buffers(struct sock *sk)
{
	const struct conn *c = &chalk_sk(sk)->conn;
	u64 rcv = 2ULL * conn_rcv_buf_wanted(c);
	u64 snd = conn_snd_buf_wanted(c) + 2 * CHALK_STORE_SIZE;

	if (rcv > sk->sk_rcvbuf && !(sk->sk_userlocks & SOCK_RCVBUF_LOCK))
		sock_grow(sk, &sk->sk_rcvbuf, rcv,
			  chalk_net(sock_net(sk))->rmem);
	if (snd > sk->sk_sndbuf && !(sk->sk_userlocks & SOCK_SNDBUF_LOCK))
		sock_grow(sk, &sk->sk_sndbuf, snd,
			  chalk_net(sock_net(sk))->wmem);
}

/* SO_RCVBUF has no hook for a protocol. */
static void check_rcvbuf(struct sock *sk, u64 now)
{
	struct chalk_sock *cs = chalk_sk(sk);
	int rcvbuf = READ_ONCE(sk->sk_rcvbuf);

	if (likely(cs->rcvbuf == rcvbuf))
		return;
	cs->rcvbuf = rcvbuf;
	conn_set_rcv_buf(&cs->conn, chalk_rcv_buf(sk), now);
}

static bool is_user_waiting(const struct sock *sk)
{
	return sk->sk_socket && test_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
}

/**
 * chalk_push() - do what follows from an event
 * @sk:   the socket, locked; the caller holds a reference of its own
 * @wake: WAKE_* bits that the event asked for
 *
 * Sends, frees, moves sk_state, wakes, sets the timer.
 */
void chalk_push(struct sock *sk, unsigned int wake)
{
	u64 now = chalk_now();

	if (!chalk_is_open(sk))
		return;
	stats_user_waits(&chalk_sk(sk)->conn.stats, is_user_waiting(sk));
	tune_buffers(sk);
	check_rcvbuf(sk, now);
	conn_set_memory(&chalk_sk(sk)->conn, chalk_memory(sk));
	chalk_check_mtu(sk, now);
	chalk_transmit(sk, now);
	chalk_tx_free_acked(sk);
	if (!chalk_sync_state(sk, now))
		return;
	wake_up_users(sk, wake);
	chalk_arm_timer(sk, now);
}

/* --- birth and death --- */

/**
 * chalk_clear_conn() - forget a connection, but not the program's options
 * @sk: the socket, locked
 */
void chalk_clear_conn(struct sock *sk)
{
	struct chalk_sock *cs = chalk_sk(sk);
	struct conn_options opt = cs->conn.opt;

	memset(&cs->conn, 0, sizeof(cs->conn));
	cs->conn.state = ST_CLOSED;
	cs->conn.opt = opt;
	cs->rcvbuf = 0;
}

/* The kernel calls this where IP options change. */
static unsigned int sync_mss_cb(struct sock *sk, u32 pmtu)
{
	if (chalk_is_open(sk) && pmtu)
		chalk_sync_mss(sk, pmtu, chalk_now());
	return chalk_sk(sk)->conn.smss;
}

static int chalk_init_sock(struct sock *sk)
{
	const struct chalk_net *cn = chalk_net(sock_net(sk));
	struct chalk_sock *cs = chalk_sk(sk);

	sk->sk_state = TCP_CLOSE;
	sk->sk_write_space = write_space;
	sock_set_flag(sk, SOCK_USE_WRITE_QUEUE);
	WRITE_ONCE(sk->sk_sndbuf, READ_ONCE(cn->wmem[1]));
	WRITE_ONCE(sk->sk_rcvbuf, READ_ONCE(cn->rmem[1]));
	inet_csk(sk)->icsk_af_ops = &chalk_ipv4_af_ops;
	inet_csk(sk)->icsk_sync_mss = sync_mss_cb;
	timer_setup(&sk->sk_timer, chalk_timer, 0);
	cs->conn.state = ST_CLOSED;
	conn_options_init(&cs->conn.opt, &cn->env.tun);
	cs->early = RB_ROOT;
	sk_sockets_allocated_inc(sk);
	return 0;
}

/**
 * chalk_destroy() - give back what a socket holds; nobody can find it any more
 * @sk: the socket, locked
 */
void chalk_destroy(struct sock *sk)
{
	struct conn *c = &chalk_sk(sk)->conn;

	sk_stop_timer(sk, &sk->sk_timer);
	chalk_tx_purge(sk);
	chalk_rx_purge(sk);
	chalk_forget_syn(chalk_sk(sk));
	kfree(c->reasm.r);
	c->reasm.r = NULL;
	kfree(c->sent.r);
	c->sent.r = NULL;
	if (inet_csk(sk)->icsk_bind_hash)
		inet_put_port(sk);
	sk_sockets_allocated_dec(sk);
}

/* --- the tables --- */

/*
 * TCP_NOTSENT_LOWAT: not more than that may wait to be sent. Who is to be woken
 * (@wake) wants room for as much again.
 */
static bool has_send_room(const struct sock *sk, int wake)
{
	const struct chalk_sock *cs = chalk_sk(sk);
	u32 most = READ_ONCE(cs->notsent_lowat) ?: U32_MAX;

	/* not locked while polling: whatever changes it wakes the poller */
	return data_race(conn_unsent(&cs->conn)) << wake < most;
}

static void enter_memory_pressure(struct sock *sk)
{
	if (!READ_ONCE(memory_pressure) && !xchg(&memory_pressure, 1))
		chalk_count(sock_net(sk), MIB_MEMORY_PRESSURES);
}

struct proto chalk_prot = {
	.name = "CHALK",
	.owner = THIS_MODULE,
	.close = chalk_close,
	.pre_connect = chalk_pre_connect,
	.connect = chalk_connect,
	.disconnect = chalk_disconnect,
	.accept = inet_csk_accept,
	.ioctl = chalk_ioctl,
	.init = chalk_init_sock,
	.destroy = chalk_destroy,
	.shutdown = chalk_shutdown,
	.setsockopt = chalk_setsockopt,
	.getsockopt = chalk_getsockopt,
	.keepalive = chalk_keepalive,
	.sendmsg = chalk_sendmsg,
	.recvmsg = chalk_recvmsg,
	.backlog_rcv = chalk_backlog_rcv,
	.release_cb = chalk_release_cb,
	.hash = inet_hash,
	.unhash = inet_unhash,
	.get_port = inet_csk_get_port,
	.put_port = inet_put_port,
	.stream_memory_free = has_send_room,
	.enter_memory_pressure = enter_memory_pressure,
	.sockets_allocated = &sockets_allocated,
	.orphan_count = &orphan_count,
	.memory_allocated = &memory_allocated,
	.per_cpu_fw_alloc = &memory_reserve,
	.memory_pressure = &memory_pressure,
	.sysctl_mem = chalk_mem,
	.sysctl_wmem = least_wmem,
	.sysctl_rmem = least_rmem,
	.max_header = CHALK_MAX_HEADER,
	.no_autobind = true,
	.obj_size = sizeof(struct chalk_sock),
	.slab_flags = SLAB_TYPESAFE_BY_RCU,
	.rsk_prot = &chalk_req_ops,
	.twsk_prot = &chalk_timewait_ops,
	.diag_destroy = chalk_abort,
	.h.hashinfo = &chalk_hashinfo,
	/* clang-format off */
	CHALK_PROTO_SENDPAGE
	/* clang-format on */
};

const struct proto_ops chalk_stream_ops = { CHALK_INET_OPS, CHALK_STREAM_OPS };

/* --- registration --- */

/**
 * chalk_proto_register() - make the slabs and the accounting of sockets
 */
int chalk_proto_register(void)
{
	int err;

	BUILD_BUG_ON(sizeof(struct chalk_cb) >
		     sizeof_field(struct sk_buff, cb));
	chalk_memory_init();
	err = percpu_counter_init(&sockets_allocated, 0, GFP_KERNEL);
	if (err)
		return err;
	err = proto_register(&chalk_prot, 1);
	if (err)
		goto out_counter;
	err = chalk_has_ipv6() ? chalk_inet6_proto_register() : 0;
	if (err)
		goto out_ipv4;
	return 0;

out_ipv4:
	proto_unregister(&chalk_prot);
out_counter:
	percpu_counter_destroy(&sockets_allocated);
	return err;
}

/**
 * chalk_proto_unregister() - the reverse; no socket and no record is left
 */
void chalk_proto_unregister(void)
{
	if (chalk_has_ipv6())
		chalk_inet6_proto_unregister();
	proto_unregister(&chalk_prot);
	percpu_counter_destroy(&sockets_allocated);
}
