#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""04_file_server.py PORT DIRECTORY - take files and keep them in a directory.

A client sends a line "NAME SIZE", then SIZE bytes; the answer is a line, "OK" or
what went wrong. A file appears under its name when all of it is there.
"""

import os
import socket
import sys

import chalk
from example import arguments

PART = ".part"


def take(conn: socket.socket) -> str:
    """Receive one file; what to answer."""
    with conn.makefile("rb") as stream:
        words = stream.readline(300).decode(errors="replace").split()
        if len(words) != 2 or not words[1].isdigit():
            return "the first line must be: NAME SIZE"
        name, left = words[0], int(words[1])
        if "/" in name or name.startswith("."):
            return "the first line must be: NAME SIZE"
        with open(PART, "wb") as file:
            while left:
                data = stream.read1(min(left, 65536))
                if not data:
                    return "less than SIZE bytes"
                file.write(data)
                left -= len(data)
    os.rename(PART, name)
    return "OK"


def main() -> None:
    """Serve, one client at a time, for ever."""
    port, directory = arguments("PORT", "DIRECTORY")
    os.chdir(directory)
    server = chalk.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("", port))
    server.listen()
    while True:
        conn, client = server.accept()
        try:
            with conn:
                result = take(conn)
                print(f"{client[0]}: {result}", flush=True)
                conn.sendall(f"{result}\n".encode())
        except OSError as error:
            print(f"{client[0]}: {error}", file=sys.stderr)


main()
