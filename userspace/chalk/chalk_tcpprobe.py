# SPDX-License-Identifier: GPL-2.0
"""chalk_tcpprobe.py - the kernel's own TCP, from its tracepoints, as a trace.

Owns the reading of what tracefs, trace-cmd report and perf script print for

    tcp:tcp_probe              the variables, whenever a segment arrives
    tcp:tcp_retransmit_skb     a segment is sent again
    tcp:tcp_cong_state_set     recovery or the time after a timeout begins
    sock:inet_sock_set_state   the state changes

and makes records as Chalk's of it. tcp_probe sees less than Chalk tells: it
fires on receipt alone and only in ESTABLISHED, with the variables *before* the
segment counts; nothing tells of a segment that leaves for the first time. Its
cwnd and ssthresh are segments, so the MSS must be known. ssthresh is that of
tcp_current_ssthresh(): at least 3/4 of cwnd outside recovery. What is not known
is 0 in the records.
"""

import re
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

from chalk_base import TraceError, excerpt
from chalk_columns import COLUMNS, Columns, Values, Wrong
from chalk_forms import Reader as Source
from chalk_trace import Connection, Trace, relative

LINE = re.compile(r"(\d+\.\d+): +(?:\w+:)?(tcp_probe|tcp_retransmit_skb|"
                  r"tcp_cong_state_set|inet_sock_set_state): *(.*)")
MARKS = ("tcp_probe:", "tcp_retransmit_skb:", "inet_sock_set_state:",
         "# tracer:")
MSS = 1448
INFINITE = 0x7fffffff
# include/uapi/linux/tcp.h: enum tcp_ca_state
OPEN, RECOVERY, LOSS = 0, 3, 4
CAUSES = {RECOVERY: "third duplicate ACK", LOSS: "retransmission timeout"}
AGAIN = {RECOVERY: "third duplicate ACK", LOSS: "resend after the timeout"}
STATES = {"TCP_SYN_RECV": "SYN_RCVD", "TCP_NEW_SYN_RECV": "SYN_RCVD",
          "TCP_FIN_WAIT1": "FIN_WAIT_1", "TCP_FIN_WAIT2": "FIN_WAIT_2",
          "TCP_CLOSE": "CLOSED"}

Words = Dict[str, str]
Ends = Tuple[str, str]


def is_tcpprobe(line: str) -> bool:
    """Whether a line is from a text of tracepoints."""
    return any(mark in line for mark in MARKS)


def words(text: str) -> Words:
    """name=value name=value ... as a table."""
    return dict(word.split("=", 1) for word in text.split() if "=" in word)


def number(text: str) -> int:
    return int(text, 0)


def address(fields: Words, side: str) -> str:
    """An endpoint, of the events that have address and port apart."""
    port = fields["sport" if side == "s" else "dport"]
    if fields["family"] == "AF_INET6":
        return f"[{fields[side + 'addrv6']}]:{port}"
    return f"{fields[side + 'addr']}:{port}"


def state_name(name: str) -> str:
    return STATES.get(name, name.replace("TCP_", "", 1))


CHECKED = Columns(COLUMNS)


class End:
    """What is known of one end of a connection so far."""

    def __init__(self, conn: int, ends: Ends):
        self.row = dict.fromkeys(COLUMNS, "0")
        self.row.update(conn=str(conn), local=ends[0], remote=ends[1],
                        state="CLOSED", cause="-", clause="-", flags=".")
        self.congestion = OPEN

    def values(self, time: str, event: str, **fields: object) -> Values:
        """A record of an event, with all that is known."""
        row = {**self.row, "time": time, "event": event,
               **{name: str(value) for name, value in fields.items()}}
        return CHECKED.values("\t".join(row[name] for name in COLUMNS))


