# SPDX-License-Identifier: GPL-2.0
"""Let modules that know only TCP ride on Chalk.

It is socket.socket that changes, not its name in some module: so it does not
matter who imported what before.
"""

from __future__ import annotations

import contextlib
import socket as std
from typing import Any, Dict, Iterator, Optional, Tuple

from . import sockets

_original = std.socket.__init__
# 0 and the one protocol that each kind has otherwise
_REPLACED: Dict[int, Tuple[int, ...]] = {
    std.SOCK_STREAM: (0, std.IPPROTO_TCP),
    std.SOCK_DGRAM: (0, std.IPPROTO_UDP),
}
_state = {"active": False, "dgram": False}


def _chalk_protocol(family: int, kind: int, proto: int) -> int:
    bare = kind & ~(std.SOCK_NONBLOCK | std.SOCK_CLOEXEC)
    if proto not in _REPLACED.get(bare, ()):
        return 0
    return sockets.protocol_for(family, kind, _state["dgram"])


def _init(self: std.socket, family: int = -1, type: int = -1,
          proto: int = -1, fileno: Optional[Any] = None) -> None:
    # pylint: disable=redefined-builtin
    if fileno is None:
        family = std.AF_INET if family == -1 else family
        type = std.SOCK_STREAM if type == -1 else type
        proto = 0 if proto == -1 else proto
        protocol = _chalk_protocol(family, type, proto)
        if protocol:
            fileno = sockets.open_descriptor(family, type, protocol)
    _original(self, family, type, proto, fileno)


def _switch(active: bool, dgram: bool) -> None:
    _state.update(active=active, dgram=dgram)
    std.socket.__init__ = _init if active else _original  # type: ignore


def patch(dgram: bool = False) -> None:
    """From now on new TCP sockets of this process are Chalk's.

    With @dgram, those of UDP too. http.server, asyncio, urllib, ftplib, smtplib,
    xmlrpc and all else that uses socket.socket follow; programs that are
    started do not.
    """
    _switch(True, dgram)


def unpatch() -> None:
    """New sockets are again what they are asked to be."""
    _switch(False, False)


@contextlib.contextmanager
def patched(dgram: bool = False) -> Iterator[None]:
    """patch() for a block; in all threads, as long as it lasts."""
    before = dict(_state)
    patch(dgram)
    try:
        yield
    finally:
        _switch(**before)
