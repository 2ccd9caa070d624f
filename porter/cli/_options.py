"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable

import click
from click.shell_completion import CompletionItem


def rule_choice(command: Callable[..., None]) -> Callable[..., None]:
    """``--select`` and ``--ignore`` as tuples of ids; None where they are not given."""
    select = click.option(
        "--select",
        metavar="IDS",
        multiple=True,
        callback=_ids,
        shell_complete=complete_rules,
        help="Only these rules, by id or the beginning of one: HPU301,HPU5.",
    )
    ignore = click.option(
        "--ignore",
        metavar="IDS",
        multiple=True,
        callback=_ids,
        shell_complete=complete_rules,
        help="All rules but these.",
    )
    return select(ignore(command))


def complete_rules(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Ids for a shell; of several behind one another the last is completed."""
    from porter.rulebook import default_rulebook  # noqa: PLC0415 - of use to a shell alone

    before, comma, last = incomplete.upper().rpartition(",")
    return [
        CompletionItem(f"{before}{comma}{rule.id}", help=rule.title)
        for rule in default_rulebook()
        if rule.id.startswith(last)
    ]


def caching(command: Callable[..., None]) -> Callable[..., None]:
    """``--no-cache``, passed as ``use_cache``."""
    return click.option(
        "--no-cache",
        "use_cache",
        is_flag=True,
        envvar="PORTER_NO_CACHE",
        callback=lambda context, option, value: not value,
        help="Look at every file anew, whatever earlier runs found in it.",
    )(command)


def output_format(command: Callable[..., None]) -> Callable[..., None]:
    """``--format``, passed as ``style``."""
    return click.option(
        "--format",
        "style",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="For people, or for machines.",
    )(command)


def _ids(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...] | None:
    if not values:
        return None
    return tuple(part.strip().upper() for part in ",".join(values).split(",") if part.strip())
