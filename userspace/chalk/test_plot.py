# SPDX-License-Identifier: GPL-2.0
"""test_plot.py - the points, panels and pictures of a known trace."""

import os
import re
import sys
import tempfile
import unittest
from xml.etree import ElementTree

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

import test_fixture as fixture  # noqa: E402
from chalk_curves import (AFTER_RTO, AVOIDANCE, RECOVERY,  # noqa: E402
                          SLOW_START, Curves, Unwrapped, thinned)
from chalk_panels import panels  # noqa: E402
from chalk_sequence import Sequence, Stroke  # noqa: E402
from chalk_base import TraceError  # noqa: E402
from test_fixture import CLIENT_ISN, MSS, SERVER, chalk  # noqa: E402

sys.path.pop(0)


def curves(script=None, conn=1, begin=None, until=None):
    trace = (script or fixture.transfer()).trace()
    return Curves(trace.pick(conn=conn), begin, until)


def sequence(script=None, **window):
    trace = (script or fixture.transfer()).trace()
    end = trace.pick(conn=1)
    return Sequence(Curves(end, **window), trace.peer(end))


class CurvesTest(unittest.TestCase):
    def test_unwrapped__goes_on_past_the_wrap_and_takes_steps_back(self):
        count = Unwrapped(0xfffffff0)
        self.assertEqual([count(n % (1 << 32)) for n in (
            0xfffffff0, 0xffffffff, 0x10, 0xfffffff8, 0x80000000)],
            [0, 15, 32, 8, 0x80000010])

    def test_thinned__keeps_the_extremes(self):
        points = [(i / 1000, (i * 37) % 100) for i in range(1000)]
        kept = thinned(points, 0.1)
        self.assertLessEqual(len(kept), 44)
        self.assertTrue({points[0], points[-1]} <= set(kept))
        for value in (0, 99):
            self.assertIn(value, [y for _, y in kept])

    def test_steps__only_changes_from_edge_to_edge(self):
        data = curves()
        found = [(round(x, 6), y) for x, y in data.steps(lambda r: r.cwnd)]
        self.assertEqual(found, [
            (0, 10000), (.146, 5000), (.146, 8000), (.146, 10000),
            (.186, 5000), (.186, 10000), (round(data.span, 6), 10000)])

    def test_deflated__is_ssthresh_during_fast_recovery(self):
        script = fixture.Script()
        script.open()
        third = {"cause": "third duplicate ACK", "ssthresh": 5000}
        script.add(.1, False, "cwnd", cwnd=10000, ssthresh=9000)
        script.add(.2, False, "cwnd", cwnd=8000, **third)
        script.add(.3, False, "cwnd", cause="duplicate ACK in recovery",
                   cwnd=9000, ssthresh=5000)
        script.add(.4, False, "cwnd", cause="recovery done", cwnd=4000,
                   ssthresh=5000)
        script.segment(.5, False, "A", seq=1, ack=1, cwnd=4000)
        found = curves(script).deflated()
        self.assertEqual([y for _, y in found if y != found[0][1]][:2],
                         [5000, 4000])
        self.assertNotIn(9000, [y for _, y in found])

    def test_phase__of_tahoe_is_slow_start_after_a_loss(self):
        script = fixture.Script()
        script.open()
        script.add(.2, False, "cwnd", cause="third duplicate ACK", cwnd=1000,
                   ssthresh=5000)
        script.segment(.3, False, "A", seq=1, ack=1, cwnd=1000, ssthresh=5000)
        self.assertNotIn("fast recovery",
                         [p.name for p in curves(script).phases()])

    def test_shut__from_the_window_0_to_the_next(self):
        script = fixture.Script()
        script.open()
        script.segment(.1, False, "A", seq=1, ack=1, snd_wnd=5000)
        script.segment(.2, False, "A", seq=1, ack=1, snd_wnd=0)
        script.segment(.6, False, "A", seq=1, ack=1, snd_wnd=3000)
        script.segment(.7, False, "A", seq=1, ack=1, snd_wnd=3000)
        self.assertEqual([(round(s.begin, 6), round(s.end, 6))
                          for s in curves(script).shut()], [(.2, .6)])

    def test_zoom__brings_the_value_along(self):
        script = fixture.Script()
        script.open()
        script.add(.1, False, "cwnd", cwnd=5000)
        script.segment(.9, False, "A", seq=1, ack=1, len=10, cwnd=7000)
        found = curves(script, begin=.5, until=.8).steps(lambda r: r.cwnd)
        self.assertEqual(found, [(.5, 5000), (.8, 5000)])

    def test_zoom__outside_is_refused(self):
        with self.assertRaisesRegex(TraceError, "lasts 1.07 s"):
            curves(begin=5)
        with self.assertRaisesRegex(TraceError, "nothing between 2 s and 1 s"):
            curves(begin=2, until=1)

    def test_phases__after_a_timeout_until_all_is_acknowledged(self):
        script = fixture.Script()
        script.open()
        high = 10_000
        for time, event, una, fields in (
                (.1, "cwnd", 1, {"cause": "slow start", "cwnd": 2000}),
                (.3, "ssthresh", 1, {"cause": "retransmission timeout",
                                     "cwnd": 2000, "ssthresh": 4000}),
                (.3, "cwnd", 1, {"cause": "retransmission timeout",
                                 "cwnd": 1000, "ssthresh": 4000}),
                (.4, "cwnd", 5000, {"cause": "slow start", "cwnd": 5000,
                                    "ssthresh": 4000}),
                (.5, "cwnd", high, {"cause": "slow start", "cwnd": 3000,
                                    "ssthresh": 4000}),
                (.6, "cwnd", high, {"cause": "slow start", "cwnd": 4000,
                                    "ssthresh": 4000})):
            script.add(time, False, event, snd_nxt=CLIENT_ISN + high, **fields)
            script.segment(time, True, "A", lost=True, seq=1, ack=1)
            script.add(time, False, "recv", flags="A", seq=1,
                       ack=CLIENT_ISN + una, snd_nxt=CLIENT_ISN + high,
                       **{k: v for k, v in fields.items() if k != "cause"})
        # the acknowledgement comes before the change that it brings
        script.rows.sort(key=lambda r: (float(r["time"]), r["event"] != "recv"))
        script.segment(.8, False, "A", seq=high, ack=1, cwnd=4000,
                       ssthresh=4000)
        found = [(p.name, round(p.begin, 3)) for p in curves(script).phases()]
        self.assertEqual(found, [(SLOW_START, 0), (AFTER_RTO, .3),
                                 (SLOW_START, .5), (AVOIDANCE, .6)])

    def test_phases__fast_recovery(self):
        found = [(p.name, round(p.begin, 3)) for p in curves().phases()]
        self.assertEqual(found[:2], [(SLOW_START, 0), (RECOVERY, .146)])
        self.assertEqual(found[2][1], .186)

    def test_states__follow_one_another(self):
        states = curves().states()
        self.assertEqual([s.name for s in states][:2],
                         ["SYN_SENT", "ESTABLISHED"])
        for before, after in zip(states, states[1:]):
            self.assertEqual(before.end, after.begin)


