# SPDX-License-Identifier: GPL-2.0
"""chalk ss and inet_diag: every socket, its figures, and its end."""

import contextlib
import errno
import importlib.machinery
import importlib.util
import io
import json
import os
import pathlib
import random
import shlex
import socket
import struct
import subprocess
import sys
import unittest

from net import (ALICE, BOB, BOB6, Net, Wire, chalk_socket, exact_clock,
                 inside, listener, segment_of, sh, table, wait_until)

TOOLS = pathlib.Path(__file__).parents[2] / "userspace/chalk"
sys.path.append(str(TOOLS))
import chalk_diag  # noqa: E402

FIN, SYN, RST = 1, 2, 4
NAMES = {"ESTABLISHED": "ESTAB", "SYN_RCVD": "SYN-RECV"}


def load_tool():
    """chalk-ss as a module: starting Python for each call takes long here"""
    loader = importlib.machinery.SourceFileLoader("chalk_ss",
                                                  str(TOOLS / "chalk-ss"))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("chalk_ss", loader))
    loader.exec_module(module)
    return module


TOOL = load_tool()


def ss(host: str, *args: str) -> list:
    """What chalk ss -j says in namespace @host"""
    sys.argv = ["chalk-ss", "-j", *shlex.split(" ".join(args))]
    with inside(host), contextlib.redirect_stdout(io.StringIO()) as out:
        assert TOOL.main() == 0
    return json.loads(out.getvalue())


def one(host: str, *args: str) -> dict:
    """The only socket that matches"""
    found = ss(host, *args)
    assert len(found) == 1, found
    return found[0]


def ends(sock: dict) -> tuple:
    """A socket of ss as the table conns has it: local, remote, state"""
    return tuple(f"{sock[e]['address']}:{sock[e]['port']}"
                 for e in ("local", "peer")) + (sock["state"],)


def conns(*hosts: str) -> list:
    """The sockets of these namespaces as debugfs has them"""
    spaces = {str(os.stat(f"/run/netns/{host}").st_ino) for host in hosts}
    return sorted((r["local"], r["remote"],
                   NAMES.get(r["state"], r["state"].replace("_", "-")))
                  for r in table("conns") if r["netns"] in spaces)


def all_gone() -> bool:
    """Nothing but TIME_WAIT is left"""
    return all(r["state"] == "TIME_WAIT" for r in table("conns"))


class Stage:
    """Alice and Bob with a wire between them that loses what it is told to.

    @lost(segment, to_bob, port) decides; port is the one at Bob's.
    """

    def __init__(self):
        self.lost = lambda segment, to_bob, port: False
        self.socks = []
        self.wire = Wire(self.judge)

    def judge(self, data, to_bob):
        """For Wire"""
        if data[9] != 253:
            return [0.001]
        header = (data[0] & 15) * 4
        at = header + 2 * to_bob
        port = int.from_bytes(data[at:at + 2], "big")
        return [] if self.lost(segment_of(data), to_bob, port) else [0.001]

    def __enter__(self):
        self.wire.__enter__()
        return self

    def __exit__(self, *args):
        # kill what cannot end by itself: the wire goes
        for host in ("alice", "bob"):
            ss(host, "-aK")
        for sock in self.socks:
            sock.close()
        wait_until(all_gone, 60)
        self.wire.__exit__(*args)

    def listen(self, port: int):
        """Bob listens"""
        self.socks.append(listener("bob", port))
        return self.socks[-1]

    def connect(self, port: int, wait: bool = True):
        """Alice connects, or tries to"""
        sock = chalk_socket("alice")
        self.socks.append(sock)
        sock.setblocking(wait)
        sock.connect_ex((BOB, port))
        return sock

    def pair(self, port: int):
        """A connection's two ends"""
        server = self.listen(port)
        client = self.connect(port)
        child = server.accept()[0]
        self.socks.append(child)
        return client, child


