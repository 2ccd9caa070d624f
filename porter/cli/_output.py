"""Print for a terminal with colours at its width, for anything else plain and unwrapped."""

from __future__ import annotations

import sys
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from porter.report.json import dumps

#: Columns.
_UNCUT = 1000
_PATCH_STYLES = {b"+": "green", b"-": "red", b"@": "cyan"}
_PATCH_HEADS = (b"diff ", b"--- ", b"+++ ", b"new ", b"deleted ")


def terminal_width() -> int | None:
    """Columns of the terminal that standard output is, None where it is none."""
    return Console().width if sys.stdout.isatty() else None


def print_text(text: Text, *, err: bool = False) -> None:
    """Lines as they are, never wrapped or cut."""
    if (sys.stderr if err else sys.stdout).isatty():
        Console(stderr=err, highlight=False).print(text, soft_wrap=True)
    else:
        click.echo(text.plain, err=err)


def print_markdown(page: str) -> None:
    """Laid out for the terminal, or as it is."""
    if sys.stdout.isatty():
        from rich.markdown import Markdown  # noqa: PLC0415 - it takes longer than all of rich

        Console().print(Markdown(page, code_theme="ansi_light"))
    else:
        click.echo(page, nl=False)


def print_table(table: Table) -> None:
    """Laid out for the terminal, or for no width in particular."""
    if sys.stdout.isatty():
        Console(highlight=False).print(table)
        return
    console = Console(width=_UNCUT, color_system=None)
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def print_json(document: dict[str, Any]) -> None:
    click.echo(dumps(document), nl=False)


def print_patch(patch: bytes) -> None:
    """Bytes as they are, so that ``git apply`` takes them; coloured on a terminal."""
    if sys.stdout.isatty() and patch:
        print_text(Text("\n").join(_styled(line) for line in patch.splitlines()))
    else:
        click.echo(patch, nl=False)


def _styled(line: bytes) -> Text:
    head = line.startswith(_PATCH_HEADS)
    style = "bold" if head else _PATCH_STYLES.get(line[:1], "")
    return Text(line.decode("utf-8", "backslashreplace"), style)
