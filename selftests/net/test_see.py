# SPDX-License-Identifier: GPL-2.0
"""What the trace says, held against captures.

A capture at the sender, with the RFCs, tells each change of cwnd and ssthresh;
captures at both ends have each segment that the trace has, and no others.
"""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

from net import (ALICE, ALICE6, BOB, BOB6, Net, Trace, carry, chalk_socket,
                 exact_clock, fast_kernel, listener, receive_all, sh, sysctl,
                 wait_until)

sys.path.append(str(pathlib.Path(__file__).parent.parent / "see"))
# pylint: disable=wrong-import-position
import oracle  # noqa: E402
import chalk_capture  # noqa: E402
import chalk_forms  # noqa: E402
import chalk_pair  # noqa: E402
import chalk_trace  # noqa: E402

LOSSY = "delay 20ms 1ms loss 5% reorder 5% limit 10000"
ROUGH = "delay 10ms 2ms loss 3% duplicate 3% corrupt 2% limit 10000"
SIZE = 1 << 20
MILLISECOND = 1_000_000
# both hosts' addresses, of IPv4 and IPv6, as a trace writes them
HOSTS = {"alice": ("a0", (ALICE, f"[{ALICE6}]")),
         "bob": ("b0", (BOB, f"[{BOB6}]"))}
APART = 5 * MILLISECOND


# The kernel's timers may be late by so much of their time.
WHEEL = 1 / 8


class Capture:
    """The packets of a host, while it is open."""

    def __init__(self, name: str):
        dev = HOSTS[name][0]
        self.path = f"/tmp/{name}.pcap"
        self.mac = bytes.fromhex(
            sh(f"ip netns exec {name} cat /sys/class/net/{dev}/address")
            .strip().replace(":", ""))
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.path)
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", name, "tcpdump", "-i", dev, "-w",
             self.path, "-U", "-B", "8192", "--time-stamp-precision=nano",
             "ip proto 253 or ip6 proto 253"],
            stderr=subprocess.PIPE, text=True)
        if not wait_until(lambda: os.path.exists(self.path)
                          and os.path.getsize(self.path) > 0, 60):
            raise RuntimeError("tcpdump does not begin")

    def drain(self):
        """Until what the kernel has kept for tcpdump is in the file."""
        before = -1
        while (size := os.path.getsize(self.path)) != before:
            before = size
            time.sleep(1)

    def stop(self) -> list:
        """End it; the segments that left or reached the host."""
        self.drain()
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate()
        if "\n0 packets dropped by kernel" not in said:
            raise RuntimeError(said)
        found = []
        for packet in chalk_capture.load(self.path):
            # a damaged address of a card is nobody's
            if self.mac in (packet.data[0:6], packet.data[6:12]):
                found.append(chalk_capture.segment_of(packet))
        return [segment for segment in found if segment]


def as_trace(rows: list) -> chalk_trace.Trace:
    """The records as the tools have them."""
    return chalk_trace.Trace(["\t".join(rows[0]),
                              *("\t".join(row.values()) for row in rows)])


def meet():
    """Let the neighbours' addresses be known: no segment waits for them."""
    for family, to in ((socket.AF_INET, BOB), (socket.AF_INET6, BOB6)):
        with chalk_socket("alice", family) as client, \
                contextlib.suppress(ConnectionRefusedError):
            client.connect((to, 7998))
    # a SYN may have gone twice meanwhile: let its second answer pass
    time.sleep(3)


def send_once(port: int, size: int = SIZE, family=socket.AF_INET,
              to: str = BOB):
    """One transfer from alice to bob, closed by her."""
    with listener("bob", port, family=family) as server, \
            chalk_socket("alice", family) as client:
        client.connect((to, port))
        end, _ = server.accept()
        end.settimeout(300)
        with end:
            carry(client, end, os.urandom(size))
            client.shutdown(socket.SHUT_WR)
            assert end.recv(1) == b""


@exact_clock
class Rebuilt(unittest.TestCase):
    """cwnd and ssthresh by the RFCs alone"""

    def judge(self, network: str = LOSSY) -> oracle.Verdict:
        """A transfer, held against alice's packets."""
        with Net() as net:
            net.netem(network)
            for key, value in self.settings.items():
                sysctl("alice", key, value)
            # the capture's clock is not the connection's to the microsecond
            sysctl("alice", "hystart", 0)
            meet()
            trace, capture = Trace(), Capture("alice")
            send_once(7000)
            time.sleep(70)
            segments, records = capture.stop(), as_trace(trace.stop())
        end = records.pick(local=next(
            c.local for c in records.connections.values()
            if c.local.startswith(ALICE)))
        for record in records.records:
            if record.event in ("cwnd", "ssthresh"):
                self.assertRegex(record.cause, "[a-z]")
                self.assertRegex(record.clause, "^RFC")
        return oracle.judge(segments, end, 10,
                            timer_slack=30 * MILLISECOND,
                            timer_error=WHEEL, hystart=False)

    def agree(self, **settings):
        """No disagreement, in a transfer that has what it takes."""
        self.settings = settings
        verdict = self.judge()
        print(verdict)
        self.assertEqual(verdict.disagreements, [])
        self.assertGreater(verdict.compared, 100)
        self.assertGreater(verdict.recoveries, 5)
        self.assertGreater(verdict.timeouts, 0)

    def test_timestamps(self):
        """with the option"""
        self.agree(timestamps=1)

    def test_no_timestamps(self):
        """without it"""
        self.agree(timestamps=0)

    def test_notices(self):
        """a stack with another initial window"""
        self.settings = {"initial_window": 4}
        # where the SYN is lost, all begin with one segment
        verdict = self.judge("delay 20ms")
        self.assertGreater(len(verdict.disagreements), 0)


