# SPDX-License-Identifier: GPL-2.0
"""sender.py - cwnd and ssthresh of a sender, rebuilt from its packets alone.

Owns a second reading of the RFCs, which shares nothing with kmod/core: what a
capture at the sender shows goes in, each change of the two variables comes
out, with the rule that asks for it. Nothing tells this program why a segment
was sent again: that follows from the ACKs before it.

    RFC 5681  slow start, congestion avoidance, fast retransmit and recovery,
              the timeout, the restart after an idle time
    RFC 6582  NewReno: partial and full acknowledgments, unless Reno is asked
              for
    RFC 6928  the initial window         RFC 3042  limited transmit
    RFC 3465  counting bytes             RFC 6298  the retransmission timer
    RFC 7661  a window of which little is used does not grow
    RFC 9406  HyStart++, which ends the first slow start (hystart.py)
    RFC 2001  Tahoe, where that is asked for
    RFC 9293  what is acceptable         RFC 7323  PAWS

Where the RFCs leave a choice, CHOICES says which one is checked.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Tuple

sys.path.append(str(Path(__file__).parents[2] / "userspace" / "chalk"))
# pylint: disable=wrong-import-position
from chalk_capture import Segment  # noqa: E402
from hystart import CSS_GROWTH_DIVISOR, HyStart  # noqa: E402

CHOICES = """
- RFC 3465 2.2: L = 2; 1 while data of before a timeout is sent again (2.3).
- RFC 5681 3.1: slow start ends at ssthresh exactly; equal is congestion
  avoidance. ssthresh starts at 2^31 - 1.
- RFC 3465 2.1: the count of acknowledged bytes begins anew after a loss.
- RFC 5681 equation 4: FlightSize is what is "outstanding in the network", in
  sequence numbers. After a timeout all that was sent before it is taken to be
  lost, so it counts from what was sent since. ssthresh is held constant where
  the timer expires again without any progress; after progress, what is lost is
  a retransmission, which section 4.3 counts as another sign of congestion.
  Equation 4 is an upper bound: a timeout in a recovery halves ssthresh, or
  after a partial ACK leaves it where it is, if half of the flight is not less.
- RFC 6582 3.2 step 3: a full ACK sets cwnd = min (ssthresh, max (FlightSize,
  SMSS) + SMSS); of partial ACKs only the first restarts the timer (section 4).
- RFC 5681 3.2 step 6, Reno: each new ACK ends a recovery with cwnd = ssthresh,
  and other losses may begin another at once; not of what was sent again after
  a timeout (RFC 6582 4.1).
- RFC 6675 6: a fast retransmission begins the timer anew.
- RFC 7661 4.2: pipeACK is taken from FlightSize, as ACKs find it, over this
  round trip and the one before; of a cwnd that was larger nothing counts. In
  slow start cwnd grows to 2 * pipeACK (4.3); in congestion avoidance only if
  less than one SMSS of it was free (4.5.3), which is less than the RFC allows.
- RFC 7661 4.4.1: for NewReno and Reno, not after a timeout. R is what the
  recovery sent again; ssthresh has its floor of 2 SMSS. A cwnd without pipeACK
  counts as validated.
- RFC 7661 4.4.3: five minutes are judged when an ACK comes. A silence ends them,
  and has RFC 5681 4.1 instead.
- RFC 9406 4.2: L = 2, as above. A round begins with its first ACK, windowEnd is
  SND.NXT then. Not where Tahoe is asked for. Begins anew after an idle time.
- RFC 6298 2.4: RTO = SRTT + max (200 ms, 4 * RTTVAR), as in Linux.
- RFC 6298 3: one segment is timed at a time. After a timeout an echoed
  timestamp of what was sent since serves as well (RFC 7323 4.1).
