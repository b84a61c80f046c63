# SPDX-License-Identifier: GPL-2.0
"""chalk_top_events.py - the latest events of one connection, live.

EventLog picks them out of the lines of a trace; equal ones in a row become one,
with a count. TraceFile is where the lines come from.
"""

import os
from collections import deque
from typing import Any, Deque, Dict, Optional

import chalk_debugfs
from chalk_base import TraceError
from chalk_columns import BILLION, COLUMNS, Columns, Wrong, as_row

KEPT = 500
BLOCK = 1 << 18
AT_ONCE = 16  # blocks, before the screen has its turn
SEGMENTS = ("send", "rtx", "recv", "drop")
# what happens all the time and decides nothing
ROUTINE = ("send", "recv", "timer_set", "rtt", "snd_wnd", "rcv_wnd")
SAMPLED = ("timed segment", "timestamp echo")  # why rto follows the round trip
MERGED = ("cwnd", "rto", "rtt", "timer_set", "snd_wnd", "rcv_wnd", "send",
          "recv")


class Event:
    """One line, or several alike: old is the first one's, new the last one's."""

    def __init__(self, fields: Dict[str, Any]):
        self.time = fields["time"] / BILLION
        self.event, self.cause = fields["event"], fields["cause"]
        self.clause = fields["clause"]
        self.old, self.new = fields["old"], fields["new"]
        self.state, self.flags = fields["state"], fields["flags"]
        self.len = fields["len"]
        self.cwnd, self.flight = fields["cwnd"], fields["flight"]
        self.count = 1

    @property
    def is_routine(self) -> bool:
        return self.event in ROUTINE or (self.event == "rto" and
                                         self.cause in SAMPLED)

    def takes(self, other: "Event") -> bool:
        """Make one of two that say the same."""
        if (other.event, other.cause, other.flags) != (
                self.event, self.cause, self.flags) or \
                self.event not in MERGED:
            return False
        self.time, self.new, self.state = other.time, other.new, other.state
        self.cwnd, self.flight = other.cwnd, other.flight
        self.len += other.len
        self.count += 1
        return True

    def what(self, arrow: str) -> str:
        """The change, or the segment."""
        if self.event in SEGMENTS:
            many = f"{self.count} segments, " if self.count > 1 else ""
            flags = "" if self.flags == "." else f"{self.flags} "
            return f"{many}{flags}{self.len} bytes"
        if self.event in ("rtt_refused", "timer_fired"):
            return ""
        if self.event in ("rto", "rtt", "timer_set", "hystart"):
            new = f"{self.new / 1000:g} ms"
            if self.event not in ("rto", "hystart"):
                return new
            return f"{self.old / 1000:g} {arrow} {new}"
        return f"{self.old} {arrow} {self.new}"


class EventLog:
    """The latest events of one connection, those of interest and all."""

    def __init__(self, conn: int):
        self.conn = str(conn).encode()
        self.decisive: Deque[Event] = deque(maxlen=KEPT)
        self.all: Deque[Event] = deque(maxlen=KEPT)
        self.lost = 0
        self._rest = b""
        self._columns: Optional[Columns] = None
        self._conn_at = COLUMNS.index("conn")

    def feed(self, data: bytes) -> None:
        """More of the trace; lines may be cut anywhere."""
        lines, newline, self._rest = (self._rest + data).rpartition(b"\n")
        if newline:
            for line in lines.split(b"\n"):
                self._line(line)

    def _line(self, line: bytes) -> None:
        if line.startswith(b"#"):
            words = line[1:].split()
            if len(words) == 2 and words[0] == b"lost" and words[1].isdigit():
                self.lost += int(words[1])
            return
        if not self._columns:
            names = line.decode("ascii", "replace").split("\t")
            try:
                self._columns = Columns(names)
                self._conn_at = names.index("conn")
            except Wrong as reason:
                raise TraceError(str(reason)) from None
        elif line.split(b"\t", self._conn_at + 1)[self._conn_at:][:1] == \
                [self.conn]:
            try:
                text = line.decode("ascii", "replace")
                self._add(as_row(self._columns.values(text)))
            except Wrong as reason:
                raise TraceError(str(reason)) from None

    def _add(self, fields: Dict[str, Any]) -> None:
        for log in (self.all, self.decisive):
            event = Event(fields)
            if log is self.decisive and event.is_routine:
                return
            if not (log and log[-1].takes(event)):
                log.append(event)

    def latest(self, everything: bool) -> Deque[Event]:
        return self.all if everything else self.decisive


class TraceFile:
    """The kernel's trace, read without waiting."""

    def __init__(self, conn: int):
        self.log = EventLog(conn)
        self.fd: Optional[int] = chalk_debugfs.open_file(
            "trace", os.O_NONBLOCK | os.O_RDWR)
        try:
            # the kernel leaves out the others, if it knows how
            os.write(self.fd, f"conn={conn}".encode())
        except OSError:
            pass

    def drain(self) -> bool:
        """Take what there is; whether there was anything."""
        if self.fd is None:
            return False
        for count in range(AT_ONCE):
            try:
                data = os.read(self.fd, BLOCK)
            except BlockingIOError:
                return count > 0
            if not data:
                self.close()
                return True
            self.log.feed(data)
        return True

    def close(self) -> None:
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None
