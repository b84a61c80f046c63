# SPDX-License-Identifier: GPL-2.0
"""test_hostile.py - traces that somebody else wrote, to do harm or by mistake.

Whatever a trace holds, a tool gives a result or one line on standard error: no
command is run, nothing but text reaches the terminal.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from typing import Iterator, List, Optional

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

import chalk_base  # noqa: E402
import chalk_diag_print  # noqa: E402
import chalk_trace  # noqa: E402
import test_fixture as fixture  # noqa: E402
from chalk_base import TraceError  # noqa: E402
from chalk_columns import COLUMNS, PATTERNS, WORD  # noqa: E402

sys.path.pop(0)
HARM = ("`touch pwned`", "$(touch pwned)", "'; touch pwned'", "\x1b]0;x\x07",
        "<b>&amp;</b>", "\x9b31m", "\u202e", "\u0663", "nan", "-1", "1e3",
        "4294967296", "", "%s", "@a", "a\x00b")
TOOLS = (["summary", "{}"], ["summary", "{}", "--json"], ["ladder", "{}"],
         ["ladder", "{}", "--out", "x.svg"], ["plot", "{}", "--out", "x.png"],
         ["plot", "{}", "--terminal"], ["compare", "{}", "{}"],
         ["compare", "{}", "{}", "--out", "x.svg"],
         ["report", "{}", "--out", "x.html"], ["trace", "--from", "{}"],
         ["trace", "--from", "{}", "--out", "x.pcapng"])
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


def spoilt(column: str, harm: str) -> str:
    """A trace that has this in a column, once."""
    lines = fixture.transfer().text().splitlines()
    fields = lines[9].split("\t")
    fields[COLUMNS.index(column)] = harm
    lines[9] = "\t".join(fields)
    return "\n".join(lines) + "\n"


class Scratch(unittest.TestCase):
    """A directory of its own, in which tools run."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.place = scratch.name

    def path(self, name: str) -> str:
        """Of a file in it."""
        return os.path.join(self.place, name)

    def file(self, text: str, name: str = "t.tsv") -> str:
        """A file in it."""
        with open(self.path(name), "w", encoding="utf-8",
                  newline="\n") as stream:
            stream.write(text)
        return name

    def tool(self, *args: str, stdin: Optional[str] = None, file=None, **how
             ) -> subprocess.CompletedProcess:
        """Run a tool there; its input is a text, or a file."""
        env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1",
                   PYTHONIOENCODING="utf-8")
        how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
        return subprocess.run(
            [os.path.join(HERE, "chalk"), *args], cwd=self.place, text=True,
            encoding="utf-8", errors="replace", env=env, check=False,
            **({"stdin": file} if file else {"input": stdin}), **how)

    def one_line(self, done: subprocess.CompletedProcess, pattern: str = ""
                 ) -> None:
        """It failed, and said why in a line of text."""
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, r"\Achalk \w+: [^\n]+\n\Z")
        self.assertNotRegex(done.stderr, CONTROL)
        self.assertRegex(done.stderr, pattern)


