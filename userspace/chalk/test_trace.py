# SPDX-License-Identifier: GPL-2.0
"""test_trace.py - the forms of a trace, its packets, and two traces as one.

The traces are the simulator's; the binary form, which only the kernel writes,
is packed here as uapi/chalk_trace.h says.
"""

import io
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).parent
TOP = HERE.parents[1]
SIM = TOP / "build" / "bin" / "chalk-sim"
sys.path.insert(0, str(HERE))
# pylint: disable=wrong-import-position
import chalk_capture  # noqa: E402
import chalk_forms  # noqa: E402
import chalk_live  # noqa: E402
import chalk_merge  # noqa: E402
import chalk_pair  # noqa: E402
import chalk_pcapng  # noqa: E402
import chalk_trace  # noqa: E402
from chalk_forms import Note  # noqa: E402

ENVIRONMENT = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
NAMES = """what\tnumber\tname\tclause
kind\t0\tsend\t-
kind\t2\trecv\t-
kind\t4\tstate\t-
kind\t5\tcwnd\t-
kind\t255\tlost\t-
cause\t0\t-\t-
cause\t3\tslow start\tRFC 5681 3.1
state\t0\tCLOSED\t-
state\t4\tESTABLISHED\t-
netns\t4026532300\talice
"""
V4 = bytes(10) + b"\xff\xff" + bytes([10, 0, 1, 1])
V6 = bytes.fromhex("20010db8000200000000000000000001")


def run(*args) -> subprocess.CompletedProcess:
    """chalk trace with these arguments."""
    return subprocess.run([sys.executable, HERE / "chalk-trace", *args],
                          capture_output=True, text=True, check=False,
                          env=ENVIRONMENT)


def packed(kind=5, time=1_234_567_891, size=144, **fields) -> bytes:
    """A binary record; each number another, to tell them apart."""
    numbers = {name: 100 + i for i, name in enumerate(
        chalk_forms.COLUMNS[9:28] + ["ooo", "mss"])}
    numbers.update(fields)
    record = chalk_forms.RECORD.pack(
        time, 4026532300, 7, V4, V6, 40000, 80, kind, 3, 4, 24,
        *numbers.values(), 0)
    return record + b"\xaa" * (size - len(record))


def header(size=144, version=1) -> bytes:
    """What a binary file begins with."""
    return struct.pack("=IHH", chalk_forms.MAGIC, version, size)


