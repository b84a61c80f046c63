# SPDX-License-Identifier: GPL-2.0
"""Segments that arrive before their turn: all of a window is kept."""

import heapq
import socket
import struct
import time
import unittest

from net import exact_clock, fast_kernel, segment_of, wait_until
from rtnl import write_sysctls
from scene import CHALK, TCP, Scene

# what a window field says is what is offered
NO_SCALE = {"chalk.window_scaling": 0, "ipv4.tcp_window_scaling": 0}


@fast_kernel
@exact_clock
class Early(unittest.TestCase):
    """Segments of alice's that arrive before their turn"""

    def kept(self, protocol, size, order, *options):
        """What bob acknowledges, of his window, when its first segment comes
        last; the rest arrives in this order."""
        with Scene(protocol) as scene:
            write_sysctls("alice", NO_SCALE)
            client, _ = scene.connect(*options)
            client.send(b"!")
            time.sleep(0.1)
            window, = struct.unpack("!H", scene.last[False][34:36])
            base = segment_of(scene.last[False])["ack"]
            acks = []

            def losing(seg, to_bob):
                if not to_bob:
                    acks.append(seg["ack"])
                return not to_bob

            scene.losing = losing
            parts = range(1, window // size)
            now = time.monotonic()
            for n, i in enumerate((*order(parts), 0)):
                packet = scene.forge(client, seq=i * size, payload=bytes(size))
                heapq.heappush(scene.wire.queue, (
                    now + n * 0.0001, scene.wire.count + n, 1, packet))
            size *= len(parts) + 1
            wait_until(lambda: acks and acks[-1] == base + size, 2)
            return (acks[-1] - base) / size

    def test_kept(self):
        """all of a window is kept, however small its segments, as with TCP,
        and whichever way they come (5 s)"""
        small = (socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        for size, *options in ((100,), (536,), (1160,), (1448,),
                               (20, small), (1, small)):
            for order in (tuple, reversed):
                for protocol in (TCP, CHALK):
                    with self.subTest(size=size, order=order,
                                      protocol=protocol):
                        self.assertEqual(
                            self.kept(protocol, size, order, *options), 1)


if __name__ == "__main__":
    unittest.main()
