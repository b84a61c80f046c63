# SPDX-License-Identifier: GPL-2.0
"""One stream over veth, Chalk and kernel TCP Reno by turns in one boot.

MTU 1500, tso, gso and gro off, no netem, checksums left to the device. The
figures are of the guest's clock: run it in the lab VM with --clock virtual.
"""

import re
import subprocess
import sys
import time

ROUNDS, SIZE = 3, "256M"
verdicts = []
SETUP = """
ip netns add left; ip netns add right
ip -n left link add v0 type veth peer name v1 netns right
ip -n left addr add 10.0.0.1/24 dev v0; ip -n right addr add 10.0.0.2/24 dev v1
ip -n left link set v0 up; ip -n right link set v1 up
ip netns exec left ethtool -K v0 tso off gso off gro off
ip netns exec right ethtool -K v1 tso off gso off gro off
sysctl -qw net.ipv4.tcp_congestion_control=reno
ip netns exec left sysctl -qw net.ipv4.tcp_congestion_control=reno
ip netns exec right sysctl -qw net.ipv4.tcp_congestion_control=reno
"""


def stream(family: str, size: str) -> float:
    """Mbit/s that the receiver saw."""
    here = ["ip", "netns", "exec"]
    server = subprocess.Popen(
        [*here, "right", "bulk", "-f", family, "listen", "5000", "/dev/null"],
        stderr=subprocess.PIPE, text=True)
    time.sleep(0.2)
    subprocess.run([*here, "left", "bulk", "-f", family, "-s", size, "connect",
                    "10.0.0.2", "5000", "/dev/null"], check=True,
                   stderr=subprocess.DEVNULL)
    _, text = server.communicate()
    return float(re.search(r"received .* ([\d.]+) Mbit/s", text)[1])


def judge(good: bool, what: str) -> None:
    """A test."""
    verdicts.append(good)
    print(f"{'ok' if good else 'not ok'} - {what}", flush=True)


def closing_line() -> int:
    """Count them; the exit status."""
    print(f"{sum(verdicts)} passed, {len(verdicts) - sum(verdicts)} failed")
    return 0 if all(verdicts) else 1


def main() -> int:
    """Measure, print, compare with the bar on the command line."""
    bar = float(sys.argv[1]) if sys.argv[1:] else 0
    subprocess.run(SETUP, shell=True, check=True)
    best = {}
    for family in ("tcp", "chalk"):
        stream(family, "1M")
    for _ in range(ROUNDS):
        for family in ("tcp", "chalk"):
            rate = stream(family, SIZE)
            best[family] = max(best.get(family, 0), rate)
            print(f"{family:6} {rate:9.1f} Mbit/s", flush=True)
    ratio = best["chalk"] / best["tcp"]
    judge(ratio >= bar, f"chalk / tcp is {ratio:.3f}, at least {bar}")
    return closing_line()


if __name__ == "__main__":
    sys.exit(main())
