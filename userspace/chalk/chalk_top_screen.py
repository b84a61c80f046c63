# SPDX-License-Identifier: GPL-2.0
"""chalk_top_screen.py - draws the table, the help and the frame around them."""

import time
from math import isnan
from typing import Dict, List, Optional, Tuple

from chalk_top_canvas import (BAD, BOLD, BUSY, COOL, DIM, GOOD, HEAD, PLAIN,
                              SELECTED, UNICODE, Canvas, Signs, bar, fit,
                              width_of)
from chalk_top_columns import BAR, BY_NAME, COLUMNS, IMPORTANCE, Column, bits
from chalk_top_model import Model, Row
from chalk_top_view import LETTERS, View

FRAME = 3  # lines that are not rows: two above, one below
MOST_BAR = 30
MOST_PROCESS = 24
KEYS = ("q quit", "h help", "Enter one connection", "/ filter", "<> sort",
        "r reverse", "l listeners", "t TIME-WAIT", "p pause")
OPENING = ("SYN-SENT", "SYN-RECV")

HELP_TABLE = (
    ("up down PgUp PgDn End", "choose a connection; Home: none"),
    ("Enter", "look into it"),
    ("< >  or left right", "sort by the next column"),
    ("r", "the other way round"),
    ("/", "filter; Esc takes it off"),
    ("l   t", "listeners, TIME-WAIT: show, hide"),
    ("b", "bars on a common scale, or each on its own"),
    ("p  or space", "pause"),
    ("+ -", "longer, shorter delay"),
    ("q", "quit"))
HELP_DETAIL = (
    ("Tab", "all, events only, variables only"),
    ("e", "all events, or only those that decide something"),
    ("z", "how much time a column of the curves stands for"),
    ("up down PgUp PgDn", "scroll the variables"),
    ("q  or Esc", "back to the table"))
HELP_FILTER = (
    ("sport = :80 and dst 10.0.0.0/8", "as in chalk ss"),
    ("time-wait", "a state"),
    ("80", "a port, at either end"),
    ("curl", "a text: address, process, timer"),
    ("not ( curl or close-wait )", "and, or, not, ( )"))


# --- the table ---

def cells(row: Row, columns: List[Column]) -> List[str]:
    return [column.cell(row) for column in columns]


def widths_of(columns: List[Column], lines: List[List[str]],
              sort: str) -> Dict[str, int]:
    """Fixed ones, and those that are as wide as what they show."""
    found = {}
    for at, column in enumerate(columns):
        widest = max((width_of(line[at]) for line in lines), default=0)
        width = column.width or widest
        if column.name == "process":
            width = min(width, MOST_PROCESS)
        found[column.name] = max(width, len(column.head) +
                                 (column.name == sort))
    return found


def choose(wanted: List[str], sort: str, widths: Dict[str, int],
           room: int) -> Dict[str, int]:
    """The columns that fit, with their widths, the important ones first."""
    order = [n for n in IMPORTANCE if n in wanted]
    if sort in order:
        order.remove(sort)
        order.insert(1, sort)
    chosen: Dict[str, int] = {}
    for name in order:
        left = room - sum(chosen.values()) - len(chosen)
        if widths[name] <= left:
            chosen[name] = widths[name]
        elif not chosen:
            chosen[name] = left
    if BAR in chosen:
        left = room - sum(chosen.values()) - len(chosen) + 1
        chosen[BAR] = min(MOST_BAR, chosen[BAR] + left)
    return chosen


def wanted_columns(model: Model, columns: Optional[List[str]]) -> List[str]:
    """Those asked for, or all that say something here."""
    if columns:
        return columns
    several = len({row.netns for row in model.rows.values()}) > 1
    return [c.name for c in COLUMNS if c.name != "netns" or several]


def style_of(column: Column, row: Row) -> int:
    if column.name == "state":
        if row.gone or row.state == "TIME-WAIT":
            return DIM
        return {"ESTAB": GOOD, "LISTEN": COOL}.get(row.state, BUSY)
    if column.name == "retrans" and row.again:
        return BAD
    if column.name == BAR:
        return BAD if row.info.get("ca_state", 0) in (3, 4) else COOL
    return PLAIN


def bar_of(row: Row, top: int, width: int, signs: Signs) -> str:
    if row.cwnd is None:
        return ""
    return bar(row.cwnd, row.flight or 0, row.ssthresh or 0, top, width, signs)


def peak(row: Row) -> int:
    """The greatest cwnd that was seen of it."""
    cwnds = [v for v in row.past.values["cwnd"] if not isnan(v)]
    return int(max(cwnds, default=0)) or row.cwnd or 0


def legend(width: int, signs: Signs, own_scale: bool) -> str:
    """What stands above the bars."""
    texts = (f"{signs.flight}flight {signs.window}cwnd {signs.mark}ssthresh",
             f"{signs.flight}flight{signs.window}cwnd",
             f"{signs.flight}sent{signs.window}cwnd", "cwnd", "")
    if own_scale:
        texts = (texts[0] + ", of its peak", *texts[1:])
    return next(text for text in texts if len(text) <= width or not text)


def draw_heading(canvas: Canvas, y: int, view: View,
                 chosen: Dict[str, int]) -> None:
    canvas.fill(y, HEAD)
    x = 0
    for column in COLUMNS:
        if column.name not in chosen:
            continue
        head, width, style = column.head, chosen[column.name], HEAD
        if column.name == BAR:
            head = legend(width, canvas.signs, view.own_scale)
        elif column.name == view.sort:
            head += canvas.signs.down if view.descending else canvas.signs.up
            style = SELECTED
        canvas.put(y, x, fit(head, width, column.right, canvas.signs.more),
                   style)
        x += width + 1


