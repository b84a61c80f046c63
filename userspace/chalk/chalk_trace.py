# SPDX-License-Identifier: GPL-2.0
"""chalk_trace.py - read a trace: what every tool that works on one shares.

Owns the text form of the event record on the reading side: a header line that
names the columns, then one tab-separated line a record; lines that start with
'#' are comments, of which "# lost N" says that N records are missing. Columns
are found by name, so that their order, and ones added later, do not matter.
"""

import sys
from typing import Dict, Iterable, List, Optional, Tuple

COLUMNS = (
    "time conn local remote event cause clause state flags seq ack len wnd "
    "old new snd_una snd_nxt rcv_nxt cwnd ssthresh flight snd_wnd rcv_wnd "
    "srtt rttvar rto unsent unread netns ooo mss").split()
# Traces of before these were added are read too; there they are 0.
OPTIONAL = "netns ooo mss".split()
NUMBERS = (
    "conn seq ack len wnd snd_una snd_nxt rcv_nxt cwnd ssthresh flight "
    "snd_wnd rcv_wnd srtt rttvar rto unsent unread netns ooo mss").split()
SENT = ("send", "rtx")
ARRIVED = ("recv", "drop")
SEQUENCE_SPACE = 1 << 32


class TraceError(Exception):
    """A trace that cannot be used; the message is for the user."""


def number(text: str) -> int:
    """A field as a number; 0 where a record has none."""
    return int(text) if text.isdigit() else 0


class Record:
    """One line of a trace; attributes are named as the columns are."""

    __slots__ = COLUMNS + ["place"]

    def __init__(self, fields: List[str], where: Dict[str, int], place: int):
        self.place = place
        for name in COLUMNS:
            setattr(self, name, fields[where[name]] if name in where else "0")
        self.time = float(self.time)
        for name in NUMBERS:
            setattr(self, name, number(getattr(self, name)))

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

    @property
    def sent(self) -> List[Record]:
        return [r for r in self.records if r.is_sent]

    @property
    def arrived(self) -> List[Record]:
        """The segments that came; one that was dropped as its drop alone."""
        found: List[Record] = []
        for record in self.records:
            if record.event == "drop" and found and record.repeats(found[-1]):
                found[-1] = record
            elif record.event in ARRIVED:
                found.append(record)
        return sorted(found + self.strays, key=lambda r: r.place)

    @property
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
        self.name = name
        self.lost = 0
        self.columns: List[str] = []
        self.records: List[Record] = []
        self.connections: Dict[int, Connection] = {}
        self._latest: Dict[Tuple[str, str], Connection] = {}
        self._read(lines)
        if not self.records:
            raise TraceError(f"{name} holds no records")

    def _read(self, lines: Iterable[str]) -> None:
        where: Dict[str, int] = {}
        for count, line in enumerate(lines, 1):
            line = line.rstrip("\n")
            if line.startswith("#"):
                self._comment(line)
            elif line and not where:
                where = self._header(line)
                self.columns = list(where)
            elif line:
                self._record(line.split("\t"), where, count)

    def _comment(self, line: str) -> None:
        words = line[1:].split()
        if len(words) == 2 and words[0] == "lost":
            self.lost += number(words[1])

    def _header(self, line: str) -> Dict[str, int]:
        names = line.split("\t")
        missing = [name for name in COLUMNS
                   if name not in names and name not in OPTIONAL]
        if missing:
            raise TraceError(f"{self.name} is not a trace of Chalk: its first "
                             f"line names no column '{missing[0]}'")
        return {name: names.index(name) for name in COLUMNS if name in names}

    def _record(self, fields: List[str], where: Dict[str, int],
                count: int) -> None:
        try:
            record = Record(fields, where, count)
        except (IndexError, ValueError):
            raise TraceError(f"{self.name}, line {count}: not a record: "
                             f"{' '.join(fields)[:60]}") from None
        self.records.append(record)
        ends = record.local, record.remote
        if record.conn:
            conn = self.connections.setdefault(record.conn, Connection(record))
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

    def peer(self, end: Connection) -> Optional[Connection]:
        """The other end, if the trace has it: the one that starts nearest."""
        ends = [c for c in self.connections.values()
                if (c.local, c.remote) == (end.remote, end.local) and c != end]
        return min(ends, key=lambda c: abs(c.start - end.start), default=None)

    def ends(self, end: Connection) -> Tuple[Connection, Optional[Connection]]:
        """Both ends, the one that opened the connection first."""
        peer = self.peer(end)
        if peer and opener(peer):
            return peer, end
        return end, peer


def opener(end: Connection) -> bool:
    """Whether this end sent the SYN without an ACK."""
    return any("S" in r.flags and "A" not in r.flags for r in end.sent)


def relative(seq: int, isn: int) -> int:
    """A sequence number counted from the SYN."""
    return (seq - isn) % SEQUENCE_SPACE


def load(path: str) -> Trace:
    """Read the trace in a file, '-' for standard input."""
    if path == "-":
        return Trace(sys.stdin, "standard input")
    try:
        with open(path, encoding="ascii", errors="replace") as stream:
            return Trace(stream, path)
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror}") from None


def write(path: str, text: str) -> None:
    """Make a file of a text."""
    try:
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror}") from None


def add_choice(parser) -> None:
    """The options that choose a connection, the same in every tool."""
    parser.add_argument("--conn", type=int, metavar="N",
                        help="the connection with this number in the trace")
    parser.add_argument("--local", metavar="ADDR:PORT",
                        help="the connection with this endpoint on its side")


def run(main, tool: str) -> None:
    """Call a tool's main(); its errors become one line and status 1."""
    try:
        sys.exit(main())
    except TraceError as error:
        sys.exit(f"{tool}: {error}")
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except KeyboardInterrupt:
        sys.exit(130)
