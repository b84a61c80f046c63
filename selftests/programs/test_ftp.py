# SPDX-License-Identifier: GPL-2.0
"""vsftpd and curl: who may do what, with active and passive data connections."""

import pathlib
import subprocess

from programs import (CLIENT, HERE, SERVER, SERVER6, Program, scaled, sh,
                      sha256)

ROOT = pathlib.Path("/srv/ftp")
HOME = pathlib.Path("/home/alice")

# In a session on one control connection: where we are, folders, names, sizes.
SESSION = """
import ftplib, io, sys
ftp = ftplib.FTP(sys.argv[1], "alice", "chalk", timeout=60)
ftp.mkd("folder")
ftp.cwd("folder")
print(ftp.pwd())
for name in ("one", "two"):
    ftp.storbinary("STOR " + name, io.BytesIO(name.encode() * 1000))
ftp.rename("two", "zwei")
print(*sorted(ftp.nlst()), ftp.size("zwei"))
ftp.set_pasv(False)
lines = []
ftp.retrlines("LIST", lines.append)
print(len(lines))
for name in ("one", "zwei"):
    ftp.delete(name)
ftp.cwd("..")
ftp.rmd("folder")
print(*ftp.nlst())
print(ftp.quit())
"""


class Ftp(Program):
    """One server for all tests."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        sh("id alice 2>/dev/null || useradd -m -s /bin/sh alice")
        subprocess.run(["chpasswd"], input="alice:chalk", text=True,
                       check=True)
        ROOT.mkdir(parents=True, exist_ok=True)
        pathlib.Path("/var/run/vsftpd/empty").mkdir(parents=True,
                                                    exist_ok=True)
        cls.serve("vsftpd", HERE / "vsftpd.conf", port=21)

    def curl(self, *argv, **run):
        """The output of curl."""
        return self.client("curl", "-sS", *argv, **run)

    def fetch_and_store(self, *options, host=SERVER):
        """There and back again, as a real user."""
        path, back = self.file("data", scaled(2000000)), self.dir / "back"
        url = f"ftp://alice:chalk@{host}/data"
        self.curl(*options, "-T", path, url)
        self.assertEqual(sha256(HOME / "data"), sha256(path))
        self.curl(*options, "-o", back, url)
        self.assertEqual(sha256(back), sha256(path))

    def test_passive(self):
        self.fetch_and_store()

    def test_passive_by_old_command(self):
        self.fetch_and_store("--disable-epsv")

    def test_active(self):
        self.fetch_and_store("--ftp-port", CLIENT)

    def test_active_by_old_command(self):
        self.fetch_and_store("--ftp-port", CLIENT, "--disable-eprt")

    def test_passive_ipv6(self):
        self.fetch_and_store(host=f"[{SERVER6}]")

    def test_active_ipv6(self):
        self.fetch_and_store("--ftp-port", "-", host=f"[{SERVER6}]")

    def test_anonymous(self):
        (ROOT / "public").write_text("Hello\n")
        self.assertEqual(self.curl(f"ftp://{SERVER}/public"), "Hello\n")
        self.assertIn(" public\n", self.curl(f"ftp://{SERVER}/"))
        # 25: the server denied the upload
        self.curl("-T", ROOT / "public", f"ftp://{SERVER}/mine", status=25)

    def test_wrong_password(self):
        # 67: the server denied the login
        self.curl(f"ftp://alice:cheese@{SERVER}/", status=67)

    def test_resume(self):
        path, part = self.file("big", scaled(2000000)), self.dir / "part"
        data = path.read_bytes()
        (HOME / "big").write_bytes(data)
        part.write_bytes(data[:len(data) // 3])
        self.curl("-C", "-", "-o", part, f"ftp://alice:chalk@{SERVER}/big")
        self.assertEqual(sha256(part), sha256(path))

    def test_session(self):
        for old in HOME.glob("[a-z]*"):
            old.unlink()
        out = self.client("python3", "-c", SESSION, SERVER)
        self.assertEqual(out.splitlines(), [
            "/home/alice/folder", "one zwei 3000", "2", "", "221 Goodbye."])
