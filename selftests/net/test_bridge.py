# SPDX-License-Identifier: GPL-2.0
"""Chalk and the kernel's TCP, across "chalk bridge": the table of bridge.py, and
the bridge itself.
"""

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import pathlib
import platform
import select
import socket
import struct
import subprocess
import sys
import unittest

import bridge
import lwip
import rtnl
from bridge import CHALK, TCP, Case, bridge_at, counts_of
from glue import ADDRESS
from net import Net, exact_clock, inside, receive_all, sh, wait_until
from peer import ACK, SYN, checksum, state

# net.py has told where these are
import chalk_bpf  # pylint: disable=wrong-import-order
import chalk_bridge  # pylint: disable=wrong-import-order
import chalk_rtnl  # pylint: disable=wrong-import-order
from chalk_bridge_program import COUNTERS, Way, addresses

FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
CALLERS = {"chalk": "alice", "tcp": "bob"}
TOOL = str(pathlib.Path(__file__).parents[2] / "userspace/chalk/chalk-bridge")
PEER = {4: "192.0.2.7", 6: "2001:db8::7"}
HERE = {4: "192.0.2.1", 6: "2001:db8::1"}
ETHER = {4: 0x0800, 6: 0x86dd}
FRAGMENT, UNREACHABLE = 44, {4: 3, 6: 1}
PORT = 80


def setUpModule():
    """The debug kernel has no BPF."""
    if not has_bpf():
        raise unittest.SkipTest("needs CONFIG_BPF_SYSCALL")


def has_bpf() -> bool:
    """bpf(2) is there, and says what is wrong with a call of nothing."""
    ctypes.set_errno(0)
    chalk_bpf.LIBC.syscall(chalk_bpf.NUMBERS[platform.machine()], 0, None, 0)
    return ctypes.get_errno() != errno.ENOSYS


def fill_with(cases, kind=bridge.Meeting):
    """A class gets a test for each case, caller and version of IP."""
    def fill(cls):
        for case in cases:
            for caller in CALLERS:
                for version in FAMILIES:
                    form = f"{caller}_calls_{version}"
                    if not case.but or not form.startswith(case.but):
                        setattr(cls, f"test_{case.net}_{case.name}_{form}",
                                make_test(case, caller, version, kind))
        return cls
    return fill


def make_test(case, caller: str, version: str, kind):
    """One test."""
    def test(self):
        if case.needs == "nft" and not bridge.has_nft():
            self.skipTest("needs nftables")
        self.between(case.net)
        bridge.play(case, self, CALLERS[caller], FAMILIES[version], kind)
    test.__doc__ = f"{caller} calls over {version}: {case.holds}"
    return test


def firewall():
    """Both hosts reject calls of one port with ICMP."""
    for host, protocol in (("alice", CHALK), ("bob", TCP)):
        for rule in ("table inet t",
                     "chain inet t c { type filter hook input priority 0; }",
                     f"rule inet t c meta l4proto {protocol} @th,16,16 "
                     f"{bridge.REJECTED} reject with icmpx port-unreachable"):
            sh(f"ip netns exec {host} nft 'add {rule}'")


class Judged(unittest.TestCase):
    """alice has Chalk, bob the kernel's TCP, and a bridge at his door"""

    net = None
    net_now = None
    place, links = ("bob", "b0"), ("ra", "rb")

    def between(self, name: str):
        """The network that a case asks for."""
        if type(self).net_now != name:
            bridge.set_network(self.links, bridge.NETS[name])
            type(self).net_now = name

    def tearDown(self):
        """Nothing was too large, nothing came with the other's number."""
        counts = counts_of(*self.place)
        for way in ("in", "out"):
            for name in ("oversized", "already", "short"):
                self.assertEqual(counts[way, name], 0, f"{way} {name}")


