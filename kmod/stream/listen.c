// SPDX-License-Identifier: GPL-2.0
/*
 * listen.c - passive open: listeners, records of SYN_RCVD, their children
 *
 * Called by listen(), by input.c for segments to a listener or a record, and by
 * the records' timers. The core decides (req.h); here records are found, kept,
 * counted against the backlog, and turned into sockets for accept().
 *
 * The kernel keeps a timer of its own for each request, which resends SYN+ACKs
 * by the rules and sysctls of TCP. It is set to a time that never comes; the
 * record has another timer that asks the core.
 */
#include <linux/security.h>
#include <net/busy_poll.h>
#include <net/tcp_states.h>

#include "compat.h"
#include "core/emit.h"
#include "sock.h"

/* For the kernel's request timer, which must not fire. */
#define NO_TIMEOUT MAX_JIFFY_OFFSET

/* --- listen() --- */

/**
 * chalk_listen() - listen(): become a listener, or change the backlog
 * @sock:    the socket
 * @backlog: most connections that wait for accept(); how many may be in SYN_RCVD
 *           is net.chalk.max_syn_backlog
 */
int chalk_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	int err = -EINVAL;

	lock_sock(sk);
	if (sock->state != SS_UNCONNECTED || sock->type != SOCK_STREAM)
		goto out;
	if (sk->sk_state != TCP_CLOSE && sk->sk_state != TCP_LISTEN)
		goto out;
	WRITE_ONCE(sk->sk_max_ack_backlog, backlog);
	err = sk->sk_state == TCP_LISTEN ? 0 : inet_csk_listen_start(sk);
out:
	release_sock(sk);
	return err;
}

/* --- answers of a record --- */

static bool poll_req(struct chalk_req *cr, struct env *env, struct seg *seg)
{
	bool more;

	spin_lock_bh(&cr->lock);
	more = !cr->done && req_poll(&cr->req, env, chalk_now(), seg);
	spin_unlock_bh(&cr->lock);
	return more;
}

static void listen_answer(const struct sock *listener, struct request_sock *req)
{
	const struct chalk_stream_ip *ip = chalk_ip_of_req(req);
	struct env *env = chalk_env(listener);
	struct seg seg;

	while (poll_req(chalk_req(req), env, &seg))
		ip->send_synack(listener, req, &seg);
}

/* --- a record's end and its timer --- */

/* Call with @cr->lock. The timer's reference goes with it. */
static void arm_req_timer(struct chalk_req *cr, u64 now)
{
	if (cr->done)
		return;
	if (!mod_timer(&cr->timer,
		       jiffies + chalk_jiffies_until(cr->req.deadline, now)))
		refcount_inc(&cr->ireq.req.rsk_refcnt);
}

/* From now on the record neither answers nor wakes up. */
static void stop_req(struct request_sock *req)
{
	struct chalk_req *cr = chalk_req(req);

	spin_lock_bh(&cr->lock);
	cr->done = true;
	spin_unlock_bh(&cr->lock);
	if (timer_delete(&cr->timer))
		reqsk_put(req);
}

static void drop_req(struct sock *listener, struct request_sock *req)
{
	stop_req(req);
	/* of those who end it at the same time, one finds it there */
	if (inet_csk_reqsk_queue_drop(listener, req))
		chalk_count(sock_net(listener), MIB_ATTEMPT_FAILS);
}

/**
 * chalk_req_abort() - an administrator ends a record
 * @req: the record; the caller keeps its reference
 */
void chalk_req_abort(struct request_sock *req)
{
	struct chalk_req *cr = chalk_req(req);
	struct sock *listener = req->rsk_listener;
	struct seg rst;
	bool alive;

	local_bh_disable();
	spin_lock(&cr->lock);
	alive = !cr->done;
	if (alive)
		req_abort(&cr->req, chalk_env(listener), chalk_now(), &rst);
	spin_unlock(&cr->lock);
	drop_req(listener, req);
	if (alive)
		chalk_ip_of_req(req)->send_synack(listener, req, &rst);
	local_bh_enable();
}

