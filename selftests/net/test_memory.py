# SPDX-License-Identifier: GPL-2.0
"""Memory that all streams share: who holds too much of it stops nobody else.

A user without privileges, in a namespace of his own, holds more than
net.chalk.mem allows. A neighbour in another namespace goes on; so he does with
TCP, which is measured beside.
"""

import contextlib
import os
import pathlib
import resource
import socket
import tempfile
import threading
import time
import unittest

from glue import FAMILIES, RMEM_ALLOC, counts, meminfo
from net import (BOB, add_hosts, exact_clock, fast_kernel, inside, receive_all,
                 remove_hosts, sh, sysctl, wait_until)
from rtnl import add_namespace
from scene import CHALK, PORT, SYN, TCP, Scene
from streams import fill, pair

NOBODY = 65534
NAMES = {CHALK: "CHALK", TCP: "TCP"}
LIMITS = {CHALK: "/proc/sys/net/chalk/mem", TCP: "/proc/sys/net/ipv4/tcp_mem"}
# Pages: least, pressure, most. A processor's own count is up to 256 off.
LOW = "1024 1536 2048"
MOST = 2048
# Seconds that a neighbour is watched.
WATCH = 0.2


def pages(protocol: int) -> int:
    """What the sockets of all namespaces hold."""
    with open("/proc/net/protocols", encoding="ascii") as file:
        for line in file:
            words = line.split()
            if words[0] == NAMES[protocol]:
                return int(words[3])
    raise LookupError(protocol)


@contextlib.contextmanager
def limited(protocol: int, limits=LOW):
    """So many pages for all, meanwhile."""
    path = pathlib.Path(LIMITS[protocol])
    before = path.read_text(encoding="ascii")
    path.write_text(limits, encoding="ascii")
    try:
        yield
    finally:
        path.write_text(before, encoding="ascii")


@contextlib.contextmanager
def in_cgroup(test):
    """This process is in a cgroup that accounts for memory."""
    with tempfile.TemporaryDirectory() as path:
        sh(f"mount -t cgroup2 none {path}")
        root, own = pathlib.Path(path), pathlib.Path(path, "chalk")
        try:
            if "memory" not in (root / "cgroup.controllers").read_text():
                test.skipTest("needs the memory controller")
            (root / "cgroup.subtree_control").write_text("+memory")
            own.mkdir()
            (own / "cgroup.procs").write_text("0")
            try:
                yield
            finally:
                (root / "cgroup.procs").write_text("0")
                own.rmdir()
        finally:
            sh(f"umount {path}")


# --- what a hog holds ---

def unread(protocol, family):
    """At both ends, as much as there is room for."""
    big = 1 << 20
    sock, conn = pair(protocol, family, [(socket.SO_SNDBUF, big)],
                      [(socket.SO_RCVBUF, big)])
    fill(sock)
    return sock, conn


def unsent(protocol, family):
    """At the sender's end: the receiver's is small."""
    sock, conn = pair(protocol, family, [(socket.SO_SNDBUF, 1 << 20)],
                      [(socket.SO_RCVBUF, 4096)])
    fill(sock)
    return sock, conn


def orphaned(protocol, family):
    """The same, but the sender has closed."""
    sock, conn = unsent(protocol, family)
    sock.close()
    return (conn,)


class Hog:
    """A process of nobody in namespace "hog": holds what @kind makes, again
    and again until it is too much, or @number times."""

    def __init__(self, protocol, family, kind, number=0):
        ready, self.ready = os.pipe()
        self.end, end = os.pipe()
        self.child = os.fork()
        if not self.child:
            os.close(ready)
            os.close(end)
            with contextlib.suppress(BaseException):
                self.run(protocol, family, kind, number)
            os._exit(1)
        for fd in (self.ready, self.end):
            os.close(fd)
        self.end = end
        self.number = int(os.read(ready, 10) or -1)
        os.close(ready)

    def run(self, protocol, family, kind, number):
        """In the child."""
        resource.setrlimit(resource.RLIMIT_NOFILE, (9000, 9000))
        with inside("hog"):
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            held = []
            while len(held) < (number or 2000) and \
                    (number or pages(protocol) <= MOST + 128):
                held.append(kind(protocol, family))
        os.write(self.ready, str(len(held)).encode())
        os.read(self.end, 1)
        os._exit(0)

    def close(self):
        """He gives all back."""
        os.close(self.end)
        os.waitpid(self.child, 0)


# --- what his neighbour does ---

def calls(sock, conn) -> int:
    """A question of 1000 bytes and its answer, again and again: how often."""
    def answer():
        with contextlib.suppress(EOFError, OSError):
            while True:
                conn.sendall(receive_all(conn, 1000))
    thread = threading.Thread(target=answer)
    thread.start()
    done, end = 0, time.monotonic() + WATCH
    while time.monotonic() < end:
        sock.sendall(bytes(1000))
        receive_all(sock, 1000)
        done += 1
    sock.shutdown(socket.SHUT_WR)
    thread.join()
    return done


