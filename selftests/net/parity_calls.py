# SPDX-License-Identifier: GPL-2.0
"""Scenarios: the calls that move data by other ways."""

import ctypes
import os
import socket
import struct
import tempfile

from net import libc
from parity import scenario

SPLICE_F_NONBLOCK, SPLICE_F_MORE = 2, 4
SO_TIMESTAMP, SO_TIMESTAMPNS, SO_TIMESTAMPING = 29, 35, 37
SO_ZEROCOPY, MSG_ZEROCOPY = 60, 0x4000000


def a_file(run, data: bytes):
    """A file with this in it, at its begin"""
    file = tempfile.TemporaryFile()
    run.undo.append(file.close)
    file.write(data)
    file.flush()
    file.seek(0)
    return file


def a_pipe(run) -> tuple:
    """Its two ends"""
    ends = os.pipe()
    run.undo.append(lambda: [os.close(fd) for fd in ends])
    return ends


@scenario
def sendfile(run):
    """From a file into the stream"""
    client, conn = run.pair()
    data = os.urandom(50000)
    file = a_file(run, data)
    run.call("all", os.sendfile, client.fileno(), file.fileno(), 0, 50000)
    run.log("same", conn.recv(50000, socket.MSG_WAITALL) == data)
    run.call("part", os.sendfile, client.fileno(), file.fileno(), 49990, 100)
    run.log("same", conn.recv(10, socket.MSG_WAITALL) == data[-10:])
    run.call("behind", os.sendfile, client.fileno(), file.fileno(), 60000, 9)
    run.counts(conn=conn)


@scenario
def sendfile_full(run):
    """A full buffer, and an end that is shut"""
    client, conn = run.pair()
    file = a_file(run, bytes(1 << 22))
    client.setblocking(False)
    sent = 0
    try:
        while True:
            sent += os.sendfile(client.fileno(), file.fileno(), 0, 1 << 22)
    except OSError as err:
        run.log("at last", err.strerror)
    run.log("came", len(conn.recv(sent, socket.MSG_WAITALL)) == sent)
    client.shutdown(socket.SHUT_WR)
    run.call("shut", os.sendfile, client.fileno(), file.fileno(), 0, 10)
    run.call("fresh", os.sendfile, run.socket().fileno(), file.fileno(), 0, 9)
    run.reset_by(conn)
    run.call("reset", os.sendfile, client.fileno(), file.fileno(), 0, 10)


@scenario
def sendfile_changed_later(run):
    """What is sent is what the file had when it was sent, or has since"""
    client, conn = run.pair()
    file = a_file(run, b"a" * 5000)
    run.call("send", os.sendfile, client.fileno(), file.fileno(), 0, 5000)
    run.call("recv", conn.recv, 5000, socket.MSG_WAITALL)


@scenario
def splice_in(run):
    """From a pipe into the stream"""
    client, conn = run.pair()
    out, into = a_pipe(run)
    os.write(into, b"through a pipe")
    run.call("splice", os.splice, out, client.fileno(), 7)
    run.call("more", os.splice, out, client.fileno(), 100, None, None,
             SPLICE_F_MORE)
    run.call("empty", os.splice, out, client.fileno(), 100, None, None,
             SPLICE_F_NONBLOCK)
    run.call("recv", conn.recv, 14, socket.MSG_WAITALL)


@scenario
def splice_out(run):
    """From the stream into a pipe"""
    client, conn = run.pair()
    out, into = a_pipe(run)
    conn.setblocking(False)
    run.call("empty", os.splice, conn.fileno(), into, 100)
    conn.setblocking(True)
    client.send(b"0123456789")
    run.settle()
    run.call("part", os.splice, conn.fileno(), into, 4)
    run.counts(conn=conn)
    run.call("rest", os.splice, conn.fileno(), into, 100)
    run.call("pipe", os.read, out, 100)
    run.timeout(conn, socket.SO_RCVTIMEO, 0.4)
    run.timed("waits", os.splice, conn.fileno(), into, 100)
    client.send(b"last")
    client.close()
    run.settle()
    run.call("last", os.splice, conn.fileno(), into, 100)
    run.call("end", os.splice, conn.fileno(), into, 100)
    run.call("pipe", os.read, out, 100)
    run.about(conn=conn)


@scenario
def splice_out_much(run):
    """More than the pipe holds"""
    client, conn = run.pair()
    out, into = a_pipe(run)
    data = os.urandom(200000)
    thread = run.meanwhile(client.sendall, data, after=0)
    got = b""
    while len(got) < len(data):
        n = os.splice(conn.fileno(), into, 1 << 20)
        while n:
            piece = os.read(out, n)
            got += piece
            n -= len(piece)
    thread.join()
    run.log("same", got == data)


