// SPDX-License-Identifier: GPL-2.0
/*
 * options.c - one table of options: names, values, where they go, help
 *
 * Adding an option is one line in the table.
 */
#include <getopt.h>
#include <stdarg.h>

#include "options.h"
#include "rng.h"

/* Where a value goes. VALUE/VALUE gives one to each direction or end. */
enum where {
	RUN,
	PATH,
	ENDS,
	CLIENT_END,
	SERVER_END
};

enum type {
	RATE,
	TIME,
	SIZE, /* u64 */
	SIZE32,
	COUNT,
	CHANCE, /* u32 */
	ON,
	OFF, /* bool, without a value */
	TEXT, /* const char * */
	CONTROL, /* const struct cc_ops * */
	DROPS,
	BURST,
	BENCH,
	REPLAY, /* several fields */
};

struct opt {
	const char *name;
	const char *value; /* its name in the help, NULL: takes none */
	enum type type;
	enum where where;
	size_t offset;
	const char *help;
};

#define IN_RUN(field) RUN, offsetof(struct options, field)
#define IN_PATH(field) PATH, offsetof(struct link_config, field)
#define IN_ENDS(field) ENDS, offsetof(struct side_config, field)
#define OF_CLIENT(field) CLIENT_END, offsetof(struct side_config, field)
#define OF_SERVER(field) SERVER_END, offsetof(struct side_config, field)

#define SECTION(title)                        \
	{                                     \
		NULL, NULL, ON, RUN, 0, title \
	}

