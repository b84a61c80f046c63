# SPDX-License-Identifier: GPL-2.0
"""chalk_program.py - will a program load libchalk-preload.so?

Owns what is known of programs as files: what the dynamic linker (ld.so(8))
does with LD_PRELOAD, what Go does without it, which interpreter a script has.
"""

import os
import shutil
import stat
import struct
from typing import List, NamedTuple, Optional, Tuple

SCRIPT_DEPTH = 5
SHELL = "/bin/sh"
PT_LOAD, PT_INTERP, PT_NOTE = 1, 3, 4
# the note that Go's linker leaves: name "Go", type 4, the build ID
GO_NOTE = struct.pack("<I", 4) + b"Go\0\0"


class NotFound(Exception):
    """There is no such program."""


class NotExecutable(Exception):
    """There is, but it cannot be run."""


class Elf(NamedTuple):
    """Of an ELF file what matters here."""
    bits: int
    machine: int
    dynamic: bool
    golang: bool


def find(name: str) -> str:
    """The path of what a shell would run."""
    path = shutil.which(name)
    if path:
        return path
    if "/" not in name:
        raise NotFound(f"{name}: not found")
    if not os.path.exists(name):
        raise NotFound(f"{name}: no such file")
    if os.path.isdir(name):
        raise NotExecutable(f"{name}: a directory")
    raise NotExecutable(f"{name}: may not be executed")


def _segments(data: bytes, bits: int,
              order: str) -> List[Tuple[int, int, int]]:
    """(type, offset, size) of each program header."""
    if bits == 64:
        at, size, count = struct.unpack_from(order + "Q14xHH", data, 32)
        layout, offset, length = order + "IIQQQQ", 2, 5
    else:
        at, size, count = struct.unpack_from(order + "I10xHH", data, 28)
        layout, offset, length = order + "IIIII", 1, 4
    found = []
    for i in range(count):
        fields = struct.unpack_from(layout, data, at + i * size)
        found.append((fields[0], fields[offset], fields[length]))
    return found


def parse_elf(data: bytes) -> Optional[Elf]:
    """The beginning of a file, enough for its notes; None: it is no ELF."""
    if data[:4] != b"\x7fELF" or len(data) < 52:
        return None
    bits, order = 32 * data[4], "<" if data[5] == 1 else ">"
    try:
        machine = struct.unpack_from(order + "H", data, 18)[0]
        segments = _segments(data, bits, order)
    except struct.error:
        return None
    notes = b"".join(data[at:at + size] for kind, at, size in segments
                     if kind == PT_NOTE)
    return Elf(bits, machine, any(s[0] == PT_INTERP for s in segments),
               GO_NOTE in notes)


def read_elf(path: str) -> Optional[Elf]:
    """That of a file."""
    with open(path, "rb") as file:
        return parse_elf(file.read(65536))


def interpreter_of(path: str) -> Optional[str]:
    """What a script's first line names, looking through env; None: nothing."""
    with open(path, "rb") as file:
        line = file.read(256).split(b"\n")[0]
    if line[:2] != b"#!" or not line[2:].strip():
        return None
    words = os.fsdecode(line[2:]).split()
    if os.path.basename(words[0]) != "env":
        return words[0]
    names = [w for w in words[1:] if w[0] != "-" and "=" not in w]
    return names[0] if names else words[0]


def is_shell_script(path: str) -> bool:
    """Whether the kernel cannot run a file, but the shell can: it is text."""
    try:
        with open(path, "rb") as file:
            begin = file.read(256)
    except OSError:
        return False
    return begin[:2] != b"#!" and begin[:4] != b"\x7fELF" and b"\0" not in begin


def _gains_privileges(path: str) -> Optional[str]:
    """Why the dynamic linker would be careful; as ld.so(8) says."""
    status = os.stat(path)
    if status.st_mode & stat.S_ISUID and status.st_uid != os.geteuid():
        return "is setuid"
    if status.st_mode & stat.S_ISGID and status.st_gid != os.getegid():
        return "is setgid"
    if os.geteuid() == 0:
        return None
    try:
        os.getxattr(path, "security.capability")
    except OSError:
        return None
    return "has file capabilities"


def _binary_obstacle(path: str, elf: Elf, library: Elf) -> Optional[str]:
    if (elf.bits, elf.machine) != (library.bits, library.machine):
        return f"{path} is for another processor ({elf.bits} bit)" \
            if elf.machine != library.machine else \
            f"{path} is a {elf.bits}-bit program, the library a " \
            f"{library.bits}-bit one"
    if elf.golang:
        return f"{path} is a Go program: it calls the kernel by itself, " \
            "not through the C library"
    if not elf.dynamic:
        return f"{path} is statically linked: it loads no library"
    privileges = _gains_privileges(path)
    if privileges:
        return f"{path} {privileges}: the dynamic linker ignores LD_PRELOAD"
    return None


def obstacle(path: str, library: Elf, depth: int = 0) -> Optional[str]:
    """Why this program would not run over Chalk; None: nothing is in the way.

    A file that cannot be read or understood is left to the kernel to judge.
    """
    try:
        elf = read_elf(path)
        if elf:
            return _binary_obstacle(path, elf, library)
        interpreter = SHELL if is_shell_script(path) else interpreter_of(path)
        if not interpreter or depth == SCRIPT_DEPTH:
            return None
        why = obstacle(find(interpreter), library, depth + 1)
    except OSError:
        return None
    return f"{path} is a script, and {why}" if why else None
