"""The pages under docs/rules/ are those of the rulebook."""

from __future__ import annotations

from pathlib import Path

from porter.report.rule_pages import rule_pages
from porter.rulebook import default_rulebook

FOLDER = Path(__file__).resolve().parent.parent.parent / "docs" / "rules"


def test_the_pages_are_up_to_date() -> None:
    """`scripts/make_rule_pages` writes them."""
    pages = rule_pages(default_rulebook())
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()} == pages


def test_every_finding_links_to_a_page_that_is_there() -> None:
    root = FOLDER.parent.parent
    assert all((root / rule.url).is_file() for rule in default_rulebook())