static const struct opt table[] = {
	SECTION("The path (VALUE or VALUE/VALUE: from the client/from the server)"),
	{ "rate", "RATE", RATE, IN_PATH(rate), "rate, 0: no limit [10mbit]" },
	{ "delay", "TIME", TIME, IN_PATH(delay), "delay of one way [10ms]" },
	{ "queue", "N", COUNT, IN_PATH(queue),
	  "packets that may wait, 0: no limit [100]" },
	{ "queue-bytes", "SIZE", SIZE32, IN_PATH(queue_bytes),
	  "bytes that may wait [no limit]" },
	{ "loss", "P", CHANCE, IN_PATH(loss), "packets lost, each by itself" },
	{ "burst-loss", "P,N,P", BURST, PATH, 0,
	  "bursts begin with P, last N packets, P of them lost [,5,80%]" },
	{ "reorder", "P", CHANCE, IN_PATH(reorder), "packets held up" },
	{ "reorder-delay", "TIME", TIME, IN_PATH(reorder_delay),
	  "for at most so long [5ms]" },
	{ "dup", "P", CHANCE, IN_PATH(dup), "packets that arrive twice" },
	{ "corrupt", "P", CHANCE, IN_PATH(corrupt),
	  "packets with flipped bits" },
	{ "path-mtu", "BYTES", COUNT, IN_PATH(mtu),
	  "larger packets are lost, an ICMP message says so" },
	{ "path-mtu-after", "TIME", TIME, IN_PATH(mtu_after),
	  "from then on [0]" },
	{ "drop-data", "LIST", DROPS, PATH, CLASS_DATA,
	  "lose the Nth packets with data: 7,8 from the client, s3 from the server" },
	{ "drop-ack", "LIST", DROPS, PATH, CLASS_ACK,
	  "the same, bare ACKs: 7,8 from the server, c3 from the client" },
	{ "drop-syn", "LIST", DROPS, PATH, CLASS_SYN, "the same, SYNs" },
	{ "drop-synack", "LIST", DROPS, PATH, CLASS_SYNACK,
	  "the same, SYN+ACKs" },
	{ "drop-fin", "LIST", DROPS, PATH, CLASS_FIN, "the same, FINs" },

	SECTION("The stacks (VALUE or VALUE/VALUE: client/server)"),
	{ "mtu", "BYTES", COUNT, IN_ENDS(mtu), "MTU of the interface [1500]" },
	{ "mss", "BYTES", COUNT, IN_ENDS(user_mss), "upper bound to the MSS" },
	{ "iw", "N", COUNT, IN_ENDS(iw), "initial window, segments [10]" },
	{ "cc", "NAME", CONTROL, IN_ENDS(cc),
	  "congestion control [newreno]: " },
	{ "no-hystart", NULL, OFF, IN_ENDS(hystart), "RFC 9406 off" },
	{ "no-timestamps", NULL, OFF, IN_ENDS(timestamps), "RFC 7323 off" },
	{ "no-window-scaling", NULL, OFF, IN_ENDS(window_scaling),
	  "RFC 7323 off" },
	{ "nodelay", NULL, ON, IN_ENDS(nodelay), "no Nagle" },
	{ "keepalive", NULL, ON, IN_ENDS(keepalive), "send keep-alives" },
	{ "rcvbuf", "SIZE", SIZE32, IN_ENDS(rcvbuf),
	  "receive buffer [256KiB]" },
	{ "sndbuf", "SIZE", SIZE32, IN_ENDS(sndbuf), "send buffer [256KiB]" },
	{ "rto-min", "TIME", TIME, IN_ENDS(rto_min), "least RTO [200ms]" },
	{ "rto-max", "TIME", TIME, IN_ENDS(rto_max), "largest RTO [120s]" },
	{ "delack", "TIME", TIME, IN_ENDS(delack), "delay of an ACK [40ms]" },
	{ "msl", "TIME", TIME, IN_ENDS(msl), "half of TIME_WAIT [30s]" },
	{ "offload", "SIZE", SIZE32, IN_ENDS(offload),
	  "take so much from the core at once [one segment]" },

	SECTION("The users"),
	{ "bytes", "SIZE", SIZE, OF_CLIENT(bytes), "the client writes [1MiB]" },
	{ "reverse-bytes", "SIZE", SIZE, OF_SERVER(bytes),
	  "the server writes [0]" },
	{ "chunk", "SIZE", SIZE32, IN_ENDS(chunk_max), "of one write [16KiB]" },
	{ "write-gap", "TIME", TIME, IN_ENDS(write_gap),
	  "between two writes [0]" },
	{ "reader-rate", "SIZE", SIZE, IN_ENDS(read_rate),
	  "bytes a reader takes in a second [all at once]" },
	{ "reader-delay", "TIME", TIME, IN_ENDS(read_delay),
	  "before the first read [0]" },
	{ "close", "WHO", TEXT, IN_RUN(closer),
	  "client, server or both at once [client]" },
	{ "half-close", NULL, ON, IN_RUN(half_close),
	  "who closes does not wait for the peer's bytes" },
	{ "close-early", NULL, ON, IN_RUN(close_early),
	  "nor for the ACKs of his own: data may leave in FIN_WAIT_1" },
	{ "abort-after", "TIME", TIME, IN_ENDS(abort_after), "abort" },

	SECTION("The run"),
	{ "attack", "TIME", TIME, IN_RUN(cfg.attack),
	  "each so long a blind attacker sends a segment" },
	{ "clients", "N", COUNT, IN_RUN(cfg.clients),
	  "hosts that share the path [1]" },
	{ "connections", "N", COUNT, IN_RUN(cfg.connections),
	  "of each client [1]" },
	{ "rounds", "N", COUNT, IN_RUN(cfg.rounds),
	  "connections one after another from one port [1]" },
	{ "open-gap", "TIME", TIME, IN_RUN(cfg.open_gap),
	  "between openings [10ms]" },
	{ "simultaneous-open", NULL, ON, IN_RUN(cfg.simultaneous),
	  "both ends connect" },
	{ "seed", "N", SIZE, IN_RUN(cfg.seed), "of all that is random [1]" },
	{ "trace", "FILE", TEXT, IN_RUN(trace),
	  "events as text, -: standard output" },
	{ "pcap", "FILE", TEXT, IN_RUN(pcap[CLIENT]),
	  "capture what leaves and reaches the clients" },
	{ "pcap-server", "FILE", TEXT, IN_RUN(pcap[SERVER]),
	  "the same at the server" },
	{ "no-rules", NULL, ON, IN_RUN(cfg.no_rules),
	  "an experiment may break the RFCs; bytes are still checked" },
	{ "bench", NULL, BENCH, RUN, 0,
	  "fast path, no payload: how fast is the simulator? (first option)" },
	{ "scenarios", "N", COUNT, IN_RUN(scenarios),
	  "N random scenarios with all rules checked, from --seed on" },
	{ "jobs", "N", COUNT, IN_RUN(jobs), "in N processes [1]" },
	{ "replay", "SEED", REPLAY, RUN, 0, "one of them alone" },
	{ "help", NULL, ON, IN_RUN(help), "this text" },
};

