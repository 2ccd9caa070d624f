from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from porter.errors import PorterError
from porter.findings import FileResult, IgnoredBy, Result
from porter.report.baseline import Baseline

FOLDER = Path("/repo")


@pytest.fixture
def baseline(result: Result, tmp_path: Path) -> Baseline:
    """All of ``result``, written and read again."""
    file = tmp_path / "baseline.json"
    file.write_text(Baseline.of(result, FOLDER).text())
    return Baseline.load(file)


def lines(result: Result) -> list[int]:
    return [finding.line for finding in result.findings()]


def test_what_is_known_is_set_aside(result: Result, baseline: Baseline) -> None:
    known = baseline.applied(result, FOLDER)
    assert list(known.findings()) == []
    assert known.summary() == replace(
        result.summary(), constructs=1, fixable=0, reported=0, ignored=6
    )
    assert {item.by for file in known.files for item in file.ignored} == {IgnoredBy.BASELINE}


def test_a_move_is_nothing_new(result: Result, baseline: Baseline) -> None:
    def moved(file: FileResult) -> FileResult:
        findings = (
            replace(item, line=item.line + 40, before=item.before.replace("\n ", "\n    "))
            for item in file.findings
        )
        return replace(file, findings=tuple(findings))

    result = replace(result, files=tuple(map(moved, result.files)))
    assert list(baseline.applied(result, FOLDER).findings()) == []


def test_one_more_of_the_same_is_new(result: Result, baseline: Baseline) -> None:
    file = result.files[0]
    more = (*file.findings, replace(file.findings[0], line=99))
    result = replace(result, files=(replace(file, findings=more, constructs=6),))
    assert lines(baseline.applied(result, FOLDER)) == [99]


@pytest.mark.parametrize(
    "change", [{"before": "torch.cuda.other()"}, {"rule": "HPU102"}, {"path": "pkg/new.py"}]
)
def test_what_differs_is_new(result: Result, baseline: Baseline, change: dict[str, str]) -> None:
    file = result.files[0]
    changed = replace(file.findings[0], **change)  # type: ignore[arg-type]
    file = replace(file, path=changed.path, findings=(changed,), constructs=1)
    assert lines(baseline.applied(replace(result, files=(file,)), FOLDER)) == [12]


def test_paths_are_those_from_the_baseline_whatever_is_scanned(result: Result) -> None:
    whole = replace(result, folders=("/repo/src",))
    baseline = Baseline.of(whole, FOLDER)
    inner = replace(
        result,
        files=tuple(replace(file, path=file.path.removeprefix("pkg/")) for file in result.files),
        folders=("/repo/src/pkg",),
    )
    assert list(baseline.applied(inner, FOLDER).findings()) == []


def test_the_text_is_sorted_and_stable(result: Result) -> None:
    turned = replace(result, files=result.files[::-1])
    assert Baseline.of(turned, FOLDER).text() == Baseline.of(result, FOLDER).text()


@pytest.mark.parametrize(
    ("text", "clue"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "must be a table"),
        ('{"schema_version": 9, "findings": []}', "schema_version must be 1"),
        ('{"schema_version": 1, "findings": [{"path": "a"}]}', "add rule"),
        ('{"schema_version": 1, "findings": {}, "more": 1}', "unknown keys: more"),
    ],
)
def test_a_file_that_is_no_baseline(tmp_path: Path, text: str, clue: str) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(text)
    with pytest.raises(PorterError) as error:
        Baseline.load(file)
    assert str(error.value).startswith(str(file))
    assert clue in str(error.value)
    assert "\n" not in str(error.value)
