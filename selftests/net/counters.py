# SPDX-License-Identifier: GPL-2.0
"""What is to be counted: scenarios that TCP and Chalk can both play.

A scenario is a function with one parameter, a Scene: two fresh hosts, a wire
between them that loses what the scenario says, and takes forged segments. It
is played with TCP and with Chalk. @scenario names what may differ between the
two, each with its reason, and what counts only where TCP has nothing of the
kind.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import heapq
import mmap
import os
import socket
import struct
import threading
import time

from net import ALICE, BOB, Wire, inside, libc, segment_of, sh, sysctl

TCP, CHALK = 6, 253
DATAGRAMS = {TCP: 17, CHALK: 254}
FIN, SYN, RST, ACK = 1, 2, 4, 16
PORT = 7000
MSS = 1448
SCENARIOS = []

# Chalk has no SACK yet, and neither TLP nor RACK nor F-RTO.
ALIKE = """sysctl -qw net.ipv4.tcp_sack=0 net.ipv4.tcp_early_retrans=0 \
net.ipv4.tcp_recovery=0 net.ipv4.tcp_frto=0 net.ipv4.tcp_syncookies=0 \
net.ipv4.tcp_no_metrics_save=1 net.ipv4.tcp_autocorking=0 \
net.ipv4.tcp_congestion_control=reno net.ipv4.icmp_ratelimit=0"""


def scenario(*expected, differs=()):
    """Mark a scenario. @expected: "host Name" that it must count; @differs:
    names of counters that it does not compare."""
    def mark(function):
        SCENARIOS.append((function, expected, differs))
        return function
    return mark


def read_counters(host: str, protocol: int) -> dict:
    """name -> count; those of datagrams begin with "Udp"."""
    files, groups = ["snmp", "netstat"], {"Tcp": "", "TcpExt": "", "Udp": "Udp"}
    if protocol == CHALK:
        files = ["chalk/snmp"]
        groups = {"Chalk": "", "ChalkExt": "", "ChalkDgram": "Udp"}
    counts = {}
    with inside(host):
        for name in files:
            with open(f"/proc/thread-self/net/{name}", encoding="ascii") as file:
                lines = file.read().splitlines()
            for names, values in zip(lines[::2], lines[1::2]):
                group, names = names.split(":")
                if group in groups:
                    counts.update(zip(
                        [groups[group] + word for word in names.split()],
                        map(int, values.split(":")[1].split())))
    return counts


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip_packet(source: str, to: str, protocol: int, body: bytes) -> bytes:
    """An IPv4 packet."""
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64,
                       protocol, 0, socket.inet_aton(source),
                       socket.inet_aton(to))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


class Stuck:
    """Memory that whoever touches it first waits for, the kernel too
    (userfaultfd): a recv() into it keeps its socket locked."""

    API, REGISTER, ZEROPAGE = 0xc018aa3f, 0xc020aa00, 0xc020aa04

    def __init__(self):
        self.memory = mmap.mmap(-1, mmap.PAGESIZE)
        self.fd = libc.syscall(323, os.O_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "userfaultfd")
        at = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self.range = struct.pack("QQ", at, mmap.PAGESIZE)
        fcntl.ioctl(self.fd, self.API, struct.pack("QQQ", 0xaa, 0, 0))
        fcntl.ioctl(self.fd, self.REGISTER,
                    self.range + struct.pack("QQ", 1, 0))

    def release(self):
        """Let them go on."""
        fcntl.ioctl(self.fd, self.ZEROPAGE,
                    self.range + struct.pack("QQ", 0, 0))
        os.close(self.fd)


class Scene:
    """alice, bob and a wire, for one protocol; @exact: TIME_WAIT and the like
    cost nothing, as the clock is counted."""

    def __init__(self, protocol: int, exact: bool):
        self.protocol = protocol
        self.exact = exact
        self.stack = contextlib.ExitStack()
        self.losing = lambda seg, to_bob: False
        self.last = {}

    def __enter__(self):
        self.wire = self.stack.enter_context(Wire(self.judge))
        for host in ("alice", "bob"):
            sh(f"ip netns exec {host} sh -c '{ALIKE}'")
        return self

    def __exit__(self, *args):
        self.losing = lambda seg, to_bob: False
        return self.stack.__exit__(*args)

    def judge(self, data: bytes, to_bob: bool) -> list:
        """Lose what is to be lost."""
        if data[9] != self.protocol:
            return [0.01]
        seg = segment_of(data)
        if self.losing(seg, to_bob):
            return []
        self.last[to_bob] = data
        return [0.01]

    def lose(self, wanted, n=1):
        """Lose the next @n segments that @wanted(seg, to_bob) picks."""
        left = [n]

        def losing(seg, to_bob):
            if not left[0] or not wanted(seg, to_bob):
                return False
            left[0] -= 1
            return True
        self.losing = losing

    # --- sockets ---

    def socket(self, host: str, kind=socket.SOCK_STREAM) -> socket.socket:
        """A socket that is closed at the end, if not before."""
        protocol = self.protocol
        if kind == socket.SOCK_DGRAM:
            protocol = DATAGRAMS[protocol]
        with inside(host):
            sock = socket.socket(socket.AF_INET, kind, protocol)
        sock.settimeout(100)
        return self.stack.enter_context(sock)

    def listen(self, backlog=8, *options) -> socket.socket:
        """bob listens."""
        sock = self.socket("bob")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for option in options:
            sock.setsockopt(*option)
        sock.bind(("", PORT))
        sock.listen(backlog)
        return sock

    def connect(self, *options, port=0):
        """alice connects. Her socket and bob's; @options are for both."""
        listener = self.listen(8, *options)
        client = self.socket("alice")
        for option in options:
            client.setsockopt(*option)
        client.bind((ALICE, port))
        client.connect((BOB, PORT))
        server = self.stack.enter_context(listener.accept()[0])
        server.settimeout(100)
        listener.close()
        time.sleep(0.1)
        return client, server

    def begin(self, host: str) -> socket.socket:
        """A connect() that nobody waits for."""
        sock = self.socket(host)
        sock.setblocking(False)
        sock.connect_ex((BOB, PORT))
        return sock

    def transfer(self, source, sink, size: int):
        """@size bytes, all read."""
        sender = threading.Thread(target=source.sendall, args=(bytes(size),))
        sender.start()
        while size:
            size -= len(sink.recv(size))
        sender.join()

    # --- forged packets ---

    def put(self, packet: bytes, to_bob=True, wait=0.1):
        """It arrives at bob, or at alice."""
        wire = self.wire
        wire.count += 1
        heapq.heappush(wire.queue, (time.monotonic(), wire.count,
                                    int(to_bob), packet))
        time.sleep(wait)

    def segment(self, flags, seq, ack=0, payload=b"", port=40000, **wrong):
        """A segment of alice's; @wrong: checksum, words, length, options."""
        options = wrong.get("options", b"")
        words = wrong.get("words", 5 + len(options) // 4)
        body = struct.pack("!HHIIBBHHH", port, PORT, seq & 0xffffffff,
                           ack & 0xffffffff, words << 4, flags, 8192, 0, 0)
        body = (body + options + payload)[:wrong.get("length", 100000)]
        pseudo = (socket.inet_aton(ALICE) + socket.inet_aton(BOB) +
                  struct.pack("!BBH", 0, self.protocol, len(body)))
        total = checksum(pseudo + body) ^ wrong.get("checksum", 0)
        return ip_packet(ALICE, BOB, self.protocol,
                         body[:16] + struct.pack("!H", total) + body[18:])

    def forge(self, client, flags=ACK, seq=0, payload=b"", old=False, **wrong):
        """As if alice's connection had sent it, @seq bytes beyond what bob has
        acknowledged."""
        header = self.last[True][20:]
        stamps = header[20:(header[12] >> 4) * 4]
        if stamps and old:
            value = struct.unpack("!I", stamps[4:8])[0] - 100000
            stamps = stamps[:4] + struct.pack("!I", value) + stamps[8:]
        return self.segment(flags, segment_of(self.last[False])["ack"] + seq,
                            segment_of(self.last[True])["ack"], payload,
                            client.getsockname()[1], options=stamps, **wrong)


def is_data(seg, to_bob):
    """From alice to bob, with payload."""
    return to_bob and seg["len"] > 0


def is_ack_of_bob(seg, to_bob):
    """A bare ACK the other way."""
    return not to_bob and not seg["len"] and seg["flags"] == ACK


# --- a connection comes and goes ---

@scenario("alice ActiveOpens", "bob PassiveOpens", "alice OutSegs",
          "alice InSegs", "alice TCPOrigDataSent", "alice TW",
          differs=("DelayedACKs", "TW"))
def transfer(scene):
    """Data both ways, and an end; TCP delays its ACK of a FIN, and its TIME_WAIT
    takes a minute"""
    sysctl("alice", "msl_ms", 500)
    client, server = scene.connect()
    scene.transfer(client, server, 5000)
    scene.transfer(server, client, 5000)
    client.close()
    time.sleep(0.1)
    server.close()
    time.sleep(2)


@scenario("alice CurrEstab", "bob CurrEstab",
          differs=("DelayedACKs", "TW"))
def open_connections(scene):
    """Three connections, one of them half closed"""
    for port in (41000, 41001, 41002):
        client, _ = scene.connect(port=port)
    client.close()
    time.sleep(0.1)


@scenario("alice AttemptFails", "bob OutRsts")
def refused(scene):
    """Nobody listens"""
    with contextlib.suppress(ConnectionRefusedError):
        scene.socket("alice").connect((BOB, PORT))


@scenario("bob TCPTimeouts", "bob TCPSynRetrans", "bob RetransSegs",
          "bob AttemptFails",
          differs=("PassiveOpens", "AttemptFails", "OutSegs"))
def half_open(scene):
    """A SYN, and then silence: records count by RFC 4022, unlike TCP's"""
    scene.listen()
    scene.losing = lambda seg, to_bob: not to_bob
    sysctl("bob", "synack_retries", 2)
    sh("ip netns exec bob sysctl -qw net.ipv4.tcp_synack_retries=2")
    scene.put(scene.segment(SYN, 1000))
    time.sleep(9)


@scenario("bob EmbryonicRsts", "bob AttemptFails",
          differs=("PassiveOpens",))
def embryonic_reset(scene):
    """A SYN, and a RST before the handshake is done"""
    scene.listen()
    scene.losing = lambda seg, to_bob: not to_bob
    scene.put(scene.segment(SYN, 1000))
    scene.put(scene.segment(RST, 1001))


@scenario("bob ListenOverflows", "bob ListenDrops")
def accept_queue(scene):
    """More connections than wait for accept()"""
    scene.listen(0)
    for _ in range(3):
        scene.begin("alice")
        time.sleep(0.1)


@scenario("bob TCPReqQFullDrop", "bob ListenDrops",
          differs=("PassiveOpens",))
def syn_queue(scene):
    """More SYNs than fit"""
    scene.listen(2)
    scene.losing = lambda seg, to_bob: not to_bob
    for port in range(40000, 40005):
        scene.put(scene.segment(SYN, 1000, port=port))


@scenario("bob TCPDeferAcceptDrop", differs=("PassiveOpens",))
def deferred(scene):
    """TCP_DEFER_ACCEPT: a bare ACK does not count"""
    scene.listen(8, (socket.SOL_TCP, socket.TCP_DEFER_ACCEPT, 10))
    scene.begin("alice")
    time.sleep(0.2)


@scenario("bob TWReopened", differs=("DelayedACKs", "TW"))
def reopened(scene):
    """A SYN ends TIME_WAIT; TCP does not count it"""
    client, server = scene.connect(port=41000)
    server.close()
    time.sleep(0.1)
    client.close()
    time.sleep(0.1)
    scene.connect(port=41000)


# --- resets ---

@scenario("bob TCPAbortOnClose", "bob EstabResets", "alice EstabResets",
          "bob OutRsts")
def unread(scene):
    """close() with bytes unread"""
    client, server = scene.connect()
    client.sendall(b"unread")
    time.sleep(0.1)
    server.close()
    time.sleep(0.1)


@scenario("alice TCPAbortOnData", "alice OutRsts")
def linger_zero(scene):
    """close() with SO_LINGER of 0"""
    client, _ = scene.connect()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                      struct.pack("ii", 1, 0))
    client.close()
    time.sleep(0.1)


