# SPDX-License-Identifier: GPL-2.0
"""test_fixture.py - traces for the tests of the tools, and running a tool.

A Script writes records as the two ends of one connection would, with a fixed
delay between them; what a test says nothing about has a plausible default.
"""

import os
import subprocess
from typing import Dict, List

from chalk_columns import COLUMNS
from chalk_trace import Trace

HERE = os.path.dirname(os.path.realpath(__file__))
CLIENT, SERVER = "10.0.1.2:40000", "10.0.2.2:7000"
DELAY = 0.02
MSS = 1000
CLIENT_ISN, SERVER_ISN = 5_000, 4_294_967_000


def chalk(*args: str, stdin: str = "") -> subprocess.CompletedProcess:
    """Run the tool; its output as text."""
    env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1",
               PYTHONIOENCODING="utf-8")
    return subprocess.run([os.path.join(HERE, "chalk"), *args], input=stdin,
                          capture_output=True, text=True, env=env,
                          encoding="utf-8", check=False)


class Script:
    """A trace in the making; records are sorted by time when it is read."""

    def __init__(self) -> None:
        self.rows: List[Dict[str, str]] = []

    def add(self, time: float, server: bool, event: str, **fields) -> None:
        row = dict.fromkeys(COLUMNS, "0")
        row.update(time=f"{time:.6f}", conn="2" if server else "1",
                   local=SERVER if server else CLIENT,
                   remote=CLIENT if server else SERVER, event=event,
                   cause="-", clause="-", flags=".", state="ESTABLISHED",
                   wnd="65535", cwnd="10000",
                   ssthresh=str(0x7fffffff), snd_wnd="65535")
        row.update({name: str(value) for name, value in fields.items()})
        self.rows.append(row)

    def segment(self, time: float, server: bool, flags: str, lost=False,
                event="send", states=("ESTABLISHED", "ESTABLISHED"),
                cause="data", **fields) -> None:
        """A segment leaves; unless it is lost it arrives a delay later.

        seq and ack count from the two initial sequence numbers.
        """
        isns = (SERVER_ISN, CLIENT_ISN) if server else (CLIENT_ISN, SERVER_ISN)
        for name, isn in zip(("seq", "ack"), isns):
            fields[name] = (fields.get(name, 0) + isn) % (1 << 32)
        if "A" not in flags:
            fields["ack"] = 0
        self.add(time, server, event, flags=flags, state=states[0],
                 cause=cause, **fields)
        if not lost:
            self.add(time + DELAY, not server, "recv", flags=flags,
                     state=states[1], cause="segment arrives", **fields)

    def state(self, time: float, server: bool, state: str, cause="-") -> None:
        self.add(time, server, "state", state=state, cause=cause)

    def open(self) -> None:
        """The handshake: 0 s to 0.06 s."""
        self.segment(0, False, "S", states=("SYN_SENT", "SYN_RCVD"))
        self.segment(.02, True, "SA", ack=1, states=("SYN_RCVD", "SYN_SENT"))
        self.state(.04, False, "ESTABLISHED", "SYN+ACK arrives")
        self.segment(.04, False, "A", seq=1, ack=1,
                     states=("ESTABLISHED", "SYN_RCVD"))
        self.state(.06, True, "ESTABLISHED", "our SYN is acknowledged")

    def close(self, time: float, seq: int) -> None:
        """The client closes first; four segments, then TIME_WAIT of 60 s."""
        self.segment(time, False, "FA", seq=seq, ack=1,
                     states=("FIN_WAIT_1", "ESTABLISHED"))
        self.state(time + .02, True, "CLOSE_WAIT", "FIN arrives")
        self.segment(time + .02, True, "A", seq=1, ack=seq + 1,
                     states=("CLOSE_WAIT", "FIN_WAIT_1"))
        self.state(time + .04, False, "FIN_WAIT_2", "our FIN is acknowledged")
        self.segment(time + .05, True, "FA", seq=1, ack=seq + 1,
                     states=("LAST_ACK", "FIN_WAIT_2"))
        self.state(time + .07, False, "TIME_WAIT", "FIN arrives")
        self.segment(time + .07, False, "A", seq=seq + 1, ack=2,
                     states=("TIME_WAIT", "LAST_ACK"))
        self.state(time + .09, True, "CLOSED", "our FIN is acknowledged")
        self.state(time + 60.07, False, "CLOSED", "TIME_WAIT of 2 MSL")

    def text(self) -> str:
        rows = sorted(self.rows, key=lambda row: float(row["time"]))
        una = {"1": str(CLIENT_ISN), "2": str(SERVER_ISN)}
        for row in rows:
            if row["event"] == "recv" and "A" in row["flags"]:
                una[row["conn"]] = row["ack"]
            row["snd_una"] = una.get(row["conn"], "0")
        lines = ["\t".join(COLUMNS)]
        lines += ["\t".join(row[name] for name in COLUMNS) for row in rows]
        return "\n".join(lines) + "\n"

    def trace(self) -> Trace:
        return Trace(self.text().splitlines(), "fixture")


def transfer(count: int = 8, lost: int = 3) -> Script:
    """A transfer of full segments, one of them lost and sent again.

    The client sends them a millisecond apart from 0.1 s on, the server
    answers each; the third duplicate ACK brings the retransmission.
    """
    script = Script()
    script.open()
    ack = 1
    for number in range(count):
        time, seq = .1 + number / 1000, 1 + number * MSS
        script.segment(time, False, "PA", number == lost, seq=seq, ack=1,
                       len=MSS)
        if number != lost:
            ack = seq + MSS if number < lost else ack
            script.segment(time + DELAY, True, "A", seq=1, ack=ack)
    third = .1 + (lost + 3) / 1000 + 2 * DELAY
    script.add(third, False, "ssthresh", cause="third duplicate ACK",
               cwnd=5000, ssthresh=5000)
    script.add(third, False, "cwnd", cause="third duplicate ACK", cwnd=8000,
               ssthresh=5000)
    script.segment(third, False, "PA", event="rtx", seq=1 + lost * MSS, ack=1,
                   len=MSS, cause="third duplicate ACK")
    script.segment(third + DELAY, True, "A", seq=1, ack=1 + count * MSS)
    done = third + 2 * DELAY
    script.add(done, False, "cwnd", cause="recovery done", cwnd=5000,
               ssthresh=5000)
    script.add(done, False, "rtt", cause="timestamp echo", new=40000)
    script.close(1.0, 1 + count * MSS)
    return script
