# SPDX-License-Identifier: GPL-2.0
"""chalk_pair.py - which record of a trace tells of which packet of a capture.

Owns the pairing: a packet and a record belong together if they have the same
ends, direction, flags, numbers and length; of several the same, the first
with the first. The clocks may differ by any constant.
"""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from statistics import median
from typing import Deque, Dict, Iterable, List, Optional, Tuple

from chalk_capture import Segment
from chalk_trace import Record

Key = Tuple[str, str, bool, str, int, int, int]
BILLION = 10 ** 9


@dataclass
class Pairing:
    """What belongs together, and what is left alone."""

    pairs: List[Tuple[Segment, Record]] = field(default_factory=list)
    segments: List[Segment] = field(default_factory=list)
    records: List[Record] = field(default_factory=list)

    @property
    def offset(self) -> int:
        """Nanoseconds that the capture's clock is ahead of the trace's."""
        return round(median(gap(s, r) for s, r in self.pairs)) \
            if self.pairs else 0

    @property
    def spread(self) -> float:
        """How far from constant the differences of time are."""
        if not self.pairs:
            return float("inf")
        middle = self.offset
        return median(abs(gap(s, r) - middle) for s, r in self.pairs)


def gap(segment: Segment, record: Record) -> int:
    """Between the times of the two."""
    return segment.time - round(record.time * BILLION)


def _key_of_record(record: Record) -> Key:
    return (record.local, record.remote, record.is_sent, record.flags,
            record.seq, record.ack, record.len)


def _key_of_segment(segment: Segment, sent: bool) -> Key:
    ends = (segment.local, segment.remote)
    return (*(ends if sent else ends[::-1]), sent, segment.flags, segment.seq,
            segment.ack, segment.len)


def told_once(records: Iterable[Record]) -> List[Record]:
    """The records of segments; of one that came and was dropped, the drop."""
    found: List[Record] = []
    latest: Dict[Tuple[int, str], int] = {}
    for record in records:
        if not record.is_segment:
            continue
        whose = record.conn, record.local
        before = latest.get(whose)
        if record.event == "drop" and before is not None \
                and found[before].event == "recv" \
                and record.repeats(found[before]):
            found[before] = record
            continue
        latest[whose] = len(found)
        found.append(record)
    return found


def host(end: str) -> str:
    """The address of an endpoint."""
    return end.rpartition(":")[0]


def pair(segments: Iterable[Segment], records: Iterable[Record],
         address: str) -> Pairing:
    """Pair what left and reached @address: a capture made there."""
    result = Pairing()
    waiting: Dict[Key, Deque[Record]] = defaultdict(deque)
    for record in told_once(records):
        if host(record.local) == address:
            waiting[_key_of_record(record)].append(record)
    for segment in segments:
        if address not in (host(segment.local), host(segment.remote)):
            continue
        key = _key_of_segment(segment, host(segment.local) == address)
        if waiting[key]:
            result.pairs.append((segment, waiting[key].popleft()))
        else:
            result.segments.append(segment)
    result.records = [r for queue in waiting.values() for r in queue]
    return result


def place(segments: List[Segment], records: List[Record]) -> Optional[str]:
    """
    The address at which a capture was made.

    Only there do packets pass at a constant time from the records of what was
    sent and of what arrived.
    """
    mine: Dict[str, List[Record]] = defaultdict(list)
    for record in records:
        mine[host(record.local)].append(record)
    theirs: Dict[str, List[Segment]] = defaultdict(list)
    for segment in segments:
        for address in {host(segment.local), host(segment.remote)}:
            theirs[address].append(segment)
    best: Optional[Tuple[Tuple[int, float], str]] = None
    for address in sorted(mine.keys() & theirs.keys()):
        result = pair(theirs[address], mine[address], address)
        if not result.pairs:
            continue
        # most pairs first; a router in between sees as many of either end
        rank = (-(10 * len(result.pairs) // len(segments)), result.spread)
        if best is None or rank < best[0]:
            best = rank, address
    return best[1] if best else None
