# SPDX-License-Identifier: GPL-2.0
"""test_ss.py - chalk ss: filters, messages and lines, without a kernel.

The kernel's two parts in it are played here: answers are canned, and bytecode is
checked and run as net/ipv4/inet_diag.c does (audit, run).
"""

import json
import os
import random
import socket
import struct
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

import chalk_diag as diag  # noqa: E402
import chalk_diag_filter as filters  # noqa: E402
import chalk_diag_print as words  # noqa: E402
from chalk_trace import TraceError  # noqa: E402

sys.path.pop(0)
V4, V6 = socket.AF_INET, socket.AF_INET6


def attribute(kind: int, data: bytes) -> bytes:
    padded = data + bytes(-len(data) % 4)
    return diag.ATTR.pack(diag.ATTR.size + len(data), kind) + padded


def message(family=V4, state=1, local=("10.0.1.1", 40000),
            peer=("10.0.2.1", 80), timer=(0, 0, 0), queues=(0, 0),
            owner=(0, 7), interface=0, cookie=0x2a, attrs=b"") -> bytes:
    """What the kernel says of a socket"""
    def pack(host):
        return socket.inet_pton(family, host).ljust(16, b"\0")
    kind, expires, retrans = timer
    return (diag.MESSAGE_HEAD.pack(family, state, kind, retrans) +
            diag.IDENTITY.pack(local[1].to_bytes(2, "big"),
                               peer[1].to_bytes(2, "big"), pack(local[0]),
                               pack(peer[0]), interface,
                               cookie.to_bytes(8, "little")) +
            diag.MESSAGE_TAIL.pack(expires, *queues, *owner) + attrs)


def netlink(kind: int, body: bytes) -> bytes:
    size = diag.NLMSG.size + len(body)
    return diag.NLMSG.pack(size, kind, 2, 1, 0) + body + bytes(-size % 4)


def info_bytes(**fields) -> bytes:
    """struct tcp_info of Linux 6.12 with these fields, all others 0"""
    out = b""
    for code, names in diag.INFO_FIELDS:
        for name in names.split():
            out += struct.pack("=" + code, fields.pop(name, 0))
    assert not fields, fields
    return out


# --- the kernel's side of bytecode ---

def ends_a_step(code: bytes, target: int) -> bool:
    at = 0
    while at < target:
        step = code[at + 1]
        if step < 4 or step & 3:
            return False
        at += step
    return at == target


def audit(code: bytes) -> bool:
    """inet_diag_bc_audit()"""
    at = 0
    while at < len(code):
        left = len(code) - at
        op, yes, no = diag_op(code, at)
        least = {1: 4, 7: 12, 8: 12}.get(op, 8)
        if op in (7, 8):
            least += {V4: 4, V6: 16, 0: 0}[code[at + 4]]
        if left < least:
            return False
        if no < least and op != 1 or no < 4 or no > left + 4 or no & 3:
            return False
        if no < left and not ends_a_step(code, at + no):
            return False
        if yes < least or yes > left + 4 or yes & 3:
            return False
        at += yes
    return at == len(code)


def diag_op(code: bytes, at: int):
    return filters.OP.unpack_from(code, at)


def matches_host(code: bytes, at: int, end) -> bool:
    family, bits, port = filters.HOST.unpack_from(code, at + 4)
    host = socket.inet_pton(V6 if ":" in end[0] else V4, end[0])
    if port not in (-1, end[1]):
        return False
    if family == 0:
        return True
    if family == V4 and len(host) == 16:
        if host[:12] != bytes(10) + b"\xff\xff":
            return False
        host = host[12:]
    elif (family == V6) != (len(host) == 16):
        return False
    cond = code[at + 12:at + 12 + len(host)]
    keep = len(host) * 8 - bits
    return (int.from_bytes(cond, "big") >> keep ==
            int.from_bytes(host, "big") >> keep)


