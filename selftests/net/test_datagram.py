# SPDX-License-Identifier: GPL-2.0
"""Datagrams: the same calls over UDP and over Chalk must tell the same.

A scenario is a function that gets a maker of sockets and returns what a program
sees: data, addresses, errno's, events. It runs over UDP first, then over Chalk;
the two accounts are compared, and the one of Chalk is checked against what is
written here, so that a scenario that did nothing would fail.
"""

import array
import contextlib
import errno
import fcntl
import select
import socket
import struct
import termios
import threading
import time
import unittest

from net import (ALICE, BOB, Net, Trace, drops, inside, sh, table, wait_until)

IPPROTO_CHALK_DGRAM = 254
SOL_UDP, UDP_CORK = 17, 1
IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IP_RECVERR = 8, 12, 13, 11
IP_MTU_DISCOVER, IP_MULTICAST_ALL = 10, 49
PMTUDISC_DO, PMTUDISC_DONT = 2, 0
SO_RXQ_OVFL, SO_PEEK_OFF, SO_TIMESTAMPNS = 40, 42, 35
MSG_CONFIRM, MSG_PROBE = 0x800, 0x10
SIOCINQ, SIOCOUTQ = termios.FIONREAD, termios.TIOCOUTQ
GROUP = "239.1.2.3"
PROTOCOLS = {"udp": 0, "chalk": IPPROTO_CHALK_DGRAM}


class Maker:
    """Sockets of one protocol; closes them all in the end."""

    def __init__(self, protocol: str, stack: contextlib.ExitStack):
        self.protocol = protocol
        self.stack = stack

    def __call__(self, host="bob", bind=None, family=socket.AF_INET):
        with inside(host):
            sock = socket.socket(family, socket.SOCK_DGRAM,
                                 PROTOCOLS[self.protocol])
        self.stack.enter_context(sock)
        # the kernel's own timeout: Python's would wait in spite of MSG_DONTWAIT
        patience(sock, 10)
        if bind is not None:
            sock.bind(bind)
        return sock


def patience(sock, seconds: float):
    """How long a call may block: EAGAIN then."""
    value = struct.pack("ll", int(seconds), int(seconds % 1 * 1000000))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)


def fails(call, *args) -> str:
    """The name of the errno, or "no error"."""
    try:
        call(*args)
    except OSError as err:
        return errno.errorcode.get(err.errno, str(err))
    return "no error"


def events(sock) -> int:
    """What poll() says at once."""
    poller = select.poll()
    poller.register(sock, select.POLLIN | select.POLLOUT | select.POLLRDHUP)
    return dict(poller.poll(0)).get(sock.fileno(), 0)


def queued(sock, request) -> int:
    """SIOCINQ or SIOCOUTQ."""
    answer = array.array("i", [0])
    fcntl.ioctl(sock, request, answer)
    return answer[0]


def control(sock, size=100) -> dict:
    """Receive one datagram; its control messages by level and type."""
    _, messages, _, _ = sock.recvmsg(size, 1000)
    return {(level, kind): data for level, kind, data in messages}


class Differential(unittest.TestCase):
    """runs scenarios over both protocols"""

    @classmethod
    def setUpClass(cls):
        net = Net()
        net.__enter__()
        cls.addClassCleanup(net.__exit__)
        for host in Net.names:
            sh(f"ip netns exec {host} sysctl -qw net.ipv4.icmp_ratelimit=0")

    def both(self, scenario, expected=None):
        """Run it twice and compare; the account of Chalk."""
        accounts = {}
        for protocol in PROTOCOLS:
            with contextlib.ExitStack() as stack:
                accounts[protocol] = scenario(Maker(protocol, stack))
        self.assertEqual(accounts["chalk"], accounts["udp"])
        if expected is not None:
            self.assertEqual(accounts["chalk"], expected)
        return accounts["chalk"]


