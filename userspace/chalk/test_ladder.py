# SPDX-License-Identifier: GPL-2.0
"""test_ladder.py - the ladder of a known trace, as text and as SVG."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from xml.etree import ElementTree

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

import test_fixture as fixture  # noqa: E402
from chalk_ladder import Ladder, choose  # noqa: E402
from chalk_ladder_layout import (EVEN, LEFT, RIGHT, ROW, SCALE,  # noqa: E402
                                 Layout)
from chalk_ladder_svg import ladder_svg  # noqa: E402
from test_fixture import chalk  # noqa: E402

sys.path.pop(0)
SVG = "{http://www.w3.org/2000/svg}"


class LadderTest(unittest.TestCase):
    def ladder(self, *args, script=None):
        text = (script or fixture.transfer()).text()
        result = chalk("ladder", "-", *args, stdin=text)
        self.assertEqual(result.stderr, "")
        self.assertEqual(result.returncode, 0)
        return result.stdout.splitlines()

    def test_handshake__three_segments_with_the_states(self):
        lines = self.ladder("--handshake", "--ascii")
        self.assertRegex(lines[2], r"^ +0.0000  SYN_SENT +--- SYN seq=0 -+> "
                                   r"SYN_RCVD +0.0200$")
        self.assertRegex(lines[3], r"^ +0.0400  ESTABLISHED <-+ SYN\+ACK seq=0"
                                   r" ack=1 -+ \| +0.0200$")
        self.assertRegex(lines[4], r"^ +0.0400  \| +--- ACK seq=1 ack=1 -+> "
                                   r"ESTABLISHED +0.0600$")
        self.assertRegex(lines[5], r": +21 more segments +:")
        self.assertEqual(len(lines), 6)

    def test_teardown__four_segments_and_the_end_of_time_wait(self):
        lines = self.ladder("--teardown", "--ascii")
        states = ["FIN_WAIT_1 .*CLOSE_WAIT", r"FIN_WAIT_2 .*\|",
                  "TIME_WAIT .*LAST_ACK", r"\| .*CLOSED",
                  "61.0700  CLOSED .*TIME_WAIT of 2 MSL"]
        for line, pattern in zip(lines[3:], states):
            self.assertRegex(line, pattern)
        self.assertEqual(len(lines), 3 + len(states))

    def test_ipv6__same_diagram_under_longer_names(self):
        text = fixture.transfer().text()
        client, server = "[2001:db8:1::1]:40000", "[2001:db8:2::1]:7000"
        longer = text.replace(fixture.CLIENT, client).replace(fixture.SERVER,
                                                              server)
        result = chalk("ladder", "-", stdin=longer)
        self.assertEqual(result.stderr, "")
        heading, *lines = result.stdout.splitlines()
        self.assertIn(client, heading)
        self.assertIn(server, heading)
        shorter = chalk("ladder", "-", stdin=text).stdout.splitlines()
        self.assertEqual(lines, shorter[1:])
        result = chalk("summary", "-", "--local", client, stdin=longer)
        self.assertTrue(result.stdout.startswith(f"{client} -> {server} "))

    def test_handshake__goes_on_until_the_server_has_the_ack(self):
        script = fixture.Script()
        script.open()
        script.rows = [row for row in script.rows
                       if row["conn"] == "1" or float(row["time"]) < .05]
        script.segment(.5, False, "A", seq=1, ack=1, len=9)
        lines = self.ladder("--handshake", script=script)
        self.assertIn("✗ lost", lines[4])
        self.assertIn("len=9", lines[5])
        self.assertEqual(len(lines), 6)

    def test_teardown__of_one_way_leaves_out_what_still_flows(self):
        script = fixture.Script()
        script.open()
        script.segment(.1, True, "FA", seq=1, ack=1,
                       states=("FIN_WAIT_1", "ESTABLISHED"))
        script.state(.12, False, "CLOSE_WAIT", "FIN arrives")
        script.segment(.12, False, "A", seq=1, ack=2)
        for number in range(5):
            script.segment(.2 + number / 100, False, "A", seq=1 + number,
                           ack=2, len=1)
        lines = self.ladder("--teardown", script=script)
        self.assertRegex(lines[3], "CLOSE_WAIT .*FIN.* FIN_WAIT_1")
        self.assertIn("ACK seq=1 ack=2 ─", lines[4])
        self.assertIn("5 more segments", lines[5])
        self.assertEqual(len(lines), 6)

    def test_teardown__shows_what_lets_an_early_fin_count(self):
        script = fixture.Script()
        script.open()
        script.segment(.1, False, "A", lost=True, seq=1, ack=1, len=9)
        script.segment(.1, False, "FA", seq=10, ack=1)
        script.segment(.2, False, "A", event="rtx", seq=1, ack=1, len=9)
        script.state(.22, True, "CLOSE_WAIT", "FIN arrives")
        lines = self.ladder("--teardown", script=script)
        self.assertRegex(lines[-1], "again.*CLOSE_WAIT")

    def test_loss__from_the_loss_to_its_repair(self):
        lines = self.ladder("--loss", "1")
        lost = next(i for i, line in enumerate(lines) if "✗ lost" in line)
        self.assertIn("again: third duplicate ACK", lines[-3])
        self.assertIn("ACK seq=1 ack=8001", lines[-2])
        self.assertIn("more segments", lines[-1])
        self.assertEqual(lost, 2 + 1 + 2)
        text = fixture.transfer().text()
        result = chalk("ladder", "-", "--loss", "2", stdin=text)
        self.assertEqual(result.returncode, 1)
        self.assertIn("no such segments", result.stderr)

    def test_long_repair__is_told_by_what_has_a_part_in_it(self):
        script = fixture.transfer(count=60, lost=10)
        lines = self.ladder("--loss", "1", script=script)
        told = [line for line in lines if "seq=" in line]
        self.assertLess(len(told), 16)
        self.assertEqual(sum("✗ lost" in line for line in told), 1)
        self.assertEqual(sum("again: third" in line for line in told), 1)
        # the ACK of what came before the loss, and three of its like
        self.assertEqual(sum("ack=10001 " in line for line in told), 4)
        self.assertIn("ack=60001", told[-1])
        whole = self.ladder("--loss", "1", "--all", script=script)
        told = [line for line in whole if "seq=" in line]
        self.assertGreater(len(told), 100)
        self.assertIn("ack=60001", told[-1])

    def closed_window(self):
        """The receiver's window shuts, is probed, and opens."""
        script = fixture.Script()
        script.open()
        script.segment(.1, False, "A", seq=1, ack=1, len=9, wnd=700,
                       snd_wnd=9)
        for time, window, cause in ((.12, 0, "data"), (.32, 0, "duplicate"),
                                    (.52, 0, "duplicate"),
                                    (.7, 5000, "window update")):
            script.segment(time, True, "A", seq=1, ack=10, wnd=window,
                           cause=cause)
        for time, event in ((.3, "send"), (.5, "rtx")):
            script.segment(time, False, "A", seq=10, ack=1, len=1, wnd=700,
                           event=event, cause="zero-window probe", snd_wnd=0)
        script.segment(.72, False, "A", seq=10, ack=1, len=900, wnd=700,
                       event="rtx", cause="zero-window probe", snd_wnd=5000)
        return script

    def test_window__is_told_where_it_is_the_matter(self):
        lines = [line for line in self.ladder(script=self.closed_window())
                 if "seq=" in line][3:]
        for line, pattern in zip(lines, (
                r"seq=1 ack=1 len=9 ─", r"ack=10 win=0 ─",
                r"seq=10 ack=1 len=1 \(zero-window probe\)", "ack=10 win=0 ─",
                r"len=1 \(again: zero-window probe\)", "ack=10 win=0 ─",
                r"ack=10 win=5000 \(window update\)",
                r"len=900 \(again\) ─")):
            self.assertRegex(line, pattern)
        self.assertEqual(len(lines), 8)

    def test_windows__of_each_segment_if_asked_for(self):
        script = self.closed_window()
        for line in self.ladder("--windows", script=script):
            self.assertEqual("seq=" in line, "win=" in line)
        lines = self.ladder(script=fixture.transfer())
        self.assertFalse([line for line in lines if "win=" in line])

    def test_picture__that_nobody_can_look_at(self):
        script = fixture.transfer(count=600, lost=3)
        with tempfile.TemporaryDirectory() as place:
            out = os.path.join(place, "x.svg")
            result = chalk("ladder", "-", "--out", out, stdin=script.text())
            self.assertEqual(result.returncode, 1)
            self.assertRegex(result.stderr, r"1,2\d\d segments .* say --all")
            self.assertFalse(os.path.exists(out))
            for choice in ("--all", "--loss=1"):
                result = chalk("ladder", "-", "--out", out, choice,
                               stdin=script.text())
                self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_lost__ends_in_a_cross(self):
        lost = [line for line in self.ladder() if "✗ lost" in line]
        self.assertEqual(len(lost), 1)
        self.assertIn("seq=3001 ", lost[0])

    def test_retransmission__says_why(self):
        again = [line for line in self.ladder() if "again" in line]
        self.assertEqual(len(again), 1)
        self.assertIn("seq=3001 ack=1 len=1000 (again: third duplicate ACK)",
                      again[0])

    def dropped(self, **drop):
        """A trace whose last segment is dropped on arrival."""
        script = fixture.Script()
        script.open()
        script.segment(.1, False, "A", "recv" not in drop, seq=1, ack=1,
                       len=10)
        drop.pop("recv", None)
        script.add(.12, True, "drop", flags="A", len=10,
                   seq=fixture.CLIENT_ISN + 1,
                   ack=(fixture.SERVER_ISN + 1) % (1 << 32), **drop)
        return self.ladder(script=script)

    def test_drop__before_the_connection_is_known(self):
        lines = self.dropped(conn=0, state="CLOSED", cause="bad_checksum")
        self.assertEqual(len(lines), 2 + 4)
        self.assertRegex(lines[-1], r"✗ dropped: bad_checksum +│ +0.1200$")

    def test_drop__by_the_connection_hides_its_arrival(self):
        lines = self.dropped(recv=True, cause="old_duplicate")
        self.assertEqual(len(lines), 2 + 4)
        self.assertRegex(lines[-1], r"✗ dropped: old_duplicate +│ +0.1200$")

    def test_first_and_last__leave_out_the_middle(self):
        lines = self.ladder("--first", "2", "--last", "3")
        self.assertEqual(len(lines), 2 + 2 + 1 + 3)
        self.assertIn("20 more segments", lines[4])

    def test_ascii__has_no_other_character(self):
        self.assertTrue("\n".join(self.ladder("--ascii")).isascii())

    def test_one_end_only__has_no_time_at_the_other(self):
        script = fixture.transfer()
        script.rows = [row for row in script.rows if row["conn"] == "1"]
        lines = self.ladder("--handshake", script=script)
        self.assertRegex(lines[2], r"^ +0.0000  SYN_SENT .* SYN seq=0 .*▶ │$")
        self.assertRegex(lines[3], r"^ +0.0400  ESTABLISHED ◀.* ack=1 .*─ │$")
        self.assertFalse(any("lost" in line for line in lines))
        result = chalk("ladder", "-", "--loss", "1", stdin=script.text())
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("only where the trace has both ends", result.stderr)

    def test_edges__are_straight(self):
        lines = self.ladder("--ascii")
        column = lines[1].rindex("state")
        for line in lines[2:]:
            self.assertRegex(line[column - 1:], r"^ [A-Z|]")


