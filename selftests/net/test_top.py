# SPDX-License-Identifier: GPL-2.0
"""chalk top on a real terminal (tmux), with real connections."""

import json
import os
import re
import subprocess
import time
import unittest

from net import (BOB, Net, carry, chalk_socket, exact_clock, listener, running,
                 sh, sysctl, table, wait_until)

MANY = int(os.environ.get("CONNECTIONS", "200"))
TMUX = "tmux -u -L chalk -f /dev/null"
SECONDS = 60
LOOKS = 5
STEP = 0.3  # looking at the screen starts two programs


def setUpModule():
    if "debug" in os.uname().release:
        raise unittest.SkipTest("minutes of drawing on this slow a kernel;"
                                " what it draws has tests of its own")


class Terminal:
    """A shell in tmux: what is typed, and what is seen."""

    def __init__(self, width=80, height=24, locale="C.UTF-8"):
        self.width, self.height, self.locale = width, height, locale

    def __enter__(self):
        sh(f"LANG={self.locale} TERM=screen {TMUX} new-session -d"
           f" -x {self.width} -y {self.height} 'PS1=ready: exec bash --norc'")
        self.wait("ready:")
        self.type("export TERM=screen", "ready:$")
        self.modes = self.ask_modes()
        return self

    def __exit__(self, *_):
        sh(f"{TMUX} kill-server")

    def keys(self, *names: str) -> None:
        """Press keys, by their names for tmux"""
        for name in names:
            sh(f"{TMUX} send-keys '{name}'")

    def type(self, text: str, expected: str) -> None:
        """A command of the shell, until this is seen after it"""
        sh(f"{TMUX} send-keys clear Enter")
        self.wait("^ready:$")
        sh(f"{TMUX} send-keys -l '{text}'")
        self.keys("Enter")
        self.wait(expected)

    def lines(self) -> list:
        """What is on the screen"""
        text = sh(f"{TMUX} capture-pane -p")
        return [line.rstrip() for line in text.split("\n")][:-1]

    def sees(self, pattern: str) -> bool:
        return bool(re.search(pattern, "\n".join(self.lines()), re.MULTILINE))

    def wait(self, pattern: str) -> list:
        """Until this is seen; the lines"""
        if not wait_until(lambda: self.sees(pattern), SECONDS, STEP):
            raise AssertionError(f"never seen: {pattern}; but:\n" +
                                 "\n".join(self.lines()))
        return self.lines()

    def size(self, width: int, height: int) -> None:
        sh(f"{TMUX} resize-window -x {width} -y {height}")

    def flag(self, name: str) -> str:
        return sh(f"{TMUX} display -p '#{{{name}}}'").strip()

    def child(self) -> str:
        """The process that the shell runs"""
        return sh(f"pgrep -P {self.flag('pane_pid')}").strip()

    def ask_modes(self) -> str:
        """What stty says of the terminal, in short"""
        self.type("stty -g | md5sum | cut -c 1-8", "^[0-9a-f]{8}$")
        return next(line for line in self.lines()
                    if re.fullmatch("[0-9a-f]{8}", line))

    def is_sane(self, test: unittest.TestCase) -> None:
        """As the shell had it: modes, cursor, and no screen of its own"""
        test.assertEqual((self.flag("cursor_flag"), self.flag("alternate_on")),
                         ("1", "0"))
        test.assertEqual(self.ask_modes(), self.modes)


class Stage(Net):
    """Connections from Alice to ports of Bob's, one to each."""

    def __init__(self, *ports: int):
        self.ports = ports
        self.clients, self.children, self.listeners = {}, {}, {}

    def __enter__(self):
        super().__enter__()
        for port in self.ports:
            self.listeners[port] = listener("bob", port)
            self.clients[port] = chalk_socket("alice")
            self.clients[port].connect((BOB, port))
            self.children[port] = self.listeners[port].accept()[0]
        return self

    def __exit__(self, *args):
        for socks in (self.clients, self.children, self.listeners):
            for sock in socks.values():
                sock.close()
        self.netem("delay 0ms")
        wait_until(lambda: all(r["state"] == "TIME_WAIT"
                               for r in table("conns")), 60)
        super().__exit__(*args)

    def send(self, port: int, size: int) -> None:
        carry(self.clients[port], self.children[port], bytes(size))


