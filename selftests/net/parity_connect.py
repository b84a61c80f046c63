# SPDX-License-Identifier: GPL-2.0
"""Scenarios: a fresh socket, connecting, listening."""

import ctypes
import fcntl
import signal
import socket
import time
import unittest

from net import libc
from parity import ANY, PORT, scenario


# --- a fresh socket ---

@scenario
def fresh_events(run):
    """A socket nobody touched"""
    run.about(s=run.socket())


@scenario
def fresh_calls(run):
    """Calls that need a connection"""
    sock = run.socket()
    got = run.signals(signal.SIGPIPE)
    run.call("recv", sock.recv, 1)
    run.call("recv 0", sock.recv, 0)
    run.call("peek", sock.recv, 1, socket.MSG_PEEK)
    run.call("oob", sock.recv, 1, socket.MSG_OOB)
    run.call("errqueue", sock.recvmsg, 1, 100, socket.MSG_ERRQUEUE)
    run.call("send", sock.send, b"x", socket.MSG_NOSIGNAL)
    run.log("SIGPIPE", len(got))
    run.call("send with SIGPIPE", sock.send, b"x")
    run.log("SIGPIPE", len(got))
    run.call("send oob", sock.send, b"x", socket.MSG_OOB)
    run.call("send nothing", sock.send, b"")
    run.call("sendto", sock.sendto, b"x", run.address())
    run.call("accept", sock.accept)
    for how in (0, 1, 2, 3):
        run.call(f"shutdown {how}", sock.shutdown, how)
    run.call("getpeername", sock.getpeername)
    run.about(s=sock)


@scenario
def fresh_shutdown(run):
    """Even a shutdown that fails leaves its mark"""
    for how in (0, 1, 2):
        sock = run.socket()
        run.call("shutdown", sock.shutdown, how)
        run.events(s=sock)
        run.call("recv", sock.recv, 1)
        run.call("send", sock.send, b"x")
        server = run.listener(PORT + how)
        run.call("connect", sock.connect, run.address(PORT + how))
        run.events(s=sock)
        run.call("recv", sock.recv, 1, socket.MSG_DONTWAIT)
        run.call("send", sock.send, b"x")
        server.close()


@scenario
def unknown_ioctl(run):
    """ENOTTY, in any state"""
    sock = run.socket()
    run.call("ioctl", run.ioctl, sock, 0x89f0)
    run.call("ioctl", run.ioctl, sock, 0x1234)
    server = run.listener()
    run.call("ioctl", run.ioctl, server, 0x89f0)
    run.call("ioctl", run.ioctl, server, 0x1234)


@scenario
def bind_errors(run):
    """Addresses that can't be had"""
    first = run.listener()
    sock = run.socket()
    run.call("in use", sock.bind, (ANY[run.family], PORT))
    sock.bind((ANY[run.family], PORT + 1))
    run.call("twice", sock.bind, (ANY[run.family], PORT + 2))
    run.call("listener", first.bind, (ANY[run.family], PORT + 2))
    for data in (bytes(2), b"\x02\0" + bytes(6), b"\xff\0" + bytes(14),
                 b"\x01\0" + bytes(14)):
        run.libc("bind", run.socket().fileno(), data, len(data))
    run.libc("bind", run.socket().fileno(), bytes(16), 16)
    run.libc("bind", run.socket().fileno(), None, 16)


@scenario
def bind_reuse(run):
    """SO_REUSEADDR, and a second listener"""
    one, two = run.socket(), run.socket()
    for sock in (one, two):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    run.call("bind", one.bind, run.address())
    run.call("bind", two.bind, run.address())
    run.call("listen", one.listen, 1)
    run.call("listen", two.listen, 1)
    three = run.socket()
    three.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    run.call("bind", three.bind, run.address())


@scenario
def bind_reuseport(run):
    """SO_REUSEPORT: two listeners"""
    socks = [run.socket(), run.socket()]
    for sock in socks:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        run.call("bind", sock.bind, run.address())
        run.call("listen", sock.listen, 1)


@scenario
def bind_after_time_wait(run):
    """A port in TIME_WAIT is in use without SO_REUSEADDR"""
    client, conn = run.pair()
    conn.close()
    client.recv(1)
    client.close()
    run.settle()
    sock = run.socket()
    run.call("bind", sock.bind, run.address())
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    run.call("bind", sock.bind, run.address())


# --- connecting ---

