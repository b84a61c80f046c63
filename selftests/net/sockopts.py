# SPDX-License-Identifier: GPL-2.0
"""Raw socket options: every number, any length, on TCP and on Chalk alike.

For test_options.py. A Lab makes sockets in all states a socket can have, and
calls the kernel without the help (and the checks) of Python's socket module.
"""

import ctypes
import errno
import socket
import struct
import time

from net import IPPROTO_CHALK, add_hosts, inside, remove_hosts, sh

libc = ctypes.CDLL(None, use_errno=True)
ROOM = 512
HERE = {socket.AF_INET: "10.9.9.1/24", socket.AF_INET6: "fd99::1/64"}
NOWHERE = {socket.AF_INET: "10.9.9.2", socket.AF_INET6: "fd99::2"}  # all vanish
LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
MODPROBE = "/proc/sys/kernel/modprobe"

LEVELS = {
    "SOL_SOCKET": (1, range(0, 96)),
    "SOL_IP": (0, range(0, 256)),
    "SOL_IPV6": (41, range(0, 96)),
    "SOL_TCP": (6, range(0, 64)),
    "SOL_UDP": (17, (0, 1, 100, 101)),
    "SOL_RAW": (255, (0, 1, 7)),
    "no level": (12345, (0, 1)),
}