@exact_clock
@fill_with(bridge.CASES)
class Matrix(Judged):
    """The table, Chalk being the caller and the called, over IPv4 and IPv6"""

    @classmethod
    def setUpClass(cls):
        cls.net = cls.enterClassContext(Net())
        bridge_at(*cls.place)
        if bridge.has_nft():
            firewall()
        for (host, family), address in bridge.NOBODY.items():
            version = "-6" if family == socket.AF_INET6 else ""
            sh(f"ip {version} -n router route add unreachable {address}")
        sh("ip netns exec router sysctl -qw net.ipv4.icmp_ratelimit=0"
           " net.ipv6.icmp.ratelimit=0")
        # of all namespaces: one a second, after some
        cost = pathlib.Path("/proc/sys/net/ipv4/route/error_cost")
        cls.addClassCleanup(cost.write_text, cost.read_text())
        cost.write_text("0")


@exact_clock
@fill_with([Case("narrow_path", bridge.narrow_path, "both learn the MTU"),
            Case("wide_path", bridge.wide_path, "segments of 9000 bytes")])
class Paths(Judged):
    """Routes remember what a test has learnt: each gets hosts of its own"""

    def setUp(self):
        type(self).net_now = None
        self.net = self.enterContext(Net())
        bridge_at(*self.place)
        if "wide" in self.id():
            for end in ("alice a0", "bob b0", "router ra", "router rb"):
                sh("ip -n {} link set {} mtu 9000".format(*end.split()))

    def tearDown(self):
        super().tearDown()
        if "narrow" in self.id():
            # to whom bob sends: what the router told him
            self.assertGreater(counts_of(*self.place)["in", "errors"], 0)


# What lwIP's sockets can do.
LWIP = ("syn_lost", "bulk_up", "bulk_down", "request_response", "loss1_up",
        "loss1_down", "loss5_up", "loss5_down", "outage_up", "outage_down",
        "chalk_without_scaling", "chalk_without_stamps", "zero_window_up",
        "zero_window_down", "caller_closes", "called_closes", "both_close",
        "caller_half_closes", "called_half_closes",
        "caller_closes_behind_data", "called_closes_behind_data",
        "caller_fin_lost", "called_fin_lost", "caller_resets",
        "called_resets", "caller_aborts", "called_aborts")
# It resets only if it has data that are not acknowledged.
LWIP_BUT = {"caller_resets": "tcp_calls", "called_resets": "chalk_calls"}


@exact_clock
@unittest.skipUnless(os.path.exists(lwip.PROGRAM), "needs liblwip-dev")
@fill_with([case._replace(but=LWIP_BUT.get(case.name, ""))
            for case in bridge.CASES if case.name in LWIP], lwip.LwipMeeting)
class Lwip(Judged):
    """The same against a stack that is not of Linux, across a router's bridge"""

    place, links = ("router", "t0"), lwip.LINKS

    @classmethod
    def setUpClass(cls):
        cls.net = cls.enterClassContext(lwip.LwipNet())
        bridge_at(*cls.place, wire="tcp")


# --- the command ---

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 1, 0x1000


def tool(*words: str) -> subprocess.CompletedProcess:
    """chalk bridge"""
    return subprocess.run([sys.executable, TOOL, *words], text=True,
                          capture_output=True, check=False)


def talk(listening: tuple, calling: tuple, port: int) -> bytes:
    """What arrives of a word; each end is (host, protocol)."""
    with contextlib.ExitStack() as stack:
        server, sock = (stack.enter_context(socket_of(*end))
                        for end in (listening, calling))
        server.bind(("", port))
        server.listen(1)
        sock.connect((ADDRESS[listening[0], socket.AF_INET], port))
        sock.sendall(b"word")
        with server.accept()[0] as conn:
            return receive_all(conn, 4)


def socket_of(host: str, protocol: int):
    """A stream that does not block for ever."""
    with inside(host):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    sock.settimeout(30)
    return sock


