# SPDX-License-Identifier: GPL-2.0
"""chalk_out.py - the files that the tools write.

Owns the rule, one for all: the file that the user names is replaced, as a
whole or not at all. It is never one of those that are being read, and never
another's that a symbolic link stands for. The new one is made beside it and
takes its name at the end; one that grows for as long as something happens
takes it at once. A device or a pipe is written to as it is.
"""

import os
import secrets
import stat
import sys
from typing import IO, Iterable, Optional, Union

from chalk_base import TraceError

STDIN = "-"
PRIVATE, USUAL = 0o600, 0o666


def _error(path: str, error: OSError) -> TraceError:
    return TraceError(f"{path}: {error.strerror}")


def _status(source: str) -> Optional[os.stat_result]:
    try:
        return os.fstat(0) if source == STDIN else os.stat(source)
    except OSError:
        return None


def _check(path: str, sources: Iterable[str]) -> Optional[os.stat_result]:
    """What is there under this name, if it may be written."""
    try:
        there = os.lstat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _error(path, error) from None
    if stat.S_ISLNK(there.st_mode):
        raise TraceError(f"{path} is a symbolic link: name the file itself")
    for source in sources:
        known = _status(source)
        if known and os.path.samestat(there, known):
            raise TraceError(f"{path} is being read: write to another file")
    if stat.S_ISDIR(there.st_mode):
        raise TraceError(f"{path}: Is a directory")
    return there


def privacy(sources: Iterable[str]) -> int:
    """The mode of what holds the same as these: no more open than they are."""
    mode = USUAL
    for source in sources:
        known = _status(source)
        if known and stat.S_ISREG(known.st_mode):
            mode &= known.st_mode
    return mode | stat.S_IRUSR | stat.S_IWUSR


class Output:
    """A file in the making; it is there when the block ends without an error.

    At once: it is there from the beginning.
    """

    def __init__(self, path: str, sources: Iterable[str] = (),
                 mode: int = USUAL, at_once: bool = False):
        self.path = path
        self.temporary = ""
        there = _check(path, sources)
        try:
            if there and not stat.S_ISREG(there.st_mode):
                fd = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            else:
                fd = self._create(mode)
                if there:
                    os.fchmod(fd, stat.S_IMODE(there.st_mode) & mode)
            self.file: IO[bytes] = os.fdopen(fd, "wb")
            if at_once:
                self._appear()
        except OSError as error:
            self._forget()
            raise _error(path, error) from None

    def _create(self, mode: int) -> int:
        place, name = os.path.split(self.path)
        self.temporary = os.path.join(
            place, f".{name[:200]}.{secrets.token_hex(4)}")
        try:
            return os.open(self.temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL
                           | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        except OSError:
            self.temporary = ""
            raise

    def _appear(self) -> None:
        if self.temporary:
            os.rename(self.temporary, self.path)
            self.temporary = ""

    def _forget(self) -> None:
        if self.temporary:
            os.unlink(self.temporary)
            self.temporary = ""

    def close(self) -> None:
        """All is written."""
        try:
            self.file.close()
            self._appear()
        except OSError as error:
            self._forget()
            raise _error(self.path, error) from None

    def __enter__(self) -> IO[bytes]:
        return self.file

    def __exit__(self, kind, value, _traceback) -> None:
        if kind is None:
            self.close()
            return
        try:
            self.file.close()
        except OSError:
            pass
        self._forget()
        if isinstance(value, OSError) and not isinstance(
                value, BrokenPipeError) and value.filename is None:
            raise _error(self.path, value) from None


class StandardOutput:
    """The same for what goes to standard output."""

    def __enter__(self) -> IO[bytes]:
        return sys.stdout.buffer

    def __exit__(self, *_) -> None:
        pass


def output(path: Optional[str], sources: Iterable[str] = (),
           mode: int = USUAL, at_once: bool = False
           ) -> Union[Output, StandardOutput]:
    """The file of this name, or standard output."""
    if path is None:
        return StandardOutput()
    return Output(path, sources, mode, at_once)


def write(path: str, content: Union[str, bytes],
          sources: Iterable[str] = ()) -> None:
    """Make a file of a text, or of bytes."""
    if isinstance(content, str):
        content = content.encode("utf-8", "replace")
    with Output(path, sources) as file:
        file.write(content)