@scenario("bob TCPAbortOnData",
          differs=("TCPAbortOnData", "TW", "DelayedACKs"))
def after_close(scene):
    """Data for a socket that is closed: for TCP, one in TIME_WAIT"""
    client, server = scene.connect()
    server.close()
    time.sleep(0.1)
    client.sendall(b"too late")
    time.sleep(0.1)


@scenario("alice TCPAbortOnLinger", differs=("DelayedACKs",))
def linger2(scene):
    """TCP_LINGER2 below 0: no FIN_WAIT_2 without a process"""
    client, _ = scene.connect()
    client.setsockopt(socket.SOL_TCP, socket.TCP_LINGER2, -1)
    client.shutdown(socket.SHUT_WR)
    time.sleep(0.1)
    client.close()
    time.sleep(0.1)


@scenario("alice TCPAbortOnTimeout", "alice TCPTimeouts")
def user_timeout(scene):
    """The peer has gone"""
    client, _ = scene.connect()
    client.setsockopt(socket.SOL_TCP, socket.TCP_USER_TIMEOUT, 3000)
    scene.losing = lambda seg, to_bob: True
    client.sendall(b"anybody there?")
    time.sleep(5)


@scenario("alice TCPKeepAlive", "alice TCPAbortOnTimeout", "alice OutRsts")
def keepalive(scene):
    """Two probes that are answered, and three that are not"""
    client, _ = scene.connect()
    for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1),
                          (socket.TCP_KEEPCNT, 3)):
        client.setsockopt(socket.SOL_TCP, option, value)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    time.sleep(2.5)
    scene.losing = lambda seg, to_bob: True
    time.sleep(5)


