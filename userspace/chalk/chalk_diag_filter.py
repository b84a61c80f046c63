# SPDX-License-Identifier: GPL-2.0
"""chalk_diag_filter.py - the filters of chalk ss, in the language of ss.

    state NAME, exclude NAME    established syn-sent ... all connected
                                synchronized bucket big
    src HOST, dst HOST          10.0.0.1  10.0.0.0/8:80  :80  [::1]:80  *
    sport OP :PORT, dport OP :PORT      = != < <= > >=, or eq ne lt le gt ge
    A and B   A B   A or B   not A   ( A )

An expression does two things. It makes bytecode, so that the kernel sends fewer
sockets; and it judges each socket that comes, so that the answer never depends
on how well the kernel was asked.
"""

import ipaddress
import itertools
import socket
import struct
from typing import Dict, List, Optional, Tuple

from chalk_diag import STATES, Socket
from chalk_base import TraceError

OP = struct.Struct("=BBH")
HOST = struct.Struct("=BBxxi")
JMP = 1
PORT_OPS = {"sport": (2, 3, 11), "dport": (4, 5, 12)}  # >=, <=, ==
HOST_OPS = {"src": 7, "dst": 8}
MOST_BYTECODE = 60000
COMPARE = {"=": "eq", "==": "eq", "eq": "eq", "!=": "ne", "ne": "ne",
           "neq": "ne", "<": "lt", "lt": "lt", "<=": "le", "le": "le",
           "leq": "le", ">": "gt", "gt": "gt", ">=": "ge", "ge": "ge",
           "geq": "ge"}
LAST_PORT = 65535

NAMES = {name.lower(): 1 << number for number, name in STATES.items()}
ALL = sum(NAMES.values())
CLOSED, LISTEN = NAMES["unconn"], NAMES["listen"]
BUCKET = NAMES["syn-recv"] | NAMES["time-wait"]
CONNECTED = ALL & ~(CLOSED | LISTEN)
SETS = dict(NAMES, **{
    "established": NAMES["estab"], "listening": LISTEN, "closed": CLOSED,
    "unconnected": CLOSED, "all": ALL, "connected": CONNECTED,
    "synchronized": CONNECTED & ~NAMES["syn-sent"], "bucket": BUCKET,
    "big": ALL & ~BUCKET})
DEFAULT = CONNECTED & ~BUCKET


class Compiler:
    """Bytecode with labels: each instruction goes on to the next if true.

    The kernel wants every jump to end where one of those steps does.
    """

    def __init__(self):
        self.code: List[Tuple[int, bytes, int]] = []  # op, arguments, label
        self.places: Dict[int, int] = {}
        self.labels = 0

    def label(self) -> int:
        self.labels += 1
        return self.labels

    def place(self, label: int):
        self.places[label] = len(self.code)

    def emit(self, op: int, arguments: bytes, if_false: int):
        self.code.append((op, arguments, if_false))

    def assemble(self, reject: int) -> bytes:
        """The program; a jump to @reject leaves it beyond its end.

        Empty if it is more than a message can hold.
        """
        sizes = [OP.size + len(arguments) for _, arguments, _ in self.code]
        starts = list(itertools.accumulate(sizes, initial=0))
        if starts[-1] > MOST_BYTECODE:
            return b""
        out = b""
        for (op, arguments, label), start, size in zip(self.code, starts,
                                                       sizes):
            end = (starts[-1] + 4 if label == reject
                   else starts[self.places[label]])
            out += OP.pack(op, size, end - start) + arguments
        return out


class Everything:
    """No filter."""

    def accepts(self, _sock: Socket) -> bool:
        return True

    def compile(self, _code: Compiler, _fail: int):
        pass


class And:
    def __init__(self, *parts):
        self.parts = parts

    def accepts(self, sock: Socket) -> bool:
        return all(part.accepts(sock) for part in self.parts)

    def compile(self, code: Compiler, fail: int):
        for part in self.parts:
            part.compile(code, fail)


class Not:
    def __init__(self, part):
        self.part = part

    def accepts(self, sock: Socket) -> bool:
        return not self.part.accepts(sock)

    def compile(self, code: Compiler, fail: int):
        done = code.label()
        self.part.compile(code, done)
        code.emit(JMP, b"", fail)
        code.place(done)


class Or:
    def __init__(self, *parts):
        self.parts = parts

    def accepts(self, sock: Socket) -> bool:
        return any(part.accepts(sock) for part in self.parts)

    def compile(self, code: Compiler, fail: int):
        done = code.label()
        for part in self.parts[:-1]:
            other = code.label()
            part.compile(code, other)
            code.emit(JMP, b"", done)
            code.place(other)
        self.parts[-1].compile(code, fail)
        code.place(done)


class Ports:
    """A port in [@low, @high]."""

    def __init__(self, which: str, low: int, high: int):
        self.which, self.low, self.high = which, low, high

    def accepts(self, sock: Socket) -> bool:
        side = sock.local if self.which == "sport" else sock.peer
        return self.low <= side[1] <= self.high

    def compile(self, code: Compiler, fail: int):
        at_least, at_most, _ = PORT_OPS[self.which]
        if self.low > self.high:
            code.emit(JMP, b"", fail)
            return
        if self.low > 0:
            code.emit(at_least, OP.pack(0, 0, self.low), fail)
        if self.high < LAST_PORT:
            code.emit(at_most, OP.pack(0, 0, self.high), fail)


