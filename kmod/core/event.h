/* SPDX-License-Identifier: GPL-2.0 */
/*
 * event.h - the record of one change of a connection, with its cause
 *
 * Owns the names: what can happen (EVENT_KINDS), why (EVENT_CAUSES) and why a
 * segment is dropped (DROP_REASONS), each cause with the clause of the RFC that
 * asks for it. Every habitat of the core shows the same record; this file also
 * owns its text form, one tab-separated line.
 *
 * Adding a cause is one line here; enum, name and clause follow.
 */
#ifndef CHALK_CORE_EVENT_H
#define CHALK_CORE_EVENT_H

#include "types.h"

/* clang-format off */

/* X(identifier, name in the trace, a word) */
#define EVENT_KINDS(X)                      \
	X(SEND, send)                       \
	X(RTX, rtx)                         \
	X(RECV, recv)                       \
	X(DROP, drop)                       \
	X(STATE, state)                     \
	X(CWND, cwnd)                       \
	X(SSTHRESH, ssthresh)               \
	X(HYSTART, hystart)                 \
	X(RTT, rtt)                         \
	X(RTT_REFUSED, rtt_refused)         \
	X(RTO, rto)                         \
	X(TIMER_SET, timer_set)             \
	X(TIMER_FIRED, timer_fired)         \
	X(SND_WND, snd_wnd)                 \
	X(RCV_WND, rcv_wnd)                 \
	X(MSS, mss)