# --- loss ---

@scenario("alice TCPSynRetrans", "alice TCPTimeouts", "alice RetransSegs")
def syn_lost(scene):
    """The first SYN is lost"""
    scene.lose(lambda seg, to_bob: seg["flags"] & SYN)
    scene.connect()


@scenario("alice TCPFastRetrans", "alice TCPRenoRecovery", "bob TCPOFOQueue")
def one_lost(scene):
    """A segment is lost, six follow it"""
    client, server = scene.connect()
    seen = []
    scene.lose(lambda seg, to_bob: is_data(seg, to_bob) and
               (seen.append(seg) or len(seen) == 4))
    scene.transfer(client, server, 10 * MSS)
    time.sleep(0.1)


@scenario("alice TCPTimeouts", "alice RetransSegs",
          "alice TCPSlowStartRetrans")
def all_lost(scene):
    """A whole window is lost"""
    client, server = scene.connect()
    scene.lose(is_data, 10)
    scene.transfer(client, server, 10 * MSS)
    time.sleep(0.1)


@scenario("alice TCPRenoRecoveryFail", "alice TCPTimeouts")
def lost_twice(scene):
    """So is what fast retransmit sent"""
    client, server = scene.connect()
    seen = []

    def wanted(seg, to_bob):
        if is_data(seg, to_bob):
            seen.append(seg["seq"])
        return is_data(seg, to_bob) and seg["seq"] in seen[3:4]
    scene.lose(wanted, 2)
    scene.transfer(client, server, 10 * MSS)
    time.sleep(0.1)


