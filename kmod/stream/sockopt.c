// SPDX-License-Identifier: GPL-2.0
/*
 * sockopt.c - setsockopt(): the levels SOL_CHALK and SOL_TCP, and SO_RCVLOWAT
 *
 * Names, values, bounds and errno's are those of TCP. What an option means is
 * the core's (struct conn_options); here values are checked and handed over.
 * An option that Chalk does not have fails with ENOPROTOOPT: docs/sockets.md
 * lists them, and how they differ from TCP's.
 *
 * SOL_SOCKET comes here only for SO_KEEPALIVE and SO_RCVLOWAT; SOL_IP goes on to
 * the kernel. Children get what their listener has.
 */
#include <linux/tcp.h>
#include <net/tcp.h>

#include "core/params.h"
#include "sock.h"

/* --- hooks of SOL_SOCKET --- */

/**
 * chalk_keepalive() - SO_KEEPALIVE was set
 * @sk: the socket, locked
 * @on: its value
 */
void chalk_keepalive(struct sock *sk, int on)
{
	conn_set_keepalive(&chalk_sk(sk)->conn, on, chalk_now());
	chalk_push(sk, 0);
}

/**
 * chalk_set_rcvlowat() - SO_RCVLOWAT
 * @sk:  the socket, locked
 * @val: bytes; 0 counts as 1
 *
 * As for TCP it is bounded by the buffer, or makes that larger where the user
 * has not fixed it.
 */
int chalk_set_rcvlowat(struct sock *sk, int val)
{
	bool fixed = sk->sk_userlocks & SOCK_RCVBUF_LOCK;
	int most = fixed ? sk->sk_rcvbuf :
			   READ_ONCE(chalk_net(sock_net(sk))->rmem[2]);

	val = min(val, most / 2);
	WRITE_ONCE(sk->sk_rcvlowat, val ?: 1);
	if (!fixed && val * 2 > sk->sk_rcvbuf)
		WRITE_ONCE(sk->sk_rcvbuf, val * 2);
	chalk_push(sk, WAKE_READ);
	return 0;
}

/* --- numbers --- */

static struct conn_options *options(struct sock *sk)
{
	return &chalk_sk(sk)->conn.opt;
}

static bool is_outside(int val, int least, int most)
{
	return val < least || val > most;
}

static int set_nodelay(struct sock *sk, int val)
{
	conn_set_nodelay(&chalk_sk(sk)->conn, val);
	return 0;
}

/* Counts from the next connection on. */
static int set_maxseg(struct sock *sk, int val)
{
	if (val && is_outside(val, TCP_MIN_MSS, MAX_TCP_WINDOW))
		return -EINVAL;
	WRITE_ONCE(chalk_sk(sk)->user_mss, val);
	return 0;
}

static int set_cork(struct sock *sk, int val)
{
	conn_set_cork(&chalk_sk(sk)->conn, val);
	return 0;
}

static int set_keepidle(struct sock *sk, int val)
{
	if (is_outside(val, 1, MAX_TCP_KEEPIDLE))
		return -EINVAL;
	conn_set_keep_idle(&chalk_sk(sk)->conn, val * USEC_PER_S, chalk_now());
	return 0;
}

static int set_keepintvl(struct sock *sk, int val)
{
	if (is_outside(val, 1, MAX_TCP_KEEPINTVL))
		return -EINVAL;
	options(sk)->keep_interval = val * USEC_PER_S;
	return 0;
}

static int set_keepcnt(struct sock *sk, int val)
{
	if (is_outside(val, 1, MAX_TCP_KEEPCNT))
		return -EINVAL;
	options(sk)->keep_probes = val;
	return 0;
}

static int set_syncnt(struct sock *sk, int val)
{
	if (is_outside(val, 1, MAX_TCP_SYNCNT))
		return -EINVAL;
	WRITE_ONCE(options(sk)->syn_retries, val);
	return 0;
}

static int set_linger2(struct sock *sk, int val)
{
	val = min(val, TCP_FIN_TIMEOUT_MAX / HZ);
	options(sk)->fin_timeout = val < 0 ? -1 : (s64)(val * USEC_PER_S);
	return 0;
}

static int set_defer_accept(struct sock *sk, int val)
{
	u64 wait = max(val, 0) * USEC_PER_S;

	WRITE_ONCE(options(sk)->defer_accept,
		   req_timeouts_in(&chalk_env(sk)->tun, wait));
	return 0;
}

