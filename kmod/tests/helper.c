// SPDX-License-Identifier: GPL-2.0
/*
 * helper.c - two connections on a table, a clock turned by hand
 */
#include "helper.h"

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Unit tests of Chalk's core");

unsigned int iss = 1000;
module_param(iss, uint, 0);
MODULE_PARM_DESC(iss, "initial sequence number");

/* Of the world that is newest; tests run one after the other. */
static DEFINE_PER_CPU(struct mib, counters);

static void forget_counts(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(&counters, cpu), 0, sizeof(struct mib));
}

static void record(struct env *env, enum event_owner what, const void *owner,
		   const struct event *ev)
{
	struct world *w = container_of(env, struct world, env);

	if (w->n_ev < WORLD_EVENTS)
		w->ev[w->n_ev] = *ev;
	w->n_ev++;
}

struct world *world_new(struct kunit *test)
{
	struct world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	tunables_init(&w->env.tun);
	w->env.tun.timestamps = false;
	w->env.tun.window_scaling = false;
	w->env.tracing = true;
	w->env.emit = record;
	w->env.mib = &counters;
	forget_counts();
	w->now = 10 * SECOND;
	conn_options_init(&w->a.opt, &w->env.tun);
	conn_options_init(&w->b.opt, &w->env.tun);
	reasm_give_room(&w->a.reasm, w->holes[0], WORLD_HOLES);
	reasm_give_room(&w->b.reasm, w->holes[1], WORLD_HOLES);
	return w;
}

struct conn_config config_a(void)
{
	return (struct conn_config){
		.id = 1,
		.iss = A_ISS,
		.ts_off = 70000,
		.rcv_buf = RCV_BUF,
		.rcv_buf_max = 300000,
		.sport = A_PORT,
		.dport = B_PORT,
		.mtu_mss = MSS,
	};
}

struct conn_config config_b(void)
{
	return (struct conn_config){
		.id = 2,
		.iss = B_ISS,
		.ts_off = 90000,
		.rcv_buf = RCV_BUF,
		.rcv_buf_max = 300000,
		.sport = B_PORT,
		.dport = A_PORT,
		.mtu_mss = MSS,
	};
}

void open_a(struct world *w)
{
	struct conn_config cfg = config_a();

	conn_open(&w->a, &w->env, &cfg, w->now);
}

struct seg synack_of_b(void)
{
	return (struct seg){
		.sport = B_PORT,
		.dport = A_PORT,
		.seq = B_ISS,
		.ack = A0,
		.flags = FLAG_SYN | FLAG_ACK,
		.wnd = RCV_BUF,
		.mss = MSS,
	};
}

void establish(struct kunit *test, struct world *w)
{
	struct conn_config cfg = config_b();
	enum cause drop;
	struct seg s;

	open_a(w);
	s = next_seg(test, w, &w->a);
	KUNIT_ASSERT_EQ(test, listen_rx(&s, &drop), LISTEN_SYN);
	req_init(&w->req, &w->env, &cfg, &s, w->now);
	KUNIT_ASSERT_TRUE(test, req_poll(&w->req, &w->env, w->now, &s));
	deliver(w, &w->a, &s);
	s = next_seg(test, w, &w->a);
	KUNIT_ASSERT_EQ(test, req_rx(&w->req, &w->env, &s, w->now, &drop),
			REQ_ESTABLISH);
	conn_accept(&w->b, &w->env, &w->req, w->now);
	deliver(w, &w->b, &s);
	KUNIT_ASSERT_EQ(test, w->a.state, ST_ESTABLISHED);
	KUNIT_ASSERT_EQ(test, w->b.state, ST_ESTABLISHED);
	expect_silence(test, w, &w->a);
	expect_silence(test, w, &w->b);
	forget_events(w);
}

struct world *connected(struct kunit *test)
{
	struct world *w = world_new(test);

	establish(test, w);
	return w;
}

struct seg next_seg(struct kunit *test, struct world *w, struct conn *c)
{
	struct seg s;

	KUNIT_ASSERT_TRUE(test, conn_poll(c, PLENTY, w->now, &s));
	return s;
}

void expect_silence(struct kunit *test, struct world *w, struct conn *c)
{
	struct seg s;

	KUNIT_EXPECT_FALSE(test, conn_poll(c, PLENTY, w->now, &s));
}

