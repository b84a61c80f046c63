# SPDX-License-Identifier: GPL-2.0
"""Does KVM work here?  /dev/kvm may exist and its guests crawl or stop in an
emulation error, so a real boot decides; the answer is cached.
"""

import hashlib
import os
import platform
import subprocess
import tempfile

import machine
import payload

LIMIT = 10      # seconds for a boot that takes two

INIT = b"""#!/bin/busybox sh
alias b=/bin/busybox
b mkdir -p /dev /proc /sys
b mount -t devtmpfs none /dev
b mount -t proc none /proc
b mount -t sysfs none /sys
while read -r module; do
	b insmod "/modules/$module"
done </modules/order
echo works >/dev/vport0p1
echo b >/proc/sysrq-trigger
"""


def cache_file():
    """Where the answer for this host is kept."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    cache = os.environ.get("CHALK_CACHE") or os.path.join(home, "chalk")
    qemu = subprocess.run(["qemu-system-x86_64", "--version"],
                          stdout=subprocess.PIPE, check=True).stdout
    host = " ".join(platform.uname()).encode()
    return os.path.join(cache, "kvm-" + hashlib.sha256(host + qemu).hexdigest()[:12])


def boots(opts, kernel):
    """True if a guest under KVM runs to the end of INIT in time."""
    with tempfile.TemporaryDirectory(prefix="chalk-kvm-") as directory:
        payload.write_initramfs(os.path.join(directory, "initramfs"),
                                kernel["INITRD"], INIT, b"")
        command = machine.command_line(opts, kernel, [], directory, True)
        try:
            subprocess.run(command, stdin=subprocess.DEVNULL,
                           capture_output=True, check=False, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            return False
        with open(os.path.join(directory, "verdict"), "rb") as file:
            return file.read() == b"works\n"


def works(opts, kernel, say):
    """The cached or the freshly probed answer."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    path = cache_file()
    if not os.path.exists(path):
        say(f"probing KVM with a boot (at most {LIMIT} s)")
        answer = "yes" if boots(opts, kernel) else "no"
        say(f"KVM works: {answer} (remembered in {path})")
        with open(path, "w", encoding="ascii") as file:
            file.write(answer + "\n")
    with open(path, encoding="ascii") as file:
        return file.read().strip() == "yes"
