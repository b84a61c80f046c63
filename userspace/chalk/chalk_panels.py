# SPDX-License-Identifier: GPL-2.0
"""chalk_panels.py - what each kind of picture shows, in which colour and scale.

Owns the kinds: cwnd, sequence, rtt, throughput, each one panel or two of curves
under one another. chalk_gnuplot.py turns panels into a script.
"""

from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from chalk_curves import (AFTER_RTO, AVOIDANCE, RECOVERY, RTO, SLOW_START,
                          THIRD_DUPACK, Curves, Point, Stretch, usual)
from chalk_sequence import Sequence as Strokes
from chalk_sequence import Stroke
from chalk_base import TraceError
from chalk_trace import Connection

RARE = 0.03
KIB = 1024.0
SHADES = {SLOW_START: "#d9efd6", AVOIDANCE: "#ffffff", RECOVERY: "#fbdccc",
          AFTER_RTO: "#dccbf0"}
STATE_SHADES = ("#8d8d8d", "#bdbdbd")
BLUE, ORANGE, PALE, GREEN = "#1f4e99", "#d9822b", "#a9c4e6", "#4a8f4a"
RED, PURPLE, GREY, BLACK = "#c62828", "#6a1b9a", "#8a8a8a", "#1a1a1a"

Row = Sequence[float]
Unit = Tuple[float, str]


class Layer(NamedTuple):
    """Points with one style; plain is the style in a terminal, if shown."""
    name: str
    rows: List[Row]
    using: str
    style: str
    title: str
    plain: str = ""


class Panel:
    """One diagram: curves over the same time, with a scale of their own."""

    def __init__(self, name: str, heading: str, ylabel: str, top: float,
                 bottom: float = 0.0):
        self.name = name
        self.heading = heading
        self.ylabel = ylabel
        self.top = top
        self.bottom = bottom
        self.log = False
        # what one of the right axis is on the left one, and its name
        self.second: Optional[Unit] = None
        self.weight = 1.0
        self.layers: List[Layer] = []
        self.shades: List[Stretch] = []
        self.states: List[Stretch] = []
        # time, height, text, colour; a height of None is the upper edge
        self.labels: List[Tuple[float, Optional[float], str, str]] = []

    def add(self, name: str, rows: Sequence[Row], style: str, title: str,
            plain: str = "", using: str = "1:2") -> None:
        """Put a curve on top; one without points is left out."""
        if rows:
            self.layers.append(Layer(f"{self.name}_{name}", list(rows), using,
                                     style, title, plain))


def unit(top: float, units: Sequence[Unit]) -> Unit:
    """The largest unit of which there is at least one."""
    return max((u for u in units if u[0] <= top), default=units[0])


def of_bytes(top: float) -> Unit:
    return unit(top, ((1.0, "bytes"), (KIB, "KiB"), (KIB ** 2, "MiB"),
                      (KIB ** 3, "GiB")))


def of_time(top: float) -> Unit:
    return unit(top, ((1.0, "µs"), (1e3, "ms"), (1e6, "s")))


def of_rate(top: float) -> Unit:
    """Of bytes a second in bits."""
    return unit(top, ((1 / 8, "bit/s"), (1e3 / 8, "kbit/s"),
                      (1e6 / 8, "Mbit/s"), (1e9 / 8, "Gbit/s")))


def scaled(points: Sequence[Point], by: float,
           top: float = float("inf")) -> List[Point]:
    return [(x, min(y, top) / by) for x, y in points]


def window_top(curves: Curves, others: bool = True) -> float:
    """The scale: what the connection used, not what it was allowed.

    A peak that takes little of the time and would flatten all the rest,
    such as that of the first slow start, is cut off. Without others, the
    congestion window alone counts, not inflated.
    """
    records = [r for r in curves.seen if r.cwnd]
    if not records:
        raise TraceError("this connection had no congestion window in that "
                         "time")
    used = (max(max(r.cwnd, r.flight) for r in records) if others else
            max(y for _, y in curves.deflated()))
    often = usual(curves, RARE)
    if often and used > 3 * often:
        return 1.8 * often
    allowed = [max(r.ssthresh, r.snd_wnd) for r in records] if others else []
    return 1.15 * max([used] + [a for a in allowed if a <= 1.5 * used])


