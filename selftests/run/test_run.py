# SPDX-License-Identifier: GPL-2.0
"""chalk run in the VM: programs that nobody changed, and what is on the wire."""

import collections
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import unittest

from net import ALICE, ALICE6, BOB, BOB6, IPPROTO_CHALK, Net, inside, table, wait_until

CHALK = "/usr/local/bin/chalk"
TCP, UDP = socket.IPPROTO_TCP, socket.IPPROTO_UDP
IPPROTO_CHALK_DGRAM = 254
SO_RCVBUFFORCE = 33
ETH_P_IP, ETH_P_IPV6 = 0x0800, 0x86dd
NEIGHBOURS = (socket.IPPROTO_HOPOPTS, socket.IPPROTO_ICMPV6)


def setUpModule():  # pylint: disable=invalid-name
    """make install has been here"""
    shutil.copytree(os.environ["INSTALLED"] + "/usr", "/usr",
                    dirs_exist_ok=True)


def is_bound(host: str, protocol: str, port: int) -> bool:
    """Whether a socket of "tcp" or "udp" waits on @port."""
    states = {"tcp": "0A", "udp": "07"}  # LISTEN, or not connected
    rows = []
    with inside(host):
        for name in (protocol, protocol + "6"):
            with open(f"/proc/thread-self/net/{name}", encoding="ascii") as file:
                rows += [line.split() for line in file.readlines()[1:]]
    return any(row[1].endswith(f":{port:04X}") and row[3] == states[protocol]
               for row in rows)


class Sniffer:
    """Counts the IP protocols that the router sees, while it is open.

    (But what IPv6 says to find its neighbours.)
    """

    def __enter__(self):
        with inside("router"):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                      socket.htons(0x0003))
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.sock.setblocking(False)
        self.seen = collections.Counter()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(BlockingIOError):
            while True:
                data, address = self.sock.recvfrom(64)
                if address[1] == ETH_P_IP:
                    self.seen[data[9]] += 1
                elif address[1] == ETH_P_IPV6 and data[6] not in NEIGHBOURS:
                    self.seen[data[6]] += 1
        self.sock.close()