def steps_of(script, **choice):
    """The ladder of a script, and the numbers of its chosen steps."""
    trace = script.trace()
    left, right = trace.ends(trace.pick())
    ladder = Ladder(trace, left, right)
    return ladder, choose(ladder, **choice)


class LayoutTest(unittest.TestCase):
    def layout(self, script=None, spacing=EVEN, **choice):
        ladder, chosen = steps_of(script or fixture.transfer(), **choice)
        return Layout(ladder, chosen, spacing)

    def in_order(self, layout):
        """Whether later instants of either side are lower."""
        for side in (LEFT, RIGHT):
            marks = [m for m in layout.marks if m.side == side and m.time]
            self.assertEqual(marks, sorted(marks, key=lambda m: m.y))
            times = [float(m.time) for m in marks]
            self.assertEqual(times, sorted(times))

    def test_even__rows_do_not_touch(self):
        layout = self.layout()
        self.in_order(layout)
        for side in (LEFT, RIGHT):
            heights = sorted({m.y for m in layout.marks if m.side == side})
            for above, below in zip(heights, heights[1:]):
                self.assertGreaterEqual(below - above, ROW)

    def test_scale__height_is_time(self):
        layout = self.layout(spacing=SCALE, opening=True)
        self.in_order(layout)
        first, second, third = layout.arrows
        for arrow in layout.arrows:
            self.assertAlmostEqual(arrow.finish - arrow.start,
                                   fixture.DELAY * layout.per_second)
        self.assertAlmostEqual(second.start, first.finish)
        self.assertAlmostEqual(third.start, second.finish)

    def test_auto__takes_the_scale_only_where_it_can_be_read(self):
        self.assertTrue(self.layout(spacing="auto", opening=True).scaled)
        self.assertFalse(self.layout(spacing="auto").scaled)

    def test_lost__falls_as_its_neighbour(self):
        layout = self.layout()
        lost = [a for a in layout.arrows if a.lost]
        self.assertEqual(len(lost), 1)
        data = [a for a in layout.arrows if a.flight.segment.len]
        beside = data[data.index(lost[0]) - 1]
        self.assertAlmostEqual(lost[0].finish - lost[0].start,
                               beside.finish - beside.start)

    def test_silence__is_cut_and_said(self):
        for spacing in (EVEN, SCALE):
            layout = self.layout(spacing=spacing)
            words = [text for _, text in layout.pauses]
            self.assertTrue(any(re.match(r"(59\.9\d*|60) s pass", word)
                                for word in words), words)
            self.assertLess(layout.height, 5000)

    def test_left_out__is_counted(self):
        words = [text for _, text in self.layout(first=2, last=3).pauses]
        self.assertIn("20 more segments", words)

    def test_answer__leaves_where_the_arrival_is(self):
        layout = self.layout(opening=True)
        syn, synack, _ = layout.arrows
        self.assertEqual(syn.finish, synack.start)


