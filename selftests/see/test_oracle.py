# SPDX-License-Identifier: GPL-2.0
"""test_oracle.py - the trace agrees with the RFCs, and the oracle would notice.

Random lossy transfers of the simulator, both ends of each: the capture goes
through sender.py, the trace must say the same.
"""

import collections
import sys
import tempfile
import unittest
from pathlib import Path
from typing import List

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
# pylint: disable=wrong-import-position
import oracle  # noqa: E402
import scenario  # noqa: E402
import chalk_capture  # noqa: E402
import chalk_pair  # noqa: E402
import chalk_trace  # noqa: E402

SCENARIOS = 100
QUEUES = 40
EXACT = 2000
TIMER_SLACK = 4 * oracle.sender.MILLISECOND


def ends(directory: Path):
    """The sides of a run: its segments, and its connections."""
    trace = chalk_trace.load(str(directory / "trace.tsv"))
    for name, port in (("client", ":40000"), ("server", ":7000")):
        segments = chalk_capture.segments(str(directory / f"{name}.pcap"))
        for connection in trace.connections.values():
            if connection.local.endswith(port) and any(
                    r.event == "cwnd" for r in connection.records):
                yield segments, connection


def verdicts(directory: Path, options: List[str]):
    """What the oracle says of both ends of a run."""
    for segments, connection in ends(directory):
        yield oracle.judge(segments, connection, slack=EXACT,
                           timer_slack=TIMER_SLACK,
                           tahoe="--cc=tahoe" in options,
                           reno="--cc=reno" in options,
                           hystart="--no-hystart" not in options)


def is_paired(directory: Path) -> bool:
    """Whether each segment has its record, and each record its segment."""
    records = chalk_trace.load(str(directory / "trace.tsv")).records
    for side, address in (("client", "10.0.0.1"), ("server", "10.0.0.2")):
        pairing = chalk_pair.pair(
            chalk_capture.segments(str(directory / f"{side}.pcap")),
            records, address)
        if pairing.segments or pairing.records or pairing.spread:
            return False
    return True