/* X(identifier, name in the trace, clause) */
#define EVENT_CAUSES(X)                                                        \
	X(NONE, "-", "-")                                                      \
	/* calls of the user */                                                \
	X(USER_OPEN, "active open", "RFC 9293 3.10.1")                         \
	X(USER_CLOSE, "close", "RFC 9293 3.10.4")                              \
	X(USER_ABORT, "abort", "RFC 9293 3.10.5")                              \
	X(USER_READ, "reader made room", "RFC 9293 3.8.6.2.2")                 \
	X(CLOSED_UNREAD, "text after close", "RFC 9293 3.6.1")                 \
	/* segments that arrive */                                             \
	X(ARRIVAL, "segment arrives", "RFC 9293 3.10.7")                       \
	X(RCVD_SYN, "SYN arrives", "RFC 9293 3.10.7.3")                        \
	X(RCVD_SYNACK, "SYN+ACK arrives", "RFC 9293 3.10.7.3")                 \
	X(RCVD_ACK_OF_SYN, "our SYN is acknowledged", "RFC 9293 3.10.7.4")     \
	X(RCVD_FIN, "FIN arrives", "RFC 9293 3.10.7.4")                        \
	X(RCVD_ACK_OF_FIN, "our FIN is acknowledged", "RFC 9293 3.10.7.4")     \
	X(RCVD_RST, "RST arrives", "RFC 9293 3.10.7.4")                        \
	X(RCVD_ICMP, "ICMP error", "RFC 5927 4")                               \
	X(SYN_OPTIONS, "options of the SYN", "RFC 9293 3.7.1")                 \
	/* why a segment goes out */                                           \
	X(HANDSHAKE, "handshake", "RFC 9293 3.5")                              \
	X(DATA, "data", "RFC 9293 3.10.2")                                     \
	X(LIMITED_TRANSMIT, "limited transmit", "RFC 3042 2")                  \
	X(FIN, "all data sent, FIN", "RFC 9293 3.6")                           \
	X(ACK_SECOND, "every second full segment", "RFC 9293 3.8.6.3")         \
	X(ACK_QUICK, "quick ACK", "RFC 5681 4.2")                              \
	X(ACK_DELAYED, "delayed ACK is due", "RFC 9293 3.8.6.3")               \
	X(ACK_DUP, "out of order, duplicate ACK", "RFC 5681 4.2")              \
	X(ACK_FILL, "a hole is filled", "RFC 5681 4.2")                        \
	X(ACK_UNACCEPTABLE, "unacceptable segment", "RFC 9293 3.10.7.4")       \
	X(ACK_CHALLENGE, "challenge ACK", "RFC 5961 7")                        \
	X(ACK_FIN, "FIN is acknowledged", "RFC 9293 3.10.7.4")                 \
	X(WINDOW_UPDATE, "window update", "RFC 9293 3.8.6.2.2")                \
	X(RESET, "reset", "RFC 9293 3.5.2")                                    \
	X(DATAGRAM, "datagram", "RFC 768")                                     \
	X(KEEPALIVE, "keep-alive", "RFC 9293 3.8.4")                           \
	X(ZERO_WINDOW, "zero-window probe", "RFC 9293 3.8.6.1")                \
	X(OVERRIDE, "override of SWS avoidance", "RFC 9293 3.8.6.2.1")         \
	/* congestion control and timers */                                    \
	X(INIT_WINDOW, "initial window", "RFC 6928 2")                         \
	X(INIT_SSTHRESH, "initial threshold", "RFC 5681 3.1")                  \
	X(SLOW_START, "slow start", "RFC 5681 3.1")                            \
	X(CSS, "conservative slow start", "RFC 9406 4.2")                      \
	X(CSS_DONE, "slow start is over", "RFC 9406 4.2")                      \
	X(RTT_RISES, "round trip rises", "RFC 9406 4.2")                       \
	X(RTT_FALLS, "round trip falls again", "RFC 9406 4.2")                 \
	X(CONG_AVOID, "congestion avoidance", "RFC 5681 3.1")                  \
	X(THIRD_DUPACK, "third duplicate ACK", "RFC 5681 3.2")                 \
	X(DUPACK_INFLATE, "further duplicate ACK", "RFC 5681 3.2")             \
	X(PARTIAL_ACK, "partial ACK", "RFC 6582 3.2")                          \
	X(DEFLATION, "window deflated", "RFC 5681 3.2")                        \
	X(RECOVERY_DONE, "recovery done", "RFC 6582 3.2")                      \
	X(RTO_EXPIRED, "retransmission timeout", "RFC 5681 3.1")               \
	X(SYN_LOST, "SYN or SYN+ACK was lost", "RFC 5681 3.1")                 \
	X(GO_BACK, "resend after the timeout", "RFC 5681 3.1")                 \
	X(LOSS_GO_BACK, "resend after the loss", "RFC 2001 3")                 \
	X(NOT_USED, "cwnd little used for long", "RFC 7661 4.4.3")             \
	X(NOT_VALIDATED, "cwnd was not validated", "RFC 7661 4.4.1")           \
	X(IDLE_RESTART, "restart after idle", "RFC 5681 4.1")                  \
	X(MSS_CHANGE, "path MTU", "RFC 1191 6")                                \
	X(RTT_TIMED, "timed segment", "RFC 6298 3")                            \
	X(RTT_TSECR, "timestamp echo", "RFC 7323 4.1")                         \
	X(KARN, "acknowledges a retransmission", "RFC 6298 3")                 \
	X(BACKOFF, "timer backs off", "RFC 6298 5.5")                          \
	X(T_RTX, "retransmission timer", "RFC 6298 5")                         \
	X(T_PERSIST, "persist timer", "RFC 9293 3.8.6.1")                      \
	X(T_OVERRIDE, "override timer", "RFC 9293 3.8.6.2.1")                  \
	X(T_DELACK, "delayed ACK timer", "RFC 9293 3.8.6.3")                   \
	X(T_KEEP, "keep-alive timer", "RFC 9293 3.8.4")                        \
	X(T_FIN, "FIN_WAIT_2 timer", "RFC 9293 3.6")                           \
	X(T_TIME_WAIT, "TIME_WAIT of 2 MSL", "RFC 9293 3.6.1")                 \
	X(GIVE_UP, "too many retransmissions", "RFC 9293 3.8.3")               \
	X(KEEP_FAILED, "no answer to keep-alives", "RFC 9293 3.8.4")           \
	X(USER_TIMEOUT, "user timeout", "RFC 9293 3.10.8")                     \
	X(ORPHAN_PROBED, "window shut for an orphan", "RFC 6429 4")