class Datagram(Differential):
    """alice and bob, IPv4"""

    def test_boundaries(self):
        """messages keep their boundaries, also empty ones"""
        def scenario(make):
            bob, alice = make(bind=(BOB, 700)), make("alice")
            sizes = [0, 1, 1472, 1473, 9000, 65507]
            for size in sizes:
                alice.sendto(b"x" * size, (BOB, 700))
            return [len(bob.recv(70000)) for _ in sizes]

        self.both(scenario, [0, 1, 1472, 1473, 9000, 65507])

    def test_content(self):
        """every byte, for every length of fragments"""
        def scenario(make):
            bob, alice = make(bind=(BOB, 700)), make("alice")
            for size in list(range(1, 50)) + list(range(1460, 1490)) + [
                    3333, 4096, 8191, 20001, 65507]:
                data = bytes(i * 7 & 255 for i in range(size))
                alice.sendto(data, (BOB, 700))
                if bob.recv(70000) != data:
                    return size
            return "all"

        self.both(scenario, "all")

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

    def test_names(self):
        """autobind, connect, getsockname, connect to AF_UNSPEC"""
        def scenario(make):
            bob, alice = make(bind=(BOB, 700)), make("alice")
            result = [alice.getsockname()]
            alice.connect((BOB, 700))
            result += [alice.getsockname()[0], alice.getpeername(),
                       alice.getsockname()[1] > 0]
            alice.send(b"1")
            data, sender = bob.recvfrom(10)
            result += [data, sender == alice.getsockname()]
            bob.sendto(b"2", sender)
            result += [alice.recv(10)]
            make(bind=(BOB, 702)).sendto(b"stranger", sender)
            result += [fails(alice.recv, 10, socket.MSG_DONTWAIT)]
            disconnect(alice)
            result += [fails(alice.getpeername), alice.getsockname(),
                       fails(alice.send, b"x")]
            return result

        self.both(scenario, [("0.0.0.0", 0), ALICE, (BOB, 700), True, b"1",
                             True, b"2", "EAGAIN", "ENOTCONN",
                             ("0.0.0.0", 0), "EDESTADDRREQ"])

    def test_truncated(self):
        """MSG_TRUNC both ways, MSG_PEEK, SIOCINQ"""
        def scenario(make):
            bob, alice = make(bind=(BOB, 700)), make("alice")
            for data in (b"0123456789", b"abc"):
                alice.sendto(data, (BOB, 700))
            poll(bob)
            result = [queued(bob, SIOCINQ)]
            data, _, flags, sender = bob.recvmsg(4, 0, socket.MSG_PEEK)
            result += [data, flags, sender[0]]
            buffer = bytearray(4)
            result += [bob.recv_into(buffer, 4, socket.MSG_TRUNC), buffer]
            result += [queued(bob, SIOCINQ), bob.recvmsg(100)[0::2],
                       queued(bob, SIOCINQ), queued(bob, SIOCOUTQ)]
            return result

        self.both(scenario, [10, b"0123", socket.MSG_TRUNC, ALICE, 10,
                             bytearray(b"0123"), 3, None, 0, 0][:7] +
                  [(b"abc", 0), 0, 0])

    def test_peek_offset(self):
        """SO_PEEK_OFF goes on through the queue"""
        def scenario(make):
            bob, alice = make(bind=(BOB, 700)), make("alice")
            alice.sendto(b"0123456789", (BOB, 700))
            alice.sendto(b"abcd", (BOB, 700))
            wait_until(lambda: queued(bob, SIOCINQ), 5)
            bob.setsockopt(socket.SOL_SOCKET, SO_PEEK_OFF, 2)
            result = [bob.recv(5, socket.MSG_PEEK) for _ in range(2)]
            result += [bob.getsockopt(socket.SOL_SOCKET, SO_PEEK_OFF)]
            result += [bob.recv(10, socket.MSG_PEEK)]
            result += [bob.recv(20)]
            result += [bob.getsockopt(socket.SOL_SOCKET, SO_PEEK_OFF)]
            return result

        self.both(scenario, [b"23456", b"789", 10, b"abcd", b"0123456789", 4])

    def test_cork(self):
        """MSG_MORE and UDP_CORK build one datagram"""
        def scenario(make):
            bob, alice = make(bind=(BOB, 700)), make("alice")
            alice.sendto(b"one ", socket.MSG_MORE, (BOB, 700))
            result = [fails(bob.recv, 10, socket.MSG_DONTWAIT)]
            alice.sendto(b"two", (BOB, 700))
            result += [bob.recv(100)]
            alice.connect((BOB, 700))
            alice.setsockopt(SOL_UDP, UDP_CORK, 1)
            result += [alice.getsockopt(SOL_UDP, UDP_CORK)]
            for i in range(40):
                alice.send(bytes([i]) * 1001)
            alice.setsockopt(SOL_UDP, UDP_CORK, 0)
            data = bob.recv(70000)
            result += [len(data), data == b"".join(bytes([i]) * 1001
                                                   for i in range(40))]
            # too much: all of it is lost
            alice.send(b"a" * 60000, socket.MSG_MORE)
            result += [fails(alice.send, b"b" * 10000)]
            alice.send(b"next")
            result += [bob.recv(70000)]
            # an empty beginning
            alice.send(b"", socket.MSG_MORE)
            alice.send(b"tail")
            result += [bob.recv(100)]
            alice.send(b"lost", socket.MSG_MORE)
            alice.close()
            return result

        self.both(scenario, ["EAGAIN", b"one two", 1, 40040, True, "EMSGSIZE",
                             b"next", b"tail"])

    def test_poll(self):
        """events before and after each thing that happens"""
        def scenario(make):
            bob, alice = make(bind=(BOB, 700)), make("alice")
            result = [events(bob)]
            alice.connect((BOB, 700))
            alice.send(b"x")
            poll(bob)
            result += [events(bob)]
            bob.recv(10)
            result += [events(bob)]
            result += [fails(bob.shutdown, socket.SHUT_RD)]
            alice.shutdown(socket.SHUT_RD)
            result += [events(alice), alice.recv(10)]
            alice.shutdown(socket.SHUT_WR)
            result += [events(alice), fails(alice.send, b"x")]
            return result

        account = self.both(scenario)
        self.assertEqual(account[:3], [select.POLLOUT, select.POLLIN |
                                       select.POLLOUT, select.POLLOUT])
        self.assertEqual(account[-1], "EPIPE")

    def test_refused(self):
        """ICMP port unreachable reaches a connected socket only"""
        def scenario(make):
            alice = make("alice")
            alice.sendto(b"x", (BOB, 799))
            time.sleep(0.2)
            result = [events(alice), fails(alice.sendto, b"x", (BOB, 799))]
            alice.connect((BOB, 799))
            alice.send(b"x")
            time.sleep(0.2)
            result += [events(alice), fails(alice.recv, 10), events(alice)]
            alice.send(b"x")
            time.sleep(0.2)
            result += [fails(alice.send, b"x"),
                       alice.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)]
            time.sleep(0.2)
            result += [alice.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)]
            return result

        account = self.both(scenario)
        self.assertEqual(account[3], "ECONNREFUSED")
        self.assertTrue(account[2] & select.POLLERR)

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
                       fails(bob.recv, 10, socket.MSG_DONTWAIT)]
            return result

        self.both(scenario, [1400, "EMSGSIZE", "EMSGSIZE", "no error",
                             "EMSGSIZE", 972, "EAGAIN"])

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
        self.assertEqual(struct.unpack("i", first[(0, socket.IP_TTL)])[0], 32)
        self.assertEqual(struct.unpack("i", second[(0, socket.IP_TTL)])[0], 43)
        self.assertEqual(second[(0, socket.IP_TOS)][0], 8)
        self.assertEqual(first[(0, IP_PKTINFO)][8:], socket.inet_aton(BOB))

    def test_ip_options(self):
        """record route: set on the socket, and with the message"""
        def scenario(make):
            bob, alice = make(bind=(BOB, 700)), make("alice")
            bob.setsockopt(socket.SOL_IP, 6, 1)  # IP_RECVOPTS
            record = bytes([7, 15, 4]) + bytes(12) + b"\0"
            alice.sendmsg([b"x"], [(socket.SOL_IP, 7, record)], 0, (BOB, 700))
            result = [control(bob)]
            alice.setsockopt(socket.SOL_IP, socket.IP_OPTIONS, record)
            alice.sendto(b"x" * 3000, (BOB, 700))
            result += [control(bob, 4000)]
            alice.sendto(b"a", socket.MSG_MORE, (BOB, 700))
            alice.send(b"b")
            result += [control(bob)]
            result += [fails(alice.sendmsg, [b"x"],
                             [(socket.SOL_IP, 7, b"\x07\x03")], 0, (BOB, 700))]
            return result

        account = self.both(scenario)
        self.assertIn(socket.inet_aton("10.0.2.2"), account[0][(0, 6)])
        self.assertEqual(account[3], "EINVAL")

    def test_timestamp_and_overflow(self):
        """SO_TIMESTAMPNS and SO_RXQ_OVFL come with the datagram"""
        def scenario(make):
            bob, alice = make(bind=(BOB, 700)), make("alice")
            bob.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            bob.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
            bob.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            for _ in range(50):
                alice.sendto(b"x" * 500, (BOB, 700))
            time.sleep(0.2)
            got = 0
            with contextlib.suppress(BlockingIOError):
                while True:
                    bob.recv(1000, socket.MSG_DONTWAIT)
                    got += 1
            alice.sendto(b"last", (BOB, 700))
            last = control(bob)
            lost = struct.unpack("i", last[(1, SO_RXQ_OVFL)])[0]
            return [0 < got < 50, got + lost,
                    len(last[(1, SO_TIMESTAMPNS)])]

        self.both(scenario, [True, 50, 16])

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
        """join, leave, loop, TTL, source filters"""
        def scenario(make):
            def join(sock, option=socket.IP_ADD_MEMBERSHIP):
                sock.setsockopt(socket.SOL_IP, option, socket.inet_aton(GROUP)
                                + socket.inet_aton("10.0.1.2"))

            def member():
                sock = make("router")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.setsockopt(socket.SOL_IP, IP_MULTICAST_ALL, 0)
                sock.bind(("", 700))
                return sock

            joined, other, filtered = member(), member(), member()
            join(joined)
            # IP_ADD_SOURCE_MEMBERSHIP: only from an address nobody has
            filtered.setsockopt(socket.SOL_IP, 39, socket.inet_aton(GROUP) +
                                socket.inet_aton("10.0.1.2") +
                                socket.inet_aton("10.0.1.99"))
            alice = make("alice")
            alice.setsockopt(socket.SOL_IP, socket.IP_MULTICAST_IF,
                             socket.inet_aton(ALICE))
            alice.sendto(b"all", (GROUP, 700))
            result = [joined.recvfrom(10)[0]]
            time.sleep(0.1)
            result += [fails(sock.recv, 10, socket.MSG_DONTWAIT)
                       for sock in (joined, other, filtered)]
            other.setsockopt(socket.SOL_IP, IP_MULTICAST_ALL, 1)
            alice.sendto(b"2", (GROUP, 700))
            result += [joined.recv(10), other.recv(10)]
            # IP_UNBLOCK is not for include; add the right source
            filtered.setsockopt(socket.SOL_IP, 39, socket.inet_aton(GROUP) +
                                socket.inet_aton("10.0.1.2") +
                                socket.inet_aton(ALICE))
            # IP_BLOCK_SOURCE
            joined.setsockopt(socket.SOL_IP, 38, socket.inet_aton(GROUP) +
                              socket.inet_aton("10.0.1.2") +
                              socket.inet_aton(ALICE))
            alice.sendto(b"3", (GROUP, 700))
            result += [filtered.recv(10), other.recv(10),
                       fails(joined.recv, 10, socket.MSG_DONTWAIT)]
            join(joined, socket.IP_DROP_MEMBERSHIP)
            alice.sendto(b"4", (GROUP, 700))
            result += [filtered.recv(10),
                       fails(joined.recv, 10, socket.MSG_DONTWAIT)]
            return result

        self.both(scenario, [b"all"] + ["EAGAIN"] * 3 + [b"2", b"2", b"3",
                                                        b"3", "EAGAIN", b"4",
                                                        "EAGAIN"])

    def test_multicast_ttl_and_loop(self):
        """a multicast datagram has a TTL of 1 unless told otherwise"""
        def scenario(make):
            bob = make("router", ("", 700))
            bob.setsockopt(socket.SOL_IP, IP_RECVTTL, 1)
            bob.setsockopt(socket.SOL_IP, IP_PKTINFO, 1)
            bob.setsockopt(socket.SOL_IP, socket.IP_ADD_MEMBERSHIP,
                           socket.inet_aton(GROUP) +
                           socket.inet_aton("10.0.1.2"))
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
        self.assertEqual([struct.unpack("i", dict(entry)[(0, 2)])[0]
                          for entry in account[0::2]], [1, 5])

    def test_reuseport(self):
        """SO_REUSEPORT shares the flows out, and keeps each where it is"""
        def scenario(make):
            group = []
            for _ in range(4):
                sock = make()
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                sock.bind((BOB, 700))
                group.append(sock)
            senders = [make("alice", (ALICE, 1000 + i)) for i in range(64)]
            for _ in range(3):
                for sender in senders:
                    sender.sendto(b"x", (BOB, 700))
            time.sleep(0.3)
            seen = []
            for sock in group:
                ports = set()
                with contextlib.suppress(BlockingIOError):
                    while True:
                        ports.add(sock.recvfrom(10, socket.MSG_DONTWAIT)[1][1])
                seen.append(ports)
            result = [len(set.union(*seen)), sum(map(len, seen)),
                      all(len(ports) > 4 for ports in seen)]
            alone = make()
            return result + [fails(alone.bind, (BOB, 700))]

        self.both(scenario, [64, 64, True, "EADDRINUSE"])

    def test_reuseaddr(self):
        """the newest of SO_REUSEADDR gets it; a connected one comes first"""
        def scenario(make):
            socks = []
            for _ in range(3):
                sock = make()
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind((BOB, 700))
                socks.append(sock)
            alice = make("alice", (ALICE, 1001))
            other = make("alice", (ALICE, 1002))
            socks[1].connect((ALICE, 1002))
            alice.sendto(b"a", (BOB, 700))
            other.sendto(b"b", (BOB, 700))
            time.sleep(0.2)
            return [fails(sock.recv, 10, socket.MSG_DONTWAIT)
                    for sock in socks]

        self.assertEqual(self.both(scenario).count("no error"), 2)

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

    def test_send_buffer(self):
        """SO_SNDBUF holds back a sender; POLLOUT when there is room"""
        def scenario(make):
            alice = make("alice")
            alice.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
            # nobody answers ARP: packets wait for a second or more
            alice.connect(("10.0.1.200", 700))
            sent = 0
            with contextlib.suppress(BlockingIOError):
                while sent < 100:
                    alice.send(b"x" * 1000, socket.MSG_DONTWAIT)
                    sent += 1
            full = [0 < sent < 100, events(alice) & select.POLLOUT,
                    queued(alice, SIOCOUTQ) > 0]
            poller = select.poll()
            poller.register(alice, select.POLLOUT)
            again = poller.poll(10000)
            return full + [bool(again)]

        self.both(scenario, [True, 0, True, True])

    def test_confirm(self):
        """MSG_CONFIRM and MSG_PROBE"""
        def scenario(make):
            bob, alice = make(bind=(BOB, 700)), make("alice")
            alice.sendto(b"1", MSG_CONFIRM, (BOB, 700))
            result = [bob.recv(10)]
            # a probe goes nowhere
            for flags in (MSG_PROBE, MSG_CONFIRM | MSG_PROBE):
                result += [alice.sendto(b"no", flags, (BOB, 700))]
            alice.sendto(b"2", (BOB, 700))
            return result + [bob.recv(10)]

        self.both(scenario, [b"1", 2, 2, b"2"])

    def test_blocking(self):
        """a reader sleeps until a datagram, a timeout or shutdown comes"""
        def scenario(make):
            bob, alice = make(bind=(BOB, 700)), make("alice")
            patience(bob, 0.3)
            begin = time.monotonic()
            result = [fails(bob.recv, 10), time.monotonic() - begin >= 0.3]
            patience(bob, 0)
            threading.Timer(0.1, alice.sendto, (b"x", (BOB, 700))).start()
            result += [bob.recv(10)]
            bob.connect((ALICE, 9))
            threading.Timer(0.1, bob.shutdown, (socket.SHUT_RD,)).start()
            return result + [bob.recv(10)]

        self.both(scenario, ["EAGAIN", True, b"x", b""])

    def test_socket_options(self):
        """what getsockopt() says of a fresh socket"""
        def scenario(make):
            sock = make("alice")
            names = [socket.SO_TYPE, socket.SO_DOMAIN, socket.SO_SNDBUF,
                     socket.SO_RCVBUF, socket.SO_ERROR, socket.SO_BROADCAST,
                     socket.SO_ACCEPTCONN]
            protocol = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL)
            return ([sock.getsockopt(socket.SOL_SOCKET, n) for n in names] +
                    [protocol in (17, IPPROTO_CHALK_DGRAM)])

        self.both(scenario)


