# SPDX-License-Identifier: GPL-2.0
"""Handshakes that a listener shapes, and the path: routes, marks, flow labels,
what ICMP says about it; also what is left of these in TIME_WAIT.
"""

import errno
import select
import socket
import time
import unittest

from dgram import disconnect
from glue import (ACK, ADDRESS, FAMILIES, FIN, GATEWAY, SO_TXREHASH, SYN,
                  Glue, Tap, abort, ip)
from net import (IPPROTO_CHALK, exact_clock, inside, listener, sh, table,
                 wait_until)
from test_diag import info_of

BOB_GATEWAY = {socket.AF_INET: "10.0.2.2", socket.AF_INET6: "2001:db8:2::2"}
OTHER_GATEWAY = {socket.AF_INET: "10.0.1.3", socket.AF_INET6: "fe80::3"}
MTU = {socket.AF_INET: (socket.IPPROTO_IP, 14),
       socket.AF_INET6: (socket.IPPROTO_IPV6, 24)}


def mss_option(options: bytes) -> int:
    """What it says; 0: there is none."""
    while options and options[0]:
        if options[0] == 2:
            return int.from_bytes(options[2:4], "big")
        options = options[1 if options[0] == 1 else options[1]:]
    return 0


class Handshake(Glue):
    """a listener, and who calls it"""

    def test_maxseg_of_a_listener(self):
        """TCP_MAXSEG stands in its SYN+ACK (0.5 s)"""
        for family in FAMILIES:
            with Tap("router", "ra") as tap:
                self.pair(family, listening=[
                    (socket.SOL_TCP, socket.TCP_MAXSEG, 700)])
                answers = [p for p in tap.packets(outgoing=True)
                           if p["flags"] == SYN | ACK]
            self.assertEqual([mss_option(p["options"]) for p in answers],
                             [700])

    @exact_clock
    def test_backlog(self):
        """30 clients call at once, 5 are to wait: never more do, and all get
        in (2 s)"""
        number, backlog = 30, 5
        # as many handshakes at a time as may be
        self.net.netem("delay 200ms")
        self.addCleanup(self.net.netem, "delay 0")
        server = self.server(backlog)
        socks = [self.client() for _ in range(number)]
        for n, sock in enumerate(socks):
            # some wait already, then more handshakes go on than there is room
            if n >= 3:
                sock.setblocking(False)
            sock.connect_ex((ADDRESS["bob", socket.AF_INET], Glue.port))
        time.sleep(2)
        waiting = [row for row in table("conns")
                   if row["local"] == f"10.0.2.1:{Glue.port}"
                   and row["state"] == "ESTABLISHED"]
        self.assertEqual(len(waiting), backlog + 1)
        for _ in socks:
            self.addCleanup(abort, server.accept()[0])
        for sock in socks:
            self.assertEqual(select.select([], [sock], [], 60)[1], [sock])
            self.assertEqual(
                sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0)

    @exact_clock
    def test_burst(self):
        """30 clients at once where 5 may wait, and a server that accepts: nobody
        waits for a SYN to come again; TCP is faster, as its clients probe before
        they time out (6 s)"""
        self.net.netem("delay 10ms")
        self.addCleanup(self.net.netem, "delay 0")
        for family in FAMILIES:
            self.assertLess(self.serve(family, IPPROTO_CHALK), 2)
            self.assertLess(self.serve(family, socket.IPPROTO_TCP), 2)

    def serve(self, family, protocol) -> float:
        """Each client sends a byte and waits for one. Return: seconds, until
        all have it."""
        with inside("bob"):
            server = socket.socket(family, socket.SOCK_STREAM, protocol)
        self.addCleanup(server.close)
        server.bind((ADDRESS["bob", family], 0))
        server.listen(5)
        with inside("alice"):
            socks = [socket.socket(family, socket.SOCK_STREAM, protocol)
                     for _ in range(30)]
        clients, conns, done = {sock.fileno(): sock for sock in socks}, {}, 0
        poller = select.poll()
        poller.register(server, select.POLLIN)
        begin = time.monotonic()
        for sock in socks:
            self.addCleanup(sock.close)
            sock.setblocking(False)
            sock.connect_ex(server.getsockname())
            poller.register(sock, select.POLLOUT)
        while done < len(clients) and time.monotonic() < begin + 60:
            for number, _ in poller.poll(1000):
                sock = clients.get(number)
                if number == server.fileno():
                    conn = server.accept()[0]
                    self.addCleanup(conn.close)
                    conns[conn.fileno()] = conn
                    poller.register(conn, select.POLLIN)
                elif not sock:
                    poller.unregister(number)
                    self.assertEqual(conns[number].recv(1), b"x")
                    conns[number].send(b"y")
                elif select.select([sock], [], [], 0)[0]:
                    self.assertEqual(sock.recv(1), b"y")
                    poller.unregister(sock)
                    done += 1
                else:
                    sock.send(b"x")
                    poller.modify(sock, select.POLLIN)
        self.assertEqual(done, len(clients))
        return time.monotonic() - begin


