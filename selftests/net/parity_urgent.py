# SPDX-License-Identifier: GPL-2.0
"""Scenarios: urgent data (RFC 9293 section 3.8.5, RFC 6093)."""

import select
import signal
import socket

from parity import PORT, names, scenario

OOB, PEEK, NOW = socket.MSG_OOB, socket.MSG_PEEK, socket.MSG_DONTWAIT


def inline(sock, on=1):
    """SO_OOBINLINE"""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, on)


@scenario
def urgent_byte(run):
    """The last byte of a send with MSG_OOB is apart"""
    client, conn = run.pair()
    run.call("none", conn.recv, 1, OOB)
    client.send(b"abc")
    run.call("send", client.send, b"de!", OOB)
    client.send(b"fgh")
    run.about(conn=conn)
    run.call("oob", conn.recv, 10, OOB)
    run.call("oob twice", conn.recv, 10, OOB)
    run.about(conn=conn)
    run.call("to the mark", conn.recv, 100)
    run.about(conn=conn)
    run.call("behind it", conn.recv, 100)
    run.about(conn=conn)
    run.call("oob after", conn.recv, 10, OOB)


@scenario
def urgent_inline(run):
    """SO_OOBINLINE: in the stream, reading stops at the mark"""
    client, conn = run.pair()
    inline(conn)
    client.send(b"abc!", OOB)
    client.send(b"def")
    run.about(conn=conn)
    run.call("oob", conn.recv, 1, OOB)
    run.call("to the mark", conn.recv, 100)
    run.about(conn=conn)
    run.call("the mark", conn.recv, 100)
    run.about(conn=conn)
    run.read_all("conn", conn)


@scenario
def urgent_peek(run):
    """Looking at it does not take it"""
    client, conn = run.pair()
    client.send(b"ab!", OOB)
    client.send(b"cd")
    run.settle()
    run.call("peek oob", conn.recv, 1, OOB | PEEK)
    run.call("peek oob", conn.recv, 1, OOB | PEEK)
    run.call("peek", conn.recv, 100, PEEK)
    run.about(conn=conn)
    run.call("recv", conn.recv, 100)
    run.call("peek at the mark", conn.recv, 100, PEEK)
    run.about(conn=conn)
    run.call("oob", conn.recv, 1, OOB)
    run.call("recv", conn.recv, 100)


@scenario
def urgent_unread_is_skipped(run):
    """Reading past it throws it away"""
    client, conn = run.pair()
    client.send(b"ab!", OOB)
    client.send(b"cd")
    run.settle()
    run.read_all("conn", conn)
    run.about(conn=conn)
    run.call("oob", conn.recv, 1, OOB)


@scenario
def urgent_alone(run):
    """Nothing but an urgent byte"""
    client, conn = run.pair()
    client.send(b"!", OOB)
    run.about(client=client, conn=conn)
    run.call("recv", conn.recv, 10, NOW)
    run.about(conn=conn)
    run.call("oob", conn.recv, 10, OOB)
    run.about(conn=conn)
    run.call("recv", conn.recv, 10, NOW)
    client.send(b"x")
    run.about(conn=conn)
    run.call("recv", conn.recv, 10, NOW)


@scenario
def urgent_twice(run):
    """The newer pointer counts; the older byte is in the stream"""
    client, conn = run.pair()
    client.send(b"ab!", OOB)
    run.settle()
    client.send(b"cd?", OOB)
    run.about(conn=conn)
    run.call("oob", conn.recv, 1, OOB)
    run.read_all("conn", conn)
    run.about(conn=conn)


@scenario
def urgent_twice_after_reading(run):
    """The first was read, the mark not passed"""
    client, conn = run.pair()
    client.send(b"ab!", OOB)
    run.settle()
    run.call("recv", conn.recv, 10)
    run.call("oob", conn.recv, 1, OOB)
    client.send(b"?", OOB)
    run.about(conn=conn)
    run.call("oob", conn.recv, 1, OOB)
    run.read_all("conn", conn)
    client.send(b"end")
    run.settle()
    run.read_all("conn", conn)


@scenario
def urgent_many(run):
    """One after the other, each read"""
    client, conn = run.pair()
    for i in range(5):
        client.send(b"%d" % i, OOB)
        run.settle()
        run.call("oob", conn.recv, 1, OOB)
        run.events(conn=conn)
    client.send(b"end")
    run.settle()
    run.read_all("conn", conn)


@scenario
def urgent_signal(run):
    """SIGURG to the owner"""
    client, conn = run.pair()
    got = run.signals(signal.SIGURG)
    client.send(b"!", OOB)
    run.settle()
    run.log("without owner", len(got))
    run.own(conn)
    for _ in range(3):
        client.send(b"!", OOB)
        run.settle()
        run.log("signals", len(got))
    client.send(b"plain")
    run.settle()
    run.log("signals", len(got))


@scenario
def urgent_signal_while_reading(run):
    """SIGURG interrupts recv()"""
    client, conn = run.pair()
    got = run.signals(signal.SIGURG)
    run.own(conn)
    thread = run.meanwhile(client.send, b"!", OOB)
    run.timeout(conn, socket.SO_RCVTIMEO, 1)
    run.libc("recv", conn.fileno(), bytes(10), 10, 0)
    thread.join()
    run.log("signals", len(got))