unsigned int lose_all(struct world *w, struct conn *c)
{
	unsigned int n = 0;
	struct seg s;

	while (conn_poll(c, PLENTY, w->now, &s))
		n++;
	return n;
}

void deliver(struct world *w, struct conn *c, const struct seg *s)
{
	conn_rx(c, s, w->now, &w->v);
}

/* One segment, in packets as the network would see it. */
static void deliver_packets(struct world *w, struct conn *c,
			    const struct seg *whole)
{
	struct seg s = *whole;
	u32 left = whole->len;

	while (left > whole->smss) {
		s.len = whole->smss;
		s.flags = whole->flags & ~(FLAG_FIN | FLAG_PSH);
		deliver(w, c, &s);
		s.seq += s.len;
		left -= s.len;
	}
	s.len = left;
	s.flags = whole->flags;
	deliver(w, c, &s);
}

void carry(struct world *w)
{
	bool moved = true;
	struct seg s;

	while (moved) {
		moved = false;
		while (conn_poll(&w->a, PLENTY, w->now, &s)) {
			deliver_packets(w, &w->b, &s);
			moved = true;
		}
		while (conn_poll(&w->b, PLENTY, w->now, &s)) {
			deliver_packets(w, &w->a, &s);
			moved = true;
		}
	}
}

void elapse(struct world *w, u64 usec)
{
	w->now += usec;
	w->wake = conn_tick(&w->a, w->now);
	if (w->b.env)
		w->wake |= conn_tick(&w->b, w->now);
}

struct seg from_peer(const struct conn *c)
{
	return (struct seg){
		.sport = c->dport,
		.dport = c->sport,
		.seq = c->rcv_nxt,
		.ack = c->snd_nxt,
		.flags = FLAG_ACK,
		.wnd = c->snd_wnd >> c->snd_wscale,
		.hdr_len = HDR_MIN,
		.has_ts = c->ts_ok,
		.tsval = c->ts_recent,
	};
}

struct seg text_from_peer(const struct conn *c, u32 len)
{
	struct seg s = from_peer(c);

	s.len = len;
	return s;
}

void ack_upto(struct world *w, struct conn *c, u32 ack)
{
	struct seg s = from_peer(c);

	s.ack = ack;
	deliver(w, c, &s);
}

void ack_all(struct world *w, struct conn *c)
{
	ack_upto(w, c, c->snd_nxt);
}

void dup_acks(struct world *w, struct conn *c, unsigned int n)
{
	while (n--)
		ack_upto(w, c, c->snd_una);
}

void offer_window(struct world *w, struct conn *c, u16 wnd)
{
	struct seg s = from_peer(c);

	s.wnd = wnd;
	deliver(w, c, &s);
	/* as if none had ended further */
	c->snd_edge = c->snd_una + c->snd_wnd;
}

unsigned int write_and_send(struct world *w, struct conn *c, u32 n)
{
	conn_write(c, n, false);
	return lose_all(w, c);
}

static unsigned int nr_events(const struct world *w)
{
	return min_t(unsigned int, w->n_ev, WORLD_EVENTS);
}

unsigned int count_events(const struct world *w, enum event_kind kind,
			  enum cause cause)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < nr_events(w); i++)
		n += w->ev[i].kind == kind &&
		     (!cause || w->ev[i].cause == cause);
	return n;
}

const struct event *last_event(const struct world *w, enum event_kind kind)
{
	for (unsigned int i = nr_events(w); i--;)
		if (w->ev[i].kind == kind)
			return &w->ev[i];
	return NULL;
}

void forget_events(struct world *w)
{
	w->n_ev = 0;
}

long counted(const struct world *w, enum mib_item item)
{
	long n = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		n += per_cpu_ptr(w->env.mib, cpu)->mibs[item];
	return n;
}

u32 prng(u32 *state)
{
	/* xorshift32, G. Marsaglia, "Xorshift RNGs", 2003 */
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

struct world *sending(struct kunit *test, u32 flight)
{
	struct world *w = connected(test);

	offer_window(w, &w->a, U16_MAX);
	w->a.cc.cwnd = flight;
	write_and_send(w, &w->a, 100 * MSS);
	KUNIT_ASSERT_EQ(test, conn_flight(&w->a), flight);
	forget_events(w);
	return w;
}
