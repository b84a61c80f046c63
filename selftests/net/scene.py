# SPDX-License-Identifier: GPL-2.0
"""Two fresh hosts and a wire that loses what it is told to, and takes forged
packets; for TCP and UDP, or for Chalk.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import heapq
import mmap
import os
import select
import socket
import struct
import threading
import time

from net import ALICE, BOB, Wire, inside, libc, segment_of, wait_until
from rtnl import write_sysctls

TCP, CHALK = 6, 253
DATAGRAMS = {TCP: 17, CHALK: 254}
FIN, SYN, RST, ACK = 1, 2, 4, 16
PORT = 7000

# Chalk has no SACK yet, and neither TLP nor RACK nor F-RTO.
ALIKE = {f"ipv4.tcp_{key}": 0 for key in (
    "sack", "early_retrans", "recovery", "frto", "syncookies", "autocorking")}
ALIKE |= {"ipv4.tcp_no_metrics_save": 1, "ipv4.tcp_congestion_control": "reno",
          "ipv4.icmp_ratelimit": 0}


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
        self.fd = libc.syscall(323, os.O_CLOEXEC | os.O_NONBLOCK)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "userfaultfd")
        at = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self.range = struct.pack("QQ", at, mmap.PAGESIZE)
        fcntl.ioctl(self.fd, self.API, struct.pack("QQQ", 0xaa, 0, 0))
        fcntl.ioctl(self.fd, self.REGISTER,
                    self.range + struct.pack("QQ", 1, 0))

    def wait(self):
        """Until somebody does."""
        poller = select.poll()
        poller.register(self.fd, select.POLLIN)
        assert poller.poll(60000), "nobody touches it"

    def release(self):
        """Let them go on."""
        fcntl.ioctl(self.fd, self.ZEROPAGE,
                    self.range + struct.pack("QQ", 0, 0))
        os.close(self.fd)


@contextlib.contextmanager
def locked(sock):
    """A socket that has a byte to read is locked meanwhile: a recv() waits for
    its memory."""
    stuck = Stuck()
    reader = threading.Thread(target=sock.recv_into, args=(stuck.memory, 1))
    reader.start()
    try:
        stuck.wait()
        yield
    finally:
        stuck.release()
        reader.join()


class Scene:
    """alice, bob and a wire, for one protocol."""

    def __init__(self, protocol: int):
        self.protocol = protocol
        self.stack = contextlib.ExitStack()
        self.losing = lambda seg, to_bob: False
        self.last = {}

    def __enter__(self):
        self.wire = self.stack.enter_context(Wire(self.judge))
        for host in ("alice", "bob"):
            write_sysctls(host, ALIKE)
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

    def keep(self, sock: socket.socket) -> socket.socket:
        """Reset it at the end, if it is still open: the wire goes then, and a
        FIN would never be answered."""
        def reset():
            if sock.fileno() >= 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                struct.pack("ii", 1, 0))
            sock.close()
        sock.settimeout(100)
        self.stack.callback(reset)
        return sock

    def socket(self, host: str, kind=socket.SOCK_STREAM) -> socket.socket:
        """A socket of this host."""
        protocol = self.protocol
        if kind == socket.SOCK_DGRAM:
            protocol = DATAGRAMS[protocol]
        with inside(host):
            sock = socket.socket(socket.AF_INET, kind, protocol)
        return self.keep(sock)

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
        server = self.keep(listener.accept()[0])
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
        wait_until(lambda: packet not in [row[3] for row in list(wire.queue)],
                   10, 0.01)

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