class Tool(unittest.TestCase):
    """What the user of it sees"""

    def setUp(self):
        self.enterContext(Net())

    def works(self, *words: str) -> str:
        """The command does; what it prints."""
        done = tool(*words)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    @staticmethod
    def device() -> list:
        """What the bridge changes of bob's."""
        with inside("bob"):
            return [chalk_rtnl.has_offload("b0", name)
                    for name in chalk_rtnl.OFFLOADS] + [
                chalk_rtnl.Rtnl().most_segments(socket.if_nametoindex("b0")),
                sh("tc -n bob qdisc show dev b0"),
                sh("tc -n bob filter show dev b0 ingress")]

    def test_there_and_away(self):
        """add, list, del; the device is as before"""
        sh("ip netns exec bob ethtool -K b0 gro on tx on")
        before = self.device()
        self.works("add", "b0", "-N", "bob", "--port", "80", "--port", "81")
        during = self.device()
        self.assertEqual(during[:4], [False, False, False, 1])
        found, = json.loads(self.works("list", "-N", "bob", "--json"))
        self.assertEqual((found["device"], found["wire"], found["ports"]),
                         ("b0", "chalk", [80, 81]))
        again = tool("add", "b0", "-N", "bob")
        self.assertEqual(again.returncode, 1)
        self.assertIn("has a bridge already", again.stderr)
        self.assertEqual(self.device(), during)
        self.works("del", "b0", "-N", "bob")
        self.assertEqual(self.device(), before)
        self.assertEqual(self.works("list", "-N", "bob"), "no bridges\n")
        self.assertIn("has no bridge", tool("del", "b0", "-N", "bob").stderr)

    def test_other_filters(self):
        """those of others stay, and see what has been swapped"""
        sh("tc -n bob qdisc add dev b0 clsact; tc -n bob filter add dev b0 "
           "ingress pref 300 protocol ip u32 match ip protocol 6 0xff "
           "action pass")
        self.works("add", "b0", "-N", "bob")
        self.assertEqual(talk(("bob", TCP), ("alice", CHALK), 80), b"word")
        self.works("del", "b0", "-N", "bob")
        shown = sh("tc -n bob -s filter show dev b0 ingress")
        self.assertRegex(shown, r"Sent \d+ bytes [1-9]")

    def test_caller_has_it(self):
        """on the host of Chalk, for one port: TCP of others goes on"""
        self.works("add", "a0", "-N", "alice", "--wire", "tcp", "--port", "80")
        for port, protocol in ((80, CHALK), (81, TCP)):
            self.assertEqual(talk(("bob", TCP), ("alice", protocol), port),
                             b"word")
        counts = counts_of("alice", "a0")
        for way in ("in", "out"):
            self.assertGreater(counts[way, "packets"], 3)
        self.assertGreater(counts["in", "port"], 3)

    def test_router_has_it(self):
        """for what it forwards"""
        self.works("add", "rb", "-N", "router", "--wire", "tcp")
        for ends in ((("bob", TCP), ("alice", CHALK)),
                     (("alice", CHALK), ("bob", TCP))):
            self.assertEqual(talk(*ends, 80), b"word")

    def test_peer(self):
        """only with one host"""
        self.works("add", "b0", "-N", "bob", "--peer", "10.0.1.77")
        with self.assertRaises(ConnectionRefusedError):
            talk(("bob", TCP), ("alice", CHALK), 80)
        self.assertGreater(counts_of("bob", "b0")["in", "peer"], 0)

    def test_no_link_header(self):
        """a device that carries bare IP packets (TUN)"""
        lwip.load_tun()
        with inside("alice"):
            tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            self.addCleanup(os.close, tun)
            fcntl.ioctl(tun, TUNSETIFF, struct.pack(
                "16sH22x", b"n0", IFF_TUN | IFF_NO_PI))
        rtnl.add_address("alice", "n0", HERE[4], 24)
        rtnl.set_link("alice", "n0", rtnl.IFF_UP)
        self.works("add", "n0", "-N", "alice", "--wire", "tcp")
        with socket_of("alice", CHALK) as sock:
            sock.setblocking(False)
            sock.connect_ex((PEER[4], PORT))
            syn = self.packet_of_ipv4(tun)
            self.assertEqual(syn[9], TCP)
            here, there, body = syn[12:16], syn[16:20], syn[20:]
            self.assertEqual(checksum(pseudo(here, there, TCP, len(body))
                                      + body), 0)
            sport, _, seq = struct.unpack("!HHI", body[:8])
            answer = struct.pack("!HHIIBBHHH", PORT, sport, 1000, seq + 1,
                                 5 << 4, SYN | ACK, 8192, 0, 0)
            os.write(tun, ip(there, here, TCP, summed(
                answer, 16, pseudo(there, here, TCP, 20))))
            # TCP_INFO: ESTABLISHED
            self.assertTrue(wait_until(lambda: state(sock) == 1, 5))

    @staticmethod
    def packet_of_ipv4(tun: int) -> bytes:
        """The next; IPv6 says hello on a new device."""
        while True:
            if not select.select([tun], [], [], 10)[0]:
                raise TimeoutError("nothing leaves")
            packet = os.read(tun, 2000)
            if packet[0] >> 4 == 4:
                return packet

    def test_oversized(self):
        """what holds more than a segment is dropped, and the list says so"""
        sh("ip netns exec bob ethtool -K b0 tx on gso on tso on")
        self.works("add", "rb", "-N", "router", "--wire", "tcp")
        with socket_of("bob", TCP) as server, \
                socket_of("alice", CHALK) as sock:
            server.bind(("", 80))
            server.listen(1)
            sock.connect((ADDRESS["bob", socket.AF_INET], 80))
            with server.accept()[0] as conn:
                conn.sendall(bytes(8000))
                self.assertEqual(receive_all(sock, 8000), bytes(8000))
        self.assertIn("packets dropped: larger than the MTU",
                      self.works("list", "-N", "router"))


