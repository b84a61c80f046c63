# SPDX-License-Identifier: GPL-2.0
"""chalk_top_canvas.py - a screen in memory, and the signs to draw with.

What is drawn here can be painted on a terminal or compared in a test.
"""

import math
import unicodedata
from typing import Iterator, List, NamedTuple, Sequence, Tuple

from chalk_base import printable

PLAIN, BOLD, DIM, HEAD, SELECTED, GOOD, BUSY, BAD, COOL = range(9)
HALF = 0.5


class Signs(NamedTuple):
    """@levels is a scale from nothing to full."""

    flight: str
    window: str
    mark: str
    levels: str
    arrow: str
    times: str
    up: str
    down: str
    more: str


UNICODE = Signs("█", "▒", "│", " ▁▂▃▄▅▆▇█", "→", "×", "▲", "▼", "…")
ASCII = Signs("#", "=", "|", " .:-=+*#%", "->", "x", "^", "v", "~")


def columns_of(char: str) -> int:
    """Columns of a terminal that a character takes."""
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def width_of(text: str) -> int:
    return len(text) if text.isascii() else sum(map(columns_of, text))


def drawable(text: str) -> str:
    """Without what would move the cursor or take no room."""
    text = printable(text)
    if text.isascii():
        return text
    return "".join("?" if unicodedata.combining(c) else c for c in text)


class Canvas:
    """Rows of characters with a style each; what is outside is cut off."""

    def __init__(self, width: int, height: int, signs: Signs = UNICODE):
        self.width, self.height, self.signs = width, height, signs
        self.cells = [[" "] * width for _ in range(height)]
        self.styles = [[PLAIN] * width for _ in range(height)]

    def put(self, y: int, x: int, text: str, style: int = PLAIN) -> None:
        if not 0 <= y < self.height:
            return
        if self.signs is ASCII and not text.isascii():
            text = text.encode("ascii", "replace").decode("ascii")
        for char in drawable(text):
            wide = columns_of(char) - 1
            if x + wide >= self.width:
                return
            if x >= 0:
                self.cells[y][x], self.styles[y][x] = char, style
                if wide:
                    self.cells[y][x + 1], self.styles[y][x + 1] = "", style
            x += 1 + wide

    def fill(self, y: int, style: int) -> None:
        """All of a line in one style, its text as it is."""
        if 0 <= y < self.height:
            self.styles[y] = [style] * self.width

    def line(self, y: int) -> str:
        return "".join(self.cells[y])

    def text(self) -> List[str]:
        return [self.line(y).rstrip() for y in range(self.height)]

    def runs(self, y: int) -> Iterator[Tuple[int, str, int]]:
        """Column, text and style of each stretch of one style."""
        start, styles = 0, self.styles[y]
        for x in range(1, self.width + 1):
            if x == self.width or styles[x] != styles[start]:
                yield start, "".join(self.cells[y][start:x]), styles[start]
                start = x


def fit(text: str, width: int, right: bool, more: str) -> str:
    """Padded to @width columns, or cut with a sign that there is more."""
    text = drawable(text)
    missing = width - width_of(text)
    if missing >= 0:
        return " " * missing + text if right else text + " " * missing
    while text and width_of(text) > width - len(more):
        text = text[:-1]
    return text + more + " " * (width - width_of(text) - len(more))


def bar(cwnd: int, flight: int, ssthresh: int, top: int, width: int,
        signs: Signs) -> str:
    """cwnd and what is in flight on a scale up to @top, ssthresh a mark."""
    def place(value: int) -> int:
        return min(width, math.ceil(value * width / top)) if top else 0

    window = max(place(cwnd), place(flight))
    cells = [signs.flight if x < place(flight) else
             signs.window if x < window else " " for x in range(width)]
    if ssthresh and width and ssthresh <= top:
        cells[max(0, place(ssthresh) - 1)] = signs.mark
    return "".join(cells)


def spark(values: Sequence[float], top: float, rows: int,
          levels: str) -> List[str]:
    """Columns as high as the values, in so many rows, the highest first."""
    steps = len(levels) - 1
    lines = [""] * rows
    for value in values:
        full = 0
        if not math.isnan(value) and top > 0 and value > 0:
            full = max(1, int(min(value / top, 1) * rows * steps + HALF))
        for y in range(rows):
            left = full - (rows - 1 - y) * steps
            lines[y] += levels[max(0, min(left, steps))]
    return lines
