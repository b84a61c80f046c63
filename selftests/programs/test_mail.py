# SPDX-License-Identifier: GPL-2.0
"""exim takes letters, dovecot hands them out; Python's clients."""

import pathlib
import shutil

from net import wait_until
from programs import HERE, PATIENCE, SERVER, SERVER6, Program

KINDS = ("text", "html", "attachment")
BOX = pathlib.Path("/srv/mail/alice")

class Mail(Program):
    """Both servers for all tests."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        shutil.copy(HERE / "exim.conf", "/etc/exim4/exim4.conf")
        BOX.parent.mkdir(parents=True, exist_ok=True)
        shutil.chown(BOX.parent, "mail", "mail")
        cls.serve("exim4", "-bdf", "-q1h", port=25)
        cls.serve("dovecot", "-F", "-c", HERE / "dovecot.conf", port=143)

    def setUp(self):
        super().setUp()
        shutil.rmtree(BOX, ignore_errors=True)

    def words(self, *argv):
        """One of Python's clients; its output, a line an element."""
        out = self.client("python3", HERE / "mail_words.py", *argv)
        return [" ".join(line.split()) for line in out.splitlines()]

    def deliver(self, *kinds, to=SERVER):
        """Send letters, and wait until they are in the box."""
        for kind in kinds:
            self.words("send", to, kind)
        self.await_letters(len(kinds))

    def await_letters(self, count):
        """Until there are so many new ones in the box."""
        self.assertTrue(wait_until(
            lambda: len(list(BOX.glob("new/*"))) == count, 60 * PATIENCE))

    def test_pop3(self):
        self.deliver(*KINDS)
        count, *letters = self.words("pop", SERVER)
        self.assertEqual(count, "3 3")
        self.assertCountEqual(letters, ["text text 0 files",
                                        "html text html 0 files",
                                        "attachment text 1 files"])
        self.assertEqual(self.words("pop", SERVER), ["0 0"])

    def test_imap(self):
        self.deliver(*KINDS)
        *letters, inbox, read, folders = self.words("imap", SERVER)
        self.assertEqual(len(letters), 3)
        self.assertEqual((inbox, read), ("INBOX 0", "Read 3"))
        self.assertEqual(folders, "INBOX Read")

    def test_ipv6(self):
        self.deliver("attachment", to=SERVER6)
        self.assertEqual(self.words("pop", SERVER6),
                         ["1 1", "attachment text 1 files"])

    def test_session(self):
        self.assertEqual(self.words("session", SERVER),
                         "250 250 250 550 550 354 250 221".split())
        self.await_letters(1)
        letter = next(BOX.glob("new/*")).read_text()
        self.assertTrue(letter.endswith("\n\nDo you like ketchup?\n"))
