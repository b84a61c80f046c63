# SPDX-License-Identifier: GPL-2.0
"""chalk_top_terminal.py - the terminal: keys in, canvases out, left as found.

Owns curses and the signals. Whatever ends the program, the terminal is set back
first; a stopped program leaves it to the shell and takes it again.
"""

import curses
import os
import select
import signal
import sys
from typing import Dict, List, Optional, Tuple

from chalk_top_canvas import (ASCII, BAD, BOLD, BUSY, COOL, DIM, GOOD, HEAD,
                              PLAIN, SELECTED, UNICODE, Canvas, Signs)
from chalk_base import TraceError

ESCAPE_WAIT = 50  # milliseconds in which the rest of a key must come
NAMES = {curses.KEY_UP: "up", curses.KEY_DOWN: "down",
         curses.KEY_LEFT: "left", curses.KEY_RIGHT: "right",
         curses.KEY_PPAGE: "pageup", curses.KEY_NPAGE: "pagedown",
         curses.KEY_HOME: "home", curses.KEY_END: "end",
         curses.KEY_ENTER: "enter", curses.KEY_BACKSPACE: "backspace",
         curses.KEY_BTAB: "tab", "\n": "enter", "\r": "enter",
         "\x1b": "escape", "\x7f": "backspace", "\b": "backspace",
         "\t": "tab", "\x15": "kill", "\x0c": "redraw"}
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
WATCHED = ENDING + (signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT)
MONOCHROME = {BOLD: curses.A_BOLD, DIM: curses.A_DIM, HEAD: curses.A_REVERSE,
              SELECTED: curses.A_REVERSE | curses.A_BOLD, GOOD: 0,
              BUSY: curses.A_BOLD, BAD: curses.A_BOLD, COOL: 0}
COLOURS = {GOOD: curses.COLOR_GREEN, BUSY: curses.COLOR_YELLOW,
           BAD: curses.COLOR_RED, COOL: curses.COLOR_CYAN}


def user_locale() -> str:
    """That of the user: Python may have changed the variable by now."""
    try:
        with open("/proc/self/environ", "rb") as file:
            pairs = file.read().decode("utf-8", "replace").split("\0")
    except OSError:
        pairs = [f"{k}={v}" for k, v in os.environ.items()]
    found = dict(pair.partition("=")[::2] for pair in pairs)
    return (found.get("LC_ALL") or found.get("LC_CTYPE") or
            found.get("LANG") or "C")


def signs_of(locale_name: str) -> Signs:
    """What the terminal can show, by the name of its locale."""
    name = locale_name.lower().replace("-", "")
    return UNICODE if "utf8" in name else ASCII


def check(batch: str) -> None:
    """Say what is wrong with the terminal while it can be read."""
    for stream, name in ((sys.stdout, "output"), (sys.stdin, "input")):
        if not stream.isatty():
            raise TraceError(f"standard {name} is no terminal; for tables as "
                             f"plain text: {batch}")
    term = os.environ.get("TERM", "")
    try:
        curses.setupterm(term or "unknown", sys.stdout.fileno())
        if not curses.tigetstr("cup"):
            raise curses.error("it cannot move the cursor")
    except curses.error as error:
        raise TraceError(f"TERM={term}: a terminal that cannot be used "
                         f"({error}); try TERM=xterm or TERM=vt100, or: "
                         f"{batch}") from None


