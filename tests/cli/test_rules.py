from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from porter.codemods.examples import cases
from porter.rulebook import default_rulebook

Run = Callable[..., Result]

RULE = """\
[[rule]]
id = "HPU900"
title = "the stream that is in use"
match = ["torch.cuda.my_stream"]
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
FOUND = "import torch\ntorch.cuda.my_stream()\n"
BECOMES = "import torch\ntorch.hpu.current_stream()\n"


@pytest.fixture
def rulebook(tmp_path: Path) -> Callable[..., Path]:
    """A folder with one rule, and the examples that it is given."""

    def write(valid: str = "x = 1\n", code: str = FOUND, after: str = BECOMES) -> Path:
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
        page = result.stdout.replace("`", "")
        for text in wanted:
            assert text.rstrip().replace("`", "") in page


def test_show_of_no_rule(run: Run) -> None:
    result = run("rules", "show", "HPU999")
    assert result.exit_code == 2
    assert result.stderr == "porter: HPU999: no such rule; `porter rules list` shows them\n"


def test_own_rules_lie_over_porter_s(run: Run, rulebook: Callable[..., Path]) -> None:
    folder = rulebook()
    rows = run("rules", "list", "--rules", folder).stdout.splitlines()[1:]
    known = [rule.id for rule in default_rulebook()]
    assert [row.split()[0] for row in rows] == [*known, "HPU900"]
    assert "torch.cuda.my_stream" in run("rules", "show", "HPU900", "--rules", folder).stdout
    assert run("rules", "show", "HPU900").exit_code == 2


def test_an_own_rule_replaces_one_of_the_same_id(run: Run, rulebook: Callable[..., Path]) -> None:
    folder = rulebook()
    rules = folder / "rules.toml"
    rules.write_text(rules.read_text().replace("HPU900", "HPU101"))
    assert "the stream that is in use" in run("rules", "show", "HPU101", "--rules", folder).stdout


def test_examples_that_hold(run: Run, rulebook: Callable[..., Path]) -> None:
    shipped = len(list(cases(default_rulebook())))
    result = run("rules", "test", "--rules", rulebook())
    assert result.exit_code == 0
    assert result.stdout == (
        f"{shipped + 2} examples of {len(default_rulebook()) + 1} rules: "
        f"{shipped + 2} passed, 0 noisy, 0 missing, 0 wrong\n"
    )


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
    assert f" passed, {', '.join(_counts(outcome))}\n" in result.stdout


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


@pytest.mark.parametrize("command", [["list"], ["show", "HPU101"], ["test"]])
def test_a_folder_without_rules(run: Run, tmp_path: Path, command: list[str]) -> None:
    result = run("rules", *command, "--rules", tmp_path)
    assert result.exit_code == 2
    assert result.stderr == f"porter: {tmp_path}: no rules in it; name a folder with .toml files\n"


def test_a_rulebook_that_does_not_load(run: Run, rulebook: Callable[..., Path]) -> None:
    folder = rulebook()
    (folder / "rules.toml").write_text('[[rule]]\nid = "nonsense"\n')
    result = run("rules", "test", "--rules", folder)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