/* X(identifier, name in the trace and of the counter, clause) */
#define DROP_REASONS(X)                                                        \
	/* found by the parser, before any connection is looked up */          \
	X(TOO_SHORT, "too_short", "RFC 9293 3.1")                              \
	X(BAD_HDR_LEN, "bad_header_length", "RFC 9293 3.1")                    \
	X(BAD_CHECKSUM, "bad_checksum", "RFC 9293 3.1")                        \
	X(BAD_OPTION, "bad_option", "RFC 9293 3.1")                            \
	X(BAD_ADDRESS, "bad_address", "RFC 9293 3.9.2.3")                      \
	X(LOW_TTL, "low_ttl", "RFC 5082 3")                                    \
	X(POLICY, "ipsec_policy", "RFC 4301 5.2")                              \
	X(FILTERED, "socket_filter", "RFC 9293 3.9.1")                         \
	/* no connection */                                                    \
	X(CLOSED, "no_socket", "RFC 9293 3.10.7.1")                            \
	X(LISTEN_RST, "rst_to_listener", "RFC 9293 3.10.7.2")                  \
	X(LISTEN_ACK, "ack_to_listener", "RFC 9293 3.10.7.2")                  \
	X(LISTEN_NO_SYN, "no_syn_to_listener", "RFC 9293 3.10.7.2")            \
	X(BACKLOG_FULL, "accept_queue_full", "RFC 9293 3.9.1.1")               \
	X(SYN_QUEUE_FULL, "syn_queue_full", "RFC 4987 3")                      \
	/* a connection refuses it */                                          \
	X(SYN_SENT_ACK, "unacceptable_ack_in_syn_sent", "RFC 9293 3.10.7.3")   \
	X(SYN_SENT_RST, "rst_without_ack_in_syn_sent", "RFC 9293 3.10.7.3")    \
	X(SYN_SENT_NO_SYN, "no_syn_in_syn_sent", "RFC 9293 3.10.7.3")          \
	X(PAWS, "paws", "RFC 7323 5.3")                                        \
	X(NO_TIMESTAMP, "no_timestamp", "RFC 7323 3.2")                        \
	X(OLD_DUPLICATE, "old_duplicate", "RFC 9293 3.10.7.4")                 \
	X(OUT_OF_WINDOW, "out_of_window", "RFC 9293 3.10.7.4")                 \
	X(RST_CHALLENGED, "rst_challenged", "RFC 5961 3.2")                    \
	X(SYN_CHALLENGED, "syn_challenged", "RFC 5961 4.2")                    \
	X(NO_ACK, "no_ack_bit", "RFC 9293 3.10.7.4")                           \
	X(ACK_TOO_OLD, "ack_too_old", "RFC 5961 5.2")                          \
	X(ACK_UNSENT, "ack_of_unsent_data", "RFC 5961 5.2")                    \
	X(HANDSHAKE_ACK, "wrong_ack_in_syn_rcvd", "RFC 9293 3.10.7.4")         \
	X(DUP_SYN, "duplicate_syn", "RFC 9293 3.10.7.4")                       \
	X(DEFERRED, "accept_deferred", "RFC 9293 3.9.1")                       \
	X(OOO_DUPLICATE, "already_queued", "RFC 9293 3.10.7.4")                \
	X(OOO_FULL, "too_many_holes", "RFC 9293 3.10.7.4")                     \
	X(OOO_RCVBUF, "no_room_for_early_data", "RFC 9293 3.10.7.4")           \
	X(ZERO_WINDOW, "zero_window", "RFC 9293 3.8.6.1")                      \
	X(BACKLOG, "socket_backlog_full", "RFC 9293 3.9.1")                    \
	X(RCVBUF, "receive_buffer_full", "RFC 9293 3.10.7.4")                  \
	X(AFTER_FIN, "data_after_fin", "RFC 9293 3.10.7.4")                    \
	X(AFTER_CLOSE, "data_after_close", "RFC 9293 3.6.1")                   \
	X(TIME_WAIT, "time_wait", "RFC 9293 3.10.7.4")                         \
	/* datagrams */                                                        \
	X(DGRAM_TOO_SHORT, "datagram_too_short", "RFC 768")                    \
	X(DGRAM_BAD_LENGTH, "datagram_bad_length", "RFC 768")                  \
	X(DGRAM_NO_CHECKSUM, "datagram_no_checksum", "RFC 8200 8.1")           \
	X(DGRAM_BAD_CHECKSUM, "datagram_bad_checksum", "RFC 1122 4.1.3.4")     \
	X(DGRAM_NO_SOCKET, "datagram_no_socket", "RFC 1122 4.1.3.1")           \
	X(DGRAM_NO_MEMBER, "datagram_no_member", "RFC 1122 3.3.7")             \
	X(DGRAM_POLICY, "datagram_ipsec_policy", "RFC 4301 5.2")               \
	X(DGRAM_FILTER, "datagram_filtered", "RFC 768")                        \
	X(DGRAM_RCVBUF, "datagram_receive_buffer_full", "RFC 768")             \
	X(DGRAM_MEMORY, "datagram_memory_short", "RFC 768")

