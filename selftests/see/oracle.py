#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""oracle.py - does the trace say of cwnd and ssthresh what the RFCs say?

Usage: oracle.py [--local ADDR:PORT] [--iw N] [--reno | --tahoe] [--no-hystart] CAPTURE TRACE

CAPTURE was made at a sender. From it alone sender.py rebuilds the two
variables; each change must be in TRACE, at its place, with its values, cause
and clause, and no others; so must the turns of HyStart++. Prints what was
compared; exits 0 if all agree.
"""

import argparse
import sys
from dataclasses import dataclass, field
from typing import List, Optional

import sender
from sender import SECOND, Change, Sender

# pylint: disable=wrong-import-order
import chalk_capture
import chalk_pair
import chalk_trace

SLACK = 5 * sender.MILLISECOND
# An echoed timestamp tells the round trip to a millisecond only, and backing off
# doubles the error.
TIMER_ERROR = 0.01


@dataclass
class Verdict:
    """What came of a comparison."""

    compared: int
    recoveries: int
    timeouts: int
    causes: List[str]
    disagreements: List[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (f"{self.compared} changes compared, {self.recoveries} fast "
                f"recoveries, {self.timeouts} timeouts, "
                f"{len(self.disagreements)} disagreements")


def rebuild(segments: List[chalk_capture.Segment], local: str, remote: str,
            initial: int = 10, tahoe: bool = False, reno: bool = False,
            hystart: bool = True) -> Sender:
    """The sender of a connection, after all of its packets."""
    # pylint: disable=too-many-arguments
    end = Sender(6 if local.startswith("[") else 4, initial, tahoe,
                 reno, hystart)
    for segment in segments:
        if (segment.local, segment.remote) == (local, remote):
            end.sent(segment)
        elif (segment.local, segment.remote) == (remote, local):
            end.arrived(segment)
    return end


def traced(records: List[chalk_trace.Record]) -> List[Change]:
    """The changes that a trace tells of."""
    return [Change(round(r.time * SECOND), r.event, int(r.old), int(r.new),
                   (r.cause, r.clause))
            for r in records if r.event in ("cwnd", "ssthresh", "hystart")]


def clock_offset(segments: List[chalk_capture.Segment],
                 connection: chalk_trace.Connection) -> int:
    """What the capture's clock is ahead of the trace's."""
    return chalk_pair.pair(segments, connection.records,
                           chalk_pair.host(connection.local)).offset


def same(ours: Change, theirs: Change, offset: int, slack: int) -> bool:
    """Whether two changes are the same one."""
    return ((ours.what, ours.old, ours.new, ours.rule)
            == (theirs.what, theirs.old, theirs.new, theirs.rule)
            and abs(ours.time - offset - theirs.time) <= slack)


def differences(ours: List[Change], theirs: List[Change], offset: int,
                slack: int) -> List[str]:
    """Lines for what differs, the first of them the cause of the rest."""
    found = []
    for place in range(max(len(ours), len(theirs))):
        one = ours[place] if place < len(ours) else None
        other = theirs[place] if place < len(theirs) else None
        if one and other and same(one, other, offset, slack):
            continue
        if one:
            one = Change(one.time - offset, one.what, one.old, one.new,
                         one.rule)
        found.append(f"change {place + 1}: by the RFCs {one}, traced {other}")
    return found


def late_timeouts(end: Sender, slack: int, error: float) -> List[str]:
    """Timeouts that did not come when RFC 6298 says."""
    found = []
    for at, due, rto in end.timeouts:
        if due is None:
            found.append(f"timeout at {at / SECOND:.6f}, though no timer ran")
        elif abs(at - due) > slack + rto * error:
            found.append(f"timeout at {at / SECOND:.6f}, due at "
                         f"{due / SECOND:.6f}")
    for at, due, rto in end.missed:
        if at - due > slack + rto * error:
            found.append(f"no timeout, due at {due / SECOND:.6f}, by "
                         f"{at / SECOND:.6f}")
    return found


def wrong_columns(end: Sender,
                  records: List[chalk_trace.Record]) -> List[str]:
    """States that do not follow each other, and an MSS that is not used."""
    found = []
    state = None
    mss = 0
    for record in records:
        if record.event == "state":
            if record.new != record.state or state not in (None, record.old):
                found.append(f"{record.time:.6f}: {state}, then "
                             f"{record.old} -> {record.new}")
            state = record.state
        elif record.event == "cwnd":
            mss = record.mss
    if mss != end.smss:
        found.append(f"an MSS of {end.smss}, traced {mss}")
    return found


def judge(segments: List[chalk_capture.Segment],
          connection: chalk_trace.Connection, initial: int = 10,
          slack: int = SLACK, timer_slack: Optional[int] = None,
          timer_error: float = TIMER_ERROR, tahoe: bool = False,
          reno: bool = False, hystart: bool = True) -> Verdict:
    """Compare one end of a connection.

    A timeout may come @timer_slack and @timer_error of the RTO beside its time.
    """
    end = rebuild(segments, connection.local, connection.remote, initial,
                  tahoe, reno, hystart)
    offset = clock_offset(segments, connection)
    theirs = traced(connection.records)
    verdict = Verdict(len(end.changes), end.recoveries, len(end.timeouts),
                      [change.rule[0] for change in end.changes])
    verdict.disagreements += differences(end.changes, theirs, offset, slack)
    verdict.disagreements += end.problems
    verdict.disagreements += wrong_columns(end, connection.records)
    verdict.disagreements += late_timeouts(end, timer_slack or slack,
                                           timer_error)
    return verdict


def main() -> int:
    """Compare, tell."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("capture")
    parser.add_argument("trace")
    parser.add_argument("--local", metavar="ADDR:PORT")
    parser.add_argument("--iw", type=int, default=10, metavar="N")
    parser.add_argument("--reno", action="store_true")
    parser.add_argument("--tahoe", action="store_true")
    parser.add_argument("--no-hystart", action="store_true")
    args = parser.parse_args()
    connection = chalk_trace.load(args.trace).pick(local=args.local)
    verdict = judge(chalk_capture.segments(args.capture), connection, args.iw,
                    tahoe=args.tahoe, reno=args.reno,
                    hystart=not args.no_hystart)
    for line in verdict.disagreements[:10]:
        print(line)
    print(verdict)
    return 1 if verdict.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
