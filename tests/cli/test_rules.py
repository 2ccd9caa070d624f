from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from porter.rulebook import default_rulebook

Run = Callable[..., Result]

API = """\
version = "1.0"
lazy_only = []
[names]
"torch.hpu.current_stream" = "()"
"torch.hpu.current_device" = "()"
"""
RULE = """\
[[rule]]
id = "HPU900"
title = "the stream that is in use"
match = ["torch.cuda.current_stream"]
replacement = "torch.hpu.current_stream"
verdict = "exact"
effort = "none"
note = "the same"
source = ["made up"]
valid = ['''{valid}''']
[[rule.invalid]]
code = '''{code}'''
after = '''{after}'''
"""
FOUND = "import torch\ntorch.cuda.current_stream()\n"
BECOMES = "import torch\ntorch.hpu.current_stream()\n"


@pytest.fixture
def rulebook(tmp_path: Path) -> Callable[..., Path]:
    """A folder with one rule, and the examples that it is given."""

    def write(valid: str = "x = 1\n", code: str = FOUND, after: str = BECOMES) -> Path:
        (tmp_path / "api").mkdir()
        (tmp_path / "api/table.toml").write_text(API)
        text = RULE.format(valid=valid, code=code, after=after)
        (tmp_path / "rules.toml").write_text(text)
        return tmp_path

    return write


def test_list_has_a_line_a_rule(run: Run) -> None:
    result = run("rules", "list")
    assert result.exit_code == 0
    heading, *rows = result.stdout.splitlines()
    assert heading.split() == ["id", "title", "verdict", "effort"]
    assert [row.split()[0] for row in rows] == [rule.id for rule in default_rulebook()]
    for row, rule in zip(rows, default_rulebook(), strict=True):
        assert rule.title in row
        assert row.split()[-2:] == [rule.verdict.value, rule.effort.value]


def test_show_has_everything(run: Run) -> None:
    for rule in default_rulebook():
        result = run("rules", "show", rule.id)
        assert result.exit_code == 0
        wanted = [rule.id, rule.title, rule.verdict.value, rule.effort.value, rule.note]
        wanted += [*rule.match, *rule.source]
        wanted += [line for example in rule.invalid for line in example.code.split("\n")]
        for text in wanted:
            assert text.rstrip() in result.stdout


def test_show_of_no_rule(run: Run) -> None:
    result = run("rules", "show", "HPU999")
    assert result.exit_code == 2
    assert result.stderr == "porter: HPU999: no such rule; `porter rules list` shows them\n"


def test_examples_that_hold(run: Run, rulebook: Callable[..., Path]) -> None:
    result = run("rules", "test", "--rules", rulebook())
    assert result.stdout == "2 examples of 1 rules: 2 passed, 0 noisy, 0 missing, 0 wrong\n"
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("examples", "outcome"),
    [
        ({"valid": FOUND}, "HPU900-valid-1: noisy"),
        ({"code": "x = 1\n", "after": "x = 1\n"}, "HPU900-invalid-1: missing"),
        ({"after": FOUND}, "HPU900-invalid-1: wrong"),
        ({"after": BECOMES.rstrip()}, "HPU900-invalid-1: wrong"),
    ],
)
def test_examples_that_do_not(
    run: Run, rulebook: Callable[..., Path], examples: dict[str, str], outcome: str
) -> None:
    result = run("rules", "test", "--rules", rulebook(**examples))
    assert result.exit_code == 1
    assert result.stdout.startswith(outcome)
    assert f"1 passed, {', '.join(_counts(outcome))}" in result.stdout


def _counts(outcome: str) -> list[str]:
    failed = outcome.rsplit(maxsplit=1)[-1]
    return [f"{int(kind == failed)} {kind}" for kind in ("noisy", "missing", "wrong")]


def test_an_example_that_is_to_stay_but_is_rewritten(
    run: Run, rulebook: Callable[..., Path]
) -> None:
    folder = rulebook()
    rules = folder / "rules.toml"
    rules.write_text(rules.read_text().partition("after =")[0])
    result = run("rules", "test", "--rules", folder)
    assert result.exit_code == 1
    assert result.stdout.startswith("HPU900-invalid-1: wrong")


def test_no_example_is_a_failure(run: Run, rulebook: Callable[..., Path]) -> None:
    folder = rulebook()
    (folder / "rules.toml").write_text("")
    result = run("rules", "test", "--rules", folder)
    assert result.exit_code == 1
    assert "0 examples of 0 rules" in result.stdout


def test_a_rulebook_that_does_not_load(run: Run, rulebook: Callable[..., Path]) -> None:
    folder = rulebook()
    (folder / "rules.toml").write_text('[[rule]]\nid = "nonsense"\n')
    result = run("rules", "test", "--rules", folder)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
