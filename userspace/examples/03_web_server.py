#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""03_web_server.py PORT DIRECTORY - a small web server: the files of a directory.

A request is a line "GET /NAME HTTP/1.0", more lines, and an empty one. The
answer is a status line, lines about the page, an empty one, and the page; then
the connection is closed (non-persistent HTTP).
"""

import pathlib
import socket
import sys
from typing import Tuple

import chalk
from example import arguments


def receive_request(conn: socket.socket) -> str:
    """All up to the empty line; "" if it does not come."""
    request = b""
    while b"\r\n\r\n" not in request and len(request) < 8192:
        data = conn.recv(8192)
        if not data:
            return ""
        request += data
    return request.decode("latin-1")


def page_for(request: str, directory: pathlib.Path) -> Tuple[str, bytes]:
    """Status and page."""
    words = request.split()
    if len(words) < 2 or not words[1].startswith("/"):
        return "400 Bad Request", b""
    if words[0] != "GET":
        return "501 Not Implemented", b""
    name = words[1][1:] or "index.html"
    file = directory / name
    if "/" in name or name.startswith(".") or not file.is_file():
        return "404 Not Found", b"<h1>404 Not Found</h1>\n"
    return "200 OK", file.read_bytes()


def main() -> None:
    """Serve, one client at a time, for ever."""
    port, directory = arguments("PORT", "DIRECTORY")
    server = chalk.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("", port))
    server.listen()
    while True:
        conn, client = server.accept()
        try:
            with conn:
                status, page = page_for(receive_request(conn),
                                        pathlib.Path(directory))
                head = f"HTTP/1.0 {status}\r\nContent-Length: {len(page)}\r\n"
                conn.sendall(f"{head}\r\n".encode() + page)
        except OSError as error:
            print(f"{client[0]}: {error}", file=sys.stderr)


main()
