# SPDX-License-Identifier: GPL-2.0
"""example.py - what the examples have in common: the words after their name.

The calls of the socket interface themselves stand in each of them.
"""

import os
import sys


def arguments(*names: str) -> list:
    """One for each of @names; PORT is a number. Else a line, and status 2."""
    words: list = sys.argv[1:]
    program = os.path.basename(sys.argv[0])
    if len(words) != len(names):
        wrong(f"usage: {program} {' '.join(names)}")
    at = names.index("PORT")
    if not words[at].isdecimal() or not 0 < int(words[at]) < 65536:
        wrong(f"{program}: {words[at]}: not a port")
    words[at] = int(words[at])
    return words


def wrong(line: str) -> None:
    """The program was called wrongly."""
    print(line, file=sys.stderr)
    sys.exit(2)
