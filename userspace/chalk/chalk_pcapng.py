# SPDX-License-Identifier: GPL-2.0
"""chalk_pcapng.py - a trace as a capture whose packets bear comments.

Owns the words of the comments, the packets made of records alone, and the
writing of pcapng. A packet has the comments of the record of its segment and
of what came of it; what happened between two packets, as when a timer fires,
stands at the later one.
"""

import ipaddress
import struct
from typing import BinaryIO, Dict, List, NamedTuple, Optional, Tuple

import chalk_capture
import chalk_pair
from chalk_capture import FLAG_LETTERS, IPPROTO_CHALK
from chalk_columns import BILLION, COLUMNS
from chalk_forms import Item, Note, Row
from chalk_base import TraceError
from chalk_trace import Record

SEGMENTS = ("send", "rtx", "recv", "drop")
ARROW = " \N{RIGHTWARDS ARROW} "
NO_LIMIT = 0x7fffffff
OPTION_COMMENT, OPTION_NAME = 1, 2
SNAPLEN = 262144
MOST = 65535


# --- words ---

def _why(row: Row) -> str:
    return row["cause"] + (f" ({row['clause']})" if row["clause"] != "-"
                           else "")


def _amount(row: Row, name: str) -> str:
    value = row[name]
    if row["event"] in ("rtt", "rto", "hystart") and isinstance(value, int):
        return f"{value / 1000:g} ms"
    if row["event"] == "ssthresh" and value == NO_LIMIT:
        return "no limit"
    return str(value)


def _numbers(row: Row) -> str:
    if not row["conn"]:
        return ""
    limit = "no limit" if row["ssthresh"] == NO_LIMIT else row["ssthresh"]
    return (f"; {row['state']}, cwnd {row['cwnd']}, ssthresh {limit}, flight "
            f"{row['flight']}, window {row['wnd']}")


def words(row: Row) -> str:
    """A record as a sentence."""
    event = row["event"]
    if event == "send":
        return f"sent: {_why(row)}{_numbers(row)}"
    if event == "rtx":
        return f"sent again: {_why(row)}{_numbers(row)}"
    if event == "recv":
        return f"arrived{_numbers(row)}"
    if event == "drop":
        return f"dropped: {_why(row)}"
    if event == "timer_set":
        return f"timer set, {row['new'] / 1000:g} ms: {_why(row)}"
    if event == "timer_fired":
        return f"timer fired: {_why(row)}"
    if event == "rtt_refused":
        return f"round trip not measured: {_why(row)}"
    if event == "rtt":
        return f"round trip {_amount(row, 'new')}: {_why(row)}"
    return (f"{event} {_amount(row, 'old')}{ARROW}{_amount(row, 'new')}: "
            f"{_why(row)}")


# --- packets with their comments ---

class Noted(NamedTuple):
    """A packet of a row, and its comments."""

    row: Row
    comments: List[str]


def _repeats(row: Row, other: Row) -> bool:
    same = "time conn local flags seq ack len".split()
    return row["event"] == "drop" and other["event"] == "recv" and \
        all(row[name] == other[name] for name in same)


def noted(rows: List[Row]) -> List[Noted]:
    """The segments of a trace, with what belongs to each."""
    found: List[Noted] = []
    latest: Dict[Tuple[int, str], Noted] = {}
    waiting: Dict[Tuple[int, str], List[Row]] = {}
    for row in rows:
        whose = row["conn"], row["local"]
        last = latest.get(whose)
        if row["event"] in SEGMENTS:
            if last and _repeats(row, last.row):
                last.comments.append(words(row))
                continue
            early = [_at(r, row) for r in waiting.pop(whose, [])]
            latest[whose] = Noted(row, [*early, words(row)])
            found.append(latest[whose])
        elif last and last.row["time"] == row["time"]:
            last.comments.append(words(row))
        else:
            waiting.setdefault(whose, []).append(row)
    for whose, late in waiting.items():
        if whose in latest:
            last = latest[whose]
            last.comments.extend(_at(r, last.row) for r in late)
    return found


def _at(row: Row, packet: Row) -> str:
    """A comment with its time, where that is not the packet's."""
    if row["time"] == packet["time"]:
        return words(row)
    step = (row["time"] - packet["time"]) / BILLION
    return f"{abs(step):.6f} s {'earlier' if step < 0 else 'later'}: " \
        f"{words(row)}"


# --- packets of records alone ---

def _address(end: str) -> Tuple[bytes, int]:
    host, _, port = end.rpartition(":")
    return ipaddress.ip_address(host.strip("[]")).packed, int(port)


