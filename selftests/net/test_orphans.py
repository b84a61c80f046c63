# SPDX-License-Identifier: GPL-2.0
"""Connections that no process holds: how long they live."""

import os
import pathlib
import socket
import time
import unittest

from glue import FAMILIES, Glue, counts
from net import exact_clock, is_busy, wait_until
from streams import fill


@exact_clock
class Orphans(Glue):
    """Connections that no process holds"""

    def test_shut_window(self):
        """a peer that answers each probe and never reads keeps one for as long
        as its retransmissions would last; it hears of that (2 s)"""
        for family in FAMILIES:
            sock, conn = self.pair(family, listening=[
                (socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)])
            fill(sock)
            time.sleep(1)
            begin = time.monotonic()
            sock.close()
            self.assertTrue(is_busy("alice"))
            self.assertTrue(wait_until(lambda: not is_busy("alice"), 300, 1))
            self.assertGreater(time.monotonic() - begin, 90)
            self.assertLess(time.monotonic() - begin, 130)
            with self.assertRaises(ConnectionResetError):
                while conn.recv(1 << 16):
                    pass

    def test_too_many(self):
        """of more than net.chalk.max_orphans the last one is reset, others
        where a timeout finds them (2 s)"""
        limit = pathlib.Path("/proc/sys/net/chalk/max_orphans")
        before = limit.read_text(encoding="ascii")
        self.addCleanup(limit.write_text, before, encoding="ascii")
        for family in FAMILIES:
            aborts = counts("alice")["TCPAbortOnMemory"]
            ends = [self.pair(family) for _ in range(4)]
            for sock, _ in ends:
                fill(sock)
            limit.write_text("2", encoding="ascii")
            for n, (sock, _) in enumerate(ends):
                sock.close()
                self.assertEqual(counts("alice")["TCPAbortOnMemory"] - aborts,
                                 max(n - 1, 0))
            with self.assertRaises(ConnectionResetError):
                while ends[3][1].recv(1 << 20):
                    pass
            self.assertTrue(is_busy("alice"))
            limit.write_text("0", encoding="ascii")
            self.assertTrue(wait_until(lambda: not is_busy("alice"), 200))
            self.assertEqual(counts("alice")["TCPAbortOnMemory"] - aborts, 4)
            limit.write_text(before, encoding="ascii")

    def test_that_gets_on(self):
        """one whose peer reads now and then goes on to its end (1 s)"""
        sock, conn = self.pair(listening=[
            (socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)])
        data = os.urandom(20000)
        sock.sendall(data)
        sock.close()
        got = b""
        while len(got) < len(data):
            time.sleep(60)
            got += conn.recv(4096)
        self.assertEqual(got, data)
        self.assertEqual(conn.recv(1), b"")


if __name__ == "__main__":
    unittest.main()
