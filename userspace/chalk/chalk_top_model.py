# SPDX-License-Identifier: GPL-2.0
"""chalk_top_model.py - samples in, rows with rates and a history out. Pure.

A sample is what inet_diag said of all sockets at one time. A Row is a socket as
long as it is there: its figures in bytes and microseconds, None where it has
none, what changed since the sample before, and the recent past.
"""

from array import array
from math import nan
from typing import Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple

from chalk_diag import Socket
from chalk_diag_print import NO_SSTHRESH

BITS = 8
KEPT = 600  # samples of the past
SERIES = ("cwnd", "flight", "srtt", "out", "in")
RECORDS = ("SYN-RECV", "TIME-WAIT")  # the kernel keeps no more of them
CLOSED = "CLOSED"


class Sample(NamedTuple):
    """A socket in the namespace of this name, "" for our own."""

    netns: str
    sock: Socket


Owner = Tuple[str, int, int]  # name, pid, descriptor: as find_owners() has it


def end_text(end: Tuple[str, int]) -> str:
    """As a trace writes it; * for no port."""
    host, port = end
    if host.startswith("::ffff:") and "." in host:
        host = host[7:]
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{port or '*'}"


class Past:
    """The last values of each series, oldest first; nan: there was none."""

    def __init__(self) -> None:
        self.values = {name: array("f") for name in SERIES}

    def add(self, found: Dict[str, Optional[float]]) -> None:
        for name, values in self.values.items():
            value = found[name]
            values.append(nan if value is None else value)
            if len(values) >= 2 * KEPT:
                del values[:KEPT]

    def amend(self, name: str, value: Optional[float]) -> None:
        """Now more is known of the last one."""
        if value is not None:
            self.values[name][-1] = value

    def last(self, name: str, count: int) -> array:
        return self.values[name][-count:] if count else array("f")


