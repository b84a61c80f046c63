# SPDX-License-Identifier: GPL-2.0
"""A host whose TCP is lwIP's: a program (lwip_host.c) behind a tap device.

    alice 10.0.1.1 ---- 10.0.1.2 router 10.0.3.2 ---- 10.0.3.1 bob, lwIP
     2001:db8:1::1 ---- 2001:db8:1::2   2001:db8:3::2 ---- 2001:db8:3::1

Its sockets look like those of Python, as far as lwIP has what these have. It has
no poll() here, and tells nothing of its connections.
"""

from __future__ import annotations

import os
import pathlib
import socket
import struct
import subprocess

import rtnl
from bridge import Meeting, set_network
from net import Net, inside, sh, wait_until

ADDRESS = {socket.AF_INET: "10.0.3.1", socket.AF_INET6: "2001:db8:3::1"}
ROUTER = ("10.0.3.2", "2001:db8:3::2")
LINKS = ("ra", "t0")  # of the router
CONTROL = "/tmp/lwip.control"
PROGRAM = str(pathlib.Path(__file__).parents[2] / "build/bin/lwip-host")
MOST = 65536
ROUTER_ADVERTISEMENT = 134


class Socket:
    """A socket of lwIP."""

    def __init__(self, family, number=None):
        self.family = family
        self.control = socket.socket(socket.AF_UNIX)
        self.control.connect(CONTROL)
        self.file = self.control.makefile("rwb")
        self.number, self.listens = 0, False
        if number is None:
            number = self.ask("socket", int(family))
        self.number = number

    def ask(self, call: str, *words, data=b"") -> int:
        """A call, and what it answers."""
        return self.answer(call, *words, data=data)[0]

    def answer(self, call: str, *words, data=b"") -> tuple:
        """The same, with the bytes that came."""
        if call != "socket":
            words = (self.number, *words)
        self.file.write(" ".join(map(str, (call, *words))).encode() + b"\n"
                        + data)
        self.file.flush()
        result, code, length = map(int, self.file.readline().split())
        found = self.file.read(length)
        if result < 0:
            raise OSError(code, f"lwIP's {call}: {os.strerror(code)}")
        return result, found

    def settimeout(self, seconds):
        """How long a call may take."""
        self.control.settimeout(seconds)

    def fileno(self) -> int:
        """-1 when it is closed."""
        return self.number

    def setsockopt(self, level, name, value):
        """An option. A listener that is to be reset would end lwIP."""
        if self.listens and name == socket.SO_LINGER:
            return
        if isinstance(value, int):
            value = struct.pack("i", value)
        self.ask("option", level, name, value.hex())

    def getsockname(self) -> tuple:
        """Its port; the address is known."""
        return ADDRESS[self.family], self.ask("name")

    def bind(self, address):
        """An address and a port."""
        self.ask("bind", int(self.family), *address[:2])

    def connect(self, address):
        """Wait for a connection."""
        self.ask("connect", int(self.family), *address[:2])

    def listen(self, _backlog):
        """Take calls."""
        self.ask("listen")
        self.listens = True

    def accept(self) -> tuple:
        """The next that has come."""
        return Socket(self.family, self.ask("accept")), None

    def sendall(self, data: bytes):
        """All of it."""
        for at in range(0, len(data), MOST):
            piece = data[at:at + MOST]
            self.ask("send", len(piece), data=piece)

    def recv(self, size: int) -> bytes:
        """What there is."""
        return self.answer("recv", min(size, MOST))[1]

    def shutdown(self, how: int):
        """One half, or both."""
        self.ask("shutdown", how)

    def close(self):
        """The end."""
        if self.number >= 0:
            try:
                self.ask("close")
            finally:
                self.number = -1
                self.file.close()
                self.control.close()


def load_tun():
    """Devices whose other end is a program; some kernels have it built in."""
    sh("modprobe -q tun || true")


class LwipNet(Net):
    """alice, the router, and lwIP in the place of bob; a bridge at its door."""

    def __enter__(self):
        self.program = None
        super().__enter__()
        try:
            self.add_tap()
            self.start()
            self.advertise()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.program:
            self.program.kill()
            self.program.wait()
        super().__exit__()

    @staticmethod
    def add_tap():
        """The cable, and the router's end of it."""
        load_tun()
        sh("ip -n router tuntap add t0 mode tap")
        for address, length in zip(ROUTER, (24, 64)):
            rtnl.add_address("router", "t0", address, length)
        rtnl.write_sysctls("router", {"ipv6.conf.t0.accept_dad": 0})
        rtnl.set_link("router", "t0", rtnl.IFF_UP)

    def start(self):
        """lwIP holds the other end."""
        pathlib.Path(CONTROL).unlink(missing_ok=True)
        with inside("router"):
            # pylint: disable=consider-using-with
            self.program = subprocess.Popen(
                [PROGRAM, "t0", ADDRESS[socket.AF_INET], ROUTER[0],
                 ADDRESS[socket.AF_INET6], CONTROL])
        if not (wait_until(lambda: os.path.exists(CONTROL), 10)
                and wait_until(lambda: rtnl.is_ready("router", "t0"), 10)):
            raise RuntimeError("lwip-host does not start")

    @staticmethod
    def advertise():
        """lwIP takes its IPv6 router from an advertisement (RFC 4861 4.2)."""
        with inside("router"):
            sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW,
                                 socket.IPPROTO_ICMPV6)
            index = socket.if_nametoindex("t0")
        with sock:
            sock.setsockopt(socket.IPPROTO_IPV6,
                            socket.IPV6_MULTICAST_HOPS, 255)
            sock.sendto(struct.pack("!BBHBBHII", ROUTER_ADVERTISEMENT, 0, 0,
                                    64, 0, 9000, 0, 0),
                        ("ff02::1", 0, 0, index))

    @staticmethod
    def netem(rules: str):
        """The same rules for both directions."""
        set_network(LINKS, rules)


class LwipMeeting(Meeting):
    """Chalk of alice and TCP of lwIP."""

    def socket(self, host: str, *options):
        if host == "alice":
            return super().socket(host, *options)
        sock = Socket(self.family)
        for option in options:
            sock.setsockopt(*option)
        return self.keep(sock)

    def address(self, host: str) -> str:
        if host == "alice":
            return super().address(host)
        return ADDRESS[self.family]

    @staticmethod
    def tells(end) -> bool:
        return not isinstance(end, Socket)

    def states(self, host: str) -> list:
        return super().states(host) if host == "alice" else []

    def only_time_wait(self, *hosts):
        """At alice's end; lwIP does not tell."""
        super().only_time_wait(*(host for host in hosts if host == "alice"))
