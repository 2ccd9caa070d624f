"""Reverse the last `porter rewrite --write`."""

from __future__ import annotations

from pathlib import Path

import click

from porter.rewrite import undo


@click.command(epilog="\b\nExample:\n  porter undo src/")
@click.argument(
    "folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--force", is_flag=True, help="Restore files that were edited since; loses the edit.")
def command(folder: Path, force: bool) -> None:
    """Reverse the last `porter rewrite --write` in DIR.

    Also after a run that was killed: whatever it had written is put back.
    """
    undone = undo(folder, force=force)
    for path in undone.files:
        click.echo(folder / path)
    untouched = f", {undone.untouched} had not been replaced" if undone.untouched else ""
    click.echo(f"porter: {len(undone.files)} restored{untouched}", err=True)