@scenario
def splice_errors(run):
    """Without a connection, and after a reset"""
    out, into = a_pipe(run)
    os.write(into, b"x")
    run.call("fresh", os.splice, run.socket().fileno(), into, 10)
    run.call("fresh", os.splice, out, run.socket().fileno(), 10)
    run.call("listener", os.splice, run.listener().fileno(), into, 10)
    client, conn = run.pair(7001)
    conn.send(b"data")
    run.settle()
    run.reset_by(conn)
    run.call("data", os.splice, client.fileno(), into, 10)
    run.call("reset", os.splice, client.fileno(), into, 10)
    run.call("end", os.splice, client.fileno(), into, 10)
    run.call("offset", os.splice, client.fileno(), into, 10, 0)


@scenario
def splice_urgent(run):
    """Splicing and the urgent mark"""
    client, conn = run.pair()
    out, into = a_pipe(run)
    client.send(b"ab!", socket.MSG_OOB)
    client.send(b"cd")
    run.settle()
    conn.setblocking(False)
    for _ in range(3):
        run.call("splice", os.splice, conn.fileno(), into, 10)
    run.call("pipe", os.read, out, 100)
    run.about(conn=conn)


@scenario
def vmsplice(run):
    """A program's pages through a pipe"""
    client, conn = run.pair()
    out, into = a_pipe(run)
    data = ctypes.create_string_buffer(b"pages of a program", 18)
    vec = struct.pack("QQ", ctypes.addressof(data), 18)
    run.libc("vmsplice", into, vec, 1, 0)
    run.call("splice", os.splice, out, client.fileno(), 18)
    run.call("recv", conn.recv, 18, socket.MSG_WAITALL)


@scenario
def many_messages(run):
    """sendmmsg() and recvmmsg()"""
    client, conn = run.pair()
    keep = []

    def header(size, fill=b""):
        data = ctypes.create_string_buffer(fill, size)
        vec = ctypes.create_string_buffer(
            struct.pack("QQ", ctypes.addressof(data), size))
        keep.extend((data, vec))
        return data, struct.pack("QIxxxxQQQQiII4x", 0, 0,
                                 ctypes.addressof(vec), 1, 0, 0, 0, 0, 0)[:64]

    out = ctypes.create_string_buffer(
        b"".join(header(3, text)[1] for text in (b"abc", b"def", b"ghi")))
    run.libc("sendmmsg", client.fileno(), out, 3, 0)
    run.settle()
    places = [header(4) for _ in range(3)]
    into = ctypes.create_string_buffer(b"".join(h for _, h in places))
    run.libc("recvmmsg", conn.fileno(), into, 3, socket.MSG_DONTWAIT, None)
    run.log("data", [data.raw for data, _ in places])
    run.log("sizes", [struct.unpack_from("I", into, 64 * i + 56)[0]
                      for i in range(3)])


@scenario
def vectors(run):
    """readv() and writev()"""
    client, conn = run.pair()
    run.call("writev", os.writev, client.fileno(), [b"ab", b"", b"cde"])
    run.settle()
    parts = [bytearray(1), bytearray(9)]
    run.call("readv", os.readv, conn.fileno(), parts)
    run.log("parts", parts)
    run.call("write", os.write, client.fileno(), b"x")
    run.call("read", os.read, conn.fileno(), 10)
    run.call("pread", os.pread, conn.fileno(), 10, 0)
    run.call("lseek", os.lseek, conn.fileno(), 0, 0)
    run.call("fsync", os.fsync, conn.fileno())


def kinds(result) -> list:
    """The control messages of recvmsg(): level, type, size"""
    data, control, flags, _ = result
    return [data, [(level, kind, len(text)) for level, kind, text in control],
            flags]


@scenario
def receive_timestamps(run):
    """SO_TIMESTAMP and its kin"""
    # the first to ask switches the stamping on, a little later
    run.socket().setsockopt(socket.SOL_SOCKET, SO_TIMESTAMP, 1)
    run.settle()
    for number, options in enumerate((
            [(SO_TIMESTAMP, 1)], [(SO_TIMESTAMPNS, 1)],
            [(SO_TIMESTAMPING, 8 | 16)], [(SO_TIMESTAMPING, 8)],
            [(SO_TIMESTAMP, 1), (SO_TIMESTAMPING, 8 | 16)],
            [(63, 1)], [(64, 1)], [(65, 8 | 16)])):
        client, conn = run.pair(7000 + number)
        for option, value in options:
            run.call(f"set {option}", conn.setsockopt, socket.SOL_SOCKET,
                     option, value)
        client.send(b"first")
        run.settle()
        run.call("first", lambda c=conn: kinds(c.recvmsg(10, 200)))
        client.send(b"a")
        client.send(b"b")
        run.settle()
        run.call("two", lambda c=conn: kinds(c.recvmsg(10, 200)))
        client.send(b"c")
        run.settle()
        run.call("no room", lambda c=conn: kinds(c.recvmsg(10, 4)))


