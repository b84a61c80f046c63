# SPDX-License-Identifier: GPL-2.0
"""One scenario, two protocols: what a program sees must be the same.

A scenario is a function with one parameter, a Run. It makes its sockets with
the Run, and logs what the calls answer. It is run with TCP and with Chalk in
the same kernel, over the loopback device of one namespace; then the two logs
are compared.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import select
import signal
import socket
import struct
import termios
import threading
import time

from net import IPPROTO_CHALK, libc

PORT = 7000
# swallows all that is sent to it: a connection to it stays in SYN_SENT
NOWHERE = {socket.AF_INET: "10.9.0.2", socket.AF_INET6: "fd09::2"}
LOCAL = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
ANY = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}

SIOCOUTQNSD, SIOCATMARK = 0x894B, 0x8905
SIOCINQ, SIOCOUTQ = termios.FIONREAD, termios.TIOCOUTQ
F_SETOWN_EX, F_OWNER_TID = 15, 0
POLLRDHUP = 0x2000
BITS = {1: "IN", 2: "PRI", 4: "OUT", 8: "ERR", 16: "HUP", 32: "NVAL",
        64: "RDNORM", 128: "RDBAND", 256: "WRNORM", 512: "WRBAND",
        POLLRDHUP: "RDHUP"}
SCENARIOS = []
# Seconds that make a difference.
GRAIN = 0.2


def scenario(function):
    """Mark a function as a scenario."""
    SCENARIOS.append(function)
    return function


def names(mask: int) -> str:
    """The bits of poll() as words."""
    return "|".join(word for bit, word in BITS.items() if mask & bit) or "-"


def setup():
    """What the scenarios need in the namespace they run in."""
    return """
ip link add nowhere type dummy
ip addr add 10.9.0.1/24 dev nowhere
ip -6 addr add fd09::1/64 dev nowhere nodad
ip link set nowhere up arp off
sysctl -qw net.ipv4.tcp_syn_retries=2 net.ipv4.tcp_synack_retries=2
sysctl -qw net.ipv4.tcp_retries2=3 net.ipv4.tcp_orphan_retries=2
for kind in rmem wmem
do
    cat /proc/sys/net/chalk/$kind > /proc/sys/net/ipv4/tcp_$kind
