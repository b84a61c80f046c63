#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""04_file_client.py ADDRESS PORT FILE - send a file.

Sends a line "NAME SIZE", then the bytes; done when the server says "OK".
"""

import os
import socket
import sys

import chalk
from example import arguments

address, port, path = arguments("ADDRESS", "PORT", "FILE")

try:
    with open(path, "rb") as file, \
            chalk.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        size = os.fstat(file.fileno()).st_size
        sock.connect((address, port))
        sock.sendall(f"{os.path.basename(path)} {size}\n".encode())
        sock.sendfile(file)
        answer = sock.makefile().readline().strip()
except OSError as error:
    sys.exit(f"{address}, port {port}: {error}")
if answer != "OK":
    sys.exit(f"the server says: {answer or 'nothing'}")
