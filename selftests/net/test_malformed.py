# SPDX-License-Identifier: GPL-2.0
"""Segments that are wrong: each is dropped, and counted under its reason."""

import socket
import struct
import time
import unittest

from net import ALICE, BOB, Net, chalk_socket, drops, inside, listener, table

SPORT, DPORT = 4000, 9


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def segment(flags=0x02, words=None, options=b"", payload=b"", sport=SPORT,
            seq=1000) -> bytes:
    """A segment from alice to bob with a right checksum."""
    words = 5 + len(options) // 4 if words is None else words
    head = struct.pack("!HHIIBBHHH", sport, DPORT, seq, 0, words << 4, flags,
                       8192, 0, 0)
    body = head + options + payload
    pseudo = (socket.inet_aton(ALICE) + socket.inet_aton(BOB) +
              struct.pack("!BBH", 0, 253, len(body)))
    return body[:16] + struct.pack("!H", checksum(pseudo + body)) + body[18:]


class Malformed(unittest.TestCase):
    """alice sends bob raw packets"""

    @classmethod
    def setUpClass(cls):
        net = Net()
        net.__enter__()
        cls.addClassCleanup(net.__exit__)

    def setUp(self):
        self.server = listener("bob", DPORT)
        self.addCleanup(self.server.close)
        with inside("alice"):
            self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253)
        self.addCleanup(self.raw.close)

    def count(self, packets) -> dict:
        """Send them; which drop counters grew, and by how much."""
        before = drops()
        for packet in packets:
            self.raw.sendto(packet, (BOB, 0))
        time.sleep(0.2)
        return {reason: n - before.get(reason, 0)
                for reason, n in drops().items() if n != before.get(reason, 0)}

    def only_the_listener_is_left(self):
        """No segment has made a connection."""
        states = {row["state"] for row in table("conns")} - {"TIME_WAIT"}
        self.assertEqual(states, {"LISTEN"})

    def test_any_bit_flipped(self):
        """one bit wrong anywhere, options and payload included"""
        good = segment(options=b"\x02\x04\x05\xb4", payload=b"chalk")
        flipped = []
        for bit in range(len(good) * 8):
            bad = bytearray(good)
            bad[bit // 8] ^= 1 << bit % 8
            flipped.append(bytes(bad))
        grown = self.count(flipped)
        self.assertEqual(sum(grown.values()), len(flipped), grown)
        self.assertLessEqual(set(grown), {"bad_checksum", "bad_header_length"})
        self.only_the_listener_is_left()

    def test_bad_header_length(self):
        """below 20, and past the end"""
        self.assertEqual(self.count([segment(words=4), segment(words=0),
                                     segment(words=6), segment(words=15)]),
                         {"bad_header_length": 4})
        self.only_the_listener_is_left()

    def test_too_short(self):
        """not even 20 bytes"""
        self.assertEqual(self.count([segment()[:n] for n in (1, 8, 19)]),
                         {"too_short": 3})

    def test_bad_options(self):
        """lengths of 0, 1, past the end, and wrong for their kind"""
        options = [b"\x02\x00\0\0", b"\x02\x01\0\0", b"\x02\x05\0\0",
                   b"\x02\x03\0\0", b"\x03\x04\0\0", b"\x08\x04\0\0",
                   b"\x01\x01\x01\xfe"]
        packets = [segment(options=o) for o in options]
        self.assertEqual(self.count(packets), {"bad_option": len(options)})
        self.only_the_listener_is_left()

    def test_bad_checksum(self):
        """the checksum field itself"""
        good = segment()
        self.assertEqual(self.count([good[:16] + b"\0\1" + good[18:]]),
                         {"bad_checksum": 1})

    def test_no_socket(self):
        """a right segment to a port where nobody listens"""
        packet = bytearray(segment())
        packet[2:4] = b"\0\x0a"
        packet[16:18] = struct.pack(
            "!H", checksum(socket.inet_aton(ALICE) + socket.inet_aton(BOB) +
                           struct.pack("!BBH", 0, 253, 20) +
                           bytes(packet[:16]) + b"\0\0\0\0"))
        grown = self.count([bytes(packet)])
        # once at bob's, and alice has no use for his RST
        self.assertEqual(grown, {"no_socket": 2})

    def test_to_listener(self):
        """RST, ACK without a connection, neither"""
        grown = self.count([segment(flags=0x04), segment(flags=0x00)])
        self.assertEqual(grown, {"rst_to_listener": 1, "no_syn_to_listener": 1})
        grown = self.count([segment(flags=0x10)])
        self.assertEqual(grown, {"ack_to_listener": 1, "no_socket": 1})

    def test_connection_survives(self):
        """a connection goes on through all of it"""
        sock = chalk_socket("alice")
        self.addCleanup(sock.close)
        sock.connect((BOB, DPORT))
        conn, _ = self.server.accept()
        self.addCleanup(conn.close)
        port = sock.getsockname()[1]
        self.count([segment(flags=0x04, sport=port, seq=s)
                    for s in range(0, 1 << 32, 1 << 24)])
        sock.sendall(b"still here")
        self.assertEqual(conn.recv(100), b"still here")


if __name__ == "__main__":
    unittest.main()
