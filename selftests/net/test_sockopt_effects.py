# SPDX-License-Identifier: GPL-2.0
"""What each socket option does, seen on the wire and on the clock."""

import array
import contextlib
import errno
import fcntl
import select
import socket
import struct
import time
import unittest

from net import (ALICE, BOB, Wire, carry, chalk_socket, drops, exact_clock,
                 segment_of, sh, sysctl, table, wait_until)

SOL_TCP, SOL_CHALK = 6, 253
TCP_LINGER2, TCP_DEFER_ACCEPT, TCP_WINDOW_CLAMP, TCP_QUICKACK = 8, 9, 10, 12
TCP_CONGESTION, TCP_USER_TIMEOUT, TCP_NOTSENT_LOWAT = 13, 18, 25
TCP_SAVE_SYN, TCP_SAVED_SYN, TCP_INQ = 27, 28, 36
SO_ATTACH_FILTER, SO_DETACH_FILTER, SO_MARK, SO_PEEK_OFF = 26, 27, 36, 42
SO_MAX_PACING_RATE, SO_BUSY_POLL = 47, 46
IP_MTU_DISCOVER, IP_FREEBIND, IP_MINTTL = 10, 15, 21
SIOCOUTQNSD = 0x894b
SYN, RST = 2, 4
# The kernel's timers are late by an eighth of what they wait, at most.
SLACK = 0.6


class Tap:
    """The wire's judge: of a test's packets it keeps all, loses what @lose says."""

    def __init__(self):
        self.packets = []
        self.lose = None
        self.port = 0

    def __call__(self, packet, to_bob):
        seg = segment_of(packet)
        seg.update(to_bob=to_bob, time=time.monotonic(), tos=packet[1],
                   ttl=packet[8], df=bool(packet[6] & 0x40),
                   ihl=(packet[0] & 15) * 4)
        header = packet[seg["ihl"]:]
        seg["wnd"] = int.from_bytes(header[14:16], "big")
        if seg["proto"] != 253 or header[:2] != self.port != header[2:4]:
            return [0.001]
        self.packets.append(seg)
        return [] if self.lose and self.lose(seg) else [0.001]

    def seen(self, **want):
        """The packets that have these fields; flags: all of these bits."""
        flags = want.pop("flags", 0)
        return [seg for seg in self.packets if seg["flags"] & flags == flags
                and all(seg[name] == value for name, value in want.items())]


