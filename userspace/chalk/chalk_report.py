# SPDX-License-Identifier: GPL-2.0
"""chalk_report.py - what a report knows of a trace, small enough for one file.

Owns the choice of what goes in, and its packed form. A connection is a pair of
ends, the one that opened it first; the records of both stand in the order of the
trace. A column at a time, each value is written as the difference from
the one before it at the same end, as a number of variable length (seven bits a
byte, the lowest first; the sign is the lowest bit); the columns together
are deflated and become base64. report/data.js reads it.

Everything goes in, unless the file would grow beyond what opens well; then
records are left out, never one of a loss, of a retransmission, of a state
or of a window that fell.
"""

import base64
import zlib
from collections import Counter
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from chalk_figures import figures
from chalk_match import match
from chalk_columns import COLUMNS
from chalk_trace import Connection, Record, Trace

FORMAT = 1
SEGMENT = ("seq", "ack", "len", "wnd")
VARIABLES = [name for name in COLUMNS[COLUMNS.index("new") + 1:]
             if name != "netns"]
PACKED = ["time", "end", "event", "cause", "state", "flags", *SEGMENT,
          "old", "new", *VARIABLES, "mate"]
MICRO = 1_000_000
SEGMENT_KIND, ARRIVAL = "segment", "arrival"
# What may go: this first, one kind after the other, then a share of the rest.
FIRST = ("timer_set", "rcv_wnd", "snd_wnd")
EVENLY = ("rtt", "cwnd", "rto", SEGMENT_KIND)
# How long a record becomes, and how close to the limit all of them come. Fewer
# records take more bytes each, since their differences are larger.
LEAST_BYTES, USUAL_BYTES = 5.0, 8.0
ENOUGH, CLOSE, PASSES = 0.85, 0.95, 4

Pair = Tuple[Connection, Optional[Connection]]


class Names:
    """Words that repeat, as numbers; what is new gets the next one."""

    def __init__(self) -> None:
        self.words: List = []
        self._numbers: Dict = {}

    def number(self, word) -> int:
        if word not in self._numbers:
            self._numbers[word] = len(self.words)
            self.words.append(word)
        return self._numbers[word]


class Row:
    """A record of a pair, the end it is of, and the segment's other record."""

    __slots__ = ("record", "end", "mate")

    def __init__(self, record: Record, end: int):
        self.record = record
        self.end = end
        self.mate: Optional["Row"] = None


def pairs(trace: Trace) -> List[Pair]:
    """The connections of a trace, the one that sent most data first."""
    found: List[Pair] = []
    seen = set()
    for end in trace.connections.values():
        if end.id in seen:
            continue
        pair = trace.ends(end)
        if pair[1] and pair[1].id in seen:
            pair = (end, None)
        seen.update(e.id for e in pair if e)
        found.append(pair)
    return sorted(found, key=lambda p: (-volume(p), p[0].start))


def volume(pair: Pair) -> int:
    return sum(end.bytes_sent for end in pair if end)


def rows(pair: Pair) -> List[Row]:
    """All records of both ends as the trace has them, segments joined."""
    found = {}
    for number, end in enumerate(pair):
        for record in (end.records + end.strays) if end else []:
            found[record.place] = Row(record, number)
    for sender, receiver in (pair, pair[::-1]):
        if sender and receiver:
            join(found, sender, receiver)
    return [found[place] for place in sorted(found)]


def join(found: Dict[int, Row], sender: Connection,
         receiver: Connection) -> None:
    for flight in match(sender, receiver):
        if flight.arrival:
            sent, came = (found[r.place] for r in (flight.sent, flight.arrival))
            sent.mate, came.mate = came, sent


def is_vital(row: Row, both: bool) -> bool:
    """Whether a record is one that a report must have."""
    record = row.record
    if record.is_segment:
        return is_vital_segment(row, both)
    if record.event in ("cwnd", "ssthresh"):
        return record.new < record.old
    return record.event in ("state", "timer_fired", "rtt_refused")


def is_vital_segment(row: Row, both: bool) -> bool:
    """Lost, sent again, refused, or of the handshake or the end."""
    record = row.record
    if record.event in ("rtx", "drop") or set(record.flags) & set("SFR"):
        return True
    if row.mate:
        return row.mate.record.event in ("rtx", "drop")
    return both and record.is_sent


def kinds(found: List[Row], both: bool) -> List[str]:
    """Of each record what it is of, nothing if it is to stay.

    An arrival goes where the record of sending goes.
    """
    made = []
    for row in found:
        if is_vital(row, both):
            made.append("")
        elif not row.record.is_segment:
            made.append(row.record.event)
        else:
            follows = row.mate and not row.record.is_sent
            made.append(ARRIVAL if follows else SEGMENT_KIND)
    return made


def shares(totals: Counter, most: float) -> Dict[str, float]:
    """What share of each kind to keep, so that so many records are left."""
    keep: Dict[str, float] = {}
    left = sum(totals.values())
    for kind in FIRST:
        if left > most:
            keep[kind] = 0.0
            left -= totals[kind]
    if left > most:
        rest = sum(totals[kind] for kind in (*EVENLY, ARRIVAL))
        share = max(most - (left - rest), 0) / max(rest, 1)
        keep.update(dict.fromkeys(EVENLY, share))
    return keep


