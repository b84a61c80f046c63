# SPDX-License-Identifier: GPL-2.0
"""test_report.py - the file that chalk report makes, without a browser.

The page in a browser is tested by selftests/report.
"""

import base64
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest
import zlib
from typing import Dict, List

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.join(HERE, "..", "..")
sys.path.insert(0, HERE)

import chalk_report  # noqa: E402
import test_fixture as fixture  # noqa: E402
from chalk_figures import LIMITS  # noqa: E402
from chalk_trace import Trace  # noqa: E402

sys.path.pop(0)
PARTS = os.path.join(TOP, "userspace", "report")
LANGUAGES = ("en", "zh")
X_MACRO = re.compile(r'X\(\w+, "?([^")]+?)[")]')


def table(name: str) -> Dict:
    with open(os.path.join(PARTS, name), encoding="utf-8") as stream:
        return json.load(stream)


def names(macro: str) -> List[str]:
    """The names that a list of event.h has."""
    path = os.path.join(TOP, "kmod", "core", "event.h")
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    body = text[text.index(f"#define {macro}(X)"):]
    lines = []
    for line in body.splitlines():
        lines.append(line)
        if not line.endswith("\\"):
            break
    return X_MACRO.findall("\n".join(lines))


def variables() -> set:
    return set(chalk_report.VARIABLES)


def unpacked(data: Dict, pair: Dict) -> Dict[str, List[int]]:
    """The columns of a pair, as the page computes them."""
    numbers = []
    value = shift = 0
    for byte in zlib.decompress(base64.b64decode(pair["packed"])):
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(-(value + 1) // 2 if value & 1 else value >> 1)
            value = shift = 0
    rows = pair["rows"]
    columns = {name: numbers[k * rows:(k + 1) * rows]
               for k, name in enumerate(data["columns"])}
    for name, column in columns.items():
        before = [0, 0]
        for row, end in enumerate(columns["end"]):
            if name != "end":
                before[end] += column[row]
                column[row] = before[end]
    return columns


def reported(trace: Trace, most: int = 1 << 20) -> Dict:
    report = chalk_report.Report(trace, "fixture", chalk_report.pairs(trace),
                                 {})
    return report.data(most)


def chalk_report_tool(*args: str, stdin: str = "", env=None):
    return subprocess.run([os.path.join(HERE, "chalk"), "report", *args],
                          input=stdin, capture_output=True, text=True,
                          encoding="utf-8", check=False,
                          env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1",
                                   **(env or {})))


class WordsTest(unittest.TestCase):
    def test_explanations__are_there_for_each_cause_and_no_other(self):
        known = set(names("EVENT_CAUSES") + names("DROP_REASONS"))
        self.assertGreater(len(known), 90)
        for language in LANGUAGES:
            found = table(f"explain.{language}.json")
            self.assertEqual(set(found["causes"]), known)
            self.assertEqual(set(found["kinds"]), set(names("EVENT_KINDS")))
            self.assertEqual(set(found["limits"]), set(LIMITS))

    def test_limits__are_called_as_in_summary_and_have_a_clause(self):
        found = [table(f"explain.{lang}.json")["limits"] for lang in LANGUAGES]
        self.assertEqual([found[0][name][0] for name in LIMITS], list(LIMITS))
        for name in LIMITS:
            self.assertRegex(found[0][name][2], r"^RFC \d+ [\d.]+$")
            self.assertEqual(found[0][name][2], found[1][name][2])

    def test_explanations__are_one_to_four_sentences(self):
        for language in LANGUAGES:
            found = table(f"explain.{language}.json")
            for what in ("causes", "kinds", "limits"):
                for name, (title, text, *_) in found[what].items():
                    self.assertTrue(title, name)
                    ends = len(re.findall(r"[.?](?: |$)|。", text))
                    self.assertIn(ends, range(1, 5), f"{language}: {name}")

    def test_explanations__in_chinese_are_chinese(self):
        for what in ("causes", "kinds", "limits"):
            for name, (_, text, *_) in table("explain.zh.json")[what].items():
                self.assertRegex(text, "[\u4e00-\u9fff]", name)

    def test_words__are_the_same_in_both_languages(self):
        english, chinese = (table(f"words.{lang}.json") for lang in LANGUAGES)
        self.assertEqual(set(english), set(chinese))
        for key, text in english.items():
            self.assertEqual(sorted(set(re.findall(r"\{\w+\}", text))),
                             sorted(set(re.findall(r"\{\w+\}", chinese[key]))),
                             key)

    def test_words__that_the_page_asks_for_exist(self):
        words = table("words.en.json")
        for name in os.listdir(PARTS):
            if not name.endswith((".js", ".html")):
                continue
            with open(os.path.join(PARTS, name), encoding="utf-8") as stream:
                text = stream.read()
            asked = re.findall(r'\bt\("(\w+)"', text)
            asked += re.findall(r'data-(?:t|label)="(\w+)"', text)
            for key in asked:
                self.assertIn(key, words, name)
        for name in variables():
            self.assertIn(f"var_{name}", words)


