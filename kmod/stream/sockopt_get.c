// SPDX-License-Identifier: GPL-2.0
/*
 * sockopt_get.c - getsockopt(): the levels SOL_CHALK and SOL_TCP
 *
 * The reverse of sockopt.c. Also keeps the SYN for TCP_SAVED_SYN.
 */
#include <linux/tcp.h>
#include <net/tcp.h>

#include "core/params.h"
#include "sock.h"

/* --- numbers --- */

static const struct tunables *tunables(const struct sock *sk)
{
	return &chalk_env(sk)->tun;
}

static int get_nodelay(const struct sock *sk)
{
	return chalk_sk(sk)->conn.opt.nodelay;
}

static int get_maxseg(const struct sock *sk)
{
	const struct chalk_sock *cs = chalk_sk(sk);

	if (cs->user_mss && !chalk_is_open(sk))
		return cs->user_mss;
	return cs->conn.smss ?: MSS_DEFAULT;
}

static int get_cork(const struct sock *sk)
{
	return chalk_sk(sk)->conn.opt.cork;
}

static int get_keepidle(const struct sock *sk)
{
	return div_u64(chalk_sk(sk)->conn.opt.keep_idle, USEC_PER_S);
}

static int get_keepintvl(const struct sock *sk)
{
	return div_u64(chalk_sk(sk)->conn.opt.keep_interval, USEC_PER_S);
}

static int get_keepcnt(const struct sock *sk)
{
	return chalk_sk(sk)->conn.opt.keep_probes;
}

static int get_syncnt(const struct sock *sk)
{
	return chalk_sk(sk)->conn.opt.syn_retries ?: tunables(sk)->syn_retries;
}

static int get_linger2(const struct sock *sk)
{
	s64 wait = chalk_sk(sk)->conn.opt.fin_timeout;

	if (wait < 0)
		return -1;
	return div_u64(wait ? wait : tunables(sk)->fin_timeout, USEC_PER_S);
}

static int get_defer_accept(const struct sock *sk)
{
	return div_u64(req_time_of(tunables(sk),
				   chalk_sk(sk)->conn.opt.defer_accept),
		       USEC_PER_S);
}

static int get_window_clamp(const struct sock *sk)
{
	return conn_window_clamp(&chalk_sk(sk)->conn);
}

static int get_quickack(const struct sock *sk)
{
	return !chalk_sk(sk)->conn.opt.pingpong;
}

static int get_user_timeout(const struct sock *sk)
{
	return div_u64(chalk_sk(sk)->conn.opt.user_timeout, USEC_PER_MS);
}

static int get_timestamp(const struct sock *sk)
{
	return timestamp(chalk_sk(sk)->conn.ts_off, chalk_now());
}

static int get_notsent_lowat(const struct sock *sk)
{
	return chalk_sk(sk)->notsent_lowat;
}

static int get_save_syn(const struct sock *sk)
{
	return chalk_sk(sk)->save_syn;
}

static int get_inq(const struct sock *sk)
{
	return chalk_sk(sk)->recvmsg_inq;
}

static int (*const getters[])(const struct sock *sk) = {
	[TCP_NODELAY] = get_nodelay,
	[TCP_MAXSEG] = get_maxseg,
	[TCP_CORK] = get_cork,
	[TCP_KEEPIDLE] = get_keepidle,
	[TCP_KEEPINTVL] = get_keepintvl,
	[TCP_KEEPCNT] = get_keepcnt,
	[TCP_SYNCNT] = get_syncnt,
	[TCP_LINGER2] = get_linger2,
	[TCP_DEFER_ACCEPT] = get_defer_accept,
	[TCP_WINDOW_CLAMP] = get_window_clamp,
	[TCP_QUICKACK] = get_quickack,
	[TCP_USER_TIMEOUT] = get_user_timeout,
	[TCP_TIMESTAMP] = get_timestamp,
	[TCP_NOTSENT_LOWAT] = get_notsent_lowat,
	[TCP_SAVE_SYN] = get_save_syn,
	[TCP_INQ] = get_inq,
};

/* --- how an answer gets to the user --- */

static int sockopt_give(const void *answer, int size, char __user *optval,
			int __user *optlen, int len)
{
	len = min(len, size);
	if (put_user(len, optlen) || copy_to_user(optval, answer, len))
		return -EFAULT;
	return 0;
}