class States(unittest.TestCase):
    """Sockets in every state, and the filters"""

    def lost(self, segment, to_bob, port):
        """What makes ends stay in the state that their port stands for"""
        if port == 81:
            return True
        if port == 82:
            return not to_bob
        if port == 85:
            return self.dark and not segment["flags"] & FIN
        return self.dark and (port == 83 or port == 84 and not to_bob)

    def set_up(self, stage):
        """An end in each state there is, by the port at Bob's"""
        self.dark = False
        stage.lost = self.lost
        stage.listen(82)
        pairs = {port: stage.pair(port) for port in (80, 83, 84, 85, 86, 87)}
        for port in (81, 82):
            stage.connect(port, wait=False)
        pairs[86][0].close()
        pairs[86][1].close()
        pairs[84][0].shutdown(socket.SHUT_WR)
        pairs[87][0].shutdown(socket.SHUT_WR)
        self.assertTrue(wait_until(
            lambda: ("10.0.2.1:84", "CLOSE-WAIT") in
            [(c[0], c[2]) for c in conns("bob")], 5))
        self.assertTrue(wait_until(
            lambda: "SYN-RECV" in [c[2] for c in conns("bob")], 5))
        self.dark = True
        pairs[83][0].shutdown(socket.SHUT_WR)
        pairs[84][1].shutdown(socket.SHUT_WR)
        for end in pairs[85]:
            end.shutdown(socket.SHUT_WR)

    def test_all(self):
        """each state, as debugfs has it; each filter shows its share"""
        with Stage() as stage:
            self.set_up(stage)
            self.assertTrue(wait_until(
                lambda: "CLOSING" in [s["state"] for s in ss("alice", "-a")],
                60))
            for host in ("alice", "bob"):
                self.assertTrue(wait_until(lambda: sorted(
                    map(ends, ss(host, "-a"))) == conns(host), 60), host)
            here = {s["state"] for s in ss("alice", "-a")}
            there = {s["state"] for s in ss("bob", "-a")}
            self.assertEqual(here | there, set(chalk_diag.STATES.values())
                             - {"UNCONN"})
            everything = sorted(map(ends, ss("bob", "-a")))
            for name in set(chalk_diag.STATES.values()):
                share = [e for e in everything if e[2] == name]
                self.assertEqual(share, sorted(map(ends, ss(
                    "bob", "state", name.lower()))), name)
                self.assertEqual(
                    [e for e in everything if e not in share],
                    sorted(map(ends, ss("bob", "-a", "exclude",
                                        name.lower()))), name)
            self.assertEqual({s["state"] for s in ss("bob", "-l")}, {"LISTEN"})
            self.assertEqual({s["state"] for s in ss("bob")} &
                             {"LISTEN", "TIME-WAIT", "SYN-RECV"}, set())

    def test_filters(self):
        """by port and address: what the kernel sends is what is asked for"""
        with Stage() as stage:
            for port in (80, 443, 8080):
                stage.pair(port)
                stage.connect(port)
            total = ss("alice", "-a")
            self.assertEqual(len(total), 6)
            for text, ports in (
                    ("dport = :80", [80, 80]), ("dport != :80", [443, 443, 8080, 8080]),
                    ("'dport >= 443'", [443, 443, 8080, 8080]),
                    ("'dport < :443'", [80, 80]), ("sport = 1", []),
                    ("dst 10.0.2.0/24:443", [443, 443]), ("dst 10.0.3.0/24", []),
                    ("src 10.0.1.1 dport 8080", [8080, 8080]),
                    ("'( dport = 80 or dport = 443 ) and not dport = 80'",
                     [443, 443])):
                self.assertEqual(sorted(s["peer"]["port"] for s in
                                        ss("alice", "-a", text)), ports, text)
            self.assertEqual(len(ss("alice", "-4")), 6)
            self.assertEqual(ss("alice", "-6"), [])
            self.assertEqual(len(ss("bob", "-l", "sport = :443")), 1)

    def test_many(self):
        """more than a message holds: each once"""
        with Net():
            server = listener("bob", 80, 300)
            socks = [chalk_socket("alice") for _ in range(300)]
            for sock in socks:
                sock.connect((BOB, 80))
            found = ss("alice")
            self.assertEqual(len({s["local"]["port"] for s in found}), 300)
            self.assertEqual(len(found), 300)
            self.assertEqual(one("bob", "-l")["recv_q"], 300)
            for sock in (*socks, server):
                sock.close()
            self.assertTrue(wait_until(all_gone, 60))

    def test_tcp_is_apart(self):
        """ss does not see ours, chalk ss does not see TCP's"""
        with Net():
            with inside("bob"):
                tcp = socket.create_server(("0.0.0.0", 4242))
            ours = listener("bob", 4343)
            shown = sh("ip netns exec bob ss -Htan")
            self.assertIn(":4242", shown)
            self.assertNotIn(":4343", shown)
            self.assertNotIn(":4343", sh("ip netns exec bob ss -Ha"))
            self.assertEqual([s["local"]["port"] for s in ss("bob", "-a")],
                             [4343])
            tcp.close()
            ours.close()


