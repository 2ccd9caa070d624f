"""Rules are checked when they load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from porter import codemods
from porter.errors import PorterError
from porter.resources import rules_folder
from porter.rulebook import Rulebook, default_rulebook

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
    ],
)
def test_a_bad_row_is_one_line_that_names_it(tmp_path, old, new, complaint):
    assert old in ROW
    with pytest.raises(PorterError) as caught:
        load(tmp_path, ROW.replace(old, new))
    assert "HPU101" in str(caught.value) or "HP1" in str(caught.value)
    assert complaint in str(caught.value) and "\n" not in str(caught.value)


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