class PackingTest(unittest.TestCase):
    def setUp(self):
        self.trace = fixture.transfer(40, 5).trace()

    def test_records__come_back_as_they_were(self):
        data = reported(self.trace)
        pair = data["pairs"][0]
        self.assertEqual(pair["left_out"], 0)
        columns = unpacked(data, pair)
        for row, record in enumerate(self.trace.records):
            self.assertAlmostEqual(columns["time"][row] / 1e6, record.time)
            self.assertEqual(data["events"][columns["event"][row]],
                             record.event)
            self.assertEqual(data["causes"][columns["cause"][row]],
                             (record.cause, record.clause))
            self.assertEqual(data["flags"][columns["flags"][row]],
                             record.flags)
            for name in ("seq", "ack", "len", "wnd", *variables()):
                self.assertEqual(columns[name][row], getattr(record, name))

    def test_variables__are_those_of_the_trace(self):
        lines = fixture.transfer(40, 5).text().splitlines()
        self.assertTrue(lines[0].endswith("\tmss"))
        short = Trace(line.rpartition("\t")[0] for line in lines)
        self.assertEqual(reported(self.trace)["variables"],
                         chalk_report.VARIABLES)
        self.assertEqual(reported(short)["variables"],
                         chalk_report.VARIABLES[:-1])

    def test_segments__know_their_arrival(self):
        columns = unpacked(reported(self.trace),
                           reported(self.trace)["pairs"][0])
        lost = 0
        for row, record in enumerate(self.trace.records):
            mate = columns["mate"][row]
            if record.is_sent and not mate:
                lost += 1
            elif mate:
                other = self.trace.records[row + mate]
                self.assertEqual(other.likeness, record.likeness)
                self.assertEqual(columns["mate"][row + mate], -mate)
        self.assertEqual(lost, 1)

    def test_thinning__keeps_what_matters(self):
        def vital(data, pair):
            columns = unpacked(data, pair)
            kinds = [data["events"][e] for e in columns["event"]]
            return [(kind, columns["seq"][row], columns["time"][row])
                    for row, kind in enumerate(kinds)
                    if kind in ("rtx", "state", "ssthresh")
                    or kind == "send" and not columns["mate"][row]]

        whole, small = reported(self.trace), reported(self.trace, 1)
        self.assertGreater(small["pairs"][0]["left_out"], 50)
        self.assertEqual(vital(small, small["pairs"][0]),
                         vital(whole, whole["pairs"][0]))

    def test_thinning__comes_close_to_the_limit_soon(self):
        script, random_number = fixture.transfer(1500, 700), random.Random(1)
        for row in script.rows:     # what repeats itself takes no room
            row["wnd"] = str(random_number.randrange(1 << 16))
            row["srtt"] = str(random_number.randrange(1 << 20))
        trace = script.trace()
        report = chalk_report.Report(trace, "x", chalk_report.pairs(trace), {})
        passes = []
        make = report._data  # pylint: disable=protected-access
        setattr(report, "_data", lambda keep: passes.append(keep) or make(keep))
        whole = chalk_report.size(report.data(1 << 30))
        self.assertEqual(len(passes), 1)
        for part in (0.9, 0.5, 0.2):
            passes.clear()
            made = report.data(round(whole * part))
            self.assertGreater(chalk_report.size(made), 0.8 * part * whole)
            self.assertLessEqual(chalk_report.size(made), part * whole)
            self.assertLessEqual(len(passes), 4)

    def test_pairs__come_with_most_data_first(self):
        trace = fixture.transfer().trace()
        ends = chalk_report.pairs(trace)
        self.assertEqual(len(ends), 1)
        self.assertEqual([e.local for e in ends[0]],
                         [fixture.CLIENT, fixture.SERVER])

    def test_loss__that_changes_no_window_is_counted(self):
        script = fixture.transfer()
        script.rows = [row for row in script.rows
                       if row["event"] not in ("cwnd", "ssthresh")]
        pair = reported(script.trace())["pairs"][0]
        self.assertEqual(pair["ends"][0]["figures"]["loss_events"],
                         {"third duplicate ACK": 1})

    def test_one_end__is_enough(self):
        lines = fixture.transfer().text().splitlines()
        mine = [line for line in lines
                if line.split("\t")[1] in ("conn", "1")]
        data = reported(Trace(mine))
        ends = data["pairs"][0]["ends"]
        self.assertEqual([e["traced"] for e in ends], [True, False])
        self.assertEqual(ends[1]["isn"], fixture.SERVER_ISN)


