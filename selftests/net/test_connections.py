# SPDX-License-Identifier: GPL-2.0
"""Many connections: none is lost, and none stays."""

import os
import select
import socket
import threading
import unittest

from counters import read_counters
from net import (BOB, Net, chalk_socket, exact_clock, listener, sysctl, table,
                 wait_until)
from scene import CHALK

SEQUENTIAL = int(os.environ.get("CONNECTIONS", "1000"))
AT_ONCE = 200
MSL_MS = os.environ.get("MSL_MS", "30000")


def in_state(state: str) -> int:
    """How many connections and records are in @state."""
    return sum(row["state"] == state for row in table("conns"))


def echo_once(server: socket.socket, times: int):
    """Serve @times connections: answer what came, then close."""
    for _ in range(times):
        conn, _ = server.accept()
        conn.sendall(conn.recv(100))
        conn.close()


class Connections(unittest.TestCase):
    """alice calls bob"""

    @classmethod
    def setUpClass(cls):
        net = Net()
        net.__enter__()
        cls.addClassCleanup(net.__exit__)

    def setUp(self):
        for host in ("alice", "bob"):
            sysctl(host, "msl_ms", MSL_MS)
        self.server = listener("bob", 7, 512)
        self.addCleanup(self.server.close)

    def ask(self, sock: socket.socket, number: int):
        """Send a number and have it back."""
        word = str(number).encode()
        sock.sendall(word)
        self.assertEqual(sock.recv(100), word)
        self.assertEqual(sock.recv(100), b"")

    def test_in_sequence(self):
        """one after the other; TIME_WAIT ends after 2 MSL. The record that
        takes over hears the FIN: no RST (RFC 9293, section 3.10.7.1)"""
        thread = threading.Thread(target=echo_once,
                                  args=(self.server, SEQUENTIAL),
                                  daemon=True)
        thread.start()
        for number in range(SEQUENTIAL):
            sock = chalk_socket("alice")
            sock.connect((BOB, 7))
            self.ask(sock, number)
            sock.close()
        thread.join()
        # alice's ends leave no record: what bob sends again may get one
        self.assertEqual(read_counters("bob", CHALK)["OutRsts"], 0)
        two_msl = 2 * int(sysctl("bob", "msl_ms")) / 1000
        self.assertGreater(in_state("TIME_WAIT"), 0)
        self.assertTrue(wait_until(lambda: not in_state("TIME_WAIT"),
                                   two_msl + 5, 0.5))
        self.assertEqual([row for row in table("conns")
                          if row["state"] != "LISTEN"], [])

    @exact_clock
    def test_time_wait_lasts(self):
        """the entry is there shortly before 2 MSL, and gone shortly after"""
        sysctl("bob", "msl_ms", 2000)
        thread = threading.Thread(target=echo_once, args=(self.server, 1),
                                  daemon=True)
        thread.start()
        sock = chalk_socket("alice")
        sock.connect((BOB, 7))
        self.ask(sock, 1)
        sock.close()
        thread.join()
        self.assertTrue(wait_until(lambda: in_state("TIME_WAIT") == 1, 5, 0.01))
        self.assertFalse(wait_until(lambda: not in_state("TIME_WAIT"), 3.5))
        self.assertTrue(wait_until(lambda: not in_state("TIME_WAIT"), 1.5))

    def test_at_once(self):
        """200 open together, all of them answered"""
        socks = []
        for _ in range(AT_ONCE):
            sock = chalk_socket("alice")
            sock.setblocking(False)
            self.assertIn(sock.connect_ex((BOB, 7)), (0, 115))
            socks.append(sock)
        peers = [self.server.accept()[0] for _ in range(AT_ONCE)]
        for sock in socks:
            self.assertTrue(select.select([], [sock], [], 10)[1])
            self.assertEqual(
                sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0)
        self.assertEqual(in_state("ESTABLISHED"), 2 * AT_ONCE)
        for peer in peers:
            peer.sendall(str(peer.getpeername()[1]).encode())
            peer.close()
        for sock in socks:
            sock.setblocking(True)
            self.assertEqual(int(sock.recv(10)), sock.getsockname()[1])
            sock.close()
        self.assertTrue(wait_until(lambda: len(table("conns")) == 1, 90, 0.5))


if __name__ == "__main__":
    unittest.main()