class ThroughputTest(unittest.TestCase):
    def total(self, samples, name):
        return sum(getattr(s, name) * (s.end - s.begin) for s in samples)

    def test_integral__is_the_bytes(self):
        for size in (.001, .01, .0137, .5, 10):
            samples = curves().throughput(size)
            self.assertAlmostEqual(self.total(samples, "acked"), 8 * MSS)
            self.assertAlmostEqual(self.total(samples, "sent"), 9 * MSS)

    def test_receiver__sends_nothing(self):
        samples = curves(conn=2).throughput(.1)
        self.assertEqual(self.total(samples, "sent"), 0)
        self.assertEqual(self.total(samples, "acked"), 0)

    def test_windows__fill_the_time(self):
        data = curves()
        samples = data.throughput(.3)
        self.assertEqual(samples[0].begin, 0)
        self.assertAlmostEqual(samples[-1].end, data.span)
        for before, after in zip(samples, samples[1:]):
            self.assertAlmostEqual(before.end, after.begin)

    def test_window__that_is_far_too_short_is_refused(self):
        with self.assertRaisesRegex(TraceError, "--window"):
            curves().throughput(1e-9)

    def test_zoom__counts_what_is_inside(self):
        samples = curves(begin=.1, until=.1035).throughput(1)
        # the segments of 0.100, 0.101, 0.102 and 0.103 s
        self.assertAlmostEqual(self.total(samples, "sent"), 4 * MSS)
        self.assertAlmostEqual(self.total(samples, "acked"), 0)

    def test_default_window__is_round_and_two_round_trips(self):
        self.assertAlmostEqual(curves().window(), .02)
        script = fixture.transfer()
        for row in script.rows:
            row["srtt"] = "40000"
        self.assertAlmostEqual(curves(script).window(), .1)


