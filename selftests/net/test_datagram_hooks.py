# SPDX-License-Identifier: GPL-2.0
"""Where the kernel lets others decide about datagrams: IPsec policies, programs
of control groups, their memory. UDP and Chalk do alike.
"""

import ctypes
import os
import socket
import struct
import tempfile
import time
import unittest

from counters import read_counters
from dgram import PROTOCOLS, Differential, fails, is_empty, poll, receive
from glue import ADDRESS, RMEM_ALLOC, SO_RCVBUFFORCE, is_possible, meminfo
from net import drops, inside, libc, sh, wait_until
from scene import CHALK
from test_glue_hooks import PROG_ATTACH, PROG_DETACH, PROG_LOAD, bpf

PORT = 4400
DROPS = 8
CGROUP_SOCK_ADDR = 18
CONNECT, SENDMSG, RECVMSG, GETPEERNAME = (10, 11), (14, 15), (19, 20), (29, 30)
IP_XFRM_POLICY, IPV6_XFRM_POLICY = 17, 35
POLICY_IN, ALLOW, BLOCK = 0, 0, 1
GROUP = {socket.AF_INET: "239.1.2.3", socket.AF_INET6: "ff15::123"}
NUMBERS = {**PROTOCOLS, "udp": socket.IPPROTO_UDP}


def set_policy(sock, action: int):
    """An IPsec policy of the socket, for all that comes in: struct
    xfrm_userpolicy_info."""
    ever = 2**64 - 1
    policy = struct.pack("32x5H3B3xiI", 0, 0, 0, 0, sock.family, 0, 0, 0, 0,
                         0) + \
        struct.pack("8Q32x", ever, ever, ever, ever, 0, 0, 0, 0) + \
        struct.pack("IIBBBB4x", 0, 0, POLICY_IN, action, 0, 0)
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_XFRM_POLICY, policy)
    else:
        sock.setsockopt(socket.SOL_IP, IP_XFRM_POLICY, policy)


def join(family, index: int) -> tuple:
    """The option that makes a socket a member of the group."""
    group = socket.inet_pton(family, GROUP[family])
    if family == socket.AF_INET6:
        return (socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                struct.pack("16sI", group, index))
    return (socket.SOL_IP, socket.IP_ADD_MEMBERSHIP,
            struct.pack("4s4xi", group, index))


def leave_by(family, index: int) -> tuple:
    """The option that sends multicast by an interface."""
    if family == socket.AF_INET6:
        return socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index
    return (socket.SOL_IP, socket.IP_MULTICAST_IF,
            struct.pack("8xi", index))


