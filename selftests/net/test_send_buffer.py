# SPDX-License-Identifier: GPL-2.0
"""What send() takes of a program that bounds it, for the sake of delay."""

import contextlib
import os
import socket
import tempfile
import time
import unittest

from glue import ADDRESS, FAMILIES, Glue, abort
from net import exact_clock, inside, receive_all, sh
from scene import CHALK, TCP


@exact_clock
class SendBuffer(Glue):
    """What send() takes of a program that bounds it, for the sake of delay"""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # TCP would else take what goes to the device in one piece
        sh("ip -n alice link set a0 gso_max_segs 1")

    def taken(self, protocol, family, options, send):
        """Bytes, of a path that loses all."""
        with inside("bob"):
            server = socket.socket(family, socket.SOCK_STREAM, protocol)
        self.addCleanup(abort, server)
        server.bind((ADDRESS["bob", family], 0))
        server.listen(1)
        with inside("alice"):
            sock = socket.socket(family, socket.SOCK_STREAM, protocol)
        self.addCleanup(abort, sock)
        for option in options:
            sock.setsockopt(*option)
        sock.connect(server.getsockname()[:2])
        conn = server.accept()[0]
        self.addCleanup(abort, conn)
        mend = self.cut()
        sock.setblocking(False)
        done = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                done += send(sock)
        mend()
        return done

    def test_bounds(self):
        """SO_SNDBUF and TCP_NOTSENT_LOWAT: about as much as TCP takes, of
        send() and of sendfile() (3 s)"""
        with tempfile.TemporaryFile() as file:
            file.truncate(1 << 20)

            def from_file(sock):
                return os.sendfile(sock.fileno(), file.fileno(), 0, 1 << 17)

            for name, value in ((socket.SO_SNDBUF, 2304),
                                (socket.SO_SNDBUF, 4096),
                                (socket.SO_SNDBUF, 16384)):
                self.compare([(socket.SOL_SOCKET, name, value)], from_file)
            for value in (1, 4096, 16384):
                self.compare([(socket.SOL_TCP, socket.TCP_NOTSENT_LOWAT,
                               value)], from_file)

    def test_no_more_comes(self):
        """a send() that ends early promises nothing: its last, small segment
        does not wait for more (0.1 s)"""
        sock, conn = self.pair(socket.AF_INET, [
            (socket.SOL_SOCKET, socket.SO_SNDBUF, 4096),
            (socket.SOL_TCP, socket.TCP_NODELAY, 1)])
        sock.setblocking(False)
        taken = sock.send(bytes(1 << 17))
        self.assertLess(taken, 1 << 17)
        begin = time.monotonic()
        self.assertEqual(len(receive_all(conn, taken)), taken)
        # RFC 9293 section 3.8.6.2.1: the override comes after 0.1 to 1 s
        self.assertLess(time.monotonic() - begin, 0.1)

    def compare(self, options, from_file):
        """Neither takes more than twice what the other does."""
        for family in FAMILIES:
            for send in (lambda sock: sock.send(bytes(1 << 17)), from_file):
                with self.subTest(options=options, family=family):
                    tcp = self.taken(TCP, family, options, send)
                    chalk = self.taken(CHALK, family, options, send)
                    self.assertLessEqual(chalk, 2 * tcp)
                    self.assertLessEqual(tcp, 2 * chalk)
        self.doCleanups()


if __name__ == "__main__":
    unittest.main()
