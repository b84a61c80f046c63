# SPDX-License-Identifier: GPL-2.0
"""test_page.py - a report in a browser, used as a person uses it.

Called by run. Traces come from the simulator; figures are held against those of
chalk summary, windows against the trace itself.
"""

import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from typing import Dict, List

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from browser import Browser

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
CHALK = os.path.join(TOP, "build", "bin", "chalk")
SHOTS = os.path.join(TOP, "build", "report-shots")
LOSSY = ("--close-early", "--rate", "10mbit", "--delay", "20ms", "--queue", "400", "--loss",
         "1%", "--bytes", "2MiB")
CHARTS = 4
# labels of a ladder that touch another, or the line of an end
TOUCHING = """
    const svg = document.querySelector("#ladder svg");
    const boxes = [...svg.querySelectorAll(".remark text, .flight.again text")]
        .map((text) => [text.textContent, text.getBBox()]);
    const rails = [...svg.querySelectorAll(".rail")].map((r) => +r.getAttribute("x1"));
    return boxes.filter(([, a], k) => a.x < rails[0] || a.x + a.width > rails[1] ||
        boxes.some(([, b], n) => n > k && a.x < b.x + b.width && b.x < a.x + a.width &&
            a.y + 1 < b.y + b.height && b.y + 1 < a.y + a.height))
        .map(([text]) => text)"""
# what stands beside a chart and is wider than its place
LABELS_CUT = """
    const ctx = document.createElement("canvas").getContext("2d");
    return chalk.views.find((v) => v.all).all.flatMap(({ plot }) => {
        const axis = plot.axes[1];
        ctx.font = "12px system-ui, sans-serif";
        return axis._values.filter((text) =>
            ctx.measureText(text).width + 16 > axis._size);
    })"""


class Traces:
    """Traces and their reports, each made once."""

    def __init__(self) -> None:
        self.dir = tempfile.mkdtemp()
        self.made: Dict[tuple, str] = {}

    def trace(self, *options: str) -> str:
        if options not in self.made:
            path = os.path.join(self.dir, f"{len(self.made)}.tsv")
            subprocess.run([CHALK, "sim", *options, "--trace", path],
                           check=True, capture_output=True)
            self.made[options] = path
        return self.made[options]

    def report(self, trace: str, *options: str) -> str:
        path = trace.replace(".tsv", "") + "".join(options).replace(
            "/", "") + ".html"
        if not os.path.exists(path):
            subprocess.run([CHALK, "report", trace, "--out", path, *options],
                           check=True)
        return path


TRACES = Traces()
BROWSER: Browser


class PageTest(unittest.TestCase):
    """A page of a lossy transfer, fresh for each test."""

    sim = LOSSY
    options = ("--lang", "en", "--name", "10.0.0.1=alice")

    def setUp(self):
        self.browser = BROWSER
        self.browser.media(False)
        self.browser.size(1440, 1000)
        self.show_page()

    def show_page(self):
        self.path = TRACES.report(self.trace(), *self.options)
        self.browser.open(self.path)

    def tearDown(self):
        self.assertEqual([m for m in self.browser.logged()
                          if "favicon" not in m], [])

    def trace(self) -> str:
        return TRACES.trace(*self.sim)

    def records(self) -> List[Dict[str, str]]:
        with open(self.trace(), encoding="ascii") as stream:
            names, *lines = stream.read().splitlines()
        return [dict(zip(names.split("\t"), line.split("\t")))
                for line in lines]

    def app(self, expression: str):
        return self.browser.run(f"return chalk.{expression}")


class OpenTest(PageTest):
    def test_open__asks_for_nothing_else(self):
        found = self.browser.requests()
        self.assertEqual([u for u in found if not u.startswith("file://")
                          or not u.endswith(".html")], [])
        self.assertEqual(len(found), 1)

    def test_story__has_the_figures_of_summary(self):
        out = subprocess.run([CHALK, "summary", self.trace(), "--json",
                              "--local", "10.0.0.1:40000"], check=True,
                             capture_output=True, text=True)
        known = json.loads(out.stdout)[0]
        story = self.browser.text("#story")
        self.assertIn("alice sent 2 MiB", story)
        self.assertIn(f"{known['lost_on_the_way']} of its", story)
        for count in known["loss_events"].values():
            self.assertRegex(story, rf"{count} times|once")
        self.assertIn(f"{known['segments_sent']:,}",
                      self.browser.text("#totals"))

    def test_losses__are_all_in_the_table(self):
        rows = self.browser.all("#losses tbody tr")
        out = subprocess.run([CHALK, "summary", self.trace(), "--json"],
                             check=True, capture_output=True, text=True)
        self.assertEqual(len(rows),
                         json.loads(out.stdout)[0]["lost_on_the_way"])

    def test_reactions_and_phases__are_those_of_the_trace(self):
        third = {r["time"] for r in self.records()
                 if r["event"] == "rtx" and r["conn"] == "1"
                 and r["cause"] == "third duplicate ACK"}
        timeouts = {r["time"] for r in self.records()
                    if r["event"] == "cwnd" and r["conn"] == "1"
                    and r["cause"] == "retransmission timeout"}
        reactions, phases = self.browser.run(
            "const c = chalk.views.find((v) => v.all).all[0];"
            "return [c.reactions.map((r) => r.time), c.phases]")
        self.assertEqual({f"{time:.6f}" for time in reactions},
                         third | timeouts)
        begins = {f"{p['from']:.6f}" for p in phases
                  if p["phase"] == "recovery"}
        self.assertEqual(begins, third)
        for before, after in zip(phases, phases[1:]):
            self.assertLessEqual(before["to"], after["from"])

    def test_throughput__adds_up_to_the_data(self):
        for end, size in ((0, 2 << 20), (1, 0)):
            self.browser.run(f"chalk.show({end})")
            acked, times = self.browser.run(
                "const p = chalk.views.find((v) => v.all).all[3].plot;"
                "return [p.data[1], p.data[0]]")
            width = times[1] - times[0]
            self.assertAlmostEqual(sum(acked) * width / 8, size, delta=2)

    def test_charts__are_there_with_curves(self):
        self.assertEqual(len(self.browser.all("#charts canvas")), CHARTS)
        tops = self.browser.run(
            "return chalk.views.find((v) => v.all).all.map((c) =>"
            " c.plot.scales.y.max)")
        self.assertTrue(all(top > 1 for top in tops), tops)
        self.assertEqual(self.browser.run(LABELS_CUT), [])

    def test_unpacked__are_the_records(self):
        records = self.records()
        cwnd = self.app("conn.col.cwnd.join()").split(",")
        self.assertEqual(cwnd, [r["cwnd"] for r in records])
        seq = self.app("conn.col.seq.join()").split(",")
        self.assertEqual(seq, [r["seq"] for r in records])