class Reader:
    """Turns the lines of tracepoints into those of a trace."""

    def __init__(self, mss: int):
        self.mss = mss
        self.ends: Dict[Ends, End] = {}
        self.opening: Dict[Ends, str] = {}

    def end(self, ends: Ends) -> End:
        return self.ends.setdefault(ends, End(len(self.ends) + 1, ends))

    def values(self, text: Iterable[str]) -> Iterator[Values]:
        """The trace; records of lines that tell of other things are none."""
        actions = {"tcp_probe": self._probe,
                   "tcp_retransmit_skb": self._again,
                   "tcp_cong_state_set": self._congestion,
                   "inet_sock_set_state": self._state}
        for count, line in enumerate(text, 1):
            found = LINE.search(line)
            if not found:
                continue
            time, event, rest = found.groups()
            try:
                yield from actions[event](time, words(rest))
            except Wrong as reason:
                raise TraceError(f"line {count}: {event}: {reason}") from None
            except (KeyError, ValueError):
                raise TraceError(f"line {count}: not as the kernel writes "
                                 f"{event}: {excerpt(rest)}") from None

    def _probe(self, time: str, fields: Words) -> Iterator[Values]:
        end = self.end((fields["src"], fields["dest"]))
        una, nxt = (number(fields[name]) for name in ("snd_una", "snd_nxt"))
        cwnd = number(fields["snd_cwnd"]) * self.mss
        threshold = min(number(fields["ssthresh"]) * self.mss, INFINITE)
        before = {name: end.row[name] for name in ("cwnd", "ssthresh")}
        end.row.update(
            state="ESTABLISHED", snd_una=str(una), snd_nxt=str(nxt),
            flight=str(relative(nxt, una)), cwnd=str(cwnd),
            ssthresh=str(threshold), snd_wnd=fields["snd_wnd"],
            rcv_wnd=fields["rcv_wnd"], srtt=fields["srtt"])
        for name, old in before.items():
            if old != end.row[name]:
                yield end.values(time, name, old=old, new=end.row[name])
        yield end.values(time, "recv", len=fields["data_len"])

    def _again(self, time: str, fields: Words) -> Iterator[Values]:
        end = self.end((address(fields, "s"), address(fields, "d")))
        yield end.values(time, "rtx", cause=AGAIN.get(end.congestion, "-"))

    def _congestion(self, time: str, fields: Words) -> Iterator[Values]:
        end = self.end((address(fields, "s"), address(fields, "d")))
        old, end.congestion = end.congestion, number(fields["cong_state"])
        if end.congestion in CAUSES:
            yield end.values(time, "ssthresh", cause=CAUSES[end.congestion],
                           old=end.row["ssthresh"], new=end.row["ssthresh"])
        elif old in CAUSES:
            yield end.values(time, "cwnd", cause="recovery done",
                           old=end.row["cwnd"], new=end.row["cwnd"])

    def _state(self, time: str, fields: Words) -> Iterator[Values]:
        """A change of state. A SYN goes out before its port is chosen."""
        if fields.get("protocol", "IPPROTO_TCP") != "IPPROTO_TCP":
            return
        ends = address(fields, "s"), address(fields, "d")
        old, new = (state_name(fields[name])
                    for name in ("oldstate", "newstate"))
        if fields["dport"] == "0":
            return
        if fields["sport"] == "0":
            self.opening[ends] = time
            return
        end = self.end(ends)
        nameless = re.sub(r"\d+$", "0", ends[0]), ends[1]
        if old == "SYN_SENT" and nameless in self.opening:
            end.row["state"] = "SYN_SENT"
            yield end.values(self.opening.pop(nameless), "state", old="CLOSED",
                           new="SYN_SENT")
        end.row["state"] = new
        yield end.values(time, "state", old=old, new=new)


class ProbeTrace(Trace):
    """A trace whose records do not tell of each segment that was sent."""

    def pick(self, conn: Optional[int] = None,
             local: Optional[str] = None) -> Connection:
        """The connection asked for, or else the one that sent most data."""
        chosen = super().pick(conn, local)
        found = [c for c in self.connections.values()
                 if conn in (None, c.id) and local in (None, c.local)]
        return max(found, key=sent_by) if len(found) > 1 else chosen


def sent_by(end: Connection) -> int:
    """The bytes that an end sent, as far as the variables tell."""
    numbers = [r.snd_nxt for r in end.records if r.snd_nxt]
    return relative(numbers[-1], numbers[0]) if numbers else 0


def in_order(found: Iterable[Values]) -> List[Values]:
    """By time: a SYN is known only when its answer comes."""
    # the numbers of connections follow their first records
    order: Dict[int, int] = {}
    return [(time, order.setdefault(conn, len(order) + 1), *rest)
            for time, conn, *rest in sorted(found, key=lambda v: v[0])]


def load(lines: Iterable[str], name: str, mss: int = MSS) -> Trace:
    """The trace in a text of tracepoints."""
    try:
        return ProbeTrace.of(Source(name), in_order(Reader(mss).values(lines)))
    except TraceError as error:
        raise TraceError(f"{name}, {error}" if str(error).startswith("line")
                         else str(error)) from None
