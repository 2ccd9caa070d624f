"""Fetched archives and their unpacked trees, on disk.

    pins/<release>.json            which archive an exact requirement was answered with
    archives/<sha256>/<filename>
    unpacked/<sha256>/tree         with unpacked/<sha256>/seal, which shows that it is whole
    findings.sqlite                what was found in files before: ``porter.codemods.cache``

Everything is made under a temporary name and renamed, so that processes at once
and a kill in the middle leave either the whole thing or nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from porter.errors import PorterError
from porter.progress import Progress
from porter.sources.unpack import unpack


@dataclass(frozen=True)
class Archive:
    path: Path
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Archive:
        """Raises PorterError where the file cannot be read."""
        try:
            return cls(path, _sha256(path))
        except OSError as error:
            raise PorterError(f"{path}: cannot be read: {error.strerror}") from error


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """``PORTER_CACHE``, or ``porter`` in the user's cache folder.

    Raises PorterError for a user without a home folder.
    """
    if chosen := environ.get("PORTER_CACHE"):
        return Path(chosen).absolute()
    base = Path(environ.get("XDG_CACHE_HOME", ""))
    if base.is_absolute():
        return base / "porter"
    try:
        return Path.home() / ".cache" / "porter"
    except RuntimeError:
        raise PorterError("no home folder for the cache; set PORTER_CACHE to a folder") from None


class Cache:
    """Raises PorterError wherever the folder ``root`` cannot be read or written."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def pinned(self, release: str) -> Archive | None:
        """The archive that ``release`` was answered with, if it is still whole."""
        try:
            pin = json.loads(self._pin(release).read_text(encoding="utf-8"))
            return self.archive(pin["sha256"], pin["filename"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def pin(self, release: str, archive: Archive) -> None:
        pin = json.dumps({"filename": archive.path.name, "sha256": archive.sha256})
        with self.scratch() as scratch:
            new = scratch / "pin"
            new.write_text(pin + "\n", encoding="utf-8")
            _publish(new, self._pin(release))

    def archive(self, sha256: str, filename: str) -> Archive | None:
        """The archive of this hash, or None where it is not there or was damaged."""
        path = self._root / "archives" / sha256 / filename
        try:
            return Archive(path, sha256) if _sha256(path) == sha256 else None
        except OSError:
            return None

    def keep(self, downloaded: Path) -> Archive:
        """Move a file out of the scratch folder into the cache."""
        archive = Archive.of(downloaded)
        path = self._root / "archives" / archive.sha256 / downloaded.name
        with self._usable():
            _publish(downloaded, path)
        return Archive(path, archive.sha256)

    def unpacked(self, archive: Archive, progress: Progress | None = None) -> Path:
        """The folder with the members of ``archive``; unpacked again where it was altered.

        Raises PorterError for an archive that ``unpack`` refuses.
        """
        home = self._root / "unpacked" / archive.sha256
        if not _is_sealed(home):
            with self.scratch() as scratch:
                new = scratch / "new"
                new.mkdir()
                unpack(archive.path, new / "tree", progress)
                (new / "seal").write_text(_seal(new / "tree"), encoding="ascii")
                _publish_folder(new, home, scratch / "old")
        return home / "tree"

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A new folder on the cache's own file system; it is gone afterwards."""
        with self._usable():
            self._root.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(prefix="tmp-", dir=self._root) as folder:
                yield Path(folder)

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise PorterError(
                f"{self._root}: cannot be used as the cache: {error.strerror}; "
                "set PORTER_CACHE to another folder"
            ) from error

    def _pin(self, release: str) -> Path:
        return self._root / "pins" / f"{release}.json"


def _publish(new: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new.replace(path)


def _publish_folder(new: Path, home: Path, old: Path) -> None:
    home.parent.mkdir(parents=True, exist_ok=True)
    try:
        new.rename(home)
    except OSError:
        # Another process was faster, or what lies there was altered.
        if not _is_sealed(home):
            home.rename(old)
            new.rename(home)


def _is_sealed(home: Path) -> bool:
    try:
        return (home / "seal").read_text(encoding="ascii") == _seal(home / "tree")
    except (OSError, ValueError):
        return False


def _seal(tree: Path) -> str:
    """Changes with every file that is added, removed or written to."""
    digest = hashlib.sha256()
    for folder, subfolders, names in os.walk(tree):
        subfolders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            status = path.lstat()
            entry = (str(path.relative_to(tree)), status.st_size, status.st_mtime_ns)
            digest.update(repr(entry).encode())
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1024**2):
            digest.update(chunk)
    return digest.hexdigest()