class PageTest(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.out = os.path.join(self.dir.name, "report.html")

    def tearDown(self):
        self.dir.cleanup()

    def make(self, *args: str) -> str:
        result = chalk_report_tool("-", "--out", self.out, *args,
                                   stdin=fixture.transfer(40, 5).text())
        self.assertEqual(result.stderr, "")
        self.assertEqual(result.returncode, 0)
        with open(self.out, encoding="utf-8") as stream:
            return stream.read()

    def test_page__loads_nothing(self):
        text = self.make()
        for tag in re.findall(r"<(?:script|link|img|iframe|object)\b[^>]*>",
                              text.split("<script type=\"application")[0]):
            self.assertNotRegex(tag, r"\b(src|href|data)=")
        self.assertNotRegex(text, r"@import|url\((?!data:)|\bfetch\(|"
                            r"XMLHttpRequest|WebSocket|\bimport\(")
        self.assertIn("default-src 'none'", text)

    def test_page__keeps_the_licence_of_uplot(self):
        text = self.make()
        self.assertIn("MIT License", text)
        self.assertIn("Leon Sorokin", text)

    def test_page__has_no_part_left_open(self):
        self.assertNotRegex(self.make(), r"\{\{[A-Z]+\}\}")

    def test_size__of_a_long_transfer(self):
        script = fixture.transfer(9000, 8990)
        with open(os.path.join(self.dir.name, "t.tsv"), "w",
                  encoding="ascii") as stream:
            stream.write(script.text())
        result = chalk_report_tool(stream.name, "--out", self.out)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertLess(os.path.getsize(self.out), 2_000_000)

    def test_names__and_language(self):
        text = self.make("--name", "10.0.1.2=alice", "--lang", "zh")
        self.assertIn('"names":{"10.0.1.2":"alice"}', text)
        self.assertIn('"language":"zh"', text)

    def test_wrong_name__is_explained(self):
        result = chalk_report_tool("-", "--name", "alice",
                                   stdin=fixture.transfer().text())
        self.assertEqual(result.returncode, 1)
        self.assertIn("ADDRESS=NAME", result.stderr)

    def test_no_place_to_write__is_an_error(self):
        result = chalk_report_tool("-", "--out", "/nonexistent/x.html",
                                   stdin=fixture.transfer().text())
        self.assertEqual(result.returncode, 1)
        self.assertIn("/nonexistent/x.html: No such file", result.stderr)

    def test_text_within__cannot_end_the_script(self):
        text = self.make("--name", "10.0.1.2=</script><b>")
        self.assertNotIn("</script><b>", text)

    def test_missing_parts__are_named(self):
        tool = os.path.join(self.dir.name, "chalk-report")
        for name in os.listdir(HERE):
            if not name.startswith("chalk"):
                continue
            with open(os.path.join(HERE, name), encoding="utf-8") as stream, \
                    open(os.path.join(self.dir.name, name), "w",
                         encoding="utf-8") as copy:
                copy.write(stream.read())
        result = subprocess.run([sys.executable, "-B", tool, "-", "--out",
                                 self.out], input=fixture.transfer().text(),
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("is missing; run 'make tools'", result.stderr)


if __name__ == "__main__":
    unittest.main()
