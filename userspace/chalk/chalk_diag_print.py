# SPDX-License-Identifier: GPL-2.0
"""chalk_diag_print.py - sockets as lines like those of ss, or as JSON.

Owns the words and units: the columns, and behind them timer, memory, details
and tcp_info under the names that ss gives them.
"""

import os
import socket
from typing import Callable, Dict, Iterator, List, Tuple

from chalk_base import printable
from chalk_diag import OPTIONS, Socket

HEADER = ("State", "Recv-Q", "Send-Q", "Local Address:Port",
          "Peer Address:Port", "")
NONE32, NONE64 = (1 << 32) - 1, (1 << 64) - 1
NO_SSTHRESH = 0x7fffffff
CA_STATES = ("open", "disorder", "cwr", "recovery", "loss")
BITS = 8


def milliseconds(n: int) -> str:
    """A time as one or two units say it best."""
    if n < 1000:
        return f"{n}ms"
    if n < 10000:
        return f"{n / 1000:g}sec"
    minutes, seconds = divmod(n // 1000, 60)
    if not minutes:
        return f"{seconds}sec"
    return f"{minutes}min" + (f"{seconds}sec" if minutes < 10 and seconds
                              else "")


def rate(n: int) -> str:
    """Bytes a second as bits a second."""
    bits = n * BITS
    for unit in ("bps", "Kbps", "Mbps", "Gbps"):
        if bits < 1000 or unit == "Gbps":
            return f"{bits:.3g}{unit}" if bits < 1000 else f"{bits:.0f}{unit}"
        bits /= 1000
    return ""


def address(sock: Socket, end: Tuple[str, int]) -> str:
    """One end: address and port; * for none."""
    host, port = end
    if sock.family == socket.AF_INET6:
        is_any = host == "::" and not sock.v6only and not sock.peer[1]
        host = "*" if is_any else f"[{host}]"
    if sock.interface and end is sock.local:
        try:
            host += "%" + socket.if_indextoname(sock.interface)
        except OSError:
            host += f"%{sock.interface}"
    return f"{host}:{port or '*'}"


# --- what stands behind the columns ---

def timer(sock: Socket) -> str:
    if not sock.timer:
        return ""
    name, left, retrans = sock.timer
    return f"timer:({name},{milliseconds(left)},{retrans})"


def details(sock: Socket) -> str:
    words = []
    if sock.uid:
        words.append(f"uid:{sock.uid}")
    if sock.inode:
        words.append(f"ino:{sock.inode}")
    words.append(f"sk:{sock.cookie:x}")
    if sock.mark:
        words.append(f"fwmark:0x{sock.mark:x}")
    if sock.v6only is not None:
        words.append(f"v6only:{sock.v6only}")
    if sock.shutdown is not None:
        words.append(("<" if not sock.shutdown & 1 else "-") + "-" +
                     (">" if not sock.shutdown & 2 else "-"))
    return " ".join(words)


def memory(sock: Socket) -> str:
    if not sock.mem:
        return ""
    return "skmem:(" + ",".join(f"{k}{v}" for k, v in sock.mem.items()) + ")"


def share(part: int, whole: int) -> str:
    return f"({100 * part / whole:.1f}%)" if whole else ""


def flags_of(info: Dict[str, int]) -> Iterator[str]:
    for name in ("ts", "sack", "ecn", "ecnseen"):
        if info.get("options", 0) & OPTIONS[name]:
            yield name


def path_words(info: Dict[str, int]) -> Iterator[str]:
    """Timers, round trips, segment sizes and windows."""
    if info["options"] & OPTIONS["wscale"]:
        yield f"wscale:{info['snd_wscale']},{info['rcv_wscale']}"
    if info["rto"]:
        yield f"rto:{info['rto'] / 1000:g}"
    if info["backoff"]:
        yield f"backoff:{info['backoff']}"
    if info["rtt"]:
        yield f"rtt:{info['rtt'] / 1000:g}/{info['rttvar'] / 1000:g}"
    if info["ato"]:
        yield f"ato:{info['ato'] / 1000:g}"
    for name, key in (("mss", "snd_mss"), ("pmtu", "pmtu"),
                      ("rcvmss", "rcv_mss"), ("advmss", "advmss"),
                      ("cwnd", "snd_cwnd")):
        if info[key]:
            yield f"{name}:{info[key]}"
    if info["snd_cwnd"] and info["snd_ssthresh"] < NO_SSTHRESH:
        yield f"ssthresh:{info['snd_ssthresh']}"
    if info["ca_state"] in range(1, len(CA_STATES)):
        yield f"ca_state:{CA_STATES[info['ca_state']]}"


def count_words(info: Dict[str, int]) -> Iterator[str]:
    """Bytes and segments."""
    for name in ("bytes_sent", "bytes_retrans", "bytes_acked",
                 "bytes_received", "segs_out", "segs_in", "data_segs_out",
                 "data_segs_in"):
        if info.get(name):
            yield f"{name}:{info[name]}"


def rate_words(info: Dict[str, int]) -> Iterator[str]:
    """How fast, and how long ago."""
    if info["rtt"] and info["snd_mss"] and info["snd_cwnd"]:
        window = info["snd_cwnd"] * info["snd_mss"]
        yield f"send {rate(window * 1000000 // info['rtt'])}"
    for name, key in (("lastsnd", "last_data_sent"),
                      ("lastrcv", "last_data_recv"),
                      ("lastack", "last_ack_recv")):
        if info[key]:
            yield f"{name}:{info[key]}"
    if info["pacing_rate"] not in (0, NONE64):
        yield f"pacing_rate {rate(info['pacing_rate'])}"
    if info.get("delivery_rate"):
        yield f"delivery_rate {rate(info['delivery_rate'])}"
    if info.get("delivered"):
        yield f"delivered:{info['delivered']}"
    if info["app_limited"]:
        yield "app_limited"
    if info.get("busy_time"):
        yield f"busy:{info['busy_time'] // 1000}ms"
    for name in ("rwnd_limited", "sndbuf_limited"):
        if info.get(name):
            yield (f"{name}:{info[name] // 1000}ms"
                   + share(info[name], info["busy_time"]))


def loss_words(info: Dict[str, int]) -> Iterator[str]:
    """What is in flight, what was lost, what waits."""
    if info["unacked"]:
        yield f"unacked:{info['unacked']}"
    if info["retrans"] or info["total_retrans"]:
        yield f"retrans:{info['retrans']}/{info['total_retrans']}"
    for name, key in (("lost", "lost"), ("sacked", "sacked"),
                      ("dsack_dups", "dsack_dups"),
                      ("reord_seen", "reord_seen"), ("rcv_rtt", "rcv_rtt"),
                      ("rcv_space", "rcv_space"),
                      ("rcv_ssthresh", "rcv_ssthresh"),
                      ("notsent", "notsent_bytes")):
        if info.get(key):
            yield f"{name}:{info[key]}"
    if info.get("min_rtt") not in (None, 0, NONE32):
        yield f"minrtt:{info['min_rtt'] / 1000:g}"
    for name in ("rcv_ooopack", "snd_wnd", "rcv_wnd"):
        if info.get(name):
            yield f"{name}:{info[name]}"


def details_of_info(sock: Socket) -> str:
    """tcp_info; a listener has none of it but the backlog, a column already."""
    if not sock.info or sock.state == "LISTEN":
        return sock.congestion
    words = [*flags_of(sock.info)]
    if sock.congestion:
        words.append(sock.congestion)
    for part in (path_words, count_words, rate_words, loss_words):
        words += part(sock.info)
    return " ".join(words)


def processes(sock: Socket, owners: Dict[int, List]) -> str:
    """Who has it open."""
    if sock.inode not in owners:
        return ""
    return "users:(" + ",".join(
        f'("{printable(name)}",pid={pid},fd={fd})' for name, pid, fd
        in owners[sock.inode]) + ")"


def find_owners() -> Dict[int, List[Tuple[str, int, int]]]:
    """Inode of a socket -> name, process and descriptor of all that hold it."""
    owners: Dict[int, List[Tuple[str, int, int]]] = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            fds = os.listdir(f"/proc/{pid}/fd")
            with open(f"/proc/{pid}/comm", encoding="utf-8",
                      errors="replace") as file:
                name = file.read().rstrip("\n")
        except OSError:
            continue  # it has ended, or is not ours
        for fd in fds:
            try:
                target = os.readlink(f"/proc/{pid}/fd/{fd}")
            except OSError:
                continue
            if target.startswith("socket:["):
                owners.setdefault(int(target[8:-1]), []).append(
                    (name, int(pid), int(fd)))
    return owners


# --- all together ---

def row(sock: Socket, tail: str) -> Tuple[str, ...]:
    return (sock.state, str(sock.recv_q), str(sock.send_q),
            address(sock, sock.local), address(sock, sock.peer), tail)


def table(rows: List[Tuple[Tuple[str, ...], str]], header: bool) -> List[str]:
    """Aligned lines, each with the line below it that belongs to it."""
    cells = [HEADER] * header + [cells for cells, _ in rows]
    below = [""] * header + [text for _, text in rows]
    widths = [max((len(line[i]) for line in cells), default=0)
              for i in range(len(HEADER))]
    lines = []
    for line, text in zip(cells, below):
        lines.append(" ".join(
            cell.rjust(width) if i == 3 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths))).rstrip())
        if text:
            lines.append(f"\t {text}")
    return lines


