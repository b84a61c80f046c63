# SPDX-License-Identifier: GPL-2.0
"""Peers who do what another Chalk does not, each for TCP and for Chalk, over
IPv4 and IPv6. What differs stands in docs/sockets.md.
"""

import errno
import functools
import pathlib
import select
import socket
import time
import unittest

from glue import counts
from net import Net, exact_clock, inside, sh
from peer import (ACK, CHALK, FAMILIES, FIN, MSS, RST, SYN, TCP, Cable,
                  drops_of, stamps, state)

ESTABLISHED, SYN_RCVD, CLOSED, CLOSE_WAIT = 1, 3, 7, 8


def each(*protocols):
    """A test plays with a peer for each version of IP and each protocol."""
    def wrap(test):
        @functools.wraps(test)
        def run(self):
            for family in FAMILIES:
                for protocol in protocols:
                    with self.subTest(family=family.name, protocol=protocol), \
                            self.cable.peer(family, protocol) as peer:
                        test(self, peer)
        return run
    return wrap


@exact_clock
class Peers(unittest.TestCase):
    """alice talks to a peer whose segments are made by hand"""

    @classmethod
    def setUpClass(cls):
        cls.cable = cls.enterClassContext(Cable())

    def crossed(self, peer):
        """SYNs have crossed; alice's socket, in SYN_RCVD."""
        sock = peer.begin()
        peer.send(SYN, options=MSS)
        answer = peer.receive(lambda seg: seg.flags == SYN | ACK)
        self.assertEqual(answer.ack, peer.seq)
        self.assertEqual(state(sock), SYN_RCVD)
        return sock

    @each(TCP, CHALK)
    def test_crossing_synack(self, peer):
        """RFC 9293 figure 7: the peer's SYN+ACK makes ESTABLISHED (0.5 s)"""
        sock = self.crossed(peer)
        peer.send(SYN | ACK, seq=peer.seq - 1, options=MSS)
        self.assertEqual([seg.flags for seg in peer.all()], [ACK])
        self.assertEqual(state(sock), ESTABLISHED)
        self.assertTrue(peer.talks(sock))

    @each(TCP, CHALK)
    def test_crossing_synack_wrong(self, peer):
        """Of another SYN, or of none that we sent: an ACK, no RST (1 s)"""
        sock = self.crossed(peer)
        peer.send(SYN | ACK, seq=peer.seq - 1, ack=peer.ack + 1)
        peer.send(SYN | ACK, seq=peer.seq - 2)
        flags = {seg.flags for seg in peer.all()}
        self.assertLessEqual(flags, {ACK, SYN | ACK})
        self.assertEqual(state(sock), SYN_RCVD)
        peer.send(ACK)
        self.assertTrue(peer.talks(sock))

    @each(CHALK)
    def test_crossing_synack_with_text(self, peer):
        """Text and FIN on it are taken; TCP takes a bare one only (0.5 s)"""
        sock = self.crossed(peer)
        peer.send(SYN | ACK | FIN, b"text", seq=peer.seq - 1, options=MSS)
        peer.seq += 5
        self.assertEqual([(seg.flags, seg.ack) for seg in peer.all()],
                         [(ACK, peer.seq)])
        self.assertEqual(state(sock), CLOSE_WAIT)
        sock.settimeout(1)
        self.assertEqual((sock.recv(10), sock.recv(10)), (b"text", b""))

    @each(TCP, CHALK)
    def test_tsval_0(self, peer):
        """A SYN with TSval 0, then half the circle on: who calls us (0.3 s)"""
        listener = peer.listen()
        peer.options = stamps(0, 0)
        peer.send(SYN, options=MSS + peer.options)
        synack = peer.receive(lambda seg: seg.flags & SYN)
        peer.take(synack)
        peer.options = stamps(0x90000000, synack.stamp)
        peer.send(ACK)
        sock = listener.accept()[0]
        peer.sockets.append(sock)
        sock.settimeout(1)
        self.assertTrue(peer.talks(sock))

    @each(TCP, CHALK)
    def test_tsval_0_in_synack(self, peer):
        """The same of a SYN+ACK: whom we call (0.3 s)"""
        peer.options = stamps(0, 0)
        sock = peer.called()
        peer.options = stamps(0xa0000000, 0)
        sock.settimeout(1)
        self.assertTrue(peer.talks(sock))

    @each(TCP, CHALK)
    def test_no_timestamp(self, peer):
        """RFC 7323 3.2: what lacks the option is dropped in silence; TCP takes
        it, and answers a keep-alive without (1 s)"""
        peer.options = stamps(100, 0)
        sock = peer.called()
        before = drops_of("alice", "no_timestamp")
        peer.send(ACK, b"x", options=b"")
        peer.seq -= 1
        peer.send(ACK, seq=peer.seq - 1, options=b"")
        answers = [seg.flags for seg in peer.all()]
        if peer.protocol == CHALK:
            self.assertEqual(answers, [])
            self.assertEqual(drops_of("alice", "no_timestamp"), before + 2)
            # RFC 7323 3.2: it must not end the connection
            self.assertTrue(peer.talks(sock))
        else:
            self.assertEqual(sock.recv(10), b"x")
            self.assertEqual(set(answers), {ACK})

    @each(TCP, CHALK)
    def test_no_timestamp_in_handshake(self, peer):
        """Nor does the third segment without it make a connection (0.5 s)"""
        listener = peer.listen()
        listener.settimeout(0.2)
        peer.send(SYN, options=MSS + stamps(100, 0))
        peer.take(peer.receive(lambda seg: seg.flags & SYN))
        peer.send(ACK)
        if peer.protocol == CHALK:
            with self.assertRaises(TimeoutError):
                listener.accept()
            peer.options = stamps(101, 0)
            peer.send(ACK)
        peer.sockets.append(listener.accept()[0])

    @each(TCP, CHALK)
    def test_no_timestamp_rst(self, peer):
        """A RST needs none (0.3 s)"""
        peer.options = stamps(100, 0)
        sock = peer.called()
        peer.send(RST | ACK, options=b"")
        with self.assertRaises(ConnectionResetError):
            sock.recv(10)

    # lengths of 0, 1, past the end, and wrong for their kind
    BAD_OPTIONS = (b"\x02\x00\0\0", b"\x02\x01\0\0", b"\x02\x05\0\0",
                   b"\x02\x03\0\0", b"\x03\x04\0\0", b"\x08\x04\0\0",
                   b"\x01\x01\x01\xfe")

    @each(TCP, CHALK)
    def test_bad_option(self, peer):
        """A SYN with an option of an illegal length is dropped whole; TCP takes
        it without that option (1 s)"""
        listener = peer.listen()
        before = drops_of("alice", "bad_option")
        for options in self.BAD_OPTIONS:
            peer.send(SYN, seq=1000, options=options)
        answers = peer.all()
        if peer.protocol == CHALK:
            self.assertEqual(answers, [])
            self.assertEqual(drops_of("alice", "bad_option"),
                             before + len(self.BAD_OPTIONS))
        else:
            self.assertIn(SYN | ACK, {seg.flags for seg in answers})
        peer.sockets.append(peer.calls(listener))

    @each(TCP, CHALK)
    def test_bad_option_later(self, peer):
        """The same in a segment with data; the next good one is taken (0.5 s)"""
        sock = peer.called()
        peer.send(ACK, b"x", options=b"\x02\x00\0\0")
        answers = peer.all()
        if peer.protocol == CHALK:
            self.assertEqual(answers, [])
            peer.seq -= 1
        else:
            self.assertEqual(sock.recv(10), b"x")
        self.assertTrue(peer.talks(sock))


