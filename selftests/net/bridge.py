# SPDX-License-Identifier: GPL-2.0
"""Chalk meets another TCP across a bridge: the table of what they do together.

alice speaks Chalk. Whom she meets speaks TCP: the kernel's on bob (test_bridge.py),
or that of another stack. A play is a function with one parameter, a Meeting; the
table CASES says over which network and with which settings each is played. Every
case is played with Chalk as the caller and as the called, over IPv4 and IPv6.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pathlib
import random
import select
import socket
import struct
import subprocess
import termios
import threading
import time
from concurrent import futures
from typing import Callable, NamedTuple

from glue import ADDRESS, abort
from net import carry, inside, receive_all, sh, table, wait_until

# net.py has told where these are
import chalk_bridge  # pylint: disable=wrong-import-order
import chalk_diag  # pylint: disable=wrong-import-order
import chalk_rtnl  # pylint: disable=wrong-import-order

TCP, CHALK = 6, 253
PROTOCOL = {"alice": CHALK, "bob": TCP}
OTHER = {"alice": "bob", "bob": "alice"}
HEADER = {socket.AF_INET: 40, socket.AF_INET6: 60}
STAMPS = 12
# nobody is there; the router says so
NOBODY = {("alice", socket.AF_INET): "10.0.1.77",
          ("bob", socket.AF_INET): "10.0.2.77",
          ("alice", socket.AF_INET6): "2001:db8:1::77",
          ("bob", socket.AF_INET6): "2001:db8:2::77"}
UNREACHABLE = {socket.AF_INET: errno.EHOSTUNREACH,
               socket.AF_INET6: errno.ENETUNREACH}
# a firewall answers with ICMP
REJECTED = 99
SIOCATMARK = 0x8905
ESTABLISHED = 1
TS, WSCALE = 1, 4  # bits of tcpi_options
SIZE = 200000


def bridge_at(host: str, dev: str, wire="chalk", ports=(), peers=()):
    """Make a bridge."""
    with inside(host):
        chalk_bridge.add(chalk_rtnl.Rtnl(), chalk_bridge.Bridge(
            dev, wire, ports, peers))


def counts_of(host: str, dev: str) -> dict:
    """What it has counted: (in or out, name) -> number."""
    with inside(host):
        found = chalk_bridge.find(chalk_rtnl.Rtnl(), dev)
    return {(way, name): n for way, names in zip(("in", "out"), found.counts())
            for name, n in names.items()}


def counters(path: str, group: str, host: str) -> dict:
    """Of one group of a file of /proc."""
    with inside(host), open(f"/proc/thread-self/net/{path}",
                            encoding="ascii") as file:
        rows = [line.split()[1:] for line in file
                if line.startswith(f"{group}:")]
    return {name: int(n) for name, n in zip(*rows)}


def damaged() -> tuple:
    """Segments that arrived with a wrong checksum: at alice, at bob."""
    return (counters("chalk/snmp", "ChalkDrop", "alice")["bad_checksum"],
            counters("snmp", "Tcp", "bob")["InCsumErrors"])


def info(sock) -> dict:
    """TCP_INFO"""
    return chalk_diag.parse_info(
        sock.getsockopt(socket.SOL_TCP, socket.TCP_INFO, 256))


def ioctl(sock, request: int) -> int:
    """An ioctl that answers an int."""
    return struct.unpack("i", fcntl.ioctl(sock, request, bytes(4)))[0]


def data_of(size: int, seed=1) -> bytes:
    """Bytes no two places of which are alike."""
    return random.Random(seed).randbytes(size)


class Meeting:
    """One case: who calls whom, and the sockets of both."""

    port = 3000

    def __init__(self, test, caller: str, family):
        Meeting.port += 1
        self.test, self.family = test, family
        self.caller, self.called = caller, OTHER[caller]
        self.stack = contextlib.ExitStack()
        self.expects_damage = False

    def __enter__(self):
        self.before = damaged()
        return self

    def __exit__(self, kind, *_):
        self.stack.close()
        if kind or self.expects_damage:
            return
        self.test.assertEqual(damaged(), self.before,
                              "the bridge has spoiled checksums")

    # --- sockets ---

    def keep(self, sock, seconds=100):
        """It ends with the case; nothing blocks for ever."""
        sock.settimeout(seconds)
        self.stack.callback(abort, sock)
        return sock

    def socket(self, host: str, *options):
        """A stream of that host's protocol."""
        with inside(host):
            sock = socket.socket(self.family, socket.SOCK_STREAM,
                                 PROTOCOL[host])
        for option in options:
            sock.setsockopt(*option)
        return self.keep(sock)

    def address(self, host: str) -> str:
        return ADDRESS[host, self.family]

    def listen(self, *options):
        """The called listens."""
        sock = self.socket(self.called, (socket.SOL_SOCKET,
                                         socket.SO_REUSEADDR, 1), *options)
        sock.bind((self.address(self.called), self.port))
        sock.listen(64)
        return sock

    def call(self, *options):
        """The caller connects."""
        sock = self.socket(self.caller, *options)
        sock.connect((self.address(self.called), self.port))
        return sock

    def pair(self, calling=(), listening=()) -> tuple:
        """A connection: the caller's end, that of the called."""
        listener = self.listen(*listening)
        client = self.call(*calling)
        server = self.keep(listener.accept()[0])
        listener.close()
        return client, server

    def ends(self, first: str, **options) -> tuple:
        """The same; @first, "caller" or "called", comes first."""
        pair = self.pair(**options)
        return pair if first == "caller" else pair[::-1]

    def begin(self, address: str, port: int):
        """A connect() that nobody waits for."""
        sock = self.socket(self.caller)
        sock.setblocking(False)
        code = sock.connect_ex((address, port))
        self.equal(code, errno.EINPROGRESS)
        return sock

    @contextlib.contextmanager
    def without_network(self, seconds=0.0):
        """Nothing arrives until the block ends, and a while longer."""
        self.test.net.netem("loss 100%")
        try:
            yield
            time.sleep(seconds)
        finally:
            self.test.net.netem("delay 0")

    # --- what must hold ---

    def equal(self, *args):
        """Two things are."""
        self.test.assertEqual(*args)

    def until(self, condition, seconds=10.0):
        """It comes true in time."""
        self.test.assertTrue(wait_until(condition, seconds, 0.01),
                             "does not happen")

    def ends_well(self, sock):
        """The stream of the peer is over, and no error."""
        self.equal(sock.recv(1), b"")

    def is_reset(self, sock):
        """ECONNRESET"""
        with self.test.assertRaises(ConnectionResetError):
            sock.recv(1)

    def has_failed(self, sock, number: int, seconds: float):
        """A connect() that nobody waited for has, in time."""
        poller = select.poll()
        poller.register(sock, select.POLLOUT)
        self.test.assertTrue(poller.poll(seconds * 1000), "nothing happens")
        self.equal(errno.errorcode.get(sock.getsockopt(
            socket.SOL_SOCKET, socket.SO_ERROR)), errno.errorcode[number])

    def passes(self, source, sink, size=1000):
        """Data arrive as they were."""
        data = data_of(size, size)
        self.equal(carry(source, sink, data), data)

    @staticmethod
    def tells(_end) -> bool:
        """An end has TCP_INFO."""
        return True

    def states(self, host: str) -> list:
        """Of that host's ends of this connection."""
        if PROTOCOL[host] == CHALK:
            ends = (row for row in table("conns") if f":{self.port}" in (
                row["local"][-5:], row["remote"][-5:]))
            return [row["state"] for row in ends if row["state"] != "LISTEN"]
        name = "tcp6" if self.family == socket.AF_INET6 else "tcp"
        with inside(host), open(f"/proc/thread-self/net/{name}",
                                encoding="ascii") as file:
            rows = [line.split() for line in file][1:]
        port = f":{self.port:04X}"
        return [chalk_diag.STATES[int(row[3], 16)].replace("-", "_")
                for row in rows if row[1].endswith(port)
                or row[2].endswith(port) if row[3] != "0A"]

    def only_time_wait(self, *hosts):
        """At these ends; nothing is left at the others."""
        self.until(lambda: all(
            self.states(host) == (["TIME_WAIT"] if host in hosts else [])
            for host in (self.caller, self.called)))


