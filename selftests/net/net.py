# SPDX-License-Identifier: GPL-2.0
"""Hosts as network namespaces, links between them, and what Chalk shows.

    alice 10.0.1.1 ---- 10.0.1.2 router 10.0.2.2 ---- 10.0.2.1 bob
     2001:db8:1::1 ---- 2001:db8:1::2   2001:db8:2::2 ---- 2001:db8:2::1

A bad network is netem in the router (on the sender's own interface it would
report its drops back to the sender), or a Wire: a Python function that sees
every packet and says what becomes of it.
"""

import contextlib
import heapq
import os
import pathlib
import select
import socket
import subprocess
import sys
import threading
import time
import unittest

import rtnl
from rtnl import inside, libc  # noqa: F401

sys.path.append(str(pathlib.Path(__file__).parents[2] / "userspace/chalk"))

import chalk_diag  # noqa: E402 pylint: disable=wrong-import-position

IPPROTO_CHALK = 253
DEBUGFS = "/sys/kernel/debug/chalk"
ALICE, BOB = "10.0.1.1", "10.0.2.1"
ALICE6, BOB6 = "2001:db8:1::1", "2001:db8:2::1"
TIME_WAIT, LISTEN = 6, 10

# For tests that measure times, or that nothing is held up: a busy host would make
# them fail, an ACK may come after the RTO, and two processors overtake each other.
exact_clock = unittest.skipIf(os.environ.get("CHALK_CLOCK") == "real",
                              "asserts times, needs --clock virtual")
# The detectors of the debug kernel take milliseconds themselves.
has_detectors = "debug" in os.uname().release
fast_kernel = unittest.skipIf(has_detectors,
                              "asserts milliseconds, needs a fast kernel")


def sh(command: str) -> str:
    """Run a shell command; its output, or an exception with its errors."""
    done = subprocess.run(command, shell=True, text=True, capture_output=True,
                          check=False)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr.strip()}")
    return done.stdout


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


def lengthen_device_queues(test: unittest.TestCase):
    """A processor takes all that comes from its veths; by default 1,000
    packets, less than a window of slow start."""
    length = pathlib.Path("/proc/sys/net/core/netdev_max_backlog")
    test.addCleanup(length.write_text, length.read_text("ascii"))
    length.write_text("100000", "ascii")


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


@contextlib.contextmanager
def running(args: list, **options):
    """A program, as subprocess.Popen; it is killed where the block fails: else
    the test would wait for it."""
    with subprocess.Popen(args, **options) as program:
        try:
            yield program
        except BaseException:
            program.kill()
            raise


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
    remove_all_hosts()
    for name in names:
        rtnl.add_namespace(name)


def remove_all_hosts():
    """Delete every namespace there is."""
    for name in rtnl.namespaces():
        rtnl.remove_namespace(name)


def is_busy(name: str) -> bool:
    """Whether connections in a namespace go on; the module may be gone."""
    space = os.stat(f"/run/netns/{name}").st_ino
    with contextlib.suppress(FileNotFoundError):
        return any(int(row["netns"]) == space
                   and row["state"] not in ("LISTEN", "TIME_WAIT")
                   for row in table("conns"))
    return False


def end_connections(name: str):
    """Abort those of a namespace, as "chalk ss -K" does."""
    with inside(name):
        diag = chalk_diag.Diag()
    with contextlib.closing(diag.sock):
        for family in (socket.AF_INET, socket.AF_INET6):
            for sock in diag.dump(family, ~(1 << TIME_WAIT | 1 << LISTEN)
                                  & 0xffff):
                diag.kill(sock)


def remove_hosts(names):
    """Delete them with their connections, which closing leaves to go on: what
    they send again would be in the trace of the next test.

    The kernel takes a namespace apart later. Wait for that, unless a socket
    keeps it: its counters would vanish in the middle of the next test.
    """
    with contextlib.ExitStack() as stack:
        lives = [stack.enter_context(rtnl.Life(name)) for name in names]
        for name in names:
            if is_busy(name):
                end_connections(name)
            rtnl.remove_namespace(name)
        wait_until(lambda: all(life.has_ended() for life in lives), 2, 0.01)


class Net:
    """The three hosts. Leaves nothing behind."""

    names = ("alice", "router", "bob")

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.callback(remove_all_hosts)
            add_hosts(self.names)
            self._link("alice", "a0", (ALICE, ALICE6),
                       "ra", ("10.0.1.2", "2001:db8:1::2"))
            self._link("bob", "b0", (BOB, BOB6),
                       "rb", ("10.0.2.2", "2001:db8:2::2"))
            rtnl.write_sysctls("router", {"ipv4.ip_forward": 1,
                                          "ipv6.conf.all.forwarding": 1})
            stack.pop_all()
        return self

    def __exit__(self, *_):
        remove_hosts(self.names)

    @staticmethod
    def _link(host, dev, addrs, router_dev, router_addrs):
        # a0 and b0 are bytes, too
        mac, router_mac = (bytes((2, 0, 0, 0, side, int(dev, 16)))
                           for side in (0, 1))
        rtnl.add_veth(host, dev, "router", router_dev, mac, router_mac)
        for space, name in ((host, dev), ("router", router_dev)):
            rtnl.offloads_off(space, name)
        rtnl.bring_up((host, dev), ("router", router_dev))
        for addr, router_addr, length in zip(addrs, router_addrs, (24, 64)):
            rtnl.add_address(host, dev, addr, length)
            rtnl.add_address("router", router_dev, router_addr, length)
            rtnl.add_route(host, via=router_addr)
            # a bad network does not make neighbours strangers
            rtnl.add_neighbour(host, dev, router_addr, router_mac)
            rtnl.add_neighbour("router", router_dev, addr, mac)

    @staticmethod
    def netem(rules: str):
        """The same rules for both directions."""
        batch = "".join(f"qdisc replace dev {dev} root netem {rules}\n"
                        for dev in ("ra", "rb"))
        subprocess.run(["tc", "-n", "router", "-batch", "-"], input=batch,
                       text=True, check=True)


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
        with contextlib.ExitStack() as stack:
            stack.callback(remove_all_hosts)
            add_hosts(self.names)
            self._host("alice", "a0", self.macs[0], ALICE, BOB)
            self._host("bob", "b0", self.macs[1], BOB, ALICE)
            for dev in ("wa", "wb"):
                with inside("wire"):
                    end = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                        socket.htons(0x0800))
                self.ends.append(stack.enter_context(end))
                end.bind((dev, 0x0800))
            stack.pop_all()
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
        rtnl.add_veth(name, dev, "wire", wire, mac)
        rtnl.add_address(name, dev, addr, 32)
        rtnl.offloads_off(name, dev)
        rtnl.bring_up((name, dev), ("wire", wire), flags=rtnl.IFF_NOARP)
        rtnl.add_route(name, to=peer, dev=dev)

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
