# SPDX-License-Identifier: GPL-2.0
"""Datagrams: what is particular to IPv4."""

import errno
import select
import socket
import struct
import time

from dgram import (Differential, PMTUDISC_DO, PMTUDISC_DONT, SOL_UDP, control,
                   events, fails, is_empty, number)
from net import ALICE, BOB, sh

IP_RECVOPTS, IP_RETOPTS, IP_PKTINFO, IP_MTU_DISCOVER = 6, 7, 8, 10
IP_RECVERR, IP_RECVTTL, IP_RECVTOS = 11, 12, 13
IP_BLOCK_SOURCE, IP_ADD_SOURCE_MEMBERSHIP, IP_MULTICAST_ALL = 38, 39, 49
GROUP = "239.1.2.3"
GROUP_ON_ROUTER = socket.inet_aton(GROUP) + socket.inet_aton("10.0.1.2")


class DatagramIpv4(Differential):
    """alice and bob, AF_INET"""

    def test_errnos(self):
        """errors of the calls"""
        def scenario(make):
            sock = make("alice")
            plain = make("alice", (ALICE, 701))
            result = [
                fails(sock.send, b"x"),
                fails(sock.getpeername),
                fails(sock.sendto, b"x", (BOB, 0)),
                fails(sock.sendto, b"x" * 65508, (BOB, 700)),
                fails(sock.sendto, b"x" * 70000, (BOB, 700)),
                fails(sock.sendto, b"x", socket.MSG_OOB, (BOB, 700)),
                fails(sock.sendto, b"x", ("255.255.255.255", 700)),
                fails(sock.sendto, b"x", ("10.0.1.255", 700)),
                fails(sock.listen),
                fails(sock.accept),
                fails(make("alice").bind, (ALICE, 701)),
                fails(make("alice").bind, ("10.9.9.9", 701)),
                fails(plain.recv, 10, socket.MSG_DONTWAIT),
                fails(plain.setsockopt, SOL_UDP, 77, 1),
                fails(plain.getsockopt, SOL_UDP, 77),
                fails(plain.setsockopt, socket.SOL_IP, 200, 1),
                fails(sock.sendmsg, [b"x"],
                      [(socket.SOL_IP, 200, b"")], 0, (BOB, 700)),
                fails(sock.sendmsg, [b"x"], [(socket.SOL_IP, socket.IP_TTL,
                                              struct.pack("i", 0))],
                      0, (BOB, 700)),
                fails(sock.connect, ("10.99.0.1", 5)),
            ]
            return result

        account = self.both(scenario)
        self.assertEqual(account[:4],
                         ["EDESTADDRREQ", "ENOTCONN", "EINVAL", "EMSGSIZE"])
        self.assertIn("EACCES", account)
        self.assertIn("EADDRINUSE", account)

    def test_unreachable_net(self):
        """no route"""
        sh("ip -n alice route del default")
        self.addCleanup(sh, "ip -n alice route add default via 10.0.1.2")

        def scenario(make):
            sock = make("alice")
            return [fails(sock.sendto, b"x", (BOB, 700)),
                    fails(sock.connect, (BOB, 700))]

        self.both(scenario, ["ENETUNREACH"] * 2)

    def test_error_queue(self):
        """IP_RECVERR: what came back, and to whom it had gone"""
        def scenario(make):
            alice = make("alice")
            alice.setsockopt(socket.SOL_IP, IP_RECVERR, 1)
            alice.sendto(b"payload", (BOB, 799))
            time.sleep(0.2)
            result = [events(alice), fails(alice.recv, 10,
                                           socket.MSG_DONTWAIT)]
            data, messages, flags, address = alice.recvmsg(
                100, 1000, socket.MSG_ERRQUEUE)
            level, kind, error = messages[0]
            result += [data, flags, address, level, kind,
                       struct.unpack("=IBBBxII", error[:16]),
                       socket.inet_ntoa(error[20:24])]
            result += [fails(alice.recvmsg, 100, 1000, socket.MSG_ERRQUEUE)]
            # and one of our own making
            alice.setsockopt(socket.SOL_IP, IP_MTU_DISCOVER, PMTUDISC_DO)
            result += [fails(alice.sendto, b"x" * 3000, (BOB, 799))]
            data, messages, flags, address = alice.recvmsg(
                100, 1000, socket.MSG_ERRQUEUE)
            result += [data, address,
                       struct.unpack("=IBBBxII", messages[0][2][:16])]
            return result

        account = self.both(scenario)
        self.assertEqual(account[1:3], ["ECONNREFUSED", b"payload"])
        self.assertEqual(account[4], (BOB, 799))
        self.assertEqual(account[7][:4], (errno.ECONNREFUSED, 2, 3, 3))
        self.assertEqual(account[-1][4], 1500)

    def test_path_mtu(self):
        """a narrow path: fragments, or EMSGSIZE once the router has told"""
        sh("ip -n router link set rb mtu 1000")
        self.addCleanup(sh, "ip -n router link set rb mtu 1500")

        def scenario(make):
            sh("ip -n alice route flush cache")
            bob, alice = make(bind=(BOB, 700)), make("alice")
            alice.connect((BOB, 700))
            alice.setsockopt(socket.SOL_IP, IP_MTU_DISCOVER, PMTUDISC_DONT)
            alice.send(b"x" * 1400)
            result = [len(bob.recv(2000))]
            alice.setsockopt(socket.SOL_IP, IP_MTU_DISCOVER, PMTUDISC_DO)
            alice.send(b"x" * 1400)
            time.sleep(0.2)
            result += [fails(alice.send, b"x"), fails(alice.send, b"x" * 1400),
                       fails(alice.send, b"x" * 972),
                       fails(alice.send, b"x" * 973)]
            result += [len(bob.recv(2000)),
                       is_empty(bob)]
            return result

        self.both(scenario, [1400, "EMSGSIZE", "EMSGSIZE", "no error",
                             "EMSGSIZE", 972, True])

    def test_control_messages(self):
        """IP_PKTINFO, TTL, TOS, both as options and with a message"""
        def scenario(make):
            bob = make(bind=("0.0.0.0", 700))
            alice = make("alice", ("0.0.0.0", 701))
            for option in (IP_PKTINFO, IP_RECVTTL, IP_RECVTOS):
                bob.setsockopt(socket.SOL_IP, option, 1)
            alice.setsockopt(socket.SOL_IP, socket.IP_TTL, 33)
            alice.setsockopt(socket.SOL_IP, socket.IP_TOS, 0x10)
            alice.sendto(b"x", (BOB, 700))
            result = [sorted(control(bob).items())]
            alice.sendmsg([b"x"],
                          [(socket.SOL_IP, socket.IP_TTL,
                            struct.pack("i", 44)),
                           (socket.SOL_IP, socket.IP_TOS,
                            struct.pack("i", 0x08))], 0, (BOB, 700))
            result += [sorted(control(bob).items())]
            # bob answers from an address he names
            sh("ip -n bob addr replace 10.0.2.77/24 dev b0")
            info = struct.pack("=i4s4s", 0, socket.inet_aton("10.0.2.77"),
                               bytes(4))
            bob.sendmsg([b"y"], [(socket.SOL_IP, IP_PKTINFO, info)], 0,
                        (ALICE, 701))
            result += [alice.recvfrom(10)]
            return result

        account = self.both(scenario)
        self.assertEqual(account[2], (b"y", ("10.0.2.77", 700)))
        first, second = (dict(entry) for entry in account[:2])
        self.assertEqual(number(first[(0, socket.IP_TTL)]), 32)
        self.assertEqual(number(second[(0, socket.IP_TTL)]), 43)
        self.assertEqual(second[(0, socket.IP_TOS)][0], 8)
        self.assertEqual(first[(0, IP_PKTINFO)][8:], socket.inet_aton(BOB))

    def test_ip_options(self):
        """record route: set on the socket, and with the message"""
        def scenario(make):
            bob, alice = make(bind=(BOB, 700)), make("alice")
            bob.setsockopt(socket.SOL_IP, IP_RECVOPTS, 1)
            record = bytes([7, 15, 4]) + bytes(12) + b"\0"
            alice.sendmsg([b"x"], [(socket.SOL_IP, IP_RETOPTS, record)], 0,
                          (BOB, 700))
            result = [control(bob)]
            alice.setsockopt(socket.SOL_IP, socket.IP_OPTIONS, record)
            alice.sendto(b"x" * 3000, (BOB, 700))
            result += [control(bob, 4000)]
            alice.sendto(b"a", socket.MSG_MORE, (BOB, 700))
            alice.send(b"b")
            result += [control(bob)]
            result += [fails(alice.sendmsg, [b"x"],
                             [(socket.SOL_IP, IP_RETOPTS, b"\x07\x03")], 0,
                             (BOB, 700))]
            return result

        account = self.both(scenario)
        self.assertIn(socket.inet_aton("10.0.2.2"),
                      account[0][(0, IP_RECVOPTS)])
        self.assertEqual(account[3], "EINVAL")

    def test_broadcast(self):
        """to all on the link, if SO_BROADCAST allows it"""
        def scenario(make):
            bobs = []
            for _ in range(3):
                bob = make("router")
                bob.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                bob.bind(("0.0.0.0", 700))
                bobs.append(bob)
            alice = make("alice")
            alice.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            result = []
            for address in ("10.0.1.255", "255.255.255.255"):
                if address == "255.255.255.255":
                    alice.setsockopt(socket.SOL_SOCKET,
                                     socket.SO_BINDTODEVICE, b"a0")
                alice.sendto(address.encode(), (address, 700))
                result += [bob.recvfrom(50)[0] for bob in bobs]
            # nobody there: silence, no ICMP
            alice.connect(("10.0.1.255", 799))
            alice.send(b"x")
            time.sleep(0.2)
            return result + [events(alice)]

        self.both(scenario, [b"10.0.1.255"] * 3 + [b"255.255.255.255"] * 3 +
                  [select.POLLOUT])

    def test_multicast(self):
        """join, leave, source filters"""
        def choose(sock, option, source=""):
            """An option with a group, an interface and perhaps a source."""
            where = GROUP_ON_ROUTER
            if source:
                where += socket.inet_aton(source)
            sock.setsockopt(socket.SOL_IP, option, where)

        def scenario(make):
            def member():
                sock = make("router")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.setsockopt(socket.SOL_IP, IP_MULTICAST_ALL, 0)
                sock.bind(("", 700))
                return sock

            joined, other, filtered = member(), member(), member()
            choose(joined, socket.IP_ADD_MEMBERSHIP)
            choose(filtered, IP_ADD_SOURCE_MEMBERSHIP, "10.0.1.99")
            alice = make("alice")
            alice.setsockopt(socket.SOL_IP, socket.IP_MULTICAST_IF,
                             socket.inet_aton(ALICE))
            alice.sendto(b"all", (GROUP, 700))
            result = [joined.recv(10)]
            time.sleep(0.1)
            result += [is_empty(sock) for sock in (joined, other, filtered)]
            other.setsockopt(socket.SOL_IP, IP_MULTICAST_ALL, 1)
            alice.sendto(b"2", (GROUP, 700))
            result += [joined.recv(10), other.recv(10)]
            choose(filtered, IP_ADD_SOURCE_MEMBERSHIP, ALICE)
            choose(joined, IP_BLOCK_SOURCE, ALICE)
            alice.sendto(b"3", (GROUP, 700))
            result += [filtered.recv(10), other.recv(10), is_empty(joined)]
            choose(joined, socket.IP_DROP_MEMBERSHIP)
            alice.sendto(b"4", (GROUP, 700))
            return result + [filtered.recv(10), is_empty(joined)]

        self.both(scenario, [b"all", True, True, True, b"2", b"2", b"3", b"3",
                             True, b"4", True])

    def test_multicast_ttl_and_loop(self):
        """a multicast datagram has a TTL of 1 unless told otherwise"""
        def scenario(make):
            bob = make("router", ("", 700))
            bob.setsockopt(socket.SOL_IP, IP_RECVTTL, 1)
            bob.setsockopt(socket.SOL_IP, IP_PKTINFO, 1)
            bob.setsockopt(socket.SOL_IP, socket.IP_ADD_MEMBERSHIP,
                           GROUP_ON_ROUTER)
            alice = make("alice", ("", 700))
            alice.setsockopt(socket.SOL_IP, socket.IP_ADD_MEMBERSHIP,
                             socket.inet_aton(GROUP) + socket.inet_aton(ALICE))
            alice.setsockopt(socket.SOL_IP, socket.IP_MULTICAST_IF,
                             socket.inet_aton(ALICE))
            result = []
            for ttl, loop in ((None, 1), (5, 0)):
                if ttl:
                    alice.setsockopt(socket.SOL_IP, socket.IP_MULTICAST_TTL,
                                     ttl)
                alice.setsockopt(socket.SOL_IP, socket.IP_MULTICAST_LOOP, loop)
                alice.sendto(b"x", (GROUP, 700))
                result += [sorted(control(bob).items()),
                           fails(alice.recv, 10, socket.MSG_DONTWAIT)]
            return result

        account = self.both(scenario)
        self.assertEqual(account[1::2], ["no error", "EAGAIN"])
        self.assertEqual([number(dict(entry)[(0, 2)])
                          for entry in account[0::2]], [1, 5])

    def test_wildcard_and_device(self):
        """the most specific socket, SO_BINDTODEVICE"""
        def scenario(make):
            specific = make("router", ("10.0.1.2", 700))
            wild = make("router")
            wild.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"rb")
            wild.bind(("", 701))
            alice, bob = make("alice"), make()
            alice.sendto(b"1", ("10.0.1.2", 700))
            result = [specific.recv(10)]
            bob.sendto(b"2", ("10.0.2.2", 701))
            result += [wild.recv(10)]
            alice.connect(("10.0.1.2", 701))
            alice.send(b"3")
            time.sleep(0.2)
            result += [fails(alice.recv, 10)]
            bob.connect(("10.0.2.2", 700))
            bob.send(b"4")
            time.sleep(0.2)
            return result + [fails(bob.recv, 10)]

        self.both(scenario, [b"1", b"2", "ECONNREFUSED", "ECONNREFUSED"])
