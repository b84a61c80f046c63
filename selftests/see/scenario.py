# SPDX-License-Identifier: GPL-2.0
"""scenario.py - random lossy transfers in the simulator, captured and traced."""

import random
import subprocess
from pathlib import Path
from typing import List

SIM = Path(__file__).parents[2] / "build" / "bin" / "chalk-sim"


def path_options(rng: random.Random) -> List[str]:
    """Rate, delay, queue and troubles."""
    options = [
        f"--rate={rng.choice([256, 1000, 5000, 20000])}kbit",
        f"--delay={rng.randint(1, 60)}ms",
        f"--queue={rng.choice([5, 10, 30, 100])}",
        f"--loss={rng.choice([0, 0.5, 1, 3, 8, 15])}%",
    ]
    if rng.random() < 0.5:
        options += [f"--reorder={rng.choice([1, 5, 20])}%",
                    f"--reorder-delay={rng.randint(1, 40)}ms"]
    if rng.random() < 0.4:
        options.append(f"--dup={rng.choice([1, 5])}%")
    if rng.random() < 0.4:
        options.append(f"--corrupt={rng.choice([0.5, 3])}%")
    if rng.random() < 0.2:
        # not so many that the last ACK is lost eight times in a row
        options.append("--burst-loss=0.5%,4,40%")
    if rng.random() < 0.1:
        options.append("--drop-syn=1")
    if rng.random() < 0.1:
        options.append("--drop-synack=1")
    return options


def end_options(rng: random.Random) -> List[str]:
    """Stacks and users."""
    options = [f"--bytes={rng.choice([20, 100, 400])}kB",
               f"--mtu={rng.choice([300, 576, 1280, 1500, 1500, 9000])}"]
    if rng.random() < 0.5:
        options.append("--no-timestamps")
    if rng.random() < 0.2:
        options.append("--nodelay")
    if rng.random() < 0.2:
        options.append(f"--delack={rng.choice([0, 200])}ms")
    if rng.random() < 0.3:
        # pauses longer than the RTO, or a window of which little is used
        options += [f"--chunk={rng.choice([5, 8, 20, 60])}kB",
                    f"--write-gap={rng.choice([50, 100, 900, 2500])}ms"]
    if rng.random() < 0.2:
        options.append(f"--rcvbuf={rng.choice([8, 32])}KiB")
    if rng.random() < 0.2:
        options.append(f"--reverse-bytes={rng.choice([10, 200])}kB")
    if rng.random() < 0.2:
        options.append("--no-hystart")
    other = rng.random()
    if other < 0.4:
        options.append("--cc=tahoe" if other < 0.2 else "--cc=reno")
    return options


def queue_options(rng: random.Random) -> List[str]:
    """A path that loses nothing until its queue overflows; a long transfer."""
    options = [
        f"--rate={rng.choice([2, 5, 20, 50])}mbit",
        f"--delay={rng.randint(1, 60)}ms",
        f"--queue={rng.choice([50, 200, 600])}",
        f"--bytes={rng.choice([500, 1000, 2000])}kB",
        f"--mtu={rng.choice([576, 1500, 1500])}",
        "--rcvbuf=2MiB", "--sndbuf=2MiB",
    ]
    if rng.random() < 0.5:
        options.append("--no-timestamps")
    if rng.random() < 0.3:
        # what arrives late makes the round trip rise where no queue does
        options += ["--reorder=30%", f"--reorder-delay={rng.randint(1, 30)}ms"]
    if rng.random() < 0.4:
        # a queue that empties between two writes
        options += [f"--chunk={rng.choice([60, 150])}kB",
                    f"--write-gap={rng.choice([10, 50, 150])}ms"]
    if rng.random() < 0.2:
        options.append("--cc=reno")
    return options


def simulate(directory: Path, options: List[str]) -> None:
    """Leave client.pcap, server.pcap and trace.tsv in @directory."""
    subprocess.run([SIM, *options, f"--pcap={directory}/client.pcap",
                    f"--pcap-server={directory}/server.pcap",
                    f"--trace={directory}/trace.tsv"],
                   check=True, stdout=subprocess.DEVNULL)


def run(directory: Path, seed: int, queue: bool = False) -> List[str]:
    """Simulate a random one. Return: the options that made it."""
    rng = random.Random(seed)
    options = [f"--seed={seed}"]
    if queue:
        options += queue_options(rng)
    else:
        options += path_options(rng) + end_options(rng)
    simulate(directory, options)
    return options
