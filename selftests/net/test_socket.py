# SPDX-License-Identifier: GPL-2.0
"""The calls of the socket interface, and the errno of each mistake."""

import errno
import heapq
import os
import select
import signal
import socket
import struct
import threading
import time
import unittest

from net import (ALICE, BOB, Net, Wire, chalk_socket, drops, exact_clock,
                 listener, segment_of, table, wait_until)

SYN, ACK = 2, 16


class Socket(unittest.TestCase):
    """alice and bob, no loss"""

    @classmethod
    def setUpClass(cls):
        cls.net = Net()
        cls.net.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.net.__exit__()

    def pair(self, port=80):
        """A connected pair of sockets, alice's first."""
        server = listener("bob", port)
        sock = chalk_socket("alice")
        sock.connect((BOB, port))
        conn, _ = server.accept()
        conn.settimeout(300)
        server.close()
        self.addCleanup(conn.close)
        self.addCleanup(sock.close)
        return sock, conn

    def fails(self, number, function, *args):
        """The call fails with this errno."""
        with self.assertRaises(OSError) as caught:
            function(*args)
        self.assertEqual(errno.errorcode[caught.exception.errno],
                         errno.errorcode[number])

    @staticmethod
    def linger(sock, seconds):
        """SO_LINGER on"""
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, seconds))

    def test_names(self):
        """getsockname and getpeername agree at both ends"""
        sock, conn = self.pair()
        self.assertEqual(sock.getpeername(), (BOB, 80))
        self.assertEqual(conn.getsockname(), (BOB, 80))
        self.assertEqual(sock.getsockname(), conn.getpeername())
        self.assertEqual(sock.getsockname()[0], ALICE)
        self.assertEqual(sock.getsockopt(socket.SOL_SOCKET, 39), socket.AF_INET)

    def test_family_chalk(self):
        """AF_CHALK is 19; its protocol number is the version of IP"""
        libc = __import__("ctypes").CDLL(None, use_errno=True)
        fd = libc.socket(19, socket.SOCK_STREAM, 0)
        self.assertGreaterEqual(fd, 0)
        os.close(fd)
        self.assertEqual(libc.socket(19, socket.SOCK_STREAM, 77), -1)
        self.assertEqual(libc.socket(19, socket.SOCK_SEQPACKET, 0), -1)

    def test_refused(self):
        """nobody listens"""
        self.fails(errno.ECONNREFUSED, chalk_socket("alice").connect, (BOB, 1))

    def test_unreachable(self):
        """no route, no time-out"""
        sock = chalk_socket("alice")
        self.fails(errno.EHOSTUNREACH, sock.connect, ("10.0.1.77", 1))

    def test_in_use(self):
        """bind twice"""
        with listener("bob", 81):
            sock = chalk_socket("bob")
            self.fails(errno.EADDRINUSE, sock.bind, ("0.0.0.0", 81))
            self.fails(errno.EADDRNOTAVAIL, sock.bind, ("10.9.9.9", 82))

    def test_not_connected(self):
        """send, recv, shutdown, getpeername need a connection"""
        sock = chalk_socket("alice")
        self.fails(errno.ENOTCONN, sock.recv, 1)
        self.fails(errno.EPIPE, sock.send, b"x")
        self.fails(errno.ENOTCONN, sock.getpeername)
        self.fails(errno.ENOTCONN, sock.shutdown, socket.SHUT_WR)
        sock.close()

    def test_connected_already(self):
        """connect again"""
        sock, _ = self.pair()
        sock.setblocking(True)
        # it was connected without blocking: the first call takes the result
        sock.connect((BOB, 80))
        self.fails(errno.EISCONN, sock.connect, (BOB, 80))
        self.fails(errno.EINVAL, sock.accept)

    def test_nonblocking_connect(self):
        """EINPROGRESS, then writable, then SO_ERROR"""
        with listener("bob", 83) as server:
            sock = chalk_socket("alice")
            sock.setblocking(False)
            self.assertEqual(sock.connect_ex((BOB, 83)), errno.EINPROGRESS)
            self.assertEqual(select.select([], [sock], [], 10)[1], [sock])
            self.assertEqual(
                sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0)
            self.fails(errno.EAGAIN, sock.recv, 1)
            server.accept()[0].close()
            sock.close()

    def test_nonblocking_refused(self):
        """the errno comes by SO_ERROR, once"""
        sock = chalk_socket("alice")
        sock.setblocking(False)
        sock.connect_ex((BOB, 1))
        poller = select.poll()
        poller.register(sock, select.POLLOUT)
        events = poller.poll(10000)[0][1]
        self.assertTrue(events & select.POLLERR and events & select.POLLHUP)
        so_error = (socket.SOL_SOCKET, socket.SO_ERROR)
        self.assertEqual(sock.getsockopt(*so_error), errno.ECONNREFUSED)
        self.assertEqual(sock.getsockopt(*so_error), 0)
        sock.close()

    def test_half_close(self):
        """SHUT_WR ends one direction only"""
        sock, conn = self.pair()
        sock.sendall(b"question")
        sock.shutdown(socket.SHUT_WR)
        self.assertEqual(conn.recv(100, socket.MSG_WAITALL), b"question")
        self.assertEqual(conn.recv(1), b"")
        conn.sendall(b"answer")
        conn.close()
        self.assertEqual(sock.recv(100, socket.MSG_WAITALL), b"answer")
        self.assertEqual(sock.recv(1), b"")
        self.fails(errno.EPIPE, sock.send, b"x")

    def test_epoll_events(self):
        """IN with data, RDHUP with the FIN, HUP when both are closed"""
        sock, conn = self.pair()
        poller = select.epoll()
        poller.register(sock, select.EPOLLIN | select.EPOLLOUT |
                        select.EPOLLRDHUP)
        self.assertEqual(poller.poll(0), [(sock.fileno(), select.EPOLLOUT)])
        conn.send(b"x")
        conn.shutdown(socket.SHUT_WR)
        self.assertTrue(wait_until(
            lambda: poller.poll(0)[0][1] & select.EPOLLRDHUP, 5))
        self.assertEqual(poller.poll(0)[0][1], select.EPOLLIN |
                         select.EPOLLOUT | select.EPOLLRDHUP)
        sock.shutdown(socket.SHUT_WR)
        self.assertTrue(wait_until(
            lambda: poller.poll(0)[0][1] & select.EPOLLHUP, 5))

    def test_reset(self):
        """SO_LINGER 0 resets: ECONNRESET, then end of file"""
        sock, conn = self.pair()
        self.linger(conn, 0)
        conn.close()
        self.fails(errno.ECONNRESET, sock.recv, 1)
        self.assertEqual(sock.recv(1), b"")
        self.fails(errno.EPIPE, sock.send, b"x")

    def test_close_with_unread_data_resets(self):
        """what nobody will read is told (RFC 9293 3.6.1)"""
        sock, conn = self.pair()
        sock.sendall(b"unread")
        self.assertTrue(select.select([conn], [], [], 5)[0])
        conn.close()
        self.fails(errno.ECONNRESET, sock.recv, 1)

    def test_linger_waits(self):
        """close returns when the data is acknowledged"""
        sock, conn = self.pair()
        self.linger(sock, 10)
        sock.sendall(bytes(30000))
        sock.close()
        got = 0
        while data := conn.recv(65536):
            got += len(data)
        self.assertEqual(got, 30000)

    def test_peek_waitall_trunc(self):
        """flags of recv"""
        sock, conn = self.pair()
        sock.sendall(b"abcdef")
        self.assertEqual(conn.recv(3, socket.MSG_PEEK), b"abc")
        self.assertEqual(conn.recv(6, socket.MSG_WAITALL), b"abcdef")
        sock.sendall(b"gone")
        self.assertTrue(select.select([conn], [], [], 5)[0])
        conn.setblocking(True)
        conn.recv(4, socket.MSG_TRUNC)
        self.fails(errno.EAGAIN, conn.recv, 1, socket.MSG_DONTWAIT)

    def test_timeouts(self):
        """SO_RCVTIMEO and SO_SNDTIMEO answer EAGAIN in their time"""
        sock, _ = self.pair()
        sock.setblocking(True)
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            sock.setsockopt(socket.SOL_SOCKET, option,
                            struct.pack("ll", 0, 200000))
        begin = time.monotonic()
        self.fails(errno.EAGAIN, sock.recv, 1)
        self.assertGreaterEqual(time.monotonic() - begin, 0.19)
        with self.assertRaises(BlockingIOError):
            while True:
                sock.send(bytes(1 << 20))

    def test_short_write(self):
        """a full buffer takes a part, then nothing; room wakes the writer"""
        sock, conn = self.pair()
        sock.setblocking(False)
        sent = 0
        with self.assertRaises(BlockingIOError):
            while True:
                sent += sock.send(bytes(1 << 20))
        self.assertGreater(sent, 0)
        self.assertEqual(select.select([], [sock], [], 0)[1], [])
        conn.setblocking(True)
        got = len(conn.recv(sent, socket.MSG_WAITALL))
        self.assertEqual(got, sent)
        self.assertEqual(select.select([], [sock], [], 5)[1], [sock])

    def test_signal_interrupts(self):
        """EINTR, and what has arrived is not lost"""
        sock, conn = self.pair()
        old = signal.signal(signal.SIGALRM, lambda *_: 1 / 0)
        self.addCleanup(signal.signal, signal.SIGALRM, old)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with self.assertRaises(ZeroDivisionError):
            conn.recv(1)
        sock.sendall(b"after")
        self.assertEqual(conn.recv(5, socket.MSG_WAITALL), b"after")

    def test_small_buffers(self):
        """a slow reader with a tiny window, zero windows on the way"""
        server = listener("bob", 84)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock = chalk_socket("alice")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        sock.connect((BOB, 84))
        conn, _ = server.accept()
        server.close()
        data = os.urandom(200000)
        writer = threading.Thread(
            target=lambda: (sock.sendall(data), sock.close()), daemon=True)
        writer.start()
        got = b""
        while piece := conn.recv(3000):
            got += piece
            time.sleep(0.01)
        writer.join()
        conn.close()
        self.assertEqual(got, data)

    def test_tiny_segments(self):
        """many small writes without Nagle stay within the receive buffer"""
        sock, conn = self.pair()
        sock.setsockopt(socket.SOL_TCP, socket.TCP_NODELAY, 1)
        data = os.urandom(5000)
        for i in range(len(data)):
            sock.send(data[i:i + 1])
        self.assertEqual(conn.recv(5000, socket.MSG_WAITALL), data)

    def test_unknown_option(self):
        """ENOPROTOOPT, never a silent yes"""
        sock = chalk_socket("alice")
        self.fails(errno.ENOPROTOOPT, sock.setsockopt, socket.SOL_TCP, 99, 1)
        self.fails(errno.ENOPROTOOPT, sock.getsockopt, 253, 99)
        sock.close()

    def test_full_accept_queue(self):
        """a client beyond the backlog gets in when there is room"""
        before = drops().get("accept_queue_full", 0)
        server = listener("bob", 85, 1)
        socks = [chalk_socket("alice") for _ in range(4)]
        for sock in socks:
            sock.setblocking(False)
            sock.connect_ex((BOB, 85))
        # two are in the queue, as TCP has it; the others wait for room
        self.assertTrue(wait_until(
            lambda: drops()["accept_queue_full"] >= before + 2, 120))
        self.assertEqual([row["state"] for row in table("conns")
                          if row["local"] == f"{BOB}:85"
                          and row["remote"][0] != "0"].count("ESTABLISHED"), 2)
        peers = [server.accept()[0] for _ in socks]
        for sock in socks + peers:
            sock.close()
        server.close()

    def test_closing_listener_resets_queue(self):
        """those who were never accepted are told"""
        server = listener("bob", 86)
        sock = chalk_socket("alice")
        sock.connect((BOB, 86))
        self.assertTrue(wait_until(lambda: any(
            row["state"] == "ESTABLISHED" and row["local"] == f"{BOB}:86"
            for row in table("conns")), 5))
        server.close()
        self.fails(errno.ECONNRESET, sock.recv, 1)

    @exact_clock
    def test_keepalive(self):
        """a peer that is gone is noticed: ETIMEDOUT"""
        sock, _ = self.pair()
        sock.setsockopt(socket.SOL_TCP, socket.TCP_KEEPIDLE, 5)
        sock.setsockopt(socket.SOL_TCP, socket.TCP_KEEPINTVL, 1)
        sock.setsockopt(socket.SOL_TCP, socket.TCP_KEEPCNT, 3)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.net.netem("loss 100%")
        self.addCleanup(self.net.netem, "delay 0")
        begin = time.monotonic()
        self.fails(errno.ETIMEDOUT, sock.recv, 1)
        self.assertAlmostEqual(time.monotonic() - begin, 8, delta=1.5)


