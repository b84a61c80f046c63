# SPDX-License-Identifier: GPL-2.0
"""The virtual machine: QEMU's command line for a kernel, a clock, a root.

The guest's ports are files in the run's directory.  ioeventfd is off, so a
write in the guest has reached the file when it returns: nothing is lost when
the machine stops, and under the virtual clock it happens at a counted time.
"""

import os
import shlex

PORTS = ("verdict", "stdout", "stderr", "log", "out")

# Kernel parameters.  Fatal conditions panic and a panic ends the machine.
APPEND = """console=ttyS0 ignore_loglevel panic=-1 oops=panic
    hung_task_panic=1 softlockup_panic=1 sysctl.kernel.panic_on_rcu_stall=1
    tsc=reliable nokaslr net.ifnames=0 slab_nomerge log_buf_len=4M
    mitigations=off no_timer_check random.trust_cpu=on"""

# On the real clock a busy host holds a processor of the guest up, for seconds:
# the soft lockup's limit, twice this, and that of RCU are 60 s.
APPEND_REAL = "watchdog_thresh=30 rcupdate.rcu_cpu_stall_timeout=60"


def clock_arguments(clock, smp, seed, use_kvm):
    """How time passes, and on which processors."""
    if clock == "virtual":
        return ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off",
                "-cpu", "max,-erms", "-smp", "1", "-seed", str(seed),
                "-rtc", "base=2025-01-01T00:00:00,clock=vm"]
    accel = ["-accel", "kvm", "-cpu", "host"] if use_kvm else \
            ["-accel", "tcg,thread=multi", "-cpu", "qemu64"]
    return [*accel, "-smp", str(smp), "-rtc", "base=utc"]


def nvdimm_arguments(name, path):
    """An image as a persistent memory device: no interrupts, no waiting."""
    size = os.stat(path).st_size
    return ["-object", f"memory-backend-file,id={name},mem-path={path},"
            f"size={size},share=on,readonly=on",
            "-device", f"nvdimm,memdev={name},unarmed=on"]


def port_arguments(directory):
    """The virtio-serial ports, numbered from 1 in the order of PORTS."""
    args = ["-device", "virtio-serial-pci,ioeventfd=off"]
    for number, name in enumerate(PORTS, 1):
        path = os.path.join(directory, name)
        args += ["-chardev", f"file,id={name},path={path}",
                 "-device", f"virtserialport,chardev={name},nr={number}"]
    return args


def terminal_arguments():
    """A second serial line on our terminal; Ctrl-] x ends QEMU."""
    return ["-echr", "0x1d", "-chardev", "stdio,id=tty,mux=on,signal=off",
            "-serial", "chardev:tty"]


def command_line(opts, kernel, images, directory, use_kvm):
    """QEMU's whole command line."""
    append = [*APPEND.split(), APPEND_REAL if opts.clock == "real" else "",
              f"chalk.images={len(images)}", opts.append]
    return ["qemu-system-x86_64", "-nodefaults", "-no-user-config",
            "-display", "none", "-no-reboot", "-nic", "none",
            "-machine", "q35,nvdimm=on,sata=off,usb=off,smbus=off",
            "-m", f"{opts.memory},slots=4,maxmem=32G",
            *clock_arguments(opts.clock, opts.smp, opts.seed, use_kvm),
            "-kernel", kernel["IMAGE"],
            "-initrd", os.path.join(directory, "initramfs"),
            "-append", " ".join(filter(None, append)),
            "-serial", "file:" + os.path.join(directory, "console"),
            *port_arguments(directory),
            *(arg for image in images for arg in nvdimm_arguments(*image)),
            *(terminal_arguments() if opts.tty else []),
            *shlex.split(opts.qemu)]