@scenario
def connect_bad_addresses(run):
    """What is no address of a peer"""
    for data in (bytes(2), b"\x02\0" + bytes(6), b"\xff\0" + bytes(14),
                 bytes(16)):
        run.libc("connect", run.socket().fileno(), data, len(data))
    run.libc("connect", run.socket().fileno(), None, 16)


@scenario
def connect_port_zero(run):
    """Nobody can listen there"""
    run.call("port 0", run.socket().connect, run.address(0))


@scenario
def counts_after_disconnect(run):
    """SIOCOUTQ of a socket that has no connection any more"""
    sock = run.socket()
    run.call("connect", sock.connect, run.address())
    run.counts(s=sock, unsent=True)


@scenario
def connect_bad_addresses_ipv4(run):
    """Broadcast, multicast, no route"""
    if run.family != socket.AF_INET:
        raise unittest.SkipTest("addresses of IPv4")
    for host in ("255.255.255.255", "224.0.0.1", "10.9.0.255", "203.0.113.1"):
        run.call(host, run.socket().connect, (host, PORT))


@scenario
def connect_any(run):
    """0.0.0.0 is this host"""
    server = run.listener()
    client = run.socket()
    run.call("connect", client.connect, (ANY[run.family], PORT))
    run.call("peer", client.getpeername)
    server.close()


@scenario
def connect_refused(run):
    """Nobody listens"""
    run.disconnected = True
    sock = run.socket()
    run.call("connect", sock.connect, run.address())
    run.about(s=sock)
    run.error("s", sock)
    run.call("connect", sock.connect, run.address())
    run.call("recv", sock.recv, 1)
    run.call("send", sock.send, b"x")
    run.call("shutdown", sock.shutdown, 2)
    server = run.listener()
    run.call("connect", sock.connect, run.address())
    run.events(s=sock)
    server.close()


@scenario
def connect_refused_nonblocking(run):
    """The errno comes later"""
    sock = run.socket(False)
    run.call("connect", sock.connect, run.address())
    run.about(s=sock)
    run.error("s", sock)
    run.error("s", sock)
    run.events(s=sock)
    run.call("recv", sock.recv, 1)
    run.call("send", sock.send, b"x")
    run.call("connect", sock.connect, run.address())


@scenario
def connect_refused_seen_by_connect(run):
    """A second connect() takes the errno of the first"""
    sock = run.socket(False)
    run.call("connect", sock.connect, run.address())
    run.settle()
    run.call("connect", sock.connect, run.address())
    run.call("connect", sock.connect, run.address())
    run.error("s", sock)


@scenario
def connect_refused_seen_by_recv(run):
    """recv() takes it"""
    sock = run.socket(False)
    run.call("connect", sock.connect, run.address())
    run.settle()
    run.call("recv", sock.recv, 1)
    run.call("recv", sock.recv, 1)
    run.events(s=sock)
    run.error("s", sock)


@scenario
def connect_refused_seen_by_send(run):
    """send() takes it"""
    sock = run.socket(False)
    got = run.signals(signal.SIGPIPE)
    run.call("connect", sock.connect, run.address())
    run.settle()
    run.call("send", sock.send, b"x")
    run.call("send", sock.send, b"x")
    run.log("SIGPIPE", len(got))
    run.events(s=sock)


@scenario
def connecting(run):
    """In SYN_SENT nothing is known yet"""
    sock = run.socket(False)
    run.call("connect", sock.connect, run.nowhere())
    run.about(s=sock)
    run.call("connect", sock.connect, run.nowhere())
    run.call("recv", sock.recv, 1)
    run.call("recv 0", sock.recv, 0)
    run.call("send", sock.send, b"x")
    run.call("send oob", sock.send, b"x", socket.MSG_OOB)
    run.call("oob", sock.recv, 1, socket.MSG_OOB)
    run.call("listen", sock.listen, 1)
    run.call("accept", sock.accept)
    run.error("s", sock)
    run.events(s=sock)


@scenario
def connecting_times_out(run):
    """ETIMEDOUT"""
    run.disconnected = True
    sock = run.socket()
    run.call("connect", sock.connect, run.nowhere())
    run.about(s=sock)
    run.call("recv", sock.recv, 1)
    run.call("send", sock.send, b"x")
    run.error("s", sock)


@scenario
def connecting_times_out_nonblocking(run):
    """ETIMEDOUT by events"""
    sock = run.socket(False)
    run.call("connect", sock.connect, run.nowhere())
    time.sleep(20)
    run.about(s=sock)
    run.call("recv", sock.recv, 1)
    run.events(s=sock)


