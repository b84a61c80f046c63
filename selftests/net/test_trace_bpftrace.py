# SPDX-License-Identifier: GPL-2.0
"""The example scripts for bpftrace."""

from collections import Counter
import pathlib
import re
import signal
import subprocess
import unittest

from chalk_records import Reader
import net
from test_trace import talk
import test_trace_points

SCRIPTS = pathlib.Path(__file__).parents[2] / "userspace/examples/bpftrace"


@unittest.skipUnless(pathlib.Path("/sys/kernel/btf/vmlinux").exists(),
                     "this kernel does not describe its types (BTF)")
class Scripts(unittest.TestCase):
    def setUp(self):
        test_trace_points.setUpModule()

    def output(self, script: str) -> tuple:
        """What it prints of a lossy connection, and what the trace has."""
        with net.Net(), Reader("trace") as text, net.running(
                ["bpftrace", SCRIPTS / script], text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as tool:
            net.Net.netem("delay 5ms loss 5%")
            first = tool.stdout.readline()
            self.assertIn("Attaching", first)
            if script == "cwnd.bt":
                tool.stdout.readline()
            else:
                net.wait_until(lambda: False, 3)
            talk(size=100000)
            # what is on its way after close() still counts
            net.wait_until(lambda: False, 3)
            tool.send_signal(signal.SIGINT)
            return tool.communicate(timeout=60)[0], text.rows()

    def test_cwnd(self):
        shown, rows = self.output("cwnd.bt")
        changes = [row for row in rows if row["event"] == "cwnd"]
        lines = re.findall(r"^ *\d+ +(\d+) +(\d+) +(\d+) +\d+ +\d+  (.+)$",
                           shown, re.MULTILINE)
        self.assertEqual(lines, [(r["conn"], r["old"], r["new"], r["cause"])
                                 for r in changes])
        self.assertGreater(len(changes), 10)
        for cause, count in Counter(r["cause"] for r in changes).items():
            self.assertIn(f"@changes[{cause}]: {count}\n", shown)

    def test_rtt(self):
        shown, rows = self.output("rtt.bt")
        samples = [row["conn"] for row in rows if row["event"] == "rtt"]
        self.assertTrue(samples)
        for conn in set(samples):
            self.assertIn(f"@samples[{conn}]: {samples.count(conn)}\n", shown)
            self.assertIn(f"@rtt_us[{conn}]:", shown)


if __name__ == "__main__":
    unittest.main()