def thinned(found: List[Row], of: List[str], keep: Dict[str, float]
            ) -> List[Row]:
    """Of each kind its share, evenly over time."""
    counts: Dict[str, float] = Counter()
    kept = set()
    for row, kind in zip(found, of):
        if kind == ARRIVAL:
            continue
        share = keep.get(kind, 1.0)
        before = counts[kind]
        counts[kind] = before + share
        if share == 1.0 or int(before + share) > int(before):
            kept.add(id(row))
            kept.add(id(row.mate))
    return [row for row in found if id(row) in kept]


def values(found: Sequence[Row], start: float, names: Dict[str, Names]
           ) -> Iterator[List[int]]:
    """A list of numbers for each record, in the order of PACKED."""
    where = {id(row): index for index, row in enumerate(found)}
    for index, row in enumerate(found):
        record = row.record
        old, new = record.old, record.new
        if record.event == "state":
            old, new = (names["states"].number(s) for s in (old, new))
        mate = where.get(id(row.mate), index) - index
        yield [round((record.time - start) * MICRO), row.end,
               names["events"].number(record.event),
               names["causes"].number((record.cause, record.clause)),
               names["states"].number(record.state),
               names["flags"].number(record.flags),
               *(getattr(record, name) for name in SEGMENT),
               old, new,
               *(getattr(record, name) for name in VARIABLES), mate]


def varints(numbers: Sequence[int]) -> bytes:
    """Signed numbers as bytes, seven bits each."""
    out = bytearray()
    for signed in numbers:
        rest = signed << 1 if signed >= 0 else (-signed << 1) - 1
        while rest > 127:
            out.append(rest & 127 | 128)
            rest >>= 7
        out.append(rest)
    return bytes(out)


def differences(ends: List[int], column: Sequence[int]) -> List[int]:
    """Each value less the one before it at the same end."""
    before = [0, 0]
    steps = []
    for end, value in zip(ends, column):
        steps.append(value - before[end])
        before[end] = value
    return steps


def packed(table: List[List[int]]) -> str:
    """The columns of a table: differences, deflated, in base64."""
    parts = []
    ends = [row[1] for row in table]
    for name, column in zip(PACKED, zip(*table)):
        parts.append(varints(ends if name == "end"
                             else differences(ends, column)))
    return base64.b64encode(zlib.compress(b"".join(parts), 9)).decode()


def isn(end: Optional[Connection], peer: Optional[Connection]) -> int:
    """The number that an end's sequence numbers are counted from."""
    if end:
        return end.isn()
    arrived = peer.arrived if peer else []
    first = next((r for r in arrived), None)
    if first is None:
        return 0
    return first.seq if "S" in first.flags else first.seq - 1


class Report:
    """The data of one report: everything but the page around it."""

    def __init__(self, trace: Trace, source: str, chosen: List[Pair],
                 names: Dict[str, str]):
        self.trace = trace
        self.source = source
        self.names = names
        self.found: List[Tuple[Pair, List[Row], List[str]]] = []
        for pair in chosen:
            found = rows(pair)
            self.found.append((pair, found, kinds(found, bool(pair[1]))))
        self.figures = {end.id: figures(trace, end)
                        for pair in chosen for end in pair if end}

    def data(self, most: int) -> Dict:
        """What the page reads, in about so many bytes of base64 at most."""
        totals = Counter(kind for _, _, of in self.found for kind in of)
        whole = sum(totals.values())
        aim = whole if whole * LEAST_BYTES <= most else most / USUAL_BYTES
        best = None
        for _ in range(PASSES):
            keep = shares(totals, aim)
            made = self._data(keep)
            fits = size(made) <= most
            if fits and (best is None or size(made) > size(best)):
                best = made
            if fits and (not keep or size(made) >= ENOUGH * most):
                break
            left = sum(pair["rows"] for pair in made["pairs"])
            aim = CLOSE * left * most / size(made)
        made = best or made
        while size(made) > most and len(made["pairs"]) > 1:
            made["pairs"].pop()
            made["pairs_left_out"] += 1
        return made

    def _data(self, keep: Dict[str, float]) -> Dict:
        names = {name: Names() for name in ("events", "causes", "states",
                                            "flags")}
        made = [self._pair(pair, found, thinned(found, of, keep), names)
                for pair, found, of in self.found]
        return {"format": FORMAT, "source": self.source,
                "lost": self.trace.lost, "names": self.names,
                "columns": PACKED,
                "variables": [name for name in VARIABLES
                              if name in self.trace.columns],
                "pairs": made, "pairs_left_out": 0,
                **{name: table.words for name, table in names.items()}}

    def _pair(self, pair: Pair, found: List[Row], kept: List[Row],
              names: Dict[str, Names]) -> Dict:
        start = found[0].record.time
        ends = [self._end(end, peer)
                for end, peer in (pair, pair[::-1])]
        return {"ends": ends, "start": start, "rows": len(kept),
                "left_out": len(found) - len(kept),
                "packed": packed(list(values(kept, start, names)))}

    def _end(self, end: Optional[Connection],
             peer: Optional[Connection]) -> Dict:
        local = end.local if end else peer.remote
        known = {"local": local, "isn": isn(end, peer), "traced": bool(end)}
        if end:
            known.update(conn=end.id, figures=self.figures[end.id])
        return known


def size(made: Dict) -> int:
    return sum(len(pair["packed"]) + 1500 for pair in made["pairs"])
