# SPDX-License-Identifier: GPL-2.0
"""Whole files over a network that does everything wrong."""

import hashlib
import os
import random
import socket
import subprocess
import unittest

from counters import read_counters
from net import (BOB, IPPROTO_CHALK, Net, Wire, chalk_socket, exact_clock,
                 fast_kernel, lengthen_device_queues, listener, receive_all, segment_of,
                 sysctl, table, wait_until)

MIB = int(os.environ.get("TRANSFER_MIB", "64"))
BAD = ("delay 20ms loss 1% duplicate 1% reorder 5% corrupt 0.1% limit 10000")


def make_file(path: str, mib: int):
    """@mib MiB that no two places of are alike."""
    with open(path, "wb") as file:
        for _ in range(mib):
            file.write(os.urandom(1 << 20))


def digest(path: str) -> str:
    """SHA-256 of a file."""
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            sha.update(chunk)
    return sha.hexdigest()


def bulk(host: str, *args: str) -> subprocess.Popen:
    """Start the program that sends one file and receives another."""
    return subprocess.Popen(["ip", "netns", "exec", host, "bulk", *args],
                            stderr=subprocess.PIPE, text=True)


class Transfer(unittest.TestCase):
    """bulk between alice and bob"""

    def exchange(self, mib: int):
        """@mib MiB each way at once; what came is what was sent."""
        names = [f"/tmp/{n}" for n in ("a.in", "a.out", "b.in", "b.out")]
        a_in, a_out, b_in, b_out = names
        make_file(a_in, mib)
        make_file(b_in, mib)
        server = bulk("bob", "listen", "7000", b_out, b_in)
        self.assertTrue(wait_until(
            lambda: any(row["state"] == "LISTEN" for row in table("conns")), 10))
        client = bulk("alice", "connect", BOB, "7000", a_out, a_in)
        for end in (client, server):
            _, errors = end.communicate()
            print(errors.strip())
            self.assertEqual(end.returncode, 0, errors)
        self.assertEqual(digest(a_in), digest(b_out), "alice to bob")
        self.assertEqual(digest(b_in), digest(a_out), "bob to alice")
        for name in names:
            os.remove(name)

    def test_bad_network_both_ways(self):
        """20 ms, 1 % loss, 1 % duplicates, 5 % reordering, 0.1 % corruption"""
        with Net() as net:
            net.netem(BAD)
            for host in ("alice", "bob"):
                sysctl(host, "msl_ms", os.environ.get("MSL_MS", "30000"))
            self.exchange(MIB)
            # both ends reach CLOSED: what is left goes after 2 MSL
            self.assertTrue(wait_until(lambda: not table("conns"), 200, 1))

    # where a segment costs 250 us, a window waits for the processor, an ACK of
    # the other direction behind it: for longer than the RTO
    @fast_kernel
    @exact_clock
    def test_clean_network(self):
        """a link that loses nothing: all arrives in order, nothing is dropped"""
        lengthen_device_queues(self)
        with Net() as net:
            net.netem("delay 5ms limit 10000")
            self.exchange(min(MIB, 16))
            for host in ("alice", "bob"):
                self.nothing_lost(host)

    def nothing_lost(self, host: str):
        """Nothing was missing on the way into a socket."""
        counts = read_counters(host, IPPROTO_CHALK)
        names = ["InSegs", "OutSegs", "TCPBacklogDrop", "TCPRcvQDrop",
                 "TCPOFOQueue", "RetransSegs", "DelayedACKLost"]
        found = {name: counts[name] for name in names}
        self.assertGreater(found.pop("InSegs"), 100)
        self.assertGreater(found.pop("OutSegs"), 100)
        self.assertEqual(found, dict.fromkeys(found, 0), host)


class Pieces(unittest.TestCase):
    """What the send buffer holds in more pieces than a packet can point at"""

    def test_splice_of_small_pieces(self):
        """100 pages with 50 bytes each leave as full segments"""
        data = random.Random(1).randbytes(5000)
        sizes = []

        def judge(packet, to_bob):
            seg = segment_of(packet)
            if to_bob and seg["proto"] == 253 and seg["len"]:
                sizes.append(seg["len"])
            return [0.001]

        with Wire(judge):
            server = listener("bob", 80)
            sock = chalk_socket("alice")
            sock.connect((BOB, 80))
            conn, _ = server.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            # each write to a pipe of packets has a page of its own
            out, into = os.pipe2(os.O_DIRECT)
            for at in range(0, len(data), 50):
                os.write(into, data[at:at + 50])
                self.assertEqual(os.splice(out, sock.fileno(), 50), 50)
            sock.close()
            self.assertEqual(receive_all(conn, len(data)), data)
            for end in (conn, server):
                end.close()
            os.close(out)
            os.close(into)
            wait_until(lambda: all(row["state"] == "TIME_WAIT"
                                   for row in table("conns")), 10)
        self.assertEqual(sizes, [1448, 1448, 1448, 656])


if __name__ == "__main__":
    unittest.main()
