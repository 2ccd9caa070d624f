"""``--level``, apart from the other options because only what climbs imports the ladder."""

from __future__ import annotations

from collections.abc import Callable

import click

from porter.validate.ladder import DEFAULT_TOP, NAMES


def ladder_level(command: Callable[..., None]) -> Callable[..., None]:
    """``--level``, the name of a rung."""
    return click.option(
        "--level",
        type=click.Choice(NAMES),
        default=DEFAULT_TOP,
        show_default=True,
        help="The top rung of the ladder to climb to.",
    )(command)
