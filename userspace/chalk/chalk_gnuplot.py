# SPDX-License-Identifier: GPL-2.0
"""chalk_gnuplot.py - panels as a gnuplot script, and gnuplot run on it.

Owns the page: size, margins, axes, legend, for pictures and for terminals.
"""

import os
import shutil
import subprocess
import sys
from typing import Iterable, List, Optional, Tuple

from chalk_curves import Stretch
from chalk_panels import SHADES, STATE_SHADES, Layer, Panel
from chalk_base import TraceError, excerpt, printable
from chalk_out import write

WIDTH, ONE, MORE = 1200, 700, 300
TITLE, HEADING, FOOT = 36, 40, 50
LETTER = 0.0085
STRIP = 0.045
PICTURES = {
    ".png": 'pngcairo size {},{} font "DejaVu Sans,11" linewidth 1.2',
    ".svg": 'svg size {},{} font "DejaVu Sans,Arial,sans-serif,14" '
            'linewidth 1.2 background "white"',
}


class Page:
    """What is above and beside all panels."""

    def __init__(self, title: str, begin: float, until: float,
                 xlabel: str = "seconds since the first segment"):
        self.title = title
        self.begin = begin
        self.until = until
        self.xlabel = xlabel


def quoted(text: str) -> str:
    """A string of gnuplot, between single quotes: nothing in it is a command."""
    if printable(text) != text:
        raise TraceError(f"a picture takes no such text: {excerpt(text)}")
    return "'" + text.replace("'", "''") + "'"


def block(layer: Layer) -> str:
    """A layer's points as a named block of data."""
    lines = [" ".join([f"{row[0]:.6f}"] + [f"{v:.6g}" for v in row[1:]])
             for row in layer.rows]
    return "\n".join([f"${layer.name} << END"] + lines + ["END"])


def shading(panel: Panel) -> List[str]:
    return [f"set object rectangle from {begin:.6f}, graph 0 to {end:.6f}, "
            f"graph 1 behind fillcolor rgb '{SHADES[phase]}' "
            "fillstyle solid noborder"
            for phase, begin, end in panel.shades]


def state_strip(panel: Panel, page: Page) -> List[str]:
    """The states other than ESTABLISHED, as a strip above the diagram."""
    lines = [f"set object rectangle from {begin:.6f}, graph 1 to {end:.6f}, "
             f"graph {1 + STRIP} noclip fillcolor rgb "
             f"'{STATE_SHADES[number % 2]}' fillstyle solid noborder"
             for number, (_, begin, end) in enumerate(panel.states)]
    groups: List[List[Stretch]] = []
    for stretch in panel.states:
        if groups and groups[-1][-1].end == stretch.begin:
            groups[-1].append(stretch)
        else:
            groups.append([stretch])
    for group in groups:
        lines += state_names(group, page)
    return lines


def state_names(group: List[Stretch], page: Page) -> List[str]:
    """Names in the strip where there is room, or else all of them beside."""
    letter = LETTER * (page.until - page.begin)
    inside = [s for s in group if s.end - s.begin > letter * len(s.name)]
    found = [(s.name, (s.begin + s.end) / 2, "center") for s in inside]
    if not inside:
        words = ", ".join(s.name for s in group)
        late = group[0].begin - page.begin > letter * len(words)
        found = [(words, group[0].begin, "right offset -0.5,0") if late
                 else (words, group[-1].end, "left offset 0.5,0")]
    return [f"set label {quoted(words)} at {x:.6f}, graph {1 + STRIP / 2} "
            f"{side} front font ',9' noenhanced" for words, x, side in found]


def labels(panel: Panel, page: Page) -> List[str]:
    lines = []
    for time, height, text, colour in panel.labels:
        early = time < (page.begin + page.until) / 2
        side, offset = ("left", 1.2) if early else ("right", -1.2)
        where = "graph 0.975" if height is None else f"{height:.6g}"
        lines.append(f"set label {quoted(text)} at {time:.6f}, {where} {side} "
                     f"offset {offset},0.5 textcolor rgb '{colour}' font ',10' "
                     "front noenhanced")
    return lines


def axes(panel: Panel, page: Page) -> List[str]:
    lines = [f"set xrange [{page.begin:.6f}:{page.until:.6f}]",
             f"set yrange [{panel.bottom:.6g}:{panel.top:.6g}]",
             f"set ylabel {quoted(panel.ylabel)} noenhanced"]
    return lines + (["set logscale y"] if panel.log else ["unset logscale"])


def right_axis(panel: Panel) -> List[str]:
    """The same scale in another unit."""
    if not panel.second:
        return ["unset y2tics", "unset y2label", "set border 3"]
    one, name = panel.second
    return [f"set y2range [{panel.bottom / one:.6g}:{panel.top / one:.6g}]",
            "set y2tics", f"set y2label {quoted(name)} noenhanced "
            "offset -1,0", "set border 11"]


def drawn(panel: Panel) -> List[str]:
    """What the plot command lists: curves, then the keys of the shades."""
    plots = [f"${layer.name} using {layer.using} {layer.style} "
             f"title {quoted(layer.title)} noenhanced"
             for layer in panel.layers]
    keys = [(name, colour) for name, colour in SHADES.items()
            if any(s.name == name for s in panel.shades)]
    if panel.states:
        keys.append(("not ESTABLISHED", STATE_SHADES[0]))
    return plots + [
        f"keyentry with boxes fillstyle solid 1 border lc rgb '#999999' "
        f"fillcolor rgb '{colour}' title {quoted(name)} noenhanced"
        for name, colour in keys]


