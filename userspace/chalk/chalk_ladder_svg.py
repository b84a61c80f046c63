# SPDX-License-Identifier: GPL-2.0
"""chalk_ladder_svg.py - the ladder as the textbook draws it, an SVG picture.

Two vertical lines, time running down, an arrow a segment. Where it is put is
for chalk_ladder_layout.py; this file owns how it looks.
"""

from math import atan2, degrees
from typing import List, Optional, Tuple
from xml.sax.saxutils import escape

from chalk_base import printable
from chalk_ladder import Ladder
from chalk_ladder_layout import (AUTO, EVEN, LABEL, LEFT, RIGHT, SCALE, Arrow,
                                 Layout, Mark)

__all__ = ["AUTO", "EVEN", "SCALE", "ladder_svg"]

SIDE, OUTSIDE = 178, 66
NARROWEST, WIDEST = 400, 820
LETTER = 6.1
HEAD, FOOT = 84, 46
STYLE = """
.ladder text { font: 11px 'DejaVu Sans', Arial, sans-serif; fill: #1a1a1a; }
.ladder .title { font-size: 15px; }
.ladder .end, .ladder .state { font-weight: bold; }
.ladder .time, .ladder .small { font-size: 10px; fill: #555; }
.ladder .small { font-style: italic; }
.ladder .halo { stroke: #fff; stroke-width: 3px; paint-order: stroke;
  stroke-linejoin: round; }
.ladder .rail { stroke: #1a1a1a; stroke-width: 1.6; }
.ladder .tick { stroke: #1a1a1a; stroke-width: 2.4; }
.ladder .break { stroke: #fff; stroke-width: 7; }
.ladder .arrow { stroke: #1f4e99; stroke-width: 1.3; fill: none; }
.ladder .head { fill: #1f4e99; }
.ladder .again .arrow, .ladder .again .cross { stroke: #c62828; }
.ladder .again .head, .ladder .again text { fill: #c62828; }
.ladder .half .arrow { stroke-dasharray: 5 3; }
.ladder .cross { stroke: #1a1a1a; stroke-width: 2.4; fill: none; }
.ladder .note.halo { font-weight: bold; }
"""


def safe(words: str) -> str:
    """Text as XML takes it."""
    return escape(printable(words))


def text(x: float, y: float, kind: str, words: str, anchor: str = "start",
         more: str = "") -> str:
    if not words:
        return ""
    return (f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" '
            f'text-anchor="{anchor}"{more}>{safe(words)}</text>')


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'class="{kind}"/>')


