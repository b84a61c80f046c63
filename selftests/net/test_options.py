# SPDX-License-Identifier: GPL-2.0
"""Every socket option, in every state, with every kind of value: as TCP?

The same calls go to two TCP sockets and to a Chalk socket of the same kernel.
What the two TCP sockets do not agree on (cookies, clocks) has no value to
compare, only a length or an errno. Every other difference must be in ALLOWED,
and every entry of ALLOWED in the table of docs/sockets.md, with its reason.

On the debug kernel only Chalk is called: its detectors judge the calls, and what
TCP answers is no other than on the kernel without them.
"""

import pathlib
import platform
import re
import socket
import struct
import unittest

from net import has_detectors
from sockopts import CHALK, LEVELS, TCP, Lab, Names, get, ioctl, put

ALL = "all"
MADE = ("connecting", "connected", "accepted", "half_closed", "close_wait",
        "closed")

# How Chalk may differ, and in which states of a socket:
#   missing  Chalk does not have it: ENOPROTOOPT, or what is wrong with the call
#   value    both answer, with the same length, but not the same
#   more     TCP refuses, Chalk does not
#   errno    Chalk refuses with another errno, or alone
ALLOWED = {
    ("SOL_SOCKET", "SO_PROTOCOL"): {"value": ALL},
    ("SOL_SOCKET", "SO_MEMINFO"): {"value": MADE},
    ("SOL_SOCKET", "SO_SNDBUF"): {"value": MADE},
    ("SOL_SOCKET", "SO_PEEK_OFF"): {"more": ALL},
    ("SOL_SOCKET", "SO_TIMESTAMPING"): {"more": ALL, "value": ALL},
    ("SOL_SOCKET", "SO_TIMESTAMPING_NEW"): {"more": ALL, "value": ALL},
    ("SOL_SOCKET", "SO_ZEROCOPY"): {"errno": ALL, "value": ALL},
    ("SOL_SOCKET", "SO_DEVMEM_DONTNEED"): {"errno": ALL},
    ("SOL_IPV6", "IPV6_ADDRFORM"): {"missing": ALL},
    ("SOL_TCP", "TCP_CONGESTION"): {"value": ALL},
    ("SOL_TCP", "TCP_INFO"): {"value": ALL},
    ("SOL_TCP", "TCP_MAXSEG"): {"value": ("connecting",)},
    ("SOL_TCP", "TCP_WINDOW_CLAMP"): {"value": MADE},
    ("SOL_TCP", "TCP_AO_REPAIR"): {"missing": ("listening",)},
    **{("SOL_TCP", "TCP_" + name): {"missing": ALL} for name in (
        "FASTOPEN", "FASTOPEN_CONNECT", "FASTOPEN_KEY", "FASTOPEN_NO_COOKIE",
        "IS_MPTCP", "MD5SIG", "MD5SIG_EXT", "QUEUE_SEQ", "REPAIR",
        "REPAIR_OPTIONS", "REPAIR_QUEUE", "REPAIR_WINDOW", "THIN_DUPACK",
        "THIN_LINEAR_TIMEOUTS", "TX_DELAY", "ULP", "ZEROCOPY_RECEIVE")},
}

# A kernel on whose TCP the difference does not show.
NOT_ON = {
    ("SOL_SOCKET", "SO_PEEK_OFF"): "6.12.",
    ("SOL_SOCKET", "SO_DEVMEM_DONTNEED"): "6.1.",
    ("SOL_TCP", "TCP_AO_REPAIR"): "6.1.",
    ("SOL_TCP", "TCP_IS_MPTCP"): "6.1.",
}

KINDS = ("missing", "value", "more", "errno")

# A clock, a mode that traffic switches, and (of all sockets but raw ones) the
# port: in these states two calls need not agree.
UNSTABLE = {
    ("SOL_TCP", "TCP_TIMESTAMP"): ALL,
    ("SOL_TCP", "TCP_QUICKACK"): MADE,
    ("SOL_IP", "IP_PROTOCOL"): ALL,
}