def run(code: bytes, sock) -> bool:
    """inet_diag_bc_run()"""
    at = 0
    while at < len(code):
        op, yes, no = diag_op(code, at)
        if op == 1:
            truth = False
        elif op in (7, 8):
            truth = matches_host(code, at, sock.local if op == 7 else sock.peer)
        else:
            _, _, port = diag_op(code, at + 4)
            value = (sock.local if op in (2, 3, 11) else sock.peer)[1]
            truth = {2: value >= port, 3: value <= port, 11: value == port,
                     4: value >= port, 5: value <= port, 12: value == port}[op]
        at += yes if truth else no
    return at == len(code)


SAMPLE = [diag.Socket(message(family, 1, local, peer)) for family, local, peer in (
    (V4, ("10.0.1.1", 40000), ("10.0.2.1", 80)),
    (V4, ("10.0.1.1", 80), ("10.0.2.1", 40000)),
    (V4, ("0.0.0.0", 80), ("0.0.0.0", 0)),
    (V4, ("192.168.7.9", 65535), ("10.255.0.1", 443)),
    (V6, ("::1", 80), ("::1", 50000)),
    (V6, ("::", 80), ("::", 0)),
    (V6, ("2001:db8::1", 1234), ("2001:db8:1::2", 22)),
    (V6, ("::ffff:10.0.1.1", 81), ("::ffff:10.0.2.1", 5555)))]


class FilterTest(unittest.TestCase):
    def choose(self, text):
        """The places in SAMPLE that pass; the bytecode must agree."""
        wanted = filters.Filter(text.split(), filters.ALL)
        code = wanted.bytecode()
        self.assertTrue(audit(code), f"{text}: the kernel would refuse it")
        chosen = [i for i, s in enumerate(SAMPLE) if wanted.accepts(s)]
        self.assertEqual(chosen, [i for i, s in enumerate(SAMPLE)
                                  if run(code, s)], text)
        return chosen

    def test_ports(self):
        for text, expected in (
                ("sport = :80", [1, 2, 4, 5]), ("sport :80", [1, 2, 4, 5]),
                ("sport eq 80", [1, 2, 4, 5]), ("sport == http", [1, 2, 4, 5]),
                ("sport != :80", [0, 3, 6, 7]), ("dport < 80", [2, 5, 6]),
                ("dport <= 80", [0, 2, 5, 6]), ("sport > :40000", [3]),
                ("sport ge 40000", [0, 3]), ("sport > 65535", []),
                ("sport < 0", []), ("sport >= 0", list(range(8)))):
            self.assertEqual(self.choose(text), expected, text)

    def test_hosts(self):
        for text, expected in (
                ("src 10.0.1.1", [0, 1, 7]), ("dst 10.0.0.0/8", [0, 1, 3, 7]),
                ("dst 10.0.2.1:80", [0]), ("src :80", [1, 2, 4, 5]),
                ("src *:80", [1, 2, 4, 5]), ("src *", list(range(8))),
                ("src [::1]:80", [4]), ("src ::1", [4]),
                ("dst [2001:db8::]/32", [6]), ("dst 2001:db8::/32", [6]),
                ("src != 10.0.1.1", [2, 3, 4, 5, 6]),
                ("src 0.0.0.0/0", [0, 1, 2, 3, 7])):
            self.assertEqual(self.choose(text), expected, text)

    def test_logic(self):
        for text, expected in (
                ("sport = :80 and dport = 40000", [1]),
                ("sport = :80 dport = 40000", [1]),
                ("sport = 81 or dport = 22 or dport = 443", [3, 6, 7]),
                ("not sport = 80", [0, 3, 6, 7]),
                ("! ( sport = 80 or src 10.0.1.1 )", [3, 6]),
                ("not (sport=80)" .replace("=", " = "), [0, 3, 6, 7]),
                ("sport = 80 and not dport = 0 or dport = 22", [1, 4, 6]),
                ("not ( not ( sport = 80 ) )", [1, 2, 4, 5])):
            self.assertEqual(self.choose(text), expected, text)

    def test_random__bytecode_and_judgement_agree(self):
        rng = random.Random(3)

        def make(depth):
            kind = rng.randrange(6 if depth else 3)
            if kind == 0:
                return (f"{rng.choice(('sport', 'dport'))} "
                        f"{rng.choice(list(filters.COMPARE))} "
                        f"{rng.choice((0, 22, 80, 443, 40000, 65535))}")
            if kind in (1, 2):
                host = rng.choice(("10.0.1.1", "10.0.0.0/8", "0.0.0.0/0", "*",
                                   "[::1]", "[2001:db8::]/32", "[::]/0",
                                   "10.0.0.0/9:80", ":40000"))
                return f"{rng.choice(('src', 'dst'))} {host}"
            if kind == 3:
                return f"not ( {make(depth - 1)} )"
            word = rng.choice((" and ", " or ", " "))
            return f"( {make(depth - 1)}{word}{make(depth - 1)} )"

        for _ in range(500):
            self.choose(make(4))

    def test_states(self):
        for text, names in (
                ("state established", {"ESTAB"}),
                ("state time-wait state syn-recv", {"TIME-WAIT", "SYN-RECV"}),
                ("state bucket", {"TIME-WAIT", "SYN-RECV"}),
                ("exclude listening exclude bucket exclude closed",
                 {"ESTAB", "SYN-SENT", "FIN-WAIT-1", "FIN-WAIT-2",
                  "CLOSE-WAIT", "LAST-ACK", "CLOSING"}),
                ("state all exclude big", {"TIME-WAIT", "SYN-RECV"})):
            wanted = filters.Filter(text.split(), filters.ALL)
            self.assertEqual({s for n, s in diag.STATES.items()
                              if wanted.states & 1 << n}, names, text)
        wanted = filters.Filter("state listening sport = 80".split(), 0)
        self.assertFalse(wanted.accepts(SAMPLE[1]), "it is established")

    def test_nonsense__is_refused_with_its_word(self):
        for text, word in (
                ("sport", "port"), ("sport = x", "'x'"), ("src ( 1 )", "'('"),
                ("state gone", "'gone'"), ("( sport = 1", "')'"),
                ("sport = 1 )", "')'"), ("src name.example", "'name.example'"),
                ("dst < 10.0.0.1", "dst takes"), ("port = 1", "'port'"),
                ("src [::1", "[::1"), ("sport = 65536", "'65536'"), ("or", "or"),
                ("src 10.0.0.0/33", "10.0.0.0/33")):
            with self.assertRaises(TraceError, msg=text) as caught:
                filters.Filter(text.split(), filters.ALL)
            self.assertIn(word, str(caught.exception))

    def test_huge__is_left_to_us(self):
        text = " or ".join(f"dst 10.0.0.0/8:{n}" for n in range(4000))
        wanted = filters.Filter(text.split(), filters.ALL)
        self.assertEqual(wanted.bytecode(), b"")
        self.assertEqual([i for i, s in enumerate(SAMPLE)
                          if wanted.accepts(s)], [0, 3])


