# SPDX-License-Identifier: GPL-2.0
"""Python: http.server and urllib, asyncio's servers and clients."""

import json

from programs import HERE, SERVER, SERVER6, Program, scaled, sha256

# Fetches what is named and prints the hash of it
FETCH = """
import hashlib, sys, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=60) as answer:
    print(hashlib.sha256(answer.read()).hexdigest())
"""

# Several requests on a connection, then one that fails
KEEP = """
import http.client, json, sys
conn = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=60)
seen = []
for name in ("/page", "/page", "/nowhere"):
    conn.request("GET", name)
    answer = conn.getresponse()
    seen.append((answer.status, len(answer.read())))
conn.request("POST", "/page", b"body")
seen.append((conn.getresponse().status, conn.sock is not None))
print(json.dumps(seen))
"""

# What goes wrong, as applications see it
ERRORS = """
import asyncio, socket, sys
host = sys.argv[1]
try:
    socket.create_connection((host, 1), 20)
except ConnectionRefusedError as error:
    print(error.strerror)
async def main():
    try:
        await asyncio.open_connection(host, 1)
    except ConnectionRefusedError as error:
        print(error.strerror.partition(" (")[0])
    try:
        reader, writer = await asyncio.open_connection(host, 8001)
        await asyncio.wait_for(reader.read(), 2)
    except asyncio.TimeoutError:
        print("timed out")
    # the server sees a reset, and goes on
    writer.transport.abort()
asyncio.run(main())
"""


class HttpServer(Program):
    """http.server with a thread for each connection."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.www = cls.dir / "www"
        cls.www.mkdir()
        (cls.www / "page").write_text("Hello\n")
        cls.serve("python3", "-m", "http.server", "--protocol", "HTTP/1.1",
                  "--bind", "::", "--directory", cls.www, "8000", port=8000)

    def test_fetch(self):
        path = self.file("www/large", scaled(8 << 20))
        for host in (SERVER, f"[{SERVER6}]"):
            out = self.client("python3", "-c", FETCH,
                              f"http://{host}:8000/large")
            self.assertEqual(out.strip(), sha256(path))

    def test_keep_alive(self):
        out = json.loads(self.client("python3", "-c", KEEP, SERVER, 8000))
        self.assertEqual(out[:2], [[200, 6], [200, 6]])
        self.assertEqual(out[2][0], 404)
        self.assertEqual(out[3][0], 501)


class Asyncio(Program):
    """A server and a client on asyncio."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.serve("python3", HERE / "python_words.py", "serve", 8001,
                  port=8001, ends=-15)

    def ask(self, host, clients, size):
        """So many connections at once."""
        out = self.client("python3", HERE / "python_words.py", "ask", host,
                          8001, clients, size)
        self.assertEqual(out, f"{clients} right, 0 wrong\n")

    def test_many(self):
        self.ask(SERVER, scaled(200), 10000)

    def test_large(self):
        self.ask(SERVER, 4, scaled(2 << 20))

    def test_ipv6(self):
        self.ask(SERVER6, scaled(20), 10000)

    def test_errors(self):
        out = self.client("python3", "-c", ERRORS, SERVER)
        self.assertEqual(out.splitlines(), [
            "Connection refused", "Connect call failed", "timed out"])
        self.ask(SERVER, 1, 1000)
