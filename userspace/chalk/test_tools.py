# SPDX-License-Identifier: GPL-2.0
"""test_tools.py - what trace, conns and summary make of a known trace.

Run with test.sh. Traces come from test_fixture.py; each tool is run as a user
runs it, through the dispatcher.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

import test_fixture as fixture  # noqa: E402
import chalk_match  # noqa: E402
from chalk_base import TraceError  # noqa: E402
from chalk_columns import COLUMNS  # noqa: E402
from chalk_trace import Trace, relative  # noqa: E402
from test_fixture import chalk  # noqa: E402

sys.path.pop(0)
COMMANDS = ("bridge", "compare", "conns", "ladder", "plot", "report", "run",
            "ss", "stat", "summary", "trace")


class DispatcherTest(unittest.TestCase):
    def test_help__lists_each_command_with_a_line(self):
        for args in (["help"], ["--help"]):
            result = chalk(*args)
            self.assertEqual(result.returncode, 0)
            for name in COMMANDS:
                self.assertRegex(result.stdout, rf"(?m)^  {name} +\w+ \w+")

    def test_unknown__is_named_and_fails(self):
        result = chalk("fly")
        self.assertEqual(result.returncode, 2)
        self.assertIn("'fly' is not a command", result.stderr)

    def test_no_command__fails_with_the_help(self):
        result = chalk()
        self.assertEqual(result.returncode, 2)
        self.assertIn("Usage", result.stderr)

    def test_each_command__has_help_with_examples(self):
        for name in COMMANDS:
            for args in ([name, "--help"], ["help", name]):
                result = chalk(*args)
                self.assertEqual(result.returncode, 0)
                self.assertIn("examples:", result.stdout)


class TraceTest(unittest.TestCase):
    def test_read__finds_columns_by_name(self):
        lines = fixture.transfer().text().splitlines()
        turned = ["\t".join(line.split("\t")[::-1]) for line in lines]
        records = Trace(turned).records
        self.assertEqual(records[0].flags, "S")
        self.assertEqual(records[0].conn, 1)

    def test_read__does_without_later_columns(self):
        lines = ["\t".join(line.split("\t")[:-3])
                 for line in fixture.transfer().text().splitlines()]
        self.assertTrue(lines[0].endswith("\tunread"))
        record = Trace(lines).records[0]
        self.assertEqual((record.netns, record.ooo, record.mss), (0, 0, 0))

    def test_read__counts_lost_records(self):
        text = fixture.transfer().text() + "# lost 7\n# lost 5\n# hello\n"
        self.assertEqual(Trace(text.splitlines()).lost, 12)

    def test_read__refuses_what_is_no_trace(self):
        header = "\t".join(COLUMNS)
        for text, error in (("a\tb\n", "no column 'time'"),
                            (header, "no records"), ("", "no records"),
                            (header + "\n1.0\t2\n", "line 2: 2 columns, not 31")):
            with self.assertRaisesRegex(TraceError, error):
                Trace(text.splitlines())

    def test_pick__takes_the_end_that_sent_most(self):
        trace = fixture.transfer().trace()
        self.assertEqual(trace.pick().local, fixture.CLIENT)
        self.assertEqual(trace.pick(conn=2).local, fixture.SERVER)
        self.assertEqual(trace.pick(local=fixture.SERVER).id, 2)
        with self.assertRaisesRegex(TraceError, "it has: 1 "):
            trace.pick(conn=9)

    def test_ends__put_the_client_first(self):
        trace = fixture.transfer().trace()
        for conn in (1, 2):
            left, right = trace.ends(trace.pick(conn=conn))
            self.assertEqual((left.id, right.id), (1, 2))

    def test_relative__wraps(self):
        self.assertEqual(relative(5, 0xfffffff0), 21)

    def test_live_commands__say_what_is_missing(self):
        if os.path.exists("/sys/kernel/debug/chalk/trace"):
            self.skipTest("chalk.ko is loaded")
        for name in ("trace", "conns"):
            result = chalk(name)
            self.assertEqual(result.returncode, 1)
            self.assertRegex(result.stderr, "chalk.ko is not loaded|only root")


class LiveTest(unittest.TestCase):
    """chalk trace and conns, with a directory in the place of debugfs."""

    @staticmethod
    def command(place, name, *args):
        """A command line; the command finds debugfs at place."""
        code = ("import runpy, sys; import chalk_debugfs; "
                f"chalk_debugfs.DEBUGFS = {place!r}; "
                f"sys.argv = {[name, *args]!r}; "
                f"runpy.run_path('chalk-{name}', run_name='__main__')")
        return [sys.executable, "-B", "-c", code]

    def run_at(self, place, name, *args):
        """Run a command that finds debugfs at place."""
        return subprocess.run(self.command(place, name, *args), cwd=HERE,
                              capture_output=True, text=True, timeout=120,
                              check=False)

    @staticmethod
    @contextlib.contextmanager
    def kernel():
        """A debugfs, and the end of its trace into which the kernel writes."""
        with tempfile.TemporaryDirectory() as place:
            os.mkdir(os.path.join(place, "chalk"))
            path = os.path.join(place, "chalk", "trace")
            os.mkfifo(path)
            with open(path, "r+b", buffering=0) as pipe:
                yield place, pipe

    def live(self, text, *args):
        """Run chalk trace on a kernel's file that never ends."""
        with self.kernel() as (place, pipe):
            pipe.write(text.encode())
            return self.run_at(place, "trace", *args)

    def test_until_closed__stops_by_itself_with_every_line(self):
        text = fixture.transfer().text()
        result = self.live(text, "--until-closed")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stdout, text)

    def test_until_closed__waits_for_both_ends(self):
        text = fixture.transfer().text()
        lines = text.encode().splitlines(keepends=True)
        last = next(number for number, line in enumerate(lines)
                    if b"\t2\t" in line and b"\tCLOSED\t" in line)
        with self.kernel() as (place, pipe), subprocess.Popen(
                self.command(place, "trace", "--until-closed"), cwd=HERE,
                stdout=subprocess.PIPE) as trace:
            pipe.write(b"".join(lines[:last]))
            seen = [trace.stdout.readline() for _ in lines[:last]]
            # if it has stopped, it does not show what comes now
            time.sleep(1)
            pipe.write(b"".join(lines[last:]))
            seen += trace.stdout.readlines()
            self.assertEqual(trace.wait(120), 0)
        self.assertEqual(seen, lines)

    def test_timeout__ends_it(self):
        began = time.monotonic()
        result = self.live("time\tconn\n", "--timeout", "1.5")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertGreater(time.monotonic() - began, 1.4)

    def test_choice__is_left_to_the_kernel(self):
        with tempfile.TemporaryDirectory() as place:
            os.mkdir(os.path.join(place, "chalk"))
            path = os.path.join(place, "chalk", "trace")
            with open(path, "x", encoding="ascii"):
                pass
            result = self.run_at(place, "trace", "--conn", "2", "--port",
                                 "80", "--event", "cwnd", "--until-closed")
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            with open(path, encoding="ascii") as stream:
                self.assertEqual(stream.read(),
                                 "port=80 conn=2 event=cwnd,state")

    def test_out__is_a_file(self):
        with tempfile.TemporaryDirectory() as place:
            out = os.path.join(place, "out")
            text = fixture.transfer().text()
            self.live(text, "--out", out, "--until-closed")
            with open(out, encoding="ascii") as stream:
                self.assertEqual(stream.read(), text)

    def test_conns__is_aligned_and_sorted(self):
        with tempfile.TemporaryDirectory() as place:
            os.mkdir(os.path.join(place, "chalk"))
            with open(os.path.join(place, "chalk", "conns"), "w",
                      encoding="ascii") as stream:
                stream.write("conn\tlocal\tremote\tstate\n"
                             "12\t1.1.1.1:1\t2.2.2.2:2\tCLOSED\n"
                             "7\t10.0.0.1:1\t10.0.0.2:65000\tLISTEN\n")
            result = self.run_at(place, "conns", "--all")
        self.assertEqual(result.stdout.splitlines(), [
            "conn  local       remote          state",
            "7     10.0.0.1:1  10.0.0.2:65000  LISTEN",
            "12    1.1.1.1:1   2.2.2.2:2       CLOSED"])


