# SPDX-License-Identifier: GPL-2.0
"""test_preload.py - what chalk run makes of the sockets of a program.

The programs are snippets of Python, on a kernel that only seems to have Chalk.
Needs "make tools" first.
"""

import json
import os
import subprocess
import sys
import textwrap
import unittest

import fake

HERE = os.path.dirname(os.path.realpath(__file__))
RUN = os.path.join(HERE, "../../chalk/chalk-run")
STREAM, DGRAM, TCP, UDP = 253, 254, 6, 17

# What the snippets find in place; show() is their answer. PORT is nobody else's:
# the probe keeps it, does not listen, and lets the snippet's own sockets share it.
PRELUDE = """
import errno, fcntl, json, os, select, socket, struct, subprocess, sys, time
from socket import *
def kind(s): return s.getsockopt(SOL_SOCKET, SO_PROTOCOL)
def show(*values): print(json.dumps(values))
def pair():
    "listener, client and what accept() gives"
    server = socket(); server.bind(("127.0.0.1", PORT)); server.listen()
    client = socket(); client.connect(("127.0.0.1", PORT))
    return server, client, server.accept()[0]
probe = socket(AF_INET, SOCK_STREAM, 0)
probe.bind(("127.0.0.1", 0)); PORT = probe.getsockname()[1]
"""


def setUpModule():  # pylint: disable=invalid-name
    """The make-believe kernel."""
    fake.build()


def tearDownModule():  # pylint: disable=invalid-name
    """Nothing stays."""
    fake.remove()


def chalk_run(*args: str, has="full") -> subprocess.CompletedProcess:
    """chalk run ARGS where the kernel @has such a Chalk."""
    return fake.run([RUN, *args], has)


def python(code: str, *options: str, has="full"):
    """A snippet with the prelude, over Chalk."""
    return chalk_run(*options, sys.executable, "-c",
                     PRELUDE + textwrap.dedent(code), has=has)


class RunTest(unittest.TestCase):
    """Helpers."""

    def shows(self, code: str, *options: str, has="full"):
        """What the snippet shows."""
        done = python(code, *options, has=has)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)


class SocketTest(RunTest):
    """Without a choice to be made."""

    def test_stream__is_chalk(self):
        self.assertEqual(self.shows("""
            show(*(kind(socket(family, SOCK_STREAM, number))
                   for family in (AF_INET, AF_INET6) for number in (0, 6)))
            """), [STREAM] * 4)

    def test_others__are_what_they_were(self):
        self.assertEqual(self.shows("""
            show(kind(socket(AF_INET, SOCK_DGRAM)),
                 kind(socket(AF_INET6, SOCK_DGRAM)),
                 kind(socket(AF_UNIX, SOCK_STREAM)),
                 kind(socketpair()[0]),
                 kind(socket(AF_NETLINK, SOCK_RAW, 0)))
            """), [UDP, UDP, 0, 0, 0])

    def test_dgram__is_chalk_if_asked_for(self):
        self.assertEqual(self.shows("""
            show(*(kind(socket(AF_INET, SOCK_DGRAM, n)) for n in (0, 17)),
                 kind(socket()))
            """, "--dgram"), [DGRAM, DGRAM, STREAM])

    def test_flags__are_kept(self):
        self.assertEqual(self.shows("""
            s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)
            show(kind(s), fcntl.fcntl(s, fcntl.F_GETFL) & os.O_NONBLOCK != 0,
                 fcntl.fcntl(s, fcntl.F_GETFD))
            """), [STREAM, True, 1])

    def test_children__inherit_it(self):
        self.assertEqual(self.shows("""
            sys.stdout.flush()
            subprocess.run(["sh", "-c", sys.executable + ''' -c '
            import socket
            print([socket.socket().getsockopt(1, 38)])' '''.replace(
                "\\n" + " " * 12, "\\n")], check=True)
            """), [STREAM])

    def test_connection__carries_data(self):
        self.assertEqual(self.shows("""
            server, client, conn = pair()
            client.send(b"there"); conn.send(b"back")
            show(conn.recv(9).decode(), client.recv(9).decode())
            """), ["there", "back"])


