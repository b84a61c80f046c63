# SPDX-License-Identifier: GPL-2.0
"""Scenarios: data, its flags, waiting for it, the events it makes."""

import ctypes
import fcntl
import os
import select
import signal
import socket
import struct
import threading
import unittest

from net import libc
from parity import SIOCINQ, names, scenario


# --- reading ---

@scenario
def data_events(run):
    """Readable while there is something to read"""
    client, conn = run.pair()
    run.about(client=client, conn=conn)
    client.send(b"0123456789")
    run.about(client=client, conn=conn)
    run.call("recv", conn.recv, 4)
    run.about(conn=conn)
    run.call("recv", conn.recv, 100)
    run.about(client=client, conn=conn)
    run.call("recv", conn.recv, 1, socket.MSG_DONTWAIT)


@scenario
def recv_flags(run):
    """PEEK, TRUNC, WAITALL, and some together"""
    client, conn = run.pair()
    client.send(b"0123456789")
    run.settle()
    for flags in ("MSG_PEEK", "MSG_TRUNC"):
        run.call(flags, conn.recv, 3, getattr(socket, flags))
    run.call("peek", conn.recv, 100, socket.MSG_PEEK)
    run.call("peek again", conn.recv, 100, socket.MSG_PEEK)
    run.log("peek and trunc", conn.recv_into(
        bytearray(5), 5, socket.MSG_PEEK | socket.MSG_TRUNC))
    run.call("waitall", conn.recv, 4, socket.MSG_WAITALL)
    run.log("trunc", conn.recv_into(bytearray(2), 2, socket.MSG_TRUNC))
    run.counts(conn=conn)
    run.call("waitall now", conn.recv, 9,
             socket.MSG_WAITALL | socket.MSG_DONTWAIT)
    run.call("again", conn.recv, 9, socket.MSG_WAITALL | socket.MSG_DONTWAIT)


@scenario
def recv_nothing(run):
    """recv() of no bytes"""
    client, conn = run.pair()
    run.call("empty", conn.recv, 0, socket.MSG_DONTWAIT)
    run.call("empty oob", conn.recv, 0, socket.MSG_DONTWAIT | socket.MSG_OOB)
    client.send(b"x")
    run.settle()
    run.call("full", conn.recv, 0, socket.MSG_DONTWAIT)
    run.call("still there", conn.recv, 10)
    run.call("send nothing", client.send, b"")
    run.events(conn=conn)
    client.close()
    run.settle()
    run.call("at the end", conn.recv, 0, socket.MSG_DONTWAIT)


@scenario
def recv_waitall(run):
    """Until all is there, or the end, or a time-out"""
    client, conn = run.pair()
    thread = run.meanwhile(client.send, b"world")
    client.send(b"hello ")
    run.call("both", conn.recv, 11, socket.MSG_WAITALL)
    thread.join()
    run.timeout(conn, socket.SO_RCVTIMEO, 0.4)
    client.send(b"part")
    run.timed("part", conn.recv, 10, socket.MSG_WAITALL)
    run.timed("nothing", conn.recv, 10, socket.MSG_WAITALL)
    client.send(b"end")
    thread = run.meanwhile(client.close, after=0.2)
    run.timed("end", conn.recv, 10, socket.MSG_WAITALL)
    thread.join()
    run.call("eof", conn.recv, 10, socket.MSG_WAITALL)


@scenario
def recv_peek_waits(run):
    """PEEK and WAITALL together"""
    client, conn = run.pair()
    client.send(b"abc")
    thread = run.meanwhile(client.send, b"def")
    run.call("peek", conn.recv, 6, socket.MSG_PEEK | socket.MSG_WAITALL)
    thread.join()
    run.call("recv", conn.recv, 6)


@scenario
def recv_vector(run):
    """Several pieces of memory; msg_flags; no name"""
    client, conn = run.pair()
    client.sendmsg([b"ab", b"", b"cdef", b"ghi"])
    run.settle()
    parts = [bytearray(3), bytearray(0), bytearray(4)]
    run.call("recvmsg", conn.recvmsg_into, parts, 100)
    run.log("parts", parts)
    run.call("recvmsg", conn.recvmsg, 10, 100)
    run.call("recvfrom", client.recvfrom, 1, socket.MSG_DONTWAIT)
    client.send(b"x")
    run.settle()
    run.call("recvfrom", conn.recvfrom, 1)


