# SPDX-License-Identifier: GPL-2.0
"""test_stat.py - what chalk stat makes of a known file of counters."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.join(HERE, "../..")
sys.path.insert(0, HERE)

import chalk_counters  # noqa: E402

sys.path.pop(0)


def read(path: str) -> str:
    """A file of the checkout."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def shown_by_module() -> dict:
    """group -> names, as kmod/watch/snmp.c and kmod/core/event.h have them."""
    source = read("kmod/watch/snmp.c")
    groups = {}
    for name, array in re.findall(r'put_group\(m, cn, "(\w+)", (\w+)', source):
        rows = re.search(r"struct row %s\[\] = {(.*?)\n};" % array, source,
                         re.S)[1]
        groups[name] = re.findall(r'{ "(\w+)"', rows)
    reasons = read("kmod/core/event.h").split("#define DROP_REASONS")[1]
    reasons = reasons.split("enum event_kind")[0]
    groups["ChalkDrop"] = re.findall(r'X\(\w+, "(\w+)"', reasons)
    return groups


def file_of(**counts: int) -> str:
    """The text of the file; what is not named is 0."""
    lines = []
    for group, names in shown_by_module().items():
        lines.append(f"{group}: {' '.join(names)}")
        values = [str(counts.get(group + name, 0)) for name in names]
        lines.append(f"{group}: {' '.join(values)}")
    return "\n".join(lines) + "\n"


class StatTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = os.path.join(directory.name, "snmp")

    def write(self, text: str) -> None:
        with open(self.path + ".new", "w", encoding="ascii") as file:
            file.write(text)
        os.replace(self.path + ".new", self.path)

    def stat(self, *args: str, text=None, **counts: int):
        """chalk stat on these counts; what ran."""
        self.write(file_of(**counts) if text is None else text)
        return subprocess.run(
            [os.path.join(HERE, "chalk"), "stat", "--file", self.path, *args],
            capture_output=True, text=True, check=False, timeout=60)

    def lines(self, *args: str, **counts: int) -> list:
        done = self.stat(*args, **counts)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def test_sentences__only_what_was_counted(self):
        lines = self.lines(ChalkInSegs=1, ChalkOutSegs=1188,
                           ChalkRetransSegs=12, ChalkExtTCPFastRetrans=9)
        self.assertEqual(lines, [
            "Segments",
            "  1 segment received",
            "  1,188 segments sent",
            "  12 segments sent again (1.0 % of all)",
            "    of which 9 after the third duplicate ACK, or a partial ACK"])

    def test_nothing__says_so(self):
        self.assertEqual(self.lines(), ["nothing was counted"])

    def test_all__has_a_line_for_each_counter(self):
        lines = self.lines("--all")
        expected = sum(map(len, shown_by_module().values()))
        titles = len(chalk_counters.SECTIONS) + 1
        self.assertEqual(len(lines), expected + titles)

    def test_names__lead_to_the_manual(self):
        lines = self.lines("--names", ChalkExtTCPTimeouts=2)
        self.assertEqual(lines[1], "  2 timeouts: nothing acknowledged for as "
                         "long as the RTO  [ChalkExtTCPTimeouts]")

    def test_drops__most_frequent_first(self):
        lines = self.lines("--drops", ChalkDroppaws=3, ChalkDropno_socket=70,
                           ChalkInSegs=5)
        self.assertEqual([line.split()[:2] for line in lines[1:]],
                         [["70", "no_socket"], ["3", "paws"]])

    def test_json__is_the_file(self):
        found = json.loads("".join(self.lines("--json", "--all",
                                              ChalkInSegs=7)))
        self.assertEqual({group: list(names) for group, names in found.items()},
                         shown_by_module())
        self.assertEqual(found["Chalk"]["InSegs"], 7)

    def test_interval__shows_differences_and_rates(self):
        self.write(file_of(ChalkInSegs=100, ChalkOutSegs=5, ChalkCurrEstab=9))
        with subprocess.Popen(
                [os.path.join(HERE, "chalk"), "stat", "--file", self.path,
                 "--interval", "1", "1"], stdout=subprocess.PIPE,
                text=True) as process:
            time.sleep(0.6)
            self.write(file_of(ChalkInSegs=150, ChalkOutSegs=5,
                               ChalkCurrEstab=7))
            lines = process.communicate(timeout=60)[0].splitlines()
        self.assertEqual(lines[1:], ["Connections", "  7 open now", "Segments",
                                     "  50 segments received  50.0/s"])

    def test_interval__an_object_a_line(self):
        done = self.stat("--interval", "0.05", "3", "--json", "--all")
        self.assertEqual(len(done.stdout.splitlines()), 3)

    def test_errors__say_what_to_do(self):
        for args, words in ((["--interval", "0"], "above 0"),
                            (["5"], "--interval"),
                            (["--netns", "no-such"], "ip netns")):
            done = self.stat(*args)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)
            self.assertNotIn("Traceback", done.stderr)

    def test_file__that_is_none(self):
        for text in ("", "Chalk: a b\n", "nonsense\nmore nonsense\n"):
            done = self.stat("--json", text=text)
            self.assertNotIn("Traceback", done.stderr)
        self.assertIn("not a file of counters", done.stderr)


class TableTest(unittest.TestCase):
    def test_sentences__for_each_counter_of_the_module(self):
        told = {}
        for section in chalk_counters.SECTIONS:
            for line in section.lines:
                told.setdefault(line.group, []).append(line.name)
        told["ChalkDrop"] = list(chalk_counters.DROPS)
        self.assertEqual({group: sorted(names)
                          for group, names in told.items()},
                         {group: sorted(names)
                          for group, names in shown_by_module().items()})

    def test_monitor__is_told_a_reason_for_each(self):
        told = re.findall(r"\[DROP_(\w+)\] = SKB", read("kmod/net/drop.c"))
        reasons = read("kmod/core/event.h").split("#define DROP_REASONS")[1]
        self.assertEqual(told, re.findall(r'X\((\w+), "', reasons)[:len(
            chalk_counters.DROPS)])

    def test_manual__has_each_counter(self):
        rows = re.findall(r"^\| `(Chalk\w*)` \| `(\w+)` \| \S.* \| \S.* \|$",
                          read("docs/counters.md"), re.M)
        told = {}
        for group, name in rows:
            told.setdefault(group, []).append(name)
        self.assertEqual(told, shown_by_module())


if __name__ == "__main__":
    unittest.main()