class HeldBackTest(PageTest):
    """Who held the sender back, in the words of chalk summary."""

    def said(self, *sim: str) -> tuple:
        """What summary says, and the page's paragraph."""
        trace = TRACES.trace(*sim)
        out = subprocess.run([CHALK, "summary", trace, "--conn", "1"],
                             check=True, capture_output=True, text=True)
        line = next(line for line in out.stdout.splitlines()
                    if "held back by" in line)
        self.browser.open(TRACES.report(trace, *self.options))
        return (line.split("by", 1)[1].strip(),
                self.browser.all("#story p")[1])

    def test_page__says_what_summary_says(self):
        for name, clause, sim in (
                ("receiver's window", "rfc9293#section-3.8.6", (
                    "--reader-rate", "50kB", "--rcvbuf", "8KiB", "--bytes",
                    "200kB")),
                ("congestion window", "rfc5681#section-3.1", LOSSY),
                ("send buffer", "rfc9293#section-3.9.1.2", (
                    "--delay", "20ms", "--sndbuf", "16KiB", "--bytes",
                    "300kB")),
                ("program", "rfc9293#section-3.9.1.2", (
                    "--write-gap", "50ms", "--chunk", "2000", "--bytes",
                    "40kB"))):
            summary, paragraph = self.said(*sim)
            self.assertTrue(summary.startswith(name), summary)
            self.assertRegex(summary, rf"^{name} [\d.]+ m?s of [\d.]+ m?s "
                             r"\(([89]\d|100) %\)")
            self.assertIn(f"What held alice back: {summary}.", paragraph.text)
            self.assertTrue(paragraph.find_element("css selector", "a")
                            .get_attribute("href").endswith(clause))


class ZoomTest(PageTest):
    def in_step(self):
        """All charts show the range, and so do ladder and list."""
        first, last = self.app("range")
        for low, high in self.browser.scales():
            self.assertAlmostEqual(low, first)
            self.assertAlmostEqual(high, last)
        times = [float(time) for time in self.browser.run(
            "return [...document.querySelectorAll('#events"
            " [aria-selected=false] .event-time')].map((e) =>"
            " e.textContent.split(' ')[0])")]
        self.assertTrue(times)
        self.assertTrue(all(first - 1e-4 <= t <= last + 1e-4 for t in times))
        starts = self.browser.run(
            "const l = chalk.views.find((v) => v.visible);"
            "return l.visible.map((f) => l.time(f))")
        self.assertTrue(starts)
        self.assertTrue(all(first <= t <= last for t in starts))
        return first, last

    def test_drag__zooms_all(self):
        for chart in range(CHARTS):
            self.browser.press("0")
            whole = self.in_step()
            self.browser.drag(chart, .25, .5)
            first, last = self.in_step()
            self.assertAlmostEqual(first, whole[1] * .25, delta=whole[1] / 50)
            self.assertAlmostEqual(last, whole[1] * .5, delta=whole[1] / 50)

    def test_drag__selects_nothing(self):
        self.browser.drag(0, .25, .5)
        self.assertEqual(self.app("selected"), -1)

    def test_wheel__zooms_where_the_pointer_is(self):
        whole = self.in_step()
        self.browser.click_at(1, 100, 30)
        over = self.browser.plot(1)
        ActionChains(self.browser.driver).move_to_element(over).perform()
        self.browser.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {
            "type": "mouseWheel", "deltaX": 0, "deltaY": -200,
            **self.browser.run("const r = arguments[0].getBoundingClientRect();"
                               "return {x: r.left + r.width / 2,"
                               " y: r.top + r.height / 2}", over)})
        self.browser.settle()
        first, last = self.in_step()
        self.assertLess(last - first, whole[1] * .8)
        self.assertAlmostEqual((first + last) / 2, whole[1] / 2,
                               delta=whole[1] / 50)

    def test_keys__zoom_move_and_reset(self):
        whole = self.in_step()
        self.browser.press("+")
        near = self.in_step()
        self.assertAlmostEqual(near[1] - near[0], whole[1] / 2)
        self.assertTrue(self.browser.tab_to("#charts .plot"))
        self.browser.press(Keys.ARROW_RIGHT)
        moved = self.in_step()
        self.assertGreater(moved[0], near[0])
        self.assertAlmostEqual(moved[1] - moved[0], near[1] - near[0])
        self.browser.press("-")
        self.browser.press("0")
        self.assertEqual(self.in_step(), whole)

    def test_buttons__zoom(self):
        whole = self.in_step()
        self.browser.click("[data-do=closer]")
        self.assertNotEqual(self.in_step(), whole)
        self.browser.click("[data-do=reset]")
        self.assertEqual(self.in_step(), whole)

    def test_cursor__is_shared(self):
        over = self.browser.plot(1)
        ActionChains(self.browser.driver).move_to_element(over).perform()
        self.browser.settle()
        lefts = self.browser.run(
            "return chalk.views.find((v) => v.all).all.map((c) =>"
            " c.plot.cursor.left)")
        self.assertTrue(all(abs(left - lefts[1]) < 2 for left in lefts), lefts)


