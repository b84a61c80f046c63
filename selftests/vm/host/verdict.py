# SPDX-License-Identifier: GPL-2.0
"""The verdict on a run: what the guest reported, what the kernel complained of.

Success needs all of: the guest's report complete to its last line, no
complaint in the console or in the kernel's log, no taint that a complaint
leaves.
"""

import re

COMPLAINTS = re.compile(rb"""
    \bBUG\b | \bWARNING: | \bOops\b | Kernel\ panic | kernel\ BUG\ at
    | general\ protection\ fault | double\ fault | \bKASAN: | \bUBSAN: | \bKCSAN: | \bKFENCE:
    | INFO:\ (task\ .*\ blocked|possible|suspicious|trying\ to\ register|inconsistent)
    | possible\ (circular|recursive|irq)\ .*lock | suspicious\ RCU\ usage
    | rcu:.*(stall|self-detected) | soft\ lockup | hard\ LOCKUP | workqueue\ lockup
    | scheduling\ while\ atomic | sleeping\ function\ called
    | unreferenced\ object | kmemleak:.*\ new\ suspected
    | refcount_t: | leaked\ reference | \bLeaked\b
    | still\ has\ objects | Objects\ remaining
    | unregister_netdevice:\ waiting | Attempt\ to\ release
    | ODEBUG: | list_(add|del)\ corruption | DEBUG_LOCKS_WARN_ON
    """, re.VERBOSE)

TAINTS = {4: "a module was unloaded by force", 5: "a bad page", 7: "an oops",
          9: "a warning", 14: "a soft lockup"}
EXCERPT = 60


def first_complaint(log):
    """The lines of log from shortly before the first complaint, or None."""
    lines = log.replace(b"\r", b"").split(b"\n")
    for number, line in enumerate(lines):
        if COMPLAINTS.search(line):
            return line, lines[max(0, number - 2):number + EXCERPT]
    return None


def tail(log, count=15):
    """The last lines of a log."""
    return log.replace(b"\r", b"").rstrip(b"\n").split(b"\n")[-count:]


class Report:
    """The guest's lines on the verdict port, by their first word."""

    def __init__(self, text):
        self.fields = {}
        for line in text.decode(errors="replace").splitlines():
            word, _, rest = line.partition(" ")
            self.fields[word] = rest

    def __contains__(self, word):
        return word in self.fields

    def status(self):
        """The command's exit status."""
        return int(self.fields["exit"])

    def taints(self):
        """In words, the taint bits that only a complaint sets."""
        value = int(self.fields.get("taint") or 0)
        return [text for bit, text in TAINTS.items() if value >> bit & 1]


def judge(report, console, log):
    """(reason, excerpt) of a failed run, or None."""
    found = first_complaint(log) or first_complaint(console)
    if found:
        line, lines = found
        return "the kernel complained: " + line.decode(errors="replace").strip(), lines
    if "load" in report:
        return "chalk.ko does not load: " + report.fields["load"], tail(console)
    if "started" not in report:
        return "the guest did not start", tail(console, 40)
    if "complete" not in report:
        return "the guest stopped before its report was complete", tail(console, 40)
    if report.taints():
        return "the kernel is tainted by " + ", ".join(report.taints()), tail(console)
    if "unload" in report:
        return "chalk.ko does not unload: " + report.fields["unload"], tail(console)
    return None
