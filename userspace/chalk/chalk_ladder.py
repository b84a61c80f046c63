# SPDX-License-Identifier: GPL-2.0
"""chalk_ladder.py - a connection as steps: its segments and changes of state.

Owns which lines a ladder has, in which order, what they say and which of them
a choice takes. How they are drawn is for chalk_ladder_text.py and
chalk_ladder_svg.py.
"""

from typing import Dict, List, Optional, Set, Tuple

from chalk_base import TraceError
from chalk_match import Flight, arrivals_only, match
from chalk_trace import (SEQUENCE_SPACE, Connection, Record, Trace,
                         relative)

INSTANT = 0.001
PROBE, UPDATE = "zero-window probe", "window update"
# A repair of more steps than these is told without what has no part in it.
FOLD = 40
DUPLICATES = 3
CALLS = ("active open", "close", "abort")
FLAG_NAMES = {"S": "SYN", "F": "FIN", "R": "RST", "U": "URG", "E": "ECE",
              "C": "CWR", "A": "ACK"}


class Step:
    """A line of the ladder: a segment, or a change of state on its own."""

    def __init__(self, flight: Optional[Flight] = None,
                 change: Optional[Record] = None,
                 end: Optional[Connection] = None):
        self.flight = flight
        self.change = change
        self.end = end

    @property
    def order(self) -> Tuple[float, int]:
        """By time, and where times are equal as the trace has it."""
        record = self.change or self.flight.segment
        return record.time, record.place

    def has(self, flag: str) -> bool:
        return bool(self.flight) and flag in self.flight.segment.flags

    def acknowledges(self, awaited: Dict[str, int]) -> bool:
        """Whether its sender was awaited to acknowledge so much, and does."""
        end = awaited.get(self.flight.source)
        segment = self.flight.segment
        if end is None or relative(segment.ack, end) >= SEQUENCE_SPACE // 2:
            return False
        if self.flight.arrival:
            del awaited[self.flight.source]
        return True


class States:
    """The state of an end right after each of its segments.

    An arrival is shown with the state it leads to, a segment that leaves with
    the state in which it does. Changes that neither shows, such as the end of
    TIME_WAIT, are steps of their own.
    """

    def __init__(self, end: Connection):
        self.after: Dict[int, str] = {}
        self.alone: List[Record] = []
        arrival: Optional[Record] = None
        waiting: List[Record] = []
        for record in end.records:
            if record.is_segment:
                self.after[id(record)] = record.state
                self.alone += [r for r in waiting if not near(r, record)]
                waiting = []
                arrival = None if record.is_sent else record
            elif record.event == "state":
                if near(arrival, record) and record.cause not in CALLS:
                    self.after[id(arrival)] = record.state
                else:
                    waiting.append(record)
        self.alone += waiting


def near(earlier: Optional[Record], later: Record) -> bool:
    return bool(earlier) and later.time - earlier.time < INSTANT


