# SPDX-License-Identifier: GPL-2.0
"""chalk_compare.py - two connections beside each other: figures and panels.

Owns which figures are compared and how they are drawn over one another. Both
begin at 0, their first segment.
"""

import io
from typing import BinaryIO, Dict, List, NamedTuple, Optional, Tuple

import chalk_forms
import chalk_tcpprobe
from chalk_curves import RTO, THIRD_DUPACK, Curves, Point, weighted_mean
from chalk_figures import acknowledged, loss_events
from chalk_panels import (BLUE, KIB, RED, Panel, of_rate, of_time, scaled,
                          window_top)
from chalk_base import TraceError, printable
from chalk_trace import Trace

LONGEST = 1 << 16
COLOURS = BLUE, RED
PLAIN = "with steps lt 1", "with steps lt 3"
MARKS = ((THIRD_DUPACK, 11, "3"), (RTO, 2, "T"))


class Side(NamedTuple):
    """One of the two: what it is called, and what it did."""
    name: str
    curves: Curves
    gaps: int = 0


class Row(NamedTuple):
    """A line of the table; a value that nobody can know is None."""
    name: str
    unit: str
    values: Tuple[Optional[float], ...]
    digits: int = 0

    @property
    def difference(self) -> Optional[float]:
        """How much more the second has, in per cent of the first."""
        first, second = self.values
        if first is None or second is None or not first:
            return None
        return 100 * (second - first) / first


def load(path: str, mss: int) -> Trace:
    """A trace of Chalk, or of the tracepoints of the kernel's TCP."""
    file, reader = chalk_forms.open_source(path)
    try:
        begun = remarks(file)
        whole = io.BufferedReader(chalk_forms.Rejoined(b"".join(begun), file))
        if begun and chalk_tcpprobe.is_tcpprobe(text_of(begun[-1])):
            lines = io.TextIOWrapper(whole, encoding="utf-8", errors="replace")
            return chalk_tcpprobe.load(lines, reader.name, mss)
        return Trace.of(reader, reader.values(whole))
    except OSError as error:
        raise TraceError(f"{reader.name}: {error.strerror}") from None
    finally:
        if reader.path:
            file.close()


def text_of(line: bytes) -> str:
    return line.decode("utf-8", "replace")


def remarks(file: BinaryIO) -> List[bytes]:
    """The first line that is neither empty nor a remark, and those before."""
    begun: List[bytes] = []
    while line := file.readline(LONGEST):
        begun.append(line)
        if line.strip() and (line[:1] != b"#" or
                             chalk_tcpprobe.is_tcpprobe(text_of(line))):
            break
    return begun


def mean(curves: Curves, variable: str, end: float) -> Optional[float]:
    """The mean over time of a variable, from its first value to @end."""
    points = [(curves.clock(r), float(getattr(r, variable)))
              for r in curves.all if getattr(r, variable)]
    points = [p for p in points if p[0] <= end]
    return weighted_mean(points, end) if points else None


def figures(curves: Curves) -> Dict[str, Optional[float]]:
    """The figures of one side, in bytes and seconds."""
    acked, first, last = acknowledged(curves.end) or (0, 0.0, 0.0)
    seconds, end = last - first, last - curves.start
    records = curves.end.records
    losses = loss_events(records)
    sent = [r for r in records if r.event == "send"]
    again = sum(r.event == "rtx" for r in records)
    trip = mean(curves, "srtt", end)
    return {
        "seconds": seconds, "acked": acked,
        "goodput": acked * 8 / seconds if seconds else None,
        "segments": len(sent) + again if sent else None,
        "again": again, "timeouts": losses.get(RTO, 0),
        "fast": losses.get(THIRD_DUPACK, 0), "cwnd": mean(curves, "cwnd", end),
        "trip": trip / 1e6 if trip else None,
    }


def rows(sides: List[Side]) -> List[Row]:
    """The table of two sides."""
    known = [figures(side.curves) for side in sides]

    def row(label: str, of: str, key: str, by: float = 1.0,
            digits: int = 0) -> Row:
        values = tuple(None if f[key] is None else f[key] / by for f in known)
        return Row(label, of, values, digits)

    return [
        row("duration", "s", "seconds", digits=3),
        row("acknowledged", "bytes", "acked"),
        row("goodput", "Mbit/s", "goodput", 1e6, 3),
        row("segments sent", "", "segments"),
        row("sent again", "", "again"),
        row("timeouts", "", "timeouts"),
        row("fast retransmits", "", "fast"),
        row("mean cwnd", "KiB", "cwnd", KIB, 2),
        row("mean smoothed RTT", "ms", "trip", 1e-3, 2),
    ]


