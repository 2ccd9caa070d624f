"""What the review page is told: the findings with their code, as JSON data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from porter import __version__
from porter.findings import Edit, FileResult, Finding, Result
from porter.report.html.windows import Windows
from porter.rulebook import Rule, Rulebook
from porter.selection import SCHEMA_VERSION, Choice, Selection

#: Characters of code before and after that the list and the exported selection show.
_SHOWN = 400

#: The text of a file as it was read, None where there is none to show.
Read = Callable[[FileResult], str | None]


@dataclass(frozen=True)
class Rung:
    """One rung of the ladder, as the page shows it."""

    name: str
    status: str
    detail: str
    does_not_prove: str
    failures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def page_data(
    result: Result,
    book: Rulebook,
    read: Read,
    options: Mapping[str, Any],
    earlier: Selection | None = None,
) -> dict[str, Any]:
    """Everything that the page's script works on.

    ``result`` was analysed with ``Options.hunks``, and ``options`` are those of its
    analysis. Decisions of an ``earlier`` review come back where a hunk is as it was.
    """
    files = [_file(file, read) for file in result.files]
    hunks = sorted({finding.hunk for finding in result.findings()})
    source = ", ".join(result.sources)
    return {
        "schema_version": SCHEMA_VERSION,
        "porter": __version__,
        "source": source,
        "identity": sha256("\n".join([source, *hunks]).encode(errors="replace")).hexdigest()[:16],
        "options": dict(options),
        "rules": {identifier: _rule(book[identifier]) for identifier in _rules(result)},
        "files": files,
        "decided": dict(_decided(hunks, earlier)),
    }


def _rules(result: Result) -> list[str]:
    return sorted({finding.rule for finding in result.findings()})


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "title": rule.title,
        "verdict": rule.verdict.value,
        "effort": rule.effort.value,
        "note": rule.note,
        "becomes": rule.replacement or ("The statement is removed." if rule.remove else None),
        "since": rule.since,
        "sources": list(rule.source),
        "examples": [
            {"before": example.code.strip("\n"), "after": _stripped(example.after)}
            for example in rule.invalid
        ],
    }


def _stripped(code: str | None) -> str | None:
    return None if code is None else code.strip("\n")


def _file(file: FileResult, read: Read) -> dict[str, Any]:
    text = read(file)
    windows = None if text is None else Windows(file.path, text)
    edits: dict[str, list[Edit]] = {}
    for finding in file.findings:
        edits.setdefault(finding.hunk, []).extend(finding.edits)
    return {
        "path": file.path,
        "unaccounted": file.unaccounted,
        "added": [windows.of_edit(edit) for edit in _added(file)] if windows else [],
        "findings": [
            _finding(finding, windows, sorted(edits[finding.hunk])) for finding in file.findings
        ],
    }


def _added(file: FileResult) -> list[Edit]:
    """The edits that no finding has: imports of the bridge."""
    told = {edit for finding in file.findings for edit in finding.edits}
    return [edit for edit in file.edits if edit not in told]


def _finding(finding: Finding, windows: Windows | None, edits: list[Edit]) -> dict[str, Any]:
    return {
        "hunk": finding.hunk,
        "rule": finding.rule,
        "verdict": finding.verdict.value,
        "effort": finding.effort.value,
        "status": finding.status.value,
        "constructs": finding.constructs,
        "line": finding.line,
        "column": finding.column,
        "before": _short(finding.before),
        "after": None if finding.after is None else _short(finding.after),
        "message": finding.message,
        "windows": windows.of(finding, edits) if windows else [],
    }


def _short(code: str) -> str:
    return code if len(code) <= _SHOWN else f"{code[:_SHOWN]}…"


def _decided(hunks: Iterable[str], earlier: Selection | None) -> Iterator[tuple[str, list[str]]]:
    decisions = earlier.decisions if earlier is not None else {}
    for hunk in hunks:
        decided = decisions.get(hunk)
        if decided is not None and (decided.choice is not Choice.UNDECIDED or decided.note):
            yield hunk, [decided.choice.value, decided.note]
