# SPDX-License-Identifier: GPL-2.0
"""The pictures of the textbook, asserted on the trace of the module."""

import socket
import threading
import unittest

from net import (BOB, Trace, Wire, chalk_socket, exact_clock, fast_kernel,
                 listener, segment_of, sysctl, table, wait_until)

ONE_WAY = 0.05


class Lossy:
    """A wire of 50 ms that loses some data segments once, by their number."""

    def __init__(self, *numbers):
        self.numbers = set(numbers)
        self.seen = set()

    def __call__(self, packet, to_bob):
        seg = segment_of(packet)
        if to_bob and seg["proto"] == 253 and seg["len"]:
            first_time = seg["seq"] not in self.seen
            self.seen.add(seg["seq"])
            if first_time and len(self.seen) in self.numbers:
                return []
        return [ONE_WAY]


def read_all(server):
    """Take one connection and all that comes."""
    conn, _ = server.accept()
    while conn.recv(1 << 16):
        pass
    conn.close()


def send(segments: int, judge, algorithm: str = "newreno") -> list:
    """alice sends so many segments to bob; the events of alice's end."""
    with Wire(judge):
        for host in ("alice", "bob"):
            sysctl(host, "initial_window", 1)
            sysctl(host, "congestion_control", algorithm)
        server = listener("bob", 80)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        reader = threading.Thread(target=read_all, args=(server,),
                                  daemon=True)
        reader.start()
        trace = Trace()
        sock = chalk_socket("alice")
        # both buffers hold all of it: what goes out is for cwnd to decide
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        sock.connect((BOB, 80))
        sock.sendall(bytes(segments * MSS))
        sock.close()
        reader.join()
        server.close()
        # the network must not go before the last FIN is acknowledged
        wait_until(lambda: all(row["state"] == "TIME_WAIT"
                               for row in table("conns")), 10)
        return [ev for ev in trace.stop() if ev["remote"] == f"{BOB}:80"]


MSS = 1448


def numbers(events: list, kind: str) -> list:
    """(cause, old, new, flight) of the events of one kind"""
    return [(ev["cause"], int(ev["old"]), int(ev["new"]), int(ev["flight"]))
            for ev in events if ev["event"] == kind]


def thresholds(events: list) -> list:
    """The same of ssthresh, from its first reduction on."""
    return [n for n in numbers(events, "ssthresh")
            if n[0] != "initial threshold"]


