# SPDX-License-Identifier: GPL-2.0
"""chalk_trace.py - a trace: what every tool that works on one shares.

Owns records, the connections they belong to, and which end is the peer of
which. chalk_forms.py reads them, in any form that a trace has.
"""

from bisect import bisect_left
from functools import cached_property
from typing import Dict, Iterable, List, Optional, Tuple, Union

import chalk_forms
from chalk_base import TraceError
from chalk_columns import BILLION, COLUMNS, Values
from chalk_forms import Note, Reader

SENT = ("send", "rtx")
ARRIVED = ("recv", "drop")
SEQUENCE_SPACE = 1 << 32


class Record:
    """A record of a trace; attributes are named as the columns are.

    The time is in seconds. The place is its number among the records.
    """

    __slots__ = COLUMNS + ["place"]

    def __init__(self, values: Values, place: int):
        (self.time, self.conn, self.local, self.remote, self.event, self.cause,
         self.clause, self.state, self.flags, self.seq, self.ack, self.len,
         self.wnd, self.old, self.new, self.snd_una, self.snd_nxt,
         self.rcv_nxt, self.cwnd, self.ssthresh, self.flight, self.snd_wnd,
         self.rcv_wnd, self.srtt, self.rttvar, self.rto, self.unsent,
         self.unread, self.netns, self.ooo, self.mss) = values
        self.time /= BILLION
        self.place = place

    @property
    def is_sent(self) -> bool:
        return self.event in SENT

    @property
    def is_segment(self) -> bool:
        return self.event in SENT or self.event in ARRIVED

    @property
    def likeness(self) -> Tuple[str, int, int, int]:
        """What the records of one segment have in common."""
        return self.flags, self.seq, self.ack, self.len

    def repeats(self, other: "Record") -> bool:
        """Whether this tells more of the segment that other is about."""
        return (self.time, self.likeness) == (other.time, other.likeness)


class Connection:
    """One end of a connection: its records, in the order of time.

    What was dropped before the connection was looked up, such as a damaged
    segment, has no number; its endpoints tell where it was going.
    """

    def __init__(self, record: Record):
        self.id = record.conn
        self.local = record.local
        self.remote = record.remote
        self.records: List[Record] = []
        self.strays: List[Record] = []

    @cached_property
    def sent(self) -> List[Record]:
        """The segments that left."""
        return [r for r in self.records if r.is_sent]

    @cached_property
    def arrived(self) -> List[Record]:
        """The segments that came; one that was dropped as its drop alone."""
        found: List[Record] = []
        for record in self.records:
            if record.event == "drop" and found and record.repeats(found[-1]):
                found[-1] = record
            elif record.event in ARRIVED:
                found.append(record)
        return sorted(found + self.strays, key=lambda r: r.place)

    @cached_property
    def bytes_sent(self) -> int:
        """Payload bytes that went out at least once."""
        total = 0
        high = None
        for record in self.sent:
            end = (record.seq + record.len) % SEQUENCE_SPACE
            fresh = record.len if high is None else relative(end, high)
            if record.len and fresh < SEQUENCE_SPACE // 2:
                total += min(fresh, record.len)
                high = end
        return total

    @cached_property
    def opens(self) -> bool:
        """Whether this end sent the SYN without an ACK."""
        return any("S" in r.flags and "A" not in r.flags for r in self.sent)

    @property
    def start(self) -> float:
        return self.records[0].time

    def isn(self) -> int:
        """The number that relative sequence numbers are counted from."""
        for record in self.sent:
            return record.seq if "S" in record.flags else record.seq - 1
        return 0


class Trace:
    """A whole trace: records in order, and the connections they belong to."""

    def __init__(self, lines: Iterable[str], name: str = "the trace"):
        reader = Reader(name)
        self._take(reader, reader.text(lines))

    @classmethod
    def of(cls, reader: Reader, found: Iterable[Union[Values, Note]]
           ) -> "Trace":
        """What a reader finds."""
        trace = cls.__new__(cls)
        trace._take(reader, found)
        return trace

    def _take(self, reader: Reader, found: Iterable[Union[Values, Note]]
              ) -> None:
        self.name = reader.name
        self.lost = 0
        self.records: List[Record] = []
        self.connections: Dict[int, Connection] = {}
        self._latest: Dict[Tuple[str, str], Connection] = {}
        for item in found:
            if not isinstance(item, Note):
                self._record(Record(item, len(self.records)))
            elif item.what == "lost":
                self.lost += item.number
        self.columns: List[str] = reader.columns
        if not self.records:
            raise TraceError(f"{self.name} holds no records")

    def _record(self, record: Record) -> None:
        self.records.append(record)
        ends = record.local, record.remote
        if record.conn:
            conn = self.connections.get(record.conn)
            if conn is None:
                conn = self.connections[record.conn] = Connection(record)
            conn.records.append(record)
            self._latest[ends] = conn
        elif ends in self._latest:
            self._latest[ends].strays.append(record)

    @property
    def start(self) -> float:
        return self.records[0].time

    def pick(self, conn: Optional[int] = None,
             local: Optional[str] = None) -> Connection:
        """The connection asked for, or else the one that sent most data."""
        found = [c for c in self.connections.values()
                 if conn in (None, c.id) and local in (None, c.local)]
        if not found:
            known = ", ".join(f"{c.id} ({c.local})"
                              for c in self.connections.values())
            raise TraceError(f"{self.name} has no such connection; "
                             f"it has: {known or 'none'}")
        return max(found, key=lambda c: (c.bytes_sent, -c.start))

    @cached_property
    def _by_ends(self) -> Dict[Tuple[str, str], List[Connection]]:
        """The connections between two endpoints, by their start."""
        found: Dict[Tuple[str, str], List[Connection]] = {}
        for conn in self.connections.values():
            found.setdefault((conn.local, conn.remote), []).append(conn)
        return found

    def peer(self, end: Connection) -> Optional[Connection]:
        """The other end, if the trace has it: the one that starts nearest."""
        others = self._by_ends.get((end.remote, end.local), [])
        after = bisect_left(others, end.start, key=lambda c: c.start)
        # of a connection to itself, its own place is between two others
        near = [c for c in others[max(after - 1, 0):after + 2] if c is not end]
        return min(near, key=lambda c: abs(c.start - end.start), default=None)

    def ends(self, end: Connection) -> Tuple[Connection, Optional[Connection]]:
        """Both ends, the one that opened the connection first."""
        peer = self.peer(end)
        if peer and peer.opens:
            return peer, end
        return end, peer


def relative(seq: int, isn: int) -> int:
    """A sequence number counted from the SYN."""
    return (seq - isn) % SEQUENCE_SPACE


def load(path: str) -> Trace:
    """Read the trace in a file, '-' for standard input."""
    return Trace.of(*chalk_forms.opened(path))


def add_choice(parser) -> None:
    """The options that choose a connection, the same in every tool."""
    parser.add_argument("--conn", type=int, metavar="N",
                        help="the connection with this number in the trace")
    parser.add_argument("--local", metavar="ADDR:PORT",
                        help="the connection with this endpoint on its side")
