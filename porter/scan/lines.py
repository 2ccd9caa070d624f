"""A text by its lines, which end as Python's may."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

_LINE_END = re.compile(r"\r\n|\r|\n")


class Lines:
    """Offsets count characters of ``text``."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def starts(self) -> list[int]:
        """The offset of each line."""
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    @cached_property
    def newline(self) -> str:
        """The line end that the text uses first."""
        match = _LINE_END.search(self.text)
        return match.group() if match else "\n"

    def place(self, offset: int) -> tuple[int, int]:
        """1-based line and column, in characters, of an offset."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def at(self, line: int, column: int) -> int:
        """The offset of a place."""
        return self.starts[line - 1] + column - 1

    def line_start(self, offset: int) -> int:
        return self.starts[self.place(offset)[0] - 1]

    def line_end(self, offset: int) -> int:
        """Offset just behind the line end of the line that holds ``offset``."""
        line = self.place(offset)[0]
        return self.starts[line] if line < len(self.starts) else len(self.text)
