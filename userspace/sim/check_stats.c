// SPDX-License-Identifier: GPL-2.0
/*
 * check_stats.c - a second count of what a connection and a host count
 */
#include "check_model.h"

void count_host(struct host *h, enum mib_item item, long n)
{
	h->counted.mibs[item] += n;
}

void count_begin(struct sock *sk, bool passive)
{
	struct counts *n = &sk->check.counts;
	u64 now = sk->host->w->now;

	*n = (struct counts){ .again_end = sk->check.out.seq, .since = now };
	n->last_in = n->last_acked = now;
	memset(n->least, 0xff, sizeof(n->least));
	n->was_open = sk->c.rcv_wnd >> sk->c.rcv_wscale;
	if (!passive)
		return;
	n->in = 1;
	n->out = 1 + sk->check.req.again;
	n->again = sk->check.req.again;
}

/* --- arriving --- */

void count_in(struct sock *sk, const struct seg *s)
{
	struct counts *n = &sk->check.counts;

	n->in++;
	if (!s->len)
		return;
	n->data_in++;
}

/* Text before its turn, kept or there already, or one hole too many. */
static bool is_early(const struct sock *sk, const struct seg *s,
		     const struct verdict *v)
{
	u32 first = s->seq + !!(s->flags & FLAG_SYN);

	return s->len && seq_gt(first, check_expected(sk)) &&
	       (v->keep || v->drop == DROP_OOO_DUPLICATE ||
		v->drop == DROP_OOO_FULL);
}

void count_verdict(struct sock *sk, const struct seg *s,
		   const struct verdict *v)
{
	if (is_early(sk, s, v)) {
		sk->check.counts.early++;
		count_host(sk->host, MIB_EARLY, 1);
	}
	/* the peer has missed our ACK */
	if (v->keep)
		sk->check.counts.last_in = sk->host->w->now;
	if (v->drop == DROP_OLD_DUPLICATE && seg_space(s) &&
	    !(s->flags & FLAG_RST))
		count_host(sk->host, MIB_DELAYED_ACK_LOST, 1);
}

/* --- leaving --- */

static u32 packets(u32 len, u32 size)
{
	return len > size && size ? (len + size - 1) / size : 1;
}

/* Packets of a segment that begin with what has been sent before. */
static u32 packets_again(const struct sock *sk, const struct seg *s)
{
	const struct check *k = &sk->check;
	u32 old = k->snd.nxt - s->seq;

	if (s->flags & FLAG_SYN)
		return k->out.seen && (sk->kind == SOCK_REQ || k->snd.lost_syn);
	if ((!s->len && !(s->flags & FLAG_FIN)) || !seq_lt(s->seq, k->snd.nxt))
		return 0;
	return s->len ? packets(min_t(u32, old, s->len), s->smss) : 1;
}

/* RFC 4022, and what docs/counters.md says of the rest. */
static void count_packets(struct sock *sk, const struct seg *s, u32 all,
			  u32 again)
{
	struct host *h = sk->host;
	const struct sender *m = &sk->check.snd;

	count_host(h, MIB_OUT_SEGS, all - again);
	count_host(h, MIB_RETRANS_SEGS, again);
	if (s->flags & FLAG_RST)
		count_host(h, MIB_OUT_RSTS, 1);
	if (s->flags & FLAG_SYN)
		count_host(h, MIB_SYN_RETRANS, again);
	else if (seg_space(s))
		count_host(h, MIB_DATA_SENT, all - again);
	if (!again || s->flags & FLAG_SYN)
		return;
	if (sender_is_fast(sk))
		count_host(h, MIB_FAST_RETRANS, again);
	else if (sender_is_slow(sk) && !m->retries)
		count_host(h, MIB_SLOW_START_RETRANS, again);
}

/* RFC 9293 section 3.8.6: what the peer sees of the window. */
static void count_window(struct sock *sk, const struct seg *s)
{
	struct counts *n = &sk->check.counts;

	if (n->was_open && !s->wnd)
		count_host(sk->host, MIB_TO_ZERO_WINDOW, 1);
	if (!n->was_open && s->wnd)
		count_host(sk->host, MIB_FROM_ZERO_WINDOW, 1);
	n->was_open = s->wnd;
}

void count_out(struct sock *sk, const struct seg *s)
{
	struct counts *n = &sk->check.counts;
	u32 all = packets(s->len, s->smss);
	u32 again = packets_again(sk, s);
	u32 bytes = seq_lt(s->seq, sk->check.snd.nxt) ?
			    min_t(u32, s->len, sk->check.snd.nxt - s->seq) :
			    0;

	count_packets(sk, s, all, again);
	if (s->cause == BY_ACK_CHALLENGE)
		count_host(sk->host, MIB_CHALLENGE_ACK, 1);
	if (sk->kind != SOCK_CONN)
		return;
	n->out += all;
	n->data_out += s->len ? all : 0;
	n->again += again;
	n->bytes_out += s->len;
	n->bytes_again += bytes;
	if (s->flags & FLAG_SYN)
		n->again_end = s->seq;
	else if (bytes)
		n->again_end = seq_max(n->again_end, s->seq + bytes);
	if (!(s->flags & FLAG_SYN))
		count_window(sk, s);
}

