# SPDX-License-Identifier: GPL-2.0
"""Data on its way through the glue: backlogs, wake-ups, shared pages, and a
buffer that is full.
"""

import contextlib
import os
import select
import socket
import tempfile
import threading
import time
import unittest

from glue import (BACKLOG, FAMILIES, RCVBUF, RMEM_ALLOC, SO_BUSY_POLL,
                  SO_RCVBUFFORCE, SO_SNDBUFFORCE, Glue, abort, counts, meminfo,
                  needs_stuck)
from net import (IPPROTO_CHALK, Net, carry, chalk_socket, exact_clock,
                 has_detectors, lengthen_device_queues, listener, receive_all,
                 sh, wait_until)
from scene import CHALK, Scene, locked

HERE = "127.0.0.1"


class Flow(Glue):
    """alice and bob"""

    NONE_LOST = ["TCPBacklogDrop", "TCPRcvQDrop"]
    if not has_detectors:
        # where a segment costs 250 us a window of 2000 waits longer than the RTO
        NONE_LOST.append("RetransSegs")

    def loop(self, sndbuf: int, rcvbuf=0):
        """A connection of alice with herself, that nothing slows down."""
        Glue.port += 1
        server = listener("alice", Glue.port)
        if rcvbuf:
            server.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, rcvbuf)
        sock = self.client()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, sndbuf)
        sock.connect((HERE, Glue.port))
        conn = server.accept()[0]
        server.close()
        conn.settimeout(300)
        self.addCleanup(abort, conn)
        return sock, conn

    @exact_clock
    def test_clean_link(self):
        """no loss: nothing is sent twice, no backlog is too short (3 s)"""
        lengthen_device_queues(self)
        for family in FAMILIES:
            sock, conn = self.pair(family)
            before = counts("alice"), counts("bob")
            data = os.urandom(1 << 21)
            self.assertEqual(carry(sock, conn, data), data)
            after = counts("alice"), counts("bob")
            for name in self.NONE_LOST:
                for old, new in zip(before, after):
                    self.assertEqual(new[name], old[name], name)

    @exact_clock
    def test_acks_count_while_sending(self):
        """one send() of more than the buffer holds: the ACKs that come
        meanwhile make room (0.5 s)"""
        sock, conn = self.loop(65536, 4 << 20)
        sock.setblocking(False)
        self.assertEqual(sock.send(bytes(1 << 20)), 1 << 20)
        self.assertEqual(len(receive_all(conn, 1 << 20)), 1 << 20)

    @exact_clock
    @needs_stuck
    def test_backlog_while_it_is_taken(self):
        """what a backlog holds is taken and acknowledged, and the sender goes
        on: what comes meanwhile is not lost (1 s)"""
        lengthen_device_queues(self)
        data = os.urandom(1 << 21)
        for family in FAMILIES:
            sock, conn = self.pair(
                family, [(socket.SOL_SOCKET, SO_SNDBUFFORCE, 4 << 20),
                         (socket.SOL_TCP, socket.TCP_MAXSEG, 536)],
                [(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 20),
                 (socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)])
            before = counts("alice"), counts("bob")
            sock.send(b"!")
            sender = threading.Thread(target=sock.sendall, args=(data,))
            with locked(conn):
                sender.start()
                self.assertTrue(wait_until(lambda: meminfo(conn)[BACKLOG] > 0,
                                           5))
            self.assertEqual(receive_all(conn, len(data)), data)
            sender.join()
            after = counts("alice"), counts("bob")
            for name in self.NONE_LOST:
                for old, new in zip(before, after):
                    self.assertEqual(new[name], old[name], name)

    @exact_clock
    def test_busy_poll(self):
        """recv() looks at the device instead of sleeping (0.5 s)"""
        sh("ip netns exec bob ethtool -K b0 gro on")
        self.addCleanup(sh, "ip netns exec bob ethtool -K b0 gro off")
        sock, conn = self.pair()
        sock.send(b"x")
        self.assertEqual(conn.recv(1), b"x")
        spent = []
        for usecs in (0, 50000):
            conn.setsockopt(socket.SOL_SOCKET, SO_BUSY_POLL, usecs)
            # the kernel's timeout, not Python's, which waits in poll()
            conn.setblocking(True)
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO,
                            (0).to_bytes(8, "little") +
                            (200000).to_bytes(8, "little"))
            begin = time.thread_time()
            self.assertRaises(BlockingIOError, conn.recv, 1)
            spent.append(time.thread_time() - begin)
        self.assertLess(spent[0], 0.02)
        self.assertGreater(spent[1], 0.02)

    def test_rewritten_file(self):
        """sendfile(), and the file changes while segments wait: what arrives
        is as it was when its checksum was made (0.5 s)"""
        self.net.netem("delay 50ms")
        self.addCleanup(self.net.netem, "delay 0")
        with tempfile.NamedTemporaryFile(dir="/dev/shm", buffering=0) as file:
            for family in FAMILIES:
                sock, conn = self.pair(family)
                file.seek(0)
                file.write(b"a" * 10000)
                before = counts("bob")["InCsumErrors"]
                self.assertEqual(os.sendfile(sock.fileno(), file.fileno(), 0,
                                             10000), 10000)
                file.seek(0)
                file.write(b"b" * 10000)
                data = receive_all(conn, 10000)
                self.assertEqual(data, b"a" * 10000)
                self.assertEqual(counts("bob")["InCsumErrors"], before)


