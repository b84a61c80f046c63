#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""http_arithmetic.py - how many round trips a page with ten images takes.

Run in the lab VM, which has a counted clock. nginx on bob serves eleven small
files over Chalk, alice fetches them in several ways, a router between them delays
every packet by half a round trip. What is measured runs from the first SYN of
alice to the arrival of the last byte, as the trace tells it.

What is expected is the sum of the notes, in round trips. The links have no rate,
so bits take no time, and ten responses fit into the initial window of ten
segments (RFC 6928). What is measured above the sum is the programs' computing.
"""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import List, NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "net"))

from net import (ALICE, BOB, DEBUGFS, Net, Trace, sh,  # noqa: E402 pylint: disable=wrong-import-position
                 wait_until)

RTT = 0.1
IMAGES = 10
SIZE = 1000
PORT = 80
URLS = [f"http://{BOB}/{name}" for name in
        ["page", *(f"image{i}" for i in range(IMAGES))]]
PIPELINE = ("python3", str(HERE / "http_pipeline.py"))
CLOSE = ("-H", "Connection: close")
NGINX = """
daemon off;
user root;
pid nginx.pid;
error_log stderr;
events {}
http {
	access_log off;
	server {
		listen %d;
		root www;
	}
}
"""


class Way(NamedTuple):
    """A way to fetch the page: commands, one after the other.

    @rides: the first request is in the third segment of the handshake
    """

    name: str
    connections: int
    round_trips: int
    commands: List[List[str]]
    rides: bool = False


def curl(urls, *options) -> List[str]:
    """curl, for these and no others, throwing away what it gets."""
    return ["curl", "-sS", "--fail", "--no-progress-meter", *options,
            *(arg for url in urls for arg in ("-o", "/dev/null", url))]


WAYS = (
    Way("non-persistent", 1 + IMAGES, 2 + 2 * IMAGES, [curl(URLS, *CLOSE)]),
    Way("non-persistent, in parallel", 1 + IMAGES, 2 + 2, [
        curl(URLS[:1], *CLOSE),
        curl(URLS[1:], *CLOSE, "-Z", "--parallel-immediate")]),
    Way("persistent", 1, 2 + IMAGES, [curl(URLS)]),
    Way("persistent, pipelined", 1, 2 + 1, [[*PIPELINE, *URLS]]),
    Way("the same, riding on the ACK", 1, 2 + 1,
        [[*PIPELINE, "--ride", *URLS]], rides=True),
)


@contextlib.contextmanager
def web_server():
    """nginx on bob, with the page and the images."""
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        (directory / "www").mkdir()
        for url in URLS:
            path = directory / "www" / url.rpartition("/")[2]
            path.write_bytes(bytes(SIZE))
        (directory / "nginx.conf").write_text(NGINX % PORT)
        with subprocess.Popen(["ip", "netns", "exec", "bob", "chalk", "run",
                               "nginx", "-p", name, "-c", "nginx.conf"]) as nginx:
            try:
                if not wait_until(listening, 30):
                    raise RuntimeError("nginx does not listen")
                yield
            finally:
                nginx.terminate()


def listening() -> bool:
    """Whether anybody listens on the port."""
    with open(f"{DEBUGFS}/conns", encoding="ascii") as file:
        return any(f":{PORT}\t" in line and "\tLISTEN\t" in line
                   for line in file)


class Segments:
    """What alice sent and received, of one command."""

    def __init__(self, events):
        self.all = [ev for ev in events if ev["local"].startswith(f"{ALICE}:")
                    and ev["event"] in ("send", "rtx", "recv")]
        self.syns = [ev for ev in self.all
                     if ev["event"] == "send" and ev["flags"] == "S"]
        self.resent = [ev for ev in self.all if ev["event"] == "rtx"]

    @property
    def seconds(self) -> float:
        """From the first SYN to the last byte."""
        data = [ev for ev in self.all
                if ev["event"] == "recv" and ev["len"] != "0"]
        return float(data[-1]["time"]) - float(self.syns[0]["time"])

    @property
    def behind_ack(self) -> float:
        """Seconds from the handshake's ACK to the first request.

        0 if the request is in the segment of that ACK.
        """
        _, ack, *others = [ev for ev in self.all if ev["event"] == "send"
                           and ev["local"] == self.syns[0]["local"]]
        request = next(ev for ev in [ack, *others] if ev["len"] != "0")
        return float(request["time"]) - float(ack["time"])


class Measured:
    """A way, gone. Its trace stays as WAY.tsv in @directory, if there is one."""

    def __init__(self, way: Way, directory=None):
        parts = []
        for i, argv in enumerate(way.commands):
            events, text = fetch(argv)
            parts.append(Segments(events))
            if directory:
                name = way.name.replace(",", "").replace(" ", "-")
                pathlib.Path(directory, f"{name}-{i}.tsv").write_bytes(text)
        self.seconds = sum(part.seconds for part in parts)
        self.connections = sum(len(part.syns) for part in parts)
        self.resent = sum(len(part.resent) for part in parts)
        self.behind_ack = parts[0].behind_ack


def fetch(argv):
    """What a command on alice makes happen, as events and as text."""
    trace = Trace()
    try:
        subprocess.run(["ip", "netns", "exec", "alice", "chalk", "run", *argv],
                       check=True, timeout=60)
    finally:
        events = trace.stop()
    return events, trace.text


@contextlib.contextmanager
def network():
    """alice and bob, half a round trip apart, with the web server."""
    with Net():
        Net.netem(f"delay {RTT * 500:g}ms")
        # who asks for link-layer addresses later would wait for a round trip
        sh(f"ip netns exec alice ping -q -c 1 {BOB}")
        with web_server():
            yield


def main():
    """The table."""
    print(f"A page and {IMAGES} images of {SIZE} bytes,"
          f" round trip {RTT * 1000:g} ms\n\n"
          f"{'':30}connections  round trips  expected    measured"
          "  request after ACK")
    with network():
        for way in WAYS:
            got = Measured(way, os.environ.get("CHALK_OUT"))
            print(f"{way.name:30}{got.connections:11}{way.round_trips:13}"
                  f"{way.round_trips * RTT * 1000:7.0f} ms"
                  f"{got.seconds * 1000:9.1f} ms"
                  f"{got.behind_ack * 1000:16.1f} ms")


if __name__ == "__main__":
    main()
