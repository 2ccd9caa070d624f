"""List, show and test the rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import click

from porter.cli._output import print_markdown, print_table
from porter.codemods.examples import Outcome, cases, check
from porter.errors import PorterError
from porter.report.rule_pages import rule_page_text
from porter.report.rules import rule_table
from porter.resources import rules_folder
from porter.rulebook import Rulebook, default_rulebook
from porter.wording import plural


def _rulebook(_context: click.Context, _option: click.Parameter, folder: Path | None) -> Rulebook:
    if folder is None:
        return default_rulebook()
    if not any(folder.glob("*.toml")):
        raise PorterError(f"{folder}: no rules in it; name a folder with .toml files")
    return Rulebook.load(rules_folder(), folder)


def _own_rules(command: Callable[..., None]) -> Callable[..., None]:
    """``--rules``, passed as ``book``: the rules that travel with porter and those of a folder."""
    return click.option(
        "--rules",
        "book",
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        callback=_rulebook,
        help="Rule files of your own. They add to porter's rules, or replace those of the same id.",
    )(command)


@click.group(epilog="\b\nExample:\n  porter rules show HPU301")
def command() -> None:
    """The rulebook: what each CUDA construct is on HPU."""


@command.command("list", epilog="\b\nExample:\n  porter rules list | grep unsupported")
@_own_rules
def list_rules(book: Rulebook) -> None:
    """All rules, one a line."""
    print_table(rule_table(book))


@command.command(epilog="\b\nExample:\n  porter rules show HPU301")
@click.argument("identifier", metavar="ID")
@_own_rules
def show(identifier: str, book: Rulebook) -> None:
    """The page of one rule, with examples and sources."""
    print_markdown(rule_page_text(book[identifier.upper()]))


@command.command(epilog="\b\nExample:\n  porter rules test --rules my-rules/")
@_own_rules
@click.pass_context
def test(ctx: click.Context, book: Rulebook) -> None:
    """Run the examples of all rules. Exit code 1 if one fails.

    noisy: a valid example is found. missing: an invalid one is not found.
    wrong: it is found, but becomes something else.
    """
    counts = Counter[Outcome]()
    for case in cases(book):
        checked = check(case, book)
        counts[checked.outcome] += 1
        if checked.outcome is not Outcome.PASSED:
            click.echo(f"{case.name}: {checked.outcome.value}")
            click.echo("".join(f"    {line}\n" for line in checked.detail.splitlines()))
    outcomes = ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome)
    examples, rules = plural(counts.total(), "example"), plural(len(book), "rule")
    click.echo(f"{examples} of {rules}: {outcomes}")
    ctx.exit(0 if counts[Outcome.PASSED] == counts.total() else 1)
