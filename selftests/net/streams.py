# SPDX-License-Identifier: GPL-2.0
"""Pairs of sockets of TCP or of Chalk, within one namespace."""

import contextlib
import socket

HERE = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


def pair(protocol: int, family: int, sending=(), receiving=()) -> tuple:
    """A connection of this namespace with itself: who connected, who accepted.
    Their options are (name, value) of SOL_SOCKET."""
    with contextlib.closing(socket.socket(family, socket.SOCK_STREAM,
                                          protocol)) as server:
        for option in receiving:
            server.setsockopt(socket.SOL_SOCKET, *option)
        server.bind((HERE[family], 0))
        server.listen(8)
        sock = socket.socket(family, socket.SOCK_STREAM, protocol)
        for option in sending:
            sock.setsockopt(socket.SOL_SOCKET, *option)
        sock.connect(server.getsockname()[:2])
        conn = server.accept()[0]
    for end in (sock, conn):
        end.settimeout(60)
    return sock, conn


def fill(sock) -> int:
    """Send until there is no room; how much that was."""
    sock.setblocking(False)
    done = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            done += sock.send(bytes(1 << 16))
    return done
