"""A result made by hand: the views are tested without a scanner."""

from __future__ import annotations

from typing import Any

import pytest

from porter.findings import Edit, Effort, FileResult, Finding, Result, Status, Verdict


def finding(**changes: Any) -> Finding:
    """A fixable finding in pkg/m.py:12:9, but for ``changes``."""
    values: dict[str, Any] = {
        "rule": "HPU101",
        "verdict": Verdict.EXACT,
        "effort": Effort.NONE,
        "status": Status.FIXABLE,
        "path": "pkg/m.py",
        "line": 12,
        "column": 9,
        "end_line": 12,
        "end_column": 36,
        "before": "torch.cuda.current_stream()",
        "after": "torch.hpu.current_stream()",
        "message": "the same on HPU",
        "url": "docs/rules/HPU101.md",
        "edits": (Edit(200, 227, "torch.hpu.current_stream()"),),
    }
    return Finding(**{**values, **changes})


@pytest.fixture
def result() -> Result:
    """Seven constructs in two of three files: two fixable, four reported, one unaccounted for."""
    kernel = finding(
        rule="HPU501",
        verdict=Verdict.UNSUPPORTED,
        effort=Effort.HIGH,
        status=Status.REPORTED,
        line=30,
        before="ops.load(\n            a,\n            b,\n        )",
        after=None,
        message="a CUDA kernel",
        constructs=3,
        edits=(),
    )
    string = finding(
        rule="HPU601",
        verdict=Verdict.REVIEW,
        effort=Effort.LOW,
        status=Status.REPORTED,
        path="pkg/n.py",
        before='"cuda"',
        after=None,
        message="nobody knows who reads it",
        edits=(),
    )
    removed = finding(rule="HPU401", verdict=Verdict.NO_OP, line=20, after="")
    first = FileResult("pkg/m.py", (finding(), removed, kernel), 5, finding().edits)
    return Result(
        ("pkg",),
        (first, FileResult("pkg/n.py", (string,), 2), FileResult("pkg/clean.py", (), 0)),
    )
