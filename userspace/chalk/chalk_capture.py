# SPDX-License-Identifier: GPL-2.0
"""chalk_capture.py - packets: read captures, take Chalk's segments apart.

Owns the reading of pcap and pcapng files, and of the headers below a segment
and its own (RFC 9293 section 3.1). Nothing here knows of events or of traces.
"""

import ipaddress
import struct
from dataclasses import dataclass
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

IPPROTO_CHALK = 253
FLAG_LETTERS = "FSRPAUEC"
BILLION = 10 ** 9

# How many bytes stand before the IP header, by link type
LINK_NULL, LINK_ETHERNET, LINK_RAW, LINK_SLL = 0, 1, 101, 113
LINK_IPV4, LINK_IPV6, LINK_SLL2 = 228, 229, 276
LINK_HEADER = {LINK_NULL: 4, LINK_ETHERNET: 14, LINK_RAW: 0, LINK_SLL: 16,
               LINK_IPV4: 0, LINK_IPV6: 0, LINK_SLL2: 20}

PCAP_MICRO, PCAP_NANO = 0xa1b2c3d4, 0xa1b23c4d
BLOCK_SECTION, BLOCK_INTERFACE = 0x0a0d0d0a, 1
BLOCK_SIMPLE, BLOCK_PACKET = 3, 6
BYTE_ORDER = 0x1a2b3c4d
OPTION_END, OPTION_TSRESOL = 0, 9


class CaptureError(Exception):
    """A capture that cannot be read; the message is for the user."""


class Packet(NamedTuple):
    """A packet of a capture; the time in nanoseconds."""

    time: int
    link: int
    data: bytes
    length: int


@dataclass
class Segment:
    """A Chalk segment; fields that are numbers are in host order."""

    time: int
    local: str
    remote: str
    flags: str
    seq: int
    ack: int
    len: int
    wnd: int
    mss: Optional[int] = None
    wscale: Optional[int] = None
    tsval: Optional[int] = None
    tsecr: Optional[int] = None
    intact: bool = True

    @property
    def end(self) -> int:
        """The sequence number after it: SYN and FIN take one each."""
        return self.seq + self.len + ("S" in self.flags) + ("F" in self.flags)


# --- files ---

def _pcap(data: bytes, order: str, nano: bool) -> Iterator[Packet]:
    link, = struct.unpack_from(order + "I", data, 20)
    at = 24
    while at + 16 <= len(data):
        seconds, part, size, length = struct.unpack_from(order + "4I", data, at)
        time = seconds * BILLION + part * (1 if nano else 1000)
        yield Packet(time, link & 0xffff, data[at + 16:at + 16 + size], length)
        at += 16 + size


def _options(data: bytes, order: str) -> Dict[int, bytes]:
    found: Dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(data):
        code, size = struct.unpack_from(order + "HH", data, at)
        if code == OPTION_END:
            break
        found[code] = data[at + 4:at + 4 + size]
        at += 4 + (size + 3) // 4 * 4
    return found


def _ticks(options: Dict[int, bytes]) -> int:
    """Units of time in a second, of an interface."""
    resolution = options.get(OPTION_TSRESOL, b"\6")[0]
    if resolution & 0x80:
        return 1 << (resolution & 0x7f)
    return 10 ** resolution


def _pcapng(data: bytes) -> Iterator[Packet]:
    order = "<"
    interfaces: List[Tuple[int, int]] = []
    at = 0
    while at + 12 <= len(data):
        kind, = struct.unpack_from(order + "I", data, at)
        if kind == BLOCK_SECTION:
            mark, = struct.unpack_from("<I", data, at + 8)
            order = "<" if mark == BYTE_ORDER else ">"
            interfaces = []
        size, = struct.unpack_from(order + "I", data, at + 4)
        if size < 12:
            raise CaptureError("a block of pcapng is too short")
        body = data[at + 8:at + size - 4]
        if kind == BLOCK_INTERFACE:
            link, = struct.unpack_from(order + "H", body)
            interfaces.append((link, _ticks(_options(body[8:], order))))
        elif kind == BLOCK_PACKET:
            place, high, low, kept, length = struct.unpack_from(
                order + "5I", body)
            link, ticks = interfaces[place]
            time = (high << 32 | low) * BILLION // ticks
            if time >= 1 << 64:
                raise CaptureError("the time of a packet is out of range")
            yield Packet(time, link, body[20:20 + kept], length)
        elif kind == BLOCK_SIMPLE:
            raise CaptureError("packets without a time (simple packet blocks)")
        at += size