def cwnd_panel(curves: Curves) -> Panel:
    """cwnd, ssthresh, in flight and rwnd, the losses and the phases."""
    top = window_top(curves)
    by, name = KIB, "KiB"
    panel = Panel("cwnd", "Congestion window", name, top / by)
    high = max(r.cwnd for r in curves.seen)
    rwnd = max(r.snd_wnd for r in curves.seen)

    def steps(variable: str) -> List[Point]:
        found = curves.steps(lambda r: getattr(r, variable),
                             lambda r: r.cwnd > 0)
        return scaled(found, by, 1.5 * top)

    panel.add("flight", steps("flight"),
              f"with fillsteps fillcolor rgb '{PALE}' fillstyle solid 0.7",
              "in flight")
    panel.add("rwnd", steps("snd_wnd"),
              f"with steps lw 1.2 dt 3 lc rgb '{GREEN}'",
              f"rwnd (above, up to {rwnd / by:,.0f} {name})"
              if rwnd > top else "rwnd")
    panel.add("ssthresh", steps("ssthresh"),
              f"with steps lw 1.4 lc rgb '{ORANGE}'", "ssthresh",
              "with steps lt 3")
    real, inflated = scaled(curves.deflated(), by, 1.5 * top), steps("cwnd")
    if inflated != real:
        panel.add("inflated", inflated,
                  f"with steps lw 0.7 dt 2 lc rgb '{BLUE}'",
                  "inflated for fast recovery")
    panel.add("cwnd", real, f"with steps lw 1.7 lc rgb '{BLUE}'", "cwnd", "with steps lt 1")
    panel.add("shut", [(s.begin, top / by * 0.012, s.end - s.begin)
                       for s in curves.shut()],
              f"with vectors nohead lw 7 lc rgb '{RED}'",
              "window shut (rwnd 0)", "with points pt '0' lc rgb 'red'",
              "1:2:3:(0)")
    panel.add("rtx", [(x, top / by * 0.025) for x in curves.retransmissions()],
              f"with impulses lw 1 lc rgb '{RED}'", "retransmission")
    panel.add("third", scaled(curves.losses(THIRD_DUPACK), by, top),
              f"with points pt 11 ps 1.5 lc rgb '{RED}'", THIRD_DUPACK,
              "with points pt '3' lc rgb 'red'")
    panel.add("rto", scaled(curves.losses(RTO), by, top),
              f"with points pt 2 ps 1.6 lw 2.5 lc rgb '{PURPLE}'", RTO,
              "with points pt 'T' lc rgb 'magenta'")
    panel.shades = [p for p in curves.phases() if p.name != AVOIDANCE]
    panel.states = [s for s in curves.states() if s.name != "ESTABLISHED"]
    panel.weight = 1.3
    size = curves.segment_size()
    if size:
        panel.second = size / by, f"segments of {size:,} bytes"
    if high > top:
        last = [r for r in curves.seen if r.cwnd > top][-1]
        panel.labels.append((curves.clock(last), None,
                             f"cwnd up to {high / by:,.0f} {name}", BLUE))
    return panel


def sequence_panel(curves: Curves, peer: Optional[Connection]) -> Panel:
    """The time-sequence graph."""
    drawn = Strokes(curves, peer)
    low, high = drawn.bottom(), drawn.top()
    by, name = of_bytes(high)
    margin = 0.04 * max(high - low, 1)
    panel = Panel("sequence", "Sequence numbers", name,
                  (high + 2 * margin) / by, max(low - margin, 0) / by)

    def strokes(found: List[Stroke]) -> List[Row]:
        return [(s.time, s.low / by, (s.high - s.low) / by)
                for s in drawn.joined(found)]

    panel.add("edge", scaled(drawn.edge, by),
              f"with steps lw 1.2 lc rgb '{ORANGE}'", "edge of the window")
    panel.add("acked", scaled(drawn.acked, by),
              f"with steps lw 1.2 lc rgb '{GREEN}'", "acknowledged",
              "with steps lt 3")
    vectors = "with vectors nohead lw {} lc rgb '{}'"
    panel.add("sent", strokes(drawn.first), vectors.format(1.8, BLUE), "sent",
              "with points pt '.' lt 1", "1:2:(0):3")
    panel.add("again", strokes(drawn.again), vectors.format(4, RED),
              "sent again", "with points pt 'R' lc rgb 'red'", "1:2:(0):3")
    panel.add("lost", scaled(drawn.lost, by),
              f"with points pt 2 ps 1.1 lw 1.6 lc rgb '{BLACK}'",
              "lost on the way", "with points pt 'x' lc rgb 'white'")
    panel.add("refused", scaled(drawn.refused, by),
              f"with points pt 4 ps 1.1 lw 1.6 lc rgb '{PURPLE}'",
              "refused on arrival", "with points pt '#'")
    if not drawn.crowded():
        panel.labels = [(time, at / by, words, GREY)
                        for time, at, words in drawn.flags]
    panel.weight = 1.3
    return panel


