# SPDX-License-Identifier: GPL-2.0
"""guest.py - run CPython's network tests in the VM, compare, and count.

Without --compare, the tests of the file `tests`, which all pass over TCP, are
run over Chalk.  With it, whole modules are run over TCP and then over Chalk.
Each test that ends otherwise over Chalk must be in the file `differences`, and
each test in that file must end otherwise.
"""

import argparse
import contextlib
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TCP, CHALK, UDP, DGRAM = range(4)
HEAD = ("# SPDX-License-Identifier: GPL-2.0",
        "# CPython's tests that make stream sockets and pass over TCP.")

# What one process runs. The whole of test_socket hangs where AF_VSOCK does, so
# its classes are named: those about streams, and those about no kind at all.
SOCKET_STREAM = """
GeneralModuleTests BasicTCPTest BasicTCPTest2 TCPCloserTest TCPTimeoutTest
TestExceptions BufferIOTest NonBlockingTCPTests FileObjectClassTestCase
UnbufferedFileObjectClassTestCase LineBufferedFileObjectClassTestCase
SmallBufferedFileObjectClassTestCase UnicodeReadFileObjectClassTestCase
UnicodeWriteFileObjectClassTestCase UnicodeReadWriteFileObjectClassTestCase
NetworkConnectionNoServer NetworkConnectionAttributesTest
NetworkConnectionBehaviourTest ContextManagersTest InheritanceTest
NonblockConstantTest SendmsgTCPTest RecvmsgTCPTest RecvmsgIntoTCPTest
InterruptedSendTimeoutTest SendfileUsingSendTest SendfileUsingSendfileTest
CreateServerTest CreateServerFunctionalTest SendRecvFdsTests"""
SOCKET_DGRAM = """
BasicUDPTest UDPTimeoutTest SendmsgUDPTest RecvmsgUDPTest RecvmsgIntoUDPTest
SendmsgUDP6Test RecvmsgUDP6Test RecvmsgRFC3542AncillaryUDP6Test
RecvmsgIntoUDP6Test RecvmsgIntoRFC3542AncillaryUDP6Test
InterruptedRecvTimeoutTest"""
ASYNCIO = """
test_base_events test_buffered_proto test_events test_sendfile test_server
test_sock_lowlevel test_ssl test_sslproto test_streams"""
ASYNCIO_DGRAM = "test_base_events test_events test_sock_lowlevel"
# Small ones, in one process.
OTHERS = """
test_docxmlrpc test_logging.HTTPHandlerTest test_logging.SMTPHandlerTest
test_logging.SocketHandlerTest test_multiprocessing_fork.WithProcessesTestListener
test_multiprocessing_fork.WithProcessesTestListenerClient
test_multiprocessing_fork.WithProcessesTestPicklingConnections
test_multiprocessing_fork.WithManagerTestRemoteManager
test_os.TestSendfile test_robotparser test_wsgiref"""
ALONE = """
test_asynchat test_asyncore test_epoll test_ftplib test_httplib
test_httpservers test_imaplib test_nntplib test_poll test_poplib test_select
test_smtplib test_socketserver test_ssl test_telnetlib test_timeout
test_urllib2_localnet test_xmlrpc"""


def groups(dgram: bool) -> list:
    """Lists of names; a process for each."""
    table = [("test.test_socket.", SOCKET_STREAM),
             ("test.test_asyncio.", ASYNCIO), ("test.", OTHERS),
             *(("test.", name) for name in ALONE.split())]
    if dgram:
        table = [("test.test_socket.", SOCKET_DGRAM),
                 ("test.test_asyncio.", ASYNCIO_DGRAM),
                 ("test.", "test_socketserver")]
    return [[prefix + name for name in names.split()]
            for prefix, names in table]


def read_list(name: str) -> dict:
    """Lines of a file: the first word, and what follows."""
    lines = (HERE / name).read_text().splitlines()
    pairs = [line.partition(" ") for line in lines
             if line and not line.startswith("#")]
    return {first: rest.strip() for first, _, rest in pairs}


def chosen(groups_wanted: list, tests) -> list:
    """Those of @tests that belong to the modules and classes wanted, if any."""
    prefixes = tuple(f"{name}." for names in groups_wanted for name in names)
    return [test for test in tests if not prefixes or test.startswith(prefixes)]


class Result:
    """How a test ended, and what it did meanwhile."""

    def __init__(self, outcome, sockets, packets):
        self.outcome = outcome
        self.sockets = sockets
        self.packets = packets


class Worker:
    """A process that runs tests until it ends or hangs."""

    def __init__(self, prefix, order, errors):
        self.pipe, other = os.pipe()
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-X", "faulthandler", "-W", "ignore",
             str(HERE / "worker.py"), str(other)], pass_fds=[other],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors,
            text=True, start_new_session=True)
        os.close(other)
        with self.process.stdin as stdin:
            json.dump(order, stdin)

    def lines(self, patience: float):
        """What it reports; a silence longer than @patience ends it."""
        rest = b""
        while select.select([self.pipe], [], [], patience)[0]:
            text = os.read(self.pipe, 1 << 16)
            if not text:
                return
            *lines, rest = (rest + text).split(b"\n")
            yield from (line.decode().split("\t") for line in lines)

    def end(self) -> int:
        """Take care that it has ended; its exit status."""
        os.close(self.pipe)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(5)
        for number in (signal.SIGABRT, signal.SIGKILL):
            os.killpg(self.process.pid, number)
            time.sleep(1)
        return self.process.wait()


