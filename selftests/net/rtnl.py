# SPDX-License-Identifier: GPL-2.0
"""Networks without programs: a hundred starts of ip, ethtool and sysctl cost
seconds where QEMU emulates, and minutes where the kernel checks all it does.

Namespaces are those of "ip netns". Links, addresses, routes and neighbours go
to rtnetlink (linux/rtnetlink.h), offloads to SIOCETHTOOL, sysctls to /proc.
What the kernel refuses is an OSError that says what was asked for.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import socket
import struct
import time

CLONE_NEWNET = 0x40000000
MS_BIND, MS_REC, MS_SHARED, MNT_DETACH = 0x1000, 0x4000, 1 << 20, 2
NETNS = "/run/netns"
IFF_UP, IFF_NOARP = 1, 0x80

NLMSG = struct.Struct("=IHHII")  # length, type, flags, sequence number, port
RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWNEIGH = 16, 20, 24, 28
REQUEST, ACK, REPLACE, EXCL, CREATE = 1, 4, 0x100, 0x200, 0x400
SOL_NETLINK, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 270, 10, 11
IFLA_ADDRESS, IFLA_IFNAME, IFLA_LINKINFO, IFLA_NET_NS_FD = 1, 3, 18, 28
IFLA_INFO_KIND, IFLA_INFO_DATA, VETH_INFO_PEER = 1, 2, 1
IFA_ADDRESS, IFA_LOCAL, IFA_F_NODAD, IFA_F_TENTATIVE = 1, 2, 2, 0x40
RTA_DST, RTA_OIF, RTA_GATEWAY = 1, 4, 5
RT_TABLE_MAIN, RTPROT_BOOT, RT_SCOPE_LINK, RTN_UNICAST = 254, 3, 253, 1
NDA_DST, NDA_LLADDR, NUD_PERMANENT = 1, 2, 0x80

SIOCETHTOOL = 0x8946
# ETHTOOL_SRXCSUM, STXCSUM, STSO, SGSO, SGRO
OFFLOADS = (0x15, 0x17, 0x1f, 0x24, 0x2c)

libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    """An exception if a function of the C library has failed."""
    if result:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


@contextlib.contextmanager
def inside(name: str):
    """Everything this thread opens meanwhile belongs to namespace @name."""
    with contextlib.ExitStack() as stack:
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        stack.callback(os.close, home)
        away = os.open(f"{NETNS}/{name}", os.O_RDONLY)
        stack.callback(os.close, away)
        check(libc.setns(away, CLONE_NEWNET), f"setns {name}")
        stack.callback(libc.setns, home, CLONE_NEWNET)
        yield


# --- namespaces ---

def mount(source: str, target: str, flags: int) -> None:
    """mount() without a type."""
    check(libc.mount(source.encode(), target.encode(), b"none", flags, None),
          f"mount {target}")


def share_names() -> None:
    """What is unmounted here goes also from the programs of "ip netns exec",
    which have mounts of their own: else it would live as long as they do."""
    os.makedirs(NETNS, exist_ok=True)
    try:
        mount("", NETNS, MS_SHARED | MS_REC)
    except OSError as err:
        if err.errno != errno.EINVAL:
            raise
        mount(NETNS, NETNS, MS_BIND | MS_REC)
        mount("", NETNS, MS_SHARED | MS_REC)


def add_namespace(name: str) -> None:
    """A new one, with its loopback device up."""
    share_names()
    path = f"{NETNS}/{name}"
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDONLY, 0))
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        check(libc.unshare(CLONE_NEWNET), f"new namespace {name}")
        mount("/proc/thread-self/ns/net", path, MS_BIND)
    except OSError:
        os.unlink(path)
        raise
    finally:
        check(libc.setns(home, CLONE_NEWNET), "setns back")
        os.close(home)
    set_link(name, "lo", IFF_UP)


def remove_namespace(name: str) -> None:
    """Take its name away; it ends with its last socket and process."""
    path = f"{NETNS}/{name}"
    check(libc.umount2(path.encode(), MNT_DETACH), f"umount {path}")
    os.unlink(path)


class Life:
    """Tells whether a namespace still lives; does not keep it alive, as a
    socket or a file below /proc/net would."""

    def __init__(self, name: str):
        with inside(name):
            self.fd = os.open("/proc/sys/net/core/somaxconn", os.O_RDONLY)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def has_ended(self) -> bool:
        """The kernel takes its sysctls away after what modules have in it."""
        try:
            os.pread(self.fd, 1, 0)
        except FileNotFoundError:
            return True
        return False


def namespaces() -> list:
    """The names of all."""
    return sorted(os.listdir(NETNS)) if os.path.isdir(NETNS) else []


# --- rtnetlink ---

def attribute(kind: int, *data: bytes) -> bytes:
    """An attribute, or a nest of them."""
    body = b"".join(data)
    return (struct.pack("=HH", 4 + len(body), kind) + body
            + bytes(-len(body) % 4))


def complaint(answer: bytes) -> str:
    """What the kernel says to explain an error, if it does."""
    rest = answer[NLMSG.size + 4 + NLMSG.size:]
    while len(rest) > 4:
        length, kind = struct.unpack_from("=HH", rest)
        if kind & 0x3fff == 1:  # NLMSGERR_ATTR_MSG
            return f" ({rest[4:length].rstrip(bytes(1)).decode()})"
        rest = rest[max(length + 3 & ~3, 4):]
    return ""


def ask(name: str, what: str, kind: int, flags: int, body: bytes) -> None:
    """Ask the kernel to change something in namespace @name."""
    with inside(name), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                     socket.NETLINK_ROUTE) as sock:
        for option in (NETLINK_CAP_ACK, NETLINK_EXT_ACK):
            sock.setsockopt(SOL_NETLINK, option, 1)
        sock.send(NLMSG.pack(NLMSG.size + len(body), kind,
                             REQUEST | ACK | flags, 1, 0) + body)
        answer = sock.recv(65536)
    code, = struct.unpack_from("=i", answer, NLMSG.size)
    if code:
        raise OSError(-code, f"{name}: {what}: {os.strerror(-code)}"
                      + complaint(answer))


def link_head(index=0, flags=0, change=0) -> bytes:
    """struct ifinfomsg"""
    return struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, flags, change)


def link_names(dev: str, mac) -> bytes:
    """Attributes: how a new device is called, and where it is found."""
    return attribute(IFLA_IFNAME, dev.encode() + b"\0") + (
        attribute(IFLA_ADDRESS, mac) if mac else b"")


def add_veth(name: str, dev: str, peer_name: str, peer: str, mac=None,
             peer_mac=None) -> None:
    """Two ends of a cable: @dev in @name, @peer in @peer_name."""
    with open(f"{NETNS}/{peer_name}", "rb") as space:
        other = link_head() + link_names(peer, peer_mac) + attribute(
            IFLA_NET_NS_FD, struct.pack("=I", space.fileno()))
        ask(name, f"veth {dev}, {peer} in {peer_name}", RTM_NEWLINK,
            CREATE | EXCL, link_head() + link_names(dev, mac) + attribute(
                IFLA_LINKINFO, attribute(IFLA_INFO_KIND, b"veth"),
                attribute(IFLA_INFO_DATA, attribute(VETH_INFO_PEER, other))))


def index_of(name: str, dev: str) -> int:
    """The number of a device."""
    with inside(name):
        try:
            return socket.if_nametoindex(dev)
        except OSError as err:
            raise OSError(errno.ENODEV, f"{name}: no device {dev}") from err


def set_link(name: str, dev: str, flags: int) -> None:
    """Turn on these flags (IFF_UP, IFF_NOARP)."""
    ask(name, f"flags of {dev}", RTM_NEWLINK, 0,
        link_head(index_of(name, dev), flags, flags))


def is_ready(name: str, dev: str) -> bool:
    """Its cable holds, its queue sends: it has a link-local address then."""
    with inside(name), open("/proc/thread-self/net/if_inet6",
                            encoding="ascii") as file:
        rows = [line.split() for line in file]
    return any(row[5] == dev and row[3] == "20"
               and not int(row[4], 16) & IFA_F_TENTATIVE for row in rows)


def bring_up(*links: tuple, flags=0) -> None:
    """Both ends of a cable, each (namespace, device); the first with @flags,
    too. The kernel does not see a carrier at once: wait for it."""
    for name, dev in links:
        write_sysctls(name, {f"ipv6.conf.{dev}.accept_dad": 0})
        set_link(name, dev, IFF_UP | flags)
        flags = 0
    end = time.monotonic() + 60
    for name, dev in links:
        while not is_ready(name, dev):
            if time.monotonic() > end:
                raise OSError(errno.ETIMEDOUT, f"{name}: {dev} stays down")
            time.sleep(0.01)


def parse(address: str) -> tuple:
    """Its family and its bytes."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return family, socket.inet_pton(family, address)


