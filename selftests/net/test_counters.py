# SPDX-License-Identifier: GPL-2.0
"""/proc/net/chalk/snmp counts what TCP counts, and all that it shows.

Each scenario of counters.py is a test.
"""

import pathlib
import re
import unittest

from counters import SCENARIOS, read_counters
from net import exact_clock
from scene import CHALK, TCP, Scene


def play(function, protocol) -> dict:
    """What it counts: "host Name" -> how often, without zeros."""
    with Scene(protocol) as scene:
        function(scene)
        return {f"{host} {name}": n for host in ("alice", "bob")
                for name, n in read_counters(host, protocol).items() if n}


def names_of(protocol) -> set:
    """The counters of TCP and UDP, or of Chalk."""
    with Scene(protocol):
        return set(read_counters("bob", protocol))


@exact_clock
class Counters(unittest.TestCase):
    """Each scenario with TCP and with Chalk"""

    played = set()
    seen = set()

    @classmethod
    def setUpClass(cls):
        cls.names = names_of(CHALK)
        cls.common = cls.names & names_of(TCP)

    def check(self, function, expected, differs):
        """All is counted that is to be, and as TCP does."""
        chalk = play(function, CHALK)
        tcp = play(function, TCP)
        self.played.add(function)
        self.seen.update(key.split()[1] for key in chalk)
        self.assertEqual([key for key in expected if key not in chalk], [],
                         f"Chalk {chalk}, TCP {tcp}")
        compared = {key for key in set(chalk) | set(tcp)
                    if key.split()[1] in self.common - set(differs)}
        self.assertEqual({key: chalk.get(key, 0) for key in compared},
                         {key: tcp.get(key, 0) for key in compared})

    def test_zz_every_row(self):
        """There is no counter that no scenario moves."""
        if len(self.played) < len(SCENARIOS):
            self.skipTest("not all scenarios were played")
        # for these there must be no memory left: test_memory.py, test_orphans.py
        self.assertEqual(self.names - self.seen - {
            "TCPRcvQDrop", "PruneCalled", "RcvPruned", "OfoPruned",
            "TCPAbortOnMemory", "TCPMemoryPressures"}, set())


def add_test(function, expected, differs):
    """A scenario becomes a test."""
    def test(self):
        self.check(function, expected, differs)
    test.__doc__ = function.__doc__
    setattr(Counters, f"test_{function.__name__}", test)


for row in SCENARIOS:
    add_test(*row)


class Manual(unittest.TestCase):
    """docs/counters.md"""

    def test_manual(self):
        """docs/counters.md has exactly the counters that there are"""
        path = pathlib.Path(__file__).parents[2] / "docs/counters.md"
        told = re.findall(r"^\| `(Chalk\w*)` \| `(\w+)` \|",
                          path.read_text(encoding="utf-8"), re.M)
        shown = []
        with open("/proc/net/chalk/snmp", encoding="ascii") as file:
            for line in file.read().splitlines()[::2]:
                group, names = line.split(":")
                shown += [(group, name) for name in names.split()]
        self.assertEqual(told, shown)


if __name__ == "__main__":
    unittest.main()
