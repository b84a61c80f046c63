#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""01_echo_server.py PORT - a stream server: it sends back what it receives.

socket, bind, listen, accept; then recv and send on the socket that accept gave,
until the client closes. One client at a time, for ever.
"""

import socket
import sys

import chalk
from example import arguments

[port] = arguments("PORT")

server = chalk.socket(socket.AF_INET, socket.SOCK_STREAM)
# a server that is started again need not wait for TIME_WAIT to end
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("", port))
server.listen()
while True:
    conn, client = server.accept()
    try:
        with conn:
            while data := conn.recv(4096):
                conn.sendall(data)
    except OSError as error:
        print(f"{client[0]}: {error}", file=sys.stderr)