class MessageTest(unittest.TestCase):
    def test_socket__all_that_is_told(self):
        sock = diag.Socket(message(
            timer=(1, 204, 3), queues=(5, 6), owner=(1000, 4711), attrs=(
                attribute(diag.INFO, info_bytes(scales=0x97, flags=1,
                                                snd_cwnd=10, rtt=20123)) +
                attribute(diag.CONG, b"reno\0") +
                attribute(diag.SHUTDOWN, b"\2") +
                attribute(diag.SKMEMINFO, struct.pack("=9I", *range(9))) +
                attribute(diag.MARK, b"\x10\0\0\0"))))
        self.assertEqual((sock.state, sock.local, sock.peer),
                         ("ESTAB", ("10.0.1.1", 40000), ("10.0.2.1", 80)))
        self.assertEqual((sock.timer, sock.recv_q, sock.send_q),
                         (("on", 204, 3), 5, 6))
        self.assertEqual((sock.uid, sock.inode, sock.cookie, sock.mark),
                         (1000, 4711, 0x2a, 16))
        self.assertEqual((sock.info["snd_wscale"], sock.info["rcv_wscale"],
                          sock.info["app_limited"]), (7, 9, 1))
        self.assertEqual((sock.congestion, sock.shutdown), ("reno", 2))
        self.assertEqual(sock.mem["bl"], 7)

    def test_info__of_an_older_kernel_is_shorter(self):
        info = diag.parse_info(info_bytes(snd_wnd=9, rcv_wnd=8)[:232])
        self.assertEqual(info["snd_wnd"], 9)
        self.assertNotIn("rcv_wnd", info)

    def test_malformed__is_an_error(self):
        whole = netlink(20, message(attrs=attribute(1, b"abcd")))
        for cut in range(17, len(whole)):
            with self.assertRaises(TraceError):
                list(diag.messages(whole[:cut]))
        for length in (0, 3, 200):
            with self.assertRaises(TraceError):
                list(diag.attributes(struct.pack("=HH", length, 1)))

    def fake(self, *datagrams):
        """A Diag whose kernel answers with these"""
        class Kernel:
            sent = []
            queue = list(datagrams)

            def send(self, data):
                self.sent.append(data)

            def recv(self, _size):
                return self.queue.pop(0)
        asked = diag.Diag.__new__(diag.Diag)
        asked.sock = Kernel()
        return asked

    def test_dump__over_several_datagrams_without_doubles(self):
        done = netlink(3, struct.pack("=i", 0))
        asked = self.fake(
            netlink(20, message(cookie=1)) + netlink(20, message(cookie=2)),
            netlink(20, message(cookie=2, state=8)), done)
        socks = asked.dump(V4, filters.ALL, b"code")
        self.assertEqual([(s.cookie, s.state) for s in socks],
                         [(1, "ESTAB"), (2, "CLOSE-WAIT")])
        sent = asked.sock.sent[0]
        self.assertEqual(len(sent), struct.unpack_from("=I", sent)[0])
        self.assertEqual(sent[16:18], bytes((V4, 253)))
        self.assertTrue(sent.endswith(attribute(diag.REQ_BYTECODE, b"code")))

    def test_dump__error_at_its_end(self):
        for number, error in ((2, TraceError), (22, OSError)):
            for kind in (2, 3):
                with self.assertRaises(error):
                    self.fake(netlink(kind, struct.pack("=i", -number))).dump(
                        V4, 1)

    def test_no_module__says_which(self):
        if os.path.exists("/sys/module/chalk"):
            self.skipTest("chalk.ko is loaded here")
        self.assertIn("chalk.ko is not loaded; run: modprobe chalk",
                      str(diag.explain(2)))

    def test_kill__names_the_socket_as_the_kernel_did(self):
        asked = self.fake(netlink(2, struct.pack("=i", 0)),
                          netlink(2, struct.pack("=i", -1)))
        sock = diag.Socket(message())
        self.assertEqual((asked.kill(sock), asked.kill(sock)), (0, 1))
        self.assertEqual(asked.sock.sent[0][4:6], struct.pack("=H", 21))
        self.assertTrue(asked.sock.sent[0].endswith(message()[4:52]))