class SequenceTest(unittest.TestCase):
    def test_strokes__are_the_segments(self):
        drawn = sequence()
        self.assertEqual(len(drawn.first), 8)
        self.assertAlmostEqual(drawn.first[0].time, .1)
        self.assertEqual((drawn.first[0].low, drawn.first[-1].high),
                         (1, 1 + 8 * MSS))
        self.assertEqual([(s.low, s.high) for s in drawn.again],
                         [(1 + 3 * MSS, 1 + 4 * MSS)])

    def test_lost__is_known_with_both_ends(self):
        self.assertEqual([y for _, y in sequence().lost], [1 + 3.5 * MSS])
        script = fixture.transfer()
        script.rows = [row for row in script.rows if row["conn"] == "1"]
        self.assertEqual(sequence(script).lost, [])

    def test_acked__ends_at_the_last_byte(self):
        acked = sequence().acked
        self.assertEqual(acked[-1][1], 1 + 8 * MSS + 1)  # and the FIN
        heights = [y for _, y in acked]
        self.assertEqual(heights, sorted(heights))

    def test_edge__is_a_window_ahead(self):
        drawn = sequence()
        self.assertEqual([y for _, y in drawn.edge],
                         [y + 65535 for _, y in drawn.acked])

    def test_edge__does_not_step_back_between_two_records(self):
        script = fixture.transfer()
        for row in script.rows:
            row["snd_wnd"] = "65535"
        # the window of an ACK is taken before what it acknowledges
        script.add(.5, False, "recv", snd_wnd=65535)
        script.add(.5, False, "snd_wnd", snd_wnd=60000)
        script.add(.5, False, "cwnd", snd_wnd=65535)
        heights = [y for _, y in sequence(script).edge]
        self.assertEqual(heights, sorted(heights))

    def test_joined__covers_the_same_bytes(self):
        drawn = sequence(fixture.transfer(count=400, lost=30))
        crowd = [Stroke(.1 + i * 1e-7, 1 + i * 10, 11 + i * 10)
                 for i in range(100)]
        self.assertEqual(drawn.joined(crowd), [Stroke(.1, 1, 1001)])

    def test_wrap__does_not_break_the_curve(self):
        script = fixture.transfer()
        near = (1 << 32) - 4000
        for row in script.rows:
            for name in ("seq", "ack", "snd_una"):
                value = int(row[name])
                if CLIENT_ISN <= value <= CLIENT_ISN + 20000:
                    row[name] = str((value - CLIENT_ISN + near) % (1 << 32))
        text = script.text
        una = {"1": str(near)}

        def wrapped():
            lines = [line.split("\t") for line in text().splitlines()]
            at = {name: i for i, name in enumerate(lines[0])}
            for line in lines[1:]:
                if line[at["conn"]] == "1":
                    if line[at["event"]] == "recv" and line[at["ack"]] != "0":
                        una["1"] = line[at["ack"]]
                    line[at["snd_una"]] = una["1"]
            return "\n".join("\t".join(line) for line in lines)
        script.text = wrapped
        drawn = sequence(script)
        self.assertEqual(drawn.top(), 1 + 8 * MSS)
        self.assertEqual(drawn.acked[-1][1], 1 + 8 * MSS + 1)

    def test_receiver__is_told_to_name_the_sender(self):
        result = chalk("plot", "-", "--kind", "sequence", "--terminal",
                       "--conn", "2", stdin=fixture.transfer().text())
        self.assertEqual(result.returncode, 1)
        self.assertIn("--local " + fixture.CLIENT, result.stderr)