# --- the program alone ---

def packed(address: str) -> bytes:
    """Its bytes."""
    return addresses([address])[0].packed


def pseudo(source: bytes, to: bytes, protocol: int, length: int) -> bytes:
    """What a checksum covers besides the segment; for both versions of IP
    (RFC 8200 8.1) the sum is the same."""
    return source + to + struct.pack("!II", length, protocol)


def summed(body: bytes, at: int, over=b"") -> bytes:
    """With the checksum at @at."""
    body = body[:at] + bytes(2) + body[at + 2:]
    return body[:at] + struct.pack("!H", checksum(over + body)) + body[at + 2:]


def segment(source, to, protocol, payload=b"", sport=40000) -> bytes:
    """A segment with its checksum."""
    body = struct.pack("!HHIIBBHHH", sport, PORT, 1000, 2000, 5 << 4, 16, 8192,
                       0, 0) + payload
    return summed(body, 16, pseudo(source, to, protocol, len(body)))


def ip(source, to, protocol, body, **options) -> bytes:
    """A packet of IPv4 or IPv6; options: more (bytes of the IPv4 header), and
    fragment."""
    if len(source) == 16:
        return struct.pack("!IHBB", 6 << 28, len(body), protocol,
                           64) + source + to + body
    more = options.get("more", b"")
    head = struct.pack("!BBHHHBBH4s4s", 0x45 + len(more) // 4, 0,
                       20 + len(more) + len(body), 7,
                       options.get("fragment", 0x4000), 64, protocol, 0,
                       source, to) + more
    return summed(head, 10) + body


def stream(version, protocol, is_in=True, **options) -> bytes:
    """A packet with a segment, from the peer or to him."""
    ends = packed(PEER[version]), packed(HERE[version])
    source, to = ends if is_in else ends[::-1]
    body = segment(source, to, protocol, b"data", options.pop("sport", 40000))
    return ip(source, to, protocol, body, **options)


def error(version, protocol, is_in=True, quoted=1000) -> bytes:
    """The router's complaint about what went the other way."""
    inner = stream(version, protocol, not is_in)[:quoted]
    router, to = (packed(address) for address in (
        {4: "192.0.2.99", 6: "2001:db8::99"}[version],
        (HERE if is_in else PEER)[version]))
    body = struct.pack("!BBHI", UNREACHABLE[version], 0, 0, 0) + inner
    number = 1 if version == 4 else 58
    over = b"" if version == 4 else pseudo(router, to, number, len(body))
    return ip(router, to, number, summed(body, 2, over))


