# SPDX-License-Identifier: GPL-2.0
"""python3 -m chalk SCRIPT - run a program of Python over Chalk."""

import argparse
import os
import runpy
import sys

import chalk

EXAMPLES = """examples:
  python3 -m chalk -m http.server 8000
  python3 -m chalk client.py 10.0.2.1
"""


def parse() -> argparse.Namespace:
    """The command line; what follows the script's name is the script's."""
    parser = argparse.ArgumentParser(
        prog="python3 -m chalk", epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s [--dgram] SCRIPT|-m MODULE [ARGUMENTS]",
        description="Run a program of Python, its TCP sockets being Chalk's.")
    parser.add_argument("--version", action="version",
                        version=f"chalk {chalk.__version__}")
    parser.add_argument("--dgram", action="store_true",
                        help="Chalk datagrams in place of UDP, too")
    parser.add_argument("-m", dest="module", action="store_true",
                        help="a module, not a file")
    parser.add_argument("script", metavar="SCRIPT")
    parser.add_argument("arguments", nargs=argparse.REMAINDER,
                        help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Become the program."""
    args = parse()
    if not chalk.available():
        sys.exit(f"chalk: {chalk.NotLoadedError().strerror}")
    chalk.patch(args.dgram)
    sys.argv = [args.script] + args.arguments
    if args.module:
        sys.path[0] = os.getcwd()
        runpy.run_module(args.script, run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = os.path.dirname(os.path.realpath(args.script))
        runpy.run_path(args.script, run_name="__main__")


if __name__ == "__main__":
    main()
