/* SPDX-License-Identifier: GPL-2.0 */
/*
 * params.h - every constant of the protocol, with its unit and its source
 *
 * Constants that a namespace may change are the defaults of struct tunables
 * (env.h); the others are used as they stand here.
 */
#ifndef CHALK_CORE_PARAMS_H
#define CHALK_CORE_PARAMS_H

#include "types.h"

/* --- sizes (bytes) --- */

/* RFC 9293 section 3.1: five words without options, data offset of 4 bits. */
#define HDR_MIN 20
#define HDR_MAX 60

/* RFC 9293 section 3.7.1, MUST-15: the MSS where the peer names none. */
#define MSS_DEFAULT 536
#define MSS_DEFAULT_IPV6 1220

/* RFC 768: the header of a datagram. */
#define DGRAM_HDR 8

/*
 * DEVIATES: RFC 9293 section 3.7.1 sets no floor to an MSS option. A peer that
 * asks for less gets this, so that it cannot make us send a packet a byte.
 */
#define MSS_FLOOR 48

/* RFC 7323 section 2.3: a larger shift counts as 14. */
#define WSCALE_MAX 14

/* RFC 7323 section 3.2: the option with its two bytes of padding. */
#define TS_OPTION_LEN 12

/* --- retransmission timer (microseconds) --- */

/* RFC 6298 (2.1): before the first sample. */
#define RTO_INITIAL (1 * USEC_PER_S)

/*
 * DEVIATES: RFC 6298 (2.4) says that RTO SHOULD be at least 1 s, which also
 * keeps a delayed ACK from looking like a loss. 200 ms is what the kernel's TCP
 * has used for decades, and the two are to be compared; as there, it is the
 * least distance that RTO keeps from SRTT, so that the ACK may still be late.
 */
#define RTO_FLOOR (200 * USEC_PER_MS)

/* RFC 6298 (2.5): a maximum of at least 60 s. */
#define RTO_CEILING (120 * USEC_PER_S)

/*
 * RFC 6298 (5.7): the RTO after a handshake whose SYN was lost. It applies
 * where no RTT sample could be taken.
 */
#define RTO_AFTER_SYN_LOSS (3 * USEC_PER_S)

/*
 * RFC 9293 section 3.8.3: R2 as a number of retransmissions.
 * DEVIATES: a SYN must be tried for 3 minutes (MUST-23); 6 retransmissions make
 * 127 s, and 5 of a SYN+ACK 63 s, as in the kernel's TCP.
 */
#define SYN_RETRIES 6
#define SYNACK_RETRIES 5
#define DATA_RETRIES 15
/*
 * The same for a connection that no process holds any more, and for its probes of
 * a shut window: more than 100 s at the least RTO.
 */
#define ORPHAN_RETRIES 8
/* Where a long user timeout takes the place of R2 counting ends here. */
#define MOST_RETRIES 255

/* --- acknowledgments --- */

/* RFC 9293 section 3.8.6.3: less than 500 ms; 40 ms as in the kernel's TCP. */
#define DELACK_TIME (40 * USEC_PER_MS)

/* How long the third segment of a handshake may wait for data; as above. */
#define HANDSHAKE_DELAY (200 * USEC_PER_MS)

/* RFC 9293 section 3.8.6.3: at least every second full-sized segment. */
#define DELACK_SEGMENTS 2

/*
 * The first segments of a connection are acknowledged at once, so that the
 * peer's slow start is not held up (RFC 5681 section 4.2 allows any rate).
 */
#define QUICKACKS 16

/* RFC 5961 section 7: challenge ACKs in a period. */
#define CHALLENGE_ACKS 10
#define CHALLENGE_PERIOD (5 * USEC_PER_S)

/* --- congestion control --- */

/* RFC 6928 section 2: segments of the initial window, and what one may weigh. */
#define INIT_CWND 10
#define INIT_CWND_MSS 1460

/* RFC 5681 section 3.2: duplicate ACKs that mean a loss. */
#define DUPACK_THRESHOLD 3

