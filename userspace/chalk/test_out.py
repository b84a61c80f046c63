# SPDX-License-Identifier: GPL-2.0
"""test_out.py - the files that the tools write: whole, or as they were."""

import os
import stat
import sys
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

import chalk_out  # noqa: E402
import test_fixture as fixture  # noqa: E402
import test_hostile  # noqa: E402
import test_tools  # noqa: E402
from chalk_base import TraceError  # noqa: E402

sys.path.pop(0)
WRITERS = (["ladder", "x.svg", "--out", "{}"], ["plot", "x.svg", "--out", "{}"],
           ["report", "x.svg", "--out", "{}"],
           ["compare", "x.svg", "x.svg", "--out", "{}"],
           ["trace", "--from", "x.svg", "--out", "{}"])


class OutTest(test_hostile.Scratch):
    """Every tool that writes a file."""

    def setUp(self):
        super().setUp()
        self.text = fixture.transfer().text()
        self.file(self.text, "x.svg")

    def write(self, tool, name: str):
        """Run a tool that is to write there."""
        return self.tool(*(word.format(name) for word in tool))

    def content(self, name: str) -> str:
        """What is in a file."""
        with open(self.path(name), encoding="utf-8") as stream:
            return stream.read()

    def test_input__is_never_written(self):
        os.link(self.path("x.svg"), self.path("y.svg"))
        for tool in WRITERS:
            for name in ("x.svg", "./x.svg", "y.svg"):
                self.one_line(self.write(tool, name), "is being read")
        with open(self.path("x.svg"), encoding="utf-8") as stream:
            self.one_line(self.tool("ladder", "-", "--out", "x.svg",
                                    file=stream), "is being read")
        self.assertEqual(self.content("x.svg"), self.text)

    def test_link__is_not_followed(self):
        self.file("theirs", "z")
        for name, target in (("a.svg", "z"), ("b.svg", "nothing")):
            os.symlink(target, self.path(name))
            for tool in WRITERS:
                self.one_line(self.write(tool, name), "is a symbolic link")
        self.assertEqual(self.content("z"), "theirs")
        self.assertFalse(os.path.exists(self.path("nothing")))

    def test_named_file__is_replaced(self):
        self.file("old", "a.svg")
        os.chmod(self.path("a.svg"), 0o640)
        for tool in WRITERS:
            done = self.write(tool, "a.svg")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertNotEqual(self.content("a.svg"), "old")
            if tool[0] != "trace":
                mode = os.stat(self.path("a.svg")).st_mode
                self.assertEqual(stat.S_IMODE(mode), 0o640)
            self.file("old", "a.svg")
        self.assertEqual(sorted(os.listdir(self.place)), ["a.svg", "x.svg"])

    def test_failure__leaves_what_was_there(self):
        self.file("old", "a.svg")
        broken = self.text.replace("\tS\t", "\tQ\t", 1)
        self.file(broken, "x.svg")
        for tool in WRITERS:
            for name in ("a.svg", "b.svg"):
                self.one_line(self.write(tool, name), "column flags")
        self.assertEqual(self.content("a.svg"), "old")
        self.assertEqual(sorted(os.listdir(self.place)), ["a.svg", "x.svg"])

    def test_failure_in_the_middle__leaves_nothing(self):
        path = self.path("half")
        with self.assertRaises(ZeroDivisionError):
            with chalk_out.Output(path) as file:
                file.write(b"half")
                raise ZeroDivisionError
        self.assertFalse(os.path.exists(path))
        self.assertEqual(os.listdir(self.place), ["x.svg"])

    def test_place__that_cannot_be(self):
        for name, reason in (("/nonexistent/x.svg", "No such file"),
                             ("dir.svg", "Is a directory"),
                             ("x.svg/y.svg", "Not a directory")):
            os.makedirs(self.path("dir.svg"), exist_ok=True)
            self.one_line(self.write(WRITERS[0], name), reason)

    def test_device__is_written_to(self):
        with chalk_out.Output("/dev/null") as file:
            file.write(b"x")
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))

    def test_report__takes_no_name_by_itself_that_is_taken(self):
        done = self.tool("report", "x.svg")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        page = self.content("report.html")
        self.one_line(self.tool("report", "x.svg"),
                      "report.html is there already: --out FILE")
        done = self.tool("report", "x.svg", "--out", "report.html")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.content("report.html"), page)

    def test_trace__is_no_more_open_than_its_source(self):
        for mode in (0o600, 0o644):
            os.chmod(self.path("x.svg"), mode)
            name = f"t{mode:o}.jsonl"
            self.write(WRITERS[-1], name)
            made = os.stat(self.path(name)).st_mode
            self.assertEqual(stat.S_IMODE(made), mode)


class LiveOutTest(unittest.TestCase):
    """What debugfs keeps for root."""

    def test_live__is_private_and_there_at_once(self):
        live = test_tools.LiveTest()
        with test_hostile.tempfile.TemporaryDirectory() as place:
            out = os.path.join(place, "t.tsv")
            with open(out, "w", encoding="ascii") as file:
                file.write("old")
            os.chmod(out, 0o644)
            with open(out, encoding="ascii") as before:
                text = fixture.transfer().text()
                live.live(text, "--out", out, "--until-closed")
                self.assertEqual(before.read(), "old")
            with open(out, encoding="ascii") as file:
                self.assertEqual(file.read(), text)
            self.assertEqual(stat.S_IMODE(os.stat(out).st_mode), 0o600)
            self.assertEqual(os.listdir(place), ["t.tsv"])

    def test_link__is_not_followed(self):
        with test_hostile.tempfile.TemporaryDirectory() as place:
            os.symlink("theirs", os.path.join(place, "t.tsv"))
            with self.assertRaisesRegex(TraceError, "is a symbolic link"):
                chalk_out.Output(os.path.join(place, "t.tsv"), mode=0o600,
                                 at_once=True)


if __name__ == "__main__":
    unittest.main()
