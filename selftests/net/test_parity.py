# SPDX-License-Identifier: GPL-2.0
"""Every scenario of parity_*.py with TCP and with Chalk: the logs are equal.

What is not equal on purpose stands in DIFFERENT, with the reason; such a
scenario has to go on being different, or it leaves the table.
"""

import os
import socket
import unittest

import parity
from net import IPPROTO_CHALK, add_hosts, inside, remove_hosts, sh
# pylint: disable=unused-import
import parity_calls  # noqa: F401
import parity_connect  # noqa: F401
import parity_data  # noqa: F401
import parity_end  # noqa: F401
import parity_urgent  # noqa: F401
import parity_uring  # noqa: F401

# scenario -> why Chalk does not answer as TCP does
DIFFERENT = {
    "counts_after_disconnect":
        "TCP counts the distance to the next connection's sequence numbers",
    "map_memory": "there is no TCP_ZEROCOPY_RECEIVE",
    "zerocopy": "SO_ZEROCOPY is refused",
}


class Parity(unittest.TestCase):
    """Over IPv4"""

    family = socket.AF_INET

    @classmethod
    def setUpClass(cls):
        add_hosts(["parity"])
        sh("ip -n parity link set lo up")
        cls.inside = inside("parity")
        cls.inside.__enter__()
        sh(parity.setup())
        for key, value in (("syn_retries", 2), ("synack_retries", 2),
                           ("retries", 3), ("orphan_retries", 2)):
            with open(f"/proc/sys/net/chalk/{key}", "w",
                      encoding="ascii") as file:
                file.write(str(value))

    @classmethod
    def tearDownClass(cls):
        cls.inside.__exit__(None, None, None)
        remove_hosts(["parity"])

    def compare(self, function):
        """The logs are equal, or the table says why not."""
        lines = parity.difference(function, self.family)
        if function.__name__ in DIFFERENT:
            self.assertTrue(lines, "is the same by now: take it off the table")
        else:
            self.assertFalse(lines, "\n".join([""] + lines))


def has_ipv6() -> bool:
    """Whether Chalk can be had over IPv6"""
    if not os.path.exists("/proc/sys/net/chalk"):
        return False
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_STREAM,
                      IPPROTO_CHALK).close()
    except OSError:
        return False
    return True


@unittest.skipUnless(has_ipv6(), "no Chalk over IPv6")
class Parity6(Parity):
    """Over IPv6"""

    family = socket.AF_INET6


for _scenario in parity.SCENARIOS:
    def _test(self, function=_scenario):
        self.compare(function)
    _test.__doc__ = _scenario.__doc__
    setattr(Parity, f"test_{_scenario.__name__}", _test)


if __name__ == "__main__":
    unittest.main()
