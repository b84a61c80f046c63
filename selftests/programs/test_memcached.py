# SPDX-License-Identifier: GPL-2.0
"""memcached and the tools of libmemcached."""

import re

from programs import SERVER, SERVER6, Program, scaled, sha256


class Memcached(Program):
    """One server for all tests."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.serve("memcached", "-u", "nobody", "-l", "0.0.0.0,::", "-U", "0",
                  "-I", "8m", "-m", "64", port=11211)

    def tool(self, name, *argv, to=SERVER, **run):
        """The output of one of the tools."""
        return self.client(name, f"--servers={to}", *argv, **run)

    def test_values(self):
        path = self.file("value", scaled(1000000))
        self.tool("memccp", path)
        got = self.dir / "got"
        self.tool("memccat", f"--file={got}", "value")
        self.assertEqual(sha256(got), sha256(path))
        self.tool("memcrm", "value")
        self.tool("memccat", "value", status=1)

    def test_ipv6(self):
        self.assertIn("version: 1.", self.tool("memcstat", to=f"[{SERVER6}]"))

    def sets(self) -> int:
        """How many values the server has stored, by its own count."""
        return int(re.search(r"\tcmd_set: (\d+)", self.tool("memcstat"))[1])

    def load(self, *options):
        """Ten clients that set and get."""
        before = self.sets()
        number = scaled(200)
        out = self.tool("memcslap", "--concurrency=10",
                        f"--execute-number={number}", "--test=set",
                        "--flush", *options)
        self.assertRegex(out, r"Time total:\s+[\d.]+ seconds")
        self.assertGreaterEqual(self.sets() - before, 10 * number, out)

    def test_load(self):
        self.load()

    def test_load_binary(self):
        self.load("--binary")

    def test_protocol(self):
        text = "\r\n".join((
            "set a 7 0 5", "alpha", "add a 0 0 1", "x", "append a 0 0 4",
            "-bet", "get a b", "set n 0 0 1", "9", "incr n 33", "delete a",
            "delete a", "nonsense", "quit", ""))
        self.assertEqual(
            self.client("nc", SERVER, 11211, input=text).splitlines(),
            ["STORED", "NOT_STORED", "STORED", "VALUE a 7 9", "alpha-bet",
             "END", "STORED", "42", "DELETED", "NOT_FOUND", "ERROR"])
