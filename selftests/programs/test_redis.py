# SPDX-License-Identifier: GPL-2.0
"""redis: commands, many clients, pipelining, messages, a replica."""

import csv
import os

from net import wait_until
from programs import (CLIENT, HERE, LOAD, PATIENCE, SERVER, SERVER6, Program,
                      running, scaled, sha256)

JUDGED = os.environ.get("CHALK_CLOCK") == "virtual" and LOAD >= 100


class Redis(Program):
    """One server for all tests."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.serve("redis-server", HERE / "redis.conf", "--dir", cls.dir,
                  port=6379)

    def cli(self, *argv, to=SERVER, **run):
        """redis-cli's output."""
        return self.client("redis-cli", "-h", to, *argv, **run)

    def benchmark(self, tests: str, requests: int, rate: int, *options):
        """Run redis-benchmark; each of @tests must reach @rate a second.

        Only a clock that counts instructions makes that a figure of ours, and
        only the whole load takes long enough to be measured. It is met with a
        fifth to spare.
        """
        out = self.client("redis-benchmark", "-h", SERVER, "--csv", "-t",
                          tests, "-n", scaled(requests), *options)
        rates = {row["test"]: float(row["rps"])
                 for row in csv.DictReader(out.splitlines())}
        self.assertEqual(len(rates), len(tests.split(",")))
        for test, found in rates.items():
            self.assertGreater(found, rate if JUDGED else 0, test)

    def calls(self, command: str) -> int:
        """How often the server has executed @command, by its own count."""
        for line in self.cli("info", "commandstats").splitlines():
            if line.startswith(f"cmdstat_{command}:"):
                return int(line.partition("calls=")[2].partition(",")[0])
        return 0

    def test_set_get(self):
        self.assertEqual(self.cli("set", "key", "value"), "OK\n")
        self.assertEqual(self.cli("get", "key"), "value\n")
        self.assertEqual(self.cli("get", "nothing"), "\n")

    def test_ipv6(self):
        self.assertEqual(self.cli("ping", to=SERVER6), "PONG\n")

    def test_large_value(self):
        path = self.file("value", scaled(8 << 20))
        self.assertEqual(self.cli("-x", "set", "large", stdin=path.open("rb"),
                                  input=None), "OK\n")
        back = self.dir / "back"
        back.write_bytes(self.cli("get", "large", text=False)[:-1])
        self.assertEqual(sha256(back), sha256(path))

    def test_benchmark(self):
        before = self.calls("set")
        self.benchmark("set,get", 5000, 15500, "-c", "50")
        self.assertGreaterEqual(self.calls("set") - before, scaled(5000))

    def test_benchmark_pipeline(self):
        self.benchmark("set,incr,lpush", 20000, 90000, "-P", "16")

    def test_benchmark_new_connections(self):
        self.benchmark("ping_mbulk", 500, 3900, "-k", "0", "-c", "20")

    def test_mass_insert(self):
        count = scaled(10000)
        commands = "".join(f"SET mass:{i} {i}\r\n" for i in range(count))
        out = self.cli("--pipe", input=commands)
        self.assertIn(f"errors: 0, replies: {count}", out)
        self.assertEqual(self.cli("get", f"mass:{count - 1}"),
                         f"{count - 1}\n")

    def test_messages(self):
        got = self.dir / "messages"
        with got.open("wb") as out, running(
                ["redis-cli", "-h", SERVER, "subscribe", "news"], stdout=out):
            self.assertTrue(wait_until(
                lambda: self.cli("publish", "news", "hello") == "1\n",
                20 * PATIENCE))
            self.assertTrue(wait_until(
                lambda: got.read_text().endswith("message\nnews\nhello\n"),
                20 * PATIENCE))

    def test_blocking(self):
        with running(["redis-cli", "-h", SERVER, "blpop", "jobs", "0"],
                     stdout=-1, text=True) as waiting:
            wait_until(lambda: "blocked_clients:1" in self.cli("info"),
                       20 * PATIENCE)
            self.cli("rpush", "jobs", "work")
            self.assertEqual(waiting.stdout.read(), "jobs\nwork\n")

    def test_replica(self):
        path = self.file("original", scaled(2 << 20))
        self.cli("-x", "set", "original", stdin=path.open("rb"), input=None)
        self.serve("redis-server", "--port", "6380", "--replicaof",
                   f"{SERVER} 6379", "--dir", self.dir, "--protected-mode",
                   "no", "--save", "", port=6380, host="client")
        replica = ("-p", "6380")
        self.assertTrue(wait_until(
            lambda: "master_link_status:up" in self.cli(
                *replica, "info", "replication", to=CLIENT), 20 * PATIENCE))
        self.cli("set", "later", "too")
        self.assertEqual(self.cli("wait", "1", "20000"), "1\n")
        self.assertEqual(self.cli(*replica, "get", "later", to=CLIENT),
                         "too\n")
        digest = self.cli(*replica, "debug", "digest-value", "original",
                          to=CLIENT)
        self.assertEqual(digest, self.cli("debug", "digest-value", "original"))
