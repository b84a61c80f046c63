# SPDX-License-Identifier: GPL-2.0
"""chalk_top_columns.py - the columns of chalk top: name, words, order, width.

Owns the units on the screen as well: k, M and G are powers of 1000.
"""

from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

from chalk_top_model import Row

UNITS = ("", "k", "M", "G", "T")
BAR = "bar"
NONE = "-"


def compact(number: Optional[float], digits: int = 6) -> str:
    """All of a number of so many digits, three of a longer one."""
    if number is None:
        return NONE
    if number < 10 ** digits and number == int(number):
        return str(int(number))
    unit = 0
    while number >= 999.5 and unit < len(UNITS) - 1:
        number /= 1000
        unit += 1
    places = max(0, 3 - len(str(int(number)))) if unit else 0
    return f"{number:.{places}f}{UNITS[unit]}"


def rate(bits: Optional[float]) -> str:
    return compact(None if bits is None else int(bits), 3)


def bits(number: Optional[float]) -> str:
    """A rate with its unit."""
    text = rate(number)
    return f"{text[:-1]} {text[-1]}bit/s" if text[-1:] in UNITS[1:] \
        else f"{text} bit/s"


def milliseconds(micro: Optional[int]) -> str:
    """0.12  1.23  40.2  204"""
    if micro is None:
        return NONE
    places = 2 if micro < 10000 else 1 if micro < 100000 else 0
    return f"{micro / 1000:.{places}f}"


def retransmissions(row: Row) -> str:
    if row.retrans is None:
        return NONE
    return compact(row.retrans) + (f"+{row.again}" if row.again else "")


def timer(row: Row) -> str:
    """Which one, when it fires, how often it has."""
    if row.gone or not row.sock.timer:
        return NONE
    name, left, fired = row.sock.timer
    name = {"on": "rtx", "persist": "probe", "keepalive": "keep",
            "timewait": "2msl"}.get(name, name)
    when = f"{left}ms" if left < 10000 else f"{left // 1000}s"
    return f"{name} {when}" + (f" x{fired}" if fired else "")


def number_then(end: Tuple[str, int]) -> Tuple[int, str, int]:
    """Addresses in the order of their numbers, not of their digits."""
    host, port = end
    if ":" in host:
        return 1, host, port
    return 0, "".join(part.rjust(3, "0") for part in host.split(".")), port


class Column(NamedTuple):
    """@value is what it is sorted by; @width 0: as wide as its cells."""

    name: str
    head: str
    width: int
    right: bool
    value: Callable[[Row], object]
    cell: Callable[[Row], str]
    about: str


def _number(name: str, head: str, width: int, about: str) -> Column:
    return Column(name, head, width, True, lambda row: getattr(row, name),
                  lambda row: compact(getattr(row, name)), about)


def _rate(name: str, head: str, about: str) -> Column:
    return Column(name, head, 7, True, lambda row: getattr(row, f"rate_{name}"),
                  lambda row: rate(getattr(row, f"rate_{name}")), about)


COLUMNS: Tuple[Column, ...] = (
    Column("netns", "NETNS", 0, False, lambda row: row.netns,
           lambda row: row.netns or NONE, "network namespace"),
    Column("state", "STATE", 10, False, lambda row: row.state,
           lambda row: row.state, "state of RFC 9293"),
    Column("local", "LOCAL", 0, False, lambda row: number_then(row.local),
           lambda row: row.local_text, "this end"),
    Column("remote", "REMOTE", 0, False, lambda row: number_then(row.peer),
           lambda row: row.remote_text, "the other end"),
    _number("cwnd", "CWND", 6, "congestion window, bytes"),
    Column(BAR, "", 10, False, lambda row: row.cwnd, lambda row: "",
           "cwnd and what of it is in flight; a mark at ssthresh"),
    _number("ssthresh", "SSTHR", 6, "slow start threshold, bytes; -: no loss yet"),
    _number("flight", "FLIGHT", 6, "sent, not acknowledged, bytes"),
    _number("rwnd", "RWND", 6, "window that the peer offers, bytes"),
    Column("srtt", "SRTT", 5, True, lambda row: row.srtt,
           lambda row: milliseconds(row.srtt), "smoothed round trip, ms"),
    Column("retrans", "RETR", 6, True, lambda row: row.retrans,
           retransmissions, "segments sent again: all +since last time"),
    _rate("out", "OUT b/s", "acknowledged by the peer, bits a second"),
    _rate("in", "IN b/s", "received in order, bits a second"),
    _number("unsent", "UNSENT", 6, "written, not sent yet, bytes"),
    _number("unread", "UNREAD", 6, "received, not read yet; listener: not "
            "accepted yet"),
    Column("timer", "TIMER", 14, False,
           lambda row: row.sock.timer and row.sock.timer[1], timer,
           "rtx, probe, keep, 2msl: fires in, has fired"),
    Column("process", "PROCESS", 0, False, lambda row: row.process or None,
           lambda row: row.process or NONE, "who has it open"))

BY_NAME: Dict[str, Column] = {column.name: column for column in COLUMNS}
# in which order they get room
IMPORTANCE = ("remote", "state", "cwnd", "out", BAR, "srtt", "retrans", "local",
              "in", "flight", "process", "netns", "timer", "rwnd", "ssthresh",
              "unsent", "unread")
SORTABLE: List[str] = [column.name for column in COLUMNS if column.name != BAR]
# what the greatest of comes first
DESCENDING = {"cwnd", "ssthresh", "flight", "rwnd", "srtt", "retrans", "out",
              "in", "unsent", "unread"}