class RttTest(unittest.TestCase):
    def panel(self, **rto):
        script = fixture.transfer()
        for row in script.rows:
            row.update(srtt="40000", rttvar="5000", rto="240000")
        script.add(.15, False, "rtt_refused", srtt=40000, rttvar=5000,
                   rto=240000, cause="acknowledges a retransmission")
        if rto:
            script.add(.5, False, "rto", cause="timer backs off", srtt=40000,
                       rttvar=5000, **rto)
        trace = script.trace()
        found, = panels("rtt", Curves(trace.pick()), None, None)
        return found, {layer.name: layer.rows for layer in found.layers}

    def test_values__are_in_milliseconds(self):
        panel, rows = self.panel()
        self.assertEqual(panel.ylabel, "ms")
        self.assertEqual(rows["rtt_sample"], [(.186, 40.0)])
        self.assertEqual({y for _, y in rows["rtt_srtt"]}, {40.0})
        self.assertEqual({y for _, y in rows["rtt_rto"]}, {240.0})
        self.assertEqual({tuple(row[1:]) for row in rows["rtt_band"]},
                         {(20.0, 60.0)})
        self.assertEqual(rows["rtt_refused"], [(.15, 40.0)])

    def test_backoff__is_marked_and_may_need_a_log_scale(self):
        panel, rows = self.panel(new=480000, rto=480000)
        self.assertEqual(rows["rtt_backoff"], [(.5, 480.0)])
        self.assertFalse(panel.log)
        panel, _ = self.panel(new=64_000_000, rto=64_000_000)
        self.assertTrue(panel.log)
        self.assertEqual(panel.ylabel, "s")

    def test_never_measured__is_said(self):
        script = fixture.transfer()
        result = chalk("plot", "-", "--kind", "rtt", "--terminal",
                       stdin=script.text())
        self.assertEqual(result.returncode, 1)
        self.assertIn("no round trip was measured", result.stderr)


class CwndTest(unittest.TestCase):
    def plot(self, name, script=None, *args):
        with tempfile.TemporaryDirectory() as place:
            out = os.path.join(place, name)
            result = chalk("plot", "-", "--out", out, *args,
                           stdin=(script or fixture.transfer()).text())
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            with open(out, "rb") as stream:
                return stream.read()

    def block(self, script, name, *args):
        text = self.plot("x.gp", script, *args).decode()
        body = text.split(f"${name} << END\n")[1].split("\nEND")[0]
        return [tuple(map(float, line.split())) for line in body.splitlines()]

    def test_png_and_svg__are_pictures(self):
        self.assertTrue(self.plot("x.png").startswith(b"\x89PNG"))
        svg = self.plot("x.svg").decode()
        self.assertIn("<svg", svg)
        for word in ("cwnd", "ssthresh", "in flight", "retransmission"):
            self.assertIn(word, svg)

    def test_loss__is_marked_at_the_window_it_met(self):
        points = self.block(fixture.transfer(count=8, lost=3), "cwnd_third")
        self.assertEqual(points, [(0.146, float(f"{10000 / 1024:.6g}"))])

    def test_retransmission__is_marked(self):
        points = self.block(fixture.transfer(count=8, lost=3), "cwnd_rtx")
        self.assertEqual([x for x, _ in points], [0.146])

    def test_right_axis__is_in_segments(self):
        script = fixture.transfer()
        script.segment(.9, False, "A", seq=1, ack=1, mss=fixture.MSS)
        text = self.plot("x.gp", script).decode()
        left, right = (float(text.split(f"set {axis} [0:")[1].split("]")[0])
                       for axis in ("yrange", "y2range"))
        self.assertAlmostEqual(left * 1024 / right, fixture.MSS, 0)
        self.assertIn(f"segments of {fixture.MSS:,} bytes", text)

    def test_first_ssthresh__does_not_set_the_scale(self):
        text = self.plot("x.gp").decode()
        top = float(text.split("set yrange [0:")[1].split("]")[0])
        self.assertAlmostEqual(top, 1.15 * 10000 / 1024, 2)

    def test_short_peak__does_not_set_the_scale(self):
        script = fixture.transfer()
        script.add(.2, False, "cwnd", cause="slow start", cwnd=900 * 1024)
        script.add(.21, False, "cwnd", cause="slow start", cwnd=10000)
        text = self.plot("x.gp", script).decode()
        top = float(text.split("set yrange [0:")[1].split("]")[0])
        self.assertAlmostEqual(top, 1.8 * 10000 / 1024, 2)
        self.assertIn("cwnd up to 900 KiB", text)

    def test_time_wait__is_not_drawn(self):
        text = self.plot("x.gp").decode()
        span = float(text.split("set xrange [0.000000:")[1].split("]")[0])
        self.assertAlmostEqual(span, 1.07)

    def test_phases__are_shaded(self):
        text = self.plot("x.gp").decode()
        self.assertIn("from 0.000000, graph 0 to 0.146000, graph 1 behind "
                      "fillcolor rgb '#d9efd6'", text)
        self.assertIn("from 0.146000, graph 0 to 0.186000, graph 1 behind "
                      "fillcolor rgb '#fbdccc'", text)

    def test_title__may_hold_anything(self):
        title = 'a "b" \\n $c 100 %'
        self.assertIn(f"<text>{title}</text>",
                      self.plot("x.svg", None, "--title", title).decode())

    def test_wrong_name__is_refused(self):
        result = chalk("plot", "-", "--out", "x.jpg")
        self.assertEqual(result.returncode, 2)
        self.assertIn("must end in .png, .svg or .gp", result.stderr)