class ColumnTest(Scratch):
    """Each column of each record is looked at."""

    def test_reader__refuses_each_column_by_name(self):
        for column in COLUMNS:
            for harm in HARM:
                fits = re.fullmatch(PATTERNS[column], harm)
                if fits and (PATTERNS[column] == WORD or column == "time"):
                    continue
                text = spoilt(column, harm)
                with self.assertRaises(TraceError) as caught:
                    chalk_trace.Trace(text.splitlines(True), "t")
                self.assertRegex(chalk_base.printable(str(caught.exception)),
                                 rf"^t, line 10: column {column}: '")

    def test_tools__say_it_and_do_nothing(self):
        columns = [c for c in COLUMNS if not PATTERNS[c].startswith("[0-9]")]
        self.assertEqual(len(columns), 9)
        for number, tool in enumerate(TOOLS):
            column, harm = columns[number % 9], HARM[number % 6]
            name = self.file(spoilt(column, harm))
            done = self.tool(*(a.format(name) for a in tool))
            self.one_line(done, f"t.tsv, line 10: column {column}: ")
            self.assertEqual(os.listdir(self.place), ["t.tsv"], tool)

    def test_words__that_no_version_knows_are_words(self):
        for column in ("event", "cause", "clause", "state"):
            trace = chalk_trace.Trace(
                spoilt(column, "later_than 1.2 (x)").splitlines())
            self.assertEqual(getattr(trace.records[8], column),
                             "later_than 1.2 (x)")

    def test_time__does_not_step_back(self):
        with self.assertRaisesRegex(TraceError, "line 10: column time: 0.0000"
                                                ".* is before the record"):
            chalk_trace.Trace(spoilt("time", "0.000001").splitlines(), "t")

    def test_json__has_types(self):
        good = json.loads(self.tool(
            "trace", "--from", "-", "--format", "json",
            stdin=fixture.transfer().text()).stdout.splitlines()[0])
        for column, harm in (("len", "5"), ("len", True), ("len", 1.0),
                             ("cause", 5), ("cause", "`id`"), ("old", "CLOSED"),
                             ("time", "1"), ("time", -1), ("time", 1e300),
                             ("local", ["x"]), ("flags", None)):
            text = json.dumps({**good, column: harm}) + "\n"
            self.one_line(self.tool("summary", "-", stdin=text),
                          f"standard input, line 1: column {column}: ")
        for text in ('{"time": NaN}', "[" * 100000, '{"lost": "x"}',
                     '{"lost": -1}', "{}"):
            self.one_line(self.tool("summary", "-", stdin="{}".replace(
                "{}", text) + "\n"), "standard input, line 1: ")


class PictureTest(Scratch):
    """What the user names goes into scripts and pictures as text."""

    @staticmethod
    def hostile() -> Iterator[str]:
        yield from ("`touch pwned`", "a'b", 'a"b', "\\", "$x", "@x", "{a}^2")

    def test_titles_and_names__are_text(self):
        shutil.copy(self.path(self.file(fixture.transfer().text())),
                    self.path("a`touch pwned`'.tsv"))
        for title in self.hostile():
            for name in ("x.png", "x.svg"):
                done = self.tool("plot", "t.tsv", "--title", title, "--out",
                                 name)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
            with open(self.path("x.svg"), encoding="utf-8") as stream:
                self.assertIn(title.replace('"', "&quot;"),
                              stream.read().replace('"b', "&quot;b")
                              .replace("&#39;", "'"))
        done = self.tool("plot", "t.tsv", "--out", "x`touch pwned`.gp")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        subprocess.run(["gnuplot", "x`touch pwned`.gp"], cwd=self.place,
                       check=True)
        self.assertTrue(os.path.exists(self.path("x`touch pwned`.png")))
        done = self.tool("compare", "a`touch pwned`'.tsv", "t.tsv", "--out",
                         "y.png")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertFalse(os.path.exists(self.path("pwned")))

    def test_control_characters__are_refused_in_pictures(self):
        self.file(fixture.transfer().text())
        for title in ("a\nset output", "\x1b[1m"):
            self.one_line(self.tool("plot", "t.tsv", "--out", "x.png",
                                    "--title", title), "takes no such text")
        self.one_line(self.tool("report", "t.tsv", "--name", "a=\x1b"),
                      "ADDRESS=NAME")

    def test_name_of_a_file__is_shown_as_text(self):
        self.one_line(self.tool("summary", "\x1b[1mx\n"), r"\?\[1mx\?: No such")


class TerminalTest(unittest.TestCase):
    """printable()"""

    def test_printable(self):
        self.assertEqual(chalk_base.printable("a b\u00e4 \u4e2d\u3000\u00a0"),
                         "a b\u00e4 \u4e2d\u3000\u00a0")
        self.assertEqual(chalk_base.printable("\x1b\n\t\x9b\u202e\udc80\x7f"),
                         "?" * 7)

    def test_ss__processes(self):
        class Sock:  # pylint: disable=too-few-public-methods
            """One that somebody has open."""
            inode = 5
        told = chalk_diag_print.processes(Sock, {5: [("\x1b]0;x\x07", 1, 2)]})
        self.assertEqual(told, 'users:(("?]0;x?",pid=1,fd=2))')


