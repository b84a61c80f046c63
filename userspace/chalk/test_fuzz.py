# SPDX-License-Identifier: GPL-2.0
"""test_fuzz.py - broken traces and captures, by the thousand.

Each form is spoilt at random, from a seed, and goes through a tool: there is a
result, or one line on standard error; never Python's traceback, a character that
a terminal obeys, or a command for gnuplot. "make test" does a few hundred;

    python3 userspace/chalk/test_fuzz.py --count 1000000

does more, some of them in processes of their own.
"""

import argparse
import collections
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from types import ModuleType
from typing import Callable, Dict, List, NamedTuple, Tuple
from xml.etree import ElementTree

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

import chalk_base  # noqa: E402
import chalk_forms  # noqa: E402
import chalk_gnuplot  # noqa: E402
import chalk_pcapng  # noqa: E402
import test_fixture as fixture  # noqa: E402

sys.path.pop(0)
COUNT, SEED = 500, 1
MEMORY = next(filter(os.path.isdir, ["/dev/shm"]), None)
HANGS = 20      # seconds, on a machine that others use too
STRINGS = re.compile(r"'(?:[^']|'')*'|\"DejaVu Sans[\w,. -]*\"|\"white\"")
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
TOKENS = [t.encode() for t in (
    "`id`", "$(id)", "'", '"', "\\", "\x1b[2J", "<b>", "&", "\t", "\n", "\r",
    "\0\0\0\0", "-1", "0", "1", "4294967295", "4294967296", "9" * 400, "nan",
    "inf", "1e999", "1e-9", "0.5", "-", ".", "?", "#", "# lost 9\n",
    "# lost x\n", "# netns 1 a\n", "[::1]:80", "10.0.0.1:70000", "state",
    "send", "rtx", "recv", "drop", "cwnd", "ssthresh", "rtt", "rto", "SFRPAUEC",
    "ESTABLISHED", "third duplicate ACK", "null", "true", "{}", "[", "[" * 999,
    '{"lost": 1}\n', '"netns_name": "x", ')] + [
    b"\xff\xff\xff\xff", b"\xff", b"\x80", b"\0", bytes([0, 0, 0, 12]),
    b"\xc3\x28", "\u0663\u202e".encode()]


# --- what is spoilt ---

def small() -> str:
    """A trace of all kinds of records that is soon read."""
    script = fixture.Script()
    script.segment(0, False, "S", states=("SYN_SENT", "SYN_RCVD"))
    script.segment(.02, True, "SA", ack=1, states=("SYN_RCVD", "SYN_SENT"))
    script.state(.04, False, "ESTABLISHED", "SYN+ACK arrives")
    for number, lost in enumerate((False, True)):
        script.segment(.1 + number / 1000, False, "PA", lost, seq=1 + 9 * number,
                       ack=1, len=9)
    script.add(.2, False, "timer_fired", cause="retransmission timer")
    script.add(.2, False, "ssthresh", cause="retransmission timeout", old=9000,
               new=2000, ssthresh=2000)
    script.add(.2, False, "cwnd", cause="retransmission timeout", old=9000,
               new=1000, cwnd=1000)
    script.segment(.2, False, "PA", event="rtx", seq=10, ack=1, len=9,
                   cause="resend after the timeout")
    script.add(.22, True, "drop", flags="A", seq=5000, cause="old_duplicate")
    script.segment(.22, True, "A", seq=1, ack=28)
    script.add(.24, False, "rtt", cause="timestamp echo", new=40000,
               srtt=40000, rttvar=9, rto=200000)
    script.segment(.3, False, "FA", seq=19, ack=1,
                   states=("FIN_WAIT_1", "ESTABLISHED"))
    script.state(.32, True, "CLOSE_WAIT", "FIN arrives")
    for row in script.rows:
        if row["event"] == "state":
            row["old"] = row["new"] = row["state"]
    return script.text()


