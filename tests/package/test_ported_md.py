"""porter.package.ported_md: a reader of the wheel finds every change in it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from porter.findings import Finding
from porter.package.ported import Ported
from porter.package.ported_md import ported_md, runnable


def rows(text: str) -> list[str]:
    return re.findall(r"^\| \d+ \| HPU\d{3} .*$", text, re.MULTILINE)


def with_findings(ported: Ported, **changes: str | None) -> Ported:
    """The same port, but every finding changed."""
    files = tuple(
        replace(file, findings=tuple(replace(item, **changes) for item in file.findings))
        for file in ported.result.files
    )
    return replace(ported, result=replace(ported.result, files=files))


def test_where_it_comes_from_is_said(ported: Ported) -> None:
    text = ported_md(ported)
    assert text.startswith("# tinykv 1.2+hpu.1\n")
    assert "`tinykv-1.2-cp311-cp311-linux_x86_64.whl`" in text
    assert f"`{'5' * 64}`" in text
    assert f"Gaudi {ported.api}" in text


def test_it_says_plainly_that_it_does_not_run(ported: Ported) -> None:
    assert "**Not runnable yet: 1 native operation is not implemented.**" in ported_md(ported)
    assert "`tinykv.hpu.kernels.copy_pages`" in ported_md(ported)
    nothing_left = replace(ported, remaining=replace(ported.remaining, files=()))
    assert "Not runnable" not in ported_md(nothing_left)
    assert runnable(nothing_left)


def test_every_finding_has_its_row(ported: Ported) -> None:
    findings: list[Finding] = list(ported.result.findings())
    text = ported_md(ported)
    assert len(rows(text)) == len(findings)
    for item in findings:
        assert any(row.startswith(f"| {item.line} | {item.rule} |") for row in rows(text))
        assert f"### `{item.path}`" in text


def test_what_was_dropped_and_added_is_listed(ported: Ported) -> None:
    text = ported_md(ported)
    for item in (*ported.dropped_files, *ported.dropped_requirements):
        assert f"| `{item.what}` | {item.reason} |" in text
    assert "| `tinykv/hpu/kernels.py` |" in text
    assert "| `tinykv.plugins` | `hpu` | `tinykv.hpu.kernels:register` |" in text


@pytest.mark.parametrize("code", ["a | b", "f(\n    x,\n)", "`tick`", "x" * 500, ""])
def test_no_code_breaks_the_table(ported: Ported, code: str) -> None:
    text = ported_md(with_findings(ported, before=code, after=code))
    assert len(rows(text)) == len(list(ported.result.findings()))
    for row in rows(text):
        assert len(re.findall(r"(?<!\\)\|", row)) == 8


def test_no_boast(ported: Ported) -> None:
    assert "%" not in ported_md(ported)
