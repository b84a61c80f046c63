# SPDX-License-Identifier: GPL-2.0
"""Scenarios: how connections end, and what is seen of it at both ends."""

import signal
import socket
import time

from net import sh
from parity import PORT, scenario


def calls(run, name, sock):
    """Reading and writing, twice"""
    for _ in range(2):
        run.call(f"{name}.recv", sock.recv, 100, socket.MSG_DONTWAIT)
        run.call(f"{name}.send", sock.send, b"x", socket.MSG_DONTWAIT)
        run.settle()


@scenario
def peer_closes_half(run):
    """The peer's FIN: its end of file, our writing goes on"""
    client, conn = run.pair()
    client.send(b"abc")
    client.shutdown(socket.SHUT_WR)
    run.about(client=client, conn=conn)
    run.call("peek", conn.recv, 10, socket.MSG_PEEK)
    run.call("recv", conn.recv, 2)
    run.about(conn=conn)
    run.call("recv", conn.recv, 10)
    run.about(conn=conn)
    run.call("recv", conn.recv, 10)
    run.call("peek", conn.recv, 10, socket.MSG_PEEK)
    run.call("send", conn.send, b"answer")
    run.call("recv", client.recv, 10)
    run.call("send", client.send, b"x")
    run.error("conn", conn)
    conn.shutdown(socket.SHUT_WR)
    run.about(client=client, conn=conn)
    calls(run, "client", client)
    calls(run, "conn", conn)


@scenario
def own_shutdown_read(run):
    """SHUT_RD: end of file, but what comes can be read"""
    client, conn = run.pair()
    client.send(b"before")
    run.settle()
    run.call("shutdown", conn.shutdown, socket.SHUT_RD)
    run.about(conn=conn)
    run.call("recv", conn.recv, 100)
    run.call("recv", conn.recv, 100)
    run.call("send", client.send, b"after")
    run.about(conn=conn, client=client)
    run.call("recv", conn.recv, 100)
    run.call("recv", conn.recv, 100)
    run.call("send", conn.send, b"works")
    run.call("recv", client.recv, 100)
    run.call("shutdown again", conn.shutdown, socket.SHUT_RD)


@scenario
def own_shutdown_write(run):
    """SHUT_WR: EPIPE, but reading goes on"""
    client, conn = run.pair()
    got = run.signals(signal.SIGPIPE)
    run.call("shutdown", client.shutdown, socket.SHUT_WR)
    run.about(client=client)
    run.call("send", client.send, b"x")
    run.log("SIGPIPE", len(got))
    run.call("send", client.send, b"x", socket.MSG_NOSIGNAL)
    run.call("send nothing", client.send, b"")
    run.call("send oob", client.send, b"x", socket.MSG_OOB)
    run.log("SIGPIPE", len(got))
    run.call("shutdown again", client.shutdown, socket.SHUT_WR)
    conn.send(b"still")
    run.call("recv", client.recv, 10)
    run.error("client", client)


@scenario
def own_shutdown_both(run):
    """SHUT_RDWR, then the peer's FIN"""
    client, conn = run.pair()
    run.call("shutdown", client.shutdown, socket.SHUT_RDWR)
    run.about(client=client, conn=conn)
    calls(run, "client", client)
    run.call("shutdown again", client.shutdown, socket.SHUT_RDWR)
    conn.shutdown(socket.SHUT_WR)
    run.about(client=client, conn=conn)
    for how in (0, 1, 2):
        run.call("shutdown", client.shutdown, how)
        run.call("shutdown", conn.shutdown, how)
    calls(run, "client", client)
    calls(run, "conn", conn)


def talked_at(run, shut):
    """The peer sends to a socket that @shut leaves in FIN_WAIT_2"""
    client, conn = run.pair()
    conn.send(b"before")
    run.settle()
    shut(client)
    run.settle()
    run.call("send", conn.send, b"after")
    run.settle()
    run.about(client=client, conn=conn)
    calls(run, "client", client)
    calls(run, "conn", conn)


@scenario
def shutdown_both_then_data(run):
    """SHUT_RDWR: data that comes now is reset"""
    talked_at(run, lambda sock: sock.shutdown(socket.SHUT_RDWR))


@scenario
def shutdown_read_write_then_data(run):
    """The same in two calls"""
    def shut(sock):
        sock.shutdown(socket.SHUT_RD)
        sock.shutdown(socket.SHUT_WR)
    talked_at(run, shut)


@scenario
def shutdown_write_read_then_data(run):
    """and in the other order"""
    def shut(sock):
        sock.shutdown(socket.SHUT_WR)
        sock.shutdown(socket.SHUT_RD)
    talked_at(run, shut)