class TimeWait(Glue):
    """what is left of a connection answers as it did"""

    def test_mark(self):
        """a FIN again, where only a marked packet finds a way (1.5 s)"""
        for family in FAMILIES:
            command, gateway = ip(family), GATEWAY[family]
            with Tap("router", "ra") as tap:
                sock, conn = self.pair(family, options=[
                    (socket.SOL_SOCKET, socket.SO_MARK, 7)])
                sock.close()
                self.assertEqual(conn.recv(1), b"")
                conn.close()
                time.sleep(0.1)
                fin = [p for p in tap.packets(outgoing=True)
                       if p["flags"] & FIN][-1]
            sh(f"{command} -n alice rule add fwmark 7 lookup 100")
            sh(f"{command} -n alice route add default via {gateway} table 100")
            sh(f"{command} -n alice route del default")
            try:
                with Tap("router", "ra") as tap:
                    tap.sock.send(fin["frame"])
                    time.sleep(0.2)
                    answers = tap.packets()
            finally:
                sh(f"{command} -n alice route add default via {gateway}")
                sh(f"{command} -n alice rule del fwmark 7 lookup 100")
            self.assertEqual([p["flags"] for p in answers], [ACK])
            self.assertEqual(answers[0]["ack"], fin["seq"] + 1)

    def test_flow_label(self):
        """a FIN again: its ACK has the label that all had (0.5 s)"""
        with Tap("router", "ra") as tap:
            sock, conn = self.pair(socket.AF_INET6)
            sock.close()
            self.assertEqual(conn.recv(1), b"")
            conn.close()
            time.sleep(0.1)
            fin = [p for p in tap.packets(outgoing=True)
                   if p["flags"] & FIN][-1]
            labels = {p["label"] for p in tap.packets()}
            tap.sock.send(fin["frame"])
            time.sleep(0.2)
            again = tap.packets()
        self.assertEqual([p["flags"] for p in again], [ACK])
        self.assertNotEqual(labels, {0})
        self.assertEqual({p["label"] for p in again}, labels)