/* --- values --- */

struct unit {
	const char *name;
	double factor;
};

static const struct unit rate_units[] = {
	{ "", 1 },	 { "bit", 1 },	  { "kbit", 1e3 },
	{ "mbit", 1e6 }, { "gbit", 1e9 }, { NULL, 0 },
};

static const struct unit time_units[] = {
	{ "ms", 1e3 }, { "us", 1 }, { "s", 1e6 }, { "min", 60e6 }, { NULL, 0 },
};

static const struct unit size_units[] = {
	{ "", 1 },	     { "B", 1 },
	{ "kB", 1e3 },	     { "KiB", 1024 },
	{ "k", 1024 },	     { "MB", 1e6 },
	{ "MiB", 1048576 },  { "M", 1048576 },
	{ "GB", 1e9 },	     { "GiB", 1073741824 },
	{ "G", 1073741824 }, { NULL, 0 },
};

static const struct unit count_units[] = { { "", 1 }, { NULL, 0 } };

static const struct unit chance_units[] = {
	{ "%", PPM / 100.0 },
	{ "ppm", 1 },
	{ "", PPM },
	{ NULL, 0 },
};

static const struct unit *units_of(enum type type)
{
	switch (type) {
	case RATE:
		return rate_units;
	case TIME:
		return time_units;
	case CHANCE:
		return chance_units;
	case COUNT:
		return count_units;
	default:
		return size_units;
	}
}

/* What a value looks like, for who got it wrong. */
static const char *const looks[] = {
	[RATE] = "a rate, such as 10mbit; units: bit kbit mbit gbit",
	[TIME] = "a time, such as 20ms; units: us ms s min",
	[SIZE] = "a size, such as 64KiB; units: B kB KiB MB MiB GB GiB",
	[SIZE32] = "a size below 4 GiB, such as 64KiB; units: B kB KiB MB MiB",
	[COUNT] = "a whole number",
	[CHANCE] = "a probability: 1%, 0.01 or 10000ppm",
	[DROPS] = "up to 32 numbers, from 1: 7,8 or s3",
	[BURST] = "P, P,N or P,N,P, such as 1%,5,80%; N is at least 1",
	[REPLAY] = "a seed, which is a number",
};

/* A number and its unit, up to @end; false if it is none. */
static bool parse_number(const char *text, const char *end, enum type type,
			 double *value)
{
	const struct unit *u = units_of(type);
	char *rest;

	*value = strtod(text, &rest);
	if (rest == text || rest > end || !(*value >= 0))
		return false;
	for (; u->name; u++)
		if (strlen(u->name) == (size_t)(end - rest) &&
		    !strncmp(u->name, rest, end - rest))
			break;
	if (!u->name && !(rest == end && !*value))
		return false;
	*value *= u->name ? u->factor : 1;
	return type != CHANCE || *value <= PPM;
}

static bool store_number(void *at, enum type type, double value)
{
	switch (type) {
	case RATE:
	case TIME:
	case SIZE:
		*(u64 *)at = value;
		return value < 1e18;
	default:
		*(u32 *)at = value;
		return value <= U32_MAX;
	}
}

