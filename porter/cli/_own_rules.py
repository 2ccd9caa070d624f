"""A rules folder of the user's. Not every command that has options needs the rulebook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from porter.errors import PorterError
from porter.resources import rules_folder
from porter.rulebook import Rulebook, default_rulebook


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


def _rulebook(_context: click.Context, _option: click.Parameter, folder: Path | None) -> Rulebook:
    if folder is None:
        return default_rulebook()
    if not any(folder.glob("*.toml")):
        raise PorterError(f"{folder}: no rules in it; name a folder with .toml files")
    return Rulebook.load(rules_folder(), folder)
