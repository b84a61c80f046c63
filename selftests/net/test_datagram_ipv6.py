# SPDX-License-Identifier: GPL-2.0
"""Datagrams: what is particular to IPv6."""

import errno
import select
import socket
import struct
import time

from dgram import (Differential, PMTUDISC_DO, control, events, fails, is_empty,
                   number, receive)
from net import ALICE, ALICE6, BOB, BOB6, inside, sh

IPV6_RECVERR, IPV6_MTU_DISCOVER, IPV6_DONTFRAG = 25, 23, 62
IPV6_MULTICAST_ALL, IPV6_FLOWINFO, IPV6_FLOWINFO_SEND = 29, 11, 33
MCAST_JOIN_SOURCE_GROUP, MCAST_BLOCK_SOURCE = 46, 43
SOL = socket.IPPROTO_IPV6
GROUP = "ff15::1234"


class DatagramIpv6(Differential):
    """alice and bob, AF_INET6"""

    family = socket.AF_INET6

    def test_errnos(self):
        """errors of the calls"""
        def scenario(make):
            sock = make("alice")
            plain = make("alice", (ALICE6, 701))
            only = make("alice")
            only.setsockopt(SOL, socket.IPV6_V6ONLY, 1)
            return [
                fails(sock.send, b"x"),
                fails(sock.sendto, b"x", (BOB6, 0)),
                fails(sock.sendto, b"x" * 65528, (BOB6, 700)),
                fails(only.sendto, b"x", (f"::ffff:{BOB}", 700)),
                fails(only.connect, (f"::ffff:{BOB}", 700)),
                fails(sock.sendto, b"x", ("fe80::1", 700)),
                fails(make("alice").bind, (ALICE6, 701)),
                fails(make("alice").bind, ("2001:db8::9", 701)),
                fails(plain.sendmsg, [b"x"], [(SOL, 200, b"")], 0,
                      (BOB6, 700)),
                fails(plain.sendmsg, [b"x"],
                      [(SOL, socket.IPV6_HOPLIMIT, struct.pack("i", 256))],
                      0, (BOB6, 700)),
                fails(sock.sendto, b"x", ("2001:db9::1", 700)),
                fails(sock.setsockopt, SOL, 222, 1),
            ]

        account = self.both(scenario)
        self.assertEqual(account[:4], ["EDESTADDRREQ", "EINVAL", "EMSGSIZE",
                                       "ENETUNREACH"])

    def test_both_families_on_one_port(self):
        """IPV6_V6ONLY, wildcards, and names of either family"""
        def scenario(make):
            dual = make(bind=("::", 700))
            result = [fails(make(family=socket.AF_INET).bind, ("", 700))]
            for host, target in ((socket.AF_INET, BOB),
                                 (socket.AF_INET6, BOB6)):
                make("alice", family=host).sendto(b"x", (target, 700))
                result += [receive(dual)[1][0]]
            only = make()
            only.setsockopt(SOL, socket.IPV6_V6ONLY, 1)
            only.bind(("::", 701))
            four = make(family=socket.AF_INET, bind=("", 701))
            make("alice", family=socket.AF_INET).sendto(b"4", (BOB, 701))
            make("alice").sendto(b"6", (BOB6, 701))
            result += [four.recv(10), only.recv(10)]
            result += [is_empty(four), is_empty(only)]
            # the destination decides, not the socket
            sock = make("alice")
            for target in (f"::ffff:{BOB}", BOB6):
                sock.sendto(b"y", (target, 700))
                result += [receive(dual)[1][0]]
            return result

        self.both(scenario, ["EADDRINUSE", f"::ffff:{ALICE}", ALICE6, b"4",
                             b"6", True, True, f"::ffff:{ALICE}", ALICE6])

    def test_link_local(self):
        """an address needs its interface, and the sender's comes with one"""
        def scenario(make):
            with inside("router"):
                index = socket.if_nametoindex("ra")
            with inside("alice"):
                ours = socket.if_nametoindex("a0")
            address = sh("ip -n router -6 addr show dev ra scope link").split(
                "inet6 ")[1].split("/")[0]
            router = make("router", ("::", 700))
            alice = make("alice")
            alice.sendto(b"x", (address, 700, 0, ours))
            data, sender = router.recvfrom(10)
            router.sendto(b"y", sender)
            return [data, sender[0].split("%")[0].startswith("fe80:"),
                    sender[3] == index, alice.recv(10)]

        self.both(scenario, [b"x", True, True, b"y"])

    def test_control_messages(self):
        """hop limit, traffic class, IPV6_PKTINFO, flow label"""
        def scenario(make):
            bob, alice = make(bind=("::", 700)), make("alice", ("::", 701))
            for option in (socket.IPV6_RECVPKTINFO, socket.IPV6_RECVHOPLIMIT,
                           socket.IPV6_RECVTCLASS, IPV6_FLOWINFO):
                bob.setsockopt(SOL, option, 1)
            alice.setsockopt(SOL, socket.IPV6_UNICAST_HOPS, 33)
            alice.setsockopt(SOL, socket.IPV6_TCLASS, 0x10)
            alice.sendto(b"x", (BOB6, 700))
            seen = [control(bob)]
            alice.sendmsg([b"x"],
                          [(SOL, socket.IPV6_HOPLIMIT, struct.pack("i", 44)),
                           (SOL, socket.IPV6_TCLASS, struct.pack("i", 8))],
                          0, (BOB6, 700))
            seen += [control(bob)]
            # over IPv4, to the same socket
            alice.sendto(b"x", (f"::ffff:{BOB}", 700))
            seen += [control(bob)]
            for messages in seen:
                # the label is a hash of the ports and the protocol
                messages.pop((SOL, IPV6_FLOWINFO), None)
            sh("ip -n bob addr replace 2001:db8:2::77/64 dev b0 nodad")
            info = socket.inet_pton(socket.AF_INET6, "2001:db8:2::77")
            bob.sendmsg([b"y"], [(SOL, socket.IPV6_PKTINFO,
                                  info + bytes(4))], 0, (ALICE6, 701))
            return [sorted(messages.items()) for messages in seen] + [
                receive(alice)]

        account = self.both(scenario)
        self.assertEqual(account[3], (b"y", ("2001:db8:2::77", 700)))
        first, second, third = (dict(entry) for entry in account[:3])
        self.assertEqual(number(first[(SOL, socket.IPV6_HOPLIMIT)]), 32)
        self.assertEqual(number(second[(SOL, socket.IPV6_HOPLIMIT)]), 43)
        self.assertEqual(number(second[(SOL, socket.IPV6_TCLASS)]), 8)
        self.assertEqual(third[(SOL, socket.IPV6_PKTINFO)][:16],
                         socket.inet_pton(socket.AF_INET6, f"::ffff:{BOB}"))

    def test_extension_headers(self):
        """destination and hop-by-hop options, also where it is fragmented"""
        def scenario(make):
            bob, alice = make(bind=(BOB6, 700)), make("alice")
            padding = bytes([0, 0, 1, 4, 0, 0, 0, 0])  # PadN
            result = []
            for option, receive_option in (
                    (socket.IPV6_DSTOPTS, socket.IPV6_RECVDSTOPTS),
                    (socket.IPV6_HOPOPTS, socket.IPV6_RECVHOPOPTS)):
                bob.setsockopt(SOL, receive_option, 1)
                alice.sendmsg([b"x"], [(SOL, option, padding)], 0,
                              (BOB6, 700))
                result += [control(bob)[(SOL, option)][2:]]
                alice.setsockopt(SOL, option, padding)
                alice.sendto(b"x" * 4000, (BOB6, 700))
                result += [len(control(bob, 5000)[(SOL, option)])]
            return result

        self.both(scenario, [bytes([1, 4, 0, 0, 0, 0]), 8] * 2)

    def test_dont_fragment(self):
        """IPV6_DONTFRAG, of the socket or of a message (RFC 3542 11.2)"""
        def scenario(make):
            bob, alice = make(bind=(BOB6, 700)), make("alice")
            alice.connect((BOB6, 700))
            message = [(SOL, IPV6_DONTFRAG, struct.pack("i", 1))]
            result = [fails(alice.sendmsg, [bytes(1453)], message),
                      fails(alice.sendmsg, [bytes(1452)], message)]
            result += [len(receive(bob, 2000)[0])]
            alice.setsockopt(SOL, IPV6_DONTFRAG, 1)
            result += [fails(alice.send, bytes(1453)),
                       fails(alice.send, bytes(1400), socket.MSG_MORE),
                       fails(alice.send, bytes(53)),
                       fails(alice.send, b"alone")]
            return result + [receive(bob)[0], is_empty(bob)]

        self.both(scenario, ["EMSGSIZE", "no error", 1452, "EMSGSIZE",
                             "no error", "EMSGSIZE", "no error", b"alone",
                             True])

    def test_error_queue(self):
        """IPV6_RECVERR: what came back, and an error of our own making"""
        def scenario(make):
            alice = make("alice")
            alice.setsockopt(SOL, IPV6_RECVERR, 1)
            alice.sendto(b"payload", (BOB6, 799))
            time.sleep(0.2)
            result = [events(alice) & select.POLLERR,
                      fails(alice.recv, 10, socket.MSG_DONTWAIT)]
            data, messages, _, address = alice.recvmsg(
                100, 1000, socket.MSG_ERRQUEUE)
            result += [data, address[:2],
                       struct.unpack("=IBBBxII", messages[0][2][:16])]
            alice.setsockopt(SOL, IPV6_MTU_DISCOVER, PMTUDISC_DO)
            alice.setsockopt(SOL, IPV6_DONTFRAG, 1)
            result += [fails(alice.sendto, b"x" * 3000, (BOB6, 799))]
            data, messages, _, address = alice.recvmsg(
                100, 1000, socket.MSG_ERRQUEUE)
            return result + [data, struct.unpack("=IBBBxII",
                                                 messages[0][2][:16])]

        account = self.both(scenario)
        self.assertEqual(account[1:4], ["ECONNREFUSED", b"payload",
                                        (BOB6, 799)])
        self.assertEqual(account[4][:4], (errno.ECONNREFUSED, 3, 1, 4))
        self.assertEqual(account[5], "EMSGSIZE")

    def test_path_mtu(self):
        """only the sender may fragment, once the router has told"""
        sh("ip -n router link set rb mtu 1300")
        self.addCleanup(sh, "ip -n router link set rb mtu 1500")

        def scenario(make):
            sh("ip -n alice -6 route flush cache")
            bob, alice = make(bind=(BOB6, 700)), make("alice")
            alice.connect((BOB6, 700))
            alice.send(b"x" * 1400)
            time.sleep(0.2)
            result = [is_empty(bob), fails(alice.send, b"y" * 1400)]
            # the first call tells of the error, the next one sends
            alice.send(b"z" * 1400)
            return result + [bob.recv(2000)[:1]]

        account = self.both(scenario)
        self.assertEqual(account[0], True)

    def test_multicast(self):
        """join, leave, hops, loop, source filters"""
        def scenario(make):
            with inside("router"):
                index = socket.if_nametoindex("ra")
            group = socket.inet_pton(socket.AF_INET6, GROUP)
            membership = group + struct.pack("I", index)

            def sockaddr(address):
                return struct.pack("=HHI16sI", socket.AF_INET6, 0, 0,
                                   socket.inet_pton(socket.AF_INET6, address),
                                   0).ljust(128, b"\0")

            def filter_source(sock, option, source):
                sock.setsockopt(SOL, option, struct.pack("I4x", index) +
                                sockaddr(GROUP) + sockaddr(source))

            def member():
                sock = make("router")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.setsockopt(SOL, IPV6_MULTICAST_ALL, 0)
                sock.setsockopt(SOL, socket.IPV6_RECVHOPLIMIT, 1)
                sock.bind(("::", 700))
                return sock

            joined, other, filtered = member(), member(), member()
            joined.setsockopt(SOL, socket.IPV6_JOIN_GROUP, membership)
            filter_source(filtered, MCAST_JOIN_SOURCE_GROUP, "2001:db8:1::99")
            alice = make("alice")
            with inside("alice"):
                alice.setsockopt(SOL, socket.IPV6_MULTICAST_IF,
                                 socket.if_nametoindex("a0"))
            alice.sendto(b"1", (GROUP, 700))
            result = [number(control(joined)[(SOL, socket.IPV6_HOPLIMIT)])]
            time.sleep(0.1)
            result += [is_empty(sock) for sock in (joined, other, filtered)]
            alice.setsockopt(SOL, socket.IPV6_MULTICAST_HOPS, 5)
            other.setsockopt(SOL, IPV6_MULTICAST_ALL, 1)
            alice.sendto(b"2", (GROUP, 700))
            result += [number(control(joined)[(SOL, socket.IPV6_HOPLIMIT)]),
                       other.recv(10)]
            filter_source(filtered, MCAST_JOIN_SOURCE_GROUP, ALICE6)
            filter_source(joined, MCAST_BLOCK_SOURCE, ALICE6)
            alice.sendto(b"3", (GROUP, 700))
            result += [filtered.recv(10), other.recv(10), is_empty(joined)]
            joined.setsockopt(SOL, socket.IPV6_LEAVE_GROUP, membership)
            alice.sendto(b"4", (GROUP, 700))
            return result + [filtered.recv(10), is_empty(joined)]

        self.both(scenario, [1, True, True, True, 5, b"2", b"3", b"3", True,
                             b"4", True])

    def test_flow_label(self):
        """a label that the program owns, and one that nobody does"""
        def scenario(make):
            bob, alice = make(bind=(BOB6, 700)), make("alice")
            bob.setsockopt(SOL, IPV6_FLOWINFO, 1)
            # IPV6_FLOWLABEL_MGR: get label 0x12345, made here, for anybody
            alice.setsockopt(SOL, 32, struct.pack(
                "=16sIBBHHHI", socket.inet_pton(socket.AF_INET6, BOB6),
                socket.htonl(0x12345), 0, 255, 1, 6, 0, 0))
            alice.setsockopt(SOL, IPV6_FLOWINFO_SEND, 1)
            alice.sendto(b"x", (BOB6, 700, 0x12345, 0))
            seen = control(bob)[(SOL, IPV6_FLOWINFO)]
            return [seen, fails(alice.sendto, b"x", (BOB6, 700, 0x54321, 0))]

        self.both(scenario, [struct.pack("!I", 0x12345), "no error"])
