#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# test.sh DIR... - run the unit tests in directories beside this file; ends
# with "N passed, N failed[, N skipped]", after the reasons why.

cd "$(dirname "$0")" || exit 1
exec python3 -B - "$@" <<'END'
import sys
import unittest

tests = unittest.TestSuite()
for directory in sys.argv[1:]:
    tests.addTest(unittest.TestLoader().discover(directory, "test_*.py"))
result = unittest.TextTestRunner(sys.stdout, verbosity=1).run(tests)
failed = len(result.failures) + len(result.errors)
passed = result.testsRun - failed - len(result.skipped)
for test, why in result.skipped:
    print(f"ok - {test} # SKIP {why}")
print(f"{passed} passed, {failed} failed" +
      (f", {len(result.skipped)} skipped" if result.skipped else ""))
sys.exit(failed > 0 or passed == 0)
END
