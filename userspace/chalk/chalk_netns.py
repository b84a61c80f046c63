# SPDX-License-Identifier: GPL-2.0
"""chalk_netns.py - network namespaces by the names of ip netns, or by path."""

import contextlib
import ctypes
import os
from typing import Iterator

from chalk_base import TraceError

CLONE_NEWNET = 0x40000000
HERE = "/proc/thread-self/ns/net"
NAMED = "/run/netns"
LIBC = ctypes.CDLL(None, use_errno=True)


def path_of(name: str) -> str:
    return name if "/" in name else f"{NAMED}/{name}"


def enter(name: str) -> None:
    """What this thread opens from now on belongs to namespace @name."""
    try:
        fd = os.open(path_of(name), os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise TraceError(f"network namespace {name}: {error.strerror}") from None
    try:
        if LIBC.setns(fd, CLONE_NEWNET):
            reason = os.strerror(ctypes.get_errno())
            raise TraceError(f"network namespace {name}: {reason}")
    finally:
        os.close(fd)


@contextlib.contextmanager
def inside(name: str) -> Iterator[None]:
    """What this thread opens meanwhile belongs to namespace @name."""
    home = os.open(HERE, os.O_RDONLY | os.O_CLOEXEC)
    try:
        enter(name)
        yield
    finally:
        LIBC.setns(home, CLONE_NEWNET)
        os.close(home)


def number(name: str = HERE) -> int:
    """By which the kernel's tables call it."""
    return os.stat(path_of(name)).st_ino
