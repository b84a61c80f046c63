# SPDX-License-Identifier: GPL-2.0
"""Making sockets of Chalk."""

from __future__ import annotations

import errno
import os
import socket as std
from typing import Any, Optional, Tuple

from .constants import IPPROTO_CHALK, IPPROTO_CHALK_DGRAM

INTERNET = (std.AF_INET, std.AF_INET6)
_DEFAULT_TIMEOUT = object()


class NotLoadedError(OSError):
    """chalk.ko is not in the kernel."""

    def __init__(self) -> None:
        super().__init__(errno.EPROTONOSUPPORT,
                         "chalk.ko is not loaded; run: modprobe chalk")


def protocol_for(family: int, kind: int, dgram: bool = True) -> int:
    """The protocol that makes such a socket Chalk's; 0: none does."""
    if family not in INTERNET:
        return 0
    kind &= ~(std.SOCK_NONBLOCK | std.SOCK_CLOEXEC)
    if kind == std.SOCK_STREAM:
        return IPPROTO_CHALK
    return IPPROTO_CHALK_DGRAM if kind == std.SOCK_DGRAM and dgram else 0


def open_descriptor(family: int, kind: int, protocol: int) -> int:
    """A new socket of Chalk, as a number."""
    try:
        return std.SocketType(family, kind, protocol).detach()
    except OSError as error:
        missing = error.errno in (errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT)
        if missing and not os.path.exists("/sys/module/chalk"):
            raise NotLoadedError() from None
        raise


class socket(std.socket):  # pylint: disable=invalid-name
    """A socket of Chalk: streams over protocol 253, datagrams over 254.

    As socket.socket in all but how it is made. With @fileno it takes over a
    descriptor, which has to be Chalk's already. Its proto is 0, the protocol
    that goes with the type: asyncio hands it on to getaddrinfo(), which knows
    no other. The option SO_PROTOCOL gives the number.
    """

    def __init__(self, family: int = std.AF_INET, type: int = std.SOCK_STREAM,
                 proto: int = 0, fileno: Optional[int] = None) -> None:
        # pylint: disable=redefined-builtin
        if fileno is not None:
            super().__init__(proto=0, fileno=fileno)
            return
        protocol = protocol_for(family, type)
        if not protocol or proto not in (0, protocol):
            raise ValueError("Chalk has streams and datagrams over AF_INET "
                             "and AF_INET6")
        super().__init__(family, type, 0,
                         open_descriptor(family, type, protocol))

    def accept(self) -> Tuple[socket, Any]:
        """Wait for a connection: a socket for it, and whose it is."""
        conn, address = super().accept()
        return type(self)(fileno=conn.detach()), address


def available(family: int = std.AF_INET, kind: int = std.SOCK_STREAM) -> bool:
    """Does this kernel have such sockets of Chalk?"""
    try:
        socket(family, kind).close()
    except OSError as error:
        if error.errno in (errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT,
                           errno.EAFNOSUPPORT):
            return False
        raise
    return True


def create_connection(address: Tuple[str, int],
                      timeout: Any = _DEFAULT_TIMEOUT,
                      source_address: Optional[Tuple[str, int]] = None
                      ) -> socket:
    """Connect to @address, (host, port), over Chalk.

    Tries all that the name stands for; raises the last error if none answers.
    As socket.create_connection().
    """
    last: OSError = std.gaierror(std.EAI_NONAME, "no address")
    for family, kind, _, _, target in std.getaddrinfo(
            *address, type=std.SOCK_STREAM):
        sock = None
        try:
            sock = socket(family, kind)
            if timeout is not _DEFAULT_TIMEOUT:
                sock.settimeout(timeout)
            if source_address:
                sock.bind(source_address)
            sock.connect(target)
            return sock
        except OSError as error:
            last = error
            if sock is not None:
                sock.close()
    raise last


def create_server(address: Tuple[str, int], *, family: int = std.AF_INET,
                  backlog: int = 128, reuse_port: bool = False) -> socket:
    """Listen on @address, (host, port), over Chalk; "" is all of this host.

    As socket.create_server().
    """
    sock = socket(family, std.SOCK_STREAM)
    try:
        sock.setsockopt(std.SOL_SOCKET, std.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(std.SOL_SOCKET, std.SO_REUSEPORT, 1)
        sock.bind(address)
        sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return sock