class PictureTest(unittest.TestCase):
    def run_plot(self, *args, script=None):
        with tempfile.TemporaryDirectory() as place:
            out = os.path.join(place, "x.svg")
            result = chalk("plot", "-", "--out", out, *args,
                           stdin=(script or fixture.transfer()).text())
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            return ElementTree.parse(out).getroot()

    def words(self, root):
        return {"".join(t.itertext()).strip()
                for t in root.iter("{http://www.w3.org/2000/svg}text")}

    def test_all__has_each_panel_that_the_trace_fills(self):
        words = self.words(self.run_plot("--kind", "all"))
        for word in ("Congestion window", "Sequence numbers", "Throughput",
                     "Queues", "sent again", "lost on the way", "cwnd"):
            self.assertIn(word, words)
        self.assertNotIn("Round trips", words)

    def test_states__stand_above(self):
        words = self.words(self.run_plot())
        self.assertIn("not ESTABLISHED", words)
        self.assertTrue(any(word.startswith("SYN_SENT") for word in words))

    def test_gaps__are_said(self):
        result = chalk("plot", "-", "--terminal",
                       stdin=fixture.transfer().text() + "# lost 7\n")
        self.assertIn("lacks 7 records", result.stdout)

    def test_terminal__is_text_of_its_width(self):
        os.environ.update(COLUMNS="90", LINES="30")
        try:
            result = chalk("plot", "-", "--terminal",
                           stdin=fixture.transfer().text())
        finally:
            del os.environ["COLUMNS"], os.environ["LINES"]
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        lines = result.stdout.splitlines()
        self.assertLessEqual(max(map(len, lines)), 89)
        self.assertLessEqual(len(lines), 28)
        self.assertIn("cwnd", result.stdout)
        self.assertRegex(result.stdout, r"\*{8}")

    def test_nowhere__asks_for_a_place(self):
        result = chalk("plot", "-", stdin=fixture.transfer().text())
        self.assertEqual(result.returncode, 2)
        self.assertIn("--terminal", result.stderr)

    def test_place__that_is_not_there(self):
        for name in ("x.gp", "x.png"):
            result = chalk("plot", "-", "--out", f"/nonexistent/{name}",
                           stdin=fixture.transfer().text())
            self.assertEqual(result.returncode, 1)
            self.assertRegex(result.stderr, "^chalk plot: .*nonexistent")

    def test_numbers__are_refused_if_senseless(self):
        for args in (("--window", "0"), ("--from", "-1"), ("--to", "x")):
            result = chalk("plot", "-", "--terminal", *args,
                           stdin=fixture.transfer().text())
            self.assertEqual(result.returncode, 2, args)
            self.assertIn(args[0], result.stderr)

    def test_other_end__is_drawn_when_named(self):
        words = self.words(self.run_plot("--local", SERVER))
        self.assertTrue(any(re.match(SERVER, word) for word in words))


if __name__ == "__main__":
    unittest.main()
