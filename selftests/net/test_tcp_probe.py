# SPDX-License-Identifier: GPL-2.0
"""The same transfer over Chalk and over the kernel's TCP, put side by side.

chalk compare reads TCP's tracepoints as text. Here that text is a real one, of
the kernel under test. With --out, the VM's host gets both traces.
"""

import os
import re
import shutil
import socket
import struct
import tempfile
import threading
import time
import unittest

from net import (BOB, Trace, Wire, chalk_socket, exact_clock, inside,
                 listener, receive_all, sh)

TRACING = "/sys/kernel/tracing"
INSTANCE = TRACING + "/instances/chalk"
EVENTS = ("tcp/tcp_probe", "tcp/tcp_retransmit_skb", "tcp/tcp_cong_state_set",
          "sock/inet_sock_set_state")
# TCP as Chalk has it: Reno with NewReno's recovery, and nothing later.
RENO = ("tcp_congestion_control=reno tcp_sack=0 tcp_recovery=0"
        " tcp_early_retrans=0")
RATE, ONE_WAY, QUEUE = 10e6, 0.02, 400
BYTES = int(os.environ.get("PROBE_BYTES", 2 << 20))
PORT = 7000


class Bottleneck:
    """10 Mbit/s and 20 ms each way; the 30th data packet is lost, and then
    every hundredth, so that both transfers meet the same losses.
    """

    def __init__(self):
        self.free = {True: 0.0, False: 0.0}
        self.data = 0

    def __call__(self, packet: bytes, to_bob: bool) -> list:
        now = time.monotonic()
        takes = 8 * len(packet) / RATE
        wait = max(self.free[to_bob] - now, 0)
        if wait > QUEUE * takes:
            return []
        self.free[to_bob] = now + wait + takes
        if to_bob and len(packet) > 1000:
            self.data += 1
            if self.data % 100 == 30:
                return []
        return [wait + takes + ONE_WAY]


class TcpProbe:
    """What tracefs says about TCP while it is open."""

    def __enter__(self):
        if not os.path.exists(TRACING + "/events"):
            sh(f"mount -t tracefs nodev {TRACING}")
        os.makedirs(INSTANCE, exist_ok=True)
        sh(f"echo 8192 >{INSTANCE}/buffer_size_kb")
        for event in EVENTS:
            sh(f"echo 1 >{INSTANCE}/events/{event}/enable")
        return self

    def __exit__(self, *_):
        os.rmdir(INSTANCE)

    @staticmethod
    def text() -> str:
        """All events so far, as /sys/kernel/tracing/trace shows them."""
        with open(INSTANCE + "/trace", encoding="ascii") as file:
            return file.read()


def tcp_socket(name: str) -> socket.socket:
    """A socket of the kernel's TCP in namespace @name."""
    with inside(name):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.settimeout(300)
    return sock


def tcp_listener(name: str) -> socket.socket:
    """A listening one."""
    sock = tcp_socket(name)
    sock.bind(("0.0.0.0", PORT))
    sock.listen(1)
    return sock


def serve(server):
    """Take one connection and BYTES from it, answer with one, close.

    It answers and closes first: tcp_probe shows an acknowledgement only when
    another segment comes after it, and nothing once the sender has closed.
    """
    conn, _ = server.accept()
    receive_all(conn, BYTES)
    conn.sendall(b".")
    conn.close()


def send(client, server) -> bytes:
    """alice sends BYTES to bob; her TCP_INFO at the end."""
    reader = threading.Thread(target=serve, args=(server,), daemon=True)
    reader.start()
    client.connect((BOB, PORT))
    client.sendall(bytes(BYTES))
    while client.recv(1):
        pass
    info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    reader.join()
    client.close()
    server.close()
    return info


def table_of(text: str) -> dict:
    """chalk compare's table: name -> the two values."""
    found = {}
    for line in text.splitlines():
        columns = re.split(" {2,}", line.replace(",", ""))
        if len(columns) >= 3 and columns[0]:
            found[columns[0]] = columns[1:3]
    return found


@exact_clock
class Compare(unittest.TestCase):
    """chalk compare, with the kernel's TCP on one side"""

    def transfers(self, place: str) -> bytes:
        """Both traces, as files in directory @place; TCP_INFO of TCP's."""
        with Wire(Bottleneck()):
            for host in ("alice", "bob"):
                for setting in RENO.split():
                    sh(f"ip netns exec {host} sysctl -qw net.ipv4.{setting}")
            with TcpProbe() as probe:
                info = send(tcp_socket("alice"), tcp_listener("bob"))
                with open(f"{place}/tcp.txt", "w", encoding="ascii") as file:
                    file.write(probe.text())
        with Wire(Bottleneck()):
            trace = Trace()
            send(chalk_socket("alice"), listener("bob", PORT))
            trace.stop()
        with open(f"{place}/chalk.tsv", "wb") as file:
            file.write(trace.text)
        return info

    def test_kernel_tcp_beside_chalk(self):
        """both are found whole; TCP's figures are those of its TCP_INFO"""
        with tempfile.TemporaryDirectory() as place:
            info = self.transfers(place)
            told = sh(f"chalk compare {place}/chalk.tsv {place}/tcp.txt")
            print(told)
            out = os.environ.get("CHALK_OUT")
            if out:
                for name in os.listdir(place):
                    shutil.copy(f"{place}/{name}", out)
            with open(f"{place}/tcp.txt", encoding="ascii") as file:
                windows = re.findall(rf"dest={BOB}:{PORT} .*snd_cwnd=(\d+)",
                                     file.read())
        figures = table_of(told)
        self.assertEqual(figures["acknowledged bytes"], [str(BYTES)] * 2)
        for goodput in figures["goodput Mbit/s"]:
            self.assertTrue(0.2 < float(goodput) < 10, goodput)
        for trip in figures["mean smoothed RTT ms"]:
            self.assertTrue(40 <= float(trip) < 400, trip)
        again, = struct.unpack_from("=I", info, 100)
        self.assertEqual(figures["sent again"][1], str(again))
        cwnd, = struct.unpack_from("=I", info, 80)
        self.assertEqual(int(windows[-1]), cwnd)
        for column in (0, 1):
            repaired = (int(figures["timeouts"][column]) +
                        int(figures["fast retransmits"][column]))
            self.assertTrue(0 < repaired <=
                            int(figures["sent again"][column]))


if __name__ == "__main__":
    unittest.main()
