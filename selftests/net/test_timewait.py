# SPDX-License-Identifier: GPL-2.0
"""TIME_WAIT and those who are near: how many there may be, who may take their
place, and what they hold up.
"""

import contextlib
import ctypes
import errno
import os
import socket
import struct
import threading
import time
import unittest

import rtnl
from glue import abort, counts, needs_stuck
from net import (DEBUGFS, IPPROTO_CHALK, Trace, add_hosts, chalk_diag,
                 end_connections, inside, remove_hosts, sh, table, wait_until)
from scene import TCP, locked

PORT = 7000
FIN_WAIT_2 = 5
LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"),
            (socket.AF_INET6, "::ffff:127.0.0.1"))
MIN_HOPS = {socket.AF_INET: (socket.SOL_IP, 21),
            socket.AF_INET6: (socket.IPPROTO_IPV6, 73)}
BOTH = {TCP: "ipv4.tcp_", IPPROTO_CHALK: "chalk."}


class Host(unittest.TestCase):
    """Hosts by themselves; nothing is left of a test."""

    names = ("alice",)

    def setUp(self):
        add_hosts(self.names)
        self.addCleanup(remove_hosts, self.names)

    def veths(self, count=1):
        """alice and bob on links that have all the same addresses."""
        for i in range(count):
            sh(f"ip -n alice link add a{i} type veth peer b{i} netns bob")
            for host, end, peer in (("alice", 1, 2), ("bob", 2, 1)):
                dev = f"{host[0]}{i}"
                sh(f"ip -n {host} addr add 10.0.0.{end}/32 dev {dev};"
                   f" ip -n {host} link set {dev} up;"
                   f" ip -n {host} route add 10.0.0.{peer} dev {dev}"
                   f" metric {i + 1}")

    def socket(self, host="alice", protocol=IPPROTO_CHALK,
               family=socket.AF_INET, dev=""):
        """A socket whose port may be that of another in TIME_WAIT."""
        with inside(host):
            sock = socket.socket(family, socket.SOCK_STREAM, protocol)
        self.addCleanup(abort, sock)
        sock.settimeout(60)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if dev:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                            dev.encode())
        return sock

    def listen(self, address, **which):
        """A listener."""
        sock = self.socket(**which)
        sock.bind((address, PORT))
        sock.listen(8)
        return sock

    def connect(self, server, address, port=0, **which):
        """Both ends of a connection; @port is the client's."""
        sock = self.socket(**which)
        if port:
            sock.bind(("", port))
        sock.connect((address, PORT))
        conn = server.accept()[0]
        conn.settimeout(60)
        self.addCleanup(abort, conn)
        return sock, conn

    def leave(self, server, address, **which):
        """A connection that leaves TIME_WAIT on the client's side."""
        sock, conn = self.connect(server, address, **which)
        sock.close()
        assert conn.recv(1) == b""
        conn.close()


def states(host: str) -> list:
    """The states of all connections of a host."""
    space = str(os.stat(f"/run/netns/{host}").st_ino)
    return [row["state"] for row in table("conns") if row["netns"] == space]


class Readers(Host):
    """A reader of conns waits for a connection that is locked"""

    names = ("alice", "bob")

    def locked_in_front(self):
        """alice has TIME_WAIT and a connection in one bucket of the table:
        they differ in their devices alone. Who comes last stands in front."""
        self.veths(2)
        servers = [self.listen("10.0.0.2", host="bob", dev=f"b{i}")
                   for i in range(2)]
        self.leave(servers[1], "10.0.0.2", port=4000, dev="a1")
        self.assertTrue(wait_until(lambda: "TIME_WAIT" in states("alice"), 5))
        sock, conn = self.connect(servers[0], "10.0.0.2", port=4000, dev="a0")
        conn.sendall(b"x")
        time.sleep(0.1)
        return sock

    @contextlib.contextmanager
    def reading(self):
        """Somebody reads conns, and waits before he has it all."""
        sock = self.locked_in_front()
        with open(f"{DEBUGFS}/conns", encoding="ascii") as file:
            reader = threading.Thread(target=file.read)
            with locked(sock):
                reader.start()
                time.sleep(0.2)
                yield
                self.assertTrue(reader.is_alive())
            reader.join()

    @needs_stuck
    def test_record_goes(self):
        """TIME_WAIT behind the connection ends after 2 MSL (4.5 s)"""
        rtnl.write_sysctls("alice", {"chalk.msl_ms": 2000})
        trace = Trace()
        self.addCleanup(trace.stop)
        with self.reading():
            self.assertNotIn(b"TIME_WAIT of 2 MSL", trace.text)
            self.assertTrue(wait_until(
                lambda: b"TIME_WAIT of 2 MSL" in trace.text, 5))


