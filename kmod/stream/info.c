// SPDX-License-Identifier: GPL-2.0
/*
 * info.c - struct tcp_info of a Chalk socket
 *
 * Called by getsockopt(TCP_INFO) and by chalk_diag.ko for "chalk ss -i". A
 * field has the meaning and the unit that it has for TCP, so that every program
 * that reads it can. Where they differ, it is because Chalk counts bytes:
 *
 * - numbers of segments in flight, and delivered, are bytes over the segment
 *   size;
 * - SYN and FIN are not in the counts of bytes.
 *
 * 0 is said of what Chalk does not have: SACK (sacked, dsack_dups), reordering
 * it adapts to (reord_seen), ECN (delivered_ce), Fast Open, receive buffers that
 * grow by themselves (rcv_rtt, rcv_space), the total_rto fields of later kernels.
 */
#include <linux/export.h>
#include <net/tcp.h>

#include "compat.h"
#include "core/params.h"
#include "core/window.h"
#include "sock.h"

static u32 to_msec(u64 usec)
{
	return div_u64(usec, USEC_PER_MS);
}

static u32 segments(const struct conn *c, u32 bytes)
{
	return c->smss ? DIV_ROUND_UP(bytes, c->smss) : 0;
}

/* TCP's names for the phases of loss recovery. */
static u8 ca_state(const struct conn *c)
{
	if (c->recovering)
		return TCP_CA_Recovery;
	if (stats_lost(c))
		return TCP_CA_Loss;
	return c->dupacks ? TCP_CA_Disorder : TCP_CA_Open;
}

static void fill_options(struct tcp_info *info, const struct conn *c)
{
	if (c->ts_ok)
		info->tcpi_options |= TCPI_OPT_TIMESTAMPS;
	if (!c->wscale_ok)
		return;
	info->tcpi_options |= TCPI_OPT_WSCALE;
	info->tcpi_snd_wscale = c->snd_wscale;
	info->tcpi_rcv_wscale = c->rcv_wscale;
}

static void fill_timers(struct tcp_info *info, const struct conn *c, u64 now)
{
	const struct stats *st = &c->stats;

	info->tcpi_retransmits = c->persisting ? 0 : c->retries;
	info->tcpi_probes = c->persisting ? c->retries : c->keep_sent;
	info->tcpi_backoff = c->rtt.backoffs + c->probe_backoffs;
	info->tcpi_rto = rtt_rto(&c->rtt);
	info->tcpi_ato = c->env->tun.delack;
	info->tcpi_last_data_sent = to_msec(now - (c->last_sent ?: st->since));
	info->tcpi_last_data_recv = to_msec(now - st->last_data_in);
	info->tcpi_last_ack_recv = to_msec(now - c->last_rcvd);
	info->tcpi_rtt = c->rtt.srtt;
	info->tcpi_rttvar = c->rtt.rttvar;
	info->tcpi_min_rtt = stats_min_rtt(st);
}

/* As TCP shows it: very large while no loss has set it. */
static u32 ssthresh(const struct conn *c)
{
	if (c->cc.ssthresh == SSTHRESH_INITIAL)
		return TCP_INFINITE_SSTHRESH;
	return segments(c, c->cc.ssthresh);
}

static void fill_sending(struct tcp_info *info, const struct conn *c)
{
	info->tcpi_ca_state = ca_state(c);
	info->tcpi_snd_mss = c->smss;
	info->tcpi_snd_cwnd = c->smss ? c->cc.cwnd / c->smss : 0;
	info->tcpi_snd_ssthresh = ssthresh(c);
	info->tcpi_unacked = segments(c, c->snd_nxt - c->snd_una);
	info->tcpi_lost = segments(c, stats_lost(c));
	info->tcpi_retrans = segments(c, stats_resent(c));
	info->tcpi_notsent_bytes = conn_unsent(c);
	info->tcpi_snd_wnd = c->snd_wnd;
}