enum event_kind {
#define X(id, name) EV_##id,
	EVENT_KINDS(X)
#undef X
	NR_EVENT_KINDS
};

/* Causes and drop reasons share one space of numbers; 0 is "none". */
enum cause {
#define X(id, name, clause) BY_##id,
	EVENT_CAUSES(X)
#undef X
	DROP_FIRST,
	DROP_BEFORE_FIRST = DROP_FIRST - 1,
#define X(id, name, clause) DROP_##id,
	DROP_REASONS(X)
#undef X
	NR_CAUSES
};

/* clang-format on */

#define DROP_NONE BY_NONE
#define NR_DROPS (NR_CAUSES - DROP_FIRST)

/**
 * struct event - what happened to a connection, and all its variables after it
 * @time:     microseconds on the clock of the habitat
 * @conn:     number of the connection, 0 where there is none
 * @kind:     enum event_kind
 * @cause:    enum cause
 * @state:    enum conn_state
 * @flags:    SEND, RTX, RECV, DROP: flag bits of the segment (wire.h)
 * @seq:      the same: sequence number of the segment
 * @ack:      the same: acknowledgment number
 * @len:      the same: payload bytes
 * @wnd:      the same: window in bytes, scaled
 * @old:      the variable that changed, before: bytes, microseconds, or state
 * @new:      and after; timers: microseconds until they fire, U32_MAX: that or more
 * @snd_una:  RFC 9293 section 3.3.1, as all of the sequence variables
 * @snd_nxt:  next sequence number to send
 * @rcv_nxt:  next sequence number expected
 * @cwnd:     congestion window, bytes
 * @ssthresh: slow start threshold, bytes
 * @flight:   bytes sent and taken to be in the network
 * @snd_wnd:  window the peer offers, bytes
 * @rcv_wnd:  window offered to the peer, bytes
 * @srtt:     smoothed RTT, microseconds, 0 before the first sample
 * @rttvar:   its variation, microseconds
 * @rto:      retransmission timeout, microseconds
 * @unsent:   bytes the user has written and that never went out
 * @unread:   bytes in order that the user has not read
 * @ooo:      bytes that arrived out of order and wait
 * @mss:      payload of a full segment, bytes
 */
struct event {
	u64 time;
	u32 conn;
	u8 kind;
	u8 cause;
	u8 state;
	u8 flags;
	u32 seq, ack, len, wnd;
	u32 old, new;
	u32 snd_una, snd_nxt, rcv_nxt;
	u32 cwnd, ssthresh, flight;
	u32 snd_wnd, rcv_wnd;
	u32 srtt, rttvar, rto;
	u32 unsent, unread;
	u32 ooo, mss;
};

const char *event_kind_name(unsigned int kind);
const char *cause_name(unsigned int cause);
const char *cause_clause(unsigned int cause);

/* Longest line that event_format() and event_header() write, with its NUL. */
#define EVENT_LINE_MAX 512

/**
 * event_header() - the first line of a trace: the names of the columns
 * @buf:  where to
 * @size: its bytes; EVENT_LINE_MAX is enough
 *
 * Return: characters written, without the NUL.
 */
int event_header(char *buf, size_t size);

/**
 * event_format() - one record as a tab-separated line with its newline
 * @buf:    where to
 * @size:   its bytes; EVENT_LINE_MAX is enough
 * @ev:     the record
 * @local:  our endpoint as "address:port"
 * @remote: the peer's
 * @netns:  which of the hosts of the habitat that is
 *
 * Return: characters written, without the NUL.
 */
int event_format(char *buf, size_t size, const struct event *ev,
		 const char *local, const char *remote, u32 netns);

#endif /* CHALK_CORE_EVENT_H */