def run_group(prefix, order, patience: float) -> dict:
    """Test name -> Result. A test that hangs or dies does not end the rest."""
    results = {}
    while True:
        running = None
        with tempfile.TemporaryFile("w+") as errors:
            worker = Worker(prefix, {**order, "done": list(results)}, errors)
            for name, outcome, sockets, *packets in worker.lines(patience):
                running = name if outcome == "begin" else None
                if not running:
                    results[name] = Result(outcome, int(sockets),
                                           [int(n) for n in packets])
            status = worker.end()
            errors.seek(0)
            sys.stderr.write(errors.read())
        if not running and not status:
            return results
        results[running or order["names"][0]] = Result(
            f"ended with {status}", 0, [0] * 4)
        if not running:
            return results


def run_all(args, over: str, only) -> dict:
    """All groups over TCP or over Chalk."""
    prefix = []
    if over == "chalk":
        prefix = ["chalk", "run", *["--dgram"] * args.dgram]
    results = {}
    for names in args.names or groups(args.dgram):
        begin = time.monotonic()
        mine = only and chosen([names], only)
        if only and not mine:
            continue
        order = {"names": names, "only": mine,
                 "type": socket.SOCK_DGRAM if args.dgram else socket.SOCK_STREAM}
        part = run_group(prefix, order, args.patience)
        results.update(part)
        print(f"# over {over}: {len(part)} tests of {names[0]}"
              f"{' ...' * (len(names) > 1)} ({time.monotonic() - begin:.1f} s)",
              flush=True)
    return results


# --- comparing ---


class Tally:
    """Counts, a line for each."""

    def __init__(self):
        self.passed = self.failed = 0

    def say(self, good: bool, text: str):
        """One more."""
        self.passed += good
        self.failed += not good
        print("ok" if good else "not ok", "-", text, flush=True)


def compare(tally, expected: dict, results: dict, differences: dict):
    """Each test against what it is expected to do; tests only, no sums."""
    for name, outcome in sorted(expected.items()):
        result = results.pop(name, None)
        got = result.outcome if result else "not found"
        if name in differences:
            tally.say(got != outcome, f"{name}: {got}; expected to differ: "
                      f"{differences[name]}")
        else:
            tally.say(got == outcome, f"{name}: {got}" + (
                "" if got == outcome else f", over TCP: {outcome}"))
    for name, result in sorted(results.items()):
        tally.say(False, f"{name}: {result.outcome}, over TCP: not found")


def tcp_counters() -> dict:
    """The kernel's counters of its TCP, by name."""
    with open("/proc/net/snmp", encoding="ascii") as file:
        names, values = [line.split()[1:] for line in file
                         if line.startswith("Tcp:")]
    return dict(zip(names, map(int, values)))


def check_wire(tally, args, before: dict, results: dict):
    """All went over Chalk, nothing over what it stands for."""
    sums = [sum(result.packets[i] for result in results.values())
            for i in range(4)]
    print(f"# packets: {sums[TCP]} of TCP, {sums[CHALK]} of Chalk (253), "
          f"{sums[UDP]} of UDP, {sums[DGRAM]} of Chalk datagrams (254)")
    tally.say(sums[DGRAM if args.dgram else CHALK] > 0, "packets of Chalk")
    tally.say(sums[UDP if args.dgram else TCP] == 0,
              "no packet of what Chalk stands for")
    changed = {name: value - before[name]
               for name, value in tcp_counters().items()
               if value != before[name]}
    tally.say(not changed, f"the counters of TCP are as before {changed or ''}")


def check_list(tally, args, results: dict):
    """The file `tests` has what it should; if not, that goes to $CHALK_OUT."""
    names = sorted(name for name, result in results.items()
                   if result.outcome == "pass" and result.sockets)
    good = names == sorted(chosen(args.names, read_list("tests")))
    if not good:
        pathlib.Path(os.environ["CHALK_OUT"], "tests").write_text(
            "\n".join([*HEAD, *names, ""]))
    tally.say(good, "the file `tests` has all that make stream sockets")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compare", action="store_true",
                        help="run over TCP first, and compare")
    parser.add_argument("--dgram", action="store_true",
                        help="UDP and Chalk datagrams, with --compare")
    parser.add_argument("--patience", type=float, default=120, metavar="S",
                        help="seconds a test may take (default 120)")
    parser.add_argument("names", nargs="*", metavar="TEST", type=str.split,
                        help="modules or classes, such as test.test_poplib")
    return parser.parse_args()


def main() -> int:
    """Run, compare, count."""
    args = parse()
    tally = Tally()
    only = None
    if args.compare:
        over_tcp = run_all(args, "tcp", None)
        if not args.dgram:
            check_list(tally, args, over_tcp)
        expected = {name: r.outcome for name, r in over_tcp.items()}
    else:
        only = chosen(args.names, read_list("tests"))
        expected = dict.fromkeys(only, "pass")
    before = tcp_counters()
    results = run_all(args, "chalk", only)
    check_wire(tally, args, before, results)
    compare(tally, expected, results, read_list("differences"))
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