def poll(sock):
    """Wait until there is something to read."""
    select.select([sock], [], [], 5)


def disconnect(sock):
    """connect() to AF_UNSPEC, which Python has no words for."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    address = struct.pack("=H14x", socket.AF_UNSPEC)
    if libc.connect(sock.fileno(), address, len(address)):
        raise OSError(ctypes.get_errno(), "connect")


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def datagram(payload: bytes, length=None, check=None, dport=700) -> bytes:
    """A datagram from alice to bob, right unless told otherwise."""
    if length is None:
        length = 8 + len(payload)
    head = struct.pack("!HHHH", 4000, dport, length, 0)
    pseudo = (socket.inet_aton(ALICE) + socket.inet_aton(BOB) +
              struct.pack("!BBH", 0, 254, length))
    if check is None:
        check = checksum(pseudo + (head + payload)[:length]) or 0xffff
    return head[:6] + struct.pack("!H", check) + payload


class Wrong(unittest.TestCase):
    """alice sends bob raw packets of protocol 254"""

    @classmethod
    def setUpClass(cls):
        net = Net()
        net.__enter__()
        cls.addClassCleanup(net.__exit__)

    def setUp(self):
        with contextlib.ExitStack() as stack:
            self.bob = Maker("chalk", stack)(bind=(BOB, 700))
            with inside("alice"):
                self.raw = stack.enter_context(
                    socket.socket(socket.AF_INET, socket.SOCK_RAW, 254))
            self.addCleanup(stack.pop_all().close)

    def count(self, packets) -> dict:
        """Send them; which drop counters grew, and by how much."""
        before = drops()
        for packet in packets:
            self.raw.sendto(packet, (BOB, 0))
        time.sleep(0.2)
        return {reason: n - before.get(reason, 0)
                for reason, n in drops().items() if n != before.get(reason, 0)}

    def nothing_arrived(self):
        """bob's queue is empty."""
        self.assertEqual(fails(self.bob.recv, 10, socket.MSG_DONTWAIT),
                         "EAGAIN")

    def test_right(self):
        """the helper of this test makes datagrams that are taken"""
        self.assertEqual(self.count([datagram(b"data"), datagram(b"")]), {})
        self.assertEqual(self.bob.recvfrom(10), (b"data", (ALICE, 4000)))
        self.assertEqual(self.bob.recv(10), b"")

    def test_any_bit_flipped(self):
        """one bit wrong anywhere"""
        good = datagram(b"some payload")
        packets = []
        for i in range(len(good) * 8):
            bad = bytearray(good)
            bad[i // 8] ^= 1 << i % 8
            packets.append(bytes(bad))
        grown = self.count(packets)
        self.assertEqual(sum(grown.values()), len(packets))
        self.assertLessEqual(set(grown), {"datagram_bad_checksum",
                                          "datagram_bad_length"})
        self.nothing_arrived()

    def test_lengths(self):
        """shorter than a header, longer than the packet, padded"""
        self.assertEqual(
            self.count([datagram(b"")[:n] for n in range(1, 8)]),
            {"datagram_too_short": 7})
        self.assertEqual(
            self.count([datagram(b"abc", length) for length in (0, 7, 12,
                                                                 65535)]),
            {"datagram_bad_length": 4})
        self.nothing_arrived()
        # bytes beyond the length are padding: neither summed nor delivered
        self.assertEqual(self.count([datagram(b"abcpad", 11)]), {})
        self.assertEqual(self.bob.recv(10), b"abc")

    def test_no_checksum(self):
        """a checksum of 0 is none, and that is not allowed"""
        self.assertEqual(self.count([datagram(b"abc", check=0)]),
                         {"datagram_no_checksum": 1})
        self.nothing_arrived()

    def test_sum_of_zero(self):
        """where the sum comes out as 0 all ones are sent, and taken"""
        with contextlib.ExitStack() as stack:
            alice = Maker("chalk", stack)("alice", (ALICE, 4000))
            # choose the payload so that the sum is 0
            rest = int.from_bytes(datagram(b"\0\0")[6:8], "big")
            alice.sendto(struct.pack("!H", rest), (BOB, 700))
            self.assertEqual(self.bob.recv(10), struct.pack("!H", rest))
            with inside("bob"):
                raw = stack.enter_context(
                    socket.socket(socket.AF_INET, socket.SOCK_RAW, 254))
            patience(raw, 5)
            alice.sendto(struct.pack("!H", rest), (BOB, 700))
            self.assertEqual(raw.recv(100)[26:28], b"\xff\xff")

    def test_no_socket(self):
        """counted, and answered by ICMP"""
        with inside("alice"):
            icmp = socket.socket(socket.AF_INET, socket.SOCK_RAW,
                                 socket.IPPROTO_ICMP)
        self.addCleanup(icmp.close)
        patience(icmp, 5)
        self.assertEqual(self.count([datagram(b"x", dport=799)]),
                         {"datagram_no_socket": 1})
        self.assertEqual(icmp.recv(100)[20:22], bytes([3, 3]))


class Observed(unittest.TestCase):
    """what debugfs shows"""

    @classmethod
    def setUpClass(cls):
        net = Net()
        net.__enter__()
        cls.addClassCleanup(net.__exit__)

    def test_trace(self):
        """one record sent, one received, with ports and length"""
        with contextlib.ExitStack() as stack:
            make = Maker("chalk", stack)
            bob, alice = make(bind=(BOB, 700)), make("alice", (ALICE, 701))
            trace = Trace()
            alice.sendto(b"hello", (BOB, 700))
            bob.recv(10)
            alice.sendto(b"hello", (BOB, 799))
            time.sleep(0.2)
            records = [(r["event"], r["cause"], r["local"], r["remote"],
                        r["len"]) for r in trace.stop()]
        a, b = f"{ALICE}:701", f"{BOB}:700"
        self.assertEqual(records, [
            ("send", "datagram", a, b, "5"),
            ("recv", "datagram", b, a, "5"),
            ("send", "datagram", a, f"{BOB}:799", "5"),
            ("drop", "datagram_no_socket", f"{BOB}:799", a, "5")])

    def test_tables(self):
        """queues, drops, and the totals of a namespace"""
        with contextlib.ExitStack() as stack:
            make = Maker("chalk", stack)
            before = totals()
            bob, alice = make(bind=(BOB, 700)), make("alice")
            bob.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            for _ in range(50):
                alice.sendto(b"x" * 500, (BOB, 700))
            time.sleep(0.2)
            row = [r for r in table("dgrams") if r["local"] == f"{BOB}:700"][0]
            self.assertGreater(int(row["rx_queue"]), 500)
            taken = totals()["in"] - before["in"]
            self.assertEqual(totals()["out"] - before["out"], 50)
            self.assertEqual(taken + int(row["drops"]), 50)
            self.assertGreater(int(row["drops"]), 0)
        rows = [r for r in table("dgrams") if r["local"] == f"{BOB}:700"]
        self.assertEqual(rows, [])


def totals() -> dict:
    """Datagrams in and out, over all namespaces."""
    rows = table("dgram_totals")
    return {way: sum(int(row[way]) for row in rows) for way in ("in", "out")}
