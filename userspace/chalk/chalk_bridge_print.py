# SPDX-License-Identifier: GPL-2.0
"""chalk_bridge_print.py - what the list of bridges looks like."""

from typing import Dict, Iterator

from chalk_bridge import Bridge, Found
from chalk_bridge_program import COUNTERS


def selection(bridge: Bridge) -> str:
    words = [f"port {n}" for n in bridge.ports]
    words += [f"peer {address}" for address in bridge.peers]
    return ", ".join(words) or "all"


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def lines_of_way(word: str, old: int, new: int,
                 counts: Dict[str, int]) -> Iterator[str]:
    text = (f"  {word:3}  {old:3} -> {new:3}  "
            f"{plural(counts['packets'], 'packet')}")
    if counts["errors"]:
        text += f", {plural(counts['errors'], 'ICMP error')} about them"
    yield text
    if counts["oversized"]:
        yield (f"       {plural(counts['oversized'], 'packet')} dropped: "
               "larger than the MTU; turn off tso, gso and gro where they "
               "come from (ethtool -K)")
    for name in list(COUNTERS)[3:]:
        if counts[name]:
            yield (f"       {plural(counts[name], 'packet')} left alone: "
                   f"{COUNTERS[name]}")


def lines(found: Found) -> Iterator[str]:
    bridge = found.bridge
    yield f"{bridge.device}  wire {bridge.wire}, {selection(bridge)}"
    for word, counts in zip(("in", "out"), found.counts()):
        way = bridge.way(word == "in", 0)
        yield from lines_of_way(word, way.old, way.new, counts)


def as_json(found: Found) -> Dict[str, object]:
    into, out = found.counts()
    return {**found.bridge._asdict(), "in": into, "out": out}
