# SPDX-License-Identifier: GPL-2.0
"""TCP_INFO: what a socket says of itself, against the trace and the wire."""

import ctypes
import socket
import unittest

from net import (BOB, Net, Trace, Wire, carry, chalk_socket, exact_clock,
                 fast_kernel, listener, receive_all, table, wait_until)

TCP_INFO = 11
MSS = 1448


class Info(ctypes.Structure):
    """struct tcp_info as Linux 6.1 has it"""

    _fields_ = [
        *((name, ctypes.c_uint8) for name in (
            "state", "ca_state", "retransmits", "probes", "backoff",
            "options")),
        ("snd_wscale", ctypes.c_uint8, 4), ("rcv_wscale", ctypes.c_uint8, 4),
        ("app_limited", ctypes.c_uint8, 1),
        *((name, ctypes.c_uint32) for name in (
            "rto", "ato", "snd_mss", "rcv_mss", "unacked", "sacked", "lost",
            "retrans", "fackets", "last_data_sent", "last_ack_sent",
            "last_data_recv", "last_ack_recv", "pmtu", "rcv_ssthresh", "rtt",
            "rttvar", "snd_ssthresh", "snd_cwnd", "advmss", "reordering",
            "rcv_rtt", "rcv_space", "total_retrans")),
        *((name, ctypes.c_uint64) for name in (
            "pacing_rate", "max_pacing_rate", "bytes_acked",
            "bytes_received")),
        *((name, ctypes.c_uint32) for name in (
            "segs_out", "segs_in", "notsent_bytes", "min_rtt", "data_segs_in",
            "data_segs_out")),
        *((name, ctypes.c_uint64) for name in (
            "delivery_rate", "busy_time", "rwnd_limited", "sndbuf_limited")),
        *((name, ctypes.c_uint32) for name in ("delivered", "delivered_ce")),
        *((name, ctypes.c_uint64) for name in ("bytes_sent",
                                               "bytes_retrans")),
        *((name, ctypes.c_uint32) for name in (
            "dsack_dups", "reord_seen", "rcv_ooopack", "snd_wnd")),
    ]


def info_of(sock) -> Info:
    """TCP_INFO of @sock"""
    raw = sock.getsockopt(socket.SOL_TCP, TCP_INFO, 512)
    return Info.from_buffer_copy(raw)


def pair(port: int = 80):
    """A listener at bob, a connection from alice, and its end at bob"""
    server = listener("bob", port)
    client = chalk_socket("alice")
    client.connect((BOB, port))
    return server, client, server.accept()[0]


def finish(*socks):
    """Close them; the network must not go before the FINs are through"""
    for sock in socks:
        sock.close()
    assert wait_until(lambda: all(r["state"] == "TIME_WAIT"
                                  for r in table("conns")), 100)