"""

SPACE = 1 << 32
MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
SSTHRESH_START = 0x7fffffff
DUPACKS = 3
MSS_DEFAULT = {4: 536, 6: 1220}
NONVALIDATED_PERIOD = 300 * SECOND
RTO_START = SECOND
RTO_AFTER_LOST_SYN = 3 * SECOND
RTO_LEAST_VARIANCE = 200 * MILLISECOND
RTO_MOST = 120 * SECOND
TIMESTAMPS_LEN = 12

INITIAL = ("initial window", "RFC 6928 2")
THRESHOLD = ("initial threshold", "RFC 5681 3.1")
SYN_LOST = ("SYN or SYN+ACK was lost", "RFC 5681 3.1")
SLOW_START = ("slow start", "RFC 5681 3.1")
CAREFUL = ("conservative slow start", "RFC 9406 4.2")
CAREFUL_ENDS = ("slow start is over", "RFC 9406 4.2")
RISES = ("round trip rises", "RFC 9406 4.2")
FALLS = ("round trip falls again", "RFC 9406 4.2")
AVOIDANCE = ("congestion avoidance", "RFC 5681 3.1")
THIRD = ("third duplicate ACK", "RFC 5681 3.2")
FURTHER = ("further duplicate ACK", "RFC 5681 3.2")
PARTIAL = ("partial ACK", "RFC 6582 3.2")
DONE = ("recovery done", "RFC 6582 3.2")
DEFLATED = ("window deflated", "RFC 5681 3.2")
TIMEOUT = ("retransmission timeout", "RFC 5681 3.1")
NOT_USED = ("cwnd little used for long", "RFC 7661 4.4.3")
NOT_VALIDATED = ("cwnd was not validated", "RFC 7661 4.4.1")
IDLE = ("restart after idle", "RFC 5681 4.1")


@dataclass
class Change:
    """A change of cwnd or ssthresh; the time in nanoseconds.

    Or a turn of HyStart++, of which old and new are round trips.
    """

    time: int
    what: str
    old: int
    new: int
    rule: Tuple[str, str]

    def __str__(self) -> str:
        return (f"{self.time / SECOND:.6f} {self.what} {self.old} -> "
                f"{self.new}: {self.rule[0]} ({self.rule[1]})")


class Numbers:
    """Sequence numbers as plain integers that never wrap."""

    def __init__(self) -> None:
        self.near: Optional[int] = None

    def of(self, number: int) -> int:
        """The integer nearest to the last one."""
        if self.near is None:
            self.near = number + SPACE
        else:
            step = (number - self.near) % SPACE
            self.near += step - SPACE if step >= SPACE // 2 else step
        return self.near


class Timer:
    """The retransmission timer of RFC 6298."""

    def __init__(self) -> None:
        self.srtt = 0
        self.rttvar = 0
        self.base = RTO_START
        self.backoffs = 0
        self.due: Optional[int] = None

    @property
    def rto(self) -> int:
        """Now, with its backing off (5.5)."""
        return min(self.base << self.backoffs, RTO_MOST)

    def sample(self, rtt: int) -> None:
        """Section 2, (2.2) and (2.3)."""
        if not self.srtt:
            self.srtt, self.rttvar = rtt, rtt // 2
        else:
            self.rttvar += (abs(self.srtt - rtt) - self.rttvar) // 4
            self.srtt += (rtt - self.srtt) // 8
        self.base = self.srtt + max(RTO_LEAST_VARIANCE, 4 * self.rttvar)
        self.backoffs = 0

    def restart(self, now: int) -> None:
        """(5.1), (5.3) and (5.6)."""
        self.due = now + self.rto


class Receiver:
    """The receiving half: whether a segment is acceptable at all."""

    def __init__(self) -> None:
        self.numbers = Numbers()
        self.rcv_nxt = 0
        self.edge = 0
        self.early: List[Tuple[int, int]] = []
        self.ts_recent: Optional[int] = None
        self.last_ack_sent = 0

    def begin(self, irs: int) -> None:
        """The peer's SYN has come."""
        self.rcv_nxt = self.edge = self.numbers.of(irs) + 1

    def advertise(self, ack: int, window: int) -> None:
        """We send an ACK."""
        self.last_ack_sent = self.numbers.of(ack)
        self.edge = max(self.edge, self.last_ack_sent + window)

    def accepts(self, seg: Segment) -> bool:
        """RFC 7323 5.3 (R1), then the first step of RFC 9293 3.10.7.4."""
        start = self.numbers.of(seg.seq)
        if self.ts_recent is not None:
            if seg.tsval is None:
                return False
            if (seg.tsval - self.ts_recent) % SPACE >= SPACE // 2:
                return False
        if start == self.rcv_nxt:
            return True
        length = (seg.end - seg.seq) % SPACE
        if not length:
            return self.rcv_nxt <= start <= self.edge
        return start < self.edge and start + length > self.rcv_nxt

    def take(self, seg: Segment) -> None:
        """What an acceptable segment changes here."""
        start = self.numbers.of(seg.seq)
        if seg.tsval is not None and self.ts_recent is not None \
                and start <= self.last_ack_sent:
            self.ts_recent = seg.tsval
        end = start + (seg.end - seg.seq) % SPACE
        if end == start:
            return
        self.early.append((start, min(end, self.edge)))
        for first, last in sorted(self.early):
            if first <= self.rcv_nxt:
                self.rcv_nxt = max(self.rcv_nxt, last)


