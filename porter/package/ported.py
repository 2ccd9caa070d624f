"""A ported release, before anything of it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from packaging.utils import canonicalize_name
from packaging.version import Version

from porter.codemods.families.native import ROUTED_USE
from porter.findings import Result
from porter.package.metadata import Dropped
from porter.package.recipe import Recipe
from porter.package.release import Release


@dataclass(frozen=True)
class Ported:
    """``files`` are the bytes of the ported package by path, ``overlay`` those paths of ours,
    ``plugins`` those of the user's scripts.

    ``recipe`` is narrowed to the release; ``api`` is the release of the API table.
    ``result`` tells about upstream's files and the user's, ``remaining`` about the ported ones:
    what porter says when it reads its own work. ``native_modules`` are upstream's
    compiled modules, none of which is left.
    """

    release: Release
    recipe: Recipe
    version: Version
    api: str
    result: Result
    remaining: Result
    native_modules: tuple[str, ...]
    files: Mapping[str, bytes]
    overlay: tuple[str, ...]
    plugins: tuple[str, ...]
    metadata: bytes
    dropped_files: tuple[Dropped, ...]
    dropped_requirements: tuple[Dropped, ...]

    @property
    def distribution(self) -> str:
        """Name and version as file names spell them."""
        name = canonicalize_name(self.release.name).replace("-", "_")
        return f"{name}-{self.version}"

    @property
    def not_implemented(self) -> tuple[str, ...]:
        """Dotted names of the operations that the package uses and our modules lack, sorted."""
        return tuple(sorted(set(self._routed()) - self._implemented))

    @property
    def _implemented(self) -> frozenset[str]:
        return self.recipe.options().implemented

    def _routed(self) -> Iterator[str]:
        """``pkg.ops.Kind`` for a use of ``pkg.ops.Kind.LARGE``, where ``pkg.ops`` is ours."""
        prefixes = tuple(f"{route.target}." for route in self.recipe.routes)
        for finding in self.remaining.findings():
            if finding.rule == ROUTED_USE and finding.name.startswith(prefixes):
                prefix = next(prefix for prefix in prefixes if finding.name.startswith(prefix))
                yield prefix + finding.name.removeprefix(prefix).partition(".")[0]
