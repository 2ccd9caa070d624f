"""Rules are checked when they load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from porter import codemods
from porter.errors import PorterError
from porter.resources import rules_folder
from porter.rulebook import ApiTable, Rulebook, default_rulebook

API = 'version = "1.19"\nlazy_only = []\n[names]\n"torch.hpu" = "module"\n"torch.hpu.f" = "()"\n'
ROW = """
[[rule]]
id = "HPU101"
title = "f"
match = ["torch.cuda.f"]
replacement = "torch.hpu.f"
verdict = "exact"
effort = "none"
note = "The same."
source = ["somewhere"]
invalid = [{ code = "torch.cuda.f()" }]
"""


def load(folder: Path, rows: str) -> Rulebook:
    (folder / "api").mkdir()
    (folder / "api" / "gaudi-1.19.toml").write_text(API)
    (folder / "rules.toml").write_text(rows)
    return Rulebook.load(folder)


def test_a_row_is_a_rule(tmp_path):
    book = load(tmp_path, ROW)
    assert [rule.id for rule in book] == ["HPU101"]
    rule = book.lookup("torch.cuda.f")
    assert rule is book["HPU101"]
    assert book.lookup("torch.cuda.g") is None


def test_the_longest_prefix_wins(tmp_path):
    wide = ROW.replace('["torch.cuda.f"]', '["torch.cuda.f.*"]').replace("HPU101", "HPU102")
    narrow = ROW.replace('["torch.cuda.f"]', '["torch.cuda.f.g.*"]').replace("HPU101", "HPU103")
    book = load(tmp_path, ROW + wide + narrow)
    found = [book.lookup(f"torch.cuda.{name}") for name in ("f", "f.x", "f.g.x", "f.gg")]
    assert [rule.id for rule in found if rule] == ["HPU101", "HPU102", "HPU103", "HPU102"]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"torch.hpu.f"', '"torch.hpu.invented"', "torch.hpu.invented does not exist"),
        ('"torch.hpu.f"', '"habana_frameworks.torch.g"', "does not exist"),
        ('id = "HPU101"', 'id = "HP1"', "id is HPUnnn"),
        ('title = "f"\n', "", "add title"),
        ('verdict = "exact"', 'verdict = "perfect"', "perfect"),
        ('effort = "none"', 'effort = "little"', "little"),
        ("invalid = [{ code", "inva = [{ code", "unknown keys: inva"),
        ('[{ code = "torch.cuda.f()" }]', "[]", "at least one example"),
        ('source = ["somewhere"]', "source = []", "at least one source"),
        ("{ code =", "{ kode =", "kode"),
        ('{ code = "torch.cuda.f()" }', "{ code = 3 }", "[[invalid]] 1: code must be a string"),
        ('note = "The same."', "note = 3", "note must be a string"),
        ('match = ["torch.cuda.f"]', 'match = "torch.cuda.f"', "match must be a list of strings"),
        ('source = ["somewhere"]', 'source = "somewhere"', "source must be a list of strings"),
        ('replacement = "torch.hpu.f"', "replacement = 3", "replacement must be a string"),
        ('title = "f"\n', 'title = "f"\nremove = "no"\n', "remove must be true or false"),
        ('title = "f"\n', 'title = "f"\nsince = 1.19\n', "since must be a string"),
        ('title = "f"\n', 'title = "f"\narguments.drop = "x"\n', "drop must be a list of strings"),
        ('title = "f"\n', 'title = "f"\narguments.drip = []\n', "unknown keys: drip"),
        ('title = "f"\n', 'title = "f"\narguments = []\n', "arguments: must be a table"),
        ('title = "f"\n', 'title = "f"\nvalid = [1]\n', "valid must be a list of strings"),
    ],
)
def test_a_bad_row_is_one_line_that_names_it(tmp_path, old, new, complaint):
    assert old in ROW
    with pytest.raises(PorterError) as caught:
        load(tmp_path, ROW.replace(old, new))
    assert "HPU101" in str(caught.value) or "HP1" in str(caught.value)
    assert complaint in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (ROW.replace('id = "HPU101"', ""), "add id"),
        (ROW.replace('"HPU101"', "101"), "id must be a string"),
        ("rule = [3]\n", "must be a table"),
    ],
)
def test_a_row_without_a_name_is_placed_by_its_file(tmp_path, rows, complaint):
    with pytest.raises(PorterError, match=rf"^rules\.toml: .*{complaint}"):
        load(tmp_path, rows)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('version = "1.19"\n', "", "add version"),
        ('version = "1.19"', "version = 1.19", "version must be a string"),
        ('version = "1.19"', 'version = "newest"', "'newest' is no PEP 440 version"),
        ("lazy_only = []", 'lazy_only = "torch.hpu"', "lazy_only must be a list of strings"),
        ("lazy_only = []", "eager_only = []", "unknown keys: eager_only"),
        ('"torch.hpu.f" = "()"', '"torch.hpu.f" = []', "names: torch.hpu.f must be a string"),
    ],
)
def test_a_bad_api_table_is_one_line_that_names_it(tmp_path, old, new, complaint):
    assert old in API
    path = tmp_path / "gaudi-1.19.toml"
    path.write_text(API.replace(old, new))
    with pytest.raises(PorterError) as caught:
        ApiTable.load(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)
    assert complaint in str(caught.value)


def test_ids_and_matches_are_given_once(tmp_path):
    with pytest.raises(PorterError, match="the id is taken"):
        load(tmp_path, ROW + ROW)


def test_two_rules_for_one_name(tmp_path):
    with pytest.raises(PorterError, match="is matched by HPU101 too"):
        load(tmp_path, ROW + ROW.replace('"HPU101"', '"HPU102"'))


def test_a_second_target_is_reserved(tmp_path):
    assert len(load(tmp_path, ROW + 'xpu = { replacement = "torch.xpu.f" }\n')) == 1


def test_the_rules_that_codemods_name_exist():
    """Every HPUnnn in the codemods is a row of the rulebook."""
    folder = Path(codemods.__file__).parent
    named = {
        identifier
        for path in folder.rglob("*.py")
        for identifier in re.findall(r'"(HPU\d{3})"', path.read_text())
    }
    book = default_rulebook()
    assert named and all(identifier in book for identifier in named)


def test_rule_files_hold_nothing_else():
    for path in rules_folder().glob("*.toml"):
        assert path.read_text().count("[[rule]]") > 0