# --- plays: a connection begins ---

def handshake(m):
    """Both ends have agreed on the options"""
    ends = m.pair()
    for end in ends:
        found = info(end)
        m.equal(found["state"], ESTABLISHED)
        m.equal(found["options"] & (TS | WSCALE), TS | WSCALE)
        m.equal(found["snd_mss"], 1500 - HEADER[m.family] - STAMPS)
    m.equal(ends[0].getsockname()[:2], ends[1].getpeername()[:2])
    m.equal(ends[1].getsockname()[:2], ends[0].getpeername()[:2])


def crossing(m):
    """RFC 9293 3.5, figure 7: both call, and are one connection"""
    socks = []
    for host, port in ((m.caller, m.port), (m.called, 7)):
        sock = m.socket(host, (socket.SOL_SOCKET, socket.SO_REUSEADDR, 1))
        sock.bind((m.address(host), port))
        sock.setblocking(False)
        socks.append(sock)
    socks[0].connect_ex((m.address(m.called), 7))
    socks[1].connect_ex((m.address(m.caller), m.port))
    m.until(lambda: all(info(sock)["state"] == ESTABLISHED for sock in socks))
    for sock in socks:
        sock.settimeout(100)
    m.passes(*socks)
    m.passes(*socks[::-1])


def refused(m):
    """A port without listener is refused at once"""
    sock = m.begin(m.address(m.called), m.port)
    m.has_failed(sock, errno.ECONNREFUSED, 0.5)