class Sender:
    """One end of a connection; sent() and arrived() in the capture's order."""

    # pylint: disable=too-many-instance-attributes

    def __init__(self, version: int = 4, initial_segments: int = 10,
                 tahoe: bool = False, reno: bool = False,
                 hystart: bool = True) -> None:
        # pylint: disable=too-many-arguments
        self.has_hystart = hystart and not tahoe
        self.hystart = HyStart()
        self.tahoe = tahoe
        self.reno = reno
        self.changes: List[Change] = []
        self.problems: List[str] = []
        # when, when it was due, after which RTO
        self.timeouts: List[Tuple[int, Optional[int], int]] = []
        # the same of timers that were due, and nothing was sent again
        self.missed: List[Tuple[int, Optional[int], int]] = []
        self.recoveries = 0
        self.numbers = Numbers()
        self.receiver = Receiver()
        self.timer = Timer()
        self.initial_segments = initial_segments
        self.peer_mss = MSS_DEFAULT[version]
        self.own_mss = 0
        self.offers = self.answers = False
        self.own_scale: Optional[int] = None
        self.peer_scale: Optional[int] = None
        self.synchronized = self.established = self.over = False
        self.syns = 0
        self.syn_lost = False
        self.syn_flags = ""
        self.smss = 0
        self.cwnd = 0
        self.ssthresh = 0
        self.acked = 0
        # the largest flights, of the last round trip and of this one
        self.pipe = [0, 0]
        self.round_end = 0
        self.valid_at = 0
        # max (pipeACK, LossFlightSize) of a recovery, and its R
        self.loss_used = 0
        self.resent = 0
        self.iss = 0
        self.snd_una = 0
        self.snd_nxt = 0
        self.resend = 0
        self.snd_wnd = 0
        self.wl1 = self.wl2 = 0
        self.fin_end: Optional[int] = None
        self.dupacks = 0
        self.recovering = False
        self.partial_seen = False
        self.recover = 0
        self.limited = 0
        self.owed = False
        self.no_progress = False
        self.last_sent: Optional[int] = None
        self.timed: Optional[Tuple[int, int]] = None
        self.stamps: dict = {}
        self.since_timeout: Optional[int] = None

    # --- the two variables ---

    def _set_cwnd(self, now: int, value: int, rule: Tuple[str, str]) -> None:
        value = max(value, self.smss)
        if value != self.cwnd:
            self.changes.append(Change(now, "cwnd", self.cwnd, value, rule))
        if value < self.cwnd:
            self.pipe = [0, 0]
            self.valid_at = now
        self.cwnd = value

    def _most_after_timeout(self) -> int:
        """RFC 5681 4.3: lowered twice where a retransmission is lost."""
        if not self.recovering:
            return SSTHRESH_START
        return self.ssthresh if self.partial_seen else self.ssthresh // 2

    def _set_ssthresh(self, now: int, rule: Tuple[str, str],
                      most: int = SSTHRESH_START) -> None:
        """RFC 5681 equation 4, without limited transmit's data (3.2, 2)."""
        half = min((self.flight - self.limited) // 2, most)
        value = max(half, 2 * self.smss)
        self._change_ssthresh(now, value, rule)

    def _change_ssthresh(self, now: int, value: int,
                         rule: Tuple[str, str]) -> None:
        if value != self.ssthresh:
            self.changes.append(
                Change(now, "ssthresh", self.ssthresh, value, rule))
        self.ssthresh = value

    @property
    def flight(self) -> int:
        """Sent, not acknowledged, and not given up by a timeout."""
        return self.resend - self.snd_una

    # --- the handshake ---

    def _sent_syn(self, seg: Segment) -> None:
        # what goes out a second time was lost, but for the SYN of a
        # simultaneous open, which goes again with an ACK
        self.syns += 1
        if self.syns == 1:
            self.iss = self.numbers.of(seg.seq)
            self.snd_una = self.iss
            self.snd_nxt = self.resend = self.iss + 1
            self.recover = self.iss
            self.timed = (self.iss + 1, seg.time)
        else:
            self.timed = None
            self.syn_lost |= seg.flags == self.syn_flags
            if "A" not in seg.flags:
                self.since_timeout = seg.time
                self.timer.backoffs += 1
        self.syn_flags = seg.flags
        self.own_mss = seg.mss or self.own_mss
        self.offers = seg.tsval is not None
        self.own_scale = seg.wscale

    def _took_syn(self, seg: Segment) -> None:
        if self.synchronized:
            return
        self.synchronized = True
        self.receiver.begin(seg.seq)
        self.peer_mss = seg.mss or self.peer_mss
        self.answers = seg.tsval is not None
        self.peer_scale = seg.wscale
        self.receiver.ts_recent = seg.tsval
        self.snd_wnd = seg.wnd
        self.wl1 = self.receiver.rcv_nxt - 1

    def _establish(self, seg: Segment) -> None:
        """RFC 6928 2; RFC 5681 3.1 where a SYN was lost."""
        timestamps = self.offers and self.answers
        if not timestamps:
            self.receiver.ts_recent = None
        # RFC 9293 3.7.1: what every segment carries comes off
        self.smss = (min(self.own_mss, self.peer_mss)
                     - (TIMESTAMPS_LEN if timestamps else 0))
        self.established = True
        self.snd_una = self.iss + 1
        self._measure(seg)
        if self.syn_lost and not self.timer.srtt:
            # RFC 6298 (5.7)
            self.timer.base, self.timer.backoffs = RTO_AFTER_LOST_SYN, 0
        self.valid_at = seg.time
        # "arbitrarily high" (RFC 5681 3.1)
        self._change_ssthresh(seg.time, SSTHRESH_START, THRESHOLD)
        if self.syn_lost:
            self._set_cwnd(seg.time, self.smss, SYN_LOST)
            return
        count = self.initial_segments
        self._set_cwnd(seg.time, self._initial_window(count), INITIAL)

    def _initial_window(self, count: int) -> int:
        return min(count * self.smss, max(2 * self.smss, count * 1460))

    # --- HyStart++ ---

    @property
    def minds_delay(self) -> bool:
        """RFC 9406 4.3: only before ssthresh has another value."""
        return self.has_hystart and self.ssthresh == SSTHRESH_START

    def _mind_departure(self, now: int, start: int, end: int) -> None:
        if not self.minds_delay:
            return
        if start < self.snd_nxt:
            self.hystart.leaves_again(start, end)
        if end > self.snd_nxt:
            self.hystart.leaves(max(start, self.snd_nxt), end,
                                now // MICROSECOND)

    def _mind_round(self, now: int) -> None:
        """RFC 9406 4.2, after cwnd has grown."""
        if not self.minds_delay:
            return
        turn = self.hystart.grown(self.snd_una, self.snd_nxt)
        if turn:
            rises, old, new = turn
            self.changes.append(Change(now, "hystart", old, new,
                                       RISES if rises else FALLS))
        if self.hystart.is_over:
            self._change_ssthresh(now, max(self.cwnd, 2 * self.smss),
                                  CAREFUL_ENDS)

    # --- measuring ---

    def _measure(self, seg: Segment) -> None:
        """RFC 6298 3, and the echo of what was sent since a timeout."""
        if self.timed and self.snd_una >= self.timed[0]:
            self.timer.sample(seg.time - self.timed[1])
            self.timed = None
        elif self.timer.backoffs and self.since_timeout is not None:
            sent = self.stamps.get(seg.tsecr)
            if sent is not None and sent >= self.since_timeout:
                self.timer.sample(seg.time - sent)

    def _note_stamp(self, seg: Segment) -> None:
        if seg.tsval is not None:
            self.stamps.setdefault(seg.tsval, seg.time)

    # --- we send ---

    def sent(self, seg: Segment) -> None:
        """A segment leaves."""
        if self.over:
            return
        self._note_stamp(seg)
        if "R" in seg.flags:
            self.over = True
        elif "S" in seg.flags:
            self._sent_syn(seg)
        if "A" in seg.flags and self.synchronized:
            scaled = "S" not in seg.flags and self.peer_scale is not None
            self.receiver.advertise(
                seg.ack, seg.wnd << (self.own_scale or 0) if scaled
                else seg.wnd)
        length = (seg.end - seg.seq) % SPACE
        if self.established and length and not self.over:
            start = self.numbers.of(seg.seq)
            self._sent_range(seg, start, start + length)

    def _sent_range(self, seg: Segment, start: int, end: int) -> None:
        if "F" in seg.flags:
            self.fin_end = end
        self._mind_departure(seg.time, start, end)
        if self._is_probe(start, end):
            self._probe(seg.time, end)
        elif start < self.snd_nxt:
            self._sent_again(seg, start, end)
        else:
            self._sent_new(seg, end)

    def _after_silence(self, seg: Segment) -> None:
        """RFC 5681 4.1: RW = min (IW, cwnd); probes do not break it."""
        if seg.len and not self.flight and self.last_sent is not None and \
                seg.time - self.last_sent > self.timer.rto:
            window = self._initial_window(self.initial_segments)
            self._set_cwnd(seg.time, min(window, self.cwnd), IDLE)
            self.hystart.begin()
            self.valid_at = seg.time
        self.last_sent = seg.time

    def _sent_new(self, seg: Segment, end: int) -> None:
        self._after_silence(seg)
        length = end - self.snd_nxt
        self._obey(seg, self.flight + seg.len)
        # RFC 3042: what duplicate ACKs let out beyond cwnd
        if self.dupacks and not self.recovering and \
                self.flight + length > self.cwnd:
            self.limited += seg.len
        if self.timed is None:
            self.timed = (end, seg.time)
        self.snd_nxt = self.resend = end
        self._start_timer(seg.time)

    def _obey(self, seg: Segment, flight: int) -> None:
        """RFC 5681 3.1 and RFC 3042: not more than cwnd is in flight."""
        limit = self.cwnd
        if not self.recovering and self.resend == self.snd_nxt:
            limit += min(self.dupacks, 2) * self.smss
        if seg.len and flight > limit:
            self.problems.append(f"{seg.time / SECOND:.6f}: {flight} bytes "
                                 f"in flight, cwnd allows {limit}")

    def _sent_again(self, seg: Segment, start: int, end: int) -> None:
        self.timed = None
        if start == self.resend:
            # the octet of a probe goes with the rest when the window opens
            self._after_silence(seg)
        self.last_sent = seg.time
        if self.owed and start == self.snd_una:
            self.owed = False
            self.resent += seg.len
            if not self.partial_seen:
                self.timer.due = None
        elif start == self.resend:
            # the timeout's slow start goes on where it is
            if not self.flight:
                self.timer.due = None
            self._obey(seg, self.flight + seg.len)
            self.resend = end
        elif start == self.snd_una:
            self._timeout(seg.time)
            self.resend = end
        else:
            self.problems.append(
                f"{seg.time / SECOND:.6f}: {seg.seq} is sent again, and no "
                "rule asks for it")
        if end > self.snd_nxt:
            self.timed = (end, seg.time)
            self.snd_nxt = end
        self.resend = min(max(self.resend, self.snd_una), self.snd_nxt)
        self._start_timer(seg.time)

    def _start_timer(self, now: int) -> None:
        if self.timer.due is None:
            self.timer.restart(now)

    def _is_probe(self, start: int, end: int) -> bool:
        """RFC 9293 3.8.6.1: it goes where no window is."""
        return not self.snd_wnd and start == self.snd_una and \
            end - start <= 1 and (self.fin_end is None or end != self.fin_end)

    def _probe(self, now: int, end: int) -> None:
        """A shut window is not congestion, but it ends a recovery."""
        if self.recovering:
            self._recovered(now)
        if self.flight:
            # RFC 6582 4.1: what had arrived is answered twice
            self.recover = self.snd_nxt - 1
        self.owed = False
        self.dupacks = self.limited = 0
        self.resend = self.snd_una
        self.snd_nxt = max(self.snd_nxt, end)
        self.timed = None
        self.timer.due = None

    def _timeout(self, now: int) -> None:
        """RFC 5681 3.1, RFC 6298 (5.4) to (5.6), RFC 6582 4."""
        self.timeouts.append((now, self.timer.due, self.timer.rto))
        if not self.no_progress:
            self._set_ssthresh(now, TIMEOUT, self._most_after_timeout())
        self._set_cwnd(now, self.smss, TIMEOUT)
        self.no_progress = True
        self.acked = 0
        self.recover = self.snd_nxt - 1
        self.recovering = self.owed = False
        self.dupacks = self.limited = 0
        self.since_timeout = now
        self.timer.backoffs += 1
        self.timer.restart(now)

    # --- something arrives ---

    def arrived(self, seg: Segment) -> None:
        """A segment reaches us."""
        if self.over or not seg.intact:
            return
        if self.timer.due is not None and seg.time > self.timer.due \
                and self.established and self.snd_wnd:
            self.missed.append((seg.time, self.timer.due, self.timer.rto))
        if self.owed:
            self.problems.append(f"{seg.time / SECOND:.6f}: before this, "
                                 "a lost segment was to be sent again")
            self.owed = False
        if "S" in seg.flags:
            if not self.established and self._answers_us(seg):
                self._took_syn(seg)
                if "A" in seg.flags:
                    self._establish(seg)
            return
        if not self.synchronized or not self.receiver.accepts(seg):
            return
        if "R" in seg.flags:
            self.over = True
            return
        if "A" in seg.flags:
            self._took_ack(seg)
        self.receiver.take(seg)

    def _answers_us(self, seg: Segment) -> bool:
        return "A" not in seg.flags or \
            (self.syns > 0 and (seg.ack - self.iss - 1) % SPACE == 0)

    def _took_ack(self, seg: Segment) -> None:
        ack = self.snd_una + (seg.ack - self.snd_una) % SPACE
        if ack > self.snd_nxt:
            return
        if not self.established:
            if ack <= self.snd_una:
                return
            self._establish(seg)
            self.snd_wnd = seg.wnd << (self.peer_scale or 0) \
                if self.own_scale is not None else seg.wnd
        changed = self._took_window(seg, ack)
        if ack > self.snd_una:
            self._new_ack(seg, ack)
        elif self._is_duplicate(seg, changed):
            self._duplicate(seg)

    def _took_window(self, seg: Segment, ack: int) -> bool:
        """RFC 9293 3.10.7.4: not from old segments."""
        scale = self.peer_scale or 0 if self.own_scale is not None else 0
        start = self.receiver.numbers.of(seg.seq)
        if ack <= self.snd_una and (start, ack) < (self.wl1, self.wl2):
            return False
        old = self.snd_wnd
        self.snd_wnd = seg.wnd << scale
        self.wl1, self.wl2 = start, ack
        return old != self.snd_wnd

    def _is_duplicate(self, seg: Segment, changed: bool) -> bool:
        """RFC 5681 2, (a) to (e)."""
        same = (seg.ack - self.snd_una) % SPACE == 0
        return (self.flight > 0 and not seg.len and "F" not in seg.flags
                and same and not changed)

    def _duplicate(self, seg: Segment) -> None:
        """RFC 5681 3.2, steps 1 to 4; RFC 6582 3.2, step 2."""
        self.dupacks += 1
        if self.recovering:
            self._set_cwnd(seg.time, self.cwnd + self.smss, FURTHER)
        elif self.dupacks == DUPACKS and self._covers_more():
            self._halve(seg.time)
            self.recoveries += 1
            if self.tahoe:
                self._start_anew(seg.time)
                return
            self._set_cwnd(seg.time, self.ssthresh + DUPACKS * self.smss,
                           THIRD)
            self.acked = 0
            if not self.reno:
                self.recover = self.snd_nxt - 1
            self.recovering = self.owed = True
            self.partial_seen = False

    @property
    def is_validated(self) -> bool:
        """RFC 7661 4.3."""
        return not any(self.pipe) or 2 * max(self.pipe) >= self.cwnd

    def _halve(self, now: int) -> None:
        """RFC 5681 equation 4, or RFC 7661 4.4.1."""
        self.resent = self.loss_used = 0
        if self.is_validated or self.tahoe:
            self._set_ssthresh(now, THIRD)
            return
        self.loss_used = max(*self.pipe, self.flight - self.limited)
        self._change_ssthresh(now, max(self.loss_used // 2, 2 * self.smss),
                              THIRD)

    def _take_off_losses(self, now: int) -> None:
        """RFC 7661 4.4.1: (max (pipeACK, LossFlightSize) - R) / 2."""
        if not self.loss_used:
            return
        half = max(self.loss_used - self.resent, 0) // 2
        self._change_ssthresh(now, max(min(self.ssthresh, half),
                                       2 * self.smss), NOT_VALIDATED)

    def _end_nonvalidated(self, now: int) -> None:
        """RFC 7661 4.4.3."""
        if self.is_validated:
            self.valid_at = now
        elif now - self.valid_at > NONVALIDATED_PERIOD:
            self.valid_at = now
            self._change_ssthresh(
                now, max(self.ssthresh, self.cwnd - self.cwnd // 4), NOT_USED)
            least = self._initial_window(self.initial_segments)
            self._set_cwnd(now, min(self.cwnd, max(self.cwnd // 2, least)),
                           NOT_USED)

    def _start_anew(self, now: int) -> None:
        """RFC 2001 3 without 4: slow start from what is lost on."""
        self._set_cwnd(now, self.smss, THIRD)
        self.acked = self.dupacks = self.limited = 0
        self.recover = self.snd_nxt - 1
        self.resend = self.snd_una
        self.timed = None
        self.since_timeout = now

    def _covers_more(self) -> bool:
        """RFC 6582 3.2, 2: than the last loss; before one, always."""
        return self.recover == self.iss or self.snd_una - 1 > self.recover

    def _new_ack(self, seg: Segment, ack: int) -> None:
        self._measure_pipe()
        count = self._data_in(ack)
        self.snd_una = ack
        self.resend = max(self.resend, ack)
        self._measure(seg)
        self.hystart.acknowledged(ack, seg.time // MICROSECOND)
        self.no_progress = False
        self.limited = 0
        if self.recovering:
            self._ack_in_recovery(seg.time, count)
            return
        self.dupacks = 0
        if count:
            self._grow(seg.time, count)
            self._end_nonvalidated(seg.time)
        self._restart_timer(seg.time)

    def _data_in(self, ack: int) -> int:
        """Bytes of data that an ACK covers anew: a FIN is none."""
        last = ack - 1 if self.fin_end is not None and ack == self.fin_end \
            else ack
        return max(last - self.snd_una, 0)

    def _ack_in_recovery(self, now: int, count: int) -> None:
        """RFC 6582 3.2, step 3; for Reno RFC 5681 3.2, step 6."""
        if self.reno or self.snd_una - 1 >= self.recover:
            self._recovered(now)
            self._restart_timer(now)
            return
        window = max(self.cwnd - count, 0)
        if count >= self.smss:
            window += self.smss
        self._set_cwnd(now, window, PARTIAL)
        self.owed = True
        if not self.partial_seen:
            self._restart_timer(now)
        self.partial_seen = True

    def _recovered(self, now: int) -> None:
        window = max(self.flight, self.smss) + self.smss
        self._take_off_losses(now)
        if self.reno:
            self._set_cwnd(now, self.ssthresh, DEFLATED)
        else:
            self._set_cwnd(now, min(self.ssthresh, window), DONE)
        self.recovering = False
        self.dupacks = 0

    def _measure_pipe(self) -> None:
        """RFC 7661 4.2, of the flight that an ACK finds."""
        if self.snd_una >= self.round_end:
            self.pipe = [self.pipe[1], 0]
            self.round_end = self.resend
        self.pipe[1] = max(self.pipe[1], self.flight)

    def _grow(self, now: int, count: int) -> None:
        """RFC 5681 3.1 with RFC 3465 2 and RFC 7661 4.4."""
        if self.cwnd < self.ssthresh:
            limit = 1 if self.snd_una - 1 <= self.recover else 2
            step, rule = min(count, limit * self.smss), SLOW_START
            if self.minds_delay and self.hystart.css:
                step, rule = step // CSS_GROWTH_DIVISOR, CAREFUL
            window = min(self.cwnd + step, self.ssthresh, 2 * max(self.pipe))
            if window > self.cwnd:
                self._set_cwnd(now, window, rule)
            self._mind_round(now)
            return
        if self.cwnd - max(self.pipe) >= self.smss:
            return
        self.acked += count
        if self.acked >= self.cwnd:
            self.acked -= self.cwnd
            self._set_cwnd(now, self.cwnd + self.smss, AVOIDANCE)

    def _restart_timer(self, now: int) -> None:
        if self.flight:
            self.timer.restart(now)
        else:
            self.timer.due = None
