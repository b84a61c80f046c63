# SPDX-License-Identifier: GPL-2.0
"""The window that a receiver offers, in units of its scale."""

import fcntl
import os
import socket
import struct
import termios
import time
import unittest

from glue import FAMILIES, abort, counts
from net import add_hosts, carry, exact_clock, inside, remove_hosts, sysctl
from rtnl import write_sysctls
from scene import CHALK, TCP
from streams import fill, pair


def fionread(sock) -> int:
    """Bytes to read."""
    return struct.unpack("i", fcntl.ioctl(sock, termios.FIONREAD, bytes(4)))[0]


@exact_clock
class Window(unittest.TestCase):
    """What the scale leaves of a window"""

    SIZES = "4096 131072 1073741824"

    @classmethod
    def setUpClass(cls):
        add_hosts(("host",))
        cls.addClassCleanup(remove_hosts, ("host",))

    def set_sizes(self, sizes):
        """Of receive buffers, of both protocols."""
        before = sysctl("host", "rmem")
        sysctl("host", "rmem", sizes)
        self.addCleanup(sysctl, "host", "rmem", before)
        write_sysctls("host", {"ipv4.tcp_rmem": sizes})

    def takes(self, protocol, family, sending=(), receiving=(), back=False):
        """How long 60,000 bytes take, or do in the other direction."""
        with inside("host"):
            ends = pair(protocol, family, sending, receiving)
        begin = time.monotonic()
        source, sink = reversed(ends) if back else ends
        with source, sink:
            data = os.urandom(60000)
            self.assertEqual(carry(source, sink, data), data)
        return time.monotonic() - begin

    def test_small_buffer(self):
        """a buffer of 4096 bytes, where it could grow to 1 GiB, or could not:
        as fast as with TCP (2 s)"""
        small = [(socket.SO_RCVBUF, 4096)]
        for family in FAMILIES:
            for protocol in (TCP, CHALK):
                self.set_sizes(self.SIZES)
                self.assertLess(self.takes(protocol, family, (), small), 1)
                self.assertLess(self.takes(protocol, family, small, (), True),
                                1)
                self.set_sizes("4096 4096 1073741824")
                self.assertLess(self.takes(protocol, family), 1)

    def test_probes(self):
        """two full sockets of the default size: each probes after 0.2 s, 0.4,
        0.8, ..., and no probe finds room (1 s)"""
        for family in FAMILIES:
            with inside("host"):
                ends = pair(CHALK, family)
            for end in ends:
                fill(end)
            time.sleep(2)
            unread = [fionread(end) for end in ends]
            before = counts("host")["TCPWinProbe"]
            time.sleep(100)
            probes = counts("host")["TCPWinProbe"] - before
            self.assertEqual([fionread(end) for end in ends], unread)
            # 2 s is between the fourth and the fifth
            self.assertGreaterEqual(probes, 2 * 4)
            self.assertLessEqual(probes, 2 * 6)
            for end in ends:
                abort(end)


if __name__ == "__main__":
    unittest.main()
