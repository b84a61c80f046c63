# SPDX-License-Identifier: GPL-2.0
"""chalk_merge.py - two traces of two machines as one, in the order of time.

Their clocks differ. Segments that left one and reached the other tell by how
much, if it is assumed that the fastest segment each way took equally long:

    there = least (arrival at B - departure at A) = delay + offset
    back  = least (arrival at A - departure at B) = delay - offset
"""

import heapq
from typing import Dict, Iterable, List, Optional, Tuple

from chalk_forms import Item, Note, Row
from chalk_base import TraceError
from chalk_columns import NUMBERS, TIMES

SENT, ARRIVED = ("send", "rtx"), ("recv", "drop")


def _segment(row: Row) -> Tuple:
    """What both ends' records of a segment have in common."""
    ends = (row["local"], row["remote"])
    return (*(ends if row["event"] in SENT else ends[::-1]), row["flags"],
            row["seq"], row["ack"], row["len"])


def least_way(from_rows: Iterable[Row], to_rows: Iterable[Row]
              ) -> Optional[int]:
    """The least time from a departure to the arrival, by the two clocks."""
    left: Dict[Tuple, List[int]] = {}
    for row in from_rows:
        if row["event"] in SENT:
            left.setdefault(_segment(row), []).append(row["time"])
    # what was sent or arrived twice does not say which is which
    came: Dict[Tuple, List[int]] = {}
    for row in to_rows:
        if row["event"] in ARRIVED[:1] and _segment(row) in left:
            came.setdefault(_segment(row), []).append(row["time"])
    return min((times[0] - left[key][0] for key, times in came.items()
                if len(times) == len(left[key]) == 1), default=None)


def estimate(a_rows: List[Row], b_rows: List[Row]) -> int:
    """Nanoseconds that B's clock is ahead of A's."""
    there = least_way(a_rows, b_rows)
    back = least_way(b_rows, a_rows)
    if there is None or back is None:
        raise TraceError("no segments went both ways between the two traces: "
                         "give the clocks' difference with --offset")
    return (there - back) // 2


def merge(a_items: Iterable[Item], b_items: Iterable[Item],
          offset: Optional[int]) -> Tuple[List[Item], int]:
    """
    Both, in A's time, with numbers of connections that do not clash.

    Return: the items, and by how much B's clock was ahead.
    """
    a_all, b_all = list(a_items), list(b_items)
    a_rows, b_rows = ([i for i in items if not isinstance(i, Note)]
                      for items in (a_all, b_all))
    if offset is None:
        offset = estimate(a_rows, b_rows)
    highest = max((row["conn"] for row in a_rows), default=0)
    shifted = [dict(row, time=row["time"] - offset,
                    conn=row["conn"] and row["conn"] + highest)
               for row in b_rows]
    if any(row["conn"] >= NUMBERS for row in shifted):
        raise TraceError("the numbers of the connections of both are too high "
                         "to stand beside each other")
    if any(row["time"] >= TIMES for row in shifted):
        raise TraceError("the second trace would end beyond all clocks")
    if any(row["time"] < 0 for row in shifted):
        raise TraceError("the second trace would begin before time 0: "
                         "name the traces the other way round")
    notes = [i for i in a_all + b_all if isinstance(i, Note)]
    rows = heapq.merge(a_rows, shifted, key=lambda row: row["time"])
    return [*notes, *rows], offset