def headers(row: Row) -> bytes:
    """The headers of the segment in a record, as far as it is known."""
    ends = [row["local"], row["remote"]]
    if row["event"] in ("recv", "drop"):
        ends.reverse()
    (src, sport), (dst, dport) = map(_address, ends)
    if len(src) != len(dst):
        raise TraceError(f"{ends[0]} and {ends[1]} are not of one IP version")
    flags = sum(1 << FLAG_LETTERS.index(c) for c in row["flags"] if c != ".")
    segment = struct.pack(">HHIIBBHHH", sport, dport, row["seq"], row["ack"],
                          5 << 4, flags, min(row["wnd"], 65535), 0, 0)
    length = len(segment) + row["len"]
    if len(src) == 16:
        return struct.pack(">IHBB", 6 << 28, length & 0xffff, IPPROTO_CHALK,
                           64) + src + dst + segment
    ip = struct.pack(">BBHHHBBH", 0x45, 0, (20 + length) & 0xffff, 0, 0x4000,
                     64, IPPROTO_CHALK, 0) + src + dst
    check = ~chalk_capture.ones_sum(ip) & 0xffff
    return ip[:10] + struct.pack(">H", check) + ip[12:] + segment


# --- the file ---

def _option(code: int, value: bytes) -> bytes:
    value = value[:MOST]
    return struct.pack("=HH", code, len(value)) + value + \
        bytes(-len(value) % 4)


class Writer:
    """A pcapng file; times in nanoseconds."""

    def __init__(self, out: BinaryIO):
        self.out = out
        self.interfaces: Dict[Tuple[str, int], int] = {}
        self._block(chalk_capture.BLOCK_SECTION, struct.pack(
            "=IHHq", chalk_capture.BYTE_ORDER, 1, 0, -1))

    def _block(self, kind: int, body: bytes) -> None:
        size = struct.pack("=I", 12 + len(body))
        self.out.write(struct.pack("=I", kind) + size + body + size)

    def interface(self, name: str, link: int) -> int:
        """Its number; a new one is declared."""
        if (name, link) not in self.interfaces:
            self.interfaces[name, link] = len(self.interfaces)
            self._block(
                chalk_capture.BLOCK_INTERFACE,
                struct.pack("=HHI", link, 0, SNAPLEN)
                + _option(OPTION_NAME, name.encode())
                + _option(chalk_capture.OPTION_TSRESOL, b"\x09")
                + struct.pack("=HH", 0, 0))
        return self.interfaces[name, link]

    def packet(self, interface: int, time: int, data: bytes, length: int,
               comments: List[str]) -> None:
        """A packet with its comments."""
        notes = b"".join(_option(OPTION_COMMENT, c.encode()) for c in comments)
        if notes:
            notes += struct.pack("=HH", 0, 0)
        self._block(chalk_capture.BLOCK_PACKET, struct.pack(
            "=5I", interface, time >> 32, time & 0xffffffff, len(data), length)
            + data + bytes(-len(data) % 4) + notes)


class Pcapng:
    """Rows as packets; with a capture, its packets instead."""

    def __init__(self, out: BinaryIO, capture: Optional[str] = None):
        self.writer = Writer(out)
        self.out = out
        self.capture = capture
        self.rows: List[Row] = []
        self.netns: Dict[int, str] = {}
        self.lost = 0

    def put(self, item: Item) -> None:
        """A row or a note; packets are written when all is known."""
        if not isinstance(item, Note):
            self.rows.append(item)
        elif item.what == "netns":
            self.netns[item.number] = item.name
        else:
            self.lost += item.number

    def close(self) -> None:
        """Write them."""
        if self.capture:
            self._annotate(self.capture)
        else:
            for packet in noted(self.rows):
                self._packet(packet)
        self.out.flush()

    def _place(self, row: Row) -> str:
        """Where it was: the namespace's name, or else the address."""
        return self.netns.get(row["netns"], row["local"].rpartition(":")[0])

    def _packet(self, packet: Noted) -> None:
        data = headers(packet.row)
        link = self.writer.interface(self._place(packet.row),
                                     chalk_capture.LINK_RAW)
        length = min(len(data) + packet.row["len"], 0xffffffff)
        self.writer.packet(link, packet.row["time"], data, length,
                           packet.comments)

    def _annotate(self, path: str) -> None:
        packets = chalk_capture.load(path)
        segments = [s for s in map(chalk_capture.segment_of, packets) if s]
        comments = self._comments(segments)
        found = iter(segments)
        for packet in packets:
            segment = next(found) if chalk_capture.segment_of(packet) else None
            link = self.writer.interface(f"link {packet.link}", packet.link)
            self.writer.packet(link, packet.time, packet.data, packet.length,
                               comments.get(id(segment), []))

    def _comments(self, segments) -> Dict[int, List[str]]:
        """The comments of segments, by their id()."""
        packets = noted(self.rows)
        records = [_record(packet.row, place)
                   for place, packet in enumerate(packets)]
        where = chalk_pair.place(segments, records)
        if where is None:
            raise TraceError(f"no packet of {self.capture} is in the trace")
        pairing = chalk_pair.pair(segments, records, where)
        return {id(segment): packets[record.place].comments
                for segment, record in pairing.pairs}


def _record(row: Row, place: int) -> Record:
    """A row as the other tools have it."""
    return Record(tuple(row[name] for name in COLUMNS), place)
