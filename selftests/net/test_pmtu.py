# SPDX-License-Identifier: GPL-2.0
"""Path MTU discovery (RFC 1191, RFC 8201): the path shrinks under a transfer."""

import os
import socket
import threading
import unittest

from net import BOB, BOB6, Net, chalk_socket, listener, sh, wait_until

IP_MTU, IPV6_MTU = 14, 24
SIZE = 2 << 20
TIMESTAMPS = 12


class Pmtu(unittest.TestCase):
    """alice sends; the router's link to bob gets narrow, then wide"""

    def setUp(self):
        self.net = Net()
        self.net.__enter__()
        self.addCleanup(self.net.__exit__)

    def pair(self, family, address):
        """A connected pair, alice's first"""
        server = listener("bob", 80, family=family)
        sock = chalk_socket("alice", family)
        sock.connect((address, 80))
        conn, _ = server.accept()
        conn.settimeout(300)
        for end in (server, sock, conn):
            self.addCleanup(end.close)
        return sock, conn

    def carry(self, sock, conn):
        """SIZE bytes arrive as they were"""
        data = os.urandom(SIZE)
        thread = threading.Thread(target=sock.sendall, args=(data,))
        thread.start()
        got = bytearray()
        while len(got) < SIZE:
            got += conn.recv(1 << 18)
        thread.join()
        self.assertEqual(bytes(got), data)

    def shrinks(self, family, address, mtu, level, option, header):
        """The path's MTU becomes @mtu; a segment follows."""
        sock, conn = self.pair(family, address)
        self.carry(sock, conn)
        mss = sock.getsockopt(socket.SOL_TCP, socket.TCP_MAXSEG)
        self.assertEqual(mss, 1500 - header - 20 - TIMESTAMPS)
        sh(f"ip -n router link set rb mtu {mtu}")
        self.carry(sock, conn)
        self.assertEqual(sock.getsockopt(level, option), mtu)
        mss = sock.getsockopt(socket.SOL_TCP, socket.TCP_MAXSEG)
        self.assertEqual(mss, mtu - header - 20 - TIMESTAMPS)
        sh("ip -n router link set rb mtu 1500")
        self.carry(sock, conn)

    def test_ipv4(self):
        """fragmentation needed"""
        self.shrinks(socket.AF_INET, BOB, 1000, socket.IPPROTO_IP, IP_MTU, 20)

    def test_ipv6(self):
        """packet too big"""
        self.shrinks(socket.AF_INET6, BOB6, 1300, socket.IPPROTO_IPV6,
                     IPV6_MTU, 40)

    def test_mapped(self):
        """a socket of AF_INET6 that speaks IPv4"""
        self.shrinks(socket.AF_INET6, f"::ffff:{BOB}", 1000,
                     socket.IPPROTO_IP, IP_MTU, 20)

    def test_while_the_program_owns_the_socket(self):
        """messages that come while a call holds the lock count, too"""
        sock, conn = self.pair(socket.AF_INET6, BOB6)
        threads = [threading.Thread(target=self.carry, args=(sock, conn))]
        threads[0].start()
        for mtu in range(1480, 1290, -20):
            sh(f"ip -n router link set rb mtu {mtu}")
        threads[0].join()
        self.carry(sock, conn)
        self.assertTrue(wait_until(lambda: sock.getsockopt(
            socket.IPPROTO_IPV6, IPV6_MTU) == 1300, 5))

    def test_next_connection(self):
        """a connection after it begins with what the route has learnt"""
        sock, conn = self.pair(socket.AF_INET6, BOB6)
        sh("ip -n router link set rb mtu 1280")
        self.carry(sock, conn)
        again = chalk_socket("alice", socket.AF_INET6)
        self.addCleanup(again.close)
        with listener("bob", 81, family=socket.AF_INET6) as server:
            again.connect((BOB6, 81))
            server.accept()[0].close()
            self.assertEqual(
                again.getsockopt(socket.SOL_TCP, socket.TCP_MAXSEG),
                1280 - 60 - TIMESTAMPS)


if __name__ == "__main__":
    unittest.main()