static int give_number(struct sock *sk, int name, char __user *optval,
		       int __user *optlen, int len)
{
	int val;

	if (name < 0 || name >= ARRAY_SIZE(getters) || !getters[name])
		return -ENOPROTOOPT;
	lock_sock(sk);
	val = getters[name](sk);
	release_sock(sk);
	return sockopt_give(&val, sizeof(val), optval, optlen, len);
}

static int give_congestion(struct sock *sk, char __user *optval,
			   int __user *optlen, int len)
{
	char name[TCP_CA_NAME_MAX] = {};

	lock_sock(sk);
	strscpy(name, conn_cc(&chalk_sk(sk)->conn, tunables(sk))->name,
		sizeof(name));
	release_sock(sk);
	return sockopt_give(name, sizeof(name), optval, optlen, len);
}

/* --- TCP_SAVE_SYN, TCP_SAVED_SYN --- */

/**
 * chalk_save_syn() - keep the headers of a SYN, if the listener wants that
 * @sk:  the listener, not locked
 * @req: the record; owns the copy from now on
 * @skb: the SYN
 *
 * Where there is no memory there is no copy.
 */
void chalk_save_syn(const struct sock *sk, struct request_sock *req,
		    const struct sk_buff *skb)
{
	u8 how = READ_ONCE(chalk_sk(sk)->save_syn);
	u32 mac = how == 2 ? skb_mac_header_len(skb) : 0;
	u32 ip = skb_network_header_len(skb);
	u32 own = wire_header_len(skb_transport_header(skb));
	struct saved_syn *copy;

	if (!how)
		return;
	copy = kmalloc(struct_size(copy, data, mac + ip + own),
		       GFP_ATOMIC | __GFP_NOWARN);
	if (!copy)
		return;
	copy->mac_hdrlen = mac;
	copy->network_hdrlen = ip;
	copy->tcp_hdrlen = own;
	memcpy(copy->data, skb_network_header(skb) - mac, mac + ip + own);
	req->saved_syn = copy;
}

/* It is given once; a buffer that is too short hears how long it must be. */
static int give_saved_syn(struct chalk_sock *cs, char __user *optval,
			  int __user *optlen, int len)
{
	const struct saved_syn *copy = cs->saved_syn;
	int size, err;

	if (!copy)
		return put_user(0, optlen);
	size = copy->mac_hdrlen + copy->network_hdrlen + copy->tcp_hdrlen;
	if (len < size)
		return put_user(size, optlen) ?: -EINVAL;
	err = sockopt_give(copy->data, size, optval, optlen, len);
	if (!err)
		chalk_forget_syn(cs);
	return err;
}

/**
 * chalk_forget_syn() - free the copy that chalk_save_syn() made
 * @cs: the connection that the record became, locked
 */
void chalk_forget_syn(struct chalk_sock *cs)
{
	kfree(cs->saved_syn);
	cs->saved_syn = NULL;
}

/* --- getsockopt() --- */

static int give_ours(struct sock *sk, int name, char __user *optval,
		     int __user *optlen, int len)
{
	int err;

	switch (name) {
	case TCP_INFO:
		return chalk_getsockopt_info(sk, optval, optlen);
	case TCP_CONGESTION:
		return give_congestion(sk, optval, optlen, len);
	case TCP_CC_INFO:
		/* Reno has nothing to tell, TCP's neither */
		return put_user(0, optlen);
	case TCP_SAVED_SYN:
		lock_sock(sk);
		err = give_saved_syn(chalk_sk(sk), optval, optlen, len);
		release_sock(sk);
		return err;
	default:
		return give_number(sk, name, optval, optlen, len);
	}
}

/**
 * chalk_getsockopt() - getsockopt() of all levels but SOL_SOCKET
 * @sk:     the socket
 * @level:  SOL_CHALK, SOL_TCP, or what goes on to IP
 * @name:   TCP_*
 * @optval: where the value goes
 * @optlen: bytes there are, then bytes given
 */
int chalk_getsockopt(struct sock *sk, int level, int name, char __user *optval,
		     int __user *optlen)
{
	int len;

	if (!chalk_is_our_level(level))
		return READ_ONCE(inet_csk(sk)->icsk_af_ops)
			->getsockopt(sk, level, name, optval, optlen);
	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	return give_ours(sk, name, optval, optlen, len);
}
