# SPDX-License-Identifier: GPL-2.0
"""test_package.py - the Python package, on a kernel that seems to have Chalk.

Each test is a snippet that runs in a process of its own; what it prints as
JSON is its answer.
"""

import json
import os
import re
import sys
import textwrap
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../preload/test"))

import fake  # noqa: E402  pylint: disable=wrong-import-position

sys.path.pop(0)
PACKAGE = os.path.normpath(os.path.join(HERE, ".."))
HEADER = os.path.join(HERE, "../../../uapi/chalk.h")
STREAM, DGRAM, TCP, UDP = 253, 254, 6, 17

PRELUDE = """
import errno, json, socket, sys, threading
import chalk
def kind(s): return s.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL)
def show(*values): print(json.dumps(values))
def serve(server, times=1):
    "echo, in another thread"
    def run():
        for _ in range(times):
            conn, _ = server.accept()
            with conn:
                while data := conn.recv(4096): conn.sendall(data)
    threading.Thread(target=run, daemon=True).start()
"""


def setUpModule():  # pylint: disable=invalid-name
    """The make-believe kernel."""
    fake.build()


def tearDownModule():  # pylint: disable=invalid-name
    """Nothing stays."""
    fake.remove()


def python(*args: str, has="full"):
    """python3 ARGS with the package."""
    return fake.run([sys.executable, *args], has, {"PYTHONPATH": PACKAGE})


class PackageTest(unittest.TestCase):
    """Helpers."""

    maxDiff = None

    def shows(self, code: str, has="full"):
        """What the snippet shows."""
        done = python("-c", PRELUDE + textwrap.dedent(code), has=has)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)


class ConstantsTest(PackageTest):
    """The numbers are those of C."""

    def test_numbers__are_those_of_the_header(self):
        with open(HEADER, encoding="ascii") as file:
            found = dict(re.findall(r"^#define ([A-Z]\w+)\s+(\d+)$",
                                    file.read(), re.MULTILINE))
        numbers = {name: int(value) for name, value in found.items()}
        self.assertIn("SOL_CHALK", numbers)
        names = ", ".join(f"getattr(chalk, '{name}', None)" for name in numbers)
        self.assertEqual(self.shows(f"show({names})"), list(numbers.values()))

    def test_all__is_there(self):
        self.assertEqual(self.shows(
            "show(*[n for n in chalk.__all__ if not hasattr(chalk, n)])"), [])


class SocketTest(PackageTest):
    """chalk.socket"""

    def test_kinds(self):
        self.assertEqual(self.shows("""
            show(kind(chalk.socket()), kind(chalk.socket(socket.AF_INET6)),
                 kind(chalk.socket(type=socket.SOCK_DGRAM)),
                 chalk.socket(type=socket.SOCK_STREAM | socket.SOCK_NONBLOCK
                              ).getblocking())
            """), [STREAM, STREAM, DGRAM, False])

    def test_others__are_refused(self):
        self.assertEqual(self.shows("""
            words = []
            for args in ((socket.AF_UNIX,), (socket.AF_INET, socket.SOCK_RAW),
                         (socket.AF_INET, socket.SOCK_STREAM, 6)):
                try: chalk.socket(*args)
                except ValueError as error: words.append(str(error)[:5])
            show(*words)
            """), ["Chalk"] * 3)

    def test_is_a_socket__and_so_is_what_it_accepts(self):
        self.assertEqual(self.shows("""
            with chalk.create_server(("127.0.0.1", 0)) as server:
                client = chalk.create_connection(server.getsockname(), 5)
                conn, address = server.accept()
                copy = conn.dup()
                show(isinstance(conn, socket.socket), type(conn) is chalk.socket,
                     type(copy) is chalk.socket, kind(conn),
                     address == client.getsockname(), conn.gettimeout(),
                     client.gettimeout())
            """), [True, True, True, TCP, True, None, 5.0])

    def test_asyncio__takes_it(self):
        """it hands a socket's proto on to getaddrinfo()"""
        self.assertEqual(self.shows("""
            import asyncio
            async def main():
                loop = asyncio.get_running_loop()
                server = chalk.create_server(("127.0.0.1", 0))
                serve(server)
                sock = chalk.socket(type=socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
                await loop.sock_connect(sock, ("localhost",
                                               server.getsockname()[1]))
                await loop.sock_sendall(sock, b"through the loop")
                show(kind(sock), sock.proto,
                     (await loop.sock_recv(sock, 99)).decode())
            asyncio.run(main())
            """), [STREAM, 0, "through the loop"])

    def test_echo(self):
        self.assertEqual(self.shows("""
            server = chalk.create_server(("127.0.0.1", 0))
            serve(server)
            with chalk.create_connection(server.getsockname()) as sock:
                sock.sendall(b"to and fro")
                sock.shutdown(socket.SHUT_WR)
                show(sock.makefile().read())
            """), ["to and fro"])

    def test_source_address(self):
        self.assertEqual(self.shows("""
            server = chalk.create_server(("127.0.0.1", 0))
            sock = chalk.create_connection(server.getsockname(),
                                           source_address=("127.0.0.3", 0))
            show(server.accept()[1][0])
            """), ["127.0.0.3"])