class Complete(unittest.TestCase):
    """Each segment has its record, each record its segment."""

    maxDiff = None

    def check(self, play):
        """Hold what @play makes against the captures of both hosts."""
        meet()
        trace = Trace()
        captures = {name: Capture(name) for name in HOSTS}
        play()
        records = as_trace(trace.stop()).records
        for name, capture in captures.items():
            segments = capture.stop()
            for address in HOSTS[name][1]:
                self.compare(segments, records, address)

    def compare(self, segments, records, address: str):
        """One host."""
        pairing = chalk_pair.pair(segments, records, address)
        print(address, len(pairing.pairs), "segments")
        self.assertEqual(
            (pairing.segments,
             [(r.time, r.local, r.remote, r.event, r.cause, r.flags, r.seq,
               r.ack, r.len) for r in pairing.records]), ([], []),
            "segments without a record, records without a segment")
        shifts = self.shifts(segments)
        for segment, record in pairing.pairs:
            shift = 0 if "S" in segment.flags else shifts.get(
                (segment.local, segment.remote), 0)
            windows = segment.wnd, segment.wnd << shift
            self.assertIn(record.wnd, windows)
            self.assertLess(abs(chalk_pair.gap(segment, record)
                                - pairing.offset), APART, segment)

    @staticmethod
    def shifts(segments) -> dict:
        """What the SYNs say of the windows' scales."""
        return {(s.local, s.remote): s.wscale for s in segments
                if "S" in s.flags and s.wscale}

    @fast_kernel
    def test_rough_network(self):
        """loss, damage, copies; IPv4 and IPv6, four at once, TIME_WAIT"""
        def play():
            users = [threading.Thread(target=send_once, args=args) for args in (
                (7000, SIZE // 4), (7001, SIZE // 4),
                (7002, SIZE // 4, socket.AF_INET6, BOB6),
                (7003, SIZE // 4, socket.AF_INET6, BOB6))]
            for user in users:
                user.start()
            for user in users:
                user.join()
            time.sleep(1)
        with Net() as net:
            net.netem(ROUGH)
            self.check(play)

    def test_refused(self):
        """RST from closed ports, SYNs to a full backlog"""
        def play():
            for family, to in ((socket.AF_INET, BOB), (socket.AF_INET6, BOB6)):
                with chalk_socket("alice", family) as client:
                    with self.assertRaises(ConnectionRefusedError):
                        client.connect((to, 7999))
            with listener("bob", 7000, backlog=1), contextlib.ExitStack() as all_:
                for _ in range(5):
                    client = all_.enter_context(chalk_socket("alice"))
                    client.setblocking(False)
                    client.connect_ex((BOB, 7000))
                time.sleep(4)
            time.sleep(1)
        with Net():
            self.check(play)

    def test_shut_window(self):
        """a reader that waits, probes, a window that opens; an abort"""
        def play():
            with listener("bob", 7000) as server:
                server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
                with chalk_socket("alice") as client:
                    client.connect((BOB, 7000))
                    end, _ = server.accept()
                    with end:
                        client.settimeout(0.2)
                        sent = 0
                        with contextlib.suppress(TimeoutError):
                            while True:
                                sent += client.send(bytes(10000))
                        time.sleep(5)
                        receive_all(end, sent)
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       b"\1\0\0\0\0\0\0\0")
            time.sleep(1)
        with Net() as net:
            net.netem("delay 5ms")
            self.check(play)


def watches(tool) -> bool:
    """Whether the program has opened the trace and set its filter.

    It opens the file that it writes to after both.
    """
    for fd in pathlib.Path(f"/proc/{tool.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            if os.readlink(fd).startswith("/tmp/see."):
                return True
    return False


class Command(unittest.TestCase):
    """chalk trace"""

    def test_forms(self):
        """text, binary and JSON tell the same, of the namespace asked for"""
        names = [f"/tmp/see.{n}" for n in ("tsv", "raw", "jsonl")]
        with Net():
            number = os.stat("/run/netns/alice").st_ino
            tools = [subprocess.Popen(
                ["chalk", "trace", "--netns", "alice", "--port", "7000",
                 "--until-closed", "--timeout", "60", "--out", name])
                for name in names]
            self.assertTrue(wait_until(lambda: all(map(watches, tools)), 60))
            send_once(7000, SIZE // 4)
            for tool in tools:
                self.assertEqual(tool.wait(90), 0)
        text, raw, lines = ([self.exact(i) for i in chalk_forms.read(name)
                             if not isinstance(i, chalk_forms.Note)]
                            for name in names)
        self.assertGreater(len(text), 200)
        self.assertEqual(raw, text)
        self.assertEqual(lines, text)
        self.assertEqual({row["netns"] for row in text}, {number})
        notes = [i for i in chalk_forms.read(names[1])
                 if isinstance(i, chalk_forms.Note)]
        self.assertIn(chalk_forms.Note("netns", number, "alice"), notes)

    @staticmethod
    def exact(row) -> dict:
        """A row with no more of the time than text has."""
        return dict(row, time=row["time"] // 1000)

    def test_wrong_filter(self):
        """an event that there is not"""
        done = subprocess.run(["chalk", "trace", "--event", "nonsense"],
                              capture_output=True, text=True, check=False,
                              timeout=30)
        self.assertEqual(done.returncode, 1)
        self.assertIn("refuses the filter", done.stderr)


if __name__ == "__main__":
    unittest.main()
