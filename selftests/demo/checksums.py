# SPDX-License-Identifier: GPL-2.0
"""checksums.py - whether the checksums of a capture's Chalk segments are right.

Usage: checksums.py CAPTURE; prints "GOOD of ALL", exits 0 if all are good.

tshark cannot tell: it computes the pseudo-header with TCP's protocol number.
"""

import struct
import sys

ETHERNET, IPV4, IPPROTO_CHALK = 14, 0x0800, 253


def packets(data: bytes):
    """The frames of a pcap file."""
    at = 24
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16:at + 16 + length]
        at += 16 + length


def ones_sum(data: bytes) -> int:
    """The 16-bit one's complement sum (RFC 1071)."""
    total = sum(struct.unpack(f">{(len(data) + 1) // 2}H",
                              data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def is_good(frame: bytes) -> bool:
    """Whether this is a Chalk segment, whole, and its checksum is right."""
    kind, = struct.unpack_from(">H", frame, 12)
    ip = frame[ETHERNET:]
    if kind != IPV4 or ip[9] != IPPROTO_CHALK:
        return False
    length, = struct.unpack_from(">H", ip, 2)
    segment = ip[(ip[0] & 15) * 4:length]
    pseudo = ip[12:20] + struct.pack(">HH", IPPROTO_CHALK, len(segment))
    return len(ip) >= length and ones_sum(pseudo + segment) == 0xffff


def main() -> int:
    """Count."""
    with open(sys.argv[1], "rb") as file:
        verdicts = [is_good(frame) for frame in packets(file.read())]
    print(f"{sum(verdicts)} of {len(verdicts)}")
    return 0 if verdicts and all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
