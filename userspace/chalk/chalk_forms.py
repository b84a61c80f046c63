# SPDX-License-Identifier: GPL-2.0
"""chalk_forms.py - the forms of a trace: text, JSON lines, binary records.

Owns the one reader of them all and writing rows as text or JSON. A row has a
value for each column: numbers as numbers, the time in nanoseconds. What is no
row but belongs to the trace is a note: records lost, names of namespaces.
uapi/chalk_trace.h describes the binary form, chalk_columns.py what a column
may hold.
"""

import io
import ipaddress
import json
import os
import re
import struct
import sys
from decimal import Decimal
from itertools import count
from typing import (Any, Dict, IO, Iterable, Iterator, List, NamedTuple,
                    Optional, Tuple, Union)

import chalk_debugfs
from chalk_base import TraceError, excerpt, warn
from chalk_capture import BLOCK_SECTION, PCAP_MICRO, PCAP_NANO, flag_letters
from chalk_columns import (BILLION, COLUMNS, NUMBER, OPTIONAL, PATTERNS, TIMES,
                           WORD, Columns, Values, Wrong, as_row, wrong)

MAGIC, VERSION, LOST = 0x4b4c4843, 1, 255
HEADER = struct.Struct("=IHH")
RECORD = struct.Struct("=QII16s16sHHBBBB" + "I" * 22)
KIND_AT, STATE_AT, CONN_AT = 52, 54, 12
MAPPED = bytes(10) + b"\xff\xff"
NAMES_SUFFIX = ".names"
# Of a namespace: whatever may be a file's, but for what would tear a line.
NAME = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\u2028\u2029]{1,255}")
CAPTURES = {struct.pack(order + "I", magic) for order in "<>"
            for magic in (PCAP_MICRO, PCAP_NANO, BLOCK_SECTION)}
STDIN, STDIN_NAME = "-", "standard input"

Row = Dict[str, Any]


class Note(NamedTuple):
    """What a comment of the text form says: "lost" N, or "netns" N NAME."""

    what: str
    number: int
    name: str = ""


Item = Any  # a Row or a Note


def as_item(found: Union[Values, Note]) -> Item:
    """The values of a record as a row; a note stays one."""
    return found if isinstance(found, Note) else as_row(found)


def note(what: str, number: str, name: str = "") -> Note:
    """A note, of words that were read."""
    if not re.fullmatch("[0-9]{1,20}", number):
        raise Wrong(f"{what}: {excerpt(number)} is not a number")
    if what == "netns" and not NAME.fullmatch(name):
        raise Wrong(f"{what}: {excerpt(name)} is not a name")
    return Note(what, int(number), name)


# --- names of the numbers of the binary form ---

class Names:
    """What the file "names" lists."""

    def __init__(self, text: str, name: str = "names"):
        self.text = text
        self.kind: Dict[int, str] = {}
        self.cause: Dict[int, Tuple[str, str]] = {}
        self.state: Dict[int, str] = {}
        self.netns: Dict[int, str] = {}
        for place, line in enumerate(text.splitlines(), 1):
            try:
                self._take(*line.split("\t"))
            except (TypeError, Wrong):
                raise TraceError(f"{name}, line {place}: {excerpt(line)} is "
                                 "not WHAT, NUMBER, NAME, CLAUSE") from None

    def _take(self, what: str, number: str, name: str, clause: str = "-"
              ) -> None:
        if what == "netns":
            _, place, name = note(what, number, name)
            self.netns[place] = name
        elif what in ("kind", "cause", "state"):
            for pattern, text in ((NUMBER, number), (WORD, name),
                                  (WORD, clause)):
                if not re.fullmatch(pattern, text):
                    raise wrong(what, text, pattern)
            if what == "cause":
                self.cause[int(number)] = name, clause
            else:
                getattr(self, what)[int(number)] = name

    @classmethod
    def of_kernel(cls) -> "Names":
        """Those of the module that is loaded."""
        with os.fdopen(chalk_debugfs.open_file("names"),
                       encoding="utf-8", errors="replace") as file:
            return cls(file.read())

    @classmethod
    def beside(cls, path: Optional[str]) -> "Names":
        """Those that stand beside a binary file; None: it came by a pipe."""
        try:
            if path:
                with open(path + NAMES_SUFFIX, encoding="utf-8",
                          errors="replace") as file:
                    return cls(file.read(), path + NAMES_SUFFIX)
        except FileNotFoundError:
            pass
        try:
            return cls.of_kernel()
        except TraceError:
            where = path + NAMES_SUFFIX if path else "a file with names"
            raise TraceError(f"{where} is missing, which says what the "
                             "numbers mean") from None


# --- binary records ---

def _end(address: bytes, port: int) -> str:
    if address.startswith(MAPPED):
        return f"{ipaddress.IPv4Address(address[12:])}:{port}"
    return f"[{ipaddress.IPv6Address(address)}]:{port}"


