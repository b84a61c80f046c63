# SPDX-License-Identifier: GPL-2.0
"""chalk_ladder_layout.py - how far down each step of a ladder is drawn.

Owns the heights. To scale, a second has the same height everywhere, only a
silence in which nothing is on its way is cut short; evenly, each point has its
row in the order of time. Both keep an earlier point above a later one.
"""

from itertools import groupby
from typing import Dict, List, Optional, Tuple

from chalk_ladder import Flight, Ladder, runs
from chalk_trace import Record

AUTO, EVEN, SCALE = "auto", "even", "scale"
LEFT, RIGHT = 0, 1
ROW = 18.0
LABEL = 4
LEGIBLE = 11.0
SILENCE = 90.0
PAUSE = 40.0
# A scaled drawing may be so many times as high as an even one.
PATIENCE = 2.5
# Drawn evenly, nothing for so many times the shortest delay is a silence; an
# arrow falls by FALL, that its label and its answer's stand apart; to scale it
# falls by no more than STEEPEST.
SILENT = 5
FALL = 2.5 * ROW
STEEPEST = 240.0

UNITS = (1.0, "s"), (1e-3, "ms"), (1e-6, "µs")

Pause = Tuple[float, str]


class Point:
    """An instant at one end: a segment leaves or arrives, a state changes."""

    def __init__(self, record: Record, side: int, arrives: bool, number: int):
        self.record = record
        self.side = side
        self.arrives = arrives
        self.number = number
        self.y = 0.0

    @property
    def time(self) -> float:
        return self.record.time


class Arrow:
    """A segment: from which side, at which heights, and what is said of it."""

    def __init__(self, number: int, flight: Flight, side: int):
        self.number = number
        self.flight = flight
        self.side = side
        self.start: Optional[float] = None
        self.finish: Optional[float] = None
        self.label = self.note = ""
        self.lost = False
        self.half = False


class Mark:
    """What stands beside a line: a time, a state, a cause."""

    def __init__(self, y: float, side: int, time: str, state: str, note: str):
        self.y = self.state_y = y
        self.side = side
        self.time = time
        self.state = state
        self.note = note


def complete(arrows: List[Arrow]) -> None:
    """Let an arrow with one end unknown fall as the one before it does."""
    falls = [a.finish - a.start for a in arrows
             if a.start is not None and a.finish is not None]
    fall = falls[0] if falls else FALL
    for arrow in arrows:
        if arrow.start is None:
            arrow.start = arrow.finish - fall
        elif arrow.finish is None:
            arrow.finish = arrow.start + fall
        else:
            fall = arrow.finish - arrow.start


def note(pauses: Optional[List[Pause]], y: float, seconds: float) -> None:
    """Write down that so many seconds are cut short there."""
    if pauses is not None:
        by, name = next((u for u in UNITS if seconds >= u[0]), UNITS[-1])
        pauses.append((y, f"{seconds / by:.4g} {name} pass"))


