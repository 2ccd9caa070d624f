"""Climb the ladder of checks with a wheel or a folder, and say what is proven."""

from __future__ import annotations

from pathlib import Path

import click

from porter.cli._level import ladder_level
from porter.cli._options import output_format
from porter.cli._output import print_json, print_text
from porter.cli._progress import progress_bar
from porter.validate.ladder import climb


@click.command(
    epilog="\b\nExample:\n  porter validate dist/lmcache-0.3.9.post2+hpu.1-py3-none-any.whl"
)
@click.argument("source", metavar="WHEEL_or_DIR", type=click.Path())
@ladder_level
@output_format
@click.pass_context
def command(ctx: click.Context, *, source: str, level: str, style: str) -> None:
    """Climb the ladder of checks with a ported wheel, or a folder of source.

    A rung that cannot be tried is "not run", and says why.
    Exit code 1 if a rung failed.
    """
    with progress_bar(f"Checking {Path(source).name}") as progress:
        ladder = climb(source, level, progress)
    if style == "json":
        print_json(ladder.document())
    else:
        print_text(ladder.text())
    ctx.exit(1 if ladder.failed else 0)