static bool tick_req(struct chalk_req *cr, struct sock *listener)
{
	u64 now = chalk_now();
	bool alive;

	spin_lock(&cr->lock);
	alive = !cr->done && inet_sk_state_load(listener) == TCP_LISTEN &&
		req_tick(&cr->req, chalk_env(listener), now);
	if (alive)
		arm_req_timer(cr, now);
	spin_unlock(&cr->lock);
	return alive;
}

/* Softirq. Owns a reference to the record, which owns one to the listener. */
static void req_timer(struct timer_list *t)
{
	struct chalk_req *cr = from_timer(cr, t, timer);
	struct request_sock *req = &cr->ireq.req;
	struct sock *listener = req->rsk_listener;

	if (tick_req(cr, listener))
		listen_answer(listener, req);
	else
		drop_req(listener, req);
	reqsk_put(req);
}

/* --- a SYN --- */

/* @iss: 0, or the initial sequence number to be beyond an old connection */
static void listen_init_req(struct sock *sk, struct chalk_req *cr,
			    const struct seg *syn, u32 mtu,
			    const struct conn_route *route, u32 iss)
{
	struct request_sock *req = &cr->ireq.req;
	const struct chalk_stream_ip *ip = chalk_ip_of_req(req);
	struct chalk_ends ends = chalk_ends_of(req_to_sk(req));
	const struct conn_options *opt = &chalk_sk(sk)->conn.opt;
	struct net *net = sock_net(sk);
	u64 now = chalk_now();
	struct conn_config cfg = {
		.id = chalk_next_conn_id(),
		.iss = iss ?: chalk_isn(net, &ends, now),
		.ts_off = chalk_ts_off(net, &ends),
		.rcv_buf = chalk_rcv_buf(sk),
		.rcv_buf_max = chalk_rcv_buf_max(sk),
		.sport = ends.lport,
		.dport = ends.rport,
		.mtu_mss = chalk_mtu_mss(mtu, ip->header_len),
		.default_mss = ip->default_mss,
		.user_mss = READ_ONCE(chalk_sk(sk)->user_mss),
		.route = *route,
		.window_clamp = READ_ONCE(opt->window_clamp),
		.synack_retries = READ_ONCE(opt->syn_retries),
		.defer_accept = READ_ONCE(opt->defer_accept),
	};

	spin_lock_init(&cr->lock);
	timer_setup(&cr->timer, req_timer, 0);
	cr->txhash = net_tx_rndhash();
	cr->done = false;
	memset(&cr->req, 0, sizeof(cr->req));
	req_init(&cr->req, chalk_env(sk), &cfg, syn, now);
}

/* Return: a record that nobody else knows yet, or NULL. */
static struct request_sock *make_req(struct sock *sk, struct sk_buff *skb,
				     const struct seg *syn, u32 iss)
{
	const struct chalk_ip *version = chalk_ip_of_packet(skb);
	const struct chalk_stream_ip *ip = chalk_stream_ip_of(version);
	struct inet_request_sock *ireq;
	struct conn_route route;
	struct request_sock *req;
	u32 mtu;

	req = inet_reqsk_alloc(ip->req_ops, sk, true);
	if (!req)
		return NULL;
	ireq = inet_rsk(req);
	ireq->ir_num = syn->dport;
	ireq->ir_rmt_port = htons(syn->sport);
	ireq->ir_mark = inet_request_mark(sk, skb);
	ireq->ir_iif = inet_request_bound_dev_if(sk, skb);
	ireq->no_srccheck = chalk_is_transparent(sk);
	ip->init_req(req, sk, skb);
	mtu = ip->req_route(sk, req, &route);
	if (!mtu || security_inet_conn_request(sk, skb, req)) {
		reqsk_free(req);
		return NULL;
	}
	listen_init_req(sk, chalk_req(req), syn, mtu, &route, iss);
	chalk_save_syn(sk, req, skb);
	return req;
}