VALUES = [struct.pack("i", n) for n in (0, 1, 2, -1, 50, 3000, 0x7fffffff)] + [
    b"", b"\1", b"\0\0\1", bytes(64), b"\xff" * 64, b"reno\0", b"nonsense",
    struct.pack("qq", 3, 500000)]


def kind(tcp, other, chalk) -> str:
    """What the difference is called, or "" if there is none."""
    if tcp[0] == "ok" == chalk[0]:
        if len(tcp[1]) != len(chalk[1]):
            return "length"
        return "value" if tcp == other and tcp != chalk else ""
    if tcp == chalk:
        return ""
    if chalk == ("error", "ENOPROTOOPT"):
        return "missing"
    return "more" if chalk[0] == "ok" else "errno"


def is_allowed(key, difference, state) -> bool:
    """ALLOWED has it."""
    rules = ALLOWED.get(key, {})
    if difference == "errno" and "missing" in rules:
        return True
    return is_among(state, rules.get(difference, ()))


def is_among(state, states) -> bool:
    """@states has it, or is ALL."""
    return states == ALL or state in states


class Trio:
    """Two TCP sockets and a Chalk socket in the same state; or Chalk alone."""

    PROTOCOLS = (CHALK,) if has_detectors else (TCP, TCP, CHALK)

    def __init__(self, lab, state):
        self.socks = [lab.make(state, proto) for proto in self.PROTOCOLS]

    def close(self):
        """All of them, and their peers."""
        for group in self.socks:
            for sock in group:
                sock.close()

    def call(self, function, *args):
        """The three answers."""
        answers = [function(group[0], *args) for group in self.socks]
        return answers if len(answers) == 3 else answers * 3


IOCTLS = [0x5411, 0x541b, 0x894b, *range(0x8900, 0x8908),
          *range(0x8910, 0x8916), 0x8917, 0x8927, 0x8933, 0x8942]