def bulk(sock, conn) -> int:
    """As many bytes as go: how many."""
    def send():
        with contextlib.suppress(OSError):
            while True:
                sock.sendall(bytes(1 << 16))
    thread = threading.Thread(target=send)
    thread.start()
    done, end = 0, time.monotonic() + WATCH
    while time.monotonic() < end:
        done += len(conn.recv(1 << 16))
    conn.close()
    thread.join()
    return done


def watch(protocol, family, work) -> int:
    """What a neighbour gets done on a fresh connection."""
    with inside("near"):
        sock, conn = pair(protocol, family)
    with sock, conn:
        return work(sock, conn)


# Of what he gets done alone.
LEAST = {calls: 0.8, bulk: 0.8}


class Watching(unittest.TestCase):
    """A neighbour, alone and then beside a hog"""

    def alone(self, protocol, family):
        """What he gets done."""
        return {work: watch(protocol, family, work) for work in LEAST}

    def beside(self, protocol, family, before):
        """The shares of it that are left to him."""
        self.assertGreater(pages(protocol), MOST)
        return {work: watch(protocol, family, work) / before[work]
                for work in LEAST}

    def holds(self, shares):
        """They are as much as he is sure of."""
        for work, least in LEAST.items():
            self.assertGreaterEqual(shares[work], least, work.__name__)


@fast_kernel
@exact_clock
class Neighbour(Watching):
    """hog and near: two namespaces"""

    @classmethod
    def setUpClass(cls):
        add_hosts(("hog", "near"))
        cls.addClassCleanup(remove_hosts, ("hog", "near"))

    def shares(self, protocol, family, kind, number=0):
        """What is left to a neighbour beside a hog."""
        with limited(protocol):
            before = self.alone(protocol, family)
            hog = Hog(protocol, family, kind, number)
            self.addCleanup(hog.close)
            self.assertGreater(hog.number, 0)
            try:
                return self.beside(protocol, family, before)
            finally:
                self.doCleanups()

    def test_unread(self):
        """data that nobody reads: the neighbour keeps at least what TCP's
        keeps, or what he is sure of (7 s)"""
        for family in FAMILIES:
            shares = self.shares(CHALK, family, unread)
            yardstick = self.shares(TCP, family, unread)
            self.holds(shares)
            for work, share in yardstick.items():
                self.assertGreaterEqual(shares[work],
                                        min(share, LEAST[work]))

    def test_cgroup(self):
        """the neighbour is in a memory cgroup, which no socket may charge by
        force (1 s)"""
        with limited(CHALK):
            before = self.alone(CHALK, socket.AF_INET)
            hog = Hog(CHALK, socket.AF_INET, unread)
            self.addCleanup(hog.close)
            with in_cgroup(self):
                self.holds(self.beside(CHALK, socket.AF_INET, before))
            self.doCleanups()

    def test_unsent(self):
        """data that nobody takes (3 s)"""
        for family in FAMILIES:
            self.holds(self.shares(CHALK, family, unsent))

    def test_orphaned(self):
        """the same without a process: of these those go that are too much
        (3 s)"""
        for family in FAMILIES:
            before = counts("hog")["TCPAbortOnMemory"]
            self.holds(self.shares(CHALK, family, orphaned, 40))
            self.assertGreater(counts("hog")["TCPAbortOnMemory"], before)


@fast_kernel
@exact_clock
class Holes(Watching):
    """alice, a wire that loses the beginning of each stream, and bob"""

    MSS = 1448

    def setUp(self):
        self.scene = self.enterContext(Scene(CHALK))
        self.scene.losing = self.losing
        add_namespace("near")
        sysctl("alice", "initial_window", 100)
        self.lost = set()

    def losing(self, seg, to_bob):
        """The first six segments with data, whenever they come."""
        if seg["flags"] & SYN and to_bob:
            self.lost.update(seg["seq"] + 1 + i * self.MSS for i in range(6))
        return to_bob and seg["len"] and seg["seq"] in self.lost

    def stream(self, server):
        """A connection whose data is all early: both ends, what was sent."""
        client = self.scene.socket("alice")
        client.connect((BOB, PORT))
        conn = self.scene.keep(server.accept()[0])
        client.setblocking(False)
        data = os.urandom(60000)
        time.sleep(0.03)
        return conn, data[:client.send(data)]

    def test_early(self):
        """what has come before its turn, and gives way to what is in order
        (4 s)"""
        with limited(CHALK, "512 768 1024"):
            before = self.alone(CHALK, socket.AF_INET)
            server = self.scene.listen()
            streams = []
            while pages(CHALK) <= 1024:
                streams.append(self.stream(server))
                self.assertLess(len(streams), 100)
            time.sleep(0.03)
            self.assertGreater(meminfo(streams[0][0])[RMEM_ALLOC], 50000)
            shares = {work: watch(CHALK, socket.AF_INET, work) / before[work]
                      for work in LEAST}
            self.holds(shares)
            # one hole is filled by more than a socket is sure of
            conn, data = streams[0]
            self.lost.clear()
            self.assertTrue(wait_until(
                lambda: counts("bob")["OfoPruned"], 60))
            self.assertEqual(receive_all(conn, len(data)), data)


if __name__ == "__main__":
    unittest.main()
