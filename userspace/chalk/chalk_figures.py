# SPDX-License-Identifier: GPL-2.0
"""chalk_figures.py - the figures of one end of a connection.

Owns the counting: segments, losses, goodput, round trips. chalk summary prints
the figures, chalk report shows them.
"""

from collections import Counter
from typing import Dict, List, Optional

from chalk_match import match
from chalk_trace import SEQUENCE_SPACE, Connection, Record, Trace, relative

THIRD_DUPACK, TIMEOUT = "third duplicate ACK", "retransmission timeout"


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


def goodput(end: Connection) -> Optional[Dict[str, float]]:
    """Acknowledged payload over the time it took, first byte to last ACK."""
    data = [r for r in end.sent if r.len]
    if not data:
        return None
    acked, last, total = 0, data[0].time, end.bytes_sent
    una = data[0].snd_una
    for record in end.records[end.records.index(data[0]):]:
        step = relative(record.snd_una, una)
        if 0 < step < SEQUENCE_SPACE // 2 and acked < total:
            acked, last = min(acked + step, total), record.time
            una = record.snd_una
    seconds = last - data[0].time
    rate = acked * 8 / seconds / 1e6 if seconds > 0 else 0.0
    return {"acknowledged_bytes": acked, "seconds": round(seconds, 6),
            "mbit_per_s": round(rate, 3)}


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
        "rtt_ms": round_trips(end.records),
    }
