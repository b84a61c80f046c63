#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""01_echo_client.py ADDRESS PORT TEXT - send a text and show the answer.

Only bytes are sent: str.encode() makes them, bytes.decode() makes text again.
"""

import socket
import sys

import chalk
from example import arguments

address, port, text = arguments("ADDRESS", "PORT", "TEXT")

try:
    with chalk.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.connect((address, port))
        sock.sendall(text.encode())
        sock.shutdown(socket.SHUT_WR)  # our FIN: no more will come
        answer = b""
        while data := sock.recv(4096):
            answer += data
except OSError as error:
    sys.exit(f"{address}, port {port}: {error}")
print(answer.decode())
