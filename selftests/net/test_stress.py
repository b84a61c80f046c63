# SPDX-License-Identifier: GPL-2.0
"""Connections that begin and end in every disorderly way, all at once.

The errors that programs see here are the ones a peer's disorder may cause; the
test is that the kernel stays silent, and that in the end nothing is left.
"""

from collections import Counter
import errno
import os
import random
import socket
import struct
import threading
import unittest

from net import BOB, Net, chalk_socket, listener, sysctl, table, wait_until

CALLS = int(os.environ.get("STRESS_CALLS", "400"))
CALLERS = 6
PORTS = (71, 72)
EXPECTED = {errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN,
            errno.EADDRNOTAVAIL, errno.EINPROGRESS, errno.EAGAIN}


def reset_on_close(sock):
    """SO_LINGER of 0 seconds"""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))


def end(sock, how: int):
    """One of the ways to be done with a socket"""
    if how == 0:
        reset_on_close(sock)
    elif how == 1:
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass
    elif how == 2:
        sock.shutdown(socket.SHUT_RDWR)


class Stress(unittest.TestCase):
    """six callers, two servers whose listeners come and go"""

    def setUp(self):
        net = Net()
        net.__enter__()
        self.addCleanup(net.__exit__)
        net.netem("delay 1ms 1ms loss 2% duplicate 2% limit 10000")
        for host in ("alice", "bob"):
            sysctl(host, "msl_ms", 500)
            sysctl(host, "rto_min_ms", 20)
            sysctl(host, "rto_initial_ms", 50)
        self.stop = threading.Event()
        self.unexpected = []
        self.worked = Counter()

    def tolerate(self, function, *args):
        """Run it; note an errno that disorder does not explain."""
        try:
            function(*args)
            self.worked[function.__name__] += 1
        except TimeoutError:
            pass
        except OSError as error:
            if error.errno not in EXPECTED:
                self.unexpected.append(error)

    def serve(self, port: int, rng: random.Random):
        """Listen, take some calls, close the listener with others waiting."""
        while not self.stop.is_set():
            server = listener("bob", port, rng.randint(1, 8))
            server.settimeout(0.5)
            for _ in range(rng.randint(1, 20)):
                self.tolerate(self.take_one, server, rng)
            server.close()

    @staticmethod
    def take_one(server, rng):
        """One call, answered more or less."""
        conn, _ = server.accept()
        with conn:
            conn.settimeout(2)
            if rng.random() < 0.7:
                conn.sendall(bytes(rng.randint(1, 50000)))
            if rng.random() < 0.5:
                conn.recv(rng.randint(1, 20000))
            end(conn, rng.randint(0, 3))

    def call(self, times: int, rng: random.Random):
        """Connect, talk a little, stop somewhere."""
        for _ in range(times):
            with chalk_socket("alice") as sock:
                sock.settimeout(2)
                self.tolerate(self.call_once, sock, rng)

    @staticmethod
    def call_once(sock, rng):
        """One call."""
        if rng.random() < 0.2:
            sock.setblocking(False)
        sock.connect((BOB, rng.choice(PORTS)))
        sock.settimeout(2)
        sock.sendall(bytes(rng.randint(1, 50000)))
        if rng.random() < 0.5:
            sock.recv(rng.randint(1, 50000))
        end(sock, rng.randint(0, 3))

    def test_disorder(self):
        """nothing is left, and no errno surprises"""
        servers = [threading.Thread(target=self.serve, daemon=True,
                                    args=(port, random.Random(port)))
                   for port in PORTS]
        callers = [threading.Thread(target=self.call, daemon=True,
                                    args=(CALLS // CALLERS, random.Random(i)))
                   for i in range(CALLERS)]
        for thread in servers + callers:
            thread.start()
        for thread in callers:
            thread.join()
        self.stop.set()
        for thread in servers:
            thread.join()
        self.assertEqual(self.unexpected, [])
        self.assertGreater(self.worked["call_once"], CALLS // 10)
        self.assertGreater(self.worked["take_one"], CALLS // 10)
        self.assertTrue(wait_until(lambda: not table("conns"), 200, 0.5),
                        table("conns"))


if __name__ == "__main__":
    unittest.main()
