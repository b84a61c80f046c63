// SPDX-License-Identifier: GPL-2.0
/*
 * config.c - the defaults, and a configuration in words
 */
#include "config.h"
#include "params.h"

static void link_defaults(struct link_config *l)
{
	*l = (struct link_config){
		.rate = 10000000,
		.delay = 10 * USEC_PER_MS,
		.queue = 100,
	};
}

static void side_defaults(struct side_config *s)
{
	*s = (struct side_config){
		.cc = &cc_newreno,
		.timestamps = true,
		.window_scaling = true,
		.hystart = true,
		.iw = INIT_CWND,
		.mtu = 1500,
		.rcvbuf = 256 * 1024,
		.sndbuf = 256 * 1024,
		.rto_min = RTO_FLOOR,
		.rto_max = RTO_CEILING,
		.delack = DELACK_TIME,
		.msl = MSL,
		.fin_timeout = FIN_TIMEOUT,
		.keep_idle = KEEP_IDLE,
		.keep_interval = KEEP_INTERVAL,
		.chunk_min = 16 * 1024,
		.chunk_max = 16 * 1024,
	};
}

void config_init(struct sim_config *cfg)
{
	u32 i;

	*cfg = (struct sim_config){
		.seed = 1,
		.clients = 1,
		.connections = 1,
		.rounds = 1,
		.open_gap = 10 * USEC_PER_MS,
		.carry = true,
	};
	for (i = 0; i < NR_SIDES; i++) {
		link_defaults(&cfg->link[i]);
		side_defaults(&cfg->side[i]);
	}
	cfg->side[CLIENT].bytes = 1024 * 1024;
	cfg->side[CLIENT].close = CLOSE_EXCHANGED;
	cfg->side[SERVER].close = CLOSE_EOF;
}

static void describe_link(const struct link_config *l, const char *name,
			  FILE *f)
{
	fprintf(f,
		"%s: rate %llu bit/s, delay %llu us, queue %u, loss %u, "
		"burst %u/%u/%u, reorder %u up to %llu us, dup %u, corrupt %u "
		"(ppm)\n",
		name, (unsigned long long)l->rate, (unsigned long long)l->delay,
		l->queue, l->loss, l->burst_enter, l->burst_leave,
		l->burst_loss, l->reorder, (unsigned long long)l->reorder_delay,
		l->dup, l->corrupt);
}

static void describe_stack(const struct side_config *s, const char *name,
			   FILE *f)
{
	fprintf(f,
		"%s: %s%s, timestamps %d, window scaling %d, nodelay %d, "
		"keepalive %d, IW %u, MTU %u, MSS %u, rcvbuf %u of %u, "
		"sndbuf %u, offload %u, no memory %u ppm, RTO %llu to %llu us, "
		"delayed ACK %llu us, MSL %llu us%s\n",
		name, s->cc->name, s->hystart ? "" : " without HyStart++",
		s->timestamps, s->window_scaling, s->nodelay, s->keepalive,
		s->iw, s->mtu, s->user_mss, s->rcvbuf, s->rcvbuf_max, s->sndbuf,
		s->offload, s->nomem, (unsigned long long)s->rto_min,
		(unsigned long long)s->rto_max, (unsigned long long)s->delack,
		(unsigned long long)s->msl, s->isn_wrap ? ", ISN wraps" : "");
}

static void describe_user(const struct side_config *s, FILE *f)
{
	static const char *const when[] = {
		[CLOSE_WRITTEN] = "when all is written",
		[CLOSE_EXCHANGED] = "when all is exchanged",
		[CLOSE_EOF] = "after the peer",
	};

	fprintf(f,
		"\twrites %llu bytes, %u to %u each %llu us, more %u ppm; "
		"reads %llu byte/s, chunk %u, after %llu us, pause at %llu of "
		"%llu us; closes %s%s%s",
		(unsigned long long)s->bytes, s->chunk_min, s->chunk_max,
		(unsigned long long)s->write_gap, s->more,
		(unsigned long long)s->read_rate, s->read_chunk,
		(unsigned long long)s->read_delay,
		(unsigned long long)s->pause_at,
		(unsigned long long)s->pause_for, when[s->close],
		s->close_acked ? " and acknowledged" : "",
		s->release    ? ", wholly" :
		s->close_read ? ", and reads no more" :
				"");
	if (s->abort_after)
		fprintf(f, "; aborts after %llu us",
			(unsigned long long)s->abort_after);
	if (s->resize_after)
		fprintf(f, "; buffer %u after %llu us", s->resize_to,
			(unsigned long long)s->resize_after);
	if (s->urgent)
		fprintf(f, "; urgent %u ppm", s->urgent);
	if (s->urgent_inline)
		fputs("; takes urgent data in line", f);
	if (s->change_every)
		fprintf(f, "; changes options %x each %llu us", s->changes,
			(unsigned long long)s->change_every);
	fputc('\n', f);
}

void config_describe(const struct sim_config *cfg, FILE *f)
{
	fprintf(f,
		"seed %llu: %u clients, %u connections, %u rounds, gap %llu us"
		"%s\n",
		(unsigned long long)cfg->seed, cfg->clients, cfg->connections,
		cfg->rounds, (unsigned long long)cfg->open_gap,
		cfg->simultaneous ? ", simultaneous open" : "");
	describe_link(&cfg->link[CLIENT], "to the server", f);
	describe_link(&cfg->link[SERVER], "to the client", f);
	describe_stack(&cfg->side[CLIENT], "client", f);
	describe_user(&cfg->side[CLIENT], f);
	describe_stack(&cfg->side[SERVER], "server", f);
	describe_user(&cfg->side[SERVER], f);
}
