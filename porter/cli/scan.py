"""Find the CUDA constructs of a source, and say what each becomes on HPU."""

from __future__ import annotations

import click

from porter.cli._options import output_format, rule_choice
from porter.cli._output import print_json, print_text, terminal_width
from porter.cli._own_rules import own_rules
from porter.cli._source import analyse_source
from porter.findings import merge
from porter.report.json import to_json
from porter.report.text import findings_text
from porter.rulebook import Rulebook


@click.command(epilog="\b\nExample:\n  porter scan lmcache==0.3.9.post2 --format json")
@click.argument("sources", nargs=-1, required=True, metavar="SRC...")
@output_format
@rule_choice
@own_rules
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Processes; by default one a core for a large tree."
)
@click.pass_context
def command(
    ctx: click.Context,
    *,
    sources: tuple[str, ...],
    style: str,
    book: Rulebook,
    select: tuple[str, ...] | None,
    ignore: tuple[str, ...] | None,
    jobs: int | None,
) -> None:
    """Find the CUDA constructs of SRC, and say what each becomes on HPU.

    SRC is a folder, a file, a wheel, an sdist, or a requirement. Nothing is written.
    Exit code 1 if anything was found.
    """
    result = merge(
        analyse_source(source, book, select, ignore, jobs).chosen() for source in sources
    )
    if style == "json":
        print_json(to_json(result))
    else:
        print_text(findings_text(result, terminal_width()))
    ctx.exit(1 if any(result.findings()) else 0)