class MatchTest(unittest.TestCase):
    def flights(self, script, conn=1):
        trace = script.trace()
        end = trace.pick(conn=conn)
        return chalk_match.match(end, trace.peer(end))

    def test_match__finds_the_one_that_was_lost(self):
        flights = self.flights(fixture.transfer(count=8, lost=3))
        lost = [f for f in flights if not f.arrival]
        self.assertEqual([f.sent.seq - fixture.CLIENT_ISN for f in lost],
                         [1 + 3 * fixture.MSS])
        self.assertEqual(lost[0].sent.event, "send")

    def test_match__each_arrival_is_a_delay_later(self):
        for conn in (1, 2):
            for flight in self.flights(fixture.transfer(), conn):
                if flight.arrival:
                    self.assertAlmostEqual(
                        flight.arrival.time - flight.time, fixture.DELAY)

    def test_match__lost_at_the_tail(self):
        script = fixture.Script()
        script.open()
        script.segment(.1, False, "A", lost=True, seq=1, ack=1, len=100)
        script.segment(.4, False, "A", event="rtx", seq=1, ack=1, len=100)
        last = self.flights(script)[-2:]
        self.assertIsNone(last[0].arrival)
        self.assertIsNotNone(last[1].arrival)

    def test_match__lost_duplicate_ack(self):
        script = fixture.Script()
        script.open()
        for number in range(4):
            script.segment(.1 + number / 1000, True, "A", number == 1, seq=1,
                           ack=1)
        flights = self.flights(script, 2)[-4:]
        self.assertEqual([bool(f.arrival) for f in flights],
                         [True, False, True, True])

    def test_match__needless_retransmission(self):
        script = fixture.Script()
        script.open()
        script.segment(.1, False, "A", seq=1, ack=1, len=100)
        script.segment(.11, False, "A", event="rtx", seq=1, ack=1, len=100)
        for flight in self.flights(script)[-2:]:
            self.assertAlmostEqual(flight.arrival.time - flight.time,
                                   fixture.DELAY)