class Effects(unittest.TestCase):
    """alice and bob, and a wire between them that looks at everything"""

    @classmethod
    def setUpClass(cls):
        cls.tap = Tap()
        cls.wire = Wire(cls.tap)
        cls.wire.__enter__()
        cls.port = 1000

    @classmethod
    def tearDownClass(cls):
        cls.wire.__exit__()

    def setUp(self):
        self.tap.packets.clear()
        self.tap.lose = None
        type(self).port += 1
        self.tap.port = struct.pack("!H", self.port)

    def drop(self, sock):
        """Close it with a reset: no orphan outlives the test."""
        self.tap.lose = None
        if sock.fileno() >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
            sock.close()

    def server(self, *options):
        """A listener of bob's with these (level, name, value)."""
        server = chalk_socket("bob")
        for option in options:
            server.setsockopt(*option)
        server.bind((BOB, self.port))
        server.listen(16)
        self.addCleanup(self.drop, server)
        return server

    def client(self, *options):
        """A socket of alice's with these options."""
        sock = chalk_socket("alice")
        for option in options:
            sock.setsockopt(*option)
        self.addCleanup(self.drop, sock)
        return sock

    def pair(self, client=(), server=()):
        """alice's end and bob's of a connection with these options."""
        listening = self.server(*server)
        sock = self.client(*client)
        sock.connect((BOB, self.port))
        conn, _ = listening.accept()
        conn.settimeout(300)
        self.addCleanup(self.drop, conn)
        time.sleep(0.05)
        self.tap.packets.clear()
        return sock, conn

    def fails(self, number, function, *args):
        """It fails with this errno; how long that took."""
        begin = time.monotonic()
        with self.assertRaises(OSError) as caught:
            function(*args)
        self.assertEqual(errno.errorcode[caught.exception.errno],
                         errno.errorcode[number])
        return time.monotonic() - begin

    def lengths(self):
        """Of alice's segments with data."""
        return [seg["len"] for seg in self.tap.packets
                if seg["to_bob"] and seg["len"]]

    # --- TCP_CORK, TCP_NODELAY ---

    @exact_clock
    def test_cork(self):
        """whole segments at once, the rest after 200 ms"""
        sock, conn = self.pair([(SOL_TCP, socket.TCP_CORK, 1)])
        sock.send(bytes(3000))
        time.sleep(0.1)
        self.assertEqual(self.lengths(), [1448, 1448])
        time.sleep(0.2)
        self.assertEqual(self.lengths(), [1448, 1448, 104])
        gap = (self.tap.seen(len=104)[0]["time"] -
               self.tap.seen(len=1448)[1]["time"])
        self.assertAlmostEqual(gap, 0.2, delta=0.02)
        self.assertEqual(conn.recv(4000, socket.MSG_WAITALL |
                                   socket.MSG_DONTWAIT), bytes(3000))

    @exact_clock
    def test_uncork(self):
        """what was held back goes at once"""
        sock, _ = self.pair([(SOL_TCP, socket.TCP_CORK, 1)])
        sock.send(b"header")
        sock.send(b"body")
        time.sleep(0.1)
        self.assertEqual(self.lengths(), [])
        sock.setsockopt(SOL_TCP, socket.TCP_CORK, 0)
        time.sleep(0.02)
        self.assertEqual(self.lengths(), [10])

    @exact_clock
    def test_nodelay_pushes_through_cork(self):
        """once"""
        sock, _ = self.pair([(SOL_TCP, socket.TCP_CORK, 1)])
        sock.send(b"now")
        sock.setsockopt(SOL_TCP, socket.TCP_NODELAY, 1)
        time.sleep(0.02)
        self.assertEqual(self.lengths(), [3])
        sock.send(b"later")
        time.sleep(0.1)
        self.assertEqual(self.lengths(), [3])

    @exact_clock
    def test_nodelay(self):
        """small segments do not wait for each other's ACK"""
        sock, conn = self.pair()
        conn.setsockopt(SOL_TCP, TCP_QUICKACK, 0)
        for _ in range(3):
            sock.send(b"x")
        time.sleep(0.02)
        self.assertEqual(self.lengths(), [1])
        sock.setsockopt(SOL_TCP, socket.TCP_NODELAY, 1)
        time.sleep(0.02)
        self.assertEqual(self.lengths(), [1, 2])
        sock.send(b"x")
        time.sleep(0.02)
        self.assertEqual(self.lengths(), [1, 2, 1])

    # --- TCP_QUICKACK ---

    def ack_delay(self, sock):
        """Until bob acknowledges a byte of alice's."""
        self.tap.packets.clear()
        sock.send(b"x")
        self.assertTrue(wait_until(lambda: self.tap.seen(to_bob=False), 1))
        return (self.tap.seen(to_bob=False)[0]["time"] -
                self.tap.seen(to_bob=True)[0]["time"])

    @exact_clock
    def test_quickack(self):
        """an ACK waits 40 ms, or not at all"""
        sock, conn = self.pair()
        self.assertLess(self.ack_delay(sock), 0.01)
        conn.setsockopt(SOL_TCP, TCP_QUICKACK, 0)
        self.assertEqual(conn.getsockopt(SOL_TCP, TCP_QUICKACK), 0)
        self.assertAlmostEqual(self.ack_delay(sock), 0.042, delta=0.01)
        # nothing came to ride on: from now on ACKs do not wait
        self.assertEqual(conn.getsockopt(SOL_TCP, TCP_QUICKACK), 1)
        self.assertLess(self.ack_delay(sock), 0.01)

    @exact_clock
    def test_quickack_sends_what_waits(self):
        """the ACK goes when the option is set"""
        sock, conn = self.pair()
        conn.setsockopt(SOL_TCP, TCP_QUICKACK, 0)
        sock.send(b"x")
        time.sleep(0.01)
        self.assertEqual(self.tap.seen(to_bob=False), [])
        conn.setsockopt(SOL_TCP, TCP_QUICKACK, 1)
        time.sleep(0.01)
        self.assertEqual(len(self.tap.seen(to_bob=False)), 1)

    # --- how long to try ---

    @exact_clock
    def test_syncnt(self):
        """so many retransmissions of a SYN: 1 + 2 + 4 s"""
        self.tap.lose = lambda seg: True
        sock = self.client((SOL_TCP, socket.TCP_SYNCNT, 2))
        took = self.fails(errno.ETIMEDOUT, sock.connect, (BOB, self.port))
        self.assertEqual(len(self.tap.seen(flags=SYN)), 3)
        self.assertAlmostEqual(took, 7, delta=SLACK)

    @exact_clock
    def test_syncnt_of_listener(self):
        """so many retransmissions of a SYN+ACK"""
        self.server((SOL_TCP, socket.TCP_SYNCNT, 1))
        self.tap.lose = lambda seg: seg["to_bob"] and not seg["flags"] & SYN
        self.client().connect((BOB, self.port))
        time.sleep(10)
        self.assertEqual(len(self.tap.seen(flags=SYN, to_bob=False)), 2)

    @exact_clock
    def test_user_timeout(self):
        """unacknowledged data end the connection"""
        sock, _ = self.pair([(SOL_TCP, TCP_USER_TIMEOUT, 3000)])
        self.tap.lose = lambda seg: True
        sock.send(b"x")
        took = self.fails(errno.ETIMEDOUT, sock.recv, 1)
        self.assertAlmostEqual(took, 3, delta=0.05)

    @exact_clock
    def test_user_timeout_while_connecting(self):
        """so does a SYN nobody answers"""
        self.tap.lose = lambda seg: True
        sock = self.client((SOL_TCP, TCP_USER_TIMEOUT, 5000))
        took = self.fails(errno.ETIMEDOUT, sock.connect, (BOB, self.port))
        self.assertAlmostEqual(took, 5, delta=0.05)

    @exact_clock
    def test_user_timeout_of_shut_window(self):
        """so does a window that stays shut, though the peer answers"""
        # a scaled window says 0 while there is room for some probes
        sysctl("alice", "window_scaling", 0)
        self.addCleanup(sysctl, "alice", "window_scaling", 1)
        sock, _ = self.pair([(SOL_TCP, TCP_USER_TIMEOUT, 20000)],
                            [(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)])
        sock.setblocking(False)
        with self.assertRaises(BlockingIOError):
            while True:
                sock.send(bytes(65536))
        sock.setblocking(True)
        took = self.fails(errno.ETIMEDOUT, sock.recv, 1)
        self.assertAlmostEqual(took, 20, delta=1)
        self.assertTrue(self.tap.packets[-1]["wnd"] == 0 or
                        self.tap.packets[-2]["wnd"] == 0)

    @exact_clock
    def test_user_timeout_of_keepalive(self):
        """it takes the place of TCP_KEEPCNT"""
        sock, _ = self.pair([(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
                             (SOL_TCP, socket.TCP_KEEPIDLE, 10),
                             (SOL_TCP, socket.TCP_KEEPINTVL, 1),
                             (SOL_TCP, socket.TCP_KEEPCNT, 2),
                             (SOL_TCP, TCP_USER_TIMEOUT, 15000)])
        self.tap.lose = lambda seg: True
        took = self.fails(errno.ETIMEDOUT, sock.recv, 1)
        self.assertAlmostEqual(took, 15, delta=SLACK)
        self.assertGreater(len(self.tap.seen(to_bob=True, len=0)), 3)

    @exact_clock
    def test_keepalive(self):
        """idle 5 s, 2 probes 3 s apart"""
        sock, _ = self.pair([(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
                             (SOL_TCP, socket.TCP_KEEPIDLE, 5),
                             (SOL_TCP, socket.TCP_KEEPINTVL, 3),
                             (SOL_TCP, socket.TCP_KEEPCNT, 2)])
        self.tap.lose = lambda seg: True
        took = self.fails(errno.ETIMEDOUT, sock.recv, 1)
        self.assertAlmostEqual(took, 11, delta=SLACK)

    # --- TCP_LINGER2, TCP_DEFER_ACCEPT ---

    def orphans(self):
        """Connections to this port whose alice's end is in FIN_WAIT_2."""
        return [row for row in table("conns")
                if row["remote"] == f"{BOB}:{self.port}" and
                row["state"] == "FIN_WAIT_2"]

    @exact_clock
    def test_linger2(self):
        """an orphan waits so long for the peer's FIN"""
        sock, _ = self.pair([(SOL_TCP, TCP_LINGER2, 5)])
        sock.close()
        time.sleep(4.5)
        self.assertEqual(len(self.orphans()), 1)
        time.sleep(1)
        self.assertEqual(self.orphans(), [])

    @exact_clock
    def test_linger2_none(self):
        """or not at all: a reset"""
        sock, conn = self.pair([(SOL_TCP, TCP_LINGER2, -1)])
        sock.close()
        self.assertEqual(conn.recv(1), b"")
        self.assertTrue(wait_until(lambda: self.tap.seen(flags=RST), 1))
        self.assertEqual(self.orphans(), [])

    @staticmethod
    def ready(sock, seconds, events=select.POLLIN):
        """poll() says yes within so many seconds."""
        poller = select.poll()
        poller.register(sock, events)
        return bool(poller.poll(seconds * 1000))

    @exact_clock
    def test_defer_accept(self):
        """accept() waits for data"""
        server = self.server((SOL_TCP, TCP_DEFER_ACCEPT, 4))
        self.assertEqual(server.getsockopt(SOL_TCP, TCP_DEFER_ACCEPT), 7)
        sock = self.client()
        sock.connect((BOB, self.port))
        self.assertFalse(self.ready(server, 3))
        self.assertEqual(len(self.tap.seen(flags=SYN, to_bob=False)), 1)
        sock.send(b"hello")
        self.assertTrue(self.ready(server, 0.1))
        self.assertEqual(server.accept()[0].recv(9), b"hello")

    @exact_clock
    def test_defer_accept_ends(self):
        """for so many seconds: then a SYN+ACK asks, and a bare ACK will do"""
        server = self.server((SOL_TCP, TCP_DEFER_ACCEPT, 4))
        self.client().connect((BOB, self.port))
        begin = time.monotonic()
        self.assertTrue(self.ready(server, 20))
        self.assertAlmostEqual(time.monotonic() - begin, 7, delta=SLACK)
        self.assertEqual(len(self.tap.seen(flags=SYN, to_bob=False)), 2)

    @exact_clock
    def test_defer_accept_of_client(self):
        """the third segment of the handshake waits for data"""
        self.server()
        sock = self.client((SOL_TCP, TCP_DEFER_ACCEPT, 1))
        sock.connect((BOB, self.port))
        sock.send(b"hello")
        time.sleep(0.05)
        self.assertEqual([(seg["flags"] & SYN, seg["len"])
                          for seg in self.tap.seen(to_bob=True)],
                         [(SYN, 0), (0, 5)])

    # --- windows and buffers ---

    def test_window_clamp(self):
        """no window is larger"""
        server = self.server((SOL_TCP, TCP_WINDOW_CLAMP, 4000))
        sock = self.client()
        sock.connect((BOB, self.port))
        conn = server.accept()[0]
        sock.sendall(bytes(20000))
        conn.setblocking(True)
        self.assertEqual(len(conn.recv(20000, socket.MSG_WAITALL)), 20000)
        windows = [seg["wnd"] for seg in self.tap.seen(to_bob=False)]
        self.assertEqual(max(windows), 4000)

    def unsent(self, sock):
        """SIOCOUTQNSD"""
        answer = array.array("i", [0])
        fcntl.ioctl(sock, SIOCOUTQNSD, answer)
        return answer[0]

    def test_notsent_lowat(self):
        """writable only while little is unsent"""
        sock, conn = self.pair([(SOL_TCP, TCP_NOTSENT_LOWAT, 16384),
                                (socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)],
                               [(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)])
        sock.setblocking(False)
        with self.assertRaises(BlockingIOError):
            while True:
                sock.send(bytes(1000))
        self.assertLess(self.unsent(sock), 66000 + 16384)
        self.assertFalse(self.ready(sock, 0.5, select.POLLOUT))
        while not self.ready(sock, 0.05, select.POLLOUT):
            conn.recv(4096)
        self.assertLess(self.unsent(sock), 8192)
        self.assertGreater(self.unsent(sock), 0)
        # without the mark the buffer counts
        sock.setsockopt(SOL_TCP, TCP_NOTSENT_LOWAT, 0)
        sock.send(bytes(200000))
        self.assertTrue(self.ready(sock, 0, select.POLLOUT))

    def test_rcvlowat(self):
        """readable only with so many bytes, or at the end"""
        sock, conn = self.pair()
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 100)
        sock.send(bytes(99))
        self.assertFalse(self.ready(conn, 0.5))
        sock.send(b"x")
        self.assertTrue(self.ready(conn, 0.5))
        self.assertEqual(len(conn.recv(200)), 100)
        sock.send(b"the end")
        self.assertFalse(self.ready(conn, 0.5))
        conn.setblocking(False)
        self.assertEqual(conn.recv(200), b"the end")
        sock.send(b"the end")
        sock.close()
        self.assertTrue(self.ready(conn, 0.5))

    def test_rcvlowat_beyond_the_buffer(self):
        """it never waits for more than the window lets in"""
        sock, conn = self.pair((), [(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                     10000)])
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1 << 20)
        self.assertEqual(conn.getsockopt(socket.SOL_SOCKET,
                                         socket.SO_RCVLOWAT), 10000)
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            sock.send(bytes(1 << 20))
        self.assertTrue(self.ready(conn, 5))

    def test_rcvlowat_makes_room(self):
        """a buffer that nobody has fixed grows with it"""
        sock, conn = self.pair()
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 2000000)
        self.assertEqual(conn.getsockopt(socket.SOL_SOCKET,
                                         socket.SO_RCVBUF), 4000000)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8000000)
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            sock.send(bytes(1000000))
        self.assertFalse(self.ready(conn, 2))

    # --- what recvmsg() and getsockopt() tell ---

    def test_peek_off(self):
        """MSG_PEEK goes on where it was"""
        sock, conn = self.pair()
        sock.send(b"abcdef")
        self.assertTrue(self.ready(conn, 1))
        conn.setsockopt(socket.SOL_SOCKET, SO_PEEK_OFF, 1)
        self.assertEqual(conn.recv(2, socket.MSG_PEEK), b"bc")
        self.assertEqual(conn.recv(2, socket.MSG_PEEK), b"de")
        self.assertEqual(conn.recv(3), b"abc")
        self.assertEqual(conn.recv(9, socket.MSG_PEEK), b"f")
        self.assertEqual(conn.recv(9), b"def")

    def test_inq(self):
        """recvmsg() tells what is left"""
        sock, conn = self.pair((), [(SOL_TCP, TCP_INQ, 1)])
        sock.send(b"abcdef")
        self.assertTrue(self.ready(conn, 1))
        for want, left in ((2, 4), (4, 0)):
            _, ancillary, _, _ = conn.recvmsg(want, 100)
            self.assertEqual(ancillary, [(SOL_TCP, TCP_INQ,
                                          struct.pack("i", left))])
        sock.close()
        self.assertEqual(conn.recvmsg(1, 100)[1][0][2], struct.pack("i", 1))

    def test_saved_syn(self):
        """IP header and SYN, once"""
        _, conn = self.pair((), [(SOL_TCP, TCP_SAVE_SYN, 1)])
        self.fails(errno.EINVAL, conn.getsockopt, SOL_TCP, TCP_SAVED_SYN, 10)
        syn = conn.getsockopt(SOL_TCP, TCP_SAVED_SYN, 500)
        self.assertEqual((syn[0], syn[9]), (0x45, 253))
        self.assertEqual(syn[12:20], socket.inet_aton(ALICE) +
                         socket.inet_aton(BOB))
        self.assertEqual(syn[33] & 0x3f, SYN)
        self.assertEqual(len(syn), 20 + (syn[32] >> 4) * 4)
        self.assertEqual(conn.getsockopt(SOL_TCP, TCP_SAVED_SYN, 500), b"")

    # --- IP ---

    def test_tos_ttl_df(self):
        """of every segment: SYN, SYN+ACK, data, ACK, FIN"""
        options = [(socket.SOL_IP, socket.IP_TOS, 0x28),
                   (socket.SOL_IP, socket.IP_TTL, 9),
                   (socket.SOL_IP, IP_MTU_DISCOVER, 0)]
        server = self.server(*options)
        sock = self.client(*options)
        sock.connect((BOB, self.port))
        conn = server.accept()[0]
        sock.send(b"x")
        conn.recv(1)
        conn.close()
        sock.recv(1)
        sock.close()
        time.sleep(0.1)
        self.assertGreaterEqual(len(self.tap.packets), 7)
        self.assertEqual({(seg["tos"], seg["ttl"])
                          for seg in self.tap.packets[:-1]}, {(0x28, 9)})
        # the ACK of the last FIN is that of a record, of TCP too
        self.assertEqual(self.tap.packets[-1]["tos"], 0x28)
        # the kernel has no other way for a small SYN+ACK
        self.assertEqual({seg["df"] for seg in self.tap.packets[:-1]
                          if not seg["flags"] & SYN}, {False})

    def test_tos_of_resets(self):
        """a connection's own; a stray one that of what it answers"""
        sock, conn = self.pair([(socket.SOL_IP, socket.IP_TOS, 0x10)])
        conn.setsockopt(socket.SOL_IP, socket.IP_TOS, 0x08)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
        conn.close()
        self.assertTrue(wait_until(lambda: self.tap.seen(flags=RST), 1))
        self.assertEqual(self.tap.seen(flags=RST)[0]["tos"], 0x08)
        sock.close()
        self.setUp()
        sock = self.client((socket.SOL_IP, socket.IP_TOS, 0x10))
        self.fails(errno.ECONNREFUSED, sock.connect, (BOB, self.port))
        self.assertEqual(self.tap.seen(flags=RST)[0]["tos"], 0x10)

    def test_ip_options(self):
        """they are in the header, and leave less room for text"""
        sock, conn = self.pair([(socket.SOL_IP, socket.IP_OPTIONS,
                                 b"\1\1\1\1")])
        sock.send(bytes(3000))
        conn.setblocking(True)
        self.assertEqual(len(conn.recv(3000, socket.MSG_WAITALL)), 3000)
        self.assertEqual({seg["ihl"] for seg in self.tap.seen(to_bob=True)},
                         {24})
        self.assertEqual(max(self.lengths()), 1444)

    def test_minttl(self):
        """what comes from farther away is dropped (RFC 5082)"""
        server = self.server((socket.SOL_IP, IP_MINTTL, 255))
        before = drops()["low_ttl"]
        sock = self.client((SOL_TCP, socket.TCP_SYNCNT, 1))
        self.fails(errno.ETIMEDOUT, sock.connect, (BOB, self.port))
        self.assertEqual(drops()["low_ttl"], before + 2)
        sock = self.client((socket.SOL_IP, socket.IP_TTL, 255))
        sock.connect((BOB, self.port))
        conn = server.accept()[0]
        sock.setsockopt(socket.SOL_IP, socket.IP_TTL, 64)
        sock.send(b"x")
        self.assertFalse(self.ready(conn, 0.1))
        sock.setsockopt(socket.SOL_IP, socket.IP_TTL, 255)
        self.assertTrue(self.ready(conn, 2))

    def test_freebind(self):
        """an address that is not there"""
        sock = self.client()
        self.fails(errno.EADDRNOTAVAIL, sock.bind, ("10.77.0.1", 0))
        sock.setsockopt(socket.SOL_IP, IP_FREEBIND, 1)
        sock.bind(("10.77.0.1", 0))

    # --- SOL_SOCKET ---

    def test_mark(self):
        """routing sees it"""
        sh("ip -n alice rule add fwmark 7 prohibit")
        try:
            self.server()
            sock = self.client((socket.SOL_SOCKET, SO_MARK, 7))
            self.fails(errno.EACCES, sock.connect, (BOB, self.port))
            self.client((socket.SOL_SOCKET, SO_MARK, 8)).connect(
                (BOB, self.port))
        finally:
            sh("ip -n alice rule del fwmark 7 prohibit")

    def test_priority(self):
        """a queue sees it: 6 goes into the first band, 2 into the third"""
        sh("ip netns exec alice tc qdisc add dev a0 root handle 1: prio")
        try:
            for priority, band in ((6, 1), (2, 3)):
                before = self.band_packets(band)
                self.pair([(socket.SOL_SOCKET, socket.SO_PRIORITY, priority)])
                self.setUp()
                self.assertGreaterEqual(self.band_packets(band) - before, 2)
        finally:
            sh("ip netns exec alice tc qdisc del dev a0 root")

    @staticmethod
    def band_packets(band):
        """What has gone through a band of alice's queue."""
        text = sh("ip netns exec alice tc -s class show dev a0")
        part = text.split(f"class prio 1:{band} ")[1]
        return int(part.split(" pkt")[0].split()[-1])

    @exact_clock
    def test_max_pacing_rate(self):
        """the queue fq keeps to it"""
        sh("ip netns exec alice tc qdisc add dev a0 root fq")
        try:
            sock, conn = self.pair([(socket.SOL_SOCKET, SO_MAX_PACING_RATE,
                                     100000)])
            begin = time.monotonic()
            carry(sock, conn, bytes(200000))
            took = time.monotonic() - begin
            self.assertGreater(took, 1.8)
            self.assertLess(took, 3)
        finally:
            sh("ip netns exec alice tc qdisc del dev a0 root")

    def test_bindtodevice(self):
        """a listener hears only its device"""
        self.server((socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo"))
        sock = self.client()
        self.fails(errno.ECONNREFUSED, sock.connect, (BOB, self.port))
        self.setUp()
        self.server((socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"b0"))
        self.client().connect((BOB, self.port))

    def test_reuseport(self):
        """300 connections are spread over four listeners"""
        servers = [self.server((socket.SOL_SOCKET, socket.SO_REUSEPORT, 1))
                   for _ in range(4)]
        socks = [self.client() for _ in range(300)]
        counts = [0] * 4
        for sock in socks:
            sock.connect((BOB, self.port))
            for i, server in enumerate(servers):
                if self.ready(server, 0):
                    server.accept()[0].close()
                    counts[i] += 1
        time.sleep(0.1)
        for i, server in enumerate(servers):
            while self.ready(server, 0):
                server.accept()[0].close()
                counts[i] += 1
        self.assertEqual(sum(counts), 300)
        self.assertGreater(min(counts), 40, counts)

    def test_filter(self):
        """a program decides what a socket takes"""
        sock, conn = self.pair()
        libc_filter = (ctypes_buffer := array.array("B", struct.pack(
            "HBBI", 6, 0, 0, 0)))  # BPF_RET | BPF_K, 0 bytes
        program = struct.pack("HxxxxxxQ", 1, libc_filter.buffer_info()[0])
        before = drops()["socket_filter"]
        conn.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
        sock.send(b"x")
        self.assertFalse(self.ready(conn, 0.1))
        self.assertGreater(drops()["socket_filter"], before)
        conn.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
        self.assertTrue(self.ready(conn, 5))
        self.assertEqual(conn.recv(9), b"x")
        del ctypes_buffer

    def test_busy_poll(self):
        """with it recv() still blocks, and still wakes"""
        sock, conn = self.pair()
        conn.setsockopt(socket.SOL_SOCKET, SO_BUSY_POLL, 50)
        conn.settimeout(0.2)
        self.assertRaises(TimeoutError, conn.recv, 1)
        sock.send(b"x")
        self.assertEqual(conn.recv(1), b"x")

    # --- TCP_CONGESTION, and who has which options ---

    def test_congestion(self):
        """by name"""
        sock, conn = self.pair([(SOL_TCP, TCP_CONGESTION, b"reno")])
        self.assertEqual(sock.getsockopt(SOL_TCP, TCP_CONGESTION, 16),
                         b"reno".ljust(16, b"\0"))
        self.fails(errno.ENOENT, sock.setsockopt, SOL_TCP, TCP_CONGESTION,
                   b"vegas")
        conn.setsockopt(SOL_CHALK, TCP_CONGESTION, b"newreno")

    INHERITED = ((socket.TCP_NODELAY, 1), (socket.TCP_CORK, 1),
                 (socket.TCP_KEEPIDLE, 77), (socket.TCP_KEEPINTVL, 7),
                 (socket.TCP_KEEPCNT, 4), (socket.TCP_SYNCNT, 3),
                 (TCP_LINGER2, 13), (TCP_DEFER_ACCEPT, 3),
                 (TCP_QUICKACK, 0), (TCP_USER_TIMEOUT, 9876),
                 (TCP_NOTSENT_LOWAT, 5432), (TCP_SAVE_SYN, 1), (TCP_INQ, 1))

    def test_inherited(self):
        """an accepted socket has what the listener has"""
        server = self.server(*[(SOL_TCP, *option)
                               for option in self.INHERITED])
        sock = self.client()
        sock.connect((BOB, self.port))
        sock.send(b"x")
        conn = server.accept()[0]
        for name, value in self.INHERITED:
            if name != TCP_QUICKACK:
                self.assertEqual(conn.getsockopt(SOL_TCP, name), value, name)

    def test_kept_by_disconnect(self):
        """connect(AF_UNSPEC) keeps all but what was for that peer"""
        sock, _ = self.pair([(SOL_TCP, *option) for option in self.INHERITED] +
                            [(SOL_TCP, TCP_WINDOW_CLAMP, 5000)])
        libc = __import__("ctypes").CDLL(None)
        self.assertEqual(libc.connect(sock.fileno(), bytes(16), 16), 0)
        for name, value in self.INHERITED:
            if name == TCP_QUICKACK:
                value = 1
            self.assertEqual(sock.getsockopt(SOL_TCP, name), value, name)
        self.assertEqual(sock.getsockopt(SOL_TCP, TCP_WINDOW_CLAMP), 0)


if __name__ == "__main__":
    unittest.main()
