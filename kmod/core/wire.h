/* SPDX-License-Identifier: GPL-2.0 */
/*
 * wire.h - the header on the wire (RFC 9293 section 3.1) and its options
 *
 * Owns the only code that reads or writes header bytes. A segment is parsed
 * once, into host order; everything behind the parser speaks struct seg. The
 * checksum is the habitat's affair, since hardware and kernel may help there.
 */
#ifndef CHALK_CORE_WIRE_H
#define CHALK_CORE_WIRE_H

#include "event.h"
#include "types.h"

/* Flag bits as they stand in the header's 14th byte. */
enum {
	FLAG_FIN = 0x01,
	FLAG_SYN = 0x02,
	FLAG_RST = 0x04,
	FLAG_PSH = 0x08,
	FLAG_ACK = 0x10,
	FLAG_URG = 0x20,
	FLAG_ECE = 0x40,
	FLAG_CWR = 0x80,
};

/* Where the checksum stands, for offloads. */
#define WIRE_CHECKSUM_OFFSET 16

/**
 * struct seg - a segment, in host order
 * @sport:   source port
 * @dport:   destination port
 * @seq:     sequence number of the first byte (of the SYN, if there is one)
 * @ack:     acknowledgment number, meaningful with FLAG_ACK
 * @len:     payload bytes; conn_poll() may give several MSS at once
 * @wnd:     the window field, as it stands in the header: not scaled
 * @up:      urgent pointer, meaningful with FLAG_URG
 * @mss:     MSS option, 0: absent
 * @smss:    sending only: most payload bytes in one packet; @len may span several
 * @flags:   FLAG_* bits
 * @hdr_len: header bytes with options
 * @wscale:  shift of the window scale option; @has_wscale says if it is there
 * @has_wscale: window scale option present
 * @has_ts:  timestamps option present
 * @tsval:   its value
 * @tsecr:   its echo
 * @no_room: receiving only, set by the habitat: no memory for the payload,
 *           so that the segment counts for its header alone
 * @urg_inline: receiving only, set by the habitat: the reader takes urgent data
 *           for ordinary (SO_OOBINLINE)
 * @cause:   sending only: why it goes out (enum cause)
 * @new_from: sending only, for the trace: payload from this sequence number on
 *           goes out for the first time
 */
struct seg {
	u16 sport, dport;
	u32 seq, ack;
	u32 len;
	u16 wnd;
	u16 up;
	u16 mss;
	u16 smss;
	u8 flags;
	u8 hdr_len;
	u8 wscale;
	bool has_wscale;
	bool has_ts;
	bool no_room;
	bool urg_inline;
	u8 cause;
	u32 tsval, tsecr;
	u32 new_from;
};

/* Sequence numbers a segment takes: payload, SYN and FIN (RFC 9293 3.4). */
static inline u32 seg_space(const struct seg *s)
{
	return s->len + !!(s->flags & FLAG_SYN) + !!(s->flags & FLAG_FIN);
}

/* Sequence number after the segment's last. */
static inline u32 seg_end(const struct seg *s)
{
	return s->seq + seg_space(s);
}

/**
 * wire_header_len() - how many bytes the header of a packet takes
 * @p:     start of the packet, at least HDR_MIN bytes
 *
 * Return: the header length it claims, 0..60; not checked.
 */
unsigned int wire_header_len(const u8 *p);

/**
 * wire_parse() - read a header
 * @s:     filled in, but for @no_room, @urg_inline and @cause, which
 *         are cleared
 * @p:     start of the packet
 * @avail: bytes that may be read at @p, at least the smaller of HDR_MAX and @total
 * @total: bytes of the whole packet, header and payload
 *
 * Touches only bytes below @avail. Unknown options are skipped (RFC 9293
 * section 3.1, MUST-6); an option whose length is below 2, runs past the header
 * or is not the one its kind demands makes the segment malformed (MUST-7).
 *
 * Return: DROP_NONE, or why the segment is to be dropped.
 */
enum cause wire_parse(struct seg *s, const u8 *p, u32 avail, u32 total);

/**
 * wire_option_len() - bytes of options, padded, that a segment will carry
 * @s: the segment
 */
unsigned int wire_option_len(const struct seg *s);

/**
 * wire_build() - write a header
 * @s: the segment
 * @p: room for HDR_MIN + wire_option_len() bytes
 *
 * The checksum field is written as 0. Options stand in the order and with the
 * padding of the kernel's TCP: MSS, then timestamps, then window scale.
 *
 * Return: bytes written.
 */
unsigned int wire_build(const struct seg *s, u8 *p);

#endif /* CHALK_CORE_WIRE_H */
