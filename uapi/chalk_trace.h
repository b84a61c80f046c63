/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * chalk_trace.h - the binary form of the trace, /sys/kernel/debug/chalk/trace_raw
 *
 * A file begins with one struct chalk_trace_header; records of its record_size
 * bytes follow. Numbers are in the byte order of the machine. The names of
 * kinds, causes and states are those of the text form; the file "names" in the
 * same directory lists them with their numbers, so that a reader need not be
 * built with the module.
 *
 * Versions: fields are only ever added, at the end; a reader takes what it knows
 * of a longer record. A meaning that changes changes the version.
 */
#ifndef _UAPI_CHALK_TRACE_H
#define _UAPI_CHALK_TRACE_H

#include <linux/types.h>

#define CHALK_TRACE_MAGIC 0x4b4c4843 /* "CHLK" on a little-endian machine */
#define CHALK_TRACE_VERSION 1

/* A kind beyond the core's: @new records were lost here. */
#define CHALK_TRACE_LOST 255

/**
 * struct chalk_trace_header - what a file begins with
 * @magic:       CHALK_TRACE_MAGIC
 * @version:     CHALK_TRACE_VERSION
 * @record_size: bytes of each record
 */
struct chalk_trace_header {
	__u32 magic;
	__u16 version;
	__u16 record_size;
};

/**
 * struct chalk_trace_record - a change of a connection, and its variables after
 * @time:     nanoseconds of CLOCK_MONOTONIC; from record to record it only grows
 *            or stays
 * @netns:    inode number of the network namespace
 * @conn:     number of the connection, 0: none
 * @laddr:    this end's address; IPv4 is v4-mapped
 * @raddr:    the other end's
 * @lport:    this end's port, as a number
 * @rport:    the other end's
 * @kind:     what happened
 * @cause:    why, with the clause that asks for it
 * @state:    state of the connection
 * @flags:    of the segment: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32
 * @seq:      of the segment: sequence number
 * @ack:      of the segment: acknowledgment number
 * @len:      of the segment: bytes of payload
 * @wnd:      of the segment: window, bytes
 * @old:      the variable that changed, before: bytes, microseconds or state
 * @new:      and after
 * @snd_una:  oldest number not acknowledged (RFC 9293 section 3.3.1)
 * @snd_nxt:  next number to send
 * @rcv_nxt:  next number expected
 * @cwnd:     congestion window, bytes
 * @ssthresh: slow start threshold, bytes
 * @flight:   bytes taken to be in the network
 * @snd_wnd:  window that the peer offers, bytes
 * @rcv_wnd:  window offered to the peer, bytes
 * @srtt:     smoothed round-trip time, microseconds
 * @rttvar:   its variation, microseconds
 * @rto:      retransmission timeout, microseconds
 * @unsent:   bytes written by the program and never sent
 * @unread:   bytes in order that the program has not read
 * @ooo:      bytes that arrived out of order and wait
 * @mss:      payload of a full segment, bytes
 * @reserved: 0
 */
struct chalk_trace_record {
	__u64 time;
	__u32 netns;
	__u32 conn;
	__u8 laddr[16];
	__u8 raddr[16];
	__u16 lport;
	__u16 rport;
	__u8 kind;
	__u8 cause;
	__u8 state;
	__u8 flags;
	__u32 seq;
	__u32 ack;
	__u32 len;
	__u32 wnd;
	__u32 old;
	__u32 new;
	__u32 snd_una;
	__u32 snd_nxt;
	__u32 rcv_nxt;
	__u32 cwnd;
	__u32 ssthresh;
	__u32 flight;
	__u32 snd_wnd;
	__u32 rcv_wnd;
	__u32 srtt;
	__u32 rttvar;
	__u32 rto;
	__u32 unsent;
	__u32 unread;
	__u32 ooo;
	__u32 mss;
	__u32 reserved;
};

#endif /* _UAPI_CHALK_TRACE_H */
