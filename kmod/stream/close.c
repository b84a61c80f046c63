// SPDX-License-Identifier: GPL-2.0
/*
 * close.c - shutdown(), close(), and the abrupt end
 *
 * Called by the socket layer. The core knows what each means in each state;
 * here is what becomes of the socket: waiting, orphans, freeing.
 */
#include <net/tcp_states.h>

#include "sock.h"

/**
 * chalk_shutdown() - shutdown()
 * @sk:  the socket, locked
 * @how: RCV_SHUTDOWN and SEND_SHUTDOWN bits; sk_shutdown has them already, and
 *       what was shut down before, even before connect()
 */
void chalk_shutdown(struct sock *sk, int how)
{
	struct conn *c = &chalk_sk(sk)->conn;

	if (!chalk_is_open(sk))
		return;
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		conn_close_read(c);
	if (!(how & SEND_SHUTDOWN))
		return;
	conn_close(c, chalk_now());
	chalk_push(sk, 0);
}

/* --- the abrupt end --- */

static void abort_connection(struct sock *sk)
{
	conn_abort(&chalk_sk(sk)->conn, chalk_now());
	chalk_transmit(sk, chalk_now());
	WRITE_ONCE(sk->sk_err, ECONNRESET);
	chalk_set_state(sk, TCP_CLOSE);
}

/* As it was before connect(). */
static void forget_connection(struct sock *sk)
{
	struct chalk_sock *cs = chalk_sk(sk);

	sk_stop_timer(sk, &sk->sk_timer);
	chalk_tx_purge(sk);
	chalk_rx_purge(sk);
	kfree(cs->conn.reasm.r);
	kfree(cs->conn.sent.r);
	chalk_clear_conn(sk);
	/* as TCP: these were for the peer that is gone */
	conn_options_disconnect(&cs->conn.opt);
	WRITE_ONCE(cs->user_mss, 0);
	chalk_forget_syn(cs);
	inet_sk(sk)->inet_dport = 0;
	inet_bhash2_reset_saddr(sk);
	WRITE_ONCE(sk->sk_shutdown, 0);
	sock_reset_flag(sk, SOCK_DONE);
	__sk_dst_reset(sk);
}

/**
 * chalk_disconnect() - connect() to AF_UNSPEC; also a child nobody accepted
 * @sk:    the socket, locked
 * @flags: not used
 */
int chalk_disconnect(struct sock *sk, int flags)
{
	if (sk->sk_state == TCP_LISTEN) {
		chalk_set_state(sk, TCP_CLOSE);
		inet_csk_listen_stop(sk);
	} else if (sk->sk_state != TCP_CLOSE) {
		abort_connection(sk);
	}
	forget_connection(sk);
	sk_error_report(sk);
	return 0;
}

/* --- an administrator's end: SOCK_DESTROY --- */

static void end_with(struct sock *sk, int err)
{
	WRITE_ONCE(sk->sk_err, err);
	if (!sock_flag(sk, SOCK_DEAD))
		sk_error_report(sk);
	chalk_finish(sk);
}

static bool abort_listener(struct sock *sk, int err)
{
	bool found;

	lock_sock(sk);
	found = sk->sk_state == TCP_LISTEN;
	if (found) {
		chalk_set_state(sk, TCP_CLOSE);
		inet_csk_listen_stop(sk);
		end_with(sk, err);
	}
	release_sock(sk);
	return found;
}

/*
 * Not by lock_sock() if nobody owns it: the socket may be one that waits for
 * accept(), and those no process owns.
 */
static bool abort_open(struct sock *sk, int err)
{
	bool slow = lock_sock_fast(sk);
	bool found = chalk_is_open(sk);
	u64 now = chalk_now();

	if (found) {
		conn_abort(&chalk_sk(sk)->conn, now);
		chalk_transmit(sk, now);
		end_with(sk, err);
	}
	unlock_sock_fast(sk, slow);
	return found;
}

/**
 * chalk_abort() - end a socket, whoever holds it (ss -K)
 * @sk:  a socket or a record; the caller holds a reference
 * @err: positive errno for its user
 *
 * The peer gets a RST where there is one. As tcp_abort().
 *
 * Return: 0, or -ENOENT: it has ended already.
 */
int chalk_abort(struct sock *sk, int err)
{
	switch (inet_sk_state_load(sk)) {
	case TCP_NEW_SYN_RECV:
		chalk_req_abort(inet_reqsk(sk));
		return 0;
	case TCP_TIME_WAIT:
		chalk_timewait_abort(inet_twsk(sk));
		return 0;
	case TCP_LISTEN:
		return abort_listener(sk, err) ? 0 : -ENOENT;
	default:
		return abort_open(sk, err) ? 0 : -ENOENT;
	}
}

/* --- close() --- */

static void close_connection(struct sock *sk, long timeout)
{
	struct conn *c = &chalk_sk(sk)->conn;

	if (sock_flag(sk, SOCK_LINGER) && !sk->sk_lingertime) {
		chalk_count(sock_net(sk), MIB_ABORT_ON_DATA);
		conn_abort(c, chalk_now());
	} else {
		conn_release(c, chalk_now());
	}
	__skb_queue_purge(&sk->sk_receive_queue);
	chalk_push(sk, 0);
	sk_stream_wait_close(sk, timeout);
}

static void close_by_user(struct sock *sk, long timeout)
{
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	if (sk->sk_state == TCP_LISTEN) {
		chalk_set_state(sk, TCP_CLOSE);
		inet_csk_listen_stop(sk);
	} else if (sk->sk_state != TCP_CLOSE) {
		close_connection(sk, timeout);
	}
}

/* An orphan of too many, or that holds too much while there is no memory. */
static void end_orphan(struct sock *sk)
{
	chalk_count(sock_net(sk), MIB_ABORT_ON_MEMORY);
	conn_abort(&chalk_sk(sk)->conn, chalk_now());
	chalk_transmit(sk, chalk_now());
	chalk_finish(sk);
}

/**
 * chalk_check_orphan() - end an orphan that the machine can't bear
 * @sk:     the socket, locked; the caller holds a reference of its own
 * @weight: how dear it is, see chalk_spares_orphan()
 *
 * Return: true if that was its end.
 */
bool chalk_check_orphan(struct sock *sk, u32 weight)
{
	if (!sock_flag(sk, SOCK_DEAD) || !chalk_is_open(sk) ||
	    chalk_spares_orphan(sk, weight))
		return false;
	end_orphan(sk);
	return true;
}

/**
 * chalk_close() - close(): no process holds the socket any more
 * @sk:      the socket
 * @timeout: jiffies to wait for the peer's ACK of all (SO_LINGER)
 *
 * A connection that is not over lives on as an orphan until chalk_finish().
 */
void chalk_close(struct sock *sk, long timeout)
{
	int state;

	lock_sock(sk);
	close_by_user(sk, timeout);
	state = sk->sk_state;
	sock_hold(sk);
	sock_orphan(sk);
	this_cpu_inc(*sk->sk_prot->orphan_count);
	release_sock(sk); /* takes the backlog; may finish the orphan */

	local_bh_disable();
	bh_lock_sock(sk);
	/* closed before it was an orphan: nobody has destroyed it */
	if (state == TCP_CLOSE)
		inet_csk_destroy_sock(sk);
	else
		chalk_check_orphan(sk, 0);
	bh_unlock_sock(sk);
	local_bh_enable();
	sock_put(sk);
}
