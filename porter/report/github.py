"""Annotations of GitHub Actions: workflow commands, one line a finding.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions has the form, the
toolkit's ``command.ts`` what is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from porter.findings import FileResult, Finding, Result
from porter.report.level import LEVELS
from porter.wording import plural

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def to_github(result: Result, base: Path) -> str:
    """One command a line. Paths are from ``base``, the top of the repository."""
    return "".join(f"{line}\n" for file in result.files for line in _file(file, result, base))


def _file(file: FileResult, result: Result, base: Path) -> Iterator[str]:
    place = result.place(file, base)
    for finding in file.findings:
        yield _command(LEVELS[finding.verdict].value, _where(finding, place), _message(finding))
    if file.unaccounted:
        where = {"file": place, "title": "porter"}
        count = plural(file.unaccounted, "construct")
        yield _command("error", where, f"{count} unaccounted for")


def _command(name: str, properties: dict[str, str], message: str) -> str:
    listed = ",".join(f"{key}={value.translate(_PROPERTY)}" for key, value in properties.items())
    return f"::{name} {listed}::{message.translate(_DATA)}"


def _where(finding: Finding, place: str) -> dict[str, str]:
    where = {"file": place, "line": str(finding.line), "endLine": str(finding.end_line)}
    if finding.line == finding.end_line:  # GitHub refuses columns of several lines
        where |= {"col": str(finding.column), "endColumn": str(finding.end_column)}
    title = f"{finding.rule} {finding.verdict.value}, effort {finding.effort.value}"
    return {**where, "title": title}


def _message(finding: Finding) -> str:
    if finding.after is None:
        return finding.message
    return f"{finding.message}\n{finding.before}\n-> {finding.after.strip() or '(nothing)'}"
