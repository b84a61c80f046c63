# SPDX-License-Identifier: GPL-2.0
"""test_top.py - chalk top without a kernel and a terminal: what it makes of
samples, what keys do, and what is drawn at which size.
"""

import os
import struct
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

import chalk_diag as diag  # noqa: E402
import chalk_top_canvas as canvases  # noqa: E402
import chalk_top_columns as columns  # noqa: E402
from chalk_top_detail import draw_detail, squeezed  # noqa: E402
from chalk_top_events import EventLog  # noqa: E402
from chalk_top_filter import Filter  # noqa: E402
from chalk_top_model import KEPT, Model, Sample  # noqa: E402
from chalk_top_screen import (KEYS, draw_bottom, draw_help,  # noqa: E402
                              draw_table, plain_table, wanted_columns)
from chalk_top_view import DETAIL, HELP, TABLE, View  # noqa: E402
from chalk_top_words import variables  # noqa: E402
from chalk_base import TraceError  # noqa: E402
from chalk_columns import COLUMNS  # noqa: E402
from test_ss import attribute, info_bytes, message  # noqa: E402

sys.path.pop(0)
MSS = 1448
SIZES = ((80, 24), (40, 24), (40, 10), (132, 50), (200, 60), (20, 5), (1, 1),
         (80, 3), (3, 40))


def sock(number=1, state=1, port=80, info=None, cookie=None, **fields):
    """A socket of inet_diag; connection @number, from port 40000 on"""
    known = dict(snd_mss=MSS, snd_cwnd=10, snd_ssthresh=0x7fffffff, rtt=40200,
                 rttvar=1100, rto=240000, options=5, scales=0x77, min_rtt=40010,
                 pmtu=1500, rcv_mss=1448, advmss=1448, snd_wnd=65535)
    known.update(info or {})
    attrs = attribute(diag.CONG, b"reno\0") + attribute(
        diag.SKMEMINFO, struct.pack("=9I", *range(9)))
    if state not in (3, 6):
        attrs += attribute(diag.INFO, info_bytes(**known))
    fields.setdefault("local", ("10.0.1.1", 40000 + number))
    fields.setdefault("peer", ("10.0.2.1", port))
    return diag.Socket(message(state=state, cookie=cookie or number,
                               attrs=attrs, **fields))


def model_of(*socks, now=10.0, owners=None, model=None, netns=""):
    """A model that has seen these"""
    model = model or Model()
    model.update([Sample(netns, s) for s in socks], now, owners or {})
    return model


def draw(view, model, size=(80, 24), signs=canvases.UNICODE, names=None,
         log=None, trouble=""):
    """The screen as text"""
    canvas = canvases.Canvas(*size, signs)
    if view.mode == HELP:
        draw_help(canvas, view)
    elif view.mode == DETAIL:
        draw_detail(canvas, view, model.rows[model.held], log, trouble)
    else:
        draw_table(canvas, view, model, names)
        draw_bottom(canvas, view, KEYS)
    return canvas.text()


def trace_line(**fields):
    row = dict.fromkeys(COLUMNS, "0")
    row.update(time="1.5", conn="7", local="10.0.0.1:1",
               remote="10.0.0.2:2", event="cwnd", cause="slow start",
               clause="RFC 5681 3.1", flags=".", state="ESTABLISHED")
    row.update({k: str(v) for k, v in fields.items()})
    return "\t".join(row[name] for name in COLUMNS) + "\n"