@scenario
def urgent_events(run):
    """EPOLLPRI, level and edge"""
    client, conn = run.pair()
    poller = select.epoll()
    poller.register(conn, select.EPOLLPRI | select.EPOLLIN | select.EPOLLET)

    def edge(what):
        run.settle()
        run.log(what, [names(e) for _, e in poller.poll(0)])

    edge("idle")
    client.send(b"!", OOB)
    edge("urgent")
    edge("again")
    conn.recv(1, OOB)
    edge("read")
    client.send(b"x")
    edge("data")
    poller.close()


@scenario
def urgent_waits_for_poll(run):
    """poll() for nothing but EPOLLPRI"""
    client, conn = run.pair()
    poller = select.poll()
    poller.register(conn, select.POLLPRI)
    thread = run.meanwhile(client.send, b"!", OOB)
    run.timed("poll", lambda: [names(e) for _, e in poller.poll(2000)])
    thread.join()


@scenario
def urgent_and_end(run):
    """An urgent byte, then FIN"""
    client, conn = run.pair()
    client.send(b"ab!", OOB)
    client.close()
    run.about(conn=conn)
    run.call("recv", conn.recv, 10)
    run.about(conn=conn)
    run.call("oob", conn.recv, 1, OOB)
    run.call("oob", conn.recv, 1, OOB)
    run.read_all("conn", conn)
    run.about(conn=conn)


@scenario
def urgent_and_reset(run):
    """An urgent byte, then RST"""
    client, conn = run.pair()
    client.send(b"ab!", OOB)
    run.settle()
    run.reset_by(client)
    run.about(conn=conn)
    run.call("oob", conn.recv, 1, OOB)
    run.read_all("conn", conn)
    run.call("oob", conn.recv, 1, OOB)


@scenario
def urgent_before_close(run):
    """Only the urgent byte is left, taken or not: unread data?"""
    for number, take in enumerate((False, True)):
        client, conn = run.pair(PORT + number)
        client.send(b"ab!", OOB)
        run.settle()
        conn.recv(10)
        if take:
            conn.recv(1, OOB)
        conn.close()
        run.about(client=client)
        run.read_all("client", client)


@scenario
def urgent_inline_switched(run):
    """SO_OOBINLINE after the byte came"""
    client, conn = run.pair()
    client.send(b"ab!", OOB)
    client.send(b"cd")
    run.settle()
    inline(conn)
    run.about(conn=conn)
    run.call("oob", conn.recv, 1, OOB)
    run.call("recv", conn.recv, 100)
    inline(conn, 0)
    run.about(conn=conn)
    run.call("oob", conn.recv, 1, OOB)
    run.read_all("conn", conn)


@scenario
def urgent_lowat(run):
    """SO_RCVLOWAT and the byte that does not count"""
    client, conn = run.pair()
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 3)
    client.send(b"ab!", OOB)
    run.events(conn=conn)
    client.send(b"c")
    run.events(conn=conn)
    run.call("recv", conn.recv, 10)
    run.events(conn=conn)


@scenario
def urgent_waitall(run):
    """MSG_WAITALL stops at the mark too"""
    client, conn = run.pair()
    client.send(b"abc!", OOB)
    client.send(b"def")
    run.settle()
    run.call("waitall", conn.recv, 6, socket.MSG_WAITALL)
    run.call("waitall", conn.recv, 3, socket.MSG_WAITALL)


@scenario
def urgent_large(run):
    """Much data with an urgent byte at its end"""
    client, conn = run.pair()
    thread = run.meanwhile(client.send, b"x" * 300000 + b"!", OOB, after=0.1)
    got = 0
    while got < 300000:
        got += len(conn.recv(100000))
    thread.join()
    run.log("before the mark", got)
    run.about(conn=conn)
    run.call("oob", conn.recv, 1, OOB)
    run.call("after", conn.recv, 1, NOW)


@scenario
def urgent_trunc_and_empty(run):
    """MSG_OOB with MSG_TRUNC, and with no room"""
    client, conn = run.pair()
    client.send(b"!", OOB)
    run.settle()
    run.call("empty", conn.recv, 0, OOB | PEEK)
    run.call("recvmsg", conn.recvmsg, 5, 0, OOB | PEEK)
    run.log("trunc", conn.recv_into(bytearray(5), 5, OOB | socket.MSG_TRUNC))
    run.call("gone", conn.recv, 1, OOB)


@scenario
def urgent_after_shutdown(run):
    """Our reading side is shut"""
    client, conn = run.pair()
    conn.shutdown(socket.SHUT_RD)
    client.send(b"a!", OOB)
    run.about(conn=conn)
    run.call("oob", conn.recv, 1, OOB)
    run.read_all("conn", conn)


@scenario
def urgent_nothing(run):
    """MSG_OOB without a byte"""
    client, conn = run.pair()
    client.send(b"abc")
    run.call("send", client.send, b"", OOB)
    run.about(conn=conn)
    run.read_all("conn", conn)