static int set_window_clamp(struct sock *sk, int val)
{
	if (!val && sk->sk_state != TCP_CLOSE)
		return -EINVAL;
	if (val)
		val = max_t(u32, val, SOCK_MIN_RCVBUF / 2);
	conn_set_window_clamp(&chalk_sk(sk)->conn, val, chalk_now());
	return 0;
}

/* 1: from now on, 2: only an ACK that waits; both as TCP reads the number. */
static int set_quickack(struct sock *sk, int val)
{
	conn_set_quickack(&chalk_sk(sk)->conn, val, val & 1);
	return 0;
}

static int set_user_timeout(struct sock *sk, int val)
{
	if (val < 0)
		return -EINVAL;
	options(sk)->user_timeout = val * USEC_PER_MS;
	return 0;
}

/* TCP lets only a socket under repair choose it. */
static int sockopt_set_timestamp(struct sock *sk, int val)
{
	return -EPERM;
}

static int set_notsent_lowat(struct sock *sk, int val)
{
	WRITE_ONCE(chalk_sk(sk)->notsent_lowat, val);
	sk->sk_write_space(sk);
	return 0;
}

static int set_save_syn(struct sock *sk, int val)
{
	if (is_outside(val, 0, 2))
		return -EINVAL;
	WRITE_ONCE(chalk_sk(sk)->save_syn, val);
	return 0;
}

static int set_inq(struct sock *sk, int val)
{
	if (is_outside(val, 0, 1))
		return -EINVAL;
	chalk_sk(sk)->recvmsg_inq = val;
	return 0;
}

static int (*const setters[])(struct sock *sk, int val) = {
	[TCP_NODELAY] = set_nodelay,
	[TCP_MAXSEG] = set_maxseg,
	[TCP_CORK] = set_cork,
	[TCP_KEEPIDLE] = set_keepidle,
	[TCP_KEEPINTVL] = set_keepintvl,
	[TCP_KEEPCNT] = set_keepcnt,
	[TCP_SYNCNT] = set_syncnt,
	[TCP_LINGER2] = set_linger2,
	[TCP_DEFER_ACCEPT] = set_defer_accept,
	[TCP_WINDOW_CLAMP] = set_window_clamp,
	[TCP_QUICKACK] = set_quickack,
	[TCP_USER_TIMEOUT] = set_user_timeout,
	[TCP_TIMESTAMP] = sockopt_set_timestamp,
	[TCP_NOTSENT_LOWAT] = set_notsent_lowat,
	[TCP_SAVE_SYN] = set_save_syn,
	[TCP_INQ] = set_inq,
};

static int set_number(struct sock *sk, int name, int val)
{
	int err;

	if (name < 0 || name >= ARRAY_SIZE(setters) || !setters[name])
		return -ENOPROTOOPT;
	lock_sock(sk);
	err = setters[name](sk, val);
	chalk_push(sk, 0);
	release_sock(sk);
	return err;
}

/* --- TCP_CONGESTION --- */

/* All algorithms of the core are open to everybody, unlike some of TCP's. */
static int set_congestion(struct sock *sk, sockptr_t optval, unsigned int len)
{
	char name[TCP_CA_NAME_MAX] = {};
	const struct cc_ops *ops;

	if (len < 1)
		return -EINVAL;
	if (strncpy_from_sockptr(name, optval,
				 min_t(long, sizeof(name) - 1, len)) < 0)
		return -EFAULT;
	ops = cc_find(name);
	if (!ops)
		return -ENOENT;
	lock_sock(sk);
	conn_set_cc(&chalk_sk(sk)->conn, ops, chalk_now());
	release_sock(sk);
	return 0;
}

/* --- setsockopt() --- */

/**
 * chalk_is_our_level() - whether the options of a level are Chalk's own
 * @level: of get- or setsockopt()
 */
bool chalk_is_our_level(int level)
{
	return level == SOL_CHALK || level == SOL_TCP;
}

/**
 * chalk_setsockopt() - setsockopt() of all levels but SOL_SOCKET
 * @sk:     the socket
 * @level:  SOL_CHALK, SOL_TCP, or what goes on to IP
 * @name:   TCP_*
 * @optval: the value
 * @len:    its bytes
 */
int chalk_setsockopt(struct sock *sk, int level, int name, sockptr_t optval,
		     unsigned int len)
{
	int val;

	if (!chalk_is_our_level(level))
		return READ_ONCE(inet_csk(sk)->icsk_af_ops)
			->setsockopt(sk, level, name, optval, len);
	if (name == TCP_CONGESTION)
		return set_congestion(sk, optval, len);
	if (len < sizeof(val))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;
	return set_number(sk, name, val);
}