def busy_model(count=30, looks=3):
    """Connections of all kinds, seen several times"""
    model = Model()
    for look in range(looks):
        found = []
        for n in range(1, count + 1):
            state = (1, 1, 1, 8, 5, 6, 3, 2, 11)[n % 9]
            found.append(sock(n, state, port=(80, 443, 8080)[n % 3],
                              queues=(n, 3 * MSS + 100), owner=(0, 100 + n),
                              timer=(1, 200 + n, n % 4), info=dict(
                snd_cwnd=2 + (n * 7 + look * 3) % 60,
                snd_ssthresh=0x7fffffff if n % 2 else 9,
                bytes_acked=look * n * 40000, bytes_received=look * n * 10,
                notsent_bytes=100, total_retrans=look * (n % 3),
                rtt=20000 + n * 777, ca_state=3 if n == 5 else 0)))
        found.append(sock(99, 10, local=("0.0.0.0", 80), peer=("0.0.0.0", 0),
                          queues=(2, 128)))
        owners = {100 + n: [("curl" if n % 2 else "iperf3", 500 + n, 3)]
                  for n in range(1, count + 1)}
        model_of(*found, now=look, owners=owners, model=model)
    return model


class ModelTest(unittest.TestCase):
    def test_figures__in_bytes(self):
        model = model_of(sock(queues=(5, 10000), info=dict(
            snd_cwnd=10, snd_ssthresh=7, notsent_bytes=4000)))
        row, = model.rows.values()
        self.assertEqual((row.cwnd, row.ssthresh, row.flight, row.unsent,
                          row.unread, row.srtt), (14480, 10136, 6000, 4000, 5,
                                                  40200))

    def test_no_loss_yet__no_ssthresh(self):
        row, = model_of(sock()).rows.values()
        self.assertIsNone(row.ssthresh)

    def test_exact__from_the_table_conns(self):
        row, = model_of(sock(info=dict(snd_ssthresh=6))).rows.values()
        row.refine({"conn": "7", "cwnd": "14999", "ssthresh": "9040",
                    "flight": "1500"})
        self.assertEqual((row.cwnd, row.ssthresh, row.flight, row.conn),
                         (14999, 9040, 1500, 7))
        self.assertEqual(list(row.past.last("cwnd", 9)), [14999])

    def test_exact__of_one_look_only(self):
        model = model_of(sock())
        row, = model.rows.values()
        row.refine({"conn": "7", "cwnd": "1", "ssthresh": "2", "flight": "3"})
        model_of(sock(), now=11, model=model)
        self.assertEqual((row.cwnd, row.conn), (14480, 7))
        self.assertEqual(list(row.past.last("cwnd", 9)), [1, 14480])

    def test_records_and_listeners__have_no_figures(self):
        for state in (3, 6, 10):
            row, = model_of(sock(state=state)).rows.values()
            self.assertEqual((row.cwnd, row.flight, row.srtt, row.rate_out),
                             (None,) * 4, state)

    def test_rates__over_the_time_that_passed(self):
        model = model_of(sock(info=dict(bytes_acked=1000, total_retrans=2)))
        row, = model.rows.values()
        self.assertEqual((row.rate_out, row.again), (None, None))
        model_of(sock(info=dict(bytes_acked=6000, bytes_received=500,
                                total_retrans=5)), now=12.0, model=model)
        self.assertEqual((row.rate_out, row.rate_in, row.again),
                         (20000, 2000, 3))
        self.assertEqual(model.totals(), (20000, 2000))

    def test_rates__of_a_new_state_of_the_same_socket(self):
        """SYN_RCVD becomes a connection: it has no rate yet"""
        model = model_of(sock(state=3))
        row, = model.rows.values()
        model_of(sock(info=dict(bytes_acked=100)), now=11, model=model)
        self.assertEqual((row.rate_out, row.state), (None, "ESTAB"))
        model_of(sock(state=6), now=12, model=model)
        self.assertEqual((row.rate_out, row.state), (None, "TIME-WAIT"))

    def test_gone__unless_it_is_held(self):
        model = model_of(sock(1), sock(2))
        model.held = ("", 1)
        model_of(model=model, now=11)
        row, = model.rows.values()
        self.assertEqual((row.state, row.cwnd, row.rate_out),
                         ("CLOSED", 14480, None))
        model.held = None
        self.assertEqual(model_of(model=model, now=12).rows, {})

    def test_same_cookie_in_another_namespace__is_another(self):
        model = Model()
        model.update([Sample("alice", sock()), Sample("bob", sock())], 1, {})
        self.assertEqual(len(model.rows), 2)

    def test_past__is_kept_and_bounded(self):
        model = Model()
        for look in range(KEPT * 3):
            model_of(sock(info=dict(snd_cwnd=look + 1)), now=look, model=model)
        row, = model.rows.values()
        last = list(row.past.last("cwnd", 2))
        self.assertEqual(last, [(KEPT * 3 - 1) * MSS, KEPT * 3 * MSS])
        self.assertGreaterEqual(len(row.past.last("cwnd", KEPT)), KEPT)
        self.assertLess(len(row.past.values["cwnd"]), 2 * KEPT)

    def test_sorting__by_each_column_all_rows_once(self):
        model = busy_model()
        for name in columns.SORTABLE:
            for descending in (False, True):
                value = columns.BY_NAME[name].value
                rows = model.view(lambda row: True, value, descending)
                self.assertEqual(set(rows), set(model.rows.values()), name)
                values = [value(r) for r in rows if value(r) is not None]
                self.assertEqual(values, sorted(values, reverse=descending))
                self.assertIsNotNone(value(rows[0]), name)

    def test_addresses__by_number(self):
        model = model_of(sock(1, peer=("10.0.10.1", 80)),
                         sock(2, peer=("10.0.9.1", 80)),
                         sock(3, peer=("10.0.9.1", 9)))
        rows = model.view(lambda row: True, columns.BY_NAME["remote"].value,
                          False)
        self.assertEqual([r.remote_text for r in rows],
                         ["10.0.9.1:9", "10.0.9.1:80", "10.0.10.1:80"])


