#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""02_datagram_server.py PORT - a datagram server: it sends back what it receives.

socket, bind; then recvfrom and sendto in an endless loop. There are no
connections: each datagram says whom it is from, and one socket serves all.
"""

import socket
import sys

import chalk
from example import arguments

[port] = arguments("PORT")

server = chalk.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("", port))
while True:
    try:
        data, client = server.recvfrom(65536)
        server.sendto(data, client)
    except OSError as error:  # that ICMP brought: it is about one client only
        print(error, file=sys.stderr)
