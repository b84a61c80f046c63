# SPDX-License-Identifier: GPL-2.0
"""chalk_live.py - read the kernel's trace as fast as it comes.

Owns the two files of the kernel, their filter, and when to stop. Blocks are
taken as they are; of text only the lines, of binary records only the bytes
that matter are looked at, and after a block that was not full comes a nap, so
that the reading takes little from the transfer it watches.
"""

import os
import re
import signal
import time
from typing import Callable, Dict, Iterator, List

import chalk_debugfs
from chalk_columns import COLUMNS
from chalk_forms import HEADER, KIND_AT, LOST, RECORD, Names, record_size
from chalk_base import TraceError

BLOCK = 1 << 20
FEW = 1 << 12
LINGER = 0.3
NAP = 0.01
FINISHED = ("CLOSED", "TIME_WAIT")
CONN, EVENT, STATE = (COLUMNS.index(n) for n in ("conn", "event", "state"))
CHANGE = re.compile(
    rb"^(?!#)" + rb"[^\t\n]*\t" * CONN + rb"(\d+)\t" +
    rb"[^\t\n]*\t" * (EVENT - CONN - 1) + rb"state\t" +
    rb"[^\t\n]*\t" * (STATE - EVENT - 1) + rb"([A-Z_0-9]+)", re.MULTILINE)


class Finished(Exception):
    """The time to stop has come."""


class Watch:
    """Which connections were seen to open, and whether all have closed."""

    def __init__(self, until_closed: bool) -> None:
        self.until_closed = until_closed
        self.states: Dict[int, str] = {}

    def saw(self, conn: int, state: str) -> None:
        """A connection has reached a state."""
        self.states[conn] = state

    def check(self) -> None:
        """If all have closed, a little later is the end."""
        if self.until_closed and self.states and \
                all(s in FINISHED for s in self.states.values()):
            signal.setitimer(signal.ITIMER_REAL, LINGER)


def stop(_signal, _frame) -> None:
    """A signal, or the time is up."""
    raise Finished


def open_trace(name: str, words: List[str]) -> int:
    """One of the kernel's files, with a filter."""
    source = chalk_debugfs.open_file(name, os.O_RDWR if words else 0)
    try:
        if words:
            os.write(source, " ".join(words).encode())
    except OSError as error:
        raise TraceError(f"the module refuses the filter '{' '.join(words)}': "
                         f"{error.strerror}{hint(words)}") from None
    return source


def hint(words: List[str]) -> str:
    """Of a filter that names events: those that there are."""
    if not any(word.startswith("event=") for word in words):
        return ""
    kinds = [name for number, name in Names.of_kernel().kind.items()
             if number != LOST]
    return f"; the events are: {' '.join(kinds)}"


def _blocks(source: int) -> Iterator[bytes]:
    while chunk := os.read(source, BLOCK):
        yield chunk
        if len(chunk) < FEW:
            time.sleep(NAP)


def copy_text(source: int, put: Callable[[bytes], None], watch: Watch) -> None:
    """Hand on whole lines until a signal or the end of the source."""
    rest = b""
    for chunk in _blocks(source):
        lines, newline, rest = (rest + chunk).rpartition(b"\n")
        lines += newline
        put(lines)
        if watch.until_closed:
            for conn, state in CHANGE.findall(lines):
                watch.saw(int(conn), state.decode())
            watch.check()


def _look(records: bytes, size: int, names: Names, watch: Watch) -> None:
    """The changes of state among binary records."""
    state = next(n for n, name in names.kind.items() if name == "state")
    kinds = records[KIND_AT::size]
    place = kinds.find(state)
    while place >= 0:
        record = records[place * size:place * size + RECORD.size]
        fields = RECORD.unpack(record)
        watch.saw(fields[2], names.state.get(fields[9], "?"))
        place = kinds.find(state, place + 1)
    watch.check()


def copy_raw(source: int, put: Callable[[bytes], None], names: Names,
             watch: Watch) -> None:
    """Hand on the header, then whole records; the same end."""
    begin = b""
    while len(begin) < HEADER.size:
        begin += os.read(source, HEADER.size - len(begin))
    size = record_size(begin)
    put(begin)
    rest = b""
    for chunk in _blocks(source):
        chunk = rest + chunk
        whole = len(chunk) - len(chunk) % size
        chunk, rest = chunk[:whole], chunk[whole:]
        put(chunk)
        if watch.until_closed:
            _look(chunk, size, names, watch)