/* --- where values go --- */

static void *field(struct options *o, const struct opt *opt, u32 second)
{
	char *base;

	switch (opt->where) {
	case PATH:
		base = (char *)&o->cfg.link[second];
		break;
	case ENDS:
		base = (char *)&o->cfg.side[second];
		break;
	case CLIENT_END:
		base = (char *)&o->cfg.side[CLIENT];
		break;
	case SERVER_END:
		base = (char *)&o->cfg.side[SERVER];
		break;
	default:
		base = (char *)o;
	}
	return base + opt->offset;
}

static bool is_pair(const struct opt *opt)
{
	return opt->where == PATH || opt->where == ENDS;
}

static bool set_number(struct options *o, const struct opt *opt,
		       const char *text)
{
	const char *slash = is_pair(opt) ? strchr(text, '/') : NULL;
	const char *end = slash ? slash : text + strlen(text);
	double first, second;

	if (!parse_number(text, end, opt->type, &first))
		return false;
	second = first;
	if (slash &&
	    !parse_number(slash + 1, slash + strlen(slash), opt->type, &second))
		return false;
	return store_number(field(o, opt, 0), opt->type, first) &&
	       (!is_pair(opt) ||
		store_number(field(o, opt, 1), opt->type, second));
}

static bool set_flag(struct options *o, const struct opt *opt)
{
	*(bool *)field(o, opt, 0) = opt->type == ON;
	if (is_pair(opt))
		*(bool *)field(o, opt, 1) = opt->type == ON;
	return true;
}

static const struct cc_ops *find_cc(const char *text, size_t len)
{
	char name[16] = "";

	if (len < sizeof(name))
		memcpy(name, text, len);
	return cc_find(name);
}

static bool set_cc(struct options *o, const struct opt *opt, const char *text)
{
	size_t len = strcspn(text, "/");
	const char *second = text[len] ? text + len + 1 : text;
	const struct cc_ops *client = find_cc(text, len);
	const struct cc_ops *server = find_cc(second, strcspn(second, "/"));

	*(const struct cc_ops **)field(o, opt, CLIENT) = client;
	*(const struct cc_ops **)field(o, opt, SERVER) = server;
	return client && server;
}

/* Who sends such packets where a list does not say it. */
static enum side usual_sender(enum seg_class class)
{
	return class == CLASS_ACK || class == CLASS_SYNACK ? SERVER : CLIENT;
}

static bool set_drops(struct options *o, enum seg_class class, const char *text)
{
	while (*text) {
		enum side side = usual_sender(class);
		struct drop_list *list;
		char *end;

		if (*text == 'c' || *text == 's')
			side = *text++ == 's' ? SERVER : CLIENT;
		list = &o->cfg.link[side].drop[class];
		if (list->n == DROP_LIST_MAX)
			return false;
		list->nth[list->n] = strtoul(text, &end, 10);
		if (!list->nth[list->n++] || end == text ||
		    (*end && *end != ','))
			return false;
		text = *end ? end + 1 : end;
	}
	return true;
}

/* P[,N[,P]] */
static bool set_burst(struct options *o, const char *text)
{
	double value[3] = { 0, 5, 0.8 * PPM };
	static const enum type types[3] = { CHANCE, COUNT, CHANCE };
	u32 i;

	for (i = 0; i < 3 && *text; i++) {
		const char *end = text + strcspn(text, ",");

		if (!parse_number(text, end, types[i], &value[i]))
			return false;
		text = *end ? end + 1 : end;
	}
	if (*text || value[1] < 1)
		return false;
	for (i = 0; i < NR_SIDES; i++) {
		o->cfg.link[i].burst_enter = value[0];
		o->cfg.link[i].burst_leave = PPM / value[1];
		o->cfg.link[i].burst_loss = value[2];
	}
	return true;
}

