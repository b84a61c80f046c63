# SPDX-License-Identifier: GPL-2.0
"""What sockets hold, and that they give it back: sockets counted, orphans,
buffers and their charge.
"""

import os
import select
import socket
import struct
import unittest

from glue import (FAMILIES, FWD_ALLOC, SO_SNDBUFFORCE, WMEM_QUEUED, Glue,
                  abort, is_possible, meminfo)
from net import carry, inside, wait_until

PAGE = 4096
# pages that a processor may keep for itself (SK_MEMORY_PCPU_RESERVE)
RESERVE = 256


class Kernel:
    """The memory of the kernel: /proc/kcore is an ELF file."""

    def __init__(self):
        self.fd = os.open("/proc/kcore", os.O_RDONLY)
        head = os.pread(self.fd, 64, 0)
        start, = struct.unpack_from("Q", head, 32)
        size, number = struct.unpack_from("HH", head, 54)
        self.parts = [struct.unpack_from("QQQQQ", os.pread(
            self.fd, size, start + i * size), 8) for i in range(number)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def read(self, form: str, address: int):
        """One value."""
        for offset, start, _, _, length in self.parts:
            if start <= address < start + length:
                data = os.pread(self.fd, struct.calcsize(form),
                                offset + address - start)
                return struct.unpack(form, data)[0]
        raise LookupError(hex(address))

    @staticmethod
    def symbol(name: str, module: str = "") -> int:
        """The address of a variable; those of a module by the end of their
        name."""
        with open("/proc/kallsyms", encoding="ascii") as file:
            for line in file:
                words = line.split()
                if module and words[2].endswith(name) and \
                        words[3:] == [f"[{module}]"]:
                    return int(words[0], 16)
                if not module and words[2:] == [name]:
                    return int(words[0], 16)
        raise LookupError(name)

    def per_cpu(self, pointer: int) -> int:
        """The sum of an int of all processors."""
        offsets = self.symbol("__per_cpu_offset")
        return sum(self.read("i", pointer + self.read("Q", offsets + 8 * cpu) &
                             0xffffffffffffffff)
                   for cpu in range(os.cpu_count()))

    def sockets(self) -> int:
        """How many there are by the protocol's own account, a percpu_counter:
        lock, count, list, pointer."""
        counter = self.symbol("sockets_allocated", "chalk")
        return self.read("q", counter + 8) + \
            self.per_cpu(self.read("Q", counter + 32))

    def orphans(self) -> int:
        """How many connections no process holds."""
        return self.per_cpu(self.symbol("orphan_count", "chalk"))


def protocol(host: str, name="CHALK") -> tuple:
    """Sockets of a host, and pages of all hosts, by /proc/net/protocols."""
    with inside(host), open("/proc/thread-self/net/protocols",
                            encoding="ascii") as file:
        for line in file:
            words = line.split()
            if words[0] == name:
                return int(words[2]), int(words[3])
    raise LookupError(name)


@is_possible("/proc/kcore")
class Accounts(Glue):
    """the counters that the kernel looks at where memory is short"""

    @unittest.skipIf("debug" in os.uname().release,
                     "the lock of a percpu_counter has another size there")
    def test_sockets_are_counted(self):
        """every socket once, until it is destroyed (1 s)"""
        with Kernel() as kernel:
            before = kernel.sockets()
            for family, name in ((socket.AF_INET, "CHALK"),
                                 (socket.AF_INET6, "CHALKv6")):
                connected = protocol("alice", name)[0]
                socks = [self.client(family=family) for _ in range(20)]
                self.assertEqual(kernel.sockets(), before + 20)
                for sock in socks:
                    sock.close()
                self.assertEqual(kernel.sockets(), before)
                self.pair(family)
                self.assertEqual(kernel.sockets(), before + 2)
                self.assertEqual(protocol("alice", name)[0], connected + 1)
                self.doCleanups()
                self.assertTrue(wait_until(
                    lambda: kernel.sockets() == before, 5))
                self.assertEqual(protocol("alice", name)[0], connected)

    def test_orphans_are_counted(self):
        """from close() to the end of the connection (1 s)"""
        with Kernel() as kernel:
            before = kernel.orphans()
            pairs = [self.pair() for _ in range(3)]
            self.assertEqual(kernel.orphans(), before)
            mend = self.cut()
            for sock, _ in pairs:
                sock.close()
            self.assertEqual(kernel.orphans(), before + 3)
            mend()
            for _, conn in pairs:
                self.assertEqual(conn.recv(1), b"")
                conn.close()
            self.assertTrue(wait_until(
                lambda: kernel.orphans() == before, 30))
            # one that has ended before close() is none
            self.client().close()
            self.assertEqual(kernel.orphans(), before)


class Buffers(Glue):
    """send and receive buffers of streams"""

    @staticmethod
    def fill(sock) -> int:
        """Write until there is no room for more; how much."""
        sock.setblocking(False)
        sent = 0
        try:
            while True:
                sent += sock.send(bytes(1 << 18))
        except BlockingIOError:
            return sent

    def test_reset_frees_the_send_buffer(self):
        """the socket is still open, what it cannot send has gone (1 s)"""
        for family in FAMILIES:
            sock, conn = self.pair(family)
            self.fill(sock)
            self.assertGreater(meminfo(sock)[WMEM_QUEUED], PAGE)
            abort(conn)
            poller = select.poll()
            poller.register(sock, 0)
            self.assertTrue(poller.poll(5000), "no RST")
            self.assertEqual(meminfo(sock)[WMEM_QUEUED], 0)

    def test_all_is_charged(self):
        """no byte is in a send buffer that was not asked for (1 s)"""
        sock, conn = self.pair(options=[
            (socket.SOL_SOCKET, SO_SNDBUFFORCE, 4 << 20)])
        pages = protocol("alice")[1]
        sock.setblocking(False)
        for _ in range(20):
            sock.send(bytes(100000))
            self.assertGreaterEqual(meminfo(sock)[FWD_ALLOC], 0)
        self.fill(sock)
        self.assertGreaterEqual(meminfo(sock)[FWD_ALLOC], 0)
        queued = meminfo(sock)[WMEM_QUEUED] // PAGE
        self.assertGreater(queued, 2 * RESERVE)
        self.assertGreaterEqual(protocol("alice")[1], queued - RESERVE)
        abort(conn)
        abort(sock)
        self.assertTrue(wait_until(
            lambda: protocol("alice")[1] <= pages + RESERVE, 5))

    def test_buffers_grow(self):
        """with a connection that is long and fast; not if set (1 s)"""
        self.net.netem("delay 10ms")
        self.addCleanup(self.net.netem, "delay 0")
        sizes = []
        for options in ([], [(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384),
                             (socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)]):
            sock, conn = self.pair(options=options, listening=options)
            begin = meminfo(sock)[3], meminfo(conn)[1]
            carry(sock, conn, bytes(1 << 20))
            sizes.append((begin, (meminfo(sock)[3], meminfo(conn)[1])))
        (grown, fixed) = sizes
        for before, after in zip(*grown):
            self.assertGreaterEqual(after, 2 * before)
        self.assertEqual(*fixed)


if __name__ == "__main__":
    unittest.main()