class Row:
    """A socket; what is None it does not have."""

    def __init__(self, sample: Sample):
        self.netns = sample.netns
        self.past = Past()
        self.owners: List[Owner] = []
        self.conn: Optional[int] = None  # its number in a trace
        self.exact: Dict[str, str] = {}  # its line of the table conns
        self.time: Optional[float] = None
        self.gone = False
        self.rate_out: Optional[float] = None  # bits a second
        self.rate_in: Optional[float] = None
        self.again: Optional[int] = None  # retransmissions since the last
        self._text = ""
        self._take(sample.sock)
        self._name_ends()

    def _take(self, sock: Socket) -> None:
        self.sock = sock
        # it is a connection, not a listener or a mere record
        self.has_figures = bool(sock.info) and sock.state != "LISTEN"

    def _name_ends(self) -> None:
        self.local, self.peer = self.sock.local, self.sock.peer
        self.local_text = end_text(self.local)
        self.remote_text = end_text(self.peer)

    @property
    def state(self) -> str:
        return CLOSED if self.gone else self.sock.state

    @property
    def info(self) -> Dict[str, int]:
        return self.sock.info

    def _figure(self, name: str) -> Optional[int]:
        return self.info.get(name) if self.has_figures else None

    def _in_bytes(self, name: str) -> Optional[int]:
        segments = self._figure(name)
        return None if segments is None else segments * self.info["snd_mss"]

    def _exactly(self, name: str) -> Optional[int]:
        """From the table conns, which has bytes where tcp_info has segments."""
        text = self.exact.get(name, "")
        return int(text) if text.isdigit() and self.has_figures else None

    @property
    def cwnd(self) -> Optional[int]:
        exact = self._exactly("cwnd")
        return self._in_bytes("snd_cwnd") if exact is None else exact

    @property
    def ssthresh(self) -> Optional[int]:
        """None as well while no loss has set it."""
        if (self._figure("snd_ssthresh") or NO_SSTHRESH) >= NO_SSTHRESH:
            return None
        exact = self._exactly("ssthresh")
        return self._in_bytes("snd_ssthresh") if exact is None else exact

    @property
    def flight(self) -> Optional[int]:
        """Sent and not acknowledged; after a timeout, sent again since."""
        exact, unsent = self._exactly("flight"), self.unsent
        if exact is not None:
            return exact
        return None if unsent is None else max(0, self.sock.send_q - unsent)

    @property
    def unsent(self) -> Optional[int]:
        return self._figure("notsent_bytes")

    @property
    def unread(self) -> Optional[int]:
        """For a listener: connections that wait for accept()."""
        return None if self.sock.state in RECORDS else self.sock.recv_q

    @property
    def rwnd(self) -> Optional[int]:
        return self._figure("snd_wnd")

    @property
    def srtt(self) -> Optional[int]:
        return self._figure("rtt") or None

    @property
    def retrans(self) -> Optional[int]:
        return self._figure("total_retrans")

    @property
    def process(self) -> str:
        return " ".join(sorted({f"{name}/{pid}" for name, pid, _ in
                                self.owners}))

    @property
    def text(self) -> str:
        """What a filter looks for words in."""
        if not self._text:
            timer = self.sock.timer[0] if self.sock.timer else ""
            self._text = " ".join((
                self.state, self.local_text, self.remote_text, self.process,
                timer, self.netns, self.sock.congestion)).lower()
        return self._text

    def update(self, sock: Socket, now: float,
               owners: Dict[int, List[Owner]]) -> None:
        """What was found at @now, seconds."""
        then = self.time
        before = {} if then is None else self.info
        self._take(sock)
        if (sock.local, sock.peer) != (self.local, self.peer):
            self._name_ends()
        self.time, self.gone, self._text, self.exact = now, False, "", {}
        self.owners = owners.get(sock.inode, []) if sock.inode else []
        passed = now - then if then is not None else 0
        self.rate_out = self._rate("bytes_acked", before, passed)
        self.rate_in = self._rate("bytes_received", before, passed)
        self.again = self._increase("total_retrans", before)
        self.past.add({"cwnd": self.cwnd, "flight": self.flight,
                       "srtt": self.srtt, "out": self.rate_out,
                       "in": self.rate_in})

    def refine(self, line: Dict[str, str]) -> None:
        """Its line of the table conns, read just now."""
        self.exact, self.conn = line, int(line["conn"])
        self.past.amend("cwnd", self.cwnd)
        self.past.amend("flight", self.flight)

    def _increase(self, name: str, before: Dict[str, int]) -> Optional[int]:
        if not self.has_figures or name not in before:
            return None
        return max(0, self.info.get(name, 0) - before[name])

    def _rate(self, name: str, before: Dict[str, int],
              passed: float) -> Optional[float]:
        more = self._increase(name, before)
        return None if more is None or passed <= 0 else more * BITS / passed

    def close(self) -> None:
        """It is no longer there; its last figures stay."""
        self.gone, self._text = True, ""
        self.rate_out = self.rate_in = self.again = None


Key = Tuple[str, int]
SortValue = Callable[[Row], object]


class Model:
    """All rows. The one that is held stays when its socket has gone."""

    def __init__(self) -> None:
        self.rows: Dict[Key, Row] = {}
        self.held: Optional[Key] = None

    def update(self, samples: Iterable[Sample], now: float,
               owners: Dict[int, List[Owner]]) -> None:
        fresh: Dict[Key, Row] = {}
        for sample in samples:
            key = sample.netns, sample.sock.cookie
            row = self.rows.get(key) or Row(sample)
            row.update(sample.sock, now, owners)
            fresh[key] = row
        if self.held in self.rows and self.held not in fresh:
            row = self.rows[self.held]
            if not row.gone:
                row.close()
            fresh[self.held] = row
        self.rows = fresh

    def view(self, accepts: Callable[[Row], bool], value: SortValue,
             descending: bool) -> List[Row]:
        """Sorted; rows without a value come last, equals stand by address."""
        rows = [row for row in self.rows.values() if accepts(row)]
        rows.sort(key=lambda row: (row.netns, row.local, row.peer))
        valued = [row for row in rows if value(row) is not None]
        without = [row for row in rows if value(row) is None]
        valued.sort(key=value, reverse=descending)
        return valued + without

    def key_of(self, row: Row) -> Key:
        return row.netns, row.sock.cookie

    def states(self) -> Dict[str, int]:
        """How many there are in each state."""
        counts: Dict[str, int] = {}
        for row in self.rows.values():
            counts[row.state] = counts.get(row.state, 0) + 1
        return counts

    def totals(self) -> Tuple[float, float]:
        """Bits a second out and in of them all."""
        rows = self.rows.values()
        return (sum(row.rate_out or 0 for row in rows),
                sum(row.rate_in or 0 for row in rows))
