"""Rewrite a source for HPU: a diff, in place, into a folder, or as a patch."""

from __future__ import annotations

from pathlib import Path

import click

from porter.cli._options import output_format, rule_choice
from porter.cli._output import print_json, print_patch, print_text
from porter.cli._own_rules import own_rules
from porter.cli._selection import applied_text, selection_file, told_by
from porter.cli._source import analyse_source
from porter.report.json import to_json
from porter.report.text import summary_text
from porter.rewrite import changes, patch, rewrite, write_tree
from porter.rulebook import Rulebook
from porter.selection import Selection
from porter.wording import plural


@click.command(
    epilog="\b\nExample:\n  porter rewrite src/            # look at the diff\n"
    "  porter rewrite src/ --write    # `porter undo src/` takes it back\n"
    "  porter rewrite lmcache==0.3.9 --output lmcache-hpu/"
)
@click.argument("source", metavar="SRC")
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
@output_format
@rule_choice
@own_rules
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
) -> None:
    """Rewrite SRC for HPU.

    SRC is a folder, a file, a wheel, an sdist, or a requirement. Without --write,
    --output or --patch nothing is written, and the diff is printed.
    """
    if sum((write, output is not None, patch_file is not None)) > 1:
        raise click.UsageError("--write, --output and --patch exclude each other")
    if selection is not None and (select, ignore) != (None, None):
        raise click.UsageError("--selection has the rules of its review; --select and --ignore go")
    analysis = analyse_source(source, book, select, ignore, told=told_by(selection))
    tree, result = analysis.tree, analysis.result.rewritten()
    summary = summary_text(result)
    if write:
        written = rewrite(tree, result, force=force)
        done = f"{plural(len(written.files), 'file')} rewritten in place"
        if written.journal is not None:
            done += f"; `porter undo {tree.root}` reverses it"
    elif output is not None:
        done = f"{plural(len(write_tree(tree, result, output)), 'file')} rewritten in {output}"
    elif patch_file is not None:
        changed = changes(tree, result)
        patch_file.write_bytes(patch(changed))
        done = f"{plural(len(changed), 'file')} rewritten in {patch_file}"
    else:
        changed = changes(tree, result)
        if style == "text":
            print_patch(patch(changed))
        summary = summary_text(analysis.result)
        done = f"{plural(len(changed), 'file')} to rewrite; nothing was written"
    if style == "json":
        print_json(to_json(result))
    print_text(summary, err=True)
    if selection is not None:
        click.echo(f"porter: {applied_text(selection, result)}", err=True)
    click.echo(f"porter: {done}", err=True)
