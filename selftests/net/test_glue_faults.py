# SPDX-License-Identifier: GPL-2.0
"""Memory is short: allocations fail now and then, in calls and in softirqs.
Whatever a call answers, what was acknowledged arrives, and nothing hangs. The
kernel stays silent: the VM's verdict sees to that.
"""

import errno
import os
import pathlib
import random
import signal
import socket
import time
import unittest

from glue import ADDRESS, FAMILIES, Glue, is_possible
from net import table, wait_until

DEBUG = pathlib.Path("/sys/kernel/debug")
SIZE = 1 << 19
# no memory now, also for the inode of a socket or a route (IPv6 says that there is
# none), and a call that was only begun
AGAIN = {errno.ENOMEM, errno.ENOBUFS, errno.ENFILE, errno.EAGAIN,
         errno.EALREADY, errno.EINPROGRESS, errno.ENETUNREACH}
# more than can fail
MANY = 1000000


def content() -> bytes:
    """What is sent."""
    return random.Random(1).randbytes(SIZE)


def patiently(call, *args):
    """Until memory is there."""
    while True:
        try:
            return call(*args)
        except MemoryError:
            pass
        except OSError as why:
            if why.errno == errno.EISCONN:
                return None
            if why.errno not in AGAIN:
                raise


def send_all(sock, data: bytes):
    """As sendall(), but patiently."""
    view = memoryview(data)
    while view:
        view = view[patiently(sock.send, view[:30000]):]


def receive_into(sock, data: bytearray):
    """Until it is full or the stream ends."""
    view = memoryview(data)
    while view:
        n = patiently(sock.recv_into, view)
        if not n:
            return
        view = view[n:]


class Faults:
    """Lets allocations fail while it is open."""

    def __init__(self, kind: str, **settings):
        self.path = DEBUG / kind
        self.settings = {"interval": 1, "times": MANY, "space": 0,
                         "verbose": 0, "task-filter": "Y",
                         "ignore-gfp-wait": "N", **settings}

    def write(self, name: str, value):
        """One setting."""
        (self.path / name).write_text(str(value), "ascii")

    def __enter__(self):
        for name, value in self.settings.items():
            if name != "probability":
                self.write(name.replace("_", "-"), value)
        self.write("probability", self.settings["probability"])
        return self

    def __exit__(self, *_):
        self.write("probability", 0)

    def number(self) -> int:
        """How many have failed."""
        return MANY - int((self.path / "times").read_text("ascii"))


def child(function, *args) -> int:
    """Run in a process whose allocations may fail; its number."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        signal.alarm(120)
        with open("/proc/self/make-it-fail", "w", encoding="ascii") as file:
            file.write("1")
        function(*args)
        status = 0
    except OSError as why:
        status = why.errno
    finally:
        os._exit(status)


@is_possible("/sys/kernel/debug/failslab")
class InCalls(Glue):
    """of the processes at both ends"""

    def exchange(self, family):
        """One sends, the other looks whether it is what was sent."""
        data, got = content(), bytearray(SIZE)
        server = self.server(family=family)
        sock = self.client(family=family)
        for end in (server, sock):
            end.setblocking(True)
        address = ADDRESS["bob", family], Glue.port

        def send():
            patiently(sock.connect, address)
            send_all(sock, data)
            patiently(sock.shutdown, socket.SHUT_WR)
            assert not patiently(sock.recv, 1)

        def receive():
            conn = patiently(server.accept)[0]
            conn.setblocking(True)
            receive_into(conn, got)
            assert got == data
            patiently(conn.close)
        children = [child(function) for function in (send, receive)]
        self.assertEqual([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                          for pid in children], [0, 0])

    def test_slab(self):
        """objects: sockets, packets, records (3 s on debug)"""
        with Faults("failslab", probability=5, cache_filter="N") as faults:
            for _ in range(10):
                for family in FAMILIES:
                    self.exchange(family)
                # they are drawn at random
                if faults.number() > 20:
                    break
            self.assertGreater(faults.number(), 20)

    def test_pages(self):
        """pages: those of the send buffer (2 s on debug)"""
        with Faults("fail_page_alloc", probability=20,
                    min_order=0) as faults:
            for family in FAMILIES:
                self.exchange(family)
            self.assertGreater(faults.number(), 5)


@is_possible("/sys/kernel/debug/failslab")
class InSoftirqs(Glue):
    """of who cannot wait for memory: packets that arrive, timers"""

    def test_objects(self):
        """handshakes, data, ends: each as if packets were lost (9 s on
        debug)"""
        settings = {"cache_filter": "N", "task-filter": "N",
                    "ignore-gfp-wait": "Y"}
        calls = []
        for family in FAMILIES * 3:
            calls.append((self.server(family=family),
                          self.client(family=family),
                          (ADDRESS["bob", family], Glue.port)))
        with Faults("failslab", probability=3, **settings) as faults:
            for server, sock, address in calls:
                patiently(sock.connect, address)
                conn = server.accept()[0]
                self.carry_and_close(sock, conn)
                server.close()
            self.assertGreater(faults.number(), 20)
        self.assertTrue(wait_until(
            lambda: all(row["state"] == "TIME_WAIT"
                        for row in table("conns")), 60, 0.5), table("conns"))

    def carry_and_close(self, sock, conn):
        """All arrives, within a minute."""
        data, got = content()[:100000], bytearray(100000)
        end = time.monotonic() + 60
        pid = os.fork()
        if not pid:
            try:
                sock.setblocking(True)
                send_all(sock, data)
                sock.shutdown(socket.SHUT_WR)
            finally:
                os._exit(0)
        receive_into(conn, got)
        self.assertEqual(got, data)
        self.assertLess(time.monotonic(), end)
        os.waitpid(pid, 0)
        sock.close()
        conn.close()


if __name__ == "__main__":
    unittest.main()