class Swap(unittest.TestCase):
    """What the program makes of a packet, byte for byte"""

    def run_on(self, packet: bytes, is_in=True, ports=(), peers=()) -> tuple:
        """The packet afterwards, and the counter that has moved."""
        with chalk_bpf.Array.create(len(COUNTERS)) as array:
            way = Way(CHALK, TCP, is_in, 14, ports, addresses(peers), 0)
            with chalk_bridge.program_of(way, array) as number:
                frame = bytes(12) + struct.pack(
                    "!H", ETHER[packet[0] >> 4]) + packet
                verdict, after = chalk_bpf.run(number, frame)
            self.assertEqual(verdict & 0xffffffff, 0xffffffff)
            moved = [name for at, name in enumerate(COUNTERS) if array[at]]
        self.assertEqual(len(moved), 1, moved)
        return after[14:], moved[0]

    def becomes(self, before: bytes, after: bytes, counter="packets", **way):
        """It does."""
        found, name = self.run_on(before, **way)
        self.assertEqual((name, found.hex()), (counter, after.hex()))

    def is_left(self, packet: bytes, counter: str, **way):
        """As it was, for this reason."""
        self.becomes(packet, packet, counter, **way)

    def test_segment(self):
        """number, header checksum, TCP checksum"""
        for version in (4, 6):
            for is_in in (True, False):
                self.becomes(stream(version, CHALK, is_in),
                             stream(version, TCP, is_in), is_in=is_in)

    def test_options(self):
        """an IPv4 header of 60 bytes"""
        self.becomes(stream(4, CHALK, more=bytes(40)),
                     stream(4, TCP, more=bytes(40)))

    def test_wrong_checksum(self):
        """what was damaged stays damaged by the same"""
        good, bad = stream(4, TCP), bytearray(stream(4, CHALK))
        bad[-1] ^= 1
        self.becomes(bytes(bad), good[:-1] + bytes([good[-1] ^ 1]))

    def test_fragments(self):
        """a later one has no TCP header, but its number counts"""
        def later(protocol):
            return ip(packed(PEER[4]), packed(HERE[4]), protocol,
                      b"in the midst of data, all of it", fragment=0x2001)
        self.becomes(stream(4, CHALK, fragment=0x2000),
                     stream(4, TCP, fragment=0x2000))
        self.becomes(later(CHALK), later(TCP))
        self.is_left(later(CHALK), "fragment", ports=[PORT])
        self.becomes(later(CHALK), later(TCP), peers=[PEER[4]])

    def test_error(self):
        """the quotation's number and header checksum, the message's checksum;
        the quoted TCP checksum stays"""
        for version, size in ((4, 20), (6, 40)):
            for is_in in (True, False):
                # no more than the ports and the sequence number
                self.becomes(error(version, CHALK, is_in, size + 8),
                             error(version, TCP, is_in, size + 8), "errors",
                             is_in=is_in, ports=[PORT], peers=PEER.values())
            found, name = self.run_on(error(version, CHALK))
            self.assertEqual(name, "errors")
            self.assertEqual(found[-8:], error(version, CHALK)[-8:])

    def test_other_messages(self):
        """what is no error, or about another protocol"""
        for version in (4, 6):
            self.is_left(error(version, 17), "other")
            self.is_left(error(version, CHALK, quoted=8), "other")
        echo = ip(packed(PEER[4]), packed(HERE[4]), 1,
                  summed(bytes([8, 0, 0, 0]) + stream(4, CHALK), 2))
        self.is_left(echo, "other")

    def test_selection(self):
        """by port, of either end; by peer, who sends in and is sent to out"""
        for version in (4, 6):
            for is_in in (True, False):
                def asked(**way):
                    return {"is_in": is_in, **way}
                before, after = (stream(version, protocol, is_in)
                                 for protocol in (CHALK, TCP))
                for ports in ([PORT], [1, 40000], [40000, 80]):
                    self.becomes(before, after, **asked(ports=ports))
                self.is_left(before, "port", **asked(ports=[81, 20480]))
                self.becomes(before, after, **asked(peers=PEER.values()))
                self.is_left(before, "peer", **asked(peers=HERE.values()))
                self.is_left(before, "peer", **asked(peers=[PEER[10 - version]]))
                self.is_left(error(version, CHALK, is_in), "port",
                             **asked(ports=[81]))
                self.is_left(error(version, CHALK, is_in), "peer",
                             **asked(peers=HERE.values()))

    def test_left_alone(self):
        """each for its reason"""
        for version in (4, 6):
            self.is_left(stream(version, TCP), "already")
            self.is_left(stream(version, 17), "other")
            ends = packed(PEER[version]), packed(HERE[version])
            self.is_left(ip(*ends, CHALK, bytes(17)), "short")
        self.is_left(ip(*ends, FRAGMENT, bytes(40)), "extension")