class SummaryTest(unittest.TestCase):
    def test_json__has_the_figures(self):
        text = fixture.transfer(count=8, lost=3).text()
        result = chalk("summary", "-", "--json", stdin=text)
        client, server = json.loads(result.stdout)
        self.assertEqual(client["segments_sent"], 2 + 9 + 2)
        self.assertEqual(client["data_segments_sent"], 9)
        self.assertEqual(client["bytes_sent"], 8 * fixture.MSS)
        self.assertEqual(client["retransmissions"], {"third duplicate ACK": 1})
        self.assertEqual(client["loss_events"], {"third duplicate ACK": 1})
        self.assertEqual(client["lost_on_the_way"], 1)
        self.assertEqual(client["rtt_ms"], {"samples": 1, "refused": 0,
                                            "min": 40, "max": 40, "avg": 40})
        self.assertEqual(server["segments_sent"], 1 + 8 + 2)
        self.assertEqual(server["bytes_sent"], 0)
        self.assertIsNone(server["goodput"])

    def test_goodput__from_the_first_byte_to_its_last_ack(self):
        result = chalk("summary", "-", "--json", "--conn", "1",
                       stdin=fixture.transfer(count=8, lost=3).text())
        goodput = json.loads(result.stdout)[0]["goodput"]
        self.assertEqual(goodput["acknowledged_bytes"], 8000)
        self.assertAlmostEqual(goodput["seconds"], 0.086)
        self.assertAlmostEqual(goodput["mbit_per_s"], 0.744, 3)

    def test_bytes__count_once_and_past_the_wrap(self):
        script = fixture.Script()
        for number, seq in enumerate((0, 1000, 500, 1000, 3000)):
            script.add(number, False, "send", flags="A", len=1000,
                       seq=(0xfffffe00 + seq) % (1 << 32))
        self.assertEqual(script.trace().pick().bytes_sent, 3000)

    def test_text__says_the_same_and_warns_of_gaps(self):
        text = fixture.transfer().text() + "# lost 3\n"
        result = chalk("summary", "-", stdin=text)
        for part in ("13 segments, 8,000 bytes", "1 (7.69 %)",
                     "1: third duplicate ACK", "0.744 Mbit/s",
                     "min 40.0, average 40.0, max 40.0 ms",
                     "lacks 3 records"):
            self.assertIn(part, result.stdout)

    def test_missing_file__is_named(self):
        result = chalk("summary", "/nonexistent")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, "chalk summary: /nonexistent: "
                                        "No such file or directory\n")


if __name__ == "__main__":
    unittest.main()