class AbsentTest(RunTest):
    """Chalk is not to be had."""

    def test_not_loaded__is_said_before_the_program_runs(self):
        done = python("show()", has="none")
        self.assertEqual((done.returncode, done.stdout), (125, ""))
        self.assertIn("chalk.ko is not loaded; run: modprobe chalk", done.stderr)

    def test_gone__fails_and_is_said_once(self):
        done = python("""
            os.environ["FAKE_CHALK"] = "none"
            for family in (AF_INET6, AF_INET, AF_INET):
                try: socket(family)
                except OSError as error: print(errno.errorcode[error.errno])
            """)
        self.assertEqual(done.stdout.split(), ["EPROTONOSUPPORT"] * 3)
        self.assertEqual(done.stderr.count("chalk.ko is not loaded"), 1)

    def test_no_ipv6__looks_like_a_kernel_without(self):
        done = python("""
            try: socket(AF_INET6)
            except OSError as error: print(errno.errorcode[error.errno])
            """, has="v4")
        self.assertEqual(done.stdout, "EAFNOSUPPORT\n")
        self.assertEqual(done.stderr, "")


class OnlyTest(RunTest):
    """--only, which is known after socket() only."""

    def test_listen(self):
        self.assertEqual(self.shows("""
            server = socket(); server.bind(("127.0.0.1", 0)); server.listen()
            client = socket(); client.connect(server.getsockname())
            show(kind(server), kind(client))
            """, "--only", "listen"), [STREAM, TCP])

    def test_connect(self):
        self.assertEqual(self.shows(
            "show(*(kind(s) for s in pair()[:2]))", "--only", "connect"),
            [TCP, STREAM])

    def test_listen_without_bind(self):
        self.assertEqual(self.shows(
            "s = socket(); s.listen(); show(kind(s), s.getsockname()[1] > 0)",
            "--only", "listen"), [STREAM, True])

    def test_bind_then_connect__turns_back(self):
        self.assertEqual(self.shows("""
            server = socket(); server.bind(("127.0.0.1", 0)); server.listen()
            client = socket(); client.bind(("127.0.0.2", PORT))
            bound = kind(client)
            client.connect(server.getsockname())
            show(bound, kind(client), client.getsockname() == ("127.0.0.2", PORT))
            """, "--only", "listen"), [STREAM, TCP, True])

    def test_connect__keeps_the_address_bound(self):
        self.assertEqual(self.shows("""
            server = socket(); server.bind(("127.0.0.1", 0)); server.listen()
            client = socket(); client.bind(("127.0.0.2", PORT))
            client.connect(server.getsockname())
            conn, peer = server.accept()
            show(kind(client), list(peer) == ["127.0.0.2", PORT])
            """, "--only", "connect"), [STREAM, True])

    def test_not_loaded__fails_in_the_call(self):
        done = python("""
            os.environ["FAKE_CHALK"] = "none"
            s = socket()
            try: s.connect(("127.0.0.1", PORT))
            except OSError as error: print(errno.errorcode[error.errno])
            print(kind(s))
            """, "--only", "connect")
        self.assertEqual(done.stdout.split(), ["EPROTONOSUPPORT", str(TCP)])
        self.assertEqual(done.stderr.count("chalk.ko is not loaded"), 1)

    def test_connected__stays(self):
        """a second connect() of a socket on its way, to somewhere else"""
        self.assertEqual(self.shows("""
            server = socket(); server.bind(("127.0.0.1", 0)); server.listen()
            client = socket(); client.connect(server.getsockname())
            try: client.connect(("127.0.0.1", 9))
            except OSError as error: code = errno.errorcode[error.errno]
            show(kind(client), code)
            """, "--ports", "9"), [TCP, "EISCONN"])

    def test_with_dgram__is_refused(self):
        done = chalk_run("--only", "listen", "--dgram", "true")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--only is about streams", done.stderr)