class FilterTest(unittest.TestCase):
    def choose(self, text):
        model = busy_model(9)
        view = View(filter_text=text)
        return sorted(r.local[1] - 40000 for r in view.rows(model))

    def test_expressions(self):
        for text, expected in (
                ("dport = :443", [1, 4, 7]), ("443", [1, 4, 7]),
                (":443", [1, 4, 7]), ("state close-wait", [3]),
                ("close-wait", [3]), ("CLOSE-WAIT or fin-wait-2", [3, 4]),
                ("not ( curl )", [2, 4, 6, 8]), ("time-wait", [5]),
                ("iperf3 443", [4]), ("iperf3 or 443", [1, 2, 4, 6, 7, 8]),
                ("10.0.1.1:40007", [7]), ("src 10.0.1.1:40007", [7]),
                ("curl/501", [1]), ("state listening", [-39920]),
                ("exclude established exclude syn-recv", [3, 4, 7, 8]),
                ("nothing-like-this", [])):
            self.assertEqual(self.choose(text), expected, text)

    def test_nonsense__is_refused(self):
        for text in ("sport = x", "( curl", "state gone", "curl )", "99999"):
            with self.assertRaises(TraceError, msg=text):
                Filter(text)

    def test_toggles(self):
        model, view = busy_model(9), View()
        usual = len(view.rows(model))
        view.key("l", model)
        self.assertEqual(len(view.rows(model)), usual + 1)
        view.key("t", model)
        self.assertEqual(len(view.rows(model)), usual + 2)
        view.key("l", model)
        view.key("t", model)
        self.assertEqual(len(view.rows(model)), usual)


