"""A text by its lines, which end as Python's may."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import accumulate

_LINE_END = re.compile(r"\r\n|\r|\n")

_Fits = Callable[[str, str], bool]


def anywhere(_before: str, _behind: str) -> bool:
    return True


def as_word(before: str, behind: str) -> bool:
    return not (_continues(before) or _continues(behind))


def as_variable(before: str, behind: str) -> bool:
    """As a whole word that is no attribute."""
    return before != "." and as_word(before, behind)


def as_target(before: str, behind: str) -> bool:
    """As a variable that may be bound: not one whose attribute is asked for."""
    return behind != "." and as_variable(before, behind)


def _continues(character: str) -> bool:
    return character.isalnum() or character == "_"


class Lines:
    """Offsets count characters of ``text``, lines from 1."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def starts(self) -> list[int]:
        """The offset of each line."""
        if "\r" in self.text:
            return [0, *(match.end() for match in _LINE_END.finditer(self.text))]
        ends = accumulate(len(line) + 1 for line in self.text.split("\n")[:-1])
        return [0, *ends]

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

    def lines_with(self, part: str, fits: _Fits = anywhere) -> Iterator[int]:
        """The lines on which ``part`` stands where it ``fits`` between its two neighbours."""
        text, position = self.text, self.text.find(part)
        while position >= 0:
            end = position + len(part)
            if fits(text[position - 1 : position], text[end : end + 1]):
                line = bisect_right(self.starts, position)
                yield line
                if line == len(self.starts):
                    return
                end = self.starts[line]
            position = text.find(part, end)
