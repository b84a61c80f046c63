# SPDX-License-Identifier: GPL-2.0
"""Chalk over IPv6: the same connections, other addresses."""

import ctypes
import errno
import hashlib
import itertools
import os
import socket
import struct
import threading
import time
import unittest

from net import (ALICE, ALICE6, BOB, BOB6, IPPROTO_CHALK, Net, Trace, carry,
                 chalk_socket, drops, inside, listener, sh, table, wait_until)

AF_INET6 = socket.AF_INET6
SO_DOMAIN = 39
SO_BINDTODEVICE = 25
IPV6_2292PKTOPTIONS, IPV6_RECVERR = 6, 25
IPV6_FLOWLABEL_MGR, IPV6_FLOWINFO_SEND = 32, 33
ETH_P_ALL = 3
PADDED_HEADER = bytes([0, 0, 1, 4, 0, 0, 0, 0])


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

    def test_behind_extension_headers(self):
        """sticky options at both ends: segments are behind them, and smaller"""
        server = chalk_socket("bob", AF_INET6)
        sock = chalk_socket("alice", AF_INET6)
        for end in (server, sock):
            for option in (socket.IPV6_HOPOPTS, socket.IPV6_DSTOPTS):
                end.setsockopt(socket.IPPROTO_IPV6, option, PADDED_HEADER)
        server.bind(("::", 85))
        server.listen()
        sock.connect((BOB6, 85))
        conn, _ = server.accept()
        conn.settimeout(300)
        data = os.urandom(1 << 18)
        for source, sink in ((sock, conn), (conn, sock)):
            thread = threading.Thread(target=source.sendall, args=(data,))
            thread.start()
            got = bytearray()
            while len(got) < len(data):
                got += sink.recv(1 << 16)
            thread.join()
            self.assertEqual(bytes(got), data)
            self.assertEqual(
                source.getsockopt(socket.SOL_TCP, socket.TCP_MAXSEG),
                1500 - 40 - 2 * len(PADDED_HEADER) - 20 - 12)
        for end in (sock, conn, server):
            end.close()

    def test_options_while_connected(self):
        """a header that is added later takes room from each segment"""
        sock, conn = self.pair(port=86)
        conn.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS,
                        PADDED_HEADER)
        data = os.urandom(100000)
        self.assertEqual(carry(conn, sock, data), data)
        self.assertEqual(conn.getsockopt(socket.SOL_TCP, socket.TCP_MAXSEG),
                         1500 - 40 - len(PADDED_HEADER) - 20 - 12)


class Ends(Hosts):
    """how connections end, and fail to begin"""

    def test_close_with_unread_data(self):
        """a reset tells the peer"""
        sock, conn = self.pair()
        sock.sendall(b"unread")
        self.assertTrue(wait_until(
            lambda: conn.recv(9, socket.MSG_PEEK) == b"unread", 5))
        conn.close()
        fails(self, errno.ECONNRESET, sock.recv, 1)

    def test_time_wait_opens_anew(self):
        """bob is in TIME_WAIT; the same client calls again"""
        server = listener("bob", 82, family=AF_INET6)
        self.addCleanup(server.close)
        for _ in range(3):
            sock = chalk_socket("alice", AF_INET6)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((ALICE6, 4000))
            sock.connect((BOB6, 82))
            conn, _ = server.accept()
            conn.shutdown(socket.SHUT_WR)
            self.assertEqual(sock.recv(1), b"")
            sock.close()
            self.assertEqual(conn.recv(1), b"")
            conn.close()
            self.assertTrue(wait_until(lambda: [
                row["local"] for row in table("conns")
                if row["state"] == "TIME_WAIT"
                and row["remote"] == f"[{ALICE6}]:4000"] == [f"[{BOB6}]:82"],
                5))

    def icmp_errno(self, kind, protocol, recverr=False):
        """What connect() says where the router has a route of this @kind."""
        sh(f"ip -n router route replace {kind} 2001:db8:9::/64")
        with inside("alice"):
            sock = socket.socket(AF_INET6, socket.SOCK_STREAM, protocol)
        with sock:
            sock.settimeout(300)
            if recverr:
                sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
            return sock.connect_ex(("2001:db8:9::1", 80))

    def test_icmp(self):
        """messages of routers: the errno that TCP gives"""
        self.addCleanup(sh, "ip -n router route flush 2001:db8:9::/64")
        for kind in ("unreachable", "prohibit"):
            self.net.netem("delay 0")
            ours = self.icmp_errno(kind, IPPROTO_CHALK)
            time.sleep(1.1)  # messages are limited to one a second
            self.assertEqual(ours, self.icmp_errno(kind, socket.IPPROTO_TCP))
            self.assertNotEqual(ours, 0)
            time.sleep(1.1)

    def test_icmp_later(self):
        """a connection that stands reports it only if asked to"""
        for asked in (0, 1):
            sock, conn = self.pair(port=83)
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, asked)
            sh(f"ip -n router route add prohibit {BOB6}/128")
            sock.sendall(b"x")
            time.sleep(1.5)
            sh(f"ip -n router route del prohibit {BOB6}/128")
            sock.setblocking(False)
            fails(self, errno.EACCES if asked else errno.EAGAIN, sock.recv, 1)
            self.assertEqual(conn.recv(1), b"x")
            sock.close()
            conn.close()


