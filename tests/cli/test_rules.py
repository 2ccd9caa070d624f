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
        f"{shipped + 2} passed, 0 noisy, 0 missing, 0 wrong, 0 unfinished\n"
    )


@pytest.mark.parametrize(
    ("examples", "outcome"),
    [
        ({"valid": FOUND}, "HPU900-valid-1: noisy"),
        ({"code": "x = 1\n", "after": "x = 1\n"}, "HPU900-invalid-1: missing"),
        ({"after": FOUND}, "HPU900-invalid-1: wrong"),
        ({"after": BECOMES.rstrip()}, "HPU900-invalid-1: wrong"),
        ({"code": f"# TODO\n{FOUND}"}, "HPU900-invalid-1: unfinished"),
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
    return [f"{int(kind == failed)} {kind}" for kind in ("noisy", "missing", "wrong", "unfinished")]


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


def test_a_new_rule_loads_and_fails_until_it_is_filled_in(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "my rules"
    result = run("rules", "new", "torch.cuda.my_stream", "--rules", folder)
    assert result.exit_code == 0, result.stderr
    assert str(folder / "HPU900.toml") in result.stdout
    assert "torch.cuda.my_stream" in run("rules", "show", "HPU900", "--rules", folder).stdout
    test = run("rules", "test", "--rules", folder)
    assert test.exit_code == 1
    assert "HPU900-valid-1: unfinished" in test.stdout
    assert "HPU900-invalid-1: unfinished" in test.stdout
    assert " 2 unfinished\n" in test.stdout

    page = folder / "HPU900.toml"
    lines = page.read_text().splitlines()
    filled = {
        "# replacement": 'replacement = "torch.hpu.current_stream"',
        "note": 'note = "the same"',
        "source": 'source = ["made up"]',
    }
    lines = [
        next((new for old, new in filled.items() if line.startswith(old)), line) for line in lines
    ]
    text = "\n".join(lines) + "\n"
    text = text.replace("# TODO", "x = 1", 1).replace("# TODO", FOUND.rstrip(), 1)
    page.write_text(text.replace("# after = '''\n# ", f"after = '''\n{BECOMES}"))
    test = run("rules", "test", "--rules", folder)
    assert test.exit_code == 0, test.stdout


def test_a_new_rule_takes_the_next_id(run: Run, rulebook: Callable[..., Path]) -> None:
    folder = rulebook()
    assert "HPU901.toml" in run("rules", "new", "torch.cuda.other", "--rules", folder).stdout
    last = max(rule.id for rule in default_rulebook() if rule.family == "HPU3")
    stdout = run("rules", "new", "torch.cuda.third", "--rules", folder, "--family", "hpu3").stdout
    assert f"HPU{int(last[3:]) + 1}.toml" in stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["torch.cuda.Stream"], "torch.cuda.Stream: HPU"),
        (["torch.cuda.my_stream"], "torch.cuda.my_stream: HPU900 matches it"),
        (["two words"], "'two words': no name"),
        (["torch.cuda.x", "--family", "own"], "OWN: no family of rules"),
    ],
)
def test_a_new_rule_that_cannot_be(
    run: Run, rulebook: Callable[..., Path], arguments: list[str], line: str
) -> None:
    folder = rulebook()
    result = run("rules", "new", *arguments, "--rules", folder)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"porter: {line}") and result.stderr.count("\n") == 1
    assert [path.name for path in folder.glob("*.toml")] == ["rules.toml"]


def test_own_rules_decide_in_scan_and_rewrite(
    run: Run, rulebook: Callable[..., Path], tmp_path: Path
) -> None:
    (code := tmp_path / "code").mkdir()
    (code / "m.py").write_text(FOUND)
    folder = rulebook()
    assert "HPU001" in run("scan", code).stdout
    assert "HPU900" in run("scan", code, "--rules", folder).stdout
    assert run("rewrite", code, "--rules", folder, "--write").exit_code == 0
    assert (code / "m.py").read_text().endswith(BECOMES.partition("\n")[2])
