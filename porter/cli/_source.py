"""Open a source, with what ``[tool.porter]`` of its pyproject.toml says, and analyse it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from pathlib import Path

import click

from porter.cli._progress import progress_bar
from porter.codemods.engine import analyse
from porter.codemods.options import Options
from porter.errors import PorterError
from porter.findings import FileResult, Result
from porter.rulebook import Rulebook, default_rulebook
from porter.sources.resolve import open_source
from porter.sources.tree import SourceTree
from porter.toml import read_toml


@dataclass(frozen=True)
class Settings:
    """``[tool.porter]``: rule ids, and path patterns (``tests/*``) of files that are not read."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @classmethod
    def of(cls, tree: SourceTree) -> Settings:
        """Those of a folder, or of the folder of a file; an archive has none of the user's."""
        path = tree.root / "pyproject.toml"
        if not (tree.writable and path.is_file()):
            return cls()
        try:
            table = read_toml(path)["tool"]["porter"]
        except (KeyError, TypeError):
            return cls()
        if not isinstance(table, dict):
            raise PorterError(f"{path}: [tool.porter]: give a table")
        known = [field.name for field in fields(cls)]
        for key, value in table.items():
            if key not in known:
                raise PorterError(
                    f"{path}: [tool.porter] has no key {key}; it takes {', '.join(known)}"
                )
            if not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
                raise PorterError(f"{path}: [tool.porter] {key}: give a list of strings")
        return cls(**{key: tuple(value) for key, value in table.items()})


@dataclass(frozen=True)
class _Filtered(SourceTree):
    """A tree as the analysis sees it: without the files that the project excludes."""

    exclude: tuple[str, ...] = ()

    def files(self) -> Iterator[str]:
        return (
            path
            for path in super().files()
            if not any(fnmatchcase(path, pattern) for pattern in self.exclude)
        )


@dataclass(frozen=True)
class Analysis:
    """A source with all its findings; those of rules that were not chosen are reported."""

    tree: SourceTree
    result: Result
    options: Options

    def chosen(self) -> Result:
        """Only the findings of the rules that were asked for."""
        return replace(self.result, files=tuple(self._chosen(file) for file in self.result.files))

    def _chosen(self, file: FileResult) -> FileResult:
        kept = tuple(item for item in file.findings if self.options.selects(item.rule))
        constructs = file.unaccounted + sum(finding.constructs for finding in kept)
        return replace(file, findings=kept, constructs=constructs)


def analyse_source(
    source: str,
    select: tuple[str, ...] | None,
    ignore: tuple[str, ...] | None,
    jobs: int | None = None,
) -> Analysis:
    """Open ``source`` and look for constructs. ``select`` and ``ignore`` replace the settings."""
    name = Path(source).name
    with progress_bar(f"Fetching {name}") as show:
        tree = open_source(source, progress=show and (lambda _, done, total: show(done, total)))
    for folder in tree.unreadable():
        click.echo(f"porter: {folder}: cannot be read, and was left out", err=True)
    settings = Settings.of(tree)
    book = default_rulebook()
    options = Options(
        select=_known(book, settings.select if select is None else select),
        ignore=_known(book, settings.ignore if ignore is None else ignore),
    )
    seen = _Filtered(tree.root, tree.kind, tree.label, tree.origin, tree.only, settings.exclude)
    with progress_bar(f"Reading {name}") as show:
        return Analysis(tree, analyse(seen, book, options, jobs=jobs, progress=show), options)


def _known(book: Rulebook, ids: tuple[str, ...]) -> tuple[str, ...]:
    for beginning in ids:
        if not any(rule.id.startswith(beginning) for rule in book):
            raise PorterError(f"{beginning}: no such rule; `porter rules list` shows them")
    return ids
