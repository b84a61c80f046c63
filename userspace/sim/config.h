/* SPDX-License-Identifier: GPL-2.0 */
/*
 * config.h - everything that decides a run
 *
 * Two runs with equal configurations are equal to the microsecond. The command
 * line fills one in (options.c), or a seed does (scenario.c).
 */
#ifndef CHALK_SIM_CONFIG_H
#define CHALK_SIM_CONFIG_H

#include "cc.h"
#include "types.h"

/* What a packet counts as for the lists of packets to lose. */
enum seg_class {
	CLASS_SYN,
	CLASS_SYNACK,
	CLASS_DATA,
	CLASS_ACK, /* without payload, SYN, FIN or RST */
	CLASS_FIN,
	NR_CLASSES
};

#define DROP_LIST_MAX 32

/**
 * struct drop_list - which packets of one class are lost
 * @n:   how many
 * @nth: their places in the order of sending, the first is 1
 */
struct drop_list {
	u32 n;
	u32 nth[DROP_LIST_MAX];
};

/**
 * struct link_config - one direction of the path
 * @rate:          bit/s, 0: no limit
 * @delay:         one way, microseconds
 * @queue:         packets that may wait, 0: no limit
 * @queue_bytes:   the same in bytes
 * @loss:          ppm of packets lost, each by itself
 * @burst_enter:   ppm to go from the good to the bad state (Gilbert-Elliott)
 * @burst_leave:   ppm to go back
 * @burst_loss:    ppm of packets lost in the bad state
 * @reorder:       ppm of packets that are held up
 * @reorder_delay: for at most so long, microseconds
 * @dup:           ppm of packets that arrive twice
 * @corrupt:       ppm of packets with flipped bits
 * @mtu:           larger packets are lost, and an ICMP message says so; 0: none
 * @mtu_after:     from then on, microseconds after the start
 * @dead_after:    from then on all packets are lost, microseconds after the start;
 *                 0: never
 * @drop:          packets to lose, by class
 */
struct link_config {
	u64 rate;
	u64 delay;
	u32 queue;
	u32 queue_bytes;
	u32 loss;
	u32 burst_enter, burst_leave, burst_loss;
	u32 reorder;
	u64 reorder_delay;
	u32 dup;
	u32 corrupt;
	u32 mtu;
	u64 mtu_after;
	u64 dead_after;
	struct drop_list drop[NR_CLASSES];
};

/* When a user stops writing for good. */
enum close_when {
	CLOSE_WRITTEN, /* all is written: the peer may go on */
	CLOSE_EXCHANGED, /* all is written and all expected is read */
	CLOSE_EOF, /* the peer closed and all is written */
};

/**
 * struct side_config - the clients, or the server: the stack and its user
 * @timestamps, @window_scaling, @hystart, @iw, @rto_min, @rto_max, @delack, @msl,
 * @fin_timeout, @keep_idle, @keep_interval: tunables (env.h), microseconds
 * @cc:         congestion control
 * @retries:    of data; of all other kinds some more or less; 0: the defaults
 * @nodelay:    no Nagle
 * @keepalive:  SO_KEEPALIVE
 * @mtu:        of our interface
 * @default_mss: the MSS of a peer that names none, 0: that of IPv4
 * @user_mss:   bound to the MSS, 0: none
 * @rcvbuf:     receive buffer, bytes
 * @rcvbuf_max: what it may grow to, sets the window scale
 * @sndbuf:     bytes written and not acknowledged
 * @offload:    bytes to ask conn_poll() for at once, 0: one segment
 * @nomem:      ppm of segments that find no memory for their payload
 * @isn_wrap:   sequence numbers wrap soon after the start
 *
 * @bytes:       to write
 * @chunk_min:   smallest write
 * @chunk_max:   largest write
 * @urgent:      ppm of writes that are urgent
 * @urgent_inline: the reader takes urgent data for ordinary
 * @write_gap:   pause between writes, microseconds
 * @more:        ppm of writes that say that more follows
 * @read_rate:   bytes per second, 0: at once
 * @read_chunk:  most bytes of one read, 0: no limit
 * @read_delay:  before the first read, microseconds
 * @pause_at:    pause before reading this byte
 * @pause_for:   how long, microseconds, 0: no pause
 * @close:       when to close
 * @close_acked: not before all that was written is acknowledged
 * @close_grid:  close at a multiple of this time, so that both sides can do
 *               it at the same moment; 0: at once
 * @user_timeout: for what makes no progress, microseconds, 0: none
 * @clamp:       bound to the window, 0: none
 * @defer:       so long a listener's record waits for data, microseconds
 * @leave_after: close() so long after shutdown(), whatever comes, 0: no
 * @change_every: change an option each so often, 0: never
 * @changes:     which (enum change), a bit each
 * @flip_every: the host turns timestamps, window scaling or HyStart++ on or off about
 *              each so often, microseconds, 0: never
 * @release:     close() instead of shutdown()
 * @close_read:  shutdown() of both directions, not only of writing
 * @abort_after: abort so long after the start, 0: never
 * @resize_after: give the receive buffer another size then, 0: never
 * @resize_to:   which
 */