@exact_clock
class Rejected(unittest.TestCase):
    """A router on the same host rejects: its ICMP error comes while connect()
    still has the socket locked"""

    net = ("10.0.9.0/24", "2001:db8:9::/64")
    host = {socket.AF_INET: "10.0.9.1", socket.AF_INET6: "2001:db8:9::1"}
    errno = {socket.AF_INET: errno.EHOSTUNREACH,
             socket.AF_INET6: errno.ENETUNREACH}
    # seconds, at least and at most; TCP drops what comes while its socket is locked,
    # which a softirq that was put off does not
    at_once, next_syn = (0, 0.1), (0, 2)

    @classmethod
    def setUpClass(cls):
        cls.enterClassContext(Net())
        for net in cls.net:
            sh(f"ip -n router route add unreachable {net}")
        sh("ip netns exec router sysctl -qw net.ipv4.icmp_ratelimit=0"
           " net.ipv6.icmp.ratelimit=0")
        # of all namespaces: one a second, after some
        cost = pathlib.Path("/proc/sys/net/ipv4/route/error_cost")
        cls.addClassCleanup(cost.write_text, cost.read_text())
        cost.write_text("0")

    def connect(self, family, protocol, blocking, mapped=False):
        """connect(): its socket, its errno, and how long it took."""
        with inside("alice"):
            sock = socket.socket(socket.AF_INET6 if mapped else family,
                                 socket.SOCK_STREAM, protocol)
        self.addCleanup(sock.close)
        sock.setblocking(blocking)
        begin = time.monotonic()
        code = sock.connect_ex(
            ("::ffff:" * mapped + self.host[family], 7000))
        return sock, code, time.monotonic() - begin

    def hears(self, family, protocol, bounds, mapped=False):
        """A connect() that nobody waits for: poll() wakes with the errno."""
        sock, code, _ = self.connect(family, protocol, False, mapped)
        self.assertEqual(code, errno.EINPROGRESS)
        poller = select.poll()
        poller.register(sock, select.POLLOUT)
        begin = time.monotonic()
        events = poller.poll(5000)
        took = time.monotonic() - begin
        self.assertTrue(bounds[0] <= took < bounds[1], took)
        self.assertTrue(events[0][1] & select.POLLERR, events)
        self.assertEqual(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR),
                         self.errno[family])
        return sock

    def test_nonblocking(self):
        """poll() wakes at once, with the right errno; TCP's over IPv6 with its
        next SYN at the latest, after a second (3 s)"""
        for family, mapped, tcp in (
                (socket.AF_INET, False, self.at_once),
                (socket.AF_INET6, False, self.next_syn),
                (socket.AF_INET, True, self.at_once)):
            for protocol, bounds in ((TCP, tcp), (CHALK, self.at_once)):
                with self.subTest(family=family.name, mapped=mapped,
                                  protocol=protocol):
                    self.hears(family, protocol, bounds, mapped)

    def test_blocking(self):
        """A connect() that waits fails at once; TCP's with its next SYN (3 s)"""
        for family in FAMILIES:
            for protocol, bounds in ((TCP, self.next_syn),
                                     (CHALK, self.at_once)):
                with self.subTest(family=family.name, protocol=protocol):
                    _, code, took = self.connect(family, protocol, True)
                    self.assertEqual(code, self.errno[family])
                    self.assertTrue(bounds[0] <= took < bounds[1], took)

    def test_the_end(self):
        """and the connection is over: no SYN goes again, the next connect()
        begins anew (3 s)"""
        sock = self.hears(socket.AF_INET, CHALK, self.at_once)
        self.assertEqual(state(sock), CLOSED)
        begin = counts("alice")["TCPSynRetrans"]
        time.sleep(2)
        self.assertEqual(counts("alice")["TCPSynRetrans"], begin)
        there = (self.host[socket.AF_INET], 7000)
        self.assertEqual(sock.connect_ex(there), errno.ECONNABORTED)
        self.assertEqual(sock.connect_ex(there), errno.EINPROGRESS)


if __name__ == "__main__":
    unittest.main()
