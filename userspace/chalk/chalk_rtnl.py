# SPDX-License-Identifier: GPL-2.0
"""chalk_rtnl.py - devices and what is hooked to them, by rtnetlink.

Owns the messages (linux/rtnetlink.h, linux/pkt_sched.h, linux/pkt_cls.h) that
put programs of BPF before and behind a device, and find them again; and the
offloads of a device (linux/ethtool.h).
"""

import ctypes
import errno
import fcntl
import os
import socket
import struct
from typing import Dict, Iterator, List, Tuple

from chalk_base import TraceError
from chalk_diag import (NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NLMSG, NLMSG_DONE,
                        NLMSG_ERROR, attributes, messages)

RTM_NEWLINK, RTM_GETLINK, RTM_NEWQDISC, RTM_DELQDISC = 16, 18, 36, 37
RTM_NEWTFILTER, RTM_DELTFILTER, RTM_GETTFILTER = 44, 45, 46
NLM_F_EXCL, NLM_F_CREATE = 0x200, 0x400
SOL_NETLINK, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 270, 10, 11
NLMSGERR_ATTR_MSG = 1

IFINFO = struct.Struct("=BxHiII")
IFLA_GSO_MAX_SEGS = 40
TCMSG = struct.Struct("=BxxxiIII")  # family, device, handle, parent, info
TCA_KIND, TCA_OPTIONS = 1, 2
TCA_BPF_FD, TCA_BPF_NAME, TCA_BPF_FLAGS, TCA_BPF_ID = 6, 7, 8, 11
DIRECT_ACTION = 1
CLSACT, CLSACT_HANDLE = 0xfffffff1, 0xffff0000
INGRESS, EGRESS = 0xfffffff2, 0xfffffff3
ETH_P_ALL = 3
LONGEST_NAME = 255

SIOCGIFHWADDR, SIOCETHTOOL = 0x8927, 0x8946
# name: the commands that read and set it, the bit that it is
OFFLOADS = {"tx": (0x16, 0x17, 1), "gro": (0x2b, 0x2c, 1),
            "lro": (0x25, 0x26, 1 << 15)}


def attribute(kind: int, *data: bytes) -> bytes:
    body = b"".join(data)
    return struct.pack("=HH", 4 + len(body), kind) + body + bytes(
        -len(body) % 4)


def number(value: int) -> bytes:
    return struct.pack("=I", value)


def text(value: str) -> bytes:
    return value.encode() + b"\0"


def complaint(answer: bytes) -> str:
    """What the kernel says to explain an error, if it does."""
    said = dict(attributes(answer[4 + NLMSG.size:])).get(NLMSGERR_ATTR_MSG)
    return said.rstrip(b"\0").decode(errors="replace") if said else ""


