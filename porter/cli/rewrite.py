"""Rewrite a source for HPU: a diff, in place, into a folder, or as a patch."""

from __future__ import annotations

from pathlib import Path

import click

from porter.cli._formats import TEXT, Shown, document, findings_format
from porter.cli._options import caching, rule_choice
from porter.cli._output import print_patch, print_text
from porter.cli._own_rules import own_rules
from porter.cli._selection import applied_text, selection_file, told_by
from porter.cli._source import analyse_source
from porter.codemods.module import UNPARSABLE
from porter.findings import Result
from porter.report.text import summary_text
from porter.rewrite import changes, patch, rewrite, write_file, write_tree
from porter.rulebook import Rulebook
from porter.selection import Selection
from porter.wording import plural


@click.command(
    epilog="\b\nExample:\n  porter rewrite src/            # look at the diff\n"
    "  porter rewrite src/ --write    # `porter undo src/` takes it back\n"
    "  porter rewrite lmcache==0.3.9 --output lmcache-hpu/"
)
@click.argument("source", metavar="SRC", type=click.Path())
@click.option("--write", is_flag=True, help="Edit in place; `porter undo` reverses it.")
@click.option(
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write the rewritten tree into this folder, which must be new or empty.",
)
@click.option(
    "--patch",
    "patch_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the diff into this file.",
)
@click.option("--force", is_flag=True, help="Write even over changes that git does not hold.")
@selection_file("Only the hunks that a review let through: its exported decisions.")
@findings_format
@rule_choice
@own_rules
@caching
def command(
    *,
    source: str,
    write: bool,
    output: Path | None,
    patch_file: Path | None,
    force: bool,
    style: str,
    book: Rulebook,
    select: tuple[str, ...] | None,
    ignore: tuple[str, ...] | None,
    selection: Selection | None,
    use_cache: bool,
) -> None:
    """Rewrite SRC for HPU.

    SRC is a folder, a file, a wheel, an sdist, or a requirement. Without --write,
    --output or --patch nothing is written, and the diff is printed.
    """
    if sum((write, output is not None, patch_file is not None)) > 1:
        raise click.UsageError("--write, --output and --patch exclude each other")
    if selection is not None and (select, ignore) != (None, None):
        raise click.UsageError("--selection has the rules of its review; --select and --ignore go")
    told = told_by(selection)
    analysis = analyse_source(source, book, select, ignore, use_cache=use_cache, told=told)
    tree, result = analysis.tree, analysis.result.rewritten()
    summary = summary_text(result)
    shown = b""
    if style != TEXT:
        shown = document(style, Shown(result, [tree], book, analysis.rule_pages))
    if write:
        written = rewrite(tree, result, force=force)
        done = f"{plural(len(written.files), 'file')} rewritten in place"
        if written.journal is not None:
            done += f"; `porter undo {tree.root}` reverses it"
    elif output is not None:
        done = f"{plural(len(write_tree(tree, result, output)), 'file')} rewritten in {output}"
    elif patch_file is not None:
        changed = changes(tree, result)
        write_file(patch_file, patch(changed))
        done = f"{plural(len(changed), 'file')} rewritten in {patch_file}"
    else:
        changed = changes(tree, result)
        if style == TEXT:
            print_patch(patch(changed))
        summary = summary_text(analysis.result)
        done = f"{plural(len(changed), 'file')} to rewrite; nothing was written"
    click.echo(shown, nl=False)
    print_text(summary, err=True)
    for line in _left_unread(analysis.result):
        click.echo(f"porter: {line}", err=True)
    if selection is not None:
        click.echo(f"porter: {applied_text(selection, result)}", err=True)
    click.echo(f"porter: {done}", err=True)


def _left_unread(result: Result) -> list[str]:
    """A line for each file that could not be read or parsed, and so is as it was."""
    found = (finding for finding in result.findings() if finding.rule == UNPARSABLE)
    return sorted({f"{finding.path}: {finding.message}" for finding in found})
