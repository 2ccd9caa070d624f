"""The result as SARIF 2.1.0 (OASIS), for code scanning and for editors.

Columns are counted in UTF-16 units, which most readers take for granted; lines end as Python's
do, at a lone carriage return too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from porter import __version__
from porter.findings import Edit, FileResult, Finding, Ignored, IgnoredBy, Result
from porter.report.fingerprint import fingerprints
from porter.report.level import LEVELS, Level
from porter.report.rule_pages import page_url, rule_page_text
from porter.rulebook import Rule, Rulebook
from porter.scan.lines import Lines

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_BASE = "SRCROOT"
_FINGERPRINT = "porterFinding/v1"
_KINDS = {IgnoredBy.COMMENT: "inSource", IgnoredBy.BASELINE: "external"}

#: The text that the findings of a file speak of, None where it is not there any more.
TextOf = Callable[[FileResult], str | None]


def to_sarif(
    result: Result, book: Rulebook, base: Path, text_of: TextOf, rule_pages: str | None = None
) -> dict[str, Any]:
    """A document for ``dumps`` with one run. Paths are from ``base``, the top of the repository.

    Rules link to ``rule_pages``, if there are such, and carry their pages in any case.
    Fixes and columns need a file's text: without it a finding has its lines alone.
    """
    run = _Run(result, base, text_of)
    results = [item for file in result.files for item in run.results(file)]
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "porter",
                        "version": __version__,
                        "semanticVersion": __version__,
                        "rules": [_rule(book[identifier], rule_pages) for identifier in run.rules],
                    }
                },
                "invocations": [
                    {"executionSuccessful": True, "workingDirectory": {"uri": _folder_uri(base)}}
                ],
                "originalUriBaseIds": run.bases(),
                "columnKind": "utf16CodeUnits",
                "newlineSequences": ["\r\n", "\r", "\n"],
                "results": results,
            }
        ],
    }


class _Run:
    """``rules`` are the ids in the order in which the results speak of them first."""

    def __init__(self, result: Result, base: Path, text_of: TextOf) -> None:
        self._result = result
        self._base = base
        self._text_of = text_of
        self.rules: dict[str, int] = {}

    def bases(self) -> dict[str, Any]:
        bases: dict[str, Any] = {_BASE: {"uri": _folder_uri(self._base)}}
        for number, source in enumerate(self._result.sources):
            if not self._is_folder(number):
                bases[_archive(number)] = {"description": {"text": source}}
        return bases

    def results(self, file: FileResult) -> Iterator[dict[str, Any]]:
        text = self._text_of(file)
        regions = None if text is None else _Regions(text)
        artifact = self._artifact(file)
        shown = sorted(
            [*((finding, None) for finding in file.findings), *_with_findings(file.ignored)],
            key=lambda pair: (pair[0].line, pair[0].column),
        )
        marks = fingerprints((finding for finding, _ in shown), artifact["uri"])
        for (finding, ignored), mark in zip(shown, marks, strict=True):
            yield {
                "ruleId": finding.rule,
                "ruleIndex": self.rules.setdefault(finding.rule, len(self.rules)),
                "level": _level(LEVELS[finding.verdict]),
                "message": {"text": finding.message},
                "locations": [_location(finding, artifact, regions)],
                "partialFingerprints": {_FINGERPRINT: mark},
                **_fixes(finding, artifact, regions),
                **_suppressions(ignored),
                "properties": {
                    "verdict": finding.verdict.value,
                    "effort": finding.effort.value,
                    "status": finding.status.value,
                    "constructs": finding.constructs,
                },
            }

    def _artifact(self, file: FileResult) -> dict[str, str]:
        if not self._is_folder(file.source):
            return {"uri": _uri(file.path), "uriBaseId": _archive(file.source)}
        place = self._result.place(file, self._base)
        if place.startswith("/"):
            return {"uri": f"file://{_uri(place)}"}
        return {"uri": _uri(place), "uriBaseId": _BASE}

    def _is_folder(self, source: int) -> bool:
        return bool(self._result.folders[source])


class _Regions:
    """Places of one text as SARIF counts them."""

    def __init__(self, text: str) -> None:
        self._lines = Lines(text)

    def of(self, finding: Finding) -> dict[str, Any]:
        start = self._column(finding.line, finding.column)
        end = self._column(finding.end_line, finding.end_column)
        return _region(finding.line, start, finding.end_line, end)

    def of_edit(self, edit: Edit) -> dict[str, Any]:
        (line, column), (end_line, end_column) = map(self._lines.place, (edit.start, edit.end))
        start, end = self._column(line, column), self._column(end_line, end_column)
        return _region(line, start, end_line, end)

    def _column(self, line: int, column: int) -> int:
        start = self._lines.starts[line - 1]
        before = self._lines.text[start : start + column - 1]
        return len(before.encode("utf-16-le", "surrogatepass")) // 2 + 1


def _region(line: int, column: int, end_line: int, end_column: int) -> dict[str, Any]:
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _location(
    finding: Finding, artifact: dict[str, str], regions: _Regions | None
) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": finding.line, "endLine": finding.end_line}
    if regions is not None:
        region = regions.of(finding)
    if finding.before:
        region["snippet"] = {"text": finding.before}
    return {"physicalLocation": {"artifactLocation": artifact, "region": region}}


def _fixes(finding: Finding, artifact: dict[str, str], regions: _Regions | None) -> dict[str, Any]:
    """Its own edits: fixes of several findings never overlap, and all make the rewritten code."""
    if regions is None or not finding.edits:
        return {}
    replacements = [
        {
            "deletedRegion": regions.of_edit(edit),
            "insertedContent": {"text": edit.replacement},
        }
        for edit in finding.edits
    ]
    changes = [{"artifactLocation": artifact, "replacements": replacements}]
    what = finding.after.strip() if finding.after else ""
    description = f"Write {what}" if what else "Remove it"
    return {"fixes": [{"description": {"text": description}, "artifactChanges": changes}]}


def _suppressions(ignored: Ignored | None) -> dict[str, Any]:
    if ignored is None:
        return {}
    suppression = {"kind": _KINDS[ignored.by], "status": "accepted"}
    if ignored.reason:
        suppression["justification"] = ignored.reason
    return {"suppressions": [suppression]}


def _with_findings(ignored: tuple[Ignored, ...]) -> Iterator[tuple[Finding, Ignored]]:
    return ((item.finding, item) for item in ignored)


def _rule(rule: Rule, rule_pages: str | None) -> dict[str, Any]:
    page = rule_page_text(rule)
    url = page_url(rule_pages, rule.id)
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.note},
        "help": {
            "text": f"{rule.note} `porter rules show {rule.id}` is its page.",
            "markdown": page,
        },
        **({"helpUri": url} if url else {}),
        "defaultConfiguration": {"level": _level(LEVELS[rule.verdict])},
        "properties": {"tags": [f"verdict-{rule.verdict.value}", f"effort-{rule.effort.value}"]},
    }


def _level(level: Level) -> str:
    return "note" if level is Level.NOTICE else level.value


def _archive(source: int) -> str:
    return f"SOURCE{source + 1}"


def _uri(path: str) -> str:
    return quote(os.fsencode(path))


def _folder_uri(folder: Path) -> str:
    return f"{folder.as_uri().rstrip('/')}/"
