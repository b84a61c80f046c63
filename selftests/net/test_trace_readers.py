# SPDX-License-Identifier: GPL-2.0
"""The trace: its readers, their filters, and what becomes of slow ones."""

import contextlib
import errno
import os
import pathlib
import signal
import subprocess
import threading
import time
import unittest

from chalk_records import LOST, RECORD, Reader, inode, names
import net
from test_trace import PORT, talk

RECORDS = pathlib.Path("/sys/module/chalk/parameters/trace_records")


def reads(program) -> bool:
    """Whether a program has a file of the trace open; it may open and close
    others meanwhile."""
    with contextlib.suppress(FileNotFoundError):
        return any(
            os.path.realpath(path).startswith(net.DEBUGFS)
            for path in pathlib.Path(f"/proc/{program.pid}/fd").iterdir())
    return False


def error_of(function, *args):
    """The errno of a call, or None."""
    try:
        function(*args)
    except OSError as err:
        return err.errno
    return None


class Filters(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = net.Net()
        cls.net.__enter__()
        cls.addClassCleanup(cls.net.__exit__)

    def chosen(self, words, sizes=(1000,)):
        """What a reader with this filter sees, and what one without does."""
        with Reader("trace") as everything, Reader("trace", words) as some:
            for index, size in enumerate(sizes):
                talk(size=size, port=PORT + index)
            return some.rows(), everything.rows()

    def check(self, words, wanted, sizes=(1000,)):
        """The filter chooses exactly the events that are @wanted."""
        some, everything = self.chosen(words, sizes)
        self.assertGreater(len(some), 0)
        self.assertLess(len(some), len(everything))
        self.assertEqual(some, [row for row in everything if wanted(row)])

    def test_port(self):
        def of_first(row):
            return f":{PORT}" in row["local"][-5:] + row["remote"][-5:]
        self.check(f"port={PORT}", of_first, (1000, 1000))

    def test_event(self):
        self.check("event=cwnd,ssthresh,rtt", lambda row: row["event"] in
                   ("cwnd", "ssthresh", "rtt"))
        self.check("event=send event=recv",
                   lambda row: row["event"] in ("send", "recv"))

    def test_netns(self):
        number = inode("bob")
        self.check(f"netns={number}",
                   lambda row: int(row["netns"]) == number)

    def test_conn(self):
        with Reader("trace") as text:
            talk()
            last = max(int(row["conn"]) for row in text.rows())
        # the client's is given first, then the server's
        self.check(f"conn={last + 1},{last + 3}", lambda row: int(row["conn"])
                   in (last + 1, last + 3), (1000, 1000))

    def test_addr(self):
        for words in ("addr=10.9.9.9", "addr=2001:db8::9"):
            self.assertEqual(self.chosen(words)[0], [])
        some, everything = self.chosen(f"addr=10.9.9.9,{net.ALICE}")
        self.assertEqual(some, everything)

    def test_all_must_match(self):
        number = inode("alice")
        self.check(f"port={PORT} event=state\tnetns={number}\n",
                   lambda row: row["event"] == "state" and
                   int(row["netns"]) == number)

    def test_empty_is_everything(self):
        some, everything = self.chosen(" \n")
        self.assertEqual(some, everything)

    def test_nonsense_leaves_the_old_one(self):
        with Reader("trace", "event=state") as text:
            for words in ("event=nothing", "port", "port=", "port=65536",
                          "port=-1", "port=1,,2", "conn=x", "addr=10.0.0",
                          "addr=::1::2", "colour=red", "=1", "event",
                          "event=cwnd colour=red", "netns=4294967296",
                          "event=cwnd\0"):
                with self.assertRaises(OSError, msg=words) as caught:
                    text.filter(words)
                self.assertEqual(caught.exception.errno, errno.EINVAL, words)
            for words in ("port=" + ",".join(map(str, range(17))),
                          " " * 600):
                with self.assertRaises(OSError) as caught:
                    text.filter(words)
                self.assertEqual(caught.exception.errno, errno.E2BIG)
            talk()
            self.assertEqual({row["event"] for row in text.rows()}, {"state"})

    def test_change_forgets_what_waited(self):
        with Reader("trace", "event=send") as text:
            talk()
            text.filter("event=rtt")
            self.assertEqual(text.rows(), [])
            talk()
            text.filter("event=recv")
            talk()
            self.assertEqual({row["event"] for row in text.rows()}, {"recv"})

    def test_default(self):
        default = pathlib.Path(net.DEBUGFS, "filter")
        self.addCleanup(default.write_text, "\n")
        default.write_text("event=state\n")
        self.assertEqual(default.read_text(), "event=state\n")
        with self.assertRaises(OSError):
            default.write_text("event=nothing\n")
        self.assertEqual(default.read_text(), "event=state\n")
        with Reader("trace") as text, Reader("trace", "event=rtt") as own:
            default.write_text("\n")
            talk()
            self.assertEqual({row["event"] for row in text.rows()}, {"state"})
            self.assertEqual({row["event"] for row in own.rows()}, {"rtt"})


class Readers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = net.Net()
        cls.net.__enter__()
        cls.addClassCleanup(cls.net.__exit__)

    def small_rings(self):
        self.addCleanup(RECORDS.write_text, RECORDS.read_text())
        RECORDS.write_text("16")

    def test_lost_are_counted_in_place(self):
        with Reader("trace") as complete:
            self.small_rings()
            with Reader("trace") as text, Reader("trace_raw") as raw:
                talk(size=50000)
                first, everything = text.lines(), complete.lines()
                records = raw.records()
                talk(port=PORT + 1)
                last = complete.lines()[len(everything):]
                second = text.lines()[len(first):]
        self.assertEqual(first[:16], everything[:16])
        self.account(first, everything)
        self.account(["header"] + second, ["header"] + last)
        lost = sum(r["new"] for r in records if r["kind"] == LOST)
        kept = sum(1 for r in records if r["kind"] != LOST)
        self.assertEqual(lost + kept, len(everything) - 1)
        self.assertGreater(lost, 50)

    def test_one_waits_another_does_not(self):
        """two processes share an open file: who does not want to wait need
        not, though the other does; then each gets a part"""
        with Reader("trace_raw", "port=9") as raw:
            raw.take()
            os.set_blocking(raw.fd, True)
            got = []
            waiting = [threading.Thread(
                target=lambda: got.append(os.read(raw.fd, RECORD.size)))
                for _ in range(2)]
            for thread in waiting:
                thread.start()
            time.sleep(0.1)
            os.set_blocking(raw.fd, False)
            answer = []
            other = threading.Thread(target=lambda: answer.append(
                error_of(os.read, raw.fd, 100)))
            other.start()
            other.join(5)
            self.assertEqual(answer, [errno.EAGAIN])
            self.assertEqual(got, [])
            raw.filter("")
            talk()
            for thread in waiting:
                thread.join(5)
            self.assertEqual([len(part) for part in got], 2 * [RECORD.size])
            self.assertNotEqual(got[0], got[1])

    def account(self, lines, everything):
        """What is there, in order, and what is lost add up to all."""
        lost = sum(int(line.split()[2]) for line in lines
                   if line.startswith("#"))
        kept = [line for line in lines if not line.startswith("#")]
        self.assertGreater(lost, 0)
        self.assertEqual(len(kept) + lost, len(everything))
        places = [everything.index(line) for line in kept]
        self.assertEqual(places, sorted(places))

    def test_protocol_does_not_wait(self):
        self.small_rings()
        with Reader("trace"):
            talk(size=1 << 20)

    def test_two_at_once(self):
        kinds = {name: number for number, name in names()["kind"].items()}
        with Reader("trace_raw", "event=cwnd") as one, \
                Reader("trace_raw", "event=state,rtt") as two:
            talk(size=50000)
            self.assertEqual({r["kind"] for r in one.records()},
                             {kinds["cwnd"]})
            self.assertEqual({r["kind"] for r in two.records()},
                             {kinds["state"], kinds["rtt"]})

    def test_poll_wakes(self):
        with Reader("trace", "event=state") as text:
            self.assertEqual(len(text.lines()), 1)
            self.assertFalse(text.wait(0.1))
            talk()
            self.assertTrue(text.wait(120))

    def test_blocking_read_wakes(self):
        with net.running(["head", "-n", "3", f"{net.DEBUGFS}/trace"],
                         stdout=subprocess.PIPE) as head:
            self.assertTrue(net.wait_until(lambda: reads(head), 120))
            talk()
            self.assertEqual(head.wait(120), 0)
            self.assertEqual(len(head.stdout.readlines()), 3)

    def test_small_reads(self):
        with Reader("trace_raw") as raw, Reader("trace_raw") as bytewise:
            talk()
            self.assertEqual(bytewise.take(7), raw.take())

    def test_killed_reader(self):
        for name in ("trace", "trace_raw"):
            with net.running(["cat", f"{net.DEBUGFS}/{name}"],
                             stdout=subprocess.DEVNULL) as cat:
                self.assertTrue(net.wait_until(lambda c=cat: reads(c), 120))
                talk()
                cat.send_signal(signal.SIGKILL)
                self.assertEqual(cat.wait(120), -signal.SIGKILL)
            talk()

    def test_root_only(self):
        for name in ("trace", "trace_raw", "names", "filter"):
            path = f"{net.DEBUGFS}/{name}"
            self.assertEqual(os.stat(path).st_mode & 0o077, 0)
            done = subprocess.run(["setpriv", "--reuid=65534", "cat", path],
                                  capture_output=True, check=False)
            self.assertNotEqual(done.returncode, 0)

    def test_rmmod_is_refused(self):
        with Reader("trace_raw"):
            done = subprocess.run(["rmmod", "chalk"], capture_output=True,
                                  check=False)
            self.assertNotEqual(done.returncode, 0)
        talk()

    def four_streams(self, meanwhile):
        """Connections of four processes side by side, to their end."""
        streams = [subprocess.Popen(
            ["python3", "-c", "import sys, test_trace as t\n"
             "t.talk(size=100000, port=int(sys.argv[1]))", str(7200 + i)],
            cwd=pathlib.Path(__file__).parent) for i in range(4)]
        while any(stream.poll() is None for stream in streams):
            meanwhile()
            time.sleep(0.01)
        self.assertFalse(any(stream.returncode for stream in streams))

    @staticmethod
    def large(words=""):
        """A reader with room for all that happens, others have little."""
        before = RECORDS.read_text()
        RECORDS.write_text("65536")
        try:
            return Reader("trace_raw", words)
        finally:
            RECORDS.write_text(before)

    def test_threads_of_emission(self):
        """Connections side by side: every record once, in order of time."""
        with Reader("trace") as text, Reader("trace_raw") as raw:
            self.four_streams(lambda: (text.take(), raw.take()))
            lines, records = text.lines(), raw.records()
        self.assertFalse([line for line in lines if line.startswith("#")])
        self.assertEqual(len(lines) - 1, len(records))
        self.assertGreaterEqual(len({r["conn"] for r in records}), 8)
        times = [record["time"] for record in records]
        self.assertEqual(times, sorted(times))

    def test_one_order(self):
        """Whatever their filters choose, two readers see one order."""
        kinds = ("send", "recv", "timer_set")
        known = names()["kind"]
        with contextlib.ExitStack() as stack:
            self.small_rings()
            some = stack.enter_context(self.large("event=" + ",".join(kinds)))
            # an event takes its time from the first reader to the last
            for _ in range(100):
                stack.enter_context(Reader("trace_raw", "event=mss"))
            complete = stack.enter_context(self.large())
            self.four_streams(lambda: (complete.take(), some.take()))
            chosen, everything = some.records(), complete.records()
        self.assertNotIn(LOST, {record["kind"] for record in everything})
        self.assertGreater(len(chosen), 400)
        wanted = [record for record in everything
                  if known[record["kind"]] in kinds]
        self.assertEqual(len(chosen), len(wanted))
        others = [i for i, pair in enumerate(zip(chosen, wanted))
                  if pair[0] != pair[1]]
        self.assertEqual(others, [], f"of {len(wanted)}")


class Namespaces(unittest.TestCase):
    def test_they_come_and_go(self):
        with Reader("trace") as text:
            for _ in range(3):
                with net.Net():
                    numbers = {inode("alice"), inode("bob")}
                    talk()
            seen = {int(row["netns"]) for row in text.rows()}
            self.assertLessEqual(numbers, seen)
            self.assertTrue(text.fd)


if __name__ == "__main__":
    unittest.main()
