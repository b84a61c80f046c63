# SPDX-License-Identifier: GPL-2.0
"""chalk_bpf.py - a small assembler for BPF, and the calls that bring programs
and maps into the kernel.

Owns bpf(2) (linux/bpf.h). A program is written here, instruction by instruction:
no compiler is needed, and what runs in the kernel can be read as it is.
"""

import ctypes
import errno
import os
import platform
import struct
import sys
from typing import Dict, List, Tuple

from chalk_base import TraceError

# --- instructions ---

R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, FP = range(11)
BYTE, HALF, WORD, DOUBLE = 0x10, 0x08, 0x00, 0x18
LDX, ST, STX = 0x61, 0x62, 0x63
ADD, AND, LSH, ADD_REG = 0x07, 0x57, 0x67, 0x0f
EQUAL, NOT_EQUAL, SIGNED_LESS, GOTO, EXIT = 0x15, 0x55, 0xc5, 0x05, 0x95
CLASS_64, CLASS_32 = 0x05, 0x06
INSTRUCTION = struct.Struct("=BBhi")
PSEUDO_MAP_FD = 1

# helper functions of the kernel
MAP_LOOKUP, STORE_BYTES, L3_CSUM_REPLACE, L4_CSUM_REPLACE, LOAD_BYTES = (
    1, 9, 10, 11, 26)
RECOMPUTE_CSUM, PSEUDO_HDR = 1, 1 << 4


def on_wire(value: int) -> int:
    """A number of 16 bits as it stands in a packet, read by this processor."""
    return int.from_bytes(struct.pack("!H", value), sys.byteorder)


class Assembler:
    """The instructions of one program. Jumps go forward, to labels."""

    def __init__(self) -> None:
        self.code: List[Tuple[int, int, int, int, int]] = []
        self.labels: Dict[str, int] = {}
        self.jumps: Dict[int, str] = {}

    def put(self, code: int, dst=0, src=0, off=0, imm=0) -> None:
        self.code.append((code, dst, src, off, imm))

    def label(self, name: str) -> None:
        self.labels[name] = len(self.code)

    def set(self, reg: int, value: int) -> None:
        self.put(0xb7, reg, imm=value)

    def copy(self, dst: int, src: int) -> None:
        self.put(0xbf, dst, src)

    def math(self, code: int, reg: int, value: int) -> None:
        self.put(code, reg, imm=value)

    def add(self, reg: int, other: int) -> None:
        self.put(ADD_REG, reg, other)

    def host_order(self, reg: int) -> None:
        """16 bits that came from a packet."""
        self.put(0xdc, reg, imm=16)

    def load(self, size: int, dst: int, src: int, off: int) -> None:
        self.put(LDX | size, dst, src, off)

    def store(self, size: int, dst: int, off: int, value: int) -> None:
        self.put(ST | size, dst, off=off, imm=value)

    def store_reg(self, size: int, dst: int, off: int, src: int) -> None:
        self.put(STX | size, dst, src, off)

    def count_up(self, pointer: int, by: int) -> None:
        """Add a register to the 64 bits at @pointer, atomically."""
        self.put(0xdb, pointer, by)

    def load_map(self, reg: int, descriptor: int) -> None:
        self.put(0x18, reg, PSEUDO_MAP_FD, imm=descriptor)
        self.put(0)

    def note_jump(self, name: str) -> None:
        if name in self.labels:
            raise ValueError(f"a jump back to {name}")
        self.jumps[len(self.code)] = name

    def jump(self, name: str) -> None:
        self.note_jump(name)
        self.put(GOTO)

    def jump_if(self, test: int, reg: int, value: int, name: str) -> None:
        self.note_jump(name)
        self.put(test, reg, imm=value)

    def jump_if_word(self, test: int, reg: int, value: int, name: str) -> None:
        """The same of the lower 32 bits."""
        signed, = struct.unpack("=i", struct.pack("=I", value))
        self.jump_if(test ^ CLASS_64 ^ CLASS_32, reg, signed, name)

    def call(self, helper: int) -> None:
        self.put(0x85, imm=helper)

    def exit(self) -> None:
        self.put(EXIT)

    def reached(self) -> List[int]:
        """What some way leads to; the kernel refuses the rest."""
        found, targets, falls = [], set(), True
        for at, (code, *_) in enumerate(self.code):
            if not falls and at not in targets:
                continue
            found.append(at)
            if at in self.jumps:
                targets.add(self.labels[self.jumps[at]])
            falls = code not in (GOTO, EXIT)
        return found

    def bytes(self) -> bytes:
        kept = self.reached()
        place = {at: new for new, at in enumerate(kept)}
        low_first = sys.byteorder == "little"
        found = b""
        for at in kept:
            code, dst, src, off, imm = self.code[at]
            if at in self.jumps:
                off = place[self.labels[self.jumps[at]]] - place[at] - 1
            regs = dst | src << 4 if low_first else dst << 4 | src
            found += INSTRUCTION.pack(code, regs, off, imm)
        return found


# --- the system call ---

NUMBERS = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "ppc64le": 361,
           "s390x": 351}
