"""The result as JSON. The contract is ``findings.schema.json`` beside this file."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from porter.findings import FileResult, Finding, Result

SCHEMA_VERSION = 1


def to_json(result: Result) -> dict[str, Any]:
    """A document for ``dumps``; files in which nothing was found are left out."""
    return {
        "schema_version": SCHEMA_VERSION,
        "sources": list(result.sources),
        "files": [
            _file(file) for file in result.files if file.findings or file.constructs or file.ignored
        ],
        "summary": asdict(result.summary()),
    }


def dumps(document: dict[str, Any]) -> str:
    """The text of any document that porter prints or leaves in a file, with its last line end."""
    return json.dumps(document, indent=2) + "\n"


def _file(file: FileResult) -> dict[str, Any]:
    return {
        "path": file.path,
        "findings": [_finding(finding) for finding in file.findings],
        "ignored": [
            {**_finding(item.finding), "by": item.by.value, "reason": item.reason}
            for item in file.ignored
        ],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "verdict": finding.verdict.value,
        "effort": finding.effort.value,
        "status": finding.status.value,
        "constructs": finding.constructs,
        "line": finding.line,
        "column": finding.column,
        "end_line": finding.end_line,
        "end_column": finding.end_column,
        "before": finding.before,
        "after": finding.after,
        "message": finding.message,
        "url": finding.url,
    }