class Records:
    """Turns binary records into values, by the names of their numbers."""

    def __init__(self, names: Names):
        self.names = names
        self._ends: Dict[Tuple[bytes, int], str] = {}

    def _end(self, *end) -> str:
        if end not in self._ends:
            self._ends[end] = _end(*end)
        return self._ends[end]

    def values(self, record: bytes) -> Union[Values, Note]:
        """Those of a record, or the note that some were lost."""
        (time, netns, conn, laddr, raddr, lport, rport, kind, cause, state,
         flags, *numbers, ooo, mss, _) = RECORD.unpack_from(record)
        if kind == LOST:
            return Note("lost", numbers[5])
        names = self.names
        event = names.kind.get(kind, f"kind{kind}")
        word, clause = names.cause.get(cause, (f"cause{cause}", "-"))
        if event == "state":
            numbers[4:6] = (names.state.get(n, str(n)) for n in numbers[4:6])
        return (time, conn, self._end(laddr, lport), self._end(raddr, rport),
                event, word, clause, names.state.get(state, str(state)),
                flag_letters(flags), *numbers, netns, ooo, mss)


def record_size(header: bytes) -> int:
    """What the header of a binary trace says."""
    if len(header) < HEADER.size:
        raise TraceError("this binary trace ends within its header")
    magic, version, size = HEADER.unpack(header)
    if magic != MAGIC:
        raise TraceError("this is not a binary trace of this machine's kind")
    if version != VERSION or size < RECORD.size:
        raise TraceError(f"a binary trace of version {version} with records "
                         f"of {size} bytes: this program is too old for it")
    return size


# --- lines of JSON ---

def _no_constant(text: str) -> None:
    raise ValueError(text)


def _text_of_time(value: object) -> str:
    if type(value) in (int, Decimal) and 0 <= value < TIMES:
        return f"{value:.9f}" if isinstance(value, Decimal) else str(value)
    return f'"{value}"'


def _texts(row: Row) -> Iterator[str]:
    """The columns of an object as the text form has them.

    What is of another type stands in quotes, which no column takes.
    """
    for name in COLUMNS:
        value = row[name]
        if name == "time":
            yield _text_of_time(value)
            continue
        of_words = row["event"] == "state" if name in ("old", "new") \
            else PATTERNS[name] != NUMBER
        if type(value) is not (str if of_words else int):
            value = f'"{value}"'
        yield str(value).replace("\t", '"')