def ports(lines: list) -> list:
    """Those of Bob's, in the order on the screen"""
    return [int(port) for port in re.findall(r"10\.0\.2\.1:(\d+)",
                                             "\n".join(lines))]


def start(terminal: Terminal, *args: str) -> list:
    """chalk top for Alice; the first screen"""
    terminal.type(" ".join(("chalk top --netns alice --delay 0.2", *args)),
                  "^q quit")
    return terminal.lines()


class Table(unittest.TestCase):
    """The table, and the keys"""

    def test_sort_filter_toggle(self):
        """rows as the kernel has them, in the order asked for"""
        with Stage(80, 443, 8080) as stage, Terminal() as term:
            self.assertEqual(sorted(ports(start(term, "--sort remote"))),
                             [80, 443, 8080])
            self.assertEqual(ports(term.lines()), [80, 443, 8080])
            term.keys("r")
            term.wait("REMOTE▼")
            self.assertEqual(ports(term.lines()), [8080, 443, 80])
            stage.send(443, 100000)
            term.keys("o", "c")
            term.wait("CWND▼")
            self.assertTrue(wait_until(
                lambda: ports(term.lines())[0] == 443, SECONDS, STEP))
            term.keys("/", "4", "4", "3")
            term.wait("^filter: 443_")
            term.keys("Enter")
            term.wait("1 of 3 pass: 443")
            self.assertEqual(ports(term.lines()), [443])
            term.keys("Escape")
            term.wait("8080")
            stage.clients[8080].close()
            stage.children[8080].close()
            self.assertTrue(wait_until(lambda: not term.sees("8080"), SECONDS, STEP))
            term.keys("t")
            term.wait("TIME-WAIT.*8080 ")
            term.keys("h")
            term.wait("In the table")
            term.keys("q")
            term.wait("TIME-WAIT.*8080 ")
            term.keys("q")
            term.wait("^ready:$")
            term.is_sane(self)

    def test_pause(self):
        """nothing moves until the key comes again"""
        with Stage(80) as stage, Terminal() as term:
            start(term, "--columns remote,unread,in,out")
            term.keys("p")
            term.wait("PAUSED")
            stage.children[80].send(bytes(5000))
            time.sleep(2)
            self.assertFalse(term.sees("80 .* 5000$"))
            term.keys("p")
            term.wait("80 .* 5000$")

    def test_sizes(self):
        """it follows the window, down to nothing useful and back"""
        with Stage(80, 443), Terminal() as term:
            start(term)
            for width, height in ((40, 12), (5, 2), (132, 40), (80, 24)):
                term.size(width, height)
                if width < 40:
                    time.sleep(1)
                    continue
                self.assertTrue(wait_until(
                    lambda: self.fills(term, width, height), SECONDS, STEP),
                    "\n".join(term.lines()))
            term.keys("q")
            term.wait("^ready:$")
            term.is_sane(self)

    def fills(self, term, width, height) -> bool:
        """Two rows, the keys in the last line, columns for all that room"""
        lines = term.lines()
        return (len(lines) == height and lines[-1].startswith("q quit") and
                sorted(ports(lines)) == [80, 443] and
                ("TIMER" in lines[1]) == (width > 100) and
                ("SRTT" in lines[1]) == (width > 40))

    def test_ascii(self):
        """LANG=C: nothing but ASCII on the screen"""
        with Stage(80) as stage, Terminal(locale="C") as term:
            stage.send(80, 100000)
            term.type("export LANG=C LC_ALL=", "ready:")
            for mode in ("", "Enter", "h"):
                if not mode:
                    start(term)
                else:
                    term.keys(mode)
                    term.wait({"Enter": "^rwnd", "h": "In the table"}[mode])
                text = "\n".join(term.lines())
                self.assertTrue(text.isascii(), text)


