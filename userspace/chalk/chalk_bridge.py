# SPDX-License-Identifier: GPL-2.0
"""chalk_bridge.py - bridges between Chalk and TCP: made, found, taken away.

Owns what a bridge is: two programs (chalk_bridge_program.py) at one device, for
what comes in and what goes out, with one map of counters. Nothing is kept in a
file: the programs' name says what the bridge does, and the map's last number
what the device was like before.
"""

import contextlib
import errno
import os
import socket
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import chalk_bpf
import chalk_rtnl
from chalk_base import TraceError
from chalk_bridge_program import (CHALK, COUNTERS, NUMBER, TCP, Program, Way,
                                  addresses)
from chalk_rtnl import EGRESS, INGRESS, OFFLOADS, Rtnl

NAME = "chalk-bridge"
PRIORITY = 253
WIRES = ("chalk", "tcp")
# kind of a link (linux/if_arp.h): bytes before the IP header
ETHERNET, LOOPBACK, NONE = 1, 772, 65534
LINKS = {ETHERNET: 14, NONE: 0}
UNDO = 2 * len(COUNTERS)
MADE_CLSACT, SEGMENTS = 1 << 8, 16


class Bridge(NamedTuple):
    """What is asked for, or was found."""
    device: str
    wire: str            # what passes beyond the device: chalk or tcp
    ports: Sequence[int]
    peers: Sequence[str]

    def name(self) -> str:
        """The name of its programs: all there is to know."""
        words = [NAME, f"wire={self.wire}"]
        words += [f"port={port}" for port in self.ports]
        words += [f"peer={peer}" for peer in self.peers]
        return " ".join(words)

    @classmethod
    def parse(cls, device: str, name: str) -> Optional["Bridge"]:
        """The opposite; None if this is no name of a bridge."""
        first, *words = name.split(" ")
        pairs = [word.partition("=")[::2] for word in words]
        values: Dict[str, List[str]] = {"wire": [], "port": [], "peer": []}
        if first != NAME or not all(key in values for key, _ in pairs):
            return None
        for key, value in pairs:
            values[key].append(value)
        if len(values["wire"]) != 1 or values["wire"][0] not in WIRES:
            return None
        return cls(device, values["wire"][0], [int(n) for n in values["port"]],
                   values["peer"])

    def way(self, is_in: bool, link: int) -> Way:
        """What comes in from a wire of Chalk becomes TCP's, and so on."""
        old, new = ((CHALK, TCP) if is_in == (self.wire == "chalk")
                    else (TCP, CHALK))
        return Way(old, new, is_in, link, self.ports, addresses(self.peers),
                   0 if is_in else len(COUNTERS))


class Found(NamedTuple):
    """A bridge that is there."""
    bridge: Bridge
    program: int

    def counts(self) -> Tuple[Dict[str, int], Dict[str, int]]:
        """Of what came in, of what went out."""
        with chalk_bpf.Array.of_program(self.program) as array:
            into, out = ({name: array[first + number]
                          for name, number in NUMBER.items()}
                         for first in (0, len(COUNTERS)))
        return into, out


def index_of(device: str) -> int:
    try:
        return socket.if_nametoindex(device)
    except OSError:
        raise TraceError(f"there is no device {device} here; ip link shows "
                         "those there are") from None


def header_of_link(device: str) -> int:
    """How many bytes stand before the IP header."""
    kind = chalk_rtnl.kind_of_link(device)
    if kind == LOOPBACK:
        raise TraceError(f"what leaves {device} comes in again, and would be "
                         "swapped twice; take the device of a link")
    if kind not in LINKS:
        raise TraceError(f"{device} is a link of kind {kind} "
                         "(linux/if_arp.h), where no IP header can be found")
    return LINKS[kind]


def find(rtnl: Rtnl, device: str) -> Optional[Found]:
    index = index_of(device)
    for parent in (INGRESS, EGRESS):
        for name, program in rtnl.programs(index, parent):
            bridge = Bridge.parse(device, name)
            if bridge:
                return Found(bridge, program)
    return None