@exact_clock
class Textbook(unittest.TestCase):
    """NewReno, Reno and Tahoe as the notes draw them"""

    @fast_kernel
    def test_slow_start_doubles(self):
        """IW = 1, no loss: 1, 2, 4, 8, 16, 32 MSS, a round trip each"""
        events = send(63, Lossy())
        begin = next(float(ev["time"]) for ev in events
                     if ev["event"] == "send" and int(ev["len"]))
        rounds = {}
        for ev in events:
            if ev["event"] == "send" and int(ev["len"]):
                age = (float(ev["time"]) - begin) / (2 * ONE_WAY)
                rounds[int(age)] = rounds.get(int(age), 0) + 1
        self.assertEqual([rounds[i] for i in range(6)], [1, 2, 4, 8, 16, 32])
        causes = {cause for cause, *_ in numbers(events, "cwnd")}
        self.assertEqual(causes, {"initial window", "slow start"})

    def test_third_duplicate_ack(self):
        """ssthresh = half the flight, cwnd = ssthresh + 3, then ssthresh"""
        events = send(200, Lossy(40))
        (cause, _, ssthresh, flight), = thresholds(events)
        self.assertEqual(cause, "third duplicate ACK")
        # the two segments of limited transmit do not count (RFC 5681 3.2)
        self.assertEqual(ssthresh, (flight - 2 * MSS) // 2)
        self.assertGreaterEqual(ssthresh, 2 * MSS)
        cwnd = numbers(events, "cwnd")
        at = [cause for cause, *_ in cwnd].index("third duplicate ACK")
        self.assertEqual(cwnd[at][2], ssthresh + 3 * MSS)
        done = [n for n in cwnd if n[0] == "recovery done"]
        # RFC 6582 3.2, full acknowledgments, option 1
        (_, _, value, flight), = done
        self.assertEqual(value, min(ssthresh, flight + MSS))
        self.assertGreaterEqual(value, ssthresh - MSS)
        after = cwnd[[n[0] for n in cwnd].index("recovery done") + 1:]
        self.assertTrue(after)
        for cause, old, new, _ in after:
            self.assertEqual(new - old, MSS)
            self.assertEqual(cause, "slow start" if old < ssthresh else
                             "congestion avoidance")
        resent = [ev for ev in events if ev["event"] == "rtx"]
        self.assertEqual([ev["cause"] for ev in resent],
                         ["third duplicate ACK"])

    def test_tahoe(self):
        """the same loss without fast recovery: cwnd = 1 MSS, slow start"""
        events = send(200, Lossy(40), "tahoe")
        (cause, _, ssthresh, _), = thresholds(events)
        self.assertEqual(cause, "third duplicate ACK")
        cwnd = numbers(events, "cwnd")
        at = [n[0] for n in cwnd].index("third duplicate ACK")
        self.assertEqual(cwnd[at][2], MSS)
        for cause, old, _, _ in cwnd[at + 1:]:
            self.assertEqual(cause, "slow start" if old < ssthresh else
                             "congestion avoidance")
        self.assertGreater(cwnd[-1][2], ssthresh)

    def test_reno(self):
        """three losses of one window: two recoveries, and a timeout"""
        events = send(200, Lossy(60, 62, 64), "reno")
        self.assertEqual([n[0] for n in thresholds(events)],
                         ["third duplicate ACK"] * 2
                         + ["retransmission timeout"])
        (_, _, first, flight), (_, _, second, _), _ = thresholds(events)
        self.assertEqual(first, (flight - 2 * MSS) // 2)
        # RFC 5681 3.2, step 6: each ends with the first ACK of new data
        deflated = [n[2] for n in numbers(events, "cwnd")
                    if n[0] == "window deflated"]
        self.assertEqual(deflated, [first, second])
        resent = [ev["cause"] for ev in events if ev["event"] == "rtx"]
        self.assertEqual(resent[:3], ["third duplicate ACK"] * 2
                         + ["resend after the timeout"])

    def test_newreno(self):
        """the same three losses: one recovery, and no timeout"""
        events = send(200, Lossy(60, 62, 64))
        self.assertEqual([n[0] for n in thresholds(events)],
                         ["third duplicate ACK"])
        resent = [ev["cause"] for ev in events if ev["event"] == "rtx"]
        self.assertEqual(resent, ["third duplicate ACK"]
                         + ["partial ACK"] * 2)

    def test_timeout(self):
        """a whole flight is lost: ssthresh = half of it, cwnd = 1 MSS"""
        events = send(60, Lossy(*range(16, 32)))
        ssthresh = thresholds(events)
        self.assertEqual([n[0] for n in ssthresh], ["retransmission timeout"])
        _, _, value, flight = ssthresh[0]
        self.assertEqual(flight, 16 * MSS)
        self.assertEqual(value, 8 * MSS)
        cwnd = numbers(events, "cwnd")
        at = [n[0] for n in cwnd].index("retransmission timeout")
        self.assertEqual(cwnd[at][2], MSS)
        self.assertEqual(cwnd[at + 1][0], "slow start")

    def test_ssthresh_floor(self):
        """a timeout with one segment in flight: ssthresh is 2 MSS"""
        events = send(8, Lossy(1))
        cause, _, value, flight = thresholds(events)[0]
        self.assertEqual((cause, value, flight),
                         ("retransmission timeout", 2 * MSS, MSS))


if __name__ == "__main__":
    unittest.main()