def settings(terminal: str, out: Optional[str]) -> List[str]:
    return [
        "set encoding utf8",
        f"set terminal {terminal}",
        *([f"set output {quoted(out)}"] if out else []),
        "set tics out nomirror",
        "set border 3 lc rgb '#444444'",
        "set grid xtics ytics lt 1 lc rgb '#e2e2e2' lw 0.8",
    ]


def plot(panel: Panel) -> List[str]:
    return ["plot " + ", \\\n     ".join(drawn(panel))]


def single(panel: Panel, page: Page) -> List[str]:
    """One panel, its legend below it."""
    return [
        f"set title {quoted(page.title)} noenhanced font ',14' offset 0,0.8",
        f"set xlabel {quoted(page.xlabel)} offset 0,0.3",
        "set key bmargin center vertical maxrows 3 Left reverse "
        "samplen 2.5 spacing 1.3",
        "set lmargin 11", f"set rmargin {10 if panel.second else 3}",
        "set tmargin 4", *axes(panel, page), *right_axis(panel),
        *shading(panel), *state_strip(panel, page), *labels(panel, page),
        *plot(panel)]


def multiple(panels: List[Panel], page: Page, height: int) -> List[str]:
    """Panels under one another with the same axis of time."""
    lines = [f"set multiplot title {quoted(page.title)} noenhanced "
             "font ',14'",
             "set lmargin at screen 0.075", "set rmargin at screen 0.74"]
    total = sum(p.weight for p in panels)
    top = height - TITLE
    for panel in panels:
        room = (height - TITLE - FOOT) * panel.weight / total
        upper, lower = (top - HEADING) / height, (top - room + 20) / height
        last = panel is panels[-1]
        lines += [
            f"set tmargin at screen {upper:.4f}",
            f"set bmargin at screen {lower:.4f}",
            f"set key at screen 0.81, screen {(upper + lower) / 2:.4f} left "
            "center vertical Left reverse samplen 2 spacing 1.2 font ',9'",
            "unset object", "unset label",
            f"set label 1000 {quoted(panel.heading)} at graph 0, graph 1.0 "
            "left offset 0,1.2 font ',11' noenhanced",
            f"set xlabel {quoted(page.xlabel) if last else quoted('')}",
            f"set format x {quoted('%g' if last else '')}",
            *axes(panel, page), *right_axis(panel), *shading(panel),
            *state_strip(panel, page), *labels(panel, page), *plot(panel)]
        top -= room
    return lines + ["unset multiplot"]


def script(panels: List[Panel], page: Page, kind: str,
           out: Optional[str] = None) -> str:
    """The whole gnuplot script of a picture; kind is .png or .svg.

    Without a file to write to, gnuplot prints the picture.
    """
    height = ONE if len(panels) == 1 else TITLE + FOOT + MORE * len(panels)
    terminal = PICTURES[kind].format(WIDTH, height)
    blocks = [block(layer) for panel in panels for layer in panel.layers]
    body = (single(panels[0], page) if len(panels) == 1
            else multiple(panels, page, height))
    return "\n".join(blocks + settings(terminal, out) + body) + "\n"


def terminal_size() -> Tuple[int, int]:
    size = shutil.get_terminal_size((100, 30))
    return max(size.columns - 1, 40), max(size.lines - 2, 12)


def terminal_script(panels: List[Panel], page: Page, colours: bool) -> str:
    """The same panels for a terminal of characters, one under another."""
    columns, rows = terminal_size()
    look = "ansi" if colours else "mono"
    lines = ["set encoding utf8",
             f"set terminal dumb size {columns},{rows} {look} enhanced",
             "set tics nomirror", "set border 3",
             "set key tmargin center horizontal samplen 1"]
    for number, panel in enumerate(panels):
        shown = [layer for layer in panel.layers if layer.plain]
        lines += [block(layer) for layer in shown]
        lines += axes(panel, page)
        lines.append(f"set title {quoted(page.title if not number else '')} "
                     "noenhanced")
        lines.append(f"set xlabel {quoted(page.xlabel)}")
        lines.append("plot " + ", ".join(
            f"${layer.name} using 1:2 {layer.plain} "
            f"title {quoted(layer.title)} noenhanced" for layer in shown))
    return "\n".join(lines) + "\n"


def run_gnuplot(text: str) -> bytes:
    """Run gnuplot on a script; what it printed."""
    try:
        result = subprocess.run(["gnuplot"], input=text.encode("utf-8"),
                                capture_output=True, check=False)
    except FileNotFoundError:
        raise TraceError("gnuplot is missing; run: apt-get install "
                         "gnuplot-nox") from None
    if result.returncode:
        lines = result.stderr.decode("utf-8", "replace").split("\n")
        raise TraceError("gnuplot failed: " + "; ".join(filter(None, lines)))
    return result.stdout


def wrong_name(out: str) -> str:
    """What is wrong with a name of a picture; nothing if it is right."""
    if os.path.splitext(out)[1] in (".gp", *PICTURES):
        return ""
    return f"{out}: the name must end in .png, .svg or .gp"


def draw(panels: List[Panel], page: Page, out: str,
         sources: Iterable[str]) -> None:
    """Write the picture, or its script if the name ends in .gp."""
    base, kind = os.path.splitext(out)
    if kind == ".gp":
        write(out, script(panels, page, ".png", base + ".png"), sources)
    else:
        write(out, run_gnuplot(script(panels, page, kind)), sources)


def draw_in_terminal(panels: List[Panel], page: Page) -> None:
    """Print the picture in characters, in colour where that is shown."""
    colours = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    text = run_gnuplot(terminal_script(panels, page, colours)).decode(
        "utf-8", "replace")
    print("\n".join(line.rstrip() for line in text.splitlines()
                    if line.strip(" \f")))