class SelectTest(PageTest):
    def test_mark__tells_its_cause(self):
        mark = self.browser.run(
            "const c = chalk.views.find((v) => v.all).all[0];"
            "return c.marks.find((m) => chalk.conn.cause(m.record) ==="
            " 'third duplicate ACK' && m.y > 20)")
        self.browser.click_at(0, mark["x"], mark["y"])
        panel = self.browser.text("#panel")
        self.assertIn("third duplicate ACK", panel)
        self.assertIn("RFC 5681 §3.2", panel)
        self.assertIn("fast retransmit", panel)
        record = self.records()[self.app("selected")]
        self.assertEqual(record["cause"], "third duplicate ACK")
        self.assertIn(record["event"], ("ssthresh", "cwnd"))
        row = self.browser.find("#panel tr.changed").text
        self.assertRegex(row, "cwnd|ssthresh")

    def test_ladder__tells_of_a_segment(self):
        self.browser.click("#ladder .flight:nth-of-type(4) text")
        record = self.records()[self.app("selected")]
        self.assertIn(record["event"], ("send", "rtx"))
        self.assertEqual(len(self.browser.all("#ladder .chosen")), 1)
        self.assertIn(record["clause"].split()[1], self.browser.text("#panel"))

    def test_ladder__cuts_no_words_off(self):
        for width in (420, 1000, 1400, 1900):
            self.browser.size(width, 900)
            self.browser.settle()
            beyond = self.browser.run("""
                const svg = document.querySelector("#ladder svg");
                return [...svg.querySelectorAll("text")].filter((text) => {
                    const box = text.getBBox();
                    return box.x < 0 || box.x + box.width > svg.clientWidth;
                }).map((text) => text.textContent)""")
            self.assertEqual(beyond, [], width)

    def test_ladder__tells_of_a_gap_where_it_is(self):
        self.browser.press("l")
        kinds = self.browser.run("""
            const rows = [...document.querySelectorAll("#ladder .gap, #ladder .wire")];
            const y = (e) => +(e.getAttribute("y1") ?? e.firstChild.getAttribute("y"));
            return rows.sort((a, b) => y(a) - y(b)).map((e) => e.classList[0])""")
        self.assertIn("gap", kinds)
        self.assertNotIn(("gap", "gap"), list(zip(kinds, kinds[1:])))

    def test_row__tells_of_its_event(self):
        self.browser.click("#events .event:nth-child(2)")
        self.assertIn("SYN_SENT → ESTABLISHED", self.browser.text("#panel"))
        self.assertIn("SYN+ACK arrives", self.browser.text("#panel"))

    def test_panel__has_the_variables_before_and_after(self):
        self.browser.press("l")
        self.browser.click("#panel .links button:first-of-type")
        i = self.app("selected")
        records = self.records()
        mine = [r for r in records[:i] if r["conn"] == records[i]["conn"]]
        cells = self.browser.run(
            "return [...document.querySelectorAll('#panel tbody tr')].map((r) =>"
            " [...r.children].map((c) => c.textContent))")
        found = {c[0].split(" ")[0]: c[1:] for c in cells}
        cwnd = next(v for k, v in found.items() if k.startswith("cwnd"))
        for cell, record in zip(cwnd, (mine[-1], records[i])):
            self.assertIn(f"{int(record['cwnd']):,}", cell)

    def test_lost_segment__is_crossed_and_leads_to_its_repair(self):
        self.browser.press("l")
        self.assertIn("never arrived", self.browser.text("#panel"))
        self.assertIn("lost", self.browser.find(
            "#ladder .chosen").get_attribute("class"))
        self.browser.click("#panel .links button:first-of-type")
        self.assertEqual(self.records()[self.app("selected")]["event"], "rtx")

    def test_loss__is_told_with_the_rule_of_its_repair(self):
        self.browser.press("l")
        panel = self.browser.text("#panel")
        self.assertIn("third duplicate ACK", panel)
        self.assertIn("fast retransmit", panel)
        self.assertIn("RFC 5681 §3.2", panel)

    def test_next_loss__goes_through_all(self):
        count = len(self.browser.all("#losses tbody tr"))
        seen = []
        for _ in range(count + 1):
            self.browser.press("l")
            seen.append(self.app("selected"))
        self.assertEqual(len(set(seen)), count)
        self.browser.press("L")
        self.assertEqual(self.app("selected"), seen[-3])

    def test_next_event__follows_the_filters(self):
        self.browser.press("n")
        self.browser.press("n")
        records = self.records()
        self.assertEqual(records[self.app("selected")]["new"], "ESTABLISHED")
        for kind in ("loss", "state"):
            self.browser.click(f"[data-kind={kind}]")
        self.browser.click("[data-kind=timer]")
        self.browser.press("n")
        self.assertIn(records[self.app("selected")]["event"],
                      ("timer_set", "timer_fired"))
        self.browser.press("p")
        self.browser.press("p")
        self.assertLess(self.app("selected"), 10)

    def test_states__are_clickable(self):
        self.assertEqual(len(self.browser.all("#states .state")), 11)
        taken = self.browser.all("#states .arrow.taken")
        steps = [r for r in self.records()
                 if r["event"] == "state" and r["conn"] == "1"]
        self.assertEqual(len(taken), len(steps))
        self.browser.run("arguments[0].focus()", taken[-1])
        self.browser.press(Keys.ENTER)
        self.assertEqual(self.records()[self.app("selected")]["event"],
                         "state")

    def test_other_end__is_shown(self):
        self.browser.press("e")
        self.assertIn("sent no data", self.browser.text("#story"))
        self.assertIn("LAST_ACK", self.browser.text("#path"))
        self.browser.press("e")
        self.assertIn("alice sent", self.browser.text("#story"))