@scenario("bob DelayedACKLost", "alice RetransSegs")
def ack_lost(scene):
    """An ACK is lost, the segment comes again"""
    client, server = scene.connect()
    scene.lose(is_ack_of_bob)
    scene.transfer(client, server, 100)
    time.sleep(1)


@scenario("alice RetransSegs", differs=("DelayedACKs",))
def fin_lost(scene):
    """A FIN is lost"""
    client, _ = scene.connect()
    scene.lose(lambda seg, to_bob: seg["flags"] & FIN)
    client.shutdown(socket.SHUT_WR)
    time.sleep(1)


@scenario("bob DelayedACKs")
def delayed(scene):
    """Nothing to send that the ACK could ride on"""
    client, server = scene.connect()
    server.setsockopt(socket.SOL_TCP, socket.TCP_QUICKACK, 0)
    scene.transfer(client, server, 100)
    time.sleep(1)


# --- windows ---

def shut_window(scene):
    """alice has sent all that bob's window takes."""
    client, server = scene.connect((socket.SOL_SOCKET, socket.SO_RCVBUF,
                                    8000))
    client.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            client.send(bytes(2000))
    time.sleep(1)
    return client, server


WINDOWS = ("InSegs", "OutSegs", "RetransSegs", "TCPOrigDataSent",
           "TCPZeroWindowDrop", "DelayedACKs", "TCPWinProbe",
           "TCPWantZeroWindowAdv")