class Limit(Host):
    """net.chalk.max_tw_buckets"""

    names = ("alice", "bob")

    def records(self, host, family, address, count):
        """How many of so many connections leave TIME_WAIT."""
        with self.listen(address, host=host, family=family) as server:
            for _ in range(count):
                self.leave(server, address, host=host, family=family)
        time.sleep(0.1)
        return states(host).count("TIME_WAIT")

    def test_of_each_namespace(self):
        """alice has her fill, bob has all that he wants (0.5 s)"""
        rtnl.write_sysctls("alice", {"chalk.max_tw_buckets": 3})
        self.assertEqual(self.records("alice", *LOOPBACK[0], 5), 3)
        self.assertEqual(counts("alice")["TCPTimeWaitOverflow"], 2)
        self.assertEqual(self.records("alice", *LOOPBACK[1], 2), 3)
        self.assertEqual(counts("alice")["TCPTimeWaitOverflow"], 4)
        for i, (family, address) in enumerate(LOOPBACK):
            self.assertEqual(self.records("bob", family, address, 5),
                             5 * (i + 1))
        self.assertEqual(counts("bob")["TCPTimeWaitOverflow"], 0)

    def test_none(self):
        """0: nobody waits, and the port is free at once (0.2 s)"""
        rtnl.write_sysctls("alice", {"chalk.max_tw_buckets": 0})
        self.assertEqual(self.records("alice", *LOOPBACK[0], 2), 0)

    def test_room_again(self):
        """what has ended counts no more (2.5 s)"""
        rtnl.write_sysctls("alice", {"chalk.max_tw_buckets": 2,
                                     "chalk.msl_ms": 500})
        self.assertEqual(self.records("alice", *LOOPBACK[0], 3), 2)
        time.sleep(1.5)
        self.assertEqual(self.records("alice", *LOOPBACK[0], 3), 2)