class PortsTest(RunTest):
    """--ports, local or remote."""

    def test_listed_and_not(self):
        self.assertEqual(self.shows("""
            kinds = []
            for port in (20001, 20002, 20010, 20011):
                s = socket(); s.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
                s.bind(("127.0.0.1", port)); s.listen()
                c = socket(); c.connect(("127.0.0.1", port))
                kinds.append((kind(s), kind(c)))
            show(*kinds)
            """, "--ports", "20001,20005-20010"),
            [[STREAM] * 2, [TCP] * 2, [STREAM] * 2, [TCP] * 2])

    def test_local_port_of_a_client__counts(self):
        """as in the data connections of FTP"""
        self.assertEqual(self.shows("""
            server = socket(); server.bind(("127.0.0.1", 0)); server.listen()
            s = socket(); s.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", 20020)); s.connect(server.getsockname())
            show(kind(server), kind(s))
            """, "--ports", "20020"), [TCP, STREAM])

    def test_any_port__is_looked_at_by_listen(self):
        self.assertEqual(self.shows("""
            s = socket(); s.bind(("127.0.0.1", 0)); early = kind(s)
            port = s.getsockname()[1]; s.listen()
            show(early, kind(s), s.getsockname()[1] == port)
            """, "--ports", "1024-65535"), [TCP, STREAM, True])

    def test_dgram__by_either_port(self):
        self.assertEqual(self.shows("""
            a = socket(AF_INET, SOCK_DGRAM); a.bind(("127.0.0.1", 20030))
            b = socket(AF_INET, SOCK_DGRAM); b.bind(("127.0.0.1", 0))
            early = kind(b)
            b.sendto(b"query", ("127.0.0.1", 20030))
            data, peer = a.recvfrom(99)
            a.sendto(b"answer", peer)
            c = socket(AF_INET, SOCK_DGRAM); c.sendto(b"x", ("127.0.0.1", PORT))
            d = socket(AF_INET, SOCK_DGRAM)
            d.sendmsg([b"x"], [], 0, ("127.0.0.1", 20030))
            show(kind(a), early, kind(b), data.decode(), b.recv(9).decode(),
                 kind(c), kind(d))
            """, "--dgram", "--ports", "20030"),
            [DGRAM, UDP, DGRAM, "query", "answer", UDP, DGRAM])

    def test_lists__are_checked(self):
        for text in ("", "0", "x", "9-8", "65536", "1,,2", "1-", "-1",
                     ",".join("1" * 65)):
            done = chalk_run(f"--ports={text}", "true")
            self.assertEqual(done.returncode, 2, text)
            self.assertIn("--ports", done.stderr)
        self.assertEqual(chalk_run("--ports", "1,2-3", "true").returncode, 0)


class LookupTest(RunTest):
    """Calls that are looked up by name."""

    def test_ctypes__gets_chalk(self):
        self.assertEqual(self.shows("""
            import ctypes
            found = [ctypes.CDLL(name).socket for name in (None, "libc.so.6")]
            show(*(kind(socket(fileno=f(2, 1, 0))) for f in found))
            """), [STREAM, STREAM])

    def test_others__find_what_they_look_for(self):
        self.assertEqual(self.shows("""
            import ctypes
            libc = ctypes.CDLL("libc.so.6")
            show(libc.getpid() == os.getpid(), hasattr(libc, "no_such_call"),
                 ctypes.CDLL("libm.so.6").abs(-3))
            """), [True, False, 3])

    def test_next__is_that_of_who_asks(self):
        """a library that overrides socket() too, and goes on to the next"""
        path = os.path.join(fake.directory(), "other.so")
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-o", path, "-x", "c", "-"], check=True,
            input="""#define _GNU_SOURCE
                #include <dlfcn.h>
                int listen(int fd, int n)
                {
                    int (*next)(int, int) = dlsym(RTLD_NEXT, "listen");
                    return next == listen ? 77 : next(fd, n) + 5;
                }""", text=True)
        order = " ".join([self.object_file(), path,
                          os.path.join(fake.directory(), "fake.so")])
        done = fake.run([RUN, "env", f"LD_PRELOAD={order}", sys.executable, "-c", "import ctypes, socket; "
                         "s = socket.socket(); "
                         "print(ctypes.CDLL(None).listen(s.fileno(), 1))"],
                        "full")
        self.assertEqual(done.stdout, "5\n", done.stderr)

    @staticmethod
    def object_file() -> str:
        """Where ours is."""
        return os.path.normpath(os.path.join(
            HERE, "../../../build/bin/libchalk-preload.so"))

    def test_dlmopen__is_said(self):
        program = ProgramTest.compile("worlds", """#define _GNU_SOURCE
            #include <dlfcn.h>
            int main(void)
            {
                return !dlmopen(LM_ID_NEWLM, "libm.so.6", RTLD_NOW);
            }""")
        done = chalk_run(program)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("libm.so.6 is loaded by dlmopen(): its sockets are TCP",
                      done.stderr)