class StateTest(PageTest):
    """States and their times are those of the trace, whatever is folded."""

    sim = ("--close-early", "--rate", "10mbit", "--reader-rate", "50kB",
           "--rcvbuf", "8KiB", "--bytes", "200kB")

    def ladder_states(self) -> List[tuple]:
        """Of all pages of the ladder: side, time, state; no brackets."""
        found = set()
        while True:
            found.update(tuple(label) for label in self.browser.run("""
                return [...document.querySelectorAll("#ladder .ladder-state")]
                    .map((text) => [+(text.getAttribute("text-anchor") === "start"),
                        ...text.textContent.split(" ").sort()])"""))
            if not self.browser.find("[data-go=later]").is_enabled():
                return sorted(s for s in found if not s[1].startswith("("))
            self.browser.click("[data-go=later]")

    def steps(self) -> List[tuple]:
        return sorted((int(r["conn"]) - 1, f"{float(r['time']):.4f}", r["new"])
                      for r in self.records() if r["event"] == "state")

    def test_ladder__has_each_state_when_it_came(self):
        for key in ("0", "+", "+"):
            self.browser.press(key)
            first, last = self.app("range")
            whole = last >= self.app("conn.last")
            known = [step for step in self.steps()
                     if first <= float(step[1]) and
                     (whole or float(step[1]) <= last)]
            self.assertEqual(self.ladder_states(), known)

    def test_ladder__says_what_state_it_begins_in(self):
        self.browser.run("chalk.zoomTo(1, 1.2)")
        states = [text.text for text in
                  self.browser.all("#ladder .ladder-state")]
        self.assertEqual(sorted(s.split(" ")[s[0] == "1"] for s in states),
                         ["(ESTABLISHED)", "(FIN_WAIT_1)"])

    def test_ladder__has_the_whole_handshake_and_the_end(self):
        texts = [text.text for text in
                 self.browser.all("#ladder .flight-text")]
        self.assertEqual(texts[:3], ["SYN seq=0", "SYN+ACK seq=0 ack=1",
                                     "ACK 1"])
        while self.browser.find("[data-go=later]").is_enabled():
            self.browser.click("[data-go=later]")
        texts = [text.text for text in
                 self.browser.all("#ladder .flight-text")]
        self.assertEqual(sum("FIN" in text for text in texts[-4:]), 2, texts)
        self.assertEqual(sum(text.startswith("ACK")
                             for text in texts[-4:]), 2, texts)

    def test_fin__is_not_said_to_have_left_at_close(self):
        steps = self.browser.all("#path li")
        closed = next(s.text for s in steps if "→ FIN_WAIT_1" in s.text)
        left = next(float(r["time"]) for r in self.records()
                    if r["conn"] == "1" and r["event"] == "send"
                    and "F" in r["flags"])
        self.assertGreater(left, 3.5)
        self.assertIn("0.0201 s", closed)
        self.assertIn(f"the FIN left at {left:.4f} s", closed)
        self.assertNotIn("sent its FIN", self.browser.text("#path"))


