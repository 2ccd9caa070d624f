"""The pages under docs/rules/ are those of the rulebook."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from porter.report.rule_pages import rule_page_text, rule_pages
from porter.rulebook import Example, default_rulebook

FOLDER = Path(__file__).resolve().parent.parent.parent / "docs" / "rules"


def test_the_pages_are_up_to_date() -> None:
    """`scripts/make_rule_pages` writes them."""
    pages = rule_pages(default_rulebook())
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()} == pages


def test_every_finding_links_to_a_page_that_is_there() -> None:
    root = FOLDER.parent.parent
    assert all((root / rule.url).is_file() for rule in default_rulebook())


def test_nothing_of_a_rule_is_taken_for_markup() -> None:
    """``torch/hpu/__init__.py`` would lose its underlines."""
    for rule in default_rulebook():
        console = Console(file=StringIO(), width=3000)
        with console.capture() as captured:
            console.print(Markdown(rule_page_text(rule)))
        page = captured.get()
        for text in (rule.title, rule.note, *rule.match, *rule.source):
            assert text in page, rule.id


def test_code_that_is_removed_altogether() -> None:
    rule = next(iter(default_rulebook()))
    page = rule_page_text(replace(rule, invalid=(Example("x = 1\n", after="\n"),)))
    assert "```python\nx = 1\n```\n\nAfter: nothing, the statement is removed.\n" in page
