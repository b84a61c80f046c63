# SPDX-License-Identifier: GPL-2.0
"""Scenarios: sockets in the hands of io_uring, by its system calls."""

import ctypes
import errno
import mmap
import os
import socket
import struct

from net import libc
from parity import names, scenario

SETUP, ENTER = 425, 426
SENDMSG, RECVMSG, POLL, ACCEPT, CONNECT = 9, 10, 6, 13, 16
SEND, RECV, SHUTDOWN = 26, 27, 34
POLL_MULTI, CQE_MORE, GETEVENTS = 1, 2, 1
ENTRIES = 32


class Ring:
    """One submission queue and its completions."""

    def __init__(self, run):
        params = ctypes.create_string_buffer(120)
        self.fd = libc.syscall(SETUP, ENTRIES, params)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "io_uring_setup")
        run.undo.append(self.close)
        self.run = run
        # struct io_sqring_offsets and io_cqring_offsets
        head, self.tail, mask, _, _, _, self.array = struct.unpack_from(
            "7I", params, 40)
        self.chead, self.ctail, self.cmask, _, _, self.cqes = \
            struct.unpack_from("6I", params, 80)
        self.mask = mask
        del head
        entries = struct.unpack_from("I", params, 4)[0]
        self.ring = mmap.mmap(self.fd, self.cqes + entries * 16 + 64, offset=0)
        self.sqes = mmap.mmap(self.fd, ENTRIES * 64, offset=0x10000000)
        self.keep = []

    def close(self):
        """Give all back"""
        self.ring.close()
        self.sqes.close()
        os.close(self.fd)

    def word(self, offset) -> int:
        """A number in the shared memory"""
        return struct.unpack_from("I", self.ring, offset)[0]

    def submit(self, code, sock, addr=0, size=0, off=0, flags=0, data=0):
        """Hand in one request."""
        # pylint: disable=too-many-arguments
        tail = self.word(self.tail)
        index = tail & self.word(self.mask)
        struct.pack_into("BBHiQQIIQ24x", self.sqes, index * 64, code, 0, 0,
                         sock.fileno(), off, addr, size, flags, data)
        struct.pack_into("I", self.ring, self.array + index * 4, index)
        struct.pack_into("I", self.ring, self.tail, tail + 1)
        libc.syscall(ENTER, self.fd, 1, 0, 0, None, 0)

    def wait(self) -> tuple:
        """One completion: user data, result, flags"""
        libc.syscall(ENTER, self.fd, 0, 1, GETEVENTS, None, 0)
        return self.take()

    def take(self):
        """The same, or None: there is none yet"""
        head = self.word(self.chead)
        if head == self.word(self.ctail):
            return None
        at = self.cqes + (head & self.word(self.cmask)) * 16
        answer = struct.unpack_from("QiI", self.ring, at)
        struct.pack_into("I", self.ring, self.chead, head + 1)
        return answer

    def expect(self, what):
        """Wait, and log the result."""
        _, result, flags = self.wait()
        if result < 0:
            result = errno.errorcode[-result]
        self.run.log(what, (result, bool(flags & CQE_MORE)))
        return result

    def buffer(self, data, size=0) -> int:
        """Memory that lasts; its address"""
        self.keep.append(ctypes.create_string_buffer(data,
                                                     max(len(data), size)))
        return ctypes.addressof(self.keep[-1])

    def message(self, data, size) -> int:
        """A struct msghdr of one piece; its address"""
        vec = self.buffer(struct.pack("QQ", self.buffer(data, size), size))
        return self.buffer(struct.pack("QIxxxxQQQQi4x", 0, 0, vec, 1, 0, 0, 0))


def raw_address(run, address) -> bytes:
    """A struct sockaddr"""
    host = socket.inet_pton(run.family, address[0])
    port = address[1].to_bytes(2, "big")
    if run.family == socket.AF_INET:
        return b"\x02\0" + port + host + bytes(8)
    return b"\x0a\0" + port + bytes(4) + host + bytes(4)