class TimeoutTest(PageTest):
    """Losses that also bring timeouts, and several in one flight."""

    sim = (*LOSSY[:-4], "--loss", "5%", "--bytes", "1MiB")

    def test_button__leads_to_the_first_timeout(self):
        self.browser.click("#first-timeout")
        first = next(i for i, r in enumerate(self.records())
                     if r["cause"] == "retransmission timeout"
                     and r["event"] == "cwnd")
        self.assertEqual(self.app("selected"), first)

    def test_timeout__is_told_with_its_rule(self):
        self.browser.click("#first-timeout")
        panel = self.browser.text("#panel")
        self.assertIn("No ACK of new data came for a whole RTO", panel)
        self.assertIn("RFC 5681 §3.1", panel)
        remarks = [r.text for r in self.browser.all("#ladder .remark.timeout")]
        self.assertEqual(remarks[0], "■ timeout")
        self.assertIn("cwnd", remarks[1])

    def test_ladder__has_nothing_beyond_its_range(self):
        self.browser.click("#first-timeout")
        last = self.browser.run(
            "const { visible } = chalk.views.find((v) => v.visible);"
            "return Math.max(...visible.flatMap((f) => [f.sent, f.arrived])"
            ".filter((i) => i >= 0).map((i) => chalk.conn.time[i]))")
        times = [float(t.text.split()[0]) for t in
                 self.browser.all("#ladder .ladder-time")]
        self.assertGreater(len(times), 2)
        self.assertLessEqual(max(times), last + 1e-4)

    def test_window__is_cut_once_in_a_recovery(self):
        records = [r for r in self.records() if r["conn"] == "1"]
        partial = sum(r["event"] == "rtx" and r["cause"] == "partial ACK"
                      for r in records)
        self.assertGreater(partial, 0)
        self.assertIn(f"{partial} segments more", self.browser.text("#story"))
        rows = [[cell.text for cell in row.find_elements("css selector", "td")]
                for row in self.browser.all("#losses tbody tr")]
        self.assertEqual({row[4] for row in rows if row[3] == "partial ACK"},
                         {"no further cut"})


class KeyboardTest(PageTest):
    def test_tab__reaches_everything(self):
        self.browser.press(Keys.TAB)
        for css in ("[data-do=language]", "[data-do=theme]", "#how summary",
                    "[name=end]", "[data-do=closer]", "#charts .plot",
                    "#ladder svg", "[data-loss]", "[data-kind=loss]", "#events",
                    "#states .arrow", "#path button"):
            self.assertTrue(self.browser.tab_to(css), css)

    def test_focus__is_seen(self):
        self.browser.tab_to("[data-do=theme]")
        outline = self.browser.run(
            "return getComputedStyle(document.activeElement).outlineStyle")
        self.assertEqual(outline, "solid")

    def test_loss_button__brings_the_panel_into_sight(self):
        for width in (1440, 375):
            self.browser.size(width, 800)
            self.browser.run("scrollTo(0, 0)")
            self.browser.press("l")
            top = self.browser.run("return document.querySelector('#panel')"
                                   ".getBoundingClientRect().top")
            self.assertTrue(0 <= top < 600, (width, top))

    def test_ladder_and_list__are_walked_with_arrows(self):
        for css in ("#ladder svg", "#events"):
            self.assertTrue(self.browser.tab_to(css), css)
            self.browser.press(Keys.ARROW_DOWN)
            first = self.app("selected")
            self.browser.press(Keys.ARROW_DOWN)
            self.assertGreater(self.app("selected"), first)
            self.assertTrue(self.browser.run(
                "return document.activeElement.matches(arguments[0])", css))

    def test_help__opens_and_closes(self):
        self.browser.press("?")
        self.assertTrue(self.browser.find("#help").is_displayed())
        self.browser.press(Keys.ESCAPE)
        self.assertFalse(self.browser.find("#help").is_displayed())


    def test_keys__can_be_switched_off(self):
        """WCAG 2.1.4: letters that dictation types do nothing then."""
        self.browser.click("[data-do=help]")
        self.browser.click("#keys")
        self.browser.click("[data-do=close-help]")
        whole = self.app("range")
        for key in "nplLe+-0?":
            self.browser.press(key)
        self.assertEqual(self.app("selected"), -1)
        self.assertEqual(self.app("range"), whole)
        self.assertEqual(self.app("end"), 0)
        self.assertFalse(self.browser.find("#help").is_displayed())
        self.browser.click("[data-do=help]")
        self.browser.click("#keys")
        self.browser.click("[data-do=close-help]")
        self.browser.press("l")
        self.assertGreater(self.app("selected"), 0)