/* RFC 3042 section 2: new segments the first duplicate ACKs may send. */
#define LIMITED_TRANSMIT_SEGMENTS 2

/* RFC 3465 section 2.2: L, the most that slow start takes from one ACK. */
#define ABC_LIMIT 2

/*
 * RFC 9406 section 4.3. DEVIATES: L, the bytes of one ACK that cwnd grows by, is 8
 * segments there where nothing is paced; ABC_LIMIT is what RFC 3465 section 2.2 allows.
 * It has no part in what HyStart++ decides. An ACK of more than two segments makes cwnd
 * grow less, and lets no burst of 16 into the queue that is to be spared.
 */
#define MIN_RTT_THRESH (4 * USEC_PER_MS)
#define MAX_RTT_THRESH (16 * USEC_PER_MS)
#define MIN_RTT_DIVISOR 8
#define N_RTT_SAMPLE 8
#define CSS_GROWTH_DIVISOR 4
#define CSS_ROUNDS 5

/* RFC 7661 section 4.4.3: how long a cwnd is kept of which less than half is used. */
#define NONVALIDATED_PERIOD (300 * USEC_PER_S)

/* RFC 5681 section 3.1: ssthresh starts arbitrarily high. */
#define SSTHRESH_INITIAL 0x7fffffff

/* --- life and death (microseconds) --- */

/*
 * DEVIATES: RFC 9293 section 3.4.2 takes MSL as 2 minutes. 30 s makes
 * TIME_WAIT last the 60 s of the kernel's TCP.
 */
#define MSL (30 * USEC_PER_S)

/*
 * How far a connection that reopens a TIME_WAIT begins beyond the old one: more
 * than an unscaled window, so that nothing old falls into the new one.
 */
#define REOPEN_DISTANCE 65537

/*
 * RFC 7323 section 5.4: a timestamp clock ticks at least once a second. After
 * that, timestamps tell an old connection's segments from a new one's.
 */
#define TW_REUSE_AFTER (1 * USEC_PER_S)

/* tunables.timewait_reuse, as the kernel's TCP has it: only where nothing gets lost. */
#define TW_REUSE_LOOPBACK 2

/*
 * How long a FIN_WAIT_2 that no process holds waits for the peer's FIN.
 * DEVIATES: RFC 9293 section 3.6 lets it wait for ever; a peer that vanished
 * would then keep the connection for ever.
 */
#define FIN_TIMEOUT (60 * USEC_PER_S)

/* RFC 9293 section 3.8.4: idle time of at least two hours. */
#define KEEP_IDLE (7200 * USEC_PER_S)
#define KEEP_INTERVAL (75 * USEC_PER_S)
#define KEEP_PROBES 9

/* RFC 9293 section 3.8.6.2.1: the override timeout, 0.1 to 1 s. */
#define SWS_OVERRIDE (200 * USEC_PER_MS)

/* RFC 7323 section 5.5: ts_recent is not trusted after 24 days of silence. */
#define PAWS_IDLE (24ULL * 24 * 3600 * USEC_PER_S)

/* --- figures (microseconds) --- */

/*
 * Half of the time that a minimum RTT is remembered: together the 300 s of the
 * kernel's TCP.
 */
#define MIN_RTT_PERIOD (150 * USEC_PER_S)

/*
 * Milliseconds: an older echo tells of a pause alone. As in the kernel's TCP; a round
 * trip is kept in 32 bits of microseconds.
 */
#define OLDEST_ECHO 2147483

/* --- memory --- */

/* Segments that a right-sized receive buffer has room for besides its rate. */
#define AUTOTUNE_SLACK 16

/*
 * Segments that a window is open for while memory is short, or there is none. The
 * kernel's TCP takes four for both, and drops what it has no memory for. Two are
 * what an ACK goes out for; there is always memory for them.
 */
#define SHORT_MEMORY_SEGMENTS 4
#define OUT_OF_MEMORY_SEGMENTS 2

/* Most holes that one connection's out-of-order data may have. */
#define REASM_MAX 1024

#endif /* CHALK_CORE_PARAMS_H */
