# SPDX-License-Identifier: GPL-2.0
"""chalk_bridge_program.py - the program that a bridge runs on each packet.

Owns what is swapped, what is left alone, and the counters of both. It sees the
packets of one direction of a device, and turns one protocol number into the
other: in the IP header, and in the pseudo-header that the checksum covers
(RFC 9293 section 3.1). Checksums are mended by the difference (RFC 1624), so
that a packet that was wrong stays wrong.

An ICMP error quotes the packet that it is about (RFC 792, RFC 4443): the number
is swapped in the quotation, too, or the error would not find its socket. The
quoted checksum is left: it may be cut off, and nobody looks at it.

Registers: R6 the packet, R7 where its TCP header begins, R8 which counter, R9
the verdict.
"""

import ipaddress
import struct
from typing import List, NamedTuple, Sequence, Union

from chalk_bpf import (ADD, AND, BYTE, EQUAL, FP, HALF, L3_CSUM_REPLACE,
                       L4_CSUM_REPLACE, LOAD_BYTES, LSH, MAP_LOOKUP, NOT_EQUAL,
                       PSEUDO_HDR, R0, R1, R2, R3, R4, R5, R6, R7, R8, R9,
                       RECOMPUTE_CSUM, SIGNED_LESS, STORE_BYTES, WORD,
                       Assembler, on_wire)

TCP, CHALK, ICMP, ICMPV6 = 6, 253, 1, 58
Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

# What is counted: swapped, dropped, and why the rest was left alone.
COUNTERS = {
    "packets": "swapped",
    "errors": "ICMP errors about such packets, swapped in the quotation",
    "oversized": "dropped: larger than the MTU, not yet cut into segments",
    "other": "of another protocol",
    "already": "had the number already that it would get",
    "peer": "of another peer",
    "port": "of another port",
    "fragment": "a later fragment, which tells no port",
    "extension": "behind an extension header of IPv6",
    "short": "without a whole header",
}
NUMBER = {name: number for number, name in enumerate(COUNTERS)}

# struct __sk_buff
SKB_PROTOCOL, SKB_GSO_SIZE = 16, 176
TC_ACT_UNSPEC, TC_ACT_SHOT = -1, 2
# on the stack
KEY, NEW, PORTS, HEADER = -4, -8, -12, -64

# RFC 792: unreachable, source quench, redirect, time exceeded, bad parameter
ICMP_ERRORS = (3, 4, 5, 11, 12)
# RFC 4443: unreachable, too big, time exceeded, bad parameter
ICMPV6_ERRORS = (1, 2, 3, 4)
# RFC 8200, and those registered since
EXTENSIONS = (0, 43, 44, 51, 60, 135, 139, 140)


class Way(NamedTuple):
    """One direction of a bridge."""
    old: int
    new: int
    is_in: bool      # the peer is who sends
    link: int        # bytes before the IP header
    ports: Sequence[int]
    peers: Sequence[Address]
    first: int       # its counters begin here in the map