class SvgTest(unittest.TestCase):
    def svg(self, script=None, spacing=EVEN, title=None, **choice):
        ladder, chosen = steps_of(script or fixture.transfer(), **choice)
        return ElementTree.fromstring(ladder_svg(ladder, chosen, spacing,
                                                 title))

    def texts(self, root, kind):
        return [t.text for t in root.iter(SVG + "text")
                if kind in t.get("class").split()]

    def test_names__title_and_description(self):
        root = self.svg()
        self.assertEqual(root.get("role"), "img")
        self.assertEqual(root.find(SVG + "title").text,
                         "24 segments, 1 lost or refused, 1 sent again")
        told = root.find(SVG + "desc").text
        self.assertIn(f"client {fixture.CLIENT}", told)
        self.assertIn("24 segments", told)
        self.assertEqual(set(root.get("aria-labelledby").split()),
                         {root.find(SVG + "title").get("id"),
                          root.find(SVG + "desc").get("id")})

    def test_states__stand_at_both_sides_in_order(self):
        root = self.svg(opening=True, closing=True)
        states = [s for s in self.texts(root, "state") if s != "⋮"]
        for name in ("SYN_SENT", "SYN_RCVD", "ESTABLISHED", "FIN_WAIT_1",
                     "CLOSE_WAIT", "FIN_WAIT_2", "LAST_ACK", "TIME_WAIT",
                     "CLOSED"):
            self.assertIn(name, states)

    def test_arrows__one_a_segment(self):
        root = self.svg()
        lines = [line for line in root.iter(SVG + "line")
                 if line.get("class") == "arrow"]
        self.assertEqual(len(lines), 24)

    def test_lost_and_again__are_marked(self):
        root = self.svg()
        groups = [g for g in root.iter(SVG + "g")
                  if g.find(SVG + "title") is not None]
        lost = [g for g in groups if "lost" in g.get("class").split()]
        again = [g for g in groups if "again" in g.get("class").split()]
        self.assertEqual((len(lost), len(again)), (1, 1))
        self.assertIn("seq=3001", lost[0].find(SVG + "title").text)
        self.assertEqual(self.texts(root, "note"), ["lost"])
        # its line stops on the way, the other's reaches the other side
        ends = [float(g.find(SVG + "line").get("x2")) for g in (lost[0],
                                                                again[0])]
        self.assertLess(ends[0], ends[1])
        self.assertTrue(any("again: third duplicate ACK" in words
                            for words in self.texts(root, "halo")))

    def test_text__is_escaped(self):
        ladder, chosen = steps_of(fixture.transfer())
        for flight in ladder.flights:
            flight.sent.cause = 'a < b & "c"'
        title = "<b> & 'x' \"y\""
        root = ElementTree.fromstring(ladder_svg(ladder, chosen, EVEN,
                                                 title + "\x1b"))
        title += "?"
        self.assertEqual(root.find(SVG + "title").text, title)
        self.assertEqual(self.texts(root, "title"), [title])
        self.assertTrue(any('a < b & "c"' in words
                            for words in self.texts(root, "halo")))

    def test_inside__nothing_leaves_the_picture(self):
        for spacing in (EVEN, SCALE):
            root = self.svg(spacing=spacing)
            width, height = (float(root.get(name))
                             for name in ("width", "height"))
            for line in root.iter(SVG + "line"):
                for name, most in (("x1", width), ("x2", width),
                                   ("y1", height), ("y2", height)):
                    self.assertTrue(0 <= float(line.get(name)) <= most)

    def test_refused__says_why_where_it_arrived(self):
        script = fixture.Script()
        script.open()
        script.segment(.1, False, "A", True, seq=1, ack=1, len=10)
        reason = "unacceptable_ack_in_syn_sent"
        script.add(.12, True, "drop", flags="A", len=10, cause=reason,
                   seq=fixture.CLIENT_ISN + 1,
                   ack=(fixture.SERVER_ISN + 1) % (1 << 32))
        root = self.svg(script)
        note, = (t for t in root.iter(SVG + "text")
                 if t.get("class") == "note")
        self.assertEqual(note.text, f"dropped: {reason}")
        self.assertGreater(float(root.get("width")),
                           float(note.get("x")) + 6 * len(note.text))

    def test_both_open__nobody_is_the_client(self):
        script = fixture.Script()
        for server in (False, True):
            script.segment(0, server, "S", states=("SYN_SENT", "SYN_RCVD"))
        names = self.texts(self.svg(script), "end")
        self.assertEqual(sorted(names), [fixture.CLIENT, fixture.SERVER])

    def test_one_end_only__arrows_are_half_known(self):
        script = fixture.transfer()
        script.rows = [row for row in script.rows if row["conn"] == "1"]
        root = self.svg(script)
        groups = [g for g in root.iter(SVG + "g")
                  if g.find(SVG + "title") is not None]
        self.assertTrue(groups)
        for group in groups:
            self.assertIn("half", group.get("class").split())

    def test_out__writes_a_file_that_renders(self):
        text = fixture.transfer().text()
        with tempfile.TemporaryDirectory() as place:
            out = os.path.join(place, "x.svg")
            result = chalk("ladder", "-", "--out", out, stdin=text)
            self.assertEqual((result.returncode, result.stdout,
                              result.stderr), (0, "", ""))
            if not shutil.which("rsvg-convert"):
                self.skipTest("no rsvg-convert; run: selftests/setup test")
            png = subprocess.run(["rsvg-convert", out], check=True,
                                 capture_output=True).stdout
        self.assertTrue(png.startswith(b"\x89PNG"))

    def test_out__wrong_name_and_place(self):
        result = chalk("ladder", "-", "--out", "x.png")
        self.assertEqual(result.returncode, 2)
        self.assertIn("must end in .svg", result.stderr)
        result = chalk("ladder", "-", "--out", "/nonexistent/x.svg",
                       stdin=fixture.transfer().text())
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, "chalk ladder: /nonexistent/x.svg: No "
                                        "such file or directory\n")


if __name__ == "__main__":
    unittest.main()
