# SPDX-License-Identifier: GPL-2.0
"""perf and trace-cmd on the tracepoints, as docs/trace.md shows them."""

import re
import signal
import subprocess
import unittest

from chalk_records import Reader
import net
from test_trace import talk
import test_trace_points


def recorded(command: str, show: str) -> tuple:
    """What a tool shows of a connection it recorded, and what the trace has."""
    with net.Net(), Reader("trace") as text, net.running(
            command.split(), cwd="/tmp", stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True) as tool:
        # perf leaves these files alone: it opens the event itself
        switches = (test_trace_points.EVENTS / "chalk_cwnd/enable",
                    test_trace_points.TRACEFS / "tracing_on")
        net.wait_until(lambda: all(switch.read_text() == "1\n"
                                   for switch in switches), 5)
        talk(size=100000)
        net.wait_until(lambda: all(row["state"] == "TIME_WAIT"
                                   for row in net.table("conns")), 60)
        tool.send_signal(signal.SIGINT)
        _, errors = tool.communicate(timeout=60)
        if tool.returncode not in (0, -signal.SIGINT):
            raise RuntimeError(errors)
        rows = text.rows()
    return net.sh(f"cd /tmp && {show}"), rows


class Tools(unittest.TestCase):
    def setUp(self):
        test_trace_points.setUpModule()

    def compare(self, shown: str, rows: list):
        """Each change of cwnd, with its cause as a word."""
        changes = [row for row in rows if row["event"] == "cwnd"]
        found = re.findall(r"chalk_cwnd: .*?conn=(\d+) .*?cause=\(([^)]+)\)"
                           r".*? stamp=(\d+)", shown)
        # another processor's buffer may have another time
        found.sort(key=lambda one: int(one[2]))
        self.assertGreater(len(changes), 10)
        self.assertIn(" state=ESTABLISHED flags=", shown)
        self.assertEqual([one[:2] for one in found],
                         [(row["conn"], row["cause"]) for row in changes])

    def test_trace_cmd(self):
        """trace-cmd record, trace-cmd report"""
        shown, rows = recorded("trace-cmd record -e chalk -o chalk.dat",
                               "trace-cmd report -i chalk.dat")
        self.compare(shown, rows)
        self.assertIn("chalk_state: ", shown)

    def test_perf(self):
        """perf record, perf script"""
        shown, rows = recorded(
            "perf record -e chalk:chalk_cwnd -a -o chalk.data",
            "perf script -i chalk.data")
        self.compare(shown, rows)


if __name__ == "__main__":
    unittest.main()
