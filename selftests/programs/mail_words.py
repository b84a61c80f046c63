# SPDX-License-Identifier: GPL-2.0
"""mail_words.py send HOST KIND | session HOST | pop HOST | imap HOST

What a mail program does, with Python's own clients. KIND is text, html or
attachment; session prints the codes of the server's answers, the others what they
find in alice's mailbox.
"""

import email
import email.policy
import hashlib
import imaplib
import poplib
import smtplib
import sys
from email.message import EmailMessage

HTML = "<html><body><h1>Gr\N{LATIN SMALL LETTER U WITH DIAERESIS}\N{LATIN SMALL LETTER SHARP S}e</h1></body></html>"
TEXT = ["Hello", ".", "..two dots"]
ATTACHED = bytes(range(256)) * 300


def message(kind: str) -> EmailMessage:
    """A letter to alice."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "bob@lab", "alice@lab", kind
    mail.set_content("\n".join(TEXT) + "\n")
    if kind == "html":
        mail.add_alternative(HTML, subtype="html")
    if kind == "attachment":
        mail.add_attachment(ATTACHED, maintype="application",
                            subtype="octet-stream", filename="bytes")
    return mail


def send(host: str, kind: str):
    """Hand it to the server."""
    with smtplib.SMTP(host, timeout=60) as server:
        server.send_message(message(kind))


# A conversation as the notes have it
SESSION = ("HELO crepes.fr", "MAIL FROM:<bob@crepes.fr>", "RCPT TO:<alice@lab>",
           "RCPT TO:<carol@lab>", "RCPT TO:<dave@elsewhere>", "DATA",
           "Subject: by hand\r\n\r\nDo you like ketchup?\r\n.", "QUIT")


def session(host: str):
    """A line at a time, then the letter, and the end."""
    with smtplib.SMTP(host, timeout=60) as server:
        for line in SESSION:
            server.send(line + "\r\n")
            print(server.getreply()[0])


def describe(data: bytes):
    """A line about a letter: its subject, and the parts that are right."""
    mail = email.message_from_bytes(data, policy=email.policy.SMTP)
    text = mail.get_body(("plain",)).get_content().splitlines() == TEXT
    html = mail.get_body(("html",))
    files = [hashlib.sha256(part.get_content()).digest()
             == hashlib.sha256(ATTACHED).digest()
             for part in mail.iter_attachments()]
    print(mail["Subject"], "text" if text else "",
          "html" if html and html.get_content().strip() == HTML else "",
          f"{sum(files)} files")


def pop(host: str):
    """user, pass, stat, list, retr, dele, quit."""
    box = poplib.POP3(host, timeout=60)
    box.user("alice")
    box.pass_("chalk")
    count, _ = box.stat()
    _, sizes, _ = box.list()
    print(count, len(sizes))
    for i in range(1, count + 1):
        describe(b"\r\n".join(box.retr(i)[1]))
        box.dele(i)
    box.quit()


def imap(host: str):
    """Folders on the server: what is read moves into one."""
    with imaplib.IMAP4(host, timeout=60) as box:
        box.login("alice", "chalk")
        box.create("Read")
        box.select("INBOX")
        for number in box.search(None, "UNSEEN")[1][0].split():
            describe(box.fetch(number, "(RFC822)")[1][0][1])
            box.copy(number, "Read")
            box.store(number, "+FLAGS", "\\Deleted")
        box.expunge()
        for folder in ("INBOX", "Read"):
            print(folder, int(box.select(folder)[1][0]))
        print(*sorted(line.split()[-1].decode() for line in box.list()[1]))


{"send": send, "session": session, "pop": pop, "imap": imap}[sys.argv[1]](*sys.argv[2:])
