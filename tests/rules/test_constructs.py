"""Every construct of CUDA that is known is found, or it is said why it need not be.

``constructs.toml`` is code of our own, apart from the examples that a rule carries: they would go
with the rule. So there is no rule, and no codemod, without which all of it were still found.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from porter.codemods import registry
from porter.codemods.engine import analyse_text
from porter.codemods.examples import Outcome, cases, check
from porter.codemods.options import Options
from porter.errors import PorterError
from porter.findings import Finding
from porter.rulebook import Rule, Rulebook, default_rulebook
from porter.toml import read_toml

Row = dict[str, Any]

CONSTRUCTS: list[Row] = read_toml(Path(__file__).with_name("constructs.toml"))["construct"]
FOUND = [row for row in CONSTRUCTS if "code" in row]
BOOK = default_rulebook()
REGISTERED = ("_BY_KEY", "_BY_KIND")

registry.load_families()
CODEMODS = dict.fromkeys(
    codemod for name in REGISTERED for codemod in getattr(registry, name).values()
)


def findings(row: Row, book: Rulebook) -> tuple[Finding, ...]:
    """Its ``path``, ``native``, ``routes`` and the like are those of a rule's example."""
    options = Options(
        routes=row.get("routes", {}),
        implemented=frozenset(row.get("implemented", ())),
        cuda_only=tuple(row.get("cuda_only", ())),
    )
    path, native = row.get("path", "module.py"), row.get("native", ())
    return analyse_text(path, row["code"], book, options, native).findings


def rules_of(found: tuple[Finding, ...]) -> list[str]:
    return sorted({finding.rule for finding in found})


@pytest.mark.parametrize("row", FOUND, ids=lambda row: row["name"][:60])
def test_it_is_found_by_its_rules(row: Row) -> None:
    assert rules_of(findings(row, BOOK)) == row["rules"]


def test_whatever_is_not_found_has_its_reason() -> None:
    assert all(row.keys() == {"name", "unchanged"} for row in CONSTRUCTS if row not in FOUND)
    assert all(row["unchanged"] for row in CONSTRUCTS if row not in FOUND)
    assert len({row["name"] for row in CONSTRUCTS}) == len(CONSTRUCTS)


@pytest.mark.parametrize("rule", BOOK, ids=lambda rule: rule.id)
def test_no_rule_can_go_unnoticed(rule: Rule) -> None:
    rest = Rulebook([other for other in BOOK if other is not rule], BOOK.api)
    rows = [row for row in FOUND if rule.id in row["rules"]]
    assert rows, f"no construct is found by {rule.id}: give constructs.toml one"
    for row in rows:
        try:
            assert rule.id not in rules_of(findings(row, rest)), f"{row['name']} tells nothing"
        except PorterError as error:
            assert rule.id in str(error)


@pytest.mark.parametrize("codemod", CODEMODS, ids=lambda codemod: codemod.__qualname__)
def test_no_codemod_can_go_unnoticed(
    codemod: registry.Codemod, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in REGISTERED:
        table = getattr(registry, name)
        rest = {subject: other for subject, other in table.items() if other is not codemod}
        monkeypatch.setattr(registry, name, rest)
    assert any(rules_of(findings(row, BOOK)) != row["rules"] for row in FOUND) or any(
        check(case, BOOK).outcome is not Outcome.PASSED for case in cases(BOOK)
    )
