# SPDX-License-Identifier: GPL-2.0
"""Chalk over IPv6: the same connections, other addresses."""

import ctypes
import errno
import hashlib
import os
import socket
import threading
import unittest

from net import (ALICE, ALICE6, BOB, BOB6, Net, chalk_socket, inside, listener,
                 table, wait_until)

AF_INET6 = socket.AF_INET6
SO_DOMAIN = 39


def fails(test, number, function, *args):
    """The call fails with this errno."""
    with test.assertRaises(OSError) as caught:
        function(*args)
    test.assertEqual(errno.errorcode[caught.exception.errno],
                     errno.errorcode[number])


class Hosts(unittest.TestCase):
    """alice and bob"""

    @classmethod
    def setUpClass(cls):
        cls.net = Net()
        cls.net.__enter__()
        cls.addClassCleanup(cls.net.__exit__)

    def pair(self, address=BOB6, port=80, server=None):
        """A connected pair of sockets, alice's first."""
        server = server or listener("bob", port, family=AF_INET6)
        sock = chalk_socket("alice", AF_INET6)
        sock.connect((address, port))
        conn, _ = server.accept()
        conn.settimeout(300)
        server.close()
        self.addCleanup(conn.close)
        self.addCleanup(sock.close)
        return sock, conn


class Sockets(Hosts):
    """no loss"""

    def test_names(self):
        """getsockname and getpeername agree at both ends"""
        sock, conn = self.pair()
        self.assertEqual(sock.getpeername(), (BOB6, 80, 0, 0))
        self.assertEqual(conn.getsockname(), (BOB6, 80, 0, 0))
        self.assertEqual(sock.getsockname(), conn.getpeername())
        self.assertEqual(sock.getsockname()[0], ALICE6)
        self.assertEqual(conn.getsockopt(socket.SOL_SOCKET, SO_DOMAIN),
                         AF_INET6)

    def test_family_chalk(self):
        """socket(AF_CHALK, SOCK_STREAM, CHALKPROTO_INET6) makes the same"""
        libc = ctypes.CDLL(None, use_errno=True)
        with inside("alice"):
            fd = libc.socket(19, socket.SOCK_STREAM, 1)
        self.assertGreaterEqual(fd, 0)
        with listener("bob", 81, family=AF_INET6) as server, \
                socket.socket(fileno=fd) as sock:
            self.assertEqual(sock.family, AF_INET6)
            sock.settimeout(300)
            sock.connect((BOB6, 81))
            server.accept()[0].close()
            self.assertEqual(sock.recv(1), b"")

    def test_loopback(self):
        """::1, and no address at all, are this host"""
        with listener("alice", 82, family=AF_INET6) as server:
            for address in ("::1", "::"):
                sock = chalk_socket("alice", AF_INET6)
                sock.connect((address, 82))
                conn, peer = server.accept()
                self.assertEqual(peer[0], "::1")
                sock.sendall(b"x")
                self.assertEqual(conn.recv(1), b"x")
                sock.close()
                conn.close()

    def test_refused(self):
        """nobody listens"""
        fails(self, errno.ECONNREFUSED,
              chalk_socket("alice", AF_INET6).connect, (BOB6, 1))

    def test_shown(self):
        """debugfs shows addresses in brackets"""
        self.pair(port=83)
        rows = {row["local"]: row for row in table("conns")
                if row["state"] == "ESTABLISHED"}
        self.assertIn(f"[{BOB6}]:83", rows)
        self.assertTrue(rows[f"[{BOB6}]:83"]["remote"].startswith(
            f"[{ALICE6}]:"))


class DualStack(Hosts):
    """a socket of AF_INET6 that speaks IPv4"""

    def test_accept(self):
        """a listener on :: takes both"""
        with listener("bob", 80, family=AF_INET6) as server:
            for family, address in ((socket.AF_INET, BOB), (AF_INET6, BOB6)):
                sock = chalk_socket("alice", family)
                sock.connect((address, 80))
                conn, peer = server.accept()
                self.assertEqual(
                    peer[0],
                    ALICE6 if family == AF_INET6 else f"::ffff:{ALICE}")
                sock.sendall(b"hello")
                self.assertEqual(conn.recv(9), b"hello")
                conn.sendall(b"world")
                self.assertEqual(sock.recv(9), b"world")
                sock.close()
                self.assertEqual(conn.recv(1), b"")
                conn.close()

    def test_connect_mapped(self):
        """connect to ::ffff:a.b.c.d goes by IPv4"""
        with listener("bob", 81) as server:
            sock = chalk_socket("alice", AF_INET6)
            sock.connect((f"::ffff:{BOB}", 81))
            conn, peer = server.accept()
            self.assertEqual(peer[0], ALICE)
            self.assertEqual(sock.getsockname()[0], f"::ffff:{ALICE}")
            self.assertEqual(sock.getpeername()[:2], (f"::ffff:{BOB}", 81))
            conn.sendall(b"hello")
            self.assertEqual(sock.recv(9), b"hello")
            self.assertIn(f"{BOB}:81", [r["remote"] for r in table("conns")])
            conn.close()
            sock.close()

    def test_v6only(self):
        """IPV6_V6ONLY keeps IPv4 out, both ways"""
        server = chalk_socket("bob", AF_INET6)
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        server.bind(("::", 82))
        server.listen()
        fails(self, errno.ECONNREFUSED, chalk_socket("alice").connect,
              (BOB, 82))
        self.pair(port=82, server=server)
        sock = chalk_socket("alice", AF_INET6)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        fails(self, errno.ENETUNREACH, sock.connect, (f"::ffff:{BOB}", 82))


class Transfer(Hosts):
    """bytes over a bad network"""

    def carry(self, address, size=1 << 20):
        """@size bytes from alice to bob, all of them"""
        sock, conn = self.pair(address)
        data = os.urandom(size)
        thread = threading.Thread(target=lambda: (sock.sendall(data),
                                                  sock.close()))
        thread.start()
        digest = hashlib.sha256()
        while piece := conn.recv(1 << 16):
            digest.update(piece)
        thread.join()
        self.assertEqual(digest.digest(), hashlib.sha256(data).digest())

    def test_clean(self):
        """no loss"""
        self.carry(BOB6)

    def test_loss(self):
        """2 of 100 packets are lost, some come twice, some late"""
        self.net.netem("delay 10ms loss 2% duplicate 1% reorder 1%")
        self.addCleanup(self.net.netem, "delay 0")
        self.carry(BOB6)
        self.carry(f"::ffff:{BOB}")


if __name__ == "__main__":
    unittest.main()
