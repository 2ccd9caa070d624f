"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from porter.errors import PorterError
from porter.resources import rules_folder
from porter.rulebook import Rulebook, default_rulebook


def rule_choice(command: Callable[..., None]) -> Callable[..., None]:
    """``--select`` and ``--ignore`` as tuples of ids; None where they are not given."""
    select = click.option(
        "--select",
        metavar="IDS",
        multiple=True,
        callback=_ids,
        help="Only these rules, by id or the beginning of one: HPU301,HPU5.",
    )
    ignore = click.option(
        "--ignore", metavar="IDS", multiple=True, callback=_ids, help="All rules but these."
    )
    return select(ignore(command))


def own_rules(command: Callable[..., None]) -> Callable[..., None]:
    """``--rules``, passed as ``book``: the rules that travel with porter and those of a folder."""
    return click.option(
        "--rules",
        "book",
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        callback=_rulebook,
        help="Rule files of your own. They add to porter's rules, or replace those of the same id.",
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


def _rulebook(_context: click.Context, _option: click.Parameter, folder: Path | None) -> Rulebook:
    if folder is None:
        return default_rulebook()
    if not any(folder.glob("*.toml")):
        raise PorterError(f"{folder}: no rules in it; name a folder with .toml files")
    return Rulebook.load(rules_folder(), folder)
