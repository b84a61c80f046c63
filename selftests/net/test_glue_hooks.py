# SPDX-License-Identifier: GPL-2.0
"""Where the kernel lets others decide about packets and connections: security
modules, control groups, IPsec policies, the packet filter.
"""

import contextlib
import ctypes
import errno
import os
import select
import socket
import struct
import subprocess
import tempfile
import unittest

from glue import (ADDRESS, FAMILIES, GATEWAY, Glue, abort, ip, is_possible,
                  meminfo, modules, take_away)
from net import BOB, drops, libc, sh, wait_until

SYS_BPF = 321
PROG_LOAD, PROG_ATTACH, PROG_DETACH, RAW_TRACEPOINT_OPEN = 5, 8, 9, 17
CGROUP_SKB, CGROUP_SOCK_ADDR, LSM = 8, 18, 29
INGRESS, EGRESS, INET4_CONNECT, INET6_CONNECT, LSM_MAC = 0, 1, 10, 11, 27
SO_MARK, SO_MEMINFO_DROPS = 36, 8
IP_XFRM_POLICY, IPV6_XFRM_POLICY = 17, 35
POLICY_IN, ALLOW, BLOCK = 0, 0, 1
# bytes behind a type's record in BTF, for each kind: of its own, of a member
BTF_TAILS = {1: (4, 0), 3: (12, 0), 4: (0, 12), 5: (0, 12), 6: (0, 8),
             13: (0, 8), 14: (4, 0), 15: (0, 12), 17: (4, 0), 19: (0, 12)}
BTF_FUNC = 12


def bpf(command: int, attributes: bytes) -> int:
    """The system call."""
    done = libc.syscall(SYS_BPF, command, attributes, len(attributes))
    if done < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return done


def load(kind: int, answer: int, attach=0, function=0) -> int:
    """A program that always gives the same answer; its descriptor."""
    code = struct.pack("<BBhi", 0xb7, 0, 0, answer) + \
        struct.pack("<BBhi", 0x95, 0, 0, 0)
    buffer = ctypes.create_string_buffer(code, len(code))
    licence = ctypes.create_string_buffer(b"GPL")
    return bpf(PROG_LOAD, struct.pack(
        "IIQQIIQII16sIIIIQIIQII", kind, 2, ctypes.addressof(buffer),
        ctypes.addressof(licence), 0, 0, 0, 0, 0, b"chalk_test", 0, attach,
        0, 0, 0, 0, 0, 0, 0, function))


def btf_function(name: bytes) -> int:
    """The number of a function of the kernel among its types."""
    with open("/sys/kernel/btf/vmlinux", "rb") as file:
        data = file.read()
    head, types, size, strings = struct.unpack_from("<IIII", data, 4)
    wanted = data.index(b"\0" + name + b"\0", head + strings) + 1 \
        - head - strings
    at, end, number = head + types, head + types + size, 0
    while at < end:
        text, info = struct.unpack_from("<II", data, at)
        number += 1
        kind = info >> 24 & 31
        if text == wanted and kind == BTF_FUNC:
            return number
        own, member = BTF_TAILS.get(kind, (0, 0))
        at += 12 + own + member * (info & 0xffff)
    raise LookupError(name)


def set_policy(sock, family, action):
    """An IPsec policy of the socket, for all that comes in: struct
    xfrm_userpolicy_info."""
    ever = 2**64 - 1
    policy = struct.pack("32x5H3B3xiI", 0, 0, 0, 0, family, 0, 0, 0, 0, 0) + \
        struct.pack("8Q32x", ever, ever, ever, ever, 0, 0, 0, 0) + \
        struct.pack("IIBBBB4x", 0, 0, POLICY_IN, action, 0, 0)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_XFRM_POLICY, policy)
    else:
        sock.setsockopt(socket.SOL_IP, IP_XFRM_POLICY, policy)


@contextlib.contextmanager
def probe(function: str):
    """Count the calls of a function of the kernel. Gives what asks for them."""
    path = "/sys/kernel/tracing/"

    def put(file, text):
        # without O_TRUNC, which takes away the probes of others
        out = os.open(path + file, os.O_WRONLY)
        os.write(out, text.encode())
        os.close(out)

    def hits() -> int:
        with open(path + "kprobe_profile", encoding="ascii") as file:
            for line in file:
                name, count, _ = line.split()
                if name == "chalk_hook":
                    return int(count)
        return 0

    put("kprobe_events", f"p:chalk_hook {function}")
    try:
        put("events/kprobes/chalk_hook/enable", "1")
        yield hits
    finally:
        put("events/kprobes/chalk_hook/enable", "0")
        put("kprobe_events", "-:chalk_hook")