class Path(Glue):
    """the way to bob changes"""

    def test_another_way_after_a_timeout(self):
        """SO_TXREHASH: what is sent again has another flow label (0.5 s)"""
        for rehash, most in ((1, 9), (0, 1)):
            sock, _ = self.pair(socket.AF_INET6, options=[
                (socket.SOL_SOCKET, SO_TXREHASH, rehash)])
            mend = self.cut()
            with Tap("router", "ra") as tap:
                sock.send(b"x")
                time.sleep(2)
                port = sock.getsockname()[1]
                labels = [p["label"] for p in tap.packets()
                          if p["len"] and p["sport"] == port]
            mend()
            self.assertGreater(len(labels), 2)
            self.assertNotIn(0, labels)
            self.assertEqual(len(set(labels)), min(len(labels), most))

    def test_a_timeout_is_explained(self):
        """silence is ETIMEDOUT; if ICMP told why, it is that: while send()
        holds the socket, or later (2 s)"""
        sh("ip netns exec router sysctl -qw net.ipv4.icmp_ratelimit=0"
           " net.ipv6.icmp.ratelimit=0")
        self.addCleanup(self.net.netem, "delay 0")
        for family, number in ((socket.AF_INET, errno.EHOSTUNREACH),
                               (socket.AF_INET6, errno.ENETUNREACH)):
            self.assertEqual(self.end(family, "loss 100%"), errno.ETIMEDOUT)
            command = f"{ip(family)} -n router route %s unreachable" \
                      f" {ADDRESS['bob', family]}"
            for delay in ("delay 0", "delay 10ms"):
                self.assertEqual(self.end(family, delay, command), number)

    def end(self, family, netem: str, route="") -> int:
        """The errno of a connection with such a network, and such a route."""
        self.net.netem("delay 0")
        sock, _ = self.pair(family, options=[
            (socket.SOL_TCP, socket.TCP_USER_TIMEOUT, 1500)])
        self.net.netem(netem)
        if route:
            sh(route % "add")
        try:
            sock.send(b"x")
            sock.recv(1)
        except OSError as why:
            return why.errno
        finally:
            if route:
                sh(route % "del")
        return 0

    def test_neighbour_is_confirmed(self):
        """as long as ACKs come nobody asks where the neighbour is (RFC 4861
        7.3.1); UDP, which nobody answers, makes alice ask (4 s)"""
        mac = "02:00:00:00:01:a0"
        for family in FAMILIES:
            entry = f"ip -n alice neigh replace {GATEWAY[family]} dev a0" \
                f" lladdr {mac}"
            self.addCleanup(sh, entry + " nud permanent")
            name = "ipv4" if family == socket.AF_INET else "ipv6"
            with inside("alice"):
                udp = socket.socket(family, socket.SOCK_DGRAM)
                with open(f"/proc/sys/net/{name}/neigh/a0/"
                          "delay_first_probe_time", "w",
                          encoding="ascii") as file:
                    file.write("1")
            sock, conn = self.pair(family)
            with udp, Tap("router", "ra") as tap:
                asked = []
                for send in (lambda s=sock, c=conn: (s.send(b"x"), c.recv(1)),
                             lambda u=udp, f=family: u.sendto(
                                 b"x", (ADDRESS["bob", f], 9))):
                    sh(entry + " nud stale")
                    tap.questions()
                    for _ in range(9):
                        send()
                        time.sleep(0.2)
                    asked.append(tap.questions() > 0)
            self.assertEqual(asked, [False, True])

    def test_redirect(self):
        """another router is nearer: believed (1 s)"""
        for family in FAMILIES:
            command, target = ip(family), ADDRESS["bob", family]
            other = OTHER_GATEWAY[family]
            sock, _ = self.pair(family)
            for host, dev in (("alice", "a0"), ("router", "ra")):
                sh(f"ip -n {host} neigh replace {other} dev {dev}"
                   " lladdr 02:00:00:00:02:02 nud permanent")
            self.assertNotIn(other, self.way(family))
            sh(f"{command} -n router route add {target} via {other} dev ra")
            self.addCleanup(sh, f"{command} -n alice route flush cache")
            self.addCleanup(sh, f"{command} -n router route del {target}")
            sock.send(b"x")
            self.assertTrue(wait_until(
                lambda f=family, o=other: o in self.way(f), 5, 0.5))

    def test_metrics_of_a_route(self):
        """initcwnd, advmss, window, rto_min, quickack: as for TCP, for who calls
        and for who is called (2 s)"""
        for family in FAMILIES:
            for host, gateway in (("alice", GATEWAY), ("bob", BOB_GATEWAY)):
                route = f"{ip(family)} -n {host} route {{}} default via" + \
                    f" {gateway[family]}"
                sh(route.format("change") + " initcwnd 3 advmss 700"
                   " window 9000 rto_min 600ms quickack 1")
                self.addCleanup(sh, route.format("replace"))
            for protocol in (IPPROTO_CHALK, socket.IPPROTO_TCP):
                with self.subTest(family=family, protocol=protocol):
                    self.obeys_metrics(family, protocol)

    def obeys_metrics(self, family, protocol):
        """Both ends of a new connection do."""
        with inside("bob"):
            server = socket.socket(family, socket.SOCK_STREAM, protocol)
        with inside("alice"):
            client = socket.socket(family, socket.SOCK_STREAM, protocol)
        with server, client:
            server.bind((ADDRESS["bob", family], 0))
            server.listen()
            client.connect(server.getsockname())
            conn = server.accept()[0]
            with conn:
                for sock in (client, conn):
                    info = info_of(sock)
                    self.assertEqual(info.snd_cwnd, 3)
                    # less the timestamps of each segment
                    self.assertEqual(info.snd_mss, 700 - 12)
                    self.assertGreaterEqual(info.rto, 600000)
                    self.assertEqual(sock.getsockopt(
                        socket.SOL_TCP, socket.TCP_WINDOW_CLAMP), 9000)
                # so many that no ACK is quick by itself
                for _ in range(40):
                    client.send(b"x")
                    conn.recv(1)
                    conn.send(b"x")
                    client.recv(1)
                begin = time.monotonic()
                client.send(b"x")
                self.assertTrue(wait_until(
                    lambda: not info_of(client).unacked, 1, 0.001))
                self.assertLess(time.monotonic() - begin, 0.02)

    @staticmethod
    def way(family) -> str:
        """alice's way to bob."""
        return sh(f"{ip(family)} -n alice route get {ADDRESS['bob', family]}")

    def test_disconnect_forgets_the_route(self):
        """connect() to AF_UNSPEC; then to another host (0.5 s)"""
        for family in FAMILIES:
            sock, _ = self.pair(family)
            self.assertEqual(sock.getsockopt(*MTU[family]), 1500)
            disconnect(sock)
            self.fails(errno.ENOTCONN, sock.getsockopt, *MTU[family])
            with listener("router", 7001, family=family) as server:
                sock.connect((GATEWAY[family], 7001))
                sock.send(b"x")
                self.assertEqual(server.accept()[0].recv(1), b"x")


if __name__ == "__main__":
    unittest.main()