@scenario
def connecting_send_timeout(run):
    """SO_SNDTIMEO bounds connect()"""
    sock = run.socket()
    run.timeout(sock, socket.SO_SNDTIMEO, 0.4)
    run.timed("connect", sock.connect, run.nowhere())
    run.timed("connect", sock.connect, run.nowhere())
    run.events(s=sock)


@scenario
def connecting_signal(run):
    """EINTR, and the attempt goes on"""
    sock = run.socket()
    data = run.socket()
    host = socket.inet_pton(run.family, run.nowhere()[0])
    if run.family == socket.AF_INET:
        address = b"\x02\0" + PORT.to_bytes(2, "big") + host + bytes(8)
    else:
        address = (b"\x0a\0" + PORT.to_bytes(2, "big") + bytes(4) + host +
                   bytes(4))
    got = run.alarm(0.3)
    run.libc("connect", sock.fileno(), address, len(address))
    run.log("signals", len(got))
    sock.setblocking(False)
    run.libc("connect", sock.fileno(), address, len(address))
    run.events(s=sock)
    run.alarm(0.3, restart=True)
    data.setblocking(True)
    run.timeout(data, socket.SO_SNDTIMEO, 1)
    run.libc("connect", data.fileno(), address, len(address))


@scenario
def connecting_shutdown(run):
    """shutdown() in SYN_SENT"""
    run.disconnected = True
    for how in (0, 1, 2):
        sock = run.socket(False)
        run.call("connect", sock.connect, run.nowhere())
        run.call("shutdown", sock.shutdown, how)
        run.about(s=sock)
        run.error("s", sock)
        run.call("recv", sock.recv, 1)
        run.call("send", sock.send, b"x")
        run.call("connect", sock.connect, run.nowhere())


@scenario
def connecting_unspec(run):
    """connect(AF_UNSPEC) in SYN_SENT"""
    run.disconnected = True
    sock = run.socket(False)
    run.call("connect", sock.connect, run.nowhere())
    run.libc("connect", sock.fileno(), bytes(16), 16)
    run.about(s=sock)
    run.error("s", sock)
    server = run.listener()
    sock.setblocking(True)
    run.call("connect", sock.connect, run.address())
    run.events(s=sock)
    server.close()


@scenario
def connecting_send_blocks(run):
    """send() waits for the connection, as long as it may"""
    sock = run.socket(False)
    run.call("connect", sock.connect, run.nowhere())
    sock.setblocking(True)
    run.timeout(sock, socket.SO_SNDTIMEO, 0.4)
    run.timeout(sock, socket.SO_RCVTIMEO, 0.4)
    run.timed("send", sock.send, b"x")
    run.timed("recv", sock.recv, 1)


@scenario
def unspec_fresh(run):
    """connect(AF_UNSPEC) of a socket without a connection"""
    run.disconnected = True
    sock = run.socket()
    run.libc("connect", sock.fileno(), bytes(16), 16)
    run.about(s=sock)
    sock.bind(run.address())
    run.libc("connect", sock.fileno(), bytes(16), 16)
    run.log("port", sock.getsockname()[1])


@scenario
def unspec_connected(run):
    """connect(AF_UNSPEC) resets, and the socket can be used again"""
    run.disconnected = True
    client, conn = run.pair()
    conn.send(b"unread")
    run.settle()
    run.libc("connect", client.fileno(), bytes(16), 16)
    run.about(client=client, conn=conn)
    run.error("client", client)
    run.call("recv", client.recv, 1)
    run.call("send", client.send, b"x")
    run.read_all("conn", conn)
    server = run.listener(PORT + 1)
    run.call("connect", client.connect, run.address(PORT + 1))
    run.events(client=client)
    other = run.call("accept", lambda: server.accept()[0])
    other.send(b"again")
    run.call("recv", client.recv, 10)
    other.close()
    server.close()


@scenario
def unspec_then_listen(run):
    """From client to server"""
    client, _ = run.pair()
    run.libc("connect", client.fileno(), bytes(16), 16)
    run.error("client", client)
    run.call("bind", client.bind, (ANY[run.family], PORT + 3))
    run.call("listen", client.listen, 1)
    run.events(client=client)
    other = run.socket()
    run.call("connect", other.connect, run.address(PORT + 3))
    run.call("accept", lambda: client.accept()[0].close())


@scenario
def unspec_keeps_bound_port(run):
    """bind() outlives the connection, an automatic port does not"""
    server = run.listener()
    sock = run.socket()
    sock.bind((ANY[run.family], PORT + 1))
    sock.connect(run.address())
    run.libc("connect", sock.fileno(), bytes(16), 16)
    run.log("name", sock.getsockname()[:2])
    auto = run.socket()
    auto.connect(run.address())
    port = auto.getsockname()[1]
    run.libc("connect", auto.fileno(), bytes(16), 16)
    run.log("keeps its port", auto.getsockname()[1] == port)
    server.close()


