"""What porting a package takes beyond the rules: ``ported/<name>/recipe.toml``.

A row that holds for some releases only says which by a PEP 440 specifier; without
one it holds for all that the recipe supports.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeVar

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from porter.codemods.options import Options
from porter.errors import PorterError
from porter.package.runs import Run, shared_budget
from porter.resources import ported_folder
from porter.table import Table
from porter.toml import read_toml

_CUDA_ONLY = "cuda_only"
_DROPPED = "the recipe drops it"
_CLASS = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
_TABLES = (
    "package",
    "route",
    "codemod",
    "overlay",
    "drop",
    "contract",
    "run",
    "plugins",
    "entry_points",
    "environment",
    "budget",
)


@dataclass(frozen=True)
class Route:
    """Our module ``target`` takes the place of ``source``, a native module.

    ``implemented`` are the names of ``target`` that do what upstream's do. A capitalized
    ``source`` is no module but a class or a function, and so is its ``target``.
    """

    versions: SpecifierSet
    source: str
    target: str
    implemented: tuple[str, ...]

    @property
    def is_of_a_name(self) -> bool:
        return self.source.rpartition(".")[2][:1].isupper()

    @property
    def module(self) -> str:
        """The module of ours that it leads to."""
        return self.target.rpartition(".")[0] if self.is_of_a_name else self.target

    def promised(self) -> Iterator[str]:
        """The dotted names that do what upstream's do."""
        if self.is_of_a_name:
            yield self.target
        for name in self.implemented:
            yield f"{self.target}.{name}"


@dataclass(frozen=True)
class CudaOnly:
    """Path patterns of modules that are the package's own CUDA backend."""

    versions: SpecifierSet
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Overlay:
    """A folder of hand-written files, laid out as the package is."""

    versions: SpecifierSet
    folder: Path

    def files(self) -> dict[str, Path]:
        """The files by their paths in the package."""
        return {
            path.relative_to(self.folder).as_posix(): path
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        }


@dataclass(frozen=True)
class Drop:
    """What the ported package goes without: patterns, each with its reason.

    A pattern of ``files`` is a path; one of ``requirements`` is a project's name,
    alone or with one version clause (``torch==*``).
    """

    files: Mapping[str, str]
    requirements: Mapping[str, str]

    def reason_for_file(self, path: str) -> str | None:
        """Why the file at ``path`` goes, or None where it stays."""
        return _reason(self.files, path)

    def reason_for(self, requirement: Requirement) -> str | None:
        """Why a requirement goes, or None where it stays."""
        name = canonicalize_name(requirement.name)
        clauses = (f"{name}{clause}" for clause in requirement.specifier)
        return _reason(self.requirements, name, *clauses)


@dataclass(frozen=True)
class Contract:
    """A class of ours that another package calls by a base class of its own.

    Both are ``module:Class``. The methods ``own`` must not be left to the base,
    where the installed one has them.
    """

    versions: SpecifierSet
    implementation: str
    base: str
    own: tuple[str, ...]


@dataclass(frozen=True)
class PluginPlace:
    """Where a user's plugins go: scripts that the package starts, by paths that it is told.

    A script's name must begin with one of ``prefixes`` and a ``_``, or it gets the first of
    them. ``start``, with ``{plugin}`` in it, starts a class that is derived from one of ``bases``.
    """

    versions: SpecifierSet
    folder: str
    prefixes: tuple[str, ...]
    bases: tuple[str, ...]
    start: str

    def name(self, file: str) -> str:
        """The name that the package starts a script under."""
        if not self.prefixes or file.partition("_")[0].lower() in self.prefixes:
            return file
        return f"{self.prefixes[0]}_{file}"


_Row = TypeVar("_Row", Route, CudaOnly, Overlay, Contract, PluginPlace, Run)


