# SPDX-License-Identifier: GPL-2.0
"""chalk.ko as "make modules_install" leaves it: modprobe finds it, the kernel takes it."""

import os
import pathlib
import socket
import subprocess

from net import IPPROTO_CHALK, wait_until
from test_run import CHALK, Programs, setUpModule  # noqa: F401

LOADED = pathlib.Path("/sys/module/chalk")


def modprobe(*words: str) -> int:
    """With the modules below $INSTALLED; the exit status."""
    return subprocess.run(["modprobe", "-d", os.environ["INSTALLED"], *words],
                          check=False).returncode


class Modprobe(Programs):
    """the module is loaded again, stripped"""

    def test_modprobe(self):
        """out, in by its name, a socket; it says its version (0.5 s)"""
        self.assertTrue(wait_until(lambda: not LOADED.exists() or not
                                   modprobe("-r", "-a", "chalk_diag", "chalk"), 70, 1))
        self.assertFalse(LOADED.exists())
        self.assertEqual(modprobe("chalk"), 0)
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_CHALK).close()
        installed = next(pathlib.Path(os.environ["INSTALLED"]).glob(
            "lib/modules/*/updates/chalk.ko"))
        self.assertLess(installed.stat().st_size, 2_000_000)
        done = subprocess.run([CHALK, "--version"], check=True, text=True,
                              capture_output=True)
        version = (LOADED / "version").read_text("ascii")
        self.assertEqual(done.stdout, f"chalk {version}chalk.ko {version}")