@scenario
def connected_calls(run):
    """What can't be done any more"""
    client, conn = run.pair()
    for name, sock in (("client", client), ("conn", conn)):
        run.call(f"{name}.connect", sock.connect, run.address())
        run.call(f"{name}.bind", sock.bind, (ANY[run.family], PORT + 5))
        run.call(f"{name}.listen", sock.listen, 1)
        run.call(f"{name}.accept", sock.accept)
        run.error(name, sock)
    run.about(client=client, conn=conn)


@scenario
def connect_nonblocking(run):
    """EINPROGRESS, then all is well"""
    server = run.listener()
    sock = run.socket(False)
    run.call("connect", sock.connect, run.address())
    run.events(s=sock, server=server)
    run.error("s", sock)
    run.call("connect", sock.connect, run.address())
    run.call("connect", sock.connect, run.address())
    run.call("accept", server.accept()[0].close)


@scenario
def connect_to_itself(run):
    """A simultaneous open with only one socket"""
    sock = run.socket()
    sock.bind(run.address(PORT + 9))
    run.call("connect", sock.connect, run.address(PORT + 9))
    run.about(s=sock)
    run.call("send", sock.send, b"hello")
    run.call("recv", sock.recv, 10)
    run.call("shutdown", sock.shutdown, socket.SHUT_WR)
    run.events(s=sock)
    run.call("recv", sock.recv, 10)


@scenario
def connect_again_after_end(run):
    """The same socket, a second connection"""
    server = run.listener()
    sock = run.socket()
    for how in ("close", "reset"):
        run.call("connect", sock.connect, run.address())
        conn, _ = server.accept()
        if how == "reset":
            run.reset_by(conn)
        else:
            sock.shutdown(socket.SHUT_WR)
            conn.recv(1)
            conn.close()
            run.settle()
            run.call("recv", sock.recv, 1)
        run.about(s=sock)
        run.call("connect", sock.connect, run.address())
        run.call("connect", sock.connect, run.address())
        run.libc("connect", sock.fileno(), bytes(16), 16)
        run.error("s", sock)
        server.settimeout(0.3)
        try:
            while True:
                server.accept()[0].close()
        except OSError:
            server.settimeout(None)


# --- listening ---

@scenario
def listener_calls(run):
    """What a listener can't do"""
    server = run.listener()
    run.about(server=server)
    run.call("recv", server.recv, 1)
    run.call("oob", server.recv, 1, socket.MSG_OOB)
    run.call("send", server.send, b"x")
    run.call("connect", server.connect, run.address())
    run.call("listen", server.listen, 5)
    run.call("accepts", server.getsockopt, socket.SOL_SOCKET,
             socket.SO_ACCEPTCONN)
    run.error("server", server)
    server.setblocking(False)
    run.call("accept", server.accept)
    run.about(server=server)


@scenario
def listener_pending(run):
    """Readable while somebody waits"""
    server = run.listener()
    one, two = run.socket(), run.socket()
    one.connect(run.address())
    two.connect(run.address())
    run.events(server=server, one=one)
    first = server.accept()[0]
    run.events(server=server, first=first)
    second = server.accept()[0]
    run.events(server=server)
    first.close()
    second.close()


@scenario
def listener_autobind(run):
    """listen() without bind()"""
    sock = run.socket()
    run.call("listen", sock.listen, 1)
    run.log("has a port", sock.getsockname()[1] > 0)
    other = run.socket()
    run.call("connect", other.connect, run.address(sock.getsockname()[1]))


@scenario
def listener_shutdown(run):
    """SHUT_RD ends listening, SHUT_WR does nothing"""
    run.disconnected = True
    for how in (1, 0, 2):
        server = run.listener()
        run.call("shutdown", server.shutdown, how)
        run.about(server=server)
        server.setblocking(False)
        run.call("accept", server.accept)
        client = run.socket()
        run.call("connect", client.connect, run.address())
        run.error("server", server)
        run.call("listen", server.listen, 1)
        run.events(server=server)
        server.close()
        client.close()


@scenario
def listener_shutdown_wakes(run):
    """accept() that sleeps is told"""
    for how in (0, 2):
        server = run.listener()
        thread = run.meanwhile(server.shutdown, how)
        run.timed("accept", server.accept)
        thread.join()
        server.close()