NAMES = ("what\tnumber\tname\tclause\n" + "".join(
    f"kind\t{n}\t{name}\t-\n" for n, name in enumerate(
        "send rtx recv drop state cwnd ssthresh rtt".split())) +
    "cause\t3\tslow start\tRFC 5681 3.1\nstate\t1\tESTABLISHED\t-\n"
    "netns\t7\talice\n")


def raw(rows: List[Dict]) -> bytes:
    """The same trace in binary, as far as NAMES has its words."""
    names = chalk_forms.Names(NAMES)
    kinds = {name: number for number, name in names.kind.items()}
    found = [struct.pack("=IHH", chalk_forms.MAGIC, 1, 144)]
    for row in rows:
        if row["event"] not in kinds:
            continue
        ends = [bytes(10) + b"\xff\xff" + bytes(map(int, row[n].split(":")[0]
                                                    .split(".")))
                for n in ("local", "remote")]
        ports = [int(row[n].split(":")[1]) for n in ("local", "remote")]
        state = row["event"] == "state"
        numbers = [row[n] for n in "seq ack len wnd old new snd_una snd_nxt "
                   "rcv_nxt cwnd ssthresh flight snd_wnd rcv_wnd srtt rttvar "
                   "rto unsent unread ooo mss".split()]
        if state:
            numbers[4:6] = 0, 1
        found.append(chalk_forms.RECORD.pack(
            row["time"], 7, row["conn"], *ends, *ports, kinds[row["event"]], 3,
            1, 16, *numbers, 0))
    return b"".join(found)


def pcap(rows: List[Dict]) -> bytes:
    """The segments that one end saw."""
    found = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 99, 101)]
    for row in rows:
        if row["event"] in chalk_pcapng.SEGMENTS and row["conn"] == 1:
            data = chalk_pcapng.headers(row)
            found.append(struct.pack(
                "<4I", row["time"] // 10 ** 9, row["time"] // 1000 % 10 ** 6,
                len(data), len(data) + row["len"]) + data)
    return b"".join(found)


def seeds() -> Dict[str, bytes]:
    """A whole file of each form."""
    text = small()
    rows = [i for i in map(chalk_forms.as_item, chalk_forms.Reader("x").text(
        text.splitlines())) if not isinstance(i, chalk_forms.Note)]
    lines, packets = io.StringIO(), io.BytesIO()
    for out in (chalk_forms.Json(lines), chalk_pcapng.Pcapng(packets)):
        out.put(chalk_forms.Note("netns", 0, "alice"))
        for row in rows:
            out.put(row)
        out.close()
    with open(os.path.join(HERE, "samples", "tcp_probe-6.1.txt"), "rb") as file:
        probe = b"".join(file.readlines()[:30])
    return {"text": text.encode(), "json": lines.getvalue().encode(),
            "raw": raw(rows), "pcap": pcap(rows),
            "pcapng": packets.getvalue(), "probe": probe}


def exchange(rng: random.Random, data: bytes) -> bytes:
    """A table in which fields and lines are others: it is still one."""
    lines = [line.split(b"\t") for line in data.split(b"\n")]
    for _ in range(rng.choice((1, 2, 5, 20))):
        one, other = rng.randrange(1, len(lines)), rng.randrange(1, len(lines))
        place = rng.randrange(len(lines[one]))
        kind = rng.randrange(8)
        if kind == 0:
            del lines[one]
        elif kind == 1:
            lines[one:one] = [list(lines[other])]
        elif kind == 2:
            lines[one][place] = b"%d" % rng.choice(
                (0, 1, rng.randrange(1 << 32), (1 << 32) - 1, 1 << 31))
        elif place < len(lines[other]):
            lines[one][place] = lines[other][place]
    return b"\n".join(b"\t".join(line) for line in lines)


