# SPDX-License-Identifier: GPL-2.0
"""Hosts as network namespaces, links between them, and what Chalk shows.

    alice 10.0.1.1 ---- 10.0.1.2 router 10.0.2.2 ---- 10.0.2.1 bob
     2001:db8:1::1 ---- 2001:db8:1::2   2001:db8:2::2 ---- 2001:db8:2::1

A bad network is netem in the router (on the sender's own interface it would
report its drops back to the sender), or a Wire: a Python function that sees
every packet and says what becomes of it.
"""

import contextlib
import ctypes
import heapq
import os
import select
import socket
import subprocess
import threading
import time
import unittest

IPPROTO_CHALK = 253
DEBUGFS = "/sys/kernel/debug/chalk"
CLONE_NEWNET = 0x40000000
ALICE, BOB = "10.0.1.1", "10.0.2.1"
ALICE6, BOB6 = "2001:db8:1::1", "2001:db8:2::1"
libc = ctypes.CDLL(None, use_errno=True)

# For tests that measure times: a busy host would make them fail.
exact_clock = unittest.skipIf(os.environ.get("CHALK_CLOCK") == "real",
                              "asserts times, needs --clock virtual")


def sh(command: str) -> str:
    """Run a shell command; its output, or an exception with its errors."""
    done = subprocess.run(command, shell=True, text=True, capture_output=True,
                          check=False)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr.strip()}")
    return done.stdout


@contextlib.contextmanager
def inside(name: str):
    """Everything this thread opens meanwhile belongs to namespace @name."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    away = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        if libc.setns(away, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {name}")
        yield
    finally:
        libc.setns(home, CLONE_NEWNET)
        os.close(home)
        os.close(away)


def chalk_socket(name: str, family=socket.AF_INET) -> socket.socket:
    """A Chalk stream socket in namespace @name; nothing blocks for ever."""
    with inside(name):
        sock = socket.socket(family, socket.SOCK_STREAM, IPPROTO_CHALK)
    sock.settimeout(300)
    return sock


def listener(name: str, port: int, backlog: int = 16,
             family=socket.AF_INET) -> socket.socket:
    """A listening Chalk socket in namespace @name."""
    sock = chalk_socket(name, family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
    sock.listen(backlog)
    return sock


def receive_all(sock, size: int) -> bytes:
    """Exactly @size bytes."""
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise EOFError(f"{len(data)} of {size} bytes")
        data += more
    return data


def carry(source, sink, data: bytes) -> bytes:
    """What arrives at @sink of @data, which buffers need not hold at once."""
    sender = threading.Thread(target=source.sendall, args=(data,), daemon=True)
    sender.start()
    try:
        return receive_all(sink, len(data))
    finally:
        sender.join()


def sysctl(name: str, key: str, value=None) -> str:
    """Read, or write, net.chalk.@key of namespace @name."""
    with inside(name):
        path = f"/proc/sys/net/chalk/{key}"
        if value is not None:
            with open(path, "w", encoding="ascii") as file:
                file.write(str(value))
        with open(path, encoding="ascii") as file:
            return file.read().strip()


def table(name: str) -> list:
    """A debugfs file of tab-separated lines as a list of dicts."""
    with open(f"{DEBUGFS}/{name}", encoding="ascii") as file:
        rows = [line.rstrip("\n").split("\t") for line in file
                if not line.startswith("#")]
    return [dict(zip(rows[0], row)) for row in rows[1:]]


def drops() -> dict:
    """Drop reason -> how often."""
    counts = {}
    for row in table("drops"):
        counts[row["reason"]] = counts.get(row["reason"], 0) + int(row["count"])
    return counts


def wait_until(condition, seconds: float, step: float = 0.05) -> bool:
    """Poll @condition; whether it came true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(step)
    return True


class Trace:
    """Records the events of all connections while it is open."""

    def __init__(self):
        self.fd = os.open(f"{DEBUGFS}/trace", os.O_RDONLY | os.O_NONBLOCK)
        self.text = b""
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        poller = select.poll()
        poller.register(self.fd, select.POLLIN)
        while True:
            last = self.stopping.is_set()
            poller.poll(50)
            try:
                self.text += os.read(self.fd, 1 << 20)
            except BlockingIOError:
                if last:
                    return

    def stop(self) -> list:
        """End it; the records as a list of dicts."""
        self.stopping.set()
        self.thread.join()
        os.close(self.fd)
        lines = self.text.decode("ascii").splitlines()
        lost = [line for line in lines if line.startswith("#")]
        if lost:
            raise RuntimeError(f"the trace has gaps: {lost[0]}")
        names = lines[0].split("\t")
        return [dict(zip(names, line.split("\t"))) for line in lines[1:]]


def add_hosts(names):
    """Namespaces of these names, and no others."""
    sh("ip -all netns del")
    for name in names:
        sh(f"ip netns add {name} && ip -n {name} link set lo up")


def is_busy(name: str) -> bool:
    """Whether connections in a namespace go on; the module may be gone."""
    space = os.stat(f"/run/netns/{name}").st_ino
    with contextlib.suppress(FileNotFoundError):
        return any(int(row["netns"]) == space
                   and row["state"] not in ("LISTEN", "TIME_WAIT")
                   for row in table("conns"))
    return False


def remove_hosts(names):
    """Delete them with their connections, which closing leaves to go on: what
    they send again would be in the trace of the next test."""
    for name in names:
        if is_busy(name):
            sh(f"chalk ss -K -N {name}")
        sh(f"ip netns del {name}")