@dataclass(frozen=True)
class Recipe:
    """``environment`` pairs releases with the vLLM that they are imported with.

    ``tier`` 1: every release is tried before porter is released; 2: some are;
    3: nobody has tried. Nothing reads ``tier`` yet.
    """

    path: Path
    name: str
    supported: SpecifierSet
    tier: int
    drop: Drop
    routes: tuple[Route, ...] = ()
    cuda_only: tuple[CudaOnly, ...] = ()
    overlays: tuple[Overlay, ...] = ()
    contracts: tuple[Contract, ...] = ()
    runs: tuple[Run, ...] = ()
    plugins: PluginPlace | None = None
    entry_points: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    environment: tuple[tuple[SpecifierSet, Version], ...] = ()

    @classmethod
    def load(cls, path: Path) -> Recipe:
        """Raises PorterError that names the file, the place and the cure for anything amiss."""
        document = Table(read_toml(path), str(path)).only(*_TABLES)
        package = document.table("package").only("name", "supported", "tier")
        budget = shared_budget(document.table("budget"))
        return cls(
            path=path,
            name=package.text("name"),
            supported=package.specifier("supported"),
            tier=package.number("tier"),
            drop=_drop(document.table("drop")),
            routes=tuple(_route(row) for row in document.rows("route")),
            cuda_only=tuple(_cuda_only(row) for row in document.rows("codemod")),
            overlays=tuple(_overlay(row, path.parent) for row in document.rows("overlay")),
            contracts=tuple(_contract(row) for row in document.rows("contract")),
            runs=tuple(Run.of(row, budget, path) for row in document.rows("run")),
            plugins=_plugins(document.table("plugins")) if document.has("plugins") else None,
            entry_points=_entry_points(document.table("entry_points")),
            environment=_environment(document.table("environment")),
        )

    def at(self, version: Version) -> Recipe:
        """The rows of this recipe that hold for ``version``.

        Raises PorterError where the recipe does not support it.
        """
        if not _holds(self.supported, version):
            raise PorterError(
                f"{self.name} {version}: not supported by {self.path}, which supports "
                f"{self.supported}"
            )
        return replace(
            self,
            routes=_held(self.routes, version),
            cuda_only=_held(self.cuda_only, version),
            overlays=_held(self.overlays, version),
            contracts=_held(self.contracts, version),
            runs=_held(self.runs, version),
            plugins=next(iter(_held((self.plugins,), version)), None) if self.plugins else None,
            environment=tuple(row for row in self.environment if _holds(row[0], version)),
        )

    @property
    def vllm(self) -> Version | None:
        """The vLLM to import with; the first row of ``environment`` that holds decides."""
        return self.environment[0][1] if self.environment else None

    def options(self) -> Options:
        """What this recipe tells the codemods."""
        return Options(
            routes={route.source: route.target for route in self.routes},
            implemented=frozenset(name for route in self.routes for name in route.promised()),
            cuda_only=tuple(path for row in self.cuda_only for path in row.paths),
            report_ignored=True,
        )


def find_recipe(name: str) -> Recipe:
    """The recipe for the project ``name`` that travels with porter. Raises PorterError without."""
    path = ported_folder() / canonicalize_name(name) / "recipe.toml"
    if not path.is_file():
        raise PorterError(f"{name}: porter has no recipe for it; give your own by --recipe FILE")
    return Recipe.load(path)


def _route(row: Table) -> Route:
    row.only("versions", "from", "to", "implemented")
    return Route(
        versions=row.specifier("versions", ""),
        source=row.text("from"),
        target=row.text("to"),
        implemented=row.texts("implemented"),
    )


def _cuda_only(row: Table) -> CudaOnly:
    name = row.only("versions", "name", "options").text("name")
    if name != _CUDA_ONLY:
        raise row.error(f"no codemod {name!r}; there is {_CUDA_ONLY}")
    options = row.table("options").only("paths")
    paths = options.texts("paths")
    if not paths:
        raise options.error("add paths")
    return CudaOnly(row.specifier("versions", ""), paths)


def _overlay(row: Table, folder: Path) -> Overlay:
    row.only("versions", "folder")
    overlay = Overlay(row.specifier("versions", ""), folder / row.text("folder"))
    if not overlay.folder.is_dir():
        raise row.error(f"{overlay.folder} is no folder; create it or correct the row")
    return overlay


def _contract(row: Table) -> Contract:
    row.only("versions", "class", "base", "own")
    return Contract(
        versions=row.specifier("versions", ""),
        implementation=_class(row, "class"),
        base=_class(row, "base"),
        own=row.texts("own"),
    )


def _plugins(table: Table) -> PluginPlace:
    table.only("versions", "folder", "prefixes", "bases", "start")
    place = PluginPlace(
        versions=table.specifier("versions", ""),
        folder=table.text("folder").strip("/"),
        prefixes=table.texts("prefixes"),
        bases=table.texts("bases"),
        start=table.text("start"),
    )
    if not place.bases:
        raise table.error("add bases, such as ['package.plugins.Plugin']")
    if "{plugin}" not in place.start:
        raise table.error("start must have {plugin} in it, which stands for the class")
    return place


def _class(row: Table, key: str) -> str:
    text = row.text(key)
    if not _CLASS.fullmatch(text):
        raise row.error(f"{key} must be written as package.module:Class, not {text!r}")
    return text


def _drop(table: Table) -> Drop:
    table.only("files", "requirements")
    return Drop(table.patterns("files", _DROPPED), table.patterns("requirements", _DROPPED))


def _entry_points(table: Table) -> dict[str, dict[str, str]]:
    return {group: names.strings() for group, names in table.tables().items()}


def _environment(table: Table) -> tuple[tuple[SpecifierSet, Version], ...]:
    return tuple(
        (table.parse_specifier(releases), vllm) for releases, vllm in table.versions().items()
    )


def _reason(patterns: Mapping[str, str], *candidates: str) -> str | None:
    for pattern, reason in patterns.items():
        if any(fnmatchcase(candidate, pattern) for candidate in candidates):
            return reason
    return None


def _held(rows: tuple[_Row, ...], version: Version) -> tuple[_Row, ...]:
    return tuple(row for row in rows if _holds(row.versions, version))


def _holds(versions: SpecifierSet, version: Version) -> bool:
    return versions.contains(version, prereleases=True)
