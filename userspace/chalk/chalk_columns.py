# SPDX-License-Identifier: GPL-2.0
"""chalk_columns.py - the columns of a trace: what each may hold.

Owns the check of every column of every record that is read, whatever its form:
an endpoint is ADDR:PORT, a word has letters, digits and " _+,./()?-", a number
has 32 bits. What passes may go to a terminal, a picture, a script.
"""

import ipaddress
import re
from operator import itemgetter
from typing import Any, Callable, Dict, List, Tuple, Union

from chalk_base import excerpt

COLUMNS = (
    "time conn local remote event cause clause state flags seq ack len wnd "
    "old new snd_una snd_nxt rcv_nxt cwnd ssthresh flight snd_wnd rcv_wnd "
    "srtt rttvar rto unsent unread netns ooo mss").split()
# Traces of before these were added are read too; there they are 0.
OPTIONAL = "netns ooo mss".split()
BILLION = 10 ** 9
TIMES, NUMBERS = 1 << 64, 1 << 32

TIME = r"[0-9]{1,11}(?:\.[0-9]{1,9})?"
NUMBER = r"[0-9]{1,10}"
END = r"(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}"
WORD = r"[A-Za-z0-9_ +,./()?-]{1,64}"
FLAGS = r"[FSRPAUEC]{1,8}|\."
PATTERNS = {**dict.fromkeys(COLUMNS, NUMBER),
            **dict.fromkeys(("local", "remote"), END),
            **dict.fromkeys("event cause clause state old new".split(), WORD),
            "time": TIME, "flags": FLAGS}
EXPECTED = {TIME: "a time in seconds", NUMBER: "a number of 32 bits",
            END: "ADDR:PORT", WORD: "a word",
            FLAGS: "letters of FSRPAUEC or a dot"}
OLD, NEW = COLUMNS.index("old"), COLUMNS.index("new")

Values = Tuple  # of a record, in the order of COLUMNS; the time in nanoseconds


class Wrong(Exception):
    """A record that is none: why."""


def wrong(name: str, text: object, pattern: str) -> Wrong:
    """A column, what it holds, and what is expected there."""
    return Wrong(f"column {name}: {excerpt(str(text))} is not "
                 f"{EXPECTED[pattern]}")


def nanoseconds(text: str) -> int:
    """A time in seconds, as text, exactly."""
    seconds, _, part = text.partition(".")
    return int(seconds) * BILLION + int(part.ljust(9, "0"))


class Ends(Dict[str, str]):
    """The endpoints that were seen, and are."""

    def __missing__(self, text: str) -> str:
        host, _, port = text.rpartition(":")
        try:
            ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            port = "none"
        if not port.isdigit() or int(port) > 65535:
            raise KeyError(text)
        self[text] = text
        return text


class Columns:
    """Turns the fields of a line, in the order of its header, into values."""

    def __init__(self, names: List[str]):
        missing = [n for n in COLUMNS if n not in names and n not in OPTIONAL]
        if missing:
            raise Wrong("not a trace of Chalk: its first line names no column "
                        f"'{missing[0]}'")
        if len(set(names)) < len(names):
            raise Wrong("the first line names a column twice")
        self.names = names
        self.given = [n for n in COLUMNS if n in names]
        known = sorted(self.given, key=names.index)
        places = [known.index(n) for n in self.given]
        self._order: Callable = itemgetter(*places)
        self._in_order = places == sorted(places)
        self._absent = [0] * (len(COLUMNS) - len(self.given))
        self._line = re.compile("\t".join(
            f"({PATTERNS[n]})" if n in PATTERNS else "[^\t]*" for n in names))
        self._words: Dict[str, str] = {}
        self._ends = Ends()

    def values(self, line: str) -> Values:
        """Those of a line; Wrong says which column is not as it should be."""
        found = self._line.fullmatch(line)
        if not found:
            raise self._reason(line.split("\t"))
        fields = found.groups()
        if not self._in_order:
            fields = self._order(fields)
        kept = self._words.setdefault
        try:
            ends = self._ends[fields[2]], self._ends[fields[3]]
        except KeyError as error:
            name = "local" if error.args[0] == fields[2] else "remote"
            raise wrong(name, error.args[0], END) from None
        made = (nanoseconds(fields[0]), int(fields[1]), *ends,
                *[kept(f, f) for f in fields[4:9]], *map(int, fields[9:OLD]),
                *self._change(fields), *map(int, fields[NEW + 1:]),
                *self._absent)
        if made[0] >= TIMES or made[1] >= NUMBERS or \
                max(made[9:OLD]) >= NUMBERS or max(made[NEW + 1:]) >= NUMBERS:
            raise self._too_large(made)
        return made

    def _change(self, fields: Tuple[str, ...]) -> List[Union[int, str]]:
        """What changed: a state by its name, all else by a number."""
        texts = fields[OLD:NEW + 1]
        if fields[4] == "state":
            return [self._words.setdefault(t, t) for t in texts]
        for name, text in zip(("old", "new"), texts):
            if not re.fullmatch(NUMBER, text) or int(text) >= NUMBERS:
                raise wrong(name, text, NUMBER)
        return [int(t) for t in texts]

    @staticmethod
    def _too_large(made: Values) -> Wrong:
        for name, value in zip(COLUMNS, made):
            if name == "time" and value >= TIMES:
                return wrong(name, value // BILLION, TIME)
            if name != "time" and type(value) is int and value >= NUMBERS:
                return wrong(name, value, NUMBER)
        raise AssertionError(made)

    def _reason(self, fields: List[str]) -> Wrong:
        """Why a line is no record."""
        if len(fields) != len(self.names):
            return Wrong(f"{len(fields)} columns, not {len(self.names)}")
        name, text = next(
            (n, t) for n, t in zip(self.names, fields)
            if n in PATTERNS and not re.fullmatch(PATTERNS[n], t))
        return wrong(name, text, PATTERNS[name])


def as_row(made: Values) -> Dict[str, Any]:
    """The values by the names of their columns."""
    return dict(zip(COLUMNS, made))