class Picture:
    """One ladder, laid out, as elements of SVG."""

    def __init__(self, layout: Layout):
        self.layout = layout
        self.ladder = layout.ladder
        longest = max([len(a.label) for a in layout.arrows], default=0)
        self.between = min(max(longest * LETTER + 60, NARROWEST), WIDEST)
        refused = max([len(a.note) for a in layout.arrows if not a.lost],
                      default=0)
        side = max(SIDE, OUTSIDE + 10 + refused * LETTER)
        self.x = {LEFT: side, RIGHT: side + self.between}
        self.width = 2 * side + self.between
        self.height = HEAD + layout.height + FOOT

    def outside(self, side: int, distance: float) -> float:
        return self.x[side] + (distance if side == RIGHT else -distance)

    def elements(self, title: str) -> List[str]:
        top, bottom = HEAD - 14, HEAD + self.layout.height + 8
        found = [text(self.width / 2, 24, "title", title, "middle")]
        for side, name in zip((LEFT, RIGHT), self.ladder.names()):
            found.append(text(self.x[side], HEAD - 26, "end", name, "middle"))
            found.append(line(self.x[side], top, self.x[side], bottom, "rail"))
        found += [self.pause(*p) for p in self.layout.pauses]
        found += [self.arrow(a) for a in self.layout.arrows]
        found += [self.mark(m) for m in self.layout.marks]
        found += [self.words(a) for a in sorted(self.layout.arrows,
                                                key=lambda a: bool(a.note))]
        found.append(text(self.width / 2, bottom + 24, "small", self.legend(),
                          "middle"))
        return found

    def legend(self) -> str:
        """The line below that says how to read it."""
        words = ["times in seconds; sequence numbers count from the SYN"]
        if any(a.flight.segment.event == "rtx" for a in self.layout.arrows):
            words.append("red: sent again")
        words.append("height is time" if self.layout.scaled
                     else "not to scale in time")
        if self.ladder.lost:
            words.append(f"the trace lacks {self.ladder.lost:,} records")
        return "; ".join(words)

    def pause(self, y: float, words: str) -> str:
        """Where steps, or a silence, are left out."""
        y += HEAD
        cuts = "".join(line(self.x[side], y - 9, self.x[side], y + 9, "break")
                       + text(self.x[side], y + 5, "state", "⋮", "middle")
                       for side in (LEFT, RIGHT))
        middle = (self.x[LEFT] + self.x[RIGHT]) / 2
        return cuts + text(middle, y + 4, "small halo", words, "middle")

    def mark(self, mark: Mark) -> str:
        """Time and state beside a line, and a change that no segment made."""
        outward = "end" if mark.side == LEFT else "start"
        found = [line(self.x[mark.side] - 4, HEAD + mark.y,
                      self.x[mark.side] + 4, HEAD + mark.y,
                      "tick" if mark.state else "rail")]
        y = HEAD + mark.y + 4
        if mark.time:
            found.append(text(self.outside(mark.side, 9), y, "time", mark.time,
                              outward))
        if mark.state:
            found.append(text(self.outside(mark.side, OUTSIDE),
                              HEAD + mark.state_y + 4, "state", mark.state,
                              outward))
        if mark.note:
            inward = "start" if mark.side == LEFT else "end"
            found.append(text(self.outside(mark.side, -10), y, "small halo",
                              mark.note, inward))
        return "".join(found)

    def line_of(self, arrow: Arrow) -> Tuple[float, float, float, float]:
        """Where an arrow begins and ends; a lost one ends on its way."""
        x1, x2 = self.x[arrow.side], self.x[1 - arrow.side]
        y1, y2 = HEAD + arrow.start, HEAD + arrow.finish
        way = 0.66 if arrow.lost else 1.0
        return x1, y1, x1 + way * (x2 - x1), y1 + way * (y2 - y1)

    @staticmethod
    def group(arrow: Arrow, parts: List[str]) -> str:
        """Elements that belong to one step."""
        kinds = ["step"] + [kind for kind, on in (
            ("again", arrow.flight.segment.event == "rtx"),
            ("lost", arrow.note), ("half", arrow.half)) if on]
        return (f'<g class="{" ".join(kinds)}" data-step="{arrow.number}">' +
                "".join(parts) + "</g>")

    def arrow(self, arrow: Arrow) -> str:
        x1, y1, x2, y2 = self.line_of(arrow)
        return self.group(arrow, [
            f"<title>{safe(self.told(arrow))}</title>",
            line(x1, y1, x2, y2, "arrow"),
            self.tip(arrow, x2, y2, turned(x1, y1, x2, y2))])

    def told(self, arrow: Arrow) -> str:
        """What a mouse that rests on the arrow is told."""
        segment = arrow.flight.segment
        words = [self.ladder.label(arrow.flight), segment.cause, arrow.note]
        return "; ".join(w for w in words if w)

    @staticmethod
    def tip(arrow: Arrow, x: float, y: float, turn: float) -> str:
        """The head of the arrow, or the cross where it ends."""
        if arrow.note:
            return (f'<path d="M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10" '
                    'class="cross"/>')
        back = -9 if arrow.side == LEFT else 9
        return (f'<path d="M0 0L{back} -3.6L{back} 3.6Z" class="head" '
                f'transform="translate({x:.1f} {y:.1f}) '
                f'rotate({turn:.2f})"/>')

    def note(self, arrow: Arrow, x: float, y: float) -> str:
        """What became of a segment: beside the cross, or where it arrived."""
        if not arrow.lost:
            side = 1 - arrow.side
            return text(self.outside(side, OUTSIDE), y + 4, "note", arrow.note,
                        "end" if side == LEFT else "start")
        if arrow.side == LEFT:
            return text(x + 10, y + 4, "note halo", arrow.note)
        return text(x - 10, y + 4, "note halo", arrow.note, "end")

    def words(self, arrow: Arrow) -> str:
        """The segment in words, along the arrow at the end that sent it."""
        x1, y1, x2, y2 = self.line_of(arrow)
        inward = 12 if arrow.side == LEFT else -12
        return self.group(arrow, [text(
            inward, -LABEL, "halo", arrow.label,
            "start" if arrow.side == LEFT else "end",
            f' transform="translate({x1:.1f} {y1:.1f}) '
            f'rotate({turned(x1, y1, x2, y2):.2f})"'),
            self.note(arrow, x2, y2)])


def turned(x1: float, y1: float, x2: float, y2: float) -> float:
    """The slope of a line in degrees, for text that is read from the left."""
    angle = degrees(atan2(y2 - y1, abs(x2 - x1)))
    return angle if x2 > x1 else -angle


def counted(ladder: Ladder, chosen: List[int]) -> str:
    """How many segments there are, and what became of them."""
    flights = [ladder.steps[n].flight for n in chosen if ladder.steps[n].flight]
    words = [f"{len(flights):,} segment{'s' * (len(flights) != 1)}"]
    lost = sum(bool(ladder.note(f)) for f in flights)
    again = sum(f.segment.event == "rtx" for f in flights)
    words += [f"{lost:,} lost or refused"] if lost else []
    words += [f"{again:,} sent again"] if again else []
    return ", ".join(words)


def ladder_svg(ladder: Ladder, chosen: List[int], spacing: str = AUTO,
               title: Optional[str] = None) -> str:
    """The steps of these numbers as an SVG document."""
    picture = Picture(Layout(ladder, chosen, spacing))
    left, right = ladder.names()
    told = (f"A ladder of segments between {left} and {right}: "
            f"{counted(ladder, chosen)}. Time runs down, an arrow is a "
            "segment.")
    title = title or counted(ladder, chosen)
    width, height = round(picture.width), round(picture.height)
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" class="ladder" '
            f'role="img" aria-labelledby="ladder-title ladder-desc" '
            f'viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}">')
    return "\n".join([
        head, f'<title id="ladder-title">{safe(title)}</title>',
        f'<desc id="ladder-desc">{safe(told)}</desc>',
        f"<style>{STYLE}</style>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        *picture.elements(title), "</svg>", ""])