class ExchangeTest(RunTest):
    """What a socket has when it is exchanged."""

    OPTIONS = ("--only", "connect")

    def test_options__are_kept(self):
        self.assertEqual(self.shows("""
            options = [(SOL_SOCKET, SO_KEEPALIVE, 1), (SOL_SOCKET, SO_SNDBUF, 20000),
                       (SOL_SOCKET, 60, 1), (SOL_SOCKET, 37, 26), (SOL_SOCKET, 69, 1),
                       (SOL_SOCKET, 45, 1), (SOL_IP, 50, htonl(1)), (SOL_TCP, 36, 1),
                       (SOL_TCP, 27, 1),
                       (SOL_SOCKET, SO_RCVBUF, 30000), (SOL_SOCKET, SO_PRIORITY, 3),
                       (SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 7)),
                       (SOL_SOCKET, SO_RCVTIMEO, struct.pack("ll", 5, 0)),
                       (SOL_IP, IP_TOS, 16), (SOL_IP, IP_TTL, 33),
                       (SOL_TCP, TCP_NODELAY, 1), (SOL_TCP, TCP_KEEPIDLE, 77),
                       (SOL_TCP, TCP_CONGESTION, b"reno")]
            s = socket()
            for option in options: s.setsockopt(*option)
            before = [s.getsockopt(*o[:2], 16) for o in options]
            try: s.connect(("127.0.0.1", PORT))
            except ConnectionRefusedError: pass
            show(kind(s), before == [s.getsockopt(*o[:2], 16) for o in options])
            """, *self.OPTIONS), [STREAM, True])

    def test_flags__are_kept(self):
        self.assertEqual(self.shows("""
            results = []
            for inheritable in (False, True):
                s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK)
                s.set_inheritable(inheritable)
                number = s.fileno()
                try: s.connect(("127.0.0.1", PORT))
                except (BlockingIOError, ConnectionRefusedError): pass
                results.append((kind(s), os.get_blocking(s.fileno()),
                                s.get_inheritable() == inheritable))
            show(*results)
            """, *self.OPTIONS), [[STREAM, False, True]] * 2)

    def test_epoll__goes_on(self):
        self.assertEqual(self.shows("""
            server = socket(); server.bind(("127.0.0.1", 0)); server.listen()
            s = socket(); other = socket()
            polls = [select.epoll(), select.epoll()]
            for p in polls: p.register(s, select.EPOLLIN)
            polls[0].register(other, select.EPOLLIN)
            s.connect(server.getsockname())
            server.accept()[0].send(b"x")
            show(kind(s), *([fd == s.fileno() for fd, event in p.poll(5)
                             if event & select.EPOLLIN] for p in polls))
            """, *self.OPTIONS), [STREAM, [True], [True]])

    def test_copies_of_the_descriptor__follow(self):
        self.assertEqual(self.shows("""
            s = socket(); copy = s.dup()
            try: s.connect(("127.0.0.1", PORT))
            except ConnectionRefusedError: pass
            show(kind(s), kind(copy),
                 os.fstat(s.fileno()).st_ino == os.fstat(copy.fileno()).st_ino)
            """, *self.OPTIONS), [STREAM, STREAM, True])

    def test_option_that_is_refused__is_said_once(self):
        done = python("""
            os.environ["FAKE_LACKS"] = "60"
            for i in range(3):
                s = socket(); s.setsockopt(SOL_SOCKET, 60, 1)
                try: s.connect(("127.0.0.1", PORT))
                except ConnectionRefusedError: pass
                assert kind(s) == 253
            """, *self.OPTIONS)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"\Achalk run: \S+: socket \d+: option 60 "
                         r"of level 1 is lost: Operation not supported\n\Z")

    def test_packet_filter__is_said_to_be_lost(self):
        done = python("""
            s = socket()
            one = struct.pack("HBBI", 6, 0, 0, 0xffff)
            import ctypes
            kept = ctypes.create_string_buffer(one)
            s.setsockopt(SOL_SOCKET, 26, struct.pack("HL", 1, ctypes.addressof(kept)))
            try: s.connect(("127.0.0.1", PORT))
            except ConnectionRefusedError: pass
            """, *self.OPTIONS)
        self.assertIn("its packet filter is lost", done.stderr)

    def test_epolls__are_as_many_as_there_are(self):
        self.assertEqual(self.shows("""
            server = socket(); server.bind(("127.0.0.1", 0)); server.listen()
            s = socket(); copy = s.dup()
            polls = [select.epoll() for i in range(600)]
            for p in polls: p.register(s, select.EPOLLIN)
            for p in polls[:300]: p.register(copy, select.EPOLLIN)
            s.connect(server.getsockname())
            server.accept()[0].send(b"x")
            show(kind(s), kind(copy), sorted({len(p.poll(5)) for p in polls}),
                 sum(len(p.poll(5)) for p in polls))
            """, *self.OPTIONS), [STREAM, STREAM, [1, 2], 900])

    # A program that sees no /proc: os.chroot, or a namespace of its own
    BARE = """
            server = socket(); server.bind(("127.0.0.1", 0)); server.listen()
            s = socket(); copy = s.dup()
            server.getsockname(); os.chroot("/dev/shm"); os.chdir("/")
            """

    @unittest.skipIf(os.geteuid(), "only root may chroot")
    def test_chroot__copies_follow_without_proc(self):
        self.assertEqual(self.shows(self.BARE + """
            copy.set_inheritable(True)
            s.connect(server.getsockname())
            show(kind(s), kind(copy), copy.get_inheritable(), s.get_inheritable())
            """, *self.OPTIONS), [STREAM, STREAM, True, False])

    @unittest.skipIf(os.geteuid(), "only root may chroot")
    def test_chroot__epoll_is_refused_aloud(self):
        done = python(self.BARE + """
            other = select.epoll(); other.register(server)
            s.connect(server.getsockname()); s2 = socket()
            p = select.epoll(); p.register(s2, select.EPOLLIN)
            try: s2.connect(server.getsockname())
            except OSError as error: code = errno.errorcode[error.errno]
            show(kind(s), kind(s2), code, len(p.poll(0)))
            """, *self.OPTIONS)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout), [STREAM, TCP, "ENOTSUP", 1])
        self.assertIn("stays what it is: epoll watches it, and without /proc",
                      done.stderr)

    def test_filter_of_system_calls__is_no_death(self):
        """openat, readlink and getdents64 kill, as vsftpd's do"""
        self.assertEqual(self.shows("""
            import ctypes
            server = socket(); server.bind(("127.0.0.1", 0)); server.listen()
            s = socket(); copy = s.dup()
            deadly = (257, 89, 267, 217) if os.uname().machine == "x86_64" else (56, 78, 61)
            code = [(0x20, 0, 0, 0)]
            for n in deadly: code += [(0x15, 0, 1, n), (6, 0, 0, 0x80000000)]
            code.append((6, 0, 0, 0x7fff0000))
            kept = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *c) for c in code))
            prog = ctypes.create_string_buffer(struct.pack("HL", len(code), ctypes.addressof(kept)))
            libc = ctypes.CDLL(None)
            sys.stdout.write("")
            assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, prog) == 0
            s.connect(server.getsockname())
            show(kind(s), kind(copy))
            """, *self.OPTIONS), [STREAM, STREAM])

    def test_descriptors__do_not_leak(self):
        self.assertEqual(self.shows("""
            count = lambda: len(os.listdir("/proc/self/fd"))
            before = count()
            for i in range(20):
                s = socket()
                try: s.connect(("127.0.0.1", PORT))
                except ConnectionRefusedError: pass
                s.close()
            show(count() - before)
            """, *self.OPTIONS), [0])


