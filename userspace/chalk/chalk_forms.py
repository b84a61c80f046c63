# SPDX-License-Identifier: GPL-2.0
"""chalk_forms.py - the forms of a trace: text, JSON lines, binary records.

Owns reading each of them into rows and writing rows as text or JSON. A row has
a value for each column: numbers as numbers, the time in nanoseconds. What is
no row but belongs to the trace is a note: records lost, names of namespaces.
uapi/chalk_trace.h describes the binary form.
"""

import ipaddress
import json
import os
import struct
from typing import Any, Dict, IO, Iterator, List, NamedTuple, Optional, Tuple

import chalk_debugfs
from chalk_capture import flag_letters
from chalk_trace import TraceError

COLUMNS = (
    "time conn local remote event cause clause state flags seq ack len wnd "
    "old new snd_una snd_nxt rcv_nxt cwnd ssthresh flight snd_wnd rcv_wnd "
    "srtt rttvar rto unsent unread netns ooo mss").split()
WORDS = "local remote event cause clause state flags old new".split()
OPTIONAL = "netns ooo mss".split()
BILLION = 10 ** 9

MAGIC, VERSION, LOST = 0x4b4c4843, 1, 255
HEADER = struct.Struct("=IHH")
RECORD = struct.Struct("=QII16s16sHHBBBB" + "I" * 22)
KIND_AT, STATE_AT, CONN_AT = 52, 54, 12
MAPPED = bytes(10) + b"\xff\xff"
NAMES_SUFFIX = ".names"

Row = Dict[str, Any]


class Note(NamedTuple):
    """What a comment of the text form says: "lost" N, or "netns" N NAME."""

    what: str
    number: int
    name: str = ""


Item = Any  # a Row or a Note


# --- names of the numbers of the binary form ---

class Names:
    """What the file "names" lists."""

    def __init__(self, text: str):
        self.text = text
        self.kind: Dict[int, str] = {}
        self.cause: Dict[int, Tuple[str, str]] = {}
        self.state: Dict[int, str] = {}
        self.netns: Dict[int, str] = {}
        for line in text.splitlines():
            what, number, name, *rest = line.split("\t")
            if what == "kind":
                self.kind[int(number)] = name
            elif what == "cause":
                self.cause[int(number)] = name, rest[0]
            elif what == "state":
                self.state[int(number)] = name
            elif what == "netns":
                self.netns[int(number)] = name

    @classmethod
    def of_kernel(cls) -> "Names":
        """Those of the module that is loaded."""
        with os.fdopen(chalk_debugfs.open_file("names")) as file:
            return cls(file.read())

    @classmethod
    def beside(cls, path: str) -> "Names":
        """Those that stand beside a binary file."""
        try:
            with open(path + NAMES_SUFFIX, encoding="ascii") as file:
                return cls(file.read())
        except FileNotFoundError:
            pass
        try:
            return cls.of_kernel()
        except TraceError:
            raise TraceError(f"{path}{NAMES_SUFFIX} is missing, which says "
                             "what the numbers mean") from None


# --- reading ---

def _end(address: bytes, port: int) -> str:
    if address.startswith(MAPPED):
        return f"{ipaddress.IPv4Address(address[12:])}:{port}"
    return f"[{ipaddress.IPv6Address(address)}]:{port}"


def row_of_record(record: bytes, names: Names) -> Item:
    """A binary record as a row, or as the note that some were lost."""
    (time, netns, conn, laddr, raddr, lport, rport, kind, cause, state, flags,
     seq, ack, length, wnd, old, new, *rest, _) = RECORD.unpack_from(record)
    if kind == LOST:
        return Note("lost", new)
    event = names.kind.get(kind, f"kind{kind}")
    word, clause = names.cause.get(cause, (f"cause{cause}", "-"))
    if event == "state":
        old, new = (names.state.get(n, str(n)) for n in (old, new))
    row = dict(zip(COLUMNS, (
        time, conn, _end(laddr, lport), _end(raddr, rport), event, word,
        clause, names.state.get(state, str(state)), flag_letters(flags), seq,
        ack, length, wnd, old, new)))
    row.update(zip(COLUMNS[15:28], rest))
    row.update(netns=netns, ooo=rest[13], mss=rest[14])
    return row


