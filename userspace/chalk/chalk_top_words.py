# SPDX-License-Identifier: GPL-2.0
"""chalk_top_words.py - all variables of a connection, in words."""

from typing import Dict, Iterator, List, Optional, Tuple

from chalk_diag import OPTIONS
from chalk_diag_print import NONE32, NONE64
from chalk_top_columns import bits, milliseconds
from chalk_top_model import BITS, Row

Line = Tuple[str, str]
PHASES = {1: "duplicate ACKs arrive", 3: "fast recovery",
          4: "recovery after a timeout"}
TIMERS = {"on": "retransmission", "persist": "probe of the closed window",
          "keepalive": "keep-alive", "timewait": "end of the connection"}


def grouped(number: int) -> str:
    return f"{number:,}"


def amount(number: Optional[int], one: str, many: str = "") -> str:
    if number is None:
        return "-"
    return f"{grouped(number)} {one if number == 1 else many or one + 's'}"


def in_segments(row: Row, size: Optional[int]) -> str:
    mss = row.info.get("snd_mss")
    if size is None or not mss:
        return amount(size, "byte")
    return f"{amount(size, 'byte')} = {size / mss:.3g} segments"


def phase(row: Row) -> str:
    """What congestion control does."""
    found = PHASES.get(row.info.get("ca_state", 0))
    if found:
        return found
    if row.ssthresh is None or (row.cwnd or 0) < row.ssthresh:
        return "slow start"
    return "congestion avoidance"


def limit(row: Row) -> str:
    """What keeps the sender from sending more right now."""
    flight, mss = row.flight or 0, row.info.get("snd_mss", 0)
    if not row.unsent:
        return "nothing waits to be sent"
    if (row.rwnd or 0) < flight + mss and (row.rwnd or 0) <= (row.cwnd or 0):
        return "the peer's window is full"
    if (row.cwnd or 0) < flight + mss:
        return "cwnd is full"
    return "there is room for more"


def sending(row: Row) -> Iterator[Line]:
    yield "congestion", f"{row.sock.congestion or '-'}: {phase(row)}"
    yield "cwnd", in_segments(row, row.cwnd)
    yield "ssthresh", (in_segments(row, row.ssthresh) if row.ssthresh
                       is not None else "none: no loss yet")
    yield "in flight", f"{in_segments(row, row.flight)}; {limit(row)}"
    yield "rwnd", f"{amount(row.rwnd, 'byte')}: what the peer can take"
    yield "unsent", f"{amount(row.unsent, 'byte')} written, not sent yet"


def timing(row: Row) -> Iterator[Line]:
    info = row.info
    if row.srtt:
        least = info.get("min_rtt", NONE32)
        yield "srtt", (f"{milliseconds(row.srtt)} ms, varies by (rttvar) "
                       f"{milliseconds(info['rttvar'])}" +
                       (f", least {milliseconds(least)}"
                        if least not in (0, NONE32) else ""))
    else:
        yield "srtt", "not measured yet"
    doubled = f", doubled {amount(info['backoff'], 'time')}" \
        if info["backoff"] else ""
    yield "rto", f"{milliseconds(info['rto'])} ms{doubled}"


def timer(row: Row) -> Iterator[Line]:
    if row.gone or not row.sock.timer:
        yield "timer", "none runs"
        return
    name, left, fired = row.sock.timer
    yield "timer", (f"{TIMERS.get(name, name)} in {grouped(left)} ms" +
                    (f", has fired {amount(fired, 'time')}" if fired else ""))


def counts(row: Row) -> Iterator[Line]:
    info = row.info
    yield "sent", (f"{amount(info.get('bytes_sent'), 'byte')} in "
                   f"{amount(info.get('data_segs_out'), 'segment')}; with "
                   f"ACKs {amount(info.get('segs_out'), 'segment')}")
    yield "sent again", (f"{amount(row.retrans, 'segment')}, "
                         f"{amount(info.get('bytes_retrans'), 'byte')}")
    yield "acked", f"{amount(info.get('bytes_acked'), 'byte')} by the peer"
    yield "received", (f"{amount(info.get('bytes_received'), 'byte')} in "
                       f"{amount(info.get('data_segs_in'), 'segment')}; with "
                       f"ACKs {amount(info.get('segs_in'), 'segment')}")
    yield "early", (f"{amount(info.get('rcv_ooopack'), 'segment')} arrived "
                    "before their turn")


def rates(row: Row) -> Iterator[Line]:
    info = row.info
    yield "goodput", f"out {bits(row.rate_out)}, in {bits(row.rate_in)}"
    if info.get("delivery_rate"):
        yield "delivery", (f"{bits(info['delivery_rate'] * BITS)} over the "
                           "last round trip" + (", the program sent little"
                                                if info["app_limited"]
                                                else ""))
    busy = info.get("busy_time")
    if busy:
        yield "busy", ", ".join(
            [f"{busy / 1e6:.3g} s"] +
            [f"{100 * info[key] / busy:.0f} % {why}"
             for key, why in (("rwnd_limited", "held by the peer's window"),
                              ("sndbuf_limited", "held by the send buffer"))
             if info.get(key, 0) * 100 >= busy])
    if info["pacing_rate"] not in (0, NONE64):
        yield "pacing", f"{bits(info['pacing_rate'] * BITS)}"


def receiving(row: Row) -> Iterator[Line]:
    window = row.exact.get("rcv_wnd") or row.info.get("rcv_wnd")
    yield "unread", f"{amount(row.unread, 'byte')} wait for the program"
    if window:
        yield "own window", f"{amount(int(window), 'byte')} offered to the peer"


def options_of(info: Dict[str, int]) -> str:
    words = [word for word, bit in OPTIONS.items()
             if info["options"] & bit and word != "wscale"]
    if info["options"] & OPTIONS["wscale"]:
        words.append(f"wscale {info['snd_wscale']} out, "
                     f"{info['rcv_wscale']} in")
    return ", ".join(words) or "none"


def sizes(row: Row) -> Iterator[Line]:
    info = row.info
    yield "segment", (f"mss {info['snd_mss']}, of the peer's "
                      f"{info['rcv_mss']}, path MTU {info['pmtu']}")
    yield "options", options_of(info)
    yield "last", (f"data sent {grouped(info['last_data_sent'])} ms ago, "
                   f"received {grouped(info['last_data_recv'])}, ACK "
                   f"{grouped(info['last_ack_recv'])}")


def buffers(row: Row) -> Iterator[Line]:
    mem = row.sock.mem
    if mem:
        yield "memory", (f"send {grouped(mem.get('w', 0))} of "
                         f"{grouped(mem.get('tb', 0))}, receive "
                         f"{grouped(mem.get('r', 0))} of "
                         f"{grouped(mem.get('rb', 0))} bytes")


def owner(row: Row) -> Iterator[Line]:
    text = row.process or ("unknown (not ours?)" if row.sock.inode else
                           "none: closed by its program, or not accepted yet")
    yield "process", f"{text}, user {row.sock.uid}"


def variables(row: Row) -> List[Line]:
    """Name and words of each that this socket has."""
    found: List[Line] = []
    if row.sock.state == "LISTEN":
        found += [("waiting", f"{amount(row.sock.recv_q, 'connection')} for "
                   f"accept(), at most {grouped(row.sock.send_q)}")]
    elif not row.has_figures:
        found += [("record", "the kernel keeps no more of it than this")]
        found += timer(row)
    else:
        for part in (sending, timing, timer, rates, counts, receiving, sizes,
                     buffers):
            found += part(row)
    found += owner(row)
    return found
