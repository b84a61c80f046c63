# SPDX-License-Identifier: GPL-2.0
"""guest.py [PROGRAM...] - run the scripts in the VM, and count."""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "net"))

import guest  # noqa: E402 pylint: disable=wrong-import-position

if __name__ == "__main__":
    sys.exit(guest.main(HERE, ["test_" + name for name in sys.argv[1:]]))