class Net:
    """The three hosts. Leaves nothing behind."""

    names = ("alice", "router", "bob")

    def __enter__(self):
        add_hosts(self.names)
        self._link("alice", "a0", (ALICE, ALICE6),
                   "ra", ("10.0.1.2", "2001:db8:1::2"))
        self._link("bob", "b0", (BOB, BOB6),
                   "rb", ("10.0.2.2", "2001:db8:2::2"))
        sh("ip netns exec router sysctl -qw net.ipv4.ip_forward=1"
           " net.ipv6.conf.all.forwarding=1")
        return self

    def __exit__(self, *_):
        remove_hosts(self.names)

    @staticmethod
    def _link(host, dev, addrs, router_dev, router_addrs):
        # a0 and b0 are bytes, too
        macs = (f"02:00:00:00:00:{dev}", f"02:00:00:00:01:{dev}")
        sh(f"ip -n {host} link add {dev} address {macs[0]} type veth"
           f" peer name {router_dev} address {macs[1]} netns router")
        # link-local addresses come at once, not after a search for duplicates
        for space, name in ((host, dev), ("router", router_dev)):
            sh(f"ip netns exec {space} sysctl -qw"
               f" net.ipv6.conf.{name}.accept_dad=0")
            sh(f"ip -n {space} link set {name} up")
        for addr, router_addr, length in zip(addrs, router_addrs, (24, 64)):
            sh(f"ip -n {host} addr add {addr}/{length} dev {dev}")
            sh(f"ip -n router addr add {router_addr}/{length}"
               f" dev {router_dev}")
            sh(f"ip -n {host} route add default via {router_addr}")
            # a bad network does not make neighbours strangers
            sh(f"ip -n {host} neigh replace {router_addr} lladdr {macs[1]}"
               f" dev {dev} nud permanent")
            sh(f"ip -n router neigh replace {addr} lladdr {macs[0]}"
               f" dev {router_dev} nud permanent")
        # one packet is one segment, with the checksum that goes on the wire
        for space, name in ((host, dev), ("router", router_dev)):
            sh(f"ip netns exec {space} ethtool -K {name} tx off rx off"
               " tso off gso off gro off")

    @staticmethod
    def netem(rules: str):
        """The same rules for both directions."""
        for dev in ("ra", "rb"):
            sh(f"ip netns exec router tc qdisc replace dev {dev} root netem"
               f" {rules}")


class Wire:
    """In the place of the router: a function decides about each packet.

    @judge(data, to_bob) gets the IP packet and the direction, and answers with
    the delays, in seconds, after which copies of it arrive: [] loses it.
    """

    names = ("alice", "wire", "bob")
    macs = (b"\2\0\0\0\0\xa0", b"\2\0\0\0\0\xb0")

    def __init__(self, judge):
        self.judge = judge
        self.ends = []
        self.queue = []
        self.count = 0
        self.stopping = False
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        add_hosts(self.names)
        self._host("alice", "a0", self.macs[0], ALICE, BOB)
        self._host("bob", "b0", self.macs[1], BOB, ALICE)
        for dev in ("wa", "wb"):
            with inside("wire"):
                end = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                    socket.htons(0x0800))
            end.bind((dev, 0x0800))
            self.ends.append(end)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join()
        for end in self.ends:
            end.close()
        remove_hosts(self.names)

    @staticmethod
    def _host(name, dev, mac, addr, peer):
        wire = "w" + dev[0]
        sh(f"ip -n {name} link add {dev} address {mac.hex(':')} type veth"
           f" peer name {wire} netns wire")
        sh(f"ip -n {name} addr add {addr}/32 dev {dev}")
        sh(f"ip -n {name} link set {dev} up arp off")
        sh(f"ip -n wire link set {wire} up")
        sh(f"ip -n {name} route add {peer} dev {dev}")
        sh(f"ip netns exec {name} ethtool -K {dev} tx off rx off tso off"
           " gso off gro off")

    def _arrive(self, index: int):
        data, address = self.ends[index].recvfrom(65536)
        if address[2] == socket.PACKET_OUTGOING:
            return
        for delay in self.judge(data, index == 0):
            self.count += 1
            heapq.heappush(self.queue, (time.monotonic() + delay, self.count,
                                        1 - index, data))

    def _deliver(self):
        while self.queue and self.queue[0][0] <= time.monotonic():
            _, _, index, data = heapq.heappop(self.queue)
            dev = ("wa", "wb")[index]
            self.ends[index].sendto(data, (dev, 0x0800, 0, 0,
                                           self.macs[index]))

    def _run(self):
        poller = select.poll()
        for end in self.ends:
            poller.register(end, select.POLLIN)
        numbers = {end.fileno(): i for i, end in enumerate(self.ends)}
        while not self.stopping:
            wait = 0.02
            if self.queue:
                wait = min(wait, max(0, self.queue[0][0] - time.monotonic()))
            for fd, _ in poller.poll(wait * 1000):
                self._arrive(numbers[fd])
            self._deliver()


def segment_of(packet: bytes) -> dict:
    """The fields of a Chalk segment in an IP packet that tests look at."""
    header = (packet[0] & 15) * 4
    seg = packet[header:]
    return {
        "proto": packet[9],
        "seq": int.from_bytes(seg[4:8], "big"),
        "ack": int.from_bytes(seg[8:12], "big"),
        "flags": seg[13],
        "len": len(seg) - (seg[12] >> 4) * 4,
    }
