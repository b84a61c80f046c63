# SPDX-License-Identifier: GPL-2.0
"""chalk_ladder_text.py - the ladder in characters, a line a step.

At its left and right edge a line has the state of that end and the time when
the segment left or arrived there.
"""

from typing import Dict, Iterator, List, Optional, Tuple

from chalk_ladder import Flight, Ladder, Step, runs
from chalk_trace import Record

UNICODE = {"line": "─", "right": "▶", "left": "◀", "lost": "✗", "rail": "│",
           "gap": "⋮"}
ASCII = {"line": "-", "right": ">", "left": "<", "lost": "X", "rail": "|",
         "gap": ":"}
NARROWEST = 36
STATE = 11

Edge = Tuple[str, str]


class Drawing:
    """The lines of one ladder, as wide as its longest label."""

    def __init__(self, ladder: Ladder, chosen: List[int],
                 signs: Dict[str, str]):
        self.ladder = ladder
        self.signs = signs
        self.chosen = chosen
        flights = [ladder.steps[number].flight for number in chosen]
        needs = [len(ladder.label(flight)) + 8 + len(self.note(flight))
                 for flight in flights if flight]
        self.width = max([NARROWEST] + needs)
        self.shown: Dict[int, str] = {}

    def lines(self) -> Iterator[str]:
        """All of it, from the names of the ends down."""
        steps = self.ladder.steps
        yield from self.title()
        for drawn, numbers in runs(self.chosen, len(steps)):
            if drawn:
                yield from (self.draw(steps[number]) for number in numbers)
            else:
                yield self.gap([steps[number] for number in numbers])

    def title(self) -> Iterator[str]:
        """The names of the ends, and of the columns."""
        left, right = self.ladder.names()
        width = self.width + 2 * STATE + 4
        space = " " * max(width - len(left) - len(right), 2)
        yield f"{'':9}  {left}{space}{right}"
        yield (self.row(("seconds", "state"), " " * (self.width + 2),
                         ("seconds", "state")))

    def draw(self, step: Step) -> str:
        if step.change:
            return self.draw_change(step)
        flight = step.flight
        ends = [self.edge(flight.sent), self.edge(flight.arrival)]
        rightward = self.ladder.is_rightward(flight)
        if not rightward:
            ends.reverse()
        return self.row(ends[0], self.arrow(flight, rightward), ends[1])

    def draw_change(self, step: Step) -> str:
        record = step.change
        note = f"{record.cause}: {record.state}"
        edge = self.edge(record)
        if step.end is self.ladder.left:
            return self.row(edge, f" {note:<{self.width}} ", ("", self.rail))
        return self.row(("", self.rail), f" {note:>{self.width}} ", edge)

    @property
    def rail(self) -> str:
        return self.signs["rail"]

    def edge(self, record: Optional[Record]) -> Edge:
        """Time and state of one end, the state only where it is news."""
        state = self.ladder.state(record) if record else None
        if state is None:
            return self.ladder.clock(record), self.rail
        news = self.shown.get(record.conn) != state
        self.shown[record.conn] = state
        return self.ladder.clock(record), state if news else self.rail

    def row(self, left: Edge, middle: str, right: Edge) -> str:
        return (f"{left[0]:>9}  {left[1]:<{STATE}} {middle} "
                f"{right[1]:<{STATE}}  {right[0]:>9}").rstrip()

    def note(self, flight: Flight) -> str:
        note = self.ladder.note(flight)
        return f" {note} " if note else ""

    def arrow(self, flight: Flight, rightward: bool) -> str:
        """The segment's label on a line that is width + 2 long."""
        line, note = self.signs["line"], self.note(flight)
        body = line * 3 + f" {self.ladder.label(flight)} "
        if note:
            body += line * (self.width + 1 - len(body) - len(note))
            ends = [body, self.signs["lost"], note]
            return "".join(ends if rightward else reversed(ends))
        body += line * (self.width - len(body))
        if rightward:
            return f"{body}{line}{self.signs['right']}"
        return f"{self.signs['left']}{line}{body}"

    def gap(self, steps: List[Step]) -> str:
        """The line that stands for steps that are left out."""
        self.shown.clear()
        count = sum(1 for step in steps if step.flight)
        sign = self.signs["gap"]
        text = f"{count:,} more segments"
        return self.row(("", sign), f"{text:^{self.width + 2}}", ("", sign))


def ladder_text(ladder: Ladder, chosen: List[int],
                plain: bool = False) -> Iterator[str]:
    """The lines of a ladder; plain: of ASCII characters alone."""
    yield from Drawing(ladder, chosen, ASCII if plain else UNICODE).lines()