@scenario
def shutdown_before_connect_then_data(run):
    """SHUT_RD of a fresh socket counts, too"""
    client = run.socket()
    run.call("shutdown", client.shutdown, socket.SHUT_RD)
    server = run.listener()
    client.connect(run.address())
    conn, _ = server.accept()
    run.sockets.append(conn)
    run.call("send", conn.send, b"before")
    run.about(client=client, conn=conn)
    client.shutdown(socket.SHUT_WR)
    run.settle()
    run.call("send", conn.send, b"after")
    run.settle()
    run.about(client=client, conn=conn)
    calls(run, "client", client)


@scenario
def shutdown_both_in_close_wait(run):
    """The peer has nothing more to say: SHUT_RDWR resets nothing"""
    client, conn = run.pair()
    client.shutdown(socket.SHUT_WR)
    run.settle()
    conn.shutdown(socket.SHUT_RDWR)
    run.settle()
    run.about(client=client, conn=conn)
    calls(run, "conn", conn)


@scenario
def shutdown_with_unread(run):
    """SHUT_RDWR does not lose what has come"""
    client, conn = run.pair()
    conn.send(b"unread")
    run.settle()
    client.shutdown(socket.SHUT_RDWR)
    run.about(client=client, conn=conn)
    run.read_all("client", client)


@scenario
def shutdown_wakes_reader(run):
    """recv() that sleeps ends"""
    for how in (0, 1, 2):
        client, _ = run.pair(PORT + how)
        run.timeout(client, socket.SO_RCVTIMEO, 1)
        thread = run.meanwhile(client.shutdown, how)
        run.timed("recv", client.recv, 1)
        thread.join()


@scenario
def shutdown_wakes_writer(run):
    """send() that sleeps ends with EPIPE"""
    client, _ = run.pair()
    run.fill(client)
    run.timeout(client, socket.SO_SNDTIMEO, 2)
    thread = run.meanwhile(client.shutdown, socket.SHUT_WR)
    run.timed("send", client.send, b"x")
    thread.join()
    run.events(client=client)


@scenario
def peer_closes(run):
    """close() at one end: FIN first, RST for what is sent to it"""
    client, conn = run.pair()
    got = run.signals(signal.SIGPIPE)
    conn.close()
    run.about(client=client)
    run.call("recv", client.recv, 1)
    run.call("send", client.send, b"x")
    run.about(client=client)
    run.call("recv", client.recv, 1)
    run.call("send", client.send, b"x")
    run.log("SIGPIPE", len(got))
    run.call("send", client.send, b"x")
    run.log("SIGPIPE", len(got))
    run.error("client", client)
    run.about(client=client)
    run.call("shutdown", client.shutdown, 2)


@scenario
def peer_closes_unread_by_us(run):
    """Data, FIN, then the RST for what we send"""
    client, conn = run.pair()
    conn.send(b"data")
    conn.close()
    run.settle()
    run.call("send", client.send, b"x")
    run.about(client=client)
    run.read_all("client", client)
    run.about(client=client)
    run.call("send", client.send, b"x")


@scenario
def reset(run):
    """A RST: an error, once"""
    client, conn = run.pair()
    got = run.signals(signal.SIGPIPE)
    run.reset_by(conn)
    run.about(client=client)
    calls(run, "client", client)
    run.log("SIGPIPE", len(got))
    run.about(client=client)
    run.error("client", client)
    run.call("shutdown", client.shutdown, 2)


@scenario
def reset_seen_by_send(run):
    """send() takes the error"""
    client, conn = run.pair()
    got = run.signals(signal.SIGPIPE)
    run.reset_by(conn)
    run.call("send", client.send, b"x")
    run.log("SIGPIPE", len(got))
    run.call("send", client.send, b"x")
    run.log("SIGPIPE", len(got))
    run.call("recv", client.recv, 1)
    run.events(client=client)


@scenario
def reset_seen_by_option(run):
    """SO_ERROR takes it"""
    client, conn = run.pair()
    run.reset_by(conn)
    run.error("client", client)
    run.error("client", client)
    run.about(client=client)
    calls(run, "client", client)


@scenario
def reset_seen_by_other_calls(run):
    """Peeking, listening, connecting"""
    for number, function in enumerate((
            lambda s: s.recv(1, socket.MSG_PEEK),
            lambda s: s.recv(1, socket.MSG_OOB),
            lambda s: s.connect(run.address(9)),
            lambda s: s.listen(1),
            lambda s: s.shutdown(socket.SHUT_RD),
            lambda s: s.send(b""))):
        client, conn = run.pair(PORT + number)
        run.reset_by(conn)
        run.call(f"call {number}", function, client)
        run.error("client", client)
        run.events(client=client)


