"""Write the diff review report of a source: one HTML file, with a place to decide on each hunk."""

from __future__ import annotations

from pathlib import Path

import click

from porter.cli._formats import Texts
from porter.cli._ladder import page_rungs
from porter.cli._options import caching, output_format, rule_choice
from porter.cli._output import print_json, print_text
from porter.cli._own_rules import own_rules
from porter.cli._selection import selection_file
from porter.cli._source import analyse_source
from porter.codemods.options import Options
from porter.errors import PorterError
from porter.report.html import review_page
from porter.report.json import to_json
from porter.report.text import summary_text
from porter.rewrite.atomic import require_writable, write_file
from porter.rulebook import Rulebook
from porter.selection import Selection

_CURE = "make it writable, or give -o another file"


@click.command(
    epilog="\b\nExample:\n  porter review src/ -o review.html\n"
    "  porter rewrite src/ --selection selection.json --write\n"
    "  porter review src/ --selection selection.json -o next.html"
)
@click.argument("source", metavar="SRC")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the report goes.",
)
@selection_file("Decisions of an earlier review: they hold where a hunk is as it was.")
@output_format
@rule_choice
@own_rules
@caching
@click.pass_context
def command(
    ctx: click.Context,
    *,
    source: str,
    output: Path,
    selection: Selection | None,
    style: str,
    book: Rulebook,
    select: tuple[str, ...] | None,
    ignore: tuple[str, ...] | None,
    use_cache: bool,
) -> None:
    """Write the review report of SRC: every change, why, and what was not converted.

    SRC is a folder, a file, a wheel, an sdist, or a requirement. The report is one
    file that needs no network. Exit code 1 if anything was found.
    """
    if not output.parent.is_dir():
        raise PorterError(f"{output}: no such folder; make {output.parent} first")
    require_writable([output], cure=_CURE)
    told = None if selection is None else Options.of_selection(selection)
    analysis = analyse_source(
        source, book, select, ignore, use_cache=use_cache, hunks=True, told=told
    )
    result = analysis.chosen()
    page = review_page(
        result,
        book,
        Texts([analysis.tree]),
        analysis.options.document(),
        ladder=page_rungs(),
        earlier=selection,
    )
    write_file(output, page.encode())
    if style == "json":
        print_json(to_json(result))
    print_text(summary_text(result), err=style == "json")
    click.echo(f"porter: wrote {output}", err=True)
    ctx.exit(1 if any(result.findings()) else 0)