struct side_config {
	bool timestamps, window_scaling, hystart, nodelay, keepalive, isn_wrap;
	const struct cc_ops *cc;
	u32 iw;
	u32 mtu;
	u32 default_mss;
	u32 user_mss;
	u32 rcvbuf, rcvbuf_max, sndbuf;
	u32 offload;
	u32 nomem;
	u32 retries;
	u64 rto_min, rto_max, delack, msl, fin_timeout;
	u64 keep_idle, keep_interval;

	u64 bytes;
	u32 chunk_min, chunk_max;
	u64 write_gap;
	u32 more, urgent;
	bool urgent_inline;
	u64 read_rate;
	u32 read_chunk;
	u64 read_delay;
	u64 pause_at, pause_for;
	enum close_when close;
	bool close_acked;
	u64 close_grid;
	bool release, close_read;
	u64 abort_after;
	u64 resize_after;
	u32 resize_to;
	u64 user_timeout;
	u32 clamp;
	u64 defer;
	u64 leave_after;
	u64 change_every;
	u32 changes;
	u64 flip_every;
};

enum side {
	CLIENT,
	SERVER,
	NR_SIDES
};

/**
 * struct sim_config - a run
 * @seed:        of all that is random in it
 * @link:        [CLIENT]: what the clients send through; [SERVER]: the server
 * @side:        [CLIENT], [SERVER]
 * @clients:     hosts that share the path to the server
 * @connections: of each client, open at the same time
 * @rounds:      how often each is made again, from the same port
 * @open_gap:    between the openings of two connections, microseconds
 * @attack:      a blind attacker sends a segment each so many microseconds, 0: none
 * @start:       the clock at the beginning, microseconds
 * @simultaneous: both sides open actively
 * @carry:       packets carry payload
 * @forsaken:    who closes does not wait for the peer's end of the stream
 * @deaf_after:  the server stops to listen then, microseconds, 0: never
 * @foreign:     headers without payload as another stack might write them
 * @no_rules:    the rules of the RFCs may be broken, but not the stream of bytes
 * @watch:       hold the events against what happens, even if nobody reads them
 */
struct sim_config {
	u64 seed;
	struct link_config link[NR_SIDES];
	struct side_config side[NR_SIDES];
	u32 clients;
	u32 connections;
	u32 rounds;
	u64 open_gap;
	u64 attack;
	u64 start;
	bool simultaneous;
	bool carry;
	bool forsaken;
	u64 deaf_after;
	bool foreign;
	bool watch;
	bool no_rules;
};

/**
 * config_init() - the defaults of the command line
 * @cfg: filled in
 */
void config_init(struct sim_config *cfg);

/**
 * config_describe() - a configuration in words
 * @cfg: the configuration
 * @f:   where to
 */
void config_describe(const struct sim_config *cfg, FILE *f);

/* Whether a user may end a connection before all bytes have arrived. */
static inline bool config_aborts(const struct sim_config *cfg)
{
	return cfg->side[CLIENT].abort_after || cfg->side[SERVER].abort_after ||
	       cfg->link[CLIENT].dead_after || cfg->forsaken || cfg->deaf_after;
}

#endif /* CHALK_SIM_CONFIG_H */
