"""The lines of a file that a reviewer needs to see of a finding, before and after."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from porter.findings import Edit, Finding
from porter.report.html.colours import colours
from porter.report.html.differences import applied, compared
from porter.scan.lines import Lines
from porter.sources.tree import is_python

#: Lines above and below a finding, and in a window, at most; windows of a finding, at most.
CONTEXT, MOST_LINES, MOST_WINDOWS = 3, 60, 20
#: Characters: lines up to the first length are whole, of longer ones this much around the finding.
_LONG, _AROUND = 400, 120

_STRING_OR_COMMENT = re.compile(
    r"#[^\r\n]*|(?P<quote>\"\"\"|''')(?:\\.|(?!(?P=quote)).)*(?P=quote)"
    r"|\"(?:\\.|[^\"\\\r\n])*\"|'(?:\\.|[^'\\\r\n])*'",
    re.DOTALL,
)
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass
class Cell:
    """One line of one side. ``marks`` are spans of its text: what the finding is about, or changes.

    ``before`` and ``after`` count the characters that were cut off.
    """

    text: str
    marks: list[tuple[int, int]] = field(default_factory=list)
    before: int = 0
    after: int = 0
    colours: str = ""

    def document(self) -> Any:
        """Only what is there, from the right: text, colours, marks, what was cut off."""
        flat = [offset for mark in self.marks for offset in mark]
        cut = [self.before, self.after] if self.before or self.after else []
        values: list[Any] = [self.text, self.colours, flat, cut]
        while not values[-1] and len(values) > 1:
            values.pop()
        return values

    def shortened(self) -> Cell:
        """The part around the marks."""
        first = min((start for start, _ in self.marks), default=0)
        last = min(max((end for _, end in self.marks), default=0), first + _LONG)
        start, end = max(first - _AROUND, 0), min(last + _AROUND, len(self.text))
        marks = [
            (max(mark[0], start) - start, min(mark[1], end) - start)
            for mark in self.marks
            if mark[0] < end
        ]
        return Cell(self.text[start:end], marks, start, len(self.text) - end)


@dataclass
class Row:
    """A line on both sides: the same, where ``after`` is ``before``, or changed, new or gone."""

    before: Cell | None
    after: Cell | None

    @property
    def changes(self) -> bool:
        return self.before is not self.after


class Windows:
    """The windows of one file's findings; ``text`` is the file before."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._lines = Lines(text)
        self._strings = list(_long_strings(text)) if is_python(path) else []
        self._colours: dict[tuple[str, str], str] = {}
        self._string_starts = [start for start, _, _ in self._strings]

    def of(self, finding: Finding, edits: Sequence[Edit]) -> list[dict[str, Any]]:
        """As JSON data; ``edits`` are those of the finding's whole hunk, sorted."""
        lines = self._lines
        span = (
            lines.at(finding.line, finding.column),
            lines.at(finding.end_line, finding.end_column),
        )
        places = [span, *((edit.start, edit.end) for edit in finding.edits)]
        windows = list(_clustered(self._touched(*place) for place in places))
        focus = None if finding.edits else span
        return [self._window(*window, edits, focus) for window in windows[:MOST_WINDOWS]]

    def of_edit(self, edit: Edit) -> dict[str, Any]:
        """The window around one edit, such as an added import."""
        first, last = self._touched(edit.start, edit.end)
        return self._window(first, last, [edit], None)

    def _touched(self, start: int, end: int) -> tuple[int, int]:
        """The first and the last line of a span, from 0; an empty line end belongs to its line."""
        first = self._lines.place(start)[0] - 1
        return first, self._lines.place(max(start, end - 1))[0] - 1

    def _window(
        self, first: int, last: int, edits: Iterable[Edit], focus: tuple[int, int] | None
    ) -> dict[str, Any]:
        first = max(first - CONTEXT, 0)
        last = min(last + CONTEXT, len(self._lines.starts) - 1)
        start, end = self._lines.starts[first], self._end(last)
        inside = [edit for edit in edits if start <= edit.start and edit.end <= end]
        if not inside:
            last = min(last, first + MOST_LINES)
        rows = list(self._rows(first, last, inside))
        if focus is not None:
            for row, line in zip(rows, range(first, last + 1), strict=False):
                self._mark(row, line, focus)
        self._finish(rows, first)
        shown = list(_folded(rows))
        document = {"line": first + 1, "rows": shown[:MOST_LINES]}
        hidden = max(len(shown) - MOST_LINES, 0)
        return document | ({"hidden": True} if hidden else {})

    def _rows(self, first: int, last: int, edits: Sequence[Edit]) -> Iterator[Row]:
        """The rows of the lines ``first`` to ``last``, after ``edits`` within them."""
        line = first
        for group in self._grouped(edits):
            begin, stop = group.first, group.stop
            yield from (self._unchanged(number) for number in range(line, begin))
            yield from self._changed(begin, stop, group.edits)
            line = stop
        yield from (
            self._unchanged(number) for number in range(line, last + 1) if self._exists(number)
        )

    def _grouped(self, edits: Sequence[Edit]) -> Iterator[_Group]:
        """Edits that share a line, with the lines that they touch: none, for lines put between."""
        group: _Group | None = None
        for edit in edits:
            first, last = self._touched(edit.start, edit.end)
            between = edit.start == edit.end == self._lines.starts[first] and bool(
                _LINE_END.search(edit.replacement[-2:])
            )
            stop = first if between else last + 1
            if group is not None and first < group.stop:
                group = _Group(group.first, max(group.stop, stop), [*group.edits, edit])
                continue
            if group is not None:
                yield group
            group = _Group(first, stop, [edit])
        if group is not None:
            yield group

    def _changed(self, first: int, stop: int, edits: Sequence[Edit]) -> Iterator[Row]:
        start = self._lines.starts[first]
        old = self._lines.text[start : self._end(stop - 1)] if stop > first else ""
        shifted = [Edit(edit.start - start, edit.end - start, edit.replacement) for edit in edits]
        new, old_marks, new_marks = applied(old, shifted)
        before, after = _cells(old, old_marks), _cells(new, new_marks)
        if len(before) == len(after):
            yield from (
                Row(one, one if one.text == other.text else other)
                for one, other in zip(before, after, strict=True)
            )
            return
        codes = compared([cell.text for cell in before], [cell.text for cell in after])
        for tag, old_first, old_last, new_first, new_last in codes:
            if tag == "equal":
                yield from (Row(cell, cell) for cell in before[old_first:old_last])
            else:
                pairs = zip_longest(before[old_first:old_last], after[new_first:new_last])
                yield from (Row(one, other) for one, other in pairs)

    def _unchanged(self, line: int) -> Row:
        cell = Cell(self._text(line))
        return Row(cell, cell)

    def _exists(self, line: int) -> bool:
        """Whether a line is more than what follows the last line end."""
        return line + 1 < len(self._lines.starts) or bool(self._text(line))

    def _mark(self, row: Row, line: int, span: tuple[int, int]) -> None:
        if row.before is None or row.changes:
            return
        start = self._lines.starts[line]
        first = max(span[0] - start, 0)
        last = min(span[1] - start, len(row.before.text))
        if first < last:
            row.before.marks.append((first, last))

    def _finish(self, rows: list[Row], first: int) -> None:
        """Cut what is long and colour the rest; ``first`` is the line of the first row."""
        line = first
        for row in rows:
            inside = self._quote_at(line)
            same = not row.changes
            row.before = row.before and self._finished(row.before, inside)
            row.after = row.before if same else row.after and self._finished(row.after, inside)
            line += row.before is not None

    def _finished(self, cell: Cell, inside: str) -> Cell:
        """Colours of a part of a line would be guesses: what is cut has none."""
        if len(cell.text) > _LONG:
            return cell.shortened()
        key = (cell.text, inside)
        if key not in self._colours:
            self._colours[key] = colours(self._path, *key)
        cell.colours = self._colours[key]
        return cell

    def _quote_at(self, line: int) -> str:
        """The quote of the string that a line begins in."""
        if line >= len(self._lines.starts):
            return ""
        offset = self._lines.starts[line]
        index = bisect_right(self._string_starts, offset - 1) - 1
        if index >= 0:
            _, end, quote = self._strings[index]
            if offset < end:
                return quote
        return ""

    def _end(self, line: int) -> int:
        starts = self._lines.starts
        return starts[line + 1] if line + 1 < len(starts) else len(self._lines.text)

    def _text(self, line: int) -> str:
        return self._lines.text[self._lines.starts[line] : self._end(line)].rstrip("\r\n")


