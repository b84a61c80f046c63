# SPDX-License-Identifier: GPL-2.0
"""Where the kernel lets others decide about datagrams: IPsec policies. UDP
and Chalk do alike.
"""

import socket
import struct
import time
import unittest

from dgram import PROTOCOLS, Differential, is_empty, poll, receive
from glue import ADDRESS, meminfo
from net import drops, inside, sh, wait_until

PORT = 4400
DROPS = 8
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


if __name__ == "__main__":
    unittest.main()