@scenario
def uring_connect_accept(run):
    """The two ends of a connection, both by the ring"""
    ring = Ring(run)
    server, client = run.listener(), run.socket()
    ring.submit(ACCEPT, server)
    address = raw_address(run, run.address())
    ring.submit(CONNECT, client, ring.buffer(address), off=len(address),
                data=1)
    results = {}
    for _ in range(2):
        data, result, _ = ring.wait()
        results[data] = result
    run.log("connect", results[1])
    run.log("accept", results[0] >= 0)
    conn = socket.socket(fileno=results[0])
    run.sockets.append(conn)
    conn.setblocking(True)
    run.events(client=client, conn=conn)
    server.close()


@scenario
def uring_refused(run):
    """ECONNREFUSED, and EISCONN"""
    ring = Ring(run)
    sock = run.socket()
    address = raw_address(run, run.address(7099))
    ring.submit(CONNECT, sock, ring.buffer(address), off=len(address))
    ring.expect("connect")
    client, _ = run.pair()
    ring.submit(CONNECT, client, ring.buffer(address), off=len(address))
    ring.expect("connect")


@scenario
def uring_send_recv(run):
    """send, recv, sendmsg, recvmsg, and one that waits"""
    ring = Ring(run)
    client, conn = run.pair()
    into = ring.buffer(b"", 100)
    ring.submit(RECV, conn, into, 100)
    ring.submit(SEND, client, ring.buffer(b"hello"), 5, data=1)
    results = dict(ring.wait()[:2] for _ in range(2))
    run.log("results", sorted(results.items()))
    run.log("data", ctypes.string_at(into, 5))
    ring.submit(SENDMSG, client, ring.message(b"message", 7), 1)
    ring.expect("sendmsg")
    ring.submit(RECVMSG, conn, ring.message(b"", 50), 1)
    ring.expect("recvmsg")
    ring.submit(RECV, conn, into, 100, flags=socket.MSG_DONTWAIT)
    ring.expect("now")
    ring.submit(RECV, conn, into, 10, flags=socket.MSG_WAITALL)
    client.send(b"12345")
    run.settle()
    client.send(b"67890")
    ring.expect("waitall")
    ring.submit(SHUTDOWN, client, size=socket.SHUT_WR)
    ring.expect("shutdown")
    ring.submit(RECV, conn, into, 100)
    ring.expect("end")
    ring.submit(SEND, client, into, 5)
    ring.expect("send")


@scenario
def uring_large(run):
    """A send that does not fit, and its reader"""
    ring = Ring(run)
    client, conn = run.pair()
    size = 1 << 22
    ring.submit(SEND, client, ring.buffer(b"", size), size,
                flags=socket.MSG_WAITALL)
    # the ring works in this thread's name, and may interrupt what it does
    got = 0
    while got < size:
        got += len(conn.recv(size - got))
    run.log("got", got)
    ring.expect("sent")


@scenario
def uring_reset(run):
    """A recv that waits is told"""
    ring = Ring(run)
    client, conn = run.pair()
    ring.submit(RECV, client, ring.buffer(b"", 10), 10)
    run.reset_by(conn)
    ring.expect("recv")
    ring.submit(RECV, client, ring.buffer(b"", 10), 10)
    ring.expect("recv")


@scenario
def uring_poll(run):
    """One request, an answer for each event"""
    ring = Ring(run)
    client, conn = run.pair()
    ring.submit(POLL, conn, flags=1 | 0x2000, size=POLL_MULTI)
    for action in (lambda: client.send(b"x"), lambda: client.send(b"y"),
                   lambda: client.shutdown(socket.SHUT_WR)):
        action()
        run.settle()
        _, mask, flags = ring.wait()
        run.log("event", (names(mask), bool(flags & CQE_MORE)))