class Simulated(unittest.TestCase):
    """A lossy transfer of the simulator, with captures of both ends."""

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        cls.path = Path(cls.directory.name)
        subprocess.run([SIM, "--loss=3%", "--bytes=60kB", "--dup=1%",
                        f"--trace={cls.path}/t.tsv",
                        f"--pcap={cls.path}/client.pcap",
                        f"--pcap-server={cls.path}/server.pcap"],
                       check=True, stdout=subprocess.DEVNULL)
        cls.rows = [i for i in chalk_forms.read(f"{cls.path}/t.tsv")
                    if not isinstance(i, Note)]

    def convert(self, name: str, *args) -> str:
        """The trace in another form; where it is."""
        path = f"{self.path}/{name}"
        done = run("--from", f"{self.path}/t.tsv", "--out", path, *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return path

    def tshark(self, path: str, *fields: str) -> list:
        """A list of its fields for each packet."""
        options = [o for f in fields for o in ("-e", f)]
        done = subprocess.run(
            ["tshark", "-r", path, "-d", "ip.proto==253,tcp",
             # the payload is noise, which looks like many a protocol
             "-o", "tcp.desegment_tcp_streams:FALSE", "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=|", *options],
            capture_output=True, text=True, check=True)
        return [line.split("\t") for line in done.stdout.splitlines()]


class Forms(Simulated):
    """chalk_forms.py"""

    def test_json_and_back(self):
        """text to JSON to text: nothing is lost"""
        path = self.convert("t.jsonl")
        back = f"{self.path}/back.tsv"
        self.assertEqual(run("--from", path, "--out", back).returncode, 0)
        self.assertEqual(list(chalk_forms.read(back)), self.rows)
        self.assertIsNotNone(chalk_trace.load(back).pick())

    def test_json_types(self):
        """numbers are numbers, in the order of the columns"""
        with open(self.convert("t.jsonl"), encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        self.assertEqual(list(rows[0]), chalk_forms.COLUMNS)
        cwnd = next(r for r in rows if r["event"] == "cwnd")
        self.assertEqual((cwnd["old"], cwnd["new"]), (0, 14480))
        self.assertAlmostEqual(cwnd["time"], 0.020096)
        self.assertEqual(rows[0]["new"], "SYN_SENT")

    def test_choice(self):
        """--event, --port, --addr and --conn narrow it"""
        rows = list(chalk_forms.read(self.convert(
            "some.tsv", "--event", "cwnd,ssthresh", "--port", "40000",
            "--addr", "10.0.0.1", "--conn", "1")))
        self.assertEqual({(r["event"], r["conn"]) for r in rows},
                         {("cwnd", 1), ("ssthresh", 1)})
        rows = list(chalk_forms.read(self.convert("none.tsv", "--port", "1")))
        self.assertEqual(rows, [])

    def test_notes(self):
        """lost records and names go from form to form"""
        notes = [Note("netns", 5, "alice"), Note("lost", 3)]
        for form in (chalk_forms.Text, chalk_forms.Json):
            raw = io.StringIO()
            out = form(raw)
            for item in [*notes, dict(self.rows[0], netns=5)]:
                out.put(item)
            reader = chalk_forms.Reader("made")
            found = list(reader.values(io.BytesIO(raw.getvalue().encode())))
            self.assertEqual({i for i in found if isinstance(i, Note)},
                             set(notes))

    def test_wrong(self):
        """what is no trace is said to be none, with its line"""
        for text, words in (("a\tb\n1\t2\n", "names no column"),
                            ('{"time": 1}\n', "line 1: no column 'conn'"),
                            ("\t".join(chalk_forms.COLUMNS) + "\n1\t2\n",
                             "line 2: 2 columns, not 31")):
            path = self.path / "wrong"
            path.write_text(text, encoding="ascii")
            done = run("--from", path)
            self.assertEqual(done.returncode, 1)
            self.assertIn(words, done.stderr)
            self.assertNotIn("Traceback", done.stderr)

    def test_same_file(self):
        """what is read is not overwritten"""
        path = f"{self.path}/t.tsv"
        size = os.path.getsize(path)
        done = run("--from", path, "--out", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is being read", done.stderr)
        self.assertEqual(os.path.getsize(path), size)

    def test_no_file(self):
        """a file that is not there"""
        done = run("--from", "/nowhere/t.tsv")
        self.assertEqual((done.returncode, done.stderr), (
            1, "chalk trace: /nowhere/t.tsv: No such file or directory\n"))


class Equal(Simulated):
    """A tool does not see which form a trace has."""

    def binary(self, path: str) -> None:
        """The trace as the module would write it, with its names."""
        names: dict = {"kind": {}, "cause": {}, "state": {}}

        def number(what: str, name) -> int:
            return names[what].setdefault(name, len(names[what]))
        with open(path, "wb") as file:
            file.write(header())
            for row in self.rows:
                numbers = [row[n] for n in chalk_forms.COLUMNS[9:28]
                           + ["ooo", "mss"]]
                if row["event"] == "state":
                    numbers[4:6] = (number("state", n) for n in numbers[4:6])
                ends = [row[n].rpartition(":") for n in ("local", "remote")]
                flags = sum(1 << "FSRPAUEC".index(c) for c in row["flags"]
                            if c != ".")
                file.write(chalk_forms.RECORD.pack(
                    row["time"], row["netns"], row["conn"],
                    *(V4[:12] + socket.inet_aton(e[0]) for e in ends),
                    *(int(e[2]) for e in ends), number("kind", row["event"]),
                    number("cause", (row["cause"], row["clause"])),
                    number("state", row["state"]), flags, *numbers, 0))
        with open(f"{path}.names", "w", encoding="ascii") as file:
            for what, known in names.items():
                for name, place in known.items():
                    words = name if what == "cause" else (name, "-")
                    print(what, place, *words, sep="\t", file=file)

    def test_binary__is_read_by_every_tool(self):
        self.binary(f"{self.path}/same.raw")
        for tool, *args in (("summary",), ("ladder",), ("trace", "--from"),
                            ("plot", "--terminal")):
            told = [subprocess.run(
                [HERE / "chalk", tool, *args, f"{self.path}/{name}"],
                capture_output=True, check=True, env=ENVIRONMENT).stdout
                for name in ("t.tsv", "same.raw")]
            self.assertTrue(told[0])
            self.assertEqual(told[0], told[1], tool)

    def test_binary__from_a_pipe_lacks_its_names(self):
        self.binary(f"{self.path}/same.raw")
        with open(f"{self.path}/same.raw", "rb") as file:
            done = subprocess.run([HERE / "chalk", "summary", "-"], stdin=file,
                                  capture_output=True, text=True, check=False,
                                  env=ENVIRONMENT)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"\Achalk summary: .*what the numbers "
                                      r"mean\n\Z")

    def test_file_that_is_not_there__prints_no_header(self):
        done = run("--from", f"{self.path}/nowhere.tsv")
        self.assertEqual((done.returncode, done.stdout), (1, ""))


class Filter(unittest.TestCase):
    """A choice that the module refuses."""

    def test_events__are_listed(self):
        self.addCleanup(setattr, chalk_live.Names, "of_kernel",
                        chalk_live.Names.of_kernel)
        chalk_live.Names.of_kernel = lambda: chalk_forms.Names(NAMES)
        self.assertEqual(chalk_live.hint(["port=1", "event=foo"]),
                         "; the events are: send recv state cwnd")
        self.assertEqual(chalk_live.hint(["port=99999"]), "")


class Binary(unittest.TestCase):
    """uapi/chalk_trace.h"""

    def read(self, data: bytes) -> list:
        """A binary file as rows and notes."""
        file = io.BytesIO(data)
        reader = chalk_forms.Reader("made")
        return list(map(chalk_forms.as_item, reader.raw(
            file.read(8), file, chalk_forms.Names(NAMES))))

    def test_fields(self):
        """each field is in its column"""
        note, row = self.read(header() + packed())
        self.assertEqual(note, Note("netns", 4026532300, "alice"))
        want = {name: 100 + i for i, name in enumerate(
            chalk_forms.COLUMNS[9:28] + ["ooo", "mss"])}
        want.update(time=1_234_567_891, conn=7, local="10.0.1.1:40000",
                    remote="[2001:db8:2::1]:80", event="cwnd",
                    cause="slow start", clause="RFC 5681 3.1",
                    state="ESTABLISHED", flags="PA", netns=4026532300)
        self.assertEqual(row, want)

    def test_against_header(self):
        """the structures are as long as the header says, field by field"""
        text = (TOP / "uapi" / "chalk_trace.h").read_text(encoding="ascii")
        body = text.partition("struct chalk_trace_record {")[2]
        sizes = {"__u64": 8, "__u32": 4, "__u16": 2, "__u8": 1}
        at, places = 0, {}
        for line in body.partition("}")[0].strip().splitlines():
            kind, name = line.strip(" \t;").split()
            name, _, count = name.partition("[")
            places[name] = at
            at += sizes[kind] * int(count.rstrip("]") or 1)
        self.assertEqual(at, chalk_forms.RECORD.size)
        self.assertEqual(places["kind"], chalk_forms.KIND_AT)

    def test_states(self):
        """what a state changed to goes by its name"""
        row = self.read(header() + packed(kind=4, old=0, new=4))[1]
        self.assertEqual((row["old"], row["new"]), ("CLOSED", "ESTABLISHED"))

    def test_longer_records(self):
        """fields of later versions are passed over"""
        rows = self.read(header(160) + packed(size=160) + packed(size=160))
        self.assertEqual(len(rows), 3)
        self.assertEqual(rows[1], rows[2])

    def test_cut_off(self):
        """a last record that is not whole is none"""
        self.assertEqual(len(self.read(header() + packed() + packed()[:99])), 2)

    def test_lost(self):
        """records that are missing"""
        found = self.read(header() + packed(kind=255, new=12))
        self.assertEqual(found[1], Note("lost", 12))

    def test_other_version(self):
        """a version with other meanings"""
        with self.assertRaisesRegex(chalk_trace.TraceError, "too old"):
            self.read(header(version=2) + packed())

    def test_names_beside(self):
        """a file is read by the names beside it, and not without"""
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "t.raw"
            path.write_bytes(header() + packed())
            done = run("--from", path)
            self.assertEqual(done.returncode, 1)
            self.assertIn("t.raw.names is missing", done.stderr)
            Path(f"{path}.names").write_text(NAMES, encoding="ascii")
            done = run("--from", path, "--format", "json")
            self.assertEqual(json.loads(done.stdout)["netns_name"], "alice")


class Live(unittest.TestCase):
    """chalk_live.py, on a pipe in the kernel's place"""

    def copy(self, data: bytes, step: int, watch) -> bytes:
        """What is handed on of @data, which comes in pieces."""
        read, write = os.pipe()
        pid = os.fork()
        if not pid:
            for at in range(0, len(data), step):
                os.write(write, data[at:at + step])
            os._exit(0)
        os.close(write)
        found = []
        chalk_live.copy_raw(read, found.append, chalk_forms.Names(NAMES),
                            watch)
        os.close(read)
        os.waitpid(pid, 0)
        return found

    def test_pieces(self):
        """records are handed on whole, however they come"""
        data = header() + packed() * 50
        for step in (1000, 144, len(data)):
            found = self.copy(data, step, chalk_live.Watch(False))
            self.assertEqual(b"".join(found), data)
            self.assertTrue(all(len(b) % 144 == 0 for b in found[1:]))

    def test_watch(self):
        """the states of connections are seen among the records"""
        watch = chalk_live.Watch(True)
        record = bytearray(packed(kind=4))
        self.copy(header() + packed() * 3 + bytes(record), 9999, watch)
        self.assertEqual(watch.states, {7: "ESTABLISHED"})


class Packets(Simulated):
    """chalk_pcapng.py"""

    def test_tshark(self):
        """every segment is a packet that tshark understands, with comments"""
        path = self.convert("t.pcapng")
        packets = self.tshark(path, "frame.comment", "frame.interface_name",
                              "tcp.len", "_ws.malformed", "frame.len")
        segments = [r for r in self.rows
                    if r["event"] in ("send", "rtx", "recv")]
        self.assertEqual(len(packets), len(segments))
        for packet, row in zip(packets, segments):
            self.assertIn("sent" if row["event"] != "recv" else "arrived",
                          packet[0])
            self.assertEqual(packet[1], row["local"].rpartition(":")[0])
            self.assertEqual(int(packet[2]), row["len"])
            self.assertEqual(packet[3], "")
            self.assertEqual(int(packet[4]), 40 + row["len"])

    def test_every_record_once(self):
        """no record is left out, none stands twice"""
        packets = self.tshark(self.convert("t.pcapng"), "frame.comment")
        comments = [c for p in packets for c in p[0].split("|")]
        self.assertEqual(len(comments), len(self.rows))
        changes = [c for c in comments if c.startswith("cwnd ")]
        self.assertEqual(len(changes),
                         sum(r["event"] == "cwnd" for r in self.rows))
        self.assertIn("cwnd 0 \u2192 14480: initial window (RFC 6928 2)",
                      changes)

    def test_timeout_stands_at_retransmission(self):
        """what a timer does is told where its segment is"""
        rows = [dict(self.rows[0], event=e, time=t, cause=c, conn=9, new=1)
                for e, t, c in (("send", 1, "data"), ("rtt", 1, "a"),
                                ("timer_fired", 5, "b"), ("cwnd", 5, "c"),
                                ("rtx", 5, "d"), ("timer_set", 5, "e"),
                                ("state", 9_000_000_005, "late"))]
        first, second = chalk_pcapng.noted(rows)
        self.assertEqual(len(first.comments), 2)
        self.assertEqual(len(second.comments), 5)
        self.assertTrue(second.comments[0].startswith("timer fired: b"))
        self.assertTrue(
            second.comments[-1].startswith("9.000000 s later: state"))

    def test_capture(self):
        """a real capture, with the comments of its own end"""
        for side, local in (("client", "10.0.0.1"), ("server", "10.0.0.2")):
            capture = f"{self.path}/{side}.pcap"
            path = self.convert("noted.pcapng", "--capture", capture)
            packets = self.tshark(path, "frame.comment", "ip.src",
                                  "_ws.malformed")
            self.assertEqual([p.data for p in chalk_capture.load(path)],
                             [p.data for p in chalk_capture.load(capture)])
            for comment, source, malformed in packets:
                self.assertIn("sent" if source == local else "arrived",
                              comment)
                self.assertEqual(malformed, "")

    def test_other_capture(self):
        """a capture of something else"""
        other = self.path / "other.pcap"
        other.write_bytes((self.path / "client.pcap").read_bytes()[:24])
        done = run("--from", f"{self.path}/t.tsv", "--out",
                   f"{self.path}/x.pcapng", "--capture", other)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no packet of", done.stderr)

    def test_ipv6(self):
        """an IPv6 header, where the ends are"""
        row = dict(self.rows[3], local="[2001:db8::1]:1", event="send",
                   remote="[2001:db8::2]:2", wnd=1 << 20, len=9)
        data = chalk_pcapng.headers(row)
        segment = chalk_capture.segment_of(chalk_capture.Packet(
            0, chalk_capture.LINK_RAW, data, len(data) + 9))
        self.assertEqual((segment.local, segment.remote, segment.len,
                          segment.wnd, segment.seq),
                         ("[2001:db8::1]:1", "[2001:db8::2]:2", 9, 65535,
                          row["seq"]))


class Pairs(Simulated):
    """chalk_pair.py"""

    def test_all(self):
        """each segment its record, at both ends"""
        records = chalk_trace.load(f"{self.path}/t.tsv").records
        for side, local in (("client", "10.0.0.1"), ("server", "10.0.0.2")):
            segments = chalk_capture.segments(f"{self.path}/{side}.pcap")
            self.assertEqual(chalk_pair.place(segments, records), local)
            pairing = chalk_pair.pair(segments, records, local)
            self.assertEqual((pairing.segments, pairing.records), ([], []))
            self.assertEqual(pairing.spread, 0)

    def test_one_missing(self):
        """a segment without a record, a record without a segment"""
        records = chalk_trace.load(f"{self.path}/t.tsv").records
        segments = chalk_capture.segments(f"{self.path}/client.pcap")
        gone = segments.pop(9)
        pairing = chalk_pair.pair(segments, records, "10.0.0.1")
        self.assertEqual([r.seq for r in pairing.records], [gone.seq])
        segments.insert(9, gone)
        del records[next(i for i, r in enumerate(records)
                         if r.seq == gone.seq and r.len == gone.len
                         and r.local.startswith("10.0.0.1"))]
        pairing = chalk_pair.pair(segments, records, "10.0.0.1")
        self.assertEqual([s.seq for s in pairing.segments], [gone.seq])


class Merged(Simulated):
    """chalk_merge.py"""

    def split(self, offset: int):
        """The two ends' traces, the server's clock ahead."""
        ends = [[r for r in self.rows if r["local"].endswith(port)]
                for port in (":40000", ":7000")]
        ends[1] = [dict(r, time=r["time"] + offset, conn=1) for r in ends[1]]
        return ends

    def test_offset_found(self):
        """the clocks' difference follows from the segments"""
        for offset in (-3_000_000, 0, 5_000_000_123):
            found = chalk_merge.estimate(*self.split(offset))
            # the fastest segments of the two ways differ by their length
            self.assertLess(abs(found - offset), 1_000_000)

    def test_order(self):
        """all records, by time, with connections apart"""
        client, server = self.split(5_000_000)
        items, offset = chalk_merge.merge(client, server, 5_000_000)
        self.assertEqual(offset, 5_000_000)
        self.assertEqual([r["time"] for r in items],
                         sorted(r["time"] for r in self.rows))
        self.assertEqual({(r["local"], r["conn"]) for r in items
                          if r["conn"]}, {("10.0.0.1:40000", 1),
                                          ("10.0.0.2:7000", 2)})

    def test_command(self):
        """chalk trace --merge, from files"""
        for name, rows in zip("ab", self.split(7_000_000_000)):
            with open(f"{self.path}/{name}.tsv", "w", encoding="ascii") as out:
                text = chalk_forms.Text(out)
                for row in rows:
                    text.put(row)
        done = run("--merge", f"{self.path}/a.tsv", f"{self.path}/b.tsv",
                   "--out", f"{self.path}/ab.tsv")
        self.assertRegex(done.stderr, r"second clock is (7\.000|6\.999)")
        trace = chalk_trace.load(f"{self.path}/ab.tsv")
        self.assertEqual(len(trace.records), len(self.rows))
        self.assertIsNotNone(trace.peer(trace.pick()))

    def test_strangers(self):
        """traces that have nothing in common"""
        client, _ = self.split(0)
        with self.assertRaisesRegex(chalk_trace.TraceError, "--offset"):
            chalk_merge.merge(client, client, None)


class Usage(unittest.TestCase):
    """The command line."""

    def test_not_loaded(self):
        """no module here: what to do is said"""
        done = run("--timeout", "1")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "modprobe|sudo|mount")

    def test_capture_without_pcapng(self):
        """--capture needs a pcapng to go to"""
        done = run("--from", "x", "--capture", "y")
        self.assertIn("--out FILE.pcapng", done.stderr)


if __name__ == "__main__":
    unittest.main()
