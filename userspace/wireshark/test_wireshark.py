# SPDX-License-Identifier: GPL-2.0
"""test_wireshark.py - tshark with chalk.lua and the profile, on a small capture.

The capture is made here, packet by packet, with right checksums but for one.
"""

import os
import shutil
import socket
import struct
import subprocess
import tempfile
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
LUA = os.path.join(HERE, "chalk.lua")
STREAM, DATAGRAM = 253, 254
A4, B4 = "10.0.1.1", "10.0.2.1"
A6, B6 = "2001:db8:1::1", "2001:db8:2::1"
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
LINKTYPE_RAW = 101


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def address(text: str) -> bytes:
    """Of either version, in network order."""
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    return socket.inet_pton(family, text)


def packet(source, to, number, body, at) -> bytes:
    """An IP packet; @at: where in @body its checksum belongs."""
    pseudo = address(source) + address(to) + struct.pack("!II", len(body),
                                                         number)
    total = checksum(pseudo + body) or 0xffff
    body = body[:at] + struct.pack("!H", total) + body[at + 2:]
    if ":" in source:
        return struct.pack("!IHBB", 6 << 28, len(body), number, 64) + \
            address(source) + address(to) + body
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, number,
                       0) + address(source) + address(to)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def segment(source, to, flags, seq, ack=0, payload=b"", ports=(40000, 2530)):
    """One of Chalk's streams."""
    body = struct.pack("!HHIIBBHHH", *ports, seq, ack, 5 << 4, flags, 8192, 0,
                       0) + payload
    return packet(source, to, STREAM, body, 16)


def datagram(source, to, payload) -> bytes:
    """One of Chalk's datagrams."""
    body = struct.pack("!HHHH", 40000, 2530, 8 + len(payload), 0) + payload
    return packet(source, to, DATAGRAM, body, 6)


def conversation(a, b) -> list:
    """A handshake, data, the same data again, and its ACK."""
    back = (2530, 40000)
    return [segment(a, b, SYN, 1000),
            segment(b, a, SYN | ACK, 5000, 1001, ports=back),
            segment(a, b, ACK, 1001, 5001),
            segment(a, b, ACK | PSH, 1001, 5001, b"odd"),
            segment(a, b, ACK | PSH, 1001, 5001, b"odd"),
            segment(b, a, ACK, 5001, 1004, ports=back),
            datagram(a, b, b"message")]


def write_pcap(path: str, packets: list, most=65535) -> None:
    """@most: bytes of a packet that are captured."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535,
                               LINKTYPE_RAW))
        for i, data in enumerate(packets):
            file.write(struct.pack("<IIII", i, 0, len(data[:most]),
                                   len(data)) + data[:most])


@unittest.skipUnless(shutil.which("tshark"), "no tshark: selftests/setup demo")
class WiresharkTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.home = directory.name
        shutil.copytree(os.path.join(HERE, "Chalk"),
                        os.path.join(self.home, "profiles/Chalk"))
        self.path = os.path.join(self.home, "test.pcap")

    def tshark(self, packets: list, *args: str, lua=True, most=65535) -> list:
        """The lines it prints about these packets."""
        write_pcap(self.path, packets, most)
        script = ["-X", f"lua_script:{LUA}"] if lua else []
        done = subprocess.run(
            ["tshark", "-r", self.path, "-C", "Chalk", *script, *args],
            capture_output=True, text=True, check=False, timeout=60,
            env=dict(os.environ, WIRESHARK_CONFIG_DIR=self.home))
        errors = [line for line in done.stderr.splitlines()
                  if line and not line.startswith("Running as user")]
        self.assertEqual((done.returncode, errors), (0, []))
        return done.stdout.splitlines()

    def fields(self, packets, *names: str, **options) -> list:
        """A list of these fields for each packet."""
        args = ["-T", "fields"] + [arg for name in names
                                   for arg in ("-e", name)]
        return [line.split("\t")
                for line in self.tshark(packets, *args, **options)]

    def test_both_protocols__over_both_versions_of_ip(self):
        for ends in ((A4, B4), (A6, B6)):
            found = self.fields(conversation(*ends), "_ws.col.Protocol",
                                "tcp.seq", "udp.length",
                                "chalk.checksum.status")
            self.assertEqual(found, [
                ["CHALK", "0", "", "1"], ["CHALK", "0", "", "1"],
                ["CHALK", "1", "", "1"], ["CHALK", "1", "", "1"],
                ["CHALK", "1", "", "1"], ["CHALK", "1", "", "1"],
                ["CHALK_DGRAM", "", "15", "1"]])

    def test_checksum__finds_the_damaged_one(self):
        for number, at in ((3, -1), (3, 20), (6, -1)):
            packets = conversation(A4, B4)
            damaged = bytearray(packets[number])
            damaged[at] ^= 4
            packets[number] = bytes(damaged)
            found = self.fields(packets, "chalk.checksum.status",
                                "_ws.expert.message")
            self.assertEqual([row[0] for row in found],
                             ["0" if i == number else "1" for i in range(7)])
            self.assertIn("The checksum is wrong", found[number][1])

    def test_checksum__is_as_captured_says(self):
        packets = conversation(A4, B4)
        right = struct.unpack("!H", packets[3][36:38])[0]
        packets[3] = packets[3][:36] + b"\x12\x34" + packets[3][38:]
        found = self.fields(packets, "chalk.checksum.expected")
        self.assertEqual(int(found[3][0], 16), right)

    def test_checksum__of_a_cut_packet_is_unknown(self):
        found = self.fields(conversation(A4, B4), "chalk.checksum.status",
                            most=41)
        self.assertEqual([row[0] for row in found],
                         ["1", "1", "1", "2", "2", "1", "1"])

    def test_analysis__is_tcp_s(self):
        found = self.fields(conversation(A4, B4), "frame.number", "tcp.len",
                            "tcp.flags.str")
        self.assertEqual(found[4][1], "3")
        again = self.tshark(conversation(A4, B4), "-Y",
                            "tcp.analysis.retransmission")
        self.assertEqual(len(again), 1)

    def test_profile__colours(self):
        packets = conversation(A4, B4)
        packets[3] = packets[3][:-1] + b"?"
        packets.append(segment(A4, B4, RST, 1004))
        # with --color the name of the rule is a field
        found = self.fields(packets, "frame.coloring_rule.name",
                            "frame.number")
        found = self.tshark(packets, "--color", "-T", "fields", "-e",
                            "frame.coloring_rule.name")
        self.assertEqual(found, ["SYN", "SYN", "", "Wrong checksum",
                                 "Sent again", "", "Datagram", "Reset"])

    def test_decode_as__is_enough_without_the_script(self):
        found = self.fields(conversation(A4, B4), "tcp.seq", "ip.proto",
                            lua=False)
        self.assertEqual(found[3], ["", "253"])
        found = self.tshark(conversation(A4, B4), "-d", "ip.proto==253,tcp",
                            "-d", "ip.proto==254,udp", "-T", "fields", "-e",
                            "tcp.seq", "-e", "udp.length", lua=False)
        self.assertEqual(found[3], "1\t")
        self.assertEqual(found[6], "\t15")


if __name__ == "__main__":
    unittest.main()
