# SPDX-License-Identifier: GPL-2.0
"""docs/sysctl.md against the module: names, defaults, bounds."""

import contextlib
import os
import pathlib
import re
import unittest

from net import add_hosts, inside, remove_hosts

PAGE = pathlib.Path(__file__).parents[2] / "docs/sysctl.md"
FILES = pathlib.Path("/proc/sys/net/chalk")
TCP = pathlib.Path("/proc/sys/net/ipv4")
COLUMNS = ["name", "meaning", "unit", "default", "least", "most",
           "RFC, section", "TCP's name"]
# what the page says of a default, or the last of several, that is not the same
# everywhere
BY_MEMORY = "by memory"
# and of an entry that only the first namespace has
SHARED = "of the whole machine"


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


def there(host):
    """In the namespace @host; None: the first."""
    return inside(host) if host else contextlib.nullcontext()


class Table(unittest.TestCase):
    """Each row; alice is a namespace in which nobody has set anything"""

    @classmethod
    def setUpClass(cls):
        cls.rows = read_page()
        add_hosts(("alice",))
        cls.addClassCleanup(remove_hosts, ("alice",))

    def refused(self, file: pathlib.Path, value: str):
        """EINVAL."""
        with self.assertRaises(OSError, msg=value) as caught:
            file.write_text(value, "ascii")
        self.assertEqual(caught.exception.errno, 22)

    def is_default(self, row: dict, value: str):
        """@value is what the page says."""
        *told, last = row["default"].split(", ")
        if last == BY_MEMORY:
            self.assertEqual(value.split()[:len(told)], told)
            self.assertGreater(min(map(int, value.split())), 0)
        else:
            self.assertEqual(value.split(), row["default"].split())

    def test_share(self):
        """no buffer grows beyond the share of memory that TCP's has (0.1 s)"""
        for kind in ("rmem", "wmem"):
            ours = int((FILES / kind).read_text("ascii").split()[2])
            tcps = int((TCP / f"tcp_{kind}").read_text("ascii").split()[2])
            with self.subTest(kind):
                # asked at another time: the kernel has freed its code of birth
                self.assertAlmostEqual(ours, tcps, delta=tcps / 50)

    def obeys(self, row: dict, file: pathlib.Path, count: int):
        """Its least and most, in each of @count places, are taken; more is not."""
        least, most = int(row["least"]), int(row["most"])
        before = file.read_text("ascii")
        for value in (least, most):
            file.write_text(" ".join([str(value)] * count), "ascii")
        for value in (least - 1, most + 1):
            self.refused(file, " ".join([str(value)] * count))
        file.write_text(before, "ascii")

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
                self.assertRegex(row["RFC, section"],
                                 r"^(\d{3,4}, [\dA-Z][\d.]*|-)$")

    def test_defaults_and_bounds(self):
        """the defaults are there; least and most are taken, more is not (0.1 s)"""
        for row in self.rows:
            host = None if SHARED in row["meaning"] else "alice"
            with self.subTest(row["name"]), there(host):
                file = FILES / row["name"]
                value = file.read_text("ascii")
                self.is_default(row, value)
                if row["least"]:
                    self.obeys(row, file, len(value.split()))

    def test_shared(self):
        """what is of the whole machine, only the first namespace has (0.1 s)"""
        with inside("alice"):
            own = os.listdir(FILES)
        for row in self.rows:
            with self.subTest(row["name"]):
                self.assertEqual(row["name"] in own,
                                 SHARED not in row["meaning"])

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
