"""A JSON text read from left to right, so that a large file needs as much memory as its largest value."""

import json
from collections.abc import Iterator
from typing import Final, TextIO

from django.utils.translation import gettext as _

from loyalty.platforms.documents.read import DECODER
from loyalty.platforms.snapshot import NotAnOrder

WHITESPACE: Final = " \t\r\n"
_PIECE: Final = 1 << 18
# Characters of the longest value that is waited for; no order is a tenth as long.
_LONGEST: Final = 1 << 24


class JsonText:
    """What is left of the text, of which a window is in memory. Errors are NotAnOrder with line and column."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._window, self._index = stream, "", 0
        # Of what has left the window: its lines, and the length of the last one.
        self._lines, self._length = 0, 0

    def peek(self) -> str:
        """The next character that is not blank; "" at the end."""
        while True:
            while self._index < len(self._window):
                if self._window[self._index] not in WHITESPACE:
                    return self._window[self._index]
                self._index += 1
            if not self._read_on():
                return ""

    def take(self, expected: str) -> bool:
        """Go on behind the next character if it is ``expected``; answers whether it is."""
        if self.peek() != expected:
            return False
        self._index += 1
        return True

    def require(self, expected: str) -> None:
        """Go on behind the next character, which has to be ``expected``."""
        if not self.take(expected):
            raise self.broken()

    def value(self) -> object:
        """The value that comes next."""
        self.peek()
        while True:
            try:
                value, end = DECODER.raw_decode(self._window, self._index)
            except json.JSONDecodeError as error:
                trouble = self.broken(error.pos)
            except (ValueError, ArithmeticError, RecursionError, StopIteration):
                trouble = self.broken()
            else:
                # A number at the end of the window may go on behind it.
                if end < len(self._window) or not self._read_on():
                    self._index = end
                    return value
                continue
            if len(self._window) - self._index > _LONGEST or not self._read_on():
                raise trouble

    def elements(self) -> Iterator[object]:
        """The elements of the list that comes next, one in memory at a time."""
        self.require("[")
        if self.take("]"):
            return
        yield self.value()
        while not self.take("]"):
            self.require(",")
            yield self.value()

    def require_end(self) -> None:
        """There must be nothing more."""
        if self.peek():
            raise self.broken()

    def broken(self, index: int | None = None) -> NotAnOrder:
        """That the text is no JSON at this place of the window."""
        index = self._index if index is None else index
        line = self._lines + self._window.count("\n", 0, index) + 1
        before = self._window.rfind("\n", 0, index)
        column = index - before if before >= 0 else self._length + index + 1
        return NotAnOrder(
            _("This is not valid JSON (line %(line)s, column %(column)s).") % {"line": line, "column": column}
        )

    def _read_on(self) -> bool:
        """Let go of what is behind us and read on, the further the longer the value is; False at the end."""
        left = len(self._window) - self._index
        piece = self._stream.read(max(_PIECE, left))
        if not piece:
            return False
        gone = self._window[: self._index]
        self._lines += gone.count("\n")
        last = gone.rfind("\n")
        self._length = len(gone) - last - 1 if last >= 0 else self._length + len(gone)
        self._window, self._index = self._window[self._index :] + piece, 0
        return True