def port_unreachable(m):
    """A firewall's ICMP reaches the socket (RFC 1122 4.2.3.9)"""
    sock = m.begin(m.address(m.called), REJECTED)
    m.has_failed(sock, errno.ECONNREFUSED, 2)


def host_unreachable(m):
    """A router's ICMP does"""
    sock = m.begin(NOBODY[m.called, m.family], m.port)
    m.has_failed(sock, UNREACHABLE[m.family], 2)


def syn_lost(m):
    """It is sent again (RFC 6298 2.1: after a second)"""
    listener = m.listen()
    sock = m.socket(m.caller)
    connect = threading.Thread(target=sock.connect, args=(
        (m.address(m.called), m.port),))
    with m.without_network(0.1):
        connect.start()
    server = m.keep(listener.accept()[0])
    connect.join()
    m.passes(sock, server)


def many(m):
    """20 at once, each with its own data"""
    listener = m.listen()
    socks = [m.begin(m.address(m.called), m.port) for _ in range(20)]
    ends = [m.keep(listener.accept()[0]) for _ in socks]
    peers = {end.getpeername()[1]: end for end in ends}
    for sock in socks:
        sock.settimeout(100)
        sock.sendall(data_of(1000, sock.getsockname()[1]))
    for number, end in peers.items():
        m.equal(receive_all(end, 1000), data_of(1000, number))
    m.equal(len(peers), 20)


# --- plays: data ---

def bulk(up=0, down=0, **options):
    """So many bytes each way arrive as they were."""
    def play(m):
        client, server = m.pair(**options)
        with futures.ThreadPoolExecutor(1) as pool:
            back = pool.submit(m.passes, server, client, down)
            if not all(map(m.tells, (client, server))):
                # lwIP's sockets are for one call at a time
                back.result()
            m.passes(client, server, up)
            back.result()
        return client, server
    return play


def damage(m):
    """What is damaged on the wire stays so, and is dropped at both ends"""
    m.expects_damage = True
    bulk(SIZE, SIZE)(m)
    for before, after in zip(m.before, damaged()):
        m.test.assertGreater(after, before)


def without(bits: int):
    """Neither end uses these options; data pass."""
    def play(m):
        for end in filter(m.tells, bulk(SIZE, SIZE)(m)):
            m.equal(info(end)["options"] & bits, 0)
    return play


def small_segments(**options):
    """Both ends send no more than one has asked for."""
    def play(m):
        for end in bulk(40000, 40000, **options)(m):
            m.equal(info(end)["snd_mss"], 300 - STAMPS)
    return play


def wide_path(m):
    """All links take 9000 bytes: so large are the segments"""
    for end in bulk(SIZE, SIZE)(m):
        m.equal(info(end)["snd_mss"], 9000 - HEADER[m.family] - STAMPS)


def narrow_path(m):
    """A router's last link takes 1400 bytes: the sender learns it (RFC 1191,
    RFC 8201), each way"""
    pair = m.pair()
    for host, (source, sink) in ((m.caller, pair), (m.called, pair[::-1])):
        # a packet that is too large for a device to receive is lost
        link = {"alice": "rb", "bob": "ra"}[host]
        sh(f"ip -n router link set {link} mtu 1400")
        m.passes(source, sink, 40000)
        m.equal(info(source)["snd_mss"], 1400 - HEADER[m.family] - STAMPS)
        sh(f"ip -n router link set {link} mtu 1500")


