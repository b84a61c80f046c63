# SPDX-License-Identifier: GPL-2.0
"""chalk_diag.py - ask the kernel's inet_diag for the sockets of Chalk.

Owns the netlink messages in both directions (linux/inet_diag.h): a request
goes out, each socket comes back as a Socket. Filters are chalk_diag_filter.py's,
words on a terminal chalk_diag_print.py's.
"""

import functools
import os
import socket
import struct
from typing import Dict, Iterator, List, Optional, Tuple

from chalk_base import TraceError

IPPROTO_CHALK = 253
NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY, SOCK_DESTROY = 20, 21
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
NLMSG = struct.Struct("=IHHII")  # length, type, flags, sequence number, port
ATTR = struct.Struct("=HH")
REQUEST = struct.Struct("=BBBBI")  # and the identity, as in a message
MESSAGE_HEAD = struct.Struct("=BBBB")
IDENTITY = struct.Struct("=2s2s16s16sI8s")
MESSAGE_TAIL = struct.Struct("=IIIII")
MESSAGE = MESSAGE_HEAD.size + IDENTITY.size + MESSAGE_TAIL.size
REQ_BYTECODE = 1
# attributes; a request asks for number N by bit N - 1
INFO, CONG, SHUTDOWN, SKMEMINFO, MARK, SKV6ONLY = 2, 4, 8, 7, 15, 11
ASK = 1 << (INFO - 1) | 1 << (CONG - 1) | 1 << (SKMEMINFO - 1)

# numbers of <net/tcp_states.h>; the words of ss
STATES = {1: "ESTAB", 2: "SYN-SENT", 3: "SYN-RECV", 4: "FIN-WAIT-1",
          5: "FIN-WAIT-2", 6: "TIME-WAIT", 7: "UNCONN", 8: "CLOSE-WAIT",
          9: "LAST-ACK", 10: "LISTEN", 11: "CLOSING"}
TIMERS = {1: "on", 2: "keepalive", 3: "timewait", 4: "persist"}
MEM = ("r", "rb", "t", "tb", "f", "w", "o", "bl", "d")
OPTIONS = {"ts": 1, "sack": 2, "wscale": 4, "ecn": 8, "ecnseen": 16}

# struct tcp_info, in the order of linux/tcp.h; what a kernel does not know is
# missing at the end
INFO_FIELDS: Tuple[Tuple[str, str], ...] = (
    ("B", "state ca_state retransmits probes backoff options scales flags"),
    ("I", "rto ato snd_mss rcv_mss unacked sacked lost retrans fackets "
          "last_data_sent last_ack_sent last_data_recv last_ack_recv pmtu "
          "rcv_ssthresh rtt rttvar snd_ssthresh snd_cwnd advmss reordering "
          "rcv_rtt rcv_space total_retrans"),
    ("Q", "pacing_rate max_pacing_rate bytes_acked bytes_received"),
    ("I", "segs_out segs_in notsent_bytes min_rtt data_segs_in "
          "data_segs_out"),
    ("Q", "delivery_rate busy_time rwnd_limited sndbuf_limited"),
    ("I", "delivered delivered_ce"),
    ("Q", "bytes_sent bytes_retrans"),
    ("I", "dsack_dups reord_seen rcv_ooopack snd_wnd rcv_wnd rehash"))


class Socket:
    """A socket, or a record of one; what was not told is None or empty."""

    family: int
    state: str
    local: Tuple[str, int]
    peer: Tuple[str, int]
    interface: int
    cookie: int
    timer: Optional[Tuple[str, int, int]]  # name, milliseconds, retries
    recv_q: int
    send_q: int
    uid: int
    inode: int
    identity: bytes  # as the kernel wants it back

    def __init__(self, message: bytes):
        family, state, timer, retrans = MESSAGE_HEAD.unpack_from(message)
        self.identity = message[4:4 + IDENTITY.size]
        sport, dport, src, dst, self.interface, cookie = IDENTITY.unpack(
            self.identity)
        expires, self.recv_q, self.send_q, self.uid, self.inode = \
            MESSAGE_TAIL.unpack_from(message, 4 + IDENTITY.size)
        size = 4 if family == socket.AF_INET else 16
        self.family = family
        self.state = STATES.get(state, str(state))
        self.local = (socket.inet_ntop(family, src[:size]),
                      int.from_bytes(sport, "big"))
        self.peer = (socket.inet_ntop(family, dst[:size]),
                     int.from_bytes(dport, "big"))
        self.cookie = int.from_bytes(cookie, "little")
        self.timer = None
        if timer:
            self.timer = (TIMERS.get(timer, "unknown"), expires, retrans)
        self._take_attributes(dict(attributes(message[MESSAGE:])))

    def _take_attributes(self, found: Dict[int, bytes]):
        self.info = parse_info(found[INFO]) if INFO in found else {}
        self.mem = dict(zip(MEM, (n for n, in struct.iter_unpack(
            "=I", found.get(SKMEMINFO, b"")))))
        self.congestion = found.get(CONG, b"").rstrip(b"\0").decode("ascii")
        self.shutdown = found[SHUTDOWN][0] if SHUTDOWN in found else None
        self.mark = int.from_bytes(found.get(MARK, b""), "little")
        self.v6only = found[SKV6ONLY][0] if SKV6ONLY in found else None