/* A SYN becomes a record in ehash; the SYN+ACK goes, then its timer runs. */
static enum cause take_syn(struct sock *sk, struct sk_buff *skb,
			   const struct seg *syn, u32 iss,
			   struct inet_timewait_sock *old)
{
	struct request_sock *req;
	struct chalk_req *cr;

	if (inet_csk_reqsk_queue_len(sk) >=
	    READ_ONCE(chalk_net(sock_net(sk))->max_syn_backlog))
		return DROP_SYN_QUEUE_FULL;
	if (sk_acceptq_is_full(sk))
		return DROP_BACKLOG_FULL;
	req = make_req(sk, skb, syn, iss);
	if (!req)
		return DROP_SYN_QUEUE_FULL;
	if (old)
		chalk_timewait_give_way(old);
	if (!inet_csk_reqsk_queue_hash_add(sk, req, NO_TIMEOUT)) {
		/* another CPU has made one of the same SYN */
		reqsk_free(req);
		return DROP_NONE;
	}
	listen_answer(sk, req);
	cr = chalk_req(req);
	spin_lock_bh(&cr->lock);
	arm_req_timer(cr, chalk_now());
	spin_unlock_bh(&cr->lock);
	reqsk_put(req);
	return DROP_NONE;
}

/**
 * chalk_listen_rx() - a segment for a listener
 * @sk:  the listener; not locked, held by RCU or a reference
 * @skb: the packet, consumed
 * @seg: the same, parsed
 * @iss: our initial sequence number if it makes a record, 0: choose
 * @old: record of TIME_WAIT that makes way if the SYN is taken, or NULL
 */
void chalk_listen_rx(struct sock *sk, struct sk_buff *skb,
		     const struct seg *seg, u32 iss,
		     struct inet_timewait_sock *old)
{
	enum cause why = DROP_NONE;

	switch (listen_rx(seg, &why)) {
	case LISTEN_SYN:
		why = take_syn(sk, skb, seg, iss, old);
		break;
	case LISTEN_RESET:
		chalk_send_reset(sock_net(sk), sk, skb, seg);
		break;
	case LISTEN_DROP:
		break;
	}
	if (why)
		chalk_drop(sock_net(sk), skb, seg, why);
	else
		consume_skb(skb);
}

/* --- the third segment: a child --- */

static void listen_init_child(struct sock *child, struct chalk_req *cr,
			      const struct dst_entry *dst)
{
	struct chalk_sock *cs = chalk_sk(child);
	struct conn_route route;

	timer_setup(&child->sk_timer, chalk_timer, 0);
	cs->tx_hint = NULL;
	cs->saved_syn = NULL;
	cs->early = RB_ROOT;
	cs->deferred = 0;
	inet_csk(child)->icsk_pmtu_cookie = dst ? dst_mtu(dst) : 0;
	chalk_clear_conn(child);
	spin_lock_bh(&cr->lock);
	conn_accept(&cs->conn, chalk_env(child), &cr->req, chalk_now());
	spin_unlock_bh(&cr->lock);
	if (!dst)
		return;
	route = chalk_route_of(dst);
	conn_set_route(&cs->conn, &route);
}

/* Return: the child, locked and with a reference, or NULL. */
static struct sock *make_child(const struct sock *listener,
			       struct request_sock *req, struct sk_buff *skb)
{
	const struct chalk_stream_ip *ip = chalk_ip_of_req(req);
	struct chalk_req *cr = chalk_req(req);
	struct sock *child;
	bool routed;

	child = inet_csk_clone_lock(listener, req, GFP_ATOMIC);
	if (!child)
		return NULL;
	child->sk_bound_dev_if = inet_rsk(req)->ir_iif;
	RCU_INIT_POINTER(inet_sk(child)->inet_opt, NULL);
	inet_csk(child)->icsk_ext_hdr_len = 0;
	ip->init_child(child, req, skb);
	child->sk_txhash = cr->txhash;
	routed = ip->route_child(listener, child, req);
	listen_init_child(child, cr, routed ? __sk_dst_get(child) : NULL);
	if (routed && __inet_inherit_port(listener, child) >= 0)
		return child;
	inet_csk_prepare_forced_close(child);
	chalk_set_state(child, TCP_CLOSE);
	inet_csk_destroy_sock(child);
	return NULL;
}

