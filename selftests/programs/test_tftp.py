# SPDX-License-Identifier: GPL-2.0
"""TFTP: tftpd-hpa and its client; a file in blocks, each one acknowledged."""

import pathlib

from programs import SERVER, SERVER6, Program, scaled, sha256

ROOT = pathlib.Path("/srv/tftp")


class Tftp(Program):
    """One server for all tests."""

    kinds = ("dgram",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ROOT.mkdir(parents=True, exist_ok=True)
        ROOT.chmod(0o777)
        cls.serve("/usr/sbin/in.tftpd", "--foreground", "--create", "--secure",
                  ROOT, port=69)

    def tftp(self, *argv, host=SERVER):
        """Run the client with binary transfers."""
        return self.client("tftp", "-v", host, "-m", "binary", "-c", *argv)

    def fetch(self, host):
        """A file that comes."""
        path, got = self.file("boot", scaled(300001)), self.dir / "got"
        (ROOT / "boot").write_bytes(path.read_bytes())
        self.tftp("get", "boot", got, host=host)
        self.assertEqual(sha256(got), sha256(path))

    def test_get(self):
        self.fetch(SERVER)

    def test_get_ipv6(self):
        self.fetch(SERVER6)

    def test_put(self):
        path = self.file("mine", scaled(200000) // 512 * 512)
        self.tftp("put", path, "mine")
        self.assertEqual(sha256(ROOT / "mine"), sha256(path))

    def test_no_such_file(self):
        self.assertIn("File not found", self.tftp("get", "nothing"))
