# SPDX-License-Identifier: GPL-2.0
"""chalk_figures.py - the figures of one end of a connection.

Owns the counting: segments, losses, goodput, round trips, and what held the
sender back. chalk summary prints the figures, chalk report shows them.
"""

from collections import Counter
from itertools import groupby
from operator import attrgetter
from typing import Dict, List, Optional, Tuple

from chalk_match import match
from chalk_trace import SEQUENCE_SPACE, Connection, Record, Trace, relative

THIRD_DUPACK, TIMEOUT = "third duplicate ACK", "retransmission timeout"
RWND, CWND, PROGRAM, SNDBUF, PARTIAL = LIMITS = (
    "receiver's window", "congestion window", "program", "send buffer",
    "partial segment")
HALF = SEQUENCE_SPACE // 2
# A program that waits for room in the send buffer writes so soon after an ACK.
AT_ONCE = 0.001


def by_cause(records: List[Record], event: str) -> Dict[str, int]:
    """How many records of an event there are, by cause."""
    causes = Counter(r.cause for r in records if r.event == event)
    return dict(causes.most_common())


def loss_events(records: List[Record]) -> Dict[str, int]:
    """How often the sender took the network for congested, by the sign.

    A loss that is noticed may leave both windows as they were; a third
    duplicate ACK has its one retransmission all the same.
    """
    seen = {(r.cause, r.time) for r in records if r.cause == TIMEOUT
            and r.event in ("cwnd", "ssthresh")}
    seen |= {(r.cause, r.time) for r in records if r.cause == THIRD_DUPACK
             and r.event == "rtx"}
    return dict(Counter(sorted(cause for cause, _ in seen)).most_common())


def round_trips(records: List[Record]) -> Optional[Dict[str, float]]:
    """The samples of the round-trip time, in milliseconds."""
    samples = [r.new / 1000 for r in records if r.event == "rtt"]
    if not samples:
        return None
    return {"samples": len(samples),
            "refused": sum(r.event == "rtt_refused" for r in records),
            "min": min(samples), "max": max(samples),
            "avg": round(sum(samples) / len(samples), 3)}


def established(records: List[Record]) -> Optional[float]:
    """When the connection was there."""
    return next((r.time for r in records if r.event == "state" and
                 r.state == "ESTABLISHED"), None)


def acknowledged(end: Connection) -> Optional[Tuple[int, float, float]]:
    """Payload that was, and from when to when: first byte to last ACK.

    A trace without the segments that leave (the kernel's TCP) does not say when
    the first byte did: at the earliest when the connection is there.
    """
    told = any(r.event == "send" for r in end.records)
    data = [r for r in end.records
            if (r.is_sent and r.len if told else r.snd_nxt)]
    if not data:
        return None
    first = data[0].time
    total = end.bytes_sent if told else SEQUENCE_SPACE
    if not told:
        first = established(end.records) or first
    acked, last, una = 0, first, data[0].snd_una
    for record in end.records[end.records.index(data[0]):]:
        step = relative(record.snd_una, una)
        if 0 < step < HALF and acked < total and (told or record.snd_nxt):
            acked, last = min(acked + step, total), record.time
            una = record.snd_una
    return (acked, first, last) if told or acked else None


def goodput(end: Connection) -> Optional[Dict[str, float]]:
    """Acknowledged payload over the time it took."""
    known = acknowledged(end)
    if not known:
        return None
    acked, first, last = known
    seconds = last - first
    rate = acked * 8 / seconds / 1e6 if seconds > 0 else 0.0
    return {"acknowledged_bytes": acked, "seconds": round(seconds, 6),
            "mbit_per_s": round(rate, 3)}


def limit(record: Record, mss: int) -> Optional[str]:
    """What holds back the next segment, as things stand after a record.

    None if nothing waits to be sent. As the module counts for chalk ss: if
    neither window has room, it is cwnd that the sender waits for.
    """
    outstanding = relative(record.snd_nxt, record.snd_una)
    again = outstanding - record.flight
    waiting = record.unsent
    if outstanding < HALF and again > 0:
        waiting += again  # taken for lost
    size = min(waiting, mss)
    if not size:
        return None
    if record.cwnd - record.flight < size:
        return CWND
    return RWND if record.snd_wnd - record.flight < size else PARTIAL


def held_back(end: Connection) -> Optional[Dict]:
    """What the sender waited for while its data was under way, in seconds.

    Between two instants that is what the variables after the first say. Where
    nothing is left to send, what comes next tells whose doing that is: a write
    at once after a bare ACK was waiting for room in the send buffer.
    """
    known = acknowledged(end)
    if not known or known[2] <= known[1]:
        return None
    _, first, last = known
    mss = (max(r.mss for r in end.records) or
           max((r.len for r in end.sent), default=0))
    if not mss:
        return None
    found: Dict[str, float] = dict.fromkeys(LIMITS, 0.0)
    instants = [list(group) for _, group in groupby(
        (r for r in end.records if first <= r.time <= last),
        attrgetter("time"))]
    empty, una, acked = 0.0, instants[0][0].snd_una, -AT_ONCE
    for now, after in zip(instants, instants[1:] + [None]):
        time, final = now[0].time, now[-1]
        for record in now:
            if record.event == "recv" and "A" in record.flags and \
                    0 < relative(record.ack, una) < HALF:
                una, acked = record.ack, -AT_ONCE if record.len else time
        if final.unsent or any(r.event == "send" and r.len for r in now):
            found[SNDBUF if time - acked < AT_ONCE else PROGRAM] += empty
            empty = 0.0
        seconds = (after[0].time if after else last) - time
        why = limit(final, mss)
        if why:
            found[why] += seconds
        else:
            empty += seconds
    found[PROGRAM] += empty
    order = sorted(LIMITS, key=lambda why: -found[why])
    return {"seconds": round(last - first, 6),
            "by": {why: {"seconds": round(found[why], 6),
                         "share": round(found[why] / (last - first), 4)}
                   for why in order if round(found[why], 6)}}


def lost(end: Connection, peer: Optional[Connection]) -> Optional[int]:
    """Segments that did not arrive; known where the trace has both ends."""
    if peer is None:
        return None
    return sum(flight.arrival is None for flight in match(end, peer))


def figures(trace: Trace, end: Connection) -> Dict:
    return {
        "conn": end.id, "local": end.local, "remote": end.remote,
        "seconds": round(end.records[-1].time - end.start, 6),
        "segments_sent": len(end.sent),
        "data_segments_sent": sum(r.len > 0 for r in end.sent),
        "bytes_sent": end.bytes_sent,
        "retransmissions": by_cause(end.records, "rtx"),
        "lost_on_the_way": lost(end, trace.peer(end)),
        "loss_events": loss_events(end.records),
        "dropped_on_arrival": by_cause(end.arrived, "drop"),
        "goodput": goodput(end),
        "held_back": held_back(end),
        "rtt_ms": round_trips(end.records),
    }