class Programs(unittest.TestCase):
    """alice and bob, each with programs"""

    def setUp(self):
        self.net = Net()
        self.net.__enter__()
        self.addCleanup(self.net.__exit__)
        # pylint: disable-next=consider-using-with
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)

    @staticmethod
    def on(host: str) -> list:
        """The words before a command; "" is the machine with debugfs."""
        return ["ip", "netns", "exec", host] if host else []

    def start(self, host: str, *command: str, **more) -> subprocess.Popen:
        """A program on @host, ended with the test."""
        # pylint: disable-next=consider-using-with
        program = subprocess.Popen(
            [*self.on(host), *command], text=True,
            stdin=more.pop("stdin", subprocess.DEVNULL),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

        def end():
            program.kill()
            program.wait()
            for pipe in (program.stdin, program.stdout, program.stderr):
                if pipe:
                    pipe.close()
        self.addCleanup(end)
        return program

    def run_on(self, host: str, *command: str, **more):
        """Run it to its end; the result."""
        return subprocess.run([*self.on(host), *command], text=True, capture_output=True, timeout=120,
                              check=False, **more)

    def outputs(self, host: str, *command: str, **more) -> str:
        """Run it, successfully; what it prints."""
        done = self.run_on(host, *command, **more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def wait_for_listener(self, port: int, transport=IPPROTO_CHALK):
        """Until somebody listens on @port."""
        def chalk_listens():
            return any(row["state"] == "LISTEN" and
                       row["local"].endswith(f":{port}")
                       for row in table("conns"))

        def tcp_listens():
            return any(is_bound(host, "tcp", port) for host in ("alice", "bob"))
        self.assertTrue(wait_until(
            chalk_listens if transport == IPPROTO_CHALK else tcp_listens, 60,
            0.2))

    def wait_for_datagrams(self, port: int):
        """Until somebody has bound @port for Chalk's datagrams."""
        self.assertTrue(wait_until(
            lambda: any(row["local"].endswith(f":{port}")
                        for row in table("dgrams")), 60, 0.2))

    def serve_files(self, host: str, port: int, *options: str):
        """python3 -m http.server over Chalk."""
        return self.start(host, CHALK, "run", *options, "python3", "-m",
                          "http.server", str(port), cwd=self.scratch)


class Wire(Programs):
    """It is protocol 253, and nothing else."""

    def test_web(self):
        """curl from python3 -m http.server"""
        page = os.urandom(300_000).hex()
        (self.scratch / "page").write_text(page)
        self.serve_files("bob", 8000)
        self.wait_for_listener(8000)
        with Sniffer() as sniffer:
            got = self.outputs("alice", CHALK, "run", "curl", "-s",
                               f"http://{BOB}:8000/page")
        self.assertEqual(got, page)
        self.assertEqual(set(sniffer.seen), {IPPROTO_CHALK})
        self.assertGreater(sniffer.seen[IPPROTO_CHALK], 400)

    def test_ipv6(self):
        """curl by IPv6 from a server of both versions, and by IPv4"""
        (self.scratch / "page").write_text("by both")
        self.start("bob", CHALK, "run", "python3", "-m", "http.server",
                   "--bind", "::", "8000", cwd=self.scratch)
        self.wait_for_listener(8000)
        for host in (f"[{BOB6}]", BOB):
            with Sniffer() as sniffer:
                got = self.outputs("alice", CHALK, "run", "curl", "-s",
                                   f"http://{host}:8000/page")
            self.assertEqual(got, "by both")
            self.assertEqual(set(sniffer.seen), {IPPROTO_CHALK})

    def test_socat_and_nc(self):
        """what one sends the other gets, in both directions"""
        text = "both ways\n" * 1000
        server = self.start("bob", CHALK, "run", "socat", "-u",
                            "TCP-LISTEN:7,reuseaddr", "STDOUT")
        self.wait_for_listener(7)
        with Sniffer() as sniffer:
            self.outputs("alice", CHALK, "run", "nc", "-N", BOB, "7",
                         input=text)
            self.assertEqual(server.communicate(timeout=60)[0], text)
            server = self.start("bob", CHALK, "run", "nc", "-l", "-N", "9")
            self.wait_for_listener(9)
            self.outputs("alice", CHALK, "run", "socat", "-u", "STDIN",
                         f"TCP:{BOB}:9", input=text)
            self.assertEqual(server.communicate(timeout=60)[0], text)
        self.assertEqual(set(sniffer.seen), {IPPROTO_CHALK})

    def test_datagrams(self):
        """--dgram: protocol 254; without it UDP stays UDP"""
        echo = ("socat", "UDP-RECVFROM:7,fork", "EXEC:cat")
        ask = ("socat", "-t", "2", "STDIO", f"UDP:{BOB}:7")
        self.start("bob", CHALK, "run", "--dgram", *echo)
        self.start("bob", CHALK, "run", *echo)
        self.wait_for_datagrams(7)
        self.assertTrue(wait_until(lambda: is_bound("bob", "udp", 7), 60))
        for options, protocol in ((("--dgram",), IPPROTO_CHALK_DGRAM),
                                  ((), UDP)):
            with Sniffer() as sniffer:
                self.assertEqual(self.outputs("alice", CHALK, "run", *options,
                                              *ask, input="query"), "query")
            self.assertEqual(set(sniffer.seen), {protocol})

    def test_children(self):
        """a shell's programs, through exec and fork"""
        self.serve_files("bob", 8000)
        self.wait_for_listener(8000)
        with Sniffer() as sniffer:
            self.outputs("alice", CHALK, "run", "sh", "-c",
                         f"(exec env curl -s http://{BOB}:8000/) | cat")
        self.assertEqual(set(sniffer.seen), {IPPROTO_CHALK})

    def test_tcp_is_another_world(self):
        """a server over TCP and one over Chalk have the same port"""
        self.start("bob", "socat", "TCP-LISTEN:80,fork", "SYSTEM:echo tcp")
        self.start("bob", CHALK, "run", "socat", "TCP-LISTEN:80,fork",
                   "SYSTEM:echo chalk")
        self.wait_for_listener(80)
        self.wait_for_listener(80, TCP)
        client = ("socat", "-u", f"TCP:{BOB}:80", "STDOUT")
        self.assertEqual(self.outputs("alice", CHALK, "run", *client),
                         "chalk\n")
        self.assertEqual(self.outputs("alice", *client), "tcp\n")

    def test_asked_by_the_program(self):
        """SO_PROTOCOL is the truth; SOL_TCP is taken"""
        self.assertEqual(self.outputs(
            "alice", CHALK, "run", "python3", "-c",
            "from socket import *\n"
            "s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)\n"
            "s.setsockopt(SOL_TCP, TCP_NODELAY, 1)\n"
            "print(s.getsockopt(SOL_SOCKET, SO_PROTOCOL),"
            " s.getsockopt(SOL_SOCKET, SO_DOMAIN) == AF_INET,"
            " s.getsockopt(SOL_TCP, TCP_NODELAY))"), "253 True 1\n")


class Choice(Programs):
    """--only and --ports"""

    def test_only(self):
        """TCP -> a proxy -> Chalk -> a proxy -> TCP"""
        (self.scratch / "page").write_text("through two proxies")
        self.start("bob", "python3", "-m", "http.server", "8000",
                   cwd=self.scratch)
        self.start("bob", CHALK, "run", "--only", "listen", "socat",
                   "TCP-LISTEN:7000,fork", "TCP:127.0.0.1:8000")
        self.start("alice", CHALK, "run", "--only", "connect", "socat",
                   "TCP-LISTEN:7000,fork", f"TCP:{BOB}:7000")
        self.wait_for_listener(7000)
        self.wait_for_listener(7000, TCP)
        self.wait_for_listener(8000, TCP)
        with Sniffer() as sniffer:
            got = self.outputs("alice", "curl", "-s",
                               "http://127.0.0.1:7000/page")
        self.assertEqual(got, "through two proxies")
        self.assertEqual(set(sniffer.seen), {IPPROTO_CHALK})

    def test_only_listen_beside_tcp(self):
        """its port may be taken in TCP"""
        self.start("bob", "socat", "TCP-LISTEN:80,fork", "SYSTEM:echo tcp")
        self.wait_for_listener(80, TCP)
        self.start("bob", CHALK, "run", "--only", "listen", "socat",
                   "TCP-LISTEN:80,fork", "SYSTEM:echo chalk")
        self.wait_for_listener(80)

    def test_ports(self):
        """each of two servers in its own transport"""
        listed = "7001,9000-9100"
        for port in (7001, 7002):
            self.start("bob", CHALK, "run", "--ports", listed, "socat",
                       f"TCP-LISTEN:{port},fork", f"SYSTEM:echo {port}")
        self.wait_for_listener(7001)
        self.wait_for_listener(7002, TCP)
        for port, transport in ((7001, IPPROTO_CHALK), (7002, TCP)):
            with Sniffer() as sniffer:
                self.assertEqual(self.outputs(
                    "alice", CHALK, "run", "--ports", listed, "socat", "-u",
                    f"TCP:{BOB}:{port}", "STDOUT"), f"{port}\n")
            self.assertEqual(set(sniffer.seen), {transport})

    def test_ports_of_datagrams(self):
        """one client, two servers: the port tells which transport"""
        run = (CHALK, "run", "--dgram", "--ports", "53")
        for port in (53, 54):
            self.start("bob", *run, "socat", f"UDP-RECVFROM:{port},fork",
                       "EXEC:cat")
        self.wait_for_datagrams(53)
        self.assertTrue(wait_until(lambda: is_bound("bob", "udp", 54), 60))
        with Sniffer() as sniffer:
            self.assertEqual(self.outputs("alice", *run, "python3", "-c", f"""
from socket import *
s = socket(AF_INET, SOCK_DGRAM)
s.settimeout(9)
for port in (53, 54, 53):
    s.sendto(str(port).encode(), ("{BOB}", port))
    print(s.recv(9).decode(), s.getsockopt(SOL_SOCKET, SO_PROTOCOL))
"""), "53 254\n54 17\n53 254\n")
        self.assertEqual(set(sniffer.seen), {IPPROTO_CHALK_DGRAM, UDP})

    def test_exchanged_socket_works(self):
        """options, non-blocking connect, epoll from before: asyncio"""
        self.start("bob", CHALK, "run", "socat", "TCP-LISTEN:7,fork",
                   "EXEC:cat")
        self.wait_for_listener(7)
        self.assertEqual(self.outputs(
            "alice", CHALK, "run", "--only", "connect", "python3", "-c",
            f"""
import select
from socket import *
s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK)
s.setsockopt(SOL_TCP, TCP_NODELAY, 1)
s.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1)
s.bind(("{ALICE}", 0))
name = s.getsockname()
poll = select.epoll()
poll.register(s, select.EPOLLOUT | select.EPOLLIN)
print(s.connect_ex(("{BOB}", 7)), name == s.getsockname())
assert poll.poll(9) == [(s.fileno(), select.EPOLLOUT)]
s.send(b"echo")
poll.modify(s, select.EPOLLIN)
poll.poll(9)
print(s.recv(9).decode(), s.getsockopt(SOL_SOCKET, SO_PROTOCOL),
      s.getsockopt(SOL_TCP, TCP_NODELAY),
      s.getsockopt(SOL_SOCKET, SO_KEEPALIVE))
"""), "115 True\necho 253 1 1\n")


    def test_back_to_tcp(self):
        """--only listen: who binds may connect after all"""
        self.start("bob", "socat", "TCP6-LISTEN:7,fork", "EXEC:cat")
        self.wait_for_listener(7, TCP)
        for here, there in ((ALICE, BOB), (ALICE6, BOB6)):
            self.assertEqual(self.outputs(
                "alice", CHALK, "run", "--only", "listen", "python3", "-c", f"""
from socket import *
s = socket(AF_INET6 if ":" in "{here}" else AF_INET)
s.bind(("{here}", 5555))
print(s.getsockopt(SOL_SOCKET, SO_PROTOCOL))
s.connect(("{there}", 7))
print(s.getsockopt(SOL_SOCKET, SO_PROTOCOL), *s.getsockname()[:2])
s.send(b"echo")
print(s.recv(9).decode())
"""), f"253\n6 {here} 5555\necho\n")


class Refusals(Programs):
    """What cannot be helped is said."""

    def refused(self, status, words, *command, **more):
        """chalk run COMMAND exits so."""
        done = subprocess.run([CHALK, "run", *command], text=True, check=False,
                              capture_output=True, timeout=60, **more)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertRegex(done.stderr, words)

    def test_go(self):
        """gron of Debian, which is linked dynamically"""
        self.refused(124, "gron is a Go program", "gron", "x")

    def test_setuid(self):
        """su, as nobody"""
        self.refused(124, "su is setuid", "su", user="nobody",
                     env={"PATH": "/usr/bin:/bin"})

    def test_static(self):
        """ldconfig"""
        self.refused(124, "ldconfig is statically linked", "/sbin/ldconfig")

    def test_ordinary_user(self):
        """nobody may"""
        self.serve_files("bob", 8000)
        self.wait_for_listener(8000)
        self.outputs("alice", "setpriv", "--reuid", "nobody", "--clear-groups",
                     CHALK, "run", "curl", "-s", f"http://{BOB}:8000/")

    def test_not_loaded(self):
        """nothing runs, and it says why"""
        def unloaded():
            return not subprocess.run(["rmmod", "chalk"], check=False,
                                      capture_output=True).returncode
        self.assertTrue(wait_until(unloaded, 70, 1))
        try:
            self.refused(125, "chalk.ko is not loaded; run: modprobe chalk",
                         "echo", "no")
        finally:
            subprocess.run(["insmod", "build/"
                            f"{os.environ['CHALK_KERNEL']}/chalk.ko"],
                           check=True)


class Ladder(Programs):
    """What a reader sees of a program's connection."""

    def test_trace(self):
        """curl's request rides behind the handshake, with its cause"""
        self.serve_files("bob", 8000)
        self.wait_for_listener(8000)
        out = self.scratch / "trace.tsv"
        trace = self.start("", CHALK, "trace", "--until-closed", "--out",
                           str(out))
        self.assertTrue(wait_until(out.exists, 60))
        self.outputs("alice", CHALK, "run", "curl", "-s", f"http://{BOB}:8000/")
        trace.wait(timeout=120)
        ladder = self.outputs("", CHALK, "ladder", str(out))
        for words in ("SYN seq=0", "SYN\\+ACK seq=0 ack=1", "FIN\\+ACK",
                      "TIME_WAIT"):
            self.assertRegex(ladder, words)