class Crossing(unittest.TestCase):
    """A wire that holds the first SYN until another comes from the other end"""

    def judge(self, data, to_bob):
        """For Wire"""
        flags = segment_of(data)["flags"] & (SYN | ACK)
        if flags == SYN | ACK:
            self.answered.add(to_bob)
        if flags != SYN or len(self.held) == 2:
            return [0.001]
        self.held[to_bob] = data
        if len(self.held) == 2:
            self.wire.count += 1
            heapq.heappush(self.wire.queue, (
                0, self.wire.count, int(not to_bob), self.held[not to_bob]))
            return [0]
        return []

    def test_two_that_call_each_other(self):
        """simultaneous open (RFC 9293 figure 7)"""
        self.held, self.answered = {}, set()
        with Wire(self.judge) as self.wire:
            a, b = chalk_socket("alice"), chalk_socket("bob")
            a.bind((ALICE, 90))
            b.bind((BOB, 91))
            a.setblocking(False)
            a.connect_ex((BOB, 91))
            b.connect((ALICE, 90))
            a.settimeout(300)
            self.assertTrue(select.select([], [a], [], 300)[1])
            a.sendall(b"hello")
            self.assertEqual(b.recv(5, socket.MSG_WAITALL), b"hello")
            a.close()
            b.close()
        # both were in SYN_SENT when the other's SYN came
        self.assertEqual(self.answered, {True, False})


if __name__ == "__main__":
    unittest.main()
