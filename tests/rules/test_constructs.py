"""Every construct of CUDA that is known is found, or it is said why it need not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from porter.codemods.engine import analyse_text
from porter.rulebook import default_rulebook
from porter.toml import read_toml

CONSTRUCTS = read_toml(Path(__file__).with_name("constructs.toml"))["construct"]
FOUND = [row for row in CONSTRUCTS if "code" in row]


@pytest.mark.parametrize("row", FOUND, ids=lambda row: row["name"][:60])
def test_it_is_found_by_its_rules(row: dict[str, object]) -> None:
    result = analyse_text("module.py", str(row["code"]), default_rulebook())
    assert sorted({finding.rule for finding in result.findings}) == row["rules"]


def test_whatever_is_not_found_has_its_reason() -> None:
    assert all(row.keys() == {"name", "unchanged"} for row in CONSTRUCTS if row not in FOUND)
    assert all(row["unchanged"] for row in CONSTRUCTS if row not in FOUND)
    assert len({row["name"] for row in CONSTRUCTS}) == len(CONSTRUCTS)
