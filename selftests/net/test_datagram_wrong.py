# SPDX-License-Identifier: GPL-2.0
"""Datagrams that are wrong, lost, or too many; and what debugfs shows."""

import contextlib
import ctypes
import os
import socket
import struct
import threading
import time
import unittest

from dgram import IPPROTO_CHALK_DGRAM, Maker, checksum, is_empty, patience
from net import (ALICE, ALICE6, BOB, BOB6, Net, Trace, drops, inside, sh, table,
                 wait_until)


class Wrong:
    """alice sends bob raw packets of protocol 254"""

    family = socket.AF_INET
    alice = bob = ""

    @classmethod
    def setUpClass(cls):
        net = Net()
        net.__enter__()
        cls.addClassCleanup(net.__exit__)

    def setUp(self):
        with contextlib.ExitStack() as stack:
            self.make = Maker("chalk", self.family, stack)
            self.socket = self.make(bind=(self.bob, 700))
            with inside("alice"):
                self.raw = stack.enter_context(socket.socket(
                    self.family, socket.SOCK_RAW, IPPROTO_CHALK_DGRAM))
            self.addCleanup(stack.pop_all().close)

    def datagram(self, payload: bytes, length=None, check=None,
                 dport=700) -> bytes:
        """A datagram from alice to bob, right unless told otherwise."""
        if length is None:
            length = 8 + len(payload)
        head = struct.pack("!HHHH", 4000, dport, length, 0)
        pseudo = (socket.inet_pton(self.family, self.alice) +
                  socket.inet_pton(self.family, self.bob) +
                  struct.pack("!HH", IPPROTO_CHALK_DGRAM, length))
        if check is None:
            check = checksum(pseudo + (head + payload)[:length]) or 0xffff
        return head[:6] + struct.pack("!H", check) + payload

    def count(self, packets) -> dict:
        """Send them; which drop counters grew, and by how much."""
        before = drops()
        for packet in packets:
            self.raw.sendto(packet, (self.bob, 0))
        time.sleep(0.2)
        return {reason: n - before.get(reason, 0)
                for reason, n in drops().items() if n != before.get(reason, 0)}

    def test_right(self):
        """the helper of this test makes datagrams that are taken"""
        self.assertEqual(self.count([self.datagram(b"data"),
                                     self.datagram(b"")]), {})
        data, sender = self.socket.recvfrom(10)
        self.assertEqual((data, sender[:2]), (b"data", (self.alice, 4000)))
        self.assertEqual(self.socket.recv(10), b"")

    def test_any_bit_flipped(self):
        """one bit wrong anywhere"""
        good = self.datagram(b"some payload")
        packets = []
        for i in range(len(good) * 8):
            bad = bytearray(good)
            bad[i // 8] ^= 1 << i % 8
            packets.append(bytes(bad))
        grown = self.count(packets)
        self.assertEqual(sum(grown.values()), len(packets))
        self.assertLessEqual(set(grown), {"datagram_bad_checksum",
                                          "datagram_bad_length"})
        self.assertTrue(is_empty(self.socket))

    def test_lengths(self):
        """shorter than a header, longer than the packet, padded"""
        self.assertEqual(
            self.count([self.datagram(b"")[:n] for n in range(1, 8)]),
            {"datagram_too_short": 7})
        self.assertEqual(
            self.count([self.datagram(b"abc", n) for n in (0, 7, 12, 65535)]),
            {"datagram_bad_length": 4})
        self.assertTrue(is_empty(self.socket))
        # bytes beyond the length are padding: neither summed nor delivered
        self.assertEqual(self.count([self.datagram(b"abcpad", 11)]), {})
        self.assertEqual(self.socket.recv(10), b"abc")

    def test_no_checksum(self):
        """a checksum of 0 is none, and that is not allowed"""
        self.assertEqual(self.count([self.datagram(b"abc", check=0)]),
                         {"datagram_no_checksum": 1})
        self.assertTrue(is_empty(self.socket))

    def test_sum_of_zero(self):
        """where the sum comes out as 0 all ones are sent, and taken"""
        sender = self.make("alice", (self.alice, 4000))
        # choose the payload so that the sum is 0
        payload = self.datagram(b"\0\0")[6:8]
        with inside("bob"):
            raw = socket.socket(self.family, socket.SOCK_RAW,
                                IPPROTO_CHALK_DGRAM)
        self.addCleanup(raw.close)
        patience(raw, 5)
        sender.sendto(payload, (self.bob, 700))
        self.assertEqual(self.socket.recv(10), payload)
        self.assertEqual(raw.recv(100)[-4:-2], b"\xff\xff")

    def test_no_socket(self):
        """counted, and answered by ICMP"""
        protocol, unreachable = self.port_unreachable
        with inside("alice"):
            icmp = socket.socket(self.family, socket.SOCK_RAW, protocol)
        self.addCleanup(icmp.close)
        patience(icmp, 5)
        self.assertEqual(self.count([self.datagram(b"x", dport=799)]),
                         {"datagram_no_socket": 1})
        self.assertTrue(wait_until(
            lambda: unreachable in icmp.recv(200)[:22], 5))

    def test_filter(self):
        """SO_ATTACH_FILTER sees the header, and may refuse or cut"""
        # ldh [2]; jeq 700: take 8 + 3 bytes; else: 0
        code = struct.pack("=" + "HBBI" * 4, 0x28, 0, 0, 2, 0x15, 0, 1, 700,
                           0x06, 0, 0, 11, 0x06, 0, 0, 0)
        other = self.make(bind=(self.bob, 701))
        for sock in (self.socket, other):
            attach_filter(sock, code)
        self.assertEqual(self.count([self.datagram(b"abcdef"),
                                     self.datagram(b"abc", dport=701)]),
                         {"datagram_filtered": 1})
        self.assertEqual(self.socket.recv(10), b"abc")
        self.assertTrue(is_empty(other))


class WrongIpv4(Wrong, unittest.TestCase):
    """the same over IPv4"""

    alice, bob = ALICE, BOB
    port_unreachable = (socket.IPPROTO_ICMP, bytes([3, 3]))


class WrongIpv6(Wrong, unittest.TestCase):
    """the same over IPv6"""

    family = socket.AF_INET6
    alice, bob = ALICE6, BOB6
    port_unreachable = (socket.IPPROTO_ICMPV6, bytes([1, 4]))


class Observed(unittest.TestCase):
    """what debugfs shows, and what a bad network does"""

    @classmethod
    def setUpClass(cls):
        cls.net = Net()
        cls.net.__enter__()
        cls.addClassCleanup(cls.net.__exit__)

    def maker(self, family=socket.AF_INET) -> Maker:
        """Of Chalk's sockets, for one test."""
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        return Maker("chalk", family, stack)

    def check_trace(self, family, alice, bob, form):
        """Both ends of a datagram, and one for nobody."""
        make = self.maker(family)
        receiver, sender = make(bind=(bob, 700)), make("alice", (alice, 701))
        trace = Trace()
        sender.sendto(b"hello", (bob, 700))
        receiver.recv(10)
        sender.sendto(b"hello", (bob, 799))
        time.sleep(0.2)
        records = [(r["event"], r["cause"], r["local"], r["remote"], r["len"])
                   for r in trace.stop()]
        a, b, nobody = (form.format(*end) for end in ((alice, 701), (bob, 700),
                                                      (bob, 799)))
        self.assertEqual(records, [
            ("send", "datagram", a, b, "5"),
            ("recv", "datagram", b, a, "5"),
            ("send", "datagram", a, nobody, "5"),
            ("drop", "datagram_no_socket", nobody, a, "5")])

    def test_trace(self):
        """one record sent, one received, with ports and length"""
        self.check_trace(socket.AF_INET, ALICE, BOB, "{}:{}")

    def test_trace_ipv6(self):
        """the same with longer addresses"""
        self.check_trace(socket.AF_INET6, ALICE6, BOB6, "[{}]:{}")

    def test_tables(self):
        """queues, drops, and the totals"""
        make = self.maker()
        before = totals()
        bob, alice = make(bind=(BOB, 700)), make("alice")
        bob.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(50):
            alice.sendto(b"x" * 500, (BOB, 700))
        time.sleep(0.2)
        row = [r for r in table("dgrams") if r["local"] == f"{BOB}:700"][0]
        self.assertGreater(int(row["rx_queue"]), 500)
        with contextlib.suppress(BlockingIOError):
            while True:
                bob.recv(1000, socket.MSG_DONTWAIT)
        taken = totals()["in"] - before["in"]
        self.assertEqual(totals()["out"] - before["out"], 50)
        self.assertEqual(taken + int(row["drops"]), 50)
        self.assertGreater(int(row["drops"]), 0)
        bob.close()
        self.assertEqual([r for r in table("dgrams")
                          if r["local"] == f"{BOB}:700"], [])

    def test_family_chalk(self):
        """socket(AF_CHALK, SOCK_DGRAM, ...) makes the same sockets"""
        with inside("bob"):
            for protocol, family, address in ((0, socket.AF_INET, BOB),
                                              (1, socket.AF_INET6, BOB6)):
                with socket.socket(19, socket.SOCK_DGRAM, protocol) as sock:
                    self.assertEqual([sock.getsockopt(socket.SOL_SOCKET, name)
                                      for name in (socket.SO_DOMAIN,
                                                   socket.SO_PROTOCOL)],
                                     [family, IPPROTO_CHALK_DGRAM])
                    same = socket.socket(family, socket.SOCK_DGRAM,
                                         IPPROTO_CHALK_DGRAM, sock.detach())
                    with same:
                        same.bind((address, 700))
                        self.assertEqual(same.getsockname()[:2],
                                         (address, 700))

    def test_bad_network(self):
        """what is lost stays lost; what arrives is whole, perhaps twice"""
        make = self.maker()
        bob, alice = make(bind=(BOB, 700)), make("alice")
        self.net.netem("delay 5ms 3ms loss 10% duplicate 5% corrupt 5%")
        self.addCleanup(sh, "for dev in ra rb; do ip netns exec router"
                        " tc qdisc del dev $dev root; done")
        sent = [struct.pack("!I", i) + os.urandom(i % 3000)
                for i in range(500)]
        before = drops()
        got = []

        def drain():
            with contextlib.suppress(BlockingIOError):
                while True:
                    got.append(bob.recv(4000, socket.MSG_DONTWAIT))

        for data in sent:
            alice.sendto(data, (BOB, 700))
            time.sleep(0.001)
            drain()
        time.sleep(1)
        drain()
        for data in got:
            self.assertEqual(data, sent[struct.unpack("!I", data[:4])[0]])
        self.assertLess(len(set(got)), 500)
        self.assertGreater(len(set(got)), 200)
        self.assertGreater(len(got), len(set(got)))
        grown = drops()["datagram_bad_checksum"] - \
            before["datagram_bad_checksum"]
        self.assertGreater(grown, 0)


class Stress(unittest.TestCase):
    """many threads, sockets that come and go, ports that change hands"""

    @classmethod
    def setUpClass(cls):
        net = Net()
        net.__enter__()
        cls.addClassCleanup(net.__exit__)

    def test_churn(self):
        """everything at once; in the end sockets still work"""
        for family, alice, bob in ((socket.AF_INET, ALICE, BOB),
                                   (socket.AF_INET6, ALICE6, BOB6)):
            with contextlib.ExitStack() as stack:
                self.churn(Maker("chalk", family, stack), alice, bob)
        self.assertEqual(table("dgrams"), [])

    def churn(self, make, alice, bob):
        """Threads for two seconds, and until each has done its step."""
        end = time.monotonic() + 2
        errors, done = [], set()

        def forever(step):
            def run():
                try:
                    while time.monotonic() < end or step not in done:
                        with contextlib.suppress(OSError):
                            step()
                            done.add(step)
                        self.assertLess(time.monotonic(), end + 200, step)
                except BaseException as err:  # pylint: disable=broad-except
                    errors.append(err)
            return threading.Thread(target=run)

        shared = make("alice", (alice, 900))
        reader = make(bind=(bob, 700))
        patience(reader, 0.1)
        patience(shared, 0.1)

        def receivers_come_and_go():
            with inside("bob"), socket.socket(
                    make.family, socket.SOCK_DGRAM,
                    IPPROTO_CHALK_DGRAM) as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                sock.bind((bob, 701))
                sock.connect((alice, 900))
                sock.send(b"a")
                with contextlib.suppress(BlockingIOError):
                    sock.recv(10, socket.MSG_DONTWAIT)

        def grow():
            shared.sendto(b"x" * 900, socket.MSG_MORE, (bob, 701))
            shared.sendto(b"y" * 900, (bob, 701))

        def reconnect():
            shared.connect((bob, 700))
            shared.send(b"z")

        threads = [forever(step) for step in (
            receivers_come_and_go, receivers_come_and_go, grow, reconnect,
            lambda: shared.sendto(b"x" * 2000, (bob, 701)),
            lambda: shared.sendto(b"", (bob, 700)),
            lambda: shared.recv(100),
            # once it has a peer it hears nobody else
            lambda: reader.sendto(b"r", (alice, 900)),
            lambda: reader.recv(3000),
            lambda: table("dgrams"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        # what grew last is sent or forgotten, and all goes on
        shared.close()
        with contextlib.suppress(BlockingIOError):
            while True:
                reader.recv(3000)
        again = make("alice", (alice, 901))
        again.sendto(b"the end", (bob, 700))
        self.assertEqual(reader.recv(3000), b"the end")


def totals() -> dict:
    """Datagrams in and out, over all namespaces."""
    rows = table("dgram_totals")
    return {way: sum(int(row[way]) for row in rows) for way in ("in", "out")}


def attach_filter(sock, code: bytes):
    """Let a classic BPF program judge what a socket receives."""
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("=HxxxxxxQ", len(code) // 8,
                          ctypes.addressof(buffer))
    sock.setsockopt(socket.SOL_SOCKET, 26, program)
