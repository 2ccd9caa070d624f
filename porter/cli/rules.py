"""List, show and test the rules."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from porter.cli._output import print_page
from porter.codemods.examples import Outcome, cases, check
from porter.report.rules import rule_page, rule_table
from porter.rulebook import Rulebook, default_rulebook


@click.group(epilog="\b\nExample:\n  porter rules show HPU301")
def command() -> None:
    """The rulebook: what each CUDA construct is on HPU."""


@command.command("list", epilog="\b\nExample:\n  porter rules list | grep unsupported")
def list_rules() -> None:
    """All rules, one a line."""
    print_page(rule_table(default_rulebook()))


@command.command(epilog="\b\nExample:\n  porter rules show HPU301")
@click.argument("identifier", metavar="ID")
def show(identifier: str) -> None:
    """The page of one rule, with examples and sources."""
    print_page(rule_page(default_rulebook()[identifier.upper()]))


@command.command(epilog="\b\nExample:\n  porter rules test --rules rules/")
@click.option(
    "--rules",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Rule files to test; by default those that travel with porter.",
)
@click.pass_context
def test(ctx: click.Context, folder: Path | None) -> None:
    """Run the examples of all rules. Exit code 1 if one fails, or there is none.

    noisy: a valid example is found. missing: an invalid one is not found.
    wrong: it is found, but becomes something else.
    """
    book = default_rulebook() if folder is None else Rulebook.load(folder)
    counts = Counter[Outcome]()
    for case in cases(book):
        checked = check(case, book)
        counts[checked.outcome] += 1
        if checked.outcome is not Outcome.PASSED:
            click.echo(f"{case.name}: {checked.outcome.value}")
            click.echo("".join(f"    {line}\n" for line in checked.detail.splitlines()))
    outcomes = ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome)
    click.echo(f"{counts.total()} examples of {len(book)} rules: {outcomes}")
    ctx.exit(0 if counts[Outcome.PASSED] == counts.total() > 0 else 1)