@scenario
def listener_shutdown_resets(run):
    """Those who were never accepted are told"""
    server = run.listener()
    client = run.socket()
    client.connect(run.address())
    server.shutdown(socket.SHUT_RD)
    run.about(client=client)
    run.call("recv", client.recv, 1)
    server.close()


@scenario
def listener_close_resets(run):
    """The same for close()"""
    server = run.listener()
    client = run.socket()
    client.connect(run.address())
    client.send(b"x")
    server.close()
    run.about(client=client)
    run.call("recv", client.recv, 1)
    run.call("send", client.send, b"x")


@scenario
def listener_unspec(run):
    """connect(AF_UNSPEC) of a listener"""
    run.disconnected = True
    server = run.listener()
    run.libc("connect", server.fileno(), bytes(16), 16)
    run.about(server=server)
    run.call("accept", server.accept)
    run.call("listen", server.listen, 1)
    run.events(server=server)


@scenario
def accept_flags(run):
    """accept4(): SOCK_NONBLOCK and SOCK_CLOEXEC; nothing is inherited"""
    server = run.listener()
    server.setblocking(False)
    for flags in (0, socket.SOCK_NONBLOCK, socket.SOCK_CLOEXEC, 0x1):
        client = run.socket()
        client.connect(run.address())
        ctypes.set_errno(0)
        fd = libc.accept4(server.fileno(), None, None, flags)
        if fd < 0:
            run.log(f"accept4 {flags:#x}", ctypes.get_errno())
            server.accept()[0].close()
            continue
        run.log(f"accept4 {flags:#x}", (fcntl.fcntl(fd, fcntl.F_GETFL),
                                        fcntl.fcntl(fd, fcntl.F_GETFD)))
        libc.close(fd)


@scenario
def accept_addresses(run):
    """Where the peer's address goes to"""
    server = run.listener()
    size = ctypes.c_int(4)
    data = ctypes.create_string_buffer(b"zzzzzzzzzzzzzzz", 64)
    client = run.socket()
    client.connect(run.address())
    fd = libc.accept(server.fileno(), data, ctypes.byref(size))
    run.log("size", size.value)
    run.log("family", data.raw[:2])
    libc.close(fd)
    client = run.socket()
    client.connect(run.address())
    size.value = -1
    run.libc("accept", server.fileno(), data, ctypes.byref(size))


@scenario
def accept_timeout(run):
    """SO_RCVTIMEO, and a signal"""
    server = run.listener()
    run.timeout(server, socket.SO_RCVTIMEO, 0.4)
    run.timed("accept", server.accept)
    got = run.alarm(0.2)
    run.libc("accept", server.fileno(), None, None)
    run.log("signals", len(got))
    run.timeout(server, socket.SO_RCVTIMEO, 0)
    run.alarm(0.2)
    run.libc("accept", server.fileno(), None, None)


@scenario
def accept_after_reset(run):
    """The client went away meanwhile"""
    server = run.listener()
    client = run.socket()
    client.connect(run.address())
    client.send(b"last words")
    run.reset_by(client)
    run.events(server=server)
    conn = run.call("accept", lambda: server.accept()[0])
    run.about(conn=conn)
    run.read_all("conn", conn)
    conn.close()


@scenario
def accept_after_close(run):
    """The client has closed meanwhile"""
    server = run.listener()
    client = run.socket()
    client.connect(run.address())
    client.send(b"last words")
    client.close()
    conn = run.call("accept", lambda: server.accept()[0])
    run.about(conn=conn)
    run.read_all("conn", conn)
    run.call("send", conn.send, b"x")
    run.settle()
    run.about(conn=conn)
    run.call("send", conn.send, b"x")
    conn.close()


@scenario
def accept_inherits(run):
    """Options of the listener that its children have"""
    server = run.listener()
    for option in (socket.SO_KEEPALIVE, socket.SO_OOBINLINE):
        server.setsockopt(socket.SOL_SOCKET, option, 1)
    run.linger(server, 3)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 7)
    run.timeout(server, socket.SO_RCVTIMEO, 2)
    client = run.socket()
    client.connect(run.address())
    conn, _ = server.accept()
    for option in ("KEEPALIVE", "OOBINLINE", "RCVLOWAT", "REUSEADDR", "TYPE",
                   "DOMAIN", "ACCEPTCONN"):
        run.log(option, conn.getsockopt(socket.SOL_SOCKET, getattr(
            socket, f"SO_{option}", 39)))
    run.log("LINGER", conn.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))
    conn.close()
