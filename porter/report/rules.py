"""The rulebook for a terminal: a table of all rules, and the page of one."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from porter.report.text import VERDICT_STYLES
from porter.rulebook import Rule, Rulebook


def rule_table(book: Rulebook) -> Table:
    """One row a rule: id, title, verdict, effort."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("id", "title", "verdict", "effort"):
        table.add_column(heading)
    for rule in book:
        verdict = Text(rule.verdict.value, VERDICT_STYLES[rule.verdict])
        table.add_row(rule.id, Text(rule.title), verdict, rule.effort.value)
    return table


def rule_page(rule: Rule) -> Group:
    """What the rule matches and what becomes of it, with its examples and sources."""
    return Group(*_page(rule))


def _page(rule: Rule) -> Iterator[RenderableType]:
    yield Text.assemble((rule.id, "bold"), "  ", (rule.title, "bold"))
    yield Text.assemble(
        (rule.verdict.value, VERDICT_STYLES[rule.verdict]), f", effort {rule.effort.value}"
    )
    yield _section("Note", Text(rule.note))
    if rule.match:
        yield _section("Matches", Text("\n".join(rule.match)))
    if rule.replacement or rule.remove:
        yield _section("Becomes", Text(rule.replacement or "(the statement is removed)"))
    for example in rule.invalid:
        yield _section("Example", _code(example.code))
        if example.after is None:
            yield Text("\n  is reported and stays as it is", "bold")
        else:
            yield _section("  becomes", _code(example.after or "# nothing"))
    for code in rule.valid:
        yield _section("Left alone", _code(code))
    if rule.since:
        yield _section("Since", Text(f"Gaudi software {rule.since}"))
    yield _section("Sources", Text("\n".join(rule.source)))


def _section(heading: str, body: RenderableType) -> Group:
    return Group(Text(f"\n{heading}", "bold"), Padding(body, (0, 0, 0, 2)))


def _code(code: str) -> Syntax:
    return Syntax(code.rstrip(), "python", theme="ansi_light", background_color="default")
