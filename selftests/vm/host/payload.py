# SPDX-License-Identifier: GPL-2.0
"""What travels into the guest: the checkout, the command, standard input.

Everything goes into the initramfs, as a cpio archive that follows the
kernel's own boot.cpio.  File times and owners are constant, so that the same
checkout gives the same bytes and a run with the virtual clock repeats.
"""

import io
import os
import shlex
import subprocess
import tarfile

EPOCH = 1735689600  # 2025-01-01, also the guest's date under the virtual clock
GUEST_ROOT = "chalk"


def checkout_files(root):
    """Names of the tracked and the untracked, not ignored files."""
    git = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others",
         "--exclude-standard"], capture_output=True, check=False)
    if git.returncode == 0:
        names = set(map(os.fsdecode, git.stdout.split(b"\0"))) - {""}
        return sorted(n for n in names if os.path.lexists(os.path.join(root, n)))
    return sorted(n for top in os.listdir(root)
                  if top not in (".git", "build")
                  for n in walk(root, top))


def walk(root, name):
    """name, and if it is a directory all below it, relative to root."""
    yield name
    path = os.path.join(root, name)
    if os.path.isdir(path) and not os.path.islink(path):
        for entry in sorted(os.listdir(path)):
            yield from walk(root, os.path.join(name, entry))


def build_products(root, kernel):
    """The kernel modules for this kernel, and the userspace programs."""
    modules = os.path.join("build", kernel)
    if os.path.isdir(os.path.join(root, modules)):
        for name in sorted(os.listdir(os.path.join(root, modules))):
            if name.endswith(".ko"):
                yield os.path.join(modules, name)
    if os.path.isdir(os.path.join(root, "build/bin")):
        yield from walk(root, "build/bin")


class Tree:
    """A tar archive of the files that appear in the guest."""

    def __init__(self):
        self.buffer = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.buffer, mode="w",
                                format=tarfile.GNU_FORMAT)
        self.names = set()

    def add_file(self, path, name):
        """Add one file, link or directory (not what is below it)."""
        if name in self.names:
            return
        self.names.add(name)
        info = self.tar.gettarinfo(path, arcname=name)
        if info is None:    # a socket
            return
        info.uid = info.gid = 0
        info.uname = info.gname = "root"
        info.mtime = EPOCH
        if info.isreg():
            with open(path, "rb") as file:
                self.tar.addfile(info, file)
        else:
            self.tar.addfile(info)

    def add_text(self, name, data):
        """Add a file with the given bytes."""
        info = tarfile.TarInfo(name)
        info.size = len(data)
        info.mtime = EPOCH
        self.tar.addfile(info, io.BytesIO(data))

    def add_checkout(self, root, kernel):
        """Add the sources and the build's products."""
        for name in [*checkout_files(root), *build_products(root, kernel)]:
            self.add_file(os.path.join(root, name),
                          os.path.join(GUEST_ROOT, name))

    def add_path(self, root, path):
        """Add --add PATH: below the checkout if it is there, else in its own place."""
        path = os.path.abspath(path)
        inside = os.path.relpath(path, root)
        base = "/" if inside.startswith("..") else root
        prefix = "" if base == "/" else GUEST_ROOT
        for name in walk(base, os.path.relpath(path, base)):
            self.add_file(os.path.join(base, name),
                          os.path.normpath(os.path.join(prefix, name)))

    def bytes(self):
        """The finished archive."""
        self.tar.close()
        return self.buffer.getvalue()


def command_script(command):
    """A shell script that becomes COMMAND, whatever bytes its arguments hold."""
    words = " ".join(shlex.quote(w) for w in command) if command else "bash -i"
    return os.fsencode(f"exec {words}\n")


def settings_script(settings):
    """Shell assignments, exported."""
    return "".join(f"export {k}={shlex.quote(str(v))}\n"
                   for k, v in settings.items()).encode()


def cpio_entry(name, data=b"", mode=0o100644, device=(0, 0)):
    """One member of a newc cpio archive."""
    fields = [0, mode, 0, 0, 1, EPOCH, len(data), 0, 0, *device,
              len(name) + 1, 0]
    head = "070701" + "".join(f"{f:08X}" for f in fields) + name + "\0"
    return pad4(head.encode()) + pad4(data)


def pad4(data):
    """data, padded with zeros to a multiple of four."""
    return data + b"\0" * (-len(data) % 4)


def write_initramfs(path, boot_cpio, init, payload):
    """Join boot.cpio, init and the payload into one file for -initrd."""
    with open(path, "wb") as out, open(boot_cpio, "rb") as boot:
        out.write(boot.read())
        out.write(cpio_entry("dev", mode=0o40755))
        out.write(cpio_entry("dev/console", mode=0o20600, device=(5, 1)))
        out.write(cpio_entry("init", init, mode=0o100755))
        out.write(cpio_entry("payload.tar", payload))
        out.write(cpio_entry("TRAILER!!!"))