class VerboseTest(RunTest):
    """--verbose."""

    def test_each_decision__is_a_line(self):
        done = python("socket(); socket(AF_UNIX)", "--verbose")
        self.assertRegex(done.stderr, r"\A(chalk run: python3\S*\[\d+\]: "
                         r"socket \d+: Chalk stream over IPv4\n){2}\Z")
        done = python("pair()", "--verbose", "--only", "listen")
        for text in ("TCP over IPv4 until its use is known",
                     r"Chalk stream over IPv4, listens on port \d+",
                     r"TCP over IPv4, connects to port \d+"):
            self.assertRegex(done.stderr, rf"socket \d+: {text}\n")

    def test_quiet__without(self):
        self.assertEqual(python("pair()").stderr, "")

    def test_file_as_descriptor_2__is_left_alone(self):
        self.assertEqual(self.shows("""
            os.close(2)
            path = "/tmp/chalk-db.%d" % os.getpid()
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            os.unlink(path)
            os.environ["FAKE_CHALK"] = "none"
            try: socket()
            except OSError: pass
            show(fd, os.lseek(fd, 0, 2))
            """, "--verbose"), [2, 0])

    def test_standard_error_that_nobody_reads__is_no_death(self):
        self.assertEqual(self.shows("""
            import signal
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            there, here = os.pipe()
            os.dup2(here, 2); os.close(here); os.close(there)
            code = "import signal, socket; signal.signal(signal.SIGPIPE, signal.SIG_DFL);" \\
                "socket.socket(); socket.socket()"
            show(subprocess.run([sys.executable, "-c", code]).returncode)
            """, "--verbose"), [0])

    def test_connection_as_descriptor_2__is_left_alone(self):
        self.assertEqual(self.shows("""
            server, client, conn = pair()
            os.dup2(client.fileno(), 2)
            socket()
            client.close(); os.close(2)
            show(conn.recv(100).decode())
            """, "--verbose"), [""])


