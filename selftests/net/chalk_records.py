# SPDX-License-Identifier: GPL-2.0
"""The files of the trace: several readers, filters, and the binary form."""

import os
import select
import struct

import net

HEADER = struct.Struct("=IHH")
RECORD = struct.Struct("=QII16s16sHHBBBB22I")
MAGIC, VERSION, LOST = 0x4b4c4843, 1, 255
FIELDS = (
    "time netns conn laddr raddr lport rport kind cause state flags seq ack "
    "len wnd old new snd_una snd_nxt rcv_nxt cwnd ssthresh flight snd_wnd "
    "rcv_wnd srtt rttvar rto unsent unread ooo mss reserved").split()


def inode(space: str) -> int:
    """The number of a network namespace in the trace."""
    return os.stat(f"/run/netns/{space}").st_ino


def names() -> dict:
    """What the numbers mean: names()["kind"][0] is "send"."""
    found: dict = {}
    for row in net.table("names"):
        found.setdefault(row["what"], {})[int(row["number"])] = row["name"]
    return found


class Reader:
    """An open file of the trace; take() gives what is there."""

    def __init__(self, name: str, words: str = ""):
        mode = os.O_RDWR if words else os.O_RDONLY
        self.fd = os.open(f"{net.DEBUGFS}/{name}", mode | os.O_NONBLOCK)
        self.data = b""
        if words:
            self.filter(words)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def filter(self, words: str) -> None:
        """Only these events from now on."""
        os.write(self.fd, words.encode("ascii"))

    def wait(self, seconds: float) -> bool:
        """Until there is something to read."""
        return bool(select.select([self.fd], [], [], seconds)[0])

    def take(self, size: int = 1 << 16) -> bytes:
        """All that is there, also what was taken before."""
        while True:
            try:
                self.data += os.read(self.fd, size)
            except BlockingIOError:
                return self.data

    def lines(self) -> list:
        """The text form: its lines."""
        return self.take().decode("ascii").splitlines()

    def rows(self) -> list:
        """The text form: its records as dicts."""
        header, *rest = [line.split("\t") for line in self.lines()
                         if not line.startswith("#")]
        return [dict(zip(header, row)) for row in rest]

    def records(self) -> list:
        """The binary form: its records as dicts."""
        return parse(self.take())


def parse(data: bytes) -> list:
    """Binary records as dicts."""
    magic, version, size = HEADER.unpack_from(data)
    if (magic, version, size) != (MAGIC, VERSION, RECORD.size):
        raise ValueError(f"{magic:x} {version} {size}")
    body = data[HEADER.size:]
    if len(body) % size:
        raise ValueError(f"{len(body) % size} bytes of a record")
    return [dict(zip(FIELDS, values)) for values in RECORD.iter_unpack(body)]
