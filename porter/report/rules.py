"""The rulebook for a terminal."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from porter.report.text import VERDICT_STYLES
from porter.rulebook import Rulebook


def rule_table(book: Rulebook) -> Table:
    """One row a rule: id, title, verdict, effort."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("id", "title", "verdict", "effort"):
        table.add_column(heading)
    for rule in book:
        verdict = Text(rule.verdict.value, VERDICT_STYLES[rule.verdict])
        table.add_row(rule.id, Text(rule.title), verdict, rule.effort.value)
    return table