@scenario
def recv_bad_memory(run):
    """EFAULT, and nothing is lost"""
    client, conn = run.pair()
    client.send(b"abc")
    run.settle()
    run.libc("recv", conn.fileno(), ctypes.c_void_p(8), 3, 0)
    run.call("recv", conn.recv, 10)
    run.libc("send", client.fileno(), ctypes.c_void_p(8), 3, 0)
    run.libc("send", client.fileno(), ctypes.c_void_p(8), 100000, 0)
    run.events(conn=conn)
    run.call("recv", conn.recv, 10, socket.MSG_DONTWAIT)


@scenario
def recv_half_bad_memory(run):
    """The good half of the memory is filled"""
    client, conn = run.pair()
    libc.mmap.restype = ctypes.c_void_p
    page = libc.mmap(None, 8192, 3, 0x22, -1, 0)
    libc.munmap(ctypes.c_void_p(page + 4096), 4096)
    client.send(b"abcdefgh" * 4)
    run.settle()
    run.libc("recv", conn.fileno(), ctypes.c_void_p(page + 4090), 20, 0)
    run.call("recv", conn.recv, 100, socket.MSG_DONTWAIT)
    run.libc("send", client.fileno(), ctypes.c_void_p(page + 4090), 20, 0)
    run.settle()
    run.call("recv", conn.recv, 100, socket.MSG_DONTWAIT)
    libc.munmap(ctypes.c_void_p(page), 4096)


@scenario
def recv_lowat(run):
    """SO_RCVLOWAT: fewer bytes are as none"""
    client, conn = run.pair()
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 4)
    run.log("lowat", conn.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT))
    client.send(b"abc")
    run.events(conn=conn)
    run.counts(conn=conn)
    run.call("now", conn.recv, 10, socket.MSG_DONTWAIT | socket.MSG_PEEK)
    thread = run.meanwhile(client.send, b"defg")
    run.timed("recv", conn.recv, 10)
    thread.join()
    client.send(b"xy")
    run.call("less", conn.recv, 2)
    client.send(b"z")
    client.shutdown(socket.SHUT_WR)
    run.events(conn=conn)
    run.call("recv", conn.recv, 10)
    run.call("recv", conn.recv, 10)
    for value in (0, -1, 1 << 30):
        run.call("set", conn.setsockopt, socket.SOL_SOCKET,
                 socket.SO_RCVLOWAT, value)
        run.log("lowat",
                conn.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT))


@scenario
def recv_lowat_set_late(run):
    """A smaller SO_RCVLOWAT wakes"""
    client, conn = run.pair()
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 10)
    client.send(b"abc")
    run.settle()
    poller = select.epoll()
    poller.register(conn, select.EPOLLIN | select.EPOLLET)
    run.log("before", [names(e) for _, e in poller.poll(0)])
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 2)
    run.log("after", [names(e) for _, e in poller.poll(0)])
    poller.close()


@scenario
def peek_offset(run):
    """SO_PEEK_OFF, where TCP has it"""
    with socket.socket(run.family, socket.SOCK_STREAM) as tcp:
        try:
            tcp.setsockopt(socket.SOL_SOCKET, 42, 0)
        except OSError as err:
            raise unittest.SkipTest("this TCP has no SO_PEEK_OFF") from err
    client, conn = run.pair()
    client.send(b"0123456789")
    run.settle()
    run.call("set", conn.setsockopt, socket.SOL_SOCKET, 42, 0)
    run.call("peek", conn.recv, 3, socket.MSG_PEEK)
    run.call("peek", conn.recv, 3, socket.MSG_PEEK)
    run.call("recv", conn.recv, 4)
    run.call("peek", conn.recv, 3, socket.MSG_PEEK)
    run.call("get", conn.getsockopt, socket.SOL_SOCKET, 42)
    run.call("peek", conn.recv, 9, socket.MSG_PEEK)
    run.call("peek", conn.recv, 9, socket.MSG_PEEK | socket.MSG_DONTWAIT)