class Policies(Differential):
    """IPsec over IPv4"""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            sh("ip -n bob xfrm policy flush")
        except RuntimeError as why:
            raise unittest.SkipTest(str(why)) from why

    def pair(self, make):
        """bob, alice, and his address."""
        target = (ADDRESS["bob", self.family], PORT)
        return make("bob", bind=target), make("alice"), target

    def block_all(self, make):
        """A policy of the host: none of this protocol comes in."""
        sh("ip -n bob xfrm policy add src {} dst {} proto {} dir in action"
           " block".format(ADDRESS["alice", self.family],
                           ADDRESS["bob", self.family],
                           NUMBERS[make.protocol]))
        self.addCleanup(sh, "ip -n bob xfrm policy flush")

    def dropped(self, make, function):
        """A policy drops what @function sends; of UDP nobody counts that
        apart."""
        before = drops().get("datagram_ipsec_policy", 0)
        function()
        if make.protocol == "chalk":
            self.assertTrue(wait_until(
                lambda: drops().get("datagram_ipsec_policy", 0) > before, 5))

    def test_socket(self):
        """the socket's own: block, then allow (0.5 s)"""
        def scenario(make):
            bob, alice, target = self.pair(make)
            set_policy(bob, BLOCK)
            self.dropped(make, lambda: alice.sendto(b"blocked", target))
            out = [wait_until(lambda: meminfo(bob)[DROPS] == 1, 5)]
            set_policy(bob, ALLOW)
            alice.sendto(b"allowed", target)
            return out + [receive(bob)[0], is_empty(bob)]
        self.both(scenario, [True, b"allowed", True])

    def test_socket_first(self):
        """the socket's own is asked, the host's where it has none (0.5 s)"""
        def scenario(make):
            bob, alice, target = self.pair(make)
            self.block_all(make)
            self.dropped(make, lambda: alice.sendto(b"blocked", target))
            out = [wait_until(lambda: meminfo(bob)[DROPS] == 1, 5)]
            set_policy(bob, ALLOW)
            alice.sendto(b"allowed", target)
            out += [receive(bob)[0], is_empty(bob)]
            sh("ip -n bob xfrm policy flush")
            return out
        self.both(scenario, [True, b"allowed", True])

    def test_nobody(self):
        """for a port that nobody has: no ICMP, the packet was never in
        (0.5 s)"""
        def scenario(make):
            alice = make("alice")
            alice.connect((ADDRESS["bob", self.family], PORT))
            self.block_all(make)
            self.dropped(make, lambda: alice.send(b"blocked"))
            time.sleep(0.1)
            out = [alice.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)]
            sh("ip -n bob xfrm policy flush")
            alice.send(b"allowed")
            poll(alice)
            return out + [alice.getsockopt(socket.SOL_SOCKET,
                                           socket.SO_ERROR) > 0]
        self.both(scenario, [0, True])

    def test_group(self):
        """multicast: each socket's own decides for its copy (0.5 s)"""
        def scenario(make):
            with inside("router"):
                index = socket.if_nametoindex("ra")
            with inside("alice"):
                out = socket.if_nametoindex("a0")
            members = [make("router") for _ in range(3)]
            for sock in members:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind(("", PORT))
                sock.setsockopt(*join(self.family, index))
            set_policy(members[1], BLOCK)
            alice = make("alice")
            alice.setsockopt(*leave_by(self.family, out))
            alice.sendto(b"all", (GROUP[self.family], PORT))
            return [members[0].recv(9), members[2].recv(9),
                    wait_until(lambda: meminfo(members[1])[DROPS] == 1, 5),
                    is_empty(members[1])]
        self.both(scenario, [b"all", b"all", True, True])


class Policies6(Policies):
    """IPsec over IPv6"""

    family = socket.AF_INET6


class Grouped(Differential):
    """with a control group of its own"""

    def group(self, controllers="") -> str:
        """Its directory, until the test ends."""
        path = tempfile.mkdtemp()
        try:
            sh(f"mount -t cgroup2 none {path} && mkdir -p {path}/chalk")
        except RuntimeError as why:
            os.rmdir(path)
            self.skipTest(str(why))

        def leave():
            enter(path)
            sh(f"rmdir {path}/chalk; umount {path}; rmdir {path}")
        self.addCleanup(leave)
        if controllers:
            try:
                write(f"{path}/cgroup.subtree_control", controllers)
            except OSError as why:
                self.skipTest(str(why))
        return f"{path}/chalk"


def write(path: str, text: str):
    """A file of the kernel."""
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def enter(path: str):
    """Sockets that this process makes belong to the group."""
    write(f"{path}/cgroup.procs", str(os.getpid()))


def program(way: int, code: bytes) -> int:
    """A program that looks at an address; its descriptor."""
    buffer = ctypes.create_string_buffer(code, len(code))
    licence = ctypes.create_string_buffer(b"GPL")
    return bpf(PROG_LOAD, struct.pack(
        "IIQQIIQII16sII", CGROUP_SOCK_ADDR, len(code) // 8,
        ctypes.addressof(buffer), ctypes.addressof(licence), 0, 0, 0, 0, 0,
        b"chalk_test", 0, way))


def say(answer: int) -> bytes:
    """r0 = answer; exit"""
    return struct.pack("<BBhiBBhi", 0xb7, 0, 0, answer, 0x95, 0, 0, 0)


def set_port(port: int) -> bytes:
    """r2 = port; ctx->user_port = r2; and yes"""
    return struct.pack("<BBhi", 0xb7, 2, 0, socket.htons(port)) + \
        struct.pack("<BBhi", 0x63, 0x21, 24, 0) + say(1)