def request_response(m):
    """Questions and answers, small and large"""
    client, server = m.pair()
    for size in (1, 10, 1000, 1448, 1449, 20000, 1):
        m.passes(client, server, size)
        m.passes(server, client, size + 1)


def urgent(first: str):
    """The mark is where it was set, its byte is apart (RFC 9293 3.8.5)."""
    def play(m):
        source, sink = m.ends(first)
        source.sendall(b"before")
        source.send(b"!", socket.MSG_OOB)
        source.sendall(b"behind")
        m.until(lambda: ioctl(sink, termios.FIONREAD) >= 6)
        time.sleep(0.1)
        m.equal(sink.recv(100), b"before")
        m.equal(ioctl(sink, SIOCATMARK), 1)
        m.equal(sink.recv(1, socket.MSG_OOB), b"!")
        m.equal(sink.recv(100), b"behind")
    return play


def delayed_ack(first: str):
    """A lone segment is acknowledged within half a second (RFC 9293
    3.8.6.3)."""
    def play(m):
        source, sink = m.ends(first)
        # the first ACKs are not delayed
        for _ in range(20):
            m.passes(source, sink, 100)
            m.passes(sink, source, 100)
        source.sendall(b"x")
        m.until(lambda: not ioctl(source, termios.TIOCOUTQ), 0.5)
    return play


def nagle(first: str, at_once: int):
    """RFC 9293 3.7.4: small writes wait for the ACK, unless TCP_NODELAY."""
    def play(m):
        source, sink = m.ends(first)
        source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, at_once)
        before = info(source)["data_segs_out"]
        # the initial window lets ten out
        writes = 8 if at_once else 40
        for _ in range(writes):
            source.sendall(b"0123456789")
            time.sleep(0.002)
        m.equal(receive_all(sink, 10 * writes), b"0123456789" * writes)
        segments = info(source)["data_segs_out"] - before
        if at_once:
            m.equal(segments, writes)
        else:
            m.test.assertLess(segments, 12)
    return play


def zero_window(first: str):
    """RFC 9293 3.8.6.1: a shut window is probed, and opens again."""
    small = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 20000)]

    def play(m):
        source, sink = m.ends(first, calling=small, listening=small)
        data = data_of(6 * SIZE)
        sender = threading.Thread(target=source.sendall, args=(data,))
        sender.start()
        time.sleep(5)
        m.test.assertTrue(sender.is_alive(), "nothing has shut")
        m.equal(receive_all(sink, len(data)), data)
        sender.join()
        m.passes(sink, source, SIZE)
    return play


def keeps_alive(first: str):
    """RFC 9293 3.8.4: probes of a silent connection are answered."""
    def play(m):
        one, other = m.ends(first)
        keep_alive(one)
        time.sleep(10)
        m.test.assertLess(info(one)["last_ack_recv"], 2500)
        m.passes(one, other)
        m.passes(other, one)
    return play


def keep_alive(sock):
    """Soon, and not for long"""
    for option, value in ((socket.TCP_KEEPIDLE, 2), (socket.TCP_KEEPINTVL, 1),
                          (socket.TCP_KEEPCNT, 2)):
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def gives_up(first: str):
    """Nobody answers them: ETIMEDOUT."""
    def play(m):
        one, _ = m.ends(first)
        keep_alive(one)
        begin = time.monotonic()
        with m.without_network(), \
                m.test.assertRaises(TimeoutError) as caught:
            one.recv(1)
        m.equal(caught.exception.errno, errno.ETIMEDOUT)
        m.test.assertLess(time.monotonic() - begin, 6)
    return play


def outage(first: str):
    """Five seconds without network: data are sent again (RFC 6298 5)."""
    def play(m):
        source, sink = m.ends(first)
        with m.without_network(5):
            source.sendall(data_of(10000))
        m.equal(receive_all(sink, 10000), data_of(10000))
    return play


# --- plays: a connection ends ---

def closes_first(first: str):
    """The other reads to the end; TIME_WAIT is where the first FIN came from
    (RFC 9293 3.6)."""
    def play(m):
        one, other = m.ends(first)
        one.sendall(b"last words")
        one.close()
        m.equal(receive_all(other, 10), b"last words")
        m.ends_well(other)
        other.close()
        m.only_time_wait(getattr(m, first))
    return play