class WordsTest(unittest.TestCase):
    def test_times(self):
        for n, text in ((0, "0ms"), (204, "204ms"), (1234, "1.234sec"),
                        (59999, "59sec"), (60000, "1min"), (243000, "4min3sec"),
                        (7199000, "119min")):
            self.assertEqual(words.milliseconds(n), text)

    def test_rates(self):
        for n, text in ((0, "0bps"), (125, "1Kbps"), (12345678, "98.8Mbps"),
                        (125000000, "1Gbps"), (10 ** 15, "8000000Gbps")):
            self.assertEqual(words.rate(n), text)

    def test_addresses(self):
        for family, local, peer, v6only, expected in (
                (V4, ("0.0.0.0", 80), ("0.0.0.0", 0), None,
                 ("0.0.0.0:80", "0.0.0.0:*")),
                (V6, ("::", 80), ("::", 0), 0, ("*:80", "*:*")),
                (V6, ("::", 80), ("::", 0), 1, ("[::]:80", "[::]:*")),
                (V6, ("::1", 80), ("::1", 9), None, ("[::1]:80", "[::1]:9"))):
            attrs = b"" if v6only is None else attribute(diag.SKV6ONLY,
                                                         bytes([v6only]))
            sock = diag.Socket(message(family, 10, local, peer, attrs=attrs))
            self.assertEqual((words.address(sock, sock.local),
                              words.address(sock, sock.peer)), expected)

    def test_info__units_of_ss(self):
        sock = diag.Socket(message(attrs=attribute(diag.CONG, b"reno\0") +
                                   attribute(diag.INFO, info_bytes(
                                       options=5, scales=0x67, rto=220500,
                                       rtt=20500, rttvar=250, snd_mss=1448,
                                       snd_cwnd=10, snd_ssthresh=7, retrans=1,
                                       total_retrans=5, min_rtt=20001, lost=2,
                                       pacing_rate=words.NONE64, busy_time=2000,
                                       rwnd_limited=500, ca_state=4))))
        text = words.details_of_info(sock)
        for word in ("ts reno", "wscale:7,6", "rto:220.5", "rtt:20.5/0.25",
                     "mss:1448", "cwnd:10", "ssthresh:7", "retrans:1/5",
                     "lost:2", "minrtt:20.001", "send 5.65Mbps", "busy:2ms",
                     "rwnd_limited:0ms(25.0%)", "ca_state:loss"):
            self.assertIn(word, text)
        for word in ("sack", "pacing", "notsent", "backoff"):
            self.assertNotIn(word, text)

    def test_details(self):
        sock = diag.Socket(message(timer=(4, 1500, 2), owner=(5, 77), attrs=(
            attribute(diag.SHUTDOWN, b"\1") +
            attribute(diag.SKMEMINFO, struct.pack("=9I", *range(9))))))
        self.assertEqual(words.timer(sock), "timer:(persist,1.5sec,2)")
        self.assertEqual(words.details(sock), "uid:5 ino:77 sk:2a -->")
        self.assertEqual(words.memory(sock),
                         "skmem:(r0,rb1,t2,tb3,f4,w5,o6,bl7,d8)")
        self.assertEqual(words.processes(sock, {77: [("nc", 3, 4)]}),
                         'users:(("nc",pid=3,fd=4))')

    def test_table__aligned(self):
        rows = [(words.row(s, ""), "info" if i == 1 else "")
                for i, s in enumerate(SAMPLE)]
        lines = words.table(rows, True)
        self.assertTrue(lines[0].startswith("State Recv-Q Send-Q"))
        self.assertEqual(lines[3], "\t info")
        self.assertEqual(len(words.table(rows, False)), len(lines) - 1)
        edge = lines[0].index("Peer")
        for line in lines:
            if not line.startswith("\t"):
                self.assertEqual(line[edge - 1], " ")

    def test_json__all_and_valid(self):
        text = json.dumps([words.as_json(s, {}) for s in SAMPLE])
        back = json.loads(text)
        self.assertEqual(back[0]["peer"], {"address": "10.0.2.1", "port": 80})
        self.assertEqual({s["family"] for s in back}, {"inet", "inet6"})

    def test_summary(self):
        lines = words.summary(SAMPLE + [diag.Socket(message(state=6))])
        self.assertIn("Chalk: 9 (estab 8, listen 0", lines[0])
        self.assertEqual(lines[-1].split(), ["Chalk", "9", "5", "4"])

    def test_owners__finds_ourselves(self):
        with socket.socket() as mine:
            inode = os.fstat(mine.fileno()).st_ino
            self.assertIn(os.getpid(),
                          [pid for _, pid, _ in words.find_owners()[inode]])


class CommandTest(unittest.TestCase):
    def ss(self, *args):
        return subprocess.run([os.path.join(HERE, "chalk"), "ss", *args],
                              capture_output=True, text=True, check=False)

    def test_wrong_usage__is_2(self):
        for args in (["--fly"], ["sport", "=", "x"], ["state", "gone"],
                     ["-K", "-s"]):
            done = self.ss(*args)
            self.assertEqual(done.returncode, 2, args)
            self.assertTrue(done.stderr)

    def test_no_namespace__is_named(self):
        done = self.ss("-N", "no-such-netns")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no-such-netns", done.stderr)


if __name__ == "__main__":
    unittest.main()