@is_possible("/sys/fs/bpf")
class Programs(Grouped):
    """of a control group, over IPv4"""

    version = 0
    NO, YES = say(0), say(1)

    def setUp(self):
        self.path = self.group()
        enter(self.path)

    def address(self, host) -> str:
        """By which a socket of this family calls a host."""
        return ADDRESS[host, self.family]

    def attached(self, ways, code, function):
        """What @function says while a program looks."""
        group = os.open(self.path, os.O_RDONLY)
        prog = program(ways[self.version], code)
        target = struct.pack("IIIII", group, prog, ways[self.version], 0, 0)
        bpf(PROG_ATTACH, target)
        try:
            return function()
        finally:
            bpf(PROG_DETACH, target)
            os.close(prog)
            os.close(group)

    def ends(self, make):
        """alice; bob's sockets at two ports, the first one's address."""
        bobs = [make("bob", bind=(self.address("bob"), port))
                for port in (PORT, PORT + 1)]
        return make("alice"), *bobs, (self.address("bob"), PORT)

    def test_connect(self):
        """a program refuses connect(), or chooses the peer (0.5 s)"""
        def scenario(make):
            alice, _, other, target = self.ends(make)
            out = [self.attached(CONNECT, self.NO,
                                 lambda: fails(alice.connect, target))]
            self.attached(CONNECT, set_port(PORT + 1),
                          lambda: alice.connect(target))
            alice.send(b"x")
            return out + [alice.getpeername()[1], receive(other)[0]]
        self.both(scenario, ["EPERM", PORT + 1, b"x"])

    def test_connect_short(self):
        """an address that is cut short is not shown (0.5 s)"""
        def scenario(make):
            alice = make("alice")
            return self.attached(CONNECT, self.YES, lambda: [
                libc.connect(alice.fileno(), struct.pack("=H", self.family),
                             2), ctypes.get_errno()])
        self.both(scenario, [-1, 22])

    def test_sendmsg(self):
        """a program refuses sendto(), or chooses the receiver; a connected
        socket is not asked (0.5 s)"""
        def scenario(make):
            alice, bob, other, target = self.ends(make)
            send = [lambda: fails(alice.sendto, b"to", target),
                    lambda: fails(alice.sendto, b"part", socket.MSG_MORE,
                                  target)]
            out = [self.attached(SENDMSG, self.NO, call) for call in send]
            out += [self.attached(SENDMSG, set_port(0), send[0])]
            out += [self.attached(SENDMSG, set_port(PORT + 1), send[0]),
                    receive(other)[0]]
            out += [self.attached(SENDMSG, self.YES, send[0]),
                    receive(bob)[0]]
            alice.connect(target)
            out += [self.attached(SENDMSG, self.NO,
                                  lambda: fails(alice.send, b"connected")),
                    receive(bob)[0]]
            return out + [is_empty(bob), is_empty(other)]
        self.both(scenario, ["EPERM", "EPERM", "EINVAL", "no error", b"to",
                             "no error", b"to", "no error", b"connected",
                             True, True])

    def test_recvmsg(self):
        """a program says who the sender was (0.5 s)"""
        def scenario(make):
            alice, bob, _, target = self.ends(make)
            alice.sendto(b"x", target)
            data, sender = self.attached(RECVMSG, set_port(7),
                                         lambda: receive(bob))
            return [data, sender]
        self.both(scenario, [b"x", (self.address("alice"), 7)])

    def test_getpeername(self):
        """a program says who the peer is (0.5 s)"""
        def scenario(make):
            alice, _, _, target = self.ends(make)
            alice.connect(target)
            return self.attached(GETPEERNAME, set_port(7),
                                 lambda: alice.getpeername()[:2])
        self.both(scenario, (self.address("bob"), 7))


class Programs6(Programs):
    """the same over IPv6"""

    family = socket.AF_INET6
    version = 1