def _object(line: str) -> Row:
    try:
        row = json.loads(line, parse_float=Decimal,
                         parse_constant=_no_constant)
    except (ValueError, ArithmeticError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise Wrong(f"{excerpt(line)} is not an object of JSON")
    return row


# --- the reader ---

class Reader:
    """A trace that is being read: values and notes, in its order.

    The columns that it has are known when the first record is there.
    """

    def __init__(self, name: str, path: Optional[str] = None):
        self.name = name
        self.path = path
        self.columns: List[str] = list(COLUMNS)
        self.count = 0          # lines or records so far
        self.unit = "line"

    def _failed(self, reason: object) -> TraceError:
        return TraceError(f"{self.name}, {self.unit} {self.count}: {reason}")

    def _cut(self) -> None:
        warn(f"{self.name}, {self.unit} {self.count} is cut: read up to it")

    def values(self, file: IO[bytes]) -> Iterator[Union[Values, Note]]:
        """Those of a file of any form."""
        begin = file.read(HEADER.size)
        if begin[:4] in CAPTURES:
            raise TraceError(f"{self.name} is a capture of packets, not a "
                             "trace: chalk trace --capture reads it beside "
                             "its trace")
        if begin[:4] == struct.pack("=I", MAGIC):
            yield from self.raw(begin, file, Names.beside(self.path))
            return
        text = io.TextIOWrapper(
            io.BufferedReader(Rejoined(begin, file), 1 << 16),
            encoding="utf-8", errors="replace")
        yield from (self.json if begin[:1] == b"{" else self.text)(text)

    @staticmethod
    def _in_order(found: Values, before: int) -> int:
        """Its time, which the next record may not be before."""
        if found[0] < before:
            raise Wrong(f"column time: {seconds(found[0])} is before the "
                        f"record above, at {seconds(before)}")
        return found[0]

    def text(self, lines: Iterable[str]) -> Iterator[Union[Values, Note]]:
        """A trace as text."""
        columns: Optional[Columns] = None
        whole, time = "", 0
        for self.count, line in enumerate(lines, 1):
            line, newline, _ = line.partition("\n")
            if whole and not newline:
                self._cut()
                return
            whole = newline
            try:
                if not line:
                    continue
                if line[0] == "#":
                    if remark := _remark(line):
                        yield remark
                elif columns:
                    found = columns.values(line)
                    time = self._in_order(found, time)
                    yield found
                else:
                    columns = Columns(line.split("\t"))
                    self.columns = columns.names
            except Wrong as reason:
                raise self._failed(reason) from None

    def json(self, lines: Iterable[str]) -> Iterator[Union[Values, Note]]:
        """A trace as lines of JSON."""
        columns = Columns(COLUMNS)
        time = 0
        for self.count, line in enumerate(lines, 1):
            line, newline, _ = line.partition("\n")
            try:
                row = _object(line)
                yield from _notes(row)
                if "lost" in row:
                    continue
                for name in OPTIONAL:
                    row.setdefault(name, 0)
                found = columns.values("\t".join(_texts(row)))
                time = self._in_order(found, time)
                yield found
            except KeyError as error:
                raise self._failed(f"no column {error}") from None
            except Wrong as reason:
                if newline or self.count == 1:
                    raise self._failed(reason) from None
                self._cut()

    def raw(self, begin: bytes, file: IO[bytes], names: Names
            ) -> Iterator[Union[Values, Note]]:
        """A binary trace, the beginning of which is read."""
        self.unit = "record"
        try:
            size = record_size(begin)
        except TraceError as error:
            raise TraceError(f"{self.name}: {error}") from None
        for number, name in names.netns.items():
            yield Note("netns", number, name)
        records, time = Records(names), 0
        for self.count in count(1):
            record = file.read(size)
            if len(record) < size:
                if record:
                    self._cut()
                return
            found = records.values(record)
            if not isinstance(found, Note):
                try:
                    time = self._in_order(found, time)
                except Wrong as reason:
                    raise self._failed(reason) from None
            yield found


def _remark(line: str) -> Optional[Note]:
    """A line that begins with '#'."""
    words = line[1:].split()
    if (words[:1], len(words)) in ((["lost"], 2), (["netns"], 3)):
        return note(*words)
    return None


def _notes(row: Row) -> Iterator[Note]:
    """What an object of JSON says beside its columns."""
    if "lost" in row:
        yield note("lost", str(row["lost"]))
    if "netns_name" in row:
        yield note("netns", str(row.get("netns")), str(row["netns_name"]))


class Rejoined(io.RawIOBase):
    """A stream of which the beginning was read already."""

    def __init__(self, begin: bytes, file: IO[bytes]):
        super().__init__()
        self.begin = begin
        self.file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        """The beginning, then the rest."""
        if not self.begin:
            return self.file.readinto(buffer)
        part, self.begin = (self.begin[:len(buffer)],
                            self.begin[len(buffer):])
        buffer[:len(part)] = part
        return len(part)


def open_source(path: str) -> Tuple[IO[bytes], Reader]:
    """A file, '-' for standard input, and who reads it."""
    if path == STDIN:
        if sys.stdin is None:
            raise TraceError("standard input is closed")
        return sys.stdin.buffer, Reader(STDIN_NAME)
    try:
        return open(path, "rb"), Reader(path, path)
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror}") from None
    except ValueError:
        raise TraceError(f"{excerpt(path)} is not the name of a file"
                         ) from None


def opened(path: str) -> Tuple[Reader, Iterator[Union[Values, Note]]]:
    """A trace in a file of any form: its reader, and what that finds."""
    file, reader = open_source(path)

    def found() -> Iterator[Union[Values, Note]]:
        try:
            yield from reader.values(file)
        except OSError as error:
            raise TraceError(f"{reader.name}: {error.strerror}") from None
        finally:
            if reader.path:
                file.close()
    return reader, found()


def read(path: str) -> Iterator[Item]:
    """The same in rows."""
    return map(as_item, opened(path)[1])


# --- writing ---

def seconds(time: int) -> str:
    """A time as the text form has it."""
    return f"{time // BILLION}.{time % BILLION // 1000:06d}"


class Text:
    """Tab-separated lines."""

    def __init__(self, out: IO[str]):
        self.out = out
        print(*COLUMNS, sep="\t", file=out)

    def put(self, item: Item) -> None:
        """A row or a note."""
        if isinstance(item, Note):
            print("#", *(part for part in item if part != ""), file=self.out)
        else:
            print(seconds(item["time"]), *(item[n] for n in COLUMNS[1:]),
                  sep="\t", file=self.out)

    def close(self) -> None:
        """All is written."""
        self.out.flush()


class Json:
    """A line of JSON a record, with the names of the namespaces."""

    def __init__(self, out: IO[str]):
        self.out = out
        self.netns: Dict[int, str] = {}

    def put(self, item: Item) -> None:
        """A row or a note."""
        if isinstance(item, Note):
            if item.what == "netns":
                self.netns[item.number] = item.name
                return
            item = {item.what: item.number}
        else:
            name = self.netns.get(item["netns"])
            item = {**{name: item[name] for name in COLUMNS},
                    "time": item["time"] / BILLION,
                    **({"netns_name": name} if name else {})}
        print(json.dumps(item), file=self.out)

    def close(self) -> None:
        """All is written."""
        self.out.flush()
