"""A baseline: the findings that are known, so that only new ones fail a check."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from porter.errors import PorterError
from porter.findings import FileResult, Finding, Ignored, IgnoredBy, Result
from porter.report.fingerprint import code_of
from porter.report.json import dumps
from porter.table import Table

_SCHEMA_VERSION = 1

#: Path, rule and code of a finding: it is the same one wherever in the file it stands.
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Baseline:
    """How often each finding is known. Paths are from the folder of the baseline's file."""

    counts: Mapping[Key, int]

    @classmethod
    def of(cls, result: Result, folder: Path) -> Baseline:
        return cls(
            Counter(
                _key(finding, result.place(file, folder))
                for file in result.files
                for finding in file.findings
            )
        )

    @classmethod
    def load(cls, path: Path) -> Baseline:
        """Raises PorterError where the file is none."""
        table = Table(_document(path), str(path)).only("schema_version", "findings")
        if table.number("schema_version") != _SCHEMA_VERSION:
            raise table.error(f"schema_version must be {_SCHEMA_VERSION}; write it anew")
        counts: Counter[Key] = Counter()
        for row in table.rows("findings"):
            row.only("path", "rule", "code", "count")
            counts[row.text("path"), row.text("rule"), row.text("code")] += row.number("count")
        return cls(counts)

    def text(self) -> str:
        """What ``load`` reads: a line a value, sorted, so that a change of it is easy to review."""
        findings = [
            {"path": path, "rule": rule, "code": code, "count": count}
            for (path, rule, code), count in sorted(self.counts.items())
        ]
        return dumps({"schema_version": _SCHEMA_VERSION, "findings": findings})

    def applied(self, result: Result, folder: Path) -> Result:
        """``result`` with what is known set aside: of equal findings the first ones of a file."""
        left = Counter(self.counts)
        return replace(
            result,
            files=tuple(_without(file, left, result.place(file, folder)) for file in result.files),
        )


def _document(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise PorterError(
            f"{path}: cannot be read: {error.strerror}; --write-baseline writes it"
        ) from error
    except (ValueError, RecursionError) as error:
        raise PorterError(f"{path}: not valid JSON: {error}; write it anew") from error


def _without(file: FileResult, left: Counter[Key], place: str) -> FileResult:
    known: dict[Finding, Ignored] = {}
    for finding in file.findings:
        key = _key(finding, place)
        if left[key] > 0:
            left[key] -= 1
            known[finding] = Ignored(finding, IgnoredBy.BASELINE)
    return file.setting_aside(known)


def _key(finding: Finding, place: str) -> Key:
    return place, finding.rule, code_of(finding)
