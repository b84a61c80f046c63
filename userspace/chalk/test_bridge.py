# SPDX-License-Identifier: GPL-2.0
"""test_bridge.py - what chalk bridge understands, and what its list looks like.

What the programs do to packets is tested in the kernel: selftests/net/test_bridge.py.
"""

import os
import struct
import sys
import unittest
from unittest import mock

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

import chalk_bpf  # noqa: E402
import chalk_bridge  # noqa: E402
import chalk_bridge_print  # noqa: E402
from chalk_bridge import Bridge, Found  # noqa: E402
from chalk_bridge_program import COUNTERS, Program, Way, addresses  # noqa: E402
from test_fixture import chalk  # noqa: E402

sys.path.pop(0)


class NameTest(unittest.TestCase):
    """The name of the programs is all that is kept."""

    def test_name__there_and_back(self):
        for bridge in (Bridge("b0", "chalk", [], []),
                       Bridge("b0", "tcp", [80, 443], ["10.0.0.1", "::1"])):
            self.assertEqual(Bridge.parse("b0", bridge.name()), bridge)

    def test_name__of_others(self):
        for name in ("", "chalk", "chalk-bridge", "chalk-bridge wire=udp",
                     "chalk-bridge wire=tcp color=red",
                     "chalk-bridge wire=tcp wire=tcp"):
            self.assertIsNone(Bridge.parse("b0", name), name)

    def test_way__turns_with_the_wire(self):
        for wire, into in (("chalk", (253, 6)), ("tcp", (6, 253))):
            bridge = Bridge("b0", wire, [], [])
            self.assertEqual(bridge.way(True, 14)[:2], into)
            self.assertEqual(bridge.way(False, 14)[:2], into[::-1])

    def test_too_many__is_said(self):
        bridge = Bridge("lo", "tcp", list(range(10000, 10040)), [])
        with mock.patch.object(chalk_bridge, "header_of_link"), \
                self.assertRaisesRegex(chalk_bridge.TraceError, "give fewer"):
            chalk_bridge.add(mock.Mock(), bridge)


class ProgramTest(unittest.TestCase):
    """Its form; the kernel's verifier judges the rest."""

    def test_jumps__go_forward_and_stay_inside(self):
        for ports, peers in (([], []), ([80], []), ([1, 2], ["10.0.0.1"]),
                             ([], ["::1"])):
            code = Program(Way(253, 6, True, 14, ports, addresses(peers), 0),
                           3).bytes()
            places = list(struct.iter_unpack("=BBhi", code))
            for at, (op, _, off, _) in enumerate(places):
                if op & 7 in (5, 6) and op not in (0x85, 0x95):
                    self.assertTrue(0 <= off < len(places) - at - 1)
            self.assertEqual(places[-1][0], chalk_bpf.EXIT)

    def test_word__is_compared_as_32_bits(self):
        program = chalk_bpf.Assembler()
        program.jump_if_word(chalk_bpf.EQUAL, 1, 0xffffffff, "end")
        program.label("end")
        program.exit()
        self.assertEqual(struct.unpack("=BBhi", program.bytes()[:8]),
                         (0x16, 1, 0, -1))


class ListTest(unittest.TestCase):
    def show(self, into, out, bridge=Bridge("b0", "chalk", [], [])):
        found = mock.Mock(spec=Found, bridge=bridge)
        found.counts.return_value = ({**dict.fromkeys(COUNTERS, 0), **into},
                                     {**dict.fromkeys(COUNTERS, 0), **out})
        return list(chalk_bridge_print.lines(found))

    def test_quiet(self):
        self.assertEqual(self.show({}, {}), [
            "b0  wire chalk, all", "  in   253 ->   6  0 packets",
            "  out    6 -> 253  0 packets"])

    def test_all(self):
        lines = self.show({"packets": 1234, "errors": 1, "port": 1},
                          {"packets": 1, "oversized": 2},
                          Bridge("e0", "tcp", [80], ["::1"]))
        self.assertEqual(lines, [
            "e0  wire tcp, port 80, peer ::1",
            "  in     6 -> 253  1,234 packets, 1 ICMP error about them",
            "       1 packet left alone: of another port",
            "  out  253 ->   6  1 packet",
            "       2 packets dropped: larger than the MTU; turn off tso, gso "
            "and gro where they come from (ethtool -K)"])


class UsageTest(unittest.TestCase):
    def test_wrong__is_named(self):
        for words, error in (("add", "add needs a device"),
                             ("del", "del needs a device"),
                             ("list b0", "list goes without a device"),
                             ("fly", "invalid choice"),
                             ("add b0 --port 0", "invalid port value"),
                             ("add b0 --port 65536", "invalid port value"),
                             ("add b0 --peer bob", "invalid peer value"),
                             ("add b0 --wire udp", "invalid choice")):
            result = chalk("bridge", *words.split())
            self.assertEqual(result.returncode, 2, words)
            self.assertIn(error, result.stderr)

    def test_device__that_is_not_there(self):
        result = chalk("bridge", "del", "nosuchdevice")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, "^chalk bridge: there is no device "
                         "nosuchdevice here")

    def test_loopback__is_refused(self):
        result = chalk("bridge", "add", "lo")
        self.assertEqual(result.returncode, 1)
        self.assertIn("take the device of a link", result.stderr)


if __name__ == "__main__":
    unittest.main()