class Binds(Hosts):
    """who may have a port beside whom: as TCP"""

    addresses = ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET, BOB),
                 (AF_INET6, "::"), (AF_INET6, BOB6), (AF_INET6, "::1"),
                 (AF_INET6, f"::ffff:{BOB}"), (AF_INET6, "::ffff:0.0.0.0"))

    @staticmethod
    def attempt(protocol, ends, v6only, reuse):
        """Bind and listen twice; the errno of each."""
        results, socks = [], []
        for family, address in ends:
            with inside("bob"):
                sock = socket.socket(family, socket.SOCK_STREAM, protocol)
            socks.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
            try:
                if family == AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY,
                                    v6only)
                sock.bind((address, 90))
                sock.listen()
                results.append(0)
            except OSError as error:
                results.append(error.errno)
        for sock in socks:
            sock.close()
        return results

    def test_conflicts(self):
        """every pair of addresses"""
        for ends in itertools.product(self.addresses, repeat=2):
            for v6only, reuse in itertools.product((0, 1), repeat=2):
                with self.subTest(ends=ends, v6only=v6only, reuse=reuse):
                    self.assertEqual(
                        self.attempt(IPPROTO_CHALK, ends, v6only, reuse),
                        self.attempt(socket.IPPROTO_TCP, ends, v6only, reuse))

    def connect_errno(self, protocol, address, prepare):
        """errno of a connect() to a port where nobody listens"""
        with inside("alice"):
            sock = socket.socket(AF_INET6, socket.SOCK_STREAM, protocol)
            scope = socket.if_nametoindex("a0")
        with sock:
            sock.settimeout(300)
            sock.setsockopt(socket.SOL_TCP, socket.TCP_SYNCNT, 1)
            try:
                prepare(sock, scope)
            except OSError as error:
                return -error.errno
            return sock.connect_ex((address, 9, 0, scope if "%" in address
                                    else 0))

    def test_connect_errors(self):
        """addresses that cannot be, as TCP answers them"""
        def nothing(_sock, _scope):
            pass

        def v6only(sock, _scope):
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)

        def bound_native(sock, _scope):
            sock.bind((ALICE6, 0))

        def bound_mapped(sock, _scope):
            sock.bind((f"::ffff:{ALICE}", 0))

        def bound_to_device(sock, _scope):
            sock.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, b"lo")

        cases = itertools.product(
            (BOB6, f"::ffff:{BOB}", "ff02::1", "::ffff:224.0.0.1", "fe80::1",
             "2001:db8:77::1", "::", "::ffff:0.0.0.0"),
            (nothing, v6only, bound_native, bound_mapped, bound_to_device))
        for address, prepare in cases:
            with self.subTest(address=address, prepare=prepare.__name__):
                self.assertEqual(*(self.connect_errno(p, address, prepare)
                                   for p in (IPPROTO_CHALK,
                                             socket.IPPROTO_TCP)))


