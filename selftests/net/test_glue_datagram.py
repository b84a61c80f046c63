# SPDX-License-Identifier: GPL-2.0
"""A datagram that is never sent: what waits for the rest of it is given back,
whatever ends the waiting. UDP and Chalk do alike.
"""

import contextlib
import socket
import unittest

from dgram import (SOL_UDP, UDP_CORK, Differential, Maker, disconnect, fails,
                   is_empty, poll, receive)
from glue import ADDRESS, WMEM_ALLOC, meminfo
from net import libc, wait_until

PORT = 4300
MSG_MORE = socket.MSG_MORE


def is_free(sock) -> bool:
    """Soon, it holds no memory of datagrams."""
    return wait_until(lambda: meminfo(sock)[WMEM_ALLOC] == 0, 5)


class Corked(Differential):
    """over IPv4"""

    def corked(self, make):
        """bob, and alice's socket with half a datagram."""
        target = (ADDRESS["bob", self.family], PORT)
        bob = make("bob", bind=(target[0], PORT))
        alice = make("alice")
        alice.connect(target)
        alice.send(b"half", MSG_MORE)
        self.assertGreater(meminfo(alice)[WMEM_ALLOC], 0)
        return bob, alice

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
        """for writing: all of it goes, or nothing (0.5 s)"""
        with contextlib.ExitStack() as stack:
            bob, alice = self.corked(Maker("chalk", self.family, stack))
            alice.shutdown(socket.SHUT_WR)
            errors = {fails(alice.send, bytes(3000), flags)
                      for flags in (MSG_MORE, 0)}
            self.assertIn(errors, ({"EPIPE"}, {"no error"}))
            if errors == {"no error"}:
                self.assertEqual(receive(bob, 9999)[0], b"half" + bytes(6000))
            self.assertTrue(is_free(alice))
            self.assertTrue(is_empty(bob))

    def test_close(self):
        """nothing is sent, and another socket is not disturbed (0.5 s)"""
        def scenario(make):
            bob, alice = self.corked(make)
            other = make("alice")
            other.connect((ADDRESS["bob", self.family], PORT))
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


if __name__ == "__main__":
    unittest.main()