class Ladder:
    """The steps of one connection, and what to write beside them."""

    def __init__(self, trace: Trace, left: Connection,
                 right: Optional[Connection]):
        self.left, self.right = left, right
        self.lost = trace.lost
        self.start = min(e.start for e in (left, right) if e)
        self.isn = self._isns()
        self.flights = match(left, right)
        if right:
            self.flights += match(right, left)
        else:
            self.flights += arrivals_only(left)
        self.windows = windows_worth_telling(self.flights)
        self.all_windows = False
        self.states = {e.id: States(e) for e in (left, right) if e}
        self.steps = self._steps()
        self.digits = 4 if self._slow() else 6

    def isn_of(self, endpoint: str) -> int:
        """From what an endpoint counts; 0 of one that is neither end's."""
        return self.isn.get(endpoint, 0)

    def _isns(self) -> Dict[str, int]:
        """The sender's initial sequence number, by its endpoint."""
        left, right = self.left, self.right
        isns = {left.local: left.isn()}
        if right:
            isns[left.remote] = right.isn()
        else:
            first = next((r for r in left.arrived), None)
            isns[left.remote] = (first.seq - ("S" not in first.flags)
                                 if first else 0)
        return isns

    def _steps(self) -> List[Step]:
        steps = [Step(flight) for flight in self.flights]
        for end in filter(None, (self.left, self.right)):
            steps += [Step(change=r, end=end)
                      for r in self.states[end.id].alone]
        return sorted(steps, key=lambda step: step.order)

    def _slow(self) -> bool:
        """Whether a tenth of a millisecond tells sending from arriving."""
        delays = [f.arrival.time - f.sent.time for f in self.flights
                  if f.sent and f.arrival]
        return min(delays, default=1.0) >= INSTANT

    def clock(self, record: Optional[Record]) -> str:
        """When it was, in seconds since the first record."""
        if record is None:
            return ""
        return f"{record.time - self.start:.{self.digits}f}"

    def names(self) -> Tuple[str, str]:
        """What the two ends are called."""
        left, right = self.left.local, self.left.remote
        if self.left.opens and not (self.right and self.right.opens):
            return f"client {left}", f"server {right}"
        return left, right

    def is_rightward(self, flight: Flight) -> bool:
        return flight.source == self.left.local

    def state(self, record: Record) -> Optional[str]:
        """The state of an end after a record; None: it has no connection."""
        if record.conn == 0:
            return None
        return self.states[record.conn].after.get(id(record), record.state)

    def moves(self, step: Step) -> bool:
        """Whether a step changes the state of the end where it arrives."""
        arrival = step.flight.arrival if step.flight else None
        if arrival is None or arrival.conn == 0:
            return bool(step.change)
        after = self.states[arrival.conn].after[id(arrival)]
        return after != arrival.state

    def note(self, flight: Flight) -> str:
        """What became of a segment that did not get there."""
        if flight.arrival:
            dropped = flight.arrival.event == "drop"
            return f"dropped: {flight.arrival.cause}" if dropped else ""
        return "lost" if self.right else ""

    def label(self, flight: Flight) -> str:
        """The segment in words."""
        segment = flight.segment
        words = [FLAG_NAMES[f] for f in segment.flags if f in FLAG_NAMES]
        text = "+".join(words) or "no flags"
        text += f" seq={relative(segment.seq, self.isn_of(flight.source))}"
        if "A" in segment.flags:
            text += f" ack={relative(segment.ack, self.isn_of(flight.target))}"
        if segment.len:
            text += f" len={segment.len}"
        if self.all_windows or id(flight) in self.windows:
            text += f" win={segment.wnd}"
        return text + remark(segment)


def remark(segment: Record) -> str:
    """What a segment is, where its numbers do not tell."""
    probes = segment.cause == PROBE and not segment.snd_wnd
    if segment.event == "rtx":
        opened = segment.cause == PROBE and not probes
        return " (again)" if opened else f" (again: {segment.cause})"
    if segment.event == "send" and (probes or segment.cause == UPDATE):
        return f" ({segment.cause})"
    return ""


def windows_worth_telling(flights: List[Flight]) -> Set[int]:
    """The flights, by id(), whose window is what they are about.

    It is shut, or it is all that changed: the ACK says nothing else that the
    one before it did not say (RFC 5681 section 2: it is no duplicate).
    """
    found: Set[int] = set()
    before: Dict[str, Record] = {}
    for flight in flights:
        segment = flight.segment
        last = before.get(flight.source)
        if not set(segment.flags) & set("SRF") and "A" in segment.flags:
            repeats = last and not segment.len and last.ack == segment.ack
            if not segment.wnd or repeats and segment.wnd != last.wnd:
                found.add(id(flight))
            before[flight.source] = segment
    return found


def handshake(ladder: Ladder) -> List[int]:
    """From the first SYN to the first other segment that gets there."""
    chosen = []
    opened = False
    for number, step in enumerate(ladder.steps):
        if step.change and not chosen:
            continue
        chosen.append(number)
        opened = opened or step.has("S")
        if (opened and step.flight and not step.has("S") and
                not ladder.note(step.flight)):
            break
    return chosen if opened else []