@scenario("alice TCPWinProbe", "bob TCPToZeroWindowAdv",
          "bob TCPFromZeroWindowAdv", differs=WINDOWS)
def zero_window(scene):
    """A reader that sleeps; TCP's probes have no data in them"""
    _, server = shut_window(scene)
    time.sleep(5)
    while True:
        server.settimeout(1)
        try:
            server.recv(4096)
        except TimeoutError:
            break


@scenario("bob TCPWantZeroWindowAdv",
          differs=WINDOWS + ("TCPToZeroWindowAdv", "TCPRcvQDrop", "TCPTimeouts",
                             "TCPFastRetrans", "TCPSlowStartRetrans"))
def shrunk_buffer(scene):
    """SO_RCVBUF becomes smaller than the window that was offered"""
    client, server = scene.connect()
    scene.transfer(client, server, 50000)
    client.sendall(bytes(10000))
    time.sleep(0.2)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2000)
    client.sendall(bytes(1000))
    time.sleep(1)


@scenario("bob TCPZeroWindowDrop", differs=WINDOWS)
def beyond_window(scene):
    """Data where the window is shut"""
    client, _ = shut_window(scene)
    scene.put(scene.forge(client, payload=b"x" * 100))


# --- segments that are wrong ---

@scenario("bob InErrs", "bob InCsumErrors", differs=("InErrs",))
def damaged(scene):
    """A bad checksum, and headers that are wrong; TCP passes over one"""
    scene.listen()
    scene.put(scene.segment(SYN, 1000, checksum=1))
    scene.put(scene.segment(SYN, 1000, words=4))
    scene.put(scene.segment(SYN, 1000, words=15))


@scenario("bob TCPSYNChallenge", "bob TCPChallengeACK", differs=("InErrs",))
def forged_syn(scene):
    """A SYN within the window; for TCP it is an error besides"""
    client, _ = scene.connect()
    scene.put(scene.forge(client, SYN, 10))


@scenario("bob TCPChallengeACK")
def forged_rst(scene):
    """A RST within the window, not at its edge"""
    client, _ = scene.connect()
    scene.put(scene.forge(client, RST, 10))


@scenario("bob TCPACKSkippedChallenge",
          differs=("TCPACKSkippedChallenge", "TCPChallengeACK", "InSegs",
                   "OutSegs"))
def many_forged(scene):
    """More of them than are answered; the limits differ"""
    client, _ = scene.connect()
    for _ in range(30):
        scene.put(scene.forge(client, RST, 10))


@scenario("bob PAWSEstab")
def old_timestamp(scene):
    """A segment of long ago"""
    client, _ = scene.connect()
    scene.put(scene.forge(client, payload=b"old", old=True))


@scenario("bob TCPMinTTLDrop")
def too_far(scene):
    """IP_MINTTL"""
    client, server = scene.connect()
    server.setsockopt(socket.SOL_IP, 21, 255)
    client.sendall(b"from afar")
    time.sleep(0.1)


@scenario("bob TCPOFODrop",
          differs=("TCPOFODrop", "TCPOFOQueue", "InSegs", "OutSegs",
                   "TCPWantZeroWindowAdv"))
def many_holes(scene):
    """More holes than are kept"""
    client, _ = scene.connect((socket.SOL_SOCKET, socket.SO_RCVBUF, 8000))
    for n in range(400):
        scene.put(scene.forge(client, seq=1 + 2 * n, payload=b"x"),
                  wait=0.01)


# --- a locked socket, and ICMP ---

def icmp_about(scene, server, seq):
    """ICMP tells bob that his segment @seq did not reach alice."""
    quoted = ip_packet(BOB, ALICE, scene.protocol, struct.pack(
        "!HHI", PORT, server.getpeername()[1], seq))
    body = struct.pack("!BBHI", 3, 1, 0, 0) + quoted
    return ip_packet(ALICE, BOB, 1, body[:2] +
                     struct.pack("!H", checksum(body)) + body[4:])


@scenario("bob OutOfWindowIcmps")
def forged_icmp(scene):
    """A message about a segment that was never sent"""
    _, server = scene.connect()
    scene.put(icmp_about(scene, server, 12345))