def spoil(rng: random.Random, data: bytes) -> bytes:
    """Changed in a few places."""
    if data.startswith(b"time\t") and rng.random() < .5:
        return exchange(rng, data)
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(made) + 1)
        upto = min(at + rng.choice((1, 2, 4, 9, 30, 300)), len(made))
        kind = rng.randrange(8)
        if kind == 0:
            made[at:at] = rng.choice(TOKENS)
        elif kind == 1:
            made[at:upto] = rng.choice(TOKENS)
        elif kind == 2 and at < len(made):
            made[at] ^= 1 << rng.randrange(8)
        elif kind == 3 and at < len(made):
            made[at] = rng.randrange(256)
        elif kind == 4:
            del made[at:upto]
        elif kind == 5:
            made[at:at] = made[at:upto]
        elif kind == 6:
            found = re.compile(rb"\d").search(made, at)
            place = found.start() if found else at
            made[place:place + 1] = b"%d" % rng.randrange(10)
        elif rng.random() < .2:
            del made[at:]
    return bytes(made)


# --- the tools ---

def program(name: str) -> ModuleType:
    """A tool as a module."""
    loader = importlib.machinery.SourceFileLoader(
        name.replace("-", "_"), os.path.join(HERE, name))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, HERE)
    loader.exec_module(module)
    sys.path.pop(0)
    return module


def look_at_script(text: str) -> bytes:
    """What would go to gnuplot has nothing but strings between quotes."""
    bare = STRINGS.sub("", text)
    if re.search(r"[`\"']|\bsystem\b|^\s*!", bare, re.MULTILINE):
        raise AssertionError(f"gnuplot: {bare}")
    return b""


class Case(NamedTuple):
    """A command line with {} for what is spoilt, and the forms it may have."""

    words: str
    forms: str = "text json raw"


CASES = [Case(*c) for c in (
    ("summary {}",), ("summary {} --json",), ("ladder {} --ascii",),
    ("ladder {} --loss 1 --handshake",), ("ladder {} --out {place}/x.svg",),
    ("plot {} --kind all --out {place}/x.png",),
    ("plot {} --terminal --conn 1",),
    ("compare {} {good} --out {place}/x.png", "text json raw probe"),
    ("report {} --out {place}/x.html",),
    ("trace --from {} --out {place}/x.tsv",),
    ("trace --from {} --out {place}/x.jsonl --event send,cwnd",),
    ("trace --from {} --out {place}/x.pcapng",),
    ("trace --merge {} {good} --offset 0 --out {place}/m.tsv",),
    ("trace --from {good} --capture {} --out {place}/y.pcapng", "pcap pcapng"),
)]