class LookTest(PageTest):
    def test_language__changes_all_words(self):
        self.browser.press("l")
        self.browser.click("[data-do=language]")
        self.assertEqual(self.app("views.length"), 6)
        self.assertEqual(self.browser.find("html").get_attribute("lang"),
                         "zh-CN")
        for css in ("#story", "#losses", "#panel", "#ladder", "#events",
                    "#states", "#totals", ".bar"):
            self.assertRegex(self.browser.text(css), "[\u4e00-\u9fff]", css)
        self.assertGreaterEqual(self.app("selected"), 0)
        self.browser.shot(os.path.join(SHOTS, "chinese.png"))
        self.browser.click("[data-do=language]")
        body = self.browser.text("main")
        self.assertNotRegex(body, "[\u4e00-\u9fff]")

    def test_language__is_that_of_title_and_button(self):
        name = os.path.basename(self.trace())
        button = self.browser.find("[data-do=language]")
        for lang, title in (("zh-CN", f"Chalk report: {name}"),
                            ("en", f"Chalk 报告：{name}")):
            self.assertEqual(button.get_attribute("lang"), lang)
            self.assertEqual(self.browser.driver.title, title)
            self.browser.click("[data-do=language]")

    def test_page__that_cannot_be_shown_says_so_in_both_languages(self):
        with open(self.path, encoding="utf-8") as stream:
            text = stream.read()
        broken = self.path.replace(".html", "-broken.html")
        with open(broken, "w", encoding="utf-8") as stream:
            stream.write(re.sub('"packed":"[^"]*"', '"packed":"eA=="', text))
        self.browser.driver.get("file://" + broken)
        for _ in range(10):
            self.browser.settle()
        for lang, words in (("en", "cannot be shown"), ("zh-CN", "无法显示")):
            self.assertIn(words, self.browser.text(f"#story [lang={lang}]"))
        self.assertTrue(any("Error" in m for m in self.browser.logged()))

    def test_forced_colours__keep_what_is_told_by_colour(self):
        self.browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "forced-colors", "value": "active"}]})
        self.browser.press("l")
        styles = self.browser.run("""
            const style = (css, name) => getComputedStyle(
                document.querySelector(css))[name];
            return [style(".swatch", "forcedColorAdjust"),
                style(".swatch.line", "backgroundColor"),
                style("#losses tr.chosen", "outlineStyle"),
                style("#events [aria-selected=true]", "outlineStyle")]""")
        self.assertEqual(styles[0], "none")
        self.assertNotIn(styles[1], ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)"))
        self.assertEqual(styles[2:], ["solid", "solid"])

    def test_theme__follows_the_system_and_the_button(self):
        def paper():
            return self.browser.run(
                "return getComputedStyle(document.body).backgroundColor")
        self.assertEqual(paper(), "rgb(255, 255, 255)")
        self.browser.click("[data-do=theme]")
        self.assertEqual(paper(), "rgb(20, 24, 29)")
        self.browser.click("[data-do=theme]")
        self.browser.media(True)
        self.browser.open(self.path)
        self.assertEqual(paper(), "rgb(20, 24, 29)")

    def test_windows__of_all_sizes_fit(self):
        for width, height in ((375, 667), (768, 1024), (1024, 768),
                              (1920, 1080)):
            self.browser.size(width, height)
            self.browser.open(self.path)
            self.browser.press("l")
            beside = self.browser.run(
                "const at = (id) => document.getElementById(id)"
                ".getBoundingClientRect(); return at('panel').left >="
                " at('charts').right")
            self.assertEqual(beside, width > 1000, width)
            wide, seen = self.browser.run(
                "return [document.documentElement.scrollWidth, innerWidth]")
            self.assertLessEqual(wide, seen, width)
            charts = self.browser.run(
                "return [...document.querySelectorAll('#charts canvas')]"
                ".map((c) => c.getBoundingClientRect().right)")
            self.assertTrue(all(right <= width for right in charts), width)
            self.browser.shot(os.path.join(SHOTS, f"{width}.png"))

    def test_first_screen__has_a_chart(self):
        for lang in ("en", "zh"):
            self.browser.open(TRACES.report(TRACES.trace(*TimeoutTest.sim),
                                            "--lang", lang))
            bottom = self.browser.run(
                "return document.querySelector('#charts canvas')"
                ".getBoundingClientRect().bottom")
            self.assertLess(bottom, 1000, lang)

    def test_labels__of_the_ladder_touch_neither_another_nor_a_rail(self):
        for lang in ("en", "zh"):
            self.browser.open(TRACES.report(self.trace(), "--lang", lang))
            for _ in range(3):
                self.browser.press("l")
                touching = self.browser.run(TOUCHING)
                self.assertEqual(touching, [], lang)

    def test_number_of_what_is_folded__stands_before_the_arrows(self):
        self.browser.press("l")
        outside = self.browser.run("""
            return [...document.querySelectorAll("#ladder .gap")].filter((gap) => {
                const [rect, text] = [...gap.children].map((e) => e.getBBox());
                const after = gap.parentNode.querySelectorAll(".gap ~ .flight");
                return after.length || text.x < rect.x || text.y + 3 < rect.y ||
                    text.x + text.width > rect.x + rect.width; }).length""")
        self.assertEqual(outside, 0)
        self.assertTrue(self.browser.all("#ladder .gap rect"))

    def test_narrow__is_nothing_cut_off(self):
        """A telephone: the note in the chart, the losses, the list of states."""
        for lang in ("en", "zh"):
            self.browser.size(390, 844)
            self.browser.open(TRACES.report(self.trace(), "--lang", lang))
            label, room = self.browser.run(
                "const c = chalk.views.find((v) => v.all).all[0];"
                "return [c.labelWidth, c.plot.over.clientWidth]")
            self.assertLess(50, label)
            self.assertLess(label, room)
            wide, seen = self.browser.run(
                "const e = document.querySelector('#losses .table-scroll');"
                "return [e.scrollWidth, e.clientWidth]")
            self.assertLessEqual(wide, seen, lang)
            self.assertEqual(self.browser.run(
                "return getComputedStyle(document.querySelector("
                "'#path button')).verticalAlign"), "top")

    def test_axe__finds_nothing(self):
        with open(os.environ["AXE"], encoding="utf-8") as stream:
            axe = stream.read()
        for dark in (False, True):
            for lang in ("en", "zh"):
                for width in (1440, 375):
                    self.browser.media(dark)
                    self.browser.size(width, 900)
                    self.browser.open(TRACES.report(self.trace(),
                                                    "--lang", lang))
                    self.browser.press("l")
                    found = self.browser.axe(axe)
                    self.assertEqual(found, [], (dark, lang, width))