def has_bpf_lsm() -> bool:
    """Is BPF among the security modules?"""
    path = "/sys/kernel/security"
    if not os.path.ismount(path):
        subprocess.run(["mount", "-t", "securityfs", "none", path],
                       capture_output=True, check=False)
    try:
        with open(f"{path}/lsm", encoding="ascii") as file:
            return "bpf" in file.read().strip().split(",")
    except FileNotFoundError:
        return False


class Hooks(Glue):
    """alice calls bob"""

    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(take_away, modules())
        super().setUpClass()

    def begin(self, family=socket.AF_INET):
        """A connect() that nobody waits for, and the listener."""
        server = self.server(family=family)
        sock = self.client(family=family)
        sock.setblocking(False)
        sock.connect_ex((ADDRESS["bob", family], Glue.port))
        return sock, server

    @staticmethod
    def is_ready(sock, seconds: float) -> bool:
        """Has it something to read, or an end?"""
        return bool(select.select([sock], [], [], seconds)[0])

    # --- a security module ---

    @is_possible("/sys/kernel/btf/vmlinux")
    def test_security_module(self):
        """one that refuses a SYN: no record, no answer (2.5 s)"""
        if not has_bpf_lsm():
            self.skipTest("needs the security module bpf")
        program = load(LSM, -errno.EPERM, LSM_MAC,
                       btf_function(b"bpf_lsm_inet_conn_request"))
        link = bpf(RAW_TRACEPOINT_OPEN, struct.pack("QIIQ", 0, program, 0, 0))
        os.close(program)
        try:
            servers = [self.begin(family)[1] for family in FAMILIES]
            for server in servers:
                self.assertFalse(self.is_ready(server, 0.3))
        finally:
            os.close(link)
        # their SYNs come again
        for server in servers:
            self.assertTrue(self.is_ready(server, 5))

    @is_possible("/sys/kernel/tracing/kprobe_events")
    def test_security_module_hears(self):
        """of each connection that is made (0.5 s)"""
        hook = "security_inet_conn_established"
        with probe(hook) as hits:
            for count, family in enumerate(FAMILIES, 1):
                self.pair(family)
                self.assertEqual(hits(), count)

    # --- control groups ---

    def group(self) -> str:
        """A control group with this process in it, until the test ends."""
        path = tempfile.mkdtemp()
        sh(f"mount -t cgroup2 none {path} && mkdir -p {path}/chalk")

        def leave():
            self.enter(path)
            sh(f"rmdir {path}/chalk; umount {path}; rmdir {path}")
        self.addCleanup(leave)
        self.enter(f"{path}/chalk")
        return f"{path}/chalk"

    @staticmethod
    def enter(path):
        """Its sockets belong to this group."""
        with open(f"{path}/cgroup.procs", "w", encoding="ascii") as file:
            file.write(str(os.getpid()))

    @is_possible("/sys/fs/bpf")
    def test_control_group(self):
        """a program of a group drops what comes in, or what goes out (1 s)"""
        try:
            path = self.group()
        except RuntimeError as why:
            self.skipTest(str(why))
        group = os.open(path, os.O_RDONLY)
        self.addCleanup(os.close, group)
        program = load(CGROUP_SKB, 0)
        self.addCleanup(os.close, program)
        for family in FAMILIES:
            for way in (INGRESS, EGRESS):
                sock, conn = self.pair(family)
                target = struct.pack("IIIII", group, program, way, 0, 0)
                bpf(PROG_ATTACH, target)
                sock.send(b"x")
                passed = self.is_ready(conn, 0.1)
                bpf(PROG_DETACH, target)
                self.assertFalse(passed)
                self.assertTrue(self.is_ready(conn, 5))
                self.assertEqual(conn.recv(1), b"x")

    def attach(self, group: str, kind: int, way: int):
        """A program that says no. Return: what takes it away."""
        file = os.open(group, os.O_RDONLY)
        program = load(kind, 0, way if kind == CGROUP_SOCK_ADDR else 0)
        target = struct.pack("IIIII", file, program, way, 0, 0)
        bpf(PROG_ATTACH, target)

        def detach():
            bpf(PROG_DETACH, target)
            os.close(program)
            os.close(file)
        return detach

    @is_possible("/sys/fs/bpf")
    def test_control_group_synack(self):
        """the program of a listener's group sees its SYN+ACKs (1 s)"""
        try:
            path = self.group()
        except RuntimeError as why:
            self.skipTest(str(why))
        for family in FAMILIES:
            server = self.server(family=family)
            self.enter(os.path.dirname(path))
            sock = self.client(family=family)
            sock.setblocking(False)
            self.enter(path)
            detach = self.attach(path, CGROUP_SKB, EGRESS)
            sock.connect_ex((ADDRESS["bob", family], Glue.port))
            passed = select.select([], [sock], [], 0.3)[1]
            detach()
            self.assertFalse(passed)
            self.assertTrue(self.is_ready(server, 5))

    @is_possible("/sys/fs/bpf")
    def test_control_group_connect(self):
        """a program of a group forbids connect(), also to a mapped address
        (1 s)"""
        try:
            path = self.group()
        except RuntimeError as why:
            self.skipTest(str(why))
        mapped = self.server()
        mapped_port = Glue.port
        for family, way in zip(FAMILIES, (INET4_CONNECT, INET6_CONNECT)):
            self.server(family=family)
            detach = self.attach(path, CGROUP_SOCK_ADDR, way)
            try:
                self.fails(errno.EPERM, self.client(family=family).connect,
                           (ADDRESS["bob", family], Glue.port))
                if family == socket.AF_INET6:
                    self.fails(errno.EPERM, self.client(family=family).connect,
                               ("::ffff:" + BOB, mapped_port))
            finally:
                detach()
            self.client(family=family).connect(
                (ADDRESS["bob", family], Glue.port))
        self.assertFalse(self.is_ready(mapped, 0))

    # --- IPsec ---

    def test_socket_policy(self):
        """block, of a connection and of a listener; allow overrides what holds
        for all (2 s)"""
        try:
            sh("ip -n bob xfrm policy flush")
        except RuntimeError as why:
            self.skipTest(str(why))
        for family in FAMILIES:
            before = drops().get("ipsec_policy", 0)
            sock, conn = self.pair(family)
            set_policy(conn, family, BLOCK)
            sock.send(b"x")
            self.assertFalse(self.is_ready(conn, 0.1))
            self.assertGreater(meminfo(conn)[SO_MEMINFO_DROPS], 0)
            ends = ADDRESS["alice", family], ADDRESS["bob", family]
            set_policy(conn, family, ALLOW)
            sh("ip -n bob xfrm policy add src {} dst {} proto 253 dir in"
               " action block".format(*ends))
            try:
                self.assertTrue(self.is_ready(conn, 5))
            finally:
                sh("ip -n bob xfrm policy flush")
            server = self.server(family=family)
            set_policy(server, family, BLOCK)
            sock = self.client(family=family)
            sock.setblocking(False)
            sock.connect_ex((ends[1], Glue.port))
            self.assertFalse(self.is_ready(server, 0.1))
            self.assertGreater(drops()["ipsec_policy"], before + 1)

    def test_policy_of_a_record(self):
        """the listener's policy holds for the third segment too (1 s)"""
        try:
            sh("ip -n bob xfrm policy flush")
        except RuntimeError as why:
            self.skipTest(str(why))
        for family in FAMILIES:
            server = self.server(family=family)
            sock = self.client(family=family)
            sock.setblocking(False)
            self.net.netem("delay 50ms")
            self.addCleanup(self.net.netem, "delay 0")
            before = drops().get("ipsec_policy", 0)
            sock.connect_ex((ADDRESS["bob", family], Glue.port))
            # the SYN+ACK is on its way, which takes 50 ms
            self.assertFalse(select.select([], [sock], [], 0.07)[1])
            set_policy(server, family, BLOCK)
            self.assertTrue(select.select([], [sock], [], 0.2)[1])
            self.assertFalse(self.is_ready(server, 0.2))
            self.assertGreater(drops().get("ipsec_policy", 0), before)
            self.net.netem("delay 0")

    # --- routing ---

    def test_no_route_is_counted(self):
        """OutNoRoutes of IP, once for each connect() (0 s)"""
        for family, name, target in (
                (socket.AF_INET, "IpOutNoRoutes", "192.0.2.1"),
                (socket.AF_INET6, "Ip6OutNoRoutes", "2001:db8:99::1")):
            command = f"ip netns exec alice nstat -asz {name}"
            sock = self.client(family=family)
            sh(f"{ip(family)} -n alice route del default")
            try:
                before = int(sh(command).split()[-2])
                self.fails(errno.ENETUNREACH, sock.connect, (target, 9))
                after = int(sh(command).split()[-2])
            finally:
                sh(f"{ip(family)} -n alice route add default via"
                   f" {GATEWAY[family]}")
            self.assertEqual(after - before, 1)

    def test_reset_goes_as_the_socket_does(self):
        """SO_MARK of a listener: its RST takes the way of marked packets
        (1 s)"""
        for family, rule in zip(FAMILIES, ("ip -n bob rule ",
                                           "ip -n bob -6 rule ")):
            server = self.server(family=family)
            sock = self.client(family=family)
            sock.connect((ADDRESS["bob", family], Glue.port))
            restore = self.cut()
            abort(server.accept()[0])
            restore()
            server.setsockopt(socket.SOL_SOCKET, SO_MARK, 7)
            sh(rule + "add fwmark 7 prohibit")
            try:
                sock.send(b"nobody knows this connection")
                self.assertFalse(self.is_broken(sock, 0.1))
            finally:
                sh(rule + "del fwmark 7 prohibit")
            self.assertTrue(self.is_broken(sock, 5))

    @staticmethod
    def is_broken(sock, seconds: float) -> bool:
        """Has the peer reset it?"""
        return wait_until(lambda: sock.getsockopt(
            socket.SOL_SOCKET, socket.SO_ERROR), seconds)

    def test_policy(self):
        """block: what comes in is dropped; what would go out is refused
        (1.5 s)"""
        add = "ip -n {} xfrm policy add src {} dst {} proto 253 dir {}" \
              " action block"
        try:
            sh("ip -n bob xfrm policy flush")
        except RuntimeError as why:
            self.skipTest(str(why))
        for family in FAMILIES:
            ends = ADDRESS["alice", family], ADDRESS["bob", family]
            sock, conn = self.pair(family)
            sh(add.format("bob", *ends, "in"))
            sock.send(b"x")
            passed = self.is_ready(conn, 0.1)
            sh("ip -n bob xfrm policy flush")
            self.assertFalse(passed)
            self.assertTrue(self.is_ready(conn, 5))
            sh(add.format("alice", *ends, "out"))
            try:
                self.fails(errno.EPERM, self.client(family=family).connect,
                           (ends[1], Glue.port))
            finally:
                sh("ip -n alice xfrm policy flush")

    # --- the packet filter ---

    def test_filter(self):
        """nft: a SYN that is dropped comes again (2 s)"""
        nft = "ip netns exec bob nft "
        try:
            sh(nft + "list ruleset")
        except RuntimeError as why:
            self.skipTest(str(why))
        sh(nft + "'add table inet t; add chain inet t c"
           " { type filter hook input priority 0; }'")
        self.addCleanup(sh, nft + "delete table inet t")
        for family in FAMILIES:
            sh(nft + "add rule inet t c meta l4proto 253 drop")
            _, server = self.begin(family)
            self.assertFalse(self.is_ready(server, 0.2))
            sh(nft + "flush chain inet t c")
            self.assertTrue(self.is_ready(server, 5))

    def test_conntrack(self):
        """nft: answers pass as established; who calls unasked does not
        (1 s)"""
        nft = "ip netns exec alice nft "
        try:
            sh(nft + "list ruleset")
        except RuntimeError as why:
            self.skipTest(str(why))
        sh(nft + "'add table inet t; add chain inet t c { type filter hook"
           " input priority 0; }; add rule inet t c meta l4proto 253"
           " ct state new drop'")
        self.addCleanup(sh, nft + "delete table inet t")
        for family in FAMILIES:
            sock, conn = self.pair(family)
            conn.send(b"answer")
            self.assertTrue(self.is_ready(sock, 1))


if __name__ == "__main__":
    unittest.main()