/* --- what ACKs say --- */

void count_established(struct sock *sk)
{
	sk->check.counts.last_in = sk->host->w->now;
}

void count_acked(struct sock *sk, u32 bytes)
{
	struct counts *n = &sk->check.counts;

	n->delivered += packets(bytes, sk->check.snd.smss);
	n->acked += bytes;
	n->last_acked = sk->host->w->now;
	n->again_end = seq_max(n->again_end, sk->check.snd.una);
}

void count_rtt(struct sock *sk, u32 rtt)
{
	struct counts *n = &sk->check.counts;
	u64 period = sk->host->w->now / LEAST_PERIOD;
	u32 *least = &n->least[period % LEAST_PERIODS];

	for (; n->period < period; n->period++) {
		if (period - n->period > LEAST_PERIODS)
			n->period = period - LEAST_PERIODS;
		n->least[(n->period + 1) % LEAST_PERIODS] = U32_MAX;
	}
	*least = min_t(u32, *least, rtt);
}

/* The least of so many periods, the last being that of the last sample. */
static u32 least_of(const struct counts *n, u32 periods)
{
	u32 least = U32_MAX;

	for (u32 i = 0; i < periods; i++)
		least = min_t(u32, least,
			      n->least[(n->period - i) % LEAST_PERIODS]);
	return least;
}

/*
 * RFC 8985 section 6.2 asks for the least of a window of time and leaves open
 * how it slides: of the last 150 s nothing is forgotten, and all after 450 s.
 */
static bool is_least_rtt(const struct counts *n, u32 rtt)
{
	u32 sure = MIN_RTT_PERIOD / LEAST_PERIOD;

	return rtt <= least_of(n, sure) && rtt >= least_of(n, 3 * sure + 2);
}

/* --- the rate of delivery --- */

void count_timing(struct sock *sk, u32 seq)
{
	struct counts *n = &sk->check.counts;

	n->timing = true;
	n->idle = false;
	n->from_acked = n->acked;
	n->from = seq == sk->check.snd.una ? sk->host->w->now : n->last_acked;
}

/* One that the user held up counts where it is the faster one. */
void count_timed(struct sock *sk)
{
	struct counts *n = &sk->check.counts;
	u64 bytes = n->acked - n->from_acked;
	u64 time = max_t(u64, sk->host->w->now - n->from, 1);

	if (!n->timing)
		return;
	n->timing = false;
	if (!bytes || (n->idle && bytes * n->rate_time < n->rate_bytes * time))
		return;
	n->rate_bytes = bytes;
	n->rate_time = time;
	n->rate_idle = n->idle;
}

/* --- what the sender waits for: RFC 4898, tcpEStatsPerfSndLim... --- */

void count_poll(struct sock *sk)
{
	struct counts *n = &sk->check.counts;
	u64 now = sk->host->w->now;
	enum limit limit;

	if (!sk->check.snd.on)
		return;
	n->idle |= sender_is_idle(sk);
	limit = sender_waits_for(sk);
	if (limit == n->limit)
		return;
	n->waited[n->limit] += now - n->since;
	n->limit = limit;
	n->since = now;
}

/* --- at rest --- */

static void compare(struct sock *sk, const char *what, u64 said, u64 counted)
{
	if (said != counted)
		rule_fail(sk, "%s: %llu, %llu were counted", what,
			  (unsigned long long)said,
			  (unsigned long long)counted);
}

static void rest_segments(struct sock *sk)
{
	const struct counts *n = &sk->check.counts;
	const struct stats *st = &sk->c.stats;

	compare(sk, "segments in", st->segs_in, n->in);
	compare(sk, "segments in with data", st->data_segs_in, n->data_in);
	compare(sk, "segments out", st->segs_out, n->out);
	compare(sk, "segments out with data", st->data_segs_out, n->data_out);
	compare(sk, "segments out again", st->retrans_segs, n->again);
	compare(sk, "segments early", st->early_segs, n->early);
	compare(sk, "segments delivered", st->delivered_segs, n->delivered);
	compare(sk, "bytes out", st->bytes_sent, n->bytes_out);
	compare(sk, "bytes out again", st->bytes_retrans, n->bytes_again);
	compare(sk, "bytes acknowledged", st->bytes_acked, n->acked);
	compare(sk, "bytes in", st->bytes_received, sk->in.front);
	compare(sk, "last data in", st->last_data_in, n->last_in);
	compare(sk, "last delivery", st->last_delivery, n->last_acked);
}

static void rest_flight(struct sock *sk)
{
	const struct sender *m = &sk->check.snd;
	u32 again = seq_min(sk->check.counts.again_end, m->nxt);
	u32 flight = m->nxt - m->una;
	u32 lost = 0;

	if (m->recovering)
		lost = min_t(u32, flight, m->smss);
	else if (seq_gt(m->recover, m->una))
		lost = min_t(u32, flight, m->recover - m->una);
	compare(sk, "bytes in flight again", stats_resent(&sk->c),
		seq_gt(again, m->una) ? again - m->una : 0);
	compare(sk, "bytes in flight lost", stats_lost(&sk->c), lost);
}

