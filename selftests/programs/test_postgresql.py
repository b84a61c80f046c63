# SPDX-License-Identifier: GPL-2.0
"""PostgreSQL: psql, pgbench, COPY, cancel requests, notifications."""

import hashlib
import pathlib
import re
import signal
import subprocess

from net import sh, wait_until
from programs import (HERE, PATIENCE, SERVER, SERVER6, Program, running,
                      scaled)

# what Debian has in the PATH are wrappers in Perl
BIN = next(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
PSQL = BIN / "psql"


def url(to=SERVER) -> str:
    """The database."""
    return f"postgresql://postgres@{to}/postgres"


class Postgresql(Program):
    """One server for all tests; the database is the one Debian installs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        data = next(pathlib.Path("/var/lib/postgresql").glob("*/main"))
        sh(f"cp {HERE}/postgresql.conf {HERE}/pg_hba.conf {cls.dir}"
           f" && chown -R postgres {cls.dir}")
        cls.serve(BIN / "postgres", "-D", data, "-k", cls.dir,
                  "-c", f"config_file={cls.dir}/postgresql.conf",
                  "-c", f"hba_file={cls.dir}/pg_hba.conf",
                  port=5432, user="postgres")
        ready = wait_until(lambda: not subprocess.run(
            [BIN / "pg_isready", "-q", "-h", cls.dir], check=False).returncode,
            60 * PATIENCE)
        if not ready:
            raise AssertionError("no PostgreSQL")

    def sql(self, text: str, to=SERVER, **run) -> str:
        """The answer to a statement."""
        return self.client(PSQL, "-XAtq", "-v", "ON_ERROR_STOP=1", url(to),
                           "-c", text, **run)

    def bench(self, *options, count: int):
        """Run pgbench, which must complete @count transactions."""
        out = self.client(BIN / "pgbench", *options, url())
        done = re.search(r"actually processed: (\d+)/(\d+)", out)
        self.assertEqual(done.groups(), (str(count), str(count)), out)
        self.assertIn("number of failed transactions: 0 ", out)

    def test_query(self):
        self.assertEqual(self.sql("select 6 * 7"), "42\n")
        self.assertEqual(self.sql("show listen_addresses"), "*\n")

    def test_query_ipv6(self):
        self.assertEqual(self.sql("select host(inet_server_addr())",
                                  to=f"[{SERVER6}]"), f"{SERVER6}\n")

    def test_error(self):
        self.sql("select 1/0", status=1)

    def test_large_result(self):
        rows = scaled(100000)
        out = self.sql(f"select md5(i::text) from generate_series(1,{rows}) i")
        wanted = (hashlib.md5(str(i).encode()).hexdigest()
                  for i in range(1, rows + 1))
        self.assertEqual(out.split(), list(wanted))

    def test_copy(self):
        rows = [f"{i}\t{hashlib.md5(str(i).encode()).hexdigest()}\n"
                for i in range(scaled(20000))]
        self.sql("create table copied (number int, word text)")
        self.client(PSQL, "-XAtq", url(), "-c", "copy copied from stdin",
                    input="".join(rows))
        self.assertEqual(self.sql("copy copied to stdout"), "".join(rows))

    def test_bench(self):
        self.client(BIN / "pgbench", "-i", "-q", "--scale", "1", "-I", "dtgp",
                    url())
        each = scaled(100)
        self.bench("-c", "4", "-t", each, "-n", count=4 * each)
        self.assertEqual(self.sql("select count(*) from pgbench_history"),
                         f"{4 * each}\n")
        self.bench("-c", "2", "-t", each, "-n", "-S", "-M", "prepared",
                   count=2 * each)
        self.bench("-c", "2", "-t", scaled(20), "-n", "-S", "-C",
                   count=2 * scaled(20))

    def test_cancel(self):
        with running([PSQL, "-XAtq", url(), "-c", "select pg_sleep(1000)"],
                     stderr=subprocess.PIPE, text=True) as query:
            self.assertTrue(wait_until(
                lambda: self.sql("select count(*) from pg_stat_activity"
                                 " where wait_event = 'PgSleep'") == "1\n",
                30 * PATIENCE))
            query.send_signal(signal.SIGINT)
            self.assertIn("canceling statement due to user request",
                          query.stderr.read())

    def test_notify(self):
        listen = "listen news; select pg_sleep(0.1) from" \
            " generate_series(1,20); notify news, 'hello'; select 1"
        out = self.client(PSQL, "-XAtq", url(), input=listen)
        self.assertIn('Asynchronous notification "news" with payload "hello"',
                      out)