def teardown(ladder: Ladder) -> List[int]:
    """FIN, RST, what acknowledges a FIN, and what changes a state after."""
    chosen = []
    awaited: Dict[str, int] = {}
    for number, step in enumerate(ladder.steps):
        if step.has("F") or step.has("R"):
            chosen.append(number)
            segment = step.flight.segment
            if "F" in segment.flags:
                awaited[step.flight.target] = segment.seq + segment.len + 1
        elif chosen and (ladder.moves(step) or step.acknowledges(awaited)):
            chosen.append(number)
    return chosen


def reaches(number: int, end: int) -> bool:
    """Whether a sequence number is at another, or behind it."""
    return relative(number, end) < SEQUENCE_SPACE // 2


def end_of_repair(steps: List[Step], first: int) -> int:
    """The step with the ACK of what was lost at another; or the last one."""
    lost = steps[first].flight
    end = (lost.sent.seq + lost.sent.len) % SEQUENCE_SPACE
    for number in range(first, len(steps)):
        flight = steps[number].flight
        if (flight and flight.source == lost.target and flight.arrival and
                "A" in flight.segment.flags and
                reaches(flight.segment.ack, end)):
            return number
    return len(steps) - 1


def tells_of_repair(step: Step, lost: Flight, seen: List[int]) -> bool:
    """Whether a step has a part in the repair of a loss.

    What was lost or sent again has, and the ACKs by which the sender notices;
    of those the first are enough: @seen has their number.
    """
    flight = step.flight
    if flight is None or flight is lost or flight.segment.event == "rtx":
        return True
    if flight.sent and not flight.arrival and flight.sent.len:
        return True
    if flight.arrival and flight.arrival.event == "drop":
        return True
    if flight.source == lost.target and flight.segment.ack == lost.sent.seq:
        seen[0] += 1
        return seen[0] <= DUPLICATES + 1
    return False


def nth_loss(steps: List[Step], count: int, whole: bool = False) -> List[int]:
    """From the Nth lost segment with data until its bytes are acknowledged."""
    losses = [number for number, step in enumerate(steps)
              if step.flight and step.flight.sent and not step.flight.arrival
              and step.flight.sent.len]
    if not 0 < count <= len(losses):
        return []
    first = losses[count - 1]
    last = end_of_repair(steps, first)
    begin = max(first - 2, 0)
    if whole or last - begin < FOLD:
        return list(range(begin, last + 1))
    seen = [0]
    lost = steps[first].flight
    return [number for number in range(begin, last + 1)
            if number <= first + 2 or number == last
            or tells_of_repair(steps[number], lost, seen)]


def choose(ladder: Ladder, first: int = 0, last: int = 0, loss: int = 0,
           opening: bool = False, closing: bool = False,
           whole: bool = False) -> List[int]:
    """Which steps to draw, by number; all of them if nothing is asked for.

    Whole: a long repair with all that was between.
    """
    steps = ladder.steps
    if not (first or last or loss or opening or closing):
        return list(range(len(steps)))
    chosen = set(range(min(first, len(steps))))
    chosen.update(range(max(len(steps) - last, 0), len(steps)))
    if opening:
        chosen.update(handshake(ladder))
    if closing:
        chosen.update(teardown(ladder))
    if loss and not ladder.right:
        raise TraceError("what is lost on the way is known only where the "
                         "trace has both ends")
    if loss:
        chosen.update(nth_loss(steps, loss, whole))
    lonely = {n for n in range(len(steps)) if {n - 1, n + 1} <= chosen}
    return sorted(chosen | lonely)


def runs(chosen: List[int], total: int) -> List[Tuple[bool, List[int]]]:
    """The steps as stretches that are drawn (True) and left out (False)."""
    found: List[Tuple[bool, List[int]]] = []
    drawn = set(chosen)
    for number in range(total):
        if not found or found[-1][0] != (number in drawn):
            found.append((number in drawn, []))
        found[-1][1].append(number)
    return found