def record_size(header: bytes) -> int:
    """What the header of a binary trace says."""
    magic, version, size = HEADER.unpack(header)
    if magic != MAGIC:
        raise TraceError("this is not a binary trace of this machine's kind")
    if version != VERSION or size < RECORD.size:
        raise TraceError(f"a binary trace of version {version} with records "
                         f"of {size} bytes: this program is too old for it")
    return size


def read_raw(file: IO[bytes], names: Names) -> Iterator[Item]:
    """A binary trace."""
    size = record_size(file.read(HEADER.size))
    for number, name in names.netns.items():
        yield Note("netns", number, name)
    while len(record := file.read(size)) == size:
        yield row_of_record(record, names)


def nanoseconds(text: str) -> int:
    """A time in seconds, as text, exactly."""
    seconds, _, part = text.partition(".")
    return int(seconds) * BILLION + int(part.ljust(9, "0")[:9] or 0)


def _value(name: str, text: str) -> Any:
    if name == "time":
        return nanoseconds(text)
    if name in ("old", "new"):
        return int(text) if text.isdigit() else text
    return text if name in WORDS else int(text)


def _note(line: str) -> Optional[Note]:
    words = line[1:].split()
    if len(words) == 2 and words[0] == "lost":
        return Note("lost", int(words[1]))
    if len(words) == 3 and words[0] == "netns":
        return Note("netns", int(words[1]), words[2])
    return None


def read_text(lines: Iterator[str]) -> Iterator[Item]:
    """A trace as text."""
    names: List[str] = []
    for count, line in enumerate(lines, 1):
        line = line.rstrip("\n")
        if line.startswith("#"):
            if note := _note(line):
                yield note
        elif not names:
            names = line.split("\t")
            missing = set(COLUMNS) - set(names) - set(OPTIONAL)
            if missing:
                raise TraceError("not a trace of Chalk: its first line names "
                                 f"no column '{sorted(missing)[0]}'")
        elif line:
            try:
                row = dict.fromkeys(OPTIONAL, 0)
                row.update((name, _value(name, text)) for name, text
                           in zip(names, line.split("\t"), strict=True))
            except ValueError:
                raise TraceError(f"line {count} is no record: "
                                 f"{line[:60]}") from None
            yield row


def read_json(lines: Iterator[str]) -> Iterator[Item]:
    """A trace as lines of JSON."""
    for count, line in enumerate(lines, 1):
        try:
            row = json.loads(line, parse_float=str)
            if "lost" in row:
                yield Note("lost", row["lost"])
                continue
            if "netns_name" in row:
                yield Note("netns", row["netns"], row.pop("netns_name"))
            row["time"] = nanoseconds(str(row["time"]))
            yield {name: row[name] for name in COLUMNS}
        except (ValueError, KeyError, TypeError):
            raise TraceError(f"line {count} is no record: "
                             f"{line[:60].rstrip()}") from None


def read(path: str) -> Iterator[Item]:
    """A trace in a file of any form."""
    try:
        with open(path, "rb") as file:
            begin = file.read(4)
            file.seek(0)
            if begin == struct.pack("=I", MAGIC):
                yield from read_raw(file, Names.beside(path))
                return
            lines = (line.decode("ascii", "replace") for line in file)
            yield from (read_json if begin[:1] == b"{" else read_text)(lines)
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror}") from None
    except TraceError as error:
        raise TraceError(f"{path}: {error}") from None


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
            item = {name: item[name] for name in COLUMNS}
            item["time"] /= BILLION
            if item["netns"] in self.netns:
                item["netns_name"] = self.netns[item["netns"]]
        print(json.dumps(item), file=self.out)

    def close(self) -> None:
        """All is written."""
        self.out.flush()
