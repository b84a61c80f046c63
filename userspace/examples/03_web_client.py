#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""03_web_client.py ADDRESS PORT NAME - a small web client: it shows one page.

The page goes to standard output, the status line to standard error. The exit
status is 0 only if the server said 200.
"""

import socket
import sys

import chalk
from example import arguments

address, port, name = arguments("ADDRESS", "PORT", "NAME")

try:
    with chalk.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.connect((address, port))
        sock.sendall(f"GET /{name} HTTP/1.0\r\nHost: {address}\r\n\r\n".encode())
        answer = b""
        while data := sock.recv(65536):  # the page ends with the connection
            answer += data
except OSError as error:
    sys.exit(f"{address}, port {port}: {error}")

head, _, page = answer.partition(b"\r\n\r\n")
status = head.decode("latin-1").split("\r\n")[0]
print(status, file=sys.stderr)
sys.stdout.buffer.write(page)
sys.exit(status.split()[1:2] != ["200"])