@scenario
def recv_timeout(run):
    """SO_RCVTIMEO: EAGAIN in its time"""
    _, conn = run.pair()
    run.timeout(conn, socket.SO_RCVTIMEO, 0.4)
    run.timed("recv", conn.recv, 1)
    run.timed("peek", conn.recv, 1, socket.MSG_PEEK)
    run.timed("now", conn.recv, 1, socket.MSG_DONTWAIT)


@scenario
def recv_signal(run):
    """EINTR with and without a time-out; SA_RESTART"""
    client, conn = run.pair()
    data = ctypes.create_string_buffer(10)
    run.alarm(0.2)
    run.libc("recv", conn.fileno(), data, 10, 0)
    thread = run.meanwhile(client.send, b"abc", after=0.5)
    run.alarm(0.2, restart=True)
    run.libc("recv", conn.fileno(), data, 10, 0)
    thread.join()
    run.timeout(conn, socket.SO_RCVTIMEO, 2)
    run.alarm(0.2, restart=True)
    run.libc("recv", conn.fileno(), data, 10, 0)
    client.send(b"part")
    run.alarm(0.2)
    run.libc("recv", conn.fileno(), data, 10, socket.MSG_WAITALL)
    run.call("nothing is lost", conn.recv, 10, socket.MSG_DONTWAIT)


# --- writing ---

@scenario
def send_fills(run):
    """Until nothing more is taken, then there is room again"""
    client, conn = run.pair()
    sent = run.fill(client)
    run.events(client=client)
    run.call("send", client.send, b"x", socket.MSG_DONTWAIT)
    thread = threading.Thread(
        target=lambda: run.log("all came", len(conn.recv(
            sent, socket.MSG_WAITALL)) == sent))
    thread.start()
    thread.join()
    run.events(client=client)
    run.counts(client=client, conn=conn)


@scenario
def send_small_buffer(run):
    """A full buffer of a chosen size: a part is taken"""
    def prepare(sock):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    client, _ = run.pair(prepare=prepare)
    client.setblocking(False)
    sent = client.send(bytes(1 << 20))
    run.log("a part", 16384 < sent < 1 << 18)
    run.fill(client)
    run.events(client=client)
    run.call("send", client.send, b"x")


@scenario
def send_timeout(run):
    """SO_SNDTIMEO: a part, then EAGAIN"""
    client, _ = run.pair()
    run.timeout(client, socket.SO_SNDTIMEO, 0.4)
    got = client.send(bytes(1 << 24))
    run.log("a part", 0 < got < 1 << 24)
    run.fill(client)
    run.timed("send", client.send, b"x")


@scenario
def send_signal(run):
    """A part, or EINTR"""
    client, _ = run.pair()
    data = ctypes.create_string_buffer(1 << 24)
    run.alarm(0.3)
    got = libc.send(client.fileno(), data, 1 << 24, 0)
    run.log("a part", 0 < got < 1 << 24)
    run.fill(client)
    run.alarm(0.3)
    run.libc("send", client.fileno(), data, 100, 0)
    run.timeout(client, socket.SO_SNDTIMEO, 3)
    run.alarm(0.3, restart=True)
    run.libc("send", client.fileno(), data, 100, 0)


@scenario
def send_flags(run):
    """Flags that change nothing here"""
    client, conn = run.pair()
    for flags in (socket.MSG_DONTROUTE, socket.MSG_CONFIRM, socket.MSG_EOR,
                  socket.MSG_MORE, socket.MSG_NOSIGNAL, 0x4000000):
        run.call(f"send {flags:#x}", client.send, b"ab", flags)
    run.call("recv", conn.recv, 12, socket.MSG_WAITALL)


@scenario
def send_with_address(run):
    """sendto() of a connected stream ignores the address"""
    client, conn = run.pair()
    run.call("sendto", client.sendto, b"abc", run.address(9))
    run.call("recv", conn.recv, 10)


