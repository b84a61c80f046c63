# SPDX-License-Identifier: GPL-2.0
"""What chalk.ko shows of itself; docs/seeing.md explains the columns."""

from __future__ import annotations

import os
from typing import Dict, Iterator, List

from .sockets import NotLoadedError

DIRECTORY = "/sys/kernel/debug/chalk"


def _rows(name: str) -> Iterator[Dict[str, str]]:
    try:
        file = open(f"{DIRECTORY}/{name}", encoding="ascii")
    except FileNotFoundError:
        if not os.path.exists("/sys/module/chalk"):
            raise NotLoadedError() from None
        raise
    with file:
        lines = (line.rstrip("\n").split("\t") for line in file
                 if not line.startswith("#"))
        names: List[str] = next(lines, [])
        for fields in lines:
            yield dict(zip(names, fields))


def connections() -> List[Dict[str, str]]:
    """The connections of this machine, with their variables. For root."""
    return list(_rows("conns"))


def events() -> Iterator[Dict[str, str]]:
    """What happens to connections from now on; waits for more. For root.

    One record for each segment, change of state, of cwnd, of a timer, with its
    cause.
    """
    return _rows("trace")
