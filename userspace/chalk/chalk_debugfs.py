# SPDX-License-Identifier: GPL-2.0
"""chalk_debugfs.py - open the files in which chalk.ko shows itself.

Owns where they are, and the words for what is in the way.
"""

import os

from chalk_trace import TraceError

DEBUGFS = "/sys/kernel/debug"


def open_file(name: str) -> int:
    """A descriptor of one of them, for reading."""
    try:
        return os.open(f"{DEBUGFS}/chalk/{name}", os.O_RDONLY)
    except PermissionError:
        raise TraceError("only root may read this; try: sudo") from None
    except FileNotFoundError:
        pass
    if not os.path.exists("/sys/module/chalk"):
        raise TraceError("chalk.ko is not loaded; run: insmod chalk.ko")
    raise TraceError("debugfs is not mounted; run: "
                     f"mount -t debugfs none {DEBUGFS}")