class Names:
    """Numbers and names of options, as the headers have them."""

    _tables = {
        "SOL_SOCKET": """1 DEBUG 2 REUSEADDR 3 TYPE 4 ERROR 5 DONTROUTE 6 BROADCAST
            7 SNDBUF 8 RCVBUF 9 KEEPALIVE 10 OOBINLINE 11 NO_CHECK 12 PRIORITY 13 LINGER
            14 BSDCOMPAT 15 REUSEPORT 16 PASSCRED 17 PEERCRED 18 RCVLOWAT 19 SNDLOWAT
            20 RCVTIMEO 21 SNDTIMEO 25 BINDTODEVICE 26 ATTACH_FILTER 27 DETACH_FILTER
            28 PEERNAME 29 TIMESTAMP 30 ACCEPTCONN 31 PEERSEC 32 SNDBUFFORCE
            33 RCVBUFFORCE 34 PASSSEC 35 TIMESTAMPNS 36 MARK 37 TIMESTAMPING 38 PROTOCOL
            39 DOMAIN 40 RXQ_OVFL 41 WIFI_STATUS 42 PEEK_OFF 43 NOFCS 44 LOCK_FILTER
            45 SELECT_ERR_QUEUE 46 BUSY_POLL 47 MAX_PACING_RATE 48 BPF_EXTENSIONS
            49 INCOMING_CPU 50 ATTACH_BPF 51 ATTACH_REUSEPORT_CBPF
            52 ATTACH_REUSEPORT_EBPF 53 CNX_ADVICE 55 MEMINFO 56 INCOMING_NAPI_ID
            57 COOKIE 59 PEERGROUPS 60 ZEROCOPY 61 TXTIME 62 BINDTOIFINDEX
            63 TIMESTAMP_NEW 64 TIMESTAMPNS_NEW 65 TIMESTAMPING_NEW 66 RCVTIMEO_NEW
            67 SNDTIMEO_NEW 68 DETACH_REUSEPORT_BPF 69 PREFER_BUSY_POLL
            70 BUSY_POLL_BUDGET 71 NETNS_COOKIE 72 BUF_LOCK 73 RESERVE_MEM 74 TXREHASH
            75 RCVMARK 76 PASSPIDFD 77 PEERPIDFD
            78 DEVMEM_LINEAR 79 DEVMEM_DMABUF 80 DEVMEM_DONTNEED""",
        "SOL_TCP": """1 NODELAY 2 MAXSEG 3 CORK 4 KEEPIDLE 5 KEEPINTVL 6 KEEPCNT
            7 SYNCNT 8 LINGER2 9 DEFER_ACCEPT 10 WINDOW_CLAMP 11 INFO 12 QUICKACK
            13 CONGESTION 14 MD5SIG 16 THIN_LINEAR_TIMEOUTS 17 THIN_DUPACK
            18 USER_TIMEOUT 19 REPAIR 20 REPAIR_QUEUE 21 QUEUE_SEQ 22 REPAIR_OPTIONS
            23 FASTOPEN 24 TIMESTAMP 25 NOTSENT_LOWAT 26 CC_INFO 27 SAVE_SYN
            28 SAVED_SYN 29 REPAIR_WINDOW 30 FASTOPEN_CONNECT 31 ULP 32 MD5SIG_EXT
            33 FASTOPEN_KEY 34 FASTOPEN_NO_COOKIE 35 ZEROCOPY_RECEIVE 36 INQ
            37 TX_DELAY 38 AO_ADD_KEY 39 AO_DEL_KEY 40 AO_INFO 41 AO_GET_KEYS
            42 AO_REPAIR 43 IS_MPTCP""",
        "SOL_IP": """1 TOS 2 TTL 3 HDRINCL 4 OPTIONS 5 ROUTER_ALERT 6 RECVOPTS
            7 RETOPTS 8 PKTINFO 9 PKTOPTIONS 10 MTU_DISCOVER 11 RECVERR 12 RECVTTL
            13 RECVTOS 14 MTU 15 FREEBIND 16 IPSEC_POLICY 17 XFRM_POLICY 18 PASSSEC
            19 TRANSPARENT 20 ORIGDSTADDR 21 MINTTL 22 NODEFRAG 23 CHECKSUM
            24 BIND_ADDRESS_NO_PORT 25 RECVFRAGSIZE 26 RECVERR_RFC4884
            32 MULTICAST_IF 33 MULTICAST_TTL 34 MULTICAST_LOOP 35 ADD_MEMBERSHIP
            36 DROP_MEMBERSHIP 49 MULTICAST_ALL 50 UNICAST_IF
            51 LOCAL_PORT_RANGE 52 PROTOCOL""",
        "SOL_IPV6": """1 ADDRFORM 2 2292PKTINFO 3 2292HOPOPTS 4 2292DSTOPTS
            5 2292RTHDR 6 2292PKTOPTIONS 7 CHECKSUM 8 2292HOPLIMIT 9 NEXTHOP 11 FLOWINFO
            16 UNICAST_HOPS 17 MULTICAST_IF 18 MULTICAST_HOPS 19 MULTICAST_LOOP
            20 ADD_MEMBERSHIP 21 DROP_MEMBERSHIP 22 ROUTER_ALERT 23 MTU_DISCOVER 24 MTU
            25 RECVERR 26 V6ONLY 27 JOIN_ANYCAST 28 LEAVE_ANYCAST 29 MULTICAST_ALL
            30 ROUTER_ALERT_ISOLATE 31 RECVERR_RFC4884 32 FLOWLABEL_MGR 33 FLOWINFO_SEND
            34 IPSEC_POLICY 35 XFRM_POLICY 36 HDRINCL 49 RECVPKTINFO 50 PKTINFO
            51 RECVHOPLIMIT 52 HOPLIMIT 53 RECVHOPOPTS 54 HOPOPTS 55 RTHDRDSTOPTS
            56 RECVRTHDR 57 RTHDR 58 RECVDSTOPTS 59 DSTOPTS 60 RECVPATHMTU 61 PATHMTU
            62 DONTFRAG 66 RECVTCLASS 67 TCLASS 70 AUTOFLOWLABEL 72 ADDR_PREFERENCES
            73 MINHOPCOUNT 74 ORIGDSTADDR 75 TRANSPARENT 76 UNICAST_IF 77 RECVFRAGSIZE
            78 FREEBIND""",
    }
    _prefix = {"SOL_SOCKET": "SO_", "SOL_TCP": "TCP_", "SOL_IP": "IP_",
               "SOL_IPV6": "IPV6_"}

    @classmethod
    def of(cls, level: str, number: int) -> str:
        """TCP_NODELAY for ("SOL_TCP", 1); a number that has no name stays one."""
        words = cls._tables.get(level, "").split()
        names = dict(zip(map(int, words[::2]), words[1::2]))
        if number not in names:
            return str(number)
        return cls._prefix[level] + names[number]


def get(sock, level: int, name: int, length=ROOM):
    """getsockopt(): ("ok", bytes) or ("error", errno's name)."""
    buffer = ctypes.create_string_buffer(b"\xee" * ROOM, ROOM)
    size = ctypes.c_int(length)
    if libc.getsockopt(sock.fileno(), level, name, buffer, ctypes.byref(size)):
        return "error", errno.errorcode[ctypes.get_errno()]
    return "ok", bytes(buffer.raw[:min(max(size.value, 0), ROOM)])