@scenario
def reset_with_unread(run):
    """What came before the RST can be read"""
    client, conn = run.pair()
    conn.send(b"before the end")
    run.settle()
    run.reset_by(conn)
    run.about(client=client)
    run.call("recv", client.recv, 6)
    run.about(client=client)
    run.read_all("client", client)
    run.about(client=client)


@scenario
def reset_with_unsent(run):
    """What was not taken is gone"""
    client, conn = run.pair()
    run.fill(client)
    run.reset_by(conn)
    run.events(client=client)
    calls(run, "client", client)


@scenario
def reset_after_fin(run):
    """A RST in CLOSE_WAIT is EPIPE"""
    client, conn = run.pair()
    conn.shutdown(socket.SHUT_WR)
    run.settle()
    run.reset_by(conn)
    run.about(client=client)
    run.error("client", client)
    calls(run, "client", client)


@scenario
def reset_in_fin_wait(run):
    """A RST after our FIN"""
    client, conn = run.pair()
    client.shutdown(socket.SHUT_WR)
    run.settle()
    run.reset_by(conn)
    run.about(client=client)
    calls(run, "client", client)


@scenario
def reset_wakes(run):
    """recv() and send() that sleep are told"""
    client, conn = run.pair()
    thread = run.meanwhile(run.reset_by, conn)
    run.timed("recv", client.recv, 1)
    thread.join()
    client, conn = run.pair(PORT + 1)
    run.fill(client)
    thread = run.meanwhile(run.reset_by, conn)
    run.timed("send", client.send, b"x")
    thread.join()
    client, conn = run.pair(PORT + 2)
    conn.send(b"part")
    thread = run.meanwhile(run.reset_by, conn)
    run.timed("waitall", client.recv, 10, socket.MSG_WAITALL)
    thread.join()
    run.call("recv", client.recv, 1)


@scenario
def close_unread(run):
    """close() with unread data resets"""
    client, conn = run.pair()
    conn.send(b"unread")
    run.settle()
    client.close()
    run.about(conn=conn)
    calls(run, "conn", conn)


@scenario
def close_unread_part(run):
    """A part was read, or only looked at"""
    client, conn = run.pair()
    conn.send(b"unread")
    client.recv(3)
    client.close()
    run.about(conn=conn)
    run.read_all("conn", conn)
    client, conn = run.pair(PORT + 1)
    conn.send(b"unread")
    client.recv(6, socket.MSG_PEEK)
    client.close()
    run.about(conn=conn)
    run.read_all("conn", conn)


@scenario
def close_unread_in_close_wait(run):
    """The peer has closed its half"""
    client, conn = run.pair()
    conn.send(b"unread")
    conn.shutdown(socket.SHUT_WR)
    run.settle()
    client.close()
    run.about(conn=conn)
    calls(run, "conn", conn)


@scenario
def close_unread_in_fin_wait(run):
    """We had closed our half"""
    client, conn = run.pair()
    conn.send(b"unread")
    client.shutdown(socket.SHUT_WR)
    run.settle()
    client.close()
    run.about(conn=conn)
    calls(run, "conn", conn)


@scenario
def close_unread_after_both(run):
    """Both halves are closed: no RST can reach anybody"""
    client, conn = run.pair()
    conn.send(b"unread")
    client.shutdown(socket.SHUT_WR)
    conn.shutdown(socket.SHUT_WR)
    run.settle()
    client.close()
    run.about(conn=conn)
    calls(run, "conn", conn)


def lossy(run, rules):
    """netem on the loopback device, until the end of the scenario"""
    sh(f"tc qdisc replace dev lo root netem {rules}")
    run.undo.append(lambda: sh("tc qdisc del dev lo root 2>&- || true"))


@scenario
def close_unread_in_last_ack(run):
    """close() in LAST_ACK, the ACK of our FIN being on its way"""
    client, conn = run.pair()
    conn.send(b"unread")
    conn.shutdown(socket.SHUT_WR)
    run.settle()
    lossy(run, "delay 200ms")
    client.shutdown(socket.SHUT_WR)
    client.close()
    time.sleep(2)
    run.about(conn=conn)
    calls(run, "conn", conn)


@scenario
def close_unread_in_closing(run):
    """close() in CLOSING"""
    client, conn = run.pair()
    conn.send(b"unread")
    run.settle()
    lossy(run, "delay 300ms")
    client.shutdown(socket.SHUT_WR)
    conn.shutdown(socket.SHUT_WR)
    time.sleep(0.4)
    client.close()
    time.sleep(2)
    run.about(conn=conn)
    calls(run, "conn", conn)


