# SPDX-License-Identifier: GPL-2.0
"""Datagrams: what a program sees, over IPv4, over IPv6, and over both at once.

Every scenario runs three times over UDP and three times over Chalk.
"""

import contextlib
import select
import socket
import threading
import time

from dgram import (Differential, MSG_CONFIRM, MSG_PROBE, SIOCINQ, SIOCOUTQ,
                   SOL_UDP, SO_PEEK_OFF, SO_RXQ_OVFL, SO_TIMESTAMPNS, UDP_CORK,
                   control, disconnect, events, fails, is_empty, number,
                   patience, poll, queued)
from net import ALICE, ALICE6, BOB, BOB6, wait_until


class Scenarios:
    """alice sends to bob; a subclass says by which IP"""

    alice = bob = any_address = silent = ""
    largest = 65507

    def test_boundaries(self):
        """messages keep their boundaries, also empty ones"""
        def scenario(make):
            bob, alice = make(bind=(self.bob, 700)), make("alice")
            sizes = [0, 1, 1472, 1473, 9000, self.largest]
            for size in sizes:
                alice.sendto(b"x" * size, (self.bob, 700))
            result = [len(bob.recv(70000)) for _ in sizes]
            return result + [fails(alice.sendto, b"x" * (self.largest + 1),
                                   (self.bob, 700))]

        self.both(scenario,
                  [0, 1, 1472, 1473, 9000, self.largest, "EMSGSIZE"])

    def test_content(self):
        """every byte, for every length of fragments"""
        def scenario(make):
            bob, alice = make(bind=(self.bob, 700)), make("alice")
            for size in list(range(1, 50)) + list(range(1460, 1490)) + [
                    3333, 4096, 8191, 20001, self.largest]:
                data = bytes(i * 7 & 255 for i in range(size))
                alice.sendto(data, (self.bob, 700))
                if bob.recv(70000) != data:
                    return size
            return "all"

        self.both(scenario, "all")

    def test_names(self):
        """autobind, connect, getsockname, connect to AF_UNSPEC"""
        def scenario(make):
            bob, alice = make(bind=(self.bob, 700)), make("alice")
            result = [alice.getsockname()[:2]]
            alice.connect((self.bob, 700))
            result += [alice.getsockname()[0], alice.getpeername()[:2],
                       alice.getsockname()[1] > 0]
            alice.send(b"1")
            data, sender = bob.recvfrom(10)
            result += [data, sender == alice.getsockname()]
            bob.sendto(b"2", sender)
            result += [alice.recv(10)]
            make(bind=(self.bob, 702)).sendto(b"stranger", sender)
            result += [is_empty(alice)]
            disconnect(alice)
            result += [fails(alice.getpeername), alice.getsockname()[:2],
                       fails(alice.send, b"x")]
            return result

        nobody = (self.any_address, 0)
        self.both(scenario, [nobody, self.alice, (self.bob, 700), True, b"1",
                             True, b"2", True, "ENOTCONN", nobody,
                             "EDESTADDRREQ"])

    def test_truncated(self):
        """MSG_TRUNC both ways, MSG_PEEK, SIOCINQ"""
        def scenario(make):
            bob, alice = make(bind=(self.bob, 700)), make("alice")
            for data in (b"0123456789", b"abc"):
                alice.sendto(data, (self.bob, 700))
            poll(bob)
            result = [queued(bob, SIOCINQ)]
            data, _, flags, sender = bob.recvmsg(4, 0, socket.MSG_PEEK)
            result += [data, flags, sender[0]]
            buffer = bytearray(4)
            result += [bob.recv_into(buffer, 4, socket.MSG_TRUNC), buffer]
            result += [queued(bob, SIOCINQ), bob.recvmsg(100)[0:3:2],
                       queued(bob, SIOCINQ), queued(bob, SIOCOUTQ)]
            return result

        self.both(scenario, [10, b"0123", socket.MSG_TRUNC, self.alice, 10,
                             bytearray(b"0123"), 3, (b"abc", 0), 0, 0])

    def test_peek_offset(self):
        """SO_PEEK_OFF goes on through the queue"""
        def scenario(make):
            bob, alice = make(bind=(self.bob, 700)), make("alice")
            alice.sendto(b"0123456789", (self.bob, 700))
            alice.sendto(b"abcd", (self.bob, 700))
            wait_until(lambda: queued(bob, SIOCINQ), 5)
            bob.setsockopt(socket.SOL_SOCKET, SO_PEEK_OFF, 2)
            result = [bob.recv(5, socket.MSG_PEEK) for _ in range(2)]
            result += [bob.getsockopt(socket.SOL_SOCKET, SO_PEEK_OFF)]
            result += [bob.recv(10, socket.MSG_PEEK)]
            result += [bob.recv(20)]
            result += [bob.getsockopt(socket.SOL_SOCKET, SO_PEEK_OFF)]
            return result

        self.both(scenario, [b"23456", b"789", 10, b"abcd", b"0123456789", 4])

    def test_cork(self):
        """MSG_MORE and UDP_CORK build one datagram"""
        def scenario(make):
            bob, alice = make(bind=(self.bob, 700)), make("alice")
            alice.sendto(b"one ", socket.MSG_MORE, (self.bob, 700))
            result = [is_empty(bob)]
            alice.sendto(b"two", (self.bob, 700))
            result += [bob.recv(100)]
            alice.connect((self.bob, 700))
            alice.setsockopt(SOL_UDP, UDP_CORK, 1)
            result += [alice.getsockopt(SOL_UDP, UDP_CORK)]
            for i in range(40):
                alice.send(bytes([i]) * 1001)
            alice.setsockopt(SOL_UDP, UDP_CORK, 0)
            data = bob.recv(70000)
            result += [len(data), data == b"".join(bytes([i]) * 1001
                                                   for i in range(40))]
            # too much: all of it is lost
            alice.send(b"a" * 60000, socket.MSG_MORE)
            result += [fails(alice.send, b"b" * 10000)]
            alice.send(b"next")
            result += [bob.recv(70000)]
            # an empty beginning
            alice.send(b"", socket.MSG_MORE)
            alice.send(b"tail")
            result += [bob.recv(100)]
            alice.send(b"lost", socket.MSG_MORE)
            alice.close()
            return result

        self.both(scenario, [True, b"one two", 1, 40040, True, "EMSGSIZE",
                             b"next", b"tail"])

    def test_poll(self):
        """events before and after each thing that happens"""
        def scenario(make):
            bob, alice = make(bind=(self.bob, 700)), make("alice")
            result = [events(bob)]
            alice.connect((self.bob, 700))
            alice.send(b"x")
            poll(bob)
            result += [events(bob)]
            bob.recv(10)
            result += [events(bob)]
            result += [fails(bob.shutdown, socket.SHUT_RD)]
            alice.shutdown(socket.SHUT_RD)
            result += [events(alice), alice.recv(10)]
            alice.shutdown(socket.SHUT_WR)
            result += [events(alice), fails(alice.send, b"x")]
            return result

        account = self.both(scenario)
        self.assertEqual(account[:3], [select.POLLOUT, select.POLLIN |
                                       select.POLLOUT, select.POLLOUT])
        self.assertEqual(account[-1], "EPIPE")

    def test_refused(self):
        """ICMP port unreachable reaches a connected socket only"""
        def scenario(make):
            alice = make("alice")
            alice.sendto(b"x", (self.bob, 799))
            time.sleep(0.2)
            result = [events(alice),
                      fails(alice.sendto, b"x", (self.bob, 799))]
            alice.connect((self.bob, 799))
            alice.send(b"x")
            time.sleep(0.2)
            result += [events(alice), fails(alice.recv, 10), events(alice)]
            alice.send(b"x")
            time.sleep(0.2)
            result += [fails(alice.send, b"x"),
                       alice.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)]
            time.sleep(0.2)
            result += [alice.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)]
            return result

        account = self.both(scenario)
        self.assertEqual(account[3], "ECONNREFUSED")
        self.assertTrue(account[2] & select.POLLERR)

    def test_reuseport(self):
        """SO_REUSEPORT shares the flows out, and keeps each where it is"""
        def scenario(make):
            group = []
            for _ in range(4):
                sock = make()
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                sock.bind((self.bob, 700))
                group.append(sock)
            senders = [make("alice", (self.alice, 1000 + i))
                       for i in range(64)]
            for _ in range(3):
                for sender in senders:
                    sender.sendto(b"x", (self.bob, 700))
            time.sleep(0.3)
            seen = []
            for sock in group:
                ports = set()
                with contextlib.suppress(BlockingIOError):
                    while True:
                        ports.add(sock.recvfrom(10, socket.MSG_DONTWAIT)[1][1])
                seen.append(ports)
            result = [len(set.union(*seen)), sum(map(len, seen)),
                      all(len(ports) > 4 for ports in seen)]
            alone = make()
            return result + [fails(alone.bind, (self.bob, 700))]

        self.both(scenario, [64, 64, True, "EADDRINUSE"])

    def test_reuseaddr(self):
        """the newest of SO_REUSEADDR gets it; a connected one comes first"""
        def scenario(make):
            socks = []
            for _ in range(3):
                sock = make()
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind((self.bob, 700))
                socks.append(sock)
            alice = make("alice", (self.alice, 1001))
            other = make("alice", (self.alice, 1002))
            socks[1].connect((self.alice, 1002))
            alice.sendto(b"a", (self.bob, 700))
            other.sendto(b"b", (self.bob, 700))
            time.sleep(0.2)
            return [fails(sock.recv, 10, socket.MSG_DONTWAIT)
                    for sock in socks]

        self.assertEqual(self.both(scenario).count("no error"), 2)

    def test_send_buffer(self):
        """SO_SNDBUF holds back a sender; POLLOUT when there is room"""
        def scenario(make):
            alice = make("alice")
            alice.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
            # no neighbour answers: packets wait for a second or more
            alice.connect((self.silent, 700))
            sent = 0
            with contextlib.suppress(BlockingIOError):
                while sent < 100:
                    alice.send(b"x" * 1000, socket.MSG_DONTWAIT)
                    sent += 1
            full = [0 < sent < 100, events(alice) & select.POLLOUT,
                    queued(alice, SIOCOUTQ) > 0]
            poller = select.poll()
            poller.register(alice, select.POLLOUT)
            again = poller.poll(10000)
            return full + [bool(again)]

        self.both(scenario, [True, 0, True, True])

    def test_confirm(self):
        """MSG_CONFIRM and MSG_PROBE"""
        def scenario(make):
            bob, alice = make(bind=(self.bob, 700)), make("alice")
            alice.sendto(b"1", MSG_CONFIRM, (self.bob, 700))
            result = [bob.recv(10)]
            # a probe goes nowhere
            for flags in (MSG_PROBE, MSG_CONFIRM | MSG_PROBE):
                result += [alice.sendto(b"no", flags, (self.bob, 700))]
            alice.sendto(b"2", (self.bob, 700))
            return result + [bob.recv(10)]

        self.both(scenario, [b"1", 2, 2, b"2"])

    def test_blocking(self):
        """a reader sleeps until a datagram, a timeout or shutdown comes"""
        def scenario(make):
            bob, alice = make(bind=(self.bob, 700)), make("alice")
            patience(bob, 0.3)
            begin = time.monotonic()
            # the jiffy that has begun counts as a whole one
            result = [fails(bob.recv, 10), time.monotonic() - begin >= 0.29]
            patience(bob, 0)
            threading.Timer(0.1, alice.sendto, (b"x", (self.bob, 700))).start()
            result += [bob.recv(10)]
            bob.connect((self.alice, 9))
            threading.Timer(0.1, bob.shutdown, (socket.SHUT_RD,)).start()
            return result + [bob.recv(10)]

        self.both(scenario, ["EAGAIN", True, b"x", b""])

    def test_socket_options(self):
        """what getsockopt() says of a fresh socket"""
        def scenario(make):
            sock = make("alice")
            names = [socket.SO_TYPE, socket.SO_DOMAIN, socket.SO_SNDBUF,
                     socket.SO_RCVBUF, socket.SO_ERROR, socket.SO_BROADCAST,
                     socket.SO_ACCEPTCONN]
            return [sock.getsockopt(socket.SOL_SOCKET, n) for n in names]

        account = self.both(scenario)
        self.assertEqual(account[:2], [socket.SOCK_DGRAM, self.family])

    def test_timestamp_and_overflow(self):
        """SO_TIMESTAMPNS and SO_RXQ_OVFL come with the datagram"""
        def scenario(make):
            bob, alice = make(bind=(self.bob, 700)), make("alice")
            bob.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            bob.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
            bob.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            for _ in range(50):
                alice.sendto(b"x" * 500, (self.bob, 700))
            time.sleep(0.2)
            got = 0
            with contextlib.suppress(BlockingIOError):
                while True:
                    bob.recv(1000, socket.MSG_DONTWAIT)
                    got += 1
            alice.sendto(b"last", (self.bob, 700))
            last = control(bob)
            lost = number(last[(1, SO_RXQ_OVFL)])
            return [0 < got < 50, got + lost,
                    len(last[(1, SO_TIMESTAMPNS)])]

        self.both(scenario, [True, 50, 16])


class Ipv4(Scenarios, Differential):
    """AF_INET"""

    alice, bob, any_address = ALICE, BOB, "0.0.0.0"
    silent = "10.0.1.200"


class Ipv6(Scenarios, Differential):
    """AF_INET6"""

    family = socket.AF_INET6
    alice, bob, any_address = ALICE6, BOB6, "::"
    silent = "2001:db8:1::200"
    largest = 65527


class Mapped(Scenarios, Differential):
    """AF_INET6 that speaks IPv4"""

    family = socket.AF_INET6
    alice, bob, any_address = f"::ffff:{ALICE}", f"::ffff:{BOB}", "::"
    silent = "::ffff:10.0.1.200"
