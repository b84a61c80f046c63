# SPDX-License-Identifier: GPL-2.0
"""chalk_top_filter.py - the filters of chalk top: those of chalk ss, and words.

    sport = :80 and dst 10.0.0.0/8      as in chalk ss
    time-wait                           a state, without "state" before it
    80, :80                             a port, at either end
    anything else                       a text in addresses, process or timer
"""

from typing import List

from chalk_diag_filter import (ALL, HOST_OPS, NAMES, PORT_OPS, SETS, Everything,
                               Or, Parser, Ports, parse_port)

SYNTAX = ("state", "exclude", "not", "!", "(", ")", "and", "&", "&&", "or", "|",
          "||", *HOST_OPS, *PORT_OPS)


class Text:
    """A row that shows this somewhere."""

    def __init__(self, text: str):
        self.text = text.lower()

    def accepts(self, row) -> bool:
        return self.text in row.text


class State:
    """A row in one of these states."""

    def __init__(self, states: int):
        self.states = states

    def accepts(self, row) -> bool:
        return bool(NAMES.get(row.state.lower(), 0) & self.states)


class WordParser(Parser):
    """The language of chalk ss, where a word alone means something too."""

    def __init__(self, words: List[str]):
        super().__init__(words)
        self.named = 0

    def _one(self):
        word = self.peek()
        if not word or word in SYNTAX:
            return super()._one()
        self.take("a word")
        states = SETS.get(word.lower())
        if states:
            self.named |= states
            return State(states)
        digits = word[1:] if word.startswith(":") else word
        if digits.isdigit() or word.startswith(":"):
            port = parse_port(digits)
            return Or(Ports("sport", port, port), Ports("dport", port, port))
        return Text(word)


class Filter:
    """What of all the rows is wanted."""

    def __init__(self, text: str = ""):
        parser = WordParser([text])
        self.text = text
        self.expression = parser.parse()
        self._states, self._named = parser.states, parser.named
        self._excluded = parser.excluded

    @property
    def is_empty(self) -> bool:
        return isinstance(self.expression, Everything) and not (
            self._states or self._excluded)

    def states(self, usual: int) -> int:
        """The states to ask for, where @usual ones are shown without it."""
        wanted = self._states or usual | self._named
        return wanted & ~self._excluded & ALL

    def accepts(self, row) -> bool:
        return self.expression.accepts(row)
