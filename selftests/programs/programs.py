# SPDX-License-Identifier: GPL-2.0
"""What a script about a program needs. See README.md for how to add one.

    client 10.0.1.1 fd00::1 ---- 10.0.1.2 fd00::2 server

Two hosts, as network namespaces. A script starts its server with serve(),
runs the other side with client(), and asserts on what they print. Around each
test the packets on the wire are counted by their protocol: the test fails if
the programs spoke TCP or UDP behind our back.

From the environment: OVER is chalk or tcp; LOAD is a percentage for the size
of what is transferred; PATIENCE multiplies the time limits.
"""

import contextlib
import ctypes
import functools
import hashlib
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import unittest

import rtnl
from net import (add_hosts, inside, remove_all_hosts, sh, table,  # noqa: F401
                 wait_until)

HERE = pathlib.Path(__file__).resolve().parent
CLIENT, SERVER = "10.0.1.1", "10.0.1.2"
CLIENT6, SERVER6 = "fd00::1", "fd00::2"
OVER = os.environ.get("OVER", "chalk")
LOAD = int(os.environ.get("LOAD", "100"))
PATIENCE = int(os.environ.get("PATIENCE", "1"))

# After an end of input it gives what is on its way half a second; more with -t.
SOCAT = ("socat", "-t", "60")

# What a stream and a datagram are on the wire.
PROTOCOLS = {"chalk": {"stream": 253, "dgram": 254},
             "tcp": {"stream": socket.IPPROTO_TCP, "dgram": socket.IPPROTO_UDP}}


