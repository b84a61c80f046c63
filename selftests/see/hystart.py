# SPDX-License-Identifier: GPL-2.0
"""hystart.py - HyStart++ of a sender, rebuilt from its packets (RFC 9406).

Section 4.2 in the words of its pseudo-code. Times are in microseconds: a
capture whose clock is not that of the sender to the microsecond cannot tell
what the sender decides.
"""

from dataclasses import dataclass
from typing import List, Optional, Tuple

INFINITY = float("inf")
MIN_RTT_THRESH = 4_000
MAX_RTT_THRESH = 16_000
MIN_RTT_DIVISOR = 8
N_RTT_SAMPLE = 8
CSS_GROWTH_DIVISOR = 4
CSS_ROUNDS = 5
# So many are known at once: the last two become one then, which tells nothing.
MOMENTS = 1024


@dataclass
class Sent:
    """What left at one moment; None: at more than one."""

    start: int
    end: int
    at: Optional[int]


class HyStart:
    """One slow start that knows nothing of the path."""

    def __init__(self) -> None:
        self.sent: List[Sent] = []
        self.begin()

    def begin(self) -> None:
        """When what is in flight went out is known all the same."""
        self.current_rtt = INFINITY
        self.current_round_min_rtt = INFINITY
        self.last_round_min_rtt = INFINITY
        self.css_baseline_min_rtt = INFINITY
        self.rtt_sample_count = 0
        self.window_end: Optional[int] = None
        self.css = False
        self.css_rounds = 0

    def leaves(self, start: int, end: int, at: int) -> None:
        """New data goes out."""
        if self.sent and self.sent[-1].at == at:
            self.sent[-1].end = end
            return
        if len(self.sent) == MOMENTS:
            self.sent[-2:] = [Sent(self.sent[-2].start, self.sent[-1].end,
                                   None)]
        self.sent.append(Sent(start, end, at))

    def leaves_again(self, start: int, end: int) -> None:
        """Karn: an ACK may be for either of the two (RFC 6298 3)."""
        for sent in self.sent:
            if sent.start < end and start < sent.end:
                sent.at = None

    def acknowledged(self, una: int, now: int) -> None:
        """The round trip is that of the newest byte that is covered."""
        covered = [s.at for s in self.sent if s.start < una]
        self.current_rtt = INFINITY
        if covered and None not in covered:
            self.current_rtt = now - covered[-1]
        self.sent = [s for s in self.sent if s.end > una]
        if self.sent:
            self.sent[0].start = max(self.sent[0].start, una)

    def grown(self, una: int, nxt: int) -> Optional[Tuple[bool, int, int]]:
        """Slow start has taken an ACK.

        Return: whether CSS begins (or was a mistake), and the round trips that
        tell so.
        """
        if self.window_end is None:
            self.window_end = nxt
            self.last_round_min_rtt = self.current_round_min_rtt
            self.current_round_min_rtt = INFINITY
            self.rtt_sample_count = 0
        if self.current_rtt != INFINITY:
            self.current_round_min_rtt = min(self.current_round_min_rtt,
                                             self.current_rtt)
            self.rtt_sample_count += 1
        turn = self._turn() if self.rtt_sample_count >= N_RTT_SAMPLE else None
        if una >= self.window_end:
            self.window_end = None
            self.css_rounds += self.css
        return turn

    def _turn(self) -> Optional[Tuple[bool, int, int]]:
        now = self.current_round_min_rtt
        if self.css:
            baseline = self.css_baseline_min_rtt
            if now >= baseline:
                return None
            self.css, self.css_baseline_min_rtt = False, INFINITY
            return False, int(baseline), int(now)
        last = self.last_round_min_rtt
        if last == INFINITY:
            return None
        threshold = max(MIN_RTT_THRESH,
                        min(last // MIN_RTT_DIVISOR, MAX_RTT_THRESH))
        if now < last + threshold:
            return None
        self.css, self.css_rounds = True, 0
        self.css_baseline_min_rtt = now
        return True, int(last), int(now)

    @property
    def is_over(self) -> bool:
        """CSS has lasted long enough."""
        return self.css and self.css_rounds >= CSS_ROUNDS