class Host:
    """An address in @network, or any; and a port, or any."""

    def __init__(self, which: str, network, port: Optional[int]):
        self.which, self.network, self.port = which, network, port

    def _has_address(self, text: str) -> bool:
        address = ipaddress.ip_address(text)
        if self.network is None:
            return True
        if address.version == 6 and self.network.version == 4:
            address = address.ipv4_mapped
        return address is not None and address in self.network

    def accepts(self, sock: Socket) -> bool:
        address, port = sock.local if self.which == "src" else sock.peer
        return self.port in (None, port) and self._has_address(address)

    def compile(self, code: Compiler, fail: int):
        port = -1 if self.port is None else self.port
        if self.network is None:
            arguments = HOST.pack(socket.AF_UNSPEC, 0, port)
        else:
            family = (socket.AF_INET if self.network.version == 4
                      else socket.AF_INET6)
            arguments = (HOST.pack(family, self.network.prefixlen, port) +
                         self.network.network_address.packed)
        code.emit(HOST_OPS[self.which], arguments, fail)


def parse_port(text: str) -> int:
    """A number or a service's name."""
    if text.isdigit() and int(text) <= LAST_PORT:
        return int(text)
    try:
        return socket.getservbyname(text, "tcp")
    except OSError:
        raise TraceError(f"'{text}' is not a port") from None


def split_host(text: str) -> Tuple[str, str]:
    """Address and port of HOST[:PORT], either may be empty."""
    if text.startswith("["):
        address, bracket, rest = text[1:].partition("]")
        prefix, _, port = rest.partition(":")
        if not bracket or (prefix and not prefix.startswith("/")):
            raise TraceError(f"'{text}' is not an address")
        return address + prefix, port
    if text.count(":") > 1:
        return text, ""
    address, _, port = text.partition(":")
    return address, port


def parse_host(which: str, text: str) -> Host:
    address, port = split_host(text)
    number = parse_port(port) if port and port != "*" else None
    if address in ("", "*"):
        return Host(which, None, number)
    try:
        return Host(which, ipaddress.ip_network(address, strict=False), number)
    except ValueError:
        raise TraceError(f"'{address}' is not an address; names are not "
                         "looked up") from None


def compare(which: str, how: str, port: int):
    """@which port, compared @how with @port."""
    if how == "ne":
        return Not(Ports(which, port, port))
    low = {"eq": port, "ge": port, "gt": port + 1}.get(how, 0)
    high = {"eq": port, "le": port, "lt": port - 1}.get(how, LAST_PORT)
    return Ports(which, low, high)


class Parser:
    """Recursive descent over the words of the command line."""

    def __init__(self, words: List[str]):
        text = " ".join(words)
        for mark in "()":
            text = text.replace(mark, f" {mark} ")
        self.words = text.split()
        self.states = 0
        self.excluded = 0

    def peek(self) -> str:
        return self.words[0] if self.words else ""

    def take(self, what: str) -> str:
        if not self.words:
            raise TraceError(f"the filter ends where {what} should follow")
        return self.words.pop(0)

    def parse(self):
        """The expression; states are collected on the way."""
        self._take_states()
        if not self.words:
            return Everything()
        expression = self._either()
        if self.words:
            raise TraceError(f"'{self.words[0]}' does not belong there")
        return expression

    def _take_states(self):
        while self.peek() in ("state", "exclude"):
            word = self.take("a word")
            name = self.take("a state").lower()
            if name not in SETS:
                raise TraceError(f"'{name}' is not a state; these are: "
                                 + " ".join(sorted(SETS)))
            if word == "state":
                self.states |= SETS[name]
            else:
                self.excluded |= SETS[name]

    def _either(self):
        parts = [self._both()]
        while self.peek() in ("or", "|", "||"):
            self.take("or")
            parts.append(self._both())
        return Or(*parts) if len(parts) > 1 else parts[0]

    def _both(self):
        parts = [self._one()]
        while self.peek() and self.peek() not in ("or", "|", "||", ")"):
            if self.peek() in ("and", "&", "&&"):
                self.take("and")
            parts.append(self._one())
        return And(*parts) if len(parts) > 1 else parts[0]

    def _one(self):
        word = self.take("a condition")
        if word in ("not", "!"):
            return Not(self._one())
        if word == "(":
            inner = self._either()
            if self.take("')'") != ")":
                raise TraceError("a ')' is missing")
            return inner
        if word in HOST_OPS:
            return self._host(word)
        if word in PORT_OPS:
            return self._port(word)
        raise TraceError(f"'{word}' is not a condition; these are: src dst "
                         "sport dport, after: state exclude")

    def _operator(self) -> str:
        return COMPARE[self.take("a value")] if self.peek() in COMPARE else "eq"

    def _host(self, which: str):
        how = self._operator()
        if how not in ("eq", "ne"):
            raise TraceError(f"{which} takes = and != only")
        host = parse_host(which, self.take("an address"))
        return Not(host) if how == "ne" else host

    def _port(self, which: str):
        how = self._operator()
        text = self.take("a port")
        return compare(which, how, parse_port(text.rpartition(":")[2]))


class Filter:
    """What of all the sockets is wanted."""

    def __init__(self, words: List[str], default_states: int):
        parser = Parser(words)
        self.expression = parser.parse()
        self.states = (parser.states or default_states) & ~parser.excluded

    def accepts(self, sock: Socket) -> bool:
        known = NAMES.get(sock.state.lower(), 0)
        return bool(known & self.states) and self.expression.accepts(sock)

    def bytecode(self) -> bytes:
        """For the kernel; empty where it is to send all."""
        code = Compiler()
        reject = code.label()
        self.expression.compile(code, reject)
        return code.assemble(reject)
