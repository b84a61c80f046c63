#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""02_datagram_client.py ADDRESS PORT TEXT - send a text and show the answer.

A datagram may get lost, on the way there or back, and nobody but the
application repeats it: after a second without an answer it asks again, three
times in all.
"""

import socket
import sys

import chalk
from example import arguments

TRIES = 3

address, port, text = arguments("ADDRESS", "PORT", "TEXT")

try:
    with chalk.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(1)
        for _ in range(TRIES):
            sock.sendto(text.encode(), (address, port))
            try:
                answer, server = sock.recvfrom(65536)
                break
            except TimeoutError:
                pass
        else:
            sys.exit(f"no answer from {address}, port {port}")
except OSError as error:
    sys.exit(f"{address}, port {port}: {error}")
print(answer.decode())