@scenario
def close_unread_both(run):
    """Both have unread data"""
    client, conn = run.pair()
    conn.send(b"unread")
    client.send(b"unread too")
    run.settle()
    client.close()
    run.about(conn=conn)
    run.read_all("conn", conn)


@scenario
def data_after_close(run):
    """Data for somebody who has gone is answered with a RST"""
    client, conn = run.pair()
    client.close()
    run.settle()
    run.call("send", conn.send, b"x" * 1000)
    run.about(conn=conn)
    run.call("recv", conn.recv, 10)
    run.call("recv", conn.recv, 10)


@scenario
def linger_reset(run):
    """SO_LINGER of no time, with data to send and to read"""
    client, conn = run.pair()
    client.send(b"sent")
    conn.send(b"unread")
    run.settle()
    run.linger(client, 0)
    run.timed("close", client.close)
    run.about(conn=conn)
    run.read_all("conn", conn)


@scenario
def linger_waits(run):
    """close() waits until all is acknowledged, or the time is over"""
    client, conn = run.pair()
    run.linger(client, 1)
    client.send(b"sent")
    run.timed("close", client.close)
    run.read_all("conn", conn)
    client, conn = run.pair(PORT + 1)
    run.fill(client)
    run.linger(client, 1)
    run.timed("close", client.close)
    run.events(conn=conn)


@scenario
def linger_signal(run):
    """A signal ends the waiting"""
    client, _ = run.pair()
    run.fill(client)
    run.linger(client, 5)
    run.alarm(0.4)
    begin = time.monotonic()
    run.libc("close", client.detach())
    run.log("took", round((time.monotonic() - begin) * 5) / 5)


@scenario
def linger_nonblocking(run):
    """close() of a non-blocking socket waits too"""
    client, _ = run.pair()
    run.fill(client)
    client.setblocking(False)
    run.linger(client, 1)
    run.timed("close", client.close)


@scenario
def lost_peer(run):
    """ETIMEDOUT, once, for data that nobody takes"""
    client, conn = run.pair()
    lossy(run, "loss 100%")
    run.call("send", client.send, b"x")
    run.counts(client=client)
    run.call("recv", client.recv, 1)
    run.about(client=client)
    calls(run, "client", client)
    conn.close()


@scenario
def lost_peer_events(run):
    """The same by events"""
    client, _ = run.pair()
    client.setblocking(False)
    lossy(run, "loss 100%")
    run.call("send", client.send, b"x")
    time.sleep(30)
    run.about(client=client)
    run.call("send", client.send, b"x")
    run.call("send", client.send, b"x")
    run.call("recv", client.recv, 1)


@scenario
def lost_fin(run):
    """The ends of both halves, none of which is acknowledged"""
    client, conn = run.pair()
    client.send(b"abc")
    run.settle()
    lossy(run, "loss 100%")
    client.send(b"def")
    client.shutdown(socket.SHUT_WR)
    run.about(client=client, conn=conn)
    conn.shutdown(socket.SHUT_WR)
    run.about(client=client, conn=conn)


@scenario
def keepalive_gives_up(run):
    """ETIMEDOUT by keep-alives"""
    client, _ = run.pair()
    lossy(run, "loss 100%")
    for option, value in ((socket.TCP_KEEPIDLE, 2), (socket.TCP_KEEPINTVL, 1),
                          (socket.TCP_KEEPCNT, 2)):
        client.setsockopt(socket.IPPROTO_TCP, option, value)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    run.timed("recv", client.recv, 1)
    run.about(client=client)


@scenario
def time_wait_side(run):
    """Who closes first; who is second; what each sees"""
    client, conn = run.pair()
    client.shutdown(socket.SHUT_WR)
    run.events(client=client, conn=conn)
    conn.shutdown(socket.SHUT_WR)
    run.about(client=client, conn=conn)
    run.read_all("client", client)
    run.read_all("conn", conn)
    run.call("send", client.send, b"x")
    run.call("send", conn.send, b"x")
    run.call("connect", client.connect, run.address())
    run.call("listen", conn.listen, 1)


@scenario
def close_while_polled(run):
    """The peer of a socket that somebody polls"""
    client, conn = run.pair()
    run.events(client=client, conn=conn)
    client.shutdown(socket.SHUT_RDWR)
    run.events(client=client, conn=conn)
    conn.close()
    run.events(client=client)


@scenario
def half_closed_for_long(run):
    """FIN_WAIT_2 and CLOSE_WAIT with owners last"""
    client, conn = run.pair()
    client.shutdown(socket.SHUT_WR)
    time.sleep(100)
    run.about(client=client, conn=conn)
    run.call("send", conn.send, b"late")
    run.call("recv", client.recv, 10)
