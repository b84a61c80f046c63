# SPDX-License-Identifier: GPL-2.0
"""The kernel's drop monitor (skb:kfree_skb) hears of what Chalk refuses."""

import contextlib
import re
import time
import unittest

from net import BOB
from scene import ACK, CHALK, PORT, RST, SYN, Scene

TRACING = "/sys/kernel/tracing"


def tracing(name: str, text: str):
    """Write to a file of tracefs."""
    with open(f"{TRACING}/{name}", "w", encoding="ascii") as file:
        file.write(text)


class DropMonitor(unittest.TestCase):
    """One refused segment each"""

    def setUp(self):
        scene = Scene(CHALK)
        self.scene = scene.__enter__()
        self.addCleanup(scene.__exit__, None, None, None)
        tracing("events/skb/kfree_skb/filter", "protocol == 0x0800")
        self.addCleanup(tracing, "events/skb/kfree_skb/filter", "0")
        self.addCleanup(tracing, "events/skb/kfree_skb/enable", "0")

    def reasons(self, action) -> list:
        """What is dropped while @action runs: the kernel's reasons."""
        tracing("trace", "")
        tracing("events/skb/kfree_skb/enable", "1")
        action()
        time.sleep(0.2)
        tracing("events/skb/kfree_skb/enable", "0")
        with open(f"{TRACING}/trace", encoding="ascii") as file:
            return re.findall(r"kfree_skb: .*reason: (\w+)", file.read())

    def test_clean_transfer(self):
        """what is used is not dropped"""
        def transfer():
            client, server = self.scene.connect()
            self.scene.transfer(client, server, 100000)
            self.scene.transfer(server, client, 100000)
            client.close()
            time.sleep(0.2)
            server.close()
        self.assertEqual(self.reasons(transfer), [])

    def test_one_lost(self):
        """nor is what comes before its turn"""
        client, server = self.scene.connect()
        seen = []
        self.scene.lose(lambda seg, to_bob: seg["len"] and (
            seen.append(seg) or len(seen) == 4))
        self.assertEqual(self.reasons(
            lambda: self.scene.transfer(client, server, 30000)), [])

    def test_bad_checksum(self):
        """TCP_CSUM"""
        self.scene.listen()
        packet = self.scene.segment(SYN, 1000, checksum=1)
        self.assertEqual(self.reasons(lambda: self.scene.put(packet)),
                         ["TCP_CSUM"])

    def test_closed_port(self):
        """NO_SOCKET"""
        def knock():
            with contextlib.suppress(ConnectionRefusedError):
                self.scene.socket("alice").connect((BOB, PORT))
        self.assertEqual(self.reasons(knock), ["NO_SOCKET"])

    def test_connection(self):
        """a segment for a connection that is not as it should be"""
        client, _ = self.scene.connect()
        for packet, reason in (
                (self.scene.forge(client, seq=1 << 24, payload=b"x"),
                 "TCP_OVERWINDOW"),
                (self.scene.forge(client, seq=-100, payload=b"x"),
                 "TCP_OLD_DATA"),
                (self.scene.forge(client, payload=b"x", old=True),
                 "TCP_RFC7323_PAWS"),
                (self.scene.forge(client, SYN), "TCP_INVALID_SYN"),
                (self.scene.forge(client, RST, 10), "TCP_RESET"),
                (self.scene.forge(client, 0), "TCP_FLAGS")):
            with self.subTest(reason):
                self.assertEqual(self.reasons(
                    lambda data=packet: self.scene.put(data)), [reason])

    def test_listener(self):
        """a segment that a listener cannot use"""
        self.scene.listen()
        for flags, reason in ((RST, "TCP_RESET"), (ACK, "TCP_FLAGS"),
                              (0, "TCP_FLAGS")):
            packet = self.scene.segment(flags, 1000)
            with self.subTest(reason):
                found = self.reasons(
                    lambda data=packet: self.scene.put(data))
                # alice does not know of what an ACK is answered with
                self.assertIn(reason, found)
                self.assertLessEqual(set(found), {reason, "NO_SOCKET"})


if __name__ == "__main__":
    unittest.main()
