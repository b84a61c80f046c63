# SPDX-License-Identifier: GPL-2.0
"""For the tests of datagrams: the same calls over UDP and over Chalk.

A scenario is a function that gets a maker of sockets and returns what a
program sees: data, addresses, errno's, events. It runs over UDP first, then
over Chalk; the two accounts are compared, and the one of Chalk is checked
against what is written in the test, so that a scenario that did nothing would
fail.
"""

import array
import contextlib
import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
import termios
import unittest

from net import Net, inside
from rtnl import write_sysctls

IPPROTO_CHALK_DGRAM = 254
SOL_UDP, UDP_CORK = 17, 1
SO_PEEK_OFF, SO_RXQ_OVFL, SO_TIMESTAMPNS = 42, 40, 35
MSG_CONFIRM, MSG_PROBE = 0x800, 0x10
SIOCINQ, SIOCOUTQ = termios.FIONREAD, termios.TIOCOUTQ
PMTUDISC_DONT, PMTUDISC_DO = 0, 2
PROTOCOLS = {"udp": 0, "chalk": IPPROTO_CHALK_DGRAM}


class Maker:
    """Sockets of one protocol; closes them all in the end."""

    def __init__(self, protocol: str, family, stack: contextlib.ExitStack):
        self.protocol = protocol
        self.family = family
        self.stack = stack

    def __call__(self, host="bob", bind=None, family=None):
        with inside(host):
            sock = socket.socket(family or self.family, socket.SOCK_DGRAM,
                                 PROTOCOLS[self.protocol])
        self.stack.enter_context(sock)
        # the kernel's timeout: Python's would wait in spite of MSG_DONTWAIT
        patience(sock, 10)
        if bind is not None:
            sock.bind(bind)
        return sock


class Differential(unittest.TestCase):
    """runs scenarios over both protocols"""

    family = socket.AF_INET

    @classmethod
    def setUpClass(cls):
        net = Net()
        net.__enter__()
        cls.addClassCleanup(net.__exit__)
        for host in Net.names:
            write_sysctls(host, {"ipv4.icmp_ratelimit": 0,
                                 "ipv6.icmp.ratelimit": 0})

    def both(self, scenario, expected=None):
        """Run it twice and compare; the account of Chalk."""
        accounts = {}
        for protocol in PROTOCOLS:
            with contextlib.ExitStack() as stack:
                accounts[protocol] = scenario(
                    Maker(protocol, self.family, stack))
        self.assertEqual(accounts["chalk"], accounts["udp"])
        if expected is not None:
            self.assertEqual(accounts["chalk"], expected)
        return accounts["chalk"]


def patience(sock, seconds: float):
    """How long a call may block: EAGAIN then; 0: for ever."""
    value = struct.pack("ll", int(seconds), int(seconds % 1 * 1000000))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)


def fails(call, *args) -> str:
    """The name of the errno, or "no error"."""
    try:
        call(*args)
    except OSError as err:
        return errno.errorcode.get(err.errno, str(err))
    return "no error"


def is_empty(sock) -> bool:
    """Nothing to read."""
    return fails(sock.recv, 1, socket.MSG_DONTWAIT | socket.MSG_PEEK) == \
        "EAGAIN"


def receive(sock, size=100) -> tuple:
    """A datagram and its sender's address and port."""
    data, sender = sock.recvfrom(size)
    return data, sender[:2]


def events(sock) -> int:
    """What poll() says at once."""
    poller = select.poll()
    poller.register(sock, select.POLLIN | select.POLLOUT | select.POLLRDHUP)
    return dict(poller.poll(0)).get(sock.fileno(), 0)


def poll(sock):
    """Wait until there is something to read."""
    select.select([sock], [], [], 5)


def queued(sock, request) -> int:
    """SIOCINQ or SIOCOUTQ."""
    answer = array.array("i", [0])
    fcntl.ioctl(sock, request, answer)
    return answer[0]


def control(sock, size=100) -> dict:
    """Receive one datagram; its control messages by level and type."""
    _, messages, _, _ = sock.recvmsg(size, 1000)
    return {(level, kind): data for level, kind, data in messages}


def number(data: bytes) -> int:
    """A control message that is an int."""
    return struct.unpack("i", data)[0]


def disconnect(sock):
    """connect() to AF_UNSPEC, which Python has no words for."""
    libc = ctypes.CDLL(None, use_errno=True)
    address = struct.pack("=H14x", socket.AF_UNSPEC)
    if libc.connect(sock.fileno(), address, len(address)):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
