# SPDX-License-Identifier: GPL-2.0
"""guest.py [TEST...] - run the tests in the VM, and count.

Every test prints a line; the last line is "N passed, N failed, N skipped".
From the environment: TIMES says how often all are run; a round that fails is
the last.
"""

import faulthandler
import os
import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).parent

# Seconds, of the guest's clock, after which a test seems to hang.
HANGS = 400


class Counting(unittest.TextTestResult):
    """A line a test."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.passed = 0

    def startTest(self, test):
        self.begin = time.monotonic()
        # a test that hangs says where
        faulthandler.dump_traceback_later(HANGS)
        super().startTest(test)

    def stopTest(self, test):
        faulthandler.cancel_dump_traceback_later()
        super().stopTest(test)

    def _say(self, word, test, tail=""):
        seconds = time.monotonic() - self.begin
        print(f"{word} - {test.id()} ({seconds:.1f} s){tail}", flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1
        self._say("ok", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._say("ok", test, f" # SKIP {reason}")

    def _complain(self, test, err):
        print(f"not ok - {test.id() if hasattr(test, 'id') else test}")
        print(self._exc_info_to_string(err, test), flush=True)

    def addError(self, test, err):
        super().addError(test, err)
        self._complain(test, err)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._complain(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self._complain(subtest, err)


def main(directory: pathlib.Path, names: list) -> int:
    """Run the tests that @names name, or all there are in @directory."""
    sys.path.insert(0, str(directory))
    passed = failed = skipped = 0
    for _ in range(int(os.environ.get("TIMES", "1"))):
        loader = unittest.TestLoader()
        if names:
            suite = loader.loadTestsFromNames(names)
        else:
            suite = loader.discover(str(directory), pattern="test_*.py")
        runner = unittest.TextTestRunner(sys.stdout, resultclass=Counting,
                                         verbosity=0, warnings="ignore")
        result = runner.run(suite)
        passed += result.passed
        failed += len(result.failures) + len(result.errors)
        skipped += len(result.skipped)
        if failed:
            break
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(HERE, sys.argv[1:]))