class TcpInfo(unittest.TestCase):
    """getsockopt(TCP_INFO)"""

    def test_length(self):
        """as much as there is room for; a negative length is refused"""
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 253)
        full = sock.getsockopt(socket.SOL_TCP, TCP_INFO, 1024)
        self.assertGreaterEqual(len(full), ctypes.sizeof(Info))
        for size in (1, 7, 104, len(full) - 1, len(full)):
            self.assertEqual(
                len(sock.getsockopt(socket.SOL_TCP, TCP_INFO, size)), size)
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.assertEqual(
            len(full), len(tcp.getsockopt(socket.SOL_TCP, TCP_INFO, 1024)))
        length = ctypes.c_int(-1)
        libc = ctypes.CDLL(None, use_errno=True)
        self.assertEqual(libc.getsockopt(sock.fileno(), socket.SOL_TCP,
                                         TCP_INFO, ctypes.create_string_buffer(8),
                                         ctypes.byref(length)), -1)
        self.assertEqual(ctypes.get_errno(), 22)
        sock.close()
        tcp.close()

    def test_closed_and_listening(self):
        """before there is a connection; the backlog of a listener"""
        with Net():
            sock = chalk_socket("alice")
            info = info_of(sock)
            self.assertEqual((info.state, info.segs_out, info.snd_cwnd),
                             (7, 0, 0))
            server = listener("bob", 80, 5)
            info = info_of(server)
            self.assertEqual((info.state, info.unacked, info.sacked),
                             (10, 0, 5))
            sock.connect((BOB, 80))
            self.assertTrue(wait_until(lambda: info_of(server).unacked == 1, 5))
            server.accept()[0].close()
            self.assertEqual(info_of(server).unacked, 0)
            sock.close()
            server.close()

    @exact_clock
    @fast_kernel
    def test_transfer(self):
        """a clean path of 20 ms: every field that a transfer moves"""
        with Net() as net:
            net.netem("delay 10ms")
            server, client, child = pair()
            carry(client, child, bytes(100000))
            self.assertTrue(wait_until(
                lambda: info_of(client).unacked == 0, 5))
            here, there = info_of(client), info_of(child)
            local = ":".join(map(str, client.getsockname()))
            row = next(r for r in table("conns") if r["local"] == local)
            self.assertEqual((here.state, here.ca_state, here.backoff), (1, 0, 0))
            self.assertEqual(here.options & 0x5, 0x5)  # timestamps, scaling
            self.assertEqual((here.snd_mss, here.advmss, here.pmtu),
                             (MSS, MSS + 12, 1500))
            self.assertEqual((there.snd_mss, there.rcv_mss), (MSS, MSS))
            self.assertEqual(here.snd_wscale, there.rcv_wscale)
            self.assertEqual(here.bytes_sent, 100000)
            self.assertEqual(here.bytes_acked, 100000)
            self.assertEqual(there.bytes_received, 100000)
            self.assertEqual((here.bytes_retrans, here.total_retrans,
                              here.retrans, here.lost, there.rcv_ooopack),
                             (0, 0, 0, 0, 0))
            self.assertEqual(here.data_segs_out, there.data_segs_in)
            self.assertEqual(here.segs_out, there.segs_in)
            self.assertEqual(there.segs_out, here.segs_in)
            self.assertGreaterEqual(here.data_segs_out, -(-100000 // MSS))
            self.assertEqual(here.snd_cwnd, int(row["cwnd"]) // MSS)
            self.assertEqual(here.snd_ssthresh, 0x7fffffff)
            self.assertEqual((here.rtt, here.rttvar, here.rto),
                             (int(row["srtt"]), int(row["rttvar"]),
                              int(row["rto"])))
            self.assertTrue(20000 <= here.min_rtt < 21000, here.min_rtt)
            self.assertLessEqual(here.min_rtt, here.rtt)
            self.assertEqual(here.snd_wnd, int(row["snd_wnd"]))
            self.assertEqual((here.notsent_bytes, here.reordering), (0, 3))
            # a flight of at least ten segments a round trip, never all at once
            self.assertTrue(10 * MSS * 40 < here.delivery_rate < 5000000,
                            here.delivery_rate)
            self.assertTrue(60000 < here.busy_time < 200000, here.busy_time)
            finish(client, child, server)

    @exact_clock
    def test_times(self):
        """how long ago: data sent, data received, the last ACK"""
        with Net():
            server, client, child = pair()
            client.sendall(b"x")
            receive_all(child, 1)
            wait_until(lambda: False, 2)
            child.sendall(b"y")
            receive_all(client, 1)
            wait_until(lambda: False, 1)
            info = info_of(client)
            self.assertTrue(3000 <= info.last_data_sent < 3200,
                            info.last_data_sent)
            self.assertTrue(1000 <= info.last_data_recv < 1200,
                            info.last_data_recv)
            self.assertTrue(1000 <= info.last_ack_recv < 1200,
                            info.last_ack_recv)
            finish(client, child, server)

    def test_times_of_a_handshake(self):
        """it is no silence, as in TCP (2 s)"""
        with Net() as net:
            net.netem("delay 200ms")
            server, client, child = pair()
            # the third segment takes 200 ms
            for end, most in (client, 300), (child, 100):
                info = info_of(end)
                self.assertLess(info.last_data_sent, most)
                self.assertLess(info.last_data_recv, most)
            net.netem("delay 0ms")
            finish(client, child, server)

    def test_loss(self):
        """the counts of retransmissions are those of the trace"""
        with Net() as net:
            net.netem("delay 5ms loss 3%")
            trace = Trace()
            server, client, child = pair()
            carry(client, child, bytes(300000))
            self.assertTrue(wait_until(
                lambda: info_of(client).unacked == 0, 100))
            here, there = info_of(client), info_of(child)
            local = ":".join(map(str, client.getsockname()))
            finish(client, child, server)
            mine = [r for r in trace.stop() if r["local"] == local]
            sent = [r for r in mine if r["event"] in ("send", "rtx")]
            # the close comes after the counting
            fin = next(i for i, r in enumerate(sent) if "F" in r["flags"])
            sent = sent[:fin]
            again = [r for r in sent if r["event"] == "rtx"]
            self.assertTrue(again, "a path without loss tests nothing")
            self.assertEqual(here.total_retrans, len(again))
            self.assertEqual(here.bytes_retrans,
                             sum(int(r["len"]) for r in again))
            self.assertEqual(here.segs_out, len(sent))
            self.assertEqual(here.bytes_sent,
                             sum(int(r["len"]) for r in sent))
            self.assertEqual(here.bytes_acked, 300000)
            self.assertEqual(there.bytes_received, 300000)
            self.assertGreater(there.rcv_ooopack, 0)

    def test_timeout(self):
        """the path goes dark: retransmits, backoff, lost, the phase Loss"""
        dark = []

        def judge(_data, to_bob):
            return [] if dark and to_bob else [0.001]

        with Wire(judge):
            server, client, child = pair()
            dark.append(1)
            client.sendall(bytes(3 * MSS))
            self.assertTrue(wait_until(
                lambda: info_of(client).retransmits == 2, 30))
            info = info_of(client)
            self.assertEqual((info.ca_state, info.backoff, info.unacked,
                              info.lost, info.retrans, info.total_retrans),
                             (4, 2, 3, 3, 1, 2))
            self.assertEqual(info.snd_cwnd, 1)
            self.assertEqual(info.snd_ssthresh, 2)
            dark.clear()
            receive_all(child, 3 * MSS)
            self.assertTrue(wait_until(
                lambda: info_of(client).unacked == 0, 60))
            info = info_of(client)
            self.assertEqual((info.ca_state, info.retransmits, info.lost,
                              info.retrans), (0, 0, 0, 0))
            finish(client, child, server)

    def test_closed_window(self):
        """a reader that does not read: the wait is for the peer's window"""
        with Net():
            server, client, child = pair()
            client.setblocking(False)
            try:
                while True:
                    client.send(bytes(65536))
            except BlockingIOError:
                pass
            self.assertTrue(wait_until(
                lambda: info_of(client).snd_wnd < MSS
                and info_of(client).unacked == 0, 20))
            before = info_of(client)
            self.assertGreater(before.notsent_bytes, 0)
            self.assertTrue(wait_until(
                lambda: info_of(client).rwnd_limited
                >= before.rwnd_limited + 500000, 5))
            self.assertGreaterEqual(info_of(client).busy_time,
                                    info_of(client).rwnd_limited)
            finish(client, child, server)