def attributes(data: bytes) -> Iterator[Tuple[int, bytes]]:
    """The attributes that follow a message."""
    while len(data) >= ATTR.size:
        length, kind = ATTR.unpack_from(data)
        if not ATTR.size <= length <= len(data):
            raise TraceError("the kernel's answer is malformed")
        yield kind & 0x3fff, data[ATTR.size:length]
        data = data[(length + 3) & ~3:]


@functools.lru_cache(maxsize=None)
def layout_of_info(size: int) -> Tuple[struct.Struct, Tuple[str, ...]]:
    """How to read struct tcp_info of @size bytes, and the names in it."""
    layout, found = struct.Struct("="), []
    for code, names in INFO_FIELDS:
        for name in names.split():
            longer = struct.Struct(layout.format + code)
            if longer.size > size:
                return layout, tuple(found)
            layout = longer
            found.append(name)
    return layout, tuple(found)


def parse_info(data: bytes) -> Dict[str, int]:
    """struct tcp_info as name -> value."""
    layout, names = layout_of_info(len(data))
    info = dict(zip(names, layout.unpack_from(data)))
    scales, flags = info.pop("scales", 0), info.pop("flags", 0)
    info["snd_wscale"], info["rcv_wscale"] = scales & 15, scales >> 4
    info["app_limited"] = flags & 1
    return info


def request(kind: int, flags: int, family: int, states: int, identity: bytes,
            bytecode: bytes = b"") -> bytes:
    """A message to the kernel."""
    body = REQUEST.pack(family, IPPROTO_CHALK, ASK, 0, states) + identity
    if bytecode:
        body += ATTR.pack(ATTR.size + len(bytecode), REQ_BYTECODE) + bytecode
    return NLMSG.pack(NLMSG.size + len(body), kind, NLM_F_REQUEST | flags, 1,
                      0) + body


def messages(data: bytes) -> Iterator[Tuple[int, bytes]]:
    """Type and contents of the messages in what was received at once."""
    while len(data) >= NLMSG.size:
        length, kind, *_ = NLMSG.unpack_from(data)
        if not NLMSG.size <= length <= len(data):
            raise TraceError("the kernel's answer is malformed")
        yield kind, data[NLMSG.size:length]
        data = data[(length + 3) & ~3:]


def error_of(kind: int, body: bytes) -> int:
    """The errno that a message reports, or 0."""
    if kind not in (NLMSG_ERROR, NLMSG_DONE) or len(body) < 4:
        return 0
    return -int.from_bytes(body[:4], "little", signed=True)


def explain(number: int) -> Exception:
    """What an errno of a dump means to the user."""
    if number != 2:
        return OSError(number, f"inet_diag: {os.strerror(number)}")
    if not os.path.exists("/sys/module/chalk"):
        return TraceError("chalk.ko is not loaded; run: modprobe chalk")
    return TraceError("chalk_diag.ko is not loaded; run: modprobe chalk_diag")


class Diag:
    """A netlink socket in the network namespace of this thread."""

    def __init__(self):
        try:
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                      NETLINK_SOCK_DIAG)
        except OSError as error:
            raise TraceError("this kernel has no sock_diag "
                             f"({error.strerror})") from None

    def dump(self, family: int, states: int,
             bytecode: bytes = b"") -> List[Socket]:
        """All sockets of @family in one of @states, a set of bits."""
        self.sock.send(request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, family, states,
                               bytes(IDENTITY.size), bytecode))
        found: Dict[int, Socket] = {}
        while True:
            for kind, body in messages(self.sock.recv(1 << 16)):
                number = error_of(kind, body)
                if number:
                    raise explain(number)
                if kind in (NLMSG_DONE, NLMSG_ERROR):
                    return list(found.values())
                if kind == SOCK_DIAG_BY_FAMILY and len(body) >= MESSAGE:
                    sock = Socket(body)
                    # one that moves meanwhile may come twice
                    found[sock.cookie] = sock

    def kill(self, sock: Socket) -> int:
        """Abort @sock; 0 or an errno."""
        self.sock.send(request(SOCK_DESTROY, NLM_F_ACK, sock.family, 0,
                               sock.identity))
        kind, body = next(messages(self.sock.recv(1 << 16)))
        return error_of(kind, body)