class AbsentTest(PackageTest):
    """Errors."""

    def test_not_loaded__says_what_to_do(self):
        self.assertEqual(self.shows("""
            words = []
            def attempt(what, *args, **more):
                try: what(*args, **more)
                except chalk.NotLoadedError as e:
                    words.append([e.errno == errno.EPROTONOSUPPORT, e.strerror])
            attempt(chalk.socket)
            attempt(chalk.create_server, ("", 0))
            attempt(chalk.create_connection, ("127.0.0.1", 1))
            attempt(chalk.connections)
            with chalk.patched(): attempt(socket.socket)
            show(chalk.available(), words == words[:1] * 5, *words[0])
            """, has="none"),
            [False, True, True, "chalk.ko is not loaded; run: modprobe chalk"])

    def test_available(self):
        self.assertEqual(self.shows("""
            show(chalk.available(), chalk.available(socket.AF_INET6),
                 chalk.available(kind=socket.SOCK_DGRAM))
            """, has="v4"), [True, False, True])

    def test_refused__is_the_last_error(self):
        self.assertEqual(self.shows("""
            probe = socket.socket()  # it does not listen, and keeps the port
            probe.bind(("127.0.0.1", 0))
            try: chalk.create_connection(probe.getsockname())
            except ConnectionRefusedError: show("refused")
            """), ["refused"])


class PatchTest(PackageTest):
    """Modules that know TCP only."""

    def test_patch_and_back(self):
        self.assertEqual(self.shows("""
            from socket import socket as known_before
            kinds = [kind(known_before())]
            chalk.patch()
            kinds += [kind(known_before()), kind(socket.socket()),
                      kind(socket.socket(socket.AF_INET, socket.SOCK_STREAM, 6)),
                      kind(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
                      kind(socket.socket(socket.AF_UNIX)),
                      kind(socket.socketpair()[0]), kind(chalk.socket())]
            chalk.patch(dgram=True)
            kinds += [kind(socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 17))]
            chalk.unpatch()
            kinds += [kind(known_before())]
            show(*kinds)
            """), [TCP, STREAM, STREAM, STREAM, UDP, 0, 0, STREAM, DGRAM, TCP])

    def test_patched__nests_and_ends_with_an_error_too(self):
        self.assertEqual(self.shows("""
            kinds = []
            new = lambda: kinds.append(kind(socket.socket()))
            try:
                with chalk.patched():
                    with chalk.patched(dgram=True): new()
                    new()
                    kinds.append(kind(socket.socket(type=socket.SOCK_DGRAM)))
                    raise KeyError
            except KeyError: new()
            show(*kinds)
            """), [STREAM, STREAM, UDP, TCP])

    def test_asyncio(self):
        self.assertEqual(self.shows("""
            import asyncio
            async def echo(reader, writer):
                writer.write(await reader.read()); writer.close()
            async def main():
                server = await asyncio.start_server(echo, "127.0.0.1", 0)
                listening = server.sockets[0]
                reader, writer = await asyncio.open_connection(
                    *listening.getsockname())
                writer.write(b"async"); writer.write_eof()
                show(kind(listening), kind(writer.get_extra_info("socket")),
                     (await reader.read()).decode())
            with chalk.patched(): asyncio.run(main())
            """), [STREAM, STREAM, "async"])

    def test_http(self):
        self.assertEqual(self.shows("""
            import http.server, urllib.request
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    self.send_response(200); self.end_headers()
                    self.wfile.write(b"page")
                def log_message(self, *_): pass
            with chalk.patched():
                server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
                threading.Thread(target=server.handle_request).start()
                url = "http://127.0.0.1:%d/" % server.server_port
                show(kind(server.socket),
                     urllib.request.urlopen(url).read().decode())
            """), [STREAM, "page"])


class MainTest(PackageTest):
    """python3 -m chalk"""

    def script(self, text: str) -> str:
        """A file."""
        path = os.path.join(fake.directory(), "script.py")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path

    def test_script__with_its_arguments(self):
        path = self.script("import socket, sys\nprint(__name__, sys.argv[1:], "
                           "socket.socket().getsockopt(1, 38))")
        done = python("-m", "chalk", path, "--dgram", "x")
        self.assertEqual(done.stdout, "__main__ ['--dgram', 'x'] 253\n")

    def test_module(self):
        done = python("-m", "chalk", "-m", "json.tool", "--help")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("json.tool", done.stdout)

    def test_not_loaded(self):
        done = python("-m", "chalk", self.script(""), has="none")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "chalk: chalk.ko is not loaded; "
                         "run: modprobe chalk\n")


if __name__ == "__main__":
    unittest.main()
