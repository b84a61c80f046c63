# SPDX-License-Identifier: GPL-2.0
"""What README says of NAT: TCP passes a masquerading router, Chalk does not."""

import socket
import unittest

from glue import modules, take_away
from net import BOB, Net, chalk_socket, drops, inside, listener, sh, wait_until

NFT = "ip netns exec router nft "


class Nat(unittest.TestCase):
    """alice behind the router; its interfaces sum in software"""

    def test_checksum(self):
        """TCP connects; bob drops Chalk's SYN: a wrong checksum (0.4 s)"""
        self.addCleanup(take_away, modules())
        with Net():
            try:
                sh(NFT + "list ruleset")
            except RuntimeError as why:
                self.skipTest(str(why))
            sh(NFT + "'add table ip t; add chain ip t c { type nat hook "
               "postrouting priority 100; }; add rule ip t c oifname rb "
               "masquerade'")
            with inside("bob"):
                tcp_server = socket.create_server((BOB, 80))
            with inside("alice"):
                tcp = socket.create_connection((BOB, 80), 30)
            conn, (address, _) = tcp_server.accept()
            self.assertEqual(address, "10.0.2.2")
            before = drops().get("bad_checksum", 0)
            server, client = listener("bob", 81), chalk_socket("alice")
            client.setblocking(False)
            self.assertEqual(client.connect_ex((BOB, 81)), 115)  # EINPROGRESS
            self.assertTrue(wait_until(
                lambda: drops().get("bad_checksum", 0) > before, 10))
            server.settimeout(0.1)
            with self.assertRaises(TimeoutError):
                server.accept()
            for sock in (tcp_server, tcp, conn, server, client):
                sock.close()


if __name__ == "__main__":
    unittest.main()