def end_json(end: Tuple[str, int]) -> Dict:
    return {"address": end[0], "port": end[1]}


def as_json(sock: Socket, owners: Dict[int, List]) -> Dict:
    """All that is known of it; rates and times in the units of tcp_info."""
    out: Dict = {
        "protocol": "chalk",
        "family": "inet6" if sock.family == socket.AF_INET6 else "inet",
        "state": sock.state, "recv_q": sock.recv_q, "send_q": sock.send_q,
        "local": end_json(sock.local), "peer": end_json(sock.peer),
        "interface": sock.interface, "cookie": f"{sock.cookie:x}",
        "uid": sock.uid, "inode": sock.inode}
    if sock.timer:
        name, left, retrans = sock.timer
        out["timer"] = {"name": name, "expires_ms": left, "retrans": retrans}
    if sock.mem:
        out["skmem"] = sock.mem
    if sock.congestion:
        out["congestion"] = sock.congestion
    if sock.mark:
        out["mark"] = sock.mark
    if sock.info:
        out["info"] = sock.info
    if sock.inode in owners:
        out["processes"] = [{"name": name, "pid": pid, "fd": fd}
                            for name, pid, fd in owners[sock.inode]]
    return out


def summary(socks: List[Socket]) -> List[str]:
    """Counts by state and by family."""
    count: Callable[[str], int] = \
        lambda state: sum(s.state == state for s in socks)
    orphans = sum(not s.inode and s.state not in
                  ("TIME-WAIT", "SYN-RECV", "LISTEN") for s in socks)
    v6 = sum(s.family == socket.AF_INET6 for s in socks)
    return [
        f"Chalk: {len(socks)} (estab {count('ESTAB')}, listen "
        f"{count('LISTEN')}, synrecv {count('SYN-RECV')}, orphaned {orphans}, "
        f"timewait {count('TIME-WAIT')})",
        "", "Transport Total     IP        IPv6",
        f"{'Chalk':<9} {len(socks):<9} {len(socks) - v6:<9} {v6}"]