static void rest_times(struct sock *sk)
{
	const struct counts *n = &sk->check.counts;
	const struct stats *st = &sk->c.stats;
	u64 now = sk->host->w->now;
	u64 rate = n->rate_time ? n->rate_bytes * USEC_PER_S / n->rate_time : 0;

	if (!is_least_rtt(n, stats_min_rtt(st)))
		rule_fail(sk, "the least round trip is %u us, not %u",
			  stats_min_rtt(st), least_of(n, LEAST_PERIODS));
	compare(sk, "bytes a second", stats_delivery_rate(st), rate);
	compare(sk, "that rate is the user's", st->delivery.app_limited,
		n->rate_idle);
	for (u32 i = LIMIT_PATH; i < NR_LIMITS; i++)
		compare(sk, "time waited", stats_limited(st, i, now),
			n->waited[i] + (i == n->limit ? now - n->since : 0));
}

void count_rest(struct sock *sk)
{
	rest_segments(sk);
	if (!sk->check.snd.on || sk->c.state == ST_CLOSED)
		return;
	rest_flight(sk);
	rest_times(sk);
}

/* --- hosts --- */

static bool is_open(u32 state)
{
	return state == ST_ESTABLISHED || state == ST_CLOSE_WAIT;
}

/* RFC 4022: tcpActiveOpens, tcpAttemptFails, tcpEstabResets, tcpCurrEstab */
void count_state(struct sock *sk, const struct event *ev)
{
	struct host *h = sk->host;

	if (ev->new == ST_SYN_SENT)
		count_host(h, MIB_ACTIVE_OPENS, 1);
	if (ev->new == ST_CLOSED &&
	    (ev->old == ST_SYN_SENT || ev->old == ST_SYN_RCVD))
		count_host(h, MIB_ATTEMPT_FAILS, 1);
	if (ev->new == ST_CLOSED && is_open(ev->old))
		count_host(h, MIB_ESTAB_RESETS, 1);
	count_host(h, MIB_CURR_ESTAB, is_open(ev->new) - is_open(ev->old));
	if (h->mib.mibs[MIB_CURR_ESTAB] != h->counted.mibs[MIB_CURR_ESTAB])
		rule_fail(sk, "%lu connections are open, not %lu",
			  h->mib.mibs[MIB_CURR_ESTAB],
			  h->counted.mibs[MIB_CURR_ESTAB]);
}

/* What this file counts; the last ones only where the events are looked at. */
static const struct {
	enum mib_item item;
	const char *name;
	bool by_events;
} items[] = {
	{ MIB_PASSIVE_OPENS, "PassiveOpens", false },
	{ MIB_OUT_SEGS, "OutSegs", false },
	{ MIB_RETRANS_SEGS, "RetransSegs", false },
	{ MIB_OUT_RSTS, "OutRsts", false },
	{ MIB_DATA_SENT, "TCPOrigDataSent", false },
	{ MIB_TIMEOUTS, "TCPTimeouts", false },
	{ MIB_SYN_RETRANS, "TCPSynRetrans", false },
	{ MIB_FAST_RETRANS, "TCPFastRetrans", false },
	{ MIB_SLOW_START_RETRANS, "TCPSlowStartRetrans", false },
	{ MIB_RECOVERY, "TCPRenoRecovery", false },
	{ MIB_RECOVERY_FAIL, "TCPRenoRecoveryFail", false },
	{ MIB_WIN_PROBE, "TCPWinProbe", false },
	{ MIB_KEEPALIVE, "TCPKeepAlive", false },
	{ MIB_DELAYED_ACK_LOST, "DelayedACKLost", false },
	{ MIB_CHALLENGE_ACK, "TCPChallengeACK", false },
	{ MIB_EARLY, "TCPOFOQueue", false },
	{ MIB_TO_ZERO_WINDOW, "TCPToZeroWindowAdv", false },
	{ MIB_FROM_ZERO_WINDOW, "TCPFromZeroWindowAdv", false },
	{ MIB_ABORT_ON_TIMEOUT, "TCPAbortOnTimeout", false },
	{ MIB_EMBRYONIC_RSTS, "EmbryonicRsts", false },
	{ MIB_TIME_WAIT, "TW", false },
	{ MIB_ACTIVE_OPENS, "ActiveOpens", true },
	{ MIB_ATTEMPT_FAILS, "AttemptFails", true },
	{ MIB_ESTAB_RESETS, "EstabResets", true },
	{ MIB_CURR_ESTAB, "CurrEstab", true },
};

static void judge_host(const struct host *h)
{
	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		unsigned long said = h->mib.mibs[items[i].item];
		unsigned long counted = h->counted.mibs[items[i].item];

		if (said != counted && (!items[i].by_events || h->env.tracing))
			world_fail(h->w, "%s of host %u is %ld, not %ld",
				   items[i].name, h->number, said, counted);
	}
}

void count_judge(struct world *w)
{
	for (u32 i = 0; i < w->nr_hosts; i++)
		judge_host(&w->hosts[i]);
}
