# SPDX-License-Identifier: GPL-2.0
"""chalk_top_detail.py - draws one connection: curves, variables, events."""

from math import isnan
from typing import Callable, List, Optional, Sequence

from chalk_top_canvas import (BAD, BOLD, BUSY, COOL, DIM, GOOD, HEAD, PLAIN,
                              Canvas, fit, spark)
from chalk_top_columns import compact, milliseconds, rate
from chalk_top_events import Event, EventLog
from chalk_top_model import Row
from chalk_top_screen import draw_bottom, draw_parts
from chalk_top_view import View
from chalk_top_words import variables

KEYS = ("q back", "h help", "Tab panes", "e events", "z zoom", "p pause",
        "+ - delay")
LABEL, VALUE = 8, 8
TALL = 30  # lines from which on the curves have two or three
MOST_EVENTS = 12  # lines, before the variables have all that they need
CURVES = (("cwnd", "cwnd", compact), ("flight", "flight", compact),
          ("srtt", "srtt ms", milliseconds), ("out", "out b/s", rate),
          ("in", "in b/s", rate))
EVENT_STYLES = {"rtx": BAD, "drop": BAD, "timer_fired": BAD, "state": GOOD,
                "cwnd": COOL, "ssthresh": BUSY, "rto": BUSY}


# --- curves ---

def squeezed(values: Sequence[float], zoom: int) -> List[float]:
    """The mean of each @zoom values, the last group ending at the last one."""
    found = []
    for end in range(len(values), 0, -zoom):
        group = [v for v in values[max(0, end - zoom):end] if not isnan(v)]
        found.append(sum(group) / len(group) if group else float("nan"))
    return found[::-1]


def draw_curve(canvas: Canvas, y: int, rows: int, label: str, row: Row,
               name: str, text: Callable, zoom: int) -> None:
    """The present value, the past, and the highest of it."""
    peak = f" {canvas.signs.up}{'':<6}"
    room = max(0, canvas.width - LABEL - VALUE - 1 - len(peak))
    values = squeezed(row.past.last(name, room * zoom), zoom)
    known = [v for v in values if not isnan(v)]
    top = max(known, default=0)
    now = values[-1] if values and not isnan(values[-1]) else None
    style = DIM if row.gone else PLAIN
    canvas.put(y, 0, label, BOLD)
    canvas.put(y, LABEL, fit(text(None if now is None else int(now)),
                             VALUE, True, "~"), style)
    lines = spark(values, top, rows, canvas.signs.levels)
    for at, line in enumerate(lines):
        canvas.put(y + at, LABEL + VALUE + 1 + room - len(values), line, COOL)
    canvas.put(y, canvas.width - len(peak) + 1,
               f"{canvas.signs.up}{text(int(top)) if known else '-'}", DIM)


def draw_curves(canvas: Canvas, y: int, view: View, row: Row) -> int:
    """Those that have anything to show; the line behind them."""
    rows = 3 if canvas.height >= TALL + 15 else 2 if canvas.height >= TALL \
        else 1
    for name, label, text in CURVES:
        least = 0 if name in ("out", "in") else -1
        if not any(v > least for v in row.past.values[name]):
            continue
        draw_curve(canvas, y, rows, label, row, name, text, view.zoom)
        y += rows
    return y


# --- events ---

def event_line(event: Event, arrow: str, times: str, width: int) -> str:
    many = f" {times}{event.count}" if event.count > 1 and \
        event.event not in ("send", "recv") else ""
    what = event.what(arrow) + many
    if width < 60:
        return f"{event.time:.3f} {event.event} {what} ({event.cause})"
    clause = f"{event.clause:<18} " if width >= 78 else ""
    return (f"{event.time:.6f} {event.event:<11} {event.cause:<26} "
            f"{clause}{what}")


def draw_events(canvas: Canvas, y: int, x: int, rows: int,
                log: Optional[EventLog], view: View, trouble: str) -> None:
    """The newest at the bottom."""
    kind = "all events" if view.all_events else "events that decide something"
    title = f"{kind} (e: {'fewer' if view.all_events else 'all'})"
    if log and log.lost:
        title += f"   {log.lost} lost"
    canvas.put(y, x, title, BOLD)
    if log is None:
        canvas.put(y + 1, x, trouble, BUSY)
        return
    latest = list(log.latest(view.all_events))[-max(0, rows - 1):]
    if not latest:
        canvas.put(y + 1, x, "none yet", DIM)
    for at, event in enumerate(latest, y + 1):
        canvas.put(at, x, event_line(event, canvas.signs.arrow,
                                     canvas.signs.times, canvas.width - x),
                   EVENT_STYLES.get(event.event, PLAIN))


# --- variables ---

def draw_variables(canvas: Canvas, y: int, rows: int, width: int, row: Row,
                   view: View) -> None:
    lines = variables(row)
    view.page = max(1, rows - 1)
    view.scroll = max(0, min(view.scroll, len(lines) - rows))
    name_width = max(len(name) for name, _ in lines) + 1
    for at, (name, text) in enumerate(lines[view.scroll:view.scroll + rows], y):
        canvas.put(at, 0, fit(f"{name:<{name_width}}{text}", width, False,
                              canvas.signs.more))
        canvas.put(at, 0, name, BOLD)
    if view.scroll + rows < len(lines):
        canvas.put(y + rows - 1, width - 1, canvas.signs.down, DIM)


# --- all of it ---

def draw_title(canvas: Canvas, view: View, row: Row) -> None:
    style = DIM if row.gone else GOOD if row.state == "ESTAB" else BUSY
    parts = [(row.state, style),
             (f"{row.local_text} {canvas.signs.arrow} {row.remote_text}", BOLD)]
    if view.paused:
        parts.append(("PAUSED", BAD))
    if row.netns:
        parts.append((f"in {row.netns}", PLAIN))
    if row.conn:
        parts.append((f"conn {row.conn}", PLAIN))
    if row.process:
        parts.append((row.process, PLAIN))
    draw_parts(canvas, 0, parts)
    canvas.fill(0, HEAD)


def draw_detail(canvas: Canvas, view: View, row: Row, log: Optional[EventLog],
                trouble: str) -> None:
    draw_title(canvas, view, row)
    y = draw_curves(canvas, 1, view, row)
    room = canvas.height - y - 1
    if view.pane == "events":
        draw_events(canvas, y, 0, room, log, view, trouble)
    elif view.pane == "variables":
        draw_variables(canvas, y, room, canvas.width, row, view)
    else:
        above = min(len(variables(row)), max(room // 2, room - MOST_EVENTS))
        draw_variables(canvas, y, above, canvas.width, row, view)
        draw_events(canvas, y + above, 0, room - above, log, view, trouble)
    draw_bottom(canvas, view, KEYS)