def scaled(amount: int) -> int:
    """@amount, less of it where time is short."""
    return max(1, amount * LOAD // 100)


def sha256(path) -> str:
    """The hash of a file's contents."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Hosts:
    """The two hosts. Leaves nothing behind."""

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.callback(remove_all_hosts)
            add_hosts(["client", "server"])
            rtnl.add_veth("client", "c0", "server", "s0")
            for host, dev, addr, addr6 in (("client", "c0", CLIENT, CLIENT6),
                                           ("server", "s0", SERVER, SERVER6)):
                rtnl.add_address(host, dev, addr, 24)
                rtnl.add_address(host, dev, addr6, 64)
            rtnl.bring_up(("client", "c0"), ("server", "s0"))
            stack.pop_all()
        return self

    def __exit__(self, *_):
        remove_all_hosts()


def protocol_filter(number: int) -> bytes:
    """A classic BPF program: one byte of IP packets of this protocol."""
    code = ((0x30, 0, 0, 0),  # A = first byte
            (0x54, 0, 0, 0xf0),  # A &= 0xf0
            (0x15, 0, 2, 0x40),  # if A == 0x40: IPv4,
            (0x30, 0, 0, 9),  # A = protocol
            (0x05, 0, 0, 2),
            (0x15, 0, 3, 0x60),  # if A == 0x60: IPv6,
            (0x30, 0, 0, 6),  # A = next header
            (0x15, 0, 1, number),
            (0x06, 0, 0, 1),
            (0x06, 0, 0, 0))
    return b"".join(struct.pack("HBBI", *line) for line in code)


class Counter:
    """Counts the packets of a protocol on the server's device.

    Nobody reads the packets: the kernel counts also those that do not fit the
    buffer.
    """

    SO_ATTACH_FILTER = 26
    SOL_PACKET, PACKET_STATISTICS = 263, 6
    ETH_P_ALL = 3

    def __init__(self, protocol: int):
        with inside("server"):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        code = ctypes.create_string_buffer(protocol_filter(protocol))
        self.sock.setsockopt(socket.SOL_SOCKET, self.SO_ATTACH_FILTER,
                             struct.pack("HP", len(code) // 8,
                                         ctypes.addressof(code)))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)
        self.sock.bind(("s0", self.ETH_P_ALL))

    def read(self) -> int:
        """Packets since the last call."""
        count, _ = struct.unpack("II", self.sock.getsockopt(
            self.SOL_PACKET, self.PACKET_STATISTICS, 8))
        return count

    def close(self):
        """End it."""
        self.sock.close()


def listening(host: str, port: int, kind: str) -> bool:
    """Whether a socket of this kind waits on @port of @host."""
    if OVER == "tcp":
        flag = {"stream": "t", "dgram": "u"}[kind]
        return sh(f"ip netns exec {host} ss -Hln{flag} sport = {port}") != ""
    number = str(os.stat(f"/run/netns/{host}").st_ino)
    rows = table({"stream": "conns", "dgram": "dgrams"}[kind])
    return any(row["netns"] == number and row["local"].endswith(f":{port}")
               and row.get("state", "LISTEN") == "LISTEN" for row in rows)


@functools.cache
def environment(kinds: tuple) -> dict:
    """What a program's environment has to be for its sockets to be Chalk's.

    "chalk run" changes nothing else; asked once, it need not be started, which
    takes a while where the kernel checks all it does, for each program.
    """
    if OVER == "tcp":
        return dict(os.environ)
    options = ["--dgram"] if "dgram" in kinds else []
    out = subprocess.run(["chalk", "run", *options, "--", "env", "-0"],
                         check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(line.split("=", 1) for line in out.split("\0") if line)


def command(host: str, argv, user=None) -> list:
    """The command line that runs @argv on @host."""
    line = ["nsenter", f"--net=/run/netns/{host}"]
    if user:
        line += ["setpriv", f"--reuid={user}", f"--regid={user}",
                 "--init-groups"]
    return line + [str(arg) for arg in argv]


class Server:
    """A program that runs until it is told to stop."""

    def __init__(self, argv, log, ends, **popen):
        self.argv = argv
        self.log = log
        self.ends = ends
        with open(log, "wb") as file:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=file,
                stderr=subprocess.STDOUT, **popen)

    def complaint(self, what: str) -> str:
        """@what, and what the program printed."""
        text = self.log.read_text(errors="replace")[-2000:]
        return f"{' '.join(self.argv)}: {what}\n{text}"

    def await_port(self, *where):
        """Until it is listening(); an exception if it does not."""
        wait_until(lambda: listening(*where) or self.process.poll()
                   is not None, 30 * PATIENCE)
        if self.process.poll() is not None:
            raise AssertionError(self.complaint("ended"))
        if not listening(*where):
            raise AssertionError(self.complaint(f"not listening: {where}"))

    def stop(self):
        """End it gently; it must obey."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            status = self.process.wait(30 * PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(self.complaint("did not stop")) from None
        if status not in (self.ends, -signal.SIGTERM):
            raise AssertionError(self.complaint(f"ended with {status}"))


class Program(unittest.TestCase):
    """The base of the scripts.

    @kinds says what the programs of every test use: "stream", "dgram", both.
    """

    kinds = ("stream",)

    @classmethod
    def setUpClass(cls):
        cls.enterClassContext(Hosts())
        cls.dir = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        cls.dir.chmod(0o755)
        cls.counters = {}
        for over, numbers in PROTOCOLS.items():
            for kind, number in numbers.items():
                counter = Counter(number)
                cls.addClassCleanup(counter.close)
                cls.counters[over, kind] = counter

    @classmethod
    def serve(cls, *argv, port, host="server", kind=None, user=None,
              ends=0, **popen) -> Server:
        """Start a server and wait until it listens on @port.

        @kind is that of the port, the first of @kinds unless said; @ends is
        the exit status when it is told to stop.
        """
        log = cls.dir / f"{pathlib.Path(argv[0]).name}-{port}.log"
        server = Server(command(host, argv, user), log, ends,
                        env=environment(cls.kinds), **popen)
        try:
            server.await_port(host, port, kind or cls.kinds[0])
        except AssertionError:
            server.process.kill()
            raise
        cls.addClassCleanup(server.stop)
        return server

    @classmethod
    def client(cls, *argv, status=0, host="client", seconds=60, text=True,
               **run):
        """Run a program to its end; its output."""
        if "input" not in run:
            run["stdin"] = subprocess.DEVNULL
        run = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **run}
        done = subprocess.run(command(host, argv), env=environment(cls.kinds),
                              timeout=seconds * PATIENCE, text=text,
                              check=False, **run)
        if done.returncode != status:
            raise AssertionError(f"{argv}: status {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return done.stdout

    @classmethod
    def file(cls, name: str, size: int) -> pathlib.Path:
        """A file of @size bytes that do not repeat."""
        path = cls.dir / name
        with open(path, "wb") as file:
            file.write(os.urandom(size))
        path.chmod(0o644)
        return path

    def setUp(self):
        for counter in self.counters.values():
            counter.read()

    def tearDown(self):
        packets = {key: counter.read()
                   for key, counter in self.counters.items()}
        for (over, kind), count in packets.items():
            if over != OVER:
                self.assertEqual(count, 0, f"{kind} packets over {over}")
        for kind in self.kinds:
            self.assertGreater(packets[OVER, kind], 0,
                               f"no {kind} packet over {OVER}")


@contextlib.contextmanager
def running(argv, host="client", kinds=("stream",), **popen):
    """A program that is killed, if need be, when the context ends."""
    with subprocess.Popen(command(host, argv), env=environment(kinds),
                          **popen) as process:
        try:
            yield process
        finally:
            process.kill()
