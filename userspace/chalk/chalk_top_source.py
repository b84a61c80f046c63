# SPDX-License-Identifier: GPL-2.0
"""chalk_top_source.py - where chalk top gets its samples from.

inet_diag tells of all sockets; whoever may use it sees the table. For the one
connection that is looked into, the table conns of debugfs adds what inet_diag
lacks, if root asks: its number in a trace; cwnd, ssthresh and flight to the byte.
"""

import os
import socket
import time
from typing import Dict, List, NamedTuple, Set

import chalk_debugfs
import chalk_netns
from chalk_diag import Diag
from chalk_diag_print import find_owners
from chalk_top_model import Model, Owner, Row, Sample
from chalk_base import TraceError

FAMILIES = (socket.AF_INET, socket.AF_INET6)
# looking through /proc takes long: at most this share of the time
SCAN_SHARE = 0.05
SCAN_LEAST = 1.0


class Space(NamedTuple):
    """A network namespace; @name is "" for the one we are in."""

    name: str
    number: int
    diag: Diag


def open_space(name: str) -> Space:
    if not name:
        return Space("", chalk_netns.number(), Diag())
    with chalk_netns.inside(name):
        return Space(name, chalk_netns.number(), Diag())


def all_names() -> List[str]:
    """Our own namespace and those that ip netns lists."""
    try:
        return [""] + sorted(os.listdir(chalk_netns.NAMED))
    except FileNotFoundError:
        return [""]


class Owners:
    """Which process has which socket, as far as /proc tells us."""

    def __init__(self) -> None:
        self.found: Dict[int, List[Owner]] = {}
        self.due = 0.0
        self.asked: Set[int] = set()

    def update(self, inodes: Set[int]) -> None:
        """Look again if there are new ones, or some have gone elsewhere."""
        now = time.monotonic()
        if now < self.due or inodes <= self.asked:
            return
        self.found = find_owners()
        self.asked = inodes
        spent = time.monotonic() - now
        self.due = now + max(SCAN_LEAST, spent / SCAN_SHARE)


class Source:
    """The kernel, for the namespaces of these names."""

    def __init__(self, names: List[str]):
        self.spaces = [open_space(name) for name in names or [""]]
        self.owners = Owners()

    def sample(self, model: Model, states: int) -> None:
        """Ask for all sockets in @states."""
        try:
            samples = [Sample(space.name, sock) for space in self.spaces
                       for family in FAMILIES
                       for sock in space.diag.dump(family, states)]
        except OSError as error:
            raise TraceError(str(error)) from None
        now = time.monotonic()
        self.owners.update({s.sock.inode for s in samples if s.sock.inode})
        model.update(samples, now, self.owners.found)

    def look_up(self, row: Row) -> None:
        """What only root learns of a connection; TraceError where not."""
        spaces = {space.name: space.number for space in self.spaces}
        wanted = (str(spaces[row.netns]), row.local_text.replace(":*", ":0"),
                  row.remote_text.replace(":*", ":0"))
        for line in chalk_debugfs.read_table("conns"):
            if (line["netns"], line["local"], line["remote"]) == wanted:
                row.refine(line)
                return
        if not row.conn:
            raise TraceError("it is not in the table conns")
