# SPDX-License-Identifier: GPL-2.0
"""net.chalk.*: the bounds of each entry, and each namespace for itself."""

import os
import pathlib
import unittest

from net import add_hosts, inside, remove_hosts, sysctl

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
    "hystart": (0, 1),
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
# all namespaces share these: only the first one has them
SHARED = ("mem", "max_orphans")


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
        each = [*NUMBERS, *SIZES, *NAMES]
        self.assertEqual(sorted(os.listdir("/proc/sys/net/chalk")),
                         sorted([*each, *SHARED]))
        with inside("alice"):
            self.assertEqual(sorted(os.listdir("/proc/sys/net/chalk")),
                             sorted(each))

    def test_shared(self):
        """as TCP's: three numbers of pages, a number of orphans (0.1 s)"""
        for name, values, wrong in (("mem", "1000 2000 3000", "x"),
                                    ("max_orphans", "100", "-1")):
            path = pathlib.Path("/proc/sys/net/chalk", name)
            before = path.read_text(encoding="ascii")
            tcp = pathlib.Path("/proc/sys/net/ipv4", f"tcp_{name}")
            self.assertEqual(len(before.split()),
                             len(tcp.read_text(encoding="ascii").split()))
            path.write_text(values, encoding="ascii")
            with self.assertRaises(OSError):
                path.write_text(wrong, encoding="ascii")
            self.assertEqual(path.read_text(encoding="ascii").split(),
                             values.split())
            path.write_text(before, encoding="ascii")

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
                         "newreno reno tahoe")
        self.assertEqual(sysctl("alice", "congestion_control"), "tahoe")
        self.assertEqual(sysctl("bob", "congestion_control"), "newreno")

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
