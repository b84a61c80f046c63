# SPDX-License-Identifier: GPL-2.0
"""chalk_top_view.py - what the user has chosen, and what a key changes. Pure.

Keys come by names: a character, or one of up down left right pageup pagedown
home end enter escape backspace tab.
"""

from typing import List, Optional

from chalk_diag_filter import ALL, CLOSED, LISTEN, NAMES
from chalk_top_columns import BY_NAME, DESCENDING, SORTABLE
from chalk_top_filter import Filter
from chalk_top_model import Key, Model, Row
from chalk_base import TraceError

TIME_WAIT = NAMES["time-wait"]
USUAL = ALL & ~(CLOSED | LISTEN | TIME_WAIT)
DELAYS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
ZOOMS = (1, 2, 5, 10)
TABLE, DETAIL, HELP = "table", "detail", "help"
PANES = ("all", "events", "variables")
PAGE = 10
LETTERS = {"s": "state", "a": "local", "A": "remote", "c": "cwnd",
           "f": "flight", "w": "rwnd", "S": "srtt", "x": "retrans", "o": "out",
           "i": "in", "u": "unsent", "U": "unread", "T": "timer",
           "P": "process"}


class View:
    """The state of the screen, but not what is on it."""

    def __init__(self, sort: str = "out", filter_text: str = "",
                 listeners: bool = False, time_wait: bool = False,
                 delay: float = 1.0):
        self.sort, self.descending = sort, sort in DESCENDING
        self.filter = Filter(filter_text)
        self.listeners, self.time_wait = listeners, time_wait
        self.delay = delay
        self.own_scale = False
        self.paused = self.quit = False
        self.mode, self.back_to = TABLE, TABLE
        self.prompt: Optional[str] = None
        self.message = ""
        self.selected: Optional[Key] = None
        self.top = 0  # first row on the screen
        self.page = PAGE  # rows that fit
        self.pane, self.zoom, self.all_events = PANES[0], ZOOMS[0], False
        self.scroll = 0  # of the variables, or of the help

    def states(self) -> int:
        """Which sockets to ask the kernel for."""
        if DETAIL in (self.mode, self.back_to):
            return ALL
        return self.filter.states(USUAL | LISTEN * self.listeners |
                                  TIME_WAIT * self.time_wait)

    def rows(self, model: Model) -> List[Row]:
        """What the table shows, in order."""
        states = self.states()
        return model.view(
            lambda row: bool(NAMES.get(row.state.lower(), 0) & states)
            and self.filter.accepts(row),
            BY_NAME[self.sort].value, self.descending)

    def place(self, model: Model, rows: List[Row]) -> Optional[int]:
        """Where the selected row is; None: none is, or it has gone."""
        for at, row in enumerate(rows):
            if model.key_of(row) == self.selected:
                return at
        self.selected = None
        return None

    # --- keys ---

    def key(self, name: str, model: Model) -> None:
        self.message = ""
        if self.prompt is not None:
            self._prompt_key(name)
        elif self.mode == HELP:
            self._help_key(name)
        elif name in ("h", "?"):
            self.back_to, self.mode, self.scroll = self.mode, HELP, 0
        elif name in ("p", " "):
            self.paused = not self.paused
        elif name in ("+", "-"):
            self._change_delay(name)
        elif self.mode == DETAIL:
            self._detail_key(name, model)
        else:
            self._table_key(name, model)

    def _prompt_key(self, name: str) -> None:
        assert self.prompt is not None
        if name == "enter":
            try:
                self.filter, self.prompt = Filter(self.prompt), None
                self.top = 0
            except TraceError as error:
                self.message = str(error)
        elif name == "escape":
            self.prompt = None
        elif name == "backspace":
            self.prompt = self.prompt[:-1]
        elif name == "kill":
            self.prompt = ""
        elif len(name) == 1 and name.isprintable():
            self.prompt += name

    def _help_key(self, name: str) -> None:
        if not self._scroll_key(name):
            self.mode, self.back_to, self.scroll = self.back_to, TABLE, 0

    def _scroll_key(self, name: str) -> bool:
        step = {"up": -1, "k": -1, "down": 1, "j": 1, "pageup": -self.page,
                "pagedown": self.page, "home": -self.scroll}.get(name)
        if step is None:
            return False
        self.scroll = max(0, self.scroll + step)
        return True

    def _change_delay(self, name: str) -> None:
        longer = [d for d in DELAYS if d > self.delay]
        shorter = [d for d in DELAYS if d < self.delay]
        if name == "+":
            self.delay = longer[0] if longer else self.delay
        else:
            self.delay = shorter[-1] if shorter else self.delay
        self.message = f"every {self.delay:g} s"

    def _detail_key(self, name: str, model: Model) -> None:
        if name in ("q", "escape", "backspace"):
            self.mode, self.scroll, model.held = TABLE, 0, None
        elif name == "tab":
            self.pane = PANES[(PANES.index(self.pane) + 1) % len(PANES)]
            self.scroll = 0
        elif name == "z":
            self.zoom = ZOOMS[(ZOOMS.index(self.zoom) + 1) % len(ZOOMS)]
        elif name == "e":
            self.all_events = not self.all_events
        else:
            self._scroll_key(name)

    def _table_key(self, name: str, model: Model) -> None:
        if name == "q":
            self.quit = True
        elif name == "/":
            self.prompt = self.filter.text
        elif name == "escape":
            self.filter = Filter()
        elif name == "l":
            self.listeners = not self.listeners
        elif name == "t":
            self.time_wait = not self.time_wait
        elif name == "b":
            self.own_scale = not self.own_scale
        elif name in ("enter", "up", "down", "j", "k", "pageup", "pagedown",
                      "home", "end"):
            self._move_key(name, model)
        else:
            self._sort_key(name)

    def _sort_key(self, name: str) -> None:
        at = SORTABLE.index(self.sort)
        if name in ("left", "<"):
            self.sort_by(SORTABLE[at - 1])
        elif name in ("right", ">"):
            self.sort_by(SORTABLE[(at + 1) % len(SORTABLE)])
        elif name == "r":
            self.descending = not self.descending
        elif name in LETTERS:
            self.sort_by(LETTERS[name])

    def sort_by(self, column: str) -> None:
        self.sort, self.descending = column, column in DESCENDING

    def _move_key(self, name: str, model: Model) -> None:
        """Until one is chosen the table stays at its top."""
        rows = self.rows(model)
        if not rows or name == "home":
            self.selected = None
            return
        at = self.place(model, rows)
        if name == "enter":
            model.held = model.key_of(rows[at or 0])
            self.mode, self.scroll = DETAIL, 0
            return
        last, at = len(rows) - 1, -1 if at is None else at
        at = {"up": at - 1, "k": at - 1, "pageup": at - self.page,
              "pagedown": at + self.page, "end": last}.get(name, at + 1)
        self.selected = model.key_of(rows[max(0, min(at, last))])
