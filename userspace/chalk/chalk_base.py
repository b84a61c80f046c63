# SPDX-License-Identifier: GPL-2.0
"""chalk_base.py - what every tool stands on: errors, warnings, how it ends.

Owns the one line by which a tool says what is wrong, and the text that may go
to a terminal: a trace, the name of a file or of a program may hold anything.
"""

import errno
import io
import os
import sys
import unicodedata
from typing import Callable, List, NoReturn

FULL_PIPE, INTERRUPTED = 141, 130
_warnings: List[str] = []


class TraceError(Exception):
    """Something that cannot be done; the message is for the user."""


def _shown(char: str) -> str:
    plain = char.isprintable() or unicodedata.category(char) == "Zs"
    return char if plain else "?"


def printable(text: str) -> str:
    """Without what a terminal or a file of XML takes for more than text."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


def excerpt(text: str, most: int = 40) -> str:
    """A piece of what was read, for a message."""
    shown = printable(text[:most])
    return f"'{shown}...'" if len(text) > most else f"'{shown}'"


def warn(message: str) -> None:
    """Say it beside the result; an error takes it into its line."""
    _warnings.append(message)


def _say(line: str) -> None:
    """A line on standard error, if there is one."""
    try:
        if sys.stderr:
            print(printable(line), file=sys.stderr, flush=True)
    except OSError:
        pass


class _Closed(io.TextIOBase):
    """What stands for a standard output that was closed."""

    encoding = "utf-8"

    def write(self, _text: str) -> int:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    @property
    def buffer(self) -> NoReturn:
        """What the bytes would go to."""
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def _give_up_output() -> None:
    """Let the interpreter's last flush find a place for what is left."""
    try:
        output = sys.stdout.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, output)
        os.close(nowhere)
    except (OSError, ValueError):
        pass


def _failed(tool: str, reason: str) -> int:
    _give_up_output()
    _say("; ".join([f"{tool}: {reason}"] + _warnings))
    return 1


def _finished(main: Callable[[], int], tool: str) -> int:
    status = main()
    sys.stdout.flush()
    for message in _warnings:
        _say(f"{tool}: {message}")
    return status


def run(main: Callable[[], int], tool: str) -> None:
    """Call a tool's main(); an error becomes one line and status 1."""
    _warnings.clear()
    if sys.stdout is None:
        sys.stdout = _Closed()
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        status = _finished(main, tool)
    except TraceError as error:
        status = _failed(tool, str(error))
    except BrokenPipeError:
        _give_up_output()
        status = FULL_PIPE
    except OSError as error:
        place = os.fsdecode(error.filename or "standard output")
        status = _failed(tool, f"{place}: {error.strerror or error}")
    except MemoryError:
        status = _failed(tool, "not enough memory")
    except KeyboardInterrupt:
        _give_up_output()
        status = INTERRUPTED
    sys.exit(status)