static bool set_bench(struct options *o)
{
	u32 i;

	o->bench = true;
	o->cfg.carry = false;
	o->cfg.side[CLIENT].bytes = 2ULL << 30;
	for (i = 0; i < NR_SIDES; i++) {
		o->cfg.link[i].rate = 10000000000ULL;
		o->cfg.link[i].delay = 100;
		o->cfg.link[i].queue = 1000;
		o->cfg.side[i].rcvbuf = 1024 * 1024;
		o->cfg.side[i].sndbuf = 1024 * 1024;
	}
	return true;
}

static bool set_replay(struct options *o, const char *text)
{
	char *end;

	o->replay = true;
	o->replay_seed = strtoull(text, &end, 0);
	return end != text && !*end;
}

static bool set(struct options *o, const struct opt *opt, const char *text)
{
	switch (opt->type) {
	case ON:
	case OFF:
		return set_flag(o, opt);
	case TEXT:
		*(const char **)field(o, opt, 0) = text;
		return true;
	case CONTROL:
		return set_cc(o, opt, text);
	case DROPS:
		return set_drops(o, opt->offset, text);
	case BURST:
		return set_burst(o, text);
	case BENCH:
		return set_bench(o);
	case REPLAY:
		return set_replay(o, text);
	default:
		return set_number(o, opt, text);
	}
}

/* --- the whole --- */

__attribute__((__format__(__printf__, 1, 2))) static bool wrong(const char *fmt,
								...)
{
	va_list ap;

	fputs("chalk-sim: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\nTry: chalk sim --help\n", stderr);
	return false;
}

/* All algorithms, as a line of help names them. */
static const char *cc_names(void)
{
	static char names[80];
	size_t n = 0;

	for (size_t i = 0; cc_at(i) && n < sizeof(names); i++)
		n += snprintf(names + n, sizeof(names) - n, "%s%s",
			      i ? " or " : "", cc_at(i)->name);
	return names;
}

static bool wrong_value(const struct opt *opt, const char *text)
{
	bool number = opt->value && !strcmp(opt->value, "N");
	const char *look = number ? looks[COUNT] : looks[opt->type];

	if (opt->type == CONTROL)
		look = cc_names();
	return wrong("--%s %s: it takes %s", opt->name, text, look);
}

static bool set_closers(struct options *o)
{
	enum close_when first = o->half_close ? CLOSE_WRITTEN : CLOSE_EXCHANGED;
	struct side_config *client = &o->cfg.side[CLIENT];
	struct side_config *server = &o->cfg.side[SERVER];

	client->close = server->close = CLOSE_EOF;
	if (!strcmp(o->closer, "client")) {
		client->close = first;
	} else if (!strcmp(o->closer, "server")) {
		server->close = first;
	} else if (!strcmp(o->closer, "both")) {
		client->close = server->close = first;
		client->close_grid = server->close_grid = USEC_PER_S;
	} else {
		return wrong("--close %s: it takes client, server or both",
			     o->closer);
	}
	client->close_acked = server->close_acked = !o->close_early;
	return true;
}

/* Sizes in bytes, times in microseconds. */
static bool within(const char *name, u64 value, u64 least, u64 most)
{
	if (value >= least && value <= most)
		return true;
	return wrong("--%s is %llu: it takes %llu to %llu", name,
		     (unsigned long long)value, (unsigned long long)least,
		     (unsigned long long)most);
}

static bool end_is_possible(struct side_config *s)
{
	s->chunk_min = s->chunk_max;
	if (s->rto_min > s->rto_max)
		return wrong("--rto-min is above --rto-max");
	return within("mtu", s->mtu, 68, 65535) &&
	       within("mss", s->user_mss, 0, 65535) &&
	       within("iw", s->iw, 1, 10000) &&
	       within("chunk", s->chunk_max, 1, U32_MAX) &&
	       within("rcvbuf", s->rcvbuf, 1, 1U << 30) &&
	       within("sndbuf", s->sndbuf, 1, 1U << 30) &&
	       within("rto-min", s->rto_min, 1, U32_MAX) &&
	       within("rto-max", s->rto_max, 1, U32_MAX);
}

