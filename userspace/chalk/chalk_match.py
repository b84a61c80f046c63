# SPDX-License-Identifier: GPL-2.0
"""chalk_match.py - which arrival at one end is which segment of the other.

Owns the pairing. The record of a segment has no serial number, and a
retransmission looks like the original, so pairs are found from what the header
says and from time: arrivals are taken from the last to the first, and each
goes to the latest segment of its like that can have caused it, given the
shortest time any segment took. What nobody claims was lost.
"""

from collections import defaultdict, deque
from typing import Deque, Dict, List, Optional, Tuple

from chalk_trace import Connection, Record

Likeness = Tuple[str, int, int, int]


class Flight:
    """A segment on its way: the record of sending it and that of arriving.

    A trace of one end alone has only one of the two.
    """

    def __init__(self, sent: Optional[Record] = None,
                 arrival: Optional[Record] = None):
        self.sent = sent
        self.arrival = arrival

    @property
    def segment(self) -> Record:
        """A record that has the segment's numbers."""
        return self.sent or self.arrival

    @property
    def time(self) -> float:
        return self.segment.time

    @property
    def source(self) -> str:
        """The endpoint it comes from."""
        return self.sent.local if self.sent else self.arrival.remote

    @property
    def target(self) -> str:
        return self.sent.remote if self.sent else self.arrival.local


def match(sender: Connection, receiver: Optional[Connection]) -> List[Flight]:
    """Every segment that one end sent, with its arrival at the other."""
    flights = [Flight(sent=record) for record in sender.sent]
    if receiver:
        alike: Dict[Likeness, Deque[Flight]] = defaultdict(deque)
        for flight in flights:
            alike[flight.sent.likeness].append(flight)
        shortest = shortest_delay(alike, receiver.arrived)
        for record in reversed(receiver.arrived):
            claim(alike[record.likeness], record, record.time - shortest)
    return flights


def shortest_delay(alike: Dict[Likeness, Deque[Flight]],
                   arrivals: List[Record]) -> float:
    """The least time a segment took, from those with only one origin."""
    delays = []
    for record in arrivals:
        found = alike[record.likeness]
        if len(found) == 1 and found[0].time <= record.time:
            delays.append(record.time - found[0].time)
    return min(delays, default=0.0) * 0.999


def claim(free: Deque[Flight], arrival: Record, before: float) -> None:
    """Give an arrival to the latest free segment that was sent by then.

    What was sent later is of no use to the arrivals that are still to come:
    they are earlier ones.
    """
    while free:
        flight = free.pop()
        if flight.time <= before:
            flight.arrival = arrival
            return


def arrivals_only(receiver: Connection) -> List[Flight]:
    """The segments that arrived, where the trace lacks the end that sent."""
    return [Flight(arrival=record) for record in receiver.arrived]
