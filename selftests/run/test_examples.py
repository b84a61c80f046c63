# SPDX-License-Identifier: GPL-2.0
"""The examples in the VM: servers and clients of C and Python, each with each."""

import hashlib
import itertools
import os
import pathlib
import subprocess

from net import BOB, wait_until, table
from test_run import Programs, setUpModule  # noqa: F401

SOURCES = pathlib.Path("userspace/examples").resolve()
BINARIES = pathlib.Path("build/bin").resolve()


def example(name: str, language: str) -> list:
    """The words that start an example."""
    if language == "c":
        return [str(BINARIES / name)]
    return ["python3", str(SOURCES / f"{name}.py")]


class Examples(Programs):
    """All four pairs of languages"""

    def pairs(self):
        """Languages of server and client, and a port for them."""
        for port, pair in enumerate(itertools.product(("c", "python"),
                                                      repeat=2), 7000):
            with self.subTest(server=pair[0], client=pair[1]):
                yield *pair, str(port)

    def test_01_echo(self):
        """what is sent comes back"""
        for server, client, port in self.pairs():
            self.start("bob", *example("01_echo_server", server), port)
            self.wait_for_listener(int(port))
            for text in ("h\u00e9llo", "x" * 100_000):
                self.assertEqual(
                    self.outputs("alice", *example("01_echo_client", client),
                                 BOB, port, text), f"{text}\n")

    def test_02_datagram(self):
        """each datagram comes back; who gets no answer asks three times"""
        for server, client, port in self.pairs():
            self.start("bob", *example("02_datagram_server", server), port)
            self.wait_for_datagrams(int(port))
            ask = [*example("02_datagram_client", client), BOB]
            for text in ("h\u00e9llo", "x" * 20_000):
                self.assertEqual(self.outputs("alice", *ask, port, text),
                                 f"{text}\n")
            self.net.netem("loss 100%")
            done = self.run_on("alice", *ask, port, "lost")
            self.assertEqual(done.returncode, 1)
            self.assertIn("no answer from", done.stderr)
            self.net.netem("delay 1ms")

    def test_03_web(self):
        """200 and the page, or 404; only what lies in the directory"""
        page = os.urandom(70_000).hex()
        (self.scratch / "page").write_text(page)
        (self.scratch / "index.html").write_text("the index")
        (self.scratch / "directory").mkdir()
        for server, client, port in self.pairs():
            self.start("bob", *example("03_web_server", server), port,
                       str(self.scratch))
            self.wait_for_listener(int(port))
            get = [*example("03_web_client", client), BOB, port]
            self.assertEqual(self.outputs("alice", *get, "page"), page)
            self.assertEqual(self.outputs("alice", *get, ""), "the index")
            for name in ("absent", "directory", "../etc/passwd"):
                done = self.run_on("alice", *get, name)
                self.assertEqual((done.returncode, done.stderr),
                                 (1, "HTTP/1.0 404 Not Found\n"))

    def test_04_file(self):
        """a file arrives whole under its name; an absurd name does not"""
        name = "some.file"
        for size in (0, 1_000_000):
            for server, client, port in self.pairs():
                port = str(int(port) + (size > 0) * 10)
                source, target = self.scratch / port, self.scratch / f"{port}t"
                source.mkdir()
                target.mkdir()
                (source / name).write_bytes(os.urandom(size))
                (source / ".hidden").write_bytes(b"")
                self.start("bob", *example("04_file_server", server), port,
                           str(target))
                self.wait_for_listener(int(port))
                send = [*example("04_file_client", client), BOB, port]
                self.outputs("alice", *send, str(source / name))
                digests = [hashlib.sha256((place / name).read_bytes())
                           .hexdigest() for place in (source, target)]
                self.assertEqual(*digests)
                done = self.run_on("alice", *send, str(source / ".hidden"))
                self.assertEqual(done.returncode, 1)
                self.assertIn("the server says: the first line", done.stderr)

    def test_05_chat(self):
        """three clients: what one says, the two others hear"""
        for server, client, port in self.pairs():
            self.start("bob", *example("05_chat_server", server), port)
            self.wait_for_listener(int(port))
            people = [self.start("alice", *example("05_chat_client", client),
                                 BOB, port, stdin=subprocess.PIPE)
                      for _ in range(3)]
            self.assertTrue(wait_until(
                lambda port=port: sum(
                    row["state"] == "ESTABLISHED" and
                    row["local"] == f"{BOB}:{port}"
                    for row in table("conns")) == 3, 60, 0.2))
            for i, person in enumerate(people):
                person.stdin.write(f"I am {i}\n")
                person.stdin.flush()
                for other in people:
                    if other is not person:
                        self.assertEqual(other.stdout.readline(),
                                         f"I am {i}\n")
            people[0].stdin.close()
            self.assertEqual(people[0].wait(60), 0)
            people[1].stdin.write("still here\n")
            people[1].stdin.flush()
            self.assertEqual(people[2].stdout.readline(), "still here\n")

    def test_errors(self):
        """nobody there; wrong arguments"""
        for language in ("c", "python"):
            for name in ("01_echo_client", "03_web_client"):
                done = self.run_on("alice", *example(name, language), BOB, "9",
                                   "x")
                self.assertEqual(done.returncode, 1)
                self.assertIn("refused", done.stderr)
            for number in ("01_echo", "02_datagram", "03_web", "04_file", "05_chat"):
                for end in ("client", "server"):
                    name = f"{number}_{end}"
                    done = self.run_on("alice", *example(name, language))
                    self.assertRegex(done.stderr,
                                     rf"(^|: )usage: {name}(\.py)? .*PORT")
                    self.assertEqual(done.returncode, 2, name)
            for words in (("localhost", "x", "y"), ("localhost", "0", "y"),
                          ("localhost", "65536", "y")):
                done = self.run_on("alice", *example("01_echo_client", language),
                                   *words)
                self.assertIn(f"{words[1]}: not a port", done.stderr)
                self.assertEqual(done.returncode, 2)

    def test_names(self):
        """a host by its name; one that nobody knows"""
        with open("/etc/hosts", "a", encoding="ascii") as file:
            file.write("127.0.0.1 localhost\n")
        self.start("alice", *example("01_echo_server", "c"), "7100")
        self.wait_for_listener(7100)
        for language in ("c", "python"):
            ask = example("01_echo_client", language)
            self.assertEqual(self.outputs("alice", *ask, "localhost", "7100",
                                          "hello"), "hello\n")
            done = self.run_on("alice", *ask, "nobody.invalid", "7100", "hello")
            self.assertEqual(done.returncode, 1)
            self.assertIn("nobody.invalid", done.stderr)