@scenario
def last_timestamp(run):
    """SIOCGSTAMP"""
    client, conn = run.pair()
    client.send(b"x")
    run.settle()
    conn.recv(1)
    run.call("SIOCGSTAMP", run.ioctl, conn, 0x8906)
    run.call("SIOCGSTAMPNS", run.ioctl, conn, 0x8907)


def error_queue(run, what, sock):
    """Log what recvmsg(MSG_ERRQUEUE) gives, without times"""
    run.settle()

    def one():
        data, control, flags, _ = sock.recvmsg(100, 500, socket.MSG_ERRQUEUE)
        text = []
        for level, kind, raw in control:
            if len(raw) >= 16 and (level, kind) in ((0, 11), (41, 25)):
                text.append(struct.unpack("IBBBxII", raw[:16]))
            else:
                text.append((level, kind, len(raw)))
        return len(data), text, flags
    while run.call(what, one):
        pass


@scenario
def send_timestamps(run):
    """SO_TIMESTAMPING of what is sent: by software, and acknowledged"""
    client, conn = run.pair()
    run.call("set", client.setsockopt, socket.SOL_SOCKET, SO_TIMESTAMPING,
             2 | 16 | (1 << 7) | (1 << 9) | (1 << 11))
    for size in (10, 5):
        client.send(bytes(size))
        error_queue(run, "queue", client)
    run.events(client=client)
    conn.recv(100)


@scenario
def send_timestamps_with_data(run):
    """Without OPT_TSONLY and OPT_ID"""
    client, conn = run.pair()
    run.call("set", client.setsockopt, socket.SOL_SOCKET, SO_TIMESTAMPING,
             16 | (1 << 9))
    client.send(bytes(10))
    run.events(client=client)
    error_queue(run, "queue", client)
    conn.recv(100)


@scenario
def zerocopy(run):
    """MSG_ZEROCOPY: completions on the error queue"""
    client, conn = run.pair()
    run.call("not asked for", client.send, b"abc", MSG_ZEROCOPY)
    run.call("recv", conn.recv, 10)
    run.call("set", client.setsockopt, socket.SOL_SOCKET, SO_ZEROCOPY, 1)
    run.call("get", client.getsockopt, socket.SOL_SOCKET, SO_ZEROCOPY)
    run.call("send", client.send, b"x" * 20000, MSG_ZEROCOPY)
    run.call("recv", conn.recv, 20000, socket.MSG_WAITALL)
    run.events(client=client)
    error_queue(run, "queue", client)
    for _ in range(3):
        client.send(b"x" * 20000, MSG_ZEROCOPY)
    conn.recv(60000, socket.MSG_WAITALL)
    error_queue(run, "queue", client)
    run.call("plain", client.send, b"plain")
    run.events(client=client)


@scenario
def errors_of_the_network(run):
    """IP_RECVERR changes nothing for a healthy connection"""
    client, _ = run.pair()
    if run.family == socket.AF_INET:
        client.setsockopt(socket.SOL_IP, 11, 1)
    run.call("queue", client.recvmsg, 10, 100, socket.MSG_ERRQUEUE)
    run.events(client=client)


@scenario
def map_memory(run):
    """mmap() of a socket, for TCP_ZEROCOPY_RECEIVE"""
    client, _ = run.pair()
    libc.mmap.restype = ctypes.c_void_p
    page = libc.mmap(None, 4096, 1, 1, client.fileno(), 0)
    run.log("mapped", page != 2 ** 64 - 1)
    if page != 2 ** 64 - 1:
        libc.munmap(ctypes.c_void_p(page), 4096)


@scenario
def bad_descriptor_calls(run):
    """Calls that no stream socket knows"""
    client, _ = run.pair()
    run.libc("socketpair", int(run.family), socket.SOCK_STREAM, run.protocol,
             ctypes.create_string_buffer(8))
    run.libc("ftruncate", client.fileno(), 0)
    libc.close(-1)
