"""``# porter: ignore[HPU201] reason``: what somebody decided to leave as it is.

A comment is about the line that it ends, or, alone on its line, about the next one with
code; ``ignore-file`` is about the whole file. It names rules, or beginnings of their ids.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from porter.codemods.reporting import reported
from porter.findings import FileResult, Finding, Ignored, IgnoredBy
from porter.rulebook import Rulebook
from porter.scan.config import is_config, without_remarks
from porter.scan.lines import Lines

IGNORES_NOTHING = "HPU005"
_MARK = "porter:"
_COMMENT = re.compile(
    r"(?:[#;]|//)\s*porter:\s*ignore(?P<file>-file)?\b(?:\[(?P<rules>[^\]\r\n]*)\])?(?P<reason>[^#\r\n]*)"
)
_ALONE = re.compile(r"\s*(?:[#;]|//)")


def may_ignore(data: bytes) -> bool:
    """Whether a file can have such a comment, by a cheap look at its bytes."""
    return _MARK.encode() in data


@dataclass(frozen=True)
class IgnoreComment:
    """``line`` is the 1-based line that it is about, None for the whole file.

    ``start`` and ``end`` are the offsets of the comment itself.
    """

    rules: tuple[str, ...]
    reason: str
    line: int | None
    start: int
    end: int

    def rule_for(self, identifier: str, first: int, last: int) -> str | None:
        """Which of ``rules`` covers a finding in the lines from ``first`` to ``last``."""
        if self.line is not None and not first <= self.line <= last:
            return None
        return next((rule for rule in self.rules if identifier.startswith(rule)), None)


class IgnoreComments:
    """Those of one file."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._lines = Lines(text)

    @cached_property
    def _comments(self) -> tuple[IgnoreComment, ...]:
        text = self._lines.text
        if _MARK not in text:
            return ()
        starts = _config_comments if is_config(self._path) else _python_comments
        return tuple(
            self._parsed(match)
            for start, end in starts(self._path, self._lines)
            for match in _COMMENT.finditer(text, start, end)
        )

    def covers(self, identifier: str, first: int, last: int) -> bool:
        """Whether a finding in these lines is to be left as it is."""
        return any(comment.rule_for(identifier, first, last) for comment in self._comments)

    def applied(self, result: FileResult, book: Rulebook, *, shown: bool) -> FileResult:
        """``result`` without what is ignored, and with a finding for each comment in vain.

        Where it is to be ``shown`` it stays among the findings, though it is not edited.
        """
        if not self._comments:
            return result
        used: set[tuple[IgnoreComment, str]] = set()
        aside: dict[Finding, Ignored] = {}
        for finding in result.findings:
            for comment in self._comments:
                named = comment.rule_for(finding.rule, finding.line, finding.end_line)
                if named is not None:
                    used.add((comment, named))
                    aside[finding] = Ignored(finding, IgnoredBy.COMMENT, comment.reason)
        rule = book[IGNORES_NOTHING]
        idle = [
            reported(rule, self._path, self._lines, (comment.start, comment.end), detail=detail)
            for comment in self._comments
            for detail in _in_vain(comment, used, book)
        ]
        kept = result if shown else result.setting_aside(aside)
        return kept.adding(idle)

    def _parsed(self, match: re.Match[str]) -> IgnoreComment:
        rules = (rule.strip().upper() for rule in (match["rules"] or "").split(","))
        return IgnoreComment(
            rules=tuple(rule for rule in rules if rule),
            reason=match["reason"].strip(" \t:-"),
            line=None if match["file"] else self._line(match.start()),
            start=match.start(),
            end=match.start() + len(match.group().rstrip()),
        )

    def _line(self, offset: int) -> int:
        line, _ = self._lines.place(offset)
        if not _ALONE.match(self._text_of(line)):
            return line
        following = range(line + 1, len(self._lines.starts) + 1)
        return next((number for number in following if self._has_code(number)), line)

    def _has_code(self, line: int) -> bool:
        text = self._text_of(line)
        return bool(text.strip()) and not _ALONE.match(text)

    def _text_of(self, line: int) -> str:
        start = self._lines.starts[line - 1]
        return self._lines.text[start : self._lines.line_end(start)]


def _in_vain(
    comment: IgnoreComment, used: set[tuple[IgnoreComment, str]], book: Rulebook
) -> Iterator[str]:
    """What a comment says that has no effect."""
    if not comment.rules:
        yield "it names no rule, as ignore[HPU201] does"
    where = "in this file" if comment.line is None else "on its line"
    for rule in comment.rules:
        if not any(known.id.startswith(rule) for known in book):
            yield f"{rule} is no rule"
        elif (comment, rule) not in used:
            yield f"nothing of {rule} is found {where}"


def _python_comments(_path: str, lines: Lines) -> Iterator[tuple[int, int]]:
    """The spans of the comments, up to where the text is no Python any more."""
    tokens = tokenize.generate_tokens(io.StringIO(lines.text, newline="").readline)
    try:
        for token in tokens:
            if token.type == tokenize.COMMENT:
                start = lines.starts[token.start[0] - 1] + token.start[1]
                yield start, start + len(token.string)
    except (tokenize.TokenError, SyntaxError):
        return


def _config_comments(path: str, lines: Lines) -> Iterator[tuple[int, int]]:
    """The spans in which the comments of other files stand."""
    code = without_remarks(path, lines.text)
    for match in _COMMENT.finditer(lines.text):
        if code[match.start()] == " ":
            yield match.span()
