# SPDX-License-Identifier: GPL-2.0
"""docs/sysctl.md against the module: names, defaults, bounds."""

import os
import pathlib
import re
import unittest

from net import add_hosts, remove_hosts, sysctl

PAGE = pathlib.Path(__file__).parents[2] / "docs/sysctl.md"
FILES = pathlib.Path("/proc/sys/net/chalk")
COLUMNS = ["name", "meaning", "unit", "default", "least", "most",
           "RFC, section", "TCP's name"]


def read_page() -> list:
    """The rows of the page's table, by the names of its columns."""
    lines = [[cell.strip() for cell in line.strip("|\n").split("|")]
             for line in PAGE.read_text("utf-8").splitlines()
             if line.startswith("|")]
    begin = lines.index(COLUMNS) + 2
    rows = []
    for line in lines[begin:]:
        if not re.fullmatch(r"`\w+`", line[0]):
            break
        rows.append(dict(zip(COLUMNS, line)) | {"name": line[0].strip("`")})
    return rows


class Table(unittest.TestCase):
    """Each row; alice is a namespace in which nobody has set anything"""

    @classmethod
    def setUpClass(cls):
        cls.rows = read_page()
        add_hosts(("alice",))
        cls.addClassCleanup(remove_hosts, ("alice",))

    def refused(self, key: str, value: str):
        """EINVAL."""
        with self.assertRaises(OSError, msg=value) as caught:
            sysctl("alice", key, value)
        self.assertEqual(caught.exception.errno, 22)

    def test_names(self):
        """each file has its row, and each row its file (0.1 s)"""
        self.assertEqual(sorted(row["name"] for row in self.rows),
                         sorted(os.listdir(FILES)))

    def test_cells(self):
        """no row lacks its meaning, unit, default or clause (0.1 s)"""
        for row in self.rows:
            with self.subTest(row["name"]):
                for column in ("meaning", "unit", "default"):
                    self.assertTrue(row[column], column)
                self.assertRegex(row["RFC, section"], r"^(\d{3,4}, [A-Z\d][\d.]*|-)$")

    def test_defaults_and_bounds(self):
        """the defaults are there; least and most are taken, more is not (0.3 s)"""
        for row in self.rows:
            key, default = row["name"], row["default"].split()
            with self.subTest(key):
                self.assertEqual(sysctl("alice", key).split(), default)
                if not row["least"]:
                    continue
                least, most = int(row["least"]), int(row["most"])
                for value in (least, most):
                    sysctl("alice", key, " ".join([str(value)] * len(default)))
                self.refused(key, " ".join([str(least - 1)] * len(default)))
                self.refused(key, " ".join([str(most + 1)] * len(default)))

    def test_units(self):
        """a name in _ms is in milliseconds, and no other is (0.1 s)"""
        for row in self.rows:
            with self.subTest(row["name"]):
                self.assertEqual(row["unit"] == "ms",
                                 row["name"].endswith("_ms"))

    def test_read_only(self):
        """what the page calls read-only, and nothing else (0.1 s)"""
        for row in self.rows:
            with self.subTest(row["name"]):
                mode = (FILES / row["name"]).stat().st_mode & 0o777
                self.assertEqual(mode, 0o444 if "read-only" in row["meaning"]
                                 else 0o644)
