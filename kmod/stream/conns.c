// SPDX-License-Identifier: GPL-2.0
/*
 * conns.c - debugfs conns: a line for each listener, connection and record
 *
 * Owns that file, in the directory that watch/debugfs.c makes. Tables are walked
 * a bucket at a time. Listeners and records are asked where they stand, under
 * the lock of the bucket. A connection has to be locked, which may take long if
 * a process owns it: so it is taken out by a reference, one at a time.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <net/tcp_states.h>

#include "sock.h"
#include "watch/trace.h"

/* --- a line --- */

/* What a line says. */
struct line {
	u32 id;
	u8 state;
	u8 retries;
	u32 cwnd, ssthresh, flight, snd_wnd, rcv_wnd;
	u32 srtt, rttvar, rto;
	u32 unsent, unacked, unread;
};

static void conns_put_header(struct seq_file *m)
{
	seq_puts(m,
		 "netns\tconn\tlocal\tremote\tstate\tcwnd\tssthresh\tflight\t"
		 "snd_wnd\trcv_wnd\tsrtt\trttvar\trto\tunsent\tunacked\t"
		 "unread\tretries\n");
}

static void conns_put_line(struct seq_file *m, const struct sock *sk,
			   const struct line *l)
{
	struct chalk_ends ends = chalk_ends_of(sk);
	char local[CHALK_END_MAX], remote[CHALK_END_MAX];

	chalk_format_end(local, &ends.laddr, ends.lport);
	chalk_format_end(remote, &ends.raddr, ends.rport);
	seq_printf(m, "%u\t%u\t%s\t%s\t%s\t", sock_net(sk)->ns.inum, l->id,
		   local, remote, state_name(l->state));
	seq_printf(m, "%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\n",
		   l->cwnd, l->ssthresh, l->flight, l->snd_wnd, l->rcv_wnd,
		   l->srtt, l->rttvar, l->rto, l->unsent, l->unacked, l->unread,
		   l->retries);
}

/* Nobody may own a child that waits for accept(), so the lock is the fast one. */
static void conns_fill_conn(struct line *l, struct sock *sk)
{
	const struct conn *c = &chalk_sk(sk)->conn;
	bool slow = lock_sock_fast(sk);

	l->id = c->id;
	l->state = sk->sk_state;
	if (chalk_is_open(sk)) {
		l->cwnd = c->cc.cwnd;
		l->ssthresh = c->cc.ssthresh;
		l->flight = conn_flight(c);
		l->snd_wnd = c->snd_wnd;
		l->rcv_wnd = c->rcv_wnd;
		l->srtt = c->rtt.srtt;
		l->rttvar = c->rtt.rttvar;
		l->rto = rtt_rto(&c->rtt);
		l->unsent = conn_unsent(c);
		l->unacked = conn_unacked(c);
		l->retries = c->retries;
	}
	l->unread = conn_readable(c);
	unlock_sock_fast(sk, slow);
}

static void conns_fill_req(struct line *l, struct chalk_req *cr)
{
	spin_lock_bh(&cr->lock);
	l->id = cr->req.id;
	l->state = ST_SYN_RCVD;
	l->snd_wnd = cr->req.snd_wnd;
	l->rcv_wnd = cr->req.rcv_wnd;
	l->retries = cr->req.retries;
	spin_unlock_bh(&cr->lock);
}

static void conns_fill_timewait(struct line *l, struct chalk_timewait *ct)
{
	spin_lock_bh(&ct->lock);
	l->id = ct->rec.id;
	l->state = ct->rec.state;
	l->rcv_wnd = ct->rec.rcv_wnd;
	spin_unlock_bh(&ct->lock);
}

/* Return: false for a connection, which is not to be locked here. */
static bool conns_show_in_place(struct seq_file *m, struct sock *sk)
{
	struct line l = {};

	switch (inet_sk_state_load(sk)) {
	case TCP_NEW_SYN_RECV:
		conns_fill_req(&l, chalk_req(inet_reqsk(sk)));
		break;
	case TCP_TIME_WAIT:
		conns_fill_timewait(&l, chalk_timewait(inet_twsk(sk)));
		break;
	case TCP_LISTEN:
		l.state = ST_LISTEN;
		break;
	default:
		return false;
	}
	conns_put_line(m, sk, &l);
	return true;
}

static void conns_show_conn(struct seq_file *m, struct sock *sk)
{
	struct line l = {};

	conns_fill_conn(&l, sk);
	conns_put_line(m, sk, &l);
}

/* --- the tables, a bucket a step --- */

/* Both kinds of table chain their sockets alike. */
struct bucket {
	struct hlist_nulls_head *chain;
	spinlock_t *lock; /* of the chain */
};

static bool conns_get_bucket(loff_t pos, struct bucket *b)
{
	struct inet_hashinfo *h = &chalk_hashinfo;
	struct inet_listen_hashbucket *l;

	if (pos <= h->lhash2_mask) {
		l = &h->lhash2[pos];
		*b = (struct bucket){ &l->nulls_head, &l->lock };
		return true;
	}
	pos -= h->lhash2_mask + 1;
	if (pos > h->ehash_mask)
		return false;
	b->chain = &h->ehash[pos].chain;
	b->lock = inet_ehash_lockp(h, pos);
	return true;
}

/*
 * Show what stands behind the first @seen, as far as no connection comes.
 * Return: the connection, with a reference, or NULL at the end.
 */
static struct sock *conns_show_upto_conn(struct seq_file *m,
					 const struct bucket *b,
					 unsigned int *seen)
{
	struct hlist_nulls_node *node;
	struct sock *sk, *conn = NULL;
	unsigned int n = 0;

	spin_lock_bh(b->lock);
	sk_nulls_for_each(sk, node, b->chain) {
		if (n++ < *seen)
			continue;
		*seen = n;
		if (conns_show_in_place(m, sk) ||
		    !refcount_inc_not_zero(&sk->sk_refcnt))
			continue;
		conn = sk;
		break;
	}
	spin_unlock_bh(b->lock);
	return conn;
}

/* Sockets that come or go meanwhile may be missed or shown twice. */
static void conns_show_bucket(struct seq_file *m, const struct bucket *b)
{
	unsigned int seen = 0;
	struct sock *sk;

	if (hlist_nulls_empty(b->chain))
		return;
	while ((sk = conns_show_upto_conn(m, b, &seen))) {
		conns_show_conn(m, sk);
		sock_put(sk);
	}
}

static void *conns_start(struct seq_file *m, loff_t *pos)
{
	struct bucket b;

	if (!*pos)
		return SEQ_START_TOKEN;
	return conns_get_bucket(*pos - 1, &b) ? pos : NULL;
}

static void *conns_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct bucket b;

	++*pos;
	return conns_get_bucket(*pos - 1, &b) ? pos : NULL;
}

static void conns_stop(struct seq_file *m, void *v)
{
}

static int conns_show(struct seq_file *m, void *v)
{
	struct bucket b;

	if (v == SEQ_START_TOKEN)
		conns_put_header(m);
	else if (conns_get_bucket(*(loff_t *)v - 1, &b))
		conns_show_bucket(m, &b);
	return 0;
}

static const struct seq_operations conns_sops = {
	.start = conns_start,
	.next = conns_next,
	.stop = conns_stop,
	.show = conns_show,
};
DEFINE_SEQ_ATTRIBUTE(conns);

/**
 * chalk_conns_init() - make the file
 * @dir: where; it goes with the directory
 */
void chalk_conns_init(struct dentry *dir)
{
	debugfs_create_file("conns", 0400, dir, NULL, &conns_fops);
}
