# SPDX-License-Identifier: GPL-2.0
"""What is to be counted: scenarios that TCP and Chalk can both play.

A scenario is a function with one parameter, a Scene. It is played with TCP and
with Chalk. @scenario names what it must count, and what may differ between the
two; its first line says why.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time

from net import ALICE, BOB, inside, sh, sysctl, wait_until
from scene import (CHALK, DATAGRAMS, FIN, PORT, RST, SYN, checksum, ip_packet,
                   is_ack_of_bob, is_data, locked)

MSS = 1448
SO_RCVBUFFORCE, SO_MEMINFO = 33, 55
# TCP lays more memory on a segment, and prunes for early ones, too.
PRUNING = ("PruneCalled", "RcvPruned", "OfoPruned")
SCENARIOS = []


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


def dropped(sock) -> int:
    """How many packets did not fit into its queue."""
    return struct.unpack("9I", sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO,
                                               36))[8]


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


@scenario("bob TCPSynRetrans", "bob RetransSegs",
          differs=("PassiveOpens", "OutSegs"))
def syn_again(scene):
    """The same SYN twice: the second SYN+ACK is a retransmission; TCP counts it
    in OutSegs, too"""
    scene.listen()
    scene.losing = lambda seg, to_bob: not to_bob
    for _ in range(2):
        scene.put(scene.segment(SYN, 1000))
    time.sleep(0.2)


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
    """More SYNs than fit: of TCP one more than the backlog"""
    sysctl("bob", "max_syn_backlog", 3)
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


@scenario("alice TWRecycled", differs=("DelayedACKs", "TW"))
def recycled(scene):
    """A connection from here takes the port of one in TIME_WAIT"""
    reuse = (socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client, server = scene.connect(reuse, port=41000)
    client.close()
    time.sleep(0.1)
    server.close()
    time.sleep(0.1)
    scene.connect(reuse, port=41000)


@scenario("bob TCPTimeWaitOverflow", differs=("DelayedACKs", "TW"))
def timewait_full(scene):
    """A namespace that may have one TIME_WAIT has two"""
    sysctl("bob", "max_tw_buckets", 1)
    sh("ip netns exec bob sysctl -qw net.ipv4.tcp_max_tw_buckets=1")
    for port in (41000, 41001):
        client, server = scene.connect(port=port)
        server.close()
        time.sleep(0.1)
        client.close()
        time.sleep(0.1)


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


@scenario("bob TCPAbortOnData", "bob OutRsts", differs=("DelayedACKs",))
def after_shutdown(scene):
    """Data for a socket that is shut down in both directions; TCP delays its ACK"""
    client, server = scene.connect()
    server.shutdown(socket.SHUT_RDWR)
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
          differs=WINDOWS + PRUNING + (
              "TCPToZeroWindowAdv", "TCPRcvQDrop", "TCPTimeouts",
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
    """Data where the window is shut, not where it rounds down to nothing"""
    sysctl("bob", "window_scaling", 0)
    sh("ip netns exec bob sysctl -qw net.ipv4.tcp_window_scaling=0")
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
          differs=PRUNING + ("TCPOFODrop", "TCPOFOQueue", "InSegs", "OutSegs",
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


@scenario("bob LockDroppedIcmps", differs=("DelayedACKs", "OutSegs"))
def icmp_for_locked(scene):
    """A message finds the socket locked; ACKs wait for that, too"""
    client, server = scene.connect()
    seen = []
    scene.losing = lambda seg, to_bob: not to_bob and not seen.append(seg)
    server.sendall(b"lost")
    wait_until(lambda: seen, 10)
    message = icmp_about(scene, server, seen[0]["seq"])
    client.sendall(b"x")
    with locked(server):
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
    client.sendall(b"x")
    with locked(server):
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


@scenario("bob UdpMemErrors", differs=("UdpOutDatagrams",))
def datagrams_that_wait(scene):
    """Too many, of all sockets together; each protocol has a limit of its own"""
    reader, sender = (scene.socket("bob", socket.SOCK_DGRAM) for _ in "rs")
    reader.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 29)
    reader.bind((BOB, PORT))
    for _ in range(8000):
        sender.sendto(bytes(60000), (BOB, PORT))
        if dropped(reader):
            break


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