@contextlib.contextmanager
def locked(client, server):
    """bob's socket is locked: he reads into memory that does not come."""
    stuck = Stuck()
    client.sendall(b"x")
    reader = threading.Thread(target=server.recv_into,
                              args=(memoryview(stuck.memory),))
    reader.start()
    time.sleep(0.2)
    try:
        yield
    finally:
        stuck.release()
        reader.join()


@scenario("bob LockDroppedIcmps", differs=("DelayedACKs",))
def icmp_for_locked(scene):
    """A message finds the socket locked"""
    client, server = scene.connect()
    seen = []
    scene.losing = lambda seg, to_bob: not to_bob and not seen.append(seg)
    server.sendall(b"lost")
    time.sleep(0.05)
    message = icmp_about(scene, server, seen[0]["seq"])
    with locked(client, server):
        scene.put(message)


@scenario("bob TCPBacklogDrop",
          differs=("TCPBacklogDrop", "InSegs", "OutSegs", "DelayedACKs",
                   "TCPOFOQueue", "DelayedACKLost", "RetransSegs",
                   "TCPTimeouts", "TCPFastRetrans", "TCPSlowStartRetrans",
                   "TCPRenoRecovery", "TCPOrigDataSent", "TCPWinProbe",
                   "TCPRenoRecoveryFail", "TCPToZeroWindowAdv",
                   "TCPWantZeroWindowAdv"))
def full_backlog(scene):
    """Too many segments for a socket that is locked"""
    client, server = scene.connect((socket.SOL_SOCKET, socket.SO_RCVBUF,
                                    4000),
                                   (socket.SOL_SOCKET, socket.SO_SNDBUF,
                                    4000))
    with locked(client, server):
        packet = scene.forge(client, payload=b"x" * 1000)
        for _ in range(200):
            scene.put(packet, wait=0.01)


# --- datagrams ---

@scenario("alice UdpOutDatagrams", "bob UdpInDatagrams", "bob UdpNoPorts",
          "bob UdpInErrors", "bob UdpInCsumErrors", "bob UdpRcvbufErrors")
def datagrams(scene):
    """Some that are read, some that cannot be"""
    bob, alice = (scene.socket(host, socket.SOCK_DGRAM)
                  for host in ("bob", "alice"))
    bob.bind(("", PORT))
    for n in range(5):
        alice.sendto(bytes(n), (BOB, PORT))
    for n in range(5):
        bob.recv(100, socket.MSG_PEEK)
        bob.recv(100)
    alice.sendto(b"nobody", (BOB, PORT + 1))
    scene.put(ip_packet(ALICE, BOB, DATAGRAMS[scene.protocol],
                        struct.pack("!HHHH", 9, PORT, 8, 0x1234)))
    bob.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2000)
    for _ in range(30):
        alice.sendto(bytes(1000), (BOB, PORT))
    time.sleep(0.2)


@scenario("alice UdpSndbufErrors",
          differs=("UdpOutDatagrams", "UdpSndbufErrors", "UdpNoPorts"))
def send_buffer(scene):
    """SO_SNDBUF is full"""
    sh("ip netns exec alice tc qdisc add dev a0 root tbf rate 80kbit"
       " burst 1600 limit 100000")
    alice = scene.socket("alice", socket.SOCK_DGRAM)
    alice.setblocking(False)
    alice.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 5000)
    with contextlib.suppress(BlockingIOError):
        for _ in range(30):
            alice.sendto(bytes(1000), (BOB, PORT))
    time.sleep(1)


@scenario("bob UdpIgnoredMulti")
def multicast(scene):
    """A group that nobody listens to"""
    sh("ip -n bob route add 224.0.0.0/4 dev b0;"
       " ip -n alice route add 224.0.0.0/4 dev a0")
    member, alice = (scene.socket(host, socket.SOCK_DGRAM)
                     for host in ("bob", "alice"))
    member.bind(("", PORT))
    member.setsockopt(socket.SOL_IP, socket.IP_ADD_MEMBERSHIP,
                      socket.inet_aton("224.5.5.5") + socket.inet_aton(BOB))
    alice.sendto(b"all", ("224.5.5.5", PORT + 1))
    time.sleep(0.2)
