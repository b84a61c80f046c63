# SPDX-License-Identifier: GPL-2.0
"""chalk_sequence.py - the time-sequence graph: who sent which bytes when.

Owns the strokes of the segments, as tcptrace draws them: upright, from a
segment's first byte to its last, where it left. Bytes count from the SYN.
"""

from typing import Dict, List, NamedTuple, Optional, Tuple

from chalk_curves import BUCKETS, Curves, Point, Unwrapped
from chalk_match import match
from chalk_base import TraceError
from chalk_trace import Connection

CROWD = 12


class Stroke(NamedTuple):
    """Bytes from low up to high left at this time."""
    time: float
    low: int
    high: int


class Sequence:
    """The bytes of one direction: sent, sent again, lost, acknowledged."""

    def __init__(self, curves: Curves, peer: Optional[Connection]):
        self.curves = curves
        self.first: List[Stroke] = []
        self.again: List[Stroke] = []
        self.lost: List[Point] = []
        self.refused: List[Point] = []
        self.flags: List[Tuple[float, int, str]] = []
        isn = curves.end.isn()
        self._segments(Unwrapped(isn), peer)
        if not self.first and not self.again:
            raise TraceError(
                "this end sent no data in that time; name the other one with "
                f"--local {curves.end.remote}")
        unwrapped = Unwrapped(isn)
        self.acked = curves.steps(lambda r: unwrapped(r.snd_una),
                                  lambda r: r.snd_una != 0)
        unwrapped = Unwrapped(isn)
        self.edge = curves.steps(lambda r: unwrapped(r.snd_una) + r.snd_wnd,
                                 lambda r: r.snd_una != 0, settled=True)

    def _segments(self, unwrapped: Unwrapped,
                  peer: Optional[Connection]) -> None:
        curves = self.curves
        for flight in match(curves.end, peer):
            segment = flight.sent
            low, time = unwrapped(segment.seq), curves.clock(segment)
            if not curves.begin <= time <= curves.until:
                continue
            high = low + segment.len
            if segment.len:
                strokes = self.again if segment.event == "rtx" else self.first
                strokes.append(Stroke(time, low, high))
            for flag, name in (("S", "SYN"), ("F", "FIN"), ("R", "RST")):
                if flag in segment.flags:
                    self.flags.append((time, high, name))
            if peer and not flight.arrival:
                self.lost.append((time, (low + high) / 2))
            elif flight.arrival and flight.arrival.event == "drop":
                self.refused.append((time, (low + high) / 2))

    def top(self) -> int:
        """The highest byte that was sent."""
        return max(s.high for s in self.first + self.again)

    def bottom(self) -> int:
        return min([s.low for s in self.first + self.again] +
                   [int(y) for _, y in self.acked])

    def joined(self, strokes: List[Stroke]) -> List[Stroke]:
        """Strokes that would fall onto the same dots as one."""
        width = self.curves.width / BUCKETS
        height = max(self.top() - self.bottom(), 1) / BUCKETS
        open_ones: Dict[int, Stroke] = {}
        found: List[Stroke] = []
        for stroke in strokes:
            column = int(stroke.time / width)
            above = open_ones.get(column)
            if above and -height <= stroke.low - above.high <= height:
                open_ones[column] = above._replace(high=stroke.high)
                continue
            if above:
                found.append(above)
            open_ones[column] = stroke
        return sorted(found + list(open_ones.values()))

    def crowded(self) -> bool:
        """Whether there are too many flags to name each."""
        return len(self.flags) > CROWD
