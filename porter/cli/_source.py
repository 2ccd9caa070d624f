"""Open a source, with what ``[tool.porter]`` of its pyproject.toml says, and analyse it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path

import click

from porter.cli._progress import progress_bar
from porter.codemods.engine import analyse
from porter.codemods.options import Options
from porter.errors import PorterError
from porter.findings import FileResult, Result
from porter.rulebook import Rulebook
from porter.sources.resolve import open_source
from porter.sources.tree import SourceTree
from porter.table import Table
from porter.toml import read_toml


@dataclass(frozen=True)
class Settings:
    """``[tool.porter]``: rule ids, and path patterns (``tests/*``) of files that are not read."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @classmethod
    def of(cls, tree: SourceTree) -> Settings:
        """Those of the project around a folder or a file; an archive has none of the user's."""
        path = _project_file(tree.root) if tree.writable else None
        if path is None:
            return cls()
        known = [field.name for field in fields(cls)]
        tools = Table(read_toml(path), str(path)).table("tool").free()
        table = Table(tools.get("porter", {}), f"{path}: [tool.porter]").only(*known)
        return cls(**{key: table.texts(key) for key in known})


def _project_file(folder: Path) -> Path | None:
    """The nearest pyproject.toml, up to the top of the git tree."""
    for place in (folder.absolute(), *folder.absolute().parents):
        if (place / "pyproject.toml").is_file():
            return place / "pyproject.toml"
        if (place / ".git").exists():
            return None
    return None


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
    book: Rulebook,
    select: tuple[str, ...] | None,
    ignore: tuple[str, ...] | None,
    jobs: int | None = None,
    *,
    hunks: bool = False,
    told: Options | None = None,
) -> Analysis:
    """Open ``source`` and look for constructs. ``select`` and ``ignore`` replace the settings.

    ``told`` does so too, and says what else the analysis has to go by; with ``hunks``
    the findings are told theirs.
    """
    name = Path(source).name
    with progress_bar(f"Fetching {name}") as show:
        tree = open_source(source, progress=show)
    for folder in tree.unreadable():
        click.echo(f"porter: {folder}: cannot be read, and was left out", err=True)
    settings = Settings.of(tree)
    rules = told or settings
    options = replace(
        told or Options(),
        select=_known(book, rules.select if select is None else select),
        ignore=_known(book, rules.ignore if ignore is None else ignore),
        hunks=hunks,
    )
    seen = replace(tree, exclude=settings.exclude)
    with progress_bar(f"Reading {name}") as show:
        return Analysis(tree, analyse(seen, book, options, jobs=jobs, progress=show), options)


def _known(book: Rulebook, ids: tuple[str, ...]) -> tuple[str, ...]:
    for beginning in ids:
        if not any(rule.id.startswith(beginning) for rule in book):
            raise PorterError(f"{beginning}: no such rule; `porter rules list` shows them")
    return ids