(MAP_CREATE, MAP_LOOKUP_ELEM, MAP_UPDATE_ELEM, PROG_LOAD, PROG_TEST_RUN,
 PROG_GET_FD_BY_ID, MAP_GET_FD_BY_ID, OBJ_GET_INFO_BY_FD) = (
     0, 1, 2, 5, 10, 13, 14, 15)
MAP_TYPE_ARRAY, PROG_TYPE_SCHED_CLS = 2, 3
ATTR_SIZE = 128
LIBC = ctypes.CDLL(None, use_errno=True)


def address(buffer: ctypes.Array) -> int:
    return ctypes.addressof(buffer)


def explain(number: int, what: str) -> TraceError:
    """What an errno of bpf(2) means to the user."""
    if number in (errno.EPERM, errno.EACCES):
        return TraceError(f"{what}: only root may")
    if number == errno.ENOSYS:
        return TraceError(f"{what}: this kernel has no BPF "
                          "(CONFIG_BPF_SYSCALL)")
    return TraceError(f"{what}: {os.strerror(number)}")


def bpf(command: int, attr: bytes, what: str) -> Tuple[int, bytes]:
    """bpf(2): its result, and the attributes as the kernel left them."""
    if platform.machine() not in NUMBERS:
        raise TraceError(f"the number of bpf(2) on {platform.machine()} is not "
                         "known here")
    buffer = ctypes.create_string_buffer(attr.ljust(ATTR_SIZE, b"\0"),
                                         ATTR_SIZE)
    result = LIBC.syscall(NUMBERS[platform.machine()], command, buffer,
                          ATTR_SIZE)
    if result < 0:
        raise explain(ctypes.get_errno(), what)
    return result, buffer.raw


class Array:
    """A map of 64-bit numbers."""

    def __init__(self, descriptor: int):
        self.descriptor = descriptor

    @classmethod
    def create(cls, entries: int) -> "Array":
        attr = struct.pack("=IIII", MAP_TYPE_ARRAY, 4, 8, entries)
        return cls(bpf(MAP_CREATE, attr, "a map of BPF")[0])

    @classmethod
    def of_program(cls, number: int) -> "Array":
        """The first map of the program that the kernel calls @number."""
        program, _ = bpf(PROG_GET_FD_BY_ID, struct.pack("=I", number),
                         "the program of a bridge")
        try:
            ids = map_ids(program)
        finally:
            os.close(program)
        if not ids:
            raise TraceError("the program of a bridge has no counters")
        return cls(bpf(MAP_GET_FD_BY_ID, struct.pack("=I", ids[0]),
                       "the counters of a bridge")[0])

    def __enter__(self) -> "Array":
        return self

    def __exit__(self, *_) -> None:
        os.close(self.descriptor)

    def _element(self, command: int, index: int, value: int) -> int:
        key = ctypes.create_string_buffer(struct.pack("=I", index), 4)
        data = ctypes.create_string_buffer(struct.pack("=Q", value), 8)
        bpf(command, struct.pack("=IxxxxQQQ", self.descriptor, address(key),
                                 address(data), 0), "the counters of a bridge")
        return struct.unpack("=Q", data.raw)[0]

    def __getitem__(self, index: int) -> int:
        return self._element(MAP_LOOKUP_ELEM, index, 0)

    def __setitem__(self, index: int, value: int) -> None:
        self._element(MAP_UPDATE_ELEM, index, value)


def map_ids(program: int) -> Tuple[int, ...]:
    """By which the kernel calls the maps of a program (struct bpf_prog_info)."""
    ids = ctypes.create_string_buffer(4)
    info = ctypes.create_string_buffer(
        bytes(52) + struct.pack("=IQ", 1, address(ids)), 64)
    bpf(OBJ_GET_INFO_BY_FD, struct.pack("=IIQ", program, 64, address(info)),
        "the program of a bridge")
    count, = struct.unpack_from("=I", info.raw, 52)
    return struct.unpack("=I", ids.raw) if count else ()


def load(code: bytes, name: str) -> int:
    """A descriptor of the program, which the kernel has examined."""
    instructions = ctypes.create_string_buffer(code, len(code))
    terms = ctypes.create_string_buffer(b"GPL\0")
    log = ctypes.create_string_buffer(1 << 16)
    attr = struct.pack("=IIQQIIQII16s", PROG_TYPE_SCHED_CLS, len(code) // 8,
                       address(instructions), address(terms), 1, len(log),
                       address(log), 0, 0, name.encode())
    try:
        return bpf(PROG_LOAD, attr, "a program of BPF")[0]
    except TraceError as error:
        said = log.value.decode(errors="replace").strip().splitlines()
        reason = f"; the kernel says: {said[-2:]}" if said else ""
        raise TraceError(f"{error}{reason}") from None


def run(program: int, packet: bytes) -> Tuple[int, bytes]:
    """Give it a frame: what it answers, and what it has made of the frame."""
    data = ctypes.create_string_buffer(packet, len(packet))
    out = ctypes.create_string_buffer(len(packet) + 64)
    attr = struct.pack("=IIIIQQII", program, 0, len(packet), len(out),
                       address(data), address(out), 1, 0)
    _, after = bpf(PROG_TEST_RUN, attr, "a try of a program")
    verdict, _, size = struct.unpack_from("=iII", after, 4)
    return verdict, out.raw[:size]