class ProgramTest(unittest.TestCase):
    """Programs that cannot be helped, and those that are not there."""

    def refused(self, status: int, message: str, *command: str):
        """chalk run COMMAND exits so, and says this."""
        done = chalk_run(*command)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertRegex(done.stderr, message)
        self.assertEqual(done.stdout, "")

    @staticmethod
    def compile(name: str, source: str, *options: str) -> str:
        """A program of C; its path."""
        path = os.path.join(fake.directory(), name)
        subprocess.run(["gcc", "-o", path, *options, "-x", "c", "-"],
                       input=source, text=True, check=True)
        return path

    @staticmethod
    def script(name: str, text: str) -> str:
        """An executable file."""
        path = os.path.join(fake.directory(), name)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(path, 0o755)
        return path

    def test_status__is_the_program_s(self):
        self.assertEqual(chalk_run("sh", "-c", "exit 3").returncode, 3)
        self.assertEqual(chalk_run("--", "sh", "-c", "exit 4").returncode, 4)

    def test_static(self):
        path = self.compile("static", "int main(void) { return 0; }", "-static")
        self.refused(124, "static is statically linked", path)

    def test_script_of_a_static_one(self):
        path = self.compile("shell", "int main(void) { return 0; }", "-static")
        script = self.script("script", f"#!{path} -x\n")
        self.refused(124, "script is a script, and .*shell is statically",
                     script)
        outer = self.script("outer", f"#!/usr/bin/env -S {script}\n")
        self.refused(124, "outer is a script, and .*script is a script", outer)

    def test_go(self):
        path = self.compile("gopher", '''
            __asm__(".section .note.go.buildid,\\"a\\",@note\\n"
                    ".long 4, 4, 4\\n.asciz \\"Go\\\\0\\"\\n.long 0x61626364\\n"
                    ".text");
            int main(void) { return 0; }''')
        self.refused(124, "gopher is a Go program", path)

    def test_other_word_size(self):
        path = self.script("small", "")
        with open(path, "wb") as file:
            file.write(b"\x7fELF\1\1\1".ljust(16, b"\0") + b"\2\0\3\0"
                       + bytes(32) + bytes(64))
        self.refused(124, "another processor|32-bit program", path)

    def test_setuid(self):
        path = self.compile("raised", "int main(void) { return 0; }")
        if os.geteuid():
            self.skipTest("only root can make such a program")
        os.chown(path, 65534, 65534)
        for mode, word in ((0o4755, "setuid"), (0o2755, "setgid")):
            os.chmod(path, mode)
            self.refused(124, f"raised is {word}: .* LD_PRELOAD", path)

    def test_own_setuid__is_no_obstacle(self):
        path = self.compile("own", "int main(void) { return 5; }")
        os.chmod(path, 0o4755)
        self.assertEqual(chalk_run(path).returncode, 5)

    def test_not_there(self):
        self.refused(127, "nosuch: not found", "nosuch")
        self.refused(127, "/no/such: no such file", "/no/such")

    def test_not_executable(self):
        self.refused(126, "/etc/passwd: may not be executed", "/etc/passwd")
        self.refused(126, "/etc: a directory", "/etc")
        self.refused(126, "Exec format error",
                     self.script("data", "neither\0one nor the other\n"))

    def test_script_without_a_first_line__is_the_shell_s(self):
        path = self.script("plain", 'echo "$#" "$1"; exit 7\n')
        done = chalk_run(path, "a b", "c")
        self.assertEqual((done.returncode, done.stdout), (7, "2 a b\n"))

    def test_no_program(self):
        self.refused(2, "which program", "--verbose")


if __name__ == "__main__":
    unittest.main()