class KeyTest(unittest.TestCase):
    def type(self, view, model, keys):
        for key in keys:
            view.key(key, model)

    def test_sort(self):
        model, view = busy_model(), View()
        self.type(view, model, ["S"])
        self.assertEqual((view.sort, view.descending), ("srtt", True))
        self.type(view, model, ["right"])
        self.assertEqual(view.sort, "retrans")
        self.type(view, model, ["<", "r"])
        self.assertEqual((view.sort, view.descending), ("srtt", False))
        for _ in columns.SORTABLE:
            self.type(view, model, [">"])
        self.assertEqual(view.sort, "srtt")

    def test_filter__typed_with_a_mistake(self):
        model, view = busy_model(), View()
        self.type(view, model, ["/", *"sport = x", "enter"])
        self.assertIn("'x'", view.message)
        self.assertEqual(view.prompt, "sport = x")
        self.type(view, model, ["backspace", *"80", "enter"])
        self.assertEqual((view.prompt, view.filter.text), (None, "sport = 80"))
        self.type(view, model, ["/", "kill", *"curl", "escape"])
        self.assertEqual(view.filter.text, "sport = 80")
        self.type(view, model, ["escape"])
        self.assertTrue(view.filter.is_empty)

    def test_selection__stays_with_its_row(self):
        model, view = busy_model(), View("local")
        self.type(view, model, ["down", "down"])
        chosen = view.selected
        self.type(view, model, ["r"])
        rows = view.rows(model)
        self.assertEqual(model.key_of(rows[view.place(model, rows)]), chosen)
        self.type(view, model, ["end"])
        self.assertEqual(view.place(model, rows), len(rows) - 1)
        self.type(view, model, ["pageup", "pageup", "pageup", "up"])
        self.assertEqual(view.place(model, rows), 0)
        self.type(view, model, ["home"])
        self.assertIsNone(view.place(model, rows))

    def test_selection__none_until_a_key(self):
        """the table stays at its top, whatever the order"""
        model, view = busy_model(200), View("local")
        draw(view, model)
        view.key("r", model)
        self.assertIn("40199", "\n".join(draw(view, model)))
        view.key("down", model)
        self.assertEqual(model.rows[view.selected].local[1], 40200)

    def test_detail_and_back(self):
        model, view = busy_model(), View()
        self.type(view, model, ["down", "down", "enter"])
        self.assertEqual((view.mode, model.held), (DETAIL, view.selected))
        self.assertEqual(view.states(), View(
            filter_text="state all").states())
        self.type(view, model, ["h"])
        self.assertEqual(view.mode, HELP)
        self.type(view, model, ["x"])
        self.assertEqual(view.mode, DETAIL)
        self.type(view, model, ["escape"])
        self.assertEqual((view.mode, model.held), (TABLE, None))
        self.type(view, model, ["q"])
        self.assertTrue(view.quit)

    def test_enter__on_nothing(self):
        model, view = Model(), View()
        self.type(view, model, ["enter", "down", "end", "pageup"])
        self.assertEqual(view.mode, TABLE)

    def test_delay(self):
        model, view = Model(), View()
        self.type(view, model, ["+"])
        self.assertEqual(view.delay, 2)
        self.type(view, model, ["-"] * 9)
        self.assertEqual(view.delay, 0.1)


