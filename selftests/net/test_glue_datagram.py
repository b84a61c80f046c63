# SPDX-License-Identifier: GPL-2.0
"""A datagram in parts: none of them waits for what only sending it would give,
and what waits for the rest is given back, whatever ends the waiting. UDP and
Chalk do alike.
"""

import contextlib
import ctypes
import os
import socket
import tempfile
import threading
import time
import unittest

from dgram import (MSG_PROBE, SOL_UDP, UDP_CORK, Differential, Maker,
                   disconnect, fails, is_empty, poll, receive)
from glue import ADDRESS, WMEM_ALLOC, meminfo, needs_stuck
from net import libc, wait_until
from scene import Stuck

PORT = 4300
MSG_MORE = socket.MSG_MORE


def is_free(sock) -> bool:
    """Soon, it holds no memory of datagrams."""
    return wait_until(lambda: meminfo(sock)[WMEM_ALLOC] == 0, 5)


def errors(send, parts) -> set:
    """Send parts until one is refused; the errnos' names."""
    for part in parts:
        error = fails(send, part, MSG_MORE)
        if error != "no error":
            return {error}
    return set()


class Corked(Differential):
    """over IPv4"""

    # an option that is copied while the socket is locked: level, name, length
    locking = (socket.SOL_IP, socket.IP_OPTIONS, 4)

    def address(self, host) -> str:
        """By which a socket of this family calls a host."""
        return ADDRESS[host, self.family]

    def pair(self, make, port=PORT):
        """bob, and alice's socket that is connected to his."""
        bob = make("bob", bind=(self.address("bob"), port))
        alice = make("alice")
        alice.connect((self.address("bob"), port))
        return bob, alice

    def corked(self, make):
        """The same, and half a datagram."""
        bob, alice = self.pair(make)
        alice.send(b"half", MSG_MORE)
        self.assertGreater(meminfo(alice)[WMEM_ALLOC], 0)
        return bob, alice

    def test_many_parts(self):
        """1,000 of them are one datagram, and no one else waits for the lock
        (1 s)"""
        def scenario(make):
            bob, alice = self.pair(make)
            found = []
            sender = threading.Thread(target=lambda: found.append(
                errors(alice.send, [b"x"] * 1000)))
            sender.start()
            time.sleep(0.2)
            begin = time.monotonic()
            alice.getsockname()
            waited = time.monotonic() - begin > 1
            sender.join()
            alice.send(b"end")
            return found + [waited, receive(bob, 9999)[0] ==
                            b"x" * 1000 + b"end", is_free(alice)]
        self.both(scenario, [set(), False, True, True])

    def test_many_parts_nonblocking(self):
        """nor is one of them thrown away (0.5 s)"""
        def scenario(make):
            bob, alice = self.pair(make)
            alice.setblocking(False)
            found = errors(alice.send, [b"x"] * 1000)
            alice.send(b"end")
            return [found, len(receive(bob, 9999)[0]), is_free(alice)]
        self.both(scenario, [set(), 1003, True])

    def test_little_room(self):
        """within a fragment SO_SNDBUF is not asked; beyond it ENOBUFS throws
        all away (0.5 s)"""
        def scenario(make):
            bob, alice = self.pair(make)
            alice.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
            out = [errors(alice.send, [b"x"] * 1400)]
            alice.send(b"end")
            out += [len(receive(bob, 9999)[0])]
            out += [errors(alice.send, [bytes(1000)] * 60)]
            return out + self.after(bob, alice)
        self.both(scenario, [set(), 1403, {"ENOBUFS"}, True, "no error",
                             b"alone", True, True])

    def test_probe(self):
        """MSG_PROBE adds nothing; without MSG_MORE what was there goes
        (0.5 s)"""
        def scenario(make):
            bob, alice = self.corked(make)
            alice.send(b"no", MSG_PROBE | MSG_MORE)
            out = [is_empty(bob)]
            alice.send(b" more", MSG_MORE)
            alice.send(b"no", MSG_PROBE)
            return out + [receive(bob)[0], is_empty(bob), is_free(alice)]
        self.both(scenario, [True, b"half more", True, True])

    @unittest.skipIf(os.uname().release.startswith("6.1."),
                     "sendfile() makes a datagram from 6.5 on")
    def test_sendfile(self):
        """one call is one datagram, also where the file ends early (0.5 s)"""
        def scenario(make):
            bob, alice = self.pair(make)
            data = bytes(i * 7 & 255 for i in range(9000))
            sizes = []
            with tempfile.TemporaryFile() as file:
                file.write(data)
                file.flush()
                for offset, count in ((0, 9000), (4096, 10), (5000, 9000)):
                    os.sendfile(alice.fileno(), file.fileno(), offset, count)
                    while not is_empty(bob):
                        got = receive(bob, 9999)[0]
                        self.assertIn(got, data)
                        sizes.append(len(got))
            return [sizes, is_free(alice)]
        expected = [[9000, 10, 4000], True]
        if self.family == socket.AF_INET:
            self.both(scenario, expected)
            return
        # the kernel does not tell UDP over IPv6 of the end
        with contextlib.ExitStack() as stack:
            self.assertEqual(scenario(Maker("chalk", self.family, stack)),
                             expected)

    @needs_stuck
    def test_two_threads(self):
        """each begins a datagram, the second is refused: it has a destination
        of its own (1 s)"""
        def scenario(make):
            bob = make("bob", bind=(self.address("bob"), PORT))
            other = make("bob", bind=(self.address("bob"), PORT + 1))
            alice = make("alice", bind=(self.address("alice"), 0))
            stuck, found = Stuck(), []
            level, name, size = self.locking
            at = ctypes.addressof(ctypes.c_char.from_buffer(stuck.memory))
            threads = [threading.Thread(target=libc.setsockopt, args=(
                alice.fileno(), level, name, ctypes.c_void_p(at), size))]
            threads[0].start()
            stuck.wait()
            # they know their routes, and wait for the lock in this order
            for sock in (bob, other):
                threads.append(threading.Thread(
                    target=lambda to: found.append(fails(
                        alice.sendto, b"to", MSG_MORE, to)),
                    args=(sock.getsockname(),)))
                threads[-1].start()
                time.sleep(0.1)
            stuck.release()
            for thread in threads:
                thread.join()
            alice.sendto(b" bob", bob.getsockname())
            return [sorted(found), receive(bob)[0], is_empty(other),
                    is_free(alice)]
        self.both(scenario, [["EINVAL", "no error"], b"to bob", True, True])

    def after(self, bob, alice) -> list:
        """A datagram of its own goes, or does not."""
        out = [is_free(alice), fails(alice.send, b"alone")]
        poll_for = [] if out[1] != "no error" else [receive(bob)[0]]
        return out + poll_for + [is_empty(bob), is_free(alice)]

    def test_too_long(self):
        """EMSGSIZE throws all away (0.5 s)"""
        def scenario(make):
            bob, alice = self.corked(make)
            error = fails(alice.send, bytes(65530), MSG_MORE)
            return [error, *self.after(bob, alice)]
        self.both(scenario, ["EMSGSIZE", True, "no error", b"alone", True,
                             True])

    def test_bad_pointer(self):
        """so does EFAULT (0.5 s)"""
        def scenario(make):
            bob, alice = self.corked(make)
            error = libc.send(alice.fileno(), 8, 100, MSG_MORE)
            return [error, *self.after(bob, alice)]
        self.both(scenario, [-1, True, "no error", b"alone", True, True])

    def test_disconnect(self):
        """what waits is still sent to whom it was for (0.5 s)"""
        def scenario(make):
            bob, alice = self.corked(make)
            disconnect(alice)
            sent = fails(alice.send, b" more")
            poll(bob)
            return [sent, is_empty(bob) or receive(bob)[0], is_free(alice)]
        self.both(scenario)

    def test_shutdown(self):
        """for writing: what has begun may grow and go, nothing else begins
        (0.5 s)"""
        def scenario(make):
            bob, alice = self.corked(make)
            alice.shutdown(socket.SHUT_WR)
            out = [fails(alice.send, bytes(1000), flags)
                   for flags in (MSG_MORE, 0, MSG_MORE, 0)]
            return out + [receive(bob, 9999)[0] == b"half" + bytes(2000),
                          is_empty(bob), is_free(alice)]
        self.both(scenario, ["no error", "no error", "EPIPE", "EPIPE", True,
                             True, True])

    def test_close(self):
        """nothing is sent, and another socket is not disturbed (0.5 s)"""
        def scenario(make):
            bob, alice = self.corked(make)
            other = make("alice")
            other.connect((self.address("bob"), PORT))
            other.setsockopt(SOL_UDP, UDP_CORK, 1)
            other.send(b"one ")
            alice.close()
            other.send(b"two")
            other.setsockopt(SOL_UDP, UDP_CORK, 0)
            return [receive(bob)[0], is_empty(bob), is_free(other)]
        self.both(scenario, [b"one two", True, True])


class Corked6(Corked):
    """over IPv6"""

    family = socket.AF_INET6
    locking = (socket.IPPROTO_IPV6, 6, 3)  # IPV6_2292PKTOPTIONS


class CorkedMapped(Corked6):
    """over IPv4, by sockets of IPv6"""

    def address(self, host):
        return "::ffff:" + ADDRESS[host, socket.AF_INET]


if __name__ == "__main__":
    unittest.main()
