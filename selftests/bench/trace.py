# SPDX-License-Identifier: GPL-2.0
"""The cost of the trace: the rate of a stream, and the ratio to none watching.

With --clock virtual time is counted in instructions, of the reader's too: all
share one processor.
"""

import contextlib
import pathlib
import subprocess
import sys
import time

import throughput

DEBUGFS = pathlib.Path("/sys/kernel/debug/chalk")
POINTS = pathlib.Path("/sys/kernel/tracing/events/chalk/enable")
# What is at least to be left of the rate of the one before the slash.
BARS = {"off/untraced": 0.99, "raw/off": 0.85}


def load(module: str) -> None:
    """This module in the place of the one before."""
    subprocess.run(["rmmod", "chalk"], check=True)
    subprocess.run(["insmod", module], check=True)


@contextlib.contextmanager
def reader(name: str, out: str = "/dev/null"):
    """cat reads a file of the trace."""
    with open(out, "wb") as sink, subprocess.Popen(
            ["cat", str(DEBUGFS / name)], stdout=sink) as cat:
        try:
            yield
        finally:
            time.sleep(1)
            cat.terminate()


@contextlib.contextmanager
def points():
    """All tracepoints are on, into the buffer of tracefs."""
    POINTS.write_text("1")
    try:
        yield
    finally:
        POINTS.write_text("0")


WAYS = {
    "untraced": contextlib.nullcontext,
    "off": contextlib.nullcontext,
    "raw": lambda: reader("trace_raw"),
    "text": lambda: reader("trace"),
    "points": points,
}


def measure(size: str) -> dict:
    """The rate of each way."""
    rates = {}
    for name, watching in WAYS.items():
        if name in ("untraced", "off"):
            where = "untraced" if name == "untraced" else "6.1"
            load(f"build/{where}/chalk.ko")
            throughput.stream("chalk", "1M")
        with watching():
            rates[name] = throughput.stream("chalk", size)
        print(f"{name:9} {rates[name]:9.1f} Mbit/s", flush=True)
    return rates


def count(size: str) -> None:
    """Is everything there? Say what a stream makes and what is lost of it."""
    out = pathlib.Path("/run/trace")
    with reader("trace", str(out)):
        throughput.stream("chalk", size)
    lines = out.read_text().splitlines()
    lost = sum(int(line.split()[2]) for line in lines if line[0] == "#")
    print(f"{size}: {len(lines)} lines, {lost} records lost")


def main() -> int:
    """Measure, print, compare."""
    subprocess.run(throughput.SETUP, shell=True, check=True)
    if not POINTS.exists():
        subprocess.run(["mount", "-t", "tracefs", "none",
                        "/sys/kernel/tracing"], check=True)
    rates = measure(sys.argv[1])
    count("4M")
    for name, rate in rates.items():
        print(f"{name:9} {rate / rates['off']:.3f} of off")
    status = 0
    for ratio, bar in BARS.items():
        one, other = ratio.split("/")
        found = rates[one] / rates[other]
        word = "ok" if found >= bar else "not ok"
        status |= word != "ok"
        print(f"{word} - {ratio} is {found:.3f}, at least {bar}")
    return status


if __name__ == "__main__":
    sys.exit(main())