def put(sock, level: int, name: int, value, length=None):
    """setsockopt(): ("ok", b"") or ("error", errno's name); None is NULL."""
    if length is None:
        length = len(value)
    if libc.setsockopt(sock.fileno(), level, name, value, length):
        return "error", errno.errorcode[ctypes.get_errno()]
    return "ok", b""


def ioctl(sock, request: int):
    """ioctl() with some room behind its pointer."""
    buffer = ctypes.create_string_buffer(ROOM)
    if libc.ioctl(sock.fileno(), ctypes.c_ulong(request), buffer):
        return "error", errno.errorcode[ctypes.get_errno()]
    return "ok", bytes(buffer.raw[:64])


class Lab:
    """A namespace where TCP and Chalk have the same sysctls and one route."""

    def __init__(self, family):
        self.family = family
        self.modprobe = ""

    def __enter__(self):
        add_hosts(["lab"])
        sh("ip -n lab link set lo mtu 1500")
        sh("ip -n lab link add d0 type dummy && ip -n lab link set d0 up")
        sh(f"ip -n lab addr add {HERE[self.family]} dev d0")
        sh(f"ip -n lab neigh add {NOWHERE[self.family]} dev d0 lladdr"
           " 02:00:00:00:00:02")
        with inside("lab"):
            for kind in ("rmem", "wmem"):
                with open(f"/proc/sys/net/chalk/{kind}", encoding="ascii") as f:
                    sizes = f.read()
                with open(f"/proc/sys/net/ipv4/tcp_{kind}", "w",
                          encoding="ascii") as f:
                    f.write(sizes)
            with open("/proc/sys/net/ipv4/tcp_congestion_control", "w",
                      encoding="ascii") as f:
                f.write("reno")
        # no search for a module for every name of an algorithm
        with open(MODPROBE, encoding="ascii") as file:
            self.modprobe = file.read()
        self.set_modprobe("\n")
        return self

    def __exit__(self, *_):
        self.set_modprobe(self.modprobe)
        remove_hosts(["lab"])

    @staticmethod
    def set_modprobe(path):
        """The program that the kernel loads modules with."""
        with open(MODPROBE, "w", encoding="ascii") as file:
            file.write(path)

    def socket(self, protocol: int):
        """A stream socket of TCP (0) or Chalk."""
        with inside("lab"):
            return socket.socket(self.family, socket.SOCK_STREAM, protocol)

    def fresh(self, protocol):
        """Nothing but made."""
        return [self.socket(protocol)]

    def bound(self, protocol):
        """It has an address and a port."""
        sock = self.socket(protocol)
        sock.bind((LOOPBACK[self.family], 0))
        return [sock]

    def listening(self, protocol):
        """A listener without connections."""
        sock = self.bound(protocol)[0]
        sock.listen(5)
        return [sock]

    def connecting(self, protocol):
        """SYN_SENT; nobody will answer."""
        sock = self.socket(protocol)
        sock.setblocking(False)
        sock.connect_ex((NOWHERE[self.family], 7))
        return [sock]

    def connected(self, protocol):
        """The side that called; its peer stands second."""
        server = self.listening(protocol)[0]
        sock = self.socket(protocol)
        sock.connect(server.getsockname())
        peer = server.accept()[0]
        server.close()
        return [sock, peer]

    def accepted(self, protocol):
        """The side that was called."""
        return self.connected(protocol)[::-1]

    def half_closed(self, protocol):
        """FIN_WAIT_2: shutdown(SHUT_WR), and the peer goes on."""
        socks = self.connected(protocol)
        socks[0].shutdown(socket.SHUT_WR)
        time.sleep(0.06)  # its ACK may be a delayed one
        return socks

    def close_wait(self, protocol):
        """The peer has closed, we have not."""
        socks = self.connected(protocol)
        socks[1].shutdown(socket.SHUT_WR)
        socks[0].recv(1)
        return socks

    def closed(self, protocol):
        """Reset by the peer, and the error is fetched."""
        socks = self.connected(protocol)
        socks[1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
        socks[1].close()
        time.sleep(0.001)
        socks[0].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return socks

    STATES = ("fresh", "bound", "listening", "connecting", "connected",
              "accepted", "half_closed", "close_wait", "closed")

    def make(self, state: str, protocol: int):
        """Sockets in @state; the first is the one to look at."""
        return getattr(self, state)(protocol)


TCP, CHALK = 0, IPPROTO_CHALK