def rtt_panel(curves: Curves) -> Panel:
    """Samples, srtt with its band, RTO; samples refused, back-offs."""
    samples, backoffs = curves.samples("rtt"), curves.backoffs()
    srtt = curves.steps(lambda r: r.srtt, lambda r: r.srtt > 0)
    rto = curves.steps(lambda r: r.rto, lambda r: r.srtt > 0)
    if not srtt:
        raise TraceError("no round trip was measured in that time")
    high = max(y for _, y in samples + rto + backoffs)
    low = min(y for _, y in samples + srtt)
    by, name = of_time(high)
    panel = Panel("rtt", "Round trips", name, 1.15 * high / by)
    if high > 12 * max(y for _, y in samples + srtt):
        panel.log, panel.bottom, panel.top = True, low / by / 2, 2 * high / by
    panel.add("band", band(curves, by, panel.bottom),
              f"with filledcurves fillcolor rgb '{PALE}' fillstyle solid 0.5",
              "srtt ± 4·rttvar", using="1:2:3")
    panel.add("rto", scaled(rto, by), f"with steps lw 1.4 lc rgb '{ORANGE}'",
              "RTO", "with steps lt 3")
    panel.add("srtt", scaled(srtt, by), f"with steps lw 1.6 lc rgb '{BLUE}'",
              "srtt", "with steps lt 1")
    panel.add("sample", scaled(samples, by),
              f"with points pt 7 ps 0.35 lc rgb '{BLACK}'", "sample",
              "with points pt 'o' lc rgb 'white'")
    panel.add("refused", [(x, y / by) for x, y in refused(curves)],
              f"with points pt 2 ps 0.8 lw 1.4 lc rgb '{RED}'",
              "no sample (Karn)", "with points pt 'x' lc rgb 'red'")
    panel.add("backoff", scaled(backoffs, by),
              f"with points pt 9 ps 1.3 lc rgb '{PURPLE}'", "timer backs off",
              "with points pt 'B' lc rgb 'magenta'")
    return panel


def refused(curves: Curves) -> List[Point]:
    """Samples not taken have no value: they stand at srtt."""
    return [(curves.clock(r), float(r.srtt)) for r in curves.seen
            if r.event == "rtt_refused"]


def band(curves: Curves, by: float, floor: float) -> List[Row]:
    """srtt less and plus four rttvar, as corners of an area."""
    held = 0.0, 0.0
    rows: List[Row] = []
    for record in curves.seen:
        if not record.srtt:
            continue
        reach = 4 * record.rttvar
        now = (max((record.srtt - reach) / by, floor),
               (record.srtt + reach) / by)
        if now != held:
            time = curves.clock(record)
            rows += [(time, *held)] if rows else []
            rows.append((time, *now))
            held = now
    return rows + [(curves.until, *held)] if rows else []


def throughput_panel(curves: Curves, size: Optional[float]) -> Panel:
    """What was sent and what was acknowledged, a window of time at a time."""
    size = size or curves.window()
    samples = curves.throughput(size)
    high = max([max(s.sent, s.acked) for s in samples] + [1.0])
    by, name = of_rate(high)
    panel = Panel("throughput", "Throughput", name, 1.15 * high / by)
    goodput = [(s.begin, s.acked / by) for s in samples]
    sent = [(s.begin, s.sent / by) for s in samples]
    for rows in (goodput, sent):
        rows.append((samples[-1].end, rows[-1][1]))
    panel.add("goodput", goodput,
              f"with fillsteps fillcolor rgb '{GREEN}' fillstyle solid 0.45",
              f"acknowledged, each {size:g} s", "with steps lt 1")
    panel.add("sent", sent, f"with steps lw 1.5 lc rgb '{BLUE}'",
              "sent, also again", "with steps lt 3")
    return panel


def queue_panel(curves: Curves, peer: Optional[Connection]) -> Panel:
    """Bytes that wait: at the sender to go, at the receiver to be read."""
    unsent = curves.steps(lambda r: r.unsent)
    unread: List[Point] = []
    reader = "here"
    if peer:
        reader = "by the peer"
        other = Curves(peer)
        shift = other.start - curves.start
        unread = [(min(max(x + shift, curves.begin), curves.until), y)
                  for x, y in other.steps(lambda r: r.unread)
                  if curves.begin <= x + shift <= curves.until]
    else:
        unread = curves.steps(lambda r: r.unread)
    high = max([y for _, y in unsent + unread] + [1.0])
    by, name = of_bytes(high)
    panel = Panel("queues", "Queues", name, 1.15 * high / by)
    panel.weight = 0.7
    panel.add("unsent", scaled(unsent, by),
              f"with steps lw 1.4 lc rgb '{BLUE}'", "written, not yet sent",
              "with steps lt 1")
    panel.add("unread", scaled(unread, by),
              f"with steps lw 1.4 lc rgb '{ORANGE}'",
              f"not yet read {reader}", "with steps lt 3")
    return panel


KINDS: Dict[str, Callable[..., List[Panel]]] = {
    "cwnd": lambda curves, peer, size: [cwnd_panel(curves)],
    "sequence": lambda curves, peer, size: [sequence_panel(curves, peer)],
    "rtt": lambda curves, peer, size: [rtt_panel(curves)],
    "throughput": lambda curves, peer, size: [
        throughput_panel(curves, size), queue_panel(curves, peer)],
}


def panels(kind: str, curves: Curves, peer: Optional[Connection],
           size: Optional[float]) -> List[Panel]:
    """The panels of a kind; "all" has each that this connection fills."""
    if kind != "all":
        return KINDS[kind](curves, peer, size)
    found: List[Panel] = []
    for make in KINDS.values():
        try:
            found += make(curves, peer, size)
        except TraceError:
            continue
    return found
