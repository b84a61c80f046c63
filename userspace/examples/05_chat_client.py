#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""05_chat_client.py ADDRESS PORT - what is typed goes to the server, what comes
is shown.

A thread shows what comes, so that the other may wait for the keyboard. At the
end of its input the client leaves.
"""

import os
import socket
import sys
import threading

import chalk
from example import arguments


def show(sock: socket.socket) -> None:
    """Until the server has gone."""
    try:
        while text := sock.recv(4096):
            print(text.decode(errors="replace"), end="", flush=True)
        print("the server has gone", file=sys.stderr)
    except OSError as error:
        print(error, file=sys.stderr)
    os._exit(1)


def main() -> None:
    """Connect and talk."""
    address, port = arguments("ADDRESS", "PORT")
    sock = chalk.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.connect((address, port))
        threading.Thread(target=show, args=[sock], daemon=True).start()
        for line in sys.stdin:
            sock.sendall(line.encode())
    except OSError as error:
        sys.exit(f"{address}, port {port}: {error}")


main()