/*
 * Put the child in the place of the record, in ehash and for accept(). Of two
 * CPUs that come so far one wins. Return: the child, or NULL and it is gone.
 */
static struct sock *publish_child(struct sock *listener,
				  struct request_sock *req, struct sock *child)
{
	bool won = inet_ehash_nolisten(child, req_to_sk(req), NULL);

	if (won) {
		stop_req(req);
		if (IS_ENABLED(CONFIG_IPV6) && req->rsk_ops->family == PF_INET6)
			chalk_ipv6_inherit_packet(child, req);
		chalk_sk(child)->saved_syn = req->saved_syn;
		req->saved_syn = NULL;
	}
	return inet_csk_complete_hashdance(listener, child, req, won);
}

/* What became of a segment for a record. */
enum req_outcome {
	USED_UP, /* the child has it, the accept queue the record */
	TO_FREE, /* packet and reference are to be given back */
	LOOK_AGAIN, /* another CPU made the child: it is the child's */
};

static enum req_outcome listen_establish(struct sock *listener,
					 struct request_sock *req,
					 struct sk_buff *skb, struct seg *seg,
					 enum cause *why)
{
	struct sock *child = NULL;

	if (!sk_acceptq_is_full(listener))
		child = make_child(listener, req, skb);
	if (!child) {
		*why = DROP_BACKLOG_FULL;
		trace_req(chalk_env(listener), &chalk_req(req)->req, EV_DROP,
			  *why, seg, chalk_now());
		return TO_FREE;
	}
	child = publish_child(listener, req, child);
	if (!child)
		return LOOK_AGAIN;
	/* It has been locked since it was made: no process can own it. */
	__acquire(child);
	sk_mark_napi_id_set(child, skb);
	chalk_rx(child, skb, seg);
	listener->sk_data_ready(listener);
	bh_unlock_sock(child);
	sock_put(child);
	return USED_UP;
}

static enum req_result listen_ask_core(struct chalk_req *cr, struct env *env,
				       const struct seg *seg, enum cause *why)
{
	u64 now = chalk_now();
	enum req_result result;

	spin_lock(&cr->lock);
	result = req_rx(&cr->req, env, seg, now, why);
	arm_req_timer(cr, now);
	spin_unlock(&cr->lock);
	return result;
}

static enum req_outcome to_req(struct sock *listener, struct request_sock *req,
			       struct sk_buff *skb, struct seg *seg,
			       enum cause *why)
{
	switch (listen_ask_core(chalk_req(req), chalk_env(listener), seg,
				why)) {
	case REQ_ESTABLISH:
		return listen_establish(listener, req, skb, seg, why);
	case REQ_RESET:
		chalk_send_reset(sock_net(listener), listener, skb, seg);
		break;
	case REQ_GONE:
		drop_req(listener, req);
		break;
	case REQ_DROP:
		listen_answer(listener, req);
		break;
	}
	return TO_FREE;
}

/**
 * chalk_req_rx() - a segment for a record of SYN_RCVD
 * @req: the record; its reference is consumed
 * @skb: the packet
 * @seg: the same, parsed
 *
 * Return: false if the segment has to be looked up again; else the packet is
 * consumed.
 */
bool chalk_req_rx(struct request_sock *req, struct sk_buff *skb,
		  struct seg *seg)
{
	struct sock *listener = req->rsk_listener;
	enum req_outcome outcome = LOOK_AGAIN;
	enum cause why = DROP_NONE;

	sock_hold(listener);
	if (likely(inet_sk_state_load(listener) == TCP_LISTEN))
		outcome = to_req(listener, req, skb, seg, &why);
	else
		drop_req(listener, req);
	if (outcome == TO_FREE)
		chalk_free(sock_net(listener), skb, why);
	if (outcome != USED_UP)
		reqsk_put(req);
	sock_put(listener);
	return outcome != LOOK_AGAIN;
}
