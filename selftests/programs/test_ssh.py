# SPDX-License-Identifier: GPL-2.0
"""OpenSSH: commands, files, tunnels in both directions."""

import pathlib

from net import wait_until
from programs import (HERE, PATIENCE, SERVER, SERVER6, SOCAT, Program,
                      listening, running, scaled, sh, sha256)


class Ssh(Program):
    """One server for all tests; the client knows its key."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ("host_key", "key"):
            sh(f"ssh-keygen -q -t ed25519 -N '' -f {cls.dir / name}")
        keys = pathlib.Path("/etc/ssh/lab_keys")
        keys.write_bytes((cls.dir / "key.pub").read_bytes())
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)
        host = (cls.dir / "host_key.pub").read_text()
        (cls.dir / "known").write_text(
            f"{SERVER} {host}{SERVER6} {host}")
        cls.serve("/usr/sbin/sshd", "-D", "-e", "-f", HERE / "sshd.conf",
                  "-h", cls.dir / "host_key", port=22)
        cls.options = ("-i", cls.dir / "key", "-o", "BatchMode=yes", "-o",
                       f"UserKnownHostsFile={cls.dir / 'known'}")

    def ssh(self, *argv, to=SERVER, **run):
        """Run ssh with our key."""
        return self.client("ssh", *self.options, f"root@{to}", *argv, **run)

    def test_command(self):
        self.assertEqual(self.ssh("echo $((6 * 7)); exit 3", status=3), "42\n")

    def test_ipv6(self):
        client, port, *_ = self.ssh("echo $SSH_CONNECTION", to=SERVER6).split()
        self.assertEqual(client, "fd00::1")
        self.assertGreater(int(port), 1023)

    def test_filter(self):
        data = self.file("data", scaled(2000000)).read_bytes()
        self.assertEqual(self.ssh("cat", input=data, text=False), data)

    def test_copy(self):
        path = self.file("original", scaled(2000000))
        there, back = self.dir / "there", self.dir / "back"
        self.client("scp", *self.options, path, f"root@{SERVER}:{there}")
        self.client("scp", *self.options, f"root@{SERVER}:{there}", back)
        self.assertEqual(sha256(back), sha256(path))

    def test_sftp(self):
        (self.dir / "a").write_text("Hello\n")
        out = self.client(
            "sftp", "-b", "-", *self.options, f"root@{SERVER}",
            input=f"put {self.dir}/a {self.dir}/b\nls {self.dir}/b\n")
        self.assertIn(f"{self.dir}/b", out.splitlines()[-1])
        self.assertEqual((self.dir / "b").read_text(), "Hello\n")

    def through(self, option, spec, entry, host):
        """What comes out when ssh is told to forward, and netcat enters."""
        with running(["ssh", *self.options, "-N", option, spec,
                      "-o", "ExitOnForwardFailure=yes", f"root@{SERVER}"]):
            self.assertTrue(wait_until(
                lambda: listening(host, entry, "stream"), 30 * PATIENCE))
            return self.client("nc", "-N", "127.0.0.1", entry, host=host,
                               input="Hello\n")

    def test_forward(self):
        self.serve(*SOCAT, "TCP-LISTEN:2000,fork,reuseaddr", "EXEC:'tr a-z A-Z'",
                   port=2000, ends=143)
        self.assertEqual(
            self.through("-L", "3000:127.0.0.1:2000", 3000, "client"), "HELLO\n")

    def test_forward_back(self):
        self.serve(*SOCAT, "TCP-LISTEN:2000,fork,reuseaddr", "EXEC:'tr a-z A-Z'",
                   port=2000, host="client", ends=143)
        self.assertEqual(
            self.through("-R", "3000:127.0.0.1:2000", 3000, "server"), "HELLO\n")
