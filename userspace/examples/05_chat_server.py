#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""05_chat_server.py PORT - many clients at once: what one says, all hear.

A thread for each client: it may wait for what its client says, and no other
waits for it.
"""

import contextlib
import socket
import sys
import threading
from typing import Set

import chalk
from example import arguments

clients: Set[socket.socket] = set()
lock = threading.Lock()  # of clients, which all threads use


def tell(speaker: socket.socket, text: bytes) -> None:
    """To all but the speaker. None may hold up the others."""
    with lock:
        for client in clients - {speaker}:
            with contextlib.suppress(OSError):
                if client.send(text, socket.MSG_DONTWAIT) == len(text):
                    continue
                client.shutdown(socket.SHUT_RD)  # ends its thread
            clients.discard(client)


def serve(client: socket.socket) -> None:
    """The thread of one client."""
    with client:
        try:
            while text := client.recv(4096):
                tell(client, text)
        except OSError as error:
            print(error, file=sys.stderr)
        with lock:
            clients.discard(client)


def main() -> None:
    """Accept for ever."""
    [port] = arguments("PORT")
    server = chalk.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("", port))
    server.listen()
    while True:
        client, _ = server.accept()
        with lock:
            clients.add(client)
        threading.Thread(target=serve, args=[client], daemon=True).start()


main()
