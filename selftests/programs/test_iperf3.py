# SPDX-License-Identifier: GPL-2.0
"""iperf3: both directions, streams side by side, sendfile, IPv6."""

import json

from programs import LOAD, SERVER, SERVER6, Program, scaled

PORT = 5201
# Whether the load, and the speed of the machine, are worth judging.
IS_LARGE = LOAD >= 25
# What the buffers of a connection hold at most: 4 and 6 MiB, half of it payload.
BUFFERS = 7 << 20


class Iperf3(Program):
    """One server, a client for each test."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.serve("iperf3", "-s", "-p", PORT, port=PORT, ends=1)

    def transfer(self, *options, to=SERVER, mib=40, streams=1, ways=1):
        """Send @mib; iperf3's report of it, checked for completeness."""
        amount = mib << 20 if IS_LARGE else scaled(mib << 20)
        report = json.loads(self.client(
            "iperf3", "-c", to, "-p", PORT, "-J", "-n", amount, "-P", streams,
            *options))
        self.assertNotIn("error", report)
        self.assertEqual(len(report["start"]["connected"]), ways * streams)
        self.assertEqual(len(report["end"]["streams"]), ways * streams)
        # the client ends when either direction has carried the amount
        sums = [(report["end"][f"sum_sent{way}"],
                 report["end"][f"sum_received{way}"])
                for way in ("", "_bidir_reverse")[:ways]]
        sent, received = max(sums, key=lambda pair: pair[0]["bytes"])
        self.assertGreaterEqual(sent["bytes"], amount)
        # the end of the test is told by another connection: what is then
        # still in flight is not read, which may be all of a small amount
        self.assertGreaterEqual(received["bytes"], amount - streams * BUFFERS)
        if amount > 3 * BUFFERS:
            self.assertGreater(received["bits_per_second"], 1e6)
        for sent, received in sums:
            self.assertGreater(sent["bytes"], 0)
            self.assertLessEqual(received["bytes"], sent["bytes"])
        # the sums are those of one direction
        each = [stream["receiver"]["bytes"] for stream in
                report["end"]["streams"][:streams]]
        self.assertEqual(sum(each), sums[0][1]["bytes"])
        return report

    def test_forward(self):
        report = self.transfer()
        self.assertEqual(report["start"]["test_start"]["protocol"], "TCP")
        if IS_LARGE:
            # more would overflow the queue between the hosts
            report = self.transfer(mib=2)
            self.assertEqual(report["end"]["sum_sent"]["retransmits"], 0)
        self.assertGreater(report["end"]["streams"][0]["sender"]["mean_rtt"],
                           0)

    def test_reverse(self):
        report = self.transfer("-R")
        self.assertEqual(report["start"]["test_start"]["reverse"], 1)

    def test_both_ways(self):
        self.transfer("--bidir", ways=2)

    def test_parallel(self):
        self.transfer(streams=4, mib=160)

    def test_parallel_reverse(self):
        self.transfer("-R", streams=4, mib=160)

    def test_zerocopy(self):
        self.transfer("-Z")

    def test_zerocopy_reverse(self):
        self.transfer("-Z", "-R")

    def test_ipv6(self):
        report = self.transfer("-6", to=SERVER6)
        self.assertEqual(report["start"]["connected"][0]["remote_host"],
                         SERVER6)

    def test_options(self):
        report = self.transfer("-N", "-w", "64K", "-M", "1000", "-S", "0x10",
                               mib=2)
        start = report["start"]
        self.assertEqual(start["tcp_mss"], 1000)
        self.assertEqual(start["sock_bufsize"], 65536)

    def test_paced(self):
        report = self.transfer("-b", "20M", mib=2)
        self.assertLess(report["end"]["sum_sent"]["bits_per_second"], 40e6)


class Iperf3Datagrams(Program):
    """Datagrams for the load, a stream for the control."""

    kinds = ("stream", "dgram")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.serve("iperf3", "-s", "-B", SERVER, "-p", PORT, port=PORT, ends=1)

    def transfer(self, *options, size=1448):
        """Send datagrams of @size bytes; none is lost by iperf3's count."""
        amount = scaled(2 << 20)
        report = json.loads(self.client(
            "iperf3", "-c", SERVER, "-p", PORT, "-J", "-u", "-n", amount, "-l",
            size, "-b", "20M", *options))
        self.assertNotIn("error", report)
        self.assertEqual(report["start"]["test_start"]["protocol"], "UDP")
        total = report["end"]["sum"]
        self.assertGreater(total["packets"], amount // size - 10)
        self.assertEqual(total["lost_packets"], 0)

    def test_forward(self):
        self.transfer()

    def test_reverse(self):
        self.transfer("-R")

    def test_fragments(self):
        self.transfer(size=8000)
