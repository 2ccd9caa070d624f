"""Find the CUDA constructs of a source, and say what each becomes on HPU."""

from __future__ import annotations

from pathlib import Path

import click

from porter.cli._formats import TEXT, Shown, document, findings_format
from porter.cli._options import caching, rule_choice
from porter.cli._output import print_text, terminal_width
from porter.cli._own_rules import own_rules
from porter.cli._source import analyse_source
from porter.findings import Result, merge
from porter.report.baseline import Baseline
from porter.report.text import findings_text
from porter.rulebook import Rulebook
from porter.wording import plural


@click.command(epilog="\b\nExample:\n  porter scan lmcache==0.3.9.post2 --format json")
@click.argument("sources", nargs=-1, required=True, metavar="SRC...", type=click.Path())
@findings_format
@rule_choice
@own_rules
@caching
@click.option(
    "--baseline",
    "baseline_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Findings that are known: they are ignored, new ones are not.",
)
@click.option("--write-baseline", is_flag=True, help="Write all there is now to --baseline.")
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
    use_cache: bool,
    baseline_file: Path | None,
    write_baseline: bool,
    jobs: int | None,
) -> None:
    """Find the CUDA constructs of SRC, and say what each becomes on HPU.

    SRC is a folder, a file, a wheel, an sdist, or a requirement. Nothing is written
    but the baseline. Exit code 1 if anything was found that no baseline or comment ignores.
    """
    if write_baseline and baseline_file is None:
        raise click.UsageError("--write-baseline needs --baseline FILE")
    analyses = [
        analyse_source(source, book, select, ignore, jobs, use_cache=use_cache)
        for source in sources
    ]
    result = merge(analysis.chosen() for analysis in analyses)
    if baseline_file is not None:
        if write_baseline:
            _write(baseline_file, result)
        folder = baseline_file.absolute().parent
        result = Baseline.load(baseline_file).applied(result, folder)
    if style == TEXT:
        print_text(findings_text(result, terminal_width()))
    else:
        trees = [analysis.tree for analysis in analyses]
        click.echo(document(style, Shown(result, trees, book, analyses[0].rule_pages)), nl=False)
    ctx.exit(1 if any(result.findings()) else 0)


def _write(file: Path, result: Result) -> None:
    baseline = Baseline.of(result, file.absolute().parent)
    file.write_text(baseline.text(), encoding="utf-8")
    count = plural(sum(baseline.counts.values()), "finding")
    click.echo(f"porter: {count} written to {file}", err=True)