class Reuse(Host):
    """A connection takes the port of one in TIME_WAIT"""

    names = ("alice", "bob")

    def setting(self, protocol, **values):
        """Sysctls that TCP and Chalk both have."""
        rtnl.write_sysctls("alice", {BOTH[protocol] + key: value
                                     for key, value in values.items()})

    def few_ports(self):
        """alice has 20 ports for connections that do not name one."""
        rtnl.write_sysctls("alice", {"ipv4.ip_local_port_range":
                                     "40000 40019"})

    def rounds(self, server, address, count, **which):
        """Connections, ten a second; how many, and why no more."""
        for done in range(count):
            try:
                self.leave(server, address, **which)
            except OSError as err:
                return done, errno.errorcode[err.errno]
            time.sleep(0.1)
        return count, None

    def test_ports_come_round(self):
        """60 connections of a host with itself on 20 ports (36 s)"""
        self.few_ports()
        for protocol in BOTH:
            for family, address in LOOPBACK:
                with self.subTest(protocol=protocol, address=address):
                    which = {"protocol": protocol, "family": family}
                    with self.listen(address, **which) as server:
                        self.assertEqual(
                            self.rounds(server, address, 60, **which),
                            (60, None))
        self.assertEqual(counts("alice")["TW"], 0)
        self.assertGreaterEqual(counts("alice")["TWRecycled"], 120)

    def test_not_allowed(self):
        """tw_reuse 0; and no timestamps: 20 ports are all (12 s)"""
        self.few_ports()
        for protocol in BOTH:
            for values in ({"tw_reuse": 0}, {"tw_reuse": 1, "timestamps": 0}):
                with self.subTest(protocol=protocol, values=values):
                    self.setting(protocol, **values)
                    rtnl.write_sysctls("alice", {
                        "ipv4.ip_local_port_range":
                        "40000 40019" if "timestamps" not in values
                        else "41000 41019"})
                    with self.listen("127.0.0.1", protocol=protocol) as server:
                        self.assertEqual(
                            self.rounds(server, "127.0.0.1", 30,
                                        protocol=protocol),
                            (20, "EADDRNOTAVAIL"))

    def test_another_host(self):
        """by default only a host with itself (14 s)"""
        self.few_ports()
        self.veths()
        for protocol in BOTH:
            with self.subTest(protocol=protocol), \
                    self.listen("10.0.0.2", host="bob",
                                protocol=protocol) as server:
                self.assertEqual(self.rounds(server, "10.0.0.2", 40,
                                             protocol=protocol),
                                 (20, "EADDRNOTAVAIL"))
                self.setting(protocol, tw_reuse=1)
                self.assertEqual(self.rounds(server, "10.0.0.2", 40,
                                             protocol=protocol), (40, None))

    def test_port_by_name(self):
        """at once, whatever tw_reuse says; not without timestamps (1 s)"""
        for protocol in BOTH:
            for timestamps in (1, 0):
                self.setting(protocol, tw_reuse=0, timestamps=timestamps)
                port = 4000 + timestamps
                with self.subTest(protocol=protocol, timestamps=timestamps), \
                        self.listen("127.0.0.1", protocol=protocol) as server:
                    self.leave(server, "127.0.0.1", port=port,
                               protocol=protocol)
                    again = self.rounds(server, "127.0.0.1", 3, port=port,
                                        protocol=protocol)
                    self.assertEqual(again, (3, None) if timestamps else
                                     (0, "EADDRNOTAVAIL"))

    def test_numbers_go_on(self):
        """it begins beyond all that the old one sent (0.5 s)"""
        trace = Trace()
        with self.listen("127.0.0.1") as server:
            sock, conn = self.connect(server, "127.0.0.1", 4000)
            sock.sendall(bytes(60000))
            while len(conn.recv(60000, socket.MSG_PEEK)) < 60000:
                time.sleep(0.01)
            conn.recv(60000)
            sock.close()
            conn.close()
            time.sleep(0.1)
            self.leave(server, "127.0.0.1", port=4000)
        sent = [row for row in trace.stop() if row["event"] == "send"
                and row["local"] == "127.0.0.1:4000"]
        syns = [i for i, row in enumerate(sent) if row["flags"] == "S"]
        self.assertEqual(len(syns), 2)
        last = max((int(row["seq"]) - int(sent[0]["seq"])) % (1 << 32)
                   for row in sent[:syns[1]])
        self.assertGreaterEqual(last, 60000)
        beyond = (int(sent[syns[1]]["seq"]) - int(sent[0]["seq"])) % (1 << 32)
        self.assertGreater(beyond, last + 65536)


