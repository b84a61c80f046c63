# SPDX-License-Identifier: GPL-2.0
"""chalk_counters.py - the counters of chalk.ko: reading them, and in words.

Owns the form of /proc/net/chalk/snmp and a sentence for each counter and for
each drop reason. docs/counters.md says more about each.
"""

import ctypes
import os
from typing import Dict, List, NamedTuple

from chalk_base import TraceError

PATH = "/proc/thread-self/net/chalk/snmp"
CLONE_NEWNET = 0x40000000
# They go down, too.
LEVELS = {"CurrEstab"}

# group -> name -> count
Counters = Dict[str, Dict[str, int]]


class Line(NamedTuple):
    """How a counter is told; {s} is there unless it counts one."""
    group: str
    name: str
    text: str
    indent: int = 0


class Section(NamedTuple):
    """Lines under a title."""
    title: str
    lines: List[Line]


def _lines(group: str, text: str) -> List[Line]:
    """From lines "Name sentence"; indented ones are a part of what is above."""
    found = []
    for row in text.strip("\n").splitlines():
        name, words = row.split(maxsplit=1)
        found.append(Line(group, name, words,
                          (len(row) - len(row.lstrip())) // 2))
    return found


SECTIONS = [
    Section("Connections", _lines("Chalk", """
ActiveOpens connection{s} opened from here
PassiveOpens connection{s} asked for by others
AttemptFails attempt{s} failed, ours or theirs
CurrEstab open now
EstabResets ended by a reset
""") + _lines("ChalkExt", """
TCPAbortOnTimeout given up: the other side did not answer
TCPAbortOnClose reset: closed with bytes that nobody had read
TCPAbortOnData reset: data came after close(), or SO_LINGER was 0
TCPAbortOnMemory reset: too many orphans, or no memory for them
TCPAbortOnLinger reset: TCP_LINGER2 forbids to wait for the other side's FIN
EmbryonicRsts reset by the other side during the handshake
TW stayed in TIME_WAIT to its end
TWReopened TIME_WAIT ended by the SYN of a new connection
TWRecycled TIME_WAIT ended since no port was left
TCPTimeWaitOverflow closed without TIME_WAIT: there were too many
""")),
    Section("Listeners", _lines("ChalkExt", """
ListenDrops handshake{s} refused by a listener
  ListenOverflows because too many connections wait for accept()
  TCPReqQFullDrop because too many handshakes are under way
TCPDeferAcceptDrop handshake{s} that wait for data (TCP_DEFER_ACCEPT)
""")),
    Section("Segments", _lines("Chalk", """
InSegs segment{s} received
  InErrs damaged, or not to be understood
    InCsumErrors by a wrong checksum
OutSegs segment{s} sent
  OutRsts with RST
""") + _lines("ChalkExt", """
  TCPOrigDataSent with data or FIN, for the first time
""") + _lines("Chalk", """
RetransSegs segment{s} sent again
""") + _lines("ChalkExt", """
  TCPFastRetrans after the third duplicate ACK, or a partial ACK
  TCPSlowStartRetrans in slow start, after the timeout
  TCPSynRetrans SYN or SYN+ACK
""")),
    Section("Loss and time", _lines("ChalkExt", """
TCPTimeouts timeout{s}: nothing acknowledged for as long as the RTO
TCPRenoRecovery time{s} that a third duplicate ACK told of a loss
  TCPRenoRecoveryFail ended by a timeout, not by an ACK
TCPKeepAlive keep-alive{s} sent to a silent connection
TCPWinProbe probe{s} of a window that is shut
""")),
    Section("Acknowledging", _lines("ChalkExt", """
DelayedACKs ACK{s} that waited for data to ride on, in vain
DelayedACKLost segment{s} that came again: our ACK was lost or late
TCPOFOQueue segment{s} that came before their turn
  TCPOFODrop not kept: too many holes, or no memory
""")),
    Section("The window we offer", _lines("ChalkExt", """
TCPToZeroWindowAdv time{s} it was shut: the reader is slow
TCPFromZeroWindowAdv time{s} it was opened again
TCPWantZeroWindowAdv ACK{s} that could not shut it: the edge never goes back
TCPZeroWindowDrop segment{s} with data though it was shut
TCPRcvQDrop segment{s} in order for which there was no memory
TCPBacklogDrop segment{s} too many while a program used the socket
TCPMemoryPressures time{s} that memory for streams became short
PruneCalled segment{s} in order that found the buffer full, or memory short
  RcvPruned not kept after all
  OfoPruned kept in the place of what came before its turn
""")),
    Section("Attacks and accidents", _lines("ChalkExt", """
TCPChallengeACK challenge ACK{s} sent
  TCPACKSkippedChallenge more not sent: that is often enough
TCPSYNChallenge SYN{s} in the middle of a connection
PAWSEstab segment{s} from long ago, by their timestamp
TCPMinTTLDrop segment{s} from too far away (IP_MINTTL)
OutOfWindowIcmps ICMP error{s} about segments that were never sent
LockDroppedIcmps ICMP error{s} while a program used the socket
""")),
    Section("Datagrams", _lines("ChalkDgram", """
InDatagrams datagram{s} read
OutDatagrams datagram{s} sent
NoPorts for a port that nobody has
IgnoredMulti for a group that nobody is in
InErrors not delivered
  InCsumErrors by a wrong checksum
  RcvbufErrors because the reader is slow
  MemErrors because all that wait take too much memory
SndbufErrors not sent: SO_SNDBUF is full, or the device's queue
""")),
]

DROPS = {line.name: line.text for line in _lines("ChalkDrop", """
too_short shorter than a header
bad_header_length a header length that cannot be
bad_checksum damaged on the way
bad_option an option that ends behind the header
bad_address to or from more than one host
low_ttl from too far away (IP_MINTTL)
ipsec_policy an IPsec policy, of the socket or of all, lets it not in
socket_filter refused by the socket's filter
no_socket for a port that nobody has
rst_to_listener a RST where nothing is to be reset
ack_to_listener an ACK of nothing, to a listener
no_syn_to_listener neither SYN nor ACK, to a listener
accept_queue_full too many connections wait for accept()
syn_queue_full too many handshakes are under way
unacceptable_ack_in_syn_sent acknowledges what we did not send, to our SYN
rst_without_ack_in_syn_sent a RST that does not answer our SYN
no_syn_in_syn_sent no SYN, though we wait for one
paws its timestamp is from long ago
no_timestamp without a timestamp, though both agreed on them
old_duplicate all of it has arrived before
out_of_window beyond the window we offer
rst_challenged a RST, but not exactly where it must be
syn_challenged a SYN in the middle of a connection
no_ack_bit without an acknowledgment
ack_too_old acknowledges what was acknowledged long ago
ack_of_unsent_data acknowledges what we did not send
wrong_ack_in_syn_rcvd does not acknowledge our SYN+ACK
duplicate_syn the same SYN again
accept_deferred an ACK without data (TCP_DEFER_ACCEPT)
already_queued has arrived before its turn, again
too_many_holes leaves one hole more than we keep
no_room_for_early_data before its turn, and the buffer is full
zero_window data, though our window is shut
socket_backlog_full too many came while a program used the socket
receive_buffer_full no memory for it
data_after_fin data after the other side said it has no more
data_after_close data for a socket that is closed
time_wait for a connection that is over
datagram_too_short shorter than a header
datagram_bad_length a length that cannot be
datagram_no_checksum without a checksum
datagram_bad_checksum damaged on the way
datagram_no_socket for a port that nobody has
datagram_no_member for a group that nobody is in
datagram_ipsec_policy forbidden by an IPsec policy
datagram_filtered refused by the socket's filter
datagram_receive_buffer_full the reader is slow
datagram_memory_short all that wait take too much memory
""")}


def parse(text: str) -> Counters:
    """The file's text."""
    counters: Counters = {}
    rows = text.splitlines()
    for names, values in zip(rows[::2], rows[1::2]):
        group, words = names.split(":")
        numbers = values.split(":")[1].split()
        counters[group] = dict(zip(words.split(), map(int, numbers)))
    return counters


def read(path: str = PATH) -> Counters:
    """As they are now, in the namespace of this thread."""
    try:
        with open(path, encoding="ascii") as file:
            return parse(file.read())
    except FileNotFoundError:
        if os.path.exists("/sys/module/chalk"):
            raise TraceError(f"there is no {path}: this chalk.ko is too old, "
                             "load a new one") from None
        raise TraceError("chalk.ko is not loaded; run: modprobe chalk"
                         ) from None
    except (ValueError, IndexError):
        raise TraceError(f"{path} is not a file of counters") from None


def enter(netns: str) -> None:
    """This thread goes into a namespace that "ip netns" has made."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        fd = os.open(f"/run/netns/{netns}", os.O_RDONLY)
    except FileNotFoundError:
        raise TraceError(f"there is no network namespace '{netns}'; "
                         "'ip netns' lists them") from None
    except PermissionError:
        raise TraceError("only root may look into a namespace; try: sudo"
                         ) from None
    try:
        if libc.setns(fd, CLONE_NEWNET):
            raise TraceError("only root may enter a namespace; try: sudo")
    finally:
        os.close(fd)


def difference(now: Counters, before: Counters) -> Counters:
    """What was counted meanwhile; what is a level stays one."""
    return {group: {name: n if name in LEVELS else
                    n - before.get(group, {}).get(name, 0)
                    for name, n in names.items()}
            for group, names in now.items()}
