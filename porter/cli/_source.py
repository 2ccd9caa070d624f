"""Open a source, with what ``[tool.porter]`` of its pyproject.toml says, and analyse it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import click

from porter.cli._progress import progress_bar
from porter.cli._settings import Settings, require_rules
from porter.codemods.cache import FindingsCache
from porter.codemods.engine import analyse
from porter.codemods.options import Options
from porter.errors import PorterError
from porter.findings import FileResult, Result
from porter.rulebook import Rulebook
from porter.sources.cache import cache_folder
from porter.sources.resolve import open_source
from porter.sources.tree import SourceTree


@dataclass(frozen=True)
class Analysis:
    """A source with all its findings; those of rules that were not chosen are reported."""

    tree: SourceTree
    result: Result
    options: Options
    rule_pages: str | None

    def chosen(self) -> Result:
        """Only the findings of the rules that were asked for."""
        return replace(self.result, files=tuple(self._chosen(file) for file in self.result.files))

    def _chosen(self, file: FileResult) -> FileResult:
        kept = tuple(item for item in file.findings if self.options.selects(item.rule, file.path))
        constructs = file.unaccounted + sum(finding.constructs for finding in kept)
        return replace(file, findings=kept, constructs=constructs)


def analyse_source(
    source: str,
    book: Rulebook,
    select: tuple[str, ...] | None,
    ignore: tuple[str, ...] | None,
    jobs: int | None = None,
    *,
    use_cache: bool = True,
    hunks: bool = False,
    told: Options | None = None,
) -> Analysis:
    """Open ``source`` and look for constructs. ``select`` and ``ignore`` replace the settings.

    ``told`` does so too, and says what else the analysis has to go by; with ``hunks``
    the findings are told theirs. What was found in a file before is not looked for
    again, unless ``use_cache`` is False.
    """
    name = Path(source).name
    with progress_bar(f"Fetching {name}") as show:
        tree = open_source(source, progress=show)
    for folder in tree.unreadable():
        click.echo(f"porter: {folder}: cannot be read, and was left out", err=True)
    settings = Settings.of(tree, book)
    rules = told or settings
    options = replace(
        told or Options(),
        select=rules.select if select is None else select,
        ignore=rules.ignore if ignore is None else ignore,
        file_ignores=rules.file_ignores,
        within=settings.within,
        hunks=hunks,
    )
    require_rules((*options.select, *options.ignore), book)
    seen = replace(tree, exclude=settings.exclude, within=settings.within)
    with progress_bar(f"Reading {name}") as show:
        # What a selection lets through would be of no use to any other run.
        cache = _cache() if use_cache and options.selection is None else None
        result = analyse(seen, book, options, jobs=jobs, progress=show, cache=cache)
    return Analysis(tree, result, options, settings.rule_pages)


def _cache() -> FindingsCache | None:
    """None for a user without a folder for it."""
    try:
        return FindingsCache(cache_folder())
    except PorterError:
        return None