class Bench:
    """A place for the files, the tools loaded, and what came of the inputs."""

    def __init__(self, place: str, seed: int):
        self.place = place
        self.rng = random.Random(seed)
        self.seeds = seeds()
        self.good = self.file("good.tsv", self.seeds["text"])
        self.input = os.path.join(place, "t")
        self.file("t.names", NAMES.encode())
        self.came: collections.Counter = collections.Counter()
        self.slowest = 0.0
        self.mains: Dict[str, Tuple[Callable, ModuleType]] = {}
        for name in "summary ladder plot compare report trace".split():
            module = program(f"chalk-{name}")
            self.mains[name] = module.main, module
        self.mains["report"][1].page = self.mains["report"][1].embedded
        chalk_gnuplot.run_gnuplot = look_at_script

    def file(self, name: str, data: bytes) -> str:
        """Its path."""
        path = os.path.join(self.place, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def next(self) -> Tuple[str, List[str]]:
        """Spoil something; its form, and the command line for it."""
        case = self.rng.choice(CASES)
        form = self.rng.choice(case.forms.split())
        self.file("t", spoil(self.rng, self.seeds[form]))
        if form == "raw":
            names = NAMES.encode()
            self.file("t.names", spoil(self.rng, names)
                      if self.rng.random() < .2 else names)
        return form, [w.format(self.input, good=self.good, place=self.place)
                      for w in case.words.split()]

    def run_here(self, words: List[str]) -> Tuple[int, str, str]:
        """A tool in this process: its status and what it prints."""
        main, module = self.mains[words[0]]
        out, err = io.StringIO(), io.StringIO()
        sys.argv = [f"chalk-{words[0]}", *words[1:]]
        parsed = parsers(module, words)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                module.parse = lambda: parsed
                chalk_base.run(main, f"chalk {words[0]}")
            except SystemExit as end:
                return end.code or 0, out.getvalue(), err.getvalue()
        raise AssertionError("it did not end")

    @staticmethod
    def run_there(words: List[str]) -> Tuple[int, str, str]:
        """A tool in a process of its own."""
        done = subprocess.run([os.path.join(HERE, "chalk"), *words],
                              capture_output=True, check=False)
        return (done.returncode, done.stdout.decode("utf-8", "replace"),
                done.stderr.decode("utf-8", "replace"))

    def judge(self, form: str, status: int, out: str, err: str) -> None:
        """A result, or one line; nothing that a terminal obeys."""
        lines = err.count("\n")
        good = (status == 0 or status == 1 and lines == 1) \
            and all(line.startswith("chalk ") for line in err.splitlines()) \
            and not OBEYED.search(out + err)
        if not good:
            raise AssertionError(f"{form}: status {status}, {err!r}")
        self.came[form, "a result" if status == 0 else "a line"] += 1
        if "is cut" in err and not status:
            self.came[form, "a result and a warning"] += 1

    def keep(self) -> str:
        """The input of a failure, for a closer look; where it is."""
        place = tempfile.mkdtemp(prefix="chalk-fuzz.")
        for name in ("t", "t.names", "good.tsv"):
            shutil.copy(os.path.join(self.place, name), place)
        return place

    def once(self, there: bool = False) -> None:
        """One input."""
        form, words = self.next()
        begun = time.monotonic()
        try:
            self.judge(form, *(self.run_there if there
                               else self.run_here)(words))
            picture = os.path.join(self.place, "x.svg")
            if os.path.exists(picture):
                ElementTree.parse(picture)
                os.unlink(picture)
        except Exception:
            print("chalk", *words, "with", self.keep(), file=sys.stderr)
            raise
        self.slowest = max(self.slowest, time.monotonic() - begun)
        if self.slowest > HANGS:
            raise AssertionError(f"{words} took {self.slowest:.1f} s")


_parsed: Dict[str, argparse.Namespace] = {}


def parsers(module: ModuleType, words: List[str]) -> argparse.Namespace:
    """The command line, taken apart once."""
    key = " ".join(words)
    if key not in _parsed:
        parse = module.__dict__.setdefault("parse_of_old", module.parse)
        _parsed[key] = parse()
    return argparse.Namespace(**vars(_parsed[key]))


class FuzzTest(unittest.TestCase):
    """A few hundred of them."""

    def test_each_input__gives_a_result_or_a_line(self):
        with tempfile.TemporaryDirectory(dir=MEMORY) as place:
            bench = Bench(place, SEED)
            gnuplot = chalk_gnuplot.run_gnuplot
            self.addCleanup(setattr, chalk_gnuplot, "run_gnuplot", gnuplot)
            for _ in range(COUNT):
                bench.once()
            for form in bench.seeds:
                self.assertGreater(bench.came[form, "a result"], 0, form)
                self.assertGreater(bench.came[form, "a line"], 0, form)

    def test_spoil__is_the_same_for_the_same_seed(self):
        data = seeds()["text"]
        self.assertEqual(*(spoil(random.Random(7), data) for _ in "ab"))


def main() -> int:
    """As many as are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--processes", type=int, default=200, metavar="N",
                        help="so many of them as processes [200]")
    args = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(dir=MEMORY) as place:
        bench = Bench(place, args.seed)
        for number in range(args.count):
            bench.once(number * args.processes // args.count !=
                       (number + 1) * args.processes // args.count)
            if (number + 1) % 10000 == 0:
                print(f"{number + 1:,} after {time.monotonic() - begun:.0f} s",
                      flush=True)
    for (form, what), times in sorted(bench.came.items()):
        print(f"{form:<7} {what:<23} {times:>9,}")
    print(f"slowest {bench.slowest * 1000:.0f} ms, "
          f"{time.monotonic() - begun:.0f} s in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
