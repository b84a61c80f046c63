# SPDX-License-Identifier: GPL-2.0
"""chalk_curves.py - from the records of one end to the points of a picture.

Owns what a curve is: seconds since the first segment against bytes, seconds or
bytes a second, within a window of time. Colours and scales are for
chalk_panels.py. Sent segments, as a time-sequence graph has them, are in
chalk_sequence.py.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

from chalk_base import TraceError
from chalk_trace import SEQUENCE_SPACE, Connection, Record

BUCKETS = 1500
SLOW_START, AVOIDANCE, RECOVERY, AFTER_RTO = (
    "slow start", "congestion avoidance", "fast recovery", "RTO recovery")
OPENING = ("CLOSED", "LISTEN", "SYN_SENT", "SYN_RCVD")
THIRD_DUPACK, RTO = "third duplicate ACK", "retransmission timeout"
BACKOFF = "timer backs off"
WINDOWS = 60
MOST_WINDOWS = 100_000

Point = Tuple[float, float]


class Stretch(NamedTuple):
    """From when to when something was so."""
    name: str
    begin: float
    end: float


class Sample(NamedTuple):
    """One window of time of the throughput, in bytes a second."""
    begin: float
    end: float
    sent: float
    acked: float


def ahead(number: int, base: int) -> int:
    """How far a sequence number is in front of another; negative: behind."""
    return ((number - base + SEQUENCE_SPACE // 2) % SEQUENCE_SPACE
            - SEQUENCE_SPACE // 2)


class Unwrapped:
    """Sequence numbers as a count that goes on where they wrap."""

    def __init__(self, base: int):
        self.base = base
        self.count = 0

    def __call__(self, number: int) -> int:
        count = self.count + ahead(number, (self.base + self.count)
                                   % SEQUENCE_SPACE)
        self.count = max(self.count, count)
        return count


def thinned(points: List[Point], width: float) -> List[Point]:
    """Of each stretch of time the first, lowest, highest and last point."""
    kept: List[Point] = []
    bucket: List[Point] = []
    for point in points:
        if bucket and point[0] - bucket[0][0] > width:
            kept += corners(bucket)
            bucket = []
        bucket.append(point)
    return kept + corners(bucket)


def corners(bucket: List[Point]) -> List[Point]:
    if len(bucket) <= 4:
        return bucket
    low = min(range(len(bucket)), key=lambda i: bucket[i][1])
    high = max(range(len(bucket)), key=lambda i: bucket[i][1])
    return [bucket[i] for i in sorted({0, low, high, len(bucket) - 1})]


class Curves:
    """What happened to one end of a connection within a window of time."""

    def __init__(self, end: Connection, begin: Optional[float] = None,
                 until: Optional[float] = None):
        self.end = end
        segments = [r for r in end.records if r.is_segment]
        if not segments:
            raise TraceError("this connection sent and received nothing")
        self.start = next(r.time for r in end.records
                          if r.is_segment or r.event == "state")
        self.span = max(segments[-1].time - self.start, 1e-6)
        self.all = [r for r in end.records if r.time <= segments[-1].time]
        self.begin = max(begin or 0.0, 0.0)
        self.until = self.span if until is None else min(until, self.span)
        if self.begin >= self.until:
            raise TraceError(f"nothing between {self.begin:g} s and "
                             f"{until if until is not None else self.span:g} s"
                             f": this connection lasts {self.span:.6g} s")
        times = [r.time - self.start for r in self.all]
        self.first = bisect_left(times, self.begin)
        self.seen = self.all[self.first:bisect_right(times, self.until)]

    @property
    def width(self) -> float:
        """The seconds that are shown."""
        return self.until - self.begin

    def clock(self, record: Record) -> float:
        return record.time - self.start

    def before(self) -> Optional[Record]:
        """The last record in front of the window."""
        return self.all[self.first - 1] if self.first else None

    def steps(self, value: Callable[[Record], float],
              where: Callable[[Record], bool] = lambda r: True,
              settled: bool = False) -> List[Point]:
        """A variable where it changes, from edge to edge of the window.

        Settled: of one instant only the last value, where it is made of two
        variables that do not change at once.
        """
        points: List[Point] = []
        for record in self.all:
            if where(record):
                now = value(record)
                if settled and points and points[-1][0] == self.clock(record):
                    points.pop()
                if not points or points[-1][1] != now:
                    points.append((record.time - self.start, now))
        early = [p for p in points if p[0] < self.begin][-1:]
        shown = [(self.begin, value) for _, value in early]
        shown += [p for p in points if self.begin <= p[0] <= self.until]
        shown += [(self.until, value) for _, value in shown[-1:]]
        return thinned(shown, self.width / BUCKETS)

    def deflated(self) -> List[Point]:
        """cwnd without what RFC 5681 section 3.2 adds during fast recovery."""
        phases = Phases()
        return self.steps(
            lambda r: min(r.cwnd, r.ssthresh)
            if phases.after(r) == RECOVERY else r.cwnd,
            lambda r: r.cwnd > 0)

    def shut(self) -> List[Stretch]:
        """When the receiver's window was shut."""
        known = [r for r in self.all if r.cwnd and r.state not in OPENING]
        return [s for s in self.clip(self._held(
            known, lambda r: "open" if r.snd_wnd else "shut"))
            if s.name == "shut"]

    def segment_size(self) -> int:
        """The MSS, as it was for most of the records; 0: not known."""
        sizes = Counter(r.mss for r in self.seen if r.mss)
        return sizes.most_common(1)[0][0] if sizes else 0

    def losses(self, cause: str) -> List[Point]:
        """Where the sender noticed a loss, at the window it had."""
        points: List[Point] = []
        before = self.before()
        cwnd = before.cwnd if before else 0
        for record in self.seen:
            if record.event in ("cwnd", "ssthresh") and record.cause == cause:
                point = (self.clock(record), cwnd)
                if not points or points[-1][0] != point[0]:
                    points.append(point)
            cwnd = record.cwnd
        return points

    def retransmissions(self) -> List[float]:
        return [self.clock(r) for r in self.seen if r.event == "rtx"]

    def clip(self, stretches: List[Stretch]) -> List[Stretch]:
        """Stretches of time, as far as they are in the window."""
        cut = [Stretch(s.name, max(s.begin, self.begin),
                       min(s.end, self.until)) for s in stretches]
        return [s for s in cut if s.end > s.begin]

    def phases(self) -> List[Stretch]:
        """The phases of congestion control with their begin and end."""
        phases = Phases()
        return self.clip(self._held([r for r in self.all if r.cwnd],
                                    phases.after))

    def states(self) -> List[Stretch]:
        """The states of the connection with their begin and end."""
        return self.clip(self._held(self.all, lambda record: record.state))

    def _held(self, records: List[Record],
              name: Callable[[Record], str]) -> List[Stretch]:
        """How long what name() says of each record stayed the same."""
        found: List[Stretch] = []
        for record in records:
            now, time = name(record), self.clock(record)
            if found and found[-1].name == now:
                continue
            if found:
                found[-1] = found[-1]._replace(end=time)
            found.append(Stretch(now, time if found else 0.0, self.span))
        return found

    def samples(self, event: str) -> List[Point]:
        """Round trips that were measured (rtt) or not taken (rtt_refused)."""
        return [(self.clock(r), float(r.new)) for r in self.seen
                if r.event == event]

    def backoffs(self) -> List[Point]:
        """Where the timer was doubled, at its new value."""
        return [(self.clock(r), float(r.new)) for r in self.seen
                if r.event == "rto" and r.cause == BACKOFF]

    def window(self) -> float:
        """A window for the throughput: round, and no less than two RTTs."""
        srtts = sorted(r.srtt for r in self.seen if r.srtt)
        trip = srtts[len(srtts) // 2] / 1e6 if srtts else 0.0
        least = max(self.width / WINDOWS, 2 * trip)
        size = 1e-6
        while True:
            for factor in (1, 2, 5):
                if size * factor >= least:
                    return size * factor
            size *= 10

    def throughput(self, size: float) -> List[Sample]:
        """Payload that left, and that was acknowledged, a window at a time."""
        count = max(int(-(-(self.width - 1e-9) // size)), 1)
        if count > MOST_WINDOWS:
            raise TraceError(f"--window {size:g} is too short for "
                             f"{self.width:.6g} s")
        sent, acked = [0] * count, [0] * count
        for time, bytes_sent, bytes_acked in self.progress():
            if self.begin <= time <= self.until:
                slot = min(int((time - self.begin) / size), count - 1)
                sent[slot] += bytes_sent
                acked[slot] += bytes_acked
        found = []
        for slot in range(count):
            begin = self.begin + slot * size
            end = min(begin + size, self.until)
            found.append(Sample(begin, end, sent[slot] / (end - begin),
                                acked[slot] / (end - begin)))
        return found

    def progress(self) -> List[Tuple[float, int, int]]:
        """When payload was sent, and when acknowledged: time, bytes, bytes.

        A trace without the segments that left tells of new bytes by snd_nxt.
        """
        found: List[Tuple[float, int, int]] = []
        told = any(r.event == "send" for r in self.all)
        total = self.end.bytes_sent if told else SEQUENCE_SPACE
        una = nxt = None
        acked = 0
        for record in self.all:
            time = self.clock(record)
            if told and record.is_sent and record.len:
                una = record.snd_una if una is None else una
                found.append((time, record.len, 0))
            elif not told and record.snd_nxt:
                una = record.snd_una if una is None else una
                fresh = ahead(record.snd_nxt, una if nxt is None else nxt)
                if fresh > 0:
                    found.append((time, fresh, 0))
                nxt = record.snd_nxt
            if una is None:
                continue
            step = min(ahead(record.snd_una, una), total - acked)
            if step > 0:
                found.append((time, 0, step))
                acked, una = acked + step, record.snd_una
        return found


class Phases:
    """Follows congestion control from one record to the next."""

    def __init__(self) -> None:
        self.phase = SLOW_START
        self.recover = 0

    def after(self, record: Record) -> str:
        """The phase after a record, from its cause and the windows."""
        if record.event in ("cwnd", "ssthresh"):
            if record.cause == RTO:
                self.phase, self.recover = AFTER_RTO, record.snd_nxt
                return self.phase
            if record.cause == THIRD_DUPACK:
                # Tahoe begins again with one segment
                self.phase = (RECOVERY if record.cwnd >= record.ssthresh
                              else SLOW_START)
                return self.phase
            if record.cause in ("recovery done", "window deflated"):
                self.phase = AVOIDANCE
        if self.phase == AFTER_RTO and ahead(record.snd_una, self.recover) < 0:
            return self.phase
        if self.phase != RECOVERY:
            self.phase = (SLOW_START if record.cwnd < record.ssthresh
                          else AVOIDANCE)
        return self.phase


def weighted_mean(points: List[Tuple[float, float]], end: float) -> float:
    """The mean over time of a variable that keeps each value until the next."""
    total = sum(value * (after - time) for (time, value), (after, _)
                in zip(points, points[1:] + [(end, 0.0)]))
    seconds = end - points[0][0] if points else 0.0
    return total / seconds if seconds > 0 else 0.0


def usual(curves: Curves, rare: float) -> int:
    """What the congestion window keeps below for most of the time."""
    records = [r for r in curves.seen if r.cwnd]
    held: Dict[int, float] = {}
    for record, after in zip(records, records[1:]):
        held[record.cwnd] = held.get(record.cwnd, 0) + after.time - record.time
    left = rare * curves.width
    for cwnd in sorted(held, reverse=True):
        left -= held[cwnd]
        if left <= 0:
            return cwnd
    return records[0].cwnd if records else 0
