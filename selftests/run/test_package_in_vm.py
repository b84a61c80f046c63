# SPDX-License-Identifier: GPL-2.0
"""The Python package, installed, in the VM: the standard library over Chalk."""

import json

from net import BOB, BOB6, IPPROTO_CHALK
from test_run import (IPPROTO_CHALK_DGRAM, Programs, Sniffer,  # noqa: F401
                      setUpModule)


class Package(Programs):
    """bob serves, alice asks"""

    def ask(self, code: str, protocol: int = IPPROTO_CHALK) -> list:
        """A client of Python on alice; what it prints as JSON."""
        with Sniffer() as sniffer:
            out = self.outputs("alice", "python3", "-W", "ignore", "-c", code)
        self.assertEqual(set(sniffer.seen), {protocol})
        return json.loads(out)

    def serve(self, port: int, code: str):
        """A server of Python on bob."""
        self.start("bob", "python3", "-W", "ignore", "-c", code)
        self.wait_for_listener(port)

    def test_sockets(self):
        """create_server and create_connection, and what they are"""
        self.serve(7, """
import chalk, socket
server = chalk.create_server(("::", 7), family=socket.AF_INET6)
while True:
    conn, _ = server.accept()
    with conn:
        while data := conn.recv(4096): conn.sendall(data)
""")
        for host in (BOB, BOB6):
            self.assertEqual(self.ask(f"""
import chalk, json, socket
with chalk.create_connection(("{host}", 7), 30) as sock:
    sock.setsockopt(chalk.SOL_CHALK, socket.TCP_NODELAY, 1)
    sock.sendall(b"echo")
    print(json.dumps([sock.recv(9).decode(),
                      sock.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL),
                      sock.getsockopt(socket.SOL_TCP, socket.TCP_NODELAY),
                      chalk.available(), chalk.available(socket.AF_INET6)]))
"""), ["echo", 253, 1, True, True])

    def test_datagrams(self):
        """a socketserver after patch(dgram=True), a client of chalk.socket"""
        self.start("bob", "python3", "-c", """
import chalk, socketserver
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        sock.sendto(data, self.client_address)
chalk.patch(dgram=True)
socketserver.UDPServer(("", 7), Echo).serve_forever()
""")
        self.wait_for_datagrams(7)
        self.assertEqual(self.ask(f"""
import chalk, json, socket
sock = chalk.socket(type=socket.SOCK_DGRAM)
sock.settimeout(30)
sock.sendto(b"datagram", ("{BOB}", 7))
data, address = sock.recvfrom(99)
print(json.dumps([data.decode(), address,
                  chalk.available(kind=socket.SOCK_DGRAM)]))
""", IPPROTO_CHALK_DGRAM), ["datagram", [BOB, 7], True])

    def test_standard_library(self):
        """http.server and urllib, xmlrpc, socketserver, after patch()"""
        self.serve(8001, """
import chalk
chalk.patch()
import http.server, xmlrpc.server
import threading
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"page")
    def do_POST(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200); self.end_headers(); self.wfile.write(data)
    def log_message(self, *_): pass
web = http.server.ThreadingHTTPServer(("", 8000), Handler)
threading.Thread(target=web.serve_forever).start()
rpc = xmlrpc.server.SimpleXMLRPCServer(("", 8001), logRequests=False)
rpc.register_function(pow)
rpc.serve_forever()
""")
        self.assertEqual(self.ask(f"""
import chalk, json, urllib.request, xmlrpc.client
with chalk.patched():
    url = "http://{BOB}:8000/"
    page = urllib.request.urlopen(url).read().decode()
    echo = urllib.request.urlopen(url, b"x" * 50000).read()
    rpc = xmlrpc.client.ServerProxy("http://{BOB}:8001/")
    print(json.dumps([page, len(echo), rpc.pow(2, 10)]))
"""), ["page", 50000, 1024])

    def test_asyncio(self):
        """streams of asyncio: a hundred clients at once"""
        self.serve(7, """
import asyncio, chalk
async def echo(reader, writer):
    writer.write(await reader.read()); await writer.drain(); writer.close()
async def main():
    server = await asyncio.start_server(echo, "0.0.0.0", 7, backlog=200)
    await server.serve_forever()
chalk.patch()
asyncio.run(main())
""")
        self.assertEqual(self.ask(f"""
import asyncio, chalk, json
async def client(i):
    reader, writer = await asyncio.open_connection("{BOB}", 7)
    writer.write(str(i).encode() * 1000); writer.write_eof()
    return await reader.read() == str(i).encode() * 1000
async def main():
    return await asyncio.gather(*(client(i) for i in range(100)))
with chalk.patched():
    print(json.dumps([sum(asyncio.run(main()))]))
"""), [100])

    def test_main(self):
        """python3 -m chalk -m http.server"""
        (self.scratch / "page").write_text("by a module")
        self.start("bob", "python3", "-m", "chalk", "-m", "http.server", "8000",
                   cwd=self.scratch)
        self.wait_for_listener(8000)
        self.assertEqual(self.ask(f"""
import chalk, json, urllib.request
chalk.patch()
print(json.dumps([urllib.request.urlopen("http://{BOB}:8000/page").read()
                  .decode()]))
"""), ["by a module"])

    def test_seeing(self):
        """connections() and events() of this machine, as the tools see it"""
        out = self.outputs("", "python3", "-c", """
import chalk, itertools, json, threading
events = chalk.events()
seen = []
def read():
    for event in events: seen.append(event)
reader = threading.Thread(target=read, daemon=True)
reader.start()
import time; time.sleep(1)
server = chalk.create_server(("127.0.0.1", 7))
client = chalk.create_connection(("127.0.0.1", 7))
conn, _ = server.accept()
states = sorted(row["state"] for row in chalk.connections())
time.sleep(1)
print(json.dumps([states, [e["flags"] for e in seen if e["event"] == "send"]]))
""")
        self.assertEqual(json.loads(out), [
            ["ESTABLISHED", "ESTABLISHED", "LISTEN"], ["S", "SA", "A"]])