class CanvasTest(unittest.TestCase):
    def test_put__cuts_at_the_edges(self):
        canvas = canvases.Canvas(5, 1)
        canvas.put(0, -2, "abcdefgh")
        canvas.put(7, 0, "below")
        self.assertEqual(canvas.text(), ["cdefg"])

    def test_wide__takes_two_columns(self):
        canvas = canvases.Canvas(5, 1)
        canvas.put(0, 0, "拥塞窗")
        self.assertEqual(canvas.line(0), "拥塞 ")
        self.assertEqual(canvases.fit("拥塞窗口", 5, False, "…"), "拥塞…")
        self.assertEqual(canvases.fit("窗", 4, True, "…"), "  窗")

    def test_control_characters__do_not_reach_the_terminal(self):
        canvas = canvases.Canvas(8, 1)
        canvas.put(0, 0, "a\x1b[2Jb\n")
        self.assertEqual(canvas.line(0), "a?[2Jb? ")

    def test_bar(self):
        signs = canvases.ASCII
        for cwnd, flight, ssthresh, top, expected in (
                (100, 50, 0, 100, "#####====="), (100, 0, 30, 100, "==|======="),
                (50, 50, 80, 100, "#####  |  "), (1, 0, 0, 100, "=         "),
                (0, 0, 0, 0, " " * 10), (50, 80, 0, 100, "########  "),
                (50, 10, 200, 100, "#====     ")):
            self.assertEqual(canvases.bar(cwnd, flight, ssthresh, top, 10,
                                          signs), expected)

    def test_spark(self):
        nan = float("nan")
        line, = canvases.spark([0, nan, 1, 50, 100, 200], 100, 1, " ▁▂▃▄▅▆▇█")
        self.assertEqual(line, "  ▁▄██")
        above, below = canvases.spark([25, 75, 100], 100, 2, " ▁▂▃▄▅▆▇█")
        self.assertEqual((above, below), (" ▄█", "▄██"))

    def test_squeezed__means_from_the_newest_on(self):
        self.assertEqual(squeezed([1, 2, 4, 6, 8], 2), [1, 3, 7])

    def test_numbers(self):
        for number, text in ((None, "-"), (0, "0"), (14480, "14480"),
                             (999999, "999999"), (1000000, "1.00M"),
                             (12345678, "12.3M"), (2 ** 31, "2.15G")):
            self.assertEqual(columns.compact(number), text)
        for number, text in ((None, "-"), (0.4, "0"), (999, "999"),
                             (1000, "1.00k"), (999900, "1.00M"),
                             (12.34e6, "12.3M"), (1e15, "1000T")):
            self.assertEqual(columns.rate(number), text)


class DrawTest(unittest.TestCase):
    def views(self, model):
        """Every kind of screen"""
        log = EventLog(7)
        log.feed(("\t".join(COLUMNS) + "\n" + trace_line(old=1, new=2) +
                  trace_line(event="rtx", cause="partial ACK", len=5)).encode())
        held = next(iter(model.rows))
        for mode in (TABLE, HELP, DETAIL):
            for sort in columns.SORTABLE:
                view = View(sort, listeners=True, time_wait=True)
                view.mode, model.held = mode, held
                yield view, log
        for row in model.rows:
            for pane in ("all", "events", "variables"):
                view = View()
                view.mode, view.pane, model.held = DETAIL, pane, row
                yield view, None

    def test_every_screen_at_every_size(self):
        model = busy_model(12)
        for size in SIZES:
            for view, log in self.views(model):
                lines = draw(view, model, size, log=log, trouble="not root")
                self.assertEqual(len(lines), size[1])
                for line in lines:
                    self.assertLessEqual(canvases.width_of(line), size[0])

    def test_ascii__no_other_character(self):
        model = busy_model(12)
        for view, log in self.views(model):
            text = "\n".join(draw(view, model, (80, 24), canvases.ASCII,
                                  log=log))
            self.assertTrue(text.isascii(), text)

    def test_table__in_80_by_24(self):
        lines = draw(View(), busy_model())
        self.assertTrue(lines[0].startswith("chalk top  out "))
        for word in ("STATE", "REMOTE", "CWND", "SRTT", "OUT b/s"):
            self.assertIn(word, lines[1])
        self.assertEqual(len([x for x in lines if "10.0.2.1:" in x]), 21)
        self.assertIn("q quit", lines[-1])

    def test_table__in_40_columns(self):
        lines = draw(View(), busy_model(), (40, 24))
        self.assertRegex(lines[1], "STATE +REMOTE +CWND +OUT b/s")
        self.assertRegex(lines[2], r"10\.0\.2\.1:\d+ +\d+ +[\d.]+k?")

    def test_sort_column__always_has_room(self):
        for name in columns.SORTABLE:
            if name == "netns":
                continue
            lines = draw(View(name), busy_model(), (60, 24))
            self.assertIn(columns.BY_NAME[name].head[:4], lines[1])

    def test_netns__a_column_if_there_are_several(self):
        model = Model()
        model.update([Sample("alice", sock()), Sample("bob", sock())], 1, {})
        self.assertIn("NETNS", draw(View(), model, (132, 24))[1])
        self.assertNotIn("NETNS", draw(View(), model_of(sock()), (132, 24))[1])

    def test_scrolling__keeps_the_selection_in_sight(self):
        model, view = busy_model(200), View("local")
        draw(view, model)
        for key in ("pagedown", "pagedown", "down", "end", "pageup", "up",
                    "pageup"):
            view.key(key, model)
            lines = draw(view, model)
            chosen = model.rows[view.selected].local_text
            self.assertTrue(any(chosen in line for line in lines), key)

    def test_nothing__says_what_to_do(self):
        self.assertIn("l shows listeners", draw(View(), Model())[2])
        self.assertIn("Esc takes it off",
                      draw(View(filter_text="xyz"), busy_model(3))[2])

    def test_prompt(self):
        model, view = busy_model(3), View()
        for key in ("/", *"sport = x", "enter"):
            view.key(key, model)
        self.assertRegex(draw(view, model)[-1], "filter: sport = x_ .*not a port")

    def test_plain_table__has_all_columns(self):
        model = busy_model(5)
        names = wanted_columns(model, None)
        lines = plain_table(View().rows(model), [n for n in names if n != "bar"])
        self.assertEqual(len(lines), 5)
        for column in columns.COLUMNS:
            if column.name not in ("netns", "bar"):
                self.assertIn(column.head, lines[0])