@dataclass(frozen=True)
class _Group:
    """Edits of the lines from ``first`` up to, without, ``stop``."""

    first: int
    stop: int
    edits: list[Edit]


def _folded(rows: Sequence[Row]) -> Iterator[Any]:
    """The rows as JSON data; of unchanged ones far from any change only how many they are."""
    changed = [index for index, row in enumerate(rows) if row.changes]
    near = {at + by for at in changed for by in range(-CONTEXT, CONTEXT + 1)}
    folded = 0
    for index, row in enumerate(rows):
        if changed and index not in near:
            folded += 1
            continue
        if folded:
            yield folded
            folded = 0
        sides = (row.before, row.after) if row.changes else (row.before,)
        yield [None if cell is None else cell.document() for cell in sides]
    if folded:
        yield folded


def _long_strings(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _STRING_OR_COMMENT.finditer(text):
        if match["quote"]:
            yield match.start(), match.end(), match["quote"]


def _clustered(places: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans of lines, those together whose contexts touch."""
    current: tuple[int, int] | None = None
    for first, last in sorted(places):
        if current is not None and first - current[1] <= 2 * CONTEXT + 1:
            current = (current[0], max(current[1], last))
        else:
            if current is not None:
                yield current
            current = (first, last)
    if current is not None:
        yield current


def _cells(text: str, marks: Sequence[tuple[int, int]]) -> list[Cell]:
    """A cell a line, with the part of the marks that falls into it."""
    lines = Lines(text)
    cells: list[Cell] = []
    for start, end in zip(lines.starts, [*lines.starts[1:], len(text)], strict=True):
        line = text[start:end].rstrip("\r\n")
        spans = [(max(a - start, 0), min(b - start, len(line))) for a, b in marks if b > start]
        cells.append(Cell(line, [span for span in spans if span[0] < span[1]]))
    if not cells[-1].text and text[-1:] in ("", "\r", "\n"):
        cells.pop()
    return cells
