"""Every example of every rule is a test."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from porter.codemods import examples
from porter.codemods.engine import analyse_text
from porter.codemods.examples import Case, Outcome, cases, check
from porter.findings import FileResult
from porter.rulebook import default_rulebook

CASES = list(cases(default_rulebook()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_example(case: Case) -> None:
    checked = check(case, default_rulebook())
    assert checked.outcome is Outcome.PASSED, checked.detail


def test_an_edit_that_changes_nothing_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """No rule does this, so the analysis is doctored: fixable, and the code stays as it is."""
    case = next(case for case in CASES if case.rule == "HPU101" and case.matches)
    stays = replace(case, example=replace(case.example, after=None))

    def idle(*arguments: Any) -> FileResult:
        return replace(analyse_text(*arguments), edits=())

    monkeypatch.setattr(examples, "analyse_text", idle)
    assert check(stays, default_rulebook()).outcome is Outcome.WRONG


def test_names_of_examples_are_distinct() -> None:
    assert CASES
    assert len({case.name for case in CASES}) == len(CASES)