static void fill_receiving(struct tcp_info *info, const struct conn *c)
{
	info->tcpi_rcv_mss = c->rmss;
	info->tcpi_advmss = c->user_mss ? min(c->mtu_mss, c->user_mss) :
					  c->mtu_mss;
	info->tcpi_rcv_ssthresh =
		window_clamp(min(c->rcv_buf, (u32)U16_MAX << c->rcv_wscale),
			     c->opt.window_clamp);
	chalk_set_info_rcv_wnd(info, window_left(c));
}

static void fill_counts(struct tcp_info *info, const struct stats *st)
{
	info->tcpi_segs_in = st->segs_in;
	info->tcpi_segs_out = st->segs_out;
	info->tcpi_data_segs_in = st->data_segs_in;
	info->tcpi_data_segs_out = st->data_segs_out;
	info->tcpi_bytes_sent = st->bytes_sent;
	info->tcpi_bytes_acked = st->bytes_acked;
	info->tcpi_bytes_received = st->bytes_received;
	info->tcpi_bytes_retrans = st->bytes_retrans;
	info->tcpi_total_retrans = st->retrans_segs;
	info->tcpi_delivered = st->delivered_segs;
	info->tcpi_rcv_ooopack = st->early_segs;
}

static void fill_rates(struct tcp_info *info, const struct stats *st, u64 now)
{
	info->tcpi_delivery_rate = stats_delivery_rate(st);
	info->tcpi_delivery_rate_app_limited = st->delivery.app_limited;
	info->tcpi_rwnd_limited = stats_limited(st, LIMIT_RWND, now);
	info->tcpi_sndbuf_limited = stats_limited(st, LIMIT_SNDBUF, now);
	info->tcpi_busy_time = stats_limited(st, LIMIT_PATH, now) +
			       info->tcpi_rwnd_limited +
			       info->tcpi_sndbuf_limited;
}

/* There is a connection, or was one that nobody has forgotten yet. */
static void info_fill_conn(struct tcp_info *info, const struct sock *sk)
{
	const struct conn *c = &chalk_sk(sk)->conn;
	u64 now = chalk_now();

	if (!c->env)
		return;
	info->tcpi_pmtu = inet_csk(sk)->icsk_pmtu_cookie;
	fill_options(info, c);
	fill_timers(info, c, now);
	fill_sending(info, c);
	fill_receiving(info, c);
	fill_counts(info, &c->stats);
	fill_rates(info, &c->stats, now);
}

/* Bytes a second; without a limit, all bits are set. */
static u64 rate(const unsigned long *limit)
{
	unsigned long bytes = READ_ONCE(*limit);

	return bytes == ~0UL ? ~0ULL : bytes;
}

static void fill_info(struct tcp_info *info, const struct sock *sk)
{
	memset(info, 0, sizeof(*info));
	info->tcpi_state = sk->sk_state;
	info->tcpi_pacing_rate = rate(&sk->sk_pacing_rate);
	info->tcpi_max_pacing_rate = rate(&sk->sk_max_pacing_rate);
	info->tcpi_reordering = DUPACK_THRESHOLD;
	if (sk->sk_state != TCP_LISTEN) {
		info_fill_conn(info, sk);
		return;
	}
	/* for TCP too: what waits for accept(), and how many may */
	info->tcpi_unacked = READ_ONCE(sk->sk_ack_backlog);
	info->tcpi_sacked = READ_ONCE(sk->sk_max_ack_backlog);
}

/**
 * chalk_get_info() - what TCP_INFO tells
 * @sk:   the socket, not locked
 * @info: filled in
 */
void chalk_get_info(struct sock *sk, struct tcp_info *info)
{
	bool slow;

	if (inet_sk_state_load(sk) == TCP_LISTEN) {
		fill_info(info, sk);
		return;
	}
	slow = lock_sock_fast(sk);
	fill_info(info, sk);
	unlock_sock_fast(sk, slow);
}

/**
 * chalk_getsockopt_info() - TCP_INFO
 * @sk:     the socket, not locked
 * @optval: as much as the program has room for is copied to it
 * @optlen: in: room; out: bytes copied
 */