static bool run_is_possible(const struct options *o)
{
	const struct sim_config *cfg = &o->cfg;

	return within("clients", cfg->clients, 1, 250) &&
	       within("connections", cfg->connections, 1, 20000) &&
	       within("rounds", cfg->rounds, 1, 1000000) &&
	       within("jobs", o->jobs, 1, 1000);
}

/* An algorithm that somebody has just written is not called half done. */
static bool algorithms_are_whole(void)
{
	const struct cc_ops *ops;

	for (size_t i = 0; (ops = cc_at(i)); i++)
		if (cc_lacks(ops))
			return wrong(
				"congestion control %s lacks %s: see struct cc_ops in core/cc.h",
				ops->name ?: "without a name", cc_lacks(ops));
	return true;
}

static bool finish(struct options *o)
{
	return set_closers(o) && end_is_possible(&o->cfg.side[CLIENT]) &&
	       end_is_possible(&o->cfg.side[SERVER]) && run_is_possible(o);
}

static void long_options(struct option *out)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].name)
			*out++ = (struct option){
				.name = table[i].name,
				.has_arg = table[i].value ? required_argument :
							    no_argument,
				.val = i,
			};
	*out = (struct option){ 0 };
}

bool options_parse(struct options *o, int argc, char **argv)
{
	struct option names[ARRAY_SIZE(table) + 1];
	int i;

	*o = (struct options){ .jobs = 1, .closer = "client" };
	if (!algorithms_are_whole())
		return false;
	config_init(&o->cfg);
	for (i = 0; i < NR_SIDES; i++)
		o->cfg.link[i].reorder_delay = 5 * USEC_PER_MS;
	long_options(names);
	while ((i = getopt_long(argc, argv, "", names, NULL)) >= 0) {
		if (i == '?')
			return wrong("unknown option, or its value is missing");
		if (!set(o, &table[i], optarg))
			return wrong_value(&table[i], optarg);
	}
	if (optind < argc)
		return wrong("only options, no other words");
	return finish(o);
}

static const char intro[] =
	"Usage: chalk sim [OPTION]...\n"
	"Run Chalk's protocol core between simulated hosts on a virtual clock: any\n"
	"path, any trouble, the same every time, faster than the real thing.\n"
	"The rules of the RFCs are checked at every segment.\n";

static const char examples[] =
	"\nExamples:\n"
	"  chalk sim --loss 1% --bytes 8MiB\n"
	"  chalk sim --drop-data 7 --bytes 100kB --trace - | less -S\n"
	"  chalk sim --reader-rate 50kB --rcvbuf 8KiB --trace slow.tsv\n"
	"  chalk sim --close both --trace close.tsv\n"
	"  chalk sim --clients 4 --rate 5mbit --queue 20\n"
	"  chalk sim --scenarios 2000 --jobs 2\n"
	"  chalk sim --replay 1234 --trace failed.tsv\n"
	"  chalk sim --bench\n"
	"\nUnits: rates bit kbit mbit gbit; times us ms s min; sizes B kB KiB MB MiB GB\n"
	"GiB; P is 1% or 0.01 or 100ppm.\n"
	"Exit status: 0 all is well, 1 a rule was broken, 2 wrong usage.\n";

void options_help(FILE *f)
{
	char left[40];
	u32 i;

	fputs(intro, f);
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		if (!table[i].name) {
			fprintf(f, "\n%s:\n", table[i].help);
			continue;
		}
		snprintf(left, sizeof(left), "--%s%s%s", table[i].name,
			 table[i].value ? " " : "", table[i].value ?: "");
		fprintf(f, "  %-22s %s%s\n", left, table[i].help,
			table[i].type == CONTROL ? cc_names() : "");
	}
	fputs(examples, f);
}
