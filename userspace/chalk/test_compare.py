# SPDX-License-Identifier: GPL-2.0
"""test_compare.py - two traces side by side, and TCP's tracepoints as one.

samples/ has what the kernels of the lab VM wrote of a small transfer that lost
segments; selftests/net/test_tcp_probe.py makes such texts.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from xml.etree import ElementTree

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

import test_fixture as fixture  # noqa: E402
from chalk_compare import Side, figures, load, rows, table  # noqa: E402
from chalk_curves import Curves  # noqa: E402
from chalk_forms import Reader as Source  # noqa: E402
from chalk_tcpprobe import Reader, in_order  # noqa: E402
from chalk_base import TraceError  # noqa: E402
from chalk_columns import COLUMNS  # noqa: E402
from chalk_trace import Trace  # noqa: E402
from test_fixture import MSS, chalk  # noqa: E402

sys.path.pop(0)
KERNELS = ("6.1", "6.12")
SAMPLE_BYTES = 200_000
SIM = os.path.join(HERE, "../../build/bin/chalk-sim")
PROBE = ("family=AF_INET src=10.0.1.1:41510 dest=10.0.2.1:7000 mark=0x0 "
         "data_len=0 snd_nxt=0x2000 snd_una=0xfffff000 snd_cwnd=12 "
         "ssthresh=2147483647 snd_wnd=64256 srtt=40144 rcv_wnd=65160 "
         "sock_cookie=1")
# the same event as each program prints it
FORMS = {
    "tracefs": "          <idle>-0       [000] ..s2.     2.685392: "
               f"tcp_probe: {PROBE}",
    "trace-cmd": "          <idle>-0     [000]     2.685392: "
                 f"tcp_probe:            {PROBE}",
    "perf": "         swapper     0 [000]     2.685392: "
            f"tcp:tcp_probe: {PROBE} skbaddr=0x1 skaddr=0x2",
}


def sample(kernel):
    return os.path.join(HERE, "samples", f"tcp_probe-{kernel}.txt")


def probed(*lines, mss=1000):
    """The records of lines of tracepoints."""
    found = in_order(Reader(mss).values(lines))
    return Trace.of(Source("made"), found).records


def side(script=None, name="x"):
    return Side(name, Curves((script or fixture.transfer()).trace().pick()))


class TcpProbeTest(unittest.TestCase):
    def test_forms__give_the_same_record(self):
        for form, line in FORMS.items():
            record = probed(line)[-1]
            self.assertEqual(
                (record.time, record.local, record.remote, record.event,
                 record.cwnd, record.ssthresh, record.flight, record.srtt),
                (2.685392, "10.0.1.1:41510", "10.0.2.1:7000", "recv", 12000,
                 0x7fffffff, 0x3000, 40144), form)

    def test_mss__makes_bytes_of_segments(self):
        line = FORMS["perf"].replace("ssthresh=2147483647", "ssthresh=7")
        record = probed(line, mss=1448)[-1]
        self.assertEqual((record.cwnd, record.ssthresh), (12 * 1448, 7 * 1448))

    def test_window__a_change_is_an_event_with_old_and_new(self):
        later = FORMS["perf"].replace("snd_cwnd=12", "snd_cwnd=6")
        events = [(r.event, r.old, r.new) for r in probed(FORMS["perf"], later)
                  if r.event == "cwnd"]
        self.assertEqual(events, [("cwnd", 0, 12000), ("cwnd", 12000, 6000)])

    def test_ipv6__endpoints_as_chalk_writes_them(self):
        line = FORMS["tracefs"].replace("10.0.1.1:", "[2001:db8::1]:")
        again = ("x-1 [000] ..s2. 3.0: tcp_retransmit_skb: family=AF_INET6 "
                 "sport=41510 dport=7000 saddr=0.0.0.0 daddr=0.0.0.0 "
                 "saddrv6=2001:db8::1 daddrv6=2001:db8::2 "
                 "state=TCP_ESTABLISHED")
        records = probed(line.replace("10.0.2.1:", "[2001:db8::2]:"), again)
        self.assertEqual({(r.conn, r.local) for r in records},
                         {(1, "[2001:db8::1]:41510")})
        self.assertEqual(records[-1].event, "rtx")

    def test_noise__is_passed_over(self):
        records = probed("# tracer: nop", "", "CPU:0 [LOST 12 EVENTS]",
                         "x-1 [000] 1.0: sched_switch: prev_comm=a",
                         FORMS["perf"])
        self.assertEqual({r.event for r in records},
                         {"recv", "cwnd", "ssthresh"})

    def test_cut_line__is_named(self):
        with self.assertRaisesRegex(TraceError, "line 2: not as the kernel"):
            probed(FORMS["perf"], FORMS["perf"][:120])

    def test_sample__is_read_whole(self):
        for kernel in KERNELS:
            trace = load(sample(kernel), fixture.MSS)
            end = trace.pick()
            self.assertEqual(end.remote, "10.0.2.1:7000", kernel)
            known = figures(Curves(end))
            self.assertEqual(known["acked"], SAMPLE_BYTES)
            with open(sample(kernel), encoding="ascii") as file:
                text = file.read()
            again = len(re.findall(r"tcp_retransmit_skb: .*dport=7000", text))
            self.assertGreater(again, 0)
            self.assertEqual(known["again"], again)
            states = len(re.findall(r"dport=7000 .*cong_state=[34]", text))
            self.assertGreater(states, 0)
            self.assertEqual(known["timeouts"] + known["fast"], states)
            self.assertTrue(0.040 < known["trip"] < 0.2)

    def test_sample__begins_with_the_syn(self):
        for kernel in KERNELS:
            end = load(sample(kernel), fixture.MSS).pick()
            states = [(r.old, r.new) for r in end.records
                      if r.event == "state"]
            self.assertEqual(states[:2], [("CLOSED", "SYN_SENT"),
                                          ("SYN_SENT", "ESTABLISHED")])
            curves = Curves(end)
            self.assertEqual(curves.start, end.records[0].time)
            self.assertGreater(curves.clock(end.records[1]), 0.04)


class CompareTest(unittest.TestCase):
    def test_figures__of_a_known_transfer(self):
        known = figures(side().curves)
        self.assertAlmostEqual(known["seconds"], .086)
        self.assertEqual(known["acked"], 8 * MSS)
        self.assertAlmostEqual(known["goodput"], 8 * MSS * 8 / .086)
        self.assertEqual((known["segments"], known["again"], known["fast"],
                          known["timeouts"]), (13, 1, 1, 0))
        self.assertIsNone(known["trip"])

    def test_goodput__is_one_for_all_tools(self):
        """first byte sent to last ACK: simulator, summary, compare, report"""
        with tempfile.TemporaryDirectory() as place:
            trace = os.path.join(place, "t.tsv")
            ran = subprocess.run(
                [SIM, "--loss=1%", "--bytes=200kB", f"--trace={trace}"],
                capture_output=True, text=True, check=True)
            told = re.search(r"goodput from client: (\S+) Mbit/s \((\S+) s\)",
                             ran.stdout).groups()
            known = figures(Curves(load(trace, MSS).pick()))
            summary = chalk("summary", trace).stdout
            end = json.loads(chalk("summary", "--json", trace).stdout)[0]
        self.assertEqual((f"{known['goodput'] / 1e6:.3f}",
                          f"{known['seconds']:.3f}"), told)
        self.assertIn(f"{told[0]} Mbit/s: 200,000 bytes in {told[1]}",
                      summary)
        # what the report shows
        self.assertEqual(f"{end['goodput']['mbit_per_s']:.3f}", told[0])

    def test_goodput__of_tcp_begins_when_the_connection_is_there(self):
        for kernel in KERNELS:
            end = load(sample(kernel), fixture.MSS).pick()
            known = figures(Curves(end))
            begun = next(r.time for r in end.records
                         if r.state == "ESTABLISHED")
            last = max(r.time for r in end.records if r.snd_nxt)
            self.assertLessEqual(known["seconds"], last - begun)
            self.assertGreater(known["seconds"], 0.8 * (last - begun))

    def test_mean_cwnd__is_over_time(self):
        script = fixture.Script()
        script.open()
        script.segment(.1, False, "A", seq=1, ack=1, len=500, cwnd=10000)
        script.add(.2, False, "cwnd", cwnd=30000)
        script.segment(.48, True, "A", seq=1, ack=501)
        for row in script.rows:
            if float(row["time"]) > .2:
                row["cwnd"] = "30000"
        # 0.2 s of 10000, 0.3 s of 30000
        self.assertAlmostEqual(figures(side(script).curves)["cwnd"], 22000)

    def test_difference__in_per_cent_of_the_first(self):
        longer = fixture.transfer(count=16)
        found = {row.name: row for row in rows([side(), side(longer)])}
        self.assertEqual(found["acknowledged"].values, (8000, 16000))
        self.assertEqual(found["acknowledged"].difference, 100)
        self.assertIsNone(found["timeouts"].difference)
        self.assertIsNone(found["mean smoothed RTT"].difference)

    def test_table__says_what_nobody_knows(self):
        tcp = Curves(load(sample("6.1"), 1448).pick())
        told = table([side(), Side("TCP", tcp)])
        self.assertRegex(told, r"segments sent +13 +not known\n")
        self.assertIn("B: TCP, 10.0.1.1:", told)
        self.assertNotIn("lacks", told)
        self.assertIn("\nA lacks 5 records", table(
            [side()._replace(gaps=5), side()]))

    def run_compare(self, *args):
        """chalk compare of a made trace and a sample."""
        with tempfile.TemporaryDirectory() as place:
            made = os.path.join(place, "made.tsv")
            with open(made, "w", encoding="ascii") as stream:
                stream.write("# a remark\n" + fixture.transfer().text())
            out = os.path.join(place, "x.svg")
            result = chalk("compare", made, sample("6.12"), *args, "--out",
                           out)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            root = ElementTree.parse(out).getroot()
        return result.stdout, {
            "".join(t.itertext()).strip()
            for t in root.iter("{http://www.w3.org/2000/svg}text")}

    def test_picture__has_both_names(self):
        told, words = self.run_compare("--names", "made <&>,TCP Reno")
        self.assertIn("A: made <&>, ", told)
        self.assertTrue({"made <&>", "TCP Reno"} <= words, words)
        told, words = self.run_compare("--kind", "all")
        self.assertIn("made.tsv", told)
        self.assertTrue({"Congestion window", "Smoothed round trip"} <= words)

    def test_conn__one_for_each(self):
        told, _ = self.run_compare("--conn", "2")
        self.assertIn(f"A: made.tsv, {fixture.SERVER} ", told)
        local = load(sample("6.12"), 1448).pick().local
        told, _ = self.run_compare("--local", f"{fixture.SERVER},{local}")
        self.assertIn(f"A: made.tsv, {fixture.SERVER} ", told)
        self.assertIn(f"B: tcp_probe-6.12.txt, {local} ", told)
        result = chalk("compare", sample("6.1"), sample("6.12"), "--local",
                       ",10.0.2.1:7000")
        self.assertEqual(result.returncode, 1)
        self.assertIn("sent and received nothing", result.stderr)

    def test_wrong_inputs__are_named(self):
        for text, error in (("", "no column|no records"),
                            ("hello\n", "not a trace of Chalk"),
                            ("\t".join(COLUMNS) + "\n", "no records"),
                            ("# tracer: nop\n#\n", "no records")):
            with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
                file.write(text)
                file.flush()
                result = chalk("compare", file.name, file.name)
                self.assertEqual(result.returncode, 1, text)
                self.assertRegex(result.stderr, error)
                self.assertIn(file.name, result.stderr)
        result = chalk("compare", "/nonexistent", "/nonexistent")
        self.assertEqual(result.stderr, "chalk compare: /nonexistent: No such "
                                        "file or directory\n")


if __name__ == "__main__":
    unittest.main()
