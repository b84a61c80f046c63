# SPDX-License-Identifier: GPL-2.0
"""For the tests of the glue: pairs of sockets over either version of IP, the
memory that they hold, and the packets that pass a device.
"""

import contextlib
import errno
import os
import socket
import struct
import subprocess
import unittest

from counters import read_counters
from net import (ALICE, ALICE6, BOB, BOB6, IPPROTO_CHALK, Net,
                 chalk_socket, inside, listener)

ADDRESS = {("alice", socket.AF_INET): ALICE, ("bob", socket.AF_INET): BOB,
           ("alice", socket.AF_INET6): ALICE6, ("bob", socket.AF_INET6): BOB6}
GATEWAY = {socket.AF_INET: "10.0.1.2", socket.AF_INET6: "2001:db8:1::2"}
FAMILIES = (socket.AF_INET, socket.AF_INET6)
SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_BUSY_POLL, SO_MEMINFO = 32, 33, 46, 55
SO_TXREHASH = 74
(RMEM_ALLOC, RCVBUF, WMEM_ALLOC, SNDBUF, FWD_ALLOC, WMEM_QUEUED, OPTMEM,
 BACKLOG) = range(8)
ACK, FIN, SYN = 16, 1, 2


def ip(family) -> str:
    """The command for this version of IP."""
    return "ip -6" if family == socket.AF_INET6 else "ip"


def counts(host: str) -> dict:
    """The counters of a host, by their names."""
    return read_counters(host, IPPROTO_CHALK)


def meminfo(sock) -> tuple:
    """SO_MEMINFO: bytes, to be read with the names above."""
    return struct.unpack("9i", sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO,
                                               36))


def abort(sock):
    """close() with a RST."""
    if sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
    sock.close()


class Glue(unittest.TestCase):
    """One Net for the whole class"""

    port = 2000

    @classmethod
    def setUpClass(cls):
        cls.net = Net()
        cls.net.__enter__()
        cls.addClassCleanup(cls.net.__exit__)

    def client(self, host="alice", family=socket.AF_INET):
        """A socket that ends with the test."""
        sock = chalk_socket(host, family)
        self.addCleanup(abort, sock)
        return sock

    def server(self, backlog=16, family=socket.AF_INET):
        """bob listens, on a port of its own."""
        Glue.port += 1
        sock = listener("bob", Glue.port, backlog, family)
        self.addCleanup(abort, sock)
        return sock

    def pair(self, family=socket.AF_INET, options=(), listening=()):
        """alice's end and bob's of a connection; @options are alice's,
        @listening are the listener's."""
        server = self.server(family=family)
        for option in listening:
            server.setsockopt(*option)
        sock = self.client(family=family)
        for option in options:
            sock.setsockopt(*option)
        sock.connect((ADDRESS["bob", family], Glue.port))
        conn = server.accept()[0]
        conn.settimeout(300)
        self.addCleanup(abort, conn)
        server.close()
        return sock, conn

    def cut(self):
        """No packet arrives until the function that this returns is
        called."""
        self.net.netem("loss 100%")
        self.addCleanup(self.net.netem, "delay 0")
        return lambda: self.net.netem("delay 0")

    def fails(self, number, function, *args):
        """The call fails with this errno."""
        with self.assertRaises(OSError) as caught:
            function(*args)
        self.assertEqual(errno.errorcode[caught.exception.errno],
                         errno.errorcode[number])


class Tap:
    """Sees every packet of Chalk that comes into a device, and may send
    there."""

    def __init__(self, host: str, dev: str):
        with inside(host):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                      socket.htons(3))
        self.sock.bind((dev, 3))
        self.sock.settimeout(0)
        self.kept = {False: [], True: []}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def packets(self, outgoing=False) -> list:
        """What has come, or gone, since the last call: IP packets as dicts."""
        with contextlib.suppress(BlockingIOError):
            while True:
                frame, address = self.sock.recvfrom(65536)
                packet = dissect(frame)
                if packet:
                    self.kept[address[2] == socket.PACKET_OUTGOING].append(
                        packet)
        found, self.kept[outgoing] = self.kept[outgoing], []
        return found


    def questions(self) -> int:
        """How often somebody has asked for a neighbour's address since the last
        call: ARP requests, neighbour solicitations (RFC 4861 4.3)."""
        count = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                frame, address = self.sock.recvfrom(65536)
                if address[2] != socket.PACKET_OUTGOING:
                    count += frame[12:14] == b"\x08\x06" and frame[21] == 1
                    count += frame[12:14] == b"\x86\xdd" and \
                        frame[20] == 58 and frame[54] == 135
        return count


def dissect(frame: bytes) -> dict:
    """The fields that tests look at; {} if it is not a segment."""
    ether, data = frame[12:14], frame[14:]
    if ether == b"\x08\x00" and data[9] == IPPROTO_CHALK:
        segment, label = data[(data[0] & 15) * 4:
                              int.from_bytes(data[2:4], "big")], 0
    elif ether == b"\x86\xdd" and data[6] == IPPROTO_CHALK:
        segment = data[40:40 + int.from_bytes(data[4:6], "big")]
        label = int.from_bytes(data[:4], "big") & 0xfffff
    else:
        return {}
    words = segment[12] >> 4
    return {"frame": frame, "label": label, "flags": segment[13],
            "sport": int.from_bytes(segment[:2], "big"),
            "seq": int.from_bytes(segment[4:8], "big"),
            "ack": int.from_bytes(segment[8:12], "big"),
            "options": segment[20:words * 4], "len": len(segment) - words * 4}


# a call that stays in the middle, with its socket locked
needs_stuck = unittest.skipUnless(
    os.path.exists("/proc/sys/vm/unprivileged_userfaultfd"),
    "needs userfaultfd")


def is_possible(path: str):
    """Skip where the kernel does not have a file."""
    return unittest.skipUnless(os.path.exists(path), f"needs {path}")


def modules() -> list:
    """The modules of the kernel, the last one first."""
    with open("/proc/modules", encoding="ascii") as file:
        return [line.split()[0] for line in file]


def take_away(before: list):
    """Take out the modules that came after @before: conntrack, for one, answers
    options of TCP sockets. One goes when those that need it have gone."""
    for _ in range(10):
        for name in set(modules()) - set(before):
            subprocess.run(["rmmod", name], check=False, capture_output=True)
