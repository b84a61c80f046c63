// SPDX-License-Identifier: GPL-2.0
/*
 * sockopt.c - options of the levels SOL_CHALK and SOL_TCP
 *
 * SOL_SOCKET never comes here but for SO_KEEPALIVE; SOL_IP goes on to the
 * kernel. What a program sets stays over connect() and is handed to children.
 */
#include <linux/tcp.h>
#include <net/ip.h>

#include "core/params.h"
#include "sock.h"

static bool is_our_level(int level)
{
	return level == SOL_CHALK || level == SOL_TCP;
}

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

/* The keep-alive timer counts by the new times from now on. */
static void restart_keepalive(struct sock *sk)
{
	if (chalk_sk(sk)->conn.opt.keepalive)
		chalk_keepalive(sk, true);
}

static int set_nodelay(struct sock *sk, int val)
{
	chalk_sk(sk)->conn.opt.nodelay = val != 0;
	chalk_push(sk, 0);
	return 0;
}

/* Counts from the next connection on. */
static int set_maxseg(struct sock *sk, int val)
{
	if (val && (val < MSS_FLOOR || val > U16_MAX))
		return -EINVAL;
	WRITE_ONCE(chalk_sk(sk)->user_mss, val);
	return 0;
}

/* Bounds of the three as for TCP (MAX_TCP_KEEPIDLE and so on). */
static int set_keep_time(struct sock *sk, u64 *time, int val)
{
	if (val < 1 || val > 32767)
		return -EINVAL;
	*time = val * USEC_PER_S;
	restart_keepalive(sk);
	return 0;
}

static int set_keep_probes(struct sock *sk, int val)
{
	if (val < 1 || val > 127)
		return -EINVAL;
	chalk_sk(sk)->conn.opt.keep_probes = val;
	return 0;
}

static int write_option(struct sock *sk, int name, int val)
{
	struct conn_options *opt = &chalk_sk(sk)->conn.opt;

	switch (name) {
	case TCP_NODELAY:
		return set_nodelay(sk, val);
	case TCP_MAXSEG:
		return set_maxseg(sk, val);
	case TCP_KEEPIDLE:
		return set_keep_time(sk, &opt->keep_idle, val);
	case TCP_KEEPINTVL:
		return set_keep_time(sk, &opt->keep_interval, val);
	case TCP_KEEPCNT:
		return set_keep_probes(sk, val);
	default:
		return -ENOPROTOOPT;
	}
}

int chalk_setsockopt(struct sock *sk, int level, int name, sockptr_t optval,
		     unsigned int len)
{
	int val, err;

	if (!is_our_level(level))
		return ip_setsockopt(sk, level, name, optval, len);
	if (len < sizeof(val))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;
	lock_sock(sk);
	err = write_option(sk, name, val);
	release_sock(sk);
	return err;
}

static int read_option(struct sock *sk, int name, int *val)
{
	const struct conn *c = &chalk_sk(sk)->conn;

	switch (name) {
	case TCP_NODELAY:
		*val = c->opt.nodelay;
		return 0;
	case TCP_MAXSEG:
		*val = c->smss ?: chalk_sk(sk)->user_mss ?: MSS_DEFAULT;
		return 0;
	case TCP_KEEPIDLE:
		*val = div_u64(c->opt.keep_idle, USEC_PER_S);
		return 0;
	case TCP_KEEPINTVL:
		*val = div_u64(c->opt.keep_interval, USEC_PER_S);
		return 0;
	case TCP_KEEPCNT:
		*val = c->opt.keep_probes;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int chalk_getsockopt(struct sock *sk, int level, int name, char __user *optval,
		     int __user *optlen)
{
	int val, len, err;

	if (!is_our_level(level))
		return ip_getsockopt(sk, level, name, optval, optlen);
	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	if (name == TCP_INFO)
		return chalk_getsockopt_info(sk, optval, optlen);
	lock_sock(sk);
	err = read_option(sk, name, &val);
	release_sock(sk);
	if (err)
		return err;
	len = min_t(unsigned int, len, sizeof(val));
	if (put_user(len, optlen) || copy_to_user(optval, &val, len))
		return -EFAULT;
	return 0;
}