@scenario
def send_bad_control(run):
    """Control data that is none"""
    client, _ = run.pair()
    run.call("unknown", client.sendmsg, [b"x"],
             [(socket.SOL_SOCKET, 99, b"abcd")])
    run.call("other level", client.sendmsg, [b"x"], [(77, 99, b"abcd")])
    run.call("rights", client.sendmsg, [b"x"],
             [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", 0))])


@scenario
def big_transfer(run):
    """Some megabytes in both directions at once"""
    client, conn = run.pair()
    data = os.urandom(1 << 20) * 3

    def copy(one, other):
        writer = threading.Thread(target=lambda: (
            one.sendall(data), one.shutdown(socket.SHUT_WR)))
        writer.start()
        got = bytearray()
        while piece := other.recv(70000):
            got += piece
        writer.join()
        return bytes(got) == data

    results = []
    back = threading.Thread(target=lambda: results.append(copy(conn, client)))
    back.start()
    run.log("there", copy(client, conn))
    back.join()
    run.log("back", results)
    run.about(client=client, conn=conn)


# --- edge triggered, select, signals ---

@scenario
def epoll_edges(run):
    """An event for each arrival, none without"""
    client, conn = run.pair()
    poller = select.epoll()
    poller.register(conn, select.EPOLLIN | select.EPOLLOUT | select.EPOLLPRI |
                    select.EPOLLRDHUP | select.EPOLLET)

    def edge(what):
        run.settle()
        run.log(what, [names(e) for _, e in poller.poll(0)])

    edge("connected")
    edge("again")
    client.send(b"abc")
    edge("data")
    edge("again")
    conn.recv(1)
    edge("read a part")
    client.send(b"d")
    edge("more")
    conn.recv(10)
    edge("read all")
    conn.send(b"x")
    edge("sent")
    client.shutdown(socket.SHUT_WR)
    edge("fin")
    edge("again")
    conn.recv(1)
    edge("read the end")
    conn.shutdown(socket.SHUT_WR)
    edge("closed")
    edge("again")
    poller.close()


@scenario
def epoll_edge_full(run):
    """Writable again, once"""
    client, conn = run.pair()
    poller = select.epoll()
    poller.register(client, select.EPOLLOUT | select.EPOLLET)
    run.log("first", [names(e) for _, e in poller.poll(0)])
    sent = run.fill(client)
    run.log("full", [names(e) for _, e in poller.poll(0)])
    conn.recv(sent, socket.MSG_WAITALL)
    run.settle()
    run.log("room", [names(e) for _, e in poller.poll(0)])
    run.log("again", [names(e) for _, e in poller.poll(0)])
    poller.close()


@scenario
def epoll_reset(run):
    """The events of a RST"""
    client, conn = run.pair()
    poller = select.epoll()
    poller.register(client, select.EPOLLIN | select.EPOLLOUT |
                    select.EPOLLRDHUP | select.EPOLLET)
    poller.poll(0)
    run.reset_by(conn)
    run.log("reset", [names(e) for _, e in poller.poll(0)])
    run.log("again", [names(e) for _, e in poller.poll(0)])
    poller.close()


@scenario
def epoll_connect(run):
    """The events of a connection that is made, or refused"""
    for listening in (True, False):
        server = run.listener() if listening else None
        sock = run.socket(False)
        poller = select.epoll()
        poller.register(sock, select.EPOLLIN | select.EPOLLOUT |
                        select.EPOLLRDHUP | select.EPOLLET)
        run.log("fresh", [names(e) for _, e in poller.poll(0)])
        run.call("connect", sock.connect, run.address())
        run.settle()
        run.log("connected", [names(e) for _, e in poller.poll(0)])
        run.log("again", [names(e) for _, e in poller.poll(0)])
        poller.close()
        if server:
            server.close()


@scenario
def epoll_oneshot(run):
    """Armed again, it tells again"""
    client, conn = run.pair()
    poller = select.epoll()
    poller.register(conn, select.EPOLLIN | select.EPOLLONESHOT)
    client.send(b"x")
    run.settle()
    run.log("first", [names(e) for _, e in poller.poll(0)])
    run.log("second", [names(e) for _, e in poller.poll(0)])
    poller.modify(conn, select.EPOLLIN | select.EPOLLONESHOT)
    run.log("armed", [names(e) for _, e in poller.poll(0)])
    poller.close()


@scenario
def poll_wakes(run):
    """poll() that sleeps is woken by data, FIN and RST"""
    client, conn = run.pair()
    poller = select.poll()
    poller.register(conn, select.POLLIN | POLL_EXTRA)
    for action in (lambda: client.send(b"x"),
                   lambda: client.shutdown(socket.SHUT_WR),
                   lambda: run.reset_by(client)):
        thread = run.meanwhile(action, after=0.2)
        run.timed("poll", lambda: [names(e) for _, e in poller.poll(2000)])
        thread.join()
        conn.recv(10, socket.MSG_DONTWAIT)
        if action:
            poller.modify(conn, POLL_EXTRA)


POLL_EXTRA = 0x2000


@scenario
def select_sets(run):
    """select(): reading, writing, exceptional"""
    client, conn = run.pair()

    def ready(what):
        run.settle()
        run.log(what, [len(s) for s in select.select(
            [conn], [conn], [conn], 0)])

    ready("idle")
    client.send(b"x")
    ready("data")
    client.send(b"!", socket.MSG_OOB)
    ready("urgent")
    conn.recv(10)
    conn.recv(1, socket.MSG_OOB)
    ready("read")
    client.close()
    ready("end")


def queue_signal(run, number):
    """Block it, to be taken one by one"""
    def drain():
        while signal.sigtimedwait({number}, 0):
            pass
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    run.undo.append(drain)


@scenario
def sigio(run):
    """O_ASYNC: a signal that names the event"""
    client, conn = run.pair()
    number = signal.SIGRTMIN + 1
    queue_signal(run, number)
    run.own(conn)
    fcntl.fcntl(conn, 10, number)  # F_SETSIG
    fcntl.fcntl(conn, fcntl.F_SETFL,
                fcntl.fcntl(conn, fcntl.F_GETFL) | os.O_ASYNC)

    def told(what):
        run.settle()
        bands = []
        while info := signal.sigtimedwait({number}, 0):
            bands.append(names(info.si_band))
        run.log(what, bands)

    client.send(b"x")
    told("data")
    client.send(b"y")
    told("more data")
    conn.recv(10)
    conn.send(b"z")
    told("sent")
    client.shutdown(socket.SHUT_WR)
    told("fin")
    run.reset_by(client)
    told("reset")


@scenario
def sigio_connect(run):
    """O_ASYNC: of connecting, and of a listener"""
    number = signal.SIGRTMIN + 1
    queue_signal(run, number)
    server = run.listener()
    sock = run.socket(False)
    for each in (server, sock):
        run.own(each)
        fcntl.fcntl(each, 10, number)
        fcntl.fcntl(each, fcntl.F_SETFL,
                    fcntl.fcntl(each, fcntl.F_GETFL) | os.O_ASYNC)
    run.call("connect", sock.connect, run.address())
    run.settle()
    bands = []
    while info := signal.sigtimedwait({number}, 0):
        bands.append((info.si_band, "server" if info.si_band == 0 else ""))
    run.log("bands", sorted(names(band) for band, _ in bands))
    server.accept()[0].close()


@scenario
def nonblocking_flags(run):
    """FIONBIO, O_NONBLOCK, MSG_DONTWAIT"""
    _, conn = run.pair()
    fcntl.ioctl(conn, 0x5421, struct.pack("i", 1))
    run.call("recv", conn.recv, 1)
    fcntl.ioctl(conn, 0x5421, struct.pack("i", 0))
    run.timeout(conn, socket.SO_RCVTIMEO, 0.2)
    run.timed("recv", conn.recv, 1)
    run.log("inq", run.ioctl(conn, SIOCINQ))


@scenario
def two_readers(run):
    """Each byte goes to one of them"""
    client, conn = run.pair()
    got = []
    threads = [threading.Thread(target=lambda: got.append(conn.recv(1)))
               for _ in range(2)]
    for thread in threads:
        thread.start()
    run.settle()
    client.send(b"ab")
    for thread in threads:
        thread.join()
    run.log("got", sorted(got))


@scenario
def duplicate_descriptors(run):
    """The connection lives as long as one of them"""
    client, conn = run.pair()
    other = client.dup()
    client.close()
    run.events(conn=conn)
    other.send(b"x")
    run.call("recv", conn.recv, 1)
    other.close()
    run.events(conn=conn)
