# SPDX-License-Identifier: GPL-2.0
"""test_linear.py - twice the trace is twice the work, not four times.

Work is counted, in steps of the interpreter, so that a busy machine changes
nothing. What is of one kind, such as duplicate ACKs or connections between the
same hosts, is what makes a search long.
"""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
from typing import Callable

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

import chalk_capture  # noqa: E402
import chalk_forms  # noqa: E402
import chalk_gnuplot  # noqa: E402
import chalk_pair  # noqa: E402
import chalk_pcapng  # noqa: E402
import chalk_report  # noqa: E402
import test_fixture as fixture  # noqa: E402
from chalk_curves import Curves  # noqa: E402
from chalk_figures import figures  # noqa: E402
from chalk_ladder import Ladder, choose  # noqa: E402
from chalk_ladder_svg import ladder_svg  # noqa: E402
from chalk_ladder_text import ladder_text  # noqa: E402
from chalk_panels import panels  # noqa: E402
from chalk_trace import Trace  # noqa: E402

sys.path.pop(0)
PARTS = os.path.join(HERE, "..", "report")
N = 150
# Twice as many may cost so much: sorting and the beginning count, too.
ROOM = 2.6


def work(call: Callable[[], object]) -> int:
    """How many steps of the interpreter it takes."""
    count = 0

    def step(frame, event, _arg):
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def alike(count: int) -> Trace:
    """One end says the same again and again, and half of that is lost."""
    script = fixture.Script()
    script.open()
    for number in range(count):
        script.segment(.1 + number / 1000, True, "A", number % 2, seq=1, ack=1)
        script.segment(.1 + number / 1000, False, "PA", number % 2, seq=1,
                       ack=1, len=9, event="rtx" if number else "send",
                       cause="third duplicate ACK")
    return script.trace()


def crowd(count: int) -> Trace:
    """Many connections, all of them between the same two endpoints."""
    script = fixture.Script()
    for number in range(count):
        begin = len(script.rows)
        script.segment(number, False, "S")
        script.segment(number + .1, True, "SA", ack=1)
        for row in script.rows[begin:]:
            row["conn"] = str(int(row["conn"]) + 2 * number)
    return script.trace()


def both_ends(trace: Trace) -> Ladder:
    return Ladder(trace, *trace.ends(trace.pick()))


USES = {
    "summary": lambda trace: [figures(trace, end) for end
                              in trace.connections.values()],
    "ladder": lambda trace: list(ladder_text(
        both_ends(trace), choose(both_ends(trace)))),
    "svg": lambda trace: ladder_svg(both_ends(trace),
                                    choose(both_ends(trace))),
    "plot": lambda trace: [chalk_gnuplot.block(layer) for panel in panels(
        "all", Curves(trace.pick()), trace.peer(trace.pick()), None)
        for layer in panel.layers],
    "report": lambda trace: chalk_report.Report(
        trace, "x", chalk_report.pairs(trace), {}).data(1 << 20),
}


class PythonTest(unittest.TestCase):
    """The tools but for the page."""

    def is_linear(self, make: Callable[[int], object],
                  use: Callable[[object], object], name: str) -> None:
        """Twice as much is twice as much work."""
        once, twice = (work(lambda i=i: use(i)) for i in (make(N), make(2 * N)))
        self.assertGreater(once, N, name)
        self.assertLess(twice / once, ROOM, name)

    def test_what_is_alike(self):
        for name, use in USES.items():
            self.is_linear(alike, use, name)

    def test_many_connections(self):
        for name in ("summary", "report"):
            self.is_linear(crowd, USES[name], name)

    def test_reading_and_writing(self):
        def text(count: int) -> str:
            return fixture.transfer(count).text()

        def through(form) -> Callable[[str], object]:
            def use(lines: str) -> None:
                out = form(io.BytesIO() if form is chalk_pcapng.Pcapng
                           else io.StringIO())
                for found in chalk_forms.Reader("x").text(lines.splitlines()):
                    out.put(chalk_forms.as_item(found))
                out.close()
            return use
        for form in (chalk_forms.Text, chalk_forms.Json, chalk_pcapng.Pcapng):
            self.is_linear(text, through(form), form.__name__)

    def test_place_of_a_capture(self):
        def hosts(count: int):
            """As many hosts as segments"""
            trace = fixture.transfer(count).trace()
            records = [r for r in trace.records if r.event == "send"]
            segments = []
            for number, record in enumerate(records):
                record.local = f"10.{number >> 8}.{number & 255}.1:9"
                segments.append(chalk_capture.Segment(
                    round(record.time * 10 ** 9), record.local, record.remote,
                    record.flags, record.seq, record.ack, record.len, 0))
            return segments, records
        self.is_linear(hosts, lambda i: chalk_pair.place(*i), "place")


# The page's model with a connection of which nothing but losses is known: how
# often it looks at a record to find them all.
SCRIPT = """
const n = %d;
let looks = 0;
class Counted extends modules.data.Conn {
	event(i) { looks++; return super.event(i); }
}
const rows = [];
for (let i = 0; i < 2 * n; i++) {
	const row = Object.fromEntries(names.map((name) => [name, 0]));
	rows.push({ ...row, time: i, event: i %% 2, seq: 1 + 100 * i, len: 100 });
}
const conn = new Counted({ columns: names, events: ["send", "rtx"], causes: [["third duplicate ACK", "-"]],
	states: ["ESTABLISHED"], flags: ["A"], names: {} },
	{ ends: [{ isn: 0, traced: true }, { isn: 0, traced: true }], rows: 0, left_out: 0 },
	new Uint8Array());
conn.rows = rows.length;
for (const name of names)
	conn.col[name] = Float64Array.from(rows, (row) => row[name]);
conn.time = conn.col.time;
conn.own = [rows.map((_, i) => i), []];
conn.prev = Int32Array.from(rows, (_, i) => i - 1);
looks = 0;
const first = modules.model.losses(conn, 0).length;
modules.model.reactions(conn, 0);
const once = looks;
modules.model.losses(conn, 0);
modules.model.reactions(conn, 0);
console.log(JSON.stringify({ first, once, again: looks - once }));
"""


class PageTest(unittest.TestCase):
    """What the page finds out by itself."""

    def found(self, count: int) -> dict:
        """The script's answer for so many losses."""
        parts = ["const modules = {};"]
        for name in ("data", "model"):
            with open(os.path.join(PARTS, f"{name}.js"),
                      encoding="utf-8") as file:
                text = file.read()
            known = re.findall(r"(?m)^export (?:async )?\w+ (\w+)", text)
            text = re.sub(r'(?m)^import (\{.*?\}) from "./(\w+).js";',
                          r"const \1 = modules.\2;", text)
            parts.append(f"modules.{name} = (() => {{ "
                         f"{re.sub('(?m)^export ', '', text)}\n"
                         f"return {{ {', '.join(known)} }}; }})();")
        names = json.dumps(chalk_report.PACKED)
        script = "\n".join([*parts, f"const names = {names};", SCRIPT % count])
        done = subprocess.run(["node", "-"], input=script, text=True,
                              capture_output=True, check=False)
        self.assertEqual(done.stderr, "")
        return json.loads(done.stdout)

    @unittest.skipUnless(shutil.which("node"), "no node; run: selftests/setup")
    def test_losses_that_nobody_repairs(self):
        few, many = self.found(500), self.found(1000)
        self.assertEqual((few["first"], many["first"]), (1000, 2000))
        self.assertLess(many["once"] / few["once"], 2.1)
        self.assertEqual(many["again"], 0)


if __name__ == "__main__":
    unittest.main()