class Scopes(Hosts):
    """link-local addresses mean something on their link only"""

    def test_link_local(self):
        """alice calls the router by it; without a scope she cannot"""
        server = listener("router", 80, family=AF_INET6)
        address = sh("ip -n router -6 -o addr show dev ra scope link").split(
            )[3].split("/")[0]
        sock = chalk_socket("alice", AF_INET6)
        fails(self, errno.EINVAL, sock.connect, (address, 80))
        with inside("alice"):
            scope = socket.if_nametoindex("a0")
        with inside("router"):
            peer_scope = socket.if_nametoindex("ra")
        sock.connect((address, 80, 0, scope))
        conn, peer = server.accept()
        self.assertEqual(peer[3], peer_scope)
        self.assertEqual(sock.getpeername(), (address, 80, 0, scope))
        sock.sendall(b"near")
        self.assertEqual(conn.recv(9), b"near")
        server.close()
        fails(self, errno.ECONNREFUSED,
              chalk_socket("alice", AF_INET6).connect, (address, 80, 0, scope))
        for end in (sock, conn):
            end.close()


class Headers(Hosts):
    """what the IPv6 header of our packets says"""

    def setUp(self):
        with inside("router"):
            self.tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                     socket.htons(ETH_P_ALL))
        self.tap.bind(("ra", ETH_P_ALL))
        self.tap.settimeout(0.5)
        self.addCleanup(self.tap.close)

    def packets(self):
        """Of all packets so far: source, class, label, hops."""
        found = []
        try:
            while data := self.tap.recv(2000):
                if data[0] >> 4 == 6 and data[6] == IPPROTO_CHALK:
                    word = int.from_bytes(data[:4], "big")
                    found.append((socket.inet_ntop(AF_INET6, data[8:24]),
                                  word >> 20 & 0xff, word & 0xfffff, data[7]))
        except TimeoutError:
            pass
        return found

    def test_labels(self):
        """one flow label for each direction of a connection, from SYN on"""
        sock, conn = self.pair()
        sock.sendall(b"x" * 5000)
        conn.sendall(conn.recv(5000, socket.MSG_WAITALL))
        sock.recv(5000, socket.MSG_WAITALL)
        labels = {}
        for source, _, label, _ in self.packets():
            labels.setdefault(source, set()).add(label)
        self.assertEqual(sorted(labels), sorted((ALICE6, BOB6)))
        for found in labels.values():
            self.assertEqual(len(found), 1, labels)
            self.assertNotIn(0, found)

    def test_label_of_the_program(self):
        """a label that was leased goes with each packet"""
        sock = chalk_socket("alice", AF_INET6)
        label, any_share, get, create = 0x12345, 255, 0, 1
        sock.setsockopt(
            socket.IPPROTO_IPV6, IPV6_FLOWLABEL_MGR,
            socket.inet_pton(AF_INET6, BOB6) + struct.pack("!I", label) +
            struct.pack("BBHHHI", get, any_share, create, 6, 0, 0))
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FLOWINFO_SEND, 1)
        with listener("bob", 81, family=AF_INET6) as server:
            sock.connect((BOB6, 81, label, 0))
            self.assertEqual(sock.getpeername()[2], label)
            server.accept()[0].close()
        sock.close()
        self.assertEqual({packet[2] for packet in self.packets()
                          if packet[0] == ALICE6}, {label})

    def test_class_and_hops(self):
        """IPV6_TCLASS and IPV6_UNICAST_HOPS"""
        sock = chalk_socket("alice", AF_INET6)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, 0x40)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 9)
        with listener("bob", 82, family=AF_INET6) as server:
            sock.connect((BOB6, 82))
            server.accept()[0].close()
        sock.close()
        self.assertEqual({packet[1::2] for packet in self.packets()
                          if packet[0] == ALICE6}, {(0x40, 9)})

    def test_packet_options(self):
        """IPV6_2292PKTOPTIONS tells of the latest packet"""
        sock, conn = self.pair(port=83)
        for option in (socket.IPV6_RECVPKTINFO, socket.IPV6_RECVHOPLIMIT):
            conn.setsockopt(socket.IPPROTO_IPV6, option, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 77)
        sock.sendall(b"x")
        self.assertEqual(conn.recv(1), b"x")
        answer = conn.getsockopt(socket.IPPROTO_IPV6, IPV6_2292PKTOPTIONS, 200)
        self.assertIn(struct.pack("i", 76), answer)
        self.assertIn(socket.inet_pton(AF_INET6, ALICE6), answer)


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def syn(dport=99, source=ALICE6, target=BOB6) -> bytes:
    """A SYN with a right checksum, without options"""
    head = struct.pack("!HHIIBBHHH", 4001, dport, 1000, 0, 5 << 4, 2, 8192, 0,
                       0)
    pseudo = (socket.inet_pton(AF_INET6, source) +
              socket.inet_pton(AF_INET6, target) +
              struct.pack("!IHBB", len(head), 0, 0, IPPROTO_CHALK))
    return head[:16] + struct.pack("!H", checksum(pseudo + head)) + head[18:]


