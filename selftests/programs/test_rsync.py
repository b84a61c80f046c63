# SPDX-License-Identifier: GPL-2.0
"""The rsync daemon: push, pull, differences only, passwords."""

import os
import pathlib
import re

from programs import HERE, SERVER, SERVER6, Program, scaled, sha256


class Rsync(Program):
    """One daemon for all tests."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.there = pathlib.Path("/srv/rsync")
        cls.there.mkdir(parents=True, exist_ok=True)
        secrets = pathlib.Path("/etc/rsyncd.secrets")
        secrets.write_text("alice:chalk\n")
        secrets.chmod(0o600)
        cls.serve("rsync", "--daemon", "--no-detach",
                  f"--config={HERE / 'rsyncd.conf'}", port=873)

    def rsync(self, *argv, **run):
        """Run the client."""
        return self.client("rsync", *argv, **run)

    def test_tree(self):
        tree = self.dir / "tree"
        for i in range(scaled(50)):
            path = tree / f"dir{i % 7}" / f"file{i}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(os.urandom(i * 997))
        self.rsync("-a", f"{tree}/", f"rsync://{SERVER}/files/tree/")
        self.rsync("-a", f"rsync://[{SERVER6}]/files/tree/", self.dir / "back")
        for path in tree.rglob("file*"):
            back = self.dir / "back" / path.relative_to(tree)
            self.assertEqual(sha256(back), sha256(path), path)

    def sent(self, *argv) -> int:
        """Bytes that the client says it sent."""
        out = self.rsync("-a", "--stats", *argv)
        return int(re.search(r"Total bytes sent: ([\d,]+)", out)[1]
                   .replace(",", ""))

    def test_differences(self):
        size = scaled(3000000)
        path = self.file("big", size)
        to = f"rsync://{SERVER}/files/"
        self.assertGreater(self.sent(path, to), size)
        with open(path, "r+b") as file:
            file.seek(size // 2)
            file.write(b"changed")
        self.assertLess(self.sent("-I", path, to), size // 5)
        self.assertEqual(sha256(self.there / "big"), sha256(path))

    def test_modules(self):
        self.assertEqual(self.rsync(f"rsync://{SERVER}/").split(),
                         ["files", "secret"])

    def test_password(self):
        path = self.file("mine", 1000)
        to = f"rsync://alice@{SERVER}/secret/"
        right, wrong = self.dir / "right", self.dir / "wrong"
        right.write_text("chalk\n")
        wrong.write_text("cheese\n")
        for name in (right, wrong):
            name.chmod(0o600)
        self.rsync(f"--password-file={wrong}", path, to, status=5)
        self.rsync(f"--password-file={right}", path, to)
        self.assertEqual(sha256(self.there / "mine"), sha256(path))