class Terminal:
    """To be used by "with"."""

    def __init__(self, signs: Signs):
        self.signs = signs
        self.ended: Optional[int] = None  # the signal that did it
        self.resumed = False
        self.attributes: Dict[int, int] = dict(MONOCHROME)
        self.painted: List[Tuple[List[str], List[int]]] = []
        self.before: Dict[int, object] = {}
        self.poller = select.poll()

    def __enter__(self) -> "Terminal":
        self.screen = curses.initscr()
        try:
            self._set_up()
        except BaseException:
            curses.endwin()
            raise
        return self

    def _set_up(self) -> None:
        curses.noecho()
        curses.cbreak()
        curses.set_escdelay(ESCAPE_WAIT)
        self.screen.keypad(True)
        self.screen.nodelay(True)
        self._hide_cursor()
        if curses.has_colors() and not os.environ.get("NO_COLOR"):
            self._start_colours()
        self.wake_read, self.wake_write = os.pipe2(os.O_NONBLOCK |
                                                   os.O_CLOEXEC)
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)
        for number in WATCHED:
            self.before[number] = signal.signal(number, self._on_signal)
        self.poller.register(sys.stdin.fileno(), select.POLLIN)
        self.poller.register(self.wake_read, select.POLLIN)

    @staticmethod
    def _hide_cursor() -> None:
        try:
            curses.curs_set(0)
        except curses.error:
            pass  # this terminal always shows it

    def _start_colours(self) -> None:
        curses.start_color()
        background = -1
        try:
            curses.use_default_colors()
        except curses.error:
            background = curses.COLOR_BLACK
        for pair, (style, colour) in enumerate(COLOURS.items(), 1):
            curses.init_pair(pair, colour, background)
            self.attributes[style] = curses.color_pair(pair)
        self.attributes[BAD] |= curses.A_BOLD

    def __exit__(self, *_args) -> None:
        signal.set_wakeup_fd(-1)
        try:
            curses.endwin()
        except curses.error:
            pass  # the terminal itself has gone
        for number, handler in self.before.items():
            signal.signal(number, handler)
        os.close(self.wake_read)
        os.close(self.wake_write)

    # --- signals ---

    def _on_signal(self, number: int, _frame) -> None:
        if number in ENDING:
            self.ended = number
        elif number == signal.SIGTSTP:
            self._stop()
        else:
            self.resumed = True

    def _stop(self) -> None:
        """Give the terminal back and stop, as the user wants."""
        curses.endwin()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._on_signal)
        self.resumed = True

    def _resume(self) -> None:
        """After a stop, or with another size: all is to be painted again."""
        self.resumed = False
        curses.reset_prog_mode()
        self._hide_cursor()
        width, height = os.get_terminal_size(sys.stdout.fileno())
        if width > 0 and height > 0:
            curses.resizeterm(height, width)
        self.redraw()

    def redraw(self) -> None:
        self.painted = []
        self.screen.clear()

    # --- input ---

    def wait(self, seconds: float) -> List[str]:
        """The keys that come within this time; fewer if a signal does."""
        events = self.poller.poll(max(0, seconds) * 1000)
        for fd, event in events:
            if fd == self.wake_read:
                os.read(self.wake_read, 4096)
            elif event & (select.POLLHUP | select.POLLERR):
                self.ended = signal.SIGHUP
        if self.resumed:
            self._resume()
        return self._keys()

    def _keys(self) -> List[str]:
        keys = []
        while True:
            try:
                key = self.screen.get_wch()
            except curses.error:
                return keys
            if isinstance(key, str) and key not in NAMES:
                keys.append(key)
            elif key in NAMES:
                keys.append(NAMES[key])

    # --- output ---

    def canvas(self) -> Canvas:
        height, width = self.screen.getmaxyx()
        return Canvas(width, height, self.signs)

    def paint(self, canvas: Canvas) -> None:
        """Only the lines that are not as they were."""
        lines = list(zip(canvas.cells, canvas.styles))
        for y, line in enumerate(lines):
            if y < len(self.painted) and self.painted[y] == line:
                continue
            for x, text, style in canvas.runs(y):
                self._put(y, x, text, self.attributes.get(style, PLAIN))
        self.painted = lines
        self.screen.refresh()

    def _put(self, y: int, x: int, text: str, attribute: int) -> None:
        try:
            self.screen.addstr(y, x, text, attribute)
        except curses.error:
            pass  # the cursor cannot go beyond the last cell