def add_address(name: str, dev: str, address: str, length: int) -> None:
    """An address, which is used at once, without a search for duplicates."""
    family, data = parse(address)
    flags = IFA_F_NODAD if family == socket.AF_INET6 else 0
    ask(name, f"address {address}/{length} of {dev}", RTM_NEWADDR,
        CREATE | REPLACE,
        struct.pack("=BBBBI", family, length, flags, 0, index_of(name, dev))
        + attribute(IFA_LOCAL, data) + attribute(IFA_ADDRESS, data))


def add_route(name: str, to=None, via=None, dev=None) -> None:
    """To one address by a device, or to all by a router."""
    family, data = parse(to or via)
    scope = RT_SCOPE_LINK if not via and family == socket.AF_INET else 0
    body = struct.pack("=BBBBBBBBI", family, len(data) * 8 if to else 0, 0, 0,
                       RT_TABLE_MAIN, RTPROT_BOOT, scope, RTN_UNICAST, 0)
    if to:
        body += attribute(RTA_DST, data)
    if via:
        body += attribute(RTA_GATEWAY, parse(via)[1])
    if dev:
        body += attribute(RTA_OIF, struct.pack("=I", index_of(name, dev)))
    ask(name, f"route to {to or 'all'}", RTM_NEWROUTE, CREATE, body)


def add_neighbour(name: str, dev: str, address: str, mac: bytes) -> None:
    """One that never has to be searched for."""
    family, data = parse(address)
    ask(name, f"neighbour {address}", RTM_NEWNEIGH, CREATE | REPLACE,
        struct.pack("=BxxxiHBB", family, index_of(name, dev), NUD_PERMANENT, 0,
                    0)
        + attribute(NDA_DST, data) + attribute(NDA_LLADDR, mac))


# --- offloads and sysctls ---

def offloads_off(name: str, dev: str) -> None:
    """One packet is one segment, with the checksum that goes on the wire."""
    with inside(name), socket.socket(type=socket.SOCK_DGRAM) as sock:
        for command in OFFLOADS:
            value = ctypes.create_string_buffer(struct.pack("=II", command, 0))
            fcntl.ioctl(sock, SIOCETHTOOL, struct.pack(
                "16sP16x", dev.encode(), ctypes.addressof(value)))


def write_sysctls(name: str, values: dict) -> None:
    """Keys, as sysctl has them, below net in namespace @name."""
    with inside(name):
        for key, value in values.items():
            path = f"/proc/sys/net/{key.replace('.', '/')}"
            with open(path, "w", encoding="ascii") as file:
                file.write(str(value))
