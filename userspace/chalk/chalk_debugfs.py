# SPDX-License-Identifier: GPL-2.0
"""chalk_debugfs.py - open the files in which chalk.ko shows itself.

Owns where they are, and the words for what is in the way.
"""

import os
from typing import Dict, List

from chalk_base import TraceError

DEBUGFS = "/sys/kernel/debug"


def open_file(name: str, flags: int = 0) -> int:
    """A descriptor of one of them, for reading, with more flags of open()."""
    try:
        return os.open(f"{DEBUGFS}/chalk/{name}", os.O_RDONLY | flags)
    except PermissionError:
        raise TraceError("only root may read this; try: sudo") from None
    except FileNotFoundError:
        pass
    if not os.path.exists("/sys/module/chalk"):
        raise TraceError("chalk.ko is not loaded; run: modprobe chalk")
    raise TraceError("debugfs is not mounted; run: "
                     f"mount -t debugfs none {DEBUGFS}")


def read_table(name: str) -> List[Dict[str, str]]:
    """One of them that is a table: its lines, by the names of the columns."""
    with os.fdopen(open_file(name), encoding="ascii") as file:
        lines = [line.rstrip("\n").split("\t") for line in file
                 if not line.startswith("#")]
    return [dict(zip(lines[0], line)) for line in lines[1:]]