class PrintTest(PageTest):
    """Two pages of A4 that one can hand in, of any trace."""

    traces = (LOSSY, TimeoutTest.sim, StateTest.sim,
              ("--bytes", "0"), ("--bytes", "20kB", "--drop-syn", "1,2"),
              ("--loss", "4%/8%", "--bytes", "8MiB", "--reverse-bytes", "1MiB"),
              ("--simultaneous-open", "--close", "both", "--bytes", "1kB",
               "--reverse-bytes", "1kB"))

    def pdf(self) -> bytes:
        made = self.browser.driver.execute_cdp_cmd(
            "Page.printToPDF", {"preferCSSPageSize": True})
        return base64.b64decode(made["data"])

    def pages(self) -> int:
        return len(re.findall(rb"/Type\s*/Page\b", self.pdf()))

    def event(self, name: str) -> None:
        self.browser.run("dispatchEvent(new Event(arguments[0]))", name)
        self.browser.settle()

    def test_pages__are_two(self):
        for sim in self.traces:
            for lang in ("en", "zh"):
                self.browser.open(TRACES.report(TRACES.trace(*sim), "--lang",
                                                lang))
                self.assertEqual(self.pages(), 2, (sim, lang))
                self.assertIs(self.app("printing"), False)

    def test_pages__are_two_from_any_window_and_selection(self):
        for width, key in ((375, "l"), (1920, "+"), (1000, "n")):
            self.browser.size(width, 800)
            self.browser.open(self.path)
            self.browser.press(key)
            self.assertEqual(self.pages(), 2, width)

    def test_pages__have_what_belongs_there_in_order(self):
        """A page of 273 mm each: none has less than that of a heading."""
        self.event("beforeprint")
        page = 273 * 96 / 25.4
        places = self.browser.run("""
            return ["subject", "story", "charts", "ladder", "losses"].map((id) => {
                const r = document.getElementById(id).getBoundingClientRect();
                return [r.top + scrollY, r.bottom + scrollY]; })""")
        for above, below in zip(places, places[1:]):
            self.assertLessEqual(above[1], below[0])
        self.assertLess(places[2][1], page)
        self.assertLess(places[4][1] - places[3][0], page)
        self.assertEqual(self.browser.run(
            "return getComputedStyle(document.getElementById('ladder'))"
            ".breakBefore"), "page")
        lowest = self.browser.run(
            "return Math.min(...[...document.querySelectorAll('#charts .plot')]"
            ".map((plot) => plot.offsetHeight))")
        self.assertGreaterEqual(lowest, 60)
        for css in (".bar", "#panel", "#events", "#states", "#how"):
            self.assertFalse(self.browser.find(css).is_displayed(), css)
        self.event("afterprint")

    def test_losses__are_a_few_and_the_rest_is_said(self):
        count = len(self.browser.all("#losses tbody tr"))
        self.assertGreater(count, 12)
        self.event("beforeprint")
        self.assertEqual(len(self.browser.all("#losses tbody tr")), 12)
        self.assertIn(f"of {count}; the other {count - 12} are not printed",
                      self.browser.text("#losses"))
        self.event("afterprint")
        self.assertEqual(len(self.browser.all("#losses tbody tr")), count)

    def test_ladder__has_beginning_a_loss_and_its_repair_and_end(self):
        loss = self.browser.run(
            "const loss = chalk.stories()[0]; return chalk.conn.seq(loss.lost)")
        self.event("beforeprint")
        texts = [text.text for text in
                 self.browser.all("#ladder .flight-text")]
        self.assertEqual(texts[0], "SYN seq=0")
        self.assertTrue(any(text.startswith(f"seq={loss} ") and "lost" in text
                            for text in texts), texts)
        self.assertTrue(any(text.startswith(f"seq={loss} ") and "again" in text
                            for text in texts), texts)
        self.assertEqual(sum("FIN" in text for text in texts), 2)
        self.event("afterprint")

    def test_sheet__is_white_and_the_page_comes_back(self):
        self.browser.media(True)
        self.browser.open(self.path)
        before = self.browser.run("return document.body.innerText")
        with open(os.path.join(SHOTS, "print.pdf"), "wb") as stream:
            stream.write(self.pdf())
        self.assertEqual(self.browser.run("return document.body.innerText"),
                         before)
        self.event("beforeprint")
        paper = "return getComputedStyle(document.body).backgroundColor"
        self.browser.media(True, "print")
        self.assertEqual(self.browser.run(paper), "rgb(255, 255, 255)")
        self.assertIn("alice (10.0.0.1:40000) ↔ 10.0.0.2:7000",
                      self.browser.text("#subject"))
        self.browser.media(True)
        self.event("afterprint")
        self.assertEqual(self.browser.run(paper), "rgb(20, 24, 29)")