done
"""


class Run:
    """One run of a scenario with one protocol."""

    # pylint: disable=too-many-public-methods

    def __init__(self, family, protocol):
        self.family = family
        self.protocol = protocol
        self.lines = []
        self.sockets = []
        self.undo = []
        self.disconnected = False

    # --- sockets ---

    def socket(self, blocking=True) -> socket.socket:
        """A fresh socket."""
        sock = socket.socket(self.family, socket.SOCK_STREAM, self.protocol)
        sock.setblocking(blocking)
        self.sockets.append(sock)
        return sock

    def address(self, port=PORT) -> tuple:
        """Of this host"""
        return (LOCAL[self.family], port)

    def nowhere(self, port=PORT) -> tuple:
        """Of a host that does not answer"""
        return (NOWHERE[self.family], port)

    def listener(self, port=PORT, backlog=16) -> socket.socket:
        """A listening socket."""
        sock = self.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((ANY[self.family], port))
        sock.listen(backlog)
        return sock

    def pair(self, port=PORT, prepare=None) -> tuple:
        """Connected sockets: the client's, the server's."""
        server = self.listener(port)
        client = self.socket()
        if prepare:
            prepare(client)
            prepare(server)
        client.connect(self.address(port))
        conn, _ = server.accept()
        self.sockets.append(conn)
        server.close()
        return client, conn

    # --- the log ---

    def log(self, what, result):
        """A line of the log."""
        self.lines.append(f"{what}: {result}")

    def call(self, what, function, *args):
        """Call, and log the result or the errno. Return: the result."""
        try:
            result = function(*args)
        except OSError as err:
            code = err.errno
            self.log(what, errno.errorcode[code] if code else repr(err))
            return None
        if isinstance(result, bytes) and len(result) > 40:
            self.log(what, f"{len(result)} bytes, sum {sum(result)}")
        elif isinstance(result, socket.socket):
            self.log(what, "a socket")
        else:
            self.log(what, repr(result))
        return result

    def libc(self, name, *args) -> int:
        """The same for a function of the C library, which Python does not retry."""
        ctypes.set_errno(0)
        result = getattr(libc, name)(*args)
        code = ctypes.get_errno()
        self.log(name, errno.errorcode[code] if result == -1 else result)
        return result

    def settle(self):
        """Let all that is on its way arrive."""
        time.sleep(0.1)

    def events(self, **sockets):
        """Log what poll() says about each."""
        self.settle()
        for name, sock in sockets.items():
            poller = select.poll()
            poller.register(sock, ~(32 | 8 | 16) & 0x23ff)
            got = poller.poll(0)
            self.log(f"events of {name}", names(got[0][1] if got else 0))

    def counts(self, unsent=False, **sockets):
        """Log FIONREAD and its kin.

        After a disconnect TCP counts what it added to its sequence numbers as
        unsent; that is logged only on demand.
        """
        self.settle()
        for name, sock in sockets.items():
            requests = {"INQ": SIOCINQ, "ATMARK": SIOCATMARK}
            if unsent or not self.disconnected:
                requests |= {"OUTQ": SIOCOUTQ, "OUTQNSD": SIOCOUTQNSD}
            for word, request in requests.items():
                self.call(f"{word} of {name}", self.ioctl, sock, request)

    def error(self, name, sock):
        """Log SO_ERROR, which clears it."""
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self.log(f"SO_ERROR of {name}", errno.errorcode.get(code, code))

    def read_all(self, name, sock):
        """Log what can be read without waiting, up to the end or an error."""
        while self.call(f"{name}.recv", sock.recv, 100, socket.MSG_DONTWAIT):
            pass

    def about(self, **sockets):
        """Log all that can be asked without changing anything."""
        self.events(**sockets)
        self.counts(**sockets)
        for name, sock in sockets.items():
            self.call(f"{name}.peer", lambda s=sock: s.getpeername()[0])
            self.call(f"{name}.name", lambda s=sock: s.getsockname()[0])

    # --- helpers ---

    @staticmethod
    def ioctl(sock, request) -> int:
        """An ioctl that answers an int."""
        return struct.unpack("i", fcntl.ioctl(sock, request, bytes(4)))[0]

    @staticmethod
    def linger(sock, seconds):
        """SO_LINGER on"""
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, seconds))

    @staticmethod
    def timeout(sock, option, seconds):
        """SO_RCVTIMEO or SO_SNDTIMEO"""
        sock.setsockopt(socket.SOL_SOCKET, option, struct.pack(
            "ll", int(seconds), int(seconds % 1 * 1000000)))

    def reset_by(self, sock):
        """Close with a RST."""
        self.linger(sock, 0)
        sock.close()
        self.settle()

    def signals(self, number, restart=False) -> list:
        """Catch a signal; the list grows by one with each."""
        got = []
        old = signal.signal(number, lambda *_: got.append(number))
        signal.siginterrupt(number, not restart)
        self.undo.append(lambda: signal.signal(number, old))
        return got

    def alarm(self, seconds, restart=False) -> list:
        """SIGALRM after a time"""
        got = self.signals(signal.SIGALRM, restart)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        return got

    def meanwhile(self, function, *args, after=2 * GRAIN) -> threading.Thread:
        """Another thread calls after a while; join it."""
        def run():
            time.sleep(after)
            function(*args)
        # its own process would not share the sockets
        thread = threading.Thread(target=run, daemon=True)
        # signals are the main thread's
        old = signal.pthread_sigmask(signal.SIG_BLOCK, {
            signal.SIGALRM, signal.SIGPIPE, signal.SIGURG, signal.SIGIO})
        thread.start()
        signal.pthread_sigmask(signal.SIG_SETMASK, old)
        return thread

    def timed(self, what, function, *args):
        """The same as call(), and about how long it took."""
        begin = time.monotonic()
        result = self.call(what, function, *args)
        passed = time.monotonic() - begin
        self.log(f"{what} took", f"{round(passed / GRAIN) * GRAIN:.1f}")
        return result

    def fill(self, sock) -> int:
        """Send without waiting until nothing more is taken."""
        sent, before = 0, -1
        while True:
            try:
                sent += sock.send(bytes(65536), socket.MSG_DONTWAIT)
            except BlockingIOError:
                if sent == before:
                    return sent
                before = sent
                # the override timer (RFC 9293 3.8.6.2.1) sends the last bytes
                # that the window has room for
                time.sleep(0.3)

    @staticmethod
    def own(sock):
        """The signals of @sock are for this thread: others must not take them."""
        fcntl.fcntl(sock, F_SETOWN_EX, struct.pack(
            "ii", F_OWNER_TID, threading.get_native_id()))

    def finish(self):
        """Close all, and take back what was changed."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        for sock in self.sockets:
            if sock.fileno() >= 0:
                self.linger(sock, 0)
                sock.close()
        for function in reversed(self.undo):
            function()


def run(function, family, protocol) -> list:
    """The log of a scenario."""
    this = Run(family, protocol)
    try:
        function(this)
    finally:
        this.finish()
    return this.lines


def difference(function, family) -> list:
    """Lines of the two logs that are not the same, of TCP and of Chalk."""
    tcp = run(function, family, socket.IPPROTO_TCP)
    chalk = run(function, family, IPPROTO_CHALK)
    if not tcp or not chalk:
        raise AssertionError(f"{function.__name__} logs nothing")
    lines = []
    for i in range(max(len(tcp), len(chalk))):
        a = tcp[i] if i < len(tcp) else "-"
        b = chalk[i] if i < len(chalk) else "-"
        if a != b:
            lines.append(f"line {i}\n    tcp:   {a}\n    chalk: {b}")
    return lines