def draw_row(canvas: Canvas, y: int, row: Row, chosen: Dict[str, int],
             top: int) -> None:
    x = 0
    for column in COLUMNS:
        if column.name not in chosen:
            continue
        width = chosen[column.name]
        text = bar_of(row, top, width, canvas.signs) if column.name == BAR \
            else fit(column.cell(row), width, column.right, canvas.signs.more)
        canvas.put(y, x, text, style_of(column, row))
        x += width + 1


def draw_table(canvas: Canvas, view: View, model: Model,
               columns: Optional[List[str]]) -> None:
    rows = view.rows(model)
    room = max(0, canvas.height - FRAME)
    view.page = max(1, room - 1)
    at = view.place(model, rows)
    if at is None:
        at = view.top = 0
    view.top = max(min(view.top, at, len(rows) - room), at - room + 1, 0)
    shown = rows[view.top:view.top + room]
    names = wanted_columns(model, columns)
    kinds = [BY_NAME[name] for name in names]
    widths = widths_of(kinds, [cells(row, kinds) for row in shown],
                       view.sort)
    chosen = choose(names, view.sort, widths, canvas.width)
    draw_heading(canvas, 1, view, chosen)
    largest = max((row.cwnd or 0 for row in rows), default=0)
    for y, row in enumerate(shown, 2):
        draw_row(canvas, y, row, chosen,
                 peak(row) if view.own_scale else largest)
        if model.key_of(row) == view.selected:
            canvas.fill(y, SELECTED)
    if not rows:
        canvas.put(2, 0, nothing(view, model), DIM)
    draw_title(canvas, view, model, len(rows))


def nothing(view: View, model: Model) -> str:
    if not view.filter.is_empty:
        return "no connection passes the filter (Esc takes it off)"
    return "no connections; l shows listeners, t TIME-WAIT"


# --- the frame ---

def counts(model: Model) -> str:
    found = sorted(model.states().items(), key=lambda item: -item[1])
    return "  ".join(f"{number} {state}" for state, number in found)


def draw_title(canvas: Canvas, view: View, model: Model, shown: int) -> None:
    out, into = model.totals()
    parts = [("chalk top", BOLD)]
    if view.paused:
        parts.append(("PAUSED", BAD))
    if not view.filter.is_empty:
        parts.append((f"{shown} of {len(model.rows)} pass: "
                      f"{view.filter.text}", BUSY))
    parts += [(f"out {bits(out)}  in {bits(into)}", PLAIN),
              (counts(model), PLAIN)]
    draw_parts(canvas, 0, parts, time.strftime("%H:%M:%S"))


def draw_parts(canvas: Canvas, y: int, parts: List[Tuple[str, int]],
               right: str = "") -> None:
    """Texts side by side, one at the right if there is room."""
    x = 0
    for text, style in parts:
        canvas.put(y, x, text, style)
        x += width_of(text) + 2
    if x + len(right) <= canvas.width:
        canvas.put(y, canvas.width - len(right), right, DIM)


def draw_bottom(canvas: Canvas, view: View, keys: Tuple[str, ...]) -> None:
    """The prompt, a message, or the keys."""
    y = canvas.height - 1
    if view.prompt is not None:
        text = f"filter: {view.prompt}_"
        if view.message:
            text += f"   {view.message}"
        canvas.put(y, 0, text, BUSY if view.message else BOLD)
    elif view.message:
        canvas.put(y, 0, view.message, BUSY)
    else:
        x = 0
        for key in keys:
            if x + len(key) > canvas.width:
                break
            canvas.put(y, x, key, DIM)
            x += len(key) + 2


# --- the help ---

def help_lines(columns: Tuple[Column, ...] = COLUMNS) -> List[Tuple[str, int]]:
    letters = {name: letter for letter, name in LETTERS.items()}
    lines: List[Tuple[str, int]] = []
    for title, rows in (("In the table", HELP_TABLE),
                        ("In one connection", HELP_DETAIL),
                        ("A filter", HELP_FILTER)):
        lines += [(title, BOLD)]
        lines += [(f"  {left:<31}{right}", PLAIN) for left, right in rows]
        lines += [("", PLAIN)]
    lines += [("Columns, and the key that sorts by each", BOLD)]
    lines += [(f"  {letters.get(c.name, ' ')} {c.head or 'bar':<9}{c.about}",
               PLAIN) for c in columns]
    lines += [("", PLAIN), ("k, M and G are powers of 1000.", PLAIN)]
    return lines


def draw_help(canvas: Canvas, view: View) -> None:
    lines = help_lines()
    room = max(1, canvas.height - 2)
    view.page = room
    view.scroll = max(0, min(view.scroll, len(lines) - room))
    canvas.put(0, 0, "chalk top: help", BOLD)
    for y, (text, style) in enumerate(lines[view.scroll:view.scroll + room]):
        canvas.put(1 + y, 0, text, style)
    canvas.put(canvas.height - 1, 0,
               "up, down: scroll; any other key: back", DIM)


def plain_table(rows: List[Row], names: List[str],
                signs: Signs = UNICODE) -> List[str]:
    """All of the columns as wide as they need to be, for a file."""
    kinds = [BY_NAME[name] for name in names if name != BAR]
    lines = [[column.head for column in kinds]]
    lines += [cells(row, kinds) for row in rows]
    widths = [max(width_of(line[at]) for line in lines)
              for at in range(len(kinds))]
    return [" ".join(fit(cell, width, column.right, signs.more)
                     for cell, width, column in zip(line, widths, kinds))
            .rstrip() for line in lines]