def find_all(rtnl: Rtnl) -> List[Found]:
    found = []
    for _, device in socket.if_nameindex():
        bridge = find(rtnl, device)
        if bridge:
            found.append(bridge)
    return found


# --- the device ---

def turn_off(device: str, name: str) -> None:
    if not chalk_rtnl.set_offload(device, name, False):
        raise TraceError(f"{device} does not let {name} be turned off, so "
                         "packets would not pass the bridge; take another "
                         "device on their way")


def prepare_device(rtnl: Rtnl, bridge: Bridge) -> int:
    """One packet is one segment, with its checksum; what is to be undone.

    GRO makes one packet of many, which IP cannot cut again where its number is
    Chalk's. A card may know where the checksum of TCP is, but not Chalk's.
    """
    device, index, undo = bridge.device, index_of(bridge.device), 0
    wanted = {"gro", "lro"} | ({"tx"} if bridge.wire == "chalk" else set())
    try:
        for bit, name in enumerate(OFFLOADS):
            if name in wanted and chalk_rtnl.has_offload(device, name):
                turn_off(device, name)
                undo |= 1 << bit
        if bridge.wire == "chalk":
            # TCP hands down more than a segment at once, whatever the offloads
            most = rtnl.most_segments(index)
            rtnl.limit_segments(index, 1)
            undo |= most << SEGMENTS
    except BaseException:
        restore_device(rtnl, device, undo)
        raise
    return undo


def restore_device(rtnl: Rtnl, device: str, undo: int) -> None:
    """As it was before."""
    for bit, name in enumerate(OFFLOADS):
        if undo & 1 << bit:
            chalk_rtnl.set_offload(device, name, True)
    if undo >> SEGMENTS:
        rtnl.limit_segments(index_of(device), undo >> SEGMENTS)
    if undo & MADE_CLSACT and not rtnl.has_filters(index_of(device)):
        rtnl.remove_clsact(index_of(device))


# --- add and remove ---

@contextlib.contextmanager
def program_of(way: Way, array: chalk_bpf.Array) -> Iterator[int]:
    """A descriptor of the program; the kernel keeps what was hooked to it."""
    descriptor = chalk_bpf.load(Program(way, array.descriptor).bytes(),
                                "chalk_in" if way.is_in else "chalk_out")
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def attach(rtnl: Rtnl, bridge: Bridge, array: chalk_bpf.Array) -> None:
    link, index = header_of_link(bridge.device), index_of(bridge.device)
    for is_in, parent in ((True, INGRESS), (False, EGRESS)):
        with program_of(bridge.way(is_in, link), array) as descriptor:
            rtnl.add_program(index, parent, PRIORITY, descriptor,
                             bridge.name())


def detach(rtnl: Rtnl, device: str) -> None:
    for parent in (INGRESS, EGRESS):
        try:
            rtnl.remove_program(index_of(device), parent, PRIORITY)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EINVAL):
                raise


def add(rtnl: Rtnl, bridge: Bridge) -> None:
    index = index_of(bridge.device)
    header_of_link(bridge.device)
    if len(bridge.name()) > chalk_rtnl.LONGEST_NAME:
        raise TraceError("these are more ports and peers than a bridge can "
                         "remember; give fewer, or none for all")
    if find(rtnl, bridge.device):
        raise TraceError(f"{bridge.device} has a bridge already; to take it "
                         f"away: chalk bridge del {bridge.device}")
    with chalk_bpf.Array.create(UNDO + 1) as array:
        undo = prepare_device(rtnl, bridge)
        try:
            if rtnl.add_clsact(index):
                undo |= MADE_CLSACT
            array[UNDO] = undo
            attach(rtnl, bridge, array)
        except BaseException:
            detach(rtnl, bridge.device)
            restore_device(rtnl, bridge.device, undo)
            raise


def remove(rtnl: Rtnl, device: str) -> None:
    found = find(rtnl, device)
    if not found:
        raise TraceError(f"{device} has no bridge; chalk bridge list shows "
                         "those there are")
    with chalk_bpf.Array.of_program(found.program) as array:
        undo = array[UNDO]
    detach(rtnl, device)
    restore_device(rtnl, device, undo)