class Crowd(unittest.TestCase):
    """small segments, and many"""

    def setUp(self):
        self.scene = Scene(CHALK)
        self.scene.__enter__()
        self.addCleanup(self.scene.__exit__, None, None, None)

    def test_early_text_leaves_room(self):
        """early text to the limit; then each segment of the hole before it is
        taken at once, and the rest when it comes again (2 s)"""
        step, hole, most = 100, 3, 320
        client, server = self.scene.connect(
            (socket.SOL_SOCKET, socket.SO_RCVBUF, 32768))
        packets = [self.scene.forge(client, seq=step * i,
                                    payload=bytes([i & 255]) * step)
                   for i in range(most)]
        # each stands alone
        for packet in packets[hole + 1::2]:
            self.scene.put(packet, wait=0.001)
        before = counts("bob")
        self.assertGreater(before["TCPOFODrop"], 10)
        info = meminfo(server)
        self.assertGreater(info[RMEM_ALLOC], info[RCVBUF] * 0.95)
        for packet in packets[:hole]:
            self.scene.put(packet, wait=0.001)
        self.assertEqual(counts("bob")["TCPRcvQDrop"], before["TCPRcvQDrop"])
        self.assertEqual(len(server.recv(1 << 20)), hole * step)
        for packet in packets[hole:]:
            self.scene.put(packet, wait=0.001)
        self.assertEqual(receive_all(server, (most - hole) * step), b"".join(
            bytes([i & 255]) * step for i in range(hole, most)))

    @needs_stuck
    def test_backlog_of_small_segments(self):
        """the socket is locked for a moment: what a peer may send meanwhile
        is not lost (2 s)"""
        number = 100
        client, server = self.scene.connect(
            (socket.SOL_SOCKET, socket.SO_RCVBUF, 16384),
            (socket.SOL_TCP, socket.TCP_NODELAY, 1))
        client.send(b"!")
        with locked(server):
            for _ in range(number):
                client.send(b"x")
            time.sleep(0.05)
        self.assertEqual(receive_all(server, number), b"x" * number)
        self.assertEqual(counts("bob")["TCPBacklogDrop"], 0)


class Device(unittest.TestCase):
    """a device that goes"""

    @needs_stuck
    def test_goes_while_a_packet_waits(self):
        """in the backlog of a locked socket (3 s)"""
        with Net():
            server = listener("bob", 7000)
            sock = chalk_socket("alice")
            sock.connect(("10.0.2.1", 7000))
            conn = server.accept()[0]
            server.close()
            sock.send(b"!")
            with locked(conn):
                sock.send(b"waits")
                self.assertTrue(wait_until(lambda: meminfo(conn)[BACKLOG] > 0,
                                           5))
                sh("timeout 60 ip -n bob link del b0")
            self.assertEqual(receive_all(conn, 5), b"waits")
            abort(conn)
            abort(sock)


class Wakeups(unittest.TestCase):
    """who waits for room is told: a lost wake-up waits for ever"""

    seconds = 2

    def write(self, sock) -> int:
        """Edge-triggered: until there is no room, then until told. How often
        it was told."""
        told = 0
        sock.setblocking(False)
        with select.epoll() as poller:
            poller.register(sock, select.EPOLLOUT | select.EPOLLET)
            end = time.monotonic() + self.seconds
            while time.monotonic() < end:
                with contextlib.suppress(BlockingIOError):
                    while True:
                        sock.send(bytes(2048))
                self.assertTrue(poller.poll(20), f"not told after {told}")
                told += 1
        return told

    @unittest.skipIf(os.cpu_count() < 2, "needs two processors")
    def test_edge_triggered_writers(self):
        """small buffers, and a reader on another processor (2 s)"""
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM,
                               IPPROTO_CHALK)
        server.bind((HERE, 0))
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server.listen(1)
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_CHALK)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        sock.setsockopt(socket.SOL_TCP, socket.TCP_NODELAY, 1)
        sock.connect(server.getsockname())
        conn = server.accept()[0]
        server.close()
        child = os.fork()
        if not child:
            with contextlib.suppress(OSError):
                sock.close()
                while conn.recv(65536):
                    pass
            os._exit(0)
        conn.close()
        try:
            self.assertGreater(self.write(sock), 20)
        finally:
            abort(sock)
            os.waitpid(child, 0)


if __name__ == "__main__":
    unittest.main()