class DetailTest(unittest.TestCase):
    def test_variables__in_words(self):
        row, = model_of(sock(queues=(7, 20000), timer=(1, 130, 2), info=dict(
            snd_ssthresh=7, notsent_bytes=5520, ca_state=4, backoff=2,
            total_retrans=3, bytes_sent=100000, data_segs_out=70))).rows.values()
        words = dict(variables(row))
        self.assertEqual(words["cwnd"], "14,480 bytes = 10 segments")
        self.assertEqual(words["in flight"],
                         "14,480 bytes = 10 segments; cwnd is full")
        self.assertEqual(words["congestion"], "reno: recovery after a timeout")
        self.assertEqual(words["timer"],
                         "retransmission in 130 ms, has fired 2 times")
        self.assertEqual(words["rto"], "240 ms, doubled 2 times")
        self.assertIn("7 bytes wait", words["unread"])

    def test_phase(self):
        for ssthresh, cwnd, ca_state, phase in (
                (0x7fffffff, 10, 0, "slow start"), (20, 10, 0, "slow start"),
                (10, 10, 0, "congestion avoidance"),
                (10, 13, 3, "fast recovery")):
            row, = model_of(sock(info=dict(
                snd_ssthresh=ssthresh, snd_cwnd=cwnd,
                ca_state=ca_state))).rows.values()
            self.assertEqual(dict(variables(row))["congestion"],
                             f"reno: {phase}")

    def test_limit(self):
        for wnd, cwnd, unsent, words in (
                (65535, 10, 0, "nothing waits"), (10000, 10, 9, "peer's window"),
                (65535, 7, 9, "cwnd is full"), (65535, 40, 9, "room for more")):
            row, = model_of(sock(queues=(0, 10000 + unsent), info=dict(
                snd_wnd=wnd, snd_cwnd=cwnd,
                notsent_bytes=unsent))).rows.values()
            self.assertIn(words, dict(variables(row))["in flight"])

    def test_closed__says_so_and_keeps_the_last_figures(self):
        model = model_of(sock())
        model.held = ("", 1)
        model_of(model=model, now=11)
        view = View()
        view.mode = DETAIL
        lines = draw(view, model, trouble="no events: not root")
        self.assertTrue(lines[0].startswith("CLOSED"))
        self.assertIn("14,480 bytes", "\n".join(lines))
        self.assertIn("no events: not root", "\n".join(lines))

    def test_curves__scroll(self):
        model, view = Model(), View()
        for look in range(200):
            model_of(sock(info=dict(snd_cwnd=1 + look % 50)), now=look,
                     model=model)
        model.held, view.mode = ("", 1), DETAIL
        first = draw(view, model)
        self.assertTrue(first[1].startswith("cwnd"))
        self.assertGreater(len(set(first[1]) & set("▁▂▃▄▅▆▇█")), 6)
        model_of(sock(info=dict(snd_cwnd=1)), now=201, model=model)
        moved = draw(view, model)
        curve = slice(17, 70)
        self.assertEqual(first[1][curve][1:], moved[1][curve][:-1])
        view.key("z", model)
        self.assertNotEqual(draw(view, model)[1], moved[1])