class Detail(unittest.TestCase):
    """One connection"""

    def test_loss(self):
        """its variables, curves, and events with cause and clause"""
        with Stage(80, 443) as stage, Terminal(100, 40) as term:
            stage.netem("delay 20ms limit 1000")
            # full segments; one that is lost is not lost again
            sh("ip netns exec router nft 'table ip t { chain c { type filter"
               " hook forward priority 0; ip protocol 253 ip length > 1000"
               " numgen inc mod 100 50 drop; }; }'")
            sysctl("alice", "msl_ms", 2000)
            start(term, "80")
            term.keys("Enter")
            term.wait("conn [0-9]+  .*python3/")
            stage.send(80, 500000)
            term.wait("third duplicate ACK +RFC 5681 3.2")
            self.assertTrue(wait_until(lambda: self.is_exact(term), SECONDS,
                                       STEP))
            self.assertTrue(term.sees("^cwnd .*[▁▂▃▄▅▆▇█]"))
            self.assertTrue(term.sees("^acked +500,000 bytes") or
                            term.sees("▼$"))
            term.keys("Tab", "e")
            term.wait("^all events")
            stage.clients[80].close()
            stage.children[80].close()
            term.wait("^TIME-WAIT .*10.0.2.1:80")
            term.wait("^CLOSED .*10.0.2.1:80")
            term.keys("Escape")
            term.wait("no connection passes")
            term.keys("Escape")
            self.assertEqual(ports(term.wait("443")), [443])

    def is_exact(self, term: Terminal) -> bool:
        """It shows what debugfs does"""
        row = next(r for r in table("conns") if r["remote"] == f"{BOB}:80")
        return term.sees(f"^cwnd +{int(row['cwnd']):,} bytes") and \
            term.sees(f"conn {row['conn']} ")

    def test_not_root(self):
        """the figures, and in the place of events what is missing"""
        with Stage(), Terminal() as term:
            sock, server = chalk_socket("alice"), listener("alice", 80)
            sock.connect(("127.0.0.1", 80))
            # --netns takes root; ip netns exec hides debugfs
            term.type("exec nsenter --net=/run/netns/alice setpriv --reuid 65534 env"
                      " PS1=nobody: bash --norc", "nobody:$")
            sh(f"{TMUX} send-keys -l 'chalk top'")
            term.keys("Enter")
            term.wait("127.0.0.1:80")
            term.keys("Enter")
            term.wait("no events: only root may read this")
            self.assertTrue(term.sees("^cwnd +[0-9,]+ bytes"))
            term.keys("q", "q")
            term.wait("nobody:$")
            sock.close()
            server.close()


class Ends(unittest.TestCase):
    """However it ends, the terminal is as it was"""

    def test_signals(self):
        """what ends it, says so by its status"""
        with Stage(80), Terminal() as term:
            for signal, status in (("INT", 130), ("TERM", 143), ("HUP", 129),
                                   ("QUIT", 131)):
                start(term)
                sh(f"kill -{signal} {term.child()}")
                term.wait("ready:$")
                term.keys("echo status=$?", "Enter")
                term.wait(f"status={status}")
                term.is_sane(self)

    def test_stop(self):
        """Ctrl-Z gives the terminal to the shell, fg takes it again"""
        with Stage(80), Terminal() as term:
            start(term)
            for resize in (False, True):
                term.keys("C-z")
                term.wait("Stopped")
                self.assertEqual((term.flag("cursor_flag"),
                                  term.flag("alternate_on")), ("1", "0"))
                if resize:
                    term.size(100, 30)
                term.keys("f", "g", "Enter")
                term.wait("^q quit")
                self.assertEqual(ports(term.lines()), [80])
                self.assertEqual(len(term.lines()), 30 if resize else 24)
            term.keys("q")
            term.wait("ready:$")
            term.is_sane(self)

    def test_crash(self):
        """an error in the middle is told on a sane terminal"""
        with Stage(), Terminal() as term:
            start(term, "--count 8")
            term.wait("^ready:$")
            term.is_sane(self)
            for name, words in (("nonsense", "TERM=nonsense: a terminal"),
                                ("dumb", "TERM=dumb: a terminal")):
                term.type(f"TERM={name} chalk top", words)
            term.type("chalk top --netns nowhere", "namespace nowhere: No such")