class Reopen(Host):
    """A SYN for a server's TIME_WAIT has to pass what its listener asks for"""

    def in_time_wait(self, protocol, family, address):
        """The listener, and a port whose connection it has ended."""
        which = {"protocol": protocol, "family": family}
        server = self.listen(address, **which)
        sock, conn = self.connect(server, address, 4000, **which)
        conn.close()
        self.assertEqual(sock.recv(1), b"")
        sock.close()
        time.sleep(0.1)
        return server, which

    def calls_again(self, address, which):
        """What comes of a SYN from the same port, within 2 s."""
        sock = self.socket(**which)
        sock.settimeout(2)
        sock.bind(("", 4000))
        try:
            sock.connect((address, PORT))
        except OSError as err:
            return type(err)
        finally:
            abort(sock)
        return None

    def reopened(self, protocol):
        """How often a SYN has ended TIME_WAIT; TCP does not count."""
        return counts("alice")["TWReopened"] if protocol != TCP else None

    def refused_while(self, address, which, server, spoil, mend):
        """No SYN is taken between @spoil and @mend; the record stays."""
        protocol = which["protocol"]
        before = self.reopened(protocol)
        spoil(server)
        self.assertIs(self.calls_again(address, which), TimeoutError)
        if protocol != TCP:
            self.assertEqual(states("alice").count("TIME_WAIT"), 1)
            self.assertEqual(self.reopened(protocol), before)
        mend(server)
        self.assertIsNone(self.calls_again(address, which))
        if protocol != TCP:
            self.assertEqual(self.reopened(protocol), before + 1)

    def for_each(self, judge):
        """Both protocols, and both versions of IP."""
        for protocol in BOTH:
            for family, address in LOOPBACK[:2]:
                with self.subTest(protocol=protocol, address=address):
                    server, which = self.in_time_wait(protocol, family,
                                                      address)
                    judge(address, which, server)
                    server.close()
                    time.sleep(0.1)

    def test_filter(self):
        """SO_ATTACH_FILTER that drops all (10 s)"""
        nothing = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
        program = struct.pack("HL", 1, ctypes.addressof(nothing))
        self.for_each(lambda *args: self.refused_while(
            *args,
            lambda sock: sock.setsockopt(socket.SOL_SOCKET, 26, program),
            lambda sock: sock.setsockopt(socket.SOL_SOCKET, 27, 0)))

    def test_from_afar(self):
        """IP_MINTTL, IPV6_MINHOPCOUNT: loopback has 64 hops (10 s)"""
        self.for_each(lambda address, which, server: self.refused_while(
            address, which, server,
            lambda sock: sock.setsockopt(*MIN_HOPS[which["family"]], 255),
            lambda sock: sock.setsockopt(*MIN_HOPS[which["family"]], 64)))

    def test_full_queue(self):
        """the accept queue is full (10 s)"""
        others = []

        def fill(server):
            server.listen(0)
            others.append(self.socket(protocol=server.proto,
                                      family=server.family))
            others[-1].connect(server.getsockname())
            time.sleep(0.1)

        self.for_each(lambda *args: self.refused_while(
            *args, fill, lambda server: server.accept()[0].close()))

    def test_nobody_listens(self):
        """refused with the next SYN, long before TIME_WAIT is over (3 s)"""
        def judge(address, which, server):
            server.close()
            begin = time.monotonic()
            self.assertIs(self.calls_again(address, which),
                          ConnectionRefusedError)
            self.assertLess(time.monotonic() - begin, 1.3)

        self.for_each(judge)


def sockets(protocol) -> int:
    """How many alice has: records are none."""
    name = {TCP: "TCP", IPPROTO_CHALK: "CHALK"}[protocol]
    with inside("alice"), open("/proc/thread-self/net/protocols",
                               encoding="ascii") as file:
        return sum(int(line.split()[2]) for line in file
                   if line.split()[0] in (name, name + "v6"))


