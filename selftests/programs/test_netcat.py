# SPDX-License-Identifier: GPL-2.0
"""Small tools: netcat, socat, and bash's own /dev/tcp."""

import subprocess

from net import wait_until
from programs import PATIENCE, SERVER, SERVER6, SOCAT, Program, scaled, sha256


class Netcat(Program):
    """nc of OpenBSD."""

    def send_file(self, size: int, client, server):
        """@client reads a file, @server's copy must be equal."""
        path = self.file("sent", size)
        got = self.dir / "got"
        receiver = self.serve("sh", "-c", f"exec {server} >{got}", port=7000)
        self.client(*client, stdin=path.open("rb"), input=None)
        self.assertEqual(receiver.process.wait(60), 0)
        self.assertEqual(sha256(got), sha256(path))

    def test_file(self):
        self.send_file(scaled(8 << 20), ("nc", "-N", SERVER, 7000),
                       "nc -l 7000")

    def test_file_ipv6(self):
        self.send_file(scaled(4 << 20), ("nc", "-N", SERVER6, 7000),
                       "nc -6 -l 7000")

    def test_empty_file(self):
        self.send_file(0, ("nc", "-N", SERVER, 7000), "nc -l 7000")

    def test_answer_after_half_close(self):
        self.serve(*SOCAT, "TCP-LISTEN:7001,reuseaddr,fork",
                   "EXEC:sort -n", port=7001, ends=143)
        numbers = range(scaled(20000))
        text = "".join(f"{n}\n" for n in reversed(numbers))
        out = self.client("nc", "-N", SERVER, 7001, input=text)
        self.assertEqual([int(line) for line in out.split()], list(numbers))

    def test_scan(self):
        self.serve("nc", "-k", "-l", "7002", port=7002, ends=-15)
        self.client("nc", "-z", SERVER, 7002)
        self.client("nc", "-z", SERVER, 7003, status=1)


class Socat(Program):
    """socat as a server, a client and a relay."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # its own PIPE can lock up, over any protocol: it writes 8 KiB, and
        # sleeps, where poll() has promised room for a page
        cls.serve(*SOCAT, "TCP-LISTEN:7,reuseaddr,fork",
                  "EXEC:cat", port=7, ends=143)

    def test_echo(self):
        path = self.file("sent", scaled(8 << 20))
        got = self.dir / "got"
        got.write_bytes(self.client(
            *SOCAT, "-", f"TCP:{SERVER}:7",
            stdin=path.open("rb"), input=None, text=False))
        self.assertEqual(got.stat().st_size, path.stat().st_size)
        self.assertEqual(sha256(got), sha256(path))

    def test_options(self):
        out = self.client(
            *SOCAT, "-", f"TCP:{SERVER}:7,nodelay,keepalive,keepidle=10,"
            "keepintvl=5,keepcnt=3,mss=900,linger=5,sndbuf=65536,"
            "sourceport=7777", input="hello")
        self.assertEqual(out, "hello")

    def test_relay_4_to_6(self):
        self.serve(*SOCAT, "TCP6-LISTEN:8,reuseaddr,ipv6only,fork",
                   "TCP4:127.0.0.1:7", port=8, ends=143)
        out = self.client(*SOCAT, "-", f"TCP6:[{SERVER6}]:8",
                          input="across")
        self.assertEqual(out, "across")

    def test_refused(self):
        self.client(*SOCAT, "-", f"TCP:{SERVER}:1", status=1)


class Datagrams(Program):
    """The same tools with UDP in their command lines."""

    kinds = ("dgram",)

    def test_netcat(self):
        got = self.dir / "got"
        self.serve("sh", "-c", f"exec nc -u -l 7000 >{got}", port=7000)
        self.client("nc", "-u", "-w", "1", SERVER, 7000, input="hello\n")
        self.assertTrue(wait_until(lambda: got.read_text() == "hello\n", 20))

    def test_echo(self):
        self.serve("socat", "-b", "10000", "UDP4-RECVFROM:7,fork", "PIPE",
                   port=7, ends=143)
        for size in (1, 1472, 9000):
            text = "x" * size
            self.assertEqual(self.client(
                "socat", "-b", "10000", "-t", PATIENCE, "-",
                f"UDP4:{SERVER}:7,shut-none", input=text), text)

    def test_refused(self):
        out = self.client("bash", "-c", f"exec 3<>/dev/udp/{SERVER}/7003;"
                          " echo >&3; sleep 0.5; echo >&3 || echo no",
                          stderr=subprocess.STDOUT)
        self.assertRegex(out, "Connection refused\nno\n$")


class Bash(Program):
    """A shell without any help."""

    def test_dev_tcp(self):
        self.serve(*SOCAT, "TCP-LISTEN:7,reuseaddr,fork", "PIPE", port=7,
                   ends=143)
        out = self.client(
            "bash", "-c", f"exec 3<>/dev/tcp/{SERVER}/7; echo hello >&3;"
            " read -r line <&3; echo \"$line\"")
        self.assertEqual(out, "hello\n")
