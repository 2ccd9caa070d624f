"""What the user typed as SRC -> a source tree."""

from __future__ import annotations

import os
from pathlib import Path

from porter.errors import PorterError
from porter.progress import Progress
from porter.sources.archive import SDIST_SUFFIXES, WHEEL_SUFFIX
from porter.sources.cache import Archive, Cache, cache_folder
from porter.sources.tree import PYTHON_SUFFIXES, Kind, Origin, SourceTree

_ARCHIVE_SUFFIXES = (WHEEL_SUFFIX, *SDIST_SUFFIXES)
_PATH_SUFFIXES = (*PYTHON_SUFFIXES, *_ARCHIVE_SUFFIXES)


def open_source(
    text: str,
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
    sdist: bool = False,
) -> SourceTree:
    """The tree of a folder, a file, a wheel, an sdist or a requirement.

    A path that exists wins over a requirement. A requirement is fetched into
    ``cache`` (None: the user's own) and nothing is built; an exact one that was
    fetched before needs no network. With ``sdist`` wheels do not answer it. Archives
    are unpacked into the cache, and their trees are not to be edited.

    Raises PorterError for what is none of these, cannot be fetched, or is an
    archive that must not be unpacked.
    """
    if not os.path.exists(text):  # noqa: PTH110 - Path.exists raises where a text is too long
        store = Cache(cache or cache_folder())
        archive = _fetched(text, store, progress, sdist)
        return _archive_tree(archive, store.unpacked(archive, progress), text, requirement=text)
    path = Path(text).absolute()
    if path.is_dir():
        return SourceTree(path, Kind.FOLDER, text)
    if not path.is_file():
        raise PorterError(f"{text}: neither a file nor a folder")
    if path.name.lower().endswith(_ARCHIVE_SUFFIXES):
        store = Cache(cache or cache_folder())
        archive = Archive.of(path)
        return _archive_tree(archive, store.unpacked(archive, progress), text)
    return SourceTree(path.parent, Kind.FILE, text, only=path.name)


def _fetched(text: str, cache: Cache, progress: Progress | None, sdist: bool) -> Archive:
    if _looks_like_path(text):
        raise PorterError(f"no such file or folder: {text!r}")
    # unearth takes a tenth of a second to import: only those who fetch pay for it.
    from porter.sources.requirement import archive_of  # noqa: PLC0415

    return archive_of(text, cache, progress, sdist=sdist)


def _looks_like_path(text: str) -> bool:
    if "://" in text:
        return False
    return "/" in text or os.sep in text or text.lower().endswith(_PATH_SUFFIXES)


def _archive_tree(
    archive: Archive, root: Path, label: str, requirement: str | None = None
) -> SourceTree:
    filename = archive.path.name
    origin = Origin(filename, archive.sha256, requirement)
    if filename.lower().endswith(WHEEL_SUFFIX):
        return SourceTree(root, Kind.WHEEL, label, origin)
    return SourceTree(_top_folder(root), Kind.SDIST, label, origin)


def _top_folder(root: Path) -> Path:
    """An sdist holds one folder; an archive that holds more is taken as it is."""
    entries = list(root.iterdir())
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else root