class Scenarios(unittest.TestCase):
    """Random paths and users."""

    def test_agrees(self):
        """cwnd and ssthresh, at every change"""
        compared = recoveries = timeouts = 0
        with tempfile.TemporaryDirectory() as name:
            for seed in range(1, SCENARIOS + 1):
                options = scenario.run(Path(name), seed)
                for verdict in verdicts(Path(name), options):
                    self.assertEqual(verdict.disagreements, [],
                                     " ".join(options))
                    compared += verdict.compared
                    recoveries += verdict.recoveries
                    timeouts += verdict.timeouts
        self.assertGreater(compared, 100 * SCENARIOS)
        self.assertGreater(recoveries, 5 * SCENARIOS)
        self.assertGreater(timeouts, 5 * SCENARIOS)

    def test_first_slow_start(self):
        """where HyStart++ ends it, and where it was mistaken"""
        causes = collections.Counter()
        with tempfile.TemporaryDirectory() as name:
            for seed in range(1, QUEUES + 1):
                options = scenario.run(Path(name), seed, queue=True)
                for verdict in verdicts(Path(name), options):
                    self.assertEqual(verdict.disagreements, [],
                                     " ".join(options))
                    causes.update(verdict.causes)
        self.assertGreater(causes["round trip rises"], QUEUES // 4)
        self.assertGreater(causes["slow start is over"], QUEUES // 8)
        self.assertGreater(causes["round trip falls again"], 0)


class Records(unittest.TestCase):
    """The trace and the captures of both sides."""

    def test_complete(self):
        """each segment has its record, each record its segment"""
        with tempfile.TemporaryDirectory() as name:
            for seed in range(1, SCENARIOS // 2 + 1):
                options = scenario.run(Path(name), seed)
                self.assertTrue(is_paired(Path(name)), " ".join(options))


class Noticing(unittest.TestCase):
    """What is wrong does not pass."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.path = Path(self.directory.name)
        self.simulate()

    def simulate(self, *more: str):
        """One transfer with both kinds of loss."""
        scenario.simulate(self.path, [
            "--loss=6%", "--reorder=5%", "--bytes=300kB", "--seed=5", *more])
        self.segments, self.connection = next(ends(self.path))

    def judge(self, **more) -> List[str]:
        """The disagreements."""
        return oracle.judge(self.segments, self.connection, slack=EXACT,
                            timer_slack=TIMER_SLACK, **more).disagreements

    def changes(self) -> list:
        """The records of changes."""
        return [r for r in self.connection.records
                if r.event in ("cwnd", "ssthresh")]

    def test_unchanged(self):
        """the transfer itself is fine, and has what the others break"""
        verdict = oracle.judge(self.segments, self.connection)
        self.assertEqual(verdict.disagreements, [])
        self.assertGreater(verdict.recoveries, 2)
        self.assertGreater(verdict.timeouts, 0)

    def test_value(self):
        """a byte more, at any one change"""
        for record in self.changes():
            record.new = str(int(record.new) + 1)
            self.assertEqual(len(self.judge()), 1)
            record.new = str(int(record.new) - 1)

    def test_cause(self):
        """another cause, another clause"""
        record = self.changes()[7]
        for name in ("cause", "clause"):
            kept = getattr(record, name)
            setattr(record, name, "because")
            self.assertEqual(len(self.judge()), 1)
            setattr(record, name, kept)

    def test_time(self):
        """a change that was traced late"""
        self.changes()[7].time += 0.01
        self.assertEqual(len(self.judge()), 1)

    def test_state(self):
        """a state that the one before cannot have become"""
        record = [r for r in self.connection.records
                  if r.event == "state"][1]
        record.old = "LISTEN"
        self.assertEqual(len(self.judge()), 1)

    def test_mss(self):
        """an MSS that no segment has"""
        for record in self.changes():
            record.mss += 1
        self.assertEqual(len(self.judge()), 1)

    def test_missing(self):
        """a change that was not traced"""
        self.connection.records.remove(self.changes()[-1])
        self.assertEqual(len(self.judge()), 1)

    def test_order(self):
        """two changes in the wrong order"""
        records = self.connection.records
        first = next(i for i, r in enumerate(records)
                     if r.event == "ssthresh")
        records[first], records[first + 1] = records[first + 1], records[first]
        self.assertEqual(len(self.judge()), 2)

    def test_capture(self):
        """an ACK that the sender did not get"""
        lost = [s for s in self.segments
                if s.remote == self.connection.local][10]
        self.segments.remove(lost)
        self.assertGreater(len(self.judge()), 0)

    def test_initial_window(self):
        """a stack with another initial window"""
        self.simulate("--iw=4")
        self.assertGreater(len(self.judge()), 0)
        self.assertEqual(self.judge(initial=4), [])

    def test_tahoe(self):
        """another algorithm than the one that is expected"""
        self.simulate("--cc=tahoe")
        self.assertGreater(len(self.judge()), 0)
        self.assertEqual(self.judge(tahoe=True), [])

    def test_reno(self):
        """a recovery that lasts longer, or less long, than is expected"""
        self.assertGreater(len(self.judge(reno=True)), 0)
        self.simulate("--cc=reno")
        self.assertGreater(len(self.judge()), 0)
        self.assertEqual(self.judge(reno=True), [])

    def simulate_queue(self, *more: str):
        """One transfer that fills a long queue, and loses nothing else."""
        scenario.simulate(self.path, [
            "--bytes=1MB", "--queue=400", "--seed=5", *more])
        self.segments, self.connection = next(ends(self.path))

    def test_hystart(self):
        """a slow start that minds the round trip, or does not"""
        self.simulate_queue()
        self.assertEqual(self.judge(), [])
        self.assertGreater(len(self.judge(hystart=False)), 0)
        turn = next(r for r in self.connection.records
                    if r.event == "hystart")
        turn.new = str(int(turn.new) + 1)
        self.assertEqual(len(self.judge()), 1)
        self.simulate_queue("--no-hystart")
        self.assertGreater(len(self.judge()), 0)
        self.assertEqual(self.judge(hystart=False), [])

    def test_cwnd(self):
        """more in flight than the window of its own rules allows"""
        self.simulate("--iw=10")
        self.assertIn("in flight, cwnd allows",
                      " ".join(self.judge(initial=2)))

    def test_no_timeout(self):
        """a timer that ran and did not fire"""
        end = oracle.rebuild(self.segments, self.connection.local,
                             self.connection.remote)
        at, due, _ = end.timeouts[0]
        again = [s for s in self.segments if s.time >= due and s.time <= at
                 and s.local == self.connection.local]
        self.assertGreater(len(again), 0)
        for segment in again:
            self.segments.remove(segment)
        self.assertIn("no timeout, due at", " ".join(self.judge()))

    def test_timer(self):
        """a stack whose timer waits longer than the RFC says"""
        self.simulate("--rto-min=400ms")
        self.assertIn("timeout at", self.judge()[0])


if __name__ == "__main__":
    unittest.main()