class Program(Assembler):
    """What a Way does to a packet."""

    def __init__(self, way: Way, counters: int):
        super().__init__()
        self.way = way
        self.begin()
        self.ipv4()
        self.icmp()
        self.ipv6()
        self.icmpv6()
        self.end(counters)

    # --- pieces ---

    def fetch(self, size: int, otherwise: str, base=None, off=0) -> None:
        """Copy from the packet to HEADER: from @off behind the register @base,
        or behind the link's header."""
        if base is None:
            self.set(R2, self.way.link + off)
        else:
            self.copy(R2, base)
            self.math(ADD, R2, off)
        self.fetch_at_r2(HEADER, size, otherwise)

    def fetch_at_r2(self, to: int, size: int, otherwise: str) -> None:
        self.copy(R1, R6)
        self.copy(R3, FP)
        self.math(ADD, R3, to)
        self.set(R4, size)
        self.call(LOAD_BYTES)
        self.jump_if(NOT_EQUAL, R0, 0, otherwise)

    def header(self, size: int, off: int) -> None:
        """R1 is what stands there in HEADER."""
        self.load(size, R1, FP, HEADER + off)

    def length_of_ipv4(self, reg: int, off: int) -> None:
        """@reg: the length of the IPv4 header that begins there in HEADER."""
        self.load(BYTE, reg, FP, HEADER + off)
        self.math(AND, reg, 15)
        self.math(LSH, reg, 2)

    def unless_first(self, off: int, target: str) -> None:
        """Jump if the IPv4 header there is of a later fragment."""
        self.header(HALF, off + 6)
        self.host_order(R1)
        self.math(AND, R1, 0x1fff)
        self.jump_if(NOT_EQUAL, R1, 0, target)

    def select_peer(self, off: int, version: int) -> None:
        """Go on if the address there is of a peer that was asked for."""
        if not self.way.peers:
            return
        found = f"{len(self.code)} is a peer"
        for peer in self.way.peers:
            if peer.version == version:
                self.compare(peer, off, found)
        self.jump("peer")
        self.label(found)

    def compare(self, peer: Address, off: int, found: str) -> None:
        differs = f"{len(self.code)} differs"
        for at in range(0, len(peer.packed), 4):
            word, = struct.unpack_from("=I", peer.packed, at)
            self.header(WORD, off + at)
            self.jump_if_word(NOT_EQUAL, R1, word, differs)
        self.jump(found)
        self.label(differs)

    def select_port(self, base: int) -> None:
        """Go on if one of the ports behind the register @base was asked for."""
        if not self.way.ports:
            return
        found = f"{len(self.code)} is a port"
        self.copy(R2, base)
        self.fetch_at_r2(PORTS, 4, "short")
        for off in (0, 2):
            self.load(HALF, R1, FP, PORTS + off)
            for port in self.way.ports:
                self.jump_if(EQUAL, R1, on_wire(port), found)
        self.jump("port")
        self.label(found)

    def refuse_without_port(self) -> None:
        """A later fragment tells none."""
        if self.way.ports:
            self.jump("fragment")

    def drop_oversized(self) -> None:
        """IP knows how to cut a packet of TCP, not one of Chalk."""
        self.load(WORD, R1, R6, SKB_GSO_SIZE)
        self.jump_if(NOT_EQUAL, R1, 0, "oversized")

    def replace_sum(self, helper: int, flags: int, high=False) -> None:
        """Mend the checksum at R2 of the packet; @high: the number stands in
        the upper half of its 16 bits."""
        shift = 8 if high else 0
        self.copy(R1, R6)
        self.set(R3, on_wire(self.way.old << shift))
        self.set(R4, on_wire(self.way.new << shift))
        self.set(R5, flags | 2)
        self.call(helper)

    def write_number(self, flags: int) -> None:
        """The new number, at R2 of the packet."""
        self.store(BYTE, FP, NEW, self.way.new)
        self.copy(R1, R6)
        self.copy(R3, FP)
        self.math(ADD, R3, NEW)
        self.set(R4, 1)
        self.set(R5, flags)
        self.call(STORE_BYTES)

    def swap_sum_of_tcp(self) -> None:
        """First of all: where there is none, nothing has changed."""
        self.copy(R2, R7)
        self.math(ADD, R2, 16)
        self.replace_sum(L4_CSUM_REPLACE, PSEUDO_HDR)
        self.jump_if(SIGNED_LESS, R0, 0, "short")

    def unless_error(self, types: Sequence[int]) -> None:
        """Go on with an ICMP message that quotes."""
        found = f"{len(self.code)} is an error"
        self.header(BYTE, 0)
        for kind in types:
            self.jump_if(EQUAL, R1, kind, found)
        self.jump("other")
        self.label(found)

    # --- the ways of a packet ---

    def begin(self) -> None:
        self.copy(R6, R1)
        self.set(R9, TC_ACT_UNSPEC)
        self.load(WORD, R0, R6, SKB_PROTOCOL)
        self.jump_if(EQUAL, R0, on_wire(0x0800), "ipv4")
        self.jump_if(EQUAL, R0, on_wire(0x86dd), "ipv6")
        self.jump("out")

    def ipv4(self) -> None:
        """The header's own checksum is that of RFC 791, section 3.1."""
        way = self.way
        self.label("ipv4")
        self.fetch(20, "short")
        self.length_of_ipv4(R7, 0)
        self.math(ADD, R7, way.link)
        self.header(BYTE, 9)
        self.jump_if(EQUAL, R1, ICMP, "icmp")
        self.jump_if(EQUAL, R1, way.new, "already")
        self.jump_if(NOT_EQUAL, R1, way.old, "other")
        self.drop_oversized()
        self.select_peer(12 if way.is_in else 16, 4)
        self.unless_first(0, "later")
        self.select_port(R7)
        self.swap_sum_of_tcp()
        self.jump("ipv4 header")
        self.label("later")
        self.refuse_without_port()
        self.label("ipv4 header")
        self.set(R2, way.link + 10)
        self.replace_sum(L3_CSUM_REPLACE, 0)
        self.set(R2, way.link + 9)
        self.write_number(0)
        self.jump("packets")

    def icmp(self) -> None:
        """Number and checksum of the quoted header change by the same: the
        checksum of the message stays right."""
        way = self.way
        self.label("icmp")
        self.unless_first(0, "other")
        self.fetch(28, "other", R7)
        self.unless_error(ICMP_ERRORS)
        self.header(BYTE, 8 + 9)
        self.jump_if(NOT_EQUAL, R1, way.old, "other")
        # it quotes what went the other way
        self.select_peer(8 + (16 if way.is_in else 12), 4)
        self.length_of_ipv4(R8, 8)
        self.add(R8, R7)
        self.math(ADD, R8, 8)
        self.unless_first(8, "quotes later")
        self.select_port(R8)
        self.jump("quotation")
        self.label("quotes later")
        self.refuse_without_port()
        self.label("quotation")
        self.copy(R2, R7)
        self.math(ADD, R2, 8 + 10)
        self.replace_sum(L3_CSUM_REPLACE, 0)
        self.copy(R2, R7)
        self.math(ADD, R2, 8 + 9)
        self.write_number(0)
        self.jump("errors")

    def ipv6(self) -> None:
        """No checksum covers this header, but the device may have summed it."""
        way = self.way
        self.label("ipv6")
        self.fetch(40, "short")
        self.set(R7, way.link + 40)
        self.header(BYTE, 6)
        self.jump_if(EQUAL, R1, ICMPV6, "icmpv6")
        self.jump_if(EQUAL, R1, way.new, "already")
        for kind in EXTENSIONS:
            self.jump_if(EQUAL, R1, kind, "extension")
        self.jump_if(NOT_EQUAL, R1, way.old, "other")
        self.drop_oversized()
        self.select_peer(8 if way.is_in else 24, 6)
        self.select_port(R7)
        self.swap_sum_of_tcp()
        self.set(R2, way.link + 6)
        self.write_number(RECOMPUTE_CSUM)
        self.jump("packets")

    def icmpv6(self) -> None:
        """The message's checksum covers the quoted number (RFC 4443, 2.3)."""
        way = self.way
        self.label("icmpv6")
        self.fetch(48, "other", off=40)
        self.unless_error(ICMPV6_ERRORS)
        self.header(BYTE, 8 + 6)
        self.jump_if(NOT_EQUAL, R1, way.old, "other")
        self.select_peer(8 + (24 if way.is_in else 8), 6)
        self.set(R8, way.link + 40 + 8 + 40)
        self.select_port(R8)
        self.set(R2, way.link + 40 + 2)
        self.replace_sum(L4_CSUM_REPLACE, 0, high=True)
        self.set(R2, way.link + 40 + 8 + 6)
        self.write_number(0)
        self.jump("errors")

    def end(self, counters: int) -> None:
        """Count, and answer."""
        for name, number in NUMBER.items():
            self.label(name)
            self.set(R8, self.way.first + number)
            if name == "oversized":
                self.set(R9, TC_ACT_SHOT)
            self.jump("count")
        self.label("count")
        self.store_reg(WORD, FP, KEY, R8)
        self.load_map(R1, counters)
        self.copy(R2, FP)
        self.math(ADD, R2, KEY)
        self.call(MAP_LOOKUP)
        self.jump_if(EQUAL, R0, 0, "out")
        self.set(R1, 1)
        self.count_up(R0, R1)
        self.label("out")
        self.copy(R0, R9)
        self.exit()


def addresses(texts: Sequence[str]) -> List[Address]:
    return [ipaddress.ip_address(text) for text in texts]