def cell(value: Optional[float], digits: int) -> str:
    return "not known" if value is None else f"{value:,.{digits}f}"


def table(sides: List[Side]) -> str:
    """The rows as text, in columns."""
    lines = [["", "A", "B", "B - A"]]
    for found in rows(sides):
        more = found.difference
        lines.append([f"{found.name} {found.unit}".strip(),
                      *(cell(v, found.digits) for v in found.values),
                      "" if more is None else f"{more:+.1f} %"])
    widths = [max(len(line[i]) for line in lines) for i in range(4)]
    names = [f"{letter}: {printable(side.name)}, {side.curves.end.local} → "
             f"{side.curves.end.remote}" for letter, side in zip("AB", sides)]
    names += [f"{letter} lacks {side.gaps:,} records: figures are too low"
              for letter, side in zip("AB", sides) if side.gaps]
    return "\n".join(names + [""] + [
        "  ".join([line[0].ljust(widths[0])] +
                  [text.rjust(width) for text, width
                   in zip(line[1:], widths[1:])]).rstrip()
        for line in lines])


def cwnd_panel(sides: List[Side], _size: Optional[float]) -> Panel:
    """Both congestion windows, with the losses each sender noticed."""
    top = max(window_top(side.curves, False) for side in sides)
    panel = Panel("cwnd", "Congestion window", "KiB", top / KIB)
    for letter, side, colour, plain in zip("AB", sides, COLOURS, PLAIN):
        panel.add(letter, scaled(side.curves.deflated(), KIB, 1.5 * top),
                  f"with steps lw 1.5 lc rgb '{colour}'", side.name, plain)
    for letter, side, colour in zip("AB", sides, COLOURS):
        for cause, shape, sign in MARKS:
            panel.add(f"{letter}_{sign}",
                      scaled(side.curves.losses(cause), KIB, top),
                      f"with points pt {shape} ps 1.2 lw 2 lc rgb '{colour}'",
                      f"{cause}, {letter}")
    return panel


def rtt_panel(sides: List[Side], _size: Optional[float]) -> Panel:
    """The smoothed round trips."""
    found = [side.curves.steps(lambda r: r.srtt, lambda r: r.srtt > 0)
             for side in sides]
    high = max((y for points in found for _, y in points), default=0)
    if not high:
        raise TraceError("no round trip was measured")
    by, name = of_time(high)
    panel = Panel("rtt", "Smoothed round trip", name, 1.15 * high / by)
    for letter, side, points, colour, plain in zip("AB", sides, found, COLOURS,
                                                   PLAIN):
        panel.add(letter, scaled(points, by),
                  f"with steps lw 1.5 lc rgb '{colour}'", side.name, plain)
    return panel


def throughput_panel(sides: List[Side], size: Optional[float]) -> Panel:
    """What was acknowledged in each window of time."""
    size = size or max(side.curves.window() for side in sides)
    found: List[List[Point]] = []
    for side in sides:
        samples = side.curves.throughput(size)
        found.append([(s.begin, s.acked) for s in samples] +
                     [(samples[-1].end, samples[-1].acked)])
    high = max([y for points in found for _, y in points] + [1.0])
    by, name = of_rate(high)
    panel = Panel("throughput", f"Acknowledged, each {size:g} s", name,
                  1.15 * high / by)
    for letter, side, points, colour, plain in zip("AB", sides, found, COLOURS,
                                                   PLAIN):
        panel.add(letter, scaled(points, by),
                  f"with steps lw 1.5 lc rgb '{colour}'", side.name, plain)
    return panel


KINDS = {"cwnd": cwnd_panel, "throughput": throughput_panel, "rtt": rtt_panel}


def panels(kind: str, sides: List[Side], size: Optional[float]) -> List[Panel]:
    """The panels of a kind, or of all."""
    kinds = KINDS if kind == "all" else [kind]
    return [KINDS[name](sides, size) for name in kinds]
