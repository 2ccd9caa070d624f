"""List, show and test the rules, and begin a new one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from porter.cli._options import complete_rules
from porter.cli._output import print_markdown, print_table
from porter.cli._own_rules import own_rules
from porter.codemods.examples import Outcome, cases, check
from porter.report.rule_pages import rule_page_text
from porter.report.rules import rule_table
from porter.resources import rules_folder
from porter.rewrite import write_file
from porter.rulebook import Rulebook
from porter.rulebook.skeleton import skeleton
from porter.wording import plural


@click.group(epilog="\b\nExample:\n  porter rules show HPU301")
def command() -> None:
    """The rulebook: what each CUDA construct is on HPU."""


@command.command("list", epilog="\b\nExample:\n  porter rules list | grep unsupported")
@own_rules
def list_rules(book: Rulebook) -> None:
    """All rules, one a line."""
    print_table(rule_table(book))


@command.command(epilog="\b\nExample:\n  porter rules show HPU301")
@click.argument("identifier", metavar="ID", shell_complete=complete_rules)
@own_rules
def show(identifier: str, book: Rulebook) -> None:
    """The page of one rule, with examples and sources."""
    print_markdown(rule_page_text(book[identifier.upper()]))


@command.command(epilog="\b\nExample:\n  porter rules test --rules my-rules/")
@own_rules
@click.pass_context
def test(ctx: click.Context, book: Rulebook) -> None:
    """Run the examples of all rules. Exit code 1 if one fails.

    noisy: a valid example is found. missing: an invalid one is not found.
    wrong: it is found, but becomes something else. unfinished: a TODO is left in it.
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


@command.command(epilog="\b\nExample:\n  porter rules new torch.cuda.some_name --rules my-rules/")
@click.argument("match", metavar="NAME")
@click.option(
    "--rules",
    "folder",
    metavar="DIR",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of your rules; it is made where there is none.",
)
@click.option(
    "--family",
    metavar="HPUn",
    default="HPU9",
    show_default=True,
    help="The rule gets the next free id of this family; HPU9 is yours, the others are porter's.",
)
def new(match: str, folder: Path, family: str) -> None:
    """Begin a rule for NAME, in a file of its own in DIR.

    The row loads, but `porter rules test` calls it unfinished until every TODO is gone.
    """
    book = Rulebook.load(rules_folder(), folder)
    identifier, text = skeleton(book, match, family.upper())
    path = folder / f"{identifier}.toml"
    folder.mkdir(parents=True, exist_ok=True)
    write_file(path, text.encode())
    click.echo(f"{path}: fill it in, and run `porter rules test --rules {folder}`")