class Memory(Grouped):
    """of datagrams that nobody reads, over IPv4"""

    SIZE = 8000
    names = {"udp": "UDP", "chalk": "CHALK-DGRAM"}

    def pages(self, make) -> int:
        """What /proc/net/protocols says of all of them."""
        name = self.names[make.protocol]
        with open("/proc/net/protocols", encoding="ascii") as file:
            return [int(line.split()[3]) for line in file
                    if line.split()[0] == name][0]

    def readers(self, make, count: int) -> list:
        """Sockets with much room."""
        bobs = [make("bob", bind=(ADDRESS["bob", self.family], PORT + i))
                for i in range(count)]
        for bob in bobs:
            bob.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 100 << 20)
        return bobs

    def fill(self, make, bobs, count: int):
        """Send each of them @count datagrams."""
        sender = make("bob")
        for bob in bobs:
            for _ in range(count):
                sender.sendto(bytes(self.SIZE), bob.getsockname())

    @staticmethod
    def read(bobs) -> int:
        """How many datagrams there are."""
        count = 0
        for bob in bobs:
            while not is_empty(bob):
                bob.recv(9999)
                count += 1
        return count

    def given_back(self, make, before: int) -> bool:
        """But for what each processor keeps in reserve."""
        return wait_until(lambda: self.pages(make) - before < 300, 5)

    def test_charged(self):
        """the pages are counted, and given back when they are read, or nobody
        can read them (1 s)"""
        def scenario(make):
            before = self.pages(make)
            bobs = self.readers(make, 2)
            self.fill(make, bobs, 200)
            out = [self.pages(make) - before > 400 * self.SIZE // 4096,
                   meminfo(bobs[0])[RMEM_ALLOC] >= 200 * self.SIZE,
                   self.read(bobs), self.given_back(make, before)]
            self.fill(make, bobs, 200)
            out += [self.pages(make) - before > 400 * self.SIZE // 4096]
            for bob in bobs:
                bob.close()
            return out + [self.given_back(make, before)]
        self.both(scenario, [True, True, 400, True, True, True])

    def test_limit(self):
        """of all of them together; what is above it is dropped (2 s)"""
        with open("/proc/sys/net/ipv4/udp_mem", encoding="ascii") as file:
            # without memory pressure the first of the three counts
            limit = int(file.read().split()[0])

        def errors(make) -> int:
            number = CHALK if make.protocol == "chalk" else 17
            return read_counters("bob", number)["UdpMemErrors"]

        def scenario(make):
            before = self.pages(make), errors(make)
            bobs = self.readers(make, 4)
            sender = make("bob")
            sent = 0
            while errors(make) == before[1] and sent < 8000:
                sender.sendto(bytes(60000), bobs[sent % 4].getsockname())
                sent += 1
            full = self.pages(make)
            out = [errors(make) - before[1],
                   sum(meminfo(bob)[DROPS] for bob in bobs),
                   limit * 0.9 < full < limit * 1.2]
            for bob in bobs:
                bob.close()
            return out + [self.given_back(make, before[0])]
        drop = drops().get("datagram_memory_short", 0)
        self.both(scenario, [1, 1, True, True])
        self.assertEqual(drops()["datagram_memory_short"], drop + 1)

    def test_group(self):
        """a control group pays for its sockets, and they press on its limit
        (1 s)"""
        path = self.group("+memory")

        def number(file: str, word: str) -> int:
            with open(f"{path}/{file}", encoding="ascii") as lines:
                return int(dict(line.split() for line in lines)[word])

        def scenario(make):
            # its sockets, but not this process: that would be killed
            enter(path)
            bobs = self.readers(make, 2)
            enter(os.path.dirname(path))
            self.fill(make, bobs, 200)
            out = [number("memory.stat", "sock") >= 400 * self.SIZE]
            out += [self.read(bobs), number("memory.stat", "sock") < 1 << 20]
            before = number("memory.events", "max")
            write(f"{path}/memory.max", str(1 << 20))
            self.fill(make, bobs, 200)
            out += [number("memory.events", "max") > before]
            write(f"{path}/memory.max", "max")
            return out
        self.both(scenario, [True, 400, True, True])


class Memory6(Memory):
    """the same over IPv6"""

    family = socket.AF_INET6
    names = {"udp": "UDPv6", "chalk": "CHALK-DGRAMv6"}
    test_limit = None  # both families have one


if __name__ == "__main__":
    unittest.main()
