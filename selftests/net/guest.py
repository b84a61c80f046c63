# SPDX-License-Identifier: GPL-2.0
"""guest.py [TEST...] - run the tests in the VM, and count.

Every test prints a line; the last line is "N passed, N failed, N skipped".
"""

import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).parent


class Counting(unittest.TextTestResult):
    """A line a test."""

    def startTest(self, test):
        self.begin = time.monotonic()
        super().startTest(test)

    def _say(self, word, test, tail=""):
        seconds = time.monotonic() - self.begin
        print(f"{word} - {test.id()} ({seconds:.1f} s){tail}", flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self._say("ok", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._say("ok", test, f" # SKIP {reason}")

    def addError(self, test, err):
        super().addError(test, err)
        print(f"not ok - {test.id() if hasattr(test, 'id') else test}",
              flush=True)

    addFailure = addError


def main() -> int:
    """Run what the arguments name, or all there is."""
    sys.path.insert(0, str(HERE))
    loader = unittest.TestLoader()
    if sys.argv[1:]:
        suite = loader.loadTestsFromNames(sys.argv[1:])
    else:
        suite = loader.discover(str(HERE), pattern="test_*.py")
    runner = unittest.TextTestRunner(sys.stdout, resultclass=Counting,
                                     verbosity=0, warnings="ignore")
    result = runner.run(suite)
    failed = len(result.failures) + len(result.errors)
    skipped = len(result.skipped)
    passed = result.testsRun - failed - skipped
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
