# SPDX-License-Identifier: GPL-2.0
"""squid between curl and Python's http.server: miss, hit, refresh, tunnel."""

import os
import re
import time

from programs import CLIENT, HERE, SERVER, Program, scaled, sha256

ORIGIN = f"http://{CLIENT}:8000"
PROXY = f"http://{SERVER}:3128"


class Squid(Program):
    """The origin and the browser are on one host, the proxy is on the other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.www = cls.dir / "www"
        cls.www.mkdir()
        cls.origin = cls.serve("python3", "-u", "-m", "http.server", "8000",
                               "--directory", cls.www, port=8000,
                               host="client")
        cls.serve("squid", "-N", "-f", HERE / "squid.conf", port=3128)

    def page(self, name: str, text: str, age: int):
        """A file of the origin that was last changed @age seconds ago."""
        path = self.www / name
        path.write_text(text)
        os.utime(path, (time.time() - age,) * 2)

    def get(self, name: str, *options, text=True):
        """A file by way of the proxy."""
        return self.client("curl", "-sS", "-x", PROXY, *options,
                           f"{ORIGIN}/{name}", text=text)

    def asked(self, name: str) -> list:
        """Status codes of the origin's answers for a file."""
        return re.findall(rf'"GET /{name} HTTP/1.\d" (\d+)',
                          self.origin.log.read_text())

    def test_miss_then_hit(self):
        self.page("page", "Hello\n", 9999)
        states = [re.search(r"\nX-Cache: (\w+) from proxy.lab",
                            self.get("page", "-i"))[1] for _ in range(3)]
        self.assertEqual(states, ["MISS", "HIT", "HIT"])
        self.assertEqual(self.asked("page"), ["200"])

    def test_refresh(self):
        self.page("news", "old\n", 9999)
        self.assertEqual(self.get("news"), "old\n")
        again = ("-H", "Cache-Control: max-age=0")
        self.assertEqual(self.get("news", *again), "old\n")
        self.assertEqual(self.asked("news"), ["200", "304"])
        self.page("news", "new\n", 99)
        self.assertEqual(self.get("news", *again), "new\n")
        self.assertEqual(self.asked("news"), ["200", "304", "200"])

    def test_not_modified(self):
        self.page("same", "Hello\n", 9999)
        self.assertEqual(self.get("same"), "Hello\n")
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
        self.assertEqual(
            self.get("same", "-o", "/dev/null", "-w", "%{http_code}", "-H",
                     f"If-Modified-Since: {date}"), "304")

    def test_large_file(self):
        path = self.file("www/large", scaled(6 << 20))
        got = self.dir / "got"
        os.utime(path, (0, 0))
        for _ in range(2):
            self.get("large", "-o", got)
            self.assertEqual(sha256(got), sha256(path))
        self.assertEqual(self.asked("large"), ["200"])

    def test_tunnel(self):
        self.page("secret", "Hello\n", 0)
        self.assertEqual(self.get("secret", "-p"), "Hello\n")

    def test_origin_gone(self):
        answer = self.client("curl", "-sS", "-x", PROXY, "-o", "/dev/null",
                             "-w", "%{http_code}", f"http://{CLIENT}:1/")
        self.assertEqual(answer, "503")