class Layout:
    """The heights of all that is drawn of a ladder, from 0 down."""

    def __init__(self, ladder: Ladder, chosen: List[int], spacing: str):
        self.ladder = ladder
        self.arrows: List[Arrow] = []
        self.marks: List[Mark] = []
        self.pauses: List[Pause] = []
        self.height = 0.0
        self.delay = self._shortest_delay()
        stretches = runs(chosen, len(ladder.steps))
        drawn = [self.points(numbers) for on, numbers in stretches if on]
        self.scaled = spacing == SCALE or (
            spacing == AUTO and self._bears_scale(drawn))
        self.per_second = self._per_second(drawn)
        for on, numbers in stretches:
            if on:
                self._stretch(numbers)
            else:
                self._left_out(numbers)

    def _shortest_delay(self) -> float:
        delays = [f.arrival.time - f.sent.time for f in self.ladder.flights
                  if f.sent and f.arrival]
        return max(min(delays, default=0.0), 0.0)

    def points(self, numbers: List[int]) -> List[Point]:
        """Both ends of these steps, in the order of time."""
        found = []
        for number in numbers:
            step = self.ladder.steps[number]
            if step.change:
                side = LEFT if step.end is self.ladder.left else RIGHT
                found.append(Point(step.change, side, False, number))
                continue
            source = LEFT if self.ladder.is_rightward(step.flight) else RIGHT
            if step.flight.sent:
                found.append(Point(step.flight.sent, source, False, number))
            if step.flight.arrival:
                found.append(Point(step.flight.arrival, 1 - source, True,
                                   number))
        return sorted(found, key=lambda p: (p.time, p.record.place))

    def answers(self, before: Optional[Point], point: Point) -> bool:
        """Whether one leaves where and when the other arrived."""
        return (before is not None and before.arrives and not point.arrives
                and before.side == point.side
                and point.time - before.time <= 0.02 * self.delay)

    def even(self, points: List[Point],
             pauses: Optional[List[Pause]] = None) -> float:
        """Give each point its row; the height of them all."""
        last: Dict[int, Point] = {}
        starts: Dict[int, float] = {}
        silences = self.silences(points, SILENT * self.delay or 1.0)
        y = -ROW / 2
        for point in points:
            before = last.get(point.side)
            if point in silences:
                y += PAUSE
                note(pauses, y - PAUSE / 2 + ROW / 2, silences[point])
            if not (self.answers(before, point) and before.y == y):
                lowest = before.y + ROW if before else 0.0
                fallen = starts.get(point.number, -FALL) + FALL
                y = max(y + ROW / 2, lowest, fallen)
            point.y = y
            starts.setdefault(point.number, y)
            last[point.side] = point
        return y

    @staticmethod
    def silences(points: List[Point], least: float) -> Dict[Point, float]:
        """The points before which nothing was on its way for so long."""
        lands = {point.number: point.time for point in points}
        found = {}
        until = points[0].time
        for before, point in zip(points, points[1:]):
            until = max(until, lands[before.number])
            if before.time >= until and point.time - before.time > least:
                found[point] = point.time - before.time
        return found

    def _per_second(self, stretches: List[List[Point]]) -> float:
        """The scale at which all of a side's points stand apart."""
        gaps = []
        for points in stretches:
            for side in (LEFT, RIGHT):
                mine = [p for p in points if p.side == side]
                gaps += [b.time - a.time for a, b in zip(mine, mine[1:])
                         if not self.answers(a, b)]
        seconds = sum(p[-1].time - p[0].time for p in stretches) or 1.0
        delay = self.delay or 0.1 * seconds
        least = max(min(gaps, default=delay), delay * ROW / STEEPEST)
        return max(ROW / least, FALL / delay)

    def _bears_scale(self, stretches: List[List[Point]]) -> bool:
        """Whether a drawing to scale can be read, and is not too high."""
        self.per_second = self._per_second(stretches)
        for points in stretches:
            if self.scale(points) > PATIENCE * self.even(points) + 8 * ROW:
                return False
            self.scale(points)
            for side in (LEFT, RIGHT):
                mine = [p for p in points if p.side == side]
                if any(b.y - a.y < LEGIBLE and not self.answers(a, b)
                       for a, b in zip(mine, mine[1:])):
                    return False
        return True

    def scale(self, points: List[Point],
              pauses: Optional[List[Pause]] = None) -> float:
        """Put each point where its time is, cutting silences."""
        silences = self.silences(points, SILENCE / self.per_second)
        y = 0.0
        for before, point in zip([points[0]] + points, points):
            if point in silences:
                note(pauses, y + SILENCE / 2, silences[point])
                y += SILENCE
            else:
                y += (point.time - before.time) * self.per_second
            point.y = y
        return y

    def _left_out(self, numbers: List[int]) -> None:
        count = sum(1 for n in numbers if self.ladder.steps[n].flight)
        self.pauses.append((self.height + PAUSE / 2,
                            f"{count:,} more segments"))
        self.height += PAUSE + ROW / 2

    def _stretch(self, numbers: List[int]) -> None:
        """Draw steps that follow one another."""
        points = self.points(numbers)
        pauses: List[Pause] = []
        place = self.scale if self.scaled else self.even
        bottom = place(points, pauses)
        arrows = self._arrows(numbers, points)
        shift = self.height + max([0.0] + [-a.start for a in arrows])
        self._shift(points, arrows, shift)
        self.pauses += [(y + shift, words) for y, words in pauses]
        self._thin(arrows)
        self.arrows += arrows
        self._marks(points)
        lowest = max([bottom] + [a.finish - shift for a in arrows])
        self.height = shift + lowest + ROW

    @staticmethod
    def _shift(points: List[Point], arrows: List[Arrow], by: float) -> None:
        for point in points:
            point.y += by
        for arrow in arrows:
            arrow.start += by
            arrow.finish += by

    def _arrows(self, numbers: List[int], points: List[Point]) -> List[Arrow]:
        starts = {p.number: p.y for p in points if not p.arrives}
        finishes = {p.number: p.y for p in points if p.arrives}
        found = []
        for number in numbers:
            flight = self.ladder.steps[number].flight
            if flight:
                arrow = self._arrow(number, flight)
                arrow.start = starts.get(number)
                arrow.finish = finishes.get(number)
                found.append(arrow)
        for side in (LEFT, RIGHT):
            complete([a for a in found if a.side == side])
        return found

    def _arrow(self, number: int, flight: Flight) -> Arrow:
        side = LEFT if self.ladder.is_rightward(flight) else RIGHT
        arrow = Arrow(number, flight, side)
        arrow.note = self.ladder.note(flight)
        arrow.label = self.ladder.label(flight)
        arrow.lost = not flight.arrival and bool(arrow.note)
        arrow.half = not (flight.sent and flight.arrival) and not arrow.lost
        return arrow

    @staticmethod
    def _thin(arrows: List[Arrow]) -> None:
        """Take away a label that would stand on the one above it."""
        for side in (LEFT, RIGHT):
            above = -ROW
            for arrow in (a for a in arrows if a.side == side):
                if arrow.start - above < LEGIBLE:
                    arrow.label = ""
                else:
                    above = arrow.start

    def _marks(self, points: List[Point]) -> None:
        """Times, and states where they are news in this stretch."""
        shown: Dict[int, str] = {}
        written: Dict[int, float] = {}
        names: Dict[int, float] = {}
        for (side, y), group in groupby(points, key=lambda p: (p.side, p.y)):
            members = list(group)
            state = note = ""
            for point in members:
                is_new = self.ladder.state(point.record)
                if is_new and shown.get(side) != is_new:
                    shown[side] = state = is_new
                if self.ladder.steps[point.number].change:
                    note = point.record.cause
            fits = y - written.get(side, -ROW) >= LEGIBLE
            time = self.ladder.clock(members[0].record) if fits else ""
            if fits:
                written[side] = y
            mark = Mark(y, side, time, state, note)
            if state:
                mark.state_y = max(y, names.get(side, -ROW) + LEGIBLE)
                names[side] = mark.state_y
            self.marks.append(mark)