class EventTest(unittest.TestCase):
    def log(self, *lines):
        log = EventLog(7)
        text = ("\t".join(COLUMNS) + "\n" + "".join(lines)).encode()
        for at in range(0, len(text), 11):  # cut anywhere
            log.feed(text[at:at + 11])
        return log

    def test_only_its_own(self):
        log = self.log(trace_line(old=1, new=2), trace_line(conn=8),
                       trace_line(conn=77), trace_line(event="state",
                                                       old="A", new="B"))
        self.assertEqual([e.event for e in log.all], ["cwnd", "state"])

    def test_alike__become_one(self):
        log = self.log(trace_line(old=1, new=2), trace_line(old=2, new=3),
                       trace_line(event="recv", len=5),
                       trace_line(time=2, old=3, new=4))
        event, = log.decisive
        self.assertEqual((event.old, event.new, event.count, event.time),
                         (1, 4, 3, 2.0))
        self.assertEqual(event.what("->"), "1 -> 4")
        self.assertEqual([e.count for e in log.all], [2, 1, 1])

    def test_rto__decides_when_it_backs_off(self):
        log = self.log(trace_line(event="rto", cause="timed segment"),
                       trace_line(event="rto", cause="timer backs off",
                                  old=200000, new=400000))
        self.assertEqual([e.what("->") for e in log.decisive],
                         ["200 -> 400 ms"])

    def test_retransmissions__stay_apart(self):
        log = self.log(trace_line(event="rtx", len=5, flags="A"),
                       trace_line(event="rtx", len=5, flags="A"))
        self.assertEqual([e.what("->") for e in log.decisive],
                         ["A 5 bytes"] * 2)

    def test_lost(self):
        self.assertEqual(self.log("# lost 12\n", "# other\n").lost, 12)

    def test_columns__found_by_name(self):
        names = ["later", *reversed(COLUMNS)]
        fields = dict(zip(COLUMNS, trace_line(new=9).rstrip().split("\t")),
                      later="5")
        log = EventLog(7)
        log.feed("".join("\t".join(line) + "\n" for line in (
            names, [fields[n] for n in names])).encode())
        self.assertEqual(log.all[0].new, 9)


class CommandTest(unittest.TestCase):
    def top(self, *args, **env):
        return subprocess.run([os.path.join(HERE, "chalk"), "top", *args],
                              stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False,
                              env=dict(os.environ, **env))

    def test_wrong_usage__is_2(self):
        for args in (["--fly"], ["sport", "=", "x"], ["--sort", "bar"],
                     ["--delay", "0"], ["--batch", "0"], ["--count", "x"],
                     ["--columns", "cwnd,nonsense"]):
            done = self.top(*args)
            self.assertEqual((done.returncode, done.stdout), (2, ""), args)
            self.assertTrue(done.stderr)

    def test_no_terminal__says_what_to_do(self):
        done = self.top()
        self.assertEqual(done.returncode, 1)
        self.assertIn("--batch 1", done.stderr)

    def test_no_module__says_which(self):
        if os.path.exists("/sys/module/chalk"):
            self.skipTest("chalk.ko is loaded here")
        for args in (["--batch", "1"], ["--json"]):
            done = self.top(*args)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("chalk.ko is not loaded", done.stderr)

    def test_no_namespace__is_named(self):
        done = self.top("--batch", "1", "--netns", "no-such-netns")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no-such-netns", done.stderr)


if __name__ == "__main__":
    unittest.main()