class FormTest(Scratch):
    """Every tool reads every form, from a file and from a pipe."""

    def test_each_form__tells_the_same(self):
        text = fixture.transfer().text()
        self.file(text)
        self.tool("trace", "--from", "t.tsv", "--out", "t.jsonl")
        for args in (["summary"], ["ladder"], ["plot", "--terminal"]):
            wanted = self.tool(*args, "t.tsv").stdout
            self.assertTrue(wanted)
            self.assertEqual(self.tool(*args, "t.jsonl").stdout, wanted)
            with open(self.path("t.jsonl"), encoding="utf-8") as stream:
                self.assertEqual(self.tool(*args, "-",
                                           stdin=stream.read()).stdout, wanted)
        self.assertEqual(
            self.tool("compare", "t.tsv", "t.jsonl").stdout.splitlines()[3:],
            self.tool("compare", "t.tsv", "t.tsv").stdout.splitlines()[3:])

    def test_trace__reads_a_pipe(self):
        text = fixture.transfer().text()
        for name in ("-", "/dev/stdin"):
            done = self.tool("trace", "--from", name, stdin=text)
            self.assertEqual((done.stdout, done.stderr), (text, ""))

    def test_capture__is_said_to_be_one(self):
        self.tool("trace", "--from", "-", "--out", "t.pcapng",
                  stdin=fixture.transfer().text())
        self.one_line(self.tool("summary", "t.pcapng"),
                      "t.pcapng is a capture of packets, not a trace")

    def test_small_times__come_back_from_json(self):
        text = fixture.transfer().text().replace("0.000000\t", "0.000001\t")
        done = self.tool("trace", "--from", "-", "--format", "json",
                         stdin=text)
        self.assertIn('"time": 1e-06', done.stdout)
        done = self.tool("trace", "--from", "-", stdin=done.stdout)
        self.assertEqual(done.stdout, text)


class CutTest(Scratch):
    """A trace that was copied while it grew."""

    def cuts(self) -> List[str]:
        """The same trace, cut at each place of its last line."""
        text = fixture.transfer().text()
        begin = text.rindex("\n", 0, -1) + 1
        return [text[:at] for at in range(begin + 1, len(text), 9)]

    def test_text__is_read_up_to_the_cut(self):
        whole = len(fixture.transfer().rows)
        for text in self.cuts():
            trace = chalk_trace.Trace(text.splitlines(True), "t")
            self.assertEqual(len(trace.records), whole - 1)
        done = self.tool("summary", "-", stdin=self.cuts()[-1])
        self.assertEqual(done.returncode, 0)
        self.assertIn("13 segments", done.stdout)
        self.assertEqual(
            done.stderr, "chalk summary: standard input, line "
            f"{whole + 1} is cut: read up to it\n")

    def test_error_after_a_cut__is_one_line(self):
        self.one_line(self.tool("summary", "-", "--conn", "9",
                                stdin=self.cuts()[-1]),
                      "no such connection.* is cut: read up to it")

    def test_json__is_read_up_to_the_cut(self):
        done = self.tool("trace", "--from", "-", "--format", "json",
                         stdin=fixture.transfer().text())
        done = self.tool("summary", "-", stdin=done.stdout[:-20])
        self.assertIn("13 segments", done.stdout)
        self.assertRegex(done.stderr, r"\Achalk summary: .* is cut: .*\n\Z")


class OutputTest(Scratch):
    """Standard output that takes nothing."""

    def test_full__is_a_line(self):
        text = fixture.transfer().text()
        for args in (["summary", "-"], ["ladder", "-"], ["trace", "--from",
                     "-"], ["trace", "--from", "-", "--format", "pcapng"]):
            with open("/dev/full", "w", encoding="ascii") as full:
                self.one_line(self.tool(*args, stdin=text, stdout=full),
                              "standard output: No space left")
        self.one_line(self.tool("trace", "--from", "-", "--out", "/dev/full",
                                stdin=text), "/dev/full: No space left")

    def test_closed__is_a_line(self):
        self.file(fixture.transfer().text())
        for args in ("summary t.tsv", "ladder t.tsv", "trace --from t.tsv"):
            done = subprocess.run(
                f"{HERE}/chalk {args} >&-", shell=True, cwd=self.place,
                stderr=subprocess.PIPE, text=True, check=False)
            self.one_line(done, "standard output: Bad file descriptor")


if __name__ == "__main__":
    unittest.main()
