# SPDX-License-Identifier: GPL-2.0
"""One host, and a peer who is played by hand: each of his segments is what a
test wants, over IPv4 or IPv6, for TCP or for Chalk.

    with Cable() as cable:
        peer = cable.peer(socket.AF_INET, CHALK)
        sock = peer.called()
        peer.send(ACK, b"data", options=b"")
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from types import SimpleNamespace

import rtnl
from net import (ALICE, ALICE6, BOB, BOB6, add_hosts, inside, remove_all_hosts,
                 remove_hosts)
from scene import ACK, CHALK, FIN, RST, SYN, TCP, checksum, ip_packet

__all__ = ("ACK", "CHALK", "FAMILIES", "FIN", "RST", "SYN", "TCP", "Cable",
           "Peer", "stamps")

FAMILIES = (socket.AF_INET, socket.AF_INET6)
HERE = {socket.AF_INET: ALICE, socket.AF_INET6: ALICE6}
THERE = {socket.AF_INET: BOB, socket.AF_INET6: BOB6}
ETHERTYPE = {socket.AF_INET: 0x0800, socket.AF_INET6: 0x86dd}
MAC, PEER_MAC = b"\2\0\0\0\0\1", b"\2\0\0\0\0\2"
MSS = b"\x02\x04\x05\xb4"
M = 0xffffffff


def stamps(value: int, echo: int) -> bytes:
    """The timestamps option, padded."""
    return struct.pack("!BBBBII", 1, 1, 8, 10, value & M, echo & M)


def packet_of(family, protocol: int, body: bytes) -> bytes:
    """An IP packet from the peer."""
    if family == socket.AF_INET:
        return ip_packet(BOB, ALICE, protocol, body)
    return struct.pack("!IHBB", 6 << 28, len(body), protocol, 64) + address(
        family, THERE) + address(family, HERE) + body


def address(family, of: dict) -> bytes:
    """The bytes of an address."""
    return socket.inet_pton(family, of[family])


def parse(family, packet: bytes) -> SimpleNamespace:
    """A segment that has come to the peer."""
    head = (packet[0] & 15) * 4 if family == socket.AF_INET else 40
    end = (int.from_bytes(packet[2:4], "big") if family == socket.AF_INET
           else 40 + int.from_bytes(packet[4:6], "big"))
    body = packet[head:end]
    sport, dport, seq, ack, words, flags, wnd = struct.unpack(
        "!HHIIBBH", body[:16])
    words = (words >> 4) * 4
    seg = SimpleNamespace(
        protocol=packet[9] if family == socket.AF_INET else packet[6],
        sport=sport, dport=dport, seq=seq, ack=ack, flags=flags, wnd=wnd,
        options=body[20:words], data=body[words:], stamp=None)
    seg.space = len(seg.data) + bool(flags & SYN) + bool(flags & FIN)
    rest = seg.options
    while rest and rest[0]:
        if rest[0] == 8:
            seg.stamp = struct.unpack("!I", rest[2:6])[0]
        rest = rest[1 if rest[0] == 1 else rest[1]:]
    return seg


class Cable:
    """alice, and a cable whose other end is in our hands."""

    names = ("alice", "peer")

    def __init__(self):
        self.ends = {}
        self.stack = contextlib.ExitStack()
        self.port = 7000

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.callback(remove_all_hosts)
            add_hosts(self.names)
            rtnl.add_veth("alice", "a0", "peer", "p0", MAC, PEER_MAC)
            rtnl.offloads_off("alice", "a0")
            rtnl.bring_up(("alice", "a0"), ("peer", "p0"))
            for family in FAMILIES:
                length = 32 if family == socket.AF_INET else 128
                rtnl.add_address("alice", "a0", HERE[family], length)
                rtnl.add_route("alice", to=THERE[family], dev="a0")
                rtnl.add_neighbour("alice", "a0", THERE[family], PEER_MAC)
                with inside("peer"):
                    end = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                        socket.htons(ETHERTYPE[family]))
                end.bind(("p0", ETHERTYPE[family]))
                self.ends[family] = stack.enter_context(end)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        remove_hosts(self.names)
        for end in self.ends.values():
            end.close()

    def peer(self, family, protocol, seq=1000) -> Peer:
        """A peer of a port that nobody had."""
        self.port += 1
        return Peer(self, family, protocol, seq)


class Peer:
    """The other end of a connection; @seq is what he sends next, @ack what he
    expects."""

    # pylint: disable=too-many-instance-attributes

    def __init__(self, cable, family, protocol, seq):
        self.end = cable.ends[family]
        self.family, self.protocol = family, protocol
        self.port = cable.port
        self.there = 0
        self.seq, self.ack = seq, 0
        self.options = b""
        self.sockets = []

    def socket(self) -> socket.socket:
        """A socket of alice's."""
        with inside("alice"):
            sock = socket.socket(self.family, socket.SOCK_STREAM,
                                 self.protocol)
        self.sockets.append(sock)
        sock.settimeout(30)
        return sock

    def close(self):
        """Leave nothing behind."""
        for sock in self.sockets:
            if sock.fileno() >= 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                struct.pack("ii", 1, 0))
                sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- segments ---

    def send(self, flags, data=b"", seq=None, ack=None, options=None):
        """A segment; where @seq is not given it stands at the next number."""
        if options is None:
            options = self.options
        options += bytes(-len(options) % 4)
        body = struct.pack(
            "!HHIIBBHHH", self.port, self.there,
            (self.seq if seq is None else seq) & M,
            (self.ack if ack is None else ack) & M if flags & ACK else 0,
            (5 + len(options) // 4) << 4, flags, 8192, 0, 0) + options + data
        pseudo = (address(self.family, THERE) + address(self.family, HERE) +
                  struct.pack("!II", len(body), self.protocol))
        total = struct.pack("!H", checksum(pseudo + body))
        packet = packet_of(self.family, self.protocol,
                           body[:16] + total + body[18:])
        self.end.sendto(packet, ("p0", ETHERTYPE[self.family], 0, 0, MAC))
        if seq is None:
            self.seq += len(data) + bool(flags & SYN) + bool(flags & FIN)
            self.seq &= M

    def receive(self, wanted=lambda seg: True, timeout=10.0):
        """The next segment that is wanted, or None."""
        until = time.monotonic() + timeout
        while True:
            left = max(0, until - time.monotonic())
            if not select.select([self.end], [], [], left)[0]:
                return None
            packet, source = self.end.recvfrom(70000)
            if source[2] == socket.PACKET_OUTGOING:
                continue
            seg = parse(self.family, packet)
            if (seg.protocol == self.protocol and seg.dport == self.port
                    and wanted(seg)):
                return seg

    def take(self, seg):
        """Expect what follows it."""
        self.there = seg.sport
        self.ack = seg.seq + seg.space & M

    def all(self, quiet=0.1) -> list:
        """What comes until nothing has for a while."""
        got = []
        while True:
            seg = self.receive(timeout=quiet)
            if not seg:
                return got
            got.append(seg)

    # --- handshakes ---

    def listen(self) -> socket.socket:
        """alice listens on the port that the peer will call."""
        sock = self.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((HERE[self.family], self.port))
        sock.listen(8)
        self.there = self.port
        return sock

    def calls(self, listener, options=MSS) -> socket.socket:
        """The peer connects; alice's socket."""
        self.send(SYN, options=options + self.options)
        self.take(self.receive(lambda seg: seg.flags & SYN))
        self.send(ACK)
        sock = listener.accept()[0]
        self.sockets.append(sock)
        sock.settimeout(30)
        return sock

    def begin(self) -> socket.socket:
        """alice's connect(), for which nobody waits; her SYN is taken."""
        sock = self.socket()
        sock.setblocking(False)
        sock.connect_ex((THERE[self.family], self.port))
        self.take(self.receive(lambda seg: seg.flags & SYN))
        return sock

    def called(self, options=MSS) -> socket.socket:
        """alice connects; her socket."""
        sock = self.begin()
        self.send(SYN | ACK, options=options + self.options)
        assert self.receive(lambda seg: seg.flags == ACK), "no ACK of SYN+ACK"
        sock.settimeout(30)
        return sock

    def talks(self, sock):
        """Data of the peer gets through, and is acknowledged at once or soon."""
        self.send(ACK, b"ping")
        assert sock.recv(10) == b"ping"
        seg = self.receive(lambda seg: seg.flags & ACK and seg.ack == self.seq)
        return seg is not None


def state(sock) -> int:
    """As TCP_INFO has it."""
    return sock.getsockopt(socket.SOL_TCP, socket.TCP_INFO, 1)[0]


def drops_of(host: str, reason: str) -> int:
    """How often Chalk has refused a segment for that."""
    with inside(host), open("/proc/thread-self/net/chalk/snmp",
                            encoding="ascii") as file:
        rows = [line.split() for line in file if line.startswith("ChalkDrop:")]
    return int(dict(zip(*rows))[reason])