def close_at_once(m):
    """Both FINs are on their way: TIME_WAIT at both ends (figure 13)"""
    ends = m.pair()
    for end in ends:
        end.shutdown(socket.SHUT_WR)
    for end in ends:
        m.ends_well(end)
        end.close()
    m.only_time_wait(m.caller, m.called)


def half_close(first: str):
    """Data go on the other way (RFC 9293 3.6)."""
    def play(m):
        one, other = m.ends(first)
        one.shutdown(socket.SHUT_WR)
        m.ends_well(other)
        m.passes(other, one, SIZE)
        other.close()
        m.ends_well(one)
        one.close()
        m.only_time_wait(getattr(m, first))
    return play


def close_behind_data(first: str):
    """close() with data in flight: all of it arrives, then the end."""
    def play(m):
        one, other = m.ends(first)
        data = data_of(SIZE)

        def send():
            one.sendall(data)
            one.close()
        thread = threading.Thread(target=send)
        thread.start()
        m.equal(receive_all(other, SIZE), data)
        m.ends_well(other)
        thread.join()
        other.close()
        m.only_time_wait(getattr(m, first))
    return play


def fin_lost(first: str):
    """It is sent again."""
    def play(m):
        one, other = m.ends(first)
        with m.without_network(0.1):
            one.close()
        m.ends_well(other)
        other.close()
        m.only_time_wait(getattr(m, first))
    return play


def reset(first: str):
    """close() with SO_LINGER of no time: a RST, and nothing is left."""
    def play(m):
        one, other = m.ends(first)
        m.passes(one, other)
        abort(one)
        m.is_reset(other)
        m.only_time_wait()
    return play


def abort_unread(first: str):
    """close() with data that nobody has read: a RST (RFC 9293 3.6.1)."""
    def play(m):
        one, other = m.ends(first)
        other.sendall(b"unread")
        time.sleep(0.2)
        one.close()
        m.is_reset(other)
        m.only_time_wait()
    return play


def data_after_close(first: str):
    """Data for somebody who has gone: a RST."""
    def play(m):
        one, other = m.ends(first)
        one.close()
        m.ends_well(other)
        other.sendall(b"too late")
        m.until(lambda: not m.states(m.caller) and not m.states(m.called))
        with m.test.assertRaises((ConnectionResetError, BrokenPipeError)):
            other.sendall(b"later still")
    return play


def forgets(first: str):
    """One end is gone and the other has not heard of it: a RST answers its
    next data (RFC 9293 3.5.1, figure 11)."""
    def play(m):
        one, other = m.ends(first)
        m.passes(one, other)
        with m.without_network():
            abort(one)
        other.sendall(b"still there?")
        m.is_reset(other)
        m.only_time_wait()
    return play


def calls_again(m):
    """The caller is gone, unheard, and calls again from its port: the old
    connection gives way (RFC 9293 3.5.1, figure 10; RFC 5961 4.2)"""
    listener = m.listen()
    sock = m.call()
    port = sock.getsockname()[1]
    old = m.keep(listener.accept()[0])
    m.passes(sock, old)
    with m.without_network():
        abort(sock)
    sock = m.socket(m.caller, (socket.SOL_SOCKET, socket.SO_REUSEADDR, 1))
    sock.bind((m.address(m.caller), port))
    sock.connect((m.address(m.called), m.port))
    m.is_reset(old)
    m.passes(sock, m.keep(listener.accept()[0]))


def slow_reader(first: str):
    """Small reads open the window by little: the sender waits for more than
    that (RFC 9293 3.8.6.2), data arrive in large segments."""
    small = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 20000)]

    def play(m):
        source, sink = m.ends(first, calling=small, listening=small)
        before = info(source)["data_segs_out"]
        data, found = data_of(60000), b""
        sender = threading.Thread(target=source.sendall, args=(data,))
        sender.start()
        while len(found) < len(data):
            time.sleep(0.002)
            found += sink.recv(200)
        sender.join()
        m.equal(found, data)
        m.test.assertLess(info(source)["data_segs_out"] - before, 120)
    return play


