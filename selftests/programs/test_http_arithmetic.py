# SPDX-License-Identifier: GPL-2.0
"""The notes' sum of round trips for a page with ten images, measured."""

import unittest

from http_arithmetic import RTT, WAYS, Measured, network
from net import exact_clock

# Seconds that the programs may take to compute.
COMPUTING = 0.01


@exact_clock
class HttpArithmetic(unittest.TestCase):
    """A way to fetch the page a test"""

    @classmethod
    def setUpClass(cls):
        cls.enterClassContext(network())

    def check(self, way):
        """As many connections and round trips as the notes say."""
        got = Measured(way)
        expected = way.round_trips * RTT
        self.assertEqual(got.connections, way.connections)
        self.assertEqual(got.resent, 0)
        self.assertGreaterEqual(got.seconds, expected)
        self.assertLess(got.seconds, expected + COMPUTING)
        # else the ACK goes alone; the program hears of it, then asks
        self.assertEqual(got.behind_ack == 0, way.rides)
        self.assertLess(got.behind_ack, 0.001)


def add_test(way):
    """A method for a way."""
    name = "test_" + way.name.replace(",", "").replace(" ", "_").replace("-", "_")
    setattr(HttpArithmetic, name, lambda self: self.check(way))


for each in WAYS:
    add_test(each)
