#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""http_pipeline.py [--ride] URL... - fetch the first, then all others at once.

HTTP pipelining (RFC 9112 section 9.3.2), which curl no longer does: over one
connection, the requests for all others leave before any answer to them came.
With --ride the first request rides on the handshake's third segment: its ACK is
told to wait for data (TCP_QUICKACK).
"""

import socket
import sys
from urllib.parse import urlsplit


def request(url) -> bytes:
    """A request for a URL."""
    parts = urlsplit(url)
    return f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()


def response(stream) -> bytes:
    """Read a response; its body."""
    status = stream.readline()
    if not status.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"the server said {status!r}")
    length = 0
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return stream.read(length)


def connect(host: str, port: int, ride: bool):
    """A connection."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if ride:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
    sock.connect((host, port))
    return sock


def main():
    """The page, then its images."""
    ride = sys.argv[1] == "--ride"
    first, *others = sys.argv[1 + ride:]
    parts = urlsplit(first)
    with connect(parts.hostname, parts.port or 80, ride) as sock, \
            sock.makefile("rb") as stream:
        sock.sendall(request(first))
        response(stream)
        sock.sendall(b"".join(map(request, others)))
        for _ in others:
            response(stream)


if __name__ == "__main__":
    main()