class OthersTest(PageTest):
    """Traces that are not as usual; each test opens its own."""

    def show_page(self):
        pass

    def open(self, *sim: str) -> None:
        self.browser.open(TRACES.report(TRACES.trace(*sim)))

    def test_many_connections__have_a_selector(self):
        self.open("--clients", "3", "--connections", "2", "--bytes", "20kB")
        pairs = self.browser.all("#pair option")
        self.assertEqual(len(pairs), 6)
        before = self.app("conn.ends[0].local")
        self.browser.run(
            "const s = document.getElementById('pair'); s.value = 3;"
            "s.dispatchEvent(new Event('change'))")
        for _ in range(20):
            self.browser.settle()
        self.assertNotEqual(self.app("conn.ends[0].local"), before)
        self.assertEqual(self.app("pair"), 3)

    def test_no_loss__is_said(self):
        self.open("--bytes", "20kB", "--queue", "1000")
        self.assertIn("None of its segments was lost",
                      self.browser.text("#story"))
        self.browser.press("l")
        self.assertEqual(self.app("selected"), -1)

    def test_abort_and_resets__are_shown(self):
        self.open("--bytes", "1MiB", "--abort-after", "300ms")
        self.assertIn("abort", self.browser.text("#path"))

    def test_no_data__is_shown(self):
        self.open("--bytes", "0")
        self.assertIn("sent no data", self.browser.text("#story"))

    def test_lost_syn__is_shown(self):
        self.open("--bytes", "20kB", "--drop-syn", "1,2")
        self.browser.press("l")
        self.assertIn("seq=0", self.browser.text("#panel"))
        self.browser.press("l")
        self.assertNotIn("under way already", self.browser.text("#panel"))

    def test_simultaneous_open_and_close(self):
        self.open("--simultaneous-open", "--close", "both", "--bytes", "1kB",
                  "--reverse-bytes", "1kB")
        self.assertGreater(len(self.browser.all("#states .taken")), 3)

    def test_zero_window__is_shown(self):
        self.open("--reader-rate", "20kB", "--rcvbuf", "8KiB", "--bytes",
                  "100kB")
        self.browser.click("[data-kind=flow]")
        self.assertIn("peer's window", self.browser.text("#events"))

    def test_one_end__is_enough(self):
        whole = TRACES.trace(*LOSSY)
        half = whole.replace(".tsv", "-half.tsv")
        with open(whole, encoding="ascii") as stream, \
                open(half, "w", encoding="ascii") as out:
            out.writelines(line for line in stream
                           if line.split("\t")[1] in ("conn", "1"))
        self.browser.open(TRACES.report(half))
        self.assertIn("only this end", self.browser.text("#story"))
        self.browser.press("l")
        self.assertIn("third duplicate ACK", self.browser.text("#panel"))
        self.assertTrue(self.browser.all("#ladder .flight"))

    def test_many_losses__are_shown_in_part(self):
        trace = TRACES.trace(*LOSSY[:-4], "--loss", "5%", "--bytes", "8MiB")
        self.browser.open(TRACES.report(trace))
        numbers = """return [...document.querySelectorAll("#losses [data-loss]")]
            .map((b) => Number(b.textContent))"""
        self.assertEqual(self.browser.run(numbers), list(range(1, 201)))
        self.browser.run("""const c = chalk.conn;
            chalk.select(c.own[chalk.end].findLast((i) => c.isLost(i) && c.col.len[i]))""")
        shown = self.browser.run(numbers)
        self.assertEqual(len(shown), 200)
        self.assertGreater(shown[0], 1)
        self.assertRegex(self.browser.text("#losses"),
                         rf"Losses {shown[0]} to {shown[-1]} of {shown[-1]}\.")
        self.assertEqual(len(self.browser.all("#losses tr.chosen")), 1)

    def test_large_trace__says_what_it_lacks(self):
        trace = TRACES.trace("--rate", "100mbit", "--delay", "2ms", "--loss",
                             "0.1%", "--bytes", "16MiB")
        path = TRACES.report(trace, "--limit", "0.2")
        self.assertLess(os.path.getsize(path), 500_000)
        self.browser.open(path)
        self.assertIn("keep this file small", self.browser.text("#story"))
        out = subprocess.run([CHALK, "summary", trace, "--json"], check=True,
                             capture_output=True, text=True)
        known = json.loads(out.stdout)[0]
        self.assertEqual(len(self.browser.all("#losses tbody tr")),
                         known["lost_on_the_way"])
        with open(trace, encoding="ascii") as stream:
            fields = [line.split("\t") for line in stream]
        falls = sum(f[4] in ("cwnd", "ssthresh") and int(f[14]) < int(f[13])
                    for f in fields[1:])
        shown = self.app("conn.rows")
        self.assertLess(shown, len(fields) - 1)
        self.assertEqual(falls, self.browser.run(
            "const c = chalk.conn; return c.filter((i) =>"
            " ['cwnd', 'ssthresh'].includes(c.event(i)) &&"
            " c.col.new[i] < c.col.old[i]).length"))


def main() -> int:
    global BROWSER
    os.makedirs(SHOTS, exist_ok=True)
    BROWSER = Browser()
    try:
        result = unittest.main(exit=False, verbosity=2).result
    finally:
        BROWSER.close()
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed", flush=True)
    return failed > 0 or not result.testsRun


if __name__ == "__main__":
    sys.exit(main())
