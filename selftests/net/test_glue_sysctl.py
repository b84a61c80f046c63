# SPDX-License-Identifier: GPL-2.0
"""net.chalk.*: the bounds of each entry, and each namespace for itself."""

import os
import unittest

from net import add_hosts, remove_hosts, sysctl

# name: least, most
NUMBERS = {
    "initial_window": (1, 1000),
    "syn_retries": (0, 127),
    "synack_retries": (0, 127),
    "retries": (0, 127),
    "orphan_retries": (0, 127),
    "max_syn_backlog": (1, 2**31 - 1),
    "keepalive_probes": (1, 127),
    "tw_reuse": (0, 2),
    "timestamps": (0, 1),
    "window_scaling": (0, 1),
    "rto_initial_ms": (1, 600000),
    "rto_min_ms": (1, 600000),
    "rto_max_ms": (1, 600000),
    "delack_ms": (0, 499),
    "msl_ms": (1, 600000),
    "fin_timeout_ms": (1, 600000),
    "keepalive_time": (1, 32767),
    "keepalive_intvl": (1, 32767),
    "max_tw_buckets": (0, (1 << 31) - 1),
}
SIZES = {"rmem": (4096, 1 << 30), "wmem": (4096, 1 << 30)}
NAMES = ("available_congestion_control", "congestion_control")


class Sysctl(unittest.TestCase):
    """two namespaces"""

    @classmethod
    def setUpClass(cls):
        add_hosts(("alice", "bob"))
        cls.addClassCleanup(remove_hosts, ("alice", "bob"))

    def refused(self, key, *values):
        """Each of @values is EINVAL, and changes nothing."""
        before = sysctl("alice", key)
        for value in values:
            with self.assertRaises(OSError, msg=f"{key}={value}") as caught:
                sysctl("alice", key, value)
            self.assertEqual(caught.exception.errno, 22)
            self.assertEqual(sysctl("alice", key), before)

    def test_no_other(self):
        """the list above is all there is (0.1 s)"""
        self.assertEqual(sorted(os.listdir("/proc/sys/net/chalk")),
                         sorted([*NUMBERS, *SIZES, *NAMES]))

    def test_bounds(self):
        """least and most are taken, one less and one more are not (0.3 s)"""
        for key, (least, most) in NUMBERS.items():
            with self.subTest(key):
                for value in (least, most):
                    self.assertEqual(sysctl("alice", key, value), str(value))
                self.refused(key, least - 1, most + 1, 1 << 32, "x")

    def test_sizes(self):
        """three numbers, within their bounds and in order (0.1 s)"""
        for key, (least, most) in SIZES.items():
            with self.subTest(key):
                for three in ((least, least, least), (most, most, most),
                              (least, 65536, most)):
                    value = "\t".join(map(str, three))
                    self.assertEqual(sysctl("alice", key, value), value)
                for wrong in ((least - 1, 65536, most),
                              (least, 65536, most + 1), (65536, 4096, 131072),
                              (4096, 131072, 65536), (131072, 65536, 4096)):
                    self.refused(key, " ".join(map(str, wrong)))

    def test_names(self):
        """an algorithm by its name, or ENOENT (0.1 s)"""
        self.assertEqual(sysctl("alice", "congestion_control", "tahoe"),
                         "tahoe")
        with self.assertRaises(FileNotFoundError):
            sysctl("alice", "congestion_control", "vegas")
        self.assertEqual(sysctl("alice", "available_congestion_control"),
                         "reno tahoe")
        self.assertEqual(sysctl("alice", "congestion_control"), "tahoe")
        self.assertEqual(sysctl("bob", "congestion_control"), "reno")

    def test_each_for_itself(self):
        """what alice sets is not bob's, nor a later namespace's (0.3 s)"""
        keys = [*NUMBERS, *SIZES]
        for key in keys:
            with self.subTest(key):
                for least in (True, False):
                    bob = sysctl("bob", key)
                    if key in NUMBERS:
                        sysctl("alice", key, NUMBERS[key][0 if least else 1])
                    else:
                        sysctl("alice", key, ("4096 " * 3, "8192 " * 3)[least])
                    self.assertEqual(sysctl("bob", key), bob)


if __name__ == "__main__":
    unittest.main()