def packets(data: bytes) -> Iterator[Packet]:
    """The packets of a pcap or pcapng file."""
    for order in "<>":
        magic, = struct.unpack_from(order + "I", data.ljust(4, b"\0"))
        if magic in (PCAP_MICRO, PCAP_NANO):
            return _pcap(data, order, magic == PCAP_NANO)
    if magic == BLOCK_SECTION:
        return _pcapng(data)
    raise CaptureError("neither pcap nor pcapng")


def load(path: str) -> List[Packet]:
    """The packets of a file."""
    try:
        with open(path, "rb") as file:
            return list(packets(file.read()))
    except OSError as error:
        raise CaptureError(f"{path}: {error.strerror}") from None
    except (CaptureError, IndexError, struct.error) as error:
        raise CaptureError(f"{path} is not a capture: {error}") from None


# --- headers ---

def endpoint(address: bytes, port: int) -> str:
    """As a trace shows it."""
    host = ipaddress.ip_address(address)
    return f"{host}:{port}" if host.version == 4 else f"[{host}]:{port}"


def flag_letters(flags: int) -> str:
    """As a trace shows them."""
    return "".join(letter for bit, letter in enumerate(FLAG_LETTERS)
                   if flags >> bit & 1) or "."


def ones_sum(data: bytes) -> int:
    """The 16-bit one's complement sum (RFC 1071)."""
    padded = data + bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def pseudo_header(src: bytes, dst: bytes, length: int) -> bytes:
    """What the checksum covers besides (RFC 9293 3.1, RFC 8200 8.1)."""
    if len(src) == 4:
        return src + dst + struct.pack(">BBH", 0, IPPROTO_CHALK, length)
    return src + dst + struct.pack(">IHBB", length, 0, 0, IPPROTO_CHALK)


def _take_options(segment: Segment, data: bytes) -> None:
    at = 0
    while at < len(data) and data[at]:
        if data[at] == 1:
            at += 1
            continue
        if at + 1 >= len(data) or data[at + 1] < 2:
            return
        kind, body = data[at], data[at + 2:at + data[at + 1]]
        if kind == 2 and len(body) == 2:
            segment.mss, = struct.unpack(">H", body)
        elif kind == 3 and len(body) == 1:
            segment.wscale = min(body[0], 14)
        elif kind == 8 and len(body) == 8:
            segment.tsval, segment.tsecr = struct.unpack(">II", body)
        at += data[at + 1]


def parse_segment(src: bytes, dst: bytes, data: bytes, length: int,
                  time: int) -> Optional[Segment]:
    """
    The segment in @data, of which @length bytes were sent.

    One of which a part is missing counts as intact: nobody can tell.
    """
    if len(data) < 20:
        return None
    sport, dport, seq, ack, offset, flags, wnd = struct.unpack_from(
        ">HHIIBBH", data)
    header = (offset >> 4) * 4
    payload = length - header if 20 <= header <= length else 0
    segment = Segment(time, endpoint(src, sport), endpoint(dst, dport),
                      flag_letters(flags), seq, ack, payload, wnd)
    segment.intact = 20 <= header <= length
    if segment.intact:
        _take_options(segment, data[20:header])
    if len(data) >= length:
        whole = pseudo_header(src, dst, length) + data[:length]
        segment.intact = segment.intact and ones_sum(whole) == 0xffff
    return segment


def segment_of(packet: Packet) -> Optional[Segment]:
    """The Chalk segment in a packet, None if it has another content."""
    below = LINK_HEADER.get(packet.link)
    if below is None or len(packet.data) < below + 20:
        return None
    ip = packet.data[below:]
    if ip[0] >> 4 == 4:
        header = (ip[0] & 15) * 4
        total, = struct.unpack_from(">H", ip, 2)
        # a damaged IP header ends in IP
        if ip[9] != IPPROTO_CHALK or ones_sum(ip[:header]) != 0xffff:
            return None
        return parse_segment(ip[12:16], ip[16:20], ip[header:total],
                             total - header, packet.time)
    if ip[0] >> 4 == 6 and len(ip) >= 40:
        payload, = struct.unpack_from(">H", ip, 4)
        # more than has come ends in IP, too
        if ip[6] != IPPROTO_CHALK or below + 40 + payload > packet.length:
            return None
        return parse_segment(ip[8:24], ip[24:40], ip[40:40 + payload],
                             payload, packet.time)
    return None


def segments(path: str) -> List[Segment]:
    """The Chalk segments of a capture, in its order."""
    found = (segment_of(packet) for packet in load(path))
    return [segment for segment in found if segment]
