# SPDX-License-Identifier: GPL-2.0
"""test_figures.py - what held a sender back: the counting, exactly.

A script says at each instant what is unsent, in flight, and allowed; the tests
say how many seconds each limit must have.
"""

import json
import os
import sys
import unittest
from typing import Dict

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

import chalk_figures as figures  # noqa: E402
import test_fixture as fixture  # noqa: E402
from chalk_figures import (CWND, PARTIAL, PROGRAM, RWND,  # noqa: E402
                           SNDBUF)
from test_fixture import CLIENT_ISN, MSS, SERVER_ISN  # noqa: E402

sys.path.pop(0)


class Sender(fixture.Script):
    """The client: it sends a segment at 1 s.

    After what a test adds, the last ACK comes at 10 s. Windows have room for
    ten segments.
    """

    def __init__(self, **variables: int) -> None:
        super().__init__()
        self.high = self.una = 0
        self.send(1, **variables)

    def put(self, time: float, event: str, **fields) -> None:
        fields = {"mss": MSS, "cwnd": 10 * MSS, "snd_wnd": 10 * MSS,
                  "seq": CLIENT_ISN, "ack": SERVER_ISN, "flags": "A",
                  "snd_nxt": CLIENT_ISN + self.high,
                  "flight": self.high - self.una, **fields}
        self.add(time, False, event, **fields)

    def send(self, time: float, size: int = MSS, **fields) -> None:
        seq = CLIENT_ISN + self.high
        self.high += size
        self.put(time, "send", seq=seq, len=size, **fields)

    def ack(self, time: float, upto: int, size: int = 0, **fields) -> None:
        self.una = upto
        self.put(time, "recv", seq=SERVER_ISN, len=size,
                 ack=CLIENT_ISN + upto, **fields)

    def seconds(self) -> Dict[str, float]:
        self.ack(10, self.high)
        held = figures.held_back(self.trace().pick())
        total = sum(by["seconds"] for by in held["by"].values())
        assert abs(total - held["seconds"]) < 1e-6, held
        assert abs(sum(by["share"] for by in held["by"].values()) - 1) < 1e-3
        return {why: by["seconds"] for why, by in held["by"].items()}


class HeldBackTest(unittest.TestCase):
    def test_window__that_has_no_room(self):
        script = Sender(unsent=9 * MSS, snd_wnd=MSS)
        script.send(3)
        self.assertEqual(script.seconds(), {RWND: 2, PROGRAM: 7})

    def test_window__of_zero(self):
        script = Sender()
        script.ack(2, MSS)
        script.put(3, "snd_wnd", unsent=1, snd_wnd=0)
        script.send(8, size=1)
        self.assertEqual(script.seconds(), {RWND: 5, PROGRAM: 4})

    def test_cwnd__that_has_no_room(self):
        script = Sender(unsent=9 * MSS, cwnd=MSS)
        script.send(4)
        self.assertEqual(script.seconds(), {CWND: 3, PROGRAM: 6})

    def test_both__count_as_cwnd(self):
        """As for rwnd_limited of chalk ss."""
        script = Sender(unsent=9 * MSS, cwnd=MSS, snd_wnd=MSS)
        self.assertEqual(script.seconds(), {CWND: 9})

    def test_loss__that_waits_to_be_sent_again_is_cwnds(self):
        """After a timeout all but a segment is taken for lost."""
        script = Sender(size=5 * MSS)
        script.put(4, "cwnd", flight=MSS, cwnd=MSS)
        script.put(6, "cwnd")
        self.assertEqual(script.seconds(), {CWND: 2, PROGRAM: 7})

    def test_partial_segment__that_both_windows_let_go(self):
        script = Sender(unsent=9)
        script.send(2)
        self.assertEqual(script.seconds(), {PARTIAL: 1, PROGRAM: 8})

    def test_nothing_left__is_the_program(self):
        self.assertEqual(Sender().seconds(), {PROGRAM: 9})

    def test_write_at_once_after_a_bare_ack__waited_for_the_buffer(self):
        script = Sender()
        script.ack(4, MSS)
        script.send(4.0005)
        self.assertEqual(script.seconds(), {PROGRAM: 5.9995, SNDBUF: 3.0005})

    def test_write_at_once_after_an_answer__is_the_program(self):
        script = Sender()
        script.ack(4, MSS, size=9)
        script.send(4.0005)
        self.assertEqual(script.seconds(), {PROGRAM: 9})

    def test_write_long_after_an_ack__is_the_program(self):
        script = Sender()
        script.ack(4, MSS)
        script.send(4.2)
        self.assertEqual(script.seconds(), {PROGRAM: 9})

    def test_write_after_an_ack_of_nothing_new__is_the_program(self):
        script = Sender()
        script.ack(4, 0)
        script.send(4.0005)
        self.assertEqual(script.seconds(), {PROGRAM: 9})

    def test_buffer__waits_through_acks_that_make_too_little_room(self):
        script = Sender(size=3 * MSS)
        script.ack(4, MSS)
        script.ack(5, 2 * MSS)
        script.send(5)
        self.assertEqual(script.seconds(), {PROGRAM: 5, SNDBUF: 4})

    def test_no_segment_that_left__nothing_is_held_back(self):
        script = fixture.Script()
        for time in (.1, .2):
            script.add(time, False, "recv", snd_nxt=1001)
        end = script.trace().pick()
        for record, una in zip(end.records, (1, 1001)):
            record.snd_una = una
        self.assertIsNone(figures.held_back(end))

    def test_time__is_that_of_goodput(self):
        trace = fixture.transfer(40, 5).trace()
        known = figures.figures(trace, trace.pick())
        self.assertEqual(known["held_back"]["seconds"],
                         known["goodput"]["seconds"])

    def test_no_data__has_none(self):
        script = fixture.Script()
        script.open()
        self.assertIsNone(figures.held_back(script.trace().pick()))


class SummaryTest(unittest.TestCase):
    """chalk summary has the same as text and as JSON."""

    def test_text_and_json__agree(self):
        script = Sender(unsent=9 * MSS, snd_wnd=MSS)
        script.send(9.95)
        script.ack(10, 2 * MSS)
        text = fixture.chalk("summary", "-", stdin=script.text()).stdout
        self.assertIn("  held back by     receiver's window 8.95 s of 9 s "
                      "(99 %)\n", text)
        found = fixture.chalk("summary", "-", "--json", stdin=script.text())
        self.assertEqual(json.loads(found.stdout)[0]["held_back"], {
            "seconds": 9, "by": {RWND: {"seconds": 8.95, "share": .9944},
                                 PROGRAM: {"seconds": .05, "share": .0056}}})


if __name__ == "__main__":
    unittest.main()