class Raw(Hosts):
    """alice makes packets herself"""

    def setUp(self):
        self.server = listener("bob", 99, family=AF_INET6)
        self.addCleanup(self.server.close)

    def send(self, segment, source=ALICE6, target=BOB6, headers=()):
        """An IPv6 packet; @headers: (next header number, bytes)"""
        chain = b""
        number = IPPROTO_CHALK
        for kind, data in reversed(headers):
            chain = bytes([number]) + data[1:] + chain
            number = kind
        body = chain + segment
        packet = (struct.pack("!IHBB", 6 << 28, len(body), number, 64) +
                  socket.inet_pton(AF_INET6, source) +
                  socket.inet_pton(AF_INET6, target) + body)
        with inside("alice"):
            raw = socket.socket(AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
        with raw:
            raw.sendto(packet, (target, 0))

    def grown(self, function, *args, **kwargs):
        """Which drop counters grew"""
        before = drops()
        function(*args, **kwargs)
        time.sleep(0.2)
        return {k: n - before[k] for k, n in drops().items() if n != before[k]}

    def test_any_bit_flipped(self):
        """each makes the checksum, or the length, wrong"""
        good = syn()
        bad = []
        for bit in range(len(good) * 8):
            data = bytearray(good)
            data[bit // 8] ^= 1 << bit % 8
            bad.append(bytes(data))
        grown = self.grown(lambda: [self.send(data) for data in bad])
        self.assertEqual(sum(grown.values()), len(bad), grown)
        self.assertLessEqual(set(grown), {"bad_checksum", "bad_header_length"})

    def test_pseudo_header(self):
        """a segment that was meant for somebody else"""
        self.assertEqual(
            self.grown(self.send, syn(target="2001:db8:2::77")),
            {"bad_checksum": 1})

    def test_behind_headers(self):
        """a SYN behind options, routing done and destination options"""
        headers = ((0, PADDED_HEADER), (60, PADDED_HEADER))
        trace = Trace()
        self.send(syn(), headers=headers)
        time.sleep(0.3)
        sent = [r for r in trace.stop() if r["local"] == f"[{BOB6}]:99"]
        self.assertIn("SA", {r["flags"] for r in sent if r["event"] == "send"})

    def test_no_socket(self):
        """a reset goes back, and alice has no use for it"""
        self.assertEqual(self.grown(self.send, syn(dport=98)),
                         {"no_socket": 2})


if __name__ == "__main__":
    unittest.main()