class Rtnl:
    """A netlink socket in the network namespace of this thread."""

    def __init__(self) -> None:
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                  socket.NETLINK_ROUTE)
        for option in (NETLINK_CAP_ACK, NETLINK_EXT_ACK):
            self.sock.setsockopt(SOL_NETLINK, option, 1)

    def _send(self, kind: int, flags: int, body: bytes) -> None:
        self.sock.send(NLMSG.pack(NLMSG.size + len(body), kind,
                                  NLM_F_REQUEST | flags, 1, 0) + body)

    def _receive(self) -> Iterator[Tuple[int, bytes]]:
        """Messages, to the end of what was asked for; errors are raised."""
        while True:
            for kind, body in messages(self.sock.recv(1 << 17)):
                if kind == NLMSG_DONE:
                    return
                if kind == NLMSG_ERROR:
                    code = -int.from_bytes(body[:4], "little", signed=True)
                    if code:
                        raise OSError(code, complaint(body)
                                      or os.strerror(code))
                    return
                yield kind, body

    def change(self, kind: int, flags: int, body: bytes) -> None:
        self._send(kind, NLM_F_ACK | flags, body)
        for _ in self._receive():
            pass

    def dump(self, kind: int, body: bytes) -> List[bytes]:
        self._send(kind, NLM_F_DUMP, body)
        return [found for _, found in self._receive()]

    # --- links ---

    def most_segments(self, device: int) -> int:
        """How many segments of TCP one packet may have on its way there."""
        self._send(RTM_GETLINK, NLM_F_ACK, IFINFO.pack(0, 0, device, 0, 0))
        found: Dict[int, bytes] = {}
        for _, body in self._receive():
            found = dict(attributes(body[IFINFO.size:]))
        return struct.unpack("=I", found[IFLA_GSO_MAX_SEGS])[0]

    def limit_segments(self, device: int, most: int) -> None:
        self.change(RTM_NEWLINK, 0, IFINFO.pack(0, 0, device, 0, 0)
                    + attribute(IFLA_GSO_MAX_SEGS, number(most)))

    # --- programs ---

    def add_clsact(self, device: int) -> bool:
        """The place for programs; whether it was not there yet."""
        try:
            self.change(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, TCMSG.pack(
                0, device, CLSACT_HANDLE, CLSACT, 0)
                + attribute(TCA_KIND, text("clsact")))
        except OSError as error:
            if error.errno == errno.EEXIST:
                return False
            if error.errno == errno.ENOENT:
                raise TraceError("this kernel has no clsact "
                                 "(CONFIG_NET_SCH_INGRESS)") from None
            raise
        return True

    def remove_clsact(self, device: int) -> None:
        self.change(RTM_DELQDISC, 0, TCMSG.pack(0, device, CLSACT_HANDLE,
                                                CLSACT, 0))

    def add_program(self, device: int, parent: int, priority: int,
                    descriptor: int, name: str) -> None:
        options = attribute(TCA_OPTIONS,
                            attribute(TCA_BPF_FD, number(descriptor)),
                            attribute(TCA_BPF_NAME, text(name)),
                            attribute(TCA_BPF_FLAGS, number(DIRECT_ACTION)))
        try:
            self.change(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL,
                        self._filter(device, parent, priority)
                        + attribute(TCA_KIND, text("bpf")) + options)
        except OSError as error:
            if error.errno == errno.ENOENT:
                raise TraceError("this kernel has no filters of BPF "
                                 "(CONFIG_NET_CLS_BPF)") from None
            raise

    def remove_program(self, device: int, parent: int, priority: int) -> None:
        self.change(RTM_DELTFILTER, 0, self._filter(device, parent, priority))

    @staticmethod
    def _filter(device: int, parent: int, priority: int) -> bytes:
        return TCMSG.pack(0, device, 0, parent,
                          priority << 16 | socket.htons(ETH_P_ALL))

    def programs(self, device: int, parent: int) -> List[Tuple[str, int]]:
        """Name and number of those that are hooked there."""
        found = []
        for body in self.dump(RTM_GETTFILTER,
                              TCMSG.pack(0, device, 0, parent, 0)):
            top = dict(attributes(body[TCMSG.size:]))
            options = dict(attributes(top.get(TCA_OPTIONS, b"")))
            if TCA_BPF_ID in options:
                found.append((options.get(TCA_BPF_NAME, b"").rstrip(b"\0")
                              .decode(errors="replace"),
                              struct.unpack("=I", options[TCA_BPF_ID])[0]))
        return found

    def has_filters(self, device: int) -> bool:
        return any(self.dump(RTM_GETTFILTER, TCMSG.pack(0, device, 0, parent, 0))
                   for parent in (INGRESS, EGRESS))


# --- what ioctl() knows of a device ---

def kind_of_link(device: str) -> int:
    """A number of linux/if_arp.h."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        answer = fcntl.ioctl(sock, SIOCGIFHWADDR,
                             struct.pack("16s24x", device.encode()))
    return struct.unpack_from("=H", answer, 16)[0]


def ethtool(device: str, command: int, value: int = 0) -> int:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        data = ctypes.create_string_buffer(struct.pack("=II", command, value))
        fcntl.ioctl(sock, SIOCETHTOOL, struct.pack(
            "16sP16x", device.encode(), ctypes.addressof(data)))
    return struct.unpack_from("=I", data, 4)[0]


def has_offload(device: str, name: str) -> bool:
    read, _, bit = OFFLOADS[name]
    try:
        return bool(ethtool(device, read) & bit)
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            return False
        raise


def set_offload(device: str, name: str, wanted: bool) -> bool:
    """Whether the device does so afterwards."""
    read, write, bit = OFFLOADS[name]
    others = ethtool(device, read) & ~bit
    try:
        ethtool(device, write, others | (bit if wanted else 0))
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
            raise
    return has_offload(device, name) == wanted
