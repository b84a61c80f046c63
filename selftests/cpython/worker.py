# SPDX-License-Identifier: GPL-2.0
"""worker.py FD - run tests of CPython, and report each on a descriptor.

Standard input is JSON: "names" of modules or classes to load; "only", the
tests to run, or null for all; "done", tests to leave out.  For each test a line
when it begins and one when it ends, tab-separated: its name, "begin" or how it
ended, how many internet sockets of the type "type" it made, and how many packets
of each of PROTOCOLS arrived on the loopback meanwhile.
"""

import ctypes
import json
import os
import socket
import struct
import sys
import unittest
from test import support

PROTOCOLS = (socket.IPPROTO_TCP, 253, socket.IPPROTO_UDP, 254)


class Counter:
    """Counts the packets of an IP protocol that arrive on the loopback.

    Nobody reads them: the kernel counts also what does not fit the buffer.
    """

    SO_ATTACH_FILTER = 26
    SOL_PACKET, PACKET_STATISTICS = 263, 6
    # EtherType, and where its header has the protocol
    FAMILIES = ((0x0800, 9), (0x86dd, 6))

    def __init__(self, protocol: int):
        self.sockets = [self._open(protocol, *family)
                        for family in self.FAMILIES]

    def _open(self, protocol, ethertype, place):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        code = ctypes.create_string_buffer(b"".join(
            struct.pack("HBBI", *line) for line in (
                (0x30, 0, 0, place), (0x15, 0, 1, protocol),
                (0x06, 0, 0, 1), (0x06, 0, 0, 0))))
        sock.setsockopt(socket.SOL_SOCKET, self.SO_ATTACH_FILTER,
                        struct.pack("HP", len(code) // 8,
                                    ctypes.addressof(code)))
        sock.bind(("lo", ethertype))
        return sock

    def read(self) -> int:
        """Packets since the last call."""
        return sum(struct.unpack("II", sock.getsockopt(
            self.SOL_PACKET, self.PACKET_STATISTICS, 8))[0]
                   for sock in self.sockets)


class Reporting(unittest.TestResult):
    """Lines instead of a summary; tracebacks on standard error."""

    def __init__(self, report, kind):
        super().__init__()
        self.report = report
        self.kind = kind
        self.counters = [Counter(protocol) for protocol in PROTOCOLS]
        self.outcome = ""
        self.sockets = 0
        sys.addaudithook(self._audit)

    def _audit(self, event, args):
        if (event == "socket.__new__" and args[2] & 15 == self.kind and
                args[1] in (socket.AF_INET, socket.AF_INET6)):
            self.sockets += 1

    def _line(self, test, outcome):
        counts = [str(counter.read()) for counter in self.counters]
        self.report.write("\t".join([test.id(), outcome, str(self.sockets),
                                     *counts]) + "\n")
        self.sockets = 0

    def startTest(self, test):
        super().startTest(test)
        self.outcome = "pass"
        self._line(test, "begin")

    def stopTest(self, test):
        super().stopTest(test)
        self._line(test, self.outcome)

    def _now(self, test, outcome):
        """Note it; a class or module that fails has no stopTest()."""
        self.outcome = outcome
        if not isinstance(test, unittest.TestCase):
            self._line(test, outcome)

    def addFailure(self, test, err):
        sys.stderr.write(f"{test.id()}\n{self._exc_info_to_string(err, test)}\n")
        self._now(test, "fail")

    addError = addFailure

    def addSubTest(self, test, subtest, err):
        if err:
            self.addFailure(test, err)

    def addSkip(self, test, reason):
        self._now(test, "skip")

    def addExpectedFailure(self, test, err):
        pass

    def addUnexpectedSuccess(self, test):
        self._now(test, "fail")


def chosen(suite, only, done):
    """The tests of a suite that are to be run."""
    if isinstance(suite, unittest.TestSuite):
        return type(suite)(chosen(part, only, done) for part in suite)
    name = suite.id()
    wanted = name not in done and (only is None or name in only)
    return suite if wanted else unittest.TestSuite()


def main():
    """Load, choose, run."""
    order = json.load(sys.stdin)
    support.use_resources = ["network"]
    suite = unittest.defaultTestLoader.loadTestsFromNames(order["names"])
    only = order["only"]
    with os.fdopen(int(sys.argv[1]), "w", buffering=1) as report:
        chosen(suite, only and set(only), set(order["done"])).run(
            Reporting(report, order["type"]))


if __name__ == "__main__":
    main()