def same_port_again(m):
    """A SYN takes the place of a connection in TIME_WAIT (RFC 6191)"""
    listener = m.listen()
    calling = ((socket.SOL_SOCKET, socket.SO_REUSEADDR, 1),)
    port = 0
    for _ in range(2):
        sock = m.socket(m.caller, *calling)
        sock.bind((m.address(m.caller), port))
        port = sock.getsockname()[1]
        sock.connect((m.address(m.called), m.port))
        server = m.keep(listener.accept()[0])
        m.passes(sock, server)
        server.close()
        m.ends_well(sock)
        sock.close()
        m.only_time_wait(m.called)
        time.sleep(1.5)


# --- the table ---

MAXSEG = [(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 300)]
SMALL = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),
         (socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)]
# what netem does between them, both ways
NETS = {"near": "delay 0",
        "far": "delay 10ms limit 10000",
        "loss1": "delay 5ms loss 1% limit 10000",
        "loss5": "delay 5ms loss 5% limit 10000",
        "order": "delay 5ms reorder 20% 50% limit 10000",
        "twice": "delay 5ms duplicate 10% limit 10000",
        "noise": "delay 5ms corrupt 5% limit 10000"}


def set_network(links, rules: str):
    """netem on these devices of the router, with no rules but these: a netem
    that is there would keep what the new rules do not name."""
    batch = "".join(f"qdisc replace dev {dev} root {queue}\n" for dev in links
                    for queue in ("pfifo", f"netem {rules}"))
    subprocess.run(["tc", "-n", "router", "-batch", "-"], input=batch,
                   text=True, check=True)


class Case(NamedTuple):
    """A line of the table."""
    name: str
    play: Callable
    holds: str
    net: str = "near"
    tcp: dict = {}    # settings of bob, net.ipv4.tcp_*
    chalk: dict = {}  # settings of alice, net.chalk.*
    needs: str = ""   # what not every kernel has
    but: str = ""     # forms of it that are not played: their names begin so