def batch(*args: str) -> list:
    """The lines of JSON of chalk top for Alice"""
    text = sh(f"chalk top --netns alice --json {' '.join(args)}")
    return [json.loads(line) for line in text.splitlines()]


class Batch(unittest.TestCase):
    """Without a terminal"""

    @exact_clock
    def test_rates(self):
        """they add up to the bytes that were sent"""
        with Stage(80) as stage:
            stage.netem("delay 10ms rate 8mbit limit 1000")
            with running(
                    "chalk top --netns alice --json --delay 0.5 --batch 12",
                    shell=True, stdout=subprocess.PIPE, text=True) as top:
                first = json.loads(top.stdout.readline())
                stage.send(80, 2000000)
                looks = [first] + [json.loads(line) for line in top.stdout]
            self.assertEqual(len(looks), 12)
            total = sum(now["connections"][0]["rates"]["out_bps"] / 8 *
                        (now["time"] - before["time"])
                        for before, now in zip(looks, looks[1:]))
            self.assertAlmostEqual(total, 2000000, delta=100000)
            fastest = max(look["connections"][0]["rates"]["out_bps"]
                          for look in looks[1:])
            self.assertTrue(7e6 < fastest < 9e6, fastest)
            self.assertEqual(looks[-1]["connections"][0]["info"]["bytes_acked"],
                             2000000)

    def test_both_ends(self):
        """two namespaces in one table; plain text"""
        with Stage(80):
            text = sh("chalk top --batch 2 --delay 0.1 --netns alice"
                      " --netns bob --listeners").splitlines()
            heads = [line for line in text if line.startswith("NETNS")]
            self.assertEqual(len(heads), 2)
            self.assertEqual(len([line for line in text
                                  if re.match("(alice|bob) +ESTAB", line)]), 4)
            self.assertEqual(len([line for line in text
                                  if re.match("bob +LISTEN", line)]), 2)
            self.assertEqual(len(json.loads(sh(
                "chalk top --json --all-netns"))["connections"]), 2)

    def test_no_module(self):
        """chalk_diag.ko is asked for by name"""
        with Stage():
            loader = sh("sysctl -n kernel.modprobe").strip()
            try:
                sh("sysctl -qw kernel.modprobe=/bin/false")
                self.assertTrue(wait_until(self.unload, 10))
                with self.assertRaises(RuntimeError) as caught:
                    sh("chalk top --batch 1")
                self.assertIn("chalk_diag.ko is not loaded; run",
                              str(caught.exception))
            finally:
                sh(f"sysctl -qw kernel.modprobe={loader}")

    @staticmethod
    def unload() -> bool:
        """chalk_diag.ko, which somebody may still be asking"""
        sh("rmmod chalk_diag 2>/dev/null || true")
        return not os.path.exists("/sys/module/chalk_diag")

    def test_many(self):
        """so many connections, and what a look at them costs"""
        with Stage(80):
            backlog = listener("bob", 81, MANY)
            socks = [chalk_socket("alice") for _ in range(MANY)]
            for sock in socks:
                sock.connect((BOB, 81))
            with Terminal() as term:
                start(term, "--delay 1")
                pid = term.child()
                term.wait(f"{MANY + 1} ESTAB")
                spent = cpu_of(pid)
                time.sleep(LOOKS)
                spent = cpu_of(pid) - spent
                term.keys("End")
                term.wait("10.0.2.1")
            print(f"{MANY} connections: {spent / LOOKS * 1000:.0f} ms of CPU a "
                  "look")
            # many times more on the debug kernel, and where QEMU emulates
            self.assertLess(spent / LOOKS, 0.9 if MANY > 100 else 20)
            for sock in (*socks, backlog):
                sock.close()


def cpu_of(pid: str) -> float:
    """Seconds that a process has computed"""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    unittest.main()