class Orphans(Host):
    """A program has closed, the other side has not: FIN_WAIT_2"""

    names = ("alice", "bob")

    def setUp(self):
        super().setUp()
        self.veths()

    def waiting(self, protocol=IPPROTO_CHALK, family=socket.AF_INET,
                address="10.0.0.2"):
        """bob's end of a connection that alice has closed."""
        which = {"protocol": protocol, "family": family}
        with self.listen(address, host="bob", **which) as server:
            sock, conn = self.connect(server, address, **which)
        sock.close()
        self.assertEqual(conn.recv(1), b"")
        time.sleep(0.1)
        return conn

    def resets(self, conn, number=errno.EPIPE):
        """The other side has been told."""
        err = conn.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self.assertEqual(errno.errorcode.get(err), errno.errorcode[number])

    def test_no_socket(self):
        """it is a record, and TIME_WAIT when the FIN comes (1 s)"""
        for protocol in BOTH:
            conn = self.waiting(protocol)
            self.assertEqual(sockets(protocol), 0)
            if protocol == IPPROTO_CHALK:
                self.assertEqual(states("alice"), ["FIN_WAIT_2"])
                self.assertEqual(states("bob"), ["CLOSE_WAIT"])
            conn.close()
            time.sleep(0.1)
        self.assertEqual(states("alice"), ["TIME_WAIT"])
        self.assertEqual(states("bob"), [])

    def test_over_ipv6(self):
        """so it is with IPv6, and with mapped addresses (0.6 s)"""
        sh("ip -n alice -6 addr add 2001:db8::1/128 dev a0 nodad;"
           " ip -n bob -6 addr add 2001:db8::2/128 dev b0 nodad;"
           " ip -n alice -6 route add 2001:db8::2 dev a0;"
           " ip -n bob -6 route add 2001:db8::1 dev b0")
        for i, address in enumerate(("2001:db8::2", "::ffff:10.0.0.2")):
            conn = self.waiting(family=socket.AF_INET6, address=address)
            self.assertEqual(sockets(IPPROTO_CHALK), 0)
            self.assertEqual(sorted(states("alice")),
                             ["FIN_WAIT_2"] + i * ["TIME_WAIT"])
            conn.close()
            time.sleep(0.1)
            self.assertEqual(states("alice"), (i + 1) * ["TIME_WAIT"])

    def test_half_closed_first(self):
        """close() finds FIN_WAIT_2: the owner leaves the record (0.8 s)"""
        for protocol in BOTH:
            with self.listen("10.0.0.2", host="bob",
                             protocol=protocol) as server:
                sock, conn = self.connect(server, "10.0.0.2",
                                          protocol=protocol)
            sock.shutdown(socket.SHUT_WR)
            self.assertEqual(conn.recv(1), b"")
            conn.send(b"x")
            self.assertEqual(sock.recv(1), b"x")
            time.sleep(0.1)
            self.assertEqual(sockets(protocol), 1)
            sock.close()
            self.assertEqual(sockets(protocol), 0)
            if protocol == IPPROTO_CHALK:
                self.assertEqual(states("alice"), ["FIN_WAIT_2"])
            conn.close()
            time.sleep(0.1)
        self.assertEqual(states("alice"), ["TIME_WAIT"])

    def test_lingering(self):
        """close() that waits for the ACK leaves no more (0.5 s)"""
        with self.listen("10.0.0.2", host="bob") as server:
            sock, conn = self.connect(server, "10.0.0.2")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 5))
        begin = time.monotonic()
        sock.close()
        self.assertLess(time.monotonic() - begin, 1)
        self.assertEqual(states("alice"), ["FIN_WAIT_2"])
        conn.close()
        time.sleep(0.1)
        self.assertEqual(states("alice"), ["TIME_WAIT"])

    def test_text(self):
        """text for nobody is answered with RST (0.6 s)"""
        for protocol in BOTH:
            conn = self.waiting(protocol)
            conn.send(b"x")
            time.sleep(0.1)
            self.resets(conn)
        self.assertEqual(states("alice"), [])
        self.assertEqual(counts("alice")["TCPAbortOnData"], 1)

    def test_no_fin(self):
        """it waits no longer than it may; a FIN is refused then (6 s)"""
        rtnl.write_sysctls("alice", {"ipv4.tcp_fin_timeout": 2,
                                     "chalk.fin_timeout_ms": 2000})
        for protocol in BOTH:
            trace = Trace()
            conn = self.waiting(protocol)
            time.sleep(1.5)
            if protocol == IPPROTO_CHALK:
                self.assertEqual(states("alice"), ["FIN_WAIT_2"])
            time.sleep(1)
            self.assertEqual(states("alice"), [])
            conn.shutdown(socket.SHUT_WR)
            time.sleep(0.1)
            self.resets(conn, errno.ECONNRESET)
            ends = [row["cause"] for row in trace.stop()
                    if row["event"] == "state" and row["new"] == "CLOSED"
                    and row["old"] == "FIN_WAIT_2"]
            self.assertEqual(ends, ["FIN_WAIT_2 timer"]
                             if protocol == IPPROTO_CHALK else [])

    def test_shown_and_killed(self):
        """inet_diag shows FIN_WAIT_2; who kills it resets the peer (0.4 s)"""
        conn = self.waiting()
        with inside("alice"):
            diag = chalk_diag.Diag()
        with contextlib.closing(diag.sock):
            found = list(diag.dump(socket.AF_INET, 1 << FIN_WAIT_2))
        self.assertEqual(len(found), 1)
        end_connections("alice")
        time.sleep(0.1)
        self.resets(conn)
        self.assertEqual(states("alice"), [])

    def test_namespace_goes(self):
        """it keeps no namespace (1 s)"""
        for protocol in BOTH:
            ends = [self.waiting(protocol) for _ in range(3)]
            if protocol == IPPROTO_CHALK:
                self.assertEqual(states("alice"), 3 * ["FIN_WAIT_2"])
            with rtnl.Life("alice") as life:
                rtnl.remove_namespace("alice")
                self.assertTrue(wait_until(life.has_ended, 5))
            for conn in ends:
                abort(conn)
            rtnl.add_namespace("alice")
            self.veths()


if __name__ == "__main__":
    unittest.main()
