"""Pieces of Markdown, in which nothing that a source says is taken for markup."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from porter.report.visible import visible

_MARKS = re.compile(r"([\\`*_{}\[\]<>|~&])")
#: What GitHub makes links of: people, teams, issues.
_REFERENCES = re.compile(r"([@#])(?=\w)")
_TICKS = re.compile(r"`+")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table of cells that are Markdown already."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def prose(text: str) -> str:
    """``text`` on one line, to be read as it is."""
    line = _MARKS.sub(r"\\\1", visible(" ".join(text.split())))
    return _REFERENCES.sub(r"\1<!-- -->", line)


def code_in_html(line: str) -> str:
    """One line of code where only HTML is read, such as a summary."""
    return f"<code>{html.escape(visible(line))}</code>"


def fenced(language: str, lines: Sequence[str]) -> Iterator[str]:
    """The lines of a block of code, none of which can end it."""
    longest = max((len(ticks) for line in lines for ticks in _TICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}{language}"
    yield from map(visible, lines)
    yield fence