class Options(unittest.TestCase):
    """Chalk beside TCP over IPv4"""

    family = socket.AF_INET

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(cls.family)
        cls.lab.__enter__()
        cls.found = {}

    @classmethod
    def tearDownClass(cls):
        cls.lab.__exit__()

    def compare(self, trio, state, key, what, function, *args):
        """Call it three times; note a difference. Whether all succeeded."""
        answers = trio.call(function, *args)
        if is_among(state, UNSTABLE.get(key, ())):
            answers = [(word, data and bytes(4)) for word, data in answers]
        difference = kind(*answers)
        if difference:
            self.found.setdefault((key, difference, state), f"{what}: TCP "
                                  f"{answers[0]}, Chalk {answers[2]}")
        return not difference, answers[0][0] == "ok"

    def one_option(self, trio, state, level, number):
        """All calls for one option in one state. Whether they left no trace."""
        value = LEVELS[level][0]
        key = (level, Names.of(level, number))

        def check(what, function, *args):
            return self.compare(trio, state, key, what, function, value,
                                number, *args)

        same_get, readable = check("get", get)
        same_set, writable = check("set 1", put, struct.pack("i", 1))
        if same_get and same_set and not readable and not writable:
            return True
        check("get negative", get, -1)
        check("set NULL", put, None, 4)
        if readable:
            for length in (0, 1, 3, 4, 8):
                check(f"get {length} bytes", get, length)
        for data in VALUES:
            same, _ = check(f"set {data[:16]}", put, data)
            if same and readable:
                check(f"get after set {data[:16]}", get)
        return False

    def level(self, level):
        """All options of a level in all states."""
        for state in Lab.STATES:
            trio = Trio(self.lab, state)
            for number in LEVELS[level][1]:
                if not self.one_option(trio, state, level, number):
                    trio.close()
                    trio = Trio(self.lab, state)
            trio.close()

    def ioctls(self):
        """All requests in all states."""
        for state in Lab.STATES:
            trio = Trio(self.lab, state)
            for request in IOCTLS:
                key = ("ioctl", f"0x{request:x}")
                self.compare(trio, state, key, "ioctl", ioctl, request)
            trio.close()

    def judge(self, level):
        """Every difference is allowed, every allowance is needed."""
        bad = [f"{key[1]} {difference} {state}: {text[:160]}"
               for (key, difference, state), text in sorted(self.found.items())
               if key[0] == level and not is_allowed(key, difference, state)]
        idle = [f"{key[1]} is not {difference} in state {state}"
                for key, rules in ALLOWED.items() if key[0] == level
                for difference, states in rules.items()
                for state in ([ALL] if states == ALL else states)
                if not has_detectors and not self.occurs(key, difference, state)
                and not platform.release().startswith(NOT_ON.get(key, "-"))
                and (level != "SOL_IPV6" or self.family == socket.AF_INET6)]
        self.assertEqual(bad + idle, [], "\n" + "\n".join(bad + idle))
        client, conn = self.lab.make("connected", CHALK)[:2]
        with client, conn:
            client.sendall(b"still here")
            self.assertEqual(conn.recv(10, socket.MSG_WAITALL), b"still here")

    def occurs(self, key, difference, state) -> bool:
        """It was found in this state, or in any."""
        return any(at[:2] == (key, difference) and state in (ALL, at[2])
                   for at in self.found)

    def test_socket_level(self):
        """SOL_SOCKET"""
        self.level("SOL_SOCKET")
        self.judge("SOL_SOCKET")

    def test_ip_level(self):
        """SOL_IP"""
        self.level("SOL_IP")
        self.judge("SOL_IP")

    def test_ipv6_level(self):
        """SOL_IPV6"""
        self.level("SOL_IPV6")
        self.judge("SOL_IPV6")

    def test_tcp_level(self):
        """SOL_TCP"""
        self.level("SOL_TCP")
        self.judge("SOL_TCP")

    def test_unknown_levels(self):
        """levels that neither has"""
        for level in ("SOL_UDP", "SOL_RAW", "no level"):
            self.level(level)
            self.judge(level)

    def test_chalk_level(self):
        """SOL_CHALK is SOL_TCP by another number"""
        for state in Lab.STATES:
            one, other = (self.lab.make(state, CHALK) for _ in range(2))
            for number in LEVELS["SOL_TCP"][1]:
                answers = [get(socks[0], level, number)
                           for socks, level in ((one, 6), (other, 253))]
                if Names.of("SOL_TCP", number) in ("TCP_TIMESTAMP", "TCP_INFO"):
                    answers = [answer[0] for answer in answers]
                self.assertEqual(*answers, Names.of("SOL_TCP", number))
                data = struct.pack("i", 1)
                self.assertEqual(put(one[0], 6, number, data),
                                 put(other[0], 253, number, data))
            for sock in one + other:
                sock.close()

    def test_ioctls(self):
        """what ioctl() answers"""
        self.ioctls()
        self.judge("ioctl")


class Options6(Options):
    """Chalk beside TCP over IPv6"""

    family = socket.AF_INET6


class Manual(unittest.TestCase):
    """docs/sockets.md"""

    def test_manual(self):
        """docs/sockets.md has exactly the differences that are allowed"""
        path = pathlib.Path(__file__).parents[2] / "docs/sockets.md"
        told = {}
        for row in path.read_text(encoding="utf-8").splitlines():
            cells = [cell.strip() for cell in row.strip("|").split("|")]
            if len(cells) != 5 or cells[2] not in KINDS:
                continue
            states = ALL if cells[3] == ALL else tuple(cells[3].split(", "))
            for option in re.findall(r"`(\w+)`", cells[1]):
                told.setdefault((cells[0].strip("`"), option), {})[
                    cells[2]] = states
        self.assertEqual(told, ALLOWED)


if __name__ == "__main__":
    unittest.main()