class Figures(unittest.TestCase):
    """What is said of a socket"""

    def test_owner(self):
        """-p, -e: the process, user and inode"""
        with Net():
            sock = listener("bob", 80)
            shown = one("bob", "-lp")
            self.assertEqual([(p["pid"], p["fd"]) for p in shown["processes"]],
                             [(os.getpid(), sock.fileno())])
            self.assertEqual(shown["inode"], os.fstat(sock.fileno()).st_ino)
            text = sh("chalk ss -N bob -lpen")
            self.assertIn(f"pid={os.getpid()},fd={sock.fileno()}", text)
            self.assertIn(f"ino:{shown['inode']}", text)
            sock.close()

    def test_figures(self):
        """-i, -m and the queues: as the table conns and the buffers"""
        with Stage() as stage:
            client, child = stage.pair(80)
            client.sendall(bytes(20000))
            self.assertTrue(wait_until(
                lambda: one("bob")["recv_q"] == 20000, 5))
            self.assertTrue(wait_until(
                lambda: one("alice")["send_q"] == 0, 5))
            shown = one("alice")
            row = next(r for r in table("conns") if r["remote"] == f"{BOB}:80")
            info = shown["info"]
            self.assertEqual(info["snd_cwnd"],
                             int(row["cwnd"]) // info["snd_mss"])
            self.assertEqual((info["rtt"], info["rto"], info["snd_wnd"]),
                             tuple(int(row[k]) for k in ("srtt", "rto",
                                                         "snd_wnd")))
            self.assertEqual(info["bytes_acked"], 20000)
            self.assertEqual(shown["congestion"], "newreno")
            self.assertEqual(one("bob")["info"]["bytes_received"], 20000)
            memory = one("bob")["skmem"]
            self.assertEqual(memory["rb"], child.getsockopt(
                socket.SOL_SOCKET, socket.SO_RCVBUF))
            self.assertGreaterEqual(memory["r"], 20000)
            text = sh("chalk ss -N alice -tinmoe")
            for word in ("ESTAB", "newreno", "cwnd:", "skmem:(", "<->",
                         "bytes_acked:20000"):
                self.assertIn(word, text)
            stage.lost = lambda *_: True
            client.sendall(bytes(3000))
            self.assertTrue(wait_until(
                lambda: one("alice")["send_q"] == 3000, 5))
            self.assertIn("Chalk: 1 (estab 1, listen 0",
                          sh("chalk ss -N alice -s"))

    def timer(self, host, *args):
        """Its name, seconds left, and retransmissions"""
        shown = one(host, *args)["timer"]
        return shown["name"], shown["expires_ms"] / 1000, shown["retrans"]

    @exact_clock
    def test_timers(self):
        """-o: the timer that runs, when it is due, how often it has fired"""
        with Stage() as stage:
            client, _ = stage.pair(80)
            self.assertNotIn("timer", one("alice"))
            client.setsockopt(socket.SOL_TCP, socket.TCP_KEEPIDLE, 100)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            name, left, retrans = self.timer("alice")
            self.assertEqual((name, retrans), ("keepalive", 0))
            self.assertTrue(99 < left <= 100, left)
            wait_until(lambda: False, 10)
            self.assertTrue(89 < self.timer("alice")[1] <= 90)
            stage.lost = lambda *_: True
            client.sendall(b"x")
            self.assertEqual(self.timer("alice")[::2], ("on", 0))
            self.assertTrue(0 < self.timer("alice")[1] <= 0.25)
            self.assertTrue(wait_until(
                lambda: self.timer("alice")[2] == 3, 10, 0.02))
            row = next(r for r in table("conns") if r["remote"] == f"{BOB}:80")
            self.assertEqual(row["retries"], "3")
            left = self.timer("alice")[1]
            self.assertTrue(1.2 < left <= int(row["rto"]) / 1e6, left)

    @exact_clock
    def test_timer_of_syn_rcvd(self):
        """that of a record is the core's, not the kernel's; one by one too"""
        with Stage() as stage:
            stage.listen(80)
            stage.lost = lambda seg, to_bob, _: not to_bob
            stage.connect(80, wait=False)
            self.assertTrue(wait_until(
                lambda: ss("bob", "state", "syn-recv"), 5, 0.01))
            wanted = ("bob", "state", "syn-recv")
            name, left, retrans = self.timer(*wanted)
            self.assertEqual((name, retrans), ("on", 0))
            self.assertTrue(0.5 < left <= 1, left)
            self.assertTrue(wait_until(
                lambda: self.timer(*wanted)[2] == 2, 10, 0.02))
            left = self.timer(*wanted)[1]
            self.assertTrue(3 < left <= 4, left)
            with inside("bob"):
                diag = chalk_diag.Diag()
            sock, = diag.dump(socket.AF_INET, 1 << 3)
            diag.sock.send(chalk_diag.request(20, 0, socket.AF_INET, 0,
                                              sock.identity))
            (kind, body), = chalk_diag.messages(diag.sock.recv(1 << 16))
            exact = chalk_diag.Socket(body)
            self.assertEqual((kind, exact.state, exact.cookie, exact.local),
                             (20, "SYN-RECV", sock.cookie, sock.local))
            self.assertEqual(exact.timer[2], 2)
            self.assertTrue(3000 < exact.timer[1] <= 4000, exact.timer)

    @exact_clock
    def test_timers_of_the_end(self):
        """TIME_WAIT, and a shut window"""
        with Stage() as stage:
            client, child = stage.pair(80)
            client.close()
            child.close()
            self.assertTrue(wait_until(
                lambda: ss("alice", "state", "time-wait"), 5))
            name, left, _ = self.timer("alice", "state", "time-wait")
            self.assertEqual(name, "timewait")
            self.assertTrue(58 < left <= 60, left)
            client, child = stage.pair(81)
            client.setblocking(False)
            try:
                while True:
                    client.send(bytes(65536))
            except BlockingIOError:
                pass
            self.assertTrue(wait_until(lambda: one("alice").get(
                "timer", {}).get("name") == "persist", 20))

    def test_exact(self):
        """one socket by its name, with the right and with a wrong cookie"""
        with Net():
            sock = listener("bob", 80)
            with inside("bob"):
                diag = chalk_diag.Diag()
            known, = diag.dump(socket.AF_INET, 1 << 10)

            def ask(identity):
                diag.sock.send(chalk_diag.request(20, 0, socket.AF_INET, 0,
                                                  identity))
                return next(chalk_diag.messages(diag.sock.recv(1 << 16)))
            kind, body = ask(known.identity)
            self.assertEqual(kind, 20)
            self.assertEqual(chalk_diag.Socket(body).local, ("0.0.0.0", 80))
            wrong = known.identity[:-8] + bytes([9] * 8)
            self.assertEqual(chalk_diag.error_of(*ask(wrong)), errno.ENOENT)
            self.assertEqual(chalk_diag.error_of(*ask(
                b"\0\x51" + known.identity[2:])), errno.ENOENT)
            sock.close()


class Kill(unittest.TestCase):
    """-K"""

    def errno_of(self, call, *args):
        """How a call fails"""
        with self.assertRaises(OSError) as caught:
            call(*args)
        return caught.exception.errno

    def test_connection(self):
        """ECONNABORTED here, a reset there, what came before can be read"""
        with Stage() as stage:
            client, child = stage.pair(80)
            child.sendall(b"before")
            self.assertTrue(wait_until(lambda: one("alice")["recv_q"] == 6, 5))
            self.assertEqual(len(ss("alice", "-K", "dport = :80")), 1)
            self.assertEqual(client.getsockopt(socket.SOL_SOCKET,
                                               socket.SO_ERROR),
                             errno.ECONNABORTED)
            self.assertEqual(client.recv(100), b"before")
            self.assertEqual(client.recv(100), b"")
            self.assertEqual(self.errno_of(client.send, b"x"), errno.EPIPE)
            self.assertEqual(self.errno_of(child.recv, 100), errno.ECONNRESET)
            self.assertEqual(ss("alice"), [])
            # again: nothing is left
            self.assertEqual(ss("alice", "-K"), [])

    def test_sleeper(self):
        """a process that waits in recv() is told"""
        with Stage() as stage:
            client, _ = stage.pair(80)
            killer = subprocess.Popen(
                "sleep 0.5; chalk ss -N alice -K >/dev/null", shell=True)
            self.assertEqual(self.errno_of(client.recv, 1),
                             errno.ECONNABORTED)
            killer.wait()

    def test_every_state(self):
        """sockets and records in all states: all go at once"""
        with Stage() as stage:
            states = States()
            states.set_up(stage)
            for host in ("alice", "bob"):
                self.assertTrue(ss(host, "-aK"))
                self.assertTrue(wait_until(lambda: not ss(host, "-a"), 5))

    def test_listener(self):
        """accept() ends, what waited for it is reset, the port is free"""
        with Stage() as stage:
            server = stage.listen(80)
            client = stage.connect(80)
            self.assertTrue(wait_until(lambda: one("bob", "-l")["recv_q"], 5))
            self.assertEqual(len(ss("bob", "-lK")), 1)
            self.assertEqual(self.errno_of(server.accept), errno.EINVAL)
            self.assertEqual(self.errno_of(client.recv, 1), errno.ECONNRESET)
            server.close()
            stage.listen(80)

    def test_waiting_child(self):
        """a connection that nobody has accepted yet"""
        with Stage() as stage:
            server = stage.listen(80)
            client = stage.connect(80)
            self.assertTrue(wait_until(lambda: ss("bob"), 5))
            self.assertEqual(len(ss("bob", "-K", "sport = :80")), 1)
            self.assertEqual(self.errno_of(client.recv, 1), errno.ECONNRESET)
            child = server.accept()[0]
            stage.socks.append(child)
            self.assertEqual(self.errno_of(child.recv, 1),
                             errno.ECONNABORTED)

    def test_syn_rcvd(self):
        """a record: the peer, still connecting, is refused"""
        with Stage() as stage:
            stage.listen(80)
            stage.lost = lambda seg, to_bob, _: (
                not to_bob and seg["flags"] & SYN)
            client = stage.connect(80, wait=False)
            self.assertTrue(wait_until(
                lambda: ss("bob", "state", "syn-recv"), 5))
            ss("bob", "-K", "state", "syn-recv")
            self.assertEqual(ss("bob", "state", "syn-recv"), [])
            self.assertTrue(wait_until(lambda: client.getsockopt(
                socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED, 5))

    def test_not_allowed(self):
        """without CAP_NET_ADMIN: listed, not killed, exit status 1"""
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM, 253) as sock:
            sock.bind(("127.0.0.1", 4444))
            sock.listen()
            python = [sys.executable, str(TOOLS / "chalk-ss")]
            done = subprocess.run([*python, "-l"], user=65534, check=True,
                                  capture_output=True, text=True)
            self.assertIn(":4444", done.stdout)
            done = subprocess.run([*python, "-lK"], user=65534, check=False,
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 1)
            self.assertIn("not permitted", done.stderr)
            self.assertIn(":4444", sh("chalk ss -l"))


class Version6(unittest.TestCase):
    """The same over IPv6"""

    def test_all(self):
        """shown, filtered, both families at one listener, killed"""
        with Net():
            server = listener("bob", 80, family=socket.AF_INET6)
            client = chalk_socket("alice", socket.AF_INET6)
            client.connect((BOB6, 80))
            old = chalk_socket("alice")
            old.connect((BOB, 80))
            child, mapped = server.accept()[0], server.accept()[0]
            shown = one("alice", "-6")
            self.assertEqual((shown["family"], shown["peer"]["address"]),
                             ("inet6", BOB6))
            self.assertEqual(shown["info"]["snd_mss"], 1428)
            self.assertEqual(shown["info"]["advmss"], 1440)
            self.assertEqual(one("alice", "-4")["peer"]["address"], BOB)
            self.assertEqual(len(ss("alice", "dst", f"[{BOB6}]/64")), 1)
            self.assertEqual(one("alice", f"dst [{BOB6}]:80")["family"],
                             "inet6")
            # a v4-mapped end is found by its IPv4 address
            self.assertEqual(one("bob", f"dst {ALICE}")["peer"]["address"],
                             f"::ffff:{ALICE}")
            self.assertIn("*:80", sh("chalk ss -N bob -l"))
            self.assertEqual(len(ss("bob", "-K", f"src [{BOB6}]")), 1)
            for sock, number in ((child, errno.ECONNABORTED),
                                 (client, errno.ECONNRESET)):
                with self.assertRaises(OSError) as caught:
                    sock.recv(1)
                self.assertEqual(caught.exception.errno, number)
            self.assertEqual(one("alice")["family"], "inet")
            for sock in (old, mapped, client, child, server):
                sock.close()
            self.assertTrue(wait_until(all_gone, 60))


class Malformed(unittest.TestCase):
    """Requests that are nonsense"""

    def answer(self, diag, data):
        """The errno of the answer, 0 if it is a whole one"""
        diag.sock.send(data)
        while True:
            for kind, body in chalk_diag.messages(diag.sock.recv(1 << 16)):
                if kind in (2, 3):
                    return chalk_diag.error_of(kind, body)

    def request(self, bytecode=b"", family=socket.AF_INET, states=0xfff):
        """A dump"""
        return chalk_diag.request(20, 0x300, family, states,
                                  bytes(chalk_diag.IDENTITY.size), bytecode)

    def test_bytecode(self):
        """refused before it runs"""
        diag = chalk_diag.Diag()
        for code in (b"\0", b"\1\4", struct.pack("=BBH", 1, 4, 3),
                     struct.pack("=BBH", 1, 4, 1000),
                     struct.pack("=BBH", 1, 0, 4),
                     struct.pack("=BBH", 2, 4, 8),
                     struct.pack("=BBH", 7, 12, 12),
                     struct.pack("=BBH", 99, 4, 4)):
            self.assertEqual(self.answer(diag, self.request(code)),
                             errno.EINVAL, code)
        self.assertEqual(self.answer(diag, self.request()), 0)

    def test_short(self):
        """a message that ends too early"""
        diag = chalk_diag.Diag()
        whole = self.request()
        for size in range(16, len(whole)):
            data = struct.pack("=I", size) + whole[4:size]
            self.assertEqual(self.answer(diag, data), errno.EINVAL, size)

    def test_family(self):
        """one there is not"""
        diag = chalk_diag.Diag()
        for family in (99, 255):
            self.assertIn(self.answer(diag, self.request(family=family)),
                          (errno.EINVAL, errno.ENOENT))

    def test_random(self):
        """noise in place of bytecode, names and lengths: always an answer"""
        rng = random.Random(253)
        diag = chalk_diag.Diag()
        counts = {}
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM, 253) as sock:
            sock.bind(("127.0.0.1", 4445))
            sock.listen()
            for _ in range(2000):
                size = 4 * rng.randrange(12)
                code = bytes(rng.choice((0, 1, 2, 4, 7, 8, 12, 16,
                                         rng.randrange(256)))
                             for _ in range(size))
                data = bytearray(self.request(code))
                if rng.random() < 0.3:
                    data[rng.randrange(17, len(data))] = rng.randrange(256)
                number = self.answer(diag, bytes(data))
                counts[number] = counts.get(number, 0) + 1
        self.assertLessEqual(set(counts), {0, errno.EINVAL, errno.ENOENT},
                             counts)
        self.assertGreater(counts[errno.EINVAL], 500)


if __name__ == "__main__":
    unittest.main()