NO_OPTIONS = {"timestamps": 0, "window_scaling": 0, "sack": 0}
CASES = (
    Case("handshake", handshake, "the options are agreed on"),
    Case("crossing", crossing, "SYNs cross, one connection", "far"),
    Case("refused", refused, "ECONNREFUSED"),
    # the firewall sums what is not TCP without the pseudo-header
    # (nf_ip_checksum), finds it damaged, and says nothing
    Case("port_unreachable", port_unreachable, "ECONNREFUSED", needs="nft",
         but="tcp_calls_ipv4"),
    Case("host_unreachable", host_unreachable, "EHOSTUNREACH"),
    Case("syn_lost", syn_lost, "connects"),
    Case("many", many, "20 connections, none mixed up"),

    Case("bulk_up", bulk(SIZE), "content"),
    Case("bulk_down", bulk(0, SIZE), "content"),
    Case("bulk_both", bulk(SIZE, SIZE), "content", "far"),
    Case("request_response", request_response, "content"),
    Case("request_response_by_loss", request_response, "content", "loss5"),
    Case("loss1_up", bulk(SIZE), "content", "loss1"),
    Case("loss1_down", bulk(0, SIZE), "content", "loss1"),
    Case("loss5_up", bulk(SIZE), "content", "loss5"),
    Case("loss5_down", bulk(0, SIZE), "content", "loss5"),
    Case("reordered", bulk(SIZE, SIZE), "content", "order"),
    Case("duplicated", bulk(SIZE, SIZE), "content", "twice"),
    Case("damaged", damage, "content; what is damaged is dropped", "noise"),
    Case("outage_up", outage("caller"), "content"),
    Case("outage_down", outage("called"), "content"),

    Case("tcp_without_scaling", without(WSCALE), "content, not used",
         tcp={"window_scaling": 0}),
    Case("chalk_without_scaling", without(WSCALE), "content, not used",
         chalk={"window_scaling": 0}),
    Case("tcp_without_stamps", without(TS), "content, not used",
         tcp={"timestamps": 0}),
    Case("chalk_without_stamps", without(TS), "content, not used",
         chalk={"timestamps": 0}),
    Case("tcp_without_options", without(TS | WSCALE), "content, not used",
         "loss1", tcp=NO_OPTIONS),
    Case("tcp_asks_for_ecn", bulk(SIZE, SIZE), "content", tcp={"ecn": 1}),
    Case("tcp_sends_cookies", bulk(SIZE, SIZE), "content",
         tcp={"syncookies": 2}),
    Case("caller_of_small_segments", small_segments(calling=MAXSEG),
         "both send 300 bytes"),
    Case("called_of_small_segments", small_segments(listening=MAXSEG),
         "both send 300 bytes"),
    Case("small_buffers", bulk(40000, 40000, calling=SMALL, listening=SMALL),
         "content"),

    Case("urgent_up", urgent("caller"), "mark and byte"),
    Case("urgent_down", urgent("called"), "mark and byte"),
    Case("delayed_ack_up", delayed_ack("caller"), "within 0.5 s"),
    Case("delayed_ack_down", delayed_ack("called"), "within 0.5 s"),
    Case("nagle_up", nagle("caller", 0), "few segments", "far"),
    Case("nagle_down", nagle("called", 0), "few segments", "far"),
    Case("nodelay_up", nagle("caller", 1), "one each", "far"),
    Case("nodelay_down", nagle("called", 1), "one each", "far"),
    Case("zero_window_up", zero_window("caller"), "shut, and opens"),
    Case("zero_window_down", zero_window("called"), "shut, and opens"),
    Case("slow_reader_up", slow_reader("caller"), "large segments"),
    Case("slow_reader_down", slow_reader("called"), "large segments"),
    Case("caller_keeps_alive", keeps_alive("caller"), "probes are answered"),
    Case("called_keeps_alive", keeps_alive("called"), "probes are answered"),
    Case("caller_gives_up", gives_up("caller"), "ETIMEDOUT"),
    Case("called_gives_up", gives_up("called"), "ETIMEDOUT"),

    Case("caller_closes", closes_first("caller"), "TIME_WAIT there"),
    Case("called_closes", closes_first("called"), "TIME_WAIT there"),
    Case("both_close", close_at_once, "TIME_WAIT at both", "far"),
    Case("caller_half_closes", half_close("caller"), "data, TIME_WAIT"),
    Case("called_half_closes", half_close("called"), "data, TIME_WAIT"),
    Case("caller_closes_behind_data", close_behind_data("caller"),
         "content, the end", "far"),
    Case("called_closes_behind_data", close_behind_data("called"),
         "content, the end", "far"),
    Case("caller_fin_lost", fin_lost("caller"), "TIME_WAIT there"),
    Case("called_fin_lost", fin_lost("called"), "TIME_WAIT there"),
    Case("caller_resets", reset("caller"), "ECONNRESET, nothing left"),
    Case("called_resets", reset("called"), "ECONNRESET, nothing left"),
    Case("caller_aborts", abort_unread("caller"), "ECONNRESET"),
    Case("called_aborts", abort_unread("called"), "ECONNRESET"),
    Case("data_after_caller_closed", data_after_close("caller"), "RST"),
    Case("data_after_called_closed", data_after_close("called"), "RST"),
    Case("caller_half_closes_by_loss", half_close("caller"), "data", "loss5"),
    Case("called_half_closes_by_loss", half_close("called"), "data", "loss5"),
    Case("caller_closes_by_loss", close_behind_data("caller"),
         "content, the end", "loss5"),
    Case("called_closes_by_loss", close_behind_data("called"),
         "content, the end", "loss5"),
    Case("caller_forgets", forgets("caller"), "ECONNRESET"),
    Case("called_forgets", forgets("called"), "ECONNRESET"),
    Case("calls_again", calls_again, "ECONNRESET, a new connection"),
    Case("same_port_again", same_port_again, "connects in TIME_WAIT"),
)


@contextlib.contextmanager
def settings(host: str, directory: str, values: dict):
    """Other values meanwhile."""
    before = {}
    with inside(host):
        paths = {f"{directory}{key}": value for key, value in values.items()}
        for path, value in paths.items():
            before[path] = pathlib.Path(path).read_text("ascii")
            pathlib.Path(path).write_text(str(value), "ascii")
    try:
        yield
    finally:
        with inside(host):
            for path, value in before.items():
                pathlib.Path(path).write_text(value, "ascii")


def play(case: Case, test, caller: str, family, kind=Meeting):
    """A case, in one of its forms."""
    with settings("bob", "/proc/sys/net/ipv4/tcp_", case.tcp), \
            settings("alice", "/proc/sys/net/chalk/", case.chalk), \
            kind(test, caller, family) as meeting:
        case.play(meeting)


def has_nft() -> bool:
    """The debug kernel has no firewall."""
    return os.path.exists("/usr/sbin/nft") and "debug" not in os.uname().release
