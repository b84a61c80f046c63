# SPDX-License-Identifier: GPL-2.0
"""The tracepoints chalk:*, through tracefs as perf and trace-cmd use it."""

import os
import pathlib
import re
import unittest

from chalk_records import Reader, inode, names
import net
from test_trace import talk

TRACEFS = pathlib.Path("/sys/kernel/tracing")
EVENTS = TRACEFS / "events/chalk"
FIELD = re.compile(r'(\w+)=(\([^)]*\)|\[[^\]]*\]:\d+|\S+)')


def setUpModule():
    if not TRACEFS.joinpath("events").exists():
        net.sh("mount -t tracefs none /sys/kernel/tracing")
    if not EVENTS.exists():
        raise unittest.SkipTest("this kernel has no tracepoints")
    # 6.1 forgets to make room if another instance had been given some
    TRACEFS.joinpath("buffer_size_kb").write_text("8192")


class Points(unittest.TestCase):
    def setUp(self):
        self.addCleanup(self.switch, "", "0")
        TRACEFS.joinpath("trace").write_text("")

    @staticmethod
    def switch(event, value):
        EVENTS.joinpath(event, "enable").write_text(value)

    @staticmethod
    def shown() -> list:
        """What trace shows: (tracepoint, fields)."""
        found = []
        for line in TRACEFS.joinpath("trace").read_text().splitlines():
            match = re.search(r": chalk_(\w+): (.*)", line)
            if match:
                found.append((match[1], dict(FIELD.findall(match[2]))))
        return found

    @staticmethod
    def settle():
        """What is on its way after close() is over."""
        assert net.wait_until(lambda: all(row["state"] == "TIME_WAIT"
                                          for row in net.table("conns")), 60)

    def test_one_for_each_kind(self):
        kinds = {name for name in names()["kind"].values() if name != "lost"}
        self.assertEqual({path.name for path in EVENTS.iterdir()
                          if path.is_dir()}, {f"chalk_{k}" for k in kinds})

    def test_they_show_what_the_trace_shows(self):
        with net.Net(), Reader("trace") as text:
            net.Net.netem("delay 5ms loss 5%")
            self.switch("", "1")
            talk(size=50000)
            self.settle()
            self.switch("", "0")
            # namespaces of other tests may still be on their way out
            here = {str(inode(name)) for name in net.Net.names}
            rows = [row for row in text.rows() if row["netns"] in here]
            points = [(name, fields) for name, fields in self.shown()
                      if fields["netns"] in here]
        self.assertEqual(len(points), len(rows))
        self.assertGreater(len(rows), 200)
        # another processor's buffer of tracefs may have another time
        points.sort(key=lambda point: int(point[1]["stamp"]))
        for row, (name, fields) in zip(rows, points):
            self.assertEqual(name, row["event"])
            self.assertEqual(fields["cause"][1:-1], row["cause"])
            for key in ("conn state seq ack len wnd snd_una snd_nxt cwnd "
                        "ssthresh flight srtt rto ooo mss netns").split():
                self.assertEqual(fields[key], row[key], (key, fields))

    def test_pipe(self):
        with net.Net():
            pipe = os.open(TRACEFS / "trace_pipe",
                           os.O_RDONLY | os.O_NONBLOCK)
            self.addCleanup(os.close, pipe)
            self.switch("chalk_cwnd", "1")
            talk()
            text = os.read(pipe, 1 << 16).decode("ascii")
        self.assertIn('chalk_cwnd: netns=', text)
        self.assertIn("cause=(initial window)", text)
        self.assertNotIn("chalk_send", text)

    def test_they_alone_switch_emission_on(self):
        with net.Net():
            talk()
            self.assertEqual(self.shown(), [])
            self.switch("chalk_state", "1")
            talk()
            self.settle()
            first = self.shown()
            self.assertEqual({name for name, _ in first}, {"state"})
            self.switch("chalk_state", "0")
            talk()
            self.assertEqual(self.shown(), first)

    def test_filter_of_tracefs(self):
        with net.Net():
            number = inode("alice")
            point = EVENTS / "chalk_send"
            self.addCleanup((point / "filter").write_text, "0")
            (point / "filter").write_text(f"netns == {number} && len > 0")
            self.switch("chalk_send", "1")
            talk(size=5000)
            sent = self.shown()
        self.assertGreater(len(sent), 2)
        for _, fields in sent:
            self.assertEqual(int(fields["netns"]), number)
            self.assertGreater(int(fields["len"]), 0)


if __name__ == "__main__":
    unittest.main()
