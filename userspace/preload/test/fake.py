# SPDX-License-Identifier: GPL-2.0
"""fake.py - run programs on a kernel that seems to have Chalk.

Owns the library that makes believe, fake_chalk.c, built where it is needed.
"""

import os
import subprocess
import tempfile
from typing import Dict, List, Optional

HERE = os.path.dirname(os.path.realpath(__file__))
_scratch: Dict[str, tempfile.TemporaryDirectory] = {}


def build() -> None:
    """Before the first test."""
    _scratch["it"] = tempfile.TemporaryDirectory()
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", f"{directory()}/fake.so",
                    os.path.join(HERE, "fake_chalk.c")], check=True)


def remove() -> None:
    """After the last one."""
    _scratch.pop("it").cleanup()


def directory() -> str:
    """For the tests' own files, too."""
    return _scratch["it"].name


def run(command: List[str], has: str, env: Optional[Dict[str, str]] = None
        ) -> subprocess.CompletedProcess:
    """Run it where the kernel @has Chalk: "full", "v4" or "none"."""
    env = dict(os.environ, LD_PRELOAD=f"{directory()}/fake.so", FAKE_CHALK=has,
               PYTHONDONTWRITEBYTECODE="1", **(env or {}))
    return subprocess.run(command, env=env, text=True, check=False,
                          capture_output=True, timeout=60)