int chalk_getsockopt_info(struct sock *sk, char __user *optval,
			  int __user *optlen)
{
	struct tcp_info info;
	int len;

	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	chalk_get_info(sk, &info);
	len = min_t(unsigned int, len, sizeof(info));
	if (put_user(len, optlen) || copy_to_user(optval, &info, len))
		return -EFAULT;
	return 0;
}

/* --- for inet_diag: chalk_diag.ko --- */

/* Numbers of idiag_timer, as ss names them. */
enum {
	DIAG_TIMER_ON = 1,
	DIAG_TIMER_KEEPALIVE,
	DIAG_TIMER_TIMEWAIT,
	DIAG_TIMER_PERSIST,
};

static u32 msec_until(u64 deadline, u64 now)
{
	return deadline > now ? min_t(u64, to_msec(deadline - now), U32_MAX) :
				0;
}

static void put_timer(struct inet_diag_msg *msg, int timer, u32 retrans,
		      u64 deadline)
{
	msg->idiag_timer = timer;
	msg->idiag_retrans = retrans;
	msg->idiag_expires = msec_until(deadline, chalk_now());
}

/*
 * The most telling timer that runs, in the order of TCP. An orphan's wait for
 * the FIN is what TCP does with a record of TIME_WAIT.
 */
static void fill_timer(struct inet_diag_msg *msg, const struct conn *c)
{
	const u64 *deadline = c->timer;

	if (deadline[TIMER_RTX] != NEVER)
		put_timer(msg,
			  c->persisting ? DIAG_TIMER_PERSIST : DIAG_TIMER_ON,
			  c->retries, deadline[TIMER_RTX]);
	else if (deadline[TIMER_KEEP] != NEVER)
		put_timer(msg, DIAG_TIMER_KEEPALIVE, c->keep_sent,
			  deadline[TIMER_KEEP]);
	else if (deadline[TIMER_FIN] != NEVER)
		put_timer(msg, DIAG_TIMER_TIMEWAIT, 0, deadline[TIMER_FIN]);
}

static void fill_diag(struct inet_diag_msg *msg, const struct sock *sk)
{
	const struct conn *c = &chalk_sk(sk)->conn;

	if (sk->sk_state == TCP_LISTEN) {
		msg->idiag_rqueue = READ_ONCE(sk->sk_ack_backlog);
		msg->idiag_wqueue = READ_ONCE(sk->sk_max_ack_backlog);
		return;
	}
	msg->idiag_rqueue = conn_readable(c);
	if (!chalk_is_open(sk))
		return;
	msg->idiag_wqueue = conn_unacked(c);
	fill_timer(msg, c);
}

/**
 * chalk_get_diag() - what inet_diag tells of a socket
 * @sk:   the socket, not locked; a listener's table may be
 * @msg:  queues and timer are filled in
 * @info: filled in, unless NULL
 */
void chalk_get_diag(struct sock *sk, struct inet_diag_msg *msg,
		    struct tcp_info *info)
{
	bool is_listener = inet_sk_state_load(sk) == TCP_LISTEN;
	bool slow = !is_listener && lock_sock_fast(sk);

	fill_diag(msg, sk);
	if (info)
		fill_info(info, sk);
	if (!is_listener)
		unlock_sock_fast(sk, slow);
}
EXPORT_SYMBOL_GPL(chalk_get_diag);

/**
 * chalk_get_diag_req() - the timer of a record of SYN_RCVD
 * @req: the record
 * @msg: the timer is filled in
 */
void chalk_get_diag_req(struct request_sock *req, struct inet_diag_msg *msg)
{
	struct chalk_req *cr = chalk_req(req);

	spin_lock_bh(&cr->lock);
	put_timer(msg, DIAG_TIMER_ON, cr->req.retries, cr->req.deadline);
	spin_unlock_bh(&cr->lock);
}
EXPORT_SYMBOL_GPL(chalk_get_diag_req);

/**
 * chalk_get_cc_name() - congestion control of a connection, or of the next
 * @sk: the socket
 */
const char *chalk_get_cc_name(const struct sock *sk)
{
	return conn_cc(&chalk_sk(sk)->conn, &chalk_env(sk)->tun)->name;
}
EXPORT_SYMBOL_GPL(chalk_get_cc_name);
